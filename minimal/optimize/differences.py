"""Gradients without calculus: read here how finite differences pick their steps, and what each scheme costs.

    2-point   (f(x + h e_i) - f(x)) / h             n evaluations,  error ~ h
    3-point   (f(x + h e_i) - f(x - h e_i)) / 2h    2n evaluations, error ~ h^2
    cs        Im f(x + i h e_i) / h                 n evaluations of an f that takes complex numbers, no cancellation

The step must be small for the formula and large for the rounding: eps^(1/2), for 3-point eps^(1/3), times the size of x.
The steps and the order of all operations are those of ``scipy.optimize`` 1.17.1, so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["METHODS", "SQRT_EPS", "approx_fprime", "check_grad", "difference_quotients", "steps"]

METHODS = ("2-point", "3-point", "cs")
SQRT_EPS = np.sqrt(np.finfo(np.float64).eps)

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def relative_step(x_dtype: np.dtype[Any], f_dtype: np.dtype[Any], method: str) -> Any:
    """eps**(1/2) or eps**(1/3), with the eps of the coarser of the two float types (float64's for anything else)."""
    eps = np.finfo(np.float64).eps
    if np.issubdtype(x_dtype, np.inexact):
        eps = np.finfo(x_dtype).eps
        if np.issubdtype(f_dtype, np.inexact) and f_dtype.itemsize < x_dtype.itemsize:
            eps = np.finfo(f_dtype).eps
    return eps ** (1 / 3) if method == "3-point" else eps**0.5


def steps(x: np.ndarray, f0: np.ndarray, method: str, rel_step: Any = None, abs_step: Any = None) -> np.ndarray:
    """The step for each coordinate of ``x``.

    Parameters
    ----------
    x : ndarray of shape (n,)
    f0 : ndarray
        Only its dtype counts.
    method : {"2-point", "3-point", "cs"}
    rel_step, abs_step : float or array-like of shape (n,), optional
        A wish: relative to \\|x\\|, or absolute, which wins.  A coordinate that it would not move gets the default.

    Returns
    -------
    h : ndarray of shape (n,)
        The default is eps**(1/2) * max(1, \\|x\\|) with the sign of x (for "3-point" the cube root, and no sign).
    """
    if abs_step is not None:
        wished = abs_step
    elif rel_step is not None:
        wished = rel_step * ((x >= 0).astype(float) * 2 - 1) * np.abs(x)
    else:
        wished = None
    if wished is None or ((x + wished) - x == 0).any():
        sign = (x >= 0).astype(float) * 2 - 1
        default = relative_step(x.dtype, f0.dtype, method) * sign * np.maximum(1.0, np.abs(x))
        wished = default if wished is None else np.where((x + wished) - x == 0, default, wished)
    return np.abs(wished) if method == "3-point" else np.broadcast_to(wished, x.shape)


def _moved(x: np.ndarray, h: np.ndarray, method: str) -> Iterator[np.ndarray]:
    """The points at which the objective is needed, each in an array of its own."""
    for i in range(len(x)):
        if method == "cs":
            point = x.astype(complex)
            point[i] += h[i] * 1j
            yield point
            continue
        if method == "3-point":
            below = x.copy()
            below[i] = x[i] - h[i]
            yield below
        above = x.copy()
        above[i] = x[i] + h[i]
        yield above


def difference_quotients(
    fun: Callable[[np.ndarray], Any], x: np.ndarray, f0: Any, h: np.ndarray, method: str, workers: Map = map
) -> np.ndarray:
    """The derivatives of ``fun`` at ``x`` for the steps ``h``.

    Parameters
    ----------
    fun : callable ``fun(x) -> scalar or ndarray of shape (m,)``
        Called with arrays that it may keep or change.
    x, h : ndarray of shape (n,)
    f0 : scalar or ndarray of shape (m,)
        ``fun(x)``; used by "2-point" only.
    method : {"2-point", "3-point", "cs"}
    workers : map-like callable, optional
        ``workers(fun, points)``, for instance the ``map`` of a process pool.

    Returns
    -------
    ndarray of shape (n,) for a scalar function, else (m, n)
    """
    try:
        values = list(workers(fun, _moved(x, h, method)))
    except TypeError as error:
        if workers is map:
            raise
        raise TypeError("`workers` must be map-like, of the form workers(fun, iterable).") from error
    f = np.array(values)  # (n, m), or (2n, m) with lower and upper points in turn
    if f.ndim > 2:
        raise RuntimeError("`fun` returned an array of more than one dimension.")
    f = f.reshape(len(f), -1)
    if method == "cs":
        quotients = f.imag / h[:, None]
    elif method == "3-point":
        quotients = (f[1::2] - f[::2]) / ((x + h).astype(x.dtype) - (x - h).astype(x.dtype))[:, None]
    else:
        quotients = (f - np.atleast_1d(f0)) / ((x + h) - x)[:, None]
    quotients = quotients.astype(np.float64, copy=False)
    return quotients.ravel() if quotients.shape[1] == 1 else quotients.T


def approx_fprime(
    xk: npt.ArrayLike, f: Callable[..., Any], epsilon: float | npt.ArrayLike = SQRT_EPS, *args: Any
) -> np.ndarray:
    """Forward-difference derivatives of a scalar or vector function.

    f'(x)_i ~ (f(x + epsilon_i e_i) - f(x)) / epsilon_i

    Parameters
    ----------
    xk : array-like of shape (n,)
        Where.
    f : callable ``f(x, *args) -> scalar or array-like of shape (m,)``
    epsilon : float or array-like of shape (n,), default sqrt(float64's eps), about 1.49e-8
        The step, in the units of x.
    *args
        Passed on to ``f``.

    Returns
    -------
    ndarray of shape (n,), or (m, n) if ``f`` returns m values

    Raises
    ------
    ValueError
        If ``xk`` has more than one dimension.

    Notes
    -----
    Same bits as ``scipy.optimize.approx_fprime`` 1.17.1.
    """
    x = np.asarray(xk, float)
    f0 = np.atleast_1d(f(x, *args))
    x = np.atleast_1d(x)
    if x.ndim > 1:
        raise ValueError(f"`xk` must have at most 1 dimension; it has {x.ndim}.")
    if f0.ndim > 1:
        raise ValueError(f"`f` must return a scalar or an array of 1 dimension; it returned {f0.ndim} dimensions.")
    step = epsilon if np.isscalar(epsilon) else np.asarray(epsilon)
    h = steps(x, f0, "2-point", abs_step=step)
    return difference_quotients(lambda point: f(point, *args), x, f0, h, "2-point")


def check_grad(
    func: Callable[..., Any],
    grad: Callable[..., Any],
    x0: npt.ArrayLike,
    *args: Any,
    epsilon: float = SQRT_EPS,
    direction: str = "all",
    rng: Any = None,
) -> Any:
    """How far a gradient function is from forward differences: the 2-norm of the difference, near 1e-8 if all is well.

    Parameters
    ----------
    func : callable ``func(x, *args)``
    grad : callable ``grad(x, *args)``
        The derivative to check.
    x0 : array-like of shape (n,)
        Where.
    *args
        Passed on to both.
    epsilon : float, default sqrt(float64's eps)
        The step, in the units of x.
    direction : {"all", "random"}, default "all"
        Every coordinate, or one random direction (one evaluation instead of n; scalar functions only).
    rng : None, int or numpy.random.Generator
        For ``direction="random"``.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Unknown direction, or "random" with a function of more than one value.

    Notes
    -----
    Same bits as ``scipy.optimize.check_grad`` 1.17.1.
    """
    x = np.asarray(x0)
    if direction == "all":
        difference = grad(x, *args) - approx_fprime(x, func, epsilon, *args)
    elif direction == "random":
        gradient = np.asanyarray(grad(x, *args))
        if gradient.ndim > 1:
            raise ValueError('direction="random" needs a scalar function, whose gradient has one dimension.')
        v = np.random.default_rng(rng).standard_normal(size=x.shape)
        along = approx_fprime(np.zeros(1), lambda w: func(x + w * v, *args), epsilon)
        difference = np.dot(gradient, v) - along
    else:
        raise ValueError(f'direction must be "all" or "random". Got {direction!r} instead.')
    return np.sqrt(np.sum(np.abs(difference**2)))
