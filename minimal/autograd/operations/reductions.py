"""Operations that make one number of many: sums, products, spreads, norms, extremes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from minimal.autograd.operation import Operation
from minimal.autograd.operations.cumulative import product_of_others
from minimal.autograd.operations.elementwise import sign_of


def kept(g: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """``g`` with the reduced axes of ``shape`` back in place, of size 1."""
    return np.reshape(g, tuple([1 if i in axes else n for i, n in enumerate(shape)]))


def numbers(x: Any) -> np.ndarray:
    """The array in a Tensor, or an array as it is: for questions that have no derivative."""
    return getattr(x, "array", x)


def wide(x: np.ndarray) -> np.ndarray:
    """float16 as float32, in which PyTorch too adds it up; everything else as it is."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _how_many(x: np.ndarray, axes: tuple[int, ...]) -> int:
    return math.prod([x.shape[i] for i in axes])


# ---------------------------------------------------------------- sums and products


class Sum(Operation):
    """out = the sum of x over some axes, so each x gets the gradient of its sum."""

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        self.shape, self.axes = x.shape, axes
        return wide(x).sum(axis=axes, keepdims=keepdim).astype(x.dtype, copy=False)

    def backward(self, g: Any) -> Any:
        return np.broadcast_to(kept(g, self.shape, self.axes), self.shape)


class Mean(Operation):
    """out = the mean of x over some axes: the sum, divided by the number n;  dx = g / n."""

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        self.shape, self.axes = x.shape, axes
        total = wide(x).sum(axis=axes, keepdims=keepdim)
        self.n = _how_many(x, axes)
        return np.true_divide(total, total.dtype.type(self.n)).astype(x.dtype, copy=False)

    def backward(self, g: Any) -> Any:
        return np.broadcast_to(kept(g / self.n, self.shape, self.axes), self.shape)


class Nansum(Operation):
    """out = the sum of what is not NaN, so each of these gets the gradient of its sum."""

    keeps = ("known",)

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        self.shape, self.axes, self.known = x.shape, axes, ~np.isnan(x)
        total = np.where(self.known, wide(x), x.dtype.type(0)).sum(axis=axes, keepdims=keepdim)
        return total.astype(x.dtype, copy=False)

    def backward(self, g: Any) -> Any:
        return np.where(self.known, kept(g, self.shape, self.axes), 0.0)


class Prod(Operation):
    """out = the product of x along an axis, so  dx = g times the product of the others: out / x where no x is zero."""

    saves = "both"

    def forward(self, x: Any, axis: int, keepdim: bool) -> Any:
        return wide(x).prod(axis=axis, keepdims=keepdim).astype(x.dtype, copy=False)

    def backward(self, g: Any, x: Any, axis: int, keepdim: bool, out: Any) -> Any:
        g = kept(g, x.shape, (axis,))
        if x.shape[axis] == 1:
            return g
        if numbers(x).all():
            return g * kept(out, x.shape, (axis,)) / x
        return g * product_of_others(x, axis)


# ---------------------------------------------------------------- spread


class Var(Operation):
    """out = sum (x - mean)^2 / (n - c) with the correction c, so  dx = g 2 (x - mean) / (n - c).

    The mean's own derivative drops out, since the deviations from it add up to zero.
    """

    saves = "inputs"

    def forward(self, x: Any, axes: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        n = _how_many(x, axes)
        off = x - np.true_divide(x.sum(axis=axes, dtype=np.float64, keepdims=True), n)
        m2 = np.einsum("...,...->...", off, off).sum(axis=axes, keepdims=keepdim)
        return np.true_divide(m2, max(n - correction, 0)).astype(x.dtype)

    def backward(self, g: Any, x: Any, axes: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        free = _how_many(x, axes) - correction
        off = x - Mean.of(x, axes, True)
        return kept(g, x.shape, axes) * (2.0 / free if free else math.inf) * off


class Std(Var):
    """out = sqrt(var x),  so  dvar = g / (2 out), and 0 where nothing spreads."""

    saves = "both"

    def forward(self, x: Any, axes: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        return np.sqrt(super().forward(x, axes, correction, keepdim))

    def backward(self, g: Any, x: Any, axes: Any, correction: float, keepdim: bool, out: Any) -> Any:  # type: ignore[override]
        g_var = np.where(numbers(out) == 0, 0.0, g / (2.0 * out))
        return super().backward(g_var, x, axes, correction, keepdim)


# ---------------------------------------------------------------- exponentials and powers


class LogSumExp(Operation):
    """out = ln sum e^x over some axes, so  dx = g e^(x - out).  The largest x is taken out first: no e^x overflows."""

    saves = "both"

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        x32 = wide(x)
        top = x32.max(axis=axes, keepdims=True, initial=-math.inf)
        top = np.where(np.isfinite(top), top, top.dtype.type(0))
        out = np.log(np.exp(x32 - top).sum(axis=axes, keepdims=True)) + top
        return (out if keepdim else np.squeeze(out, axes)).astype(x.dtype, copy=False)

    def backward(self, g: Any, x: Any, axes: tuple[int, ...], keepdim: bool, out: Any) -> Any:
        return kept(g, x.shape, axes) * np.exp(x - kept(out, x.shape, axes))


class Norm(Operation):
    """out = (sum |x|^p)^(1/p),  so  dx = g sign(x) (|x| / out)^(p - 1).

    p = 0 counts what is not zero (and has no gradient); infinite p takes the largest or smallest |x|, where those that tie
    share the gradient.  At out = 0 the gradient is 0.
    """

    saves = "both"

    def forward(self, x: Any, p: float, axes: tuple[int, ...], keepdim: bool) -> Any:
        along = {"axis": axes, "keepdims": keepdim}
        size = np.abs(wide(x))
        if p == math.inf:
            out = size.max(**along)
        elif p == -math.inf:
            out = size.min(**along)
        elif p == 0:
            out = (size != 0).sum(**along)
        elif p == 1:
            out = size.sum(**along)
        elif p == 2:
            out = np.sqrt((size * size).sum(**along))
        else:
            out = (size**p).sum(**along) ** (1 / p)
        return out.astype(x.dtype, copy=False)

    def backward(self, g: Any, x: Any, p: float, axes: tuple[int, ...], keepdim: bool, out: Any) -> Any:
        if p == 0:
            return None
        g, out = kept(g, x.shape, axes), kept(out, x.shape, axes)
        if p == 1:
            return g * sign_of(x)
        if math.isinf(p):
            shared = _shared(g, np.abs(numbers(x)) == numbers(out), axes)
            return sign_of(x) * np.where(np.isnan(numbers(out)), 0.0, shared)
        nothing = numbers(out) == 0
        if p == 2:
            return x * np.where(nothing, 0.0, g / out)
        # Written with the power of each factor that is not negative, so that a zero on one side stays a zero.
        if p >= 2:
            return x * np.abs(x) ** (p - 2) * np.where(nothing, 0.0, g / out ** (p - 1))
        scaled = np.where(numbers(x) == 0, 0.0, sign_of(x) * np.abs(x) ** (p - 1))
        return scaled * (g * out ** (1 - p) if p < 1 else np.where(nothing, 0.0, g / out ** (p - 1)))


# ---------------------------------------------------------------- extremes


def _shared(g: Any, same: np.ndarray, axes: tuple[int, ...]) -> Any:
    """``g`` divided evenly among the places that are the ``same`` as the result."""
    n = same.sum(axis=axes, keepdims=True)
    return g * (same / n).astype(g.dtype)


class Amax(Operation):
    """out = the largest x over some axes; those that tie share its gradient evenly."""

    saves = "both"
    choose: ClassVar[Any] = np.maximum.reduce

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        return type(self).choose(x, axis=axes, keepdims=keepdim)

    def backward(self, g: Any, x: Any, axes: tuple[int, ...], keepdim: bool, out: Any) -> Any:
        same = numbers(x) == kept(numbers(out), x.shape, axes)
        return _shared(kept(g, x.shape, axes), same, axes)


class Amin(Amax):
    """out = the smallest x over some axes; those that tie share its gradient evenly."""

    choose = np.minimum.reduce


class Max(Operation):
    """out = the largest x of all; those that tie, or all NaN if it is NaN, share its gradient evenly."""

    saves = "both"

    @staticmethod
    def choose(x: np.ndarray) -> Any:
        return x.max()

    def forward(self, x: Any) -> Any:
        return type(self).choose(x)

    def backward(self, g: Any, x: Any, out: Any) -> Any:
        x, out = numbers(x), numbers(out)
        return _shared(g, np.isnan(x) if np.isnan(out) else x == out, tuple(range(x.ndim)))


class Min(Max):
    """out = the smallest x of all; those that tie, or all NaN if it is NaN, share its gradient evenly."""

    @staticmethod
    def choose(x: np.ndarray) -> Any:
        return x.min()


class Median(Max):
    """out = the middle x of all, the lower one of two; NaN if there is one."""

    @staticmethod
    def choose(x: np.ndarray) -> Any:
        x = x.ravel()
        if not x.size or (x.dtype.kind == "f" and np.isnan(x.max())):
            return np.asarray(math.nan).astype(x.dtype)
        middle = (x.size - 1) // 2
        return np.partition(x, middle)[middle]


class Nanmedian(Max):
    """out = the middle of what is not NaN, the lower one of two."""

    @staticmethod
    def choose(x: np.ndarray) -> Any:
        return Median.choose(x[~np.isnan(x)])
