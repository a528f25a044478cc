"""The manners of KMeans: what it prints, refuses and remembers, in which containers it answers, and on how many threads."""

from __future__ import annotations

import pickle
import threading
import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.cluster
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minimal
from minimal.cluster import KMeans
from minimal.threads import get_num_threads, set_num_threads

from .k_means_cases import FITTED, alone, blobs, dense, reference, same_fit, sparse_data, weights

COMPONENT = "KMeans"
ALGORITHMS = ["lloyd", "elkan"]


# ---------------------------------------------------------------- what is printed


def printed(capsys, job, *args, **options):
    capsys.readouterr()
    job(*args, **options)
    return capsys.readouterr().out


STOPS = {
    "labels repeat": {"tol": 0},
    "small shift": {"tol": 0.05},
    "max_iter": {"max_iter": 2, "tol": 0},
    "large tol": {"tol": 100.0},
}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verbose_lines_are_the_references(algorithm, stop, engine, implementation, capsys):
    for name, n_init in (("iris", 1), ("iris", 3), ("overlapping", 2)):
        options = {"n_clusters": 4, "random_state": 1, "n_init": n_init, "verbose": 1, "algorithm": algorithm}
        options |= STOPS[stop]
        ours = printed(capsys, implementation("KMeans")(**options).fit, dense(name))
        theirs = printed(capsys, reference, dense(name), **options)
        assert ours == theirs
        assert ours.count("Initialization complete\n") == n_init


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verbose_lines_on_sparse_data(algorithm, engine, implementation, capsys):
    X, options = scipy.sparse.csr_array(sparse_data()), {"n_clusters": 4, "random_state": 1, "verbose": 2}
    ours = printed(capsys, implementation("KMeans")(algorithm=algorithm, **options).fit, X)
    theirs = printed(capsys, reference, X, algorithm=algorithm, **options)
    without_digits = str.maketrans("", "", "0123456789.e-")  # values are equal to rounding, so their text is not
    assert ours.translate(without_digits) == theirs.translate(without_digits)
    assert "Converged at iteration" in ours


def test_silent_by_default(engine, implementation, capsys):
    assert printed(capsys, implementation("KMeans")(n_clusters=3).fit, dense("iris")) == ""


# ---------------------------------------------------------------- what is refused


WRONG = {
    "n_clusters": [0, -1, 2.5, "8", None],
    "init": ["kmeans", 3, None],
    "n_init": [0, -2, "all", 1.5, None],
    "max_iter": [0, 2.0, None],
    "tol": [-1e-9, "small", None, np.nan],
    "verbose": [-1, "yes", None],
    "random_state": [-1, "seed", 2.5],
    "copy_x": [1, "yes", None],
    "algorithm": ["auto", "full", "hamerly", None],
}


@pytest.mark.parametrize(("parameter", "value"), [(p, v) for p, values in WRONG.items() for v in values])
def test_wrong_parameters(parameter, value, engine, implementation):
    for model in (implementation("KMeans"), sklearn.cluster.KMeans):
        with pytest.raises((ValueError, TypeError), match=f"The '{parameter}' parameter of KMeans must be"):
            model(**{parameter: value}).fit(dense("iris"))


X6 = np.arange(12.0).reshape(6, 2)
REFUSED = {
    "too few samples": ({"n_clusters": 7}, X6, None, "n_samples=6 should be >= n_clusters=7"),
    "one-dimensional": ({"n_clusters": 2}, X6[:, 0], None, "Expected 2D array"),
    "NaN": ({"n_clusters": 2}, np.where(X6 == 3, np.nan, X6), None, "Input X contains NaN"),
    "infinity": ({"n_clusters": 2}, np.where(X6 == 3, np.inf, X6), None, "Input X contains infinity"),
    "no rows": ({"n_clusters": 2}, X6[:0], None, "Found array with 0 sample"),
    "complex": ({"n_clusters": 2}, X6 * 1j, None, "Complex data not supported"),
    "too few centres": (
        {"n_clusters": 3, "init": X6[:2]},
        X6,
        None,
        r"initial centers \(2, 2\) does not match the number of c",
    ),
    "centres too narrow": (
        {"n_clusters": 2, "init": X6[:2, :1]},
        X6,
        None,
        r"initial centers \(2, 1\) does not match the number of features of the data 2",
    ),
    "centres from a callable": (
        {"n_clusters": 2, "init": lambda X, k, random_state: X[:3]},
        X6,
        None,
        r"initial centers \(3, 2\) does not match the number of clusters 2",
    ),
    "NaN among centres": ({"n_clusters": 2, "init": [[0.0, np.nan], [1.0, 2.0]]}, X6, None, "contains NaN"),
    "too few weights": ({"n_clusters": 2}, X6, np.ones(5), "sample_weight.shape == "),
    "two-dimensional weights": ({"n_clusters": 2}, X6, np.ones((6, 1)), "Sample weights must be 1D"),
    "NaN among weights": ({"n_clusters": 2}, X6, np.array([1, 1, np.nan, 1, 1, 1]), "contains NaN"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_fit_refuses(why, engine, implementation):
    options, X, weight, words = REFUSED[why]
    for kind in (implementation("KMeans"), sklearn.cluster.KMeans):
        model = kind(random_state=0, n_init=1, **options)
        with pytest.raises(ValueError, match=words):
            model.fit(X, sample_weight=weight)
    with pytest.raises(NotFittedError):
        implementation("KMeans")().predict(X6)


@pytest.mark.parametrize("method", ["predict", "transform", "score", "get_feature_names_out"])
def test_nothing_works_before_fit(method, engine, implementation):
    args = () if method == "get_feature_names_out" else (X6,)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(implementation("KMeans")(), method)(*args)


@pytest.mark.parametrize("method", ["predict", "transform", "score"])
def test_another_number_of_features(method, engine, implementation):
    model = implementation("KMeans")(n_clusters=2, random_state=0).fit(X6)
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2 features as input"):
        getattr(model, method)(np.ones((4, 3)))


@pytest.mark.component("kmeans_plusplus")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_clusters": 7}, "n_samples=6 should be >= n_clusters=7"),
        ({"n_clusters": 0}, "The 'n_clusters' parameter of kmeans_plusplus must be"),
        ({"n_clusters": 2, "n_local_trials": 0}, "The 'n_local_trials' parameter of kmeans_plusplus must be"),
        ({"n_clusters": 2, "random_state": "x"}, "The 'random_state' parameter of kmeans_plusplus must be"),
        ({"n_clusters": 2, "sample_weight": np.ones(5)}, "sample_weight.shape == "),
    ],
)
def test_what_kmeans_plusplus_refuses(options, words, engine, implementation):
    for seeds in (implementation("kmeans_plusplus"), sklearn.cluster.kmeans_plusplus):
        with pytest.raises(ValueError, match=words):
            seeds(X6, **options)


@pytest.mark.component("k_means")
def test_what_k_means_refuses(engine, implementation):
    for function in (implementation("k_means"), sklearn.cluster.k_means):
        with pytest.raises(ValueError, match="The 'return_n_iter' parameter of k_means must be"):
            function(X6, 2, return_n_iter="yes")
        with pytest.raises(ValueError, match="The 'n_clusters' parameter of k_means must be"):
            function(X6, 0)


def test_several_starts_from_given_centers_are_one(engine, implementation):
    model = implementation("KMeans")(n_clusters=2, init=X6[:2], n_init=10)
    with pytest.warns(
        RuntimeWarning, match="Explicit initial center position passed: performing only one init in KMeans"
    ):
        model.fit(X6)


# ---------------------------------------------------------------- names and containers


def test_names_of_features(engine, implementation):
    frame = pd.DataFrame(dense("iris"), columns=["a", "b", "c", "d"])
    model = implementation("KMeans")(n_clusters=3, random_state=0).fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == ["kmeans0", "kmeans1", "kmeans2"]
    with pytest.warns(
        UserWarning, match="X does not have valid feature names, but KMeans was fitted with feature names"
    ):
        model.predict(dense("iris"))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"a": "z"}))
    model.fit(dense("iris"))
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("kind", ["pandas", "default"])
def test_set_output(kind, engine, implementation):
    frame = pd.DataFrame(dense("iris"), columns=["a", "b", "c", "d"], index=np.arange(150) + 7)
    ours = implementation("KMeans")(n_clusters=3, random_state=0).set_output(transform=kind).fit(frame)
    theirs = sklearn.cluster.KMeans(n_clusters=3, random_state=0).set_output(transform=kind).fit(frame)
    a, b = ours.transform(frame), theirs.transform(frame)
    assert type(a) is type(b)
    if kind == "pandas":
        assert a.columns.tolist() == b.columns.tolist()
        assert a.index.tolist() == b.index.tolist()
    np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_allclose(ours.fit_transform(frame), b, rtol=1e-9)


def test_clone_pickle_and_pipeline(engine, implementation):
    model = implementation("KMeans")(n_clusters=3, random_state=0, tol=0, algorithm="elkan").fit(dense("iris"))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(dense("wine")[:, :4]), model.predict(dense("wine")[:, :4]))
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "labels_")
    chain = make_pipeline(StandardScaler(), clone(model)).fit(dense("wine"))
    theirs = make_pipeline(StandardScaler(), sklearn.cluster.KMeans(**model.get_params())).fit(dense("wine"))
    np.testing.assert_array_equal(chain.predict(dense("wine")), theirs.predict(dense("wine")))


def test_fit_begins_anew(engine, implementation, parity):
    """Nothing of an earlier fit is left, on data of another width and kind, and parameters stay as they were given."""
    start = dense("iris")[:3].copy()
    model = implementation("KMeans")(n_clusters=3, init=start)
    model.fit(dense("iris")).fit(dense("iris")[:90])
    same_fit(model, reference(dense("iris")[:90], n_clusters=3, init=start), parity, data="iris, after another fit")
    np.testing.assert_array_equal(start, dense("iris")[:3])
    assert model.init is start
    model.set_params(init="random", random_state=0).fit(scipy.sparse.csr_array(sparse_data()))
    assert model.cluster_centers_.shape == (3, 30)


def test_a_failed_fit_leaves_nothing(engine):
    """Unlike in the reference, where the fit before it stays."""
    model = KMeans(n_clusters=3, random_state=0).fit(dense("iris"))
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(np.full((5, 4), np.nan))
    assert not any(hasattr(model, attribute) for attribute in FITTED)


# ---------------------------------------------------------------- threads and interrupts


@pytest.fixture
def threads():
    """Set the number of threads; afterwards it is what it was."""
    before = get_num_threads()
    yield set_num_threads
    set_num_threads(before)


THREADED = {
    "dense": lambda: blobs(20_000, 8, 12, spread=2.0),
    "one feature": lambda: blobs(60_000, 1, 5),
    "float32": lambda: blobs(20_000, 8, 12).astype(np.float32),
    "sparse": lambda: scipy.sparse.csr_array(sparse_data(n=20_000, d=60)),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", THREADED)
def test_any_number_of_threads_gives_the_same_bits(kind, algorithm, threads):
    X = THREADED[kind]()
    weight, answers = weights("float", X.shape[0]), []
    for n in (1, 2, 3):
        threads(n)
        model = KMeans(n_clusters=12, random_state=0, max_iter=6, algorithm=algorithm).fit(X, sample_weight=weight)
        new = X[: X.shape[0] // 2]
        answers.append(
            [*(getattr(model, a) for a in FITTED), model.predict(new), model.transform(new), model.score(new)]
        )
    for answer in answers[1:]:
        for a, b in zip(answers[0], answer, strict=True):
            np.testing.assert_array_equal(a, b)


def test_fits_on_several_threads_do_not_disturb_each_other(engine):
    X, expected, found = dense("overlapping"), [], {}
    for seed in range(6):
        expected.append(KMeans(n_clusters=5, random_state=seed).fit(X))

    def fit(seed):
        with minimal.engine(engine):
            found[seed] = KMeans(n_clusters=5, random_state=seed).fit(X)

    workers = [threading.Thread(target=fit, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for seed, one in enumerate(expected):
        for attribute in FITTED:
            np.testing.assert_array_equal(getattr(found[seed], attribute), getattr(one, attribute))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_an_interrupt_during_fit_leaves_it_unfitted(kind, algorithm, monkeypatch):
    """Long fits: the interrupt comes half a second in, is raised within a second, and nothing is left that predicts."""
    X = blobs(300_000, 12, 60, spread=4.0) if kind == "dense" else scipy.sparse.csr_array(sparse_data(n=100_000, d=80))
    model = KMeans(n_clusters=80, init="random", n_init=50, random_state=0, tol=0, algorithm=algorithm)
    model.fit(X[:300])  # compiles, and is fitted
    started = threading.Timer(0.5, _interrupt_main)
    begin = time.perf_counter()
    started.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert 0.3 < time.perf_counter() - begin < 2.0
    assert not any(hasattr(model, attribute) for attribute in FITTED)
    with pytest.raises(NotFittedError):
        model.predict(X[:5])


def _interrupt_main():
    import _thread

    _thread.interrupt_main()


# ---------------------------------------------------------------- the engines


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_both_engines_give_the_same_bits(algorithm, dtype):
    for X in (dense("digits"), dense("overlapping"), scipy.sparse.csr_array(sparse_data())):
        answers = {}
        for name in ("numba", "numpy"):
            with minimal.engine(name):
                model = KMeans(n_clusters=7, random_state=0, algorithm=algorithm).fit(X.astype(dtype))
                answers[name] = model
        for attribute in FITTED:
            a, b = (getattr(model, attribute) for model in answers.values())
            if dtype == np.float64 or attribute in ("labels_", "n_iter_"):
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_alone_is_repeatable():
    """What these tests rest on: on one thread the reference gives the same bits twice."""
    fits = [alone(sklearn.cluster.KMeans(n_clusters=10, random_state=0).fit, dense("digits")) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].cluster_centers_, fits[1].cluster_centers_)
