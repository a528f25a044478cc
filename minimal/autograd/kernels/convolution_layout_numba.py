"""Arrays as the compiled convolutions want them: pixel after pixel, filters in tiles, samples in shares and blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.autograd.kernels.convolution_numpy import Array, Pair, Shape, out_shape
from minimal.autograd.kernels.convolution_plan import Geometry, Plan, whole_tiles
from minimal.autograd.kernels.memory import aligned_empty
from minimal.autograd.kernels.vectors_numba import HAS_VECTORS, ROWS, lanes
from minimal.kernel_input import as_kernel_input
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

SHARED_PRODUCTS = 1 << 20  # multiplications below which a second thread costs more than it gives
BLOCKS = 16  # of samples, at most, whose filter gradients add up apart
BLOCK_SAMPLES = 8  # in a block, at least
BLOCK_NUMBERS = 1 << 22  # that all blocks together may have in memory


def is_fast(a: Array, b: Array, shape: Shape) -> bool:
    """Whether tiles pay: else the twin's matrix product, or its way with sizes of zero, does."""
    return HAS_VECTORS and a.dtype == b.dtype and a.dtype in (np.float32, np.float64) and 0 not in shape and b.size > 0


def whole_lanes(channels: int, dtype: Any) -> int:
    """That many channels, rounded up to whole rows of tiles."""
    return -(-channels // lanes(dtype)) * lanes(dtype)


def pixel_rows(image: NDArray[Any]) -> NDArray[Any]:
    """The numbers of (N, C, H, W), pixel after pixel, copied only if they do not lie so."""
    return as_kernel_input(np.ascontiguousarray(image.transpose(0, 2, 3, 1)).reshape(-1))


def image_and_geometry(
    x: Array, weight_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, out_channels: int
) -> tuple[Array, Geometry]:
    """x with its padding, pixel after pixel, and the sizes that a plan is made from."""
    (n, channels, height, width), (_, depth, kh, kw) = x.shape, weight_shape
    out = out_shape(x.shape, weight_shape, stride, padding, dilation)[2:]
    padded = height + 2 * padding[0], width + 2 * padding[1]
    geometry = Geometry(padded, channels, depth, (kh, kw), stride, dilation, (out[0], out[1]), out_channels)
    if padding == (0, 0):
        return pixel_rows(x), geometry
    image = aligned_empty(n * padded[0] * padded[1] * channels, x.dtype)
    whole = image.reshape(n, *padded, channels)
    for axis, size in enumerate(padding, start=1):
        if size:
            lines = np.moveaxis(whole, axis, 0)
            lines[:size] = lines[-size:] = 0
    whole[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width] = x.transpose(0, 2, 3, 1)
    return image, geometry


def pack_filters(w: Array, bias: Array | None, groups: int) -> tuple[Array, Array]:
    """Filters as they are read, (groups, blocks of lanes, taps, C / groups, lanes), and a bias for each lane."""
    o, depth, kh, kw = w.shape
    width = lanes(w.dtype)
    parts = _whole_lanes(w.reshape(groups, o // groups, depth, kh * kw), 1, width)
    filters = aligned_copy(parts.reshape(groups, -1, width, depth, kh * kw).transpose(0, 1, 4, 3, 2))
    biases = np.zeros((groups, parts.shape[1]), w.dtype)
    if bias is not None:
        biases[:, : o // groups] = bias.reshape(groups, -1)
    return filters, biases


def pack_taps(w: Array, groups: int) -> Array:
    """Filters as (groups, taps, blocks of lanes of input channels, O / groups, lanes)."""
    o, depth, kh, kw = w.shape
    width = lanes(w.dtype)
    parts = _whole_lanes(w.reshape(groups, o // groups, depth, kh * kw), 2, width)
    return aligned_copy(parts.reshape(groups, o // groups, -1, width, kh * kw).transpose(0, 4, 2, 1, 3))


def unpack_filters(dw: Array, weight_shape: Shape) -> Array:
    """Back from (groups, blocks of lanes, kh kw C / groups or more, lanes)."""
    (groups, blocks, _, width), (o, depth, kh, kw) = dw.shape, weight_shape
    dw = dw[:, :, : kh * kw * depth].reshape(groups, blocks, kh * kw, depth, width).transpose(0, 1, 4, 3, 2)
    dw = dw.reshape(groups, blocks * width, depth, kh * kw)[:, : o // groups]
    return np.ascontiguousarray(dw).reshape(weight_shape)


def _whole_lanes(parts: Array, axis: int, width: int) -> Array:
    """Zeros after the last channel, up to whole rows of tiles."""
    missing = -parts.shape[axis] % width
    return np.pad(parts, [(0, missing if k == axis else 0) for k in range(parts.ndim)]) if missing else parts


def aligned_copy(a: Array) -> Array:
    """A copy that begins at a cache line."""
    copy = aligned_empty(a.size, a.dtype).reshape(a.shape)
    copy[...] = a
    return copy


def shares(samples: int, products: int) -> list[int]:
    """Where to cut the samples for the threads."""
    count = 1 if products < SHARED_PRODUCTS else min(get_num_threads(), samples)
    return [samples * share // count for share in range(count + 1)]


def smallest(cuts: list[int]) -> int:
    return min(b - a for a, b in pairwise(cuts))


def in_blocks(
    work: Callable[..., None], table: Plan, samples: int, weight_shape: Shape, groups: int, dtype: Any
) -> Array:
    """The gradient in the filters: ``work(dw, reads, first, last)`` adds what samples first to last give to filters in
    tiles, of shape (groups, blocks of lanes, kh kw C / groups, lanes)."""
    width, reads = lanes(dtype), whole_tiles(table.reads, ROWS)
    shape = groups, -(-weight_shape[0] // groups // width), len(reads), width
    total = sum_of_blocks(lambda dw, first, last: work(dw, reads, first, last), samples, shape, dtype)
    return unpack_filters(total, weight_shape)


def sum_of_blocks(work: Callable[..., None], samples: int, shape: Shape, dtype: Any) -> Array:
    """What ``work(total, first, last)`` adds to zeros over all samples.

    Blocks of samples add up apart, and then their sums in order: how many blocks depends on shapes alone.
    """
    size = math.prod(shape)
    blocks = max(1, min(BLOCKS, samples // BLOCK_SAMPLES, BLOCK_NUMBERS // size))
    partial = aligned_empty(blocks * size, dtype).reshape(blocks, *shape)
    partial[:] = 0
    run_blocks(lambda b: work(partial[b], samples * b // blocks, samples * (b + 1) // blocks), blocks)
    return partial[0] if blocks == 1 else partial.sum(axis=0)
