"""The same results for other readers: JSON for programs, Markdown for the README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report import Card, columns_for, failures, left_out, legend, summary
from benchmarks.run import Outcome

OPEN, CLOSE = "<!-- report card -->", "<!-- /report card -->"


def as_record(outcome: Outcome) -> dict[str, Any]:
    """Everything known about one outcome, in plain types; times in seconds, memory in bytes."""
    case, timing = outcome.case, outcome.timing
    record: dict[str, Any] = {
        "name": case.name,
        "component": case.component,
        "job": case.job,
        "data": case.data,
        "against": case.against,
        "size": outcome.size,
        "threads": outcome.n_threads,
        "engine": outcome.engine,
        "failure": outcome.failure,
        "skipped": outcome.skipped,
        "goal": outcome.goal,
        "goal_met": outcome.goal_met,
    }
    if timing is None:
        return record
    return record | {
        "parity": timing.agreement.level,
        "largest_difference": timing.agreement.difference,
        "ours": timing.median_ours,
        "theirs": timing.median_theirs,
        "ratio": timing.ratio,
        "ratio_quartiles": timing.ratio_quartiles,
        "first_call_ours": timing.first_ours,
        "first_call_theirs": timing.first_theirs,
        "calls_per_sample": {"ours": timing.calls_ours, "theirs": timing.calls_theirs},
        "samples": {"ours": timing.ours, "theirs": timing.theirs},
        "peak_memory": {"ours": outcome.memory_ours, "theirs": outcome.memory_theirs},
        "bytes_moved": outcome.bytes_moved,
        "copy": outcome.copy,
    }


def write_json(path: Path, card: Card) -> None:
    """Heading and results.  An infinite difference cannot occur: it would have been a failure."""
    whole = {
        "heading": dict(card.heading),
        "notes": list(card.notes),
        "results": [as_record(outcome) for outcome in card.outcomes],
        "skipped": dict(card.skipped),
        "broken": dict(card.broken),
    }
    path.write_text(json.dumps(whole, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def as_markdown(card: Card) -> str:
    """The report card as Markdown, without the two marker comments."""
    columns = columns_for(card.outcomes)
    rule = {"left": "---", "right": "---:"}
    lines = [f"- {label}: {_safe(value)}" for label, value in card.heading.items()]
    lines += [f"- note: {_safe(note)}" for note in card.notes]
    lines += [""]
    lines += ["| component | " + " | ".join(c.heading for c in columns) + " |"]
    lines += ["| --- | " + " | ".join(rule[c.justify] for c in columns) + " |"]
    for outcome in card.outcomes:
        cells = [outcome.case.component, *(c.cell(outcome) for c in columns)]
        lines.append("| " + " | ".join(map(_safe, cells)) + " |")
    lines += ["", f"**{summary(card.outcomes)}.**", ""]
    lines += [f"- {_safe(line)}" for line in legend(columns)]
    lines += [f"- left out: {_safe(line)}" for line in left_out(card)]
    lines += [f"- **failed**: {_safe(line)}" for line in failures(card)]
    return "\n".join(lines)


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def write_markdown(path: Path, card: Card) -> None:
    """Put the card between the two marker comments of the file, or into a new file.

    Raises
    ------
    ValueError
        If the file exists and has no such pair of markers: nothing of somebody's text is overwritten.
    """
    block = f"{OPEN}\n{as_markdown(card)}\n{CLOSE}"
    if not path.exists():
        path.write_text(block + "\n", encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    check_markers(path)
    before, _, rest = text.partition(OPEN)
    _, _, after = rest.partition(CLOSE)
    path.write_text(before + block + after, encoding="utf-8")


def check_markers(path: Path) -> None:
    """Complain early, before minutes of measuring, if the card has no place in this file."""
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    if text.count(OPEN) != 1 or text.count(CLOSE) != 1 or text.index(OPEN) > text.index(CLOSE):
        raise ValueError(f"{path.name} has no place for the report card: put {OPEN} and {CLOSE} where it should stand.")
