"""What the lessons share: show real source, draw pictures that fit a light and a dark page, and check exercises.

Everything here works in three places: on the built site, in Jupyter or VS Code, and in a plain ``python lesson.py``.
"""

from __future__ import annotations

import html
import inspect
import io
import re
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import exercises
import matplotlib.pyplot as plt
import solutions
from exercises import NotYet, Wrong
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

# Middle tones, so that each colour stands out from white and from black paper alike.
BLUE, ORANGE, GREEN, ROSE, VIOLET, GREY = (
    "#2f7fd1",
    "#dd6b20",
    "#1f9d84",
    "#d1487f",
    "#8f66cc",
    "#858c94",
)
HEIGHT = LinearSegmentedColormap.from_list("height", [BLUE, GREEN, "#c9982a", ORANGE, ROSE])

_SVG_STYLE = "width: 100%; max-width: 52rem; height: auto"
_INK = "#010203"  # stands for "the colour of the page's text" until the picture is written
plt.rcParams.update(
    {
        "figure.figsize": (8.0, 3.6),
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, ROSE, VIOLET, GREY]),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.grid": True,
        "grid.color": GREY,
        "grid.alpha": 0.22,
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "font.size": 10,
        "figure.constrained_layout.use": True,
        "svg.hashsalt": "minimal",
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
        ),
    }
)


def in_notebook() -> bool:
    """Whether a notebook (or the site's build) runs this, so that rich output has somewhere to go."""
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None


def _display(mime: str, content: str) -> None:
    sys.modules["IPython"].display.display({mime: content, "text/plain": ""}, raw=True)


def source(function: Any) -> str:
    """The text of a function, a class or a module as it stands in its file; of a compiled function, the text it came from."""
    return textwrap.dedent(inspect.getsource(getattr(function, "py_func", function))).rstrip()


def show(*functions: Any) -> None:
    """Display the real source, so that what a lesson shows is what runs."""
    text = "\n\n\n".join(source(function) for function in functions)
    if in_notebook():
        _display("text/markdown", f"```python\n{text}\n```")
    else:
        print(text)


def picture(figure: Figure, description: str) -> None:
    """Draw a figure whose lines and letters take the colour of the page's text.

    Parameters
    ----------
    figure : Figure
    description : str
        What is to be seen, for those who cannot see it.
    """
    if in_notebook():
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        svg = file.getvalue()
        svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
        size = svg[svg.index("viewBox=") : svg.index('"', svg.index("viewBox=") + 9) + 1]
        opening = (
            f'<svg role="img" aria-label="{html.escape(description)}" {size} style="{_SVG_STYLE}">'
        )
        svg = re.sub(r"<svg [^>]*>", lambda _: opening, svg, count=1)
        _display("text/html", f'<div class="picture">{svg}</div>')
    elif plt.get_backend().lower() != "agg":
        plt.show()
    plt.close(figure)


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of several runs: what the work costs when nothing else disturbs it."""
    work()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


@dataclass(frozen=True)
class Verdict:
    """What :func:`check` found; true if the answer is right."""

    state: str  # "right", "wrong" or "not yet"
    why: str

    def __bool__(self) -> bool:
        return self.state == "right"

    def _ipython_display_(self) -> None:
        """Nothing: ``check`` has already said it."""


def judge(answer: Callable[..., Any]) -> Verdict:
    """Ask the exercise that has the answer's name whether the answer is right."""
    examine = getattr(exercises, answer.__name__, None)
    if examine is None or answer.__name__ not in exercises.ALL:
        raise LookupError(
            f"There is no exercise {answer.__name__!r}. There are: {', '.join(exercises.ALL)}."
        )
    try:
        examine(answer)
    except NotYet as still:
        return Verdict("not yet", str(still))
    except Wrong as mistake:
        return Verdict("wrong", str(mistake))
    except Exception as error:
        return Verdict("wrong", f"It raised {type(error).__name__}: {error}")
    return Verdict("right", f"{answer.__name__} passes every test.")


def check(answer: Callable[..., Any]) -> Verdict:
    """Say whether an exercise's answer is right, and if not, why; the solution is there to be unfolded.

    The solution goes through the same examination each time, so the page cannot show one that fails.
    """
    verdict = judge(answer)
    solution = getattr(solutions, answer.__name__)
    if not judge(solution):
        raise AssertionError(
            f"The solution of {answer.__name__} does not pass: {judge(solution).why}"
        )
    if in_notebook():
        _display("text/html", _verdict_html(verdict, source(solution)))
    else:
        print(f"{answer.__name__}: {verdict.state}. {verdict.why}")
    return verdict


def _verdict_html(verdict: Verdict, solution: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    color = {"right": GREEN, "wrong": ROSE, "not yet": GREY}[verdict.state]
    why = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(verdict.why))
    return (
        f'<div class="verdict" style="border-left: 4px solid {color}; padding: 0.3rem 0.9rem; margin: 0.6rem 0">'
        f'<strong style="color: {color}">{verdict.state.capitalize()}.</strong> {why}'
        f"<details><summary>A solution (it has just passed the same tests)</summary>"
        f"{highlight(solution, PythonLexer(), HtmlFormatter())}</details></div>"
    )
