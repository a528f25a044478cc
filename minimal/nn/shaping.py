"""Layers that only change the shape: from images to rows and back."""

from __future__ import annotations

from minimal.autograd.tensor import Tensor
from minimal.nn.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Axes ``start_dim`` to ``end_dim`` become one; by default all but the first.

    Source: torch.nn.Flatten, 2.13.0.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis ``dim`` becomes several, of the shape ``unflattened_size``.

    Raises
    ------
    TypeError
        If ``unflattened_size`` is no tuple or list of integers.

    Source: torch.nn.Unflatten, 2.13.0.

    Differs from the reference when axes have names: there are none here.
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                f"unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}"
            )
        for i, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    f"unflattened_size must be tuple of ints, but found element of type {type(size).__name__} at pos {i}"
                )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
