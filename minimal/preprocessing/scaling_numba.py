"""Twin of ``scaling_numpy``, compiled: one read, one write, and a look out for infinities on the way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from minimal.kernel_input import as_kernel_input
from minimal.preprocessing import scaling_numpy
from minimal.preprocessing.scaling_numpy import Array
from minimal.threads import run_blocks

Loop = Callable[[Array, Array, Array, Array], bool]

kernel = njit(cache=True, nogil=True, error_model="numpy")

BLOCK = 1 << 17  # numbers, at most 1 MB: what a thread takes at a time, and what stays in its cache when it is copied
LONG_ROW = 1024  # numbers: a loop this long hides what its start costs


def standardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.standardize``, same bits."""
    return _scale(X, mean, scale, out, _standardize_rows, _standardize_columns, scaling_numpy.standardize)


def unstandardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.unstandardize``, same bits."""
    return _scale(X, mean, scale, out, _unstandardize_rows, _unstandardize_columns, scaling_numpy.unstandardize)


def _scale(X: Array, mean: Array, scale: Array, out: Array, by_rows: Loop, by_columns: Loop, plain: Loop) -> bool:
    """Pick the loop that follows the memory; NumPy's text serves strided views and half precision."""
    if X.dtype == np.float16:
        return plain(X, mean, scale, out)
    X, mean, scale = as_kernel_input(X), as_kernel_input(mean), as_kernel_input(scale)
    if X.flags.c_contiguous and out.flags.c_contiguous:
        return _in_long_rows(by_rows, X, mean, scale, out)
    if X.flags.f_contiguous and out.flags.f_contiguous:
        return _in_blocks(lambda x, z, part: by_columns(x, mean[part], scale[part], z), X.T, out.T)
    return plain(X, mean, scale, out)


def _in_long_rows(loop: Loop, X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Take many short rows as fewer long ones, with mean and scale repeated to match."""
    n, d = X.shape
    together = LONG_ROW // d if X.size > BLOCK else 1
    if together < 2:
        return _in_blocks(lambda x, z, _: loop(x, mean, scale, z), X, out)
    rest = n - n % together
    long = (rest // together, together * d)
    m, s = np.tile(mean, together), np.tile(scale, together)
    found = _in_blocks(lambda x, z, _: loop(x, m, s, z), X[:rest].reshape(long), out[:rest].reshape(long))
    return _in_blocks(lambda x, z, _: loop(x, mean, scale, z), X[rest:], out[rest:]) or found


def _in_blocks(work: Callable[[Array, Array, slice], bool], X: Array, out: Array) -> bool:
    """Call ``work`` for blocks of lines of X and out, which threads share; is anything suspicious in any of them?

    In place a block is copied first: a loop whose input and output overlap would do without vector instructions.
    """
    in_place = np.may_share_memory(X, out)
    height = max(1, BLOCK // X.shape[1])
    starts = range(0, len(X), height)
    found = [False] * len(starts)

    def one(block: int) -> None:
        part = slice(starts[block], starts[block] + height)
        found[block] = work(X[part].copy() if in_place else X[part], out[part], part)

    run_blocks(one, len(starts))
    return any(found)


# ---------------------------------------------------------------- the loops


@kernel
def _standardize_rows(X, mean, scale, out):
    """out = (X - mean) / scale; is there an infinity?"""
    found = 0
    for i in range(np.uintp(X.shape[0])):
        for j in range(np.uintp(X.shape[1])):
            x = X[i, j]
            z = (x - mean[j]) / scale[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = z
    return found != 0


@kernel
def _standardize_columns(columns, mean, scale, out):
    """The same for columns, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(np.uintp(columns.shape[0])):
        m, s = mean[j], scale[j]
        for i in range(np.uintp(columns.shape[1])):
            x = columns[j, i]
            z = (x - m) / s
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = z
    return found != 0


@kernel
def _unstandardize_rows(X, mean, scale, out):
    """out = X * scale + mean; is there an infinity?"""
    found = 0
    for i in range(np.uintp(X.shape[0])):
        for j in range(np.uintp(X.shape[1])):
            z = X[i, j]
            x = z * scale[j] + mean[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = x
    return found != 0


@kernel
def _unstandardize_columns(columns, mean, scale, out):
    """The same for columns, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(np.uintp(columns.shape[0])):
        m, s = mean[j], scale[j]
        for i in range(np.uintp(columns.shape[1])):
            z = columns[j, i]
            x = z * s + m
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = x
    return found != 0
