"""Twin of ``draws_numpy``, compiled: the Mersenne Twister itself, and what is made of its words, same bits.

A kernel takes up to ``CHUNK`` words at a time from the generator's memory, so that only one function, :func:`take`, knows
how the words are made, and every loop behind it runs over words that lie in the first-level cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.generator.fused_numba import fused

if TYPE_CHECKING:
    from minimal.generator.state import Generator

# Kernels keep the interpreter's lock: two threads that draw from one generator take turns, call by call.
kernel = njit(cache=True, error_model="numpy")

N, M = 624, 397  # words of state, and how far apart the two words lie that make a new one
CHUNK = 1024


@kernel
def refresh(memory):
    """Make the next 624 words of state: word[i] = word[i + 397] ^ twist(word[i], word[i + 1]), indices modulo 624.

    The twist joins the highest bit of one word to the 31 others of the next, shifts right, and where a 1 fell off adds a
    constant (Matsumoto & Nishimura, 1998, "Mersenne Twister").  In three loops, so that none wraps around.
    """
    for i in range(N - M):
        memory[i] = memory[i + M] ^ _twist(memory[i], memory[i + 1])
    for i in range(N - M, N - 1):
        memory[i] = memory[i + M - N] ^ _twist(memory[i], memory[i + 1])
    memory[N - 1] = memory[M - 1] ^ _twist(memory[N - 1], memory[0])


@kernel
def _twist(u, v):
    both = (u & np.uint32(0x80000000)) | (v & np.uint32(0x7FFFFFFF))
    return np.uint32(both >> np.uint32(1)) ^ np.uint32(np.uint32(0x9908B0DF) * (v & np.uint32(1)))


@kernel
def take(memory, words, n):
    """Write the next ``n`` words; ``memory`` is the state and, as its last word, how many of its words are used up."""
    done = 0
    while done < n:
        used = int(memory[N])
        if used == N:
            refresh(memory)
            used = 0
        count = min(N - used, n - done)
        for i in range(count):
            y = memory[used + i]
            y ^= y >> np.uint32(11)
            y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
            y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
            y ^= y >> np.uint32(18)
            words[done + i] = y
        done += count
        memory[N] = used + count


@kernel
def _wide(words, i):
    """Two words as one of 64 bits, the first one high."""
    return (np.uint64(words[2 * i]) << np.uint64(32)) | np.uint64(words[2 * i + 1])


@kernel
def unit32(word):
    """A word as a float32 in [0, 1): its lower 24 bits."""
    return np.float32(np.int32(word & np.uint32(0xFFFFFF))) * np.float32(2.0**-24)


@kernel
def unit64(words, i):
    """Two words as a float64 in [0, 1): their lower 53 bits."""
    return np.float64(np.int64(_wide(words, i) & np.uint64(2**53 - 1))) * 2.0**-53


# ---------------------------------------------------------------- uniform


def uniform(generator: Generator, n: int, dtype: Any, low: float, high: float) -> NDArray[np.floating]:
    """Twin of ``draws_numpy.uniform``, same bits."""
    out = np.empty(n, dtype)
    if out.itemsize == 8:
        _uniform64(generator.memory, out, float(low), float(high))
    else:
        _uniform32(generator.memory, out, np.float32(low), np.float32(high))
    return out


@kernel
def _uniform32(memory, out, low, high):
    words, width = np.empty(min(CHUNK, len(out)), np.uint32), high - low
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, n)
        chunk = out[start : start + n]
        for i in range(n):
            x = fused(unit32(words[i]), width, low)
            chunk[i] = low if x == high else x


@kernel
def _uniform64(memory, out, low, high):
    words, width = np.empty(2 * min(CHUNK, len(out)), np.uint32), high - low
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, 2 * n)
        chunk = out[start : start + n]
        for i in range(n):
            x = fused(unit64(words, i), width, low)
            chunk[i] = low if x == high else x


# ---------------------------------------------------------------- yes or no


def bernoulli(generator: Generator, n: int, dtype: Any, p: float, value: float) -> NDArray[Any]:
    """Twin of ``draws_numpy.bernoulli``, same bits."""
    out = np.empty(n, dtype)
    _bernoulli(generator.memory, out, float(p), out.dtype.type(value))
    return out


@kernel
def _bernoulli(memory, out, p, value):
    words, nothing = np.empty(2 * min(CHUNK, len(out)), np.uint32), value - value
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, 2 * n)
        chunk = out[start : start + n]
        for i in range(n):
            chunk[i] = value if unit64(words, i) < p else nothing


# ---------------------------------------------------------------- integers


def integers(generator: Generator, n: int, count: int, base: int, wide: bool) -> NDArray[np.int64]:
    """Twin of ``draws_numpy.integers``, same bits."""
    out = np.empty(n, np.int64)
    if wide:
        _wide_integers(generator.memory, out, np.uint64(count % 2**64), np.uint64(base % 2**64))
    else:
        _integers(generator.memory, out, float(count), base)
    return out


@kernel
def _integers(memory, out, count, base):
    words = np.empty(min(CHUNK, len(out)), np.uint32)
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, n)
        chunk = out[start : start + n]
        for i in range(n):  # in double precision, four at once: the quotient of two words has the right floor
            x = np.float64(words[i])
            chunk[i] = np.int64(np.int32(x - np.floor(x / count) * count)) + base


@kernel
def _wide_integers(memory, out, count, base):
    words = np.empty(2 * min(CHUNK, len(out)), np.uint32)
    for start in range(0, len(out), CHUNK):
        n = min(CHUNK, len(out) - start)
        take(memory, words, 2 * n)
        for i in range(n):
            value = _wide(words, i)
            if count != 0:  # 0 stands for 2**64
                value = value % count
            out[start + i] = np.int64(value + base)


def permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """Twin of ``draws_numpy.permutation``, same bits."""
    out = np.arange(n)
    _shuffle(generator.memory, out)
    return out


@kernel
def _shuffle(memory, out):
    n = len(out)
    words = np.empty(min(CHUNK, n), np.uint32)
    for start in range(0, n - 1, CHUNK):
        stop = min(start + CHUNK, n - 1)
        take(memory, words, stop - start)
        for i in range(start, stop):
            j = i + np.intp(words[i - start] % np.uint32(n - i))
            out[i], out[j] = out[j], out[i]


def large_permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """Twin of ``draws_numpy.large_permutation``, same bits."""
    out = np.empty(n, np.int64)
    _grow(generator.memory, out)
    return out


@kernel
def _grow(memory, out):
    n = len(out)
    words = np.empty(2 * min(CHUNK, n), np.uint32)
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        take(memory, words, 2 * (stop - start))
        for i in range(start, stop):
            j = np.intp(_wide(words, i - start) % np.uint64(i + 1))
            out[i] = out[j] if j < i else i
            out[j] = i
