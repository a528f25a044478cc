"""New tensors: from numbers, filled with one value, as a range, or drawn at random, under PyTorch's names.

Random tensors come from :mod:`minimal.generator`, whose streams are PyTorch's: the same seed gives the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimal import generator as g
from minimal.autograd import dtypes
from minimal.autograd.functions.shapes import sizes_in
from minimal.autograd.in_place import assign
from minimal.autograd.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "bernoulli",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "is_tensor",
    "linspace",
    "logspace",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]


def _finished(array: Any, requires_grad: bool) -> Tensor:
    out = Tensor(array)
    if requires_grad:
        out.requires_grad_()
    return out


def _array_of(data: Any, dtype: Any) -> np.ndarray:
    """Numbers, nested sequences, arrays or tensors as an array of PyTorch's default dtype for them."""
    if isinstance(data, Tensor):
        data = data.array
    if isinstance(data, list | tuple) and data and any(isinstance(d, Tensor) for d in data):
        data = [d.array if isinstance(d, Tensor) else d for d in data]
    known = isinstance(data, np.ndarray | np.generic)
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"a tensor needs rows of the same length: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"a tensor cannot be made of {type(data).__name__} with {array.dtype}: only of numbers and bools"
        )
    if dtype is not None:
        return array.astype(dtypes.as_dtype(dtype), copy=False)
    if not known and array.dtype.kind == "f":
        return array.astype(dtypes.get_default_dtype())
    return array.astype(dtypes.as_dtype(array.dtype), copy=False)


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf with a copy of the data.

    Parameters
    ----------
    data : number, nested sequence, ndarray or Tensor
    dtype : dtype, optional
        Default: that of an array; for Python floats the default dtype, for integers int64, for bools bool.
    device : "cpu", optional
    requires_grad : bool, default=False

    Raises
    ------
    ValueError
        If rows differ in length.
    TypeError
        If there is something else than numbers.

    Source: torch.tensor, 2.13.0.
    """
    return _finished(np.array(_array_of(data, dtype), order="C"), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of the data, sharing memory where that is possible.  Source: torch.as_tensor, 2.13.0."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return Tensor(_array_of(data, dtype))


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory.  Source: torch.from_numpy, 2.13.0."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.as_dtype(ndarray.dtype)
    return Tensor(ndarray)


def scalar_tensor(s: Any, *, dtype: Any = None) -> Tensor:
    """A tensor without dimensions.  Source: torch.scalar_tensor, 2.13.0."""
    return tensor(s, dtype=dtypes.get_default_dtype() if dtype is None else dtype)


def is_tensor(obj: Any) -> bool:
    """Whether this is a Tensor.  Source: torch.is_tensor, 2.13.0."""
    return isinstance(obj, Tensor)


# ---------------------------------------------------------------- one value


def _sizes(size: tuple[Any, ...]) -> tuple[int, ...]:
    sizes = sizes_in(size)
    for n in sizes:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(sizes)}")
    return sizes


def _float(dtype: Any) -> np.dtype:
    return dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All zeros.  Source: torch.zeros, 2.13.0."""
    return _finished(np.zeros(_sizes(size), _float(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All ones.  Source: torch.ones, 2.13.0."""
    return _finished(np.ones(_sizes(size), _float(dtype)), requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever is in the memory.  Source: torch.empty, 2.13.0."""
    return _finished(np.empty(_sizes(size), _float(dtype)), requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All of one value, of whose kind the dtype is unless given.  Source: torch.full, 2.13.0."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = dtypes.result_type(value) if dtype is None else dtypes.as_dtype(dtype)
    return _finished(np.full(_sizes((size,)), value, kind), requires_grad)


def _like(array: np.ndarray, dtype: Any) -> Any:
    return array.dtype if dtype is None else dtypes.as_dtype(dtype)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of another tensor.  Source: torch.zeros_like, 2.13.0."""
    return _finished(np.zeros_like(input.array, _like(input.array, dtype)), requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of another tensor.  Source: torch.ones_like, 2.13.0."""
    return _finished(np.ones_like(input.array, _like(input.array, dtype)), requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever is in the memory, of the shape and dtype of another tensor.  Source: torch.empty_like, 2.13.0."""
    return _finished(np.empty_like(input.array, _like(input.array, dtype)), requires_grad)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All of one value, of the shape and dtype of another tensor.  Source: torch.full_like, 2.13.0."""
    return _finished(np.full_like(input.array, fill_value, _like(input.array, dtype)), requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal, zeros elsewhere.  Source: torch.eye, 2.13.0."""
    return _finished(np.eye(n, m, dtype=_float(dtype)), requires_grad)


# ---------------------------------------------------------------- ranges


def arange(*bounds: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
    """start, start + step, ... below end: ``arange(end)``, ``arange(start, end)``, ``arange(start, end, step)``.

    Raises
    ------
    RuntimeError
        If ``step`` is 0 or leads away from ``end``.

    Source: torch.arange, 2.13.0.
    """
    start, end, step = 0, None, 1
    if len(bounds) == 1 and "end" not in named:
        end = bounds[0]
    else:
        values = dict(zip(("start", "end", "step"), bounds)) | named
        start, end, step = values.get("start", 0), values["end"], values.get("step", 1)
    step = named.get("step", step)
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        whole = all(isinstance(v, int | np.integer) for v in (start, end, step))
        dtype = dtypes.INT64 if whole else dtypes.get_default_dtype()
    n = math.ceil((end - start) / step)
    kind = dtypes.as_dtype(dtype)
    array = start + np.arange(n, dtype=np.float64 if kind.kind == "f" else np.int64) * step
    return _finished(array.astype(kind), requires_grad)


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """``steps`` numbers at equal distances, both ends included.  Source: torch.linspace, 2.13.0."""
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    kind = _float(dtype)
    first, last = kind.type(float(start)), kind.type(float(end))
    step = (last - first) / kind.type(max(steps - 1, 1))
    k = np.arange(steps)
    # From whichever end is nearer, so that both ends are hit exactly.
    with np.errstate(all="ignore"):
        array = np.where(k < steps // 2, first + k.astype(kind) * step, last - (steps - 1 - k).astype(kind) * step)
    return _finished(array.astype(kind) if steps != 1 else np.array([first]), requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """``base`` to the power of each number of ``linspace``.  Source: torch.logspace, 2.13.0."""
    exponents = linspace(start, end, steps, dtype=dtypes.FLOAT64)
    return _finished(np.power(base, exponents.array).astype(_float(dtype)), requires_grad)


# ---------------------------------------------------------------- random numbers


def _source(generator: Any) -> Any:
    return g.default_generator if generator is None else generator


def rand(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1).  Source: torch.rand, 2.13.0, with its numbers."""
    return _finished(g.random_uniform(_source(generator), _sizes(size), _float(dtype)), requires_grad)


def randn(
    *size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal numbers.  Source: torch.randn, 2.13.0, with its numbers."""
    return _finished(g.random_normal(_source(generator), _sizes(size), _float(dtype)), requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    Source: torch.randint, 2.13.0, with its numbers.
    """
    if size is None:
        low, high, size = (0, low, high)
    kind = dtypes.INT64 if dtype is None else dtypes.as_dtype(dtype)
    return _finished(g.random_integers(_source(generator), low, high, _sizes((size,)), kind), requires_grad)


def randperm(n: int, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """0 to n - 1 in random order.  Source: torch.randperm, 2.13.0, with its order."""
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    order = g.random_permutation(_source(generator), n)
    return Tensor(order if dtype is None else order.astype(dtypes.as_dtype(dtype)))


def rand_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1), of the shape and dtype of another tensor.  Source: torch.rand_like, 2.13.0."""
    return rand(input.shape, dtype=_like(input.array, dtype), requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers, of the shape and dtype of another tensor.  Source: torch.randn_like, 2.13.0."""
    return randn(input.shape, dtype=_like(input.array, dtype), requires_grad=requires_grad)


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None) -> Tensor:
    """Whole numbers in [low, high), of the shape and dtype of another tensor.  Source: torch.randint_like, 2.13.0."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, dtype=_like(input.array, dtype))


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers of given means and standard deviations, numbers or tensors.  Source: torch.normal, 2.13.0."""
    source = _source(generator)
    if size is not None:
        return Tensor(g.random_normal(source, _sizes((size,)), _float(dtype), mean, std))
    plain = [v.array if isinstance(v, Tensor) else v for v in (mean, std)]
    return Tensor(g.random_normal_around(source, *plain))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """Ones with the probabilities that ``input`` holds (or all with ``p``), else zeros.  Source: torch.bernoulli, 2.13.0."""
    if p is not None:
        return Tensor(g.random_bernoulli(_source(generator), p, input.shape, input.dtype))
    return Tensor(g.random_bernoulli(_source(generator), input.array))


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn with probabilities in proportion to ``input``.  Source: torch.multinomial, 2.13.0."""
    return Tensor(g.random_multinomial(_source(generator), input.array, num_samples, replacement))


# ---------------------------------------------------------------- methods that fill a tensor at random, or make one alike


def _uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with uniform numbers in [a, b).  Source: torch.Tensor.uniform_, 2.13.0."""
    return assign(self, Tensor(g.random_uniform(_source(generator), self.shape, self.dtype, a, b)))


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers.  Source: torch.Tensor.normal_, 2.13.0."""
    return assign(self, Tensor(g.random_normal(_source(generator), self.shape, self.dtype, mean, std)))


def _bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones with probability p, else zeros.  Source: torch.Tensor.bernoulli_, 2.13.0."""
    chance = np.broadcast_to(p.array, self.shape) if isinstance(p, Tensor) else p
    return assign(self, Tensor(g.random_bernoulli(_source(generator), chance, self.shape, self.dtype)))


def _exponential_(self: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with exponentially distributed numbers.  Source: torch.Tensor.exponential_, 2.13.0."""
    return assign(self, Tensor(g.random_exponential(_source(generator), self.shape, self.dtype, lambd)))


def _random_(self: Tensor, low: int | None = None, high: int | None = None, *, generator: Any = None) -> Tensor:
    """Fill with whole numbers: all that the dtype holds exactly, or in [low, high).  Source: torch.Tensor.random_, 2.13.0."""
    if low is None:
        return assign(self, Tensor(g.random_nonnegative(_source(generator), self.shape, self.dtype)))
    low, high = (0, low) if high is None else (low, high)
    return assign(self, Tensor(g.random_integers(_source(generator), low, high, self.shape, self.dtype)))


def _new(make: Any, name: str) -> Any:
    def method(self: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        return make(*size, dtype=self.dtype if dtype is None else dtype, requires_grad=requires_grad)

    method.__name__ = name
    method.__doc__ = f"``{make.__name__}`` in the dtype of this tensor.  Source: torch.Tensor.{name}, 2.13.0."
    return method


METHODS = {
    "uniform_": _uniform_,
    "normal_": _normal_,
    "bernoulli_": _bernoulli_,
    "exponential_": _exponential_,
    "random_": _random_,
    "bernoulli": bernoulli,
    "multinomial": multinomial,
    "new_zeros": _new(zeros, "new_zeros"),
    "new_ones": _new(ones, "new_ones"),
    "new_empty": _new(empty, "new_empty"),
    "new_full": _new(full, "new_full"),
    "new_tensor": _new(tensor, "new_tensor"),
}
