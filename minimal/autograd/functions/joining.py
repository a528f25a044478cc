"""Tensors joined into one, and one cut into several, under PyTorch's names.  Pieces are views of what they were cut from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.functions.shapes import axis_in, expand, narrow, reshape, select, transpose, unsqueeze
from minimal.autograd.operations import shapes as ops
from minimal.autograd.tensor import Tensor, one_of_several


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after another along a dimension.  Source: torch.cat, 2.13.0.

    Raises
    ------
    RuntimeError
        If the shapes differ in another dimension.
    ValueError
        If there is nothing to join.
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    tensors = [tensor for tensor in tensors if tensor.shape != (0,)] or tensors[:1]
    ndim = tensors[0].ndim
    if any(tensor.ndim == 0 for tensor in tensors):
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    axis = axis_in(dim, ndim)
    first = tensors[0].shape
    for i, tensor in enumerate(tensors):
        if tensor.ndim != ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {ndim} and {tensor.ndim}, shapes {list(first)} and "
                f"{list(tensor.shape)}"
            )
        for d, (a, b) in enumerate(zip(first, tensor.shape)):
            if a != b and d != axis:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {a} but got size {b} for tensor "
                    f"number {i} in the list: shapes {list(first)} and {list(tensor.shape)}."
                )
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = dtypes.promote_types(dtype, tensor.dtype)
    return ops.Cat.apply(*[tensor.to(dtype) for tensor in tensors], axis=axis)


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after another along a new dimension.  Source: torch.stack, 2.13.0."""
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                f"{list(tensor.shape)} at entry {i}"
            )
    axis = axis_in(dim, tensors[0].ndim + 1)
    return cat([unsqueeze(tensor, axis) for tensor in tensors], axis)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side.  Source: torch.hstack, 2.13.0."""
    rows = [reshape(tensor, 1) if tensor.ndim == 0 else tensor for tensor in tensors]
    return cat(rows, 0 if rows[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors, vectors as rows, below one another.  Source: torch.vstack, 2.13.0."""
    return cat([reshape(tensor, (1, -1)) if tensor.ndim < 2 else tensor for tensor in tensors], 0)


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along a dimension, of one size (the last may be smaller) or of given sizes.  Source: torch.split, 2.13.0."""
    axis = axis_in(dim, tensor.ndim)
    n = tensor.shape[axis]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        sizes = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        sizes = [int(size) for size in split_size_or_sections]
        if sum(sizes) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {axis}), but "
                f"got split_sizes={sizes}"
            )
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    return tuple([one_of_several(narrow(tensor, axis, start, size)) for start, size in zip(starts, sizes)])


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of one size.  Source: torch.chunk, 2.13.0."""
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input.shape[axis_in(dim, input.ndim)]
    return split(input, max(1, -(-n // chunks)), dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """A number of pieces whose sizes differ by at most 1, or pieces that end where told.  Source: torch.tensor_split, 2.13.0.

    Raises
    ------
    RuntimeError
        For no pieces at all, or a tensor without dimensions.
    """
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = axis_in(dim, input.ndim)
    n = input.shape[axis]
    told = indices_or_sections.tolist() if isinstance(indices_or_sections, Tensor) else indices_or_sections
    if isinstance(told, int):
        if told < 1:
            raise RuntimeError(f"number of sections must be larger than 0, got {told}")
        ends = [(n // told) * i + min(i, n % told) for i in range(told + 1)]
    else:
        ends = [0, *[slice(int(end)).indices(n)[1] for end in told], n]
    return tuple([narrow(input, axis, start, max(end - start, 0)) for start, end in pairwise(ends)])


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The entries along a dimension, without it.  Source: torch.unbind, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    return tuple([one_of_several(select(input, axis, i)) for i in range(input.shape[axis])])


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: out_k[i, j, ...] is the entry of the k-th vector at the k-th index.

    Parameters
    ----------
    *tensors : Tensor of one dimension, or without
        Also as one sequence.
    indexing : {"ij", "xy"}, default="ij"
        "xy" exchanges the first two dimensions.

    Raises
    ------
    RuntimeError
        For tensors of several dimensions or of different dtypes.

    Source: torch.meshgrid, 2.13.0.  Differs from the reference in that it does not warn where ``indexing`` is not given.
    """
    vectors = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for vector in vectors:
        if vector.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got {list(vector.shape)}"
            )
        if vector.dtype != vectors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    sizes = [vector.array.size for vector in vectors]
    grids = []
    for k, vector in enumerate(vectors):
        along = reshape(vector, [-1 if i == k else 1 for i in range(len(vectors))])
        grids.append(expand(along, sizes))
    if indexing == "xy" and len(grids) > 1:
        grids = [transpose(grid, 0, 1) for grid in grids]
    return tuple(grids)
