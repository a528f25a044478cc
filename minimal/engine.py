"""Which twin runs: the NumPy text that you read, or the Numba kernel that is proven equal to it.

An algorithm stands in the package twice, as two modules with the same functions: ``moments_numpy.py`` to read and
``moments_numba.py`` to run.  Estimators ask :func:`twin` for one of them, so that a reader can swap what runs:

>>> import minimal
>>> minimal.set_engine("numpy")          # from here on
>>> with minimal.engine("numba"):        # inside the block only
...     minimal.get_engine()
'numba'

The environment variable ``MINIMAL_ENGINE`` sets the engine at the start; without it, it is ``"numba"``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from types import ModuleType

from minimal.compiling import announce_slow_compiling

ENGINES = ("numba", "numpy")


def _checked(name: str) -> str:
    if name not in ENGINES:
        raise ValueError(f"The engine must be one of {', '.join(map(repr, ENGINES))}. Got {name!r} instead.")
    return name


_default = _checked(os.environ.get("MINIMAL_ENGINE", "numba"))
_inside_block: ContextVar[str | None] = ContextVar("minimal_engine", default=None)


def get_engine() -> str:
    """The engine that runs now: ``"numba"`` or ``"numpy"``."""
    return _inside_block.get() or _default


def set_engine(name: str) -> None:
    """Choose the engine for everything that follows.

    Parameters
    ----------
    name : {"numba", "numpy"}

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    global _default
    _default = _checked(name)


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Choose the engine inside a ``with`` block; other threads keep theirs.

    Parameters
    ----------
    name : {"numba", "numpy"}

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    token = _inside_block.set(_checked(name))
    try:
        yield
    finally:
        _inside_block.reset(token)


def twin(stem: str) -> ModuleType:
    """The module ``stem + "_numpy"`` or ``stem + "_numba"``, whichever engine runs, imported when first asked for.

    Parameters
    ----------
    stem : str
        The full dotted name without the ending, such as ``"minimal.preprocessing.moments"``.

    Returns
    -------
    module
    """
    engine = get_engine()
    name = f"{stem}_{engine}"
    module = sys.modules.get(name)
    if module is None:
        if engine == "numba":
            announce_slow_compiling()
        module = import_module(name)
    return module
