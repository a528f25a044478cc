"""Twin of ``normalization_numpy``, compiled: a read of the data for each sum that waits for another, and one to write.

Memory is walked as it lies.  To a kernel the data of batch normalization are (outer, channels, inner).  With images side by
side, outer counts samples and inner pixels.  With the channels of a pixel side by side inner is one, and several pixels make
one row of hundreds of numbers, as if each of them had channels of its own: long loops are quick loops.

Sums are taken in double precision, in blocks of the outer axis; threads share the blocks, whose sums are added in order, so
any number of threads gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.autograd.kernels import normalization_numpy
from minimal.autograd.kernels.memory import empty
from minimal.kernel_input import as_kernel_input
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")
# Sums along a row may take several running sums at once: their order is the compiler's, which only rounding notices.
summing = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})

SMALL_SIZE = 1 << 15  # numbers for which NumPy's passes are the cheaper ones
SHARED_SIZE = 1 << 17  # numbers below which a second thread costs more than it gives
BLOCK_SIZE = 1 << 15  # numbers in one block, about
WIDTH = 1024  # of a row that several pixels make, at most


def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Twin of ``normalization_numpy.batch_norm``, equal to rounding."""
    if x.dtype.char not in "fd" or x.size <= SMALL_SIZE:
        return normalization_numpy.batch_norm(x, weight, bias, eps)
    out = _like(x)
    (a, b), n = _as_walked(x, out), x.size // x.shape[1]
    mean = _sums(_add_up, x.shape[1], a) / n
    var = _sums(_add_squares, x.shape[1], a, mean) / n
    scale = 1 / np.sqrt(var + eps)
    scale = scale if weight is None else scale * weight
    shift = np.zeros(x.shape[1]) if bias is None else bias.astype(np.float64)
    _in_blocks(_scale_and_shift, a, b, numbers=(mean, scale, shift))
    return out, mean.astype(x.dtype), var.astype(x.dtype)


def batch_norm_backward(
    g: Array, x: Array, mean: Array, var: Array, weight: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Twin of ``normalization_numpy.batch_norm_backward``, equal to rounding."""
    if x.dtype.char not in "fd" or g.dtype != x.dtype or x.size <= SMALL_SIZE:
        return normalization_numpy.batch_norm_backward(g, x, mean, var, weight, eps)
    dx = _like(x)
    (a, b, c), channels, T = _as_walked(x, g, dx), x.shape[1], x.dtype
    n = x.size // channels
    center, inverse = mean.astype(np.float64), 1 / np.sqrt(var.astype(np.float64) + eps)
    dbias, products = _sums(_add_up, channels, b), _sums(_add_products, channels, a, center, b)
    dweight = products * inverse
    scale = inverse if weight is None else inverse * weight
    _in_blocks(_combine, a, b, c, numbers=(center, scale, -scale * inverse * dweight / n, -scale * dbias / n))
    return dx, dweight.astype(T), dbias.astype(T)


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Twin of ``normalization_numpy.layer_norm``, equal to rounding."""
    if x.dtype.char not in "fd":
        return normalization_numpy.layer_norm(x, weight, bias, eps)
    x, (w, b) = _plain(x), _given(x, weight, bias)
    out, mean, inverse = empty(x.shape, x.dtype), np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    _layer_norm(x, w, b, eps, out, mean, inverse)
    return out, mean, inverse


def layer_norm_backward(
    g: Array, x: Array, mean: Array, inverse: Array, weight: Array | None
) -> tuple[Array, Array, Array]:
    """Twin of ``normalization_numpy.layer_norm_backward``, equal to rounding."""
    if x.dtype.char not in "fd" or g.dtype != x.dtype:
        return normalization_numpy.layer_norm_backward(g, x, mean, inverse, weight)
    x, g, (w, _) = _plain(x), _plain(g), _given(x, weight, None)
    dx, dweight, dbias = empty(x.shape, x.dtype), np.zeros(x.shape[1]), np.zeros(x.shape[1])
    _layer_norm_backward(g, x, mean, inverse, w, dx, dweight, dbias)
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


# ---------------------------------------------------------------- how memory lies, and who walks it


def _channels_last(a: Array) -> bool:
    return bool(np.moveaxis(a, 1, -1).flags.c_contiguous)


def _like(x: Array) -> Array:
    """A new array with the channels last in memory, if they are in ``x``, or second."""
    if not _channels_last(x):
        return empty(x.shape, x.dtype)
    return np.moveaxis(empty((x.shape[0], *x.shape[2:], x.shape[1]), x.dtype), -1, 1)


def _as_walked(x: Array, *others: Array) -> list[Array]:
    """All as (outer, channels, inner), in the order of memory of x; what lies otherwise is copied."""
    if _channels_last(x):
        pixels, channels = x.size // x.shape[1], x.shape[1]
        together = next(n for n in range(min(pixels, max(1, WIDTH // channels)), 0, -1) if pixels % n == 0)
        return [_plain(np.moveaxis(a, 1, -1)).reshape(-1, together * channels, 1) for a in (x, *others)]
    return [_plain(a).reshape(x.shape[0], x.shape[1], -1) for a in (x, *others)]


def _plain(a: Array) -> Array:
    return as_kernel_input(np.ascontiguousarray(a))


def _given(x: Array, weight: Array | None, bias: Array | None) -> tuple[Array, Array]:
    w = np.ones(x.shape[1], x.dtype) if weight is None else _plain(weight)
    return w, np.zeros(x.shape[1], x.dtype) if bias is None else _plain(bias)


def _sums(
    add: Callable[..., None], channels: int, a: Array, center: Array | None = None, b: Array | None = None
) -> Array:
    """The sums over each channel that ``add`` makes, in float64."""
    outer, width, inner = a.shape
    step = max(1, BLOCK_SIZE // (width * inner))
    sums = np.zeros((-(-outer // step), width))
    centers = () if center is None else (_for_each(center, a),)

    def work(block: int) -> None:
        rows = slice(block * step, (block + 1) * step)
        add(a[rows], *centers, *(() if b is None else (b[rows],)), sums[block])

    run_blocks(work, len(sums), 1 if a.size < SHARED_SIZE else None)
    return sums.reshape(-1, channels).sum(axis=0)


def _for_each(channel: Array, a: Array) -> Array:
    """Numbers of channels as often as a row of ``a`` has those channels."""
    return np.tile(channel, a.shape[1] // len(channel))


def _in_blocks(work: Callable[..., None], *arrays: Array, numbers: tuple[Array, ...]) -> None:
    """Call ``work(*arrays, *numbers)``, for blocks of the outer axis on several threads if there is much to do."""
    outer, size = len(arrays[0]), arrays[0].size
    numbers = tuple(_for_each(a.astype(arrays[0].dtype), arrays[0]) for a in numbers)
    if size < SHARED_SIZE or get_num_threads() == 1:
        work(*arrays, *numbers)
        return
    step = max(1, BLOCK_SIZE * outer // size)
    run_blocks(lambda i: work(*(a[i * step : (i + 1) * step] for a in arrays), *numbers), -(-outer // step))


# ---------------------------------------------------------------- sums over channels


@summing
def _add_up(x, sums):
    for i in range(x.shape[0]):
        if x.shape[2] == 1:
            row = x[i].reshape(-1)
            for k in range(np.uintp(len(row))):
                sums[k] += row[k]
            continue
        for c in range(x.shape[1]):
            total = 0.0
            for k in range(np.uintp(x.shape[2])):
                total += x[i, c, k]
            sums[c] += total


@summing
def _add_squares(x, center, sums):
    for i in range(x.shape[0]):
        if x.shape[2] == 1:
            row = x[i].reshape(-1)
            for k in range(np.uintp(len(row))):
                off = row[k] - center[k]
                sums[k] += off * off
            continue
        for c in range(x.shape[1]):
            total, middle = 0.0, center[c]
            for k in range(np.uintp(x.shape[2])):
                off = x[i, c, k] - middle
                total += off * off
            sums[c] += total


@summing
def _add_products(x, center, g, sums):
    for i in range(x.shape[0]):
        if x.shape[2] == 1:
            row, given = x[i].reshape(-1), g[i].reshape(-1)
            for k in range(np.uintp(len(row))):
                sums[k] += (row[k] - center[k]) * given[k]
            continue
        for c in range(x.shape[1]):
            total, middle = 0.0, center[c]
            for k in range(np.uintp(x.shape[2])):
                total += (x[i, c, k] - middle) * g[i, c, k]
            sums[c] += total


# ---------------------------------------------------------------- one number after another


@kernel
def _scale_and_shift(x, out, center, scale, shift):
    for i in range(x.shape[0]):
        if x.shape[2] == 1:
            row, written = x[i].reshape(-1), out[i].reshape(-1)
            for k in range(np.uintp(len(row))):
                written[k] = (row[k] - center[k]) * scale[k] + shift[k]
            continue
        for c in range(x.shape[1]):
            middle, factor, offset = center[c], scale[c], shift[c]
            for k in range(np.uintp(x.shape[2])):
                out[i, c, k] = (x[i, c, k] - middle) * factor + offset


@kernel
def _combine(x, g, dx, center, of_g, of_x, shift):
    for i in range(x.shape[0]):
        if x.shape[2] == 1:
            row, given, written = x[i].reshape(-1), g[i].reshape(-1), dx[i].reshape(-1)
            for k in range(np.uintp(len(row))):
                written[k] = given[k] * of_g[k] + (row[k] - center[k]) * of_x[k] + shift[k]
            continue
        for c in range(x.shape[1]):
            middle, a, b, offset = center[c], of_g[c], of_x[c], shift[c]
            for k in range(np.uintp(x.shape[2])):
                dx[i, c, k] = g[i, c, k] * a + (x[i, c, k] - middle) * b + offset


# ---------------------------------------------------------------- rows


@summing
def _layer_norm(x, weight, bias, eps, out, mean, inverse):
    m, d = x.shape
    T = x.dtype.type
    for i in range(m):
        row, written = x[i], out[i]
        total = squares = 0.0
        for k in range(np.uintp(d)):
            total += row[k]
        center = total / d
        for k in range(np.uintp(d)):
            off = row[k] - center
            squares += off * off
        scale = 1 / np.sqrt(squares / d + eps)
        mean[i], inverse[i] = center, scale
        middle, factor = T(center), T(scale)
        for k in range(np.uintp(d)):
            written[k] = (row[k] - middle) * factor * weight[k] + bias[k]


@summing
def _layer_norm_backward(g, x, mean, inverse, weight, dx, dweight, dbias):
    m, d = x.shape
    T = x.dtype.type
    for i in range(m):
        given, row, written = g[i], x[i], dx[i]
        total = products = 0.0
        for k in range(np.uintp(d)):
            z = (row[k] - mean[i]) * inverse[i]
            dz = given[k] * weight[k]
            total += dz
            products += dz * z
            dweight[k] += given[k] * z
            dbias[k] += given[k]
        middle, slope = T(total / d), T(products / d)
        for k in range(np.uintp(d)):
            z = (row[k] - mean[i]) * inverse[i]
            written[k] = (given[k] * weight[k] - middle - z * slope) * inverse[i]
