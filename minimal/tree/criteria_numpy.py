"""Impurity criteria: how mixed a node is, and how mixed its halves would be for every cut at once.

A sample contributes a row of *terms*; the sums of the terms over a node tell its impurity, and the running sums over sorted
samples tell that of the left half of every cut.  What is left of the total belongs to the right half.  With weights w, W the
sum of w over the node or half, averaged over the outputs:

    gini            1 - sum over classes of (W_class / W)**2
    entropy         - sum over classes of p log2(p),  p = W_class / W
    squared_error   sum(w y**2) / W - (sum(w y) / W)**2         (friedman_mse in scikit-learn 1.9.1 is the same)
    poisson         sum(w y log(y / m)) / W,  m = sum(w y) / W
    absolute_error  sum(w |y - m|) / W,  m the weighted median

The best cut has the largest *proxy*, which grows with the improvement and leaves out what all cuts of a node have in common.

Every sum is taken in the order in which scikit-learn takes it, for the sake of its last bit: one term after another
(``np.cumsum``; ``np.sum`` adds by pairs), logarithms from the C library (``math.log``; NumPy has its own).
"""

from __future__ import annotations

from math import inf, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.growth import Growth

Floats = NDArray[np.float64]
LN_2 = log(2.0)
TINY = 10 * np.finfo(np.float64).eps  # a sum of counts up to this is zero, to Poisson's deviance


class Halves(NamedTuple):
    """What is known of the two halves of some cuts: weights of shape (n_cuts,), and sums of shape (n_cuts, n_sums)."""

    left: Floats
    right: Floats
    weight_left: Floats
    weight_right: Floats


def new_criterion(growth: Growth, weight: Floats) -> Any:
    """The criterion of a growth: :class:`Shares`, :class:`Means` or :class:`~minimal.tree.medians_numpy.Medians`."""
    if growth.is_classification:
        return Shares(growth, weight)
    if growth.criterion == "absolute_error":
        from minimal.tree.medians_numpy import Medians

        return Medians(growth, weight)
    return Means(growth, weight)


class Criterion:
    """What criteria have in common that are functions of sums."""

    terms: Floats  # (n_samples, n_sums + 1): the last column is the weight
    total: Floats  # (n_sums + 1,): of the node

    def enter(self, samples: NDArray[np.int64]) -> float:
        """Go to a node; its weight."""
        self.total = np.cumsum(self.terms[samples], axis=0)[-1]
        return float(self.total[-1])

    def halves(self, samples: NDArray[np.int64], cuts: NDArray[np.int64]) -> Halves:
        """The halves samples[:cut] and samples[cut:] of the node's samples, in their present order, for rising cuts."""
        left = running_sums(self.terms[samples], self.total, cuts)
        right = self.total - left
        return Halves(left[:, :-1], right[:, :-1], left[:, -1], right[:, -1])

    def half_values(self, halves: Halves) -> tuple[Floats, Floats]:
        """What monotonicity constraints compare: the first class's share, or the first output's mean, in both halves."""
        return halves.left[:, 0] / halves.weight_left, halves.right[:, 0] / halves.weight_right

    def middle_value(self, halves: Halves) -> float:
        """The mean of both, for one cut."""
        left, right = halves.left[0, 0] / (2 * halves.weight_left[0]), halves.right[0, 0] / (2 * halves.weight_right[0])
        return float(left + right)


def running_sums(terms: Floats, total: Floats, cuts: NDArray[np.int64]) -> Floats:
    """The sums of terms[:cut] for rising cuts, ndarray of shape (n_cuts, n_terms).

    The sum of a cut continues that of the cut before.  Only where more terms lie between the two than behind the new one, it
    begins again from the other side: the total, less the terms behind.  That halves what is left, so it happens at most
    log2(n) times.
    """
    gaps = np.diff(cuts, prepend=0)
    jumps = np.flatnonzero(gaps > len(terms) - cuts)
    sums = np.empty((len(cuts), terms.shape[1]))
    begin, base, first = 0, np.zeros_like(total), 0
    for last in [*jumps, len(cuts)]:
        if last > first:
            run = np.cumsum(np.vstack([base, terms[begin : cuts[last - 1]]]), axis=0)
            sums[first:last] = run[cuts[first:last] - begin]
        if last < len(cuts):
            begin, first = cuts[last], last
            base = np.subtract.accumulate(np.vstack([total, terms[begin:][::-1]]), axis=0)[-1]
    return sums


# ---------------------------------------------------------------- classification


class Shares(Criterion):
    """Gini and entropy: a sample's terms are its weight, in the column of its class, for each output."""

    def __init__(self, growth: Growth, weight: Floats) -> None:
        self._impurity = _entropy if growth.criterion == "entropy" else _gini
        self._n_classes = growth.n_classes.tolist()
        self._edges = np.cumsum([0, *self._n_classes])
        n_samples = len(growth.y)
        self.terms = np.zeros((n_samples, self._edges[-1] + 1))
        for output, edge in enumerate(self._edges[:-1]):
            self.terms[np.arange(n_samples), edge + growth.y[:, output].astype(np.int64)] = weight
        self.terms[:, -1] = weight
        self.sums_are_exact = _are_whole(weight)

    def _impurities(self, sums: Floats, weight: Floats) -> Floats:
        impurity = np.zeros(len(sums))
        for begin, end in zip(self._edges, self._edges[1:]):
            impurity = self._impurity(impurity, sums[:, begin:end], weight)
        return impurity / len(self._n_classes)

    def node_impurity(self, samples: NDArray[np.int64]) -> float:
        return float(self._impurities(self.total[None, :-1], self.total[-1:])[0])

    def proxies(self, halves: Halves) -> Floats:
        left = self._impurities(halves.left, halves.weight_left)
        right = self._impurities(halves.right, halves.weight_right)
        return -halves.weight_right * right - halves.weight_left * left

    def children_impurity(self, samples: NDArray[np.int64], cut: int, halves: Halves) -> tuple[float, float]:
        left = self._impurities(halves.left, halves.weight_left)
        return float(left[0]), float(self._impurities(halves.right, halves.weight_right)[0])

    def value(self) -> Floats:
        """The node's value, of shape (n_outputs, max(n_classes))."""
        value = np.zeros((len(self._n_classes), max(self._n_classes)))
        for output, (begin, end) in enumerate(zip(self._edges, self._edges[1:])):
            value[output, : end - begin] = self.total[begin:end] / self.total[-1]
        return value


def _gini(impurity: Floats, sums: Floats, weight: Floats) -> Floats:
    """``impurity`` + 1 - sum(sums**2) / weight**2."""
    squares = np.zeros(len(sums))
    for of_class in sums.T:
        squares = squares + of_class * of_class
    return impurity + (1.0 - squares / (weight * weight))


def _entropy(impurity: Floats, sums: Floats, weight: Floats) -> Floats:
    """``impurity`` - sum(p log2(p)), p = sums / weight."""
    for of_class in sums.T:
        present = of_class > 0
        p = of_class[present] / weight[present]
        impurity = impurity.copy()
        impurity[present] -= p * (_log(p) / LN_2)
    return impurity


# ---------------------------------------------------------------- regression


class Means(Criterion):
    """Squared error and Poisson: a sample's terms are w y for each output."""

    def __init__(self, growth: Growth, weight: Floats) -> None:
        self._y, self._weight = growth.y, weight
        self._is_poisson = growth.criterion == "poisson"
        weighted = weight[:, np.newaxis] * growth.y
        self.terms = np.column_stack([weighted, weight])
        self._squares = weighted * growth.y
        self.sums_are_exact = not self._is_poisson and all(map(_are_whole, (weight, growth.y, self._squares)))

    def enter(self, samples: NDArray[np.int64]) -> float:
        self._entered = samples  # the node's sum of squares is taken in this order
        return super().enter(samples)

    def _sum_of_squares(self, samples: NDArray[np.int64]) -> float:
        return float(np.cumsum(self._squares[samples].ravel())[-1])

    def _impurity(self, samples: NDArray[np.int64], sums: Floats, weight: float, squares: float) -> float:
        """From the sums of w y and of w y**2; Poisson's takes the samples one by one."""
        if not self._is_poisson:
            impurity = squares / weight
            for mean in (sums / weight).tolist():
                impurity -= mean * mean
            return impurity / len(sums)
        loss = 0.0
        for output, of_output in enumerate(sums.tolist()):
            if of_output <= TINY:
                return inf
            mean = of_output / weight
            for w, y in zip(self._weight[samples].tolist(), self._y[samples, output].tolist()):
                if y != 0.0:
                    loss += w * (y * log(y / mean))
        return loss / (weight * len(sums))

    def node_impurity(self, samples: NDArray[np.int64]) -> float:
        squares = self._sum_of_squares(samples)
        return self._impurity(samples, self.total[:-1], float(self.total[-1]), squares)

    def proxies(self, halves: Halves) -> Floats:
        """sum(w y)**2 / W over both halves; for Poisson sum(w y) log2(sum(w y) / W)."""
        from_left, from_right = np.zeros((2, len(halves.left)))
        if self._is_poisson:
            empty = (halves.left <= TINY).any(axis=1) | (halves.right <= TINY).any(axis=1)
            for left, right in zip(halves.left.T, halves.right.T):
                left, right = np.where(empty, 1.0, left), np.where(empty, 1.0, right)
                from_left = from_left + left * (_log(left / halves.weight_left) / LN_2)
                from_right = from_right + right * (_log(right / halves.weight_right) / LN_2)
            return np.where(empty, -inf, from_left + from_right)
        for left, right in zip(halves.left.T, halves.right.T):
            from_left, from_right = from_left + left * left, from_right + right * right
        return from_left / halves.weight_left + from_right / halves.weight_right

    def children_impurity(self, samples: NDArray[np.int64], cut: int, halves: Halves) -> tuple[float, float]:
        squares = self._sum_of_squares(samples[:cut])
        rest = self._sum_of_squares(self._entered) - squares
        left = self._impurity(samples[:cut], halves.left[0], float(halves.weight_left[0]), squares)
        return left, self._impurity(samples[cut:], halves.right[0], float(halves.weight_right[0]), rest)

    def value(self) -> Floats:
        """The node's value, of shape (n_outputs, 1)."""
        return (self.total[:-1] / self.total[-1])[:, np.newaxis]


# ---------------------------------------------------------------- helpers


def _are_whole(numbers: Floats) -> bool:
    """Whether all numbers are whole and so small that their sums are exact in any order."""
    return bool((numbers == np.floor(numbers)).all()) and float(np.abs(numbers).sum()) < 2.0**53


def _log(x: Floats) -> Floats:
    return np.array([log(number) for number in x.tolist()])
