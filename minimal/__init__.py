"""minimal: machine learning that you can read, proven against the libraries you use, and faster than they are.

After ``import minimal`` every part is there by its name (``minimal.linear_model.LogisticRegression``) and is loaded when
it is first used.  Tensors and the functions on them stand here under PyTorch's names (``minimal.tensor``, ``minimal.exp``).
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from minimal.engine import engine, get_engine, set_engine
from minimal.threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from minimal import (
        autograd,
        cluster,
        ensemble,
        exceptions,
        generator,
        linalg,
        linear_model,
        nn,
        optim,
        optimize,
        preprocessing,
        tree,
        utils,
    )
    from minimal.autograd import Tensor, enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
    from minimal.autograd.creation import (
        arange,
        as_tensor,
        from_numpy,
        ones,
        rand,
        randint,
        randn,
        randperm,
        tensor,
        zeros,
    )
    from minimal.autograd.dtypes import get_default_dtype, set_default_dtype
    from minimal.generator import Generator, manual_seed
    from minimal.serialization import load, save

__version__ = "0.1.0"

_rooms = (
    "autograd",
    "cluster",
    "ensemble",
    "exceptions",
    "generator",
    "linalg",
    "linear_model",
    "nn",
    "optim",
    "optimize",
    "preprocessing",
    "tree",
    "utils",
)

# PyTorch's names, by where they stand; the functions on tensors and the dtypes come on top (see _find).
_elsewhere = {
    "minimal.autograd": (
        "Tensor",
        "enable_grad",
        "inference_mode",
        "is_grad_enabled",
        "no_grad",
        "set_grad_enabled",
    ),
    "minimal.autograd.dtypes": (
        "can_cast",
        "finfo",
        "get_default_dtype",
        "iinfo",
        "promote_types",
        "result_type",
        "set_default_dtype",
    ),
    "minimal.generator": (
        "Generator",
        "default_generator",
        "get_rng_state",
        "initial_seed",
        "manual_seed",
        "seed",
        "set_rng_state",
    ),
    "minimal.serialization": ("load", "save"),
}

__all__ = [
    "Generator",
    "Tensor",
    "arange",
    "as_tensor",
    "autograd",
    "cluster",
    "enable_grad",
    "engine",
    "ensemble",
    "exceptions",
    "from_numpy",
    "generator",
    "get_default_dtype",
    "get_engine",
    "get_num_threads",
    "inference_mode",
    "is_grad_enabled",
    "linalg",
    "linear_model",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "ones",
    "optim",
    "optimize",
    "preprocessing",
    "rand",
    "randint",
    "randn",
    "randperm",
    "save",
    "set_default_dtype",
    "set_engine",
    "set_grad_enabled",
    "set_num_threads",
    "tensor",
    "tree",
    "utils",
    "zeros",
]


def _find(name: str) -> Any:
    """A room, or something under PyTorch's name; AttributeError if there is neither."""
    if name in _rooms:
        return _import_module(f"minimal.{name}")
    if not name.startswith("__"):
        for module, names in _elsewhere.items():
            if name in names:
                return getattr(_import_module(module), name)
        autograd = _import_module("minimal.autograd")
        dtypes = _import_module("minimal.autograd.dtypes").ALIASES
        for names in (autograd.functions.FUNCTIONS, vars(autograd.creation), dtypes):
            if name in names and not name.startswith("_"):
                return names[name]
    raise AttributeError(f"module 'minimal' has no attribute {name!r}")


def __getattr__(name: str) -> Any:
    value = _find(name)
    globals()[name] = value  # so that it is found at once the next time
    return value


def __dir__() -> list[str]:
    autograd = _import_module("minimal.autograd")
    known = {*globals(), *_rooms, *autograd.functions.FUNCTIONS, *autograd.creation.__all__}
    return sorted(known.union(*_elsewhere.values()))
