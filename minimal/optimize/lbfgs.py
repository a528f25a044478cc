"""L-BFGS: minimize a smooth function of many variables with the memory of a few vectors.

Two doors.  :func:`lbfgs` for one function that returns value and gradient, without ceremony: what the estimators use.
:func:`minimize_lbfgsb` for all the forms that ``minimize(method="L-BFGS-B")`` takes.  Both hold the same conversation with
the algorithm, which is in ``lbfgs_numpy`` (to read) and ``lbfgs_numba`` (what runs).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.compiling import announce_slow_compiling
from minimal.engine import get_engine, twin
from minimal.optimize.bfgs import Reporter, is_compiled, warn_unknown
from minimal.optimize.differences import METHODS as SCHEMES
from minimal.optimize.lbfgs_lapack import AVAILABLE
from minimal.optimize.lbfgs_operator import LbfgsInvHessProduct
from minimal.optimize.lbfgs_state import (
    ABNORMAL,
    CALLBACK_STOPPED,
    EVALUATE,
    F_OLD,
    G_OLD,
    MAXCOR,
    NEW_X,
    SMALL_DECREASE,
    SMALL_GRADIENT,
    STORED,
    TOO_MANY_EVALUATIONS,
    TOO_MANY_ITERATIONS,
    begin,
)
from minimal.optimize.result import OptimizeResult
from minimal.optimize.scalar_function import FunctionAndGradient, ScalarFunction

__all__ = ["LbfgsInvHessProduct", "lbfgs", "minimize_lbfgsb"]

Array = NDArray[np.float64]
Descent = Callable[[Array, float, Array, Array, Array, tuple[int, int]], tuple[float, Array, int, int, int]]
_Settings = tuple[int, float, float, int, bool]  # maxcor, ftol, gtol, maxls, compact

MESSAGES = {
    SMALL_GRADIENT: "CONVERGENCE: NORM OF PROJECTED GRADIENT <= PGTOL",
    SMALL_DECREASE: "CONVERGENCE: RELATIVE REDUCTION OF F <= FACTR*EPSMCH",
    ABNORMAL: "ABNORMAL: ",
    TOO_MANY_ITERATIONS: "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
    TOO_MANY_EVALUATIONS: "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
    CALLBACK_STOPPED: "`callback` raised `StopIteration`.",
}


def lbfgs(
    fun_and_grad: Callable[[Array], tuple[float, Array]],
    x0: ArrayLike,
    *,
    maxcor: int = 10,
    ftol: float = 2.2204460492503131e-09,
    gtol: float = 1e-5,
    maxfun: int = 15000,
    maxiter: int = 15000,
    maxls: int = 20,
    callback: Callable[..., Any] | None = None,
    compact: bool = False,
    descend: Descent | None = None,
) -> OptimizeResult:
    """Minimize f, given one function for its value and gradient.

    Parameters
    ----------
    fun_and_grad : callable ``fun_and_grad(x) -> (f, g)``
        ``x`` is float64 of shape (n,) and belongs to the optimizer, which moves it: copy it to keep it.  ``g`` must be
        float64 of shape (n,), contiguous and writable, and may be the same array at every call.
    x0 : array-like of shape (n,)
    maxcor : int, default=10
        How many pairs (s, y) to remember.
    ftol : float, default=2.22e-9
        Stop when ``f_old - f <= ftol * max(|f_old|, |f|, 1)``.
    gtol : float, default=1e-5
        Stop when ``max |g_i| <= gtol``; tested before ``ftol``.
    maxfun, maxiter : int, default=15000
        Stop after an iteration when more evaluations, or as many iterations, were made; tested before both tolerances.
    maxls : int, default=20
        Evaluations in one line search, before the memory is dropped.
    callback : callable ``callback(x)`` or ``callback(intermediate_result)``, optional
        After every iteration.  It may raise StopIteration to stop.
    compact : bool, default=False
        Round as SciPy does, for a higher price in every iteration, where NumPy brings the routines for it.
    descend : callable, optional
        Who knows a faster way to hold the conversation after the first evaluation brings it (without a callback):
        ``descend(x, f, g, memory, state, (maxiter, maxfun)) -> (f, g, reason, nit, nfev)``, see ``lbfgs_state``.

    Returns
    -------
    OptimizeResult
        ``x, fun, jac, nit, nfev, njev, status, success, message, hess_inv``.  The status is 0 (converged), 1 (too many
        iterations or evaluations), 2 (no lower point found) or 99 (the callback said stop); ``hess_inv`` is an operator.

    See Also
    --------
    minimize_lbfgsb : finite differences, args, result-passing callbacks.
    """
    x = np.array(x0, dtype=np.float64).ravel()
    watch = _Watch(maxiter, maxfun, callback)

    def evaluate(x: Array) -> tuple[float, Array]:
        watch.nfev += 1
        return fun_and_grad(x)

    end = _converse(evaluate, x, _checked(x.size, maxcor, ftol, gtol, maxls, compact), watch, descend)
    return _result(x, *end, watch, njev=watch.nfev)


class _Watch:
    """After every iteration: count it, show it to the callback, look at maxiter and maxfun."""

    def __init__(self, maxiter: int, maxfun: int, callback: Callable[..., Any] | None) -> None:
        self.maxiter, self.maxfun = maxiter, maxfun
        self.nit = self.nfev = 0
        self.reporter = None if callback is None else Reporter(callback, None)

    def reason_to_stop(self, x: Array, f: Any) -> int:
        """0 to go on."""
        self.nit += 1
        if self.reporter is not None and self.reporter(x, f):
            return CALLBACK_STOPPED
        if self.nit >= self.maxiter:
            return TOO_MANY_ITERATIONS
        return TOO_MANY_EVALUATIONS if self.nfev > self.maxfun else 0


def _checked(n: int, maxcor: Any, ftol: float, gtol: float, maxls: Any, compact: bool) -> _Settings:
    """The settings, or the error that they deserve."""
    maxcor, maxls = index(maxcor), index(maxls)
    if maxls <= 0:
        raise ValueError(f"maxls must be positive, got {maxls}.")
    if maxcor <= 0:
        raise ValueError(f"maxcor must be positive, got {maxcor}.")
    if ftol < 0:
        raise ValueError(f"ftol must not be negative, got {ftol}.")
    if n == 0:
        raise ValueError("x0 must have at least one element.")
    return maxcor, ftol, gtol, maxls, compact and AVAILABLE


def _converse(
    evaluate: Callable[[Array], tuple[Any, Array]],
    x: Array,
    settings: _Settings,
    watch: _Watch,
    descend: Descent | None = None,
) -> tuple[Any, Array, int, LbfgsInvHessProduct]:
    """Hold the conversation to its end: f, g, the reason, and the inverse Hessian; x is moved in place."""
    memory, state = begin(x, *settings)
    f, g = evaluate(x)
    if descend is not None and watch.reporter is None:
        f, g, task, watch.nit, watch.nfev = descend(x, f, g, memory, state, (watch.maxiter, watch.maxfun))
        return _end(f, g, task, memory, state)
    advance = twin("minimal.optimize.lbfgs").advance
    task = advance(x, float(f), g, memory, state)
    while task <= NEW_X:
        if task == EVALUATE:
            f, g = evaluate(x)
        elif reason := watch.reason_to_stop(x, f):
            task = reason
            break
        task = advance(x, float(f), g, memory, state)
    return _end(f, g, task, memory, state)


def _end(f: Any, g: Array, reason: int, memory: Array, state: Array) -> tuple[Any, Array, int, LbfgsInvHessProduct]:
    """f and g of the point that x is back at after an ABNORMAL search; the inverse Hessian."""
    if reason == ABNORMAL:
        f, g = float(state[F_OLD]), memory[G_OLD].copy()
    maxcor, stored = int(state[MAXCOR]), int(state[STORED])
    return f, g, reason, LbfgsInvHessProduct(memory[:stored], memory[maxcor : maxcor + stored])


def _result(
    x: Array, f: Any, g: Array, reason: int, hess_inv: LbfgsInvHessProduct, watch: _Watch, njev: int
) -> OptimizeResult:
    """The result with status 0 (converged), 1 (a limit was reached), 2 (abnormal) or 99 (the callback said stop)."""
    if reason == CALLBACK_STOPPED:
        status = 99
    elif reason in (SMALL_GRADIENT, SMALL_DECREASE):
        status = 0
    else:
        status = 1 if watch.nfev > watch.maxfun or watch.nit >= watch.maxiter else 2
    return OptimizeResult(
        fun=f,
        jac=g,
        nfev=watch.nfev,
        njev=njev,
        nit=watch.nit,
        status=status,
        message=MESSAGES[reason],
        x=x,
        success=status == 0,
        hess_inv=hess_inv,
    )


def minimize_lbfgsb(
    fun: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...] = (),
    jac: Any = None,
    bounds: Any = None,
    callback: Callable[..., Any] | None = None,
    maxcor: int = 10,
    ftol: float = 2.2204460492503131e-09,
    gtol: float = 1e-5,
    eps: Any = 1e-8,
    maxfun: int = 15000,
    maxiter: int = 15000,
    maxls: int = 20,
    finite_diff_rel_step: Any = None,
    workers: Any = None,
    two_loop: bool = False,
    **unknown: Any,
) -> OptimizeResult:
    """Minimize a function of several variables: what ``minimize(method="L-BFGS-B")`` runs.

    Parameters
    ----------
    fun : callable ``fun(x, *args) -> float``
    x0 : array-like of shape (n,)
    args : tuple
    jac : callable, True, "2-point", "3-point", "cs" or None
        The gradient ``jac(x, *args)``; True if ``fun`` returns both; a scheme of finite differences; None for "2-point" with
        the absolute step ``eps``.
    bounds : sequence of n pairs (low, high), or an object with ``lb`` and ``ub``
        None and infinities mean no bound, and no bound is what there must be.
    callback : callable ``callback(x)`` or ``callback(intermediate_result)``, optional
        After every iteration, with x, or with a result that has ``x`` and ``fun`` if its one parameter has that name.  It may
        raise StopIteration to stop.
    maxcor, ftol, gtol, maxfun, maxiter, maxls
        As in :func:`lbfgs`.  With finite differences all their evaluations count for ``maxfun``.
    eps : float or array-like of shape (n,), default=1e-8
    finite_diff_rel_step : float or array-like of shape (n,), optional
        The relative step of the schemes that are named.
    workers : map-like callable, optional
        Evaluates finite differences.
    two_loop : bool, default=False
        Not in SciPy: compute directions by the two-loop recursion, which is faster, and whose last bits differ.
    unknown
        Other options are named in a warning.

    Returns
    -------
    OptimizeResult
        As in :func:`lbfgs`.

    Raises
    ------
    NotImplementedError
        If a bound is finite.
    ValueError
        If ``maxcor`` or ``maxls`` is not positive, ``ftol`` is negative, ``x0`` is empty, or the gradient has not n elements.

    Notes
    -----
    If ``fun`` and ``jac`` are compiled by Numba's ``njit`` and the engine is "numba", the whole optimizer runs compiled, as
    :func:`minimal.optimize.minimize` tells for BFGS; a callback, ``workers``, ``jac=True`` and ``jac="cs"`` keep the driver
    in Python.

    Source: L-BFGS-B 3.0, as ``scipy.optimize._lbfgsb_py._minimize_lbfgsb`` 1.17.1 calls it.  Differs from it

    - in the last bits, with ``two_loop``, or where NumPy does not bring OpenBLAS (``lbfgs_lapack.AVAILABLE``).  On long,
      ill-conditioned runs these bits grow, and counts differ by some percent; SciPy's own differ as much between processors,
      because OpenBLAS adds in an order that depends on the processor;
    - when a run ends as ABNORMAL: ``fun`` here is the value at ``x``, there the value at the last point that was tried;
    - at a kink of the function, where the stored pairs become linearly dependent: there, the memory is sometimes dropped for
      a reason that hangs on rounding and is not known; both end as ABNORMAL beside the minimum;
    - when the first gradient is infinite or longer than 1e154: there, the first direction is NaN;
    - when it raises ValueError, as above: there, such a run ends at once with an "ERROR" message, or, for a gradient of the
      wrong size, reads memory that is not its own.
    """
    _check_options(unknown)
    x0 = np.asarray(x0).ravel()
    _check_unbounded(bounds, x0.size)
    x = np.array(x0, dtype=np.float64)
    settings = _checked(x.size, maxcor, ftol, gtol, maxls, compact=not two_loop)
    if jac is True:
        fun = FunctionAndGradient(fun)
        jac = fun.gradient
    watch = _Watch(maxiter, maxfun, callback)
    if get_engine() == "numba" and callback is None and workers is None and x0.dtype == np.float64:
        step = finite_diff_rel_step if jac in SCHEMES else eps
        result = _run_compiled(fun, jac, args, x, settings, watch, step)
        if result is not None:
            return result
    objective = ScalarFunction(fun, x0, args, jac, eps, finite_diff_rel_step, workers)

    def evaluate(x: Array) -> tuple[Any, Array]:
        f, g = objective.fun_and_grad(x)
        watch.nfev = objective.nfev
        return f, _as_gradient(g, x.size)

    end = _converse(evaluate, x, settings, watch)
    return _result(x, *end, watch, njev=objective.ngev)


def _run_compiled(
    fun: Any, jac: Any, args: tuple[Any, ...], x: Array, settings: _Settings, watch: _Watch, step: Any
) -> OptimizeResult | None:
    """The result from compiled text alone; None where Python must drive."""
    if not (is_compiled(fun) and (jac is None or jac in ("2-point", "3-point") or is_compiled(jac))):
        return None
    announce_slow_compiling()
    from minimal.optimize.lbfgs_driver_numba import minimize_compiled  # only now: it imports Numba

    done = minimize_compiled(fun, jac, args, x, settings, (watch.maxiter, watch.maxfun), step)
    if done is None:
        return None
    f, g, reason, (watch.nit, watch.nfev, njev), memory, state = done
    return _result(x, *_end(f, g, reason, memory, state), watch, njev)


def _as_gradient(g: NDArray[Any], n: int) -> Array:
    """``g`` as the kernels want it: n numbers of type float64 in one row, writable (or they would be compiled anew)."""
    if g.dtype != np.float64 or g.ndim != 1 or not g.flags.carray:
        g = g.ravel().astype(np.float64)
    if g.size != n:
        raise ValueError(f"The gradient must have {n} elements, as x0 has; it has {g.size}.")
    return g


def _check_options(unknown: dict[str, Any]) -> None:
    """Warn about options that do nothing: two that once printed, and those that nobody knows."""
    printing = [name for name in ("disp", "iprint") if unknown.pop(name, None) is not None]
    warn_unknown(unknown)
    for name in printing:
        warnings.warn(f"L-BFGS-B prints nothing: the option {name!r} has no effect.", DeprecationWarning, stacklevel=4)


def _check_unbounded(bounds: Any, n: int) -> None:
    """Raise unless ``bounds`` bound nothing."""
    if bounds is None:
        return
    if hasattr(bounds, "lb"):
        low, high = np.asarray(bounds.lb, dtype=float), np.asarray(bounds.ub, dtype=float)
    else:
        low = np.array([-np.inf if pair[0] is None else pair[0] for pair in bounds], dtype=float)
        high = np.array([np.inf if pair[1] is None else pair[1] for pair in bounds], dtype=float)
    if not {low.size, high.size} <= {1, n}:
        raise ValueError(f"There must be as many bounds as elements of x0, {n}; there are {max(low.size, high.size)}.")
    if not (np.isneginf(low).all() and np.isposinf(high).all()):
        raise NotImplementedError(
            "L-BFGS-B minimizes without bounds here; bounds must be None or infinite. For a positive variable, minimize over "
            "its logarithm; or use scipy.optimize.minimize, which has the bounded algorithm."
        )
