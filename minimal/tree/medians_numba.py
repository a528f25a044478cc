"""The absolute error as impurity, for all cuts of a node at once in O(n log n).

    impurity = sum(w |y - m|) / W,  m the weighted median of y

Whenever the samples of a node have a new order, the error of every beginning samples[start:p+1] and of every rest
samples[p:end] is worked out: one sample after another is entered into a Fenwick tree (Fenwick, 1994), a binary tree of
partial sums of w and w y over the ranks of y, which finds the median as the rank at which half the weight is reached,
together with the sums below it.  With those,

    sum(w |y - m|) = (sum of w y from m on) - m (sum of w from m on) + m (sum of w below m) - (sum of w y below m).

Source: the criterion ``MAE`` of scikit-learn 1.9.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.criteria_numba import (
    END,
    LEFT,
    NODE,
    POSITION,
    RIGHT,
    START,
    children_impurity,
    children_values,
    middle_value,
    move_to,
    node_impurity,
    proxy,
    restart,
    restart_weights,
    sum_up,
    write_node_value,
)
from minimal.tree.sorting_numba import sort_together
from minimal.tree.splitting_numba import answers, inlined

TOTAL_W, TOTAL_WY = range(2)  # in Fenwick.totals


class Fenwick(NamedTuple):
    """Sums of w and of w y over ranks: entry r holds those of the ranks (r - lowest bit of r, r], counted from 1."""

    w: NDArray[np.float64]
    wy: NDArray[np.float64]
    totals: NDArray[np.float64]


class Medians(NamedTuple):
    """Absolute error.

    ``error_left[p]`` and ``median_left[p]`` are those of samples[start:p+1], ``error_right[p]`` and ``median_right[p]`` of
    samples[p:end]; the errors are summed over the outputs, the medians are those of the last output.
    """

    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    error_left: NDArray[np.float64]
    error_right: NDArray[np.float64]
    median_left: NDArray[np.float64]
    median_right: NDArray[np.float64]
    median: NDArray[np.float64]
    sorted_y: NDArray[np.float64]
    order: NDArray[np.int64]
    rank: NDArray[np.int64]
    fenwick: Fenwick
    place: NDArray[np.int64]
    weights: NDArray[np.float64]


def new_medians(y: NDArray[np.float64], weight: NDArray[np.float64]) -> Medians:
    """The criterion before its first node."""
    n, n_outputs = y.shape
    return Medians(
        y=y,
        weight=weight,
        error_left=np.zeros(n),
        error_right=np.zeros(n),
        median_left=np.zeros(n),
        median_right=np.zeros(n),
        median=np.zeros(n_outputs),
        sorted_y=np.zeros(n),
        order=np.zeros(n, dtype=np.int64),
        rank=np.zeros(n, dtype=np.int64),
        fenwick=Fenwick(np.zeros(n + 1), np.zeros(n + 1), np.zeros(2)),
        place=np.zeros(3, dtype=np.int64),
        weights=np.zeros(4),
    )


@answers(sum_up, Medians)
def sum_up_medians(criterion, samples, start, end):
    criterion.place[START], criterion.place[END] = start, end
    node_weight = 0.0
    for p in range(start, end):
        node_weight += criterion.weight[samples[p]]
    criterion.weights[NODE] = node_weight
    restart(criterion, samples)


@answers(restart, Medians)
def restart_medians(criterion, samples):
    restart_weights(criterion)
    start, end = criterion.place[START], criterion.place[END]
    criterion.error_left[start:end] = 0.0
    criterion.error_right[start:end] = 0.0
    for k in range(criterion.y.shape[1]):
        rank_targets(criterion, samples, k)
        add_errors(criterion, samples, start, end, 1, criterion.error_left, criterion.median_left)
        add_errors(criterion, samples, end - 1, start - 1, -1, criterion.error_right, criterion.median_right)
        criterion.median[k] = criterion.median_right[start]


@inlined
def rank_targets(criterion, samples, k):
    """Sort the node's targets of one output; ``rank[p]`` says where that of samples[p] went."""
    start, end = criterion.place[START], criterion.place[END]
    for p in range(start, end):
        criterion.sorted_y[p - start] = criterion.y[samples[p], k]
        criterion.order[p - start] = p
    sort_together(criterion.sorted_y, criterion.order, 0, end - start)
    for r in range(end - start):
        criterion.rank[criterion.order[r]] = r


@inlined
def add_errors(criterion, samples, first, stop, step, errors, medians):
    """Walk from ``first`` to before ``stop``: at each sample, add the error and set the median of those walked over."""
    fenwick, sorted_y = criterion.fenwick, criterion.sorted_y
    n = criterion.place[END] - criterion.place[START]
    clear(fenwick, n)
    for p in range(first, stop, step):
        r = criterion.rank[p]
        enter_rank(fenwick, n, r, sorted_y[r], criterion.weight[samples[p]])
        below, middle, w_below, wy_below = split_at_weight(fenwick, n, 0.5 * fenwick.totals[TOTAL_W])
        median = sorted_y[middle] if below == middle else (sorted_y[below] + sorted_y[middle]) / 2
        w_above = fenwick.totals[TOTAL_W] - w_below
        wy_above = fenwick.totals[TOTAL_WY] - wy_below
        medians[p] = median
        errors[p] += (wy_above - median * w_above) + (median * w_below - wy_below)


@inlined
def clear(fenwick, n):
    """No entry, room for n ranks."""
    fenwick.w[: n + 1] = 0.0
    fenwick.wy[: n + 1] = 0.0
    fenwick.totals[:] = 0.0


@inlined
def enter_rank(fenwick, n, r, y, w):
    """Add a sample of rank r, counted from 0: to all entries that cover it, one more lowest bit at a time."""
    wy = w * y
    i = r + 1
    while i <= n:
        fenwick.w[i] += w
        fenwick.wy[i] += wy
        i += i & -i
    fenwick.totals[TOTAL_W] += w
    fenwick.totals[TOTAL_WY] += wy


@inlined
def split_at_weight(fenwick, n, target):
    """The rank that the weight ``target`` reaches into, and the sums of w and of w y below that rank.

    Returns (below, middle, w, wy).  Where the weight up to a rank is exactly the target, ``below`` is that rank and
    ``middle`` the next one that has been entered; else both are the same.
    """
    w, wy, bit = 0.0, 0.0, 1
    while 2 * bit <= n:
        bit *= 2
    middle = 0
    while bit > 0:
        following = middle + bit
        if following <= n:
            if target == fenwick.w[following]:
                break
            if target > fenwick.w[following]:
                target -= fenwick.w[following]
                middle = following
                w += fenwick.w[following]
                wy += fenwick.wy[following]
        bit //= 2
    below = reach(fenwick, n, middle, bit, target)
    while bit > 0:
        following = middle + bit
        if following <= n and target >= fenwick.w[following]:
            target -= fenwick.w[following]
            middle = following
            w += fenwick.w[following]
            wy += fenwick.wy[following]
        bit //= 2
    return below, middle, w, wy


@inlined
def reach(fenwick, n, rank, bit, target):
    """The largest rank up to which the weight stays below the target, from ``rank`` on, in steps of ``bit`` and less."""
    while bit > 0:
        following = rank + bit
        if following <= n and target > fenwick.w[following]:
            target -= fenwick.w[following]
            rank = following
        bit //= 2
    return rank


@answers(move_to, Medians)
def move_medians(criterion, samples, position):
    weights, place = criterion.weights, criterion.place
    for p in range(place[POSITION], position):
        weights[LEFT] += criterion.weight[samples[p]]
    weights[RIGHT] = weights[NODE] - weights[LEFT]
    place[POSITION] = position


@answers(node_impurity, Medians)
def node_impurity_of_medians(criterion, samples):
    return criterion.error_right[criterion.place[START]] / (criterion.weights[NODE] * len(criterion.median))


@answers(children_impurity, Medians)
def children_impurity_of_medians(criterion, samples):
    weights, position, n_outputs = criterion.weights, criterion.place[POSITION], len(criterion.median)
    left = criterion.error_left[position - 1] / (weights[LEFT] * n_outputs)
    return left, criterion.error_right[position] / (weights[RIGHT] * n_outputs)


@answers(proxy, Medians)
def proxy_of_medians(criterion):
    weights, position, n_outputs = criterion.weights, criterion.place[POSITION], len(criterion.median)
    left = criterion.error_left[position - 1] / (weights[LEFT] * n_outputs)
    right = criterion.error_right[position] / (weights[RIGHT] * n_outputs)
    return -weights[RIGHT] * right - weights[LEFT] * left


@answers(children_values, Medians)
def children_values_of_medians(criterion):
    position = criterion.place[POSITION]
    return criterion.median_left[position - 1], criterion.median_right[position]


@answers(middle_value, Medians)
def middle_value_of_medians(criterion):
    position = criterion.place[POSITION]
    return (criterion.median_left[position - 1] + criterion.median_right[position]) / 2


@answers(write_node_value, Medians)
def write_medians(criterion, values, i):
    for k in range(len(criterion.median)):
        values[i, k, 0] = criterion.median[k]
