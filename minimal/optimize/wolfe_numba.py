"""The two line searches of ``bfgs.search`` and ``wolfe``, compiled; same decisions, same order of evaluations.

What Python answers with None is NaN here.  Where NumPy is told to raise at overflow, the compiled text asks whether finite
numbers gave an infinite one.
"""

from __future__ import annotations

import math

import numpy as np

from minimal.optimize.blas_numba import dot, matrix_vector
from minimal.optimize.libm_numba import power
from minimal.optimize.more_thuente import CONVERGENCE, EVALUATE
from minimal.optimize.more_thuente_numba import advance, start
from minimal.optimize.objective_numba import gradient_at, kernel, value_at

__all__ = ["search"]

TRIALS = 100
NO_STEP = (math.nan, math.nan, False)


@kernel
def search(problem, memo, x, p, slope0, f, f_before, rules):
    """A step along p with strong Wolfe conditions: (step or NaN, value there, whether ``memo.g`` is the gradient there)."""
    if not 0.0 < rules.ftol < rules.gtol < 1.0:
        raise ValueError("'c1' and 'c2' do not satisfy '0 < c1 < c2 < 1'.")
    step = first_step(f, f_before, slope0)
    task, known = start(step, f, slope0, rules)
    for _ in range(TRIALS):
        if task != EVALUATE or not math.isfinite(step):
            break
        f_new, slope = value_and_slope(problem, memo, x, p, step)
        task, next_step, known = advance(known, step, f_new, slope, rules)
        if task == CONVERGENCE:
            return step, f_new, True
        step = next_step
    return bracket_and_zoom(problem, memo, x, p, slope0, f, f_before, rules)


@kernel
def first_step(f, f_before, slope):
    """Twin of ``wolfe.first_step``."""
    if slope == 0.0:
        return 1.0
    guess = 1.01 * 2 * (f - f_before) / slope
    return guess if 0 <= guess < 1.0 else 1.0


@kernel
def value_and_slope(problem, memo, x, p, step):
    """Value and slope at a step; the gradient is evaluated after the value, at the same point."""
    f = value_at(problem, memo, x, p, step)
    return f, slope_at(problem, memo, x, p, step)


@kernel
def slope_at(problem, memo, x, p, step):
    """The slope at a step; the gradient stays in ``memo.g``."""
    gradient_at(problem, memo, x, p, step)
    return dot(memo.g, p)


@kernel
def bracket_and_zoom(problem, memo, x, p, slope0, f, f_before, rules):
    """Double the step until a good one lies behind, then zoom; twin of ``wolfe.bracket_and_zoom``."""
    a0, a1 = 0.0, min(first_step(f, f_before, slope0), rules.stpmax)
    f0, d0 = f, slope0
    f1 = value_at(problem, memo, x, p, a1)
    for i in range(10):
        if a1 == 0.0 or a0 > rules.stpmax:
            return NO_STEP
        if f1 > f + rules.ftol * a1 * slope0 or (f1 >= f0 and i > 0):
            return zoom(problem, memo, x, p, slope0, f, rules, (a0, a1, f0, f1, d0))
        d1 = slope_at(problem, memo, x, p, a1)
        if abs(d1) <= -rules.gtol * slope0:
            return a1, f1, True
        if d1 >= 0:
            return zoom(problem, memo, x, p, slope0, f, rules, (a1, a0, f1, f0, d1))
        a0, a1 = a1, min(2 * a1, rules.stpmax)
        f0, d0 = f1, d1
        f1 = value_at(problem, memo, x, p, a1)
    return a1, f1, False


@kernel
def zoom(problem, memo, x, p, slope0, f0, rules, interval):
    """Shrink the interval around a good step; twin of the function in ``wolfe``."""
    low, high, f_low, f_high, d_low = interval
    previous, f_previous = 0.0, f0
    for i in range(11):
        a = trial(i, low, high, f_low, f_high, d_low, previous, f_previous)
        value = value_at(problem, memo, x, p, a)
        if value > f0 + rules.ftol * a * slope0 or value >= f_low:
            previous, f_previous = high, f_high
            high, f_high = a, value
            continue
        d = slope_at(problem, memo, x, p, a)
        if abs(d) <= -rules.gtol * slope0:
            return a, value, True
        if d * (high - low) >= 0:
            previous, f_previous = high, f_high
            high, f_high = low, f_low
        else:
            previous, f_previous = low, f_low
        low, f_low, d_low = a, value, d
    return NO_STEP


@kernel
def trial(i, low, high, f_low, f_high, d_low, previous, f_previous):
    """The step to try in the i-th round; twin of the function in ``wolfe``."""
    width = high - low
    left, right = (high, low) if width < 0 else (low, high)
    if i > 0:
        a = cubic_minimum(low, f_low, d_low, high, f_high, previous, f_previous)
        if not (np.isnan(a) or a > right - 0.2 * width or a < left + 0.2 * width):
            return a
    a = quadratic_minimum(low, f_low, d_low, high, f_high)
    if np.isnan(a) or a > right - 0.1 * width or a < left + 0.1 * width:
        return low + 0.5 * width
    return a


@kernel
def cubic_minimum(a, fa, da, b, fb, c, fc):
    """Twin of ``wolfe.cubic_minimum``."""
    db, dc = b - a, c - a
    denominator = power(db * dc, 2.0) * (db - dc)
    matrix = np.array([[power(dc, 2.0), -power(db, 2.0)], [-power(dc, 3.0), power(db, 3.0)]])
    rest = np.array([fb - fa - da * db, fc - fa - da * dc])
    solution = np.empty(2)
    matrix_vector(matrix, rest, solution)
    A, B = solution[0] / denominator, solution[1] / denominator
    root = math.sqrt(B * B - 3 * A * da)
    x = a + (-B + root) / (3 * A)
    # Any infinite number on the way (an overflow, a division by zero) means that there is no answer.
    return x if math.isfinite(x) and math.isfinite(A) and math.isfinite(denominator) and math.isfinite(root) else np.nan


@kernel
def overflowed(result, left, right):
    """Did an operation on two numbers that are not infinite give an infinite one?  There NumPy would raise."""
    return math.isinf(result) and not (math.isinf(left) or math.isinf(right))


@kernel
def quadratic_minimum(a, fa, da, b, fb):
    """Twin of ``wolfe.quadratic_minimum``."""
    db = b - a * 1.0
    difference, tangent, square = fb - fa, da * db, db * db
    rise = difference - tangent
    B = rise / square
    x = a - da / (2.0 * B)
    if overflowed(difference, fb, fa) or overflowed(tangent, da, db) or overflowed(rise, difference, tangent):
        return np.nan
    if overflowed(square, db, db) or overflowed(B, rise, square) or overflowed(2.0 * B, B, 2.0):
        return np.nan
    return x if math.isfinite(x) else np.nan
