"""Sums, means and other reductions under PyTorch's names: over all elements, or along ``dim``, kept with size 1 if asked."""

from __future__ import annotations

from typing import Any

from minimal.autograd import dtypes
from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.operations import reductions as ops
from minimal.autograd.tensor import Tensor


def axes_in(dim: Any, ndim: int) -> tuple[int, ...]:
    """The axes that ``dim`` names: all of them for None or an empty sequence.

    Raises
    ------
    IndexError, RuntimeError
        If there is no such dimension, or one comes twice.
    """
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    axes = [axis_in(d, ndim) for d in (dim if isinstance(dim, tuple | list) else (dim,))]
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"dim {axes[0]} appears multiple times in the list of dims")
    return tuple(axes) if ndim else ()


def _named(dim: Any, keepdim: bool, axis: Any, keepdims: bool | None) -> tuple[Any, bool]:
    """PyTorch takes NumPy's ``axis`` and ``keepdims`` too."""
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Tensor:
    """The sum.  Whole numbers and bools add up in int64.  Source: torch.sum, 2.13.0."""
    dim, keepdim = _named(dim, keepdim, axis, keepdims)
    if dtype is None and input.array.dtype.kind != "f":
        dtype = dtypes.INT64
    source = input if dtype is None else input.to(dtype)
    return ops.Sum.apply(source, axes_in(dim, input.ndim), keepdim)


def mean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Tensor:
    """The mean.  Source: torch.mean, 2.13.0.

    Raises
    ------
    RuntimeError
        For whole numbers: give a floating point ``dtype``.
    """
    dim, keepdim = _named(dim, keepdim, axis, keepdims)
    source = input if dtype is None else input.to(dtype)
    if source.array.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{source.dtype}"
        )
    return ops.Mean.apply(source, axes_in(dim, input.ndim), keepdim)
