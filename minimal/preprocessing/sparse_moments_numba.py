"""Twin of ``sparse_moments_numpy``, compiled: one walk over the entries, no temporary array, and the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.preprocessing.sparse_moments_numpy import Entries, Floats

kernel = njit(cache=True, nogil=True, error_model="numpy")


def entry_sums(X: Entries, weight: NDArray[np.floating] | None) -> tuple[Floats, Floats, Floats, Floats]:
    """Twin of ``sparse_moments_numpy.entry_sums``, same bits."""
    sums = np.zeros((X.n_features, 4))  # the sums of a column side by side: an entry touches one cache line
    add: Any = _add_rows if X.by_rows else _add_columns
    add(*_kernel_inputs(X, weight), sums)
    total, stored, missing, n_stored = np.ascontiguousarray(sums.T)
    return total, stored, missing, n_stored


def entry_deviations(X: Entries, weight: NDArray[np.floating] | None, center: Floats) -> tuple[Floats, Floats]:
    """Twin of ``sparse_moments_numpy.entry_deviations``, same bits."""
    sums = np.zeros((X.n_features, 2))
    deviate: Any = _deviate_rows if X.by_rows else _deviate_columns
    deviate(*_kernel_inputs(X, weight), center, sums)
    off, off2 = np.ascontiguousarray(sums.T)
    return off, off2


def _kernel_inputs(X: Entries, weight: NDArray[np.floating] | None) -> list[NDArray[Any]]:
    """Data, indices, where lines begin and end, and weights.

    Where all samples weigh the same it does not matter whose an entry is, so the rows of a CSR matrix become one long row:
    a loop over a million entries takes half the time of a hundred thousand loops over ten.
    """
    arrays: list[Any] = [X.data, X.indices, X.indptr, weight]
    if weight is None:
        arrays[2] = X.indptr[[0, -1]] if X.by_rows else X.indptr
        arrays[3] = np.ones(1 if X.by_rows else X.n_samples, X.data.dtype)
    return [as_kernel_input(array) for array in arrays]


@kernel
def _add_rows(data, indices, indptr, weight, sums):
    """CSR: for each entry x of column j, sums[j] += (w x, w, 0, 1), or (0, 0, w, 1) if it is missing."""
    for i in range(len(indptr) - 1):
        w = np.float64(weight[i])
        for k in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j, x = np.uintp(indices[k]), data[k]
            sums[j, 3] += 1.0
            if np.isnan(x):
                sums[j, 2] += w
            else:
                sums[j, 0] += w * x
                sums[j, 1] += w


@kernel
def _add_columns(data, indices, indptr, weight, sums):
    """CSC: the same, column after column."""
    for j in range(len(indptr) - 1):
        total = stored = missing = 0.0
        for k in range(np.uintp(indptr[j]), np.uintp(indptr[j + 1])):
            w, x = np.float64(weight[indices[k]]), data[k]
            if np.isnan(x):
                missing += w
            else:
                total += w * x
                stored += w
        sums[j, 0], sums[j, 1], sums[j, 2], sums[j, 3] = total, stored, missing, indptr[j + 1] - indptr[j]


@kernel
def _deviate_rows(data, indices, indptr, weight, center, sums):
    """CSR: for each entry x of column j, with v = x - center[j] or 0 if it is missing, sums[j] += (w v, w v**2)."""
    for i in range(len(indptr) - 1):
        w = weight[i]
        for k in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j = np.uintp(indices[k])
            v = data[k] - center[j]
            v = v if v == v else 0.0
            sums[j, 0] += v * w
            sums[j, 1] += v * (v * w)


@kernel
def _deviate_columns(data, indices, indptr, weight, center, sums):
    """CSC: the same, column after column."""
    for j in range(len(indptr) - 1):
        c, off, off2 = center[j], 0.0, 0.0
        for k in range(np.uintp(indptr[j]), np.uintp(indptr[j + 1])):
            v, w = data[k] - c, weight[indices[k]]
            v = v if v == v else 0.0
            off += v * w
            off2 += v * (v * w)
        sums[j, 0], sums[j, 1] = off, off2
