"""The error function, compiled: twin of ``special_numpy``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import vectorize
from numpy.typing import NDArray

_erf = vectorize(["float32(float32)", "float64(float64)"], cache=True)(lambda x: math.erf(x))
_erfc = vectorize(["float32(float32)", "float64(float64)"], cache=True)(lambda x: math.erfc(x))


def erf(x: NDArray[Any]) -> NDArray[Any]:
    """Twin of ``special_numpy.erf``."""
    return np.asarray(_erf(x)).astype(x.dtype, copy=False)


def erfc(x: NDArray[Any]) -> NDArray[Any]:
    """Twin of ``special_numpy.erfc``."""
    return np.asarray(_erfc(x)).astype(x.dtype, copy=False)
