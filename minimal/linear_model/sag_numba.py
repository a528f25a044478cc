"""Twin of ``sag_numpy``, compiled: the same draws and the same rounding, one number at a time.

Dense and sparse rows have a kernel each.  In a dense row no column waits longer than one step, so the renewal of the sums
that a sample calls for is put off too, until the next sample is known: then one pass over the weights does both, and adds
up the next prediction.  The order of the operations on every single number is that of the twin.

What happens at every sample is forced inline and takes its arrays one by one: a tuple of arrays would have their references
counted at every sample, which takes longer than the sample.
"""

from __future__ import annotations

from math import exp, isfinite

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal import random
from minimal.linear_model.sag_state import SMALLEST_SCALE, Floats, Memory, Rules, Step, Waiting

compiled = njit(cache=True, nogil=True, error_model="numpy")
inlined = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)  # for what happens at every sample
next_state = inlined(random.next_state)
random_index = inlined(random.random_index)


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
    """Twin of ``sag_numpy.sag``."""
    if indices is None:
        return sag_dense(data, y, sample_weight, memory, rules, seed)
    return sag_sparse(data, indices, indptr, y, sample_weight, memory, rules, seed)


@compiled
def largest_squared_norm(data, indptr):
    """Twin of ``sag_numpy.largest_squared_norm``."""
    largest = data.dtype.type(0)
    for i in range(len(indptr) - 1):
        total = data.dtype.type(0)
        for j in range(indptr[i], indptr[i + 1]):
            total += data[j] * data[j]
        largest = max(largest, total)
    return largest


# ---------------------------------------------------------------- one sample


@inlined
def renew_gradient(target, weight, gradients, i, change):
    """From decision values in ``change`` to the change of the gradient of sample i, which is remembered."""
    real = change.dtype.type
    if len(change) == 1:
        change[0] = real(logistic_gradient(np.float64(target), np.float64(change[0])) * weight)
    else:
        softmax(change)
        for k in range(len(change)):
            change[k] = (change[k] - real(target == k)) * weight
    for k in range(len(change)):
        new = change[k]
        change[k] = new - gradients[i, k]
        gradients[i, k] = new


@inlined
def logistic_gradient(y, z):
    """Probability minus y, for a decision value z of any size."""
    if z > -37:
        e = exp(-z)
        return ((1 - y) - y * e) / (1 + e)
    return exp(z) - y  # here 1 + exp(z) rounds to 1


@inlined
def softmax(z):
    """From decision values to probabilities, in place."""
    real = z.dtype.type
    top = z[0]
    for k in range(1, len(z)):
        if top < z[k]:
            top = z[k]
    total = 0.0
    for k in range(len(z)):
        z[k] = real(exp(np.float64(z[k]) - np.float64(top)))
        total += z[k]
    for k in range(len(z)):
        z[k] = real(z[k] / total)


@inlined
def move_intercept(intercept, total, change, rules, n_seen):
    """The intercept's step.  False: it overflowed."""
    real = change.dtype.type
    finite = True
    for k in range(len(change)):
        total[k] += change[k]
        step = rules.step * total[k] / n_seen * rules.intercept_decay
        if rules.saga:
            step += real(change[k] * (rules.step * (1 - 1.0 / n_seen)))
        intercept[k] -= step
        finite = finite and isfinite(intercept[k])
    return finite


@inlined
def soft_threshold(w, threshold):
    """Towards zero by the threshold, and no further."""
    zero = threshold - threshold
    above, below = w - threshold, -w - threshold
    return (above if above > 0 else zero) - (below if below > 0 else zero)


@inlined
def settled(weights, previous, tol):
    """Whether the largest change since the last epoch is within tol of the largest weight."""
    largest = change = weights[0, 0] - weights[0, 0]
    for j in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            largest = max(largest, abs(weights[j, k]))
            change = max(change, abs(weights[j, k] - previous[j, k]))
            previous[j, k] = weights[j, k]
    return change == 0 if largest == 0 else change / largest <= tol


# ---------------------------------------------------------------- steps that wait


@inlined
def add_step(path, shrinkage, t, rules, scale, n_seen):
    """Note the length of step t, and its threshold."""
    path[t + 1] = path[t] + rules.step / (scale * type(scale)(n_seen))
    shrinkage[t + 1] = shrinkage[t] + rules.step * rules.beta / scale


@inlined
def caught_up(w, g, length, done, now, path, shrinkage, l1):
    """The weight w after the steps done, ..., now - 1, of this length together, along its summed gradient g."""
    if not l1:
        return w - length * g
    threshold = shrinkage[now] - shrinkage[done]
    if abs(g * length) < threshold:  # then no step changes the sign and all of them are one
        return soft_threshold(w - length * g, threshold)
    for t in range(now - 1, done - 1, -1):
        w -= g * (path[t + 1] - path[t])
        cut = shrinkage[t + 1] - shrinkage[t]
        if w > cut >= 0:  # guessed right, a branch is quicker than the formula below, and the same
            w -= cut
        elif w < -cut <= 0:
            w += cut
        else:
            w = soft_threshold(w, cut)
    return w


@compiled
def settle(weights, sum_gradient, waiting, now, scale, l1):
    """Let all columns catch up, put the scale into the weights, and begin to count anew.  False: a weight overflowed."""
    path, shrinkage, done = waiting.path, waiting.shrinkage, waiting.done
    finite = True
    for j in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            w, g, length = weights[j, k], sum_gradient[j, k], path[now] - path[done[j]]
            w = caught_up(w, g, length, done[j], now, path, shrinkage, l1) * scale
            weights[j, k] = w
            finite = finite and isfinite(w)
    path[now] = 0
    shrinkage[now] = 0
    done[:] = now % (len(path) - 1)  # from 0 at the end of an epoch
    return finite


# ---------------------------------------------------------------- sparse rows


@compiled
def sag_sparse(data, indices, indptr, y, sample_weight, memory, rules, seed):
    """``sag`` for rows in CSR form: a step costs as much as its row has values."""
    weights, intercept, sum_gradient, sum_intercept, gradients, seen = memory
    n_samples, (n_features, n_outputs) = len(y), weights.shape
    real = data.dtype.type
    path, shrinkage = np.zeros(n_samples + 1, data.dtype), np.zeros(n_samples + 1, data.dtype)
    done = np.zeros(n_features, np.int64)
    longest = (indptr[1:] - indptr[:-1]).max()
    since, length = np.zeros(longest, np.int64), np.zeros(longest, data.dtype)  # what the columns of a row wait for
    waiting = Waiting(path, shrinkage, done)
    l1 = rules.saga and rules.beta > 0
    shrink = real(1.0 - rules.step * rules.alpha)
    n_seen = seen.sum()
    previous = np.zeros_like(weights)
    change = np.zeros(n_outputs, data.dtype)
    epoch, state = 0, seed
    for epoch in range(rules.max_iter):
        scale = real(1.0)
        for t in range(n_samples):
            state = next_state(state)
            i = random_index(state, 0, n_samples)
            n_seen += 1 - seen[i]
            seen[i] = 1
            start, stop = np.uintp(indptr[i]), np.uintp(indptr[i + 1])  # unsigned: no look for negative indices
            for j in range(start, stop):
                column = np.uintp(indices[j])
                since[j - start] = done[column]
                length[j - start] = path[t] - path[done[column]]
                done[column] = t
            for k in range(n_outputs):
                total = real(0)
                for j in range(start, stop):
                    column = np.uintp(indices[j])
                    w, g = weights[column, k], sum_gradient[column, k]
                    w = caught_up(w, g, length[j - start], since[j - start], t, path, shrinkage, l1)
                    weights[column, k] = w
                    total += w * data[j]
                change[k] = scale * total + intercept[k]
            renew_gradient(y[i], sample_weight[i], gradients, i, change)
            scale *= shrink
            move_columns(weights, sum_gradient, data, indices, start, stop, change, rules, n_seen, scale)
            if rules.fit_intercept and not move_intercept(intercept, sum_intercept, change, rules, n_seen):
                return epoch + 1, False
            add_step(path, shrinkage, t, rules, scale, n_seen)
            if scale < SMALLEST_SCALE:
                settle(weights, sum_gradient, waiting, t + 1, scale, l1)
                scale = real(1.0)
        if not settle(weights, sum_gradient, waiting, n_samples, scale, l1):
            return epoch + 1, False
        if settled(weights, previous, rules.tol):
            break
    return epoch + 1, True


@inlined
def move_columns(weights, sum_gradient, data, indices, start, stop, change, rules, n_seen, scale):
    """Renew the sample's share of the summed gradient, and take SAGA's correction, which does not wait."""
    correction = 1 - 1.0 / n_seen
    for k in range(len(change)):
        c = change[k]
        for j in range(start, stop):
            column = np.uintp(indices[j])
            renewal = data[j] * c
            if rules.saga:
                weights[column, k] -= renewal * rules.step * correction / scale
            sum_gradient[column, k] += renewal


# ---------------------------------------------------------------- dense rows


@compiled
def sag_dense(X, y, sample_weight, memory, rules, seed):
    """``sag`` for dense rows.  Inside, the weights lie output by output: W[k] are the weights of output k."""
    W, G, seen = memory.weights.T.copy(), memory.sum_gradient.T.copy(), memory.seen
    intercept, sum_intercept, gradients = memory.intercept, memory.sum_intercept, memory.gradients
    n_samples, (n_outputs, n_features) = len(y), W.shape
    real = X.dtype.type
    path, shrinkage = np.zeros(n_samples + 1, X.dtype), np.zeros(n_samples + 1, X.dtype)
    waiting = Waiting(path, shrinkage, np.zeros(n_features, np.int64))
    shrink = real(1.0 - rules.step * rules.alpha)
    n_seen = seen.sum()
    previous = np.zeros_like(W)
    change = np.zeros(n_outputs, X.dtype)
    still = Step(0.0, real(1), real(0), real(0))
    epoch, state, i = 0, seed, 0
    for epoch in range(rules.max_iter):
        step, done = still, 0  # and ``change`` is zero: nothing waits
        for t in range(n_samples):
            last = i
            state = next_state(state)
            i = random_index(state, 0, n_samples)
            n_seen += 1 - seen[i]
            seen[i] = 1
            if n_outputs == 1:
                change[0] = move_and_predict(W, G, X, last, change[0], rules, step, i)
            else:
                move(W, G, X, last, change, rules, step)
                predict(W, X, i, change)
            for k in range(n_outputs):
                change[k] = step.scale * change[k] + intercept[k]
            renew_gradient(y[i], sample_weight[i], gradients, i, change)
            if rules.fit_intercept and not move_intercept(intercept, sum_intercept, change, rules, n_seen):
                return epoch + 1, False
            scale = step.scale * shrink
            add_step(path, shrinkage, t, rules, scale, n_seen)
            step = Step(1 - 1.0 / n_seen, scale, path[t + 1] - path[t], shrinkage[t + 1] - shrinkage[t])
            done = t
            if scale < SMALLEST_SCALE:
                settle_dense(W, G, X, i, change, rules, step, waiting, done, t + 1)
                step, done = still, (t + 1) % n_samples
        if not settle_dense(W, G, X, i, change, rules, step, waiting, done, n_samples):
            return epoch + 1, False
        if settled(W, previous, rules.tol):
            break
    memory.weights[:], memory.sum_gradient[:] = W.T, G.T
    return epoch + 1, True


@compiled
def settle_dense(W, G, X, last, change, rules, step, waiting, done, now):
    """What the last sample renews, and then ``settle``."""
    zero = type(step.length)(0)
    move(W, G, X, last, change, rules, Step(step.correction, step.scale, zero, zero))
    change[:] = 0
    waiting.done[:] = done
    return settle(W.T, G.T, waiting, now, step.scale, rules.saga and rules.beta > 0)


@inlined
def moved(w, g, renewal, rules, step):
    """A weight after SAGA's correction and one step along g."""
    if rules.saga:
        w = type(w)(w - renewal * rules.step * step.correction / step.scale)
    w = w - step.length * g
    if rules.saga and rules.beta > 0:
        w = soft_threshold(w, step.threshold)
    return w


@inlined
def move(W, G, X, last, change, rules, step):
    """Renew the last sample's share of the summed gradients, and take one step."""
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            renewal = X[last, j] * change[k]
            G[k, j] += renewal
            W[k, j] = moved(W[k, j], G[k, j], renewal, rules, step)


@inlined
def move_and_predict(W, G, X, last, change, rules, step, i):
    """``move`` and ``predict`` in one pass, for one output: x'w waits for its own additions, which hides all the rest."""
    total = X.dtype.type(0)
    for j in range(W.shape[1]):
        renewal = X[last, j] * change
        g = G[0, j] + renewal
        w = moved(W[0, j], g, renewal, rules, step)
        G[0, j] = g
        W[0, j] = w
        total += w * X[i, j]
    return total


@inlined
def predict(W, X, i, raw):
    """raw = W x_i, each sum in the order of the row; four sums side by side, as one alone waits for its own additions."""
    k = 0
    while k + 4 <= len(raw):
        r0 = r1 = r2 = r3 = X.dtype.type(0)
        for j in range(W.shape[1]):
            r0 += W[k, j] * X[i, j]
            r1 += W[k + 1, j] * X[i, j]
            r2 += W[k + 2, j] * X[i, j]
            r3 += W[k + 3, j] * X[i, j]
        raw[k], raw[k + 1], raw[k + 2], raw[k + 3] = r0, r1, r2, r3
        k += 4
    while k < len(raw):
        r = X.dtype.type(0)
        for j in range(W.shape[1]):
            r += W[k, j] * X[i, j]
        raw[k] = r
        k += 1
