"""LogisticRegression: the same iterations and coefficients as scikit-learn's, sooner."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.linear_model

import minimal.linear_model
from benchmarks.data import blobs, standardized
from benchmarks.frame import Race, Threads, both, case, same_arrays, same_attributes, same_coefficients, sweep

NAME = "LogisticRegression"
Ours = minimal.linear_model.LogisticRegression
Theirs = sklearn.linear_model.LogisticRegression

SMALL: dict[Threads, float] = {1: 10.0, "all": 1.0}
LARGE: dict[Threads, float] = {1: 4.5, "all": 1.0}
WIDE: dict[Threads, float] = {1: 2.5, "all": 1.0}
AHEAD: dict[Threads, float] = {1: 1.0, "all": 1.0}


def fit(X: np.ndarray, y: np.ndarray, bound: float = 1e-10, **options: Any) -> Race:
    """Fit both with the same options; they must need the same iterations and find the same coefficients."""
    return Race(
        ours=lambda: Ours(**options).fit(X, y),
        theirs=lambda: Theirs(**options).fit(X, y),
        agree=both(same_attributes("n_iter_"), same_coefficients(bound)),
    )


def probabilities(X: np.ndarray, y: np.ndarray) -> Race:
    """Probabilities from one model's coefficients, so that only predict_proba differs."""
    theirs = Theirs().fit(X, y)
    ours = Ours().fit(X, y)
    ours.coef_, ours.intercept_ = theirs.coef_.copy(), theirs.intercept_.copy()
    return Race(
        ours=lambda: ours.predict_proba(X),
        theirs=lambda: theirs.predict_proba(X),
        agree=same_arrays(1e-14),
    )


# ---------------------------------------------------------------- lbfgs


@case(NAME, "iris", job="fit", goal=SMALL, quick=True)
def logistic_iris() -> Race:
    return fit(*standardized("iris"))


@case(NAME, "wine", job="fit", goal=SMALL, quick=True)
def logistic_wine() -> Race:
    return fit(*standardized("wine"))


@case(NAME, "breast_cancer", job="fit", goal=SMALL, quick=True)
def logistic_breast_cancer() -> Race:
    return fit(*standardized("breast_cancer"))


@case(NAME, "digits", job="fit", goal=SMALL, quick=True)
def logistic_digits() -> Race:
    return fit(*standardized("digits"))


@case(NAME, "2k x 20", job="fit", goal=SMALL, quick=True)
def logistic_2k_20() -> Race:
    return fit(*blobs(2_000, 20))


@case(NAME, "100k x 20", job="fit", goal=LARGE)
def logistic_100k_20() -> Race:
    return fit(*blobs(100_000, 20))


@case(NAME, "20k x 50, 5 classes", job="fit", goal=LARGE)
def logistic_20k_50_5() -> Race:
    return fit(*blobs(20_000, 50, 5))


@case(NAME, "100k x 100", job="fit", goal=WIDE)
def logistic_100k_100() -> Race:
    return fit(*blobs(100_000, 100))


# ---------------------------------------------------------------- Newton


@case(NAME, "breast_cancer", job="fit newton-cg", goal=AHEAD, quick=True)
def logistic_newton_cg_breast_cancer() -> Race:
    return fit(*standardized("breast_cancer"), solver="newton-cg")


@case(NAME, "100k x 20", job="fit newton-cg", goal=AHEAD)
def logistic_newton_cg_100k_20() -> Race:
    return fit(*blobs(100_000, 20), solver="newton-cg")


@case(NAME, "breast_cancer", job="fit newton-cholesky", goal=AHEAD, quick=True)
def logistic_newton_cholesky_breast_cancer() -> Race:
    return fit(*standardized("breast_cancer"), solver="newton-cholesky")


@case(NAME, "digits", job="fit newton-cholesky", goal=AHEAD)
def logistic_newton_cholesky_digits() -> Race:
    return fit(*standardized("digits"), solver="newton-cholesky")


@case(NAME, "100k x 20", job="fit newton-cholesky", goal=AHEAD)
def logistic_newton_cholesky_100k_20() -> Race:
    return fit(*blobs(100_000, 20), solver="newton-cholesky")


# ---------------------------------------------------------------- predictions


@case(NAME, "breast_cancer", job="predict_proba", goal=AHEAD, quick=True)
def logistic_predict_proba_breast_cancer() -> Race:
    return probabilities(*standardized("breast_cancer"))


@case(NAME, "digits", job="predict_proba", goal=AHEAD, quick=True)
def logistic_predict_proba_digits() -> Race:
    return probabilities(*standardized("digits"))


@case(NAME, "100k x 20", job="predict_proba", goal=AHEAD)
def logistic_predict_proba_100k_20() -> Race:
    return probabilities(*blobs(100_000, 20))


# ---------------------------------------------------------------- how it grows


@sweep(NAME, "20 features", job="fit", sizes=(1e2, 1e3, 1e4, 1e5))
def logistic_by_rows(n: int) -> Race:
    return fit(*blobs(n, 20))


@sweep(NAME, "20 features, 5 classes", job="fit", sizes=(1e2, 1e3, 1e4, 1e5))
def logistic_by_rows_5_classes(n: int) -> Race:
    return fit(*blobs(n, 20, 5))
