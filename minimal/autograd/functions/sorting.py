"""Order, rank and counting under PyTorch's names.

NaN counts as larger than everything.  Equal numbers keep their order in ``sort`` and ``argsort``, with and without
``stable=True``, as they do in PyTorch on the CPU.  Which of several equal ones ``topk`` and ``kthvalue`` take is undefined
there and here, and not always the same one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimal.autograd import dtypes, return_types
from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.operations import sorting as ops
from minimal.autograd.tensor import Tensor


def _selected(operation: Any, input: Tensor, dim: int, keepdim: bool, *rule: Any) -> tuple[Tensor, Tensor]:
    axis = axis_in(dim, input.ndim)
    if input.ndim:
        return operation.apply(input, axis, keepdim, *rule)
    values, indices = operation.apply(input.reshape(1), 0, False, *rule)
    return values, indices


def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """(values, indices) in order along ``dim``.  Source: torch.sort, 2.13.0."""
    return return_types.sort(*_selected(ops.Sort, input, dim, True, descending))


def msort(input: Tensor) -> Tensor:
    """The values in order along the first dimension.  Source: torch.msort, 2.13.0."""
    return sort(input, 0)[0]


def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Tensor:
    """The indices that put ``dim`` in order.  Source: torch.argsort, 2.13.0."""
    if input.ndim == 0:
        axis_in(dim, 0)
        return Tensor(np.zeros((), dtype=np.int64))
    return Tensor(ops.order_of(input.array, axis_in(dim, input.ndim), descending))


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest (or smallest) along ``dim``, the most extreme first.

    Raises
    ------
    RuntimeError
        If there are fewer than k.

    Source: torch.topk, 2.13.0.  Differs from the reference in which of several equal ones it takes, and in that it sorts even
    with ``sorted=False``.
    """
    if input.array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    axis = axis_in(dim, input.ndim)
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"selected index k out of range: k = {k}, and dimension {axis} of {list(input.shape)}")
    if input.ndim == 0:  # even with k = 0, as in PyTorch
        return return_types.topk(*_selected(ops.Topk, input, axis, True, 1, largest))
    return return_types.topk(*_selected(ops.Topk, input, axis, True, k, largest))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the k-th smallest along ``dim``, counted from 1.

    Raises
    ------
    RuntimeError
        If there is no k-th.

    Source: torch.kthvalue, 2.13.0.
    """
    axis = axis_in(dim, input.ndim)
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {axis}: {k} of {list(input.shape)}"
        )
    if input.array.dtype.kind == "b":
        raise NotImplementedError('"kthvalue_cpu" not implemented for bool')
    return return_types.kthvalue(*_selected(ops.Kthvalue, input, axis, keepdim, k))


# ---------------------------------------------------------------- which values there are, and how often


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different values in order (or the different entries along ``dim``), each NaN being one of its own.

    Parameters
    ----------
    input : Tensor
    sorted : bool, default=True
        They are in order in any case.
    return_inverse : bool, default=False
        Also give, for each element, where its value stands among the different ones.
    return_counts : bool, default=False
        Also give how often each comes.
    dim : int, optional
        Default: all elements, in one long row.

    Source: torch.unique, 2.13.0.
    """
    axis = None if dim is None else axis_in(dim, input.ndim)
    wanted: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts}
    found = np.unique(input.array, axis=axis, equal_nan=False, **wanted)
    if not return_inverse and not return_counts:
        return Tensor(found)
    parts = [Tensor(part) for part in found]
    if return_inverse:
        parts[1] = parts[1].reshape(input.shape if dim is None else -1)
    return tuple(parts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The values without those that equal the one before them.  Source: torch.unique_consecutive, 2.13.0."""
    rows = input.array.reshape(-1) if dim is None else np.moveaxis(input.array, axis_in(dim, input.ndim), 0)
    changes = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    begins = np.concatenate([np.ones(min(len(rows), 1), dtype=bool), changes])
    starts = np.flatnonzero(begins)
    values = rows[begins] if dim is None else np.moveaxis(rows[begins], 0, axis_in(dim, input.ndim))
    parts = [Tensor(values)]
    if return_inverse:
        inverse = np.cumsum(begins) - 1
        parts.append(Tensor(inverse.reshape(input.shape) if dim is None else inverse))
    if return_counts:
        parts.append(Tensor(np.diff(starts, append=len(rows))))
    return parts[0] if len(parts) == 1 else tuple(parts)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... comes, or the sum of the weights where it comes.

    Raises
    ------
    RuntimeError
        For negative numbers, several dimensions, or weights of another length.

    Source: torch.bincount, 2.13.0.
    """
    if input.array.dtype.kind not in "iu":
        raise NotImplementedError(f'"bincount_cpu" not implemented for {input.dtype}')
    if input.ndim != 1 or (input.array.size and input.array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is None:
        return Tensor(np.bincount(input.array, minlength=minlength))
    if weights.shape != input.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input: {list(weights.shape)} and {list(input.shape)}"
        )
    total = np.bincount(input.array, weights.array, minlength)
    return Tensor(total.astype(np.float32 if weights.dtype == np.float32 else np.float64))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of ``bins`` equal parts of [min, max]; of their own range if both are equal.

    Source: torch.histc, 2.13.0.
    """
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"histogram_cpu" not implemented for {input.dtype}')
    low, high = float(min), float(max)
    if low == high and input.array.size:
        low, high = float(input.array.min()), float(input.array.max())
    if low == high:
        low, high = low - 1, high + 1
    if bins <= 0:
        raise RuntimeError(f"torch.histc(): bins must be > 0, but got {bins}")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    inside = input.array[(input.array >= low) & (input.array <= high)]
    part = ((inside - low) / (high - low) * bins).astype(np.int64)
    return Tensor(np.bincount(np.minimum(part, bins - 1), minlength=bins).astype(input.dtype))


# ---------------------------------------------------------------- where a value belongs


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """How many of a sequence in order lie below each value (or, from the right, not above it).

    Parameters
    ----------
    sorted_sequence : Tensor of shape (..., n)
        In order along the last dimension.
    input : Tensor of shape (..., m), or of any shape if the sequence is one row, or number
    out_int32 : bool, default=False
        int32 instead of int64.
    right : bool, default=False
        Count those that are equal too.
    side : {"left", "right"}, optional
        The same in words.
    sorter : Tensor, optional
        The indices that put the sequence in order, if it is not.

    Source: torch.searchsorted, 2.13.0.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    rows, values = sorted_sequence.array, input.array if isinstance(input, Tensor) else np.asarray(input)
    if rows.ndim > 1 and (rows.ndim != values.ndim or rows.shape[:-1] != values.shape[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input value tensor "
            f"{list(values.shape)}"
        )
    if sorter is not None:
        rows = np.take_along_axis(rows, sorter.array, -1)
    where: Any = "right" if right or side == "right" else "left"
    if rows.ndim == 1:
        found = np.searchsorted(rows, values, where)
    else:
        found = np.empty(values.shape, dtype=np.int64)
        for place in np.ndindex(rows.shape[:-1]):
            found[place] = np.searchsorted(rows[place], values[place], where)
    return Tensor(np.asarray(found).astype(np.int32 if out_int32 else dtypes.INT64))


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """As :func:`searchsorted` with one row of boundaries, the values first.  Source: torch.bucketize, 2.13.0."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
