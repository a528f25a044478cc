"""What goes wrong, under the references' names.

Code written for scikit-learn says ``except sklearn.exceptions.NotFittedError``.  It goes on working: when scikit-learn (or
SciPy) is loaded, what is raised here is of its class as well.  Nothing is imported for that; a library that is not loaded
has no ``except`` clause waiting.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, TypeVar

__all__ = [
    "ConvergenceWarning",
    "DataConversionWarning",
    "InvalidParameterError",
    "LinAlgWarning",
    "LineSearchWarning",
    "NotFittedError",
    "OptimizeWarning",
    "UndefinedMetricWarning",
    "kin",
]


class NotFittedError(ValueError, AttributeError):
    """An estimator is used before it is fitted."""


class InvalidParameterError(ValueError, TypeError):
    """A parameter of a constructor or a function has a wrong value or type."""


class ConvergenceWarning(UserWarning):
    """An iteration stopped before it reached its tolerance."""


class DataConversionWarning(UserWarning):
    """Data had to be reshaped or converted in a way that the caller may not have meant."""


class UndefinedMetricWarning(UserWarning):
    """A score has no meaning for so few samples."""


class OptimizeWarning(UserWarning):
    """An optimizer was given an option that it does not know, or ended with a doubt."""


class LineSearchWarning(RuntimeWarning):
    """A line search ended without a step that satisfies its conditions."""


class LinAlgWarning(RuntimeWarning):
    """A system of linear equations is too ill-conditioned for its solution to be trusted."""


# Where the reference keeps the class of the same name.
_REFERENCE_MODULES = {
    NotFittedError: "sklearn.exceptions",
    InvalidParameterError: "sklearn.utils._param_validation",
    ConvergenceWarning: "sklearn.exceptions",
    DataConversionWarning: "sklearn.exceptions",
    UndefinedMetricWarning: "sklearn.exceptions",
    OptimizeWarning: "scipy.optimize._optimize",
    LinAlgWarning: "scipy.linalg",
    LineSearchWarning: "scipy.optimize._linesearch",
}

_Kind = TypeVar("_Kind", bound=Exception)


def kin(kind: type[_Kind]) -> type[_Kind]:
    """The class to raise or warn with: ``kind``, which is also the reference's namesake if that library is loaded.

    Parameters
    ----------
    kind : one of the classes of this module

    Examples
    --------
    >>> raise kin(NotFittedError)("Call 'fit' first.")
    Traceback (most recent call last):
    ...
    minimal.exceptions.NotFittedError: Call 'fit' first.
    """
    module = sys.modules.get(_REFERENCE_MODULES[kind])
    theirs = getattr(module, kind.__name__, None)
    return kind if theirs is None else _both(kind, theirs)  # type: ignore[arg-type]


@cache
def _both(ours: Any, theirs: Any) -> Any:
    def __reduce__(self: Exception) -> tuple[Any, ...]:
        return ours, self.args  # a worker process sends it home as our own class

    members = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__reduce__": __reduce__}
    return type(ours.__name__, (ours, theirs), members)
