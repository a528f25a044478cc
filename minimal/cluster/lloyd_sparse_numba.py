"""Twin of ``lloyd_sparse_numpy``, compiled: same bits, and no array larger than the result.

A product of a sparse sample with all centres reads one row of the *transposed* centres for each stored entry, so that the
loop over the centres lies in memory as it runs and is vectorized; each product still adds its terms in the order of the
entries.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from minimal.cluster.sparse_rows import Array, Rows
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

WORK_OF_A_BLOCK = 1 << 20  # multiplications: a few tenths of a millisecond, enough to be worth handing to a thread


def products(X: Rows, points: Array) -> Array:
    """Twin of ``lloyd_sparse_numpy.products``, same bits."""
    result = np.zeros((len(X.indptr) - 1, len(points)), np.result_type(X.data, points))
    columns = np.ascontiguousarray(points.T)
    _in_blocks(X, len(points), lambda first, last: _products(X, columns, result, first, last))
    return result


def nearest(X: Rows, centers: Array) -> Array:
    """Twin of ``lloyd_sparse_numpy.nearest``, same bits."""
    labels = np.empty(len(X.indptr) - 1, np.int32)
    columns, squared_norms = np.ascontiguousarray(centers.T), np.einsum("ij,ij->i", centers, centers)
    _in_blocks(X, len(centers), lambda first, last: _nearest(X, columns, squared_norms, labels, first, last))
    return labels


def gather(X: Rows, weight: Array, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Twin of ``lloyd_sparse_numpy.gather``, same bits.

    A thread adds up some of the clusters over all samples: a sum is one thread's work, in the order of the samples.
    """
    sums, mass = np.zeros((n_clusters, X.n_features), X.data.dtype), np.zeros(n_clusters, X.data.dtype)
    n_parts = min(get_num_threads(), n_clusters, 1 + len(X.data) // WORK_OF_A_BLOCK)
    cuts = [part * n_clusters // n_parts for part in range(n_parts + 1)]
    run_blocks(lambda b: _gather(X, weight, labels, cuts[b], cuts[b + 1], sums, mass), n_parts)
    return sums, mass


def own_distances(X: Rows, centers: Array, labels: Array) -> Array:
    """Twin of ``lloyd_sparse_numpy.own_distances``, same bits."""
    squared = np.empty(len(labels), X.data.dtype)
    squared_norms = np.einsum("ij,ij->i", centers, centers)
    _in_blocks(X, 1, lambda first, last: _own_distances(X, centers, squared_norms, labels, squared, first, last))
    return squared


def _in_blocks(X: Rows, work_of_an_entry: int, job: Callable[[int, int], None]) -> None:
    """Call ``job(first, last)`` on blocks of samples, on several threads where there is enough to do."""
    n_samples = len(X.indptr) - 1
    work_of_a_sample = (1 + len(X.data) // n_samples) * work_of_an_entry
    size = max(1, WORK_OF_A_BLOCK // work_of_a_sample)
    run_blocks(lambda b: job(b * size, min((b + 1) * size, n_samples)), -(-n_samples // size))


@kernel
def _products(X, columns, result, first, last):
    data, indices, indptr, _ = X
    for i in range(first, last):
        for e in range(indptr[i], indptr[i + 1]):
            x, feature = data[e], indices[e]
            for j in range(columns.shape[1]):
                result[i, j] += x * columns[feature, j]


@kernel
def _nearest(X, columns, squared_norms, labels, first, last):
    data, indices, indptr, _ = X
    n_clusters = len(squared_norms)
    product = np.empty_like(squared_norms)
    for i in range(first, last):
        product[:] = 0
        for e in range(indptr[i], indptr[i + 1]):
            x, feature = data[e], indices[e]
            for j in range(n_clusters):
                product[j] += x * columns[feature, j]
        best = 0
        least = squared_norms[0] - (product[0] + product[0])
        for j in range(1, n_clusters):
            squared = squared_norms[j] - (product[j] + product[j])
            if squared < least:
                best, least = j, squared
        labels[i] = best


@kernel
def _gather(X, weight, labels, first_cluster, end_cluster, sums, mass):
    data, indices, indptr, _ = X
    for i in range(len(labels)):
        label = labels[i]
        if first_cluster <= label < end_cluster:
            mass[label] += weight[i]
            for e in range(indptr[i], indptr[i + 1]):
                sums[label, indices[e]] += data[e] * weight[i]


@kernel
def _own_distances(X, centers, squared_norms, labels, squared, first, last):
    data, indices, indptr, _ = X
    for i in range(first, last):
        label = labels[i]
        total = squared_norms.dtype.type(0)
        for e in range(indptr[i], indptr[i + 1]):
            c = centers[label, indices[e]]
            off = data[e] - c
            total += off * off - c * c
        squared[i] = max(total + squared_norms[label], squared_norms.dtype.type(0))
