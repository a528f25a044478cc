"""Decision trees: questions about one feature at a time, asked until the samples that gave the same answers are alike.

This module holds the estimators: parameters, validation, what is learned, predictions.  How a tree grows is told in
``growing_numpy``, how a sample walks down it in ``walking_numpy``, and how it is pruned in ``pruning``.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import BaseEstimator, ClassifierMixin, RegressorMixin, forgets_on_error
from minimal.engine import twin
from minimal.parameters import Constraint, instance_of, none, one_of
from minimal.random import xorshift_seed
from minimal.tree.growth import Growth
from minimal.tree.input import (
    as_columns,
    check_poisson,
    check_targets,
    encode_columns,
    for_growing,
    missing_features,
    weights_of_classes,
    with_short_indices,
)
from minimal.tree.kinship import KnownToSklearn
from minimal.tree.options import GROWING, monotonic_signs, number_of_features, smallest_nodes
from minimal.tree.outputs import MultiOutputClassifierMixin
from minimal.tree.pruning import PruningPath, prune, pruning_path
from minimal.tree.structure import Tree, check_kind, indicator_matrix
from minimal.validation import assert_finite, check_is_fitted, check_sample_weight, is_sparse, raise_not_finite

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor"]

NO_DEPTH_LIMIT = 2**31 - 1
READ_BY_WALKS = (np.float32, np.float64)  # without a copy; the first is what everything else becomes


class BaseDecisionTree(KnownToSklearn, BaseEstimator):
    """What classification and regression trees have in common."""

    _reference_module = "sklearn.tree"

    criterion: str
    splitter: str
    max_depth: int | None
    min_samples_split: float
    min_samples_leaf: float
    min_weight_fraction_leaf: float
    max_features: float | str | None
    random_state: int | np.random.RandomState | None
    max_leaf_nodes: int | None
    min_impurity_decrease: float
    class_weight: Any = None  # regressors have none
    ccp_alpha: float
    monotonic_cst: ArrayLike | None

    n_outputs_: int
    classes_: Any
    tree_: Tree

    # ------------------------------------------------------------ fit

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, check_input: bool) -> Any:
        """Everything behind ``fit`` of both kinds of tree."""
        self._check_parameters()
        X, y, missing = self._check_data(X, y, check_input)
        codes, n_classes = self._learn_targets(y)
        if len(codes) != X.shape[0]:
            raise ValueError(f"Number of labels={len(codes)} does not match number of samples={X.shape[0]}")
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, X, dtype=np.float64)
        if self.class_weight is not None:
            classes = [self.classes_] if self.n_outputs_ == 1 else self.classes_
            of_classes = weights_of_classes(self.class_weight, classes, codes)
            weight = of_classes if weight is None else weight * of_classes
        self._grow(X, codes, n_classes, weight, missing)
        return self

    def _check_data(self, X: Any, y: Any, check_input: bool) -> tuple[Any, Any, NDArray[np.bool_] | None]:
        """``X`` as float32, ``y`` as columns, and which features have missing values."""
        me = type(self).__name__
        if not check_input:
            X = X if is_sparse(X) else np.asarray(X, dtype=np.float32)
            self.n_features_in_ = X.shape[1]
            return X, as_columns(np.asarray(y)), None
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and infinite is an error
            X = self._check_X(X, reset=True, accept_sparse=("csc",), dtype=np.float32, finite=False)
        y = as_columns(check_targets(y, me))
        missing = missing_features(X, me)
        if self.criterion == "poisson":
            check_poisson(y)
        return for_growing(X), y, missing

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The targets as growers want them, and how many classes each output has (1 in regression)."""
        raise NotImplementedError

    def _grow(
        self,
        X: Any,
        y: NDArray[np.float64],
        n_classes: NDArray[np.int64],
        weight: NDArray[np.float64] | None,
        missing: NDArray[np.bool_] | None,
        shared: Any = None,
    ) -> None:
        """Grow and prune ``tree_`` from data that has passed a door; forests call this for each of their trees."""
        n_samples, n_features = X.shape
        self.max_features_ = number_of_features(self.max_features, n_features)
        split, leaf = smallest_nodes(self.min_samples_split, self.min_samples_leaf, n_samples)
        growth = Growth(
            X=X,
            y=y,
            sample_weight=weight,
            missing=missing,
            criterion="entropy" if self.criterion == "log_loss" else self.criterion,
            n_classes=n_classes,
            splitter=self.splitter,
            max_depth=NO_DEPTH_LIMIT if self.max_depth is None else int(self.max_depth),
            min_samples_split=split,
            min_samples_leaf=leaf,
            max_features=self.max_features_,
            min_weight_leaf=float(self.min_weight_fraction_leaf * (n_samples if weight is None else weight.sum())),
            min_impurity_decrease=float(self.min_impurity_decrease),
            max_leaf_nodes=-1 if self.max_leaf_nodes is None else int(self.max_leaf_nodes),
            monotonic_cst=monotonic_signs(self.monotonic_cst, n_features, n_classes, isinstance(self, ClassifierMixin)),
            seed=xorshift_seed(self.random_state),
        )
        grown = twin("minimal.tree.growing").grow(growth, shared)
        if self.ccp_alpha > 0:
            grown = prune(grown, self.ccp_alpha)
        self.tree_ = Tree(grown, n_features, n_classes)

    # ------------------------------------------------------------ where a sample ends

    def _leaves(self, X: Any, check_input: bool = True) -> NDArray[np.int64]:
        """The leaf of each sample; ``X`` is checked here, its values while walking."""
        check_is_fitted(self)
        if check_input:
            X = self._check_X(X, reset=False, accept_sparse=("csr",), dtype=READ_BY_WALKS, finite=False)
            if is_sparse(X):
                X = float32_csr(X, type(self).__name__)
        else:
            check_kind(X)
            if X.shape[1] != self.n_features_in_:
                raise ValueError(
                    f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                    "input."
                )
        leaves, is_finite = self.tree_.leaves(X)
        if not is_finite:
            raise_not_finite("infinity", np.dtype(np.float32), name="X", owner=type(self).__name__)
        return leaves

    def apply(self, X: Any, check_input: bool = True) -> NDArray[np.int64]:
        """The leaf in which each sample ends.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.
        check_input : bool, default=True
            False skips checks: ``X`` must then be an ndarray or a CSR matrix of float32.

        Returns
        -------
        ndarray of int64 of shape (n_samples,)
            Numbers of nodes of ``tree_``.
        """
        return self._leaves(X, check_input)

    def decision_path(self, X: Any, check_input: bool = True) -> Any:
        """Which nodes each sample passes.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        check_input : bool, default=True
            As for :meth:`apply`.

        Returns
        -------
        SciPy CSR matrix of int64 of shape (n_samples, n_nodes)
            One where the sample passes the node.

        Raises
        ------
        ImportError
            If SciPy is not installed.  ``tree_.decision_path_arrays`` gives the same as two arrays, without it.
        """
        leaves = self._leaves(X, check_input)
        return indicator_matrix(*self.tree_.paths_to(leaves), self.tree_.node_count)

    # ------------------------------------------------------------ what was learned

    def get_depth(self) -> int:
        """How many splits there are at most between the root and a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self) -> np.int64:
        """The number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The decrease of impurity that each feature brought, as shares that sum to one; zeros for a tree without a split.

        It favours features with many values: ``sklearn.inspection.permutation_importance`` does not.
        """
        check_is_fitted(self)
        return self.tree_.compute_feature_importances()

    def cost_complexity_pruning_path(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> PruningPath:
        """The values of ``ccp_alpha`` at which the tree would lose a branch.  This estimator itself is not fitted.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        PruningPath
            With ``ccp_alphas``, rising from 0, and ``impurities``, the total impurity of the leaves of each pruned tree.
        """
        unpruned = type(self)(**copy.deepcopy(self.get_params(deep=False)) | {"ccp_alpha": 0.0})
        unpruned.fit(X, y, sample_weight=sample_weight)  # type: ignore[attr-defined]
        return pruning_path(unpruned.tree_.grown)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


def float32_csr(X: Any, owner: str) -> Any:
    """A sparse matrix for walking: float32, checked, with short indices."""
    with np.errstate(over="ignore"):
        X = X if X.dtype == np.float32 else X.astype(np.float32)
    assert_finite(X.data, name="X", owner=owner)
    return with_short_indices(X)


class DecisionTreeClassifier(MultiOutputClassifierMixin, BaseDecisionTree):
    r"""A decision tree that tells classes apart.

    A node splits its samples in two by a question x[feature] <= threshold, the one that lowers the impurity most:

        gini = 1 - sum_k p_k**2,        entropy = -sum_k p_k log2(p_k),        p_k the share of class k in the node

    A sample's prediction is the shares of the classes among the training samples of the leaf in which it ends.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        The impurity; "log_loss" is another name for "entropy".
    splitter : {"best", "random"}, default="best"
        The best of all thresholds of a feature, or one that is drawn at random between its smallest and largest value.
    max_depth : int, optional
        Default: no limit.
    min_samples_split : int or float, default=2
        The smallest node that may be split, in samples or as a fraction of all of them.
    min_samples_leaf : int or float, default=1
        The smallest leaf, in samples or as a fraction.
    min_weight_fraction_leaf : float, default=0.0
        The lightest leaf, as a fraction of the total weight, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"}, optional
        How many features, drawn at random, to look at in each node.  A fraction is of all of them; None is all.  More are
        looked at when none of these can split the node.
    random_state : int or RandomState, optional
        Draws the order of the features (which decides between equally good splits), and random thresholds.
    max_leaf_nodes : int, optional
        Grow the most useful splits first, up to so many leaves.
    min_impurity_decrease : float, default=0.0
        What a split must gain at least, weighted by the share of the samples that are in the node.
    class_weight : dict, list of dict or "balanced", optional
        Weights by label, one dict for each output; "balanced" gives all classes of an output the same total.
    ccp_alpha : float, default=0.0
        Prune every branch whose leaves are not worth this much impurity each (see ``minimal.tree.pruning``).
    monotonic_cst : array-like of int of shape (n_features,), optional
        1: the probability of the second class may only rise with the feature, -1: only fall, 0: either.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or a list of such arrays, one for each output
    n_classes_ : int, or ndarray of int64 of shape (n_outputs,)
    n_outputs_ : int
    max_features_ : int
    tree_ : minimal.tree.structure.Tree
    feature_importances_ : ndarray of float64 of shape (n_features,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X was a data frame with string column names.

    Notes
    -----
    The reference is ``sklearn.tree.DecisionTreeClassifier``, 1.9.1; the same seed gives the same tree.  Differs from the
    reference when

    - X is sparse with 64-bit indices: it is accepted here.

    Source: Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984.

    Examples
    --------
    >>> from minimal.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(random_state=0).fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"])
    >>> tree.predict([[0.5], [9.0]])
    array(['low', 'high'], dtype='<U4')
    """

    _parameters: ClassVar[Mapping[str, Sequence[Constraint]]] = {
        **GROWING,
        "criterion": [one_of("gini", "entropy", "log_loss")],
        "splitter": [one_of("best", "random")],
        "class_weight": [instance_of(dict), instance_of(list), one_of("balanced"), none],
    }

    def __init__(
        self,
        *,
        criterion: str = "gini",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: ArrayLike | None = None,
    ) -> None:
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst

    @forgets_on_error
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, check_input: bool = True
    ) -> DecisionTreeClassifier:
        """Grow the tree.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.  NaN marks a missing value (not in sparse data).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels: integers, booleans, strings, floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), optional
        check_input : bool, default=True
            False skips checks of X: it must then be finite, float32, dense or CSC.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data or combinations of them that do not fit together; the estimator is then not fitted.
        """
        return self._fit(X, y, sample_weight, check_input)

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        classes, codes = encode_columns(y)
        return codes, self._learn_classes(classes)

    # ------------------------------------------------------------ predictions

    def predict(self, X: Any, check_input: bool = True) -> NDArray[Any]:
        """The most frequent class in each sample's leaf; of equally frequent ones the first.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        check_input : bool, default=True
            False skips checks: ``X`` must then be an ndarray or a CSR matrix of float32.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), dtype of ``classes_``
        """
        leaves = self._leaves(X, check_input)
        value = self.tree_.value
        best = value[leaves].argmax(axis=2) if len(leaves) < len(value) else value.argmax(axis=2)[leaves]
        return self._labels(best)

    def predict_proba(self, X: Any, check_input: bool = True) -> Any:
        """The shares of the classes in each sample's leaf.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        check_input : bool, default=True
            As for :meth:`predict`.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes), or a list of such arrays, one for each output
            Columns in the order of ``classes_``.
        """
        leaves = self._leaves(X, check_input)
        shares = self.tree_.values_at(leaves)
        if self.n_outputs_ == 1:
            return shares
        return [shares[:, k, :n] for k, n in enumerate(self.n_classes_)]


class DecisionTreeRegressor(RegressorMixin, BaseDecisionTree):
    r"""A decision tree that predicts numbers.

    A node splits its samples in two by a question x[feature] <= threshold, the one that lowers the impurity most:

        squared_error: mean((y - mean(y))**2),    absolute_error: mean(abs(y - median(y))),
        poisson: mean(y log(y / mean(y)))         (half the deviance, up to a term that is the same for all splits)

    A sample's prediction is the mean (for "absolute_error" the median) of the training samples of the leaf in which it ends.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson"}, default="squared_error"
        The impurity.  "friedman_mse" is deprecated and means "squared_error", as in scikit-learn.
    splitter : {"best", "random"}, default="best"
        The best of all thresholds of a feature, or one that is drawn at random between its smallest and largest value.
    max_depth : int, optional
        Default: no limit.
    min_samples_split : int or float, default=2
        The smallest node that may be split, in samples or as a fraction of all of them.
    min_samples_leaf : int or float, default=1
        The smallest leaf, in samples or as a fraction.
    min_weight_fraction_leaf : float, default=0.0
        The lightest leaf, as a fraction of the total weight, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"}, optional
        How many features, drawn at random, to look at in each node.  A fraction is of all of them; None is all.  More are
        looked at when none of these can split the node.
    random_state : int or RandomState, optional
        Draws the order of the features (which decides between equally good splits), and random thresholds.
    max_leaf_nodes : int, optional
        Grow the most useful splits first, up to so many leaves.
    min_impurity_decrease : float, default=0.0
        What a split must gain at least, weighted by the share of the samples that are in the node.
    ccp_alpha : float, default=0.0
        Prune every branch whose leaves are not worth this much impurity each (see ``minimal.tree.pruning``).
    monotonic_cst : array-like of int of shape (n_features,), optional
        1: the prediction may only rise with the feature, -1: only fall, 0: either.

    Attributes
    ----------
    n_outputs_ : int
    max_features_ : int
    tree_ : minimal.tree.structure.Tree
    feature_importances_ : ndarray of float64 of shape (n_features,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X was a data frame with string column names.

    Notes
    -----
    The reference is ``sklearn.tree.DecisionTreeRegressor``, 1.9.1; the same seed gives the same tree.  Differs from the
    reference when

    - X is sparse with 64-bit indices: it is accepted here.

    Source: Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984.

    Examples
    --------
    >>> from minimal.tree import DecisionTreeRegressor
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=2).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 5.0, 7.0])
    >>> tree.predict([[0.5], [9.0]])
    array([0., 6.])
    """

    _parameters: ClassVar[Mapping[str, Sequence[Constraint]]] = {
        **GROWING,
        "criterion": [one_of("squared_error", "absolute_error", "poisson")],
        "splitter": [one_of("best", "random")],
    }

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        monotonic_cst: ArrayLike | None = None,
    ) -> None:
        self.criterion = without_friedman(criterion)
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst

    @forgets_on_error
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, check_input: bool = True
    ) -> DecisionTreeRegressor:
        """Grow the tree.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.  NaN marks a missing value (not in sparse data).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers; for the criterion "poisson" not negative and not all zero.
        sample_weight : array-like of shape (n_samples,), optional
        check_input : bool, default=True
            False skips checks of X and y: X must then be finite, float32, dense or CSC.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data or combinations of them that do not fit together; the estimator is then not fitted.
        """
        return self._fit(X, y, sample_weight, check_input)

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        self.n_outputs_ = y.shape[1]
        return np.ascontiguousarray(y, dtype=np.float64), np.ones(self.n_outputs_, dtype=np.int64)

    def predict(self, X: Any, check_input: bool = True) -> NDArray[np.float64]:
        """The mean (or median) of each sample's leaf.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        check_input : bool, default=True
            False skips checks: ``X`` must then be an ndarray or a CSR matrix of float32.

        Returns
        -------
        ndarray of float64 of shape (n_samples,) or (n_samples, n_outputs)
        """
        leaves = self._leaves(X, check_input)
        value = self.tree_.value
        return (value[:, 0, 0] if self.n_outputs_ == 1 else value[:, :, 0]).take(leaves, axis=0)

    def _compute_partial_dependence_recursion(self, grid: ArrayLike, target_features: ArrayLike) -> NDArray[np.float64]:
        """What ``sklearn.inspection.partial_dependence`` asks a tree for (see ``Tree.compute_partial_dependence``)."""
        grid = np.asarray(grid, dtype=np.float32)
        averages = np.zeros(len(grid))
        self.tree_.compute_partial_dependence(grid, np.asarray(target_features, dtype=np.int64), averages)
        return averages


def without_friedman(criterion: str) -> str:
    """``criterion``; for "friedman_mse" what it means, with the FutureWarning of the reference."""
    if isinstance(criterion, str) and criterion == "friedman_mse":
        warnings.warn(
            'Value `"friedman_mse"` for `criterion` is deprecated and will be removed in 1.11. It maps to `"squared_error"` '
            'as both were always equivalent. Use `criterion="squared_error"` to remove this warning.',
            FutureWarning,
            stacklevel=3,
        )
        return "squared_error"
    return criterion
