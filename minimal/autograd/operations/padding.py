"""Room around an array; the gradient is cut out again."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation


class Pad(Operation):
    """out = x with a value around it, or with something cut off where a width is negative; dx = what of g lies inside."""

    def forward(self, x: Any, widths: list[tuple[int, int]], value: float) -> Any:
        self.widths = widths
        inside = tuple(slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape, widths))
        around = [(max(low, 0), max(high, 0)) for low, high in widths]
        return np.pad(x[inside], around, constant_values=value)

    def backward(self, g: Any) -> Any:
        return Pad.of(g, [(-low, -high) for low, high in self.widths], 0.0)
