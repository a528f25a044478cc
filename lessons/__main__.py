"""The lessons' three commands: ``list``, ``check`` and ``build``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lessons import LESSONS

HERE = Path(__file__).resolve().parent
BUILD = HERE / "_build"
SITE = BUILD / "html"


def environment() -> dict[str, str]:
    """What a lesson runs in: this checkout is importable, and no window opens."""
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg"}


def list_lessons() -> int:
    """Print every lesson's file and subject."""
    for name, subject in LESSONS.items():
        print(f"{'lessons/' + name + '.py':<42} {subject}")
    return 0


def check_lessons() -> int:
    """Run each lesson as a plain script; every assertion in it must hold and no warning may come."""
    failures = 0
    for name in LESSONS:
        start = time.perf_counter()
        script = [sys.executable, "-W", "error", str(HERE / f"{name}.py")]
        run = subprocess.run(script, env=environment(), capture_output=True, text=True, cwd=HERE)
        verdict = "ok" if run.returncode == 0 else "FAILED"
        print(f"{name:<32} {verdict:<7} {time.perf_counter() - start:5.1f} s", flush=True)
        if run.returncode:
            failures += 1
            print(run.stderr, file=sys.stderr)
    return int(failures > 0)


def write_kernel(folder: Path) -> None:
    """Describe the kernel that executes the lessons: this Python, and no word about how it talks to the builder."""
    command = [
        sys.executable,
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--log-level=ERROR",
    ]
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "Python 3", "language": "python"})
    )


def build_site(ledger: Path | None, report: Path | None) -> int:
    """Execute every lesson and build the site.  A failing cell, or any warning, is an error.

    Parameters
    ----------
    ledger : Path or None
        What ``pytest reference_tests --ledger FILE`` wrote.
    report : Path or None
        What ``python -m benchmarks --json FILE`` wrote.
    """
    from sphinx.cmd.build import build_main

    from lessons.pages import write_pages

    start = time.perf_counter()
    shutil.rmtree(BUILD, ignore_errors=True)
    write_kernel(BUILD / "jupyter" / "kernels" / "python3")
    os.environ.update(environment(), JUPYTER_PATH=str(BUILD / "jupyter"))
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    write_pages(HERE / "reference" / "generated", ledger, report)
    options = ["-b", "html", "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]
    status = build_main([*options, "-d", str(BUILD / "doctrees"), str(HERE), str(SITE)])
    print(
        f"{'built' if status == 0 else 'FAILED:'} {SITE / 'index.html'} in {time.perf_counter() - start:.0f} s"
    )
    return status


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(
        prog="python -m lessons", description="The lessons of minimal."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="print every lesson's file and subject")
    commands.add_parser("check", help="run every lesson as a plain script")
    build = commands.add_parser("build", help="execute every lesson and build the site")
    build.add_argument(
        "--ledger", type=Path, metavar="FILE", help="from `pytest reference_tests --ledger FILE`"
    )
    build.add_argument(
        "--report", type=Path, metavar="FILE", help="from `python -m benchmarks --json FILE`"
    )
    chosen = parser.parse_args()
    if chosen.command == "list":
        return list_lessons()
    if chosen.command == "check":
        return check_lessons()
    return build_site(chosen.ledger, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
