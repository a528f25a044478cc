"""Images cut into patches and put together again, and channels turned into pixels.

Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from minimal.autograd.functions.padding import zeros_around
from minimal.autograd.operations.indexing import SliceBack
from minimal.autograd.operations.shapes import UnfoldBack
from minimal.autograd.tensor import Tensor

__all__ = ["fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]

Size: TypeAlias = int | Sequence[int]
Pair: TypeAlias = tuple[int, int]


def unfold(input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """Every patch of an image as a column: what makes a matrix product of a convolution.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    kernel_size, dilation, padding, stride : int or (int, int)
        Those of the convolution.

    Returns
    -------
    Tensor of shape (N, C kh kw, patches) or (C kh kw, patches)

    Raises
    ------
    RuntimeError
        If the input has another number of dimensions, or no patch fits.
    """
    if input.ndim not in (3, 4):
        raise RuntimeError(f"unfold: Expected 3D or 4D (batch mode) tensor for input, but got size {list(input.shape)}")
    x = input if input.ndim == 4 else input.unsqueeze(0)
    kernel, steps, pad, spread = _sizes(kernel_size, stride, padding, dilation)
    counts = _counts(x.shape[2:], kernel, steps, pad, spread)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(x.shape[2:])}, kernel_size={kernel}, dilation={spread}, padding={pad}, "
            f"calculated shape of the array of sliding blocks as {counts}, but its components must be at least one."
        )
    x = zeros_around(x, [(p, p) for p in pad])
    for axis, k, s, d in zip((2, 3), kernel, steps, spread):
        x = x.unfold(axis, d * (k - 1) + 1, s)[..., ::d]
    n, c, rows, columns, kh, kw = x.shape
    out = x.permute(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, rows * columns)
    return out if input.ndim == 4 else out.squeeze(0)


def fold(
    input: Tensor, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Patches back in their places, added up where they overlap: the adjoint of :func:`unfold`.

    Parameters
    ----------
    input : Tensor of shape (N, C kh kw, patches) or (C kh kw, patches)
    output_size : int or (int, int)
        Of the image.
    kernel_size, dilation, padding, stride : int or (int, int)

    Returns
    -------
    Tensor of shape (N, C, H, W) or (C, H, W)

    Raises
    ------
    RuntimeError
        If the input does not hold the patches of such an image.
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(f"fold: Expected 2D or 3D (batch mode) tensor for input, but got size {list(input.shape)}")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    kernel, steps, pad, spread = _sizes(kernel_size, stride, padding, dilation)
    size = _pair("output_size", output_size)
    counts = _counts(size, kernel, steps, pad, spread)
    n, numbers, patches = x.shape
    if numbers % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={numbers} and kernel_size={kernel}."
        )
    if patches != counts[0] * counts[1]:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={spread}, padding={pad}, stride={steps}, expected "
            f"size of input's dimension 2 to match the calculated number of sliding blocks {counts[0]} * {counts[1]} = "
            f"{counts[0] * counts[1]}, but got input.size(2)={patches}."
        )
    c = numbers // (kernel[0] * kernel[1])
    x = x.reshape(n, c, *kernel, *counts).permute(0, 1, 4, 5, 2, 3)
    x = _put_back(x, size[1] + 2 * pad[1], 3, kernel[1], steps[1], spread[1])
    x = _put_back(x, size[0] + 2 * pad[0], 2, kernel[0], steps[0], spread[0])
    out = zeros_around(x, [(-p, -p) for p in pad])
    return out if input.ndim == 3 else out.squeeze(0)


def _put_back(windows: Tensor, length: int, axis: int, kernel: int, stride: int, dilation: int) -> Tensor:
    """Windows in the last dimension added up along an axis."""
    if dilation > 1:  # what lies between the numbers of a window is zero
        reach = dilation * (kernel - 1) + 1
        place = (..., slice(None, None, dilation))
        windows = SliceBack.apply(windows, (*windows.shape[:-1], reach), place)
    shape = list(windows.shape[:-1])
    shape[axis] = length
    return UnfoldBack.apply(windows, tuple(shape), axis, stride)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels turned into pixels: (..., C r r, H, W) becomes (..., C, H r, W r).

    Raises
    ------
    RuntimeError
        If the channels do not divide by the square of the factor, or there are fewer than three dimensions.
    """
    r = _factor("pixel_shuffle", "upscale_factor", input, upscale_factor)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={c} is not divisible by {r * r}"
        )
    x = input.reshape(-1, c // (r * r), r, r, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(*lead, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels turned into channels: (..., C, H r, W r) becomes (..., C r r, H, W); errors as :func:`pixel_shuffle`."""
    r = _factor("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    *lead, c, h, w = input.shape
    for name, size, axis in (("height", h, -2), ("width", w, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({axis})={size} is not "
                f"divisible by {r}"
            )
    x = input.reshape(-1, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    return x.reshape(*lead, c * r * r, h // r, w // r)


# ---------------------------------------------------------------- sizes


def _factor(name: str, argument: str, input: Tensor, factor: int) -> int:
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if factor < 1:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")
    return factor


def _sizes(kernel_size: Size, stride: Size, padding: Size, dilation: Size) -> list[Pair]:
    sizes = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    pairs = {name: _pair(name, size) for name, size in sizes.items()}
    for name, pair in pairs.items():
        if min(pair) < (0 if name == "padding" else 1):
            raise RuntimeError(
                f"{name} should be greater than zero, but got {name}_height: {pair[0]} {name}_width: {pair[1]}"
            )
    return list(pairs.values())


def _pair(name: str, size: Size) -> Pair:
    if isinstance(size, int):
        return size, size
    if len(size) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(size)}")
    return int(size[0]), int(size[1])


def _counts(size: Sequence[int], kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """How many patches fit, down and right."""
    rows, columns = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)
    )
    return rows, columns
