"""What the regression splitter finds out before it begins: once a tree, or once for all trees on the same X."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.tree.presorted_numba import key_of
from minimal.tree.splitting_numba import door

LOOK_AT = 500  # samples that tell whether features have ties


class Facts(NamedTuple):
    """What holds for a whole tree.

    ``order_matters``: sums depend on the order of the samples; ``has_columns``: there are sorted columns;
    ``whole_weights``: all weights are whole numbers; ``keeps_all``: columns of constant features are looked at again
    (best-first); ``largest``: the largest absolute target; ``weight``: of all samples.
    """

    order_matters: bool
    has_columns: bool
    whole_weights: bool
    keeps_all: bool
    largest: float
    weight: float


class Keys(NamedTuple):
    """The keys of X: that of a sample's feature is ``flat[sample * row_step + feature * column_step]``."""

    flat: NDArray[np.uint32]
    row_step: int
    column_step: int


def sums_are_exact(terms: NDArray[np.float64]) -> bool:
    """Whether sums of any of these numbers, in any order, come out without rounding.

    They do if all are multiples of one power of two, and the sum of their magnitudes is at most 2**53 of it.
    """
    total = np.abs(terms).sum()
    if total == 0.0:
        return True
    if not 1e-200 < total < 1e200:
        return False
    unit = 2.0 ** (np.ceil(np.log2(total)) - 52)
    return bool((np.rint(terms / unit) * unit == terms).all())


def keys_of(X: NDArray[np.float32]) -> Keys:
    """Integers in the order of the values, in the memory order of X."""
    by_row = bool(X.flags.c_contiguous)
    flat = np.empty(X.size, np.uint32)
    fill_keys((X if by_row else np.asfortranarray(X).T).reshape(-1).view(np.uint32), flat)
    return Keys(flat, *((X.shape[1], 1) if by_row else (1, X.shape[0])))


def is_mostly_tied(X: NDArray[np.float32]) -> bool:
    """Whether more than half of the features have more than one tie in ten samples, judged by ``LOOK_AT`` samples."""
    some = np.sort(X[:: -(-len(X) // LOOK_AT)], axis=0)
    n_ties = np.count_nonzero(some[1:] == some[:-1], axis=0)
    return bool(np.count_nonzero(10 * n_ties > len(some)) > 0.5 * X.shape[1])


@door
def fill_keys(bits, keys):
    """keys[i] = the key of the value with these bits."""
    for i in range(np.uintp(len(bits))):
        keys[i] = key_of(bits[i])
