"""Losses as functions.

Every loss has a ``reduction``: "mean", "sum" or "none"; the older arguments ``size_average`` and ``reduce`` are understood,
with PyTorch's warning.  Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

import warnings

from minimal.autograd import functions as ops
from minimal.autograd.tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]

Flag = bool | None


def reduction_of(size_average: Flag, reduce: Flag, reduction: str = "mean") -> str:
    """The reduction that older arguments stand for, with a warning; ``reduction`` if they are not given."""
    if size_average is None and reduce is None:
        return reduction
    old = ("mean" if size_average in (None, True) else "sum") if reduce in (None, True) else "none"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{old}' instead.", stacklevel=3
    )
    return old


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of losses, or all of them; ValueError for another reduction."""
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f"{reduction} is not a valid value for reduction")


# ---------------------------------------------------------------- of numbers


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """w (x - y)^2; a weighted mean is divided by the sum of w.

    Parameters
    ----------
    input, target : Tensor
        x and y, of one shape; other shapes are broadcast, with a warning.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        w, of the shape of x.

    Raises
    ------
    ValueError
        For another reduction, or a weight of another shape.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = _same_size(input, target)
    if weight is None:
        return ops.mse_loss(x, y, reduction)
    return _weighted_mean((x - y) ** 2, weight, input, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """w |x - y|; parameters and errors of :func:`mse_loss`."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = _same_size(input, target)
    if weight is None:
        return ops.l1_loss(x, y, reduction)
    return _weighted_mean((x - y).abs(), weight, input, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where d = |x - y| < beta, else d - beta / 2; RuntimeError if ``beta`` is negative."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = _same_size(input, target)
    return ops.smooth_l1_loss(x, y, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2), times w.

    Parameters
    ----------
    input, target : Tensor
        x and y, of one shape; other shapes are broadcast, with a warning.
    reduction : {"mean", "sum", "none"}
        A mean is divided by the count, whatever w is.
    delta : float
    weight : Tensor, optional
        w, of the shape of x.

    Raises
    ------
    ValueError
        For another reduction, or a weight of another shape.
    RuntimeError
        If ``delta`` is not positive.
    """
    x, y = _same_size(input, target)
    if weight is None:
        return ops.huber_loss(x, y, reduction, delta)
    _check_weight(weight, input)
    return reduced(ops.huber_loss(x, y, "none", delta) * weight, reduction)


def _same_size(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if input.shape == target.shape:
        return input, target
    warnings.warn(
        f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}). This will likely lead "
        "to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=3,
    )
    x, y = ops.broadcast_tensors(input, target)
    return x, y


def _size(tensor: Tensor) -> str:
    return f"torch.Size({list(tensor.shape)})"


def _check_weight(weight: Tensor, input: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError(
            f"Weights and input must have the same size, got {list(weight.shape)} and {list(input.shape)}."
        )


def _weighted_mean(losses: Tensor, weight: Tensor, input: Tensor, reduction: str) -> Tensor:
    _check_weight(weight, input)
    if reduction == "mean":
        return (losses * weight).sum() / weight.sum()
    return reduced(losses * weight, reduction)


# ---------------------------------------------------------------- of probabilities


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """y (log y - x), where x is already a log-probability, and y too with ``log_target``.

    Parameters
    ----------
    input, target : Tensor
        x and y, broadcast together.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" divides the sum by the number of samples; "mean", by the count of numbers, warns.
    log_target : bool
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_of(size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides only "
            "by the batch size, and aligns with the KL div math definition.",
            stacklevel=2,
        )
    losses = ops.kl_div(input, target, "sum" if reduction == "batchmean" else reduction, log_target)
    return losses / input.shape[0] if reduction == "batchmean" and input.ndim else losses


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """-w (y log p + (1 - y) log(1 - p)), with logarithms not below -100.

    Parameters
    ----------
    input, target : Tensor
        p and y, of one shape.
    weight : Tensor, optional
        w, broadcast.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, or for another reduction.
    RuntimeError
        If a probability is not between 0 and 1.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}) is deprecated. "
            "Please ensure they have the same size."
        )
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-w (pos_weight y log p + (1 - y) log(1 - p)) with p = sigmoid(x), which is never rounded to 0 or 1.

    Parameters
    ----------
    input, target : Tensor
        x and y, of one shape.
    weight, pos_weight : Tensor, optional
        Broadcast.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, or for another reduction.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({_size(target)}) must be the same as input size ({_size(input)})")
    return ops.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


# ---------------------------------------------------------------- of classes


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """-w[y] x[y] for log-probabilities x of classes and the true class y; "mean" divides by the sum of the w[y].

    Parameters
    ----------
    input : Tensor of shape (N, C), (C,) or (N, C, ...)
        x.
    target : Tensor of shape (N,), () or (N, ...)
        y.
    weight : Tensor of shape (C,), optional
        w.
    size_average, reduce : bool, optional
        Older names of the reduction.
    ignore_index : int
        A y that does not count.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError, RuntimeError
        If the shapes do not fit, or for another reduction.
    IndexError
        If a y is no class.
    """
    return ops.nll_loss(input, target, weight, ignore_index, reduction_of(size_average, reduce, reduction))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """log(sum of exp(x)) - x[y] for scores x of classes and the true class y.

    Parameters
    ----------
    input : Tensor of shape (N, C), (C,) or (N, C, ...)
        x.
    target : Tensor of shape (N,), () or (N, ...)
        y; or probabilities of the classes, of the shape of x.
    weight : Tensor of shape (C,), optional
    size_average, reduce : bool, optional
        Older names of the reduction.
    ignore_index : int
        A y that does not count.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        How much of the truth is spread evenly over all classes.

    Raises
    ------
    ValueError, RuntimeError
        If the shapes do not fit, or for another reduction or a smoothing outside of [0, 1].
    IndexError
        If a y is no class.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
