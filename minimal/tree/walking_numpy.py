"""From the root to a leaf: which leaf each sample falls into.

At an inner node a sample goes left if x[feature] <= threshold, else right; a missing value goes where the node learned to
send missing values.  All samples walk together here, one level at a time, so the loop is as long as the tree is deep.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.growth import LEAF


class Nodes(NamedTuple):
    """The part of a tree that a walk reads, in the form that this twin likes best; made by :func:`pack`."""

    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_go_to_left: NDArray[np.bool_]


def pack(
    children_left: NDArray[np.int64],
    children_right: NDArray[np.int64],
    feature: NDArray[np.int64],
    threshold: NDArray[np.float64],
    missing_go_to_left: NDArray[np.uint8],
) -> Nodes:
    """Prepare the nodes of a tree, arrays of shape (n_nodes,), for walks; what comes out differs between the twins."""
    return Nodes(children_left, children_right, feature, threshold, missing_go_to_left.astype(bool))


def apply(nodes: Nodes, X: NDArray[np.floating]) -> tuple[NDArray[np.int64], bool]:
    """The leaf of each sample.

    Parameters
    ----------
    nodes : what :func:`pack` made
    X : ndarray of shape (n_samples, n_features), float32 or float64, any memory order
        NaN marks a missing value.  Rounded to float32, as in training.

    Returns
    -------
    leaves : ndarray of int64 of shape (n_samples,)
    is_finite : bool
        False if a value is infinite, or becomes so in float32; the leaves then mean nothing.

    Cost: n_samples * depth comparisons.  Twin: ``walking_numba.apply``, same leaves.
    """
    with np.errstate(over="ignore"):
        X = X.astype(np.float32, copy=False)
    is_finite = not np.isinf(X).any()

    def values(samples: NDArray[np.int64], features: NDArray[np.int64]) -> NDArray[np.float32]:
        return X[samples, features]

    return _walk(nodes, len(X), values), is_finite


def apply_sparse(
    nodes: Nodes,
    data: NDArray[np.float32],
    indices: NDArray[np.integer],
    indptr: NDArray[np.integer],
    n_features: int,
) -> NDArray[np.int64]:
    """The leaf of each sample, from the three arrays of a CSR matrix.

    Parameters
    ----------
    nodes : what :func:`pack` made
    data, indices : ndarray of shape (n_stored,)
    indptr : ndarray of shape (n_samples + 1,)
    n_features : int
        Values that are not stored are zero; of values stored twice the last counts.

    Returns
    -------
    leaves : ndarray of int64 of shape (n_samples,)

    Twin: ``walking_numba.apply_sparse``, same leaves.
    """
    n_samples = len(indptr) - 1
    rows = np.repeat(np.arange(n_samples), np.diff(indptr))
    place = rows * n_features + indices
    order = np.argsort(place, kind="stable")
    place, data = np.append(place[order], n_samples * n_features), np.append(data[order], np.float32(0))  # never empty

    def values(samples: NDArray[np.int64], features: NDArray[np.int64]) -> NDArray[np.float32]:
        wanted = samples * n_features + features
        at = np.searchsorted(place, wanted, side="right") - 1
        return np.where(place[at] == wanted, data[at], np.float32(0))

    return _walk(nodes, n_samples, values)


def _walk(
    nodes: Nodes, n_samples: int, values: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]
) -> NDArray[np.int64]:
    """Let all samples go down together; ``values(samples, features)`` looks up one value for each pair."""
    at = np.zeros(n_samples, dtype=np.int64)
    walking = np.arange(n_samples) if nodes.children_left[0] != LEAF else np.empty(0, dtype=np.int64)
    while len(walking):
        node = at[walking]
        x = values(walking, nodes.feature[node])
        goes_left = np.where(np.isnan(x), nodes.missing_go_to_left[node], x <= nodes.threshold[node])
        child = np.where(goes_left, nodes.children_left[node], nodes.children_right[node])
        at[walking] = child
        walking = walking[nodes.children_left[child] != LEAF]
    return at
