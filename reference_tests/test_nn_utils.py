"""Gradients clipped by norm or by value, and parameters as a vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import minimal

COMPONENT = "nn"


def parameters(library: Any, nn: Any, dtype: str, scale: float = 1.0) -> list[Any]:
    """Three parameters, the last without a gradient."""
    rng = np.random.default_rng(0)
    made = []
    for shape in ((3, 4), (5,), ()):
        parameter = nn.Parameter(library.tensor(rng.standard_normal(shape).astype(dtype)))
        parameter.grad = library.tensor((scale * rng.standard_normal(shape)).astype(dtype))
        made.append(parameter)
    made[-1].grad = None
    return made


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3, math.inf, -math.inf, 0.5, 0, "inf"])
@pytest.mark.parametrize("max_norm", [0.1, 50.0])
def test_clipping_by_norm(max_norm, norm_type, dtype, implementation, parity):
    nn = implementation("nn")
    ours, theirs = parameters(minimal, nn, dtype), parameters(torch, torch.nn, dtype)
    total = nn.utils.clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    reason = "the reference adds powers in single precision" if dtype == "float32" else ""
    bound = 1e-6 if dtype == "float32" else 1e-13
    parity.rounding(total.numpy(), expected.numpy(), what="norm of all gradients", bound=bound, reason=reason)
    assert total.dtype == np.dtype(dtype)
    for a, b in zip(ours[:2], theirs[:2]):
        parity.rounding(a.grad.numpy(), b.grad.numpy(), what="clipped gradient", bound=bound, reason=reason)
    assert ours[2].grad is None


def test_clipping_by_norm_by_hand(implementation):
    nn = implementation("nn")
    parameter = nn.Parameter(minimal.zeros(2))
    parameter.grad = minimal.tensor([3.0, 4.0])
    gradient = parameter.grad
    version = gradient._version
    assert nn.utils.clip_grad_norm_(parameter, 1.0).item() == 5.0
    assert parameter.grad is gradient
    assert gradient._version > version
    np.testing.assert_allclose(gradient.numpy(), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_norms_that_are_not_finite(bad, implementation):
    nn = implementation("nn")
    ours, theirs = parameters(minimal, nn, "float64"), parameters(torch, torch.nn, "float64")
    for each in (ours, theirs):
        each[0].grad[0, 0] = bad
    before = ours[1].grad.numpy().copy()
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(ours[1].grad.numpy(), before)
    total = nn.utils.clip_grad_norm_(ours, 1.0)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    np.testing.assert_array_equal(total.numpy(), expected.numpy())
    np.testing.assert_array_equal(ours[1].grad.numpy(), theirs[1].grad.numpy())
    np.testing.assert_array_equal(ours[0].grad.numpy(), theirs[0].grad.numpy())


def test_nothing_to_clip(implementation):
    utils = implementation("nn").utils
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    with pytest.warns(UserWarning, match="empty generator"):
        utils.clip_grad_norm_((p for p in []), 1.0)
    assert utils.get_total_norm([]).item() == 0


def test_clipping_by_value(implementation, parity):
    nn = implementation("nn")
    ours, theirs = parameters(minimal, nn, "float32"), parameters(torch, torch.nn, "float32")
    ours[0].grad[0, 0] = theirs[0].grad[0, 0] = math.nan
    nn.utils.clip_grad_value_(ours, 0.4)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    for a, b in zip(ours[:2], theirs[:2]):
        parity.identical(a.grad.numpy(), b.grad.numpy(), what="gradient clipped by value")


def test_norm_of_gradients_that_is_used_twice(implementation, parity):
    nn = implementation("nn")
    ours, theirs = parameters(minimal, nn, "float64", 9.0), parameters(torch, torch.nn, "float64", 9.0)
    total = nn.utils.get_total_norm([p.grad for p in ours[:2]])
    expected = torch.nn.utils.get_total_norm([p.grad for p in theirs[:2]])
    nn.utils.clip_grads_with_norm_(ours, 2.0, total)
    torch.nn.utils.clip_grads_with_norm_(theirs, 2.0, expected)
    parity.rounding(
        ours[0].grad.numpy(), theirs[0].grad.numpy(), what="gradient clipped with a known norm", bound=1e-14
    )


def test_parameters_to_a_vector_and_back(implementation):
    nn = implementation("nn")
    ours, theirs = parameters(minimal, nn, "float64"), parameters(torch, torch.nn, "float64")
    vector = nn.utils.parameters_to_vector(ours)
    np.testing.assert_array_equal(vector.detach().numpy(), torch.nn.utils.parameters_to_vector(theirs).detach().numpy())
    assert vector.requires_grad
    new = minimal.arange(18, dtype=minimal.float64)
    nn.utils.vector_to_parameters(new, ours)
    assert ours[1].tolist() == [12, 13, 14, 15, 16]
    assert ours[2].item() == 17
    with pytest.raises(TypeError, match="expected"):
        nn.utils.vector_to_parameters([1.0] * 18, ours)
    with pytest.raises(RuntimeError, match="17 elements, the parameters have 18"):
        nn.utils.vector_to_parameters(-new[:17], ours)
    assert ours[0].detach().numpy()[0, 1] == 1
