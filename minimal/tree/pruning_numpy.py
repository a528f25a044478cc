"""Collapsing the weakest branch of a tree, again and again: the loop, to read.  ``pruning`` tells what it is for.

The same text is compiled by ``pruning_numba``, so it works on one number at a time; here it runs in plain Python, on lists.

Every inner node has a strength; the weakest one is to be found quickly although a collapse changes the strengths of all nodes
above it.  The nodes therefore play a tournament, two by two: ``winner[1]`` is the weakest of all, ``winner[i]`` the weaker of
``winner[2 * i]`` and ``winner[2 * i + 1]``, and of two equal ones the one with the smaller number.  A node whose strength has
changed replays its own matches only, and stops as soon as an old winner wins again.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from minimal.tree.growth import LEAF


class Branches(NamedTuple):
    """The state of the pruning: one entry a node in arrays (or lists), changed in place.

    Attributes
    ----------
    left, right, parent : int
        -1 for none.
    risk : float
        What the node would contribute to the total impurity as a leaf.
    branch_risk : float
        What the leaves below it contribute now.
    n_leaves : int
        How many they are; 0 for a leaf.
    strength : float
        What each of its leaves but one saves, (risk - branch_risk) / (n_leaves - 1); infinite for leaves and nodes cut off.
    is_cut : bool
        Whether the node has been cut off.
    winner : int
        The tournament, of twice the length.
    stack : int
        Room for nodes to visit.
    """

    left: Any
    right: Any
    parent: Any
    risk: Any
    branch_risk: Any
    n_leaves: Any
    strength: Any
    is_cut: Any
    winner: Any
    stack: Any


def count_leaves(tree: Branches) -> None:
    """Add each leaf's risk to all nodes above it, leaf by leaf in the order of their numbers, which sets the rounding."""
    for leaf in range(len(tree.left)):
        if tree.left[leaf] != LEAF:
            continue
        tree.branch_risk[leaf] = tree.risk[leaf]
        node = tree.parent[leaf]
        while node != LEAF:
            tree.branch_risk[node] += tree.risk[leaf]
            tree.n_leaves[node] += 1
            node = tree.parent[node]


def set_strength(tree: Branches, node: int) -> None:
    tree.strength[node] = (tree.risk[node] - tree.branch_risk[node]) / (tree.n_leaves[node] - 1)


def weaker(tree: Branches, match: int) -> int:
    """Who wins a match of the tournament."""
    first, second = tree.winner[2 * match], tree.winner[2 * match + 1]
    return second if tree.strength[second] < tree.strength[first] else first


def begin(tree: Branches) -> None:
    """Set all strengths and play the whole tournament."""
    n = len(tree.left)
    for node in range(n):
        tree.strength[node] = inf
        if tree.left[node] != LEAF:
            set_strength(tree, node)
    size = len(tree.winner) // 2
    for place in range(size):
        tree.winner[size + place] = min(place, n - 1)
    for match in range(size - 1, 0, -1):
        tree.winner[match] = weaker(tree, match)


def replay(tree: Branches, node: int) -> None:
    """Play the matches of a node whose strength has changed."""
    match = (len(tree.winner) // 2 + node) // 2
    while match > 0:
        best = weaker(tree, match)
        if best == tree.winner[match] and best != node:
            return
        tree.winner[match] = best
        match //= 2


def cut_below(tree: Branches, top: int) -> int:
    """Make ``top`` a leaf and cut off all nodes below it; how many."""
    tree.strength[top] = inf
    replay(tree, top)
    tree.stack[0], tree.stack[1] = tree.left[top], tree.right[top]
    n_cut, height = 0, 2
    while height > 0:
        height -= 1
        node = tree.stack[height]
        if tree.is_cut[node]:
            continue
        tree.is_cut[node] = True
        n_cut += 1
        if tree.strength[node] != inf:
            tree.strength[node] = inf
            replay(tree, node)
        if tree.left[node] != LEAF:
            tree.stack[height], tree.stack[height + 1] = tree.left[node], tree.right[node]
            height += 2
    return n_cut


def collapse(tree: Branches, limit: float, collapsed: Any, alphas: Any, risks: Any, done: int, patience: int) -> int:
    """Collapse the weakest branch until the weakest that is left is stronger than ``limit``.

    Parameters
    ----------
    tree : Branches
    limit : float
    collapsed, alphas, risks : arrays or lists of length (n_nodes,)
        For each collapse: the node, its strength at that time, the total risk afterwards.  Written from ``done`` on.
    done : int
        How many collapses there have been.
    patience : int
        Return after about so many steps, finished or not.

    Returns
    -------
    int
        How many collapses there are now.  It is finished if ``tree.strength[tree.winner[1]]`` is above the limit or infinite.
    """
    while patience > 0:
        node = tree.winner[1]
        alpha = tree.strength[node]
        if alpha > limit or alpha == inf:
            break
        patience -= 1 + cut_below(tree, node)
        n_lost, change = tree.n_leaves[node] - 1, tree.risk[node] - tree.branch_risk[node]
        tree.n_leaves[node], tree.branch_risk[node] = 0, tree.risk[node]
        above = tree.parent[node]
        while above != LEAF:
            tree.n_leaves[above] -= n_lost
            tree.branch_risk[above] += change
            set_strength(tree, above)
            replay(tree, above)
            above = tree.parent[above]
            patience -= 1
        collapsed[done], alphas[done], risks[done] = node, alpha, tree.branch_risk[0]
        done += 1
    return done


def branches(left: Any, right: Any, parent: Any, risk: Any) -> Branches:
    """The state to begin with, ready for :func:`collapse`; the arguments are arrays of shape (n_nodes,).

    Twin: ``pruning_numba.branches``, the same in arrays instead of lists.
    """
    n = len(left)
    size = 1 << (n - 1).bit_length()
    tree = Branches(
        left.tolist(),
        right.tolist(),
        parent.tolist(),
        risk.tolist(),
        [0.0] * n,
        [0] * n,
        [0.0] * n,
        [False] * n,
        [0] * (2 * size),
        [0] * (n + 1),
    )
    count_leaves(tree)
    begin(tree)
    return tree


def record(n: int, kind: type) -> Any:
    """A list (in the twin an array) with room for n integers or floats."""
    return np.zeros(n, dtype=kind).tolist()
