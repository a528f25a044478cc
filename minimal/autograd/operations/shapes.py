"""Operations that move numbers without changing them: each gradient takes the same way back."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Operation


class Reshape(Operation):
    """out = the same numbers, read row by row, in another shape."""

    computes = False

    def forward(self, x: Any, shape: tuple[int, ...]) -> Any:
        self.shape = x.shape
        return x.reshape(shape)

    def backward(self, g: Any) -> Any:
        return np.reshape(g, self.shape)


class Permute(Operation):
    """out[i0, i1, ...] = x[i_axes...], so g goes back by the inverse permutation."""

    computes = False

    def forward(self, x: Any, axes: tuple[int, ...]) -> Any:
        self.inverse = tuple(sorted(range(len(axes)), key=axes.__getitem__))
        return x.transpose(axes)

    def backward(self, g: Any) -> Any:
        return np.transpose(g, self.inverse)


class Expand(Operation):
    """out = x repeated along axes of size 1, so the gradients of all repetitions add up."""

    computes = False

    def forward(self, x: Any, shape: tuple[int, ...]) -> Any:
        self.shape = x.shape
        return np.broadcast_to(x, shape)

    def backward(self, g: Any) -> Any:
        return sum_to(g, self.shape)


class Flip(Operation):
    """out = x with some axes in reverse."""

    def forward(self, x: Any, axes: tuple[int, ...]) -> Any:
        self.axes = axes
        return np.flip(x, axes).copy()

    def backward(self, g: Any) -> Any:
        return np.flip(g, self.axes)


class Roll(Operation):
    """out = x shifted around along some axes (or, without axes, as one long row)."""

    def forward(self, x: Any, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> Any:
        self.back = tuple(-s for s in shifts)
        self.axes = axes
        return np.roll(x, shifts if axes is not None else shifts[0], axes)

    def backward(self, g: Any) -> Any:
        return np.roll(g, self.back if self.axes is not None else self.back[0], self.axes)


class Cat(Operation):
    """out = the inputs one after another along an axis; each gets its piece of g."""

    def forward(self, *arrays: Any, axis: int) -> Any:
        self.axis, self.sizes = axis, [a.shape[axis] for a in arrays]
        return np.concatenate(arrays, axis)

    def backward(self, g: Any) -> Any:
        before = (slice(None),) * self.axis
        ends = np.cumsum(self.sizes).tolist()
        return tuple(g[(*before, slice(end - size, end))] for end, size in zip(ends, self.sizes))


class Triangle(Operation):
    """out = x above or below a diagonal, zero elsewhere; the gradient passes in the same places."""

    def forward(self, x: Any, diagonal: int, upper: bool) -> Any:
        rows, columns = np.indices(x.shape[-2:], sparse=True)
        self.mask = (columns - rows >= diagonal) if upper else (columns - rows <= diagonal)
        return np.where(self.mask, x, x.dtype.type(0))

    def backward(self, g: Any) -> Any:
        return np.where(self.mask, g, 0.0)


class Diagonal(Operation):
    """out[..., i] = x[i, i + offset] along two axes."""

    def forward(self, x: Any, offset: int, axis1: int, axis2: int) -> Any:
        self.place = (offset, axis1, axis2)
        self.shape = x.shape
        return np.diagonal(x, offset, axis1, axis2).view()

    def backward(self, g: Any) -> Any:
        return diagonal_back(g, self.shape, self.place)


class DiagonalBack(Operation):
    """out = zeros with x on a diagonal: what :class:`Diagonal` does to a gradient."""

    def forward(self, x: Any, shape: tuple[int, ...], place: tuple[int, int, int]) -> Any:
        self.place = place
        return _on_diagonal(x, shape, place)

    def backward(self, g: Any) -> Any:
        return np.diagonal(g, *self.place)


def _on_diagonal(x: Any, shape: tuple[int, ...], place: tuple[int, int, int]) -> Any:
    out = np.zeros(shape, dtype=x.dtype)
    offset, axis1, axis2 = place
    n = x.shape[-1]
    moved = np.moveaxis(out, (axis1, axis2), (-2, -1))
    moved[..., np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)] = x
    return out


def diagonal_back(g: Any, shape: tuple[int, ...], place: tuple[int, int, int]) -> Any:
    """A gradient on a diagonal, in zeros of the whole shape."""
    return _on_diagonal(g, shape, place) if isinstance(g, np.ndarray) else DiagonalBack.apply(g, shape, place)


class Unfold(Operation):
    """out[..., i, ..., j] = x[..., i step + j, ...]: windows along an axis, which the gradient adds up where they overlap."""

    def forward(self, x: Any, axis: int, size: int, step: int) -> Any:
        self.axis, self.step, self.shape = axis, step, x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis)
        return windows[(slice(None),) * axis + (slice(None, None, step),)]

    def backward(self, g: Any) -> Any:
        return unfold_back(g, self.shape, self.axis, self.step)


class UnfoldBack(Operation):
    """out = windows added up where they overlap: what :class:`Unfold` does to a gradient."""

    def forward(self, x: Any, shape: tuple[int, ...], axis: int, step: int) -> Any:
        self.axis, self.size, self.step = axis, x.shape[-1], step
        return _added_windows(x, shape, axis, step)

    def backward(self, g: Any) -> Any:
        return (
            Unfold.apply(g, self.axis, self.size, self.step)
            if not isinstance(g, np.ndarray)
            else Unfold().forward(g, self.axis, self.size, self.step)
        )


def _added_windows(x: Any, shape: tuple[int, ...], axis: int, step: int) -> Any:
    out = np.zeros(shape, dtype=x.dtype)
    n = x.shape[axis]
    before = (slice(None),) * axis
    for j in range(x.shape[-1]):
        out[(*before, slice(j, j + (n - 1) * step + 1, step))] += x[..., j]
    return out


def unfold_back(g: Any, shape: tuple[int, ...], axis: int, step: int) -> Any:
    """The gradient of windows, added up where they overlap."""
    return _added_windows(g, shape, axis, step) if isinstance(g, np.ndarray) else UnfoldBack.apply(g, shape, axis, step)
