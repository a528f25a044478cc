"""Bad input at every door: the reference's kind of error with a message that helps, or the reference's answer.

Hypothesis makes arrays of every dtype, layout and degree of badness and calls both libraries with them.  Whatever happens,
the input stays as it was, and a fit that failed leaves nothing that predicts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.sparse as sp
import sklearn.linear_model
import sklearn.preprocessing
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.exceptions import NotFittedError

import minimal

from .doors import (
    GOOD,
    LABELS,
    ODD,
    ODD_TARGETS,
    ODD_WEIGHTS,
    QUICK,
    assert_untouched,
    matrices,
    outcome,
    same_outcome,
    untouched,
    values,
)

SCALER = (minimal.preprocessing.StandardScaler, sklearn.preprocessing.StandardScaler)
LOGISTIC = (minimal.linear_model.LogisticRegression, sklearn.linear_model.LogisticRegression)


MINIMIZE = (minimal.optimize.minimize, scipy.optimize.minimize)


def _same_scaler(tolerance):
    def compare(ours, theirs):
        for name in ("mean_", "var_", "scale_", "n_samples_seen_", "n_features_in_"):
            a, b = getattr(ours, name), getattr(theirs, name)
            if b is None:
                assert a is None, name
            elif tolerance == 0:
                np.testing.assert_array_equal(a, b, err_msg=name)
            else:
                np.testing.assert_allclose(a, b, rtol=tolerance, err_msg=name)

    return compare


def _same_model(ours, theirs):
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-7, atol=1e-9)
    assert ours.coef_.dtype == theirs.coef_.dtype
    assert ours.n_iter_.tolist() == theirs.n_iter_.tolist()


# ---------------------------------------------------------------- StandardScaler


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("options", [{}, {"with_mean": False}], ids=["default", "with_mean=False"])
def test_scaler_fit_on_odd_input(name, options, engine):
    X = ODD[name]
    before = untouched(X)
    ours, theirs = (Scaler(**options) for Scaler in SCALER)
    tolerance = 1e-12 if sp.issparse(X) else 0
    same_outcome(outcome(lambda: ours.fit(X)), outcome(lambda: theirs.fit(X)), _same_scaler(tolerance))
    assert_untouched(X, before)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("method", ["transform", "inverse_transform", "partial_fit"])
@pytest.mark.parametrize("with_mean", [True, False])
def test_fitted_scaler_on_odd_input(name, method, with_mean, engine):
    X = ODD[name]
    before = untouched(X)
    ours, theirs = (Scaler(with_mean=with_mean).fit(GOOD) for Scaler in SCALER)

    def same(a, b):
        if method == "partial_fit":
            _same_scaler(1e-12 if sp.issparse(X) else 0)(a, b)
            return
        assert type(a) is type(b)
        assert a.dtype == b.dtype
        dense = [m.toarray() if sp.issparse(m) else m for m in (a, b)]
        np.testing.assert_array_equal(*dense)

    same_outcome(outcome(lambda: getattr(ours, method)(X)), outcome(lambda: getattr(theirs, method)(X)), same)
    assert_untouched(X, before)


@pytest.mark.parametrize("name", ODD_WEIGHTS)
def test_scaler_on_odd_weights(name, engine):
    weight = ODD_WEIGHTS[name]
    ours, theirs = (Scaler() for Scaler in SCALER)
    same_outcome(
        outcome(lambda: ours.fit(GOOD, sample_weight=weight)),
        outcome(lambda: theirs.fit(GOOD, sample_weight=weight)),
        _same_scaler(1e-12),
    )


@QUICK
@given(X=matrices())
def test_scaler_on_any_matrix(X, engine):
    before = X.copy()
    ours, theirs = (Scaler() for Scaler in SCALER)
    same_outcome(outcome(lambda: ours.fit(X)), outcome(lambda: theirs.fit(X)), _same_scaler(0))
    same = lambda a, b: np.testing.assert_array_equal(a, b)  # noqa: E731
    same_outcome(outcome(lambda: ours.transform(X)), outcome(lambda: theirs.transform(X)), same)
    np.testing.assert_array_equal(X, before)


@QUICK
@given(first=matrices(1, 1), second=matrices(1, 1))
def test_scaler_learns_in_parts_from_any_matrices(first, second, engine):
    ours, theirs = (Scaler() for Scaler in SCALER)
    for X in (first, second, first):
        same_outcome(outcome(lambda: ours.partial_fit(X)), outcome(lambda: theirs.partial_fit(X)), _same_scaler(0))  # noqa: B023


# ---------------------------------------------------------------- LogisticRegression


@pytest.mark.parametrize("name", ODD)
def test_logistic_fit_on_odd_input(name, engine):
    X = ODD[name]
    before = untouched(X)
    n = X.shape[0] if getattr(X, "shape", ()) else len(X) if isinstance(X, list) else 1
    y = np.arange(n) % 2
    ours, theirs = (Model() for Model in LOGISTIC)
    same = _both_are_fitted if name in ("huge", "big integers", "larger than float32") else _same_model
    same_outcome(outcome(lambda: ours.fit(X, y)), outcome(lambda: theirs.fit(X, y)), same)
    assert_untouched(X, before)


def _both_are_fitted(ours, theirs):
    """For values so large that rounding decides where the optimizer ends."""
    assert ours.coef_.shape == theirs.coef_.shape


@pytest.mark.parametrize("name", ODD_TARGETS)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "saga"])
def test_logistic_fit_on_odd_targets(name, solver, engine):
    y = ODD_TARGETS[name]
    ours, theirs = (Model(solver=solver, max_iter=2000, random_state=0) for Model in LOGISTIC)
    same_outcome(outcome(lambda: ours.fit(GOOD, y)), outcome(lambda: theirs.fit(GOOD, y)), _same_model)


@pytest.mark.parametrize("name", ODD_WEIGHTS)
def test_logistic_on_odd_weights(name, engine):
    weight = ODD_WEIGHTS[name]
    ours, theirs = (Model() for Model in LOGISTIC)
    same_outcome(
        outcome(lambda: ours.fit(GOOD, LABELS, sample_weight=weight)),
        outcome(lambda: theirs.fit(GOOD, LABELS, sample_weight=weight)),
        _same_model,
    )


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_fitted_logistic_on_odd_input(name, method, engine):
    X = ODD[name]
    before = untouched(X)
    ours, theirs = (Model().fit(GOOD, LABELS) for Model in LOGISTIC)

    def same(a, b):
        assert a.dtype == b.dtype
        lost = np.isneginf(
            b
        )  # the reference takes log(0) where the probability underflows; the logarithm itself does not
        assert (a[lost] < -700).all()
        np.testing.assert_allclose(a[~lost], b[~lost], rtol=1e-9)

    same_outcome(outcome(lambda: getattr(ours, method)(X)), outcome(lambda: getattr(theirs, method)(X)), same)
    assert_untouched(X, before)


@QUICK
@given(X=matrices(2, 1), classes=st.integers(1, 3))
def test_logistic_on_any_matrix(X, classes, engine):
    before = X.copy()
    y = np.arange(len(X)) % classes
    ours, theirs = (Model(max_iter=20) for Model in LOGISTIC)
    same_outcome(outcome(lambda: ours.fit(X, y)), outcome(lambda: theirs.fit(X, y)), _both_are_fitted)
    np.testing.assert_array_equal(X, before)
    if hasattr(ours, "coef_") and np.isfinite(ours.coef_).all():
        p = ours.predict_proba(X)
        assert ((p >= 0) & (p <= 1)).all()
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-5)


BAD_PARAMETERS = [
    {"C": -1.0},
    {"C": 0.0},
    {"C": "1"},
    {"C": np.nan},
    {"tol": -1e-3},
    {"max_iter": -1},
    {"max_iter": 1.5},
    {"solver": "adam"},
    {"solver": None},
    {"l1_ratio": 2.0},
    {"l1_ratio": 0.5, "solver": "lbfgs"},
    {"penalty": "l3"},
    {"penalty": "l1", "solver": "lbfgs"},
    {"fit_intercept": "yes"},
    {"class_weight": "heavy"},
    {"class_weight": {5: 1.0}},
    {"class_weight": [1, 2]},
    {"random_state": -1, "solver": "sag"},
    {"random_state": "seed", "solver": "saga"},
    {"warm_start": "yes"},
    {"verbose": -1},
]


@pytest.mark.parametrize("parameters", BAD_PARAMETERS, ids=str)
def test_logistic_bad_parameter_is_the_references_error(parameters, engine):
    ours, theirs = (outcome(lambda: Model(**parameters).fit(GOOD, LABELS)) for Model in LOGISTIC)  # noqa: B023
    same_outcome(ours, theirs, _same_model)


@pytest.mark.parametrize("parameters", [{"with_mean": "yes"}, {"with_std": None}, {"copy": 3.0}], ids=str)
def test_scaler_bad_parameter_is_the_references_error(parameters, engine):
    ours, theirs = (outcome(lambda: Scaler(**parameters).fit(GOOD)) for Scaler in SCALER)  # noqa: B023
    same_outcome(ours, theirs, _same_scaler(0))


# ---------------------------------------------------------------- minimize


def _bowl(x):
    return ((x - 1.0) ** 2).sum()


def _bowl_slope(x):
    return 2.0 * (x - 1.0)


ODD_STARTS = {
    "a number": 3.0,
    "a zero-dimensional array": np.array(3.0),
    "two-dimensional": np.ones((2, 2)),
    "integers": [3, -4],
    "booleans": [True, False],
    "complex": [1j, 2.0],
    "text": "here",
    "objects": np.array([1.5, 2], dtype=object),
    "nothing": None,
    "missing": [np.nan, 1.0],
    "infinite": [np.inf, 1.0],
    "huge": [1e200, -1e200],
    "float32": np.array([3.0, -4.0], dtype=np.float32),
    "read-only": np.broadcast_to(2.5, 3),
    "every other": np.arange(6.0)[::2],
    "ragged": [[1.0], [2.0, 3.0]],
    "a series": pd.Series([1.0, 2.0]),
}


def _same_result(ours, theirs):
    if theirs.message == "ABNORMAL: ":  # what SciPy reports of such a run beside x: see the ledger's known differences
        assert (ours.message, ours.status) == (theirs.message, theirs.status)
        np.testing.assert_array_equal(ours.x, theirs.x)
        return
    np.testing.assert_array_equal(ours.x, theirs.x)
    for name in ("status", "message", "nit", "nfev", "njev", "success"):
        assert ours[name] == theirs[name], name
    np.testing.assert_array_equal(ours.fun, theirs.fun)


@pytest.mark.parametrize("name", ODD_STARTS)
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
@pytest.mark.parametrize("jac", [_bowl_slope, None, "3-point"], ids=["gradient", "forward", "central"])
def test_minimize_from_odd_starts(name, method, jac, engine):
    x0 = ODD_STARTS[name]
    before = untouched(x0)
    ours, theirs = (outcome(lambda: f(_bowl, x0, method=method, jac=jac)) for f in MINIMIZE)  # noqa: B023
    same_outcome(ours, theirs, _same_result)
    assert_untouched(x0, before)


@QUICK
@given(
    x0=npst.arrays(np.float64, st.integers(1, 4), elements=values(np.float64)),
    case=st.sampled_from([("BFGS", 1.0), *((m, power) for m in ("BFGS", "L-BFGS-B") for power in (1.5, 2.0, 4.0))]),
)
def test_minimize_from_anywhere(x0, case, engine):
    method, power = case  # L-BFGS-B where there is a kink: see the ledger's known differences

    def landscape(x):
        return (np.abs(x - 1.0) ** power).sum()

    before = x0.copy()
    ours, theirs = (outcome(lambda: f(landscape, x0, method=method)) for f in MINIMIZE)  # noqa: B023
    same_outcome(ours, theirs, _same_result)
    np.testing.assert_array_equal(x0, before)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "Newton"},
        {"args": 5},
        {"callback": 3},
        {"jac": lambda x: np.ones(7)},
        {"jac": "4-point"},
    ],
    ids=["unknown method", "needless argument", "no callback", "wrong gradient", "unknown scheme"],
)
def test_minimize_bad_option_is_the_references_error(options, engine):
    ours, theirs = (outcome(lambda: f(_bowl, [3.0, 4.0], **options)) for f in MINIMIZE)  # noqa: B023
    same_outcome(ours, theirs, _same_result)


@pytest.mark.parametrize("value", ["text", None, [1.0, 2.0], 1j, np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_minimize_odd_values_of_the_objective(value, method, engine):
    ours, theirs = (outcome(lambda: f(lambda x: value, [3.0, 4.0], method=method)) for f in MINIMIZE)  # noqa: B023
    same_outcome(ours, theirs, _same_result)


# ---------------------------------------------------------------- messages

WORDS = {
    "one-dimensional": "Reshape your data",
    "three-dimensional": "dim 3",
    "no rows": "0 sample",
    "no columns": "0 feature",
    "complex": "Complex data not supported",
    "infinite": "contains infinity",
    "a matrix": "np.asarray",
    "a frame with mixed names": "astype",
    "a series": "DataFrame",
}


@pytest.mark.parametrize("name", WORDS)
def test_message_says_what_is_wrong_or_what_to_do(name, engine):
    fits = (
        minimal.preprocessing.StandardScaler().fit,
        lambda X: minimal.linear_model.LogisticRegression().fit(X, np.arange(X.shape[0]) % 2),
    )
    for fit in fits:
        _, error = outcome(lambda: fit(ODD[name]))  # noqa: B023
        assert WORDS[name] in str(error)


# ---------------------------------------------------------------- nothing half-done


@pytest.mark.parametrize(
    "bad", [np.where(GOOD > 2, np.inf, GOOD), GOOD[:, 0], "text"], ids=["infinite", "one-dimensional", "text"]
)
def test_failed_refit_leaves_nothing_that_answers(bad, engine):
    scaler = minimal.preprocessing.StandardScaler().fit(GOOD)
    model = minimal.linear_model.LogisticRegression().fit(GOOD, LABELS)
    with pytest.raises(ValueError, match=r"\w"):
        scaler.fit(bad)
    with pytest.raises(ValueError, match=r"\w"):
        model.fit(bad, LABELS)
    for call in (scaler.transform, scaler.inverse_transform, scaler.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call(GOOD) if call != scaler.get_feature_names_out else call()
    for call in (model.predict, model.predict_proba, model.decision_function):
        with pytest.raises(NotFittedError):
            call(GOOD)


def test_failed_partial_fit_keeps_what_was_learned(engine):
    scaler = minimal.preprocessing.StandardScaler().fit(GOOD)
    mean, seen = scaler.mean_.copy(), scaler.n_samples_seen_
    with pytest.raises(ValueError, match="infinity"):
        scaler.partial_fit([[np.inf, 1.0]])
    assert scaler.n_samples_seen_ == seen
    np.testing.assert_array_equal(scaler.mean_, mean)


def test_unfitted_estimators_say_so(engine):
    for call in (minimal.preprocessing.StandardScaler().transform, minimal.linear_model.LogisticRegression().predict):
        with pytest.raises(NotFittedError, match="Call 'fit'"):
            call(GOOD)
