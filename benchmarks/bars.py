"""What a benchmark hands back, and how it is timed: medians over interleaved repeats."""

from __future__ import annotations

import gc
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SEED = 2022
SAMPLE_S = 0.05
LIMIT_M = 1080.0  # the metre limit the peers were measured with; occurs in benchmarks only


class Skip(Exception):
    """A benchmark that cannot run here, with the reason."""


@dataclass(frozen=True)
class Row:
    """One comparison: our figure, the peer's, their ratio, the bar and whether it is met.

    `ratio` is what the bar speaks of (times faster, or times as long: see `wanted`).
    `met` is None where no bar is set or the peer is absent.
    """

    bar: str
    what: str
    ours: str
    peer: str
    peer_value: str
    ratio: float | None
    wanted: str
    met: bool | None
    note: str = ""


def skipped(bar: str, what: str, reason: str) -> Row:
    """A row that says why nothing was measured."""
    return Row(bar, what, "-", "-", "-", None, "-", None, f"skipped: {reason}")


def shared_file(name: str) -> Path:
    """A file of the shared data: `LIFECIRCLE_SHARED`, else ``../shared/data`` beside the tree.

    Raises
    ------
    Skip
        The file is not there.
    """
    given = os.environ.get("LIFECIRCLE_SHARED")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = (Path(given) if given else beside) / name
    if not path.is_file():
        raise Skip(f"{name} is not under LIFECIRCLE_SHARED or ../shared/data")
    return path


def medians_s(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each run; the runs take turns, so that noise meets all of them.

    A sample repeats a short run until it lasts `SAMPLE_S`, as timeit does: a run of a few
    milliseconds would otherwise be timed with caches that the collector has just emptied.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    times = dict.fromkeys(runs, 1)
    for name, run in runs.items():
        if repeats > 2:
            run()  # warm: compiled code, page cache
            times[name] = max(1, math.ceil(SAMPLE_S / _seconds_of(run, 1)))
    for _ in range(repeats):
        for name, run in runs.items():
            gc.collect()
            seconds[name].append(_seconds_of(run, times[name]))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _seconds_of(run: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - started) / times


def repeats() -> int:
    """How often whole processes are timed: `LIFECIRCLE_REPEATS`, else three times."""
    return max(1, int(os.environ.get("LIFECIRCLE_REPEATS", "3")))


def ms(seconds: float) -> str:
    """Seconds as milliseconds for the table."""
    value = 1000 * seconds
    return f"{value:,.2f} ms" if value < 10 else f"{value:,.0f} ms"


def table(rows: Sequence[Row]) -> str:
    """The rows as plain text in columns."""
    head = ("bar", "what", "ours", "peer", "peer's", "ratio", "wanted", "met")
    met = {True: "yes", False: "NO", None: "-"}
    lines = [head] + [
        (r.bar, r.what, r.ours, r.peer, r.peer_value,
         "-" if r.ratio is None else f"{r.ratio:.2f}", r.wanted, met[r.met])
        for r in rows
    ]  # fmt: skip
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip()
            for line in lines]  # fmt: skip
    text.insert(1, "  ".join("-" * w for w in width))
    notes = [f"{r.bar} {r.what}: {r.note}" for r in rows if r.note]
    return "\n".join([*text, "", *notes])


def as_json(measured: Mapping[str, Any]) -> str:
    """Bars as JSON: each with its rows and where and when they were measured."""
    return json.dumps(measured, ensure_ascii=False, indent=1)


def as_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as plain records."""
    return [asdict(row) for row in rows]
