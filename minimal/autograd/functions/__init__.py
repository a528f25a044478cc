"""PyTorch's functions on tensors, by what they do: each checks its arguments and carries out an operation.

All public functions of the modules here are also found in this namespace, and under ``minimal``; those of ``top_level`` only
there.
"""

from __future__ import annotations

import types
from importlib import import_module
from typing import TYPE_CHECKING, Any

MODULES = (
    "elementwise",
    "reductions",
    "questions",
    "shapes",
    "joining",
    "indexing",
    "linear_algebra",
    "extremes",
    "cumulative",
    "sorting",
    "contraction",
    "softmaxes",
    "activations",
    "convolution",
    "pooling",
    "padding",
    "normalization",
    "layers",
    "losses",
)


def _public(module: types.ModuleType) -> dict[str, Any]:
    """The functions that a module defines under names without an underscore."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and not name.startswith("_")
    }


_HELPERS = {"axis_in", "axes_in", "sizes_in", "zeros_around", "cross_entropy_in_parts"}

FUNCTIONS: dict[str, Any] = {}
for _module in MODULES:
    FUNCTIONS |= _public(import_module(f"{__name__}.{_module}"))
FUNCTIONS = {name: function for name, function in FUNCTIONS.items() if name not in _HELPERS}
globals().update(FUNCTIONS)  # as ``nn.functional`` has them ...
FUNCTIONS |= _public(import_module(f"{__name__}.top_level"))  # ... and as ``minimal`` has them


def find(name: str) -> Any:
    """The function of this name.

    Raises
    ------
    KeyError
        If there is none.
    """
    return FUNCTIONS[name]


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
