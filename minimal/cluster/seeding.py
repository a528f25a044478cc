"""Where k-means begins: k-means++ picks samples that are far from each other, but not always the farthest.

Each new centre is a sample drawn with a probability in proportion to w_i D_i^2, its weight times its squared distance to the
nearest centre so far.  The expected inertia of the centres alone is within a factor 8 (2 + ln k) of the best possible.  The
greedy variant, used here, draws a few candidates at each step and keeps the one that leaves the least sum of w_i D_i^2.

Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.cluster import sparse_rows
from minimal.cluster.seeding_numpy import Nearest
from minimal.engine import twin
from minimal.kernel_input import as_kernel_input
from minimal.parameters import Constraint, check_parameters, integer, none
from minimal.parameters import random_state as a_random_state
from minimal.random import check_random_state
from minimal.validation import check_array, check_sample_weight, is_sparse

__all__ = ["kmeans_plusplus", "pick_far_apart"]

Array = NDArray[Any]

FLOATS = (np.float64, np.float32)


def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: ArrayLike | None = None,
    x_squared_norms: ArrayLike | None = None,
    random_state: Any = None,
    n_local_trials: int | None = None,
) -> tuple[Array, Array]:
    """Choose samples to begin k-means from, by the greedy k-means++.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
    n_clusters : int
        How many to choose.
    sample_weight : array-like of shape (n_samples,), optional
    x_squared_norms : array-like of shape (n_samples,), optional
        ``|x|^2`` of each sample, if you have it.
    random_state : None, int or RandomState
    n_local_trials : int, optional
        Candidates for each centre but the first.  Default: 2 + int(log(n_clusters)).  1 is the plain k-means++.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
    indices : ndarray of shape (n_clusters,), int64
        ``centers`` is ``X[indices]``.

    Raises
    ------
    ValueError
        If there are fewer samples than clusters, or ``x_squared_norms`` has another length than ``X``.

    Source: ``sklearn.cluster.kmeans_plusplus``, 1.9.1: the same draws.  Differs from the reference when a draw falls within
    rounding of the border between two samples: distances are rounded otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> centers, indices = kmeans_plusplus(X, n_clusters=2, random_state=0)
    >>> indices
    array([3, 2])
    """
    values = {"n_clusters": n_clusters, "random_state": random_state, "n_local_trials": n_local_trials}
    check_parameters(values, _PARAMETERS, "kmeans_plusplus")
    array = check_array(X, accept_sparse=("csr",), dtype=FLOATS)
    weight = check_sample_weight(sample_weight, array, dtype=array.dtype)
    if array.shape[0] < n_clusters:
        raise ValueError(f"n_samples={array.shape[0]} should be >= n_clusters={n_clusters}.")
    norms = None
    if x_squared_norms is not None:
        norms = check_array(x_squared_norms, dtype=array.dtype, ensure_2d=False)
        if len(norms) != array.shape[0]:
            raise ValueError(
                f"The length of x_squared_norms {len(norms)} should be equal to the length of n_samples {array.shape[0]}."
            )
    generator = check_random_state(random_state)
    indices = pick_far_apart(array, n_clusters, weight, generator, n_local_trials, norms)
    given = X if isinstance(X, np.ndarray) else array  # whole numbers stay whole numbers
    return rows_at(given, indices), indices


_PARAMETERS: dict[str, list[Constraint]] = {
    "n_clusters": [integer(1, np.inf)],
    "random_state": [a_random_state],
    "n_local_trials": [integer(1, np.inf), none],
}


def pick_far_apart(
    X: Any,
    n_clusters: int,
    weight: Array,
    generator: np.random.RandomState,
    n_trials: int | None = None,
    norms: Array | None = None,
) -> Array:
    """The indices of the samples that k-means++ chooses: ndarray of shape (n_clusters,), int64; parameters were checked.

    Notes
    -----
    The generator is asked once for the first centre, and once for the candidates of every other.
    """
    n_trials = 2 + int(np.log(n_clusters)) if n_trials is None else n_trials
    indices = np.full(n_clusters, -1)
    indices[0] = generator.choice(X.shape[0], p=weight / weight.sum())
    nearest = _begin(X, weight, norms, n_trials, indices[0])
    for j in range(1, n_clusters):
        candidates = nearest.draw(generator.uniform(size=n_trials))
        indices[j] = candidates[nearest.add_best(candidates)]
    return indices


def _begin(X: Any, weight: Array, norms: Array | None, n_trials: int, first: int) -> Any:
    """The distances of all samples to their nearest centre, which is ``first`` as yet."""
    if not is_sparse(X):
        return twin("minimal.cluster.seeding").begin(as_kernel_input(X), weight, norms, n_trials, first)
    rows = sparse_rows.sparse_rows(X)
    return Nearest(lambda candidates: sparse_rows.squared_distances_to(rows, rows_at(X, candidates)), weight, first)


def rows_at(X: Any, indices: Array) -> Array:
    """Some of the samples, as a dense array."""
    return X[indices].toarray() if is_sparse(X) else X[indices]
