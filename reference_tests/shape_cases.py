"""The table of operations that move numbers without changing them: every claim here is *identical*, except where
gradients meet and are added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .operations import Case, Input, index, mask, named, real

IDENTICAL = {"values": "identical", "gradients": "identical"}
ADDS_UP = {"values": "identical"}  # a number that is used twice gets the sum of two gradients

Call = Callable[..., Any]


def move(
    name: str, option: str, call: Call, *inputs: tuple[int, ...], adds_up: bool = False, smooth: bool = True
) -> Case:
    """A movement of one tensor, on each of these shapes."""
    claims = ADDS_UP if adds_up else IDENTICAL
    return Case(name, call, [(real(*shape),) for shape in inputs], option, smooth=smooth, **claims)


ONE_TENSOR = [
    move("reshape", "(3, 8)", lambda torch, F, x: torch.reshape(x, (3, 8)), (2, 3, 4), (24,)),
    move("reshape", "x.reshape(-1, 2)", lambda torch, F, x: x.reshape(-1, 2), (2, 3, 4), (2, 0), (2,)),
    move("reshape", "(-1,)", lambda torch, F, x: x.reshape(-1), (2, 3, 4), ()),
    move("view", "x.view(-1)", lambda torch, F, x: x.contiguous().view(-1), (2, 3, 4), ()),
    move("view", "x.view(4, 1, -1)", lambda torch, F, x: x.contiguous().view(4, 1, -1), (2, 3, 4)),
    move("flatten", "", lambda torch, F, x: torch.flatten(x), (2, 3, 4), (), (5,)),
    move("flatten", "from 1", lambda torch, F, x: torch.flatten(x, 1), (2, 3, 4), (2, 3, 2, 2)),
    move("flatten", "0 to 1", lambda torch, F, x: x.flatten(0, 1), (2, 3, 4), (2, 3, 2, 2)),
    move("flatten", "start_dim=-2", lambda torch, F, x: x.flatten(start_dim=-2), (2, 3, 4)),
    move("unflatten", "", lambda torch, F, x: torch.unflatten(x, 1, (2, -1)), (3, 4), (3, 6, 2)),
    move("unflatten", "x.unflatten(-1, ...)", lambda torch, F, x: x.unflatten(-1, (2, 2)), (3, 4)),
    move("permute", "(2, 0, 1)", lambda torch, F, x: torch.permute(x, (2, 0, 1)), (2, 3, 4)),
    move("permute", "x.permute(0, -1, 1)", lambda torch, F, x: x.permute(0, -1, 1), (2, 3, 4)),
    move("transpose", "0, 1", lambda torch, F, x: torch.transpose(x, 0, 1), (2, 3), (2, 3, 4)),
    move("transpose", "x.transpose(-1, 0)", lambda torch, F, x: x.transpose(-1, 0), (2, 3, 4), (5,)),
    move("swapaxes", "", lambda torch, F, x: torch.swapaxes(x, 0, 1), (2, 3)),
    move("movedim", "", lambda torch, F, x: torch.movedim(x, 0, -1), (2, 3, 4)),
    move("movedim", "two", lambda torch, F, x: torch.movedim(x, (0, 1), (2, 0)), (2, 3, 4)),
    move("t", "", lambda torch, F, x: torch.t(x), (2, 3), (4,), ()),
    move("t", "x.T", lambda torch, F, x: x.T, (2, 3)),
    move("t", "x.mT", lambda torch, F, x: x.mT, (2, 3), (2, 3, 4)),
    move("expand", "x.expand(2, 3, 4)", lambda torch, F, x: x.expand(2, 3, 4), (3, 1), (1, 3, 4), (), adds_up=True),
    move("expand", "-1", lambda torch, F, x: x.expand(3, -1, 4), (2, 1), (1, 2, 4), adds_up=True),
    move("expand_as", "", lambda torch, F, x: x.expand_as(torch.ones(2, 3)), (3,), (2, 1), adds_up=True),
    move("broadcast_to", "", lambda torch, F, x: torch.broadcast_to(x, (2, 3)), (3,), (1, 1), adds_up=True),
    move("repeat", "x.repeat(2, 3)", lambda torch, F, x: x.repeat(2, 3), (4,), (2, 3), (), adds_up=True),
    move("repeat", "x.repeat(2, 1, 3)", lambda torch, F, x: x.repeat(2, 1, 3), (2, 3), (2, 3, 2), adds_up=True),
    move("repeat", "none", lambda torch, F, x: x.repeat(0, 2), (2, 3)),
    move("tile", "", lambda torch, F, x: torch.tile(x, (2, 3)), (4,), (2, 3), (2, 2, 3), adds_up=True),
    move("repeat_interleave", "2", lambda torch, F, x: torch.repeat_interleave(x, 2), (2, 3), adds_up=True),
    move("repeat_interleave", "2, dim=1", lambda torch, F, x: x.repeat_interleave(2, dim=1), (2, 3), adds_up=True),
    move("squeeze", "", lambda torch, F, x: torch.squeeze(x), (1, 3, 1), (2, 3), ()),
    move("squeeze", "1", lambda torch, F, x: x.squeeze(1), (3, 1, 2), (3, 2)),
    move("squeeze", "(0, -1)", lambda torch, F, x: torch.squeeze(x, (0, -1)), (1, 3, 1), (1, 3)),
    move("unsqueeze", "0", lambda torch, F, x: torch.unsqueeze(x, 0), (2, 3), ()),
    move("unsqueeze", "x.unsqueeze(-1)", lambda torch, F, x: x.unsqueeze(-1), (2, 3), ()),
    move("flip", "(0,)", lambda torch, F, x: torch.flip(x, (0,)), (3,), (2, 3), (0, 2)),
    move("flip", "x.flip(0, -1)", lambda torch, F, x: x.flip(0, -1), (2, 3), (2, 3, 4)),
    move("fliplr", "", lambda torch, F, x: torch.fliplr(x), (2, 3)),
    move("flipud", "", lambda torch, F, x: torch.flipud(x), (2, 3)),
    move("roll", "1", lambda torch, F, x: torch.roll(x, 1), (5,), (2, 3)),
    move("roll", "-2, 1", lambda torch, F, x: torch.roll(x, -2, 1), (2, 3), (2, 3, 4)),
    move("roll", "two axes", lambda torch, F, x: x.roll((1, 4), (0, 1)), (2, 3)),
    move("ravel", "", lambda torch, F, x: torch.ravel(x), (2, 3), ()),
    move("narrow", "", lambda torch, F, x: torch.narrow(x, 1, 1, 2), (2, 3), (2, 4, 2)),
    move("select", "", lambda torch, F, x: torch.select(x, 1, -1), (2, 3), (2, 4, 2)),
    move("unbind", "", lambda torch, F, x: torch.unbind(x), (2, 3), (3,)),
    move("unbind", "x.unbind(-1)", lambda torch, F, x: x.unbind(-1), (2, 3)),
    move("unbind", "iteration", lambda torch, F, x: list(x), (2, 3), (3,)),
    move("split", "2", lambda torch, F, x: torch.split(x, 2), (5,), (4, 3)),
    move("split", "x.split([1, 2], 1)", lambda torch, F, x: x.split([1, 2], 1), (2, 3)),
    move("split", "one part used", lambda torch, F, x: torch.split(x, 2)[1], (5,), (4, 3)),
    move("chunk", "2", lambda torch, F, x: torch.chunk(x, 2), (5,), (4, 3)),
    move("chunk", "x.chunk(3, -1)", lambda torch, F, x: x.chunk(3, -1), (2, 4)),
    move("clone", "", lambda torch, F, x: torch.clone(x), (2, 3), ()),
    move("contiguous", "", lambda torch, F, x: x.contiguous(), (2, 3), (2, 3, 4)),
    move("tril", "", lambda torch, F, x: torch.tril(x), (3, 4), (2, 3, 3)),
    move("tril", "-1", lambda torch, F, x: x.tril(-1), (3, 4)),
    move("triu", "", lambda torch, F, x: torch.triu(x), (3, 4), (2, 3, 3)),
    move("triu", "diagonal=1", lambda torch, F, x: torch.triu(x, diagonal=1), (3, 4)),
    move("diag", "", lambda torch, F, x: torch.diag(x), (3,), (3, 4), (4, 2)),
    move("diag", "1", lambda torch, F, x: torch.diag(x, 1), (3,), (3, 4)),
    move("diagonal", "", lambda torch, F, x: torch.diagonal(x), (3, 4), (2, 3, 3)),
    move("diagonal", "-1, 1, 2", lambda torch, F, x: x.diagonal(-1, 1, 2), (2, 3, 4)),
    Case("trace", named("trace"), [(real(3, 3),), (real(2, 4),)]),
    move("pad", "(1, 2)", lambda torch, F, x: F.pad(x, (1, 2)), (3,), (2, 3), (2, 0)),
    move("pad", "(1, 0, 2, 1), 0.5", lambda torch, F, x: F.pad(x, (1, 0, 2, 1), value=0.5), (2, 3), (2, 3, 4)),
    move("pad", "negative", lambda torch, F, x: F.pad(x, (-1, 2)), (3,), (2, 3)),
    *[
        move("pad", f"{mode} 1d", lambda torch, F, x, m=mode: F.pad(x, (2, 1), mode=m), (2, 4), (2, 3, 4), adds_up=True)
        for mode in ("reflect", "replicate", "circular")
    ],
    *[
        move(
            "pad", f"{mode} 2d", lambda torch, F, x, m=mode: F.pad(x, (2, 1, 0, 2), mode=m), (2, 3, 3, 4), adds_up=True
        )
        for mode in ("reflect", "replicate", "circular")
    ],
    move("to", "float64", lambda torch, F, x: x.to(torch.float64), (2, 3), ()),
    move("to", "x.double()", lambda torch, F, x: x.double(), (2, 3)),
    move("to", "x.float()", lambda torch, F, x: x.float(), (2, 3), smooth=False),
    move("to", "another's dtype", lambda torch, F, x: x.to(torch.ones(2, dtype=torch.float64)), (2, 3)),
    move("type_as", "", lambda torch, F, x: x.type_as(torch.ones(2)), (2, 3), smooth=False),
]


def join(name: str, option: str, call: Call, *inputs: tuple[Input, ...], adds_up: bool = False) -> Case:
    """Several tensors become one, or one is changed in places by another."""
    return Case(name, call, list(inputs), option, **(ADDS_UP if adds_up else IDENTICAL))


SEVERAL = [
    join("cat", "", lambda torch, F, *xs: torch.cat(xs), (real(2, 3), real(4, 3)), (real(2), real(0), real(3))),
    join("cat", "dim=-1", lambda torch, F, *xs: torch.cat(xs, dim=-1), (real(2, 3), real(2, 1), real(2, 2))),
    join("cat", "one twice", lambda torch, F, x: torch.cat([x, x], 1), (real(2, 3),), adds_up=True),
    join("concat", "", lambda torch, F, *xs: torch.concat(xs, 0), (real(2, 3), real(1, 3))),
    join("stack", "", lambda torch, F, *xs: torch.stack(xs), (real(2, 3), real(2, 3)), (real(), real())),
    join("stack", "dim=-1", lambda torch, F, *xs: torch.stack(xs, -1), (real(2, 3), real(2, 3))),
    join("hstack", "", lambda torch, F, *xs: torch.hstack(xs), (real(2, 3), real(2, 1)), (real(2), real(3))),
    join("vstack", "", lambda torch, F, *xs: torch.vstack(xs), (real(2, 3), real(1, 3)), (real(2), real(2))),
    join(
        "broadcast_tensors", "", lambda torch, F, *xs: torch.broadcast_tensors(*xs), (real(2, 1), real(3)), adds_up=True
    ),
    join(
        "index_select", "0", lambda torch, F, x, i: torch.index_select(x, 0, i), (real(4, 3), index(4)(5)), adds_up=True
    ),
    join("index_select", "-1", lambda torch, F, x, i: x.index_select(-1, i), (real(2, 4), index(4)(6)), adds_up=True),
    join(
        "gather",
        "1",
        lambda torch, F, x, i: torch.gather(x, 1, i),
        (real(3, 4), index(4)(3, 2)),
        (real(3, 4), index(4)(2, 6)),
        adds_up=True,
    ),
    join("gather", "x.gather(0, i)", lambda torch, F, x, i: x.gather(0, i), (real(4, 3), index(4)(2, 3)), adds_up=True),
    join(
        "take_along_dim",
        "1",
        lambda torch, F, x, i: torch.take_along_dim(x, i, 1),
        (real(3, 4), index(4)(3, 2)),
        adds_up=True,
    ),
    join(
        "take_along_dim",
        "flat",
        lambda torch, F, x, i: torch.take_along_dim(x.contiguous(), i),
        (real(3, 4), index(12)(5)),
        adds_up=True,
    ),
    join("take", "", lambda torch, F, x, i: torch.take(x, i), (real(3, 4), index(12)(2, 5)), adds_up=True),
    join(
        "scatter",
        "a number",
        lambda torch, F, x, i: torch.scatter(x, 1, i, 2.5),
        (real(3, 4), index(4)(3, 2)),
    ),
    join(
        "scatter",
        "a tensor",
        lambda torch, F, x, y: x.scatter(1, torch.tensor([[0, 2], [1, 0], [3, 1]]), y),
        (real(3, 4), real(3, 2)),
    ),
    join(
        "scatter_add",
        "",
        lambda torch, F, x, i, y: torch.scatter_add(x, 0, i, y),
        (real(4, 3), index(4)(5, 3), real(5, 3)),
        adds_up=True,
    ),
    join("index_add", "", lambda torch, F, x, i, y: torch.index_add(x, 0, i, y), (real(4, 3), index(4)(5), real(5, 3))),
    join(
        "index_add",
        "dim=1, alpha=2",
        lambda torch, F, x, i, y: x.index_add(1, i, y, alpha=2),
        (real(3, 4), index(4)(2), real(3, 2)),
    ),
    join("index_copy", "", lambda torch, F, x, y: x.index_copy(0, torch.tensor([2, 0]), y), (real(4, 3), real(2, 3))),
    join("index_fill", "", lambda torch, F, x: x.index_fill(1, torch.tensor([2, 0]), -1.5), (real(4, 3),)),
    join(
        "index_put",
        "",
        lambda torch, F, x, y: torch.index_put(x, (torch.tensor([0, 2]), torch.tensor([1, 1])), y),
        (real(4, 3), real(2)),
    ),
    join(
        "index_put",
        "accumulate",
        lambda torch, F, x, y: x.index_put((torch.tensor([0, 0, 2]),), y, accumulate=True),
        (real(4, 3), real(3, 3)),
        adds_up=True,
    ),
    join(
        "masked_select",
        "",
        lambda torch, F, x, m: torch.masked_select(x, m),
        (real(3, 4), mask(3, 4)),
        (real(3, 4), mask(4)),
        (real(4), mask(3, 1)),
        adds_up=True,
    ),
    join("masked_fill", "number", lambda torch, F, x, m: torch.masked_fill(x, m, 7.0), (real(3, 4), mask(3, 4))),
    join(
        "masked_fill", "0-d", lambda torch, F, x, m, v: x.masked_fill(m, v), (real(3, 4), mask(4), real()), adds_up=True
    ),
    join("masked_scatter", "", lambda torch, F, x, m, y: x.masked_scatter(m, y), (real(3, 4), mask(3, 4), real(12))),
    join("where", "x.where", lambda torch, F, x, m: x.where(m, -1.0), (real(3, 4), mask(3, 4))),
]

SHAPES = ONE_TENSOR + SEVERAL
