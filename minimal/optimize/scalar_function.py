"""The objective and its gradient as optimizers see them: counted, remembered at the last point, differentiated if need be.

An optimizer asks for f(x), then perhaps for its gradient at the same x, then moves on.  So one point is remembered, and an
evaluation is made (and counted) only when x has changed.  The counts are SciPy's: asking again at an equal point is free,
a point with NaN is equal to nothing, and finite differences count as evaluations of f as well as one of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.optimize.differences import METHODS, Map, difference_quotients, steps

__all__ = ["FunctionAndGradient", "ScalarFunction", "as_map", "as_scalar"]


def as_scalar(value: Any) -> Any:
    """``value``, or the one number that an array holds.

    Raises
    ------
    ValueError
        If it holds none or several.
    TypeError
        If it cannot be compared: complex, None, text.
    """
    if not np.isscalar(value):
        try:
            value = np.asarray(value).item()
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The objective function must return a scalar value; it returned shape {np.shape(value)}."
            ) from error
    try:
        value < np.inf  # noqa: B015
    except TypeError as error:
        raise TypeError(
            f"The objective function must return a real number; it returned {type(value).__name__}."
        ) from error
    return value


def as_map(workers: Any) -> Map:
    """The map with which finite differences are evaluated: the built-in one for None and 1, else the given callable.

    Raises
    ------
    ValueError
        For a number of processes: only the caller can start (and stop) a pool once for the whole run.
    """
    if callable(workers):
        return workers
    if workers is None or workers == 1:
        return map
    raise ValueError(
        f"workers={workers!r}: pass a map-like callable, for instance the `map` of a multiprocessing.Pool({workers!r}) "
        "that you open for the whole run; a bare number would start a new pool for every gradient."
    )


class FunctionAndGradient:
    """Split one function that returns (value, gradient) in two, and call it once for each point (``jac=True``).

    The object itself, called, is the value; its method :meth:`gradient` is the gradient.

    Parameters
    ----------
    fun : callable ``fun(x, *args) -> (float, ndarray of shape (n,))``
    """

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun
        self.x: Any = None
        self.pair: tuple[Any, Any] | None = None

    def _at(self, x: np.ndarray, args: tuple[Any, ...]) -> tuple[Any, Any]:
        if self.pair is None or not np.all(x == self.x):
            self.x = np.array(x)
            value, gradient = self.fun(x, *args)[:2]
            self.pair = value, gradient
        return self.pair

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        return self._at(x, args)[0]

    def gradient(self, x: np.ndarray, *args: Any) -> Any:
        """The gradient at ``x``, as ``fun`` returned it."""
        return self._at(x, args)[1]


class ScalarFunction:
    """A scalar function of n variables with its gradient, evaluated once at ``x0`` when it is made.

    Parameters
    ----------
    fun : callable ``fun(x, *args) -> float``
    x0 : ndarray of shape (n,)
        Its dtype, if floating, is that of every x handed to ``fun``; otherwise float64.
    args : tuple
    jac : callable, "2-point", "3-point", "cs" or None
        None means "2-point" with the absolute step ``eps``.
    eps : float or array-like of shape (n,)
        Used only if ``jac`` is None.
    finite_diff_rel_step : float or array-like of shape (n,), optional
        Used only if ``jac`` names a scheme.
    workers : map-like callable, optional
        Evaluates finite differences.

    Attributes
    ----------
    x, f, g : the last point, and value and gradient there (as the user's functions returned them)
    nfev, ngev : int
        Evaluations of ``fun`` and of the gradient so far.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        x0: np.ndarray,
        args: tuple[Any, ...] = (),
        jac: Any = None,
        eps: Any = None,
        finite_diff_rel_step: Any = None,
        workers: Any = None,
    ) -> None:
        self._fun = fun
        self._args = args
        self._gradient = self._call_gradient if callable(jac) else self._difference
        self._jac = jac
        if not callable(jac):
            self._method = jac if jac in METHODS else "2-point"
            self._abs_step = None if jac in METHODS else _scalar_or_array(eps)
            self._rel_step = _scalar_or_array(finite_diff_rel_step)
            self._map = as_map(workers)
        self._dtype = x0.dtype if x0.dtype.kind == "f" else np.dtype(np.float64)
        self.nfev = self.ngev = 0
        self.f: Any = None
        self._first: Any = None
        self._move(x0)
        self._update_f()
        self._update_g()

    def fun(self, x: np.ndarray) -> Any:
        """The value at ``x``."""
        if not self._is_here(x):
            self._move(x)
        if not self._has_f:
            self._update_f()
        return self.f

    def grad(self, x: np.ndarray) -> np.ndarray:
        """The gradient at ``x``, an array of one dimension."""
        if not self._is_here(x):
            self._move(x)
        if not self._has_g:
            self._update_g()
        return self.g

    def fun_and_grad(self, x: np.ndarray) -> tuple[Any, np.ndarray]:
        """Both at ``x``."""
        if not self._is_here(x):
            self._move(x)
        if not self._has_f:
            self._update_f()
        if not self._has_g:
            self._update_g()
        return self.f, self.g

    def fun_then_grad(self, x: np.ndarray) -> tuple[Any, np.ndarray]:
        """``fun(x)``, then ``grad(x)``: what a line search asks for.  ``x`` belongs to this object from now on.

        Not the same as ``fun_and_grad`` where x is equal to nothing, not even itself (NaN, or rounded to float32).
        """
        squares = x.dot(x)
        known = x.item(0) == self._first and self._is_here(x)
        if known or squares != squares or x.dtype is not self._dtype:
            return self.fun(x), self.grad(x)
        self.x, self._first = x, x.item(0)  # a new point, the common case: no copy, no second look
        self._has_f = self._has_g = False
        self._update_f()
        self._update_g()
        return self.f, self.g

    def _is_here(self, x: np.ndarray) -> bool:
        # The first coordinate tells most points apart, at a tenth of the price.
        return x.item(0) == self._first and len(x) == len(self.x) and bool((x == self.x).all())

    def _move(self, x: np.ndarray) -> None:
        self.x = x.astype(self._dtype)  # a copy: the caller may go on writing into x
        self._first = self.x.item(0)
        self._has_f = self._has_g = False

    def _update_f(self) -> None:
        self.nfev += 1
        self.f = self._value(self.x)
        self._has_f = True

    def _value(self, x: np.ndarray) -> Any:
        value = self._fun(x.copy(), *self._args)  # a copy: the user may write into it
        kind = type(value)
        return value if kind is float or kind is np.float64 else as_scalar(value)

    def _update_g(self) -> None:
        self.ngev += 1
        self.g = self._gradient()
        self._has_g = True

    def _call_gradient(self) -> np.ndarray:
        g = self._jac(self.x.copy(), *self._args)
        return g if type(g) is np.ndarray and g.ndim else np.atleast_1d(g)

    def _difference(self) -> np.ndarray:
        if not self._has_f:
            self._update_f()
        x = self.x
        f0 = np.atleast_1d(self.f)
        h = steps(x, f0, self._method, self._rel_step, self._abs_step)
        self.nfev += 2 * len(x) if self._method == "3-point" else len(x)
        return difference_quotients(self._value_at, x, f0, h, self._method, self._map)

    def _value_at(self, x: np.ndarray) -> Any:
        value = self._fun(x, *self._args)
        return value if type(value) is float or type(value) is np.float64 else as_scalar_or_complex(value)


def _scalar_or_array(step: Any) -> Any:
    # A Python float must stay one: beside a float32 x it computes in float32, as NumPy's promotion rules say.
    return step if step is None or np.isscalar(step) else np.asarray(step)


def as_scalar_or_complex(value: Any) -> Any:
    """Like :func:`as_scalar`, but "cs" needs complex values."""
    return value if np.iscomplexobj(value) and np.ndim(value) == 0 else as_scalar(value)
