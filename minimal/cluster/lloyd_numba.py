"""Twin of ``lloyd_numpy``, compiled: the same labels with fewer and cheaper distances, the same sums to the last bit.

Samples are packed in tiles, as many as two registers hold (see ``lanes_numba``), feature after feature.  A tile meets four
centres at a time: their 8 registers of scores stay where they are while the features pass by, and so do the least score of
each sample, the next, and whose the least is.

Two things save most of the rest:

*Screening.*  Scores are computed in single precision, twice as many at a time.  Where the least is ahead of the next by more
than rounding can have done (``doubt``), double precision would say the same; the few other samples are looked at once more.

*Bounds.*  Where distances are the larger part of the work, each sample remembers how far its centre is at most (``upper``)
and every other centre at least (``lower``).  When centres move, the first grows and the second shrinks by no more than they
moved (the triangle inequality); while ``upper`` stays below ``lower`` nothing can change, and the sample is skipped (Hamerly,
"Making k-means even faster", SDM 2010).

Small data takes its first rounds in one kernel (``advance``): Python would need longer between rounds than for them.

A cluster that neither gained nor lost a sample since the last round has the sums of the last round, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.cluster import lloyd_numpy
from minimal.cluster.lanes_numba import add, is_less, load, multiply, multiply_add, pick, spread, store
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")
SAMPLES = 256  # in a block: what a thread looks at in one go
TILE_BYTES = 128  # two registers
WORK_OF_A_GROUP = 1 << 24  # multiplications: some tenths of a millisecond, enough to be worth handing to a thread
WORK_OF_A_SUM = 1 << 20  # additions: the same
WORK_OF_A_SAMPLE = 64  # beside its multiplications
TINY, HUGE = 1e-20, 1e30  # squared norms that single precision can be trusted with
LOST = 1e-38  # more than single precision can lose of a score where its numbers end
MOST_ROUNDS = 500  # that Python waits for, some tenths of a second
UP, DOWN = 1 + 2.0**-51, 1 - 2.0**-51  # more than rounding takes from a bound
WORTH_A_BOUND = 128  # multiplications to assign a sample: below, keeping two bounds costs more than it saves

unsigned = np.uintp  # an index that is never negative: the compiler need not count from the end


class Samples(NamedTuple):
    """Samples, packed samples, and what is known of each from the last round."""

    X: Array  # (n_samples, n_features)
    weight: Array  # (n_samples,)
    packed: Array  # (n_tiles, n_features, samples in a tile), in the precision of the screening
    lengths: Array  # (n_tiles * samples in a tile,), float64: |x|
    longest: float
    doubt: float  # how far a score in the precision of the data may be off, as a part of (|x| + |c|)^2
    rough_doubt: float  # the same of a score in the precision of the screening
    labels: Array  # (n_samples,), int32; -1 before the first round
    upper: Array  # (n_samples,), float64; empty where no bounds are kept
    lower: Array  # (the same,)
    is_tied: Array  # (n_blocks,), bool: whether rounding decides in the block
    is_stale: Array  # (n_blocks, n_clusters), bool: whether somebody in the block came or left since the last sums
    sums: Array  # (n_clusters, n_features)
    mass: Array  # (n_clusters,)


class Places(NamedTuple):
    """Where the centres are, how far they moved, and how much rounding there is."""

    exact: tuple[Array, Array]  # c, (n_groups, n_features, 4); |c|^2, (n_groups * 4,), infinite beyond n_clusters
    rough: tuple[Array, Array]  # both in the precision of the screening
    shift: Array  # (n_clusters,)
    farthest: int  # the centre that moved most
    most: float  # how far
    next_most: float  # the largest of the other shifts
    largest: float  # the largest |c|
    tie: float  # scores no further apart are decided by rounding; -1 where nobody asks


class Table(NamedTuple):
    """Room for a block: samples in tiles, and what was found out about them."""

    tiles: Array  # (n_tiles of a block, n_features, samples in a tile)
    least: Array  # (SAMPLES,), the least score |c|^2 - 2 x.c
    second: Array  # (SAMPLES,), the next
    best: (
        Array  # (SAMPLES,), whose the least is: a whole number, in the precision of the scores to be one of their lanes
    )
    margin: Array  # (SAMPLES,), float64: how far the scores may be off
    is_open: Array  # (SAMPLES,), bool: whether that is too much


def begin(X: Array, weight: Array, n_clusters: int) -> Samples:
    """Twin of ``lloyd_numpy.begin``: packs the samples."""
    n_samples, n_features = X.shape
    n_bounds = n_samples if n_features * n_clusters >= WORTH_A_BOUND else 0
    n_blocks = -(-n_samples // SAMPLES)
    packed, lengths = pack(X, np.dtype(np.float32))
    longest = float(lengths.max())
    if X.dtype != np.float32 and not TINY < longest**2 < HUGE:
        packed, lengths = pack(X, X.dtype)
    return Samples(
        X,
        weight,
        packed,
        lengths,
        longest,
        doubt(n_features, X.dtype),
        doubt(n_features, X.dtype) if packed.dtype == X.dtype else rough_doubt(n_features),
        labels=np.full(n_samples, -1, np.int32),
        upper=np.full(n_bounds, np.inf),
        lower=np.zeros(n_bounds),
        is_tied=np.zeros(n_blocks, bool),
        is_stale=np.ones((n_blocks, n_clusters), bool),
        sums=np.zeros((n_clusters, n_features), X.dtype),
        mass=np.zeros(n_clusters, X.dtype),
    )


def pack(X: Array, dtype: Any) -> tuple[Array, Array]:
    """Tiles of samples, feature after feature, filled up with copies of the last sample; and the length of each sample."""
    n_samples, n_features = X.shape
    width, n_blocks = TILE_BYTES // dtype.itemsize, -(-n_samples // SAMPLES)
    per_block = SAMPLES // width
    packed, lengths = np.empty((n_blocks * per_block, n_features, width), dtype), np.empty(n_blocks * SAMPLES)
    work = 8 * n_features * SAMPLES
    _in_groups(n_blocks, work, lambda a, b: _pack(X, packed, lengths, a * per_block, b * per_block))
    return packed, lengths


def advance(samples: Samples, centers: Array, before: Array, max_iter: int, tol: float) -> tuple[Array, Array, int]:
    """The first rounds of a run at once, as long as nothing happens in them that asks for a decision.

    On small data Python would take longer between two rounds than a round takes.

    Parameters
    ----------
    samples : Samples
        From :func:`begin`.
    centers : ndarray of shape (n_clusters, n_features)
        Where to begin.
    before : ndarray of shape (n_samples,), int32
        Becomes the labels of the last of these rounds.
    max_iter : int
        The last round is never among them,
    tol : float
        nor is one whose shifts come near to this.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
    shift : ndarray of shape (n_clusters,)
        For the next :func:`assign`.
    n_rounds : int
        How many were done; 0 where a round is work for several threads, or for longer than Python should wait, and in single
        precision, where the last bit of |c|^2 decides too often: it has to be NumPy's.
    """
    n_samples, n_features = samples.X.shape
    work = n_samples * (n_features * len(centers) + WORK_OF_A_SAMPLE)
    if work > WORK_OF_A_GROUP or samples.X.dtype == np.float32:
        return centers, np.zeros(len(centers), centers.dtype), 0
    return _advance(samples, centers, before, min(max_iter - 1, MOST_ROUNDS), float(tol))


def assign(samples: Samples, centers: Array, shift: Array) -> Array:
    """Twin of ``lloyd_numpy.assign``, same labels.  Samples whose centre cannot have changed are skipped."""
    places = Places(*_placed(samples, centers, np.einsum("ij,ij->i", centers, centers), shift))
    work = SAMPLES * (centers.size + WORK_OF_A_SAMPLE)
    _in_groups(len(samples.is_tied), work, lambda first, last: _assign(samples, places, first, last))
    _break_ties(samples, centers)
    return samples.labels


def gather(samples: Samples, labels: Array, n_clusters: int) -> tuple[Array, Array]:
    """Twin of ``lloyd_numpy.gather``, same bits; ``labels`` must be those of the last :func:`assign`.

    A thread adds up some of the clusters over all samples: a sum is one thread's work, in the order of the samples.
    """
    stale: Array = np.any(samples.is_stale, axis=0)
    samples.is_stale[:] = False
    n_stale = np.cumsum(stale)
    n_parts = min(get_num_threads(), int(n_stale[-1]), 1 + samples.X.size // WORK_OF_A_SUM)
    cuts = np.searchsorted(n_stale, np.arange(1, n_parts) * n_stale[-1] / max(n_parts, 1)).tolist()
    edges = [0, *cuts, n_clusters]

    def part(b: int) -> None:
        mine = np.zeros_like(stale)
        mine[edges[b] : edges[b + 1]] = stale[edges[b] : edges[b + 1]]
        _gather(samples.X, samples.weight, labels, mine, samples.sums, samples.mass)

    run_blocks(part, n_parts)
    return samples.sums.copy(), samples.mass.copy()


def move(centers: Array, sums: Array, mass: Array) -> tuple[Array, Array]:
    """Twin of ``lloyd_numpy.move``, same bits."""
    moved, shift = sums.copy(), np.empty(len(mass), sums.dtype)
    _move(centers, moved, mass, shift)
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

    _in_groups(-(-len(X) // SAMPLES), 8 * X.shape[1] * SAMPLES, job)
    return squared


def _in_groups(n_blocks: int, work_of_a_block: int, job: Callable[[int, int], None]) -> None:
    """Call ``job(first, last)`` on groups of blocks, on several threads where there is enough to do."""
    size = max(1, WORK_OF_A_GROUP // work_of_a_block)
    run_blocks(lambda g: job(g * size, min((g + 1) * size, n_blocks)), -(-n_blocks // size))


def _break_ties(samples: Samples, centers: Array) -> None:
    """Label the blocks anew where rounding decides, with the rounding of the BLAS library, which the reference uses."""
    if not samples.is_tied.any():
        return
    for b in np.flatnonzero(samples.is_tied):
        part = slice(b * SAMPLES, (b + 1) * SAMPLES)
        old, new = samples.labels[part], lloyd_numpy.nearest(samples.X[part], centers)
        differs = old != new
        samples.is_stale[b, old[differs]] = samples.is_stale[b, new[differs]] = True
        old[differs] = new[differs]
    samples.is_tied[:] = False


def doubt(n_features: int, dtype: Any) -> float:
    """How far a score |c|^2 - 2 x.c may lie from the true one, as a part of (|x| + |c|)^2, ours and the reference's together.

    With the unit roundoff u = eps / 2: a sum of d products is off by less than d u |x| |c|, |c|^2 by d u of itself, and the
    difference by u of what it is: less than (d + 1) u (|x| + |c|)^2 for each of the two.  Twice as much is taken.
    """
    return (2 * n_features + 8) * float(np.finfo(dtype).eps)


def rough_doubt(n_features: int) -> float:
    """The same of our score in single precision: d u from the sum, and 3 u from rounding x, c, |c|^2 and the difference."""
    return (n_features + 6) * float(np.finfo(np.float32).eps) / 2


@kernel
def _pack(X, packed, lengths, first, last):
    """Tiles ``first`` to ``last``; four samples at a time, so that four sums of squares wait for each other less."""
    n_samples, n_features = X.shape
    width = packed.shape[2]
    for t in range(first, last):
        for s in range(0, width, 4):
            i = t * width + s
            a, b, c, d = (
                min(i, n_samples - 1),
                min(i + 1, n_samples - 1),
                min(i + 2, n_samples - 1),
                min(i + 3, n_samples - 1),
            )
            p = q = r = u = 0.0
            for f in range(n_features):
                v, w, x, y = X[a, f], X[b, f], X[c, f], X[d, f]
                packed[t, f, s], packed[t, f, s + 1], packed[t, f, s + 2], packed[t, f, s + 3] = v, w, x, y
                v, w, x, y = np.float64(v), np.float64(w), np.float64(x), np.float64(y)
                p, q, r, u = p + v * v, q + w * w, r + x * x, u + y * y
            lengths[i], lengths[i + 1], lengths[i + 2], lengths[i + 3] = np.sqrt(p), np.sqrt(q), np.sqrt(r), np.sqrt(u)


@kernel
def _place(samples, centers, squared, shift):
    """The centres as the kernels read them; the shifts made a little larger than they are, by more than rounding took."""
    n_clusters, n_features = centers.shape
    n_groups = -(-n_clusters // 4)
    packed = np.zeros((n_groups, n_features, 4), centers.dtype)
    norms = np.full(n_groups * 4, centers.dtype.type(np.inf))
    largest = 0.0
    for j in range(n_clusters):
        for f in range(n_features):
            packed[j // 4, f, j % 4] = centers[j, f]
        norms[j] = squared[j]
        largest = max(largest, np.sqrt(np.float64(squared[j])))
    far = shift.astype(np.float64) * (1 + 4 * samples.doubt)
    farthest, most, next_most = 0, 0.0, 0.0
    for j in range(n_clusters):
        if far[j] > most:
            farthest, most, next_most = j, far[j], most
        elif far[j] > next_most:
            next_most = far[j]
    rough = samples.packed.dtype.type
    tie = 2 * samples.doubt * (samples.longest + largest) ** 2 if samples.X.itemsize == 8 else -1.0
    return Places(
        (packed, norms),
        (packed.astype(rough), norms.astype(rough)),
        far,
        farthest,
        most,
        next_most,
        largest,
        tie,
    )


@kernel
def _assign(samples, places, first, last):
    """Blocks ``first`` to ``last``: which samples need a look, their scores, and what these say."""
    packed, X, n_features = samples.packed, samples.X, samples.X.shape[1]
    rough, exact = _table(packed, n_features), _table(X, n_features)
    per_block = len(rough.tiles)
    who = np.arange(SAMPLES)
    for b in range(first, last):
        look = n = min(SAMPLES, len(samples.labels) - b * SAMPLES)
        if len(samples.upper) > 0:
            look = _loosen(samples, places, b, n, who, rough.is_open)
        if look == 0:
            continue
        tiles, at = packed, b * per_block
        if look < n - n // 4:
            _pick_packed(packed, at, who, look, rough.tiles)
            tiles, at = rough.tiles, 0
        else:
            look = n
            for s in range(n):
                who[s] = s
        _two_least(tiles, at, look, places.rough, rough)
        look = _settle(samples, places, b, look, who, rough, packed.itemsize < X.itemsize)
        if look > 0:
            _pick_samples(X, b * SAMPLES, who, look, exact.tiles)
            _two_least(exact.tiles, 0, look, places.exact, exact)
            _settle(samples, places, b, look, who, exact, False)


@kernel
def _table(X, n_features):
    """Room for a block, in the precision of ``X``."""
    dtype, width = X.dtype, TILE_BYTES // X.itemsize
    least, second, best = np.empty(SAMPLES, dtype), np.empty(SAMPLES, dtype), np.empty(SAMPLES, dtype)
    tiles = np.zeros((SAMPLES // width, n_features, width), dtype)
    return Table(tiles, least, second, best, np.empty(SAMPLES), np.empty(SAMPLES, np.bool_))


@kernel
def _pick_packed(packed, first, who, n, tiles):
    """Copy ``n`` samples of the block whose tiles begin at ``first`` to the front of ``tiles``."""
    width = unsigned(tiles.shape[2])
    for s in range(unsigned(n)):
        i = unsigned(who[s])
        t, u = unsigned(first) + i // width, s // width
        for f in range(unsigned(tiles.shape[1])):
            tiles[u, f, s % width] = packed[t, f, i % width]


@kernel
def _pick_samples(X, begin, who, n, tiles):
    """The same from the samples themselves."""
    width = unsigned(tiles.shape[2])
    for s in range(unsigned(n)):
        i, u = unsigned(begin + who[s]), s // width
        for f in range(unsigned(tiles.shape[1])):
            tiles[u, f, s % width] = X[i, f]


@kernel
def _loosen(samples, places, b, n, who, is_open):
    """Move the bounds of a block's samples by how far the centres moved, and list those who need a look."""
    labels, upper, lower, lengths = samples.labels, samples.upper, samples.lower, samples.lengths
    begin = unsigned(b * SAMPLES)
    look = 0
    for s in range(unsigned(n)):
        i = begin + s
        label = max(labels[i], 0)
        u = (upper[i] + places.shift[unsigned(label)]) * UP  # what rounding takes is given back at once
        low = (lower[i] - (places.next_most if label == places.farthest else places.most)) * DOWN
        upper[i], lower[i] = u, low
        margin = 4 * samples.doubt * (lengths[i] + places.largest) ** 2
        is_open[s] = not ((u < low) & ((low - u) * (low + u) > margin))
        look += is_open[s]
    if 0 < look < n:
        _list(is_open, n, who)
    return look


@kernel
def _list(is_open, n, who):
    """The numbers of the open ones."""
    k = unsigned(0)
    for s in range(unsigned(n)):
        who[k] = s
        k += unsigned(is_open[s])


@kernel
def _settle(samples, places, b, n, who, table, is_rough):
    """Store the labels and bounds of the samples that ``table`` decides; list the others in ``who`` and count them."""
    begin = unsigned(b * SAMPLES)
    doubt = samples.rough_doubt if is_rough else samples.doubt
    for s in range(unsigned(n)):
        margin = doubt * (samples.lengths[begin + unsigned(who[s])] + places.largest) ** 2
        table.margin[s] = margin if is_rough else max(margin, places.tie)  # a tie may yet be broken the other way
    undecided = 0
    for s in range(unsigned(n)):
        gap = np.float64(table.second[s]) - np.float64(table.least[s])
        table.is_open[s] = gap <= max(2 * table.margin[s] + LOST, places.tie) if is_rough else gap <= places.tie
        undecided += table.is_open[s]
    if len(samples.upper) > 0:
        _bound(samples, begin, n, who, table)
    labels = samples.labels
    for s in range(unsigned(n)):
        i = begin + unsigned(who[s])
        old, new = labels[i], np.int32(table.best[s])
        if old != new and not (is_rough and table.is_open[s]):
            samples.is_stale[b, max(old, 0)] = True
            samples.is_stale[b, new] = True
            labels[i] = new
    if undecided == 0:
        return 0
    if not is_rough:
        samples.is_tied[b] = True
        return 0
    undecided = 0
    for s in range(unsigned(n)):
        if table.is_open[s]:
            who[undecided] = who[s]
            undecided += 1
    return undecided


@kernel
def _bound(samples, begin, n, who, table):
    """How far the centre of a sample is at most, and every other at least."""
    for s in range(unsigned(n)):
        i = begin + unsigned(who[s])
        norm, margin = samples.lengths[i] ** 2, table.margin[s]
        samples.upper[i] = np.sqrt(max(np.float64(table.least[s]) + norm, 0.0) + margin)
        samples.lower[i] = np.sqrt(max(np.float64(table.second[s]) + norm - margin, 0.0))


@kernel
def _two_least(tiles, first, n, centers, table):
    """For ``n`` samples, the least score |c|^2 - 2 x.c, whose it is (the first one's), and the next larger."""
    packed, norms = centers
    number = norms.dtype.type
    width, one, two, three, four = unsigned(tiles.shape[2]), unsigned(1), unsigned(2), unsigned(3), unsigned(4)
    nothing = spread(number(np.inf)), spread(number(np.inf)), spread(number(0))
    for t in range((unsigned(n) + width - one) // width):
        x = y = nothing
        for g in range(unsigned(len(packed))):
            j = four * g
            p, q, r, u, p_, q_, r_, u_ = products(tiles, unsigned(first) + t, packed, g)
            x = _rank(u, norms, j + three, _rank(r, norms, j + two, _rank(q, norms, j + one, _rank(p, norms, j, x))))
            y = _rank(
                u_, norms, j + three, _rank(r_, norms, j + two, _rank(q_, norms, j + one, _rank(p_, norms, j, y)))
            )
        at, half = t * width, width // two
        store(table.least, at, x[0])
        store(table.second, at, x[1])
        store(table.best, at, x[2])
        store(table.least, at + half, y[0])
        store(table.second, at + half, y[1])
        store(table.best, at + half, y[2])


@kernel
def products(tiles, t, centers, g):
    """x.c of the samples of a tile with four centres, added up from the first feature to the last.

    8 registers: p, q, r and u for the centres, of the first half of the samples and of the second.
    """
    n_features, width = unsigned(tiles.shape[1]), unsigned(tiles.shape[2])
    zero, one, two, three = unsigned(0), unsigned(1), unsigned(2), unsigned(3)
    p = q = r = u = p_ = q_ = r_ = u_ = spread(tiles.dtype.type(0))
    for f in range(n_features):
        at = (t * n_features + f) * width
        x, y = load(tiles, at), load(tiles, at + width // two)
        a, b, c, d = centers[g, f, zero], centers[g, f, one], centers[g, f, two], centers[g, f, three]
        p, p_ = multiply_add(x, a, p), multiply_add(y, a, p_)
        q, q_ = multiply_add(x, b, q), multiply_add(y, b, q_)
        r, r_ = multiply_add(x, c, r), multiply_add(y, c, r_)
        u, u_ = multiply_add(x, d, u), multiply_add(y, d, u_)
    return p, q, r, u, p_, q_, r_, u_


@kernel
def _rank(product, norms, j, found):
    """``found`` (the least score, the next, and whose the least is) after centre ``j``."""
    least, second, best = found
    number = norms.dtype.type
    score = multiply_add(product, number(-2), spread(norms[j]))
    is_new = is_less(score, least)
    other = pick(is_new, least, score)
    second = pick(is_less(other, second), other, second)
    return pick(is_new, score, least), second, pick(is_new, spread(number(j)), best)


@kernel
def _gather(X, weight, labels, is_mine, sums, mass):
    """Add up the clusters of ``is_mine`` anew, each from its first sample to its last."""
    n_features, lanes = unsigned(X.shape[1]), unsigned(TILE_BYTES // 2 // X.itemsize)
    whole = n_features - n_features % lanes
    for j in range(len(mass)):
        if is_mine[j]:
            mass[j] = 0
            sums[j] = 0
    for i in range(unsigned(len(labels))):
        label = unsigned(labels[i])
        if is_mine[label]:
            mass[label] += weight[i]
            from_, to = i * n_features, label * n_features
            for f in range(unsigned(0), whole, lanes):
                store(sums, to + f, add(load(sums, to + f), multiply(load(X, from_ + f), weight[i])))
            for f in range(whole, n_features):
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
def _placed(samples, centers, squared, shift):
    """The same for Python, as a plain tuple: a Ctrl-C that waits while Numba makes a NamedTuple would end the process."""
    return _place(samples, centers, squared, shift)[:]


@kernel
def _move(centers, moved, mass, shift):
    """``moved`` holds sums; see ``rounds.averages`` for a cluster without mass and ``rounds.sum_in_fours`` for the order."""
    n_clusters, n_features = centers.shape
    heaviest = mass.argmax()
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


@kernel
def _advance(samples, centers, before, n_rounds, tol):
    """See ``advance``.  A round that asks for a decision is left to Python, which begins it anew."""
    n_clusters = len(centers)
    shift, no_shift = np.zeros(n_clusters, centers.dtype), np.zeros(n_clusters, centers.dtype)
    for i in range(n_rounds):
        places = _place(samples, centers, (centers * centers).sum(axis=1), shift)
        _assign(samples, places, 0, len(samples.is_tied))
        if samples.is_tied.any():
            return centers, no_shift, i
        stale = np.zeros(n_clusters, np.bool_)
        for b in range(len(samples.is_stale)):
            stale |= samples.is_stale[b]
        _gather(samples.X, samples.weight, samples.labels, stale, samples.sums, samples.mass)
        moved = samples.sums.copy()
        _move(centers, moved, samples.mass, shift)
        total = 0.0
        for j in range(n_clusters):
            total += np.float64(shift[j]) ** 2
        if samples.mass.min() == 0 or not stale.any() or total <= tol * 1.001:
            return centers, no_shift, i
        samples.is_stale[:] = False
        before[:] = samples.labels
        centers = moved
    return centers, shift, n_rounds
