"""``minimize``: one door to both optimizers, with SciPy's parameters; and ``fmin_bfgs``, the older door to BFGS."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from minimal.optimize.bfgs import minimize_bfgs
from minimal.optimize.differences import METHODS as SCHEMES
from minimal.optimize.differences import SQRT_EPS
from minimal.optimize.lbfgs import minimize_lbfgsb
from minimal.optimize.result import OptimizeResult
from minimal.optimize.scalar_function import FunctionAndGradient

__all__ = ["fmin_bfgs", "minimize"]

METHODS = ("BFGS", "L-BFGS-B")


def minimize(
    fun: Callable[..., Any],
    x0: npt.ArrayLike,
    args: Any = (),
    method: str | None = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """Minimize a scalar function of one or more variables.

    Parameters
    ----------
    fun : callable ``fun(x, *args) -> float``
        The objective; with ``jac=True`` it returns ``(float, gradient)``.
    x0 : array-like of shape (n,)
        Where to begin.
    args : tuple
        Passed on to ``fun`` and ``jac``.
    method : {"BFGS", "L-BFGS-B"}, default "BFGS"
        In any case of letters.
    jac : callable, True, "2-point", "3-point", "cs" or None
        The gradient ``jac(x, *args)``; True if ``fun`` returns it too; a finite-difference scheme with relative steps; or
        None for "2-point" with the absolute step ``eps``.
    hess, hessp, constraints : ignored with a RuntimeWarning
        As no method here uses them.
    bounds : None
        Bounds are not there yet: NotImplementedError for "L-BFGS-B", ignored with a RuntimeWarning for "BFGS".
    tol : float, optional
        Default for ``gtol`` (and ``ftol`` of "L-BFGS-B").
    callback : callable, optional
        Called after each iteration: as ``callback(intermediate_result=OptimizeResult(x=..., fun=...))`` if that is the
        name of its one parameter, else as ``callback(xk)``.  ``StopIteration`` ends the run with status 99.
    options : dict, optional
        For "BFGS":

        gtol : float, default 1e-5
            Stop when the gradient's norm is at most this; ``norm`` (default inf) is the norm's order.
        xrtol : float, default 0
            Stop when the step is at most ``xrtol (xrtol + \\|x\\|)`` long.
        maxiter : int, default 200 n
        c1, c2 : float, default 1e-4 and 0.9
            Constants of the line search, 0 < c1 < c2 < 1.
        hess_inv0 : array-like of shape (n, n), default the identity
            The first inverse Hessian; positive definite.
        eps, finite_diff_rel_step : float or array-like of shape (n,)
            Steps of finite differences: absolute, for ``jac=None``; relative, for the named schemes.
        workers : map-like callable
            Evaluates finite differences, for instance the ``map`` of a process pool.
        return_all : bool
            Keep all points in ``result.allvecs``.
        disp : bool
            Print a summary.
        rank_two : bool, default False
            Not in SciPy: update the inverse Hessian in O(n^2) instead of O(n^3) operations.  Much faster from some fifty
            variables on; the last bits differ, so long runs drift away from SciPy's.

        For "L-BFGS-B": see :func:`minimal.optimize.lbfgs.minimize_lbfgsb`.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    ValueError
        An unknown method; an x0 that is empty or has more than one dimension; an objective that returns no scalar; a
        gradient of another shape than x0; constants or a ``hess_inv0`` out of their range.
    TypeError
        An x0 of objects, with "BFGS".
    NotImplementedError
        ``bounds`` with "L-BFGS-B".

    Warns
    -----
    OptimizeWarning
        Unknown options; with ``disp``, an end without success.

    Notes
    -----
    Iterates, counts and messages are those of ``scipy.optimize.minimize`` 1.17.1, bit for bit.

    **Compiled objectives.**  If ``fun`` (and ``jac``, if it is a function) are compiled by Numba's ``njit``, take a float64
    vector and return a float64 (a float64 vector), and the engine is ``"numba"``, then the whole of BFGS runs compiled, with
    the same bits, some fifty times as fast as SciPy in few dimensions.  The driver is compiled once for all objectives and
    kept on disk (once more for each new combination of the types of ``args``); it calls yours by its address.  Only the
    Python driver, which calls the compiled functions one by one, can handle a callback, ``return_all``, ``jac=True``,
    ``jac="cs"``, ``workers``, ``rank_two``, other orders of ``norm`` than 2 and inf, and an x0 that is not float64; it is
    used then.  A compiled run cannot be interrupted from the keyboard.  The bits are NumPy's because its own BLAS is called;
    where NumPy is not linked to OpenBLAS with 64-bit integers, the level is rounding.

    "L-BFGS-B" runs compiled as well; :func:`minimal.optimize.lbfgs.minimize_lbfgsb` tells when.

    Differs from the reference when the callback changes the x in its ``intermediate_result``: here that is a copy.
    Warnings of NumPy about overflow or invalid values in the optimizer's own arithmetic may be missing.  The last
    bits differ with ``rank_two``; what differs for "L-BFGS-B" is listed in :func:`minimal.optimize.lbfgs.minimize_lbfgsb`.
    """
    name = _method(method, bounds)
    x0 = np.asarray(x0)
    if x0.ndim == 1 and x0.dtype == object and name == "BFGS":
        raise TypeError("'x0' is an array of objects. Convert it to numbers first: np.asarray(x0, dtype=float).")
    if x0.ndim == 0:
        x0 = x0.reshape(1)
    if x0.ndim != 1:
        raise ValueError(f"'x0' must only have one dimension; it has {x0.ndim}.")
    if x0.dtype.kind in "bi":
        x0 = x0.astype(float)
    if not isinstance(args, tuple):
        args = (args,)
    options = dict(options or {})
    _warn_of_unused(name, hess, hessp, bounds, constraints, options)
    if jac is True:
        both = FunctionAndGradient(fun)
        fun, jac = both, both.gradient
    elif not callable(jac) and jac not in SCHEMES:
        jac = None
    if tol is not None:
        options.setdefault("gtol", tol)
        if name == "L-BFGS-B":
            options.setdefault("ftol", tol)
    if name == "BFGS":
        return minimize_bfgs(fun, x0, args, jac, callback, **options)
    return minimize_lbfgsb(fun, x0, args, jac, bounds, callback=callback, **options)


def _method(method: Any, bounds: Any) -> str:
    if method is None:
        return "BFGS" if bounds is None else "L-BFGS-B"
    for name in METHODS:
        if isinstance(method, str) and method.upper() == name:
            return name
    raise ValueError(f"Unknown solver {method!r}. There are: {', '.join(METHODS)}.")


def _warn_of_unused(name: str, hess: Any, hessp: Any, bounds: Any, constraints: Any, options: dict[str, Any]) -> None:
    complaints = []
    if hess is not None:
        complaints.append("does not use Hessian information (hess)")
    if hessp is not None:
        complaints.append("does not use Hessian-vector product information (hessp)")
    if constraints != () and np.any(constraints):
        complaints.append("cannot handle constraints")
    if bounds is not None and name == "BFGS":
        complaints.append("cannot handle bounds")
    if name != "BFGS" and options.get("return_all"):
        complaints.append("does not support the return_all option")
    for complaint in complaints:
        warnings.warn(f"Method {name} {complaint}.", RuntimeWarning, stacklevel=3)


def fmin_bfgs(
    f: Callable[..., Any],
    x0: npt.ArrayLike,
    fprime: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    gtol: float = 1e-5,
    norm: float = np.inf,
    epsilon: Any = SQRT_EPS,
    maxiter: int | None = None,
    full_output: bool = False,
    disp: bool = True,
    retall: bool = False,
    callback: Callable[..., Any] | None = None,
    xrtol: float = 0,
    c1: float = 1e-4,
    c2: float = 0.9,
    hess_inv0: npt.ArrayLike | None = None,
) -> Any:
    """Minimize by BFGS: :func:`minimize` in the form of older programs.

    Parameters
    ----------
    f, fprime : callable ``f(x, *args)``
        The objective and its gradient (None: forward differences with the step ``epsilon``).
    x0 : array-like
        Where to begin; flattened.
    full_output, retall : bool
        What to return.
    disp : bool, default True
        Print a summary, or warn of an end without success.
    args, gtol, norm, epsilon, maxiter, callback, xrtol, c1, c2, hess_inv0
        As in :func:`minimize` (``epsilon`` is ``eps`` there).

    Returns
    -------
    x : ndarray of shape (n,)
        Alone, or, with ``full_output``, followed by f(x), the gradient, the inverse Hessian, the numbers of evaluations of
        f and of the gradient, and the status (0 success, 1 too many iterations, 2 precision loss, 3 NaN).  With ``retall``
        the list of all points comes last.

    Raises
    ------
    ValueError
        As :func:`minimize`.

    Warns
    -----
    OptimizeWarning
        With ``disp``, an end without success.

    Notes
    -----
    Same bits as ``scipy.optimize.fmin_bfgs`` 1.17.1.
    """
    result = minimize_bfgs(
        f,
        x0,
        args,
        fprime,
        callback,
        gtol=gtol,
        norm=norm,
        eps=epsilon,
        maxiter=maxiter,
        disp=disp,
        return_all=retall,
        xrtol=xrtol,
        c1=c1,
        c2=c2,
        hess_inv0=hess_inv0,
    )
    wanted = ("x", "fun", "jac", "hess_inv", "nfev", "njev", "status") if full_output else ("x",)
    outputs = tuple(result[name] for name in wanted) + ((result.allvecs,) if retall else ())
    return outputs if len(outputs) > 1 else outputs[0]
