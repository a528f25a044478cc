"""Derivatives by other roads: second derivatives beside PyTorch's, and finite differences beside both of ours."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from .operation_cases import ORDINARY, TWINS
from .operations import Case, Input, Side, compared, drawn, flat, is_tensor, leaves, record

COMPONENT = "operations"


def not_empty(case: Case) -> list[tuple[Input, ...]]:
    """The inputs of a case that have a number in every tensor."""
    return [inputs for inputs in case.inputs if all(0 not in one.shape for one in inputs)]


def size_of(inputs: tuple[Input, ...]) -> int:
    return sum(int(np.prod(one.shape)) for one in inputs)


def smallest(case: Case) -> tuple[Input, ...]:
    """The inputs with the fewest numbers: finite differences run once for each number."""
    return min(not_empty(case), key=size_of)


def function_of(case: Case, side: Side):
    """The case as a function of its tensors alone, with the outputs that have a gradient."""

    def function(*tensors):
        outputs = tuple(out for out in flat(case.call(side.torch, side.F, *tensors)) if is_tensor(out))
        return tuple(out for out in outputs if out.requires_grad)

    return function


def drawn_by_name(case: Case) -> bool:
    return zlib.crc32(str(case).encode()) % 4 == 0


def sampled(cases: list[Case]) -> list[Case]:
    """Of the cases with few numbers one in four, which ones decided by their names; the wide grid has them all."""
    return [case for case in cases if size_of(smallest(case)) <= 40 and drawn_by_name(case)]


ONCE = [case for case in ORDINARY if case.differentiable]
ONCE_TWINS = [case for case in TWINS if case.differentiable]
MOVES = [case for case in ONCE if case.twice and case.operation in ("getitem", "setitem")]  # linear, and many
TWICE = [case for case in ONCE if case.twice and (case not in MOVES or drawn_by_name(case))]
TWICE_TWINS = [case for case in ONCE_TWINS if case.twice]
SMOOTH = [case for case in ONCE if case.smooth and not_empty(case)]
SMOOTH_TWINS = [case for case in ONCE_TWINS if case.smooth and not_empty(case)]
SMOOTH_TWICE = [case for case in SMOOTH + SMOOTH_TWINS if case.twice]
SMALL = [case for case in SMOOTH_TWINS if "small" in case.option]  # the convolutions of all kinds


def with_small(cases: list[Case]) -> list[Case]:
    """A sample that has them in any case."""
    return SMALL + [case for case in sampled(cases) if case not in SMALL]


def check(case: Case, side: Side) -> None:
    inputs = smallest(case)
    tensors = leaves(side, case, inputs, drawn(case, inputs, "float64", "contiguous"))
    assert side.torch.autograd.gradcheck(function_of(case, side), tensors)


def check_twice(case: Case, side: Side) -> None:
    inputs = smallest(case)
    tensors = leaves(side, case, inputs, drawn(case, inputs, "float64", "contiguous"))
    assert side.torch.autograd.gradgradcheck(function_of(case, side), tensors)


@pytest.mark.parametrize("case", TWICE, ids=str)
def test_second_derivatives(case, implementation, parity):
    found = compared(Side.of(implementation("operations")), case, case.inputs[0], "float64", twice=True)
    record(parity, case, found, what=" twice")


@pytest.mark.parametrize("case", TWICE_TWINS, ids=str)
def test_second_derivatives_on_both_engines(case, engine, implementation, parity):
    found = compared(Side.of(implementation("operations")), case, case.inputs[0], "float64", twice=True)
    record(parity, case, found, what=" twice")


@pytest.mark.parametrize("case", sampled(SMOOTH), ids=str)
def test_gradients_are_finite_differences(case, implementation):
    check(case, Side.of(implementation("operations")))


@pytest.mark.parametrize("case", with_small(SMOOTH_TWINS), ids=str)
def test_gradients_are_finite_differences_on_both_engines(case, engine, implementation):
    check(case, Side.of(implementation("operations")))


@pytest.mark.parametrize("case", with_small(SMOOTH_TWICE), ids=str)
def test_second_derivatives_are_finite_differences(case, implementation):
    check_twice(case, Side.of(implementation("operations")))


@pytest.mark.wide
@pytest.mark.parametrize("case", MOVES, ids=str)
def test_second_derivatives_of_indexing(case, implementation, parity):
    found = compared(Side.of(implementation("operations")), case, case.inputs[0], "float64", twice=True)
    record(parity, case, found, what=" twice")


@pytest.mark.wide
@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_all_gradients_are_finite_differences(case, implementation):
    check(case, Side.of(implementation("operations")))
    if case.twice:
        check_twice(case, Side.of(implementation("operations")))


@pytest.mark.wide
@pytest.mark.parametrize("case", SMOOTH_TWINS, ids=str)
def test_all_gradients_are_finite_differences_on_both_engines(case, engine, implementation):
    check(case, Side.of(implementation("operations")))
    if case.twice:
        check_twice(case, Side.of(implementation("operations")))
