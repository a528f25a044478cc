"""Adding up what many trees say of each sample, in the order of the trees, whatever thread does it.

The rows are cut into blocks.  A thread takes a block, brings it into the form that walks like best, and lets it run down all
trees while it is in the cache; so every number is a sum over the trees in their order, on one thread or on twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.threads import run_blocks
from minimal.tree.structure import Tree

BLOCK = 4096  # rows


def sum_of_values(trees: Sequence[Tree], X: Any, n_threads: int) -> tuple[NDArray[np.float64], bool]:
    """The sum over the trees of the value of the leaf in which each sample ends.

    Parameters
    ----------
    trees : sequence of Tree
        With the same outputs and classes.
    X : ndarray of float32 or float64, or CSR of float32, of shape (n_samples, n_features)
    n_threads : int

    Returns
    -------
    total : ndarray of float64 of shape (n_samples, n_outputs, max_n_classes)
    is_finite : bool
        If not, the sums mean nothing.
    """
    total = np.zeros((X.shape[0], trees[0].n_outputs, trees[0].max_n_classes))

    def add(tree: int, first: int, last: int, leaves: NDArray[np.int64]) -> None:
        total[first:last] += trees[tree].value.take(leaves, axis=0)

    return total, _walk_blocks(trees, X, n_threads, add)


def leaves_of_all(trees: Sequence[Tree], X: Any, n_threads: int) -> tuple[NDArray[np.int64], bool]:
    """The leaf of each sample in each tree.

    Parameters and ``is_finite`` as for :func:`sum_of_values`.

    Returns
    -------
    leaves : ndarray of int64 of shape (n_samples, n_trees)
    is_finite : bool
    """
    found = np.empty((len(trees), X.shape[0]), dtype=np.int64)

    def note(tree: int, first: int, last: int, leaves: NDArray[np.int64]) -> None:
        found[tree, first:last] = leaves

    return found.T, _walk_blocks(trees, X, n_threads, note)


def _walk_blocks(trees: Sequence[Tree], X: Any, n_threads: int, tell: Any) -> bool:
    """Call ``tell(tree, first, last, leaves)`` for each block of rows and each tree, the trees of a block in order."""
    n = X.shape[0]
    n_blocks = -(-n // BLOCK)
    is_finite = [True] * n_blocks

    def walk(block: int) -> None:
        first, last = block * BLOCK, min((block + 1) * BLOCK, n)
        rows = X[first:last] if n_blocks > 1 else X
        if type(rows) is np.ndarray:
            with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which walks report
                rows = np.ascontiguousarray(rows, dtype=np.float32)
        for number, tree in enumerate(trees):
            leaves, is_finite[block] = tree.leaves(rows)
            if not is_finite[block]:
                return
            tell(number, first, last, leaves)

    run_blocks(walk, n_blocks, n_threads)
    return all(is_finite)
