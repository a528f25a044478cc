"""The graph that a computation leaves behind, and the walk back through it that makes the gradients.

Every recorded operation is a *node*.  Its edges lead to the nodes that made its inputs, or to the leaf tensors (parameters)
themselves.  For a scalar L at the end, each node receives dL/d(its output) and sends dL/d(its inputs) along its edges: the
chain rule, one link at a time.

A node may only work when all that used its output have sent their share.  Nodes are numbered in the order in which they
were recorded, and an operation is always recorded after those that made its inputs; so it is enough to sort the reachable
nodes by their numbers, last first.  No recursion: a chain of a million operations is as good as a short one.

    b = a + a        node 1: receives dc/db, sends it to a twice
    c = b + b        node 2: receives 1, sends 1 and 1 to node 1, which must wait for both: 2, and a gets 2 + 2 = 4

What flows are NumPy arrays, or Tensors when the walk itself shall be recorded (``create_graph=True``): the same formulas
run on both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from minimal.autograd.modes import set_grad_enabled

if TYPE_CHECKING:
    pass

next_number = itertools.count().__next__

FREED_MESSAGE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class Node:
    """One recorded operation: where its inputs came from, and how a gradient passes through it.

    Attributes
    ----------
    edges : tuple of (Node, Tensor or None)
        For each tensor that went in: the node that made it, or itself if it is a leaf, or None if it needs no gradient.
    number : int
        When it was recorded.
    """

    edges: tuple[Any, ...] = ()
    number: int = -1
    hooks: Hooks | None = None  # what people asked to see of this node; most have none
    freed = False
    n_outputs: ClassVar[int] = 1

    def pull_back(self, g: Any, as_tensors: bool) -> Sequence[Any]:
        """The gradient of each edge's tensor, from the gradient ``g`` of the output: arrays, or Tensors if asked."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was kept for :meth:`pull_back`."""

    def name(self) -> str:
        """As PyTorch names it: MulBackward0."""
        return f"{type(self).__name__}Backward0"

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The edges as PyTorch shows them: (node, which of its outputs).  A leaf stands for its own accumulation."""
        return tuple((edge.parent, edge.index) if isinstance(edge, Part) else (edge, 0) for edge in self.edges)

    def _hooks(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's gradients are made; what it returns replaces them."""
        return Handle(self._hooks().after, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(grad_outputs)`` before this node works; what it returns replaces them."""
        return Handle(self._hooks().before, hook)


class Part(Node):
    """One of several outputs of a node (a piece of ``split``, the indices' companion of ``max``)."""

    def __init__(self, parent: Node, index: int) -> None:
        self.parent, self.index, self.number, self.edges = parent, index, next_number(), (parent,)

    def name(self) -> str:
        return self.parent.name()

    def pull_back(self, g: Any, as_tensors: bool) -> Sequence[Any]:
        return (g,)


class Hooks:
    """Callables by a running key, so that each can be removed: those on the output's gradient, before, and after."""

    def __init__(self) -> None:
        self.on_output: dict[int, Callable[..., Any]] = {}
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.keepers: list[Callable[[Any], None]] = []  # retain_grad


class Handle:
    """Removes a hook again, also at the end of a ``with`` block."""

    _keys = itertools.count()

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self.id = next(Handle._keys)
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


# ---------------------------------------------------------------- the walk back


def reachable(roots: Iterable[Any]) -> list[Node]:
    """All nodes that gradients from the roots can reach, the last recorded first."""
    stack = [root for root in roots if isinstance(root, Node)]
    seen = set(stack)
    nodes = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if isinstance(edge, Node) and edge not in seen:
                seen.add(edge)
                nodes.append(edge)
                stack.append(edge)
    nodes.sort(key=_number, reverse=True)
    return nodes


def _number(node: Node) -> int:
    return node.number


def _working(nodes: list[Node], wanted: Sequence[Any]) -> set[Any]:
    """Of the nodes (last recorded first), those along whose edges something wanted is reached."""
    leads = set(wanted)
    working = set()
    for node in reversed(nodes):
        if not leads.isdisjoint(node.edges):
            leads.add(node)
            working.add(node)
    return working


def walk_back(
    roots: Sequence[tuple[Any, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    wanted: Sequence[Any] | None = None,
) -> dict[Any, Any]:
    """Send gradients from the roots through the graph.

    Parameters
    ----------
    roots : sequence of (edge, gradient)
        Where to begin, and dL/d(output) there.
    retain_graph : bool
        Whether the nodes keep what they saved, for another walk.
    create_graph : bool
        Whether gradients are Tensors whose own making is recorded.
    wanted : sequence of (Node or Tensor), optional
        Only walk to these.  Default: to all leaves.

    Returns
    -------
    dict
        The gradients of the leaves, or of what was wanted, by leaf or node.
    """
    gradients: dict[Any, Any] = {}
    for edge, g in roots:
        gradients[edge] = gradients[edge] + g if edge in gradients else g
    nodes = reachable(gradients)
    working = None if wanted is None else _working(nodes, wanted)
    kept = frozenset(wanted or ())
    captured: dict[Any, Any] = {}

    with set_grad_enabled(create_graph), np.errstate(all="ignore"):
        for node in nodes:
            g = gradients.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None:
                g = _before(node.hooks, g)
            if working is not None:
                if node in kept:
                    captured[node] = g
                if node not in working:
                    continue
            if type(node) is Part:
                shares = gradients.setdefault(node.parent, [None] * node.parent.n_outputs)
                shares[node.index] = g
                continue
            back = node.pull_back(g, create_graph)
            if node.hooks is not None and node.hooks.after:
                back = _after(node.hooks, back, g, create_graph)
            if not retain_graph:
                node.release()
            for edge, share in zip(node.edges, back):
                if edge is not None and share is not None:
                    gradients[edge] = gradients[edge] + share if edge in gradients else share
    return {**gradients, **captured}


def _before(hooks: Hooks, g: Any) -> Any:
    """What the hooks on a node's output make of its gradient; ``retain_grad`` sees it last."""
    from minimal.autograd.tensor import as_kind, wrap

    if hooks.on_output or hooks.before or hooks.keepers:
        kind = type(g)
        for hook in list(hooks.on_output.values()):
            replacement = hook(wrap(g))
            g = g if replacement is None else as_kind(replacement, kind)
        for hook in list(hooks.before.values()):
            replacement = hook((wrap(g),))
            g = g if replacement is None else as_kind(replacement[0], kind)
        for keep in hooks.keepers:
            keep(wrap(g))
    return g


def _after(hooks: Hooks, back: Sequence[Any], g: Any, as_tensors: bool) -> Sequence[Any]:
    from minimal.autograd.tensor import Tensor, as_kind, wrap

    kind = Tensor if as_tensors else np.ndarray
    for hook in list(hooks.after.values()):
        shown = tuple(None if share is None else wrap(share) for share in back)
        outputs = g if isinstance(g, list) else [g]
        replacement = hook(shown, tuple(None if o is None else wrap(o) for o in outputs))
        if replacement is not None:
            replacement = replacement if isinstance(replacement, tuple) else (replacement,)
            back = [None if share is None else as_kind(share, kind) for share in replacement]
    return back
