"""Races around the training against PyTorch: batches, random numbers, and a whole training with its accuracy at the end.

The order of a shuffled epoch and every random number are the same on both sides, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minimal
from benchmarks.frame import Agreement, Disagreement, Race, case, compare, weakest
from benchmarks.networks import digits, from_seed, same_tensors, small_network, train, wide_network

PYTORCH = "PyTorch"

# ---------------------------------------------------------------- batches


def epoch_race(images: np.ndarray, classes: np.ndarray, size: int, *, shuffle: bool = True) -> Race:
    """One epoch; the classes of every batch are compared, and the images of the last."""

    def loader(lib: ModuleType) -> Any:
        data = lib.utils.data
        dataset = data.TensorDataset(lib.tensor(images), lib.tensor(classes))
        return data.DataLoader(dataset, batch_size=size, shuffle=shuffle, generator=generator(lib))

    def epoch(batches: Any) -> Any:
        seen = []
        for batch in batches:
            seen.append(batch[1])
        return seen, batch[0]

    return Race(
        ours=lambda loaders: epoch(loaders[0]),
        theirs=lambda loaders: epoch(loaders[1]),
        agree=same_tensors(),
        setup=lambda: (loader(minimal), loader(torch)),
    )


def generator(lib: ModuleType) -> Any:
    return lib.Generator().manual_seed(0)


@case("DataLoader", "digits, B = 32", job="epoch, shuffled", against=PYTORCH, goal=1.0, threads=(1,), quick=True)
def loader_digits() -> Race:
    return epoch_race(*digits(), 32)


@case("DataLoader", "20k x 784, B = 128", job="epoch, shuffled", against=PYTORCH, goal=1.0, threads=(1,))
def loader_20k() -> Race:
    random = np.random.default_rng(0)
    images = random.random((20_000, 784), np.float32)
    return epoch_race(images, random.integers(10, size=20_000), 128)


@case("DataLoader", "digits, B = 32", job="epoch, in order", against=PYTORCH, goal=1.0, threads=(1,))
def loader_digits_in_order() -> Race:
    return epoch_race(*digits(), 32, shuffle=False)


# ---------------------------------------------------------------- random numbers


def random_race(draw: Callable[[ModuleType, Any], Any]) -> Race:
    """``draw(lib, generator)``, from the same seed."""
    return Race(
        ours=lambda generators: draw(minimal, generators[0]),
        theirs=lambda generators: draw(torch, generators[1]),
        agree=same_tensors(),
        setup=lambda: (generator(minimal), generator(torch)),
    )


@case("random numbers", "a million", job="rand", against=PYTORCH, threads=(1,), quick=True)
def random_rand() -> Race:
    return random_race(lambda lib, g: lib.rand(1_000_000, generator=g))


@case("random numbers", "a million", job="randn", against=PYTORCH, threads=(1,), quick=True)
def random_randn() -> Race:
    return random_race(lambda lib, g: lib.randn(1_000_000, generator=g))


@case("random numbers", "a million", job="randn, float64", against=PYTORCH, threads=(1,))
def random_randn_float64() -> Race:
    race = random_race(lambda lib, g: lib.randn(1_000_000, generator=g, dtype=lib.float64))
    return Race(ours=race.ours, theirs=race.theirs, setup=race.setup, agree=same_tensors(1e-15))


@case("random numbers", "a million", job="randint", against=PYTORCH, threads=(1,))
def random_randint() -> Race:
    return random_race(lambda lib, g: lib.randint(0, 1000, (1_000_000,), generator=g))


@case("random numbers", "a million", job="randperm", against=PYTORCH, threads=(1,))
def random_randperm() -> Race:
    return random_race(lambda lib, g: lib.randperm(1_000_000, generator=g))


@case("random numbers", "the digits' network", job="Linear and Conv2d from a seed", against=PYTORCH, threads=(1,))
def random_network() -> Race:
    def draw(lib: ModuleType) -> list[Any]:
        return list(from_seed(lib, small_network).parameters())

    return Race(ours=lambda: draw(minimal), theirs=lambda: draw(torch), agree=same_tensors())


# ---------------------------------------------------------------- a whole training

EPOCHS, TRAINED_ON = 10, 1347  # three digits of four


def fit_race(dtype: str, losses: float, accuracy: float) -> Race:
    """Ten epochs on the digits against the loop that everybody writes, and the accuracy on digits that were left out.

    The mean losses of all epochs agree to ``losses``, the accuracies to ``accuracy``, and neither is below 98 %.
    """
    images, classes = digits(dtype)
    order = np.random.default_rng(0).permutation(len(images))
    learned, tested = order[:TRAINED_ON], order[TRAINED_ON:]
    rows = images.reshape(len(images), -1)

    def fit_ours() -> tuple[list[float], float]:
        model = minimal.nn.CNNClassifier((8, 8), epochs=EPOCHS, dtype=dtype, random_state=0)
        model.fit(rows[learned], classes[learned])
        return model.loss_curve_, float(model.score(rows[tested], classes[tested]))

    def fit_theirs() -> tuple[list[float], float]:
        model, data = from_seed(torch, wide_network, dtype), torch.utils.data
        adam = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
        samples = data.TensorDataset(torch.tensor(images[learned]), torch.tensor(classes[learned]))
        batches = data.DataLoader(samples, batch_size=32, shuffle=True, generator=generator(torch))
        sizes = [min(32, TRAINED_ON - i) for i in range(0, TRAINED_ON, 32)]
        curve = []
        for _ in range(EPOCHS):
            found = train(model, adam, torch.nn.functional.cross_entropy, batches)
            curve.append(float(np.average(found, weights=sizes)))
        with torch.no_grad():
            right = model(torch.tensor(images[tested])).argmax(1) == torch.tensor(classes[tested])
        return curve, float(right.double().mean())

    def agree(ours: Any, theirs: Any) -> Agreement:
        if min(ours[1], theirs[1]) < 0.98:
            raise Disagreement(f"an accuracy is below 98 %: ours {ours[1]:.2%}, theirs {theirs[1]:.2%}")
        curves = compare("mean losses of the epochs", np.array(ours[0]), np.array(theirs[0]), losses)
        return weakest([curves, compare("accuracies", ours[1], theirs[1], accuracy)])

    return Race(ours=fit_ours, theirs=fit_theirs, agree=agree)


@case("CNNClassifier", "digits, 98 % right or more", job="10 epochs", against=PYTORCH, goal=1.0)
def classifier_digits() -> Race:
    return fit_race("float32", losses=1e-4, accuracy=5e-3)


@case("CNNClassifier", "digits, 98 % right or more", job="10 epochs, float64", against=PYTORCH, goal=1.0, threads=(1,))
def classifier_digits_float64() -> Race:
    return fit_race("float64", losses=1e-12, accuracy=1e-12)
