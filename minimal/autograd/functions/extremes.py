"""The largest, the smallest and the middle, and where they stand, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd import return_types
from minimal.autograd.functions.elementwise import maximum, minimum
from minimal.autograd.functions.reductions import axes_in
from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.operations import reductions as ops
from minimal.autograd.operations import sorting
from minimal.autograd.tensor import Tensor


def _refuse_nothing(input: Tensor, axes: tuple[int, ...], name: str, error: type[Exception] = IndexError) -> None:
    """An extreme needs a number to choose.

    Raises
    ------
    IndexError, or ``error`` if the tensor is reduced as a whole
    """
    for axis in axes:
        if input.ndim and not input.shape[axis]:
            if len(axes) == input.ndim and len(axes) != 1:
                raise error(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")


def _refuse_empty(input: Tensor, name: str, error: type[Exception] = RuntimeError) -> None:
    if not input.array.size:
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument."
        )


def _selected(operation: Any, name: str, input: Tensor, dim: int, keepdim: bool, *rule: Any) -> Any:
    """(values, indices) along one dimension, under the name that PyTorch gives to such a pair."""
    if not isinstance(dim, int | np.integer):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    axis = axis_in(dim, input.ndim)
    _refuse_nothing(input, (axis,), name)
    pair = getattr(return_types, name)
    if input.ndim == 0:
        return pair(*operation.apply(input.reshape(1), 0, False, *rule))
    return pair(*operation.apply(input, axis, keepdim, *rule))


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The largest of all; (values, indices) of the largest along ``dim``; or, of two tensors, their :func:`maximum`.

    Parameters
    ----------
    input : Tensor
    dim : int or Tensor, optional
        The dimension, or another tensor.
    keepdim : bool, default=False

    Returns
    -------
    Tensor, or a named tuple (values, indices) if ``dim`` is a dimension
        The first of several that are the largest.  NaN counts as larger than all.

    Source: torch.max, 2.13.0.
    """
    if isinstance(dim, Tensor) or other is not None:
        return maximum(input, dim if other is None else other)
    if dim is None:
        _refuse_empty(input, "max")
        return ops.Max.apply(input)
    return _selected(sorting.MaxAlong, "max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The smallest of all, along ``dim`` with indices, or of two tensors, as :func:`max`.  Source: torch.min, 2.13.0."""
    if isinstance(dim, Tensor) or other is not None:
        return minimum(input, dim if other is None else other)
    if dim is None:
        _refuse_empty(input, "min")
        return ops.Min.apply(input)
    return _selected(sorting.MinAlong, "min", input, dim, keepdim)


def _extreme(operation: Any, name: str, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    if dim is None or dim == () or dim == []:
        _refuse_empty(input, name)
    axes = axes_in(dim, input.ndim)
    _refuse_nothing(input, axes, name)
    return operation.apply(input, axes, keepdim)


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest along one or several dimensions; those that tie share the gradient.  Source: torch.amax, 2.13.0."""
    return _extreme(ops.Amax, "amax", input, dim, keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest along one or several dimensions; those that tie share the gradient.  Source: torch.amin, 2.13.0."""
    return _extreme(ops.Amin, "amin", input, dim, keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest, of all or along ``dim``: a named tuple (min, max).  Source: torch.aminmax, 2.13.0."""
    if dim is None and not input.array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    low, high = (_extreme(operation, "aminmax", input, dim, keepdim) for operation in (ops.Amin, ops.Amax))
    return return_types.aminmax(low, high)


def _where(find: Any, name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    if input.array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None:
        _refuse_empty(input, name, IndexError)
        at = np.asarray(find(input.array))
        return Tensor(at.reshape((1,) * input.ndim) if keepdim else at)
    axis = axis_in(dim, input.ndim)
    _refuse_nothing(input, (axis,), name)
    return Tensor(np.asarray(find(input.array, axis if input.ndim else None, keepdims=keepdim)))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest stands, the first of several: in one long row, or along ``dim``.  Source: torch.argmax, 2.13.0."""
    return _where(np.argmax, "argmax", input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest stands, the first of several: in one long row, or along ``dim``.  Source: torch.argmin, 2.13.0."""
    return _where(np.argmin, "argmin", input, dim, keepdim)


def _refuse_bool(input: Tensor, dim: int | None, name: str) -> None:
    axis_in(0 if dim is None else dim, input.ndim)
    if input.array.dtype.kind == "b":
        raise NotImplementedError(f'"{name}_cpu" not implemented for bool')


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of all, or (values, indices) along ``dim``: the lower one of two; NaN if there is one.

    Source: torch.median, 2.13.0.  Differs from the reference in the index where several are equal to the median, which is
    undefined there.
    """
    _refuse_bool(input, dim, "median")
    if dim is None:
        return ops.Median.apply(input)
    return _selected(sorting.MedianAlong, "median", input, dim, keepdim, False)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """As :func:`median`, of what is not NaN.  Source: torch.nanmedian, 2.13.0."""
    _refuse_bool(input, dim, "nanmedian")
    if dim is None:
        return ops.Nanmedian.apply(input)
    return _selected(sorting.MedianAlong, "nanmedian", input, dim, keepdim, True)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the most frequent along ``dim``, the smallest of several, at its last place.

    Source: torch.mode, 2.13.0.
    """
    return _selected(sorting.ModeAlong, "mode", input, dim, keepdim)
