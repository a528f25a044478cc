"""First values for weights: the classic rules, and PyTorch's numbers from PyTorch's seed.

A rule for layers asks how many inputs a unit has (*fan in*), or how many units an input reaches (*fan out*), and picks the
spread that keeps signals, or gradients, about as large behind the layer as before it.  Every function changes its tensor in
place, unrecorded, and returns it.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.modes import no_grad
from minimal.autograd.tensor import Tensor
from minimal.generator import Generator, default_generator, random_normal, random_uniform

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights must be larger to make up for what an activation takes away.

    ==================================  =================================
    linear, conv1d, ..., sigmoid        1
    tanh                                5 / 3
    relu                                sqrt(2)
    leaky_relu                          sqrt(2 / (1 + negative_slope^2))
    selu                                3 / 4
    ==================================  =================================

    Parameters
    ----------
    nonlinearity : str
        The name in ``nn.functional``.
    param : float, optional
        For leaky_relu: its slope.  Default: 0.01.

    Raises
    ------
    ValueError
        For another name, or a slope that is no number.

    Source: torch.nn.init.calculate_gain, 2.13.0.
    """
    linear = [kind + f"{n}d" for kind in ("conv", "conv_transpose") for n in (1, 2, 3)]
    if nonlinearity in ("linear", "sigmoid", *linear):
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Fan in and fan out of a weight: its axes are (out, in, places...); ValueError below two axes."""
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


# ---------------------------------------------------------------- without regard to the layer


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(a, b).

    Source: torch.nn.init.uniform_, 2.13.0.
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(mean, std^2).

    Source: torch.nn.init.normal_, 2.13.0.
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere: a Linear layer hands on its inputs.

    Raises
    ------
    ValueError
        If the tensor does not have two dimensions.

    Source: torch.nn.init.eye_, 2.13.0.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    return _fill(tensor, np.eye(rows, columns))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Kernels that hand on their inputs: channel i of each group to channel i, by a one in the middle.

    Raises
    ------
    ValueError
        If the tensor has not 3, 4 or 5 dimensions, or its first size is no multiple of ``groups``.

    Source: torch.nn.init.dirac_, 2.13.0.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = tensor.shape[0] // groups
    values = np.zeros(tensor.shape)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + i, i, *middle)] = 1
    return _fill(tensor, values)


# ---------------------------------------------------------------- by fan in and fan out


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)).

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Source: torch.nn.init.xavier_uniform_, 2.13.0; Glorot & Bengio, 2010.
    """
    a = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, std^2) with std = gain sqrt(2 / (fan_in + fan_out)).

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Source: torch.nn.init.xavier_normal_, 2.13.0; Glorot & Bengio, 2010.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-b, b) with b = gain sqrt(3 / fan).

    Parameters
    ----------
    tensor : Tensor
        Axes (out, in, places...).
    a : float
        Slope of the leaky_relu behind the layer.  Default: 0.
    mode : {"fan_in", "fan_out"}
        What shall keep its size: signals or gradients.
    nonlinearity : str
        As for :func:`calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ValueError
        For another mode or nonlinearity, or fewer than two dimensions.

    Source: torch.nn.init.kaiming_uniform_, 2.13.0; He et al., 2015.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, std^2) with std = gain / sqrt(fan); parameters and errors of :func:`kaiming_uniform_`.

    Source: torch.nn.init.kaiming_normal_, 2.13.0; He et al., 2015.
    """
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


# ---------------------------------------------------------------- truncated, orthogonal


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """N(mean, std^2), given that it lies in [a, b].

    Where that is likely, numbers outside are drawn again until all are inside.  Where it is not, numbers from U(a, b) are
    kept with a probability in proportion to the normal density.

    Source: torch.nn.init.trunc_normal_, 2.13.0.

    Differs from the reference, in the second case, where log rounds differently at a number that is just or just not kept.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=2,
        )
    likely = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    draw = _draw_until_inside if likely > 0.3 else _draw_by_rejection
    return _fill(tensor, draw(tensor, mean, std, a, b, default_generator if generator is None else generator))


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _draw_until_inside(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator
) -> NDArray[Any]:
    low, high = np.array([a, b], tensor.dtype)
    x = random_normal(generator, tensor.shape, tensor.dtype, mean, std)
    while np.any(outside := (x < low) | (x > high)):
        x = np.where(outside, random_normal(generator, tensor.shape, tensor.dtype, mean, std), x)
    return x


def _draw_by_rejection(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator
) -> NDArray[Any]:
    shape, dtype = tensor.shape, tensor.dtype
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2  # log of the density at its highest point in [a, b]
    x = np.zeros(shape, dtype)
    pending = np.ones(shape, np.bool_)
    while pending.any():
        candidates = random_uniform(generator, shape, dtype, a, b)
        log_density = ((candidates - mean) / std) ** 2 * -0.5 - peak
        with np.errstate(divide="ignore"):  # a draw of 0 is below any density
            rejected = np.log(random_uniform(generator, shape, dtype)) > log_density
        x = np.where(pending, candidates, x)
        pending &= rejected
    return x


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix with orthogonal rows or columns of length ``gain``, uniform among all such matrices.

    It is the Q of a QR decomposition of normal numbers, with the signs that make the diagonal of R positive; axes behind the
    first are taken as one.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Source: torch.nn.init.orthogonal_, 2.13.0; Saxe, McClelland & Ganguli, 2013.  Differs from the reference by roundings.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if 0 in tensor.shape:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    x = random_normal(default_generator if generator is None else generator, (rows, columns), tensor.dtype)
    q, r = np.linalg.qr(x.T if rows < columns else x)
    q *= np.sign(np.diag(r))
    return _fill(tensor, (q.T if rows < columns else q).reshape(tensor.shape) * tensor.dtype.type(gain))


def _fill(tensor: Tensor, values: NDArray[Any]) -> Tensor:
    tensor.array[...] = values
    tensor._bump_version()
    return tensor
