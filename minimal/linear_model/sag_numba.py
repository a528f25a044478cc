"""Twin of ``sag_numpy``, compiled: the same draws, the same rounding, one number at a time.

Dense rows have ``columns = None``, which the compiler knows: it keeps one branch of each function below.  In a dense row no
column waits for longer than one step, so its loops run straight through the arrays.
"""

from __future__ import annotations

from math import exp

import numpy as np
from numba import njit

from minimal import random
from minimal.linear_model.sag_numpy import SMALLEST_SCALE as _SMALLEST_SCALE
from minimal.linear_model.sag_state import Waiting

SMALLEST_SCALE = _SMALLEST_SCALE
compiled = njit(cache=True, nogil=True, error_model="numpy")
next_state = compiled(random.next_state)
random_index = compiled(random.random_index)


@compiled
def sag(data, indices, indptr, y, sample_weight, memory, rules, seed):
    """Twin of ``sag_numpy.sag``."""
    weights, intercept, seen = memory.weights, memory.intercept, memory.seen
    n_samples, (n_features, n_outputs) = len(y), weights.shape
    real = data.dtype.type
    path, shrinkage = np.zeros(n_samples + 1, data.dtype), np.zeros(n_samples + 1, data.dtype)
    waiting = Waiting(path, shrinkage, np.zeros(n_features, np.int64))
    l1 = rules.saga and rules.beta > 0
    shrink = real(1.0 - rules.step * rules.alpha)
    n_seen = seen.sum()
    previous = np.zeros_like(weights)
    change = np.zeros(n_outputs, data.dtype)
    values = data.ravel()
    epoch, state = 0, seed
    for epoch in range(rules.max_iter):
        scale = real(1.0)
        for t in range(n_samples):
            state = next_state(state)
            i = random_index(state, 0, n_samples)
            n_seen += 1 - seen[i]
            seen[i] = 1
            start, stop = row_bounds(indptr, i, n_features)
            x = values[start:stop]
            catch_up(memory, waiting, indices, start, stop, t, l1)
            predict(indices, start, x, weights, scale, intercept, change)
            renew_gradient(y[i], sample_weight[i], memory.gradients[i], change)
            scale *= shrink
            move_weights(memory, indices, start, x, change, rules, n_seen, scale)
            if rules.fit_intercept and not move_intercept(memory, change, rules, n_seen):
                return epoch + 1, False
            path[t + 1] = path[t] + rules.step / (scale * real(n_seen))
            shrinkage[t + 1] = shrinkage[t] + rules.step * rules.beta / scale
            if scale < SMALLEST_SCALE:
                settle(memory, waiting, t + 1, scale, l1)
                scale = real(1.0)
        if not settle(memory, waiting, n_samples, scale, l1):
            return epoch + 1, False
        if settled(weights, previous, rules.tol):
            break
    return epoch + 1, True


@compiled
def row_bounds(indptr, i, n_features):
    """Where the values of sample i begin and end."""
    if indptr is None:
        return i * n_features, (i + 1) * n_features
    return np.int64(indptr[i]), np.int64(indptr[i + 1])


@compiled
def predict(indices, start, x, weights, scale, intercept, raw):
    """raw = scale * x'W + intercept, each sum in the order of the row."""
    raw[:] = 0
    for j in range(len(x)):
        column = j if indices is None else indices[start + j]
        for k in range(len(raw)):
            raw[k] += weights[column, k] * x[j]
    for k in range(len(raw)):
        raw[k] = scale * raw[k] + intercept[k]


@compiled
def renew_gradient(target, weight, gradient, change):
    """From decision values in ``change`` to the change of this sample's gradient, which is remembered."""
    real = change.dtype.type
    if len(change) == 1:
        y, z = np.float64(target), np.float64(change[0])
        if z > -37:
            e = exp(-z)
            change[0] = real(((1 - y) - y * e) / (1 + e) * weight)
        else:  # here 1 + exp(z) rounds to 1
            change[0] = real((exp(z) - y) * weight)
    else:
        top, total = np.float64(change.max()), 0.0
        for k in range(len(change)):
            change[k] = real(exp(change[k] - top))
            total += change[k]
        for k in range(len(change)):
            change[k] = real(change[k] / total)
            change[k] = (change[k] - real(target == k)) * weight
    for k in range(len(change)):
        new = change[k]
        change[k] = new - gradient[k]
        gradient[k] = new


@compiled
def move_weights(memory, indices, start, x, change, rules, n_seen, scale):
    """Renew the sample's share of the summed gradient, and take SAGA's correction, which does not wait."""
    weights, sum_gradient = memory.weights, memory.sum_gradient
    share = 1 - 1.0 / n_seen
    for j in range(len(x)):
        column = j if indices is None else indices[start + j]
        for k in range(len(change)):
            correction = x[j] * change[k]
            if rules.saga:
                weights[column, k] -= correction * rules.step * share / scale
            sum_gradient[column, k] += correction


@compiled
def move_intercept(memory, change, rules, n_seen):
    """The intercept's step.  False: it overflowed."""
    real = change.dtype.type
    intercept, total = memory.intercept, memory.sum_intercept
    finite = True
    for k in range(len(change)):
        total[k] += change[k]
        step = rules.step * total[k] / n_seen * rules.intercept_decay
        if rules.saga:
            step += real(change[k] * (rules.step * (1 - 1.0 / n_seen)))
        intercept[k] -= step
        finite = finite and np.isfinite(intercept[k])
    return finite


@compiled
def soft_threshold(w, threshold):
    """Towards zero by the threshold, and no further."""
    zero = w - w if w == w else w
    above, below = w - threshold, -w - threshold
    return (above if above > 0 else zero) - (below if below > 0 else zero)


@compiled
def caught_up(w, g, done, now, waiting, l1):
    """The weight w after the steps done, ..., now - 1 along its summed gradient g."""
    path, shrinkage = waiting.path, waiting.shrinkage
    length = path[now] - path[done]
    if not l1:
        return w - length * g
    threshold = shrinkage[now] - shrinkage[done]
    if abs(g * length) < threshold:  # then no step changes the sign and all of them are one
        return soft_threshold(w - length * g, threshold)
    for t in range(now - 1, done - 1, -1):
        w = soft_threshold(w - g * (path[t + 1] - path[t]), shrinkage[t + 1] - shrinkage[t])
    return w


@compiled
def catch_up(memory, waiting, indices, start, stop, now, l1):
    """Let these columns take the steps before ``now`` that they have not taken."""
    weights, sum_gradient, done = memory.weights, memory.sum_gradient, waiting.done
    for j in range(start, stop):
        column = j - start if indices is None else indices[j]
        for k in range(weights.shape[1]):
            weights[column, k] = caught_up(weights[column, k], sum_gradient[column, k], done[column], now, waiting, l1)
        done[column] = now


@compiled
def settle(memory, waiting, now, scale, l1):
    """Let all columns catch up, put the scale into the weights, and begin to count anew.  False: a weight overflowed."""
    catch_up(memory, waiting, None, 0, len(memory.weights), now, l1)
    memory.weights[:] *= scale
    waiting.done[:] = now % (len(waiting.path) - 1)
    waiting.path[now] = 0
    waiting.shrinkage[now] = 0
    return np.isfinite(memory.weights).all()


@compiled
def settled(weights, previous, tol):
    """Whether the largest change since the last epoch is within tol of the largest weight."""
    real = weights.dtype.type
    largest, change = real(0), real(0)
    for j in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            largest = max(largest, abs(weights[j, k]))
            change = max(change, abs(weights[j, k] - previous[j, k]))
            previous[j, k] = weights[j, k]
    return change == 0 if largest == 0 else change / largest <= tol
