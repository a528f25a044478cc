"""Races of a small convolutional network against PyTorch: training, inference, and the parts that take the time.

There are two PyTorchs to beat: as everybody calls it, and with ``channels_last`` memory and the fused Adam, which suit
the processor better.  The first is slow on these networks for reasons of its own (pooling, one input channel), so that it
alone would flatter us.  And there are two of ours: with ordinary operations, one after the other, and with convolution,
ReLU and pooling fused, as ``nn.Sequential`` does unless it is told not to.

Each timed call begins from the same seed: a few steps of Adam, whose losses and final parameters must agree.  Rounding
makes the parameters drift apart a little: where a gradient is nearly zero, Adam's step has the sign of its rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minimal
from benchmarks.frame import Race, case, sweep
from benchmarks.networks import (
    batches,
    digits,
    from_seed,
    large_digits,
    large_network,
    same_tensors,
    same_training,
    small_network,
    train,
)

Make = Callable[[ModuleType], Any]
DEFAULT, TUNED = "PyTorch", "PyTorch with channels_last and fused Adam"
LAYERS = "PyTorch with channels_last"
# At most so much of PyTorch's time: 0.35 and 0.7 with ordinary operations, 0.25 and 0.5 fused.
GOAL = {1: 2.86, "all": 2.86}
GOAL_TUNED = {1: 1.43, "all": 1.43}
GOAL_FUSED = {1: 4.0, "all": 4.0}
GOAL_FUSED_TUNED = {1: 2.0, "all": 2.0}


@contextmanager
def _as(engine: str | None, fused: bool) -> Iterator[None]:
    with minimal.nn.fusion(fused), minimal.engine(engine or minimal.get_engine()):
        yield


def training_race(
    make: Make,
    images: tuple[np.ndarray, np.ndarray],
    size: int,
    steps: int,
    *,
    fused: bool,
    tuned: bool = False,
    engine: str | None = None,
    memory: bool = False,
) -> Race:
    """So many steps of Adam from the seed.  Making the network and the optimizer is not timed."""
    our_data, their_data = batches(minimal, *images, size, steps), batches(torch, *images, size, steps)
    if tuned:
        their_data = [(x.to(memory_format=torch.channels_last), y) for x, y in their_data]

    def setup() -> tuple[Any, ...]:
        ours, theirs = from_seed(minimal, make), from_seed(torch, make)
        if tuned:
            theirs = theirs.to(memory_format=torch.channels_last)
        their_adam = torch.optim.Adam(theirs.parameters(), lr=1e-3, fused=True if tuned else None)
        return ours, minimal.optim.Adam(ours.parameters(), lr=1e-3), theirs, their_adam

    def train_ours(state: tuple[Any, ...]) -> tuple[Any, Any]:
        model, adam, *_ = state
        with _as(engine, fused):
            return train(model, adam, minimal.nn.functional.cross_entropy, our_data), model

    def train_theirs(state: tuple[Any, ...]) -> tuple[Any, Any]:
        *_, model, adam = state
        return train(model, adam, torch.nn.functional.cross_entropy, their_data), model

    agree = same_training(losses=1e-5, parameters=1e-2)
    return Race(ours=train_ours, theirs=train_theirs, agree=agree, setup=setup, memory=memory)


# ---------------------------------------------------------------- training, 28 x 28


@case("CNN training", "28 x 28, B = 32", job="10 steps, fused", against=DEFAULT, goal=GOAL_FUSED)
def cnn_training_32_fused() -> Race:
    return training_race(large_network, large_digits(), 32, 10, fused=True, memory=True)


@case("CNN training", "28 x 28, B = 32", job="10 steps, ordinary", against=DEFAULT, goal=GOAL)
def cnn_training_32() -> Race:
    return training_race(large_network, large_digits(), 32, 10, fused=False)


@case("CNN training", "28 x 28, B = 128", job="4 steps, fused", against=DEFAULT, goal=GOAL_FUSED)
def cnn_training_128_fused() -> Race:
    return training_race(large_network, large_digits(), 128, 4, fused=True)


@case("CNN training", "28 x 28, B = 128", job="4 steps, ordinary", against=DEFAULT, goal=GOAL)
def cnn_training_128() -> Race:
    return training_race(large_network, large_digits(), 128, 4, fused=False)


@case("CNN training", "28 x 28, B = 32", job="2 steps, NumPy engine", against=DEFAULT, tags=("numpy",))
def cnn_training_32_numpy() -> Race:
    return training_race(large_network, large_digits(), 32, 2, fused=True, engine="numpy")


@case("CNN training", "28 x 28, B = 32", job="10 steps, fused", against=TUNED, goal=GOAL_FUSED_TUNED)
def cnn_training_32_fused_tuned() -> Race:
    return training_race(large_network, large_digits(), 32, 10, fused=True, tuned=True)


@case("CNN training", "28 x 28, B = 32", job="10 steps, ordinary", against=TUNED, goal=GOAL_TUNED)
def cnn_training_32_tuned() -> Race:
    return training_race(large_network, large_digits(), 32, 10, fused=False, tuned=True)


@case("CNN training", "28 x 28, B = 128", job="4 steps, fused", against=TUNED, goal=GOAL_FUSED_TUNED)
def cnn_training_128_fused_tuned() -> Race:
    return training_race(large_network, large_digits(), 128, 4, fused=True, tuned=True)


@case("CNN training", "28 x 28, B = 128", job="4 steps, ordinary", against=TUNED, goal=GOAL_TUNED)
def cnn_training_128_tuned() -> Race:
    return training_race(large_network, large_digits(), 128, 4, fused=False, tuned=True)


# ---------------------------------------------------------------- training, 8 x 8: where Python weighs more


@case("CNN training", "digits 8 x 8, B = 32", job="10 steps, fused", against=DEFAULT, goal=GOAL_FUSED, quick=True)
def cnn_training_digits_fused() -> Race:
    return training_race(small_network, digits(), 32, 10, fused=True)


@case("CNN training", "digits 8 x 8, B = 32", job="10 steps, ordinary", against=DEFAULT, goal=GOAL, quick=True)
def cnn_training_digits() -> Race:
    return training_race(small_network, digits(), 32, 10, fused=False)


@case(
    "CNN training", "digits 8 x 8, B = 32", job="10 steps, NumPy engine", against=DEFAULT, tags=("numpy",), quick=True
)
def cnn_training_digits_numpy() -> Race:
    return training_race(small_network, digits(), 32, 10, fused=True, engine="numpy")


@case("CNN training", "digits 8 x 8, B = 32", job="10 steps, fused", against=TUNED, goal=GOAL_FUSED_TUNED, quick=True)
def cnn_training_digits_fused_tuned() -> Race:
    return training_race(small_network, digits(), 32, 10, fused=True, tuned=True)


@case("CNN training", "digits 8 x 8, B = 32", job="10 steps, ordinary", against=TUNED, goal=GOAL_TUNED, quick=True)
def cnn_training_digits_tuned() -> Race:
    return training_race(small_network, digits(), 32, 10, fused=False, tuned=True)


# ---------------------------------------------------------------- inference


def inference_race(
    make: Make, images: np.ndarray, *, channels_last: bool = False, fused: bool = True, engine: str | None = None
) -> Race:
    """The outputs for all images, without a graph."""
    ours, theirs = from_seed(minimal, make).eval(), from_seed(torch, make).eval()
    our_images, their_images = minimal.tensor(images), torch.tensor(images)
    if channels_last:
        theirs = theirs.to(memory_format=torch.channels_last)
        their_images = their_images.to(memory_format=torch.channels_last)

    def predict_ours() -> Any:
        with minimal.no_grad(), _as(engine, fused):
            return ours(our_images)

    def predict_theirs() -> Any:
        with torch.no_grad():
            return theirs(their_images)

    return Race(ours=predict_ours, theirs=predict_theirs, agree=same_tensors(1e-5), memory=True)


@case("CNN inference", "28 x 28, B = 256", job="fused", against=DEFAULT, goal=GOAL_FUSED)
def cnn_inference_256_fused() -> Race:
    return inference_race(large_network, large_digits()[0][:256])


@case("CNN inference", "28 x 28, B = 256", job="ordinary", against=DEFAULT, goal=GOAL_FUSED)
def cnn_inference_256() -> Race:
    return inference_race(large_network, large_digits()[0][:256], fused=False)


@case("CNN inference", "28 x 28, B = 256", job="NumPy engine", against=DEFAULT, tags=("numpy",))
def cnn_inference_256_numpy() -> Race:
    return inference_race(large_network, large_digits()[0][:256], engine="numpy")


@case("CNN inference", "digits 8 x 8, one image", job="fused", against=DEFAULT, goal=1.0, quick=True)
def cnn_inference_one() -> Race:
    return inference_race(small_network, digits()[0][:1])


@case("CNN inference", "28 x 28, B = 256", job="fused", against=LAYERS, goal=1.0)
def cnn_inference_256_channels_last() -> Race:
    return inference_race(large_network, large_digits()[0][:256], channels_last=True)


# ---------------------------------------------------------------- one convolution, one step of Adam


def convolution_race(shape: tuple[int, ...], outputs: int, kernel: int, *, channels_last: bool = False) -> Race:
    """conv2d and its three gradients.  Theirs takes and gives its own memory format; so does ours."""
    random = np.random.default_rng(0)
    x, w, b = (
        random.normal(size=size).astype(np.float32) for size in (shape, (outputs, shape[1], kernel, kernel), (outputs,))
    )
    n, _, *sides = shape
    g = random.normal(size=(n, outputs, *(side - kernel + 1 for side in sides))).astype(np.float32)

    def job(lib: ModuleType) -> Callable[[], Any]:
        inputs, gradient = [lib.tensor(a).requires_grad_() for a in (x, w, b)], lib.tensor(g)
        if lib is torch and channels_last:
            inputs[:2] = [a.detach().to(memory_format=torch.channels_last).requires_grad_() for a in inputs[:2]]
            gradient = gradient.to(memory_format=torch.channels_last)

        def forward_and_back() -> Any:
            out = lib.nn.functional.conv2d(*inputs)
            return out, lib.autograd.grad(out, inputs, gradient)

        return forward_and_back

    return Race(ours=job(minimal), theirs=job(torch), agree=same_tensors(1e-5))


@case("conv2d", "32 x 32 x 13 x 13, 64 of 3 x 3", job="forward and backward", against=DEFAULT)
def convolution_3() -> Race:
    return convolution_race((32, 32, 13, 13), 64, 3)


@case("conv2d", "16 x 16 x 32 x 32, 32 of 5 x 5", job="forward and backward", against=DEFAULT)
def convolution_5() -> Race:
    return convolution_race((16, 16, 32, 32), 32, 5)


@case("conv2d", "32 x 32 x 13 x 13, 64 of 3 x 3", job="forward and backward", against=LAYERS)
def convolution_3_channels_last() -> Race:
    return convolution_race((32, 32, 13, 13), 64, 3, channels_last=True)


def adam_race(*, fused: bool = False) -> Race:
    """20 steps with the same gradients, on the parameters of the 28 x 28 network."""
    shapes = [p.shape for p in large_network(torch).parameters()]
    random = np.random.default_rng(0)
    values, gradients = ([random.normal(size=s).astype(np.float32) for s in shapes] for _ in range(2))

    def start(lib: ModuleType, **options: Any) -> tuple[Any, list[Any]]:
        parameters = [lib.tensor(value).requires_grad_() for value in values]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = lib.tensor(gradient)
        return lib.optim.Adam(parameters, lr=1e-3, **options), parameters

    def steps(adam: Any, parameters: list[Any]) -> list[Any]:
        for _ in range(20):
            adam.step()
        return parameters

    return Race(
        ours=lambda state: steps(*state[0]),
        theirs=lambda state: steps(*state[1]),
        agree=same_tensors(1e-6),
        setup=lambda: (start(minimal), start(torch, fused=True if fused else None)),
    )


@case("Adam", "226k parameters of a CNN", job="20 steps", against=DEFAULT, goal=1.0, threads=(1,), quick=True)
def adam_default() -> Race:
    return adam_race()


@case("Adam", "226k parameters of a CNN", job="20 steps", against="PyTorch, fused", goal=1.0, threads=(1,), quick=True)
def adam_fused() -> Race:
    return adam_race(fused=True)


# ---------------------------------------------------------------- how time grows


@sweep(
    "CNN training", "28 x 28", job="4 steps, fused", against=DEFAULT, sizes=(4, 16, 64, 256), counts="images a batch"
)
def cnn_training_by_batch(n: int) -> Race:
    return training_race(large_network, large_digits(), n, 4, fused=True)


@sweep("CNN training", "28 x 28", job="4 steps, fused", against=TUNED, sizes=(4, 16, 64, 256), counts="images a batch")
def cnn_training_by_batch_tuned(n: int) -> Race:
    return training_race(large_network, large_digits(), n, 4, fused=True, tuned=True)
