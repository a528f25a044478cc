"""Work in blocks of rows, shared among threads, with an answer that does not depend on how many there are.

A compiled kernel releases the interpreter's lock, so ordinary Python threads run it side by side.  The rows are cut into
blocks whose size depends on the data alone; each block writes its own partial result; the caller combines the partial
results in block order.  Two threads and twenty therefore add up the same numbers in the same order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
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


_this_thread = threading.local()


class Stopped(BaseException):
    """Another block has failed, so nobody waits for this one any more."""


def stop_if_asked() -> None:
    """For work that takes long, now and then: end this block here if another block has failed, Ctrl-C included.

    Raises
    ------
    Stopped
        Which :func:`run_blocks` takes for an end.
    """
    if getattr(_this_thread, "is_stopped", bool)():
        raise Stopped


@lru_cache(maxsize=4)
def _pool(n: int, process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n, thread_name_prefix="minimal")


def run_blocks(work: Callable[[int], None], n_blocks: int, n_threads: int | None = None) -> None:
    """Call ``work(0), ..., work(n_blocks - 1)``, each once, on several threads.

    The calling thread does its share of the work; an error in any block is raised here.  After an error, Ctrl-C included,
    no further block begins, and those that ask (:func:`stop_if_asked`) end early.

    Parameters
    ----------
    work : callable ``work(block)``
        Must write only to places that belong to its block.  Threads help only while it releases the interpreter's lock.
        A ``run_blocks`` inside it runs serially: the threads are taken.
    n_blocks : int
        With 0 nothing is called.
    n_threads : int, optional
        How many threads, at least 1.  Default: :func:`get_num_threads`.
    """
    n_workers = 1 if getattr(_this_thread, "is_sharing", False) else min(n_threads or _num_threads, n_blocks)
    if n_workers <= 1:
        for block in range(n_blocks):
            stop_if_asked()
            work(block)
        return

    next_block = iter(range(n_blocks))  # advancing it is atomic: each block goes to the thread that asks first
    stop = False

    def share() -> None:
        nonlocal stop
        _this_thread.is_sharing, _this_thread.is_stopped = True, lambda: stop
        try:
            for block in next_block:
                if stop:
                    return
                work(block)
        except Stopped:
            return
        except BaseException:
            stop = True
            raise
        finally:
            _this_thread.is_sharing, _this_thread.is_stopped = False, bool

    others = [_pool(n_workers, os.getpid()).submit(copy_context().run, share) for _ in range(n_workers - 1)]
    try:
        share()
        for other in others:
            other.result()
    except BaseException:
        stop = True
        wait(others)
        raise
