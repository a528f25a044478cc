"""Activation layers: what makes a network more than one linear map, elementwise or along one axis.

With ``inplace=True``, where a layer has it, the input is changed.  Source of all: the classes of torch.nn, 2.13.0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn import init
from minimal.nn.module import Module
from minimal.nn.parameter import new_parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Plain(Module):
    """An activation without parameters; a subclass names its function."""

    function: ClassVar[Callable[..., Tensor]]

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input)


class _Inplace(Module):
    """An activation that may change its input; a subclass names its function, and parameters if it has some."""

    function: ClassVar[Callable[..., Tensor]]
    parameters_shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        values = [getattr(self, name) for name in self.parameters_shown]
        return type(self).function(input, *values, self.inplace)

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)}" for name in self.parameters_shown]
        return ", ".join([*shown, "inplace=True"] if self.inplace else shown)


# ---------------------------------------------------------------- rectifiers


class ReLU(_Inplace):
    """max(x, 0)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class ReLU6(_Inplace):
    """min(max(x, 0), 6)."""

    function = staticmethod(F.relu6)


class LeakyReLU(_Inplace):
    """x if x > 0, else ``negative_slope`` x.  Default: 0.01."""

    function = staticmethod(F.leaky_relu)
    parameters_shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope


class PReLU(Module):
    """x if x > 0, else weight x, with a weight that is learned: one, or one for each channel (axis 1).

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.  Default: 1.
    init : float
        The first value of the weight.  Default: 0.25.
    device : None or "cpu"
    dtype : dtype, optional
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: object = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = new_parameter(num_parameters, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give the weight its first value again."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Threshold(_Inplace):
    """x if x > ``threshold``, else ``value``."""

    function = staticmethod(F.threshold)
    parameters_shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value


class Hardtanh(_Inplace):
    """x, but not below ``min_val`` nor above ``max_val``.  Default: -1 and 1.

    Raises
    ------
    ValueError
        If ``max_val`` is not above ``min_val``.
    """

    function = staticmethod(F.hardtanh)
    parameters_shown = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for name, old in (("min", min_value), ("max", max_value)):
            if old is not None:
                warnings.warn(
                    f"keyword argument `{name}_value` is deprecated and rename to `{name}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if not self.max_val > self.min_val:
            raise ValueError(f"max_val must be larger than min_val, got {self.max_val} and {self.min_val}")


# ---------------------------------------------------------------- smooth ones


class ELU(_Inplace):
    """x if x > 0, else ``alpha`` (exp(x) - 1).  Default: 1."""

    function = staticmethod(F.elu)
    parameters_shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class CELU(_Inplace):
    """x if x > 0, else ``alpha`` (exp(x / alpha) - 1).  Default: 1."""

    function = staticmethod(F.celu)
    parameters_shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class SELU(_Inplace):
    """s (x if x > 0, else a (exp(x) - 1)), with the s = 1.0507... and a = 1.6733... that keep mean 0 and variance 1."""

    function = staticmethod(F.selu)


class GELU(Module):
    """x Phi(x), Phi the distribution function of the normal distribution.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        With "tanh", Phi(x) is (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """x sigmoid(x)."""

    function = staticmethod(F.silu)


class Mish(_Inplace):
    """x tanh(softplus(x))."""

    function = staticmethod(F.mish)


class Sigmoid(_Plain):
    """1 / (1 + exp(-x))."""

    function = staticmethod(F.sigmoid)


class LogSigmoid(_Plain):
    """log(1 / (1 + exp(-x)))."""

    function = staticmethod(F.logsigmoid)


class Tanh(_Plain):
    """tanh(x)."""

    function = staticmethod(F.tanh)


class Tanhshrink(_Plain):
    """x - tanh(x)."""

    function = staticmethod(F.tanhshrink)


class Softsign(_Plain):
    """x / (1 + |x|)."""

    function = staticmethod(F.softsign)


class Softplus(Module):
    """log(1 + exp(``beta`` x)) / beta, and x itself where beta x > ``threshold``.  Default: 1 and 20."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


# ---------------------------------------------------------------- made of straight lines


class Hardsigmoid(_Inplace):
    """x / 6 + 1 / 2, but not below 0 nor above 1."""

    function = staticmethod(F.hardsigmoid)

    def extra_repr(self) -> str:
        return ""


class Hardswish(_Inplace):
    """x hardsigmoid(x)."""

    function = staticmethod(F.hardswish)

    def extra_repr(self) -> str:
        return ""


class Softshrink(Module):
    """x moved towards 0 by ``lambd``, and 0 where that would go past it.  Default: 0.5."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Module):
    """x where |x| > ``lambd``, else 0.  Default: 0.5."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


# ---------------------------------------------------------------- along an axis


class _AlongAxis(Module):
    """What the activations along an axis have in common."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """exp(x) / sum of exp(x) along ``dim``: probabilities."""

    function = staticmethod(F.softmax)


class LogSoftmax(_AlongAxis):
    """x - log of the sum of exp(x) along ``dim``: log-probabilities."""

    function = staticmethod(F.log_softmax)


class Softmin(_AlongAxis):
    """softmax(-x) along ``dim``."""

    function = staticmethod(F.softmin)


class Softmax2d(Module):
    """Softmax over the channels at every place of an image (N, C, H, W) or (C, H, W); ValueError for other shapes."""

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)


class GLU(_AlongAxis):
    """a sigmoid(b), where a and b are the halves of x along ``dim``.  Default: the last axis."""

    function = staticmethod(F.glu)

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)
