"""The two steps of Lloyd's algorithm on dense samples, to read.

    E-step    label_i  = the j with the least |x_i - c_j|^2, the first of several
    M-step    c_j      = the weighted mean of the samples with label j

Neither step can raise the inertia, sum_i w_i |x_i - c_label(i)|^2, and there are finitely many ways to label the samples: the
steps, taken in turn (``rounds.run``), come to rest.

Lloyd, "Least squares quantization in PCM", 1982.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.cluster.rounds import averages, center_shift, sum_in_fours

Array = NDArray[Any]

SAMPLES_AT_ONCE = 256  # a table of their distances to all centres stays in the cache


class Samples(NamedTuple):
    """Dense samples and how much each counts."""

    X: Array  # (n_samples, n_features)
    weight: Array  # (n_samples,)


def begin(X: Array, weight: Array, n_clusters: int) -> Samples:
    """What is prepared before the first round.  The compiled twin also keeps there what it learns from round to round."""
    return Samples(X, weight)


def assign(samples: Samples, centers: Array, shift: Array) -> Array:
    """The E-step of a round: the nearest centre of each sample.

    Parameters
    ----------
    samples : Samples
        From :func:`begin`.
    centers : ndarray of shape (n_clusters, n_features)
    shift : ndarray of shape (n_clusters,)
        How far each centre moved since the last call; zero at the first.  Whoever keeps bounds needs it.

    Returns
    -------
    ndarray of shape (n_samples,), int32

    Notes
    -----
    Cost: n_samples * n_clusters * n_features.  Twin: ``lloyd_numba.assign``, same labels.
    """
    return nearest(samples.X, centers)


def gather(samples: Samples, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """The M-step's sums: of the weighted samples of each cluster, and of their weights, from the first sample to the last.

    Returns
    -------
    sums : ndarray of shape (n_clusters, n_features)
    mass : ndarray of shape (n_clusters,)

    Notes
    -----
    Twin: ``lloyd_numba.gather``, same bits.
    """
    X, weight = samples
    sums, mass = np.zeros((n_clusters, X.shape[1]), X.dtype), np.zeros(n_clusters, X.dtype)
    np.add.at(sums, labels, X * weight[:, np.newaxis])
    np.add.at(mass, labels, weight)
    return sums, mass


def move(centers: Array, sums: Array, mass: Array) -> tuple[Array, Array]:
    """The new centres, and how far each moved.  Twin: ``lloyd_numba.move``, same bits."""
    moved = averages(sums, mass)
    return moved, center_shift(centers, moved)


def nearest(X: Array, centers: Array) -> Array:
    """The centre with the least |c|^2 - 2 x.c for each sample, which is |x - c|^2 without what all centres share.

    Returns
    -------
    ndarray of shape (n_samples,), int32

    Notes
    -----
    Twin: ``lloyd_numba.nearest``, same labels: its products are rounded otherwise, so that two centres which are as near as
    each other to the last digit may change places.
    """
    labels = np.empty(len(X), np.int32)
    squared_norms = np.einsum("ij,ij->i", centers, centers)
    for first in range(0, len(X), SAMPLES_AT_ONCE):
        part = slice(first, first + SAMPLES_AT_ONCE)
        rows = X[part] if first + 1 < len(X) else X[[first, first]]  # one row would go another way through BLAS
        labels[part] = (squared_norms - 2 * (rows @ centers.T)).argmin(axis=1)[: len(X) - first]
    return labels


def own_distances(X: Array, centers: Array, labels: Array) -> Array:
    """The squared distance of each sample to its own centre: ndarray of shape (n_samples,).

    Notes
    -----
    Twin: ``lloyd_numba.own_distances``, same bits.
    """
    squared = np.empty(len(X), X.dtype)
    for first in range(0, len(X), SAMPLES_AT_ONCE):
        part = slice(first, first + SAMPLES_AT_ONCE)
        squared[part] = sum_in_fours((X[part] - centers[labels[part]]) ** 2)
    return squared
