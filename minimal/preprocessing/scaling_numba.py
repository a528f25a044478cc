"""Twin of ``scaling_numpy``, compiled: one read, one write, and a look out for infinities on the way."""

from __future__ import annotations

import numpy as np
from numba import njit

from minimal.preprocessing import scaling_numpy
from minimal.preprocessing.scaling_numpy import Array
from minimal.threads import get_num_threads, run_blocks

kernel = njit(cache=True, nogil=True, error_model="numpy")

SHARED_SIZE = 1 << 18  # numbers below which a second thread costs more than it gives


def standardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.standardize``, same bits."""
    return _scale(X, mean, scale, out, _standardize_rows, _standardize_columns, scaling_numpy.standardize)


def unstandardize(X: Array, mean: Array, scale: Array, out: Array) -> bool:
    """Twin of ``scaling_numpy.unstandardize``, same bits."""
    return _scale(X, mean, scale, out, _unstandardize_rows, _unstandardize_columns, scaling_numpy.unstandardize)


def _scale(X, mean, scale, out, by_rows, by_columns, plain) -> bool:
    """Pick the loop that follows the memory, and share its lines among threads; NumPy's text serves strided results."""
    if X is not out and not (X.flags.c_contiguous or X.flags.f_contiguous):
        np.copyto(out, X)
        X = out
    if X.flags.c_contiguous and out.flags.c_contiguous:
        loop, lines, results = by_rows, X, out
    elif X.flags.f_contiguous and out.flags.f_contiguous:
        loop, lines, results = by_columns, X.T, out.T
    else:
        return plain(X, mean, scale, out)
    shares = 1 if X.size < SHARED_SIZE else min(get_num_threads(), len(lines))
    cuts = [len(lines) * share // shares for share in range(shares + 1)]
    suspicious = [False] * shares

    def work(share: int) -> None:
        suspicious[share] = loop(lines, mean, scale, results, cuts[share], cuts[share + 1])

    run_blocks(work, shares)
    return any(suspicious)


@kernel
def _standardize_rows(X, mean, scale, out, first, last):
    """Rows ``first`` to ``last`` of out = (X - mean) / scale."""
    found = 0
    for i in range(first, last):
        for j in range(X.shape[1]):
            x = X[i, j]
            z = (x - mean[j]) / scale[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = z
    return found != 0


@kernel
def _standardize_columns(columns, mean, scale, out, first, last):
    """The same for columns ``first`` to ``last``, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(first, last):
        m, s = mean[j], scale[j]
        for i in range(columns.shape[1]):
            x = columns[j, i]
            z = (x - m) / s
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = z
    return found != 0


@kernel
def _unstandardize_rows(X, mean, scale, out, first, last):
    """Rows ``first`` to ``last`` of out = X * scale + mean."""
    found = 0
    for i in range(first, last):
        for j in range(X.shape[1]):
            z = X[i, j]
            x = z * scale[j] + mean[j]
            found |= np.isinf(x) | np.isinf(z)
            out[i, j] = x
    return found != 0


@kernel
def _unstandardize_columns(columns, mean, scale, out, first, last):
    """The same for columns ``first`` to ``last``, which are the rows of ``columns`` and of ``out``."""
    found = 0
    for j in range(first, last):
        m, s = mean[j], scale[j]
        for i in range(columns.shape[1]):
            z = columns[j, i]
            x = z * s + m
            found |= np.isinf(x) | np.isinf(z)
            out[j, i] = x
    return found != 0
