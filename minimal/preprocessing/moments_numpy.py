"""Column moments, missing values ignored: everything that standardization learns from the data.

After this page you can compute a variance that survives a mean of a billion.  The textbook's E[x^2] - E[x]^2 does not: it
subtracts two huge numbers that agree in almost all digits.  So the data are read twice, first for the sums, then for the
deviations from the mean that the sums give.  The second pass also adds up the plain deviations: they would cancel to zero
if the mean were exact, and what is left of them takes the mean's own rounding out of the variance (Chan, Golub & LeVeque,
1983, "Algorithms for computing the sample variance", the corrected two-pass algorithm).

NaN marks a missing value.  Sums are float64 whatever the data are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def column_sums(X: NDArray[np.floating]) -> tuple[NDArray[np.int64], Floats]:
    """Count the missing values of each column, and add up the others.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16

    Returns
    -------
    missing : ndarray of shape (n_features,), int64
    total : ndarray of shape (n_features,), float64
        Not finite where the column holds an infinity or overflows.

    Notes
    -----
    The order of addition is NumPy's: row after row where a row lies together in memory, in pairs of pairs where a column
    does.  Cost: one read of X.  Twin: ``moments_numba.column_sums``, same bits.
    """
    is_missing = np.isnan(X)
    if not is_missing.any():
        return np.zeros(X.shape[1], np.int64), X.sum(axis=0, dtype=np.float64)
    return np.count_nonzero(is_missing, axis=0).astype(np.int64), _sum_known(X, is_missing)


def column_deviations(X: NDArray[np.floating], center: Floats) -> tuple[Floats, Floats]:
    """Add up the deviations of each column from its center, and their squares.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16
    center : ndarray of shape (n_features,), float64

    Returns
    -------
    off, off2 : ndarray of shape (n_features,), float64
        sum(x - center) and sum((x - center)**2).

    Notes
    -----
    Cost: one read of X.  Twin: ``moments_numba.column_deviations``, same bits.
    """
    deviation = X - center
    is_missing = np.isnan(deviation)
    if not is_missing.any():
        return deviation.sum(axis=0), np.square(deviation, out=deviation).sum(axis=0)
    off = _sum_known(deviation, is_missing)
    return off, _sum_known(np.square(deviation, out=deviation), is_missing)


def _sum_known(values: NDArray[np.floating], is_missing: NDArray[np.bool_]) -> Floats:
    """Column sums with zero in place of what is missing, in an array of the same memory order: the order of addition."""
    known = values.copy(order="K")
    known[is_missing] = 0.0
    return known.sum(axis=0, dtype=np.float64)


def weighted_column_sums(X: NDArray[np.floating], weight: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """The weight of each column's known values, and their weighted sum: sum(w) and sum(w x).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16
    weight : ndarray of shape (n_samples,), float64, float32 or float16

    Returns
    -------
    known_weight, total : ndarray of shape (n_features,), float64

    Notes
    -----
    Twin: ``moments_numba.weighted_column_sums``, equal to rounding (a matrix product adds in an order of its own).
    """
    is_missing = np.isnan(X)
    w = weight.astype(np.float64)
    known_weight = np.where(is_missing, 0.0, w[:, np.newaxis]).sum(axis=0)  # the same number for all complete columns
    return known_weight, w @ np.where(is_missing, 0.0, X)


def weighted_column_deviations(
    X: NDArray[np.floating], weight: NDArray[np.floating], center: Floats
) -> tuple[Floats, Floats]:
    """Weighted sums of deviations: sum(w (x - center)) and sum(w (x - center)**2).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16
    weight : ndarray of shape (n_samples,), float64, float32 or float16
    center : ndarray of shape (n_features,), float64

    Returns
    -------
    off, off2 : ndarray of shape (n_features,), float64

    Notes
    -----
    Twin: ``moments_numba.weighted_column_deviations``, equal to rounding.
    """
    deviation = np.where(np.isnan(X), 0.0, X - center)
    w = weight.astype(np.float64)
    return w @ deviation, w @ np.square(deviation)
