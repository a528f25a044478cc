"""The door of the stochastic average gradient solvers: arrays, step size and memory; the algorithm is in its twins.

Read ``sag_numpy.py`` for what happens inside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.engine import twin
from minimal.kernel_input import as_kernel_input
from minimal.linear_model.sag_state import Memory, Rules
from minimal.random import xorshift_seed
from minimal.validation import check_sample_weight, is_sparse

SPARSE_INTERCEPT_DECAY = 0.01


def sag_logistic(
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    n_classes: int = 2,
    fit_intercept: bool = True,
    alpha: float = 1.0,
    beta: float = 0.0,
    max_iter: int = 1000,
    tol: float = 1e-3,
    saga: bool = False,
    random_state: object = None,
    max_squared_sum: Any = None,
    warm_start_mem: dict[str, Any] | None = None,
) -> tuple[NDArray[np.floating], int, dict[str, Any]]:
    """Fit logistic regression by SAG or SAGA.

    Minimizes sum_i sample_weight_i * loss_i + alpha / 2 * sum(w**2) + beta * sum(abs(w)), the intercept not penalized,
    with the half binomial loss for two classes and the multinomial (softmax) loss for three and more.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features), float32 or float64
        Finite.  CSC is converted to CSR here; any other memory order to C.
    y : array-like of shape (n_samples,)
        The classes as codes 0, 1, ..., n_classes - 1 (so 0 and 1 for two classes, not -1 and 1).
    sample_weight : array-like of shape (n_samples,), optional
        Class weights are multiplied in by the caller.
    n_classes : int
    fit_intercept : bool
    alpha : float
        L2 strength: 1 / C * (1 - l1_ratio).
    beta : float
        L1 strength: 1 / C * l1_ratio.  Ignored unless ``saga``.
    max_iter : int
        The most epochs.
    tol : float
        Stop when an epoch changes no weight by more than tol times the largest weight.
    saga : bool
        SAGA, which can do L1; otherwise SAG.
    random_state : None, int or RandomState
        One draw is taken, for the seed of the xorshift generator that draws the samples.
    max_squared_sum : float, optional
        The largest squared norm of a row, if it is known already.
    warm_start_mem : dict, optional
        Where to start: what an earlier call returned, or just ``{"coef": array}`` of shape
        (n_features + fit_intercept, 1 or n_classes), the intercept in the last row.  Not changed.

    Returns
    -------
    coef : ndarray of shape (1 or n_classes, n_features + fit_intercept), dtype of X
        The intercept in the last column.
    n_iter : int
        Epochs.  ``n_iter == max_iter`` is where the reference warns that it did not converge: the caller does that.
    warm_start_mem : dict
        "coef", "sum_gradient", "intercept_sum_gradient", "gradient_memory", "seen", "num_seen".

    Raises
    ------
    ValueError
        If a number overflows on the way.
    ZeroDivisionError
        If step size * alpha / n_samples is 1, so that one step would forget all weights.

    Source: ``sklearn.linear_model._sag.sag_solver``, 1.9.1.  Same draws, same n_iter, same bits on both engines where the
    reference is compiled without fused multiply-add (x86-64 wheels) and both take ``exp`` from the system's mathematical
    library.  Differs from the reference when progress is wanted (``verbose``): nothing is printed here.
    """
    data, indices, indptr, shape = _rows(X)
    n_samples, n_features = shape
    n_outputs = 1 if n_classes == 2 else n_classes
    target = np.ascontiguousarray(y, dtype=data.dtype)
    weight = np.ascontiguousarray(
        check_sample_weight(sample_weight, data if indices is None else target, dtype=data.dtype)
    )
    memory = _memory(warm_start_mem or {}, n_samples, n_features, n_outputs, fit_intercept, data.dtype)
    solver = twin("minimal.linear_model.sag")
    if max_squared_sum is None and indices is None:
        max_squared_sum = np.einsum("ij,ij->i", data, data).max()  # in the reference's order of addition
    elif max_squared_sum is None:
        max_squared_sum = data.dtype.type(solver.largest_squared_norm(data, indptr))
    alpha, beta = float(alpha) / n_samples, float(beta) / n_samples
    step = step_size(max_squared_sum, alpha, fit_intercept, n_samples, saga)
    if step * alpha == 1:
        raise ZeroDivisionError(
            "sag cannot take steps of length 1 / alpha: they forget all weights (all rows are zero)."
        )
    decay = 1.0 if indices is None else SPARSE_INTERCEPT_DECAY
    rules = Rules(alpha, beta, float(step), decay, float(tol), int(max_iter), bool(fit_intercept), bool(saga))
    seed = xorshift_seed(random_state, low=1)
    n_iter, finite = solver.sag(data, indices, indptr, target, weight, memory, rules, seed)
    if not finite:
        raise ValueError(
            f"Floating-point under-/overflow occurred at epoch #{n_iter}. Scaling input data with StandardScaler or "
            "MinMaxScaler might help."
        )
    remembered = _remembered(memory, fit_intercept)
    return remembered["coef"].T.copy(), n_iter, remembered


def step_size(max_squared_sum: Any, alpha: float, fit_intercept: bool, n_samples: int, saga: bool) -> Any:
    """1 / L for SAG, 1 / (2 L + min(2 n alpha, L)) for SAGA.

    L, the largest curvature of one sample's loss, is max(x'x + fit_intercept) / 4 + alpha.
    """
    curvature = 0.25 * (max_squared_sum + int(fit_intercept)) + alpha
    if not saga:
        return 1.0 / curvature
    return 1.0 / (2 * curvature + min(2 * n_samples * alpha, curvature))


def csr_from_csc(data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], n_rows: int) -> tuple[Any, Any, Any]:
    """The same matrix row by row: a stable sort by row keeps the columns in order."""
    order = np.argsort(indices, kind="stable")
    columns = np.repeat(np.arange(len(indptr) - 1, dtype=indices.dtype), np.diff(indptr))
    row_ends = np.cumsum(np.bincount(indices, minlength=n_rows)).astype(indptr.dtype)
    return data[order], columns[order], np.concatenate([np.zeros(1, indptr.dtype), row_ends])


def _rows(X: Any) -> tuple[Any, Any, Any, tuple[int, int]]:
    """data, indices, indptr, shape of the rows; a dense matrix is its own data, without indices."""
    if not is_sparse(X):
        return as_kernel_input(np.ascontiguousarray(X)), None, None, X.shape
    if X.format == "csc":
        return *csr_from_csc(X.data, X.indices, X.indptr, X.shape[0]), X.shape
    X = X.tocsr()
    return as_kernel_input(X.data), as_kernel_input(X.indices), as_kernel_input(X.indptr), X.shape


def _memory(
    start: dict[str, Any], n_samples: int, n_features: int, n_outputs: int, fit_intercept: bool, dtype: Any
) -> Memory:
    """Copies of what an earlier run remembers, zeros for the rest."""

    def array(name: str, *shape: int, kind: Any = dtype) -> NDArray[Any]:
        known = start.get(name)
        return np.zeros(shape, kind) if known is None else np.array(known, dtype=kind, order="C").reshape(shape)

    coef = array("coef", n_features + fit_intercept, n_outputs)
    return Memory(
        weights=coef[:n_features].copy(),
        intercept=coef[n_features].copy() if fit_intercept else np.zeros(n_outputs, dtype),
        sum_gradient=array("sum_gradient", n_features, n_outputs),
        sum_intercept=array("intercept_sum_gradient", n_outputs),
        gradients=array("gradient_memory", n_samples, n_outputs),
        seen=array("seen", n_samples, kind=np.int32),
    )


def _remembered(memory: Memory, fit_intercept: bool) -> dict[str, Any]:
    """The memory under the reference's names."""
    rows = [memory.weights, memory.intercept[None]] if fit_intercept else [memory.weights]
    return {
        "coef": np.vstack(rows),
        "sum_gradient": memory.sum_gradient,
        "intercept_sum_gradient": memory.sum_intercept,
        "gradient_memory": memory.gradients,
        "seen": memory.seen,
        "num_seen": int(memory.seen.sum()),
    }
