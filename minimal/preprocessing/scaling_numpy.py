"""Shift and stretch every column, forth and back: all that standardization does to the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def standardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """out = (X - mean) / scale.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16
    mean, scale : ndarray of shape (n_features,), of the dtype of X
        0 and 1 leave a column as it is, to the bit.
    out : ndarray like X
        May be X itself.

    Returns
    -------
    bool
        Whether X holds an infinity (out is then worthless).  The compiled twin also says so if out overflows, where NumPy
        warns.

    Notes
    -----
    A true division: multiplying by 1 / scale is quicker, but ends one bit off in a fifth of all cases.  Cost: one read of
    X, one write of out.  Twin: ``scaling_numba.standardize``, same bits.
    """
    if np.isinf(X).any():
        return True
    np.subtract(X, mean, out=out)
    np.divide(out, scale, out=out)
    return False


def unstandardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """out = X * scale + mean: the way back.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64, float32 or float16
    mean, scale : ndarray of shape (n_features,), of the dtype of X
        -0.0 (which leaves even a negative zero as it is) and 1 leave a column as it is, to the bit.
    out : ndarray like X
        May be X itself.

    Returns
    -------
    bool
        As for :func:`standardize`.

    Notes
    -----
    Twin: ``scaling_numba.unstandardize``, same bits.
    """
    if np.isinf(X).any():
        return True
    np.multiply(X, scale, out=out)
    np.add(out, mean, out=out)
    return False
