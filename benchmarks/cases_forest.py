"""Races of random forests: growing them, judging them by the samples that were left out, and predicting with them.

A forest is one answer or another, so "identical" means every array of every tree, bit for bit.  Trees grow and walk on
threads, as many as the column says (``n_jobs``), and so do those of scikit-learn.  The case of 100 trees takes the reference
several seconds a round; the others grow fewer trees, which does not change the ratio: trees are grown one like another.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import sklearn.ensemble

import minimal.ensemble
from benchmarks.cases_tree import clouds, same_trees, waves
from benchmarks.data import real
from benchmarks.frame import Agreement, Disagreement, Race, case, compare, own_data, same_arrays, sweep, weakest
from minimal.threads import get_num_threads

Classifier, TheirClassifier = minimal.ensemble.RandomForestClassifier, sklearn.ensemble.RandomForestClassifier
Regressor, TheirRegressor = minimal.ensemble.RandomForestRegressor, sklearn.ensemble.RandomForestRegressor
GOAL, NEVER_BEHIND, PREDICT = {1: 4.0, "all": 4.0}, {1: 1.0, "all": 1.0}, {1: 2.5, "all": 2.5}


def same_forests(ours: Any, theirs: Any) -> Agreement:
    """Every array of every tree."""
    if len(ours.estimators_) != len(theirs.estimators_):
        raise Disagreement(f"{len(ours.estimators_)} trees, theirs {len(theirs.estimators_)}")
    return weakest([same_trees(a, b) for a, b in zip(ours.estimators_, theirs.estimators_, strict=True)])


def same_judgement(ours: Any, theirs: Any) -> Agreement:
    """Every tree, and what they say of the samples that they did not see."""
    scores = compare("oob_score_", ours.oob_score_, theirs.oob_score_, None)
    votes = compare("oob_decision_function_", ours.oob_decision_function_, theirs.oob_decision_function_, None)
    return weakest([same_forests(ours, theirs), scores, votes])


def with_jobs(kind: Any, **options: Any) -> Any:
    """A new forest on as many threads as the race runs on."""
    return kind(**{"random_state": 0, "n_jobs": get_num_threads(), **options})


def classifier_race(X: np.ndarray, y: np.ndarray, *, memory: bool = False, **options: Any) -> Race:
    return Race(
        ours=lambda: with_jobs(Classifier, **options).fit(X, y),
        theirs=lambda: with_jobs(TheirClassifier, **options).fit(X, y),
        agree=same_judgement if options.get("oob_score") else same_forests,
        memory=memory,
    )


def regressor_race(X: np.ndarray, y: np.ndarray, *, memory: bool = False, **options: Any) -> Race:
    return Race(
        ours=lambda: with_jobs(Regressor, **options).fit(X, y),
        theirs=lambda: with_jobs(TheirRegressor, **options).fit(X, y),
        agree=same_forests,
        memory=memory,
    )


# ---------------------------------------------------------------- small: where Python around the trees weighs most


@case("RandomForestClassifier", "breast_cancer, 20 trees", job="fit", goal=GOAL, quick=True)
def forest_fit_breast_cancer() -> Race:
    return classifier_race(*real("breast_cancer"), n_estimators=20)


@case("RandomForestClassifier", "digits, 20 trees", job="fit", goal=GOAL, quick=True)
def forest_fit_digits() -> Race:
    return classifier_race(*real("digits"), n_estimators=20)


@case("RandomForestClassifier", "digits, 20 trees, entropy", job="fit", goal=GOAL)
def forest_fit_digits_entropy() -> Race:
    return classifier_race(*real("digits"), n_estimators=20, criterion="entropy")


@case("RandomForestClassifier", "breast_cancer, 20 trees", job="fit with oob_score", goal=GOAL, quick=True)
def forest_oob_breast_cancer() -> Race:
    X, y = real("breast_cancer")
    return classifier_race(X, y, n_estimators=20, oob_score=True)


@case("RandomForestRegressor", "diabetes, 20 trees", job="fit", goal=NEVER_BEHIND, quick=True)
def forest_fit_diabetes() -> Race:
    return regressor_race(*real("diabetes"), n_estimators=20)


# ---------------------------------------------------------------- large


@case("RandomForestClassifier", "20k x 20, 100 trees", job="fit", goal=GOAL)
def forest_fit_100_trees() -> Race:
    return classifier_race(*clouds(20_000, 20), n_estimators=100)


@case("RandomForestClassifier", "20k x 20, 5 classes, 5 trees", job="fit", goal=GOAL)
def forest_fit_five_classes() -> Race:
    return classifier_race(*clouds(20_000, 20, 5), n_estimators=5)


@case("RandomForestClassifier", "20k x 20, rounded to tenths, 10 trees", job="fit", goal=GOAL)
def forest_fit_ties() -> Race:
    X, y = clouds(20_000, 20)
    return classifier_race(np.round(X, 1), y, n_estimators=10)


@case("RandomForestClassifier", "100k x 20, 2 trees", job="fit", goal=GOAL)
def forest_fit_100k() -> Race:
    return classifier_race(*clouds(100_000, 20), n_estimators=2, memory=True)


@case("RandomForestRegressor", "5k x 10, 10 trees", job="fit", goal=NEVER_BEHIND)
def forest_fit_waves() -> Race:
    return regressor_race(*waves(5_000, 10), n_estimators=10)


# ---------------------------------------------------------------- predicting


@cache
def fitted() -> tuple[Any, Any, np.ndarray]:
    """Two equal forests of twenty trees, and what they are asked about."""
    X, y = clouds(20_000, 20)
    options: dict[str, Any] = {"n_estimators": 20, "random_state": 0}
    return Classifier(**options).fit(X, y), TheirClassifier(**options).fit(X, y), X


def predict_race(n: int) -> Race:
    ours, theirs, X = fitted()
    X = X[:n]

    def predict(forest: Any) -> np.ndarray:
        return forest.set_params(n_jobs=get_num_threads()).predict_proba(X)

    return Race(ours=lambda: predict(ours), theirs=lambda: predict(theirs), agree=same_arrays())


@case("RandomForestClassifier", "20k x 20, 20 trees", job="predict_proba", goal=PREDICT)
def forest_predict_proba() -> Race:
    return predict_race(20_000)


@case("RandomForestClassifier", "one row, 20 trees", job="predict_proba", goal=NEVER_BEHIND)
def forest_predict_proba_one_row() -> Race:
    return predict_race(1)


# ---------------------------------------------------------------- sizes, and other people's data


@sweep("RandomForestClassifier", "20 features, 2 trees", job="fit", sizes=(1e3, 3e3, 1e4, 3e4, 1e5))
def forest_fit_by_rows(n: int) -> Race:
    return classifier_race(*clouds(n, 20), n_estimators=2)


@own_data("RandomForestClassifier", job="fit, 20 trees", needs_classes=True)
def forest_on_own_data(X: np.ndarray, y: np.ndarray) -> Race:
    return classifier_race(X, y, n_estimators=20)
