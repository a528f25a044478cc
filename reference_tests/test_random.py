"""The random numbers are scikit-learn's, draw for draw."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn.utils
from sklearn.linear_model._base import make_dataset
from sklearn.utils._random import _our_rand_r_py

from minimal.random import check_random_state, next_state, random_index, random_indices, xorshift_seed

COMPONENT = "random"


def draws_of_scikit_learn(seed, n):
    """Single draws: their function keeps no state, and a draw below 2**31 loses the state's highest bit."""
    return [_our_rand_r_py(seed + k) for k in range(n)]


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, 2**31 - 2, 2**31, 2**32 - 50])
def test_one_step_is_scikit_learn_s(seed, parity):
    ours = [random_index(next_state(seed + k), 0, 2**31) for k in range(40)]
    parity.identical(np.array(ours), np.array(draws_of_scikit_learn(seed, 40)), what=f"xorshift from {seed}")


def test_the_first_steps_by_hand():
    # 1 -> 1 ^ 2**13 = 8193 -> 8193 ^ (8193 >> 17 = 0) -> 8193 ^ 8193 * 32 = 270369
    assert next_state(1) == 8193 ^ (8193 << 5) == 270369
    assert next_state(0) == next_state(1)


@pytest.mark.parametrize("n_samples", [1, 7, 150, 1797])
@pytest.mark.parametrize("random_state", [0, 3, 42])
def test_a_long_stream_of_samples_is_scikit_learn_s(n_samples, random_state, parity):
    n_draws = 2000
    marks = np.arange(float(n_samples))  # the target says which sample it belongs to
    dataset, _ = make_dataset(marks[:, None].copy(), marks, np.ones(n_samples), random_state)
    theirs = np.array([dataset._random_py()[3] for _ in range(n_draws)])
    ours = random_indices(xorshift_seed(check_random_state(random_state), low=1), n_draws, n_samples)
    parity.identical(
        ours, theirs.astype(np.int64), what=f"{n_draws} draws from {n_samples}", option=f"seed {random_state}"
    )


def test_a_state_runs_through_32_bits_and_never_stops_at_zero():
    state, highest = 1, 0
    for _ in range(10_000):
        state = next_state(state)
        assert 0 < state < 2**32
        highest = max(highest, state)
    assert highest >= 2**31


def test_the_same_text_compiles():
    numba = pytest.importorskip("numba")
    compiled_step, compiled_index = numba.njit(next_state), numba.njit(random_index)
    state = compiled = 0
    for _ in range(5_000):
        state, compiled = next_state(state), compiled_step(compiled)
        assert state == compiled
        assert random_index(state, 3, 1000) == compiled_index(compiled, 3, 1000)


@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize("seed", [0, 7, np.int64(11), True, 2**32 - 1])
def test_a_seed_is_one_draw(seed, low):
    theirs = sklearn.utils.check_random_state(seed)
    first, second = theirs.randint(low, np.iinfo(np.int32).max), theirs.random_sample()
    assert xorshift_seed(seed, low) == first == xorshift_seed(seed, low)
    ours = check_random_state(seed)
    assert xorshift_seed(ours, low) == first
    assert ours.random_sample() == second


def test_the_global_generator_gives_one_draw():
    np.random.seed(5)  # noqa: NPY002  what None stands for
    ours = [xorshift_seed(None), xorshift_seed(None)]
    theirs = np.random.RandomState(5).randint(0, 2**31 - 1, size=2)
    assert ours == list(theirs)


def test_a_generator_passes_and_none_is_the_global_one():
    generator = np.random.RandomState(0)
    assert check_random_state(generator) is generator
    assert check_random_state(None) is sklearn.utils.check_random_state(None)
    assert check_random_state(np.random) is sklearn.utils.check_random_state(None)


@pytest.mark.parametrize("seed", ["0", 1.5, -1, 2**32, np.random.default_rng(0), [1, 2], (3,)])
def test_what_cannot_seed_is_the_same_error(seed):
    with pytest.raises(Exception) as theirs:  # noqa: PT011  whatever the reference raises
        sklearn.utils.check_random_state(seed)
    with pytest.raises(theirs.type, match=r"seed|Seed"):
        check_random_state(seed)
    with pytest.raises(theirs.type, match=r"seed|Seed"):
        xorshift_seed(seed)


def test_no_compiler_is_needed():
    program = (
        "import sys, minimal; from minimal.random import random_indices; from minimal.linear_model.sag import sag_logistic\n"
        "minimal.set_engine('numpy'); random_indices(1, 3, 5)\n"
        "sag_logistic(__import__('numpy').eye(4), [0, 1, 0, 1], max_iter=2, random_state=0)\n"
        "assert 'numba' not in sys.modules and 'sklearn' not in sys.modules and 'scipy' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
