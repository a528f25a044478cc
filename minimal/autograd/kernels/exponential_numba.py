"""exp for kernels that keep to the dtype of their numbers: a short polynomial, so that the compiler works on many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from minimal.linear_model.vector_math_numba import exp_of_minus as exp_of_minus_double

LARGEST = np.float32(87.0)  # exp(-87) = 1.6e-38 is still a normal float32; beyond, zero
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)  # 10 bits of ln 2: its product with a small integer is exact
LN2_LOW = np.float32(-2.12194440e-4)  # ln 2 - LN2_HIGH
HALF, ZERO, ONE = np.float32(0.5), np.float32(0), np.float32(1)
TAYLOR = tuple(np.float32(1 / f) for f in (5040, 720, 120, 24, 6, 2))  # the remainder is below 5e-9


def exp_of_minus(a: Any) -> Any:
    """exp(-a) for a >= 0 in the dtype of a, float32 or float64 (infinity included; NaN stays NaN).

    a = k ln 2 - r with k whole and |r| <= ln 2 / 2, so exp(-a) = 2**-k exp(r); two units in the last place at most.  Beyond
    the smallest normal number the result is 0.
    """
    raise NotImplementedError("exp_of_minus is for compiled kernels.")


@overload(exp_of_minus, inline="never")
def _choose(a):
    return _in_single if a == types.float32 else _in_double


def _in_double(a):
    return exp_of_minus_double(a)


def _in_single(a):
    return _exp_of_minus_single(a)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _exp_of_minus_single(a):
    bounded = min(a, LARGEST)
    k = np.int32(bounded * LOG2_E + HALF)
    whole = np.float32(k)
    r = (whole * LN2_HIGH - bounded) + whole * LN2_LOW
    p = TAYLOR[0]
    p = p * r + TAYLOR[1]
    p = p * r + TAYLOR[2]
    p = p * r + TAYLOR[3]
    p = p * r + TAYLOR[4]
    p = p * r + TAYLOR[5]
    p = p * r + ONE
    p = p * r + ONE
    power = np.int32(np.int32(127 - k) << 23)  # the bits of 2**-k
    return ZERO if a > LARGEST else p * np.int32(power).view(np.float32)
