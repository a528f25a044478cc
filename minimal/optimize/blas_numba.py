"""NumPy's own matrix products, callable from compiled functions: the same routine, therefore the same bits.

How a dot product rounds depends on how its terms are grouped, and OpenBLAS groups them by the processor's registers.  To
repeat ``np.dot`` in compiled text, one has to call the very library that NumPy calls.  Its wheels carry it
(``scipy_cblas_ddot64_`` and kin, integers of 64 bits), so the functions are looked up there and given private names.
Where NumPy uses another library, plain loops take their place: right to rounding, and :data:`SAME_AS_NUMPY` is False.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from numba import cfunc, njit, types

__all__ = ["SAME_AS_NUMPY", "dot", "matrix_dot", "matrix_vector"]

ROW_MAJOR, NO_TRANSPOSE = 101, 111  # as CBLAS numbers them

_integer, _number, _array = types.int64, types.float64, types.CPointer(types.float64)
SIGNATURES = {
    "ddot": _number(_integer, _array, _integer, _array, _integer),
    "dgemv": types.void(
        *(types.int32, types.int32, _integer, _integer),
        *(_number, _array, _integer, _array, _integer, _number, _array, _integer),
    ),
    "dgemm": types.void(
        *(types.int32, types.int32, types.int32, _integer, _integer, _integer),
        *(_number, _array, _integer, _array, _integer, _number, _array, _integer),
    ),
}


def _ddot_loop(n: Any, x: Any, x_stride: Any, y: Any, y_stride: Any) -> Any:
    total = 0.0
    for i in range(n):
        total += x[i] * y[i]
    return total


def _dgemv_loop(
    order: Any, t: Any, m: Any, n: Any, alpha: Any, a: Any, lda: Any, x: Any, x_stride: Any, *rest: Any
) -> None:
    out = rest[1]
    for i in range(m):
        out[i] = 0.0
        for j in range(n):
            out[i] += a[i * lda + j] * x[j]


def _dgemm_loop(
    order: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any, lda: Any, b: Any, ldb: Any, *rest: Any
) -> None:
    out = rest[1]
    for i in range(m):
        for j in range(n):
            out[i * n + j] = 0.0
        for l in range(k):
            for j in range(n):
                out[i * n + j] += a[i * lda + l] * b[l * ldb + j]


LOOPS: dict[str, Callable[..., Any]] = {"ddot": _ddot_loop, "dgemv": _dgemv_loop, "dgemm": _dgemm_loop}


def _numpy_s_own(name: str) -> int | None:
    """The address of ``cblas_<name>`` with 64-bit integers in the library that NumPy is linked to."""
    try:
        core = importlib.import_module("numpy._core._multiarray_umath")
        library = ctypes.CDLL(core.__file__)
        return ctypes.cast(getattr(library, f"scipy_cblas_{name}64_"), ctypes.c_void_p).value
    except (ImportError, OSError, AttributeError):
        return None


_keep_alive = []
SAME_AS_NUMPY = True
for _name, _signature in SIGNATURES.items():
    _address = _numpy_s_own(_name)
    if _address is None:
        SAME_AS_NUMPY = False
        _keep_alive.append(cfunc(_signature)(LOOPS[_name]))
        _address = _keep_alive[-1].address
    llvmlite.binding.add_symbol(f"minimal_{_name}", _address)

_ddot: Any = types.ExternalFunction("minimal_ddot", SIGNATURES["ddot"])
_dgemv: Any = types.ExternalFunction("minimal_dgemv", SIGNATURES["dgemv"])
_dgemm: Any = types.ExternalFunction("minimal_dgemm", SIGNATURES["dgemm"])


@njit(nogil=True)
def dot(x, y):
    """x'y for contiguous vectors; twin of ``np.dot``."""
    return 0.0 + _ddot(x.size, x.ctypes, 1, y.ctypes, 1)


@njit(nogil=True)
def matrix_vector(A, x, out):
    """out = A x for a C-contiguous A of shape (m, n); twin of ``np.dot``."""
    m, n = A.shape
    _dgemv(np.int32(ROW_MAJOR), np.int32(NO_TRANSPOSE), m, n, 1.0, A.ctypes, n, x.ctypes, 1, 0.0, out.ctypes, 1)


@njit(nogil=True)
def matrix_dot(A, B, out):
    """out = A B for C-contiguous matrices; twin of ``np.dot``."""
    m, k = A.shape
    n = B.shape[1]
    order, plain = np.int32(ROW_MAJOR), np.int32(NO_TRANSPOSE)
    _dgemm(order, plain, plain, m, n, k, 1.0, A.ctypes, k, B.ctypes, n, 0.0, out.ctypes, n)
