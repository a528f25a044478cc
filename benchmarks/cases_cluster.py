"""Races of KMeans: a fit with its seeding, the seeding alone, and what follows a fit, on dense and on sparse samples.

Both sides begin from the same seed, iterate as often and end with the same labels, or the race is a failure.
On one thread the centres are the reference's to the last bit; with more, the reference adds up in an order that changes from
run to run, and rounding is all that can be asked.

Where scikit-learn-intelex is installed it runs too, from the same initial centres: its sums are in an order of its own.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.sparse
import sklearn.cluster

import minimal.cluster
from benchmarks.data import real
from benchmarks.frame import Race, both, case, close_attributes, either, own_data, same_arrays, same_attributes, sweep

Ours, Theirs = minimal.cluster.KMeans, sklearn.cluster.KMeans
ALL = ("labels_", "cluster_centers_", "inertia_", "n_iter_")
GOAL = {1: 2.5, "all": 2.5}
GOAL_FLAT = {1: 4.0, "all": 4.0}
GOAL_CLUSTERED = {1: 5.0, "all": 5.0}


def same_clusters(bound: float = 1e-11) -> Any:
    """Identical, or where the reference's own sums depend on the threads: equal labels, values to rounding."""
    equal = same_attributes("labels_", "n_iter_")
    return either(same_attributes(*ALL), both(equal, close_attributes(bound, "cluster_centers_", "inertia_")))


def fit_race(X: Any, k: int, *, memory: bool = False, bound: float = 1e-11, **options: Any) -> Race:
    options = {"n_clusters": k, "random_state": 0, "n_init": 1, **options}
    return Race(
        ours=lambda: Ours(**options).fit(X),
        theirs=lambda: Theirs(**options).fit(X),
        agree=same_clusters(bound),
        memory=memory,
    )


@cache
def clouds(n: int, d: int, k: int, *, seed: int = 0) -> np.ndarray:
    """k round clouds, a few deviations apart: clustered data, where bounds save most distances."""
    random = np.random.default_rng(seed)
    centers = 4 * random.normal(size=(k, d))
    return centers[random.integers(k, size=n)] + random.normal(size=(n, d))


@cache
def plain(n: int, d: int) -> np.ndarray:
    """One cloud without any structure: the hard case, every sample lies near several centres."""
    return np.random.default_rng(0).normal(size=(n, d))


@cache
def topics(n: int, d: int, density: float) -> Any:
    """A CSR matrix like word counts: 20 topics, each with a tenth of the words."""
    random = np.random.default_rng(0)
    n_words = max(1, int(density * d))
    topic = random.integers(20, size=n)
    words = (topic[:, None] * (d // 20) + random.integers(d // 10, size=(n, n_words))) % d
    rows = np.repeat(np.arange(n), n_words)
    X = scipy.sparse.coo_array((random.random(n * n_words), (rows, words.ravel())), shape=(n, d)).tocsr()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


# ---------------------------------------------------------------- real data: where Python weighs most


@case("KMeans", "digits", job="fit, 10 clusters", goal=GOAL, quick=True)
def kmeans_fit_digits() -> Race:
    return fit_race(real("digits")[0], 10)


@case("KMeans", "digits, 10 starts", job="fit, 10 clusters", goal=GOAL, quick=True)
def kmeans_fit_digits_10_starts() -> Race:
    return fit_race(real("digits")[0], 10, init="random", n_init=10)


@case("KMeans", "iris", job="fit, 3 clusters", quick=True)
def kmeans_fit_iris() -> Race:
    return fit_race(real("iris")[0], 3)


@case("KMeans", "breast_cancer", job="fit, 8 clusters", quick=True)
def kmeans_fit_breast_cancer() -> Race:
    return fit_race(real("breast_cancer")[0], 8)


# ---------------------------------------------------------------- generated data, no structure: no bound helps much


@case("KMeans", "100k x 16, no structure", job="fit, 64 clusters", goal=GOAL)
def kmeans_fit_100k_16_64() -> Race:
    return fit_race(plain(100_000, 16), 64, max_iter=15, memory=True)


@case("KMeans", "50k x 50, no structure", job="fit, 100 clusters", goal=GOAL)
def kmeans_fit_50k_50_100() -> Race:
    return fit_race(plain(50_000, 50), 100, max_iter=8)


@case("KMeans", "20k x 200, no structure", job="fit, 20 clusters", goal=GOAL)
def kmeans_fit_20k_200_20() -> Race:
    return fit_race(plain(20_000, 200), 20, max_iter=20)


@case("KMeans", "100k x 2, no structure", job="fit, 8 clusters", goal=GOAL_FLAT)
def kmeans_fit_100k_2_8() -> Race:
    return fit_race(plain(100_000, 2), 8, max_iter=40)


@case("KMeans", "100k x 16, no structure, float32", job="fit, 64 clusters")
def kmeans_fit_float32() -> Race:
    return fit_race(plain(100_000, 16).astype(np.float32), 64, max_iter=8, bound=1e-3)


@case("KMeans", "100k x 16, no structure, weights", job="fit, 64 clusters")
def kmeans_fit_weights() -> Race:
    X = plain(100_000, 16)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    options: dict[str, Any] = {"n_clusters": 64, "random_state": 0, "n_init": 1, "max_iter": 8}
    return Race(
        ours=lambda: Ours(**options).fit(X, sample_weight=weight),
        theirs=lambda: Theirs(**options).fit(X, sample_weight=weight),
        agree=same_clusters(),
    )


# ---------------------------------------------------------------- clustered data: where the triangle inequality pays


@case("KMeans", "100k x 16, clouds", job="fit, 64 clusters", goal=GOAL_CLUSTERED)
def kmeans_fit_clouds_100k_16_64() -> Race:
    return fit_race(clouds(100_000, 16, 64), 64, init="random", max_iter=30)


@case("KMeans", "50k x 50, clouds", job="fit, 100 clusters", goal=GOAL_CLUSTERED)
def kmeans_fit_clouds_50k_50_100() -> Race:
    return fit_race(clouds(50_000, 50, 100), 100, init="random", max_iter=15)


@case("KMeans", "100k x 2, clouds", job="fit, 8 clusters", goal=GOAL_CLUSTERED)
def kmeans_fit_clouds_100k_2_8() -> Race:
    return fit_race(clouds(100_000, 2, 8), 8, init="random", max_iter=40)


@case("KMeans", "100k x 16, clouds", job="fit, 64 clusters, elkan", tags=("elkan",))
def kmeans_elkan_clouds() -> Race:
    return fit_race(clouds(100_000, 16, 64), 64, init="random", max_iter=30, algorithm="elkan", memory=True)


@case("KMeans", "100k x 16, no structure", job="fit, 64 clusters, elkan", tags=("elkan",))
def kmeans_elkan_plain() -> Race:
    return fit_race(plain(100_000, 16), 64, max_iter=10, algorithm="elkan")


@case("KMeans", "digits", job="fit, 10 clusters, elkan", tags=("elkan",), quick=True)
def kmeans_elkan_digits() -> Race:
    return fit_race(real("digits")[0], 10, algorithm="elkan")


# ---------------------------------------------------------------- sparse samples


@case("KMeans", "50k x 5000, 0.5% stored", job="fit, 20 clusters, CSR", tags=("sparse",))
def kmeans_fit_csr() -> Race:
    return fit_race(topics(50_000, 5000, 0.005), 20, init="random", max_iter=10, memory=True)


@case("KMeans", "50k x 5000, 0.5% stored", job="fit, 20 clusters, CSR, elkan", tags=("sparse", "elkan"))
def kmeans_elkan_csr() -> Race:
    return fit_race(topics(50_000, 5000, 0.005), 20, init="random", max_iter=10, algorithm="elkan")


@case("KMeans", "50k x 5000, 0.5% stored", job="predict, 20 clusters, CSR", tags=("sparse",))
def kmeans_predict_csr() -> Race:
    return after_fit_race("predict", topics(50_000, 5000, 0.005), 20)


# ---------------------------------------------------------------- after the fit


def after_fit_race(job: str, X: Any, k: int, bound: float | None = None) -> Race:
    options: dict[str, Any] = {"n_clusters": k, "init": "random", "random_state": 0, "n_init": 1, "max_iter": 2}
    theirs, ours = Theirs(**options).fit(X), Ours(**options).fit(X)
    ours.cluster_centers_ = theirs.cluster_centers_  # with several threads theirs has other last bits at each fit
    return Race(ours=lambda: getattr(ours, job)(X), theirs=lambda: getattr(theirs, job)(X), agree=same_arrays(bound))


@case("KMeans", "100k x 16", job="predict, 64 clusters", goal=GOAL)
def kmeans_predict() -> Race:
    return after_fit_race("predict", plain(100_000, 16), 64)


@case("KMeans", "one sample", job="predict, 64 clusters", goal=GOAL, quick=True)
def kmeans_predict_one() -> Race:
    X = plain(5000, 16)
    theirs, ours = (kind(n_clusters=64, random_state=0, max_iter=2).fit(X) for kind in (Theirs, Ours))
    return Race(ours=lambda: ours.predict(X[:1]), theirs=lambda: theirs.predict(X[:1]), agree=same_arrays())


@case("KMeans", "100k x 16", job="transform, 64 clusters")
def kmeans_transform() -> Race:
    return after_fit_race("transform", plain(100_000, 16), 64, bound=1e-10)


@case("KMeans", "100k x 16", job="score, 64 clusters")
def kmeans_score() -> Race:
    return after_fit_race("score", plain(100_000, 16), 64, bound=1e-11)


# ---------------------------------------------------------------- seeding alone


def seeding_race(X: Any, k: int) -> Race:
    return Race(
        ours=lambda: minimal.cluster.kmeans_plusplus(X, k, random_state=0),
        theirs=lambda: sklearn.cluster.kmeans_plusplus(X, k, random_state=0),
        agree=same_arrays(),
    )


@case("kmeans_plusplus", "100k x 16", job="64 seeds", goal=GOAL)
def seeding_100k_16_64() -> Race:
    return seeding_race(plain(100_000, 16), 64)


@case("kmeans_plusplus", "50k x 50", job="100 seeds", goal=GOAL)
def seeding_50k_50_100() -> Race:
    return seeding_race(plain(50_000, 50), 100)


@case("kmeans_plusplus", "20k x 200", job="20 seeds", goal={1: 2.0, "all": 2.0})
def seeding_20k_200_20() -> Race:
    return seeding_race(plain(20_000, 200), 20)


@case("kmeans_plusplus", "100k x 2", job="8 seeds", goal=GOAL_FLAT)
def seeding_100k_2_8() -> Race:
    return seeding_race(plain(100_000, 2), 8)


@case("kmeans_plusplus", "digits", job="10 seeds", goal=GOAL, quick=True)
def seeding_digits() -> Race:
    return seeding_race(real("digits")[0], 10)


@case("kmeans_plusplus", "50k x 5000, 0.5% stored", job="20 seeds, CSR", tags=("sparse",))
def seeding_csr() -> Race:
    return seeding_race(topics(50_000, 5000, 0.005), 20)


# ---------------------------------------------------------------- scikit-learn-intelex, where it is installed

if find_spec("sklearnex") is not None:

    def intelex_race(X: np.ndarray, k: int, max_iter: int) -> Race:
        """From the same centres, so many iterations: labels and inertia agree to rounding, or it is another job."""
        from sklearnex.cluster import KMeans as Intelex

        start = X[np.random.default_rng(0).choice(len(X), k, replace=False)]
        options: dict[str, Any] = {"n_clusters": k, "init": start, "n_init": 1, "max_iter": max_iter, "tol": 0}
        return Race(
            ours=lambda: Ours(**options).fit(X),
            theirs=lambda: Intelex(**options).fit(X),
            agree=close_attributes(1e-9, "cluster_centers_", "inertia_"),
        )

    @case(
        "KMeans",
        "100k x 16, no structure",
        job="fit, 64 clusters",
        against="scikit-learn-intelex",
        goal={1: 1, "all": 1},
    )
    def kmeans_intelex_100k_16_64() -> Race:
        return intelex_race(plain(100_000, 16), 64, 15)

    @case(
        "KMeans",
        "50k x 50, no structure",
        job="fit, 100 clusters",
        against="scikit-learn-intelex",
        goal={1: 1, "all": 1},
    )
    def kmeans_intelex_50k_50_100() -> Race:
        return intelex_race(plain(50_000, 50), 100, 8)

    @case(
        "KMeans",
        "20k x 200, no structure",
        job="fit, 20 clusters",
        against="scikit-learn-intelex",
        goal={1: 1, "all": 1},
    )
    def kmeans_intelex_20k_200_20() -> Race:
        return intelex_race(plain(20_000, 200), 20, 20)

    @case(
        "KMeans", "100k x 2, no structure", job="fit, 8 clusters", against="scikit-learn-intelex", goal={1: 1, "all": 1}
    )
    def kmeans_intelex_100k_2_8() -> Race:
        return intelex_race(plain(100_000, 2), 8, 40)

    @case("KMeans", "digits", job="fit, 10 clusters", against="scikit-learn-intelex", goal={1: 1, "all": 1}, quick=True)
    def kmeans_intelex_digits() -> Race:
        return intelex_race(real("digits")[0], 10, 15)

    @case("KMeans", "100k x 16, clouds", job="fit, 64 clusters", against="scikit-learn-intelex", goal={1: 1, "all": 1})
    def kmeans_intelex_clouds() -> Race:
        return intelex_race(clouds(100_000, 16, 64), 64, 30)


# ---------------------------------------------------------------- how time grows, and anybody's own table


@sweep("KMeans", "16 features, no structure", job="fit, 16 clusters, 10 iterations", sizes=(1e3, 1e4, 1e5, 1e6))
def kmeans_fit_by_rows(n: int) -> Race:
    return fit_race(plain(n, 16), 16, max_iter=10, tol=0)


@sweep("KMeans", "16 features, clouds", job="fit, 16 clusters", sizes=(1e3, 1e4, 1e5, 1e6))
def kmeans_fit_clouds_by_rows(n: int) -> Race:
    return fit_race(clouds(n, 16, 16), 16, init="random", max_iter=20)


@sweep("KMeans", "20k x 16, clouds", job="fit, 10 iterations", sizes=(2, 8, 32, 128, 512), counts="clusters")
def kmeans_fit_by_clusters(k: int) -> Race:
    return fit_race(clouds(20_000, 16, k), k, init="random", max_iter=10)


@own_data("KMeans", job="fit, 8 clusters")
def kmeans_own_data(X: np.ndarray) -> Race:
    return fit_race(X, min(8, len(X)))
