"""The layers that are a product or a table: linear maps and embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.operation import Operation
from minimal.autograd.operations.indexing import take_back


class Linear(Operation):
    """out = x W^T + b for rows x, so  dx = g W,  dW = g^T x  and  db = the sum of the rows of g."""

    saves = "others"

    def forward(self, x: Any, w: Any, b: Any) -> Any:
        self.shape = x.shape
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        out = rows @ w.T
        if b is not None:
            out += b
        return out if x.ndim == 2 else out.reshape(*x.shape[:-1], w.shape[0])

    def backward(self, g: Any, x: Any, w: Any, b: Any) -> Any:
        needs = self.needs
        rows = g if len(g.shape) == 2 else g.reshape(-1, g.shape[-1])
        dx = np.matmul(rows, w).reshape(self.shape) if needs[0] else None
        dw = np.matmul(np.swapaxes(rows, 0, 1), x.reshape(-1, self.shape[-1])) if needs[1] else None
        return dx, dw, rows.sum(axis=0) if needs[-1] else None


class Embedding(Operation):
    """out = the rows of a table with the given numbers; a row gets the gradients of all its copies.

    A row that only pads gets none; with ``by_frequency`` the copies share one gradient.
    """

    def forward(self, table: Any, index: Any, padding_row: int | None, by_frequency: bool) -> Any:
        self.shape, self.index = table.shape, index
        self.share: Any = None
        if padding_row is not None or by_frequency:
            share = np.ones(len(table), table.dtype)
            if by_frequency:
                share /= np.maximum(np.bincount(index.ravel(), minlength=len(table)), 1)
            if padding_row is not None:
                share[padding_row] = 0
            self.share = share[index][..., None]
        return table[index]

    def backward(self, g: Any) -> Any:
        return take_back(g if self.share is None else g * self.share, self.shape, (self.index,))
