"""The table of elementwise operations: each line says the name, where its arguments lie, and what is claimed of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .operations import (
    Case,
    Input,
    Kind,
    above_one,
    described,
    inside,
    mask,
    named,
    not_whole,
    not_zero,
    positive,
    real,
    unit,
)

# Shapes that meet each other: alone, with the same shape, with every kind of broadcasting, with nothing in them.
ONE = [(3, 4), (), (5,), (2, 3, 4), (2, 0, 3), (2, 3, 2, 2)]
TWO = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((2, 1, 4), (3, 1)),
    ((), (3,)),
    ((2, 3), ()),
    ((), ()),
    ((0,), (1,)),
    ((2, 3, 2, 2), (3, 1, 1)),
]
THREE = [((3, 4), (3, 4), (3, 4)), ((3, 4), (4,), (3, 1)), ((2, 1, 2), (3, 1), ()), ((), (3,), (2, 1)), ((), (), ())]


def one(name: str, kind: Kind = real, *, call: Any = None, option: str = "", **claims: Any) -> Case:
    """An operation on one tensor."""
    inputs: list[tuple[Input, ...]] = [(kind(*shape),) for shape in ONE]
    return Case(name, call or named(name), inputs, option, **claims)


def two(name: str, left: Kind = real, right: Kind = real, *, call: Any = None, option: str = "", **claims: Any) -> Case:
    """An operation on two tensors that broadcast."""
    inputs: list[tuple[Input, ...]] = [(left(*a), right(*b)) for a, b in TWO]
    return Case(name, call or named(name), inputs, option, **claims)


def three(name: str, kinds: tuple[Kind, ...], *, call: Any = None, option: str = "", **claims: Any) -> Case:
    """An operation on three tensors that broadcast."""
    inputs = [tuple(kind(*shape) for kind, shape in zip(kinds, shapes)) for shapes in THREE]
    return Case(name, call or named(name), inputs, option, **claims)


def with_options(make: Any, name: str, *kinds: Any, **keywords: Any) -> Case:
    """The operation with keywords of its own, which also name the case."""
    return make(name, *kinds, call=named(name, **keywords), option=described(keywords))


# What IEEE arithmetic fixes to the last bit, in and out.
SAME_BITS = {"values": "identical", "gradients": "identical"}
SAME_VALUES = {"values": "identical"}
FLAT = {"values": "identical", "gradients": "identical"}  # steps: the gradient is zero everywhere

ALONE = [
    one("neg", **SAME_BITS),
    one("abs", not_zero, **SAME_BITS),
    one("sign", **FLAT),
    one("exp"),
    one("exp2"),
    one("expm1"),
    one("log", positive),
    one("log2", positive),
    one("log10", positive),
    one("log1p", positive),
    one("sqrt", positive),
    one("rsqrt", positive),
    one("square", **SAME_BITS),
    one("reciprocal", not_zero, **SAME_VALUES),
    one("sin"),
    one("cos"),
    one("tan", inside),
    one("asin", inside),
    one("acos", inside),
    one("atan"),
    one("sinh"),
    one("cosh"),
    one("tanh"),
    one("asinh"),
    one("acosh", above_one),
    one("atanh", inside),
    one("erf"),
    one("erfc"),
    one("sigmoid"),
    one("logit", unit),
    one("ceil", not_whole, **FLAT),
    one("floor", not_whole, **FLAT),
    one("round", not_whole, **FLAT),
    one("trunc", not_whole, **FLAT),
    one("frac", not_whole, **SAME_BITS),
    one("sinc", not_whole),
    one("deg2rad"),
    one("rad2deg"),
    one("nan_to_num", **SAME_BITS),
    with_options(one, "nan_to_num", nan=1.5, posinf=2.0, neginf=-2.0),
    with_options(one, "round", not_whole, decimals=2),
    with_options(one, "logit", unit, eps=0.2),
    with_options(one, "clamp", min=-0.5, max=0.5),
    with_options(one, "clamp", min=-0.5),
    with_options(one, "clamp", max=0.5),
    with_options(one, "clip", min=-0.5, max=1.0),
    one("pow", call=lambda torch, F, x: torch.pow(x, 2), option="2"),
    one("pow", call=lambda torch, F, x: torch.pow(x, 3), option="3"),
    one("pow", call=lambda torch, F, x: torch.pow(x, 0), option="0"),
    one("pow", positive, call=lambda torch, F, x: torch.pow(x, 0.5), option="0.5"),
    one("pow", positive, call=lambda torch, F, x: torch.pow(x, -1.7), option="-1.7"),
    one("pow", call=lambda torch, F, x: torch.pow(2.5, x), option="2.5 ** x"),
]

TOGETHER = [
    two("add", **SAME_VALUES),
    two("sub", **SAME_VALUES),
    two("mul", **SAME_VALUES),
    two("div", real, not_zero, **SAME_VALUES),
    with_options(two, "add", alpha=0.5),
    with_options(two, "sub", alpha=-2.5),
    with_options(two, "div", not_whole, not_zero, rounding_mode="floor"),
    with_options(two, "div", not_whole, not_zero, rounding_mode="trunc"),
    two("floor_divide", not_whole, not_zero, differentiable=False, **SAME_VALUES),
    two("remainder", real, not_zero),
    two("fmod", real, not_zero),
    two("pow", positive, real),
    two("atan2", not_zero, not_zero),
    two("minimum", **SAME_VALUES),
    two("maximum", **SAME_VALUES),
    two("fmin", **SAME_VALUES),
    two("fmax", **SAME_VALUES),
    two("hypot", not_zero, not_zero),
    two("logaddexp"),
    two("xlogy", real, positive),
    two("copysign", not_zero, not_zero, twice=False, **SAME_VALUES),  # twice, the reference has rounding in place of 0
    two("lerp", call=lambda torch, F, x, y: torch.lerp(x, y, 0.3), option="weight=0.3"),
    two("addcmul", call=lambda torch, F, x, y: torch.addcmul(x, y, y, value=0.5), option="value=0.5"),
    two("clamp", call=lambda torch, F, x, y: torch.clamp(x, min=y), option="min=tensor"),
    two("clamp", call=lambda torch, F, x, y: torch.clamp(x, max=y), option="max=tensor"),
    two("where", mask, real, call=lambda torch, F, m, x: torch.where(m, x, 0.0), option="scalar", **SAME_VALUES),
    two("masked_fill", real, mask, call=lambda torch, F, x, m: masked_fill(x, m), **SAME_VALUES),
    three("where", (mask, real, real), **SAME_VALUES),
    three("lerp", (real, real, unit)),
    three("addcmul", (real, real, real)),
    three("addcdiv", (real, real, not_zero)),
    three("addcdiv", (real, real, not_zero), call=named("addcdiv", value=-0.5), option="value=-0.5"),
    Case("clamp", named("clamp"), [(real(3, 4), inside(3, 4), above_one(3, 4)), (real(2, 3), inside(3), above_one(3))]),
]


def masked_fill(x: Any, m: Any) -> Any:
    """The mask may have fewer axes than the tensor, not more."""
    return x.expand(m.shape if x.dim() < m.dim() else x.shape).masked_fill(m, -2.0)


SIXTH = "the reference's gradient multiplies by a sixth that was rounded to float32"
# Operators, with a number on either side.
OPERATORS = [
    one("add", call=lambda torch, F, x: x + 2.5, option="x + 2.5", **SAME_BITS),
    one("add", call=lambda torch, F, x: 2 + x, option="2 + x", **SAME_BITS),
    one("sub", call=lambda torch, F, x: x - 0.3, option="x - 0.3", **SAME_BITS),
    one("sub", call=lambda torch, F, x: 2 - x, option="2 - x", **SAME_BITS),
    one("mul", call=lambda torch, F, x: x * 0.3, option="x * 0.3", **SAME_BITS),
    one("mul", call=lambda torch, F, x: -3 * x, option="-3 * x", **SAME_BITS),
    one("div", call=lambda torch, F, x: x / 0.3, option="x / 0.3"),
    one("div", not_zero, call=lambda torch, F, x: 2 / x, option="2 / x"),
    one("remainder", call=lambda torch, F, x: x % 0.7, option="x % 0.7"),
    one("floor_divide", call=lambda torch, F, x: x // 0.7, option="x // 0.7", differentiable=False),
    one("pow", call=lambda torch, F, x: x**2, option="x**2"),
    one("pow", call=lambda torch, F, x: 2**x, option="2**x"),
    one("neg", call=lambda torch, F, x: -x, option="-x", **SAME_BITS),
    one("abs", not_zero, call=lambda torch, F, x: abs(x), option="abs(x)", **SAME_BITS),
    two("add", call=lambda torch, F, x, y: x + y, option="x + y", **SAME_VALUES),
    two("sub", call=lambda torch, F, x, y: x - y, option="x - y", **SAME_VALUES),
    two("mul", call=lambda torch, F, x, y: x * y, option="x * y", **SAME_VALUES),
    two("div", real, not_zero, call=lambda torch, F, x, y: x / y, option="x / y", **SAME_VALUES),
    two("remainder", real, not_zero, call=lambda torch, F, x, y: x % y, option="x % y"),
    two("pow", positive, real, call=lambda torch, F, x, y: x**y, option="x**y"),
    two("add", call=lambda torch, F, x, y: x + x * y + x, option="one tensor thrice"),
]


def activation(name: str, kind: Kind = not_zero, *, twice: bool = True, **keywords: Any) -> Case:
    """One of ``nn.functional``, away from its corners."""
    return one(f"F.{name}", kind, call=named(f"F.{name}", **keywords), option=described(keywords), twice=twice)


ACTIVATIONS = [
    one("F.relu", not_zero, **SAME_BITS),
    one("relu", not_zero, **SAME_BITS),
    activation("leaky_relu"),
    activation("leaky_relu", negative_slope=0.2),
    activation("elu"),
    activation("elu", alpha=0.7),
    activation("selu"),
    activation("celu", alpha=2.0),
    replace(activation("gelu", real), loose=10.0, reason="1 + erf(x) cancels where x is far below zero"),
    replace(activation("gelu", real, approximate="tanh"), loose=10.0, reason="1 + tanh(x) cancels likewise"),
    activation("silu", real),
    activation("sigmoid", real),
    activation("tanh", real),
    activation("softplus", real),
    activation("softplus", real, beta=2.0, threshold=1.0),
    activation("hardtanh", real),
    activation("hardtanh", real, min_val=-0.5, max_val=2.0),
    activation("relu6", not_zero),
    activation("softsign"),
    activation("logsigmoid", real),
    activation("mish", real),
    replace(activation("hardsigmoid", real, twice=False), loose=1e6, reason=SIXTH),
    activation("hardswish", real),
    activation("tanhshrink", real),
    activation("softshrink", not_zero, lambd=0.2),
    activation("hardshrink", not_zero, lambd=0.2),
    activation("threshold", not_zero, threshold=0.1, value=20.0),
    one("F.prelu", not_zero, call=lambda torch, F, x: F.prelu(x, torch.full((1,), 0.2).to(x.dtype)), option="constant"),
    Case("F.prelu", named("F.prelu"), [(not_zero(2, 3, 4), positive(3)), (not_zero(5), positive(1))]),
]

# What has no gradient: numbers in, truth values out.
COMPARISONS = (
    [
        two(name, whole, whole, differentiable=False, **SAME_VALUES)
        for whole in (not_whole, mask)
        for name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor")
    ]
    + [one(name, differentiable=False, **SAME_VALUES) for name in ("isnan", "isinf", "isfinite", "logical_not")]
    + [
        two("isclose", differentiable=False, **SAME_VALUES),
        two("eq", call=lambda torch, F, x, y: x == y, option="==", differentiable=False, **SAME_VALUES),
        two("ne", call=lambda torch, F, x, y: x != y, option="!=", differentiable=False, **SAME_VALUES),
        two("lt", call=lambda torch, F, x, y: x < y, option="<", differentiable=False, **SAME_VALUES),
        two("ge", call=lambda torch, F, x, y: x >= y, option=">=", differentiable=False, **SAME_VALUES),
        two("gt", call=lambda torch, F, x, y: x > 0.5, option="> 0.5", differentiable=False, **SAME_VALUES),
        two("le", call=lambda torch, F, x, y: x <= 1, option="<= 1", differentiable=False, **SAME_VALUES),
    ]
)

ELEMENTWISE = ALONE + TOGETHER + OPERATORS + ACTIVATIONS + COMPARISONS
