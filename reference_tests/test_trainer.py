"""The training loop: PyTorch's curve from PyTorch's seed, the same after an interruption, and nothing half-done."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import sklearn.datasets
import torch

import minimal
from minimal import nn, optim

COMPONENT = "Trainer"


@pytest.fixture(scope="module")
def digits():
    X, y = sklearn.datasets.load_digits(return_X_y=True)
    return (X / 16).reshape(-1, 1, 8, 8)[:300], y[:300]


def network(m):
    n = m.nn
    return n.Sequential(
        n.Conv2d(1, 6, 3, padding=1), n.ReLU(), n.MaxPool2d(2), n.Flatten(), n.Dropout(0.2), n.Linear(96, 10)
    )


def batches_of(m, digits, shuffle, generator=None):
    X, y = digits
    data = m.utils.data.TensorDataset(m.tensor(X), m.tensor(y))
    return m.utils.data.DataLoader(data, batch_size=50, shuffle=shuffle, generator=generator)


def curve_by_hand(digits, epochs):
    """The same training in PyTorch, written out."""
    torch.manual_seed(3)
    model = network(torch).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    batches, still = batches_of(torch, digits, True), batches_of(torch, digits, False)
    loss_of, curve = torch.nn.CrossEntropyLoss(), []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for x, y in batches:
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(y)
        scheduler.step()
        model.eval()
        with torch.no_grad():
            outputs = [(model(x), y) for x, y in still]
            held_out = sum(loss_of(output, y).item() * len(y) for output, y in outputs)
            right = sum((output.argmax(1) == y).sum().item() for output, y in outputs)
        curve.append([total / 300, held_out / 300, right / 300])
    return np.array(curve), [p.detach().numpy() for p in model.parameters()]


def trainer_for(digits, generator=None, **options):
    minimal.manual_seed(3)
    model = network(minimal).double()
    optimizer = optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    options = {"scheduler": scheduler, "metrics": {"accuracy": nn.accuracy}, "clip_norm": 1.0} | options
    trainer = nn.Trainer(model, optimizer, nn.CrossEntropyLoss(), progress=False, **options)
    return trainer, batches_of(minimal, digits, True, generator), batches_of(minimal, digits, False)


def test_curve_is_that_of_pytorch(digits, engine, parity):
    trainer, batches, still = trainer_for(digits)
    history = trainer.fit(batches, epochs=4, validation=still)
    curve = np.array([[r["loss"], r["validation loss"], r["validation accuracy"]] for r in history])
    theirs, parameters = curve_by_hand(digits, 4)
    reason = "sums of products in another order"
    parity.rounding(curve, theirs, what="losses and accuracy of each epoch", bound=1e-12, reason=reason)
    for ours, their in zip(trainer.model.parameters(), parameters):
        parity.rounding(ours.detach().numpy(), their, what="parameters", bound=1e-10, reason=reason)
    assert [r["epoch"] for r in history] == [1, 2, 3, 4]


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("own_generator", [False, True])
def test_resumed_run_is_the_uninterrupted_one(digits, tmp_path, ending, own_generator):
    def make():
        generator = minimal.Generator().manual_seed(7) if own_generator else None
        return trainer_for(digits, generator)

    whole, batches, still = make()
    whole.fit(batches, epochs=5, validation=still, patience=4)
    path = tmp_path / f"run.{ending}"
    first, batches, still = make()
    first.fit(batches, epochs=2, validation=still, patience=4, checkpoint=path)
    minimal.manual_seed(99)  # another process would not know the generator either
    second, batches, still = make()
    second.resume(path, batches)
    assert second.epoch == 2
    second.fit(batches, epochs=5, validation=still, patience=4)
    assert second.history == whole.history
    for a, b in zip(whole.model.state_dict().values(), second.model.state_dict().values()):
        assert np.array_equal(a.numpy(), b.numpy())
    assert second.best["epoch"] == whole.best["epoch"]


def test_stops_early_with_the_best_state(digits):
    class Losses(nn.Module):
        """A model whose loss follows a plan, with a parameter that tells the epoch."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(minimal.zeros(1))

        def forward(self, x):
            return self.weight * 1.0

    plan = iter([5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 2.0])
    model = Losses()
    optimizer = optim.SGD(model.parameters(), lr=1.0)

    def loss(output, target):
        return output.sum() * -1.0 if minimal.is_grad_enabled() else minimal.tensor(next(plan)) + 0 * output.sum()

    one = [(minimal.zeros(1), minimal.zeros(1))]
    trainer = nn.Trainer(model, optimizer, loss, progress=False)
    trainer.fit(one, epochs=20, validation=one, patience=3)
    assert [record["validation loss"] for record in trainer.history] == [
        5.0,
        4.0,
        3.0,
        3.5,
        pytest.approx(3.2),
        pytest.approx(3.1),
    ]
    assert trainer.best["epoch"] == 3
    assert model.weight.item() == 3.0  # one step of 1 in each epoch


def test_plateau_scheduler_sees_the_validation_loss():
    minimal.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    data = [(minimal.ones(4, 2), minimal.zeros(4, 1))]
    losses = iter([3.0, 3.0, 3.0])

    def loss(output, target):
        return nn.functional.mse_loss(output, target) if minimal.is_grad_enabled() else minimal.tensor(next(losses))

    trainer = nn.Trainer(model, optimizer, loss, scheduler=scheduler, progress=False)
    trainer.fit(data, epochs=3, validation=data)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_nan_stops_before_the_step():
    model = nn.Linear(2, 1)
    before = model.weight.detach().clone()
    trainer = nn.Trainer(model, optim.SGD(model.parameters(), lr=1.0), nn.MSELoss(), progress=False)
    with pytest.raises(FloatingPointError, match="NaN in epoch 1"):
        trainer.fit([(minimal.full((3, 2), float("nan")), minimal.zeros(3, 1))])
    assert minimal.equal(model.weight.detach(), before)
    assert trainer.history == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_interruption_keeps_the_finished_epochs(digits, tmp_path, error):
    trainer, batches, _ = trainer_for(digits)
    path = tmp_path / "run.npz"

    class Broken:
        epochs = 0

        def __iter__(self):
            self.epochs += 1
            for i, batch in enumerate(batches):
                if self.epochs == 3 and i == 2:
                    raise error
                yield batch

    with pytest.raises(error):
        trainer.fit(Broken(), epochs=5, checkpoint=path)
    assert [record["epoch"] for record in trainer.history] == [1, 2]
    again, _, _ = trainer_for(digits)
    assert again.resume(path).epoch == 2


def test_refused_checkpoint_changes_nothing(digits, tmp_path):
    trainer, batches, _ = trainer_for(digits)
    trainer.fit(batches, epochs=1)
    path = tmp_path / "run.npz"
    trainer.save(path)
    other = nn.Linear(3, 2)
    before = other.weight.detach().clone()
    stranger = nn.Trainer(other, optim.SGD(other.parameters(), lr=0.1), nn.MSELoss(), progress=False)
    with pytest.raises(ValueError, match="scheduler"):
        stranger.resume(path)
    stranger.scheduler = optim.lr_scheduler.StepLR(stranger.optimizer, 1)
    with pytest.raises(RuntimeError, match="state_dict"):
        stranger.resume(path)
    minimal.save({"a": minimal.ones(1)}, tmp_path / "other.npz")
    with pytest.raises(ValueError, match="not the checkpoint"):
        stranger.resume(tmp_path / "other.npz")
    assert stranger.epoch == 0
    assert minimal.equal(other.weight.detach(), before)


def test_evaluation_leaves_modes_and_gradients_alone(digits):
    trainer, _, still = trainer_for(digits)
    trainer.model.train()
    trainer.model[3].eval()
    modes = [module.training for module in trainer.model.modules()]
    first, second = trainer.evaluate(still), trainer.evaluate(still)
    assert first == second  # no dropout
    assert [module.training for module in trainer.model.modules()] == modes
    assert all(p.grad is None for p in trainer.model.parameters())
    whole = trainer.predict(minimal.tensor(digits[0]))
    assert np.allclose(trainer.predict(still).numpy(), whole.numpy(), rtol=1e-12)
    assert not whole.requires_grad
    assert nn.accuracy(whole, minimal.tensor(digits[1])) == pytest.approx(first["accuracy"])


def test_nothing_to_train_on_is_an_error(digits):
    trainer, _, _ = trainer_for(digits)
    for call in (lambda: trainer.fit([]), lambda: trainer.evaluate([])):
        with pytest.raises(ValueError, match="no batch"):
            call()
    with pytest.raises(ValueError, match="patience"):
        trainer.fit([], patience=0)


def test_progress_bar_tells_epochs_and_losses(digits, monkeypatch):
    trainer, batches, _ = trainer_for(digits)
    trainer.progress = True
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    trainer.fit(batches, epochs=2)
    assert "2/2" in shown.getvalue()
    assert f"loss={trainer.history[-1]['loss']:.4g}" in shown.getvalue()


def test_progress_bar_needs_tqdm_only_if_wanted(digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    trainer, batches, _ = trainer_for(digits)
    trainer.progress = None
    trainer.fit(batches, epochs=1)
    trainer.progress = True
    with pytest.raises(ImportError, match="pip install tqdm"):
        trainer.fit(batches, epochs=2)
