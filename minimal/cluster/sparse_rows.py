"""Sparse samples for k-means: the arrays of a CSR matrix, and what both engines do with them alike.

Sparse data is not centred, which would fill it, so a squared distance here is |x|^2 - 2 x.c + |c|^2, or a sum over the stored
entries of x that starts from |c|^2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.engine import twin
from minimal.kernel_input import as_kernel_input
from minimal.preprocessing.moments import sparse_moments

Array = NDArray[Any]


class Rows(NamedTuple):
    """The arrays of a CSR matrix: sample i holds ``data[indptr[i]:indptr[i + 1]]`` at the features in ``indices``."""

    data: Array
    indices: Array
    indptr: Array
    n_features: int


def sparse_rows(X: Any) -> Rows:
    """The arrays of a CSR matrix, ready for a kernel that only reads them."""
    return Rows(as_kernel_input(X.data), as_kernel_input(X.indices), as_kernel_input(X.indptr), X.shape[1])


def column_variances(X: Any) -> Array:
    """The variance of each column of a CSR matrix, zeros included, in its own dtype: ndarray of shape (n_features,)."""
    variances = sparse_moments(X, None, "KMeans").var
    assert variances is not None
    return variances


def squared_norms(X: Rows) -> Array:
    """|x|^2 of each sample, added up from left to right: ndarray of shape (n_samples,), in the data's dtype."""
    norms = np.zeros(len(X.indptr) - 1, X.data.dtype)
    np.add.at(norms, np.repeat(np.arange(len(norms)), np.diff(X.indptr)), X.data**2)
    return norms


def dense_sample(X: Rows, i: int) -> Array:
    """Sample ``i`` with its zeros: ndarray of shape (n_features,)."""
    sample = np.zeros(X.n_features, X.data.dtype)
    here = slice(X.indptr[i], X.indptr[i + 1])
    np.add.at(sample, X.indices[here], X.data[here])
    return sample


def squared_distances_to(X: Rows, points: Array) -> Array:
    """Squared distances from a few points to every sample: what k-means++ looks at.

    Parameters
    ----------
    X : Rows
    points : ndarray of shape (n_points, n_features)

    Returns
    -------
    ndarray of shape (n_points, n_samples), in the data's dtype
        max(0, -2 p.x + |p|^2 + |x|^2), computed in double precision whatever the data's.
    """
    wide, points = X._replace(data=X.data.astype(np.float64)), points.astype(np.float64)
    squared = -2 * twin("minimal.cluster.lloyd_sparse").products(wide, points).T
    squared += np.einsum("ij,ij->i", points, points)[:, np.newaxis]
    squared += squared_norms(wide)
    return np.maximum(squared, 0).astype(X.data.dtype)


def distances(X: Rows, centers: Array) -> Array:
    """The distance from every sample to every centre: ndarray of shape (n_samples, n_clusters), in the data's dtype."""
    wide, centers = X._replace(data=X.data.astype(np.float64)), centers.astype(np.float64)
    squared = -2 * twin("minimal.cluster.lloyd_sparse").products(wide, centers)
    squared += squared_norms(wide)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", centers, centers)
    return np.sqrt(np.maximum(squared.astype(X.data.dtype), 0))
