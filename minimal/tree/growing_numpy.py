"""Grow a decision tree: to read.

A node holds samples.  :func:`grow` takes one node after the other, asks :meth:`Search.best_split` how to cut its samples in
two, and puts the two parts on the pile of nodes to come, until what is left cannot or must not be cut.

The best cut by one feature is found by sorting the samples by it and adding up, from left to right, what the criterion needs
(:mod:`~minimal.tree.criteria_numpy`): the running sums tell the impurity on both sides of every cut at once.  Features come
in an order drawn at random (:mod:`~minimal.tree.drawing_numpy`), and the first of equally good cuts wins, so that one seed
gives one tree.

Differs from the compiled twin, and from scikit-learn, in one case: on sparse data with sums that are rounded (targets or
weights that are not whole; for Poisson any targets, since it sums logarithms), the samples of a node stand in another order,
so that the last bits of those sums, and with them which of equally good splits wins, may differ.

Source: Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984; ``sklearn.tree``, 1.9.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.tree.criteria_numpy import Halves, new_criterion
from minimal.tree.drawing_numpy import FeatureDraws
from minimal.tree.growth import LEAF, UNDEFINED, Grown, Growth
from minimal.tree.heap_numpy import pop, push
from minimal.tree.ordering_numpy import halves_order, missing_last_order, sorting_order

__all__ = ["grow", "share"]

SAME = np.float32(1e-7)  # neighbours that differ by no more are one value
NO_GAIN = np.finfo(np.float64).eps  # an impurity of at most this is zero


@dataclass
class Node:
    """A node that waits to be cut."""

    samples: NDArray[np.int64]
    depth: int
    parent: int
    is_left: bool
    n_constants: int  # features known to be constant
    impurity: float
    low: float = -inf  # monotonicity constraints: its value must lie between these
    high: float = inf


@dataclass(frozen=True)
class Split:
    """How a node is cut: samples[:position] go left."""

    feature: int
    threshold: float
    missing_left: bool
    position: int
    improvement: float = 0.0
    impurity_left: float = 0.0
    impurity_right: float = 0.0
    middle: float = 0.0  # the mean of the children's values
    n_constants: int = 0


def share(X: Any, missing: NDArray[np.bool_] | None) -> None:
    """What several trees on the same X can share: here nothing."""


def grow(growth: Growth, shared: None = None) -> Grown:
    """Grow one tree.

    Depth-first, the children of a node come right after it, the left one first.  Best-first (``max_leaf_nodes``), a node
    that has been cut waits in a heap, and the one with the largest improvement gets its children next.

    Twin: ``growing_numba.grow``, same tree.
    """
    search = Search(growth)
    is_best_first = growth.max_leaf_nodes > 0
    table: list[dict[str, Any]] = []
    to_come = [Node(search.samples, 0, LEAF, False, 0, inf)]
    heap: list[tuple[float, int]] = []
    children: dict[int, list[Node]] = {}
    n_splits_left = growth.max_leaf_nodes - 1
    while to_come or heap:
        if not to_come:
            i = pop(heap)
            if i in children and n_splits_left == 0:
                table[i] |= {"feature": UNDEFINED, "threshold": UNDEFINED}
            elif i in children:
                n_splits_left -= 1
                to_come = children.pop(i)
            continue
        node = to_come.pop()
        i = len(table)
        weight = search.enter(node)
        split = search.best_split(node) if may_be_split(growth, node, weight) else None
        if split is not None and split.improvement + NO_GAIN < growth.min_impurity_decrease:
            split = None
        table.append(row(node, split, weight, search.value(node)))
        if i > 0:
            table[node.parent]["children_left" if node.is_left else "children_right"] = i
        pair = [] if split is None else list(children_of(growth, node, split, i))
        if not is_best_first:
            to_come += pair
            continue
        push(heap, (0.0 if split is None else split.improvement, i))
        if pair:
            children[i] = [replace(child, n_constants=0) for child in pair]
    return as_grown(table)


def may_be_split(growth: Growth, node: Node, weight: float) -> bool:
    """Whether no rule forbids to split this node, before any split is known."""
    n = len(node.samples)
    return not (
        node.depth >= growth.max_depth
        or n < growth.min_samples_split
        or n < 2 * growth.min_samples_leaf
        or weight < 2 * growth.min_weight_leaf
        or node.impurity <= NO_GAIN
    )


def children_of(growth: Growth, node: Node, split: Split, i: int) -> tuple[Node, Node]:
    """The right and the left child of node i.

    If its feature must not lower the value, all values on the left stay below the mean of the children's values, and all on
    the right above it; the other way round if it must not raise it.
    """
    sign = 0 if growth.monotonic_cst is None else growth.monotonic_cst[split.feature]
    left_samples, right_samples = node.samples[: split.position], node.samples[split.position :]
    left = Node(left_samples, node.depth + 1, i, True, split.n_constants, split.impurity_left, node.low, node.high)
    right = Node(right_samples, node.depth + 1, i, False, split.n_constants, split.impurity_right, node.low, node.high)
    if sign > 0:
        left.high = right.low = split.middle
    elif sign < 0:
        left.low = right.high = split.middle
    return right, left


def row(node: Node, split: Split | None, weight: float, value: NDArray[np.float64]) -> dict[str, Any]:
    """What the table says about a node; its children are filled in when they come."""
    return {
        "children_left": LEAF,
        "children_right": LEAF,
        "feature": UNDEFINED if split is None else split.feature,
        "threshold": float(UNDEFINED) if split is None else split.threshold,
        "missing_go_to_left": 0 if split is None else int(split.missing_left),
        "impurity": node.impurity,
        "n_node_samples": len(node.samples),
        "weighted_n_node_samples": weight,
        "value": value,
        "depth": node.depth,
    }


def as_grown(table: list[dict[str, Any]]) -> Grown:
    """The finished table, column by column."""
    dtypes = {
        "children_left": np.int64,
        "children_right": np.int64,
        "feature": np.int64,
        "threshold": np.float64,
        "impurity": np.float64,
        "n_node_samples": np.int64,
        "weighted_n_node_samples": np.float64,
        "missing_go_to_left": np.uint8,
        "value": np.float64,
    }
    columns = {name: np.array([line[name] for line in table], dtype=dtype) for name, dtype in dtypes.items()}
    return Grown(**columns, max_depth=max(line["depth"] for line in table))


# ---------------------------------------------------------------- the best split of a node


class Search:
    """Looks for splits of nodes of one tree."""

    def __init__(self, growth: Growth) -> None:
        n_samples, n_features = growth.X.shape
        weight = np.ones(n_samples) if growth.sample_weight is None else growth.sample_weight
        self.growth = growth
        self.samples = np.flatnonzero(weight)
        self.criterion = new_criterion(growth, weight)
        self.draws = FeatureDraws(n_features, growth.seed)
        self.order_matters = not self.criterion.sums_are_exact
        self.total_weight = float(np.cumsum(weight)[-1])

    def enter(self, node: Node) -> float:
        """Go to a node; its weight."""
        self.node_weight = self.criterion.enter(node.samples)
        if node.depth == 0:
            node.impurity = self.criterion.node_impurity(node.samples)
        return self.node_weight

    def best_split(self, node: Node) -> Split | None:
        """The split with the largest proxy, or None; the node's samples are left such that samples[:position] go left."""
        best, best_gain = None, -inf
        cuts_by = self.random_cut if self.growth.splitter == "random" else self.all_cuts
        self.draws.begin(node.n_constants)
        last_drawn = None
        while (feature := self.draws.next(self.growth.max_features)) is not None:
            last_drawn = feature
            scans = cuts_by(node, feature)
            self.draws.found(is_constant=scans is None)
            for cuts in scans or ():
                gains = self.gains(node, feature, cuts)
                if len(gains) and gains.max() > best_gain:
                    at = int(gains.argmax())  # the first of equals
                    best, best_gain = cuts.split(feature, at), gains[at]
        n_constants = self.draws.end()
        if best is None:
            return None
        if cuts_by == self.all_cuts or best.feature != last_drawn:  # else the samples have just been cut so
            self.cut(node, best)
        return replace(self.measured(node, best), n_constants=n_constants)

    def all_cuts(self, node: Node, feature: int) -> list[Cuts] | None:
        """All cuts between two neighbouring values of a feature, missing values right and, if there are any, left of it.

        None if the feature is constant in the node.  Sorts the node's samples.
        """
        n_missing = self.sort(node, feature)
        n = len(node.samples)
        x = self.values(node, feature)[: n - n_missing]
        if len(x) == 0 or (n_missing == 0 and x[-1] <= x[0] + SAME):
            return None
        position = np.flatnonzero(x[1:] > x[:-1] + SAME) + 1  # a cut at p separates x[p - 1] and x[p]
        threshold = x[position - 1].astype(np.float64) / 2 + x[position].astype(np.float64) / 2
        if n_missing == 0:
            return [Cuts(position, threshold, position > n - position, node.samples)]
        right_last = np.append(position, len(x)), np.append(threshold, inf)  # the last: all known values left
        missing_right = Cuts(*right_last, np.zeros(len(position) + 1, dtype=bool), node.samples)
        node.samples = np.roll(node.samples, n_missing)
        missing_left = Cuts(position + n_missing, threshold, np.ones(len(position), dtype=bool), node.samples)
        return [missing_right, missing_left]

    def random_cut(self, node: Node, feature: int) -> list[Cuts] | None:
        """One cut at a random threshold between the smallest and the largest value; missing values go to a random side."""
        x = self.values(node, feature)
        known = x[~np.isnan(x)]
        n_missing = len(x) - len(known)
        if len(known) == 0 or (n_missing == 0 and known.max() <= known.min() + SAME):
            return None
        low, high = float(known.min()), float(known.max())
        threshold = (high - low) * self.draws.draw(0, 2**31) / (2**31 - 1) + low
        missing_left = n_missing > 0 and self.draws.draw(0, 2) == 1
        if threshold == high:
            threshold = low
        position = self.cut(node, Split(feature, threshold, missing_left, 0))
        if n_missing == 0:
            missing_left = position > len(x) - position
        return [Cuts(np.array([position]), np.array([threshold]), np.array([missing_left]), node.samples)]

    def gains(self, node: Node, feature: int, cuts: Cuts) -> NDArray[np.float64]:
        """The proxies of cuts, -inf for those that the rules forbid; ``cuts`` keeps those with large enough halves."""
        least = self.growth.min_samples_leaf
        cuts.keep(np.minimum(cuts.position, len(node.samples) - cuts.position) >= least)
        if len(cuts.position) == 0:
            return np.empty(0)
        halves = self.criterion.halves(cuts.samples, cuts.position)
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = self.criterion.proxies(halves)
            allowed = ~np.isnan(gains) & self.is_monotonic(node, feature, halves)
        lightest = np.minimum(halves.weight_left, halves.weight_right)
        return np.where(allowed & (lightest >= self.growth.min_weight_leaf), gains, -inf)

    def is_monotonic(self, node: Node, feature: int, halves: Halves) -> Any:
        """Whether both values keep to the feature's constraint and to the bounds of the node."""
        sign = 0 if self.growth.monotonic_cst is None else self.growth.monotonic_cst[feature]
        if sign == 0:
            return True
        left, right = self.criterion.half_values(halves)
        inside = (left >= node.low) & (left <= node.high) & (right >= node.low) & (right <= node.high)
        return inside & ((left - right) * sign <= 0)

    def measured(self, node: Node, split: Split) -> Split:
        """The split with its improvement: w / w_tree (impurity - w_right / w impurity_right - w_left / w impurity_left)."""
        cut = np.array([split.position])
        halves = self.criterion.halves(node.samples, cut)
        left, right = self.criterion.children_impurity(node.samples, split.position, halves)
        w, w_left, w_right = self.node_weight, float(halves.weight_left[0]), float(halves.weight_right[0])
        gain = (w / self.total_weight) * (node.impurity - (w_right / w * right) - (w_left / w * left))
        middle = 0.0 if self.growth.monotonic_cst is None else self.criterion.middle_value(halves)
        return replace(split, improvement=gain, impurity_left=left, impurity_right=right, middle=middle)

    # ------------------------------------------------------------ samples and their values

    def values(self, node: Node, feature: int) -> NDArray[np.float32]:
        """A feature's values, in the order of the node's samples."""
        X = self.growth.X
        if isinstance(X, np.ndarray):
            return X[node.samples, feature]
        stored = slice(X.indptr[feature], X.indptr[feature + 1])
        column = np.zeros(X.shape[0], dtype=np.float32)
        column[X.indices[stored]] = X.data[stored]
        return column[node.samples]

    def sort(self, node: Node, feature: int) -> int:
        """Sort the node's samples by a feature, missing values last; how many are missing."""
        x = self.values(node, feature)
        is_missing = np.isnan(x)
        n_missing = int(is_missing.sum())
        if n_missing:
            order = missing_last_order(is_missing, self.order_matters)
            node.samples, x = node.samples[order], x[order]
        n_known = len(x) - n_missing
        order = sorting_order(x[:n_known], self.order_matters)
        node.samples = np.append(node.samples[:n_known][order], node.samples[n_known:])
        return n_missing

    def cut(self, node: Node, split: Split) -> int:
        """Bring the samples that go left to the front; how many they are."""
        x = self.values(node, split.feature)
        goes_left = np.where(np.isnan(x), split.missing_left, x.astype(np.float64) <= split.threshold)
        node.samples = node.samples[halves_order(goes_left, self.order_matters)]
        return int(goes_left.sum())

    def value(self, node: Node) -> NDArray[np.float64]:
        """The node's value, clipped to its bounds if there are monotonicity constraints."""
        value = self.criterion.value()
        if self.growth.monotonic_cst is not None:
            value[0, 0] = min(max(value[0, 0], node.low), node.high)
            if value.shape[1] == 2:
                value[0, 1] = 1 - value[0, 0]
        return value


@dataclass
class Cuts:
    """Cuts of a node's samples by one feature, from left to right; the samples stand in the order that the cuts cut."""

    position: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    samples: NDArray[np.int64]

    def keep(self, which: NDArray[np.bool_]) -> None:
        self.position, self.threshold = self.position[which], self.threshold[which]
        self.missing_left = self.missing_left[which]

    def split(self, feature: int, at: int) -> Split:
        return Split(feature, float(self.threshold[at]), bool(self.missing_left[at]), int(self.position[at]))
