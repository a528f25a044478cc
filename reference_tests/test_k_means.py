"""k-means on dense arrays: the reference's labels, centres, inertia and number of iterations, bit for bit."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import sklearn.cluster
from sklearn.exceptions import ConvergenceWarning

from .k_means_cases import (
    DENSE,
    OTHER_ORDER,
    SINGLE,
    alone,
    clusters,
    dense,
    few_clusters_allowed,
    grid,
    near_fit,
    reference,
    same_fit,
    weights,
)

COMPONENT = "KMeans"
PLAIN = ["iris", "wine", "digits", "blobs"]


# ---------------------------------------------------------------- plain data, one thing at a time: where to begin


def plain_pair(name, implementation):
    """Ours and the reference fitted on real data from the same seed; and the data."""
    X = dense(name)
    options = {"n_clusters": clusters(name), "random_state": 0}
    return implementation("KMeans")(**options).fit(X), reference(X, **options), X


@pytest.mark.parametrize("name", PLAIN)
def test_labels_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.labels_, theirs.labels_, what="labels_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_centers_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.cluster_centers_, theirs.cluster_centers_, what="cluster_centers_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_inertia_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.inertia_, theirs.inertia_, what="inertia_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_iterations_on_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.n_iter_, theirs.n_iter_, what="n_iter_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_values_of_plain_data_to_rounding(name, engine, implementation, parity):
    ours, theirs, X = plain_pair(name, implementation)
    near_fit(ours, theirs, parity, bound=1e-12, reason="any order of adding", data=name)
    assert np.array_equal(ours.predict(X), theirs.predict(X))


# ---------------------------------------------------------------- everything that follows the fit


def new_data(X, n=80):
    """Samples that were not there at the fit, of the same kind."""
    rng = np.random.default_rng(5)
    return X[rng.integers(0, len(X), n)] + 0.1 * X.std(axis=0) * rng.standard_normal((n, X.shape[1]))


@pytest.mark.parametrize("name", DENSE)
def test_predict_transform_and_score(name, engine, implementation, parity):
    X = dense(name)
    options = {"n_clusters": clusters(name), "random_state": 1, "max_iter": 7}
    ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
    for data, Z in {name: X, f"{name}, new": new_data(X), f"{name}, one sample": X[:1]}.items():
        parity.identical(ours.predict(Z), theirs.predict(Z), what="predict", data=data)
        a, b = ours.transform(Z), alone(theirs.transform, Z)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        # The reference takes |x|^2 - 2 x.c + |c|^2, so its distances are good to eps |x|^2 / distance only.
        parity.rounding(a**2, b**2, what="squares of transform", bound=1e-13 * _size(X), reason=OTHER_ORDER, data=data)
        for weight in (None, weights("float", len(Z))):
            a, b = (alone(model.score, Z, sample_weight=weight) for model in (ours, theirs))
            assert type(a) is type(b)
            parity.identical(a, b, what="score", data=data, option=f"weights: {weight is not None}")


def _size(X):
    """max |x|^2 / max |x - mean|^2: how much of the squared norms cancels in a squared distance."""
    return float((X**2).sum(axis=1).max() / ((X - X.mean(axis=0)) ** 2).sum(axis=1).max())


@pytest.mark.parametrize("name", ["iris", "digits", "duplicates"])
def test_fit_predict_and_fit_transform_are_fit_and_then(name, engine, implementation, parity):
    X, options = dense(name), {"n_clusters": clusters(name), "random_state": 4}
    model, weight = implementation("KMeans")(**options).fit(X), weights("float", len(X))
    parity.identical(implementation("KMeans")(**options).fit_predict(X), model.labels_, what="fit_predict", data=name)
    parity.identical(
        implementation("KMeans")(**options).fit_transform(X), model.transform(X), what="fit_transform", data=name
    )
    theirs = alone(sklearn.cluster.KMeans(**options).fit_predict, X, sample_weight=weight)
    ours = implementation("KMeans")(**options).fit_predict(X, sample_weight=weight)
    parity.identical(ours, theirs, what="fit_predict", data=name, option="weights")


# ---------------------------------------------------------------- grids of options


@pytest.mark.parametrize("init", ["k-means++", "random", "array", "callable"])
@pytest.mark.parametrize("name", DENSE)
def test_every_start(name, init, engine, implementation, parity):
    X, k = dense(name), clusters(name)
    for seed in (0, 7):
        start = {
            "array": X[np.random.default_rng(seed).choice(len(X), k, replace=False)],
            "callable": lambda X, n_clusters, random_state: X[random_state.permutation(len(X))[:n_clusters]],
        }.get(init, init)
        options = {"n_clusters": k, "init": start, "random_state": seed, "n_init": 1 if init == "array" else 3}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=name, option=f"init={init}, seed {seed}")


@pytest.mark.parametrize("n_init", ["auto", 1, 2, 5])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_best_of_several_runs(init, n_init, engine, implementation, parity):
    for name, seed in product(("iris", "overlapping", "duplicates"), (0, 1)):
        X, options = dense(name), {"n_clusters": 4, "init": init, "n_init": n_init, "random_state": seed}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=name, option=f"init={init}, n_init={n_init}")


@pytest.mark.parametrize("kind", ["float", "integer", "some zero", "tiny"])
@pytest.mark.parametrize("name", ["iris", "digits", "overlapping", "one feature", "duplicates"])
def test_weights(name, kind, engine, implementation, parity):
    X = dense(name)
    for init, seed in (("k-means++", 0), ("k-means++", 1), ("random", 2)):
        options = {"n_clusters": clusters(name), "init": init, "n_init": 2, "random_state": seed}
        weight = weights(kind, len(X))
        before = weight.copy()
        ours, theirs = implementation("KMeans")(**options).fit(X, sample_weight=weight), reference(X, weight, **options)
        same_fit(ours, theirs, parity, data=name, option=f"init={init}, {kind} weights")
        assert np.array_equal(weight, before)


@pytest.mark.parametrize(
    "stop", [{"tol": 0}, {"tol": 0.0}, {"tol": 1e-2}, {"tol": 10.0}, {"max_iter": 1}, {"max_iter": 2}]
)
@pytest.mark.parametrize("name", ["iris", "wine", "overlapping", "wide"])
def test_when_to_stop(name, stop, engine, implementation, parity):
    X = dense(name)
    for seed in range(3):
        options = {"n_clusters": 4, "random_state": seed, **stop}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=name, option=str(stop))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7, 8, 9, 16, 33])
def test_every_number_of_clusters(k, engine, implementation, parity):
    for name in ("blobs", "overlapping", "wide"):
        options = {"n_clusters": k, "random_state": k}
        ours, theirs = implementation("KMeans")(**options).fit(dense(name)), reference(dense(name), **options)
        same_fit(ours, theirs, parity, data=name, option=f"k = {k}")


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 64, 65])
def test_every_number_of_features(d, engine, implementation, parity):
    for n in (40, 255, 256, 257, 513):
        X, options = np.random.default_rng(d).standard_normal((n, d)), {"n_clusters": 6, "random_state": n}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=f"{n} x {d}")


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "columns reversed": lambda X: np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "read-only": lambda X: X,
    "list": lambda X: X.tolist(),
    "integers": lambda X: (10 * X).astype(np.int64),
    "bytes": lambda X: (X.mean(axis=0) < X).astype(np.uint8),
    "other byte order": lambda X: X.astype(">f8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("copy_x", [True, False])
def test_every_layout_and_type(layout, copy_x, engine, implementation, parity):
    X = LAYOUTS[layout](dense("iris"))
    options = {"n_clusters": 3, "random_state": 2, "copy_x": copy_x}
    before = np.array(X)
    theirs = reference(before.copy() if layout == "read-only" else X, **options)  # it raises for data it cannot centre
    ours = implementation("KMeans")(**options).fit(X)
    same_fit(ours, theirs, parity, data=f"iris, {layout}", option=f"copy_x={copy_x}")
    parity.identical(ours.predict(X), theirs.predict(X), what="predict", data=f"iris, {layout}")
    np.testing.assert_array_equal(X, before)


def test_copy_x_false_leaves_what_the_reference_leaves(engine, implementation, parity):
    """Centred in place and shifted back: on both sides the data returns with the same rounding errors."""
    X = dense("far from zero")
    ours, theirs = X.copy(), X.copy()
    options = {"n_clusters": 4, "random_state": 0, "copy_x": False}
    same_fit(implementation("KMeans")(**options).fit(ours), reference(theirs, **options), parity, option="copy_x=False")
    np.testing.assert_allclose(ours, X, rtol=1e-15)


# ---------------------------------------------------------------- random numbers


def test_one_generator_over_many_calls(engine, implementation, parity):
    ours, theirs = (np.random.RandomState(3) for _ in range(2))
    for name, init in product(("iris", "wine", "blobs"), ("k-means++", "random")):
        X, options = dense(name), {"n_clusters": 4, "init": init, "n_init": 2}
        a, b = (
            implementation("KMeans")(random_state=ours, **options).fit(X),
            reference(X, random_state=theirs, **options),
        )
        same_fit(a, b, parity, data=name, option=f"shared RandomState, init={init}")
    assert ours.random_sample() == theirs.random_sample()


def test_no_seed_is_numpys_global_one(engine, implementation, parity):
    X, drawn = dense("overlapping"), []
    np.random.seed(11)  # noqa: NPY002  the global generator is what this test is about
    ours = implementation("KMeans")(n_clusters=6).fit(X)
    drawn.append(np.random.random_sample())  # noqa: NPY002
    np.random.seed(11)  # noqa: NPY002  the global generator is what this test is about
    theirs = reference(X, n_clusters=6)
    drawn.append(np.random.random_sample())  # noqa: NPY002
    same_fit(ours, theirs, parity, data="overlapping", option="random_state=None")
    assert drawn[0] == drawn[1]


# ---------------------------------------------------------------- degenerate data


@pytest.mark.parametrize("k", [2, 5, 9, 30])
@pytest.mark.parametrize("n_distinct", [1, 2, 4, 8])
def test_more_clusters_than_distinct_points(n_distinct, k, engine, implementation, parity):
    X = np.repeat(np.random.default_rng(n_distinct).integers(-9, 9, (n_distinct, 3)).astype(float), 8, axis=0)
    k = min(k, len(X))
    for init in ("k-means++", "random"):
        options = {"n_clusters": k, "init": init, "n_init": 1, "random_state": 0}
        ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X)
        theirs, their_words = few_clusters_allowed(reference, X, **options)
        assert our_words == their_words
        same_fit(ours, theirs, parity, data=f"{n_distinct} distinct points", option=f"k = {k}, init={init}")


def test_too_few_distinct_points_are_said_so(engine, implementation):
    with pytest.warns(
        ConvergenceWarning, match=r"Number of distinct clusters \(2\) found smaller than n_clusters \(3\)"
    ):
        implementation("KMeans")(n_clusters=3, random_state=0).fit([[0.0], [0.0], [1.0], [1.0]])


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_as_many_clusters_as_samples(n, engine, implementation, parity):
    X = np.random.default_rng(n).standard_normal((n, 3))
    ours, theirs = (
        implementation("KMeans")(n_clusters=n, random_state=0).fit(X),
        reference(X, n_clusters=n, random_state=0),
    )
    same_fit(ours, theirs, parity, data=f"{n} samples", option="k = n")
    assert sorted(ours.labels_) == list(range(n))


FAR = np.array([[100.0, 100.0], [100.0, 100.0], [-300.0, 50.0], [4e3, -4e3]])


@pytest.mark.parametrize("n_far", [1, 2, 4])
@pytest.mark.parametrize("name", ["iris", "blobs", "one feature", "duplicates"])
def test_empty_clusters_take_the_farthest_points(name, n_far, engine, implementation, parity):
    """Some centres begin where nobody is near: their clusters stay empty until they are sent to the worst-served samples."""
    X = dense(name)
    d = X.shape[1]
    start = np.vstack([X[:3], np.resize(FAR, (n_far, d)) * 1e3 + np.arange(n_far)[:, np.newaxis]])
    for weight, tol in product((None, weights("float", len(X)), weights("some zero", len(X))), (0, 1e-4)):
        options = {"n_clusters": len(start), "init": start, "n_init": 1, "tol": tol}
        ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X, sample_weight=weight)
        theirs, their_words = few_clusters_allowed(reference, X, weight, **options)
        assert our_words == their_words
        same_fit(ours, theirs, parity, data=name, option=f"{n_far} empty clusters, weights: {weight is not None}")


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_ties(k, engine, implementation, parity):
    """Whole numbers with the mean zero, so that nothing is rounded: many samples have several nearest centres."""
    half = np.array([0.5, 0.5])
    X = np.vstack([grid(6) + half, -(grid(6) + half), (grid(6) + half) * [1, -1], (grid(6) + half) * [-1, 1]])
    for seed in range(4):
        options = {"n_clusters": k, "random_state": seed, "init": "random", "n_init": 1}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data="whole numbers", option=f"k = {k}, seed {seed}")


@pytest.mark.parametrize("k", [2, 3, 5, 8, 20])
def test_ties_that_centring_rounds(k, engine, implementation, parity):
    """Tenths on a grid: after the mean is subtracted, equal distances differ in their last bits, and those decide."""
    for X in (0.1 * grid(9), np.repeat(0.1 * grid(6), 3, axis=0), (0.1 * grid(11))[:, [0, 1, 0, 1, 1, 0, 0, 1]]):
        for seed, init in product(range(5), ("k-means++", "random")):
            options = {"n_clusters": k, "random_state": seed, "init": init, "n_init": 1}
            ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
            same_fit(ours, theirs, parity, data="tenths on a grid", option=f"k = {k}, init={init}, seed {seed}")
            parity.identical(ours.predict(X), theirs.predict(X), what="predict", data="tenths on a grid")


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("offset", [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12])
def test_samples_almost_half_way(offset, algorithm, engine, implementation, parity):
    """A little nearer to one of two centres than to the other: a bound or a rough distance must not decide what it cannot.

    Each such sample has hundreds of ordinary neighbours, so that nothing but its own distances can give it away.
    """
    rng = np.random.default_rng(0)
    centers = 3 * rng.standard_normal((12, 16))
    X = np.repeat(centers, 1000, axis=0) + 0.1 * rng.standard_normal((12_000, 16))
    for i in range(100, 12_000, 256):
        near, far = centers[rng.choice(12, 2, replace=False)]
        X[i] = (near + far) / 2 - offset * (far - near)
    for stop in ({"max_iter": 1}, {"max_iter": 4, "tol": 0}, {"tol": 0}):
        options = {"n_clusters": 12, "init": centers, "algorithm": algorithm, **stop}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=f"half way to {offset:g}", option=f"{algorithm}, {stop}")
        parity.identical(ours.predict(X), theirs.predict(X), what="predict", data=f"half way to {offset:g}")


# ---------------------------------------------------------------- single precision


@pytest.mark.parametrize("name", ["iris", "digits", "blobs", "one feature", "constant column"])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_single_precision(name, algorithm, engine, implementation, parity):
    X = dense(name).astype(np.float32)
    for init, kind in product(("k-means++", "random"), ("none", "float")):
        options = {"n_clusters": clusters(name), "init": init, "n_init": 1, "random_state": 3, "algorithm": algorithm}
        weight = weights(kind, len(X))
        ours, theirs = implementation("KMeans")(**options).fit(X, sample_weight=weight), reference(X, weight, **options)
        labels = {"data": f"{name}, float32", "option": f"{algorithm}, init={init}, weights: {kind}"}
        near_fit(ours, theirs, parity, bound=1e-5, reason=SINGLE, **labels)
        parity.identical(ours.predict(X), theirs.predict(X), what="predict", **labels)
        assert ours.transform(X).dtype == theirs.transform(X).dtype == np.float32
        parity.rounding(ours.transform(X), theirs.transform(X), what="transform", bound=1e-3, reason=SINGLE, **labels)


# ---------------------------------------------------------------- algorithm="elkan"


@pytest.mark.parametrize("kind", ["none", "float", "some zero"])
@pytest.mark.parametrize("name", DENSE)
def test_elkan(name, kind, engine, implementation, parity):
    X, k = dense(name), clusters(name)
    for seed, stop in (
        (0, {}),
        (1, {"tol": 0}),
        (2, {"max_iter": 2}),
        (3, {"tol": 0.1, "init": "random", "n_init": 2}),
    ):
        options = {"n_clusters": k, "random_state": seed, "algorithm": "elkan", **stop}
        weight = weights(kind, len(X))
        ours, theirs = implementation("KMeans")(**options).fit(X, sample_weight=weight), reference(X, weight, **options)
        same_fit(ours, theirs, parity, data=name, option=f"elkan, {stop}, weights: {kind}")


@pytest.mark.parametrize("n_far", [1, 3])
@pytest.mark.parametrize("name", ["iris", "blobs", "duplicates"])
def test_elkan_with_empty_clusters(name, n_far, engine, implementation, parity):
    X = dense(name)
    start = np.vstack([X[:3], np.resize(FAR, (n_far, X.shape[1])) * 1e3 + np.arange(n_far)[:, np.newaxis]])
    options = {"n_clusters": len(start), "init": start, "algorithm": "elkan", "tol": 0}
    ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X)
    theirs, their_words = few_clusters_allowed(reference, X, **options)
    assert our_words == their_words
    same_fit(ours, theirs, parity, data=name, option=f"elkan, {n_far} empty clusters")


def test_elkan_with_one_cluster_is_lloyd_and_says_so(engine, implementation, parity):
    X, options = dense("iris"), {"n_clusters": 1, "algorithm": "elkan", "random_state": 0}
    fits = []
    for fit in (implementation("KMeans")(**options).fit, lambda X: reference(X, **options)):
        with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster. Using 'lloyd' instead."):
            fits.append(fit(X))
    same_fit(*fits, parity, data="iris", option="elkan, k = 1")


# ---------------------------------------------------------------- the functions


@pytest.mark.component("k_means")
@pytest.mark.parametrize("name", ["iris", "digits", "blobs"])
def test_k_means_function(name, engine, implementation, parity):
    X, k = dense(name), clusters(name)
    for options in ({}, {"init": "random", "n_init": 2, "tol": 0.01}, {"algorithm": "elkan", "max_iter": 3}):
        for weight, with_iterations in product((None, weights("float", len(X))), (False, True)):
            options = {"random_state": 5, "sample_weight": weight, "return_n_iter": with_iterations, **options}
            ours = implementation("k_means")(X, k, **options)
            theirs = alone(sklearn.cluster.k_means, X, k, **options)
            assert len(ours) == len(theirs)
            for what, a, b in zip(("centers", "labels", "inertia", "n_iter"), ours, theirs):
                assert type(a) is type(b)
                parity.identical(a, b, what=what, data=name, option=str(sorted(options)))


@pytest.mark.component("kmeans_plusplus")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", DENSE)
def test_kmeans_plusplus_function(name, dtype, engine, implementation, parity):
    X = dense(name).astype(dtype)
    for seed, trials, kind in product((0, 1), (None, 1, 5), ("none", "float")):
        options = {"random_state": seed, "n_local_trials": trials, "sample_weight": weights(kind, len(X))}
        ours = implementation("kmeans_plusplus")(X, 6, **options)
        theirs = alone(sklearn.cluster.kmeans_plusplus, X, 6, **options)
        labels = {"data": f"{name}, {np.dtype(dtype)}", "option": f"{trials} trials, weights: {kind}"}
        parity.identical(ours[1], theirs[1], what="indices", **labels)
        parity.identical(ours[0], theirs[0], what="centers", **labels)


@pytest.mark.component("kmeans_plusplus")
def test_kmeans_plusplus_takes_squared_norms(engine, implementation, parity):
    X = dense("blobs")
    norms = (X**2).sum(axis=1)
    ours = implementation("kmeans_plusplus")(X, 5, x_squared_norms=norms, random_state=1)
    theirs = sklearn.cluster.kmeans_plusplus(X, 5, x_squared_norms=norms, random_state=1)
    for what, a, b in zip(("centers", "indices"), ours, theirs):
        parity.identical(a, b, what=what, data="blobs", option="x_squared_norms")
    with pytest.raises(
        ValueError, match=r"The length of x_squared_norms 3 should be equal to the length of n_samples 700"
    ):
        implementation("kmeans_plusplus")(X, 5, x_squared_norms=norms[:3])


# ---------------------------------------------------------------- many seeds


@pytest.mark.wide
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("kind", ["none", "float", "integer", "some zero"])
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("name", DENSE)
def test_many_seeds(name, init, kind, algorithm, engine, implementation, parity):
    X = dense(name)
    for seed, k in product(range(10), (2, 8, 20)):
        options = {"n_clusters": k, "init": init, "n_init": 1, "random_state": seed, "algorithm": algorithm}
        weight = weights(kind, len(X))
        ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X, sample_weight=weight)
        theirs, their_words = few_clusters_allowed(reference, X, weight, **options)
        assert our_words == their_words
        same_fit(ours, theirs, parity, data=name, option=f"{algorithm}, k = {k}, init={init}, weights: {kind}")


@pytest.mark.wide
@pytest.mark.parametrize("d", [2, 16, 33])
@pytest.mark.parametrize("k", [8, 64])
def test_larger_data(d, k, engine, implementation, parity):
    for X in (np.random.default_rng(d).standard_normal((20_003, d)), 5.0 + grid(90)[:, [0, 1] * d][:, :d]):
        options = {"n_clusters": k, "random_state": 0, "max_iter": 25}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        same_fit(ours, theirs, parity, data=f"{len(X)} x {d}", option=f"k = {k}")
