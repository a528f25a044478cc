"""L-BFGS compiled from the first evaluation to the last, for an objective that is compiled itself.

As for BFGS, the driver is compiled once for all objectives, which it calls by their addresses.
"""

from __future__ import annotations

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
def drive(fun, jac, args, scheme, step, x, vectors, numbers, memory, state, limits):
    """:func:`descend` on arrays that Python holds; compiled once for each kind of arguments, and kept on disk."""
    problem = Problem(fun, jac, args, scheme, uncounted(step))
    memo = Memo(uncounted(vectors[0]), uncounted(vectors[1]), uncounted(vectors[2]), uncounted(numbers))
    return descend(problem, memo, x, vectors[3], memory, state, limits)


def minimize_compiled(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    x: np.ndarray,
    settings: tuple[Any, ...],
    limits: tuple[float, float],
    step: Any,
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

    Returns
    -------
    f, g, reason, (nit, nfev, njev), memory, state
    """
    scheme = ABSOLUTE_2
    if not callable(jac):
        scheme, jac = SCHEMES[jac], None
    links = _links(fun, jac, args)
    if links is None:
        return None
    n = len(x)
    steps = np.empty(n)
    steps[:] = np.nan if step is None else step
    memory, state = begin(x, *settings)
    vectors, numbers = np.zeros((4, n)), np.zeros(N_NUMBERS)
    addresses = [None if link is None else link.address for link in links]
    numbers_only = tuple(map(float, limits))
    reason, nit = drive(*addresses, args, scheme, steps, x, vectors, numbers, memory, state, numbers_only)  # type: ignore[call-arg]
    counts = int(nit), int(numbers[NFEV]), int(numbers[NJEV])
    return float(numbers[F]), vectors[1], int(reason), counts, memory, state
