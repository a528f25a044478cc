"""Batch, layer and group normalization, and vectors of length one, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimal.autograd.functions.shapes import broadcast_tensors
from minimal.autograd.operations import normalization as ops
from minimal.autograd.tensor import Tensor


def _along_channels(values: Tensor, ndim: int) -> Tensor:
    return values.reshape((1, -1) + (1,) * (ndim - 2))


def _check_numbers(name: str, input: Tensor, *others: Tensor | None) -> None:
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}: use a floating point tensor')
    for other in others:
        if other is not None and other.dtype != input.dtype:
            raise RuntimeError(
                f"mixed dtype: all inputs must share same datatype, but got {input.dtype} and {other.dtype}"
            )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel.  Source: torch.nn.functional.batch_norm, 2.13.0.

    Parameters
    ----------
    input : Tensor of shape (N, C, ...)
    running_mean, running_var : Tensor of shape (C,), or None
        What is used in evaluation; in training they move by ``momentum`` towards the batch's mean and variance (divided by
        n - 1), in place.
    weight, bias : Tensor of shape (C,), optional
    training : bool, default=False
        Whether mean and variance are the batch's.
    momentum, eps : float

    Raises
    ------
    RuntimeError
        If shapes do not fit, or statistics are missing.

    Differs from the reference when running statistics shall move and input is empty: they stay.
    """
    if input.ndim < 2:
        raise RuntimeError(f"batch_norm: expected input of shape (N, C, ...), got {list(input.shape)}")
    channels = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, value in given.items():
        if value is not None and value.array.size != channels:
            raise RuntimeError(
                f"{name} should contain {channels} elements not {value.array.size}: the input is of shape {list(input.shape)}"
            )
        if value is None and name.startswith("running") and not training:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
    _check_numbers("batch_norm", input, *given.values())
    if training and input.array.size:
        n = input.array.size // channels

        def remember(mean: Any, variance: Any) -> None:
            _move(running_mean, mean, momentum)
            _move(running_var, variance * (n / max(n - 1, 1)), momentum)

        return ops.BatchNorm.apply(input, weight, bias, eps, remember)
    if training:
        return input.clone()
    assert running_mean is not None
    assert running_var is not None
    scale = (running_var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -running_mean * scale if bias is None else bias - running_mean * scale
    return input * _along_channels(scale, input.ndim) + _along_channels(shift, input.ndim)


def _move(running: Tensor | None, seen: Any, momentum: float) -> None:
    if running is not None:
        running.array[...] = (1.0 - momentum) * running.array + momentum * seen
        running._bump_version()


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, of shape ``normalized_shape``.

    Source: torch.nn.functional.layer_norm, 2.13.0.

    Raises
    ------
    TypeError
        If ``normalized_shape`` is no sequence.
    RuntimeError
        If those are not the last dimensions, or weight or bias do not have that shape.
    """
    shape = _checked_shape(input, normalized_shape, weight, bias)
    return ops.LayerNorm.apply(input, weight, bias, shape, eps) if input.array.size else input.clone()


def _checked_shape(input: Tensor, normalized_shape: Sequence[int], *affine: Tensor | None) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        raise TypeError("argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, given in zip(("weight", "bias"), affine):
        if given is not None and given.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(given.shape)} and "
                f"normalized_shape = {list(shape)}"
            )
    if input.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but got "
            f"input of size {list(input.shape)}"
        )
    _check_numbers("layer_norm", input, *affine)
    return shape


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over groups of channels of each sample.

    Source: torch.nn.functional.group_norm, 2.13.0.

    Raises
    ------
    RuntimeError
        If the channels do not divide into the groups, or weight or bias do not have one number for each channel.
    """
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    n, channels = input.shape[:2]
    if num_groups < 1 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and given.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{list(given.shape)} and input of shape {list(input.shape)}"
            )
    _check_numbers("group_norm", input, weight, bias)
    if not input.array.size:
        return input.clone()
    grouped = input.reshape(n * num_groups, -1)
    out = ops.LayerNorm.apply(grouped, None, None, grouped.shape[1:], eps).reshape(input.shape)
    out = out if weight is None else out * _along_channels(weight, input.ndim)
    return out if bias is None else out + _along_channels(bias, input.ndim)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of each sample.

    Parameters are those of :func:`batch_norm`; running statistics are the means over samples.

    Source: torch.nn.functional.instance_norm, 2.13.0.

    Raises
    ------
    ValueError
        If a channel has only one number.
    RuntimeError
        If shapes do not fit, or statistics are missing.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    pixels = int(np.prod(input.shape[2:]))
    if input.ndim < 3 or pixels == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {list(input.shape)}")
    out = group_norm(input, input.shape[1], weight, bias, eps)
    planes = input.array.reshape(*input.shape[:2], pixels)
    _move(running_mean, planes.mean(axis=2).mean(axis=0), momentum)
    _move(running_var, planes.var(axis=2, ddof=1).mean(axis=0), momentum)
    return out


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean of x^2 + eps) * weight over the last dimensions, of shape ``normalized_shape``.

    Parameters and errors are those of :func:`layer_norm`; eps is the dtype's own if not given.

    Source: torch.rms_norm, 2.13.0.
    """
    shape = _checked_shape(input, normalized_shape, weight)
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    axes = tuple(range(input.ndim - len(shape), input.ndim))
    out = input * (input.square().mean(axes, keepdim=True) + eps).rsqrt()
    return out if weight is None else out * weight


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(its p-norm along ``dim``, eps).  Source: torch.nn.functional.normalize, 2.13.0."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1.x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``, broadcast.  Source: torch.cosine_similarity, 2.13.0."""
    x1, x2 = broadcast_tensors(x1, x2)
    lengths = [x.norm(2, dim, keepdim=True).clamp_min(eps) for x in (x1, x2)]
    return ((x1 / lengths[0]) * (x2 / lengths[1])).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension.  Source: torch.pairwise_distance, 2.13.0."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)
