"""The state of a network as a dictionary, and back: what is saved to a file and loaded again.

Loading reads twice.  First it compares every key, shape and dtype and writes down what is wrong and what would be copied;
only if nothing is wrong are the values copied.  So a state that does not fit leaves the network as it was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.tensor import Tensor, wrap
from minimal.nn.parameter import Parameter

__all__ = ["IncompatibleKeys", "collect", "load"]


class IncompatibleKeys(NamedTuple):
    """The keys on which a module and a state do not agree."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class _Move(NamedTuple):
    """One value to take over: into which module, under which name, over which tensor, from what."""

    owner: Any
    name: str
    target: Tensor
    source: Tensor


def collect(module: Any, destination: Any, prefix: str, keep_vars: bool) -> OrderedDict[str, Tensor]:
    """Parameters, then persistent buffers of each module, parents before children."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = {"version": module._version}
    for name, tensor in _own_state(module):
        destination[prefix + name] = tensor if keep_vars else tensor.detach()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    return destination


def load(module: Any, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Compare everything, then copy everything (or, with ``assign``, put the given tensors in place)."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    metadata = getattr(state_dict, "_metadata", None) or {}
    values = dict(state_dict)
    moves: list[_Move] = []
    wrong: list[str] = []
    keys = IncompatibleKeys([], [])
    for path, owner in module.named_modules(remove_duplicate=False):
        prefix = path + "." if path else ""
        owner._upgrade_state(values, prefix, metadata.get(path, {}).get("version"))
        own = dict(_own_state(owner))
        for name, target in own.items():
            key = prefix + name
            if key not in values:
                keys.missing_keys.append(key)
                continue
            source = _as_tensor(values[key])
            problem = _why_not(key, source, target, assign) or ""
            if source is None or problem:
                wrong.append(problem or _not_a_tensor(key, values[key]))
            else:
                moves.append(_Move(owner, name, target, _as_scalar(source, target)))
        keys.unexpected_keys.extend(_unexpected(values, prefix, own, owner._modules))
    _raise_if_wrong(module, keys if strict else IncompatibleKeys([], []), wrong)
    for move in moves:
        _assign(move) if assign else _copy(move)
    return keys


def _own_state(module: Any) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield name, parameter
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield name, buffer


def _as_tensor(value: Any) -> Tensor | None:
    """The value itself, or what NumPy reads as an array of numbers in it; None if that is nothing."""
    if isinstance(value, Tensor):
        return value
    if not hasattr(value, "__array__"):
        return None
    array: NDArray[Any] = np.asarray(value)
    return wrap(array) if array.dtype.kind in "fiub" else None


def _as_scalar(source: Tensor, target: Tensor) -> Tensor:
    """One number in a vector is taken for the number, as files of PyTorch 0.3 have it."""
    return source[0] if not target.shape and source.shape == (1,) else source


def _why_not(key: str, source: Tensor | None, target: Tensor, assign: bool) -> str | None:
    """Why the source cannot be loaded, in PyTorch's words; None if it can."""
    if source is None:
        return None
    if _as_scalar(source, target).shape != target.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {_size(source)} from checkpoint, "
            f"the shape in current model is {_size(target)}."
        )
    if assign and target.requires_grad and not source.is_floating_point():
        return f'While assigning the parameter named "{key}": {source.dtype} cannot require gradients, only floats can.'
    return None


def _size(tensor: Tensor) -> str:
    return f"torch.Size({list(tensor.shape)})"


def _not_a_tensor(key: str, value: Any) -> str:
    return (
        f'While copying the parameter named "{key}", expected a Tensor or an array of numbers from checkpoint but '
        f"received {type(value)}"
    )


def _unexpected(values: dict[str, Any], prefix: str, own: dict[str, Tensor], children: dict[str, Any]) -> list[str]:
    """The keys under a module's prefix that neither it nor a child of it knows."""
    found = []
    for key in values:
        if key.startswith(prefix):
            name, dot, _ = key[len(prefix) :].partition(".")
            if name not in (children if dot else own):
                found.append(key)
    return found


def _raise_if_wrong(module: Any, keys: IncompatibleKeys, wrong: list[str]) -> None:
    lines = []
    for kind, names in (("Missing", keys.missing_keys), ("Unexpected", keys.unexpected_keys)):
        if names:
            lines.append(f"{kind} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in names) + ". ")
    lines += wrong
    if lines:
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(lines))


def _copy(move: _Move) -> None:
    np.copyto(move.target.array, move.source.array, casting="unsafe")
    move.target._bump_version()


def _assign(move: _Move) -> None:
    source = move.source
    if isinstance(move.target, Parameter):
        source = source if isinstance(source, Parameter) else Parameter(source)
        source.requires_grad_(move.target.requires_grad)
    setattr(move.owner, move.name, source)
