"""BFGS: read here how gradients alone teach an optimizer the curvature of its landscape.

Newton's method walks along p = -H g, where H is the inverse Hessian.  BFGS does not know H.  It begins with the identity
and, after each step s that changed the gradient by y, takes the nearest symmetric H that explains the change, H y = s:

    H <- (I - rho s y') H (I - rho y s') + rho s s',        rho = 1 / y's

The line search's curvature condition makes y's > 0, which keeps H positive definite and p a descent direction.

Every product, sum and decision is made in the order of ``scipy.optimize`` 1.17.1, so the iterates are the same bits.

Source: J. Nocedal and S. J. Wright, "Numerical Optimization", chapter 6.
"""

from __future__ import annotations

import inspect
import math
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minimal.compiling import announce_slow_compiling
from minimal.engine import get_engine
from minimal.exceptions import OptimizeWarning, kin
from minimal.optimize.differences import METHODS, SQRT_EPS
from minimal.optimize.more_thuente import CONVERGENCE, EVALUATE, Rules, advance_python, start
from minimal.optimize.result import OptimizeResult
from minimal.optimize.scalar_function import ScalarFunction
from minimal.optimize.wolfe import bracket_and_zoom, check_constants, first_step

__all__ = ["minimize_bfgs"]

SUCCESS, TOO_MANY_ITERATIONS, PRECISION_LOSS, NAN = range(4)
MESSAGES = (
    "Optimization terminated successfully.",
    "Maximum number of iterations has been exceeded.",
    "Desired error not necessarily achieved due to precision loss.",
    "NaN result encountered.",
)
ZERO_CURVATURE = "Divide-by-zero encountered: rhok assumed large"
LONGEST, SHORTEST = 1e100, 1e-100  # steps along the direction
TRIALS = 100  # of the Moré-Thuente search

Callback = Callable[[np.ndarray, Any], bool]


class Limits(NamedTuple):
    """When to stop, and what a good step is."""

    gtol: float
    norm: float
    xrtol: float
    maxiter: float
    rules: Rules  # of the line search


class State(NamedTuple):
    """Where a run of BFGS is: the point, its value and gradient, the inverse Hessian, the iterations made."""

    x: np.ndarray
    f: Any
    g: np.ndarray
    H: Any
    nit: int
    gnorm: Any
    status: int


def length(v: np.ndarray, order: float = 2) -> Any:
    """The norm of ``v`` of the given order, summed as SciPy sums it."""
    if order == np.inf:
        numbers = v.tolist() if len(v) <= 16 else [math.nan]
        if math.isfinite(sum(numbers)):  # few numbers and no NaN, which Python's max would overlook
            return max(map(abs, numbers))
        return np.maximum.reduce(np.absolute(v))
    if order == -np.inf:
        return np.minimum.reduce(np.absolute(v))
    return np.sum(np.abs(v) ** order, axis=0) ** (1.0 / order)


def iterate(
    objective: ScalarFunction,
    x0: np.ndarray,
    limits: Limits,
    hess_inv0: Any,
    report: Callback,
    rank_two: bool = False,
    disp: bool = False,
) -> State:
    """The algorithm: from ``x0`` down to a point where the gradient's norm is at most ``limits.gtol``.

    Parameters
    ----------
    objective : ScalarFunction
    x0 : ndarray of shape (n,)
    limits : Limits
    hess_inv0 : ndarray of shape (n, n) or None
        None is the identity.
    report : callable ``report(x, f) -> bool``
        Told every new point; True ends the run.
    rank_two : bool, default False
        Update H in O(n^2) operations, which rounds differently, instead of O(n^3).
    disp : bool, default False
        Warn where y's is zero.

    Returns
    -------
    State
        ``status`` is ``SUCCESS`` or ``PRECISION_LOSS``; :func:`finish` tells too many iterations and NaN from success.
    """
    update = (RankTwoUpdate if rank_two else best_update())(len(x0), disp)
    x, f, g = x0, objective.fun(x0), objective.grad(x0)
    H = update.identity if hess_inv0 is None else np.asarray(hess_inv0)
    f_before = f + np.linalg.norm(g) / 2  # so that the first guess is a step of length about 1
    gnorm = length(g, limits.norm)
    status, k = SUCCESS, 0
    if gnorm > limits.gtol and limits.maxiter > 0:
        check_constants(limits.rules.ftol, limits.rules.gtol)
    while gnorm > limits.gtol and k < limits.maxiter:
        p = -H.dot(g)
        step, f_new, g_new = search(objective, x, p, g, f, f_before, limits)
        if step is None:
            status = PRECISION_LOSS
            break
        s = step * p
        x = x + s
        if g_new is None:
            g_new = objective.grad(x)
        y = g_new - g
        f_before, f, g = f, f_new, g_new
        k += 1
        if report(x, f):
            break
        gnorm = length(g, limits.norm)
        if gnorm <= limits.gtol or short(step, p, x, limits.xrtol):
            break
        if not math.isfinite(f):
            status = PRECISION_LOSS
            break
        H = update(H, s, y)
    untouched = k == 0 or H is update.identity
    if untouched and hess_inv0 is None:
        H = np.eye(len(x0), dtype=int)
    return State(x, f, g, H if not untouched or hess_inv0 is None else hess_inv0, k, gnorm, status)


def short(step: Any, p: np.ndarray, x: np.ndarray, xrtol: float) -> bool:
    """Is the step's length at most ``xrtol`` of the point's?  With xrtol = 0: has it vanished?"""
    if xrtol == 0 and abs(step) * math.sqrt(p.dot(p)) > 1e-150:
        return False  # certainly not zero, whatever the order of the sum
    return step * length(p) <= xrtol * (xrtol + length(x))


def search(
    objective: ScalarFunction, x: np.ndarray, p: np.ndarray, g: np.ndarray, f: Any, f_before: Any, limits: Limits
) -> tuple[Any, Any, Any]:
    """A step along ``p`` with strong Wolfe conditions, and value and gradient there; step None if there is none.

    Moré and Thuente's search first; where it ends with a warning, bracket and zoom.
    """
    slope0 = g.dot(p)
    number = quick if type(f) in FLOATS and type(f_before) in FLOATS else exact
    f0, d0 = number(f), number(slope0)
    step = first_step(f0, number(f_before), d0)
    rules = limits.rules
    task, known = start(step, f0, d0, rules)
    for _ in range(TRIALS):
        if task != EVALUATE or not math.isfinite(step):
            break
        f_new, g_new = objective.fun_then_grad(x + step * p)
        task, next_step, known = advance_python(known, step, number(f_new), number(g_new.dot(p)), rules)
        if task == CONVERGENCE:
            return step, f_new, g_new
        step = number(next_step)
    return zoom_search(objective, x, p, slope0, f, f_before, limits)


def zoom_search(
    objective: ScalarFunction, x: np.ndarray, p: np.ndarray, slope0: Any, f: Any, f_before: Any, limits: Limits
) -> tuple[Any, Any, Any]:
    """The second chance: like :func:`search`, by bracketing and zooming."""
    gradient = None

    def slope(step: Any) -> Any:
        nonlocal gradient
        gradient = objective.grad(x + step * p)
        return gradient.dot(p)

    (step, f_new, _, slope_there), _ = bracket_and_zoom(
        lambda step: objective.fun(x + step * p),
        slope,
        f,
        f_before,
        slope0,
        limits.rules.ftol,
        limits.rules.gtol,
        LONGEST,
    )
    return step, f_new, None if slope_there is None else gradient


FLOATS = (float, np.float64)
quick = float  # a float64 as a Python float: the same arithmetic, three times as fast


def exact(number: Any) -> Any:
    """Beside a float32 value, a Python float would compute in float32 where NumPy's float64 does not: keep NumPy's."""
    return np.float64(number) if type(number) is float else number


class Update:
    """H <- A H A' + rho s s' with A = I - rho s y', in buffers that are used again.

    A' is copied instead of computed: the products rho (y_i s_j) and rho (s_j y_i) are the same bits.  The two matrix
    products cost 4 n^3; they stay because any cheaper form of the same formula rounds differently.
    """

    def __init__(self, n: int, disp: bool = False) -> None:
        self.identity = np.eye(n)
        self.disp = disp
        self._matrices = np.empty((3, n, n))
        self._a, self._b, self._c = self._matrices
        self._H = np.empty((n, n))

    def __call__(self, H: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
        a, b, c = self._a, self._b, self._c
        rho = self.curvature(s, y)
        column = s[:, None]
        np.multiply(column, y, a)
        np.multiply(a, rho, a)
        np.subtract(self.identity, a, a)
        b[...] = a.T
        H.dot(b, c)
        a.dot(c, b)
        np.multiply(rho * column, s, a)
        return np.add(b, a, self._H)  # overwrites the old H, which has done its work

    def curvature(self, s: np.ndarray, y: np.ndarray) -> Any:
        """rho = 1 / y's, and 1000 where that would divide by zero."""
        ys = y.dot(s)
        if ys != 0.0:
            return 1.0 / ys
        if self.disp:
            complain(ZERO_CURVATURE)
        return 1000.0


def best_update() -> type[Update]:
    """The compiled update if Numba is loaded already, for loading it would take longer than most runs.  Same bits."""
    if get_engine() != "numba" or "numba" not in sys.modules:
        return Update
    from minimal.optimize.blas_numba import SAME_AS_NUMPY

    return CompiledUpdate if SAME_AS_NUMPY else Update


class CompiledUpdate(Update):
    """:class:`Update` with all that is not a matrix product compiled."""

    def __init__(self, n: int, disp: bool = False) -> None:
        from minimal.optimize.bfgs_update_numba import update

        super().__init__(n, disp)
        self._update = update

    def __call__(self, H: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
        if s.dtype != np.float64 or y.dtype != np.float64 or not (H is self._H or H is self.identity):
            return super().__call__(H, s, y)
        if H is self.identity:
            self._H[...] = H
        self._update(self._H, s, y, float(self.curvature(s, y)), self._matrices)
        return self._H


class RankTwoUpdate(Update):
    """The same H in O(n^2) operations:  H - rho (u s' + s u') + (rho^2 y'u + rho) s s',  u = H y.

    Its last bits are others, so long runs drift away from SciPy's.
    """

    def __call__(self, H: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
        rho = self.curvature(s, y)
        u = H.dot(y)
        half = 0.5 * (rho * rho * y.dot(u) + rho)
        v = half * s - rho * u  # v s' + s v' is the whole change
        change = np.multiply(v[:, None], s, out=self._a)
        change += change.T.copy()
        return np.add(H, change, out=self._H)


def complain(message: str) -> None:
    """Warn as SciPy's optimizers do when ``disp`` asks them to speak."""
    warnings.warn(message, kin(OptimizeWarning), stacklevel=3)


def minimize_bfgs(
    fun: Callable[..., Any],
    x0: npt.ArrayLike,
    args: tuple[Any, ...] = (),
    jac: Any = None,
    callback: Callable[..., Any] | None = None,
    *,
    gtol: float = 1e-5,
    norm: float = np.inf,
    eps: Any = SQRT_EPS,
    maxiter: int | None = None,
    disp: bool = False,
    return_all: bool = False,
    finite_diff_rel_step: Any = None,
    xrtol: float = 0,
    c1: float = 1e-4,
    c2: float = 0.9,
    hess_inv0: npt.ArrayLike | None = None,
    workers: Any = None,
    rank_two: bool = False,
    **unknown_options: Any,
) -> OptimizeResult:
    """BFGS, as ``minimize(method="BFGS")`` calls it: see there for the options.

    ``callback`` is the user's; the rest is explained in :func:`minimal.optimize.minimize`.
    """
    warn_unknown(unknown_options)
    check_positive_definite(hess_inv0)
    x0 = np.asarray(x0).flatten()
    if len(x0) == 0:
        raise ValueError("x0 is empty: there is nothing to minimize over.")
    rules = Rules(float(c1), float(c2), 1e-14, SHORTEST, LONGEST)
    most = float(len(x0) * 200 if maxiter is None else maxiter)
    limits = Limits(float(gtol), float(norm), float(xrtol), most, rules)
    compiled = reporter = None
    if get_engine() == "numba" and not (callback or return_all or workers or rank_two):
        step = finite_diff_rel_step if jac in METHODS else eps
        compiled = run_compiled(fun, jac, args, x0, limits, hess_inv0, step)
    if compiled is None:
        reporter = Reporter(callback, [x0] if return_all else None)
        objective = ScalarFunction(fun, x0, args, jac, eps, finite_diff_rel_step, workers)
        if objective.g.shape != x0.shape:
            raise ValueError(f"The gradient must have the shape of x0, {x0.shape}; `jac` returned {objective.g.shape}.")
        state = iterate(objective, x0, limits, hess_inv0, reporter, rank_two, disp)
        nfev, njev = objective.nfev, objective.ngev
    else:
        state, nfev, njev, n_zero_curvature = compiled
        if n_zero_curvature and disp:
            complain(ZERO_CURVATURE)
    return finish(state, nfev, njev, limits, disp, reporter)


def run_compiled(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    x0: np.ndarray,
    limits: Limits,
    hess_inv0: Any,
    step: Any,
) -> tuple[State, int, int, int] | None:
    """The state at the end, nfev, njev and how often y's was zero, from compiled text; None where Python must drive."""
    if not (is_compiled(fun) and (jac is None or jac in ("2-point", "3-point") or is_compiled(jac))):
        return None
    if x0.dtype != np.float64 or limits.norm not in (2, np.inf):
        return None
    if hess_inv0 is not None:
        H = np.asarray(hess_inv0)
        if H.dtype != np.float64 or not H.flags.c_contiguous or H.shape != (len(x0), len(x0)):
            return None
        hess_inv0 = H
    bfgs_numba = compiled_driver()
    done = bfgs_numba.minimize_compiled(fun, jac, args, x0, limits, hess_inv0, step)
    if done is None:
        return None
    state, numbers = done
    nfev, njev, n_zero_curvature = bfgs_numba.counts(numbers)
    return state, nfev, njev, n_zero_curvature


@cache
def compiled_driver() -> Any:
    """The module of compiled BFGS, imported when it is first needed, for it imports Numba."""
    announce_slow_compiling()
    return import_module("minimal.optimize.bfgs_numba")


def is_compiled(function: Any) -> bool:
    """Is it a function compiled by Numba's njit?  Told by what it has, without importing Numba."""
    return hasattr(function, "inspect_llvm") and hasattr(function, "overloads")


class Reporter:
    """Tells the callback every new point in the form that it wants, and keeps the points if asked to."""

    def __init__(self, callback: Callable[..., Any] | None, points: list[np.ndarray] | None) -> None:
        self.points = points
        self.stopped = False
        self._callback = callback
        self._wants_result = callback is not None and takes_result(callback)

    def __call__(self, x: np.ndarray, f: Any) -> bool:
        if self.points is not None:
            self.points.append(x)
        if self._callback is None:
            return False
        try:
            if self._wants_result:
                self._callback(intermediate_result=OptimizeResult(x=x.copy(), fun=f))
            else:
                self._callback(x.copy())
        except StopIteration:
            self.stopped = True
        return self.stopped


def takes_result(callback: Callable[..., Any]) -> bool:
    """Is its one parameter called ``intermediate_result``?"""
    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except ValueError:  # some built-in functions have no signature to look at
        return False


def finish(state: State, nfev: int, njev: int, limits: Limits, disp: bool, reporter: Reporter | None) -> OptimizeResult:
    """Name the reason for the end, say it aloud if asked, and put everything into a result."""
    status = state.status
    if status == SUCCESS:
        if state.nit >= limits.maxiter:
            status = TOO_MANY_ITERATIONS
        elif state.gnorm != state.gnorm or state.f != state.f or np.isnan(state.x.dot(state.x)):
            status = NAN
    if disp:
        if status == SUCCESS:
            print(MESSAGES[status])
        else:
            complain(MESSAGES[status])
        print(f"         Current function value: {state.f:f}")
        print(f"         Iterations: {state.nit:d}")
        print(f"         Function evaluations: {nfev:d}")
        print(f"         Gradient evaluations: {njev:d}")
    result = OptimizeResult(
        fun=state.f,
        jac=state.g,
        hess_inv=state.H,
        nfev=nfev,
        njev=njev,
        status=status,
        success=status == SUCCESS,
        message=MESSAGES[status],
        x=state.x,
        nit=state.nit,
    )
    if reporter is not None and reporter.points is not None:
        result["allvecs"] = reporter.points
    if reporter is not None and reporter.stopped:
        result.update(success=False, status=99, message="`callback` raised `StopIteration`.")
    return result


def warn_unknown(options: dict[str, Any]) -> None:
    """Warn of options that this method does not have."""
    if options:
        warnings.warn(f"Unknown solver options: {', '.join(map(str, options))}", kin(OptimizeWarning), stacklevel=4)


def check_positive_definite(matrix: Any) -> None:
    """Raise ValueError unless ``hess_inv0`` is None or symmetric and positive definite."""
    if matrix is None:
        return
    a = np.asarray(matrix)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"'hess_inv0' must be a square matrix; its shape is {a.shape}.")
    try:
        positive = bool((a == a.T).all()) and np.isfinite(np.linalg.cholesky(a)).all()
    except np.linalg.LinAlgError:
        positive = False
    if not positive:
        raise ValueError("'hess_inv0' matrix isn't positive definite.")
