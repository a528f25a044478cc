"""Bad input at the doors of trees, forests and k-means: the reference's kind of error, or the reference's answer."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
import sklearn.ensemble
import sklearn.tree
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

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
)
from .tree_cases import ARRAYS

KINDS = {
    "classifier": ("tree", "DecisionTreeClassifier", {"random_state": 0}),
    "regressor": ("tree", "DecisionTreeRegressor", {"random_state": 0}),
    "forest classifier": ("ensemble", "RandomForestClassifier", {"random_state": 0, "n_estimators": 3}),
    "forest regressor": ("ensemble", "RandomForestRegressor", {"random_state": 0, "n_estimators": 3}),
    "k-means": ("cluster", "KMeans", {"random_state": 0, "n_clusters": 2, "n_init": 2}),
}


def pair(kind, **options):
    """Ours and theirs, alike."""
    room, name, defaults = KINDS[kind]
    libraries = (getattr(minimal, room), getattr(sklearn, room))
    return tuple(getattr(library, name)(**(defaults | options)) for library in libraries)


def same_tree(ours, theirs):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(ours.tree_, name), getattr(theirs.tree_, name), err_msg=name)


def _plain(value):
    """Lists for arrays, so that they compare."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def same_fit(ours, theirs):
    """Everything that was learned."""
    assert ours.n_features_in_ == theirs.n_features_in_
    if hasattr(theirs, "cluster_centers_"):
        assert ours.labels_.tolist() == theirs.labels_.tolist()
        assert ours.n_iter_ == theirs.n_iter_
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-6)
        return
    for name in ("classes_", "n_classes_", "n_outputs_"):
        assert _plain(getattr(ours, name, None)) == _plain(getattr(theirs, name, None))
    for mine, yours in zip(getattr(ours, "estimators_", [ours]), getattr(theirs, "estimators_", [theirs]), strict=True):
        same_tree(mine, yours)


def fit_both(kind, *args, options=None, same=same_fit, **kwargs):
    ours, theirs = pair(kind, **(options or {}))
    with threadpool_limits(1):
        same_outcome(outcome(lambda: ours.fit(*args, **kwargs)), outcome(lambda: theirs.fit(*args, **kwargs)), same)


def _both_are_fitted(ours, theirs):
    """For squared distances that overflow, so that no centre is the nearest."""
    assert ours.cluster_centers_.shape == theirs.cluster_centers_.shape


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", KINDS)
def test_fit_on_odd_input(kind, name, engine):
    X = ODD[name]
    before = untouched(X)
    n = X.shape[0] if getattr(X, "shape", ()) else len(X) if isinstance(X, list) else 1
    overflows = kind == "k-means" and name == "huge"
    fit_both(kind, X, np.arange(n) % 2, same=_both_are_fitted if overflows else same_fit)
    assert_untouched(X, before)


@pytest.mark.parametrize("name", ODD_TARGETS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "k-means"])
def test_fit_on_odd_targets(kind, name, engine):
    fit_both(kind, GOOD, ODD_TARGETS[name])


@pytest.mark.parametrize("name", ODD_WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_fit_on_odd_weights(kind, name, engine):
    fit_both(kind, GOOD, LABELS, sample_weight=ODD_WEIGHTS[name])


METHODS = {
    "classifier": ("predict", "predict_proba", "predict_log_proba", "apply", "decision_path"),
    "regressor": ("predict", "apply", "decision_path"),
    "forest classifier": ("predict", "predict_proba", "apply"),
    "forest regressor": ("predict", "apply"),
    "k-means": ("predict", "transform"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(("kind", "method"), [(kind, method) for kind in METHODS for method in METHODS[kind]])
def test_fitted_on_odd_input(kind, method, name, engine):
    X = ODD[name]
    before = untouched(X)
    ours, theirs = (model.fit(GOOD, LABELS) for model in pair(kind))

    def same(a, b):
        assert a.dtype == b.dtype
        assert sp.issparse(a) == sp.issparse(b)
        a, b = (m.toarray() if sp.issparse(m) else m for m in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-12 if a.dtype == np.float64 else 1e-5, atol=1e-7)

    same_outcome(outcome(lambda: getattr(ours, method)(X)), outcome(lambda: getattr(theirs, method)(X)), same)
    assert_untouched(X, before)


@QUICK
@given(X=matrices(1, 1), kind=st.sampled_from(list(KINDS)))
def test_fit_on_any_matrix(X, kind, engine):
    before = X.copy()
    y = np.arange(len(X)) % 3
    with np.errstate(over="ignore"):
        overflows = kind == "k-means" and not np.isfinite(4 * (X.astype(np.float32) ** 2).sum())
    if kind != "k-means" and not X.flags.writeable:
        # The reference refuses read-only memory if it has to look for missing values; ours reads it as it reads a copy.
        fit_both(kind, X.copy(), y)
        same_outcome(*(outcome(lambda data=data: pair(kind)[0].fit(data, y)) for data in (X, X.copy())), same_fit)
    else:
        fit_both(kind, X, y, same=_both_are_fitted if overflows else same_fit)
    np.testing.assert_array_equal(X, before)


BAD_TREE_PARAMETERS = [
    {"criterion": "giny"},
    {"splitter": "worst"},
    {"max_depth": 0},
    {"max_depth": 2.5},
    {"min_samples_split": 1},
    {"min_samples_split": 0.0},
    {"min_samples_split": 1.5},
    {"min_samples_leaf": 0},
    {"min_samples_leaf": 1.0},
    {"min_weight_fraction_leaf": 0.6},
    {"max_features": 0},
    {"max_features": 1.5},
    {"max_features": "auto"},
    {"max_leaf_nodes": 1},
    {"min_impurity_decrease": -0.1},
    {"class_weight": "heavy"},
    {"class_weight": {5: 1.0}},
    {"class_weight": [{0: 1.0}]},
    {"class_weight": 3},
    {"ccp_alpha": -0.1},
    {"random_state": "seed"},
    {"random_state": -1},
    {"monotonic_cst": [1]},
    {"monotonic_cst": [2, 0]},
    {"monotonic_cst": "up"},
    {"monotonic_cst": [1, 0], "criterion": "poisson"},
]
BAD_FOREST_PARAMETERS = [
    {"n_estimators": 0},
    {"n_estimators": "3"},
    {"bootstrap": "yes"},
    {"oob_score": "yes"},
    {"oob_score": True, "bootstrap": False},
    {"max_samples": 0.0},
    {"max_samples": 1.5},
    {"max_samples": 100},
    {"max_samples": 0.5, "bootstrap": False},
    {"n_jobs": 1.5},
    {"warm_start": "yes"},
    {"verbose": -1},
]
BAD_CLUSTER_PARAMETERS = [
    {"n_clusters": 0},
    {"n_clusters": 7},
    {"n_clusters": 2.0},
    {"init": "best"},
    {"init": np.ones((3, 2))},
    {"init": np.ones((2, 3))},
    {"init": lambda X, k, random_state: np.ones((5, 5))},
    {"init": [[0.0, np.nan], [1.0, 1.0]]},
    {"n_init": 0},
    {"n_init": "many"},
    {"max_iter": 0},
    {"tol": -1.0},
    {"verbose": -1},
    {"copy_x": "no"},
    {"algorithm": "full"},
    {"random_state": "seed"},
]
BAD = [
    (kind, options)
    for kind, room in KINDS.items()
    for options in (
        BAD_CLUSTER_PARAMETERS
        if kind == "k-means"
        else BAD_TREE_PARAMETERS + (BAD_FOREST_PARAMETERS if "forest" in kind else [])
    )
    if not ("class_weight" in options and "regressor" in kind) and not ("splitter" in options and "forest" in kind)
]


@pytest.mark.parametrize(("kind", "options"), BAD, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(BAD)])
def test_bad_parameter_is_the_references_error(kind, options, engine):
    fit_both(kind, GOOD, LABELS, options=options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "bad", [np.where(GOOD > 2, np.inf, GOOD), GOOD[:, 0], "text"], ids=["infinite", "one-dimensional", "text"]
)
def test_failed_refit_leaves_nothing_that_answers(kind, bad, engine):
    model = pair(kind)[0].fit(GOOD, LABELS)
    with pytest.raises(ValueError, match=r"\w"):
        model.fit(bad, LABELS)
    for method in METHODS[kind]:
        with pytest.raises(NotFittedError, match="Call 'fit'"):
            getattr(model, method)(GOOD)
    for attribute in ("tree_", "estimators_", "cluster_centers_", "labels_", "feature_importances_"):
        assert not hasattr(model, attribute)
