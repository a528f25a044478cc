"""Landscapes for optimizers: most are from Moré, Garbow and Hillstrom, "Testing Unconstrained Optimization Software" (1981).

Nearly all are sums of squares f(x) = sum r_i(x)^2, so a problem is its residuals r and their Jacobian J, and the gradient
is 2 J'r.  Everything is written so that Numba can compile it: ``problem.plain()`` gives (fun, gradient) in Python,
``problem.compiled()`` the same compiled.  Numbers such as "MGH 7" are the problem's number in that article.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Function = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Problem:
    """A sum of squares, where to start, and the lowest value if the start leads there (None: to other minima too)."""

    name: str
    residuals: Function
    jacobian: Function
    x0: tuple[float, ...]
    lowest: float | None = 0.0

    def plain(self) -> tuple[Function, Function]:
        return _sum_of_squares(self.residuals, self.jacobian)

    def compiled(self) -> tuple[Function, Function]:
        return _compiled(self)


def _sum_of_squares(residuals: Function, jacobian: Function) -> tuple[Function, Function]:
    def fun(x):
        total = 0.0
        for r in residuals(x):
            total += r * r
        return total

    def gradient(x):
        r, J = residuals(x), jacobian(x)
        g = np.zeros(J.shape[1])
        for i in range(J.shape[0]):
            g += 2.0 * r[i] * J[i]
        return g

    return fun, gradient


@cache
def _compiled(problem: Problem) -> tuple[Function, Function]:
    from numba import njit

    fun, gradient = _sum_of_squares(njit(problem.residuals), njit(problem.jacobian))
    return njit(fun), njit(gradient)


# ---------------------------------------------------------------- few variables


def beale_r(x):  # MGH 5
    return np.array([1.5 - x[0] * (1 - x[1]), 2.25 - x[0] * (1 - x[1] ** 2), 2.625 - x[0] * (1 - x[1] ** 3)])


def beale_J(x):
    return np.array(
        [[x[1] - 1.0, x[0]], [x[1] ** 2 - 1.0, 2.0 * x[0] * x[1]], [x[1] ** 3 - 1.0, 3.0 * x[0] * x[1] ** 2]]
    )


def himmelblau_r(x):
    return np.array([x[0] ** 2 + x[1] - 11.0, x[0] + x[1] ** 2 - 7.0])


def himmelblau_J(x):
    return np.array([[2.0 * x[0], 1.0], [1.0, 2.0 * x[1]]])


def freudenstein_roth_r(x):  # MGH 2
    return np.array(
        [-13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1], -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1]]
    )


def freudenstein_roth_J(x):
    return np.array([[1.0, 10.0 * x[1] - 3.0 * x[1] ** 2 - 2.0], [1.0, 3.0 * x[1] ** 2 + 2.0 * x[1] - 14.0]])


def powell_badly_scaled_r(x):  # MGH 3
    return np.array([1e4 * x[0] * x[1] - 1.0, math.exp(-x[0]) + math.exp(-x[1]) - 1.0001])


def powell_badly_scaled_J(x):
    return np.array([[1e4 * x[1], 1e4 * x[0]], [-math.exp(-x[0]), -math.exp(-x[1])]])


def brown_badly_scaled_r(x):  # MGH 4
    return np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0])


def brown_badly_scaled_J(x):
    return np.array([[1.0, 0.0], [0.0, 1.0], [x[1], x[0]]])


def helical_valley_r(x):  # MGH 7
    turns = math.atan2(x[1], x[0]) / (2.0 * math.pi)
    return np.array([10.0 * (x[2] - 10.0 * turns), 10.0 * (math.sqrt(x[0] ** 2 + x[1] ** 2) - 1.0), x[2]])


def helical_valley_J(x):
    q = x[0] ** 2 + x[1] ** 2
    radius = math.sqrt(q)
    c = 100.0 / (2.0 * math.pi * q)
    return np.array([[c * x[1], -c * x[0], 10.0], [10.0 * x[0] / radius, 10.0 * x[1] / radius, 0.0], [0.0, 0.0, 1.0]])


BARD_Y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard_r(x):  # MGH 8
    r = np.empty(15)
    for i in range(15):
        u, v = i + 1.0, 15.0 - i
        r[i] = BARD_Y[i] - (x[0] + u / (v * x[1] + min(u, v) * x[2]))
    return r


def bard_J(x):
    J = np.empty((15, 3))
    for i in range(15):
        u, v = i + 1.0, 15.0 - i
        w = min(u, v)
        d = v * x[1] + w * x[2]
        J[i, 0], J[i, 1], J[i, 2] = -1.0, u * v / d**2, u * w / d**2
    return J


def box_r(x):  # MGH 12, box three-dimensional
    r = np.empty(10)
    for i in range(10):
        t = 0.1 * (i + 1)
        r[i] = math.exp(-t * x[0]) - math.exp(-t * x[1]) - x[2] * (math.exp(-t) - math.exp(-10.0 * t))
    return r


def box_J(x):
    J = np.empty((10, 3))
    for i in range(10):
        t = 0.1 * (i + 1)
        J[i, 0], J[i, 1] = -t * math.exp(-t * x[0]), t * math.exp(-t * x[1])
        J[i, 2] = math.exp(-10.0 * t) - math.exp(-t)
    return J


def powell_singular_r(x):  # MGH 13: the Hessian is singular at the minimum
    return np.array(
        [
            x[0] + 10.0 * x[1],
            math.sqrt(5.0) * (x[2] - x[3]),
            (x[1] - 2.0 * x[2]) ** 2,
            math.sqrt(10.0) * (x[0] - x[3]) ** 2,
        ]
    )


def powell_singular_J(x):
    a, b = 2.0 * (x[1] - 2.0 * x[2]), 2.0 * math.sqrt(10.0) * (x[0] - x[3])
    root = math.sqrt(5.0)
    return np.array([[1.0, 10.0, 0.0, 0.0], [0.0, 0.0, root, -root], [0.0, a, -2.0 * a, 0.0], [b, 0.0, 0.0, -b]])


def wood_r(x):  # MGH 14
    return np.array(
        [
            10.0 * (x[1] - x[0] ** 2),
            1.0 - x[0],
            math.sqrt(90.0) * (x[3] - x[2] ** 2),
            1.0 - x[2],
            math.sqrt(10.0) * (x[1] + x[3] - 2.0),
            (x[1] - x[3]) / math.sqrt(10.0),
        ]
    )


def wood_J(x):
    a, b = math.sqrt(90.0), math.sqrt(10.0)
    return np.array(
        [
            [-20.0 * x[0], 10.0, 0.0, 0.0],
            [-1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -2.0 * a * x[2], a],
            [0.0, 0.0, -1.0, 0.0],
            [0.0, b, 0.0, b],
            [0.0, 1.0 / b, 0.0, -1.0 / b],
        ]
    )


KOWALIK_Y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_osborne_r(x):  # MGH 15
    r = np.empty(11)
    for i in range(11):
        u = KOWALIK_U[i]
        r[i] = KOWALIK_Y[i] - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3])
    return r


def kowalik_osborne_J(x):
    J = np.empty((11, 4))
    for i in range(11):
        u = KOWALIK_U[i]
        above, below = u * u + u * x[1], u * u + u * x[2] + x[3]
        J[i, 0], J[i, 1] = -above / below, -x[0] * u / below
        J[i, 3] = x[0] * above / below**2
        J[i, 2] = u * J[i, 3]
    return J


def brown_dennis_r(x):  # MGH 16
    r = np.empty(20)
    for i in range(20):
        t = (i + 1) / 5.0
        r[i] = (x[0] + t * x[1] - math.exp(t)) ** 2 + (x[2] + x[3] * math.sin(t) - math.cos(t)) ** 2
    return r


def brown_dennis_J(x):
    J = np.empty((20, 4))
    for i in range(20):
        t = (i + 1) / 5.0
        a, b = 2.0 * (x[0] + t * x[1] - math.exp(t)), 2.0 * (x[2] + x[3] * math.sin(t) - math.cos(t))
        J[i, 0], J[i, 1], J[i, 2], J[i, 3] = a, a * t, b, b * math.sin(t)
    return J


def biggs_r(x):  # MGH 18, EXP6
    r = np.empty(13)
    for i in range(13):
        t = 0.1 * (i + 1)
        y = math.exp(-t) - 5.0 * math.exp(-10.0 * t) + 3.0 * math.exp(-4.0 * t)
        r[i] = x[2] * math.exp(-t * x[0]) - x[3] * math.exp(-t * x[1]) + x[5] * math.exp(-t * x[4]) - y
    return r


def biggs_J(x):
    J = np.empty((13, 6))
    for i in range(13):
        t = 0.1 * (i + 1)
        a, b, c = math.exp(-t * x[0]), math.exp(-t * x[1]), math.exp(-t * x[4])
        J[i, 0], J[i, 1], J[i, 2] = -t * x[2] * a, t * x[3] * b, a
        J[i, 3], J[i, 4], J[i, 5] = -b, -t * x[5] * c, c
    return J


# ---------------------------------------------------------------- any number of variables


def rosenbrock_r(x):  # MGH 1 in two variables; beyond, the chained form of scipy.optimize.rosen
    n = len(x)
    r = np.empty(2 * n - 2)
    for i in range(n - 1):
        r[2 * i] = 10.0 * (x[i + 1] - x[i] ** 2)
        r[2 * i + 1] = 1.0 - x[i]
    return r


def rosenbrock_J(x):
    n = len(x)
    J = np.zeros((2 * n - 2, n))
    for i in range(n - 1):
        J[2 * i, i], J[2 * i, i + 1] = -20.0 * x[i], 10.0
        J[2 * i + 1, i] = -1.0
    return J


def ill_conditioned_r(x):  # a quadratic whose Hessian's condition number is 1e8
    n = len(x)
    r = np.empty(n)
    for i in range(n):
        r[i] = 10.0 ** (4.0 * i / (n - 1)) * (x[i] - 1.0)
    return r


def ill_conditioned_J(x):
    n = len(x)
    J = np.zeros((n, n))
    for i in range(n):
        J[i, i] = 10.0 ** (4.0 * i / (n - 1))
    return J


def penalty_r(x):  # MGH 23, penalty function I
    n = len(x)
    r = np.empty(n + 1)
    r[n] = -0.25
    for i in range(n):
        r[i] = math.sqrt(1e-5) * (x[i] - 1.0)
        r[n] += x[i] ** 2
    return r


def penalty_J(x):
    n = len(x)
    J = np.zeros((n + 1, n))
    for i in range(n):
        J[i, i], J[n, i] = math.sqrt(1e-5), 2.0 * x[i]
    return J


def variably_dimensioned_r(x):  # MGH 25
    n = len(x)
    r = np.empty(n + 2)
    total = 0.0
    for i in range(n):
        r[i] = x[i] - 1.0
        total += (i + 1) * (x[i] - 1.0)
    r[n], r[n + 1] = total, total**2
    return r


def variably_dimensioned_J(x):
    n = len(x)
    J = np.zeros((n + 2, n))
    total = 0.0
    for i in range(n):
        total += (i + 1) * (x[i] - 1.0)
    for i in range(n):
        J[i, i], J[n, i], J[n + 1, i] = 1.0, i + 1.0, 2.0 * total * (i + 1)
    return J


def trigonometric_r(x):  # MGH 26
    n = len(x)
    r = np.empty(n)
    total = 0.0
    for j in range(n):
        total += math.cos(x[j])
    for i in range(n):
        r[i] = n - total + (i + 1) * (1.0 - math.cos(x[i])) - math.sin(x[i])
    return r


def trigonometric_J(x):
    n = len(x)
    J = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            J[i, j] = math.sin(x[j])
        J[i, i] += (i + 1) * math.sin(x[i]) - math.cos(x[i])
    return J


def broyden_tridiagonal_r(x):  # MGH 30
    n = len(x)
    r = np.empty(n)
    for i in range(n):
        r[i] = (3.0 - 2.0 * x[i]) * x[i] + 1.0
        if i > 0:
            r[i] -= x[i - 1]
        if i < n - 1:
            r[i] -= 2.0 * x[i + 1]
    return r


def broyden_tridiagonal_J(x):
    n = len(x)
    J = np.zeros((n, n))
    for i in range(n):
        J[i, i] = 3.0 - 4.0 * x[i]
        if i > 0:
            J[i, i - 1] = -1.0
        if i < n - 1:
            J[i, i + 1] = -2.0
    return J


def rosenbrock(n: int) -> Problem:
    """From the classic start (-1.2, 1), repeated."""
    return Problem(f"rosenbrock {n}", rosenbrock_r, rosenbrock_J, tuple((-1.2, 1.0)[i % 2] for i in range(n)), None)


def ill_conditioned(n: int) -> Problem:
    return Problem(f"ill-conditioned quadratic {n}", ill_conditioned_r, ill_conditioned_J, (0.0,) * n)


PROBLEMS = (
    rosenbrock(2),
    rosenbrock(10),
    Problem("beale", beale_r, beale_J, (1.0, 1.0)),
    Problem("himmelblau", himmelblau_r, himmelblau_J, (0.0, 0.0)),
    Problem("freudenstein-roth", freudenstein_roth_r, freudenstein_roth_J, (0.5, -2.0), None),
    Problem("powell badly scaled", powell_badly_scaled_r, powell_badly_scaled_J, (0.0, 1.0), None),
    Problem("brown badly scaled", brown_badly_scaled_r, brown_badly_scaled_J, (1.0, 1.0), None),
    Problem("helical valley", helical_valley_r, helical_valley_J, (-1.0, 0.0, 0.0)),
    Problem("bard", bard_r, bard_J, (1.0, 1.0, 1.0), 8.21487e-3),
    Problem("box", box_r, box_J, (0.0, 10.0, 20.0)),
    Problem("powell singular", powell_singular_r, powell_singular_J, (3.0, -1.0, 0.0, 1.0)),
    Problem("wood", wood_r, wood_J, (-3.0, -1.0, -3.0, -1.0)),
    Problem("kowalik-osborne", kowalik_osborne_r, kowalik_osborne_J, (0.25, 0.39, 0.415, 0.39), 3.07505e-4),
    Problem("brown-dennis", brown_dennis_r, brown_dennis_J, (25.0, 5.0, -5.0, -1.0), 85822.2),
    Problem("biggs", biggs_r, biggs_J, (1.0, 2.0, 1.0, 1.0, 1.0, 1.0), None),
    ill_conditioned(6),
    Problem("penalty", penalty_r, penalty_J, (1.0, 2.0, 3.0, 4.0), 2.24997e-5),
    Problem(
        "variably dimensioned",
        variably_dimensioned_r,
        variably_dimensioned_J,
        tuple(1.0 - (i + 1) / 8 for i in range(8)),
    ),
    Problem("trigonometric", trigonometric_r, trigonometric_J, (0.2,) * 5, None),
    Problem("broyden tridiagonal", broyden_tridiagonal_r, broyden_tridiagonal_J, (-1.0,) * 7, None),
)
LARGE = (rosenbrock(30), rosenbrock(100), ill_conditioned(40))
BY_NAME = {problem.name: problem for problem in (*PROBLEMS, *LARGE)}
