"""Standardizing inside a network: the mean and the spread depend on x, and so must the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation


def moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance (divided by n) over some axes, which stay with size 1."""
    mean = x.mean(axis=axes, keepdims=True)
    off = x - mean
    return mean, (off * off).mean(axis=axes, keepdims=True)


class Standardize(Operation):
    """out = (x - m) r  with m the mean over some axes and r = 1 / sqrt(variance + eps).

    m and r move with x.  Along (1, ..., 1) and along out nothing of x gets through, so those parts of g are taken out:

        dx = r (g - mean(g) - out mean(g out))
    """

    saves = "both"
    keeps = ("r",)

    def forward(self, x: Any, axes: tuple[int, ...], eps: float, mean: Any, variance: Any) -> Any:
        self.axes, self.eps = axes, eps
        self.r = (1.0 / np.sqrt(variance + eps)).astype(x.dtype, copy=False)
        out = x - mean
        out *= self.r
        return out

    def backward(self, g: Any, x: Any, *more: Any) -> Any:
        out = more[-1]
        r = self.r if isinstance(g, np.ndarray) else 1.0 / np.sqrt(moments(x, self.axes)[1] + self.eps)
        along_ones = g.mean(axis=self.axes, keepdims=True)
        along_out = (g * out).mean(axis=self.axes, keepdims=True)
        return r * (g - along_ones - out * along_out)
