"""Write a network as a class: layers as attributes, ``forward`` as a method, everything else is here.

>>> class Net(nn.Module):
...     def __init__(self):
...         super().__init__()
...         self.hidden, self.out = nn.Linear(64, 32), nn.Linear(32, 10)
...     def forward(self, x):
...         return self.out(self.hidden(x).relu())
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from minimal.autograd.graph import Handle
from minimal.autograd.tensor import Tensor
from minimal.nn import state
from minimal.nn.hooks import Hook, Hooks, call_with_hooks, register
from minimal.nn.parameter import check_device
from minimal.nn.tree import ModuleTree

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")


def _forward_unimplemented(self: Module, *input: Any) -> Any:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class Module(ModuleTree):
    """The base of all layers, losses and networks.

    A subclass calls ``super().__init__()`` first, sets its layers and parameters as attributes, and defines ``forward``.
    Calling the module runs ``forward`` between its hooks.

    Attributes
    ----------
    training : bool
        Whether the module is in training mode, as dropout and batch normalization ask.  Set it by :meth:`train` and
        :meth:`eval`.

    Source: ``torch.nn.Module``, 2.13.0.

    Differs from the reference when a state cannot be loaded (see :meth:`load_state_dict`), and has no TorchScript, no
    devices but the CPU, no global hooks, and no hooks on states.
    """

    _version = 1
    _hooks: Hooks | None

    forward: Callable[..., Any] = _forward_unimplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # ---------------------------------------------------------------- hooks

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Have ``hook(module, args)`` called before ``forward``; what it returns, unless None, replaces the arguments.

        Parameters
        ----------
        hook : callable
        prepend : bool
            Call it before the hooks that are there already.  Default: False.
        with_kwargs : bool
            Call ``hook(module, args, kwargs)``, which returns None or ``(args, kwargs)``.  Default: False.

        Returns
        -------
        Handle
        """
        return register(self._own_hooks().forward_pre, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """Have ``hook(module, args, output)`` called after ``forward``; what it returns, unless None, is the new output.

        Parameters
        ----------
        hook : callable
        prepend : bool
            Call it before the hooks that are there already.  Default: False.
        with_kwargs : bool
            Call ``hook(module, args, kwargs, output)``.  Default: False.
        always_call : bool
            Call it even if ``forward`` raises.  Default: False.

        Returns
        -------
        Handle
        """
        return register(self._own_hooks().forward, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Have ``hook(module, grad_output)`` called before the gradients go through the module backwards.

        What it returns, unless None, replaces the gradients with respect to the module's results.
        """
        return register(self._own_hooks().backward_pre, Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Have ``hook(module, grad_input, grad_output)`` called when gradients came through the module backwards.

        What it returns, unless None, replaces the gradients with respect to the module's positional arguments.
        """
        return register(self._own_hooks().backward, Hook(hook), prepend)

    # ---------------------------------------------------------------- the whole tree at once

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module of the tree, children before parents, this one last; to set initial weights, say."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Set training mode here and below; ValueError if ``mode`` is no bool."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Set evaluation mode here and below: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Say of every parameter whether it needs a gradient; to freeze layers, say."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or with ``set_to_none=False`` fill them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach().zero_()

    # ---------------------------------------------------------------- dtypes

    def _apply(self: Self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace the values of every parameter, of its gradient and of every buffer by a function of them."""
        for child in self.children():
            child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                gradient = parameter.grad
                parameter.grad = None
                parameter.data = fn(parameter.data)
                if gradient is not None:
                    parameter.grad = fn(gradient.detach()).requires_grad_(gradient.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers: ``to(dtype)``, ``to("cpu", dtype)`` or ``to(tensor)``.

        Raises
        ------
        TypeError
            If the dtype is not a floating one.
        RuntimeError
            If a device other than the CPU is asked for.
        """
        dtype = _dtype_of_to(*args, **kwargs)
        if dtype is None:
            return self
        if dtype.kind != "f":
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(np.dtype(np.float32))

    def double(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(np.dtype(np.float64))

    def half(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(np.dtype(np.float16))

    def type(self: Self, dst_type: Any) -> Self:
        """Convert all parameters and buffers, whatever they hold, to ``dst_type``."""
        return self._apply(lambda tensor: tensor.to(np.dtype(dst_type)))

    def cpu(self: Self) -> Self:
        """Stay where it is."""
        return self

    # ---------------------------------------------------------------- state

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Tensor]:
        """Everything that the module learned or counted: parameters and persistent buffers by their dotted names.

        Parameters
        ----------
        destination : dict, optional
            Where to put them.  Default: a new ``OrderedDict``.
        prefix : str
            Put before every name.
        keep_vars : bool
            Whether to give the parameters themselves.  Default: False, detached tensors that share their memory.

        Returns
        -------
        OrderedDict
            Its attribute ``_metadata`` holds the version of each module.
        """
        return state.collect(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Take over what a :meth:`state_dict` holds.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            Anything that NumPy reads as a numeric array is taken too: arrays, and the tensors of a PyTorch state.
        strict : bool
            Whether its keys must be exactly those of this module.  Default: True.
        assign : bool
            Put its tensors in place of the module's own, dtype and all.  Default: False, copy their values.

        Returns
        -------
        IncompatibleKeys
            ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        TypeError
            If ``state_dict`` is no mapping.
        RuntimeError
            Naming the missing keys, the unexpected ones, and both shapes wherever two shapes differ.

        Differs from the reference when it raises: then nothing was copied, where PyTorch has copied what it could.
        """
        return state.load(self, state_dict, strict, assign)

    def _upgrade_state(self, state_dict: dict[str, Any], prefix: str, version: int | None) -> None:
        """For a subclass whose state had fewer keys in an earlier version: add them to ``state_dict``, a copy."""

    # ---------------------------------------------------------------- text

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """What ``repr`` says between the brackets; for subclasses to define."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [_indented(f"({name}): {child!r}") for name, child in self._modules.items()]
        return layout(self._get_name(), extra, children)


def layout(name: str, extra: str, children: list[str]) -> str:
    """``Name(extra)`` if that is all, else one line for each line of ``extra`` and for each child."""
    if not children and "\n" not in extra:
        return f"{name}({extra})"
    lines = [*(extra.split("\n") if extra else []), *children]
    return "\n  ".join([f"{name}(", *lines]) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _dtype_of_to(*args: Any, **kwargs: Any) -> np.dtype[Any] | None:
    """The dtype that the arguments of ``to`` ask for, once it is sure that no other device is asked for."""
    dtype, device = kwargs.pop("dtype", None), kwargs.pop("device", None)
    for option in ("non_blocking", "memory_format"):
        kwargs.pop(option, None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument {next(iter(kwargs))!r}")
    for value in args:
        if isinstance(value, Tensor):
            dtype = value.dtype
        elif isinstance(value, str):
            device = value
        elif value is not None and not isinstance(value, bool):
            dtype = value
    check_device(device)
    return None if dtype is None else np.dtype(dtype)
