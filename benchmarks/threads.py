"""The same number of threads on both sides."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

import minimal
from benchmarks.frame import Threads


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_number(threads: Threads) -> int:
    return cores() if threads == "all" else int(threads)


@contextmanager
def _pytorch(n: int) -> Iterator[None]:
    """PyTorch, if it is loaded, uses ``n`` threads: it keeps a count of its own, for the MKL inside it too."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def limited(threads: Threads) -> Iterator[int]:
    """Inside the block minimal's kernels, BLAS, OpenMP and PyTorch all use this many threads.

    A library that is loaded inside the block does not hear of it: enter after the case is built.
    """
    n, before = as_number(threads), minimal.get_num_threads()
    minimal.set_num_threads(n)
    try:
        with _pytorch(n), threadpool_limits(limits=n):
            yield n
    finally:
        minimal.set_num_threads(before)
