"""The distances that k-means++ keeps: to the nearest centre so far, and how much another centre would take from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def begin(X: Array, weight: Array, norms: Array | None, n_trials: int, first: int) -> Nearest:
    """The distances of dense samples to the first centre.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
    weight : ndarray of shape (n_samples,)
    norms : ndarray of shape (n_samples,), optional
        |x|^2 of each sample; ignored in single precision, where they are too coarse.
    n_trials : int
        How many candidates each step will have.
    first : int
        The first centre, an index of a sample.
    """
    wide = X.astype(np.float64, copy=False)
    norms = squared_norms(wide, norms)
    return Nearest(lambda candidates: squared_distances(wide, norms, candidates, X.dtype), weight, first)


def squared_norms(X: Array, known: Array | None = None) -> Array:
    """|x|^2 of each sample: those known, if they are in double precision."""
    if known is not None and known.dtype == np.float64:
        return known
    return np.einsum("ij,ij->i", X, X)


def squared_distances(X: Array, norms: Array, candidates: Array, dtype: Any) -> Array:
    """max(0, |c|^2 - 2 x.c + |x|^2) of each candidate (a row) and sample (a column)."""
    rows = X[candidates]
    squared = -2 * (rows @ X.T)
    squared += squared_norms(rows)[:, np.newaxis]  # not those known, which may be rounded otherwise
    squared += norms
    return np.maximum(squared, 0, out=squared).astype(dtype, copy=False)


class Nearest:
    """The squared distance of each sample to the nearest of the centres so far.

    Parameters
    ----------
    distances_to : callable
        From indices of samples, ndarray of shape (n_candidates,), to their squared distances from all samples, ndarray of
        shape (n_candidates, n_samples), which may be overwritten.
    weight : ndarray of shape (n_samples,)
    first : int
        The first centre, an index of a sample.
    """

    def __init__(self, distances_to: Callable[[Array], Array], weight: Array, first: int) -> None:
        self.distances_to = distances_to
        self.weight = weight
        squared = distances_to(np.array([first]))
        self.closest = squared[0]
        self.potential = (squared @ weight)[0]

    def draw(self, uniform: Array) -> Array:
        """Indices of samples, by numbers between 0 and 1: each is found with a probability in proportion to w_i D_i^2."""
        candidates = np.searchsorted(np.cumsum(self.weight * self.closest), uniform * self.potential)
        return np.minimum(candidates, len(self.closest) - 1)  # rounding may leave the last sum below the potential

    def add_best(self, candidates: Array) -> int:
        """Which candidate leaves the least sum of w_i D_i^2, the first of equals.  It is a centre from now on."""
        squared = self.distances_to(candidates)
        np.minimum(squared, self.closest, out=squared)
        potentials = squared @ self.weight
        best = int(np.argmin(potentials))
        self.closest = squared[best]
        self.potential = potentials[best]
        return best
