"""The error function: NumPy has none, so it comes from a kernel."""

from __future__ import annotations

from typing import Any

from minimal.autograd.tensor import Tensor
from minimal.engine import twin


def erf_of(x: Any) -> Any:
    """erf of an array or a Tensor."""
    return x.erf() if isinstance(x, Tensor) else twin("minimal.autograd.kernels.special").erf(x)


def erfc_of(x: Any) -> Any:
    """1 - erf of an array or a Tensor."""
    return x.erfc() if isinstance(x, Tensor) else twin("minimal.autograd.kernels.special").erfc(x)
