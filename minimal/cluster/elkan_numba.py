"""Twin of ``elkan_numpy``, compiled: one sample after another, and most samples in two comparisons.

A sample whose centre is far from all others needs no lower bounds, so nobody loosens them: ``seen`` remembers at which round
a sample's bounds were last used, and the shifts since then are taken off, round after round, when they are used again.  The
bounds come out with the same bits, and the large array of them stays mostly unread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from minimal.cluster import lloyd_sparse_numba
from minimal.cluster.elkan_numpy import n_rows
from minimal.cluster.rounds import Halves
from minimal.cluster.sparse_rows import Array, Rows
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

WORK_OF_A_BLOCK = 1 << 19  # bounds and numbers that may have to be read: a few tenths of a millisecond


class Bounds(NamedTuple):
    """As in ``elkan_numpy``; ``lower`` lacks the shifts since round ``seen``."""

    labels: Array
    upper: Array
    lower: Array
    seen: Array  # (n_samples,), int32


class Samples(NamedTuple):
    """Dense samples (``data`` is the table, the rest is empty) or sparse ones (the arrays of a CSR matrix)."""

    data: Array
    indices: Array
    indptr: Array


def first_bounds(X: Array | Rows, centers: Array, halves: Halves) -> Bounds:
    """Twin of ``elkan_numpy.first_bounds``, same bits."""
    n_samples, n_clusters = n_rows(X), len(centers)
    bounds = Bounds(
        np.empty(n_samples, np.int32),
        np.empty(n_samples, centers.dtype),
        np.zeros((n_samples, n_clusters), centers.dtype),
        np.zeros(n_samples, np.int32),
    )
    places = _with_norms(centers)
    samples = _samples(X)
    _in_blocks(X, n_clusters, lambda first, last: _first_bounds(samples, places, halves, bounds, first, last))
    return bounds


def improve(X: Array | Rows, centers: Array, halves: Halves, bounds: Bounds, shifts: Array) -> None:
    """Twin of ``elkan_numpy.improve``, same bits."""
    places, samples = _with_norms(centers), _samples(X)
    _in_blocks(X, len(centers), lambda first, last: _improve(samples, places, halves, bounds, shifts, first, last))


def gather(X: Array | Rows, weight: Array, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Twin of ``elkan_numpy.gather``, same bits: a thread adds up some of the clusters over all samples."""
    if isinstance(X, Rows):
        return lloyd_sparse_numba.gather(X, weight, labels, n_clusters)
    sums, mass = np.zeros((n_clusters, X.shape[1]), X.dtype), np.zeros(n_clusters, X.dtype)
    n_parts = min(get_num_threads(), n_clusters, 1 + X.size // WORK_OF_A_BLOCK)
    cuts = [part * n_clusters // n_parts for part in range(n_parts + 1)]
    run_blocks(lambda b: _gather(X, weight, labels, cuts[b], cuts[b + 1], sums, mass), n_parts)
    return sums, mass


def own_distances(X: Array | Rows, centers: Array, labels: Array) -> Array:
    """Twin of ``elkan_numpy.own_distances``, same bits."""
    if isinstance(X, Rows):
        return lloyd_sparse_numba.own_distances(X, centers, labels)
    squared, samples, places = np.empty(len(X), X.dtype), _samples(X), _with_norms(centers)
    _in_blocks(X, 1, lambda first, last: _own_distances(samples, places, labels, squared, first, last))
    return squared


def _samples(X: Array | Rows) -> Samples:
    if isinstance(X, Rows):
        return Samples(X.data, X.indices, X.indptr)
    return Samples(X, np.empty(0, np.int32), np.empty(0, np.int32))


def _with_norms(centers: Array) -> tuple[Array, Array]:
    """The centres and |c|^2 of each, which sparse distances start from."""
    return centers, np.einsum("ij,ij->i", centers, centers)


def _in_blocks(X: Array | Rows, n_clusters: int, job: Callable[[int, int], None]) -> None:
    """Call ``job(first, last)`` on blocks of samples, on several threads where there is enough to do."""
    n_samples = n_rows(X)
    n_numbers = 1 + len(X.data) // n_samples if isinstance(X, Rows) else X.shape[1]
    size = max(1, WORK_OF_A_BLOCK // (n_numbers + 4 * n_clusters))
    run_blocks(lambda b: job(b * size, min((b + 1) * size, n_samples)), -(-n_samples // size))


@kernel
def _squared_distance(data, indices, indptr, i, centers, norms, j):
    """|x_i - c_j|^2: dense, four features at a time, ((t0 + t1) + t2) + t3; sparse, from |c_j|^2 over the entries."""
    total = norms.dtype.type(0)
    if data.ndim == 2:
        n_features = data.shape[1]
        whole = n_features - n_features % 4
        for f in range(0, whole, 4):
            p, q = data[i, f] - centers[j, f], data[i, f + 1] - centers[j, f + 1]
            r, s = data[i, f + 2] - centers[j, f + 2], data[i, f + 3] - centers[j, f + 3]
            total += ((p * p + q * q) + r * r) + s * s
        for f in range(whole, n_features):
            p = data[i, f] - centers[j, f]
            total += p * p
        return total
    for e in range(indptr[i], indptr[i + 1]):
        c = centers[j, indices[e]]
        p = data[e] - c
        total += p * p - c * c
    total += norms[j]
    return total if total > 0 else norms.dtype.type(0)


@kernel
def _first_bounds(samples, places, halves, bounds, first, last):
    data, indices, indptr = samples
    centers, norms = places
    between, _ = halves
    labels, upper, lower, _ = bounds
    for i in range(first, last):
        label, nearest = 0, np.sqrt(_squared_distance(data, indices, indptr, i, centers, norms, 0))
        lower[i, 0] = nearest
        for b in range(1, len(centers)):
            if nearest > between[label, b]:
                d = np.sqrt(_squared_distance(data, indices, indptr, i, centers, norms, b))
                lower[i, b] = d
                if d < nearest:
                    label, nearest = b, d
        labels[i], upper[i] = label, nearest


@kernel
def _improve(samples, places, halves, bounds, shifts, first, last):
    """For each sample that its upper bound does not settle: loosen its lower bounds, and look where they leave it open."""
    data, indices, indptr = samples
    centers, norms = places
    between, to_next = halves
    labels, upper, lower, seen = bounds
    now, n_clusters = shifts.shape
    for i in range(first, last):
        label = labels[i]
        nearest = upper[i] + shifts[now - 1, label]
        if nearest > to_next[label]:
            for r in range(seen[i], now):
                for b in range(n_clusters):
                    left = lower[i, b] - shifts[r, b]
                    lower[i, b] = left if left > 0 else 0
            seen[i] = now
            is_exact = False
            for b in range(n_clusters):
                if nearest <= lower[i, b] or nearest <= between[label, b] or b == label:
                    continue
                if not is_exact:
                    nearest = np.sqrt(_squared_distance(data, indices, indptr, i, centers, norms, label))
                    lower[i, label] = nearest
                    is_exact = True
                if nearest > lower[i, b] or nearest > between[label, b]:
                    d = np.sqrt(_squared_distance(data, indices, indptr, i, centers, norms, b))
                    lower[i, b] = d
                    if d < nearest:
                        label, nearest = b, d
            labels[i] = label
        upper[i] = nearest


@kernel
def _gather(X, weight, labels, first_cluster, end_cluster, sums, mass):
    for i in range(len(labels)):
        label = labels[i]
        if first_cluster <= label < end_cluster:
            mass[label] += weight[i]
            for f in range(X.shape[1]):
                sums[label, f] += X[i, f] * weight[i]


@kernel
def _own_distances(samples, places, labels, squared, first, last):
    data, indices, indptr = samples
    centers, norms = places
    for i in range(first, last):
        squared[i] = _squared_distance(data, indices, indptr, i, centers, norms, labels[i])
