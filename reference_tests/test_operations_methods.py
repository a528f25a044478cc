"""One operation, several names: functions, methods and aliases are the same thing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from .operation_cases import ORDINARY
from .operations import Named, Side, compared, record

COMPONENT = "operations"

METHODS = [
    replace(case, call=case.call.as_method, option=f"x.{case.operation}({case.option})")
    for case in ORDINARY
    if isinstance(case.call, Named) and hasattr(torch.Tensor, case.call.name) and case.call.name != "where"
]

# Alias: the name in the tables.
ALIASES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "divide": "div",
    "fix": "trunc",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "subtract": "sub",
    "true_divide": "div",
}
PLAIN = {case.operation: case for case in reversed(ORDINARY) if isinstance(case.call, Named) and not case.option}


@pytest.mark.parametrize("case", METHODS, ids=str)
def test_methods(case, implementation, parity):
    record(parity, case, compared(Side.of(implementation("operations")), case, case.inputs[0], "float64"))


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(alias, implementation, parity):
    case = replace(PLAIN[ALIASES[alias]], operation=alias, call=Named(alias, {}))
    record(parity, case, compared(Side.of(implementation("operations")), case, case.inputs[0], "float64"))
