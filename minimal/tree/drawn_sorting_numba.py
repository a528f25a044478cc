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
from minimal.tree.splitting_numba import inlined, kernel

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
        The place of each sample in its column; equal values have different ranks.
    sorted_bits : ndarray of uint32 of shape (n_features, n_samples)
        The sorted columns: ``sorted_bits[j, rank[j, i]] = bits[i, j]`` up to the sign of zero.
    is_apart : ndarray of bool of shape (n_features,)
        Are there neither missing values nor neighbours that count as equal?  Then any two samples differ.
    """

    bits: NDArray[np.uint32]
    rank: NDArray[np.uint32]
    sorted_bits: NDArray[np.uint32]
    is_apart: NDArray[np.bool_]


class Desk(NamedTuple):
    """Room to sort in, for one tree.  Both bitmaps are all zeros whenever nothing is being sorted.

    Attributes
    ----------
    column : Columns
        One column of one feature: what a sort gives.
    marks : ndarray of uint64
        The bitmap of ranks.
    marked : ndarray of uint64
        The bitmap of the words in ``marks`` that are not zero.
    places, spots : ndarray of uint32
        The numbers of the bits set in ``marks`` and in ``marked``.
    notes : ndarray of uint32 of shape (n_samples,)
        By rank.
    words : ndarray of uint64, before : ndarray of int64
        Of a small node: what is sorted, and how many come before each.
    """

    column: Columns
    marks: NDArray[np.uint64]
    marked: NDArray[np.uint64]
    places: NDArray[np.uint32]
    spots: NDArray[np.uint32]
    notes: NDArray[np.uint32]
    words: NDArray[np.uint64]
    before: NDArray[np.int64]


# ------------------------------------------------------------ in Python: once a forest, once a tree


def make_rank_table(X: NDArray[np.float32], missing: Any = None) -> RankTable:
    """The rank table of X: 8 bytes a value beside X itself, which is copied only where it is not in C order."""
    X = np.ascontiguousarray(X)
    n_samples, n_features = X.shape
    rank = np.empty((n_features, n_samples), dtype=np.uint32)
    sorted_bits = np.empty((n_features, n_samples), dtype=np.uint32)
    is_apart = np.empty(n_features, dtype=np.bool_)

    def rank_some(block: int) -> None:
        some = slice(block * FEATURES_AT_ONCE, (block + 1) * FEATURES_AT_ONCE)
        columns = sort_columns(X[:, some])
        rank_columns(columns.words, columns.values, rank[some], sorted_bits[some], is_apart[some])

    run_blocks(rank_some, -(-n_features // FEATURES_AT_ONCE))
    return RankTable(X.view(np.uint32), rank, sorted_bits, is_apart)


def new_desk(n_samples: int, n_entries: int) -> Desk:
    """A desk for ``n_samples`` ranks, ``n_entries`` of them in the tree."""
    n_words = n_samples // 64 + 1
    return Desk(
        column=as_columns(np.empty((1, n_entries), dtype=np.uint64), 0),
        marks=np.zeros(n_words, dtype=np.uint64),
        marked=np.zeros(n_words // 64 + 1, dtype=np.uint64),
        places=np.empty(n_entries + 4, dtype=np.uint32),
        spots=np.empty(n_entries + 4, dtype=np.uint32),
        notes=np.empty(n_samples, dtype=np.uint32),
        words=np.zeros(SMALL + LANES, dtype=np.uint64),
        before=np.zeros(SMALL + LANES, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def rank_columns(words, values, rank, sorted_bits, is_apart):
    """Take the rows of a rank table from sorted columns."""
    for j in range(words.shape[0]):
        n = words.shape[1]
        for i in range(n):
            word = words[j, i]
            rank[j, np.uintp(word & LOW_HALF)] = i
            sorted_bits[j, i] = word >> np.uint64(32)
        is_apart[j] = not np.isnan(values[j, 2 * (n - 1) + VALUE])
        for i in range(1, n):
            low, high = values[j, 2 * i - 2 + VALUE], values[j, 2 * i + VALUE]
            is_apart[j] = is_apart[j] and not high <= low + SAME


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


# ------------------------------------------------------------ sorts


@kernel
def sort_feature(table, desk, lows, shift, feature, start, end):
    """Sort the samples [start, end) by a feature into the desk's column, from entry 0 on.

    ``lows`` holds the low halves of entries (see :mod:`~minimal.tree.presorted_numba`), ``shift`` bits of note in each.
    """
    if end - start <= SMALL:
        sort_small(table, desk, lows, shift, feature, start, end)
    else:
        sort_large(table, desk, lows, shift, feature, start, end)


@kernel
def sort_large(table, desk, lows, shift, feature, start, end):
    """Mark, then read the marks."""
    rank, marks, notes, column = table.rank, desk.marks, desk.notes, desk.column.words
    feature, start, end, shift = np.uintp(feature), np.uintp(start), np.uintp(end), np.uint32(shift)
    for i in range(start, end):
        low = lows[i]
        place = rank[feature, np.uintp(low >> shift)]
        marks[np.uintp(place >> np.uint32(6))] |= np.uint64(1) << np.uint64(place & np.uint32(63))
        notes[np.uintp(place)] = low
    if end - start > np.uintp(len(marks)):
        read_all_marks(desk)
    else:
        mark_words(table, desk, lows, shift, feature, start, end)
        read_few_marks(desk)
    for k in range(end - start):
        place = np.uintp(desk.places[k])
        column[0, k] = np.uint64(table.sorted_bits[feature, place]) << np.uint64(32) | np.uint64(notes[place])


@inlined
def read_all_marks(desk):
    """List the marks, word by word, and wipe them out."""
    n: Any = np.uintp(0)
    for i in range(np.uintp(len(desk.marks))):
        word = desk.marks[i]
        if word != np.uint64(0):
            desk.marks[i] = np.uint64(0)
            n = list_bits(word, i << np.uintp(6), desk.places, n)


@inlined
def mark_words(table, desk, lows, shift, feature, start, end):
    """Mark the words in which there are marks."""
    for i in range(start, end):
        place = table.rank[feature, np.uintp(lows[i] >> shift)]
        bit = np.uint64((place >> np.uint32(6)) & np.uint32(63))
        desk.marked[np.uintp(place >> np.uint32(12))] |= np.uint64(1) << bit


@inlined
def read_few_marks(desk):
    """The same as ``read_all_marks`` where most words are empty: look only at those that ``marked`` names."""
    n_spots = np.uintp(0)
    for i in range(np.uintp(len(desk.marked))):
        word = desk.marked[i]
        if word != np.uint64(0):
            desk.marked[i] = np.uint64(0)
            n_spots = list_bits(word, i << np.uintp(6), desk.spots, n_spots)
    n: Any = np.uintp(0)
    for k in range(n_spots):
        i = np.uintp(desk.spots[k])
        word = desk.marks[i]
        desk.marks[i] = np.uint64(0)
        after = n + np.uintp(count_bits(word))
        while n < after:
            desk.places[n] = np.uint32((i << np.uintp(6)) + np.uintp(lowest_bit(word)))
            word &= word - np.uint64(1)
            n += np.uintp(1)


@kernel
def sort_small(table, desk, lows, shift, feature, start, end):
    """Put each sample behind those that come before it; two samples' words always differ, as their low halves do."""
    words, before, column = desk.words, desk.before, desk.column.words
    feature, start, shift = np.uintp(feature), np.uintp(start), np.uint32(shift)
    n = np.uintp(end) - start
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
                i = block * np.uintp(LANES) + lane
                before[i] += np.int64(words[i] > word)
    for i in range(n):
        low = lows[start + i]
        bits = table.bits[np.uintp(low >> shift), feature]
        column[0, np.uintp(before[i])] = np.uint64(bits) << np.uint64(32) | np.uint64(low)
