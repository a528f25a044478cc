"""Twin of ``moments_numpy``, compiled: two reads of the data, no temporary array, and the same bits.

Floating-point addition depends on its order, so each kernel keeps the order that NumPy's own reductions have.  Where a row
lies together in memory, rows are added one after another: columns do not wait for each other, so one instruction serves
many of them.  Where a column lies together, it is added in pairs of pairs (Higham, 1993, "The accuracy of floating point
summation"): eight interleaved running sums inside a run of up to 128 numbers, halves of halves above that.

A column never depends on its neighbours: threads share the columns, and any number of threads gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.preprocessing import moments_numpy
from minimal.threads import get_num_threads, run_blocks

Floats = NDArray[np.float64]

kernel = njit(cache=True, nogil=True, error_model="numpy")

ROWS = 256  # in one block: what the first pass may have to read again stays in the second-level cache
SHARED_SIZE = 1 << 18  # numbers below which a second thread costs more than it gives
MIN_COLUMNS = 16  # for one thread: two cache lines of each row
DEEPEST = 64  # no run of numbers can be halved more often


def column_sums(X: NDArray[np.floating]) -> tuple[NDArray[np.int64], Floats]:
    """Twin of ``moments_numpy.column_sums``, same bits."""
    X = _kernel_input(X)
    order = _memory_order(X)
    if order is None:
        return moments_numpy.column_sums(X)
    d = X.shape[1]
    missing, total = np.zeros(d, np.int64), np.zeros(d)
    if order == "rows":
        _share_columns(X, lambda first, last: _sum_rows(X, first, last, missing, total))
    else:
        total = X.sum(axis=0, dtype=np.float64)  # nothing to gain: NumPy's own sum along columns runs at full speed
        if np.isnan(total).any():
            # NumPy converts float32 through a buffer, and adds up one buffer after another.
            run = X.shape[0] if X.dtype == np.float64 else np.getbufsize()
            total[:] = 0.0
            _share_columns(X, lambda first, last: _sum_columns(X.T, first, last, run, missing, total))
    return missing, total


def column_deviations(X: NDArray[np.floating], center: Floats) -> tuple[Floats, Floats]:
    """Twin of ``moments_numpy.column_deviations``, same bits."""
    X = _kernel_input(X)
    order = _memory_order(X)
    if order is None:
        return moments_numpy.column_deviations(X, center)
    off, off2 = np.zeros_like(center), np.zeros_like(center)
    if order == "rows":
        _share_columns(X, lambda first, last: _deviate_rows(X, first, last, center, off, off2))
    else:
        _share_columns(X, lambda first, last: _deviate_columns(X.T, first, last, center, off, off2))
    return off, off2


def weighted_column_sums(X: NDArray[np.floating], weight: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Twin of ``moments_numpy.weighted_column_sums``, equal to rounding."""
    X, weight = _kernel_input(X), weight.astype(np.float64)
    known_weight, total = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    _share_columns(X, lambda first, last: _weigh(X, weight, first, last, known_weight, total))
    return known_weight, total


def weighted_column_deviations(
    X: NDArray[np.floating], weight: NDArray[np.floating], center: Floats
) -> tuple[Floats, Floats]:
    """Twin of ``moments_numpy.weighted_column_deviations``, equal to rounding."""
    X, weight = _kernel_input(X), weight.astype(np.float64)
    off, off2 = np.zeros_like(center), np.zeros_like(center)
    _share_columns(X, lambda first, last: _weigh_deviations(X, weight, first, last, center, off, off2))
    return off, off2


# ---------------------------------------------------------------- who adds what, in which order


def _kernel_input(X: NDArray[np.floating]) -> NDArray[np.floating]:
    """What a kernel can read.  Half precision comes as single precision: the same values, which a processor can add."""
    return X.astype(np.float32) if X.dtype == np.float16 else as_kernel_input(X)


def _memory_order(X: NDArray[np.floating]) -> str | None:
    """The order in which NumPy adds up the columns of X: by "rows" or by "columns"; None if that is hard to foretell."""
    n, d = X.shape
    down, right = map(abs, X.strides)
    if not X.flags.aligned or (n > 1 and down == 0) or (d > 1 and right == 0):
        return None
    return "rows" if d > 1 and down > right else "columns"


def _share_columns(X: NDArray[np.floating], work: Callable[[int, int], None]) -> None:
    """Call ``work(first, last)`` for ranges of columns that cover X, on several threads if X is large enough."""
    d = X.shape[1]
    shares = 1 if X.size < SHARED_SIZE else max(1, min(get_num_threads(), d // MIN_COLUMNS))
    cuts = [d * share // shares for share in range(shares + 1)]
    run_blocks(lambda share: work(cuts[share], cuts[share + 1]), shares)


# ---------------------------------------------------------------- row after row
#
# Four rows at a time, so that a running sum is loaded and stored once for all four.  Column numbers are unsigned: Numba
# need not ask whether they count from the end, and the loop over columns becomes one of vector instructions.


@kernel
def _sum_rows(X, first, last, missing, total):
    """Add rows to the totals of columns ``first`` to ``last``: quickly until a NaN turns up, with care from there on."""
    before = np.empty_like(total)
    careful = False
    for start in range(0, X.shape[0], ROWS):
        stop = min(start + ROWS, X.shape[0])
        full = stop - (stop - start) % 4
        if not careful:
            before[first:last] = total[first:last]
            for i in range(start, full, 4):
                _add(X, i, 4, first, last, total)
            _add(X, full, stop - full, first, last, total)
            careful = np.isnan(total[first:last]).any()
            if careful:
                total[first:last] = before[first:last]
        if careful:
            for i in range(start, full, 4):
                _add_known(X, i, 4, first, last, missing, total)
            _add_known(X, full, stop - full, first, last, missing, total)


@kernel
def _deviate_rows(X, first, last, center, off, off2):
    """off += row - center and off2 += (row - center)**2, for each row."""
    full = X.shape[0] - X.shape[0] % 4
    for i in range(0, full, 4):
        _deviate(X, i, 4, first, last, center, off, off2)
    _deviate(X, full, X.shape[0] - full, first, last, center, off, off2)


@kernel
def _add(X, start, rows, first, last, total):
    """total += row, for a few rows."""
    for j in range(np.uintp(first), np.uintp(last)):
        s = total[j]
        for i in range(rows):
            s += X[start + i, j]
        total[j] = s


@kernel
def _add_known(X, start, rows, first, last, missing, total):
    """The same for data with NaN: they are counted, and zero is added in their place."""
    for j in range(np.uintp(first), np.uintp(last)):
        m, s = missing[j], total[j]
        for i in range(rows):
            x = X[start + i, j]
            m += x != x
            s += x if x == x else 0.0
        missing[j], total[j] = m, s


@kernel
def _deviate(X, start, rows, first, last, center, off, off2):
    """off += row - center and off2 += (row - center)**2, for a few rows; a NaN deviates by zero."""
    for j in range(np.uintp(first), np.uintp(last)):
        c, s, s2 = center[j], off[j], off2[j]
        for i in range(rows):
            x = X[start + i, j] - c
            x = x if x == x else 0.0
            s += x
            s2 += x * x
        off[j], off2[j] = s, s2


# ---------------------------------------------------------------- column after column, in pairs of pairs


@kernel
def _sum_columns(columns, first, last, run, missing, total):
    """Totals of columns with NaN, each in runs of ``run`` numbers; ``columns`` is X.T."""
    n = columns.shape[1]
    lanes, left, right = np.empty((2, 8)), np.empty((DEEPEST, 2)), np.zeros(DEEPEST, np.int64)
    for j in range(first, last):
        column = columns[j]
        for i in range(np.uintp(n)):
            missing[j] += column[i] != column[i]
        for start in range(0, n, run):
            total[j] += _pairwise(column, start, min(run, n - start), 0.0, lanes, left, right)[0]  # x - 0.0 is x


@kernel
def _deviate_columns(columns, first, last, center, off, off2):
    """Sums of deviations and of their squares; ``columns`` is X.T."""
    lanes, left, right = np.empty((2, 8)), np.empty((DEEPEST, 2)), np.zeros(DEEPEST, np.int64)
    for j in range(first, last):
        s, s2 = _pairwise(columns[j], 0, columns.shape[1], center[j], lanes, left, right)
        off[j] += s
        off2[j] += s2


@kernel
def _pairwise(column, start, n, center, lanes, left, right):
    """Sums of (x - center) and (x - center)**2 over n numbers, NaN counting as zero, in NumPy's pairwise order.

    That is a recursion: the sum of a long run is the sum of its left half plus the sum of its right half.  (It is a loop
    because a cached Numba function must not call itself.)  At each depth, ``right`` says how many numbers the right half
    has that waits there, 0 if none does; ``left`` keeps the sums of the left half until the right one is done.
    """
    depth = 0
    while True:
        while n > 128:
            half = n // 2
            half -= half % 8
            depth += 1
            right[depth], n = n - half, half
        s, s2 = _add_lanes(column, np.uintp(start), np.uintp(n), center, lanes)
        start += n
        while depth > 0 and right[depth] == 0:
            s, s2 = left[depth, 0] + s, left[depth, 1] + s2
            depth -= 1
        if depth == 0:
            return s, s2
        left[depth, 0], left[depth, 1] = s, s2
        right[depth], n = 0, right[depth]


@kernel
def _add_lanes(column, start, n, center, lanes):
    """At most 128 numbers: number i goes to lane i % 8, the lanes are added in pairs, then come the last n % 8 numbers."""
    eight = np.uintp(8)
    full = start + n - n % eight
    for lane in range(eight):
        s = s2 = 0.0
        for i in range(start + lane, full, eight):
            x = column[i] - center
            x = x if x == x else 0.0
            s += x
            s2 += x * x
        lanes[0, lane], lanes[1, lane] = s, s2
    a, b = lanes[0], lanes[1]
    s = ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]))
    s2 = ((b[0] + b[1]) + (b[2] + b[3])) + ((b[4] + b[5]) + (b[6] + b[7]))
    for i in range(full, start + n):
        x = column[i] - center
        x = x if x == x else 0.0
        s += x
        s2 += x * x
    return s, s2


# ---------------------------------------------------------------- with weights


@kernel
def _weigh(X, weight, first, last, known_weight, total):
    """known_weight += w and total += w x where x is known, for each row."""
    for i in range(np.uintp(X.shape[0])):
        w = weight[i]
        for j in range(np.uintp(first), np.uintp(last)):
            x = X[i, j]
            known_weight[j] += w if x == x else 0.0
            total[j] += w * x if x == x else 0.0


@kernel
def _weigh_deviations(X, weight, first, last, center, off, off2):
    """off += w (x - center) and off2 += w (x - center)**2 where x is known, for each row."""
    for i in range(np.uintp(X.shape[0])):
        w = weight[i]
        for j in range(np.uintp(first), np.uintp(last)):
            x = X[i, j] - center[j]
            x = x if x == x else 0.0
            off[j] += w * x
            off2[j] += w * x * x
