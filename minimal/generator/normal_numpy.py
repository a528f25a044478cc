"""Normal numbers from pairs of uniform ones, as PyTorch makes them: the Box-Muller transform, in two versions.

After this page you can turn coin flips into Gaussians.  If u and v are uniform in (0, 1], then

    r = sqrt(-2 log u),   theta = 2 pi v,   and   r cos(theta), r sin(theta)

are two independent standard normal numbers (Box & Muller, 1958): r^2 / 2 is exponential, theta is a direction.

Fewer than 16 numbers come one by one, in double precision; the sine of a pair waits for the next call.  From 16 on they
come in blocks: 8 numbers u, then 8 numbers v, give 8 cosines, then 8 sines.  In single precision the logarithm, sine and
cosine are then the polynomials of Moshier's Cephes library (1984-1992), with each product and sum that follows it rounded
together, because PyTorch's vector code has it so: to have its bits, one has to round where it rounds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minimal.generator.draws_numpy import unit
from minimal.generator.fused_numpy import fused, fused_once

if TYPE_CHECKING:
    from minimal.generator.state import Generator

BLOCK = 16
CHUNK = 1024 * BLOCK  # numbers that are computed together, so that what lies between stays in the cache

Singles = NDArray[np.float32]


def _single(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(number) for number in numbers)


# The polynomials of Cephes, highest power first.
LOG = _single(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
SIN = _single(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COS = _single(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
# log 2 in two parts, and -pi / 4 in three: a multiple of the first parts is exact, the others bring what they lack.
LOG2 = _single(0.693359375, -2.12194440e-4)
PI4 = _single(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)


def normal_one_by_one(generator: Generator, n: int, mean: float, std: float) -> NDArray[np.float64]:
    """Draw normal numbers one by one: theta from the first uniform number of a pair, r from the second.

    Parameters
    ----------
    generator : Generator
        Gives four words for a pair; ``generator.second`` keeps the sine of a pair for the next draw, also of a next call.
    n : int
    mean, std : float

    Returns
    -------
    ndarray of shape (n,), float64
        mean + std r cos(theta), mean + std r sin(theta), ...: product and sum rounded once.

    Notes
    -----
    Logarithm, sine and cosine are those of the C library.  Twin: ``normal_numba.normal_one_by_one``, same bits.
    """
    out = np.empty(n)
    for i in range(n):
        if math.isnan(generator.second[0]):
            u, v = unit(generator, 2)
            theta, r = 2.0 * math.pi * u, math.sqrt(-2.0 * math.log1p(-v))
            generator.second[0] = r * math.sin(theta)
            out[i] = r * math.cos(theta)
        else:
            out[i], generator.second[0] = generator.second[0], np.nan
    return fused(out, np.float64(std), np.float64(mean))


def normal_blocks(generator: Generator, n: int, dtype: Any, mean: float, std: float) -> NDArray[np.floating]:
    """Draw normal numbers in blocks of 16: eight uniform numbers for r, eight for theta, eight cosines, eight sines.

    Parameters
    ----------
    generator : Generator
        Gives a word for a number, or two in double precision.
    n : int
        A multiple of 16.
    dtype : float32 or float64
    mean, std : float

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    Twin: ``normal_numba.normal_blocks``, same bits.  In double precision that holds where NumPy's log, sin and cos are the
    C library's; on processors with AVX-512 NumPy may bring its own, which differ in the last bit now and then.
    """
    out = np.empty(n, dtype)
    single = out.dtype == np.float32
    center, width = out.dtype.type(mean), out.dtype.type(std)
    for start in range(0, n, CHUNK):
        chunk = out[start : start + CHUNK].reshape(-1, 2, 8)
        d = unit(generator, chunk.size, out.dtype).reshape(chunk.shape)
        u, v = 1 - d[:, 0], d[:, 1]
        if single:
            r = np.sqrt(np.float32(-2) * log(u))
            sine, cosine = sine_and_cosine(np.float32(2 * math.pi) * v)
        else:
            r = np.sqrt(-2 * np.log(u))
            theta = 2 * math.pi * v
            sine, cosine = np.sin(theta), np.cos(theta)
        chunk[:, 0], chunk[:, 1] = fused(r * cosine, width, center), fused(r * sine, width, center)
    return out


def log(u: Singles) -> Singles:
    """The natural logarithm in single precision, of u in [2**-24, 1].

    u = 2**e m with m in [sqrt(1/2), sqrt(2)), so with x = m - 1

        log(u) = e log 2 + log(1 + x),    log(1 + x) = x - x**2 / 2 + x**3 P(x).
    """
    m, e = np.frexp(u)
    below = m < np.float32(math.sqrt(0.5))
    e = (e - below).astype(np.float32)
    x = (m - np.float32(1)) + np.where(below, m, np.float32(0))
    square = x * x
    y = np.full_like(x, LOG[0])
    for coefficient in LOG[1:]:
        y = fused_once(y, x, coefficient)
    y = fused_once(y * x, square, e * LOG2[1]) - np.float32(0.5) * square
    return fused_once(e, LOG2[0], x + y)


def sine_and_cosine(theta: Singles) -> tuple[Singles, Singles]:
    """Sine and cosine in single precision, of theta in [0, 2 pi).

    Where theta is nearest to k pi / 4 with k even, x = theta - k pi / 4 lies in [-pi/4, pi/4] and

        sin(x) = x + x**3 S(x**2),    cos(x) = 1 - x**2 / 2 + x**4 C(x**2).

    Each quarter of a turn changes their places, or their signs.
    """
    k = (theta * np.float32(4 / math.pi)).astype(np.int32) + 1 & ~1
    x = theta
    for part in PI4:
        x = fused_once(k.astype(np.float32), part, x)
    z = x * x
    y = fused_once(fused_once(COS[0], z, COS[1]), z, COS[2]) * z
    cosine = fused_once(y, z, np.float32(-0.5) * z) + np.float32(1)
    y = fused_once(fused_once(SIN[0], z, SIN[1]), z, SIN[2]) * z
    sine = fused_once(y, x, x)
    swapped = k & 2 != 0
    s, c = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    return np.where(k & 4 != 0, -s, s), np.where(k + 2 & 4 != 0, -c, c)
