"""``backward`` and ``grad``: from a result to the gradients of what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimal.autograd.graph import walk_back
from minimal.autograd.tensor import Tensor, node_of, wrap

__all__ = ["backward", "grad"]


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _roots(outputs: Sequence[Tensor], gradients: Any, create_graph: bool) -> list[tuple[Any, Any]]:
    """Where to begin and with which gradient."""
    given = (
        (None,) * len(outputs) if gradients is None else (gradients,) if isinstance(gradients, Tensor) else gradients
    )
    if len(given) != len(outputs):
        raise RuntimeError(
            f"got {len(outputs)} tensors and {len(given)} gradients: each output needs one gradient, or None"
        )
    roots = []
    for output, g in zip(outputs, given):
        edge = node_of(output)
        if edge is None:
            raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if output.array.size != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs: this one has the shape "
                    f"{list(output.shape)}. Reduce it, or give a gradient of that shape."
                )
            g = Tensor(np.ones_like(output.array))
        elif g.shape != output.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[0] has a shape of {list(g.shape)} and output[0] has a shape of "
                f"{list(output.shape)}."
            )
        roots.append((edge, wrap(g) if create_graph else g.array))
    return roots


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves that they were made from.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
    grad_tensors : Tensor or sequence of Tensor or None, optional
        dL/d(tensor), of the same shapes.  Default: 1 for tensors of one element.
    retain_graph : bool, optional
        Keep the graph for another call.  Default: as ``create_graph``.
    create_graph : bool, default=False
        Record the making of the gradients too.
    inputs : Tensor or sequence of Tensor, optional
        Only these get gradients.

    Source: torch.autograd.backward, 2.13.0.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    outputs = _as_tuple(tensors)
    wanted = None if inputs is None else _as_tuple(inputs)
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    edges = None if wanted is None else [_edge_of(tensor) for tensor in wanted]
    roots = _roots(outputs, grad_tensors, create_graph)
    found = walk_back(roots, retain_graph=retain_graph, create_graph=create_graph, wanted=edges)
    handed_out = {id(g) for _, g in roots}
    if wanted is None:
        for leaf, g in found.items():
            _accumulate(leaf, g, create_graph, handed_out)
    else:
        for tensor, edge in zip(wanted, edges or ()):
            if edge in found:
                _accumulate(tensor, found[edge], create_graph, handed_out)


def _edge_of(tensor: Tensor) -> Any:
    edge = node_of(tensor)
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def _accumulate(leaf: Tensor, g: Any, create_graph: bool, handed_out: set[int]) -> None:
    """Add ``g`` to the gradient of a leaf, which gets an array of its own."""
    hooks = leaf._leaf_hooks
    if hooks is not None and node_of(leaf) is leaf:
        for hook in list(hooks.on_output.values()):
            replacement = hook(wrap(g))
            if replacement is not None:
                g = replacement if create_graph else replacement.array
        handed_out.add(id(g))
    if create_graph:
        leaf._grad = g if leaf._grad is None else leaf._grad + g
    elif leaf._grad is not None:
        leaf._grad.array = _plus(leaf._grad.array, g)
        leaf._grad._bump_version()
    else:
        g = np.asarray(g)
        if id(g) in handed_out or g.base is not None or not g.flags.writeable:
            g = g.copy("K") if 0 not in g.strides else np.array(g, order="C")
        handed_out.add(id(g))
        leaf._grad = Tensor(g)
    if hooks is not None:
        for hook in list(hooks.after.values()):
            hook(leaf)


def _plus(old: np.ndarray, g: Any) -> np.ndarray:
    """In place, so that who holds the gradient sees it grow; a view into smaller memory cannot grow."""
    if 0 in old.strides and old.size > 1:
        return old + g
    np.add(old, g, out=old)
    return old


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` by ``inputs``, without touching anybody's ``grad``.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
    grad_outputs : Tensor or sequence of Tensor or None, optional
        dL/d(output).  Default: 1 for outputs of one element.
    retain_graph, create_graph : bool
        As in :func:`backward`.
    allow_unused : bool, default=materialize_grads
        Whether an input that the outputs do not depend on gets None instead of an error.
    materialize_grads : bool, default=False
        Zeros instead of None.

    Returns
    -------
    tuple of Tensor or None, one for each input

    Raises
    ------
    RuntimeError
        If an input does not require a gradient, or was not used.

    Source: torch.autograd.grad, 2.13.0.  Differs from the reference when a hook sits on an input from which the walk goes on
    to another input: here the gradient of the input is what the hook made of it, as in ``backward``; there it is not.
    """
    if allow_unused is False and materialize_grads:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: False.")
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    retain_graph = create_graph if retain_graph is None else retain_graph
    wanted = _as_tuple(inputs)
    edges = [_edge_of(tensor) for tensor in wanted]
    roots = _roots(_as_tuple(outputs), grad_outputs, create_graph)
    found = walk_back(roots, retain_graph=retain_graph, create_graph=create_graph, wanted=edges)
    result: list[Tensor | None] = []
    for tensor, edge in zip(wanted, edges):
        g = found.get(edge)
        if isinstance(edge, Tensor) and g is not None and edge._leaf_hooks is not None:
            for hook in list(edge._leaf_hooks.on_output.values()):
                replacement = hook(wrap(g))
                g = g if replacement is None else replacement
        if g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
                "this is the desired behavior."
            )
        if g is None and materialize_grads:
            g = np.zeros_like(tensor.array)
        result.append(None if g is None else wrap(g))
    return tuple(result)
