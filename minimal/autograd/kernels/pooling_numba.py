"""Twin of ``pooling_numpy``, compiled: nothing is padded, and each sample is finished while it is in the cache.

Memory is walked as it lies, with the channels of a pixel side by side or with images side by side.  Windows of four pixels
have kernels of their own in ``pooling_quarters_numba``; ``pooling_windows_numba`` has those for all others.

Samples do not depend on each other: threads share them, and any number of threads gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.kernels.memory import empty
from minimal.autograd.kernels.pooling_numpy import place_dtype
from minimal.autograd.kernels.pooling_quarters_numba import (
    give_to_four,
    give_to_one_of_four,
    largest_of_four,
    mean_of_four,
)
from minimal.autograd.kernels.pooling_windows_numba import (
    count_in_image,
    give_to_all,
    give_to_cells,
    give_to_pixels,
    give_to_the_largest,
    largest,
    mean_of_cells,
    sums,
)
from minimal.autograd.kernels.windows import (
    Pair,
    Shape,
    adaptive_bounds,
    lowest,
    pixel_numbers,
    pooled_shape,
    window_divisor,
)
from minimal.kernel_input import as_kernel_input
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

SHARED_SIZE = 1 << 17  # numbers below which a second thread costs more than it gives
BLOCK_SIZE = 1 << 15  # numbers in one block, about


def max_pool2d(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[Array, NDArray[np.int64]]:
    """Twin of ``pooling_numpy.max_pool2d``, same bits."""
    out, place = max_pool2d_places(x, kernel, stride, padding, dilation, ceil_mode)
    last = _channels_last(out)
    indices = _empty(out.shape, np.int64, last)
    corner, within = pixel_numbers(x.shape[3], out.shape, kernel, stride, padding, dilation)
    _run_on(count_in_image, last, (place, indices), (corner.ravel(), within))
    return out, indices


def max_pool2d_backward(g: Array, indices: NDArray[np.int64], input_shape: Shape) -> Array:
    """Twin of ``pooling_numpy.max_pool2d_backward``, same bits."""
    last = _channels_last(g)
    dx = _empty(input_shape, g.dtype, last)
    _run_on(give_to_pixels, last, (dx, g, indices))
    return dx


def max_pool2d_places(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[Array, Array]:
    """Twin of ``pooling_numpy.max_pool2d_places``, same bits."""
    shape = pooled_shape(x.shape, kernel, stride, padding, dilation, ceil_mode)
    last = _channels_last(x)
    out, place = _empty(shape, x.dtype, last), _empty(shape, place_dtype(kernel), last)
    if _is_quarter(x.shape, shape, kernel, stride, padding, dilation):
        _run_on(largest_of_four, last, (x, out, place))
    else:
        low = x.dtype.type(lowest(x.dtype))
        _run_on(largest, last, (x, out, place), (low, kernel, stride, padding, dilation))
    return out, place


def max_pool2d_places_backward(
    g: Array, place: Array, input_shape: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """Twin of ``pooling_numpy.max_pool2d_places_backward``, same bits."""
    last = _channels_last(g)
    dx = _empty(input_shape, g.dtype, last)
    if _is_quarter(input_shape, g.shape, kernel, stride, padding, dilation) and last:
        _run_on(give_to_one_of_four, last, (dx, g, place))
    else:
        corner, within = pixel_numbers(input_shape[3], g.shape, kernel, stride, padding, dilation)
        _run_on(give_to_the_largest, last, (dx, g, place), (corner.ravel(), within))
    return dx


def avg_pool2d(
    x: Array,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Twin of ``pooling_numpy.avg_pool2d``, same bits."""
    shape = pooled_shape(x.shape, kernel, stride, padding, ceil_mode=ceil_mode)
    last = _channels_last(x)
    out = _empty(shape, x.dtype, last)
    if _is_quarter(x.shape, shape, kernel, stride, padding, (1, 1)):
        _run_on(mean_of_four, last, (x, out), (x.dtype.type(divisor_override or 4),))
        return out
    _run_on(sums, last, (x, out), (kernel, stride, padding))
    divisor = window_divisor(x.shape, shape[2:], kernel, stride, padding, count_include_pad, divisor_override)
    out /= divisor.astype(x.dtype)
    return out


def avg_pool2d_backward(
    g: Array,
    input_shape: Shape,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Twin of ``pooling_numpy.avg_pool2d_backward``, same bits."""
    last = _channels_last(g)
    dx = _empty(input_shape, g.dtype, last)
    if _is_quarter(input_shape, g.shape, kernel, stride, padding, (1, 1)):
        _run_on(give_to_four, last, (dx, g), (g.dtype.type(divisor_override or 4),))
        return dx
    divisor = window_divisor(input_shape, g.shape[2:], kernel, stride, padding, count_include_pad, divisor_override)
    _run_on(give_to_all, last, (dx, g / divisor.astype(g.dtype)), (kernel, stride, padding))
    return dx


def adaptive_avg_pool2d(x: Array, output_size: Pair) -> Array:
    """Twin of ``pooling_numpy.adaptive_avg_pool2d``, equal to rounding."""
    last = _channels_last(x)
    out = _empty((*x.shape[:2], *output_size), x.dtype, last)
    _run_on(mean_of_cells, last, (x, out), _bounds(x.shape, output_size))
    return out


def adaptive_avg_pool2d_backward(g: Array, input_shape: Shape) -> Array:
    """Twin of ``pooling_numpy.adaptive_avg_pool2d_backward``, same bits."""
    last = _channels_last(g)
    dx = _empty(input_shape, g.dtype, last)
    rows, columns = _bounds(input_shape, g.shape[2:])
    heights, widths = (np.diff(ends)[:, 0].astype(g.dtype) for ends in (rows, columns))
    _run_on(give_to_cells, last, (dx, g / heights[:, np.newaxis] / widths), (rows, columns))
    return dx


# ---------------------------------------------------------------- how memory lies, and who walks it


def _channels_last(a: Array) -> bool:
    """Whether the channels of a pixel, more than one, lie side by side."""
    return a.shape[1] > 1 and a.strides[1] == a.itemsize and a.transpose(0, 2, 3, 1).flags.c_contiguous


def _empty(shape: Shape, dtype: Any, channels_last: bool) -> Array:
    """A new array of shape (N, C, H, W) with the channels last in memory, or first."""
    if not channels_last:
        return empty(shape, dtype)
    n, c, h, w = shape
    return empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)


def _run_on(
    work: Callable[..., None], channels_last: bool, arrays: tuple[Array, ...], numbers: tuple[Any, ...] = ()
) -> None:
    """Call ``work(*lines, large, small, *numbers)``, the sizes those of the first two arrays, on several threads if large.

    What does not lie in the order that is asked for is copied: nothing that is written to may.
    """
    n, c, *_ = arrays[0].shape
    if channels_last:
        outer, inner = n, c
        lines = [as_kernel_input(a.transpose(0, 2, 3, 1).ravel()) for a in arrays]
    else:
        outer, inner = n * c, 1
        lines = [as_kernel_input(a.ravel()) for a in arrays]
    sizes = [(*a.shape[2:], inner) for a in arrays[:2]]
    if lines[0].size < SHARED_SIZE or get_num_threads() == 1:
        work(*lines, *sizes, *numbers)
        return
    step = max(1, BLOCK_SIZE * outer // lines[0].size)
    ends = [line.size // outer * step for line in lines]

    def work_on(block: int) -> None:
        work(*(line[block * end : (block + 1) * end] for line, end in zip(lines, ends)), *sizes, *numbers)

    run_blocks(work_on, -(-outer // step))


def _bounds(shape: Shape, output_size: Pair | Shape) -> tuple[Array, Array]:
    """The windows of adaptive pooling: first and last + 1 of their rows and of their columns."""
    rows, columns = (np.array(adaptive_bounds(*pair)).reshape(-1, 2) for pair in zip(shape[2:], output_size))
    return rows, columns


def _is_quarter(large: Shape, small: Shape, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> bool:
    """Whether the windows are squares of four pixels, side by side, all inside: what most networks use."""
    inside = 2 * small[2] <= large[2] and 2 * small[3] <= large[3]
    return inside and kernel == stride == (2, 2) and padding == (0, 0) and dilation == (1, 1)
