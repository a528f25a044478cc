"""Peak memory of one side: a process of its own, and how far the peak rises above what data and libraries hold.

The side is called once before, so that compiled kernels and lazily loaded modules are not counted; then the system's
record of the peak is reset, the side is called again, and the peak above the starting point is the answer.  The system
allocator is told to give freed memory back, and minimal to keep none, or the second call would hide in what the first one
left.

Run as ``python -m benchmarks.memory MODULE BUILDER SIDE THREADS``; prints bytes.  Works on Linux; elsewhere nothing is shown.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.frame import Builder, Case, Threads

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def peak_memories(case: Case, threads: Threads, engine: str) -> tuple[int | None, int | None]:
    """:func:`peak_memory` of ours and of theirs, side by side: it is no matter of time."""
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(lambda side: peak_memory(case, side, threads, engine), ("ours", "theirs"))
    return ours, theirs


def peak_memory(case: Case, side: str, threads: Threads, engine: str) -> int | None:
    """Bytes that one call of ``side`` ("ours" or "theirs") needs beyond its data; None where it cannot be measured."""
    where = [case.build.__module__, case.build.__name__]
    command = [sys.executable, "-m", "benchmarks.memory", *where, side, str(threads)]
    environment = {**os.environ, **GIVE_BACK, "MINIMAL_ENGINE": engine}
    root = Path(__file__).parent.parent
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"measuring the memory of {case.name} ({side}) failed: {done.stderr.strip()[-500:]}")
    return int(done.stdout) if done.stdout.strip() else None


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _clear_shelves() -> None:
    """Have minimal keep no memory for the next call: the second one must ask for all that it needs."""
    memory: Any = sys.modules.get("minimal.autograd.kernels.memory")
    if memory is not None:
        memory._shelves = memory.Shelves(limit=0)


def _measure_here(build: Builder, side: str, threads: Threads) -> int | None:
    from benchmarks.measure import quiet
    from benchmarks.threads import limited

    if not os.access(RESET, os.W_OK):
        return None
    race = build()
    job = getattr(race, side)
    with limited(threads), quiet():
        job() if race.setup is None else job(race.setup())
        state = () if race.setup is None else (race.setup(),)
        _clear_shelves()  # not before: kernels are imported by the first call
        gc.collect()
        RESET.write_text("5")  # the peak starts again from what is held now
        before = _status("VmRSS")
        result = job(*state)
        peak = _status("VmHWM")
        del result
    return max(0, peak - before)


if __name__ == "__main__":
    from importlib import import_module

    module, builder, side, threads = sys.argv[1:]
    build = getattr(import_module(module), builder)
    found = _measure_here(build, side, "all" if threads == "all" else int(threads))
    print("" if found is None else found)
