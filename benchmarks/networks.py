"""What the races against PyTorch share: two networks, written once for both libraries, images, and proofs on tensors.

A function that takes ``lib`` is given ``minimal`` or ``torch`` and runs the same lines on either: the names are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

from benchmarks.data import real
from benchmarks.frame import Agree, Agreement, compare, same_arrays, weakest

Batch = tuple[Any, Any]


@cache
def digits(dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    """Images of shape (1797, 1, 8, 8) with values from 0 to 1, and their classes."""
    X, y = real("digits")
    return (X / 16).reshape(-1, 1, 8, 8).astype(dtype), y.astype(np.int64)


@cache
def large_digits(dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    """The digits enlarged to 28 x 28 by linear interpolation: strokes and an empty margin, as in MNIST, which is not here."""
    images, y = digits("float64")
    where = np.linspace(-1.5, 8.5, 28)
    weight = np.maximum(0.0, 1.0 - np.abs(where[:, None] - np.arange(8)))
    return (weight @ images @ weight.T).astype(dtype), y


def batches(lib: ModuleType, images: np.ndarray, classes: np.ndarray, size: int, n: int) -> list[Batch]:
    """The first ``n`` batches as tensors of the library; from the beginning again where the images end."""
    rows = (np.arange(start, start + size) % len(images) for start in range(0, n * size, size))
    return [(lib.tensor(images[i]), lib.tensor(classes[i])) for i in rows]


def small_network(lib: ModuleType) -> Any:
    """For 8 x 8 images: two convolutions that keep the size, each with ReLU and pooling, and a layer of 64."""
    nn = lib.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 2 * 2, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def wide_network(lib: ModuleType) -> Any:
    """For 8 x 8 images, twice as wide: what ``CNNClassifier`` makes for them."""
    nn = lib.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 2 * 2, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def large_network(lib: ModuleType) -> Any:
    """For 28 x 28 images: the network of a thousand tutorials."""
    nn = lib.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 5 * 5, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def from_seed(lib: ModuleType, make: Callable[[ModuleType], Any], dtype: str = "float32") -> Any:
    """The network with the first values that seed 0 gives."""
    lib.manual_seed(0)
    return make(lib).to(getattr(lib, dtype))


def train(model: Any, optimizer: Any, cross_entropy: Callable[[Any, Any], Any], data: Iterable[Batch]) -> list[float]:
    """One step for each batch; the losses before the steps."""
    losses = []
    for inputs, classes in data:
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), classes)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def array(tensor: Any) -> Any:
    """The numbers in a tensor of either library; anything else as it is."""
    if isinstance(tensor, torch.Tensor) or hasattr(tensor, "requires_grad"):
        return tensor.detach().numpy()
    return tensor


def arrays(result: Any) -> Any:
    """The same for every tensor in tuples and lists."""
    return [arrays(item) for item in result] if isinstance(result, tuple | list) else array(result)


def same_tensors(bound: float | None = None) -> Agree:
    """The results, tensors or tuples or lists of them: identical, or to ``bound``."""
    agree = same_arrays(bound)
    return lambda ours, theirs: agree(arrays(ours), arrays(theirs))


def same_training(losses: float, parameters: float) -> Agree:
    """Of ``(losses, model)`` on both sides: each loss to the one bound, each parameter to the other."""

    def agree(ours: Any, theirs: Any) -> Agreement:
        found = [compare("losses", np.array(ours[0]), np.array(theirs[0]), losses)]
        named = zip(ours[1].named_parameters(), theirs[1].parameters(), strict=True)
        found += [compare(name, array(p), array(q), parameters) for (name, p), q in named]
        return weakest(found)

    return agree
