"""Norms and products under the names of ``torch.linalg``.

>>> import minimal
>>> minimal.linalg.norm(minimal.tensor([3.0, 4.0]))
tensor(5.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

from minimal.autograd.functions import amax, amin, matmul
from minimal.autograd.functions import cross as _cross
from minimal.autograd.functions import diagonal as _diagonal
from minimal.autograd.functions import norm as _norm
from minimal.autograd.tensor import Tensor

__all__ = ["cross", "diagonal", "matmul", "matrix_norm", "multi_dot", "norm", "vecdot", "vector_norm"]


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(sum |x|^ord)^(1 / ord) of all elements, or along ``dim``.  Source: torch.linalg.vector_norm, 2.13.0.

    Parameters
    ----------
    x : Tensor
    ord : float, default=2
        0 counts what is not zero; inf and -inf take the largest and the smallest |x|.
    dim : int or sequence of int, optional
    keepdim : bool, default=False
    dtype : floating point dtype, optional
    """
    return _norm(x, float(ord), dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of each matrix in a stack.  Source: torch.linalg.matrix_norm, 2.13.0.

    Parameters
    ----------
    A : Tensor of shape (..., m, n)
    ord : {"fro", 1, -1, inf, -inf}, default="fro"
        "fro" is the root of the sum of squares; 1 (-1) the largest (smallest) sum of |a| in a column; inf (-inf) in a row.
    dim : pair of int, default=(-2, -1)
    keepdim : bool, default=False
    dtype : floating point dtype, optional

    Raises
    ------
    RuntimeError
        For another ``ord``.

    Differs from the reference for ord 2, -2 and "nuc", which need singular values and are not here.
    """
    if A.ndim < 2 or len(dim) != 2:
        raise RuntimeError(
            f"linalg.matrix_norm: the input tensor A must have at least 2 dimensions, and dim must be 2 of them: the shape "
            f"is {list(A.shape)}, dim {list(dim)}"
        )
    if ord == "fro":
        return _norm(A, 2.0, tuple(dim), keepdim, dtype)
    if ord not in (1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: order {ord!r} is not supported here: use 'fro', 1, -1, inf or -inf")
    rows, columns = (d % A.ndim for d in dim)
    summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    totals = _norm(A, 1.0, summed, True, dtype)
    best = (amax if ord > 0 else amin)(totals, chosen, True)
    return best if keepdim else best.squeeze((rows, columns))


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of vectors (``dim`` is one dimension) or of matrices (two).  Source: torch.linalg.norm, 2.13.0.

    Parameters
    ----------
    A : Tensor
    ord : float or str, optional
        Default: the root of the sum of squares.  Else, as in :func:`vector_norm` or :func:`matrix_norm`.
    dim : int or pair of int, optional
        Default: without ``ord``, all elements in one long row; with it, the dimensions of A, one or two.
    keepdim : bool, default=False
    dtype : floating point dtype, optional
    """
    if ord is None:
        return _norm(A, 2.0, dim, keepdim, dtype)
    if dim is None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    dims = tuple(range(A.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(A, ord, dims, keepdim, dtype=dtype)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """x cross y, at right angles to both, along a dimension of size 3.  Source: torch.linalg.cross, 2.13.0."""
    return _cross(input, other, dim)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sum of products along a dimension; the others broadcast.  Source: torch.linalg.vecdot, 2.13.0."""
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of each matrix in a stack.  Source: torch.linalg.diagonal, 2.13.0."""
    return _diagonal(A, offset, dim1, dim2)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices (the first and last may be vectors), from left to right.

    Source: torch.linalg.multi_dot, 2.13.0.  Differs from the reference in the order of the products.
    """
    return reduce(matmul, tensors)
