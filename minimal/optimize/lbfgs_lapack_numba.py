"""``lbfgs_lapack``, callable from compiled functions: the same routines of NumPy's library."""

from __future__ import annotations

import ctypes
from typing import Any

import llvmlite.binding
import numpy as np
from numba import njit, types

from minimal.optimize.lbfgs_lapack import (
    ADDRESSES,
    COLUMN_MAJOR,
    LEFT,
    NO_TRANSPOSE,
    NON_UNIT,
    TRANSPOSE,
    UPPER,
)

__all__ = ["cholesky", "dot", "norm", "solve", "solve_all"]

_option, _int, _real, _reals = types.int32, types.int64, types.float64, types.CPointer(types.float64)
_ints, _letters = types.CPointer(types.int64), types.CPointer(types.uint8)
SIGNATURES = {
    "ddot": _real(_int, _reals, _int, _reals, _int),
    "dnrm2": _real(_int, _reals, _int),
    "dpotrf": types.void(_letters, _ints, _reals, _ints, _ints),
    "dtrsv": types.void(*[_option] * 4, _int, _reals, _int, _reals, _int),
    "dtrsm": types.void(*[_option] * 5, _int, _int, _real, _reals, _int, _reals, _int),
}


# Stands where a routine is missing, so that compiled text links; it is never called.
_nothing = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value

_routines: dict[str, Any] = {}
for _name, _signature in SIGNATURES.items():
    # A name of our own, or LLVM may take the function for one that it knows.
    llvmlite.binding.add_symbol(f"minimal_lbfgs_{_name}", ADDRESSES.get(_name, _nothing))
    _routines[_name] = types.ExternalFunction(f"minimal_lbfgs_{_name}", _signature)
_ddot, _dnrm2, _dpotrf, _dtrsv, _dtrsm = _routines.values()

UPPER_LETTER = np.array([ord("U")], dtype=np.uint8)


@njit(nogil=True)
def dot(a, b):
    """a'b of contiguous vectors."""
    return _ddot(a.size, a.ctypes, 1, b.ctypes, 1)


@njit(nogil=True)
def norm(a):
    """The Euclidean norm of a contiguous vector."""
    return _dnrm2(a.size, a.ctypes, 1)


@njit(nogil=True)
def cholesky(A, n, lda, integers):
    """Replace the upper triangle of the n x n matrix at the beginning of ``A`` by U, A = U'U; False if there is none.

    ``A`` is flat and in Fortran order with columns ``lda`` apart; ``integers`` is room for three.
    """
    integers[0], integers[1], integers[2] = n, lda, 0
    _dpotrf(UPPER_LETTER.ctypes, integers.ctypes, A.ctypes, integers[1:].ctypes, integers[2:].ctypes)
    return integers[2] == 0


@njit(nogil=True)
def solve(U, n, lda, b, transposed):
    """Replace the vector ``b`` by x with U x = b, or U'x = b, for the upper triangle of ``U``, flat as in ``cholesky``."""
    kind = TRANSPOSE if transposed else NO_TRANSPOSE
    order, part, diagonal = np.int32(COLUMN_MAJOR), np.int32(UPPER), np.int32(NON_UNIT)
    _dtrsv(order, part, np.int32(kind), diagonal, n, U.ctypes, lda, b.ctypes, 1)


@njit(nogil=True)
def solve_all(U, n, lda, B):
    """Replace the n columns of ``B`` by X with U'X = B; flat, with the same distance of columns as ``U``."""
    if n == 1:
        solve(U, n, lda, B, True)
        return
    order, side, part = np.int32(COLUMN_MAJOR), np.int32(LEFT), np.int32(UPPER)
    kind, diagonal = np.int32(TRANSPOSE), np.int32(NON_UNIT)
    _dtrsm(order, side, part, kind, diagonal, n, n, 1.0, U.ctypes, lda, B.ctypes, lda)
