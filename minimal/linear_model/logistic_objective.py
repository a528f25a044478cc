"""The function that the solvers minimize: data and regularization bound to the loss of one engine.

Solvers see flat float64 vectors.  For two classes that is (w, b).  For more classes the matrix of shape (n_features (+ 1),
n_classes) is read row by row, so the coefficients of one feature stand together: scikit-learn's order.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minimal.engine import twin
from minimal.kernel_input import as_kernel_input
from minimal.linear_model import logistic_loss_numpy
from minimal.optimize.lbfgs import Descent
from minimal.validation import assert_finite, is_sparse

Floats = NDArray[np.float64]
HessianProduct = Callable[[Floats], Floats]


class Objective(Protocol):
    """What a solver may ask for."""

    def loss_gradient(self, coef: Floats) -> tuple[float, Floats]:
        """The value at ``coef`` and the gradient."""
        ...

    def descent(self) -> Descent | None:
        """The rest of a run of L-BFGS as one compiled call, where that is faster; see ``minimal.optimize.lbfgs``."""
        ...

    def hessian_product(self, coef: Floats) -> HessianProduct:
        """A function that multiplies a vector by the Hessian at ``coef``."""
        ...

    def hessian(self, coef: Floats) -> tuple[Floats, bool]:
        """The Hessian at ``coef``, and whether to trust it: not if the curvature of over a quarter of the weight is zero."""
        ...

    def fixed(self) -> NDArray[np.bool_]:
        """The coefficients that a Newton step may leave at zero, because others do their work (see MultinomialObjective)."""
        ...

    def settle(self, coef: Floats, *, symmetric: bool) -> Floats:
        """An equivalent ``coef``: its redundant part centred over the classes (symmetric), or with the last class at zero."""
        ...


def loss_functions(X: Any) -> ModuleType:
    """The engine's loss; sparse matrices bring their own compiled ``@``, so that the NumPy text serves them."""
    return logistic_loss_numpy if is_sparse(X) else twin("minimal.linear_model.logistic_loss")


def _kernel_rows(X: Any) -> Any:
    """X as the loss wants to be handed it."""
    return X if is_sparse(X) else as_kernel_input(X)


class _FirstLook:
    """Finds NaN and infinity in X through the first value of the objective, which saves a read of X.

    Every element of X enters the loss or the gradient through a product, and a product with NaN or infinity is not finite (0
    times infinity is NaN).  The careful look, which tells which of them it is, comes only when the sum is not finite.
    """

    def __init__(self, X: Any, owner: str) -> None:
        self.X: Any = X
        self.owner = owner

    def __call__(self, loss: float, gradient: Floats) -> None:
        X, self.X = self.X, None
        if not np.isfinite(loss + gradient.sum()):
            assert_finite(X.data if is_sparse(X) else X, name="X", owner=self.owner)


class BinaryObjective:
    """Two classes.

    Parameters
    ----------
    X : C-contiguous array or sparse matrix of shape (n_samples, n_features)
    codes : ndarray of int64 of shape (n_samples,)
        0 or 1.
    weight : ndarray of shape (n_samples,) or (1,)
        Sums to one over the samples; a single number is the weight of each.
    l2 : float
    intercept : bool
    owner : str
        Who is told in the error if X is not finite.
    """

    def __init__(
        self, X: Any, codes: NDArray[np.int64], weight: Floats, l2: float, intercept: bool, owner: str
    ) -> None:
        self.X, self.weight, self.l2 = _kernel_rows(X), weight, l2
        self.n_dof = X.shape[1] + intercept
        self.sign = 2 * codes.astype(np.int8) - np.int8(1)
        self.loss = loss_functions(X)
        self._evaluate = self.loss.binary_loss_gradient
        self._look = _FirstLook(X, owner)

    def loss_gradient(self, coef: Floats) -> tuple[float, Floats]:
        """See Objective."""
        result = self._evaluate(self.X, self.sign, self.weight, coef, self.l2)
        if self._look.X is not None:
            self._look(*result)
        return result

    def descent(self) -> Descent | None:
        """See Objective: for data of one chunk."""
        if self.loss is logistic_loss_numpy or not self.loss.is_one_chunk(self.X):
            return None
        from minimal.linear_model.logistic_descent_numba import descend  # only now: it imports Numba

        return lambda *run: descend(self.X, self.sign, self.weight, self.l2, *run)

    def hessian_product(self, coef: Floats) -> HessianProduct:
        """See Objective."""
        curvature = self.loss.binary_curvature(self.X, self.weight, coef)
        return lambda v: self.loss.binary_hessian_product(self.X, curvature, v, self.l2)

    def hessian(self, coef: Floats) -> tuple[Floats, bool]:
        """See Objective."""
        curvature = self.loss.binary_curvature(self.X, self.weight, coef)
        flat = (self.weight * (curvature <= 0)).sum() > 0.25
        return self.loss.binary_hessian(self.X, curvature, len(coef), self.l2), not flat

    def fixed(self) -> NDArray[np.bool_]:
        """See Objective: nothing is redundant."""
        return np.zeros(self.n_dof, dtype=bool)

    def settle(self, coef: Floats, *, symmetric: bool) -> Floats:
        """See Objective: there is nothing to do."""
        return coef


class MultinomialObjective:
    """Three and more classes; the parameters are those of :class:`BinaryObjective`, with codes 0 to n_classes - 1.

    Adding one number to a coefficient of all classes changes no probability.  Where the penalty does not decide (for the
    intercepts always, for all coefficients if l2 is 0), the Hessian is singular in that direction; a Newton step then keeps
    the last class at zero, and the result is centred over the classes (Simon, Friedman & Hastie, 2013).
    """

    def __init__(
        self, X: Any, codes: NDArray[np.int64], n_classes: int, weight: Floats, l2: float, intercept: bool, owner: str
    ) -> None:
        self.l2 = l2
        self.shape = (X.shape[1] + intercept, n_classes)
        self.intercept = intercept
        self.loss = loss_functions(X)
        self.rows = self.loss.multinomial_rows(_kernel_rows(X), codes, weight)
        self._look = _FirstLook(X, owner)

    def loss_gradient(self, coef: Floats) -> tuple[float, Floats]:
        """See Objective."""
        loss, gradient = self.loss.multinomial_loss_gradient(self.rows, coef.reshape(self.shape), self.l2)
        flat = gradient.reshape(-1)
        if self._look.X is not None:
            self._look(loss, flat)
        return loss, flat

    def descent(self) -> None:
        """See Objective: there is none."""

    def hessian_product(self, coef: Floats) -> HessianProduct:
        """See Objective."""
        p = self.loss.multinomial_probabilities(self.rows, coef.reshape(self.shape))
        product = self.loss.multinomial_hessian_product
        return lambda v: product(self.rows, p, v.reshape(self.shape), self.l2).reshape(-1)

    def hessian(self, coef: Floats) -> tuple[Floats, bool]:
        """See Objective; p_k (1 - p_k) is never negative, so it is always trusted."""
        p = self.loss.multinomial_probabilities(self.rows, coef.reshape(self.shape))
        return self.loss.multinomial_hessian(self.rows, p, self.shape[0], self.l2), True

    def _redundant(self) -> slice:
        """The rows of the coefficients that the penalty leaves undecided."""
        n_dof = self.shape[0]
        return slice(0 if self.l2 == 0 else n_dof - self.intercept, n_dof)

    def fixed(self) -> NDArray[np.bool_]:
        """See Objective: the last class of every redundant row."""
        fixed = np.zeros(self.shape, dtype=bool)
        fixed[self._redundant(), -1] = True
        return fixed.reshape(-1)

    def settle(self, coef: Floats, *, symmetric: bool) -> Floats:
        """See Objective."""
        settled = coef.reshape(self.shape).copy()
        rows = settled[self._redundant()]
        rows -= rows.mean(axis=1, keepdims=True) if symmetric else rows[:, -1:].copy()
        return settled.reshape(-1)
