"""Twin of ``convolution_numpy``, compiled: the same sums in tiles of registers, straight from the image.

The matrix of patches is never written down.  A tile is a few output pixels times a few filters; the tables of
``convolution_plan`` say where the patch of each pixel begins, and where in a patch each number lies.  The three kernels
below are the three matrix products of the text, in its order:

    out = patches @ filters          d patches = g @ filters.T          d filters = patches.T @ g

Sums agree with the twin's to rounding.  Samples are shared among threads in ways that the bits do not depend on: an output
pixel adds up its patch alone, and the gradient in the filters adds up in fixed blocks of samples.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from minimal.autograd.kernels import convolution_numpy
from minimal.autograd.kernels.convolution_numpy import Array, Pair, Shape, out_shape
from minimal.autograd.kernels.convolution_plan import Geometry, plan, whole_tiles
from minimal.autograd.kernels.vectors_numba import (
    HAS_VECTORS,
    LANES,
    ROWS,
    aligned_empty,
    lanes,
    load,
    multiply_add,
    repeat,
    store,
)
from minimal.kernel_input import as_kernel_input
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

SHARED_PRODUCTS = 1 << 20  # below so many multiplications a second thread costs more than it gives
BLOCKS, BLOCK_SAMPLES, BLOCK_NUMBERS = (
    16,
    8,
    1 << 22,
)  # of filter gradients: at most, at least, and at most of all together


def conv2d(x: Array, w: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """Twin of ``convolution_numpy.conv2d``, equal to rounding."""
    shape = out_shape(x.shape, w.shape, stride, padding, dilation)
    if not is_fast(x, w, shape):
        return convolution_numpy.conv2d(x, w, bias, stride, padding, dilation, groups)
    n, o, oh, ow = shape
    image, geometry = image_and_geometry(x, w.shape, stride, padding, dilation, o)
    filters, biases = pack_filters(w, bias, groups)
    out = aligned_empty(n * oh * ow * o, x.dtype)
    cuts = shares(n, n * oh * ow * w.size)
    table = plan(geometry, _smallest(cuts), ROWS)
    run_blocks(lambda b: _correlate(image, filters, biases, out, table, cuts[b], cuts[b + 1]), len(cuts) - 1)
    return out.reshape(n, oh, ow, o).transpose(0, 3, 1, 2)


def conv2d_input_grad(
    g: Array, w: Array, input_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Twin of ``convolution_numpy.conv2d_input_grad``, equal to rounding."""
    if not is_fast(g, w, g.shape):
        return convolution_numpy.conv2d_input_grad(g, w, input_shape, stride, padding, dilation, groups)
    (n, channels, height, width), (o, depth, kh, kw), (_, _, oh, ow) = input_shape, w.shape, g.shape
    padded = height + 2 * padding[0], width + 2 * padding[1]
    whole = whole_lanes(depth, w.dtype)
    geometry = Geometry(padded, groups * whole, 1, (kh, kw), stride, dilation, (oh, ow), o)
    filters = _pack_taps(np.ascontiguousarray(w), groups, lanes(w.dtype))
    rows, dx = pixel_rows(g), aligned_empty(n * padded[0] * padded[1] * groups * whole, w.dtype)
    cuts = shares(n, g.size * w[0].size)
    table = plan(geometry, _smallest(cuts), ROWS)
    run_blocks(lambda b: _scatter(rows, filters, dx, table, cuts[b], cuts[b + 1]), len(cuts) - 1)
    image = dx.reshape(n, *padded, groups, whole)
    image = image[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width, :, :depth]
    return image.reshape(n, height, width, channels).transpose(0, 3, 1, 2)  # copies unless all of it was wanted


def conv2d_weight_grad(
    g: Array, x: Array, weight_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Twin of ``convolution_numpy.conv2d_weight_grad``, equal to rounding."""
    if not is_fast(g, x, g.shape):
        return convolution_numpy.conv2d_weight_grad(g, x, weight_shape, stride, padding, dilation, groups)
    n, o, oh, ow = g.shape
    whole = whole_lanes(o // groups, g.dtype)
    image, geometry = image_and_geometry(x, weight_shape, stride, padding, dilation, groups * whole)
    rows = pixel_rows(g)
    if whole * groups != o:
        rows = np.zeros((n, oh * ow, groups, whole), g.dtype)
        rows[..., : o // groups] = pixel_rows(g).reshape(n, oh * ow, groups, -1)
    return sum_of_products(
        lambda dw, table, reads, first, last: _add_products(image, rows, dw, table, reads, first, last),
        weight_shape,
        groups,
        g.dtype,
        plan(geometry, n, ROWS),
        n,
    )


def conv2d_bias_grad(g: Array) -> Array:
    """Twin of ``convolution_numpy.conv2d_bias_grad``, equal to rounding."""
    if not is_fast(g, g, g.shape):
        return convolution_numpy.conv2d_bias_grad(g)
    return _sum_pixels(pixel_rows(g).reshape(len(g), -1, g.shape[1]))


# ---------------------------------------------------------------- arrays as the kernels want them


def is_fast(a: Array, b: Array, shape: Shape) -> bool:
    """Whether tiles pay: else the twin's matrix product, or its way with sizes of zero, does."""
    return HAS_VECTORS and a.dtype == b.dtype and a.dtype in (np.float32, np.float64) and 0 not in shape and b.size > 0


def whole_lanes(channels: int, dtype: Any) -> int:
    """That many channels, rounded up to whole rows of tiles."""
    return -(-channels // lanes(dtype)) * lanes(dtype)


def pixel_rows(image: Array) -> Array:
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
    image[:] = 0
    inside = image.reshape(n, *padded, channels)
    inside[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width] = x.transpose(0, 2, 3, 1)
    return image, geometry


def pack_filters(w: Array, bias: Array | None, groups: int) -> tuple[Array, Array]:
    """Filters as they are read, (groups, blocks of lanes, kh kw C / groups, lanes), and a bias for each lane."""
    o, width = w.shape[0], lanes(w.dtype)
    filters = _pack(np.ascontiguousarray(w), groups, width)
    biases = np.zeros((groups, filters.shape[1] * width), w.dtype)
    if bias is not None:
        biases[:, : o // groups] = bias.reshape(groups, -1)
    return filters, biases


def shares(samples: int, products: int) -> list[int]:
    """Where to cut the samples for the threads."""
    count = 1 if products < SHARED_PRODUCTS else min(get_num_threads(), samples)
    return [samples * share // count for share in range(count + 1)]


def _smallest(cuts: list[int]) -> int:
    return min(b - a for a, b in pairwise(cuts))


def sum_of_products(
    work: Callable[..., None], weight_shape: Shape, groups: int, dtype: Any, table: Any, samples: int
) -> Array:
    """The gradient in the filters: ``work(dw, table, reads, first, last)`` adds what samples first to last give.

    Blocks of samples add up apart, and then their sums in order: how many blocks depends on shapes alone.
    """
    o, depth, kh, kw = weight_shape
    reads = whole_tiles(table.reads, ROWS)
    shape = (groups, len(reads), whole_lanes(o // groups, dtype))
    blocks = max(1, min(BLOCKS, samples // BLOCK_SAMPLES, BLOCK_NUMBERS // (shape[0] * shape[1] * shape[2])))
    partial = np.zeros((blocks, *shape), dtype)
    run_blocks(lambda b: work(partial[b], table, reads, samples * b // blocks, samples * (b + 1) // blocks), blocks)
    total = partial[0] if blocks == 1 else partial.sum(axis=0)
    total = total[:, : len(table.reads), : o // groups].reshape(groups, kh, kw, depth, o // groups)
    return np.ascontiguousarray(total.transpose(0, 4, 3, 1, 2)).reshape(weight_shape)


# ---------------------------------------------------------------- the three matrix products


@kernel
def _correlate(x, filters, biases, out, plan, first, last):
    """out = bias + patches @ filters, for samples first to last."""
    groups, blocks, numbers, width = filters.shape
    channels = plan.out_channels // groups
    spare, spare_rows = np.empty(ROWS * width, x.dtype), np.arange(ROWS) * width
    for n in range(first, last, plan.samples):
        n = min(n, last - plan.samples)  # the last ones begin earlier if need be: what is computed twice is equal
        for group in range(groups):
            at = n * plan.image + group * plan.depth
            for block in range(blocks):
                to = n * plan.out_image + group * channels + block * width
                count = min(width, channels - block * width)
                for p in range(0, len(plan.dests), ROWS):
                    tile = repeat(ROWS, biases, (group * blocks + block) * width)
                    row = (group * blocks + block) * numbers * width
                    for k in range(numbers):
                        tile = multiply_add(tile, x, plan.starts, p, at + plan.reads[k], filters, row)
                        row += width
                    if count == width:
                        store(tile, out, plan.dests, p, to)
                    else:
                        store(tile, spare, spare_rows, 0, 0)
                        for i in range(ROWS):
                            for j in range(count):
                                out[plan.dests[p + i] + to + j] = spare[i * width + j]


@kernel
def _scatter(g, filters, dx, plan, first, last):
    """dx = 0, and then every pixel adds up what the patches that hold it receive: d patches = g @ filters.T."""
    groups, taps, blocks, channels, width = filters.shape
    for n in range(first, last, plan.samples):
        n = min(n, last - plan.samples)
        dx[n * plan.image : (n + plan.samples) * plan.image] = 0
        for group in range(groups):
            at = n * plan.out_image + group * channels
            for tap in range(taps):
                for block in range(blocks):
                    to = n * plan.image + plan.reads[tap] + (group * blocks + block) * width
                    for p in range(0, len(plan.dests), ROWS):
                        tile = load(ROWS, dx, plan.starts, p, to)
                        row = ((group * taps + tap) * blocks + block) * channels * width
                        for o in range(channels):
                            tile = multiply_add(tile, g, plan.dests, p, at + o, filters, row)
                            row += width
                        store(tile, dx, plan.starts, p, to)


@kernel
def _add_products(x, g, dw, plan, reads, first, last):
    """dw += patches.T @ g, over samples first to last; ``reads`` are the plan's, in whole tiles."""
    groups, numbers, width = dw.shape
    rows = np.arange(numbers) * width
    for n in range(first, last, plan.samples):
        samples = min(plan.samples, last - n)
        for group in range(groups):
            add_group(x, g, dw, plan, reads, rows, n, samples, group)


@kernel
def add_group(x, g, dw, plan, reads, rows, n, samples, group):
    """dw += patches.T @ g, for a few samples from n on, and one group."""
    _, numbers, width = dw.shape
    at, pixels = n * plan.image + group * plan.depth, samples * plan.pixels
    for o in range(0, width, LANES // g.itemsize):
        to = group * numbers * width + o
        for k in range(0, numbers, ROWS):
            tile = load(ROWS, dw, rows, k, to)
            row = n * plan.out_image + group * width + o
            for p in range(pixels):
                tile = multiply_add(tile, x, reads, k, at + plan.starts[p], g, row)
                row += plan.out_channels
            store(tile, dw, rows, k, to)


@kernel
def _sum_pixels(g):
    """The sum over samples and pixels of (samples, pixels, channels), first over the pixels of each sample."""
    total = np.zeros(g.shape[2], g.dtype)
    for n in range(g.shape[0]):
        part = np.zeros(g.shape[2], g.dtype)
        for p in range(g.shape[1]):
            for o in range(np.uintp(g.shape[2])):
                part[o] += g[n, p, o]
        total += part
    return total


@kernel
def _pack(w, groups, width):
    """w as (groups, blocks of lanes, kh kw C / groups, lanes), zero where a block is not full."""
    o, depth, kh, kw = w.shape
    channels = o // groups
    blocks = -(-channels // width)
    out = np.zeros((groups, blocks, kh * kw * depth, width), w.dtype)
    for q in range(o):
        to = out[q // channels, q % channels // width, :, q % channels % width]
        for c in range(depth):
            for k in range(kh):
                for l in range(kw):
                    to[(k * kw + l) * depth + c] = w[q, c, k, l]
    return out


@kernel
def _pack_taps(w, groups, width):
    """w as (groups, kh kw, blocks of lanes of input channels, O / groups, lanes), zero where a block is not full."""
    o, depth, kh, kw = w.shape
    channels = o // groups
    out = np.zeros((groups, kh * kw, -(-depth // width), channels, width), w.dtype)
    for q in range(o):
        for c in range(depth):
            to = out[q // channels, :, c // width, q % channels, c % width]
            for k in range(kh):
                for l in range(kw):
                    to[k * kw + l] = w[q, c, k, l]
    return out


conv_relu_pool = convolution_numpy.conv_relu_pool
conv_relu_pool_backward = convolution_numpy.conv_relu_pool_backward
