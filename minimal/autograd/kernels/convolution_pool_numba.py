"""Convolution, relu and the largest of each 2 x 2 pixels in one pass, and gradients that skip what pooling threw away.

Forward, a tile holds the four pixels of a window, so relu and the maximum are taken before anything is written: a quarter
of the numbers, and one byte for each that says which pixel won.

Backward, three of four gradients at the convolution's output are zero because their pixel lost, and more are because relu
cut them off.  Those that live are listed, each with the patch that it belongs to.  Then the sums are

    dw[filter] = sum over the list of a filter of g * patch          d patch = sum over the list of a pixel of g * filter

and a row of a patch, kw pixels with all their channels, is a line of numbers that stays in registers meanwhile.  Where a
row does not fill registers (few or odd channels, groups), the zeros are put back and multiplied like other numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.kernels import convolution_numpy
from minimal.autograd.kernels.convolution_layout_numba import (
    aligned_copy,
    image_and_geometry,
    in_blocks,
    is_fast,
    kernel,
    pack_filters,
    pixel_rows,
    shares,
    smallest,
    sum_of_blocks,
)
from minimal.autograd.kernels.convolution_numpy import DEAD, Array, Pair, Shape, out_shape
from minimal.autograd.kernels.convolution_plan import Plan, pooled_plan
from minimal.autograd.kernels.convolution_tiles_numba import add_column, conv2d_input_grad
from minimal.autograd.kernels.memory import aligned_empty
from minimal.autograd.kernels.vectors_numba import (
    LINE,
    LINE_BYTES,
    WINDOWS,
    add_multiple,
    add_products,
    load_line,
    repeat,
    store_apart,
    store_largest,
    store_line,
)
from minimal.threads import run_blocks

ROWS = 4 * WINDOWS
SHORTEST = 3  # pieces of a line below which sums wait for each other: zeros and all is faster then
COLUMN = 64  # windows whose gradients are put back at a time: they stay in the first-level cache


def conv_relu_pool(
    x: Array, w: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> tuple[Array, NDArray[np.int8]]:
    """Twin of ``convolution_numpy.conv_relu_pool``, equal to rounding."""
    n, o, oh, ow = out_shape(x.shape, w.shape, stride, padding, dilation)
    shape = n, oh // 2, ow // 2, o
    if not is_fast(x, w, shape):
        return convolution_numpy.conv_relu_pool(x, w, bias, stride, padding, dilation, groups)
    image, geometry = image_and_geometry(x, w.shape, stride, padding, dilation, o)
    filters, biases = pack_filters(w, bias, groups)
    out, argmax = aligned_empty(math.prod(shape), x.dtype), aligned_empty(math.prod(shape), np.int8)
    cuts = shares(n, n * oh * ow * w.size)
    table = pooled_plan(geometry, smallest(cuts), ROWS)
    run_blocks(
        lambda b: _correlate_and_pool(image, filters, biases, out, argmax, table, cuts[b], cuts[b + 1]), len(cuts) - 1
    )
    return out.reshape(shape).transpose(0, 3, 1, 2), argmax.reshape(shape).transpose(0, 3, 1, 2)


def conv_relu_pool_backward(
    g: Array,
    argmax: NDArray[np.int8],
    x: Array,
    w: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    need_input_grad: bool,
) -> tuple[Array | None, Array, Array]:
    """Twin of ``convolution_numpy.conv_relu_pool_backward``, equal to rounding where all numbers are finite.

    Differs from it, and from PyTorch, when x or w holds an infinity or a NaN: 0 times that is NaN, but what pooling threw
    away need not be multiplied here.
    """
    if not is_fast(x, w, g.shape) or g.dtype != x.dtype:
        return convolution_numpy.conv_relu_pool_backward(
            g, argmax, x, w, stride, padding, dilation, groups, need_input_grad
        )
    image, geometry = image_and_geometry(x, w.shape, stride, padding, dilation, w.shape[0])
    values, places = pixel_rows(g), pixel_rows(argmax)
    db = _sum_live(values.reshape(len(g), -1, w.shape[0]), places.reshape(len(g), -1, w.shape[0]))
    dx = None
    if length := _line_length(w, dilation, groups):
        table = pooled_plan(geometry._replace(depth=1), 1, 4)
        dw = _weight_grad_by_lines(image, values, places, table, length, w.shape, len(g))
        if need_input_grad:
            dx = _input_grad_by_lines(values, places, table, length, w, len(g))
            dx = dx.reshape(len(g), *geometry.padded, x.shape[1])
            dx = dx[:, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]
            dx = np.ascontiguousarray(dx).transpose(0, 3, 1, 2)
    else:
        table = pooled_plan(geometry, len(g), ROWS)
        dw = in_blocks(
            lambda dw, reads, first, last: _add_patches(image, values, places, dw, table, reads, first, last),
            table,
            len(g),
            w.shape,
            groups,
            w.dtype,
        )
        if need_input_grad:
            d_conv = _unpool(values, places, (len(g), *geometry.out, w.shape[0])).transpose(0, 3, 1, 2)
            dx = conv2d_input_grad(d_conv, w, x.shape, stride, padding, dilation, groups)
    return dx, dw, db


def _weight_grad_by_lines(
    image: Array, g: Array, places: Array, table: Plan, length: tuple[int, ...], weight_shape: Shape, samples: int
) -> Array:
    o, channels, kh, kw = weight_shape
    reads = table.reads[::kw]  # where the rows of a patch begin
    dw = sum_of_blocks(
        lambda dw, first, last: _add_lines(image, g, places, dw, table, reads, length, first, last),
        samples,
        (o, kh, kw * channels),
        g.dtype,
    )
    return np.ascontiguousarray(dw.reshape(o, kh, kw, channels).transpose(0, 3, 1, 2))


def _input_grad_by_lines(
    g: Array, places: Array, table: Plan, length: tuple[int, ...], w: Array, samples: int
) -> Array:
    """With its padding, pixel after pixel."""
    o, channels, kh, kw = w.shape
    reads, filters = table.reads[::kw], aligned_copy(w.transpose(2, 0, 3, 1)).reshape(kh, o, kw * channels)
    dx, cuts = aligned_empty(samples * table.image, w.dtype), shares(samples, g.size * w[0].size)
    run_blocks(
        lambda b: _scatter_lines(g, places, filters, dx, table, reads, length, cuts[b], cuts[b + 1]), len(cuts) - 1
    )
    return dx


def _line_length(w: Array, dilation: Pair, groups: int) -> tuple[int, ...]:
    """A tuple with one item for each 64 bytes of a line that a row of a patch is cut into; empty where lines do not pay."""
    _, channels, _, kw = w.shape
    pieces, rest = divmod(kw * channels * w.itemsize, LINE_BYTES)
    if rest or groups > 1 or (dilation[1] > 1 and kw > 1):
        return ()
    longest = max((k for k in range(SHORTEST, LINE + 1) if pieces % k == 0), default=0)
    return (0,) * longest


# ---------------------------------------------------------------- forward


@kernel
def _correlate_and_pool(x, filters, biases, out, argmax, plan, first, last):
    """The largest of four pixels of bias + patches @ filters, or zero, for samples first to last."""
    groups, blocks, taps, depth, width = filters.shape
    numbers, channels = taps * depth, plan.out_channels // groups
    spare, spare_places = np.empty(WINDOWS * width, x.dtype), np.empty(WINDOWS * width, np.int8)
    spare_rows = np.arange(WINDOWS) * width
    for n in range(first, last, plan.samples):
        n = min(n, last - plan.samples)  # the last ones begin earlier if need be: what is computed twice is equal
        for group in range(groups):
            at = n * plan.image + group * plan.depth
            for block in range(blocks):
                to = n * plan.out_image + group * channels + block * width
                count = min(width, channels - block * width)
                row = (group * blocks + block) * numbers * width
                for p in range(0, len(plan.dests), WINDOWS):
                    tile = repeat(ROWS, biases, (group * blocks + block) * width)
                    tile = add_products(tile, x, plan.starts, 4 * p, at, plan.reads, numbers, filters, row, width)
                    if count == width:
                        store_largest(tile, out, argmax, plan.dests, p, to)
                    else:
                        store_largest(tile, spare, spare_places, spare_rows, 0, 0)
                        for i in range(WINDOWS):
                            for j in range(count):
                                out[plan.dests[p + i] + to + j] = spare[i * width + j]
                                argmax[plan.dests[p + i] + to + j] = spare_places[i * width + j]


# ---------------------------------------------------------------- backward, with the zeros


@kernel
def _add_patches(x, g, places, dw, plan, reads, first, last):
    """dw += patches.T @ g, as in ``convolution_tiles_numba``, with zeros for the three pixels of a window that lost."""
    groups, blocks, _, width = dw.shape
    channels = plan.out_channels // groups
    column = np.empty((4 * COLUMN, width), g.dtype)
    spare, spare_places = np.zeros(width, g.dtype), np.zeros(width, np.int8)
    for n in range(first, last, plan.samples):
        windows = min(plan.samples, last - n) * plan.pixels
        for group in range(groups):
            at = n * plan.image + group * plan.depth
            for block in range(blocks):
                count = min(width, channels - block * width)
                row = n * plan.out_image + group * channels + block * width
                for p in range(0, windows, COLUMN):
                    height = min(COLUMN, windows - p)
                    for i in range(height):
                        if count == width:
                            store_apart(g, places, row, column, 4 * i * width)
                        else:
                            for j in range(count):
                                spare[j], spare_places[j] = g[row + j], places[row + j]
                            store_apart(spare, spare_places, 0, column, 4 * i * width)
                        row += plan.out_channels
                    add_column(x, at, plan.starts[4 * p :], column, 4 * height, dw[group, block], reads)


@kernel
def _unpool(g, places, shape):
    """The gradient at the output of the convolution, (N, OH, OW, O)."""
    n, oh, ow, o = shape
    out = np.zeros(shape, g.dtype)
    row = 0
    for s in range(n):
        for i in range(oh // 2):
            for j in range(ow // 2):
                for c in range(o):
                    place = places[row + c]
                    if place < DEAD:
                        out[s, 2 * i + place // 2, 2 * j + place % 2, c] = g[row + c]
                row += o
    return out


@kernel
def _sum_live(g, places):
    """The sum of (samples, windows, channels) over samples and windows, where relu let it through."""
    total, zero = np.zeros(g.shape[2], g.dtype), g.dtype.type(0)
    part = np.empty_like(total)
    for n in range(g.shape[0]):
        part[:] = 0
        for p in range(g.shape[1]):
            values, alive = g[n, p], places[n, p]
            for o in range(len(part)):
                part[o] += values[o] if alive[o] < DEAD else zero
        total += part
    return total


# ---------------------------------------------------------------- backward, without the zeros


@kernel
def _add_lines(x, g, places, dw, plan, reads, length, first, last):
    """dw of (O, kh, kw C): each filter adds up the patches whose pixels won with it."""
    filters, lines, numbers = dw.shape
    begins, factors = np.empty((filters, plan.pixels), np.int64), np.empty((filters, plan.pixels), g.dtype)
    count = np.empty(filters, np.int64)
    step = len(length) * (LINE_BYTES // g.itemsize)
    for n in range(first, last):
        count[:] = 0
        row = n * plan.out_image
        for p in range(plan.pixels):
            for o in range(filters):
                place = np.int64(places[row + o])
                begins[o, count[o]] = n * plan.image + plan.starts[4 * p + (place & 3)]
                factors[o, count[o]] = g[row + o]
                count[o] += place < DEAD  # else the next one is written over it
            row += filters
        for o in range(filters):
            for k in range(lines):
                for j in range(0, numbers, step):
                    to = (o * lines + k) * numbers + j
                    line = load_line(length, dw, to)
                    for i in range(count[o]):
                        line = add_multiple(line, factors[o, i], x, begins[o, i] + reads[k] + j)
                    store_line(line, dw, to)


@kernel
def _scatter_lines(g, places, filters, dx, plan, reads, length, first, last):
    """dx = 0, and then the patch of each pixel that won adds up the filters that it won with."""
    lines, channels, numbers = filters.shape
    shape = plan.pixels, DEAD + 1, channels  # a list for each pixel of a window, and one for what relu cut off
    winners, factors = np.empty(shape, np.int64), np.empty(shape, g.dtype)
    count = np.empty((plan.pixels, DEAD + 1), np.int64)
    step = len(length) * (LINE_BYTES // g.itemsize)
    for n in range(first, last):
        dx[n * plan.image : (n + 1) * plan.image] = 0
        count[:] = 0
        for o in range(channels):
            row = n * plan.out_image + o
            for p in range(plan.pixels):
                place = places[row]
                here = count[p, place]
                winners[p, place, here] = o * numbers
                factors[p, place, here] = g[row]
                count[p, place] = here + 1
                row += channels
        for k in range(lines):
            for p in range(plan.pixels):
                for place in range(DEAD):
                    for j in range(0, numbers, step):
                        to = n * plan.image + plan.starts[4 * p + place] + reads[k] + j
                        line = load_line(length, dx, to)
                        for i in range(count[p, place]):
                            filter_ = k * channels * numbers + winners[p, place, i] + j
                            line = add_multiple(line, factors[p, place, i], filters, filter_)
                        store_line(line, dx, to)
