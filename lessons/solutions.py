"""One right answer to each exercise; ``exercises`` examines it every time a lesson runs."""

from __future__ import annotations

import numpy as np

import minimal
from minimal import autograd


def element(strip, strides, i, j):
    return strip[(i * strides[0] + j * strides[1]) // strip.itemsize]


def variance(x):
    known = x[~np.isnan(x)]
    off = known - known.mean()
    return (np.sum(off**2) - np.sum(off) ** 2 / len(known)) / len(known)


def standardize(X):
    scale = np.nanstd(X, axis=0)
    scale[scale == 0] = 1
    return (X - np.nanmean(X, axis=0)) / scale


def merge_moments(n_a, mean_a, m2_a, n_b, mean_b, m2_b):
    n = n_a + n_b
    mean = (n_a * mean_a + n_b * mean_b) / n
    m2 = m2_a + m2_b + (mean_b - mean_a) ** 2 * n_a * n_b / n
    return n, mean, m2


def beale_gradient(p):
    x, y = p
    gradient = np.zeros(2)
    for k, c in enumerate((1.5, 2.25, 2.625), start=1):
        rest = c - x + x * y**k
        gradient += 2 * rest * np.array([y**k - 1, k * x * y ** (k - 1)])
    return gradient


def is_good_step(f0, slope0, alpha, f, slope, c1=1e-4, c2=0.9):
    return f <= f0 + c1 * alpha * slope0 and abs(slope) <= c2 * abs(slope0)


def secant_step(x0, g0, x1, g1):
    return x1 - (x1 - x0) / (g1 - g0) * g1


def limited_memory_direction(g, steps, changes):
    q, shares = g.copy(), []
    for s, y in zip(steps[::-1], changes[::-1]):
        shares.append((s @ q) / (y @ s))
        q -= shares[-1] * y
    for s, y, share in zip(steps, changes, shares[::-1]):
        q += s * (share - (y @ q) / (y @ s))
    return -q


def sigmoid(z):
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def log_sigmoid(z):
    return np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))


def mean_loss_gradient(w, X, y):
    p = 1 / (1 + np.exp(-X @ w))
    return X.T @ (p - y) / len(X)


def newton_step(w, X, y, penalty):
    p = 1 / (1 + np.exp(-X @ w))
    gradient = X.T @ (p - y) / len(X) + penalty * w
    hessian = (X.T * (p * (1 - p))) @ X / len(X) + penalty * np.eye(len(w))
    return w - np.linalg.solve(hessian, gradient)


def noise_floor(fit, X, y, orders):
    as_they_are = fit(X, y)
    return max(np.abs(fit(X[order], y[order]) - as_they_are).max() for order in orders)


def best_cut_for_numbers(x, y):
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    n_left = np.arange(1, len(x))
    left = np.cumsum(y)[:-1]
    score = left**2 / n_left + (y.sum() - left) ** 2 / (len(x) - n_left)
    score[x[:-1] == x[1:]] = -np.inf
    at = score.argmax()
    return x[at] / 2 + x[at + 1] / 2


def price_of_a_branch(risk, leaf_risks):
    return (risk - np.sum(leaf_risks)) / (len(leaf_risks) - 1)


def importances(left, right, feature, impurity, weight, n_features):
    inner = np.flatnonzero(left != -1)
    total = weight * impurity
    decrease = total[inner] - total[left[inner]] - total[right[inner]]
    by_feature = np.bincount(feature[inner], weights=decrease, minlength=n_features)
    return by_feature / by_feature.sum()


def out_of_bag_rows(drawn, n):
    return np.setdiff1d(np.arange(n), drawn)


def nearest_centers(X, centers):
    return ((X[:, np.newaxis] - centers) ** 2).sum(axis=2).argmin(axis=1)


def price_of_a_union(n_a, mean_a, n_b, mean_b):
    return n_a * n_b / (n_a + n_b) * np.sum((mean_a - mean_b) ** 2)


def chances_of_the_next_seed(X, chosen, weight):
    squared = ((X[:, np.newaxis] - X[chosen]) ** 2).sum(axis=2).min(axis=1)
    return weight * squared / np.sum(weight * squared)


def must_look(upper, lower, labels, shift):
    farthest = shift.argmax()
    of_the_others = np.full(len(shift), shift[farthest])
    of_the_others[farthest] = np.delete(shift, farthest).max()
    return upper + shift[labels] >= lower - of_the_others[labels]


def division_backward(g, x, y):
    return g / y, -g * x / y**2


def add_up_to(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))  # axes that were put in front
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


def order_of_the_walk(inputs, last):
    written, order = {last}, []
    waiting = [(last, iter(inputs[last]))]  # a stack of our own instead of calls inside each other
    while waiting:
        node, sources = waiting[-1]
        source = next((s for s in sources if s not in written), None)
        if source is None:
            order.append(node)
            waiting.pop()
        else:
            written.add(source)
            waiting.append((source, iter(inputs[source])))
    return order[::-1]


def hessian_times(f, x, v):
    x = minimal.tensor(x, requires_grad=True)
    (g,) = autograd.grad(f(x), x, create_graph=True)
    (product,) = autograd.grad((g * minimal.tensor(v)).sum(), x)
    return product.numpy()


def output_side(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def patches_as_rows(image, k):
    windows = np.lib.stride_tricks.sliding_window_view(image, (k, k))
    return windows.reshape(-1, k * k)


def filter_gradient(g, image):
    oh, ow = g.shape
    kh, kw = image.shape[0] - oh + 1, image.shape[1] - ow + 1
    dw = np.empty((kh, kw))
    for k in range(kh):
        for l in range(kw):
            dw[k, l] = np.sum(g * image[k : k + oh, l : l + ow])
    return dw


def pooling_backward(g, image):
    dx = np.zeros(image.shape)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            k, l = np.unravel_index(window.argmax(), (2, 2))  # the first of equals
            dx[2 * i + k, 2 * j + l] = g[i, j]
    return dx
