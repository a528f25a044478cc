"""A parameter is a tensor that a module owns and an optimizer moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.dtypes import get_default_dtype
from minimal.autograd.tensor import Tensor

__all__ = ["Parameter", "new_parameter", "new_values"]


class Parameter(Tensor):
    """A tensor that registers itself when it is set as an attribute of a module.

    Parameters
    ----------
    data : Tensor, optional
        The first value; the parameter shares its memory and leaves its graph behind.  Default: an empty tensor.
    requires_grad : bool
        Whether gradients are kept for it.  Default: True.

    Raises
    ------
    RuntimeError
        If ``data`` holds integers or booleans and ``requires_grad`` is true.

    Source: torch.nn.Parameter, 2.13.0.
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        super().__init__(np.empty(0, get_default_dtype()) if data is None else data.array)
        if data is not None:
            self._counter = data._counting()
        self.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


def new_values(*shape: int, device: object = None, dtype: Any = None) -> Tensor:
    """A tensor without values yet, of the default dtype unless one is given; RuntimeError for a device but the CPU."""
    check_device(device)
    return Tensor(np.empty(shape, get_default_dtype() if dtype is None else dtype))


def new_parameter(*shape: int, device: object = None, dtype: Any = None) -> Parameter:
    """A parameter without values yet."""
    return Parameter(new_values(*shape, device=device, dtype=dtype))


def check_device(device: object) -> None:
    """Raise a RuntimeError for a device but the CPU."""
    if device is not None and str(device) != "cpu":
        raise RuntimeError(f"There is no device but 'cpu' here, got {str(device)!r}.")
