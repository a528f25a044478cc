"""Padding: more room around an image, filled with a value, its mirror image, its border or its other side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimal.autograd.operations.padding import Pad
from minimal.autograd.tensor import Tensor

_MODES: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def zeros_around(input: Tensor, widths: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """``value`` before and after the last axes, for each of which ``widths`` says how much."""
    before = [(0, 0)] * (input.ndim - len(widths))
    return Pad.apply(input, [*before, *widths], value)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """More room along the last dimensions.  Source: torch.nn.functional.pad, 2.13.0.

    Parameters
    ----------
    input : Tensor
    pad : sequence of int
        Before and after along the last dimension, then the one before it, and so on.  Negative numbers cut off.
    mode : {"constant", "reflect", "replicate", "circular"}
        What to fill in: a value, the mirror image without its border, the border, or the other side.
    value : float, default=0
        For "constant".

    Raises
    ------
    RuntimeError, NotImplementedError, ValueError
        If the numbers do not fit the dimensions or, for a mirror image or the other side, the sizes.
    """
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    widths = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)][::-1]
    if len(widths) > input.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length {len(pad)} "
            f"and input of dimension {input.ndim}"
        )
    sizes = input.shape[input.ndim - len(widths) :]
    for size, (low, high) in zip(sizes, widths):
        if size + low + high < 0:
            raise RuntimeError(
                f"The input size {size}, plus negative padding {low} and {high}, resulted in a negative output size: "
                f"input of shape {list(input.shape)}, pad {list(pad)}"
            )
    if mode == "constant":
        return zeros_around(input, widths, 0.0 if value is None else value)
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if input.ndim not in (len(widths) + 1, len(widths) + 2):
        raise NotImplementedError(
            f"Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: pad {list(pad)} for an input of "
            f"shape {list(input.shape)}"
        )
    return _continued(input, widths, sizes, mode)


def _continued(input: Tensor, widths: list[tuple[int, int]], sizes: tuple[int, ...], mode: str) -> Tensor:
    first = input.ndim - len(widths)
    for axis, (size, (low, high)) in enumerate(zip(sizes, widths), first):
        largest = size - 1 if mode == "reflect" else size if mode == "circular" else max(low, high)
        if max(low, high) > largest:
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got: padding ({low}, {high}) at "
                f"dimension {axis} of input {list(input.shape)}"
            )
        if size == 0:
            raise RuntimeError(
                f'mode "{mode}" has nothing to go on: input of shape {list(input.shape)}, dimension {axis}'
            )
        if low or high:
            places: Any = np.arange(size)
            around: Any = (max(low, 0), max(high, 0))
            cut = (max(-low, 0), max(-high, 0))
            if mode == "circular":  # goes around what is left
                places, cut = places[cut[0] : size - cut[1]], (0, 0)
            places = np.pad(places, around, mode=_MODES[mode])
            places = places[cut[0] : len(places) - cut[1]]
            input = input.index_select(axis, Tensor(places))
    return input
