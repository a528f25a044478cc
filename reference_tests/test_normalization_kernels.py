"""Batch and layer normalization on arrays: both twins against PyTorch, values, statistics and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from minimal import threads
from minimal.autograd.kernels import normalization_numba
from minimal.engine import twin

COMPONENT = "normalization"
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
REASON = "sums of up to 6760 numbers in another order, PyTorch's one after another"


def kernels():
    return twin("minimal.autograd.kernels.normalization")


def near(parity, ours, theirs, what):
    theirs = theirs.detach().numpy()
    assert ours.dtype == theirs.dtype
    parity.rounding(ours, theirs, what=what, bound=64 * np.finfo(theirs.dtype).eps, reason=REASON)


def data(shape, dtype, layout="second"):
    """Numbers far from zero, so that a variance from sums of squares would lose its digits."""
    rng = np.random.default_rng(len(shape))
    x, g = (rng.standard_normal(shape) + 3).astype(dtype), rng.standard_normal(shape).astype(dtype)
    if layout == "last":
        return [np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) for a in (x, g)]
    return [np.repeat(a, 2, axis=-1)[..., ::2] for a in (x, g)] if layout == "strided" else [x, g]


@pytest.fixture(autouse=True)
def _no_data_are_small(monkeypatch):
    """Small data go to NumPy's passes in both twins; here the compiled ones shall show what they do with them too."""
    monkeypatch.setattr(normalization_numba, "SMALL_SIZE", 0)


@DTYPES
@pytest.mark.parametrize("layout", ["second", "last", "strided"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(9, 5), (4, 3, 7), (3, 6, 5, 4), (40, 8, 13, 13), (2, 1, 3, 3)])
def test_batch_norm(shape, affine, layout, dtype, engine, parity):
    x, g = data(shape, dtype, layout)
    rng = np.random.default_rng(7)
    weight, bias = ((rng.uniform(0.5, 2, shape[1])).astype(dtype) for _ in "wb") if affine else (None, None)
    t, *given = (None if a is None else torch.tensor(a, requires_grad=True) for a in (x, weight, bias))
    theirs, mean, inverse = torch.native_batch_norm(t, *given, None, None, True, 0.1, 1e-3)
    theirs.backward(torch.tensor(g))

    out, our_mean, our_var = kernels().batch_norm(x, weight, bias, 1e-3)
    near(parity, out, theirs, "batch norm")
    near(parity, our_mean, mean, "mean")
    near(parity, 1 / np.sqrt(our_var + dtype(1e-3)), inverse, "one over the deviation")
    dx, dweight, dbias = kernels().batch_norm_backward(g, x, our_mean, our_var, weight, 1e-3)
    near(parity, dx, t.grad, "gradient of x")
    if affine:
        near(parity, dweight, given[0].grad, "gradient of weight")
        near(parity, dbias, given[1].grad, "gradient of bias")


@DTYPES
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(9, 5), (3, 64), (130, 33), (4, 7), (0, 3)])
@pytest.mark.parametrize("layout", ["second", "strided"])
def test_layer_norm(layout, shape, affine, dtype, engine, parity):
    x, g = data(shape, dtype, layout)
    rng = np.random.default_rng(7)
    weight, bias = ((rng.uniform(0.5, 2, shape[1])).astype(dtype) for _ in "wb") if affine else (None, None)
    t, *given = (None if a is None else torch.tensor(a, requires_grad=True) for a in (x, weight, bias))
    theirs, mean, inverse = torch.native_layer_norm(t, shape[1:], *given, 1e-3)
    theirs.backward(torch.tensor(g))

    out, our_mean, our_inverse = kernels().layer_norm(x, weight, bias, 1e-3)
    near(parity, out, theirs, "layer norm")
    near(parity, our_mean, mean[:, 0], "mean")
    near(parity, our_inverse, inverse[:, 0], "one over the deviation")
    dx, dweight, dbias = kernels().layer_norm_backward(g, x, our_mean, our_inverse, weight)
    near(parity, dx, t.grad, "gradient of x")
    if affine:
        near(parity, dweight, given[0].grad, "gradient of weight")
        near(parity, dbias, given[1].grad, "gradient of bias")


def test_many_threads_and_one_give_the_same_bits(monkeypatch):
    x, g = data((64, 16, 15, 15), np.float32)
    answers = []
    for n in (1, 2):
        monkeypatch.setattr(threads, "_num_threads", n)
        out, mean, var = normalization_numba.batch_norm(x, None, None, 1e-5)
        answers.append([out, mean, var, *normalization_numba.batch_norm_backward(g, x, mean, var, None, 1e-5)])
    for one, two in zip(*answers):
        np.testing.assert_array_equal(one, two)
