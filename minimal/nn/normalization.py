"""Normalization layers: y = (x - mean) / sqrt(var + eps) * weight + bias, with means over the batch, or over each sample.

Batch normalization keeps running statistics of what it saw in training, and uses them in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minimal.autograd.dtypes import get_default_dtype
from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn import init
from minimal.nn.module import Module
from minimal.nn.parameter import Parameter, new_parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm"]


class _BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d have in common."""

    _version = 2  # since 2, the state has num_batches_tracked
    dimensions: ClassVar[tuple[int, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: object = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, new_parameter(num_features, device=device, dtype=dtype) if wanted else None)
        dtype = get_default_dtype() if dtype is None else dtype
        start = {
            "running_mean": np.zeros(num_features, dtype),
            "running_var": np.ones(num_features, dtype),
            "num_batches_tracked": np.zeros((), np.int64),
        }
        for name, values in start.items():
            self.register_buffer(name, Tensor(values) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1, no batches."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Forget what was seen and learned: weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.dimensions:
            expected = " or ".join(f"{n}D" for n in self.dimensions)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")
        counted = self.num_batches_tracked
        share = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and counted is not None:
            counted.add_(1)
            if self.momentum is None:
                share = 1.0 / float(counted)  # a running mean in which every batch weighs the same
        learns = self.training or (self.running_mean is None and self.running_var is None)
        remembers = not self.training or self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if remembers else (None, None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, learns, share, self.eps)

    def _upgrade_state(self, state_dict: dict[str, Any], prefix: str, version: int | None) -> None:
        if self.num_batches_tracked is not None and (version is None or version < 2):
            state_dict.setdefault(prefix + "num_batches_tracked", self.num_batches_tracked)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance of each feature over the batch.

    In training, running_mean becomes (1 - momentum) running_mean + momentum mean, and running_var alike with the unbiased
    variance; in evaluation mode they take the place of the batch's own.

    Parameters
    ----------
    num_features : int
    eps : float
        Default: 1e-5.
    momentum : float or None
        None: a running mean over all batches.  Default: 0.1.
    affine : bool
        Whether there are a weight and a bias to learn.  Default: True.
    track_running_stats : bool
        Without, the batch's own statistics are used in evaluation mode too.  Default: True.
    device : None or "cpu"
    dtype : dtype, optional
    bias : bool
        Whether there is a bias if ``affine``.  Default: True.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,), or None
        Ones and zeros at first.
    running_mean, running_var : Tensor of shape (num_features,), or None
    num_batches_tracked : Tensor of shape (), int64, or None

    Raises
    ------
    ValueError
        When called with an input that is not (N, num_features) or (N, num_features, L), or, in training, with one value
        for each feature.

    Source: torch.nn.BatchNorm1d, 2.13.0; Ioffe & Szegedy, 2015.
    """

    dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    """As :class:`BatchNorm1d`, for images (N, num_features, H, W): means over the batch and over all places.

    Parameters
    ----------
    num_features : int
        Channels.
    eps, momentum, affine, track_running_stats, device, dtype, bias
        Those of :class:`BatchNorm1d`.

    Source: torch.nn.BatchNorm2d, 2.13.0.
    """

    dimensions = (4,)


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance of each sample over its last axes.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The shape of those last axes.
    eps : float
        Default: 1e-5.
    elementwise_affine : bool
        Whether there are a weight and a bias to learn.  Default: True.
    bias : bool
        Whether there is a bias if ``elementwise_affine``.  Default: True.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight, bias : Parameter of shape normalized_shape, or None
        Ones and zeros at first.

    Source: torch.nn.LayerNorm, 2.13.0; Ba, Kiros & Hinton, 2016.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-05,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: object = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, new_parameter(*shape, device=device, dtype=dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Forget what was learned: weight 1, bias 0."""
        _ones_and_zeros(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance of each sample over groups of channels.

    Parameters
    ----------
    num_groups, num_channels : int
    eps : float
        Default: 1e-5.
    affine : bool
        Whether there are a weight and a bias for each channel to learn.  Default: True.
    device : None or "cpu"
    dtype : dtype, optional
    bias : bool
        Whether there is a bias if ``affine``.  Default: True.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_channels,), or None
        Ones and zeros at first.

    Raises
    ------
    ValueError
        If ``num_channels`` is no multiple of ``num_groups``.

    Shapes: (N, num_channels, ...).

    Source: torch.nn.GroupNorm, 2.13.0; Wu & He, 2018.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-05,
        affine: bool = True,
        device: object = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, new_parameter(num_channels, device=device, dtype=dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Forget what was learned: weight 1, bias 0."""
        _ones_and_zeros(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


def _ones_and_zeros(module: Any) -> None:
    if module.weight is not None:
        init.ones_(module.weight)
    if module.bias is not None:
        init.zeros_(module.bias)
