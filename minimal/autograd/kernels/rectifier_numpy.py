"""The rectifier: negative numbers become zero, and where that happened no gradient passes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def relu(x: NDArray[Any]) -> NDArray[Any]:
    """max(x, 0) in the memory order of ``x``; NaN stays NaN.  Source: ``torch.relu``, 2.13.0."""
    return np.maximum(x, 0)


def relu_backward(g: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """The gradient g where ``out``, the result of ``relu``, is positive or NaN; zero elsewhere, also where g is infinite."""
    return np.where(out <= 0, g.dtype.type(0), g)
