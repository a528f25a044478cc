"""Elkan's search for the nearest centres, to read: the triangle inequality saves most of the distances.

For a sample x with its centre a and another centre b, and with upper >= d(x, a) and lower_b <= d(x, b) known:

    lower_b >= upper          no need to look: b is not nearer
    d(a, b) / 2 >= upper      no need to look either: d(x, b) >= d(a, b) - d(x, a) >= d(x, a)

When centres move, d(x, b) shrinks by no more than b moved, and d(x, a) grows by no more than a moved: the bounds are loosened
by the shifts and stay true.  A sample keeps its centre where another is exactly as near (Lloyd's step takes the first of
them), which is the one difference between the two algorithms' answers, besides the last bits of ties.

Elkan, "Using the triangle inequality to accelerate k-means", ICML 2003.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minimal.cluster import lloyd_sparse_numpy
from minimal.cluster.rounds import Halves, sum_in_fours
from minimal.cluster.sparse_rows import Array, Rows


class Bounds(NamedTuple):
    """What is known of each sample: its centre, how far that is at most, how far each centre is at least."""

    labels: Array  # (n_samples,), int32
    upper: Array  # (n_samples,)
    lower: Array  # (n_samples, n_clusters)


def first_bounds(X: Array | Rows, centers: Array, halves: Halves) -> Bounds:
    """The nearest centre of each sample and the first bounds; a distance that was not needed is bounded by zero.

    Notes
    -----
    Cost: at most n_samples * n_clusters distances.  Twin: ``elkan_numba.first_bounds``, same bits.
    """
    n_samples, n_clusters = n_rows(X), len(centers)
    labels = np.zeros(n_samples, np.int32)
    lower = np.zeros((n_samples, n_clusters), centers.dtype)
    everybody = np.arange(n_samples)
    lower[:, 0] = upper = _distances(X, everybody, centers, labels)
    upper = upper.copy()
    for b in range(1, n_clusters):
        look = np.flatnonzero(upper > halves.between[labels, b])
        lower[look, b] = d = _distances(X, look, centers, np.full(len(look), b))
        nearer = d < upper[look]
        labels[look[nearer]], upper[look[nearer]] = b, d[nearer]
    return Bounds(labels, upper, lower)


def improve(X: Array | Rows, centers: Array, halves: Halves, bounds: Bounds, shifts: Array) -> None:
    """Loosen the bounds by how far the centres moved, then find the nearest centres again; changes ``bounds``.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features)
    halves : Halves
        Of these centres.
    bounds : Bounds
        Of the centres before they moved.
    shifts : ndarray of shape (n_rounds, n_clusters)
        How far each moved: last in this round, before it in the rounds before.

    Notes
    -----
    Cost: a look at every bound, and the few distances that they do not settle.  Twin: ``elkan_numba.improve``, same bits.
    """
    labels, upper, lower = bounds
    upper += shifts[-1, labels]
    lower -= shifts[-1]
    np.maximum(lower, 0, out=lower)
    unsettled = upper > halves.to_next[labels]
    is_exact = np.zeros(len(upper), bool)
    for b in range(len(centers)):
        look = unsettled & (labels != b) & (upper > lower[:, b]) & (upper > halves.between[labels, b])
        loose = np.flatnonzero(look & ~is_exact)
        upper[loose] = lower[loose, labels[loose]] = _distances(X, loose, centers, labels[loose])
        is_exact[loose] = True
        look = np.flatnonzero(look & ((upper > lower[:, b]) | (upper > halves.between[labels, b])))
        lower[look, b] = d = _distances(X, look, centers, np.full(len(look), b))
        nearer = d < upper[look]
        labels[look[nearer]], upper[look[nearer]] = b, d[nearer]


def gather(X: Array | Rows, weight: Array, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Sums of the weighted samples of each cluster and of their weights, from the first sample to the last.

    Notes
    -----
    Twin: ``elkan_numba.gather``, same bits.
    """
    if isinstance(X, Rows):
        return lloyd_sparse_numpy.gather(X, weight, labels, n_clusters)
    sums, mass = np.zeros((n_clusters, X.shape[1]), X.dtype), np.zeros(n_clusters, X.dtype)
    np.add.at(sums, labels, X * weight[:, np.newaxis])
    np.add.at(mass, labels, weight)
    return sums, mass


def own_distances(X: Array | Rows, centers: Array, labels: Array) -> Array:
    """The squared distance of each sample to its own centre: ndarray of shape (n_samples,).

    Notes
    -----
    Twin: ``elkan_numba.own_distances``, same bits.
    """
    if isinstance(X, Rows):
        return lloyd_sparse_numpy.own_distances(X, centers, labels)
    return sum_in_fours((X - centers[labels]) ** 2)


def n_rows(X: Array | Rows) -> int:
    return len(X.indptr) - 1 if isinstance(X, Rows) else len(X)


def _distances(X: Array | Rows, samples: Array, centers: Array, labels: Array) -> Array:
    """From some samples to one centre each."""
    return np.sqrt(own_distances(_some(X, samples), centers, labels))


def _some(X: Array | Rows, samples: Array) -> Array | Rows:
    """The samples of these numbers."""
    if not isinstance(X, Rows):
        return X[samples]
    lengths = np.diff(X.indptr)[samples]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    entries = np.repeat(X.indptr[samples] - indptr[:-1], lengths) + np.arange(indptr[-1])
    return Rows(X.data[entries], X.indices[entries], indptr, X.n_features)
