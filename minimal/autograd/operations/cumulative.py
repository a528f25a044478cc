"""Operations that run along an axis and write down every stage: cumulative sums, products and extremes.

What comes late depends on all that came before, so gradients run back from the end: that of a running sum is a running sum
in reverse.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minimal.autograd.operation import Operation
from minimal.autograd.operations.indexing import TakeBack, along


def _narrow(out: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return out.astype(dtype, copy=False)


def _wide(x: np.ndarray) -> Any:
    """The dtype in which a running total is kept: float32 for float16, as in PyTorch."""
    return np.float32 if x.dtype == np.float16 else x.dtype


def _part(x: Any, axis: int, part: slice) -> Any:
    return x[(slice(None),) * axis + (part,)]


def delayed(x: Any, axis: int, first: float) -> Any:
    """x one step later: (first, x_0, x_1, ...), without the last."""
    start = np.zeros_like(_part(x, axis, slice(0, 1))) + first
    return np.concatenate([start, _part(x, axis, slice(0, x.shape[axis] - 1))], axis)


def product_of_others(x: Any, axis: int) -> Any:
    """For each x the product of all others along an axis, without a division: of those before, and those after."""
    if not x.shape[axis]:
        return x
    before = Cumprod.of(delayed(x, axis, 1), axis)
    after = np.flip(Cumprod.of(delayed(np.flip(x, axis), axis, 1), axis), axis)
    return before * after


class Cumsum(Operation):
    """out_k = x_0 + ... + x_k,  so  dx_k = g_k + g_(k+1) + ...: a running sum from the end."""

    def forward(self, x: Any, axis: int) -> Any:
        self.axis = axis
        return _narrow(np.cumsum(x, axis, dtype=_wide(x)), x.dtype)

    def backward(self, g: Any) -> Any:
        return np.flip(Cumsum.of(np.flip(g, self.axis), self.axis), self.axis)


class Recurrence(Operation):
    """out_k = b_k + a_k out_(k-1) along an axis.

    The gradient runs the same way from the end:  r_k = g_k + a_(k+1) r_(k+1),  and then  db_k = r_k,  da_k = r_k out_(k-1).
    """

    saves = "both"

    def forward(self, a: Any, b: Any, axis: int) -> Any:
        out = np.array(np.moveaxis(b, axis, 0))
        factors = np.moveaxis(a, axis, 0)
        for k in range(1, len(out)):
            out[k] += factors[k] * out[k - 1]
        return np.moveaxis(out, 0, axis)

    def backward(self, g: Any, a: Any, b: Any, axis: int, out: Any) -> Any:
        r = from_the_end(a, g, axis)
        return r * delayed(out, axis, 0), r


def from_the_end(a: Any, b: Any, axis: int) -> Any:
    """r_k = b_k + a_(k+1) r_(k+1): a recurrence that begins with the last."""
    a = delayed(np.flip(a, axis), axis, 0)
    return np.flip(Recurrence.of(a, np.flip(b, axis), axis), axis)


class Cumprod(Operation):
    """out_k = x_0 ... x_k,  so  dx_k = sum over i >= k of g_i out_i / x_k: the product of all x up to i but x_k.

    With a zero somewhere this takes r_k = g_k + x_(k+1) r_(k+1) instead, and  dx_k = r_k times the product before k.
    """

    saves = "both"

    def forward(self, x: Any, axis: int) -> Any:
        return _narrow(np.cumprod(x, axis, dtype=_wide(x)), x.dtype)

    def backward(self, g: Any, x: Any, axis: int, out: Any) -> Any:
        if x.shape[axis] < 2:
            return g
        if getattr(x, "array", x).all():
            return np.flip(Cumsum.of(np.flip(g * out, axis), axis), axis) / x
        return from_the_end(x, g, axis) * Cumprod.of(delayed(x, axis, 1), axis)


class Logcumsumexp(Operation):
    """out_k = ln(e^x_0 + ... + e^x_k),  so  dx_k = sum over i >= k of g_i e^(x_k - out_i).

    Since out grows, e^(out_k - out_(k+1)) <= 1, and with  r_k = g_k + e^(out_k - out_(k+1)) r_(k+1)  nothing overflows in
    dx_k = e^(x_k - out_k) r_k.
    """

    saves = "both"

    def forward(self, x: Any, axis: int) -> Any:
        return _narrow(np.logaddexp.accumulate(x.astype(_wide(x), copy=False), axis), x.dtype)

    def backward(self, g: Any, x: Any, axis: int, out: Any) -> Any:
        if not x.shape[axis]:
            return g
        empty = getattr(out, "array", out) == -np.inf  # nothing but e^-inf so far
        ratio = np.where(delayed(empty, axis, 0).astype(bool), 0.0, np.exp(delayed(out, axis, 0) - out))
        return np.where(empty, 0.0, np.exp(x - out)) * from_the_end(ratio, g, axis)


class Cummax(Operation):
    """out_k = the largest of x_0 ... x_k, and where it stands (the last place of several), which gets its gradient."""

    keeps = ("place",)
    better: ClassVar[np.ufunc] = np.maximum

    def forward(self, x: Any, axis: int) -> Any:
        self.shape = x.shape
        out = self.better.accumulate(x, axis)
        steps = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        hit = np.where((x == out) | (x != x), steps, 0)
        index = np.maximum.accumulate(hit, axis)
        self.place = along(index, axis)
        return out, index

    def backward(self, g: Any) -> Any:
        return TakeBack.of(g[0], self.shape, self.place)


class Cummin(Cummax):
    """out_k = the smallest of x_0 ... x_k, and where it stands (the last place of several), which gets its gradient."""

    better = np.minimum
