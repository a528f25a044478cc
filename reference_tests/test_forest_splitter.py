"""What forests ask of the compiled growers: the splitter that draws few features, and an end when Ctrl-C says so.

A forest grows trees on threads for as long as it takes, so an interrupt comes while compiled text runs, on one thread or on
several; all of them must give way.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from importlib import import_module

import numpy as np
import pytest

import minimal
from minimal.ensemble import RandomForestClassifier
from minimal.threads import run_blocks, stop_if_asked
from minimal.tree import DecisionTreeClassifier, DecisionTreeRegressor

INTERRUPTED = {
    "forest": ("drawn_splitter_numba", RandomForestClassifier(random_state=0, n_jobs=1)),
    "forest, two jobs": ("drawn_splitter_numba", RandomForestClassifier(random_state=0, n_jobs=2)),
    "forest, entropy": ("drawn_splitter_numba", RandomForestClassifier(random_state=0, criterion="entropy")),
    "tree": ("counting_splitter_numba", DecisionTreeClassifier(random_state=0)),
    "regression tree": ("regression_splitter_numba", DecisionTreeRegressor(random_state=0)),
    "random splits": ("general_splitter_numba", DecisionTreeClassifier(random_state=0, splitter="random")),
}


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_while_compiled_text_runs(name, monkeypatch):
    """The signal is sent when the builder has begun: it waits until the builder returns to Python."""
    module, estimator = INTERRUPTED[name]
    module = import_module(f"minimal.tree.{module}")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((150_000, 12)).astype(np.float32), rng.integers(0, 2, 150_000)
    sent = []

    def interrupt():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.06, interrupt)
    advance, begun = module.advance, iter([timer.start])

    def advance_and_interrupt(*arguments):
        for begin in begun:
            begin()
        return advance(*arguments)

    with minimal.engine("numba"):
        estimator.fit(X[:2000], y[:2000])  # compiling cannot be interrupted
        del estimator.n_features_in_
        monkeypatch.setattr(module, "advance", advance_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(X, y)
        assert time.perf_counter() - sent[0] < 1.0
    assert not hasattr(estimator, "n_features_in_")


def test_a_block_that_asks_ends_when_another_has_failed():
    ended = []

    def work(block):
        if block == 0:
            time.sleep(0.05)
            raise OverflowError("the first block")
        deadline = time.perf_counter() + 5.0
        try:
            while time.perf_counter() < deadline:
                stop_if_asked()
        finally:
            ended.append(deadline - time.perf_counter())

    with pytest.raises(OverflowError, match="the first block"):
        run_blocks(work, 2, 2)
    assert len(ended) == 1
    assert ended[0] > 3.0
    stop_if_asked()  # and nobody else ends
    run_blocks(lambda block: stop_if_asked(), 4, 2)


def test_blocks_inside_a_block_end_when_another_has_failed():
    done = []

    def inner(block):
        time.sleep(0.01)
        done.append(block)

    def work(block):
        if block == 0:
            time.sleep(0.05)
            raise OverflowError("the first block")
        run_blocks(inner, 300)

    with pytest.raises(OverflowError, match="the first block"):
        run_blocks(work, 2, 2)
    assert 0 < len(done) < 100
