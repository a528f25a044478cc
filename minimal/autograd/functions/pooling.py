"""Pooling under PyTorch's names: shapes are checked here, and whatever has one axis or no batch gets two and one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.kernels.windows import adaptive_bounds
from minimal.autograd.operations import pooling as ops
from minimal.autograd.operations.pooling import Means, Windows
from minimal.autograd.tensor import Tensor

Size: TypeAlias = int | Sequence[int]


# ---------------------------------------------------------------- the largest


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window; of several, the first.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
        Around it lies -inf.
    kernel_size, stride, padding, dilation : int or (int, int)
        Default: stride is the kernel size, padding 0, dilation 1.
    ceil_mode : bool
        Whether a window that hangs over the edge counts.  Default: False.
    return_indices : bool
        Whether to return the place in the plane (row W + column) of each largest number too.  Default: False.

    Returns
    -------
    Tensor of shape (N, C, OH, OW) or (C, OH, OW), and perhaps another one of int64

    Raises
    ------
    RuntimeError
        If the input has another number of dimensions, or no window fits.

    Source: torch.nn.functional.max_pool2d, 2.13.0.
    """
    if input.ndim not in (3, 4):
        raise RuntimeError(
            f"non-empty 3D or 4D (batch mode) tensor expected for input, but got size {list(input.shape)}"
        )
    if 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got: "
            f"{list(input.shape)}"
        )
    kernel, steps, pad, spread = _window_sizes("max_pool2d", 2, kernel_size, stride, padding, dilation)
    return _max_pool(input, 2, Windows(kernel, steps, pad, spread, bool(ceil_mode)), return_indices)


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As :func:`max_pool2d`, for shapes (N, C, L) or (C, L).  Source: torch.nn.functional.max_pool1d, 2.13.0."""
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got: "
            f"{list(input.shape)}"
        )
    kernel, steps, pad, spread = _window_sizes("max_pool1d", 1, kernel_size, stride, padding, dilation)
    return _max_pool(input, 1, Windows(kernel, steps, pad, spread, bool(ceil_mode)), return_indices)


def _max_pool(input: Tensor, n_axes: int, windows: Windows, return_indices: bool) -> Any:
    images = _as_images(input, n_axes)
    if not return_indices:
        return _as_given(ops.MaxPool2d.apply(images, windows), input, n_axes)
    out, indices = ops.MaxPool2d.apply(images, windows, True)
    return _as_given(out, input, n_axes), _as_given(indices, input, n_axes)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest number of each of as many windows as are asked for; they cover the image as evenly as they can.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    output_size : int or (int or None, int or None)
        OH and OW; None keeps the size of the input.
    return_indices : bool
        Whether to return the place in the plane of each largest number too.  Default: False.

    Source: torch.nn.functional.adaptive_max_pool2d, 2.13.0.
    """
    size = _adaptive_size("adaptive_max_pool2d", 2, input, output_size)
    images = _as_images(input, 2)
    indices = _largest_of_cells(images.array, size)
    out = _as_given(ops.TakePixels.apply(images, indices), input, 2)
    return (out, _as_given(Tensor(indices), input, 2)) if return_indices else out


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """As :func:`adaptive_max_pool2d`, for shapes (N, C, L) or (C, L).  Source: torch.adaptive_max_pool1d, 2.13.0."""
    size = _adaptive_size("adaptive_max_pool1d", 1, input, output_size)
    images = _as_images(input, 1)
    indices = _largest_of_cells(images.array, size)
    out = _as_given(ops.TakePixels.apply(images, indices), input, 1)
    return (out, _as_given(Tensor(indices), input, 1)) if return_indices else out


def _largest_of_cells(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where in its plane each window has its largest number, the first of equals; a NaN counts as largest."""
    n, c, height, width = x.shape
    indices = np.empty((n, c, *size), np.int64)
    for i, (top, bottom) in enumerate(adaptive_bounds(height, size[0])):
        for j, (left, right) in enumerate(adaptive_bounds(width, size[1])):
            window = x[:, :, top:bottom, left:right].reshape(n, c, -1)
            row, column = np.divmod(window.argmax(axis=2), right - left)
            indices[:, :, i, j] = (top + row) * width + left + column
    return indices


# ---------------------------------------------------------------- the mean


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
        Around it lie zeros.
    kernel_size, stride, padding : int or (int, int)
        Default: stride is the kernel size, padding 0.
    ceil_mode : bool
        Whether a window that hangs over the edge counts.  Default: False.
    count_include_pad : bool
        Whether the zeros count in the mean.  Default: True.
    divisor_override : int, optional
        Divide by this instead of the number of pixels.

    Raises
    ------
    RuntimeError
        If the input has another number of dimensions, no window fits, or the divisor is 0.

    Source: torch.nn.functional.avg_pool2d, 2.13.0.
    """
    if input.ndim not in (3, 4):
        raise RuntimeError(f"avg_pool2d: Expected 3D or 4D tensor for input, but got size {list(input.shape)}")
    kernel, steps, pad, _ = _window_sizes("avg_pool2d", 2, kernel_size, stride, padding)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    means = Means(kernel, steps, pad, bool(ceil_mode), bool(count_include_pad), divisor_override)
    return _mean(input, 2, means)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """As :func:`avg_pool2d`, for shapes (N, C, L) or (C, L).  Source: torch.avg_pool1d, 2.13.0."""
    if input.ndim not in (2, 3):
        raise RuntimeError(f"avg_pool1d: Expected 2 to 3 dimensions, but got a tensor of size {list(input.shape)}")
    kernel, steps, pad, _ = _window_sizes("avg_pool1d", 1, kernel_size, stride, padding)
    return _mean(input, 1, Means(kernel, steps, pad, bool(ceil_mode), bool(count_include_pad)))


def _mean(input: Tensor, n_axes: int, means: Means) -> Tensor:
    if input.array.dtype.kind != "f":  # the mean of whole numbers is rounded to zero
        return _mean(input.to(dtypes.FLOAT64), n_axes, means).trunc().to(input.dtype)
    return _as_given(ops.AvgPool2d.apply(_as_images(input, n_axes), means), input, n_axes)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of as many windows as are asked for; they cover the image as evenly as they can.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    output_size : int or (int or None, int or None)
        OH and OW; None keeps the size of the input.

    Source: torch.nn.functional.adaptive_avg_pool2d, 2.13.0.
    """
    return _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """As :func:`adaptive_avg_pool2d`, for shapes (N, C, L) or (C, L).  Source: torch.adaptive_avg_pool1d, 2.13.0."""
    return _adaptive_mean("adaptive_avg_pool1d", 1, input, output_size)


def _adaptive_mean(name: str, n_axes: int, input: Tensor, output_size: Any) -> Tensor:
    size = _adaptive_size(name, n_axes, _floating(input, name), output_size)
    return _as_given(ops.AdaptiveAvgPool2d.apply(_as_images(input, n_axes), size), input, n_axes)


# ---------------------------------------------------------------- one way through for one axis and for two


def _as_images(input: Tensor, n_axes: int) -> Tensor:
    """A batch of images: what has one axis gets one row, what has no batch becomes a batch of one."""
    x = input if n_axes == 2 else input.unsqueeze(-2)
    return x if x.ndim == 4 else x.unsqueeze(0)


def _as_given(out: Tensor, input: Tensor, n_axes: int) -> Tensor:
    if n_axes == 1:
        out = out.squeeze(-2)
    return out if out.ndim == input.ndim else out.squeeze(0)


def _window_sizes(
    name: str, n_axes: int, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size = 1
) -> list[tuple[int, int]]:
    """Kernel, stride, padding and dilation, each for rows and for columns; with one axis, rows stay as they are."""
    if stride is None or (isinstance(stride, tuple | list) and not stride):
        stride = kernel_size
    sizes = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    return [_pair(name, which, size, n_axes) for which, size in sizes.items()]


def _pair(name: str, which: str, size: Any, n_axes: int) -> tuple[int, int]:
    sizes = (int(size),) if isinstance(size, int | np.integer) else tuple(map(int, size))
    if len(sizes) == 1:
        sizes *= n_axes
    if len(sizes) != n_axes:
        count = "two ints" if n_axes == 2 else "one int"
        raise RuntimeError(f"{name}: {which} must either be a single int, or a tuple of {count}, but got {list(size)}")
    if which == "stride" and 0 in sizes:
        raise RuntimeError("stride should not be zero")
    return (sizes[0], sizes[1]) if n_axes == 2 else (0 if which == "padding" else 1, sizes[0])


def _adaptive_size(name: str, n_axes: int, input: Tensor, output_size: Any) -> tuple[int, int]:
    if input.ndim not in (n_axes + 1, n_axes + 2):
        raise RuntimeError(f"{name}(): Expected {n_axes + 1}D or {n_axes + 2}D tensor, but got {list(input.shape)}")
    for axis in range(-n_axes, 0):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {input.ndim + axis} being empty"
            )
    one_number = output_size is None or isinstance(output_size, int | np.integer)
    size = (output_size,) * n_axes if one_number else tuple(output_size)
    if len(size) != n_axes:
        raise RuntimeError(f"{name}: output_size must be {n_axes}, but got {list(size)}")
    whole = [int(n) if s is None else int(s) for s, n in zip(size, input.shape[-n_axes:])]
    if min(whole) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {whole}")
    return (1, whole[0]) if n_axes == 1 else (whole[0], whole[1])


def _floating(input: Tensor, name: str) -> Tensor:
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}: use a floating point tensor')
    return input
