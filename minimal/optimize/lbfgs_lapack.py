"""Five routines of the library that NumPy brings along: the same that SciPy brings, so the same bits.

NumPy's and SciPy's wheels each carry OpenBLAS, and OpenBLAS adds in an order that depends on the processor.  To round as
SciPy's L-BFGS-B rounds, on any processor, one has to call the same routines.  NumPy itself hands out only a few of them; the
others are called here by their address.  Where NumPy was built with another library there are none (:data:`AVAILABLE` is
False), and L-BFGS uses its two-loop recursion.

SciPy solves its triangular systems by ``dtrtrs``.  ``dtrsv`` and ``dtrsm`` give the same bits (``dtrsm`` from two right-hand
sides on), but do not wake all threads for a matrix of 20 x 20, which takes longer than the whole iteration.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADDRESSES", "AVAILABLE", "cholesky", "dot", "norm", "solve", "solve_all"]

# Names in the library; integers have 64 bits there.
_NAMES = {
    "ddot": "scipy_cblas_ddot64_",
    "dnrm2": "scipy_cblas_dnrm264_",
    "dpotrf": "scipy_dpotrf_64_",
    "dtrsv": "scipy_cblas_dtrsv64_",
    "dtrsm": "scipy_cblas_dtrsm64_",
}


def _addresses() -> dict[str, int]:
    """Where the routines are in memory; nothing if one is missing."""
    try:
        from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

        library = ctypes.CDLL(_multiarray_umath.__file__)
        return {
            name: ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0 for name, symbol in _NAMES.items()
        }
    except (ImportError, OSError, AttributeError):
        return {}


ADDRESSES = _addresses()
AVAILABLE = bool(ADDRESSES)

# How CBLAS numbers its options.
COLUMN_MAJOR, NO_TRANSPOSE, TRANSPOSE, UPPER, NON_UNIT, LEFT = 102, 111, 112, 121, 131, 141

Array = NDArray[np.float64]
_option, _int, _pointer, _double = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_double


def _function(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(result, *arguments)(ADDRESSES.get(name, 0))


_ddot = _function("ddot", _double, _int, _pointer, _int, _pointer, _int)
_dnrm2 = _function("dnrm2", _double, _int, _pointer, _int)
_dpotrf = _function("dpotrf", None, *[_pointer] * 5)
_dtrsv = _function("dtrsv", None, *[_option] * 4, _int, _pointer, _int, _pointer, _int)
_dtrsm = _function("dtrsm", None, *[_option] * 5, _int, _int, _double, _pointer, _int, _pointer, _int)


def dot(a: Array, b: Array) -> float:
    """a'b."""
    return _ddot(a.size, a.ctypes.data, a.strides[0] // 8, b.ctypes.data, b.strides[0] // 8)


def norm(a: Array) -> float:
    """The Euclidean norm, without overflow on the way."""
    return _dnrm2(a.size, a.ctypes.data, a.strides[0] // 8)


def cholesky(A: Array) -> bool:
    """Replace the upper triangle of ``A``, in Fortran order, by U with A = U'U; False if A is not positive definite."""
    n, lda, info = _int(len(A)), _int(A.strides[1] // 8), _int(0)
    _dpotrf(b"U", ctypes.byref(n), A.ctypes.data, ctypes.byref(lda), ctypes.byref(info))
    return info.value == 0


def solve(U: Array, b: Array, transposed: bool) -> None:
    """Replace the vector ``b`` by x with U x = b, or U'x = b, for the upper triangle of ``U`` in Fortran order."""
    kind = TRANSPOSE if transposed else NO_TRANSPOSE
    _dtrsv(COLUMN_MAJOR, UPPER, kind, NON_UNIT, len(U), U.ctypes.data, U.strides[1] // 8, b.ctypes.data, 1)


def solve_all(U: Array, B: Array) -> None:
    """Replace the columns of ``B`` by X with U'X = B; both in Fortran order."""
    if B.shape[1] == 1:
        solve(U, B[:, 0], transposed=True)
        return
    lda, ldb = U.strides[1] // 8, B.strides[1] // 8
    options = (COLUMN_MAJOR, LEFT, UPPER, TRANSPOSE, NON_UNIT)
    _dtrsm(*options, len(U), B.shape[1], 1.0, U.ctypes.data, lda, B.ctypes.data, ldb)
