"""Races of BFGS: the same objective, in Python or compiled, minimized by us and by SciPy, iterate for iterate.

The objective's own time counts on both sides, so a ratio says how much of the whole one waits less: with a costly objective
there is less to win.  Compiled objectives are compiled for SciPy as well, which calls them from Python.

Numba is loaded here from the start, as it is in any program that has used a compiled kernel: then the update of the inverse
Hessian runs compiled even where the objective is Python.  In a program that has not loaded it, minimizing a Python function
does not load it either, and the ratios for 2, 5, 10 and 100 variables are about 2.7, 2.3, 2.2 and 1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import scipy.optimize
from numba import njit

import minimal.optimize
from benchmarks.frame import Disagreement, Race, case, same_attributes, sweep

FIELDS = ("x", "fun", "jac", "hess_inv", "nit", "nfev", "njev", "status", "message")


def banana(x: np.ndarray) -> float:
    """Rosenbrock's function of two variables, as one would write it."""
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


def banana_gradient(x: np.ndarray) -> np.ndarray:
    off = x[1] - x[0] ** 2
    return np.array([-400.0 * x[0] * off - 2.0 * (1.0 - x[0]), 200.0 * off])


def valley(x: np.ndarray) -> float:
    """Rosenbrock's function of any number of variables, in NumPy."""
    off, rest = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
    return 100.0 * off.dot(off) + rest.dot(rest)


def valley_gradient(x: np.ndarray) -> np.ndarray:
    off = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] = 200.0 * off
    gradient[:-1] -= 400.0 * x[:-1] * off + 2.0 * (1.0 - x[:-1])
    return gradient


def valley_loop(x: np.ndarray) -> float:
    """The same as a loop, to be compiled."""
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def valley_gradient_loop(x: np.ndarray) -> np.ndarray:
    gradient = np.zeros_like(x)
    for i in range(x.size - 1):
        off = x[i + 1] - x[i] ** 2
        gradient[i] += -400.0 * x[i] * off - 2.0 * (1.0 - x[i])
        gradient[i + 1] += 200.0 * off
    return gradient


@cache
def compiled() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return njit(valley_loop), njit(valley_gradient_loop)


def start(n: int) -> np.ndarray:
    return np.where(np.arange(n) % 2, 1.0, -1.2)


def race(fun: Any, jac: Any, n: int) -> Race:
    x0 = start(n)
    return Race(
        ours=lambda: minimal.optimize.minimize(fun, x0, jac=jac, method="BFGS"),
        theirs=lambda: scipy.optimize.minimize(fun, x0, jac=jac, method="BFGS"),
        agree=same_attributes(*FIELDS),
    )


# ---------------------------------------------------------------- an objective in Python


@case("minimize", "2 variables", job="BFGS, objective in Python", against="SciPy", goal=2.5, quick=True, threads=(1,))
def bfgs_python_2() -> Race:
    return race(banana, banana_gradient, 2)


@case("minimize", "2 variables", job="BFGS, differences in Python", against="SciPy", goal=2.5, quick=True, threads=(1,))
def bfgs_differences_2() -> Race:
    return race(banana, None, 2)


@case("minimize", "5 variables", job="BFGS, objective in Python", against="SciPy", goal=2.5, threads=(1,))
def bfgs_python_5() -> Race:
    return race(valley, valley_gradient, 5)


@case("minimize", "10 variables", job="BFGS, objective in Python", against="SciPy", goal=2.5, quick=True, threads=(1,))
def bfgs_python_10() -> Race:
    return race(valley, valley_gradient, 10)


@case("minimize", "100 variables", job="BFGS, objective in Python", against="SciPy", goal=1.3)
def bfgs_python_100() -> Race:
    return race(valley, valley_gradient, 100)


# ---------------------------------------------------------------- a compiled objective


@case("minimize", "2 variables", job="BFGS, compiled objective", against="SciPy", goal=50.0, quick=True, threads=(1,))
def bfgs_compiled_2() -> Race:
    return race(*compiled(), 2)


@case("minimize", "2 variables", job="BFGS, compiled differences", against="SciPy", goal=50.0, quick=True, threads=(1,))
def bfgs_compiled_differences_2() -> Race:
    return race(compiled()[0], None, 2)


@case("minimize", "10 variables", job="BFGS, compiled objective", against="SciPy", goal=15.0, quick=True, threads=(1,))
def bfgs_compiled_10() -> Race:
    return race(*compiled(), 10)


@case("minimize", "10 variables", job="BFGS, compiled differences", against="SciPy", goal=15.0, threads=(1,))
def bfgs_compiled_differences_10() -> Race:
    return race(compiled()[0], None, 10)


@case("minimize", "100 variables", job="BFGS, compiled objective", against="SciPy", goal=1.3)
def bfgs_compiled_100() -> Race:
    return race(*compiled(), 100)


def same_minimum(ours: Any, theirs: Any) -> str:
    """The rank-two update rounds differently: both must find the minimum, by ways that part."""
    for name, result in (("ours", ours), ("theirs", theirs)):
        if not result.success or not np.abs(valley_gradient(result.x)).max() <= 1e-5:
            raise Disagreement(f"{name} did not reach a minimum: {result.message}")
    distance = np.abs(ours.x - theirs.x).max()
    if not distance <= 1e-4:
        raise Disagreement(f"the minima are {distance:.1e} apart")
    return "same minimum"


@case("minimize", "100 variables", job="BFGS, rank-two update", against="SciPy", goal=1.3)
def bfgs_rank_two_100() -> Race:
    x0 = np.full(100, 0.9)
    return Race(
        ours=lambda: minimal.optimize.minimize(valley, x0, jac=valley_gradient, options={"rank_two": True}),
        theirs=lambda: scipy.optimize.minimize(valley, x0, jac=valley_gradient, method="BFGS"),
        agree=same_minimum,
    )


@sweep(
    "minimize",
    "BFGS, objective in Python",
    against="SciPy",
    sizes=(2, 5, 10, 30, 100),
    counts="variables",
    threads=(1,),
)
def bfgs_by_variables(n: int) -> Race:
    return race(valley, valley_gradient, n)


@sweep(
    "minimize", "BFGS, compiled objective", against="SciPy", sizes=(2, 5, 10, 30, 100), counts="variables", threads=(1,)
)
def bfgs_compiled_by_variables(n: int) -> Race:
    return race(*compiled(), n)
