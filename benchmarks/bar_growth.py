"""How building and answering grow with an area, and whether a million cells are borne.

The generated city at several sizes (`LIFECIRCLE_SCALES`, 1 and 2 when absent), each step in a
process of its own (`benchmarks.growth.steps`). The bar: ten times the rows cost at most fourteen
times as much (n log n), that is an exponent of 1.146, for seconds of processors and megabytes.
With `LIFECIRCLE_MILLION` also a drawn grid of a million cells. `LIFECIRCLE_GROWTH_KEPT` names a
file in which each finished size is kept: a run that was ended goes on from there.
`LIFECIRCLE_GROWTH_FILES` names a folder in which files and runs of each size stay: what was
written is not written again. ``python -m benchmarks.bar_growth STEP FOLDER`` is one step.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.bars import Row, Skip, skipped
from benchmarks.growth.steps import CLOCK, STEPS, Figures, all_steps, take_step

MOST: Final = math.log10(14)
KEPT: Final = "LIFECIRCLE_GROWTH_KEPT"
FOLDER: Final = "LIFECIRCLE_GROWTH_FILES"
BARS: Final = {"build peak, MB": 6000.0, "idle worker, MB": 500.0, "ready, s": 3.0,
               "first coverage, s": 1.0}  # fmt: skip
SECONDS: Final = (
    "build", "check", "open", "first coverage, s", "coverage", "gaps", "circles", "catchments",
    "scorecard", "siting", "what-if", "ready, s of processors",
)  # fmt: skip
SIZES: Final = ("build peak, MB", "on disk, MB", "idle worker, MB")


def measure() -> list[Row]:
    """The rows of growth: each figure at the smallest and the largest size, then a million cells.

    Raises
    ------
    Skip : fewer than two sizes.
    """
    scales = [float(one) for one in os.environ.get("LIFECIRCLE_SCALES", "1,2").split(",")]
    if len(set(scales)) < 2:
        raise Skip("growth takes two sizes or more: LIFECIRCLE_SCALES=1,2")
    found = _found(sorted(set(scales)))
    rows = [_growth(name, found) for name in (*SECONDS, *SIZES)]
    rows += [
        Row("growth", f"x{scale:g}", "-", "-", "-", None, "-", False, "was not finished")
        for scale in sorted(set(scales) - set(found))
    ]
    others = [name for name in next(iter(found.values())) if not name.endswith(CLOCK)]
    rows += [_series(name, found) for name in others if name not in (*SECONDS, *SIZES)]
    if os.environ.get("LIFECIRCLE_MILLION"):
        rows += _million()
    return rows


def _found(scales: list[float]) -> dict[float, Figures]:
    """The figures of every size, those kept by an earlier try as they are.

    What dies of its size ends the row; two sizes must be there.
    """
    kept = Path(os.environ.get(KEPT, os.devnull))
    held = kept.read_text("utf-8") if kept.exists() else ""
    lines = (json.loads(line) for line in held.splitlines())
    found = {scale: figures for scale, figures in lines if scale in scales}
    for scale in scales:
        if scale in found:
            continue
        try:
            found[scale] = _springcity(scale)
        except (RuntimeError, Skip) as died:
            print(f"x{scale:g}: {died}", file=sys.stderr, flush=True)
            if len(found) < 2:
                raise
            break
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps([scale, found[scale]]) + "\n")
    return dict(sorted(found.items()))


def _growth(name: str, found: dict[float, Figures]) -> Row:
    (small, *_, large) = found
    first, last = found[small][name], found[large][name]
    grown = exponent(name, found, small, large)
    unit = "" if name.endswith((", s", ", MB")) else " s"
    return Row("growth", name, f"{last:.3g}{unit} at x{large:g}", f"ourselves at x{small:g}",
               f"{first:.3g}{unit}", grown, f"exponent <= {MOST:.3f}", grown <= MOST,
               _told(name, found))  # fmt: skip


def exponent(name: str, found: dict[float, Figures], small: float, large: float) -> float:
    """How a figure grows from one size to another: 1 is in step with it."""
    return math.log(found[large][name] / found[small][name]) / math.log(large / small)


def _series(name: str, found: dict[float, Figures]) -> Row:
    (small, *_, large) = found
    first, last = found[small][name], found[large][name]
    return Row("growth", name, f"{last:.4g} at x{large:g}", f"ourselves at x{small:g}",
               f"{first:.4g}", exponent(name, found, small, large), "-", None,
               _all(name, found))  # fmt: skip


def _told(name: str, found: dict[float, Figures]) -> str:
    """A figure at all sizes, on a clock where there is one, and the exponent of each step."""
    steps = ", ".join(f"{exponent(name, found, *pair):.2f}" for pair in pairwise(found))
    clock = f"; on a clock {_all(name + CLOCK, found)}" if name + CLOCK in found[min(found)] else ""
    return f"{_all(name, found)}{clock}; exponents from one to the next {steps}"


def _all(name: str, found: dict[float, Figures]) -> str:
    return ", ".join(f"x{scale:g}: {one[name]:.4g}" for scale, one in found.items())


def _springcity(scale: float) -> Figures:
    with _folder(scale) as folder:
        take_step("write", folder, str(scale))
        return all_steps(folder)


@contextmanager
def _folder(scale: float) -> Iterator[str]:
    """Where a size is built: a folder for now, or one that stays, without the runs of before."""
    stays = os.environ.get(FOLDER)
    if not stays:
        with TemporaryDirectory() as folder:
            yield folder
        return
    folder = Path(stays) / f"x{scale:g}"
    folder.mkdir(parents=True, exist_ok=True)
    rmtree(folder / "workspace", ignore_errors=True)
    yield str(folder)


def _million() -> list[Row]:
    with TemporaryDirectory() as folder:
        try:
            take_step("million", folder)
            found = all_steps(folder)
        except Skip as reason:  # what took a quarter of an hour before it stays
            return [skipped("growth", "a million cells", str(reason))]
    told = [Row("growth", f"a million cells: {name}", f"{found[name]:.4g}", "-", "-", None,
                f"< {most:g}", found[name] < most) for name, most in BARS.items()]  # fmt: skip
    others = (name for name in found if name not in BARS)
    return told + [Row("growth", f"a million cells: {name}", f"{found[name]:.4g}", "-", "-", None,
                       "-", None) for name in others]  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
