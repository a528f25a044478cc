"""A tree as a picture: a box for each node, an arrow for each decision, colours for what the node would answer."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.parameters import boolean, check_parameters, integer, none, one_of
from minimal.tree.growth import LEAF
from minimal.tree.tidy import tidy_positions
from minimal.validation import check_is_fitted

_CONSTRAINTS = {
    "max_depth": [integer(0, math.inf), none],
    "label": [one_of("all", "root", "none")],
    "filled": [boolean],
    "impurity": [boolean],
    "node_ids": [boolean],
    "proportion": [boolean],
    "rounded": [boolean],
    "precision": [integer(0, math.inf), none],
    "fontsize": [integer(0, math.inf), none],
}


def plot_tree(
    decision_tree: Any,
    *,
    max_depth: int | None = None,
    feature_names: ArrayLike | None = None,
    class_names: ArrayLike | bool | None = None,
    label: str = "all",
    filled: bool = False,
    impurity: bool = True,
    node_ids: bool = False,
    proportion: bool = False,
    rounded: bool = False,
    precision: int | None = 3,
    ax: Any = None,
    fontsize: int | None = None,
) -> list[Any]:
    """Draw a fitted tree with Matplotlib.

    Parameters
    ----------
    decision_tree : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted.
    max_depth : int, optional
        How many levels below the root to draw; a grey box stands for what is left out.  Default: all.
    feature_names : array-like of shape (n_features,), optional
        Default: ``x[0]``, ``x[1]``, ...
    class_names : array-like of shape (n_classes,) or True, optional
        Names of the classes in the order of ``classes_``, shown for trees with one output; True shows ``y[0]``, ``y[1]``, ...
    label : {"all", "root", "none"}, default="all"
        Which boxes say what their numbers are.
    filled : bool, default=False
        Colour the boxes: by the likeliest class and its lead, by the predicted value, or, with several outputs, by purity.
    impurity, node_ids : bool, default=True, False
        Whether the boxes show them.
    proportion : bool, default=False
        Shares of the classes and percentages of the samples in place of weights and counts.
    rounded : bool, default=False
        Round the boxes' corners.
    precision : int, default=3
        Decimals of thresholds, impurities and values.
    ax : matplotlib.axes.Axes, optional
        Where to draw; what was there goes.  Default: the current axes.
    fontsize : int, optional
        In points.  Default: as large as fits.

    Returns
    -------
    list of matplotlib.text.Annotation

    Raises
    ------
    ImportError
        Without Matplotlib.
    NotFittedError
        Before ``fit``.

    Source: ``sklearn.tree.plot_tree``, 1.9.1: the same texts, places and colours.

    Examples
    --------
    >>> from minimal.tree import DecisionTreeClassifier, plot_tree
    >>> tree = DecisionTreeClassifier().fit([[0.0], [1.0], [4.0]], ["low", "low", "high"])
    >>> boxes = plot_tree(tree, feature_names=["height"], class_names=tree.classes_, filled=True)
    """
    given = locals()
    check_parameters({name: given[name] for name in _CONSTRAINTS}, _CONSTRAINTS, "plot_tree")
    check_is_fitted(decision_tree)
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError("plot_tree needs Matplotlib: pip install matplotlib") from error
    tree = decision_tree.tree_
    style = Style(feature_names, class_names, label, impurity, node_ids, proportion, precision)
    ax = plt.gca() if ax is None else ax
    ax.clear()
    ax.set_axis_off()
    shown = visible_part(tree, math.inf if max_depth is None else max_depth)
    texts = [
        "\n  (...)  \n" if is_cut else node_text(tree, node, decision_tree.criterion, style)
        for node, is_cut in zip(shown.node, shown.is_cut)
    ]
    colour = Colours(tree).of if filled else lambda node: ax.get_facecolor()
    fills = ["grey" if is_cut else colour(node) for node, is_cut in zip(shown.node, shown.is_cut)]
    places = places_of(shown)
    _draw(ax, shown, places, texts, fills, {} if fontsize is None else {"fontsize": fontsize}, rounded)
    return _fit_text(ax, places, fontsize)


def _draw(
    ax: Any, shown: Part, places: Places, texts: list[str], fills: list[Any], size: dict[str, int], rounded: bool
) -> None:
    """Boxes with arrows from their parents; the first decision's arrows say which way is which."""
    from matplotlib import rcParams

    at = list(zip(places.x, places.y))
    for i, text in enumerate(texts):
        near = {"xycoords": "axes fraction", "zorder": 100 - 10 * int(shown.depth[i]), **size}
        box = {"fc": fills[i]} | ({"boxstyle": "round"} if rounded else {})
        arrow = {"arrowstyle": "<-", "edgecolor": rcParams["text.color"]}
        frame = {"ha": "center", "va": "center", "bbox": box, "arrowprops": arrow, **near}
        if i == 0:
            ax.annotate(text, at[0], **frame)
            continue
        (x, y), (parent_x, parent_y) = at[i], at[shown.parent[i]]
        ax.annotate(text, (parent_x, parent_y), (x, y), **frame)
        if shown.parent[i] == 0 and not shown.is_cut[i]:
            words, side = ("True  ", "right") if x < parent_x else ("  False", "left")
            ax.annotate(words, ((parent_x + x) / 2, (parent_y + y) / 2), ha=side, **near)


def _fit_text(ax: Any, places: Places, fontsize: int | None) -> list[Any]:
    """Without a font size: the largest at which the largest box still fits its share of the axes."""
    from matplotlib.text import Annotation

    notes = [child for child in ax.get_children() if isinstance(child, Annotation)]
    renderer = ax.figure.canvas.get_renderer()
    for note in notes:
        note.update_bbox_position_size(renderer)
    if fontsize is None:
        patches = [note.get_bbox_patch() for note in notes]
        boxes = [patch.get_window_extent() for patch in patches if patch is not None]
        room = ax.get_window_extent()
        across = room.width / places.n_columns / max(box.width for box in boxes)
        down = room.height / places.n_rows / max(box.height for box in boxes)
        size = notes[0].get_fontsize() * min(across, down)
        for note in notes:
            note.set_fontsize(size)
    return notes


# ---------------------------------------------------------------- what to draw, and where


class Part(NamedTuple):
    """The nodes to draw, parents before their children, left before right; ``parent`` and children count within the part."""

    node: NDArray[np.int64]
    parent: NDArray[np.int64]
    depth: NDArray[np.int64]
    is_cut: NDArray[np.bool_]


def visible_part(tree: Any, max_depth: float) -> Part:
    """The nodes down to one level below ``max_depth``; those on that last level stand for all that is under them."""
    found: list[tuple[int, int, int, bool]] = []
    stack = [(0, -1, 0)]
    while stack:
        node, parent, depth = stack.pop()
        found.append((node, parent, depth, depth > max_depth))
        if tree.children_left[node] != LEAF and depth <= max_depth:
            me = len(found) - 1
            stack.append((int(tree.children_right[node]), me, depth + 1))
            stack.append((int(tree.children_left[node]), me, depth + 1))
    node_, parent_, depth_, cut = zip(*found, strict=True)
    return Part(np.array(node_), np.array(parent_), np.array(depth_), np.array(cut))


class Places(NamedTuple):
    """Where the nodes of a part go, in fractions of the axes, and how many columns and rows share these."""

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    n_columns: float
    n_rows: float


def places_of(shown: Part) -> Places:
    """A tidy place for each node."""
    n_nodes = len(shown.node)
    left, right = np.full(n_nodes, LEAF), np.full(n_nodes, LEAF)
    for i in range(1, n_nodes):
        parent = shown.parent[i]
        (left if left[parent] == LEAF else right)[parent] = i
    column = tidy_positions(left, right)
    n_columns, n_rows = column.max() + 1, float(shown.depth.max() + 1)
    return Places((column + 0.5) / n_columns, (n_rows - shown.depth - 0.5) / n_rows, n_columns, n_rows)


# ---------------------------------------------------------------- what a box says


class Style(NamedTuple):
    """What the boxes show; see :func:`plot_tree`."""

    feature_names: Any
    class_names: Any
    label: str
    impurity: bool
    node_ids: bool
    proportion: bool
    precision: int | None


def node_text(tree: Any, node: int, criterion: Any, style: Style) -> str:
    """The lines of a box: decision, impurity, samples, value, class."""
    labelled = style.label == "all" or (style.label == "root" and node == 0)

    def say(name: str, what: Any, between: str = " = ") -> str:
        return f"{name}{between}{what}" if labelled else str(what)

    lines = [say("node", f"#{node}", " ")] if style.node_ids else []
    if tree.children_left[node] != LEAF:
        feature = tree.feature[node]
        name = f"x[{feature}]" if style.feature_names is None else style.feature_names[feature]
        lines.append(f"{name} <= {round(tree.threshold[node], style.precision)}")
    if style.impurity:
        name = criterion if isinstance(criterion, str) else "impurity"
        lines.append(say(name, round(tree.impurity[node], style.precision)))
    count = tree.n_node_samples[node]
    share = f"{round(100.0 * count / float(tree.n_node_samples[0]), 1)}%"
    lines.append(say("samples", share if style.proportion else count))
    value = tree.value[node][0] if tree.n_outputs == 1 else tree.value[node]
    is_classification = tree.n_classes[0] != 1
    if is_classification and not style.proportion:
        value = value * tree.weighted_n_node_samples[node]
    lines.append(say("value", _value_text(value, is_classification and not style.proportion, tree, style.precision)))
    if style.class_names is not None and is_classification and tree.n_outputs == 1:
        winner = np.argmax(value)
        lines.append(say("class", f"y[{winner}]" if style.class_names is True else style.class_names[winner]))
    return "\n".join(lines)


def _value_text(value: NDArray[np.float64], as_counts: bool, tree: Any, precision: int | None) -> str:
    """Numbers as NumPy prints them, in brackets unless a regressor has one output; a row a line."""
    whole = as_counts and bool((np.mod(value, 1) == 0).all())
    numbers = value.astype(int) if whole else np.around(value, precision)  # type: ignore[arg-type]
    text = str(numbers.astype("S32")).replace("b'", "'").replace("' '", ", ").replace("'", "")
    if tree.n_classes[0] == 1 and tree.n_outputs == 1:
        text = text.strip("[]")
    return text.replace("\n ", "\n")


# ---------------------------------------------------------------- colours


class Colours:
    """A box's colour: a hue for the class, and the paler, the less certain the answer.

    One output: strength (p1 - p2) / (1 - p2) of the two largest shares.  Regression: the value between the smallest (white)
    and the largest.  Several outputs: purity between the worst and the best.
    """

    def __init__(self, tree: Any):
        self._tree = tree
        self._hues = hues(int(tree.n_classes[0]))
        self._by_class = tree.n_outputs == 1 and (tree.n_classes[0] != 1 or len(np.unique(tree.value)) == 1)
        if not self._by_class:
            scale = tree.value if tree.n_outputs == 1 else -tree.impurity
            self._low, self._high = scale.min(), scale.max()

    def of(self, node: int) -> str:
        tree = self._tree
        if self._by_class:
            shares = tree.value[node][0]
            winner = int(np.argmax(shares))
            best, second = [*sorted(shares, reverse=True), None][:2]
            strength = 0.0 if second is None else (best - second) / (1 - second)
            hue = self._hues[winner]
        else:
            value = tree.value[node][0].item() if tree.n_outputs == 1 else -tree.impurity[node]
            strength = (value - self._low) / (self._high - self._low)
            hue = self._hues[0]
        return "#" + "".join(f"{round(strength * part + (1 - strength) * 255):02x}" for part in hue)


def hues(n: int) -> list[tuple[int, ...]]:
    """``n`` colours of equal strength around the colour circle, from orange on, as red, green and blue up to 255."""
    colours = []
    for degrees in np.arange(25, 385, 360.0 / n).astype(int):
        sector, position = divmod(degrees / 60.0, 2)
        strong, middle = 0.675, 0.675 * (1 - abs(position - 1))  # saturation 0.75 of brightness 0.9
        pair = (strong, middle, 0.0) if position < 1 else (middle, strong, 0.0)
        turned = np.roll(pair, int(sector))  # red-green, green-blue, blue-red
        colours.append(tuple(int(255 * (part + 0.225)) for part in turned))
    return colours
