"""The table of changes in place: on a copy, through a view of it, and with another tensor's history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .operations import (
    Case,
    Input,
    Kind,
    above_one,
    apart,
    index,
    inside,
    mask,
    not_whole,
    not_zero,
    positive,
    real,
    unit,
)

Change = Callable[..., Any]


def on_copy(change: Change) -> Change:
    """Change a copy in place; the call itself must give the copy back, the same object."""

    def call(torch: Any, F: Any, x: Any, *others: Any) -> Any:
        y = x.clone()
        z = change(torch, F, y, *others)
        return y, z is y

    return call


def through_view(change: Change) -> Change:
    """Change a view of a copy; both have the new numbers, and both lead back to all that went in."""

    def call(torch: Any, F: Any, x: Any, *others: Any) -> Any:
        y = x * 1.0
        view = y.reshape(-1)[1:] if y.dim() == 1 else y.transpose(0, 1)[1:]
        change(torch, F, view, *others)
        return y, view * 2.0, y.sin()

    return call


def alone(name: str, kind: Kind = real, *arguments: Any, **keywords: Any) -> list[Case]:
    """A change that needs no other tensor."""

    def change(torch: Any, F: Any, y: Any) -> Any:
        return getattr(y, name)(*arguments, **keywords)

    option = ", ".join([*map(repr, arguments), *(f"{k}={v!r}" for k, v in keywords.items())])
    inputs: list[tuple[Input, ...]] = [(kind(3, 4),), (kind(5),)]
    return [
        Case(name, on_copy(change), [*inputs, (kind(),)], option),
        Case(name, through_view(change), inputs, f"{option} through a view".strip()),
    ]


def with_other(name: str, *kinds: Kind, call: Change | None = None, option: str = "") -> list[Case]:
    """A change by other tensors, which broadcast to the one that is changed."""

    def change(torch: Any, F: Any, y: Any, *others: Any) -> Any:
        return getattr(y, name)(*others)

    first, *rest = kinds
    full = [(first(3, 4), *(kind(3, 4) for kind in rest)), (first(3, 4), *(kind(4) for kind in rest))]
    part = [(first(3, 4), *(kind(3, 3) for kind in rest)), (first(5), *(kind(4) for kind in rest))]
    return [
        Case(name, on_copy(call or change), full, option),
        Case(name, through_view(call or change), part, f"{option} through a view".strip()),
    ]


ALONE = [
    case
    for cases in [
        alone("add_", real, 2.5),
        alone("sub_", real, 2.5, alpha=2),
        alone("mul_", real, -0.3),
        alone("div_", real, 0.7),
        alone("pow_", real, 2),
        alone("neg_"),
        alone("abs_", not_zero),
        alone("exp_"),
        alone("log_", positive),
        alone("sqrt_", positive),
        alone("rsqrt_", positive),
        alone("square_"),
        alone("reciprocal_", not_zero),
        alone("sin_"),
        alone("cos_"),
        alone("tanh_"),
        alone("sigmoid_"),
        alone("erf_"),
        alone("relu_", not_zero),
        alone("clamp_", real, -0.5, 0.5),
        alone("clamp_", real, min=0.1),
        alone("clip_", real, max=0.1),
        alone("floor_", not_whole),
        alone("ceil_", not_whole),
        alone("round_", not_whole),
        alone("trunc_", not_whole),
        alone("frac_", not_whole),
        alone("zero_"),
        alone("fill_", real, 1.5),
        alone("remainder_", real, 0.7),
        alone("asin_", inside),
        alone("log1p_", above_one),
        alone("logit_", unit),
        alone("nan_to_num_"),
    ]
    for case in cases
]

OTHERS = [
    case
    for cases in [
        with_other("add_", real, real),
        with_other("sub_", real, real),
        with_other("mul_", real, real),
        with_other("div_", real, not_zero),
        with_other("pow_", positive, real),
        with_other("copy_", real, real),
        with_other("addcmul_", real, real, real),
        with_other("addcdiv_", real, real, not_zero),
        with_other("lerp_", real, real, unit),
        with_other("atan2_", not_zero, not_zero),
        with_other("hypot_", not_zero, not_zero),
        with_other("add_", real, real, call=lambda torch, F, y, z: y.add_(z, alpha=-2), option="alpha=-2"),
        with_other("lerp_", real, real, call=lambda torch, F, y, z: y.lerp_(z, 0.3), option="0.3"),
        with_other("masked_fill_", real, mask, call=lambda torch, F, y, m: y.masked_fill_(m, -1.0)),
    ]
    for case in cases
]


def statement(change: Change) -> Change:
    """An augmented assignment, which must keep the object."""

    def call(torch: Any, F: Any, x: Any, z: Any) -> Any:
        y = x.clone()
        same = change(y, z)
        return y, same is y

    return call


def plus(y: Any, z: Any) -> Any:
    y += z
    return y


def minus(y: Any, z: Any) -> Any:
    y -= z
    return y


def times(y: Any, z: Any) -> Any:
    y *= z
    return y


def over(y: Any, z: Any) -> Any:
    y /= z
    return y


def to_the(y: Any, z: Any) -> Any:
    y **= 2
    return y


def part_plus(y: Any, z: Any) -> Any:
    y[1:] += z[1:]
    return y


PAIR = [(real(3, 4), not_zero(3, 4))]
STATEMENTS = [
    Case("add_", statement(plus), PAIR, "x += y"),
    Case("sub_", statement(minus), PAIR, "x -= y"),
    Case("mul_", statement(times), PAIR, "x *= y"),
    Case("div_", statement(over), PAIR, "x /= y"),
    Case("pow_", statement(to_the), PAIR, "x **= 2"),
    Case("add_", statement(part_plus), PAIR, "x[1:] += y[1:]"),
]

PLACED = [
    Case(
        "index_add_", on_copy(lambda torch, F, y, i, z: y.index_add_(0, i, z)), [(real(4, 3), index(4)(5), real(5, 3))]
    ),
    Case(
        "index_copy_",
        on_copy(lambda torch, F, y, z: y.index_copy_(0, torch.tensor([2, 0]), z)),
        [(real(4, 3), real(2, 3))],
    ),
    Case("index_fill_", on_copy(lambda torch, F, y, i: y.index_fill_(1, i, 2.5)), [(real(4, 3), index(3)(2))]),
    Case(
        "scatter_",
        on_copy(lambda torch, F, y, z: y.scatter_(1, torch.tensor([[0, 2], [1, 0], [3, 1]]), z)),
        [(real(3, 4), real(3, 2))],
    ),
    Case(
        "scatter_add_",
        on_copy(lambda torch, F, y, i, z: y.scatter_add_(0, i, z)),
        [(real(4, 3), index(4)(5, 3), real(5, 3))],
    ),
    Case(
        "index_put_",
        on_copy(lambda torch, F, y, z: y.index_put_((torch.tensor([0, 0, 2]),), z, accumulate=True)),
        [(real(4, 3), real(3, 3))],
        "accumulate",
    ),
    Case(
        "masked_scatter_",
        on_copy(lambda torch, F, y, m, z: y.masked_scatter_(m, z)),
        [(real(3, 4), mask(3, 4), real(12))],
    ),
    Case("unsqueeze_", on_copy(lambda torch, F, y: y.unsqueeze_(0)), [(real(3, 4),)]),
    Case("squeeze_", on_copy(lambda torch, F, y: y.squeeze_(1)), [(real(3, 1),)]),
    Case("t_", on_copy(lambda torch, F, y: y.t_()), [(real(3, 4),)]),
    Case("F.relu", on_copy(lambda torch, F, y: F.relu(y, inplace=True)), [(not_zero(3, 4),)], "inplace=True"),
    Case(
        "F.dropout",
        on_copy(lambda torch, F, y: (torch.manual_seed(1), F.dropout(y, 0.4, inplace=True))[1]),
        [(real(3, 4),)],
        "inplace=True",
    ),
    Case("tril_", on_copy(lambda torch, F, y: y.tril_()), [(real(3, 4),)]),
    Case("cumsum_", on_copy(lambda torch, F, y: y.cumsum_(0)), [(real(3, 4),)]),
]


# A longer story: views of views, changed in turn, with gradients on both sides.
def views_of_views(torch: Any, F: Any, x: Any, z: Any) -> Any:
    y = x * 2
    rows = y[1:]
    corner = rows[:, :2]
    corner.mul_(z)
    y[0] = corner[0, 0]
    rows.add_(y[:1].clone())
    return y, rows, corner, (corner * rows[:, 1:3]).sum()


def both_halves(torch: Any, F: Any, x: Any, z: Any) -> Any:
    y = x + 0
    left, right = y[:, :2], y.narrow(1, 2, 2)
    y *= 2
    return left.clone() * z, right.exp()


def unbound_then_changed(torch: Any, F: Any, x: Any, z: Any) -> Any:
    y = x.clone()
    for k in range(len(y)):
        y[k].mul_(k + 1).add_(z[0, 0])
    return y.flip(0)


def base_after_view(torch: Any, F: Any, x: Any, z: Any) -> Any:
    y = x * 1
    diagonal = y[:, :3].diagonal()
    y.mul_(3)
    return diagonal * z[0, 0], y


STORY = [(apart(3, 4), not_zero(2, 2))]
STORIES = [
    Case("mul_", views_of_views, STORY, "views of views"),
    Case("mul_", both_halves, [(apart(3, 4), not_zero(3, 2))], "both halves"),
    Case("mul_", unbound_then_changed, STORY, "row after row"),
    Case("mul_", base_after_view, STORY, "the base after its view"),
]

IN_PLACE = ALONE + OTHERS + STATEMENTS + PLACED + STORIES
