r"""The logistic loss, its gradient and its curvature, as equations.

Two classes.  A sample has the score z = x.w + b and the sign s, +1 for the second class and -1 for the first.  Its margin
m = s z says how far on the right side it is, and

    loss(m)  = log(1 + exp(-m))                     the negative log-likelihood of the true class
    loss'(m) = -sigmoid(-m)                         minus the probability of the wrong class
    loss''(m) = sigmoid(m) sigmoid(-m)

Three and more classes.  z has one score for each class k, p = softmax(z), and

    loss(z) = log(sum_k exp(z_k)) - z_true
    d loss / d z_k         = p_k - [k = true]
    d2 loss / d z_k d z_l  = p_k [k = l] - p_k p_l

The objective is sum_i weight_i loss_i + l2 / 2 sum(w**2): the intercept is not penalized, and the weights, which sum to one,
make the first term a mean.

A vector of coefficients holds the intercept last, if there is one: its length tells (n_features or n_features + 1).  For
several classes it is a matrix of shape (n_features (+ 1), n_classes).

Nothing here overflows: exp sees arguments <= 0 only.  Twin: ``logistic_loss_numba``, which does each of these in one pass
over X.  A SciPy sparse matrix works as X too, through its own ``@``.

References
----------
Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 4.4.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.validation import is_sparse

Floats = NDArray[np.floating]


# ---------------------------------------------------------------- X and the coefficients


def linear_scores(X: Any, coef: Floats) -> Floats:
    """z = X w + b; one column for each class if ``coef`` has columns.  Cost: one read of X."""
    n_features = X.shape[1]
    z = X @ coef[:n_features]
    return z + coef[n_features] if len(coef) > n_features else z


def back_to_coefficients(X: Any, residual: Floats, coef: Floats, l2: float) -> Floats:
    """X^T residual + l2 w for the weights, and sum(residual) for the intercept: the gradient, from d loss / d z."""
    n_features = X.shape[1]
    gradient = np.empty(coef.shape)
    gradient[:n_features] = X.T @ residual + l2 * coef[:n_features]
    gradient[n_features:] = residual.sum(axis=0)
    return gradient


def l2_penalty(X: Any, coef: Floats, l2: float) -> float:
    """l2 / 2 sum(w**2), the intercept left out."""
    w = coef[: X.shape[1]]
    return 0.5 * l2 * float(np.sum(w * w))


def sandwich(X: Any, h: Floats, n_dof: int) -> Floats:
    """(X, 1)^T diag(h) (X, 1), of shape (n_dof, n_dof); without the column of ones if n_dof is n_features."""
    n_features = X.shape[1]
    result = np.empty((n_dof, n_dof))
    if is_sparse(X):
        result[:n_features, :n_features] = (X.T @ X.multiply(h[:, np.newaxis])).toarray()
    else:
        result[:n_features, :n_features] = X.T @ (h[:, np.newaxis] * X)
    if n_dof > n_features:
        result[n_features, :n_features] = result[:n_features, n_features] = X.T @ h
        result[n_features, n_features] = h.sum()
    return result


# ---------------------------------------------------------------- two classes


def binary_loss_gradient(
    X: Any, sign: NDArray[np.int8], weight: Floats, coef: Floats, l2: float
) -> tuple[float, Floats]:
    """The objective and its gradient.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
    sign : ndarray of int8 of shape (n_samples,)
        +1 for the second class, -1 for the first.
    weight : ndarray of shape (n_samples,) or (1,)
        Sums to one over the samples; a single number is the weight of each.
    coef : ndarray of shape (n_features,) or (n_features + 1,)
    l2 : float

    Returns
    -------
    loss : float
    gradient : ndarray of the shape of ``coef``, float64
    """
    margin = sign * linear_scores(X, coef)
    e = np.exp(-np.abs(margin))
    loss = np.sum(weight * (np.log1p(e) + np.maximum(-margin, 0.0)))
    wrong = np.where(margin >= 0, e, 1.0) / (1.0 + e)
    return float(loss) + l2_penalty(X, coef, l2), back_to_coefficients(X, -sign * weight * wrong, coef, l2)


def binary_curvature(X: Any, weight: Floats, coef: Floats) -> Floats:
    """weight * sigmoid(z) * sigmoid(-z) for each sample: the second derivative of its loss with respect to z."""
    e = np.exp(-np.abs(linear_scores(X, coef)))
    return weight * e / (1.0 + e) ** 2


def binary_hessian_product(X: Any, curvature: Floats, direction: Floats, l2: float) -> Floats:
    """H v for the Hessian H, which is never built: (X, 1)^T (curvature * ((X, 1) v)) + l2 v."""
    return back_to_coefficients(X, curvature * linear_scores(X, direction), direction, l2)


def binary_hessian(X: Any, curvature: Floats, n_dof: int, l2: float) -> Floats:
    """The Hessian (X, 1)^T diag(curvature) (X, 1) + l2 I, the intercept's row not penalized; shape (n_dof, n_dof)."""
    hessian = sandwich(X, curvature, n_dof)
    penalized = np.arange(X.shape[1])
    hessian[penalized, penalized] += l2
    return hessian


# ---------------------------------------------------------------- three and more classes


class Rows(NamedTuple):
    """Samples laid out as this twin likes them."""

    X: Any
    codes: NDArray[np.int64]
    weight: Floats


def multinomial_rows(X: Any, codes: NDArray[np.int64], weight: Floats) -> Rows:
    """What the functions below call ``rows``; here the arrays as they are, in the compiled twin a copy in blocks.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
    codes : ndarray of int64 of shape (n_samples,)
        The true class of each sample, 0 to n_classes - 1.
    weight : ndarray of shape (n_samples,) or (1,)
        Sums to one over the samples; a single number is the weight of each.
    """
    return Rows(X, codes, weight)


def multinomial_loss_gradient(rows: Rows, coef: Floats, l2: float) -> tuple[float, Floats]:
    """The objective and its gradient; ``coef`` and the gradient have the shape (n_features (+ 1), n_classes)."""
    X, codes, weight = rows
    each = np.arange(len(codes))
    z = linear_scores(X, coef)
    z -= z.max(axis=1, keepdims=True)
    true = z[each, codes]
    e = np.exp(z)
    total = e.sum(axis=1)
    loss = np.sum(weight * (np.log(total) - true))
    residual = e * (weight / total)[:, np.newaxis]
    residual[each, codes] -= weight
    return float(loss) + l2_penalty(X, coef, l2), back_to_coefficients(X, residual, coef, l2)


def multinomial_probabilities(rows: Rows, coef: Floats) -> Floats:
    """p = softmax(z) of each sample, in the layout of this twin (here (n_samples, n_classes))."""
    z = linear_scores(rows.X, coef)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def multinomial_hessian_product(rows: Rows, p: Floats, direction: Floats, l2: float) -> Floats:
    """H V for a matrix V like ``coef``: with t = (X, 1) V, each sample contributes p_k (t_k - sum_l p_l t_l)."""
    t = linear_scores(rows.X, direction)
    t -= (p * t).sum(axis=1, keepdims=True)
    return back_to_coefficients(rows.X, rows.weight[:, np.newaxis] * p * t, direction, l2)


def multinomial_hessian(rows: Rows, p: Floats, n_dof: int, l2: float) -> Floats:
    """The Hessian, of shape (n_dof * n_classes, n_dof * n_classes); the classes of one coefficient stand together.

    For the classes k and l it is (X, 1)^T diag(weight (p_k [k = l] - p_k p_l)) (X, 1).
    """
    X, n_classes = rows.X, p.shape[1]
    hessian = np.empty((n_dof, n_classes, n_dof, n_classes))
    for k in range(n_classes):
        for l in range(k + 1):
            h = rows.weight * p[:, k] * ((k == l) - p[:, l])
            hessian[:, k, :, l] = hessian[:, l, :, k] = sandwich(X, h, n_dof)
    penalized = np.arange(X.shape[1])
    hessian[penalized, :, penalized, :] += l2 * np.eye(n_classes)
    return hessian.reshape(n_dof * n_classes, n_dof * n_classes)
