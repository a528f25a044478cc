"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Operation


class MatMul(Operation):
    """out = x y (matrices, in stacks that broadcast), so  dx = g y^T  and  dy = x^T g."""

    saves = "others"

    def forward(self, x: Any, y: Any) -> Any:
        self.shapes = (x.shape, y.shape)
        return np.matmul(x, y)

    def backward(self, g: Any, x: Any, y: Any) -> Any:
        x_shape, y_shape = self.shapes
        dx = sum_to(np.matmul(g, np.swapaxes(y, -1, -2)), x_shape) if self.needs[0] else None
        dy = sum_to(np.matmul(np.swapaxes(x, -1, -2), g), y_shape) if self.needs[1] else None
        return dx, dy
