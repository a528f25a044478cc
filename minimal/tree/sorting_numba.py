"""Sort values, and the samples they belong to along with them, by scikit-learn's introsort.

Equal values come out in an order that depends on every swap on the way, and that order shows in the last bit of sums over
the samples.  So the swaps are those of ``simultaneous_sort`` in scikit-learn 1.9.1 (three-way): quicksort around the median
of the first, middle and last value, [< pivot | = pivot | > pivot]; insertion sort for at most 15 values; heapsort where
quicksort has cut 2 log2(n) times (Musser, 1997).
"""

from __future__ import annotations

import numpy as np

from minimal.tree.splitting_numba import allocating, at, inlined, kernel

SMALL = 15
ROOM = 2 * 64  # a stretch is cut at most 2 log2(n) times


@inlined
def sort_together(values, items, start, end):
    """Sort values[start:end], and items[start:end] along with them.  The values must not be NaN."""
    if end - start <= SMALL:
        insertion_sort(values, items, start, end)
    else:
        quicksort(values, items, start, end)


@allocating
def quicksort(values, items, start, end):
    """Sort more than ``SMALL`` values.

    The stretches right of a pivot wait on a stack while those left of it are sorted; which of them comes first does not
    matter, they are apart.
    """
    waiting = np.empty((ROOM, 3), dtype=np.int64)
    n_waiting = 0
    n_cuts = 2 * floor_log2(end - start)
    while True:
        while end - start > SMALL and n_cuts > 0:
            n_cuts -= 1
            left, right = partition(values, items, start, end)
            waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2] = right, end, n_cuts
            n_waiting += 1
            end = left
        if end - start > SMALL:
            heapsort(values, items, start, end)
        else:
            insertion_sort(values, items, start, end)
        if n_waiting == 0:
            return
        n_waiting -= 1
        start, end, n_cuts = waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2]


@kernel
def floor_log2(n):
    """The largest k with 2**k <= n."""
    k = 0
    while n > 1:
        n >>= 1
        k += 1
    return k


@inlined
def swap(values, items, i, j):
    """Exchange two entries."""
    values[at(i)], values[at(j)] = values[at(j)], values[at(i)]
    items[at(i)], items[at(j)] = items[at(j)], items[at(i)]


@inlined
def median_of_three(a, b, c):
    """The value in the middle."""
    if a < b:
        if b < c:
            return b
        return c if a < c else a
    if b < c:
        return a if a < c else c
    return b


@kernel
def partition(values, items, start, end):
    """Cut a stretch into [start, left) < pivot, [left, right) = pivot and [right, end) > pivot: left and right."""
    pivot = median_of_three(values[at(start)], values[at(start + (end - start) // 2)], values[at(end - 1)])
    i = left = start
    right = end
    while i < right:
        value = values[at(i)]
        if value < pivot:
            swap(values, items, i, left)
            i += 1
            left += 1
        elif value > pivot:
            right -= 1
            swap(values, items, i, right)
        else:
            i += 1
    return left, right


@kernel
def insertion_sort(values, items, start, end):
    """Move each entry in front of all larger ones; equal ones keep their order."""
    for i in range(start + 1, end):
        value, item = values[at(i)], items[at(i)]
        j = i
        while j > start and values[at(j - 1)] > value:
            values[at(j)], items[at(j)] = values[at(j - 1)], items[at(j - 1)]
            j -= 1
        values[at(j)], items[at(j)] = value, item


@kernel
def heapsort(values, items, start, end):
    """Heapify, then move the largest behind the others, one after the other."""
    for root in range((end - start - 2) // 2, -1, -1):
        sink(values, items, start, end, root)
    for last in range(end - 1, start, -1):
        swap(values, items, start, last)
        sink(values, items, start, last, 0)


@kernel
def sink(values, items, start, end, root):
    """Let the entry at ``start + root`` sink below its larger children; of two equal children the left one rises."""
    n = end - start
    while True:
        child, largest = 2 * root + 1, root
        if child < n and values[at(start + largest)] < values[at(start + child)]:
            largest = child
        if child + 1 < n and values[at(start + largest)] < values[at(start + child + 1)]:
            largest = child + 1
        if largest == root:
            return
        swap(values, items, start + root, start + largest)
        root = largest
