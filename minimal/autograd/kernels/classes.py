"""What a loss over classes asks for, and the check that its targets are classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class LossRule(NamedTuple):
    """How the losses of samples become the loss.

    Attributes
    ----------
    ignore_index : int
        A target with this number does not count.
    label_smoothing : float
        How much of a target is spread over all classes, from 0 to 1.
    reduction : {"mean", "sum", "none"}
    """

    ignore_index: int = -100
    label_smoothing: float = 0.0
    reduction: str = "mean"


def check_targets(target: NDArray[Any], n_classes: int, ignore_index: int) -> None:
    """Raise IndexError if a target is neither a class 0 .. n_classes - 1 nor the number that is ignored."""
    wrong = ((target < 0) | (target >= n_classes)) & (target != ignore_index)
    if np.any(wrong):
        first = target[wrong].flat[0] if target.ndim else target
        raise IndexError(f"Target {int(first)} is out of bounds: classes are numbered 0 to {n_classes - 1}.")
