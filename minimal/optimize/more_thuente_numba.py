"""The functions of ``more_thuente``, compiled: one text, two speeds.

Each function is compiled from the very code that Python runs; only the names that it calls stand for compiled functions
here.  ``square`` is the exception: Python's ``x**2`` is the C library's ``pow``, so the compiled text calls that as well.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba import njit

from minimal.optimize import more_thuente as text
from minimal.optimize.libm_numba import power

__all__ = ["advance", "start", "verdict"]


@njit(cache=True, nogil=True, error_model="numpy")
def square(x):
    """C's pow(x, 2), which is not always x * x."""
    return power(x, 2.0)


_names: dict[str, Any] = {**vars(text), "square": square}


def _compiled(function: Callable[..., Any]) -> Any:
    name = function.__name__
    copy = FunctionType(function.__code__, _names, name)  # the same code; callees are looked up in _names
    copy.__module__ = __name__  # the cache belongs to this module
    _names[name] = njit(cache=True, nogil=True, error_model="numpy")(copy)
    return _names[name]


# Callees first: a compiled function must already see compiled ones.
clip = _compiled(text.clip)
cubic_terms = _compiled(text.cubic_terms)
higher_value = _compiled(text.higher_value)
opposite_slope = _compiled(text.opposite_slope)
flatter_slope = _compiled(text.flatter_slope)
refine = _compiled(text.refine)
verdict = _compiled(text.verdict)
next_trial = _compiled(text.next_trial)
start = _compiled(text.start)
advance = _compiled(text.advance)
