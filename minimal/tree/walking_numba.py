"""Twin of ``walking_numpy``, compiled: eight samples walk at a time, and no step has to guess a branch.

What makes a walk slow is waiting: each step reads a node that the step before has named, and a processor that guesses which
way a sample turns guesses wrong every other time.  So the rows are taken in blocks small enough for the cache; a block is
rounded to float32 (and searched for infinities) in one stream; then eight rows go down side by side, each step computed
and not branched to.  Nodes are repacked for that: 16 bytes each, two siblings next to each other, so that a step is

    next = left + (does not go left)

A leaf is its own left child and sends everything there; a walk is over when none of the eight moves any more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.kernel_input import as_kernel_input
from minimal.threads import run_blocks
from minimal.tree.growth import LEAF

kernel = njit(cache=True, nogil=True, error_model="numpy")

BLOCK = 1024  # rows that are rounded together, and then walk while they are in the cache
SHARE = 8 * BLOCK  # rows that a thread takes at a time
LARGEST: Any = np.finfo(np.float32).max
TILE = 16  # rows of a block that are turned over together
HERE: Any = np.uintp(0)

NODE = np.dtype([("threshold", np.float32), ("feature", np.int32), ("left", np.int32), ("leaf", np.int32)])


class Nodes(NamedTuple):
    """The part of a tree that a walk reads.

    Attributes
    ----------
    node : ndarray of NODE of shape (n_nodes,)
        Level by level, siblings side by side; ``leaf`` is the number that the tree itself gives to the node.
    missing_left : ndarray of uint8 of shape (n_nodes,)
        One where a missing value goes left, and for leaves.
    """

    node: NDArray[np.void]
    missing_left: NDArray[np.uint8]


def pack(
    children_left: NDArray[np.int64],
    children_right: NDArray[np.int64],
    feature: NDArray[np.int64],
    threshold: NDArray[np.float64],
    missing_go_to_left: NDArray[np.uint8],
) -> Nodes:
    """Twin of ``walking_numpy.pack``.

    Thresholds are rounded down to float32: x <= threshold then holds for the same x of float32, since no such x lies
    between the two.
    """
    with np.errstate(over="ignore"):
        down = threshold.astype(np.float32)
    above = down > threshold
    down[above] = np.nextafter(down[above], np.float32(-np.inf))
    node = np.empty(len(down), NODE)
    missing_left = np.empty(len(down), np.uint8)
    _pack(
        as_kernel_input(children_left),
        as_kernel_input(children_right),
        as_kernel_input(feature),
        down,
        as_kernel_input(missing_go_to_left),
        node,
        missing_left,
    )
    return Nodes(node, missing_left)


def apply(nodes: Nodes, X: NDArray[np.floating]) -> tuple[NDArray[np.int64], bool]:
    """Twin of ``walking_numpy.apply``, same leaves."""
    X = as_kernel_input(X)
    walk, X = (_walk_columns, X.T) if _by_columns(X) else (_walk_rows, _rows(X))
    n = X.shape[1] if walk is _walk_columns else X.shape[0]
    leaves = np.empty(n, np.int64)
    if n <= SHARE:
        return leaves, walk(nodes.node, nodes.missing_left, X, 0, n, leaves)
    starts = range(0, n, SHARE)
    finite = [False] * len(starts)

    def one(block: int) -> None:
        first = starts[block]
        finite[block] = walk(nodes.node, nodes.missing_left, X, first, min(first + SHARE, n), leaves)

    run_blocks(one, len(starts))
    return leaves, all(finite)


def apply_sparse(
    nodes: Nodes,
    data: NDArray[np.float32],
    indices: NDArray[np.integer],
    indptr: NDArray[np.integer],
    n_features: int,
) -> NDArray[np.int64]:
    """Twin of ``walking_numpy.apply_sparse``, same leaves."""
    csr = as_kernel_input(data), as_kernel_input(indices), as_kernel_input(indptr)
    n = len(indptr) - 1
    leaves = np.empty(n, np.int64)
    starts = range(0, n, SHARE)

    def one(block: int) -> None:
        first = starts[block]
        _walk_sparse(nodes.node, csr, n_features, (first, min(first + SHARE, n)), leaves)

    run_blocks(one, len(starts))
    return leaves


def _by_columns(X: NDArray[np.floating]) -> bool:
    return X.flags.f_contiguous and not X.flags.c_contiguous


def _rows(X: NDArray[np.floating]) -> NDArray[np.floating]:
    """``X`` as the kernels are compiled for it: rows in C order, float32 or float64."""
    return np.ascontiguousarray(X, dtype=X.dtype if X.dtype == np.float32 else np.float64)


# ---------------------------------------------------------------- packing


@kernel
def _pack(children_left, children_right, feature, threshold, missing_go_to_left, node, missing_left):
    """Fill ``node`` and ``missing_left`` level by level; the queue of nodes to come is ``node["leaf"]`` itself."""
    n = 1
    node[0].leaf = 0
    for i in range(len(node)):
        own = node[i].leaf
        if children_left[own] == LEAF:
            node[i].threshold, node[i].feature, node[i].left = np.float32(np.inf), 0, i
            missing_left[i] = 1
            continue
        node[i].threshold, node[i].feature, node[i].left = threshold[own], feature[own], n
        missing_left[i] = missing_go_to_left[own]
        node[n].leaf = children_left[own]
        node[n + 1].leaf = children_right[own]
        n += 2


# ---------------------------------------------------------------- walks


@kernel
def _walk_rows(node, missing_left, X, first, last, leaves):
    """The leaves of the rows first, ..., last - 1 of X, in C order; are all their values finite or missing?"""
    d = np.uintp(X.shape[1])
    buffer = np.empty((min(BLOCK, last - first), X.shape[1]), np.float32)
    infinities = 0
    for start in range(first, last, BLOCK):
        n = min(BLOCK, last - start)
        missing = 0
        for i in range(np.uintp(n)):
            row = np.uintp(start) + i
            for j in range(d):
                x = np.float32(X[row, j])
                infinities |= abs(x) > LARGEST
                missing |= x != x
                buffer[i, j] = x
        if missing:
            _walk_block(node, missing_left, buffer, n, start, leaves)
        else:
            _walk_block(node, None, buffer, n, start, leaves)
    return infinities == 0


@kernel
def _walk_columns(node, missing_left, columns, first, last, leaves):
    """The same for data in Fortran order, whose columns are the rows of ``columns``."""
    d = np.uintp(columns.shape[0])
    buffer = np.empty((min(BLOCK, last - first), columns.shape[0]), np.float32)
    infinities = 0
    for start in range(first, last, BLOCK):
        n = min(BLOCK, last - start)
        missing = 0
        for tile in range(0, n, TILE):
            for j in range(d):
                for i in range(np.uintp(tile), np.uintp(min(tile + TILE, n))):
                    x = np.float32(columns[j, np.uintp(start) + i])
                    infinities |= abs(x) > LARGEST
                    missing |= x != x
                    buffer[i, j] = x
        if missing:
            _walk_block(node, missing_left, buffer, n, start, leaves)
        else:
            _walk_block(node, None, buffer, n, start, leaves)
    return infinities == 0


@kernel
def _walk_sparse(node, csr, n_features, rows, leaves):
    """The same for the rows of a CSR matrix: as many of them at a time as fit a cache when written out in full."""
    data, indices, indptr = csr
    first, last = rows
    height = max(8, min(BLOCK, (1 << 18) // max(n_features, 1)))
    buffer = np.zeros((height, n_features), np.float32)
    for start in range(first, last, height):
        n = min(height, last - start)
        for i in range(n):
            for k in range(indptr[start + i], indptr[start + i + 1]):
                buffer[i, indices[k]] = data[k]
        _walk_block(node, None, buffer, n, start, leaves)
        for i in range(n):
            for k in range(indptr[start + i], indptr[start + i + 1]):
                buffer[i, indices[k]] = 0


@kernel
def _walk_block(node, missing_left, X, n, start, leaves):
    """leaves[start + i] = where row i of X ends, for the first n rows; the last rows may walk in a group that overlaps."""
    if n < 8:
        for i in range(np.uintp(n)):
            at, before = HERE, HERE + np.uintp(1)
            while at != before:
                before, at = at, _step(node, missing_left, X, i, at)
            leaves[np.uintp(start) + i] = node[at].leaf
        return
    for group in range(0, n, 8):
        i = np.uintp(min(group, n - 8))  # type: ignore[assignment]
        a, b, c, d, e, f, g, h = HERE, HERE, HERE, HERE, HERE, HERE, HERE, HERE
        moved = True
        while moved:
            a1 = _step(node, missing_left, X, i, a)
            b1 = _step(node, missing_left, X, i + np.uintp(1), b)
            c1 = _step(node, missing_left, X, i + np.uintp(2), c)
            d1 = _step(node, missing_left, X, i + np.uintp(3), d)
            e1 = _step(node, missing_left, X, i + np.uintp(4), e)
            f1 = _step(node, missing_left, X, i + np.uintp(5), f)
            g1 = _step(node, missing_left, X, i + np.uintp(6), g)
            h1 = _step(node, missing_left, X, i + np.uintp(7), h)
            moved = ((a ^ a1) | (b ^ b1) | (c ^ c1) | (d ^ d1) | (e ^ e1) | (f ^ f1) | (g ^ g1) | (h ^ h1)) != 0
            a, b, c, d, e, f, g, h = a1, b1, c1, d1, e1, f1, g1, h1
        out = np.uintp(start) + i
        leaves[out] = node[a].leaf
        leaves[out + np.uintp(1)] = node[b].leaf
        leaves[out + np.uintp(2)] = node[c].leaf
        leaves[out + np.uintp(3)] = node[d].leaf
        leaves[out + np.uintp(4)] = node[e].leaf
        leaves[out + np.uintp(5)] = node[f].leaf
        leaves[out + np.uintp(6)] = node[g].leaf
        leaves[out + np.uintp(7)] = node[h].leaf


@njit(inline="always")
def _step(node, missing_left, X, i, at):
    """Where row i goes from a node.  A missing x is not <= anything: it goes left only where ``missing_left`` says so."""
    here = node[at]
    x = X[i, np.uintp(here.feature)]
    stays_left = x <= here.threshold
    if missing_left is not None:
        stays_left |= (x != x) & (missing_left[at] != 0)
    return np.uintp(here.left) + np.uintp(1) - np.uintp(stays_left)
