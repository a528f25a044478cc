"""Batch and layer normalization: numbers get mean zero and variance one, then a scale and a shift of their own.

Let z = (x - mean) / sqrt(var + eps), where mean and var are those of the n numbers that are normalized together, and
out = w z + b.  A number moves its output directly, and all others through mean and var; the sum of the three is

    dz = w g,    dx = (dz - mean(dz) - z mean(dz z)) / sqrt(var + eps)

so the gradient has no part left that would only move the mean or the variance.  In batch normalization the numbers of a
channel belong together, in layer normalization those of a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Normalize each channel over samples and pixels.

    Parameters
    ----------
    x : ndarray of shape (N, C, ...), any memory order
    weight, bias : ndarray of shape (C,) or None
        w and b; None: 1 and 0.
    eps : float

    Returns
    -------
    out : ndarray like ``x``
    mean, var : ndarray of shape (C,)
        var divides by n, not by n - 1.

    Source: ``torch.nn.functional.batch_norm(training=True)``, 2.13.0; Ioffe & Szegedy, 2015.
    """
    axes = _axes(x)
    mean = x.mean(axis=axes)
    off = x - _beside(mean, x)
    var = (off * off).mean(axis=axes)
    off *= _beside(_inverse(var, eps) * (1 if weight is None else weight), x)
    if bias is not None:
        off += _beside(bias, x)
    return off, mean, var


def batch_norm_backward(
    g: Array, x: Array, mean: Array, var: Array, weight: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Gradients of x, weight and bias, from mean and var as ``batch_norm`` gave them."""
    axes, inverse = _axes(x), _inverse(var, eps)
    z = (x - _beside(mean, x)) * _beside(inverse, x)
    dweight, dbias = (g * z).sum(axis=axes), g.sum(axis=axes)
    n = x.size // x.shape[1]
    dx = (g - _beside(dbias / n, x) - z * _beside(dweight / n, x)) * _beside(_scaled(inverse, weight), x)
    return dx, dweight, dbias


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Normalize each row.

    Parameters
    ----------
    x : ndarray of shape (M, D)
    weight, bias : ndarray of shape (D,) or None
        w and b; None: 1 and 0.
    eps : float

    Returns
    -------
    out : ndarray of shape (M, D)
    mean, inverse : ndarray of shape (M,)
        inverse is 1 / sqrt(var + eps).

    Source: ``torch.nn.functional.layer_norm``, 2.13.0; Ba, Kiros & Hinton, 2016.
    """
    mean = x.mean(axis=1)
    out = x - mean[:, np.newaxis]
    inverse = _inverse((out * out).mean(axis=1), eps)
    out *= inverse[:, np.newaxis]
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out, mean, inverse


def layer_norm_backward(
    g: Array, x: Array, mean: Array, inverse: Array, weight: Array | None
) -> tuple[Array, Array, Array]:
    """Gradients of x, weight and bias, from mean and inverse as ``layer_norm`` gave them."""
    z = (x - mean[:, np.newaxis]) * inverse[:, np.newaxis]
    dz = g if weight is None else g * weight
    dx = dz - dz.mean(axis=1, keepdims=True) - z * (dz * z).mean(axis=1, keepdims=True)
    dx *= inverse[:, np.newaxis]
    return dx, (g * z).sum(axis=0), g.sum(axis=0)


def _axes(x: Array) -> tuple[int, ...]:
    """All but that of the channels."""
    return (0, *range(2, x.ndim))


def _beside(a: Array, x: Array) -> Array:
    """A number for each channel, in a shape that meets x."""
    return a.reshape(-1, *[1] * (x.ndim - 2))


def _inverse(var: Array, eps: float) -> Array:
    return 1 / np.sqrt(var + var.dtype.type(eps))


def _scaled(inverse: Array, weight: Array | None) -> Array:
    return inverse if weight is None else inverse * weight
