"""Whether operations are being recorded, for each thread on its own: ``no_grad``, ``enable_grad``, ``set_grad_enabled``."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from typing import Any

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]


class _Recording(threading.local):
    enabled = True


recording = _Recording()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require a gradient are being recorded in this thread."""
    return recording.enabled


class set_grad_enabled(ContextDecorator):
    """Switch recording on or off: at once when called, and back at the end when used in a ``with`` block.

    Parameters
    ----------
    mode : bool
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.before = recording.enabled
        recording.enabled = self.mode

    def __call__(self, function: Any) -> Any:
        recording.enabled = self.before  # a decorator changes nothing until its function runs
        return super().__call__(function)

    def _recreate_cm(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        recording.enabled = self.mode

    def __exit__(self, *error: object) -> None:
        recording.enabled = self.before


class _Block(ContextDecorator):
    """Recording is ``mode`` inside the block.  Blocks may stand inside one another and be used again."""

    mode = True

    def __init__(self, function: Any = None) -> None:
        self.outer: list[bool] = []

    def __new__(cls, function: Any = None) -> Any:
        block = super().__new__(cls)
        if function is None:
            return block
        block.outer = []
        return block(function)  # used as a decorator without parentheses

    def _recreate_cm(self) -> _Block:
        return type(self)()

    def __enter__(self) -> None:
        self.outer.append(recording.enabled)
        recording.enabled = self.mode

    def __exit__(self, *error: object) -> None:
        recording.enabled = self.outer.pop()


class no_grad(_Block):
    """Nothing is recorded inside the block, or inside the decorated function."""

    mode = False


class enable_grad(_Block):
    """Operations are recorded inside the block, even where ``no_grad`` stands around it."""

    mode = True


class inference_mode(_Block):
    """As ``no_grad``.

    Differs from the reference when a tensor made inside is used outside: here it is an ordinary tensor.
    """

    mode = False

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls, mode)
        return super().__new__(cls) if mode else enable_grad()
