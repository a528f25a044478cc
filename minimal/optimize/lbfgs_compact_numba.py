"""The compact form's direction, compiled: as in ``lbfgs_compact_numpy``, but Y'Y and S'Y are kept, not made anew.

What is kept stands in ``state`` behind the two-loop recursion's numbers: Y'Y and S'Y with the rows of ``memory`` as rows and
columns, then room for U (flat, Fortran order, columns 2 * maxcor apart), then for v.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from minimal.optimize.lbfgs_lapack_numba import cholesky, dot, norm, solve, solve_all
from minimal.optimize.lbfgs_state import MAXCOR, N_FIXED, NEWEST, STORED, THETA

__all__ = ["direction", "dot", "norm", "update_products"]

kernel = njit(cache=True, nogil=True, error_model="numpy")


@kernel
def row(newest, age, m):
    """Where the pair stands that is ``age`` older than the newest; without a division, which would cost 10 ns."""
    return newest - age if newest >= age else newest - age + m


@kernel
def two_products(a, b, c):
    """a'c and b'c, every sum made from the first term to the last."""
    ac = bc = 0.0
    for j in range(c.size):
        ac += a[j] * c[j]
        bc += b[j] * c[j]
    return ac, bc


@kernel
def update_products(memory, state):
    """Put y_i'y and s_i'y of the newest y with all stored pairs in their places."""
    m, stored, newest = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST])
    YY = state[N_FIXED + 2 * m : N_FIXED + 2 * m + m * m].reshape(m, m)
    SY = state[N_FIXED + 2 * m + m * m : N_FIXED + 2 * m + 2 * m * m].reshape(m, m)
    y = memory[m + newest]
    for i in range(stored):
        yy, sy = two_products(memory[m + i], memory[i], y)
        YY[i, newest] = YY[newest, i] = yy
        SY[i, newest] = sy


@kernel
def factorize(state, U, integers):
    """U with K = U' E U from the kept products; False if rounding has spoiled K."""
    m, c, newest, theta = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST]), state[THETA]
    YY = state[N_FIXED + 2 * m : N_FIXED + 2 * m + m * m].reshape(m, m)
    SY = state[N_FIXED + 2 * m + m * m : N_FIXED + 2 * m + 2 * m * m].reshape(m, m)
    lda = 2 * m
    for i in range(c):
        a = row(newest, c - 1 - i, m)
        for j in range(i + 1):
            U[j + lda * i] = YY[a, row(newest, c - 1 - j, m)] / theta
            U[j + lda * (c + i)] = 0.0
        for j in range(i, c):
            U[j + lda * (c + i)] = SY[a, row(newest, c - 1 - j, m)]
        U[i + lda * i] += state[N_FIXED + a]
    if not cholesky(U, c, lda, integers):
        return False
    solve_all(U, c, lda, U[lda * c :])
    for i in range(c, 2 * c):
        for j in range(i, 2 * c):
            U[i + lda * j] = dot(U[lda * i : lda * i + c], U[lda * j : lda * j + c])
    return cholesky(U[c + lda * c :], c, lda, integers)


@kernel
def direction(g, memory, state, d):
    """d = -H g; False if K is not what it should be, and memory must be dropped."""
    m, c, newest, theta = int(state[MAXCOR]), int(state[STORED]), int(state[NEWEST]), state[THETA]
    for j in range(g.size):
        d[j] = -g[j]
    if c == 0:
        return True
    at = N_FIXED + 2 * m + 2 * m * m
    U, v = state[at : at + 4 * m * m], state[at + 4 * m * m :]
    integers = np.empty(3, np.int64)
    if not factorize(state, U, integers):
        return False
    for i in range(c):
        a = row(newest, c - 1 - i, m)
        v[i], v[c + i] = two_products(memory[m + a], memory[a], d)
        v[c + i] *= theta
    solve(U, 2 * c, 2 * m, v, True)
    for i in range(c):
        v[i] = -v[i]
    solve(U, 2 * c, 2 * m, v, False)
    for i in range(c):
        a = row(newest, c - 1 - i, m)
        s, y = memory[a], memory[m + a]
        for j in range(d.size):
            d[j] = d[j] + y[j] * v[i] / theta + s[j] * v[c + i]
    scale = 1.0 / theta
    for j in range(d.size):
        d[j] *= scale
    return True
