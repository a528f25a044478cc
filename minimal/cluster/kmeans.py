"""k-means: k centres, each the mean of the samples that are nearer to it than to any other."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.base import BaseEstimator, ClusterMixin, TransformerMixin, forgets_on_error, in_container
from minimal.cluster import rounds, sparse_rows
from minimal.cluster.rounds import DenseLloyd, Elkan, Lloyd, Run, Stop
from minimal.cluster.seeding import pick_far_apart, rows_at
from minimal.engine import twin
from minimal.exceptions import ConvergenceWarning, kin
from minimal.kernel_input import as_kernel_input
from minimal.parameters import (
    Constraint,
    anything_callable,
    boolean,
    check_parameters,
    flag,
    integer,
    one_of,
    random_state,
    real,
)
from minimal.random import check_random_state
from minimal.validation import check_array, check_is_fitted, check_sample_weight, is_sparse

__all__ = ["KMeans", "k_means"]

Array = NDArray[Any]

FLOATS = (np.float64, np.float32)  # what keeps its type; everything else becomes the first

array_like = Constraint(lambda value: _is_array_like(value), "an array-like")


class KMeans(TransformerMixin, ClusterMixin, BaseEstimator):
    """Find ``n_clusters`` centres with a small sum of squared distances from the samples to their nearest centre.

        inertia = sum_i w_i min_j |x_i - c_j|^2

    A round assigns every sample to its nearest centre and moves every centre to the mean of its samples.  That never raises
    the inertia and ends in a local minimum, which depends on where it began.

    Parameters
    ----------
    n_clusters : int, default=8
    init : {"k-means++", "random"}, array-like of shape (n_clusters, n_features) or callable, default="k-means++"
        Where to begin: samples that are far from each other (:func:`minimal.cluster.kmeans_plusplus`), any samples, the
        given centres, or what ``init(X, n_clusters, random_state=...)`` returns.  A callable sees dense ``X`` with its mean
        subtracted.
    n_init : "auto" or int, default="auto"
        How many times to begin anew; the run with the least inertia is kept.  "auto": 10 for "random" and callables, else 1.
    max_iter : int, default=300
        Rounds of a run, at most.
    tol : float, default=1e-4
        A run ends when the sum of the squared shifts of the centres is at most ``tol`` times the mean variance of the
        features, or when no label changes.
    verbose : int, default=0
        Whether to print the inertia of every round.
    random_state : None, int or RandomState, default=None
        For the initial centres.
    copy_x : bool, default=True
        With False the mean is subtracted from ``X`` in place where that can be done, and added again at the end: the last
        bits of ``X`` may change.
    algorithm : {"lloyd", "elkan"}, default="lloyd"
        How to find the nearest centres.  "elkan" keeps a lower bound for every sample and centre, n_samples * n_clusters
        numbers.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        float32 if ``X`` is, else float64.
    labels_ : ndarray of shape (n_samples,), int32
        The nearest centre of each sample.
    inertia_ : float
    n_iter_ : int
        Rounds of the run that was kept.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only after a fit on a data frame whose column names are strings.

    See Also
    --------
    minimal.cluster.rounds : the rounds.
    minimal.cluster.lloyd_numpy : the two steps of a round.

    Notes
    -----
    Level of parity with ``sklearn.cluster.KMeans`` 1.9.1 on one thread: identical to the bit for dense float64; for float32
    and sparse data equal labels, values to rounding.  Ours are the same on any number of threads.

    Differs from the reference when two centres are as near to a sample as each other to within rounding: then its label
    depends on the order in which a BLAS library adds up; and when a failing ``fit`` leaves the estimator not fitted here.

    Examples
    --------
    >>> from minimal.cluster import KMeans
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model.labels_
    array([1, 1, 1, 0, 0, 0], dtype=int32)
    >>> model.cluster_centers_
    array([[10.,  2.],
           [ 1.,  2.]])
    >>> model.predict([[0, 0], [12, 3]])
    array([1, 0], dtype=int32)
    """

    _parameters: ClassVar = {
        "n_clusters": [integer(1, np.inf)],
        "init": [one_of("k-means++", "random"), anything_callable, array_like],
        "n_init": [one_of("auto"), integer(1, np.inf)],
        "max_iter": [integer(1, np.inf)],
        "tol": [real(0, np.inf, "[)")],
        "verbose": [flag],
        "random_state": [random_state],
        "copy_x": [boolean],
        "algorithm": [one_of("lloyd", "elkan")],
    }

    cluster_centers_: Array
    labels_: Array
    inertia_: float
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    # ------------------------------------------------------------ learn

    @forgets_on_error
    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> KMeans:
        """Find the centres.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            How many times each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are fewer samples than clusters, ``X`` holds NaN or infinities, or the initial centres have another
            shape than (n_clusters, n_features).

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct clusters than ``n_clusters``: some samples are equal.
        RuntimeWarning
            If ``init`` is an array and ``n_init`` above 1, or ``algorithm="elkan"`` is asked for one cluster.
        """
        self._forget()
        self._check_parameters()
        X = self._check_X(X, reset=True, order="C", copy=self.copy_x, **_DOOR)
        _only_small_indices(X)
        if X.shape[0] < self.n_clusters:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")
        n_init, algorithm = self._number_of_starts(), self._sensible_algorithm()
        generator = check_random_state(self.random_state)
        weight = check_sample_weight(sample_weight, X, dtype=X.dtype)
        init = self._checked_centers(X, self.init, copy=True) if _is_array_like(self.init) else self.init

        def best_run() -> Run:
            stop = Stop(self.max_iter, _tolerance(X, self.tol), bool(self.verbose))
            return self._best_run(X, weight, init, n_init, algorithm, generator, stop)

        if is_sparse(X):
            best = best_run()
        else:
            X = X if X.flags.writeable else X.copy()
            # Distances are the same, and more accurate, when the samples lie around zero.
            mean = twin("minimal.cluster.columns").means(X)
            X -= mean
            try:
                init = init - mean if isinstance(init, np.ndarray) else init
                best = best_run()
            finally:
                if not self.copy_x:
                    X += mean
            best = best._replace(centers=best.centers + mean)
        self._remember(best)
        return self

    def _best_run(
        self,
        X: Any,
        weight: Array,
        init: Any,
        n_init: int,
        algorithm: str,
        generator: np.random.RandomState,
        stop: Stop,
    ) -> Run:
        """The run with the least inertia; a later one only if it is not the same clustering with a rounder sum."""
        samples = sparse_rows.sparse_rows(X) if is_sparse(X) else as_kernel_input(X)
        best: Run | None = None
        for _ in range(n_init):
            centers = self._first_centers(X, weight, init, generator)
            if stop.verbose:
                print("Initialization complete")
            method: Lloyd
            if algorithm == "elkan":
                method = Elkan(samples, weight)
            else:
                method = (
                    DenseLloyd(samples, weight, self.n_clusters)
                    if isinstance(samples, np.ndarray)
                    else Lloyd(samples, weight)
                )
            new = rounds.run(method, centers, stop)
            if best is None or (new.inertia < best.inertia and not _same_clustering(new.labels, best.labels)):
                best = new
        assert best is not None
        return best

    def _first_centers(self, X: Any, weight: Array, init: Any, generator: np.random.RandomState) -> Array:
        if isinstance(init, np.ndarray):
            return init
        if callable(init):
            return self._checked_centers(X, init(X, self.n_clusters, random_state=generator))
        if init == "k-means++":
            return rows_at(X, pick_far_apart(X, self.n_clusters, weight, generator))
        p = weight / weight.sum()
        return rows_at(X, generator.choice(X.shape[0], size=self.n_clusters, replace=False, p=p))

    def _checked_centers(self, X: Any, centers: Any, copy: bool = False) -> Array:
        centers = check_array(centers, dtype=X.dtype, order="C", copy=copy)
        if centers.shape[0] != self.n_clusters:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not match the number of clusters {self.n_clusters}."
            )
        if centers.shape[1] != X.shape[1]:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not match the number of features of the data "
                f"{X.shape[1]}."
            )
        return centers

    def _number_of_starts(self) -> int:
        if _is_array_like(self.init):
            if self.n_init not in ("auto", 1):
                warnings.warn(
                    f"Explicit initial center position passed: performing only one init in {type(self).__name__} instead "
                    f"of n_init={self.n_init}.",
                    RuntimeWarning,
                    stacklevel=4,
                )
            return 1
        if self.n_init != "auto":
            return int(self.n_init)
        return 1 if isinstance(self.init, str) and self.init == "k-means++" else 10

    def _sensible_algorithm(self) -> str:
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=4,
            )
            return "lloyd"
        return self.algorithm

    def _remember(self, best: Run) -> None:
        n_distinct = np.count_nonzero(np.bincount(best.labels))
        if n_distinct < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({self.n_clusters}). Possibly "
                "due to duplicate points in X.",
                kin(ConvergenceWarning),
                stacklevel=4,
            )
        self.labels_, self.inertia_, self.cluster_centers_, self.n_iter_ = best

    # ------------------------------------------------------------ apply

    def predict(self, X: Any) -> Array:
        """The nearest centre of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int32

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``X`` holds NaN or infinities, or has other features than those that were learned.
        """
        X, centers = self._ready(X)
        return _nearest(X, centers)

    @in_container
    def transform(self, X: Any) -> Array:
        """The distance of each sample to each centre.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Or a data frame, if :meth:`set_output` asked for it.

        Raises
        ------
        NotFittedError, ValueError
            As :meth:`predict`.
        """
        X, centers = self._ready(X)
        return _distances(X, centers)

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the inertia of these samples: ``-sum_i w_i min_j |x_i - c_j|^2``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Raises
        ------
        NotFittedError, ValueError
            As :meth:`predict`.
        """
        X, centers = self._ready(X)
        weight = check_sample_weight(sample_weight, X, dtype=X.dtype)
        return -rounds.total(_own_distances(X, centers, _nearest(X, centers)) * weight)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """The names of the columns of ``transform``: kmeans0, kmeans1, ...

        Parameters
        ----------
        input_features : ignored
        """
        check_is_fitted(self)
        prefix = type(self).__name__.lower()
        return np.asarray([f"{prefix}{j}" for j in range(len(self.cluster_centers_))], dtype=object)

    def _ready(self, X: Any) -> tuple[Any, Array]:
        """The checked samples, and the centres in their precision."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False, order="C", **_DOOR)
        _only_small_indices(X)
        return X, self.cluster_centers_

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def k_means(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: ArrayLike | None = None,
    init: Any = "k-means++",
    n_init: Any = "auto",
    max_iter: int = 300,
    verbose: bool = False,
    tol: float = 1e-4,
    random_state: Any = None,
    copy_x: bool = True,
    algorithm: str = "lloyd",
    return_n_iter: bool = False,
) -> tuple[Any, ...]:
    """Find centres and labels in one call; the parameters are those of :class:`KMeans`.

    Parameters
    ----------
    return_n_iter : bool, default=False

    Returns
    -------
    centroid : ndarray of shape (n_clusters, n_features)
    label : ndarray of shape (n_samples,), int32
    inertia : float
    best_n_iter : int
        Only if ``return_n_iter`` is True.

    Examples
    --------
    >>> from minimal.cluster import k_means
    >>> centroid, label, inertia = k_means([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], 2, random_state=0)
    >>> inertia
    16.0
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    )
    values = {**model.get_params(deep=False), "return_n_iter": return_n_iter}
    check_parameters(values, {**KMeans._parameters, "return_n_iter": [boolean]}, "k_means")
    model.fit(X, sample_weight=sample_weight)
    found = model.cluster_centers_, model.labels_, model.inertia_
    return (*found, model.n_iter_) if return_n_iter else found


_DOOR: dict[str, Any] = {"accept_sparse": ("csr",), "dtype": FLOATS}


def _is_array_like(value: Any) -> bool:
    is_one = hasattr(value, "__len__") or hasattr(value, "shape") or hasattr(value, "__array__")
    return is_one and not isinstance(value, str) and not callable(value)


def _only_small_indices(X: Any) -> None:
    """Raise a ValueError for a sparse matrix whose indices have 64 bits, as the reference does."""
    if is_sparse(X) and (X.indices.dtype != np.int32 or X.indptr.dtype != np.int32):
        raise ValueError("Only sparse matrices with 32-bit integer indices are accepted. Got int64 indices.")


def _tolerance(X: Any, tol: float) -> Any:
    """``tol`` in the units of the data: times the mean of the features' variances.  Dense ``X`` has mean zero here."""
    if tol == 0:
        return 0
    columns = twin("minimal.cluster.columns")
    variances = sparse_rows.column_variances(X) if is_sparse(X) else columns.mean_squares(as_kernel_input(X))
    return np.mean(variances) * tol


def _same_clustering(labels: Array, others: Array) -> bool:
    """Whether samples with the same label always have the same other label: the same groups, or parts of them."""
    other_of = np.full(int(labels.max()) + 1, -1, others.dtype)
    other_of[labels] = others
    return np.array_equal(other_of[labels], others)


def _nearest(X: Any, centers: Array) -> Array:
    if is_sparse(X):
        return twin("minimal.cluster.lloyd_sparse").nearest(sparse_rows.sparse_rows(X), centers)
    return twin("minimal.cluster.lloyd").nearest(as_kernel_input(X), centers)


def _own_distances(X: Any, centers: Array, labels: Array) -> Array:
    if is_sparse(X):
        return twin("minimal.cluster.lloyd_sparse").own_distances(sparse_rows.sparse_rows(X), centers, labels)
    return twin("minimal.cluster.lloyd").own_distances(as_kernel_input(X), centers, labels)


def _distances(X: Any, centers: Array) -> Array:
    """In double precision whatever the data's: the last bits of sqrt(|x|^2 - 2 x.c + |c|^2) are few near a centre."""
    if is_sparse(X):
        return sparse_rows.distances(sparse_rows.sparse_rows(X), centers)
    wide, wide_centers = X.astype(np.float64, copy=False), centers.astype(np.float64, copy=False)
    squared = -2 * (wide @ wide_centers.T)
    squared += np.einsum("ij,ij->i", wide, wide)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", wide_centers, wide_centers)
    squared = squared.astype(X.dtype, copy=False)
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
