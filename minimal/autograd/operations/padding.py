"""Room around an array; the gradient is cut out again."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation


class Pad(Operation):
    """out = x with a value around it, or with something cut off where a width is negative; dx = what of g lies inside."""

    def forward(self, x: Any, widths: list[tuple[int, int]], value: float) -> Any:
        self.widths = widths
        kept = x[tuple(slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape, widths))]
        shape = tuple(n + low + high for n, (low, high) in zip(x.shape, widths))
        out = np.full_like(x, value, shape=shape)  # in the memory order of x
        out[tuple(slice(max(low, 0), max(low, 0) + n) for n, (low, _) in zip(kept.shape, widths))] = kept
        return out

    def backward(self, g: Any) -> Any:
        return Pad.of(g, [(-low, -high) for low, high in self.widths], 0.0)
