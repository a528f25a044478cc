"""Convolution layers: the same small pattern detectors at every place of a signal or an image.

A kernel of shape (out_channels, in_channels / groups, *kernel_size) slides over the input, ``stride`` places at a time; its
entries lie ``dilation`` places apart.  A transposed convolution is the map that carries gradients back through such a layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeAlias

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn import init
from minimal.nn.module import Module
from minimal.nn.parameter import Parameter, new_parameter

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

Size: TypeAlias = int | Sequence[int]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def per_axis(value: Any, n_axes: int) -> tuple[int, ...]:
    """One number for each axis: the number given n times, or the numbers given."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n_axes


class _ConvNd(Module):
    """What convolutions have in common: checks, weights, text."""

    n_axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    bias: Parameter | None
    padding: str | tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        sizes: dict[str, Any],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: object,
        dtype: Any,
    ) -> None:
        super().__init__()
        for name, size in sizes.items():
            setattr(self, name, size if isinstance(size, str) else per_axis(size, self.n_axes))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding_mode = padding_mode
        self._check()
        a, b = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = new_parameter(a, b // groups, *self.kernel_size, device=device, dtype=dtype)
        self.register_parameter("bias", new_parameter(out_channels, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(f"{name} must be divisible by groups, got {getattr(self, name)} and {self.groups}")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'")
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode={self.padding_mode!r}")

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init.fans(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _margins(self) -> list[int]:
        """How many places to add before and after each axis, the last axis first, as ``F.pad`` wants them."""
        if self.padding == "valid":
            return [0, 0] * self.n_axes
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            pairs = [(total // 2, total - total // 2) for total in totals]
        else:
            pairs = [(p, p) for p in self.padding]
        return [margin for pair in reversed(pairs) for margin in pair]

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}",
            *(
                f"{name}={getattr(self, name)}"
                for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0))
                if getattr(self, name, (usual,) * self.n_axes) != (usual,) * self.n_axes
            ),
        ]
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Convolution(_ConvNd):
    """What Conv1d and Conv2d have in common."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: object = None,
        dtype: Any = None,
    ) -> None:
        sizes = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        super().__init__(in_channels, out_channels, sizes, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        convolve = F.conv1d if self.n_axes == 1 else F.conv2d
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._margins(), mode=self.padding_mode), (0,) * self.n_axes
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Convolution):
    """out[n, o, t] = bias[o] + sum over i, s of  weight[o, i, s] x[n, i, t stride + s dilation - padding].

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or tuple of int
        ``padding`` may be "valid" (none) or "same" (as much as keeps the length; stride 1).  Default: 1, 0, 1.
    groups : int
        Into how many groups of channels input and output are cut; each sees only its own.  Default: 1.
    bias : bool
        Default: True.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands in the padding.  Default: zeros.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, kernel_size)
    bias : Parameter of shape (out_channels,), or None
        Both are drawn from U(-k, k) with k = 1 / sqrt(in_channels / groups * kernel_size), the weight first.

    Raises
    ------
    ValueError
        If the channels are no multiple of ``groups``, or a padding is unknown.

    Shapes: x (N, in_channels, L) or (in_channels, L); the length becomes
    floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.

    Source: torch.nn.Conv1d, 2.13.0.
    """

    n_axes = 1


class Conv2d(_Convolution):
    """out[n, o, y, x] = bias[o] + sum over i, r, s of  weight[o, i, r, s] in[n, i, y stride + r, x stride + s].

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or tuple of 2 int
        Height and width.  ``padding`` may be "valid" (none) or "same" (as much as keeps the size; stride 1).
        Default: 1, 0, 1.
    groups : int
        Into how many groups of channels input and output are cut; each sees only its own.  Default: 1.
    bias : bool
        Default: True.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands in the padding.  Default: zeros.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, *kernel_size)
    bias : Parameter of shape (out_channels,), or None
        Both are drawn from U(-k, k) with k = 1 / sqrt(in_channels / groups * prod(kernel_size)), the weight first.

    Raises
    ------
    ValueError
        If the channels are no multiple of ``groups``, or a padding is unknown.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W); H becomes
    floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, and W alike.

    Source: torch.nn.Conv2d, 2.13.0.
    """

    n_axes = 2


class _ConvolutionTransposed(_ConvNd):
    """What ConvTranspose1d and ConvTranspose2d have in common."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: object = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        sizes = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        sizes["output_padding"] = output_padding
        super().__init__(in_channels, out_channels, sizes, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._extra_for(input, list(output_size))
        convolve = F.conv_transpose1d if self.n_axes == 1 else F.conv_transpose2d
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra_for(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        """The output_padding that gives the size asked for: several sizes have the same forward convolution."""
        n = self.n_axes
        lead = input.ndim - n
        if len(output_size) == lead + n:
            output_size = output_size[lead:]
        if len(output_size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.ndim}D input, output_size must have {n} or {lead + n} elements "
                f"(got {len(output_size)})"
            )
        assert not isinstance(self.padding, str)
        smallest = [
            (size - 1) * s - 2 * p + d * (k - 1) + 1
            for size, s, p, d, k in zip(input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size)
        ]
        largest = [low + s - 1 for low, s in zip(smallest, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(smallest, output_size, largest)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {list(input.shape[lead:])})"
            )
        return tuple(size - low for size, low in zip(output_size, smallest))


class ConvTranspose1d(_ConvolutionTransposed):
    """The adjoint of :class:`Conv1d` with respect to its input, plus a bias.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding : int or tuple of int
        Those of the convolution that it is the adjoint of.  Default: 1, 0.
    output_padding : int or tuple of int
        How much longer the output is: with a stride, several lengths have the same convolution.  Default: 0.
    groups : int
        Default: 1.
    bias : bool
        Default: True.
    dilation : int or tuple of int
        Default: 1.
    padding_mode : "zeros"
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels / groups, kernel_size)
    bias : Parameter of shape (out_channels,), or None

    Raises
    ------
    ValueError
        As for :class:`Conv1d`; and when called with an ``output_size`` that cannot be.

    Shapes: the length L becomes (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1.

    Source: torch.nn.ConvTranspose1d, 2.13.0.
    """

    n_axes = 1


class ConvTranspose2d(_ConvolutionTransposed):
    """The adjoint of :class:`Conv2d` with respect to its input, plus a bias.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding : int or tuple of 2 int
        Those of the convolution that it is the adjoint of.  Default: 1, 0.
    output_padding : int or tuple of 2 int
        How much larger the output is: with a stride, several sizes have the same convolution.  Default: 0.
    groups : int
        Default: 1.
    bias : bool
        Default: True.
    dilation : int or tuple of 2 int
        Default: 1.
    padding_mode : "zeros"
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels / groups, *kernel_size)
    bias : Parameter of shape (out_channels,), or None

    Raises
    ------
    ValueError
        As for :class:`Conv2d`; and when called with an ``output_size`` that cannot be.

    Shapes: H becomes (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, and W alike.

    Source: torch.nn.ConvTranspose2d, 2.13.0.
    """

    n_axes = 2
