"""Bad input at every door: the reference's kind of error with a message that helps, or the reference's answer.

Hypothesis makes arrays of every dtype, layout and degree of badness and calls both libraries with them.  Whatever happens,
the input stays as it was, and a fit that failed leaves nothing that predicts.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.sparse as sp
import sklearn.linear_model
import sklearn.preprocessing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.exceptions import NotFittedError

import minimal

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SCALER = (minimal.preprocessing.StandardScaler, sklearn.preprocessing.StandardScaler)
LOGISTIC = (minimal.linear_model.LogisticRegression, sklearn.linear_model.LogisticRegression)


MINIMIZE = (minimal.optimize.minimize, scipy.optimize.minimize)


# ---------------------------------------------------------------- what can come in


def _values(dtype):
    kind = np.dtype(dtype).kind
    if kind == "f":
        half = np.dtype(dtype) == np.float16
        wild = [0.0, -0.0, np.nan, np.inf, -np.inf] + ([6e-5, 6e4] if half else [1e-30, 3e38])
        largest = 2.0**10 if half else 2.0**20
        return st.one_of(st.floats(-largest, largest, width=np.dtype(dtype).itemsize * 8), st.sampled_from(wild))
    return npst.from_dtype(np.dtype(dtype)) if kind in "biu" else st.integers(-9, 9)


def _layouts(array):
    """The same values in another memory layout."""
    spread = np.zeros((2 * array.shape[0], array.shape[1]), dtype=array.dtype)
    spread[::2] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    return st.sampled_from([array, np.asfortranarray(array), spread[::2], array[::-1], read_only])


@st.composite
def matrices(draw, min_rows=0, min_columns=0):
    """A matrix of some dtype and layout with whatever values."""
    dtype = draw(st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_, np.float64]))
    shape = (draw(st.integers(min_rows, 6)), draw(st.integers(min_columns, 4)))
    return draw(_layouts(draw(npst.arrays(dtype, shape, elements=_values(dtype)))))


GOOD = np.array([[0.0, 1.0], [2.0, -1.0], [3.0, 0.5], [-1.0, 4.0], [1.0, 1.0], [0.5, -2.0]])
LABELS = np.array([0, 1, 1, 0, 1, 0])

ODD = {
    "one-dimensional": np.arange(4.0),
    "three-dimensional": np.zeros((2, 2, 2)),
    "a scalar": 3.0,
    "a zero-dimensional array": np.array(3.0),
    "nothing": None,
    "no rows": np.zeros((0, 2)),
    "no columns": np.zeros((3, 0)),
    "an empty list": [],
    "text": np.array([["a", "b"], ["c", "d"]]),
    "text that spells numbers": np.array([["1", "2"], ["3", "5"]]),
    "a list of lists": [[1, 2], [3, 5], [4, 4]],
    "ragged lists": [[1.0, 2.0], [3.0]],
    "objects that are numbers": np.array([[1, 2.5], [3, 4]], dtype=object),
    "objects that are not": np.array([[1, "x"], [3, 4]], dtype=object),
    "dictionaries": np.array([[{}, {}], [{}, {}]], dtype=object),
    "complex": np.array([[1 + 1j, 2], [3, 4]]),
    "infinite": np.array([[1.0, np.inf], [2.0, 3.0]]),
    "missing": np.array([[1.0, np.nan], [2.0, 3.0]]),
    "a matrix": np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix),
    "a masked array": np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    "sparse CSR": sp.csr_array(GOOD),
    "sparse COO": sp.coo_array(GOOD),
    "sparse CSR with NaN": sp.csr_array([[np.nan, 0.0], [1.0, 2.0]]),
    "sparse CSR with infinity": sp.csr_array([[np.inf, 0.0], [1.0, 2.0]]),
    "sparse complex": sp.csr_array([[1j, 0.0], [1.0, 2.0]]),
    "a frame": pd.DataFrame(GOOD, columns=["a", "b"]),
    "a frame with mixed names": pd.DataFrame(GOOD, columns=["a", 1]),
    "a frame with text": pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
    "a frame with nullable numbers": pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "b": [1.0, 2.0, 4.0]}),
    "a frame of booleans": pd.DataFrame({"a": [True, False, True], "b": [False, False, True]}),
    "a series": pd.Series([1.0, 2.0]),
    "dates": np.array([["2020-01-01", "2021-01-01"]], dtype="datetime64[D]"),
    "an estimator": sklearn.preprocessing.StandardScaler(),
    "huge": np.array([[1e300, 1.0], [-1e300, 2.0], [1e299, 5.0]]),
    "tiny": np.array([[1e-300, 1.0], [-1e-300, 2.0], [3e-300, 5.0]]),
    "larger than float32": np.array([[1e39, 1.0], [2.0, 3.0]]),
    "big integers": np.array([[2**62, 1], [2**61, 3]]),
}

ODD_TARGETS = {
    "one class": np.zeros(6, dtype=int),
    "too short": LABELS[:4],
    "too long": np.r_[LABELS, 1],
    "nothing": None,
    "missing": np.array([0, 1, np.nan, 0, 1, 0]),
    "infinite": np.array([0, 1, np.inf, 0, 1, 0]),
    "continuous": np.array([0.1, 1.7, 2.5, 0.3, 1.1, 0.9]),
    "whole floats": LABELS.astype(float),
    "text": np.array(["no", "yes", "yes", "no", "yes", "no"]),
    "objects": np.array(["no", "yes", "yes", "no", "yes", "no"], dtype=object),
    "mixed objects": np.array(["no", 1, "yes", 0, 1, 0], dtype=object),
    "booleans": LABELS.astype(bool),
    "a column": LABELS.reshape(-1, 1),
    "two columns": np.c_[LABELS, LABELS],
    "complex": LABELS + 1j,
    "a list": LABELS.tolist(),
    "a series": pd.Series(LABELS),
    "a scalar": 1,
    "sparse": sp.csr_array(LABELS.reshape(-1, 1)),
    "None among labels": np.array([0, 1, None, 0, 1, 0], dtype=object),
    "an empty list": [],
}

ODD_WEIGHTS = {
    "too short": np.ones(3),
    "two-dimensional": np.ones((6, 1)),
    "missing": np.array([1, 1, np.nan, 1, 1, 1]),
    "infinite": np.array([1, 1, np.inf, 1, 1, 1]),
    "all zero": np.zeros(6),
    "negative": np.array([1.0, -0.5, 1, 1, 1, 1]),
    "a number": 2.5,
    "integers": np.array([1, 2, 1, 3, 1, 1]),
    "a list": [1.0, 2.0, 1.0, 3.0, 1.0, 1.0],
    "text": np.array(list("abcdef")),
    "complex": np.ones(6) * 1j,
    "float32": np.full(6, 0.5, dtype=np.float32),
    "some zero": np.array([1.0, 0, 2.0, 1, 1, 0]),
}


# ---------------------------------------------------------------- what must come out


def _outcome(call):
    """The result, or the exception, of a call; warnings are kept out of the comparison."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call(), None
        except Exception as error:
            return None, error


def _same_outcome(ours, theirs, same_value):
    (our_value, our_error), (their_value, their_error) = ours, theirs
    if their_error is None:
        assert our_error is None, f"the reference answers, minimal raises {our_error!r}"
        same_value(our_value, their_value)
    else:
        assert our_error is not None, f"the reference raises {their_error!r}, minimal answers {our_value!r}"
        assert isinstance(our_error, _public_kind(their_error)), f"{our_error!r} instead of {their_error!r}"
        assert len(str(our_error)) > 10, "a message says what to do"


def _public_kind(error):
    """The nearest class that a caller would name in an except clause."""
    builtin = [kind for kind in type(error).__mro__ if kind.__module__ == "builtins"]
    return builtin[0]


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


def _untouched(X):
    """A frozen picture of an input, to compare with afterwards."""
    if sp.issparse(X):
        return X.copy().toarray() if X.dtype.kind != "O" else X.copy()
    return X.copy() if callable(getattr(X, "copy", None)) else X


def _assert_untouched(X, before):
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufc":
        np.testing.assert_array_equal(np.asarray(X), np.asarray(before))
    elif sp.issparse(X):
        np.testing.assert_array_equal(X.toarray(), before)
    elif hasattr(X, "equals"):
        assert X.equals(before)


# ---------------------------------------------------------------- StandardScaler


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("options", [{}, {"with_mean": False}], ids=["default", "with_mean=False"])
def test_scaler_fit_on_odd_input(name, options, engine):
    X = ODD[name]
    before = _untouched(X)
    ours, theirs = (Scaler(**options) for Scaler in SCALER)
    tolerance = 1e-12 if sp.issparse(X) else 0
    _same_outcome(_outcome(lambda: ours.fit(X)), _outcome(lambda: theirs.fit(X)), _same_scaler(tolerance))
    _assert_untouched(X, before)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("method", ["transform", "inverse_transform", "partial_fit"])
@pytest.mark.parametrize("with_mean", [True, False])
def test_fitted_scaler_on_odd_input(name, method, with_mean, engine):
    X = ODD[name]
    before = _untouched(X)
    ours, theirs = (Scaler(with_mean=with_mean).fit(GOOD) for Scaler in SCALER)

    def same(a, b):
        if method == "partial_fit":
            _same_scaler(1e-12 if sp.issparse(X) else 0)(a, b)
            return
        assert type(a) is type(b)
        assert a.dtype == b.dtype
        dense = [m.toarray() if sp.issparse(m) else m for m in (a, b)]
        np.testing.assert_array_equal(*dense)

    _same_outcome(_outcome(lambda: getattr(ours, method)(X)), _outcome(lambda: getattr(theirs, method)(X)), same)
    _assert_untouched(X, before)


@pytest.mark.parametrize("name", ODD_WEIGHTS)
def test_scaler_on_odd_weights(name, engine):
    weight = ODD_WEIGHTS[name]
    ours, theirs = (Scaler() for Scaler in SCALER)
    _same_outcome(
        _outcome(lambda: ours.fit(GOOD, sample_weight=weight)),
        _outcome(lambda: theirs.fit(GOOD, sample_weight=weight)),
        _same_scaler(1e-12),
    )


@QUICK
@given(X=matrices())
def test_scaler_on_any_matrix(X, engine):
    before = X.copy()
    ours, theirs = (Scaler() for Scaler in SCALER)
    _same_outcome(_outcome(lambda: ours.fit(X)), _outcome(lambda: theirs.fit(X)), _same_scaler(0))
    same = lambda a, b: np.testing.assert_array_equal(a, b)  # noqa: E731
    _same_outcome(_outcome(lambda: ours.transform(X)), _outcome(lambda: theirs.transform(X)), same)
    np.testing.assert_array_equal(X, before)


@QUICK
@given(first=matrices(1, 1), second=matrices(1, 1))
def test_scaler_learns_in_parts_from_any_matrices(first, second, engine):
    ours, theirs = (Scaler() for Scaler in SCALER)
    for X in (first, second, first):
        _same_outcome(_outcome(lambda: ours.partial_fit(X)), _outcome(lambda: theirs.partial_fit(X)), _same_scaler(0))  # noqa: B023


# ---------------------------------------------------------------- LogisticRegression


@pytest.mark.parametrize("name", ODD)
def test_logistic_fit_on_odd_input(name, engine):
    X = ODD[name]
    before = _untouched(X)
    n = X.shape[0] if getattr(X, "shape", ()) else len(X) if isinstance(X, list) else 1
    y = np.arange(n) % 2
    ours, theirs = (Model() for Model in LOGISTIC)
    same = _both_are_fitted if name in ("huge", "big integers", "larger than float32") else _same_model
    _same_outcome(_outcome(lambda: ours.fit(X, y)), _outcome(lambda: theirs.fit(X, y)), same)
    _assert_untouched(X, before)


def _both_are_fitted(ours, theirs):
    """For values so large that rounding decides where the optimizer ends."""
    assert ours.coef_.shape == theirs.coef_.shape


@pytest.mark.parametrize("name", ODD_TARGETS)
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "saga"])
def test_logistic_fit_on_odd_targets(name, solver, engine):
    y = ODD_TARGETS[name]
    ours, theirs = (Model(solver=solver, max_iter=2000, random_state=0) for Model in LOGISTIC)
    _same_outcome(_outcome(lambda: ours.fit(GOOD, y)), _outcome(lambda: theirs.fit(GOOD, y)), _same_model)


@pytest.mark.parametrize("name", ODD_WEIGHTS)
def test_logistic_on_odd_weights(name, engine):
    weight = ODD_WEIGHTS[name]
    ours, theirs = (Model() for Model in LOGISTIC)
    _same_outcome(
        _outcome(lambda: ours.fit(GOOD, LABELS, sample_weight=weight)),
        _outcome(lambda: theirs.fit(GOOD, LABELS, sample_weight=weight)),
        _same_model,
    )


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_fitted_logistic_on_odd_input(name, method, engine):
    X = ODD[name]
    before = _untouched(X)
    ours, theirs = (Model().fit(GOOD, LABELS) for Model in LOGISTIC)

    def same(a, b):
        assert a.dtype == b.dtype
        lost = np.isneginf(
            b
        )  # the reference takes log(0) where the probability underflows; the logarithm itself does not
        assert (a[lost] < -700).all()
        np.testing.assert_allclose(a[~lost], b[~lost], rtol=1e-9)

    _same_outcome(_outcome(lambda: getattr(ours, method)(X)), _outcome(lambda: getattr(theirs, method)(X)), same)
    _assert_untouched(X, before)


@QUICK
@given(X=matrices(2, 1), classes=st.integers(1, 3))
def test_logistic_on_any_matrix(X, classes, engine):
    before = X.copy()
    y = np.arange(len(X)) % classes
    ours, theirs = (Model(max_iter=20) for Model in LOGISTIC)
    _same_outcome(_outcome(lambda: ours.fit(X, y)), _outcome(lambda: theirs.fit(X, y)), _both_are_fitted)
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
    ours, theirs = (_outcome(lambda: Model(**parameters).fit(GOOD, LABELS)) for Model in LOGISTIC)  # noqa: B023
    _same_outcome(ours, theirs, _same_model)


@pytest.mark.parametrize("parameters", [{"with_mean": "yes"}, {"with_std": None}, {"copy": 3.0}], ids=str)
def test_scaler_bad_parameter_is_the_references_error(parameters, engine):
    ours, theirs = (_outcome(lambda: Scaler(**parameters).fit(GOOD)) for Scaler in SCALER)  # noqa: B023
    _same_outcome(ours, theirs, _same_scaler(0))


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
    before = _untouched(x0)
    ours, theirs = (_outcome(lambda: f(_bowl, x0, method=method, jac=jac)) for f in MINIMIZE)  # noqa: B023
    _same_outcome(ours, theirs, _same_result)
    _assert_untouched(x0, before)


@QUICK
@given(
    x0=npst.arrays(np.float64, st.integers(1, 4), elements=_values(np.float64)),
    case=st.sampled_from([("BFGS", 1.0), *((m, power) for m in ("BFGS", "L-BFGS-B") for power in (1.5, 2.0, 4.0))]),
)
def test_minimize_from_anywhere(x0, case, engine):
    method, power = case  # L-BFGS-B where there is a kink: see the ledger's known differences

    def landscape(x):
        return (np.abs(x - 1.0) ** power).sum()

    before = x0.copy()
    ours, theirs = (_outcome(lambda: f(landscape, x0, method=method)) for f in MINIMIZE)  # noqa: B023
    _same_outcome(ours, theirs, _same_result)
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
    ours, theirs = (_outcome(lambda: f(_bowl, [3.0, 4.0], **options)) for f in MINIMIZE)  # noqa: B023
    _same_outcome(ours, theirs, _same_result)


@pytest.mark.parametrize("value", ["text", None, [1.0, 2.0], 1j, np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_minimize_odd_values_of_the_objective(value, method, engine):
    ours, theirs = (_outcome(lambda: f(lambda x: value, [3.0, 4.0], method=method)) for f in MINIMIZE)  # noqa: B023
    _same_outcome(ours, theirs, _same_result)


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
        _, error = _outcome(lambda: fit(ODD[name]))  # noqa: B023
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
