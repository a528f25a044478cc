"""Minimal cost-complexity pruning: take back the splits that a tree gains least by.

A leaf t costs its risk R(t) = w_t i_t / w_root, its share of the weight times its impurity.  A branch with k leaves below the
node t saves R(t) - (sum of its leaves' risks), so each leaf beyond the first is worth

    alpha(t) = (R(t) - R(leaves below t)) / (k - 1)

Collapsing the node with the smallest alpha into a leaf, again and again, gives a row of ever smaller trees that ends with the
root alone.  For any price alpha of a leaf, the tree that minimizes (risk + alpha * leaves) is one of the row: the one that is
left when all branches worth no more than alpha have been collapsed.

Source: Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984, chapter 3; the bits are those of
``sklearn.tree``, 1.9.1.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.engine import twin
from minimal.tree.growth import LEAF, UNDEFINED, Grown

__all__ = ["PruningPath", "prune", "pruning_path"]

PATIENCE = 2_000_000  # steps of the compiled loop until Python looks for Ctrl-C; some hundredths of a second


class PruningPath(dict[str, NDArray[np.float64]]):
    """The row of pruned trees, as a dictionary whose keys can be read as attributes.

    Attributes
    ----------
    ccp_alphas : ndarray of float64 of shape (n_trees,)
        The price of a leaf from which on each tree is the best one: 0 for the full tree, then rising.
    impurities : ndarray of float64 of shape (n_trees,)
        The total risk of the leaves of each.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]


def pruning_path(grown: Grown) -> PruningPath:
    """All pruned trees, from the full one to the root alone.

    Parameters
    ----------
    grown : Grown
        Or anything with its arrays.

    Returns
    -------
    PruningPath
    """
    _, alphas, risks, first_risk = _collapse(grown, inf)
    return PruningPath(ccp_alphas=np.append(0.0, alphas), impurities=np.append(first_risk, risks))


def prune(grown: Grown, ccp_alpha: float) -> Grown:
    """Collapse all branches that are worth no more than ``ccp_alpha``.

    Parameters
    ----------
    grown : Grown
    ccp_alpha : float
        At least 0.

    Returns
    -------
    Grown
        The nodes that are left, numbered depth-first, left before right.
    """
    collapsed, *_ = _collapse(grown, ccp_alpha)
    is_leaf = grown.children_left == LEAF
    is_leaf[collapsed] = True
    kept, depths = _depth_first(grown, is_leaf)
    number = np.full(len(is_leaf), LEAF)
    number[kept] = np.arange(len(kept))
    is_leaf = is_leaf[kept]

    def unless_leaf(values: NDArray[Any], at_leaf: int) -> NDArray[Any]:
        return np.where(is_leaf, at_leaf, values).astype(values.dtype)

    return Grown(
        children_left=unless_leaf(number[grown.children_left[kept]], LEAF),
        children_right=unless_leaf(number[grown.children_right[kept]], LEAF),
        feature=unless_leaf(grown.feature[kept], UNDEFINED),
        threshold=unless_leaf(grown.threshold[kept], UNDEFINED),
        impurity=grown.impurity[kept],
        n_node_samples=grown.n_node_samples[kept],
        weighted_n_node_samples=grown.weighted_n_node_samples[kept],
        missing_go_to_left=unless_leaf(grown.missing_go_to_left[kept], 0),
        value=grown.value[kept],
        max_depth=int(depths.max()),
    )


def _collapse(grown: Grown, limit: float) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], float]:
    """Collapse up to ``limit``: the nodes collapsed, alpha and total risk after each of them, and the total risk before."""
    pruning = twin("minimal.tree.pruning")
    left, right = grown.children_left, grown.children_right
    inner = np.flatnonzero(left != LEAF)
    parent = np.full(len(left), LEAF)
    parent[left[inner]] = parent[right[inner]] = inner
    risk = grown.weighted_n_node_samples * grown.impurity / grown.weighted_n_node_samples[0]
    tree = pruning.branches(left, right, parent, risk)
    first_risk = float(tree.branch_risk[0])
    collapsed, alphas, risks = (pruning.record(len(inner), kind) for kind in (int, float, float))
    done, before = 0, -1
    while done != before:
        before = done
        done = pruning.collapse(tree, limit, collapsed, alphas, risks, done, PATIENCE)
    return (
        np.array(collapsed[:done], dtype=np.int64),
        np.array(alphas[:done], dtype=np.float64),
        np.array(risks[:done], dtype=np.float64),
        first_risk,
    )


def _depth_first(grown: Grown, is_leaf: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nodes of the tree that ends at ``is_leaf``, depth-first and left before right, and the depth of each.

    Level by level downwards, then the sizes of the subtrees upwards, then places downwards: a left child comes right after
    its parent, a right child after its sibling's whole subtree.
    """
    left, right = grown.children_left, grown.children_right
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        inner = levels[-1][~is_leaf[levels[-1]]]
        levels.append(np.concatenate([left[inner], right[inner]]))
    size = np.ones(len(left), dtype=np.int64)
    place = np.zeros(len(left), dtype=np.int64)
    inner_levels = [level[~is_leaf[level]] for level in levels]
    for inner in reversed(inner_levels):
        size[inner] += size[left[inner]] + size[right[inner]]
    for inner in inner_levels:
        place[left[inner]] = place[inner] + 1
        place[right[inner]] = place[inner] + 1 + size[left[inner]]
    nodes = np.concatenate(levels)
    depths = np.repeat(np.arange(len(levels)), [len(level) for level in levels])
    order = np.argsort(place[nodes])
    return nodes[order], depths[order]
