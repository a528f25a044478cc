"""k-means on CSR matrices: the reference's answer without ever filling the zeros, and the two engines' same bits."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest
import scipy.sparse
import sklearn.cluster

from minimal.cluster import elkan_numba, elkan_numpy, lloyd_sparse_numba, lloyd_sparse_numpy
from minimal.cluster.rounds import half_distances
from minimal.cluster.sparse_rows import sparse_rows

from .k_means_cases import CSR, alone, blobs, few_clusters_allowed, near_fit, reference, sparse_data, weights

COMPONENT = "KMeans"

SPARSE_SUMS = "sums over stored entries, in whatever order"
BOUND = {np.float64: 1e-12, np.float32: 1e-5}


@pytest.mark.parametrize("kind", ["none", "float", "some zero"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("format", CSR)
def test_fit(format, algorithm, dtype, kind, engine, implementation, parity):
    for seed, init in product((0, 1), ("k-means++", "random", "array")):
        X = CSR[format](sparse_data(dtype, seed=seed))
        before = X.copy()
        start = sparse_data(dtype, seed=seed)[[3, 50, 100, 150, 200]] if init == "array" else init
        options = {"n_clusters": 5, "init": start, "n_init": 1 if init == "array" else 2, "random_state": seed}
        options["algorithm"] = algorithm
        weight = weights(kind, X.shape[0])
        ours, theirs = implementation("KMeans")(**options).fit(X, sample_weight=weight), reference(X, weight, **options)
        labels = {"data": format, "option": f"{algorithm}, init={init}, weights: {kind}"}
        near_fit(ours, theirs, parity, bound=BOUND[dtype], reason=SPARSE_SUMS, **labels)
        assert (before != X).nnz == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predict_transform_and_score(dtype, engine, implementation, parity):
    X, Z = scipy.sparse.csr_array(sparse_data(dtype)), scipy.sparse.csr_array(sparse_data(dtype, n=70, seed=8))
    ours = implementation("KMeans")(n_clusters=5, random_state=0).fit(X)
    theirs = reference(X, n_clusters=5, random_state=0)
    near = {"bound": BOUND[dtype], "reason": SPARSE_SUMS, "data": "csr_array"}
    for new in (X, Z, Z[:1]):
        parity.identical(ours.predict(new), theirs.predict(new), what="predict", data="csr_array")
        a, b = ours.transform(new), theirs.transform(new)
        assert a.dtype == b.dtype
        parity.rounding(a, b, what="transform", **near)
        weight = weights("float", new.shape[0])
        parity.rounding(ours.score(new), alone(theirs.score, new), what="score", **near)
        parity.rounding(ours.score(new, None, weight), alone(theirs.score, new, None, weight), what="score", **near)
        parity.identical(
            ours.predict(new.toarray()), theirs.predict(new.toarray()), what="predict", data="dense new data"
        )


@pytest.mark.parametrize("stop", [{"tol": 0}, {"tol": 0.5}, {"max_iter": 1}, {"max_iter": 2}])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_when_to_stop(algorithm, stop, engine, implementation, parity):
    X = scipy.sparse.csr_array(sparse_data())
    for seed in range(3):
        options = {"n_clusters": 7, "random_state": seed, "init": "random", "n_init": 1, "algorithm": algorithm, **stop}
        ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
        near_fit(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data="csr_array", option=f"{algorithm}, {stop}")


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("n_far", [1, 3])
def test_empty_clusters(n_far, algorithm, engine, implementation, parity):
    X = scipy.sparse.csr_array(sparse_data())
    start = np.vstack([sparse_data()[[3, 50, 100]], 1e3 + np.arange(n_far * 30.0).reshape(n_far, 30)])
    for weight in (None, weights("some zero", X.shape[0])):
        options = {"n_clusters": len(start), "init": start, "tol": 0, "algorithm": algorithm}
        ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X, sample_weight=weight)
        theirs, their_words = few_clusters_allowed(reference, X, weight, **options)
        assert our_words == their_words
        near_fit(
            ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data="csr_array", option=f"{n_far} empty clusters"
        )


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_more_clusters_than_distinct_rows(algorithm, engine, implementation, parity):
    X = scipy.sparse.csr_array(np.repeat(sparse_data(n=4), 5, axis=0))
    options = {"n_clusters": 7, "random_state": 0, "algorithm": algorithm}
    ours, our_words = few_clusters_allowed(implementation("KMeans")(**options).fit, X)
    theirs, their_words = few_clusters_allowed(reference, X, **options)
    assert our_words == their_words
    assert len(our_words) == 1
    near_fit(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data="4 distinct rows", option=algorithm)


def test_nothing_stored(engine, implementation, parity):
    X = scipy.sparse.csr_array((6, 3))
    ours, _ = few_clusters_allowed(implementation("KMeans")(n_clusters=2, random_state=0).fit, X)
    theirs, _ = few_clusters_allowed(reference, X, n_clusters=2, random_state=0)
    near_fit(ours, theirs, parity, bound=0, reason="all is zero", data="nothing stored")
    assert ours.inertia_ == 0


@pytest.mark.parametrize(
    "kind", [scipy.sparse.csc_array, scipy.sparse.coo_array, scipy.sparse.lil_array, scipy.sparse.csc_matrix]
)
def test_other_formats_become_csr(kind, engine, implementation, parity):
    X, options = kind(sparse_data()), {"n_clusters": 4, "random_state": 0}
    ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
    near_fit(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data=kind.__name__)
    parity.identical(ours.predict(X), theirs.predict(X), what="predict", data=kind.__name__)


@pytest.mark.parametrize("kind", [np.int64, np.int8, bool])
def test_whole_numbers_become_floats(kind, engine, implementation, parity):
    X, options = scipy.sparse.csr_array((4 * sparse_data()).astype(kind)), {"n_clusters": 4, "random_state": 0}
    ours, theirs = implementation("KMeans")(**options).fit(X), reference(X, **options)
    near_fit(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data=f"csr_array of {np.dtype(kind)}")


def test_read_only(engine, implementation, parity):
    X, options = scipy.sparse.csr_array(sparse_data()), {"n_clusters": 4, "random_state": 0, "copy_x": False}
    theirs = reference(X, **options)
    for array in (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    for algorithm in ("lloyd", "elkan"):
        ours = implementation("KMeans")(algorithm=algorithm, **options).fit(X)
        near_fit(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, data="read-only csr_array", option=algorithm)


@pytest.mark.component("kmeans_plusplus")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kmeans_plusplus(dtype, engine, implementation, parity):
    X = scipy.sparse.csr_matrix(sparse_data(dtype))
    for seed, trials, kind in product(range(4), (None, 1), ("none", "float")):
        options = {"random_state": seed, "n_local_trials": trials, "sample_weight": weights(kind, X.shape[0])}
        ours = implementation("kmeans_plusplus")(X, 6, **options)
        theirs = alone(sklearn.cluster.kmeans_plusplus, X, 6, **options)
        for what, a, b in zip(("centers", "indices"), ours, theirs, strict=True):
            parity.identical(a, b, what=what, data="csr_matrix", option=f"{trials} trials, weights: {kind}")


# ---------------------------------------------------------------- what no library version can move


def test_dense_gives_the_same_clusters(engine, implementation):
    """Dense data is centred, sparse data is not: the same clusters, values to rounding."""
    X, start = sparse_data(), sparse_data()[[3, 50, 100, 150, 200]]
    for algorithm in ("lloyd", "elkan"):
        model = implementation("KMeans")(n_clusters=5, init=start, algorithm=algorithm)
        dense = model.fit(X)
        labels, centers, inertia = dense.labels_, dense.cluster_centers_, dense.inertia_
        sparse = model.fit(scipy.sparse.csr_array(X))
        np.testing.assert_array_equal(sparse.labels_, labels)
        np.testing.assert_allclose(sparse.cluster_centers_, centers, atol=1e-13)
        assert sparse.inertia_ == pytest.approx(inertia, rel=1e-12)


def test_zeros_stay_unstored(engine, implementation):
    """2000 x 20,000 with 1 entry in 200: the table would be 320 MB, the fit needs a small part of that."""
    X = scipy.sparse.random_array((2000, 20_000), density=0.005, format="csr", rng=np.random.default_rng(0))
    for algorithm in ("lloyd", "elkan"):
        model = implementation("KMeans")(n_clusters=3, random_state=0, max_iter=2, algorithm=algorithm)
        model.fit(X[:10])  # what is imported and compiled at the first call is not the fit's memory
        tracemalloc.start()
        model.fit(X)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 60e6, f"{peak / 1e6:.0f} MB"


# ---------------------------------------------------------------- the twins


def twin_data(dtype, seed):
    X = sparse_rows(scipy.sparse.csr_array(sparse_data(dtype, n=1500, seed=seed)))
    centers = sparse_data(dtype, n=9, seed=seed + 1)
    return X, centers, weights("float", 1500).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", [0, 1])
def test_lloyds_twins_give_the_same_bits(seed, dtype):
    X, centers, weight = twin_data(dtype, seed)
    labels = lloyd_sparse_numpy.nearest(X, centers)
    assert len(set(labels)) > 3
    for job, args in {
        "products": (X, centers),
        "nearest": (X, centers),
        "gather": (X, weight, labels, 9),
        "own_distances": (X, centers, labels),
    }.items():
        text, kernel = (getattr(module, job)(*args) for module in (lloyd_sparse_numpy, lloyd_sparse_numba))
        for a, b in zip(text, kernel, strict=True):
            assert a.dtype == b.dtype == (np.int32 if job == "nearest" else dtype)
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_elkans_twins_give_the_same_bits_and_know_true_bounds(is_sparse, dtype):
    X, centers, weight = twin_data(dtype, 3)
    if not is_sparse:
        X = blobs(1500, 7, 9, spread=0.5).astype(dtype)
        centers = X[[0, 2, 9, 13, 21, 34, 55, 89, 144]]
    bounds, shifts = {}, {elkan_numpy: [np.zeros(9, dtype)], elkan_numba: [np.zeros(9, dtype)]}
    for module in shifts:
        bounds[module] = module.first_bounds(X, centers, half_distances(centers))
    for step in range(6):
        for module, moves in shifts.items():
            module.improve(X, centers, half_distances(centers), bounds[module], np.array(moves))
        text, kernel = bounds[elkan_numpy], bounds[elkan_numba]
        np.testing.assert_array_equal(text.labels, kernel.labels)
        np.testing.assert_array_equal(text.upper, kernel.upper)
        for module in shifts:
            own = np.sqrt(module.own_distances(X, centers, text.labels))
            assert (own <= text.upper * (1 + 1e-5)).all()
            sums, mass = module.gather(X, weight, text.labels, 9)
        used = kernel.seen == step + 1
        np.testing.assert_array_equal(text.lower[used], kernel.lower[used])
        assert used.any() or step > 1
        moved = (sums / np.maximum(mass, 1)[:, np.newaxis]).astype(dtype)
        moves = np.sqrt(((moved - centers) ** 2).sum(axis=1))
        centers = moved
        for memory in shifts.values():
            memory.append(moves)
    assert is_sparse or not used.all()  # some samples' lower bounds were not needed for a while
