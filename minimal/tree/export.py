"""A tree's rules as text, one line a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.parameters import boolean, check_parameters, integer
from minimal.tree.growth import LEAF
from minimal.validation import check_array, check_is_fitted

_CONSTRAINTS = {
    "max_depth": [integer(0, inf)],
    "spacing": [integer(1, inf)],
    "decimals": [integer(0, inf)],
    "show_weights": [boolean],
}


def export_text(
    decision_tree: Any,
    *,
    feature_names: ArrayLike | None = None,
    class_names: ArrayLike | None = None,
    max_depth: int = 10,
    spacing: int = 3,
    decimals: int = 2,
    show_weights: bool = False,
) -> str:
    """Write the rules of a fitted tree, indented by depth.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted.
    feature_names : array-like of shape (n_features,), optional
        Default: ``feature_0``, ``feature_1``, ...
    class_names : array-like of shape (n_classes,), optional
        In the order of ``classes_``, which is the default.  Trees with several outputs show positions, not names.
    max_depth : int, default=10
        How many levels to write; deeper branches become one line that tells their depth.
    spacing : int, default=3
        Columns for each level.
    decimals : int, default=2
        Of thresholds, values and weights.
    show_weights : bool, default=False
        Whether leaves of a classifier tell how much weight each class has.

    Returns
    -------
    str

    Raises
    ------
    NotFittedError
        Before ``fit``.
    ValueError
        If there are too many or too few names.

    Source: ``sklearn.tree.export_text``, 1.9.1, the same text.

    Examples
    --------
    >>> from minimal.tree import DecisionTreeClassifier, export_text
    >>> tree = DecisionTreeClassifier().fit([[0.0], [1.0], [4.0]], ["low", "low", "high"])
    >>> print(export_text(tree, feature_names=["height"]), end="")
    |--- height <= 2.50
    |   |--- class: low
    |--- height >  2.50
    |   |--- class: high
    """
    given = {"max_depth": max_depth, "spacing": spacing, "decimals": decimals, "show_weights": show_weights}
    check_parameters(given, _CONSTRAINTS, "export_text")
    check_is_fitted(decision_tree)
    tree = decision_tree.tree_
    features = _feature_names(feature_names, tree.n_features)
    describe = _LeafText(decision_tree, _class_names(class_names, decision_tree), decimals, show_weights)
    lines = []
    for line in _walk(tree.children_left, tree.children_right, max_depth):
        if line.kind == "too deep":
            text = f" truncated branch of depth {_depth_below(tree, line.node)}"
        elif line.kind == "leaf":
            text = describe.of(line.node)
        else:
            text = f" {features[tree.feature[line.node]]} {line.kind} {tree.threshold[line.node]:.{decimals}f}"
        lines.append(("|" + " " * spacing) * line.depth + "|" + "-" * spacing + text)
    return "\n".join(lines) + "\n"


class _Line(NamedTuple):
    """One line: ``kind`` is "<=" or "> " above the samples that a decision sends left or right, "leaf" or "too deep"."""

    node: int
    depth: int
    kind: str


def _walk(left: NDArray[np.int64], right: NDArray[np.int64], max_depth: int) -> Iterator[_Line]:
    """All lines from top to bottom (with a stack, since a tree may be deeper than Python's recursion goes)."""
    stack = [_Line(0, 0, "node")]
    while stack:
        line = stack.pop()
        node, depth, kind = line
        if kind != "node":
            yield line
        elif depth > max_depth:
            yield _Line(node, depth, "leaf" if left[node] == LEAF else "too deep")
        elif left[node] == LEAF:
            yield _Line(node, depth, "leaf")
        else:
            yield _Line(node, depth, "<=")
            stack.append(_Line(int(right[node]), depth + 1, "node"))
            stack.append(_Line(node, depth, "> "))
            stack.append(_Line(int(left[node]), depth + 1, "node"))


def _depth_below(tree: Any, node: int) -> int:
    """The number of levels of the subtree under ``node``, its own included."""
    depth, level = 0, np.array([node])
    while len(level):
        depth += 1
        inner = level[tree.children_left[level] != LEAF]
        level = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    return depth


class _LeafText:
    """What the line of a leaf says."""

    def __init__(self, decision_tree: Any, class_names: Sequence[Any] | None, decimals: int, show_weights: bool):
        self._tree = decision_tree.tree_
        self._class_names = class_names
        self._decimals = decimals
        self._show_weights = show_weights

    def of(self, node: int) -> str:
        tree = self._tree
        values = tree.value[node][0] if tree.n_outputs == 1 else tree.value[node][:, 0]
        if self._class_names is None:
            return f" value: {self._list(values)}"
        named = tree.n_outputs == 1 and tree.n_classes[0] != 1
        position = int(np.argmax(values))
        winner = self._class_names[position] if named else position
        weights = f" weights: {self._list(values * tree.weighted_n_node_samples[node])}" if self._show_weights else ""
        return f"{weights} class: {winner}"

    def _list(self, values: NDArray[np.float64]) -> str:
        return "[" + ", ".join(f"{value:.{self._decimals}f}" for value in values) + "]"


def _feature_names(given: ArrayLike | None, n_features: int) -> Sequence[str]:
    if given is None:
        return [f"feature_{i}" for i in range(n_features)]
    names = check_array(given, ensure_2d=False, dtype=None, finite=False, min_samples=0)
    if len(names) != n_features:
        raise ValueError(f"feature_names must contain {n_features} elements, got {len(names)}")
    return names


def _class_names(given: ArrayLike | None, decision_tree: Any) -> Sequence[Any] | None:
    """The names of the classes, or None for a regressor."""
    classes = getattr(decision_tree, "classes_", None)
    if classes is None or given is None:
        return classes
    names = check_array(given, ensure_2d=False, dtype=None, finite=False, min_samples=0)
    if len(names) != len(classes):
        raise ValueError(
            "When `class_names` is an array, it should contain as many items as `decision_tree.classes_`. Got "
            f"{len(names)} while the tree was fitted with {len(classes)} classes."
        )
    return names
