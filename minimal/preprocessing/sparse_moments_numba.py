"""Twin of ``sparse_moments_numpy``, compiled: one walk over the entries, no temporary array, and the same bits."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.preprocessing.sparse_moments_numpy import Entries, Floats

kernel = njit(cache=True, nogil=True, error_model="numpy")


def entry_sums(X: Entries, weight: NDArray[np.floating], n_features: int) -> tuple[Floats, Floats, Floats]:
    """Twin of ``sparse_moments_numpy.entry_sums``, same bits."""
    sums = np.zeros((3, n_features))
    _add_entries(X.data, X.indices, X.indptr, X.by_rows, weight, sums)
    return sums[0], sums[1], sums[2]


def entry_deviations(X: Entries, weight: NDArray[np.floating], center: Floats) -> tuple[Floats, Floats]:
    """Twin of ``sparse_moments_numpy.entry_deviations``, same bits."""
    off, off2 = np.zeros_like(center), np.zeros_like(center)
    _deviate_entries(X.data, X.indices, X.indptr, X.by_rows, weight, center, off, off2)
    return off, off2


@kernel
def _add_entries(data, indices, indptr, by_rows, weight, sums):
    """For each entry of column j: sums[:, j] += (w x, w, 0), or (0, 0, w) if it is missing."""
    for line in range(len(indptr) - 1):
        for k in range(indptr[line], indptr[line + 1]):
            i, j = (line, indices[k]) if by_rows else (indices[k], line)
            x, w = data[k], np.float64(weight[i])
            if np.isnan(x):
                sums[2, j] += w
            else:
                sums[0, j] += w * x
                sums[1, j] += w


@kernel
def _deviate_entries(data, indices, indptr, by_rows, weight, center, off, off2):
    """For each known entry of column j: off[j] += w (x - center[j]) and off2[j] += w (x - center[j])**2."""
    for line in range(len(indptr) - 1):
        for k in range(indptr[line], indptr[line + 1]):
            i, j = (line, indices[k]) if by_rows else (indices[k], line)
            x = data[k] - center[j]
            if not np.isnan(x):
                off[j] += x * weight[i]
                off2[j] += x * (x * weight[i])
