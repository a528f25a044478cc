"""What an optimizer's options may be."""

from __future__ import annotations

from typing import Any

from minimal.autograd.tensor import Tensor


def number(option: Any) -> Any:
    """The number that an option is, also where it was given as a tensor with one element."""
    return float(option.item()) if isinstance(option, Tensor) else option


def check_option(name: str, value: Any) -> None:
    """Raise ValueError unless the value is a number that is not negative (nor NaN)."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element")
        value = value.item()
    if not value >= 0.0:
        spelled = {"lr": "learning rate", "eps": "epsilon value"}.get(name, f"{name} value")
        raise ValueError(f"Invalid {spelled}: {value}")


def check_implementation(differentiable: bool, foreach: bool | None = None, fused: bool | None = None) -> None:
    """Raise RuntimeError where options of PyTorch about *how* to compute contradict each other or cannot be had."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise RuntimeError("A step is not recorded in a graph: leave `differentiable` at False.")
