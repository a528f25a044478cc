"""The logistic loss, apart from any solver: hand-computed values, derivatives against differences, extremes, threads.

The floor under the parity tests: no library is asked here, except longdouble arithmetic as the judge of rounding.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import minimal
from minimal.engine import twin
from minimal.linear_model import logistic_loss_numba, logistic_loss_numpy
from minimal.linear_model.vector_math_numba import exp_of_minus, log1p_of_unit, log_from_one, log_of_product

COMPONENT = "LogisticRegression"

SHAPES = [(1, 1, 3), (7, 3, 3), (8, 4, 4), (150, 5, 3), (257, 13, 5), (600, 2, 2)]  # rows, features, classes


@pytest.fixture
def loss(engine):
    return twin("minimal.linear_model.logistic_loss")


@pytest.fixture
def link(engine):
    return twin("minimal.linear_model.logistic_link")


def _problem(n, d, K, intercept, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    weight = rng.random(n)
    return {
        "X": np.ascontiguousarray(rng.normal(size=(n, d)).astype(dtype)),
        "sign": rng.choice(np.array([-1, 1], dtype=np.int8), size=n),
        "codes": rng.integers(K, size=n),
        "weight": weight / weight.sum(),
        "coef": rng.normal(size=d + intercept),
        "matrix": rng.normal(size=(d + intercept, K)),
        "direction": rng.normal(size=d + intercept),
        "directions": rng.normal(size=(d + intercept, K)),
    }


# ---------------------------------------------------------------- the kernels' exp and log


def _worst_ulps(function, exact, points):
    found = np.array([function(point) for point in points])
    return float((np.abs(found - exact) / np.spacing(exact.astype(np.float64))).max())


def _points(largest, count=40_000):
    rng = np.random.default_rng(0)
    return np.concatenate([[0.0, largest], rng.random(count) * largest, largest * rng.random(count) ** 20])


def test_exp_is_within_one_ulp():
    points = _points(708.0)
    assert _worst_ulps(exp_of_minus, np.exp(-points.astype(np.longdouble)), points) <= 1.0


def test_log1p_is_within_two_ulps():
    points = _points(1.0)
    assert _worst_ulps(log1p_of_unit, np.log1p(points.astype(np.longdouble)), points) <= 2.0


def test_log_is_within_two_ulps():
    points = 1.0 + _points(1.0)
    wide = np.concatenate([points, points * 1000, [2.0, 4.0, 1e300]])
    assert _worst_ulps(log_from_one, np.log(wide.astype(np.longdouble)), wide) <= 2.0


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 16, 17, 40, 100, 255, 256, 1000])
@pytest.mark.parametrize("kind", ["of all sizes", "tiny", "one tiny among zeros", "ones", "near one"])
def test_log_of_a_product_is_a_sum_of_logs(n, kind):
    rng = np.random.default_rng(n)
    e = {
        "of all sizes": np.exp(-rng.random(n) * rng.choice([1.0, 40.0, 700.0], n)),
        "tiny": np.exp(-600 - 100 * rng.random(n)),
        "one tiny among zeros": np.where(np.arange(n) == n // 2, 1e-300, 0.0),
        "ones": np.ones(n),
        "near one": 1 - 1e-9 * rng.random(n),
    }[kind]
    exact = np.log1p(e.astype(np.longdouble)).sum()
    assert float(abs(log_of_product(e.copy()) - exact) / np.spacing(float(exact))) <= 5.0
    if n > 1:
        e[n // 3] = math.nan
        assert math.isnan(log_of_product(e))


def test_exp_beyond_the_smallest_number():
    assert exp_of_minus(708.0) == pytest.approx(3.3075e-308, rel=1e-4, abs=0)
    for a in (709.0, 1e5, math.inf):
        assert exp_of_minus(a) == 0.0
    assert math.isnan(exp_of_minus(math.nan))
    assert exp_of_minus(0.0) == 1.0


# ---------------------------------------------------------------- values by hand


def test_two_classes_by_hand(loss):
    # Scores 0 and log 3 with the true class first and second: losses log 2 and log(4/3); P(wrong) 1/2 and 1/4.
    X = np.array([[0.0], [1.0]])
    value, gradient = loss.binary_loss_gradient(
        X, np.array([-1, 1], dtype=np.int8), np.array([0.25, 0.75]), np.array([math.log(3.0), 0.0]), 2.0
    )
    penalty = math.log(3.0) ** 2
    assert value == pytest.approx(0.25 * math.log(2) + 0.75 * math.log(4 / 3) + penalty, rel=1e-15)
    assert gradient == pytest.approx([-0.75 / 4 + 2 * math.log(3.0), 0.25 / 2 - 0.75 / 4], rel=1e-14)


def test_three_classes_by_hand(loss):
    # Scores log 1, log 2, log 5: P = 1/8, 2/8, 5/8; the true class is the second.
    rows = loss.multinomial_rows(np.array([[2.0]]), np.array([1]), np.array([1.0]))
    coef = np.array([[0.0, 0.0, 0.0], np.log([1.0, 2.0, 5.0])])
    value, gradient = loss.multinomial_loss_gradient(rows, coef, 1.0)
    assert value == pytest.approx(math.log(4.0), rel=1e-15)
    residual = np.array([1 / 8, 2 / 8 - 1, 5 / 8])
    assert gradient == pytest.approx(np.array([2 * residual, residual]), rel=1e-14)


def test_penalty_leaves_the_intercept_alone(loss):
    X, one = np.zeros((1, 1)), np.ones(1)
    assert loss.binary_loss_gradient(X, np.ones(1, np.int8), one, np.array([0.0, 5.0]), 1e6)[0] == pytest.approx(
        math.log1p(math.exp(-5))
    )
    rows = loss.multinomial_rows(X, np.array([0]), one)
    coef = np.array([[0.0, 0.0, 0.0], [7.0, 7.0, 7.0]])
    assert loss.multinomial_loss_gradient(rows, coef, 1e6)[0] == pytest.approx(math.log(3))


# ---------------------------------------------------------------- derivatives


@pytest.mark.parametrize("intercept", [0, 1])
@pytest.mark.parametrize(("n", "d", "K"), SHAPES)
def test_gradient_and_hessian_are_the_derivatives(loss, n, d, K, intercept):
    p = _problem(n, d, K, intercept)
    rows = loss.multinomial_rows(p["X"], p["codes"], p["weight"])
    curvature = loss.binary_curvature(p["X"], p["weight"], p["coef"])
    probabilities = loss.multinomial_probabilities(rows, p["matrix"])
    cases = [
        (
            lambda coef: loss.binary_loss_gradient(p["X"], p["sign"], p["weight"], coef, 0.1),
            p["coef"],
            p["direction"],
            loss.binary_hessian_product(p["X"], curvature, p["direction"], 0.1),
            loss.binary_hessian(p["X"], curvature, d + intercept, 0.1),
        ),
        (
            lambda coef: loss.multinomial_loss_gradient(rows, coef, 0.1),
            p["matrix"],
            p["directions"],
            loss.multinomial_hessian_product(rows, probabilities, p["directions"], 0.1),
            loss.multinomial_hessian(rows, probabilities, d + intercept, 0.1),
        ),
    ]
    for function, coef, direction, product, hessian in cases:
        h = 1e-5
        (above, g_above), (below, g_below) = function(coef + h * direction), function(coef - h * direction)
        slope = float((function(coef)[1] * direction).sum())
        assert slope == pytest.approx((above - below) / (2 * h), rel=1e-7, abs=1e-9)
        assert product == pytest.approx((g_above - g_below) / (2 * h), rel=1e-6, abs=1e-8)
        assert (hessian @ direction.ravel()).reshape(direction.shape) == pytest.approx(product, rel=1e-10, abs=1e-13)
        assert hessian == pytest.approx(hessian.T, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "d", "K"), [*SHAPES, (5000, 130, 3)])
def test_twins_agree(n, d, K, dtype):
    p = _problem(n, d, K, 1, dtype=dtype)
    wide = p["X"].astype(np.float64)
    pairs = zip(
        logistic_loss_numba.binary_loss_gradient(p["X"], p["sign"], p["weight"], p["coef"], 0.1),
        logistic_loss_numpy.binary_loss_gradient(wide, p["sign"], p["weight"], p["coef"], 0.1),
    )
    for fast, text in pairs:
        assert fast == pytest.approx(text, rel=1e-12, abs=1e-14)
    fast_rows = logistic_loss_numba.multinomial_rows(p["X"], p["codes"], p["weight"])
    text_rows = logistic_loss_numpy.multinomial_rows(wide, p["codes"], p["weight"])
    pairs = zip(
        logistic_loss_numba.multinomial_loss_gradient(fast_rows, p["matrix"], 0.1),
        logistic_loss_numpy.multinomial_loss_gradient(text_rows, p["matrix"], 0.1),
    )
    for fast, text in pairs:
        assert fast == pytest.approx(text, rel=1e-12, abs=1e-14)


def test_sparse_rows_give_what_dense_rows_give():
    sparse = pytest.importorskip("scipy.sparse")
    p = _problem(60, 7, 4, 1)
    X = np.where(np.abs(p["X"]) > 1, p["X"], 0.0)
    loss = logistic_loss_numpy
    for kind in (sparse.csr_matrix, sparse.csr_array):
        S = kind(X)
        for weight in (p["weight"],):
            a = loss.binary_loss_gradient(X, p["sign"], weight, p["coef"], 0.1)
            b = loss.binary_loss_gradient(S, p["sign"], weight, p["coef"], 0.1)
            assert b[0] == pytest.approx(a[0], rel=1e-14)
            assert b[1] == pytest.approx(a[1], rel=1e-12)
            h = loss.binary_curvature(S, weight, p["coef"])
            assert loss.binary_hessian(S, h, 8, 0.1) == pytest.approx(loss.binary_hessian(X, h, 8, 0.1), rel=1e-12)
            ours, theirs = (loss.multinomial_rows(m, p["codes"], weight) for m in (S, X))
            q = loss.multinomial_probabilities(ours, p["matrix"])
            assert loss.multinomial_hessian(ours, q, 8, 0.1) == pytest.approx(
                loss.multinomial_hessian(theirs, q, 8, 0.1), rel=1e-12, abs=1e-15
            )


# ---------------------------------------------------------------- extremes


@pytest.mark.parametrize("score", [40.0, 700.0, 1e4, 1e300])
def test_loss_at_extreme_scores(loss, score):
    X, weight = np.array([[score], [score]]), np.array([0.5, 0.5])
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        value, gradient = loss.binary_loss_gradient(X, np.array([1, -1], dtype=np.int8), weight, np.array([1.0]), 0.0)
        rows = loss.multinomial_rows(X, np.array([1, 0]), weight)
        several = loss.multinomial_loss_gradient(rows, np.array([[0.0, 1.0, -1.0]]), 0.0)
    assert value == pytest.approx(score / 2, rel=1e-15)  # the wrong one costs its score, the right one nothing
    assert gradient == pytest.approx([score / 2], rel=1e-15)
    assert several[0] == pytest.approx(score / 2, rel=1e-15)
    assert several[1] == pytest.approx(np.array([[-score / 2, score / 2, 0.0]]), rel=1e-15)


def test_a_tiny_loss_is_not_rounded_to_zero(loss):
    X = np.array([[50.0]])
    value, gradient = loss.binary_loss_gradient(X, np.ones(1, np.int8), np.ones(1), np.ones(1), 0.0)
    assert value == pytest.approx(math.exp(-50), rel=1e-14, abs=0)
    assert gradient == pytest.approx([-50 * math.exp(-50)], rel=1e-14, abs=0)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("n", [5, 700, 30_000])
def test_one_weight_for_all_loses_no_digit(loss, n, scale):
    rng = np.random.default_rng(n)
    X = scale * rng.normal(size=(n, 1))
    sign = np.where(X[:, 0] > 0, 1, -1).astype(np.int8)  # all right: the small losses alone, which nothing hides
    for wrong in (0, n // 3):
        sign[:wrong] *= -1
        margin = sign * X[:, 0].astype(np.longdouble)
        e = np.exp(-np.abs(margin))
        exact = (np.log1p(e) + np.maximum(-margin, 0)).sum() / n
        slope = -(X[:, 0] * sign * np.where(margin >= 0, e, 1) / (1 + e)).sum() / n
        value, gradient = loss.binary_loss_gradient(X, sign, np.array([1 / n]), np.ones(1), 0.0)
        assert value == pytest.approx(float(exact), rel=2e-15, abs=0)
        assert gradient == pytest.approx([float(slope)], rel=2e-15 * math.sqrt(n), abs=0)


@pytest.mark.parametrize(("n", "d", "K"), SHAPES)
def test_one_weight_for_all_is_as_many_equal_weights(loss, n, d, K):
    p = _problem(n, d, K, 1)
    one, many = np.array([1 / n]), np.full(n, 1 / n)
    curvatures = [loss.binary_curvature(p["X"], w, p["coef"]) for w in (one, many)]
    rows = [loss.multinomial_rows(p["X"], p["codes"], w) for w in (one, many)]
    probabilities = [loss.multinomial_probabilities(r, p["matrix"]) for r in rows]
    pairs = [
        *zip(*(loss.binary_loss_gradient(p["X"], p["sign"], w, p["coef"], 0.1) for w in (one, many))),
        *zip(*(loss.multinomial_loss_gradient(r, p["matrix"], 0.1) for r in rows)),
        curvatures,
        [loss.multinomial_hessian(r, q, d + 1, 0.1) for r, q in zip(rows, probabilities)],
        [loss.multinomial_hessian_product(r, q, p["directions"], 0.1) for r, q in zip(rows, probabilities)],
    ]
    for a, b in pairs:
        assert a == pytest.approx(b, rel=1e-13, abs=1e-15)


@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's own, of the text; the estimator looks before it calls it
def test_missing_and_infinite_input_is_not_hidden(loss):
    one = np.ones(1)
    for bad in (math.nan, math.inf, -math.inf):
        X = np.array([[bad, 1.0]])
        for coef in (np.zeros(2), np.ones(2)):
            for weight in (one, np.array([0.5, 0.5])):  # one for all, one for each
                two = loss.binary_loss_gradient(np.vstack([X, X]), np.array([1, -1], np.int8), weight, coef, 0.0)
                assert not math.isfinite(two[0] + two[1].sum())
        rows = loss.multinomial_rows(X, np.array([0]), one)
        value, gradient = loss.multinomial_loss_gradient(rows, np.zeros((2, 3)), 0.0)
        assert not math.isfinite(value + gradient.sum())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_probabilities_at_extreme_scores(link, dtype):
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        z = np.array([-1e4, -50.0, -0.0, 0.0, 50.0, 1e4], dtype=dtype)
        p, log_p = link.probabilities(z), link.log_probabilities(z)
        Z = np.array([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0], [-1e4, -1e4, -1e4 + 1]], dtype=dtype)
        q, log_q = link.probabilities(Z), link.log_probabilities(Z)
    for result in (p, log_p, q, log_q):
        assert result.dtype == dtype
    rel = 8 * float(np.finfo(dtype).eps)
    assert p[1] == pytest.approx([1.0, math.exp(-50)], rel=rel, abs=0)  # not one minus the other
    assert p[4] == pytest.approx([math.exp(-50), 1.0], rel=rel, abs=0)
    assert p[2].tolist() == p[3].tolist() == [0.5, 0.5]
    assert log_p[0].tolist() == [0.0, -1e4]
    assert log_p[5].tolist() == [-1e4, 0.0]
    assert log_p[4] == pytest.approx([-50.0, -math.exp(-50)], rel=rel, abs=0)
    assert log_q[0].tolist() == [0.0, -2e4, -1e4]
    assert q[1] == pytest.approx([1 / 3] * 3, rel=rel)
    assert log_q[2] == pytest.approx([-1 - math.log1p(2 / math.e)] * 2 + [-math.log1p(2 / math.e)], rel=rel)
    for result in (p, q):
        assert result.sum(axis=1) == pytest.approx(1.0, rel=rel)


# ---------------------------------------------------------------- threads


@pytest.fixture
def threads():
    before = minimal.get_num_threads()
    yield minimal.set_num_threads
    minimal.set_num_threads(before)


def test_any_number_of_threads_gives_the_same_bits(threads):
    n, d, K = 40_000, 60, 3
    p = _problem(n, d, K, 1)
    loss = logistic_loss_numba
    results = []
    for count in (1, 2, 5):
        threads(count)
        rows = loss.multinomial_rows(p["X"], p["codes"], p["weight"])
        curvature = loss.binary_curvature(p["X"], p["weight"], p["coef"])
        probabilities = loss.multinomial_probabilities(rows, p["matrix"])
        results.append(
            [
                *loss.binary_loss_gradient(p["X"], p["sign"], p["weight"], p["coef"], 0.1),
                *loss.multinomial_loss_gradient(rows, p["matrix"], 0.1),
                loss.binary_hessian_product(p["X"], curvature, p["direction"], 0.1),
                loss.binary_hessian(p["X"], curvature, d + 1, 0.1),
                loss.multinomial_hessian_product(rows, probabilities, p["directions"], 0.1),
                loss.multinomial_hessian(rows, probabilities, d + 1, 0.1),
            ]
        )
    assert len(loss._chunk_bounds(n, d)) > 3  # the data is cut, so that threads have something to share
    for other in results[1:]:
        for a, b in zip(results[0], other):
            assert np.array_equal(a, b)
