"""A binary heap of (gain, node), the largest gain on top, for best-first growth.

Which of two equal gains comes out first is part of the tree, so the heap moves its entries as the C++ standard library does:
a new entry rises while it is strictly larger than its parent; to take the top away, the hole that it leaves sinks to the
bottom along the larger children (of two equal ones the right), and the last entry rises from there.
"""

from __future__ import annotations

Entry = tuple[float, int]


def push(heap: list[Entry], entry: Entry) -> None:
    """Add an entry."""
    heap.append(entry)
    _rise(heap, len(heap) - 1, entry)


def pop(heap: list[Entry]) -> int:
    """Take the largest entry away, and return its node."""
    (_, top), last = heap[0], heap.pop()
    n, hole = len(heap), 0
    while 2 * hole + 1 < n:
        left, right = 2 * hole + 1, 2 * hole + 2
        larger = left if right >= n or heap[right][0] < heap[left][0] else right
        heap[hole], hole = heap[larger], larger
    if n:
        _rise(heap, hole, last)
    return top


def _rise(heap: list[Entry], hole: int, entry: Entry) -> None:
    """Put an entry into the hole, or higher up, below the first parent that is not smaller."""
    while hole > 0 and heap[(hole - 1) // 2][0] < entry[0]:
        heap[hole] = heap[(hole - 1) // 2]
        hole = (hole - 1) // 2
    heap[hole] = entry
