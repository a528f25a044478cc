"""Losses whose gradient is simpler than the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.kernels.classes import LossRule
from minimal.autograd.operation import Elementwise, Operation
from minimal.engine import twin


class CrossEntropy(Operation):
    """loss = -log p_t for the true class t, with p = softmax(x);  dx_k = p_k - [k = t], times g and the weights.

    Softmax, logarithm and choice run as one kernel.  For second derivatives the gradient is taken from the parts.
    """

    saves = "inputs"
    keeps = ("p",)

    def forward(self, x: Any, target: Any, weight: Any, rule: LossRule) -> Any:
        loss, self.p, self.total = twin("minimal.autograd.kernels.losses").cross_entropy(x, target, weight, rule)
        return loss

    def backward(self, g: Any, x: Any, target: Any, weight: Any, rule: LossRule) -> Any:
        if isinstance(g, np.ndarray | np.generic):
            kernel = twin("minimal.autograd.kernels.losses").cross_entropy_backward
            return kernel(np.asarray(g), self.p, target, weight, self.total, rule)
        from minimal.autograd.differentiate import grad
        from minimal.autograd.functions.losses import cross_entropy_in_parts

        loss = cross_entropy_in_parts(x, target, weight, rule)
        return grad(loss, x, g, create_graph=True)[0]


class BinaryCrossEntropy(Elementwise):
    """loss = -(y log p + (1 - y) log(1 - p)), logs at least -100;  dp = (p - y) / (p (1 - p)),  dy = log((1 - p) / p)."""

    saves = "inputs"

    @staticmethod
    def forward(p: Any, y: Any) -> Any:
        return (y - 1.0) * np.maximum(np.log1p(-p), -100.0) - y * np.maximum(np.log(p), -100.0)

    @staticmethod
    def dx(g: Any, p: Any, y: Any) -> Any:
        return g * (p - y) / np.maximum((1.0 - p) * p, 1e-12)

    @staticmethod
    def dy(g: Any, p: Any, y: Any) -> Any:
        return g * (np.maximum(np.log1p(-p), -100.0) - np.maximum(np.log(p), -100.0))
