"""``python -m benchmarks.desk.edits [--scale S] [--draws N]``: what an edit costs, beside its bar.

The generated city (`LIFECIRCLE_LOAD_1`, else it is built), places drawn from a seed, after two
tries that are not counted: one facility for its service, a footbridge for all services, and both
with catchments, circles and scorecard. Wall-clock and processor milliseconds, medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from benchmarks.bar_f import AREA, built
from benchmarks.bars import SEED
from benchmarks.where import load
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.scenario import PARTS, Baseline, scenario
from lifecircle.analysis.results.store import Workspace

SERVICES = PARTS[:1]
Edits = list[dict[str, Any]]


def centre(lon: float, lat: float) -> Edits:
    """One health centre more."""
    return [{"op": "add_facility", "service": "health_centre", "lon": lon, "lat": lat}]


def footbridge(lon: float, lat: float) -> Edits:
    """A footbridge of some 150 m from a junction."""
    line = [[lon, lat], [lon + 0.0012, lat + 0.0008]]
    return [{"op": "add_way", "kind": "footbridge", "coordinates": line}]


def main() -> int:
    """Measure; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk.edits", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the generated city")
    parser.add_argument("--draws", type=int, default=24)
    given = parser.parse_args()
    with built(given.scale) as (root, _):
        study = Workspace(root).open(AREA).study
    question, rng = Question(), np.random.default_rng(SEED)
    bases = {parts: Baseline.of(study, question, parts) for parts in (SERVICES, PARTS)}
    found = []
    for what, draw, parts, bar_ms in (
        ("one facility, its service", centre, SERVICES, 10.0),
        ("a footbridge, all services", footbridge, SERVICES, 150.0),
        ("one facility, everything", centre, PARTS, 1000.0),
        ("a footbridge, everything", footbridge, PARTS, 1000.0),
    ):
        homes = study.city.cells.xy_m if draw is centre else study.city.network.node_xy_m
        rows = rng.integers(len(homes), size=given.draws + 2)
        walls, works = [], []
        for lon, lat in to_lonlat(homes[rows], study.city.crs).tolist():
            wall, work = time.perf_counter(), time.process_time()
            edits = read_edits(study, draw(lon, lat))
            scenario(study, edits, question, parts=parts, baseline=bases[parts])
            walls.append(1000 * (time.perf_counter() - wall))
            works.append(1000 * (time.process_time() - work))
        wall, work = statistics.median(walls[2:]), statistics.median(works[2:])
        found.append(wall <= bar_ms)
        print(f"{what:<28}{wall:8.1f} ms (processor {work:6.1f})   bar <= {bar_ms:,.0f}")
    print(f"load {load()}")
    return 0 if all(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
