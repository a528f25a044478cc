"""Softmax, log-softmax and cross entropy on arrays: both twins against PyTorch, values and gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numba import njit

from minimal.autograd.kernels.classes import LossRule
from minimal.autograd.kernels.exponential_numba import exp_of_minus
from minimal.engine import twin

COMPONENT = "losses"
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SHAPES = [(5,), (1,), (32, 10), (7, 1), (3, 130), (4, 6, 5), (2, 3, 4, 5), (6, 37)]
REASON = "exp and log within two units in the last place, sums in another order"


def losses():
    return twin("minimal.autograd.kernels.losses")


def near(parity, ours, theirs, what):
    theirs = theirs.detach().numpy()
    assert ours.dtype == theirs.dtype
    parity.rounding(ours, theirs, what=what, bound=16 * np.finfo(theirs.dtype).eps, reason=REASON)


@DTYPES
@pytest.mark.parametrize(("shape", "axis"), [(s, a) for s in SHAPES for a in range(len(s))])
@pytest.mark.parametrize("order", ["C", "strided", pytest.param("F", marks=pytest.mark.wide)])
def test_softmax_and_its_logarithm(shape, axis, order, dtype, engine, parity):
    rng = np.random.default_rng(0)
    x, g = (3 * rng.standard_normal(shape).astype(dtype) for _ in range(2))
    if order == "strided":
        x, g = np.repeat(x, 2, axis=0)[::2], np.repeat(g, 2, axis=0)[::2]
    else:
        x, g = np.asarray(x, order=order), np.asarray(g, order=order)
    for ours, backward, theirs in [
        (losses().softmax, losses().softmax_backward, torch.softmax),
        (losses().log_softmax, losses().log_softmax_backward, torch.log_softmax),
    ]:
        t = torch.tensor(x, requires_grad=True)
        expected = theirs(t, axis)
        expected.backward(torch.tensor(g))
        out = ours(x, axis)
        near(parity, out, expected, theirs.__name__)
        near(parity, backward(g, out, axis), t.grad, f"gradient of {theirs.__name__}")


@DTYPES
def test_scores_that_are_not_finite(dtype, engine):
    inf, nan = np.inf, np.nan
    x = np.array([[inf, 1, 2], [-inf, 1, 2], [nan, 1, 2], [-inf, -inf, -inf], [1e5, -1e5, 0], [-inf, 700, 710]], dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        ours = losses().softmax(x, 1), losses().log_softmax(x, 1)
    for a, theirs in zip(ours, (torch.softmax, torch.log_softmax)):
        eps = np.finfo(dtype).eps  # of one, which is what a small logarithm is the logarithm of
        np.testing.assert_allclose(a, theirs(torch.tensor(x), 1).numpy(), rtol=8 * eps, atol=eps)


@DTYPES
@pytest.mark.parametrize("shape", [(10,), (32, 10), (3, 130), (4, 6, 5)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy(reduction, smoothing, weighted, shape, dtype, engine, parity):
    rng = np.random.default_rng(1)
    n_classes, target_shape = (shape[1], (shape[0], *shape[2:])) if len(shape) > 1 else (shape[0], ())
    x = 2 * rng.standard_normal(shape).astype(dtype)
    target = np.asarray(rng.integers(0, n_classes, target_shape))
    weight = rng.uniform(0.2, 2, n_classes).astype(dtype) if weighted else None
    if target.size > 3:
        target.flat[::3] = -7
    rule = LossRule(-7, smoothing, reduction)
    loss, p, total = losses().cross_entropy(x, target, weight, rule)
    g = np.asarray(rng.standard_normal(loss.shape).astype(dtype))
    dx = losses().cross_entropy_backward(g, p, target, weight, total, rule)

    t = torch.tensor(x, requires_grad=True)
    theirs = F.cross_entropy(
        t,
        torch.tensor(target),
        None if weight is None else torch.tensor(weight),
        ignore_index=-7,
        reduction=reduction,
        label_smoothing=smoothing,
    )
    theirs.backward(torch.tensor(g))
    assert isinstance(loss, np.ndarray)
    near(parity, loss, theirs, f"cross entropy, {reduction}")
    near(parity, p, torch.softmax(t, min(1, t.ndim - 1)), "softmax")
    near(parity, dx, t.grad, f"gradient of cross entropy, {reduction}")


@pytest.mark.parametrize("x", [np.zeros((3, 4)), np.zeros((3, 4, 2))], ids=["rows", "images"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nothing_counts(reduction, x, engine):
    target = np.full((3, *x.shape[2:]), -100)
    loss, p, total = losses().cross_entropy(x, target, None, LossRule(reduction=reduction))
    t = torch.tensor(x, requires_grad=True)
    theirs = F.cross_entropy(t, torch.tensor(target), reduction=reduction)
    theirs.sum().backward()
    np.testing.assert_array_equal(loss, theirs.detach().numpy())  # a mean of nothing is NaN
    dx = losses().cross_entropy_backward(np.ones_like(loss), p, target, None, total, LossRule(reduction=reduction))
    np.testing.assert_array_equal(dx, t.grad.numpy())


def test_other_integers_and_orders_of_memory_are_targets_too(engine):
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    expected = losses().cross_entropy(x, target, None, LossRule())[0]
    wide = np.asfortranarray(x)
    for dtype, scores in itertools.product((np.int32, np.uint8, np.int64), (x, wide, np.repeat(x, 2, axis=1)[:, ::2])):
        doubled = np.repeat(target.astype(dtype), 2)
        np.testing.assert_allclose(
            losses().cross_entropy(scores, doubled[::2], None, LossRule())[0], expected, rtol=1e-15
        )


@pytest.mark.parametrize("wrong", [4, -1, 10**9])
@pytest.mark.parametrize("shape", [(4,), (6, 4), (2, 4, 3)])
def test_a_target_that_is_no_class(shape, wrong, engine):
    x = np.zeros(shape)
    target = np.zeros((shape[0], *shape[2:]) if len(shape) > 1 else (), np.int64)
    target.flat[-1] = wrong
    with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
        losses().cross_entropy(x, target, None, LossRule())
    with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
        F.cross_entropy(torch.tensor(x), torch.tensor(target))


@njit
def exp_of_each(a, out):
    for i in range(len(a)):
        out[i] = exp_of_minus(a[i])


@DTYPES
def test_exp_in_either_dtype_within_two_units_in_the_last_place(dtype):
    largest = 87 if dtype == np.float32 else 708
    a = np.concatenate([np.linspace(0, largest, 100_001), np.logspace(-12, 0, 1001)]).astype(dtype)
    out = np.empty_like(a)
    exp_of_each(a, out)
    exact = np.exp(-a.astype(np.longdouble))
    assert (np.abs(out - exact) / np.spacing(exact.astype(dtype))).max() <= 2
    special = np.array([np.inf, np.nan, 1e4, 0.0], dtype)
    exp_of_each(special.copy(), special)
    np.testing.assert_array_equal(special, [0, np.nan, 0, 1])
