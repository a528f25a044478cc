"""Dropout: in training each number, or each channel, is zero with probability p and 1 / (1 - p) times itself otherwise."""

from __future__ import annotations

from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn.module import Module

__all__ = ["Dropout", "Dropout1d", "Dropout2d"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """y = x m / (1 - p) with m = 0 with probability p, else 1, for each number on its own; y = x in evaluation mode.

    Parameters
    ----------
    p : float
        Default: 0.5.
    inplace : bool
        Change the input.  Default: False.

    Raises
    ------
    ValueError
        If p is not between 0 and 1.

    Source: torch.nn.Dropout, 2.13.0; the same seed gives the same m.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """As :class:`Dropout`, with one m for each channel of each sample: (N, C, L) or (C, L).

    Source: torch.nn.Dropout1d, 2.13.0.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """As :class:`Dropout`, with one m for each channel of each sample: (N, C, H, W).

    Source: torch.nn.Dropout2d, 2.13.0.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)
