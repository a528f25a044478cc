"""The parity ledger: what was compared with which reference, how strictly, and how far apart the two were.

A claim has a level.  **identical**: bit for bit.  **rounding**: within a stated bound, for a stated reason.  **noise
floor**: no further from the reference than the reference is from itself when the rows change places.  **known**: a
difference that stays, with its cause.  Every comparison asserts, then leaves one record here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Record:
    """One comparison."""

    component: str
    what: str
    level: str
    difference: float
    engine: str = ""
    data: str = ""
    option: str = ""
    dtype: str = ""
    bound: float = 0.0
    reason: str = ""
    reference: str = ""
    passed: bool = True


class Parity:
    """What a test claims; see :class:`Record`.  Every method asserts and records, whatever the outcome."""

    def __init__(self, component: str, engine: str, reference: str, write: Callable[[dict[str, Any]], None]):
        self._fixed = {"component": component, "engine": engine, "reference": reference}
        self._write = write

    def identical(self, ours: Any, theirs: Any, *, what: str, data: str = "", option: str = "") -> None:
        """Assert the same shape, dtype and bits (NaN equals NaN; -0.0 is not 0.0)."""
        same, difference = _identical(ours, theirs), _relative_difference(ours, theirs)
        self._record(what, "identical", difference, same, ours, data=data, option=option)
        assert same, f"{what} is not identical: {_describe(ours, theirs)}"

    def rounding(
        self,
        ours: Any,
        theirs: Any,
        *,
        what: str,
        bound: float = 1e-12,
        reason: str = "",
        data: str = "",
        option: str = "",
    ) -> None:
        """Assert max|ours - theirs| <= bound * max|theirs|, with the same shape and the same non-finite values."""
        difference = _relative_difference(ours, theirs)
        near = difference <= bound
        self._record(what, "rounding", difference, near, ours, bound=bound, reason=reason, data=data, option=option)
        assert near, f"{what} is off by {difference:.2g}, more than {bound:.2g}: {_describe(ours, theirs)}"

    def noise_floor(
        self, ours: Any, theirs: Any, *, what: str, floor: float, reason: str = "", data: str = "", option: str = ""
    ) -> None:
        """Assert max|ours - theirs| <= floor * max|theirs|: the distance of the reference from itself, just measured."""
        difference = _relative_difference(ours, theirs)
        near = difference <= floor
        self._record(what, "noise floor", difference, near, ours, bound=floor, reason=reason, data=data, option=option)
        assert near, f"{what} is off by {difference:.2g}, more than the reference from itself, {floor:.2g}"

    def known(
        self, what: str, reason: str, *, difference: float = float("nan"), data: str = "", option: str = ""
    ) -> None:
        """Write down a difference that stays; the test asserts it for itself."""
        self._record(what, "known difference", difference, True, None, reason=reason, data=data, option=option)

    def _record(self, what: str, level: str, difference: float, passed: bool, ours: Any, **more: Any) -> None:
        dtype = "" if ours is None else str(np.asarray(ours).dtype)
        record = Record(
            **self._fixed, what=what, level=level, difference=difference, dtype=dtype, passed=passed, **more
        )
        plain = {
            name: value.item() if isinstance(value, np.generic) else value for name, value in asdict(record).items()
        }
        self._write(plain)  # NumPy's numbers go neither into JSON nor from one process to another


def _identical(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, np.ndarray) != isinstance(theirs, np.ndarray):
        return False
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or (isinstance(ours, np.ndarray) and a.dtype != b.dtype):
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    return bool(np.array_equal(a, b, equal_nan=True)) and bool(
        np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))
    )


def _relative_difference(ours: Any, theirs: Any) -> float:
    """max|ours - theirs| / max|theirs|; infinity where shapes or non-finite values differ."""
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape:
        return float("inf")
    if a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":
        return 0.0 if np.array_equal(a, b) else float("inf")
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return float("inf")
    if not finite.any():
        return 0.0
    largest = float(np.abs(a[finite] - b[finite]).max())
    return largest / (float(np.abs(b[finite]).max()) or 1.0)


def _describe(ours: Any, theirs: Any) -> str:
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape:
        return f"shape {a.shape} instead of {b.shape}"
    if a.dtype != b.dtype and isinstance(ours, np.ndarray):
        return f"dtype {a.dtype} instead of {b.dtype}"
    if type(ours) is not type(theirs) and isinstance(ours, np.ndarray) != isinstance(theirs, np.ndarray):
        return f"{type(ours).__name__} instead of {type(theirs).__name__}"
    differ = np.atleast_1d(a != b) & ~(np.atleast_1d(a != a) & np.atleast_1d(b != b))
    where = np.argwhere(differ)
    if not len(where):
        return "only the sign of a zero"
    first = tuple(int(i) for i in where[0])
    return (
        f"{len(where)} of {differ.size} entries, the first at {first}: "
        f"{np.atleast_1d(a)[first]!r} instead of {np.atleast_1d(b)[first]!r}"
    )


def plainly(value: Any) -> str:
    """The name of a test's parameter without addresses in memory, which differ between the processes of one run."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def summary(records: list[dict[str, Any]]) -> list[str]:
    """The ledger as the lines of a short table: a line for each component, level and engine, then the known differences."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record["level"] != "known difference":
            groups[record["component"], record["level"], record["engine"] or "-"].append(record)
    head = (
        f"{'component':<24}{'level':<13}{'engine':<8}{'compared':>9}{'failed':>8}{'largest difference':>20}  reference"
    )
    lines = [head, "-" * len(head)]
    for (component, level, engine), rows in sorted(groups.items()):
        failed = sum(not row["passed"] for row in rows)
        worst = max(row["difference"] for row in rows)
        shown = "none" if worst == 0 else f"{worst:.1e}"
        reference = ", ".join(sorted({row["reference"] for row in rows if row["reference"]}))
        lines.append(f"{component:<24}{level:<13}{engine:<8}{len(rows):>9}{failed:>8}{shown:>20}  {reference}")
    known = sorted({(r["component"], r["what"], r["reason"]) for r in records if r["level"] == "known difference"})
    if known:
        lines += ["", "Known differences"]
        lines += [f"- {component}: {what}. {reason}" for component, what, reason in known]
    return lines
