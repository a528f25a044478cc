"""The samples of a node, arranged by a feature: dense data.

Arranging is what a splitter without presorted columns does all day: gather a feature's values in the node, sort samples by
them, cut the node in two.  The order in which samples end up is scikit-learn's (``DensePartitioner``, 1.9.1), swap for swap.

Missing values stand behind all others when the split sends them right, before all others when it sends them left.
"""

from __future__ import annotations

from math import inf, isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.sorting_numba import sort_together, swap
from minimal.tree.splitting_numba import answers, at, inlined

SAME = np.float32(1e-7)  # neighbours that differ by no more are one value


class Dense(NamedTuple):
    """Columns of shape (n_features, n_samples), the tree's samples, and values[p] of sample samples[p]."""

    columns: NDArray[np.float32]
    missing: NDArray[np.bool_]
    samples: NDArray[np.int64]
    values: NDArray[np.float32]
    spare_samples: NDArray[np.int64]


# ------------------------------------------------------------ the questions


def begin_node(data: Any, start: int, end: int) -> None:
    """A new node, samples[start:end]."""
    raise NotImplementedError


def sort_by(data: Any, feature: int, start: int, end: int) -> int:
    """Sort the node's samples by a feature, missing values last, and return how many are missing."""
    raise NotImplementedError


def put_missing_first(data: Any, start: int, end: int, n_missing: int) -> None:
    """Move the missing values from behind the others before them."""
    raise NotImplementedError


def next_cut(data: Any, p: int, start: int, end: int, n_missing: int, missing_left: bool) -> tuple[int, int]:
    """The places of the two neighbours that the next cut after ``p`` separates; the second is ``end`` at the end."""
    raise NotImplementedError


def extremes(data: Any, feature: int, start: int, end: int) -> tuple[float, float, int]:
    """Gather a feature's values: the smallest, the largest, and how many are missing."""
    raise NotImplementedError


def cut_at(data: Any, threshold: float, missing_left: bool, start: int, end: int) -> int:
    """Move the samples whose gathered value is at most the threshold to the front, and return where the others begin."""
    raise NotImplementedError


def cut_by(data: Any, feature: int, threshold: float, missing_left: bool, start: int, end: int) -> None:
    """The same for any feature."""
    raise NotImplementedError


# ------------------------------------------------------------ the answers


@answers(begin_node, Dense)
def begin_dense_node(data, start, end):
    pass


@answers(sort_by, Dense)
def sort_dense_by(data, feature, start, end):
    columns, samples, values = data.columns, data.samples, data.values
    known_end = end
    if data.missing[feature]:
        known_end = gather_known(data, feature, start, end)
    else:
        for p in range(start, end):
            values[at(p)] = columns[at(feature), at(samples[at(p)])]
    sort_together(values, samples, start, known_end)
    return end - known_end


@inlined
def gather_known(data, feature, start, end):
    """Gather values, and swap samples without one to the end; returns where they begin."""
    columns, samples, values = data.columns, data.samples, data.values
    p, last = start, end - 1
    while p <= last:
        if isnan(columns[feature, samples[last]]):
            last -= 1
            continue
        if isnan(columns[feature, samples[p]]):
            samples[p], samples[last] = samples[last], samples[p]
            last -= 1
        values[p] = columns[feature, samples[p]]
        p += 1
    return last + 1


@answers(put_missing_first, Dense)
def put_missing_first_dense(data, start, end, n_missing):
    samples, values, spare = data.samples, data.values, data.spare_samples
    for i in range(n_missing):
        spare[i] = samples[end - n_missing + i]
    for p in range(end - 1, start + n_missing - 1, -1):
        samples[p], values[p] = samples[p - n_missing], values[p - n_missing]
    for i in range(n_missing):
        samples[start + i] = spare[i]


@answers(next_cut, Dense)
def next_dense_cut(data, p, start, end, n_missing, missing_left):
    values = data.values
    known_end = end
    if missing_left:
        if p == start:
            p += n_missing
    else:
        known_end -= n_missing
        if p == known_end:
            return end, end
    p += 1
    while p < known_end and values[at(p)] <= values[at(p - 1)] + SAME:
        p += 1
    return p - 1, p


@answers(extremes, Dense)
def dense_extremes(data, feature, start, end):
    columns, samples, values = data.columns, data.samples, data.values
    low, high, n_missing = np.float32(inf), np.float32(-inf), 0
    for p in range(start, end):
        value = columns[at(feature), at(samples[at(p)])]
        values[at(p)] = value
        if isnan(value):
            n_missing += 1
        elif p - start == n_missing:  # the first
            low = high = value
        elif value < low:
            low = value
        elif value > high:
            high = value
    return low, high, n_missing


@answers(cut_at, Dense)
def cut_dense_at(data, threshold, missing_left, start, end):
    values = data.values
    while start < end:
        if missing_left if isnan(values[start]) else values[start] <= threshold:
            start += 1
        else:
            end -= 1
            swap(values, data.samples, start, end)
    return end


@answers(cut_by, Dense)
def cut_dense_by(data, feature, threshold, missing_left, start, end):
    columns, samples = data.columns, data.samples
    while start < end:
        value = columns[feature, samples[start]]
        if missing_left if isnan(value) else value <= threshold:
            start += 1
        else:
            end -= 1
            samples[start], samples[end] = samples[end], samples[start]
