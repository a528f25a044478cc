"""The drawing splitter: classification trees whose nodes look at a few drawn features, as those of a random forest do.

It does the counting splitter's job (dense data, gini or entropy, weights that count), with the same scan of a sorted column
and so the same bits, but sorts only what is drawn: a node keeps its samples together, sorts them by each drawn feature
(:mod:`~minimal.tree.drawn_sorting_numba`), scans, and partitions the samples, nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.builder_numba import explore, rules_of
from minimal.tree.counting_scan_numba import (
    LEFT,
    NODE,
    RIGHT,
    Counter,
    impurity,
    label_of,
    table_of_x_log_x,
    weight_of,
)
from minimal.tree.counting_splitter_numba import (
    can_count,
    impurity_of_root,
    is_constant,
    label_bits,
    scan_feature,
    threshold_at,
    weight_bits,
    write_shares,
)
from minimal.tree.drawn_scan_numba import LARGEST_IN_BINS, n_of, scan_bins
from minimal.tree.drawn_sorting_numba import (
    SAME,
    BinDesk,
    ColumnDesk,
    RankTable,
    bin_feature,
    make_dense_table,
    make_rank_table,
    new_bin_desk,
    new_column_desk,
    sort_feature,
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
from minimal.tree.presorted_numba import Columns
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

LARGE = 2**62  # no node is too large for the compiled loop


class DrawingSplitter(NamedTuple):
    """One tree's samples, and what a node needs beside them.

    Attributes
    ----------
    table : RankTable
        Shared by all trees on the same X.
    values : ndarray of float32 of shape (n_samples, n_features)
        X.
    desk : BinDesk for two classes and gini with nothing missing, else ColumnDesk
        Where it sorts; chooses how a node looks at a feature, when the splitter is compiled.
    samples : ndarray of uint32 of shape (n_entries,)
        The low halves of entries, the weight and the label in each, in the order of the nodes.
    spare : ndarray of uint32 of shape (n_entries,)
    """

    table: RankTable
    values: NDArray[np.float32]
    desk: BinDesk | ColumnDesk
    samples: NDArray[np.uint32]
    spare: NDArray[np.uint32]
    shift: int
    counter: Counter
    features: Features
    rules: Rules
    total_weight: float


# ------------------------------------------------------------ in Python: once a tree


def can_grow(growth: Growth) -> bool:
    """A job for class counts that looks at fewer than half of the features."""
    return 2 * growth.max_features < growth.X.shape[1] and can_count(growth)


def new_splitter(growth: Growth, shared: Any) -> DrawingSplitter:
    """The splitter at the root."""
    n_samples, n_features = growth.X.shape
    weight, of_label, of_weight = growth.sample_weight, label_bits(growth), weight_bits(growth.sample_weight)
    low = np.arange(n_samples, dtype=np.uint32) << np.uint32(of_label + of_weight) | growth.y[:, 0].astype(np.uint32)
    total = n_samples
    if weight is not None:
        total = int(weight.sum())
        wanted = np.flatnonzero(weight)
        low = low[wanted] | (weight[wanted].astype(np.uint32) - np.uint32(1)) << np.uint32(of_label)
    counter = Counter(
        counts=np.zeros((3, int(growth.n_classes[0])), dtype=np.int64),
        x_log_x=table_of_x_log_x(total) if growth.criterion == "entropy" else np.empty(0, dtype=np.int64),
        label_mask=2**of_label - 1,
        weight_mask=2**of_weight - 1,
        label_bits=of_label,
    )
    desk: BinDesk | ColumnDesk
    if len(counter.x_log_x) == 0 and growth.n_classes[0] == 2 and growth.missing is None and total < LARGEST_IN_BINS:
        table, desk = shared.get("dense ranks", make_dense_table), new_bin_desk(n_samples, len(low))
    else:
        table = shared.get("ranks", make_rank_table)
        desk = new_column_desk(n_samples, len(low), of_label + of_weight)
    return DrawingSplitter(
        table=table,
        values=table.bits.view(np.float32),
        desk=desk,
        samples=low,
        spare=np.empty(len(low), dtype=np.uint32),
        shift=of_label + of_weight,
        counter=counter,
        features=new_features(n_features, growth.seed),
        rules=rules_of(growth),
        total_weight=float(total),
    )


def find_large_split(splitter: DrawingSplitter, node: Node) -> Split:
    return Split(*find_split_now(splitter, node))


@door
def find_split_now(splitter, node):
    return find_split(splitter, node)[:]  # a plain tuple, see explore()


@door
def advance(builder, splitter, budget, large, node, split):
    """The builder, compiled with this splitter."""
    return explore(builder, splitter, budget, large, node, split)


# ------------------------------------------------------------ the builder's questions


@answers(enter, DrawingSplitter)
def enter_node(splitter, start, end):
    """Count the classes."""
    return np.float64(count(splitter, NODE, start, end))


answers(root_impurity, DrawingSplitter)(impurity_of_root)
answers(write_value, DrawingSplitter)(write_shares)


@answers(find_split, DrawingSplitter)
def find_best_split(splitter, node):
    """Draw, sort, scan, one feature after the other; then partition the samples."""
    features = splitter.features
    best, feature, threshold, missing_left = -np.inf, -1, 0.0, False
    begin_draws(features, node.n_constants)
    place = next_feature(features, splitter.rules.max_features)
    while place >= 0:
        drawn = features.order[place]
        if best == 0.0:  # both sides are pure, nothing can be better
            constant = is_constant_unsorted(splitter, drawn, node.start, node.end)
        else:
            look = look_at(splitter.desk, splitter, node, drawn, best)
            constant = look.constant
            if look.found:
                best, feature, threshold, missing_left = look.value, drawn, look.threshold, look.missing_left
        if constant:
            set_constant(features, place)
        else:
            set_varying(features, place)
        place = next_feature(features, splitter.rules.max_features)
    n_constants = end_draws(features)
    if feature < 0:
        return Split(node.end, 0, 0.0, False, 0.0, node.impurity, node.impurity, 0.0, n_constants)
    return cut(splitter, node, feature, threshold, missing_left, n_constants)


class Look(NamedTuple):
    """What a feature has to offer: whether it is constant, and its best split, if it is the best so far (``found``)."""

    constant: bool
    found: bool
    value: float
    threshold: float
    missing_left: bool


def look_at(desk: Any, splitter: DrawingSplitter, node: Node, feature: int, best: float) -> Look:
    """Sort the node's samples by a feature and scan them for a split that is better than ``best``."""
    raise NotImplementedError


@answers(look_at, BinDesk)
def look_in_bins(desk, splitter, node, feature, best):
    start, end, bins = node.start, node.end, desk.bins
    n_bins = bin_feature(splitter.table, desk, splitter.samples, splitter.shift, feature, start, end)
    is_apart = splitter.table.is_apart[feature]
    if not is_apart and bins.value[n_bins - 1] <= bins.value[0] + SAME:
        return Look(True, False, best, 0.0, False)
    value, k = scan_bins(bins, n_bins, is_apart, splitter.rules, best)
    if k < 0:
        return Look(False, False, best, 0.0, False)
    threshold = np.float64(bins.value[k]) / 2.0 + np.float64(bins.value[k + 1]) / 2.0
    n_left = n_of(bins.sums[k])
    return Look(False, True, value, threshold, n_left > end - start - n_left)


class InColumn(NamedTuple):
    """What the counting splitter's scan needs of a splitter."""

    columns: Columns
    counter: Counter
    rules: Rules


@answers(look_at, ColumnDesk)
def look_in_column(desk, splitter, node, feature, best):
    n, values = node.end - node.start, desk.column.values
    sort_feature(splitter.table, desk, splitter.samples, splitter.shift, feature, node.start, node.end)
    if not splitter.table.is_apart[feature] and is_constant(values, 0, 0, n):
        return Look(True, False, best, 0.0, False)
    scanned = InColumn(desk.column, splitter.counter, splitter.rules)
    in_column = Node(0, n, 0, 0, False, 0, 0.0, node.weight, 0.0, 0.0)
    value, where, missing_left = scan_feature(scanned, in_column, 0, best)
    if where < 0:
        return Look(False, False, best, 0.0, False)
    return Look(False, True, value, threshold_at(values, 0, where), missing_left)


@kernel
def count(splitter, row, start, end):
    """Count the classes of some samples into a row of the counts, and return their weight."""
    counter, samples = splitter.counter, splitter.samples
    counted = counter.counts
    counted[row] = 0
    weight = 0
    for i in range(np.uintp(start), np.uintp(end)):
        low = np.uint64(samples[i])
        step = weight_of(counter, low)
        counted[row, label_of(counter, low)] += step
        weight += step
    return weight


@kernel
def is_constant_unsorted(splitter, feature, start, end):
    """The same as ``is_constant``, for samples that were not sorted."""
    if splitter.table.is_apart[feature]:
        return False
    smallest, largest, n_missing = np.float32(np.inf), np.float32(-np.inf), 0
    for i in range(start, end):
        value = splitter.values[np.uintp(splitter.samples[i] >> np.uint32(splitter.shift)), feature]
        if np.isnan(value):
            n_missing += 1
        else:
            smallest, largest = min(smallest, value), max(largest, value)
    return n_missing == end - start or (n_missing == 0 and largest <= smallest + SAME)


@inlined
def cut(splitter, node, feature, threshold, missing_left, n_constants):
    """The split of a node at a threshold; the samples are partitioned."""
    counter = splitter.counter
    position = partition_samples(splitter, node.start, node.end, feature, threshold, missing_left)
    left = np.float64(count(splitter, LEFT, node.start, position))
    right = node.weight - left
    for c in range(counter.counts.shape[1]):
        counter.counts[RIGHT, c] = counter.counts[NODE, c] - counter.counts[LEFT, c]
    impurity_left, impurity_right = impurity(counter, LEFT, left), impurity(counter, RIGHT, right)
    improvement = (node.weight / splitter.total_weight) * (
        node.impurity - right / node.weight * impurity_right - left / node.weight * impurity_left
    )
    return Split(
        position, feature, threshold, missing_left, improvement, impurity_left, impurity_right, 0.0, n_constants
    )


@inlined
def partition_samples(splitter, start, end, feature, threshold, missing_left):
    """Bring the left child's samples to the front, both sides in their old order; return where the right ones begin."""
    samples, spare, values = splitter.samples, splitter.spare, splitter.values
    left, right, feature, shift = np.uintp(start), np.uintp(0), np.uintp(feature), np.uint32(splitter.shift)
    for i in range(np.uintp(start), np.uintp(end)):
        low = samples[i]
        value = values[np.uintp(low >> shift), feature]
        goes_left = np.uintp((np.float64(value) <= threshold) | (missing_left & np.isnan(value)))
        samples[left] = low
        spare[right] = low
        left += goes_left
        right += np.uintp(1) - goes_left
    for i in range(right):
        samples[left + i] = spare[i]
    return np.int64(left)
