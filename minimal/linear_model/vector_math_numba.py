"""exp and log for kernels: short polynomials, so that the compiler works on many samples at once.

A call of the C library's exp handles one number and stops a loop from being vectorized.  These functions are straight lines
of multiplications and additions.  They differ from the correctly rounded value by at most two units in the last place
(the tests measure it); only the fused multiply-add is allowed to change their bits, never a reordering.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

exact: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

LARGEST = 708.0  # exp(-708) = 3e-308 is still a normal number; beyond, zero
LOG2_E = 1.4426950408889634
LN2 = 0.6931471805599453
LN2_HIGH = float.fromhex("0x1.62e42feep-1")  # 32 bits of ln 2: its product with a small integer is exact
LN2_LOW = 1.9082149292705877e-10  # ln 2 - LN2_HIGH
SQRT2_MINUS_1 = 0.41421356237309503

MANTISSA = 0x000FFFFFFFFFFFFF
BITS_OF_ONE = 0x3FF0000000000000


def _prefer_wide_vectors(typing_context):
    """Let the compiler use 512-bit registers for the calling function, where the processor has them.

    Its default is 256 bits, because older processors slow their clock for the wide ones.  For loops of multiplications and
    polynomials the wide ones are a fifth to a third faster; no result depends on it beyond the order of sums.
    """

    def generate(context, builder, signature, arguments):
        # LLVM knows this attribute, llvmlite's list of allowed names does not: so past the list, into the set itself.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


prefer_wide_vectors: Any = intrinsic(_prefer_wide_vectors)


@njit(cache=True, nogil=True)
def aligned_empty(n):
    """An array for n float64 that begins on a cache line, so that no vector of eight lies across two lines."""
    buffer = np.empty(n + 8)
    start = -(buffer.ctypes.data // 8) % 8
    return buffer[start : start + n]


@njit(**exact)
def exp_of_minus(a: float) -> float:
    """exp(-a) for a >= 0 (infinity included; NaN stays NaN).

    a = k ln 2 - r with k whole and |r| <= ln 2 / 2, so exp(-a) = 2**-k exp(r), and exp(r) is its Taylor polynomial of degree
    13, whose remainder is below 5e-18.  Beyond a = 708 the result is 0.
    """
    bounded = min(a, LARGEST)
    k = np.int32(bounded * LOG2_E + 0.5)
    r = (k * LN2_HIGH - bounded) + k * LN2_LOW
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 1 / 2
    p = p * r + 1
    p = p * r + 1
    power = np.int64(np.int64(1023 - k) << 52)  # the bits of 2**-k
    return 0.0 if a > LARGEST else p * np.int64(power).view(np.float64)


@njit(**exact)
def log1p_of_unit(e: float) -> float:
    """log(1 + e) for 0 <= e <= 1.

    With s = f / (2 + f), log(1 + f) = 2 atanh(s) = 2 (s + s**3 / 3 + s**5 / 5 + ...), and 2 s = f - s f leaves f, the large
    term, unrounded.  Above sqrt(2) the half is taken: 1 + e = 2 (1 + f), so that |s| <= 0.172 and ten terms are enough.
    """
    upper = e > SQRT2_MINUS_1
    f = (e - 1.0) * 0.5 if upper else e
    s = f / (2.0 + f)
    s2 = s * s
    q = 2 / 21
    q = q * s2 + 2 / 19
    q = q * s2 + 2 / 17
    q = q * s2 + 2 / 15
    q = q * s2 + 2 / 13
    q = q * s2 + 2 / 11
    q = q * s2 + 2 / 9
    q = q * s2 + 2 / 7
    q = q * s2 + 2 / 5
    q = q * s2 + 2 / 3
    value = f - s * (f - s2 * q)
    return LN2_HIGH + (value + LN2_LOW) if upper else value


@njit(**exact)
def log_from_one(u: float) -> float:
    """log(u) for u >= 1: u = 2**k m with 1 <= m < 2, so log(u) = k ln 2 + log(1 + (m - 1))."""
    bits = np.int64(np.float64(u).view(np.int64))
    k = np.float64((bits >> 52) - 1023)
    mantissa = np.int64((bits & MANTISSA) | BITS_OF_ONE)
    return k * LN2_HIGH + (log1p_of_unit(np.int64(mantissa).view(np.float64) - 1.0) + k * LN2_LOW)


@njit(**exact)
def log_of_product(e):
    """log((1 + e_0) (1 + e_1) ...) for at most 1000 numbers 0 <= e_i <= 1 (NaN stays NaN); overwrites ``e``.

    (1 + a) (1 + b) = 1 + (a + b + a b): the halves of the array meet until one number is left.  What is added to one is never
    rounded to it, so that tiny numbers count with all their digits.  Cost: three operations per number and one logarithm.
    """
    prefer_wide_vectors()
    n = len(e)
    while n > 1:
        half = (n + 1) // 2 if n <= 16 else (n + 15) // 16 * 8  # whole vectors, as long as there are some
        for i in range(n - half):
            other = e[half + i]
            e[i] = e[i] + (other + e[i] * other)
        n = half
    return log_from_one(1.0 + e[0]) if e[0] > 1.0 else log1p_of_unit(e[0])
