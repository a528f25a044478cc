"""Twin of ``lloyd_numpy``, compiled: the same labels with fewer distances, the same sums to the last bit.

Samples are packed in blocks of 256, feature after feature, so that one instruction works on several samples at a time; four
centres and four features are taken in one pass, so that each number that is read is used several times.

Where the distances are worth saving, each sample remembers how far its centre is at most (``upper``) and every other centre at
least (``lower``).  When centres move, the first grows and the second shrinks by no more than they moved (the triangle
inequality); while ``upper`` stays below ``lower`` nothing can change, and the sample is skipped (Hamerly, "Making k-means even
faster", SDM 2010).  A skip must not change the answer of arithmetic that rounds, so a margin is kept: see ``_slack``.

A cluster that neither gained nor lost a sample since the last round has the sums of the last round, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")
# Contracting a * b + c to one rounding changes scores in the last bit, and nothing but which centre is the least is read
# from them.  The reference's matrix product contracts too, in the same order of features.
contracting = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})

SAMPLES = 256  # in a block
WORK_OF_A_BLOCK = 1 << 20  # multiplications: some tenths of a millisecond, enough to be worth handing to a thread
WORTH_A_BOUND = 128  # multiplications to assign a sample: below, keeping two bounds costs more than it saves


class Samples(NamedTuple):
    """Samples, packed samples, and what is known of each from the last round."""

    X: Array  # (n_samples, n_features)
    weight: Array  # (n_samples,)
    packed: Array  # (n_blocks, n_features, SAMPLES)
    squared_norms: Array  # (n_samples,), empty where no bounds are kept
    labels: Array  # (n_samples,), int32; -1 before the first round
    upper: Array  # (n_samples,), or empty
    lower: Array  # (n_samples,), or empty
    is_stale: Array  # (n_blocks, n_clusters), bool: whether somebody in the block came or left since the last sums
    sums: Array  # (n_clusters, n_features)
    mass: Array  # (n_clusters,)


class Places(NamedTuple):
    """Where the centres are, and how far they moved."""

    centers: Array  # (n_clusters rounded up to a multiple of four, n_features)
    squared_norms: Array  # (the same,), infinite beyond n_clusters
    shift: Array  # (n_clusters,)
    most: Array  # the largest shift, the next largest, and the margin (three numbers)
    farthest: int  # the centre that moved most


def begin(X: Array, weight: Array, n_clusters: int) -> Samples:
    """Twin of ``lloyd_numpy.begin``: packs the samples."""
    n_samples, n_features = X.shape
    n_blocks, dtype = -(-n_samples // SAMPLES), X.dtype
    packed = np.empty((n_blocks, n_features, SAMPLES), dtype)
    _in_blocks(n_blocks, n_features * SAMPLES, lambda first, last: _pack(X, packed, first, last))
    n_bounds = n_samples if n_features * n_clusters >= WORTH_A_BOUND else 0
    norms = np.einsum("ij,ij->i", X, X) if n_bounds else np.empty(0, dtype)
    upper, lower = np.full(n_bounds, np.inf, dtype), np.zeros(n_bounds, dtype)
    is_stale = np.ones((n_blocks, n_clusters), bool)
    labels = np.full(n_samples, -1, np.int32)
    sums, mass = np.zeros((n_clusters, n_features), dtype), np.zeros(n_clusters, dtype)
    return Samples(X, weight, packed, norms, labels, upper, lower, is_stale, sums, mass)


def assign(samples: Samples, centers: Array, shift: Array) -> Array:
    """Twin of ``lloyd_numpy.assign``, same labels.  Samples whose centre cannot have changed are skipped."""
    n_clusters, n_features = centers.shape
    places = _places(samples, centers, shift)
    work = n_features * n_clusters * SAMPLES
    _in_blocks(len(samples.packed), work, lambda first, last: _assign(samples, places, first, last))
    return samples.labels


def gather(samples: Samples, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Twin of ``lloyd_numpy.gather``, same bits; ``labels`` must be those of the last :func:`assign`.

    A thread adds up some of the clusters over all samples: a sum is one thread's work, in the order of the samples.
    """
    stale = samples.is_stale.any(axis=0)
    samples.is_stale[:] = False
    n_stale = np.cumsum(stale)
    n_parts = min(get_num_threads(), int(n_stale[-1]), 1 + samples.X.size // WORK_OF_A_BLOCK)
    cuts = np.searchsorted(n_stale, np.arange(1, n_parts) * n_stale[-1] / max(n_parts, 1)).tolist()
    edges = [0, *cuts, n_clusters]
    X, weight, sums, mass = samples.X, samples.weight, samples.sums, samples.mass

    def part(b: int) -> None:
        mine = stale.copy()
        mine[: edges[b]] = mine[edges[b + 1] :] = False
        _gather(X, weight, labels, mine, sums, mass)

    run_blocks(part, n_parts)
    return sums.copy(), mass.copy()


def nearest(X: Array, centers: Array) -> Array:
    """Twin of ``lloyd_numpy.nearest``, same labels."""
    samples = begin(X, np.empty(0, X.dtype), len(centers))
    return assign(samples, centers, np.zeros(len(centers), centers.dtype))


def own_distances(X: Array, centers: Array, labels: Array) -> Array:
    """Twin of ``lloyd_numpy.own_distances``, same bits."""
    squared = np.empty(len(X), X.dtype)

    def job(first: int, last: int) -> None:
        _own_distances(X, centers, labels, squared, first * SAMPLES, min(last * SAMPLES, len(X)))

    _in_blocks(-(-len(X) // SAMPLES), X.shape[1] * SAMPLES, job)
    return squared


def _in_blocks(n_blocks: int, work_of_a_block: int, job: Callable[[int, int], None]) -> None:
    """Call ``job(first, last)`` on groups of blocks, on several threads where there is enough to do."""
    size = max(1, WORK_OF_A_BLOCK // work_of_a_block)
    run_blocks(lambda g: job(g * size, min((g + 1) * size, n_blocks)), -(-n_blocks // size))


def _places(samples: Samples, centers: Array, shift: Array) -> Places:
    """The centres as the kernel reads them; the shifts made a little larger than they are, by more than rounding took."""
    n_clusters, n_features = centers.shape
    padded = np.zeros((-(-n_clusters // 4) * 4, n_features), centers.dtype)
    padded[:n_clusters] = centers
    norms = np.full(len(padded), np.inf, centers.dtype)
    norms[:n_clusters] = np.einsum("ij,ij->i", centers, centers)
    most, farthest = np.zeros(3, centers.dtype), 0
    if len(samples.upper):
        shift = shift * centers.dtype.type(1 + (n_features + 16) * np.finfo(centers.dtype).eps)
        farthest = int(shift.argmax())
        most[0] = shift[farthest]
        most[1] = np.delete(shift, farthest).max() if n_clusters > 1 else 0
        most[2] = _slack(samples, norms[:n_clusters].max(), n_features)
    return Places(padded, norms, shift, most, farthest)


def _slack(samples: Samples, largest_center: float, n_features: int) -> float:
    """How far computed squared distances may lie from the true ones, the reference's as well as ours, with some room.

    A product of d terms is off by at most d eps |x| |c| (1 + small), |x|^2 and |c|^2 by d eps of themselves, and their sum by a
    few eps more: together less than (2 d + 8) eps (|x| + |c|)^2 for largest |x| and |c|.
    """
    largest = np.sqrt(samples.squared_norms.max()) + np.sqrt(largest_center)
    return (2 * n_features + 8) * float(np.finfo(samples.packed.dtype).eps) * float(largest) ** 2


@kernel
def _pack(X, packed, first, last):
    n_samples, n_features = X.shape
    for b in range(first, last):
        begin = b * SAMPLES
        n = min(SAMPLES, n_samples - begin)
        for s in range(n):
            for f in range(n_features):
                packed[b, f, s] = X[begin + s, f]
        for f in range(n_features):
            for s in range(n, SAMPLES):
                packed[b, f, s] = 0


@kernel
def _assign(samples, places, first, last):
    """Blocks ``first`` to ``last``: which samples need a look, their scores, and what these say."""
    packed, squared_norms, labels = samples.packed, samples.squared_norms, samples.labels
    upper, lower, is_stale = samples.upper, samples.lower, samples.is_stale
    centers, center_norms, shift, most, farthest = places
    n_features, dtype = packed.shape[1], packed.dtype
    has_bounds = len(upper) > 0
    some = np.empty((n_features, SAMPLES), dtype)
    least, second = np.empty(SAMPLES, dtype), np.empty(SAMPLES, dtype)
    scores, best = np.empty((4, SAMPLES), dtype), np.empty(SAMPLES, np.int32)
    who = np.arange(SAMPLES)
    for b in range(first, last):
        begin = b * SAMPLES
        look = n = min(SAMPLES, len(labels) - begin)
        if has_bounds:
            look = _loosen(labels, upper, lower, shift, most, farthest, begin, n, who)
        if look == 0:
            continue
        if look < n - n // 4:
            for f in range(n_features):
                for s in range(look):
                    some[f, s] = packed[b, f, who[s]]
            _two_least(some, look, centers, center_norms, scores, least, second, best)
        else:
            look = n
            for s in range(n):
                who[s] = s
            _two_least(packed[b], n, centers, center_norms, scores, least, second, best)
        for s in range(look):
            i = begin + who[s]
            if labels[i] != best[s]:
                if labels[i] >= 0:
                    is_stale[b, labels[i]] = True
                is_stale[b, best[s]] = True
                labels[i] = best[s]
            if has_bounds:
                upper[i] = np.sqrt(max(least[s] + squared_norms[i], 0) + most[2])
                lower[i] = np.sqrt(max(second[s] + squared_norms[i] - most[2], 0))


@kernel
def _loosen(labels, upper, lower, shift, most, farthest, begin, n, who):
    """Move the bounds of a block's samples by how far the centres moved, and list those who need a look."""
    look = 0
    for s in range(n):
        i = begin + s
        label = labels[i]
        u = upper[i] + shift[max(label, 0)]
        low = lower[i] - (most[1] if label == farthest else most[0])
        upper[i], lower[i] = u, low
        who[look] = s
        look += not (u < low and (low - u) * (low + u) > 4 * most[2])
    return look


@contracting
def _two_least(block, n, centers, center_norms, scores, least, second, best):
    """For each of ``n`` samples, the least score |c|^2 - 2 x.c and whose it is (the first one's), and the next larger.

    Four centres at a time over four features at a time; sixteen products for eight numbers read.
    """
    n_features = block.shape[0]
    whole = n_features - n_features % 4
    least[:n] = np.inf
    second[:n] = np.inf
    best[:n] = 0
    for j in range(0, len(centers), 4):
        scores[:, :n] = 0
        for f in range(0, whole, 4):
            for a in range(4):
                c0, c1, c2, c3 = centers[j + a, f], centers[j + a, f + 1], centers[j + a, f + 2], centers[j + a, f + 3]
                for s in range(n):
                    total = scores[a, s] + block[f, s] * c0
                    total = total + block[f + 1, s] * c1
                    total = total + block[f + 2, s] * c2
                    scores[a, s] = total + block[f + 3, s] * c3
        for f in range(whole, n_features):
            for a in range(4):
                c0 = centers[j + a, f]
                for s in range(n):
                    scores[a, s] += block[f, s] * c0
        for a in range(4):
            norm = center_norms[j + a]
            for s in range(n):
                score = norm - (scores[a, s] + scores[a, s])
                is_less = score < least[s]
                second[s] = least[s] if is_less else (score if score < second[s] else second[s])
                best[s] = j + a if is_less else best[s]
                least[s] = score if is_less else least[s]


@kernel
def _gather(X, weight, labels, is_mine, sums, mass):
    """Add up the clusters of ``is_mine`` anew, each from its first sample to its last."""
    for j in range(len(mass)):
        if is_mine[j]:
            mass[j] = 0
            sums[j] = 0
    for i in range(len(labels)):
        label = labels[i]
        if is_mine[label]:
            mass[label] += weight[i]
            for f in range(X.shape[1]):
                sums[label, f] += X[i, f] * weight[i]


@kernel
def _own_distances(X, centers, labels, squared, first, last):
    """|x_i - c_label|^2, four features at a time: ((t0 + t1) + t2) + t3, then the next four on top."""
    n_features = X.shape[1]
    whole = n_features - n_features % 4
    for i in range(first, last):
        j = labels[i]
        total = X.dtype.type(0)
        for f in range(0, whole, 4):
            p, q = X[i, f] - centers[j, f], X[i, f + 1] - centers[j, f + 1]
            r, s = X[i, f + 2] - centers[j, f + 2], X[i, f + 3] - centers[j, f + 3]
            total += ((p * p + q * q) + r * r) + s * s
        for f in range(whole, n_features):
            p = X[i, f] - centers[j, f]
            total += p * p
        squared[i] = total
