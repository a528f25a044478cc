"""Where a convolution reads and writes, as tables: once they are made, every stride and dilation looks the same.

An image lies in memory as (height, width, channels), flattened.  The patch below an output pixel begins at some position,
``start``; the numbers of every patch then lie at the same distances, ``reads``, from its begin.  So a convolution is

    out[dest, o] = sum over k of x[start + reads[k]] * filters[k, o]

for pairs of a start and a dest, one for each output pixel, with no word about rows, columns, strides or dilations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
Positions = NDArray[np.int64]

ENOUGH = 96  # pixels in a table, if need be of several samples: then the last tile, rarely full, costs little


class Geometry(NamedTuple):
    """All sizes that the tables depend on."""

    padded: Pair  # height and width of an image with its padding
    channels: int  # of a pixel in memory
    depth: int  # how many of them a filter sees
    kernel: Pair
    stride: Pair
    dilation: Pair
    out: Pair  # height and width of the output
    out_channels: int  # of a pixel of the output in memory


class Plan(NamedTuple):
    """The tables for some samples that lie one after another; a compiled kernel takes it as it is."""

    starts: Positions  # in x, one for each output pixel; whole tiles, filled up with the last pixel
    dests: Positions  # in the output, likewise
    reads: Positions  # from a start, one for each number of a filter: taps in reading order, channels within
    samples: int
    pixels: int  # of one sample
    depth: int  # numbers of a tap
    image: int  # numbers from one sample of x to the next
    out_channels: int  # numbers from one pixel of the output to the next
    out_image: int  # numbers from one sample of the output to the next


@lru_cache(maxsize=256)
def plan(geometry: Geometry, samples: int, rows: int) -> Plan:
    """Output pixels in reading order.

    Parameters
    ----------
    geometry : Geometry
    samples : int
        How many samples there are; the plan covers as many of them as make enough pixels.
    rows : int
        Pixels in a tile.
    """
    pixels = geometry.out[0] * geometry.out[1]
    return _plan(geometry, samples, _starts(geometry).reshape(pixels, 1), rows)


@lru_cache(maxsize=256)
def pooled_plan(geometry: Geometry, samples: int, rows: int) -> Plan:
    """The four pixels of a window one after another, window by window; ``dests`` and ``pixels`` are about windows."""
    ph, pw = geometry.out[0] // 2, geometry.out[1] // 2
    starts = _starts(geometry)[: 2 * ph, : 2 * pw].reshape(ph, 2, pw, 2).swapaxes(1, 2)
    return _plan(geometry, samples, starts.reshape(ph * pw, 4), rows // 4)


def _plan(geometry: Geometry, samples: int, starts: Positions, rows: int) -> Plan:
    """``starts`` has one row for each number that one sample's output has."""
    pixels = len(starts)
    samples = max(1, min(samples, -(-ENOUGH // max(starts.size, 1))))
    image = geometry.padded[0] * geometry.padded[1] * geometry.channels
    starts = (np.arange(samples)[:, np.newaxis, np.newaxis] * image + starts).reshape(samples * pixels, -1)
    dests = np.arange(samples * pixels) * geometry.out_channels
    starts, dests = whole_tiles(starts, rows).ravel(), whole_tiles(dests, rows)
    out_image = pixels * geometry.out_channels
    return Plan(
        starts, dests, _reads(geometry), samples, pixels, geometry.depth, image, geometry.out_channels, out_image
    )


def _starts(geometry: Geometry) -> Positions:
    """Where the patches of one sample begin: (OH, OW)."""
    down = np.arange(geometry.out[0]) * (geometry.stride[0] * geometry.padded[1])
    return (down[:, np.newaxis] + np.arange(geometry.out[1]) * geometry.stride[1]) * geometry.channels


def _reads(geometry: Geometry) -> Positions:
    """How far the numbers of a patch lie from its begin."""
    down = np.arange(geometry.kernel[0]) * (geometry.dilation[0] * geometry.padded[1])
    taps = (down[:, np.newaxis] + np.arange(geometry.kernel[1]) * geometry.dilation[1]) * geometry.channels
    return (taps[:, :, np.newaxis] + np.arange(geometry.depth)).ravel()


def whole_tiles(table: NDArray[Any], rows: int) -> NDArray[Any]:
    """Filled up with copies of the last entry: what is computed twice is equal, and is written to the same place."""
    missing = -len(table) % rows
    return np.concatenate([table, np.repeat(table[-1:], missing, axis=0)]) if missing else table
