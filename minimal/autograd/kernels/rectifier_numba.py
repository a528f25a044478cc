"""Twin of ``rectifier_numpy``, compiled: a comparison that also keeps NaN costs NumPy several walks through memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.autograd.kernels import rectifier_numpy
from minimal.autograd.kernels.memory import empty_like
from minimal.kernel_input import as_kernel_input
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")

SMALL_SIZE = 512  # numbers for which NumPy's call is the cheaper one
SHARED_SIZE = 1 << 18  # numbers below which a second thread costs more than it gives
BLOCK = 1 << 16  # numbers in one block


def relu(x: Array) -> Array:
    """Twin of ``rectifier_numpy.relu``, same numbers."""
    if x.size < SMALL_SIZE or x.dtype.char not in "fd":
        return rectifier_numpy.relu(x)
    out = empty_like(x)
    _share(_relu, x, out)
    return out


def relu_backward(g: Array, out: Array) -> Array:
    """Twin of ``rectifier_numpy.relu_backward``, same numbers."""
    if out.size < SMALL_SIZE or out.dtype.char not in "fd" or g.dtype != out.dtype:
        return rectifier_numpy.relu_backward(g, out)
    dx = empty_like(out)
    if g.strides != out.strides:
        dx[...] = g
        g = dx
    _share(_relu_backward, g, out, dx)
    return dx


def _share(work: Callable[..., None], *arrays: Array) -> None:
    """Call ``work`` with arrays of equal strides in the order of their memory, on several threads if they are large.

    What is written to must be dense, so that its numbers in that order are a view.
    """
    flat = [as_kernel_input(a.ravel("K")) for a in arrays]
    if arrays[0].size < SHARED_SIZE or get_num_threads() == 1:
        work(*flat)
    else:
        cut = -(-arrays[0].size // BLOCK)
        run_blocks(lambda block: work(*(a[block * BLOCK : (block + 1) * BLOCK] for a in flat)), cut)


@kernel
def _relu(x, out):
    zero = x.dtype.type(0)
    for i in range(np.uintp(x.size)):
        out[i] = zero if x[i] <= zero else x[i]


@kernel
def _relu_backward(g, out, dx):
    zero = g.dtype.type(0)
    for i in range(np.uintp(g.size)):
        dx[i] = zero if out[i] <= zero else g[i]
