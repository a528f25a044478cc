"""The methods of a Tensor that are functions too: ``t.exp()`` is ``minimal.exp(t)``, and ``t.exp_()`` does it in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd import functions as f
from minimal.autograd.in_place import change, copy_, fill_, in_place, zero_
from minimal.autograd.operations import elementwise as ops
from minimal.autograd.tensor import Tensor

# Functions whose first argument is a sequence of tensors, a shape, a condition or the like: no methods.
NOT_METHODS = {
    "broadcast_shapes",
    "broadcast_tensors",
    "bucketize",
    "cat",
    "cdist",
    "chain_matmul",
    "concat",
    "concatenate",
    "einsum",
    "getitem",
    "hstack",
    "meshgrid",
    "searchsorted",
    "setitem",
    "stack",
    "std_mean",
    "tensordot",
    "var_mean",
    "vstack",
    "where",
}

# Functions of networks, few of which are methods.
NETWORK_MODULES = {"activations", "convolution", "pooling", "padding", "normalization", "layers", "losses", "top_level"}
NETWORK_METHODS = {"hardshrink", "prelu", "relu"}

# What also exists with an underscore, in place.
IN_PLACE = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "div",
    "divide",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fill_diagonal",
    "floor",
    "floor_divide",
    "fmod",
    "frac",
    "hypot",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "lerp",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "masked_fill",
    "masked_scatter",
    "mul",
    "multiply",
    "nan_to_num",
    "neg",
    "negative",
    "pow",
    "rad2deg",
    "reciprocal",
    "remainder",
    "relu",
    "round",
    "rsqrt",
    "scatter",
    "scatter_add",
    "sigmoid",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tan",
    "tanh",
    "tril",
    "triu",
    "trunc",
    "true_divide",
    "xlogy",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "cumsum",
    "cumprod",
]


def _reflected(operation: type[ops.Elementwise]) -> Callable[[Tensor, Any], Any]:
    binary = operation.binary
    return lambda self, other: binary(other, self)


_NEIGHBOURS = (Tensor, float, int, np.ndarray, np.generic)


def _goes_with(other: Any) -> bool:
    return isinstance(other, _NEIGHBOURS)


def _operator(function: Callable[..., Tensor], reflected: bool = False) -> Callable[[Tensor, Any], Any]:
    if reflected:
        return lambda self, other: function(other, self) if _goes_with(other) else NotImplemented
    return lambda self, other: function(self, other) if _goes_with(other) else NotImplemented


def _in_place_operator(function: Callable[..., Tensor]) -> Callable[[Tensor, Any], Tensor]:
    return lambda self, other: change(self, lambda tensor: function(tensor, other))


OPERATORS = {
    "__add__": ops.Add.binary,
    "__radd__": ops.Add.binary,
    "__sub__": _operator(f.sub),
    "__rsub__": _operator(f.sub, reflected=True),
    "__mul__": ops.Mul.binary,
    "__rmul__": ops.Mul.binary,
    "__truediv__": ops.Div.binary,
    "__rtruediv__": _reflected(ops.Div),
    "__floordiv__": _operator(f.floor_divide),
    "__rfloordiv__": _operator(f.floor_divide, reflected=True),
    "__mod__": _operator(f.remainder),
    "__rmod__": _operator(f.remainder, reflected=True),
    "__pow__": _operator(f.pow),
    "__rpow__": _operator(f.pow, reflected=True),
    "__matmul__": _operator(f.matmul),
    "__rmatmul__": _operator(f.matmul, reflected=True),
    "__eq__": _operator(f.eq),
    "__ne__": _operator(f.ne),
    "__lt__": _operator(f.lt),
    "__le__": _operator(f.le),
    "__gt__": _operator(f.gt),
    "__ge__": _operator(f.ge),
    "__and__": _operator(f.bitwise_and),
    "__rand__": _operator(f.bitwise_and, reflected=True),
    "__or__": _operator(f.bitwise_or),
    "__ror__": _operator(f.bitwise_or, reflected=True),
    "__xor__": _operator(f.bitwise_xor),
    "__rxor__": _operator(f.bitwise_xor, reflected=True),
    "__neg__": f.neg,
    "__pos__": lambda self: self,
    "__abs__": f.abs,
    "__invert__": f.bitwise_not,
    "__getitem__": f.getitem,
    "__setitem__": f.setitem,
    "__iadd__": _in_place_operator(f.add),
    "__isub__": _in_place_operator(f.sub),
    "__imul__": _in_place_operator(f.mul),
    "__itruediv__": _in_place_operator(f.div),
    "__ifloordiv__": _in_place_operator(f.floor_divide),
    "__imod__": _in_place_operator(f.remainder),
    "__ipow__": _in_place_operator(f.pow),
}


# ---------------------------------------------------------------- facts and conversions


def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or one of its sizes.  Source: torch.Tensor.size, 2.13.0."""
    return self.array.shape if dim is None else self.array.shape[f.shapes.axis_in(dim, self.ndim)]


def stride(self: Tensor, dim: int | None = None) -> Any:
    """How far apart in memory neighbours along each dimension are, in elements.  Source: torch.Tensor.stride, 2.13.0."""
    strides = tuple([s // self.array.itemsize for s in self.array.strides])
    return strides if dim is None else strides[f.shapes.axis_in(dim, self.ndim)]


def numel(self: Tensor) -> int:
    """The number of elements.  Source: torch.Tensor.numel, 2.13.0."""
    return self.array.size


def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the rows stand one after another in memory.  Source: torch.Tensor.is_contiguous, 2.13.0."""
    return bool(self.array.flags.c_contiguous)


def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is float16, float32 or float64.  Source: torch.Tensor.is_floating_point, 2.13.0."""
    return self.array.dtype.kind == "f"


def data_ptr(self: Tensor) -> int:
    """The address of the first element.  Source: torch.Tensor.data_ptr, 2.13.0."""
    return int(self.array.ctypes.data)


def to(self: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **unused: Any) -> Tensor:
    """The tensor in another dtype: itself if it has it already and no copy is asked for.

    Parameters
    ----------
    *args : dtype, device or Tensor
        As in PyTorch; the only device is "cpu".

    Source: torch.Tensor.to, 2.13.0.
    """
    for argument in (*args, device):
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, str):
            if argument != "cpu":
                raise RuntimeError(f"there is no device {argument!r} here: minimal computes on the CPU")
        elif argument is not None and not isinstance(argument, bool):
            dtype = argument
    target = self.array.dtype if dtype is None else dtypes.as_dtype(dtype)
    if target == self.array.dtype:
        return self.clone() if copy else self
    return ops.Cast.apply(self, target)


def _in_dtype(name: str) -> Callable[[Tensor], Tensor]:
    def method(self: Tensor) -> Tensor:
        return to(self, dtypes.ALIASES[name])

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as {dtypes.ALIASES[name]}.  Source: torch.Tensor.{name}, 2.13.0."
    return method


def cpu(self: Tensor) -> Tensor:
    """The tensor itself: it is where it shall be.  Source: torch.Tensor.cpu, 2.13.0."""
    return self


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another.  Source: torch.Tensor.type_as, 2.13.0."""
    return to(self, other.dtype)


def where(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """``self`` where the condition holds, ``other`` elsewhere.  Source: torch.Tensor.where, 2.13.0."""
    return f.where(condition, self, other)


def _transposed(self: Tensor) -> Tensor:
    """All dimensions in reverse order."""
    return self.permute(tuple(range(self.ndim))[::-1])


def _matrix_transposed(self: Tensor) -> Tensor:
    """The last two dimensions in each other's place."""
    return f.transpose(self, -2, -1)


def bind() -> None:
    """Give the Tensor its methods."""
    for name, method in OPERATORS.items():
        setattr(Tensor, name, method)
    for name, function in f.FUNCTIONS.items():
        of_networks = function.__module__.rpartition(".")[2] in NETWORK_MODULES
        if name in NETWORK_METHODS if of_networks else name not in NOT_METHODS:
            setattr(Tensor, name, function)
    for name in IN_PLACE:
        if name in f.FUNCTIONS:
            setattr(Tensor, f"{name}_", in_place(f.FUNCTIONS[name], f"{name}_"))
    for name in ("float", "double", "half", "short", "int", "long", "bool"):
        setattr(Tensor, name, _in_dtype(name))
    own = (
        size,
        stride,
        numel,
        is_contiguous,
        is_floating_point,
        data_ptr,
        to,
        cpu,
        type_as,
        where,
        zero_,
        fill_,
        copy_,
    )
    for method in own:
        setattr(Tensor, method.__name__, method)
    Tensor.nelement = numel  # type: ignore[attr-defined]
    Tensor.dim = Tensor.ndimension = lambda self: self.array.ndim  # type: ignore[attr-defined]
    Tensor.T = property(_transposed)  # type: ignore[attr-defined]
    Tensor.mT = property(_matrix_transposed)  # type: ignore[attr-defined]
    for name in ("transpose_", "squeeze_", "unsqueeze_", "t_"):
        setattr(Tensor, name, _reshaping(name[:-1]))


def _reshaping(name: str) -> Callable[..., Tensor]:
    function = f.FUNCTIONS[name]

    def method(self: Tensor, *args: Any) -> Tensor:
        out = function(self, *args)
        self.array = out.array
        if out._needs_grad:
            self._node, self._needs_grad = out._node, True
        return self

    method.__name__ = f"{name}_"
    method.__doc__ = f"``{name}`` in place: another shape of the same memory.  Source: torch.Tensor.{name}_, 2.13.0."
    return method
