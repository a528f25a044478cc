"""Races of decision trees: growing them, from a table of 150 rows to one of a million, and predicting with them.

A tree is one answer or another, so "identical" means every array of ``tree_``, bit for bit.  The large ones show their
memory: presorted columns cost 8 bytes an entry, beside the float32 copy of the data that both sides make, and the peak may be
four times scikit-learn's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import sklearn.tree

import minimal.tree
from benchmarks.data import blobs, real
from benchmarks.frame import Agreement, Disagreement, Race, case, compare, own_data, same_arrays, sweep, weakest

Classifier, TheirClassifier = minimal.tree.DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier
Regressor, TheirRegressor = minimal.tree.DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor
ARRAYS = (
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "missing_go_to_left",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "value",
)
SMALL, FIT = {1: 3.0, "all": 3.0}, {1: 10.0, "all": 10.0}
SQRT, REGRESSION, NEVER_BEHIND, PREDICT = (
    {1: 4.0, "all": 4.0},
    {1: 3.0, "all": 3.0},
    {1: 1.0, "all": 1.0},
    {1: 2.5, "all": 2.5},
)
OVERLAP = 0.8  # clouds that overlap so far give trees with thousands of leaves


def same_trees(ours: Any, theirs: Any) -> Agreement:
    """Every array of ``tree_``, and its depth."""
    if ours.tree_.max_depth != theirs.tree_.max_depth:
        raise Disagreement(f"the tree is {ours.tree_.max_depth} deep, theirs {theirs.tree_.max_depth}")
    return weakest([compare(name, getattr(ours.tree_, name), getattr(theirs.tree_, name), None) for name in ARRAYS])


def classifier_race(X: np.ndarray, y: np.ndarray, *, memory: bool = False, **options: Any) -> Race:
    options = {"random_state": 0, **options}
    return Race(
        ours=lambda: Classifier(**options).fit(X, y),
        theirs=lambda: TheirClassifier(**options).fit(X, y),
        agree=same_trees,
        memory=memory,
    )


def regressor_race(X: np.ndarray, y: np.ndarray, *, memory: bool = False, **options: Any) -> Race:
    options = {"random_state": 0, **options}
    return Race(
        ours=lambda: Regressor(**options).fit(X, y),
        theirs=lambda: TheirRegressor(**options).fit(X, y),
        agree=same_trees,
        memory=memory,
    )


@cache
def clouds(n: int, d: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    return blobs(n, d, classes, overlap=OVERLAP)


@cache
def waves(n: int, d: int, *, tied: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A smooth target of a few features, with noise; ``tied``: each feature takes about twenty different values."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n, d))
    if tied:
        X = np.round(X * 3) / 3
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * random.normal(size=n)


# ---------------------------------------------------------------- small: where Python around the tree weighs most


@case("DecisionTreeClassifier", "iris", job="fit", goal=SMALL, quick=True)
def tree_fit_iris() -> Race:
    return classifier_race(*real("iris"))


@case("DecisionTreeClassifier", "wine", job="fit", goal=SMALL, quick=True)
def tree_fit_wine() -> Race:
    return classifier_race(*real("wine"))


@case("DecisionTreeClassifier", "breast_cancer", job="fit", goal=SMALL, quick=True)
def tree_fit_breast_cancer() -> Race:
    return classifier_race(*real("breast_cancer"))


@case("DecisionTreeClassifier", "digits", job="fit", goal=SMALL, quick=True)
def tree_fit_digits() -> Race:
    return classifier_race(*real("digits"))


@case("DecisionTreeClassifier", "breast_cancer, entropy", job="fit", goal=SMALL, quick=True)
def tree_fit_breast_cancer_entropy() -> Race:
    return classifier_race(*real("breast_cancer"), criterion="entropy")


@case("DecisionTreeRegressor", "diabetes", job="fit", goal=NEVER_BEHIND, quick=True)
def tree_fit_diabetes() -> Race:
    return regressor_race(*real("diabetes"))


# ---------------------------------------------------------------- classification


@case("DecisionTreeClassifier", "10k x 20", job="fit", goal=FIT)
def tree_fit_10k_20() -> Race:
    return classifier_race(*clouds(10_000, 20))


@case("DecisionTreeClassifier", "10k x 20, max_features=sqrt", job="fit", goal=SQRT)
def tree_fit_10k_20_sqrt() -> Race:
    return classifier_race(*clouds(10_000, 20), max_features="sqrt")


@case("DecisionTreeClassifier", "10k x 20, random splits", job="fit", goal=NEVER_BEHIND)
def tree_fit_10k_20_random() -> Race:
    return classifier_race(*clouds(10_000, 20), splitter="random")


@case("DecisionTreeClassifier", "10k x 20, weights with fractions", job="fit", goal=NEVER_BEHIND)
def tree_fit_10k_20_weights() -> Race:
    X, y = clouds(10_000, 20)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    return Race(
        ours=lambda: Classifier(random_state=0).fit(X, y, sample_weight=weight),
        theirs=lambda: TheirClassifier(random_state=0).fit(X, y, sample_weight=weight),
        agree=same_trees,
    )


@case("DecisionTreeClassifier", "10k x 20, 5% missing", job="fit", goal=FIT)
def tree_fit_10k_20_missing() -> Race:
    X, y = clouds(10_000, 20)
    return classifier_race(np.where(np.random.default_rng(0).random(X.shape) < 0.05, np.nan, X), y)


@case("DecisionTreeClassifier", "100k x 20", job="fit", goal=FIT)
def tree_fit_100k_20() -> Race:
    return classifier_race(*clouds(100_000, 20), memory=True)


@case("DecisionTreeClassifier", "100k x 20, max_depth=8", job="fit", goal=FIT)
def tree_fit_100k_20_depth_8() -> Race:
    return classifier_race(*clouds(100_000, 20), max_depth=8, memory=True)


@case("DecisionTreeClassifier", "30k x 20, 4 classes", job="fit", goal=FIT)
def tree_fit_30k_20_4_classes() -> Race:
    return classifier_race(*clouds(30_000, 20, 4))


@case("DecisionTreeClassifier", "30k x 20, 100 leaves, entropy", job="fit", goal=FIT)
def tree_fit_30k_20_leaves() -> Race:
    return classifier_race(*clouds(30_000, 20), max_leaf_nodes=100, criterion="entropy")


@case("DecisionTreeClassifier", "100k x 20, max_features=sqrt", job="fit", goal=SQRT)
def tree_fit_100k_20_sqrt() -> Race:
    return classifier_race(*clouds(100_000, 20), max_features="sqrt", memory=True)


@case("DecisionTreeClassifier", "30k x 100, max_depth=4", job="fit", goal=FIT)
def tree_fit_30k_100_depth_4() -> Race:
    return classifier_race(*clouds(30_000, 100), max_depth=4, memory=True)


# ---------------------------------------------------------------- regression


@case("DecisionTreeRegressor", "10k x 10, few ties", job="fit", goal=REGRESSION)
def tree_fit_regression() -> Race:
    return regressor_race(*waves(10_000, 10))


@case("DecisionTreeRegressor", "10k x 10, many ties", job="fit", goal=NEVER_BEHIND)
def tree_fit_regression_tied() -> Race:
    return regressor_race(*waves(10_000, 10, tied=True))


@case("DecisionTreeRegressor", "10k x 10, many ties, whole targets", job="fit", goal=REGRESSION)
def tree_fit_regression_whole() -> Race:
    X, y = waves(10_000, 10, tied=True)
    return regressor_race(X, np.round(10 * y))


@case("DecisionTreeRegressor", "30k x 10, few ties", job="fit", goal=REGRESSION)
def tree_fit_regression_30k() -> Race:
    return regressor_race(*waves(30_000, 10), memory=True)


@case("DecisionTreeRegressor", "1k x 10, absolute error", job="fit", goal=NEVER_BEHIND)
def tree_fit_regression_absolute_error() -> Race:
    return regressor_race(*waves(1_000, 10), criterion="absolute_error")


# ---------------------------------------------------------------- prediction


def predict_race(n: int, rows: int, *, memory: bool = False) -> Race:
    X, y = clouds(n, 20)
    ours, theirs = Classifier(random_state=0).fit(X, y), TheirClassifier(random_state=0).fit(X, y)
    new = np.ascontiguousarray(X[::-1][:rows])
    return Race(ours=lambda: ours.predict(new), theirs=lambda: theirs.predict(new), agree=same_arrays(), memory=memory)


@case("DecisionTreeClassifier", "1 row", job="predict", goal=NEVER_BEHIND, quick=True)
def tree_predict_one_row() -> Race:
    return predict_race(2_000, 1)


@case("DecisionTreeClassifier", "100k x 20", job="predict", goal=PREDICT)
def tree_predict_100k() -> Race:
    return predict_race(100_000, 100_000, memory=True)


@case("DecisionTreeRegressor", "100k x 10", job="predict", goal=PREDICT)
def tree_predict_regression_100k() -> Race:
    X, y = waves(100_000, 10)
    ours, theirs = Regressor(random_state=0).fit(X[:20_000], y[:20_000]), TheirRegressor(random_state=0)
    theirs.fit(X[:20_000], y[:20_000])
    return Race(ours=lambda: ours.predict(X), theirs=lambda: theirs.predict(X), agree=same_arrays())


# ---------------------------------------------------------------- how time grows, and anybody's own table


@sweep("DecisionTreeClassifier", "10 features", job="fit", sizes=(1e2, 1e3, 1e4, 1e5))
def tree_fit_by_rows(n: int) -> Race:
    return classifier_race(*clouds(n, 10))


@sweep("DecisionTreeClassifier", "10 features, max_depth=6", job="fit", sizes=(1e2, 1e3, 1e4, 1e5, 1e6))
def tree_fit_by_rows_depth_6(n: int) -> Race:
    return classifier_race(*clouds(n, 10), max_depth=6)


@sweep("DecisionTreeRegressor", "10 features, max_depth=6", job="fit", sizes=(1e2, 1e3, 1e4, 1e5, 1e6))
def tree_fit_regression_by_rows(n: int) -> Race:
    return regressor_race(*waves(n, 10), max_depth=6)


@sweep("DecisionTreeClassifier", "20 features", job="predict", sizes=(1e0, 1e2, 1e4, 1e5, 1e6))
def tree_predict_by_rows(n: int) -> Race:
    X, y = clouds(10_000, 20)
    ours, theirs = Classifier(random_state=0).fit(X, y), TheirClassifier(random_state=0).fit(X, y)
    new, _ = clouds(n, 20)
    return Race(ours=lambda: ours.predict(new), theirs=lambda: theirs.predict(new), agree=same_arrays())


@own_data("DecisionTreeClassifier", job="fit", needs_classes=True, allows_missing=True)
def tree_fit_own_data(X: np.ndarray, y: np.ndarray) -> Race:
    return classifier_race(X, y)


@own_data("DecisionTreeClassifier", job="predict", needs_classes=True, allows_missing=True)
def tree_predict_own_data(X: np.ndarray, y: np.ndarray) -> Race:
    ours, theirs = Classifier(random_state=0).fit(X, y), TheirClassifier(random_state=0).fit(X, y)
    return Race(ours=lambda: ours.predict(X), theirs=lambda: theirs.predict(X), agree=same_arrays())
