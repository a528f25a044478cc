"""The update of the inverse Hessian, compiled: two passes over three matrices instead of nine."""

from __future__ import annotations

from numba import njit

from minimal.optimize.blas_numba import matrix_dot
from minimal.optimize.objective_numba import uncounted

__all__ = ["update"]


@njit(cache=True, nogil=True, error_model="numpy")
def update(H, s, y, rho, matrices):
    """H <- A H A' + rho s s' with A = I - rho s y', in place; ``matrices`` is working space of shape (3, n, n).

    Twin of ``bfgs.Update``, same bits.
    """
    n = s.size
    matrices = uncounted(matrices)
    A, B, C = matrices[0], matrices[1], matrices[2]
    for i in range(n):
        for j in range(n):
            A[i, j] = (1.0 if i == j else 0.0) - s[i] * y[j] * rho
    for i in range(n):
        for j in range(n):
            B[i, j] = A[j, i]
    matrix_dot(H, B, C)
    matrix_dot(A, C, B)
    for i in range(n):
        for j in range(n):
            H[i, j] = B[i, j] + rho * s[i] * s[j]
