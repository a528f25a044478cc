"""The two steps of Lloyd's algorithm on sparse samples, to read.

Every sum runs over the stored entries from left to right and over the samples from first to last, so that the same numbers
are added in the same order on both engines, on any number of threads, and in the reference.
"""

from __future__ import annotations

import numpy as np

from minimal.cluster.sparse_rows import Array, Rows

SAMPLES_AT_ONCE = 1024  # so that nothing here is larger than the entries of so many samples, once for each centre


def products(X: Rows, points: Array) -> Array:
    """x . p for every sample and point: ndarray of shape (n_samples, n_points).

    Notes
    -----
    Cost: entries * points multiplications.  Twin: ``lloyd_sparse_numba.products``, same bits.
    """
    n_samples = len(X.indptr) - 1
    result = np.zeros((n_samples, len(points)), np.result_type(X.data, points))
    for first in range(0, n_samples, SAMPLES_AT_ONCE):
        part = X._replace(indptr=X.indptr[first : first + SAMPLES_AT_ONCE + 1])
        samples, entries = _places(part)
        terms = X.data[entries, np.newaxis] * points.T[X.indices[entries]]
        np.add.at(result, first + samples, terms)
    return result


def nearest(X: Rows, centers: Array) -> Array:
    """The E-step: the centre with the least |c|^2 - 2 x.c for each sample, the first of several.

    Returns
    -------
    ndarray of shape (n_samples,), int32

    Notes
    -----
    Twin: ``lloyd_sparse_numba.nearest``, same bits.
    """
    squared_norms = np.einsum("ij,ij->i", centers, centers)
    return (squared_norms - 2 * products(X, centers)).argmin(axis=1).astype(np.int32)


def gather(X: Rows, weight: Array, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """The M-step's sums: those of the weighted samples of each cluster, and of their weights.

    Returns
    -------
    sums : ndarray of shape (n_clusters, n_features)
    mass : ndarray of shape (n_clusters,)

    Notes
    -----
    Twin: ``lloyd_sparse_numba.gather``, same bits.
    """
    samples, entries = _places(X)
    sums = np.zeros((n_clusters, X.n_features), X.data.dtype)
    np.add.at(sums, (labels[samples], X.indices[entries]), X.data[entries] * weight[samples])
    mass = np.zeros(n_clusters, X.data.dtype)
    np.add.at(mass, labels, weight)
    return sums, mass


def own_distances(X: Rows, centers: Array, labels: Array) -> Array:
    """The squared distance of each sample to its own centre: |c|^2 plus the sum of (x - c)^2 - c^2 over its entries.

    Returns
    -------
    ndarray of shape (n_samples,), in the data's dtype

    Notes
    -----
    Twin: ``lloyd_sparse_numba.own_distances``, same bits.
    """
    samples, entries = _places(X)
    c = centers[labels[samples], X.indices[entries]]
    squared = np.zeros(len(labels), X.data.dtype)
    np.add.at(squared, samples, (X.data[entries] - c) ** 2 - c * c)
    squared += np.einsum("ij,ij->i", centers, centers)[labels]
    return np.maximum(squared, 0)


def _places(X: Rows) -> tuple[Array, slice]:
    """Of the samples in ``indptr``: the sample of each entry, counted from the first, and where the entries are."""
    return np.repeat(np.arange(len(X.indptr) - 1), np.diff(X.indptr)), slice(X.indptr[0], X.indptr[-1])
