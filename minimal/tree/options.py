"""What the parameters of trees and forests may be, and the numbers that they stand for once the data is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, inf, log2, sqrt
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.parameters import Constraint, integer, none, one_of, random_state, real


def _fraction(low: float, high: float, ends: str) -> Constraint:
    """A number between ``low`` and ``high`` that is not an integer, where integers mean something else."""
    number = real(low, high, ends)
    return Constraint(lambda value: not isinstance(value, Integral) and number.accepts(value), number.text)


array_like = Constraint(
    lambda value: (hasattr(value, "__len__") or hasattr(value, "__array__")) and not isinstance(value, str | Mapping),
    "an array-like",
)
positive_fraction = _fraction(0, inf, "()")

GROWING: Mapping[str, Sequence[Constraint]] = {
    "max_depth": [integer(1, inf), none],
    "min_samples_split": [integer(2, inf), _fraction(0, 1, "(]")],
    "min_samples_leaf": [integer(1, inf), _fraction(0, 1, "()")],
    "min_weight_fraction_leaf": [real(0, 0.5, "[]")],
    "max_features": [integer(1, inf), _fraction(0, 1, "(]"), one_of("sqrt", "log2"), none],
    "random_state": [random_state],
    "max_leaf_nodes": [integer(2, inf), none],
    "min_impurity_decrease": [real(0, inf, "[)")],
    "ccp_alpha": [real(0, inf, "[)")],
    "monotonic_cst": [array_like, none],
}


def number_of_features(max_features: int | float | str | None, n_features: int) -> int:
    """How many features to look at in a node; at least one."""
    if max_features is None:
        return n_features
    if max_features == "sqrt":
        return max(1, int(sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(log2(n_features)))
    if isinstance(max_features, Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def smallest_nodes(min_samples_split: float, min_samples_leaf: float, n_samples: int) -> tuple[int, int]:
    """The smallest node that may be split and the smallest leaf, both in samples; fractions are of ``n_samples``."""
    leaf = min_samples_leaf if isinstance(min_samples_leaf, Integral) else ceil(min_samples_leaf * n_samples)
    whole = isinstance(min_samples_split, Integral)
    split = min_samples_split if whole else max(2, ceil(min_samples_split * n_samples))
    return max(int(split), 2 * int(leaf)), int(leaf)


def monotonic_signs(
    monotonic_cst: ArrayLike | None, n_features: int, n_classes: NDArray[np.int64], is_classifier: bool
) -> NDArray[np.int8] | None:
    """The constraints as :class:`minimal.tree.growth.Growth` wants them; None for none.

    Parameters
    ----------
    monotonic_cst : array-like of shape (n_features,), or None
        1 for a prediction that may only rise with the feature, -1 for one that may only fall, 0 for no constraint.
    n_features : int
    n_classes : ndarray of int64 of shape (n_outputs,)
    is_classifier : bool
        Then the prediction is the probability of the second class, and trees watch that of the first: signs change.

    Raises
    ------
    ValueError
        If the length is wrong, a value is something else, or there are several outputs or more than two classes.
    """
    if monotonic_cst is None:
        return None
    if len(n_classes) > 1:
        raise ValueError("Monotonicity constraints are not supported with multiple outputs.")
    signs = np.asarray(monotonic_cst)
    if signs.shape[0] != n_features:
        raise ValueError(f"monotonic_cst has shape {signs.shape[0]} but the input data X has {n_features} features.")
    if not np.isin(signs, (-1, 0, 1)).all():
        raise ValueError(f"monotonic_cst must be None or an array-like of -1, 0 or 1, but got {np.unique(signs)}")
    if is_classifier and n_classes[0] > 2:
        raise ValueError("Monotonicity constraints are not supported with multiclass classification")
    signs = signs.astype(np.int8)
    return -signs if is_classifier else signs
