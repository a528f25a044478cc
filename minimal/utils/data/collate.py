"""Make one batch out of a list of samples, whatever a sample is made of.

Tensors, arrays and numbers are stacked; dicts, tuples and lists are gone through, place by place; text stays a list.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import minimal
from minimal.autograd.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples to a batch, with a new first dimension.

    Parameters
    ----------
    batch : sequence, not empty
        Samples alike: each is a Tensor, a NumPy array or scalar, a number, text, or a dict,
        tuple, namedtuple or list of such.

    Returns
    -------
    Tensor, or a container of them
        Tensors and arrays: stacked.  ``float``: a float64 tensor.  ``int``: int64.  ``bool``: bool.  Text and bytes: the
        batch as it is.  A mapping or a list: one of the same kind, with a batch in each place.  A namedtuple: the same.
        A tuple: a list.

    Raises
    ------
    TypeError
        If a sample is of another type.
    RuntimeError
        If tensors differ in shape, or sequences in length.

    Notes
    -----
    torch.utils.data.default_collate, 2.13.0.  Differs from the reference when samples are of a type registered in its
    ``default_collate_fn_map``: write a ``collate_fn`` instead.
    """
    sample = batch[0]
    if isinstance(sample, Tensor):
        return minimal.stack(batch)
    if isinstance(sample, np.ndarray):
        if sample.dtype.kind not in "biufc":
            raise TypeError(_refusal(sample.dtype))
        return minimal.stack([minimal.as_tensor(array) for array in batch])
    if isinstance(sample, np.generic) and not isinstance(sample, (str, bytes)):
        return minimal.as_tensor(np.asarray(batch))
    if isinstance(sample, float):
        return minimal.as_tensor(np.asarray(batch, dtype=np.float64))
    if isinstance(sample, int):
        return minimal.as_tensor(np.asarray(batch))
    if isinstance(sample, (str, bytes)):
        return batch
    if isinstance(sample, Mapping):
        return _mapping(sample, lambda key: default_collate([each[key] for each in batch]))
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*(default_collate(values) for values in zip(*batch)))
    if isinstance(sample, Sequence):
        if any(len(each) != len(sample) for each in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        values = [default_collate(values) for values in zip(*batch)]
        return values if isinstance(sample, tuple) else _sequence(sample, values)
    raise TypeError(_refusal(type(sample)))


def default_convert(data: Any) -> Any:
    """Turn NumPy arrays into tensors, inside containers too; everything else stays.

    Parameters
    ----------
    data : object
        One sample.

    Returns
    -------
    object
        Of the same make; a tuple becomes a list.  The tensors share the memory of the arrays.

    Notes
    -----
    torch.utils.data.default_convert, 2.13.0: what a DataLoader with ``batch_size=None`` does to each sample.
    """
    if isinstance(data, np.ndarray):
        return minimal.as_tensor(data) if data.dtype.kind in "biufc" else data
    if isinstance(data, np.generic) and not isinstance(data, (str, bytes)):
        return minimal.as_tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapping(data, lambda key: default_convert(data[key]))
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        values = [default_convert(value) for value in data]
        return values if isinstance(data, tuple) else _sequence(data, values)
    return data


def _mapping(like: Mapping[Any, Any], value: Callable[[Any], Any]) -> Any:
    """``{key: value(key)}`` in a mapping of the same kind as ``like``, or a dict where that kind cannot be made."""
    values = {key: value(key) for key in like}
    try:
        if isinstance(like, MutableMapping):  # a copy keeps what the kind has besides its entries
            clone = copy.copy(like)
            clone.update(values)
            return clone
        return type(like)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _sequence(like: Sequence[Any], values: list[Any]) -> Any:
    """The values in a sequence of the same kind as ``like``, or a list where that kind cannot be made."""
    try:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(like)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _refusal(kind: object) -> str:
    return (
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}. "
        "Give the DataLoader a collate_fn of your own for anything else."
    )
