"""The compiled splitters: each grows the tree of the general one, on any number of threads, deep trees, and under Ctrl-C.

What trees grow from what data is held to scikit-learn in ``test_tree_growing_grid``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from importlib import import_module

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.datasets
import sklearn.tree

import minimal
from minimal.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .tree_cases import ARRAYS, assert_same_tree

COMPONENT = "DecisionTreeClassifier"
BOTH = ["DecisionTreeClassifier", "DecisionTreeRegressor"]


@pytest.fixture
def threads():
    before = minimal.get_num_threads()
    yield
    minimal.set_num_threads(before)


def grown_by_each_splitter(monkeypatch, estimator, X, y, weight, large):
    """The tree by every splitter that can grow it, the general one last.

    ``large`` (None: as it is) says from how many samples times features on a node goes through Python and the threads.
    """
    from minimal.tree import growing_numba

    growths = []
    grow = growing_numba.grow
    monkeypatch.setattr(
        growing_numba, "grow", lambda growth, shared=None: growths.append(growth) or grow(growth, shared)
    )
    with minimal.engine("numba"):
        estimator.fit(X, y, sample_weight=weight)
    [growth] = growths
    grown = {}
    for name in growing_numba.SPLITTERS:
        module = import_module(name)
        if large is not None:
            monkeypatch.setattr(module, "LARGE", large)
        if module.can_grow(growth):
            grown[name] = growing_numba.grow_with(module, growth, growing_numba.share(growth.X, growth.missing))
    return grown


SPLITTER_CASES = {
    "gini": (DecisionTreeClassifier, {}),
    "gini, large leaves": (DecisionTreeClassifier, {"min_samples_leaf": 7}),
    "entropy": (DecisionTreeClassifier, {"criterion": "entropy", "min_samples_leaf": 3}),
    "few features": (DecisionTreeClassifier, {"max_features": 2}),
    "best-first": (DecisionTreeClassifier, {"max_leaf_nodes": 40}),
    "squared error": (DecisionTreeRegressor, {}),
    "squared error, few features": (DecisionTreeRegressor, {"max_features": 2}),
}


@pytest.mark.parametrize("large", [None, 2000], ids=["small nodes", "large nodes"])
@pytest.mark.parametrize("kind", ["plain", "ties", "missing"])
@pytest.mark.parametrize(
    ("case", "n_classes"),
    [
        (case, n)
        for case, (Model, _) in SPLITTER_CASES.items()
        for n in (2, 3, 7)
        if n == 2 or Model is DecisionTreeClassifier
    ],
)
def test_every_splitter_grows_the_same_tree(case, kind, n_classes, large, monkeypatch, threads):
    minimal.set_num_threads(1 if large is None else 3)
    Model, options = SPLITTER_CASES[case]
    rng = np.random.default_rng(3)
    X = rng.standard_normal((1500, 8))
    if kind == "ties":
        X = X.round(1)
    elif kind == "missing":
        X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.integers(0, n_classes, 1500) if Model is DecisionTreeClassifier else rng.standard_normal(1500)
    weight = rng.integers(0, 3, 1500).astype(float)
    grown = grown_by_each_splitter(monkeypatch, Model(random_state=1, **options), X, y, weight, large)
    if kind != "missing":
        assert len(grown) >= 2, "no fast splitter takes this case"
    *fast, general = grown.values()
    for other in fast:
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(other, name), getattr(general, name))


def test_no_splitter_is_idle(monkeypatch):
    from minimal.tree import growing_numba

    used = set()
    choose = growing_numba.splitter_module
    monkeypatch.setattr(
        growing_numba, "splitter_module", lambda growth: used.add(choose(growth).__name__) or choose(growth)
    )
    X, y = sklearn.datasets.load_iris(return_X_y=True)
    with minimal.engine("numba"):
        for Model, options in [
            *SPLITTER_CASES.values(),
            (DecisionTreeClassifier, {"splitter": "random"}),
            (DecisionTreeClassifier, {"max_features": 1}),
        ]:
            Model(**options).fit(np.repeat(X, 20, axis=0), np.repeat(y, 20))
    assert used == set(growing_numba.SPLITTERS)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("options", [{}, {"max_leaf_nodes": 50}, {"max_features": 3}], ids=str)
def test_two_threads_grow_the_tree_of_one(name, options, threads):
    rng = np.random.default_rng(0)
    X, target = rng.standard_normal((60_000, 8)), rng.standard_normal(60_000)
    y = target if name == "DecisionTreeRegressor" else (target + X[:, 0] > 0).astype(int)
    trees = []
    with minimal.engine("numba"):
        for n_threads in (1, 2):
            minimal.set_num_threads(n_threads)
            trees.append(getattr(minimal.tree, name)(random_state=0, max_depth=9, **options).fit(X, y).tree_)
    for array in ARRAYS:
        np.testing.assert_array_equal(getattr(trees[0], array), getattr(trees[1], array))


@pytest.mark.parametrize("n", [400, pytest.param(10_500, marks=pytest.mark.wide)])
def test_deep_tree(n, engine, implementation, parity):
    """Every feature tells one sample from all others, so that every split cuts off one."""
    X = sp.eye_array(n, format="csc") if n > 1000 else np.eye(n)
    y = np.arange(n) % 2
    ours, theirs = (
        Model(random_state=0, max_features=1).fit(X, y)
        for Model in (implementation("DecisionTreeClassifier"), sklearn.tree.DecisionTreeClassifier)
    )
    assert theirs.get_depth() > 0.96 * n
    assert_same_tree(parity, ours.tree_, theirs.tree_, data=f"an identity matrix of {n} rows")
    assert ours.score(X, y) == 1.0


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_stops_a_fit_within_a_second_and_leaves_it_unfitted(name, n_threads, threads):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((400_000, 10)).astype(np.float32), rng.integers(0, 2, 400_000)
    Model = getattr(minimal.tree, name)
    minimal.set_num_threads(n_threads)
    sent = []

    def interrupt():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    with minimal.engine("numba"):
        Model(max_depth=2).fit(X[:5000], y[:5000])  # compiling cannot be interrupted
        tree = Model()
        timer = threading.Timer(0.25, interrupt)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            tree.fit(X, y)
        assert time.perf_counter() - sent[0] < 1.0
    assert not hasattr(tree, "tree_")
    assert not hasattr(tree, "n_features_in_")
