"""How two sides are timed: alternately, the same way, and with the answers compared in the same run.

One *sample* is a run of calls long enough for the clock (see :class:`Effort`); its time is divided by the number of
calls.  One *round* is a sample of each side, and the side that goes first changes from round to round, so that neither
always meets the warmer cache or the slower clock.  Garbage is collected before every sample and never inside one.
"""

from __future__ import annotations

import gc
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.frame import Agreement, Race, as_agreement, weakest

Clock = Callable[[], float]


@dataclass(frozen=True)
class Effort:
    """How long a race is run.

    seconds : stop after this many seconds of timed samples, both sides together ...
    min_rounds, max_rounds : ... but not before, and at the latest then.
    patience : fewer than ``min_rounds``, though never none, if they take longer than this many seconds.
    sample : seconds that a sample lasts at least; shorter calls are repeated inside it, on either side by this rule.
    """

    seconds: float
    min_rounds: int
    max_rounds: int
    sample: float
    patience: float = math.inf


FULL = Effort(seconds=3.0, min_rounds=7, max_rounds=51, sample=0.02, patience=12.0)
QUICK = Effort(seconds=0.25, min_rounds=3, max_rounds=9, sample=0.004, patience=1.0)
MAX_CALLS = 10_000  # in one sample
BANDWIDTH_FROM = 2**23  # bytes: less than this stays in a core's caches, and its bandwidth says nothing about memory


@dataclass(frozen=True)
class Timing:
    """Seconds per call, one entry a round, and what the rounds proved."""

    first_ours: float
    first_theirs: float
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    calls_ours: int
    calls_theirs: int
    agreement: Agreement

    @property
    def median_ours(self) -> float:
        return float(np.median(self.ours))

    @property
    def median_theirs(self) -> float:
        return float(np.median(self.theirs))

    @property
    def ratio(self) -> float:
        """How many times as fast as theirs ours is: above 1 we are ahead."""
        return self.median_theirs / self.median_ours

    @property
    def ratio_quartiles(self) -> tuple[float, float]:
        """The middle half of the ratios of single rounds: the spread of ``ratio``."""
        low, high = np.percentile(np.divide(self.theirs, self.ours), [25, 75])
        return float(low), float(high)


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of either side are not printed: printing would be timed.  (The tests prove that both give the same.)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def time_calls(job: Callable[..., Any], setup: Callable[[], Any] | None, calls: int, clock: Clock) -> tuple[float, Any]:
    """Seconds per call over ``calls`` calls, and what the last one returned."""
    states = None if setup is None else [setup() for _ in range(calls)]
    gc.collect()
    gc.disable()
    try:
        result = None
        if states is None:
            start = clock()
            for _ in repeat(None, calls):
                result = job()
            stop = clock()
        else:
            start = clock()
            for state in states:
                result = job(state)
            stop = clock()
    finally:
        gc.enable()
    return (stop - start) / calls, result


@contextmanager
def frozen_heap() -> Iterator[None]:
    """What exists already (modules, compiled code) is not searched for garbage again before every sample."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def calls_for(seconds: float, sample: float) -> int:
    """How many calls of this length fill a sample: the one rule for both sides."""
    return int(min(MAX_CALLS, max(1, np.ceil(sample / max(seconds, 1e-9)))))


def measure(race: Race, effort: Effort, clock: Clock = time.perf_counter) -> Timing:
    """Run the race: the first calls, one more each to plan the samples, then round after round.

    Raises
    ------
    Disagreement
        As soon as the results of one round do not agree.  What the sides raise is passed on.
    """
    jobs = (race.ours, race.theirs)
    with quiet():
        (first_ours, a), (first_theirs, b) = (time_calls(job, race.setup, 1, clock) for job in jobs)
        agreements = [as_agreement(race.agree(a, b))]
        del a, b
        with frozen_heap():
            calls = [calls_for(time_calls(job, race.setup, 1, clock)[0], effort.sample) for job in jobs]
            times: tuple[list[float], list[float]] = ([], [])
            spent = 0.0
            for n in range(effort.max_rounds):
                if spent >= (effort.seconds if n >= effort.min_rounds else effort.patience):
                    break
                results: list[Any] = [None, None]
                for side in (0, 1) if n % 2 == 0 else (1, 0):
                    seconds, results[side] = time_calls(jobs[side], race.setup, calls[side], clock)
                    times[side].append(seconds)
                    spent += seconds * calls[side]
                agreements.append(as_agreement(race.agree(*results)))
    return Timing(first_ours, first_theirs, tuple(times[0]), tuple(times[1]), calls[0], calls[1], weakest(agreements))


def copy_seconds(n_bytes: int, threads: int, clock: Clock = time.perf_counter, rounds: int = 7) -> float:
    """The median time of a plain copy that moves ``n_bytes``: half of them read, half of them written.

    With more than one thread each copies its own slice at the same time.
    """
    from concurrent.futures import ThreadPoolExecutor

    source = np.ones(max(1, n_bytes // 16))
    target = np.zeros_like(source)
    pieces = list(zip(np.array_split(source, threads), np.array_split(target, threads)))

    def copy() -> None:
        if threads == 1:
            np.copyto(target, source)
        else:
            list(pool.map(lambda piece: np.copyto(piece[1], piece[0]), pieces))

    with ThreadPoolExecutor(threads) as pool, frozen_heap():
        once, _ = time_calls(copy, None, 1, clock)
        once, _ = time_calls(copy, None, 1, clock)
        calls = calls_for(once, 0.005)
        return float(np.median([time_calls(copy, None, calls, clock)[0] for _ in range(rounds)]))
