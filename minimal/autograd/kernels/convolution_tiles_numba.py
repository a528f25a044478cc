"""Convolution and its gradients in tiles of registers, straight from the image.

The matrix of patches is never written down.  A tile is a few output pixels times a few filters; the tables of
``convolution_plan`` say where the patch of each pixel begins, and where in a patch each number lies.  The three kernels
below are the three matrix products of the text, in its order:

    out = patches @ filters          d patches = g @ filters.T          d filters = patches.T @ g

Sums agree with the twin's to rounding.  Samples are shared among threads in ways that the bits do not depend on: an output
pixel adds up its patch alone, and the gradient in the filters adds up in fixed blocks of samples.
"""

from __future__ import annotations

import numpy as np

from minimal.autograd.kernels import convolution_numpy
from minimal.autograd.kernels.convolution_layout_numba import (
    image_and_geometry,
    in_blocks,
    is_fast,
    kernel,
    pack_filters,
    pack_taps,
    pixel_rows,
    shares,
    smallest,
    whole_lanes,
)
from minimal.autograd.kernels.convolution_numpy import Array, Pair, Shape, out_shape
from minimal.autograd.kernels.convolution_plan import Geometry, plan
from minimal.autograd.kernels.memory import aligned_empty
from minimal.autograd.kernels.vectors_numba import ROWS, add_products, load, repeat, store
from minimal.threads import run_blocks

COLUMN = 256  # pixels whose gradients are laid side by side at a time: they stay in the first-level cache


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
    table = plan(geometry, smallest(cuts), ROWS)
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
    filters = pack_taps(w, groups)
    rows, dx = pixel_rows(g), aligned_empty(n * padded[0] * padded[1] * groups * whole, w.dtype)
    cuts = shares(n, g.size * w[0].size)
    table = plan(geometry, smallest(cuts), ROWS)
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
    image, geometry = image_and_geometry(x, weight_shape, stride, padding, dilation, g.shape[1])
    table, rows = plan(geometry, len(g), ROWS), pixel_rows(g)
    return in_blocks(
        lambda dw, reads, first, last: _add_patches(image, rows, dw, table, reads, first, last),
        table,
        len(g),
        weight_shape,
        groups,
        g.dtype,
    )


def conv2d_bias_grad(g: Array) -> Array:
    """Twin of ``convolution_numpy.conv2d_bias_grad``, equal to rounding."""
    if not is_fast(g, g, g.shape):
        return convolution_numpy.conv2d_bias_grad(g)
    return _sum_pixels(pixel_rows(g).reshape(len(g), -1, g.shape[1]))


# ---------------------------------------------------------------- the three matrix products


@kernel
def _correlate(x, filters, biases, out, plan, first, last):
    """out = bias + patches @ filters, for samples first to last."""
    groups, blocks, taps, depth, width = filters.shape
    numbers, channels = taps * depth, plan.out_channels // groups
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
                    tile = add_products(tile, x, plan.starts, p, at, plan.reads, numbers, filters, row, width)
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
    order = np.arange(channels)
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
                        tile = add_products(tile, g, plan.dests, p, at, order, channels, filters, row, width)
                        store(tile, dx, plan.starts, p, to)


@kernel
def _add_patches(x, g, dw, plan, reads, first, last):
    """dw += patches.T @ g, for samples first to last; ``reads`` are the plan's, in whole tiles."""
    groups, blocks, _, width = dw.shape
    channels = plan.out_channels // groups
    column = np.zeros((COLUMN, width), g.dtype)  # of g: a few filters, for some of the pixels
    for n in range(first, last, plan.samples):
        pixels = min(plan.samples, last - n) * plan.pixels
        for group in range(groups):
            at = n * plan.image + group * plan.depth
            for block in range(blocks):
                count = min(width, channels - block * width)
                row = n * plan.out_image + group * channels + block * width
                for p in range(0, pixels, COLUMN):
                    height = min(COLUMN, pixels - p)
                    for i in range(height):
                        to, values = column[i], g[row : row + count]
                        for j in range(len(values)):
                            to[j] = values[j]
                        row += plan.out_channels
                    add_column(x, at, plan.starts[p:], column, height, dw[group, block], reads)


@kernel
def add_column(x, at, starts, column, height, dw, reads):
    """dw += patches.T @ column; the patches begin at x[at + starts]."""
    numbers, width = dw.shape
    rows = np.arange(numbers) * width
    for k in range(0, numbers, ROWS):
        tile = load(ROWS, dw, rows, k, 0)
        tile = add_products(tile, x, reads, k, at, starts, height, column, 0, width)
        store(tile, dw, rows, k, 0)


@kernel
def _sum_pixels(g):
    """The sum over samples and pixels of (samples, pixels, channels), first over the pixels of each sample."""
    total = np.zeros(g.shape[2], g.dtype)
    part = np.empty_like(total)
    for n in range(g.shape[0]):
        part[:] = 0
        for p in range(g.shape[1]):
            values = g[n, p]
            for o in range(len(part)):
                part[o] += values[o]
        total += part
    return total
