"""The data of the races: scikit-learn's bundled real sets, and generated ones that a seed repeats.

Each is made once in a process and shared by all cases: a job that changes its input takes a copy in its ``setup``.
"""

from __future__ import annotations

from functools import cache

import numpy as np

REAL = ("iris", "wine", "breast_cancer", "digits", "diabetes")
Table = tuple[np.ndarray, np.ndarray]


@cache
def real(name: str) -> Table:
    """X, y of one of scikit-learn's bundled data sets: ``"iris"``, ``"wine"``, ``"breast_cancer"``, ``"digits"`` or
    ``"diabetes"``."""
    import sklearn.datasets

    if name not in REAL:
        raise ValueError(f"The bundled data sets are {', '.join(REAL)}. Got {name!r} instead.")
    X, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return np.ascontiguousarray(X, dtype=np.float64), y


def standardize(X: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and variance 1 (a constant column with 0), by NumPy alone: neither side's scaler."""
    scale = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(scale > 0, scale, 1.0)


@cache
def standardized(name: str) -> Table:
    """Like :func:`real`, with standardized columns."""
    X, y = real(name)
    return standardize(X), y


@cache
def blobs(n: int, d: int, classes: int = 2, *, seed: int = 0, overlap: float = 0.4) -> Table:
    """Standardized Gaussian clouds, one per class, n rows, d columns, classes of equal chance in random order.

    ``overlap`` is each cloud's deviation, in units of the usual distance between two centres: at 0.4 a linear model is
    right nine times out of ten for two classes.
    """
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, d)) / np.sqrt(2 * d)  # about one apart
    y = random.integers(classes, size=n)
    return standardize(centres[y] + overlap * random.normal(size=(n, d))), y


@cache
def noise(n: int, d: int, *, missing: float = 0.0, dtype: str = "float64") -> np.ndarray:
    """Normal columns with different means and scales, for preprocessing; a share ``missing`` of the entries is NaN."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n, d))
    X *= random.uniform(0.1, 10.0, size=d)
    X += random.uniform(-100.0, 100.0, size=d)
    if missing:
        X[random.random(size=(n, d)) < missing] = np.nan
    return X.astype(dtype, copy=False)
