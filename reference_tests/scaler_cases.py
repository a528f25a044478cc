"""The data, options and comparisons that the tests of StandardScaler share."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import sklearn.datasets

LEARNED = ("mean_", "var_", "scale_", "n_samples_seen_")
OPTIONS = [{"with_mean": m, "with_std": s} for m, s in product((True, False), repeat=2)]
SUMS_IN_ANOTHER_ORDER = "weighted sums are a matrix product there, whose order of addition is the BLAS library's own"
SPARSE_SUMS = "sums over stored entries: weights of missing entries are taken off one by one there, at once here"


def uneven(n, d, *, seed=0, missing=0.0, dtype=np.float64):
    """Magnitudes from 1e-8 to 1e8, so that every change in the order of addition shows; column 0 is constant."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * np.exp(6 * rng.standard_normal((n, d)))
    if d > 1:
        X[:, 0] = 3.3
    X[rng.random((n, d)) < missing] = np.nan
    return X.astype(dtype)


DENSE = {
    "iris": lambda: sklearn.datasets.load_iris().data,
    "breast_cancer": lambda: sklearn.datasets.load_breast_cancer().data,
    "digits": lambda: sklearn.datasets.load_digits().data,
    "uneven": lambda: uneven(1003, 7),
    "with missing values": lambda: uneven(1003, 7, missing=0.2),
    "missing late": lambda: np.vstack([uneven(700, 9), uneven(303, 9, missing=0.1)]),
    "wide": lambda: uneven(37, 501, missing=0.01),
    "one column": lambda: uneven(1003, 1),
    "one sample": lambda: uneven(1, 5),
    "two samples": lambda: uneven(2, 3),
    "far from zero": lambda: 1e9 + uneven(500, 4),
    "long": lambda: uneven(20_003, 3),
    "long, with missing values": lambda: uneven(20_003, 3, missing=0.01),
    "nearly constant": lambda: 1e6 * (1 + 1e-16 * np.arange(300.0).reshape(100, 3)),
    "negative zeros": lambda: np.full((9, 3), -0.0),
    "huge": lambda: 1e150 * np.arange(1.0, 13.0).reshape(4, 3),
    "tiny": lambda: 5e-324 * np.arange(12.0).reshape(4, 3),
    "empty column": lambda: np.c_[uneven(50, 2), np.full(50, np.nan)],
}

ORDERS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "every second row, F": lambda X: np.asfortranarray(np.repeat(X, 2, axis=0))[::2],
    "rows reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "columns reversed": lambda X: np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "read-only": lambda X: _frozen(X),
    "unaligned": lambda X: _unaligned(X),
}


def _frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _unaligned(X):
    raw = np.zeros(X.nbytes + 1, np.uint8)
    view = raw[1:].view(X.dtype).reshape(X.shape)
    view[...] = X
    return view


def same_learned(ours, theirs, parity, **labels):
    for name in LEARNED:
        a, b = getattr(ours, name), getattr(theirs, name)
        assert type(a) is type(b), f"{name} is a {type(a).__name__} instead of a {type(b).__name__}"
        parity.identical(a, b, what=name, **labels)


def near_learned(ours, theirs, parity, *, bound, reason, **labels):
    for name in LEARNED:
        a, b = getattr(ours, name), getattr(theirs, name)
        if b is None:
            assert a is None
            continue
        assert type(a) is type(b)
        assert a.dtype == b.dtype
        parity.rounding(a, b, what=name, bound=bound, reason=reason, **labels)


def quietly(job, *args, **kwargs):
    """A column of nothing but NaN makes both sides divide 0 by 0 and warn; that they do is a test of its own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        return job(*args, **kwargs)
