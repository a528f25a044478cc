"""Finite differences are SciPy's: the same steps, the same bits, the same counts."""

import warnings

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize._optimize import _prepare_scalar_function

from minimal.optimize.differences import SQRT_EPS, steps
from minimal.optimize.scalar_function import ScalarFunction

from .ledger import plainly

COMPONENT = "approx_fprime"


def scalar(x, a=1.0):
    return a * (x**2).sum() + np.cos(x).prod()


def gradient(x, a=1.0):
    return 2 * a * x


def vector(x, a=1.0):
    return np.array([a * x.sum(), x.prod(), x[0]])


def points():
    rng = np.random.default_rng(0)
    for n in (1, 2, 5):
        for scale in (1e-9, 1.0, 1e7):
            yield rng.standard_normal(n) * scale
    yield np.zeros(3)
    yield -np.zeros(3)
    yield np.array([np.nan, 1.0])
    yield np.array([np.inf, 1.0])
    yield np.array([1, 2, 3])
    yield np.float64(2.0)


POINTS = list(points())


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@pytest.mark.parametrize("x", POINTS, ids=str)
def test_approx_fprime_is_scipy_s(x, implementation, parity):
    ours, theirs = implementation("approx_fprime"), scipy.optimize.approx_fprime
    for epsilon in (SQRT_EPS, 1e-4, 1e-40, np.full(np.size(x), 1e-6), [1e-5] * np.size(x)):
        for args in ((), (3.0,)):
            fun = vector if np.ndim(x) else scalar
            for f in (scalar, fun):
                parity.identical(
                    quietly(ours, x, f, epsilon, *args),
                    quietly(theirs, x, f, epsilon, *args),
                    what=f"{f.__name__} derivative",
                    data=str(x),
                    option=f"epsilon={epsilon}",
                )


@pytest.mark.component("check_grad")
@pytest.mark.parametrize("x", [x for x in POINTS if np.ndim(x)], ids=str)
def test_check_grad_is_scipy_s(x, implementation, parity):
    ours, theirs = implementation("check_grad"), scipy.optimize.check_grad
    for how in ({}, {"epsilon": 1e-4}, {"direction": "random", "rng": 3}):
        parity.identical(
            quietly(ours, scalar, gradient, x, 2.0, **how),
            quietly(theirs, scalar, gradient, x, 2.0, **how),
            what="distance",
            data=str(x),
            option=str(how),
        )


def test_derivatives_by_hand(implementation):
    # f = x^2 + 3 y at (2, 1) with h = 1: (9 - 4) / 1 = 5 and 3.
    derivative = implementation("approx_fprime")(np.array([2.0, 1.0]), lambda x: x[0] ** 2 + 3 * x[1], 1.0)
    np.testing.assert_array_equal(derivative, [5.0, 3.0])


@pytest.mark.component("check_grad")
def test_check_grad_tells_right_from_wrong(implementation):
    check_grad = implementation("check_grad")
    assert check_grad(lambda x: x @ x, lambda x: 2 * x, np.array([1.0, 2.0])) < 1e-6
    # The wrong gradient x is off by x: |(1, 2)| = sqrt(5).
    assert check_grad(lambda x: x @ x, lambda x: x, np.array([1.0, 2.0])) == pytest.approx(np.sqrt(5), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("approx_fprime", (np.ones((2, 2)), lambda x: 1.0)),
        ("approx_fprime", (np.ones(2), lambda x: np.ones((2, 2)))),
        ("approx_fprime", (np.ones(2), lambda x: x.sum(), [1e-8] * 3)),
        ("check_grad", (lambda x: 1.0, lambda x: np.ones((2, 2)), np.ones(2))),
    ],
)
def test_bad_input_is_refused_with_scipy_s_class(name, call, implementation):
    how = {"direction": "random"} if name == "check_grad" else {}
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever SciPy raises is the oracle
        getattr(scipy.optimize, name)(*call, **how)
    with pytest.raises(theirs.type, match=r"\w"):
        implementation(name)(*call, **how)


@pytest.mark.component("check_grad")
def test_an_unknown_direction_is_refused(implementation):
    with pytest.raises(ValueError, match="sideways"):
        implementation("check_grad")(scalar, gradient, np.ones(2), direction="sideways")


@pytest.mark.parametrize("method", ["2-point", "3-point"])
def test_steps_by_hand(method):
    # eps**(1/2) or eps**(1/3), times max(1, |x|), with the sign of x for the one-sided scheme.
    eps = 2.0**-52
    power = 1 / 2 if method == "2-point" else 1 / 3
    h = steps(np.array([0.5, -100.0, 0.0]), np.zeros(1), method)
    sign = np.array([1.0, -1.0, 1.0]) if method == "2-point" else 1.0
    np.testing.assert_allclose(h, eps**power * np.array([1.0, 100.0, 1.0]) * sign, rtol=1e-15)


@pytest.mark.component("minimize")
@pytest.mark.parametrize("jac", [None, "2-point", "3-point", "cs", gradient], ids=plainly)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_evaluations_are_remembered_and_counted_as_scipy_does(jac, dtype, parity):
    """The same questions in the same order: the same answers and, after each, the same counts."""
    for x in [x.astype(dtype) for x in POINTS if np.ndim(x)]:
        for rel_step in (None, 1e-3, np.full(x.size, 1e-6), 0.0):
            ours = quietly(ScalarFunction, scalar, x, (2.0,), jac, SQRT_EPS, rel_step)
            theirs = quietly(
                _prepare_scalar_function, scalar, x, jac, (2.0,), epsilon=SQRT_EPS, finite_diff_rel_step=rel_step
            )
            for question, y in [("fun", x), ("grad", x), ("fun_and_grad", x + 1), ("grad", x + 2), ("fun", x + 2),
                                ("fun", np.zeros(x.size)), ("grad", -np.zeros(x.size)), ("fun", x)]:  # fmt: skip
                mine, other = quietly(getattr(ours, question), y), quietly(getattr(theirs, question), y)
                if question == "fun_and_grad":
                    mine, other = np.append(mine[1], mine[0]), np.append(other[1], other[0])
                parity.identical(mine, other, what=question, data=str(x), option=f"jac={jac}")
                assert (ours.nfev, ours.ngev) == (theirs.nfev, theirs.ngev)
