"""How time grows with size: one panel for each sweep, logarithmic on both axes, and the ratio below it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame import Sweep
from benchmarks.run import Outcome

OURS, THEIRS = "#0072b2", "#d55e00"  # told apart with every kind of colour vision
MOST_ACROSS = 3  # panels beside each other


def draw(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Draw the sweeps among the outcomes into a PNG file; failures have no point and are named in the table."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawn = [o for o in outcomes if o.timing is not None and o.size is not None]
    names = list(dict.fromkeys(o.case.name for o in drawn))
    across = min(len(names), MOST_ACROSS)
    rows = -(-len(names) // across)
    figure, axes = plt.subplots(
        2 * rows,
        across,
        figsize=(1.2 + 4.3 * across, 6.2 * rows),
        squeeze=False,
        height_ratios=(2, 1) * rows,
        layout="constrained",
    )
    for place, name in enumerate(names):
        row, column = divmod(place, across)
        times, ratios = axes[2 * row, column], axes[2 * row + 1, column]
        times.sharex(ratios)
        _panel(times, ratios, [o for o in drawn if o.case.name == name])
        if column == 0:
            times.set_ylabel("time of one call")
            ratios.set_ylabel("theirs / ours")
    for place in range(len(names), rows * across):
        row, column = divmod(place, across)
        axes[2 * row, column].remove()
        axes[2 * row + 1, column].remove()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _panel(times: Any, ratios: Any, outcomes: Sequence[Outcome]) -> None:
    """One sweep: a solid line for one thread, a dashed one for all; bands are the middle half of the rounds."""
    import numpy as np
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from benchmarks.report import UNITS

    case = outcomes[0].case
    threads = list(dict.fromkeys(o.threads for o in outcomes))
    for which in threads:
        mine = sorted((o for o in outcomes if o.threads == which), key=lambda o: o.size or 0)
        sizes = [o.size for o in mine]
        style = {"linestyle": "-" if which == 1 else "--", "marker": "o" if which == 1 else "s", "markersize": 4}
        count = f"{mine[0].n_threads} thread" + ("s" if mine[0].n_threads > 1 else "")
        for side, colour, label in (("ours", OURS, "minimal"), ("theirs", THEIRS, case.against)):
            samples = [np.percentile(getattr(o.timing, side), [25, 50, 75]) for o in mine]
            low, middle, high = np.transpose(samples)
            times.plot(sizes, middle, color=colour, label=f"{label}, {count}", **style)
            times.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
        low, high = np.transpose([o.timing.ratio_quartiles for o in mine if o.timing])
        ratios.plot(sizes, [o.timing.ratio for o in mine if o.timing], color="0.2", label=count, **style)
        ratios.fill_between(sizes, low, high, color="0.2", alpha=0.15, linewidth=0)
    times.set(xscale="log", yscale="log")
    times.set_title(f"{case.component}\n{case.title}", fontsize=11)
    times.yaxis.set_major_formatter(
        FuncFormatter(lambda t, _: next(f"{t / one:.3g} {unit}" for one, unit in UNITS if t >= 0.999 * one))
    )
    times.yaxis.set_minor_formatter(NullFormatter())
    times.tick_params(labelbottom=False)
    times.legend(fontsize=8, frameon=False)
    ratios.set(yscale="log", xlabel=f"n ({case.counts if isinstance(case, Sweep) else 'samples'})")
    low, high = ratios.get_ylim()
    ratios.set_ylim(min(low, 0.8), max(high, 1.25))  # the line of no difference is always in sight
    ratios.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1,)))
    ratios.axhline(1.0, color="0.6", linewidth=1)
    ratios.yaxis.set_major_formatter(FuncFormatter(lambda r, _: f"{r:g}x"))
    ratios.yaxis.set_minor_formatter(NullFormatter())
    for axis in (times, ratios):
        axis.grid(visible=True, which="major", color="0.9", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
