"""What a fit needs of the columns before it begins: their means, and once these are subtracted, their variances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def means(X: Array) -> Array:
    """The mean of each column: ndarray of shape (n_features,), in the precision of ``X``.

    Notes
    -----
    Twin: ``columns_numba.means``, same bits.
    """
    return np.asarray(X.mean(axis=0))


def mean_squares(X: Array) -> Array:
    """The mean of the squares of each column, which is its variance if its mean is zero.

    Notes
    -----
    Twin: ``columns_numba.mean_squares``, same bits.
    """
    return (X * X).sum(axis=0) / len(X)
