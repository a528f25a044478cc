"""L-BFGS: minimize a smooth function of many variables with the memory of a few vectors.

Two doors.  :func:`lbfgs` for one function that returns value and gradient, without ceremony: what the estimators use.
:func:`minimize_lbfgsb` for all the forms that ``minimize(method="L-BFGS-B")`` takes.  Both hold the same conversation with the
algorithm, which is in ``lbfgs_numpy`` (to read) and ``lbfgs_numba`` (what runs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.engine import twin
from minimal.optimize.lbfgs_operator import LbfgsInvHessProduct
from minimal.optimize.lbfgs_state import (
    ABNORMAL,
    EVALUATE,
    F_OLD,
    G_OLD,
    NEW_X,
    SMALL_DECREASE,
    SMALL_GRADIENT,
    STORED,
    begin,
)
from minimal.optimize.result import OptimizeResult

__all__ = ["LbfgsInvHessProduct", "lbfgs", "minimize_lbfgsb"]

Array = NDArray[np.float64]

# Why a run ended, beside the algorithm's own reasons.
TOO_MANY_ITERATIONS, TOO_MANY_EVALUATIONS, CALLBACK_STOPPED = 10, 11, 12

MESSAGES = {
    SMALL_GRADIENT: "CONVERGENCE: NORM OF PROJECTED GRADIENT <= PGTOL",
    SMALL_DECREASE: "CONVERGENCE: RELATIVE REDUCTION OF F <= FACTR*EPSMCH",
    ABNORMAL: "ABNORMAL: ",
    TOO_MANY_ITERATIONS: "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
    TOO_MANY_EVALUATIONS: "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
    CALLBACK_STOPPED: "STOP: CALLBACK REQUESTED HALT",
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
    callback: Callable[[Array], Any] | None = None,
) -> OptimizeResult:
    """Minimize f, given one function for its value and gradient.

    Parameters
    ----------
    fun_and_grad : callable ``fun_and_grad(x) -> (f, g)``
        ``x`` is float64 of shape (n,) and belongs to the optimizer, which moves it: copy it to keep it.  ``g`` must be float64
        of shape (n,), and may be the same array at every call.
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
    callback : callable ``callback(x)``, optional
        After every iteration.  It may raise StopIteration to stop.

    Returns
    -------
    OptimizeResult
        ``x, fun, jac, nit, nfev, njev, status`` (0 converged, 1 too many iterations or evaluations, 2 otherwise), ``success``,
        ``message``, ``hess_inv`` (an operator).

    See Also
    --------
    minimize_lbfgsb : finite differences, args, result-passing callbacks.
    """
    x = np.array(x0, dtype=np.float64).ravel()
    nfev = 0

    def evaluate(x: Array) -> tuple[float, Array]:
        nonlocal nfev
        nfev += 1
        return fun_and_grad(x)

    def at_iterate(x: Array, f: float, nit: int) -> int:
        reason = 0
        if callback is not None:
            try:
                callback(x)
            except StopIteration:
                reason = CALLBACK_STOPPED
        return TOO_MANY_ITERATIONS if nit >= maxiter else TOO_MANY_EVALUATIONS if nfev > maxfun else reason

    f, g, nit, reason, hess_inv = _converse(evaluate, x, (maxcor, ftol, gtol, maxls), at_iterate)
    return _result(x, f, g, nit, nfev, nfev, reason, hess_inv, limit=nfev > maxfun or nit >= maxiter)


def _converse(
    evaluate: Callable[[Array], tuple[float, Array]],
    x: Array,
    settings: tuple[int, float, float, int],
    at_iterate: Callable[[Array, float, int], int],
) -> tuple[float, Array, int, int, LbfgsInvHessProduct]:
    """Hold the conversation to its end: f, g, nit, the reason, and the inverse Hessian; x is moved in place."""
    advance = twin("minimal.optimize.lbfgs").advance
    maxcor = settings[0]
    memory, state = begin(x, *settings)
    nit = 0
    task = EVALUATE
    while True:
        if task == EVALUATE:
            f, g = evaluate(x)
        elif task == NEW_X:
            nit += 1
            reason = at_iterate(x, f, nit)
            if reason:
                task = reason
                break
        else:
            break
        task = advance(x, f, g, memory, state)
    if task == ABNORMAL:
        f, g = float(state[F_OLD]), memory[G_OLD].copy()
    stored = int(state[STORED])
    return f, g, nit, task, LbfgsInvHessProduct(memory[:stored], memory[maxcor : maxcor + stored])


def _result(
    x: Array,
    f: Any,
    g: Array,
    nit: int,
    nfev: int,
    njev: int,
    reason: int,
    hess_inv: LbfgsInvHessProduct,
    limit: bool,
) -> OptimizeResult:
    """The result with status 0 (converged), 1 (a limit was reached) or 2."""
    status = 0 if reason in (SMALL_GRADIENT, SMALL_DECREASE) else 1 if limit else 2
    return OptimizeResult(
        fun=f,
        jac=g,
        nfev=nfev,
        njev=njev,
        nit=nit,
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
    bounds: Sequence[tuple[float | None, float | None]] | None = None,
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
    **unknown: Any,
) -> OptimizeResult:
    """To follow."""
    raise NotImplementedError("L-BFGS-B through minimize is being built; minimal.optimize.lbfgs.lbfgs works.")
