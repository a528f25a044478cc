"""Losses: how far an output is from its target, one number to make smaller.

``reduction`` is "mean", "sum" or "none" throughout.  Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.functions.activations import logsigmoid
from minimal.autograd.functions.elementwise import exp, where, xlogy
from minimal.autograd.functions.softmaxes import log_softmax
from minimal.autograd.kernels.classes import LossRule, check_targets
from minimal.autograd.operations import losses as ops
from minimal.autograd.tensor import Tensor

_REDUCTIONS = ("mean", "sum", "none")


def _check_reduction(reduction: str) -> None:
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction: it is one of {', '.join(_REDUCTIONS)}")


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    _check_reduction(reduction)
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


# ---------------------------------------------------------------- of numbers


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(x - y)^2."""
    return _reduced((input - target).square(), reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|x - y|."""
    return _reduced((input - target).abs(), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """(x - y)^2 / (2 beta) where |x - y| < beta, else |x - y| - beta / 2.

    Raises
    ------
    RuntimeError
        If ``beta`` is negative.
    """
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    off = (input - target).abs()
    return _reduced(where(off < beta, off.square() * (0.5 / beta), off - 0.5 * beta), reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """(x - y)^2 / 2 where |x - y| <= delta, else delta (|x - y| - delta / 2).

    Raises
    ------
    RuntimeError
        If ``delta`` is not positive.
    """
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    off = (input - target).abs()
    return _reduced(where(off <= delta, off.square() * 0.5, (off - 0.5 * delta) * delta), reduction)


# ---------------------------------------------------------------- of probabilities


def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """y (log y - x) for log-probabilities x; with ``log_target`` the target is log y."""
    losses = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    return _reduced(losses, reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-w (y log x + (1 - y) log(1 - x)) for probabilities x, with logarithms of at least -100.

    Raises
    ------
    RuntimeError
        If an x is no probability.
    """
    if target.dtype != input.dtype:
        raise RuntimeError(f"Found dtype {target.dtype} but expected {input.dtype}: convert the target")
    for name, x in (("input", input.array), ("target", target.array)):
        if not ((x >= 0) & (x <= 1)).all():
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    losses = ops.BinaryCrossEntropy.binary(input, target)
    return _reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-w (pos_weight y log p + (1 - y) log(1 - p)) with p = sigmoid(x), from x, without rounding p."""
    if target.dtype.kind != "f":
        raise RuntimeError(f"result type {input.dtype} can't be cast to the desired output type {target.dtype}")
    log_p = logsigmoid(input)
    counted = log_p if pos_weight is None else log_p * ((pos_weight - 1.0) * target + 1.0)
    losses = (1.0 - target) * input - counted
    return _reduced(losses if weight is None else losses * weight, reduction)


# ---------------------------------------------------------------- of classes


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-w[y] x[y] for log-probabilities x and the true class y; the mean divides by the sum of the w[y].

    Parameters
    ----------
    input : Tensor of shape (C,), (N, C) or (N, C, ...)
    target : Tensor of int64, shape (), (N,) or (N, ...)
    weight : Tensor of shape (C,), optional
    ignore_index : int, default=-100
        A y that does not count.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError, RuntimeError
        If the shapes do not fit.
    IndexError
        If a y is no class.
    """
    _check_reduction(reduction)
    target = _checked_classes(input, target, weight)
    return _in_parts(input, target.array, weight, LossRule(ignore_index, 0.0, reduction))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(x)[y] for scores x and the true class y, or -sum of q log softmax(x) for probabilities q of classes.

    Parameters
    ----------
    input : Tensor of shape (C,), (N, C) or (N, C, ...)
    target : Tensor of int64 without the dimension of the classes, or of floating point numbers like ``input``
    weight : Tensor of shape (C,), optional
        What each class weighs; with classes as target the mean divides by the sum of the weights.
    ignore_index : int, default=-100
        A class that does not count.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float in [0, 1], default=0
        How much of each target is spread over all classes.

    Raises
    ------
    ValueError, RuntimeError
        If the shapes do not fit.
    IndexError
        If a target is no class.
    """
    _check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.dtype.kind == "f" and target.shape == input.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    target = _checked_classes(input, target, weight)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"cross_entropy needs floating point scores, not {input.dtype}")
    rule = LossRule(ignore_index, label_smoothing, reduction)
    if (weight is not None and weight.requires_grad) or input.array.size == 0:
        return cross_entropy_in_parts(input, target.array, weight, rule)
    return ops.CrossEntropy.apply(input, target.array, None if weight is None else weight.detach(), rule)


def _checked_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The target in int64, of the shape that goes with the scores."""
    if input.ndim == 1 and target.ndim == 1:
        if target.shape != (1,):
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.shape[0]}")
        target = target.squeeze(0)
    if input.ndim == 0:
        raise RuntimeError(f"the scores of classes need at least one dimension, got shape {list(input.shape)}")
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if input.ndim > 1 and target.ndim and target.shape[0] != input.shape[0]:
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]}): input of shape "
            f"{list(input.shape)}, target of shape {list(target.shape)}."
        )
    if target.shape != expected:
        raise RuntimeError(
            f"Expected a target of shape {list(expected)} (got target {list(target.shape)}, input {list(input.shape)})"
        )
    if target.dtype not in (np.int64, np.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype}: number classes in int64")
    n_classes = input.shape[1 if input.ndim > 1 else 0]
    if weight is not None and weight.shape != (n_classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {n_classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    if weight is not None and weight.dtype != input.dtype:
        raise RuntimeError(
            f"expected scalar type {input.dtype} but found {weight.dtype}: the weight needs the dtype of input"
        )
    return target.to(dtypes.INT64)


def cross_entropy_in_parts(x: Any, target: np.ndarray, weight: Any, rule: LossRule) -> Any:
    """The same loss from ordinary operations, which can be differentiated again and by the weight."""
    return _in_parts(log_softmax(x, 1 if x.ndim > 1 else 0), target, weight, rule)


def _in_parts(log_p: Tensor, target: np.ndarray, weight: Tensor | None, rule: LossRule) -> Tensor:
    axis = 1 if log_p.ndim > 1 else 0
    n_classes = log_p.shape[axis]
    check_targets(target, n_classes, rule.ignore_index)
    counts = target != rule.ignore_index
    chosen = Tensor(np.where(counts, target, 0))
    w = Tensor(np.ones(n_classes, log_p.dtype)) if weight is None else weight
    zero = Tensor(np.zeros((), log_p.dtype))
    w_target = where(Tensor(np.asarray(counts)), w[chosen], zero)
    losses = -w_target * log_p.gather(axis, chosen.unsqueeze(axis)).squeeze(axis)
    if rule.label_smoothing:
        along = w.reshape([-1 if i == axis else 1 for i in range(log_p.ndim)])
        spread = where(Tensor(np.asarray(counts)), -(along * log_p).sum(axis), zero)
        losses = (1 - rule.label_smoothing) * losses + (rule.label_smoothing / n_classes) * spread
    if rule.reduction == "mean":
        return losses.sum() / w_target.sum()
    return losses.sum() if rule.reduction == "sum" else losses


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    axis = 1 if input.ndim > 1 else 0
    n_classes = input.shape[axis]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / n_classes
    parts = log_softmax(input, axis) * target
    if weight is not None:
        parts = parts * weight.reshape([-1 if i == axis else 1 for i in range(input.ndim)])
    losses = -parts.sum(axis)
    if reduction == "mean":
        return losses.sum() / (input.array.size / n_classes)
    return losses.sum() if reduction == "sum" else losses
