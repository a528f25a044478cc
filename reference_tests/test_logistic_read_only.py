"""Read-only data meet the solvers' kernels that writeable data have compiled."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numba.core.registry import CPUDispatcher
from sklearn.base import clone

import minimal
from minimal.linear_model import logistic_descent_numba, logistic_loss_numba, sag_numba

COMPONENT = "LogisticRegression"


def _compiled():
    """How many versions of each kernel this process has."""
    modules = (logistic_loss_numba, logistic_descent_numba, sag_numba)
    kernels = {(m.__name__, n): k for m in modules for n, k in vars(m).items() if isinstance(k, CPUDispatcher)}
    assert kernels
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "newton-cg", "saga"])
def test_read_only_data_compile_nothing(solver, n_classes, sparse):
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(60, 4)), rng.integers(n_classes, size=60), rng.random(60)
    frozen = [X.copy(), y.copy(), weight.copy()]
    for array in frozen:
        array.flags.writeable = False
    if sparse:
        X, frozen[0] = scipy.sparse.csr_array(X), scipy.sparse.csr_array(frozen[0])
        for array in (frozen[0].data, frozen[0].indices, frozen[0].indptr):
            array.flags.writeable = False
    model = minimal.linear_model.LogisticRegression(solver=solver, random_state=0, max_iter=1000)
    with minimal.engine("numba"):
        expected = [clone(model).fit(X, y), clone(model).fit(X, y, weight)]
        before = _compiled()
        found = [clone(model).fit(frozen[0], frozen[1]), clone(model).fit(*frozen)]
    assert _compiled() == before
    for a, b in zip(found, expected):
        assert np.array_equal(a.coef_, b.coef_)
