"""Sums, means and other reductions under PyTorch's names: over all elements, or along ``dim``, kept with size 1 if asked."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

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


def _named(name: str, dim: Any, keepdim: bool, axis: Any, keepdims: bool | None) -> tuple[Any, bool]:
    """PyTorch takes NumPy's ``axis`` and ``keepdims`` too."""
    if not isinstance(keepdim, bool | np.bool_):
        raise TypeError(
            f"{name}(): argument 'keepdim' must be bool, not {type(keepdim).__name__}: several dims go in a tuple"
        )
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


def _in(input: Tensor, dtype: Any) -> Tensor:
    """The tensor in the dtype in which it is added up: the one asked for, or int64 for whole numbers and bools."""
    if dtype is None and input.array.dtype.kind != "f":
        dtype = dtypes.INT64
    return input if dtype is None else input.to(dtype)


# ---------------------------------------------------------------- sums and products


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
    dim, keepdim = _named("sum", dim, keepdim, axis, keepdims)
    return ops.Sum.apply(_in(input, dtype), axes_in(dim, input.ndim), keepdim)


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of what is not NaN.  Source: torch.nansum, 2.13.0."""
    source = _in(input, dtype)
    if source.array.dtype.kind != "f":
        return sum(source, dim, keepdim)
    return ops.Nansum.apply(source, axes_in(dim, input.ndim), keepdim)


def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Tensor:
    """The product.  Whole numbers and bools multiply in int64.  Source: torch.prod, 2.13.0.

    Differs from the reference in second derivatives where two factors are zero: PyTorch calls them all 0.
    """
    dim, keepdim = _named("prod", dim, keepdim, axis, keepdims)
    source = _in(input, dtype)
    if dim is None:
        return ops.Prod.apply(source.reshape(-1), 0, False)
    if source.ndim == 0:
        axis_in(dim, 0)
        return source.clone()
    return ops.Prod.apply(source, axis_in(dim, source.ndim), keepdim)


# ---------------------------------------------------------------- means


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
    dim, keepdim = _named("mean", dim, keepdim, axis, keepdims)
    source = input if dtype is None else input.to(dtype)
    if source.array.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{source.dtype}"
        )
    return ops.Mean.apply(source, axes_in(dim, input.ndim), keepdim)


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN.  Source: torch.nanmean, 2.13.0."""
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype}")
    known = sum(Tensor(~np.isnan(input.array)), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / known


# ---------------------------------------------------------------- spread


def _spread(operation: Any, name: str, input: Tensor, dim: Any, how: tuple[Any, Any, bool]) -> Tensor:
    """``how``: unbiased, correction, keepdim."""
    unbiased, correction, keepdim = how
    if isinstance(dim, bool):  # var(x, False): the bool is ``unbiased``
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() takes either unbiased or correction, not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    if input.array.dtype.kind != "f":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    axes = axes_in(dim, input.ndim)
    if math.prod([input.shape[i] for i in axes]) <= correction:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
            "numel divided by output numel).",
            stacklevel=3,
        )
    return operation.apply(input, axes, correction, keepdim)


def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """The variance: the sum of squared deviations from the mean, divided by n - correction.

    Parameters
    ----------
    input : Tensor
    dim : int or sequence of int, optional
    unbiased : bool, default=True
        The older way to say ``correction``: 1 or 0.
    keepdim : bool, default=False
    correction : int or float, default=1

    Warns
    -----
    UserWarning
        If n <= correction.

    Source: torch.var, 2.13.0.
    """
    return _spread(ops.Var, "var", input, dim, (unbiased, correction, keepdim))


def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """The standard deviation, the root of :func:`var`.  Source: torch.std, 2.13.0."""
    return _spread(ops.Std, "std", input, dim, (unbiased, correction, keepdim))


def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Tensor, Tensor]:
    """The variance and the mean.  Source: torch.var_mean, 2.13.0."""
    spread = _spread(ops.Var, "var_mean", input, dim, (unbiased, correction, keepdim))
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean.  Source: torch.std_mean, 2.13.0."""
    spread = _spread(ops.Std, "std_mean", input, dim, (unbiased, correction, keepdim))
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# ---------------------------------------------------------------- exponentials and powers


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """ln sum e^x along ``dim``, without overflow.  Source: torch.logsumexp, 2.13.0."""
    source = input if input.array.dtype.kind == "f" else input.to(dtypes.get_default_dtype())
    return ops.LogSumExp.apply(source, axes_in(dim, input.ndim), keepdim)


def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The length of all elements, or of those along ``dim``, taken as a vector:  (sum |x|^p)^(1/p).

    Parameters
    ----------
    input : Tensor
    p : float or "fro", default="fro"
        "fro" is 2; 0 counts what is not zero, inf and -inf take the largest and smallest |x|.
    dim : int or sequence of int, optional
    keepdim : bool, default=False
    dtype : floating point dtype, optional

    Raises
    ------
    RuntimeError
        For whole numbers, and where p < 0 or p = inf meets nothing.

    Source: torch.norm, 2.13.0.  Differs from the reference for p = "nuc", the sum of singular values, which is not here.
    """
    if isinstance(p, str):
        if p != "fro":
            raise RuntimeError(f'norm: p must be a number or "fro" here, not {p!r}')
        p = 2
    return _vector_norm(input, 2.0 if p is None else float(p), dim, keepdim, dtype)


def _vector_norm(input: Tensor, p: float, dim: Any, keepdim: bool, dtype: Any) -> Tensor:
    if input.array.dtype.kind != "f":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype}"
        )
    source = input if dtype is None else input.to(dtype)
    axes = axes_in(dim, input.ndim)
    if (p < 0 or p == math.inf) and not math.prod([input.shape[i] for i in axes]):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {p} norm on an empty tensor because the operation does not have an "
            f"identity: the shape is {list(input.shape)}, reduced along {list(axes)}"
        )
    return ops.Norm.apply(source, p, axes, keepdim)


# ---------------------------------------------------------------- questions and counts: nothing to differentiate


def _whether(ufunc: np.ufunc, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    # Asked along no dimension at all, (), PyTorch answers for each element here.
    axes = () if dim == () or dim == [] else axes_in(dim, input.ndim)
    answer = ufunc.reduce(input.array != 0, axis=axes, keepdims=keepdim)
    return Tensor(np.asarray(answer).astype(np.uint8 if input.dtype == np.uint8 else bool))


def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are different from zero; uint8 stays uint8.  Source: torch.all, 2.13.0."""
    return _whether(np.logical_and, input, dim, keepdim)


def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether some element is different from zero; uint8 stays uint8.  Source: torch.any, 2.13.0."""
    return _whether(np.logical_or, input, dim, keepdim)


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are different from zero.  Source: torch.count_nonzero, 2.13.0."""
    return Tensor(np.asarray(np.count_nonzero(input.array, axis=axes_in(dim, input.ndim))))
