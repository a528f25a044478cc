"""What every decision tree must do, whatever library it is compared with.

Splits worked out by hand; a search through all splits as plain loops; what must not change when rows, weights or features are
written differently; that the improvements add up to what the tree has explained; and trees at the edges: very deep, very
small, very large, of rows that are all alike.
"""

from math import log2

import numpy as np
import pytest
import scipy.sparse

import minimal

from .tree_cases import ARRAYS, classification, labels_for, numbers_for, regression, with_missing, with_ties

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")
CLASSIFIER, REGRESSOR = "DecisionTreeClassifier", "DecisionTreeRegressor"
BOTH = pytest.mark.parametrize("name", [CLASSIFIER, pytest.param(REGRESSOR, marks=regressor)])


def column(*values):
    return np.array(values, dtype=float)[:, np.newaxis]


def assert_equal_trees(one, other, arrays=ARRAYS):
    for name in arrays:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


# ---------------------------------------------------------------- worked out by hand


def test_gini_by_hand(engine, implementation):
    """Values 1 2 3 4 of classes a a b a.  Proxy -4 gini: cutting after 2 leaves 0 + 2 (1/2); after 1 or 3: 3 (4/9)."""
    tree = implementation(CLASSIFIER)(max_depth=1).fit(column(1, 2, 3, 4), ["a", "a", "b", "a"]).tree_
    assert tree.threshold[0] == 2.5
    assert tree.feature.tolist() == [0, -2, -2]
    assert tree.impurity.tolist() == [1 - (9 + 1) / 16, 0.0, 0.5]
    assert tree.value[:, 0, :].tolist() == [[0.75, 0.25], [1.0, 0.0], [0.5, 0.5]]
    assert tree.n_node_samples.tolist() == [4, 2, 2]
    assert (tree.children_left.tolist(), tree.children_right.tolist()) == ([1, -1, -1], [2, -1, -1])


def test_entropy_by_hand(engine, implementation):
    """Entropy of 1 and 3 samples in bits; a weight of 3 counts like three samples."""
    model = implementation(CLASSIFIER)(criterion="entropy")
    tree = model.fit(column(5, 9), [0, 1], sample_weight=[1, 3]).tree_
    assert tree.impurity[0] == pytest.approx(-(log2(1 / 4) / 4 + 3 * log2(3 / 4) / 4), rel=1e-15)
    assert tree.threshold[0] == 7.0
    assert tree.weighted_n_node_samples.tolist() == [4.0, 1.0, 3.0]


@regressor
def test_squared_error_by_hand(engine, implementation):
    """Targets 0 0 3 5: cutting in the middle explains 4**2 (1/2 1/2) of the variance 4.5."""
    tree = implementation(REGRESSOR)(max_depth=1).fit(column(0, 1, 2, 3), [0, 0, 3, 5]).tree_
    assert tree.threshold[0] == 1.5
    assert tree.value[:, 0, 0].tolist() == [2.0, 0.0, 4.0]
    assert tree.impurity.tolist() == [4.5, 0.0, 1.0]


@regressor
def test_absolute_error_by_hand(engine, implementation):
    """The median of 1 0 1 9 9 is 1, those of 1 0 1 and 9 9 are 1 and 9; impurity is the mean distance from them."""
    model = implementation(REGRESSOR)(criterion="absolute_error", max_depth=1)
    tree = model.fit(column(0, 1, 2, 3, 4), [1, 0, 1, 9, 9]).tree_
    assert tree.threshold[0] == 2.5
    assert tree.value[:, 0, 0].tolist() == [1.0, 1.0, 9.0]
    np.testing.assert_allclose(tree.impurity, [(0 + 1 + 0 + 8 + 8) / 5, 1 / 3, 0], rtol=1e-15)


@regressor
def test_poisson_by_hand(engine, implementation):
    """Half the deviance: mean(y log(y / m)), m = 2, is (log(1/2) + 3 log(3/2)) / 2 for 1 and 3."""
    tree = implementation(REGRESSOR)(criterion="poisson").fit(column(0, 1), [1, 3]).tree_
    assert tree.impurity[0] == pytest.approx((np.log(0.5) + 3 * np.log(1.5)) / 2, rel=1e-15)
    assert tree.value[:, 0, 0].tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize(
    ("gap", "n_leaves"), [(0.5e-7, 1), (0.9e-7, 1), (1.2e-7, 2)], ids=["equal", "still equal", "different"]
)
def test_values_within_1e_7_are_one(gap, n_leaves, splitter, engine, implementation):
    model = implementation(CLASSIFIER)(splitter=splitter).fit(column(0, 0, gap, gap), [0, 0, 1, 1])
    assert model.get_n_leaves() == n_leaves


@BOTH
def test_thresholds_lie_between_neighbouring_floats(name, engine, implementation):
    """2 and the next float32: their middle is a float64."""
    tree = implementation(name)().fit(column(2, 2 + 2**-22), [0, 1]).tree_
    assert tree.threshold[0] == 2 + 2**-23


@BOTH
def test_the_first_of_equal_cuts_wins(name, engine, implementation):
    """Targets 0 1 1 0: cutting after the first and before the last are equally good, bit for bit."""
    tree = implementation(name)(max_depth=1).fit(column(0, 1, 2, 3), [0, 1, 1, 0]).tree_
    assert tree.threshold[0] == 0.5


@BOTH
@pytest.mark.parametrize(
    ("rule", "at_least"),
    [
        ({"min_samples_leaf": 2}, 2),
        ({"min_samples_leaf": 3}, 3),
        ({"min_weight_fraction_leaf": 0.125}, 1),
        ({"min_weight_fraction_leaf": 0.25}, 2),
        ({"min_weight_fraction_leaf": 0.3}, 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, 0.75])
def test_leaves_are_just_large_enough(weight, rule, at_least, name, engine, implementation):
    """One sample of eight, the first or the last, is unlike the others: the best cut allowed leaves its side no larger than
    it must be."""
    X, first = column(*range(8)), np.arange(8) == 0
    weights = None if weight is None else np.full(8, weight)
    for y, threshold in ((first, at_least - 0.5), (first[::-1], 7.5 - at_least)):
        tree = implementation(name)(max_depth=1, **rule).fit(X, y * 1, sample_weight=weights).tree_
        assert tree.threshold[0] == threshold


@pytest.mark.parametrize(("ulps", "n_leaves"), [(0, 2), (1, 2), (2, 1)])
def test_a_decrease_is_just_large_enough(ulps, n_leaves, engine, implementation):
    """The only cut decreases the impurity by 1/2; what is missing from the decrease asked for may be one epsilon."""
    model = implementation(CLASSIFIER)(min_impurity_decrease=0.5 + ulps * np.finfo(float).eps)
    assert model.fit(column(0, 1), [0, 1]).get_n_leaves() == n_leaves


@regressor
@pytest.mark.parametrize(("difference", "n_leaves"), [(2e-8, 1), (4e-8, 2)])
def test_an_impurity_of_one_epsilon_is_none(difference, n_leaves, engine, implementation):
    """Two targets d apart have the variance d**2 / 4: 1e-16, below the 2.2e-16 of an epsilon, and 4e-16."""
    assert implementation(REGRESSOR)().fit(column(0, 1), [0, difference]).get_n_leaves() == n_leaves


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [1, 1, 0, 0]])
def test_missing_values_are_a_value(labels, engine, implementation):
    """All known values on one side, all missing ones on the other: the threshold is infinite, and missing goes right."""
    model = implementation(CLASSIFIER)().fit(column(1, 2, np.nan, np.nan), labels)
    assert model.tree_.threshold[0] == np.inf
    assert not model.tree_.missing_go_to_left[0]
    assert model.tree_.node_count == 3
    assert model.predict(column(1.5, np.nan)).tolist() == [labels[0], labels[2]]


def test_missing_values_join_the_side_they_resemble(engine, implementation):
    for of_missing in (0, 1):
        model = implementation(CLASSIFIER)().fit(column(1, 2, 8, 9, np.nan), [0, 0, 1, 1, of_missing])
        assert model.tree_.node_count == 3
        assert bool(model.tree_.missing_go_to_left[0]) == (of_missing == 0)


@pytest.mark.parametrize(("of_missing", "to_left"), [([0], True), ([1], False), ([2], False)])
def test_missing_values_on_either_side(of_missing, to_left, engine, implementation):
    """Where both sides are equally good, as for a class of its own between two, missing values go right."""
    y = [0, 0, 1, 1, *of_missing]
    tree = (
        implementation(CLASSIFIER)(max_depth=1).fit(column(1, 1, 2, 2, np.nan), y, sample_weight=[3, 3, 3, 3, 1]).tree_
    )
    assert tree.threshold[0] == 1.5
    assert bool(tree.missing_go_to_left[0]) == to_left


@BOTH
@pytest.mark.parametrize(("n_left", "to_left"), [(1, False), (2, False), (3, True)])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_unseen_missing_values_go_with_most_samples(splitter, n_left, to_left, name, engine, implementation):
    """Right, where both sides have equally many."""
    X = np.where(np.arange(4) < n_left, 0.0, 1.0)[:, np.newaxis]
    model = implementation(name)(splitter=splitter).fit(X, X[:, 0].astype(int))
    assert bool(model.tree_.missing_go_to_left[0]) == to_left
    assert model.predict([[np.nan]])[0] == (0 if to_left else 1)


@regressor
def test_best_first_takes_the_largest_gain(engine, implementation):
    """Cutting 0 | 1 explains 1/2, cutting 100 100 | 103 103 explains 9: of three leaves the right half gets two."""
    X, y = column(0, 1, 10, 11, 12, 13), [0, 1, 100, 100, 103, 103]
    tree = implementation(REGRESSOR)(max_leaf_nodes=3).fit(X, y).tree_
    assert tree.threshold.tolist() == [5.5, -2, 11.5, -2, -2]
    assert tree.children_left.tolist() == [1, -1, 3, -1, -1]
    assert tree.children_right.tolist() == [2, -1, 4, -1, -1]
    assert tree.value[:, 0, 0].tolist() == [407 / 6, 0.5, 101.5, 100, 103]


# ---------------------------------------------------------------- all splits, as plain loops


def impurity_by_loops(y, criterion):
    """The impurity of a node, term by term."""
    shares = [sum(1 for other in y if other == label) / len(y) for label in sorted(set(y))]
    if criterion == "gini":
        return sum(p * (1 - p) for p in shares)
    if criterion == "entropy":
        return -sum(p * log2(p) for p in shares)
    if criterion == "absolute_error":
        return min(sum(abs(v - m) for v in y) for m in y) / len(y)
    mean = sum(y) / len(y)
    if criterion == "poisson":
        if mean == 0:
            return 0.0
        return sum(v * np.log(v / mean) for v in y if v > 0) / len(y)
    return sum((v - mean) ** 2 for v in y) / len(y)


def smallest_remainder(X, y, criterion):
    """The smallest weighted impurity of two halves, over all cuts of all features."""
    smallest = np.inf
    for j in range(X.shape[1]):
        for cut in sorted(set(X[:, j]))[:-1]:
            left, right = y[X[:, j] <= cut], y[X[:, j] > cut]
            if criterion == "poisson" and (left.sum() == 0 or right.sum() == 0):
                continue  # the reference leaves out halves that expect nothing
            both = len(left) * impurity_by_loops(left, criterion) + len(right) * impurity_by_loops(right, criterion)
            smallest = min(smallest, both / len(y))
    return smallest


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "criterion",
    ["gini", "entropy"] + [pytest.param(c, marks=regressor) for c in ("squared_error", "poisson", "absolute_error")],
)
def test_no_split_is_better_than_the_chosen(criterion, seed, engine, implementation):
    """At every node of the tree."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (40, 4)).astype(float)
    y = rng.integers(0, 4, 40)
    name = CLASSIFIER if criterion in ("gini", "entropy") else REGRESSOR
    model = implementation(name)(criterion=criterion, max_depth=3, random_state=seed).fit(X, y)
    tree, inside = model.tree_, model.decision_path(X).toarray().astype(bool)
    splits = np.flatnonzero(tree.children_left >= 0)
    assert len(splits) > 2
    for i in splits:
        rows = inside[:, i]
        children = [tree.children_left[i], tree.children_right[i]]
        chosen = sum(tree.n_node_samples[c] * tree.impurity[c] for c in children) / tree.n_node_samples[i]
        assert tree.impurity[i] == pytest.approx(impurity_by_loops(y[rows], criterion), rel=1e-12)
        assert chosen == pytest.approx(smallest_remainder(X[rows], y[rows], criterion), rel=1e-12, abs=1e-14)


# ---------------------------------------------------------------- the same data, written differently


def jobs(name):
    data = (classification if name == CLASSIFIER else regression)()
    chosen = ["iris", "ties", "missing values"] if name == CLASSIFIER else ["ties", "missing values"]
    return [(X, y if name == CLASSIFIER else y.round()) for X, y in (data[each] for each in chosen)]


@BOTH
def test_duplicated_rows_are_weights(name, engine, implementation):
    """Whole numbers as weights and targets: every sum is exact, so the trees are equal but for their sample counts."""
    for X, y in jobs(name):
        times = np.random.default_rng(0).integers(0, 4, len(X))
        weighted = implementation(name)(random_state=0).fit(X, y, sample_weight=times).tree_
        repeated = implementation(name)(random_state=0).fit(np.repeat(X, times, axis=0), np.repeat(y, times)).tree_
        same = [array for array in ARRAYS if array not in ("n_node_samples", "missing_go_to_left")]
        assert_equal_trees(weighted, repeated, same)


@BOTH
def test_the_order_of_rows_does_not_matter(name, engine, implementation):
    for X, y in jobs(name):
        order = np.random.default_rng(1).permutation(len(X))
        one = implementation(name)(random_state=0).fit(X, y).tree_
        assert_equal_trees(one, implementation(name)(random_state=0).fit(X[order], y[order]).tree_)


@BOTH
def test_a_rising_function_of_a_feature_changes_thresholds_only(name, engine, implementation):
    for X, y in jobs(name):
        one = implementation(name)(random_state=0).fit(X, y)
        other = implementation(name)(random_state=0).fit(np.exp(X / 2) * 3 - 1, y)
        assert_equal_trees(one.tree_, other.tree_, [array for array in ARRAYS if array != "threshold"])
        np.testing.assert_array_equal(one.apply(X), other.apply(np.exp(X / 2) * 3 - 1))


@BOTH
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_a_constant_feature_is_never_used(name, splitter, engine, implementation):
    for X, y in jobs(name):
        wider = np.column_stack([X, np.full(len(X), 4.25)])
        model = implementation(name)(random_state=0, splitter=splitter, max_features=1).fit(wider, y)
        assert X.shape[1] not in model.tree_.feature
        assert model.feature_importances_[-1] == 0


@BOTH
def test_sparse_and_dense_are_one(name, engine, implementation):
    """Classes and whole numbers: every sum is exact, so the trees are equal, in whatever format the data comes."""
    rng = np.random.default_rng(2)
    X = rng.integers(-1, 4, (80, 5)) * (rng.random((80, 5)) < 0.5).astype(float)
    y = labels_for(X, 3) if name == CLASSIFIER else numbers_for(X).round()
    for splitter in ("best", "random"):
        dense = implementation(name)(random_state=0, splitter=splitter).fit(X, y).tree_
        for sparse in (scipy.sparse.csc_matrix, scipy.sparse.csr_matrix, scipy.sparse.coo_array):
            assert_equal_trees(dense, implementation(name)(random_state=0, splitter=splitter).fit(sparse(X), y).tree_)


@BOTH
def test_memory_order_and_dtype_do_not_matter(name, engine, implementation):
    X = with_ties()
    y = labels_for(X, 3) if name == CLASSIFIER else numbers_for(X)
    one = implementation(name)(random_state=0).fit(X, y).tree_
    for other in (np.asfortranarray(X), X.astype(np.float32), np.repeat(X, 2, axis=1)[:, ::2], X.tolist()):
        assert_equal_trees(one, implementation(name)(random_state=0).fit(other, y).tree_)


# ---------------------------------------------------------------- what must add up


@BOTH
@pytest.mark.parametrize(
    "options", [{}, {"splitter": "random"}, {"max_leaf_nodes": 7}, {"min_weight_fraction_leaf": 0.05}]
)
def test_improvements_add_up(name, options, engine, implementation):
    """The decreases at the splits sum to the root's impurity less that of the leaves; every split's is at least 0."""
    X = with_missing()
    y = labels_for(X, 3) if name == CLASSIFIER else numbers_for(X)
    weight = np.random.default_rng(0).random(len(X))
    tree = implementation(name)(random_state=0, **options).fit(X, y, sample_weight=weight).tree_
    w, impurity, is_leaf = tree.weighted_n_node_samples, tree.impurity, tree.children_left == -1
    left, right = tree.children_left[~is_leaf], tree.children_right[~is_leaf]
    decrease = (w * impurity)[~is_leaf] - (w * impurity)[left] - (w * impurity)[right]
    assert (decrease > -1e-9).all()
    explained = w[0] * impurity[0] - (w * impurity)[is_leaf].sum()
    np.testing.assert_allclose(decrease.sum(), explained, rtol=1e-10)
    np.testing.assert_allclose(tree.compute_feature_importances(normalize=False).sum(), explained / w[0], rtol=1e-10)
    np.testing.assert_allclose(w[~is_leaf], w[left] + w[right], rtol=1e-12)
    np.testing.assert_array_equal(tree.n_node_samples[~is_leaf], tree.n_node_samples[left] + tree.n_node_samples[right])


@BOTH
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_rules_hold_at_every_node(name, splitter, engine, implementation):
    X = with_ties()
    y = labels_for(X, 3) if name == CLASSIFIER else numbers_for(X)
    rules = {"max_depth": 4, "min_samples_leaf": 4, "min_samples_split": 12, "min_weight_fraction_leaf": 0.04}
    model = implementation(name)(random_state=0, splitter=splitter, **rules).fit(X, y)
    tree = model.tree_
    is_leaf = tree.children_left == -1
    assert model.get_depth() <= 4
    assert (tree.n_node_samples[is_leaf] >= max(4, 0.04 * len(X))).all()
    assert (tree.n_node_samples[~is_leaf] >= 12).all()
    assert is_leaf.sum() == tree.n_leaves > 4


@BOTH
@pytest.mark.parametrize("sign", [1, -1])
def test_predictions_are_monotonic(name, sign, engine, implementation):
    rng = np.random.default_rng(6)
    X = rng.random((120, 2))
    y = (X[:, 0] + rng.standard_normal(120) > 0.5) * 1
    model = implementation(name)(random_state=0, monotonic_cst=[sign, 0]).fit(X, y)
    grid = np.column_stack([np.tile(np.linspace(0, 1, 50), 5), np.repeat(np.linspace(0.1, 0.9, 5), 50)])
    answers = model.predict_proba(grid)[:, 1] if name == CLASSIFIER else model.predict(grid)
    assert (np.diff(answers.reshape(5, 50)) * sign >= 0).all()
    assert model.tree_.node_count > 5


# ---------------------------------------------------------------- at the edges


def assert_grows_deep(Model, depth):
    """Labels 0 1 0 1 ...: m samples in a row weigh m/2 in impurity if m is even, m/2 - 1/(2 m) if it is odd.  So the best
    cut takes one sample off, and what remains is such a row again."""
    X, y = column(*range(depth + 1)), np.arange(depth + 1) % 2
    model = Model(random_state=0).fit(X, y)
    assert model.get_depth() == depth
    assert model.tree_.n_leaves == depth + 1
    assert model.tree_.impurity[model.tree_.children_left == -1].max() == 0
    assert (model.predict(X) == y).all()


def test_a_deep_tree(engine, implementation):
    assert_grows_deep(implementation(CLASSIFIER), 1000)


def test_a_very_deep_tree(implementation):
    """Not on the NumPy engine: it sorts the samples of every node, 10,000 times 5,000 of them."""
    with minimal.engine("numba"):
        assert_grows_deep(implementation(CLASSIFIER), 10_000)


@BOTH
@pytest.mark.parametrize("options", [{}, {"splitter": "random"}, {"max_leaf_nodes": 4}])
@pytest.mark.parametrize("n", [1, 2, 100])
def test_rows_that_are_all_alike_make_one_leaf(n, options, name, engine, implementation):
    tree = implementation(name)(random_state=0, **options).fit(np.full((n, 3), 0.1), np.arange(n) % 4).tree_
    assert tree.node_count == 1
    assert tree.n_node_samples.tolist() == [n]
    assert (tree.children_left[0], tree.feature[0], tree.threshold[0]) == (-1, -2, -2.0)


@BOTH
def test_one_class_or_one_target_makes_one_leaf(name, engine, implementation):
    tree = implementation(name)().fit(with_ties(), np.full(120, 3)).tree_
    assert tree.node_count == 1
    assert tree.impurity[0] == 0


@BOTH
def test_features_that_are_all_missing_are_constants(name, engine, implementation):
    X = np.column_stack([np.full(20, np.nan), np.arange(20) % 2, np.full(20, np.nan)])
    tree = implementation(name)(random_state=0, max_features=1).fit(X, np.arange(20) % 2).tree_
    assert tree.feature.tolist() == [1, -2, -2]


@pytest.mark.wide
@BOTH
def test_a_million_rows(name, implementation):
    """The tree finds the two thresholds by which the targets were made."""
    rng = np.random.default_rng(0)
    X = rng.random((1_000_000, 2)).astype(np.float32)
    y = np.where(X[:, 0] > 0.25, 4, X[:, 1] > 0.5)
    tree = implementation(name)(random_state=0).fit(X, y).tree_
    assert tree.feature.tolist() == [0, 1, -2, -2, -2]
    np.testing.assert_allclose(tree.threshold[:2], [0.25, 0.5], atol=1e-4)
    assert tree.value[-1, 0].tolist() == ([0, 0, 1] if name == CLASSIFIER else [4])
