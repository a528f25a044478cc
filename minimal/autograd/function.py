"""Operations of your own: say what forward computes and how a gradient goes back, and use it like any other.

class Cube(minimal.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g

y = Cube.apply(x)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from minimal.autograd.graph import FREED_MESSAGE, Node, Part, next_number
from minimal.autograd.modes import no_grad, recording
from minimal.autograd.tensor import Tensor, node_of, wrap

__all__ = ["Function", "once_differentiable"]


class _Call(Node):
    """A recorded call of somebody's Function: the ``ctx`` of its forward and backward."""

    function: type[Function]
    _to_save: tuple[Any, ...] = ()
    _saved: list[Any] | None = None
    needs_input_grad: tuple[bool, ...] = ()
    _non_differentiable: tuple[int, ...] = ()
    _dirty: tuple[int, ...] = ()
    _materialize = True
    _shapes: tuple[Any, ...] = ()
    _tensor_places: tuple[int, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for ``backward``; a change in place until then is noticed."""
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was kept.

        Raises
        ------
        RuntimeError
            If the graph was freed, or a tensor was changed in place.
        """
        if self.freed:
            raise RuntimeError(FREED_MESSAGE)
        if self._saved is None:
            return self._to_save
        values = []
        for tensor, version, output in self._saved:
            if tensor is not None and tensor._version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: a "
                    f"tensor of shape {list(tensor.shape)} that {self.name()} saved at version {version} is at version "
                    f"{tensor._version}."
                )
            if output is not None:  # an output is saved without its history, or it would keep itself alive
                tensor = wrap(tensor.array)
                tensor._needs_grad, tensor._node = True, self if self.n_outputs == 1 else Part(self, output)
            values.append(tensor)
        return tuple(values)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """These outputs get no gradient."""
        self._non_differentiable = tuple(map(id, tensors))

    def mark_dirty(self, *tensors: Tensor) -> None:
        """These inputs were changed in place and are outputs too."""
        self._dirty = tuple(map(id, tensors))

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (default) or None for outputs that no gradient reached."""
        self._materialize = value

    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    def pull_back(self, g: Any, as_tensors: bool) -> Sequence[Any]:
        if self.freed:
            raise RuntimeError(FREED_MESSAGE)
        gradients = g if isinstance(g, list) else [g]
        given = []
        for share, (shape, dtype) in zip(gradients, self._shapes):
            if share is None and self._materialize:
                share = np.zeros(shape, dtype)
            given.append(None if share is None else wrap(share))
        back = self.function.backward(self, *given)
        back = back if isinstance(back, tuple) else (back,)
        n = len(self.needs_input_grad)
        if len(back) < n or any(share is not None for share in back[n:]):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {n}, got {len(back)})"
            )
        shares = [back[i] for i in self._tensor_places]
        if as_tensors:
            return shares
        return [share.array.copy("K") if isinstance(share, Tensor) else share for share in shares]

    def release(self) -> None:
        if self._saved:
            self.freed = True
        self._saved = None
        self._to_save = ()


class Function:
    """An operation of your own.

    A subclass defines two static methods: ``forward(ctx, *args, **options)``, which computes the outputs from tensors and
    plain arguments and keeps what it needs with ``ctx.save_for_backward``; and ``backward(ctx, *gradients)``, which returns
    one gradient (or None) for each argument of forward.  Or ``forward(*args)`` without ctx, with
    ``setup_context(ctx, inputs, output)`` beside it.  If ``backward`` is written with tensor operations, second derivatives
    work too.

    Source: torch.autograd.Function, 2.13.0.
    """

    @staticmethod
    def forward(*args: Any, **options: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Compute the gradient of each argument of ``forward``."""
        raise NotImplementedError("You must implement the backward function for your custom autograd.Function.")

    setup_context: Callable[..., None] | None = None

    @classmethod
    def apply(cls, *args: Any, **options: Any) -> Any:
        """Carry the operation out, and record it if a tensor requires a gradient."""
        ctx = _Call()
        ctx.function = cls
        ctx.needs_input_grad = tuple([isinstance(a, Tensor) and a._needs_grad for a in args])
        edges = [node_of(a) for a in args if isinstance(a, Tensor)]
        record = recording.enabled and any(ctx.needs_input_grad)
        with no_grad():
            if cls.setup_context is None:
                outputs = cls.forward(ctx, *args, **options)
            else:
                outputs = cls.forward(*args, **options)
                cls.setup_context(ctx, args, outputs)
        several = isinstance(outputs, tuple)
        results = list(outputs) if several else [outputs]
        if not record:
            return outputs
        ctx.number = next_number()
        ctx.edges = tuple(edges)
        ctx._tensor_places = tuple([i for i, a in enumerate(args) if isinstance(a, Tensor)])
        ctx.n_outputs = len(results)  # type: ignore[misc]
        ctx._shapes = tuple([(r.shape, r.dtype) if isinstance(r, Tensor) else (None, None) for r in results])
        originals = list(map(id, results))
        recorded = [_recorded(ctx, i, result, args) for i, result in enumerate(results)]
        ctx._saved = []
        for tensor in ctx._to_save:
            output = originals.index(id(tensor)) if id(tensor) in originals else None
            if output is not None:
                twin = wrap(recorded[output].array)
                twin._counter = recorded[output]._counting()
                tensor = twin
            ctx._saved.append((tensor, 0 if tensor is None else tensor._version, output))
        return tuple(recorded) if several else recorded[0]


def _recorded(ctx: _Call, i: int, result: Any, args: tuple[Any, ...]) -> Any:
    """An output of forward with its place in the graph."""
    if not isinstance(result, Tensor) or id(result) in ctx._non_differentiable or result.dtype.kind != "f":
        return result
    out = result
    if id(result) not in ctx._dirty:
        out = Tensor(result.array)
        if any(result is a for a in args):
            out._counter = result._counting()
    else:
        out._bump_version()
    out._needs_grad, out._node = True, ctx if ctx.n_outputs == 1 else Part(ctx, i)
    return out


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A ``backward`` that is not itself differentiated: what it returns has no history.

    Source: torch.autograd.function.once_differentiable, 2.13.0.
    """

    @wraps(backward)
    def wrapper(ctx: Any, *gradients: Any) -> Any:
        with no_grad():
            return backward(ctx, *gradients)

    return wrapper
