"""From scores to probabilities, and to their logarithms: sigmoid and softmax that neither overflow nor lose small numbers.

Two classes, score z: P(second) = 1 / (1 + exp(-z)) and P(first) = 1 / (1 + exp(z)); each is computed from e = exp(-|z|) <= 1,
never as one minus the other, so that a probability of 1e-300 is 1e-300.  More classes: softmax, the largest score taken off.

Twin: ``logistic_link_numba``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def probabilities(scores: Floats) -> Floats:
    """P of each class.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)

    Returns
    -------
    ndarray of shape (n_samples, n_classes), dtype of ``scores``
    """
    if scores.ndim == 1:
        e = np.exp(-np.abs(scores))
        larger = 1.0 / (1.0 + e)
        smaller = e * larger
        second = scores >= 0
        return np.column_stack([np.where(second, smaller, larger), np.where(second, larger, smaller)])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_probabilities(scores: Floats) -> Floats:
    """log P of each class, from the scores: log P = -log(1 + exp(-z)), or z_k - log(sum_l exp(z_l)).

    Parameters and result as for :func:`probabilities`.
    """
    if scores.ndim == 1:
        rest = np.log1p(np.exp(-np.abs(scores)))
        return np.column_stack([-np.maximum(scores, 0) - rest, np.minimum(scores, 0) - rest])
    z = scores - scores.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
