"""Scan the bins of two classes for the best Gini split: score all at once, then judge the few that can be the best.

The proof that leaving out the others changes nothing is that of :mod:`~minimal.tree.counting_scan_numba`: with the node's
weight W, of which ``ones`` belongs to the second class, its sum of squares S, and

    lean = W left[1] - ones w_left,        score = lean**2 / (w_left w_right),

the exact value of a split is in truth 2 score / W + S / W - W, and lean is an integer below 2**52.  A score carries two
roundings, so a margin of GINI_MARGIN * W in the exact value, GINI_MARGIN * W**2 / 2 in the score, covers what the exact
formula and the score round.  Scores do not depend on each other, so that the processor computes several at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from minimal.tree.counting_scan_numba import GINI_MARGIN
from minimal.tree.drawn_sorting_numba import SAME
from minimal.tree.splitting_numba import inlined

MASK = np.uint64(2**21 - 1)
LARGEST_IN_BINS = 2**21  # the total weight must stay below


@inlined
def n_of(sums):
    return np.int64(sums & MASK)


@inlined
def weight_of_sums(sums):
    return np.float64(np.int64((sums >> np.uint64(21)) & MASK))


@inlined
def ones_of(sums):
    return np.float64(np.int64(sums >> np.uint64(42)))


@inlined
def scan_bins(bins, n_bins, is_apart, rules, best):
    """The first split with the largest exact value above ``best``: (value, k), bins [0, k] left, or (best, -1)."""
    sums, score = bins.sums, bins.score
    node = sums[n_bins - 1]
    weight, ones = weight_of_sums(node), ones_of(node)
    first, last = 0, n_bins - 1
    while first < last and not is_enough(sums[first], rules):
        first += 1
    while first < last and not is_enough(node - sums[last - 1], rules):
        last -= 1
    top = score_bins(bins, first, last, is_apart, weight, ones)
    half, slack = 0.5 * weight, weight * GINI_MARGIN
    base = weight - ((weight - ones) ** 2 + ones**2) / weight
    limit = max((best + base - slack) * half, top - slack * half)
    found = -1
    if top < 0.0 or top < limit:
        return best, found
    for k in range(first, last):
        if score[np.uintp(k)] >= limit:
            left, left_ones = weight_of_sums(sums[k]), ones_of(sums[k])
            right = weight - left
            value = -right * gini_of_two(ones - left_ones, right) - left * gini_of_two(left_ones, left)
            if value > best:
                best, found = value, k
    return best, found


@inlined
def is_enough(sums, rules):
    """May a child be as small and as light as this?"""
    return n_of(sums) >= rules.min_samples_leaf and weight_of_sums(sums) >= rules.min_weight_leaf


@inlined
def gini_of_two(ones, weight):
    """The reference's formula."""
    zeros = weight - ones
    return 1.0 - (zeros * zeros + ones * ones) / (weight * weight)


@njit(nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def score_bins(bins, first, last, is_apart, weight, ones):
    """Score the splits behind the bins [first, last) and return the best score; -1 where the values do not differ.

    No value here is NaN or a negative zero, which the flags (for the maximum) take for granted.
    """
    sums, score, value = bins.sums, bins.score, bins.value
    top = -1.0
    for k in range(np.uintp(first), np.uintp(last)):
        left = np.float64(np.int32((sums[k] >> np.uint64(21)) & MASK))
        lean = np.float64(np.int32(sums[k] >> np.uint64(42))) * weight - ones * left
        here = lean * lean / (left * (weight - left))
        differs = is_apart | (value[k + np.uintp(1)] > value[k] + SAME)
        here = here if differs else -1.0
        score[k] = here
        top = here if here > top else top
    return top
