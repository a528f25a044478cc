"""Where the windows of a pooling layer lie: the arithmetic that forward, backward and both twins share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
Shape = tuple[int, ...]


def output_length(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil_mode: bool = False) -> int:
    """How many windows fit along one axis.

    (size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down, or up with ``ceil_mode``; but a last window
    that would begin in the padding on the right is left out.
    """
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    return count


def pooled_shape(
    shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1), ceil_mode: bool = False
) -> Shape:
    """The shape (N, C, OH, OW) that pooling makes of (N, C, H, W).

    Raises
    ------
    RuntimeError
        Where PyTorch raises one: a kernel, stride or dilation of zero, more padding than half a window, a window that is
        larger than the image.
    """
    for name, pair in (("kernel size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(pair) < 1:
            raise RuntimeError(f"{name} should be greater than zero, but got {name} = {pair[0]} x {pair[1]}")
    for k, p, d in zip(kernel, padding, dilation):
        if p < 0 or p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                "pad should be non-negative and at most half of effective kernel size, "
                f"but got pad={p}, kernel_size={k} and dilation={d}"
            )
    out = tuple(map(output_length, shape[2:], kernel, stride, padding, dilation, (ceil_mode, ceil_mode)))
    if min(out) < 1:
        sizes = "Given input size: ({}x{}x{}). Calculated output size: ({}x{}x{})".format(*shape[1:], shape[1], *out)
        raise RuntimeError(f"{sizes}. Output size is too small: use a smaller kernel or more padding")
    return (*shape[:2], *out)


def window_counts(
    size: int, count: int, kernel: int, stride: int, padding: int, include_pad: bool
) -> NDArray[np.int64]:
    """How many numbers each of ``count`` windows along one axis averages, shape (count,).

    With ``include_pad`` zeros of the padding count, but nothing beyond it, where a window of ceil_mode may reach.
    """
    start = np.arange(count) * stride - padding
    if include_pad:
        return np.minimum(start + kernel, size + padding) - start
    return np.minimum(start + kernel, size) - np.maximum(start, 0)


def window_divisor(
    shape: Shape,
    out_size: Pair | Shape,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
) -> NDArray[np.int64]:
    """What the sum over each window is divided by to be a mean, shape (OH, OW)."""
    if divisor_override is not None:
        return np.full(out_size, divisor_override)
    rows, columns = (
        window_counts(shape[2 + axis], out_size[axis], kernel[axis], stride[axis], padding[axis], count_include_pad)
        for axis in (0, 1)
    )
    return rows[:, np.newaxis] * columns


def lowest(dtype: np.dtype[Any]) -> Any:
    """What no number of the dtype is less than: minus infinity, or the smallest integer."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def pixel_numbers(
    width: int, shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels counted row by row within the image: where each window has its corner, and what is added for its pixels.

    Pixel number k of window (i, j) is number ``corner[i, j] + within[k]`` of an image of that width.

    Parameters
    ----------
    width : int
        Of the image.
    shape : (N, C, OH, OW)
        Of the output.

    Returns
    -------
    corner : ndarray of int64, shape (OH, OW)
    within : ndarray of int64, shape (kernel height * kernel width,)
    """
    row, column = np.divmod(np.arange(kernel[0] * kernel[1]), kernel[1])
    top = np.arange(shape[2]) * stride[0] - padding[0]
    left = np.arange(shape[3]) * stride[1] - padding[1]
    return top[:, np.newaxis] * width + left, row * dilation[0] * width + column * dilation[1]


def places_in_image(
    place: NDArray[Any], width: int, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray[np.int64]:
    """From the number of a pixel in its window to its number in an image of that width, shape (N, C, OH, OW)."""
    corner, within = pixel_numbers(width, place.shape, kernel, stride, padding, dilation)
    return corner + within[place]


def adaptive_bounds(size: int, count: int) -> list[tuple[int, int]]:
    """The ends of ``count`` windows that cover an axis as evenly as they can; neighbours may share a pixel.

    Window i reaches from floor(i size / count) to ceil((i + 1) size / count).
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
