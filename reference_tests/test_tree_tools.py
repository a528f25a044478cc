"""The object behind ``tree_``, and the tools that read a fitted tree: scikit-learn's, and copies of every kind."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
import sklearn.tree
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minimal
from minimal.tree.structure import Tree

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")

Y = load_iris().target


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
    assert vars(tree).keys() == vars(model.tree_).keys()
    assert (tree.max_depth, tree.n_leaves, tree.n_features) == (3, model.get_n_leaves(), 4)


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


def test_tree_is_the_type_of_tree_(implementation, request):
    model, _ = fitted("DecisionTreeClassifier", implementation)
    if implementation("DecisionTreeClassifier") is minimal.tree.DecisionTreeClassifier:
        assert type(model.tree_) is Tree


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
