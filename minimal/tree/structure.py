"""A grown tree as parallel arrays, under scikit-learn's names, so that whatever reads a fitted tree can read this one.

Node 0 is the root; ``children_left[i]`` and ``children_right[i]`` are the children of node i, always larger than i.  A leaf
has no children (-1), and no feature and no threshold (-2).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.engine import get_engine, twin
from minimal.tree.growth import LEAF, Grown
from minimal.validation import is_sparse

__all__ = ["Tree"]

_READ_BY_WALKS = ("children_left", "children_right", "feature", "threshold", "missing_go_to_left")


class Tree:
    """A binary tree.  The arrays have one entry a node; they may be changed in place, and predictions follow.

    Parameters
    ----------
    grown : Grown
        The nodes.
    n_features : int
    n_classes : ndarray of int64 of shape (n_outputs,)
        Ones for regression.

    Attributes
    ----------
    children_left, children_right : ndarray of int64 of shape (node_count,)
        Numbers of the children, -1 for a leaf.  A sample goes left if x[feature] <= threshold.
    feature : ndarray of int64 of shape (node_count,)
        -2 for a leaf.
    threshold : ndarray of float64 of shape (node_count,)
        -2 for a leaf.
    missing_go_to_left : ndarray of uint8 of shape (node_count,)
    impurity, weighted_n_node_samples : ndarray of float64 of shape (node_count,)
    n_node_samples : ndarray of int64 of shape (node_count,)
        Training samples in the node; those of weight zero do not count.
    value : ndarray of float64 of shape (node_count, n_outputs, max_n_classes)
        Shares of the classes, or means (medians for the criterion "absolute_error").
    n_features, n_outputs, max_n_classes, node_count, capacity, n_leaves, max_depth : int
        The root has depth 0.  The capacity is the node count.
    n_classes : ndarray of int64 of shape (n_outputs,)

    Notes
    -----
    The reference is ``sklearn.tree._tree.Tree``, 1.9.1.
    """

    def __init__(self, grown: Grown, n_features: int, n_classes: NDArray[np.int64]) -> None:
        self._grown = grown
        self._packed: tuple[str, Any] | None = None  # the nodes as the walks of an engine like them
        self._handed_out = False  # whether somebody may change an array that walks read
        self.n_features = n_features
        self.n_classes = n_classes
        self.n_outputs = len(n_classes)
        self.max_n_classes = grown.value.shape[2]
        self.max_depth = grown.max_depth
        self.node_count = self.capacity = len(grown.feature)

    # ------------------------------------------------------------ arrays

    @property
    def children_left(self) -> NDArray[np.int64]:
        return self._hand_out().children_left

    @property
    def children_right(self) -> NDArray[np.int64]:
        return self._hand_out().children_right

    @property
    def feature(self) -> NDArray[np.int64]:
        return self._hand_out().feature

    @property
    def threshold(self) -> NDArray[np.float64]:
        return self._hand_out().threshold

    @property
    def missing_go_to_left(self) -> NDArray[np.uint8]:
        return self._hand_out().missing_go_to_left

    @property
    def impurity(self) -> NDArray[np.float64]:
        return self._grown.impurity

    @property
    def n_node_samples(self) -> NDArray[np.int64]:
        return self._grown.n_node_samples

    @property
    def weighted_n_node_samples(self) -> NDArray[np.float64]:
        return self._grown.weighted_n_node_samples

    @property
    def value(self) -> NDArray[np.float64]:
        return self._grown.value

    @property
    def n_leaves(self) -> np.int64:
        return np.int64(np.count_nonzero(self._grown.children_left == LEAF))

    @property
    def grown(self) -> Grown:
        """All arrays in one record."""
        return self._hand_out()

    def _hand_out(self) -> Grown:
        """The arrays for somebody who may keep and change them: what is packed now cannot be trusted any more."""
        self._packed, self._handed_out = None, True
        return self._grown

    # ------------------------------------------------------------ walks

    def leaves(self, X: Any) -> tuple[NDArray[np.int64], bool]:
        """The leaf of each sample, and whether all values are finite or missing; ``X`` has passed an estimator's door.

        Parameters
        ----------
        X : ndarray of float32 or float64, or CSR of float32, of shape (n_samples, n_features)

        Returns
        -------
        leaves : ndarray of int64 of shape (n_samples,)
        is_finite : bool
            If not, the leaves mean nothing.
        """
        walking = twin("minimal.tree.walking")
        nodes = self._nodes(walking)
        if type(X) is np.ndarray:
            return walking.apply(nodes, X)
        return walking.apply_sparse(nodes, X.data, X.indices, X.indptr, X.shape[1]), True

    def _nodes(self, walking: Any) -> Any:
        engine = get_engine()
        if self._packed is None or self._packed[0] != engine:
            packed = walking.pack(*(getattr(self._grown, name) for name in _READ_BY_WALKS))
            if self._handed_out:
                return packed
            self._packed = engine, packed
        return self._packed[1]

    def apply(self, X: Any) -> NDArray[np.int64]:
        """The number of the leaf in which each sample ends.

        Parameters
        ----------
        X : ndarray or CSR matrix of float32 of shape (n_samples, n_features)
            NaN marks a missing value.

        Returns
        -------
        ndarray of int64 of shape (n_samples,)

        Raises
        ------
        ValueError
            If ``X`` is of another kind or dtype.
        """
        check_kind(X)
        leaves, is_finite = self.leaves(X)
        if not is_finite:  # walks settle only finite values quickly: an infinite one compares like the largest float
            leaves, _ = self.leaves(np.clip(X, *_FINITE))
        return leaves

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The value of the leaf in which each sample ends.

        Parameters
        ----------
        X : ndarray or CSR matrix of float32 of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64 of shape (n_samples, max_n_classes), or (n_samples, n_outputs, max_n_classes) for several outputs
        """
        return self.values_at(self.apply(X))

    def values_at(self, leaves: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values of some nodes, in the shape of :meth:`predict`."""
        value = self._grown.value
        return (value[:, 0, :] if self.n_outputs == 1 else value).take(leaves, axis=0)

    def decision_path(self, X: Any) -> Any:
        """Which nodes each sample passes, as a SciPy CSR matrix.

        Parameters
        ----------
        X : ndarray or CSR matrix of float32 of shape (n_samples, n_features)

        Returns
        -------
        CSR matrix of int64 of shape (n_samples, node_count)
            One where the sample passes the node.

        Raises
        ------
        ImportError
            If SciPy is not installed; :meth:`decision_path_arrays` does without.
        """
        return indicator_matrix(*self.decision_path_arrays(X), self.node_count)

    def decision_path_arrays(self, X: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which nodes each sample passes, without SciPy.

        Parameters
        ----------
        X : ndarray or CSR matrix of float32 of shape (n_samples, n_features)

        Returns
        -------
        indices, indptr : ndarray of int64
            Sample i passes the nodes ``indices[indptr[i]:indptr[i + 1]]``, the root first.
        """
        return self.paths_to(self.apply(X))

    def paths_to(self, leaves: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The nodes from the root to each of some leaves: ``indices`` and ``indptr`` of :meth:`decision_path_arrays`.

        All paths are written from their ends, one level after another.
        """
        parent = self._parents()
        lengths = self.compute_node_depths()[leaves]
        indptr = np.zeros(len(leaves) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        indices = np.empty(indptr[-1], dtype=np.int64)
        node, place = leaves, indptr[1:] - 1
        while len(node):
            indices[place] = node
            below_root = node > 0
            node, place = parent[node[below_root]], place[below_root] - 1
        return indices, indptr

    def _parents(self) -> NDArray[np.int64]:
        parent = np.full(self.node_count, LEAF)
        for children in (self._grown.children_left, self._grown.children_right):
            inner = np.flatnonzero(children != LEAF)
            parent[children[inner]] = inner
        return parent

    # ------------------------------------------------------------ what a tree says of itself

    def compute_node_depths(self) -> NDArray[np.int64]:
        """How many nodes there are from the root to each node, both counted (so 1 for the root).

        Returns
        -------
        ndarray of int64 of shape (node_count,)
        """
        depths = np.empty(self.node_count, dtype=np.int64)
        level, depth = np.zeros(1, dtype=np.int64), 1
        left, right = self._grown.children_left, self._grown.children_right
        while len(level):
            depths[level] = depth
            inner = level[left[level] != LEAF]
            level, depth = np.concatenate([left[inner], right[inner]]), depth + 1
        return depths

    def compute_feature_importances(self, normalize: bool = True) -> NDArray[np.float64]:
        """How much of the impurity each feature takes away, the mean decrease of impurity.

        Parameters
        ----------
        normalize : bool, default=True
            Whether the importances should sum to one (if any is above zero).

        Returns
        -------
        ndarray of float64 of shape (n_features,)
            The sum of  w i - w_left i_left - w_right i_right  over the nodes that split on the feature, divided by the weight
            of the root; w is a node's weight and i its impurity.
        """
        inner = np.flatnonzero(self._grown.children_left != LEAF)
        left, right = self._grown.children_left[inner], self._grown.children_right[inner]
        burden = self._grown.weighted_n_node_samples * self._grown.impurity
        gain = burden[inner] - burden[left] - burden[right]
        importances = np.bincount(self._grown.feature[inner], weights=gain, minlength=self.n_features)
        importances = importances.astype(np.float64, copy=False) / self._grown.weighted_n_node_samples[0]
        total = importances.sum()
        return importances / total if normalize and total > 0 else importances

    def compute_partial_dependence(
        self, X: NDArray[np.float32], target_features: NDArray[np.int64], out: NDArray[np.float64]
    ) -> None:
        """Add to ``out`` the mean prediction when some features are set to given values.

        A split on one of these features sends the whole weight of a grid point to one side; any other split divides it like
        the training samples.  The prediction is the sum of the leaves' values times their weights.

        Parameters
        ----------
        X : ndarray of float32 of shape (n_points, n_target_features)
            The grid.
        target_features : ndarray of int64 of shape (n_target_features,)
        out : ndarray of float64 of shape (n_points,)

        Notes
        -----
        Source: Friedman, "Greedy function approximation", 2001, section 8.2.
        """
        grown, column = self._grown, {int(f): j for j, f in reversed(list(enumerate(target_features)))}
        stack = [(0, np.ones(len(X)))]
        while stack:
            node, weight = stack.pop()
            left, right = int(grown.children_left[node]), int(grown.children_right[node])
            if left == LEAF:
                out += weight * grown.value[node, 0, 0]
                continue
            j = column.get(int(grown.feature[node]))
            if j is None:
                share = grown.weighted_n_node_samples[left] / grown.weighted_n_node_samples[node]
                stack += [(left, weight * share), (right, weight * (1 - share))]
            else:
                goes_left = X[:, j] <= grown.threshold[node]
                stack += [(left, np.where(goes_left, weight, 0.0)), (right, np.where(goes_left, 0.0, weight))]

    # ------------------------------------------------------------ copies

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_packed": None}


_FINITE = (np.finfo(np.float32).min, np.finfo(np.float32).max)


def check_kind(X: Any) -> None:
    """Raise a ValueError unless ``X`` is an ndarray or a CSR matrix of float32."""
    if is_sparse(X):
        if X.format != "csr":
            raise ValueError(f"X should be in CSR sparse format, got {type(X)}")
    elif not isinstance(X, np.ndarray):
        raise ValueError(f"X should be in np.ndarray format, got {type(X)}")
    if X.dtype != np.float32:
        raise ValueError(f"X.dtype should be np.float32, got {X.dtype}")


def indicator_matrix(indices: NDArray[np.int64], indptr: NDArray[np.int64], n_columns: int) -> Any:
    """A CSR matrix of ones from the arrays of :meth:`Tree.decision_path_arrays`; SciPy is loaded here and nowhere else.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    """
    try:
        sparse = import_module("scipy.sparse")
    except ImportError as error:
        raise ImportError(
            "decision_path answers with a SciPy sparse matrix, and SciPy is not installed. Install it (pip install scipy), "
            "or use tree_.decision_path_arrays, which gives the same paths as two plain arrays."
        ) from error
    shape = (len(indptr) - 1, n_columns)
    array = sparse.csr_array((np.ones(len(indices), dtype=np.int64), indices, indptr), shape=shape)
    return sparse.csr_matrix(array)  # made directly, it would change the dtype of the indices
