"""Every operation against PyTorch: outputs and gradients over many shapes, orders of memory and dtypes.

What is asked of each operation stands in the tables (``elementwise_cases.py`` and its neighbours).
"""

from __future__ import annotations

import zlib

import pytest

from .operation_cases import DIFFERENTIABLE, ORDINARY, TABLE, TWINS
from .operations import LAYOUTS, Case, Compared, Side, compared, record

COMPONENT = "operations"
DTYPES = ["float64", "float32"]


def layouts(case: Case, k: int) -> tuple[str, ...]:
    """C order and one other for the k-th shape of a case, so that all of them come up within a table."""
    turn = zlib.crc32(str(case).encode()) + k
    return LAYOUTS[0], LAYOUTS[1 + turn % (len(LAYOUTS) - 1)]


def few_layouts(ours: Side, case: Case, dtype: str) -> list[Compared]:
    """Both in float64, which shows most; the other alone in float32."""
    return [
        one
        for k, inputs in enumerate(case.inputs)
        for layout in layouts(case, k)[dtype == "float32" :]
        for one in compared(ours, case, inputs, dtype, layout)
    ]


def every_layout(ours: Side, case: Case, dtype: str) -> list[Compared]:
    return [one for inputs in case.inputs for layout in LAYOUTS for one in compared(ours, case, inputs, dtype, layout)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ORDINARY, ids=str)
def test_values_and_gradients(case, dtype, implementation, parity):
    record(parity, case, few_layouts(Side.of(implementation("operations")), case, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", TWINS, ids=str)
def test_values_and_gradients_on_both_engines(case, dtype, engine, implementation, parity):
    record(parity, case, few_layouts(Side.of(implementation("operations")), case, dtype))


@pytest.mark.wide
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ORDINARY, ids=str)
def test_values_and_gradients_in_every_order_of_memory(case, dtype, implementation, parity):
    record(parity, case, every_layout(Side.of(implementation("operations")), case, dtype))


@pytest.mark.wide
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", TWINS, ids=str)
def test_values_and_gradients_in_every_order_of_memory_on_both_engines(case, dtype, engine, implementation, parity):
    record(parity, case, every_layout(Side.of(implementation("operations")), case, dtype))


# ---------------------------------------------------------------- the table itself


def test_there_are_at_least_one_hundred_differentiable_operations():
    """Counted by name; that each gives a gradient is asserted where it is compared."""
    assert len(DIFFERENTIABLE) >= 100


def test_every_order_of_memory_comes_up_without_the_wide_grid():
    seen = {layout for case in TABLE for k in range(len(case.inputs)) for layout in layouts(case, k)}
    assert seen == set(LAYOUTS)
