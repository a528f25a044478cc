"""StandardScaler with weights and on sparse matrices, where the level is rounding."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.sparse
from sklearn.preprocessing import StandardScaler as Reference

from minimal.preprocessing import sparse_moments_numba, sparse_moments_numpy
from minimal.preprocessing.moments import entries

from .scaler_cases import (
    DENSE,
    OPTIONS,
    ORDERS,
    SPARSE_SUMS,
    SUMS_IN_ANOTHER_ORDER,
    near_learned,
    quietly,
    same_learned,
    uneven,
)

COMPONENT = "StandardScaler"


# ---------------------------------------------------------------- weights and sparse matrices: rounding


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", ["breast_cancer", "uneven", "with missing values", "far from zero", "one sample"])
def test_weights(name, order, engine, implementation, parity):
    for dtype, options in product((np.float64, np.float32), OPTIONS):
        X = ORDERS[order](DENSE[name]().astype(dtype))
        weight = np.random.default_rng(0).uniform(0.1, 3.0, len(X))
        ours, theirs = implementation("StandardScaler")(**options), Reference(**options)
        for job in ("fit", "partial_fit"):
            getattr(ours, job)(X, sample_weight=weight)
            quietly(getattr(theirs, job), X, sample_weight=weight)  # warns of the root of a variance of -1e-20
            labels = {"data": f"{name}, {order}", "option": f"{options}, weights"}
            near_learned(ours, theirs, parity, bound=1e-12, reason=SUMS_IN_ANOTHER_ORDER, **labels)


def sparse_data(dtype, *, missing, full_column=True):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((200, 6)) * (rng.random((200, 6)) < 0.2)
    if full_column:
        X[:, 1], X[:, 2] = 7.1, 5.0 + rng.standard_normal(200)
    X[:, 4] = 0.0
    if missing:
        X[rng.random(X.shape) < 0.05] = np.nan
    return X.astype(dtype)


SPARSE = {
    kind.__name__: kind
    for kind in (
        scipy.sparse.csr_matrix,
        scipy.sparse.csc_matrix,
        scipy.sparse.csr_array,
        scipy.sparse.csc_array,
        scipy.sparse.coo_array,
    )
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", SPARSE)
def test_sparse(kind, missing, engine, implementation, parity):
    for dtype, with_std, weighted in product((np.float64, np.float32), (True, False), (False, True)):
        X = SPARSE[kind](sparse_data(dtype, missing=missing))
        before = X.copy()
        weight = np.random.default_rng(0).uniform(0.1, 3.0, X.shape[0]) if weighted else None
        ours = implementation("StandardScaler")(with_mean=False, with_std=with_std)
        theirs = Reference(with_mean=False, with_std=with_std)
        bound = 1e-12 if dtype == np.float64 else 3e-7
        reason = SPARSE_SUMS + ("" if dtype == np.float64 else "; results are rounded to float32 on both sides")
        for _ in range(2):
            ours.partial_fit(X, sample_weight=weight)
            quietly(theirs.partial_fit, X, sample_weight=weight)
            near_learned(ours, theirs, parity, bound=bound, reason=reason, data=kind, option=f"weights: {weighted}")
            if not weighted and not missing and dtype == np.float64:
                same_learned(ours, theirs, parity, data=kind, option="no weights, nothing missing")
        for method in ("transform", "inverse_transform"):
            a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
            assert type(a) is type(b)
            parity.rounding(a.toarray(), b.toarray(), what=method, bound=bound, reason=reason, data=kind)
        assert (before != X).nnz == np.isnan(X.tocsr().data).sum()  # nothing but NaN differs from itself


def test_sparse_equals_dense(engine, implementation):
    X = sparse_data(np.float64, missing=True)
    dense = implementation("StandardScaler")(with_mean=False).fit(X)
    sparse = implementation("StandardScaler")(with_mean=False).fit(scipy.sparse.csc_array(X))
    np.testing.assert_allclose(sparse.scale_, dense.scale_, rtol=1e-13)
    np.testing.assert_allclose(sparse.transform(scipy.sparse.csr_array(X)).toarray(), dense.transform(X), rtol=1e-13)


@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_without_any_entry(kind, engine, implementation, parity):
    ours, theirs = (
        Scaler(with_mean=False).fit(SPARSE[kind]((5, 3))) for Scaler in (implementation("StandardScaler"), Reference)
    )
    same_learned(ours, theirs, parity, data=f"{kind}, nothing stored")


@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_cannot_be_centered(kind, engine, implementation):
    X = SPARSE[kind](sparse_data(np.float64, missing=False))
    with pytest.raises(ValueError, match="Cannot center sparse"):
        implementation("StandardScaler")().fit(X)
    with pytest.raises(ValueError, match="Cannot center sparse"):
        implementation("StandardScaler")().fit(X.toarray()).transform(X)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["csr_array", "csc_array"])
def test_sparse_infinity_is_rejected_everywhere(kind, value, engine, implementation):
    X = SPARSE[kind](sparse_data(np.float64, missing=True))
    bad = X.copy()
    bad.data[7] = value
    weight = np.arange(X.shape[0]) % 3  # some are zero, and zero times infinity is NaN
    for options in ({"with_mean": False}, {"with_mean": False, "with_std": False}):
        scaler = implementation("StandardScaler")(**options).fit(X)
        for job in (scaler.transform, scaler.inverse_transform, scaler.partial_fit, scaler.fit):
            with pytest.raises(ValueError, match="Input X contains infinity or a value too large for dtype"):
                job(bad)
        with pytest.raises(ValueError, match="Input X contains infinity"):
            scaler.fit(bad, sample_weight=weight)


@pytest.mark.parametrize("kind", ["csr_array", "csc_array"])
@pytest.mark.parametrize("density", [0.01, 0.3, 1.0])
def test_sparse_twins_give_the_same_bits(density, kind):
    rng = np.random.default_rng(0)
    for dtype, n, d in product((np.float64, np.float32), (1, 2, 9, 300), (1, 3, 40)):
        X = uneven(n, d, seed=n + d, missing=0.1, dtype=dtype) * (rng.random((n, d)) < density)
        X = entries(SPARSE[kind](X.astype(dtype)))
        center = rng.standard_normal(d)
        for weight in (None, rng.uniform(0.1, 3.0, n).astype(dtype)):
            ours = (
                *sparse_moments_numba.entry_sums(X, weight),
                *sparse_moments_numba.entry_deviations(X, weight, center),
            )
            text = (
                *sparse_moments_numpy.entry_sums(X, weight),
                *sparse_moments_numpy.entry_deviations(X, weight, center),
            )
            for a, b in zip(ours, text, strict=True):
                np.testing.assert_array_equal(a, b)
                np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@pytest.mark.parametrize("kind", ["csr_array", "csc_array"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_entries_in_any_order(index, kind, engine, implementation, parity):
    """Columns out of order, a place stored twice, zeros stored, empty lines, and wide indices: whatever the format allows."""
    data = np.array([3.0, 1.0, 0.0, 2.0, 5.0, -1.0, 4.0])
    indices, indptr = np.array([2, 0, 1, 1, 1, 0, 2], index), np.array([0, 3, 3, 5, 7], index)
    X = SPARSE[kind]((data, indices, indptr), shape=(4, 3) if kind == "csr_array" else (3, 4))
    assert X.indices.dtype == index
    for weight in (None, np.arange(1.0, X.shape[0] + 1)):
        ours, theirs = (Scaler(with_mean=False) for Scaler in (implementation("StandardScaler"), Reference))
        for scaler in (ours, theirs):
            scaler.fit(X, sample_weight=weight)
        labels = {"data": f"{kind}, any order", "option": f"weights: {weight is not None}"}
        near_learned(ours, theirs, parity, bound=1e-12, reason=SPARSE_SUMS, **labels)
        a, b = ours.transform(X), theirs.transform(X)
        parity.rounding(a.toarray(), b.toarray(), what="transform", bound=1e-12, reason=SPARSE_SUMS, **labels)


@pytest.mark.parametrize("kind", ["csr_array", "csc_array"])
def test_a_single_zero_in_a_full_column_of_single_precision(kind, engine, implementation, parity):
    """Its weight is a small difference of two large sums, and its square counts a million times: sums must be double."""
    X = (1000 + np.random.default_rng(0).standard_normal((20_000, 2))).astype(np.float32)
    X[7, 0] = 0.0
    X = SPARSE[kind](X)
    weight = np.random.default_rng(1).uniform(0.1, 3.0, X.shape[0])
    ours, theirs = (Scaler(with_mean=False) for Scaler in (implementation("StandardScaler"), Reference))
    for scaler in (ours, theirs):
        scaler.fit(X, sample_weight=weight)
    reason = SPARSE_SUMS + "; results are rounded to float32 on both sides"
    near_learned(ours, theirs, parity, bound=3e-7, reason=reason, data=f"{kind}, a single zero", option="weights")


@pytest.mark.parametrize("kind", ["csr_array", "csc_array"])
def test_sparse_column_without_values_keeps_what_it_has(kind, engine, implementation, parity):
    X = sparse_data(np.float64, missing=False)
    empty = X.copy()
    empty[:, 2] = np.nan
    ours, theirs = (Scaler(with_mean=False) for Scaler in (implementation("StandardScaler"), Reference))
    for batch in (X, empty, X[:50]):
        for scaler in (ours, theirs):
            scaler.partial_fit(SPARSE[kind](batch))
        same_learned(ours, theirs, parity, data=f"{kind}, a column without values")
    assert ours.n_samples_seen_[2] == 250


def test_sparse_sums_may_overflow(engine, implementation):
    """Finite entries whose sum is not: no infinity in the data, so no error, and the mean is infinite."""
    X = scipy.sparse.csr_array(np.full((3, 2), 1.5e308))
    ours, theirs = implementation("StandardScaler")(with_mean=False).fit(X), Reference(with_mean=False).fit(X)
    np.testing.assert_array_equal(ours.mean_, theirs.mean_)
    assert np.isinf(ours.mean_).all()


@pytest.mark.parametrize("copy", [True, False])
def test_sparse_copy(copy, engine, implementation):
    X = scipy.sparse.csr_array(sparse_data(np.float64, missing=False))
    before = X.data.copy()
    result = implementation("StandardScaler")(with_mean=False, copy=copy).fit(X).transform(X)
    assert np.shares_memory(result.data, X.data) is not copy
    assert np.array_equal(X.data, before) is copy


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
@pytest.mark.parametrize("copy", [True, False])
def test_read_only_sparse_matrix_stays_as_it_is(copy, method, engine, implementation, parity):
    X = scipy.sparse.csr_array(sparse_data(np.float64, missing=False))
    before = X.copy()
    X.data.flags.writeable = False
    ours, theirs = (
        Scaler(with_mean=False, copy=copy).fit(X) for Scaler in (implementation("StandardScaler"), Reference)
    )
    a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
    parity.identical(a.data, b.data, what=method, data="read-only CSR", option=f"copy={copy}")
    assert (before != X).nnz == 0
    assert a.data.flags.writeable
