"""Operations that put numbers in order or select one by its rank: each gradient goes back to where its number came from.

All of them give (values, indices).  Order is NumPy's and PyTorch's: NaN counts as the largest, equal numbers keep their
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation
from minimal.autograd.operations.indexing import SliceBack, along


def order_of(x: np.ndarray, axis: int, descending: bool = False) -> np.ndarray:
    """Where the smallest (largest) stands, the next one, and so on; equal numbers as they come."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    # Read backwards twice: once for the order, once so that equal numbers keep theirs.
    order = np.argsort(np.flip(x, axis), axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - order, axis)


def ranked(x: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Where numbers stand such that the one at ``rank`` is in its place, lower ones before it and higher ones after."""
    return np.argpartition(x, rank, axis)


def part_of(x: np.ndarray, axis: int, part: slice) -> np.ndarray:
    """Some places along an axis."""
    return x[(slice(None),) * axis + (part,)]


class Selection(Operation):
    """values = x[indices] along an axis, no x twice, so g goes back to the same places.

    A subclass says which ``indices``; with ``keepdim`` False, there is one along the axis, which is left out.
    """

    keeps = ("place",)

    def forward(self, x: Any, axis: int, keepdim: bool, *rule: Any) -> Any:
        index = self.indices(x, axis, *rule)
        self.shape, self.place, self.dropped = x.shape, along(index, axis), None if keepdim else axis
        values = x[self.place]
        return (values, index) if keepdim else (values.squeeze(axis), index.squeeze(axis))

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        raise NotImplementedError

    def backward(self, g: Any) -> Any:
        g = g[0] if self.dropped is None else np.expand_dims(g[0], self.dropped)
        return SliceBack.of(g, self.shape, self.place)


class Sort(Selection):
    """values = all x in order."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        return order_of(x, axis, *rule)


class Topk(Selection):
    """values = the k largest (smallest) x, the most extreme first."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        k, largest = rule
        n = x.shape[axis]
        if not 0 < k < n // 4:
            return part_of(order_of(x, axis, largest), axis, slice(0, k))
        # Few of many: find which, in any order, and sort only those.
        best = part_of(ranked(x, axis, n - k if largest else k - 1), axis, slice(n - k, n) if largest else slice(0, k))
        best = np.sort(best, axis)
        return np.take_along_axis(best, order_of(np.take_along_axis(x, best, axis), axis, largest), axis)


class Kthvalue(Selection):
    """value = the k-th smallest x, counted from 1."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        (k,) = rule
        return part_of(ranked(x, axis, k - 1), axis, slice(k - 1, k))


class MaxAlong(Selection):
    """value = the largest x, the first of several; NaN if there is one."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        return np.argmax(x, axis, keepdims=True)


class MinAlong(Selection):
    """value = the smallest x, the first of several; NaN if there is one."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        return np.argmin(x, axis, keepdims=True)


class MedianAlong(Selection):
    """value = the middle x, the lower one of two; NaN if there is one, unless NaN is ignored."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        (ignore_nan,) = rule
        n = x.shape[axis]
        middle = (n - 1) // 2
        if x.dtype.kind != "f" or not np.isnan(x).any():
            return part_of(ranked(x, axis, middle), axis, slice(middle, middle + 1))
        known = n - np.isnan(x).sum(axis, keepdims=True)  # NaN come last
        rank = np.maximum((known - 1) // 2, 0)
        return np.take_along_axis(order_of(x, axis), rank if ignore_nan else np.where(known == n, rank, known), axis)


class ModeAlong(Selection):
    """value = the most frequent x, the smallest of several such; its last place."""

    def indices(self, x: np.ndarray, axis: int, *rule: Any) -> np.ndarray:
        order = order_of(x, axis)
        ordered = np.take_along_axis(x, order, axis)
        n = x.shape[axis]
        steps = np.arange(n).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        begins = np.ones(x.shape, dtype=bool)
        part_of(begins, axis, slice(1, None))[...] = part_of(ordered, axis, slice(1, None)) != part_of(
            ordered, axis, slice(0, n - 1)
        )
        length = steps - np.maximum.accumulate(np.where(begins, steps, 0), axis)  # of the run so far
        return np.take_along_axis(order, np.argmax(length, axis, keepdims=True), axis)
