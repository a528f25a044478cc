"""The Moré-Thuente line search: read here how an optimizer decides how far to walk along a direction.

Along the direction, the objective is a function phi of one number, the step.  A good step obeys the strong Wolfe conditions

    phi(step) <= phi(0) + ftol * step * phi'(0)          it descends enough        (sufficient decrease)
    |phi'(step)| <= gtol * |phi'(0)|                     it has flattened enough   (curvature)

The search keeps an interval that holds such a step, between ``stx`` (the best step so far) and ``sty``, and fits cubics and
parabolas through values and slopes at hand to guess the next trial.  It never calls the objective itself: :func:`start`
and :func:`advance` say what they want (``EVALUATE`` at this step), and the caller comes back with value and slope.  So one
search serves every optimizer, and one text serves both engines: ``more_thuente_numba`` compiles exactly these functions.

Plain Python floats are quick but refuse to divide by zero.  :func:`advance_python` then repeats the step with NumPy's,
which do what the compiled text does: infinity or NaN, and on.

Source: J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20 (1994);
decisions in the order of MINPACK-2's ``dcsrch``, as in ``scipy.optimize`` 1.17.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# What the search answers.
EVALUATE = 0  # evaluate at the returned step, then call `advance`
CONVERGENCE = 1  # both conditions hold at the step
ROUNDING_ERRORS = 2  # warnings: the step is the best found, but no trial can satisfy both conditions
XTOL_TEST = 3
AT_STPMAX = 4
AT_STPMIN = 5
ERROR = 6  # the search cannot begin: step out of bounds, or no descent


class Rules(NamedTuple):
    """What the search obeys: tolerances (ftol is c1, gtol is c2) and the smallest and largest step."""

    ftol: float
    gtol: float
    xtol: float
    stpmin: float
    stpmax: float


class Search(NamedTuple):
    """What the search knows: stx, fx, gx are the best step, its value and slope; sty, fy, gy the other end's."""

    bracketed: bool  # a minimizer lies between stx and sty
    first_stage: bool  # no step yet with enough descent and a slope >= 0
    finit: float
    ginit: float
    gtest: float
    width: float
    width1: float
    stx: float
    fx: float
    gx: float
    sty: float
    fy: float
    gy: float
    stmin: float
    stmax: float


def start(stp: float, f0: float, g0: float, rules: Rules) -> tuple[int, Search]:
    """Begin a search whose first trial is ``stp``, from value ``f0`` and slope ``g0`` < 0 at step 0."""
    wrong_step = stp < rules.stpmin or stp > rules.stpmax
    wrong_rules = rules.ftol < 0 or rules.gtol < 0 or rules.xtol < 0 or rules.stpmin < 0 or rules.stpmax < rules.stpmin
    width = rules.stpmax - rules.stpmin
    gtest = rules.ftol * g0
    stmax = stp + 4.0 * stp
    search = Search(False, True, f0, g0, gtest, width, width / 0.5, 0.0, f0, g0, 0.0, f0, g0, 0.0, stmax)
    return (ERROR if wrong_step or wrong_rules or g0 >= 0 else EVALUATE), search


def verdict(search: Search, stp: float, f: float, g: float, rules: Rules) -> int:
    """Is the search over at ``stp``, where value and slope are ``f`` and ``g``?  ``EVALUATE`` if it is not."""
    ftest = search.finit + stp * search.gtest
    if f <= ftest and abs(g) <= rules.gtol * -search.ginit:
        return CONVERGENCE
    if stp == rules.stpmin and (f > ftest or g >= search.gtest):
        return AT_STPMIN
    if stp == rules.stpmax and f <= ftest and g <= search.gtest:
        return AT_STPMAX
    if search.bracketed and search.stmax - search.stmin <= rules.xtol * search.stmax:
        return XTOL_TEST
    if search.bracketed and (stp <= search.stmin or stp >= search.stmax):
        return ROUNDING_ERRORS
    return EVALUATE


def next_trial(search: Search, stp: float, f: float, g: float, rules: Rules) -> tuple[float, Search]:
    """Shrink the interval with what was found at ``stp``, and choose the next step to try."""
    _, first_stage, finit, ginit, gtest, width, width1, stx, fx, gx, sty, fy, gy, stmin, stmax = search
    ftest = finit + stp * gtest
    if first_stage and f <= ftest and g >= 0:
        first_stage = False
    if first_stage and f <= fx and f > ftest:
        # Not enough descent yet, though lower than the best: search phi(step) - ftol * step * phi'(0) instead of phi.
        ends = (stx, fx - stx * gtest, gx - gtest, sty, fy - sty * gtest, gy - gtest)
        ends, trial, bracketed = refine(ends, stp, f - stp * gtest, g - gtest, search.bracketed, stmin, stmax)
        stx, fxm, gxm, sty, fym, gym = ends
        fx, fy = fxm + stx * gtest, fym + sty * gtest
        gx, gy = gxm + gtest, gym + gtest
    else:
        ends = (stx, fx, gx, sty, fy, gy)
        ends, trial, bracketed = refine(ends, stp, f, g, search.bracketed, stmin, stmax)
        stx, fx, gx, sty, fy, gy = ends

    if bracketed:
        if abs(sty - stx) >= 0.66 * width1:  # two trials must shrink the interval by a third: else bisect
            trial = stx + 0.5 * (sty - stx)
        width1 = width
        width = abs(sty - stx)
        stmin, stmax = (sty, stx) if sty < stx else (stx, sty)
    else:
        stmin, stmax = trial + 1.1 * (trial - stx), trial + 4.0 * (trial - stx)

    trial = clip(trial, rules.stpmin, rules.stpmax)
    if bracketed and (trial <= stmin or trial >= stmax or stmax - stmin <= rules.xtol * stmax):
        trial = stx  # no room for progress: go back to the best step
    return trial, Search(
        bracketed, first_stage, finit, ginit, gtest, width, width1, stx, fx, gx, sty, fy, gy, stmin, stmax
    )


def refine(
    ends: tuple[float, float, float, float, float, float],
    stp: float,
    fp: float,
    dp: float,
    bracketed: bool,
    stmin: float,
    stmax: float,
) -> tuple[tuple[float, float, float, float, float, float], float, bool]:
    """MINPACK's ``dcstep``: the interval's new ends, the next trial, and whether a minimizer is now bracketed."""
    stx, fx, dx, sty, fy, dy = ends
    turned = (dp < 0.0 and dx > 0.0) or (dp > 0.0 and dx < 0.0)
    if fp > fx:
        trial, bracketed = higher_value(stx, fx, dx, stp, fp, dp), True
    elif turned:
        trial, bracketed = opposite_slope(stx, fx, dx, stp, fp, dp), True
    elif abs(dp) < abs(dx):
        trial = flatter_slope(ends, stp, fp, dp, bracketed, stmin, stmax)
    elif bracketed:
        # Steeper than before: the cubic through the trial and the interval's other end.
        theta, gamma = cubic_terms(stp, fp, dp, sty, fy, dy, False)
        gamma = -gamma if stp > sty else gamma
        trial = stp + ((gamma - dp) + theta) / (((gamma - dp) + gamma) + dy) * (sty - stp)
    else:
        trial = stmax if stp > stx else stmin

    if fp > fx:
        sty, fy, dy = stp, fp, dp
    else:
        if turned:
            sty, fy, dy = stx, fx, dx
        stx, fx, dx = stp, fp, dp
    return (stx, fx, dx, sty, fy, dy), trial, bracketed


def higher_value(stx: float, fx: float, dx: float, stp: float, fp: float, dp: float) -> float:
    """A higher value than at stx: the minimum is bracketed.  Closer of the cubic's and the parabola's, or their mean."""
    theta, gamma = cubic_terms(stp, fp, dp, stx, fx, dx, False)
    gamma = -gamma if stp < stx else gamma
    r = ((gamma - dx) + theta) / (((gamma - dx) + gamma) + dp)
    cubic = stx + r * (stp - stx)
    parabola = stx + ((dx / ((fx - fp) / (stp - stx) + dx)) / 2.0) * (stp - stx)
    if abs(cubic - stx) <= abs(parabola - stx):
        return cubic
    return cubic + (parabola - cubic) / 2.0


def opposite_slope(stx: float, fx: float, dx: float, stp: float, fp: float, dp: float) -> float:
    """A lower value and slopes of opposite sign: bracketed.  The cubic's or the secant's step, whichever is farther."""
    theta, gamma = cubic_terms(stp, fp, dp, stx, fx, dx, False)
    gamma = -gamma if stp > stx else gamma
    r = ((gamma - dp) + theta) / (((gamma - dp) + gamma) + dx)
    cubic = stp + r * (stx - stp)
    secant = stp + (dp / (dp - dx)) * (stx - stp)
    return cubic if abs(cubic - stp) > abs(secant - stp) else secant


def flatter_slope(
    ends: tuple[float, float, float, float, float, float],
    stp: float,
    fp: float,
    dp: float,
    bracketed: bool,
    stmin: float,
    stmax: float,
) -> float:
    """A lower value, the same sign and a flatter slope: the cubic only if it has its minimum beyond the trial."""
    stx, fx, dx, sty, _, _ = ends
    theta, gamma = cubic_terms(stp, fp, dp, stx, fx, dx, True)
    gamma = -gamma if stp > stx else gamma
    r = ((gamma - dp) + theta) / ((gamma + (dx - dp)) + gamma)
    if r < 0 and gamma != 0:
        cubic = stp + r * (stx - stp)
    elif stp > stx:
        cubic = stmax
    else:
        cubic = stmin
    secant = stp + (dp / (dp - dx)) * (stx - stp)
    if not bracketed:
        farther = cubic if abs(cubic - stp) > abs(secant - stp) else secant
        return clip(farther, stmin, stmax)
    closer = cubic if abs(cubic - stp) < abs(secant - stp) else secant
    limit = stp + 0.66 * (sty - stp)
    if stp > stx:
        return closer if closer < limit else limit
    return closer if closer > limit else limit


def cubic_terms(
    stp: float, fp: float, dp: float, end: float, f_end: float, d_end: float, no_root: bool
) -> tuple[float, float]:
    """theta and |gamma| of the cubic through two steps, values and slopes, scaled so that nothing overflows.

    ``no_root`` says that the cubic may have no minimum at all: then gamma is 0.
    """
    # The order of operations is dcstep's, for the bits.  Only where the end is sty, dcstep swaps both differences; that
    # turns both signs, which rounds nothing, so the quotient is the same.
    theta = 3.0 * (f_end - fp) / (stp - end) + d_end + dp
    s = abs(theta)
    s = abs(d_end) if abs(d_end) > s else s
    s = abs(dp) if abs(dp) > s else s
    radicand = square(theta / s) - (d_end / s) * (dp / s)
    if no_root and not radicand > 0.0:
        radicand = 0.0
    return theta, s * np.sqrt(radicand)


def square(x: float) -> float:
    """x**2 by C's ``pow``, which is x * x in all but a thousandth of all cases; then it differs in the last bit."""
    return x**2


def clip(value: float, low: float, high: float) -> float:
    """``value``, moved into [low, high]; NaN stays NaN."""
    value = low if value < low else value
    return high if value > high else value


def advance(search: Search, stp: float, f: float, g: float, rules: Rules) -> tuple[int, float, Search]:
    """Take value ``f`` and slope ``g`` at the trial ``stp``: what now, at which step, and what is known.

    Parameters
    ----------
    search : Search
        From :func:`start` or the last call.
    stp, f, g : float
        The trial step, and the function's value and slope there.
    rules : Rules

    Returns
    -------
    task : int
        ``EVALUATE`` (go on), ``CONVERGENCE``, or one of the warnings.
    stp : float
        The next trial, or the final step.
    search : Search
    """
    task = verdict(search, stp, f, g, rules)
    if task != EVALUATE:
        return task, stp, search
    trial, search = next_trial(search, stp, f, g, rules)
    return EVALUATE, trial, search


def advance_python(search: Search, stp: float, f: float, g: float, rules: Rules) -> tuple[int, float, Search]:
    """:func:`advance` for Python floats: where they raise ``ZeroDivisionError``, NumPy's floats repeat the step."""
    task = verdict(search, stp, f, g, rules)
    if task != EVALUATE:
        return task, stp, search
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            trial, search = next_trial(search, stp, f, g, rules)
    except ZeroDivisionError:
        known = Search(*search[:2], *map(np.float64, search[2:]))
        with np.errstate(all="ignore"):
            trial, search = next_trial(known, np.float64(stp), np.float64(f), np.float64(g), rules)
    return EVALUATE, trial, search
