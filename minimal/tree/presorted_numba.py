"""Columns sorted once for the whole tree: what the fast splitters of dense data have in common.

Sorting the samples of every node again costs n log n a node and feature.  Here each column is sorted once, at the root, and
every split only *partitions* it: the samples of the left child move to the front, those of the right child behind them, and
both keep their order, so that both are sorted already (SLIQ: Mehta, Agrawal & Rissanen, 1996).

One entry of a column is one 64-bit word,

    high half: the value, as the bits of a float32          low half: sample << shift | note

where the note is whatever a splitter wants at hand when it meets a sample (its class, say), ``shift`` bits of it.  A scan of
a sorted column thus reads one stream of memory.  While they are sorted, the high halves hold the values' *keys*: integers
in the same order as the values, -0.0 equal to 0.0 and every NaN last.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.threads import run_blocks
from minimal.tree.splitting_numba import door

VALUE = 1 if sys.byteorder == "little" else 0  # which half of a word is the high one
LOW_HALF = np.uint64(0xFFFFFFFF)
FEATURES_AT_ONCE = 4  # neighbours in a row of X share its cache lines ...
ROWS_AT_ONCE = 256  # ... which stay in the first cache for as many rows
WORTH_A_THREAD = 100_000  # entries: fewer are sorted before another thread has begun


class Columns(NamedTuple):
    """Sorted columns.  The entries ``[start, end)`` of every row belong to one node, sorted by the row's feature.

    Attributes
    ----------
    words : ndarray of uint64 of shape (n_features, n_entries)
    values : ndarray of float32 of shape (n_features, 2 * n_entries)
        The same memory: the value of entry i stands at ``[feature, 2 * i + VALUE]``.  NaN stands last.
    shift : int
        How many bits of note stand below the sample's number.
    """

    words: NDArray[np.uint64]
    values: NDArray[np.float32]
    shift: int


def fits(n_samples: int, shift: int) -> bool:
    """Whether the number of a sample and ``shift`` bits of note fit into half a word."""
    return n_samples << shift <= 2**32


def sort_columns(
    X: NDArray[np.float32],
    samples: NDArray[np.int64] | None = None,
    notes: NDArray[np.uint32] | None = None,
    shift: int = 0,
) -> Columns:
    """Sort every column of X.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_samples, n_features), in any memory order
        NaN may be anywhere, infinity nowhere.
    samples : ndarray of int64 of shape (n_entries,), optional
        The rows to take.  Default: all of them.
    notes : ndarray of uint32 of shape (n_samples,), optional
        Each below ``2**shift``.  Default: zeros.
    shift : int
        See :func:`fits`.

    Returns
    -------
    Columns
        8 bytes an entry.  Equal values are in the order of their samples.

    Cost: n_features * n log n, shared among threads.
    """
    n_samples, n_features = X.shape
    if samples is None:
        samples = np.arange(n_samples)
    low = (samples << shift).astype(np.uint32)
    if notes is not None:
        low |= notes[samples]
    words = np.empty((n_features, len(samples)), np.uint64)
    bits = X.view(np.uint32)

    def sort_some(block: int) -> None:
        first = block * FEATURES_AT_ONCE
        some = words[first : first + FEATURES_AT_ONCE]
        pack(bits, samples, low, first, some)
        some.sort(axis=1)
        unpack(some)

    run_blocks(sort_some, -(-n_features // FEATURES_AT_ONCE), None if words.size >= WORTH_A_THREAD else 1)
    return as_columns(words, shift)


def as_columns(words: NDArray[np.uint64], shift: int) -> Columns:
    return Columns(words, words.view(np.float32), shift)


def choose_entries(
    columns: Columns, notes: NDArray[np.uint32], wanted: NDArray[np.bool_], n_wanted: int, shift: int
) -> Columns:
    """Some of the samples of sorted columns, with notes: what one tree of a forest takes from what all of them share.

    Parameters
    ----------
    columns : Columns
        Without notes (``shift=0``); they stay as they are.
    notes : ndarray of uint32 of shape (n_samples,)
    wanted : ndarray of bool of shape (n_samples,)
    n_wanted : int
        How many are wanted.
    shift : int

    Returns
    -------
    Columns
        The same as ``sort_columns(X, np.flatnonzero(wanted), notes, shift)``, without sorting.
    """
    n_features = len(columns.words)
    words = np.empty((n_features, n_wanted), np.uint64)

    def choose(feature: int) -> None:
        choose_in_column(columns.words, notes, wanted, shift, feature, words)

    run_blocks(choose, n_features, None if words.size >= WORTH_A_THREAD else 1)
    return as_columns(words, shift)


@door
def pack(bits, samples, low, first, words):
    """words[j, i] = key of X[samples[i], first + j] << 32 | low[i], where ``bits`` are those of X."""
    for begin in range(0, len(samples), ROWS_AT_ONCE):
        for j in range(len(words)):
            for i in range(begin, min(begin + ROWS_AT_ONCE, len(samples))):
                words[j, i] = np.uint64(key_of(bits[samples[i], first + j])) << np.uint64(32) | np.uint64(low[i])


@door
def unpack(words):
    """Replace the keys in the high halves by the values' bits."""
    for j in range(len(words)):
        for i in range(words.shape[1]):
            word = words[j, i]
            words[j, i] = np.uint64(bits_of(np.uint32(word >> np.uint64(32)))) << np.uint64(32) | word & LOW_HALF


@door
def key_of(bits):
    """An integer that orders float32 values by their bits: negative ones turn around, -0.0 is 0.0, every NaN is last."""
    sign, magnitude = bits & np.uint32(0x80000000), bits & np.uint32(0x7FFFFFFF)
    key = ~bits if sign != 0 and magnitude != 0 else magnitude | np.uint32(0x80000000)
    return np.uint32(0xFFFFFFFF) if magnitude > np.uint32(0x7F800000) else np.uint32(key)


@door
def bits_of(key):
    """The inverse of ``key_of``; every NaN becomes the same one, and -0.0 has become 0.0."""
    return np.uint32(key & np.uint32(0x7FFFFFFF)) if key >= np.uint32(0x80000000) else np.uint32(~key)


@door
def choose_in_column(shared, notes, wanted, shift, feature, words):
    """One column of ``choose_entries``.  No branch depends on the data: an unwanted entry is overwritten by the next one."""
    n, i = np.uintp(0), np.uintp(0)
    while n < np.uintp(words.shape[1]):
        word = shared[feature, i]
        sample = np.uintp(word & LOW_HALF)
        words[feature, n] = word & ~LOW_HALF | np.uint64(sample) << np.uint64(shift) | np.uint64(notes[sample])
        n += np.uintp(wanted[sample])
        i += np.uintp(1)


@door
def count_missing(values, feature, start, end):
    """How many NaN stand at the end of the entries [start, end) of a column: bisection."""
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if np.isnan(values[feature, 2 * middle + VALUE]):
            high = middle
        else:
            low = middle + 1
    return end - low


@door
def mark_sides(columns, feature, start, end, split, n_missing_left, is_left):
    """Note for each sample of a node on which side of a split it goes.

    The entries [start, split) of the column go left; so do its last ``n_missing_left`` ones, its missing values.
    ``is_left`` of shape (n_samples,) and dtype uint8 is written for the node's samples only.
    """
    words, shift = columns.words, np.uint64(columns.shift)
    for i in range(start, end):
        is_left[np.uintp((words[feature, i] & LOW_HALF) >> shift)] = i < split or i >= end - n_missing_left


@door
def partition(columns, feature, start, end, is_left, spare):
    """Bring the left child's entries of a column to the front, both sides in their old order.

    ``spare`` is a row of at least ``end - start`` words.  No branch depends on the data.
    """
    words, shift = columns.words, np.uint64(columns.shift)
    left, right = np.uintp(start), np.uintp(0)
    for i in range(np.uintp(start), np.uintp(end)):
        word = words[feature, i]
        goes_left = np.uintp(is_left[np.uintp((word & LOW_HALF) >> shift)])
        words[feature, left] = word
        spare[right] = word
        left += goes_left
        right += np.uintp(1) - goes_left
    for i in range(right):
        words[feature, left + i] = spare[i]


@door
def gather_left(columns, feature, start, end, is_left):
    """Like ``partition``, where only the left child will be looked at again: its entries are in place, the rest is not."""
    words, shift = columns.words, np.uint64(columns.shift)
    left = np.uintp(start)
    for i in range(np.uintp(start), np.uintp(end)):
        word = words[feature, i]
        words[feature, left] = word
        left += np.uintp(is_left[np.uintp((word & LOW_HALF) >> shift)])


@door
def gather_right(columns, feature, start, end, is_left):
    """Like ``partition``, where only the right child will be looked at again."""
    words, shift = columns.words, np.uint64(columns.shift)
    right = np.uintp(end)
    for i in range(np.uintp(end), np.uintp(start), -1):
        word = words[feature, i - np.uintp(1)]
        words[feature, right - np.uintp(1)] = word
        right -= np.uintp(1) - np.uintp(is_left[np.uintp((word & LOW_HALF) >> shift)])
