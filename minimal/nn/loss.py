"""Losses: how wrong a prediction is, as one number to make small.

Every loss has a ``reduction``: "none" gives one number for each element (or sample), "sum" their sum, "mean", the default,
their mean.  The older arguments ``size_average`` and ``reduce`` are understood, with PyTorch's warning.
"""

from __future__ import annotations

from typing import Any

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn.functional.losses import reduction_of
from minimal.nn.module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class _Loss(Module):
    """What losses have in common."""

    reduction: str

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction_of(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    """What losses with a weight in them have in common: the weight is a buffer."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """|x - y|.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Source: torch.nn.L1Loss, 2.13.0.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """(x - y)^2.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Source: torch.nn.MSELoss, 2.13.0.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """d^2 / (2 beta) where d = |x - y| < beta, else d - beta / 2.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}
    beta : float
        Default: 1.

    Source: torch.nn.SmoothL1Loss, 2.13.0.
    """

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2).

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float
        Default: 1.

    Source: torch.nn.HuberLoss, 2.13.0.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class KLDivLoss(_Loss):
    """y (log y - x), where x is already a log-probability.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean", the sum over the number of samples, is what the name of the loss means.
    log_target : bool
        Whether y is a log-probability too.  Default: False.

    Source: torch.nn.KLDivLoss, 2.13.0.
    """

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class BCELoss(_WeightedLoss):
    """-w (y log p + (1 - y) log(1 - p)), with logarithms not below -100.

    Parameters
    ----------
    weight : Tensor, optional
        w, broadcast.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Source: torch.nn.BCELoss, 2.13.0.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """As :class:`BCELoss` of p = sigmoid(x), computed without rounding p: -w (pos_weight y log p + (1 - y) log(1 - p)).

    Parameters
    ----------
    weight : Tensor, optional
        w, broadcast.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        By how much the positives count more, broadcast.

    Source: torch.nn.BCEWithLogitsLoss, 2.13.0.
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class NLLLoss(_WeightedLoss):
    """-w[y] x[y] for log-probabilities x of classes and the true class y; "mean" divides by the sum of the w[y].

    Parameters
    ----------
    weight : Tensor of shape (n_classes,), optional
    size_average, reduce : bool, optional
        Older names of the reduction.
    ignore_index : int
        A y that does not count.  Default: -100.
    reduction : {"mean", "sum", "none"}

    Shapes: x (N, C), (C,) or (N, C, ...); y (N,), () or (N, ...).

    Source: torch.nn.NLLLoss, 2.13.0.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """log(sum of exp(x)) - x[y]: the negative log-probability of the true class y by the softmax of the scores x.

    Parameters
    ----------
    weight : Tensor of shape (n_classes,), optional
    size_average, reduce : bool, optional
        Older names of the reduction.
    ignore_index : int
        A y that does not count.  Default: -100.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        How much of the truth is spread evenly over all classes.  Default: 0.

    Shapes: x (N, C), (C,) or (N, C, ...); y (N,), () or (N, ...), or probabilities of the shape of x.

    Source: torch.nn.CrossEntropyLoss, 2.13.0.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
