"""k-means++ on data large enough to be screened in single precision: the same samples as scikit-learn's, close calls too."""

import numpy as np
import pytest
import sklearn.cluster
import sklearn.metrics
from threadpoolctl import threadpool_info

import minimal.threads

from .k_means_cases import alone

pytestmark = pytest.mark.component("kmeans_plusplus")


def cloud(n, d):
    return np.random.default_rng(n + d).normal(size=(n, d))


def clouds(n, d):
    random = np.random.default_rng(n + d)
    return 4 * random.normal(size=(20, d))[random.integers(20, size=n)] + random.normal(size=(n, d))


DATA = {
    "one cloud": cloud(20_011, 5),
    "flat": cloud(40_000, 2),
    "long rows": cloud(700, 200),
    "many clouds": clouds(5_000, 16),
    "tight clouds far away": 1e6 + 1e-3 * clouds(5_000, 16),  # little is left of single precision, or of double
    "whole numbers": np.round(cloud(30_000, 3)),  # most samples have doubles, and many candidates are equally good
    "few distinct": cloud(30, 7)[np.random.default_rng(0).integers(30, size=10_000)],
    "large": 1e9 * cloud(9_000, 8),
    "small": 1e-8 * cloud(9_000, 8),
    "outliers": np.random.default_rng(0).standard_cauchy(size=(9_000, 8)),
    "feature after feature": np.asfortranarray(cloud(20_011, 5)),
    "single precision": cloud(20_011, 5).astype(np.float32),
}
N_CLUSTERS = {"few distinct": 35}


def weights(n):
    random = np.random.default_rng(n)
    return {
        "no weights": None,
        "some weights": random.random(n),
        "many zeros": random.random(n) * (random.random(n) < 0.2),
        "tiny weights": 1e-15 * random.random(n),
        "one heavy": np.where(np.arange(n) == 7, 1e12, 1.0),
    }


@pytest.mark.parametrize("name", DATA)
def test_large_data(name, engine, implementation, parity):
    X = DATA[name]
    for option, weight in weights(len(X)).items():
        for seed in range(2):
            options = {"sample_weight": weight, "random_state": seed}
            k = N_CLUSTERS.get(name, 25)
            theirs = alone(sklearn.cluster.kmeans_plusplus, X, k, **options)
            ours = implementation("kmeans_plusplus")(X, k, **options)
            if name == "tight clouds far away" and engine == "numba" and not adds_as_our_kernels_do():
                assert np.array_equal(ours[0], X[ours[1]])
                parity.known(
                    "samples chosen where a distance is rounding and nothing else",
                    "The reference's BLAS adds the products of two samples in another order on this processor.",
                    data=name,
                )
                continue
            parity.identical(ours[1], theirs[1], what="indices", data=name, option=option)
            parity.identical(ours[0], theirs[0], what="centers", data=name, option=option)


def adds_as_our_kernels_do():
    """Whether the reference's BLAS uses the kernels for wide vectors, whose order of adding ours follow to the last bit."""
    return "SkylakeX" in {library.get("architecture") for library in threadpool_info()}


@pytest.mark.parametrize("n_local_trials", [1, 2, 5, 9])
def test_any_number_of_candidates(n_local_trials, engine, implementation, parity):
    X = DATA["one cloud"]
    options = {"n_local_trials": n_local_trials, "random_state": 3}
    theirs = alone(sklearn.cluster.kmeans_plusplus, X, 12, **options)
    ours = implementation("kmeans_plusplus")(X, 12, **options)
    parity.identical(ours[1], theirs[1], what="indices", data="one cloud", option=f"{n_local_trials} trials")


@pytest.mark.parametrize("name", ["one cloud", "feature after feature", "single precision"])
def test_squared_norms_rounded_otherwise(name, engine, implementation, parity):
    """scikit-learn takes the norms that it is given for the samples, and its own for the candidates among them."""
    X = 100 + DATA[name]
    norms = (X**2).sum(axis=1)
    theirs = alone(sklearn.cluster.kmeans_plusplus, X, 30, x_squared_norms=norms, random_state=0)
    ours = implementation("kmeans_plusplus")(X, 30, x_squared_norms=norms, random_state=0)
    parity.identical(ours[1], theirs[1], what="indices", data=name, option="norms")


def test_threads_change_nothing(implementation, parity):
    X = cloud(100_000, 16)
    before = minimal.threads.get_num_threads()
    try:
        minimal.threads.set_num_threads(1)
        one = implementation("kmeans_plusplus")(X, 10, random_state=0)
        minimal.threads.set_num_threads(3)
        three = implementation("kmeans_plusplus")(X, 10, random_state=0)
    finally:
        minimal.threads.set_num_threads(before)
    parity.identical(three[1], one[1], what="indices", data="one cloud", option="threads")


class OnBorders(np.random.RandomState):
    """Draws candidates as near as can be to the borders between samples: rounding decides which."""

    def uniform(self, low=0.0, high=1.0, size=None):
        return self.borders[self.randint(len(self.borders), size=size)]


def test_draws_on_the_border_between_two_samples(engine, implementation, parity):
    """On one thread, ours too: such a draw asks the BLAS library, whose sums depend on how many it has."""
    X = DATA["one cloud"]
    for seed in range(60):
        first = np.random.RandomState(seed).choice(len(X), p=np.full(len(X), 1 / len(X)))
        squared = sklearn.metrics.euclidean_distances(X[[first]], X, squared=True)
        borders = np.cumsum(squared[0]) / (squared @ np.ones(len(X)))[0]
        generators = OnBorders(seed), OnBorders(seed)
        for generator in generators:
            generator.borders = borders
        theirs = alone(sklearn.cluster.kmeans_plusplus, X, 2, n_local_trials=2, random_state=generators[0])
        ours = alone(implementation("kmeans_plusplus"), X, 2, n_local_trials=2, random_state=generators[1])
        parity.identical(ours[1], theirs[1], what="indices", data="one cloud", option="draws on borders")
