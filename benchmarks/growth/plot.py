"""docs/growth.svg: every figure of growth over the size, both logarithmic, beside its bar."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_POINT: Final = re.compile(r"x([\d.]+): ([\d.e+-]+)")
_BAR: Final = "exponent"  # rows that are held against it


def draw_growth(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw rows of growth, as they stand in docs/performance.json, into a file.

    Each figure as its multiple of the smallest size; the bar and growth in step with the size as
    dashed lines. Same rows, same bytes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    drawn = {row["what"]: sizes_of(row["note"]) for row in rows if row["wanted"].startswith(_BAR)}
    figure = Figure(figsize=(7.6, 4.8), layout="constrained")
    axes = figure.subplots()
    marks = "osD^v<>pPX*hd8"
    ends = []
    for number, (what, sizes) in enumerate(drawn.items()):
        at = list(sizes)
        grown = [sizes[one] / sizes[at[0]] for one in at]
        axes.plot(at, grown, color=f"C{number % 10}", marker=marks[number % len(marks)],
                  markersize=4, linewidth=1, label=what)  # fmt: skip
        ends = at
    bar = float(next(r["wanted"] for r in rows if r["wanted"].startswith(_BAR)).split()[-1])
    for slope, named in ((bar, f"bar: exponent {bar:g}"), (1.0, "in step with the size")):
        axes.plot(ends, [(one / ends[0]) ** slope for one in ends], "k--" if slope == bar else "k:",
                  linewidth=1, label=named)  # fmt: skip
    axes.set(xscale="log", yscale="log", ylabel="times the figure of the smallest size",
             xlabel="size of the generated city (x1: 1.0 million residents)")  # fmt: skip
    axes.set_xticks(ends, [f"x{one:g}" for one in ends])
    axes.minorticks_off()
    axes.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axes.grid(visible=True, linewidth=0.3)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def sizes_of(note: str) -> dict[float, float]:
    """The first figures that a note tells, by size."""
    return {float(size): float(figure) for size, figure in _POINT.findall(note.partition(";")[0])}
