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

Gini scans go further: they look at blocks of entries at once.  q - S / W = sum(d**2) / (W w_left w_right) with one
d = W left[c] - N[c] w_left a class.  Inside a block that holds own[c] of each class, d can only lie between its value before
the block minus (sum(own) - own[c]) N[c] and plus own[c] (W - N[c]), whatever the order; and w_left w_right is least at an
end.  Where that bound stays below the limit, the whole block is left behind.
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
BLOCK = 16  # entries
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


@inlined
def gini_value(squares_left, squares_right, left, right):
    """The exact value of a split from the sums of squared counts (integers, so the order of adding them is no matter)."""
    impurity_right = 1.0 - np.float64(squares_right) / (right * right)
    return -right * impurity_right - left * (1.0 - np.float64(squares_left) / (left * left))


# ------------------------------------------------------------ scans


@kernel
def scan(columns, counter, place, weight, best):
    """The first split of a range with the largest exact value above ``best``: (value, i), or (best, -1) if there is none.

    ``place`` is the :class:`Range`, ``weight`` the node's.  The known values [start, i) go left.
    """
    first = max(place.start + 1, place.start + place.smallest - place.n_missing_left)
    last = min(place.stop if place.may_isolate else place.stop - 1, place.end - place.n_missing_left - place.smallest)
    if first > last:
        return best, -1
    left = count_left(columns, counter, place)
    if len(counter.x_log_x) > 0:
        return scan_entropy(columns, counter, place, first, last, weight, left, best)
    if counter.counts.shape[1] == 2:
        return scan_two(columns, counter, place, first, last, weight, left, best)
    return scan_many(columns, counter, place, first, last, weight, left, best)


@kernel
def count_left(columns, counter, place):
    """Count what goes left before the first known value, and return its weight."""
    counts, left = counter.counts, 0
    for c in range(counts.shape[1]):
        counts[LEFT, c] = 0
    for i in range(place.end - place.n_missing_left, place.end):
        low = columns.words[place.feature, i]
        step = weight_of(counter, low)
        counts[LEFT, label_of(counter, low)] += step
        left += step
    return left


@inlined
def separates(values, feature, i):
    """Are the values at i and behind it different?  A missing value differs from every other."""
    return not values[feature, 2 * i + np.uintp(VALUE + 2)] <= values[feature, 2 * i + np.uintp(VALUE)] + SAME


@kernel
def entropy_value(counter, left, right):
    """The exact value of a split whose left side is counted."""
    counts = counter.counts
    for c in range(counts.shape[1]):
        counts[RIGHT, c] = counts[NODE, c] - counts[LEFT, c]
    return -right * entropy(counts, RIGHT, right) - left * entropy(counts, LEFT, left)


@inlined
def is_heavy(place, left, right):
    """Is no side too light?"""
    return left >= place.lightest and right >= place.lightest


@inlined
def tally(columns, counter, feature, i):
    """The weights of the classes in the ``BLOCK`` entries from i on, eight bits each."""
    packed = np.uint64(0)
    for j in range(np.uintp(BLOCK)):
        low = columns.words[feature, i + j]
        packed += np.uint64(weight_of(counter, low)) << (np.uint64(label_of(counter, low)) << np.uint64(3))
    return packed


@inlined
def least_product(left, inside, weight):
    """The least w_left * w_right behind any entry of a block of this weight: it is concave, so at an end."""
    return min((left + 1.0) * (weight - left - 1.0), (left + inside) * (weight - left - inside))


@kernel
def scan_two(columns, counter, place, first, last, weight, left, best):
    """Two classes, gini.  The test is d**2 > limit * w_left * w_right; see the module's text, times W / 2."""
    words, values, feature, counts = columns.words, columns.values, place.feature, counter.counts
    zeros, ones = counts[NODE, 0], counts[NODE, 1]
    total = zeros + ones
    difference = counts[LEFT, 1] * total - ones * left
    half, slack = 0.5 * weight, np.float64(zeros * ones) - 0.5 * GINI_MARGIN * weight * weight
    limit, found = best * half + slack, -1
    leap = can_leap(counter, place)
    i, end = np.uintp(place.start), np.uintp(last)
    while i < end:
        if leap and i + np.uintp(BLOCK) <= end:
            packed = tally(columns, counter, feature, i)
            zeros_inside, ones_inside = np.int64(packed & np.uint64(255)), np.int64(packed >> np.uint64(8))
            inside = zeros_inside + ones_inside
            largest = np.float64(max(abs(difference + ones_inside * zeros), abs(difference - zeros_inside * ones)))
            if largest * largest <= limit * least_product(np.float64(left), np.float64(inside), weight):
                difference += ones_inside * zeros - zeros_inside * ones
                left += inside
                i += np.uintp(BLOCK)
                continue
        stop = min(i + np.uintp(4 * BLOCK), end)
        while i < stop:
            step = weight_of(counter, words[feature, i])
            left += step
            difference += step * (label_of(counter, words[feature, i]) * total - ones)
            square = np.float64(difference) * np.float64(difference)
            i += np.uintp(1)
            if square <= limit * np.float64(left * (total - left)):
                continue
            right = total - left
            if i >= np.uintp(first) and separates(values, feature, i - np.uintp(1)) and is_heavy(place, left, right):
                ones_left = (difference + ones * left) // total
                zeros_left = left - ones_left
                squares_left = zeros_left * zeros_left + ones_left * ones_left
                squares_right = (zeros - zeros_left) * (zeros - zeros_left) + (ones - ones_left) * (ones - ones_left)
                value = gini_value(squares_left, squares_right, np.float64(left), np.float64(right))
                if value > best:
                    best, found = value, np.int64(i)  # type: ignore[assignment]
                    limit = best * half + slack
    return best, found


@inlined
def can_leap(counter, place):
    """Is it worth and possible to look at whole blocks?  Eight bits must hold the weight of a class in a block."""
    return (
        place.stop - place.start >= 8 * BLOCK
        and counter.counts.shape[1] <= 8
        and (counter.weight_mask + 1) * BLOCK < 256
    )


@kernel
def scan_many(columns, counter, place, first, last, weight, left, best):
    """Any number of classes, gini.  The right side's sum of squares is sum((node - left)**2), multiplied out."""
    words, values, feature, counts = columns.words, columns.values, place.feature, counter.counts
    squares, crossed, squares_left = 0, 0, 0
    for c in range(counts.shape[1]):
        squares += counts[NODE, c] * counts[NODE, c]
        crossed += counts[NODE, c] * counts[LEFT, c]
        squares_left += counts[LEFT, c] * counts[LEFT, c]
    slack = weight - GINI_MARGIN * weight
    limit, found = best + slack, -1
    leap = can_leap(counter, place)
    i, end = np.uintp(place.start), np.uintp(last)
    while i < end:
        if leap and i + np.uintp(BLOCK) <= end:
            packed = tally(columns, counter, feature, i)
            if is_hopeless(counter, packed, np.float64(left), weight, limit * weight - squares):
                for c in range(counts.shape[1]):
                    inside = np.int64(packed >> np.uint64(8 * c) & np.uint64(255))
                    squares_left += inside * (2 * counts[LEFT, c] + inside)
                    crossed += inside * counts[NODE, c]
                    counts[LEFT, c] += inside
                    left += inside
                i += np.uintp(BLOCK)
                continue
        stop = min(i + np.uintp(4 * BLOCK), end)
        while i < stop:
            label, step = label_of(counter, words[feature, i]), weight_of(counter, words[feature, i])
            before = counts[LEFT, label]
            counts[LEFT, label] = before + step
            squares_left += step * (before + before + step)
            crossed += step * counts[NODE, label]
            left += step
            i += np.uintp(1)
            if separates(values, feature, i - np.uintp(1)):
                w_left, w_right = np.float64(left), weight - np.float64(left)
                squares_right = squares - 2 * crossed + squares_left
                score = np.float64(squares_left) * w_right + np.float64(squares_right) * w_left
                if score > limit * (w_left * w_right) and i >= np.uintp(first) and is_heavy(place, w_left, w_right):
                    value = gini_value(squares_left, squares_right, w_left, w_right)
                    if value > best:
                        best, found = value, np.int64(i)  # type: ignore[assignment]
                        limit = best + slack
    return best, found


@kernel
def is_hopeless(counter, packed, left, weight, limit):
    """Can no split inside a block pass the test?"""
    counts, inside, largest = counter.counts, 0.0, 0.0
    for c in range(counts.shape[1]):
        inside += np.float64(packed >> np.uint64(8 * c) & np.uint64(255))
    for c in range(counts.shape[1]):
        own, total = np.float64(packed >> np.uint64(8 * c) & np.uint64(255)), np.float64(counts[NODE, c])
        now = weight * np.float64(counts[LEFT, c]) - total * left
        furthest = max(abs(now + own * (weight - total)), abs(now - (inside - own) * total))
        largest += furthest * furthest
    return largest <= limit * least_product(left, inside, weight)


@kernel
def scan_entropy(columns, counter, place, first, last, weight, left, best):
    """Any number of classes, entropy."""
    words, values, feature, counts, x = columns.words, columns.values, place.feature, counter.counts, counter.x_log_x
    n_classes, total = counts.shape[1], np.int64(weight)
    score = 0
    for c in range(n_classes):
        score += x[counts[LEFT, c]] + x[counts[NODE, c] - counts[LEFT, c]]
    margin = (n_classes + 1) * (2.0**-28 + 2.0**-40 * weight)
    limit, found = fixed_limit(best, margin), -1
    for i in range(np.uintp(place.start), np.uintp(last)):
        label, step = label_of(counter, words[feature, i]), weight_of(counter, words[feature, i])
        before = counts[LEFT, label]
        after, right = before + step, counts[NODE, label] - before
        counts[LEFT, label] = after
        score += x[np.uintp(after)] - x[np.uintp(before)] + x[np.uintp(right - step)] - x[np.uintp(right)]
        left += step
        if separates(values, feature, i):
            q = score - x[np.uintp(left)] - x[np.uintp(total - left)]
            if q > limit and i + np.uintp(1) >= np.uintp(first) and is_heavy(place, left, total - left):
                value = entropy_value(counter, np.float64(left), np.float64(total - left))
                if value > best:
                    best, found = value, np.int64(i) + 1  # type: ignore[assignment]
                    limit = fixed_limit(best, margin)
    return best, found


@kernel
def fixed_limit(best, margin):
    """The score in fixed point below which a split cannot be better than ``best``."""
    return np.int64(max(best * LN2 - margin, -LARGEST_SCORE) * SCALE)
