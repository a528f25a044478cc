"""Activation functions under PyTorch's names."""

from __future__ import annotations

from minimal.autograd.operation import Elementwise
from minimal.autograd.operations import activations as ops
from minimal.autograd.tensor import Tensor


def _floating(input: Tensor, name: str) -> Tensor:
    """The tensor, if its numbers are floating point."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}: use a floating point tensor')
    return input


def _applied(operation: type[Elementwise], name: str, input: Tensor, *numbers: float) -> Tensor:
    return operation.apply(_floating(input, name), *map(float, numbers))


def relu(input: Tensor) -> Tensor:
    """max(x, 0).  Source: torch.relu, 2.13.0.

    Raises
    ------
    RuntimeError
        On a bool tensor.
    """
    if input.array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return ops.Relu.unary(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else ``negative_slope`` x.  Source: torch.nn.functional.leaky_relu, 2.13.0."""
    return _applied(ops.LeakyRelu, "leaky_relu", input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else a x with a = ``weight``: one number, or one for each channel.

    Parameters
    ----------
    input : Tensor of shape (N, C, ...) or ()
    weight : Tensor of shape (C,), (1,) or ()

    Raises
    ------
    RuntimeError
        If ``weight`` has another shape, or the dtypes differ.

    Source: torch.prelu, 2.13.0.
    """
    if input.dtype != weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}")
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}, shape {list(weight.shape)}"
        )
    count = weight.array.size
    if count != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != count:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}: shapes {list(weight.shape)} and {list(input.shape)}."
            )
    shape = [1] * input.ndim
    if input.ndim > 1:
        shape[1] = count
    return ops.Prelu.binary(_floating(input, "prelu"), weight.reshape(shape))


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """x where x > ``threshold``, else ``value``.  Source: torch.threshold, 2.13.0."""
    if input.array.dtype.kind != "f":
        threshold, value = int(threshold), int(value)
    return ops.Threshold.apply(input, threshold, value)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x within [min_val, max_val], with no gradient at the ends.  Source: torch.nn.functional.hardtanh, 2.13.0."""
    if input.array.dtype.kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return ops.Hardtanh.apply(input, min_val, max_val)


def hardsigmoid(input: Tensor) -> Tensor:
    """x / 6 + 1 / 2 within [0, 1].  Source: torch.nn.functional.hardsigmoid, 2.13.0."""
    return ops.Hardsigmoid.unary(_floating(input, "hardsigmoid"))


def hardswish(input: Tensor) -> Tensor:
    """x hardsigmoid(x).  Source: torch.nn.functional.hardswish, 2.13.0."""
    return ops.Hardswish.unary(_floating(input, "hardswish"))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > ``lambd``, else 0.  Source: torch.hardshrink, 2.13.0."""
    return _applied(ops.Hardshrink, "hardshrink", input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x pulled towards 0 by ``lambd``.  Source: torch.nn.functional.softshrink, 2.13.0.

    Raises
    ------
    RuntimeError
        If ``lambd`` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    return _applied(ops.Softshrink, "softshrink", input, lambd)


# ---------------------------------------------------------------- smooth ones


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else ``alpha`` (e^x - 1).  Source: torch.nn.functional.elu, 2.13.0."""
    return _applied(ops.Elu, "elu", input, alpha, 1)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else ``alpha`` (e^(x / alpha) - 1).  Source: torch.celu, 2.13.0.

    Raises
    ------
    RuntimeError
        If ``alpha`` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _applied(ops.Celu, "celu", input, alpha)


_SELU = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Tensor) -> Tensor:
    """s x where x > 0, else s a (e^x - 1), with the s and a that keep mean 0 and variance 1.  Source: torch.selu, 2.13.0."""
    return _applied(ops.Elu, "selu", input, *_SELU)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x P(x), where P is the normal distribution's integral, or with "tanh" a formula that is close to it.

    Raises
    ------
    RuntimeError
        If ``approximate`` is neither "none" nor "tanh".

    Source: torch.nn.functional.gelu, 2.13.0.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return (ops.Gelu if approximate == "none" else ops.GeluTanh).unary(_floating(input, "gelu"))


def silu(input: Tensor) -> Tensor:
    """x sigmoid(x).  Source: torch.nn.functional.silu, 2.13.0."""
    return ops.Silu.unary(_floating(input, "silu"))


def mish(input: Tensor) -> Tensor:
    """x tanh(softplus(x)).  Source: torch.nn.functional.mish, 2.13.0."""
    return ops.Mish.unary(_floating(input, "mish"))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(beta x)) / beta; x itself where beta x > ``threshold``.  Source: torch.nn.functional.softplus, 2.13.0."""
    return _applied(ops.Softplus, "softplus", input, beta, threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """ln sigmoid(x), which is never ln 0.  Source: torch.nn.functional.logsigmoid, 2.13.0."""
    return ops.Logsigmoid.unary(_floating(input, "log_sigmoid"))
