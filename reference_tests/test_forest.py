"""RandomForestClassifier and RandomForestRegressor: scikit-learn's forests, draw for draw, on any number of threads."""

import contextlib
import copy
import io
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.ensemble
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.inspection import partial_dependence
from sklearn.model_selection import GridSearchCV

import minimal
from minimal.tree import DecisionTreeClassifier

from .tree_cases import assert_same_tree, assert_same_values, classification, labels_for, regression, with_ties

COMPONENT = "RandomForestClassifier"
regressor = pytest.mark.component("RandomForestRegressor")

N_TREES = 5
CLASSIFIER_OPTIONS = [
    {},
    {"criterion": "entropy", "max_depth": 4},
    {"criterion": "log_loss", "max_features": None},
    {"bootstrap": False, "max_features": 0.5},
    {"max_samples": 0.7},
    {"max_samples": 20, "max_leaf_nodes": 6},
    {"max_samples": 1.5},
    {"min_samples_leaf": 3, "min_samples_split": 0.1},
    {"class_weight": "balanced"},
    {"class_weight": "balanced_subsample"},
    {"class_weight": "balanced_subsample", "bootstrap": False},
    {"ccp_alpha": 0.01},
    {"min_impurity_decrease": 0.01, "min_weight_fraction_leaf": 0.02},
]
REGRESSOR_OPTIONS = [
    {},
    {"criterion": "absolute_error", "max_depth": 3},
    {"criterion": "poisson", "max_depth": 4},
    {"bootstrap": False, "max_features": "sqrt"},
    {"max_samples": 0.5, "max_leaf_nodes": 9},
    {"ccp_alpha": 0.2},
]


def text_of(options):
    return " ".join(f"{name}={value}" for name, value in options.items()) or "defaults"


def both(implementation, name, X, y, weight=None, **options):
    """Our forest and theirs, fitted."""
    options = {"n_estimators": N_TREES, "random_state": 0, **options}
    Ours, Theirs = implementation(name), getattr(sklearn.ensemble, name)
    return (Model(**options).fit(X, y, sample_weight=weight) for Model in (Ours, Theirs))


def assert_same_forest(parity, ours, theirs, X, data="", option=""):
    """Every tree, its seed and its samples, and everything that the forests answer."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.random_state == other.random_state
        assert_same_tree(parity, mine.tree_, other.tree_, data, option)
        for name in ("n_features_in_", "n_outputs_", "max_features_"):
            assert getattr(mine, name) == getattr(other, name)
        if hasattr(other, "classes_"):
            assert_same_values(parity, mine.classes_, other.classes_, "classes_ of a tree", data, option)
    for mine, other in zip(ours.estimators_samples_, theirs.estimators_samples_, strict=True):
        parity.identical(mine, other, what="estimators_samples_", data=data, option=option)
    methods = ["predict", "apply"] + (["predict_proba"] if hasattr(theirs, "classes_") else [])
    for method in methods:
        assert_same_values(parity, getattr(ours, method)(X), getattr(theirs, method)(X), method, data, option)
    parity.identical(
        ours.feature_importances_, theirs.feature_importances_, what="feature_importances_", data=data, option=option
    )
    if hasattr(theirs, "classes_"):
        assert_same_values(parity, ours.classes_, theirs.classes_, "classes_", data, option)
        parity.identical(np.asarray(ours.n_classes_), np.asarray(theirs.n_classes_), what="n_classes_", data=data)


@contextlib.contextmanager
def few_samples():
    """What both libraries say when a fraction of few samples is drawn."""
    with pytest.warns(UserWarning, match="low number"):
        yield


# ---------------------------------------------------------------- parity over parameters and data


@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", ["iris", "breast_cancer", "ties", "missing values", "one class"])
def test_classification_forests(name, options, engine, implementation, parity):
    X, y = classification()[name]
    ours, theirs = both(implementation, "RandomForestClassifier", X, y, **options)
    assert_same_forest(parity, ours, theirs, X, name, text_of(options))
    with np.errstate(divide="ignore"):
        parity.identical(ours.predict_log_proba(X), theirs.predict_log_proba(X), what="predict_log_proba", data=name)
    parity.identical(ours.score(X, y), theirs.score(X, y), what="score", data=name)


@regressor
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
@pytest.mark.parametrize("name", ["diabetes", "ties", "missing values", "constant target"])
def test_regression_forests(name, options, engine, implementation, parity):
    X, y = regression()[name]
    ours, theirs = both(implementation, "RandomForestRegressor", X, y, **options)
    assert_same_forest(parity, ours, theirs, X, name, text_of(options))


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", CLASSIFIER_OPTIONS, ids=text_of)
def test_classification_forests_on_ten_seeds(options, seed, engine, implementation, parity):
    for name in ("wine", "missing values"):
        X, y = classification()[name]
        ours, theirs = both(implementation, "RandomForestClassifier", X, y, **options | {"random_state": seed})
        assert_same_forest(parity, ours, theirs, X, name, text_of(options))


@regressor
@pytest.mark.wide
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("options", REGRESSOR_OPTIONS, ids=text_of)
def test_regression_forests_on_ten_seeds(options, seed, engine, implementation, parity):
    X, y = regression()["diabetes"]
    ours, theirs = both(implementation, "RandomForestRegressor", X, y, **options | {"random_state": seed})
    assert_same_forest(parity, ours, theirs, X, "diabetes", text_of(options))


@pytest.mark.parametrize(
    "options", [{}, {"bootstrap": False}, {"max_samples": 0.5}, {"class_weight": "balanced"}], ids=text_of
)
@pytest.mark.parametrize("kind", ["fractions", "counts", "some zero", "float32"])
def test_sample_weights(kind, options, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    weight = {
        "fractions": rng.random(150),
        "counts": rng.integers(1, 4, 150),
        "some zero": rng.integers(0, 2, 150).astype(float),
        "float32": rng.random(150).astype(np.float32),
    }[kind]
    ours, theirs = both(implementation, "RandomForestClassifier", X, y, weight, **options)
    assert_same_forest(parity, ours, theirs, X, "iris", f"weights: {kind} {text_of(options)}")


@pytest.mark.parametrize("class_weight", [{0: 1, 1: 4, 2: 0.5}, {0: 1, 1: 0, 2: 1}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights(class_weight, weighted, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    weight = np.linspace(0.1, 2, 150) if weighted else None
    ours, theirs = both(implementation, "RandomForestClassifier", X, y, weight, class_weight=class_weight)
    assert_same_forest(parity, ours, theirs, X, "iris", f"class_weight={class_weight}")


CONTAINERS = {
    "float32": lambda X: X.astype(np.float32),
    "Fortran order": np.asfortranarray,
    "list": lambda X: X.tolist(),
    "data frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "CSR": lambda X: scipy.sparse.csr_matrix(X * (X > 2)),
    "CSC": lambda X: scipy.sparse.csc_matrix(X * (X > 2)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_data_in_any_container(container, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    X = CONTAINERS[container](X)
    ours, theirs = both(implementation, "RandomForestClassifier", X, np.array(["a", "b", "c"])[y])
    assert_same_forest(parity, ours, theirs, X, f"iris as {container}")


def test_monotonic_forests(engine, implementation, parity):
    X, y = classification()["breast_cancer"]
    signs = np.resize([1, 0, -1], X.shape[1])
    ours, theirs = both(implementation, "RandomForestClassifier", X, y, monotonic_cst=signs)
    assert_same_forest(parity, ours, theirs, X, "breast_cancer", "monotonic_cst")


# ---------------------------------------------------------------- several outputs


def several_outputs(kind):
    if kind == "multilabel":
        return make_multilabel_classification(90, 6, n_classes=4, random_state=0)
    X = with_ties(n=90)
    return X, np.column_stack([labels_for(X, n, seed) for seed, n in enumerate((2, 4, 3))])


@pytest.mark.parametrize("class_weight", [None, "balanced", "balanced_subsample"])
@pytest.mark.parametrize("kind", ["multilabel", "multiclass"])
def test_classification_with_several_outputs(kind, class_weight, engine, implementation, parity):
    X, y = several_outputs(kind)
    oob = kind == "multilabel"
    ours, theirs = both(
        implementation, "RandomForestClassifier", X, y, class_weight=class_weight, oob_score=oob, n_estimators=25
    )
    assert_same_forest(parity, ours, theirs, X, kind, f"class_weight={class_weight}")
    if oob:
        assert_same_oob(parity, ours, theirs, "multilabel")


@regressor
def test_regression_with_several_outputs(engine, implementation, parity):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[::5], np.column_stack([y, y[::-1]])[::5]
    ours, theirs = both(implementation, "RandomForestRegressor", X, y, oob_score=True, n_estimators=25)
    assert_same_forest(parity, ours, theirs, X, "diabetes, two outputs")
    assert_same_oob(parity, ours, theirs, "diabetes, two outputs")


# ---------------------------------------------------------------- threads


@pytest.mark.parametrize("n_jobs", [None, 2, 3, -1, -2, -1000])
@pytest.mark.parametrize("name", ["RandomForestClassifier", "RandomForestRegressor"])
def test_any_number_of_threads_gives_the_same_forest(name, n_jobs, engine, implementation):
    X, y = classification()["breast_cancer"]
    options = {"n_estimators": 7, "random_state": 3, "oob_score": True}
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        one = implementation(name)(**options, n_jobs=1).fit(X, y)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        many = implementation(name)(**options, n_jobs=n_jobs).fit(X, y)
    for mine, other in zip(one, many, strict=True):
        assert np.array_equal(mine.tree_.threshold, other.tree_.threshold)
        assert np.array_equal(mine.tree_.value, other.tree_.value)
    big = np.tile(X, (40, 1))  # several blocks of rows
    ask = "predict_proba" if name == "RandomForestClassifier" else "predict"
    assert np.array_equal(getattr(one, ask)(big), getattr(many, ask)(big))
    assert np.array_equal(one.apply(big), many.apply(big))
    assert one.oob_score_ == many.oob_score_


def test_blocks_of_rows_give_the_reference_s_sums(engine, implementation, parity):
    X, y = load_breast_cancer(return_X_y=True)
    ours, theirs = both(implementation, "RandomForestClassifier", X, y, n_estimators=20)
    big = np.tile(X, (16, 1))[:9000]
    parity.identical(ours.predict_proba(big), theirs.predict_proba(big), what="predict_proba", data="9000 rows")
    sparse = scipy.sparse.csr_matrix(big)
    parity.identical(ours.predict_proba(sparse), theirs.predict_proba(sparse), what="predict_proba", data="sparse")


def test_no_jobs_have_no_meaning(implementation):
    with pytest.raises(ValueError, match="n_jobs == 0 has no meaning"):
        implementation("RandomForestClassifier")(n_jobs=0).fit([[0.0], [1.0]], [0, 1])


# ---------------------------------------------------------------- out of bag


def assert_same_oob(parity, ours, theirs, data):
    name = "oob_decision_function_" if hasattr(theirs, "classes_") else "oob_prediction_"
    parity.identical(getattr(ours, name), getattr(theirs, name), what=name, data=data)
    reason = "R squared adds up in another order there"
    parity.rounding(ours.oob_score_, theirs.oob_score_, what="oob_score_", reason=reason, bound=1e-13, data=data)


@pytest.mark.parametrize("kind", ["dense", "sparse", "weights"])
@pytest.mark.parametrize("name", ["RandomForestClassifier", "RandomForestRegressor"])
def test_out_of_bag(name, kind, engine, implementation, parity):
    X, y = load_iris(return_X_y=True) if name == "RandomForestClassifier" else regression()["diabetes"]
    weight = np.linspace(0.5, 1.5, len(y)) if kind == "weights" else None
    X = scipy.sparse.csr_matrix(X) if kind == "sparse" else X
    ours, theirs = both(implementation, name, X, y, weight, n_estimators=35, oob_score=True)
    assert_same_oob(parity, ours, theirs, kind)


def test_samples_that_every_tree_saw_are_warned_of(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        ours, theirs = both(implementation, "RandomForestClassifier", X, y, n_estimators=2, oob_score=True)
    assert_same_oob(parity, ours, theirs, "iris, two trees")


@pytest.mark.parametrize("name", ["RandomForestClassifier", "RandomForestRegressor"])
def test_out_of_bag_by_a_score_of_one_s_own(name, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    seen = []

    def score(y_true, y_pred):
        seen.append((y_true, y_pred))
        return 7.0

    ours, _ = both(implementation, name, X, y, n_estimators=35, oob_score=score)
    assert ours.oob_score_ == 7.0
    (truth, predicted), (their_truth, their_predicted) = seen
    parity.identical(truth, their_truth, what="y_true of a callable oob_score")
    parity.identical(predicted, their_predicted, what="y_pred of a callable oob_score")


def test_out_of_bag_needs_classes_of_one_kind(engine, implementation):
    X, y = several_outputs("multiclass")
    for Model in (implementation("RandomForestClassifier"), sklearn.ensemble.RandomForestClassifier):
        with pytest.raises(ValueError, match="cannot be used to compute OOB"):
            Model(oob_score=True).fit(X, y)


# ---------------------------------------------------------------- warm start


@pytest.mark.parametrize("seed", [0, None], ids=["int", "RandomState"])
def test_warm_start_grows_the_forest_that_was_asked_for(seed, engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    models = []
    for Model in (implementation("RandomForestClassifier"), sklearn.ensemble.RandomForestClassifier):
        generator = np.random.RandomState(5) if seed is None else seed
        model = Model(n_estimators=3, warm_start=True, random_state=generator).fit(X, y)
        first = model.estimators_[0]
        models.append(model.set_params(n_estimators=8).fit(X, y))
        assert model.estimators_[0] is first
    assert_same_forest(parity, *models, X, "iris", "warm_start")
    if seed is not None:
        cold = implementation("RandomForestClassifier")(n_estimators=8, random_state=seed).fit(X, y)
        assert np.array_equal(cold.predict_proba(X), models[0].predict_proba(X))


def test_warm_start_with_nothing_to_do_or_too_much(engine, implementation):
    X, y = load_iris(return_X_y=True)
    model = implementation("RandomForestClassifier")(n_estimators=3, warm_start=True, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="does not fit new trees"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="must be larger or equal to"):
        model.set_params(n_estimators=2).fit(X, y)


def test_warm_start_adds_an_oob_score(engine, implementation):
    X, y = load_iris(return_X_y=True)
    model = implementation("RandomForestClassifier")(n_estimators=35, warm_start=True, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="does not fit new trees"):
        model.set_params(oob_score=True).fit(X, y)
    assert 0.9 < model.oob_score_ <= 1
    del model.oob_score_
    with pytest.warns(UserWarning, match="does not fit new trees"):
        model.fit(X, y)
    assert hasattr(model, "oob_score_")


def test_presets_and_warm_start_are_warned_of(engine, implementation):
    X, y = load_iris(return_X_y=True)
    for Model in (implementation("RandomForestClassifier"), sklearn.ensemble.RandomForestClassifier):
        with pytest.warns(UserWarning, match="not recommended for warm_start"):
            Model(n_estimators=1, warm_start=True, class_weight="balanced").fit(X, y)


# ---------------------------------------------------------------- errors and warnings


Y = load_iris().target
INFINITE = load_iris().data.copy()
INFINITE[0, 0] = np.inf
ERRORS = {
    "n_estimators=0": {"n_estimators": 0},
    "n_estimators=2.0": {"n_estimators": 2.0},
    "max_samples=0": {"max_samples": 0},
    "max_samples=0.0": {"max_samples": 0.0},
    "max_samples without bootstrap": {"max_samples": 0.5, "bootstrap": False},
    "oob_score without bootstrap": {"oob_score": True, "bootstrap": False},
    "oob_score: a word": {"oob_score": "yes"},
    "bootstrap: a word": {"bootstrap": "yes"},
    "n_jobs=1.5": {"n_jobs": 1.5},
    "warm_start=2": {"warm_start": 2},
    "verbose=-1": {"verbose": -1},
    "max_features=0": {"max_features": 0},
    "splitter": {"splitter": "best"},
    "X: infinite": {"X": INFINITE},
    "X: too short": {"X": np.ones((140, 4))},
    "y: None": {"y": None},
    "y: NaN": {"y": np.where(Y == 1, np.nan, Y)},
    "y: sparse": {"y": scipy.sparse.csr_matrix(np.c_[Y, Y])},
    "weights: negative": {"sample_weight": np.where(Y == 1, -1.0, 1.0)},
    "weights: all zero": {"sample_weight": np.zeros(150)},
    "monotonic_cst: too long": {"monotonic_cst": [1] * 5, "y": Y > 0},
}
CLASSIFIER_ERRORS = {
    "class_weight: a word": {"class_weight": "heavy"},
    "class_weight: a class is missing": {"class_weight": {0: 1, 7: 1}},
    "y: fractions": {"y": Y + 0.5},
    "criterion": {"criterion": "squared_error"},
}
REGRESSOR_ERRORS = {
    "criterion": {"criterion": "gini"},
    "poisson: below zero": {"criterion": "poisson", "y": Y - 1.0},
    "poisson: all zero": {"criterion": "poisson", "y": np.zeros(150)},
}


def assert_same_error(implementation, name, changes):
    changes = dict(changes)
    X, y = changes.pop("X", load_iris().data), changes.pop("y", Y)
    weight = changes.pop("sample_weight", None)
    errors = []
    for Model in (getattr(sklearn.ensemble, name), implementation(name)):
        with pytest.raises((ValueError, TypeError)) as caught:
            Model(**{"n_estimators": 2, **changes}).fit(X, y, sample_weight=weight)
        errors.append(caught.value)
    theirs, ours = errors
    for kind in (ValueError, TypeError):
        assert isinstance(ours, kind) == isinstance(theirs, kind), (ours, theirs)
    common = set.intersection(*({word.strip("'\"`.,:()") for word in str(error).split()} for error in errors))
    assert {word for word in common if len(word) > 4}, (ours, theirs)


@pytest.mark.parametrize("what", [*ERRORS, *CLASSIFIER_ERRORS])
def test_errors_of_classifiers(what, engine, implementation):
    assert_same_error(implementation, "RandomForestClassifier", {**ERRORS, **CLASSIFIER_ERRORS}[what])


@regressor
@pytest.mark.parametrize("what", [*ERRORS, *REGRESSOR_ERRORS])
def test_errors_of_regressors(what, engine, implementation):
    assert_same_error(implementation, "RandomForestRegressor", {**ERRORS, **REGRESSOR_ERRORS}[what])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "apply", "decision_path"])
def test_errors_of_predictions(method, engine, implementation):
    X, y = load_iris(return_X_y=True)
    model = implementation("RandomForestClassifier")(n_estimators=2)
    with pytest.raises(NotFittedError):
        getattr(model, method)(X)
    model.fit(X, y)
    with pytest.raises(ValueError, match="contains infinity"):
        getattr(model, method)(INFINITE)
    with pytest.raises(ValueError, match="contains infinity"):
        getattr(model, method)(np.full((2, 4), -1e300))
    with pytest.raises(ValueError, match="X has 3 features"):
        getattr(model, method)(X[:, :3])


@pytest.mark.parametrize("name", ["RandomForestClassifier", "RandomForestRegressor"])
def test_a_column_of_targets_is_warned_of(name, engine, implementation):
    X, y = load_iris(return_X_y=True)
    for Model in (implementation(name), getattr(sklearn.ensemble, name)):
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
            Model(n_estimators=1).fit(X, y.reshape(-1, 1))


def test_a_fraction_that_gives_few_samples_is_warned_of(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    with few_samples():
        ours, theirs = both(implementation, "RandomForestClassifier", X, y, max_samples=0.02)
    assert_same_forest(parity, ours, theirs, X, "iris", "max_samples=0.02")


@regressor
def test_friedman_is_deprecated_as_in_the_reference(implementation):
    for Model in (implementation("RandomForestRegressor"), sklearn.ensemble.RandomForestRegressor):
        with pytest.warns(FutureWarning, match="friedman_mse.*deprecated"):
            assert Model(criterion="friedman_mse").criterion == "squared_error"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_forest_interrupted_while_growing_is_not_fitted(n_jobs, engine, monkeypatch):
    X, y = load_iris(return_X_y=True)
    model = minimal.ensemble.RandomForestClassifier(4, n_jobs=n_jobs, warm_start=True).fit(X, y)

    def interrupted(growth, shared=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"minimal.tree.growing_{engine}.grow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(n_estimators=9).fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_verbose_tells_each_tree(engine, implementation, capsys):
    X, y = load_iris(return_X_y=True)
    implementation("RandomForestClassifier")(n_estimators=2, verbose=2).fit(X, y)
    ours = capsys.readouterr().out
    with contextlib.redirect_stderr(io.StringIO()):
        sklearn.ensemble.RandomForestClassifier(n_estimators=2, verbose=2).fit(X, y)
    assert [line for line in capsys.readouterr().out.splitlines() if "building" in line] == ours.splitlines()


# ---------------------------------------------------------------- tools


def test_decision_paths(engine, implementation, parity):
    X, y = load_iris(return_X_y=True)
    ours, theirs = both(implementation, "RandomForestClassifier", X, y)
    (mine, columns), (other, their_columns) = ours.decision_path(X), theirs.decision_path(X)
    assert type(mine) is type(other)
    assert mine.shape == other.shape
    for part in ("data", "indices", "indptr"):
        parity.identical(getattr(mine, part), getattr(other, part), what=f"decision_path: {part}", data="iris")
    parity.identical(columns, their_columns, what="decision_path: n_nodes_ptr", data="iris")


@regressor
def test_partial_dependence(engine, implementation, parity):
    X, y = load_diabetes(return_X_y=True)
    ours, theirs = both(implementation, "RandomForestRegressor", X, y, max_depth=4)
    for features in ([2], [8, 2]):
        mine, other = (
            partial_dependence(model, X, features, method="recursion", grid_resolution=10) for model in (ours, theirs)
        )
        parity.identical(mine["average"], other["average"], what="partial_dependence", data="diabetes")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_copies_answer_alike(copied, engine, implementation):
    X, y = load_iris(return_X_y=True)
    model = implementation("RandomForestClassifier")(n_estimators=3, random_state=0).fit(X, y)
    assert np.array_equal(copied(model).predict_proba(X), model.predict_proba(X))
    assert np.array_equal(clone(model).fit(X, y).predict_proba(X), model.predict_proba(X))


def test_searches(engine, implementation):
    X, y = load_iris(return_X_y=True)
    grid = {"max_depth": [1, 3], "max_features": [1, 2]}
    scores = [
        GridSearchCV(Model(n_estimators=4, random_state=0), grid, cv=3).fit(X, y).cv_results_["mean_test_score"]
        for Model in (implementation("RandomForestClassifier"), sklearn.ensemble.RandomForestClassifier)
    ]
    assert np.array_equal(*scores)


def test_trees_of_a_forest_are_ours(engine):
    X, y = load_iris(return_X_y=True)
    forest = minimal.ensemble.RandomForestClassifier(n_estimators=3, random_state=0).fit(X, y)
    assert all(type(tree) is DecisionTreeClassifier for tree in forest)
    assert forest[1] is forest.estimators_[1]
    assert isinstance(forest, sklearn.ensemble.RandomForestClassifier)
    votes = [forest.classes_[tree.predict(X).astype(int)] for tree in forest]
    assert (np.mean(np.array(votes) == y, axis=0) > 0.5).mean() > 0.9


# ---------------------------------------------------------------- a floor that no library version can move


def test_without_draws_all_trees_are_one_tree(engine, implementation):
    X, y = load_iris(return_X_y=True)
    forest = implementation("RandomForestClassifier")(3, bootstrap=False, max_features=None, random_state=0).fit(X, y)
    first = DecisionTreeClassifier(random_state=forest[0].random_state).fit(X, y)
    assert np.array_equal(forest[0].tree_.threshold, first.tree_.threshold)
    assert np.array_equal(forest.predict(X), y)


@regressor
def test_a_forest_is_the_mean_of_its_trees(engine, implementation):
    X, y = regression()["diabetes"]
    forest = implementation("RandomForestRegressor")(n_estimators=4, random_state=0).fit(X, y)
    total = sum(tree.predict(X) for tree in forest)
    assert np.array_equal(forest.predict(X), total / 4)


@regressor
def test_out_of_bag_by_hand(engine, implementation):
    """Each sample's prediction is the mean of the trees whose draw does not hold it."""
    X, y = regression()["diabetes"]
    forest = implementation("RandomForestRegressor")(n_estimators=35, random_state=0, oob_score=True).fit(X, y)
    for i in range(0, len(y), 17):
        unseen = [
            tree.predict(X[[i]])[0]
            for tree, drawn in zip(forest, forest.estimators_samples_, strict=True)
            if i not in drawn
        ]
        assert forest.oob_prediction_[i] == pytest.approx(np.mean(unseen), rel=1e-14)
