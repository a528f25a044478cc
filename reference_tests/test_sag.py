"""sag and saga: scikit-learn's runs, seed for seed and bit for bit, and the minimum that they must find.

The kernels are compared with ``sklearn.linear_model._sag.sag_solver`` (its compiled loops round as ours do where the wheel
is built without fused multiply-add, as on x86-64), the estimator with ``sklearn.linear_model.LogisticRegression``.
"""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn.linear_model
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._sag import get_auto_step_size, sag_solver

import minimal
from minimal.linear_model.sag import csr_from_csc, sag_logistic, step_size

COMPONENT = "LogisticRegression"

Theirs = sklearn.linear_model.LogisticRegression


# ---------------------------------------------------------------- data


def standardized(load, every=1):
    X, y = load(return_X_y=True)
    X = X[::every]
    return (X - X.mean(axis=0)) / X.std(axis=0), y[::every]


def scattered(n_samples, n_features, n_classes, share=0.3, seed=0):
    """Mostly zeros, some rows and columns empty."""
    random = np.random.RandomState(seed)
    X = random.randn(n_samples, n_features) * (random.rand(n_samples, n_features) < share)
    X[::9] = 0
    X[:, 2] = 0
    return X, np.concatenate([np.arange(n_classes), random.randint(0, n_classes, n_samples - n_classes)])


DATA = {
    "iris": standardized(load_iris, every=2),
    "breast_cancer": standardized(load_breast_cancer, every=5),
    "scattered, 2 classes": scattered(45, 11, 2),
    "scattered, 6 classes": scattered(45, 11, 6),
    "one feature": (np.arange(30.0)[:, None] / 9, np.arange(30) % 2),
    "more features than samples": scattered(8, 40, 3),
}

# saga, alpha (L2), beta (L1).  From alpha = 100 on, the scale falls below 1e-9 inside an epoch and is put back.
PENALTIES = [
    (False, 1.0, 0.0),
    (False, 0.0, 0.0),
    (False, 1e4, 0.0),
    (True, 1.0, 0.0),
    (True, 0.0, 1.0),
    (True, 0.0, 20.0),
    (True, 0.5, 0.5),
    (True, 1e4, 1.0),
]


def ours_and_theirs(X, y, weight=None, *, saga, alpha, beta, seed=0, max_iter=3, tol=1e-4, intercept=True, start=None):
    """One run of each: (coef, n_iter, memory)."""
    n_classes = int(y.max()) + 1
    n_outputs = 1 if n_classes == 2 else n_classes
    given = {"coef": np.zeros((X.shape[1] + intercept, n_outputs), X.dtype)} if start is None else start
    mine = {name: np.copy(value) for name, value in given.items()}
    ours = sag_logistic(
        X,
        y,
        weight,
        n_classes=n_classes,
        fit_intercept=intercept,
        alpha=alpha,
        beta=beta,
        max_iter=max_iter,
        tol=tol,
        saga=saga,
        random_state=seed,
        warm_start_mem=mine,
    )
    for name, value in mine.items():
        assert np.array_equal(value, given[name]), f"{name} of warm_start_mem was changed"
    loss = "log" if n_classes == 2 else "multinomial"
    their_X = X.tocsr() if scipy.sparse.issparse(X) else np.ascontiguousarray(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ours leaves that to the estimator
        coef, n_iter, memory = sag_solver(
            *(their_X, y.astype(X.dtype), weight, loss, alpha, beta, max_iter, tol, 0, seed, False, None, given, saga)
        )
    return ours, (np.atleast_2d(coef), n_iter, memory)


def assert_same_run(parity, ours, theirs, data, option):
    parity.identical(np.array(ours[1]), np.array(theirs[1]), what="n_iter of sag", data=data, option=option)
    parity.identical(ours[0], np.ascontiguousarray(theirs[0]), what="coef of sag", data=data, option=option)
    assert sorted(ours[2]) == sorted(theirs[2])
    for name in ours[2]:
        their_value = np.asarray(theirs[2][name], order="C")
        parity.identical(np.asarray(ours[2][name]), their_value, what=f"{name} of sag", data=data, option=option)


# ---------------------------------------------------------------- the kernels, seed for seed


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(("saga", "alpha", "beta"), PENALTIES)
@pytest.mark.parametrize("name", DATA)
def test_a_run_is_scikit_learn_s(name, saga, alpha, beta, layout, engine, parity):
    X, y = DATA[name]
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    ours, theirs = ours_and_theirs(X, y, saga=saga, alpha=alpha, beta=beta)
    assert_same_run(parity, ours, theirs, name, f"saga={saga} alpha={alpha} beta={beta} {layout}")


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(("saga", "alpha", "beta"), PENALTIES[::2])
@pytest.mark.parametrize("name", ["iris", "scattered, 2 classes"])
def test_float32_weights_and_no_intercept(name, saga, alpha, beta, layout, engine, parity):
    X, y = DATA[name]
    weight = np.random.RandomState(1).rand(len(y)) * (np.arange(len(y)) % 7 > 0)
    X = X.astype(np.float32)
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    for intercept in (True, False):
        ours, theirs = ours_and_theirs(X, y, weight, saga=saga, alpha=alpha, beta=beta, intercept=intercept)
        option = f"float32 weights saga={saga} alpha={alpha} beta={beta} intercept={intercept} {layout}"
        assert_same_run(parity, ours, theirs, name, option)


@pytest.mark.wide
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(("saga", "alpha", "beta"), PENALTIES)
@pytest.mark.parametrize("name", DATA)
def test_a_run_is_scikit_learn_s_wide(name, saga, alpha, beta, layout, dtype, weighted, intercept, engine, parity):
    X, y = DATA[name]
    weight = np.random.RandomState(1).rand(len(y)) if weighted else None
    X = scipy.sparse.csr_matrix(X.astype(dtype)) if layout == "sparse" else X.astype(dtype)
    for seed in (0, 1):
        ours, theirs = ours_and_theirs(
            *(X, y, weight), saga=saga, alpha=alpha, beta=beta, intercept=intercept, seed=seed, max_iter=8
        )
        option = f"saga={saga} alpha={alpha} beta={beta} {layout} weighted={weighted} intercept={intercept} seed={seed}"
        assert_same_run(parity, ours, theirs, name, option)


@pytest.mark.parametrize("tol", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("saga", [False, True])
def test_it_stops_after_the_same_epoch(saga, tol, engine, parity):
    X, y = DATA["iris"]
    ours, theirs = ours_and_theirs(X, y, saga=saga, alpha=3.0, beta=0.0, max_iter=60, tol=tol)
    assert 1 < theirs[1] < 60
    assert_same_run(parity, ours, theirs, "iris", f"saga={saga} tol={tol}")


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize("beta", [0.0, 1e-6, 2.0])
def test_the_scale_is_put_back_at_the_last_sample_of_an_epoch(beta, layout, engine, parity):
    X, y = scattered(60, 11, 2)
    alpha = 2e4
    step = step_size(np.einsum("ij,ij->i", X, X).max(), alpha / 60, True, 60, True)
    per_reset = int(np.ceil(np.log(1e-9) / np.log1p(-step * alpha / 60)))
    assert 1 < per_reset < 60
    n = 60 // per_reset * per_reset  # the last reset falls on the last sample
    X, y = X[:n], y[:n]
    step = step_size(np.einsum("ij,ij->i", X, X).max(), alpha / n, True, n, True)
    assert (1 - step * alpha / n) ** per_reset < 1e-9 < (1 - step * alpha / n) ** (per_reset - 1)
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    ours, theirs = ours_and_theirs(X, y, saga=True, alpha=alpha, beta=beta, tol=0)
    assert_same_run(parity, ours, theirs, "scattered", f"reset at the end, beta={beta} {layout}")


# ---------------------------------------------------------------- warm starts


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(("saga", "beta"), [(False, 0.0), (True, 0.0), (True, 1.0)])
@pytest.mark.parametrize("name", ["iris", "scattered, 2 classes"])
def test_a_run_goes_on_from_its_memory(name, saga, beta, layout, engine, parity):
    X, y = DATA[name]
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    ours, theirs = ours_and_theirs(X, y, saga=saga, alpha=1.0, beta=beta, max_iter=2)
    for seed in (7, 8):  # theirs goes on from ours, so that nothing but the memory can carry the run
        memory = {k: np.copy(v) for k, v in ours[2].items()} | {"num_seen": ours[2]["num_seen"]}
        ours, theirs = ours_and_theirs(*(X, y), saga=saga, alpha=1.0, beta=beta, max_iter=2, seed=seed, start=memory)
        assert_same_run(parity, ours, theirs, name, f"warm start saga={saga} beta={beta} {layout}")


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize("name", ["iris", "scattered, 2 classes"])
def test_every_layout_gives_the_same_bits(name, engine):
    X, y = DATA[name]
    run = {"n_classes": int(y.max()) + 1, "saga": True, "beta": 0.5, "max_iter": 3, "random_state": 0}
    frozen = X.copy()
    frozen.flags.writeable = False
    dense = [X, np.asfortranarray(X), frozen, np.repeat(X, 2, axis=0)[::2]]
    csr = scipy.sparse.csr_matrix(X)
    long = csr.copy()
    long.indices, long.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    sparse = [csr, csr.tocsc(), csr.tocoo(), long, scipy.sparse.csc_array(X)]
    for layouts in (dense, sparse):
        first, *others = [sag_logistic(layout, y, **run) for layout in layouts]
        for other in others:
            assert other[1] == first[1]
            assert other[0].tobytes() == first[0].tobytes()


def test_a_column_may_stand_twice_in_a_sparse_row(engine, parity):
    random = np.random.RandomState(3)
    indptr = np.arange(0, 101, 5, dtype=np.int32)
    indices = random.randint(0, 4, 100).astype(np.int32)
    assert any(len(set(row)) < 5 for row in indices.reshape(20, 5))
    for n_classes in (2, 3):
        y = np.arange(20) % n_classes
        for dtype in (np.float64, np.float32):
            X = scipy.sparse.csr_matrix((random.randn(100).astype(dtype), indices, indptr), shape=(20, 4))
            for saga, alpha, beta in PENALTIES:
                ours, theirs = ours_and_theirs(X, y, saga=saga, alpha=alpha, beta=beta)
                assert_same_run(parity, ours, theirs, "columns twice", f"saga={saga} alpha={alpha} beta={beta}")


def test_csr_from_csc_is_scipy_s():
    X = scipy.sparse.random(20, 9, density=0.2, random_state=0, format="csc")
    theirs = X.tocsr()
    for mine, their_part in zip(
        csr_from_csc(X.data, X.indices, X.indptr, 20), (theirs.data, theirs.indices, theirs.indptr)
    ):
        assert np.array_equal(mine, their_part)
        assert mine.dtype == their_part.dtype


def test_a_generator_gives_one_draw_a_run(engine):
    X, y = DATA["breast_cancer"]
    ours, theirs = np.random.RandomState(5), np.random.RandomState(5)
    coefs = [sag_logistic(X, y, max_iter=2, random_state=ours)[0] for _ in range(2)]
    seeds = [theirs.randint(1, 2**31 - 1) for _ in range(2)]
    assert ours.random_sample() == theirs.random_sample()
    assert seeds[0] != seeds[1]
    assert not np.array_equal(*coefs)


def test_no_epoch_counts_as_one(engine, parity):
    X, y = DATA["iris"]
    ours, theirs = ours_and_theirs(X, y, saga=False, alpha=1.0, beta=0.0, max_iter=0)
    assert_same_run(parity, ours, theirs, "iris", "max_iter=0")
    assert ours[1] == 1


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("intercept", [True, False])
def test_overflow_is_the_same_error(intercept, n_classes, layout, engine):
    X, y = scattered(30, 4, n_classes)
    X = X * 1e200  # its squares are infinite, so the step is zero; the starting point makes the rest overflow
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    start = {"coef": np.full((4 + intercept, 1 if n_classes == 2 else 3), 1e200)}
    arguments = {"saga": True, "alpha": 1.0, "beta": 0.0, "intercept": intercept, "start": start}
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="overflow occurred at epoch #1"):
        ours_and_theirs(X, y, **arguments)


def test_a_step_that_forgets_everything_is_an_error(engine):
    X, y = np.zeros((6, 2)), np.arange(6) % 2
    with pytest.raises(ZeroDivisionError):
        sag_solver(
            X, y.astype(float), None, "log", 6.0, 0.0, 3, 1e-4, 0, 0, False, None, {"coef": np.zeros((2, 1))}, False
        )
    with pytest.raises(ZeroDivisionError):
        sag_logistic(X, y, fit_intercept=False, alpha=6.0, max_iter=3, random_state=0)


@pytest.mark.parametrize("saga", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_step_size_is_scikit_learn_s(dtype, saga):
    for largest in (0.5, 3.0, 1e6):
        for alpha in (0.0, 0.01, 10.0):
            for intercept in (True, False):
                ours = step_size(dtype(largest), alpha, intercept, 50, saga)
                theirs = get_auto_step_size(dtype(largest), alpha, "log", intercept, 50, saga)
                assert ours == theirs
                assert type(ours) is type(theirs)
    assert step_size(3.0, 0.5, True, 10, False) == 1 / 1.5
    assert step_size(3.0, 0.5, True, 10, True) == 1 / (2 * 1.5 + 1.5)


@settings(max_examples=40, deadline=None)
@given(
    n_samples=st.integers(2, 12),
    n_features=st.integers(1, 9),
    n_classes=st.integers(2, 5),
    alpha=st.sampled_from([0.0, 0.1, 1.0, 50.0, 1e5]),
    beta=st.sampled_from([0.0, 0.1, 5.0]),
    saga=st.booleans(),
    single=st.booleans(),
    sparse=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1e-6, 1.0, 1e3]),
)
def test_any_small_problem(n_samples, n_features, n_classes, alpha, beta, saga, single, sparse, seed, size):
    random = np.random.RandomState(seed)
    X = (size * random.randn(n_samples, n_features)).astype(np.float32 if single else np.float64)
    X[random.rand(n_samples, n_features) < 0.3] = 0
    y = random.randint(0, n_classes, n_samples)
    y[0] = n_classes - 1
    X = scipy.sparse.csr_matrix(X) if sparse else X
    for name in ("numba", "numpy"):
        with minimal.engine(name):
            ours, theirs = ours_and_theirs(X, y, saga=saga, alpha=alpha, beta=beta, seed=seed)
        assert ours[1] == theirs[1]
        assert ours[0].dtype == theirs[0].dtype
        assert ours[0].tobytes() == np.ascontiguousarray(theirs[0]).tobytes(), name


# ---------------------------------------------------------------- the minimum, which no library version can move


def gradient(coef, X, y, n_classes):
    """The gradient of the summed loss, for coefficients of shape (n_outputs, n_features + 1)."""
    Z = X @ coef[:, :-1].T + coef[:, -1]
    if n_classes == 2:
        error = 1 / (1 + np.exp(-Z)) - y[:, None]
    else:
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        error = P / P.sum(axis=1, keepdims=True) - np.eye(n_classes)[y]
    return np.column_stack([error.T @ X, error.sum(axis=0)])


@pytest.mark.parametrize(
    ("saga", "alpha", "beta"), [(False, 1.0, 0.0), (True, 1.0, 0.0), (True, 0.0, 3.0), (True, 2.0, 1.5)]
)
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_what_it_finds_is_the_minimum(name, saga, alpha, beta, engine):
    """alpha w + beta sign(w) = -gradient where w is not zero, |gradient| <= beta where it is; the intercept's is zero."""
    if name == "breast_cancer":  # its columns say nearly the same: a stronger penalty saves thousands of epochs
        alpha, beta = 10 * alpha, 5 * beta
    X, y = DATA[name]
    n_classes = int(y.max()) + 1
    coef, n_iter, _ = sag_logistic(
        *(X, y), n_classes=n_classes, alpha=alpha, beta=beta, saga=saga, max_iter=4000, tol=1e-7, random_state=0
    )
    assert n_iter < 4000
    w, slope = coef[:, :-1], gradient(coef, X, y, n_classes)
    assert np.abs(slope[:, -1]).max() < 1e-4
    inside = w != 0
    assert np.abs(slope[:, :-1] + alpha * w + beta * np.sign(w))[inside].max() < 1e-4
    assert (np.abs(slope[:, :-1])[~inside] <= beta).all()
    if beta:
        assert (~inside).any()


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_dense_and_sparse_find_one_minimum(beta, engine):
    X, y = scattered(40, 6, 2)
    run = {"saga": True, "alpha": 1.0, "beta": beta, "max_iter": 3000, "tol": 1e-9, "random_state": 0}
    dense, sparse = sag_logistic(X, y, **run)[0], sag_logistic(scipy.sparse.csr_matrix(X), y, **run)[0]
    assert np.abs(dense - sparse).max() < 1e-5
    assert not np.array_equal(dense, sparse)  # their intercepts take other steps


def test_an_integer_weight_is_as_good_as_copies(engine):
    X, y = scattered(40, 6, 3)
    weight = np.arange(40) % 3 + 1
    run = {"n_classes": 3, "saga": True, "alpha": 1.0, "max_iter": 3000, "tol": 1e-8, "random_state": 0}
    weighted, copied = (
        sag_logistic(X, y, weight, **run),
        sag_logistic(X.repeat(weight, axis=0), y.repeat(weight), **run),
    )
    assert np.abs(weighted[0] - copied[0]).max() < 1e-5


# ---------------------------------------------------------------- the estimator


def fitted(parity, implementation, X, y, data, weight=None, n_fits=1, **options):
    """Fit both ``n_fits`` times and compare all that they learn each time, the warnings too."""
    ours, theirs = implementation("LogisticRegression")(**options), Theirs(**options)
    option = " ".join(f"{name}={value}" for name, value in options.items())
    for _ in range(n_fits):
        with warnings.catch_warnings(record=True) as our_warnings:
            warnings.simplefilter("always")
            ours.fit(X, y, sample_weight=weight)
        with warnings.catch_warnings(record=True) as their_warnings:
            warnings.simplefilter("always")
            theirs.fit(X, y, sample_weight=weight)
        assert [issubclass(w.category, ConvergenceWarning) for w in our_warnings] == [True] * len(their_warnings)
        for name in ("n_iter_", "coef_", "intercept_", "classes_"):
            theirs_now = np.ascontiguousarray(getattr(theirs, name))
            parity.identical(getattr(ours, name), theirs_now, what=name, data=data, option=option)
    return ours, theirs


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize("random_state", [0, 42])
@pytest.mark.parametrize(
    "options",
    [
        {"solver": "sag"},
        {"solver": "sag", "C": 1e-3, "fit_intercept": False},
        {"solver": "sag", "C": np.inf},
        {"solver": "saga", "C": 50.0},
        {"solver": "saga", "l1_ratio": 1, "C": 0.3},
        {"solver": "saga", "l1_ratio": 0.3, "fit_intercept": False},
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_the_estimator_is_scikit_learn_s(name, options, random_state, layout, engine, implementation, parity):
    X, y = DATA[name]
    X = scipy.sparse.csr_matrix(X) if layout == "sparse" else X
    fitted(parity, implementation, X, y, f"{name} {layout}", random_state=random_state, max_iter=4, **options)


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_the_estimator_in_float32(solver, engine, implementation, parity):
    for name in ("iris", "breast_cancer"):
        X, y = DATA[name]
        fitted(parity, implementation, X.astype(np.float32), y, name, solver=solver, random_state=3, max_iter=5)


@pytest.mark.parametrize("options", [{"solver": "sag"}, {"solver": "saga", "l1_ratio": 0.5}], ids=repr)
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_the_estimator_weighted_and_warm_started(name, options, engine, implementation, parity):
    X, y = DATA[name]
    weight = np.random.RandomState(0).rand(len(y))
    common = {"random_state": 1, "max_iter": 3, "warm_start": True, **options}
    fitted(parity, implementation, X, y, name, weight, n_fits=3, **common)
    fitted(parity, implementation, X, np.array(["no", "yes", "perhaps"])[y], name, n_fits=2, **common)
    fitted(parity, implementation, X, y, name, weight, n_fits=2, class_weight={0: 2.0, 1: 0.5}, **common)
    fitted(parity, implementation, X, y, name, weight, class_weight="balanced", **common)


@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_the_estimator_in_float32_with_weights_of_both_kinds(name, engine, implementation, parity):
    X, y = DATA[name]
    weight = np.random.RandomState(0).rand(len(y))
    options = {"solver": "saga", "random_state": 1, "tol": 0.05, "class_weight": "balanced"}
    ours = implementation("LogisticRegression")(**options).fit(X.astype(np.float32), y, weight)
    theirs = Theirs(**options).fit(X.astype(np.float32), y, weight)
    for what in ("n_iter_", "coef_", "intercept_"):
        parity.identical(
            getattr(ours, what), getattr(theirs, what), what=what, data=name, option="float32, weights of both kinds"
        )


def test_the_estimator_until_it_converges(engine, implementation, parity):
    X, y = DATA["iris"]
    for solver in ("sag", "saga"):
        ours, _ = fitted(parity, implementation, X, y, "iris", solver=solver, random_state=0, tol=1e-2)
        assert 1 < ours.n_iter_[0] < 100


def test_one_generator_serves_several_fits(engine, implementation, parity):
    X, y = DATA["iris"]
    random = np.random.RandomState(9)
    ours = implementation("LogisticRegression")(solver="saga", random_state=random, tol=0.1)
    their_random = np.random.RandomState(9)
    theirs = Theirs(solver="saga", random_state=their_random, tol=0.1)
    for _ in range(2):
        parity.identical(
            ours.fit(X, y).coef_, np.ascontiguousarray(theirs.fit(X, y).coef_), what="coef_ from a generator"
        )
    assert random.random_sample() == their_random.random_sample()


def test_progress_is_not_printed(parity, capsys):
    X, y = DATA["iris"]
    options = {"solver": "saga", "random_state": 0, "tol": 0.1, "verbose": 1}
    theirs = Theirs(**options).fit(X, y)
    assert "convergence after" in capsys.readouterr().out
    ours = minimal.linear_model.LogisticRegression(**options).fit(X, y)
    assert capsys.readouterr().out == ""
    assert np.array_equal(ours.coef_, theirs.coef_)
    parity.known("verbose of sag and saga", "the compiled epochs print nothing; n_iter_ tells how many there were")
