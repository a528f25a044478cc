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

from minimal.preprocessing import moments_numpy
from minimal.threads import get_num_threads, run_blocks

Floats = NDArray[np.float64]

kernel = njit(cache=True, nogil=True, error_model="numpy")

ROWS = 256  # in one block: what the first pass may have to read again stays in the second-level cache
SHARED_SIZE = 1 << 18  # numbers below which a second thread costs more than it gives
MIN_COLUMNS = 16  # for one thread: two cache lines of each row


def column_sums(X: NDArray[np.floating]) -> tuple[NDArray[np.int64], Floats]:
    """Twin of ``moments_numpy.column_sums``, same bits."""
    order = _memory_order(X)
    if order is None:
        return moments_numpy.column_sums(X)
    d = X.shape[1]
    missing, total = np.zeros(d, np.int64), np.zeros(d)
    if order == "rows":
        _share_columns(X, lambda first, last: _sum_rows(X, first, last, missing, total))
    else:
        # NumPy converts float32 through a buffer, and adds up one buffer after another.
        run = X.shape[0] if X.dtype == np.float64 else np.getbufsize()
        _share_columns(X, lambda first, last: _sum_columns(X.T, first, last, run, missing, total))
    return missing, total


def column_deviations(X: NDArray[np.floating], center: Floats) -> tuple[Floats, Floats]:
    """Twin of ``moments_numpy.column_deviations``, same bits."""
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
    known_weight, total = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    _share_columns(X, lambda first, last: _weigh(X, weight, first, last, known_weight, total))
    return known_weight, total


def weighted_column_deviations(
    X: NDArray[np.floating], weight: NDArray[np.floating], center: Floats
) -> tuple[Floats, Floats]:
    """Twin of ``moments_numpy.weighted_column_deviations``, equal to rounding."""
    off, off2 = np.zeros_like(center), np.zeros_like(center)
    _share_columns(X, lambda first, last: _weigh_deviations(X, weight, center, first, last, off, off2))
    return off, off2


# ---------------------------------------------------------------- who adds what, in which order


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


@kernel
def _sum_rows(X, first, last, missing, total):
    """Add rows to the totals of columns ``first`` to ``last``, quickly until a NaN turns up, with care from there on."""
    before = np.empty_like(total)
    careful = False
    for start in range(0, X.shape[0], ROWS):
        stop = min(start + ROWS, X.shape[0])
        if not careful:
            before[first:last] = total[first:last]
            _add_rows(X, start, stop, first, last, total)
            for j in range(first, last):
                careful |= np.isnan(total[j])
            if careful:
                total[first:last] = before[first:last]
        if careful:
            _add_known(X, start, stop, first, last, missing, total)


@kernel
def _add_rows(X, start, stop, first, last, total):
    """total += row, for each row; four rows at a time, so that a total is loaded and stored once for all four."""
    i = start
    while i + 4 <= stop:
        for j in range(first, last):
            total[j] = (((total[j] + X[i, j]) + X[i + 1, j]) + X[i + 2, j]) + X[i + 3, j]
        i += 4
    while i < stop:
        for j in range(first, last):
            total[j] += X[i, j]
        i += 1


@kernel
def _add_known(X, start, stop, first, last, missing, total):
    """The same for data with NaN: they are counted, and zero is added in their place."""
    for i in range(start, stop):
        for j in range(first, last):
            x = X[i, j]
            missing[j] += x != x
            total[j] += x if x == x else 0.0


@kernel
def _deviate_rows(X, first, last, center, off, off2):
    """off += row - center and off2 += (row - center)**2, for each row; four at a time as above."""
    n = X.shape[0]
    for start in range(0, n - 3, 4):
        for j in range(first, last):
            c, s, s2 = center[j], off[j], off2[j]
            for i in range(4):
                x = X[start + i, j] - c
                x = x if x == x else 0.0
                s += x
                s2 += x * x
            off[j], off2[j] = s, s2
    for i in range(n - n % 4, n):
        for j in range(first, last):
            x = X[i, j] - center[j]
            x = x if x == x else 0.0
            off[j] += x
            off2[j] += x * x


# ---------------------------------------------------------------- column after column, in pairs of pairs


@kernel
def _sum_columns(columns, first, last, run, missing, total):
    """Totals of columns, each in runs of ``run`` numbers; ``columns`` is X.T."""
    n = columns.shape[1]
    lanes = np.empty((2, 8))
    for j in range(first, last):
        column = columns[j]
        for i in range(n):
            missing[j] += column[i] != column[i]
        for start in range(0, n, run):
            total[j] += _pairwise(column[start : start + run], 0.0, lanes)[0]  # x - 0.0 is x


@kernel
def _deviate_columns(columns, first, last, center, off, off2):
    """Sums of deviations and of their squares; ``columns`` is X.T."""
    lanes = np.empty((2, 8))
    for j in range(first, last):
        s, s2 = _pairwise(columns[j], center[j], lanes)
        off[j] += s
        off2[j] += s2


@kernel
def _pairwise(values, center, lanes):
    """Sums of (v - center) and of (v - center)**2, where NaN counts as zero, in NumPy's pairwise order."""
    n = len(values)
    if n <= 128:
        return _add_lanes(values, center, lanes)
    half = n // 2
    half -= half % 8
    s, s2 = _pairwise(values[:half], center, lanes)
    t, t2 = _pairwise(values[half:], center, lanes)
    return s + t, s2 + t2


@kernel
def _add_lanes(values, center, lanes):
    """At most 128 numbers: number i goes to lane i % 8, the lanes are added in pairs, then come the last n % 8 numbers."""
    n = len(values)
    full = n - n % 8
    s = s2 = 0.0
    if full:
        lanes[:] = 0.0
        for start in range(0, full, 8):
            for lane in range(8):
                x = values[start + lane] - center
                x = x if x == x else 0.0
                lanes[0, lane] += x
                lanes[1, lane] += x * x
        a, b = lanes[0], lanes[1]
        s = ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]))
        s2 = ((b[0] + b[1]) + (b[2] + b[3])) + ((b[4] + b[5]) + (b[6] + b[7]))
    for i in range(full, n):
        x = values[i] - center
        x = x if x == x else 0.0
        s += x
        s2 += x * x
    return s, s2


# ---------------------------------------------------------------- with weights


@kernel
def _weigh(X, weight, first, last, known_weight, total):
    """known_weight += w and total += w x where x is known; in blocks of rows, which suits either memory order."""
    n = X.shape[0]
    for start in range(0, n, ROWS):
        for j in range(first, last):
            s = s_w = 0.0
            for i in range(start, min(start + ROWS, n)):
                x = X[i, j]
                known = x == x
                s_w += weight[i] if known else 0.0
                s += np.float64(weight[i]) * x if known else 0.0
            known_weight[j] += s_w
            total[j] += s


@kernel
def _weigh_deviations(X, weight, center, first, last, off, off2):
    """off += w (x - center) and off2 += w (x - center)**2 where x is known; in blocks of rows."""
    n = X.shape[0]
    for start in range(0, n, ROWS):
        for j in range(first, last):
            c = center[j]
            s = s2 = 0.0
            for i in range(start, min(start + ROWS, n)):
                x = X[i, j] - c
                x = x if x == x else 0.0
                s += weight[i] * x
                s2 += weight[i] * x * x
            off[j] += s
            off2[j] += s2
