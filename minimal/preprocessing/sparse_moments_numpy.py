"""Column moments of a sparse matrix, read from its stored entries alone.

A column has ``n_samples`` values, of which a few are stored and the rest are zeros.  What the zeros add to each sum is
known without looking at them (``moments.sparse_moments`` adds it), so the cost is the number of stored entries.  A
stored NaN is a missing value: neither an entry nor a zero.

The matrix comes as its arrays, every entry with its sample (row) and its feature (column).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Indices = NDArray[np.integer]


class Entries(NamedTuple):
    """The arrays of a CSR (``by_rows``) or CSC matrix: line k holds ``data[indptr[k]:indptr[k + 1]]``."""

    data: NDArray[np.floating]
    indices: Indices
    indptr: Indices
    by_rows: bool
    n_samples: int
    n_features: int


def entry_sums(X: Entries, weight: NDArray[np.floating] | None) -> tuple[Floats, Floats, Floats, Floats]:
    """Weighted sums over the stored entries of each column.

    Parameters
    ----------
    X : Entries
    weight : ndarray of shape (n_samples,), or None where every sample weighs one

    Returns
    -------
    total : ndarray of shape (n_features,), float64
        sum(w x) over the entries that are known.
    stored, missing : ndarray of shape (n_features,), float64
        sum(w) over the entries that are known, and over those that are NaN.
    n_stored : ndarray of shape (n_features,)
        How many entries there are, known or not.

    Notes
    -----
    Twin: ``sparse_moments_numba.entry_sums``, same bits.
    """
    samples, features = _places(X)
    w = 1.0 if weight is None else weight[samples].astype(np.float64)
    is_missing = np.isnan(X.data)
    known = np.where(is_missing, 0.0, X.data)
    return (
        _sums(features, w * known, X.n_features),
        _sums(features, w * ~is_missing, X.n_features),
        _sums(features, w * is_missing, X.n_features),
        np.bincount(features, minlength=X.n_features),
    )


def entry_deviations(X: Entries, weight: NDArray[np.floating] | None, center: Floats) -> tuple[Floats, Floats]:
    """Weighted deviations of the stored entries: sum(w (x - center)) and sum(w (x - center)**2).

    Parameters
    ----------
    X : Entries
    weight : ndarray of shape (n_samples,), or None
    center : ndarray of shape (n_features,)

    Returns
    -------
    off, off2 : ndarray of shape (n_features,), float64

    Notes
    -----
    Twin: ``sparse_moments_numba.entry_deviations``, same bits.
    """
    samples, features = _places(X)
    deviation = X.data - center[features]
    deviation[np.isnan(X.data)] = 0.0
    weighted = deviation if weight is None else deviation * weight[samples]
    return _sums(features, weighted, X.n_features), _sums(features, deviation * weighted, X.n_features)


def _sums(features: Indices, values: Floats, n_features: int) -> Floats:
    """The sum of each column's values.  Of no values at all NumPy would make whole numbers."""
    return np.bincount(features, values, n_features).astype(np.float64, copy=False)


def _places(X: Entries) -> tuple[Indices, Indices]:
    """The sample and the feature of each entry."""
    lines = np.repeat(np.arange(len(X.indptr) - 1), np.diff(X.indptr))
    return (lines, X.indices) if X.by_rows else (X.indices, lines)
