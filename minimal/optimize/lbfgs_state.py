"""What L-BFGS remembers between two evaluations of the objective: one matrix and one vector.

The algorithm is a conversation (*reverse communication*).  It never calls the objective; it says what it wants by a number:

    memory, state = begin(x, maxcor, ftol, gtol, maxls)
    task = EVALUATE
    while task <= NEW_X:
        if task == EVALUATE:
            f, g = fun_and_grad(x)                  # x now holds the point that the algorithm asks about
        task = advance(x, f, g, memory, state)      # digest the answer; moves x

So the same few lines drive it from Python with a Python objective, or compiled with a compiled one.  Plain arrays rather than
an object, because a compiled function takes an array in some 50 ns and an object in microseconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minimal.optimize.more_thuente import Rules, Search

# What the algorithm wants next, or why it stopped.
EVALUATE, NEW_X, SMALL_GRADIENT, SMALL_DECREASE, ABNORMAL = range(5)
# Why its partner in the conversation stopped.
TOO_MANY_ITERATIONS, TOO_MANY_EVALUATIONS, CALLBACK_STOPPED = range(5, 8)

# Rows of ``memory``, after maxcor rows of s = x_new - x_old and maxcor rows of y = g_new - g_old: counted from the end.
DIRECTION, TARGET, X_OLD, G_OLD = -4, -3, -2, -1
N_WORK_ROWS = 4

# Places in ``state``: what the user set, where the iteration stands, where the search along the line stands.
MAXCOR, FTOL, GTOL, MAXLS, COMPACT, TASK, ITERATION, STORED, NEWEST, THETA, F_OLD, STEP, SLOPE, TRIALS, SEARCH = range(
    15
)
SLOPE_OLD = SEARCH + Search._fields.index("ginit")  # where the search began
N_FIXED = SEARCH + len(Search._fields)
# ... then s'y of every stored pair, then the coefficients of the two-loop recursion, maxcor each; for the compact form then
# Y'Y and S'Y, maxcor**2 each, its matrix, 4 * maxcor**2, and a vector, 2 * maxcor.

FIRST = -1.0  # in TASK: nothing has been evaluated yet

# The line search of L-BFGS-B (SciPy's C code has the same constants).
RULES = Rules(ftol=1e-3, gtol=0.9, xtol=0.1, stpmin=0.0, stpmax=1e10)


def begin(
    x: NDArray[np.float64], maxcor: int, ftol: float, gtol: float, maxls: int, compact: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An empty memory and the state before the first evaluation.

    Parameters
    ----------
    x : ndarray of shape (n,), float64
        Only its length counts.
    maxcor : int
        How many (s, y) pairs to keep.
    ftol, gtol : float
        Stop when ``f_old - f <= ftol * max(|f_old|, |f|, 1)``; when ``max |g_i| <= gtol``.
    maxls : int
        Evaluations allowed in one line search.
    compact : bool, default=False
        Round as SciPy does (``lbfgs_compact_numpy``) instead of using the two-loop recursion; only where
        ``lbfgs_lapack.AVAILABLE``.

    Returns
    -------
    memory : ndarray of shape (2 * maxcor + 4, n)
    state : ndarray of shape (30 + 2 * maxcor,), or longer if compact
    """
    memory = np.zeros((2 * maxcor + N_WORK_ROWS, x.size))
    state = np.zeros(N_FIXED + 2 * maxcor + (6 * maxcor * maxcor + 2 * maxcor if compact else 0))
    state[MAXCOR], state[FTOL], state[GTOL], state[MAXLS] = maxcor, ftol, gtol, maxls
    state[COMPACT], state[TASK], state[NEWEST], state[THETA] = compact, FIRST, -1, 1.0
    return memory, state
