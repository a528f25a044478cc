"""Nested dicts, lists and numbers with tensors among them, taken apart into named arrays and a description in JSON.

A state_dict comes apart into its own tensors under its own names; deeper ones get the names of all dicts and lists above
them, joined with dots.  The description says what stands where:

    null, true, 3, 0.5, "text"          themselves
    [node, ...]                         a list
    {"tuple": [node, ...]}              a tuple
    {"dict": [[key, node], ...]}        a dict, in its order; a key is text, a number, a bool or null
    {"float": "nan"}                    nan, inf or -inf, for which JSON has no word
    {"tensor": name}, {"array": name}   the named array, as a Tensor or as a NumPy array
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.tensor import Tensor, wrap

VERSION = 1
DTYPES = {np.dtype(name) for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?"]}  # what a Tensor can hold

Arrays = dict[str, NDArray[Any]]


def take_apart(obj: Any) -> tuple[Arrays, str]:
    """The arrays in an object, in C order, and the description of the rest.

    Raises
    ------
    TypeError
        If there is something in it that is no tensor, array, number, text, bool, None, dict, list or tuple.
    ValueError
        If it contains itself.
    """
    arrays: Arrays = {}
    try:
        tree = _describe(obj, "", arrays)
        return arrays, json.dumps({"version": VERSION, "tree": tree}, allow_nan=False)
    except RecursionError as error:
        raise ValueError("The object is nested too deeply to be saved, or contains itself.") from error


def put_together(arrays: Arrays, description: str | None) -> Any:
    """The object again.  Without a description: a dict of tensors.

    Raises
    ------
    ValueError, TypeError, KeyError, RecursionError
        If the description is none, or does not fit the arrays.
    """
    if description is None:
        return {name: wrap(array) for name, array in arrays.items()}
    told = json.loads(description)
    if not isinstance(told, dict) or told.get("version") != VERSION or "tree" not in told:
        raise ValueError(f"its description is not one of version {VERSION}")
    left = dict(arrays)
    obj = _rebuild(told["tree"], left)
    if left:
        raise ValueError(f"its description leaves out {sorted(left)[:3]}")
    return obj


def _describe(obj: Any, path: str, arrays: Arrays) -> Any:
    if isinstance(obj, Tensor):
        return {"tensor": _keep(obj.detach().array, path, arrays)}
    if isinstance(obj, np.ndarray):
        return {"array": _keep(obj, path, arrays)}
    if isinstance(obj, np.generic):
        obj = obj.item()
    if obj is None or isinstance(obj, bool):
        return obj
    if isinstance(obj, int):
        return int(obj)
    if isinstance(obj, float):
        return float(obj) if isfinite(obj) else {"float": repr(float(obj))}
    if isinstance(obj, str):
        return str(obj)
    if isinstance(obj, dict):
        return {"dict": [[_key(key, path), _describe(obj[key], _below(path, key), arrays)] for key in obj]}
    if isinstance(obj, (list, tuple)):
        nodes = [_describe(each, _below(path, i), arrays) for i, each in enumerate(obj)]
        return {"tuple": nodes} if isinstance(obj, tuple) else nodes
    raise TypeError(
        f"Cannot save {_place(path)}: it is of type {type(obj).__name__}. A file keeps tensors, arrays, numbers, text, bool, "
        "None, and dicts, lists and tuples of them. Of a module or an optimizer, save its state_dict()."
    )


def _keep(array: NDArray[Any], path: str, arrays: Arrays) -> str:
    if array.dtype not in DTYPES:
        raise TypeError(
            f"Cannot save {_place(path)}: an array of dtype {array.dtype}, which no Tensor has. Convert it."
        )
    name = path.replace("\\", "/") if path.isprintable() and path not in ("", "__metadata__") else "tensor"
    unique, n = name, 1
    while unique in arrays:
        n += 1
        unique = f"{name}~{n}"
    arrays[unique] = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    return unique


def _key(key: Any, path: str) -> Any:
    if isinstance(key, np.generic):
        key = key.item()
    if key is None or isinstance(key, (str, int)) or (isinstance(key, float) and isfinite(key)):
        return key
    raise TypeError(f"Cannot save {_place(path)}: the key {key!r} is no text, number, bool or None.")


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _place(path: str) -> str:
    return repr(path) if path else "the object"


def _rebuild(node: Any, left: Arrays) -> Any:
    """What a node describes.  Each array is named once: it is taken out of ``left``."""
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    if isinstance(node, list):
        return [_rebuild(each, left) for each in node]
    if isinstance(node, dict) and len(node) == 1:
        ((kind, content),) = node.items()
        if kind == "tensor":
            return wrap(left.pop(content))
        if kind == "array":
            return left.pop(content)
        if kind == "dict":
            return {_plain_key(key): _rebuild(each, left) for key, each in content}
        if kind == "tuple":
            return tuple([_rebuild(each, left) for each in content])
        if kind == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
    raise ValueError(f"its description has a place that says nothing: {str(node)[:40]}")


def _plain_key(key: Any) -> Any:
    if key is None or isinstance(key, (bool, int, float, str)):
        return key
    raise ValueError("its description has a key that is no text, number, bool or null")
