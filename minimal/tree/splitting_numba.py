"""What a splitter is: the three questions that the tree builder asks, and how a splitter answers them.

The builder (:mod:`minimal.tree.builder_numba`) knows nothing of data, criteria or sorting.  It hands out nodes, and asks a
*splitter* about each: how heavy is it, where to cut it, what is its value.  A splitter is a NamedTuple of arrays; it answers
by registering a function for each question:

    class MySplitter(NamedTuple):
        samples: np.ndarray
        ...

    @answers(enter, MySplitter)
    def enter_node(splitter, start, end): ...

Numba compiles the builder once for each kind of splitter, with the answers of that kind compiled in, and keeps the result on
disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core.options import DefaultOptions
from numba.extending import overload
from numpy.typing import NDArray

# Python holds all arrays for as long as a kernel runs.  Compiled without Numba's runtime, a kernel does not count who holds
# them, atomically and at every call, which for a tuple of twenty arrays takes longer than a small node; but it cannot make
# arrays either.  The flag is Numba's own affair, so it is only used if it is there.
HAS_RUNTIME_FLAG = hasattr(DefaultOptions, "_nrt")


def flags(runtime: bool) -> dict[str, Any]:
    """What all kernels are compiled with, with or without Numba's runtime; a callee that does not say inherits it."""
    return {"nogil": True, "error_model": "numpy", **({"_nrt": runtime} if HAS_RUNTIME_FLAG else {})}


FLAGS = flags(runtime=False)

# Not cached: the builder that contains them is.  What takes a splitter or a criterion is inlined: a call would hand over
# every number of every array's description, a few hundred of them.
kernel = njit(**FLAGS)
inlined = njit(**FLAGS, forceinline=True)
door = njit(**FLAGS, cache=True)  # to be called from Python
allocating = njit(**flags(runtime=True))  # makes arrays
at = np.uintp  # an index of this type is not negative, so the access need not ask


class Node(NamedTuple):
    """A node that is about to be explored: a range of the splitter's samples.

    ``start`` and ``end`` are places in the splitter's own order of samples; ``n_constants`` says how many features are
    known to be constant in it; its value must stay within [``lower``, ``upper``] (monotonicity constraints).
    """

    start: int
    end: int
    depth: int
    parent: int
    is_left: bool
    n_constants: int
    impurity: float
    weight: float
    lower: float
    upper: float


class Split(NamedTuple):
    """Where a node is cut: samples[start:position] go left.  ``position`` = the node's end: it cannot be cut.

    ``middle`` is the mean of the children's values, needed only when ``feature`` has a monotonicity constraint;
    ``n_constants`` is how many features are known to be constant now, in the node and so in its children.
    """

    position: int
    feature: int
    threshold: float
    missing_left: bool
    improvement: float
    impurity_left: float
    impurity_right: float
    middle: float
    n_constants: int


class Rules(NamedTuple):
    """When a node stays a leaf, and what a split must fulfil."""

    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    min_impurity_decrease: float
    max_features: int


# ------------------------------------------------------------ the questions


def enter(splitter: Any, start: int, end: int) -> float:
    """Go to the node samples[start:end] and return its weight.  The three questions below are about this node."""
    raise NotImplementedError


def root_impurity(splitter: Any, start: int, end: int) -> float:
    """The impurity of the node just entered; asked for the root alone (a child's comes with its parent's split)."""
    raise NotImplementedError


def find_split(splitter: Any, node: Node) -> Split:
    """The best split of the node just entered.

    The splitter draws the features, leaves the samples such that samples[start:position] are those of the left child, and
    keeps to min_samples_leaf, min_weight_leaf and the monotonicity constraints.
    """
    raise NotImplementedError


def write_value(splitter: Any, node: Node, values: NDArray[np.float64], i: int) -> None:
    """Put the value of the node just entered (and perhaps split) into values[i], of shape (n_outputs, max(n_classes))."""
    raise NotImplementedError


def answers(question: Callable[..., Any], *kinds: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the answer of some kinds of splitters (or criteria, ...) to a question; a decorator.

    Parameters
    ----------
    question : function
        A plain function that only says what is asked.
    *kinds : type
        The NamedTuples whose instances, as first argument, choose this answer.
    """

    inside: Any = {**FLAGS, "forceinline": True}

    def register(answer: Callable[..., Any]) -> Callable[..., Any]:
        @overload(question, strict=False, jit_options=inside)
        def choose(first, *others):
            return answer if getattr(first, "instance_class", None) in kinds else None

        return answer

    return register
