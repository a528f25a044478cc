"""minimal: machine learning that you can read, proven against the libraries you use, and faster than they are.

After ``import minimal`` every part is there by its name (``minimal.linear_model.LogisticRegression``) and is loaded when
it is first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from minimal.engine import engine, get_engine, set_engine
from minimal.threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from minimal import cluster, ensemble, exceptions, linear_model, optimize, preprocessing, tree

__version__ = "0.1.0"

_rooms = ("cluster", "ensemble", "exceptions", "linear_model", "optimize", "preprocessing", "tree")

__all__ = [
    "cluster",
    "engine",
    "ensemble",
    "exceptions",
    "get_engine",
    "get_num_threads",
    "linear_model",
    "optimize",
    "preprocessing",
    "set_engine",
    "set_num_threads",
    "tree",
]


def __getattr__(name: str) -> object:
    if name in _rooms:
        return _import_module(f"minimal.{name}")
    raise AttributeError(f"module 'minimal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_rooms])
