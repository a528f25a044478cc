"""Activation functions: the bends that make a network more than one matrix.

Most are pieces of lines, so their derivative is a question of where x lies; the conventions at the corners are PyTorch's.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

from minimal.autograd.operation import Elementwise
from minimal.autograd.operations.special import erf_of
from minimal.autograd.tensor import Tensor
from minimal.engine import twin

# ---------------------------------------------------------------- pieces of lines


def _rectifier() -> ModuleType:
    return twin("minimal.autograd.kernels.rectifier")


class Relu(Elementwise):
    """out = max(x, 0),  so  dx = g where out > 0."""

    saves = "output"
    asks_twin = True

    @staticmethod
    def forward(x: Any) -> Any:
        return _rectifier().relu(x)

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return np.where(out <= 0, 0.0, g) if isinstance(g, Tensor) else _rectifier().relu_backward(g, out)


class LeakyRelu(Elementwise):
    """out = x where x > 0, else a x  (a is the slope);  dx = g, or a g."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, slope: float) -> Any:
        return np.where(x > 0, x, x * slope)

    @staticmethod
    def dx(g: Any, x: Any, slope: float) -> Any:
        return np.where(x > 0, g, g * slope)


class Prelu(Elementwise):
    """out = x where x > 0, else a x, where a is learned;  dx = g, or a g;  da = 0, or g x."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, slope: Any) -> Any:
        return np.where(x > 0, x, x * slope)

    @staticmethod
    def dx(g: Any, x: Any, slope: Any) -> Any:
        return np.where(x > 0, g, g * slope)

    @staticmethod
    def dy(g: Any, x: Any, slope: Any) -> Any:
        return np.where(x > 0, 0.0, g * x)


class Threshold(Elementwise):
    """out = x where x > threshold, else a value;  dx = g, or 0."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, threshold: float, value: float) -> Any:
        return np.where(x <= threshold, x.dtype.type(value), x)

    @staticmethod
    def dx(g: Any, x: Any, threshold: float, value: float) -> Any:
        return np.where(x <= threshold, 0.0, g)


class Hardtanh(Elementwise):
    """out = x within [low, high];  dx = g strictly inside."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, low: float, high: float) -> Any:
        return np.minimum(np.maximum(x, low), high)

    @staticmethod
    def dx(g: Any, x: Any, low: float, high: float) -> Any:
        return np.where((x <= low) | (x >= high), 0.0, g)


class Hardsigmoid(Elementwise):
    """out = x / 6 + 1 / 2 within [0, 1];  dx = g / 6 where -3 < x < 3."""

    saves = "inputs"
    sixth = float(np.float32(1 / 6))  # in single precision whatever the dtype, as in PyTorch's gradient

    @staticmethod
    def forward(x: Any) -> Any:
        return np.minimum(np.maximum(x + 3, 0), 6) / 6

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return np.where((x > -3) & (x < 3), g * Hardsigmoid.sixth, 0.0)


class Hardswish(Elementwise):
    """out = x hardsigmoid(x);  dx = g (x / 3 + 1 / 2) between -3 and 3, 0 below, g above."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any) -> Any:
        return x * np.minimum(np.maximum(x + 3, 0), 6) / 6

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return np.where(x <= -3, 0.0, np.where(x < 3, g * (x / 3 + 0.5), g))


class Hardshrink(Elementwise):
    """out = x where |x| > a, else 0;  dx = g, or 0."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, a: float) -> Any:
        return np.where((x >= -a) & (x <= a), x.dtype.type(0), x)

    @staticmethod
    def dx(g: Any, x: Any, a: float) -> Any:
        return np.where((x >= -a) & (x <= a), 0.0, g)


class Softshrink(Elementwise):
    """out = x pulled towards 0 by a, and 0 where |x| <= a;  dx = g, or 0."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, a: float) -> Any:
        return np.where(x > a, x - a, np.where(x < -a, x + a, x * x.dtype.type(0)))

    @staticmethod
    def dx(g: Any, x: Any, a: float) -> Any:
        return np.where((x >= -a) & (x <= a), 0.0, g)


# ---------------------------------------------------------------- smooth ones


def _sigmoid(x: Any) -> Any:
    return x.sigmoid() if isinstance(x, Tensor) else 1.0 / (1.0 + np.exp(-x))


class Elu(Elementwise):
    """out = s x where x > 0, else s a (e^x - 1);  dx = s g, or s a e^x g.

    ELU itself has s = 1, and SELU has the s and a that keep mean 0 and variance 1.
    """

    saves = "inputs"

    @staticmethod
    def forward(x: Any, a: float, s: float) -> Any:
        return np.where(x > 0, x * s, np.expm1(x) * (a * s))

    @staticmethod
    def dx(g: Any, x: Any, a: float, s: float) -> Any:
        return np.where(x > 0, g * s, g * (a * s) * np.exp(np.minimum(x, 0.0)))


class Celu(Elementwise):
    """out = x where x > 0, else a (e^(x / a) - 1);  dx = g, or e^(x / a) g, where PyTorch's a is in single precision."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, a: float) -> Any:
        return np.where(x > 0, x, np.expm1(x / a) * a)

    @staticmethod
    def dx(g: Any, x: Any, a: float) -> Any:
        rate = 1.0 / float(np.float32(a))
        return np.where(x > 0, g, g * (a * rate) * np.exp(np.minimum(x * rate, 0.0)))


class Gelu(Elementwise):
    """out = x P(x), where P is the normal distribution's integral and p its density;  dx = g (P(x) + x p(x))."""

    saves = "inputs"
    asks_twin = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x * (0.5 * (1.0 + erf_of(x * math.sqrt(0.5))))

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        integral = 0.5 * (1.0 + erf_of(x * math.sqrt(0.5)))
        density = np.exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * math.pi))
        return g * (integral + x * density)


class GeluTanh(Elementwise):
    """out = x (1 + t) / 2 with t = tanh(u), u = c (x + k x^3), which is close to GELU.

    dx = g ((1 + t) / 2 + x (1 - t^2) c (1 + 3 k x^2) / 2).
    """

    saves = "inputs"
    c, k = math.sqrt(2 / math.pi), 0.044715

    @staticmethod
    def _tanh(x: Any) -> Any:
        return np.tanh(GeluTanh.c * (x + GeluTanh.k * (x * x * x)))

    @staticmethod
    def forward(x: Any) -> Any:
        return 0.5 * x * (1.0 + GeluTanh._tanh(x))

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        t = GeluTanh._tanh(x)
        slope = GeluTanh.c * (1.0 + 3 * GeluTanh.k * (x * x))
        return g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope)


class Silu(Elementwise):
    """out = x s with s = sigmoid(x),  so  dx = g s (1 + x (1 - s))."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any) -> Any:
        return x / (1.0 + np.exp(-x))

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        s = _sigmoid(x)
        return g * (s * (1.0 + x * (1.0 - s)))


class Softplus(Elementwise):
    """out = ln(1 + e^(b x)) / b, and x where b x is above a threshold, since the difference is nothing there.

    dx = g sigmoid(b x), or g.
    """

    saves = "inputs"

    @staticmethod
    def forward(x: Any, b: float, threshold: float) -> Any:
        return np.where(x * b > threshold, x, np.log1p(np.exp(x * b)) / b)

    @staticmethod
    def dx(g: Any, x: Any, b: float, threshold: float) -> Any:
        return np.where(x * b > threshold, g, g * _sigmoid(x * b))


class Logsigmoid(Elementwise):
    """out = ln sigmoid(x) = min(x, 0) - ln(1 + e^-|x|),  so  dx = g sigmoid(-x)."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any) -> Any:
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * _sigmoid(-x)


class Mish(Elementwise):
    """out = x t with t = tanh(softplus(x)),  so  dx = g (t + x (1 - t^2) sigmoid(x))."""

    saves = "inputs"

    @staticmethod
    def _tanh(x: Any) -> Any:
        return np.tanh(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))

    @staticmethod
    def forward(x: Any) -> Any:
        return x * Mish._tanh(x)

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        t = Mish._tanh(x)
        return g * (t + x * (1.0 - t * t) * _sigmoid(x))
