"""The tree estimators: the reference's errors and warnings, and failures that leave nothing behind."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.exceptions
import sklearn.tree
from sklearn.datasets import load_iris

import minimal

from .tree_cases import assert_same_tree

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")


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
