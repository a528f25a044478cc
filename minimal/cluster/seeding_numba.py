"""Twin of ``seeding_numpy``, compiled: each block of samples is read once for all candidates.

A product is added up feature by feature with one rounding for each (fused multiply and add), as the BLAS library does it that
NumPy brings, so that distances have the same bits.  That library takes other ways for small tables and for very long rows:
those are left to it, and they cost little.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.cluster import seeding_numpy
from minimal.cluster.lloyd_numba import SAMPLES, kernel, pack, products
from minimal.threads import run_blocks

Array = NDArray[Any]

WORK_OF_A_BLOCK = 1 << 19  # multiplications: some tenths of a millisecond
FEW_NUMBERS = 1 << 16  # in X: below, a call of the BLAS library is as quick
LONG_ROW = 256  # features: above, the BLAS library adds up in pieces


class Prepared(NamedTuple):
    """As in ``seeding_numpy``, and the samples in packed blocks; none where the BLAS library does the products."""

    plain: seeding_numpy.Prepared
    packed: Array  # (n_blocks, n_features, SAMPLES), float64
    room: list[Array]  # two tables for results, used in turn: fresh memory would cost more than what is computed


def prepare(X: Array, norms: Array | None, n_trials: int) -> Prepared:
    """Twin of ``seeding_numpy.prepare``."""
    plain = seeding_numpy.prepare(X, norms, n_trials)
    is_packed = X.size > FEW_NUMBERS and X.shape[1] <= LONG_ROW
    if not is_packed:
        return Prepared(plain, np.empty((0, X.shape[1], SAMPLES)), [])
    room = [np.empty((n_trials, len(X)), X.dtype) for _ in range(2)]
    return Prepared(plain, pack(plain.X, plain.X.dtype), room)


def look(prepared: Prepared, weight: Array, candidates: Array, closest: Array | None) -> tuple[Array, Array]:
    """Twin of ``seeding_numpy.look``, same bits with the BLAS libraries that it was tried with.

    ``closest`` may be a row of what the last call returned; the call before that is overwritten.
    """
    plain, packed, room = prepared
    if len(packed) == 0 or len(candidates) == 1 or closest is None:
        return seeding_numpy.look(plain, weight, candidates, closest)
    X, norms, _ = plain
    rows = np.zeros((-(-len(candidates) // 4) * 4, X.shape[1]))
    rows[: len(candidates)] = X[candidates]
    left = room[0]
    room.reverse()
    size = max(1, WORK_OF_A_BLOCK // (rows.size * SAMPLES))
    last = len(packed)
    own = norms[candidates]
    run_blocks(
        lambda g: _look(packed, norms, rows, own, closest, left, g * size, min((g + 1) * size, last)), -(-last // size)
    )
    return left, left @ weight


@kernel
def _look(packed, norms, rows, own, closest, left, first, last):
    scores = np.empty((4, SAMPLES))
    for b in range(first, last):
        begin = b * SAMPLES
        n = min(SAMPLES, len(norms) - begin)
        for j in range(0, len(rows), 4):
            products(packed[b], n, rows, j, scores)
            for a in range(min(4, len(own) - j)):
                for s in range(n):
                    squared = left.dtype.type((own[j + a] - 2 * scores[a, s]) + norms[begin + s])
                    squared = squared if squared > 0 else left.dtype.type(0)
                    known = closest[begin + s]
                    left[j + a, begin + s] = known if known < squared else squared
