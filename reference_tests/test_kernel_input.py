"""Read-only data meet the kernels that writeable data have compiled, and stay read-only and as they are."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import scipy.sparse
from numba.core.registry import CPUDispatcher

import minimal
from minimal.kernel_input import as_kernel_input
from minimal.preprocessing import StandardScaler, moments_numba, scaling_numba, sparse_moments_numba


def _frozen(X):
    X = X.copy(order="K")
    X.flags.writeable = False
    return X


ARRAYS = {
    "C": np.arange(12.0).reshape(4, 3),
    "F": np.asfortranarray(np.arange(12.0).reshape(4, 3)),
    "strided": np.arange(24.0).reshape(4, 6)[::-2, ::2],
    "one-dimensional": np.arange(5, dtype=np.int32),
    "half": np.ones((2, 2), np.float16),
    "bytes swapped": np.arange(4.0).astype(">f8"),
    "empty": np.zeros((0, 3)),
    "no dimension": np.array(3.0),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_the_same_memory_under_the_usual_type(name):
    X = ARRAYS[name][...]
    assert as_kernel_input(X) is X
    X.flags.writeable = False
    seen = as_kernel_input(X)
    assert type(seen) is np.ndarray
    assert seen.flags.writeable
    assert seen.dtype == X.dtype
    assert seen.shape == X.shape
    assert X.size == 0 or seen.strides == X.strides
    assert seen.ctypes.data == X.ctypes.data
    np.testing.assert_array_equal(seen, X)
    assert not X.flags.writeable


def test_the_memory_lives_as_long_as_somebody_looks_at_it():
    class Watched(np.ndarray):
        """An ndarray that a weak reference can watch."""

    X = np.arange(1000.0).view(Watched)
    X.flags.writeable = False
    gone = weakref.ref(X)
    seen = as_kernel_input(X)
    del X
    gc.collect()
    assert gone() is not None
    np.testing.assert_array_equal(seen, np.arange(1000.0))
    del seen
    gc.collect()
    assert gone() is None


def _compiled(*modules):
    """How many versions of each kernel this process has."""
    kernels = [(m.__name__, name, k) for m in modules for name, k in vars(m).items() if isinstance(k, CPUDispatcher)]
    assert kernels
    return {(module, name): len(kernel.signatures) for module, name, kernel in kernels}


def _use(X, weight):
    """Everything that a scaler does with ``X``."""
    scaler = StandardScaler(with_mean=not scipy.sparse.issparse(X)).fit(X)
    for values in (scaler.mean_, scaler.scale_):
        values.flags.writeable = weight.flags.writeable  # as in a worker process, whose estimators lie in a shared file
    weighted = StandardScaler(with_mean=not scipy.sparse.issparse(X)).partial_fit(X, sample_weight=weight)
    results = [
        scaler.mean_,
        scaler.var_,
        weighted.mean_,
        weighted.var_,
        scaler.transform(X),
        scaler.inverse_transform(X),
    ]
    return [r.toarray() if scipy.sparse.issparse(r) else r for r in results]


@pytest.mark.parametrize("kind", ["C", "F", "missing values, C", "missing values, F", "csr", "csc"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_read_only_data_compile_nothing(kind, dtype):
    X = np.random.default_rng(0).standard_normal((60, 5)).astype(dtype, order="F" if kind.endswith("F") else "C")
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(X)).astype(dtype)
    if kind.startswith("missing"):
        X[::7, ::2] = np.nan
    if kind in ("csr", "csc"):
        X = getattr(scipy.sparse, kind + "_array")(X)
    frozen_weight = _frozen(weight)
    frozen = X.copy()
    if scipy.sparse.issparse(X):
        arrays = [frozen.data, frozen.indices, frozen.indptr]
        for array in arrays:
            array.flags.writeable = False
    else:
        frozen = _frozen(X)
        arrays = [frozen]
    with minimal.engine("numba"):
        expected = _use(X, weight)
        before = _compiled(moments_numba, scaling_numba, sparse_moments_numba)
        results = _use(frozen, frozen_weight)
    assert _compiled(moments_numba, scaling_numba, sparse_moments_numba) == before
    for a, b in zip(results, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(array.flags.writeable for array in [*arrays, frozen_weight])
    same = (frozen != X).nnz == 0 if scipy.sparse.issparse(X) else np.array_equal(frozen, X, equal_nan=True)
    assert same
    np.testing.assert_array_equal(frozen_weight, weight)
