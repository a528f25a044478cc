"""Operations that make one number of many: sums, products, extremes, spreads."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation


def kept(g: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """``g`` with the reduced axes of ``shape`` back in place, of size 1."""
    return np.reshape(g, tuple([1 if i in axes else n for i, n in enumerate(shape)]))


class Sum(Operation):
    """out = the sum of x over some axes, so each x gets the gradient of its sum."""

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        self.shape, self.axes = x.shape, axes
        return x.sum(axis=axes, keepdims=keepdim)

    def backward(self, g: Any) -> Any:
        return np.broadcast_to(kept(g, self.shape, self.axes), self.shape)


class Mean(Operation):
    """out = the mean of x over some axes: the sum, divided by the number n;  dx = g / n."""

    def forward(self, x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
        self.shape, self.axes = x.shape, axes
        total = x.sum(axis=axes, keepdims=keepdim)
        self.n = x.size // max(np.size(total), 1) if x.size else 0
        return np.true_divide(total, total.dtype.type(self.n))

    def backward(self, g: Any) -> Any:
        return np.broadcast_to(kept(g / self.n, self.shape, self.axes), self.shape)
