"""NumPy's functions on Tensors: they carry out the recorded operation of that name.

NumPy asks its arguments first (``__array_ufunc__``, NEP 13, and ``__array_function__``, NEP 18).  So one formula, such as
``g * np.cos(x)``, computes with arrays, and, given Tensors, leaves a graph behind: that is how second derivatives come about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minimal.autograd import functions as f
from minimal.autograd.tensor import Tensor, wrap


@cache
def _ufuncs() -> dict[Any, Callable[..., Tensor]]:
    same_name = [
        "add",
        "subtract",
        "multiply",
        "true_divide",
        "floor_divide",
        "remainder",
        "fmod",
        "negative",
        "absolute",
        "square",
        "reciprocal",
        "sqrt",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "logaddexp",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "arctan2",
        "sinh",
        "cosh",
        "tanh",
        "arcsinh",
        "arccosh",
        "arctanh",
        "hypot",
        "deg2rad",
        "rad2deg",
        "sign",
        "floor",
        "ceil",
        "trunc",
        "copysign",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "matmul",
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "isnan",
        "isinf",
        "isfinite",
    ]
    other_name = {"power": f.pow, "rint": f.round, "float_power": f.float_power, "invert": f.bitwise_not}
    known = {getattr(np, name): f.find(name) for name in same_name}
    return known | {getattr(np, name): function for name, function in other_name.items()}


def call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Carry out a universal function of NumPy, at least one of whose inputs is a Tensor."""
    function = _ufuncs().get(ufunc)
    if method == "__call__" and function is not None and not options:
        return function(*[wrap(x) if isinstance(x, np.ndarray | np.generic) else x for x in inputs])
    return getattr(ufunc, method)(*[_plain(x) for x in inputs], **{k: _plain(v) for k, v in options.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, tuple | list):
        return type(value)(_plain(v) for v in value)
    return value


@cache
def _functions() -> dict[Any, Callable[..., Any]]:
    def transpose(x: Tensor, axes: Any = None) -> Tensor:
        return x.permute(tuple(range(x.ndim))[::-1] if axes is None else axes)

    def where(condition: Any, x: Any, y: Any) -> Tensor:
        return f.where(wrap(condition), x, y)

    def total(x: Tensor, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        return f.sum(x, axis, keepdims, dtype=dtype)

    def mean(x: Tensor, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        return f.mean(x, axis, keepdims, dtype=dtype)

    def rows(x: Tensor, axis: Any) -> tuple[Tensor, Any]:
        return (x.reshape(-1), 0) if axis is None else (x, axis)

    def cumsum(x: Tensor, axis: Any = None) -> Tensor:
        return f.cumsum(*rows(x, axis))

    def cumprod(x: Tensor, axis: Any = None) -> Tensor:
        return f.cumprod(*rows(x, axis))

    def prod(x: Tensor, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        return f.prod(x, axis, keepdims, dtype=dtype)

    def largest(x: Tensor, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        return f.amax(x, () if axis is None else axis, keepdims)

    def smallest(x: Tensor, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
        return f.amin(x, () if axis is None else axis, keepdims)

    def var(x: Tensor, axis: Any = None, dtype: Any = None, out: None = None, ddof: int = 0, **keep: bool) -> Tensor:
        return f.var(x, axis, keepdim=keep.get("keepdims", False), correction=ddof)

    def std(x: Tensor, axis: Any = None, dtype: Any = None, out: None = None, ddof: int = 0, **keep: bool) -> Tensor:
        return f.std(x, axis, keepdim=keep.get("keepdims", False), correction=ddof)

    def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
        return f.tensordot(wrap(a), wrap(b), axes)

    def dot(a: Any, b: Any) -> Tensor:
        return f.inner(wrap(a), wrap(b)) if np.ndim(b) < 2 else f.tensordot(wrap(a), wrap(b), ([-1], [-2]))

    def sort(x: Tensor, axis: Any = -1, kind: None = None) -> Tensor:
        return f.sort(*rows(x, axis))[0]

    def concatenate(arrays: Any, axis: int = 0) -> Tensor:
        return f.cat([wrap(a) for a in arrays], axis)

    def stack(arrays: Any, axis: int = 0) -> Tensor:
        return f.stack([wrap(a) for a in arrays], axis)

    def flip(x: Tensor, axis: Any = None) -> Tensor:
        return f.flip(x, tuple(range(x.ndim)) if axis is None else axis)

    def expand_dims(x: Tensor, axis: int) -> Tensor:
        return f.unsqueeze(x, axis)

    def take_along_axis(x: Any, indices: Any, axis: int) -> Tensor:
        return f.take_along_dim(wrap(x), wrap(indices), axis)

    def einsum(subscripts: str, *operands: Any, **options: Any) -> Tensor:
        return f.einsum(subscripts, *[wrap(o) for o in operands])

    def clip(x: Tensor, low: Any = None, high: Any = None) -> Tensor:
        return f.clamp(x, low, high)

    def roll(x: Tensor, shift: Any, axis: Any = None) -> Tensor:
        return f.roll(x, shift, axis)

    def like(make: Callable[..., Any]) -> Callable[..., Tensor]:
        return lambda x, dtype=None: Tensor(make(x.array, dtype=dtype))

    return {
        np.transpose: transpose,
        np.swapaxes: f.transpose,
        np.moveaxis: f.movedim,
        np.reshape: lambda x, shape: f.reshape(x, shape),
        np.ravel: lambda x: f.ravel(x),
        np.broadcast_to: f.broadcast_to,
        np.squeeze: lambda x, axis=None: f.squeeze(x, axis),
        np.expand_dims: expand_dims,
        np.where: where,
        np.sum: total,
        np.mean: mean,
        np.cumsum: cumsum,
        np.cumprod: cumprod,
        np.prod: prod,
        np.max: largest,
        np.min: smallest,
        np.var: var,
        np.std: std,
        np.sort: sort,
        np.dot: dot,
        np.tensordot: tensordot,
        np.outer: lambda a, b: f.outer(wrap(a).reshape(-1), wrap(b).reshape(-1)),
        np.inner: lambda a, b: f.inner(wrap(a), wrap(b)),
        np.kron: lambda a, b: f.kron(wrap(a), wrap(b)),
        np.trace: lambda x: f.trace(x),
        np.concatenate: concatenate,
        np.stack: stack,
        np.flip: flip,
        np.roll: roll,
        np.clip: clip,
        np.diagonal: lambda x, offset=0, axis1=0, axis2=1: f.diagonal(x, offset, axis1, axis2),
        np.tril: lambda x, k=0: f.tril(x, k),
        np.triu: lambda x, k=0: f.triu(x, k),
        np.take_along_axis: take_along_axis,
        np.einsum: einsum,
        np.zeros_like: like(np.zeros_like),
        np.ones_like: like(np.ones_like),
        np.shape: lambda x: x.shape,
        np.ndim: lambda x: x.ndim,
        np.size: lambda x: x.array.size,
    }


def call_function(function: Any, args: Any, options: dict[str, Any]) -> Any:
    """Carry out a function of NumPy, at least one of whose arguments is a Tensor."""
    ours = _functions().get(function)
    if ours is not None:
        return ours(*args, **options)
    plain = {key: _plain(value) for key, value in options.items()}
    return function(*[_plain(a) for a in args], **plain)
