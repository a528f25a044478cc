"""x y + z, rounded once: the instruction that NumPy lacks, from sums and products that are rounded one by one.

After this page you can get the bits of a fused multiply-add anywhere.  The trick is to round to odd (Boldo & Melquiond,
2008, "Emulation of FMA and correctly rounded sums"): a first, wider result that is not exact takes the neighbour whose last
bit is 1.  Such a number is never half-way between two numbers of the narrower format, so the second rounding cannot be
misled by the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def fused(x: NDArray[Any], y: np.floating, z: np.floating) -> NDArray[Any]:
    """x * y + z, rounded once, of an array and two numbers, all float32 or all float64."""
    if z == 0 or not (np.isfinite(y) and np.isfinite(z)):
        return x * y + z  # no second rounding
    if x.dtype == np.float32:
        total, rest = _two_sum(x * np.float64(y), np.float64(z))  # the product is exact
        return _round_to_odd(total, rest).astype(np.float32)
    exponent = np.frexp(max(abs(y), abs(z)))[1]  # numbers near 1 have products whose rests neither over- nor underflow
    product, product_rest = _two_product(x, np.ldexp(y, -exponent))
    low, low_rest = _two_sum(np.ldexp(z, -exponent), product_rest)
    total, rest = _two_sum(product, low)
    return np.ldexp(total + _round_to_odd(*_two_sum(rest, low_rest)), exponent)


def fused_once(x: Any, y: Any, z: Any) -> NDArray[np.float32]:
    """x * y + z of float32 arrays through float64: right unless the float64 sum falls half-way between two float32.

    That it never does so for the 2**24 numbers that a uniform draw can give is checked in the tests, one by one.
    """
    return (np.multiply(x, y, dtype=np.float64) + z).astype(np.float32)


def _two_sum(a: Any, b: Any) -> tuple[Doubles, Doubles]:
    """a + b as a sum and what its rounding left over (Knuth, 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Any, b: Any) -> tuple[Doubles, Doubles]:
    """a * b as a product and what its rounding left over (Veltkamp & Dekker, 1971)."""
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    product = a * b
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _split(a: Any) -> tuple[Doubles, Doubles]:
    """The upper and the lower half of the digits of a."""
    scaled = a * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _round_to_odd(total: Doubles, rest: Doubles) -> Doubles:
    """total + rest, rounded to the neighbour with an odd last bit where it is not exact."""
    bits = np.array(total, np.float64, ndmin=1).view(np.int64)
    outwards = np.where(np.signbit(rest) == np.signbit(total), 1, -1)  # further from zero, or nearer to it
    bits += np.where((rest != 0) & np.isfinite(rest) & (bits & 1 == 0), outwards, 0)
    return bits.view(np.float64).reshape(np.shape(total))
