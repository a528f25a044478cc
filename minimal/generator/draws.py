"""Random arrays, number for number those of PyTorch's CPU side: uniform, normal, integer, Bernoulli, shuffled.

After this page you can draw what a PyTorch program draws after ``torch.manual_seed(0)``.  Every function takes the generator
first, moves it on exactly as far as the reference does, and returns a new array in C order; so draws of different kinds can
follow each other.  Arguments are checked before anything is drawn.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minimal.engine import twin
from minimal.generator.bounds import bounds_to_the_end, closed_bounds, last_consecutive
from minimal.generator.state import Generator

Shape = int | tuple[int, ...]

WIDE_COUNT = 2**28  # integers to choose from, from which on one word would favour the smaller ones too much
LARGEST = {np.dtype(dtype): float(np.finfo(dtype).max) for dtype in (np.float16, np.float32, np.float64)}
LARGE_PERMUTATION = (2**32 - 1) // 20


def _draws() -> ModuleType:
    return twin("minimal.generator.draws")


def size_of(shape: Shape) -> int:
    """How many numbers an array of this shape has; RuntimeError for a negative size."""
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if any(size < 0 for size in sizes):
        raise RuntimeError(f"A shape has no negative sizes. Got {list(sizes)}.")
    return math.prod(sizes)


def rounded(x: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """``x`` in another dtype; to half precision by way of single precision, as the reference rounds."""
    if dtype != np.float16:
        return x.astype(dtype, copy=False)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, without words
        return x.astype(np.float32).astype(np.float16)


def _floating(dtype: DTypeLike, what: str) -> np.dtype[Any]:
    dtype = np.dtype(dtype)
    if dtype not in LARGEST:
        raise NotImplementedError(f"{what} are float16, float32 or float64, not {dtype}.")
    return dtype


# ---------------------------------------------------------------- uniform and exponential


def random_uniform(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, low: float = 0.0, high: float = 1.0
) -> NDArray[np.floating]:
    """Uniform numbers in [low, high): ``torch.rand``, ``Tensor.uniform_``.

    Parameters
    ----------
    generator : Generator
    shape : int or tuple of int
    dtype : float16, float32 or float64
    low, high : float

    Returns
    -------
    ndarray
        x (high - low) + low, rounded once, with x = word mod 2**24 / 2**24, or in double precision from 53 bits of two words.

    Raises
    ------
    RuntimeError
        If ``low > high``, or a bound or their distance is too large for ``dtype``.
    NotImplementedError
        If ``dtype`` is none of these.

    Source: ``torch.Tensor.uniform_``, 2.13.0.  Differs from the reference, by a rounding where ``low`` is not 0, on
    processors without a fused multiply-add.
    """
    dtype, n = _floating(dtype, "Uniform numbers"), size_of(shape)
    largest = LARGEST[dtype]
    if not (-largest <= low <= high <= largest and high - low <= largest):
        raise RuntimeError(
            f"Uniform numbers need bounds low <= high that {dtype} holds, as well as their distance. "
            f"Got low={low} and high={high}."
        )
    if dtype == np.float16:  # drawn in single precision; rounding may reach ``high``
        x = _draws().uniform(generator, n, np.float32, low, high).astype(np.float16)
        x[x == np.float16(high)] = np.float16(low)
    else:
        x = _draws().uniform(generator, n, dtype, low, high)
    return x.reshape(shape)


def random_exponential(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, rate: float = 1.0
) -> NDArray[np.floating]:
    """Exponential numbers -log(1 - u) / rate, u uniform in double precision: ``Tensor.exponential_``.

    Parameters
    ----------
    generator : Generator
    shape : int or tuple of int
    dtype : float16, float32 or float64
    rate : float, default=1.0
        Above 0.

    Returns
    -------
    ndarray

    Raises
    ------
    RuntimeError
        If ``rate`` is not above 0.

    Source: ``torch.Tensor.exponential_``, 2.13.0.  Differs from the reference where NumPy has a log1p of its own (processors
    with AVX-512): in the last bit of a double, now and then.
    """
    dtype, n = _floating(dtype, "Exponential numbers"), size_of(shape)
    if not rate > 0:
        raise RuntimeError(f"Exponential numbers need rate > 0. Got rate={rate}.")
    u = _draws().uniform(generator, n, np.float64, 0.0, 1.0)
    return rounded(-1.0 / rate * np.log1p(-u), dtype).reshape(shape)


# ---------------------------------------------------------------- normal


def random_normal(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, mean: float = 0.0, std: float = 1.0
) -> NDArray[np.floating]:
    """Normal numbers: ``torch.randn``, ``Tensor.normal_``.

    Parameters
    ----------
    generator : Generator
    shape : int or tuple of int
    dtype : float16, float32 or float64
    mean, std : float
        Standard deviation, at least 0.

    Returns
    -------
    ndarray
        Fewer than 16 numbers are drawn one by one, in double precision; the generator keeps the second of a pair.  More come
        in blocks of 16, and where 16 does not divide their number, the last 16 are drawn anew.

    Raises
    ------
    RuntimeError
        If ``std`` is below 0.
    NotImplementedError
        If ``dtype`` is none of these.

    Source: ``torch.Tensor.normal_``, 2.13.0.  Differs from the reference by roundings where that does not run its vector code
    for AVX2: on other processors than x86-64 ones with AVX2 and fused multiply-add.
    """
    dtype, n = _floating(dtype, "Normal numbers"), size_of(shape)
    _check_std(std)
    normal = twin("minimal.generator.normal")
    if n < 16:
        return rounded(normal.normal_one_by_one(generator, n, mean, std), dtype).reshape(shape)
    computed = np.float32 if dtype == np.float16 else dtype
    x, whole = np.empty(n, dtype), n - n % 16
    x[:whole] = normal.normal_blocks(generator, whole, computed, mean, std)
    if whole < n:
        if dtype != np.float16:  # half precision draws block after block, and only the last 16 numbers of the rest
            generator.skip((n - whole) * dtype.itemsize // 4)
        x[-16:] = normal.normal_blocks(generator, 16, computed, mean, std)
    return x.reshape(shape)


def random_normal_strided(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, mean: float = 0.0, std: float = 1.0
) -> NDArray[np.floating]:
    """Normal numbers as ``Tensor.normal_`` fills a tensor that is not contiguous: one by one, however many.

    Parameters and errors are those of :func:`random_normal`.  The reference fills such a tensor in the order of its memory:
    give the shape in that order.
    """
    dtype, n = _floating(dtype, "Normal numbers"), size_of(shape)
    _check_std(std)
    normal = twin("minimal.generator.normal")
    return rounded(normal.normal_one_by_one(generator, n, mean, std), dtype).reshape(shape)


def random_normal_around(
    generator: Generator, mean: NDArray[np.floating] | float, std: NDArray[np.floating] | float
) -> NDArray[np.floating]:
    """Normal numbers, each with a mean and a standard deviation of its own: ``torch.normal`` with tensors.

    Parameters
    ----------
    generator : Generator
    mean, std : ndarray or float
        At least one array; their shapes are broadcast.

    Returns
    -------
    ndarray
        Of the dtype of ``mean`` if that is an array, else of ``std``.

    Raises
    ------
    RuntimeError
        If a standard deviation is below 0.

    Source: ``torch.normal``, 2.13.0.
    """
    if not isinstance(std, np.ndarray):
        mean = np.asarray(mean)
        return random_normal(generator, mean.shape, mean.dtype, 0.0, std) + mean
    if std.size and not std.min() >= 0:
        raise RuntimeError("All standard deviations must be at least 0.")
    dtype = mean.dtype if isinstance(mean, np.ndarray) else std.dtype
    x = random_normal(generator, np.broadcast_shapes(np.shape(mean), std.shape), dtype)
    np.multiply(x, std, out=x, casting="same_kind")
    return np.add(x, mean, out=x, casting="same_kind")


def _check_std(std: float) -> None:
    if not std >= 0:
        raise RuntimeError(f"Normal numbers need a standard deviation std >= 0. Got std={std}.")


# ---------------------------------------------------------------- integers


def random_u64(generator: Generator) -> int:
    """The next two words as one integer below 2**64, the first one high: what data loaders take for a seed."""
    first, second = generator.bits.random_raw(2).tolist()
    return (first << 32) | second


def random_integers(
    generator: Generator, low: int, high: int | None, shape: Shape, dtype: DTypeLike = np.int64
) -> NDArray[Any]:
    """Integers in [low, high): ``torch.randint``, ``Tensor.random_``.

    Parameters
    ----------
    generator : Generator
    low : int
    high : int or None
        None: up to the largest integer of ``dtype``, that one included.
    shape : int or tuple of int
    dtype : any integer, bool or floating dtype

    Returns
    -------
    ndarray
        low + word mod (high - low); a word of 64 bits is used where high - low is 2**28 or more.

    Raises
    ------
    RuntimeError
        If ``low >= high``, or a bound does not fit into ``dtype``.

    Warns
    -----
    UserWarning
        If a floating ``dtype`` does not hold all the integers between the bounds.

    Source: ``torch.Tensor.random_``, 2.13.0.
    """
    dtype, n = np.dtype(dtype), size_of(shape)
    low, last = bounds_to_the_end(low, dtype) if high is None else closed_bounds(low, high, dtype)
    count = last - low + 1
    if count == 2**64:
        low = 0  # the word is the integer, its highest bit the sign
    x = _draws().integers(generator, n, count, low, count >= WIDE_COUNT)
    return rounded(x, dtype).reshape(shape)


def random_nonnegative(generator: Generator, shape: Shape, dtype: DTypeLike = np.int64) -> NDArray[Any]:
    """Integers from 0 to the largest of ``dtype``, or to the last that it counts without gaps: ``Tensor.random_()``.

    Parameters
    ----------
    generator : Generator
    shape : int or tuple of int
    dtype : any integer, bool or floating dtype

    Returns
    -------
    ndarray
        Two words are used for a number of 64 bits, one for a narrower one.

    Source: ``torch.Tensor.random_``, 2.13.0.
    """
    dtype = np.dtype(dtype)
    n, count = size_of(shape), last_consecutive(dtype) + 1
    return rounded(_draws().integers(generator, n, count, 0, dtype.itemsize == 8), dtype).reshape(shape)


def random_permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """The integers 0, ..., n - 1 in random order: ``torch.randperm``.

    Parameters
    ----------
    generator : Generator
    n : int

    Returns
    -------
    ndarray of shape (n,), int64

    Raises
    ------
    RuntimeError
        If ``n`` is negative.

    Source: ``torch.randperm``, 2.13.0.
    """
    if n < 0:
        raise RuntimeError(f"A permutation has no negative length. Got n={n}.")
    draws = _draws()
    return draws.permutation(generator, n) if n < LARGE_PERMUTATION else draws.large_permutation(generator, n)
