"""The rounds of k-means, whichever way the nearest centres are found: assign, average, look whether anything still moves.

Lloyd's algorithm and Elkan's, on dense and on sparse samples, run through here.  What costs time (assigning, adding up) is
the twins' work; what stands here touches only the centres.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.cluster.sparse_rows import Rows, dense_sample
from minimal.engine import twin

Array = NDArray[Any]


class Run(NamedTuple):
    """What one start led to."""

    labels: Array
    inertia: float
    centers: Array
    n_iter: int


class Stop(NamedTuple):
    """When to end, and whether to tell how it goes.  ``tol`` is the summed squared shift of the centres that still counts."""

    max_iter: int
    tol: float
    verbose: bool


class Halves(NamedTuple):
    """Half the distances between centres, and from each centre half the distance to the nearest other one."""

    between: Array  # (n_clusters, n_clusters)
    to_next: Array  # (n_clusters,)


class Lloyd:
    """Lloyd's steps on sparse samples."""

    line_end = "."

    def __init__(self, X: Array | Rows, weight: Array):
        self.X, self.weight = X, weight
        self.twin: Any = twin("minimal.cluster.lloyd_sparse")

    def advance(self, centers: Array, before: Array, stop: Stop) -> tuple[Array, Array, int]:
        """Do the first rounds at once, if there is a quick way: the centres, their last shifts, and the number of rounds.

        ``before`` becomes the labels of the last of them.
        """
        return centers, np.zeros(len(centers), centers.dtype), 0

    def assign(self, centers: Array, shift: Array) -> Array:
        """The label of each sample.  ``shift``: how far each centre moved since the last call, zero at the first."""
        return self.twin.nearest(self.X, centers)

    def gather(self, labels: Array, n_clusters: int) -> tuple[Array, Array]:
        """Sums of the weighted samples of each cluster, and of their weights."""
        return self.twin.gather(self.X, self.weight, labels, n_clusters)

    def move(self, centers: Array, sums: Array, mass: Array) -> tuple[Array, Array]:
        """The new centres, and how far each moved."""
        moved = averages(sums, mass)
        return moved, center_shift(centers, moved)

    def own_distances(self, centers: Array, labels: Array) -> Array:
        """The squared distance of each sample to its centre."""
        return self.twin.own_distances(self.X, centers, labels)


class DenseLloyd(Lloyd):
    """Lloyd's steps on dense samples, which may remember from one round to the next."""

    def __init__(self, X: Array, weight: Array, n_clusters: int):
        self.X, self.weight, self.twin = X, weight, twin("minimal.cluster.lloyd")
        self.samples = self.twin.begin(X, weight, n_clusters)

    def advance(self, centers: Array, before: Array, stop: Stop) -> tuple[Array, Array, int]:
        if stop.verbose or not hasattr(self.twin, "advance"):
            return super().advance(centers, before, stop)
        return self.twin.advance(self.samples, centers, before, stop.max_iter, stop.tol)

    def assign(self, centers: Array, shift: Array) -> Array:
        return self.twin.assign(self.samples, centers, shift)

    def gather(self, labels: Array, n_clusters: int) -> tuple[Array, Array]:
        return self.twin.gather(self.samples, labels, n_clusters)

    def move(self, centers: Array, sums: Array, mass: Array) -> tuple[Array, Array]:
        return self.twin.move(centers, sums, mass)


class Elkan(Lloyd):
    """Elkan's steps on dense or sparse samples: the same, with bounds that are kept from one call to the next."""

    line_end = ""

    def __init__(self, X: Array | Rows, weight: Array):
        self.X, self.weight, self.twin = X, weight, twin("minimal.cluster.elkan")
        self.bounds: Any = None
        self.shifts: list[Array] = []

    def assign(self, centers: Array, shift: Array) -> Array:
        halves = half_distances(centers)
        if self.bounds is None:
            self.bounds = self.twin.first_bounds(self.X, centers, halves)
        self.shifts.append(shift)
        self.twin.improve(self.X, centers, halves, self.bounds, np.array(self.shifts))
        return self.bounds.labels


def run(method: Lloyd, centers: Array, stop: Stop) -> Run:
    """Assign samples and move centres until the labels repeat, or the centres move no further than ``stop.tol``.

    Parameters
    ----------
    method : Lloyd
        How to do the two steps, on which samples.
    centers : ndarray of shape (n_clusters, n_features)
        Where to begin; not changed.
    stop : Stop

    Returns
    -------
    Run
        The labels are those of the returned centres, and the inertia is that of both.

    Source: ``sklearn.cluster._kmeans._kmeans_single_lloyd`` and ``_kmeans_single_elkan``, 1.9.1.
    """

    def inertia(labels: Array) -> float:
        return total(method.own_distances(centers, labels) * method.weight)

    before, strict = np.full(len(method.weight), -1, np.int32), False
    centers, shift, n_done = method.advance(centers, before, stop)
    for i in range(n_done, stop.max_iter):
        labels = method.assign(centers, shift)
        if stop.verbose:
            print(f"Iteration {i}, inertia {inertia(labels)}{method.line_end}")
        sums, mass = method.gather(labels, len(centers))
        relocate_empty(method, centers, labels, sums, mass)
        centers, shift = method.move(centers, sums, mass)
        strict = np.array_equal(labels, before)
        if strict or (shift**2).sum() <= stop.tol:
            break
        before[:] = labels
    if stop.verbose and strict:
        print(f"Converged at iteration {i}: strict convergence.")
    elif stop.verbose and (shift**2).sum() <= stop.tol:
        print(f"Converged at iteration {i}: center shift {(shift**2).sum()} within tolerance {stop.tol}.")
    if not strict:
        labels = method.assign(centers, shift)  # so that they are the nearest of the centres that are returned
    return Run(labels, inertia(labels), centers, i + 1)


def total(values: Array) -> float:
    """The sum from the first to the last, in the values' own precision."""
    return float(np.cumsum(values)[-1])


def center_shift(before: Array, after: Array) -> Array:
    """How far each centre moved: ndarray of shape (n_clusters,)."""
    return np.sqrt(sum_in_fours((after - before) ** 2))


def sum_in_fours(terms: Array) -> Array:
    """Sums of rows, four terms at a time as the reference adds them: ((t0 + t1) + t2) + t3, then the next four on top."""
    n_features = terms.shape[1]
    whole = n_features - n_features % 4
    result = np.zeros(len(terms), terms.dtype)
    for j in range(0, whole, 4):
        result += ((terms[:, j] + terms[:, j + 1]) + terms[:, j + 2]) + terms[:, j + 3]
    for j in range(whole, n_features):
        result += terms[:, j]
    return result


def averages(sums: Array, mass: Array) -> Array:
    """The centres: sums times 1 / mass, one after another.  A cluster without mass goes where the heaviest one is *now*.

    "Now" is part of the reference's answer: a centre later in the order than the empty cluster's is still a sum.
    """
    centers, heaviest = sums.copy(), int(mass.argmax())
    for j in range(len(centers)):
        centers[j] = sums[j] * centers.dtype.type(1.0 / float(mass[j])) if mass[j] > 0 else centers[heaviest]
    return centers


def relocate_empty(method: Lloyd, centers: Array, labels: Array, sums: Array, mass: Array) -> None:
    """Give each cluster without mass one of the samples farthest from their centres; changes ``sums`` and ``mass``."""
    empty = np.flatnonzero(mass == 0)
    if len(empty) == 0:
        return
    X, weight = method.X, method.weight
    # Dense distances are added up by NumPy here, as nowhere else.
    off = method.own_distances(centers, labels) if isinstance(X, Rows) else ((X - centers[labels]) ** 2).sum(axis=1)
    if off.max() == 0:
        return  # fewer distinct samples than clusters: there is nowhere to go
    farthest = np.argpartition(off, -len(empty))[: -len(empty) - 1 : -1]
    for new, i in zip(empty, farthest, strict=True):
        old, sample = labels[i], dense_sample(X, i) if isinstance(X, Rows) else X[i]
        sums[old] -= sample * weight[i]
        sums[new] = sample * weight[i]
        mass[new] = weight[i]
        mass[old] -= weight[i]


def half_distances(centers: Array) -> Halves:
    """Half the distances between the centres, from their products, in double precision as the reference takes them."""
    wide = centers.astype(np.float64)
    norms = np.einsum("ij,ij->i", wide, wide)
    squared = (-2 * (wide @ wide.T) + norms[:, np.newaxis] + norms).astype(centers.dtype)
    np.fill_diagonal(squared, 0)
    between = np.sqrt(np.maximum(squared, 0)) / 2
    return Halves(between, np.partition(between, 1, axis=0)[1])
