"""Races of the graph itself against PyTorch: what an operation costs besides its arithmetic, forward and backward.

Tensors of three elements, so that nothing but the bookkeeping counts: a chain of a thousand operations is built and walked
back, and the gradients must agree.  The same lines run on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minimal
from benchmarks.frame import Race, case
from benchmarks.networks import same_tensors

PYTORCH = "PyTorch"
GOAL = 1.25  # at most 0.8 of PyTorch's time for an operation
Walk = Callable[..., Any]


def chain_race(walk: Walk, bound: float = 1e-5, *, engine: str | None = None) -> Race:
    """``walk(x, w, b)`` gives a tensor; the job is to compute it, its sum, and the gradients of the sum."""

    def job(lib: ModuleType) -> Callable[[], Any]:
        leaves = [lib.tensor(values).requires_grad_() for values in START]

        def forward_and_back() -> Any:
            for leaf in leaves:
                leaf.grad = None
            out = walk(*leaves)
            out.sum().backward()
            return [out] + [leaf.grad for leaf in leaves if leaf.grad is not None]

        return forward_and_back

    def ours() -> Any:
        with minimal.engine(engine or minimal.get_engine()):
            return run()

    run = job(minimal)
    return Race(ours=run if engine is None else ours, theirs=job(torch), agree=same_tensors(bound))


# w * 1.25 = 1 and b = 0: the values shrink slowly and their gradients do not die out.
START = (
    np.array([0.5, -0.25, 0.125], np.float32),
    np.array([0.8, 0.8, 0.8], np.float32),
    np.array([0.0, 0.0, 0.0], np.float32),
)


def mixed(x: Any, w: Any, b: Any) -> Any:
    """1000 operations: a product, a sum, tanh, and a product with a number, in turn."""
    for _ in range(250):
        x = (x * w + b).tanh() * 1.25
    return x


MIXED = "mul, add, tanh, mul by a number"


@case("autograd", MIXED, job="1000 operations", against=PYTORCH, goal=GOAL, threads=(1,), quick=True)
def autograd_chain() -> Race:
    return chain_race(mixed)


@case("autograd", MIXED, job="1000 operations, NumPy engine", against=PYTORCH, threads=(1,), tags=("numpy",))
def autograd_chain_numpy() -> Race:
    return chain_race(mixed, engine="numpy")


# ---------------------------------------------------------------- one kind of operation at a time


def kind_race(step: Callable[[Any], Any]) -> Race:
    """500 operations: ``step``, which is two of them, 250 times."""

    def walk(x: Any, w: Any, b: Any) -> Any:
        for _ in range(250):
            x = step(x)
        return x

    return chain_race(walk)


@case("autograd", "mul by a number, add a number", job="500 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_numbers() -> Race:
    return kind_race(lambda x: x * 1.0009765625 + 0.125)


@case("autograd", "sin, neg", job="500 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_functions() -> Race:
    return kind_race(lambda x: -x.sin())


@case("autograd", "relu, clamp", job="500 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_rectifiers() -> Race:
    return kind_race(lambda x: x.relu().clamp(-1.0, 1.0))


@case("autograd", "reshape, transpose", job="500 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_shapes() -> Race:
    return kind_race(lambda x: x.reshape(3, 1).transpose(0, 1))


@case("autograd", "unsqueeze, sum", job="500 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_sums() -> Race:
    return kind_race(lambda x: x.unsqueeze(0).sum(0))


@case("autograd", "slice, cat", job="750 operations", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_slices() -> Race:
    def race(lib: ModuleType) -> Callable[[], Any]:
        x = lib.tensor(START[0]).requires_grad_()

        def forward_and_back() -> Any:
            x.grad, out = None, x
            for _ in range(250):
                out = lib.cat((out[1:], out[:1]))
            out.sum().backward()
            return out, x.grad

        return forward_and_back

    return Race(ours=race(minimal), theirs=race(torch), agree=same_tensors())


@case("autograd", "3 x 3 matrices", job="250 products", against=PYTORCH, goal=GOAL, threads=(1,))
def autograd_products() -> Race:
    rotation = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]], np.float32)

    def race(lib: ModuleType) -> Callable[[], Any]:
        a = lib.tensor(rotation).requires_grad_()

        def forward_and_back() -> Any:
            a.grad, out = None, a
            for _ in range(250):
                out = out @ a
            out.sum().backward()
            return out, a.grad

        return forward_and_back

    return Race(ours=race(minimal), theirs=race(torch), agree=same_tensors(1e-3))


@case("autograd", MIXED, job="40 second derivatives", against=PYTORCH, threads=(1,))
def autograd_second() -> Race:
    """The derivative of the derivative of 40 operations: the walk back is recorded and walked back in turn."""

    def race(lib: ModuleType) -> Callable[[], Any]:
        x, w, b = (lib.tensor(values).requires_grad_() for values in START)

        def twice() -> Any:
            out = x
            for _ in range(10):
                out = (out * w + b).tanh() * 1.25
            (first,) = lib.autograd.grad(out.sum(), x, create_graph=True)
            return lib.autograd.grad(first.sum(), (x, w))

        return twice

    return Race(ours=race(minimal), theirs=race(torch), agree=same_tensors(1e-4))
