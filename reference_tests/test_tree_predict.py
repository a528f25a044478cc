"""From the root to a leaf: every sample must end where scikit-learn's ends, on data of every kind, size and memory order.

The oracles are the fitted trees of scikit-learn, and for what no library can move, walks by hand in plain Python.
"""

from functools import lru_cache

import numpy as np
import pytest
import scipy.sparse
import sklearn.tree

from minimal.engine import get_engine, twin
from minimal.threads import get_num_threads, set_num_threads
from minimal.tree.growth import LEAF

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")

KINDS = ["full", "stump", "best-first", "missing", "ties", "one leaf"]
COMPLETE = [kind for kind in KINDS if kind != "missing"]
LAYOUTS = {
    "C, float64": lambda X: np.ascontiguousarray(X),
    "F, float64": lambda X: np.asfortranarray(X),
    "C, float32": lambda X: np.ascontiguousarray(X, dtype=np.float32),
    "F, float32": lambda X: np.asfortranarray(X, dtype=np.float32),
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "rows backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
}
SIZES = [1, 2, 7, 8, 9, 15, 1023, 1024, 1025, 8191, 8192, 8193]  # around groups, blocks and shares of the compiled walk
OPTIONS = {"stump": {"max_depth": 1}, "best-first": {"max_leaf_nodes": 30}, "one leaf": {"min_samples_split": 1000}}


@lru_cache
def training_data(kind):
    """600 samples of 6 features, three classes; ``missing`` leaves out values, ``ties`` has few of them."""
    rng = np.random.default_rng(KINDS.index(kind))
    X = rng.normal(size=(600, 6))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0.3)
    if kind == "missing":
        X[rng.random(X.shape) < 0.15] = np.nan
    if kind == "ties":
        X = X.round(0)
    return X, y


@lru_cache
def queries(kind, n=3000):
    """Samples that the tree has not seen; with ``ties`` many stand on a threshold or beside it in float32."""
    rng = np.random.default_rng(99)
    X = rng.normal(size=(n, 6))
    if kind == "ties":
        X = X.round(0) + 0.5
        X = np.where(rng.random(X.shape) < 0.3, np.nextafter(X.astype(np.float32), np.float32(9)), X)
    if kind == "missing":
        X[rng.random(X.shape) < 0.15] = np.nan
    return X


def both(name, kind, implementation):
    """Our estimator and scikit-learn's, fitted to the same data."""
    return fitted(implementation(name), name, kind, get_engine()), fitted(getattr(sklearn.tree, name), name, kind, "")


@lru_cache
def fitted(estimator, name, kind, engine):
    """An estimator fitted once for all tests (and for each engine)."""
    X, y = training_data(kind)
    if name == "DecisionTreeRegressor":
        y = y / 3 if kind == "missing" else y + 0.1 * X[:, 3]
    return estimator(random_state=0, **OPTIONS.get(kind, {})).fit(X, y)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_classifier_in_every_memory_order(kind, layout, engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", kind, implementation)
    X = LAYOUTS[layout](queries(kind))
    for method in ("apply", "predict", "predict_proba"):
        parity.identical(getattr(ours, method)(X), getattr(theirs, method)(X), what=method, data=kind, option=layout)


@regressor
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_regressor_in_every_memory_order(kind, layout, engine, implementation, parity):
    ours, theirs = both("DecisionTreeRegressor", kind, implementation)
    X = LAYOUTS[layout](queries(kind))
    for method in ("apply", "predict"):
        parity.identical(getattr(ours, method)(X), getattr(theirs, method)(X), what=method, data=kind, option=layout)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", ["full", "missing"])
def test_any_number_of_rows(kind, n, engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", kind, implementation)
    for layout in ("C, float64", "F, float32"):
        X = LAYOUTS[layout](queries(kind, 8193)[:n])
        parity.identical(ours.apply(X), theirs.apply(X), what="apply", data=kind, option=f"{n} rows, {layout}")


@pytest.mark.parametrize("kind", ["full", "stump", "best-first", "ties"])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.7])
def test_sparse_rows(density, kind, engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", kind, implementation)
    rng = np.random.default_rng(5)
    X = np.where(rng.random((2000, 6)) < density, queries(kind, 2000), 0.0)
    for make in (scipy.sparse.csr_matrix, scipy.sparse.csr_array, scipy.sparse.csc_matrix):
        for method in ("apply", "predict", "predict_proba"):
            mine, other = getattr(ours, method)(make(X)), getattr(theirs, method)(make(X))
            parity.identical(mine, other, what=method, data=kind, option=f"{make.__name__}, density {density}")


def test_sparse_rows_with_an_entry_stored_twice_and_out_of_order(engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", "full", implementation)
    data = np.array([2.0, -1.0, 0.5, -2.0, 1.5], dtype=np.float32)
    indices, indptr = np.array([4, 1, 0, 0, 2], dtype=np.int32), np.array([0, 2, 2, 5], dtype=np.int32)
    X = scipy.sparse.csr_matrix((data, indices, indptr), shape=(3, 6))
    parity.identical(ours.tree_.apply(X), theirs.tree_.apply(X), what="tree_.apply", option="entry stored twice")


@pytest.mark.parametrize(("kind", "sparse"), [(kind, False) for kind in KINDS] + [(kind, True) for kind in COMPLETE])
def test_decision_paths(kind, sparse, engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", kind, implementation)
    X = queries(kind, 500)
    X = scipy.sparse.csr_matrix(np.where(X > 0, X, 0)) if sparse else X
    mine, other = ours.decision_path(X), theirs.decision_path(X)
    assert type(mine) is type(other)
    for part in ("data", "indices", "indptr"):
        what = f"decision_path.{part}"
        parity.identical(getattr(mine, part), getattr(other, part), what=what, data=kind, option=f"sparse={sparse}")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, -3.5e38])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_float32_cannot_hold_is_an_error(layout, value, engine, implementation):
    message = r"Input X contains infinity or a value too large for dtype\('float32'\)"
    for place in (0, 5, 1500, 2999):
        X = queries("full").copy()
        X[place, 5] = value
        with np.errstate(over="ignore"):
            X = LAYOUTS[layout](X)
            for estimator in fitted_for_errors(implementation):
                with pytest.raises(ValueError, match=message):
                    estimator.predict(X)


def fitted_for_errors(implementation):
    """A tree that looks at one feature only: what is in the others must be noticed all the same."""
    X, y = training_data("full")
    options = {"max_depth": 1}
    return (
        implementation("DecisionTreeClassifier")(**options).fit(X, y),
        sklearn.tree.DecisionTreeClassifier(**options).fit(X, y),
    )


def test_the_largest_floats_are_no_error(engine, implementation, parity):
    ours, theirs = both("DecisionTreeClassifier", "full", implementation)
    largest = float(np.finfo(np.float32).max)
    X = np.array([[largest] * 6, [-largest] * 6, [1e-46] * 6, [-0.0] * 6])
    mine = ours.apply(X)
    with np.errstate(invalid="ignore"):  # the reference adds up infinities on the way
        other = theirs.apply(X)
    parity.identical(mine, other, what="apply", data="the largest and smallest floats")


@regressor
def test_thresholds_between_two_floats(engine, implementation, parity):
    """The middle of two neighbours in float32 is no float32: whoever rounds it up sends the right one left."""
    x = np.float32(4) + np.arange(80, dtype=np.float32) * np.spacing(np.float32(4), dtype=np.float32)
    values = np.concatenate([x, -x])
    X, y = values.reshape(-1, 1), np.arange(len(values)) / 7
    ours, theirs = implementation("DecisionTreeRegressor")().fit(X, y), sklearn.tree.DecisionTreeRegressor().fit(X, y)
    assert theirs.get_n_leaves() == 160
    parity.identical(ours.tree_.threshold, theirs.tree_.threshold, what="tree_.threshold", data="neighbouring floats")
    for sample in (X, np.nextafter(X, np.float32(-9)), np.nextafter(X, np.float32(9))):
        parity.identical(ours.predict(sample), theirs.predict(sample), what="predict", data="neighbouring floats")


@regressor
def test_a_very_deep_tree(engine, implementation, parity):
    """One sample splits off at a time: as many levels as samples."""
    X, y = np.arange(300.0).reshape(-1, 1), 3.0 ** np.arange(300)
    ours = implementation("DecisionTreeRegressor")().fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor().fit(X, y)
    assert theirs.get_depth() > 200
    parity.identical(ours.apply(X), theirs.apply(X), what="apply", data=f"depth {theirs.get_depth()}")
    mine, other = ours.decision_path(X[::7]), theirs.decision_path(X[::7])
    parity.identical(mine.indices, other.indices, what="decision_path.indices", data=f"depth {theirs.get_depth()}")


@pytest.mark.parametrize("kind", ["full", "missing"])
def test_any_number_of_threads_gives_the_same_leaves(kind, engine, implementation):
    ours, _ = both("DecisionTreeClassifier", kind, implementation)
    X = queries(kind, 40_000)
    S = scipy.sparse.csr_matrix(np.where(X > 0.5, X, 0)) if kind == "full" else X
    before, answers = get_num_threads(), []
    try:
        for n in (1, 2, 5):
            set_num_threads(n)
            answers.append((ours.apply(X), ours.apply(np.asfortranarray(X)), ours.apply(S)))
    finally:
        set_num_threads(before)
    for some in answers[1:]:
        for mine, first in zip(some, answers[0], strict=True):
            np.testing.assert_array_equal(mine, first)
    np.testing.assert_array_equal(answers[0][0], answers[0][1])


def test_a_bad_value_is_found_by_whichever_thread_meets_it(engine, implementation):
    ours, _ = fitted_for_errors(implementation)
    X = np.zeros((40_000, 6))
    X[39_999, 5] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        ours.predict(X)


# ---------------------------------------------------------------- by hand


def walk_by_hand(left, right, feature, threshold, missing_left, x):
    node = 0
    while left[node] != LEAF:
        value = x[feature[node]]
        goes_left = missing_left[node] if np.isnan(value) else value <= threshold[node]
        node = left[node] if goes_left else right[node]
    return node


@pytest.mark.parametrize("seed", range(5))
def test_trees_in_any_order_of_nodes(seed, engine):
    """A tree whose nodes are numbered at random, with thresholds at infinity and missing values going either way."""
    rng = np.random.default_rng(seed)
    n = 2 * int(rng.integers(1, 60)) + 1
    left, right = np.full(n, LEAF), np.full(n, LEAF)
    free, leaves = list(rng.permutation(np.arange(1, n))), [0]
    while free:
        node = leaves.pop(int(rng.integers(len(leaves))))
        left[node], right[node] = free.pop(), free.pop()
        leaves += [left[node], right[node]]
    feature = np.where(left == LEAF, -2, rng.integers(0, 3, n))
    threshold = np.where(left == LEAF, -2.0, np.where(rng.random(n) < 0.2, np.inf, rng.normal(size=n)))
    missing_left = rng.integers(0, 2, n).astype(np.uint8)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    X[rng.random(X.shape) < 0.3] = np.nan
    walking = twin("minimal.tree.walking")
    ends, is_finite = walking.apply(walking.pack(left, right, feature, threshold, missing_left), X)
    assert is_finite
    expected = [walk_by_hand(left, right, feature, threshold, missing_left, x) for x in X]
    np.testing.assert_array_equal(ends, expected)
