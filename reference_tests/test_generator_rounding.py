"""Rounded where the reference rounds: the fused multiply-add, and the polynomials behind normal numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from minimal.generator import Generator, random_normal
from minimal.generator.fused_numpy import fused
from minimal.generator.state import LAYOUT

COMPONENT = "generator"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fused_multiply_add_is_rounded_once(dtype):
    random = np.random.RandomState(0)
    for _ in range(60):
        x, y = random.standard_normal(50).astype(dtype), dtype(random.standard_normal())
        # A third number near the end of the product, or one that takes it almost to the middle of two results.
        z = dtype(-x[0] * y * (1 + random.randint(-3, 4) * np.finfo(dtype).eps) * 2.0 ** random.randint(-30, 31))
        exact = [Fraction(float(a)) * Fraction(float(y)) + Fraction(float(z)) for a in x]
        assert fused(x, y, z).tolist() == [nearest(value, dtype) for value in exact]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("dtype", "a", "b"), [(np.float32, 2**-12, 2**-12), (np.float64, 2**-26, 2**-27)])
def test_a_third_number_far_below_the_product_decides_a_tie(dtype, a, b, sign):
    # (1 + a)(1 + b) = 1 + a + b + ab lies half-way between two numbers, as ab is half of what the format resolves.
    x, y, z = np.array([1 + a], dtype), dtype(1 + b), dtype(sign * 2.0**-110)
    below = dtype(1 + a + b)
    assert fused(x, y, z)[0] == (below if sign < 0 else np.nextafter(below, dtype(2)))


def nearest(value, dtype):
    """The number of this dtype that is nearest to a fraction, of two the even one."""
    guess = dtype(float(value))
    near = [np.nextafter(guess, -dtype(np.inf)), guess, np.nextafter(guess, dtype(np.inf))]
    return float(min(near, key=lambda x: (abs(Fraction(float(x)) - value), x.view(f"i{x.itemsize}") & 1)))


@pytest.mark.wide
def test_every_uniform_number_gives_its_logarithm_sine_and_cosine(parity):
    """The NumPy text rounds twice where the kernel's instruction rounds once: of the 2**24 numbers, none shows it."""
    from numba import njit

    from minimal.generator import normal_numba, normal_numpy

    @njit
    def compiled(u, theta, out):
        for i in range(len(u)):
            out[0, i] = normal_numba.log(u[i])
            out[1, i], out[2, i] = normal_numba.sine_and_cosine(theta[i])

    for start in range(0, 2**24, 2**20):
        x = np.arange(start, start + 2**20, dtype=np.float32) * np.float32(2.0**-24)
        u, theta = 1 - x, np.float32(2 * math.pi) * x
        out = np.empty((3, len(x)), np.float32)
        compiled(u, theta, out)
        text = np.stack([normal_numpy.log(u), *normal_numpy.sine_and_cosine(theta)])
        parity.identical(text, out, what="logarithm, sine and cosine of all uniform numbers", data=f"from {start}")
        exact = np.stack([np.log(u.astype(float)), np.sin(theta.astype(float)), np.cos(theta.astype(float))])
        assert np.abs(text - exact).max() < 2e-6  # and they are what they are called


def words_behind(drawn):
    """The words of state that a twister turns into these: its four last steps, undone from the last to the first."""
    y = drawn.astype(np.uint64)
    y ^= y >> np.uint64(18)
    y ^= (y << np.uint64(15)) & np.uint64(0xEFC60000)
    low = y.copy()
    for _ in range(5):  # each time seven more bits are right
        low = y ^ ((low << np.uint64(7)) & np.uint64(0x9D2C5680))
    high = low.copy()
    for _ in range(3):  # eleven more
        high = low ^ (high >> np.uint64(11))
    return high


@pytest.mark.wide
@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="PyTorch does not run its AVX2 code on this processor: there is nothing to be identical to",
)
def test_every_uniform_number_gives_pytorch_s_normal_number(parity):
    """States are made up so that both generators draw each of the 2**24 uniform numbers, once for r and once for theta."""
    n = 608  # a state holds 624 words
    thetas = np.random.RandomState(0).permutation(2**24)
    ours, theirs = Generator(), torch.Generator()
    differing = 0
    for start in range(0, 2**24, n // 2):
        places = np.minimum(np.arange(start, start + n // 2), 2**24 - 1)
        state = np.zeros((), LAYOUT)
        state["seeded"], state["left"], state["next"] = 1, 624, 1
        blocks = np.stack([places.reshape(-1, 8), thetas[places].reshape(-1, 8)], axis=1)
        state["words"][1 : n + 1] = words_behind(blocks.ravel())
        content = np.frombuffer(state.tobytes(), np.uint8).copy()
        ours.set_state(content)
        theirs.set_state(torch.from_numpy(content))
        x, y = random_normal(ours, n), torch.randn(n, generator=theirs).numpy()
        if start == 0:
            assert x[0] == 0.0  # u = 1: the words are the ones that were meant
        differing += np.count_nonzero(x.view(np.int32) != y.view(np.int32))
    parity.identical(differing, 0, what="normal numbers from all uniform numbers that differ")
