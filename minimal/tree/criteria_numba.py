"""Impurity criteria: how mixed a node is, and how much less mixed its children would be.

A criterion holds the sums of one node and of its two children, samples[start:position] and samples[position:end]; the
position moves to the right while a feature is scanned.  Weights w, W = sum of w, for node, left and right.

    gini            1 - sum over classes of (W_class / W)**2
    entropy         - sum over classes of p log2(p),  p = W_class / W
    squared_error   sum(w y**2) / W - (sum(w y) / W)**2
    poisson         sum(w y log(y / m)) / W,  m = sum(w y) / W

all of them averaged over the outputs (a sum over outputs divided by their number).  The *proxy* of a split grows with its
improvement and leaves out what all splits of the node have in common.  Every sum is taken in the order in which scikit-learn
1.9.1 takes it, so that it has the same bits.
"""

from __future__ import annotations

from math import inf, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.splitting_numba import answers, at, inlined

START, POSITION, END = range(3)  # in Criterion.place
NODE, LEFT, RIGHT, SQUARES = range(4)  # in Criterion.weights: three sums of weights, and the node's sum of w y**2
LN_2 = log(2.0)
TINY = 10 * np.finfo(np.float64).eps  # a sum of counts up to this is zero, to Poisson's deviance


class Shares(NamedTuple):
    """Gini or entropy: the weight of each class, in the node and in its children, each (n_outputs, max(n_classes))."""

    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    n_classes: NDArray[np.int64]
    total: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    place: NDArray[np.int64]
    weights: NDArray[np.float64]
    is_entropy: bool


class Means(NamedTuple):
    """Squared error or Poisson: the sum of w y of each output, in the node and in its children, each (n_outputs,)."""

    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    total: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    place: NDArray[np.int64]
    weights: NDArray[np.float64]
    is_poisson: bool


def new_shares(y: NDArray[np.float64], weight: NDArray[np.float64], n_classes: NDArray[np.int64], name: str) -> Shares:
    """A classification criterion before its first node."""
    total, left, right = np.zeros((3, len(n_classes), int(n_classes.max())))
    return Shares(y, weight, n_classes, total, left, right, np.zeros(3, dtype=np.int64), np.zeros(4), name == "entropy")


def new_means(y: NDArray[np.float64], weight: NDArray[np.float64], name: str) -> Means:
    """A regression criterion before its first node."""
    total, left, right = np.zeros((3, y.shape[1]))
    return Means(y, weight, total, left, right, np.zeros(3, dtype=np.int64), np.zeros(4), name == "poisson")


# ------------------------------------------------------------ the questions


def sum_up(criterion: Any, samples: NDArray[np.int64], start: int, end: int) -> None:
    """Go to the node samples[start:end]: sum up, and put the position at its start."""
    raise NotImplementedError


def restart(criterion: Any, samples: NDArray[np.int64]) -> None:
    """Put the position at the node's start; the samples may have changed places."""
    raise NotImplementedError


def move_to(criterion: Any, samples: NDArray[np.int64], position: int) -> None:
    """Move the position to the right."""
    raise NotImplementedError


def proxy(criterion: Any) -> float:
    """What the best split maximizes."""
    raise NotImplementedError


def node_impurity(criterion: Any, samples: NDArray[np.int64]) -> float:
    """The node's impurity."""
    raise NotImplementedError


def children_impurity(criterion: Any, samples: NDArray[np.int64]) -> tuple[float, float]:
    """The children's impurities, left and right."""
    raise NotImplementedError


def children_values(criterion: Any) -> tuple[float, float]:
    """The values of the children as far as monotonicity goes: of the first class or output."""
    raise NotImplementedError


def middle_value(criterion: Any) -> float:
    """The mean of both."""
    raise NotImplementedError


def write_node_value(criterion: Any, values: NDArray[np.float64], i: int) -> None:
    """Put the node's value into values[i]."""
    raise NotImplementedError


# ------------------------------------------------------------ what both have in common


@inlined
def restart_weights(criterion):
    """All weight to the right."""
    criterion.place[POSITION] = criterion.place[START]
    criterion.weights[LEFT] = 0.0
    criterion.weights[RIGHT] = criterion.weights[NODE]


@inlined
def is_shorter_forward(criterion, position):
    """Are there fewer samples between the old and the new position than behind the new one?

    The shorter stretch is summed: the left sums either grow by it, or start again from the total, less what lies behind.
    """
    place = criterion.place
    return position - place[POSITION] <= place[END] - position


# ------------------------------------------------------------ classification


@answers(sum_up, Shares)
def sum_up_shares(criterion, samples, start, end):
    criterion.place[START], criterion.place[END] = start, end
    total, y = criterion.total, criterion.y
    total[:] = 0.0
    node_weight = 0.0
    for p in range(start, end):
        i = at(samples[at(p)])
        w = criterion.weight[i]
        for k in range(y.shape[1]):
            total[k, at(y[i, k])] += w
        node_weight += w
    criterion.weights[NODE] = node_weight
    restart(criterion, samples)


@answers(restart, Shares)
def restart_shares(criterion, samples):
    restart_weights(criterion)
    for k in range(criterion.total.shape[0]):
        for c in range(criterion.total.shape[1]):
            criterion.left[k, c] = 0.0
            criterion.right[k, c] = criterion.total[k, c]


@answers(move_to, Shares)
def move_shares(criterion, samples, position):
    left, y, weights = criterion.left, criterion.y, criterion.weights
    if is_shorter_forward(criterion, position):
        w_left = weights[LEFT]
        for p in range(criterion.place[POSITION], position):
            i = at(samples[at(p)])
            w = criterion.weight[i]
            for k in range(y.shape[1]):
                left[k, at(y[i, k])] += w
            w_left += w
    else:
        for k in range(left.shape[0]):
            for c in range(left.shape[1]):
                left[k, c] = criterion.total[k, c]
        w_left = weights[NODE]
        for p in range(criterion.place[END] - 1, position - 1, -1):
            i = at(samples[at(p)])
            w = criterion.weight[i]
            for k in range(y.shape[1]):
                left[k, at(y[i, k])] -= w
            w_left -= w
    weights[LEFT] = w_left
    weights[RIGHT] = weights[NODE] - w_left
    for k in range(left.shape[0]):
        for c in range(criterion.n_classes[k]):
            criterion.right[k, c] = criterion.total[k, c] - left[k, c]
    criterion.place[POSITION] = position


@inlined
def gini(criterion, sums, weight):
    """Mean over the outputs of 1 - sum(sums**2) / weight**2."""
    impurity = 0.0
    for k in range(sums.shape[0]):
        squares = 0.0
        for c in range(criterion.n_classes[k]):
            squares += sums[k, c] * sums[k, c]
        impurity += 1.0 - squares / (weight * weight)
    return impurity / sums.shape[0]


@inlined
def entropy(criterion, sums, weight):
    """Mean over the outputs of -sum(p log2(p)), p = sums / weight."""
    impurity = 0.0
    for k in range(sums.shape[0]):
        for c in range(criterion.n_classes[k]):
            if sums[k, c] > 0.0:
                p = sums[k, c] / weight
                impurity -= p * (log(p) / LN_2)
    return impurity / sums.shape[0]


@inlined
def impurity_of_shares(criterion, sums, weight):
    """Gini or entropy."""
    return entropy(criterion, sums, weight) if criterion.is_entropy else gini(criterion, sums, weight)


@answers(node_impurity, Shares)
def node_impurity_of_shares(criterion, samples):
    return impurity_of_shares(criterion, criterion.total, criterion.weights[NODE])


@answers(children_impurity, Shares)
def children_impurity_of_shares(criterion, samples):
    left = impurity_of_shares(criterion, criterion.left, criterion.weights[LEFT])
    return left, impurity_of_shares(criterion, criterion.right, criterion.weights[RIGHT])


@answers(proxy, Shares)
def proxy_of_shares(criterion):
    weights = criterion.weights
    left = impurity_of_shares(criterion, criterion.left, weights[LEFT])
    right = impurity_of_shares(criterion, criterion.right, weights[RIGHT])
    return -weights[RIGHT] * right - weights[LEFT] * left


@answers(children_values, Shares)
def children_values_of_shares(criterion):
    weights = criterion.weights
    return criterion.left[0, 0] / weights[LEFT], criterion.right[0, 0] / weights[RIGHT]


@answers(middle_value, Shares)
def middle_value_of_shares(criterion):
    weights = criterion.weights
    return criterion.left[0, 0] / (2 * weights[LEFT]) + criterion.right[0, 0] / (2 * weights[RIGHT])


@answers(write_node_value, Shares)
def write_shares(criterion, values, i):
    for k in range(criterion.total.shape[0]):
        for c in range(criterion.n_classes[k]):
            values[i, k, c] = criterion.total[k, c] / criterion.weights[NODE]


# ------------------------------------------------------------ regression


@answers(sum_up, Means)
def sum_up_means(criterion, samples, start, end):
    criterion.place[START], criterion.place[END] = start, end
    total, y = criterion.total, criterion.y
    total[:] = 0.0
    node_weight = squares = 0.0
    for p in range(start, end):
        i = at(samples[at(p)])
        w = criterion.weight[i]
        for k in range(y.shape[1]):
            wy = w * y[i, k]
            total[k] += wy
            squares += wy * y[i, k]
        node_weight += w
    criterion.weights[NODE], criterion.weights[SQUARES] = node_weight, squares
    restart(criterion, samples)


@answers(restart, Means)
def restart_means(criterion, samples):
    restart_weights(criterion)
    for k in range(len(criterion.total)):
        criterion.left[k] = 0.0
        criterion.right[k] = criterion.total[k]


@answers(move_to, Means)
def move_means(criterion, samples, position):
    left, y, weights = criterion.left, criterion.y, criterion.weights
    if is_shorter_forward(criterion, position):
        w_left = weights[LEFT]
        for p in range(criterion.place[POSITION], position):
            i = at(samples[at(p)])
            w = criterion.weight[i]
            for k in range(y.shape[1]):
                left[k] += w * y[i, k]
            w_left += w
    else:
        for k in range(len(left)):
            left[k] = criterion.total[k]
        w_left = weights[NODE]
        for p in range(criterion.place[END] - 1, position - 1, -1):
            i = at(samples[at(p)])
            w = criterion.weight[i]
            for k in range(y.shape[1]):
                left[k] -= w * y[i, k]
            w_left -= w
    weights[LEFT] = w_left
    weights[RIGHT] = weights[NODE] - w_left
    for k in range(len(left)):
        criterion.right[k] = criterion.total[k] - left[k]
    criterion.place[POSITION] = position


@answers(node_impurity, Means)
def node_impurity_of_means(criterion, samples):
    weight = criterion.weights[NODE]
    if criterion.is_poisson:
        return deviance(criterion, samples, criterion.place[START], criterion.place[END], criterion.total, weight)
    return variance(criterion.weights[SQUARES], criterion.total, weight)


@answers(children_impurity, Means)
def children_impurity_of_means(criterion, samples):
    start, position, end = criterion.place[START], criterion.place[POSITION], criterion.place[END]
    weights = criterion.weights
    if criterion.is_poisson:
        left = deviance(criterion, samples, start, position, criterion.left, weights[LEFT])
        return left, deviance(criterion, samples, position, end, criterion.right, weights[RIGHT])
    squares = 0.0
    for p in range(start, position):
        i = at(samples[at(p)])
        for k in range(criterion.y.shape[1]):
            squares += criterion.weight[i] * criterion.y[i, k] * criterion.y[i, k]
    left = variance(squares, criterion.left, weights[LEFT])
    return left, variance(weights[SQUARES] - squares, criterion.right, weights[RIGHT])


@inlined
def variance(squares, sums, weight):
    """sum(w y**2) / W - sum over outputs of (sum(w y) / W)**2, over the number of outputs."""
    impurity = squares / weight
    for k in range(len(sums)):
        mean = sums[k] / weight
        impurity -= mean * mean
    return impurity / len(sums)


@inlined
def deviance(criterion, samples, start, end, sums, weight):
    """Half Poisson deviance of samples[start:end] from their mean; infinite if the mean is zero."""
    loss = 0.0
    for k in range(len(sums)):
        if sums[k] <= TINY:
            return inf
        mean = sums[k] / weight
        for p in range(start, end):
            i = at(samples[at(p)])
            y = criterion.y[i, k]
            if y != 0.0:
                loss += criterion.weight[i] * (y * log(y / mean))
    return loss / (weight * len(sums))


@answers(proxy, Means)
def proxy_of_means(criterion):
    left, right = criterion.left, criterion.right
    w_left, w_right = criterion.weights[LEFT], criterion.weights[RIGHT]
    from_left = from_right = 0.0
    if criterion.is_poisson:
        for k in range(len(left)):
            if left[k] <= TINY or right[k] <= TINY:
                return -inf
            from_left += left[k] * (log(left[k] / w_left) / LN_2)
            from_right += right[k] * (log(right[k] / w_right) / LN_2)
        return from_left + from_right
    for k in range(len(left)):
        from_left += left[k] * left[k]
        from_right += right[k] * right[k]
    return from_left / w_left + from_right / w_right


@answers(children_values, Means)
def children_values_of_means(criterion):
    weights = criterion.weights
    return criterion.left[0] / weights[LEFT], criterion.right[0] / weights[RIGHT]


@answers(middle_value, Means)
def middle_value_of_means(criterion):
    weights = criterion.weights
    return criterion.left[0] / (2 * weights[LEFT]) + criterion.right[0] / (2 * weights[RIGHT])


@answers(write_node_value, Means)
def write_means(criterion, values, i):
    for k in range(len(criterion.total)):
        values[i, k, 0] = criterion.total[k] / criterion.weights[NODE]
