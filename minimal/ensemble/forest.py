"""Random forests: many trees, each grown on its own draw of the samples and looking at its own draws of features.

A single deep tree follows its training data too closely; the mean of many that err in different ways does not.  This module
holds the two estimators, ``base_forest`` what both do.  The draws of samples are in ``bootstrap``, the adding up of
predictions in ``voting``, everything about a tree in :mod:`minimal.tree`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import RegressorMixin, forgets_on_error
from minimal.ensemble.base_forest import FOREST, BaseForest
from minimal.parameters import Constraint, instance_of, none, one_of
from minimal.tree import DecisionTreeClassifier, DecisionTreeRegressor
from minimal.tree.decision_tree import without_friedman
from minimal.tree.input import encode_columns, weights_of_classes
from minimal.tree.outputs import MultiOutputClassifierMixin

__all__ = ["RandomForestClassifier", "RandomForestRegressor"]


class RandomForestClassifier(MultiOutputClassifierMixin, BaseForest):
    """A random forest that tells classes apart: its probabilities are the mean of those of its trees.

    Parameters
    ----------
    n_estimators : int, default=100
        How many trees.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
    max_depth : int, optional
        Default: no limit.
    min_samples_split : int or float, default=2
        The smallest node that may be split, in samples or as a fraction of all of them.
    min_samples_leaf : int or float, default=1
        The smallest leaf, in samples or as a fraction.
    min_weight_fraction_leaf : float, default=0.0
        The lightest leaf, as a fraction of the total weight, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"} or None, default="sqrt"
        How many features, drawn at random, to look at in each node.  A fraction is of all of them; None is all.
    max_leaf_nodes : int, optional
        Grow the most useful splits first, up to so many leaves.
    min_impurity_decrease : float, default=0.0
        What a split must gain at least, weighted by the share of the samples that are in the node.
    bootstrap : bool, default=True
        Whether each tree sees its own draw of the samples, with replacement, or all of them.
    oob_score : bool or callable, default=False
        Whether to judge each training sample by the trees that did not see it.  A callable ``score(y_true, y_pred)`` replaces
        the share of samples predicted right.
    n_jobs : int, optional
        How many trees grow, and blocks of samples are predicted, at the same time, on threads.  As in scikit-learn, None is
        1, -1 is all threads (:func:`minimal.get_num_threads`), -2 all but one.  With 1, the threads work inside each tree
        instead where that pays.  The answers do not depend on it.
    random_state : int or RandomState, optional
        Gives each tree its seed, which draws its samples and its features.
    verbose : int, default=0
        2 and more tells each tree that begins to grow.
    warm_start : bool, default=False
        Keep the trees that stand, and add what is missing to ``n_estimators``.
    class_weight : dict, list of dict, "balanced" or "balanced_subsample", optional
        Weights by label, one dict for each output; "balanced" gives all classes of an output the same total, and
        "balanced_subsample" does that in each tree's draw.
    ccp_alpha : float, default=0.0
        Prune each tree (see :mod:`minimal.tree.pruning`).
    max_samples : int or float, optional
        How many samples to draw for a tree; a fraction is of their number, or of the sum of their weights.  Default: all.
    monotonic_cst : array-like of int of shape (n_features,), optional
        1: the probability of the second class may only rise with the feature, -1: only fall, 0: either.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or a list of such arrays, one for each output
    n_classes_ : int, or ndarray of int64 of shape (n_outputs,)
    estimator_ : DecisionTreeClassifier
        A tree that is not fitted.
    estimators_ : list of DecisionTreeClassifier
        The fitted trees.  Their classes are the positions 0.0, 1.0, ... among ours.
    estimators_samples_ : list of ndarray of int32
        The samples that each tree saw, in the order of the draw.
    feature_importances_ : ndarray of float64 of shape (n_features,)
    n_features_in_, n_outputs_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X was a data frame with string column names.
    oob_score_ : float
        With ``oob_score``.
    oob_decision_function_ : ndarray of float64 of shape (n_samples, n_classes) or (n_samples, n_classes, n_outputs)
        With ``oob_score``: the mean of the trees that did not see the sample.

    Notes
    -----
    The reference is ``sklearn.ensemble.RandomForestClassifier``, 1.9.1; the same seed gives the same forest.  Differs from
    the reference when

    - ``n_jobs`` is above 1: the reference adds up predictions in the order in which threads finish; here it is always the
      order of the trees, which the reference has with one.
    - X is sparse with 64-bit indices: it is accepted here.
    - a joblib backend is chosen by a ``with`` block: it has no effect here.

    Source: Breiman, "Random Forests", Machine Learning 45, 2001.
    """

    _Tree = DecisionTreeClassifier
    _parameters: ClassVar[Mapping[str, Sequence[Constraint]]] = {
        **FOREST,
        "criterion": [one_of("gini", "entropy", "log_loss")],
        "class_weight": [one_of("balanced", "balanced_subsample"), instance_of(dict), instance_of(list), none],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | str | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: bool | Callable[..., float] = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: ArrayLike | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst

    @forgets_on_error
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> RandomForestClassifier:
        """Grow the trees.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.  NaN marks a missing value (not in sparse data).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels: integers, booleans, strings, floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), optional
            With ``bootstrap`` the probability to be drawn, else the weight in each tree.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data or combinations of them that do not fit together; the estimator is then not fitted.
        """
        return self._fit(X, y, sample_weight)

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        classes, codes = encode_columns(y)
        return codes, self._learn_classes(classes)

    def _weights_of_classes(
        self, codes: NDArray[np.float64], sample_weight: NDArray[np.floating] | None
    ) -> NDArray[np.float64] | None:
        how = self.class_weight
        if isinstance(how, str) and self.warm_start:
            warnings.warn(
                'class_weight presets "balanced" or "balanced_subsample" are not recommended for warm_start if the fitted '
                "data differs from the full dataset: each fit then balances by other counts. Pass the weights as a dict "
                "instead.",
                UserWarning,
                stacklevel=5,
            )
        if how is None or (how == "balanced_subsample" and self.bootstrap):
            return None
        classes = [self.classes_] if self.n_outputs_ == 1 else self.classes_
        if isinstance(how, str):
            return weights_of_classes("balanced", classes, codes, sample_weight)
        return weights_of_classes(how, classes, codes)

    def _new_tree(self, seed: int) -> DecisionTreeClassifier:
        tree = super()._new_tree(seed)
        tree._learn_classes([np.arange(n, dtype=np.float64) for n in np.atleast_1d(self.n_classes_)])
        return tree

    def _learn_oob(self, X: Any, y: NDArray[np.float64]) -> None:
        if self.n_outputs_ > 1 and max(self.n_classes_) > 2:
            raise ValueError(
                "The type of target cannot be used to compute OOB estimates. Got multiclass-multioutput while only the "
                "following are supported: continuous, continuous-multioutput, binary, multiclass, multilabel-indicator."
            )
        shares = self._predict_oob(X, y).transpose(0, 2, 1)
        self.oob_decision_function_ = np.ascontiguousarray(shares[:, :, 0] if self.n_outputs_ == 1 else shares)
        predicted = self.oob_decision_function_.argmax(axis=1)
        if callable(self.oob_score):
            self.oob_score_ = self.oob_score(y, predicted)
        else:
            self.oob_score_ = float((y == predicted.reshape(y.shape)).all(axis=1).mean())

    # ------------------------------------------------------------ predictions

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each sample; of equally probable ones the first.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), dtype of ``classes_``
        """
        return self._labels(self._mean_values(X).argmax(axis=2))

    def predict_proba(self, X: Any) -> Any:
        """The mean of the trees' probabilities.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes), or a list of such arrays, one for each output
            Columns in the order of ``classes_``.
        """
        shares = self._mean_values(X)
        if self.n_outputs_ == 1:
            return shares[:, 0, :]
        return [np.ascontiguousarray(shares[:, k, :n]) for k, n in enumerate(self.n_classes_)]


class RandomForestRegressor(RegressorMixin, BaseForest):
    """A random forest that predicts numbers: the mean of what its trees predict.

    Parameters
    ----------
    n_estimators : int, default=100
        How many trees.
    criterion : {"squared_error", "absolute_error", "poisson"}, default="squared_error"
        "friedman_mse" is deprecated and means "squared_error", as in scikit-learn.
    max_depth : int, optional
        Default: no limit.
    min_samples_split : int or float, default=2
        The smallest node that may be split, in samples or as a fraction of all of them.
    min_samples_leaf : int or float, default=1
        The smallest leaf, in samples or as a fraction.
    min_weight_fraction_leaf : float, default=0.0
        The lightest leaf, as a fraction of the total weight, in [0, 0.5].
    max_features : int, float, {"sqrt", "log2"} or None, default=1.0
        How many features, drawn at random, to look at in each node.  A fraction is of all of them; None is all.
    max_leaf_nodes : int, optional
        Grow the most useful splits first, up to so many leaves.
    min_impurity_decrease : float, default=0.0
        What a split must gain at least, weighted by the share of the samples that are in the node.
    bootstrap : bool, default=True
        Whether each tree sees its own draw of the samples, with replacement, or all of them.
    oob_score : bool or callable, default=False
        Whether to judge each training sample by the trees that did not see it.  A callable ``score(y_true, y_pred)`` replaces
        R squared.
    n_jobs : int, optional
        How many trees grow, and blocks of samples are predicted, at the same time, on threads.  As in scikit-learn, None is
        1, -1 is all threads (:func:`minimal.get_num_threads`), -2 all but one.  With 1, the threads work inside each tree
        instead where that pays.  The answers do not depend on it.
    random_state : int or RandomState, optional
        Gives each tree its seed, which draws its samples and its features.
    verbose : int, default=0
        2 and more tells each tree that begins to grow.
    warm_start : bool, default=False
        Keep the trees that stand, and add what is missing to ``n_estimators``.
    ccp_alpha : float, default=0.0
        Prune each tree (see :mod:`minimal.tree.pruning`).
    max_samples : int or float, optional
        How many samples to draw for a tree; a fraction is of their number, or of the sum of their weights.  Default: all.
    monotonic_cst : array-like of int of shape (n_features,), optional
        1: the prediction may only rise with the feature, -1: only fall, 0: either.

    Attributes
    ----------
    estimator_ : DecisionTreeRegressor
        A tree that is not fitted.
    estimators_ : list of DecisionTreeRegressor
        The fitted trees.
    estimators_samples_ : list of ndarray of int32
        The samples that each tree saw, in the order of the draw.
    feature_importances_ : ndarray of float64 of shape (n_features,)
    n_features_in_, n_outputs_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X was a data frame with string column names.
    oob_score_ : float
        With ``oob_score``.
    oob_prediction_ : ndarray of float64 of shape (n_samples,) or (n_samples, n_outputs)
        With ``oob_score``: the mean of the trees that did not see the sample.

    Notes
    -----
    The reference is ``sklearn.ensemble.RandomForestRegressor``, 1.9.1; the same seed gives the same forest.  Differs from
    the reference when

    - ``n_jobs`` is above 1: the reference adds up predictions in the order in which threads finish; here it is always the
      order of the trees, which the reference has with one.
    - X is sparse with 64-bit indices: it is accepted here.
    - a joblib backend is chosen by a ``with`` block: it has no effect here.

    Source: Breiman, "Random Forests", Machine Learning 45, 2001.
    """

    _Tree = DecisionTreeRegressor
    _parameters: ClassVar[Mapping[str, Sequence[Constraint]]] = {
        **FOREST,
        "criterion": [one_of("squared_error", "absolute_error", "poisson")],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | str | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: bool | Callable[..., float] = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: ArrayLike | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = without_friedman(criterion)
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst

    @forgets_on_error
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> RandomForestRegressor:
        """Grow the trees.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.  NaN marks a missing value (not in sparse data).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers; for the criterion "poisson" not negative and not all zero.
        sample_weight : array-like of shape (n_samples,), optional
            With ``bootstrap`` the probability to be drawn, else the weight in each tree.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data or combinations of them that do not fit together; the estimator is then not fitted.
        """
        return self._fit(X, y, sample_weight)

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        self.n_outputs_ = y.shape[1]
        return np.ascontiguousarray(y, dtype=np.float64), np.ones(self.n_outputs_, dtype=np.int64)

    def _learn_oob(self, X: Any, y: NDArray[np.float64]) -> None:
        predicted = self._predict_oob(X, y)[:, :, 0]
        self.oob_prediction_ = predicted[:, 0].copy() if self.n_outputs_ == 1 else predicted
        if callable(self.oob_score):
            self.oob_score_ = self.oob_score(y, self.oob_prediction_)
        else:
            self.oob_score_ = _Given(predicted).score(None, y)

    # ------------------------------------------------------------ predictions

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The mean of the trees' predictions.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64 of shape (n_samples,) or (n_samples, n_outputs)
        """
        means = self._mean_values(X)[:, :, 0]
        return means[:, 0] if self.n_outputs_ == 1 else means

    def _compute_partial_dependence_recursion(self, grid: ArrayLike, target_features: ArrayLike) -> NDArray[np.float64]:
        """What ``sklearn.inspection.partial_dependence`` asks a forest for."""
        grid = np.asarray(grid, dtype=np.float32)
        targets, averages = np.asarray(target_features, dtype=np.int64), np.zeros(len(grid))
        for tree in self._trees():
            tree.compute_partial_dependence(grid, targets, averages)
        averages /= len(self.estimators_)
        return averages


class _Given(RegressorMixin):
    """A regressor whose predictions are given."""

    def __init__(self, predictions: NDArray[np.float64]) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> NDArray[np.float64]:
        return self.predictions
