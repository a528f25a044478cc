"""Questions about each element, and bits, under PyTorch's names: nothing to differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.functions.elementwise import _array
from minimal.autograd.operation import broadcasting
from minimal.autograd.tensor import Tensor


def _question(ufunc: Any, name: str, meaning: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        a, b = (v.array if isinstance(v, Tensor) else v for v in (input, other))
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype != b.dtype:
            common = dtypes.result_type(a, b)
            a, b = a.astype(common, copy=False), b.astype(common, copy=False)
        elif isinstance(a, np.ndarray) and isinstance(b, float) and a.dtype.kind != "f":
            a = a.astype(dtypes.get_default_dtype())
        return Tensor(broadcasting(ufunc, a, b))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Whether {meaning}, elementwise.  Source: torch.{name}, 2.13.0."
    return function


eq = _question(np.equal, "eq", "x = y")
ne = not_equal = _question(np.not_equal, "ne", "x differs from y")
lt = less = _question(np.less, "lt", "x < y")
le = less_equal = _question(np.less_equal, "le", "x <= y")
gt = greater = _question(np.greater, "gt", "x > y")
ge = greater_equal = _question(np.greater_equal, "ge", "x >= y")
logical_and = _question(np.logical_and, "logical_and", "x and y are both not zero")
logical_or = _question(np.logical_or, "logical_or", "x or y is not zero")
logical_xor = _question(np.logical_xor, "logical_xor", "one of x and y is zero and the other is not")


def _bits(ufunc: Any, name: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        common = dtypes.result_type(input, other)
        if common.kind == "f":
            raise RuntimeError(f'"{name}_cpu" not implemented for {common}: bits are those of whole numbers')
        return Tensor(broadcasting(ufunc, _array(input, common), _array(other, common)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Bit by bit {name.rpartition('_')[2]} of whole numbers or bools.  Source: torch.{name}, 2.13.0."
    return function


bitwise_and = _bits(np.bitwise_and, "bitwise_and")
bitwise_or = _bits(np.bitwise_or, "bitwise_or")
bitwise_xor = _bits(np.bitwise_xor, "bitwise_xor")


def bitwise_not(input: Tensor) -> Tensor:
    """Bit by bit not of whole numbers or bools.  Source: torch.bitwise_not, 2.13.0."""
    return Tensor(np.invert(input.array))


def logical_not(input: Tensor) -> Tensor:
    """Whether x is zero, elementwise.  Source: torch.logical_not, 2.13.0."""
    return Tensor(np.logical_not(input.array))


def signbit(input: Tensor) -> Tensor:
    """Whether x has a minus sign (-0.0 has one too), elementwise.  Source: torch.signbit, 2.13.0."""
    return Tensor(np.signbit(input.array) if input.array.dtype.kind == "f" else input.array < 0)


def isnan(input: Tensor) -> Tensor:
    """Whether x is NaN, elementwise.  Source: torch.isnan, 2.13.0."""
    return Tensor(np.isnan(input.array))


def isinf(input: Tensor) -> Tensor:
    """Whether x is infinite, elementwise.  Source: torch.isinf, 2.13.0."""
    return Tensor(np.isinf(input.array))


def isfinite(input: Tensor) -> Tensor:
    """Whether x is neither infinite nor NaN, elementwise.  Source: torch.isfinite, 2.13.0."""
    return Tensor(np.isfinite(input.array))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |x - y| <= atol + rtol |y|, elementwise.  Source: torch.isclose, 2.13.0."""
    return Tensor(np.isclose(input.array, other.array, rtol=rtol, atol=atol, equal_nan=equal_nan))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``isclose`` holds everywhere.  Source: torch.allclose, 2.13.0."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and the same elements.  Source: torch.equal, 2.13.0."""
    return input.shape == other.shape and bool(np.array_equal(input.array, other.array))
