"""Products of matrices, and sums of products over any indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Operation
from minimal.autograd.operations.reductions import wide

FEW = 4096  # products that a plain loop does sooner than a plan is made


class MatMul(Operation):
    """out = x y (matrices, in stacks that broadcast), so  dx = g y^T  and  dy = x^T g."""

    saves = "others"

    def forward(self, x: Any, y: Any) -> Any:
        self.shapes = (x.shape, y.shape)
        if y.ndim == 2 and x.ndim > 2:  # a stack of rows times one matrix is one tall matrix times it
            out = np.matmul(_tall(wide(x)), wide(y)).reshape(*x.shape[:-1], y.shape[-1])
        else:
            out = np.matmul(wide(x), wide(y))
        return out.astype(x.dtype, copy=False)

    def backward(self, g: Any, x: Any, y: Any) -> Any:
        x_shape, y_shape = self.shapes
        dx = dy = None
        if self.needs[0]:
            dx = sum_to(MatMul.of(g, np.swapaxes(y, -1, -2)), x_shape)
        if self.needs[1] and len(y_shape) == 2:  # again one tall matrix: no product for each of the stack, then summed
            dy = MatMul.of(np.swapaxes(_tall(x), -1, -2), _tall(g))
        elif self.needs[1]:
            dy = sum_to(MatMul.of(np.swapaxes(x, -1, -2), g), y_shape)
        return dx, dy


def _tall(x: Any) -> Any:
    """All matrices of a stack, one below the other."""
    return np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])) if x.ndim > 2 else x


class Einsum(Operation):
    """out[o] = the sum of x[i] y[j] ... over all indices that o does not have.

    So dx[i] is again such a sum: of g[o] y[j] ... over all that i does not have.  An index that only x has was summed, and
    every x along it gets the same gradient.
    """

    saves = "others"

    def forward(self, *args: Any) -> Any:
        """``args``: the operands, then the indices of each (letters, none twice), then those of the result."""
        n = (len(args) - 1) // 2
        self.indices, self.out = args[n : 2 * n], args[-1]
        self.shapes = [x.shape for x in args[:n]]
        return contracted(self.indices, self.out, *args[:n])

    def backward(self, g: Any, *args: Any) -> Any:
        operands = args[: len(self.indices)]
        return tuple([self._share(k, g, operands) if needed else None for k, needed in enumerate(self.needs)])

    def _share(self, k: int, g: Any, operands: Any) -> Any:
        others = [self.out, *(letters for i, letters in enumerate(self.indices) if i != k)]
        values = [g, *(x for i, x in enumerate(operands) if i != k)]
        present = [letter in "".join(others) for letter in self.indices[k]]
        target = "".join([letter for letter, there in zip(self.indices[k], present) if there])
        share = Einsum.of(*values, *others, target)
        shape = tuple([n if there else 1 for n, there in zip(self.shapes[k], present)])
        return np.broadcast_to(np.reshape(share, shape), self.shapes[k])


def contracted(indices: Any, out: str, *operands: np.ndarray) -> np.ndarray:
    """The sum itself: one loop over all indices if they are few, else pair by pair through matrix products."""
    arrays = [wide(x) for x in operands]
    sizes = {letter: n for letters, x in zip(indices, operands) for letter, n in zip(letters, x.shape)}
    pairwise = len(operands) > 1 and math.prod(sizes.values()) > FEW
    result = np.einsum(f"{','.join(indices)}->{out}", *arrays, optimize=pairwise)
    return np.array(result, dtype=operands[0].dtype, copy=None if len(operands) > 1 else True)  # a transpose is a view
