"""LogisticRegression against scikit-learn's, and against what no library can move: optimality, symmetry, duplication."""

from __future__ import annotations

import pickle
import warnings
from functools import cache

import numpy as np
import pytest
import sklearn.datasets
import sklearn.exceptions
import sklearn.linear_model
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler as TheirScaler
from threadpoolctl import threadpool_limits

import minimal

COMPONENT = "LogisticRegression"
Theirs = sklearn.linear_model.LogisticRegression

SMOOTH = ("lbfgs", "newton-cg", "newton-cholesky")
FUSED = "sums over the samples are added in another order, and exp has another last bit"
TRUNCATED = "conjugate gradients stop early, which carries rounding into the steps"


@pytest.fixture(autouse=True, scope="module")
def one_thread_for_the_reference():
    """Its sums depend on how many threads its BLAS has."""
    with threadpool_limits(1):
        yield


@cache
def data(name, scaled=True):
    if name == "imbalanced":
        X, y = sklearn.datasets.make_classification(
            400, 9, n_informative=6, n_redundant=0, weights=[0.85], flip_y=0.05, random_state=3
        )
    elif name == "four classes":
        X, y = sklearn.datasets.make_classification(
            501, 11, n_informative=7, n_redundant=0, n_classes=4, class_sep=0.7, random_state=5
        )
    else:
        X, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    scale = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(scale > 0, scale, 1.0) if scaled else X, y


def sample_weights(y, kind):
    rng = np.random.default_rng(1)
    return {
        "none": lambda: None,
        "random": lambda: rng.random(len(y)) + 0.1,
        "some zero": lambda: rng.integers(0, 3, len(y)).astype(float),
    }[kind]()


def permuted(X, y, weight, seed):
    order = np.random.default_rng(seed).permutation(len(y))
    return X[order], y[order], None if weight is None else weight[order]


def distance(ours, theirs):
    return float(np.abs(ours.astype(float) - theirs.astype(float)).max() / np.abs(theirs).max())


def quiet_fit(model, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        return model.fit(*args)


def floor_of_theirs(options, X, y, weight, repeats):
    """How far theirs is from itself when the rows change places."""
    base = quiet_fit(Theirs(**options), X, y, weight).coef_
    return max(
        distance(quiet_fit(Theirs(**options), *permuted(X, y, weight, seed)).coef_, base) for seed in range(repeats)
    )


def compare(parity, ours, theirs, what, level, **more):
    assert np.array_equal(ours.classes_, theirs.classes_)
    assert ours.classes_.dtype == theirs.classes_.dtype
    parity.identical(ours.n_iter_, theirs.n_iter_, what=f"n_iter_ {what}", **more)
    for name in ("coef_", "intercept_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert a.dtype == b.dtype
        level(a, b, what=f"{name} {what}", **more)


# ---------------------------------------------------------------- oracle grids


@pytest.mark.parametrize("weights", ["none", "random", "some zero"])
@pytest.mark.parametrize("C", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "imbalanced", "four classes"])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_standardized_data(solver, name, C, weights, engine, implementation, parity):
    X, y = data(name)
    weight = sample_weights(y, weights)
    options = {"solver": solver, "C": C}
    ours = implementation("LogisticRegression")(**options).fit(X, y, weight)
    theirs = Theirs(**options).fit(X, y, weight)

    def level(a, b, **more):
        parity.rounding(a, b, bound=1e-10, reason=FUSED, **more)

    compare(parity, ours, theirs, f"of {solver}", level, data=name, option=f"C={C}, weights={weights}")


@pytest.mark.parametrize("C", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "imbalanced", "four classes"])
def test_newton_cg_on_standardized_data(name, C, engine, implementation, parity):
    X, y = data(name)
    weight = sample_weights(y, "random")
    options = {"solver": "newton-cg", "C": C}
    ours = implementation("LogisticRegression")(**options).fit(X, y, weight)
    theirs = Theirs(**options).fit(X, y, weight)
    floor = max(1e-10, floor_of_theirs(options, X, y, weight, 8))

    def level(a, b, **more):
        parity.noise_floor(a, b, floor=floor, reason=TRUNCATED, **more)

    compare(parity, ours, theirs, "of newton-cg", level, data=name, option=f"C={C}")


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.3, 1: 2.0}, {2: 3.0}])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_intercept_and_class_weights(solver, fit_intercept, class_weight, engine, implementation, parity):
    X, y = data("wine")
    weight = sample_weights(y, "random")
    options = {"solver": solver, "fit_intercept": fit_intercept, "class_weight": class_weight}
    ours = implementation("LogisticRegression")(**options).fit(X, y, weight)
    theirs = Theirs(**options).fit(X, y, weight)

    def level(a, b, **more):
        parity.rounding(a, b, bound=1e-10, reason=FUSED, **more)

    text = f"fit_intercept={fit_intercept}, class_weight={class_weight}"
    compare(parity, ours, theirs, f"of {solver}", level, data="wine", option=text)


@pytest.mark.parametrize("name", ["imbalanced", "four classes"])
@pytest.mark.parametrize("solver", SMOOTH)
def test_no_penalty(solver, name, engine, implementation, parity):
    X, y = data(name)
    options = {"solver": solver, "C": np.inf, "tol": 1e-8, "max_iter": 1000}
    ours = implementation("LogisticRegression")(**options).fit(X, y)
    theirs = Theirs(**options).fit(X, y)
    floor = 1e-10 if solver == "newton-cholesky" else max(1e-10, floor_of_theirs(options, X, y, None, 8))

    def level(a, b, **more):
        parity.noise_floor(a, b, floor=floor, reason="a long run without a penalty", **more)

    if solver == "newton-cholesky":
        assert ours.n_iter_ == theirs.n_iter_
    for attribute in ("coef_", "intercept_"):
        level(getattr(ours, attribute), getattr(theirs, attribute), what=f"{attribute} of {solver}", data=name)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_unscaled_data_to_the_noise_floor(name, engine, implementation, parity):
    X, y = data(name, scaled=False)
    ours = quiet_fit(implementation("LogisticRegression")(), X, y)
    theirs = quiet_fit(Theirs(), X, y)
    floor = floor_of_theirs({}, X, y, None, 20)
    assert floor > 1e-6  # there is noise: this is not a test of rounding
    parity.noise_floor(ours.coef_, theirs.coef_, floor=floor, what="coef_ of lbfgs on unscaled data", data=name)
    parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_ of lbfgs on unscaled data", data=name)


@pytest.mark.parametrize("solver", SMOOTH)
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_float32(name, solver, engine, implementation, parity):
    X, y = data(name)
    single = X.astype(np.float32)
    ours = implementation("LogisticRegression")(solver=solver).fit(single, y)
    theirs, wide = Theirs(solver=solver).fit(single, y), Theirs(solver=solver).fit(X, y)
    assert ours.coef_.dtype == ours.intercept_.dtype == theirs.coef_.dtype == np.float32
    assert ours.predict_proba(single).dtype == np.float32
    parity.identical(ours.n_iter_, wide.n_iter_, what="n_iter_ on float32", data=name, option=solver)
    for attribute in ("coef_", "intercept_"):
        a, b, c = (getattr(model, attribute) for model in (ours, theirs, wide))
        floor = distance(b, c) + 2.0**-24
        why = "no further from the reference in float64 than the reference in float32 is; sums are in float64 here"
        parity.noise_floor(
            a.astype(float), c, floor=floor, what=f"{attribute} on float32", reason=why, data=name, option=solver
        )


@pytest.mark.wide
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weights", ["none", "random", "some zero"])
@pytest.mark.parametrize("C", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "imbalanced", "four classes", "digits"])
def test_wide_grid(name, C, weights, fit_intercept, engine, implementation, parity):
    X, y = data(name)
    weight = sample_weights(y, weights)
    options = {"C": C, "fit_intercept": fit_intercept, "max_iter": 300}
    ours = implementation("LogisticRegression")(**options).fit(X, y, weight)
    theirs = Theirs(**options).fit(X, y, weight)

    def level(a, b, **more):
        parity.rounding(a, b, bound=1e-10, reason=FUSED, **more)

    compare(parity, ours, theirs, "of lbfgs", level, data=name, option=f"C={C}, weights={weights}, {fit_intercept}")


@pytest.mark.parametrize("container", ["csr_matrix", "csr_array", "csc_matrix"])
@pytest.mark.parametrize("name", ["imbalanced", "four classes"])
@pytest.mark.parametrize("solver", SMOOTH)
def test_sparse_input(solver, name, container, engine, implementation, parity):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = data(name)
    S = getattr(sparse, container)(np.where(np.abs(X) > 0.8, X, 0.0))
    ours = implementation("LogisticRegression")(solver=solver).fit(S, y)
    theirs = Theirs(solver=solver).fit(S, y)

    def level(a, b, **more):
        parity.rounding(a, b, bound=1e-9, reason=FUSED, **more)

    compare(parity, ours, theirs, f"of {solver} on sparse input", level, data=name)
    parity.rounding(ours.predict_proba(S), theirs.predict_proba(S), bound=1e-9, what="predict_proba of sparse input")


# ---------------------------------------------------------------- predictions


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_predictions(name, dtype, engine, implementation, parity):
    X, y = data(name)
    X = X.astype(dtype)
    labels = np.array(["no", "maybe", "yes"])[y]
    ours, theirs = implementation("LogisticRegression")().fit(X, labels), Theirs().fit(X, labels)
    bound, reason = (1e-9, FUSED) if dtype == np.float64 else (1e-4, "float32 scores of slightly other coefficients")
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        with np.errstate(divide="ignore"):
            a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
        assert a.dtype == b.dtype
        assert np.isfinite(a).all()
        if method == "predict_log_proba":  # theirs is log(1 - p): it has no digits left where 1 - p is near eps
            told = b > (-10 if dtype == np.float64 else -5)
            a, b = a[told], b[told]
        parity.rounding(a, b, what=method, bound=bound, reason=reason, data=name)
    parity.identical(ours.predict(X), theirs.predict(X), what="predict", data=name)
    assert ours.score(X, labels) == theirs.score(X, labels)
    weight = sample_weights(y, "random")
    assert ours.score(X, labels, weight) == pytest.approx(theirs.score(X, labels, weight), rel=1e-12)


def test_probabilities_where_the_reference_gives_up(engine, implementation, parity):
    X = np.array([[-1.0], [1.0]])
    model = implementation("LogisticRegression")().fit(X, [0, 1])
    model.coef_, model.intercept_ = np.array([[1e4]]), np.zeros(1)
    p, log_p = model.predict_proba(X), model.predict_log_proba(X)
    assert p.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert log_p.tolist() == [[0.0, -1e4], [-1e4, 0.0]]
    model.coef_ = np.array([[50.0]])
    assert model.predict_proba(X)[1, 0] == pytest.approx(np.exp(-50.0), rel=1e-14, abs=0)
    parity.known(
        "log-probabilities of certain samples are finite, and the first class's tiny probabilities are not 1 - p",
        "the reference takes log(predict_proba) and answers -inf with a warning",
    )


# ---------------------------------------------------------------- what no library can move


@pytest.mark.parametrize("C", [0.05, 5.0])
@pytest.mark.parametrize("name", ["imbalanced", "four classes"])
@pytest.mark.parametrize("solver", SMOOTH)
def test_the_gradient_vanishes_at_the_solution(solver, name, C, engine, implementation):
    X, y = data(name)
    tol = 1e-6
    model = implementation("LogisticRegression")(solver=solver, C=C, tol=tol, max_iter=1000).fit(X, y)
    n, classes = len(y), np.unique(y)
    z = X @ model.coef_.T + model.intercept_
    if len(classes) == 2:
        residual = 1 / (1 + np.exp(-z)) - (y == classes[1])[:, None]
    else:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        residual = e / e.sum(axis=1, keepdims=True) - (y[:, None] == classes)
    gradient = residual.T @ X / n + model.coef_ / (C * n)
    assert np.abs(gradient).max() <= tol * 1.0001
    assert np.abs(residual.mean(axis=0)).max() <= tol * 1.0001


@pytest.mark.parametrize("name", ["imbalanced", "four classes"])
@pytest.mark.parametrize("solver", SMOOTH)
def test_integer_weights_are_duplicates(solver, name, engine, implementation):
    X, y = data(name)
    times = np.random.default_rng(0).integers(0, 4, len(y))
    Ours = implementation("LogisticRegression")
    options = {"solver": solver, "tol": 1e-10, "max_iter": 1000}
    weighted = Ours(**options).fit(X, y, times)
    repeated = Ours(**options).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert weighted.coef_ == pytest.approx(repeated.coef_, abs=1e-6)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, abs=1e-6)


@pytest.mark.parametrize("solver", SMOOTH)
def test_order_of_rows_and_names_of_classes_do_not_matter(solver, engine, implementation):
    Ours = implementation("LogisticRegression")
    options = {"solver": solver, "tol": 1e-10, "max_iter": 1000}
    X, y = data("four classes")
    base = Ours(**options).fit(X, y)
    moved = Ours(**options).fit(*permuted(X, y, None, 7)[:2])
    assert moved.coef_ == pytest.approx(base.coef_, abs=1e-6)
    names = np.array(["delta", "alpha", "charlie", "bravo"])
    renamed = Ours(**options).fit(X, names[y])
    assert renamed.classes_.tolist() == sorted(names)
    assert renamed.coef_[np.argsort(np.argsort(names))] == pytest.approx(base.coef_, abs=1e-6)
    assert base.coef_.sum(axis=0) == pytest.approx(0, abs=1e-7)  # softmax with L2: the classes balance
    X, y = data("imbalanced")
    a, b = Ours(**options).fit(X, y), Ours(**options).fit(X, 1 - y)
    assert a.coef_ == pytest.approx(-b.coef_, abs=1e-6)


def test_more_regularization_makes_smaller_coefficients(engine, implementation):
    X, y = data("breast_cancer")
    Ours = implementation("LogisticRegression")
    sizes = [np.linalg.norm(Ours(C=C, max_iter=500).fit(X, y).coef_) for C in (1e-4, 1e-2, 1.0, 10.0)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", ["imbalanced", "four classes"])
def test_threads_do_not_change_a_bit(name, implementation):
    X, y = data(name)
    times = 2**21 // X.size + 1  # so much data is shared among threads
    X, y = np.tile(X, (times, 1)), np.tile(y, times)
    before = minimal.get_num_threads()
    try:
        found = []
        for count in (1, 2, 5):
            minimal.set_num_threads(count)
            found.append(implementation("LogisticRegression")().fit(X, y).coef_)
    finally:
        minimal.set_num_threads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize("layout", ["Fortran", "read-only", "strided", "list"])
def test_layout_of_the_input(layout, engine, implementation):
    X, y = data("iris")
    other = {
        "Fortran": lambda: np.asfortranarray(X),
        "read-only": lambda: _frozen(X),
        "strided": lambda: np.repeat(X, 2, axis=1)[:, ::2],
        "list": lambda: X.tolist(),
    }[layout]()
    copy = np.array(other)
    model = implementation("LogisticRegression")().fit(other, y)
    assert np.array_equal(model.coef_, implementation("LogisticRegression")().fit(X.copy(), y).coef_)
    assert np.array_equal(np.array(other), copy)


def _frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


# ---------------------------------------------------------------- labels


LABELS = {
    "strings": np.array(["b", "a", "c"]),
    "objects": np.array(["b", "a", "c"], dtype=object),
    "gaps": np.array([7, -3, 500]),
    "far apart": np.array([7, -(2**40), 2**62]),
    "floats": np.array([2.0, 0.0, 5.0]),
    "uint8": np.array([255, 0, 3], dtype=np.uint8),
}


@pytest.mark.parametrize("kind", LABELS)
def test_kinds_of_labels(kind, engine, implementation):
    X, y = data("iris")
    labels = LABELS[kind][y]
    ours, theirs = implementation("LogisticRegression")().fit(X, labels), Theirs().fit(X, labels)
    assert ours.classes_.dtype == theirs.classes_.dtype
    assert np.array_equal(ours.classes_, theirs.classes_)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    two = labels[y < 2]
    assert np.array_equal(implementation("LogisticRegression")().fit(X[y < 2], two).predict(X[y < 2]), two)


def test_boolean_labels(engine, implementation):
    X, y = data("breast_cancer")
    model = implementation("LogisticRegression")().fit(X, y == 1)
    assert model.classes_.dtype == bool
    assert model.predict(X).dtype == bool


# ---------------------------------------------------------------- life of an estimator


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
@pytest.mark.parametrize("solver", SMOOTH)
def test_warm_start(solver, name, engine, implementation, parity):
    X, y = data(name)
    options = {"solver": solver, "warm_start": True}
    ours, theirs = implementation("LogisticRegression")(**options), Theirs(**options)
    for C in (0.1, 1.0, 1.0):
        ours.set_params(C=C).fit(X, y)
        theirs.set_params(C=C).fit(X, y)
        parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_ after a warm start", data=name, option=solver)
        bound = 1e-8 if solver == "newton-cg" else 1e-10
        parity.rounding(ours.coef_, theirs.coef_, what="coef_ after a warm start", bound=bound, option=solver)
    cold = implementation("LogisticRegression")(solver=solver).fit(X, y)
    assert ours.n_iter_ < cold.n_iter_
    with pytest.raises(ValueError, match="Initialization coef is of shape"):
        ours.fit(X[:, :3], y)


def test_failed_refit_leaves_nothing_that_predicts(engine, implementation):
    X, y = data("iris")
    bad = X.copy()
    bad[3, 1] = np.nan
    for arguments in ((bad, y), (X, y[:-1]), (X, np.zeros(len(y))), (X, y, np.ones(3))):
        model = implementation("LogisticRegression")().fit(X, y)
        with pytest.raises(ValueError):  # noqa: PT011 (four different messages)
            model.fit(*arguments)
        with pytest.raises(sklearn.exceptions.NotFittedError):
            model.predict(X)
        assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [(0, 0), (149, 3), (75, 2)])
@pytest.mark.parametrize("solver", SMOOTH)
def test_missing_and_infinite_values_are_named(solver, where, bad, engine, implementation):
    X, y = data("iris")
    X = X.copy()
    X[where] = bad
    word = "NaN" if np.isnan(bad) else "infinity"
    for labels in (y, y > 0):
        weight = np.ones(len(y))
        weight[where[0]] = 0  # a weight of zero does not hide it
        with pytest.raises(ValueError, match=f"Input X contains {word}"):
            implementation("LogisticRegression")(solver=solver).fit(X, labels, weight)
    with pytest.raises(ValueError, match=f"Input X contains {word}"):
        implementation("LogisticRegression")().fit(data("iris")[0], y).predict(X)


def test_huge_but_finite_input(engine, implementation):
    X = np.array([[1e200], [-1e200], [2e200], [-2e200]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference, too, cannot converge here
        model = implementation("LogisticRegression")(max_iter=5).fit(X, [1, 0, 1, 0])
    assert model.coef_.shape == (1, 1)


def test_works_inside_scikit_learn(engine, implementation):
    X, y = data("wine", scaled=False)
    Ours = implementation("LogisticRegression")
    pipeline = make_pipeline(TheirScaler(), Ours())
    assert np.array_equal(
        cross_val_score(pipeline, X, y), cross_val_score(make_pipeline(TheirScaler(), Theirs()), X, y)
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.01, 1.0]}).fit(X, y)
    assert (
        search.best_params_
        == GridSearchCV(make_pipeline(TheirScaler(), Theirs()), {"logisticregression__C": [0.01, 1.0]})
        .fit(X, y)
        .best_params_
    )
    X, y = data("wine")
    fitted = Ours(C=2.0).fit(X, y)
    assert clone(fitted).get_params() == fitted.get_params()
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_data_frames(engine, implementation):
    pandas = pytest.importorskip("pandas")
    X, y = data("iris")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    model = implementation("LogisticRegression")().fit(frame, pandas.Series(y))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert np.array_equal(model.predict(frame), implementation("LogisticRegression")().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_sparsify_and_densify(engine, implementation):
    pytest.importorskip("scipy.sparse")
    X, y = data("iris")
    model = implementation("LogisticRegression")().fit(X, y)
    coef, answer = model.coef_, model.predict_proba(X)
    assert model.sparsify().coef_.format == "csr"
    assert model.predict_proba(X) == pytest.approx(answer, rel=1e-12)
    assert np.array_equal(model.densify().coef_, coef)


# ---------------------------------------------------------------- errors and warnings, as the reference's


def _outcome(model, X, y, weight=None):
    """The class of the error, if there is one, and the classes of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(X, y, weight)
            error = None
        except Exception as problem:
            error = problem
    return error, [w.category for w in caught]


def _same_outcome(ours, theirs, *arguments):
    (error, warned), (their_error, they_warned) = _outcome(ours, *arguments), _outcome(theirs, *arguments)
    assert (error is None) == (their_error is None), (error, their_error)
    if error is not None:
        # Ours is of their class: what catches theirs catches ours.
        assert isinstance(error, type(their_error)), (error, their_error)
    assert len(warned) == len(they_warned), (warned, they_warned)
    for a, b in zip(warned, they_warned):
        assert issubclass(a, b), (warned, they_warned)


BAD_PARAMETERS = [
    {"C": 0},
    {"C": -1.0},
    {"C": np.nan},
    {"C": "1"},
    {"tol": -1e-4},
    {"tol": None},
    {"max_iter": -1},
    {"max_iter": 10.5},
    {"solver": "adam"},
    {"solver": None},
    {"penalty": "l3"},
    {"l1_ratio": 1.5},
    {"fit_intercept": 3},
    {"warm_start": "yes"},
    {"class_weight": "even"},
    {"class_weight": [1, 2, 3]},
    {"random_state": -1},
    {"intercept_scaling": 0},
    {"n_jobs": 1.5},
    {"dual": True},
    {"l1_ratio": 0.5},
    {"l1_ratio": 1},
    {"solver": "sag", "l1_ratio": 0.5},
    {"penalty": "elasticnet", "solver": "saga", "l1_ratio": None},
    {"class_weight": {0: 1.0, 9: 1.0}},
]
DOUBTFUL_PARAMETERS = [
    {"penalty": "l2"},
    {"penalty": None},
    {"penalty": None, "C": 2.0},
    {"penalty": "l2", "l1_ratio": 0.5},
    {"l1_ratio": None},
    {"n_jobs": 2},
    {"C": np.inf},
    {"max_iter": 0},
    {"max_iter": 2},
    {"max_iter": 2, "solver": "newton-cg"},
    {"max_iter": 2, "solver": "newton-cholesky"},
    {"max_iter": 0, "solver": "newton-cholesky"},
    {"max_iter": 0, "solver": "newton-cg"},
    {"class_weight": {}},
]


@pytest.mark.parametrize("options", BAD_PARAMETERS + DOUBTFUL_PARAMETERS, ids=repr)
def test_parameters_are_refused_as_there(options, engine, implementation):
    X, y = data("iris")
    _same_outcome(implementation("LogisticRegression")(**options), Theirs(**options), X, y)


BAD_DATA = {
    "one class": lambda X, y: (X, np.zeros(len(y))),
    "fractions": lambda X, y: (X, y + 0.5),
    "objects": lambda X, y: (X, np.array([object() for _ in y])),
    "integer objects": lambda X, y: (X, y.astype(object)),
    "missing label": lambda X, y: (X, np.where(y == 0, np.nan, y)),
    "no labels": lambda X, y: (X, None),
    "too few labels": lambda X, y: (X, y[:-1]),
    "two columns of labels": lambda X, y: (X, np.column_stack([y, y])),
    "one column of labels": lambda X, y: (X, y[:, None]),
    "one dimension": lambda X, y: (X[:, 0], y),
    "three dimensions": lambda X, y: (X[:, :, None], y),
    "no features": lambda X, y: (X[:, :0], y),
    "no samples": lambda X, y: (X[:0], y[:0]),
    "one sample": lambda X, y: (X[:1], y[:1]),
    "complex": lambda X, y: (X + 1j, y),
    "strings": lambda X, y: (X.astype(str), y),
    "words": lambda X, y: (np.full(X.shape, "word"), y),
    "wrong weights": lambda X, y: (X, y, np.ones(3)),
    "weights in columns": lambda X, y: (X, y, np.ones((len(y), 2))),
    "missing weight": lambda X, y: (X, y, np.full(len(y), np.nan)),
    "weights all zero": lambda X, y: (X, y, np.zeros(len(y))),
    "one weight for all": lambda X, y: (X, y, 2.0),
    "almost all classes different": lambda X, y: (X[:30], np.arange(30) // 2 * 2),
    "all classes different": lambda X, y: (X[:30], np.arange(30)),
}


@pytest.mark.parametrize("kind", BAD_DATA)
def test_data_are_refused_as_there(kind, engine, implementation):
    arguments = BAD_DATA[kind](*data("iris"))
    _same_outcome(implementation("LogisticRegression")(), Theirs(), *arguments)


@pytest.mark.parametrize("solver", ["newton-cholesky"])
def test_a_singular_hessian_falls_back_to_lbfgs(solver, engine, implementation, parity):
    X, y = data("imbalanced")
    X = np.column_stack([X, X[:, 0]])  # the same column twice, and no penalty to choose between them
    options = {"solver": solver, "C": np.inf, "max_iter": 1000}
    ours, theirs = implementation("LogisticRegression")(**options), Theirs(**options)
    _same_outcome(ours, theirs, X, y)
    parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_ where newton-cholesky falls back", data="imbalanced")
    parity.rounding(
        ours.coef_,
        theirs.coef_,
        bound=1e-8,
        reason=FUSED,
        what="coef_ where newton-cholesky falls back",
        data="imbalanced",
    )


def test_liblinear_and_dual_name_the_alternative(engine, implementation, parity):
    X, y = data("iris")
    with pytest.raises(NotImplementedError, match=r"newton-cholesky.*saga"):
        implementation("LogisticRegression")(solver="liblinear").fit(X, y)
    with pytest.raises(ValueError, match="newton-cg"):
        implementation("LogisticRegression")(dual=True).fit(X, y)
    parity.known("solver='liblinear'", "it is not written; the error names 'lbfgs', 'newton-cholesky' and 'saga'")


# ---------------------------------------------------------------- sag and saga through the estimator


@pytest.mark.parametrize(
    "options",
    [
        {"solver": "sag"},
        {"solver": "sag", "fit_intercept": False},
        {"solver": "saga"},
        {"solver": "saga", "l1_ratio": 1},
        {"solver": "saga", "l1_ratio": 0.4, "C": 0.3},
        {"solver": "saga", "C": np.inf, "tol": 0.01},
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_stochastic_solvers_seed_for_seed(name, options, engine, implementation, parity):
    X, y = data(name)
    X, y = X[::2], y[::2]
    options = {"max_iter": 300, "tol": 3e-3, "random_state": 4, **options}
    weight = sample_weights(y, "random")
    ours = implementation("LogisticRegression")(class_weight="balanced", **options).fit(X, y, weight)
    theirs = Theirs(class_weight="balanced", **options).fit(X, y, weight)
    parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_ of sag and saga", data=name, option=repr(options))
    for attribute in ("coef_", "intercept_"):
        parity.rounding(
            getattr(ours, attribute),
            getattr(theirs, attribute),
            bound=1e-10,
            reason="class and sample weights are multiplied and rounded in float64",
            what=f"{attribute} of sag and saga",
            data=name,
            option=repr(options),
        )


def test_stochastic_solvers_warn_when_they_stop_early(engine, implementation):
    X, y = data("wine")
    for solver in ("sag", "saga"):
        options = {"solver": solver, "max_iter": 2, "random_state": 0}
        _same_outcome(implementation("LogisticRegression")(**options), Theirs(**options), X, y)


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_stochastic_warm_start(solver, engine, implementation, parity):
    X, y = data("wine")
    options = {"solver": solver, "warm_start": True, "random_state": 1, "max_iter": 500}
    ours, theirs = implementation("LogisticRegression")(**options), Theirs(**options)
    for _ in range(2):
        ours.fit(X, y)
        theirs.fit(X, y)
        parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_ of a warm start", option=solver)
        parity.rounding(ours.coef_, theirs.coef_, what="coef_ of a warm start", bound=1e-12, option=solver)
