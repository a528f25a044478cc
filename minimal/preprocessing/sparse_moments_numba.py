"""Twin of ``sparse_moments_numpy``, compiled: one walk over the entries, no temporary array, and the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.preprocessing.sparse_moments_numpy import Entries, Floats

kernel = njit(cache=True, nogil=True, error_model="numpy")


def entry_sums(X: Entries, weight: Floats, n_features: int) -> tuple[Floats, ...]:
    """Twin of ``sparse_moments_numpy.entry_sums``, same bits."""
    sums = np.zeros((n_features, 4))  # the sums of a column side by side: an entry touches one cache line
    add = _add_rows if X.by_rows else _add_columns
    add(*_arrays(X), as_kernel_input(weight), sums)
    total, stored, missing, n_stored = np.ascontiguousarray(sums.T)
    return total, stored, missing, n_stored


def entry_deviations(X: Entries, weight: Floats, center: Floats) -> tuple[Floats, Floats]:
    """Twin of ``sparse_moments_numpy.entry_deviations``, same bits."""
    sums = np.zeros((len(center), 2))
    deviate = _deviate_rows if X.by_rows else _deviate_columns
    deviate(*_arrays(X), as_kernel_input(weight), center, sums)
    off, off2 = np.ascontiguousarray(sums.T)
    return off, off2


def _arrays(X: Entries) -> tuple[NDArray[Any], ...]:
    return as_kernel_input(X.data), as_kernel_input(X.indices), as_kernel_input(X.indptr)


@kernel
def _add_rows(data, indices, indptr, weight, sums):
    """CSR: for each entry x of column j, sums[j] += (w x, w, 0, 1), or (0, 0, w, 1) if it is missing."""
    for i in range(len(indptr) - 1):
        w = np.float64(weight[i])
        for k in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            _add_entry(sums, np.uintp(indices[k]), data[k], w)


@kernel
def _add_columns(data, indices, indptr, weight, sums):
    """CSC: the same, column after column."""
    for j in range(len(indptr) - 1):
        for k in range(np.uintp(indptr[j]), np.uintp(indptr[j + 1])):
            _add_entry(sums, np.uintp(j), data[k], np.float64(weight[indices[k]]))


@kernel
def _add_entry(sums, j, x, w):
    sums[j, 3] += 1.0
    if np.isnan(x):
        sums[j, 2] += w
    else:
        sums[j, 0] += w * x
        sums[j, 1] += w


@kernel
def _deviate_rows(data, indices, indptr, weight, center, sums):
    """CSR: for each known entry x of column j, with v = x - center[j], sums[j] += (w v, w v**2)."""
    for i in range(len(indptr) - 1):
        for k in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j = np.uintp(indices[k])
            _add_deviation(sums, j, data[k] - center[j], weight[i])


@kernel
def _deviate_columns(data, indices, indptr, weight, center, sums):
    """CSC: the same, column after column."""
    for j in range(len(indptr) - 1):
        for k in range(np.uintp(indptr[j]), np.uintp(indptr[j + 1])):
            _add_deviation(sums, np.uintp(j), data[k] - center[j], weight[indices[k]])


@kernel
def _add_deviation(sums, j, v, w):
    if not np.isnan(v):
        sums[j, 0] += v * w
        sums[j, 1] += v * (v * w)
