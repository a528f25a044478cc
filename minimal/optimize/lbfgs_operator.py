"""The inverse Hessian that L-BFGS got to know: never a matrix, but something that multiplies like one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LbfgsInvHessProduct"]


class LbfgsInvHessProduct:
    """H, given by the pairs s = x_new - x_old, y = g_new - g_old, with H_0 = I.

    Parameters
    ----------
    sk, yk : ndarray of shape (n_corrs, n)

    Attributes
    ----------
    sk, yk, n_corrs
    rho : ndarray of shape (n_corrs,)
        1 / s'y.
    shape : (n, n)
    dtype : float64

    Raises
    ------
    ValueError
        If the shapes of ``sk`` and ``yk`` differ or are not (n_corrs, n).

    Notes
    -----
    Updates are applied in the order of the rows.  After more than maxcor iterations the optimizer's rows are a ring, so that
    the first row need not be the oldest; SciPy 1.17.1 hands them out in the same way, and so its numbers are these.
    """

    def __init__(self, sk: ArrayLike, yk: ArrayLike) -> None:
        self.sk, self.yk = np.asarray(sk), np.asarray(yk)
        if self.sk.shape != self.yk.shape or self.sk.ndim != 2:
            raise ValueError(f"sk and yk must both have shape (n_corrs, n), got {self.sk.shape} and {self.yk.shape}.")
        self.n_corrs, n = self.sk.shape
        self.shape = (n, n)
        self.dtype = np.dtype(np.float64)
        self.ndim = 2

    @property
    def rho(self) -> NDArray[np.float64]:
        """1 / s'y of each pair."""
        return 1.0 / np.einsum("ij,ij->i", self.sk, self.yk)

    def matmat(self, X: ArrayLike) -> NDArray[np.float64]:
        """H X for X of shape (n, k), by the two-loop recursion on all columns at once."""
        R = np.array(X, dtype=np.float64)
        if R.ndim != 2 or R.shape[0] != self.shape[0]:
            raise ValueError(f"Expected an array of shape ({self.shape[0]}, k), got {R.shape}.")
        rho = self.rho
        alpha = np.empty((self.n_corrs, R.shape[1]))
        for i in reversed(range(self.n_corrs)):
            alpha[i] = rho[i] * (self.sk[i] @ R)
            R -= alpha[i] * self.yk[i][:, np.newaxis]
        for i in range(self.n_corrs):
            R += self.sk[i][:, np.newaxis] * (alpha[i] - rho[i] * (self.yk[i] @ R))
        return R

    def matvec(self, x: ArrayLike) -> NDArray[np.float64]:
        """H x for x of shape (n,) or (n, 1), in the same shape."""
        x = np.asarray(x)
        if x.shape not in ((self.shape[0],), (self.shape[0], 1)):
            raise ValueError(f"Expected an array of shape ({self.shape[0]},), got {x.shape}.")
        return self.matmat(x.reshape(-1, 1)).reshape(x.shape)

    rmatvec, rmatmat = matvec, matmat  # H is symmetric

    def dot(self, x: ArrayLike) -> NDArray[np.float64]:
        """H x for a vector or a matrix x."""
        return self.matvec(x) if np.ndim(x) == 1 else self.matmat(x)

    __call__ = __matmul__ = __mul__ = dot

    @property
    def T(self) -> LbfgsInvHessProduct:
        """Itself: H is symmetric."""
        return self

    def todense(self) -> NDArray[np.float64]:
        """H as a matrix."""
        return self.matmat(np.eye(self.shape[0]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.todense().astype(dtype or np.float64, copy=False)

    def __repr__(self) -> str:
        return f"<{self.shape[0]}x{self.shape[1]} {type(self).__name__} with dtype={self.dtype}>"
