"""What all forests do: draw seeds, grow a tree from each, ask all trees.

Trees grow on threads.  They share one copy of the data, already in the form that growing likes best, and each depends on its
own seed alone: any number of threads gives the same forest.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import BaseEstimator
from minimal.engine import twin
from minimal.ensemble.bootstrap import draw, number_to_draw
from minimal.ensemble.voting import leaves_of_all, sum_of_values
from minimal.exceptions import DataConversionWarning, kin
from minimal.parameters import (
    Constraint,
    anything_callable,
    boolean,
    flag,
    integer,
    none,
)
from minimal.random import check_random_state
from minimal.threads import get_num_threads, run_blocks
from minimal.tree.decision_tree import READ_BY_WALKS, float32_csr
from minimal.tree.input import (
    as_columns,
    balanced_in_sample,
    check_poisson,
    check_targets,
    for_growing,
    missing_features,
)
from minimal.tree.kinship import KnownToSklearn
from minimal.tree.options import GROWING, positive_fraction
from minimal.tree.structure import Tree, indicator_matrix
from minimal.validation import (
    check_consistent_length,
    check_is_fitted,
    check_sample_weight,
    is_sparse,
    raise_not_finite,
)

__all__ = ["FOREST", "BaseForest"]

LARGEST_SEED = 2**31 - 1

FOREST: Mapping[str, Sequence[Constraint]] = {
    **GROWING,
    "n_estimators": [integer(1, inf)],
    "bootstrap": [boolean],
    "oob_score": [boolean, anything_callable],
    "n_jobs": [integer(-inf, inf, "()"), none],
    "verbose": [flag],
    "warm_start": [boolean],
    "max_samples": [none, positive_fraction, integer(1, inf)],
}


class BaseForest(KnownToSklearn, BaseEstimator):
    """What forests of classification and of regression trees have in common."""

    _reference_module = "sklearn.ensemble"
    _Tree: ClassVar[Any]  # the class of the trees

    n_estimators: int
    criterion: str
    bootstrap: bool
    oob_score: bool | Callable[..., float]
    n_jobs: int | None
    random_state: int | np.random.RandomState | None
    verbose: int
    warm_start: bool
    max_samples: float | None
    class_weight: Any = None  # regressors have none

    estimators_: list[Any]
    n_outputs_: int

    # ------------------------------------------------------------ fit

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Any:
        """Everything behind ``fit`` of both kinds of forest."""
        self._check_parameters()
        X, y, missing, weight = self._check_data(X, y, sample_weight)
        codes, n_classes = self._learn_targets(y)
        of_classes = self._weights_of_classes(codes, weight)
        if of_classes is not None:
            weight = of_classes if weight is None else weight * of_classes
        self._check_bootstrap()
        self._n_samples, self._sample_weight = len(codes), weight
        self._n_samples_bootstrap = number_to_draw(self.max_samples, len(codes), weight) if self.bootstrap else None
        seeds = self._draw_seeds()
        if len(seeds) > 0:
            self.estimators_ = self.estimators_ + self._grow_trees(seeds, X, codes, n_classes, missing)
        if self.oob_score and (len(seeds) > 0 or "oob_score_" not in vars(self)):
            self._learn_oob(X, codes)
        return self

    def _check_data(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> tuple[Any, NDArray[Any], NDArray[np.bool_] | None, NDArray[np.floating] | None]:
        """``X`` as float32, ``y`` as columns, which features have missing values, and the weights if there are any."""
        me = type(self).__name__
        if is_sparse(y):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and infinite is an error
            X = self._check_X(X, reset=True, accept_sparse=("csc",), dtype=np.float32, finite=False)
        y = check_targets(y, me)
        check_consistent_length(X, y)
        missing = missing_features(X, me)
        weight = None if sample_weight is None else check_sample_weight(sample_weight, X)
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), "
                "for example using ravel().",
                kin(DataConversionWarning),
                stacklevel=4,
            )
        if self.criterion == "poisson":
            check_poisson(y)
        return for_growing(X), as_columns(y), missing, weight

    def _learn_targets(self, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The targets as growers want them, and how many classes each output has (1 in regression)."""
        raise NotImplementedError

    def _weights_of_classes(
        self, codes: NDArray[np.float64], sample_weight: NDArray[np.floating] | None
    ) -> NDArray[np.float64] | None:
        """What each sample weighs because of its classes, where that does not depend on the draw."""
        return None

    def _check_bootstrap(self) -> None:
        if not self.bootstrap and self.max_samples is not None:
            raise ValueError(
                "`max_sample` cannot be set if `bootstrap=False`. Either switch to `bootstrap=True` or set `max_sample=None`."
            )
        if not self.bootstrap and self.oob_score:
            raise ValueError("Out of bag estimation only available if bootstrap=True")

    def _draw_seeds(self) -> NDArray[np.int64]:
        """The seeds of the trees to grow; those of the trees that stand already are drawn too, and left out."""
        generator = check_random_state(self.random_state)
        if not self.warm_start or "estimators_" not in vars(self):
            self.estimators_ = []
        n_old = len(self.estimators_)
        if self.n_estimators < n_old:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to len(estimators_)={n_old} when warm_start==True"
            )
        if self.n_estimators == n_old:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.", UserWarning, stacklevel=4
            )
            return np.empty(0, dtype=np.int64)
        return generator.randint(LARGEST_SEED, size=self.n_estimators)[n_old:]

    def _grow_trees(
        self,
        seeds: NDArray[np.int64],
        X: Any,
        codes: NDArray[np.float64],
        n_classes: NDArray[np.int64],
        missing: NDArray[np.bool_] | None,
    ) -> list[Any]:
        """One fitted tree for each seed, several at a time."""
        self.estimator_ = self._Tree()
        trees = [self._new_tree(int(seed)) for seed in seeds]
        shared = twin("minimal.tree.growing").share(X, missing)

        def grow(number: int) -> None:
            if self.verbose > 1:
                print(f"building tree {number + 1} of {len(trees)}")
            tree = trees[number]
            tree._grow(X, codes, n_classes, self._weights_in_tree(tree.random_state, codes), missing, shared)

        run_blocks(grow, len(trees), n_threads(self.n_jobs))
        return trees

    def _new_tree(self, seed: int) -> Any:
        """A tree with the parameters of this forest, which knows everything but its nodes."""
        names = (name for name in self._Tree._parameters if name in self._parameters)
        given = {name: getattr(self, name) for name in names} | {"random_state": seed}
        given.pop("class_weight", None)  # the forest has weighted the samples
        tree = self._Tree(**given)
        tree.n_features_in_, tree.n_outputs_ = self.n_features_in_, self.n_outputs_
        return tree

    def _weights_in_tree(self, seed: int, codes: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """What each sample weighs in a tree: how often it was drawn, or its own weight if nothing is drawn."""
        if not self.bootstrap:
            return None if self._sample_weight is None else self._sample_weight.astype(np.float64)
        drawn = self._draw(seed)
        weight = np.bincount(drawn, minlength=self._n_samples).astype(np.float64)
        if self.class_weight == "balanced_subsample":
            weight *= balanced_in_sample(codes, drawn)
        return weight

    def _draw(self, seed: int) -> NDArray[np.int32]:
        """The samples that a tree sees, in the order of the draw."""
        if not self.bootstrap:
            return np.arange(self._n_samples, dtype=np.int32)
        return draw(seed, self._n_samples, self._n_samples_bootstrap, self._sample_weight)  # type: ignore[arg-type]

    # ------------------------------------------------------------ out of bag

    def _learn_oob(self, X: Any, y: NDArray[np.float64]) -> None:
        """Set ``oob_score_`` and the predictions that it judges."""
        raise NotImplementedError

    def _predict_oob(self, X: Any, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each training sample the mean of the values of those trees that did not see it.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_outputs, max_n_classes)
            Zero, with a warning, for samples that all trees saw.
        """
        X = X.tocsr() if is_sparse(X) else X
        trees = self._trees()
        total = np.zeros((len(y), trees[0].n_outputs, trees[0].max_n_classes))
        times = np.zeros(len(y), dtype=np.int64)
        for estimator in self.estimators_:
            unseen = np.flatnonzero(np.bincount(self._draw(estimator.random_state), minlength=len(y)) == 0)
            if len(unseen) > 0:
                leaves, _ = estimator.tree_.leaves(X[unseen])
                total[unseen] += estimator.tree_.value[leaves]
                times[unseen] += 1
        if (times == 0).any():
            warnings.warn(
                "Some inputs do not have OOB scores. This probably means too few trees were used to compute any reliable OOB "
                "estimates.",
                UserWarning,
                stacklevel=5,
            )
        return total / np.maximum(times, 1)[:, np.newaxis, np.newaxis]

    # ------------------------------------------------------------ where samples end

    def _trees(self) -> list[Tree]:
        return [estimator.tree_ for estimator in self.estimators_]

    def _check_new(self, X: Any) -> Any:
        """``X`` for walking; its values are looked at while walking."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False, accept_sparse=("csr",), dtype=READ_BY_WALKS, finite=False)
        return float32_csr(X, type(self).__name__) if is_sparse(X) else X

    def _raise_if(self, is_infinite: bool) -> None:
        if is_infinite:
            raise_not_finite("infinity", np.dtype(np.float32), name="X", owner=type(self).__name__)

    def _mean_values(self, X: Any) -> NDArray[np.float64]:
        """The mean over the trees of the values of the leaves, of shape (n_samples, n_outputs, max_n_classes)."""
        X = self._check_new(X)
        total, is_finite = sum_of_values(self._trees(), X, n_threads(self.n_jobs))
        self._raise_if(not is_finite)
        total /= len(self.estimators_)
        return total

    def apply(self, X: Any) -> NDArray[np.int64]:
        """The leaf in which each sample ends, in each tree.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
            Rounded to float32.

        Returns
        -------
        ndarray of int64 of shape (n_samples, n_estimators)
        """
        X = self._check_new(X)
        leaves, is_finite = leaves_of_all(self._trees(), X, n_threads(self.n_jobs))
        self._raise_if(not is_finite)
        return leaves

    def decision_path(self, X: Any) -> tuple[Any, NDArray[np.int64]]:
        """Which nodes of all trees each sample passes.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        indicator : SciPy CSR matrix of int64 of shape (n_samples, n_nodes of all trees)
            One where the sample passes the node.
        n_nodes_ptr : ndarray of int64 of shape (n_estimators + 1,)
            The columns ``n_nodes_ptr[i]`` to ``n_nodes_ptr[i + 1]`` belong to tree i.

        Raises
        ------
        ImportError
            If SciPy is not installed; each tree's ``tree_.decision_path_arrays`` does without.
        """
        leaves = self.apply(X)
        paths = [tree.paths_to(ends) for tree, ends in zip(self._trees(), leaves.T, strict=True)]
        first_node = np.cumsum([0] + [tree.node_count for tree in self._trees()])
        indptr = np.sum([indptr for _, indptr in paths], axis=0)
        indices = np.empty(indptr[-1], dtype=np.int64)
        place = indptr[:-1].copy()  # where the next tree writes in each row
        for (nodes, own), offset in zip(paths, first_node, strict=False):
            lengths = np.diff(own)
            indices[np.repeat(place - own[:-1], lengths) + np.arange(len(nodes))] = nodes + offset
            place += lengths
        if max(len(indices), first_node[-1]) <= np.iinfo(np.int32).max:  # as SciPy stacks matrices
            indices, indptr = indices.astype(np.int32), indptr.astype(np.int32)
        return indicator_matrix(indices, indptr, int(first_node[-1])), first_node

    # ------------------------------------------------------------ what was learned

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The mean of the trees' importances, as shares that sum to one; zeros if no tree has a split."""
        check_is_fitted(self)
        importances = [tree.compute_feature_importances() for tree in self._trees() if tree.node_count > 1]
        if not importances:
            return np.zeros(self.n_features_in_)
        mean: NDArray[np.float64] = np.mean(importances, axis=0)
        return mean / mean.sum()

    @property
    def estimators_samples_(self) -> list[NDArray[np.int32]]:
        """The samples that each tree saw, drawn again from its seed."""
        check_is_fitted(self)
        return [self._draw(tree.random_state) for tree in self.estimators_]

    def __len__(self) -> int:
        return len(self.estimators_)

    def __getitem__(self, index: Any) -> Any:
        return self.estimators_[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.estimators_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


def n_threads(n_jobs: int | None) -> int:
    """How many trees grow, or blocks of samples walk, at a time: scikit-learn's meaning of ``n_jobs``.

    Raises
    ------
    ValueError
        For 0.
    """
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning: None or 1 for one thread, -1 for all.")
    return int(n_jobs) if n_jobs > 0 else max(1, get_num_threads() + 1 + int(n_jobs))
