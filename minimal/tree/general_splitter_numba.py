"""The splitter that can do everything: any criterion, any weights, missing values, constraints, dense or sparse data.

A search looks at one feature after the other, in an order drawn at random, and remembers the best split so far.  *Best* tries
every place between two different values of a feature: it sorts the node's samples by the feature and moves the criterion from
left to right.  *Random* draws one threshold between the smallest and the largest value.  The first of equal proxies wins.

What a search needs is exchangeable, and each kind is compiled only when it is used: the criterion
(:mod:`~minimal.tree.criteria_numba`, :mod:`~minimal.tree.medians_numba`) and the arrangement of the samples
(:mod:`~minimal.tree.dense_numba`, :mod:`~minimal.tree.sparse_numba`).
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.tree.builder_numba import explore, rules_of
from minimal.tree.criteria_numba import (
    LEFT,
    NODE,
    RIGHT,
    children_impurity,
    children_values,
    middle_value,
    move_to,
    new_means,
    new_shares,
    node_impurity,
    proxy,
    restart,
    sum_up,
    write_node_value,
)
from minimal.tree.dense_numba import (
    SAME,
    Dense,
    begin_node,
    cut_at,
    cut_by,
    extremes,
    next_cut,
    put_missing_first,
    sort_by,
)
from minimal.tree.features_numba import (
    Features,
    begin_draws,
    draw,
    end_draws,
    new_features,
    next_feature,
    set_constant,
    set_varying,
)
from minimal.tree.growth import Growth
from minimal.tree.splitting_numba import (
    Node,
    Rules,
    Split,
    answers,
    door,
    enter,
    find_split,
    inlined,
    root_impurity,
    write_value,
)

LARGE = 4_000_000  # samples times features
GAIN, THRESHOLD = range(2)  # in best_numbers
FEATURE, CUT, MISSING_LEFT, LAST_FEATURE = range(4)  # in best_places


class BestSplitter(NamedTuple):
    """Tries every cut.  ``best_numbers`` and ``best_places`` describe the best split so far in this node."""

    data: Any
    criterion: Any
    features: Features
    rules: Rules
    monotonic: NDArray[np.int8]
    best_numbers: NDArray[np.float64]
    best_places: NDArray[np.int64]
    total_weight: float


class RandomSplitter(NamedTuple):
    """Tries one random cut a feature."""

    data: Any
    criterion: Any
    features: Features
    rules: Rules
    monotonic: NDArray[np.int8]
    best_numbers: NDArray[np.float64]
    best_places: NDArray[np.int64]
    total_weight: float


# ------------------------------------------------------------ in Python


def can_grow(growth: Growth) -> bool:
    """Everything."""
    return True


def new_splitter(growth: Growth, shared: Any) -> BestSplitter | RandomSplitter:
    """The splitter of one tree."""
    n_samples, n_features = growth.X.shape
    weight = np.ones(n_samples) if growth.sample_weight is None else as_kernel_input(growth.sample_weight)
    samples = np.flatnonzero(weight)
    kind = RandomSplitter if growth.splitter == "random" else BestSplitter
    return kind(
        data=new_data(growth, shared, samples),
        criterion=new_criterion(growth, weight),
        features=new_features(n_features, growth.seed),
        rules=rules_of(growth),
        monotonic=np.empty(0, dtype=np.int8) if growth.monotonic_cst is None else growth.monotonic_cst,
        best_numbers=np.zeros(2),
        best_places=np.zeros(4, dtype=np.int64),
        total_weight=float(np.cumsum(weight)[-1]),  # one after the other, not by pairs
    )


def new_criterion(growth: Growth, weight: NDArray[np.float64]) -> Any:
    """The criterion of a growth."""
    y = as_kernel_input(growth.y)
    if growth.is_classification:
        return new_shares(y, weight, growth.n_classes, growth.criterion)
    if growth.criterion == "absolute_error":
        from minimal.tree.medians_numba import new_medians

        return new_medians(y, weight)
    return new_means(y, weight, growth.criterion)


def new_data(growth: Growth, shared: Any, samples: NDArray[np.int64]) -> Any:
    """X and the tree's samples."""
    n_samples, n_features = growth.X.shape
    values = np.empty(n_samples, dtype=np.float32)
    if not isinstance(growth.X, np.ndarray):
        from minimal.tree.sparse_numba import new_sparse

        return new_sparse(growth.X, samples, values)
    missing = np.zeros(n_features, dtype=np.bool_) if growth.missing is None else growth.missing
    columns = shared.get("columns", columns_of)
    return Dense(columns, missing, samples, values, np.empty_like(samples))


def columns_of(X: NDArray[np.float32], missing: object) -> NDArray[np.float32]:
    """X with each feature in one stretch of memory, shape (n_features, n_samples)."""
    return as_kernel_input(np.ascontiguousarray(X.T))


def find_large_split(splitter: Any, node: Node) -> Split:
    """The split of a large node, one feature after the other."""
    begin_large(splitter, node)
    while look_at_large(splitter, node):
        pass
    return Split(*end_large(splitter, node))


# ------------------------------------------------------------ compiled


@door
def advance(builder, splitter, budget, large, node, split):
    """The builder, compiled with this splitter."""
    return explore(builder, splitter, budget, large, node, split)


@door
def begin_large(splitter, node):
    """:func:`begin_search` for Python."""
    begin_search(splitter, node)


@door
def look_at_large(splitter, node):
    """:func:`look_at_next` for Python."""
    return look_at_next(splitter, node)


@door
def end_large(splitter, node):
    """:func:`end_search` for Python."""
    return end_search(splitter, node)[:]  # a plain tuple, see explore()


@answers(enter, BestSplitter, RandomSplitter)
def enter_node(splitter, start, end):
    sum_up(splitter.criterion, splitter.data.samples, start, end)
    return splitter.criterion.weights[NODE]


@answers(root_impurity, BestSplitter, RandomSplitter)
def root_impurity_of(splitter, start, end):
    return node_impurity(splitter.criterion, splitter.data.samples)


@answers(write_value, BestSplitter, RandomSplitter)
def write_value_of(splitter, node, values, i):
    write_node_value(splitter.criterion, values, i)


@answers(find_split, BestSplitter, RandomSplitter)
def find_split_of(splitter, node):
    begin_search(splitter, node)
    while look_at_next(splitter, node):
        pass
    return end_search(splitter, node)


@inlined
def begin_search(splitter, node):
    """No split yet."""
    splitter.best_numbers[GAIN] = -inf
    splitter.best_numbers[THRESHOLD] = 0.0
    splitter.best_places[FEATURE], splitter.best_places[CUT] = 0, node.end
    splitter.best_places[MISSING_LEFT] = 0
    splitter.best_places[LAST_FEATURE] = -1
    begin_draws(splitter.features, node.n_constants)
    begin_node(splitter.data, node.start, node.end)


@inlined
def look_at_next(splitter, node):
    """Draw a feature and look for better splits by it; False: there was none left to draw."""
    features = splitter.features
    place = next_feature(features, splitter.rules.max_features)
    if place < 0:
        return False
    feature = features.order[place]
    splitter.best_places[LAST_FEATURE] = feature
    if try_feature(splitter, node, feature):
        set_varying(features, place)
    else:
        set_constant(features, place)
    return True


def try_feature(splitter: Any, node: Node, feature: int) -> bool:
    """Compare the splits by one feature with the best so far; False: the feature is constant in this node."""
    raise NotImplementedError


@inlined
def end_search(splitter, node):
    """Cut the node at the best split, and work out the impurities of its children."""
    n_constants = end_draws(splitter.features)
    data, criterion = splitter.data, splitter.criterion
    feature, position = splitter.best_places[FEATURE], splitter.best_places[CUT]
    threshold, missing_left = splitter.best_numbers[THRESHOLD], splitter.best_places[MISSING_LEFT] != 0
    left = right = inf
    improvement, middle = -inf, 0.0
    if position < node.end:
        if not_cut_yet(splitter, feature):
            cut_by(data, feature, threshold, missing_left, node.start, node.end)
        restart(criterion, data.samples)
        move_to(criterion, data.samples, position)
        left, right = children_impurity(criterion, data.samples)
        improvement = gain_of(criterion.weights, node.impurity, left, right, splitter.total_weight)
        if len(splitter.monotonic) > 0:
            middle = middle_value(criterion)
    return Split(position, feature, threshold, missing_left, improvement, left, right, middle, n_constants)


def not_cut_yet(splitter: Any, feature: int) -> bool:
    """Must the samples still be cut by the best feature?"""
    raise NotImplementedError


@inlined
def gain_of(weights, impurity, left, right, total_weight):
    """W / W_tree * (impurity - W_right / W * right - W_left / W * left)."""
    node = weights[NODE]
    return (node / total_weight) * (impurity - (weights[RIGHT] / node * right) - (weights[LEFT] / node * left))


@inlined
def is_large_enough(splitter):
    """Are both children heavy enough?"""
    weights, least = splitter.criterion.weights, splitter.rules.min_weight_leaf
    return not (weights[LEFT] < least or weights[RIGHT] < least)


@inlined
def is_monotonic(splitter, node, feature):
    """Do the children's values keep to the feature's constraint and to the node's bounds?"""
    if len(splitter.monotonic) == 0 or splitter.monotonic[feature] == 0:
        return True
    left, right = children_values(splitter.criterion)
    return (
        left >= node.lower
        and right >= node.lower
        and left <= node.upper
        and right <= node.upper
        and (left - right) * splitter.monotonic[feature] <= 0
    )


@inlined
def keep(splitter, gain, feature, position, threshold, missing_left):
    """This is the best split so far."""
    splitter.best_numbers[GAIN], splitter.best_numbers[THRESHOLD] = gain, threshold
    splitter.best_places[FEATURE], splitter.best_places[CUT] = feature, position
    splitter.best_places[MISSING_LEFT] = missing_left


# ------------------------------------------------------------ every cut


@answers(try_feature, BestSplitter)
def try_all_cuts(splitter, node, feature):
    data, start, end = splitter.data, node.start, node.end
    n_missing = sort_by(data, feature, start, end)
    if n_missing == end - start:
        return False
    if n_missing == 0 and data.values[end - 1] <= data.values[start] + SAME:
        return False
    for missing_left in (False, True):
        if missing_left:
            if n_missing == 0:
                break
            put_missing_first(data, start, end, n_missing)
        scan(splitter, node, feature, n_missing, missing_left)
    return True


@inlined
def scan(splitter, node, feature, n_missing, missing_left):
    """Move the criterion over the sorted samples, and try each cut between two values."""
    data, criterion, least = splitter.data, splitter.criterion, splitter.rules.min_samples_leaf
    start, end = node.start, node.end
    values = data.values
    restart(criterion, data.samples)
    p = start
    while p < end:
        before, p = next_cut(data, p, start, end, n_missing, missing_left)
        if p == end or p - start < least or end - p < least:
            continue
        move_to(criterion, data.samples, p)
        if not is_monotonic(splitter, node, feature) or not is_large_enough(splitter):
            continue
        gain = proxy(criterion)
        if gain > splitter.best_numbers[GAIN]:
            if n_missing > 0 and not missing_left and p == end - n_missing:
                threshold = inf  # all that is known goes left
            else:
                threshold = np.float64(values[before]) / 2.0 + np.float64(values[p]) / 2.0
            goes_left = missing_left if n_missing > 0 else p - start > end - p
            keep(splitter, gain, feature, p, threshold, goes_left)


@answers(not_cut_yet, BestSplitter)
def never_cut(splitter, feature):
    return True


# ------------------------------------------------------------ one random cut


@answers(try_feature, RandomSplitter)
def try_random_cut(splitter, node, feature):
    data, criterion, start, end = splitter.data, splitter.criterion, node.start, node.end
    low, high, n_missing = extremes(data, feature, start, end)
    if n_missing == end - start or (n_missing == 0 and high <= low + SAME):
        return False
    threshold, missing_left = draw_cut(splitter.features, np.float64(low), np.float64(high), n_missing > 0)
    p = cut_at(data, threshold, missing_left, start, end)
    if min(p - start, end - p) < splitter.rules.min_samples_leaf:
        return True
    restart(criterion, data.samples)
    move_to(criterion, data.samples, p)
    if is_large_enough(splitter) and is_monotonic(splitter, node, feature):
        gain = proxy(criterion)
        if gain > splitter.best_numbers[GAIN]:
            keep(splitter, gain, feature, p, threshold, missing_left if n_missing > 0 else p - start > end - p)
    return True


@inlined
def draw_cut(features, low, high, has_missing):
    """A threshold in [low, high), and the side of the missing values."""
    threshold = (high - low) * draw(features, 0, 2**31) / (2**31 - 1) + low
    missing_left = has_missing and draw(features, 0, 2) == 1
    return (low if threshold == high else threshold), missing_left


@answers(not_cut_yet, RandomSplitter)
def is_other_feature(splitter, feature):
    return splitter.best_places[LAST_FEATURE] != feature
