"""Logistic regression: the probability of a class as a smooth function of a weighted sum of the features.

This module holds the estimator: parameters, validation, what is learned, predictions.  The mathematics is in
``logistic_loss_numpy``, the solvers are in ``newton``, ``minimal.optimize.lbfgs`` and ``sag``.
"""

from __future__ import annotations

import sys
import warnings
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import BaseEstimator, ClassifierMixin, forgets_on_error
from minimal.engine import get_engine, twin
from minimal.exceptions import ConvergenceWarning, kin
from minimal.labels import class_weights, encode_labels
from minimal.linear_model.logistic_objective import BinaryObjective, MultinomialObjective, Objective
from minimal.linear_model.newton import newton_cg, newton_cholesky, run_lbfgs
from minimal.linear_model.sag import sag_logistic
from minimal.parameters import boolean, flag, instance_of, integer, none, one_of, random_state, real
from minimal.validation import (
    FLOATS,
    assert_finite,
    check_consistent_length,
    check_is_fitted,
    check_sample_weight,
    check_y,
    is_sparse,
)

__all__ = ["LogisticRegression"]

SMOOTH_SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky")


class LogisticRegression(ClassifierMixin, BaseEstimator):
    r"""Logistic regression, regularized by L2, L1 or both.

    Two classes: P(second class) = sigmoid(x.w + b).  More classes: P = softmax(x.W + b), all classes fitted together.
    The solvers minimize

        C * sum_i s_i loss_i + (1 - l1_ratio) / 2 * sum(w**2) + l1_ratio * sum(abs(w))

    where loss_i is the negative logarithm of the probability of the true class and s_i the sample's weight times that of its
    class.  The intercept is not regularized.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet", None}, default="deprecated"
        Deprecated, as in scikit-learn: use ``l1_ratio``, and ``C=inf`` for no penalty.
    C : float, default=1.0
        Inverse strength of the regularization, in (0, inf].
    l1_ratio : float, default=0.0
        0 is L2, 1 is L1, between them elastic net.  Only the solver "saga" can do more than 0.
    dual : bool, default=False
        True is an error: the dual formulation belongs to liblinear.
    tol : float, default=1e-4
        When to stop.  For "lbfgs" and "newton-cg": the largest element of the gradient of the mean loss; for
        "newton-cholesky" also half the squared Newton decrement; for "sag" and "saga": the largest change of a coefficient in
        one pass, relative to the largest coefficient.
    fit_intercept : bool, default=True
    intercept_scaling : float, default=1
        Without effect (it belongs to liblinear).
    class_weight : dict or "balanced", optional
        Weights by label; "balanced" gives all classes the same total.
    random_state : int or RandomState, optional
        Draws the samples of "sag" and "saga".
    solver : {"lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"}, default="lbfgs"
        "lbfgs" suits most; "newton-cholesky" many samples with few features, and features on different scales; "newton-cg"
        many features; "sag" and "saga" very many samples, with features of one scale.
    max_iter : int, default=100
    verbose : int, default=0
        The Newton solvers tell each step.
    warm_start : bool, default=False
        Begin where the last fit ended.
    n_jobs : int, optional
        Deprecated, without effect; :func:`minimal.set_num_threads` says how many threads to use.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        One row for two classes.  The dtype of X (float32 stays).
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : ndarray of shape (1,), int32
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X was a data frame with string column names.

    Notes
    -----
    The reference is ``sklearn.linear_model.LogisticRegression``, 1.9.1.  Differs from the reference when

    - ``solver="liblinear"`` or ``dual=True``: an error here.
    - probabilities are tiny: 1 - p is not computed by subtraction, and logarithms are taken from the scores; where the
      reference answers 0 and -inf with a warning, the answer here is the number.
    - X is float32: sums are in float64 here.
    - X holds NaN or infinity: the first value of the loss shows it, so the error may come after those of ``y`` and weights.

    Examples
    --------
    >>> import numpy as np
    >>> from minimal.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit(np.array([[0.0], [1.0], [2.0], [3.0]]), ["no", "no", "yes", "yes"])
    >>> model.predict([[0.2], [2.8]])
    array(['no', 'yes'], dtype='<U3')
    """

    _parameters = {  # noqa: RUF012 (a constant)
        "penalty": [one_of("l1", "l2", "elasticnet"), none, one_of("deprecated")],
        "C": [real(0, inf, "(]")],
        "l1_ratio": [real(0, 1), none],
        "dual": [boolean],
        "tol": [real(0, inf, "[)")],
        "fit_intercept": [boolean],
        "intercept_scaling": [real(0, inf, "()")],
        "class_weight": [instance_of(dict), one_of("balanced"), none],
        "random_state": [random_state],
        "solver": [one_of("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")],
        "max_iter": [integer(0, inf)],
        "verbose": [flag],
        "warm_start": [boolean],
        "n_jobs": [none, integer(-inf, inf, "()")],
    }

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: dict[Any, float] | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    # ------------------------------------------------------------ fit

    @forgets_on_error
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LogisticRegression:
        """Learn the coefficients.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels: integers, booleans, strings, floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data or combinations of them that do not fit together; the estimator is then not fitted.
        NotImplementedError
            For ``solver="liblinear"``; the message names the alternatives.

        Warns
        -----
        ConvergenceWarning
            If the solver stopped before it reached ``tol``.
        """
        self._check_parameters()
        penalty, C = self._penalty_and_C()
        smooth = self.solver in SMOOTH_SOLVERS
        look_later = smooth and get_engine() == "numba" and not is_sparse(X)  # the objective finds NaN and infinity
        X = self._check_X(X, reset=True, accept_sparse=("csr",), dtype=FLOATS, order="C", finite=not look_later)
        y = check_y(y, owner=type(self).__name__)
        check_consistent_length(X, y)
        classes, codes = encode_labels(y)
        if len(classes) < 2:
            if look_later:
                assert_finite(X, name="X", owner=type(self).__name__)
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{classes[0]!r}"
            )
        weight = self._weights(X, classes, codes, sample_weight)
        start = self._start(X.shape[1], len(classes))
        coef: NDArray[np.floating]
        if smooth:
            coef, n_iter = self._fit_smooth(X, codes, len(classes), weight, C, start)
        else:
            coef, n_iter = self._fit_sag(X, codes, len(classes), weight, penalty, C, start)
        self.classes_ = classes
        self._learn(coef.astype(X.dtype, copy=False), n_iter)
        return self

    def _penalty_and_C(self) -> tuple[str | None, float]:
        """What ``penalty``, ``l1_ratio`` and ``C`` say together, with the errors and warnings of the reference."""
        penalty = self.penalty
        if penalty == "deprecated":
            if self.l1_ratio is None:
                warnings.warn(
                    "'l1_ratio=None' is deprecated and will be an error in 1.10. Use 0<=l1_ratio<=1 instead.",
                    FutureWarning,
                    stacklevel=4,
                )
            penalty = "l2" if not self.l1_ratio else "l1" if self.l1_ratio == 1 else "elasticnet"
            penalty = None if inf == self.C else penalty
        else:
            warnings.warn(
                "'penalty' is deprecated and will be removed in 1.10. Leave it out and use l1_ratio=0 instead of "
                "penalty='l2', l1_ratio=1 instead of 'l1', a number between them instead of 'elasticnet', and C=np.inf "
                "instead of None.",
                FutureWarning,
                stacklevel=4,
            )
        self._check_solver(penalty)
        self._warn_of_contradictions(penalty)
        if self.n_jobs is not None:
            warnings.warn(
                f"'n_jobs' has no effect and will be removed in 1.10. You provided 'n_jobs={self.n_jobs}', please leave it "
                "unspecified.",
                FutureWarning,
                stacklevel=4,
            )
        if self.penalty is None:
            return "l2", inf
        return penalty, self.C

    def _check_solver(self, penalty: str | None) -> None:
        """Raise if the solver cannot do what is asked."""
        if self.solver == "liblinear":
            raise NotImplementedError(
                "The solver 'liblinear' does not exist here. Use 'lbfgs', 'newton-cholesky' or 'newton-cg' for an L2 penalty "
                "(they leave the intercept unpenalized), and 'saga' for L1."
            )
        if self.dual:
            raise ValueError(
                f"Solver {self.solver} supports only dual=False, got dual=True. With many features and few samples use "
                "solver='newton-cg' or 'lbfgs'."
            )
        if self.solver == "saga":
            return
        if penalty == "elasticnet":
            raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={self.solver}.")
        if penalty == "l1":
            raise ValueError(
                f"Solver {self.solver} supports only 'l2' or None penalties, got {penalty} penalty. Use solver='saga'."
            )

    def _warn_of_contradictions(self, penalty: str | None) -> None:
        """Warn where ``penalty``, ``l1_ratio`` and ``C`` contradict each other."""
        ratio = self.l1_ratio
        if penalty != "elasticnet" and ratio is not None and 0 < ratio < 1:
            warnings.warn(
                f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})", stacklevel=5
            )
        if (self.penalty == "l2" and ratio != 0) or (self.penalty == "l1" and ratio != 1):
            warnings.warn(
                f"Inconsistent values: penalty={self.penalty} with l1_ratio={ratio}. penalty is deprecated. Please use "
                "l1_ratio only.",
                stacklevel=5,
            )
        if penalty == "elasticnet" and ratio is None:
            raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
        if self.penalty is None and self.C != 1.0:
            warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", stacklevel=5)

    def _weights(
        self, X: Any, classes: NDArray[Any], codes: NDArray[np.int64], sample_weight: ArrayLike | None
    ) -> NDArray[np.floating] | None:
        """Sample weights times class weights, rounded to the dtype of X as in the reference; None if all are one."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = check_sample_weight(sample_weight, X, dtype=X.dtype)
        return weight * class_weights(self.class_weight, classes, codes, weight).astype(X.dtype)[codes]

    def _start(self, n_features: int, n_classes: int) -> NDArray[np.float64]:
        """Where the solver begins, as a matrix of shape (1 or n_classes, n_features (+ 1)): zeros, or the last solution."""
        shape = (1 if n_classes == 2 else n_classes, n_features + self.fit_intercept)
        if not self.warm_start or "coef_" not in vars(self):
            return np.zeros(shape)
        coef = np.asarray(_dense(self.coef_), dtype=np.float64)
        if self.fit_intercept:
            coef = np.column_stack([coef, self.intercept_])
        if coef.shape != shape:
            raise ValueError(f"Initialization coef is of shape {coef.shape}, expected shape {shape}")
        return coef

    def _fit_smooth(
        self,
        X: Any,
        codes: NDArray[np.int64],
        n_classes: int,
        weight: NDArray[np.floating] | None,
        C: float,
        start: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], int]:
        """Coefficients like ``start`` and iterations, by a smooth solver; the loss is a mean here, so l2 = 1 / (C n)."""
        n = X.shape[0]
        total = float(n) if weight is None else float(weight.sum(dtype=np.float64))
        share = np.array([1.0 / n])  # one number for all is enough
        if weight is not None:
            share = weight.astype(np.float64) / total
        l2, owner = 1.0 / (C * total), type(self).__name__
        objective: Objective
        if n_classes == 2:
            objective = BinaryObjective(X, codes, share, l2, self.fit_intercept, owner)
        else:
            objective = MultinomialObjective(X, codes, n_classes, share, l2, self.fit_intercept, owner)
        x0 = start.T.reshape(-1)
        if self.solver == "lbfgs":
            x, n_iter = run_lbfgs(objective, x0, tol=self.tol, max_iter=self.max_iter)
        elif self.solver == "newton-cg":
            x, n_iter = newton_cg(objective, x0, tol=self.tol, max_iter=self.max_iter, verbose=self.verbose)
        else:
            eps = 16 * float(np.finfo(X.dtype).eps)
            x, n_iter = newton_cholesky(
                objective, x0, tol=self.tol, max_iter=self.max_iter, eps=eps, verbose=self.verbose
            )
        return x.reshape(-1, len(start)).T, n_iter

    def _fit_sag(
        self,
        X: Any,
        codes: NDArray[np.int64],
        n_classes: int,
        weight: NDArray[np.floating] | None,
        penalty: str | None,
        C: float,
        start: NDArray[np.float64],
    ) -> tuple[NDArray[np.floating], int]:
        """Coefficients like ``start`` and passes over the data, by a stochastic solver."""
        ratio = {"l1": 1.0, "l2": 0.0}.get(penalty or "l2", self.l1_ratio or 0.0)
        coef, n_iter, _ = sag_logistic(
            X,
            codes,
            weight,
            n_classes=n_classes,
            fit_intercept=self.fit_intercept,
            alpha=1.0 / C * (1 - ratio),
            beta=1.0 / C * ratio,
            max_iter=self.max_iter,
            tol=self.tol,
            saga=self.solver == "saga",
            random_state=self.random_state,
            warm_start_mem={"coef": start.T},
        )
        if n_iter == self.max_iter:
            warnings.warn(
                f"max_iter ({self.max_iter}) was reached, which means that the coefficients did not converge.",
                kin(ConvergenceWarning),
                stacklevel=4,
            )
        return coef, n_iter

    def _learn(self, coef: NDArray[np.floating], n_iter: int) -> None:
        """Store a matrix of shape (1 or n_classes, n_features (+ 1)) as the fitted attributes."""
        n_features = self.n_features_in_
        self.coef_ = np.ascontiguousarray(coef[:, :n_features])
        self.intercept_ = coef[:, n_features].copy() if self.fit_intercept else np.zeros(len(coef), coef.dtype)
        self.n_iter_ = np.array([n_iter], dtype=np.int32)

    # ------------------------------------------------------------ predictions

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """The scores x.w + b.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
            For two classes, a score above 0 means the second.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False, accept_sparse=("csr",), dtype="numeric")
        scores = _dense(X @ self.coef_.T) + self.intercept_
        return scores.reshape(-1) if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each sample.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), dtype of ``classes_``
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """The probability of each class.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; a row sums to one.
        """
        return twin("minimal.linear_model.logistic_link").probabilities(self.decision_function(X))

    def predict_log_proba(self, X: Any) -> NDArray[np.floating]:
        """The logarithm of the probability of each class, taken from the scores: it never overflows.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return twin("minimal.linear_model.logistic_link").log_probabilities(self.decision_function(X))

    # ------------------------------------------------------------ sparse coefficients

    def sparsify(self) -> LogisticRegression:
        """Store ``coef_`` as a SciPy CSR matrix, which saves memory where L1 left few coefficients.

        Raises
        ------
        ImportError
            If the program has not imported ``scipy.sparse``, which is not loaded here.
        """
        check_is_fitted(self)
        sparse = sys.modules.get("scipy.sparse")
        if sparse is None:
            raise ImportError("sparsify stores a SciPy matrix: import scipy.sparse first.")
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> LogisticRegression:
        """Store ``coef_`` as an array again; does nothing if it is one."""
        check_is_fitted(self)
        self.coef_ = _dense(self.coef_)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(matrix: Any) -> NDArray[Any]:
    return matrix.toarray() if is_sparse(matrix) else matrix
