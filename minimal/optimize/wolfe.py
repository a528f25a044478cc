"""How far to walk: the first guess, the Moré-Thuente search, and the bracket-and-zoom search that helps where it fails.

Both look for a step that obeys the strong Wolfe conditions (see ``more_thuente``).  The second one, :func:`line_search`,
doubles the step until it must have passed a good one, then zooms into the interval: cubic interpolation, a parabola where
the cubic lands too close to an end, bisection where the parabola does.

Source: J. Nocedal and S. J. Wright, "Numerical Optimization", algorithms 3.5 and 3.6; decisions in the order of
``scipy.optimize`` 1.17.1.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.exceptions import LineSearchWarning, kin

__all__ = ["bracket_and_zoom", "check_constants", "first_step", "line_search"]

Outcome = tuple[Any, Any, Any, Any]  # step, phi(step), phi(0), phi'(step); None for what was not found


def check_constants(c1: float, c2: float) -> None:
    """Raise ValueError unless 0 < c1 < c2 < 1: otherwise a step that obeys both conditions need not exist."""
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"'c1' and 'c2' do not satisfy '0 < c1 < c2 < 1': c1={c1!r}, c2={c2!r}.")


def first_step(f: Any, f_before: Any, slope: Any) -> Any:
    """Guess that this step descends as much as the last one: the minimum of a parabola, but at most 1 (Newton's step).

    2.02 (f - f_before) / slope, multiplied in the order 1.01 * 2 * ..., for the bits.
    """
    if f_before is None or slope == 0:
        return 1.0
    guess = 1.01 * 2 * (f - f_before) / slope
    return guess if 0 <= guess < 1.0 else 1.0


def line_search(
    f: Callable[..., Any],
    myfprime: Callable[..., Any],
    xk: np.ndarray,
    pk: np.ndarray,
    gfk: np.ndarray | None = None,
    old_fval: float | None = None,
    old_old_fval: float | None = None,
    args: tuple[Any, ...] = (),
    c1: float = 1e-4,
    c2: float = 0.9,
    amax: float | None = None,
    extra_condition: Callable[[float, np.ndarray, float, np.ndarray], bool] | None = None,
    maxiter: int = 10,
) -> tuple[Any, int, int, Any, Any, Any]:
    """Find a step along ``pk`` that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    f, myfprime : callable ``f(x, *args)``
        The objective and its gradient.
    xk, pk : ndarray of shape (n,)
        The point, and the direction, which must descend.
    gfk, old_fval, old_old_fval : optional
        Gradient and value at ``xk``, and the value at the point before it, if they are known.
    args : tuple
        Passed on to ``f`` and ``myfprime``.
    c1, c2 : float, default 1e-4 and 0.9
        Constants of the conditions of sufficient decrease and of curvature.
    amax : float, optional
        The largest step.
    extra_condition : callable ``(step, x, f, g) -> bool``, optional
        A step that satisfies the conditions is taken only if this is true as well.
    maxiter : int, default 10
        How often the step is doubled at most.

    Returns
    -------
    alpha : float or None
        The step, None if none was found.
    fc, gc : int
        Evaluations of ``f`` and ``myfprime``.
    new_fval : float or None
        f(xk + alpha pk).
    old_fval : float
        f(xk).
    new_slope : ndarray or None
        The gradient at xk + alpha pk (the name is SciPy's).

    Raises
    ------
    ValueError
        Unless 0 < c1 < c2 < 1.

    Warns
    -----
    LineSearchWarning
        If the search does not converge.

    Notes
    -----
    Same bits as ``scipy.optimize.line_search`` 1.17.1.
    """
    count = {"f": 0, "g": 0}
    latest: dict[str, Any] = {"alpha": None, "gradient": None}

    def phi(alpha: Any) -> Any:
        count["f"] += 1
        return f(xk + alpha * pk, *args)

    def slope(alpha: Any) -> Any:
        count["g"] += 1
        latest["gradient"], latest["alpha"] = myfprime(xk + alpha * pk, *args), alpha
        return np.dot(latest["gradient"], pk)

    def accepted(alpha: Any, value: Any) -> bool:
        if extra_condition is None:
            return True
        if latest["alpha"] != alpha:
            slope(alpha)
        return extra_condition(alpha, xk + alpha * pk, value, latest["gradient"])

    slope0 = np.dot(myfprime(xk, *args) if gfk is None else gfk, pk)
    check_constants(c1, c2)
    f0 = phi(0.0) if old_fval is None else old_fval
    (alpha, value, f0, slope_there), complaint = bracket_and_zoom(
        phi, slope, f0, old_old_fval, slope0, c1, c2, amax, accepted, maxiter
    )
    if complaint:
        warnings.warn(complaint, kin(LineSearchWarning), stacklevel=2)
    if slope_there is None:
        warnings.warn("The line search algorithm did not converge", kin(LineSearchWarning), stacklevel=2)
    gradient = None if slope_there is None else latest["gradient"]
    return alpha, count["f"], count["g"], value, f0, gradient


def bracket_and_zoom(
    phi: Callable[[Any], Any],
    slope: Callable[[Any], Any],
    f0: Any,
    f_before: Any,
    slope0: Any,
    c1: float,
    c2: float,
    amax: float | None = None,
    accepted: Callable[[Any, Any], bool] = lambda alpha, value: True,
    maxiter: int = 10,
) -> tuple[Outcome, str | None]:
    """Double the step until a good one lies behind, then zoom (Nocedal and Wright's algorithm 3.5).

    Returns what was found, and the complaint if the search broke off.  ``phi`` and ``slope`` give value and derivative
    along the line; ``slope(a)`` is asked only right after ``phi(a)``.
    """
    a0, a1 = 0, first_step(f0, f_before, slope0)
    if amax is not None:
        a1 = min(a1, amax)
    value0, value1 = f0, phi(a1)
    d0 = slope0
    for i in range(maxiter):
        if a1 == 0:
            return (None, f0, f_before, None), "Rounding errors prevent the line search from converging"
        if amax is not None and a0 > amax:
            return (
                (None, f0, f_before, None),
                f"The line search algorithm could not find a solution less than or equal to amax: {amax}",
            )
        if value1 > f0 + c1 * a1 * slope0 or (value1 >= value0 and i > 0):
            return _zoom(a0, a1, value0, value1, d0, phi, slope, f0, slope0, c1, c2, accepted), None
        d1 = slope(a1)
        if abs(d1) <= -c2 * slope0 and accepted(a1, value1):
            return (a1, value1, f0, d1), None
        if d1 >= 0:
            return _zoom(a1, a0, value1, value0, d1, phi, slope, f0, slope0, c1, c2, accepted), None
        a0, a1 = a1, 2 * a1
        if amax is not None:
            a1 = min(a1, amax)
        value0, value1 = value1, phi(a1)
        d0 = d1
    return (a1, value1, f0, None), "The line search algorithm did not converge"


def _zoom(
    low: Any,
    high: Any,
    f_low: Any,
    f_high: Any,
    d_low: Any,
    phi: Callable[[Any], Any],
    slope: Callable[[Any], Any],
    f0: Any,
    slope0: Any,
    c1: float,
    c2: float,
    accepted: Callable[[Any, Any], bool],
) -> Outcome:
    """Shrink the interval from ``low`` (the best step so far) to ``high`` around a good step (algorithm 3.6)."""
    previous, f_previous = 0, f0
    for i in range(11):
        a = _trial(i, low, high, f_low, f_high, d_low, previous, f_previous)
        value = phi(a)
        if value > f0 + c1 * a * slope0 or value >= f_low:
            previous, f_previous = high, f_high
            high, f_high = a, value
            continue
        d = slope(a)
        if abs(d) <= -c2 * slope0 and accepted(a, value):
            return a, value, f0, d
        if d * (high - low) >= 0:
            previous, f_previous = high, f_high
            high, f_high = low, f_low
        else:
            previous, f_previous = low, f_low
        low, f_low, d_low = a, value, d
    return None, None, f0, None


def _trial(i: int, low: Any, high: Any, f_low: Any, f_high: Any, d_low: Any, previous: Any, f_previous: Any) -> Any:
    """The step to try in the i-th round: cubic, parabola or middle, at least a fifth or a tenth away from the ends."""
    width = high - low
    left, right = (high, low) if width < 0 else (low, high)
    if i > 0:
        a = cubic_minimum(low, f_low, d_low, high, f_high, previous, f_previous)
        if not (a is None or a > right - 0.2 * width or a < left + 0.2 * width):
            return a
    a = quadratic_minimum(low, f_low, d_low, high, f_high)
    if a is None or a > right - 0.1 * width or a < left + 0.1 * width:
        return low + 0.5 * width
    return a


def cubic_minimum(a: Any, fa: Any, da: Any, b: Any, fb: Any, c: Any, fc: Any) -> Any:
    """The minimum of the cubic through (a, fa), (b, fb), (c, fc) with slope da at a; None where arithmetic fails.

    A (x - a)^3 + B (x - a)^2 + da (x - a) + fa, whose A and B solve two linear equations.
    """
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        try:
            db, dc = b - a, c - a
            denominator = (db * dc) ** 2 * (db - dc)
            matrix = np.array([[dc**2, -(db**2)], [-(dc**3), db**3]], dtype=np.float64)
            rest = np.array([fb - fa - da * db, fc - fa - da * dc])
            A, B = np.dot(matrix, rest)
            A /= denominator
            B /= denominator
            x = a + (-B + np.sqrt(B * B - 3 * A * da)) / (3 * A)
        except ArithmeticError:
            return None
    return x if np.isfinite(x) else None


def quadratic_minimum(a: Any, fa: Any, da: Any, b: Any, fb: Any) -> Any:
    """The minimum of the parabola through (a, fa) and (b, fb) with slope da at a; None where arithmetic fails."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        try:
            db = b - a * 1.0
            B = (fb - fa - da * db) / (db * db)
            x = a - da / (2.0 * B)
        except ArithmeticError:
            return None
    return x if np.isfinite(x) else None
