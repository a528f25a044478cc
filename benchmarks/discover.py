"""Find the case files, and the cases that a person named."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TypeVar

import benchmarks
from benchmarks.frame import Case

OURS = ("minimal", "benchmarks")
C = TypeVar("C", bound=Case)


def missing_peer(error: BaseException) -> str | None:
    """The name of the library that is not installed; None if the error is anything else, such as a part of ours."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name.split(".")[0] in OURS:
        return None
    return error.name.split(".")[0]


def discover(modules: Iterable[str] | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Import every ``benchmarks/cases_*.py``, in alphabetical order, so that it registers its cases.

    Returns
    -------
    skipped, broken : dict of str to str
        Case file -> the reason: a library of theirs is not installed, or the file does not import.
    """
    if modules is None:
        found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
        modules = sorted(f"benchmarks.{name}" for name in found if name.startswith("cases_"))
    skipped, broken = {}, {}
    for module in modules:
        name = module.rpartition(".")[2]
        try:
            import_module(module)
        except Exception as error:  # one broken file must not hide the others' results; it is reported as a failure
            peer = missing_peer(error)
            if peer:
                skipped[name] = f"{peer} is not installed"
            else:
                broken[name] = f"{type(error).__name__}: {error}"
    return skipped, broken


def matches(case: Case, word: str) -> bool:
    """Whether the word is the case's component, one of its tags, or a part of its name or title; case is ignored."""
    word = word.lower()
    exact = [case.component.lower(), *(tag.lower() for tag in case.tags)]
    return word in exact or word in case.name.lower() or word in f"{case.component} {case.title}".lower()


def choose(cases: Sequence[C], words: Sequence[str]) -> list[C]:
    """The cases that any of the words finds, grouped by component; all of them if there are no words.

    Raises
    ------
    LookupError
        If a word finds nothing; the message lists the components.
    """
    for word in words:
        if not any(matches(case, word) for case in cases):
            known = ", ".join(sorted({case.component for case in cases})) or "none yet"
            raise LookupError(f"no case is called {word!r}. Components: {known}. `--list` shows every case.")
    chosen = [case for case in cases if not words or any(matches(case, word) for word in words)]
    order = list(dict.fromkeys(case.component for case in chosen))
    return sorted(chosen, key=lambda case: order.index(case.component))
