"""Operations that pick elements: the gradient goes back to where each element came from, and adds up where one came twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Operation


def along(index: np.ndarray, axis: int) -> tuple[Any, ...]:
    """For each element of ``index`` its own place, but along ``axis`` the place that it names."""
    place: list[Any] = list(np.indices(index.shape, sparse=True))
    place[axis] = index
    return tuple(place)


class SliceOf(Operation):
    """out = x[place], with integers, slices, None and Ellipsis: every element at most once, and no copy."""

    computes = False

    def forward(self, x: Any, place: tuple[Any, ...]) -> Any:
        self.shape, self.place = x.shape, place
        return x[place if Ellipsis in place else (*place, ...)]

    def backward(self, g: Any) -> Any:
        return slice_back(g, self.shape, self.place)


class SliceBack(Operation):
    """out = zeros with x at ``place``: what :class:`SliceOf` does to a gradient."""

    def forward(self, x: Any, shape: tuple[int, ...], place: tuple[Any, ...]) -> Any:
        self.place = place
        return _placed(x, shape, place)

    def backward(self, g: Any) -> Any:
        return g[self.place]


def _placed(x: Any, shape: tuple[int, ...], place: tuple[Any, ...]) -> Any:
    out = np.zeros(shape, dtype=x.dtype)
    out[place] = x
    return out


def slice_back(g: Any, shape: tuple[int, ...], place: tuple[Any, ...]) -> Any:
    """The gradient of a slice, in zeros of the whole shape."""
    return SliceBack.apply(g, shape, place) if hasattr(g, "array") else _placed(g, shape, place)


class Take(Operation):
    """out = x[index], with arrays of integers or a mask among the index: an element can come several times."""

    def forward(self, x: Any, index: tuple[Any, ...]) -> Any:
        self.shape, self.index = x.shape, index
        return x[index]

    def backward(self, g: Any) -> Any:
        return take_back(g, self.shape, self.index)


class TakeBack(Operation):
    """out = zeros with x added at ``index``: what :class:`Take` does to a gradient."""

    def forward(self, x: Any, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
        self.index = index
        return added_at(x, shape, index)

    def backward(self, g: Any) -> Any:
        return g[self.index]


def added_at(x: Any, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """Zeros of a shape with the elements of ``x`` added at ``index``, where one place may come several times."""
    out = np.zeros(shape, dtype=x.dtype)
    if all(not isinstance(i, np.ndarray) or i.dtype.kind == "b" for i in index):
        out[index] = x  # a mask hits each place once
    else:
        np.add.at(out, index, x)
    return out


def take_back(g: Any, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """The gradient of picked elements, added up in zeros of the whole shape."""
    return TakeBack.apply(g, shape, index) if hasattr(g, "array") else added_at(g, shape, index)


class Put(Operation):
    """out = x with ``values`` at ``index``: x gets the gradient elsewhere, the values get it there."""

    def forward(self, x: Any, values: Any, index: tuple[Any, ...], accumulate: bool = False) -> Any:
        self.index, self.accumulate, self.shape = index, accumulate, np.shape(values)
        out = x.copy("K")
        if accumulate:
            np.add.at(out, index, values)
        else:
            out[index] = values
        return out

    def backward(self, g: Any) -> Any:
        x_gets = g
        if not self.accumulate and self.needs[0]:
            elsewhere = np.ones(g.shape, dtype=bool)
            elsewhere[self.index] = False
            x_gets = np.where(elsewhere, g, 0.0)
        values_get = sum_to(g[self.index], self.shape) if len(self.edges) > 1 else None
        return x_gets, values_get


class ViewChanged(Operation):
    """out = the base of a view, after the view was given new values: the base gets g elsewhere, the values get it there."""

    def forward(self, base: Any, values: Any, recipe: Any) -> Any:
        self.recipe = recipe
        return base

    def backward(self, g: Any) -> Any:
        from minimal.autograd.modes import no_grad
        from minimal.autograd.tensor import Tensor, wrap

        elsewhere = np.ones(g.shape, dtype=bool)
        with no_grad():
            self.recipe(Tensor(elsewhere)).array[...] = False
        values_get = self.recipe(wrap(g))
        return np.where(elsewhere, g, 0.0), values_get if isinstance(g, Tensor) else values_get.array
