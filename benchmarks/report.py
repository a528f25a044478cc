"""The table: what was raced, whether it agrees, and how much sooner or later ours was there.  Losses stay in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarks.frame import Case, Sweep
from benchmarks.run import Outcome

MISSING = "-"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True, kw_only=True)
class Card:
    """The report card: what was measured, on what, and what could not be."""

    heading: Mapping[str, str]
    outcomes: Sequence[Outcome]
    skipped: Mapping[str, str] = field(default_factory=dict)  # what -> why it was left out
    broken: Mapping[str, str] = field(default_factory=dict)  # case file -> why it does not import
    notes: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Something was raced, nothing failed, and every answer agrees."""
        raced = any(o.timing for o in self.outcomes)
        return raced and not self.broken and not any(o.failure for o in self.outcomes)


def seconds(t: float) -> str:
    """Three digits and a unit: 1.23 s, 45.6 ms, 789 µs."""
    scale, unit = next(((scale, unit) for scale, unit in UNITS if t >= 0.9995 * scale), UNITS[-1])
    return f"{digits(t / scale)} {unit}"


def digits(x: float) -> str:
    """Three digits that mean something, without an exponent: 1.23, 45.6, 789, 12345."""
    return f"{x:.0f}" if x >= 99.95 else f"{x:.1f}" if x >= 9.995 else f"{x:.2f}"


def megabytes(n: int | None) -> str:
    return MISSING if n is None else f"{n / 1e6:.1f}" if n < 9.95e6 else f"{n / 1e6:.0f}"


def gigabytes_per_second(n_bytes: int, t: float) -> str:
    return f"{n_bytes / t / 1e9:.1f}"


@dataclass(frozen=True)
class Column:
    """A heading and how an outcome fills it; ``optional`` columns go where nothing is to say, or where room is short."""

    heading: str
    cell: Callable[[Outcome], str]
    justify: str = "right"
    optional: bool = False


def _title(outcome: Outcome) -> str:
    return outcome.case.title if outcome.size is None else f"{outcome.case.title}, n = {outcome.size:,}"


def _parity(outcome: Outcome) -> str:
    if outcome.timing is None:
        return "FAILED" if outcome.failure else "left out"
    return str(outcome.timing.agreement).replace("noise floor", "noise")


def _ratio(outcome: Outcome) -> str:
    if outcome.timing is None:
        return MISSING
    low, high = (digits(ratio) for ratio in outcome.timing.ratio_quartiles)
    return f"{digits(outcome.timing.ratio)}x {low}-{high}"


def _goal(outcome: Outcome) -> str:
    if outcome.goal is None:
        return MISSING
    verdict = {True: "yes", False: "no", None: MISSING}[outcome.goal_met]
    return f"{outcome.goal:g}x {verdict}"


def _memory(outcome: Outcome) -> str:
    if outcome.memory_ours is None and outcome.memory_theirs is None:
        return MISSING
    return f"{megabytes(outcome.memory_ours)} / {megabytes(outcome.memory_theirs)}"


def _bandwidth(outcome: Outcome) -> str:
    moved, timing, copy = outcome.bytes_moved, outcome.timing, outcome.copy
    if moved is None or timing is None or copy is None:
        return MISSING
    return f"{gigabytes_per_second(moved, timing.median_ours)} of {gigabytes_per_second(moved, copy)}"


def _time(which: str) -> Callable[[Outcome], str]:
    return lambda outcome: MISSING if outcome.timing is None else seconds(getattr(outcome.timing, which))


COLUMNS = (
    Column("case", _title, "left"),
    Column("thr", lambda outcome: str(outcome.n_threads)),
    Column("parity", _parity, "left"),
    Column("ours", _time("median_ours")),
    Column("theirs", _time("median_theirs")),
    Column("ratio", _ratio),
    Column("goal", _goal, optional=True),
    Column("first", _time("first_ours"), optional=True),
    Column("MB", _memory, optional=True),
    Column("GB/s", _bandwidth, optional=True),
)
LEGEND = {
    "parity": "of the timed calls' results, largest relative difference (noise: at most theirs from itself, rows permuted)",
    "ratio": "their median time / ours, then the middle half of the rounds",
    "goal": "the ratio to reach, and whether it was reached",
    "first": "our first call, with compiling or loading the kernels that were not loaded yet",
    "MB": "peak memory beyond the data, ours / theirs",
    "GB/s": "bytes that the job must at least move, per second, of what a plain copy moves",
}


def columns_for(outcomes: Sequence[Outcome]) -> list[Column]:
    """The columns that have something to say about these outcomes."""
    return [c for c in COLUMNS if not c.optional or any(c.cell(outcome) != MISSING for outcome in outcomes)]


def by_component(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Outcomes under headings such as "StandardScaler, against scikit-learn"."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(f"{outcome.case.component}, against {outcome.case.against}", []).append(outcome)
    return groups


def legend(columns: Sequence[Column]) -> list[str]:
    return [f"{c.heading}: {LEGEND[c.heading]}" for c in columns if c.heading in LEGEND]


def failures(card: Card) -> list[str]:
    """One line for everything that went wrong, in the same way on however many threads."""
    threads: dict[str, list[int]] = {}
    for o in card.outcomes:
        if o.failure:
            threads.setdefault(f"{o.case.component}, {_title(o)}: {o.failure}", []).append(o.n_threads)
    lines = [f"{what} (threads: {', '.join(map(str, counts))})" for what, counts in threads.items()]
    return [f"{file}: {reason}" for file, reason in card.broken.items()] + lines


def left_out(card: Card) -> list[str]:
    """One line for everything that was not raced."""
    lines = [f"{what}: {reason}" for what, reason in card.skipped.items()]
    reasons = {f"{o.case.component}, {_title(o)}: {o.skipped}": None for o in card.outcomes if o.skipped}
    return [*lines, *reasons]


def summary(outcomes: Sequence[Outcome]) -> str:
    """All in one line: agreement, who was ahead, and the goals."""
    ratios = [o.timing.ratio for o in outcomes if o.timing is not None]
    behind = sum(ratio < 1 for ratio in ratios)
    failed = sum(o.failure is not None for o in outcomes)
    judged = [o.goal_met is True for o in outcomes if o.goal is not None]
    agree = f"{len(ratios) + failed} races: {len(ratios)} agree, {failed} failed"
    goals = f"; goals met {sum(judged)} of {len(judged)}" if judged else ""
    return f"{agree}; ahead in {len(ratios) - behind}, behind in {behind}{goals}"


def _style(column: Column, outcome: Outcome) -> str:
    if outcome.failure:
        return "bold red" if column.heading == "parity" else "red"
    if outcome.timing is None:
        return "dim"
    if column.heading == "ratio":
        return "bold green" if outcome.timing.ratio >= 1 else "bold red"
    if column.heading == "goal" and outcome.goal_met is not None:
        return "green" if outcome.goal_met else "yellow"
    return "dim" if column.heading == "first" else ""


GAP = 2  # spaces between two columns
NARROWEST = 16  # of the column with the case's title, which is folded where the others need the room


def tables(outcomes: Sequence[Outcome], width: int) -> list[RenderableType]:
    """The results, one block for each component, in columns of the same width throughout, and what the columns mean."""
    columns = columns_for(outcomes)
    widths = [max(len(c.heading), *(len(c.cell(outcome)) for outcome in outcomes)) for c in columns]
    while columns[-1].optional and sum(widths[1:]) + GAP * len(widths) + NARROWEST > width:
        columns, widths = columns[:-1], widths[:-1]  # a narrow window: the rest is in --json and --markdown
    widths[0] = max(NARROWEST, min(widths[0], width - sum(widths[1:]) - GAP * len(widths)))
    blocks: list[RenderableType] = []
    for heading, group in by_component(outcomes).items():
        block = Table(box=None, header_style="dim", padding=(0, GAP, 0, 0), pad_edge=False)
        for column, n in zip(columns, widths):
            block.add_column(column.heading, justify=column.justify, width=n)  # type: ignore[arg-type]
        for outcome in group:
            block.add_row(*(Text(column.cell(outcome), style=_style(column, outcome)) for column in columns))
        blocks += [Text(f"\n{heading}", style="bold cyan"), block]
    return [*blocks, "", *(Text(line, style="dim") for line in legend(columns))]


def report(card: Card, width: int = 120) -> RenderableType:
    """Everything that a run prints: heading, table, what went wrong or was left out, and one line to remember."""
    parts: list[RenderableType] = [Text(f"{label:<9} {value}") for label, value in card.heading.items()]
    parts += [Text(f"{'note':<9} {note}", style="yellow") for note in card.notes]
    if card.outcomes:
        parts += tables(card.outcomes, width)
    parts += [Text(f"left out  {line}", style="yellow") for line in left_out(card)]
    parts += [Text(f"FAILED    {line}", style="bold red") for line in failures(card)]
    parts.append(Text(summary(card.outcomes), style="bold"))
    return Group(*parts)


def listing(cases: Sequence[Case]) -> Table:
    """Every case that a name on the command line can choose."""
    view = Table(box=None, header_style="bold", padding=(0, GAP, 0, 0), pad_edge=False)
    for heading in ("name", "component", "case", "against", "goal", "runs with"):
        view.add_column(heading, no_wrap=heading == "name", overflow="fold")
    for case in cases:
        goals = ", ".join(f"{goal:g}x" + ("" if t == 1 else f" ({t})") for t, goal in case.goals.items())
        sizes = f", n = {case.sizes[0]:,} to {case.sizes[-1]:,}" if isinstance(case, Sweep) else ""
        how = "--sizes" if sizes else "--quick too" if case.quick else ""
        view.add_row(*map(escape, (case.name, case.component, case.title + sizes, case.against, goals, how)))
    return view


def console(*, to_stderr: bool = False) -> Console:
    """A console that is wide enough for the table when its output goes to a file or a pipe."""
    plain = Console(stderr=to_stderr, highlight=False, soft_wrap=False)
    return plain if plain.is_terminal else Console(stderr=to_stderr, highlight=False, width=max(120, plain.width))
