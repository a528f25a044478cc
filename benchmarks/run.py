"""Run the chosen cases and keep what happened to each: a result, a failure with its reason, or why it was left out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import minimal
from benchmarks.discover import missing_peer
from benchmarks.frame import Case, Disagreement, Race, Sweep, Threads
from benchmarks.measure import BANDWIDTH_FROM, Clock, Effort, Timing, copy_seconds, measure
from benchmarks.memory import peak_memories
from benchmarks.threads import as_number, limited


@dataclass(frozen=True)
class Outcome:
    """What became of one case with one number of threads (and, in a sweep, one size)."""

    case: Case
    threads: Threads
    engine: str
    size: int | None = None
    timing: Timing | None = None
    failure: str | None = None
    skipped: str | None = None
    memory_ours: int | None = None
    memory_theirs: int | None = None
    bytes_moved: int | None = None
    copy: float | None = None

    @property
    def n_threads(self) -> int:
        return as_number(self.threads)

    @property
    def goal(self) -> float | None:
        """The ratio to reach: a claim about the compiled engine."""
        return self.case.goals.get(self.threads) if self.engine == "numba" else None

    @property
    def goal_met(self) -> bool | None:
        return None if self.goal is None or self.timing is None else self.timing.ratio >= self.goal


@dataclass(frozen=True)
class Heat:
    """One thing to do: a case with a number of threads, a size if it is a sweep, and whether to measure its memory."""

    case: Case
    threads: Threads
    size: int | None = None
    memory: bool = False

    def build(self) -> Race:
        return self.case.build() if self.size is None else self.case.build(self.size)


def largest(sweep: Sweep) -> int:
    """No sweep is asked for more than ten times its own largest size: n variables may mean n * n numbers."""
    return 10 * max(sweep.sizes)


def too_large(cases: Sequence[Case], sizes: Sequence[int]) -> dict[str, str]:
    """The sweeps that leave some of these sizes out, and the reason."""
    found = {}
    for case in cases:
        if isinstance(case, Sweep) and max(sizes, default=0) > largest(case):
            found[f"{case.component}, {case.title}"] = f"more than {largest(case):,} {case.counts}"
    return found


def heats(
    cases: Sequence[Case], threads: Sequence[Threads], sizes: Sequence[int] | None = None, *, memory: bool = False
) -> list[Heat]:
    """What to run, in order.  On one core "all" is the same as 1 and is left out.

    With ``memory`` a case's memory is measured once, with the first number of threads: it hardly depends on it.
    """
    wanted = list(dict.fromkeys(t for t in threads if not (t == "all" and 1 in threads and as_number("all") == 1)))
    todo: list[Heat] = []
    for case in cases:
        each: Sequence[int | None] = (None,)
        if isinstance(case, Sweep):
            each = [size for size in sizes or case.sizes if size <= largest(case)]
        counts = [t for t in wanted if t in case.threads]
        measured = memory and type(case) is Case  # by a process that builds the case by its name alone
        todo += [Heat(case, t, size, measured and t == counts[0]) for size in each for t in counts]
    return todo


def run_heat(heat: Heat, effort: Effort, clock: Clock) -> Outcome:
    """Build, race and, where the race asks for it, measure the memory and a plain copy.

    An exception from either side is a failure of this heat and must not hide the others' results; the failure is shown
    with its reason and the exit status tells of it.
    """
    case, engine = heat.case, minimal.get_engine()
    about: dict[str, Any] = {"case": case, "threads": heat.threads, "size": heat.size, "engine": engine}
    try:
        race = heat.build()
        with limited(heat.threads) as n:
            timing = measure(race, effort, clock)
            moved = race.bytes_moved
            copy = None if moved is None or moved < BANDWIDTH_FROM else copy_seconds(moved, n, clock)
        about |= {"timing": timing, "bytes_moved": race.bytes_moved, "copy": copy}
        if race.memory and heat.memory:
            about["memory_ours"], about["memory_theirs"] = peak_memories(case, heat.threads, engine)
        return Outcome(**about)
    except Disagreement as reason:
        return Outcome(**{**about, "timing": None}, failure=f"the answers do not agree: {reason}")
    except Exception as error:
        peer = missing_peer(error)
        if peer:
            return Outcome(**about, skipped=f"{peer} is not installed")
        return Outcome(**{**about, "timing": None}, failure=f"{type(error).__name__}: {error}")


def run(todo: Sequence[Heat], effort: Effort, clock: Clock = time.perf_counter) -> Iterator[Outcome]:
    """The outcome of each heat, one after the other, as soon as it is there."""
    for heat in todo:
        yield run_heat(heat, effort, clock)
