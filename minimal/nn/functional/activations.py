"""Activation functions.  With ``inplace=True``, where a function has it, the input is changed and returned.

Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from minimal.autograd import functions as ops
from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.in_place import change
from minimal.autograd.tensor import Tensor

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]

gelu = ops.gelu
hardshrink = ops.hardshrink
logsigmoid = ops.logsigmoid
sigmoid = ops.sigmoid
softplus = ops.softplus
softshrink = ops.softshrink
tanh = ops.tanh


def _applied(function: Callable[[Tensor], Tensor], input: Tensor, inplace: bool) -> Tensor:
    return change(input, function) if inplace else function(input)


# ---------------------------------------------------------------- rectifiers


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return change(input, ops.relu) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """max(x, 0), in place."""
    return change(input, ops.relu)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x if x > 0, else ``negative_slope`` x."""
    return _applied(lambda x: ops.leaky_relu(x, negative_slope), input, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x if x > 0, else ``weight`` x, with one weight or one for each channel (axis 1)."""
    return ops.prelu(input, weight)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x if x > ``threshold``, else ``value``."""
    return _applied(lambda x: ops.threshold(x, threshold, value), input, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x, but not below ``min_val`` nor above ``max_val``; ValueError if min_val is above max_val."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _applied(lambda x: ops.hardtanh(x, min_val, max_val), input, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1 / 2, but not below 0 nor above 1."""
    return _applied(ops.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x)."""
    return _applied(ops.hardswish, input, inplace)


# ---------------------------------------------------------------- smooth ones


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x if x > 0, else ``alpha`` (exp(x) - 1)."""
    return _applied(lambda x: ops.elu(x, alpha), input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x if x > 0, else ``alpha`` (exp(x / alpha) - 1)."""
    return _applied(lambda x: ops.celu(x, alpha), input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """s (x if x > 0, else a (exp(x) - 1)), with s = 1.0507... and a = 1.6733..."""
    return _applied(ops.selu, input, inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x)."""
    return _applied(ops.silu, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x))."""
    return _applied(ops.mish, input, inplace)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


# ---------------------------------------------------------------- along an axis


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum of exp(x) along ``dim``; without ``dim``, a warning and PyTorch's choice of an axis."""
    return ops.softmax(input, _axis("softmax", dim, input.ndim, _stacklevel), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - log of the sum of exp(x) along ``dim``; without ``dim``, a warning and PyTorch's choice of an axis."""
    return ops.log_softmax(input, _axis("log_softmax", dim, input.ndim, _stacklevel), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along ``dim``; without ``dim``, a warning and PyTorch's choice of an axis."""
    return ops.softmax(-input, _axis("softmin", dim, input.ndim, _stacklevel), dtype=dtype)


def _axis(name: str, dim: int | None, ndim: int, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), where a and b are the halves of x along ``dim``; RuntimeError if it cannot be halved."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.shape[axis_in(dim, input.ndim)]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    a, b = input.chunk(2, dim)
    return a * b.sigmoid()
