"""Write the reference pages of the site: what the docstrings say, what the ledger holds, what the races gave."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

ROOMS = (
    "minimal",
    "minimal.preprocessing",
    "minimal.linear_model",
    "minimal.tree",
    "minimal.ensemble",
    "minimal.cluster",
    "minimal.optimize",
    "minimal.autograd",
    "minimal.nn",
    "minimal.nn.functional",
    "minimal.nn.init",
    "minimal.nn.utils",
    "minimal.optim",
    "minimal.optim.lr_scheduler",
    "minimal.utils.data",
    "minimal.generator",
    "minimal.serialization",
    "minimal.exceptions",
)
FUNCTIONS = "minimal.autograd.functions"  # has a page of its own: one line for each of hundreds
PLUMBING = "forward, function, pool, extra_repr, reset_parameters"  # of layers: what a reader of the reference does not call

MAKE_LEDGER = """
This site was built without a ledger. To make one, and a site that holds it:

```console
$ pytest reference_tests --ledger ledger.json
$ python -m lessons build --ledger ledger.json
```
"""

MAKE_REPORT = """
This site was built without a report card. To make one, and a site that holds it:

```console
$ python -m benchmarks --json report.json
$ python -m lessons build --report report.json
```
"""

Record = dict[str, Any]


def write_pages(folder: Path, ledger: Path | None, report: Path | None) -> None:
    """Write every generated page into ``folder``.

    Parameters
    ----------
    folder : Path
    ledger, report : Path or None
        The JSON files; where there is none, the page says how to make it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    (folder / "api.md").write_text(api_page())
    for room in ROOMS:
        (folder / f"{room}.md").write_text(room_page(room))
    (folder / f"{FUNCTIONS}.md").write_text(functions_page())
    (folder / "ledger.md").write_text(
        ledger_page(json.loads(ledger.read_text()) if ledger else None)
    )
    (folder / "report_card.md").write_text(
        report_page(json.loads(report.read_text()) if report else None)
    )


# ---------------------------------------------------------------------------------------------------------------------
# The API


def public_names(room: str) -> list[str]:
    """The classes and functions that a package offers, in the order in which it lists them."""
    module = importlib.import_module(room)
    offered = {name: getattr(module, name) for name in module.__all__}
    at_home = () if room != "minimal" else _names_of_rooms()
    return [
        name
        for name, thing in offered.items()
        if (inspect.isclass(thing) or inspect.isroutine(thing)) and name not in at_home
    ]


def _names_of_rooms() -> set[str]:
    """What stands at the front door, too, but is described in its own room."""
    return {name for room in ROOMS if room != "minimal" for name in public_names(room)}


def _functions() -> dict[str, Any]:
    """All functions on tensors, and those that make tensors."""
    creation = importlib.import_module("minimal.autograd.creation")
    made = {name: getattr(creation, name) for name in creation.__all__}
    known = importlib.import_module(FUNCTIONS).FUNCTIONS | made
    return {name: known[name] for name in sorted(known) if inspect.isroutine(known[name])}


def api_page() -> str:
    """The list of all rooms."""
    rows = [
        (f"[`{room}`]({room}.md)", ", ".join(f"`{name}`" for name in public_names(room)))
        for room in ROOMS
    ]
    count = len(_functions())
    rows.append(
        (f"[functions on tensors]({FUNCTIONS}.md)", f"{count} functions, most of them methods, too")
    )
    pages = "\n".join((*ROOMS, FUNCTIONS))
    return (
        "# API\n\nEvery public name, with the text of its docstring. Parameters and defaults are those of the reference, and"
        " each page says where the two differ.\n\n"
        f"{table(('package', 'what it offers'), rows)}\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"
    )


def room_page(room: str) -> str:
    """Every public class and function of one package."""
    module = importlib.import_module(room)
    parts = [
        f"# {room}\n\n```{{eval-rst}}\n.. automodule:: {room}\n\n.. currentmodule:: {room}\n```\n"
    ]
    for name in public_names(room):
        kind, options = _directive(getattr(module, name))
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. auto{kind}:: {room}.{name}{options}\n```\n")
        if name == "Tensor":
            parts.append(f"Its methods stand on [a page of their own]({FUNCTIONS}.md).\n")
    return "\n".join(parts)


def _directive(thing: Any) -> tuple[str, str]:
    """What autodoc calls it, and which members it shall show."""
    if not inspect.isclass(thing):
        return "function", ""
    if thing.__name__ == "Tensor":
        return "class", ""
    if thing.__module__.startswith(("minimal.nn.", "minimal.optim.", "minimal.utils.")):
        return (
            "class",
            f"\n   :members:\n   :exclude-members: {PLUMBING}",
        )  # what all have stands at their base
    return "class", "\n   :members:\n   :inherited-members: Exception, dict"


def functions_page() -> str:
    """The functions on tensors and the methods of Tensor: a line for each."""
    functions = _functions()
    tensor = importlib.import_module("minimal.autograd").Tensor
    methods = {name: getattr(tensor, name) for name in sorted(dir(tensor)) if name[0] != "_"}
    alone = {name: method for name, method in methods.items() if name not in functions}
    in_place = sorted(name for name in alone if name.endswith("_") and name[:-1] in methods)
    rows = [
        (f"`{name}`" + (" ·" if name in methods else ""), _first_sentence(function))
        for name, function in functions.items()
    ]
    others = [
        (f"`{name}`", _first_sentence(m)) for name, m in alone.items() if name not in in_place
    ]
    return (
        "# Functions on tensors\n\nThey stand in `minimal` (`minimal.exp(x)`), under PyTorch's names and with its parameters;"
        " those with a dot are methods, too (`x.exp()`). `help(minimal.exp)` shows the whole text.\n\n"
        f"{table(('name', 'what it gives'), rows)}\n## Methods and attributes of Tensor\n\n"
        f"{table(('name', 'what it gives'), others)}\n## Changes in place\n\n"
        f"The same as without the underscore, written into the tensor: {', '.join(f'`{name}`' for name in in_place)}.\n"
    )


def _first_sentence(thing: Any) -> str:
    """The first paragraph of a docstring, as one line of Markdown that is all text."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    text = re.sub(r" *Source: torch[^,]*, [\d.]+\.$", "", text)
    pieces = re.sub(r"(:\w+:)?`+~?", "`", text).split("`")  # by turns text and code
    return "`".join(
        piece if i % 2 else re.sub(r"([*_<$^~\[\]\\])", r"\\\1", piece)
        for i, piece in enumerate(pieces)
    )


# ---------------------------------------------------------------------------------------------------------------------
# The parity ledger

LEVELS = """
identical
: Bit for bit, shape and type included.

rounding
: Within a stated bound, for a stated reason.

noise floor
: No further from the reference than the reference is from itself when its rows change places.

known difference
: A difference that stays, with its cause.
"""


def ledger_page(records: Sequence[Record] | None) -> str:
    """The ledger: a summary, the known differences, and every comparison grouped by component."""
    head = (
        "# Parity ledger\n\nEvery comparison with a reference that the tests made: what was compared, how strictly, and the"
        f" largest difference seen, relative to the largest magnitude in the reference.\n{LEVELS}\n"
    )
    if records is None:
        return head + MAKE_LEDGER
    known = [record for record in records if record["level"] == "known difference"]
    compared = [record for record in records if record["level"] != "known difference"]
    failed = sum(not record["passed"] for record in compared)
    parts = [
        head,
        f"**{len(compared)} comparisons, {failed} failed.**\n",
        "## Summary\n",
        _summary(compared),
    ]
    if known:
        reasons = sorted({(r["component"], r["what"], r["reason"]) for r in known})
        parts += ["\n## Known differences\n", table(("component", "what", "why"), reasons)]
    for component, rows in _grouped(compared, "component"):
        parts += [f"\n## {component[0]}\n", _details(rows)]
    return "\n".join(parts)


def _summary(records: Sequence[Record]) -> str:
    rows = []
    for (component, level), group in _grouped(records, "component", "level"):
        rows.append(
            (
                component,
                level,
                str(len(group)),
                str(sum(not record["passed"] for record in group)),
                _number(max(record["difference"] for record in group)),
                _distinct(group, "engine"),
                _distinct(group, "reference"),
            )
        )
    return table(
        ("component", "level", "compared", "failed", "largest difference", "engines", "reference"),
        rows,
    )


def _details(records: Sequence[Record]) -> str:
    rows = []
    for (what, level), group in _grouped(records, "what", "level"):
        rows.append(
            (
                what,
                level
                if level == "identical"
                else f"{level}, bound {max(r['bound'] for r in group):.0e}",
                str(len(group)),
                _number(max(record["difference"] for record in group)),
                _distinct(group, "dtype"),
                _distinct(group, "reason"),
            )
        )
    return table(
        ("what", "level", "compared", "largest difference", "dtypes", "reason for the bound"), rows
    )


def _grouped(
    records: Iterable[Record], *keys: str
) -> Iterable[tuple[tuple[str, ...], list[Record]]]:
    def key(record: Record) -> tuple[str, ...]:
        return tuple(record[name] for name in keys)

    return ((values, list(group)) for values, group in groupby(sorted(records, key=key), key=key))


def _distinct(records: Iterable[Record], key: str) -> str:
    return "; ".join(sorted({record[key] for record in records if record[key]}))


def _number(difference: float) -> str:
    return "none" if difference == 0 else f"{difference:.1e}"


# ---------------------------------------------------------------------------------------------------------------------
# The report card


def report_page(report: Record | None) -> str:
    """The report card: our time, theirs, and the ratio, case by case."""
    head = (
        "# Report card\n\nBoth sides did the same job on the same data in the same run, by turns, and their answers were"
        " compared. A ratio above one says how many times sooner `minimal` is; cases where it loses stay in the table.\n"
    )
    if report is None:
        return head + MAKE_REPORT
    results = report["results"]
    raced = [result for result in results if "ratio" in result]
    ahead = sum(result["ratio"] >= 1 for result in raced)
    failed = sum(result["failure"] is not None for result in results)
    parts = [
        head,
        f"**{len(raced)} races agree, {failed} failed; ahead in {ahead}, behind in {len(raced) - ahead}.**\n",
        table(("", ""), [(f"**{label}**", value) for label, value in report["heading"].items()]),
        *(f"\n{note}\n" for note in report["notes"]),
    ]
    for (component, against), rows in _grouped(results, "component", "against"):
        parts += [f"\n## {component}, against {against}\n", _races(rows)]
    left_out = [f"{what}: {why}" for what, why in (report["broken"] | report["skipped"]).items()]
    left_out += [f"{r['component']}, {_title(r)}: {r['skipped']}" for r in results if r["skipped"]]
    if left_out:
        parts += ["\n## Left out\n", *(f"- {line}" for line in dict.fromkeys(left_out))]
    return "\n".join(parts)


def _races(results: Sequence[Record]) -> str:
    rows = []
    for result in results:
        case = (_title(result), str(result["threads"]))
        if "ratio" not in result:
            rows.append(
                (
                    *case,
                    f"**failed**: {result['failure']}" if result["failure"] else "left out",
                    "",
                    "",
                    "",
                    "",
                )
            )
            continue
        level, difference = result["parity"], result["largest_difference"]
        goal = (
            ""
            if result["goal"] is None
            else f"{result['goal']:g}x {'reached' if result['goal_met'] else 'not reached'}"
        )
        rows.append(
            (
                *case,
                level if difference == 0 else f"{level} {difference:.0e}",
                _seconds(result["ours"]),
                _seconds(result["theirs"]),
                f"{_bar(result['ratio'])} **{result['ratio']:.3g}x**",
                goal,
            )
        )
    return table(("case", "threads", "answers", "ours", "theirs", "ratio", "goal"), rows)


def _title(result: Record) -> str:
    title = f"{result['job']}: {result['data']}" if result["job"] else result["data"]
    return title if result["size"] is None else f"{title}, n = {result['size']:,}"


def _bar(ratio: float) -> str:
    """A bar as long as the logarithm of the ratio: equal lengths are equal factors, ahead or behind."""
    kind = "ahead" if ratio >= 1 else "behind"
    return f'<span class="{kind}" style="width: {min(6.0, 1.5 * abs(math.log2(ratio))):.2f}rem"></span>'


def _seconds(t: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if t >= scale:
            return f"{t / scale:.3g} {unit}"
    return f"{t / 1e-9:.3g} ns"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
