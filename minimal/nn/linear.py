"""Layers that are a matrix product: Linear, Bilinear, and Identity, which is none at all."""

from __future__ import annotations

import math
from typing import Any

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn import init
from minimal.nn.module import Module
from minimal.nn.parameter import Parameter, new_parameter

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """y = x, whatever arguments it is made with: a place where a layer could be.

    Source: torch.nn.Identity, 2.13.0.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """y = x W^T + b.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of x and y.
    bias : bool
        Whether there is a b.  Default: True.
    device : None or "cpu"
    dtype : dtype, optional
        Default: the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None
        Both are drawn from U(-k, k) with k = 1 / sqrt(in_features), the weight first.

    Shapes: x (..., in_features), y (..., out_features).

    Source: torch.nn.Linear, 2.13.0; the same seed gives the same numbers.
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: object = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = new_parameter(out_features, in_features, device=device, dtype=dtype)
        self.register_parameter("bias", new_parameter(out_features, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # U(-k, k): gain sqrt(1 / 3) meets bound sqrt(3) / sqrt(fan)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y_k = x1^T A_k x2 + b_k.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        Lengths of x1, x2 and y.
    bias : bool
        Whether there is a b.  Default: True.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (out_features, in1_features, in2_features)
    bias : Parameter of shape (out_features,), or None
        Both are drawn from U(-k, k) with k = 1 / sqrt(in1_features), the weight first.

    Raises
    ------
    ValueError
        If ``in1_features`` is not positive.

    Source: torch.nn.Bilinear, 2.13.0.
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: object = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = new_parameter(out_features, in1_features, in2_features, device=device, dtype=dtype)
        self.register_parameter("bias", new_parameter(out_features, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
