"""A binary heap of nodes, the largest gain on top, for best-first growth.

Which of two equal gains comes out first is part of the tree, so the heap moves its entries as the C++ standard library's
``push_heap`` and ``pop_heap`` (libstdc++) do: a new entry rises while it is strictly larger than its parent; to take the top
away, the hole it leaves sinks to the bottom along the larger children (of two equal ones the right), and the last entry
rises from there.
"""

from __future__ import annotations

from minimal.tree.splitting_numba import kernel


@kernel
def rise(gain, node, hole, new_gain, new_node):
    """Put an entry into the hole, or higher up, below the first parent that is not smaller."""
    parent = (hole - 1) // 2
    while hole > 0 and gain[parent] < new_gain:
        gain[hole], node[hole] = gain[parent], node[parent]
        hole = parent
        parent = (hole - 1) // 2
    gain[hole], node[hole] = new_gain, new_node


@kernel
def push(gain, node, size, new_gain, new_node):
    """Add an entry to a heap of this size; there must be room."""
    rise(gain, node, size, new_gain, new_node)


@kernel
def pop(gain, node, size):
    """Take away the largest entry of a heap of this size, at least 1, and return its node."""
    top = node[0]
    last = size - 1
    hole, child = 0, 2
    while child < last:
        if gain[child] < gain[child - 1]:
            child -= 1
        gain[hole], node[hole] = gain[child], node[child]
        hole, child = child, 2 * child + 2
    if child == last:  # the hole has a left child alone
        child -= 1
        gain[hole], node[hole] = gain[child], node[child]
        hole = child
    rise(gain, node, hole, gain[last], node[last])
    return top
