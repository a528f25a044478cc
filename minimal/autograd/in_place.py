"""Changing a tensor in place, with its history.

``x.mul_(y)`` computes x y as ``mul`` does, writes the numbers into the memory of x, and gives x the history of the result.
If x is a view, its base gets a history too: what it was, with the new values at the place of the view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.modes import recording
from minimal.autograd.tensor import Tensor, check_may_change, node_of


def change(tensor: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Give ``tensor`` the values and the history of ``function(tensor)``.

    Raises
    ------
    RuntimeError
        If it is a leaf that requires a gradient, if the result is of another shape, or of a higher category of dtypes.
    """
    check_may_change(tensor)
    result = function(tensor)
    if not dtypes.can_cast(result.dtype, tensor.dtype):
        raise RuntimeError(f"result type {result.dtype} can't be cast to the desired output type {tensor.dtype}")
    if result.shape != tensor.shape:
        raise RuntimeError(
            f"output with shape {list(tensor.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    _keep_old_values(tensor, result)
    _write(tensor, result if result.dtype == tensor.dtype else result.to(tensor.dtype))
    return tensor


def _keep_old_values(tensor: Tensor, result: Tensor) -> None:
    """If the gradient takes what ``tensor`` was before, let it have a copy."""
    node = result._node
    saved = getattr(node, "saved", None)
    if saved is None or not any(a is tensor for a in saved):
        return
    old = Tensor(tensor.array.copy("K"))
    edge = node_of(tensor)
    old._needs_grad, old._node = edge is not None, edge
    node.saved = [old if a is tensor else a for a in saved]  # type: ignore[union-attr]


def assign(tensor: Tensor, value: Any, broadcast: bool = True) -> Tensor:
    """``tensor.copy_(value)``: other dtypes and smaller shapes are converted."""
    check_may_change(tensor)
    if isinstance(value, Tensor):
        source = value if value.dtype == tensor.dtype else value.to(tensor.dtype)
    else:
        source = Tensor(np.asarray(value).astype(tensor.dtype))
    if source.shape != tensor.shape:
        while source.ndim > tensor.ndim and source.shape[0] == 1:
            source = source.squeeze(0)
        source = source.expand(*tensor.shape)
    if source._needs_grad and recording.enabled:
        source = source.clone()  # a node of its own: its gradient is that of the place
    _write(tensor, source)
    return tensor


def _write(tensor: Tensor, result: Tensor) -> None:
    recorded = recording.enabled and (result._needs_grad or tensor._needs_grad)
    base = tensor._base
    new_base = None
    if recorded and base is not None:
        new_base = _changed_base(base, result, tensor._recipes)
    edge = node_of(result) if recorded and result._needs_grad else None
    try:
        tensor.array[...] = result.array
    except ValueError as error:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location, or "
            "its memory is read-only. Please clone() the tensor before performing the operation."
        ) from error
    tensor._bump_version()
    if not recorded:
        return
    if base is None:
        tensor._node, tensor._needs_grad = edge if edge is not tensor else None, result._needs_grad
        if isinstance(edge, Tensor):
            tensor._node = node_of(result.clone())
    else:
        assert new_base is not None
        base._node, base._needs_grad = new_base._node, new_base._needs_grad
        tensor._seen = -1  # its history follows from that of the base, when somebody asks


def _changed_base(base: Tensor, values: Tensor, recipes: tuple[Callable[[Tensor], Tensor], ...]) -> Tensor:
    from minimal.autograd.operations.indexing import ViewChanged

    def recipe(tensor: Tensor) -> Tensor:
        for step in recipes:
            tensor = step(tensor)
        return tensor

    return ViewChanged.apply(base, values, recipe)


def in_place(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """The method ``name`` that does in place what ``function`` does."""

    def method(self: Tensor, *args: Any, **options: Any) -> Tensor:
        return change(self, lambda tensor: function(tensor, *args, **options))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"``{function.__name__}`` in place.  Source: torch.Tensor.{name}, 2.13.0."
    return method


def zero_(self: Tensor) -> Tensor:
    """Set all elements to 0.  Source: torch.Tensor.zero_, 2.13.0."""
    return fill_(self, 0)


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set all elements to one value.  Source: torch.Tensor.fill_, 2.13.0."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    if isinstance(value, Tensor) and value._needs_grad:
        return assign(self, value)
    from minimal.autograd.functions.indexing import _filling
    from minimal.autograd.operations.elementwise import Fill

    number = _filling(value.item() if isinstance(value, Tensor) else value, self.dtype)
    if self._needs_grad and recording.enabled:  # its history goes on, with a gradient of zero
        return change(self, lambda tensor: Fill.apply(tensor, number.item()))
    return assign(self, number)


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Take the values of another tensor, converted and broadcast.  Source: torch.Tensor.copy_, 2.13.0."""
    return assign(self, src)
