"""The best cut of a sorted feature for the squared error.

Cutting a node reduces its squared error by as much as

    gain = S_left**2 / W_left + S_right**2 / W_right          S = sum(w y), W = sum(w)

is larger than S**2 / W of the node.  The gains are computed in scikit-learn's order, so that their bits are the same: S_left
grows sample by sample from the last cut that was looked at, or is what remains of the node's sum, taken off from the end,
where that is the shorter way (``RegressionCriterion.update`` and ``MSE``, 1.9.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minimal.tree.presorted_numba import LOW_HALF, VALUE
from minimal.tree.regression_replay_numba import ONE
from minimal.tree.splitting_numba import inlined, kernel

SAME = np.float32(1e-7)  # neighbours that differ by no more are one value
ROUNDED = 1.0 + 1e-14  # more than a product with a rounded reciprocal loses, and a sum of two of them
TINY = 1e-300  # more than a product loses that falls below the normal numbers


class Best(NamedTuple):
    """The best cut of a feature: before ``position``, with its gain; ``end`` and -inf if there is none.

    ``second`` is the largest gain of another cut, if that is close (within the ``slack`` of the scan), else anything
    smaller; ``tied`` says whether two samples have the same value.
    """

    gain: float
    position: int
    second: float
    tied: bool


class Sums(NamedTuple):
    """What a scan adds up, and the node's sums.

    ``weighted_y`` of shape (n_samples,) holds w y; ``weight`` is empty if all weights are one; ``reciprocal[k]`` is 1 / k.
    """

    weighted_y: np.ndarray
    weight: np.ndarray
    reciprocal: np.ndarray
    total: float
    total_weight: float


class Limits(NamedTuple):
    """The smallest leaf, as samples and as weight."""

    samples: int
    weight: float


@inlined
def value_at(columns, row, i):
    """The value of an entry."""
    return columns.values[row, ONE * np.uintp(2) * i + np.uintp(VALUE)]


@inlined
def sample_at(columns, row, i):
    """The sample of an entry."""
    return np.uintp(columns.words[row, i] & LOW_HALF)


@inlined
def scan(columns, row, start, end, sums, limits, slack):
    """Look at every cut of the entries [start, end) of a row of sorted columns: the first of the best ones, as ``Best``."""
    if len(sums.weight) == 0 and limits.weight <= limits.samples:
        return scan_counted(columns, row, start, end, sums, limits.samples, slack)
    return scan_weighted(columns, row, start, end, sums, limits, slack)


@kernel
def scan_counted(columns, row, start, end, sums, min_samples, slack):
    """``scan`` where every sample weighs one.  A gain is divided out only if its estimate by reciprocals comes close."""
    best, second, position, tied = -np.inf, -np.inf, end, False
    floor, left, last = -np.inf, 0.0, start  # the last cut looked at
    value = value_at(columns, row, np.uintp(start))
    for i in range(np.uintp(start + 1), np.uintp(end)):
        left += sums.weighted_y[sample_at(columns, row, i - ONE)]
        before, value = value, value_at(columns, row, i)
        n_left, n_right = i - np.uintp(start), np.uintp(end) - i
        if value <= before + SAME:
            tied |= value == before
            continue
        if n_left < min_samples or n_right < min_samples:
            continue
        if i - np.uintp(last) > n_right:
            left = from_the_end(columns, row, i, end, sums.weighted_y, sums.total)
        last = i
        right = sums.total - left
        estimate = left * left * sums.reciprocal[n_left] + right * right * sums.reciprocal[n_right]
        if estimate * ROUNDED + TINY > floor:
            gain = left * left / np.float64(n_left) + right * right / np.float64(n_right)
            if gain > best:
                best, second, position = gain, best, np.int64(i)
                floor = best - slack
            elif gain > second:
                second = gain
    return Best(best, position, second, tied)


@kernel
def scan_weighted(columns, row, start, end, sums, limits, slack):
    """``scan`` for any weights."""
    best, second, position, tied = -np.inf, -np.inf, end, False
    left, left_weight, last = 0.0, 0.0, start
    unit = len(sums.weight) == 0
    value = value_at(columns, row, np.uintp(start))
    for i in range(np.uintp(start + 1), np.uintp(end)):
        sample = sample_at(columns, row, i - ONE)
        left += sums.weighted_y[sample]
        left_weight += 1.0 if unit else sums.weight[sample]
        before, value = value, value_at(columns, row, i)
        if value <= before + SAME:
            tied |= value == before
            continue
        if i - np.uintp(start) < limits.samples or np.uintp(end) - i < limits.samples:
            continue
        if i - np.uintp(last) > np.uintp(end) - i:
            left = from_the_end(columns, row, i, end, sums.weighted_y, sums.total)
            if not unit:
                left_weight = from_the_end(columns, row, i, end, sums.weight, sums.total_weight)
        last = i
        right, right_weight = sums.total - left, sums.total_weight - left_weight
        if left_weight < limits.weight or right_weight < limits.weight:
            continue
        gain = left * left / left_weight + right * right / right_weight
        if gain > best:
            best, second, position = gain, best, np.int64(i)
        elif gain > second:
            second = gain
    return Best(best, position, second, tied)


@kernel
def from_the_end(columns, row, i, end, terms, total):
    """What remains of a total without the terms of the entries [i, end), the last one taken off first."""
    left = total
    for k in range(np.uintp(end), i, -1):
        left -= terms[sample_at(columns, row, np.uintp(k) - ONE)]
    return left
