"""Layers computed by hand: what no version of a library can move."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minimal

COMPONENT = "nn"


def set_to(parameter, values):
    parameter.data = minimal.tensor(values)


def test_a_line(implementation):
    line = implementation("nn").Linear(2, 1)
    set_to(line.weight, [[2.0, -1.0]])
    set_to(line.bias, [0.5])
    x = minimal.tensor([[1.0, 3.0], [0.0, 4.0]], requires_grad=True)
    out = line(x)
    assert out.tolist() == [[-0.5], [-3.5]]
    out.sum().backward()
    assert line.weight.grad.tolist() == [[1.0, 7.0]]
    assert line.bias.grad.tolist() == [2.0]
    assert x.grad.tolist() == [[2.0, -1.0], [2.0, -1.0]]


def test_an_edge_detector_a_rectifier_and_pooling(engine, implementation):
    nn = implementation("nn")
    net = nn.Sequential(nn.Conv2d(1, 1, (1, 2), bias=False), nn.ReLU(), nn.MaxPool2d(2))
    set_to(net[0].weight, [[[[-1.0, 1.0]]]])
    image = np.zeros((1, 1, 2, 5), np.float32)
    image[..., 2:4] = 3.0
    image[0, 0, 1, 4] = 7.0
    x = minimal.tensor(image, requires_grad=True)
    out = net(x)
    assert out.tolist() == [[[[3.0, 4.0]]]]  # steps up: 0 to 3 in both rows, 3 to 7 in the second
    out.sum().backward()
    # Each step that won: the pixel before it counts -1, the pixel of it 1; of two equal ones the first wins.
    assert x.grad.tolist() == [[[[0.0, -1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, -1.0, 1.0]]]]
    assert net[0].weight.grad.tolist() == [[[[3.0, 10.0]]]]


def test_batch_normalization_of_two_numbers(implementation):
    module = implementation("nn").BatchNorm1d(1, eps=0.0).double()
    out = module(minimal.tensor([[1.0], [5.0]], dtype=minimal.float64))
    assert out.tolist() == [[-1.0], [1.0]]
    assert module.running_mean.item() == pytest.approx(0.3)  # 0.9 * 0 + 0.1 * 3
    assert module.running_var.item() == pytest.approx(1.7)  # 0.9 * 1 + 0.1 * 8, the unbiased variance
    assert module.num_batches_tracked.item() == 1
    module.eval()
    out = module(minimal.tensor([[0.3]], dtype=minimal.float64))
    assert out.item() == pytest.approx(0.0, abs=1e-15)
    assert module.num_batches_tracked.item() == 1


def test_layer_normalization_of_two_numbers(implementation):
    assert implementation("nn").LayerNorm(2, eps=0.0)(minimal.tensor([[2.0, 6.0]])).tolist() == [[-1.0, 1.0]]


def test_cross_entropy_of_equal_scores_is_the_log_of_the_number_of_classes(engine, implementation):
    x = minimal.zeros(3, 4, dtype=minimal.float64, requires_grad=True)
    loss = implementation("nn").CrossEntropyLoss()(x, minimal.tensor([0, 3, 3]))
    assert loss.item() == pytest.approx(math.log(4), rel=1e-15)
    loss.backward()
    expected = np.full((3, 4), 1 / 12)
    expected[[0, 1, 2], [0, 3, 3]] -= 1 / 3
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)


def test_losses_by_hand(implementation):
    nn = implementation("nn")
    x, y = minimal.tensor([1.0, -2.0, 0.5]), minimal.tensor([0.0, 0.0, 0.0])
    assert nn.L1Loss()(x, y).item() == pytest.approx(3.5 / 3)
    assert nn.MSELoss(reduction="sum")(x, y).item() == 5.25
    assert nn.HuberLoss(reduction="none")(x, y).tolist() == [0.5, 1.5, 0.125]
    assert nn.SmoothL1Loss(reduction="none", beta=2.0)(x, y).tolist() == [0.25, 1.0, 0.0625]
    assert nn.BCELoss()(minimal.tensor([0.5]), minimal.tensor([1.0])).item() == pytest.approx(math.log(2))
    assert nn.BCEWithLogitsLoss()(minimal.tensor([0.0]), minimal.tensor([1.0])).item() == pytest.approx(math.log(2))
    assert nn.NLLLoss()(minimal.tensor([[-1.0, -3.0]]), minimal.tensor([1])).item() == 3.0


def test_activations_by_hand(implementation):
    nn = implementation("nn")
    x = minimal.tensor([-2.0, 0.0, 8.0])
    for module, expected in [
        (nn.ReLU(), [0, 0, 8]),
        (nn.ReLU6(), [0, 0, 6]),
        (nn.LeakyReLU(0.5), [-1, 0, 8]),
        (nn.ELU(), [math.exp(-2) - 1, 0, 8]),
        (nn.Hardtanh(), [-1, 0, 1]),
        (nn.Sigmoid(), [1 / (1 + math.exp(2)), 0.5, 1 / (1 + math.exp(-8))]),
        (nn.Softplus(), [math.log1p(math.exp(-2)), math.log(2), 8 + math.log1p(math.exp(-8))]),
        (nn.Softsign(), [-2 / 3, 0, 8 / 9]),
        (nn.Softshrink(3.0), [0, 0, 5]),
        (nn.Threshold(1.0, 20.0), [20, 20, 8]),
    ]:
        assert module(x).tolist() == pytest.approx(expected, rel=1e-6), module


def test_dropout_keeps_the_mean_and_evaluation_keeps_all(implementation):
    module = implementation("nn").Dropout(0.25)
    minimal.manual_seed(0)
    out = module(minimal.ones(100, 100)).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert out.mean() == pytest.approx(1, abs=0.02)
    x = minimal.ones(3)
    assert module.eval()(x).tolist() == [1, 1, 1]


def test_first_weights_lie_within_their_bounds(implementation):
    nn = implementation("nn")
    minimal.manual_seed(0)
    weight = nn.Conv2d(4, 300, 5).weight.detach().numpy()
    bound = 1 / math.sqrt(4 * 25)
    assert np.abs(weight).max() <= bound
    assert np.abs(weight).max() > 0.99 * bound
    normal = nn.init.kaiming_normal_(minimal.empty(300, 400), nonlinearity="relu").numpy()
    assert normal.std() == pytest.approx(math.sqrt(2 / 400), rel=0.02)


def test_a_small_network_learns_the_exclusive_or(implementation):
    """Plain gradient descent, written out: what an optimizer does for a person."""
    nn = implementation("nn")
    minimal.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x = minimal.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = minimal.tensor([[0.0], [1.0], [1.0], [0.0]])
    loss_of = nn.BCEWithLogitsLoss()
    for _ in range(200):
        net.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        with minimal.no_grad():
            for parameter in net.parameters():
                parameter.sub_(parameter.grad, alpha=1.0)
    assert loss.item() < 0.05
    assert (net(x) > 0).tolist() == [[False], [True], [True], [False]]
