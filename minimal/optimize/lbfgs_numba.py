"""One step of L-BFGS, compiled: the same functions as ``lbfgs_numpy``, some microseconds faster each.

Every function can be called from other compiled code, so a compiled objective and this make one compiled optimizer.
"""

from __future__ import annotations

import math

from numba import literal_unroll, njit

from minimal.optimize import lbfgs_compact_numba as compact
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
from minimal.optimize.more_thuente import EVALUATE as KEEP_SEARCHING
from minimal.optimize.more_thuente import Search
from minimal.optimize.more_thuente_numba import advance as advance_search
from minimal.optimize.more_thuente_numba import start as start_search
from minimal.optimize.objective_numba import uncounted

kernel = njit(cache=True, nogil=True, error_model="numpy")
EPS = 2.0**-52


@kernel
def dot(a, b):
    """a'b in four interleaved sums: four times the speed of one, and a fixed order on every machine."""
    n = a.size
    s0 = s1 = s2 = s3 = 0.0
    for i in range(0, n - 3, 4):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
    for i in range(n - n % 4, n):
        s0 += a[i] * b[i]
    return (s0 + s1) + (s2 + s3)


@kernel
def max_norm(g):
    """max |g_i|, and NaN if any is."""
    largest = 0.0
    for i in range(g.size):
        if not abs(g[i]) <= largest:
            largest = abs(g[i])
            if math.isnan(largest):
                break
    return largest


@kernel
def direction(g, memory, state, d):
    """d = -H g by the two-loop recursion (Nocedal, 1980), for the H of the stored pairs and H_0 = I / theta.

    Cost: 4 * n * STORED multiplications and additions, and no matrix.
    """
    m, stored, newest = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST])
    for j in range(g.size):
        d[j] = -g[j]
    i = newest
    for _ in range(stored):  # newest first
        s, y = memory[i], memory[m + i]
        a = dot(s, d) / state[N_FIXED + i]
        state[N_FIXED + m + i] = a
        for j in range(d.size):
            d[j] -= a * y[j]
        i = i - 1 if i > 0 else m - 1
    theta = state[THETA]
    if theta != 1.0:
        for j in range(d.size):
            d[j] /= theta
    for _ in range(stored):  # oldest first
        i = i + 1 if i < m - 1 else 0
        s, y = memory[i], memory[m + i]
        c = state[N_FIXED + m + i] - dot(y, d) / state[N_FIXED + i]
        for j in range(d.size):
            d[j] += c * s[j]


@kernel
def remember(g, memory, state):
    """Keep s = step * d and y = g - g_old if the function curves upwards along s; scale the next H_0 by theta = y'y / s'y."""
    step, slope_old = state[STEP], state[SLOPE_OLD]
    curvature = (state[SLOPE] - slope_old) * step
    if curvature <= EPS * -slope_old * step:
        return
    m = int(state[MAXCOR])
    i = (int(state[NEWEST]) + 1) % m
    s, y, d, g_old = memory[i], memory[m + i], memory[DIRECTION], memory[G_OLD]
    for j in range(g.size):
        s[j] = d[j] * step
        y[j] = g[j] - g_old[j]
    size = length(y, state)
    state[NEWEST], state[N_FIXED + i], state[THETA] = i, curvature, size * size / curvature
    state[STORED] = min(state[STORED] + 1, m)
    if state[COMPACT] != 0.0:
        compact.update_products(memory, state)


@kernel
def length(v, state):
    """The Euclidean norm of v."""
    return compact.norm(v) if state[COMPACT] != 0.0 else math.sqrt(dot(v, v))


@kernel
def slope_along(g, d, state):
    """g'd."""
    return compact.dot(g, d) if state[COMPACT] != 0.0 else dot(g, d)


@kernel
def forget(state):
    """Back to steepest descent: no pairs, theta = 1."""
    state[STORED], state[NEWEST], state[THETA] = 0, -1, 1.0


@kernel
def save_search(search, state):
    """Put the 15 numbers of the line search into the state."""
    i = SEARCH
    for value in literal_unroll(search):
        state[i] = value
        i += 1


@kernel
def load_search(state):
    """The line search as it was left."""
    v = state[SEARCH:N_FIXED]
    return Search(
        v[0] != 0, v[1] != 0, v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14]
    )  # fmt: skip


@kernel
def try_step(x, memory, state):
    """Put the next trial point into x: x_old + step * d."""
    step, d, x_old, target = state[STEP], memory[DIRECTION], memory[X_OLD], memory[TARGET]
    for j in range(x.size):
        x[j] = target[j] if step == 1.0 else step * d[j] + x_old[j]
    state[TRIALS] += 1
    return EVALUATE


@kernel
def choose_direction(memory, state):
    """Set the direction from x_old, and the target x_old + d; return the slope of f along it."""
    d, target, x_old, g_old = memory[DIRECTION], memory[TARGET], memory[X_OLD], memory[G_OLD]
    if state[COMPACT] == 0.0:
        direction(g_old, memory, state, d)
    elif not compact.direction(g_old, memory, state, d):
        forget(state)
    for j in range(d.size):
        target[j] = x_old[j] + d[j]
        d[j] = target[j] - x_old[j]
    return slope_along(g_old, d, state)


@kernel
def begin_search(x, memory, state):
    """From x_old, g_old, f_old: choose a direction, and the first step along it."""
    slope = choose_direction(memory, state)
    if slope >= 0.0 and state[STORED] > 0:
        forget(state)
        slope = choose_direction(memory, state)
    if slope >= 0.0:
        return give_up(x, memory)
    step = 1.0
    if state[ITERATION] == 0:
        step = 1.0 / length(memory[DIRECTION], state)
        step = step if step < RULES.stpmax else RULES.stpmax
    _, search = start_search(step, state[F_OLD], slope, RULES)
    save_search(search, state)
    state[STEP], state[TRIALS] = step, 0
    return try_step(x, memory, state)


@kernel
def give_up(x, memory):
    """Not even steepest descent descends: back to the last iterate."""
    x_old = memory[X_OLD]
    for j in range(x.size):
        x[j] = x_old[j]
    return ABNORMAL


@kernel
def begin_iteration(x, f, g, memory, state):
    """Note where the iteration starts, and begin its search."""
    x_old, g_old = memory[X_OLD], memory[G_OLD]
    for j in range(x.size):
        x_old[j] = x[j]
        g_old[j] = g[j]
    state[F_OLD] = f
    return begin_search(x, memory, state)


@kernel
def continue_search(x, f, g, memory, state):
    """Digest f and g at the trial point: accept it, try another step, or start over without memory."""
    slope = slope_along(g, memory[DIRECTION], state)
    task, step, search = advance_search(load_search(state), state[STEP], f, slope, RULES)
    if step != step:  # no trial can be computed from infinities or NaN: back to the best step so far
        step = search.stx if search.bracketed else RULES.stpmin
    save_search(search, state)
    state[STEP], state[SLOPE] = step, slope
    if task != KEEP_SEARCHING:
        state[ITERATION] += 1
        return NEW_X
    if state[TRIALS] < state[MAXLS]:
        return try_step(x, memory, state)
    if state[STORED] == 0:
        return give_up(x, memory)
    forget(state)
    return begin_search(x, memory, state)


@kernel
def advance(x, f, g, memory, state):
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
    # The caller holds the arrays: uncounted views spare every slice below two atomic counts.
    return take_turn(uncounted(x), f, uncounted(g), uncounted(memory), uncounted(state))


@kernel
def take_turn(x, f, g, memory, state):
    """:func:`advance` on arrays that nobody counts."""
    task = state[TASK]
    if task == EVALUATE:
        answer = continue_search(x, f, g, memory, state)
    elif max_norm(g) <= state[GTOL]:
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
