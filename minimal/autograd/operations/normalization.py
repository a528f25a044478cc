"""Normalization inside a network: mean and spread come from x, and so the gradient must pass through them.

With z = (x - mean) / sqrt(var + eps) over the n numbers that belong together, and out = w z + b,

    dz = w g,    dx = (dz - mean(dz) - z mean(dz z)) / sqrt(var + eps),    dw = sum(g z),    db = sum(g)

Along (1, ..., 1) and along z nothing of x gets through, so those parts of dz are taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Operation
from minimal.autograd.tensor import Tensor
from minimal.engine import twin


def _kernels() -> ModuleType:
    return twin("minimal.autograd.kernels.normalization")


def _gradients(g: Any, x: Any, weight: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """The text above, on Tensors; ``weight`` is of a shape that meets x."""
    off = x - x.mean(axis=axes, keepdims=True)
    inverse = 1.0 / np.sqrt((off * off).mean(axis=axes, keepdims=True) + eps)
    z = off * inverse
    dz = g * weight
    dx = (dz - dz.mean(axis=axes, keepdims=True) - z * (dz * z).mean(axis=axes, keepdims=True)) * inverse
    return dx, sum_to(g * z, weight.shape), sum_to(g, weight.shape)


class _Normalization(Operation):
    """Saves x and the weight, and what the kernel found out about x."""

    saves = "inputs"
    keeps = ("statistics",)

    def save(self, args: Sequence[Any], result: Any) -> None:
        super().save(args[:2], result)  # nobody needs the bias again

    def wanted(self, dx: Any, dweight: Any, dbias: Any, weight: Any) -> tuple[Any, ...]:
        """The gradients of the tensors that went in: of weight and bias each may be missing."""
        return (dx, dbias) if weight is None else (dx, dweight, dbias)


class BatchNorm(_Normalization):
    """out = w z + b, where the numbers of a channel (axis 1), over all samples and pixels, belong together.

    ``remember(mean, var)`` is told what was found.
    """

    def forward(self, x: Any, weight: Any, bias: Any, eps: float, remember: Callable[[Any, Any], None]) -> Any:
        self.eps = eps
        out, *self.statistics = _kernels().batch_norm(x, weight, bias, eps)
        remember(*self.statistics)
        return out

    def backward(self, g: Any, x: Any, weight: Any) -> Any:
        if isinstance(g, Tensor):
            beside = (1, -1) + (1,) * (x.ndim - 2)
            axes = (0, *range(2, x.ndim))
            w = np.ones(x.shape[1], x.dtype) if weight is None else weight
            dx, dweight, dbias = _gradients(g, x, w.reshape(beside), axes, self.eps)
            return self.wanted(dx, dweight.reshape(-1), dbias.reshape(-1), weight)
        dx, dweight, dbias = _kernels().batch_norm_backward(g, x, *self.statistics, weight, self.eps)
        return self.wanted(dx, dweight, dbias, weight)


class LayerNorm(_Normalization):
    """out = w z + b, where the numbers along the last axes, of shape ``shape``, belong together."""

    def forward(self, x: Any, weight: Any, bias: Any, shape: tuple[int, ...], eps: float) -> Any:
        self.shape, self.eps = shape, eps
        weight, bias = (None if a is None else a.ravel() for a in (weight, bias))
        out, *self.statistics = _kernels().layer_norm(self._rows(x), weight, bias, eps)
        return out.reshape(x.shape)

    def _rows(self, x: Any) -> Any:
        width = int(np.prod(self.shape))
        return np.ascontiguousarray(x).reshape(x.size // max(width, 1), width)

    def backward(self, g: Any, x: Any, weight: Any) -> Any:
        if isinstance(g, Tensor):
            w = np.ones(self.shape, x.dtype) if weight is None else weight
            axes = tuple(range(x.ndim - len(self.shape), x.ndim))
            dx, dw, db = _gradients(g, x, w, axes, self.eps)
            return self.wanted(dx, dw, db, weight)
        w = None if weight is None else weight.ravel()
        dx, dw, db = _kernels().layer_norm_backward(self._rows(g), self._rows(x), *self.statistics, w)
        return self.wanted(dx.reshape(x.shape), dw.reshape(self.shape), db.reshape(self.shape), weight)
