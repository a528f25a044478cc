"""Say once, on a terminal, why the first call takes seconds: Numba is compiling, and keeps what it compiled for next time."""

from __future__ import annotations

import sys
from functools import cache
from threading import Timer
from typing import Any

PATIENCE = 1.0  # seconds of compiling before a person wonders what is going on

_MESSAGE = "minimal: compiling kernels for this machine; this happens once, the result is cached ...\n"


@cache
def announce_slow_compiling(patience: float = PATIENCE) -> Any:
    """Install a listener that prints one line to a terminal when a compilation takes longer than ``patience`` seconds.

    Returns the listener; Numba must be importable.
    """
    from numba.core import event

    class Announcer(event.Listener):
        """Starts a clock with the outermost compilation and stops it with its end."""

        depth = 0
        said = False
        clock: Timer | None = None

        def on_start(self, event: Any) -> None:
            self.depth += 1
            if self.depth == 1 and not self.said and sys.stderr.isatty():
                self.clock = Timer(patience, self.say)
                self.clock.daemon = True
                self.clock.start()

        def on_end(self, event: Any) -> None:
            self.depth -= 1
            if self.depth == 0 and self.clock is not None:
                self.clock.cancel()

        def say(self) -> None:
            self.said = True
            sys.stderr.write(_MESSAGE)
            sys.stderr.flush()

    announcer = Announcer()
    event.register("numba:compile", announcer)
    return announcer
