"""Pooling: where each number of the output came from, and so where its gradient goes.

The mean of a window is linear, and its gradient is the other way round: each pixel of the window gets its share.  The
largest number of a window is a choice of pixels; once the choice is made, its gradient is linear too: it goes to the chosen
pixels and nowhere else.  So each backward pass here is an operation itself, whose backward is the way forth.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from minimal.autograd.kernels import pooling_numpy
from minimal.autograd.kernels.windows import places_in_image
from minimal.autograd.operation import Operation
from minimal.autograd.tensor import Tensor
from minimal.engine import twin

Pair = tuple[int, int]
Shape = tuple[int, ...]


class Windows(NamedTuple):
    """Where the windows of max-pooling lie."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil_mode: bool = False


class Means(NamedTuple):
    """Where the windows of mean-pooling lie, and what their sums are divided by."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


def _kernels(x: Any) -> ModuleType:
    """The kernels for an array: half precision is NumPy's alone."""
    return pooling_numpy if x.dtype == np.float16 else twin("minimal.autograd.kernels.pooling")


class MaxPool2d(Operation):
    """out = the largest number of each window, which gets the window's gradient;  indices = where in the plane it stood."""

    keeps = ("place",)

    def forward(self, x: Any, windows: Windows, with_indices: bool = False) -> Any:
        self.shape, self.windows = x.shape, windows
        out, self.place = _kernels(x).max_pool2d_places(x, *windows)
        return (out, self._indices()) if with_indices else out

    def _indices(self) -> Any:
        kernel, stride, padding, dilation, _ = self.windows
        return places_in_image(self.place, self.shape[3], kernel, stride, padding, dilation)

    def backward(self, g: Any) -> Any:
        g = g[0] if type(g) is list else g
        if isinstance(g, Tensor):
            return PutPixels.apply(g, self._indices(), self.shape)
        return _kernels(g).max_pool2d_places_backward(
            _as_it_lies(g, self.place), self.place, self.shape, *self.windows[:4]
        )


def _as_it_lies(g: Any, like: Any) -> Any:
    """``g`` in the order of memory that ``like`` has: the small array is turned, before it is spread out."""
    if g.shape[1] == 1 or (g.strides[1] == g.itemsize) == (like.strides[1] == like.itemsize):
        return g
    turned = np.empty_like(like, dtype=g.dtype)
    turned[...] = g
    return turned


class TakePixels(Operation):
    """out = the pixels that ``indices`` names in each plane (N, C) of x."""

    def forward(self, x: Any, indices: Any) -> Any:
        self.shape, self.indices = x.shape, indices
        planes = x.reshape(*x.shape[:2], x.shape[2] * x.shape[3])
        return np.take_along_axis(planes, indices.reshape(*planes.shape[:2], -1), 2).reshape(indices.shape)

    def backward(self, g: Any) -> Any:
        return PutPixels.of(g, self.indices, self.shape)


class PutPixels(Operation):
    """out = planes of zeros, with x added at ``indices``: what :class:`TakePixels` does to a gradient."""

    def forward(self, x: Any, indices: Any, shape: Shape) -> Any:
        self.indices = indices
        return _kernels(x).max_pool2d_backward(x, indices, shape)

    def backward(self, g: Any) -> Any:
        return TakePixels.of(g, self.indices)


class AvgPool2d(Operation):
    """out = the mean of each window, so each of its n pixels gets g / n."""

    def forward(self, x: Any, means: Means) -> Any:
        self.shape, self.means = x.shape, means
        return _kernels(x).avg_pool2d(x, *means)

    def backward(self, g: Any) -> Any:
        return ShareAmongWindows.of(g, self.shape, self.means)


class ShareAmongWindows(Operation):
    """out = each window's x shared among its pixels: what :class:`AvgPool2d` does to a gradient."""

    def forward(self, x: Any, shape: Shape, means: Means) -> Any:
        self.means = means
        kernel, stride, padding, _, count_include_pad, divisor = means
        return _kernels(x).avg_pool2d_backward(x, shape, kernel, stride, padding, count_include_pad, divisor)

    def backward(self, g: Any) -> Any:
        return AvgPool2d.of(g, self.means)


class AdaptiveAvgPool2d(Operation):
    """out = the means of as many windows as are asked for, so each of the n pixels of one gets g / n."""

    def forward(self, x: Any, size: Pair) -> Any:
        self.shape = x.shape
        return _kernels(x).adaptive_avg_pool2d(x, size)

    def backward(self, g: Any) -> Any:
        return ShareAmongCells.of(g, self.shape)


class ShareAmongCells(Operation):
    """out = each window's x shared among its pixels: what :class:`AdaptiveAvgPool2d` does to a gradient."""

    def forward(self, x: Any, shape: Shape) -> Any:
        self.size = x.shape[2:]
        return _kernels(x).adaptive_avg_pool2d_backward(x, shape)

    def backward(self, g: Any) -> Any:
        return AdaptiveAvgPool2d.of(g, self.size)
