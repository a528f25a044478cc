"""The table of everything that can stand between square brackets, read and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .operations import Case, Input, real

IDENTICAL = {"values": "identical", "gradients": "identical"}
ADDS_UP = {"values": "identical"}
ONE_SUM: dict[str, Any] = {"values": "identical", "loose": 4.0, "reason": "one sum of dozens that cancel in part"}

# Name: the index, as a function of the namespace, for a tensor of shape (4, 3, 5).
PLAIN: dict[str, Callable[[Any], Any]] = {
    "[1]": lambda torch: 1,
    "[-1]": lambda torch: -1,
    "[1, -2]": lambda torch: (1, -2),
    "[1, 2, 3]": lambda torch: (1, 2, 3),
    "[:]": lambda torch: slice(None),
    "[1:3]": lambda torch: slice(1, 3),
    "[:-1]": lambda torch: slice(None, -1),
    "[::2]": lambda torch: slice(None, None, 2),
    "[3:1]": lambda torch: slice(3, 1),
    "[2:100]": lambda torch: slice(2, 100),
    "[-100:2]": lambda torch: slice(-100, 2),
    "[:, 1]": lambda torch: (slice(None), 1),
    "[1:, ::2, 1:4:2]": lambda torch: (slice(1, None), slice(None, None, 2), slice(1, 4, 2)),
    "[..., 0]": lambda torch: (..., 0),
    "[..., 1:3]": lambda torch: (..., slice(1, 3)),
    "[0, ..., ::3]": lambda torch: (0, ..., slice(None, None, 3)),
    "[...]": lambda torch: ...,
    "[None]": lambda torch: None,
    "[:, None]": lambda torch: (slice(None), None),
    "[None, ..., None, 2]": lambda torch: (None, ..., None, 2),
    "[1, None, 2:, None]": lambda torch: (1, None, slice(2, None), None),
    "[()]": lambda torch: (),
    "[np.int64(2)]": lambda torch: np.int64(2),
    "[0-d tensor]": lambda torch: torch.tensor(2),
    "[0-d tensor:]": lambda torch: slice(torch.tensor(1), None),
}

# With tensors, lists or masks: places are picked one by one.
PICKED: dict[str, Callable[[Any], Any]] = {
    "[tensor]": lambda torch: torch.tensor([3, 0, 2]),
    "[tensor, repeated]": lambda torch: torch.tensor([1, 1, 0, 1]),
    "[tensor, negative]": lambda torch: torch.tensor([-1, 0, -3]),
    "[tensor of int32]": lambda torch: torch.tensor([3, 0], dtype=torch.int32),
    "[2-d tensor]": lambda torch: torch.tensor([[0, 1], [3, 3]]),
    "[empty tensor]": lambda torch: torch.tensor([], dtype=torch.int64),
    "[list]": lambda torch: [0, 2],
    "[array]": lambda torch: np.array([0, 2, 2]),
    "[tensor, tensor]": lambda torch: (torch.tensor([0, 3, 0]), torch.tensor([2, 1, 2])),
    "[tensor, list, tensor]": lambda torch: (torch.tensor([0, 3]), [1, 1], torch.tensor([4, 0])),
    "[column, row]": lambda torch: (torch.tensor([[0], [2]]), torch.tensor([1, 2, 0])),
    "[:, tensor]": lambda torch: (slice(None), torch.tensor([2, 0])),
    "[..., tensor]": lambda torch: (..., torch.tensor([4, 0, 0])),
    "[tensor, :, tensor]": lambda torch: (torch.tensor([0, 3]), slice(None), torch.tensor([1, 2])),
    "[tensor, 1:, tensor]": lambda torch: (torch.tensor([0, 3]), slice(1, None), torch.tensor([1, 2])),
    "[1, tensor]": lambda torch: (1, torch.tensor([2, 0])),
    "[1, :, tensor]": lambda torch: (1, slice(None), torch.tensor([2, 0])),
    "[:, 1, tensor]": lambda torch: (slice(None), 1, torch.tensor([2, 0])),
    "[1:3, tensor]": lambda torch: (slice(1, 3), torch.tensor([2, 0])),
    "[tensor, None]": lambda torch: (torch.tensor([2, 0]), None),
    "[None, tensor, ..., None]": lambda torch: (None, torch.tensor([2, 0]), ..., None),
    "[::2, None, tensor, tensor]": lambda torch: (slice(None, None, 2), None, torch.tensor([2]), torch.tensor([1, 0])),
    "[mask]": lambda torch: torch.tensor([True, False, True, True]),
    "[mask of nothing]": lambda torch: torch.tensor([False] * 4),
    "[list of truth values]": lambda torch: [True, False, True, True],
    "[2-d mask]": lambda torch: torch.arange(12).reshape(4, 3) % 2 == 0,
    "[3-d mask]": lambda torch: torch.arange(60).reshape(4, 3, 5) % 7 < 3,
    "[:, mask]": lambda torch: (slice(None), torch.tensor([True, False, True])),
    "[1, mask]": lambda torch: (1, torch.tensor([True, False, True])),
    "[mask, 1]": lambda torch: (torch.tensor([True, False, True, True]), 1),
    "[mask, ..., ::2]": lambda torch: (torch.tensor([True, False, True, True]), ..., slice(None, None, 2)),
    "[mask, tensor]": lambda torch: (torch.tensor([True, False, True, False]), torch.tensor([2, 0])),
    "[tensor, 2-d mask]": lambda torch: (torch.tensor([1]), torch.arange(15).reshape(3, 5) % 4 == 0),
    "[True]": lambda torch: True,
    "[False]": lambda torch: False,
}

PLACES = {**PLAIN, **PICKED}
BOX: list[tuple[Input, ...]] = [(real(4, 3, 5),)]


def read(places: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda torch, F, x: x[places(torch)]


def write(places: Callable[[Any], Any], value: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Write into a copy, and give the copy back."""

    def call(torch: Any, F: Any, x: Any, *source: Any) -> Any:
        y = x.clone()
        y[places(torch)] = value(y[places(torch)], source[0] if source else None)
        return y

    return call


# Several gradients meet where a place is read more than once.
READ = [Case("getitem", read(places), BOX, name, **ADDS_UP) for name, places in PLACES.items()]

# Which of several values stays is nobody's promise, so places that repeat are not written to.
REPEATED = {"[tensor, repeated]", "[2-d tensor]", "[array]", "[tensor, tensor]", "[..., tensor]"}
WRITABLE = {name: places for name, places in PLACES.items() if name not in REPEATED}
WRITE = [
    *[
        Case("setitem", write(places, lambda part, _: -2.5), BOX, f"{name} = number", **IDENTICAL)
        for name, places in WRITABLE.items()
    ],
    *[
        Case(
            "setitem",
            write(places, lambda part, source: source.flatten()[: part.numel()].reshape(part.shape).to(part.dtype)),
            [(real(4, 3, 5), real(60))],
            f"{name} = tensor",
            **IDENTICAL,
        )
        for name, places in WRITABLE.items()
    ],
    *[
        Case(
            "setitem", write(places, lambda part, source: source), [(real(4, 3, 5), real())], f"{name} = 0-d", **ONE_SUM
        )
        for name, places in WRITABLE.items()
    ],
    Case(
        "setitem",
        write(PLAIN["[:, 1]"], lambda part, source: source),
        [(real(4, 3, 5), real(5)), (real(4, 3, 5), real(4, 1)), (real(4, 3, 5), real(1, 4, 5))],
        "[:, 1] = broadcast",
        **ADDS_UP,
    ),
    Case(
        "setitem",
        write(PICKED["[:, tensor]"], lambda part, source: source),
        [(real(4, 3, 5), real(5)), (real(4, 3, 5), real(2, 1))],
        "[:, tensor] = broadcast",
        **ADDS_UP,
    ),
]

INDEXING = READ + WRITE
