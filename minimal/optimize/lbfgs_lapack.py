"""Four routines of the library that NumPy brings along: the same that SciPy brings, so the same bits.

NumPy's and SciPy's wheels each carry OpenBLAS, and OpenBLAS adds in an order that depends on the processor.  To round as
SciPy's L-BFGS-B rounds, on any processor, one has to call the same routines.  NumPy itself hands out only a few of them; the
others are called here by their address.  Where NumPy was built with another library there are none (:data:`AVAILABLE` is
False), and L-BFGS uses its two-loop recursion.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADDRESSES", "AVAILABLE", "cholesky", "dot", "norm", "solve"]

# Names in the library; integers have 64 bits there.
_NAMES = {
    "ddot": "scipy_cblas_ddot64_",
    "dnrm2": "scipy_cblas_dnrm264_",
    "dpotrf": "scipy_dpotrf_64_",
    "dtrtrs": "scipy_dtrtrs_64_",
}


def _addresses() -> dict[str, int]:
    """Where the routines are in memory; nothing if one is missing."""
    try:
        from numpy._core import _multiarray_umath

        library = ctypes.CDLL(_multiarray_umath.__file__)
        return {
            name: ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0 for name, symbol in _NAMES.items()
        }
    except (ImportError, OSError, AttributeError):
        return {}


ADDRESSES = _addresses()
AVAILABLE = bool(ADDRESSES)

Array = NDArray[np.float64]
_int, _pointer, _double = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double


def _function(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(result, *arguments)(ADDRESSES.get(name, 0))


_ddot = _function("ddot", _double, _int, _pointer, _int, _pointer, _int)
_dnrm2 = _function("dnrm2", _double, _int, _pointer, _int)
_dpotrf = _function("dpotrf", None, *[_pointer] * 5)
_dtrtrs = _function("dtrtrs", None, *[_pointer] * 10)


def _by_reference(*integers: int) -> list[Any]:
    return [ctypes.byref(_int(value)) for value in integers]


def dot(a: Array, b: Array) -> float:
    """a'b."""
    return _ddot(a.size, a.ctypes.data, a.strides[0] // 8, b.ctypes.data, b.strides[0] // 8)


def norm(a: Array) -> float:
    """The Euclidean norm, without overflow on the way."""
    return _dnrm2(a.size, a.ctypes.data, a.strides[0] // 8)


def cholesky(A: Array) -> bool:
    """Replace the upper triangle of ``A``, in Fortran order, by U with A = U'U; False if A is not positive definite."""
    info = _int(0)
    n, lda = _by_reference(len(A), A.strides[1] // 8)
    _dpotrf(b"U", n, A.ctypes.data, lda, ctypes.byref(info))
    return info.value == 0


def solve(U: Array, B: Array, transposed: bool) -> None:
    """Replace ``B`` by X with U X = B, or U'X = B; both in Fortran order, U upper triangular."""
    info = _int(0)
    columns = B.shape[1] if B.ndim == 2 else 1
    n, n_rhs, lda, ldb = _by_reference(len(U), columns, U.strides[1] // 8, B.strides[1] // 8 if B.ndim == 2 else len(B))
    _dtrtrs(
        b"U", b"T" if transposed else b"N", b"N", n, n_rhs, U.ctypes.data, lda, B.ctypes.data, ldb, ctypes.byref(info)
    )
