"""Gradients kept from exploding, and parameters as one vector.

After ``loss.backward()`` and before ``optimizer.step()``, ``clip_grad_norm_(model.parameters(), 1.0)`` shortens the vector
of all gradients to length 1 if it is longer.
"""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from minimal.autograd.functions.joining import cat
from minimal.autograd.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]

Tensors: TypeAlias = Tensor | Iterable[Tensor]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The p-norm of several tensors taken as one vector.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
    norm_type : float
        p; may be infinite.  Default: 2.
    error_if_nonfinite : bool
        Whether a norm that is infinite or NaN is an error.  Default: False.
    foreach : bool, optional
        Without meaning here.

    Returns
    -------
    Tensor of shape ()
        0 if there are no tensors.

    Raises
    ------
    RuntimeError
        If the norm is not finite and ``error_if_nonfinite``.

    Source: torch.nn.utils.get_total_norm, 2.13.0.

    Differs from the reference by roundings: the powers are summed in double precision.
    """
    arrays = [tensor.array for tensor in _listed(tensors)]
    if not arrays:
        return Tensor(np.zeros((), np.float32))
    p = float(norm_type)
    norms = np.array([_norm(array, p) for array in arrays])
    with np.errstate(all="ignore"):
        total = _norm(norms, p).astype(np.result_type(*arrays))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return Tensor(np.asarray(total))


def _norm(x: np.ndarray, p: float) -> np.float64:
    """(sum of |x|^p)^(1/p), its limit for an infinite p, and the count of what is not zero for p = 0."""
    x = x.ravel().astype(np.float64)
    if p == 2:
        return np.sqrt(np.dot(x, x))
    if p == 0:
        return np.float64(np.count_nonzero(x))
    size = np.abs(x)
    if math.isinf(p):
        return (np.max if p > 0 else np.min)(size, initial=0.0 if p > 0 else np.inf)
    with np.errstate(all="ignore"):
        return (size**p).sum() ** (1 / p)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply every gradient by min(max_norm / (total_norm + 1e-6), 1), in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Their ``grad`` is changed.
    max_norm : float
    total_norm : Tensor of shape ()
    foreach : bool, optional
        Without meaning here.

    Source: torch.nn.utils.clip_grads_with_norm_, 2.13.0.
    """
    norm = total_norm.array
    with np.errstate(all="ignore"):
        factor = np.minimum(norm.dtype.type(max_norm) / (norm + norm.dtype.type(1e-6)), norm.dtype.type(1))
        for gradient in _gradients(_listed(parameters)):
            gradient.array *= gradient.dtype.type(factor)
            gradient._bump_version()


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Shorten the gradients, taken as one vector, to a norm of ``max_norm`` if they are longer, in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those whose ``grad`` is None do not count.
    max_norm : float
    norm_type : float
        p of the norm; may be infinite.  Default: 2.
    error_if_nonfinite : bool
        Whether a norm that is infinite or NaN is an error.  Default: False.
    foreach : bool, optional
        Without meaning here.

    Returns
    -------
    Tensor of shape ()
        The norm as it was before.

    Raises
    ------
    RuntimeError
        If the norm is not finite and ``error_if_nonfinite``; then nothing was changed.

    Source: torch.nn.utils.clip_grad_norm_, 2.13.0; Pascanu, Mikolov & Bengio, 2013.
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, types.GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total_norm = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total_norm)
    return total_norm


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Move every element of the gradients into [-clip_value, clip_value], in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
    clip_value : float
    foreach : bool, optional
        Without meaning here.

    Source: torch.nn.utils.clip_grad_value_, 2.13.0.
    """
    limit = float(clip_value)
    for gradient in _gradients(_listed(parameters)):
        np.clip(gradient.array, -limit, limit, out=gradient.array)
        gradient._bump_version()


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, one after the other, as one vector.

    Source: torch.nn.utils.parameters_to_vector, 2.13.0.
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cut a vector into pieces and make them the values of the parameters, whose memory it then is.

    Raises
    ------
    TypeError
        If ``vec`` is no Tensor.
    RuntimeError
        If it has fewer elements than the parameters.

    Source: torch.nn.utils.vector_to_parameters, 2.13.0.

    Differs from the reference when the vector is too short: no parameter is changed.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    listed = list(parameters)
    sizes = [parameter.array.size for parameter in listed]
    if sum(sizes) > vec.array.size:
        raise RuntimeError(f"the vector has {vec.array.size} elements, the parameters have {sum(sizes)}")
    start = 0
    for parameter, size in zip(listed, sizes):
        parameter.data = Tensor(vec.array[start : start + size].reshape(parameter.shape))
        start += size


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Sequence[Tensor]) -> list[Any]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
