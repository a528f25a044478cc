"""The data and the comparisons that the tests of trees and forests share."""

from __future__ import annotations

from functools import cache

import numpy as np
import sklearn.datasets

ARRAYS = (
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "missing_go_to_left",
    "value",
)
NUMBERS = ("node_count", "capacity", "max_depth", "n_leaves", "n_features", "n_outputs", "max_n_classes")


def real(load, every=1):
    X, y = load(return_X_y=True)
    return X[::every], y[::every]


def with_ties(seed=0, n=120):
    """Few distinct values, a constant column, two equal columns."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (n, 6)).astype(float)
    X[:, 2] = 1.5
    X[:, 4] = X[:, 1]
    return X


def with_missing(seed=0, n=150):
    """NaN in some columns, one column all NaN, one without."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    X[rng.random((n, 6)) < 0.2] = np.nan
    X[:, 1] = np.nan
    X[:, 3] = rng.standard_normal(n)
    return X


def labels_for(X, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    signal = np.nan_to_num(X) @ rng.standard_normal(X.shape[1]) + rng.standard_normal(len(X))
    return np.searchsorted(np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1]), signal)


def numbers_for(X, seed=0):
    rng = np.random.default_rng(seed)
    return np.abs(np.nan_to_num(X) @ rng.standard_normal(X.shape[1]) + rng.standard_normal(len(X)))


@cache
def classification():
    """(X, y) by name."""
    ties, missing = with_ties(), with_missing()
    return {
        "iris": real(sklearn.datasets.load_iris),
        "wine": real(sklearn.datasets.load_wine),
        "breast_cancer": real(sklearn.datasets.load_breast_cancer, every=3),
        "ties": (ties, labels_for(ties, 3)),
        "missing values": (missing, labels_for(missing, 2)),
        "one class": (ties[:20], np.zeros(20, dtype=int)),
        "one sample": (ties[:1], np.array([7])),
        "two samples": (ties[:2], np.array([1, 0])),
    }


@cache
def regression():
    """(X, y) by name; no target is negative."""
    ties, missing = with_ties(), with_missing()
    return {
        "diabetes": real(sklearn.datasets.load_diabetes, every=5),
        "ties": (ties, numbers_for(ties).round(1)),
        "missing values": (missing, numbers_for(missing)),
        "constant target": (ties[:20], np.full(20, 2.5)),
        "one sample": (ties[:1], np.array([7.0])),
    }


def assert_same_tree(parity, ours, theirs, data="", option=""):
    """Every array of the two ``tree_``, bit for bit."""
    for name in ARRAYS:
        parity.identical(getattr(ours, name), getattr(theirs, name), what=f"tree_.{name}", data=data, option=option)
    for name in NUMBERS:
        parity.identical(getattr(ours, name), getattr(theirs, name), what=f"tree_.{name}", data=data, option=option)
    parity.identical(ours.n_classes, theirs.n_classes, what="tree_.n_classes", data=data, option=option)


def assert_same_values(parity, ours, theirs, what, data="", option=""):
    """Arrays, or lists of arrays, bit for bit."""
    if isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            parity.identical(mine, other, what=what, data=data, option=option)
    else:
        parity.identical(ours, theirs, what=what, data=data, option=option)
