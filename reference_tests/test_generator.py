"""The random numbers are PyTorch's, draw for draw, and so are the bytes of a generator's state.

The streams of most draws are the same on every processor.  Normal numbers of single or half precision, 16 and more, follow
PyTorch's vector code for AVX2; where PyTorch does not run that, they agree to rounding only, and the test says so.
"""

import math

import numpy as np
import pytest
import torch

import minimal
from minimal.generator import (
    Generator,
    dropout_mask,
    random_bernoulli,
    random_exponential,
    random_integers,
    random_multinomial,
    random_nonnegative,
    random_normal,
    random_normal_around,
    random_normal_strided,
    random_permutation,
    random_u64,
    random_uniform,
)

COMPONENT = "generator"

SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 32, 100, 623, 624, 625, 1000, 1040, 20_000)
FLOATS = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
HAS_AVX2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
_SAMPLE = np.random.RandomState(0).uniform(size=100_000)
# Processors for which NumPy has a logarithm, a sine or a cosine of its own: then its text cannot have the C library's bits.
NUMPY_HAS_ITS_OWN = any(
    [ours(x) != theirs for x, theirs in zip(_SAMPLE.tolist(), function(_SAMPLE * scale).tolist())].count(True)
    for ours, function, scale in (
        (math.log, np.log, 1),
        (lambda x: math.log1p(-x), np.log1p, -1),
        (lambda x: math.sin(6 * x), np.sin, 6),
        (lambda x: math.cos(6 * x), np.cos, 6),
    )
)


@pytest.fixture
def pair():
    """Our generator and PyTorch's, with one seed."""
    return lambda seed: (Generator().manual_seed(seed), torch.Generator().manual_seed(seed))


def in_step(ours, theirs):
    return ours.get_state().tobytes() == theirs.get_state().numpy().tobytes()


def same_normal(parity, engine, ours, theirs, **names):
    """Identical, or where this processor does not run the code that we follow, equal to rounding, with that reason."""
    dtype = ours.dtype
    if dtype != np.float64 and not HAS_AVX2:
        bound, reason = 1e-6 if dtype == np.float32 else 2e-3, "PyTorch does not run its AVX2 code on this processor"
    elif dtype == np.float64 and engine == "numpy" and NUMPY_HAS_ITS_OWN:
        bound, reason = 1e-15, "NumPy brings its own log, sin and cos on this processor"
    else:
        return parity.identical(ours, theirs, **names)
    return parity.rounding(ours, theirs, bound=bound, reason=reason, **names)


# ---------------------------------------------------------------- the generator


@pytest.mark.parametrize("seed", [0, 1, 5489, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -(2**63), 67280421310721])
def test_a_seed_gives_pytorch_s_state_and_words(seed, parity):
    ours, theirs = Generator(), torch.Generator()
    assert ours.manual_seed(seed) is ours
    theirs.manual_seed(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    parity.identical(ours.get_state(), theirs.get_state().numpy(), what="state", option=f"seed {seed}")
    words = [random_u64(ours) for _ in range(700)]  # through two refreshments of the 624 words
    wide = torch.empty(700, dtype=torch.int64).random_(-(2**63), None, generator=theirs).numpy()
    parity.identical(np.array(words, np.uint64).view(np.int64), wide, what="words", option=f"seed {seed}")
    assert in_step(ours, theirs)


def test_a_new_generator_has_pytorch_s_seed():
    assert Generator().initial_seed() == torch.Generator().initial_seed() == 67280421310721
    assert in_step(Generator(), torch.Generator())
    assert Generator("cpu").device == Generator(device=None).device == "cpu"


@pytest.mark.parametrize("n_words", [0, 1, 2, 623, 624, 625, 1247, 1248])
def test_states_travel_in_both_directions(n_words, engine, pair):
    ours, theirs = pair(3)
    random_integers(ours, 0, 7, n_words)
    torch.randint(0, 7, (n_words,), generator=theirs)
    random_normal(ours, 3)  # leaves the second number of a pair
    torch.randn(3, generator=theirs)
    state = theirs.get_state()
    assert ours.get_state().tobytes() == state.numpy().tobytes()
    here, there = Generator().set_state(state.numpy()), torch.Generator()
    there.set_state(torch.from_numpy(ours.get_state()))
    for _ in range(2):
        assert random_normal(here, 5).tobytes() == torch.randn(5, generator=there).numpy().tobytes()
        assert random_uniform(here, 700).tobytes() == torch.rand(700, generator=there).numpy().tobytes()
    assert here.initial_seed() == 3
    assert in_step(here, there)


def test_the_engines_go_on_from_each_other():
    one, mixed = Generator().manual_seed(8), Generator().manual_seed(8)
    for draw, engine in enumerate(["numba", "numpy", "numpy", "numba", "numba", "numpy"] * 3):
        with minimal.engine(engine):
            x = (random_normal(mixed, 7), random_uniform(mixed, 150 + draw, "float64"), random_permutation(mixed, 40))
        y = (random_normal(one, 7), random_uniform(one, 150 + draw, "float64"), random_permutation(one, 40))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(x, y))
    assert one.get_state().tobytes() == mixed.get_state().tobytes()


def test_a_seed_forgets_the_second_number_of_a_pair(engine, pair):
    ours, theirs = pair(5)
    random_normal(ours, 1)
    torch.randn(1, generator=theirs)
    assert in_step(ours.manual_seed(5), theirs.manual_seed(5))
    assert random_normal(ours, 3).tobytes() == torch.randn(3, generator=theirs).numpy().tobytes()


def test_a_copy_goes_its_own_way():
    import copy
    import pickle

    generator = Generator().manual_seed(1)
    random_normal(generator, 1)
    copies = [generator.clone_state(), copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    expected = random_normal(generator, 5)
    for other in copies:
        assert np.array_equal(random_normal(other, 5), expected)
    assert len({id(generator.bits), *(id(other.bits) for other in copies)}) == 4


def test_the_default_generator_and_its_fork():
    with minimal.generator.fork_rng():
        assert minimal.generator.manual_seed(-5) is minimal.generator.default_generator
        assert minimal.generator.initial_seed() == 2**64 - 5
        state = minimal.generator.get_rng_state()
        first = random_uniform(minimal.generator.default_generator, 3)
        minimal.generator.set_rng_state(state)
        with minimal.generator.fork_rng():
            assert np.array_equal(random_uniform(minimal.generator.default_generator, 3), first)
        with minimal.generator.fork_rng(enabled=False):
            assert np.array_equal(random_uniform(minimal.generator.default_generator, 3), first)
        assert not np.array_equal(random_uniform(minimal.generator.default_generator, 3), first)
        assert minimal.generator.seed() == minimal.generator.initial_seed() != minimal.generator.seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, "3", True, None, torch.tensor(3), np.float32(3)], ids=repr)
def test_what_cannot_seed_is_the_same_error(seed):
    with pytest.raises(Exception) as theirs:  # noqa: PT011  whatever the reference raises
        torch.Generator().manual_seed(seed)
    if isinstance(seed, torch.Tensor):
        seed = seed.numpy()
    generator = Generator().manual_seed(4)
    with pytest.raises((theirs.type,), match="seed"):
        generator.manual_seed(seed)
    assert generator.initial_seed() == 4


def test_what_is_no_state_is_the_same_error():
    generator = Generator()
    before = generator.get_state()
    inconsistent = before.copy()
    inconsistent[8] = 200  # so many words left, although all are
    for state in (np.zeros(3, np.uint8), np.zeros(5056), np.zeros(5056, np.uint8)):
        with pytest.raises((RuntimeError, TypeError)) as theirs:
            torch.Generator().set_state(torch.from_numpy(state))
        with pytest.raises(theirs.type, match="state"):
            generator.set_state(state)
    for state, error in (([1], TypeError), (inconsistent, RuntimeError)):
        with pytest.raises(error, match="state"):
            generator.set_state(state)
    assert np.array_equal(generator.get_state(), before)
    with pytest.raises(RuntimeError, match="CPU"):
        Generator("cuda")


# ---------------------------------------------------------------- uniform and normal


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "bounds",
    # The last three leave so few numbers between them that a draw is rounded to the upper bound, in one dtype each.
    [(0, 1), (-2.5, 3.7), (0, 1e-3), (1, 1), (-1e-3, 1e4), (0.9, 1), (1, 1 + 2**-22), (1, 1 + 2**-51)],
)
def test_uniform(dtype, bounds, engine, pair, parity):
    ours, theirs = pair(1)
    for n in SIZES:
        x = random_uniform(ours, n, dtype, *bounds)
        y = torch.empty(n, dtype=FLOATS[dtype]).uniform_(*bounds, generator=theirs).numpy()
        parity.identical(x, y, what=f"{n} uniform numbers", option=f"{bounds}")
        assert in_step(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("mean", "std"), [(0, 1), (1.3, 2.7), (-1e3, 1e-3), (5, 0), (0, 0.3)])
def test_normal(dtype, mean, std, engine, pair, parity):
    ours, theirs = pair(2)
    for n in SIZES:
        x = random_normal(ours, n, dtype, mean, std)
        y = torch.empty(n, dtype=FLOATS[dtype]).normal_(mean, std, generator=theirs).numpy()
        same_normal(parity, engine, x, y, what=f"{n} normal numbers", option=f"mean {mean}, std {std}")
        assert in_step(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_tensor_that_is_not_contiguous_is_filled_one_by_one(dtype, engine, pair, parity):
    ours, theirs = pair(2)
    x = random_normal_strided(ours, (4, 5), dtype, 1.5, 2.5)
    y = torch.empty(4, 5, dtype=FLOATS[dtype]).t().normal_(1.5, 2.5, generator=theirs).t().numpy()
    parity.identical(x, y, what="normal numbers in a transposed tensor")
    assert in_step(ours, theirs)


def test_normal_around(engine, pair, parity):
    ours, theirs = pair(4)
    means, stds = np.linspace(-3, 3, 40, dtype=np.float32), np.linspace(0, 2, 40, dtype=np.float32)
    wide = np.linspace(0, 2, 20)[:, None]
    for mean, std in ((means, stds), (means, 0.7), (-1.1, stds), (means, wide), (wide, stds), (-1.1, wide), (wide, 2)):
        as_tensor = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in (mean, std)]
        y = torch.normal(*as_tensor, generator=theirs).numpy()
        x = random_normal_around(ours, mean, std)
        same_normal(
            parity, engine, x, y, what="normal numbers around means", option=f"{np.shape(mean)}, {np.shape(std)}"
        )
    assert in_step(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rate", [1.0, 2.7])
def test_exponential(dtype, rate, engine, pair, parity):
    ours, theirs = pair(5)
    for n in SIZES:
        x = random_exponential(ours, n, dtype, rate)
        y = torch.empty(n, dtype=FLOATS[dtype]).exponential_(rate, generator=theirs).numpy()
        if NUMPY_HAS_ITS_OWN:
            reason = "NumPy brings its own log1p on this processor"
            parity.rounding(
                x, y, bound=float(torch.finfo(FLOATS[dtype]).eps), reason=reason, what=f"{n} exponential numbers"
            )
        else:
            parity.identical(x, y, what=f"{n} exponential numbers", option=f"rate {rate}")
        assert in_step(ours, theirs)


@pytest.mark.parametrize("engine", ["numba", pytest.param("numpy", marks=pytest.mark.wide)], indirect=True)
def test_millions(engine, pair, parity):
    ours, theirs = pair(6)
    for dtype in FLOATS:
        x, y = random_normal(ours, (1009, 1013), dtype), torch.randn(1009, 1013, dtype=FLOATS[dtype], generator=theirs)
        same_normal(parity, engine, x, y.numpy(), what="a million normal numbers")
        x, y = random_uniform(ours, (1009, 1013), dtype), torch.rand(1009, 1013, dtype=FLOATS[dtype], generator=theirs)
        parity.identical(x, y.numpy(), what="a million uniform numbers")
    x, y = random_permutation(ours, 1_000_003), torch.randperm(1_000_003, generator=theirs).numpy()
    parity.identical(x, y, what="a permutation of a million")
    assert in_step(ours, theirs)


# ---------------------------------------------------------------- integers

RANGES = [
    (0, 1), (0, 2), (0, 10), (-7, 1 << 20), (0, 2**28 - 1), (9, 2**28 + 9), (0, 2**31 - 1), (0, 2**31),
    (5, 2**32 - 3), (0, 2**32 - 1), (0, 2**32), (-(2**31), 2**31), (-3, 2**40), (-(2**63), 2**63 - 1),
    (-5, 2**62 + 7), (0, 2**63 - 1), (-(2**63), None), (3, None),
]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_integers(low, high, engine, pair, parity):
    ours, theirs = pair(7)
    for n in SIZES:
        x = random_integers(ours, low, high, n)
        y = torch.empty(n, dtype=torch.int64).random_(low, high, generator=theirs).numpy()
        parity.identical(x, y, what=f"{n} integers", option=f"[{low}, {high})")
    assert in_step(ours, theirs)


@pytest.mark.filterwarnings("ignore:.*(out of bounds|does not hold).*:UserWarning")
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", *FLOATS])
def test_integers_of_every_dtype(dtype, engine, pair, parity):
    ours, theirs = pair(8)
    checked = 0
    for low, high in (*RANGES, (-128, 128), (0, 256), (-(2**15), None), (0, 65504), (-65504, 65503), (1, 2**24 + 2)):
        y = torch.empty(50, dtype=getattr(torch, dtype))
        try:
            y.random_(low, high, generator=theirs)
        except RuntimeError:
            with pytest.raises(RuntimeError, match=r"low|range|bounds"):
                random_integers(ours, low, high, 50, dtype)
        else:
            x = random_integers(ours, low, high, 50, dtype)
            parity.identical(x, y.numpy(), what="integers", option=f"[{low}, {high})")
            checked += 1
        assert in_step(ours, theirs)
    x, y = random_nonnegative(ours, 50, dtype), y.random_(generator=theirs).numpy()
    parity.identical(x, y, what="integers up to the largest")
    assert in_step(ours, theirs)
    assert checked >= 2


def test_integers_that_a_float_does_not_hold_warn():
    with pytest.warns(UserWarning, match="hold"):
        random_integers(Generator(), 0, 2**26, 3, "float32")


def test_permutations(engine, pair, parity):
    ours, theirs = pair(9)
    for n in SIZES:
        x, y = random_permutation(ours, n), torch.randperm(n, generator=theirs).numpy()
        parity.identical(x, y, what=f"a permutation of {n}")
        assert in_step(ours, theirs)


# ---------------------------------------------------------------- decisions


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1 / 3, 1.0])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", *FLOATS])
def test_bernoulli(p, dtype, engine, pair, parity):
    ours, theirs = pair(10)
    for n in SIZES:
        x = random_bernoulli(ours, p, n, dtype)
        y = torch.empty(n, dtype=getattr(torch, dtype)).bernoulli_(p, generator=theirs).numpy()
        parity.identical(x, y, what=f"{n} coin flips", option=f"p={p:.2g}")
        assert in_step(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_with_probabilities(dtype, engine, pair, parity):
    ours, theirs = pair(11)
    p = np.linspace(0, 1, 60).reshape(3, 20).astype(dtype)
    x, y = random_bernoulli(ours, p), torch.bernoulli(torch.from_numpy(p), generator=theirs).numpy()
    parity.identical(x, y, what="coin flips, each with its own p")
    x = random_bernoulli(ours, p, (2, 3, 20), np.int64)
    y = torch.empty(2, 3, 20, dtype=torch.int64).bernoulli_(torch.from_numpy(p), generator=theirs).numpy()
    parity.identical(x, y, what="coin flips, p broadcast")
    assert in_step(ours, theirs)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1 - 1e-7, 1.0])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(0,), (7,), (3, 5, 11), (40, 50)])
def test_dropout_masks(p, dtype, shape, engine, parity):
    with torch.random.fork_rng():
        torch.manual_seed(12)
        ours = Generator().manual_seed(12)
        for _ in range(2):
            y = torch.nn.functional.dropout(torch.ones(shape, dtype=FLOATS[dtype]), p, training=True).numpy()
            parity.identical(dropout_mask(ours, p, shape, dtype), y, what="dropout mask", option=f"p={p:.2g}")
        assert in_step(ours, torch.default_generator)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masks_of_whole_channels(dtype, engine, parity):
    with torch.random.fork_rng():
        torch.manual_seed(13)
        ours = Generator().manual_seed(13)
        y = torch.nn.functional.dropout2d(torch.ones(6, 9, 4, 5, dtype=FLOATS[dtype]), 0.4, training=True).numpy()
        x = np.broadcast_to(dropout_mask(ours, 0.4, (6, 9, 1, 1), dtype), y.shape)
        parity.identical(x, y, what="dropout2d mask")
        assert in_step(ours, torch.default_generator)


@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial(dtype, engine, pair, parity):
    ours, theirs = pair(14)
    rows = np.random.RandomState(0).uniform(size=(5, 30)).astype(dtype)
    rows[1, :10] = 0
    for weight in (rows[0], rows):
        for n_samples, replacement in ((1, False), (1, True), (8, False), (20, False), (50, True)):
            x = random_multinomial(ours, weight, n_samples, replacement)
            y = torch.multinomial(torch.from_numpy(weight), n_samples, replacement, generator=theirs).numpy()
            if NUMPY_HAS_ITS_OWN and not replacement:
                parity.known("multinomial", "NumPy brings its own log1p on this processor", option=dtype)
                assert np.mean(x == y) > 0.9
            else:
                parity.identical(x, y, what=f"{n_samples} categories", option=f"replacement={replacement}")
            assert in_step(ours, theirs)


# ---------------------------------------------------------------- any mixture, any error


@pytest.mark.parametrize("seed", range(4))
def test_draws_of_different_kinds_stay_in_step(seed, engine, pair):
    order = np.random.RandomState(seed)
    ours, theirs = pair(seed)
    draws = (
        lambda n: (random_normal(ours, n), torch.randn(n, generator=theirs)),
        lambda n: (random_normal(ours, n, "float64"), torch.randn(n, dtype=torch.float64, generator=theirs)),
        lambda n: (random_normal(ours, n, "float16"), torch.randn(n, dtype=torch.float16, generator=theirs)),
        lambda n: (random_uniform(ours, n), torch.rand(n, generator=theirs)),
        lambda n: (random_uniform(ours, (n, 2), "float64"), torch.rand(n, 2, dtype=torch.float64, generator=theirs)),
        lambda n: (random_integers(ours, 0, 10, n), torch.randint(0, 10, (n,), generator=theirs)),
        lambda n: (random_permutation(ours, n), torch.randperm(n, generator=theirs)),
        lambda n: (random_bernoulli(ours, 0.3, n), torch.empty(n).bernoulli_(0.3, generator=theirs)),
        lambda n: (random_exponential(ours, n), torch.empty(n).exponential_(generator=theirs)),
    )
    for _ in range(60):
        x, y = draws[order.randint(len(draws))](int(order.choice([1, 3, 5, 16, 21, 40])))
        assert x.shape == tuple(y.shape)
        assert np.allclose(x, y.numpy(), rtol=1e-5, atol=1e-6)  # their bits are compared above
        assert in_step(ours, theirs)


ERRORS = [
    (lambda g: random_uniform(g, 3, "float32", 2, 1), lambda: torch.empty(3).uniform_(2, 1), "low"),
    (lambda g: random_uniform(g, 3, "float32", 0, math.nan), lambda: torch.empty(3).uniform_(0, math.nan), "bounds"),
    (lambda g: random_uniform(g, 3, "float32", -3e38, 3e38), lambda: torch.empty(3).uniform_(-3e38, 3e38), "distance"),
    (lambda g: random_uniform(g, 3, "float16", 0, 1e5), lambda: torch.empty(3).half().uniform_(0, 1e5), "bounds"),
    (lambda g: random_uniform(g, 3, "int64"), lambda: torch.rand(3, dtype=torch.int64), "float"),
    (lambda g: random_uniform(g, (2, -3)), lambda: torch.rand(2, -3), "negative"),
    (lambda g: random_normal(g, 3, "int64"), lambda: torch.randn(3, dtype=torch.int64), "float"),
    (lambda g: random_normal(g, 3, std=-1), lambda: torch.empty(3).normal_(0, -1), "std"),
    (lambda g: random_normal(g, 3, std=math.nan), lambda: torch.empty(3).normal_(0, math.nan), "std"),
    (
        lambda g: random_normal_around(g, 0.0, np.array([1.0, -1.0])),
        lambda: torch.normal(0.0, torch.tensor([1.0, -1.0])),
        "deviation",
    ),
    (lambda g: random_exponential(g, 3, rate=0), lambda: torch.empty(3).exponential_(0), "rate"),
    (lambda g: random_integers(g, 5, 5, 2), lambda: torch.randint(5, 5, (2,)), "low"),
    (lambda g: random_permutation(g, -1), lambda: torch.randperm(-1), "negative"),
    (lambda g: random_bernoulli(g, 1.5, 3), lambda: torch.empty(3).bernoulli_(1.5), "probability"),
    (lambda g: random_bernoulli(g, math.nan, 3), lambda: torch.empty(3).bernoulli_(math.nan), "probability"),
    (lambda g: random_bernoulli(g, np.array([1.5])), lambda: torch.bernoulli(torch.tensor([1.5])), "probability"),
    (lambda g: random_bernoulli(g, np.array([1])), lambda: torch.bernoulli(torch.tensor([1])), "float"),
    (lambda g: dropout_mask(g, 1.5, 3), lambda: torch.nn.functional.dropout(torch.ones(3), 1.5), "probability"),
    (lambda g: random_multinomial(g, np.ones(3), 4), lambda: torch.multinomial(torch.ones(3), 4), "samples"),
    (lambda g: random_multinomial(g, np.ones(3), 0), lambda: torch.multinomial(torch.ones(3), 0), "sample"),
    (lambda g: random_multinomial(g, -np.ones(3), 1), lambda: torch.multinomial(-torch.ones(3), 1), "eights"),
    (lambda g: random_multinomial(g, np.zeros(3), 2, True), lambda: torch.multinomial(torch.zeros(3), 2, True), "sum"),
    (lambda g: random_multinomial(g, np.ones((2, 2, 2)), 1), lambda: torch.multinomial(torch.ones(2, 2, 2), 1), "dim"),
    (
        lambda g: random_multinomial(g, np.ones(3, int), 1),
        lambda: torch.multinomial(torch.ones(3, dtype=torch.int64), 1),
        "float",
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "word"), ERRORS)
def test_what_cannot_be_drawn_is_the_same_error_and_draws_nothing(ours, theirs, word):
    with torch.random.fork_rng(), pytest.raises(Exception) as expected:  # noqa: PT011  whatever the reference raises
        theirs()
    generator = Generator()
    with pytest.raises(expected.type, match=word):
        ours(generator)
    assert in_step(generator, torch.Generator())
