"""One step of k-means++ on dense samples, to read: how much would each candidate help?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Prepared(NamedTuple):
    """Dense samples in double precision, and |x|^2 of each."""

    X: Array  # (n_samples, n_features), float64
    norms: Array  # (n_samples,), float64
    dtype: Any  # of the samples as they were given


def prepare(X: Array, norms: Array | None, n_trials: int) -> Prepared:
    """What serves every step.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
    norms : ndarray of shape (n_samples,), optional
        |x|^2 of each sample; ignored in single precision, where they are too coarse.
    n_trials : int
        How many candidates a step will have.
    """
    wide = X.astype(np.float64, copy=False)
    if norms is None or norms.dtype != np.float64:
        norms = np.einsum("ij,ij->i", wide, wide)
    return Prepared(wide, norms, X.dtype)


def look(prepared: Prepared, weight: Array, candidates: Array, closest: Array | None) -> tuple[Array, Array]:
    """The squared distance of each sample to the nearest centre, were one of the candidates a centre.

    Parameters
    ----------
    candidates : ndarray of shape (n_candidates,), int64
        Indices of samples.
    closest : ndarray of shape (n_samples,), optional
        The squared distances to the nearest of the centres so far; None before the first.

    Returns
    -------
    left : ndarray of shape (n_candidates, n_samples)
        min(closest, max(0, |c|^2 - 2 x.c + |x|^2)).
    potentials : ndarray of shape (n_candidates,)
        The weighted sum of each row.
    """
    X, norms, dtype = prepared
    squared = -2 * (X[candidates] @ X.T)
    squared += norms[candidates, np.newaxis]
    squared += norms
    squared = np.maximum(squared, 0).astype(dtype, copy=False)
    if closest is not None:
        np.minimum(squared, closest, out=squared)
    return squared, squared @ weight
