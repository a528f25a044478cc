"""Dtypes under PyTorch's names, and which dtype the result of an operation has.

A dtype here is NumPy's own: ``minimal.float32 is numpy.dtype("float32")``.  NumPy and PyTorch disagree on what a mixture
becomes, though: ``int64`` with ``float32`` is ``float64`` in NumPy and ``float32`` in PyTorch.  PyTorch ranks its operands:

    category   bool < whole numbers < floating point
    weight     a Python number < a tensor without dimensions < a tensor with dimensions

The weightiest operands decide, unless a lighter one is of a higher category.  Operands that decide together are promoted as
usual, and a Python float that decides among integers stands for the default dtype (:func:`set_default_dtype`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "ALIASES",
    "as_dtype",
    "can_cast",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "is_floating",
    "promote_types",
    "result_type",
    "set_default_dtype",
]

ALIASES: dict[str, np.dtype] = {
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
    "half": np.dtype(np.float16),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "short": np.dtype(np.int16),
    "int": np.dtype(np.int32),
    "long": np.dtype(np.int64),
}
FLOAT32, FLOAT64, INT64, BOOL = ALIASES["float32"], ALIASES["float64"], ALIASES["int64"], ALIASES["bool"]
_KNOWN = frozenset(ALIASES.values())
_default = FLOAT32

finfo, iinfo = np.finfo, np.iinfo


def get_default_dtype() -> np.dtype:
    """The dtype of tensors made from Python floats: float32 unless :func:`set_default_dtype` changed it."""
    return _default


def set_default_dtype(d: Any) -> None:
    """Choose the dtype of tensors made from Python floats.

    Parameters
    ----------
    d : float16, float32 or float64

    Raises
    ------
    TypeError
        If ``d`` is not a floating point dtype.
    """
    global _default
    dtype = as_dtype(d)
    if not is_floating(dtype):
        raise TypeError(f"only floating-point types are supported as the default type, got {dtype}")
    _default = dtype


def as_dtype(dtype: Any) -> np.dtype:
    """The dtype that ``dtype`` names: one of ours, a NumPy dtype or scalar type, or Python's float, int, bool.

    Raises
    ------
    TypeError
        If it names none that tensors can have.
    """
    if isinstance(dtype, np.dtype):
        found = dtype if dtype.isnative else dtype.newbyteorder("=")
    elif dtype is float:
        found = FLOAT64
    else:
        try:
            found = np.dtype(dtype)
        except TypeError:
            raise TypeError(f"{dtype!r} is not a dtype: use minimal.float32, minimal.int64 and the like.") from None
    if found not in _KNOWN:
        raise TypeError(f"tensors cannot hold {found}; the supported dtypes are {', '.join(sorted(map(str, _KNOWN)))}.")
    return found


def is_floating(dtype: np.dtype) -> bool:
    return dtype.kind == "f"


def promote_types(a: Any, b: Any) -> np.dtype:
    """The dtype that two tensors of these dtypes, both with dimensions, give together (torch.promote_types, 2.13.0)."""
    if a is b:
        return as_dtype(a)
    a, b = as_dtype(a), as_dtype(b)
    if a.kind == "f" and b.kind != "f":
        return a
    if b.kind == "f" and a.kind != "f":
        return b
    return np.promote_types(a, b)


def can_cast(a: Any, b: Any) -> bool:
    """Whether PyTorch lets a result of dtype ``a`` be written to a tensor of dtype ``b``: the category must not fall."""
    return _rank(as_dtype(a)) <= _rank(as_dtype(b))


def _rank(dtype: np.dtype) -> int:
    return {"b": 0, "i": 1, "u": 1}.get(dtype.kind, 2)


def result_type(*operands: Any) -> np.dtype:
    """The dtype that an arithmetic operation on these tensors and Python numbers has (torch.result_type, 2.13.0).

    Parameters
    ----------
    *operands : Tensor, ndarray, bool, int or float
    """
    # One dtype for each weight: Python numbers, tensors without dimensions, tensors with dimensions.
    number: np.dtype | None = None
    scalar: np.dtype | None = None
    array: np.dtype | None = None
    for operand in operands:
        data = getattr(operand, "array", operand)
        if isinstance(data, np.ndarray):
            if data.ndim:
                array = data.dtype if array is None else promote_types(array, data.dtype)
            else:
                scalar = data.dtype if scalar is None else promote_types(scalar, data.dtype)
        else:
            kind = (
                BOOL if isinstance(data, bool | np.bool_) else INT64 if isinstance(data, int | np.integer) else _default
            )
            number = kind if number is None else promote_types(number, kind)
    result = array
    for lighter in (scalar, number):
        if lighter is not None and (result is None or _rank(lighter) > _rank(result)):
            result = lighter
    assert result is not None
    return result
