"""Sort one feature of one node, when the next node will look at other features: ranks, a bitmap, and small sorts.

Keeping every column sorted (:mod:`~minimal.tree.presorted_numba`) pays when every node looks at most of them.  A node of a
random forest looks at a few, drawn ones; it sorts these and nothing else, which a *rank table* makes cheap.  The table is
made from columns sorted once, holds the place of every sample in every column, and does not depend on labels or weights, so
that all trees of a forest read one table.

A large node sorts without comparing.  It marks the places of its samples in a bitmap and leaves each sample's note at its
place; reading the bitmap from its first bit to its last then meets the notes in sorted order.  Where the marks are few and
far between, a second bitmap tells which words of the first one to look at.  A small node counts, for every sample, how many
come before it: more comparisons than another sort makes, but eight at once and none that a processor could guess wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from minimal.threads import run_blocks
from minimal.tree.presorted_numba import LOW_HALF, VALUE, Columns, as_columns, key_of, sort_columns
from minimal.tree.splitting_numba import inlined

SMALL = 24  # up to so many samples are sorted by counting
LANES = 8  # samples that are compared at once
FEATURES_AT_ONCE = 4
SAME = np.float32(1e-7)


class RankTable(NamedTuple):
    """Where every sample stands in every sorted column.

    Attributes
    ----------
    bits : ndarray of uint32 of shape (n_samples, n_features), C order
        X, as the bits of its float32 values.
    rank : ndarray of uint32 of shape (n_features, n_samples)
        The place of each sample in its column.  Samples of equal values share a rank in a dense table, in others not.
    sorted_bits : ndarray of uint32 of shape (n_features, n_samples)
        The values by rank: ``sorted_bits[j, rank[j, i]] = bits[i, j]`` up to the sign of zero.
    n_ranks : ndarray of int64 of shape (n_features,)
    is_apart : ndarray of bool of shape (n_features,)
        Are there neither missing values nor neighbours that count as equal?  Then any two samples differ.
    """

    bits: NDArray[np.uint32]
    rank: NDArray[np.uint32]
    sorted_bits: NDArray[np.uint32]
    n_ranks: NDArray[np.int64]
    is_apart: NDArray[np.bool_]


class Bins(NamedTuple):
    """A node's samples in the order of a feature, those of one value counted together.

    Attributes
    ----------
    value : ndarray of float32
    sums : ndarray of uint64
        Number of samples, weight, and weight of the second class, from the first bin to this one: 21 bits each, from the
        lowest bit up.
    score : ndarray of float64
        For the scan.
    """

    value: NDArray[np.float32]
    sums: NDArray[np.uint64]
    score: NDArray[np.float64]


class Marks(NamedTuple):
    """Room to put places into order.  Both bitmaps are all zeros whenever nothing is being sorted.

    Attributes
    ----------
    bits : ndarray of uint64
        The bitmap of ranks.
    words : ndarray of uint64
        The bitmap of the words in ``bits`` that are not zero.
    places, spots : ndarray of uint32
        The numbers of the bits set in ``bits`` and in ``words``.
    few : ndarray of uint64, before : ndarray of int64
        Of a small node: what is sorted, and how many come before each.
    """

    bits: NDArray[np.uint64]
    words: NDArray[np.uint64]
    places: NDArray[np.uint32]
    spots: NDArray[np.uint32]
    few: NDArray[np.uint64]
    before: NDArray[np.int64]


class ColumnDesk(NamedTuple):
    """Where a tree sorts samples of any kind.

    Attributes
    ----------
    marks : Marks
    column : Columns
        One column of one feature: what a sort gives.
    notes : ndarray of uint32 of shape (n_samples,)
        By rank.
    """

    marks: Marks
    column: Columns
    notes: NDArray[np.uint32]


class BinDesk(NamedTuple):
    """Where a tree sorts samples of two classes into bins.

    Attributes
    ----------
    marks : Marks
    bins : Bins
        What a sort gives.
    slots : ndarray of uint64 of shape (n_samples,)
        By rank: what falls into a bin.  All zeros whenever nothing is being sorted.
    """

    marks: Marks
    bins: Bins
    slots: NDArray[np.uint64]


# ------------------------------------------------------------ in Python: once a forest, once a tree


def make_dense_table(X: NDArray[np.float32], missing: Any = None) -> RankTable:
    """The rank table in which equal values have equal ranks."""
    return make_rank_table(X, missing, is_dense=True)


def make_rank_table(X: NDArray[np.float32], missing: Any = None, is_dense: bool = False) -> RankTable:
    """The rank table of X: 8 bytes a value beside X itself, which is copied only where it is not in C order."""
    X = np.ascontiguousarray(X)
    n_samples, n_features = X.shape
    rank = np.empty((n_features, n_samples), dtype=np.uint32)
    sorted_bits = np.empty((n_features, n_samples), dtype=np.uint32)
    n_ranks = np.empty(n_features, dtype=np.int64)
    is_apart = np.empty(n_features, dtype=np.bool_)

    def rank_some(block: int) -> None:
        some = slice(block * FEATURES_AT_ONCE, (block + 1) * FEATURES_AT_ONCE)
        columns = sort_columns(X[:, some])
        n_ranks[some] = rank_columns(columns.words, rank[some], sorted_bits[some], is_dense)
        is_apart[some] = columns_are_apart(columns.values)

    run_blocks(rank_some, -(-n_features // FEATURES_AT_ONCE))
    return RankTable(X.view(np.uint32), rank, sorted_bits, n_ranks, is_apart)


def new_marks(n_samples: int, n_entries: int) -> Marks:
    """Marks for ``n_samples`` ranks, ``n_entries`` of them in the tree."""
    n_words = n_samples // 64 + 1
    return Marks(
        bits=np.zeros(n_words, dtype=np.uint64),
        words=np.zeros(n_words // 64 + 1, dtype=np.uint64),
        places=np.empty(n_entries + 4, dtype=np.uint32),
        spots=np.empty(n_entries + 4, dtype=np.uint32),
        few=np.zeros(SMALL + LANES, dtype=np.uint64),
        before=np.zeros(SMALL + LANES, dtype=np.int64),
    )


def new_column_desk(n_samples: int, n_entries: int, shift: int) -> ColumnDesk:
    """A desk for :func:`sort_feature`; ``shift`` bits of note stand in a low half."""
    column = as_columns(np.empty((1, n_entries), dtype=np.uint64), shift)
    return ColumnDesk(new_marks(n_samples, n_entries), column, np.empty(n_samples, dtype=np.uint32))


def new_bin_desk(n_samples: int, n_entries: int) -> BinDesk:
    """A desk for :func:`bin_feature`."""
    bins = Bins(np.empty(n_entries, dtype=np.float32), np.empty(n_entries, dtype=np.uint64), np.empty(n_entries))
    return BinDesk(new_marks(n_samples, n_entries), bins, np.zeros(n_samples, dtype=np.uint64))


@njit(cache=True, nogil=True)
def rank_columns(words, rank, sorted_bits, is_dense):
    """Take some rows of a rank table from sorted columns, and return how many ranks there are in each."""
    n_ranks = np.empty(len(words), dtype=np.int64)
    for j in range(len(words)):
        place, before = np.int64(-1), np.uint64(0)
        for i in range(words.shape[1]):
            word = words[j, i]
            bits = word >> np.uint64(32)
            if place < 0 or not is_dense or bits != before:
                place += 1
                sorted_bits[j, place] = bits
            rank[j, np.uintp(word & LOW_HALF)] = place
            before = bits
        n_ranks[j] = place + 1
    return n_ranks


@njit(cache=True, nogil=True)
def columns_are_apart(values):
    """For each sorted column: is nothing missing, and does no value count as equal to the next one?"""
    apart = np.empty(len(values), dtype=np.bool_)
    for j in range(len(values)):
        last = values.shape[1] - 2 + VALUE
        apart[j] = not np.isnan(values[j, last])
        for i in range(VALUE, last, 2):
            apart[j] = apart[j] and not values[j, i + 2] <= values[j, i] + SAME
    return apart


# ------------------------------------------------------------ bits


def _lowest_bit(typing_context: Any, word: Any) -> Any:
    """The number of the lowest bit that is set in a word of 64; 64 if none is."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


def _count_bits(typing_context: Any, word: Any) -> Any:
    """How many bits are set in a word of 64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


lowest_bit: Any = intrinsic(_lowest_bit)
count_bits: Any = intrinsic(_count_bits)


@inlined
def list_bits(word, base, to, n):
    """Write base + the number of each bit of a word to to[n:], and return how far.

    Four at a time, set or not, as a loop that ends at the right one would end at another time for every word; what is
    written too much is overwritten later.
    """
    after = n + np.uintp(count_bits(word))
    while n < after:
        for k in range(np.uintp(4)):
            to[n + k] = np.uint32(base + np.uintp(lowest_bit(word)))
            word &= word - np.uint64(1)
        n += np.uintp(4)
    return after


# ------------------------------------------------------------ places in order


@inlined
def mark(marks, place):
    """Mark a place."""
    marks.bits[np.uintp(place >> np.uint32(6))] |= np.uint64(1) << np.uint64(place & np.uint32(63))


@inlined
def read_marks(table, marks, lows, shift, feature, start, end):
    """List the marked places of a node in ascending order, wipe the marks out, and return how many there were."""
    n_words = np.uintp(table.n_ranks[feature] // 64 + 1)
    if end - start > n_words:
        return read_all_marks(marks, n_words)
    for i in range(start, end):
        place = table.rank[feature, np.uintp(lows[i] >> shift)]
        bit = np.uint64((place >> np.uint32(6)) & np.uint32(63))
        marks.words[np.uintp(place >> np.uint32(12))] |= np.uint64(1) << bit
    return read_few_marks(marks)


@inlined
def read_all_marks(marks, n_words):
    """Read word by word."""
    n = np.uintp(0)
    for i in range(n_words):
        word = marks.bits[i]
        if word != np.uint64(0):
            marks.bits[i] = np.uint64(0)
            n = list_bits(word, i << np.uintp(6), marks.places, n)
    return n


@inlined
def read_few_marks(marks):
    """Look only at the words that are marked themselves, as most others are empty."""
    n_spots = np.uintp(0)
    for i in range(np.uintp(len(marks.words))):
        word = marks.words[i]
        if word != np.uint64(0):
            marks.words[i] = np.uint64(0)
            n_spots = list_bits(word, i << np.uintp(6), marks.spots, n_spots)
    n = np.uintp(0)
    for k in range(n_spots):
        spot = np.uintp(marks.spots[k])
        word = marks.bits[spot]
        marks.bits[spot] = np.uint64(0)
        after = n + np.uintp(count_bits(word))
        while n < after:
            marks.places[n] = np.uint32((spot << np.uintp(6)) + np.uintp(lowest_bit(word)))
            word &= word - np.uint64(1)
            n += np.uintp(1)
    return n


@inlined
def count_before(table, marks, lows, shift, feature, start, n):
    """How many of a few samples come before each of them?  No two are equal: their low halves differ."""
    words, before = marks.few, marks.before
    for i in range(n):
        low = lows[start + i]
        key = key_of(table.bits[np.uintp(low >> shift), feature])
        words[i] = np.uint64(key) << np.uint64(32) | np.uint64(low)
    n_blocks = (n + np.uintp(LANES - 1)) // np.uintp(LANES)
    for i in range(n_blocks * np.uintp(LANES)):
        before[i] = 0
    for j in range(n):
        word = words[j]
        for block in range(n_blocks):
            for lane in range(np.uintp(LANES)):
                other = block * np.uintp(LANES) + lane
                before[other] += np.int64(words[other] > word)


# ------------------------------------------------------------ sorts into a column


@inlined
def sort_feature(table, desk, lows, shift, feature, start, end):
    """Sort the samples [start, end) by a feature into the desk's column, from entry 0 on.

    ``lows`` holds the low halves of entries (see :mod:`~minimal.tree.presorted_numba`), ``shift`` bits of note in each.
    """
    feature, start, end, shift = np.uintp(feature), np.uintp(start), np.uintp(end), np.uint32(shift)
    if end - start <= np.uintp(SMALL):
        sort_small(table, desk, lows, shift, feature, start, end)
    else:
        sort_large(table, desk, lows, shift, feature, start, end)


@inlined
def sort_small(table, desk, lows, shift, feature, start, end):
    column, before = desk.column.words, desk.marks.before
    count_before(table, desk.marks, lows, shift, feature, start, end - start)
    for i in range(end - start):
        low = lows[start + i]
        bits = table.bits[np.uintp(low >> shift), feature]
        column[0, np.uintp(before[i])] = np.uint64(bits) << np.uint64(32) | np.uint64(low)


@inlined
def sort_large(table, desk, lows, shift, feature, start, end):
    notes, column = desk.notes, desk.column.words
    for i in range(start, end):
        low = lows[i]
        place = table.rank[feature, np.uintp(low >> shift)]
        mark(desk.marks, place)
        notes[np.uintp(place)] = low
    for k in range(read_marks(table, desk.marks, lows, shift, feature, start, end)):
        place = np.uintp(desk.marks.places[k])
        column[0, k] = np.uint64(table.sorted_bits[feature, place]) << np.uint64(32) | np.uint64(notes[place])


# ------------------------------------------------------------ sorts into bins


@inlined
def bin_feature(table, desk, lows, shift, feature, start, end):
    """Sort the samples [start, end) of two classes by a feature into the desk's bins, and return how many bins there are.

    The table must be dense, nothing may be missing, and a low half must be ``sample << shift | (weight - 1) << 1 | class``.
    Equal values may still be in different bins; they are neighbours then.
    """
    feature, start, end, shift = np.uintp(feature), np.uintp(start), np.uintp(end), np.uint32(shift)
    if end - start <= np.uintp(SMALL):
        n_bins = bin_small(table, desk, lows, shift, feature, start, end)
    else:
        n_bins = bin_large(table, desk, lows, shift, feature, start, end)
    sums, total = desk.bins.sums, np.uint64(0)
    for k in range(n_bins):
        total += sums[k]
        sums[k] = total
    return np.int64(n_bins)


@inlined
def bin_small(table, desk, lows, shift, feature, start, end):
    """A bin a sample."""
    sums, value_bits, before = desk.bins.sums, desk.bins.value.view(np.uint32), desk.marks.before
    count_before(table, desk.marks, lows, shift, feature, start, end - start)
    for i in range(end - start):
        low, place = lows[start + i], np.uintp(before[i])
        value_bits[place] = table.bits[np.uintp(low >> shift), feature]
        sums[place] = as_sums(low, shift)
    return end - start


@inlined
def bin_large(table, desk, lows, shift, feature, start, end):
    """A bin a rank."""
    slots, sums, value_bits = desk.slots, desk.bins.sums, desk.bins.value.view(np.uint32)
    for i in range(start, end):
        low = lows[i]
        place = table.rank[feature, np.uintp(low >> shift)]
        mark(desk.marks, place)
        slots[np.uintp(place)] += as_sums(low, shift)
    n_bins = read_marks(table, desk.marks, lows, shift, feature, start, end)
    for k in range(n_bins):
        place = np.uintp(desk.marks.places[k])
        value_bits[k] = table.sorted_bits[feature, place]
        sums[k] = slots[place]
        slots[place] = np.uint64(0)
    return n_bins


@inlined
def as_sums(low, shift):
    """What one sample adds to the sums of :class:`Bins`."""
    weight = np.uint64((low & ((np.uint32(1) << shift) - np.uint32(1))) >> np.uint32(1)) + np.uint64(1)
    return np.uint64(1) | weight << np.uint64(21) | (weight * np.uint64(low & np.uint32(1))) << np.uint64(42)
