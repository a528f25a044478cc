"""First values: the same numbers from the same seed, for every rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import minimal

COMPONENT = "nn"

RULES: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "uniform_": (lambda init, t: init.uniform_(t, -2.0, 3.0), [(3, 5), (40,)]),
    "normal_": (lambda init, t: init.normal_(t, 1.0, 0.3), [(3, 5), (7, 9)]),
    "constant_": (lambda init, t: init.constant_(t, 0.3), [(3, 5)]),
    "ones_": (lambda init, t: init.ones_(t), [(3, 5)]),
    "zeros_": (lambda init, t: init.zeros_(t), [(3, 5)]),
    "eye_": (lambda init, t: init.eye_(t), [(3, 5), (4, 2)]),
    "dirac_": (lambda init, t: init.dirac_(t), [(3, 2, 3), (2, 4, 3, 4), (2, 2, 3, 3, 3)]),
    "dirac_ of groups": (lambda init, t: init.dirac_(t, groups=2), [(4, 2, 3), (6, 2, 3, 3)]),
    "xavier_uniform_": (lambda init, t: init.xavier_uniform_(t, gain=1.5), [(3, 5), (4, 3, 3, 3)]),
    "xavier_normal_": (lambda init, t: init.xavier_normal_(t), [(3, 5), (4, 3, 3, 3)]),
    "kaiming_uniform_": (lambda init, t: init.kaiming_uniform_(t, a=0.2), [(3, 5), (4, 3, 3, 3)]),
    "kaiming_uniform_ out": (
        lambda init, t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
        [(3, 5), (4, 3, 3)],
    ),
    "kaiming_normal_": (lambda init, t: init.kaiming_normal_(t, nonlinearity="tanh"), [(3, 5), (4, 3, 3, 3)]),
    "trunc_normal_": (lambda init, t: init.trunc_normal_(t, 0.1, 0.5, -0.4, 0.7), [(3, 5), (40, 30)]),
    "trunc_normal_ of a tail": (lambda init, t: init.trunc_normal_(t, 0.0, 1.0, 1.5, 3.0), [(3, 5), (40, 30)]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_the_same_seed_gives_the_same_numbers(name, dtype, engine, implementation, parity):
    rule, shapes = RULES[name]
    init = implementation("nn").init
    for shape in shapes:
        ours = minimal.zeros(*shape, dtype=getattr(minimal, dtype), requires_grad=True)
        theirs = torch.zeros(*shape, dtype=getattr(torch, dtype), requires_grad=True)
        minimal.manual_seed(11)
        result = rule(init, ours)
        torch.manual_seed(11)
        rule(torch.nn.init, theirs)
        assert result is ours
        assert ours.is_leaf
        assert ours._version > 0
        parity.identical(ours.detach().numpy(), theirs.detach().numpy(), what=name)
        parity.identical(minimal.rand(2).numpy(), torch.rand(2).numpy(), what=f"what is drawn after {name}")


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (3, 2, 4)])
def test_orthogonal_matrices(shape, implementation, parity):
    ours = minimal.zeros(*shape, dtype=minimal.float64)
    theirs = torch.zeros(*shape, dtype=torch.float64)
    minimal.manual_seed(3)
    implementation("nn").init.orthogonal_(ours, gain=2.0)
    torch.manual_seed(3)
    torch.nn.init.orthogonal_(theirs, gain=2.0)
    parity.rounding(ours.numpy(), theirs.numpy(), what="orthogonal_", bound=1e-13)
    flat = ours.numpy().reshape(shape[0], -1)
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_a_generator_of_ones_own(implementation, parity):
    init = implementation("nn").init
    for name in ("uniform_", "normal_", "xavier_uniform_", "kaiming_normal_", "trunc_normal_"):
        ours, theirs = minimal.zeros(4, 6), torch.zeros(4, 6)
        minimal.manual_seed(0)
        before = minimal.generator.get_rng_state()
        getattr(init, name)(ours, generator=minimal.Generator().manual_seed(8))
        getattr(torch.nn.init, name)(theirs, generator=torch.Generator().manual_seed(8))
        parity.identical(ours.numpy(), theirs.numpy(), what=f"{name} with a generator")
        np.testing.assert_array_equal(minimal.generator.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        *((name, None) for name in ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "sigmoid")),
        *((name, None) for name in ("tanh", "relu", "leaky_relu", "selu")),
        ("leaky_relu", 0.3),
        ("leaky_relu", 2),
    ],
)
def test_gains(name, slope, implementation):
    assert implementation("nn").init.calculate_gain(name, slope) == torch.nn.init.calculate_gain(name, slope)


def test_gains_by_hand(implementation):
    gain = implementation("nn").init.calculate_gain
    assert gain("relu") == math.sqrt(2)
    assert gain("tanh") == 5 / 3
    assert gain("leaky_relu", 1) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda init, ones: init.calculate_gain("softmax"),
        lambda init, ones: init.calculate_gain("leaky_relu", True),
        lambda init, ones: init.calculate_gain("leaky_relu", "steep"),
        lambda init, ones: init.eye_(ones(3)),
        lambda init, ones: init.dirac_(ones(3, 3)),
        lambda init, ones: init.dirac_(ones(3, 3, 3), groups=2),
        lambda init, ones: init.xavier_uniform_(ones(3)),
        lambda init, ones: init.kaiming_normal_(ones(3)),
        lambda init, ones: init.kaiming_uniform_(ones(3, 3), mode="fan"),
        lambda init, ones: init.orthogonal_(ones(3)),
        lambda init, ones: init.uniform_(ones(3), 2.0, 1.0),
        lambda init, ones: init.normal_(ones(3), 0.0, -1.0),
    ],
)
def test_errors_are_of_pytorchs_kind(call, implementation):
    with pytest.raises(Exception) as expected:  # noqa: PT011 - the kind is what is compared
        call(torch.nn.init, torch.ones)
    with pytest.raises(type(expected.value)) as error:
        call(implementation("nn").init, minimal.ones)
    assert str(error.value)


def test_weights_without_elements_are_left_alone_with_a_warning(implementation):
    nn = implementation("nn")
    with pytest.warns(UserWarning, match="zero-element"):
        nn.init.kaiming_uniform_(minimal.zeros(0, 3))
    with pytest.warns(UserWarning, match="zero-element"):
        ours = nn.Linear(0, 3)
    with pytest.warns(UserWarning, match="zero-element"):
        theirs = torch.nn.Linear(0, 3)
    assert ours.bias.tolist() == theirs.bias.tolist() == [0, 0, 0]


def test_a_distant_window_warns(implementation):
    with pytest.warns(UserWarning, match="more than 2 std"):
        implementation("nn").init.trunc_normal_(minimal.zeros(3), 0.0, 1.0, 2.5, 3.0)
