"""Sums, products and extremes of all that came so far along a dimension, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from minimal.autograd import dtypes, return_types
from minimal.autograd.functions.joining import cat
from minimal.autograd.functions.questions import not_equal
from minimal.autograd.functions.shapes import axis_in, narrow
from minimal.autograd.operations import cumulative as ops
from minimal.autograd.tensor import Tensor


def _running(operation: Any, input: Tensor, dim: int) -> Any:
    axis = axis_in(dim, input.ndim)
    if input.ndim:
        return operation.apply(input, axis)
    out = operation.apply(input.reshape(1), 0)
    return tuple(part.reshape(()) for part in out) if isinstance(out, tuple) else out.reshape(())


def _in(input: Tensor, dtype: Any) -> Tensor:
    if dtype is None and input.array.dtype.kind != "f":
        dtype = dtypes.INT64
    return input if dtype is None else input.to(dtype)


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sum of all so far.  Whole numbers and bools add up in int64.  Source: torch.cumsum, 2.13.0."""
    return _running(ops.Cumsum, _in(input, dtype), dim)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The product of all so far.  Whole numbers and bools multiply in int64.  Source: torch.cumprod, 2.13.0."""
    return _running(ops.Cumprod, _in(input, dtype), dim)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the sum of e^x of all so far, without overflow.  Source: torch.logcumsumexp, 2.13.0."""
    axis_in(dim, input.ndim)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"logcumsumexp_out_cpu" not implemented for {input.dtype}')
    return _running(ops.Logcumsumexp, input, dim)


def cummax(input: Tensor, dim: int) -> Any:
    """(values, indices) of the largest so far, the latest of several.  Source: torch.cummax, 2.13.0."""
    return return_types.cummax(*_running(ops.Cummax, input, dim))


def cummin(input: Tensor, dim: int) -> Any:
    """(values, indices) of the smallest so far, the latest of several.  Source: torch.cummin, 2.13.0."""
    return return_types.cummin(*_running(ops.Cummin, input, dim))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times.  Source: torch.diff, 2.13.0.

    Raises
    ------
    RuntimeError
        On a tensor without dimensions, or for a negative n.
    """
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = axis_in(dim, input.ndim)
    x = cat([part for part in (prepend, input, append) if part is not None], axis)
    for _ in range(min(n, x.shape[axis])):
        size = x.shape[axis] - 1
        after, before = narrow(x, axis, 1, size), narrow(x, axis, 0, size)
        x = not_equal(after, before) if x.array.dtype.kind == "b" else after - before
    return x
