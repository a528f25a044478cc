"""Where functions have corners, limits and ties: zeros, infinities, NaN, equal numbers, and arguments near the edge.

Random numbers never land there, so the places are written out.  Values are compared entry by entry here, which also shows a
small result among large ones.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from .elementwise_cases import ACTIVATIONS, ALONE, COMPARISONS, TOGETHER
from .operations import THEIRS, Side, flat, is_tensor, named, plain

COMPONENT = "operations"
INF, NAN = float("inf"), float("nan")

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-300, -1e-300, 5e-324, 1e300, -1e300, INF, -INF, NAN]
SMALL = [s * 10.0**-k for k in range(1, 19, 2) for s in (1, -1)]
LARGE = [s * x for x in (3.0, 5.5, 15.0, 19.0, 21.0, 36.0, 88.0, 100.0, 700.0, 1e4) for s in (1, -1)]
EDGES = SPECIAL + SMALL + LARGE


def plainly_called(cases, n):
    """The names of operations on n tensors of numbers that need no options."""
    plain_cases = [case for case in cases if not case.option and len(case.inputs[0]) == n]
    return list(dict.fromkeys(case.operation for case in plain_cases if case.operation != "masked_fill"))


UNARY = plainly_called(ALONE + ACTIVATIONS + COMPARISONS, 1)
SLOPED = plainly_called([case for case in ALONE + ACTIVATIONS if case.differentiable], 1)
BINARY = plainly_called(TOGETHER + COMPARISONS, 2)

ULPS = 8  # another exp or log
FURTHER = {"F.gelu": 1 << 10}  # 1 + erf(x) cancels where x is far below zero
GRADIENT_ULPS = {
    "tanh": 1 << 16,  # 1 - tanh(x)^2 cancels where tanh is nearly one
    "F.tanh": 1 << 16,
    "F.hardsigmoid": 1 << 28,  # the reference's sixth is a float32
}
# Of 0.0 and -0.0 the smaller is either, and so is no rest, and what is left of nothing.
EITHER_ZERO = {"minimum", "maximum", "fmin", "fmax", "remainder"}
EITHER_ZERO |= {"relu", "F.relu", "F.relu6", "F.softshrink", "F.gelu"}
BEYOND = 2.0**1000  # of a quotient: then the reference's remainder is NaN, while ours is the remainder


def same_entries(ours, theirs, what, *, ulps=ULPS):
    """Assert every entry within ``ulps`` units of the last digit, and the same NaN, infinities and signs of zero."""
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype} instead of {theirs.dtype}"
    assert ours.shape == theirs.shape
    if theirs.dtype.kind != "f":
        assert np.array_equal(ours, theirs), what
        return
    eps = np.finfo(theirs.dtype)
    with np.errstate(all="ignore"):
        near = np.abs(ours - theirs) <= ulps * np.maximum(np.abs(theirs) * eps.eps, eps.smallest_subnormal)
    same = near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    assert same.all(), f"{what}: {ours[~same][:4]} instead of {theirs[~same][:4]}"
    zeros = (theirs == 0) & (ours == 0)
    assert np.array_equal(np.signbit(ours[zeros]), np.signbit(theirs[zeros])), f"{what}: the sign of a zero"


def same_values(ours, theirs, name):
    """The same entries, as far as the name promises."""
    if name in EITHER_ZERO:
        ours, theirs = ours + ours.dtype.type(0), theirs + theirs.dtype.type(0)
    same_entries(ours, theirs, name, ulps=FURTHER.get(name, ULPS))


def run(side, call, arrays, *, backward=True):
    """Outputs and gradients of their sum."""
    tensors = [side.torch.from_numpy(array.copy()) for array in arrays]
    for tensor in tensors:
        if backward and tensor.dtype in (side.torch.float64, side.torch.float32):
            tensor.requires_grad_()
    outputs = [out for out in flat(call(side.torch, side.F, *tensors)) if is_tensor(out)]
    values = [plain(out) for out in outputs]
    ends = [out for out in outputs if out.requires_grad]
    if not ends:
        return values, []
    wanted = [x for x in tensors if x.requires_grad]
    ones = [side.torch.ones_like(out) for out in ends]
    gradients = side.torch.autograd.grad(ends, wanted, ones, allow_unused=True)
    return values, [np.zeros(x.shape) if g is None else plain(g) for g, x in zip(gradients, wanted)]


def both(implementation, call, *arrays, backward=True):
    ours = Side.of(implementation("operations"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mine = run(ours, call, arrays, backward=backward)
    return mine, run(THEIRS, call, arrays, backward=backward)


# ---------------------------------------------------------------- the edges of every function


def edges(dtype):
    """The numbers that the dtype has."""
    largest = float(np.finfo(dtype).max)
    return np.array([x for x in EDGES if not np.isfinite(x) or abs(x) <= largest]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", UNARY)
def test_values_at_the_edges(name, dtype, implementation):
    (ours, _), (theirs, _) = both(implementation, named(name), edges(dtype), backward=False)
    same_values(ours[0], theirs[0], name)


@pytest.mark.parametrize("name", BINARY)
def test_values_of_two_at_the_edges(name, implementation):
    x, y = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    if name in ("remainder", "fmod"):
        with np.errstate(all="ignore"):
            x, y = (z[~(np.abs(x / y) > BEYOND) | np.isinf(x) | (y == 0)] for z in (x, y))
    (ours, _), (theirs, _) = both(implementation, named(name), x, y, backward=False)
    same_values(ours[0], theirs[0], name)


@pytest.mark.parametrize("name", ["remainder", "fmod"])
def test_the_remainder_of_a_quotient_that_overflows(name, implementation, parity):
    """Both sides of the difference, so that it is noticed if either changes."""
    (ours, _), (theirs, _) = both(implementation, named(name), np.array([1e300]), np.array([1e-300]), backward=False)
    assert np.isnan(theirs[0]).all() or theirs[0] == ours[0]
    assert ours[0] == np.fmod(1e300, 1e-300)
    parity.known(f"{name} where the quotient overflows", "NaN in the reference's vector code; here it is the remainder")


@pytest.mark.parametrize("name", SLOPED)
def test_gradients_at_the_edges(name, implementation):
    """Infinite where the slope is, zero beyond, and NaN where PyTorch has NaN: never a number where there is none."""
    x = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0, 6.0, 20.0, -20.0, 40.0, -40.0, 800.0, -800.0])
    (_, ours), (_, theirs) = both(implementation, named(name), x)
    same_entries(ours[0] + 0.0, theirs[0] + 0.0, name, ulps=GRADIENT_ULPS.get(name, ULPS))


# ---------------------------------------------------------------- ties and corners: who gets the gradient

TIES = np.array([[2.0, 2.0, 1.0, 2.0], [0.0, 0.0, 0.0, -0.0], [-1.0, 3.0, 3.0, -1.0]])
CORNERS = np.array([-1.0, -0.5, -0.0, 0.0, 0.5, 1.0, -3.0, 3.0, 6.0])

TIED = {
    "max, all": lambda torch, F, x: x.max(),
    "min, all": lambda torch, F, x: x.min(),
    "max along 1": lambda torch, F, x: x.max(1),
    "min along 1": lambda torch, F, x: x.min(1),
    "max along 0": lambda torch, F, x: x.max(0),
    "amax": lambda torch, F, x: torch.amax(x, 1),
    "amin": lambda torch, F, x: torch.amin(x, (0, 1)),
    "median": lambda torch, F, x: torch.median(x),
    "cummax": lambda torch, F, x: torch.cummax(x, 1),
    "cummin": lambda torch, F, x: torch.cummin(x, 1),
    "argmax": lambda torch, F, x: torch.argmax(x, 1),
    "argmin": lambda torch, F, x: torch.argmin(x, 1),
    "stable sort": lambda torch, F, x: torch.sort(x, dim=1, stable=True),
    "stable sort, descending": lambda torch, F, x: torch.sort(x, dim=1, stable=True, descending=True),
    "maximum": lambda torch, F, x: torch.maximum(x, x.flip(0)),
    "minimum": lambda torch, F, x: torch.minimum(x, x.flip(0)),
    "fmax": lambda torch, F, x: torch.fmax(x, x.flip(1)),
    "fmin": lambda torch, F, x: torch.fmin(x, x.flip(1)),
    "clamp at its bounds": lambda torch, F, x: torch.clamp(x, 0.0, 2.0),
    "clamp by tensors": lambda torch, F, x: torch.clamp(x, torch.zeros_like(x), x.flip(1)),
    "norm of zeros": lambda torch, F, x: torch.norm(x * 0, dim=1),
    "norm inf": lambda torch, F, x: torch.norm(x, p=float("inf"), dim=1),
    "norm 1": lambda torch, F, x: torch.norm(x, p=1, dim=1),
    "max_pool2d": lambda torch, F, x: F.max_pool2d(x[None], 2, stride=1),
    "max_pool2d, padded": lambda torch, F, x: F.max_pool2d(x[None], 2, stride=1, padding=1),
    "max_pool1d": lambda torch, F, x: F.max_pool1d(x, 3, stride=1),
    "l1_loss": lambda torch, F, x: F.l1_loss(x, x.detach().flip(0)),
    "smooth_l1_loss": lambda torch, F, x: F.smooth_l1_loss(x, x.detach().flip(1), beta=1.0),
    "huber_loss": lambda torch, F, x: F.huber_loss(x, x.detach().flip(1)),
    "prod": lambda torch, F, x: x.prod(1),
    "cumprod": lambda torch, F, x: x.cumprod(1),
    "var of one": lambda torch, F, x: x.std(1),
    "x ** 0": lambda torch, F, x: x**0,
    "x ** 1": lambda torch, F, x: x**1,
    "x ** 2": lambda torch, F, x: x**2,
    "0 ** x": lambda torch, F, x: torch.pow(torch.zeros_like(x), x.abs()),
    "x ** y": lambda torch, F, x: torch.pow(x.abs(), x.detach()),
    "where": lambda torch, F, x: torch.where(x > 1, x.sqrt(), x),
    "atan2": lambda torch, F, x: torch.atan2(x + 1, x.flip(1) + 1),
    "xlogy": lambda torch, F, x: torch.xlogy(x, x.detach().abs()),
    "logsumexp": lambda torch, F, x: torch.logsumexp(x * 1000, 1),
    "log_softmax": lambda torch, F, x: torch.log_softmax(x * 1000, 1),
    "softmax": lambda torch, F, x: torch.softmax(x * 1000, 1),
}


@pytest.mark.parametrize("name", TIED)
def test_ties(name, engine, implementation):
    (values, gradients), (their_values, their_gradients) = both(implementation, TIED[name], TIES)
    assert len(values) == len(their_values)
    for ours, theirs in zip(values, their_values):
        same_entries(ours + ours.dtype.type(0), theirs + theirs.dtype.type(0), name)
    for ours, theirs in zip(gradients, their_gradients):
        same_entries(ours + 0.0, theirs + 0.0, f"gradient of {name}")


BEND = [
    "abs",
    "sign",
    "F.relu",
    "F.relu6",
    "F.leaky_relu",
    "F.elu",
    "F.selu",
    "F.hardtanh",
    "F.hardsigmoid",
    "F.hardswish",
]


@pytest.mark.parametrize(
    "name", [*BEND, "F.softsign", "F.softshrink", "F.hardshrink", "floor", "ceil", "round", "trunc", "frac"]
)
def test_corners(name, implementation):
    (values, gradients), (their_values, their_gradients) = both(implementation, named(name), CORNERS)
    same_values(values[0], their_values[0], name)
    ulps = GRADIENT_ULPS.get(name, 64)
    same_entries(gradients[0] + 0.0, their_gradients[0] + 0.0, f"gradient of {name}", ulps=ulps)


# ---------------------------------------------------------------- infinities and NaN through what adds and compares

HOLES = np.array([[1.0, NAN, 3.0, -INF], [INF, 2.0, -1.0, 0.5], [-INF, -INF, -INF, -INF], [INF, -INF, 1.0, 2.0]])
WITH_HOLES = {
    "sum": lambda torch, F, x: x.sum(1),
    "nansum": lambda torch, F, x: torch.nansum(x, 1),
    "mean": lambda torch, F, x: x.mean(1),
    "prod": lambda torch, F, x: x.prod(1),
    "max": lambda torch, F, x: x.max(1),
    "min": lambda torch, F, x: x.min(1),
    "amax": lambda torch, F, x: x.amax(1),
    "argmax": lambda torch, F, x: x.argmax(1),
    "argmin": lambda torch, F, x: x.argmin(1),
    "median": lambda torch, F, x: x.median(1),
    "cumsum": lambda torch, F, x: x.cumsum(1),
    "cummax": lambda torch, F, x: torch.cummax(x, 1),
    "sort": lambda torch, F, x: torch.sort(x, dim=1, stable=True),
    "sort, descending": lambda torch, F, x: torch.sort(x, dim=1, stable=True, descending=True),
    "topk": lambda torch, F, x: torch.topk(x[:2], 2).values,
    "logsumexp": lambda torch, F, x: torch.logsumexp(x, 1),
    "softmax": lambda torch, F, x: torch.softmax(x, 1),
    "log_softmax": lambda torch, F, x: torch.log_softmax(x, 1),
    "norm": lambda torch, F, x: torch.norm(x, dim=1),
    "std": lambda torch, F, x: torch.std(x, 1),
    "max_pool2d": lambda torch, F, x: F.max_pool2d(x[None], 2, stride=1),
    "avg_pool2d": lambda torch, F, x: F.avg_pool2d(x[None], 2, stride=1),
    "relu": lambda torch, F, x: F.relu(x),
    "clamp": lambda torch, F, x: torch.clamp(x, -1.0, 1.0),
    "any": lambda torch, F, x: torch.any(x, 1),
    "all": lambda torch, F, x: torch.all(x, 1),
    "bool": lambda torch, F, x: x.bool(),
}


@pytest.mark.parametrize("name", WITH_HOLES)
def test_infinities_and_nan(name, engine, implementation):
    (ours, _), (theirs, _) = both(implementation, WITH_HOLES[name], HOLES, backward=False)
    assert len(ours) == len(theirs)
    for mine, yours in zip(ours, theirs):
        same_entries(mine, yours, name)
