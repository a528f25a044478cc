"""Linear layers, embeddings and dropout under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimal.autograd.operations import layers as ops
from minimal.autograd.tensor import Tensor
from minimal.generator import default_generator, dropout_mask


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b.  Source: torch.nn.functional.linear, 2.13.0.

    Parameters
    ----------
    input : Tensor of shape (..., in_features)
    weight : Tensor of shape (out_features, in_features), or (in_features,)
    bias : Tensor of shape (out_features,), optional

    Raises
    ------
    RuntimeError
        If shapes or dtypes do not go together.
    """
    if weight.ndim == 1:
        out = input.matmul(weight)
        return out if bias is None else out + bias
    if weight.ndim != 2:
        raise RuntimeError(f"linear(): the weight must be a matrix or a vector, not of shape {list(weight.shape)}")
    if input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        rows = int(np.prod(input.shape[:-1]))
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1] if input.ndim else 1} and "
            f"{weight.shape[1]}x{weight.shape[0]}): the input of shape {list(input.shape)} does not fit the weight of shape "
            f"{list(weight.shape)}"
        )
    if bias is not None and bias.shape != (weight.shape[0],):
        if bias.array.size != 1 and bias.shape[-1:] != (weight.shape[0],):
            raise RuntimeError(
                f"The size of tensor a ({weight.shape[0]}) must match the size of tensor b ({bias.shape[-1]}): a bias of "
                f"shape {list(bias.shape)} does not fit a weight of shape {list(weight.shape)}"
            )
        return ops.Linear.apply(input, weight, None) + bias
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != input.dtype:
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {input.dtype} and {other.dtype} ({name})"
            )
    return ops.Linear.apply(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T W_k x2 + b_k for each k.  Source: torch.nn.functional.bilinear, 2.13.0."""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {list(input1.shape)} and {list(input2.shape)}"
        )
    if (input1.shape[-1], input2.shape[-1]) != weight.shape[1:]:
        raise RuntimeError(
            f"bilinear(): inputs of shape {list(input1.shape)} and {list(input2.shape)} do not fit a weight of shape "
            f"{list(weight.shape)}"
        )
    half = input1.matmul(
        weight.reshape(weight.shape[0], *weight.shape[1:]).permute(1, 0, 2).reshape(weight.shape[1], -1)
    )
    half = half.reshape(*input1.shape[:-1], weight.shape[0], weight.shape[2])
    out = (half * input2.unsqueeze(-2)).sum(-1)
    return out if bias is None else out + bias


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, scale_grad_by_freq: bool = False
) -> Tensor:
    """The rows of ``weight`` that ``input`` names.  Source: torch.embedding, 2.13.0.

    Parameters
    ----------
    input : Tensor of whole numbers, any shape
    weight : Tensor of shape (n_rows, length)
    padding_idx : int, optional
        A row that gets no gradient.
    scale_grad_by_freq : bool, default=False
        Whether a row's gradient is divided by how often it was named.

    Raises
    ------
    RuntimeError
        If the numbers are not whole, or the weight is no matrix.
    IndexError
        If there is no such row.
    """
    index = input.array
    if index.dtype.kind not in "iu" or index.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input.dtype} instead (while checking arguments for embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, not of shape {list(weight.shape)}")
    if index.size and (index.min() < 0 or index.max() >= weight.shape[0]):
        raise IndexError(
            f"index out of range in self: {int(index.min())} to {int(index.max())} for a table of {weight.shape[0]} rows"
        )
    row = padding_idx if padding_idx is None or padding_idx >= 0 else padding_idx + weight.shape[0]
    return ops.Embedding.apply(weight, index, row, scale_grad_by_freq)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the class, 0 at the others, in a new last dimension.  Source: torch.nn.functional.one_hot, 2.13.0."""
    classes = tensor.array
    if classes.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, not {tensor.dtype}")
    if classes.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if classes.size and classes.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    n = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if classes.size and classes.max() >= n:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return Tensor((classes[..., None] == np.arange(n)).astype(np.int64))


# ---------------------------------------------------------------- dropout


def dropout(input: Tensor, p: float = 0.5, train: bool = True) -> Tensor:
    """x m / (1 - p), with m = 0 with probability p and 1 otherwise.  Source: torch.dropout, 2.13.0, with its masks.

    Raises
    ------
    RuntimeError
        If p is no probability.

    Differs from the reference when images (N, C, H, W) have channels last in memory: masks are drawn as if they came last
    in name only, since a convolution gives such memory here, and contiguous memory there.
    """
    return _masked(input, p, train, input.shape, _order(input.array))


def _order(x: np.ndarray) -> tuple[int, ...] | None:
    """The axes as they follow one another in memory, for the mask is drawn along it; None if as in the shape."""
    if x.flags.c_contiguous or 0 in x.strides or (x.ndim == 4 and x.transpose(0, 2, 3, 1).flags.c_contiguous):
        return None
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


def feature_dropout(input: Tensor, p: float = 0.5, train: bool = True) -> Tensor:
    """As ``dropout``, with one m for each sample's channel.  Source: torch.feature_dropout, 2.13.0, with its masks."""
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _masked(input, p, train, input.shape[:2] + (1,) * (input.ndim - 2), None)


def alpha_dropout(input: Tensor, p: float = 0.5, train: bool = False) -> Tensor:
    """a (x m + c (1 - m)) + b: dropout that sets to the lowest value of SELU, and keeps mean and variance.

    Source: torch.alpha_dropout, 2.13.0 (Klambauer et al., 2017), with its masks.
    """
    _check(input, p)
    if p == 0 or not train or input.array.size == 0:
        return input
    if p == 1:
        return input * 0.0
    lowest = -1.7580993408473766  # of SELU
    scale = 1.0 / math.sqrt((lowest**2 * p + 1.0) * (1.0 - p))
    kept = Tensor(_mask(p, input.shape, input.dtype, _order(input.array)) != 0).to(input.dtype)
    return input * (kept * scale) + ((1.0 - kept) * (lowest * scale) - lowest * scale * p)


def _masked(input: Tensor, p: float, train: bool, shape: tuple[int, ...], order: tuple[int, ...] | None) -> Tensor:
    _check(input, p)
    if p == 0 or not train or input.array.size == 0:
        return input
    return input * Tensor(_mask(p, shape, input.dtype, order))


def _mask(p: float, shape: tuple[int, ...], dtype: Any, order: tuple[int, ...] | None) -> np.ndarray:
    """Zeros and 1 / (1 - p), drawn along the axes in that order."""
    if order is None:
        return dropout_mask(default_generator, p, shape, dtype)
    mask = dropout_mask(default_generator, p, tuple([shape[axis] for axis in order]), dtype)
    return mask.transpose(np.argsort(order))


def _check(input: Tensor, p: float) -> None:
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"dropout needs floating point numbers: its result can't be cast to {input.dtype}")
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
