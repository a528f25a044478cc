"""What a tree is grown from, and what has grown: the two records that estimators and growers exchange.

An estimator checks everything at its door and fills in a :class:`Growth`; ``growing_numpy.grow`` and
``growing_numba.grow`` turn it into :class:`Grown`, the same one, node for node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = -1  # children of a leaf
UNDEFINED = -2  # feature and threshold of a leaf


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The data and the rules for one tree, all of it checked.

    Attributes
    ----------
    X : ndarray of float32 of shape (n_samples, n_features), or sparse CSC of float32
        Dense data in whatever memory order it came; NaN only where ``missing`` says so.
    y : ndarray of float64 of shape (n_samples, n_outputs), C order
        Class codes 0, 1, ... or targets.
    sample_weight : ndarray of float64 of shape (n_samples,), or None
        Samples of weight zero take no part.
    missing : ndarray of bool of shape (n_features,), or None
        Which features have missing values; None if none has.
    criterion : {"gini", "entropy", "squared_error", "friedman_mse", "absolute_error", "poisson"}
    n_classes : ndarray of int64 of shape (n_outputs,)
        Ones for regression.
    splitter : {"best", "random"}
    max_depth : int
        2**31 - 1 for no limit.
    min_samples_split, min_samples_leaf, max_features : int
    min_weight_leaf, min_impurity_decrease : float
    max_leaf_nodes : int
        -1 grows depth-first without a limit, a positive number best-first.
    monotonic_cst : ndarray of int8 of shape (n_features,), or None
        With two classes: for the probability of the first class.
    seed : int
        The first state of the xorshift generator (see :mod:`minimal.random`).
    """

    X: Any
    y: NDArray[np.float64]
    sample_weight: NDArray[np.float64] | None
    missing: NDArray[np.bool_] | None
    criterion: str
    n_classes: NDArray[np.int64]
    splitter: str
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    max_features: int
    min_weight_leaf: float
    min_impurity_decrease: float
    max_leaf_nodes: int
    monotonic_cst: NDArray[np.int8] | None
    seed: int

    @property
    def is_classification(self) -> bool:
        return self.criterion in ("gini", "entropy")


@dataclass(frozen=True, kw_only=True)
class Grown:
    """The nodes of a tree as parallel arrays, one entry a node, the root first; names and dtypes are scikit-learn's.

    Attributes
    ----------
    children_left, children_right, feature, n_node_samples : ndarray of int64 of shape (n_nodes,)
        A leaf has children ``LEAF`` and feature ``UNDEFINED``.
    threshold, impurity, weighted_n_node_samples : ndarray of float64 of shape (n_nodes,)
    missing_go_to_left : ndarray of uint8 of shape (n_nodes,)
    value : ndarray of float64 of shape (n_nodes, n_outputs, max(n_classes))
        Shares of the classes, or means (medians for absolute_error).
    max_depth : int
    """

    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    impurity: NDArray[np.float64]
    n_node_samples: NDArray[np.int64]
    weighted_n_node_samples: NDArray[np.float64]
    missing_go_to_left: NDArray[np.uint8]
    value: NDArray[np.float64]
    max_depth: int
