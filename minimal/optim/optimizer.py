"""Optimizer: what all optimizers share, from parameter groups to the state that a checkpoint keeps.

To write one, say in ``__init__`` which options it has, and in ``update(group)`` what a step does to the parameters of a
group that have a gradient; ``sgd.py`` is short enough to copy.  Or override ``step`` itself, as in PyTorch.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import chain
from types import ModuleType
from typing import Any

import numpy as np

from minimal.autograd.dtypes import get_default_dtype
from minimal.autograd.graph import Handle
from minimal.autograd.modes import enable_grad, no_grad
from minimal.autograd.tensor import Tensor, wrap
from minimal.engine import twin
from minimal.optim import steps_numpy

Group = dict[str, Any]


class _Required:
    """What a default is that every group must give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """The base of all optimizers.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize.  Each dict is a group: ``"params"``, and options that differ from ``defaults``.
    defaults : dict
        The options of a group that does not say otherwise.

    Attributes
    ----------
    param_groups : list of dict
        The groups with all their options; change ``group["lr"]`` between steps as you like.
    state : dict
        What the optimizer remembers of each parameter, by the parameter.
    defaults : dict

    Raises
    ------
    TypeError
        If ``params`` is one tensor or has something else than tensors, or is a set.
    ValueError
        If there is nothing to optimize, a tensor is no leaf, or one is in two groups.

    Notes
    -----
    torch.optim.Optimizer, 2.13.0.  Differs from the reference when ``differentiable=True``: a step is not recorded in a
    graph, and asking for it is an error.
    """

    has_stepped: bool | None = None  # None until a scheduler watches

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._step_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._step_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                "but got one Tensor: put it in a list"
            )
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **options: Any) -> None:
        """A step that a subclass writes runs the hooks too, and tells the schedulers that it was taken."""
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.step = _counted(cls.step)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            options = [f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params"]
            text += f"\nParameter Group {i}\n" + "".join(options)
        return text + ")"

    # ---------------------------------------------------------------- groups

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own: layers that thaw in the middle of training, say.

        Parameters
        ----------
        param_group : dict
            ``"params"``, and options that differ from ``defaults``.  It becomes an entry of ``param_groups``.

        Raises
        ------
        TypeError, ValueError
            As for the class; then nothing is changed.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params, names = _tensors_and_names(param_group["params"])
        for param in params:
            self._check_param(param)
        complete = {**param_group, "params": params}
        if names:
            complete["param_names"] = names
        for name, default in self.defaults.items():
            if default is required and name not in complete:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            complete.setdefault(name, default)
        if any(("param_names" in complete) != ("param_names" in group) for group in self.param_groups):
            with_or_without = "with" if "param_names" in complete else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {with_or_without} names to the optimizer"
            )
        known = {id(param) for group in self.param_groups for param in group["params"]}
        if any(id(param) in known for param in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if len({id(param) for param in params}) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each is updated as often as it is named",
                UserWarning,
                stacklevel=3,
            )
        param_group.update(complete)
        self.param_groups.append(param_group)

    def _check_param(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
        if not (param.is_leaf or getattr(param, "retains_grad", False)):
            raise ValueError("can't optimize a non-leaf Tensor: give the tensor that it was computed from")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Parameters
        ----------
        set_to_none : bool, default True
            Whether ``grad`` becomes None, and a step passes over the parameter until it has a gradient again; or a tensor
            of zeros, with which the step is taken.
        """
        for group in self.param_groups:
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                if set_to_none:
                    param.grad = None
                    continue
                if grad.requires_grad:
                    grad = param.grad = grad.detach()
                grad.zero_()

    # ---------------------------------------------------------------- steps

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients anew and returns the loss; called before the step.

        Returns
        -------
        The loss of ``closure``, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                self.update(group)
        return loss

    def update(self, group: Group) -> None:
        """Take one step with the parameters of a group: what a subclass writes."""
        raise NotImplementedError(f"{type(self).__name__} should implement update(group), or step itself.")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other ``(args, kwargs)``."""
        return Handle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return Handle(self._step_post_hooks, hook)

    def watch_steps(self) -> None:
        """Note from now on whether a step was taken: a scheduler wants to know."""
        self.has_stepped = bool(self.has_stepped)

    # ---------------------------------------------------------------- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """All that a later run needs to go on: ``{"state": {0: {...}, ...}, "param_groups": [...]}``.

        Parameters are numbered in the order of the groups.  The tensors are the optimizer's own, not copies.
        """
        numbers: dict[int, int] = {}
        for param in chain.from_iterable(group["params"] for group in self.param_groups):
            numbers.setdefault(id(param), len(numbers))
        groups = [
            {
                **{name: value for name, value in group.items() if name != "params"},
                "params": [numbers[id(param)] for param in group["params"]],
            }
            for group in self.param_groups
        ]
        state = {
            numbers.get(id(key), key) if isinstance(key, Tensor) else key: kept for key, kept in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another optimizer stopped.

        Parameters
        ----------
        state_dict : dict
            From :meth:`state_dict` of an optimizer with groups of the same sizes.  PyTorch's is as good: its tensors are
            converted.

        Raises
        ------
        ValueError
            If the groups differ in number or size; then nothing is changed.

        Notes
        -----
        Differs from the reference: the state is copied, so that the two optimizers do not share it.
        """
        groups, saved = self.param_groups, [dict(group) for group in state_dict["param_groups"]]
        if len(groups) != len(saved):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, where the optimizer has {len(groups)}"
            )
        sizes, saved_sizes = ([len(group["params"]) for group in each] for each in (groups, saved))
        if sizes != saved_sizes:
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                f"{saved_sizes}, where the optimizer has {sizes}"
            )
        params = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in groups),
            )
        )
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, kept in state_dict["state"].items():
            param = params.get(number)
            if param is None:
                state[number] = kept
            else:
                state[param] = {name: _fitted(param, name, value) for name, value in kept.items()}
        loaded = []
        for group, new in zip(groups, saved):
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            plain = {name: _plain(value) for name, value in new.items() if name != "params"}
            loaded.append({**names, **plain, "params": group["params"]})
        self.state, self.param_groups = state, [self._completed(group) for group in loaded]

    def _completed(self, group: Group) -> Group:
        """A loaded group, with the options that its writer did not know."""
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        return group

    # ---------------------------------------------------------------- for subclasses

    def _with_gradient(self, group: Group) -> Iterator[tuple[Tensor, Any]]:
        """Each parameter that has a gradient, and the array of the gradient."""
        for param in group["params"]:
            if param.grad is not None:
                yield param, param.grad.array


def _counted(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with hooks around it; it also notes that it ran, which schedulers ask."""

    @functools.wraps(step)
    def counted(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self._step_pre_hooks.values()):
            changed = hook(self, (self, *args), kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"A step pre-hook must return None or (new_args, new_kwargs), but got {changed}."
                    )
                (_, *args), kwargs = changed
        if self.has_stepped is not None:
            self.has_stepped = True
        result = step(self, *args, **kwargs)
        for hook in list(self._step_post_hooks.values()):
            hook(self, (self, *args), kwargs)
        return result

    counted.tells_schedulers = True  # type: ignore[attr-defined]
    return counted


Optimizer.step = _counted(Optimizer.step)  # type: ignore[method-assign]


# ---------------------------------------------------------------- options and state


def _tensors_and_names(params: Any) -> tuple[list[Any], list[str]]:
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but "
            "the ordering of tensors in sets will change between runs. Please use a list instead."
        )
    entries = list(params)
    names = [entry[0] for entry in entries if isinstance(entry, tuple)]
    if names and len(names) != len(entries):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return [entry[1] for entry in entries] if names else entries, names


def _fitted(param: Tensor, name: str, value: Any) -> Any:
    """A copy of one remembered value, its dtype and memory layout those of the parameter; ``step`` keeps its dtype."""
    if isinstance(value, dict):
        return {key: _fitted(param, key, each) for key, each in value.items()}
    if not (isinstance(value, Tensor) or hasattr(value, "__array__")):
        return deepcopy(value)
    array = value.detach().array if isinstance(value, Tensor) else np.asarray(value)
    if name == "step" or param.array.dtype.kind != "f":
        return wrap(array.copy())
    if array.shape != param.array.shape:
        return wrap(array.astype(param.array.dtype))
    fitted = np.empty_like(param.array)
    fitted[...] = array
    return wrap(fitted)


def _plain(value: Any) -> Any:
    """A copy of an option; a foreign tensor becomes one of ours."""
    if isinstance(value, Tensor) or not hasattr(value, "__array__") or isinstance(value, np.generic):
        return deepcopy(value)
    return wrap(np.array(value))


def steps_for(param: Tensor) -> ModuleType:
    """The kernels of the engine that runs; for float16, which has no compiled ones, the NumPy text."""
    return steps_numpy if param.array.dtype == np.float16 else twin("minimal.optim.steps")


def begin_count(group: Group) -> Tensor:
    """A step count of zero, as PyTorch keeps it: a tensor of the default dtype if that is float64, else float32."""
    double = get_default_dtype() == np.float64 and not group.get("fused")
    return wrap(np.zeros((), np.float64 if double else np.float32))


def count_on(count: Tensor) -> int:
    """Add one to a step count and say what it is now."""
    count.array[...] += 1
    return int(count.array.item())


def like(param: Tensor, value: float) -> Tensor:
    """A tensor full of one number, of the parameter's shape, dtype and memory layout."""
    return wrap(np.full_like(param.array, value))
