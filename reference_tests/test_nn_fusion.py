"""Convolution, ReLU and pooling in a row are one operation: only where nobody can tell, and nobody can."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import minimal
from minimal.nn import fusion as switch
from minimal.nn.fusion import steps

from .module_cases import both

COMPONENT = "nn"


def how_many(net: Any) -> int:
    return len(list(steps(list(net))))


def row(nn: Any, convolution: Any = None, rectifier: Any = None, pool: Any = None) -> Any:
    return nn.Sequential(convolution or nn.Conv2d(2, 3, 3), rectifier or nn.ReLU(), pool or nn.MaxPool2d(2))


FUSED = {
    "plain": lambda nn: row(nn),
    "stride and padding": lambda nn: row(nn, nn.Conv2d(2, 5, (3, 2), stride=(2, 1), padding=(1, 2), bias=False)),
    "five by five": lambda nn: row(nn, nn.Conv2d(2, 4, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d((2, 2), 2)),
    "one by one": lambda nn: row(nn, nn.Conv2d(2, 1, 1)),
}
NOT_FUSED = {
    "groups": lambda nn: row(nn, nn.Conv2d(2, 4, 3, groups=2)),
    "dilation": lambda nn: row(nn, nn.Conv2d(2, 4, 3, dilation=2)),
    "other padding": lambda nn: row(nn, nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")),
    "same": lambda nn: row(nn, nn.Conv2d(2, 4, 3, padding="same")),
    "another rectifier": lambda nn: row(nn, rectifier=nn.LeakyReLU()),
    "windows of three": lambda nn: row(nn, pool=nn.MaxPool2d(3)),
    "overlapping windows": lambda nn: row(nn, pool=nn.MaxPool2d(2, stride=1)),
    "padded windows": lambda nn: row(nn, pool=nn.MaxPool2d(2, padding=1)),
    "hanging windows": lambda nn: row(nn, pool=nn.MaxPool2d(2, ceil_mode=True)),
    "means": lambda nn: row(nn, pool=nn.AvgPool2d(2)),
}


@pytest.mark.parametrize("name", [*FUSED, *NOT_FUSED])
def test_which_rows_fuse(name, implementation):
    nn = implementation("nn")
    assert how_many({**FUSED, **NOT_FUSED}[name](nn)) == (1 if name in FUSED else 3)


def run(net: Any, x: np.ndarray, library: Any) -> list[np.ndarray]:
    """The output, the gradient of the input and those of the parameters."""
    tensor = library.tensor(x, requires_grad=True)
    out = net(tensor)
    g = np.random.default_rng(1).standard_normal(tuple(out.shape))
    out.backward(library.tensor(g.astype(x.dtype)))
    gradients = [tensor.grad, *(parameter.grad for parameter in net.parameters())]
    return [out.detach().numpy(), *(gradient.numpy() for gradient in gradients)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(3, 2, 8, 8), (1, 2, 9, 7), (2, 2, 12, 11)])
@pytest.mark.parametrize("name", FUSED)
def test_the_answer_is_the_same(name, size, dtype, engine, implementation, parity):
    check_answer(FUSED[name], size, dtype, implementation("nn"), parity, name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_answer_is_the_same_for_odd_numbers_of_channels(dtype, engine, implementation, parity):
    check_answer(
        lambda nn: row(nn, nn.Conv2d(7, 17, 3)), (2, 7, 12, 11), dtype, implementation("nn"), parity, "7 channels to 17"
    )


def check_answer(make: Any, size: tuple[int, ...], dtype: str, nn: Any, parity: Any, name: str) -> None:
    """Fused, one by one, and PyTorch: outputs and gradients."""
    ours, theirs = both(make, nn, seed=6)
    if dtype == "float64":
        ours, theirs = ours.double(), theirs.double()
    x = np.random.default_rng(0).standard_normal(size).astype(dtype)
    fused, expected = run(ours, x, minimal), run(theirs, x, torch)
    alone = copy.deepcopy(ours)
    alone.zero_grad()
    with switch(False):
        one_by_one = run(alone, x, minimal)
    bound, reason = (1e-5, "sums of float32 products in another order") if dtype == "float32" else (1e-12, "")
    for what, a, b, c in zip(("output", "gradient of the input", "gradient", "gradient"), fused, one_by_one, expected):
        parity.rounding(a, b, what=f"fused and one by one: {what}", bound=bound, reason=reason, option=name)
        parity.rounding(a, c, what=f"fused and PyTorch: {what}", bound=bound, reason=reason, option=name)


def test_ties_and_dead_squares(engine, implementation):
    """Equal neighbours: the first one gets the gradient; squares where nothing is positive get none."""
    ours, theirs = both(lambda nn: row(nn, nn.Conv2d(1, 1, 1)), implementation("nn"))
    for net in (ours, theirs):
        with (torch if net is theirs else minimal).no_grad():
            net[0].weight.fill_(1.0)
            net[0].bias.fill_(0.0)
    x = np.array([[1, 1, -1, -2, 0, 0], [1, 0, -3, -1, 0, -1]], np.float32).reshape(1, 1, 2, 6)
    for a, b in zip(run(ours, x, minimal), run(theirs, x, torch)):
        np.testing.assert_array_equal(a, b)


def test_a_single_image_has_its_answer_too(engine, implementation):
    net = row(implementation("nn"))
    x = minimal.tensor(np.random.default_rng(0).standard_normal((2, 6, 6)).astype(np.float32))
    np.testing.assert_allclose(net(x).detach().numpy(), net(x.unsqueeze(0))[0].detach().numpy(), rtol=1e-5, atol=1e-6)


def test_hooks_see_what_is_in_between(implementation):
    nn = implementation("nn")
    net = row(nn)
    seen = []
    for module in net:
        with module.register_forward_hook(lambda m, args, out: seen.append(tuple(out.shape))):
            assert how_many(net) == 3
            net(minimal.ones(1, 2, 6, 6))
    assert seen == [(1, 3, 4, 4), (1, 3, 4, 4), (1, 3, 2, 2)]
    assert how_many(net) == 1


def test_classes_and_methods_of_ones_own_are_called(implementation):
    nn = implementation("nn")

    class Halved(nn.ReLU):
        def forward(self, x: Any) -> Any:
            return super().forward(x) / 2

    assert how_many(row(nn, rectifier=Halved())) == 3
    net = row(nn)
    net[1].forward = lambda x: x * 0
    assert not net(minimal.ones(1, 2, 6, 6)).numpy(force=True).any()


def test_rows_inside_a_longer_network(implementation):
    nn = implementation("nn")
    net = nn.Sequential(*row(nn), *row(nn, nn.Conv2d(3, 2, 2)), nn.Flatten(), nn.Conv2d(2, 2, 1), nn.ReLU())
    assert how_many(net) == 5


def test_the_switch(implementation):
    net = row(implementation("nn"))
    assert how_many(net) == 1
    try:
        implementation("nn").set_fusion(False)
        assert how_many(net) == 3
        with switch(True):
            assert how_many(net) == 1
        assert how_many(net) == 3
    finally:
        implementation("nn").set_fusion(True)
    with switch(False):
        assert how_many(net) == 3
    assert how_many(net) == 1
