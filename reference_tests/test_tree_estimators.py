"""DecisionTreeClassifier and DecisionTreeRegressor: parameters, data of every kind, predictions, and a floor under them.

How trees grow, node for node over a wide grid, is in ``test_tree_growing_grid``; errors are in ``test_tree_errors``, tools
that read a fitted tree in ``test_tree_tools``.
"""

import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.tree
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

from .tree_cases import assert_same_tree, assert_same_values, classification, labels_for, regression, with_ties

COMPONENT = "DecisionTreeClassifier"
regressor = pytest.mark.component("DecisionTreeRegressor")

CLASSIFIER_OPTIONS = [
    {},
    {"criterion": "entropy", "max_depth": 3},
    {"criterion": "log_loss", "min_samples_leaf": 5},
    {"splitter": "random"},
    {"min_samples_split": 0.2, "min_samples_leaf": 0.03},
    {"min_weight_fraction_leaf": 0.1},
    {"max_features": "sqrt"},
    {"max_features": "log2"},
    {"max_features": 2},
    {"max_features": 0.5, "splitter": "random"},
    {"max_leaf_nodes": 6},
    {"min_impurity_decrease": 0.02},
    {"class_weight": "balanced"},
    {"ccp_alpha": 0.01},
    {"ccp_alpha": 0.02, "max_leaf_nodes": 12},
]
REGRESSOR_OPTIONS = [
    {},
    {"criterion": "absolute_error", "max_depth": 4},
    {"criterion": "poisson", "max_depth": 5},
    {"splitter": "random", "min_samples_leaf": 3},
    {"min_weight_fraction_leaf": 0.1},
    {"max_features": 0.4},
    {"max_leaf_nodes": 6},
    {"ccp_alpha": 0.5},
]


def text_of(options):
    return " ".join(f"{name}={value}" for name, value in options.items()) or "defaults"


def assert_same_answers(parity, ours, theirs, X, data="", option=""):
    """All that a fitted tree tells about X, and all that it knows."""
    assert_same_tree(parity, ours.tree_, theirs.tree_, data, option)
    methods = ["predict", "apply"] + (["predict_proba"] if hasattr(theirs, "classes_") else [])
    for method in methods:
        mine, other = getattr(ours, method)(X), getattr(theirs, method)(X)
        assert_same_values(parity, mine, other, method, data, option)
    path, their_path = ours.decision_path(X), theirs.decision_path(X)
    assert type(path) is type(their_path)
    for part in ("data", "indices", "indptr"):
        parity.identical(
            getattr(path, part), getattr(their_path, part), what=f"decision_path: {part}", data=data, option=option
        )
    assert path.shape == their_path.shape
    parity.identical(
        ours.feature_importances_, theirs.feature_importances_, what="feature_importances_", data=data, option=option
    )
    for name in ("n_features_in_", "n_outputs_", "max_features_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.get_depth() == theirs.get_depth()
    assert ours.get_n_leaves() == theirs.get_n_leaves()
    if hasattr(theirs, "classes_"):
        assert_same_values(parity, ours.classes_, theirs.classes_, "classes_", data, option)
        parity.identical(np.asarray(ours.n_classes_), np.asarray(theirs.n_classes_), what="n_classes_", data=data)


# ---------------------------------------------------------------- parity over parameters and data


@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", classification())
def test_classifier_answers_like_scikit_learn(name, options, engine, implementation, parity):
    X, y = classification()[name]
    ours = implementation("DecisionTreeClassifier")(random_state=1, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=1, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, name, text_of(options))
    with np.errstate(divide="ignore"):
        parity.identical(ours.predict_log_proba(X), theirs.predict_log_proba(X), what="predict_log_proba", data=name)
    parity.identical(ours.score(X, y), theirs.score(X, y), what="score", data=name)


@regressor
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", regression())
def test_regressor_answers_like_scikit_learn(name, options, engine, implementation, parity):
    X, y = regression()[name]
    ours = implementation("DecisionTreeRegressor")(random_state=1, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(random_state=1, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, name, text_of(options))
    if len(y) > 1:
        reason = "R squared adds up in another order there"
        parity.rounding(ours.score(X, y), theirs.score(X, y), what="score", reason=reason, bound=1e-13)


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
def test_classifier_on_more_data_and_seeds(options, seed, engine, implementation, parity):
    for name in ("wine", "breast_cancer", "missing values"):
        X, y = classification()[name]
        train = np.random.default_rng(seed).random(len(X)) < 0.8
        ours = implementation("DecisionTreeClassifier")(random_state=seed, **options).fit(X[train], y[train])
        theirs = sklearn.tree.DecisionTreeClassifier(random_state=seed, **options).fit(X[train], y[train])
        assert_same_answers(parity, ours, theirs, X, f"{name}, a part", text_of(options))


@regressor
@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
def test_regressor_on_more_data_and_seeds(options, seed, engine, implementation, parity):
    for name in ("diabetes", "missing values"):
        X, y = regression()[name]
        train = np.random.default_rng(seed).random(len(X)) < 0.8
        ours = implementation("DecisionTreeRegressor")(random_state=seed, **options).fit(X[train], y[train])
        theirs = sklearn.tree.DecisionTreeRegressor(random_state=seed, **options).fit(X[train], y[train])
        assert_same_answers(parity, ours, theirs, X, f"{name}, a part", text_of(options))


CONTAINERS = {
    "float32": lambda X: X.astype(np.float32),
    "int": lambda X: (10 * X).astype(int),
    "Fortran order": np.asfortranarray,
    "every second row and column": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "rows reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "read-only": lambda X: _frozen(X),
    "list": lambda X: X.tolist(),
    "data frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "float16": lambda X: X.astype(np.float16),
    "float64, big-endian": lambda X: X.astype(">f8"),
    "CSR": lambda X: scipy.sparse.csr_matrix(X * (X > 2)),
    "CSC": lambda X: scipy.sparse.csc_matrix(X * (X > 2)),
    "COO array": lambda X: scipy.sparse.coo_array(X * (X > 2)),
    "CSC, rows out of order": lambda X: _shuffled(scipy.sparse.csc_matrix(X * (X > 2))),
}


def _frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _shuffled(matrix):
    """The same matrix with the entries of each column stored backwards."""
    for j in range(matrix.shape[1]):
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        matrix.indices[part], matrix.data[part] = matrix.indices[part][::-1].copy(), matrix.data[part][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_data_in_any_container(container, splitter, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = CONTAINERS[container](X)
    ours = implementation("DecisionTreeClassifier")(random_state=0, splitter=splitter).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, splitter=splitter).fit(copy.deepcopy(X), y)
    assert_same_answers(parity, ours, theirs, X, f"iris as {container}", splitter)


def test_sparse_input_is_left_as_it_is(engine, implementation):
    X = _shuffled(scipy.sparse.csc_matrix(load_iris().data.astype(np.float32)))
    indices, data = X.indices.copy(), X.data.copy()
    implementation("DecisionTreeClassifier")().fit(X, load_iris().target)
    assert np.array_equal(X.indices, indices)
    assert np.array_equal(X.data, data)


def test_sparse_indices_of_64_bits_are_taken_where_scikit_learn_refuses(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)  # SciPy's own change of dtype would shorten the indices
    csc, csr = scipy.sparse.csc_matrix(X), scipy.sparse.csr_matrix(X)
    for matrix in (csc, csr):
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    with pytest.raises(ValueError, match="No support for np"):
        sklearn.tree.DecisionTreeClassifier().fit(csc, y)
    ours = implementation("DecisionTreeClassifier")(random_state=0).fit(csc, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, y)
    assert_same_tree(parity, ours.tree_, theirs.tree_, "iris, 64-bit indices")
    assert np.array_equal(ours.predict(csr), theirs.predict(X))
    parity.known("sparse data with 64-bit indices", "accepted here, an error there")


TARGETS = {
    "strings": lambda y: np.array(["setosa", "versicolor", "virginica"])[y],
    "objects": lambda y: np.array(["a", "bb", "ccc"], dtype=object)[y],
    "booleans": lambda y: y > 0,
    "floats": lambda y: 2.0 * y - 1,
    "far apart": lambda y: np.array([-(10**12), 5, 10**15])[y],
    "list": lambda y: y.tolist(),
    "series": lambda y: pd.Series(y),
    "a column": lambda y: y.reshape(-1, 1),
    "int8": lambda y: y.astype(np.int8),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_labels_of_any_kind(kind, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    y = TARGETS[kind](y)
    ours = implementation("DecisionTreeClassifier")(random_state=0, max_depth=3).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, max_depth=3).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "iris", f"labels: {kind}")


WEIGHTS = {
    "ones": lambda rng, n: np.ones(n),
    "counts": lambda rng, n: rng.integers(1, 4, n),
    "some zero": lambda rng, n: rng.integers(0, 3, n).astype(float),
    "fractions": lambda rng, n: rng.random(n),
    "float32": lambda rng, n: rng.random(n).astype(np.float32),
    "a number": lambda rng, n: 0.3,
    "list": lambda rng, n: rng.random(n).tolist(),
}


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}, {"min_weight_fraction_leaf": 0.1}], ids=text_of)
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_of_classifiers(kind, options, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    weight = WEIGHTS[kind](np.random.default_rng(0), len(y))
    ours = implementation("DecisionTreeClassifier")(random_state=0, **options).fit(X, y, sample_weight=weight)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, **options).fit(X, y, sample_weight=weight)
    assert_same_answers(parity, ours, theirs, X, "iris", f"weights: {kind} {text_of(options)}")


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_of_regressors(kind, criterion, engine, implementation, parity):
    X, y = regression()["diabetes"]
    weight = WEIGHTS[kind](np.random.default_rng(0), len(y))
    options = {"criterion": criterion, "max_depth": 4, "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y, sample_weight=weight)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y, sample_weight=weight)
    assert_same_answers(parity, ours, theirs, X, "diabetes", f"weights: {kind} {criterion}")


@pytest.mark.parametrize(
    "class_weight", [{0: 1, 1: 2.5, 2: 0.1}, {0: 1, 1: 0, 2: 1}, {0: 3, 1: 3, 2: 3}, {5: 1, 0: 2, 1: 1, 2: 1}], ids=str
)
def test_weights_by_class(class_weight, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours = implementation("DecisionTreeClassifier")(random_state=0, class_weight=class_weight).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, class_weight=class_weight).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "iris", f"class_weight={class_weight}")


# ---------------------------------------------------------------- several outputs


def several_outputs(kind):
    X = with_ties(n=90)
    if kind == "multilabel":
        return make_multilabel_classification(90, 6, n_classes=4, random_state=0)
    y = np.column_stack([labels_for(X, n, seed) for seed, n in enumerate((2, 4, 3))])
    return X, np.array(["red", "green", "blue", "grey"])[y] if kind == "strings" else y


@pytest.mark.parametrize(
    "options", [{}, {"criterion": "entropy"}, {"class_weight": "balanced"}, {"max_leaf_nodes": 9}], ids=text_of
)
@pytest.mark.parametrize("kind", ["multilabel", "numbers", "strings"])
def test_classifier_with_several_outputs(kind, options, engine, implementation, parity):
    X, y = several_outputs(kind)
    ours = implementation("DecisionTreeClassifier")(random_state=0, **options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, **options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, f"{kind}, several outputs", text_of(options))
    if kind == "multilabel":
        weight = np.linspace(0, 1, len(y))
        parity.rounding(ours.score(X, 1 - y, weight), theirs.score(X, 1 - y, weight), what="score", bound=1e-15)
        parity.rounding(ours.score(X[:9], y[:9]), theirs.score(X[:9], y[:9]), what="score", bound=1e-15)
    else:
        for model in (ours, theirs):
            with pytest.raises(ValueError, match="multiclass-multioutput is not supported"):
                model.score(X, y)


def test_class_weights_of_several_outputs(engine, implementation, parity):
    X, y = several_outputs("numbers")
    class_weight = [{0: 1, 1: 5}, {0: 1, 1: 1, 2: 2, 3: 0.5}, {0: 2, 1: 1, 2: 1}]
    ours = implementation("DecisionTreeClassifier")(random_state=0, class_weight=class_weight).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=0, class_weight=class_weight).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "several outputs", "class_weight=list")


@regressor
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_regressor_with_several_outputs(criterion, engine, implementation, parity):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[::3], np.column_stack([y, y[::-1], np.sqrt(y)])[::3]
    options = {"criterion": criterion, "max_depth": 4, "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "diabetes, several outputs", criterion)
    parity.rounding(ours.score(X, y), theirs.score(X, y), what="score", reason="another order of addition", bound=1e-13)


# ---------------------------------------------------------------- monotonic constraints, seeds


@pytest.mark.parametrize("leaves", [None, 8])
def test_monotonic_probabilities(leaves, engine, implementation, parity):
    X, y = classification()["breast_cancer"]
    signs = np.resize([1, 0, -1, -1], X.shape[1])
    options = {"monotonic_cst": signs, "max_leaf_nodes": leaves, "random_state": 0}
    ours = implementation("DecisionTreeClassifier")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "breast_cancer", f"monotonic_cst max_leaf_nodes={leaves}")
    assert np.array_equal(signs, np.resize([1, 0, -1, -1], X.shape[1])), "the parameter was changed"
    rising, points = np.median(X, axis=0), np.sort(X[:, 0])
    grid = np.tile(rising, (len(points), 1))
    grid[:, 0] = points
    assert (np.diff(ours.predict_proba(grid)[:, 1]) >= 0).all()


@regressor
def test_monotonic_predictions(engine, implementation, parity):
    X, y = regression()["diabetes"]
    options = {"monotonic_cst": [0, 0, 1, 1, 0, 0, -1, 0, 1, 0], "random_state": 0}
    ours = implementation("DecisionTreeRegressor")(**options).fit(X, y)
    theirs = sklearn.tree.DecisionTreeRegressor(**options).fit(X, y)
    assert_same_answers(parity, ours, theirs, X, "diabetes", "monotonic_cst")


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(5)], ids=str)
def test_whole_numbers_as_seeds(seed, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours = implementation("DecisionTreeClassifier")(random_state=seed, splitter="random").fit(X, y)
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=seed, splitter="random").fit(X, y)
    assert_same_tree(parity, ours.tree_, theirs.tree_, "iris", f"random_state={seed}")


def test_a_generator_serves_several_fits_in_turn(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours_rng, theirs_rng = np.random.RandomState(3), np.random.RandomState(3)
    for _ in range(3):
        ours = implementation("DecisionTreeClassifier")(random_state=ours_rng, splitter="random").fit(X, y)
        theirs = sklearn.tree.DecisionTreeClassifier(random_state=theirs_rng, splitter="random").fit(X, y)
        assert_same_tree(parity, ours.tree_, theirs.tree_, "iris", "random_state=RandomState")
    assert ours_rng.randint(2**31) == theirs_rng.randint(2**31)


# ---------------------------------------------------------------- a floor that no library version can move


def test_a_tree_by_hand(engine, implementation):
    """y = [x > 2.5]: one split in the middle between 2 and 3; gini 1/2 before, 0 after."""
    model = implementation("DecisionTreeClassifier")(random_state=0).fit([[1.0], [2.0], [3.0], [4.0]], list("aabb"))
    tree = model.tree_
    assert tree.threshold.tolist() == [2.5, -2, -2]
    assert tree.impurity.tolist() == [0.5, 0, 0]
    assert tree.children_left.tolist() == [1, -1, -1]
    assert tree.children_right.tolist() == [2, -1, -1]
    assert tree.value[:, 0, :].tolist() == [[0.5, 0.5], [1, 0], [0, 1]]
    assert model.predict([[2.5], [2.6]]).tolist() == ["a", "b"]


@regressor
def test_a_full_tree_remembers_its_training_data(engine, implementation):
    X, y = regression()["diabetes"]
    model = implementation("DecisionTreeRegressor")(random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), y)


def test_weights_are_repetitions(engine, implementation):
    X, y = classification()["ties"]
    times = np.random.default_rng(0).integers(0, 4, len(y))
    options = {"random_state": 0, "max_depth": 4, "criterion": "entropy"}
    weighted = implementation("DecisionTreeClassifier")(**options).fit(X, y, sample_weight=times)
    repeated = implementation("DecisionTreeClassifier")(**options).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert np.array_equal(weighted.tree_.feature, repeated.tree_.feature)
    assert np.array_equal(weighted.tree_.threshold, repeated.tree_.threshold)
    assert np.allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-15)
