"""Twin of ``losses_numpy``, compiled: scores are read once, a few rows at a time, and no row calls a library.

The scores of a sample, one of each class, are a row.  Of a block of rows first the distances to the largest score are
written down, then exp of all of them at once, which is where the time goes, then come the sums, in double precision.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.autograd.kernels import losses_numpy
from minimal.autograd.kernels.classes import LossRule, check_targets
from minimal.autograd.kernels.exponential_numba import exp_of_minus
from minimal.kernel_input import as_kernel_input

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")

BLOCK = 2048  # numbers in the rows that are worked on at a time: they stay in the first-level cache
NO_WEIGHT = np.empty(0)


def softmax(x: Array, axis: int) -> Array:
    """Twin of ``losses_numpy.softmax``, equal to rounding."""
    if not _has_rows(x, axis):
        return losses_numpy.softmax(x, axis)
    p = np.empty(x.shape, x.dtype)
    _softmax(_rows(x), _rows(p))
    return p


def softmax_backward(g: Array, p: Array, axis: int) -> Array:
    """Twin of ``losses_numpy.softmax_backward``, equal to rounding."""
    if not _has_rows(p, axis) or g.dtype != p.dtype:
        return losses_numpy.softmax_backward(g, p, axis)
    dx = np.empty(p.shape, p.dtype)
    _softmax_backward(_rows(g), _rows(p), _rows(dx))
    return dx


def log_softmax(x: Array, axis: int) -> Array:
    """Twin of ``losses_numpy.log_softmax``, equal to rounding."""
    if not _has_rows(x, axis):
        return losses_numpy.log_softmax(x, axis)
    log_p = np.empty(x.shape, x.dtype)
    _log_softmax(_rows(x), _rows(log_p))
    return log_p


def log_softmax_backward(g: Array, log_p: Array, axis: int) -> Array:
    """Twin of ``losses_numpy.log_softmax_backward``, equal to rounding."""
    if not _has_rows(log_p, axis) or g.dtype != log_p.dtype:
        return losses_numpy.log_softmax_backward(g, log_p, axis)
    dx = np.empty(log_p.shape, log_p.dtype)
    _log_softmax_backward(_rows(g), _rows(log_p), _rows(dx))
    return dx


def cross_entropy(
    x: Array, target: NDArray[np.integer], weight: Array | None, rule: LossRule
) -> tuple[Array, Array, float]:
    """Twin of ``losses_numpy.cross_entropy``, equal to rounding."""
    if x.dtype.char not in "fd":
        return losses_numpy.cross_entropy(x, target, weight, rule)
    rows, labels = _rows(_classes_last(x)), _labels(target)
    p, losses = np.empty(rows.shape, x.dtype), np.empty(len(rows), x.dtype)
    w = NO_WEIGHT if weight is None else weight.astype(np.float64)
    total, total_weight, all_right = _cross_entropy(rows, labels, w, rule.ignore_index, rule.label_smoothing, p, losses)
    if not all_right:
        check_targets(target, rows.shape[1], rule.ignore_index)
    if rule.reduction == "none":
        loss = losses.reshape(target.shape)
    elif rule.reduction == "sum":
        loss = np.array(total, x.dtype)
    else:
        loss = np.array(total / total_weight if total_weight else math.nan, x.dtype)
    return loss, _classes_second(p, x.shape), total_weight


def cross_entropy_backward(
    g: Array,
    p: Array,
    target: NDArray[np.integer],
    weight: Array | None,
    total_weight: float,
    rule: LossRule,
) -> Array:
    """Twin of ``losses_numpy.cross_entropy_backward``, equal to rounding."""
    if p.dtype.char not in "fd" or g.dtype != p.dtype:
        return losses_numpy.cross_entropy_backward(g, p, target, weight, total_weight, rule)
    rows = _rows(_classes_last(p))
    dx = np.empty(rows.shape, p.dtype)
    w = NO_WEIGHT if weight is None else weight.astype(np.float64)
    divisor = total_weight if rule.reduction == "mean" else 1.0
    given = as_kernel_input(g.ravel())
    _cross_entropy_backward(given, rows, _labels(target), w, rule.ignore_index, rule.label_smoothing, divisor, dx)
    return _classes_second(dx, p.shape)


# ---------------------------------------------------------------- what a row is


def _has_rows(x: Array, axis: int) -> bool:
    """Whether the numbers along the axis lie side by side, in a dtype that a kernel knows."""
    return axis in (-1, x.ndim - 1) and x.dtype.char in "fd" and x.ndim > 0


def _rows(x: Array) -> Array:
    """The numbers along the last axis as rows; a copy if they are not C-contiguous."""
    return as_kernel_input(x.reshape(math.prod(x.shape[:-1]), x.shape[-1])) if x.flags.c_contiguous else _rows(x.copy())


def _labels(target: NDArray[np.integer]) -> Array:
    return as_kernel_input(target.astype(np.int64, copy=False).ravel())


def _classes_last(x: Array) -> Array:
    """Scores of shape (N, C, ...) as (N, ..., C)."""
    return x if x.ndim < 3 else np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _classes_second(rows: Array, shape: tuple[int, ...]) -> Array:
    """Rows of scores in the shape (N, C, ...)."""
    return rows.reshape(shape) if len(shape) < 3 else np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


# ---------------------------------------------------------------- rows


@kernel
def _distances(x, first, last, out):
    """How far each number of the rows first .. last is below the largest one of its row."""
    for i in range(first, last):
        top = x[i, 0]
        for k in range(1, x.shape[1]):
            top = x[i, k] if x[i, k] > top else top
        for k in range(np.uintp(x.shape[1])):
            out[i, k] = top - x[i, k]


@kernel
def _exp_of_minus(numbers):
    """exp(-number), in place."""
    for k in range(np.uintp(len(numbers))):
        numbers[k] = exp_of_minus(numbers[k])


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum(row):
    """The sum in double precision, of several running sums: their order is the compiler's, which only rounding notices."""
    total = 0.0
    for k in range(np.uintp(len(row))):
        total += row[k]
    return total


@kernel
def _softmax(x, p):
    n, n_classes = x.shape
    flat = p.reshape(-1)
    step = max(1, BLOCK // max(1, n_classes))
    for first in range(0, n, step):
        last = min(n, first + step)
        _distances(x, first, last, p)
        _exp_of_minus(flat[first * n_classes : last * n_classes])
        for i in range(first, last):
            row = p[i]
            total = p.dtype.type(_sum(row))
            for k in range(np.uintp(n_classes)):
                row[k] = row[k] / total


@kernel
def _softmax_backward(g, p, dx):
    for i in range(len(p)):
        total = 0.0
        for k in range(np.uintp(p.shape[1])):
            total += g[i, k] * p[i, k]
        total = p.dtype.type(total)
        for k in range(np.uintp(p.shape[1])):
            dx[i, k] = p[i, k] * (g[i, k] - total)


@kernel
def _log_softmax(x, log_p):
    n, n_classes = x.shape
    step = max(1, BLOCK // max(1, n_classes))
    e = np.empty(step * n_classes, x.dtype)
    for first in range(0, n, step):
        last = min(n, first + step)
        _distances(x, first, last, log_p)
        for i in range(first, last):
            for k in range(np.uintp(n_classes)):
                e[(i - first) * n_classes + k] = log_p[i, k]
        _exp_of_minus(e[: (last - first) * n_classes])
        for i in range(first, last):
            log_total = x.dtype.type(math.log(_sum(e[(i - first) * n_classes : (i - first + 1) * n_classes])))
            for k in range(np.uintp(n_classes)):
                log_p[i, k] = -(log_p[i, k] + log_total)


@kernel
def _log_softmax_backward(g, log_p, dx):
    for i in range(len(g)):
        total = g.dtype.type(_sum(g[i]))
        for k in range(np.uintp(g.shape[1])):
            dx[i, k] = g[i, k] - exp_of_minus(-log_p[i, k]) * total


# ---------------------------------------------------------------- cross entropy


@kernel
def _cross_entropy(x, target, weight, ignore_index, smoothing, p, losses):
    """Losses of rows, their sum, the sum of the weights of their targets, and whether all targets are classes."""
    n, n_classes = x.shape
    flat = p.reshape(-1)
    step = max(1, BLOCK // max(1, n_classes))
    weights = _sum(weight) if len(weight) else np.float64(n_classes)
    total = total_weight = 0.0
    for first in range(0, n, step):
        last = min(n, first + step)
        _distances(x, first, last, p)
        for i in range(first, last):
            if target[i] != ignore_index:
                if target[i] < 0 or target[i] >= n_classes:
                    return total, total_weight, False
                losses[i] = p[i, target[i]]  # for a while
        spread = _spread(p, first, last, weight) if smoothing else np.empty(0)
        _exp_of_minus(flat[first * n_classes : last * n_classes])
        for i in range(first, last):
            row = p[i]
            row_total = _sum(row)
            for k in range(np.uintp(n_classes)):
                row[k] = row[k] / p.dtype.type(row_total)
            if target[i] == ignore_index:
                losses[i] = 0
                continue
            log_total = math.log(row_total)
            w = weight[target[i]] if len(weight) else 1.0
            loss = w * (losses[i] + log_total)
            if smoothing:
                loss = (1 - smoothing) * loss + smoothing / n_classes * (spread[i - first] + weights * log_total)
            losses[i] = loss
            total += loss
            total_weight += w
    return total, total_weight, True


@kernel
def _spread(distances, first, last, weight):
    """For each row the weighted sum of its distances."""
    sums = np.zeros(last - first)
    for i in range(first, last):
        for k in range(distances.shape[1]):
            sums[i - first] += (weight[k] if len(weight) else 1.0) * distances[i, k]
    return sums


@kernel
def _cross_entropy_backward(g, p, target, weight, ignore_index, smoothing, divisor, dx):
    n, n_classes = p.shape
    T = p.dtype.type
    weights = _sum(weight) if len(weight) else np.float64(n_classes)
    smooth = smoothing / n_classes
    for i in range(n):
        t = target[i]
        if t == ignore_index:
            dx[i] = 0
            continue
        scale = (g[i] if len(g) > 1 else g[0]) / divisor
        share = scale * (1 - smoothing) * (weight[t] if len(weight) else 1.0)
        factor = T(share + scale * smooth * weights)
        for k in range(np.uintp(n_classes)):
            dx[i, k] = factor * p[i, k]
        if smooth:
            for k in range(n_classes):
                dx[i, k] -= scale * smooth * (weight[k] if len(weight) else 1.0)
        dx[i, t] -= share
