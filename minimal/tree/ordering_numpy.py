"""In which order the samples of a node stand: sorted by a feature, then cut in two.

Sums of floats depend on the order of their terms in the last bit, and the last bit decides between equally good splits.  So
where sums are rounded, samples must stand as they do in the reference: equal values as its introsort leaves them, the two
sides of a split as its swaps leave them.  Where all sums are exact (whole numbers), any order gives the same tree, and a
stable sort does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL = 15  # up to so many entries are sorted by insertion, which is stable


def sorting_order(values: NDArray[np.floating], like_the_reference: bool) -> NDArray[np.int64]:
    """The permutation that sorts ``values``, of shape (n,), without NaN.

    ``like_the_reference`` asks for the places that the reference's sort gives to equal values.
    """
    order = np.argsort(values, kind="stable")
    sorted_values = values[order]
    has_ties = bool((sorted_values[1:] == sorted_values[:-1]).any())
    return introsort(values) if like_the_reference and has_ties and len(values) > SMALL else order


def halves_order(goes_left: NDArray[np.bool_], like_the_reference: bool) -> NDArray[np.int64]:
    """The permutation that brings those that go left to the front.

    The reference swaps the first that does not belong there with the last that has not been looked at.
    """
    if not like_the_reference:
        return np.argsort(~goes_left, kind="stable")
    left, order = goes_left.tolist(), list(range(len(goes_left)))
    i, end = 0, len(left)
    while i < end:
        if left[i]:
            i += 1
        else:
            end -= 1
            left[i], left[end] = left[end], left[i]
            order[i], order[end] = order[end], order[i]
    return np.array(order, dtype=np.int64)


def missing_last_order(is_missing: NDArray[np.bool_], like_the_reference: bool) -> NDArray[np.int64]:
    """The permutation that brings missing values to the end: each is swapped with the last one that is not missing."""
    if not like_the_reference:
        return np.argsort(is_missing, kind="stable")
    missing, order = is_missing.tolist(), list(range(len(is_missing)))
    i, last = 0, len(missing) - 1
    while i <= last:
        if missing[last]:
            last -= 1
        else:
            if missing[i]:
                missing[i], missing[last] = missing[last], missing[i]
                order[i], order[last] = order[last], order[i]
                last -= 1
            i += 1
    return np.array(order, dtype=np.int64)


def introsort(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """The permutation by which scikit-learn 1.9.1 (``simultaneous_sort``, three-way) sorts.

    Quicksort around the median of the first, middle and last value: [< pivot | = pivot | > pivot].  Insertion sort for short
    stretches; heapsort for those that 2 log2(n) cuts have not made short (Musser, 1997).
    """
    v, order = values.tolist(), list(range(len(values)))
    stretches = [(0, len(v), 2 * (len(v).bit_length() - 1))]
    while stretches:
        start, end, cuts_left = stretches.pop()
        if end - start <= SMALL:
            _rearrange(v, order, start, sorted(range(start, end), key=v.__getitem__))
        elif cuts_left == 0:
            _heapsort(v, order, start, end)
        else:
            low, high = _cut_in_three(v, order, start, end)
            stretches += [(start, low, cuts_left - 1), (high, end, cuts_left - 1)]
    return np.array(order, dtype=np.int64)


def _rearrange(v: list[float], order: list[int], start: int, places: list[int]) -> None:
    end = start + len(places)
    v[start:end], order[start:end] = [v[i] for i in places], [order[i] for i in places]


def _swap(v: list[float], order: list[int], i: int, j: int) -> None:
    v[i], v[j] = v[j], v[i]
    order[i], order[j] = order[j], order[i]


def _cut_in_three(v: list[float], order: list[int], start: int, end: int) -> tuple[int, int]:
    """Bring what is below the pivot to the front and what is above it to the end; where the middle begins and ends."""
    pivot = sorted([v[start], v[start + (end - start) // 2], v[end - 1]])[1]
    i, low, high = start, start, end
    while i < high:
        if v[i] < pivot:
            _swap(v, order, i, low)
            i, low = i + 1, low + 1
        elif v[i] > pivot:
            high -= 1
            _swap(v, order, i, high)
        else:
            i += 1
    return low, high


def _heapsort(v: list[float], order: list[int], start: int, end: int) -> None:
    def sink(root: int, n: int) -> None:
        while True:
            largest = root
            for child in (2 * root + 1, 2 * root + 2):
                if child < n and v[start + largest] < v[start + child]:
                    largest = child
            if largest == root:
                return
            _swap(v, order, start + root, start + largest)
            root = largest

    n = end - start
    for root in range((n - 2) // 2, -1, -1):
        sink(root, n)
    for last in range(n - 1, 0, -1):
        _swap(v, order, start, start + last)
        sink(0, last)
