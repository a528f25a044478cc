"""What the compiled pooling kernels have in common: how they are compiled, and how a row is found in a line of numbers.

To a kernel all arrays are lines of numbers that stand for (outer, height, width, inner).  With the channels of a pixel side
by side, outer counts samples and inner channels, and one instruction serves many channels; with images side by side, outer
counts images, inner is one, and one instruction serves many windows of a row.  ``large`` and ``small`` are the (height,
width, inner) of an image before and after pooling.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numba.core.options import DefaultOptions

# Python holds all arrays for as long as a kernel runs.  Compiled without Numba's runtime, a kernel does not count who holds
# each row it looks at, which would take longer than a short row; but it cannot make arrays either.  The flag is Numba's own
# affair, so it is only used if it is there.
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"} | (
    {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
)
door = njit(**FLAGS, cache=True)  # called from Python
inlined = njit(**FLAGS, forceinline=True)


@inlined
def row_of(size, number):
    """Where row ``number`` is, rows of all images counted: its pixels and their channels, side by side."""
    length = size[1] * size[2]
    return slice(number * length, (number + 1) * length)


@inlined
def pixel_of(number, inner):
    """Where in a row a pixel has its channels."""
    return slice(number * inner, (number + 1) * inner)


@inlined
def larger(a, its_number, best, number):
    """The larger number and which one it is: the new one if it is larger or NaN.  (Two plain questions need no branch.)"""
    number = its_number if a > best else number
    best = a if a > best else best
    return (a if a != a else best), (its_number if a != a else number)
