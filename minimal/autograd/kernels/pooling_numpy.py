"""Pooling: the largest number, or the mean, of each window of an image.

After this page you can shrink an image as a pooling layer does, and send a gradient back through it.  One trick carries all
of it: number the pixels of a window (0, 0), (0, 1), ...; then "pixel (i, j) of every window" is one strided slice of the
padded image, as large as the output.  So the loop is over the few pixels of a window, never over the image.

The largest number keeps its place, because the gradient goes there and nowhere else.  The mean shares its gradient equally.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.kernels.windows import (
    Pair,
    Shape,
    adaptive_bounds,
    lowest,
    places_in_image,
    pooled_shape,
    window_divisor,
)

Array = NDArray[Any]


def max_pool2d(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[Array, NDArray[np.int64]]:
    """The largest number of each window, and where in the image it is.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W), any memory order
        The padding around it counts as minus infinity.
    kernel, stride, padding, dilation : (int, int)
    ceil_mode : bool
        Whether a window that sticks out at the end counts.

    Returns
    -------
    out : ndarray of shape (N, C, OH, OW), in the memory order of ``x``
        A window with a NaN gives NaN.
    indices : ndarray of int64, shape (N, C, OH, OW)
        row * W + column of the first pixel that has the largest number, or of the last NaN.

    Source: ``torch.nn.functional.max_pool2d(..., return_indices=True)``, 2.13.0.
    """
    out, place = max_pool2d_places(x, kernel, stride, padding, dilation, ceil_mode)
    return out, places_in_image(place, x.shape[3], kernel, stride, padding, dilation)


def max_pool2d_backward(g: Array, indices: NDArray[np.int64], input_shape: Shape) -> Array:
    """Each gradient goes to the pixel that was the largest; windows that overlap add up.  Returns shape ``input_shape``."""
    dx = np.zeros_like(g, shape=input_shape)
    sample, channel = np.ogrid[: g.shape[0], : g.shape[1]]
    row, column = np.divmod(indices, input_shape[3])
    np.add.at(dx, (sample[..., np.newaxis, np.newaxis], channel[..., np.newaxis, np.newaxis], row, column), g)
    return dx


def max_pool2d_places(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[Array, Array]:
    """The same as ``max_pool2d``, but a place is the number of a pixel in its window: i * kernel width + j, in one byte.

    Returns
    -------
    out : ndarray of shape (N, C, OH, OW)
    place : ndarray of uint8 (int32 for windows of more than 256 pixels), shape (N, C, OH, OW)
    """
    shape = pooled_shape(x.shape, kernel, stride, padding, dilation, ceil_mode)
    padded = _padded(x, shape, kernel, stride, padding, dilation, lowest(x.dtype))
    out = np.full_like(x, lowest(x.dtype), shape=shape)
    place: Array = np.empty_like(x, place_dtype(kernel), shape=shape)
    place[...] = _first_inside(shape, kernel, stride, padding, dilation)
    for number, window in enumerate(_pixels(shape, kernel, stride, dilation)):
        seen = padded[window]
        better = (seen > out) | (seen != seen)  # only a NaN differs from itself
        np.copyto(out, seen, where=better)
        place[better] = number
    return out, place


def max_pool2d_places_backward(
    g: Array, place: Array, input_shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """The gradient from places as ``max_pool2d_places`` gives them.  Returns shape ``input_shape``."""
    padded = _zeros_around(g, input_shape, kernel, stride, padding, dilation)
    # Backwards, so that a pixel adds up its windows from the first to the last.
    for number, window in reversed([*enumerate(_pixels(g.shape, kernel, stride, dilation))]):
        padded[window] += np.where(place == number, g, 0)
    return _inside(padded, input_shape, padding)


def avg_pool2d(
    x: Array,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """The mean of each window.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W), any memory order
        The padding around it counts as zero.
    kernel, stride, padding : (int, int)
    ceil_mode : bool
        Whether a window that sticks out at the end counts.
    count_include_pad : bool
        Whether zeros of the padding count in the mean; what lies beyond the padding never does.
    divisor_override : int or None
        Divide each sum by this instead of the number of pixels.

    Returns
    -------
    ndarray of shape (N, C, OH, OW), in the memory order of ``x``

    Source: ``torch.nn.functional.avg_pool2d``, 2.13.0.
    """
    shape = pooled_shape(x.shape, kernel, stride, padding, ceil_mode=ceil_mode)
    padded = _padded(x, shape, kernel, stride, padding, (1, 1), 0)
    total = np.zeros_like(x, shape=shape)
    for window in _pixels(shape, kernel, stride, (1, 1)):
        total += padded[window]
    divisor = window_divisor(x.shape, shape[2:], kernel, stride, padding, count_include_pad, divisor_override)
    total /= divisor.astype(x.dtype)
    return total


def avg_pool2d_backward(
    g: Array,
    input_shape: Shape,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Each pixel of a window gets g / divisor; windows that overlap add up.  Returns shape ``input_shape``."""
    divisor = window_divisor(input_shape, g.shape[2:], kernel, stride, padding, count_include_pad, divisor_override)
    share = g / divisor.astype(g.dtype)
    padded = _zeros_around(g, input_shape, kernel, stride, padding, (1, 1))
    for window in reversed([*_pixels(g.shape, kernel, stride, (1, 1))]):
        padded[window] += share
    return _inside(padded, input_shape, padding)


def adaptive_avg_pool2d(x: Array, output_size: Pair) -> Array:
    """Means over as many windows as are asked for, spread evenly; neighbours may share a row or a column.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W), any memory order
    output_size : (int, int)
        OH and OW.

    Returns
    -------
    ndarray of shape (N, C, OH, OW), in the memory order of ``x``

    Source: ``torch.nn.functional.adaptive_avg_pool2d``, 2.13.0.
    """
    out = np.empty_like(x, shape=(*x.shape[:2], *output_size))
    for (i, rows), (j, columns) in _cells(x.shape, output_size):
        out[:, :, i, j] = x[:, :, rows, columns].mean(axis=(2, 3))
    return out


def adaptive_avg_pool2d_backward(g: Array, input_shape: Shape) -> Array:
    """Each pixel gets its share of each window that holds it.  Returns shape ``input_shape``."""
    dx = np.zeros_like(g, shape=input_shape)
    for (i, rows), (j, columns) in _cells(input_shape, g.shape[2:]):
        window = dx[:, :, rows, columns]
        window += (g[:, :, i, j] / window.shape[2] / window.shape[3])[:, :, np.newaxis, np.newaxis]
    return dx


# ---------------------------------------------------------------- windows as slices


def place_dtype(kernel: Pair) -> type:
    """One byte, if that is enough to number the pixels of a window."""
    return np.uint8 if kernel[0] * kernel[1] <= 256 else np.int32


def _pixels(shape: Shape, kernel: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple[Any, ...]]:
    """For each pixel (i, j) of a window the slices that take it from all windows of a padded image at once."""
    for i, j in product(*map(range, kernel)):
        first = i * dilation[0], j * dilation[1]
        rows, columns = (slice(f, f + s * (n - 1) + 1, s) for f, n, s in zip(first, shape[2:], stride))
        yield ..., rows, columns


def _padded_size(input_shape: Shape, shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Shape:
    """Rows and columns that the image needs so that each window is inside, and at least its padding."""
    reach = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(shape[2:], stride, dilation, kernel)]
    return tuple(max(size + 2 * p, r) for size, p, r in zip(input_shape[2:], padding, reach))


def _padded(x: Array, shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, value: Any) -> Array:
    """The image with ``value`` around it."""
    size = _padded_size(x.shape, shape, kernel, stride, padding, dilation)
    if size == x.shape[2:]:
        return x
    padded = np.full_like(x, value, shape=(*x.shape[:2], *size))
    _inside(padded, x.shape, padding)[...] = x
    return padded


def _zeros_around(g: Array, input_shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """Zeros, as large as the padded image, for gradients to be added to."""
    size = _padded_size(input_shape, g.shape, kernel, stride, padding, dilation)
    return np.zeros_like(g, shape=(*input_shape[:2], *size))


def _inside(padded: Array, input_shape: Shape, padding: Pair) -> Array:
    """The image without what is around it."""
    (top, left), (height, width) = padding, input_shape[2:]
    return padded[:, :, top : top + height, left : left + width]


def _first_inside(shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """The number of the first pixel of each window that is not padding: the place where nothing is larger, shape (OH, OW)."""
    row, column = (
        -(np.minimum(np.arange(n) * s - p, 0) // d) for n, s, p, d in zip(shape[2:], stride, padding, dilation)
    )
    return row[:, np.newaxis] * kernel[1] + column


def _cells(input_shape: Shape, output_size: Pair | Shape) -> Iterator[Any]:
    """The windows of adaptive pooling: for each output pixel (i, j) the slices of rows and of columns."""
    axes = (
        [(i, slice(*bounds)) for i, bounds in enumerate(adaptive_bounds(size, count))]
        for size, count in zip(input_shape[2:], output_size)
    )
    return product(*axes)
