"""Minimal cost-complexity pruning: scikit-learn's row of trees, bit for bit, and what makes it the right one."""

from time import perf_counter

import numpy as np
import pytest
import sklearn.tree
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris

import minimal
from minimal.tree.growth import LEAF, UNDEFINED, Grown
from minimal.tree.pruning import prune, pruning_path

from .tree_cases import ARRAYS, assert_same_tree, classification, regression

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")

GROWING = [{}, {"max_leaf_nodes": 15}, {"min_samples_leaf": 4}, {"splitter": "random"}]


def name_of(options):
    return " ".join(f"{name}={value}" for name, value in options.items()) or "defaults"


def some(alphas):
    """A few alphas of a path: some exactly, some between two."""
    chosen = alphas[:: max(1, len(alphas) // 4)]
    return sorted({*chosen, *((alphas[1:] + alphas[:-1]) / 2)[:: max(1, len(alphas) // 3)], alphas[-1] * 2})


def assert_same_pruning(parity, engine, Ours, Theirs, X, y, data, options, weight=None):
    mine = Ours(random_state=0, **options).cost_complexity_pruning_path(X, y, sample_weight=weight)
    other = Theirs(random_state=0, **options).cost_complexity_pruning_path(X, y, sample_weight=weight)
    assert sorted(mine) == sorted(other)
    for name in other:
        parity.identical(mine[name], other[name], what=f"pruning path: {name}", data=data, option=name_of(options))
        assert getattr(mine, name) is mine[name]
    for alpha in some(other.ccp_alphas)[
        :: 3 if engine == "numpy" else 1
    ]:  # each grows the tree again, which takes time
        if alpha < 0:  # rounding
            continue
        ours = Ours(random_state=0, ccp_alpha=alpha, **options).fit(X, y, sample_weight=weight)
        theirs = Theirs(random_state=0, ccp_alpha=alpha, **options).fit(X, y, sample_weight=weight)
        assert_same_tree(parity, ours.tree_, theirs.tree_, data, f"ccp_alpha {name_of(options)}")
        parity.identical(ours.predict(X), theirs.predict(X), what="predict of a pruned tree", data=data)


@pytest.mark.parametrize("options", [*GROWING, {"criterion": "entropy"}, {"class_weight": "balanced"}], ids=name_of)
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "ties", "missing values", "one class"])
def test_pruned_classifiers(name, options, engine, implementation, parity):
    X, y = classification()[name]
    ours, theirs = implementation("DecisionTreeClassifier"), sklearn.tree.DecisionTreeClassifier
    assert_same_pruning(parity, engine, ours, theirs, X, y, name, options)


@regressor
@pytest.mark.parametrize("options", [*GROWING, {"criterion": "poisson"}], ids=name_of)
@pytest.mark.parametrize("name", ["diabetes", "ties", "missing values", "constant target"])
def test_pruned_regressors(name, options, engine, implementation, parity):
    X, y = regression()[name]
    ours, theirs = implementation("DecisionTreeRegressor"), sklearn.tree.DecisionTreeRegressor
    assert_same_pruning(parity, engine, ours, theirs, X, y, name, options)


@regressor
def test_pruning_with_weights_and_several_outputs(engine, implementation, parity):
    X, y = regression()["diabetes"]
    ours, theirs = implementation("DecisionTreeRegressor"), sklearn.tree.DecisionTreeRegressor
    weight = np.random.default_rng(0).random(len(y))
    assert_same_pruning(parity, engine, ours, theirs, X, y, "diabetes, weights", {}, weight)
    assert_same_pruning(parity, engine, ours, theirs, X, np.column_stack([y, y[::-1]]), "diabetes, two outputs", {})


@pytest.mark.parametrize("seed", [3, None], ids=["RandomState", "None"])
def test_the_path_leaves_the_estimator_as_it_is(seed, engine, implementation):
    X, y = load_iris(return_X_y=True)
    generator = np.random.RandomState(seed) if seed else None
    model = implementation("DecisionTreeClassifier")(random_state=generator, ccp_alpha=0.5)
    before = generator.get_state()[1].copy() if seed else None
    path = model.cost_complexity_pruning_path(X, y)
    assert len(path.ccp_alphas) > 2
    assert model.ccp_alpha == 0.5
    assert not hasattr(model, "tree_")
    assert before is None or np.array_equal(generator.get_state()[1], before)


# ---------------------------------------------------------------- trees of every shape, without growing them


def grown(tree):
    return Grown(**{name: getattr(tree, name).copy() for name in ARRAYS}, max_depth=tree.max_depth)


def tree_of(left, right, weight, impurity):
    """A tree from its children and its numbers; the rest is made up."""
    left, right = np.array(left), np.array(right)
    n, is_leaf = len(left), np.array(left) == LEAF
    depth = np.zeros(n, dtype=int)
    for node in range(n):
        if not is_leaf[node]:
            depth[[left[node], right[node]]] = depth[node] + 1
    return Grown(
        children_left=left,
        children_right=right,
        feature=np.where(is_leaf, UNDEFINED, np.arange(n) % 3),
        threshold=np.where(is_leaf, float(UNDEFINED), np.arange(n) / 7),
        impurity=np.array(impurity, dtype=float),
        n_node_samples=np.array(weight, dtype=int),
        weighted_n_node_samples=np.array(weight, dtype=float),
        missing_go_to_left=(np.arange(n) % 2).astype(np.uint8) * ~is_leaf,
        value=np.arange(float(n)).reshape(n, 1, 1),
        max_depth=int(depth.max()),
    )


def random_tree(n_inner, seed):
    """Splits put at random leaves, numbered in that order: neither depth-first nor best-first; whole numbers make ties."""
    rng = np.random.default_rng(seed)
    left, right, leaves = [LEAF], [LEAF], [0]
    weight, impurity = [2 * n_inner + 9], [float(rng.integers(4, 9))]
    for _ in range(n_inner):
        node = leaves.pop(rng.integers(len(leaves)))
        left[node], right[node] = len(left), len(left) + 1
        leaves += [len(left), len(left) + 1]
        share = int(rng.integers(1, max(2, weight[node])))
        for part in (share, max(1, weight[node] - share)):
            left.append(LEAF)
            right.append(LEAF)
            weight.append(part)
            impurity.append(float(rng.integers(0, 4)))
    return tree_of(left, right, weight, impurity)


def chain(n_inner):
    """Every right child is a leaf, the left one splits again."""
    left, right = [], []
    for k in range(n_inner):
        left += [2 * k + 2, LEAF]  # node 2k, and its leaf 2k + 1
        right += [2 * k + 1, LEAF]
    left.append(LEAF)
    right.append(LEAF)
    n = len(left)
    weight = [float(n_inner + 1 - node // 2) if node % 2 == 0 else 1.0 for node in range(n)]
    impurity = [1.0 - 0.5 * node / n if node % 2 == 0 else 0.0 for node in range(n)]
    return tree_of(left, right, weight, impurity)


def naive_path(tree):
    """The definition, looked up anew after every collapse, in exact enough arithmetic for whole numbers."""
    left, right = tree.children_left, tree.children_right
    risk = tree.weighted_n_node_samples * tree.impurity / tree.weighted_n_node_samples[0]
    is_leaf = left == LEAF
    collapsed, alphas = [], []

    def leaves_below(node):
        stack, found = [node], []
        while stack:
            top = stack.pop()
            if is_leaf[top]:
                found.append(top)
            else:
                stack += [left[top], right[top]]
        return found

    def inner_below_root():
        stack, found = [0], []
        while stack:
            top = stack.pop()
            if not is_leaf[top]:
                found.append(top)
                stack += [left[top], right[top]]
        return sorted(found)

    while not is_leaf[0]:
        worth = []
        for node in inner_below_root():
            below = leaves_below(node)
            worth.append(((risk[node] - risk[below].sum()) / (len(below) - 1), node))
        alpha, node = min(worth)
        is_leaf[node] = True
        collapsed.append(node)
        alphas.append(alpha)
    return collapsed, np.array(alphas)


@pytest.mark.parametrize("seed", range(12))
def test_the_definition(seed, engine):
    tree = random_tree(12, seed)
    _, alphas = naive_path(tree)
    path = pruning_path(tree)
    assert np.allclose(path.ccp_alphas[1:], alphas, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("seed", range(12))
def test_a_pruned_tree_is_the_best_at_its_price(seed, engine):
    """Of all trees of the row, none has a smaller risk + alpha * leaves."""
    tree = random_tree(25, seed)
    path = pruning_path(tree)
    total = tree.weighted_n_node_samples[0]
    rows = [tree] + [prune(tree, alpha) for alpha in path.ccp_alphas[1:] if alpha >= 0]
    for alpha in np.linspace(0, path.ccp_alphas.max() * 1.1, 17):
        best = prune(tree, alpha)

        def cost(candidate, alpha=alpha):
            leaf = candidate.children_left == LEAF
            risk = (candidate.weighted_n_node_samples * candidate.impurity)[leaf].sum() / total
            return risk + alpha * leaf.sum()

        assert cost(best) <= min(map(cost, rows)) + 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_a_pruned_tree_is_a_part_of_the_full_one_in_preorder(seed, engine):
    tree = random_tree(30, seed)
    path = pruning_path(tree)
    part = prune(tree, float(np.median(path.ccp_alphas)))
    stack, expected = [(0, 0)], 0  # node of the part, node of the full tree
    while stack:
        mine, full = stack.pop()
        assert mine == expected
        expected += 1
        assert part.value[mine] == tree.value[full]
        if part.children_left[mine] == LEAF:
            assert part.feature[mine] == part.threshold[mine] == UNDEFINED
            assert part.missing_go_to_left[mine] == 0
            assert part.children_right[mine] == LEAF
        else:
            assert part.feature[mine] == tree.feature[full]
            assert part.missing_go_to_left[mine] == tree.missing_go_to_left[full]
            stack.append((part.children_right[mine], tree.children_right[full]))
            stack.append((part.children_left[mine], tree.children_left[full]))
    assert expected == len(part.feature)


def test_a_root_alone_stays(engine):
    root = tree_of([LEAF], [LEAF], [5], [0.3])
    path = pruning_path(root)
    assert path.ccp_alphas.tolist() == [0.0]
    assert path.impurities.tolist() == [0.3]
    assert len(prune(root, 1.0).feature) == 1


def test_by_hand(engine):
    """Root (8 of 8, impurity 1/2); left leaf (4, 0); right (4, 1/2) with leaves (2, 0), (2, 0).

    Risks: 1/2, 0, 1/4, 0, 0.  alpha(right) = 1/4, alpha(root) = (1/2 - 0) / 2 = 1/4: a tie, the root comes first.
    """
    tree = tree_of([1, LEAF, 3, LEAF, LEAF], [2, LEAF, 4, LEAF, LEAF], [8, 4, 4, 2, 2], [0.5, 0, 0.5, 0, 0])
    path = pruning_path(tree)
    assert path.ccp_alphas.tolist() == [0.0, 0.25]
    assert path.impurities.tolist() == [0.0, 0.5]
    assert len(prune(tree, 0.24).feature) == 5
    assert len(prune(tree, 0.25).feature) == 1


def test_a_chain_of_ten_thousand_splits_takes_no_minutes():
    """On the compiled engine: every collapse changes all nodes above it, half a square of the depth in all."""
    tree = chain(10_000)
    with minimal.engine("numba"):
        pruning_path(chain(3))  # compile
        began = perf_counter()
        path = pruning_path(tree)
        part = prune(tree, float(np.median(path.ccp_alphas)))
        assert perf_counter() - began < 20
    assert len(path.ccp_alphas) > 1
    assert 1 <= len(part.feature) < len(tree.feature)
    assert (part.children_left[part.children_left != LEAF] > 0).all()


def test_a_long_chain_is_the_same_on_both_engines():
    tree = chain(300)
    paths = []
    for engine in ("numba", "numpy"):
        with minimal.engine(engine):
            paths.append(pruning_path(tree))
    assert np.array_equal(paths[0].ccp_alphas, paths[1].ccp_alphas)
    assert np.array_equal(paths[0].impurities, paths[1].impurities)


@pytest.mark.wide
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_digits, load_diabetes])
@pytest.mark.parametrize("seed", range(3))
def test_every_tree_of_the_row(load, seed, engine, parity):
    """All alphas of a path, on trees that scikit-learn has grown."""
    X, y = load(return_X_y=True)
    Model = sklearn.tree.DecisionTreeRegressor if load is load_diabetes else sklearn.tree.DecisionTreeClassifier
    for options in ({}, {"max_leaf_nodes": 40}):
        model = Model(random_state=seed, **options).fit(X, y)
        path = model.cost_complexity_pruning_path(X, y)
        mine = pruning_path(grown(model.tree_))
        for name in path:
            parity.identical(mine[name], path[name], what=f"pruning path: {name}", data=load.__name__)
        for alpha in path.ccp_alphas[1::7]:
            if alpha < 0:
                continue
            theirs = Model(random_state=seed, ccp_alpha=alpha, **options).fit(X, y).tree_
            ours = prune(grown(model.tree_), alpha) if alpha > 0 else grown(model.tree_)
            for name in ARRAYS:
                parity.identical(getattr(ours, name), getattr(theirs, name), what=f"tree_.{name}", data=load.__name__)
