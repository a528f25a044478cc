"""The counting splitter: classification trees of dense data whose weights are whole numbers, on columns sorted once.

Class counts are integers then, so no sum depends on an order, and the best split of a node needs no sorting: the columns of
:mod:`~minimal.tree.presorted_numba` are sorted at the root and stay so.  A node costs

1. the draws: with sorted columns a feature's first and last value tell whether it is constant, so all features of a node
   are drawn before any is scanned (the same draws in the same order as if they were scanned in between);
2. a scan of each drawn feature (:mod:`~minimal.tree.counting_scan_numba`), until one gives two pure sides: nothing beats
   that;
3. the partition of the columns, only as far as a child will need them: features known to be constant stay as they are (any
   range of them is as constant), and a child that will be a leaf needs no column.

Weights, whether of bootstrap samples or given, are whole numbers if no one tells otherwise; without weights all are one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.threads import get_num_threads, run_blocks
from minimal.tree.builder_numba import NO_GAIN_LIMIT, explore, rules_of
from minimal.tree.counting_scan_numba import (
    LARGEST_WEIGHT,
    LEFT,
    NODE,
    RIGHT,
    SAME,
    Counter,
    Range,
    impurity,
    label_of,
    scan,
    table_of_x_log_x,
    weight_of,
)
from minimal.tree.features_numba import (
    Features,
    begin_draws,
    end_draws,
    new_features,
    next_feature,
    set_constant,
    set_varying,
)
from minimal.tree.growth import Growth
from minimal.tree.presorted_numba import (
    LOW_HALF,
    VALUE,
    Columns,
    choose_entries,
    count_missing,
    fits,
    gather_left,
    gather_right,
    mark_sides,
    partition,
    sort_columns,
)
from minimal.tree.splitting_numba import (
    Node,
    Rules,
    Split,
    answers,
    door,
    enter,
    find_split,
    inlined,
    kernel,
    root_impurity,
    write_value,
)

LARGE = 500_000
LONGEST_PART = 50_000_000  # samples times features that a thread may scan without asking Python: a tenth of a second
NOTHING, FOR_LEFT, FOR_RIGHT = 0, 1, 2  # which children need columns; added up for both


class CountingSplitter(NamedTuple):
    """One tree's columns, and what a node needs beside them.

    Attributes
    ----------
    samples : ndarray of uint32 of shape (n_entries,)
        The low halves of the columns' words, in the order of the nodes.
    drawn : ndarray of int64 of shape (n_features,)
        The features that the node scans, in the order of the draws.
    is_left : ndarray of uint8 of shape (n_samples,)
    spare : ndarray of uint64 of shape (n_entries,)
    """

    columns: Columns
    samples: NDArray[np.uint32]
    counter: Counter
    features: Features
    rules: Rules
    drawn: NDArray[np.int64]
    is_left: NDArray[np.uint8]
    spare: NDArray[np.uint64]
    total_weight: float


# ------------------------------------------------------------ in Python: once a tree


def can_grow(growth: Growth) -> bool:
    """A job for class counts that looks at half of the features or more."""
    return can_count(growth) and 2 * growth.max_features >= growth.X.shape[1]


def can_count(growth: Growth) -> bool:
    """Dense data, one output, gini or entropy, all splits tried, and weights that count."""
    return bool(
        isinstance(growth.X, np.ndarray)
        and growth.is_classification
        and len(growth.n_classes) == 1
        and growth.splitter == "best"
        and growth.monotonic_cst is None
        and counts(growth.sample_weight, len(growth.X))
        and fits(len(growth.X), label_bits(growth) + weight_bits(growth.sample_weight))
    )


def counts(weight: NDArray[np.float64] | None, n_samples: int) -> bool:
    """Are all weights whole numbers, and their sum small enough for the proofs in the scans?"""
    if weight is None:
        return n_samples < LARGEST_WEIGHT
    return bool(weight.min() >= 0 and weight.sum() < LARGEST_WEIGHT and np.array_equal(weight, np.floor(weight)))


def label_bits(growth: Growth) -> int:
    return int(growth.n_classes[0] - 1).bit_length()


def weight_bits(weight: NDArray[np.float64] | None) -> int:
    return 0 if weight is None else (int(weight.max()) - 1).bit_length()


def new_splitter(growth: Growth, shared: Any) -> CountingSplitter:
    """The splitter at the root.  Columns that several trees share are sorted once, and each tree takes its samples."""
    n_samples, n_features = growth.X.shape
    weight, of_label, of_weight = growth.sample_weight, label_bits(growth), weight_bits(growth.sample_weight)
    notes = growth.y[:, 0].astype(np.uint32)
    total = n_samples
    if weight is not None:
        total = int(weight.sum())
        notes |= (np.maximum(weight, 1).astype(np.uint32) - np.uint32(1)) << np.uint32(of_label)
    columns = tree_columns(growth, shared, notes, of_label + of_weight)
    n_classes = int(growth.n_classes[0])
    counter = Counter(
        counts=np.zeros((3, n_classes), dtype=np.int64),
        x_log_x=table_of_x_log_x(total) if growth.criterion == "entropy" else np.empty(0, dtype=np.int64),
        label_mask=2**of_label - 1,
        weight_mask=2**of_weight - 1,
        label_bits=of_label,
    )
    return CountingSplitter(
        columns=columns,
        samples=columns.words[0].astype(np.uint32),
        counter=counter,
        features=new_features(n_features, growth.seed),
        rules=rules_of(growth),
        drawn=np.empty(n_features, dtype=np.int64),
        is_left=np.empty(n_samples, dtype=np.uint8),
        spare=np.empty(columns.words.shape[1], dtype=np.uint64),
        total_weight=float(total),
    )


def tree_columns(growth: Growth, shared: Any, notes: NDArray[np.uint32], shift: int) -> Columns:
    """The columns of one tree's samples, with their notes."""
    n_samples = len(growth.X)
    wanted = np.ones(n_samples, dtype=np.bool_) if growth.sample_weight is None else growth.sample_weight > 0
    if shared.several:
        columns = shared.get("sorted columns", lambda X, missing: sort_columns(X))
        return choose_entries(columns, notes, wanted, int(wanted.sum()), shift)
    return sort_columns(growth.X, np.flatnonzero(wanted), notes, shift)


def find_large_split(splitter: CountingSplitter, node: Node) -> Split:
    """The same as ``find_best_split``, its features shared among threads.

    A part of the features may know the best value of parts that were drawn before it (a later feature must be better than
    an earlier one), which spares it most exact values, but does not change what is found.
    """
    n_drawn, n_constants = draw_now(splitter, node)
    found: list[Any] = [(-np.inf, -1, -1, False)] * n_parts(node, n_drawn)

    def scan_part(part: int) -> None:
        first, last = bounds_of(part, len(found), n_drawn)
        known = max(value for value, *_ in found[: part + 1])
        counter = splitter.counter._replace(counts=splitter.counter.counts.copy())
        found[part] = scan_now(splitter._replace(counter=counter), node, first, last, known)

    run_blocks(scan_part, len(found))
    best = max(found, key=lambda part: (part[1] >= 0, part[0]))  # the first of equal ones
    if best[1] < 0:
        return no_split(node, n_constants)
    fields, needs = cut_now(splitter, node, best, n_constants)
    split = Split(*fields)
    n_features = len(splitter.drawn)
    if needs == NOTHING:
        return split

    def partition_part(part: int) -> None:
        first, last = bounds_of(part, len(found), n_features - n_constants)
        own = splitter._replace(spare=np.empty(node.end - node.start, dtype=np.uint64))
        partition_now(own, node, needs, n_constants + first, n_constants + last)

    run_blocks(partition_part, len(found))
    return split


def n_parts(node: Node, n_drawn: int) -> int:
    """How many parts the work on a node is cut into: a few for each thread, and none too long for Ctrl-C."""
    n_threads = get_num_threads()
    wanted = max(2 * n_threads if n_threads > 1 else 1, (node.end - node.start) * n_drawn // LONGEST_PART + 1)
    return max(1, min(wanted, n_drawn))


def bounds_of(part: int, n_parts: int, n: int) -> tuple[int, int]:
    """The numbers [first, last) below n that belong to a part."""
    return part * n // n_parts, (part + 1) * n // n_parts


@door
def draw_now(splitter, node):
    return draw_features(splitter, node)


@door
def scan_now(splitter, node, first, last, best):
    return scan_features(splitter, node, first, last, best)


@door
def cut_now(splitter, node, found, n_constants):
    split, needs = cut(splitter, node, found, n_constants)
    return split[:], needs  # a plain tuple, see explore()


@door
def partition_now(splitter, node, needs, first, last):
    partition_features(splitter, node, needs, first, last)


# ------------------------------------------------------------ the builder's questions


@answers(enter, CountingSplitter)
def enter_node(splitter, start, end):
    """Count the classes."""
    counter, samples = splitter.counter, splitter.samples
    count = counter.counts
    count[NODE] = 0
    weight = 0
    for i in range(start, end):
        low = np.uint64(samples[i])
        step = weight_of(counter, low)
        count[NODE, label_of(counter, low)] += step
        weight += step
    return np.float64(weight)


@answers(root_impurity, CountingSplitter)
def impurity_of_root(splitter, start, end):
    return impurity(splitter.counter, NODE, splitter.total_weight)


@answers(write_value, CountingSplitter)
def write_shares(splitter, node, values, i):
    """The share of each class."""
    count = splitter.counter.counts
    for c in range(count.shape[1]):
        values[i, 0, c] = np.float64(count[NODE, c]) / node.weight


@answers(find_split, CountingSplitter)
def find_best_split(splitter, node):
    """Draw, scan, partition."""
    n_drawn, n_constants = draw_features(splitter, node)
    found = scan_features(splitter, node, 0, n_drawn, -np.inf)
    if found[1] < 0:
        return no_split(node, n_constants)
    split, needs = cut(splitter, node, found, n_constants)
    if needs != NOTHING:
        partition_features(splitter, node, needs, n_constants, len(splitter.drawn))
    return split


@inlined
def no_split(node, n_constants):
    """For a node that cannot be split."""
    return Split(node.end, 0, 0.0, False, 0.0, node.impurity, node.impurity, 0.0, n_constants)


@kernel
def draw_features(splitter, node):
    """Draw the node's features into ``drawn``: (how many vary, how many are known to be constant)."""
    features, n_drawn = splitter.features, 0
    begin_draws(features, node.n_constants)
    place = next_feature(features, splitter.rules.max_features)
    while place >= 0:
        feature = features.order[place]
        if is_constant(splitter.columns.values, feature, node.start, node.end):
            set_constant(features, place)
        else:
            splitter.drawn[n_drawn] = feature
            n_drawn += 1
            set_varying(features, place)
        place = next_feature(features, splitter.rules.max_features)
    return n_drawn, end_draws(features)


@kernel
def is_constant(values, feature, start, end):
    """Are all values the same, or all missing?  Missing values stand last, and differ from every other."""
    first, last = values[feature, 2 * start + VALUE], values[feature, 2 * (end - 1) + VALUE]
    return last <= first + SAME or np.isnan(first)


@kernel
def scan_features(splitter, node, first, last, best):
    """The best split of some drawn features above ``best``: (value, feature or -1, place, missing values to the left?)."""
    feature, place, missing_left = -1, -1, False
    for k in range(first, last):
        value, where, to_left = scan_feature(splitter, node, splitter.drawn[k], best)
        if where >= 0:
            best, feature, place, missing_left = value, splitter.drawn[k], where, to_left
            if best == 0.0:  # both sides are pure
                break
    return best, feature, place, missing_left


@kernel
def scan_feature(splitter, node, feature, best):
    """The best split of one feature above ``best``, missing values right, then left: (value, place or -1, to the left?)."""
    columns, rules = splitter.columns, splitter.rules
    n_missing = 0
    if np.isnan(columns.values[feature, 2 * (node.end - 1) + VALUE]):
        n_missing = count_missing(columns.values, feature, node.start, node.end)
    stop, found, to_left = node.end - n_missing, -1, False
    for n_left in range(
        0, n_missing + 1, max(n_missing, 1)
    ):  # without missing values once, else with 0 and all of them
        place = Range(
            feature,
            node.start,
            stop,
            node.end,
            n_left,
            stop < node.end and n_left == 0,
            rules.min_samples_leaf,
            rules.min_weight_leaf,
        )
        best, where = scan(columns, splitter.counter, place, node.weight, best)
        if where >= 0:
            found, to_left = where, n_left > 0
    if n_missing == 0:  # a missing value, should one come later, goes where most samples went
        to_left = found - node.start > node.end - found
    return best, found, to_left


@kernel
def cut(splitter, node, found, n_constants):
    """The split that a scan found, and which children need columns; the samples are in the order of the children now."""
    columns, counter = splitter.columns, splitter.counter
    _, feature, place, missing_left = found
    n_moved = count_missing(columns.values, feature, node.start, node.end) if missing_left else 0
    threshold = threshold_at(columns.values, feature, place)
    left = arrange_samples(splitter, node, feature, place, n_moved)
    right = node.weight - left
    impurity_left, impurity_right = impurity(counter, LEFT, left), impurity(counter, RIGHT, right)
    improvement = (node.weight / splitter.total_weight) * (
        node.impurity - right / node.weight * impurity_right - left / node.weight * impurity_left
    )
    position, needs = place + n_moved, NOTHING
    if goes_on(splitter.rules, node.depth + 1, position - node.start, left, impurity_left):
        needs |= FOR_LEFT
    if goes_on(splitter.rules, node.depth + 1, node.end - position, right, impurity_right):
        needs |= FOR_RIGHT
    if needs != NOTHING:
        mark_sides(columns, feature, node.start, node.end, place, n_moved, splitter.is_left)
    return Split(
        position, feature, threshold, missing_left, improvement, impurity_left, impurity_right, 0.0, n_constants
    ), needs


@kernel
def threshold_at(values, feature, place):
    """Half way between two neighbours; infinite if the upper one is missing."""
    low, high = values[feature, 2 * place + VALUE - 2], values[feature, 2 * place + VALUE]
    return np.inf if np.isnan(high) else np.float64(low) / 2.0 + np.float64(high) / 2.0


@kernel
def goes_on(rules, depth, n, weight, impurity):
    """Will a child be split further, as far as the rules tell?"""
    return not (
        depth >= rules.max_depth
        or n < rules.min_samples_split
        or n < 2 * rules.min_samples_leaf
        or weight < 2 * rules.min_weight_leaf
        or impurity <= NO_GAIN_LIMIT
    )


@kernel
def arrange_samples(splitter, node, feature, place, n_missing_left):
    """Write the node's samples in the order of its children, count the classes of both, and return the left weight."""
    words, samples, counter = splitter.columns.words, splitter.samples, splitter.counter
    count, left, to = counter.counts, 0, node.start
    count[LEFT] = 0
    first_missing = node.end - n_missing_left
    for begin, end in ((node.start, place), (first_missing, node.end)):
        for i in range(begin, end):
            low = words[feature, i] & LOW_HALF
            samples[to] = low
            to += 1
            step = weight_of(counter, low)
            count[LEFT, label_of(counter, low)] += step
            left += step
    for i in range(place, first_missing):
        samples[to] = words[feature, i] & LOW_HALF
        to += 1
    for c in range(count.shape[1]):
        count[RIGHT, c] = count[NODE, c] - count[LEFT, c]
    return np.float64(left)


@kernel
def partition_features(splitter, node, needs, first, last):
    """Partition the columns of the features at the places [first, last) of the permutation, as far as needed."""
    columns, is_left, order = splitter.columns, splitter.is_left, splitter.features.order
    for k in range(first, last):
        if needs == FOR_LEFT:
            gather_left(columns, order[k], node.start, node.end, is_left)
        elif needs == FOR_RIGHT:
            gather_right(columns, order[k], node.start, node.end, is_left)
        else:
            partition(columns, order[k], node.start, node.end, is_left, splitter.spare)


@door
def advance(builder, splitter, budget, large, node, split):
    """The builder, compiled with this splitter."""
    return explore(builder, splitter, budget, large, node, split)
