"""The data, options and comparisons that the tests of k-means share."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse
import sklearn.cluster
import sklearn.datasets
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

FITTED = ("labels_", "cluster_centers_", "inertia_", "n_iter_")
OTHER_ORDER = "sums in another order than the BLAS library's"
SINGLE = "single precision: the same sums in another order differ in the seventh digit"


def blobs(n: int, d: int, k: int, *, seed: int = 0, spread: float = 1.0) -> np.ndarray:
    """Clustered data: k round clouds."""
    rng = np.random.default_rng(seed)
    centers = 4 * rng.standard_normal((k, d))
    return centers[rng.integers(0, k, n)] + spread * rng.standard_normal((n, d))


def grid(side: int) -> np.ndarray:
    """Points at whole numbers: every distance occurs many times."""
    return np.indices((side, side)).reshape(2, -1).T.astype(np.float64)


DENSE = {
    "iris": lambda: sklearn.datasets.load_iris().data,
    "wine": lambda: sklearn.datasets.load_wine().data,
    "digits": lambda: sklearn.datasets.load_digits().data,
    "breast_cancer": lambda: sklearn.datasets.load_breast_cancer().data,
    "blobs": lambda: blobs(700, 3, 6),
    "overlapping": lambda: blobs(1003, 5, 4, spread=3.0),
    "one feature": lambda: blobs(301, 1, 4),
    "wide": lambda: np.random.default_rng(1).standard_normal((57, 130)),
    "constant column": lambda: np.c_[blobs(200, 2, 3), np.full(200, 7.1)],
    "far from zero": lambda: 1e6 + blobs(300, 3, 4),
    "duplicates": lambda: np.repeat(blobs(60, 2, 5), 7, axis=0),
    "many scales": lambda: blobs(400, 4, 5) * np.array([1e-6, 1.0, 1e3, 1e-2]),
}

NUMBER_OF_CLUSTERS = {"digits": 10, "iris": 3, "wine": 3}


@cache
def dense(name: str) -> np.ndarray:
    """One of ``DENSE``, made once and read-only."""
    X = np.ascontiguousarray(DENSE[name](), dtype=np.float64)
    X.flags.writeable = False
    return X


def clusters(name: str) -> int:
    return NUMBER_OF_CLUSTERS.get(name, 5)


def weights(kind: str, n: int) -> np.ndarray | None:
    """Weights of a few kinds."""
    rng = np.random.default_rng(9)
    return {
        "none": lambda: None,
        "float": lambda: rng.uniform(0.1, 3.0, n),
        "integer": lambda: rng.integers(1, 5, n),
        "some zero": lambda: rng.integers(0, 3, n).astype(np.float64),
        "tiny": lambda: rng.uniform(1e-8, 1e-6, n),
    }[kind]()


_pools = ThreadpoolController()


def reference(X: Any, weight: Any = None, **options: Any) -> sklearn.cluster.KMeans:
    """scikit-learn's fit on one thread: with several, the last bits of its centres change from run to run."""
    with _pools.limit(limits=1):
        return sklearn.cluster.KMeans(**options).fit(X, sample_weight=weight)


def alone(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call something of scikit-learn's on one thread."""
    with _pools.limit(limits=1):
        return function(*args, **kwargs)


def few_clusters_allowed(job: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[str]]:
    """The result, and the messages of ConvergenceWarning that came with it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        result = job(*args, **kwargs)
    return result, [str(w.message) for w in caught]


def same_fit(ours: Any, theirs: Any, parity: Any, **labels: str) -> None:
    """Everything that fit learned: the same types, shapes and bits."""
    for name in FITTED:
        a, b = getattr(ours, name), getattr(theirs, name)
        assert type(a) is type(b), f"{name} is a {type(a).__name__} instead of a {type(b).__name__}"
        parity.identical(a, b, what=name, **labels)


def near_fit(ours: Any, theirs: Any, parity: Any, *, bound: float, reason: str, **labels: str) -> None:
    """The same labels and number of iterations; centres and inertia to rounding."""
    parity.identical(ours.labels_, theirs.labels_, what="labels_", **labels)
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("cluster_centers_", "inertia_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert type(a) is type(b), f"{name} is a {type(a).__name__} instead of a {type(b).__name__}"
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
        parity.rounding(a, b, what=name, bound=bound, reason=reason, **labels)


def sparse_data(dtype: type = np.float64, n: int = 260, d: int = 30, *, seed: int = 3) -> np.ndarray:
    """Mostly zeros: topics with a few words each, some rows empty; an array, for whichever format."""
    rng = np.random.default_rng(seed)
    topics = rng.random((6, d)) < 0.25
    X = topics[rng.integers(0, 6, n)] * rng.random((n, d)) * (rng.random((n, d)) < 0.6)
    X[rng.random(n) < 0.03] = 0.0
    return X.astype(dtype)


CSR = {"csr_matrix": scipy.sparse.csr_matrix, "csr_array": scipy.sparse.csr_array}
