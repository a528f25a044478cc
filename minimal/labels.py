"""Class labels: from whatever the user has to 0, 1, ..., n_classes - 1, and what each class weighs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST_RANGE = 1000  # integers within such a range are counted in a table; others are sorted


def encode_labels(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The sorted classes, and for each sample the position of its class among them.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Integers, booleans, strings, or floats that are whole numbers.

    Returns
    -------
    classes : ndarray of shape (n_classes,), dtype of y
    codes : ndarray of int64 of shape (n_samples,)
        y = classes[codes].

    Raises
    ------
    ValueError
        If the labels are fractions (which is regression) or objects that are not strings.

    Warns
    -----
    UserWarning
        If more than half of more than 20 samples have a class of their own.
    """
    _check_kind(y)
    table = _encode_by_table(y) if y.dtype.kind in "iubf" else None
    if table is None:
        classes, codes = np.unique(y, return_inverse=True)
    else:
        classes, codes = table
    if len(y) > 20 and len(classes) > 2 and len(classes) > round(0.5 * len(y)):
        warnings.warn(
            "The number of unique classes is greater than 50% of the number of samples. `y` could represent a regression "
            "problem, not a classification problem.",
            UserWarning,
            stacklevel=4,
        )
    return classes, codes


def _check_kind(y: NDArray[Any]) -> None:
    continuous = y.dtype.kind == "f" and bool((y != np.floor(y)).any())
    unknown = y.dtype.kind not in "iubfOUST" or (y.dtype.kind == "O" and not isinstance(y[0], str))
    if continuous or unknown:
        kind = "continuous" if continuous else "unknown"
        raise ValueError(
            f"Unknown label type: {kind}. Maybe you are trying to fit a classifier, which expects discrete classes on a "
            "regression target with continuous values."
        )


def _encode_by_table(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]] | None:
    """Count instead of sort, which is n instead of n log n; None if the labels are too far apart for a table."""
    lowest, highest = y.min(), y.max()
    if not int(highest) - int(lowest) < WIDEST_RANGE:
        return None
    offsets = y.astype(np.int64) - np.int64(lowest)
    present = np.flatnonzero(np.bincount(offsets))
    if len(present) == present[-1] + 1:  # no gaps: the offsets are the codes
        codes = offsets
    else:
        position = np.zeros(present[-1] + 1, dtype=np.int64)
        position[present] = np.arange(len(present))
        codes = position[offsets]
    return (present + np.int64(lowest)).astype(y.dtype), codes


def class_weights(
    class_weight: Mapping[Any, float] | str | None,
    classes: NDArray[Any],
    codes: NDArray[np.int64],
    sample_weight: NDArray[np.floating],
) -> NDArray[np.float64]:
    """What each class weighs.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weights by label (1 for labels that are not in it), or "balanced" for sum(w) / (n_classes * sum of w in the class).
    classes : ndarray of shape (n_classes,)
    codes : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If a label of the dict does not occur while another class has no weight.

    Source: ``sklearn.utils.class_weight.compute_class_weight``, 1.9.1.
    """
    weight = np.ones(len(classes))
    if class_weight is None or len(class_weight) == 0:
        return weight
    if isinstance(class_weight, str):
        totals = np.bincount(codes, weights=sample_weight, minlength=len(classes))
        return totals.sum() / (len(classes) * totals)
    missing = []
    for k, label in enumerate(classes.tolist()):
        key = _key(label)
        if key in class_weight:
            weight[k] = class_weight[key]
        else:
            missing.append(key)
    if missing and len(classes) - len(missing) != len(class_weight):
        raise ValueError(f"The classes, {missing}, are not in class_weight")
    return weight


def _key(label: Any) -> Any:
    """How a dict of class weights names a label: whole numbers are int (also "3"), the rest is str."""
    try:
        return int(label)
    except ValueError:
        return str(label)
