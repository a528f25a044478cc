"""The references' random numbers: with them, the same seed gives the same answer here and there.

scikit-learn draws from two generators.  What happens once a fit (initial values, one seed) comes from NumPy's
``RandomState``, which :func:`check_random_state` finds or makes.  What happens at every sample or node comes from a tiny
32-bit xorshift generator (Marsaglia, 2003), which is seeded by one draw from the first:

    state ^= state << 13;   state ^= state >> 17;   state ^= state << 5        all in 32 bits, never zero

The xorshift functions below hold their state as a plain integer and return the next one.  They are written so that the
same text runs in Python and compiles in a kernel: ``next_state = njit(random.next_state)``.
"""

from __future__ import annotations

import numbers
import threading

import numpy as np

__all__ = ["borrowed_generator", "check_random_state", "next_state", "random_index", "random_indices", "xorshift_seed"]

LARGEST_INT32 = 2**31 - 1


def check_random_state(seed: object) -> np.random.RandomState:
    """Find or make the ``RandomState`` that the parameter ``random_state`` stands for.

    Parameters
    ----------
    seed : None, int or RandomState
        None (or the module ``numpy.random``) is NumPy's global generator, an integer in [0, 2**32 - 1] makes a new
        generator, and a generator is returned as it is, so that one generator serves several fits in turn.

    Raises
    ------
    ValueError
        If ``seed`` is something else, or an integer out of range.

    Source: ``sklearn.utils.check_random_state``, 1.9.1.
    """
    if seed is None or seed is np.random:
        return np.random.mtrand._rand
    if isinstance(seed, numbers.Integral):
        return np.random.RandomState(seed)  # type: ignore[arg-type]
    if isinstance(seed, np.random.RandomState):
        return seed
    raise ValueError(f"random_state must be None, an int or a RandomState. {seed!r} cannot seed a generator.")


def xorshift_seed(random_state: object, low: int = 0) -> int:
    """Draw the seed of a xorshift generator, uniform in [low, 2**31 - 1).

    Parameters
    ----------
    random_state : None, int or RandomState
        As for :func:`check_random_state`.  A generator gives one draw, and nothing else of it is consumed.
    low : int
        Trees draw from 0, the sag solvers from 1: that is how the references do it.
    """
    if isinstance(random_state, numbers.Integral):
        generator = borrowed_generator(int(random_state))
    else:
        generator = check_random_state(random_state)
    return int(generator.randint(low, LARGEST_INT32))


_of_this_thread = threading.local()


def borrowed_generator(seed: int) -> np.random.RandomState:
    """The same draws as from ``RandomState(seed)``, at a twentieth of the cost of making one.

    It belongs to this thread and is seeded anew by the next call: draw at once, and keep nothing.
    """
    if not hasattr(_of_this_thread, "generator"):
        _of_this_thread.generator = np.random.RandomState(0)
    generator: np.random.RandomState = _of_this_thread.generator
    generator.seed(seed)
    return generator


def next_state(state: int) -> int:
    """One xorshift step, from any 32-bit state to the next; the state 0, which would stay 0 for ever, counts as 1."""
    if state == 0:
        state = 1
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    return state


def random_index(state: int, low: int, high: int) -> int:
    """The integer in [low, high) that a state stands for: low + (state mod 2**31) mod (high - low).

    The remainder favours small integers a little, by less than (high - low) / 2**31; the references do the same.
    """
    return low + (state & 0x7FFFFFFF) % (high - low)


def random_indices(seed: int, n_draws: int, high: int) -> np.ndarray:
    """Draw ``n_draws`` indices in [0, high) with replacement, as a kernel would one by one.

    Returns
    -------
    ndarray of shape (n_draws,), int64

    Examples
    --------
    >>> random_indices(seed=1, n_draws=5, high=10)
    array([9, 9, 3, 5, 5])
    """
    indices = np.empty(n_draws, dtype=np.int64)
    state = seed
    for draw in range(n_draws):
        state = next_state(state)
        indices[draw] = random_index(state, 0, high)
    return indices
