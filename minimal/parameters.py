"""What a parameter may be, said once beside the constructor and checked at every fit.

An estimator lists its parameters in a class attribute::

    _parameters = {"C": [real(0, inf, "(]")], "solver": [one_of("lbfgs", "sag")], "random_state": [random_state]}

and :func:`check_parameters` raises an error that names the parameter, what it may be, and what it got.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isnan
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from minimal.exceptions import InvalidParameterError, kin


class Constraint(NamedTuple):
    """A kind of value: the test, and the words for the error message."""

    accepts: Callable[[Any], bool]
    text: str


def _interval(low: float, high: float, ends: str) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        above = value >= low if ends[0] == "[" else value > low
        below = value <= high if ends[1] == "]" else value < high
        return above and below and not isnan(value)

    return accepts


def real(low: float, high: float, ends: str = "[]") -> Constraint:
    """A number between ``low`` and ``high``; ``ends`` says which of them belong, such as ``"(]"``."""
    inside = _interval(low, high, ends)
    return Constraint(
        lambda value: isinstance(value, Real) and inside(value),
        f"a float in the range {ends[0]}{float(low)}, {float(high)}{ends[1]}",
    )


def integer(low: float, high: float, ends: str = "[)") -> Constraint:
    """A whole number between ``low`` and ``high``."""
    inside = _interval(low, high, ends)
    return Constraint(
        lambda value: isinstance(value, Integral) and inside(value),
        f"an int in the range {ends[0]}{low}, {high}{ends[1]}",
    )


def one_of(*options: str) -> Constraint:
    """One of a few words."""
    return Constraint(
        lambda value: isinstance(value, str) and value in options,
        "a str among {" + ", ".join(map(repr, sorted(options))) + "}",
    )


def instance_of(*classes: type) -> Constraint:
    """An object of one of these classes."""
    names = " or ".join(kind.__name__ for kind in classes)
    return Constraint(lambda value: isinstance(value, classes), f"an instance of {names!r}")


boolean = Constraint(lambda value: isinstance(value, bool | np.bool_), "an instance of 'bool'")
none = Constraint(lambda value: value is None, "None")
anything_callable = Constraint(callable, "a callable")
flag = Constraint(
    lambda value: isinstance(value, bool | np.bool_) or (isinstance(value, Integral) and int(value) >= 0),
    "a bool or an int in the range [0, inf)",
)
random_state = Constraint(
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (isinstance(value, Integral) and 0 <= int(value) <= 2**32 - 1)
    ),
    "None, an int in the range [0, 2**32 - 1] or a numpy.random.RandomState",
)


def check_parameters(values: Mapping[str, Any], constraints: Mapping[str, Iterable[Constraint]], owner: str) -> None:
    """Raise when one of the values satisfies none of its constraints.

    Raises
    ------
    InvalidParameterError
        Which is a ValueError and a TypeError, as in scikit-learn.
    """
    for name, value in values.items():
        choices = constraints[name]
        if any(choice.accepts(value) for choice in choices):
            continue
        *others, last = [choice.text for choice in choices]
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise kin(InvalidParameterError)(f"The {name!r} parameter of {owner} must be {allowed}. Got {value!r} instead.")
