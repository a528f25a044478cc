"""The logistic loss in one pass over X: the compiled twin of ``logistic_loss_numpy``, which holds the equations.

X is read once, in blocks of some 256 rows that stay in the cache: the scores of a block, its losses and residuals, and the
block's share of the gradient, X_block^T residual, follow each other while the rows are near.

- Two classes: X as it is, row after row, four rows at a time so that each coefficient is loaded once for four products.
- More classes: X is copied once into blocks that lie feature by feature (:func:`multinomial_rows`).  The innermost loop of
  everything then runs along the samples of a block, for eight features, or four and two classes, at a time: no sums across
  a vector.

Many rows are cut into chunks whose number depends on the shape of the data alone.  Each chunk adds up its own gradient, on
any thread, and the chunks are added in their order: any number of threads gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.linear_model.vector_math_numba import (
    aligned_empty,
    exp_of_minus,
    log1p_of_unit,
    log_from_one,
    log_of_product,
    prefer_wide_vectors,
)
from minimal.optimize.objective_numba import uncounted
from minimal.threads import run_blocks

Floats = NDArray[np.floating]

# Sums may be reordered (that is what vectorizing them means) and fused; NaN and infinity keep their meaning.
sums: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"}}

BLOCK = 256
WORK_PER_CHUNK = 2**18  # multiplications: 30 to 100 microseconds
LEAST_SHARED_WORK = 6 * WORK_PER_CHUNK  # less is done by one thread sooner than it is handed to two
MOST_CHUNKS = 64


@lru_cache(maxsize=64)
def _chunk_bounds(n: int, work_per_row: int) -> list[int]:
    """Where the chunks of n rows begin and end: a function of the shape alone."""
    work = n * work_per_row
    n_chunks = 1 if work < LEAST_SHARED_WORK else min(MOST_CHUNKS, work // WORK_PER_CHUNK, n)
    return [n * c // n_chunks for c in range(n_chunks + 1)]


def _sum_of_chunks(kernel: Callable[..., None], n: int, work_per_row: int, width: int, *arguments: Any) -> Floats:
    """Let ``kernel(first, last, *arguments, out)`` add each chunk of rows to its own row of zeros; the sum of these rows."""
    bounds = _chunk_bounds(n, work_per_row)
    partial = np.zeros((len(bounds) - 1, width))
    run_blocks(lambda c: kernel(bounds[c], bounds[c + 1], *arguments, partial[c]), len(partial))
    return partial.sum(axis=0)


# ---------------------------------------------------------------- two classes: row after row


@njit(**sums)
def _rows_in_a_block(d):
    """Rows that stay in the first-level cache between their scores and their gradient: some 32 kB, a multiple of eight."""
    return max(32, min(BLOCK, 2**12 // d // 8 * 8))


@njit(**sums)
def _row_scores(X, coef, z):
    """z = X w + b for the rows of one block."""
    prefer_wide_vectors()
    n, d = X.shape
    intercept = coef[d] if len(coef) > d else 0.0
    i = 0
    while i + 4 <= n:
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        s0 = s1 = s2 = s3 = intercept
        for j in range(d):
            s0 += coef[j] * x0[j]
            s1 += coef[j] * x1[j]
            s2 += coef[j] * x2[j]
            s3 += coef[j] * x3[j]
        z[i], z[i + 1], z[i + 2], z[i + 3] = s0, s1, s2, s3
        i += 4
    for i in range(n - n % 4, n):
        s = intercept
        for j in range(d):
            s += coef[j] * X[i, j]
        z[i] = s


@njit(**sums)
def _add_rows(X, r, gradient):
    """gradient += (X, 1)^T r for the rows of one block."""
    prefer_wide_vectors()
    n, d = X.shape
    i = 0
    while i + 4 <= n:
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        r0, r1, r2, r3 = r[i], r[i + 1], r[i + 2], r[i + 3]
        for j in range(d):
            gradient[j] += r0 * x0[j] + r1 * x1[j] + r2 * x2[j] + r3 * x3[j]
        i += 4
    for i in range(n - n % 4, n):
        for j in range(d):
            gradient[j] += r[i] * X[i, j]
    if len(gradient) > d:
        total = 0.0
        for i in range(n):
            total += r[i]
        gradient[d] += total


@njit(**sums)
def _binary_losses(z, sign, share, e):
    """The sum of share * log(1 + exp(-sign z)), the same share for every row; z becomes d loss / d z, e is lent room.

    log(1 + e_0) + log(1 + e_1) + ... is the logarithm of a product, so that no row needs a logarithm of its own.
    """
    prefer_wide_vectors()
    total = 0.0
    for i in range(len(z)):
        s = np.float64(sign[i])
        margin = s * z[i]
        e[i] = exp_of_minus(abs(margin))
        right = 1.0 / (1.0 + e[i])
        wrong = e[i] * right if margin >= 0.0 else right
        total += max(-margin, 0.0)
        z[i] = -s * share * wrong
    return share * (total + log_of_product(e))


@njit(**sums)
def _weighted_binary_losses(z, sign, weight):
    """:func:`_binary_losses` where every row has its own weight, and therefore its own logarithm."""
    prefer_wide_vectors()
    total = 0.0
    for i in range(len(z)):
        s = np.float64(sign[i])
        margin = s * z[i]
        e = exp_of_minus(abs(margin))
        right = 1.0 / (1.0 + e)
        wrong = e * right if margin >= 0.0 else right
        total += weight[i] * (log1p_of_unit(e) + max(-margin, 0.0))
        z[i] = -s * weight[i] * wrong
    return total


@njit(**sums)
def _binary_chunk(first, last, X, sign, weight, coef, out):
    """Add the loss of the rows first to last to out[-1] and their gradient to out[:-1]."""
    prefer_wide_vectors()
    block = _rows_in_a_block(X.shape[1])
    z, e = aligned_empty(block), aligned_empty(block)
    gradient = out[:-1]
    for start in range(first, last, block):
        stop = min(start + block, last)
        scores = z[: stop - start]
        _row_scores(X[start:stop], coef, scores)
        if len(weight) == 1:
            out[-1] += _binary_losses(scores, sign[start:stop], weight[0], e[: stop - start])
        else:
            out[-1] += _weighted_binary_losses(scores, sign[start:stop], weight[start:stop])
        _add_rows(X[start:stop], scores, gradient)


@njit(**sums)
def _penalize(out, w, l2):
    """The loss, which stands at the end of ``out``, with its penalty, and the gradient with the penalty's."""
    squares = 0.0
    for j in range(len(w)):
        squares += w[j] * w[j]
        out[j] += l2 * w[j]
    return out[-1] + 0.5 * l2 * squares, out[:-1]


@njit(**sums)
def _binary_whole(X, sign, weight, coef, l2):
    """One call for data of one chunk, where calls would cost more than the work."""
    prefer_wide_vectors()
    out = np.zeros(len(coef) + 1)
    _binary_chunk(0, len(X), X, sign, weight, coef, out)
    return _penalize(out, coef[: X.shape[1]], l2)


def is_one_chunk(X: Floats) -> bool:
    """Whether X is too small to be cut."""
    return X.size < LEAST_SHARED_WORK


def binary_loss_gradient(
    X: Floats, sign: NDArray[np.int8], weight: Floats, coef: Floats, l2: float
) -> tuple[float, Floats]:
    """Twin of ``logistic_loss_numpy.binary_loss_gradient``.  Cost: one read of X."""
    n, d = X.shape
    if is_one_chunk(X):
        return _binary_whole(X, sign, weight, coef, l2)
    return _penalize(_sum_of_chunks(_binary_chunk, n, d, len(coef) + 1, X, sign, weight, coef), coef[:d], l2)


@njit(**sums)
def _binary_curvature(X, coef):
    z = np.empty(len(X))
    _row_scores(X, coef, z)
    for i in range(len(z)):
        e = exp_of_minus(abs(z[i]))
        z[i] = e / ((1.0 + e) * (1.0 + e))
    return z


def binary_curvature(X: Floats, weight: Floats, coef: Floats) -> Floats:
    """Twin of ``logistic_loss_numpy.binary_curvature``."""
    return weight * _binary_curvature(X, coef)


@njit(**sums)
def _binary_product_chunk(first, last, X, curvature, direction, out):
    block = _rows_in_a_block(X.shape[1])
    z = aligned_empty(block)
    for start in range(first, last, block):
        stop = min(start + block, last)
        scores = z[: stop - start]
        _row_scores(X[start:stop], direction, scores)
        scores *= curvature[start:stop]
        _add_rows(X[start:stop], scores, out)


def binary_hessian_product(X: Floats, curvature: Floats, direction: Floats, l2: float) -> Floats:
    """Twin of ``logistic_loss_numpy.binary_hessian_product``.  Cost: one read of X."""
    n, d = X.shape
    product = _sum_of_chunks(_binary_product_chunk, n, d, len(direction), X, curvature, direction)
    product[:d] += l2 * direction[:d]
    return product


@njit(**sums)
def _add_sandwich(X, h, scaled, hessian):
    """hessian += X diag(h) X^T for a block, in panels of eight columns; only what lies on or above the diagonal counts."""
    prefer_wide_vectors()
    for j in range(len(X)):
        for i in range(len(h)):
            scaled[j, i] = h[i] * X[j, i]
    for start in range(0, len(X), 8):
        stop = min(start + 8, len(X))
        _add_products(X[:stop], scaled[start:stop], hessian[:stop, start:stop])


@njit(**sums)
def _binary_hessian_chunk(first, last, X, curvature, n_dof, out):
    """Add (X, 1)^T diag(curvature) (X, 1) of these rows to ``out``, flat from (n_dof, n_dof)."""
    d = X.shape[1]
    prefer_wide_vectors()
    block = aligned_empty(n_dof * BLOCK).reshape(n_dof, BLOCK)
    scaled = aligned_empty(n_dof * BLOCK).reshape(n_dof, BLOCK)
    h = aligned_empty(BLOCK)
    block[:] = 1.0
    hessian = out.reshape(n_dof, n_dof)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        _copy_by_feature(X[start:stop], block[:d])
        h[: stop - start] = curvature[start:stop]
        h[stop - start :] = 0.0
        _add_sandwich(block, h, scaled, hessian)


def _mirror(upper: Floats) -> Floats:
    """The symmetric matrices of which the last two axes hold the upper triangles."""
    return np.triu(upper) + np.triu(upper, 1).swapaxes(-1, -2)


def binary_hessian(X: Floats, curvature: Floats, n_dof: int, l2: float) -> Floats:
    """Twin of ``logistic_loss_numpy.binary_hessian``; half of its products, because the matrix is symmetric."""
    n, d = X.shape
    flat = _sum_of_chunks(_binary_hessian_chunk, n, d * d, n_dof * n_dof, X, curvature, n_dof)
    hessian = _mirror(flat.reshape(n_dof, n_dof))
    hessian[np.arange(d), np.arange(d)] += l2
    return hessian


# ---------------------------------------------------------------- more classes: blocks that lie feature by feature


class Rows(NamedTuple):
    """Samples in blocks; the last block is filled up with rows of weight zero.

    X : (n_blocks, n_features, block), codes and weight : (n_blocks, block).
    """

    X: Floats
    codes: NDArray[np.int64]
    weight: Floats


@njit(**sums)
def _copy_by_feature(X, block):
    """block[j, i] = X[i, j], eight rows at a time because a cache line holds eight; zeros after the last row."""
    n, d = X.shape
    for i in range(0, n - 7, 8):
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        x4, x5, x6, x7 = X[i + 4], X[i + 5], X[i + 6], X[i + 7]
        for j in range(d):
            line = block[j, i : i + 8]
            line[0], line[1], line[2], line[3] = x0[j], x1[j], x2[j], x3[j]
            line[4], line[5], line[6], line[7] = x4[j], x5[j], x6[j], x7[j]
    for i in range(n - n % 8, n):
        for j in range(d):
            block[j, i] = X[i, j]
    block[:, n:] = 0.0


@njit(**sums)
def _fill_blocks(first, last, X, codes, weight, blocks, block_codes, block_weight):
    size = blocks.shape[2]
    for b in range(first, last):
        rows = slice(b * size, min((b + 1) * size, len(X)))
        n = rows.stop - rows.start
        _copy_by_feature(X[rows], blocks[b])
        block_codes[b, :n] = codes[rows]
        block_weight[b, :n] = weight if len(weight) == 1 else weight[rows]


def multinomial_rows(X: Floats, codes: NDArray[np.int64], weight: Floats) -> Rows:
    """Twin of ``logistic_loss_numpy.multinomial_rows``: one copy of X, in float64.

    A block holds 256 rows, or fewer where there are few rows or so many features that the block would leave the cache.
    """
    n, d = X.shape
    most = min(BLOCK, max(32, 2**16 // d))
    n_blocks = -(-n // most)
    size = 8 * -(-n // (8 * n_blocks))
    blocks = aligned_empty(n_blocks * d * size).reshape(n_blocks, d, size)
    rows = Rows(blocks, np.zeros((n_blocks, size), np.int64), np.zeros((n_blocks, size)))
    bounds = _chunk_bounds(n_blocks, d * size)
    run_blocks(lambda c: _fill_blocks(bounds[c], bounds[c + 1], X, codes, weight, *rows), len(bounds) - 1)
    return rows


@njit(**sums)
def _block_scores(X, coef, z):
    """z[k] = sum_j coef[j, k] X[j] + b[k] for a block, eight features at a time."""
    prefer_wide_vectors()
    d, K = len(X), len(z)
    for k in range(K):
        z[k] = coef[d, k] if len(coef) > d else 0.0
    for j in range(0, d - 7, 8):
        x0, x1, x2, x3 = X[j], X[j + 1], X[j + 2], X[j + 3]
        x4, x5, x6, x7 = X[j + 4], X[j + 5], X[j + 6], X[j + 7]
        for k in range(K):
            zk = z[k]
            w0, w1, w2, w3 = coef[j, k], coef[j + 1, k], coef[j + 2, k], coef[j + 3, k]
            w4, w5, w6, w7 = coef[j + 4, k], coef[j + 5, k], coef[j + 6, k], coef[j + 7, k]
            for i in range(len(zk)):
                near = w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i]
                zk[i] += near + (w4 * x4[i] + w5 * x5[i] + w6 * x6[i] + w7 * x7[i])
    for j in range(d - d % 8, d):
        x = X[j]
        for k in range(K):
            w0, zk = coef[j, k], z[k]
            for i in range(len(zk)):
                zk[i] += w0 * x[i]


@njit(**sums)
def _add_products(X, r, out):
    """out[j, k] += sum_i X[j, i] r[k, i] for a block."""
    prefer_wide_vectors()
    d, K = len(X), len(r)
    for j in range(0, d - 3, 4):
        x0, x1, x2, x3 = X[j], X[j + 1], X[j + 2], X[j + 3]
        for k in range(0, K - 1, 2):
            ra, rb = r[k], r[k + 1]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = 0.0
            for i in range(len(x0)):
                a0 += ra[i] * x0[i]
                a1 += ra[i] * x1[i]
                a2 += ra[i] * x2[i]
                a3 += ra[i] * x3[i]
                b0 += rb[i] * x0[i]
                b1 += rb[i] * x1[i]
                b2 += rb[i] * x2[i]
                b3 += rb[i] * x3[i]
            _add_to_column(out[j : j + 4], k, a0, a1, a2, a3)
            _add_to_column(out[j : j + 4], k + 1, b0, b1, b2, b3)
        if K % 2:
            ra = r[K - 1]
            a0 = a1 = a2 = a3 = 0.0
            for i in range(len(x0)):
                a0 += ra[i] * x0[i]
                a1 += ra[i] * x1[i]
                a2 += ra[i] * x2[i]
                a3 += ra[i] * x3[i]
            _add_to_column(out[j : j + 4], K - 1, a0, a1, a2, a3)
    for j in range(d - d % 4, d):
        for k in range(K):
            s = 0.0
            for i in range(X.shape[1]):
                s += r[k, i] * X[j, i]
            out[j, k] += s


@njit(**sums)
def _add_to_column(out, k, s0, s1, s2, s3):
    """Add four sums to the column k of four rows."""
    out[0, k] += s0
    out[1, k] += s1
    out[2, k] += s2
    out[3, k] += s3


@njit(**sums)
def _exp_to_largest(z, largest, total):
    """z[k] becomes exp(z[k] - largest), largest the greatest score of each sample, total the sum over the classes."""
    prefer_wide_vectors()
    largest[:] = z[0]
    for k in range(1, len(z)):
        zk = z[k]
        for i in range(len(zk)):
            largest[i] = max(largest[i], zk[i])
    total[:] = 0.0
    for k in range(len(z)):
        zk = z[k]
        for i in range(len(zk)):
            e = exp_of_minus(largest[i] - zk[i])
            zk[i] = e
            total[i] += e


@njit(**sums)
def _multinomial_losses(z, codes, weight, largest, total):
    """The sum of weight * (log(sum_k exp(z_k)) - z_true); z becomes d loss / d z = weight (p_k - [k = true])."""
    prefer_wide_vectors()
    loss = 0.0
    for i in range(len(codes)):
        loss -= weight[i] * z[codes[i], i]
    _exp_to_largest(z, largest, total)
    for i in range(len(codes)):
        loss += weight[i] * (largest[i] + log_from_one(total[i]))
        total[i] = weight[i] / total[i]
    for k in range(len(z)):
        zk = z[k]
        for i in range(len(zk)):
            zk[i] *= total[i]
    for i in range(len(codes)):
        z[codes[i], i] -= weight[i]
    return loss


@njit(**sums)
def _add_block(X, r, gradient):
    """gradient += (X, 1)^T r for a block; gradient has the shape of the coefficients."""
    prefer_wide_vectors()
    _add_products(X, r, gradient)
    if len(gradient) > len(X):
        for k in range(len(r)):
            rk, s = r[k], 0.0
            for i in range(len(rk)):
                s += rk[i]
            gradient[len(X), k] += s


@njit(**sums)
def _multinomial_chunk(first, last, X, codes, weight, coef, out):
    """Add the loss of the blocks first to last to out[-1] and their gradient to out[:-1]."""
    prefer_wide_vectors()
    # The caller holds the arrays: uncounted, the many rows below cost no atomic counts, a third of the time for small blocks.
    X, codes, weight, coef, out = uncounted(X), uncounted(codes), uncounted(weight), uncounted(coef), uncounted(out)
    size = X.shape[2]
    z = aligned_empty(coef.shape[1] * size).reshape(-1, size)
    largest, total = aligned_empty(size), aligned_empty(size)
    gradient = out[:-1].reshape(coef.shape)
    for b in range(first, last):
        _block_scores(X[b], coef, z)
        out[-1] += _multinomial_losses(z, codes[b], weight[b], largest, total)
        _add_block(X[b], z, gradient)


@njit(**sums)
def _multinomial_whole(X, codes, weight, coef, l2):
    """One call for data of one chunk."""
    prefer_wide_vectors()
    out = np.zeros(coef.size + 1)
    _multinomial_chunk(0, len(X), X, codes, weight, coef, out)
    return _penalize(out, coef[: X.shape[1]].ravel(), l2)


def multinomial_loss_gradient(rows: Rows, coef: Floats, l2: float) -> tuple[float, Floats]:
    """Twin of ``logistic_loss_numpy.multinomial_loss_gradient``.  Cost: one read of X."""
    n_blocks, d, size = rows.X.shape
    work = d * size * coef.shape[1]
    if n_blocks * work < LEAST_SHARED_WORK:
        loss, gradient = _multinomial_whole(*rows, coef, l2)
    else:
        out = _sum_of_chunks(_multinomial_chunk, n_blocks, work, coef.size + 1, *rows, coef)
        loss, gradient = _penalize(out, coef[:d].ravel(), l2)
    return loss, gradient.reshape(coef.shape)


@njit(**sums)
def _multinomial_probabilities(X, coef):
    n_blocks, _, size = X.shape
    p = np.empty((n_blocks, coef.shape[1], size))
    largest, total = np.empty(size), np.empty(size)
    for b in range(n_blocks):
        _block_scores(X[b], coef, p[b])
        _exp_to_largest(p[b], largest, total)
        p[b] /= total
    return p


def multinomial_probabilities(rows: Rows, coef: Floats) -> Floats:
    """Twin of ``logistic_loss_numpy.multinomial_probabilities``; here of shape (n_blocks, n_classes, block)."""
    return _multinomial_probabilities(rows.X, coef)


@njit(**sums)
def _multinomial_product_chunk(first, last, X, weight, p, direction, out):
    prefer_wide_vectors()
    t = aligned_empty(p.shape[1] * p.shape[2]).reshape(p.shape[1:])
    mean = aligned_empty(p.shape[2])
    product = out.reshape(direction.shape)
    for b in range(first, last):
        _block_scores(X[b], direction, t)
        mean[:] = 0.0
        for k in range(len(t)):
            mean += p[b, k] * t[k]
        for k in range(len(t)):
            t[k] = weight[b] * p[b, k] * (t[k] - mean)
        _add_block(X[b], t, product)


def multinomial_hessian_product(rows: Rows, p: Floats, direction: Floats, l2: float) -> Floats:
    """Twin of ``logistic_loss_numpy.multinomial_hessian_product``.  Cost: one read of X."""
    n_blocks, d, size = rows.X.shape
    work = d * size * direction.shape[1]
    product = _sum_of_chunks(
        _multinomial_product_chunk, n_blocks, work, direction.size, rows.X, rows.weight, p, direction
    ).reshape(direction.shape)
    product[:d] += l2 * direction[:d]
    return product


@njit(**sums)
def _multinomial_hessian_chunk(first, last, X, weight, p, n_dof, out):
    """Add the second derivatives of these blocks to ``out``, flat from (n_classes, n_classes, n_dof, n_dof), for l <= k."""
    K, d = p.shape[1], X.shape[1]
    hessian = out.reshape(K, K, n_dof, n_dof)
    prefer_wide_vectors()
    size = X.shape[2]
    with_ones = aligned_empty(n_dof * size).reshape(n_dof, size)
    scaled = aligned_empty(n_dof * size).reshape(n_dof, size)
    with_ones[:] = 1.0
    for b in range(first, last):
        with_ones[:d] = X[b]
        for k in range(K):
            for l in range(k + 1):
                h = weight[b] * p[b, k] * ((1.0 if k == l else 0.0) - p[b, l])
                _add_sandwich(with_ones, h, scaled, hessian[k, l])


def multinomial_hessian(rows: Rows, p: Floats, n_dof: int, l2: float) -> Floats:
    """Twin of ``logistic_loss_numpy.multinomial_hessian``."""
    n_blocks, d, size = rows.X.shape
    K = p.shape[1]
    work = d * d * size * K
    flat = _sum_of_chunks(
        _multinomial_hessian_chunk, n_blocks, work, K * K * n_dof * n_dof, rows.X, rows.weight, p, n_dof
    )
    pairs = _mirror(flat.reshape(K, K, n_dof, n_dof))
    hessian = np.empty((n_dof, K, n_dof, K))
    for k in range(K):
        for l in range(k + 1):
            hessian[:, k, :, l] = hessian[:, l, :, k] = pairs[k, l]
    penalized = np.arange(d)
    hessian[penalized, :, penalized, :] += l2 * np.eye(K)
    return hessian.reshape(n_dof * K, n_dof * K)
