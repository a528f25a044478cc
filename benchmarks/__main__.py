"""``python -m benchmarks``: race every component against its reference, and prove that the answers agree."""

from __future__ import annotations

import argparse
import atexit
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import minimal
from benchmarks import frame
from benchmarks.discover import choose, discover
from benchmarks.export import check_markers, write_json, write_markdown
from benchmarks.machine import busy, describe
from benchmarks.measure import FULL, QUICK, Clock, Effort
from benchmarks.own_data import TableError, cases_for, read_table
from benchmarks.report import Card, console, listing, report
from benchmarks.run import Heat, Outcome, heats, run, too_large

EXAMPLES = """examples:
  python -m benchmarks                             every case, with one thread and with all
  python -m benchmarks StandardScaler --threads 1  one component
  python -m benchmarks --quick                     small data, a few minutes
  python -m benchmarks LogisticRegression --sizes 1e3,1e4,1e5
  python -m benchmarks --csv people.csv --target income

The exit status is 0 if every race was run and its answers agree, 1 if not, 2 if the command is wrong.
A race that we lose is not a failure: it stays in the table."""
RESULTS = Path(__file__).parent / "results"
RAN, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(float(size)) for size in text.split(",")]
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"sizes are numbers with commas between them, like 1e3,1e4; got {text!r}"
        ) from None
    if min(sizes) < 2:
        raise argparse.ArgumentTypeError("a size must be at least 2")
    return sorted(set(sizes))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Race minimal against the libraries. Every speed is proven in the same run: the answers must agree.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("names", nargs="*", metavar="NAME", help="components, cases or parts of their titles; default all")
    p.add_argument("--list", action="store_true", help="show the cases and stop")
    p.add_argument("--quick", action="store_true", help="small cases, few rounds, no memory: a few minutes")
    p.add_argument("--threads", choices=("1", "all", "both"), default="both", help="on both sides; default both")
    p.add_argument("--engine", choices=("numba", "numpy"), help="which twin of ours runs; default as minimal has it")
    p.add_argument("--seconds", type=float, metavar="S", help=f"time for one race; default {FULL.seconds:g}")
    p.add_argument("--cold", action="store_true", help="compile everything anew: shows the true first call")
    p.add_argument(
        "--sizes", nargs="?", type=_sizes, const=[], metavar="N,N", help="size sweep, drawn; alone: its own sizes"
    )
    p.add_argument(
        "--plot", type=Path, metavar="FILE", help="where the sweep is drawn; default benchmarks/results/sizes.png"
    )
    p.add_argument("--csv", type=Path, metavar="FILE", help="race on your own table")
    p.add_argument("--target", metavar="COLUMN", help="the column of the table that holds the classes")
    p.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    p.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table between the file's report card markers"
    )
    return p


def _check(p: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Combinations that make no sense end here, with status 2, before anything is measured."""
    if args.target is not None and args.csv is None:
        p.error("--target names a column of the table given with --csv")
    if args.csv is not None and args.sizes is not None:
        p.error("--csv and --sizes are two different races")
    if args.plot is not None and args.sizes is None:
        p.error("--plot draws a size sweep: give --sizes too")
    if args.seconds is not None and not args.seconds > 0:
        p.error("--seconds must be above 0")
    for path in (args.json, args.markdown):
        if path is not None and not path.absolute().parent.is_dir():
            p.error(f"the folder for {path.name} does not exist")
    if args.markdown is not None:
        try:
            check_markers(args.markdown)
        except ValueError as reason:
            p.error(str(reason))


def _chosen(p: argparse.ArgumentParser, args: argparse.Namespace) -> tuple[list[frame.Case], dict[str, str], list[str]]:
    """The cases to race, what is left out and why, and notes for the heading."""
    try:
        if args.csv is not None:
            own = read_table(args.csv, args.target)
            cases, skipped = cases_for(own, choose(frame.OWN_DATA, args.names))
            return cases, skipped, list(own.notes)
        if args.sizes is not None:
            sweeps: list[frame.Case] = [*choose(frame.SWEEPS, args.names)]
            return sweeps, too_large(sweeps, args.sizes), []
        cases = choose(frame.CASES, args.names)
        return [case for case in cases if case.quick or not args.quick], {}, []
    except (LookupError, TableError) as reason:
        p.error(str(reason))


def _effort(args: argparse.Namespace) -> Effort:
    effort = QUICK if args.quick else FULL
    return effort if args.seconds is None else replace(effort, seconds=args.seconds, patience=20 * args.seconds)


def _race(todo: Sequence[Heat], effort: Effort, clock: Clock, screen: Console) -> tuple[list[Outcome], bool]:
    """The outcomes, and whether somebody pressed Ctrl-C before the end.  The bar is shown on a terminal only."""
    outcomes: list[Outcome] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=len(todo))
        try:
            for heat in todo:
                size = "" if heat.size is None else f", n = {heat.size:,}"
                bar.update(task, description=f"{heat.case.component}, {heat.case.title}{size}")
                outcomes += run([heat], effort, clock)
                bar.advance(task)
        except KeyboardInterrupt:
            return outcomes, True
    return outcomes, False


def main(
    argv: Sequence[str] | None = None, *, modules: Iterable[str] | None = None, clock: Clock = time.perf_counter
) -> int:
    """Run the command line; ``modules`` and ``clock`` replace the case files and the watch, for tests."""
    p = parser()
    args = p.parse_args(argv)
    _check(p, args)
    if args.cold:
        empty = tempfile.TemporaryDirectory(prefix="minimal_cold_")
        atexit.register(empty.cleanup)
        os.environ["NUMBA_CACHE_DIR"] = empty.name
    if args.engine:
        minimal.set_engine(args.engine)
    skipped, broken = discover(modules)
    paper = console()
    if args.list:
        paper.print(listing([*choose(frame.CASES, ()), *choose(frame.SWEEPS, ())]))
        return FAILED if broken else RAN

    cases, unfit, notes = _chosen(p, args)
    if warning := busy():
        notes.append(warning)
    threads: list[frame.Threads] = {"1": [1], "all": ["all"], "both": [1, "all"]}[args.threads]  # type: ignore[assignment]
    todo = heats(cases, threads, args.sizes or None, memory=not args.quick)
    outcomes, interrupted = _race(todo, _effort(args), clock, console(to_stderr=True))

    heading = describe() | {"threads": _threads_line(outcomes)}
    card = Card(heading=heading, outcomes=outcomes, skipped=skipped | unfit, broken=broken, notes=notes)
    paper.print(report(card, paper.width))
    if args.json:
        write_json(args.json, card)
    if args.markdown:
        write_markdown(args.markdown, card)
    if args.sizes is not None and any(o.timing for o in outcomes):
        from benchmarks.plot import draw

        picture = args.plot or RESULTS / "sizes.png"
        draw(picture, outcomes)
        paper.print(f"drawn in {picture.name if args.plot else 'benchmarks/results/sizes.png'}")
    if interrupted:
        return INTERRUPTED
    return RAN if card.good else FAILED


def _threads_line(outcomes: Sequence[Outcome]) -> str:
    used = sorted({o.n_threads for o in outcomes})
    return (", then ".join(map(str, used)) or "none") + ", the same on both sides"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was raced until then is printed, as with Ctrl-C
    sys.exit(main())
