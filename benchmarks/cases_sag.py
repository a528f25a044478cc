"""Races of the stochastic solvers of LogisticRegression: sag, and saga with L2, L1 and both.

Same seed, so the same samples are drawn in the same order and the answers are the same bits: what differs is the time of a
step.  A sample's prediction is one chain of additions in a fixed order, which no side can shorten; neither uses threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import sklearn.linear_model

import minimal.linear_model
from benchmarks.data import blobs, standardize, standardized
from benchmarks.frame import Race, case, own_data, same_attributes, sweep

Ours, Theirs = minimal.linear_model.LogisticRegression, sklearn.linear_model.LogisticRegression
LEARNED = ("coef_", "intercept_", "n_iter_", "classes_")


def fit_race(X: Any, y: np.ndarray, **options: Any) -> Race:
    options = {"random_state": 0, "tol": 1e-2, "max_iter": 1000, **options}
    return Race(
        ours=lambda: Ours(**options).fit(X, y),
        theirs=lambda: Theirs(**options).fit(X, y),
        agree=same_attributes(*LEARNED),
    )


def scattered(n: int, d: int, classes: int) -> tuple[Any, np.ndarray]:
    """Rows with 2 % of the entries, in CSR form, and the classes that a linear model would give them."""
    random = np.random.default_rng(0)
    X = scipy.sparse.random(n, d, density=0.02, random_state=0, format="csr")
    return X, (X @ random.normal(size=(d, classes))).argmax(axis=1)


@case("LogisticRegression", "iris", job="sag", threads=(1,), quick=True)
def sag_iris() -> Race:
    return fit_race(*standardized("iris"), solver="sag")


@case("LogisticRegression", "breast_cancer", job="sag", threads=(1,), quick=True)
def sag_breast_cancer() -> Race:
    return fit_race(*standardized("breast_cancer"), solver="sag")


@case("LogisticRegression", "digits, 10 classes", job="sag", threads=(1,), quick=True)
def sag_digits() -> Race:
    return fit_race(*standardized("digits"), solver="sag")


@case("LogisticRegression", "20k x 20", job="sag", threads=(1,))
def sag_20k_20() -> Race:
    return fit_race(*blobs(20_000, 20), solver="sag")


@case("LogisticRegression", "20k x 20, float32", job="sag", threads=(1,))
def sag_20k_20_float32() -> Race:
    X, y = blobs(20_000, 20)
    return fit_race(X.astype(np.float32), y, solver="sag")


@case("LogisticRegression", "5k x 1000, 2% filled", job="sag", threads=(1,))
def sag_sparse() -> Race:
    return fit_race(*scattered(5_000, 1_000, 2), solver="sag")


@case("LogisticRegression", "5k x 1000, 2% filled, 4 classes", job="sag", threads=(1,))
def sag_sparse_4_classes() -> Race:
    return fit_race(*scattered(5_000, 1_000, 4), solver="sag")


@case("LogisticRegression", "breast_cancer", job="saga, L2", threads=(1,), quick=True)
def saga_breast_cancer() -> Race:
    return fit_race(*standardized("breast_cancer"), solver="saga")


@case("LogisticRegression", "20k x 20", job="saga, L2", threads=(1,))
def saga_20k_20() -> Race:
    return fit_race(*blobs(20_000, 20), solver="saga")


@case("LogisticRegression", "iris", job="saga, L1", threads=(1,), quick=True)
def saga_l1_iris() -> Race:
    return fit_race(*standardized("iris"), solver="saga", l1_ratio=1)


@case("LogisticRegression", "breast_cancer", job="saga, L1", threads=(1,), quick=True)
def saga_l1_breast_cancer() -> Race:
    return fit_race(*standardized("breast_cancer"), solver="saga", l1_ratio=1, C=0.1)


@case("LogisticRegression", "digits, 10 classes", job="saga, L1", threads=(1,))
def saga_l1_digits() -> Race:
    return fit_race(*standardized("digits"), solver="saga", l1_ratio=1, C=0.1)


@case("LogisticRegression", "20k x 20", job="saga, elastic net", threads=(1,))
def saga_elastic_net_20k_20() -> Race:
    return fit_race(*blobs(20_000, 20), solver="saga", l1_ratio=0.5, C=0.01)


@case("LogisticRegression", "5k x 1000, 2% filled", job="saga, L1", threads=(1,))
def saga_l1_sparse() -> Race:
    return fit_race(*scattered(5_000, 1_000, 2), solver="saga", l1_ratio=1)


@sweep("LogisticRegression", "20 features", job="saga, L1", threads=(1,), sizes=(1e2, 1e3, 1e4, 1e5))
def saga_by_rows(n: int) -> Race:
    return fit_race(*blobs(n, 20), solver="saga", l1_ratio=1)


@own_data("LogisticRegression", job="saga, L1", needs_classes=True)
def saga_own_data(X: np.ndarray, y: np.ndarray) -> Race:
    return fit_race(standardize(X), y, solver="saga", l1_ratio=1)
