"""The absolute error as impurity, for all cuts of a node at once.

    impurity = sum(w |y - m|) / W,  m the weighted median of y

Sorted by a feature, the samples are entered one after another, from the left and from the right, into a *Fenwick tree*: sums
of w and of w y over the ranks of y, arranged so that entering a sample and finding the median take log2(n) steps each
(Fenwick, 1994).  With the sums below and from the median on,

    sum(w |y - m|) = (sum of w y from m on) - m (sum of w from m on) + m (sum of w below m) - (sum of w y below m).

Source: the criterion ``MAE`` of scikit-learn 1.9.1, of which these are the bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minimal.tree.criteria_numpy import Floats, Halves, _are_whole
from minimal.tree.growth import Growth
from minimal.tree.ordering_numpy import sorting_order


class Medians:
    """Absolute error.  The columns of ``Halves.left`` and ``right`` are the error, summed over outputs, and the median."""

    def __init__(self, growth: Growth, weight: Floats) -> None:
        self._y, self._weight = growth.y, weight
        self.sums_are_exact = _are_whole(weight) and _are_whole(growth.y) and _are_whole(weight[:, None] * growth.y)

    def enter(self, samples: NDArray[np.int64]) -> float:
        """Go to a node; its weight."""
        self._node_weight = float(np.cumsum(self._weight[samples])[-1])
        self._scan(samples)
        return self._node_weight

    def _scan(self, samples: NDArray[np.int64]) -> None:
        """Errors and medians of samples[: p + 1] and of samples[p:], for every p."""
        n, n_outputs = len(samples), self._y.shape[1]
        self._error_left, self._error_right = np.zeros(n), np.zeros(n)
        self._medians = np.empty((n_outputs, 1))
        weight = self._weight[samples].tolist()
        for k in range(n_outputs):
            y = self._y[samples, k]
            order = sorting_order(y, not self.sums_are_exact)
            rank = np.empty(n, dtype=np.int64)
            rank[order] = np.arange(n)
            ranks, ranked_y = rank.tolist(), y[order].tolist()
            errors, self._median_left = _errors(ranks, ranked_y, weight)
            self._error_left = self._error_left + errors
            errors, medians = _errors(ranks[::-1], ranked_y, weight[::-1])
            self._error_right, self._median_right = self._error_right + errors[::-1], medians[::-1]
            self._medians[k] = self._median_right[0]

    def halves(self, samples: NDArray[np.int64], cuts: NDArray[np.int64]) -> Halves:
        """The halves samples[:cut] and samples[cut:] of the node's samples, in their present order, for rising cuts."""
        self._scan(samples)
        weight_left = np.cumsum(self._weight[samples])[cuts - 1]
        left = np.column_stack([self._error_left[cuts - 1], self._median_left[cuts - 1]])
        right = np.column_stack([self._error_right[cuts], self._median_right[cuts]])
        return Halves(left, right, weight_left, self._node_weight - weight_left)

    def _impurities(self, halves: Halves) -> tuple[Floats, Floats]:
        n_outputs = self._y.shape[1]
        left = halves.left[:, 0] / (halves.weight_left * n_outputs)
        return left, halves.right[:, 0] / (halves.weight_right * n_outputs)

    def node_impurity(self, samples: NDArray[np.int64]) -> float:
        return float(self._error_right[0] / (self._node_weight * self._y.shape[1]))

    def proxies(self, halves: Halves) -> Floats:
        left, right = self._impurities(halves)
        return -halves.weight_right * right - halves.weight_left * left

    def children_impurity(self, samples: NDArray[np.int64], cut: int, halves: Halves) -> tuple[float, float]:
        left, right = self._impurities(halves)
        return float(left[0]), float(right[0])

    def half_values(self, halves: Halves) -> tuple[Floats, Floats]:
        """What monotonicity constraints compare: the medians of both halves."""
        return halves.left[:, 1], halves.right[:, 1]

    def middle_value(self, halves: Halves) -> float:
        """The mean of both, for one cut."""
        return float((halves.left[0, 1] + halves.right[0, 1]) / 2)

    def value(self) -> Floats:
        """The node's value, of shape (n_outputs, 1)."""
        return self._medians


def _errors(ranks: list[int], ranked_y: list[float], weight: list[float]) -> tuple[Floats, Floats]:
    """Enter samples of these ranks one after another: after each, the error around the median so far, and that median."""
    tree = Fenwick(len(ranks))
    errors, medians = [], []
    for r, w in zip(ranks, weight):
        tree.enter(r, w, w * ranked_y[r])
        below, middle, w_below, wy_below = tree.reach(0.5 * tree.w_total)
        median = ranked_y[middle] if below == middle else (ranked_y[below] + ranked_y[middle]) / 2
        w_above, wy_above = tree.w_total - w_below, tree.wy_total - wy_below
        errors.append((wy_above - median * w_above) + (median * w_below - wy_below))
        medians.append(median)
    return np.array(errors), np.array(medians)


class Fenwick:
    """Sums of w and of w y over ranks: entry r, counted from 1, holds those of the ranks (r - lowest bit of r, r]."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.w, self.wy = [0.0] * (n + 1), [0.0] * (n + 1)
        self.w_total = self.wy_total = 0.0

    def enter(self, r: int, w: float, wy: float) -> None:
        """Add a sample of rank r, counted from 0, to all entries that cover it: one more lowest bit at a time."""
        i = r + 1
        while i <= self.n:
            self.w[i] += w
            self.wy[i] += wy
            i += i & -i
        self.w_total += w
        self.wy_total += wy

    def reach(self, target: float) -> tuple[int, int, float, float]:
        """Where the running weight reaches ``target``, and the sums of w and of w y below that rank.

        Returns (below, middle, w, wy).  Where the weight up to a rank is exactly the target, ``below`` is that rank and
        ``middle`` the next one that has been entered; else both are the same.
        """
        middle, w, wy = 0, 0.0, 0.0
        below, rest_below = 0, target
        met = False  # has the running weight been exactly the target?
        bit = 1 << (self.n.bit_length() - 1)
        while bit:
            following = middle + bit
            if following <= self.n and target == self.w[following]:
                met = True
            if following <= self.n and target >= self.w[following]:
                target -= self.w[following]
                middle = following
                w, wy = w + self.w[following], wy + self.wy[following]
            if met:
                step = below + bit
                if step <= self.n and rest_below > self.w[step]:
                    rest_below -= self.w[step]
                    below = step
            else:
                below, rest_below = middle, target
            bit //= 2
        return below, middle, w, wy
