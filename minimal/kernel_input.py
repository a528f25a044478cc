"""One compiled kernel for writeable and for read-only data.

Numba compiles a kernel once for each combination of argument types, and to Numba a read-only array is a type of its own.
So the first fit on a memory-mapped file, on a data frame's values or in a worker process of a parallel search would compile
every kernel a second time: seconds, for the same machine code.  The kernels of this package never write to their inputs;
:func:`as_kernel_input` shows them the same memory under the usual type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class _Memory:
    """An array's memory, described by NumPy's array interface as open for writing.  Whoever looks at it keeps it alive."""

    def __init__(self, array: NDArray[Any]) -> None:
        interface = array.__array_interface__
        address, _ = interface["data"]
        self.array = array
        self.__array_interface__ = interface | {"data": (address, False)}  # (address, is it read-only?)


def as_kernel_input(X: NDArray[Any]) -> NDArray[Any]:
    """``X`` for a compiled kernel that only reads it: the same memory, with a type that says writeable.

    Parameters
    ----------
    X : ndarray of any shape and dtype
        Stays as it is, read-only where it was.

    Returns
    -------
    ndarray
        ``X`` itself if it is writeable, else another view of its memory.  Hand it to the kernel at once and let it go:
        nobody may write to it.

    Notes
    -----
    Cost: nothing is copied or read.
    """
    return X if X.flags.writeable else np.asarray(_Memory(X))
