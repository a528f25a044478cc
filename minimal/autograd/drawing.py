"""A picture of the graph behind a tensor: every operation, the shape of what it made, and the gradient that arrives there.

    minimal.autograd.draw(loss).save("graph.svg")        # or as the last line of a notebook's cell

The picture is read upwards: leaves at the bottom, the result on top, and the gradients flow down along the arrows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minimal.autograd.graph import Node, Part, reachable, walk_back
from minimal.autograd.tensor import Tensor, node_of

__all__ = ["Drawing", "draw"]

WIDTH, HEIGHT = 2.3, 1.25  # inches from one box to the next
LARGEST = 400  # nodes: more than a person can look at


class Drawing:
    """A picture as SVG, which notebooks show by themselves.

    Attributes
    ----------
    svg : str
    """

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write the picture to a file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def draw(tensor: Tensor, names: Mapping[str, Tensor] | None = None) -> Drawing:
    """Draw the graph behind a tensor, drawn by Matplotlib.

    Parameters
    ----------
    tensor : Tensor
        A result that requires a gradient.  The gradients shown are those of the sum of its elements; nobody's ``grad``
        changes.  If its graph was freed by ``backward``, there are no gradients to show.
    names : mapping of str to Tensor, optional
        What to call leaves, such as ``dict(model.named_parameters())``.

    Returns
    -------
    Drawing

    Raises
    ------
    RuntimeError
        If the tensor has no graph.
    ValueError
        If there are more than 400 operations.
    """
    root = node_of(tensor)
    if root is None:
        raise RuntimeError("there is no graph to draw: the tensor does not require a gradient")
    nodes = [node for node in reachable([root]) if not isinstance(node, Part)]
    if len(nodes) > LARGEST:
        raise ValueError(f"a graph of {len(nodes)} operations is more than a picture can show ({LARGEST} at most)")
    leaves = {id(edge): edge for node in nodes for edge in node.edges if isinstance(edge, Tensor)}
    if isinstance(root, Tensor):
        leaves[id(root)] = root
    everything = [*nodes, *leaves.values()]
    labels = {id(leaf): name for name, leaf in (names or {}).items()}
    gradients = _gradients(root, tensor, everything)
    words = {id(item): _words(item, gradients.get(item), labels) for item in everything}
    arrows = [(id(node), id(_owner(edge))) for node in nodes for edge in node.edges if edge is not None]
    return Drawing(_svg(_places(everything), words, arrows, set(leaves)))


def _owner(edge: Any) -> Any:
    return edge.parent if isinstance(edge, Part) else edge


def _gradients(root: Any, tensor: Tensor, everything: list[Any]) -> dict[Any, Any]:
    """What arrives at each node and leaf, or nothing if the graph was freed."""
    if any(isinstance(item, Node) and item.freed for item in everything):
        return {}
    start = [(root, np.ones_like(tensor.array))]
    return walk_back(start, retain_graph=True, create_graph=False, wanted=everything)


def _words(item: Any, g: Any, labels: dict[int, str]) -> str:
    name = labels.get(id(item), "leaf") if isinstance(item, Tensor) else item.name().removesuffix("Backward0")
    gradient = next((part for part in g if part is not None), None) if isinstance(g, list) else g
    shape = item.shape if isinstance(item, Tensor) else None if gradient is None else np.shape(gradient)
    lines = [name if shape is None else f"{name}  {list(shape)}"]
    if isinstance(item, Tensor) and item.array.size <= 3:
        lines.append(f"value {_numbers(item.array)}")
    if gradient is not None:
        lines.append(f"grad {_numbers(gradient)}")
    return "\n".join(lines)


def _numbers(array: Any) -> str:
    array = np.asarray(array)
    if array.size <= 3:
        return ", ".join(f"{value:.4g}" for value in array.ravel().tolist())
    return f"of norm {np.linalg.norm(array):.4g}"


def _places(everything: list[Any]) -> dict[int, tuple[float, float]]:
    """Where each box goes: right below the lowest that uses it, and as near to the middle of its users as there is room."""
    users: dict[int, list[int]] = {id(item): [] for item in everything}
    depth: dict[int, int] = {}
    for item in everything:  # operations from the last recorded to the first, then leaves: users always come before
        depth[id(item)] = 1 + max((depth[user] for user in users[id(item)]), default=-1)
        for edge in item.edges if isinstance(item, Node) else ():
            if edge is not None:
                users[id(_owner(edge))].append(id(item))
    x: dict[int, float] = {}
    for row_depth in range(max(depth.values()) + 1):
        row = [key for key in depth if depth[key] == row_depth]
        wish = {key: float(np.mean([x[user] for user in users[key]])) if users[key] else 0.0 for key in row}
        row.sort(key=wish.__getitem__)
        for k, key in enumerate(row):
            x[key] = wish[key] if k == 0 else max(wish[key], x[row[k - 1]] + 1)
        shift = float(np.mean([wish[key] - x[key] for key in row]))
        x |= {key: x[key] + shift for key in row}
    return {key: (x[key] * WIDTH, -depth[key] * HEIGHT) for key in depth}


def _svg(
    places: dict[int, tuple[float, float]], words: dict[int, str], arrows: list[tuple[int, int]], leaves: set[int]
) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    xs, ys = zip(*places.values())
    size = (max(xs) - min(xs) + WIDTH, max(ys) - min(ys) + HEIGHT)
    figure: Any = Figure(figsize=size, layout="none")  # type: ignore[arg-type]
    canvas = FigureCanvasSVG(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(min(xs) - WIDTH / 2, max(xs) + WIDTH / 2)
    axes.set_ylim(min(ys) - HEIGHT / 2, max(ys) + HEIGHT / 2)
    axes.set_axis_off()
    for start, end in arrows:
        axes.annotate(
            "",
            xy=places[start],
            xytext=places[end],
            arrowprops={"arrowstyle": "-|>", "color": "#8a8f98", "shrinkA": 24, "shrinkB": 24, "lw": 1.1},
        )
    for key, (x, y) in places.items():
        box = {
            "boxstyle": "round,pad=0.45",
            "fc": "#fdf3d8" if key in leaves else "#e3edf9",
            "ec": "#5b6470",
            "lw": 0.9,
        }
        axes.text(x, y, words[key], ha="center", va="center", fontsize=9, color="#1b1f24", bbox=box, linespacing=1.4)
    text = io.StringIO()
    canvas.print_svg(text, metadata={"Date": None})
    return text.getvalue()
