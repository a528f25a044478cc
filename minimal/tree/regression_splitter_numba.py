"""The splitter for regression: squared error, dense data without missing values, one target.

Two ways to find the split of a node, with the same bits:

- *by columns*: every feature has been sorted once, at the root (:mod:`~minimal.tree.presorted_numba`), and is only scanned.
- *by replay*: the drawn features are sorted in the node as scikit-learn does.  That is how small nodes are split, and all of
  them when a node looks at few of the features, where it would not pay to keep the others sorted, or when most features have
  ties that matter (below), where the columns would seldom help.

What stands between the two are ties.  scikit-learn sorts one and the same array of samples by one feature after another,
so samples of equal value come out in an order that depends on the features before, and sums over them differ in the last
bit.  By columns that order is unknown, but it rarely matters:

1. A feature without ties in the node has one sorted order: its gains are exact, and it wipes out all order before it.
2. The gains of a tied feature are known up to a bound on what sums can lose in any order, the *slack*.  Unless the best
   gain has a rival within the slack, the best cut is known.  Else the tied features are replayed and looked at again.
3. The order after the last feature decides how the children's samples stand, and so the bits of their sums.  Only the
   features behind the last one without ties have to be replayed for it.

If all sums are exact whatever their order (whole numbers that are not too large, say), nothing is ever replayed for ties.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.threads import run_blocks
from minimal.tree.builder_numba import NO_GAIN_LIMIT, explore, rules_of
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
    Columns,
    as_columns,
    choose_entries,
    gather_left,
    gather_right,
    key_of,
    mark_sides,
    partition,
    sort_columns,
)
from minimal.tree.regression_facts_numba import Facts, Keys, is_mostly_tied, keys_of, sums_are_exact
from minimal.tree.regression_replay_numba import HALF, ONE, ROOM, replay, unpack_stretch
from minimal.tree.regression_scan_numba import SAME, Limits, Sums, scan, value_at
from minimal.tree.splitting_numba import (
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

LARGE = 2_000_000  # samples times features of a node that is split feature by feature, from Python
SMALL = 10  # samples of a node that is split by replay in any case
FEW = 0.4  # the share of the features below which no columns are kept
WORTH_A_THREAD = 100_000  # samples of a node whose features are shared among threads
FIRST_ROW = np.int64(0)  # of another type than 0, for which Numba would compile a scan of its own
U = 2.0**-53  # what rounding a sum loses, relative to it

TOTAL_Y, TOTAL_SQUARES, TOTAL_WEIGHT, TOTAL_SIZE = range(4)  # places in Regression.totals

LISTED = np.dtype(
    [(name, np.float64) for name in ("gain", "second", "threshold")]
    + [(name, np.int64) for name in ("feature", "position", "tied", "key")]
)


class Regression(NamedTuple):
    """The splitter.

    Attributes
    ----------
    samples : ndarray of uint32 of shape (n_entries,)
        In scikit-learn's order at the entry of every node, if order matters.
    columns : Columns
        Sorted; of no entries if there are none.
    replayed : Columns
        One row, into which features are sorted.
    squares, weighted_y, weight : ndarray of float64 of shape (n_samples,)
        w y y, w y and w; ``weight`` is empty if all are one.
    listed : ndarray of LISTED of shape (n_features,)
        The features that the node sorts, in the order of the draw, and the best cut of each.
    n_listed : ndarray of int64 of shape (1,)
    totals : ndarray of float64 of shape (4,)
        The node's sums of w y, w y y, w and abs(w y).
    is_left, aside, n_ties, spare, waiting : ndarray
        Room to work.
    """

    rules: Rules
    facts: Facts
    features: Features
    keys: Keys
    samples: NDArray[np.uint32]
    columns: Columns
    replayed: Columns
    weighted_y: NDArray[np.float64]
    squares: NDArray[np.float64]
    weight: NDArray[np.float64]
    reciprocal: NDArray[np.float64]
    listed: np.ndarray
    n_listed: NDArray[np.int64]
    totals: NDArray[np.float64]
    is_left: NDArray[np.uint8]
    aside: NDArray[np.uint64]
    n_ties: NDArray[np.int64]
    spare: NDArray[np.uint64]
    waiting: NDArray[np.int64]


# ------------------------------------------------------------ in Python: can it, and begin


def can_grow(growth: Growth) -> bool:
    """Squared error of one target, the best cut of dense and complete data, no monotonicity constraints."""
    return (
        growth.criterion in ("squared_error", "friedman_mse")
        and growth.splitter == "best"
        and growth.y.shape[1] == 1
        and isinstance(growth.X, np.ndarray)
        and growth.missing is None
        and growth.monotonic_cst is None
        and len(growth.X) < 2**31
    )


def new_splitter(growth: Growth, shared: Any) -> Regression:
    """The splitter of one tree."""
    n_samples, n_features = growth.X.shape
    y, weight = growth.y[:, 0], growth.sample_weight
    samples = np.arange(n_samples) if weight is None else np.flatnonzero(weight)
    w = np.empty(0) if weight is None else weight
    weighted_y = y.copy() if weight is None else weight * y
    squares = weighted_y * y
    order_matters = not all(sums_are_exact(terms) for terms in (weighted_y, squares, w))
    has_columns = growth.max_features >= FEW * n_features and not (
        order_matters and shared.get("ties", lambda X, missing: is_mostly_tied(X))
    )
    n = len(samples)
    return Regression(
        rules=rules_of(growth),
        facts=Facts(
            order_matters=order_matters,
            has_columns=has_columns,
            whole_weights=bool((w == np.rint(w)).all()) and sums_are_exact(w),
            keeps_all=growth.max_leaf_nodes > 0,
            largest=float(np.abs(y[samples]).max(initial=0.0)),
            weight=float(n_samples) if weight is None else float(np.add.accumulate(weight)[-1]),
        ),
        features=new_features(n_features, growth.seed),
        keys=shared.get("keys", lambda X, missing: keys_of(X)),
        samples=samples.astype(np.uint32),
        columns=sorted_columns(shared, samples, n_samples)
        if has_columns
        else as_columns(np.empty((n_features, 0), np.uint64), 0),
        replayed=as_columns(np.zeros((1, n + 1), np.uint64), 0),
        weighted_y=weighted_y,
        squares=squares,
        weight=w,
        reciprocal=1.0 / np.maximum(np.arange(n + 1), 1),
        listed=np.zeros(n_features, LISTED),
        n_listed=np.zeros(1, np.int64),
        totals=np.zeros(4),
        is_left=np.zeros(n_samples, np.uint8),
        aside=np.empty(2 * n + 1, np.uint64),
        n_ties=np.empty(n, np.int64),
        spare=np.empty(n, np.uint64),
        waiting=np.empty((ROOM, 3), np.int64),
    )


def sorted_columns(shared: Any, samples: NDArray[np.int64], n_samples: int) -> Columns:
    """The sorted columns of a tree's samples, which it may partition."""
    every = shared.get("sorted columns", lambda X, missing: sort_columns(X))
    if len(samples) == n_samples:
        return as_columns(every.words.copy(), 0)
    wanted = np.zeros(n_samples, bool)
    wanted[samples] = True
    return choose_entries(every, np.zeros(n_samples, np.uint32), wanted, len(samples), 0)


# ------------------------------------------------------------ the builder's questions


@answers(enter, Regression)
def enter_node(splitter, start, end):
    """Sums over the samples, in their order."""
    y, squares, weight, size = 0.0, 0.0, 0.0, 0.0
    unit = len(splitter.weight) == 0
    for p in range(np.uintp(start), np.uintp(end)):
        sample = np.uintp(splitter.samples[p])
        term = splitter.weighted_y[sample]
        y += term
        size += abs(term)
        squares += splitter.squares[sample]
        if not unit:
            weight += splitter.weight[sample]
    totals = splitter.totals
    totals[TOTAL_Y], totals[TOTAL_SQUARES], totals[TOTAL_SIZE] = y, squares, size
    totals[TOTAL_WEIGHT] = float(end - start) if unit else weight
    return totals[TOTAL_WEIGHT]


@answers(root_impurity, Regression)
def impurity_of_root(splitter, start, end):
    """Mean of the squares less the square of the mean."""
    mean = splitter.totals[TOTAL_Y] / splitter.totals[TOTAL_WEIGHT]
    return splitter.totals[TOTAL_SQUARES] / splitter.totals[TOTAL_WEIGHT] - mean * mean


@answers(write_value, Regression)
def write_mean(splitter, node, values, i):
    """The mean."""
    values[i, 0, 0] = splitter.totals[TOTAL_Y] / splitter.totals[TOTAL_WEIGHT]


@answers(find_split, Regression)
def find_regression_split(splitter, node):
    """By columns or by replay."""
    if goes_by_columns(splitter, node):
        list_features(splitter, node)
        slack = slack_of(splitter, node)
        for k in range(splitter.n_listed[0]):
            scan_listed(splitter, node, k, slack)
        for k in range(first_to_order(splitter, node), splitter.n_listed[0]):
            order_by_listed(splitter, node, k)
        split = cut_node(splitter, node)
        sides = sides_to_keep(splitter, node, split)
        if sides > 0:
            for k in range(n_columns_to_keep(splitter, split)):
                keep_column(splitter, node, split, sides, k)
        return split
    begin_replay(splitter, node)
    while replay_next(splitter, node):
        pass
    return cut_node(splitter, node)


# ------------------------------------------------------------ the same for large nodes, from Python


def find_large_split(splitter: Regression, node: Any) -> Any:
    """``find_split``, one feature at a time."""
    if not call_goes_by_columns(splitter, node):
        call_begin_replay(splitter, node)
        while call_replay_next(splitter, node):
            pass
        return Split(*call_cut_node(splitter, node))
    call_list_features(splitter, node)
    n = int(splitter.n_listed[0])
    each = run_blocks if node.end - node.start >= WORTH_A_THREAD else one_after_another
    each(lambda k: call_scan_listed(splitter, node, k), n)
    for k in range(call_first_to_order(splitter, node), n):
        call_order_by_listed(splitter, node, k)
    split = Split(*call_cut_node(splitter, node))
    sides = call_sides_to_keep(splitter, node, split)
    if sides > 0:
        each(
            lambda k: call_keep_column(splitter._replace(spare=np.empty_like(splitter.spare)), node, split, sides, k),
            call_n_columns_to_keep(splitter, split),
        )
    return split


def one_after_another(work: Any, n: int) -> None:
    """``run_blocks`` without threads."""
    for k in range(n):
        work(k)


# ------------------------------------------------------------ by columns


@inlined
def goes_by_columns(splitter, node):
    """Are the columns of this node sorted?"""
    return splitter.facts.has_columns and node.end - node.start > SMALL


@inlined
def list_features(splitter, node):
    """Draw the features that the node sorts.  (scikit-learn sorts a feature before it can see that it is constant.)"""
    features, columns = splitter.features, splitter.columns
    first, last = np.uintp(node.start), np.uintp(node.end - 1)
    n = 0
    begin_draws(features, node.n_constants)
    place = next_feature(features, splitter.rules.max_features)
    while place >= 0:
        feature = features.order[place]
        smallest, largest = value_at(columns, feature, first), value_at(columns, feature, last)
        if smallest < largest:
            splitter.listed[n].feature = feature
            n += 1
        if largest <= smallest + SAME:
            set_constant(features, place)
        else:
            set_varying(features, place)
        place = next_feature(features, splitter.rules.max_features)
    splitter.n_listed[0] = n


@inlined
def scan_listed(splitter, node, k, slack):
    """Find the best cut of a listed feature, up to the slack if it has ties."""
    note_best(splitter, node, splitter.columns, splitter.listed[k].feature, k, slack)


@inlined
def note_best(splitter, node, columns, row, k, slack):
    """Scan a sorted row, and keep what is found."""
    rules, totals, listed = splitter.rules, splitter.totals, splitter.listed
    total, weight = totals[TOTAL_Y], totals[TOTAL_WEIGHT]
    sums = Sums(splitter.weighted_y, splitter.weight, splitter.reciprocal, total, weight)
    limits = Limits(rules.min_samples_leaf, rules.min_weight_leaf)
    best = scan(columns, row, node.start, node.end, sums, limits, slack)
    listed[k].gain, listed[k].second, listed[k].position = best.gain, best.second, best.position
    listed[k].tied = best.tied and splitter.facts.order_matters
    if best.position < node.end:
        i = np.uintp(best.position)
        listed[k].key = key_of(np.uint32(columns.words[row, i - ONE] >> HALF))
        below, above = value_at(columns, row, i - ONE), value_at(columns, row, i)
        listed[k].threshold = np.float64(below) / 2.0 + np.float64(above) / 2.0


@inlined
def slack_of(splitter, node):
    """By how much a gain can differ, at most, when its sums are added up in another order, twice.

    A sum S of n terms in any order, also what is left of a total, is within d = 5 n u A of any other, with A the sum of the
    terms' magnitudes and u the unit roundoff; and S**2 / W within 2 M d + 3 d**2, for weights W >= 1 that add up exactly
    and targets of at most M: 2 |S| d / W + d**2 / W with |S| <= M W + d.  A gain has two such terms.
    """
    if not splitter.facts.order_matters:
        return 0.0
    d = 5.0 * (node.end - node.start) * U * splitter.totals[TOTAL_SIZE]
    return 16.0 * d * (splitter.facts.largest + d)


@inlined
def best_listed(splitter):
    """The listed feature with the largest gain, the first of equal ones; -1 if none has a cut."""
    best, gain = -1, -np.inf
    for k in range(splitter.n_listed[0]):
        if splitter.listed[k].gain > gain:
            best, gain = k, splitter.listed[k].gain
    return best


@inlined
def is_certain(splitter, node):
    """Is the best cut the best one in whatever order the ties come?"""
    listed, n = splitter.listed, splitter.n_listed[0]
    best = best_listed(splitter)
    any_tied = False
    for k in range(n):
        any_tied |= listed[k].tied != 0
    if not any_tied:
        return True
    if best < 0:
        return len(splitter.weight) == 0  # weights may reach the smallest leaf in one order and not in another
    if not splitter.facts.whole_weights:
        return False
    near = listed[best].gain - slack_of(splitter, node)
    if listed[best].tied and listed[best].second >= near:
        return False
    n_rivals = 0
    for k in range(n):
        n_rivals += k != best and (listed[k].tied or listed[best].tied) and listed[k].gain >= near
    return n_rivals == 0


@inlined
def first_to_order(splitter, node):
    """From which listed feature on the samples have to be put in order; prepares them for it.

    Behind the last feature without ties, or from the beginning if the best cut is in doubt.
    """
    n, listed = splitter.n_listed[0], splitter.listed
    if not splitter.facts.order_matters:
        return n
    first = 0
    in_doubt = not is_certain(splitter, node)
    for k in range(n):
        if listed[k].tied and not in_doubt:
            listed[k].tied = 2  # sort, but do not look again
        elif not listed[k].tied and not in_doubt:
            first = k
    load_samples(splitter, node)
    return first


@inlined
def load_samples(splitter, node):
    """Begin with the samples as they stand at the node's entry."""
    for p in range(np.uintp(node.start), np.uintp(node.end)):
        splitter.replayed.words[0, p] = np.uint64(splitter.samples[p])


@inlined
def order_by_listed(splitter, node, k):
    """Put the samples in the order in which scikit-learn's sort leaves them; look again at a feature in doubt."""
    start, end = np.uintp(node.start), np.uintp(node.end)
    feature, tied = splitter.listed[k].feature, splitter.listed[k].tied
    words, columns = splitter.replayed.words, splitter.columns
    if not tied:
        for p in range(start, end):
            words[0, p] = columns.words[feature, p]
        return
    gather_keys(splitter, feature, node.start, node.end)
    count_ties(columns, feature, node.start, node.end, splitter.n_ties)
    known = columns.words[feature, node.start : node.end]
    replay(words[0], node.start, node.end, known, splitter.n_ties, splitter.aside, splitter.waiting)
    if tied == 1:
        for p in range(start, end):
            words[0, p] = columns.words[feature, p] & ~LOW_HALF | words[0, p] & LOW_HALF
        note_best(splitter, node, splitter.replayed, FIRST_ROW, k, 0.0)


@inlined
def count_ties(columns, feature, start, end, n_ties):
    """How many pairs of equal neighbours there are up to each entry."""
    n = 0
    n_ties[0] = 0
    value = value_at(columns, feature, np.uintp(start))
    for i in range(np.uintp(start + 1), np.uintp(end)):
        before, value = value, value_at(columns, feature, i)
        n += value == before
        n_ties[i - np.uintp(start)] = n


@inlined
def sides_to_keep(splitter, node, split):
    """Of which children the columns will be looked at: 1 left, 2 right, 3 both, 0 none."""
    if split.position == node.end:
        return 0
    left = needs_columns(splitter.rules, node.depth + 1, split.position - node.start, split.impurity_left)
    right = needs_columns(splitter.rules, node.depth + 1, node.end - split.position, split.impurity_right)
    return np.int64(left) + 2 * np.int64(right)


@inlined
def needs_columns(rules, depth, n, impurity):
    """Might a child be split, by columns?"""
    enough = n > SMALL and n >= rules.min_samples_split and n >= 2 * rules.min_samples_leaf
    return enough and depth < rules.max_depth and impurity > NO_GAIN_LIMIT


@inlined
def n_columns_to_keep(splitter, split):
    """How many columns are partitioned: those of features that are not known to be constant."""
    return len(splitter.features.order) - (0 if splitter.facts.keeps_all else split.n_constants)


@inlined
def keep_column(splitter, node, split, sides, k):
    """Partition a column."""
    feature = splitter.features.order[k + (0 if splitter.facts.keeps_all else split.n_constants)]
    if feature == split.feature:
        return
    if sides == 3:
        partition(splitter.columns, feature, node.start, node.end, splitter.is_left, splitter.spare)
    elif sides == 1:
        gather_left(splitter.columns, feature, node.start, node.end, splitter.is_left)
    else:
        gather_right(splitter.columns, feature, node.start, node.end, splitter.is_left)


# ------------------------------------------------------------ by replay


@inlined
def begin_replay(splitter, node):
    """A node without columns."""
    begin_draws(splitter.features, node.n_constants)
    load_samples(splitter, node)
    splitter.n_listed[0] = 0


@inlined
def replay_next(splitter, node):
    """Draw a feature, sort by it and find its best cut; False if there is nothing more to draw."""
    features, replayed, start, end = splitter.features, splitter.replayed, node.start, node.end
    place = next_feature(features, splitter.rules.max_features)
    if place < 0:
        return False
    feature = features.order[place]
    if gather_keys(splitter, feature, start, end):
        set_constant(features, place)
        return True
    replay(replayed.words[0], start, end, splitter.aside[:0], splitter.n_ties, splitter.aside, splitter.waiting)
    unpack_stretch(replayed.words[0], start, end)
    if value_at(replayed, 0, np.uintp(end - 1)) <= value_at(replayed, 0, np.uintp(start)) + SAME:
        set_constant(features, place)
        return True
    set_varying(features, place)
    k = splitter.n_listed[0]
    splitter.n_listed[0] += 1
    splitter.listed[k].feature = feature
    note_best(splitter, node, replayed, FIRST_ROW, k, 0.0)
    return True


@inlined
def gather_keys(splitter, feature, start, end):
    """Give each sample in order the key of its value; are all values the same?"""
    words, keys = splitter.replayed.words, splitter.keys
    column, row_step = np.uintp(feature * keys.column_step), np.uintp(keys.row_step)
    first = keys.flat[column + row_step * np.uintp(words[0, start] & LOW_HALF)]
    differs = np.uint32(0)
    for p in range(np.uintp(start), np.uintp(end)):
        sample = words[0, p] & LOW_HALF
        key = keys.flat[column + row_step * np.uintp(sample)]
        differs |= key ^ first
        words[0, p] = np.uint64(key) << HALF | sample
    return differs == 0


# ------------------------------------------------------------ the cut


@inlined
def cut_node(splitter, node):
    """Cut the node where the best gain is, and hand the samples on in scikit-learn's order."""
    best = best_listed(splitter)
    n_constants = end_draws(splitter.features)
    if best < 0:
        return Split(node.end, 0, 0.0, False, 0.0, 0.0, 0.0, 0.0, n_constants)
    cut = splitter.listed[best]
    if goes_by_columns(splitter, node):
        mark_sides(splitter.columns, cut.feature, node.start, node.end, cut.position, 0, splitter.is_left)
        if not splitter.facts.order_matters:
            for p in range(np.uintp(node.start), np.uintp(node.end)):
                splitter.samples[p] = np.uint32(splitter.columns.words[cut.feature, p] & LOW_HALF)
    else:
        mark_by_key(splitter, node, cut.feature, cut.key)
    if splitter.facts.order_matters or not goes_by_columns(splitter, node):
        part_samples(splitter, node)
    left, right, improvement = impurities(splitter, node, cut.position)
    n_left, n_right = cut.position - node.start, node.end - cut.position
    return Split(cut.position, cut.feature, cut.threshold, n_left > n_right, improvement, left, right, 0.0, n_constants)


@inlined
def mark_by_key(splitter, node, feature, largest):
    """Note for each sample whether it goes left: whether its key is at most that of the left child's largest value."""
    keys, is_left = splitter.keys, splitter.is_left
    column, row_step = np.uintp(feature * keys.column_step), np.uintp(keys.row_step)
    for p in range(np.uintp(node.start), np.uintp(node.end)):
        sample = np.uintp(splitter.samples[p])
        is_left[sample] = keys.flat[column + row_step * sample] <= largest


@inlined
def part_samples(splitter, node):
    """Bring the left child's samples to the front: a sample that goes right changes places with the last one not seen."""
    words, samples, is_left = splitter.replayed.words, splitter.samples, splitter.is_left
    left, right = np.uintp(node.start), np.uintp(node.end)
    word = words[0, left]
    from_left = left
    while from_left < right:
        ahead, last = words[0, from_left + ONE], words[0, right - ONE]
        sample = np.uint32(word & LOW_HALF)
        goes_left = np.uintp(is_left[np.uintp(sample)])
        right -= ONE - goes_left
        from_left += goes_left
        samples[from_left - ONE if goes_left else right] = sample
        word = ahead if goes_left else last


@inlined
def impurities(splitter, node, position):
    """The children's impurities and the improvement; sums in the order of the samples."""
    totals, samples = splitter.totals, splitter.samples
    unit = len(splitter.weight) == 0
    left, left_weight, squares = 0.0, 0.0, 0.0
    for p in range(np.uintp(node.start), np.uintp(position)):
        sample = np.uintp(samples[p])
        left += splitter.weighted_y[sample]
        squares += splitter.squares[sample]
        left_weight += 1.0 if unit else splitter.weight[sample]
    total, weight = totals[TOTAL_Y], totals[TOTAL_WEIGHT]
    if position - node.start > node.end - position:
        left, left_weight = total, weight
        for p in range(np.uintp(node.end), np.uintp(position), -1):
            sample = np.uintp(samples[p - ONE])
            left -= splitter.weighted_y[sample]
            left_weight -= 1.0 if unit else splitter.weight[sample]
    right_weight, left_mean = weight - left_weight, left / left_weight
    right_mean = (total - left) / right_weight
    impurity_left = squares / left_weight - left_mean * left_mean
    impurity_right = (totals[TOTAL_SQUARES] - squares) / right_weight - right_mean * right_mean
    gain = node.impurity - right_weight / weight * impurity_right - left_weight / weight * impurity_left
    return impurity_left, impurity_right, weight / splitter.facts.weight * gain


# ------------------------------------------------------------ compiled steps, callable from Python


@door
def advance(builder, splitter, budget, large, node, split):
    return explore(builder, splitter, budget, large, node, split)


@door
def call_goes_by_columns(splitter, node):
    return goes_by_columns(splitter, node)


@door
def call_list_features(splitter, node):
    list_features(splitter, node)


@door
def call_scan_listed(splitter, node, k):
    scan_listed(splitter, node, k, slack_of(splitter, node))


@door
def call_first_to_order(splitter, node):
    return first_to_order(splitter, node)


@door
def call_order_by_listed(splitter, node, k):
    order_by_listed(splitter, node, k)


@door
def call_cut_node(splitter, node):
    return cut_node(splitter, node)[:]  # a plain tuple, see explore()


@door
def call_sides_to_keep(splitter, node, split):
    return sides_to_keep(splitter, node, split)


@door
def call_n_columns_to_keep(splitter, split):
    return n_columns_to_keep(splitter, split)


@door
def call_keep_column(splitter, node, split, sides, k):
    keep_column(splitter, node, split, sides, k)


@door
def call_begin_replay(splitter, node):
    begin_replay(splitter, node)


@door
def call_replay_next(splitter, node):
    return replay_next(splitter, node)
