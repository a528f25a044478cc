"""Convolution and its two gradients: three operations, each of which is the gradient of the others.

A convolution is linear in the image x and linear in the filters w, so all that can come of it is one scalar that is linear
in three things:

    L(g, w, x)  =  sum over n, o, i, j, c, k, l of   g[n, o, i, j]  w[o, c, k, l]  x[n, c, i + k, j + l]

Leave one of the three open and a function of the other two remains: the output (:class:`Conv2d`), the gradient of the image
(:class:`ConvInput`) or that of the filters (:class:`ConvWeight`).  Differentiate any of these, and one of the other two
appears; so second derivatives, and third ones, need nothing new.  A transposed convolution is :class:`ConvInput`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

from minimal.autograd.operation import Operation
from minimal.autograd.operations.activations import Relu
from minimal.autograd.operations.elementwise import Clone
from minimal.autograd.operations.pooling import MaxPool2d, Windows
from minimal.autograd.tensor import Tensor
from minimal.engine import twin

Pair = tuple[int, int]


class Slide(NamedTuple):
    """How filters slide over an image, down and right: what the kernels want to know besides the arrays."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


def _kernels() -> ModuleType:
    return twin("minimal.autograd.kernels.convolution")


class Conv2d(Operation):
    """out = w * x + b,  so  dx = ConvInput(g, w),  dw = ConvWeight(g, x)  and  db = g summed over samples and pixels."""

    saves = "inputs"

    def forward(self, x: Any, w: Any, bias: Any, slide: Slide) -> Any:
        self.slide = slide
        return _kernels().conv2d(x, w, bias, *slide)

    def save(self, args: Sequence[Any], result: Any) -> None:
        super().save(args[:2], result)  # nobody needs the bias again

    def backward(self, g: Any, x: Any, w: Any) -> Any:
        needs, slide = self.needs, self.slide
        dx = ConvInput.of(g, w, x.shape, slide) if needs[0] else None
        dw = ConvWeight.of(g, x, w.shape, slide) if needs[1] else None
        return dx, dw, _bias_grad(g) if needs[-1] and len(needs) == 3 else None


def _bias_grad(g: Any) -> Any:
    return g.sum(axis=(0, 2, 3)) if isinstance(g, Tensor) else _kernels().conv2d_bias_grad(g)


class ConvInput(Operation):
    """out = the gradient that y sends to x from y = w * x;  so  dy = w * g  and  dw = ConvWeight(y, g)."""

    saves = "inputs"

    def forward(self, y: Any, w: Any, shape: tuple[int, ...], slide: Slide) -> Any:
        return _kernels().conv2d_input_grad(y, w, shape, *slide)

    def backward(self, g: Any, y: Any, w: Any, shape: Any, slide: Slide) -> Any:
        needs = self.needs
        dy = Conv2d.of(g, w, None, slide) if needs[0] else None
        return dy, ConvWeight.of(y, g, w.shape, slide) if needs[1] else None


class ConvWeight(Operation):
    """out = the gradient that y sends to w from y = w * x;  so  dy = g * x  and  dx = ConvInput(y, g)."""

    saves = "inputs"

    def forward(self, y: Any, x: Any, shape: tuple[int, ...], slide: Slide) -> Any:
        return _kernels().conv2d_weight_grad(y, x, shape, *slide)

    def backward(self, g: Any, y: Any, x: Any, shape: Any, slide: Slide) -> Any:
        needs = self.needs
        dy = Conv2d.of(x, g, None, slide) if needs[0] else None
        return dy, ConvInput.of(y, g, x.shape, slide) if needs[1] else None


class ConvReluPool(Operation):
    """out = max_pool(relu(w * x + b), 2), in one walk: only the largest of four, if positive, passes a gradient on.

    Its backward formula is no NumPy text, so second derivatives take the three operations one by one.
    """

    saves = "inputs"
    keeps = ("argmax",)

    def forward(self, x: Any, w: Any, bias: Any, slide: Slide) -> Any:
        self.slide = slide
        out, self.argmax = _kernels().conv_relu_pool(x, w, bias, *slide)
        return out

    def backward(self, g: Any, x: Any, w: Any, bias: Any, slide: Slide) -> Any:
        if not isinstance(g, Tensor):
            return _kernels().conv_relu_pool_backward(g, self.argmax, x, w, *slide, self.needs[0])
        from minimal.autograd.differentiate import grad

        # By copies, which stand between x, w, b and their own history: only this operation is asked for its gradients.
        x, w, bias = (None if t is None else Clone.apply(t) for t in (x, w, bias))
        wanted = [t for t in (x, w, bias) if t is not None and t.requires_grad]
        found = iter(grad(_one_by_one(x, w, bias, slide), wanted, g, create_graph=True))
        return tuple([next(found) if needed else None for needed in self.needs])


def _one_by_one(x: Tensor, w: Tensor, bias: Tensor | None, slide: Slide) -> Tensor:
    return MaxPool2d.apply(Relu.unary(Conv2d.apply(x, w, bias, slide)), Windows((2, 2), (2, 2)))
