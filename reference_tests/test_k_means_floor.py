"""k-means without a reference: cases worked out by hand, and what must hold of any answer on any data."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from .k_means_cases import blobs, clusters, dense, few_clusters_allowed, weights

COMPONENT = "KMeans"
ALGORITHMS = ["lloyd", "elkan"]
NAMES = ["iris", "digits", "blobs", "overlapping", "one feature", "duplicates"]


def squared_distances(X, centers):
    """|x - c|^2, the slow and exact way: ndarray of shape (n_samples, n_clusters)."""
    return np.stack([((X - c) ** 2).sum(axis=1) for c in centers], axis=1)


def start_of(X, k, seed=0):
    return np.unique(X, axis=0)[np.random.default_rng(seed).permutation(len(np.unique(X, axis=0)))[:k]]


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_two_steps_by_hand(algorithm, engine, implementation):
    """0 1 2 9 10 from the centres 0 and 1: {0}, {1 2 9 10} -> 0, 5.5 -> {0 1 2}, {9 10} -> 1, 9.5, and then nothing moves."""
    X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0]])
    model = implementation("KMeans")(n_clusters=2, init=[[0.0], [1.0]], algorithm=algorithm, tol=0)
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        model.set_params(n_init=3).fit(X)
    np.testing.assert_array_equal(model.labels_, [0, 0, 0, 1, 1])
    np.testing.assert_allclose(model.cluster_centers_, [[1.0], [9.5]], rtol=1e-15)
    assert model.inertia_ == pytest.approx(1 + 0 + 1 + 0.25 + 0.25, rel=1e-15)
    assert model.n_iter_ == 3
    np.testing.assert_array_equal(model.predict([[5.0], [5.5], [-7.0]]), [0, 1, 0])
    np.testing.assert_allclose(model.transform([[3.0]]), [[2.0, 6.5]], rtol=1e-14)
    assert model.score([[3.0], [9.0]]) == pytest.approx(-(4 + 0.25), rel=1e-14)


def test_one_step_by_hand(engine, implementation):
    """After one step the labels are those of the centres that the step led to."""
    X = np.array([[0.0], [1.0], [2.0], [9.0], [10.0]])
    model = implementation("KMeans")(n_clusters=2, init=[[0.0], [1.0]], max_iter=1).fit(X)
    np.testing.assert_allclose(model.cluster_centers_, [[0.0], [5.5]], atol=1e-15)
    np.testing.assert_array_equal(model.labels_, [0, 0, 0, 1, 1])
    assert model.inertia_ == pytest.approx(0 + 1 + 4 + 3.5**2 + 4.5**2, rel=1e-15)


def test_weights_by_hand(engine, implementation):
    """Centre (3 * 0 + 1 * 4) / 4 = 1; inertia 3 * 1 + 1 * 9 on the left, nothing on the right."""
    model = implementation("KMeans")(n_clusters=2, init=[[0.0], [100.0]])
    model.fit([[0.0], [4.0], [100.0]], sample_weight=[3.0, 1.0, 2.0])
    np.testing.assert_allclose(model.cluster_centers_, [[1.0], [100.0]], rtol=1e-14)
    assert model.inertia_ == pytest.approx(12.0, rel=1e-14)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_empty_cluster_by_hand(algorithm, engine, implementation):
    """All five go to the centre 0; the far centre is sent to 10, which is the worst served: {0 1 2 3} and {10}."""
    X = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    model = implementation("KMeans")(n_clusters=2, init=[[0.0], [1000.0]], algorithm=algorithm, tol=0).fit(X)
    np.testing.assert_array_equal(model.labels_, [0, 0, 0, 0, 1])
    np.testing.assert_allclose(model.cluster_centers_, [[1.5], [10.0]], rtol=1e-14)


def test_a_tie_goes_to_the_first(engine, implementation):
    """-1 and 1 are as far from 0; the mean is zero, so that centring rounds nothing."""
    model = implementation("KMeans")(n_clusters=2, init=[[-1.0], [1.0]], max_iter=1).fit([[-1.0], [0.0], [1.0]])
    assert model.labels_[1] == 0
    flipped = implementation("KMeans")(n_clusters=2, init=[[1.0], [-1.0]], max_iter=1).fit([[-1.0], [0.0], [1.0]])
    assert flipped.labels_.tolist() == [1, 0, 0]


def test_one_cluster_is_the_mean(engine, implementation):
    X = dense("digits")
    model = implementation("KMeans")(n_clusters=1, random_state=0).fit(X)
    np.testing.assert_allclose(model.cluster_centers_[0], X.mean(axis=0), atol=1e-13)
    assert model.inertia_ == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-13)
    assert not model.labels_.any()


def test_as_many_clusters_as_samples_leave_no_inertia(engine, implementation):
    X = np.random.default_rng(0).standard_normal((40, 3))
    model = implementation("KMeans")(n_clusters=40, random_state=0).fit(X)
    assert sorted(model.labels_) == list(range(40))
    assert model.inertia_ < 1e-25
    np.testing.assert_allclose(model.cluster_centers_[model.labels_], X, atol=1e-15)


# ---------------------------------------------------------------- what holds of any answer


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["none", "float"])
@pytest.mark.parametrize("name", NAMES)
def test_centers_are_means_and_labels_nearest(name, kind, algorithm, engine, implementation):
    """At a strict convergence: each centre is the mean of its samples, each label the nearest centre."""
    X, weight = dense(name), weights(kind, len(dense(name)))
    model = implementation("KMeans")(n_clusters=4, random_state=0, tol=0, algorithm=algorithm)
    model.fit(X, sample_weight=weight)
    w = np.ones(len(X)) if weight is None else weight
    assert model.n_iter_ < 300
    for j, center in enumerate(model.cluster_centers_):
        own = model.labels_ == j
        np.testing.assert_allclose(center, np.average(X[own], axis=0, weights=w[own]), atol=1e-12 * np.abs(X).max())
    off = squared_distances(X, model.cluster_centers_)
    chosen = off[np.arange(len(X)), model.labels_]
    assert (chosen <= off.min(axis=1) + 1e-12 * off.max()).all()
    assert model.inertia_ == pytest.approx((w * chosen).sum(), rel=1e-12)
    assert model.score(X, sample_weight=weight) == pytest.approx(-model.inertia_, rel=1e-12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", NAMES)
def test_inertia_never_rises(name, algorithm, engine, implementation):
    X = dense(name)
    start = start_of(X, 6)
    inertias = []
    for max_iter in (1, 2, 3, 4, 6, 9, 14, 30):
        model = implementation("KMeans")(n_clusters=6, init=start, tol=0, max_iter=max_iter, algorithm=algorithm)
        inertias.append(few_clusters_allowed(model.fit, X)[0].inertia_)
    assert all(later <= earlier * (1 + 1e-13) for earlier, later in pairwise(inertias))
    assert inertias[-1] < inertias[0]


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_what_predict_says(name, engine, implementation):
    X = dense(name)
    for options in ({}, {"max_iter": 1}, {"tol": 0}, {"tol": 0.5}):
        model = implementation("KMeans")(n_clusters=5, random_state=3, **options).fit(X)
        np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("name", NAMES)
def test_transform_measures_distances(name, engine, implementation):
    X = dense(name)
    model = implementation("KMeans")(n_clusters=5, random_state=0).fit(X)
    off = squared_distances(X, model.cluster_centers_)
    np.testing.assert_allclose(model.transform(X) ** 2, off, rtol=1e-9, atol=1e-12 * (X**2).sum(axis=1).max())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["iris", "blobs", "overlapping"])
def test_a_whole_weight_is_a_repeated_row(name, algorithm, engine, implementation):
    X = dense(name)
    count = np.random.default_rng(0).integers(1, 4, len(X))
    model = implementation("KMeans")(n_clusters=4, init=start_of(X, 4), algorithm=algorithm, tol=0)
    weighted = model.fit(X, sample_weight=count)
    labels, centers, inertia, n_iter = weighted.labels_, weighted.cluster_centers_, weighted.inertia_, weighted.n_iter_
    repeated = model.fit(np.repeat(X, count, axis=0))
    np.testing.assert_array_equal(repeated.labels_, np.repeat(labels, count))
    np.testing.assert_allclose(repeated.cluster_centers_, centers, rtol=1e-11)
    assert repeated.inertia_ == pytest.approx(inertia, rel=1e-12)
    assert repeated.n_iter_ == n_iter


@pytest.mark.parametrize("name", ["iris", "blobs", "overlapping"])
def test_a_weight_of_zero_is_no_row(name, engine, implementation):
    X = dense(name)
    keep = np.random.default_rng(2).random(len(X)) < 0.7
    model = implementation("KMeans")(n_clusters=4, init=start_of(X[keep], 4), tol=0)
    labels = model.fit(X, sample_weight=keep.astype(float)).labels_[keep]
    centers, inertia = model.cluster_centers_, model.inertia_
    model.fit(X[keep])
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_allclose(model.cluster_centers_, centers, rtol=1e-11)
    assert model.inertia_ == pytest.approx(inertia, rel=1e-12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["iris", "blobs", "overlapping"])
def test_shifting_and_scaling_the_data(name, algorithm, engine, implementation):
    """The clusters do not know where zero is, nor the unit; a power of two even keeps every bit."""
    X = dense(name)
    start, shift = start_of(X, 4), np.arange(1.0, X.shape[1] + 1)
    model = implementation("KMeans")(n_clusters=4, init=start, algorithm=algorithm).fit(X)
    labels, centers, inertia, n_iter = model.labels_, model.cluster_centers_, model.inertia_, model.n_iter_
    for factor, offset in product((1.0, 8.0, 0.3), (0.0, 1.0)):
        model.set_params(init=factor * start + offset * shift).fit(factor * X + offset * shift)
        np.testing.assert_array_equal(model.labels_, labels)
        np.testing.assert_allclose(model.cluster_centers_, factor * centers + offset * shift, rtol=1e-11, atol=1e-11)
        assert model.inertia_ == pytest.approx(factor**2 * inertia, rel=1e-11)
        assert model.n_iter_ == n_iter
    model.set_params(init=8 * start).fit(8 * X)
    np.testing.assert_array_equal(model.cluster_centers_, 8 * centers)
    assert model.inertia_ == 64 * inertia


@pytest.mark.parametrize("name", ["iris", "blobs", "overlapping"])
def test_the_order_of_rows_columns_and_starts(name, engine, implementation):
    X = dense(name)
    rng, start = np.random.default_rng(1), start_of(X, 4)
    rows, columns, starts = rng.permutation(len(X)), rng.permutation(X.shape[1]), rng.permutation(4)
    model = implementation("KMeans")(n_clusters=4, init=start).fit(X)
    labels, centers, inertia = model.labels_, model.cluster_centers_, model.inertia_
    model.set_params(init=start[starts][:, columns]).fit(X[rows][:, columns])
    np.testing.assert_array_equal(starts[model.labels_], labels[rows])
    np.testing.assert_allclose(model.cluster_centers_, centers[starts][:, columns], rtol=1e-11)
    assert model.inertia_ == pytest.approx(inertia, rel=1e-12)


@pytest.mark.parametrize("name", ["iris", "digits", "blobs", "overlapping"])
def test_elkan_finds_what_lloyd_finds(name, engine, implementation):
    X = dense(name)
    for seed in range(3):
        fits = [
            implementation("KMeans")(n_clusters=clusters(name), random_state=seed, algorithm=a).fit(X)
            for a in ALGORITHMS
        ]
        np.testing.assert_array_equal(fits[0].labels_, fits[1].labels_)
        assert fits[0].inertia_ == pytest.approx(fits[1].inertia_, rel=1e-12)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_more_starts_are_never_worse(init, engine, implementation):
    X = dense("overlapping")
    inertias = [
        implementation("KMeans")(n_clusters=8, init=init, n_init=n, random_state=0).fit(X).inertia_
        for n in (1, 2, 5, 10)
    ]
    assert inertias == sorted(inertias, reverse=True)
    assert inertias[-1] < inertias[0]


def test_separate_clouds_are_found(engine, implementation):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 500)
    X = 100 * np.eye(5)[truth] + rng.standard_normal((500, 5))
    model = implementation("KMeans")(n_clusters=5, random_state=0).fit(X)
    assert len(set(zip(truth, model.labels_, strict=True))) == 5
    assert model.n_iter_ <= 3


# ---------------------------------------------------------------- seeding


@pytest.mark.component("kmeans_plusplus")
def test_seeds_are_samples_far_apart(engine, implementation):
    X = blobs(400, 3, 6, spread=0.3)
    centers, indices = implementation("kmeans_plusplus")(X, 6, random_state=0)
    np.testing.assert_array_equal(centers, X[indices])
    assert len(set(indices)) == 6
    spread = squared_distances(X, centers).min(axis=1).sum()
    rng = np.random.default_rng(0)
    drawn = [squared_distances(X, X[rng.choice(400, 6, replace=False)]).min(axis=1).sum() for _ in range(20)]
    assert spread < min(drawn)


@pytest.mark.component("kmeans_plusplus")
def test_a_sample_without_weight_is_no_seed(engine, implementation):
    X = blobs(60, 2, 3)
    weight = (np.arange(60) % 3 == 0).astype(float)
    for seed in range(10):
        _, indices = implementation("kmeans_plusplus")(X, 5, sample_weight=weight, random_state=seed)
        assert weight[indices].all()


@pytest.mark.component("kmeans_plusplus")
def test_two_distinct_points_are_both_found(engine, implementation):
    """Whatever is drawn first, only the other point has a distance left."""
    X = np.array([[0.0, 0.0]] * 9 + [[3.0, 4.0]])
    for seed in range(10):
        centers, _ = implementation("kmeans_plusplus")(X, 2, random_state=seed)
        assert sorted(map(tuple, centers)) == [(0.0, 0.0), (3.0, 4.0)]
