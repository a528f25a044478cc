"""BFGS compiled from the first evaluation to the last: the twin of ``bfgs.iterate``, same bits.

:func:`descend` is the algorithm.  :func:`drive` is what Python calls; :func:`minimize_compiled` prepares that call.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, typeof, types
from numba.core.errors import NumbaError

from minimal.optimize.bfgs import PRECISION_LOSS, SUCCESS, Limits, State
from minimal.optimize.bfgs_update_numba import update
from minimal.optimize.blas_numba import dot, matrix_vector
from minimal.optimize.objective_numba import (
    ABSOLUTE_2,
    N_UPDATES,
    N_ZERO_CURVATURE,
    NFEV,
    NJEV,
    RELATIVE_2,
    RELATIVE_3,
    VECTOR,
    Memo,
    Problem,
    gradient_at,
    kernel,
    refresh_gradient,
    refresh_value,
    uncounted,
    value_at,
)
from minimal.optimize.wolfe_numba import search

__all__ = ["minimize_compiled"]

SCHEMES = {None: ABSOLUTE_2, "2-point": RELATIVE_2, "3-point": RELATIVE_3}


@kernel
def descend(problem, x, g, H, vectors, matrices, numbers, limits):
    """From x down: (f, iterations, gradient's norm, status); x, g, H and numbers (the counts) are changed in place."""
    n = x.size
    memo = Memo(vectors[0], vectors[1], vectors[2], numbers)
    p, s, y = vectors[3], vectors[4], vectors[5]
    memo.x[:] = x
    p[:] = 0.0
    refresh_value(problem, memo)
    refresh_gradient(problem, memo)
    f = value_at(problem, memo, x, p, 0.0)  # asked again as SciPy does: a NaN in x0 makes it evaluate again
    gradient_at(problem, memo, x, p, 0.0)
    g[:] = memo.g
    f_before = f + math.sqrt(dot(g, g)) / 2
    gnorm = length(g, limits.norm)
    status, k = SUCCESS, 0
    while gnorm > limits.gtol and k < limits.maxiter:
        matrix_vector(H, g, p)
        for i in range(n):
            p[i] = -p[i]
        step, f_new, has_gradient = search(problem, memo, x, p, dot(g, p), f, f_before, limits.rules)
        if np.isnan(step):
            status = PRECISION_LOSS
            break
        if not has_gradient:
            gradient_at(problem, memo, x, p, step)
        for i in range(n):
            s[i] = step * p[i]
            x[i] += s[i]
            y[i] = memo.g[i] - g[i]
            g[i] = memo.g[i]
        f_before, f = f, f_new
        k += 1
        gnorm = length(g, limits.norm)
        if gnorm <= limits.gtol or step * length(p, 2.0) <= limits.xrtol * (limits.xrtol + length(x, 2.0)):
            break
        if not math.isfinite(f):
            status = PRECISION_LOSS
            break
        ys = dot(y, s)
        numbers[N_UPDATES] += 1
        numbers[N_ZERO_CURVATURE] += ys == 0.0
        update(H, s, y, 1000.0 if ys == 0.0 else 1.0 / ys, matrices)
    return f, k, gnorm, status


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


class Room(NamedTuple):
    """All arrays of a run: the result's, and the driver's working space."""

    x: np.ndarray  # (n,)
    g: np.ndarray  # (n,)
    H: np.ndarray  # (n, n)
    vectors: np.ndarray  # (6, n)
    matrices: np.ndarray  # (3, n, n)
    numbers: np.ndarray  # (7,)


@njit(cache=True, nogil=True, error_model="numpy")
def drive(fun, jac, args, scheme, step, x, g, H, vectors, matrices, numbers, limits):
    """:func:`descend` on arrays that Python holds; compiled once for each kind of arguments, and kept on disk."""
    problem = Problem(fun, jac, args, scheme, uncounted(step))
    x, g, H = uncounted(x), uncounted(g), uncounted(H)
    return descend(problem, x, g, H, uncounted(vectors), uncounted(matrices), uncounted(numbers), limits)


def minimize_compiled(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    x0: np.ndarray,
    limits: Limits,
    hess_inv0: np.ndarray | None,
    step: Any,
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

    Returns
    -------
    state : State
    numbers : ndarray
        The counts, at the places that ``objective_numba`` names.
    """
    scheme = ABSOLUTE_2
    if not callable(jac):
        scheme, jac = SCHEMES[jac], None
    links = _links(fun, jac, args)
    if links is None:
        return None
    n = len(x0)
    steps = np.empty(n)
    if jac is None:
        steps[:] = np.nan if step is None else step
    room = Room(
        x0.copy(),
        np.empty(n),
        np.eye(n) if hess_inv0 is None else hess_inv0.copy(),
        np.empty((6, n)),
        np.empty((3, n, n)),
        np.zeros(7),
    )
    addresses = [None if link is None else link.address for link in links]
    f, nit, gnorm, status = drive(*addresses, args, scheme, steps, *room, limits)  # type: ignore[call-arg]
    H = room.H
    if not room.numbers[N_UPDATES]:
        H = np.eye(n, dtype=int) if hess_inv0 is None else hess_inv0
    return State(room.x, f, room.g, H, nit, gnorm, status), room.numbers


def counts(numbers: np.ndarray) -> tuple[int, int, int]:
    """nfev, njev, and how often y's was zero."""
    known = numbers.tolist()
    return int(known[NFEV]), int(known[NJEV]), int(known[N_ZERO_CURVATURE])


class Link(NamedTuple):
    """A function compiled for one signature, where it is, and what it can be for the driver."""

    compiled: Any
    address: int
    is_value: bool
    is_gradient: bool


_known_links: WeakKeyDictionary[Any, Link] = WeakKeyDictionary()  # of functions of x alone


def _links(fun: Any, jac: Any, args: tuple[Any, ...]) -> tuple[Link, Link | None] | None:
    """Both functions compiled for (x, *args), if they return what the driver needs; None if not."""
    value = _link(fun, args)
    if value is None or not value.is_value:
        return None
    if jac is None:
        return value, None
    gradient = _link(jac, args)
    return None if gradient is None or not gradient.is_gradient else (value, gradient)


def _link(function: Any, args: tuple[Any, ...]) -> Link | None:
    """Compile the function for (x, *args) unless it is; None if that is not possible."""
    known = None if args else _known_links.get(function)
    if known is not None:
        for compiled in function.overloads.values():
            if compiled is known.compiled:  # not recompiled since, so the address still holds
                return known
    try:
        signature = (VECTOR, *map(typeof, args))
        if signature not in function.overloads:
            function.compile(signature)
        compiled = function.overloads[signature]
    except (NumbaError, KeyError, ValueError, TypeError, RuntimeError):
        # It does not compile for these types; Numba has no such type; it has other parameters; its signatures are fixed.
        return None
    returns = compiled.signature.return_type
    link = Link(
        compiled,
        compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name),
        is_value=returns == types.float64,
        is_gradient=returns == VECTOR,
    )
    if not args:
        _known_links[function] = link
    return link
