"""The table of reductions, running sums, sorting and everything else that looks along an axis."""

from __future__ import annotations

from typing import Any

from .operations import Case, Input, Kind, apart, described, named, not_zero, real

# Whole, along one axis, from the end, along several, keeping the axis.
ALONG = [{}, {"dim": 0}, {"dim": -1}, {"dim": 1, "keepdim": True}, {"dim": (0, 2)}, {"dim": (-1, 0), "keepdim": True}]
SPREAD = [{"correction": 0}, {"dim": 1, "correction": 2}, {"unbiased": False}]
ONE_AXIS = [{"dim": 0}, {"dim": -1}, {"dim": 1, "keepdim": True}]

Inputs = list[tuple[Input, ...]]


def shapes(kind: Kind, keywords: dict[str, Any], *, short: bool = True) -> Inputs:
    """Shapes on which these options mean something; without ``short``, more than two numbers along every axis."""
    three = [(kind(2, 3, 4),), (kind(3, 1, 2),)] if short else [(kind(3, 4, 3),)]
    if not keywords:
        return [*three, (kind(5),), (kind(2, 3, 2, 2),)] + ([(kind(),)] if short else [])
    if isinstance(keywords.get("dim"), tuple):
        return three
    return [*three, (kind(4, 3),)]


def reduction(
    name: str, kind: Kind = real, along: Any = ALONG, more: Any = (), *, short: bool = True, **claims: Any
) -> list[Case]:
    """One reduction along every choice of axes, and with its further options."""
    options = [*along, *more]
    return [Case(name, named(name, **o), shapes(kind, o, short=short), described(o), **claims) for o in options]


EMPTY: Inputs = [(real(0),), (real(2, 0, 3),), (real(0, 3),)]
NO_NUMBERS = [
    Case("sum", named("sum"), EMPTY, "of nothing"),
    Case("sum", named("sum", dim=0), EMPTY, "of nothing, dim=0"),
    Case("prod", named("prod"), EMPTY, "of nothing"),
    Case("mean", named("mean", dim=-1), [(real(3, 0, 2),)], "no rows"),
    Case("cumsum", named("cumsum", dim=0), EMPTY, "of nothing"),
    Case("amax", named("amax", dim=-1), [(real(0, 3),)], "no rows"),
    Case("sort", named("sort"), EMPTY, "of nothing"),
    Case("softmax", named("softmax", dim=-1), EMPTY, "of nothing"),
    Case("logsumexp", named("logsumexp", dim=-1), [(real(0, 3),), (real(2, 0),)], "of nothing", twice=False),
]

IDENTICAL = {"values": "identical", "gradients": "identical", "stretched": False}
POSITIONS = {"values": "identical", "differentiable": False, "stretched": False}
CANCELS: dict[str, Any] = {"loose": 4.0, "reason": "a sum that cancels in part keeps the rounding of its terms"}
ORDERED = {"stretched": False}

SUMS = [
    *reduction("sum", **CANCELS),
    *reduction("mean", **CANCELS),
    *reduction("nansum", **CANCELS),
    *reduction("prod", not_zero, [{}, *ONE_AXIS]),
    *reduction("var", more=SPREAD, short=False, stretched=False),
    *reduction("std", more=SPREAD, short=False, stretched=False),
    *reduction("var_mean", along=[{}, {"dim": 0}, {"dim": (0, 2), "keepdim": True}], short=False, stretched=False),
    *reduction("std_mean", along=[{}, {"dim": 0}, {"dim": (0, 2), "keepdim": True}], short=False, stretched=False),
    *reduction("logsumexp", along=ALONG[1:]),
    *reduction("norm", not_zero, [{}, {"dim": 0}, {"dim": (0, 2)}, {"p": 1}, {"p": 3, "dim": 1, "keepdim": True}]),
    *reduction("norm", apart, [{"p": float("inf"), "dim": -1}, {"p": float("-inf")}, {"p": "fro"}], **ORDERED),
    *reduction("cumsum", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("cumprod", not_zero, [{"dim": 0}, {"dim": -1}]),
    *reduction("logcumsumexp", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("diff", along=[{"dim": 0}, {"n": 2, "dim": -1}], values="identical"),
    *reduction("softmax", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("log_softmax", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("F.softmax", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("F.log_softmax", along=[{"dim": 0}, {"dim": -1}]),
    *reduction("F.softmin", along=[{"dim": 1}]),
]
SUMS += NO_NUMBERS

LARGEST = [
    *reduction("amax", apart, **IDENTICAL),
    *reduction("amin", apart, **IDENTICAL),
    *reduction("max", apart, [{}, *ONE_AXIS], **IDENTICAL),
    *reduction("min", apart, [{}, *ONE_AXIS], **IDENTICAL),
    *reduction("aminmax", apart, [{}, {"dim": 0}, {"dim": -1, "keepdim": True}], **IDENTICAL),
    *reduction("median", apart, [{}, *ONE_AXIS], **IDENTICAL),
    *reduction("cummax", apart, [{"dim": 0}, {"dim": -1}], **ORDERED),
    *reduction("cummin", apart, [{"dim": 0}, {"dim": -1}], **ORDERED),
    *reduction("argmax", apart, [{}, *ONE_AXIS], **POSITIONS),
    *reduction("argmin", apart, [{}, *ONE_AXIS], **POSITIONS),
    *reduction("all", apart, [{}, *ONE_AXIS], **POSITIONS),
    *reduction("any", apart, [{}, *ONE_AXIS], **POSITIONS),
    *reduction("count_nonzero", apart, [{}, {"dim": 0}, {"dim": (0, 2)}], **POSITIONS),
]

ROWS: Inputs = [(apart(4, 3),), (apart(5, 2, 3),)]
SORTING = [
    *reduction("sort", apart, [{"dim": 0}, {"dim": -1}, {"dim": 1, "descending": True}], **IDENTICAL),
    Case("sort", named("sort"), [(apart(),), (apart(7),), (apart(3, 5),)], **IDENTICAL),
    Case("sort", named("sort", stable=True), ROWS, "stable=True", **IDENTICAL),
    *reduction("argsort", apart, [{"dim": 0}, {"dim": -1}, {"dim": 1, "descending": True}], **POSITIONS),
    *[
        Case("topk", named("topk", **o), ROWS, described(o), **IDENTICAL)
        for o in ({"k": 2}, {"k": 2, "dim": 0}, {"k": 1, "largest": False}, {"k": 0})
    ],
    *[
        Case("kthvalue", named("kthvalue", **o), ROWS, described(o), **IDENTICAL)
        for o in ({"k": 2}, {"k": 3, "dim": 0, "keepdim": True})
    ],
]

# The same, as methods with arguments in order.
METHODS = [
    Case("sum", lambda torch, F, x: x.sum(1), shapes(real, {"dim": 1}), "x.sum(1)"),
    Case("sum", lambda torch, F, x: x.sum((0, 1), True), shapes(real, {"dim": 1}), "x.sum((0, 1), True)"),
    Case("sum", lambda torch, F, x: x.sum(axis=0, keepdims=True), [(real(2, 3),)], "NumPy's names"),
    Case("mean", lambda torch, F, x: x.mean(0, keepdim=True), shapes(real, {"dim": 1}), "x.mean(0, keepdim=True)"),
    Case("var", lambda torch, F, x: x.var(0), shapes(real, {"dim": 1}), "x.var(0)", stretched=False),
    Case("var", lambda torch, F, x: x.var(0, False), shapes(real, {"dim": 1}), "x.var(0, False)", stretched=False),
    Case("std", lambda torch, F, x: x.std(0, unbiased=False), [(real(4, 3),)], "x.std(0, ...)", stretched=False),
    Case("norm", lambda torch, F, x: x.norm(), shapes(not_zero, {}), "x.norm()"),
    Case("norm", lambda torch, F, x: x.norm(2, 1), [(not_zero(3, 4),)], "x.norm(2, 1)"),
    Case("norm", lambda torch, F, x: torch.linalg.norm(x, dim=1), [(not_zero(3, 4),)], "linalg.norm"),
    Case("norm", lambda torch, F, x: torch.linalg.vector_norm(x, 3), [(not_zero(3, 4),)], "linalg.vector_norm"),
    Case("max", lambda torch, F, x: x.max(1), [(apart(3, 4),)], "x.max(1)", **IDENTICAL),
    Case("max", lambda torch, F, x: x.max(dim=0).values, [(apart(3, 4),)], ".values", **IDENTICAL),
    Case("max", lambda torch, F, x: x.max(0)[1], [(apart(3, 4),)], "positions", **POSITIONS),
    Case("max", lambda torch, F, x, y: torch.max(x, y), [(apart(3, 4), real(4))], "of two", values="identical"),
    Case("min", lambda torch, F, x, y: torch.min(x, y), [(apart(3, 4), real(4))], "of two", values="identical"),
    Case("sort", lambda torch, F, x: x.sort(0, True), ROWS, "x.sort(0, True)", **IDENTICAL),
    Case("topk", lambda torch, F, x: x.topk(2), ROWS, "x.topk(2)", **IDENTICAL),
    Case("cumsum", lambda torch, F, x: x.cumsum(0), ROWS, "x.cumsum(0)"),
    Case("softmax", lambda torch, F, x: x.softmax(-1), ROWS, "x.softmax(-1)"),
    Case("log_softmax", lambda torch, F, x: x.log_softmax(0), ROWS, "x.log_softmax(0)"),
    Case("logsumexp", lambda torch, F, x: x.logsumexp(0, True), ROWS, "x.logsumexp(0, True)"),
    Case("argmax", lambda torch, F, x: x.argmax(1), ROWS, "x.argmax(1)", **POSITIONS),
    Case("prod", lambda torch, F, x: x.prod(), ROWS, "x.prod()"),
]

# A product with zeros in it: the derivative is the product of the others, which no division can give.
ZEROS = [
    Case("prod", lambda torch, F, x: (x * torch.tensor([1.0, 0.0, 1.0]).to(x.dtype)).prod(), [(real(3),)], "one zero"),
    Case("prod", lambda torch, F, x: (x * torch.tensor([0.0, 0.0, 1.0]).to(x.dtype)).prod(), [(real(3),)], "two zeros"),
    Case(
        "prod",
        lambda torch, F, x: (x * torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]).to(x.dtype)).prod(dim=1),
        [(real(2, 3),)],
        "zeros in rows",
    ),
    Case(
        "cumprod",
        lambda torch, F, x: (x * torch.tensor([1.0, 0.0, 1.0, 1.0]).to(x.dtype)).cumprod(0),
        [(real(4),)],
        "one zero",
    ),
]

REDUCTIONS = SUMS + LARGEST + SORTING + METHODS + ZEROS
