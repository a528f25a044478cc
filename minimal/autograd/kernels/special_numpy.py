"""The error function by Python's own ``math.erf``, one number after another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_erf = np.frompyfunc(math.erf, 1, 1)
_erfc = np.frompyfunc(math.erfc, 1, 1)


def erf(x: NDArray[Any]) -> NDArray[Any]:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, for each element.  Twin: ``special_numba.erf``."""
    return np.asarray(_erf(x)).astype(x.dtype)


def erfc(x: NDArray[Any]) -> NDArray[Any]:
    """1 - erf(x), exact where erf(x) is almost 1.  Twin: ``special_numba.erfc``."""
    return np.asarray(_erfc(x)).astype(x.dtype)
