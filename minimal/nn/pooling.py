"""Pooling layers: a window becomes one number, its largest or its mean.

The windows of an adaptive layer are as many as its output shall have places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn.convolution import per_axis
from minimal.nn.module import Module

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"]

Size: TypeAlias = int | Sequence[int]


class _MaxPool(Module):
    """What the max-pooling layers have in common."""

    pool: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return self.pool(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """out[n, c, t] = max over s of  x[n, c, t stride + s dilation - padding].

    Parameters
    ----------
    kernel_size : int or tuple of int
    stride : int or tuple of int, optional
        Default: the kernel size.
    padding : int or tuple of int
        Places of -inf to add at both ends.  Default: 0.
    dilation : int or tuple of int
        Default: 1.
    return_indices : bool
        Whether to return where the largest values stood too.  Default: False.
    ceil_mode : bool
        Whether a window that hangs over the end counts.  Default: False.

    Shapes: (N, C, L) or (C, L).

    Source: torch.nn.MaxPool1d, 2.13.0.
    """

    pool = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """out[n, c, y, x] = max over r, s of  in[n, c, y stride + r dilation - padding, x stride + s dilation - padding].

    Parameters
    ----------
    kernel_size : int or tuple of 2 int
    stride : int or tuple of 2 int, optional
        Default: the kernel size.
    padding : int or tuple of 2 int
        Places of -inf to add on all sides.  Default: 0.
    dilation : int or tuple of 2 int
        Default: 1.
    return_indices : bool
        Whether to return where in the plane the largest values stood too.  Default: False.
    ceil_mode : bool
        Whether a window that hangs over the edge counts.  Default: False.

    Shapes: (N, C, H, W) or (C, H, W).

    Source: torch.nn.MaxPool2d, 2.13.0.
    """

    pool = staticmethod(F.max_pool2d)


class AvgPool1d(Module):
    """out[n, c, t] = mean over s of  x[n, c, t stride + s - padding].

    Parameters
    ----------
    kernel_size : int or tuple of int
    stride : int or tuple of int, optional
        Default: the kernel size.
    padding : int or tuple of int
        Zeros to add at both ends.  Default: 0.
    ceil_mode : bool
        Whether a window that hangs over the end counts.  Default: False.
    count_include_pad : bool
        Whether those zeros count in the mean.  Default: True.

    Shapes: (N, C, L) or (C, L).

    Source: torch.nn.AvgPool1d, 2.13.0.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = per_axis(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else per_axis(stride, 1)
        self.padding = per_axis(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """out[n, c, y, x] = mean over r, s of  in[n, c, y stride + r - padding, x stride + s - padding].

    Parameters
    ----------
    kernel_size : int or tuple of 2 int
    stride : int or tuple of 2 int, optional
        Default: the kernel size.
    padding : int or tuple of 2 int
        Zeros to add on all sides.  Default: 0.
    ceil_mode : bool
        Whether a window that hangs over the edge counts.  Default: False.
    count_include_pad : bool
        Whether those zeros count in the mean.  Default: True.
    divisor_override : int, optional
        What to divide the sum by in place of the count.

    Shapes: (N, C, H, W) or (C, H, W).

    Source: torch.nn.AvgPool2d, 2.13.0.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptiveAvgPool(Module):
    """What the adaptive layers have in common."""

    pool: ClassVar[Any]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return self.pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means over as many windows as the output shall have places: i goes from floor(i L / n) to ceil((i + 1) L / n).

    Parameters
    ----------
    output_size : int or tuple of int
        n.

    Shapes: (N, C, L) -> (N, C, n), or without N.

    Source: torch.nn.AdaptiveAvgPool1d, 2.13.0.
    """

    pool = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means over as many windows as the output shall have rows and columns.

    Parameters
    ----------
    output_size : int, None, or tuple of 2 of them
        None stands for the size of the input.

    Shapes: (N, C, H, W) -> (N, C, *output_size), or without N.

    Source: torch.nn.AdaptiveAvgPool2d, 2.13.0.
    """

    pool = staticmethod(F.adaptive_avg_pool2d)
