"""The Newton solvers on small functions whose course is known, and how they judge a system of equations."""

from __future__ import annotations

import numpy as np
import pytest

import minimal
from minimal.exceptions import ConvergenceWarning, LinAlgWarning
from minimal.linear_model.logistic_objective import BinaryObjective
from minimal.linear_model.newton import LBFGS_FTOL, conjugate_gradients, newton_cg, newton_cholesky, solve_and_judge
from minimal.optimize.lbfgs import lbfgs

COMPONENT = "LogisticRegression"


class OneVariable:
    """An Objective from f, f' and f'' of one variable, which remembers where it was asked."""

    def __init__(self, f, slope, curvature, trusted=True):
        self.f, self.slope, self.curvature, self.trusted = f, slope, curvature, trusted
        self.asked = []

    def loss_gradient(self, x):
        self.asked.append(float(x[0]))
        return float(self.f(x[0])), np.array([self.slope(x[0])])

    def descent(self):
        return None

    def hessian_product(self, x):
        h = self.curvature(x[0])
        return lambda v: h * v

    def hessian(self, x):
        return np.array([[self.curvature(x[0])]]), self.trusted

    def fixed(self):
        return np.zeros(1, dtype=bool)

    def settle(self, coef, *, symmetric):
        return coef


def hyperbola():
    """sqrt(1 + x**2): Newton's step from x goes to -x**3, too far for |x| > 1."""
    return OneVariable(lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x), lambda x: (1 + x * x) ** -1.5)


def two_valleys():
    """x**4 / 4 - x**2 / 2: curved the wrong way around 0, minima at -1 and 1."""
    return OneVariable(lambda x: x**4 / 4 - x * x / 2, lambda x: x**3 - x, lambda x: 3 * x * x - 1)


SETTINGS = {"tol": 1e-10, "max_iter": 100}
EPS = 16 * np.finfo(float).eps


def test_a_parabola_takes_one_step():
    parabola = OneVariable(lambda x: (x - 3) ** 2, lambda x: 2 * (x - 3), lambda x: 2.0)
    x, n_iter = newton_cg(parabola, np.zeros(1), **SETTINGS)
    assert x == pytest.approx([3.0])
    assert n_iter == 1
    x, n_iter = newton_cholesky(parabola, np.zeros(1), eps=EPS, **SETTINGS)
    assert x == pytest.approx([3.0])
    assert n_iter == 2  # the second, of length zero, shows by its decrement that the first arrived


def test_newton_cholesky_halves_a_step_that_is_too_long():
    objective = hyperbola()
    x, _ = newton_cholesky(objective, np.array([2.0]), eps=EPS, **SETTINGS)
    assert objective.asked[:4] == pytest.approx([2.0, -8.0, -3.0, -0.5])  # the step is -10, then -5, then -2.5
    assert x == pytest.approx([0.0], abs=1e-9)


def test_newton_cg_searches_for_a_step():
    objective = hyperbola()
    x, _ = newton_cg(objective, np.array([2.0]), **SETTINGS)
    assert objective.asked[:2] == pytest.approx([2.0, -8.0])
    assert x == pytest.approx([0.0], abs=1e-9)


def test_newton_cholesky_leaves_an_ascent_to_lbfgs():
    x, n_iter = newton_cholesky(two_valleys(), np.array([0.1]), eps=EPS, **SETTINGS)
    assert x == pytest.approx([1.0], abs=1e-9)
    assert n_iter > 1


def test_conjugate_gradients_end_where_there_is_no_curvature():
    gradient = np.array([3.0, -4.0])
    assert conjugate_gradients(lambda v: 0.0 * v, gradient, 1e-12).tolist() == [0.0, 0.0]
    first = conjugate_gradients(lambda v: -2.0 * v, gradient, 1e-12)
    assert first == pytest.approx(gradient / 2)  # as the reference does: the step to the stationary point, a maximum
    mixed = conjugate_gradients(lambda v: np.array([1.0, -0.1]) * v, gradient, 1e-12)
    assert mixed == pytest.approx(-gradient * 25 / (9 - 1.6))  # one good step, then the curvature is negative


def test_conjugate_gradients_solve():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(12, 12))
    matrix, gradient = root @ root.T + np.eye(12), rng.normal(size=12)
    assert matrix @ conjugate_gradients(lambda v: matrix @ v, gradient, 1e-12) == pytest.approx(-gradient, abs=1e-11)
    rough = conjugate_gradients(lambda v: matrix @ v, gradient, 0.5)
    assert 1e-11 < np.abs(matrix @ rough + gradient).sum() <= 0.5  # no more exact than asked


def test_newton_cholesky_does_not_trust_a_flat_hessian():
    objective = hyperbola()
    objective.trusted = False
    with pytest.warns(ConvergenceWarning, match="resort to lbfgs"):
        x, _ = newton_cholesky(objective, np.array([2.0]), eps=EPS, **SETTINGS)
    assert x == pytest.approx([0.0], abs=1e-8)


def test_newton_cholesky_tells_of_a_singular_hessian():
    objective = hyperbola()
    objective.curvature = lambda x: 0.0
    with pytest.warns(LinAlgWarning, match="resort to lbfgs"):
        x, _ = newton_cholesky(objective, np.array([2.0]), eps=EPS, **SETTINGS)
    assert x == pytest.approx([0.0], abs=1e-8)


def _with_condition(n, condition, seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    return (q * np.geomspace(1.0, 1.0 / condition, n)) @ q.T


@pytest.mark.parametrize("n", [1, 2, 30, 200])
@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8, 1e12, 1e14])
def test_solve_and_judge(n, condition):
    matrix = _with_condition(n, condition, seed=n)
    solution = np.random.default_rng(1).normal(size=n)
    found, inverse_condition = solve_and_judge(matrix, matrix @ solution)
    assert found == pytest.approx(solution, rel=1e-6, abs=1e-14 * condition * np.abs(solution).max())
    exact = 1.0 / (np.abs(matrix).sum(axis=0).max() * np.abs(np.linalg.inv(matrix)).sum(axis=0).max())
    if exact < 1e-11:
        assert inverse_condition == pytest.approx(exact, rel=1e-9, abs=0)  # a hint of trouble: A was inverted
    else:
        assert exact * (1 - 1e-9) <= inverse_condition <= 1000 * exact


def test_solve_and_judge_a_singular_system():
    for matrix in (np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 1.0, 1e-17])):
        assert not solve_and_judge(matrix, np.ones(3))[1] >= np.finfo(float).eps


@pytest.mark.parametrize("max_iter", [1, 4, 1000])
@pytest.mark.parametrize(("tol", "l2"), [(1e-4, 1e-3), (0.0, 1e-3), (1e-12, 0.0)])
def test_the_compiled_run_is_the_conversation(max_iter, tol, l2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    codes = (X @ rng.normal(size=6) + rng.normal(size=300) > 0).astype(np.int64)
    with minimal.engine("numba"):
        objective = BinaryObjective(X, codes, np.array([1 / 300]), l2, True, "")
        assert objective.descent() is not None
        settings = {"ftol": LBFGS_FTOL, "gtol": tol, "maxiter": max_iter, "maxls": 50}
        ours = lbfgs(objective.loss_gradient, np.zeros(7), **settings, descend=objective.descent())
        theirs = lbfgs(objective.loss_gradient, np.zeros(7), **settings)
    assert (ours.nit, ours.nfev, ours.status, ours.message) == (theirs.nit, theirs.nfev, theirs.status, theirs.message)
    assert ours.fun == theirs.fun
    assert np.array_equal(ours.x, theirs.x)
    assert np.array_equal(ours.jac, theirs.jac)
