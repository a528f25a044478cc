"""Products of matrices and vectors under PyTorch's names."""

from __future__ import annotations

from minimal.autograd.operations import linear_algebra as ops
from minimal.autograd.tensor import Tensor


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: of vectors, matrices, and stacks of matrices that broadcast.  Source: torch.matmul, 2.13.0.

    Raises
    ------
    RuntimeError
        If the inner sizes differ, or the dtypes do.
    """
    x, y = input, other
    if x.ndim == 0 or y.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {x.ndim}D and {y.ndim}D")
    if x.dtype != y.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {x.dtype} != {y.dtype}")
    rows = x.unsqueeze(0) if x.ndim == 1 else x
    columns = y.unsqueeze(1) if y.ndim == 1 else y
    if rows.shape[-1] != columns.shape[-2]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied: {list(x.shape)} and {list(y.shape)}")
    out = ops.MatMul.apply(rows, columns)
    if x.ndim == 1:
        out = out.squeeze(-2)
    return out.squeeze(-1) if y.ndim == 1 else out
