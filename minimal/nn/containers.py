"""Modules that hold modules: one after another, in a list, or by name.

``nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2))`` is a network.  A list or a dictionary of modules that is
an attribute must be a ``ModuleList`` or a ``ModuleDict``, so that the parameters in it are found.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from minimal.autograd.tensor import Tensor
from minimal.nn.fusion import steps
from minimal.nn.module import Module, _indented, layout
from minimal.nn.parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterList", "Sequential"]

_List = TypeVar("_List", bound="_Numbered")


class _Numbered(Module):
    """Modules under the names "0", "1", ...: what Sequential and ModuleList have in common."""

    def _all(self) -> list[Module]:
        return list(self._modules.values())

    def _set_all(self, modules: Iterable[Module]) -> None:
        self._modules.clear()
        for i, module in enumerate(modules):
            self._modules[str(i)] = module

    def _key(self, index: Any) -> str:
        """The name under which the module of that (perhaps negative) index stands."""
        index, n = operator.index(index), len(self)
        if not -n <= index < n:
            raise IndexError(f"index {index} is out of range")
        return list(self._modules)[index]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self: _List, index: Any) -> Any:
        return self._modules[self._key(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        keys = list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]
        for key in keys:
            del self._modules[key]
        self._set_all(self._all())

    def append(self: _List, module: Module) -> _List:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: _List, modules: Iterable[Module]) -> _List:
        """Add several modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take a module, or several, out and return it."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Numbered):
    """Modules one after another: each is called with the result of the one before.

    Parameters
    ----------
    *args : Module, or one mapping of str to Module
        With a mapping, the modules stand under its names.

    Convolution, ReLU and 2 x 2 max-pooling in a row run as one operation; see :mod:`minimal.nn.fusion`.

    Source: ``torch.nn.Sequential``, 2.13.0.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], Mapping) else enumerate(args)
        for name, module in named:
            self.add_module(str(name) if isinstance(name, int) else name, module)

    def forward(self, input: Any) -> Any:
        """Call one module after the other."""
        for step in steps(self._modules.values()):
            input = step(input)
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(list(self._modules.items())[index]))
        return super().__getitem__(index)

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a module before the one of that index.

        Raises
        ------
        AssertionError
            If it is no module.
        IndexError
            If the index is out of range.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = self._all()
        modules.insert(index, module)
        self._set_all(modules)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *_checked_sequential(other))

    def __iadd__(self, other: Sequential) -> Sequential:
        return self.extend(_checked_sequential(other))

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*_checked_times(self, times) * self._all())

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        return self.extend((_checked_times(self, times) - 1) * self._all())


def _checked_sequential(other: object) -> Sequential:
    if not isinstance(other, Sequential):
        raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
    return other


def _checked_times(module: Module, times: object) -> int:
    if not isinstance(times, int):
        raise TypeError(f"unsupported operand type(s) for *: {type(module)} and {type(times)}")
    if times <= 0:
        raise ValueError(f"Non-positive multiplication factor {times} for {type(module)}")
    return times


class ModuleList(_Numbered):
    """A list of modules; it has no ``forward``, the module that owns it says what to do with them.

    Parameters
    ----------
    modules : iterable of Module, optional

    Source: ``torch.nn.ModuleList``, 2.13.0.
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, index: int | slice) -> Any:
        return type(self)(self._all()[index]) if isinstance(index, slice) else super().__getitem__(index)

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one of that index, as ``list.insert`` does."""
        modules = self._all()
        modules.insert(index, module)
        self._set_all(modules)

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add several modules at the end; TypeError if that is not iterable."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        return super().extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """Equal neighbours share a line: ``(0-2): 3 x Linear(...)``."""
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in runs]
        return layout(self._get_name(), self.extra_repr(), [_indented(line) for line in lines])


class ModuleDict(Module):
    """A dictionary of modules, in the order in which they were put in.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of pairs, optional

    Source: ``torch.nn.ModuleDict``, 2.13.0.
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        return self._modules.pop(key)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Put in several modules; one under a name that is there replaces the old one.

        Raises
        ------
        TypeError
            If that is neither a mapping nor an iterable of pairs.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                + type(modules).__name__
            )
        for key, module in modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules:
            self[key] = module


class ParameterList(Module):
    """A list of parameters; a plain tensor that is put in becomes one.

    Parameters
    ----------
    values : iterable of Tensor, optional

    Source: ``torch.nn.ParameterList``, 2.13.0.

    Differs from the reference when a value is no tensor: that is an error here.
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def append(self, value: Tensor) -> ParameterList:
        """Add a parameter at the end."""
        self.register_parameter(str(len(self)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Add several parameters at the end."""
        for value in list(values):
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...
    def __getitem__(self, index: int | slice) -> Any:
        values: list[Any] = list(self._parameters.values())
        if isinstance(index, slice):
            return ParameterList(values[index])
        if not -len(values) <= index < len(values):
            raise IndexError(f"index {index} is out of range")
        return values[index]

    def __setitem__(self, index: int, value: Tensor) -> None:
        self[index]
        key = list(self._parameters)[index]
        self._parameters[key] = value if isinstance(value, Parameter) else Parameter(value)

    def extra_repr(self) -> str:
        """One line for each parameter."""
        return "\n".join(f"  ({name}): {_described(value)}" for name, value in self._parameters.items())


def _described(value: Any) -> str:
    kind = {"float32": "torch.float32", "float64": "torch.float64"}.get(str(value.dtype), str(value.dtype))
    return f"Parameter containing: [{kind} of size {'x'.join(map(str, value.shape))}]"
