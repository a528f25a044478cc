"""Functions of yours that run before or after a module does, forwards and backwards.

A module without hooks never comes here.  With hooks, a call is: the pre-hooks, which may change the arguments; the module's
own ``forward``; the hooks, which may change the result.  Backward hooks need gradients at two borders, where the arguments
come in and where the results go out: at each stands a *gate*, an operation that changes nothing and is told the gradients.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from minimal.autograd.graph import Handle
from minimal.autograd.modes import is_grad_enabled
from minimal.autograd.operation import Operation
from minimal.autograd.tensor import Tensor, as_kind, wrap

__all__ = ["Hooks"]


class Hook(NamedTuple):
    """A function and how it wants to be called."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class Hooks:
    """The hooks of one module."""

    def __init__(self) -> None:
        self.forward_pre: dict[int, Hook] = {}
        self.forward: dict[int, Hook] = {}
        self.backward_pre: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}

    def __bool__(self) -> bool:
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward)


def register(hooks: dict[int, Any], hook: Any, prepend: bool) -> Handle:
    """Add a hook last, or first with ``prepend``."""
    others = dict(hooks) if prepend else {}
    handle = Handle(hooks, hook)
    for key in others:
        hooks[key] = hooks.pop(key)  # to the end
    return handle


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` between its hooks; hooks that asked to be called always are called when something raises too."""
    hooks: Hooks = module._hooks
    result = None
    finished: set[int] = set()
    try:
        args, kwargs = _run_pre_hooks(module, hooks, args, kwargs)
        border = _Border(module, hooks) if hooks.backward or hooks.backward_pre else None
        if border:
            args = border.enter(args)
        result = module.forward(*args, **kwargs)
        for key, hook in list(hooks.forward.items()):
            finished.add(key)
            changed = _call_forward_hook(hook, module, args, kwargs, result)
            result = result if changed is None else changed
        return border.leave(result) if border else result
    except Exception:
        for key, hook in list(hooks.forward.items()):
            if hook.always_call and key not in finished:
                try:
                    changed = _call_forward_hook(hook, module, args, kwargs, result)
                    result = result if changed is None else changed
                except Exception as error:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        stacklevel=3,
                    )
        raise


def _run_pre_hooks(
    module: Any, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in list(hooks.forward_pre.values()):
        if hook.with_kwargs:
            changed = hook.call(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook.call(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _call_forward_hook(hook: Hook, module: Any, args: Any, kwargs: Any, result: Any) -> Any:
    return hook.call(module, args, kwargs, result) if hook.with_kwargs else hook.call(module, args, result)


class Gate(Operation):
    """y = x for each of several tensors at once; backward, a listener sees and may change their gradients."""

    listener: Callable[..., Any]

    def forward(self, listener: Callable[..., Any], *arrays: Any) -> tuple[Any, ...]:
        self.listener = listener
        return arrays

    def backward(self, g: Any) -> tuple[Any, ...]:
        kind = type(next(each for each in g if each is not None))
        told = self.listener(tuple(None if each is None else wrap(each) for each in g))
        return tuple(None if each is None else as_kind(each, kind) for each in told)


class _Border:
    """The two gates around one call of a module, and what its backward hooks are told."""

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.n_inputs = 0
        self.inputs: list[int] | None = None  # which arguments are tensors; None: no argument needs a gradient
        self.grad_outputs: tuple[Any, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put a gate before the arguments."""
        self.n_inputs = len(args)
        args, self.inputs = _through_gate(args, self._at_inputs)
        return args

    def leave(self, result: Any) -> Any:
        """Put a gate behind the result, a tensor or a tuple."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}",
                stacklevel=4,
            )
            return result
        results = result if isinstance(result, tuple) else (result,)
        passed, outputs = _through_gate(results, lambda gradients: self._at_outputs(gradients, outputs, len(results)))
        return passed if isinstance(result, tuple) else passed[0]

    def _at_outputs(self, gradients: tuple[Any, ...], outputs: list[int] | None, n_outputs: int) -> tuple[Any, ...]:
        assert outputs is not None
        told = _spread(gradients, outputs, n_outputs)
        for hook in list(self.hooks.backward_pre.values()):
            changed = hook.call(self.module, told)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                _check_count("pre hook", "grad_output", changed, told)
                told = changed
        self.grad_outputs = told
        if self.inputs is None:
            self._without_inputs(told)
        return tuple(told[i] for i in outputs)

    def _at_inputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_outputs is None or self.inputs is None:  # the gradient did not come through the outputs
            return gradients
        told = _spread(gradients, self.inputs, self.n_inputs)
        for hook in list(self.hooks.backward.values()):
            changed = hook.call(self.module, told, self.grad_outputs)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                _check_count("hook", "grad_input", changed, told)
                told = changed
        self.grad_outputs = None
        return tuple(told[i] for i in self.inputs)

    def _without_inputs(self, grad_outputs: tuple[Any, ...]) -> None:
        """No argument needs a gradient, so there is no gate before them: call the hooks from here, with nothing for them."""
        if self.hooks.backward:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=2,
            )
        for hook in list(self.hooks.backward.values()):
            changed = hook.call(self.module, (None,) * self.n_inputs, grad_outputs)
            if changed is not None and any(each is not None for each in changed):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None


def _through_gate(values: tuple[Any, ...], listener: Callable[..., Any]) -> tuple[tuple[Any, ...], list[int] | None]:
    """The values with their tensors led through a gate, and which those are; None if no gradient will come."""
    where = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in where):
        return values, None
    passed = Gate.apply(listener, *(values[i] for i in where))
    results = list(values)
    for i, tensor in zip(where, passed):
        tensor._counter = values[i]._counting()  # the same memory: a change in place is noticed
        results[i] = tensor
    return tuple(results), where


def _spread(gradients: tuple[Any, ...], where: list[int], n: int) -> tuple[Any, ...]:
    """One place for each of n values, None where the value is no tensor."""
    places: list[Any] = [None] * n
    for i, gradient in zip(where, gradients):
        places[i] = gradient
    return tuple(places)


def _check_count(what: str, gradients: str, given: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    if len(given) != len(expected):
        raise RuntimeError(
            f"Backward {what} returned an invalid number of {gradients}, got {len(given)}, but expected {len(expected)}"
        )
