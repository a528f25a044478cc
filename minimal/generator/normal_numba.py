"""Twin of ``normal_numpy``, compiled: normal numbers from pairs of uniform ones, same bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minimal.generator.draws_numba import kernel, take, unit32, unit64
from minimal.generator.fused_numba import fused
from minimal.generator.normal_numpy import BLOCK, COS, LOG, LOG2, PI4, SIN

if TYPE_CHECKING:
    from minimal.generator.state import Generator

CHUNK = 64 * BLOCK  # numbers, so that the words of a chunk stay in the first-level cache

half, one, two_pi, sqrt_half = np.float32(0.5), np.float32(1), np.float32(2 * math.pi), np.float32(math.sqrt(0.5))
four_over_pi, minus_two = np.float32(4 / math.pi), np.float32(-2)


def normal_one_by_one(generator: Generator, n: int, mean: float, std: float) -> NDArray[np.float64]:
    """Twin of ``normal_numpy.normal_one_by_one``, same bits."""
    out = np.empty(n)
    _one_by_one(generator.memory, generator.second, out, float(mean), float(std))
    return out


@kernel
def _one_by_one(memory, second, out, mean, std):
    words = np.empty(4, np.uint32)
    for i in range(len(out)):
        if math.isnan(second[0]):
            take(memory, words, 4)
            theta, r = 2.0 * math.pi * unit64(words, 0), math.sqrt(-2.0 * math.log1p(-unit64(words, 1)))
            second[0] = r * math.sin(theta)
            x = r * math.cos(theta)
        else:
            x, second[0] = second[0], np.nan
        out[i] = fused(x, std, mean)


def normal_blocks(generator: Generator, n: int, dtype: Any, mean: float, std: float) -> NDArray[np.floating]:
    """Twin of ``normal_numpy.normal_blocks``, same bits."""
    out = np.empty(n, dtype)
    if out.dtype == np.float64:
        _blocks64(generator.memory, out, float(mean), float(std))
    else:
        _blocks32(generator.memory, out, np.float32(mean), np.float32(std))
    return out


@kernel
def _blocks32(memory, out, mean, std):
    words = np.empty(min(CHUNK, len(out)), np.uint32)
    u, v = np.empty(len(words) // 2, np.float32), np.empty(len(words) // 2, np.float32)
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, n)
        _split_blocks(words, n, u, v)
        for i in range(n // 2):  # one long loop, so that one instruction serves eight numbers
            r = np.sqrt(minus_two * log(one - u[i]))
            sine, cosine = sine_and_cosine(two_pi * v[i])
            u[i], v[i] = fused(r * cosine, std, mean), fused(r * sine, std, mean)
        _join_blocks(u, v, n, out[start : start + n])


@kernel
def _blocks64(memory, out, mean, std):
    words = np.empty(2 * min(CHUNK, len(out)), np.uint32)
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, 2 * n)
        for block in range(0, n, BLOCK):
            for i in range(block, block + 8):
                r = math.sqrt(-2.0 * math.log(1.0 - unit64(words, i)))
                theta = 2.0 * math.pi * unit64(words, i + 8)
                out[start + i] = fused(r * math.cos(theta), std, mean)
                out[start + i + 8] = fused(r * math.sin(theta), std, mean)


@kernel
def _split_blocks(words, n, u, v):
    for half_block in range(0, n // 2, 8):
        for j in range(8):
            u[half_block + j] = unit32(words[2 * half_block + j])
            v[half_block + j] = unit32(words[2 * half_block + 8 + j])


@kernel
def _join_blocks(u, v, n, out):
    for half_block in range(0, n // 2, 8):
        for j in range(8):
            out[2 * half_block + j] = u[half_block + j]
            out[2 * half_block + 8 + j] = v[half_block + j]


@kernel
def log(u):
    """Twin of ``normal_numpy.log``, for one number."""
    bits = np.float32(u).view(np.int32)
    exponent = np.float32(np.int32((bits >> 23) - 126))
    x = np.float32(np.int32((bits & 0x007FFFFF) | 0x3F000000).view(np.float32))
    below = x < sqrt_half
    exponent -= one if below else np.float32(0)
    x = (x - one) + (x if below else np.float32(0))
    square = x * x
    y = LOG[0]
    for i in range(1, 9):
        y = fused(y, x, LOG[i])
    y = fused(y * x, square, exponent * LOG2[1]) - half * square
    return fused(exponent, LOG2[0], x + y)


@kernel
def sine_and_cosine(theta):
    """Twin of ``normal_numpy.sine_and_cosine``, for one number."""
    octant = np.int32((np.int32(theta * four_over_pi) + 1) & ~1)
    k = np.float32(octant)
    x = fused(k, PI4[2], fused(k, PI4[1], fused(k, PI4[0], theta)))
    z = x * x
    cosine = fused(fused(fused(COS[0], z, COS[1]), z, COS[2]) * z, z, -(half * z)) + one
    sine = fused(fused(fused(SIN[0], z, SIN[1]), z, SIN[2]) * z, x, x)
    swapped = octant & 2 != 0
    s, c = (cosine, sine) if swapped else (sine, cosine)
    return -s if octant & 4 else s, -c if (octant + 2) & 4 else c
