"""Softmax, its logarithm, and the cross entropy between scores and classes, each with its gradient.

With p = softmax(x), p_c = exp(x_c) / sum_k exp(x_k), everything here follows from one derivative:

    d log p_c / d x_k  =  [c = k] - p_k

The largest score is subtracted first: it cancels in p, and no exp can overflow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.kernels.classes import LossRule, check_targets

Array = NDArray[Any]


def softmax(x: Array, axis: int) -> Array:
    """p = exp(x) / sum(exp(x)) along an axis.  Source: ``torch.softmax``, 2.13.0."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    e /= e.sum(axis=axis, keepdims=True)
    return e


def softmax_backward(g: Array, p: Array, axis: int) -> Array:
    """dx_k = p_k (g_k - sum_c g_c p_c), from the result p of ``softmax``."""
    return p * (g - (g * p).sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int) -> Array:
    """log p = x - log(sum(exp(x))) along an axis.  Source: ``torch.log_softmax``, 2.13.0."""
    shifted = x - x.max(axis=axis, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def log_softmax_backward(g: Array, log_p: Array, axis: int) -> Array:
    """dx_k = g_k - p_k sum_c g_c, from the result log p of ``log_softmax``."""
    return g - np.exp(log_p) * g.sum(axis=axis, keepdims=True)


def cross_entropy(
    x: Array, target: NDArray[np.integer], weight: Array | None, rule: LossRule
) -> tuple[Array, Array, float]:
    """How many nats the true classes cost under softmax(x).

    loss_i = -w_t log p_t for the target class t of sample i.  With label smoothing s the target is spread: it keeps 1 - s,
    and s / C goes to each class:  loss_i = -(1 - s) w_t log p_t - (s / C) sum_c w_c log p_c.  The mean divides by the sum of
    the weights w_t.

    Parameters
    ----------
    x : ndarray of shape (C,) or (N, C, ...)
        Scores of classes.
    target : ndarray of integers, shape () or (N, ...)
        Class numbers 0 .. C - 1, or ``rule.ignore_index`` for what shall not count.
    weight : ndarray of shape (C,) or None
        What each class weighs; None: 1.
    rule : LossRule
        ignore_index, label_smoothing, reduction.

    Returns
    -------
    loss : ndarray of shape (), or of target's shape without reduction
    p : ndarray like ``x``
        softmax(x), which the gradient needs.
    total_weight : float
        Sum of the weights w_t.

    Raises
    ------
    IndexError
        If a target is no class.

    Source: ``torch.nn.functional.cross_entropy`` with class indices, 2.13.0.
    """
    axis, n_classes = (1 if x.ndim > 1 else 0), x.shape[1 if x.ndim > 1 else 0]
    check_targets(target, n_classes, rule.ignore_index)
    kept, w_target, w = _weights(target, weight, n_classes, rule.ignore_index, x)
    log_p = log_softmax(x, axis)
    chosen = np.expand_dims(np.where(kept, target, 0), axis)
    loss = -w_target * np.take_along_axis(log_p, chosen, axis).squeeze(axis)
    if rule.label_smoothing:
        spread = -np.tensordot(w, log_p, axes=(0, axis))
        spread = np.where(kept, spread, 0)
        loss = (1 - rule.label_smoothing) * loss + rule.label_smoothing / n_classes * spread
    total_weight = w_target.sum()
    loss = loss.astype(x.dtype) if loss.ndim else np.asarray(loss, x.dtype)
    if rule.reduction != "none":
        loss = loss.sum()
    if rule.reduction == "mean":
        with np.errstate(invalid="ignore"):
            loss = loss / total_weight
    return np.asarray(loss), np.exp(log_p), float(total_weight)


def cross_entropy_backward(
    g: Array,
    p: Array,
    target: NDArray[np.integer],
    weight: Array | None,
    total_weight: float,
    rule: LossRule,
) -> Array:
    """dx_k = sum_c b_c (p_k - [c = k]), where b_c = (1 - s) w_t [c = t] + (s / C) w_c is what log p_c counts in the loss.

    Parameters
    ----------
    g : ndarray of shape (), or of target's shape without reduction
    p, total_weight
        From ``cross_entropy``.
    target, weight, rule
        As there.

    Returns
    -------
    ndarray like ``p``
    """
    axis, n_classes = (1 if p.ndim > 1 else 0), p.shape[1 if p.ndim > 1 else 0]
    kept, w_target, w = _weights(target, weight, n_classes, rule.ignore_index, p)
    if rule.reduction == "mean":
        with np.errstate(divide="ignore", invalid="ignore"):
            g = g / np.asarray(total_weight, p.dtype)
    g = np.where(kept, g, 0)
    smooth = rule.label_smoothing / n_classes
    chosen, share = np.expand_dims(np.where(kept, target, 0), axis), (1 - rule.label_smoothing) * w_target
    dx = p * np.expand_dims(g * (share + smooth * w.sum()), axis)
    if smooth:
        dx -= np.expand_dims(g, axis) * smooth * w.reshape([-1 if a == axis else 1 for a in range(p.ndim)])
    at_target = np.take_along_axis(dx, chosen, axis) - np.expand_dims(g * share, axis)
    np.put_along_axis(dx, chosen, at_target, axis)
    return dx.astype(p.dtype, copy=False)


def _weights(target: Array, weight: Array | None, n_classes: int, ignore_index: int, x: Array) -> tuple[Array, ...]:
    """Which targets count, what each of them weighs, and what each class weighs."""
    kept = np.asarray(target != ignore_index)
    w = np.ones(n_classes, x.dtype) if weight is None else weight
    return kept, np.where(kept, w[np.where(kept, target, 0)], x.dtype.type(0)), w
