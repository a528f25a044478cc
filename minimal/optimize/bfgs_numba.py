"""BFGS compiled from the first evaluation to the last: the twin of ``bfgs.iterate``, same bits.

Two drivers from one text.  :func:`descend` is compiled once, for objectives given by their addresses, and kept on disk.
:func:`descend_specialized` is compiled for each objective.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types, typeof
from numba.core.errors import NumbaError

from minimal.optimize.bfgs import LONGEST, PRECISION_LOSS, SHORTEST, SUCCESS, Limits, State
from minimal.optimize.blas_numba import dot, matrix_dot, matrix_vector
from minimal.optimize.more_thuente import Rules
from minimal.optimize.objective_numba import (
    ABSOLUTE_2,
    N_UPDATES,
    N_ZERO_CURVATURE,
    RELATIVE_2,
    RELATIVE_3,
    NFEV,
    NJEV,
    VECTOR,
    Problem,
    gradient_at,
    kernel,
    new_memo,
    refresh_gradient,
    refresh_value,
    value_at,
)
from minimal.optimize.wolfe_numba import search

__all__ = ["minimize_compiled"]

SCHEMES = {None: ABSOLUTE_2, "2-point": RELATIVE_2, "3-point": RELATIVE_3}


def _descend(problem, x0, H, limits, rules):
    """From x0 down: (x, f, g, iterations, gradient's norm, status, counts); H is changed in place."""
    n = x0.size
    memo = new_memo(n)
    memo.x[:] = x0
    refresh_value(problem, memo)
    refresh_gradient(problem, memo)
    x, f, g = x0.copy(), value_at(problem, memo, x0), gradient_at(problem, memo, x0).copy()
    f_before = f + math.sqrt(dot(g, g)) / 2
    gnorm = length(g, limits.norm)
    p, room = np.empty(n), np.empty((3, n, n))
    status, k = SUCCESS, 0
    while gnorm > limits.gtol and k < limits.maxiter:
        matrix_vector(H, g, p)
        p[:] = -p
        step, f_new, has_gradient = search(problem, memo, x, p, dot(g, p), f, f_before, rules)
        if np.isnan(step):
            status = PRECISION_LOSS
            break
        s = step * p
        x = x + s
        if not has_gradient:
            gradient_at(problem, memo, x)
        y = memo.g - g
        f_before, f = f, f_new
        g[:] = memo.g
        k += 1
        gnorm = length(g, limits.norm)
        if gnorm <= limits.gtol or step * length(p, 2.0) <= limits.xrtol * (limits.xrtol + length(x, 2.0)):
            break
        if not math.isfinite(f):
            status = PRECISION_LOSS
            break
        update(H, s, y, room, memo)
    return x, f, g, k, gnorm, status, memo.numbers


@kernel
def length(v, order):
    """Twin of ``bfgs.length`` for the orders inf and 2 (a plain sum: only comparisons depend on it)."""
    longest = total = 0.0
    for i in range(v.size):
        if np.isnan(v[i]):
            return np.nan
        longest = max(longest, abs(v[i]))
        total += v[i] * v[i]
    return longest if order == np.inf else math.sqrt(total)


@kernel
def update(H, s, y, room, memo):
    """H <- A H A' + rho s s' with A = I - rho s y'; twin of ``bfgs.Update``."""
    n = s.size
    A, B, C = room[0], room[1], room[2]
    ys = dot(y, s)
    rho = 1000.0 if ys == 0.0 else 1.0 / ys
    memo.numbers[N_UPDATES] += 1
    memo.numbers[N_ZERO_CURVATURE] += ys == 0.0
    for i in range(n):
        for j in range(n):
            A[i, j] = (1.0 if i == j else 0.0) - s[i] * y[j] * rho
    for i in range(n):
        for j in range(n):
            B[i, j] = A[j, i]
    matrix_dot(H, B, C)
    matrix_dot(A, C, B)
    for i in range(n):
        for j in range(n):
            H[i, j] = B[i, j] + rho * s[i] * s[j]


descend = njit(cache=True, nogil=True, error_model="numpy")(_descend)
descend_specialized = njit(nogil=True, error_model="numpy")(_descend)


def minimize_compiled(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    x0: np.ndarray,
    limits: Limits,
    hess_inv0: np.ndarray | None,
    step: Any,
    specialize: bool,
) -> tuple[State, np.ndarray] | None:
    """Run BFGS compiled; None if these functions do not allow it (the Python driver then takes over).

    Parameters
    ----------
    fun, jac : functions compiled by njit; jac may also be None, "2-point" or "3-point"
    args : tuple
    x0 : ndarray of shape (n,), float64
    limits : Limits
    hess_inv0 : C-contiguous float64 ndarray of shape (n, n) or None
    step : float, array-like of shape (n,) or None
        Of finite differences: absolute if ``jac`` is None, else relative.
    specialize : bool
        Compile the driver for these functions.

    Returns
    -------
    state : State
    numbers : ndarray
        The counts, at the places that ``objective_numba`` names.
    """
    scheme = ABSOLUTE_2
    if not callable(jac):
        scheme, jac = SCHEMES[jac], None
    functions = _linked(fun, jac, args, specialize)
    if functions is None:
        return None
    n = len(x0)
    steps = np.full(n, np.nan) if step is None else np.broadcast_to(np.asarray(step, np.float64), n).copy()
    problem = Problem(*functions, args, scheme, steps)
    H = np.eye(n) if hess_inv0 is None else hess_inv0.copy()
    rules = Rules(float(limits.c1), float(limits.c2), 1e-14, SHORTEST, LONGEST)
    numbers_only = Limits(*map(float, limits))
    x, f, g, nit, gnorm, status, numbers = (descend_specialized if specialize else descend)(
        problem, x0, H, numbers_only, rules
    )
    if not numbers[N_UPDATES]:
        H = np.eye(n, dtype=int) if hess_inv0 is None else hess_inv0
    return State(x, f, g, H, nit, gnorm, status), numbers


def counts(numbers: np.ndarray) -> tuple[int, int, int]:
    """nfev, njev, and how often y's was zero."""
    return int(numbers[NFEV]), int(numbers[NJEV]), int(numbers[N_ZERO_CURVATURE])


def _linked(fun: Any, jac: Any, args: tuple[Any, ...], specialize: bool) -> tuple[Any, Any] | None:
    """The functions as the driver takes them: themselves, or their addresses; None if they do not fit."""
    if args and not specialize:
        return None
    try:
        signature = (VECTOR, *map(typeof, args))
    except ValueError:  # an argument of a type that Numba does not know
        return None
    value = _compiled(fun, signature)
    if value is None or value.signature.return_type != types.float64:
        return None
    gradient = None if jac is None else _compiled(jac, signature)
    if jac is not None:
        returns = None if gradient is None else gradient.signature.return_type
        if not isinstance(returns, types.Array) or returns.dtype != types.float64 or returns.ndim != 1:
            return None
        if not specialize and returns.layout != "C":
            return None
    if specialize:
        return fun, jac
    return _address(value), None if gradient is None else _address(gradient)


def _compiled(function: Any, signature: tuple[Any, ...]) -> Any:
    """The function compiled for arguments of these types; None if it cannot be."""
    try:
        if signature not in function.overloads:
            function.compile(signature)
        return function.overloads[signature]
    except (NumbaError, KeyError):
        return None


def _address(compiled: Any) -> int:
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
