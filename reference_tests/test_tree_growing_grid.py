"""A grid of chosen data under chosen rules, and any combination of both: every array of ``tree_``, bit for bit.

On both engines; the one case in which the NumPy engine does not keep every bit (sparse data, rounded sums) stands at the end.
What concerns the compiled splitters is in ``test_tree_splitters``; what holds without scikit-learn is in
``test_tree_growing_floor``.
"""

import warnings
from functools import cache

import numpy as np
import pytest
import scipy.sparse
import sklearn.datasets
import sklearn.tree

from minimal.tree import ordering_numpy
from minimal.tree.ordering_numpy import introsort

from .tree_cases import ARRAYS, assert_same_tree, labels_for, numbers_for, real, with_missing, with_ties

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")
CLASSIFIER, REGRESSOR = "DecisionTreeClassifier", "DecisionTreeRegressor"


def text_of(options):
    return " ".join(f"{name}={value}" for name, value in options.items()) or "defaults"


def fitted(model, job, options):
    """The tree; scikit-learn 1.9.1 warns that friedman_mse will go, and so do we (tested elsewhere)."""
    X, y, weight = job
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*friedman_mse.*", category=FutureWarning)
        return model(**options).fit(X, y, sample_weight=weight).tree_


def assert_grow_alike(implementation, parity, engine, name, job, options, data):
    ours = fitted(implementation(name), job, options)
    theirs = fitted(getattr(sklearn.tree, name), job, options)
    if engine == "numpy" and scipy.sparse.issparse(job[0]) and options.get("criterion") == "poisson":
        assert_same_to_rounding(parity, ours, theirs, data, text_of(options))
    else:
        assert_same_tree(parity, ours, theirs, data, text_of(options))


def assert_same_to_rounding(parity, ours, theirs, data, option):
    """The same structure, values to rounding."""
    reason = "on sparse data the samples of a node stand in another order, and so do the terms of its rounded sums"
    for array in ARRAYS:
        mine, other = getattr(ours, array), getattr(theirs, array)
        if array in ("impurity", "weighted_n_node_samples", "value"):
            parity.rounding(mine, other, what=f"tree_.{array}", data=data, option=option, reason=reason)
        else:
            parity.identical(mine, other, what=f"tree_.{array}", data=data, option=option)


# ---------------------------------------------------------------- chosen data under chosen rules


def near_equal(n=150):
    """Values that lie closer together than the 1e-7 which a tree calls equal, in chains, and just further apart."""
    rng = np.random.default_rng(5)
    steps = rng.choice([0, 4e-8, 9e-8, 1e-7, 1.1e-7, 3e-7], (n, 4)).cumsum(axis=0)
    return rng.permuted(steps, axis=0)


def weights_of(kind, n):
    rng = np.random.default_rng(9)
    return {
        "whole": rng.integers(1, 4, n).astype(float),
        "with zeros": rng.integers(0, 3, n).astype(float),
        "fractions": rng.random(n) + 0.1,
        "fractions and zeros": rng.random(n) * (rng.random(n) < 0.7),
    }[kind]


def sparse_ties(n=150):
    rng = np.random.default_rng(3)
    X = rng.integers(-2, 4, (n, 7)) * (rng.random((n, 7)) < 0.5).astype(float)
    X[:, 5] = 0
    X[:, 6] = np.abs(X[:, 6]) + 1  # no zeros are stored, and none are left out
    return scipy.sparse.csc_matrix(X)


@cache
def classification_jobs():
    """(X, y, weight) by name."""
    iris, wine = real(sklearn.datasets.load_iris), real(sklearn.datasets.load_wine)
    cancer, ties, missing, near = (
        real(sklearn.datasets.load_breast_cancer, 3),
        with_ties(),
        with_missing(),
        near_equal(),
    )
    sparse = sparse_ties()
    two = np.column_stack([labels_for(ties, 3), labels_for(ties, 2, seed=1)])
    jobs = {
        "iris": (*iris, None),
        "wine": (*wine, None),
        "breast_cancer": (*cancer, None),
        "digits": (*real(sklearn.datasets.load_digits, 20), None),
        "ties": (ties, labels_for(ties, 3), None),
        "near-equal values": (near, labels_for(near * 1e7, 2), None),
        "missing values": (missing, labels_for(missing, 2), None),
        "missing values, fractions as weights": (
            missing,
            labels_for(missing, 3),
            weights_of("fractions", len(missing)),
        ),
        "two outputs": (ties, two, None),
        "two outputs, fractions as weights": (ties, two, weights_of("fractions", len(ties))),
        "sparse": (sparse, labels_for(sparse.toarray(), 3), None),
        "sparse, whole weights": (sparse, labels_for(sparse.toarray(), 2), weights_of("with zeros", sparse.shape[0])),
        "a thousand": big_classification(),
        "a checkerboard": checkerboard(),
    }
    for kind in ("whole", "with zeros", "fractions", "fractions and zeros"):
        jobs[f"wine, {kind} as weights"] = (*wine, weights_of(kind, len(wine[1])))
    return jobs


def checkerboard():
    """No cut of any feature decreases the impurity until few samples are left: gains are zero, and tied."""
    X = np.array(list(np.ndindex(4, 4, 3)), dtype=float)
    return X, X.sum(axis=1).astype(int) % 2, None


def big_classification():
    """Enough samples, tied and not, for quicksort and long runs; fractions as weights make the order of samples matter."""
    rng = np.random.default_rng(8)
    X = np.column_stack([rng.integers(0, 6, 1000), rng.integers(0, 60, 1000), rng.standard_normal((1000, 2))])
    return X, labels_for(X, 3), rng.random(1000)


CLASSIFIER_RULES = [
    {},
    {"criterion": "entropy"},
    {"splitter": "random"},
    {"splitter": "random", "criterion": "log_loss", "max_features": "sqrt"},
    {"max_features": "sqrt"},
    {"max_features": 0.6, "max_depth": 4},
    {"max_leaf_nodes": 9},
    {"max_leaf_nodes": 40, "splitter": "random", "max_features": 2},
    {"min_samples_leaf": 4, "min_samples_split": 11},
    {"min_weight_fraction_leaf": 0.06, "criterion": "entropy"},
    {"min_impurity_decrease": 0.015},
    {"max_depth": 1},
]


@pytest.mark.parametrize("rules", CLASSIFIER_RULES, ids=text_of)
@pytest.mark.parametrize("data", classification_jobs())
def test_classification_trees(data, rules, engine, implementation, parity):
    options = {"random_state": 3, **rules}
    assert_grow_alike(implementation, parity, engine, CLASSIFIER, classification_jobs()[data], options, data)


@cache
def regression_jobs():
    """(X, y, weight) by name; no target is negative."""
    diabetes = real(sklearn.datasets.load_diabetes, 2)
    ties, missing, near, sparse = with_ties(), with_missing(), near_equal(), sparse_ties()
    rng = np.random.default_rng(8)
    big = np.column_stack([rng.integers(0, 6, 400), rng.integers(0, 60, 400), rng.standard_normal(400)])
    return {
        "diabetes": (*diabetes, None),
        "diabetes, fractions": (diabetes[0], diabetes[1] / 7, None),
        "diabetes, zeros as weights": (*diabetes, weights_of("fractions and zeros", len(diabetes[1]))),
        "ties": (ties, numbers_for(ties), None),
        "ties, whole weights": (ties, numbers_for(ties).round(), weights_of("with zeros", len(ties))),
        "ties, fractions as weights": (ties, numbers_for(ties), weights_of("fractions", len(ties))),
        "near-equal values": (near, numbers_for(near * 1e7), None),
        "missing values": (missing, numbers_for(missing), None),
        "missing values, weights": (missing, numbers_for(missing).round(1), weights_of("fractions", len(missing))),
        "two outputs": (ties, np.column_stack([numbers_for(ties), numbers_for(ties, seed=1)]), None),
        "sparse, whole numbers": (sparse, numbers_for(sparse.toarray()).round(), None),
        "many ties": (big, numbers_for(big), rng.random(400)),
    }


REGRESSOR_RULES = [
    {},
    {"criterion": "friedman_mse", "max_features": 0.5},
    {"criterion": "poisson"},
    {"criterion": "absolute_error", "max_depth": 3},
    {"criterion": "absolute_error", "splitter": "random", "max_leaf_nodes": 8},
    {"splitter": "random"},
    {"max_features": "sqrt", "max_depth": 5},
    {"max_leaf_nodes": 12},
    {"max_leaf_nodes": 20, "criterion": "poisson", "splitter": "random"},
    {"min_samples_leaf": 6, "min_samples_split": 15},
    {"min_weight_fraction_leaf": 0.08},
    {"min_impurity_decrease": 0.05},
]


@regressor
@pytest.mark.parametrize("rules", REGRESSOR_RULES, ids=text_of)
@pytest.mark.parametrize("data", regression_jobs())
def test_regression_trees(data, rules, engine, implementation, parity):
    options = {"random_state": 3, **rules}
    assert_grow_alike(implementation, parity, engine, REGRESSOR, regression_jobs()[data], options, data)


class OneSeed(np.random.RandomState):
    """A generator that seeds every tree with the same number."""

    def randint(self, *args, **kwargs):
        return 1_543_202_690  # two draws later xorshift has arrived at 2**31 - 1, the largest draw


@pytest.mark.parametrize("name", [CLASSIFIER, pytest.param(REGRESSOR, marks=regressor)])
def test_the_largest_draw(name, engine, implementation, parity):
    """The first draw chooses the feature, the second a threshold: the largest value, which would leave nothing right of it,
    so it becomes the smallest."""
    job = np.array([[0.0], [1.0], [1.0], [3.0]]), [0, 1, 1, 1], None
    options = {"splitter": "random", "random_state": OneSeed(0), "max_depth": 1}
    assert fitted(implementation(name), job, options).threshold[0] == 0
    assert_grow_alike(implementation, parity, engine, name, job, options, "the largest draw")


class Unsettled:
    """A value that decides how large it is when it is compared, so that a pivot turns out to be among the smallest (McIlroy,
    "A killer adversary for quicksort", 1999)."""

    n_settled, candidate = 0, None

    def __init__(self):
        self.value = np.inf

    def minus(self, other):
        if self.value == other.value == np.inf:
            first = self if self is Unsettled.candidate else other
            first.value = Unsettled.n_settled
            Unsettled.n_settled += 1
        if np.inf in (self.value, other.value):
            Unsettled.candidate = self if self.value == np.inf else other
        return 0 if self.value == other.value else self.value - other.value

    def __lt__(self, other):
        return self.minus(other) < 0

    def __gt__(self, other):
        return self.minus(other) > 0


def hard_to_sort(n):
    """Tied values for which quicksort gives up, and heapsort takes over."""
    Unsettled.n_settled, Unsettled.candidate = 0, None
    values = [Unsettled() for _ in range(n)]
    introsort(np.array(values, dtype=object))
    return np.floor(np.array([min(each.value, n) for each in values]) / 2)


@regressor
def test_values_that_are_hard_to_sort(engine, implementation, parity, monkeypatch):
    """Sums of fractions show the order in which heapsort leaves ties."""
    x, lengths = hard_to_sort(200), []
    monkeypatch.setattr(ordering_numpy, "_heapsort", lambda v, order, start, end: lengths.append(end - start))
    introsort(x)
    monkeypatch.undo()
    assert lengths == [172]
    rng = np.random.default_rng(0)
    X = np.column_stack([x, rng.permutation(x)])
    for options in ({}, {"max_features": 1}, {"criterion": "poisson"}):
        job = X, rng.random(200), rng.random(200)
        assert_grow_alike(
            implementation, parity, engine, REGRESSOR, job, {"random_state": 0, **options}, "hard to sort"
        )


MONOTONIC_RULES = [
    {},
    {"splitter": "random"},
    {"max_leaf_nodes": 10},
    {"min_samples_leaf": 5, "max_features": 3},
]


@pytest.mark.parametrize("rules", [*MONOTONIC_RULES, {"criterion": "entropy"}], ids=text_of)
@pytest.mark.parametrize("data", ["breast_cancer", "missing values", "near-equal values", "sparse, whole weights"])
def test_monotonic_classification_trees(data, rules, engine, implementation, parity):
    job = classification_jobs()[data]
    signs = np.resize([1, -1, 0], job[0].shape[1])
    options = {"random_state": 1, "monotonic_cst": signs, **rules}
    assert_grow_alike(implementation, parity, engine, CLASSIFIER, job, options, data)


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "poisson", "absolute_error"])
@pytest.mark.parametrize("rules", MONOTONIC_RULES, ids=text_of)
@pytest.mark.parametrize("data", ["ties", "missing values", "sparse, whole numbers"])
def test_monotonic_regression_trees(data, rules, criterion, engine, implementation, parity):
    job = regression_jobs()[data]
    signs = np.resize([1, -1, 0], job[0].shape[1])
    options = {"random_state": 1, "monotonic_cst": signs, "criterion": criterion, "max_depth": 4, **rules}
    assert_grow_alike(implementation, parity, engine, REGRESSOR, job, options, data)


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", [CLASSIFIER, pytest.param(REGRESSOR, marks=regressor)])
def test_ten_seeds(name, seed, engine, implementation, parity):
    jobs, rules = (
        (classification_jobs(), CLASSIFIER_RULES) if name == CLASSIFIER else (regression_jobs(), REGRESSOR_RULES)
    )
    for data, job in jobs.items():
        for options in rules[::3] if engine == "numpy" else rules:
            assert_grow_alike(implementation, parity, engine, name, job, {"random_state": seed, **options}, data)


# ---------------------------------------------------------------- any combination


def drawn_columns(rng, n):
    """A matrix whose columns are of all kinds."""
    kinds = [
        lambda: rng.standard_normal(n),
        lambda: rng.integers(0, 3, n).astype(float),
        lambda: rng.integers(0, 20, n) / 7,
        lambda: np.full(n, rng.standard_normal()),
        lambda: rng.choice([0, 5e-8, 1e-7, 1.5e-7, 2e-7], n),
        lambda: rng.standard_normal(n) * 1e30,
        lambda: (np.arange(n) % 2).astype(float) * -1,
    ]
    return np.column_stack([kinds[rng.integers(len(kinds))]() for _ in range(rng.integers(1, 9))])


def drawn_rules(rng, d):
    """Rules, each of them present now and then."""
    choices = {
        "splitter": ["random"],
        "max_depth": [1, 3, 6],
        "min_samples_split": [5, 0.1],
        "min_samples_leaf": [2, 7, 0.05],
        "min_weight_fraction_leaf": [0.01, 0.1],
        "max_features": ["sqrt", "log2", 0.5, 1, d],
        "max_leaf_nodes": [2, 5, 30],
        "min_impurity_decrease": [1e-3, 0.05],
    }
    options = {"random_state": int(rng.integers(2**31))}
    for name, values in choices.items():
        if rng.random() < 0.25:
            options[name] = values[rng.integers(len(values))]
    return options


def drawn_job(rng, is_classification):
    """(X, y, weight), options, and a few words about them."""
    n = int(rng.choice([3, 12, 40, 90, 200]))
    X = drawn_columns(rng, n)
    options = drawn_rules(rng, X.shape[1])
    n_outputs = int(rng.choice([1, 1, 1, 2, 3]))
    n_classes = int(rng.integers(2, 5)) if is_classification else 1
    if is_classification:
        y = rng.integers(0, n_classes, (n, n_outputs))
        options["criterion"] = str(rng.choice(["gini", "entropy"]))
    else:
        y = np.round(rng.random((n, n_outputs)) * 9, int(rng.integers(0, 3))) + 0.5
        options["criterion"] = str(
            rng.choice(["squared_error", "squared_error", "friedman_mse", "poisson", "absolute_error"])
        )
    if n_outputs == 1 and n_classes < 3 and rng.random() < 0.3:
        options["monotonic_cst"] = rng.integers(-1, 2, X.shape[1])
    weights = [None, None, rng.integers(0, 4, n) + 0.0, rng.random(n), rng.random(n) * (rng.random(n) < 0.6) + 1e-3]
    weight = weights[rng.integers(len(weights))]
    if weight is not None:
        weight[0] = 1.0  # not all zero
    kind = rng.choice(["dense", "missing", "sparse"])
    if kind == "missing":
        X[rng.random(X.shape) < rng.choice([0.02, 0.4])] = np.nan
    elif kind == "sparse":
        X = scipy.sparse.csc_matrix(X * (rng.random(X.shape) < 0.5))
    return (X, y[:, 0] if n_outputs == 1 else y, weight), options, f"drawn, {kind}"


def check_drawn(name, seeds, engine, implementation, parity):
    for seed in seeds:
        job, options, data = drawn_job(np.random.default_rng(seed), name == CLASSIFIER)
        X, y, weight = job
        sums_are_exact = name == CLASSIFIER and (weight is None or np.array_equal(weight, np.floor(weight)))
        if engine == "numpy" and scipy.sparse.issparse(X) and not sums_are_exact:
            job = X.toarray(), y, weight  # see test_sparse_rounded_sums
        assert_grow_alike(implementation, parity, engine, name, job, options, f"{data}, seed {seed}")


@pytest.mark.parametrize("name", [CLASSIFIER, pytest.param(REGRESSOR, marks=regressor)])
@pytest.mark.parametrize("tens", range(2))
def test_any_combination(tens, name, engine, implementation, parity):
    check_drawn(name, range(10 * tens, 10 * tens + 10), engine, implementation, parity)


@pytest.mark.wide
@pytest.mark.parametrize("name", [CLASSIFIER, pytest.param(REGRESSOR, marks=regressor)])
@pytest.mark.parametrize("tens", range(2, 32))
def test_many_combinations(tens, name, engine, implementation, parity):
    check_drawn(name, range(10 * tens, 10 * tens + 10), engine, implementation, parity)


# ---------------------------------------------------------------- where the NumPy engine does not keep every bit


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "poisson"])
def test_sparse_rounded_sums(criterion, engine, implementation, parity):
    """Each feature has many distinct values, so no two splits are equally good: the same structure, values to rounding."""
    rng = np.random.default_rng(4)
    X = scipy.sparse.csc_matrix(rng.standard_normal((200, 5)) * (rng.random((200, 5)) < 0.6))
    y, weight = numbers_for(X.toarray()), rng.random(200) + 0.1
    options = {"random_state": 0, "criterion": criterion, "min_samples_leaf": 8}
    ours = implementation(REGRESSOR)(**options).fit(X, y, sample_weight=weight).tree_
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y, sample_weight=weight).tree_
    compare = assert_same_tree if engine == "numba" else assert_same_to_rounding
    compare(parity, ours, theirs, "sparse, fractions", text_of(options))
