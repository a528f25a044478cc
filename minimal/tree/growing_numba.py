"""Grow trees, compiled: one builder, and for each kind of job the splitter that is fastest at it.

The builder (:mod:`~minimal.tree.builder_numba`) decides which node comes next and when a node stays a leaf.  The *splitter*
finds the best split of one node; :mod:`~minimal.tree.splitting_numba` says what it must answer.  The splitters in
:data:`SPLITTERS` are asked in turn whether they can do a job, and the first that can does it; the last can do everything.

A splitter's module has

``advance(builder, splitter, budget, large, node, split)``
    The builder's :func:`~minimal.tree.builder_numba.explore`, compiled with this splitter:

        @door
        def advance(builder, splitter, budget, large, node, split):
            return explore(builder, splitter, budget, large, node, split)

    It stands in the splitter's module because Numba's cache belongs to a file: it notices an edit there, and never has to
    know the types of another splitter.
``can_grow(growth) -> bool``
    Can this splitter grow this tree, bit for bit?  Cheap: types, flags, shapes, at most one look at the weights.
``new_splitter(growth, shared) -> NamedTuple of arrays``
    The splitter of one tree.  ``shared`` is a :class:`Shared`; with ``shared.get(key, make)`` it keeps what several trees on
    the same X can use, such as sorted columns.
``find_large_split(splitter, node) -> Split``
    The same as its compiled ``find_split``, but in Python, for nodes with ``LARGE`` samples times features and more: feature
    by feature, so that Ctrl-C comes through, and where it pays on several threads (``minimal.threads.run_blocks``).  The
    node has been entered before.
``LARGE : int``
    From how many samples times features on the builder hands a node to ``find_large_split``.

and registers four compiled answers with ``@answers(question, MySplitter)``: ``enter``, ``root_impurity``, ``find_split`` and
``write_value``.  The splitter keeps the samples of a node together in a range of its own order (at the root, all samples of
weight other than zero), which the builder only hands back; it draws features with :mod:`~minimal.tree.features_numba`, and
keeps the :class:`~minimal.tree.splitting_numba.Rules` in a field if it needs them.  About one node the builder always asks
``enter``, for the root ``root_impurity``, then perhaps ``find_split``, then ``write_value``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.threads import stop_if_asked
from minimal.tree.builder_numba import (
    DEPTH,
    DONE,
    FULL,
    LARGE,
    N_NODES,
    NO_NODE,
    NO_SPLIT,
    PAUSED,
    Builder,
    new_builder,
    with_more_room,
)
from minimal.tree.growth import Grown, Growth
from minimal.tree.splitting_numba import Node

__all__ = ["Shared", "grow", "share"]

SPLITTERS = [
    "minimal.tree.counting_splitter_numba",
    "minimal.tree.drawn_splitter_numba",
    "minimal.tree.regression_splitter_numba",
    "minimal.tree.general_splitter_numba",
]

SLICE = 0.1  # seconds between two chances for Ctrl-C


class Shared:
    """What several trees on the same data can share; made when first asked for, also from several threads.

    ``several`` says whether there will be several: for one tree alone a splitter need not keep what it will change.
    """

    def __init__(self, X: Any, missing: NDArray[np.bool_] | None, several: bool = True) -> None:
        self.X = X
        self.missing = missing
        self.several = several
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[Any, NDArray[np.bool_] | None], Any]) -> Any:
        """What ``make(X, missing)`` returned the first time."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make(self.X, self.missing)
            return self._made[key]


def share(X: Any, missing: NDArray[np.bool_] | None) -> Shared:
    """Let several calls of :func:`grow` on the same X share what depends on X alone.

    Parameters
    ----------
    X, missing
        As in :class:`~minimal.tree.growth.Growth`.
    """
    return Shared(X, missing)


def splitter_module(growth: Growth) -> ModuleType:
    """The first splitter that can do the job."""
    for name in SPLITTERS[:-1]:
        module = import_module(name)
        if module.can_grow(growth):
            return module
    return import_module(SPLITTERS[-1])


def grow(growth: Growth, shared: Shared | None = None) -> Grown:
    """Grow one tree.

    Parameters
    ----------
    growth : Growth
    shared : what :func:`share` returned for this X, optional

    Returns
    -------
    Grown
        The same as :func:`growing_numpy.grow`'s.
    """
    return grow_with(splitter_module(growth), growth, shared or Shared(growth.X, growth.missing, several=False))


def grow_with(module: ModuleType, growth: Growth, shared: Shared) -> Grown:
    """Grow one tree with the splitter of a module."""
    splitter = module.new_splitter(growth, shared)
    weight = growth.sample_weight
    builder = new_builder(growth, len(growth.y) if weight is None else int(np.count_nonzero(weight)))
    budget, reason, node, split = 200_000, PAUSED, NO_NODE, NO_SPLIT
    while reason != DONE:
        began = perf_counter()
        reason, fields = module.advance(builder, splitter, budget, module.LARGE, node, split)
        node = Node(*fields)
        split = NO_SPLIT
        if reason == FULL:
            builder = with_more_room(builder)
        elif reason == LARGE:
            split = module.find_large_split(splitter, node)
        elif reason == PAUSED:
            stop_if_asked()
            budget = max(10_000, int(budget * min(4.0, SLICE / max(perf_counter() - began, 1e-6))))
    return as_grown(builder)


def as_grown(builder: Builder) -> Grown:
    """The finished tree, in arrays that are as long as it has nodes."""
    n = int(builder.counters[N_NODES])
    columns = {name: column[:n].copy() for name, column in builder.table._asdict().items()}
    return Grown(**columns, max_depth=int(builder.counters[DEPTH]))
