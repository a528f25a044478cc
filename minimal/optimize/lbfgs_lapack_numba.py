"""``lbfgs_lapack``, callable from compiled functions: the same routines of NumPy's library."""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
from numba import cfunc, njit, types

from minimal.optimize.lbfgs_lapack import ADDRESSES

__all__ = ["cholesky", "dot", "norm", "solve"]

_int, _real, _reals = types.int64, types.float64, types.CPointer(types.float64)
_ints, _letters = types.CPointer(types.int64), types.CPointer(types.uint8)
SIGNATURES = {
    "ddot": _real(_int, _reals, _int, _reals, _int),
    "dnrm2": _real(_int, _reals, _int),
    "dpotrf": types.void(_letters, _ints, _reals, _ints, _ints),
    "dtrtrs": types.void(*[_letters] * 3, _ints, _ints, _reals, _ints, _reals, _ints, _ints),
}


@cfunc(types.void())
def _nothing() -> None:
    """Stands where a routine is missing, so that compiled text links; it is never called."""


_routines: dict[str, Any] = {}
for _name, _signature in SIGNATURES.items():
    # A name of our own, or LLVM may take the function for one that it knows.
    llvmlite.binding.add_symbol(f"minimal_lbfgs_{_name}", ADDRESSES.get(_name, _nothing.address))
    _routines[_name] = types.ExternalFunction(f"minimal_lbfgs_{_name}", _signature)
_ddot, _dnrm2, _dpotrf, _dtrtrs = _routines.values()

U, T, N = (np.array([ord(letter)], dtype=np.uint8) for letter in "UTN")


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

    ``A`` is flat and in Fortran order with columns ``lda`` apart; ``integers`` is room for four.
    """
    integers[0], integers[1], integers[2] = n, lda, 0
    _dpotrf(U.ctypes, integers.ctypes, A.ctypes, integers[1:].ctypes, integers[2:].ctypes)
    return integers[2] == 0


@njit(nogil=True)
def solve(A, n, lda, B, columns, ldb, transposed, integers):
    """Replace the n x columns matrix ``B`` by X with U X = B, or U'X = B, U being the upper triangle of ``A``.

    Both are flat and in Fortran order; ``integers`` is room for five.
    """
    integers[0], integers[1], integers[2], integers[3], integers[4] = n, columns, lda, ldb, 0
    kind = T if transposed else N
    _dtrtrs(
        U.ctypes,
        kind.ctypes,
        N.ctypes,
        integers.ctypes,
        integers[1:].ctypes,
        A.ctypes,
        integers[2:].ctypes,
        B.ctypes,
        integers[3:].ctypes,
        integers[4:].ctypes,
    )
