"""Races of L-BFGS-B without bounds: the same iterates, so what is raced is the price of everything around them.

With a plain Python objective most of a run is spent in the objective, on both sides; with a compiled one SciPy still calls it
from Python, ours does not.  ``two_loop`` trades the last bits for a cheaper direction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

import minimal.optimize
from benchmarks.frame import Agree, Race, case, close_attributes, same_attributes, sweep

METHOD = "L-BFGS-B"
SAME = same_attributes("x", "fun", "jac", "nit", "nfev", "njev", "status", "message")


def rosenbrock_2(x):
    return 100.0 * (x[1] - x[0] * x[0]) ** 2 + (1.0 - x[0]) ** 2


def rosenbrock_2_gradient(x):
    slope = x[1] - x[0] * x[0]
    return np.array([-400.0 * x[0] * slope - 2.0 * (1.0 - x[0]), 200.0 * slope])


def beale(x):
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b * b) ** 2 + (2.625 - a + a * b * b * b) ** 2


def beale_gradient(x):
    a, b = x[0], x[1]
    u, v, w = 1.5 - a + a * b, 2.25 - a + a * b * b, 2.625 - a + a * b * b * b
    first = u * (b - 1.0) + v * (b * b - 1.0) + w * (b * b * b - 1.0)
    return np.array([2.0 * first, 2.0 * u * a + 4.0 * v * a * b + 6.0 * w * a * b * b])


def chained(x):
    """Rosenbrock's valley in n variables, as a loop: for compiled objectives."""
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def chained_gradient(x):
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        slope = x[i + 1] - x[i] * x[i]
        g[i] -= 400.0 * x[i] * slope + 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * slope
    return g


def classic_start(n: int) -> np.ndarray:
    return np.tile([-1.2, 1.0], n // 2)


def race(
    fun: Callable[..., Any],
    x0: Any,
    agree: Agree = SAME,
    options: dict[str, Any] | None = None,
    **keywords: Any,
) -> Race:
    """``options`` are for ours alone."""
    return Race(
        ours=lambda: minimal.optimize.minimize(fun, x0, method=METHOD, options=options, **keywords),
        theirs=lambda: scipy.optimize.minimize(fun, x0, method=METHOD, **keywords),
        agree=agree,
    )


def compiled_race(n: int, agree: Agree = SAME, **options: Any) -> Race:
    from numba import njit

    fun, gradient = njit(chained), njit(chained_gradient)
    x0 = classic_start(n)
    fun(x0)
    gradient(x0)
    return race(fun, x0, agree, options, jac=gradient)


# ---------------------------------------------------------------- a plain Python objective


@case("L-BFGS-B", "Rosenbrock, 2 variables", job="gradient", against="SciPy", threads=(1,), quick=True, goal=2.5)
def lbfgs_rosenbrock_2() -> Race:
    return race(rosenbrock_2, [-1.2, 1.0], jac=rosenbrock_2_gradient)


@case("L-BFGS-B", "Beale, 2 variables", job="gradient", against="SciPy", threads=(1,), quick=True, goal=2.5)
def lbfgs_beale() -> Race:
    return race(beale, [1.0, 1.0], jac=beale_gradient)


@case(
    "L-BFGS-B", "Rosenbrock, 2 variables", job="finite differences", against="SciPy", threads=(1,), quick=True, goal=2.5
)
def lbfgs_rosenbrock_2_differences() -> Race:
    return race(rosenbrock_2, [-1.2, 1.0])


@case("L-BFGS-B", "Rosenbrock, 10 variables", job="gradient", against="SciPy", threads=(1,), quick=True)
def lbfgs_rosenbrock_10() -> Race:
    return race(scipy.optimize.rosen, classic_start(10), jac=scipy.optimize.rosen_der)


@case("L-BFGS-B", "Rosenbrock, 100 variables", job="gradient", against="SciPy", threads=(1,), quick=True)
def lbfgs_rosenbrock_100() -> Race:
    return race(scipy.optimize.rosen, classic_start(100), jac=scipy.optimize.rosen_der)


@case("L-BFGS-B", "quadratic, 10,000 variables", job="gradient", against="SciPy", threads=(1,))
def lbfgs_quadratic_10000() -> Race:
    curvatures = np.geomspace(1.0, 1e3, 10_000)
    return race(lambda x: 0.5 * float(x @ (curvatures * x)), np.ones(10_000), jac=lambda x: curvatures * x)


# ---------------------------------------------------------------- a compiled objective


@case("L-BFGS-B", "Rosenbrock, 2 variables", job="compiled", against="SciPy", threads=(1,), quick=True, goal=15)
def lbfgs_compiled_2() -> Race:
    return compiled_race(2)


@case("L-BFGS-B", "Rosenbrock, 10 variables", job="compiled", against="SciPy", threads=(1,), quick=True, goal=15)
def lbfgs_compiled_10() -> Race:
    return compiled_race(10)


@case("L-BFGS-B", "Rosenbrock, 100 variables", job="compiled", against="SciPy", threads=(1,), quick=True)
def lbfgs_compiled_100() -> Race:
    return compiled_race(100)


@case("L-BFGS-B", "Rosenbrock, 2 variables", job="compiled, two_loop", against="SciPy", threads=(1,), quick=True)
def lbfgs_compiled_2_two_loop() -> Race:
    return compiled_race(2, close_attributes(1e-8, "x"), two_loop=True)


@case("L-BFGS-B", "Rosenbrock, 10 variables", job="compiled, two_loop", against="SciPy", threads=(1,), quick=True)
def lbfgs_compiled_10_two_loop() -> Race:
    return compiled_race(10, close_attributes(1e-6, "x"), two_loop=True)


# ---------------------------------------------------------------- how time grows


@sweep(
    "L-BFGS-B", "Rosenbrock", job="gradient", against="SciPy", threads=(1,), sizes=(10, 100, 1000), counts="variables"
)
def lbfgs_by_variables(n: int) -> Race:
    return race(scipy.optimize.rosen, classic_start(n), jac=scipy.optimize.rosen_der)


@sweep(
    "L-BFGS-B", "Rosenbrock", job="compiled", against="SciPy", threads=(1,), sizes=(10, 100, 1000), counts="variables"
)
def lbfgs_compiled_by_variables(n: int) -> Race:
    return compiled_race(n)
