"""Standardization: every feature gets mean 0 and variance 1.

Many models listen to the loudest feature: distances, penalties and gradient steps all depend on the units in which the
data happen to be written.  The standard score z = (x - mean) / (standard deviation) has no unit.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import BaseEstimator, TransformerMixin, forgets_on_error, in_container
from minimal.engine import twin
from minimal.parameters import boolean
from minimal.preprocessing import moments
from minimal.preprocessing.moments import Moments
from minimal.validation import assert_finite, check_array, check_is_fitted, check_sample_weight, is_sparse

__all__ = ["StandardScaler"]

Array = NDArray[Any]

FLOATS = (np.float64, np.float32, np.float16)  # what keeps its type; everything else becomes the first

_NO_CENTER = (
    "Cannot center sparse matrices, as it would fill in all their zeros: use StandardScaler(with_mean=False) instead."
)


class StandardScaler(TransformerMixin, BaseEstimator):
    """Shift and stretch each feature to mean 0 and variance 1: z = (x - mean) / scale.

    Missing values (NaN) are ignored while learning and stay missing.

    Parameters
    ----------
    copy : bool, default=True
        Whether ``transform`` leaves its argument alone.  With False it works in place where it can: in a writeable float
        array, or in a writeable CSR matrix.
    with_mean : bool, default=True
        Whether to shift.  Must be False for sparse matrices, which shifting would fill.
    with_std : bool, default=True
        Whether to stretch.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64, or None
        None if neither shift nor stretch was asked for (or no stretch of a sparse matrix).
    var_ : ndarray of shape (n_features,), float64, or None
        The variance sum((x - mean)**2) / n, not divided by n - 1.  None if ``with_std=False``.
    scale_ : ndarray of shape (n_features,), float64, or None
        The standard deviation, sqrt(var_); 1 for a feature that is constant to within its rounding errors, so that
        nothing is divided by zero.  None if ``with_std=False``.
    n_samples_seen_ : number or ndarray of shape (n_features,)
        How many known values, or their weight.  One number if all features have the same.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only after a fit on a data frame whose column names are strings.

    See Also
    --------
    minimal.preprocessing.moments_numpy : how mean and variance are computed.

    Notes
    -----
    Level of parity with ``sklearn.preprocessing.StandardScaler`` 1.9.1: identical to the bit for dense data without
    weights, ``partial_fit`` included; to rounding for weights and sparse matrices.

    Differs from the reference when ``fit`` fails: here the estimator is then not fitted; there some attributes stay.  A
    failing ``partial_fit`` changes nothing that was learned before.  A variance that rounding has left below zero is that
    of a constant feature, without a warning about its root.  ``inverse_transform`` wants as many columns as were learned.
    With ``copy=False`` a data frame is never changed.  Fitting callbacks and array namespaces other than NumPy are not
    supported.

    Examples
    --------
    >>> from minimal.preprocessing import StandardScaler
    >>> scaler = StandardScaler().fit([[0.0, 10.0], [2.0, 30.0]])
    >>> scaler.mean_, scaler.scale_
    (array([ 1., 20.]), array([ 1., 10.]))
    >>> scaler.transform([[2.0, 40.0]])
    array([[1., 2.]])
    """

    _parameters: ClassVar = {"copy": [boolean], "with_mean": [boolean], "with_std": [boolean]}

    mean_: Array | None
    var_: Array | None
    scale_: Array | None
    n_samples_seen_: Any
    n_features_in_: int

    def __init__(self, *, copy: bool = True, with_mean: bool = True, with_std: bool = True) -> None:
        self.copy = copy
        self.with_mean = with_mean
        self.with_std = with_std

    # ------------------------------------------------------------ learn

    @forgets_on_error
    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> StandardScaler:
        """Learn mean and scale of each feature.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            How many times each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``X`` holds infinities, is not two-dimensional, has no sample or no feature, or is sparse while
            ``with_mean`` is True.
        """
        self._forget()
        self._learn(X, sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> StandardScaler:
        """Learn from one more batch, as if all batches had come at once.

        Parameters, result and errors are those of :meth:`fit`.  The answer differs from that of one ``fit`` on all data by
        rounding only (Chan, Golub & LeVeque, 1983).
        """
        if not hasattr(self, "n_samples_seen_"):
            return self.fit(X, y, sample_weight)
        self._learn(X, sample_weight)
        return self

    def _learn(self, X: Any, sample_weight: ArrayLike | None) -> None:
        """Merge the moments of ``X`` with those known so far.  Nothing is stored before all is computed."""
        self._check_parameters()
        sparse = is_sparse(X)
        X = self._check_X(
            X,
            reset=not hasattr(self, "n_samples_seen_"),
            accept_sparse=("csr", "csc"),
            dtype=FLOATS,
            finite=False,  # sums show infinities by themselves
        )
        weight = None if sample_weight is None else check_sample_weight(sample_weight, X, dtype=X.dtype)
        if sparse and self.with_mean:
            raise ValueError(_NO_CENTER)
        learn = self._learn_sparse if sparse else self._learn_dense
        count, mean, var = learn(X, weight, self._moments_so_far(weight, X.dtype))
        scale = _scale_of(var, mean, count) if var is not None and mean is not None else None
        self.mean_, self.var_, self.scale_ = mean, var, scale
        self.n_samples_seen_ = count[0] if count.max() == count.min() else count

    def _moments_so_far(self, weight: Array | None, dtype: Any) -> tuple[Array, Array | None, Array | None] | None:
        """Count, mean and variance; None before the first batch.  A single count stands for every feature."""
        if not hasattr(self, "n_samples_seen_"):
            return None
        count = self.n_samples_seen_
        if np.size(count) == 1:
            count = np.repeat(count, self.n_features_in_).astype(np.int64 if weight is None else dtype)
        return count, self.mean_, self.var_

    def _learn_dense(self, X: Array, weight: Array | None, last: Any) -> tuple[Array, Array | None, Array | None]:
        owner = type(self).__name__
        if not self.with_mean and not self.with_std:
            count = moments.count_known(X, owner).astype(np.int64 if weight is None else X.dtype)
            return (count if last is None else last[0] + count), None, None
        if weight is None:
            batch = moments.dense_batch(X, self.with_std, owner)
        else:
            batch = moments.weighted_batch(X, weight, self.with_std, owner)
        if last is None:
            return moments.first_moments(batch)
        return moments.merge(Moments(last[0].astype(np.float64), *last[1:]), batch)

    def _learn_sparse(self, X: Any, weight: Array | None, last: Any) -> tuple[Array, Array | None, Array | None]:
        owner = type(self).__name__
        if not self.with_std:
            count = moments.sparse_known_weight(X, weight, owner).astype(np.int64 if weight is None else X.dtype)
            return (count if last is None else last[0] + count), None, None
        new = moments.sparse_moments(X, weight, owner)
        count, mean, var = new if last is None else moments.merge_sparse(Moments(*last), new)
        assert var is not None
        return count, mean.astype(np.float64), var.astype(np.float64)

    # ------------------------------------------------------------ apply

    @in_container
    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """(X - mean_) / scale_.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        copy : bool, optional
            Default: the constructor's.

        Returns
        -------
        ndarray of shape (n_samples, n_features), of the float type of X, else float64
            Or a CSR matrix or array, for a sparse one; or a data frame, if :meth:`set_output` asked for it.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``X`` holds infinities, is not two-dimensional, has no sample, has other features than those that were
            learned, or is sparse while ``with_mean`` is True.
        """
        check_is_fitted(self)
        X, out = self._in_and_out(X, copy, names=True)
        if is_sparse(X):
            return X if self.scale_ is None else _scale_columns(X, 1 / self.scale_)
        mean, scale = self._vectors(X.dtype, no_mean=0.0)
        overflows = twin("minimal.preprocessing.scaling").standardize(X, mean, scale, out)
        return out if not overflows else _explained(X, out, type(self).__name__)

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """X * scale_ + mean_: back to the original units.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        copy : bool, optional
            Default: the constructor's.

        Returns
        -------
        ndarray or CSR matrix of shape (n_samples, n_features)

        Raises
        ------
        NotFittedError, ValueError
            As :meth:`transform`, except that the names of features are not compared.
        """
        check_is_fitted(self)
        X, out = self._in_and_out(X, copy, names=False)
        if is_sparse(X):
            return X if self.scale_ is None else _scale_columns(X, self.scale_)
        mean, scale = self._vectors(X.dtype, no_mean=-0.0)
        overflows = twin("minimal.preprocessing.scaling").unstandardize(X, mean, scale, out)
        return out if not overflows else _explained(X, out, type(self).__name__)

    def _in_and_out(self, given: Any, copy: bool | None, *, names: bool) -> tuple[Any, Any]:
        """The checked input, and where the result goes: the same array, or a new one of the same memory order."""
        copy = self.copy if copy is None else copy
        check = partial(self._check_X, reset=False) if names else partial(check_array, name="X")
        if is_sparse(given):
            if self.with_mean:
                raise ValueError(_NO_CENTER)
            X = check(given, accept_sparse=("csr",), dtype=FLOATS, copy=copy, finite="allow-nan")
            self._check_width(X)
            return (X if X.data.flags.writeable else X.copy()), None
        X = check(given, dtype=FLOATS, finite=False)
        self._check_width(X)
        converted = isinstance(given, list | tuple) or (
            isinstance(given, np.ndarray) and not np.may_share_memory(X, given)
        )
        in_place = X.flags.writeable and (converted or (isinstance(given, np.ndarray) and not copy))
        if not in_place:
            return X, np.empty_like(X)
        assert_finite(X, allow_nan=True, name="X", owner=type(self).__name__)  # before anything is overwritten
        return X, X

    def _check_width(self, X: Any) -> None:
        if X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} features, but {type(self).__name__} learned {self.n_features_in_}.")

    def _vectors(self, dtype: Any, no_mean: float) -> tuple[Array, Array]:
        """Mean and scale in the dtype of the data; ``no_mean`` and 1 where a column is to stay as it is."""
        d = self.n_features_in_
        mean = (
            self.mean_.astype(dtype, copy=False)
            if self.with_mean and self.mean_ is not None
            else np.full(d, no_mean, dtype)
        )
        scale = (
            self.scale_.astype(dtype, copy=False) if self.with_std and self.scale_ is not None else np.ones(d, dtype)
        )
        return mean, scale

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = not self.with_mean
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _scale_of(var: Array, mean: Array, count: Array) -> Array:
    """Standard deviations, with 1 for a constant feature.

    A feature counts as constant if its variance is within the error that two passes can make,
    var <= n eps var + (n eps mean)**2 (Chan, Golub & LeVeque, 1983).
    """
    eps = np.finfo(np.float64).eps
    is_constant = var <= count * eps * var + (count * mean * eps) ** 2
    return np.sqrt(np.where(is_constant, 1.0, var))  # rounding can leave a constant feature a variance of -1e-20


def _scale_columns(X: Any, factor: Array) -> Any:
    """Multiply each stored entry of a CSR matrix by its column's factor, in place."""
    X.data *= factor[X.indices]
    return X


def _explained(X: Array, out: Array, owner: str) -> Array:
    """An infinity turned up in a compiled kernel: it was in the data, an error, or is an overflow, a warning."""
    if X is not out:
        assert_finite(X, allow_nan=True, name="X", owner=owner)
    warnings.warn("overflow encountered in scaling", RuntimeWarning, stacklevel=4)
    return out
