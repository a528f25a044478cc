"""How alike vectors are, and the losses that bring some together and keep others apart.

Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

from minimal.autograd import functions as ops
from minimal.autograd.tensor import Tensor
from minimal.nn.functional.losses import Flag, reduced, reduction_of

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "normalize",
    "pairwise_distance",
    "triplet_margin_loss",
]

cosine_similarity = ops.cosine_similarity
normalize = ops.normalize
pairwise_distance = ops.pairwise_distance


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """x where y = 1, max(margin - x, 0) where y = -1: distances of the alike shrink, of the others grow to the margin.

    Parameters
    ----------
    input, target : Tensor
        x, and y of 1 and -1; broadcast.
    margin : float
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}
    """
    far = ops.where(target != 1, (margin - input).clamp_min(0), input * 0)
    near = ops.where(target != -1, input, input * 0)
    return reduced(far + near, reduction_of(size_average, reduce, reduction))


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """max(-y (x1 - x2) + margin, 0): x1 shall be the larger where y = 1, and x2 where y = -1.

    Raises
    ------
    RuntimeError
        If the three have different numbers of dimensions.
    """
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{list(input1.shape)}, input2: {list(input2.shape)}, target: {list(target.shape)}"
        )
    losses = (-target * (input1 - input2) + margin).clamp_min(0)
    return reduced(losses, reduction_of(size_average, reduce, reduction))


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where y = 1, max(cos(x1, x2) - margin, 0) where y = -1.

    Parameters
    ----------
    input1, input2 : Tensor of shape (N, D) or (D,)
    target : Tensor of shape (N,) or ()
    margin : float
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    RuntimeError
        If the shapes do not fit.
    """
    if target.ndim > 1:
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported: got {list(target.shape)}")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    x_y, x_x, y_y = ((a * b).sum(-1) for a, b in ((input1, input2), (input1, input1), (input2, input2)))
    tiny = 1e-12
    cosine = x_y / ((x_x + tiny) * (y_y + tiny)).sqrt()
    alike = ops.where(target == 1, 1 - cosine, cosine * 0)
    other = ops.where(target == -1, (cosine - margin).clamp_min(0), cosine * 0)
    return reduced(alike + other, reduction_of(size_average, reduce, reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0) with d the p-norm of the difference.

    Parameters
    ----------
    anchor, positive, negative : Tensor of shape (N, D) or (D,)
    margin, p, eps : float
    swap : bool
        Whether the negative's distance is the smaller one of those to the anchor and to the positive.
    size_average, reduce : bool, optional
        Older names of the reduction.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the margin is not positive.
    RuntimeError
        If the three have different numbers of dimensions.
    """
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor "
            f"{anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced((near - far + margin).clamp_min(0), reduction_of(size_average, reduce, reduction))
