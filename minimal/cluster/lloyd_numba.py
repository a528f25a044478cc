"""Twin of ``lloyd_numpy``, compiled: the same labels with fewer and cheaper distances, the same sums to the last bit.

Samples are packed in blocks of 256, feature after feature, so that one instruction works on several samples at a time; four
centres and four features are taken in one pass, so that each number that is read is used several times.

Where distances are the larger part of the work, two things save most of it:

*Bounds.*  Each sample remembers how far its centre is at most (``upper``) and every other centre at least (``lower``).  When
centres move, the first grows and the second shrinks by no more than they moved (the triangle inequality); while ``upper``
stays below ``lower`` nothing can change, and the sample is skipped (Hamerly, "Making k-means even faster", SDM 2010).

*Screening.*  Scores are computed in single precision, twice as many at a time.  Where the least is ahead of the next by more
than rounding can have done (``doubt``), double precision would say the same; the few other samples are looked at once more.

A cluster that neither gained nor lost a sample since the last round has the sums of the last round, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.cluster import lloyd_numpy
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")
# Contracting a * b + c to one rounding changes scores in the last bit, and nothing but which centre is the least is read
# from them.  The reference's matrix product contracts too, in the same order of features.
contracting = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})

SAMPLES = 256  # in a block
WORK_OF_A_BLOCK = 1 << 20  # multiplications: some tenths of a millisecond, enough to be worth handing to a thread
TINY, HUGE = 1e-20, 1e30  # squared norms that single precision can be trusted with
WORTH_A_BOUND = 128  # multiplications to assign a sample: below, keeping two bounds costs more than it saves


class Samples(NamedTuple):
    """Samples, packed samples, and what is known of each from the last round."""

    X: Array  # (n_samples, n_features)
    weight: Array  # (n_samples,)
    packed: Array  # (n_blocks, n_features, SAMPLES), in the precision of the screening
    squared_norms: Array  # (n_samples,), empty where no bounds are kept
    longest: float  # the largest |x|
    labels: Array  # (n_samples,), int32; -1 before the first round
    upper: Array  # (n_samples,), or empty
    lower: Array  # (n_samples,), or empty
    is_tied: Array  # (n_blocks,), bool: whether rounding decides in the block
    is_stale: Array  # (n_blocks, n_clusters), bool: whether somebody in the block came or left since the last sums
    sums: Array  # (n_clusters, n_features)
    mass: Array  # (n_clusters,)


class Places(NamedTuple):
    """Where the centres are, how far they moved, and how much rounding there is."""

    centers: Array  # (n_clusters rounded up to a multiple of four, n_features)
    squared_norms: Array  # (the same,), infinite beyond n_clusters
    rough_centers: Array  # both in the precision of the screening
    rough_norms: Array
    shift: Array  # (n_clusters,)
    farthest: int  # the centre that moved most
    most: float  # how far
    next_most: float  # the largest of the other shifts
    largest: float  # the largest |c|
    doubt: float  # of a screening score, see ``doubt``
    slack: float  # the same of a score in the precision of the data
    tie: float  # scores no further apart are decided by rounding; -1 where nobody asks
    up: float  # a little more than 1: four roundings of the data's precision
    down: float  # a little less than 1


def begin(X: Array, weight: Array, n_clusters: int) -> Samples:
    """Twin of ``lloyd_numpy.begin``: packs the samples."""
    n_samples, n_features = X.shape
    n_bounds, dtype = n_samples if n_features * n_clusters >= WORTH_A_BOUND else 0, X.dtype
    norms = np.einsum("ij,ij->i", X, X)
    is_rough = n_bounds > 0 and TINY < norms.max() < HUGE
    return Samples(
        X,
        weight,
        pack(X, np.dtype(np.float32) if is_rough else dtype),
        norms[:n_bounds],
        float(np.sqrt(norms.max())),
        labels=np.full(n_samples, -1, np.int32),
        upper=np.full(n_bounds, np.inf, dtype),
        lower=np.zeros(n_bounds, dtype),
        is_tied=np.zeros(-(-n_samples // SAMPLES), bool),
        is_stale=np.ones((-(-n_samples // SAMPLES), n_clusters), bool),
        sums=np.zeros((n_clusters, n_features), dtype),
        mass=np.zeros(n_clusters, dtype),
    )


def pack(X: Array, dtype: Any) -> Array:
    """Blocks of samples, feature after feature: ndarray of shape (n_blocks, n_features, SAMPLES), zero beyond the last."""
    n_samples, n_features = X.shape
    packed = np.empty((-(-n_samples // SAMPLES), n_features, SAMPLES), dtype)
    _in_blocks(len(packed), n_features * SAMPLES, lambda first, last: _pack(X, packed, first, last))
    return packed


def assign(samples: Samples, centers: Array, shift: Array) -> Array:
    """Twin of ``lloyd_numpy.assign``, same labels.  Samples whose centre cannot have changed are skipped."""
    n_clusters, n_features = centers.shape
    places = _places(samples, centers, shift)
    work = n_features * n_clusters * SAMPLES
    _in_blocks(len(samples.packed), work, lambda first, last: _assign(samples, places, first, last))
    _break_ties(samples, centers)
    return samples.labels


def gather(samples: Samples, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Twin of ``lloyd_numpy.gather``, same bits; ``labels`` must be those of the last :func:`assign`.

    A thread adds up some of the clusters over all samples: a sum is one thread's work, in the order of the samples.
    """
    stale: Array = np.any(samples.is_stale, axis=0)
    samples.is_stale[:] = False
    n_stale = np.cumsum(stale)
    n_parts = min(get_num_threads(), int(n_stale[-1]), 1 + samples.X.size // WORK_OF_A_BLOCK)
    cuts = np.searchsorted(n_stale, np.arange(1, n_parts) * n_stale[-1] / max(n_parts, 1)).tolist()
    edges = [0, *cuts, n_clusters]
    X, weight, sums, mass = samples.X, samples.weight, samples.sums, samples.mass

    def part(b: int) -> None:
        mine = np.zeros_like(stale)
        mine[edges[b] : edges[b + 1]] = stale[edges[b] : edges[b + 1]]
        _gather(X, weight, labels, mine, sums, mass)

    run_blocks(part, n_parts)
    return sums.copy(), mass.copy()


def move(centers: Array, sums: Array, mass: Array) -> tuple[Array, Array]:
    """Twin of ``lloyd_numpy.move``, same bits."""
    moved, shift = sums.copy(), np.empty(len(mass), sums.dtype)
    _move(centers, moved, mass, int(mass.argmax()), shift)
    return moved, shift


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
    rough = samples.packed.dtype
    shift = shift * centers.dtype.type(1 + (n_features + 16) * np.finfo(centers.dtype).eps)
    *_, next_most, most = [0.0, *np.partition(shift, -2)[-2:]] if n_clusters > 1 else [0.0, 0.0, shift[0]]
    return Places(
        padded,
        norms,
        padded.astype(rough, copy=False),
        norms.astype(rough, copy=False),
        shift,
        int(shift.argmax()),
        float(most),
        float(next_most),
        float(np.sqrt(norms[:n_clusters].max())),
        doubt(n_features, rough),
        doubt(n_features, centers.dtype),
        _tie(samples, norms[:n_clusters], n_features),
        1 + 2 * float(np.finfo(centers.dtype).eps),
        1 - 2 * float(np.finfo(centers.dtype).eps),
    )


def _tie(samples: Samples, norms: Array, n_features: int) -> float:
    """In double precision the reference's answer is wanted even there: see ``_break_ties``."""
    dtype = samples.X.dtype
    if dtype != np.float64:
        return -1.0
    return 2 * doubt(n_features, dtype) * float(samples.longest + np.sqrt(norms.max())) ** 2


def _break_ties(samples: Samples, centers: Array) -> None:
    """Label the blocks anew where rounding decides, with the rounding of the BLAS library, which the reference uses."""
    for b in np.flatnonzero(samples.is_tied):
        part = slice(b * SAMPLES, (b + 1) * SAMPLES)
        old, new = samples.labels[part], lloyd_numpy.nearest(samples.X[part], centers)
        differs = old != new
        samples.is_stale[b, old[differs]] = samples.is_stale[b, new[differs]] = True
        old[differs] = new[differs]
    samples.is_tied[:] = False


def doubt(n_features: int, dtype: Any) -> float:
    """How far a score |c|^2 - 2 x.c may lie from the true one, as a part of (|x| + |c|)^2.

    With the unit roundoff u = eps / 2: x and c are off by u of themselves when they are rounded to ``dtype``, a sum of d
    products by d u |x| |c|, |c|^2 by (d + 1) u of itself, and the difference by u of what it is: together less than
    (2 d + 8) u (|x| + |c|)^2.  Twice as much is taken, which leaves room for the reference's own rounding.
    """
    return (2 * n_features + 8) * float(np.finfo(dtype).eps)


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
    packed, n_features = samples.packed, samples.X.shape[1]
    rough = _table(packed, n_features)
    exact = _table(samples.X, n_features)
    who = np.arange(SAMPLES)
    for b in range(first, last):
        look = n = min(SAMPLES, len(samples.labels) - b * SAMPLES)
        if len(samples.upper) > 0:
            look = _loosen(samples, places, b, n, who)
        if look == 0:
            continue
        block = packed[b]
        if look < n - n // 4:
            block = rough[0]
            for f in range(n_features):
                for s in range(look):
                    block[f, s] = packed[b, f, who[s]]
        else:
            look = n
            for s in range(n):
                who[s] = s
        _two_least(block, look, places.rough_centers, places.rough_norms, rough)
        look = _settle(samples, places, b, look, who, rough, packed.itemsize < samples.X.itemsize)
        if look > 0:
            for s in range(look):
                for f in range(n_features):
                    exact[0][f, s] = samples.X[b * SAMPLES + who[s], f]
            _two_least(exact[0], look, places.centers, places.squared_norms, exact)
            _settle(samples, places, b, look, who, exact, False)


@kernel
def _table(X, n_features):
    """Room for a block of samples, their scores with four centres, the least, the next, and whose the least is.

    The names of centres are kept as floating-point numbers, as wide as the scores, so that the loop over them is vectorized.
    """
    dtype = X.dtype
    block, scores = np.empty((n_features, SAMPLES), dtype), np.empty((4, SAMPLES), dtype)
    return block, scores, np.empty(SAMPLES, dtype), np.empty(SAMPLES, dtype), np.empty(SAMPLES, dtype)


@kernel
def _settle(samples, places, b, n, who, table, is_rough):
    """Store the labels and bounds of the samples that ``table`` decides; list the others in ``who`` and count them."""
    labels, upper, lower, is_stale = samples.labels, samples.upper, samples.lower, samples.is_stale
    _, _, least, second, best = table
    undecided = 0
    for s in range(n):
        i = b * SAMPLES + who[s]
        low, high = np.float64(least[s]), np.float64(second[s])
        if len(upper) > 0:
            norm = np.float64(samples.squared_norms[i])
            margin = places.doubt * (np.sqrt(norm) + places.largest) ** 2
            if is_rough and high - low <= 2 * margin:
                who[undecided] = who[s]
                undecided += 1
                continue
            upper[i] = np.sqrt(max(low + norm, 0) + margin)
            lower[i] = np.sqrt(max(high + norm - margin, 0))
        if high - low <= places.tie:
            samples.is_tied[b] = True
        old, new = labels[i], np.int32(best[s])
        if old != new:
            if old >= 0:
                is_stale[b, old] = True
            is_stale[b, new] = True
            labels[i] = new
    return undecided


@kernel
def _loosen(samples, places, b, n, who):
    """Move the bounds of a block's samples by how far the centres moved, and list those who need a look."""
    labels, upper, lower, shift = samples.labels, samples.upper, samples.lower, places.shift
    look = 0
    for s in range(n):
        i = b * SAMPLES + s
        label = labels[i]
        u = (upper[i] + shift[max(label, 0)]) * places.up  # what rounding takes is given back at once
        low = (lower[i] - (places.next_most if label == places.farthest else places.most)) * places.down
        upper[i], lower[i] = u, low
        who[look] = s
        margin = places.slack * (np.sqrt(samples.squared_norms[i]) + places.largest) ** 2
        look += not (u < low and (low - u) * (low + u) > 4 * margin)
    return look


@contracting
def _two_least(block, n, centers, center_norms, table):
    """For each of ``n`` samples, the least score |c|^2 - 2 x.c and whose it is (the first one's), and the next larger.

    Four centres at a time over four features at a time; sixteen products for eight numbers read.
    """
    _, scores, least, second, best = table
    least[:n] = np.inf
    second[:n] = np.inf
    best[:n] = 0
    for j in range(0, len(centers), 4):
        products(block, n, centers, j, scores)
        for a in range(4):
            norm, name = center_norms[j + a], block.dtype.type(j + a)
            for s in range(n):
                score = norm - (scores[a, s] + scores[a, s])
                low, high = least[s], second[s]
                is_less = score < low
                other = low if is_less else score
                second[s] = other if other < high else high
                best[s] = name if is_less else best[s]
                least[s] = score if is_less else low


@contracting
def products(block, n, centers, j, scores):
    """x . c of ``n`` samples with the centres j to j + 3, added up from the first feature to the last."""
    n_features = block.shape[0]
    whole = n_features - n_features % 4
    p, q, r, t = scores[0], scores[1], scores[2], scores[3]
    scores[:, :n] = 0
    for f in range(0, whole, 4):
        p0, p1, p2, p3 = centers[j, f], centers[j, f + 1], centers[j, f + 2], centers[j, f + 3]
        q0, q1, q2, q3 = centers[j + 1, f], centers[j + 1, f + 1], centers[j + 1, f + 2], centers[j + 1, f + 3]
        r0, r1, r2, r3 = centers[j + 2, f], centers[j + 2, f + 1], centers[j + 2, f + 2], centers[j + 2, f + 3]
        t0, t1, t2, t3 = centers[j + 3, f], centers[j + 3, f + 1], centers[j + 3, f + 2], centers[j + 3, f + 3]
        for s in range(n):
            x0, x1, x2, x3 = block[f, s], block[f + 1, s], block[f + 2, s], block[f + 3, s]
            p[s] = (((p[s] + x0 * p0) + x1 * p1) + x2 * p2) + x3 * p3
            q[s] = (((q[s] + x0 * q0) + x1 * q1) + x2 * q2) + x3 * q3
            r[s] = (((r[s] + x0 * r0) + x1 * r1) + x2 * r2) + x3 * r3
            t[s] = (((t[s] + x0 * t0) + x1 * t1) + x2 * t2) + x3 * t3
    for f in range(whole, n_features):
        p0, q0, r0, t0 = centers[j, f], centers[j + 1, f], centers[j + 2, f], centers[j + 3, f]
        for s in range(n):
            x0 = block[f, s]
            p[s] += x0 * p0
            q[s] += x0 * q0
            r[s] += x0 * r0
            t[s] += x0 * t0


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
def squared_distance(X, i, centers, j):
    """|x_i - c_j|^2, four features at a time: ((t0 + t1) + t2) + t3, then the next four on top."""
    n_features = X.shape[1]
    whole = n_features - n_features % 4
    total = X.dtype.type(0)
    for f in range(0, whole, 4):
        p, q = X[i, f] - centers[j, f], X[i, f + 1] - centers[j, f + 1]
        r, s = X[i, f + 2] - centers[j, f + 2], X[i, f + 3] - centers[j, f + 3]
        total += ((p * p + q * q) + r * r) + s * s
    for f in range(whole, n_features):
        p = X[i, f] - centers[j, f]
        total += p * p
    return total


@kernel
def _move(centers, moved, mass, heaviest, shift):
    """``moved`` holds sums; see ``rounds.averages`` for a cluster without mass and ``rounds.sum_in_fours`` for the order."""
    n_clusters, n_features = centers.shape
    for j in range(n_clusters):
        if mass[j] > 0:
            share = moved.dtype.type(1.0 / np.float64(mass[j]))
            for f in range(n_features):
                moved[j, f] *= share
        else:
            for f in range(n_features):
                moved[j, f] = moved[heaviest, f]
    for j in range(n_clusters):
        shift[j] = np.sqrt(squared_distance(moved, j, centers, j))


@kernel
def _own_distances(X, centers, labels, squared, first, last):
    for i in range(first, last):
        squared[i] = squared_distance(X, i, centers, labels[i])
