"""Which neighbours in a Sequential run as one operation, and why the answer is the same.

Convolution, ReLU, max-pooling over 2 x 2 squares.  ReLU never turns an order around: if a >= b then relu(a) >= relu(b).  So
the largest of four rectified numbers is the largest of the four, rectified, and the three operations can go over the image
once: compute four neighbouring outputs of the convolution, keep the largest, rectify that.  What goes backwards is the same
too: only the largest of the four, if it is positive, gets a gradient, and the first one if several are equal.  The numbers in
between are never written down; that is where the time goes.

So the three are fused only where nobody could see what is in between: the modules are exactly these classes, have no hooks,
and stand in a row in one Sequential.  Training or not makes no difference, nor does ``inplace``.

>>> minimal.nn.set_fusion(False)        # from here on, one by one
>>> with minimal.nn.fusion(False):      # inside the block only
...     model(x)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from minimal.autograd import functions as ops
from minimal.autograd.tensor import Tensor
from minimal.nn.activation import ReLU
from minimal.nn.convolution import Conv2d
from minimal.nn.pooling import MaxPool2d

__all__ = ["fusion", "set_fusion"]

_default = True
_inside_block: ContextVar[bool | None] = ContextVar("minimal_fusion", default=None)


def set_fusion(enabled: bool) -> None:
    """Fuse neighbours in a Sequential, or not, from here on.  At the start they are fused."""
    global _default
    _default = bool(enabled)


@contextmanager
def fusion(enabled: bool) -> Iterator[None]:
    """Fuse neighbours in a Sequential, or not, inside a ``with`` block; other threads keep their way."""
    token = _inside_block.set(bool(enabled))
    try:
        yield
    finally:
        _inside_block.reset(token)


def is_enabled() -> bool:
    """Whether neighbours are fused now."""
    inside = _inside_block.get()
    return _default if inside is None else inside


def steps(modules: Iterable[Any]) -> Iterator[Callable[[Any], Any]]:
    """What a Sequential calls one after another: its modules, or one step for three of them."""
    row = list(modules)
    i = 0
    while i < len(row):
        if type(row[i]) is Conv2d and len(row) > i + 2 and is_enabled() and _fuse(*row[i : i + 3]):
            yield _one_step(*row[i : i + 3])
            i += 3
        else:
            yield row[i]
            i += 1


def _fuse(convolution: Any, rectifier: Any, pool: Any) -> bool:
    """Whether these three are what the fused operation computes, and nobody looks in between."""
    return (
        type(rectifier) is ReLU
        and type(pool) is MaxPool2d
        and pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
        and not (pool.ceil_mode or pool.return_indices)
        and convolution.groups == 1
        and convolution.dilation == (1, 1)
        and convolution.padding_mode == "zeros"
        and not isinstance(convolution.padding, str)
        and not any(module._hooks or "forward" in module.__dict__ for module in (convolution, rectifier, pool))
    )


def _one_step(convolution: Any, rectifier: Any, pool: Any) -> Callable[[Tensor], Tensor]:
    def step(x: Tensor) -> Tensor:
        if x.ndim != 4:  # one image without a batch, or an error for the convolution to tell
            return pool(rectifier(convolution(x)))
        return ops.conv_relu_pool(x, convolution.weight, convolution.bias, convolution.stride, convolution.padding)

    return step
