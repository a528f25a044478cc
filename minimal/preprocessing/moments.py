"""From sums to means and variances, and from two batches to one.

The reads of the data are in the twins; here are the few lines of arithmetic on one number per column that turn sums into
moments, and the rule by which the moments of two batches become the moments of both together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.engine import twin
from minimal.preprocessing import moments_numpy
from minimal.preprocessing.sparse_moments_numpy import Entries
from minimal.validation import assert_finite

Array = NDArray[Any]


class Moments(NamedTuple):
    """What is known about each column; ``n`` is a sum of weights where there are weights."""

    n: Array
    mean: Array
    var: Array | None


class Batch(NamedTuple):
    """Sums over new data: ``total`` = sum(x) and ``m2`` = sum((x - mean of the batch)**2), None if nobody needs it."""

    n: Array
    total: Array
    m2: Array | None


def count_known(X: Array, owner: str) -> NDArray[np.int64]:
    """How many values of each column are known; infinities are an error."""
    missing, _, _ = _finite_sums(X, owner)
    return len(X) - missing


def dense_batch(X: Array, with_m2: bool, owner: str) -> Batch:
    """Sums over the columns of ``X``.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        NaN marks a missing value.
    with_m2 : bool
        Whether to read ``X`` a second time for the squared deviations.
    owner : str
        The estimator's name, for the message.

    Raises
    ------
    ValueError
        If ``X`` holds an infinity.  Nobody looks for it: it shows in the sums.
    """
    missing, total, kernels = _finite_sums(X, owner)
    count = (len(X) - missing).astype(np.float64)
    if not with_m2:
        return Batch(count, total, None)
    center = total / count
    with np.errstate(over="ignore", invalid="ignore"):
        off, off2 = kernels.column_deviations(X, center)
    if not np.isfinite(off2).all():
        off, off2 = moments_numpy.column_deviations(X, center)  # too large to square: NumPy says so in a warning
    return Batch(count, total, off2 - off**2 / count)


def _finite_sums(X: Array, owner: str) -> tuple[NDArray[np.int64], Array, Any]:
    """``column_sums`` and the twin that did it, once it is sure that no infinity is among the values."""
    kernels = twin("minimal.preprocessing.moments")
    with np.errstate(over="ignore", invalid="ignore"):
        missing, total = kernels.column_sums(X)
    if np.isfinite(total).all():
        return missing, total, kernels
    assert_finite(X, allow_nan=True, name="X", owner=owner)
    return *moments_numpy.column_sums(X), moments_numpy  # finite values, too large to add: NumPy says so in a warning


def weighted_batch(X: Array, weight: Array, with_m2: bool, owner: str) -> Batch:
    """The same sums, each value counted ``weight`` times: sum(w), sum(w x) and sum(w (x - mean)**2)."""
    kernels = twin("minimal.preprocessing.moments")
    with np.errstate(over="ignore", invalid="ignore"):
        count, total = kernels.weighted_column_sums(X, weight)
    if not np.isfinite(total).all():
        assert_finite(X, allow_nan=True, name="X", owner=owner)
    if not with_m2:
        return Batch(count, total, None)
    off, off2 = kernels.weighted_column_deviations(X, weight, total / count)
    return Batch(count, total, off2 - off**2 / count)


def first_moments(batch: Batch) -> Moments:
    """The moments of a first batch."""
    var = None if batch.m2 is None else batch.m2 / batch.n
    return Moments(batch.n, batch.total / batch.n, var)


def merge(last: Moments, batch: Batch) -> Moments:
    """The moments of everything seen so far and a new batch together.

    With r = n_last / n_new the squared deviations of both are

        M2 = M2_last + M2_new + r / (n_last + n_new) * (total_last / r - total_new)**2,

    the last term being what the distance between the two means adds (Chan, Golub & LeVeque, 1983).
    """
    count = last.n + batch.n
    last_total = last.mean * last.n
    mean = (last_total + batch.total) / count
    if last.var is None or batch.m2 is None:
        return Moments(count, mean, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = last.n / batch.n
        between = ratio / count * (last_total / ratio - batch.total) ** 2
        m2 = last.var * last.n + batch.m2 + between
    m2 = np.where(last.n == 0, batch.m2, m2)
    return Moments(count, mean, m2 / count)


# ---------------------------------------------------------------- sparse matrices


def entries(X: Any) -> Entries:
    """The arrays of a CSR or CSC matrix."""
    return Entries(X.data, X.indices, X.indptr, X.format == "csr", *X.shape)


def sparse_known_weight(X: Any, weight: Array | None, owner: str) -> Array:
    """The weight of each column's known values: only a stored NaN is missing."""
    _, _, missing, _ = _finite_entry_sums(X, weight, owner)
    return _whole_weight(X, weight) - missing


def sparse_moments(X: Any, weight: Array | None, owner: str) -> Moments:
    """The moments of the columns of a CSR or CSC matrix, in its own dtype.

    The zeros that are not stored weigh W = sum(w) - (weight of the entries).  They add -W mean to the deviations and
    W mean**2 to their squares.
    """
    total, stored, missing, n_stored = _finite_entry_sums(X, weight, owner)
    count = _whole_weight(X, weight) - missing
    zeros = np.where(n_stored == X.shape[0], 0.0, count - stored)  # exactly none in a full column: no rounding squared
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        off, off2 = twin("minimal.preprocessing.sparse_moments").entry_deviations(entries(X), weight, mean)
        off -= zeros * mean
        off2 += zeros * mean**2
        var = (off2 - off**2 / count) / count
    return Moments(count.astype(X.dtype), mean.astype(X.dtype), var.astype(X.dtype))


def _whole_weight(X: Any, weight: Array | None) -> float:
    return X.shape[0] if weight is None else weight.sum(dtype=np.float64)


def _finite_entry_sums(X: Any, weight: Array | None, owner: str) -> tuple[Array, Array, Array, Array]:
    """``entry_sums``, once it is sure that no infinity is among the entries: it would show in their sums."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = twin("minimal.preprocessing.sparse_moments").entry_sums(entries(X), weight)
    if not np.isfinite(sums[0]).all():
        assert_finite(X.data, allow_nan=True, name="X", owner=owner)
    return sums


def merge_sparse(last: Moments, new: Moments) -> Moments:
    """:func:`merge` for sparse batches, in the dtype of the new one; a column without new values keeps what it has."""
    if last.var is None or new.var is None or not (last.n > 0).any():
        return new
    dtype, any_new = new.mean.dtype, new.n > 0
    last_n, last_mean, last_var = last.n.astype(dtype), last.mean.astype(dtype), last.var.astype(dtype)
    both = merge(Moments(last_n, last_mean, last_var), Batch(new.n, new.mean * new.n, new.var * new.n))
    assert both.var is not None
    return Moments(
        np.where(any_new, both.n, last_n),
        np.where(any_new, both.mean, last_mean),
        np.where(any_new, both.var, last_var),
    )
