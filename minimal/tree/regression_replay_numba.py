"""Sort packed words in scikit-learn's order, ties included.

Sums of floating-point numbers depend on their order in the last bit, and the order in which samples of equal value come
out of scikit-learn's introsort depends on every swap on the way.  Where that order shows in a tree, the sort has to be
*replayed*: the same pivots, the same swaps (``simultaneous_sort``, 1.9.1; see :mod:`~minimal.tree.sorting_numba`), but

- Value and sample are one word, key << 32 | sample (:mod:`~minimal.tree.presorted_numba`), so that one move moves both.
- A long stretch is cut without branches: which way an entry goes cannot be guessed, and a wrong guess costs more than
  the cut.
- Where it is known which values will stand in a stretch, because the column has been sorted before, a stretch without ties
  needs no sorting: there is one order only, and it is copied.
"""

from __future__ import annotations

import numpy as np

from minimal.tree.presorted_numba import LOW_HALF, bits_of, key_of
from minimal.tree.splitting_numba import inlined, kernel

HALF = np.uint64(32)
ONE = np.uintp(1)
SMALL = 15  # up to here scikit-learn sorts by insertion
LONG = 400  # from here a cut without branches is quicker
ROOM = 2 * 64


@kernel
def replay(words, start, end, sorted_words, n_ties, aside, waiting):
    """Sort words[start:end] by their keys.

    Parameters
    ----------
    words : ndarray of uint64
        Key and sample; one word behind ``end`` is read.
    sorted_words : ndarray of uint64 of shape (end - start,), or empty
        The same words in any sorted order.
    n_ties : ndarray of int64 of shape (end - start,)
        How many pairs of equal neighbours there are among the first words of ``sorted_words``, up to each.
    aside : ndarray of uint64
        Room for 2 (end - start) + 1 words.
    waiting : ndarray of int64 of shape (ROOM, 3)
        The stretches that are still to be sorted, and how often each may be cut.
    """
    if end - start <= SMALL:
        insertion_sort(words, start, end)
        return
    begin, known = start, len(sorted_words) > 0
    n_waiting, n_cuts = 0, 2 * floor_log2(end - start)
    while True:
        while end - start > SMALL and n_cuts > 0:
            smallest = largest = np.uint64(0)  # of no key
            if known:
                if n_ties[end - 1 - begin] == n_ties[start - begin]:
                    break
                smallest, largest = key_behind(sorted_words[start - begin]), key_behind(sorted_words[end - 1 - begin])
                if smallest == largest:  # cutting would move nothing
                    end = start
                    break
            n_cuts -= 1
            pivot = median_key(words, start, end)
            if pivot == smallest:
                left, right = start, cut_off_large(words, start, end, pivot)
            elif pivot == largest:
                left, right = cut_off_small(words, start, end, pivot, aside), end
            elif end - start < LONG:
                left, right = cut(words, start, end, pivot)
            else:
                left, right = cut_long(words, start, end, pivot, aside)
            waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2] = right, end, n_cuts
            n_waiting += 1
            end = left
        if end - start <= SMALL:
            insertion_sort(words, start, end)
        elif known and n_ties[end - 1 - begin] == n_ties[start - begin]:
            for i in range(start, end):
                words[i] = sorted_words[i - begin]
        else:
            heapsort(words, start, end)
        if n_waiting == 0:
            return
        n_waiting -= 1
        start, end, n_cuts = waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2]


@kernel
def unpack_stretch(words, start, end):
    """Replace the keys of words[start:end] by the values' bits."""
    for i in range(np.uintp(start), np.uintp(end)):
        word = words[i]
        words[i] = np.uint64(bits_of(np.uint32(word >> HALF))) << HALF | word & LOW_HALF


@kernel
def floor_log2(n):
    """The largest k with 2**k <= n."""
    k = 0
    while n > 1:
        n >>= 1
        k += 1
    return k


@kernel
def median_key(words, start, end):
    """The middle one of the first, the middle and the last key."""
    a, b, c = words[start] >> HALF, words[start + (end - start) // 2] >> HALF, words[end - 1] >> HALF
    return max(min(a, b), min(max(a, b), c))


@kernel
def cut(words, start, end, pivot):
    """Swap until [start, left) < pivot, [left, right) = pivot and [right, end) > pivot; returns left and right."""
    i = left = np.uintp(start)
    right = np.uintp(end)
    while i < right:
        word = words[i]
        key = word >> HALF
        if key < pivot:
            words[i], words[left] = words[left], word
            i += ONE
            left += ONE
        elif key > pivot:
            right -= ONE
            words[i], words[right] = words[right], word
        else:
            i += ONE
    return np.int64(left), np.int64(right)


@kernel
def cut_long(words, start, end, pivot, aside):
    """What ``cut`` does, without a branch that depends on the data.

    ``cut`` looks at the next entry from the left, or, after a large one, at the next from the right.  So small ones come to
    stand in the order in which they were seen, large ones in that order from the end, and equal ones, which make way for
    small ones, in a queue whose head goes to its tail whenever a small one is seen.  Both candidates for the next look are
    read before it is known which one it is.
    """
    i = left = np.uintp(start)
    right = np.uintp(end)
    head = tail = np.uintp(0)
    word = words[i]
    while i < right:
        from_left, from_right = words[i + ONE], words[right - ONE]
        key = word >> HALF
        is_large, is_small = np.uintp(key > pivot), np.uintp(key < pivot)
        is_equal = ONE - is_large - is_small
        right -= is_large
        words[right if is_large else left] = word
        turns = is_small & np.uintp(head < tail)
        aside[tail] = word if is_equal else aside[head]
        head += turns
        tail += turns | is_equal
        left += is_small
        i += ONE - is_large
        word = from_right if is_large else from_left
    for k in range(tail - head):
        words[left + k] = aside[head + k]
    return np.int64(left), np.int64(right)


@kernel
def cut_off_large(words, start, end, pivot):
    """What ``cut`` does where no key is smaller than the pivot: returns where the larger ones begin."""
    left, right = np.uintp(start), np.uintp(end)
    word = words[left]
    while left < right:
        ahead, last = words[left + ONE], words[right - ONE]
        is_large = np.uintp(word >> HALF > pivot)
        right -= is_large
        words[right if is_large else left] = word
        left += ONE - is_large
        word = last if is_large else ahead
    return np.int64(right)


@kernel
def cut_off_small(words, start, end, pivot, aside):
    """What ``cut`` does where no key is larger than the pivot: returns where the equal ones begin."""
    left = np.uintp(start)
    head = tail = np.uintp(0)
    for i in range(np.uintp(start), np.uintp(end)):
        word = words[i]
        is_small = np.uintp(word >> HALF < pivot)
        words[left] = word
        aside[tail] = aside[head] if is_small else word
        turns = is_small & np.uintp(head < tail)
        head += turns
        tail += turns | (ONE - is_small)
        left += is_small
    for k in range(tail - head):
        words[left + k] = aside[head + k]
    return np.int64(left)


@inlined
def key_behind(word):
    """The key of the value in the high half of a sorted word."""
    return np.uint64(key_of(np.uint32(word >> HALF)))


@kernel
def insertion_sort(words, start, end):
    """Move each word in front of all with larger keys; equal ones keep their order."""
    for i in range(start + 1, end):
        word = words[i]
        j = i
        while j > start and words[j - 1] >> HALF > word >> HALF:
            words[j] = words[j - 1]
            j -= 1
        words[j] = word


@kernel
def heapsort(words, start, end):
    """Heapify, then move the largest behind the others, one after the other."""
    for root in range((end - start - 2) // 2, -1, -1):
        sink(words, start, end, root)
    for last in range(end - 1, start, -1):
        words[start], words[last] = words[last], words[start]
        sink(words, start, last, 0)


@kernel
def sink(words, start, end, root):
    """Let the word at ``start + root`` sink below its larger children; of two equal children the left one rises."""
    n = end - start
    while True:
        child, largest = 2 * root + 1, root
        if child < n and key_at(words, start + largest) < key_at(words, start + child):
            largest = child
        if child + 1 < n and key_at(words, start + largest) < key_at(words, start + child + 1):
            largest = child + 1
        if largest == root:
            return
        words[start + root], words[start + largest] = words[start + largest], words[start + root]
        root = largest


@inlined
def key_at(words, i):
    """The high half of a word."""
    return words[i] >> HALF
