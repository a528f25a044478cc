"""Being recognised by scikit-learn's tools for trees, which ask for the class and not for what it can do.

``sklearn.tree.plot_tree`` and ``export_text`` accept only instances of scikit-learn's own trees, and
``sklearn.inspection`` looks for them.  Those classes are abstract base classes, so ours can be registered as virtual
subclasses of their namesakes, as ``collections.abc`` does for containers.  Nothing is imported for that: registering waits
until scikit-learn is loaded and asks.
"""

from __future__ import annotations

import sys
from typing import Any


class KnownToSklearn:
    """A mixin whose subclasses count as scikit-learn's class of the same name; ``_reference_module`` says where that is.

    ``isinstance(ours, Theirs)`` reads ``ours.__class__``: that is the moment to register.
    """

    _reference_module: str

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        kind = type(self)
        if "_is_registered" not in vars(kind):
            _register(kind)
        return kind


def _register(kind: Any) -> None:
    """Register the class of this package that ``kind`` is, or inherits from, with its namesake, once that is loaded."""
    module = sys.modules.get(kind._reference_module)
    for ours in kind.__mro__:
        theirs = getattr(module, ours.__name__, None)
        if theirs is not None and ours.__module__.startswith("minimal."):
            kind._is_registered = True
            theirs.register(kind)
            return
