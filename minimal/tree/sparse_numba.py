"""The samples of a node, arranged by a feature: sparse data, by columns (CSC).

Of a sparse column only the stored values are looked at.  The node's samples are arranged as

    [start, zeros)        negative values, gathered
    [zeros, positives)    zeros
    [positives, end)      positive values, gathered

and only both ends are sorted.  To find the stored values of the node, either every stored value of the column is asked
whether its sample is in the node, or every sample of the node (sorted once a node) is searched for in the column, whichever
is less work.  The order in which samples end up is scikit-learn's (``SparsePartitioner``, 1.9.1), swap for swap.
"""

from __future__ import annotations

from math import log2
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.tree.dense_numba import (
    SAME,
    begin_node,
    cut_at,
    cut_by,
    extremes,
    next_cut,
    put_missing_first,
    sort_by,
)
from minimal.tree.sorting_numba import sort_together
from minimal.tree.splitting_numba import allocating, answers, inlined

ZEROS, POSITIVES, IS_SORTED = range(3)  # in Sparse.state
SEARCH_BELOW = np.float32(0.1)  # search when that costs less than this share of looking at every stored value


class Sparse(NamedTuple):
    """The arrays of a CSC matrix, the tree's samples, values[p] of sample samples[p], and the place p of each sample.

    ``place`` is -1 for samples that take no part; ``sorted`` has the node's samples in ascending order.
    """

    data: NDArray[np.float32]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]
    samples: NDArray[np.int64]
    values: NDArray[np.float32]
    place: NDArray[np.int64]
    sorted: NDArray[np.int64]
    state: NDArray[np.int64]


def new_sparse(X: Any, samples: NDArray[np.int64], values: NDArray[np.float32]) -> Sparse:
    """The samples of a tree before its first node."""
    place = np.full(X.shape[0], -1, dtype=np.int64)
    place[samples] = np.arange(len(samples))
    data, indices, indptr = (as_kernel_input(array) for array in (X.data, X.indices, X.indptr))
    state = np.zeros(3, dtype=np.int64)
    return Sparse(data, indices, indptr, samples, values, place, np.empty_like(samples), state)


@answers(begin_node, Sparse)
def begin_sparse_node(data, start, end):
    data.state[IS_SORTED] = 0


@inlined
def gather(data, feature, start, end):
    """Arrange the node as the module's heading shows."""
    data.state[ZEROS], data.state[POSITIVES] = start, end
    first, last = data.indptr[feature], data.indptr[feature + 1]
    n_samples, n_stored = end - start, last - first
    search = n_samples * (log2(n_stored) if n_stored > 0 else -np.inf)
    sort = (1 - data.state[IS_SORTED]) * n_samples * log2(n_samples)
    if sort + search < SEARCH_BELOW * np.float32(n_stored):
        search_node(data, start, end, first, last)
    else:
        for k in range(first, last):
            if start <= data.place[data.indices[k]] < end:
                place_value(data, k)


@inlined
def place_value(data, k):
    """Swap the sample of the k-th stored value to its side."""
    value, state = data.data[k], data.state
    if value > 0:
        state[POSITIVES] -= 1
        put(data, k, state[POSITIVES])
    elif value < 0:
        put(data, k, state[ZEROS])
        state[ZEROS] += 1


@inlined
def put(data, k, p):
    """Swap the sample of the k-th stored value to place p."""
    data.values[p] = data.data[k]
    swap_samples(data, data.place[data.indices[k]], p)


@inlined
def swap_samples(data, p, q):
    """Exchange two samples, and remember their places."""
    samples, place = data.samples, data.place
    samples[p], samples[q] = samples[q], samples[p]
    place[samples[p]] = p
    place[samples[q]] = q


@allocating
def sort_range(values, start, end):
    """Sort values[start:end]."""
    values[start:end].sort()


@inlined
def search_node(data, start, end, first, last):
    """Look for each sample of the node among the stored values [first, last), both in ascending order."""
    indices, ordered = data.indices, data.sorted
    if not data.state[IS_SORTED]:
        for p in range(start, end):
            ordered[p] = data.samples[p]
        sort_range(ordered, start, end)
        data.state[IS_SORTED] = 1
    for p in range(start, end):
        high = last
        while first < high:
            middle = first + (high - first) // 2
            if indices[middle] < ordered[p]:
                first = middle + 1
            else:
                high = middle
        if first == last:
            return
        if indices[first] == ordered[p]:
            place_value(data, first)
            first += 1


@answers(sort_by, Sparse)
def sort_sparse_by(data, feature, start, end):
    gather(data, feature, start, end)
    samples, values, state = data.samples, data.values, data.state
    for first, last in ((start, state[ZEROS]), (state[POSITIVES], end)):
        sort_together(values, samples, first, last)
        for p in range(first, last):
            data.place[samples[p]] = p
    if state[ZEROS] < state[POSITIVES]:  # the zeros stand for themselves at both of their ends
        state[POSITIVES] -= 1
        values[state[POSITIVES]] = 0.0
        if state[ZEROS] != state[POSITIVES]:
            values[state[ZEROS]] = 0.0
            state[ZEROS] += 1
    return 0


@answers(put_missing_first, Sparse)
def put_missing_first_sparse(data, start, end, n_missing):
    pass  # sparse data have no missing values


@answers(next_cut, Sparse)
def next_sparse_cut(data, p, start, end, n_missing, missing_left):
    values = data.values
    following = after(data, p)
    while following < end and values[following] <= values[p] + SAME:
        p = following
        following = after(data, p)
    return p, following


@inlined
def after(data, p):
    """The next place that has a value: all zeros but two are skipped."""
    return p + 1 if p + 1 != data.state[ZEROS] else data.state[POSITIVES]


@answers(extremes, Sparse)
def sparse_extremes(data, feature, start, end):
    gather(data, feature, start, end)
    values, zeros, positives = data.values, data.state[ZEROS], data.state[POSITIVES]
    low = high = np.float32(0.0) if zeros != positives else values[start]
    for first, last in ((start, zeros), (positives, end)):
        for p in range(first, last):
            if values[p] < low:
                low = values[p]
            elif values[p] > high:
                high = values[p]
    return low, high, 0


@answers(cut_at, Sparse)
def cut_sparse_at(data, threshold, missing_left, start, end):
    values = data.values
    if threshold < 0.0:
        p, last = start, data.state[ZEROS]
    elif threshold > 0.0:
        p, last = data.state[POSITIVES], end
    else:
        return data.state[POSITIVES]
    while p < last:
        if values[p] <= threshold:
            p += 1
        else:
            last -= 1
            values[p], values[last] = values[last], values[p]
            swap_samples(data, p, last)
    return last


@answers(cut_by, Sparse)
def cut_sparse_by(data, feature, threshold, missing_left, start, end):
    gather(data, feature, start, end)
    cut_at(data, threshold, missing_left, start, end)
