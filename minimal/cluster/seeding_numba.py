"""Twin of ``seeding_numpy``, compiled: the same choices, most of them from distances in single precision.

A choice needs exact numbers only where it is a close one.  So each step

1. *draws* candidates from sums over blocks of samples, and adds up one block, not all;
2. *screens* them: how much each would save, in single precision, on packed samples that were moved to their middle;
3. *settles* what the best one saves, in double precision, for the few samples that it may be nearest to.

Each number comes with a bound of how far it may lie from what ``seeding_numpy`` computes.  Where two candidates, or a draw
and the border between two samples, are no further apart than that, the step is taken as in ``seeding_numpy``.

The distances that are kept have the bits of the BLAS library that NumPy brings: it adds up a product feature by feature with
one rounding for each (fused multiply and add), and so does ``_eight_products``.  For small tables, for very long rows and
for samples that lie feature after feature in memory that library takes other ways; those are left to it.

*The bound of a rough distance.*  With u = 2^-24, moved samples x and c, and r = |x| + |c|: rounding x and c to single
precision changes |x - c|^2 by less than 2 u r^2; the d roundings of x.c add 2 d u |x||c| <= d/2 u r^2; rounding |x|^2 and
|c|^2, u r^2; adding them up, 2 u r^2; rounding the distance that it is compared with, and the difference, 4 u r^2 (were that
distance above 2 r^2, it would be the larger one in any case).  Together (d/2 + 9) u r^2; ``doubt`` is (d + 20) u.  ``haze``
is what else there may be: the reference's own rounding, and that of moving the samples, in double precision,
(2 d + 8) 2^-52 (2 max|x|)^2 with samples as they were given; and underflow in single precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.cluster import seeding_numpy
from minimal.cluster.seeding_numpy import Nearest, squared_distances, squared_norms
from minimal.threads import run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")
contracting = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
in_any_order = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})

SAMPLES = 256  # in a block
WORK_OF_A_GROUP = 1 << 21  # multiplications in single precision: some tenths of a millisecond
FEW_NUMBERS = 1 << 16  # in X: up to here the BLAS library has other ways to multiply
LONG_ROW = 256  # features: above, the BLAS library adds up in pieces
TINY, HUGE = 1e-20, 1e30  # squared norms that single precision can be trusted with
EPS, ROUGH_EPS = 2.0**-52, 2.0**-23


class Field(NamedTuple):
    """The samples, and what the centres so far left of their distances.  A packed array is zero beyond the last sample."""

    X: Array  # (n_samples, n_features)
    norms: Array  # (n_samples,), |x|^2
    weight: Array  # (n_samples,)
    closest: Array  # (n_samples,), squared distances to the nearest centre
    mass: Array  # (n_blocks,), the sum of weight * closest in each block
    middle: Array  # (n_features,), about the mean; samples moved by it are called moved
    rough: Array  # (n_blocks, n_features, SAMPLES), float32: moved samples
    rough_norms: Array  # (n_blocks, SAMPLES), float32: their |x|^2
    rough_weight: Array  # (n_blocks, SAMPLES), float32: as parts of the largest weight
    radius: Array  # (n_blocks,), the largest |x| of the moved samples of a block
    is_near: Array  # (n_trials, n_blocks * SAMPLES): may the candidate be nearer than all centres?


class Candidates(NamedTuple):
    """Samples of which one will be a centre, moved."""

    rough: Array  # (n_trials rounded up to a multiple of four, n_features), float32
    rough_norms: Array  # (n_trials,), float32
    radius: Array  # (n_trials,), |c|
    doubt: float  # how far a rough distance may be off, as a part of (|x| + |c|)^2
    haze: float  # and on top of this


def begin(X: Array, weight: Array, norms: Array | None, n_trials: int, first: int) -> Any:
    """Twin of ``seeding_numpy.begin``."""
    is_like_a_chain = X.size > FEW_NUMBERS and X.shape[1] <= LONG_ROW and X.flags.c_contiguous
    if X.dtype == np.float64 and is_like_a_chain and n_trials > 1:
        norms = squared_norms(X, norms)
        if TINY < norms.max() < HUGE and TINY < weight.max() < HUGE:
            return ScreenedNearest(X, weight, norms, n_trials, first)
    if X.dtype == np.float32 and is_like_a_chain and n_trials > 1:
        return seeding_numpy.Nearest(_wide_distances(X), weight, first)
    return seeding_numpy.begin(X, weight, norms, n_trials, first)


def _wide_distances(X: Array) -> Callable[[Array], Array]:
    """As ``seeding_numpy.squared_distances`` to some of X: products in double precision, distances in that of X.

    Sums in single precision are too rough to tell what another order of adding would have chosen: nothing is screened.
    """
    wide = X.astype(np.float64)
    norms = squared_norms(wide)
    packed = np.empty((-(-len(X) // SAMPLES), X.shape[1], SAMPLES))
    run_blocks(lambda b: _pack_block(wide, b * SAMPLES, np.zeros(X.shape[1]), packed[b]), len(packed))

    def distances_to(candidates: Array) -> Array:
        if len(candidates) == 1:
            return squared_distances(wide, norms, candidates, X.dtype)
        rows = np.zeros((-(-len(candidates) // 4) * 4, X.shape[1]))
        rows[: len(candidates)] = wide[candidates]
        own, squared = squared_norms(wide[candidates]), np.empty((len(candidates), len(X)), X.dtype)
        size, last = max(1, WORK_OF_A_GROUP // (4 * rows.size * SAMPLES)), len(packed)
        run_blocks(
            lambda g: _table(packed, norms, rows, own, squared, g * size, min((g + 1) * size, last)), -(-last // size)
        )
        return squared

    return distances_to


class ScreenedNearest:
    """Twin of ``seeding_numpy.Nearest`` for many dense samples in double precision: same parameters as ``begin``."""

    def __init__(self, X: Array, weight: Array, norms: Array, n_trials: int, first: int) -> None:
        n_samples, n_features = X.shape
        n_blocks = -(-n_samples // SAMPLES)
        self.field = field = Field(
            X,
            norms,
            weight,
            closest=squared_distances(X, norms, np.array([first]), X.dtype)[0],
            mass=np.empty(n_blocks),
            middle=X[:: max(1, n_samples // SAMPLES)].mean(axis=0),
            rough=np.empty((n_blocks, n_features, SAMPLES), np.float32),
            rough_norms=np.empty((n_blocks, SAMPLES), np.float32),
            rough_weight=np.empty((n_blocks, SAMPLES), np.float32),
            radius=np.empty(n_blocks),
            is_near=np.empty((n_trials, n_blocks * SAMPLES), np.bool_),
        )
        self.group = max(1, WORK_OF_A_GROUP // (SAMPLES * n_features * (-(-n_trials // 4) * 4)))
        self.heaviest = float(weight.max())
        self.total, self.spread = self._in_groups(lambda *g: _pack(field, self.heaviest, *g), 2)  # of rough weights
        self.potential = float(field.mass.sum())
        self.last_step = 1, 0  # how many candidates there were, and which was the best
        longest = 4 * float(norms.max())
        self.doubt = (n_features + 20) * ROUGH_EPS / 2
        self.haze = (2 * n_features + 8) * EPS * longest + 1e-42 * n_features * (1 + longest)

    def _in_groups(self, job: Callable[[int, int, Array], None], n_sums: int) -> Array:
        """Let ``job(first, last, sums)`` add up something over groups of blocks, several at a time."""
        last = len(self.field.mass)
        n_groups = -(-last // self.group)
        sums = np.zeros((n_groups, n_sums))
        run_blocks(lambda g: job(g * self.group, min((g + 1) * self.group, last), sums[g]), n_groups)
        total: Array = sums.sum(axis=0)
        return total

    @property
    def _margin(self) -> float:
        """Two sums of w_i D_i^2, or of a part of them, in any two orders are no further apart; with room for a product."""
        return 4 * (len(self.field.X) + 4) * EPS * self.potential

    def draw(self, uniform: Array) -> Array:
        """Same candidates.  A draw within rounding of the border between two samples takes all sums, in the same order."""
        field = self.field
        before = np.concatenate([[0.0], np.cumsum(field.mass)])
        self.potential = float(before[-1])
        candidates = np.empty(len(uniform), np.int64)
        if _locate(field, before, uniform * self.potential, self._margin, candidates):
            return candidates
        n_rows, row = self.last_step
        table = np.zeros((n_rows, len(field.X)))  # the BLAS library's sum depends on which row of how many it is
        table[row] = field.closest
        known = Nearest.__new__(Nearest)
        known.weight, known.closest, known.potential = field.weight, field.closest, (table @ field.weight)[row]
        return known.draw(uniform)

    def add_best(self, indices: Array) -> int:
        """Same choice: by rough savings, else by those of the rivals in double precision, else as in ``seeding_numpy``."""
        field = self.field
        own = squared_norms(field.X[indices])
        moved = field.X[indices] - field.middle
        rough = np.zeros((-(-len(indices) // 4) * 4, moved.shape[1]), np.float32)
        rough[: len(indices)] = moved
        norms = np.einsum("ij,ij->i", moved, moved)
        candidates = Candidates(rough, norms.astype(np.float32), np.sqrt(norms), self.doubt, self.haze)
        saved = self._in_groups(lambda *g: _screen(field, candidates, *g), len(indices))
        # The sum of w (|x| + |c|)^2 <= 2 w (|x|^2 + |c|^2), of the haze, and of the roundings of products and sums.
        margin = 2 * self.doubt * (self.spread + norms * self.total) + self.haze * (self.total + len(field.X) * TINY)
        margin += 16 * ROUGH_EPS * self.potential / self.heaviest
        best = int(np.argmax(saved))
        rivals = np.flatnonzero(~(saved + margin < saved[best] - margin[best]))
        if len(rivals) > 1:
            exact = np.array([self._settle(a, indices[a], own[a], False) for a in rivals])
            second, first = np.argsort(exact)[-2:]
            if not exact[first] - exact[second] > self._margin:
                return self._add_best_of_all(indices)
            best = int(rivals[first])
        self._settle(best, indices[best], own[best], True)
        self.last_step = len(indices), best
        return best

    def _settle(self, a: Any, index: int, own: float, is_final: bool) -> float:
        field = self.field
        return float(self._in_groups(lambda *g: _settle(field, a, index, own, is_final, *g), 1)[0])

    def _add_best_of_all(self, indices: Array) -> int:
        """``Nearest.add_best`` to the letter."""
        field = self.field
        squared = squared_distances(field.X, field.norms, indices, field.X.dtype)
        np.minimum(squared, field.closest, out=squared)
        best = int(np.argmin(squared @ field.weight))
        field.closest[:] = squared[best]
        field.mass[:] = np.add.reduceat(field.weight * field.closest, np.arange(0, len(field.X), SAMPLES))
        self.last_step = len(indices), best
        return best


@kernel
def _pack_block(X, begin, middle, block):
    """A block of samples less ``middle``, feature after feature: short columns, whose rows stay in the cache meanwhile."""
    n, n_features = min(SAMPLES, len(X) - begin), X.shape[1]
    for part in range(0, n, 32):
        for f in range(n_features):
            away = middle[f]
            for s in range(part, min(part + 32, n)):
                block[f, s] = X[begin + s, f] - away
    block[:, n:] = 0


@kernel
def _pack(field, heaviest, first, last, sums):
    """Move and pack the samples of some blocks; add up the rough weights, and these times |x|^2."""
    X, norms = field.X, np.empty(SAMPLES)
    for b in range(first, last):
        begin = b * SAMPLES
        n = min(SAMPLES, len(X) - begin)
        _pack_block(X, begin, field.middle, field.rough[b])
        norms[:] = 0
        for f in range(X.shape[1]):
            for s in range(SAMPLES):
                norms[s] += np.float64(field.rough[b, f, s]) ** 2
        for s in range(SAMPLES):
            field.rough_norms[b, s] = norms[s]
            field.rough_weight[b, s] = field.weight[begin + s] / heaviest if s < n else 0.0
            sums[0] += field.rough_weight[b, s]
            sums[1] += field.rough_weight[b, s] * norms[s]
        field.radius[b] = np.sqrt(norms.max())
        field.mass[b] = _weighted(field.weight[begin : begin + n], field.closest[begin : begin + n])


@kernel
def _locate(field, before, targets, margin, candidates):
    """The first sample whose cumulated weight * closest reaches a target; False where one lies too near to a border."""
    weight, closest = field.weight, field.closest
    for t in range(len(targets)):
        target = targets[t]
        b = min(np.searchsorted(before[1:], target), len(before) - 2)
        i, end = b * SAMPLES, min((b + 1) * SAMPLES, len(weight))
        reached = above = before[b]
        while above < target and i < end:
            reached = above
            above += weight[i] * closest[i]
            i += 1
        if not (target - reached > margin and above - target > margin):
            return False
        candidates[t] = i - 1
    return True


@kernel
def _screen(field, candidates, first, last, saved):
    """Add up roughly what each candidate would save in some blocks, and mark the samples that it may be nearest to."""
    n_trials = len(candidates.radius)
    products, near = np.empty((4, SAMPLES), np.float32), np.zeros(SAMPLES, np.float32)
    savings = np.empty(SAMPLES, np.float32)
    for b in range(first, last):
        begin = b * SAMPLES
        for s in range(min(SAMPLES, len(field.closest) - begin)):
            near[s] = field.closest[begin + s]
        for j in range(0, n_trials, 4):
            _products(field.rough[b], candidates.rough[j : j + 4], products)
            for a in range(j, min(j + 4, n_trials)):
                reach = candidates.doubt * (field.radius[b] + candidates.radius[a]) ** 2 + candidates.haze
                is_near = field.is_near[a, begin : begin + SAMPLES]
                norm, norms, weight = candidates.rough_norms[a], field.rough_norms[b], field.rough_weight[b]
                _compare(near, products[a - j], norm, norms, weight, np.float32(-reach), is_near, savings)
                saved[a] += _sum(savings)


@contracting
def _products(block, centers, products):
    """x . c of a block's samples with four centres, added up from the first feature to the last."""
    n_features = block.shape[0]
    whole = n_features - n_features % 4
    p, q, r, t = products[0], products[1], products[2], products[3]
    products[:] = 0
    for f in range(0, whole, 4):
        p0, p1, p2, p3 = centers[0, f], centers[0, f + 1], centers[0, f + 2], centers[0, f + 3]
        q0, q1, q2, q3 = centers[1, f], centers[1, f + 1], centers[1, f + 2], centers[1, f + 3]
        r0, r1, r2, r3 = centers[2, f], centers[2, f + 1], centers[2, f + 2], centers[2, f + 3]
        t0, t1, t2, t3 = centers[3, f], centers[3, f + 1], centers[3, f + 2], centers[3, f + 3]
        for s in range(SAMPLES):
            x0, x1, x2, x3 = block[f, s], block[f + 1, s], block[f + 2, s], block[f + 3, s]
            p[s] = (((p[s] + x0 * p0) + x1 * p1) + x2 * p2) + x3 * p3
            q[s] = (((q[s] + x0 * q0) + x1 * q1) + x2 * q2) + x3 * q3
            r[s] = (((r[s] + x0 * r0) + x1 * r1) + x2 * r2) + x3 * r3
            t[s] = (((t[s] + x0 * t0) + x1 * t1) + x2 * t2) + x3 * t3
    for f in range(whole, n_features):
        p0, q0, r0, t0 = centers[0, f], centers[1, f], centers[2, f], centers[3, f]
        for s in range(SAMPLES):
            x0 = block[f, s]
            p[s] += x0 * p0
            q[s] += x0 * q0
            r[s] += x0 * r0
            t[s] += x0 * t0


@contracting
def _compare(near, products, norm, norms, weight, reach, is_near, savings):
    """What each sample would save, w max(0, closest - squared distance), and whether that may be more than nothing."""
    zero = np.float32(0)
    for s in range(SAMPLES):
        gap = near[s] - ((norm - (products[s] + products[s])) + norms[s])
        is_near[s] = gap > reach
        savings[s] = weight[s] * (gap if gap > zero else zero)


@kernel
def _sum(terms):
    """Half onto half: five roundings, then double precision.  ``terms`` is overwritten."""
    half = SAMPLES // 2
    while half >= 8:
        for s in range(half):
            terms[s] += terms[half + s]
        half //= 2
    total = 0.0
    for s in range(8):
        total += terms[s]
    return total


@kernel
def _settle(field, a, index, own, is_final, first, last, saved):
    """Add up what candidate ``a`` saves in some blocks; make it a centre where that is final.

    It is the sample ``index``, whose |c|^2 is ``own``.
    """
    norms, weight, closest = field.norms, field.weight, field.closest
    begin, end = first * SAMPLES, min(last * SAMPLES, len(closest))
    who, products = np.empty(end - begin + 8, np.int64), np.empty(8)
    look = 0
    for i in range(begin, end):
        who[look] = i
        look += field.is_near[a, i]
    who[look : look + 7] = index  # the last eight are filled up
    for g in range(0, look, 8):
        _eight_products(field.X, who[g : g + 8], index, products)
        for s in range(min(8, look - g)):
            i = who[g + s]
            squared = max(0.0, (own - 2 * products[s]) + norms[i])
            if squared < closest[i]:
                saved[0] += weight[i] * (closest[i] - squared)
                if is_final:
                    closest[i] = squared
    if is_final:
        for b in range(first, last):
            part = slice(b * SAMPLES, min((b + 1) * SAMPLES, end))
            field.mass[b] = _weighted(weight[part], closest[part])


@contracting
def _eight_products(X, who, index, products):
    """x . c of eight samples, each added up from the first feature to the last with one rounding for each.

    Eight sums side by side, since each has to wait for its last addition.
    """
    p = q = r = t = u = v = w = z = 0.0
    i, j, k, m = who[0], who[1], who[2], who[3]
    n, o, a, b = who[4], who[5], who[6], who[7]
    for f in range(X.shape[1]):
        y = X[index, f]
        p += X[i, f] * y
        q += X[j, f] * y
        r += X[k, f] * y
        t += X[m, f] * y
        u += X[n, f] * y
        v += X[o, f] * y
        w += X[a, f] * y
        z += X[b, f] * y
    products[0], products[1], products[2], products[3] = p, q, r, t
    products[4], products[5], products[6], products[7] = u, v, w, z


@in_any_order
def _weighted(weight, closest):
    total = 0.0
    for i in range(len(weight)):
        total += weight[i] * closest[i]
    return total


@kernel
def _table(packed, norms, rows, own, squared, first, last):
    """Squared distances of the samples in some blocks to the candidates, rows of ``squared``."""
    products = np.empty((4, SAMPLES))
    for b in range(first, last):
        begin = b * SAMPLES
        n = min(SAMPLES, len(norms) - begin)
        for j in range(0, len(rows), 4):
            _products(packed[b], rows[j : j + 4], products)
            for a in range(j, min(j + 4, len(own))):
                for s in range(n):
                    squared[a, begin + s] = max(0.0, (own[a] - 2 * products[a - j, s]) + norms[begin + s])
