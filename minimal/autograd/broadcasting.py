"""Broadcasting stretches a small array over a large one; its gradient adds up again what was stretched."""

from __future__ import annotations

from typing import Any


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Add up ``g`` over the axes along which an array of this shape was broadcast.

    Each element of the small array went to many places; by the chain rule its gradient is the sum of theirs.

    Parameters
    ----------
    g : ndarray or Tensor
        Of a shape to which ``shape`` broadcasts.
    shape : tuple of int
    """
    if g.shape == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = (*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1))
    if axes:
        g = g.sum(axis=axes, keepdims=True)
    return g.reshape(shape) if extra else g
