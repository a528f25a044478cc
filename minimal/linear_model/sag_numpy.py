"""Stochastic average gradient (SAG, SAGA) for logistic regression: one sample at a time, and no forgetting.

Minimize the mean loss of n samples plus penalties.  Gradient descent reads all samples for one step.  Here a step reads
one random sample i and replaces *its* gradient in the running sum G of everybody's last known gradients:

    change = new gradient of i - remembered gradient of i
    SAG    w -= step * (G + change) / n_seen
    SAGA   w -= step * (G / n_seen + (1 - 1 / n_seen) * change)    then w = prox(w), which makes zeros (L1)
    both   G += change

The gradient of sample i is a number (one a class) times its row x_i: that number is all there is to remember.  As the sum
G is known, the convergence is linear, as for full gradients, at the price of one sample a step.

Two tricks keep a step as cheap as the row is sparse.  L2 shrinks all weights by the same factor: it is kept apart as
``scale`` (the weights are scale * weights).  And a column that is not in the row waits: its steps along the unchanged G
add up (:class:`Waiting`), and it takes them all when it is next needed, or at the end of the epoch.

Twin: ``sag_numba.sag``, same bits.  Sources: Schmidt, Le Roux & Bach (2013); Defazio, Bach & Lacoste-Julien (2014);
scikit-learn 1.9.1's ``sag_solver``, whose random draws and order of rounding this follows.
"""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.linear_model.sag_state import SMALLEST_SCALE, Floats, Memory, Rules, Waiting
from minimal.random import next_state, random_index


def sag(
    data: Floats,
    indices: NDArray[np.integer] | None,
    indptr: NDArray[np.integer] | None,
    y: Floats,
    sample_weight: Floats,
    memory: Memory,
    rules: Rules,
    seed: int,
) -> tuple[int, bool]:
    """Run epochs of n_samples random draws until the weights settle; ``memory`` is changed in place.

    Parameters
    ----------
    data, indices, indptr
        The rows in CSR form; or the dense rows, of shape (n_samples, n_features), and None twice.
    y : ndarray of shape (n_samples,)
        0 or 1 for one output, the class 0, 1, ..., n_outputs - 1 for several.
    sample_weight : ndarray of shape (n_samples,)
    memory : Memory
    rules : Rules
    seed : int
        The state of the xorshift generator that draws the samples.

    Returns
    -------
    n_iter : int
        How many epochs ran.
    finite : bool
        False if the run stopped because a number overflowed.

    Cost: O(n_outputs * nonzeros of the row) a step, O(n_outputs * n_features) more an epoch.
    """
    n_samples, (n_features, _) = len(y), memory.weights.shape
    real = data.dtype.type  # sums and products round to this; a step's length is always computed in float64
    lengths = np.zeros((2, n_samples + 1), dtype=real)
    waiting = Waiting(lengths[0], lengths[1], np.zeros(n_features, dtype=np.int64))
    l1 = rules.saga and rules.beta > 0
    shrink = real(1.0 - rules.step * rules.alpha)
    n_seen = int(memory.seen.sum())
    previous = np.zeros_like(memory.weights)
    epoch, state = 0, seed
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is found below
        for epoch in range(rules.max_iter):
            scale = real(1.0)
            for t in range(n_samples):
                state = next_state(state)
                i = random_index(state, 0, n_samples)
                n_seen += 1 - int(memory.seen[i])
                memory.seen[i] = 1
                columns, x = row(data, indices, indptr, i)
                catch_up(memory, waiting, columns, t, l1)
                raw = scale * sequential_dot(x, memory.weights[columns]) + memory.intercept
                gradient = loss_gradient(y[i], raw, sample_weight[i])
                scale *= shrink
                change = gradient - memory.gradients[i]
                memory.gradients[i] = gradient
                move_weights(memory, columns, x, change, rules, n_seen, scale)
                if rules.fit_intercept:
                    move_intercept(memory, change, rules, n_seen)
                    if not np.isfinite(memory.intercept).all():
                        return epoch + 1, False
                waiting.path[t + 1] = float(waiting.path[t]) + rules.step / float(scale * real(n_seen))
                waiting.shrinkage[t + 1] = float(waiting.shrinkage[t]) + rules.step * rules.beta / float(scale)
                if float(scale) < SMALLEST_SCALE:
                    settle(memory, waiting, t + 1, scale, l1)
                    scale = real(1.0)
            if not settle(memory, waiting, n_samples, scale, l1):
                return epoch + 1, False
            largest, change = np.abs(memory.weights).max(), np.abs(memory.weights - previous).max()
            previous[:] = memory.weights
            if (largest == 0 and change == 0) or (largest != 0 and float(change / largest) <= rules.tol):
                break
    return epoch + 1, True


def largest_squared_norm(data: Floats, indptr: NDArray[np.integer]) -> Any:
    """max_i x_i'x_i of rows in CSR form, in the dtype of ``data``, each sum in the order of its row."""
    norms = np.zeros(len(indptr) - 1, dtype=data.dtype)
    np.add.at(norms, np.repeat(np.arange(len(norms)), np.diff(indptr)), data * data)
    return norms.max()


def row(data: Floats, indices: Any, indptr: Any, i: int) -> tuple[Any, Floats]:
    """The columns that sample i occupies, as an index, and its values there."""
    if indices is None:
        return slice(None), data[i]
    place = slice(indptr[i], indptr[i + 1])
    return indices[place], data[place]


def sequential_dot(x: Floats, weights: Floats) -> Floats:
    """x'W of shape (n_outputs,), one term after the other: ``x @ weights`` may add in any order."""
    if len(x) == 0:
        return np.zeros_like(weights, shape=weights.shape[1])
    return np.cumsum(weights * x[:, None], axis=0)[-1]


def loss_gradient(target: float, raw: Floats, weight: float) -> Floats:
    """The derivative of the loss with respect to the decision values ``raw``: sample weight * (probability - indicator).

    The exponential's argument is never large, so that decision values of any size are safe.
    """
    if len(raw) == 1:
        y, z = float(target), float(raw[0])
        if z > -37:
            e = exp(-z)
            gradient = ((1 - y) - y * e) / (1 + e)
        else:  # here 1 + exp(z) rounds to 1
            gradient = exp(z) - y
        return np.array([gradient * float(weight)], dtype=raw.dtype)
    top = float(raw.max())
    p = np.array([exp(float(z) - top) for z in raw], dtype=raw.dtype).astype(np.float64)
    p = (p / np.cumsum(p)[-1]).astype(raw.dtype)
    p[int(target)] -= 1
    return p * weight


def soft_threshold(w: Floats, threshold: Any) -> Floats:
    """The prox of the L1 norm: towards zero by the threshold, and no further."""
    above, below = w - threshold, -w - threshold
    return np.where(above > 0, above, 0) - np.where(below > 0, below, 0)


def catch_up(memory: Memory, waiting: Waiting, columns: Any, now: int, l1: bool) -> None:
    """Let these columns take the steps before ``now`` that they have not taken."""
    w, g, done = memory.weights[columns], memory.sum_gradient[columns], waiting.done[columns]
    length = (waiting.path[now] - waiting.path[done])[:, None]
    if l1:
        threshold = (waiting.shrinkage[now] - waiting.shrinkage[done])[:, None]
        at_once = np.abs(g * length) < threshold  # then no step changes the sign and all of them are one
        together = soft_threshold(w - length * g, threshold)
        first = done[~at_once.all(axis=1)].min(initial=now)
        for t in range(now - 1, first - 1, -1):
            step, cut = waiting.path[t + 1] - waiting.path[t], waiting.shrinkage[t + 1] - waiting.shrinkage[t]
            w = np.where((done <= t)[:, None], soft_threshold(w - g * step, cut), w)
        memory.weights[columns] = np.where(at_once, together, w)
    else:
        memory.weights[columns] = w - length * g
    waiting.done[columns] = now


def settle(memory: Memory, waiting: Waiting, now: int, scale: Any, l1: bool) -> bool:
    """Let all columns catch up, put the scale into the weights, and begin to count anew.  False: a weight overflowed."""
    catch_up(memory, waiting, slice(None), now, l1)
    memory.weights[...] *= scale
    waiting.done[:] = now % (len(waiting.path) - 1)
    waiting.path[now] = waiting.shrinkage[now] = 0
    return bool(np.isfinite(memory.weights).all())


def move_weights(
    memory: Memory, columns: Any, x: Floats, change: Floats, rules: Rules, n_seen: int, scale: Any
) -> None:
    """Renew the sample's share of the summed gradient, and take SAGA's correction, which does not wait.

    ``add.at``, as a column may stand twice in a CSR row.
    """
    outer = x[:, None] * change
    if rules.saga:
        step = outer.astype(np.float64) * rules.step * (1 - 1 / n_seen) / float(scale)
        np.subtract.at(memory.weights, columns, step)
    np.add.at(memory.sum_gradient, columns, outer)


def move_intercept(memory: Memory, change: Floats, rules: Rules, n_seen: int) -> None:
    """The intercept's step: it is not penalized, never waits, and may be slowed down (``intercept_decay``)."""
    memory.sum_intercept[...] += change
    step = rules.step * memory.sum_intercept.astype(np.float64) / n_seen * rules.intercept_decay
    if rules.saga:
        step += (change.astype(np.float64) * (rules.step * (1 - 1 / n_seen))).astype(change.dtype)
    memory.intercept[...] -= step
