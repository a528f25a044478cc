"""Which integers a dtype can hold, and where to stop so that a rounded one stays inside its bounds.

An integer is drawn first and rounded to a floating dtype afterwards.  So the reference moves bounds that the dtype does not
hold inwards, to the next numbers that it does.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np


@cache
def last_consecutive(dtype: np.dtype[Any]) -> int:
    """The largest integer of ``dtype``, or 2**digits, up to which a floating dtype holds them all."""
    if dtype.kind == "b":
        return 1
    return 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else int(np.iinfo(dtype).max)


def closed_bounds(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The first and the last integer in [low, high) as integers of ``dtype``.

    Raises
    ------
    RuntimeError
        If there is none, or one of them does not fit.

    Warns
    -----
    UserWarning
        If a floating dtype does not hold all the integers between them.
    """
    if not low < high:
        raise RuntimeError(f"Random integers need low < high. Got low={low} >= high={high}.")
    if dtype.kind == "f":
        _check(low, high - 1, dtype)
        low, high = _first_above(low, dtype), _last_below(high, dtype)
        if not low < high:
            raise RuntimeError(f"There is no {dtype} between the bounds: they became low={low} >= high={high}.")
    _check(low, high - 1, dtype)
    _warn(low, high - 1, dtype)
    return low, high - 1


def bounds_to_the_end(low: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The first and the last integer from ``low`` to the end of ``dtype``: errors as for :func:`closed_bounds`.

    From -2**63, the end is that of int64, whether ``dtype`` is int64 or a wide floating dtype.
    """
    if low == -(2**63):
        if dtype not in (np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)):
            raise RuntimeError(f"The full range of 64 bits is for int64, float32 and float64, not {dtype}.")
        return low, 2**63 - 1
    last = last_consecutive(dtype)
    if dtype.kind == "f":
        low = _first_above(low, dtype)
        if not low < last:
            raise RuntimeError(f"Random {dtype} integers end at {last}. Got low={low}.")
    _check(low, last, dtype)
    _warn(low, last, dtype)
    return low, last


def _first_above(low: int, dtype: np.dtype[Any]) -> int:
    rounded = int(dtype.type(low + 1))
    return rounded + _gap(low + 1, dtype) if rounded < low else low


def _last_below(high: int, dtype: np.dtype[Any]) -> int:
    rounded = int(dtype.type(high - 1))
    if rounded == 2**63:  # overflows in the reference, which then leaves the bound where it is
        return high
    return rounded - _gap(high - 1, dtype) if rounded >= high else high


def _gap(number: int, dtype: np.dtype[Any]) -> int:
    """How far apart two numbers of a floating dtype are near a large integer."""
    return 2 ** (abs(number).bit_length() - 1 - np.finfo(dtype).nmant)


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The smallest and the largest integer that ``dtype`` and int64 both reach."""
    if dtype.kind == "b":
        return 0, 1
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return max(int(limits.min), -(2**63)), min(int(limits.max), 2**63 - 1)


def _check(low: int, last: int, dtype: np.dtype[Any]) -> None:
    smallest, largest = _limits(dtype)
    for name, bound in (("low", low), ("high - 1", last)):
        if not smallest <= bound <= largest:
            raise RuntimeError(f"{name}={bound} is out of bounds for {dtype}.")


def _warn(low: int, last: int, dtype: np.dtype[Any]) -> None:
    if dtype.kind == "f" and max(-low, last) > last_consecutive(dtype):
        warnings.warn(
            f"{dtype} does not hold all integers from {low} to {last}: some of them cannot be drawn.", stacklevel=4
        )
