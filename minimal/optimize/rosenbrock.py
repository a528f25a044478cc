"""Rosenbrock's banana valley: the landscape on which optimizers have been compared since 1960."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["rosen", "rosen_der"]


def rosen(x: npt.ArrayLike) -> np.floating:
    """sum(100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2), which is 0 at (1, ..., 1).

    Parameters
    ----------
    x : array-like of shape (n,) or (n, ...)
        Further axes are further points.

    Returns
    -------
    float, or ndarray of the shape of the further axes
        Same bits as ``scipy.optimize.rosen`` 1.17.1.
    """
    x = _floating(x)
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0, axis=0, dtype=x.dtype)


def rosen_der(x: npt.ArrayLike) -> np.ndarray:
    """The gradient of :func:`rosen`.

    Parameters
    ----------
    x : array-like of shape (n,), n >= 2

    Returns
    -------
    ndarray of shape (n,)
        Same bits as ``scipy.optimize.rosen_der`` 1.17.1.
    """
    x = _floating(x)
    middle, left, right = x[1:-1], x[:-2], x[2:]
    gradient = np.zeros_like(x)
    gradient[1:-1] = 200 * (middle - left**2) - 400 * (right - middle**2) * middle - 2 * (1 - middle)
    gradient[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    gradient[-1] = 200 * (x[-1] - x[-2] ** 2)
    return gradient


def _floating(x: npt.ArrayLike) -> np.ndarray:
    array = np.asarray(x)
    return array if array.dtype.kind in "fc" else array.astype(np.float64)
