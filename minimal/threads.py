"""Work in blocks of rows, shared among threads, with an answer that does not depend on how many there are.

A compiled kernel releases the interpreter's lock, so ordinary Python threads run it side by side.  The rows are cut into
blocks whose size depends on the data alone; each block writes its own partial result; the caller combines the partial
results in block order.  Two threads and twenty therefore add up the same numbers in the same order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _checked(n: int) -> int:
    if n < 1:
        raise ValueError(f"The number of threads must be at least 1. Got {n} instead.")
    return n


_num_threads = _checked(int(os.environ.get("MINIMAL_NUM_THREADS") or _available()))


def get_num_threads() -> int:
    """How many threads a compiled kernel may use.  At the start: ``MINIMAL_NUM_THREADS``, or every available core."""
    return _num_threads


def set_num_threads(n: int) -> None:
    """Let compiled kernels use up to ``n`` threads.  The answers do not change, only the time.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If ``n`` is below one.
    """
    global _num_threads
    _num_threads = _checked(n)


@lru_cache(maxsize=1)
def _pool(n: int, process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n, thread_name_prefix="minimal")


def run_blocks(work: Callable[[int], None], n_blocks: int) -> None:
    """Call ``work(0), ..., work(n_blocks - 1)``, each once, on up to :func:`get_num_threads` threads.

    The calling thread does its share of the work; an error in any block is raised here.

    Parameters
    ----------
    work : callable ``work(block)``
        Must write only to places that belong to its block.  Threads help only while it releases the interpreter's lock.
    n_blocks : int
        With 0 nothing is called.
    """
    n_workers = min(_num_threads, n_blocks)
    if n_workers <= 1:
        for block in range(n_blocks):
            work(block)
        return

    def share(worker: int) -> None:
        for block in range(worker, n_blocks, n_workers):
            work(block)

    pool = _pool(_num_threads, os.getpid())  # a forked child cannot use its parent's threads
    others = [pool.submit(share, worker) for worker in range(1, n_workers)]
    try:
        share(0)
    finally:
        for other in others:
            other.result()
