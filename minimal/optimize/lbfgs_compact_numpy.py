"""The direction of L-BFGS-B as its authors compute it: one small matrix in the place of two loops.

Instead of applying one update after another, write H with all of them at once (Byrd, Nocedal & Schnabel, 1994).  With the
stored pairs as columns of S and Y, oldest first, D = diag(s_i'y_i) and R the upper triangle of S'Y,

    H = (I + W K^-1 W' / theta) / theta,      W = [Y  theta S],      K = [ -D - Y'Y/theta   R' ]
                                                                         [  R               0  ]

up to the scaling of W's second half.  K is indefinite, but K = U' E U with E = diag(-I, I) and U upper triangular, made of
two Cholesky factorizations.  The result is the two-loop recursion's, except for the last bits; these are SciPy's, because
sums are made in its order, by its routines (``lbfgs_lapack``).  This form was made for bounds, where W loses rows; without
bounds it only costs more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minimal.optimize.lbfgs_lapack import cholesky, dot, norm, solve, solve_all
from minimal.optimize.lbfgs_state import MAXCOR, N_FIXED, NEWEST, STORED, THETA

__all__ = ["direction", "dot", "norm"]

Array = NDArray[np.float64]


def products(A: Array, B: Array) -> Array:
    """A B' with every sum made from the first term to the last."""
    return np.add.accumulate(A[:, None, :] * B[None, :, :], axis=2)[:, :, -1]


def factorize(S: Array, Y: Array, curvature: Array, theta: float) -> Array | None:
    """U with K = U' E U; None if rounding has spoiled K."""
    c = len(S)
    U = np.zeros((2 * c, 2 * c), order="F")
    U[:c, :c] = products(Y, Y) / theta
    U[:c, :c] += np.diag(curvature)
    U[:c, c:] = np.tril(products(Y, S))  # R'
    if not cholesky(U[:c, :c]):
        return None
    solve_all(U[:c, :c], U[:c, c:])
    for i in range(c, 2 * c):
        for j in range(i, 2 * c):
            U[i, j] = dot(U[:c, i], U[:c, j])
    return U if cholesky(U[c:, c:]) else None


def direction(g: Array, memory: Array, state: Array, d: Array) -> bool:
    """d = -H g; False if K is not what it should be, and memory must be dropped."""
    m, c, newest, theta = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST]), state[THETA]
    d[:] = -g
    if c == 0:
        return True
    old_to_new = [(newest - k) % m for k in reversed(range(c))]
    S, Y = memory[old_to_new], memory[[m + i for i in old_to_new]]
    U = factorize(S, Y, state[N_FIXED:][old_to_new], theta)
    if U is None:
        return False
    v = np.concatenate([products(Y, d[None])[:, 0], theta * products(S, d[None])[:, 0]])
    solve(U, v, transposed=True)
    v[:c] *= -1.0
    solve(U, v, transposed=False)
    for i in range(c):
        d[:] = d + Y[i] * v[i] / theta + S[i] * v[c + i]
    d *= 1.0 / theta
    return True
