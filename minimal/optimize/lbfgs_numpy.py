"""One step of L-BFGS, to read: a quasi-Newton method that remembers ten pairs of vectors instead of a matrix.

BFGS keeps an approximation H of the inverse Hessian, n x n numbers.  But H only ever meets a gradient, as d = -H g, and H is
the result of rank-two updates by the pairs s = x_new - x_old and y = g_new - g_old.  Nocedal's two-loop recursion applies the
last few updates to g directly: 4 n multiplications a pair, and no matrix.

Read :func:`direction` first, then :func:`remember` (what is learned from a step), then from :func:`advance` upwards how a
step comes about.  The names of places (``state[STEP]``, ``memory[X_OLD]``) are in ``lbfgs_state``, the search along the line
is in ``more_thuente``.

Sources: J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp. 35 (1980); every decision as in
L-BFGS-B 3.0 (Byrd, Lu, Nocedal & Zhu, 1995; Morales & Nocedal, 2011) without bounds, as in ``scipy.optimize`` 1.17.1.  That
one reaches the same direction through a matrix, and rounds differently: ``lbfgs_compact_numpy``, where its bits are wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.optimize import lbfgs_compact_numpy, more_thuente
from minimal.optimize.lbfgs_state import (
    ABNORMAL,
    COMPACT,
    DIRECTION,
    EVALUATE,
    F_OLD,
    FIRST,
    FTOL,
    G_OLD,
    GTOL,
    ITERATION,
    MAXCOR,
    MAXLS,
    N_FIXED,
    NEW_X,
    NEWEST,
    RULES,
    SEARCH,
    SLOPE,
    SLOPE_OLD,
    SMALL_DECREASE,
    SMALL_GRADIENT,
    STEP,
    STORED,
    TARGET,
    TASK,
    THETA,
    TRIALS,
    X_OLD,
)

Array = NDArray[np.float64]
EPS = 2.0**-52


def direction(g: Array, memory: Array, state: Array, d: Array) -> None:
    """d = -H g by the two-loop recursion, for the H of the stored pairs and H_0 = I / theta.

    Each update is  H <- (I - s y'/s'y) H (I - y s'/s'y) + s s'/s'y,  the newest one outermost: so the first loop, newest
    to oldest, applies the factors on the right, H_0 stands in the middle, and the second loop, oldest to newest, applies
    those on the left.
    """
    m, stored, newest = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST])
    S, Y = memory[:m], memory[m : 2 * m]
    curvature, a = state[N_FIXED : N_FIXED + m], state[N_FIXED + m : N_FIXED + 2 * m]
    new_to_old = [(newest - k) % m for k in range(stored)]
    d[:] = -g
    for i in new_to_old:
        a[i] = S[i] @ d / curvature[i]
        d -= a[i] * Y[i]
    d /= state[THETA]
    for i in reversed(new_to_old):
        b = Y[i] @ d / curvature[i]
        d += (a[i] - b) * S[i]


def remember(g: Array, memory: Array, state: Array) -> None:
    """Keep s = step * d and y = g - g_old if the function curves upwards along s; scale the next H_0 by theta = y'y / s'y.

    A pair with s'y <= 0 would make H indefinite, and its directions lead upwards.  s'y costs nothing: it is the change of the
    slope along the line, times the step.
    """
    step, slope_old = state[STEP], state[SLOPE_OLD]
    curvature = (state[SLOPE] - slope_old) * step
    if curvature <= EPS * -slope_old * step:
        return
    m = int(state[MAXCOR])
    i = (int(state[NEWEST]) + 1) % m
    memory[i] = memory[DIRECTION] * step
    memory[m + i] = g - memory[G_OLD]
    size = length(memory[m + i], state)
    state[NEWEST], state[N_FIXED + i], state[THETA] = i, curvature, size * size / curvature
    state[STORED] = min(state[STORED] + 1, m)


def length(v: Array, state: Array) -> Any:
    """The Euclidean norm of ``v``."""
    return np.float64(lbfgs_compact_numpy.norm(v)) if state[COMPACT] else np.sqrt(v @ v)


def forget(state: Array) -> None:
    """Back to steepest descent: no pairs, theta = 1."""
    state[STORED], state[NEWEST], state[THETA] = 0, -1, 1.0


def save_search(search: more_thuente.Search, state: Array) -> None:
    """Put the 15 numbers of the line search into the state."""
    state[SEARCH:N_FIXED] = search


def load_search(state: Array) -> more_thuente.Search:
    """The line search as it was left."""
    bracketed, first_stage, *numbers = state[SEARCH:N_FIXED].tolist()
    return more_thuente.Search(bracketed != 0, first_stage != 0, *numbers)


def try_step(x: Array, memory: Array, state: Array) -> int:
    """Put the next trial point into x: x_old + step * d."""
    step = state[STEP]
    x[:] = memory[TARGET] if step == 1.0 else step * memory[DIRECTION] + memory[X_OLD]
    state[TRIALS] += 1
    return EVALUATE


def choose_direction(memory: Array, state: Array) -> Any:
    """Set the direction from x_old, and the target x_old + d; return the slope of f along it."""
    d, x_old, g_old = memory[DIRECTION], memory[X_OLD], memory[G_OLD]
    if not state[COMPACT]:
        direction(g_old, memory, state, d)
    elif not lbfgs_compact_numpy.direction(g_old, memory, state, d):
        forget(state)
    memory[TARGET] = x_old + d
    d[:] = memory[TARGET] - x_old  # what is left of d beside x after rounding
    return g_old @ d


def begin_search(x: Array, memory: Array, state: Array) -> int:
    """From x_old, g_old, f_old: choose a direction, and the first step along it."""
    slope = choose_direction(memory, state)
    if slope >= 0.0 and state[STORED] > 0:
        forget(state)
        slope = choose_direction(memory, state)
    if slope >= 0.0:
        return give_up(x, memory)
    step = 1.0
    if state[ITERATION] == 0:  # nothing is known of the scale of f yet: go a distance of 1
        step = 1.0 / length(memory[DIRECTION], state)
        step = step if step < RULES.stpmax else RULES.stpmax
    _, search = more_thuente.start(step, state[F_OLD], slope, RULES)
    save_search(search, state)
    state[STEP], state[TRIALS] = step, 0
    return try_step(x, memory, state)


def give_up(x: Array, memory: Array) -> int:
    """Not even steepest descent descends: back to the last iterate."""
    x[:] = memory[X_OLD]
    return ABNORMAL


def begin_iteration(x: Array, f: float, g: Array, memory: Array, state: Array) -> int:
    """Note where the iteration starts, and begin its search."""
    memory[X_OLD], memory[G_OLD], state[F_OLD] = x, g, f
    return begin_search(x, memory, state)


def continue_search(x: Array, f: float, g: Array, memory: Array, state: Array) -> int:
    """Digest f and g at the trial point: accept it, try another step, or start over without memory."""
    slope = g @ memory[DIRECTION]
    task, step, search = more_thuente.advance(load_search(state), state[STEP], f, slope, RULES)
    if step != step:  # no trial can be computed from infinities or NaN: back to the best step so far
        step = search.stx if search.bracketed else RULES.stpmin
    save_search(search, state)
    state[STEP], state[SLOPE] = step, slope
    if task != more_thuente.EVALUATE:  # also when the search only warns that it cannot do better
        state[ITERATION] += 1
        return NEW_X
    if state[TRIALS] < state[MAXLS]:
        return try_step(x, memory, state)
    if state[STORED] == 0:
        return give_up(x, memory)
    forget(state)
    return begin_search(x, memory, state)


@np.errstate(all="ignore")
def advance(x: Array, f: float, g: Array, memory: Array, state: Array) -> int:
    """Digest f and g at x, move x to the next point of interest and say what is wanted.

    Parameters
    ----------
    x, g : ndarray of shape (n,), float64
        The point, written in place; the gradient there, only read.
    f : float
    memory, state : from ``lbfgs_state.begin``, written in place

    Returns
    -------
    task : int
        ``EVALUATE``: call again with f and g at the new x.  ``NEW_X``: an iteration is complete; call again with the same
        f and g to go on.  Otherwise the end, ``SMALL_GRADIENT`` or ``SMALL_DECREASE``; or ``ABNORMAL``, no lower point was
        found, and x is back at the last iterate, whose value and gradient are ``state[F_OLD]``, ``memory[G_OLD]``.
    """
    task = state[TASK]
    if task == EVALUATE:
        answer = continue_search(x, f, g, memory, state)
    elif np.abs(g).max() <= state[GTOL]:
        answer = SMALL_GRADIENT
    elif task == FIRST:
        answer = begin_iteration(x, f, g, memory, state)
    elif state[F_OLD] - f <= state[FTOL] * max(abs(state[F_OLD]), abs(f), 1.0):
        answer = SMALL_DECREASE
    else:
        remember(g, memory, state)
        answer = begin_iteration(x, f, g, memory, state)
    state[TASK] = answer
    return answer
