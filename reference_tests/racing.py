"""Races for the tests of the benchmarks: results that are there at once, and the command without the real cases."""

from __future__ import annotations

from benchmarks.__main__ import main
from benchmarks.frame import Race, same_arrays
from benchmarks.measure import Effort

ONCE = Effort(seconds=0.0, min_rounds=3, max_rounds=3, sample=0.0)


def fixed(ours, theirs, agree=None, **options):
    """A race between two results."""
    return Race(ours=lambda: ours, theirs=lambda: theirs, agree=agree or same_arrays(), **options)


def command(*arguments):
    return main([*arguments, "--seconds", "0.001"], modules=())
