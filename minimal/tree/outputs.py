"""What classifiers with one or several outputs have in common: trees, and forests of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import ClassifierMixin
from minimal.validation import check_consistent_length


class MultiOutputClassifierMixin(ClassifierMixin):
    """Labels, logarithms and scores of several outputs; those of one output come without a list around them."""

    n_outputs_: int
    classes_: Any
    n_classes_: Any

    def _learn_classes(self, classes: list[NDArray[Any]]) -> NDArray[np.int64]:
        """Store the sorted classes of each output; how many they are."""
        n_classes = np.array([len(labels) for labels in classes], dtype=np.int64)
        self.n_outputs_ = len(classes)
        self.classes_ = classes[0] if self.n_outputs_ == 1 else classes
        self.n_classes_ = n_classes[0] if self.n_outputs_ == 1 else n_classes
        return n_classes

    def _labels(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """The labels at positions of shape (n_samples, n_outputs) among the classes."""
        if self.n_outputs_ == 1:
            return self.classes_.take(positions[:, 0])
        return np.column_stack([labels.take(positions[:, k]) for k, labels in enumerate(self.classes_)])

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of ``predict_proba``: -inf, with NumPy's warning, for a class whose probability is zero.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes), or a list of such arrays, one for each output
        """
        shares = self.predict_proba(X)  # type: ignore[attr-defined]
        return np.log(shares) if self.n_outputs_ == 1 else [np.log(share) for share in shares]

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of samples of which every output is predicted right.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True labels.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        ValueError
            If there are several outputs and more than two labels, as in scikit-learn.
        """
        truth = np.asarray(y)
        if truth.ndim < 2 or truth.shape[1] == 1:
            return super().score(X, y, sample_weight)
        predicted = self.predict(X)  # type: ignore[attr-defined]
        check_consistent_length(truth, predicted, sample_weight)
        if len(np.unique(truth)) > 2:
            raise ValueError("multiclass-multioutput is not supported: score one output at a time.")
        weight = None if sample_weight is None else np.asarray(sample_weight)
        return float(np.average((truth == predicted).all(axis=1), weights=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
