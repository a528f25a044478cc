"""Random decisions, number for number those of PyTorch's CPU side: coin flips, dropout masks, draws from categories.

After this page you can drop out the very units that PyTorch drops out.  As in ``draws``, every function moves the generator
on exactly as far as the reference does, and checks its arguments before it draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minimal.engine import twin
from minimal.generator.draws import LARGEST, Shape, random_exponential, random_uniform, rounded, size_of
from minimal.generator.state import Generator

MAX_CATEGORIES = 2**24


def random_bernoulli(
    generator: Generator,
    p: float | NDArray[np.floating],
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Ones with probability ``p``, else zeros: ``Tensor.bernoulli_``, ``torch.bernoulli``.

    Parameters
    ----------
    generator : Generator
    p : float or ndarray
        One probability, or an array of them, which is broadcast to ``shape``.
    shape : int or tuple of int, optional
        Default: that of ``p``.
    dtype : dtype, optional
        Default: that of the array ``p``, or float32.

    Returns
    -------
    ndarray
        1 where a uniform number is below ``p``.  That takes two words, or one where ``p`` is an array in single or half
        precision; also where ``p`` is 0 or 1.

    Raises
    ------
    RuntimeError
        If a probability is not in [0, 1].
    NotImplementedError
        If ``p`` is an array of another dtype than float16, float32 or float64.

    Source: ``torch.Tensor.bernoulli_``, 2.13.0.
    """
    if isinstance(p, np.ndarray):
        return _bernoulli_each(generator, p, p.shape if shape is None else shape, p.dtype if dtype is None else dtype)
    if not 0 <= p <= 1:
        raise RuntimeError(f"A probability must be in [0, 1]. Got p={p}.")
    shape = () if shape is None else shape
    return _scaled_bernoulli(generator, p, shape, np.dtype(np.float32 if dtype is None else dtype), 1.0)


def _bernoulli_each(generator: Generator, p: NDArray[Any], shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
    if p.dtype not in LARGEST:
        raise NotImplementedError(f"Probabilities are float16, float32 or float64, not {p.dtype}.")
    if not np.all((p >= 0) & (p <= 1)):
        raise RuntimeError("Every probability must be in [0, 1].")
    p = np.broadcast_to(p, shape)
    u = random_uniform(generator, p.shape, np.float64 if p.dtype == np.float64 else np.float32)
    return (u < p).astype(dtype)


def _scaled_bernoulli(generator: Generator, p: float, shape: Shape, dtype: np.dtype[Any], value: float) -> NDArray[Any]:
    """``value`` with probability p, else 0."""
    drawn = dtype if dtype in (np.dtype(np.float32), np.dtype(np.float64)) else np.dtype(bool)
    x = twin("minimal.generator.draws").bernoulli(generator, size_of(shape), drawn, p, value)
    if drawn != dtype:
        x = np.where(x, rounded(np.array(value), dtype), dtype.type(0))
    return x.reshape(shape)


def dropout_mask(generator: Generator, p: float, shape: Shape, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """What dropout multiplies by: 0 with probability ``p``, else 1 / (1 - p), so that the mean is 1.

    Parameters
    ----------
    generator : Generator
    p : float
        With 0 or 1 nothing is drawn: the mask is all 1, or all 0.
    shape : int or tuple of int
        That of the input, or to drop whole channels (N, C, 1, ..., 1).
    dtype : float16, float32 or float64

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If ``p`` is not in [0, 1].

    Source: ``torch.nn.functional.dropout``, ``dropout2d``, 2.13.0 (Srivastava et al., 2014).  The mask is drawn in C order,
    the reference's for a contiguous input.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"A dropout probability must be in [0, 1]. Got p={p}.")
    dtype = np.dtype(dtype)
    if p == 0 or p == 1:
        return np.full(shape, 1 - p, dtype)
    value = 1 / (1 - p) if dtype == np.float64 else float(np.float32(1) / np.float32(1 - p))
    return _scaled_bernoulli(generator, 1 - p, shape, dtype, value)


def random_multinomial(
    generator: Generator, weight: NDArray[np.floating], n_samples: int, replacement: bool = False
) -> NDArray[np.int64]:
    """Draw categories in proportion to their weights: ``torch.multinomial``.

    Parameters
    ----------
    generator : Generator
    weight : ndarray of shape (n_categories,) or (n_rows, n_categories), floating
        At least 0, with a positive sum in each row.
    n_samples : int
        At least 1; without replacement, at most n_categories.
    replacement : bool, default=False

    Returns
    -------
    ndarray of shape (n_samples,) or (n_rows, n_samples), int64
        With replacement, where a uniform number falls among the cumulated weights.  Without it (and for one sample), the
        categories with the largest weight / e, e exponential: the winners of a race in which each runs at its own rate.

    Raises
    ------
    RuntimeError
        If the weights or the number of samples are not as above.

    Source: ``torch.multinomial``, 2.13.0.  Differs from the reference in the order of categories that tie, such as those of
    weight 0 if they must be drawn.
    """
    _check_multinomial(weight, n_samples, replacement)
    if replacement and n_samples > 1:
        return _multinomial_with_replacement(generator, weight, n_samples)
    race = random_exponential(generator, weight.shape, weight.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):  # e = 0 has probability 2**-53
        speed = weight / race
    order = np.argsort(-speed, axis=-1, kind="stable")
    return np.ascontiguousarray(order[..., :n_samples])


def _multinomial_with_replacement(generator: Generator, weight: NDArray[Any], n_samples: int) -> NDArray[np.int64]:
    rows = weight.reshape(-1, weight.shape[-1]).astype(np.float64 if weight.dtype == np.float64 else np.float32)
    cumulated = np.cumsum(rows, axis=1, dtype=rows.dtype)
    cumulated /= cumulated[:, -1:].copy()
    u = random_uniform(generator, (len(rows), n_samples), np.float64)
    drawn = [np.searchsorted(steps, row) for steps, row in zip(cumulated, u)]
    return np.array(drawn, np.int64).reshape(*weight.shape[:-1], n_samples)


def _check_multinomial(weight: NDArray[Any], n_samples: int, replacement: bool) -> None:
    if weight.ndim not in (1, 2):
        raise RuntimeError(f"Weights have one or two dimensions. Got shape {weight.shape}.")
    if weight.dtype not in LARGEST:
        raise RuntimeError(f"Weights are float16, float32 or float64, not {weight.dtype}.")
    n_categories = weight.shape[-1]
    if n_samples <= 0:
        raise RuntimeError(f"At least one sample must be drawn. Got {n_samples}.")
    if not replacement and n_samples > n_categories:
        raise RuntimeError(f"{n_samples} samples without replacement need as many categories. Got {n_categories}.")
    if n_categories > MAX_CATEGORIES:
        raise RuntimeError(f"There may be at most {MAX_CATEGORIES} categories. Got {n_categories}.")
    if not np.all((weight >= 0) & np.isfinite(weight)):
        raise RuntimeError("Weights must be finite and at least 0.")
    if not np.all(weight.sum(axis=-1) > 0):
        raise RuntimeError("Each row of weights must have a positive sum.")
