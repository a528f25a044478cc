"""Scan a sorted column for its best split, counting classes: cheap scores everywhere, the exact formula where it matters.

Weights are whole numbers here, so class counts are integers, and nothing is rounded until the formula of the criterion
divides.  A split is judged by the reference's formula

    exact = -w_right * impurity(right) - w_left * impurity(left)                        (weights w, in float64)

whose last bits decide between equally good splits, so they must be the reference's.  But it costs two divisions (gini) or
logarithms (entropy) at every sample.  A *score* that is nearly equal to it up to a constant of the node tells in a few
multiplications whether a split can matter: only one whose score comes within a margin of the best split so far is computed
exactly.  With u = 2**-53, a total weight W < 2**26, K classes, and integers below 2**53 that are exact in float64:

gini.  exact is in truth q - W, with q = sum(left**2) / w_left + sum(right**2) / w_right <= W.  Its computation rounds each
    quotient sum(c**2) / (w * w), at most 1, by u; the difference from 1 by u; the product with w by w u; and the last sum by
    W u: together at most 4 W u.  The test compares q w_left w_right with limit w_left w_right, each computed with a relative
    error of at most 4 u, which is 8 W u of q; the limit itself is within 3 W u.  A margin of 2**-46 W = 128 W u covers 4 W u
    twice (the best so far is rounded, too) and the rest.
    For two classes q = S / W + 2 d**2 / (W w_left w_right), where S is the node's sum of squares and d = W left[1] - N[1]
    w_left an integer below 2**50: one multiplication for q - S / W, with fewer errors than above.
entropy.  exact is in truth q / ln(2), with q = sum(x(left)) + sum(x(right)) - x(w_left) - x(w_right) and x(n) = n ln(n).
    A table holds x in fixed point, SCALE = 2**30 steps to one: integers, which add up without rounding, below 2**62.  An
    entry is off by half a step and three roundings of x, so q by (2 K + 2) (2**-31 + 3 u W ln(W)), which is less than
    (K + 1) (2**-30 + 2**-46 W).  The computation of exact rounds p = c / w, its logarithm, the quotient by ln(2), the product
    and K sums: at most W u ((K + 6) log2(K) + 3) <= (K + 1) 2**-48 W.  The margin is (K + 1) (2**-28 + 2**-40 W).

So a split whose score stays below the margin cannot have a larger exact value than the best so far, and leaving it out
changes nothing.  The others are few: new records, and ties.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.presorted_numba import VALUE
from minimal.tree.splitting_numba import inlined, kernel

LARGEST_WEIGHT = 2**26  # the total weight must stay below
SCALE = 2.0**30
LN2 = np.log(2.0)
SAME = np.float32(1e-7)  # neighbours that are at most so far apart are not separated
GINI_MARGIN = 2.0**-46
LARGEST_SCORE = 2.0**32  # W ln(W) is smaller
NODE, LEFT, RIGHT = 0, 1, 2  # rows of Counter.counts


class Counter(NamedTuple):
    """How to read and count the notes of a column.

    Attributes
    ----------
    counts : ndarray of int64 of shape (3, n_classes)
        Weights of the classes: in the node, and while it is scanned on either side.
    x_log_x : ndarray of int64 of shape (W + 1,), or empty
        n * ln(n) in fixed point for entropy; empty for gini.
    label_mask, weight_mask, label_bits : int
        A note is ``(weight - 1) << label_bits | label``.
    """

    counts: NDArray[np.int64]
    x_log_x: NDArray[np.int64]
    label_mask: int
    weight_mask: int
    label_bits: int


class Range(NamedTuple):
    """What a scan walks through: the known values [start, stop) of a feature's column, in a node up to ``end``.

    ``n_missing_left`` counts the missing ones that go left before all of them; ``may_isolate``: is the split between all
    known values and all missing ones a candidate?  ``smallest``: how many samples a side must have at least, ``lightest``:
    which weight.
    """

    feature: int
    start: int
    stop: int
    end: int
    n_missing_left: int
    may_isolate: bool
    smallest: int
    lightest: float


def table_of_x_log_x(largest: int) -> NDArray[np.int64]:
    """n * ln(n) in fixed point for n = 0, ..., largest."""
    n = np.arange(largest + 1, dtype=np.float64)
    n[0] = 1.0
    return np.rint(n * np.log(n) * SCALE).astype(np.int64)


@inlined
def label_of(counter, low):
    return np.intp(low & np.uint64(counter.label_mask))


@inlined
def weight_of(counter, low):
    return np.int64(((low >> np.uint64(counter.label_bits)) & np.uint64(counter.weight_mask)) + np.uint64(1))


# ------------------------------------------------------------ the reference's formulas, bit for bit


@kernel
def gini(counts, row, weight):
    squares = 0.0
    for c in range(counts.shape[1]):
        count = np.float64(counts[row, c])
        squares += count * count
    return 1.0 - squares / (weight * weight)


@kernel
def entropy(counts, row, weight):
    total = 0.0
    for c in range(counts.shape[1]):
        if counts[row, c] > 0:
            share = np.float64(counts[row, c]) / weight
            total -= share * (log(share) / LN2)
    return total


@kernel
def impurity(counter, row, weight):
    """The impurity of one row of the counts, whose sum is ``weight``."""
    return gini(counter.counts, row, weight) if len(counter.x_log_x) == 0 else entropy(counter.counts, row, weight)


@kernel
def exact_value(counter, left, right):
    """The value of a split into two weights, whose classes are counted in the rows LEFT and RIGHT."""
    return -right * impurity(counter, RIGHT, right) - left * impurity(counter, LEFT, left)


# ------------------------------------------------------------ scans


@kernel
def scan(columns, counter, place, weight, best):
    """The first split of a range with the largest exact value above ``best``: (value, i), or (best, -1) if there is none.

    ``place`` is the :class:`Range`, ``weight`` the node's.  The known values [start, i) go left.
    """
    left = begin(columns, counter, place)
    first = max(place.start + 1, place.start + place.smallest - place.n_missing_left)
    last = min(place.stop if place.may_isolate else place.stop - 1, place.end - place.n_missing_left - place.smallest)
    if first > last:
        return best, -1
    if len(counter.x_log_x) > 0:
        return scan_entropy(columns, counter, place, first, last, weight, left, best)
    if counter.counts.shape[1] == 2:
        return scan_two(columns, counter, place, first, last, weight, left, best)
    return scan_many(columns, counter, place, first, last, weight, left, best)


@kernel
def begin(columns, counter, place):
    """Count the left and right side before the first known value, and return the left one's weight."""
    counts = counter.counts
    left = 0
    for c in range(counts.shape[1]):
        counts[LEFT, c], counts[RIGHT, c] = 0, counts[NODE, c]
    for i in range(place.end - place.n_missing_left, place.end):
        low = columns.words[place.feature, i]
        left += move(counter, low)
    return left


@inlined
def move(counter, low):
    """Move a sample from the right to the left side, and return its weight."""
    label, weight = label_of(counter, low), weight_of(counter, low)
    counter.counts[LEFT, label] += weight
    counter.counts[RIGHT, label] -= weight
    return weight


@inlined
def separates(columns, feature, i):
    """Are the values before and at i different?  A missing value differs from every other."""
    values = columns.values
    low, high = values[feature, np.uintp(2 * i + VALUE - 2)], values[feature, np.uintp(2 * i + VALUE)]
    return not high <= low + SAME


@kernel
def scan_two(columns, counter, place, first, last, weight, left, best):
    """Two classes, gini."""
    words, feature, counts = columns.words, place.feature, counter.counts
    total, ones = counts[NODE, 0] + counts[NODE, 1], counts[NODE, 1]
    balance = counts[LEFT, 1] * total - ones * left
    base = weight - (np.float64(counts[NODE, 0]) ** 2 + np.float64(ones) ** 2) / weight
    half, slack = 0.5 * weight, base - weight * GINI_MARGIN
    limit = (best + slack) * half
    found = -1
    for i in range(place.start, first - 1):
        low = words[feature, np.uintp(i)]
        step = weight_of(counter, low)
        left += step
        balance += step * (label_of(counter, low) * total - ones)
    for i in range(first, last + 1):
        low = words[feature, np.uintp(i - 1)]
        step = weight_of(counter, low)
        left += step
        balance += step * (label_of(counter, low) * total - ones)
        square = np.float64(balance) * np.float64(balance)
        if square > limit * np.float64(left * (total - left)) and separates(columns, feature, i):
            counts[LEFT, 1] = (balance + ones * left) // total
            counts[LEFT, 0] = left - counts[LEFT, 1]
            value = judge(counter, place, left, total - left)
            if value > best:
                best, found = value, i
                limit = (best + slack) * half
    return best, found


@kernel
def judge(counter, place, left, right):
    """The exact value of a split, whose left side is counted; -inf if a side is too light."""
    counts = counter.counts
    if left < place.lightest or right < place.lightest:
        return -np.inf
    for c in range(counts.shape[1]):
        counts[RIGHT, c] = counts[NODE, c] - counts[LEFT, c]
    return exact_value(counter, np.float64(left), np.float64(right))


@kernel
def scan_many(columns, counter, place, first, last, weight, left, best):
    """Any number of classes, gini."""
    words, feature, counts = columns.words, place.feature, counter.counts
    total = np.int64(weight)
    squares_left, squares_right = 0, 0
    for c in range(counts.shape[1]):
        squares_left += counts[LEFT, c] * counts[LEFT, c]
        squares_right += counts[RIGHT, c] * counts[RIGHT, c]
    slack = weight - weight * GINI_MARGIN
    limit = best + slack
    found = -1
    for i in range(place.start + 1, last + 1):
        low = words[feature, np.uintp(i - 1)]
        label, step = label_of(counter, low), weight_of(counter, low)
        on_left, on_right = counts[LEFT, label], counts[RIGHT, label]
        counts[LEFT, label], counts[RIGHT, label] = on_left + step, on_right - step
        squares_left += step * (2 * on_left + step)
        squares_right -= step * (2 * on_right - step)
        left += step
        right = np.float64(total - left)
        score = np.float64(squares_left) * right + np.float64(squares_right) * np.float64(left)
        if score > limit * (np.float64(left) * right) and i >= first and separates(columns, feature, i):
            value = judge(counter, place, left, total - left)
            if value > best:
                best, found = value, i
                limit = best + slack
    return best, found


@kernel
def scan_entropy(columns, counter, place, first, last, weight, left, best):
    """Any number of classes, entropy."""
    words, feature, counts, x = columns.words, place.feature, counter.counts, counter.x_log_x
    n_classes, total = counts.shape[1], np.int64(weight)
    score = 0
    for c in range(n_classes):
        score += x[counts[LEFT, c]] + x[counts[RIGHT, c]]
    margin = (n_classes + 1) * (2.0**-28 + 2.0**-40 * weight)
    limit = fixed_limit(best, margin)
    found = -1
    for i in range(place.start + 1, last + 1):
        low = words[feature, np.uintp(i - 1)]
        label, step = label_of(counter, low), weight_of(counter, low)
        on_left, on_right = np.uintp(counts[LEFT, label]), np.uintp(counts[RIGHT, label])
        counts[LEFT, label], counts[RIGHT, label] = on_left + step, on_right - step
        score += x[on_left + np.uintp(step)] - x[on_left] + x[on_right - np.uintp(step)] - x[on_right]
        left += step
        if score - x[left] - x[total - left] > limit and i >= first and separates(columns, feature, i):
            value = judge(counter, place, left, total - left)
            if value > best:
                best, found = value, i
                limit = fixed_limit(best, margin)
    return best, found


@kernel
def fixed_limit(best, margin):
    """The score in fixed point below which a split cannot be better than ``best``."""
    return np.int64(max(best * LN2 - margin, -LARGEST_SCORE) * SCALE)
