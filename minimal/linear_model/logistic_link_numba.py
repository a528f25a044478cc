"""From scores to probabilities and their logarithms: the compiled twin of ``logistic_link_numpy``, which explains them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.linear_model.vector_math_numba import exp_of_minus, log1p_of_unit, log_from_one

Floats = NDArray[np.floating]

plain: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**plain)
def _sigmoids(z, out):
    for i in range(len(z)):
        e = exp_of_minus(abs(z[i]))
        larger = 1.0 / (1.0 + e)
        smaller = e * larger
        out[i, 0] = smaller if z[i] >= 0 else larger
        out[i, 1] = larger if z[i] >= 0 else smaller


@njit(**plain)
def _log_sigmoids(z, out):
    for i in range(len(z)):
        rest = log1p_of_unit(exp_of_minus(abs(z[i])))
        out[i, 0] = -max(z[i], 0.0) - rest
        out[i, 1] = min(z[i], 0.0) - rest


@njit(**plain)
def _softmax(z, out):
    K = z.shape[1]
    e = np.empty(K)
    for i in range(len(z)):
        largest = z[i].max()
        total = 0.0
        for k in range(K):
            e[k] = exp_of_minus(largest - z[i, k])
            total += e[k]
        for k in range(K):
            out[i, k] = e[k] / total


@njit(**plain)
def _log_softmax(z, out):
    K = z.shape[1]
    for i in range(len(z)):
        largest = z[i].max()
        total = 0.0
        for k in range(K):
            total += exp_of_minus(largest - z[i, k])
        rest = log_from_one(total)
        for k in range(K):
            out[i, k] = (z[i, k] - largest) - rest


def probabilities(scores: Floats) -> Floats:
    """Twin of ``logistic_link_numpy.probabilities``."""
    return _fill(_sigmoids, _softmax, scores)


def log_probabilities(scores: Floats) -> Floats:
    """Twin of ``logistic_link_numpy.log_probabilities``."""
    return _fill(_log_sigmoids, _log_softmax, scores)


def _fill(two_classes, more_classes, scores):
    n = len(scores)
    if scores.ndim == 1:
        out = np.empty((n, 2), scores.dtype)
        two_classes(scores, out)
    else:
        out = np.empty(scores.shape, scores.dtype)
        more_classes(scores, out)
    return out
