"""Layers with weights, pooling, normalization, dropout and embedding as functions.

Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from minimal.autograd import functions as ops
from minimal.autograd.in_place import change
from minimal.autograd.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "dropout",
    "dropout1d",
    "dropout2d",
    "embedding",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "linear",
    "max_pool1d",
    "max_pool2d",
    "one_hot",
    "pad",
    "rms_norm",
]

# What needs nothing added to the operation.
adaptive_avg_pool1d = ops.adaptive_avg_pool1d
adaptive_avg_pool2d = ops.adaptive_avg_pool2d
adaptive_max_pool1d = ops.adaptive_max_pool1d
adaptive_max_pool2d = ops.adaptive_max_pool2d
avg_pool1d = ops.avg_pool1d
avg_pool2d = ops.avg_pool2d
bilinear = ops.bilinear
conv1d = ops.conv1d
conv2d = ops.conv2d
conv_transpose1d = ops.conv_transpose1d
conv_transpose2d = ops.conv_transpose2d
instance_norm = ops.instance_norm
linear = ops.linear
max_pool1d = ops.max_pool1d
max_pool2d = ops.max_pool2d
one_hot = ops.one_hot
pad = ops.pad
rms_norm = ops.rms_norm


# ---------------------------------------------------------------- normalization


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (axis 1).

    Parameters
    ----------
    input : Tensor of shape (N, C, ...)
    running_mean, running_var : Tensor of shape (C,), or None
        Used in evaluation; in training they move towards the batch's own by ``momentum``, in place.
    weight, bias : Tensor of shape (C,), optional
    training : bool
        Whether mean and variance are those of the batch.  Default: False.
    momentum, eps : float

    Raises
    ------
    ValueError
        If there is only one value for each channel in training.
    RuntimeError
        If shapes do not fit, or there are no running statistics in evaluation.
    """
    if training and math.prod(input.shape) == input.shape[1]:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    return ops.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes, whose shape is ``normalized_shape``.

    Raises
    ------
    RuntimeError
        If those are not the last axes, or weight or bias do not have that shape.
    """
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over groups of channels (axis 1) of each sample.

    Raises
    ------
    RuntimeError
        If the channels cannot be divided into ``num_groups``, or weight or bias do not have one number for each.
    ValueError
        If there is only one value for each group.
    """
    if input.ndim > 1 and input.shape[0] * math.prod(input.shape[2:]) * input.shape[1] == num_groups:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    return ops.group_norm(input, num_groups, weight, bias, eps)


# ---------------------------------------------------------------- dropout


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """x m / (1 - p) with m = 0 with probability p, else 1; x itself if not ``training``.

    Raises
    ------
    ValueError
        If p is not between 0 and 1.
    """
    return _dropped(ops.dropout, input, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean and variance of what SELU gives: what drops becomes SELU's lowest value; errors as above."""
    return _dropped(ops.alpha_dropout, input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As :func:`dropout`, with one m for each channel of (N, C, L) or (C, L); RuntimeError for other shapes."""
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input: (N, C, L) or (C, L)."
        )
    if input.ndim == 3:
        return _dropped(ops.feature_dropout, input, p, training, inplace)
    return _dropped(lambda x, *more: ops.feature_dropout(x.unsqueeze(0), *more).squeeze(0), input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As :func:`dropout`, with one m for each channel of (N, C, H, W).

    Three axes are taken for (N, C, L), with a warning, as in the reference.
    """
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired: "
            "(N, C, L). Use dropout1d for that.",
            stacklevel=2,
        )
    elif input.ndim != 4:
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated: use dropout instead.",
            stacklevel=2,
        )
    return _dropped(ops.feature_dropout, input, p, training, inplace)


def _dropped(function: Callable[..., Tensor], input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if inplace:
        return change(input, lambda x: function(x, p, training))
    return function(input, p, training)


# ---------------------------------------------------------------- embedding


def checked_padding_idx(padding_idx: int | None, n_rows: int) -> int | None:
    """``padding_idx`` counted from the start; AssertionError if it is no row."""
    if padding_idx is None:
        return None
    if not -n_rows <= padding_idx < n_rows:
        raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} and {n_rows}")
    return padding_idx % n_rows


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[x[...], :].

    Parameters
    ----------
    input : Tensor of any shape, whole numbers
        x.
    weight : Tensor of shape (n_rows, length)
    padding_idx : int, optional
        A row that gets no gradient.
    max_norm : float, optional
        Rows looked up that are longer are first shortened, in place.
    norm_type : float
        p of the norm for ``max_norm``.
    scale_grad_by_freq : bool
        Divide the gradient of a row by how often it is in x.
    sparse : False
        There are no sparse gradients here.

    Raises
    ------
    IndexError
        If x has a number that is no row.
    AssertionError
        If ``padding_idx`` is no row.
    RuntimeError
        If x does not hold whole numbers.
    NotImplementedError
        If ``sparse``.
    """
    if sparse:
        raise NotImplementedError("There are no sparse gradients here: use sparse=False.")
    padding_idx = checked_padding_idx(padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    return ops.embedding(input, weight, padding_idx, scale_grad_by_freq)


def _shorten_rows(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are longer than ``max_norm`` down to it."""
    table, rows = weight.array, np.unique(input.array)
    norms = np.linalg.norm(table[rows], norm_type, axis=1)
    too_long = norms > max_norm
    table[rows[too_long]] *= (max_norm / (norms[too_long] + 1e-7))[:, None].astype(table.dtype)
    weight._bump_version()
