"""The race on somebody's own table: read a CSV file, say plainly what is left out of it, and run what applies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.frame import Case, OwnData, Race, either, own_data, same_coefficients, within_noise_floor

MOST_CLASSES = 100  # a whole-number target with more values than this is taken for a quantity


class TableError(Exception):
    """The file cannot be raced on; the message says why, and what to do."""


@dataclass(frozen=True)
class OwnTable:
    """Numeric columns (NaN: missing), and the target as it stands in the file."""

    X: np.ndarray
    columns: tuple[str, ...]
    y: Any | None
    notes: tuple[str, ...]


def read_table(path: Path, target: str | None = None) -> OwnTable:
    """Read a CSV file with a header.  Commas, semicolons and tabs separate; the header tells which.

    Text columns are left out, as are rows without a target; ``notes`` says so.

    Raises
    ------
    TableError
        No such file, no such column, not a table, no numbers in it, or an infinity.
    """
    frame = _read(path)
    if target is not None and target not in frame.columns:
        raise TableError(f"there is no column {target!r}. The columns are: {', '.join(map(str, frame.columns))}.")
    notes, y = [], None
    if target is not None:
        known = frame[target].notna()
        if not known.all():
            notes.append(f"{int((~known).sum())} rows without a value in {target!r} are left out")
        y, frame = frame.loc[known, target], frame.loc[known].drop(columns=target)
    numbers = frame.select_dtypes(include=["number", "bool"])
    numbers = numbers.loc[:, numbers.notna().any()]
    text = [str(name) for name in frame.columns if name not in numbers.columns]
    if text:
        notes.append(f"columns without numbers are left out: {', '.join(text)}")
    if numbers.shape[1] == 0 or len(numbers) < 2:
        raise TableError("at least one column of numbers and two rows are needed besides the target.")
    X = np.ascontiguousarray(numbers.to_numpy(dtype=np.float64))
    infinite = [str(name) for name, column in zip(numbers.columns, X.T) if np.isinf(column).any()]
    if infinite:
        raise TableError(f"these columns hold infinities: {', '.join(infinite)}. Leave the entries empty instead.")
    notes.insert(0, f"{X.shape[0]:,} rows, {X.shape[1]} columns of numbers from {path.name}")
    return OwnTable(X, tuple(map(str, numbers.columns)), y, tuple(notes))


def _read(path: Path) -> Any:
    """The file as a pandas DataFrame."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        return pd.read_csv(path, sep=separator, encoding="utf-8-sig", skipinitialspace=True)
    except OSError as error:
        raise TableError(f"{path.name} cannot be read: {error.strerror or 'it is no file'}.") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"{path.name} is not a table with a header line and separated columns ({error}).") from None


def classes_of(y: Any) -> np.ndarray:
    """The target as classes.

    Raises
    ------
    TableError
        If there is no target, only one class, or if it is a quantity rather than a class.
    """
    if y is None:
        raise TableError("needs classes: name their column with --target")
    values = y.to_numpy()
    if values.dtype.kind == "f":
        if not np.array_equal(values, np.floor(values)):
            raise TableError("needs classes, and the target holds fractions")
        values = values.astype(np.int64)
    if values.dtype.kind not in "iub":
        values = np.asarray([str(value) for value in values])
    n_classes = len(np.unique(values))
    if n_classes < 2:
        raise TableError("needs two classes, and the target has one value only")
    if n_classes > MOST_CLASSES:
        raise TableError(f"needs classes, and the target has {n_classes} different values")
    return values


def cases_for(table: OwnTable, cases: list[OwnData]) -> tuple[list[Case], dict[str, str]]:
    """The cases that can be raced on this table, bound to it, and why the others cannot."""
    bound: list[Case] = []
    skipped: dict[str, str] = {}
    for case in cases:
        X, data = table.X, "your data"
        try:
            y = classes_of(table.y) if case.needs_classes else None
            complete = ~np.isnan(X).any(axis=1)
            if not case.allows_missing and not complete.all():
                X, y = X[complete], y if y is None else y[complete]
                data += f", {len(X):,} complete rows"
                if len(X) < 2 or (y is not None and len(np.unique(y)) < 2):
                    raise TableError("too few rows have no missing value")
        except TableError as reason:
            skipped[case.component] = str(reason)
            continue
        bound.append(replace(case, build=_with(case, X, y), data=data))
    return bound, skipped


def _with(case: OwnData, X: np.ndarray, y: np.ndarray | None) -> Any:
    return (lambda: case.build(X, y)) if case.needs_classes else (lambda: case.build(X))


@own_data("LogisticRegression", job="fit, standardized", needs_classes=True)
def logistic_on_own_data(X: np.ndarray, y: np.ndarray) -> Race:
    """Columns that say nearly the same leave the coefficients loose: then no further off than theirs on permuted rows."""
    import sklearn.linear_model

    import minimal
    from benchmarks.data import standardize

    Z = standardize(X)
    ours, theirs = minimal.linear_model.LogisticRegression, sklearn.linear_model.LogisticRegression

    def refit(seed: int) -> Any:
        order = np.random.default_rng(seed).permutation(len(y))
        return theirs(max_iter=1000).fit(Z[order], y[order])

    return Race(
        ours=lambda: ours(max_iter=1000).fit(Z, y),
        theirs=lambda: theirs(max_iter=1000).fit(Z, y),
        agree=either(same_coefficients(1e-10), within_noise_floor(refit, "coef_", "intercept_")),
    )
