"""L-BFGS compiled from the first evaluation to the last, for an objective that is compiled itself.

As for BFGS there are two drivers from one text, :func:`descend`: :func:`drive`, compiled once for objectives given by their
addresses, and one for each objective if ``specialize`` asks for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from minimal.optimize.bfgs_numba import SCHEMES, _links
from minimal.optimize.lbfgs_numba import advance
from minimal.optimize.lbfgs_state import EVALUATE, NEW_X, TOO_MANY_EVALUATIONS, TOO_MANY_ITERATIONS, begin
from minimal.optimize.objective_numba import (
    ABSOLUTE_2,
    NFEV,
    NJEV,
    F,
    Memo,
    Problem,
    gradient_at,
    kernel,
    refresh_gradient,
    refresh_value,
    uncounted,
    value_at,
)

__all__ = ["minimize_compiled"]

N_NUMBERS = 7  # in Memo.numbers


@kernel
def evaluate(problem, memo, x, zero):
    """f and its gradient (in ``memo.g``) at x.  A step of -0 along ``zero`` leaves even the signs of zeros in x."""
    f = value_at(problem, memo, x, zero, -0.0)
    gradient_at(problem, memo, x, zero, -0.0)
    return f


@kernel
def descend(problem, memo, x, zero, memory, state, limits):
    """Hold the conversation of ``lbfgs._converse``: the reason for its end, and nit; limits are maxiter and maxfun."""
    memo.x[:] = x
    refresh_value(problem, memo)
    refresh_gradient(problem, memo)
    f = evaluate(problem, memo, x, zero)  # asked again as SciPy does: a NaN in x0 makes it evaluate again
    nit = 0
    task = advance(x, f, memo.g, memory, state)
    while task <= NEW_X:
        if task == EVALUATE:
            f = evaluate(problem, memo, x, zero)
        else:
            nit += 1
            if nit >= limits[0]:
                return TOO_MANY_ITERATIONS, nit
            if memo.numbers[NFEV] > limits[1]:
                return TOO_MANY_EVALUATIONS, nit
        task = advance(x, f, memo.g, memory, state)
    return task, nit


@njit(cache=True, nogil=True, error_model="numpy")
def drive(fun, jac, scheme, step, x, vectors, numbers, memory, state, limits):
    """:func:`descend` for functions given by their addresses: compiled once for all."""
    problem = Problem(fun, jac, (), scheme, uncounted(step))
    memo = Memo(uncounted(vectors[0]), uncounted(vectors[1]), uncounted(vectors[2]), uncounted(numbers))
    return descend(problem, memo, x, vectors[3], memory, state, limits)


@lru_cache(maxsize=64)
def specialized(fun: Any, jac: Any) -> Any:
    """:func:`descend` compiled for these two functions, when it is first called."""

    @njit(nogil=True, error_model="numpy")
    def drive_specialized(args, scheme, step, x, vectors, numbers, memory, state, limits):
        problem = Problem(fun, jac, args, scheme, uncounted(step))
        memo = Memo(uncounted(vectors[0]), uncounted(vectors[1]), uncounted(vectors[2]), uncounted(numbers))
        return descend(problem, memo, x, vectors[3], memory, state, limits)

    return drive_specialized


def minimize_compiled(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    x: np.ndarray,
    settings: tuple[Any, ...],
    limits: tuple[float, float],
    step: Any,
    specialize: bool,
) -> tuple[float, np.ndarray, int, tuple[int, int, int], np.ndarray, np.ndarray] | None:
    """Run L-BFGS compiled; None if these functions do not allow it (the Python driver then takes over).

    Parameters
    ----------
    fun, jac : functions compiled by njit; jac may also be None, "2-point" or "3-point"
    args : tuple
    x : ndarray of shape (n,), float64
        The start; at the end, where the run ended.
    settings : maxcor, ftol, gtol, maxls, compact
    limits : maxiter, maxfun
    step : float, array-like of shape (n,) or None
        Of finite differences: absolute if ``jac`` is None, else relative.
    specialize : bool
        Compile the driver for these functions.

    Returns
    -------
    f, g, reason, (nit, nfev, njev), memory, state
    """
    scheme = ABSOLUTE_2
    if not callable(jac):
        scheme, jac = SCHEMES[jac], None
    links = _links(fun, jac, args, specialize)
    if links is None:
        return None
    n = len(x)
    steps = np.empty(n)
    steps[:] = np.nan if step is None else step
    memory, state = begin(x, *settings)
    vectors, numbers = np.zeros((4, n)), np.zeros(N_NUMBERS)
    rest = (scheme, steps, x, vectors, numbers, memory, state, tuple(map(float, limits)))
    if specialize:
        reason, nit = specialized(fun, jac)(args, *rest)
    else:
        addresses = [None if link is None else link.address for link in links]
        reason, nit = drive(*addresses, *rest)  # type: ignore[call-arg]
    counts = int(nit), int(numbers[NFEV]), int(numbers[NJEV])
    return float(numbers[F]), vectors[1], int(reason), counts, memory, state
