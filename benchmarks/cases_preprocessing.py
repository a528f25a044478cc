"""Races of StandardScaler: learning and applying, from a table of 150 rows to one of a million.

Learning must read the data twice (the second pass needs the mean that the first one gives), applying reads and writes once:
``bytes_moved`` says so, and the table prints the bandwidth beside a plain copy's.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import sklearn.preprocessing

import minimal.preprocessing
from benchmarks.data import noise, real
from benchmarks.frame import Race, case, own_data, same_arrays, same_attributes, sweep

Ours, Theirs = minimal.preprocessing.StandardScaler, sklearn.preprocessing.StandardScaler
LEARNED = ("mean_", "var_", "scale_", "n_samples_seen_")


def fit_race(X: np.ndarray, *, memory: bool = False) -> Race:
    return Race(
        ours=lambda: Ours().fit(X),
        theirs=lambda: Theirs().fit(X),
        agree=same_attributes(*LEARNED),
        memory=memory,
        bytes_moved=2 * X.nbytes,
    )


def transform_race(X: np.ndarray, *, memory: bool = False) -> Race:
    ours, theirs = Ours().fit(X), Theirs().fit(X)
    return Race(
        ours=lambda: ours.transform(X),
        theirs=lambda: theirs.transform(X),
        agree=same_arrays(),
        memory=memory,
        bytes_moved=2 * X.nbytes,
    )


# ---------------------------------------------------------------- small: where validation and Python weigh most


@case("StandardScaler", "breast_cancer", job="fit", goal=3.0, quick=True)
def scaler_fit_breast_cancer() -> Race:
    return fit_race(real("breast_cancer")[0])


@case("StandardScaler", "breast_cancer", job="transform", goal=3.0, quick=True)
def scaler_transform_breast_cancer() -> Race:
    return transform_race(real("breast_cancer")[0])


@case("StandardScaler", "breast_cancer", job="fit_transform", goal=3.0, quick=True)
def scaler_fit_transform_breast_cancer() -> Race:
    X, _ = real("breast_cancer")
    return Race(ours=lambda: Ours().fit_transform(X), theirs=lambda: Theirs().fit_transform(X), agree=same_arrays())


@case("StandardScaler", "iris", job="fit", goal=3.0, quick=True)
def scaler_fit_iris() -> Race:
    return fit_race(real("iris")[0])


@case("StandardScaler", "digits", job="fit", goal=3.0, quick=True)
def scaler_fit_digits() -> Race:
    return fit_race(real("digits")[0])


@case("StandardScaler", "breast_cancer, 10 batches", job="partial_fit", goal=3.0, quick=True)
def scaler_partial_fit_breast_cancer() -> Race:
    batches = np.array_split(real("breast_cancer")[0], 10)

    def learn(scaler):
        for batch in batches:
            scaler.partial_fit(batch)
        return scaler

    return Race(ours=lambda: learn(Ours()), theirs=lambda: learn(Theirs()), agree=same_attributes(*LEARNED))


# ---------------------------------------------------------------- large: where memory is the limit


@case("StandardScaler", "100k x 100", job="fit", goal=5.0)
def scaler_fit_100k_100() -> Race:
    return fit_race(noise(100_000, 100), memory=True)


@case("StandardScaler", "1M x 10", job="fit", goal=9.0)
def scaler_fit_1m_10() -> Race:
    return fit_race(noise(1_000_000, 10), memory=True)


@case("StandardScaler", "100k x 100, 5% missing", job="fit", goal=12.0)
def scaler_fit_100k_100_missing() -> Race:
    return fit_race(noise(100_000, 100, missing=0.05), memory=True)


@case("StandardScaler", "1M x 10, 5% missing", job="fit", goal=12.0)
def scaler_fit_1m_10_missing() -> Race:
    return fit_race(noise(1_000_000, 10, missing=0.05), memory=True)


@case("StandardScaler", "100k x 100, float32", job="fit")
def scaler_fit_100k_100_float32() -> Race:
    return fit_race(noise(100_000, 100, dtype="float32"))


@case("StandardScaler", "100k x 100, Fortran order", job="fit")
def scaler_fit_100k_100_fortran() -> Race:
    return fit_race(np.asfortranarray(noise(100_000, 100)))


@case("StandardScaler", "100k x 100", job="transform", goal=2.5)
def scaler_transform_100k_100() -> Race:
    return transform_race(noise(100_000, 100), memory=True)


@case("StandardScaler", "1M x 10", job="transform", goal=2.5)
def scaler_transform_1m_10() -> Race:
    return transform_race(noise(1_000_000, 10), memory=True)


@case("StandardScaler", "100k x 100", job="transform in place")
def scaler_transform_in_place() -> Race:
    X = noise(100_000, 100)
    ours, theirs = Ours(copy=False).fit(X), Theirs(copy=False).fit(X)
    return Race(
        ours=lambda fresh: ours.transform(fresh),
        theirs=lambda fresh: theirs.transform(fresh),
        setup=lambda: X.copy(),
        agree=same_arrays(),
    )


@case("StandardScaler", "100k x 100, weights", job="fit")
def scaler_fit_weights() -> Race:
    X = noise(100_000, 100)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    return Race(
        ours=lambda: Ours().fit(X, sample_weight=weight),
        theirs=lambda: Theirs().fit(X, sample_weight=weight),
        agree=same_attributes(*LEARNED, identical=False),
        bytes_moved=2 * X.nbytes,
    )


def sparse_fit_race(format: str) -> Race:
    X = scipy.sparse.random_array((100_000, 1000), density=0.01, format=format, rng=np.random.default_rng(0))
    return Race(
        ours=lambda: Ours(with_mean=False).fit(X),
        theirs=lambda: Theirs(with_mean=False).fit(X),
        agree=same_attributes(*LEARNED, identical=False),
        memory=True,
    )


@case("StandardScaler", "100k x 1000, 1% stored", job="fit, CSR", threads=(1,))
def scaler_fit_csr() -> Race:
    return sparse_fit_race("csr")


@case("StandardScaler", "100k x 1000, 1% stored", job="fit, CSC", threads=(1,))
def scaler_fit_csc() -> Race:
    return sparse_fit_race("csc")


# ---------------------------------------------------------------- how time grows, and anybody's own table


@sweep("StandardScaler", "20 features", job="fit", sizes=(1e2, 1e3, 1e4, 1e5, 1e6))
def scaler_fit_by_rows(n: int) -> Race:
    return fit_race(noise(n, 20))


@sweep("StandardScaler", "20 features", job="transform", sizes=(1e2, 1e3, 1e4, 1e5, 1e6))
def scaler_transform_by_rows(n: int) -> Race:
    return transform_race(noise(n, 20))


@own_data("StandardScaler", job="fit", allows_missing=True)
def scaler_fit_own_data(X: np.ndarray) -> Race:
    return fit_race(X)


@own_data("StandardScaler", job="transform", allows_missing=True)
def scaler_transform_own_data(X: np.ndarray) -> Race:
    return transform_race(X)
