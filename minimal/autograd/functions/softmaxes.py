"""Softmax and its relatives under PyTorch's names."""

from __future__ import annotations

from typing import Any

from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.operations import softmaxes as ops
from minimal.autograd.tensor import Tensor


def _along(operation: Any, name: str, input: Tensor, dim: int, dtype: Any) -> Tensor:
    if dim is None:
        raise TypeError(f"{name}(): argument 'dim' (position 2) must be int, not NoneType")
    axis = axis_in(dim, input.ndim)
    source = input if dtype is None else input.to(dtype)
    if source.array.dtype.kind != "f" and source.array.size:
        raise NotImplementedError(
            f'"{name}_lastdim_kernel_impl" not implemented for {source.dtype}: give a floating point dtype'
        )
    if source.ndim == 0:
        return operation.apply(source.reshape(1), 0).reshape(())
    return operation.apply(source, axis)


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """p_i = e^(x_i) / sum_k e^(x_k) along ``dim``.  Source: torch.softmax, 2.13.0.

    Raises
    ------
    NotImplementedError
        For whole numbers, unless a floating point ``dtype`` is given.
    """
    return _along(ops.Softmax, "softmax", input, dim, dtype)


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """ln softmax(x) = x - ln sum_k e^(x_k) along ``dim``.  Source: torch.log_softmax, 2.13.0."""
    return _along(ops.LogSoftmax, "log_softmax", input, dim, dtype)
