"""Where to draw the nodes of a binary tree: as narrow as it can be, parents centred, equal subtrees drawn equally.

Each subtree is laid out by itself; then the right one is moved until, on every level, it is one unit clear of the left one.
For that only the outlines matter: how far each subtree reaches to the left and to the right on each level.

Source: Reingold & Tilford, "Tidier Drawings of Trees", 1981.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minimal.tree.growth import LEAF


def tidy_positions(children_left: NDArray[np.int64], children_right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Horizontal positions of the nodes, the leftmost at 0; neighbours on a level are at least 1 apart.

    Parameters
    ----------
    children_left, children_right : ndarray of int64 of shape (n_nodes,)
        Children come after their parent; ``LEAF`` for none.

    Returns
    -------
    ndarray of float64 of shape (n_nodes,)

    Notes
    -----
    Cost: O(n_nodes * depth).
    """
    n_nodes = len(children_left)
    offset = np.zeros(n_nodes)  # of a node from its parent
    reach: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}  # outlines, relative to the subtree's root
    for node in reversed(range(n_nodes)):
        left, right = children_left[node], children_right[node]
        if left == LEAF:
            reach[node] = (np.zeros(1), np.zeros(1))
            continue
        (outer_left, inner_left), (inner_right, outer_right) = reach.pop(left), reach.pop(right)
        shared = min(len(inner_left), len(inner_right))
        half = max(1.0, (inner_left[:shared] - inner_right[:shared]).max() + 1.0) / 2
        offset[left], offset[right] = -half, half
        leftmost = np.r_[0.0, _outline(outer_left - half, inner_right + half)]
        rightmost = np.r_[0.0, _outline(outer_right + half, inner_left - half)]
        reach[node] = (leftmost, rightmost)
    x = np.zeros(n_nodes)
    for node in range(n_nodes):
        for child in (children_left[node], children_right[node]):
            if child != LEAF:
                x[child] = x[node] + offset[child]
    return x - x.min()


def _outline(outer: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The outer subtree's outline, and below its last level the other one's."""
    return np.r_[outer, other[len(outer) :]]
