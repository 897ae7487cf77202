"""What each dear answer costs from cold: seconds of processors, and the most memory it takes.

``python -m benchmarks.trials.dear WORKSPACE [NAME ...]`` opens the workspace's first area anew in
a process of its own for each answer, its kernels loaded by the same question to a tiny town, and
asks as the service asks its processes. Beside each: seconds of processors, of a clock, the most
memory the process held (bar: `MOST_MB`), bytes and digest of the answer, by which two states of
the code are compared. It ends with 1 where a bar is missed.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import lifecircle as lc
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog import (
    circles_document,
    coverage_document,
    equity_document,
    gaps_document,
    headline_of,
    report_document,
    scorecard_document,
)
from lifecircle.service.catalog.access import accessibility_document
from lifecircle.service.catalog.catchments import catchments_document
from lifecircle.service.catalog.quality import quality_document
from lifecircle.service.catalog.siting.siting import siting_document
from lifecircle.service.catalog.siting.task import SitingTask
from lifecircle.service.catalog.tiers.referral import referral_document
from lifecircle.service.encoding import encode
from lifecircle.service.kept_files import HeldFile
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.ogc.items import written_layer
from lifecircle.service.ogc.selection import ItemsQuery
from lifecircle.service.report import report_page, report_workbook

MOST_MB: Final = 2_000.0
MOST_S: Final = {
    "gaps": 2.0,
    "gaps document": 2.0,
    "scorecard": 2.0,
    "report, page": 20.0,
}  # of processors, at a million cells
ROOT: Final = Path(__file__).resolve().parents[2]

ONE: Final = Question("health_centre")


def _map(layer: str) -> Callable[[Run], bytes]:
    return lambda run: map_page(run, layer, Question(), Page()).encode()


def _cells(form: str) -> Callable[[Run], HeldFile]:
    """As the service has files of large cities written: none of it in memory."""

    def write(run: Run) -> HeldFile:
        query = ItemsQuery.model_validate({"f": form})
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / "file"
            written_layer([run], "cells", query, form, "zh", to=str(to))
            return HeldFile(to)

    return write


ANSWERS: Final[dict[str, Callable[[Run], Any]]] = {
    "coverage": lambda run: coverage_document(run, ONE),
    "coverage of all": lambda run: coverage_document(run, Question()),
    "gaps": lambda run: lc.gaps(run.study, ONE),
    "gaps document": lambda run: gaps_document(run, ONE),
    "gaps of all": lambda run: gaps_document(run, Question()),
    "circles": lambda run: circles_document(run, Question(), kind=None),
    "catchments": lambda run: catchments_document(run, ONE, closed=True),
    "referral": lambda run: referral_document(run, Question()),
    "equity": lambda run: equity_document(run, Question()),
    "accessibility": lambda run: accessibility_document(run, ONE),
    "scorecard": scorecard_document,
    "headline": headline_of,
    "quality": quality_document,
    "siting": lambda run: siting_document(run, ONE, SitingTask(add=3)),
    "report, JSON": report_document,
    "report, page": lambda run: report_page(run, ("zh",)).encode(),
    "report, workbook": lambda run: report_workbook(run, "zh"),
    "map of coverage": _map("coverage"),
    "map of gaps": _map("gaps"),
    "map of catchments": _map("catchments"),
    "cells, XLSX": _cells("xlsx"),
    "cells, GeoPackage": _cells("gpkg"),
    "cells, GeoParquet": _cells("parquet"),
    "cells, CSV": _cells("csv"),
}  # fmt: skip


def ask(workspace: Path, name: str) -> dict[str, Any]:
    """Inside the process: one answer of the first area."""
    answer = ANSWERS[name]
    town = lc.tiny_town().run
    try:
        answer(town)
    except lc.LifecircleError as refused:  # a town too small for that question
        print(f"tiny town: {refused}", file=sys.stderr)
    opened = lc.open(workspace)
    area = next(iter(opened))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    began, clock = _cpu_s(), time.perf_counter()
    made = answer(opened[area].run)
    cpu_s, clock_s = _cpu_s() - began, time.perf_counter() - clock
    peak = _status_mb("VmHWM")
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(name, made):
        digest.update(piece)
        size += len(piece)
    return {
        "cpu_s": round(cpu_s, 2), "clock_s": round(clock_s, 2), "peak_mb": round(peak),
        "bytes": size, "sha256": digest.hexdigest()[:16],
    }  # fmt: skip


def _pieces(name: str, made: Any) -> Iterator[bytes]:
    if isinstance(made, HeldFile):
        return made.pieces()
    whole = made if isinstance(made, bytes) else repr(made).encode() if name == "gaps" else None
    return iter([encode(made) if whole is None else whole])


def _cpu_s() -> float:
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in told)


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 / 1e6


def main() -> int:
    """Each answer in a process of its own; 1 where one takes more than its bar."""
    workspace, *names = sys.argv[1:]
    missed = False
    for name in names or ANSWERS:
        command = [sys.executable, "-m", "benchmarks.trials.dear", "--ask", workspace, name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            missed = True
            print(f"{name}: FAILED\n{done.stderr[-2000:]}", flush=True)
            continue
        said = json.loads(done.stdout.splitlines()[-1])
        over = said["peak_mb"] > MOST_MB or said["cpu_s"] > MOST_S.get(name, float("inf"))
        missed = missed or over
        cost = f"{said['cpu_s']:>7.2f} s of processors {said['clock_s']:>7.2f} s of a clock"
        size = f"{said['peak_mb']:>6} MB {said['bytes']:>12,} B {said['sha256']}"
        print(f"{name:<20} {cost} {size} {'OVER' if over else ''}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1] == "--ask":
        print(json.dumps(ask(Path(sys.argv[2]), sys.argv[3])))
    else:
        sys.exit(main())
