"""Automatic differentiation: tensors that remember how they were made, and the way back to the gradients.

Read in this order: ``graph`` (nodes and the walk back), ``operation`` (what a formula needs to become a node), the classes
in ``operations/`` (the derivations), ``tensor`` (a NumPy array with a history).  ``functions/`` holds PyTorch's names for
it all, ``kernels/`` the twins that compute convolution and pooling on arrays.
"""

from importlib import import_module

from minimal.autograd import creation, function, functions, methods
from minimal.autograd.differentiate import backward, grad
from minimal.autograd.function import Function
from minimal.autograd.modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minimal.autograd.tensor import Tensor

methods.bind()
for _name, _method in creation.METHODS.items():
    setattr(Tensor, _name, _method)

__all__ = [
    "Function",
    "Tensor",
    "backward",
    "creation",
    "draw",
    "enable_grad",
    "function",
    "functions",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]


def __getattr__(name: str) -> object:
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(import_module("minimal.autograd.checking"), name)
    if name == "draw":
        return import_module("minimal.autograd.drawing").draw
    raise AttributeError(f"module 'minimal.autograd' has no attribute {name!r}")
