"""How a benchmark case is written: two ways to do one job, and the proof that it is one job.

A case file (``benchmarks/cases_<component>.py``, found by its name) reads like this::

    import sklearn.preprocessing

    import minimal
    from benchmarks.data import real
    from benchmarks.frame import Race, case, same_attributes, sweep

    @case("StandardScaler", "breast_cancer", job="fit", goal=3.0, quick=True)
    def scaler_fit_breast_cancer():
        X, _ = real("breast_cancer")
        ours, theirs = minimal.preprocessing.StandardScaler, sklearn.preprocessing.StandardScaler
        return Race(
            ours=lambda: ours().fit(X),
            theirs=lambda: theirs().fit(X),
            agree=same_attributes("mean_", "var_", "scale_"),
        )

The builder prepares the data; that is not timed.  ``ours`` and ``theirs`` are: they alternate, and what the timed calls
returned goes to ``agree``, which returns an :class:`Agreement` or raises :class:`Disagreement`.  Nothing that belongs to
the job may stand outside the two callables on one side only.

A size sweep is a case whose builder takes the number of samples::

    @sweep("StandardScaler", "fit, 20 features", sizes=(1e3, 1e4, 1e5))
    def scaler_fit_by_rows(n):
        X, _ = blobs(n, 20)
        ...
        return Race(...)

A race on somebody's own table is a case whose builder takes ``X`` (and ``y``, classes, if the job needs them)::

    @own_data("LogisticRegression", job="fit", needs_classes=True)
    def logistic_on_own_data(X, y): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Threads = int | Literal["all"]
Builder = Callable[..., "Race"]
LEVELS = ("identical", "rounding", "noise floor")  # from the strictest claim to the weakest


class Disagreement(Exception):
    """Ours and theirs did not do the same job; the message says where and by how much."""


@dataclass(frozen=True)
class Agreement:
    """What ``agree`` found: the level of parity, and the largest difference seen (relative; 0.0 where identical)."""

    level: str
    difference: float = 0.0

    def __str__(self) -> str:
        return self.level if self.difference == 0 else f"{self.level} {self.difference:.0e}"


Agree = Callable[[Any, Any], "Agreement | str"]


@dataclass(frozen=True, kw_only=True)
class Race:
    """Two ways to do one job.

    Parameters
    ----------
    ours, theirs : callable
        Do the whole job and return its result.  They take no argument, or, with ``setup``, what ``setup()`` returned.
    agree : callable (result of ours, result of theirs) -> Agreement
        Raises Disagreement when the results differ by more than the case claims.  It sees the results of timed calls.
    setup : callable, optional
        Makes a fresh state before every call, outside the timing: for work that changes its input.
    memory : bool, default=False
        Measure the peak memory of both sides, each in a process of its own.
    bytes_moved : int, optional
        The bytes that the job must at least read and write.  From 8 MB on, our bandwidth is printed beside that of a
        plain copy which moves as many; smaller data stays in the caches.
    """

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    agree: Agree
    setup: Callable[[], Any] | None = None
    memory: bool = False
    bytes_moved: int | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One registered case: what the table says about a race, and the builder that makes it."""

    name: str
    component: str
    data: str
    build: Builder
    job: str = ""
    against: str = "scikit-learn"
    threads: tuple[Threads, ...] = (1, "all")
    quick: bool = False
    goals: Mapping[Threads, float] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.job}: {self.data}" if self.job else self.data


@dataclass(frozen=True, kw_only=True)
class Sweep(Case):
    """A family of races, one for each size; ``counts`` says what the size counts."""

    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    counts: str = "samples"


@dataclass(frozen=True, kw_only=True)
class OwnData(Case):
    """A race that can be run on anybody's table."""

    needs_classes: bool = False
    allows_missing: bool = False


CASES: list[Case] = []
SWEEPS: list[Sweep] = []
OWN_DATA: list[OwnData] = []


def _registering(kind: type[Case], cases: list[Any], **facts: Any) -> Callable[[Builder], Builder]:
    """A decorator that puts a builder among ``cases``, as a case of this kind under the function's own name."""

    def register(build: Builder) -> Builder:
        if any(old.name == build.__name__ for old in cases):
            raise ValueError(f"There are two benchmark cases named {build.__name__!r}: a case needs a name of its own.")
        cases.append(kind(name=build.__name__, build=build, **facts))
        return build

    return register


def case(
    component: str,
    data: str,
    *,
    job: str = "",
    against: str = "scikit-learn",
    threads: tuple[Threads, ...] = (1, "all"),
    quick: bool = False,
    goal: float | Mapping[Any, float] | None = None,
    tags: Sequence[str] = (),
) -> Callable[[Builder], Builder]:
    """Register the decorated builder as a case; the function's name is the case's name.

    Parameters
    ----------
    component : str
        What is raced, such as ``"StandardScaler"``: the table groups by it.
    data : str
        What it is raced on, such as ``"breast_cancer"`` or ``"100k x 20"``.
    job : str, optional
        Which of the component's jobs, such as ``"fit"``.
    against : str, default="scikit-learn"
        The library on the other side.
    threads : tuple of {1, "all"}, default=(1, "all")
        With how many threads the race makes sense: ``(1,)`` for work that neither side shares among threads.
    quick : bool, default=False
        Whether ``--quick`` runs it too: small data only.
    goal : float or {threads: float}, optional
        The ratio to reach (their time / our time).  A plain number is a goal for one thread.
    tags : sequence of str, optional
        More words by which the command line finds the case.
    """

    goals: Mapping[Threads, float] = goal if isinstance(goal, Mapping) else {} if goal is None else {1: goal}
    return _registering(
        Case,
        CASES,
        component=component,
        data=data,
        job=job,
        against=against,
        threads=threads,
        quick=quick,
        goals=goals,
        tags=tuple(tags),
    )


def sweep(
    component: str,
    data: str,
    *,
    job: str = "",
    against: str = "scikit-learn",
    threads: tuple[Threads, ...] = (1, "all"),
    sizes: Sequence[float] = (1e3, 1e4, 1e5),
    counts: str = "samples",
) -> Callable[[Builder], Builder]:
    """Register the decorated builder, which takes a size n, as a size sweep: see :func:`case`.

    ``sizes`` are drawn when ``--sizes`` is given without numbers; ``counts`` is what n counts, such as "variables".
    """

    return _registering(
        Sweep,
        SWEEPS,
        component=component,
        data=data,
        job=job,
        against=against,
        threads=threads,
        sizes=tuple(int(size) for size in sizes),
        counts=counts,
    )


def own_data(
    component: str,
    *,
    job: str = "",
    needs_classes: bool = False,
    allows_missing: bool = False,
) -> Callable[[Builder], Builder]:
    """Register the decorated builder as a race for ``--csv``: it takes ``X``, and ``y`` if ``needs_classes``."""

    return _registering(
        OwnData,
        OWN_DATA,
        component=component,
        data="your data",
        job=job,
        needs_classes=needs_classes,
        allows_missing=allows_missing,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Agreement: each helper makes a function (result of ours, result of theirs) -> Agreement.


def relative_difference(ours: Any, theirs: Any) -> float:
    """max |ours - theirs| / max |theirs|; where both are NaN or the same infinity they agree, where one is, it is inf."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        raise Disagreement(f"shapes differ: {ours.shape}, theirs {theirs.shape}")
    if ours.dtype.kind not in "biufc" or theirs.dtype.kind not in "biufc":
        return 0.0 if np.array_equal(ours, theirs) else np.inf
    if np.array_equal(ours, theirs):
        return 0.0
    wide = complex if "c" in (ours.dtype.kind, theirs.dtype.kind) else float
    ours, theirs = ours.astype(wide), theirs.astype(wide)
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return np.inf
    if not finite.any():
        return 0.0
    gap, scale = np.abs(ours[finite] - theirs[finite]).max(), np.abs(theirs[finite]).max()
    if np.isnan(gap):
        return np.inf
    return float(gap / scale) if scale > 0 else float(np.inf if gap > 0 else 0.0)


def identical_bits(ours: Any, theirs: Any) -> bool:
    """Same shape, same dtype, same bits (a NaN equals a NaN; +0.0 is not -0.0)."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    if ours.dtype.kind == "f" and ours.itemsize in (2, 4, 8):
        bits = f"u{ours.itemsize}"
        if np.array_equal(ours.view(bits), theirs.view(bits)):  # one quick look is mostly enough
            return True
    if ours.dtype.kind not in "fc":
        return bool(np.array_equal(ours, theirs))
    equal = np.array_equal(ours, theirs, equal_nan=True)
    parts = (np.real, np.imag) if ours.dtype.kind == "c" else (np.real,)
    nan = np.isnan(ours)
    return equal and all(np.array_equal(np.signbit(p(ours))[~nan], np.signbit(p(theirs))[~nan]) for p in parts)


def compare(what: str, ours: Any, theirs: Any, bound: float | None) -> Agreement:
    """Identical bits where ``bound`` is None, else a relative difference of at most ``bound``; or Disagreement."""
    if identical_bits(ours, theirs):
        return Agreement("identical")
    try:
        difference = relative_difference(ours, theirs)
    except Disagreement as reason:
        raise Disagreement(f"{what}: {reason}") from None
    if bound is None:
        kinds = f"{np.asarray(ours).dtype}, theirs {np.asarray(theirs).dtype}"
        raise Disagreement(f"{what} is not identical: differs by {difference:.1e} ({kinds})")
    if not difference <= bound:
        raise Disagreement(f"{what} differs by {difference:.1e}, more than {bound:.0e}")
    return Agreement("rounding", difference)


def weakest(agreements: Sequence[Agreement]) -> Agreement:
    """What can be claimed of all of them together: the weakest level, the largest difference."""
    if not agreements:
        raise Disagreement("nothing was compared")
    known = [a for a in agreements if a.level in LEVELS]
    other = [a.level for a in agreements if a.level not in LEVELS]
    levels = other or [max((a.level for a in known), key=LEVELS.index)]
    return Agreement(" + ".join(dict.fromkeys(levels)), max(a.difference for a in agreements))


def both(*agrees: Agree) -> Agree:
    """All of the given checks must agree; the weakest level is what the table shows."""
    return lambda ours, theirs: weakest([as_agreement(agree(ours, theirs)) for agree in agrees])


def either(*agrees: Agree) -> Agree:
    """The first of the given checks that agrees, from the strictest to the weakest; the last one's complaint if none."""

    def agree(ours: Any, theirs: Any) -> Agreement:
        for check in agrees[:-1]:
            with suppress(Disagreement):
                return as_agreement(check(ours, theirs))
        return as_agreement(agrees[-1](ours, theirs))

    return agree


def as_agreement(found: Any) -> Agreement:
    """What ``agree`` returned, as an Agreement; anything that claims nothing (None, True) is refused."""
    if isinstance(found, Agreement):
        return found
    if isinstance(found, str) and found:
        return Agreement(found)
    raise Disagreement(f"the case's check returned {found!r} instead of an Agreement: nothing was proven")


def same_attributes(*names: str, identical: bool = True) -> Agree:
    """Each named attribute is the same: bit for bit, or with ``identical=False`` to 1e-12 of its largest magnitude."""
    bound = None if identical else 1e-12
    return lambda ours, theirs: weakest([compare(n, getattr(ours, n), getattr(theirs, n), bound) for n in names])


def close_attributes(bound: float, *names: str) -> Agree:
    """Each named attribute is the same to ``bound``, relative to the largest magnitude in theirs."""
    return lambda ours, theirs: weakest([compare(n, getattr(ours, n), getattr(theirs, n), bound) for n in names])


def same_coefficients(bound: float) -> Agree:
    """``coef_`` and ``intercept_`` to ``bound``: what a linear model learned."""
    return close_attributes(bound, "coef_", "intercept_")


def same_arrays(bound: float | None = None) -> Agree:
    """The results themselves, arrays or tuples of arrays or sparse matrices: identical, or to ``bound``."""

    def agree(ours: Any, theirs: Any) -> Agreement:
        ours, theirs = _parts(ours), _parts(theirs)
        if len(ours) != len(theirs):
            raise Disagreement(f"{len(ours)} results, theirs {len(theirs)}")
        return weakest([compare(f"result {i}", a, b, bound) for i, (a, b) in enumerate(zip(ours, theirs))])

    return agree


def _parts(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [part for item in result for part in _parts(item)]
    if hasattr(result, "indptr"):  # a CSR or CSC matrix
        return [result.data, result.indices, result.indptr]
    return [result]


def within_noise_floor(refit: Callable[[int], Any], *names: str, seeds: int = 3) -> Agree:
    """Each named attribute is no further from theirs than theirs is from itself on permuted rows.

    Parameters
    ----------
    refit : callable (seed) -> estimator
        Their result on the same rows in another order, drawn from the seed.  Called ``seeds`` times, outside the timing.
    """
    permuted: list[Any] = []

    def agree(ours: Any, theirs: Any) -> Agreement:
        if not permuted:
            permuted.extend(refit(seed) for seed in range(seeds))
        found = []
        for name in names:
            learned = getattr(theirs, name)
            floor = max(relative_difference(getattr(other, name), learned) for other in permuted)
            difference = relative_difference(getattr(ours, name), learned)
            if not difference <= floor:
                raise Disagreement(f"{name} differs by {difference:.1e}, more than theirs from itself ({floor:.1e})")
            found.append(Agreement("noise floor", difference))
        return weakest(found)

    return agree
