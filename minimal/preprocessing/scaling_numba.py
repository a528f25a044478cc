"""Twin of ``scaling_numpy``, compiled: one read, one write, and a look out for infinities on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numba import njit

from minimal.preprocessing import scaling_numpy
from minimal.preprocessing.scaling_numpy import Array
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

LARGE = 1 << 18  # numbers: from here on a second thread, and long rows, give more than they cost
LONG_ROW = 1024  # numbers: a loop this long hides what its start costs


def standardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.standardize``, same bits."""
    if X.dtype == np.float16:  # no processor's own type: NumPy knows its rounding
        return scaling_numpy.standardize(X, mean, scale, out)
    if X.flags.c_contiguous and out.flags.c_contiguous:
        return _by_rows(_standardize_rows, X, mean, scale, out)
    if X.flags.f_contiguous and out.flags.f_contiguous:
        return _share_lines(partial(_standardize_columns, X.T, mean, scale, out.T), X.shape[1], X.size)
    return scaling_numpy.standardize(X, mean, scale, out)


def unstandardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.unstandardize``, same bits."""
    if X.dtype == np.float16:
        return scaling_numpy.unstandardize(X, mean, scale, out)
    if X.flags.c_contiguous and out.flags.c_contiguous:
        return _by_rows(_unstandardize_rows, X, mean, scale, out)
    if X.flags.f_contiguous and out.flags.f_contiguous:
        return _share_lines(partial(_unstandardize_columns, X.T, mean, scale, out.T), X.shape[1], X.size)
    return scaling_numpy.unstandardize(X, mean, scale, out)


def _by_rows(loop: Callable[..., bool], X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Run a loop over rows; many short rows are taken as fewer long ones, with mean and scale repeated to match."""
    n, d = X.shape
    together = LONG_ROW // d if X.size >= LARGE else 1
    if together < 2:
        return _share_lines(partial(loop, X, mean, scale, out), n, X.size)
    rest = n - n % together
    suspicious = loop(X[rest:], mean, scale, out[rest:], 0, n - rest)
    X, out = X[:rest].reshape(-1, together * d), out[:rest].reshape(-1, together * d)
    mean, scale = np.tile(mean, together), np.tile(scale, together)
    return _share_lines(partial(loop, X, mean, scale, out), len(X), X.size) or suspicious


def _share_lines(work: Callable[[int, int], bool], n_lines: int, size: int) -> bool:
    """Call ``work(first, last)`` for ranges that cover all lines, on several threads if the data are large; any of them?"""
    shares = 1 if size < LARGE else min(get_num_threads(), n_lines)
    cuts = [n_lines * share // shares for share in range(shares + 1)]
    suspicious = [False] * shares

    def one(share: int) -> None:
        suspicious[share] = work(cuts[share], cuts[share + 1])

    run_blocks(one, shares)
    return any(suspicious)


@kernel
def _standardize_rows(X, mean, scale, out, first, last):
    """Rows ``first`` to ``last`` of out = (X - mean) / scale."""
    found = 0
    for i in range(np.uintp(first), np.uintp(last)):
        for j in range(np.uintp(X.shape[1])):
            x = X[i, j]
            z = (x - mean[j]) / scale[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = z
    return found != 0


@kernel
def _standardize_columns(columns, mean, scale, out, first, last):
    """The same for columns ``first`` to ``last``, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(np.uintp(first), np.uintp(last)):
        m, s = mean[j], scale[j]
        for i in range(np.uintp(columns.shape[1])):
            x = columns[j, i]
            z = (x - m) / s
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = z
    return found != 0


@kernel
def _unstandardize_rows(X, mean, scale, out, first, last):
    """Rows ``first`` to ``last`` of out = X * scale + mean."""
    found = 0
    for i in range(np.uintp(first), np.uintp(last)):
        for j in range(np.uintp(X.shape[1])):
            z = X[i, j]
            x = z * scale[j] + mean[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = x
    return found != 0


@kernel
def _unstandardize_columns(columns, mean, scale, out, first, last):
    """The same for columns ``first`` to ``last``, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(np.uintp(first), np.uintp(last)):
        m, s = mean[j], scale[j]
        for i in range(np.uintp(columns.shape[1])):
            z = columns[j, i]
            x = z * s + m
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = x
    return found != 0
