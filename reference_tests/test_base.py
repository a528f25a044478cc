"""What every estimator can do, held against scikit-learn's own: parameters, descriptions, names, containers, searches."""

from __future__ import annotations

import copy
import pickle
import warnings
from html.parser import HTMLParser

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import sklearn.linear_model
import sklearn.preprocessing
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_array as their_check_array
from sklearn.utils import get_tags
from sklearn.utils.validation import _check_sample_weight as their_check_sample_weight

import minimal
from minimal.base import BaseEstimator, RegressorMixin, forgets_on_error
from minimal.exceptions import ConvergenceWarning, UndefinedMetricWarning, kin
from minimal.linear_model import LogisticRegression
from minimal.preprocessing import StandardScaler
from minimal.validation import check_array, check_sample_weight

SCALERS = (StandardScaler, sklearn.preprocessing.StandardScaler)
MODELS = (LogisticRegression, sklearn.linear_model.LogisticRegression)


class Holder(BaseEstimator):
    """An estimator with another estimator as a parameter."""

    def __init__(self, *, inner=None, width=1.0):
        self.inner = inner
        self.width = width


class TheirHolder(sklearn.base.BaseEstimator):
    """The same on scikit-learn's ground."""

    def __init__(self, *, inner=None, width=1.0):
        self.inner = inner
        self.width = width


def frame(n_features=8):
    values = np.random.default_rng(0).standard_normal((6, n_features))
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(n_features)], index=list("uvwxyz"))


def error_of(job, *args, **kwargs):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        job(*args, **kwargs)
    return caught.value


def same_error(ours, theirs, *, message=True):
    """The class that an except clause would name, and the words."""
    assert isinstance(ours, type(theirs))
    if message:
        assert str(ours) == str(theirs)


# ---------------------------------------------------------------- parameters


def test_parameters_reach_into_estimators():
    outer = Holder(inner=Holder(inner=StandardScaler(copy=False)))
    assert outer.get_params(deep=False) == {"inner": outer.inner, "width": 1.0}
    theirs = TheirHolder(inner=TheirHolder(inner=sklearn.preprocessing.StandardScaler(copy=False)))
    assert list(outer.get_params()) == list(theirs.get_params())
    assert outer.get_params()["inner__inner__copy"] is False
    assert outer.set_params(width=2.0, inner__width=3.0, inner__inner__with_mean=False) is outer
    assert (outer.width, outer.inner.width, outer.inner.inner.with_mean) == (2.0, 3.0, False)
    assert outer.set_params() is outer


def test_new_inner_estimator_comes_before_its_parameters():
    old = StandardScaler()
    outer = Holder(inner=old).set_params(inner__copy=False, inner=StandardScaler())
    assert outer.inner is not old
    assert outer.inner.copy is False
    assert old.copy is True


@pytest.mark.parametrize("params", [{"depth": 3}, {"depth__x": 3}, {"inner__depth": 3}, {"width__x": 3}])
def test_unknown_parameter_is_the_references_error(params):
    ours = error_of(Holder(inner=StandardScaler()).set_params, **params)
    theirs = error_of(TheirHolder(inner=sklearn.preprocessing.StandardScaler()).set_params, **params)
    assert isinstance(ours, type(theirs))
    assert str(ours) == str(theirs).replace("TheirHolder", "Holder")


def test_class_as_a_parameter_is_a_value():
    assert Holder(inner=StandardScaler).get_params() == {"inner": StandardScaler, "width": 1.0}


def test_clone_copies_parameters_and_nothing_else():
    outer = Holder(inner=StandardScaler(with_std=False).fit([[1.0], [2.0]]), width=[1, 2])
    fresh = clone(outer)
    assert fresh.inner is not outer.inner
    assert fresh.width is not outer.width
    assert (fresh.inner.with_std, fresh.width) == (False, [1, 2])
    with pytest.raises(NotFittedError):
        fresh.inner.transform([[1.0]])


def test_deep_copy_is_independent():
    scaler = StandardScaler().fit([[1.0], [3.0]])
    other = copy.deepcopy(scaler)
    other.partial_fit([[100.0], [200.0]])
    assert scaler.mean_[0] == 2.0
    assert scaler.n_samples_seen_ == 2
    other.set_params(with_mean=False)
    assert scaler.with_mean is True


@pytest.mark.parametrize("pair", [SCALERS, MODELS], ids=["StandardScaler", "LogisticRegression"])
def test_tags_are_the_references(pair):
    for options in ({}, {"with_mean": False} if pair is SCALERS else {"solver": "newton-cholesky"}):
        ours, theirs = (get_tags(kind(**options)) for kind in pair)
        theirs.array_api_support = ours.array_api_support  # here: NumPy's arrays only
        assert ours == theirs


# ---------------------------------------------------------------- descriptions


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"C": 10.0},
        {"C": np.float64(10.0), "max_iter": 100},
        {"tol": float("nan")},
        {"class_weight": {0: 1.0, 1: 2.0}},
        {"C": 0.01, "fit_intercept": False, "max_iter": 1000, "random_state": 0, "solver": "newton-cholesky"},
        {"C": 0.01, "class_weight": "balanced", "l1_ratio": 0.5, "max_iter": 12345, "solver": "saga", "tol": 1e-9},
    ],
    ids=str,
)
def test_text_is_the_references(options):
    ours, theirs = (repr(Model(**options)) for Model in MODELS)
    assert ours == theirs


@pytest.mark.parametrize(
    "options", [{}, {"C": 3.0}, {"C": 3.0, "tol": 0.5}, {"max_iter": 3, "warm_start": True}], ids=str
)
def test_lines_break_where_the_references_break(options):
    for length in range(90):
        ours, theirs = (repr(Model(solver=length * "s", **options)) for Model in MODELS)
        assert ours == theirs


@pytest.mark.parametrize(
    "value",
    [list(range(30)), dict.fromkeys(range(12), 1.0), np.arange(2000.0), "s" * 200, [StandardScaler(copy=False)] * 4],
    ids=["a list", "a dictionary", "an array", "text", "estimators"],
)
def test_text_of_long_values_has_the_references_words(value):
    """The reference also breaks lines inside a value, and leaves out what comes after thirty entries."""
    ours, theirs = (repr(kind(inner=value, width=0)) for kind in (Holder, TheirHolder))
    assert ours.split() == theirs.replace("TheirHolder", "Holder").split()


def test_text_of_estimators_inside_estimators():
    nested, theirs = (
        outer(inner=outer(inner=scaler(with_std=False), width=[1, 2]))
        for outer, scaler in zip((Holder, TheirHolder), SCALERS)
    )
    # The same words; the reference also breaks lines that would fit.
    assert repr(nested).split() == repr(theirs).replace("TheirHolder", "Holder").split()
    assert repr(nested) == "Holder(inner=Holder(inner=StandardScaler(with_std=False), width=[1, 2]))"
    ours, theirs = (repr(Pipeline([("a", scaler()), ("b", model(C=3.0))])) for scaler, model in zip(SCALERS, MODELS))
    assert ours == theirs


class _Balanced(HTMLParser):
    """Reads a page, keeps the text and the text in bold, and complains of a tag that is not closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.bold = [], "", []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in ("input", "br", "link", "meta", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "b" in self.open:
            self.bold.append(data)


def test_html_says_what_is_set_and_whether_it_is_fitted():
    scaler = StandardScaler(with_std=False)
    page = _Balanced(scaler._repr_html_())
    assert page.bold == ["with_std"]
    assert all(name in page.text for name in ("copy", "with_mean", "with_std", "(not fitted)"))
    assert "(fitted)" in _Balanced(scaler.fit([[1.0]])._repr_html_()).text


def test_html_escapes_what_is_not_its_own():
    page = Holder(width="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in page
    assert "<script>alert(1)</script>" in _Balanced(page).text


def test_pipeline_draws_our_estimators():
    pipeline = make_pipeline(StandardScaler(with_std=False), LogisticRegression(C=3.0))
    page = pipeline._repr_html_()
    text = _Balanced(page).text
    assert "StandardScaler" in text
    assert "LogisticRegression" in text
    assert "with_std" in text
    assert "Not fitted" in text
    X, y = load_iris(return_X_y=True)
    assert "Not fitted" not in _Balanced(pipeline.fit(X, y)._repr_html_()).text


# ---------------------------------------------------------------- pickles


def test_pickle_of_the_same_version_is_silent():
    scaler = StandardScaler(with_std=False).fit([[1.0], [3.0]])
    again = pickle.loads(pickle.dumps(scaler))
    assert vars(again).keys() == vars(scaler).keys()
    assert again.mean_[0] == 2.0
    assert again.with_std is False


def test_pickle_of_another_version_warns(monkeypatch):
    scaler = StandardScaler().fit([[1.0], [3.0]])
    monkeypatch.setattr(minimal, "__version__", "0.0.1")
    old = pickle.dumps(scaler)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=rf"StandardScaler was pickled by minimal 0\.0\.1 .* {minimal.__version__}"):
        again = pickle.loads(old)
    assert again.mean_[0] == 2.0
    assert "_minimal_version" not in vars(again)
    with pytest.warns(UserWarning, match="an unknown version"):
        again.__setstate__({"copy": False})
    assert again.copy is False


def test_errors_and_warnings_come_home_from_a_worker_process():
    error = error_of(StandardScaler().transform, [[1.0]])
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, minimal.exceptions.NotFittedError)
    assert again.args == error.args
    assert isinstance(pickle.loads(pickle.dumps(kin(ConvergenceWarning)("slowly"))), ConvergenceWarning)


# ---------------------------------------------------------------- a fit that fails


class Fragile(BaseEstimator):
    """Learns one number, then fails on request."""

    def __init__(self, *, error=None):
        self.error = error

    @forgets_on_error
    def fit(self, X):
        self.n_features_in_ = self.sum_ = X
        if self.error is not None:
            raise self.error
        return self


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=repr)
def test_failed_fit_leaves_nothing_learned(error):
    estimator = Fragile().fit(1)
    assert estimator.__sklearn_is_fitted__()
    estimator.mark, estimator._private_, estimator.__dict__["dunder__"] = 1, 2, 3
    with pytest.raises(type(error)):
        estimator.set_params(error=error).fit(2)
    assert not estimator.__sklearn_is_fitted__()
    assert vars(estimator) == {"error": error, "mark": 1, "dunder__": 3}


# ---------------------------------------------------------------- feature names

RENAMED = {
    "other names": lambda X: X.rename(columns=str.upper),
    "one name more": lambda X: X.assign(zz=1.0),
    "one name less": lambda X: X.drop(columns="f3"),
    "one name changed": lambda X: X.rename(columns={"f3": "g3"}),
    "another order": lambda X: X[X.columns[::-1]],
    "last two swapped": lambda X: X[[*X.columns[:-2], X.columns[-1], X.columns[-2]]],
}


@pytest.mark.parametrize("name", RENAMED)
def test_other_feature_names_are_the_references_error(name):
    X = frame()
    for job in ("transform", "partial_fit"):
        ours, theirs = (error_of(getattr(Scaler().fit(X), job), RENAMED[name](X)) for Scaler in SCALERS)
        same_error(ours, theirs)
    y = [0, 1, 0, 1, 0, 1]
    ours, theirs = (error_of(Model().fit(X, y).predict, RENAMED[name](X)) for Model in MODELS)
    same_error(ours, theirs)


def warnings_of(job, *args):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        job(*args)
    return [(w.category, str(w.message)) for w in said]


@pytest.mark.parametrize("job", ["transform", "partial_fit", "inverse_transform"])
def test_names_on_one_side_only_are_the_references_warning(job):
    X = frame()
    with_names, without = ([Scaler().fit(data) for Scaler in SCALERS] for data in (X, X.to_numpy()))
    for scalers, data in ((with_names, X.to_numpy()), (without, X), (with_names, X), (without, X.to_numpy())):
        ours, theirs = (warnings_of(getattr(scaler, job), data) for scaler in scalers)
        assert ours == theirs
    assert warnings_of(without[0].transform, X) == [
        (UserWarning, "X has feature names, but StandardScaler was fitted without feature names")
    ]


@pytest.mark.parametrize(
    "kind", [*SCALERS, *MODELS], ids=lambda kind: f"{kind.__module__.split('.')[0]}.{kind.__name__}"
)
def test_names_go_when_a_fit_has_none(kind):
    warm = {"warm_start": True} if kind in MODELS else {}  # the fit that goes on from the last one forgets them too
    X, y, estimator = frame(), [0, 1, 0, 1, 0, 1], kind(**warm)
    for nameless in (X.to_numpy(), X.rename(columns=lambda name: int(name[1:]))):
        estimator.fit(X, y)
        assert estimator.feature_names_in_.tolist() == [f"f{i}" for i in range(8)]
        assert estimator.feature_names_in_.dtype == object
        estimator.fit(nameless, y)
        assert not hasattr(estimator, "feature_names_in_")


def test_mixed_names_are_the_references_error():
    X = frame(2).rename(columns={"f1": 1})
    ours, theirs = (error_of(Scaler().fit, X) for Scaler in SCALERS)
    same_error(ours, theirs, message=False)
    assert str(ours)[:70] == str(theirs)[:70]


@pytest.mark.parametrize("width", [0, 7, 9])
def test_other_number_of_features_is_the_references_error(width):
    X = frame().to_numpy()
    for job in ("transform", "partial_fit"):
        ours, theirs = (error_of(getattr(Scaler().fit(X), job), np.ones((3, width))) for Scaler in SCALERS)
        same_error(ours, theirs, message=width > 0)


def test_names_out_are_the_references():
    X = frame(3)
    for data in (X, X.to_numpy()):
        ours, theirs = (Scaler().fit(data) for Scaler in SCALERS)
        for given in (None, ["f0", "f1", "f2"], X.columns):
            a, b = ours.get_feature_names_out(given), theirs.get_feature_names_out(given)
            assert a.tolist() == b.tolist()
            assert a.dtype == b.dtype
        for given in (["a"], ["a", "b", "c"] if data is X else ["a", "b"], []):
            same_error(*(error_of(scaler.get_feature_names_out, given) for scaler in (ours, theirs)))
    same_error(*(error_of(Scaler().get_feature_names_out) for Scaler in SCALERS))


# ---------------------------------------------------------------- containers


def test_answers_in_the_container_that_was_asked_for():
    X = frame(3)
    ours, theirs = (Scaler().set_output(transform="pandas") for Scaler in SCALERS)
    for data in (X, X.to_numpy(), X.astype(np.float32), X.to_numpy().tolist()):
        a, b = ours.fit_transform(data), theirs.fit_transform(data)
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert ours.set_output(transform=None) is ours
    assert isinstance(ours.transform(data), pd.DataFrame)
    assert isinstance(clone(ours).fit_transform(data), pd.DataFrame)
    assert isinstance(pickle.loads(pickle.dumps(ours)).transform(data), pd.DataFrame)
    assert type(ours.inverse_transform(data)) is type(theirs.inverse_transform(data)) is np.ndarray
    assert isinstance(ours.set_output(transform="default").transform(data), np.ndarray)


def test_pipeline_passes_containers_on():
    X = frame(3)
    ours, theirs = (make_pipeline(Scaler(), Scaler()).set_output(transform="pandas") for Scaler in SCALERS)
    pd.testing.assert_frame_equal(ours.fit_transform(X), theirs.fit_transform(X), check_exact=True)
    assert ours.get_feature_names_out().tolist() == ["f0", "f1", "f2"]


def test_choice_for_all_of_scikit_learn_counts_here():
    X = frame(3)
    ours, theirs = (Scaler().fit(X) for Scaler in SCALERS)
    own_choice = StandardScaler().fit(X).set_output(transform="default")
    with sklearn.config_context(transform_output="pandas"):
        pd.testing.assert_frame_equal(ours.transform(X), theirs.transform(X), check_exact=True)
        assert isinstance(own_choice.transform(X), np.ndarray)
    assert isinstance(ours.transform(X), np.ndarray)


def test_unknown_container_is_the_references_error():
    same_error(*(error_of(Scaler().set_output(transform="numpy").fit_transform, frame()) for Scaler in SCALERS))


def test_sparse_answers_do_not_fit_a_frame():
    X = scipy.sparse.csr_array(np.eye(3))
    scalers = [Scaler(with_mean=False).set_output(transform="pandas").fit(X) for Scaler in SCALERS]
    same_error(*(error_of(scaler.transform, X) for scaler in scalers), message=False)


def test_polars():
    scalers = [Scaler().fit(frame(3)).set_output(transform="polars") for Scaler in SCALERS]
    try:
        import polars
    except ImportError:
        same_error(*(error_of(scaler.transform, frame(3)) for scaler in scalers), message=False)
        return
    a, b = (scaler.transform(frame(3)) for scaler in scalers)
    assert isinstance(a, polars.DataFrame)
    assert a.equals(b)


# ---------------------------------------------------------------- in scikit-learn's searches


def pipelines():
    return [Pipeline([("scale", S()), ("model", M(max_iter=500))]) for S, M in zip(SCALERS, MODELS)]


def test_grid_search_over_a_pipeline_finds_what_the_reference_finds(engine):
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"scale__with_std": [True, False], "model__C": [0.1, 1.0], "model__class_weight": [None, "balanced"]}
    grid["scale__with_std"] = [True]
    ours, theirs = (GridSearchCV(p, grid, cv=3, scoring="neg_log_loss").fit(X, y) for p in pipelines())
    assert ours.best_params_ == theirs.best_params_
    a, b = ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    np.testing.assert_allclose(a, b, rtol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert isinstance(ours.best_estimator_["model"], LogisticRegression)


def test_cross_validation_scores_are_the_references(engine):
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = load_iris().target_names[y]
    ours, theirs = (cross_val_score(p, X, names, cv=4) for p in pipelines())
    np.testing.assert_array_equal(ours, theirs)


def test_score_with_weights_is_the_references():
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.0, 2.0, len(y))
    ours, theirs = (Model(max_iter=20, tol=0.5).fit(X, y) for Model in MODELS)
    for truth in (y, np.roll(y, 1)):
        assert ours.score(X, truth) == theirs.score(X, truth)
        assert ours.score(X, truth, weight) == pytest.approx(theirs.score(X, truth, weight), rel=1e-15)
    assert type(ours.score(X, y)) is float
    same_error(*(error_of(model.score, X, y[:-1]) for model in (ours, theirs)))
    same_error(*(error_of(model.score, X, y, weight[:-1]) for model in (ours, theirs)), message=False)


class Echo(RegressorMixin, BaseEstimator):
    """Predicts the numbers that it is given."""

    def predict(self, X):
        return np.asarray(X, dtype=float)


class TheirEcho(sklearn.base.RegressorMixin, sklearn.base.BaseEstimator):
    """The same on scikit-learn's ground."""

    predict = Echo.predict


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
@pytest.mark.parametrize("case", ["noisy", "exact", "constant target", "constant target, missed"])
def test_explained_share_is_the_references(shape, case):
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(shape) if "constant" not in case else np.full(shape, 2.5)
    guess = truth.copy() if case in ("exact", "constant target") else truth + rng.standard_normal(shape) / 3
    weight = rng.uniform(0.0, 2.0, len(truth))
    for options in ({}, {"sample_weight": weight}):
        ours, theirs = (model.score(guess, truth, **options) for model in (Echo(), TheirEcho()))
        assert ours == pytest.approx(theirs, rel=1e-14, abs=1e-14)
        assert type(ours) is float


def test_explained_share_of_one_sample_is_unknown():
    for model, kind in ((Echo(), UndefinedMetricWarning), (TheirEcho(), sklearn.exceptions.UndefinedMetricWarning)):
        with pytest.warns(kind, match="less than two samples"):
            assert np.isnan(model.score([1.0], [1.0]))
    same_error(*(error_of(model.score, [1.0, 2.0], [1.0]) for model in (Echo(), TheirEcho())))


def test_two_worker_processes_do_what_this_one_does():
    """Their data are memory-mapped and read-only, their estimators travel pickled."""
    X, y = load_breast_cancer(return_X_y=True)
    pipeline, _ = pipelines()
    here = [clone(pipeline).set_params(model__C=C).fit(X, y) for C in (0.1, 1.0)]
    workers = joblib.Parallel(n_jobs=2, max_nbytes="1K")
    jobs = [joblib.delayed(clone(pipeline).set_params(model__C=C).fit)(X, y) for C in (0.1, 1.0)]
    for ours, theirs in zip(workers(jobs), here, strict=True):
        np.testing.assert_array_equal(ours["scale"].mean_, theirs["scale"].mean_)
        np.testing.assert_array_equal(ours["model"].coef_, theirs["model"].coef_)


# ---------------------------------------------------------------- the door

ARRAYS = {
    "floats": np.arange(6.0).reshape(3, 2),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "integers": np.arange(6).reshape(3, 2),
    "single precision": np.arange(6, dtype=np.float32).reshape(3, 2),
    "booleans": np.eye(3, dtype=bool),
    "a list": [[1, 2], [3, 4]],
    "a frame": pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}),
    "nullable": pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [0.5, 1.5]}),
    "numbers as objects": np.array([[1, 2.5], [3, 4]], dtype=object),
    "numbers as text": np.array([["1", "2"], ["3", "4.5"]]),
    "text": np.array([["a", "b"], ["c", "d"]]),
    "missing": np.array([[1.0, np.nan], [2.0, 3.0]]),
    "missing objects": np.array([[1.0, np.nan], [2.0, 3.0]], dtype=object),
    "infinite": np.array([[1.0, -np.inf], [2.0, 3.0]]),
    "a sum beyond the largest float": np.full((3, 2), 1.7e308),
    "both infinities": np.array([[np.inf, -np.inf], [2.0, 3.0]]),
    "complex": np.ones((2, 2)) * 1j,
    "one dimension": np.arange(3.0),
    "no dimension": np.array(1.0),
    "three dimensions": np.zeros((2, 2, 2)),
    "no rows": np.zeros((0, 2)),
    "no columns": np.zeros((2, 0)),
    "one row": np.zeros((1, 2)),
    "a matrix": np.array([[1.0, 2.0]]).view(np.matrix),
    "a series": pd.Series([1.0, 2.0]),
    "sparse": scipy.sparse.csr_array(np.eye(3)),
    "sparse, by columns": scipy.sparse.csc_array(np.eye(3)),
    "sparse, missing": scipy.sparse.csr_array([[np.nan, 0.0], [1.0, 2.0]]),
    "sparse integers": scipy.sparse.coo_array(np.eye(3, dtype=int)),
}

OPTIONS = {
    "defaults": ({}, {}),
    "a copy": ({"copy": True}, {"copy": True}),
    "C order": ({"order": "C"}, {"order": "C"}),
    "F order, copied": ({"order": "F", "copy": True}, {"order": "F", "copy": True}),
    "floats": ({"dtype": (np.float64, np.float32)}, {"dtype": [np.float64, np.float32]}),
    "single": ({"dtype": np.float32}, {"dtype": np.float32}),
    "as it is": ({"dtype": None, "finite": False}, {"dtype": None, "ensure_all_finite": False}),
    "missing allowed": ({"finite": "allow-nan"}, {"ensure_all_finite": "allow-nan"}),
    "anything allowed": ({"finite": False}, {"ensure_all_finite": False}),
    "two rows": ({"min_samples": 2}, {"ensure_min_samples": 2}),
    "three columns": ({"min_features": 3}, {"ensure_min_features": 3}),
    "any rank": ({"ensure_2d": False}, {"ensure_2d": False}),
    "sparse rows": ({"accept_sparse": ("csr",), "copy": True}, {"accept_sparse": ["csr"], "copy": True}),
    "sparse": ({"accept_sparse": ("csr", "csc")}, {"accept_sparse": ["csr", "csc"]}),
}


def outcome(job, *args, **kwargs):
    try:
        return job(*args, **kwargs), None
    except Exception as error:
        return None, error


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ARRAYS)
def test_check_array_is_the_references(name, option):
    X, (our_options, their_options) = ARRAYS[name], OPTIONS[option]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="overflow encountered in cast")  # NumPy's, on both sides
        ours, our_error = outcome(check_array, X, name="X", owner="It", **our_options)
        warnings.filterwarnings("ignore", message="invalid value encountered in reduce")  # it adds inf and -inf
        theirs, their_error = outcome(their_check_array, X, input_name="X", estimator="It", **their_options)
    assert (our_error is None) == (their_error is None), (our_error, their_error)
    if their_error is not None:
        same_error(our_error, their_error, message=False)
        assert len(str(our_error)) > 15
        return
    assert type(ours) is type(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    a, b = (m.toarray() if scipy.sparse.issparse(m) else m for m in (ours, theirs))
    if a.dtype == object:
        a, b = a.astype(float), b.astype(float)  # NaN equals NaN among floats only
    np.testing.assert_array_equal(a, b)
    if isinstance(X, np.ndarray):
        assert np.shares_memory(ours, X) == np.shares_memory(theirs, X)
        assert (ours.flags.c_contiguous, ours.flags.f_contiguous) == (
            theirs.flags.c_contiguous,
            theirs.flags.f_contiguous,
        )
    if scipy.sparse.issparse(X) and X.format != "coo":
        assert np.shares_memory(ours.data, X.data) == np.shares_memory(theirs.data, X.data)


WEIGHTS = {
    "none": None,
    "a number": 2.5,
    "an integer": 3,
    "zero": 0.0,
    "integers": np.array([1, 2, 3]),
    "single precision": np.ones(3, np.float32),
    "a list": [1.0, 2.0, 0.0],
    "every second": np.arange(1.0, 7.0)[::2],
    "zeros": np.zeros(3),
    "one negative": np.array([1.0, -1.0, 1.0]),
    "no dimension": np.array(2.5),
    "too short": np.ones(2),
    "a column": np.ones((3, 1)),
    "missing": np.array([1.0, np.nan, 1.0]),
    "infinite": np.array([1.0, np.inf, 1.0]),
    "text": np.array(["a", "b", "c"]),
}


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
@pytest.mark.parametrize("name", WEIGHTS)
def test_check_sample_weight_is_the_references(name, dtype):
    X, weight = np.ones((3, 2)), WEIGHTS[name]
    for ours_too, theirs_too in (
        ({}, {}),
        ({"non_negative": True}, {"ensure_non_negative": True}),
        ({"all_zero": True}, {"allow_all_zero_weights": True}),
    ):
        ours, our_error = outcome(check_sample_weight, weight, X, dtype=dtype, **ours_too)
        theirs, their_error = outcome(their_check_sample_weight, weight, X, dtype=dtype, **theirs_too)
        assert (our_error is None) == (their_error is None), (our_error, their_error)
        if their_error is not None:
            same_error(our_error, their_error, message=False)
            continue
        np.testing.assert_array_equal(ours, theirs, strict=True)
        assert ours.flags.c_contiguous
