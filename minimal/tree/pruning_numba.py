"""Twin of ``pruning_numpy``: the same text, compiled."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.tree import pruning_numpy as text
from minimal.tree.pruning_numpy import Branches


def _compiled(function: Any, *helpers: Any) -> Callable[..., Any]:
    """Compile a function of the text; the functions that it calls must be compiled too, so it finds those first."""
    names = {**vars(text), **{helper.__name__: helper for helper in helpers}}
    return njit(cache=True, nogil=True, error_model="numpy")(FunctionType(function.__code__, names, function.__name__))


_set_strength = _compiled(text.set_strength)
_weaker = _compiled(text.weaker)
_replay = _compiled(text.replay, _weaker)
_cut_below = _compiled(text.cut_below, _replay)
_begin = _compiled(text.begin, _set_strength, _weaker)
_count_leaves = _compiled(text.count_leaves)
collapse = _compiled(text.collapse, _cut_below, _set_strength, _replay)


def branches(
    left: NDArray[np.int64], right: NDArray[np.int64], parent: NDArray[np.int64], risk: NDArray[np.float64]
) -> Branches:
    """Twin of ``pruning_numpy.branches``, in arrays."""
    n = len(left)
    size = 1 << (n - 1).bit_length()
    tree = Branches(
        left,
        right,
        parent,
        risk,
        np.zeros(n),
        np.zeros(n, dtype=np.int64),
        np.zeros(n),
        np.zeros(n, dtype=np.bool_),
        np.zeros(2 * size, dtype=np.int64),
        np.zeros(n + 1, dtype=np.int64),
    )
    _count_leaves(tree)
    _begin(tree)
    return tree


def record(n: int, kind: type) -> NDArray[Any]:
    """An array with room for n integers or floats."""
    return np.zeros(n, dtype=kind)
