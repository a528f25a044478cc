"""What a module is made of: parameters, buffers and other modules, registered by setting attributes.

``self.weight = Parameter(...)`` is all that it takes for ``parameters()``, ``state_dict()`` and an optimizer to know the
weight.  Three dictionaries hold what was registered, in the order in which it was; Python asks ``__getattr__`` for a name
only when the instance's own dictionary does not have it, and there the three are looked through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from minimal.autograd.tensor import Tensor
from minimal.nn.parameter import Parameter

__all__ = ["ModuleTree"]

_REGISTRIES = ("_parameters", "_buffers", "_modules")
_Value = TypeVar("_Value")


class ModuleTree:
    """Registration and traversal; :class:`minimal.nn.Module` adds calling, hooks, modes and state."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Any]

    def __init__(self) -> None:
        # Straight into the dictionary: __setattr__ below needs these to exist.
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _non_persistent_buffers_set=set(), _modules={}, _hooks=None
        )

    # ---------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for registry in _REGISTRIES:
            members = own.get(registry)
            if members and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        parameters, modules, buffers = own.get("_parameters"), own.get("_modules"), own.get("_buffers")
        if isinstance(value, Parameter):
            _require_init(parameters, "parameters")
            self._forget(name, except_in="_parameters")
            self.register_parameter(name, value)
        elif parameters and name in parameters:
            if value is not None:
                raise TypeError(f"cannot assign '{_kind(value)}' as parameter '{name}' (nn.Parameter or None expected)")
            parameters[name] = None
        elif isinstance(value, ModuleTree):
            _require_init(modules, "module")
            self._forget(name, except_in="_modules")
            own["_modules"][name] = value
        elif modules and name in modules:
            if value is not None:
                raise TypeError(f"cannot assign '{_kind(value)}' as child module '{name}' (nn.Module or None expected)")
            modules[name] = None
        elif buffers and name in buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{_kind(value)}' as buffer '{name}' (Tensor or None expected)")
            buffers[name] = value
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for registry in _REGISTRIES:
            members = self.__dict__.get(registry, {})
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def _forget(self, name: str, except_in: str) -> None:
        """Take ``name`` out of every place but one, so that a new kind of value replaces an old one."""
        for registry in _REGISTRIES:
            if registry != except_in:
                self.__dict__[registry].pop(name, None)
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    # ---------------------------------------------------------------- registration

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name.

        Raises
        ------
        TypeError, KeyError
            If the value or the name is not one that a parameter can have.
        ValueError
            If ``param`` was computed from other tensors.
        """
        _require_init(self.__dict__.get("_parameters"), "parameter")
        self._check_name(name, "parameter", self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_kind(param)}' object to parameter '{name}' (nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. A parameter is created, not computed: "
                f"to have '{name}' depend on another tensor, compute it in forward()."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not learned, such as a running mean.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
            None reserves the name.
        persistent : bool
            Whether ``state_dict()`` holds it.  Default: True.

        Raises
        ------
        TypeError, KeyError
            If the value or the name is not one that a buffer can have.
        """
        _require_init(self.__dict__.get("_buffers"), "buffer")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{_kind(tensor)}' object to buffer '{name}' (Tensor or None required)")
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: ModuleTree | None) -> None:
        """Add a child module under a name; None reserves the name.

        Raises
        ------
        TypeError, KeyError
            If the value or the name is not one that a child can have.
        """
        if module is not None and not isinstance(module, ModuleTree):
            raise TypeError(f"{_kind(module)} is not a Module subclass")
        _require_init(self.__dict__.get("_modules"), "module")
        self._check_name(name, "module", self._modules)
        self._modules[name] = module

    def register_module(self, name: str, module: ModuleTree | None) -> None:
        """Another name of :meth:`add_module`."""
        self.add_module(name, module)

    def _check_name(self, name: str, what: str, members: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {_kind(name)}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if name not in members and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # ---------------------------------------------------------------- lookup by a dotted name

    def get_submodule(self, target: str) -> Any:
        """The module at a dotted path such as ``"features.0"``; the module itself for ``""``.

        Raises
        ------
        AttributeError
            If the path leads nowhere or to something that is no module.
        """
        module: Any = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{type(module).__name__} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, ModuleTree):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path; AttributeError if there is none."""
        parameter = self._get_member(target)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path; AttributeError if there is none."""
        buffer = self._get_member(target)
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    def _get_member(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        return getattr(module, name)

    # ---------------------------------------------------------------- traversal

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """This module, then what is below it, each with its dotted name, parents before children.

        Parameters
        ----------
        memo : set of int, optional
            The ``id`` of every module that was met already.
        prefix : str
            Put before every name.
        remove_duplicate : bool
            Whether a module that is in the tree twice comes once.  Default: True.
        """
        memo = set() if memo is None else memo
        if remove_duplicate:
            if id(self) in memo:
                return
            memo.add(id(self))
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The modules right below this one with their names, each once."""
        return _once(self._modules.items(), set())

    def children(self) -> Iterator[Any]:
        """The modules right below this one, each once."""
        for _, child in self.named_children():
            yield child

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters with their dotted names, in the order of registration.

        Parameters
        ----------
        prefix : str
            Put before every name.
        recurse : bool
            Whether to go below this module.  Default: True.
        remove_duplicate : bool
            Whether a parameter that two modules share comes once, under its first name.  Default: True.
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters of this module and, with ``recurse``, of all below it: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their dotted names; the parameters are those of :meth:`named_parameters`."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers of this module and, with ``recurse``, of all below it."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _named_members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        members = (
            (f"{path}.{name}" if path else name, value)
            for path, module in owners
            for name, value in module.__dict__[registry].items()
        )
        return _once(members, set() if remove_duplicate else None)


def _once(named: Any, memo: set[int] | None) -> Iterator[tuple[str, Any]]:
    """The pairs whose value is not None, and, given a memo, was not met before."""
    for name, value in named:
        if value is None or (memo is not None and id(value) in memo):
            continue
        if memo is not None:
            memo.add(id(value))
        yield name, value


def _require_init(registry: object, what: str) -> None:
    if registry is None:
        raise AttributeError(f"cannot assign {what} before Module.__init__() call")


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
