"""The tree builder: which node comes next, when it stays a leaf, and the table in which nodes end up.

Nodes that nobody has looked at yet wait on a stack, left children on top of right ones.  :func:`explore` takes one after the
other: asks the splitter for its weight and, if no rule forbids, for its best split, and adds it to the
table.  What happens to its children makes the two ways of growing:

- depth-first, they go onto the stack at once;
- best-first, the explored node waits in a heap with its gain.  When the stack is empty, the node with the largest gain is
  *expanded*: its children go onto the stack.  After ``max_leaf_nodes - 1`` expansions all that wait are leaves.

Nothing here recurses, so a tree may be as deep as it has samples; and all state is in arrays, so :func:`explore` can return
to Python at any node (to let Ctrl-C through, or for longer arrays) and be called again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.tree.frontier_numba import pop, push
from minimal.tree.growth import LEAF, UNDEFINED, Growth
from minimal.tree.splitting_numba import (
    FLAGS,
    Node,
    Rules,
    Split,
    enter,
    find_split,
    inlined,
    root_impurity,
    write_value,
)

DONE, PAUSED, FULL, LARGE = range(4)  # why explore returned
NO_NODE = Node(0, 0, 0, 0, False, 0, 0.0, 0.0, 0.0, 0.0)
NO_SPLIT = Split(-1, 0, 0.0, False, 0.0, 0.0, 0.0, 0.0, 0)
N_NODES, N_OPEN, N_WAITING, N_SPLITS_LEFT, DEPTH = range(5)  # places in Builder.counters
NO_GAIN_LIMIT = np.finfo(np.float64).eps  # an impurity of at most this is zero

OPEN = np.dtype(
    [(name, np.int64) for name in ("start", "end", "depth", "parent", "is_left", "n_constants")]
    + [(name, np.float64) for name in ("impurity", "lower", "upper")]
)


class Table(NamedTuple):
    """The nodes so far, in arrays as long as there is room; the fields are those of :class:`Grown`."""

    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    impurity: NDArray[np.float64]
    n_node_samples: NDArray[np.int64]
    weighted_n_node_samples: NDArray[np.float64]
    missing_go_to_left: NDArray[np.uint8]
    value: NDArray[np.float64]


class Builder(NamedTuple):
    """All that a growing tree remembers.

    Attributes
    ----------
    open : ndarray of ``OPEN``
        The stack.
    gain, waiting : ndarray of float64 and of int64
        The heap: gains, and numbers of nodes.
    children : ndarray of ``OPEN``
        Best-first: the children of the waiting node i at 2 i and 2 i + 1.
    monotonic : ndarray of int8
        Constraints a feature; empty if there is none.
    counters : ndarray of int64
    rules : Rules
    best_first, is_classification : bool
    """

    table: Table
    open: np.ndarray
    gain: NDArray[np.float64]
    waiting: NDArray[np.int64]
    children: np.ndarray
    monotonic: NDArray[np.int8]
    counters: NDArray[np.int64]
    rules: Rules
    best_first: bool
    is_classification: bool


# ------------------------------------------------------------ in Python: begin, make room


def rules_of(growth: Growth) -> Rules:
    """The rules of a growth, for a kernel."""
    return Rules(
        int(growth.max_depth),
        int(growth.min_samples_split),
        int(growth.min_samples_leaf),
        float(growth.min_weight_leaf),
        float(growth.min_impurity_decrease),
        int(growth.max_features),
    )


def new_builder(growth: Growth, n_samples: int) -> Builder:
    """A tree of no nodes, whose root waits to be explored; ``n_samples`` counts those of positive weight."""
    best_first = growth.max_leaf_nodes > 0
    largest = 2 * min(n_samples, growth.max_leaf_nodes if best_first else n_samples) + 1
    room = min(largest, 2 ** (min(growth.max_depth, 10) + 1))
    shape = (room, len(growth.n_classes), int(growth.n_classes.max()))
    table = Table(
        children_left=np.zeros(room, dtype=np.int64),
        children_right=np.zeros(room, dtype=np.int64),
        feature=np.zeros(room, dtype=np.int64),
        threshold=np.zeros(room),
        impurity=np.zeros(room),
        n_node_samples=np.zeros(room, dtype=np.int64),
        weighted_n_node_samples=np.zeros(room),
        missing_go_to_left=np.zeros(room, dtype=np.uint8),
        value=np.zeros(shape),
    )
    stack = np.zeros(64, dtype=OPEN)
    stack[0] = (0, n_samples, 0, LEAF, 0, 0, np.inf, -np.inf, np.inf)
    waiting = room if best_first else 0
    return Builder(
        table=table,
        open=stack,
        gain=np.empty(waiting),
        waiting=np.empty(waiting, dtype=np.int64),
        children=np.empty(2 * waiting, dtype=OPEN),
        monotonic=np.empty(0, dtype=np.int8) if growth.monotonic_cst is None else growth.monotonic_cst,
        counters=np.array([0, 1, 0, growth.max_leaf_nodes - 1, -1]),
        rules=rules_of(growth),
        best_first=best_first,
        is_classification=growth.is_classification,
    )


def with_more_room(builder: Builder) -> Builder:
    """The same tree in longer arrays, wherever less than half is free."""

    def longer(array: np.ndarray, used: int) -> np.ndarray:
        if 2 * used < len(array):
            return array
        more = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)
        more[: len(array)] = array
        return more

    n_nodes, n_open, n_waiting, _, _ = builder.counters.tolist()
    room = builder._replace(
        table=Table(*(longer(column, n_nodes) for column in builder.table)), open=longer(builder.open, n_open)
    )
    if not builder.best_first:
        return room
    return room._replace(
        gain=longer(builder.gain, n_waiting),
        waiting=longer(builder.waiting, n_waiting),
        children=longer(builder.children, 2 * n_nodes),
    )


# ------------------------------------------------------------ compiled


@njit(**FLAGS, inline="always")
def explore(builder, splitter, budget, large, node, split):
    """Explore nodes until the tree is done, the budget is spent, an array is full, or a large node comes.

    ``budget`` and ``large`` count samples times features.  Returns the reason, and for ``LARGE`` the node, entered but not
    split: Python finds its split and hands back node and split.  (``NO_NODE``, ``NO_SPLIT``: there is nothing to hand back.)

    The node goes out as a plain tuple: Numba makes a NamedTuple by calling Python, where a Ctrl-C that waits is raised, and
    Numba does not look whether it was.
    """
    if split.position >= 0:
        settle(builder, splitter, node, split)
    while next_is_ready(builder):
        if is_full(builder):
            return FULL, node[:]
        if budget <= 0:
            return PAUSED, node[:]
        node = take(builder, splitter)
        split = no_split(node)
        if may_split(builder.rules, node):
            cost = (node.end - node.start) * builder.rules.max_features
            if cost >= large:
                return LARGE, node[:]
            split = find_split(splitter, node)
            budget -= cost
        budget -= node.end - node.start + 100
        settle(builder, splitter, node, split)
    return DONE, node[:]


@inlined
def no_split(node):
    """For a node that stays a leaf."""
    return Split(node.end, 0, 0.0, False, 0.0, node.impurity, node.impurity, 0.0, 0)


@inlined
def is_full(builder):
    """Might there be no room for one more node, or for its two children?"""
    counters = builder.counters
    return (
        counters[N_NODES] >= len(builder.table.feature)
        or counters[N_OPEN] + 2 > len(builder.open)
        or (builder.best_first and counters[N_WAITING] >= len(builder.gain))
    )


@inlined
def next_is_ready(builder):
    """See to it that a node lies on the stack, if need be by expanding; False: the tree is done."""
    counters = builder.counters
    while counters[N_OPEN] == 0 and counters[N_WAITING] > 0:
        i = pop(builder.gain, builder.waiting, counters[N_WAITING])
        counters[N_WAITING] -= 1
        if builder.table.feature[i] == UNDEFINED:
            continue
        if counters[N_SPLITS_LEFT] == 0:
            make_leaf(builder.table, i)
        else:
            counters[N_SPLITS_LEFT] -= 1
            builder.open[0], builder.open[1] = builder.children[2 * i + 1], builder.children[2 * i]
            counters[N_OPEN] = 2
    return counters[N_OPEN] > 0


@inlined
def take(builder, splitter):
    """Take the topmost node off the stack and enter it."""
    builder.counters[N_OPEN] -= 1
    top = builder.open[builder.counters[N_OPEN]]
    weight = enter(splitter, top.start, top.end)
    impurity = root_impurity(splitter, top.start, top.end) if top.depth == 0 else top.impurity
    n_constants = 0 if builder.best_first else top.n_constants
    return Node(
        top.start,
        top.end,
        top.depth,
        top.parent,
        top.is_left != 0,
        n_constants,
        impurity,
        weight,
        top.lower,
        top.upper,
    )


@inlined
def may_split(rules, node):
    """Does no rule forbid to split this node, before any split is known?"""
    n = node.end - node.start
    return not (
        node.depth >= rules.max_depth
        or n < rules.min_samples_split
        or n < 2 * rules.min_samples_leaf
        or node.weight < 2 * rules.min_weight_leaf
        or node.impurity <= NO_GAIN_LIMIT
    )


@inlined
def settle(builder, splitter, node, split):
    """Add an explored node to the table, and its children to those that wait."""
    counters, table = builder.counters, builder.table
    i = counters[N_NODES]
    counters[N_NODES] += 1
    counters[DEPTH] = max(counters[DEPTH], node.depth)
    is_leaf = split.position >= node.end or split.improvement + NO_GAIN_LIMIT < builder.rules.min_impurity_decrease
    add(table, i, node)
    if is_leaf:
        make_leaf(table, i)
    else:
        table.feature[i] = split.feature
        table.threshold[i] = split.threshold
        table.missing_go_to_left[i] = split.missing_left
    write_value(splitter, node, table.value, i)
    if len(builder.monotonic) > 0:
        clip(table.value, i, node, builder.is_classification)
    if builder.best_first:
        push(builder.gain, builder.waiting, counters[N_WAITING], 0.0 if is_leaf else split.improvement, i)
        counters[N_WAITING] += 1
        if not is_leaf:
            open_children(builder.children, 2 * i + 1, 2 * i, builder.monotonic, node, split, i)
    elif not is_leaf:
        top = counters[N_OPEN]
        open_children(builder.open, top, top + 1, builder.monotonic, node, split, i)
        counters[N_OPEN] += 2


@inlined
def add(table, i, node):
    """Write node i into the table, without its split, and tell its parent."""
    if node.depth > 0:
        siblings = table.children_left if node.is_left else table.children_right
        siblings[node.parent] = i
    table.impurity[i] = node.impurity
    table.n_node_samples[i] = node.end - node.start
    table.weighted_n_node_samples[i] = node.weight


@inlined
def make_leaf(table, i):
    """Node i is a leaf after all."""
    table.children_left[i] = table.children_right[i] = LEAF
    table.feature[i] = table.threshold[i] = UNDEFINED


@inlined
def clip(values, i, node, is_classification):
    """Keep a value within the bounds that monotonicity constraints leave it; shares of two classes still add up to 1."""
    if values[i, 0, 0] < node.lower:
        values[i, 0, 0] = node.lower
    elif values[i, 0, 0] > node.upper:
        values[i, 0, 0] = node.upper
    if is_classification:
        values[i, 0, 1] = 1 - values[i, 0, 0]


@inlined
def open_children(records, right, left, monotonic, node, split, parent):
    """Prepare both children of a split node; a constrained feature's children are bounded by the mean of their values."""
    sign = monotonic[split.feature] if len(monotonic) > 0 else 0
    low_side = split.middle if sign < 0 else node.lower
    high_side = split.middle if sign > 0 else node.upper
    open_child(records[left], node.start, split.position, node.depth + 1, parent, split.impurity_left)
    records[left].is_left, records[left].n_constants = 1, split.n_constants
    records[left].lower, records[left].upper = low_side, high_side
    low_side = split.middle if sign > 0 else node.lower
    high_side = split.middle if sign < 0 else node.upper
    open_child(records[right], split.position, node.end, node.depth + 1, parent, split.impurity_right)
    records[right].is_left, records[right].n_constants = 0, split.n_constants
    records[right].lower, records[right].upper = low_side, high_side


@inlined
def open_child(record, start, end, depth, parent, impurity):
    """Fill in what does not depend on the side."""
    record.start, record.end = start, end
    record.depth, record.parent = depth, parent
    record.impurity = impurity
