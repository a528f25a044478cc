"""The door of trees and forests: data becomes float32, targets become columns of float64, weights become one number each."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.labels import class_weights, encode_labels
from minimal.validation import assert_finite, check_array, is_sparse, raise_not_finite

# ---------------------------------------------------------------- data


def missing_features(X: Any, owner: str) -> NDArray[np.bool_] | None:
    """Which features of dense float32 data have missing values; None if none has, or if the data is sparse.

    Raises
    ------
    ValueError
        If a value is infinite, or missing in sparse data.
    """
    if is_sparse(X):
        assert_finite(X.data, name="X", owner=owner)
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum()):  # quick, and right: a sum is finite only if every term is
            return None
    if np.isinf(X).any():
        raise_not_finite("infinity", np.dtype(np.float32), name="X", owner=owner)
    missing = np.isnan(X).any(axis=0)
    return missing if missing.any() else None


def for_growing(X: Any) -> Any:
    """Sparse data as growers want it, rows in order within a column and indices of 32 bits; other data as it is.

    Raises
    ------
    ValueError
        If there are more than 2**31 - 1 stored values.
    """
    if not is_sparse(X):
        return X
    X = X if X.has_sorted_indices else X.sorted_indices()
    return with_short_indices(X)


def with_short_indices(X: Any) -> Any:
    """A sparse matrix whose indices have 32 bits, the same where they have."""
    if X.indices.dtype == X.indptr.dtype == np.int32:
        return X
    if max(X.nnz, *X.shape) > np.iinfo(np.int32).max:
        raise ValueError("Sparse data with more than 2**31 - 1 stored values, rows or columns is not supported.")
    parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
    short = type(X)(X.shape, dtype=X.dtype)
    short.data, short.indices, short.indptr = parts
    return short


# ---------------------------------------------------------------- targets


def check_targets(y: Any, owner: str) -> NDArray[Any]:
    """The targets as an array of shape (n_samples,) or (n_samples, n_outputs), of any dtype.

    Raises
    ------
    ValueError
        If there are none, or one is NaN or infinite, or there are more than two dimensions.
    """
    if y is None:
        raise ValueError(f"This {owner} estimator requires y to be passed, but the target y is None.")
    return check_array(y, ensure_2d=False, dtype=None, name="y", owner=owner)


def as_columns(y: NDArray[Any]) -> NDArray[Any]:
    """The targets in the shape (n_samples, n_outputs)."""
    return y.reshape(len(y), 1) if y.ndim == 1 else y


def encode_columns(y: NDArray[Any]) -> tuple[list[NDArray[Any]], NDArray[np.float64]]:
    """The classes of each output, and the targets as their positions among them.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_outputs)

    Returns
    -------
    classes : list of n_outputs ndarrays, sorted, dtype of y
    codes : ndarray of float64 of shape (n_samples, n_outputs), C order

    Raises
    ------
    ValueError
        If the labels are fractions, or objects that are not strings.

    Warns
    -----
    UserWarning
        If more than half of more than 20 samples have a class of their own.
    """
    if y.shape[1] == 1:
        classes, codes = encode_labels(y[:, 0])
        return [classes], codes.astype(np.float64).reshape(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # asked for all outputs together, below
        pairs = [encode_labels(column) for column in y.T]
    n = len(y)
    kinds = np.unique(y)
    if n > 20 and len(kinds) > 2 and len(kinds) > round(0.5 * n):
        warnings.warn(
            "The number of unique classes is greater than 50% of the number of samples. `y` could represent a regression "
            "problem, not a classification problem.",
            UserWarning,
            stacklevel=4,
        )
    codes = np.column_stack([positions for _, positions in pairs])
    return [classes for classes, _ in pairs], np.ascontiguousarray(codes, dtype=np.float64)


def check_poisson(y: NDArray[Any]) -> None:
    """Raise a ValueError unless the targets can be counts: none below zero, and not all zero."""
    if (y < 0).any():
        raise ValueError("Some value(s) of y are negative which is not allowed for Poisson regression.")
    if y.sum() <= 0:
        raise ValueError("Sum of y is not positive which is necessary for Poisson regression.")


# ---------------------------------------------------------------- weights of classes


def weights_of_classes(
    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str,
    classes: list[NDArray[Any]],
    codes: NDArray[np.float64],
    sample_weight: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """What each sample weighs because of its classes; for several outputs the product of what each class weighs.

    Parameters
    ----------
    class_weight : dict, list of dicts (one an output) or "balanced"
    classes : list of n_outputs ndarrays
    codes : ndarray of float64 of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,), optional
        Counted by "balanced"; default: ones.

    Raises
    ------
    ValueError
        If a dict is given for several outputs, a list has another length, or a class has no weight.

    Source: ``sklearn.utils.class_weight.compute_sample_weight``, 1.9.1.
    """
    n_outputs = len(classes)
    if n_outputs > 1 and isinstance(class_weight, Mapping):
        raise ValueError("For multi-output, class_weight should be a list of dicts, or the string 'balanced'.")
    if n_outputs > 1 and not isinstance(class_weight, str) and len(class_weight) != n_outputs:
        raise ValueError(
            "For multi-output, number of elements in class_weight should match number of outputs. Got "
            f"{len(class_weight)} element(s) while having {n_outputs} outputs."
        )
    counted = np.ones(len(codes)) if sample_weight is None else sample_weight
    weight = np.ones(len(codes))
    for k, labels in enumerate(classes):
        own = class_weight if isinstance(class_weight, str) or n_outputs == 1 else class_weight[k]
        code = codes[:, k].astype(np.int64)
        weight *= class_weights(own, labels, code, counted)[code]  # type: ignore[arg-type]
    return weight


def balanced_in_sample(codes: NDArray[np.float64], indices: NDArray[np.integer]) -> NDArray[np.float64]:
    """Balanced weights of all samples, when only those at ``indices`` count; zero for a class that is not among them.

    Parameters
    ----------
    codes : ndarray of float64 of shape (n_samples, n_outputs)
    indices : ndarray of int of shape (n_drawn,)

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
    """
    weight = np.ones(len(codes))
    for code in codes.astype(np.int64).T:
        drawn = np.bincount(code[indices], minlength=code.max() + 1)
        balanced = np.zeros(len(drawn))
        present = drawn > 0
        balanced[present] = len(indices) / (np.count_nonzero(present) * drawn[present].astype(np.float64))
        weight *= balanced[code]
    return weight
