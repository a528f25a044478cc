"""DecisionTreeClassifier and DecisionTreeRegressor: parameters, data of every kind, predictions, errors, and the tools that
read a fitted tree.  How trees grow, node for node over a wide grid, is in ``test_tree_growing``.
"""

import copy
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.tree
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minimal
from minimal.tree.structure import Tree

from .tree_cases import assert_same_tree, assert_same_values, classification, labels_for, regression, with_ties

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")

CLASSIFIER_OPTIONS = [
    {},
    {"criterion": "entropy", "max_depth": 3},
    {"criterion": "log_loss", "min_samples_leaf": 5},
    {"splitter": "random"},
    {"min_samples_split": 0.2, "min_samples_leaf": 0.03},
    {"min_weight_fraction_leaf": 0.1},
    {"max_features": "sqrt"},
    {"max_features": "log2"},
    {"max_features": 2},
    {"max_features": 0.5, "splitter": "random"},
    {"max_leaf_nodes": 6},
    {"min_impurity_decrease": 0.02},
    {"class_weight": "balanced"},
    {"ccp_alpha": 0.01},
    {"ccp_alpha": 0.02, "max_leaf_nodes": 12},
]
REGRESSOR_OPTIONS = [
    {},
    {"criterion": "absolute_error", "max_depth": 4},
    {"criterion": "poisson", "max_depth": 5},
    {"splitter": "random", "min_samples_leaf": 3},
    {"min_weight_fraction_leaf": 0.1},
    {"max_features": 0.4},
    {"max_leaf_nodes": 6},
    {"ccp_alpha": 0.5},
]


def text_of(options):
    return " ".join(f"{name}={value}" for name, value in options.items()) or "defaults"


def assert_same_answers(parity, ours, theirs, X, data="", option=""):
    """All that a fitted tree tells about X, and all that it knows."""
    assert_same_tree(parity, ours.tree_, theirs.tree_, data, option)
    methods = ["predict", "apply"] + (["predict_proba"] if hasattr(theirs, "classes_") else [])
    for method in methods:
        mine, other = getattr(ours, method)(X), getattr(theirs, method)(X)
        assert_same_values(parity, mine, other, method, data, option)
    path, their_path = ours.decision_path(X), theirs.decision_path(X)
    assert type(path) is type(their_path)
    for part in ("data", "indices", "indptr"):
        parity.identical(
            getattr(path, part), getattr(their_path, part), what=f"decision_path: {part}", data=data, option=option
        )
    assert path.shape == their_path.shape
    parity.identical(
        ours.feature_importances_, theirs.feature_importances_, what="feature_importances_", data=data, option=option
    )
    for name in ("n_features_in_", "n_outputs_", "max_features_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.get_depth() == theirs.get_depth()
    assert ours.get_n_leaves() == theirs.get_n_leaves()
    if hasattr(theirs, "classes_"):
        assert_same_values(parity, ours.classes_, theirs.classes_, "classes_", data, option)
        parity.identical(np.asarray(ours.n_classes_), np.asarray(theirs.n_classes_), what="n_classes_", data=data)


# ---------------------------------------------------------------- parity over parameters and data


@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", classification())
def test_classifier_answers_like_scikit_learn(name, options, engine, implementation, parity):
    X, y = classification()[name]
    ours = implementation("DecisionTreeClassifier")(random_state=1, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=1, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, name, text_of(options))
    with np.errstate(divide="ignore"):
        parity.identical(ours.predict_log_proba(X), theirs.predict_log_proba(X), what="predict_log_proba", data=name)
    parity.identical(ours.score(X, y), theirs.score(X, y), what="score", data=name)


@regressor
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", regression())
def test_regressor_answers_like_scikit_learn(name, options, engine, implementation, parity):
    X, y = regression()[name]
    ours = implementation("DecisionTreeRegressor")(random_state=1, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(random_state=1, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, name, text_of(options))
    if len(y) > 1:
        reason = "R squared adds up in another order there"
        parity.rounding(ours.score(X, y), theirs.score(X, y), what="score", reason=reason, bound=1e-13)


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
def test_classifier_on_more_data_and_seeds(options, seed, engine, implementation, parity):
    for name in ("wine", "breast_cancer", "missing values"):
        X, y = classification()[name]
        train = np.random.default_rng(seed).random(len(X)) < 0.8
        ours = implementation("DecisionTreeClassifier")(random_state=seed, **options).fit(X[train], y[train])
        theirs = sklearn.tree.DecisionTreeClassifier(random_state=seed, **options).fit(X[train], y[train])
        assert_same_answers(parity, ours, theirs, X, f"{name}, a part", text_of(options))


@regressor
@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
def test_regressor_on_more_data_and_seeds(options, seed, engine, implementation, parity):
    for name in ("diabetes", "missing values"):
        X, y = regression()[name]
        train = np.random.default_rng(seed).random(len(X)) < 0.8
        ours = implementation("DecisionTreeRegressor")(random_state=seed, **options).fit(X[train], y[train])
        theirs = sklearn.tree.DecisionTreeRegressor(random_state=seed, **options).fit(X[train], y[train])
        assert_same_answers(parity, ours, theirs, X, f"{name}, a part", text_of(options))


CONTAINERS = {
    "float32": lambda X: X.astype(np.float32),
    "int": lambda X: (10 * X).astype(int),
    "Fortran order": np.asfortranarray,
    "every second row and column": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "rows reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "read-only": lambda X: _frozen(X),
    "list": lambda X: X.tolist(),
    "data frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "float16": lambda X: X.astype(np.float16),
    "float64, big-endian": lambda X: X.astype(">f8"),
    "CSR": lambda X: scipy.sparse.csr_matrix(X * (X > 2)),
    "CSC": lambda X: scipy.sparse.csc_matrix(X * (X > 2)),
    "COO array": lambda X: scipy.sparse.coo_array(X * (X > 2)),
    "CSC, rows out of order": lambda X: _shuffled(scipy.sparse.csc_matrix(X * (X > 2))),
}


def _frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _shuffled(matrix):
    """The same matrix with the entries of each column stored backwards."""
    for j in range(matrix.shape[1]):
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        matrix.indices[part], matrix.data[part] = matrix.indices[part][::-1].copy(), matrix.data[part][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_data_in_any_container(container, splitter, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = CONTAINERS[container](X)
    ours = implementation("DecisionTreeClassifier")(random_state=0, splitter=splitter).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, splitter=splitter).fit(copy.deepcopy(X), y)
    assert_same_answers(parity, ours, theirs, X, f"iris as {container}", splitter)


def test_sparse_input_is_left_as_it_is(engine, implementation):
    X = _shuffled(scipy.sparse.csc_matrix(load_iris().data.astype(np.float32)))
    indices, data = X.indices.copy(), X.data.copy()
    implementation("DecisionTreeClassifier")().fit(X, load_iris().target)
    assert np.array_equal(X.indices, indices)
    assert np.array_equal(X.data, data)


def test_sparse_indices_of_64_bits_are_taken_where_scikit_learn_refuses(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)  # SciPy's own change of dtype would shorten the indices
    csc, csr = scipy.sparse.csc_matrix(X), scipy.sparse.csr_matrix(X)
    for matrix in (csc, csr):
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    with pytest.raises(ValueError, match="No support for np"):
        sklearn.tree.DecisionTreeClassifier().fit(csc, y)
    ours = implementation("DecisionTreeClassifier")(random_state=0).fit(csc, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y)
    assert_same_tree(parity, ours.tree_, theirs.tree_, "iris, 64-bit indices")
    assert np.array_equal(ours.predict(csr), theirs.predict(X))
    parity.known("sparse data with 64-bit indices", "accepted here, an error there")


TARGETS = {
    "strings": lambda y: np.array(["setosa", "versicolor", "virginica"])[y],
    "objects": lambda y: np.array(["a", "bb", "ccc"], dtype=object)[y],
    "booleans": lambda y: y > 0,
    "floats": lambda y: 2.0 * y - 1,
    "far apart": lambda y: np.array([-(10**12), 5, 10**15])[y],
    "list": lambda y: y.tolist(),
    "series": lambda y: pd.Series(y),
    "a column": lambda y: y.reshape(-1, 1),
    "int8": lambda y: y.astype(np.int8),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_labels_of_any_kind(kind, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    y = TARGETS[kind](y)
    ours = implementation("DecisionTreeClassifier")(random_state=0, max_depth=3).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, max_depth=3).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "iris", f"labels: {kind}")


WEIGHTS = {
    "ones": lambda rng, n: np.ones(n),
    "counts": lambda rng, n: rng.integers(1, 4, n),
    "some zero": lambda rng, n: rng.integers(0, 3, n).astype(float),
    "fractions": lambda rng, n: rng.random(n),
    "float32": lambda rng, n: rng.random(n).astype(np.float32),
    "a number": lambda rng, n: 0.3,
    "list": lambda rng, n: rng.random(n).tolist(),
}


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}, {"min_weight_fraction_leaf": 0.1}], ids=text_of)
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_of_classifiers(kind, options, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    weight = WEIGHTS[kind](np.random.default_rng(0), len(y))
    ours = implementation("DecisionTreeClassifier")(random_state=0, **options).fit(X, y, sample_weight=weight)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, **options).fit(X, y, sample_weight=weight)
    assert_same_answers(parity, ours, theirs, X, "iris", f"weights: {kind} {text_of(options)}")


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_of_regressors(kind, criterion, engine, implementation, parity):
    X, y = regression()["diabetes"]
    weight = WEIGHTS[kind](np.random.default_rng(0), len(y))
    options = {"criterion": criterion, "max_depth": 4, "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y, sample_weight=weight)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y, sample_weight=weight)
    assert_same_answers(parity, ours, theirs, X, "diabetes", f"weights: {kind} {criterion}")


@pytest.mark.parametrize(
    "class_weight", [{0: 1, 1: 2.5, 2: 0.1}, {0: 1, 1: 0, 2: 1}, {0: 3, 1: 3, 2: 3}, {5: 1, 0: 2, 1: 1, 2: 1}], ids=str
)
def test_weights_by_class(class_weight, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours = implementation("DecisionTreeClassifier")(random_state=0, class_weight=class_weight).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, class_weight=class_weight).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "iris", f"class_weight={class_weight}")


# ---------------------------------------------------------------- several outputs


def several_outputs(kind):
    X = with_ties(n=90)
    if kind == "multilabel":
        return make_multilabel_classification(90, 6, n_classes=4, random_state=0)
    y = np.column_stack([labels_for(X, n, seed) for seed, n in enumerate((2, 4, 3))])
    return X, np.array(["red", "green", "blue", "grey"])[y] if kind == "strings" else y


@pytest.mark.parametrize(
    "options", [{}, {"criterion": "entropy"}, {"class_weight": "balanced"}, {"max_leaf_nodes": 9}], ids=text_of
)
@pytest.mark.parametrize("kind", ["multilabel", "numbers", "strings"])
def test_classifier_with_several_outputs(kind, options, engine, implementation, parity):
    X, y = several_outputs(kind)
    ours = implementation("DecisionTreeClassifier")(random_state=0, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, f"{kind}, several outputs", text_of(options))
    if kind == "multilabel":
        weight = np.linspace(0, 1, len(y))
        parity.rounding(ours.score(X, 1 - y, weight), theirs.score(X, 1 - y, weight), what="score", bound=1e-15)
        parity.rounding(ours.score(X[:9], y[:9]), theirs.score(X[:9], y[:9]), what="score", bound=1e-15)
    else:
        for model in (ours, theirs):
            with pytest.raises(ValueError, match="multiclass-multioutput is not supported"):
                model.score(X, y)


def test_class_weights_of_several_outputs(engine, implementation, parity):
    X, y = several_outputs("numbers")
    class_weight = [{0: 1, 1: 5}, {0: 1, 1: 1, 2: 2, 3: 0.5}, {0: 2, 1: 1, 2: 1}]
    ours = implementation("DecisionTreeClassifier")(random_state=0, class_weight=class_weight).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, class_weight=class_weight).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "several outputs", "class_weight=list")


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_regressor_with_several_outputs(criterion, engine, implementation, parity):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[::3], np.column_stack([y, y[::-1], np.sqrt(y)])[::3]
    options = {"criterion": criterion, "max_depth": 4, "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "diabetes, several outputs", criterion)
    parity.rounding(ours.score(X, y), theirs.score(X, y), what="score", reason="another order of addition", bound=1e-13)


# ---------------------------------------------------------------- monotonic constraints, seeds


@pytest.mark.parametrize("leaves", [None, 8])
def test_monotonic_probabilities(leaves, engine, implementation, parity):
    X, y = classification()["breast_cancer"]
    signs = np.resize([1, 0, -1, -1], X.shape[1])
    options = {"monotonic_cst": signs, "max_leaf_nodes": leaves, "random_state": 0}
    ours = implementation("DecisionTreeClassifier")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "breast_cancer", f"monotonic_cst max_leaf_nodes={leaves}")
    assert np.array_equal(signs, np.resize([1, 0, -1, -1], X.shape[1])), "the parameter was changed"
    rising, points = np.median(X, axis=0), np.sort(X[:, 0])
    grid = np.tile(rising, (len(points), 1))
    grid[:, 0] = points
    assert (np.diff(ours.predict_proba(grid)[:, 1]) >= 0).all()


@regressor
def test_monotonic_predictions(engine, implementation, parity):
    X, y = regression()["diabetes"]
    options = {"monotonic_cst": [0, 0, 1, 1, 0, 0, -1, 0, 1, 0], "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "diabetes", "monotonic_cst")


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(5)], ids=str)
def test_whole_numbers_as_seeds(seed, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours = implementation("DecisionTreeClassifier")(random_state=seed, splitter="random").fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=seed, splitter="random").fit(X, y)
    assert_same_tree(parity, ours.tree_, theirs.tree_, "iris", f"random_state={seed}")


def test_a_generator_serves_several_fits_in_turn(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours_rng, theirs_rng = np.random.RandomState(3), np.random.RandomState(3)
    for _ in range(3):
        ours = implementation("DecisionTreeClassifier")(random_state=ours_rng, splitter="random").fit(X, y)
        theirs = sklearn.tree.DecisionTreeClassifier(random_state=theirs_rng, splitter="random").fit(X, y)
        assert_same_tree(parity, ours.tree_, theirs.tree_, "iris", "random_state=RandomState")
    assert ours_rng.randint(2**31) == theirs_rng.randint(2**31)


# ---------------------------------------------------------------- errors and warnings, the reference's


def fit_with(**changes):
    def attempt(Model):
        X, y = load_iris(return_X_y=True)
        X, y = changes.pop("X", X), changes.pop("y", y)
        fit = {name: changes.pop(name) for name in ("sample_weight", "check_input") if name in changes}
        Model(**changes).fit(X, y, **fit)

    return attempt


def iris_with(value):
    X = load_iris().data.copy()
    X[3, 2] = value
    return X


SPARSE_NAN = scipy.sparse.csr_matrix(iris_with(np.nan))
Y = load_iris().target
ERRORS = {
    "max_depth=0": {"max_depth": 0},
    "max_depth=2.0": {"max_depth": 2.0},
    "min_samples_split=1": {"min_samples_split": 1},
    "min_samples_split=0.0": {"min_samples_split": 0.0},
    "min_samples_split=1.1": {"min_samples_split": 1.1},
    "min_samples_leaf=0": {"min_samples_leaf": 0},
    "min_samples_leaf=1.0": {"min_samples_leaf": 1.0},
    "min_samples_leaf=text": {"min_samples_leaf": "foo"},
    "min_weight_fraction_leaf=0.6": {"min_weight_fraction_leaf": 0.6},
    "max_features=0": {"max_features": 0},
    "max_features=1.5": {"max_features": 1.5},
    "max_features=auto": {"max_features": "auto"},
    "max_leaf_nodes=1": {"max_leaf_nodes": 1},
    "min_impurity_decrease=-1": {"min_impurity_decrease": -1.0},
    "ccp_alpha=-1": {"ccp_alpha": -1.0},
    "ccp_alpha=nan": {"ccp_alpha": float("nan")},
    "splitter": {"splitter": "worst"},
    "random_state": {"random_state": "seed"},
    "monotonic_cst: a word": {"monotonic_cst": "up"},
    "monotonic_cst: too long": {"monotonic_cst": [0, 1, 0, 0, 0], "y": Y > 0},
    "monotonic_cst: a two": {"monotonic_cst": [0, 2, 0, 0], "y": Y > 0},
    "monotonic_cst: several outputs": {"monotonic_cst": [0, 1, 0, 0], "y": np.c_[Y > 0, Y > 1]},
    "X: infinite": {"X": iris_with(np.inf)},
    "X: too large for float32": {"X": iris_with(1e39)},
    "X: sparse NaN": {"X": SPARSE_NAN},
    "X: one dimension": {"X": np.arange(150.0)},
    "X: three dimensions": {"X": np.ones((150, 2, 2))},
    "X: empty": {"X": np.empty((0, 4)), "y": []},
    "X: no features": {"X": np.empty((150, 0))},
    "X: words": {"X": [["a", "b"]] * 150},
    "X: complex": {"X": np.ones((150, 2), dtype=complex)},
    "X: too short": {"X": np.ones((140, 4))},
    "y: None": {"y": None},
    "y: NaN": {"y": np.where(Y == 1, np.nan, Y)},
    "y: too short": {"y": Y[:149]},
    "y: sparse": {"y": scipy.sparse.csr_matrix(np.c_[Y, Y])},
    "y: three dimensions": {"y": np.ones((150, 1, 1))},
    "y: complex": {"y": Y * 1j},
    "weights: too short": {"sample_weight": np.ones(149)},
    "weights: two dimensions": {"sample_weight": np.ones((150, 2))},
    "weights: NaN": {"sample_weight": np.full(150, np.nan)},
    "weights: all zero": {"sample_weight": np.zeros(150)},
}
CLASSIFIER_ERRORS = {
    "criterion": {"criterion": "mse"},
    "class_weight: a word": {"class_weight": "heavy"},
    "class_weight: a number": {"class_weight": 2.0},
    "class_weight: a class is missing": {"class_weight": {0: 1, 7: 1}},
    "class_weight: a dict for several outputs": {"class_weight": {0: 1}, "y": np.c_[Y, Y]},
    "class_weight: a list too short": {"class_weight": [{0: 1}], "y": np.c_[Y, Y]},
    "class_weight: a list for one output": {"class_weight": [{0: 1, 1: 1, 2: 1}]},
    "y: fractions": {"y": Y + 0.5},
    "y: objects": {"y": np.array([object()] * 150)},
    "monotonic_cst: three classes": {"monotonic_cst": [0, 1, 0, 0]},
}
REGRESSOR_ERRORS = {
    "criterion": {"criterion": "gini"},
    "poisson: below zero": {"criterion": "poisson", "y": Y - 1.0},
    "poisson: all zero": {"criterion": "poisson", "y": np.zeros(150)},
    "y: words": {"y": np.array(["a"] * 150)},
}


def assert_same_error(attempt, Ours, Theirs):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "overflow encountered in cast", RuntimeWarning)  # ours only raises
        with pytest.raises((ValueError, TypeError)) as theirs:
            attempt(Theirs)
    with pytest.raises((ValueError, TypeError)) as ours:
        attempt(Ours)
    for kind in (ValueError, TypeError):
        assert isinstance(ours.value, kind) == isinstance(theirs.value, kind), (ours.value, theirs.value)
    assert words(ours.value) & words(theirs.value), (ours.value, theirs.value)


def words(error):
    return {word.strip("'\"`.,:()") for word in str(error).split() if len(word) > 4}


@pytest.mark.parametrize("what", [*ERRORS, *CLASSIFIER_ERRORS])
def test_errors_of_classifiers(what, engine, implementation):
    changes = {**ERRORS, **CLASSIFIER_ERRORS}[what]
    ours, theirs = implementation("DecisionTreeClassifier"), sklearn.tree.DecisionTreeClassifier
    assert_same_error(lambda Model: fit_with(**changes)(Model), ours, theirs)


@regressor
@pytest.mark.parametrize("what", [*ERRORS, *REGRESSOR_ERRORS])
def test_errors_of_regressors(what, engine, implementation):
    changes = {**ERRORS, **REGRESSOR_ERRORS}[what]
    ours, theirs = implementation("DecisionTreeRegressor"), sklearn.tree.DecisionTreeRegressor
    assert_same_error(lambda Model: fit_with(**changes)(Model), ours, theirs)


NEW_DATA = {
    "too few features": np.ones((3, 3)),
    "infinite": np.full((3, 4), np.inf),
    "minus infinity": np.full((3, 4), -np.inf),
    "too large for float32": np.full((3, 4), 1e200),
    "infinite float32": np.full((3, 4), np.inf, dtype=np.float32),
    "one dimension": np.ones(4),
    "empty": np.empty((0, 4)),
    "words": [["a", "b", "c", "d"]],
    "sparse NaN": scipy.sparse.csr_matrix(np.full((3, 4), np.nan)),
    "sparse infinity": scipy.sparse.csr_matrix(np.full((3, 4), np.inf)),
}


@pytest.mark.parametrize("method", ["predict", "predict_proba", "apply", "decision_path"])
@pytest.mark.parametrize("what", NEW_DATA)
def test_errors_of_predictions(what, method, engine, implementation):
    X, y = load_iris(return_X_y=True)
    ours = implementation("DecisionTreeClassifier")().fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier().fit(X, y)
    assert_same_error(lambda model: getattr(model, method)(NEW_DATA[what]), ours, theirs)


@pytest.mark.parametrize(
    "X", [np.ones((3, 4)), [[1.0] * 4], np.ones((3, 3), np.float32)], ids=["float64", "list", "narrow"]
)
def test_unchecked_predictions_still_need_float32_and_all_features(X, engine, implementation):
    iris, y = load_iris(return_X_y=True)
    model = implementation("DecisionTreeClassifier")().fit(iris, y)
    with pytest.raises(ValueError, match=r"X\.dtype should be np\.float32|np\.ndarray format|3 features"):
        model.predict(X, check_input=False)


def test_unchecked_data_gives_the_same_tree_and_predictions(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    ours = implementation("DecisionTreeClassifier")(random_state=0).fit(X, y, check_input=False)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y, check_input=False)
    assert_same_tree(parity, ours.tree_, theirs.tree_, "iris", "check_input=False")
    assert np.array_equal(ours.predict(X, check_input=False), theirs.predict(X, check_input=False))


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_before_fit(name, implementation):
    X = np.ones((2, 2))
    model = implementation(name)()
    asks = [
        lambda: model.predict(X),
        lambda: model.apply(X),
        lambda: model.decision_path(X),
        lambda: model.feature_importances_,
        model.get_depth,
        model.get_n_leaves,
    ]
    for ask in asks:
        with pytest.raises(sklearn.exceptions.NotFittedError, match="is not fitted yet"):
            ask()


@regressor
def test_friedman_is_deprecated_as_in_the_reference(implementation):
    for Model in (implementation("DecisionTreeRegressor"), sklearn.tree.DecisionTreeRegressor):
        with pytest.warns(FutureWarning, match="friedman_mse.*deprecated"):
            model = Model(criterion="friedman_mse")
        assert model.criterion == "squared_error"


@pytest.mark.parametrize("several", [False, True])
def test_labels_that_look_like_numbers_are_warned_of_once(several, engine, implementation):
    X = np.arange(40.0).reshape(-1, 1)
    y = np.c_[np.arange(40), np.arange(40) % 7] if several else np.arange(40)
    for Model in (implementation("DecisionTreeClassifier"), sklearn.tree.DecisionTreeClassifier):
        with pytest.warns(UserWarning, match="number of unique classes is greater than 50%") as caught:
            Model().fit(X, y)
        assert len(caught) == 1


def test_feature_names_are_compared(engine, implementation):
    frame = pd.DataFrame(load_iris().data, columns=list("abcd"))
    model = implementation("DecisionTreeClassifier")().fit(frame, Y)
    assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(frame.to_numpy())
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("abdc")])


# ---------------------------------------------------------------- failures leave nothing behind


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_a_failed_fit_leaves_the_tree_not_fitted(name, engine, implementation):
    X, y = load_iris(return_X_y=True)
    model = implementation(name)().fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(iris_with(np.inf), y)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        model.predict(X)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]


def test_an_interrupted_fit_leaves_the_tree_not_fitted(engine, monkeypatch):
    X, y = load_iris(return_X_y=True)
    model = minimal.tree.DecisionTreeClassifier().fit(X, y)

    def interrupted(growth, shared=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"minimal.tree.growing_{engine}.grow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        model.predict(X)


# ---------------------------------------------------------------- the object behind tree_


def fitted(name, implementation, **options):
    X, y = load_iris(return_X_y=True)
    return implementation(name)(random_state=0, **options).fit(X, y), X.astype(np.float32)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), clone])
def test_copies_answer_alike(copied, engine, implementation):
    model, X = fitted("DecisionTreeClassifier", implementation, max_depth=3)
    model.predict(X)  # keeps something for the next prediction, which copies must not share by accident
    twin = copied(model)
    if copied is clone:
        twin.fit(X, Y)
    assert np.array_equal(twin.predict_proba(X), model.predict_proba(X))
    tree = pickle.loads(pickle.dumps(model.tree_))
    assert np.array_equal(tree.predict(X), model.tree_.predict(X))


def test_a_copy_of_a_tree_is_its_own(engine, implementation):
    model, X = fitted("DecisionTreeClassifier", implementation)
    before = model.predict(X)
    deep = copy.deepcopy(model)
    deep.tree_.threshold[:] = -1e9
    assert not np.array_equal(deep.predict(X), before)
    assert np.array_equal(model.predict(X), before)


def test_changes_in_place_are_seen_by_predictions(engine, implementation, parity):
    """Some prune a fitted tree by making leaves of nodes: children -1."""
    X, y = load_iris(return_X_y=True)
    ours, X32 = fitted("DecisionTreeClassifier", implementation)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y)
    ours.predict(X)
    left, right = ours.tree_.children_left, ours.tree_.children_right
    for model, children in ((ours, (left, right)), (theirs, (theirs.tree_.children_left, theirs.tree_.children_right))):
        model.predict(X)
        for array in children:
            array[2] = -1
    parity.identical(ours.apply(X), theirs.apply(X), what="apply after a change in place", data="iris")
    assert (ours.tree_.apply(X32) == 2).any()


def test_the_tree_speaks_for_itself(engine, implementation, parity):
    ours, X = fitted("DecisionTreeClassifier", implementation, max_leaf_nodes=7)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, max_leaf_nodes=7).fit(X, Y)
    mine, other = ours.tree_, theirs.tree_
    for method in ("predict", "apply"):
        for data in (X, scipy.sparse.csr_matrix(X)):
            parity.identical(getattr(mine, method)(data), getattr(other, method)(data), what=f"tree_.{method}")
    parity.identical(mine.compute_node_depths(), other.compute_node_depths(), what="tree_.compute_node_depths")
    for normalize in (True, False):
        parity.identical(
            mine.compute_feature_importances(normalize),
            other.compute_feature_importances(normalize),
            what="tree_.compute_feature_importances",
        )
    infinite = np.full((2, 4), np.inf, dtype=np.float32) * np.array([[1], [-1]], dtype=np.float32)
    parity.identical(mine.apply(infinite), other.apply(infinite), what="tree_.apply of infinite values")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 4)), "X.dtype should be np.float32, got float64"),
        ([[1.0] * 4], "X should be in np.ndarray format"),
        (scipy.sparse.csc_matrix(np.ones((2, 4), np.float32)), "X should be in CSR sparse format"),
    ],
)
def test_the_tree_takes_only_float32(X, message, engine, implementation):
    model, _ = fitted("DecisionTreeClassifier", implementation)
    for tree in (model.tree_, sklearn.tree.DecisionTreeClassifier().fit(load_iris().data, Y).tree_):
        with pytest.raises(ValueError, match=message):
            tree.apply(X)


def test_paths_without_scipy(engine, implementation, monkeypatch):
    model, X = fitted("DecisionTreeClassifier", implementation)
    matrix = model.decision_path(X)
    indices, indptr = model.tree_.decision_path_arrays(X)
    assert np.array_equal(matrix.indices, indices)
    assert np.array_equal(matrix.indptr, indptr)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match="decision_path_arrays"):
        model.decision_path(X)


# ---------------------------------------------------------------- tools that read a fitted tree


def test_scikit_learn_draws_and_prints_our_tree(engine, implementation):
    ours, X = fitted("DecisionTreeClassifier", implementation, max_depth=3)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, max_depth=3).fit(X, Y)
    assert sklearn.tree.export_text(ours) == sklearn.tree.export_text(theirs)
    assert sklearn.tree.export_graphviz(ours) == sklearn.tree.export_graphviz(theirs)
    drawn = [[note.get_text() for note in sklearn.tree.plot_tree(model)] for model in (ours, theirs)]
    assert drawn[0] == drawn[1]


def test_scikit_learn_recognises_a_tree_that_was_fitted_before_it_was_loaded():
    program = """
import minimal.tree
model = minimal.tree.DecisionTreeRegressor(max_depth=1).fit([[0.0], [1.0]], [0.0, 1.0])
class Own(minimal.tree.DecisionTreeClassifier): pass
import sys
assert "sklearn" not in sys.modules
import sklearn.tree
assert isinstance(model, sklearn.tree.DecisionTreeRegressor)
assert not isinstance(model, sklearn.tree.DecisionTreeClassifier)
assert isinstance(Own(), sklearn.tree.DecisionTreeClassifier)
assert type(model) is model.__class__ is minimal.tree.DecisionTreeRegressor
print(sklearn.tree.export_text(model))
"""
    environment = {**os.environ, "MINIMAL_ENGINE": "numpy"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert "feature_0 <= 0.50" in run.stdout


@regressor
def test_partial_dependence(engine, implementation, parity):
    X, y = load_diabetes(return_X_y=True)
    ours = implementation("DecisionTreeRegressor")(random_state=0, max_depth=5).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(random_state=0, max_depth=5).fit(X, y)
    for features in ([2], [2, 8]):
        mine = partial_dependence(ours, X, features, method="recursion", grid_resolution=20)
        other = partial_dependence(theirs, X, features, method="recursion", grid_resolution=20)
        parity.identical(mine["average"], other["average"], what="partial_dependence", data="diabetes")


def test_permutation_importance(engine, implementation, parity):
    ours, X = fitted("DecisionTreeClassifier", implementation, max_depth=3)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, max_depth=3).fit(X, Y)
    mine, other = (permutation_importance(model, X, Y, n_repeats=3, random_state=0) for model in (ours, theirs))
    parity.identical(mine["importances"], other["importances"], what="permutation_importance", data="iris")


def test_pipelines_and_searches(engine, implementation):
    X, y = load_iris(return_X_y=True)
    grid = {"decisiontreeclassifier__max_depth": [1, 2, 3], "decisiontreeclassifier__criterion": ["gini", "entropy"]}
    ours = make_pipeline(StandardScaler(), implementation("DecisionTreeClassifier")(random_state=0))
    theirs = make_pipeline(StandardScaler(), sklearn.tree.DecisionTreeClassifier(random_state=0))
    searches = [GridSearchCV(pipe, grid, cv=3).fit(X, y) for pipe in (ours, theirs)]
    assert searches[0].best_params_ == searches[1].best_params_
    assert np.array_equal(searches[0].cv_results_["mean_test_score"], searches[1].cv_results_["mean_test_score"])


# ---------------------------------------------------------------- a floor that no library version can move


def test_a_tree_by_hand(engine, implementation):
    """y = [x > 2.5]: one split in the middle between 2 and 3; gini 1/2 before, 0 after."""
    model = implementation("DecisionTreeClassifier")(random_state=0).fit([[1.0], [2.0], [3.0], [4.0]], list("aabb"))
    tree = model.tree_
    assert tree.threshold.tolist() == [2.5, -2, -2]
    assert tree.impurity.tolist() == [0.5, 0, 0]
    assert tree.children_left.tolist() == [1, -1, -1]
    assert tree.children_right.tolist() == [2, -1, -1]
    assert tree.value[:, 0, :].tolist() == [[0.5, 0.5], [1, 0], [0, 1]]
    assert model.predict([[2.5], [2.6]]).tolist() == ["a", "b"]


@regressor
def test_a_full_tree_remembers_its_training_data(engine, implementation):
    X, y = regression()["diabetes"]
    model = implementation("DecisionTreeRegressor")(random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), y)


def test_weights_are_repetitions(engine, implementation):
    X, y = classification()["ties"]
    times = np.random.default_rng(0).integers(0, 4, len(y))
    options = {"random_state": 0, "max_depth": 4, "criterion": "entropy"}
    weighted = implementation("DecisionTreeClassifier")(**options).fit(X, y, sample_weight=times)
    repeated = implementation("DecisionTreeClassifier")(**options).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert np.array_equal(weighted.tree_.feature, repeated.tree_.feature)
    assert np.array_equal(weighted.tree_.threshold, repeated.tree_.threshold)
    assert np.allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-15)


def test_tree_is_the_type_of_tree_(implementation, request):
    model, _ = fitted("DecisionTreeClassifier", implementation)
    if implementation("DecisionTreeClassifier") is minimal.tree.DecisionTreeClassifier:
        assert type(model.tree_) is Tree
