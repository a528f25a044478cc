"""C's ``pow``, for compiled text that must round like Python's ``**``.

LLVM replaces pow(x, 2) by x * x, which is another number in one case of a thousand (the last bit).  A private name keeps
it from recognising the function.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from typing import Any

import llvmlite.binding
from numba import types

__all__ = ["power"]


def _address_of_pow() -> int:
    library = "msvcrt" if sys.platform == "win32" else ctypes.util.find_library("m")
    return ctypes.cast(ctypes.CDLL(library).pow, ctypes.c_void_p).value or 0


llvmlite.binding.add_symbol("minimal_libm_pow", _address_of_pow())

#: power(x, y) = x**y, callable from compiled functions only.
power: Any = types.ExternalFunction("minimal_libm_pow", types.float64(types.float64, types.float64))
