"""Training a small CNN from PyTorch's seed gives PyTorch's losses and parameters, step after step.

In double precision the two stay together over hundreds of steps.  In single precision they do for the first ten; later a
rounding decides somewhere which of two almost equal pixels max-pooling takes, and Adam makes much of it, in either library.
"""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets
import torch

import minimal

COMPONENT = "CNN"


def large(m):
    """1 x 28 x 28 pixels, two convolutions, two dense layers."""
    n = m.nn
    return n.Sequential(
        n.Conv2d(1, 32, 3),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Conv2d(32, 64, 3),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Flatten(),
        n.Linear(1600, 128),
        n.ReLU(),
        n.Linear(128, 10),
    )


def small(m):
    """The same for 1 x 8 x 8 pixels."""
    n = m.nn
    return n.Sequential(
        n.Conv2d(1, 16, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Conv2d(16, 32, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Flatten(),
        n.Linear(128, 64),
        n.ReLU(),
        n.Linear(64, 10),
    )


@pytest.fixture(scope="module")
def digits():
    X, y = sklearn.datasets.load_digits(return_X_y=True)
    return (X / 16).reshape(-1, 1, 8, 8), y


def enlarged(images):
    """8 x 8 pixels as 28 x 28: each three by three, and a margin."""
    return np.pad(np.kron(images, np.ones((3, 3))), [(0, 0), (0, 0), (2, 2), (2, 2)])


def train(m, network, X, y, steps, dtype, batch_size=32):
    """The losses of so many steps of Adam over shuffled batches, and the network."""
    m.manual_seed(0)
    model = network(m).to(getattr(m, dtype))
    data = m.utils.data.TensorDataset(m.tensor(X, dtype=getattr(m, dtype)), m.tensor(y))
    batches = m.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True)
    optimizer = m.optim.Adam(model.parameters(), lr=1e-3)
    loss_of, losses = m.nn.CrossEntropyLoss(), []
    while len(losses) < steps:
        for x, target in batches:
            optimizer.zero_grad()
            loss = loss_of(model(x), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                break
    return np.array(losses), model


WHY = "sums of products in another order"


def compare(parity, network, X, y, steps, dtype, bounds, data):
    ours, our_model = train(minimal, network, X, y, steps, dtype)
    theirs, their_model = train(torch, network, X, y, steps, dtype)
    parity.rounding(ours, theirs, what=f"losses of {steps} steps", bound=bounds[0], reason=WHY, data=data)
    for (name, p), their in zip(our_model.named_parameters(), their_model.parameters()):
        their_p = their.detach().numpy()
        parity.rounding(p.detach().numpy(), their_p, what=name, bound=bounds[1], reason=WHY, data=data)
    assert ours[-1] < ours[0]


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "one by one"])
def test_small_network_stays_with_pytorch_for_200_steps(digits, engine, fused, parity):
    with minimal.nn.fusion(fused):
        compare(parity, small, *digits, 200, "float64", (1e-12, 1e-10), "digits 8 x 8")


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "one by one"])
def test_large_network_stays_with_pytorch(digits, engine, fused, parity):
    X, y = digits
    with minimal.nn.fusion(fused):
        compare(parity, large, enlarged(X[:320]), y[:320], 8, "float64", (1e-12, 1e-10), "digits 28 x 28")


@pytest.mark.wide
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "one by one"])
def test_large_network_stays_with_pytorch_for_200_steps(digits, fused, parity):
    X, y = digits
    with minimal.nn.fusion(fused):
        compare(parity, large, enlarged(X), y, 200, "float64", (1e-12, 1e-10), "digits 28 x 28")


@pytest.mark.parametrize("network", [small, large])
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "one by one"])
def test_single_precision_stays_with_pytorch_for_10_steps(digits, engine, fused, network, parity):
    X, y = digits
    X = X[:320] if network is small else enlarged(X[:320])
    with minimal.nn.fusion(fused):
        ours, _ = train(minimal, network, X, y[:320], 10, "float32")
    theirs, _ = train(torch, network, X, y[:320], 10, "float32")
    parity.rounding(ours, theirs, what="losses of 10 steps", bound=1e-5, reason=WHY, data=network.__name__)


def test_any_number_of_threads_gives_the_same_bits(digits):
    X, y = digits
    before = minimal.get_num_threads()
    try:
        results = []
        for n in (1, 2, 3):
            minimal.set_num_threads(n)
            losses, model = train(minimal, large, enlarged(X[:96]), y[:96], 4, "float32")
            results.append([losses, *(p.detach().numpy() for p in model.parameters())])
    finally:
        minimal.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other):
            assert np.array_equal(a, b)
