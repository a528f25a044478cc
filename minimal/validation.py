"""The door: arrays come in, or a clear error goes out.  Everything behind it may trust its input.

The usual case, a two-dimensional float array, costs two attribute look-ups and one read of the data; only the rest pays
for lists, data frames, sparse matrices and object arrays.  The kinds of error are scikit-learn's.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Number
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.exceptions import DataConversionWarning, NotFittedError, kin

FLOATS: tuple[type, ...] = (np.float64, np.float32)

_RESHAPE = (
    "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) "
    "if it contains a single sample."
)


# ---------------------------------------------------------------- kinds of containers, told by what they can do


def is_sparse(X: Any) -> bool:
    """Whether ``X`` is a SciPy sparse matrix or array (of any format), judged without importing SciPy."""
    return hasattr(X, "tocsr") and hasattr(X, "nnz") and hasattr(X, "format")


def is_frame(X: Any) -> bool:
    """Whether ``X`` is a data frame (pandas, polars), judged without importing either."""
    return hasattr(X, "columns") and hasattr(X, "dtypes") and hasattr(X, "shape") and not isinstance(X, np.ndarray)


def feature_names(X: Any) -> NDArray[np.object_] | None:
    """The column names of a data frame, if all of them are strings; None for anything else.

    Raises
    ------
    TypeError
        If some names are strings and others are not.
    """
    if type(X) is np.ndarray or not is_frame(X):
        return None
    names = np.asarray(list(X.columns), dtype=object)
    kinds = sorted({type(name).__name__ for name in names})
    all_strings = all(isinstance(name, str) for name in names)
    if len(names) == 0 or (not all_strings and "str" not in kinds):
        return None
    if not all_strings:
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{kinds} as feature name / column name types. Convert them all to strings, for example by using "
            "X.columns = X.columns.astype(str)."
        )
    return names


def num_samples(X: Any) -> int:
    """The length of the first axis of anything that has one.

    Raises
    ------
    TypeError
        If there is none (a number, an estimator, a zero-dimensional array).
    """
    if hasattr(X, "fit") and callable(X.fit):
        raise TypeError(f"Expected sequence or array-like, got estimator {X}")
    shape = getattr(X, "shape", None)
    if shape is not None:
        if len(shape) == 0:
            raise TypeError(
                f"Input should have at least 1 dimension i.e. satisfy `len(x.shape) > 0`, got scalar {X!r}."
            )
        return int(shape[0])
    if not hasattr(X, "__len__"):
        X = np.asarray(X)
        if X.ndim == 0:
            raise TypeError(f"Expected sequence or array-like, got {type(X)}")
    return len(X)


def check_consistent_length(*arrays: Any) -> None:
    """Raise a ValueError unless all arrays (None aside) have the same number of samples."""
    lengths = [num_samples(array) for array in arrays if array is not None]
    if len(set(lengths)) > 1:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")


# ---------------------------------------------------------------- values


def assert_finite(X: NDArray[Any], *, allow_nan: bool = False, name: str = "", owner: str = "") -> None:
    """Raise a ValueError that says NaN or infinity if the array contains one.

    A sum is finite only if every term is, and it is the quickest read there is; the careful look comes only when the sum
    is not (values near the largest float can overflow it without being infinite).
    """
    if X.dtype.kind == "O":
        if not allow_nan and bool((X != X).any()):
            raise ValueError(f"Input {name + ' ' if name else ''}contains NaN.")
        return
    if X.dtype.kind not in "fc":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(X)):
            return
    has_nan = bool(np.isnan(X).any())
    if has_nan and not allow_nan:
        raise_not_finite("NaN", X.dtype, name=name, owner=owner)
    if np.isinf(X).any():
        raise_not_finite("infinity", X.dtype, name=name, owner=owner)


def raise_not_finite(kind: Literal["NaN", "infinity"], dtype: Any, *, name: str = "", owner: str = "") -> None:
    """Raise the error of :func:`assert_finite`; for kernels that look for NaN or infinity in their own pass."""
    what = "NaN" if kind == "NaN" else f"infinity or a value too large for {np.dtype(dtype)!r}"
    message = f"Input {name + ' ' if name else ''}contains {what}."
    if kind == "NaN" and owner and name == "X":
        message += (
            f"\n{owner} does not accept missing values encoded as NaN. Drop the samples that have them, or fill them in "
            "first, for example with an imputer in a pipeline."
        )
    raise ValueError(message)


def _no_complex(X: Any) -> None:
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(f"Complex data not supported\n{X}\n")


# ---------------------------------------------------------------- arrays


def check_array(
    X: Any,
    *,
    accept_sparse: Sequence[str] = (),
    dtype: Sequence[type] | type | Literal["numeric"] | None = "numeric",
    order: Literal["C", "F"] | None = None,
    copy: bool = False,
    finite: bool | Literal["allow-nan"] = True,
    ensure_2d: bool = True,
    min_samples: int = 1,
    min_features: int = 1,
    name: str = "",
    owner: str = "",
) -> Any:
    """Turn ``X`` into an array that the code behind the door can trust.

    Parameters
    ----------
    X : array-like, data frame or sparse matrix
    accept_sparse : sequence of {"csr", "csc"}
        The sparse formats that pass; others are converted to the first of them.  Empty: sparse input is an error.
    dtype : type, sequence of types, "numeric" or None
        A sequence keeps what is in it and converts the rest to its first.  "numeric" keeps everything but objects, which
        become float64.  None keeps everything.
    order : {"C", "F"}, optional
        The memory order that the result must have.
    copy : bool
        Whether the result must not share memory with ``X``.
    finite : bool or "allow-nan"
        True rejects NaN and infinity, "allow-nan" rejects infinity, False does not look.
    ensure_2d : bool
        Whether anything but two dimensions is an error.
    min_samples, min_features : int
    name, owner : str
        For messages: the argument's name and the estimator's.

    Returns
    -------
    ndarray, or a sparse matrix of one of the accepted formats

    Raises
    ------
    ValueError, TypeError
        As scikit-learn's ``check_array``.
    """
    if is_sparse(X):
        result = _check_sparse(X, accept_sparse, dtype, copy, owner)
        values = result.data
    else:
        result = values = _to_array(X, dtype, order, owner, ensure_2d)
        if copy and np.may_share_memory(result, X if isinstance(X, np.ndarray) else np.asarray(X)):
            result = values = result.copy(order="K" if order is None else order)
    if finite:
        assert_finite(values, allow_nan=finite == "allow-nan", name=name, owner=owner)
    by = f" by {owner}" if owner else ""
    if min_samples and num_samples(result) < min_samples:
        raise ValueError(
            f"Found array with {result.shape[0]} sample(s) (shape={result.shape}) while a minimum of {min_samples} is "
            f"required{by}."
        )
    if min_features and len(result.shape) == 2 and result.shape[1] < min_features:
        raise ValueError(
            f"Found array with {result.shape[1]} feature(s) (shape={result.shape}) while a minimum of {min_features} is "
            f"required{by}."
        )
    return result


def _to_array(X: Any, dtype: Any, order: Any, owner: str, ensure_2d: bool) -> NDArray[Any]:
    """The dense half of :func:`check_array`: any container becomes an ndarray of the wanted type, order and rank."""
    if isinstance(X, np.matrix):
        raise TypeError("np.matrix is not supported. Please convert to a numpy array with np.asarray.")
    array = X if type(X) is np.ndarray else _from_container(X)
    _no_complex(array)
    if dtype == "numeric":
        _check_rank(X, array, owner, ensure_2d)
    target = _target_dtype(array, dtype)
    if target is not None and array.dtype.kind in "USV" and np.dtype(target).kind == "f":
        array = array.astype(object)  # text that spells numbers passes, as in the reference
    if target is not None or order is not None:
        array = np.asarray(array, dtype=target, order=order)
    if dtype != "numeric":
        _check_rank(X, array, owner, ensure_2d)
    if dtype == "numeric" and array.dtype.kind in "USV":
        raise ValueError(
            "dtype='numeric' is not compatible with arrays of bytes/strings. Convert your data to numeric values "
            "explicitly instead."
        )
    return array


def _from_container(X: Any) -> NDArray[Any]:
    """An ndarray from a list, a data frame, a series or anything with ``__array__``."""
    if is_frame(X) and hasattr(X, "to_numpy"):
        array = X.to_numpy()
        if array.dtype.kind == "O" and _all_numeric(X):
            array = X.to_numpy(dtype=np.float64, na_value=np.nan)  # nullable columns: pd.NA becomes NaN
        return array
    array = np.asarray(X)
    return array.view(np.ndarray) if type(array) is not np.ndarray else array


def _all_numeric(frame: Any) -> bool:
    kinds = [getattr(column, "kind", "O") for column in list(frame.dtypes)]
    return all(kind in "biuf" for kind in kinds)


def _target_dtype(array: NDArray[Any], dtype: Any) -> Any:
    if isinstance(dtype, str) and dtype == "numeric":
        return np.float64 if array.dtype.kind == "O" else None
    if isinstance(dtype, tuple | list):
        return None if array.dtype in dtype else dtype[0]
    return dtype


def _check_rank(X: Any, array: NDArray[Any], owner: str, ensure_2d: bool) -> None:
    """Raise a ValueError unless there are two dimensions (or fewer, where those pass)."""
    if array.ndim > 2:
        by = f" by {owner}" if owner else ""
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required{by}.")
    if array.ndim == 2 or not ensure_2d:
        return
    if array.ndim == 0:
        raise ValueError(f"Expected 2D array, got scalar array instead:\narray={array}.\n{_RESHAPE}")
    if hasattr(X, "to_frame"):
        raise ValueError(
            f"Expected a 2-dimensional container but got {type(X)} instead. Pass a DataFrame containing a single row "
            "(i.e. single sample) or a single column (i.e. single feature) instead."
        )
    raise ValueError(f"Expected 2D array, got 1D array instead:\narray={array}.\n{_RESHAPE}")


def _check_sparse(X: Any, accept: Sequence[str], dtype: Any, copy: bool, owner: str) -> Any:
    """The sparse half of :func:`check_array`; conversions are the matrix's own methods."""
    _no_complex(X)
    if not accept:
        padded = f" for {owner}" if owner else ""
        raise TypeError(
            f"Sparse data was passed{padded}, but dense data is required. Use '.toarray()' to convert to a dense numpy array."
        )
    if len(X.shape) != 2:
        raise ValueError(f"Expected 2D input, got input with shape {X.shape}.\n{_RESHAPE}")
    result = X if X.format in accept else X.asformat(accept[0])
    target = _target_dtype(result.data, dtype)
    if target is not None and result.dtype != target:
        result = result.astype(target)
    if copy and np.may_share_memory(result.data, getattr(X, "data", np.empty(0))):
        result = result.copy()
    return result


# ---------------------------------------------------------------- targets and weights


def column_or_1d(y: Any) -> NDArray[Any]:
    """A one-dimensional array from ``y``; a single column is flattened, with a DataConversionWarning.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        If ``y`` is sparse.
    ValueError
        If ``y`` has another shape or is complex.
    """
    if is_sparse(y):
        raise TypeError("Sparse data was passed for y, but dense data is required. Use '.toarray()' to convert it.")
    array = y if type(y) is np.ndarray else np.asarray(y)
    _no_complex(array)
    if array.ndim == 2 and array.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples, ), for "
            "example using ravel().",
            kin(DataConversionWarning),
            stacklevel=3,
        )
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {array.shape} instead.")
    return array


def check_y(y: Any, *, owner: str = "") -> NDArray[Any]:
    """A one-dimensional target without missing values.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
    owner : str, default=""
        The estimator's name, for messages.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        If ``y`` is sparse.
    ValueError
        If ``y`` is None, has another shape, is complex, or contains NaN or infinity.
    """
    if y is None:
        raise ValueError(f"{owner or 'estimator'} requires y to be passed, but the target y is None")
    array = column_or_1d(y)
    assert_finite(array, name="y", owner=owner)
    return array


def check_sample_weight(
    sample_weight: ArrayLike | None, X: Any, *, dtype: Any = None, non_negative: bool = False, all_zero: bool = False
) -> NDArray[Any]:
    """One float weight for each sample: ones for None, a number for all, or the given weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
    X : array of shape (n_samples, ...)
    dtype : float32 or float64, optional
        Default: what the weights have if that is a float type, else float64.
    non_negative : bool
        Whether a negative weight is an error.
    all_zero : bool
        Whether weights that are all zero pass.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the weights have another shape, contain NaN or infinity, are all zero, or are negative where that is an error.
    """
    n = num_samples(X)
    if sample_weight is None:
        return np.ones(n, dtype=dtype)
    if isinstance(sample_weight, Number):
        weight = np.full(n, sample_weight, dtype=dtype)
    else:
        kinds = FLOATS if dtype is None else dtype
        weight = check_array(sample_weight, ensure_2d=False, dtype=kinds, order="C", name="sample_weight")
        if weight.ndim != 1:
            raise ValueError(
                f"Sample weights must be 1D array or scalar, got {weight.ndim}D array. Expected either a scalar value "
                f"or a 1D array of length {n}."
            )
        if len(weight) != n:
            raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(n,)}!")
    if not all_zero and not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    if non_negative and weight.min() < 0:
        raise ValueError("Negative values in data passed to `sample_weight`.")
    return weight


def check_is_fitted(estimator: Any) -> None:
    """Raise NotFittedError unless the estimator has learned something (an attribute that ends with an underscore)."""
    if "n_features_in_" not in vars(estimator) and not any(
        name.endswith("_") and not name.startswith("_") for name in vars(estimator)
    ):
        raise kin(NotFittedError)(
            f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
            "using this estimator."
        )
