"""Softmax and its logarithm: scores become shares that add up to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.kernels import losses_numpy
from minimal.autograd.operation import Operation
from minimal.autograd.operations.reductions import wide
from minimal.engine import twin


def _kernels(x: Any) -> Any:
    """The engine's kernels for arrays; their NumPy text for Tensors, which can run it too."""
    return twin("minimal.autograd.kernels.losses") if isinstance(x, np.ndarray) else losses_numpy


class Softmax(Operation):
    """p_i = e^(x_i) / sum_k e^(x_k),  so  dx = p (g - sum_k g_k p_k)."""

    saves = "output"

    def forward(self, x: Any, axis: int) -> Any:
        self.axis = axis
        return _kernels(x).softmax(wide(x), axis).astype(x.dtype, copy=False) if x.size else x.copy()

    def backward(self, g: Any, p: Any) -> Any:
        return _kernels(g).softmax_backward(g, p, self.axis)


class LogSoftmax(Operation):
    """out = log p = x - ln sum_k e^(x_k),  so  dx = g - p sum_k g_k."""

    saves = "output"

    def forward(self, x: Any, axis: int) -> Any:
        self.axis = axis
        return _kernels(x).log_softmax(wide(x), axis).astype(x.dtype, copy=False) if x.size else x.copy()

    def backward(self, g: Any, out: Any) -> Any:
        return _kernels(g).log_softmax_backward(g, out, self.axis)
