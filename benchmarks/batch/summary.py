"""``python -m benchmarks.batch.summary``: what the summary of a country takes, beside its bar.

Drawn figures of 300 cities of 3,000 units (`--cities`, `--units`) and the services and the
scorecard of the policy; six cities are drawn, the others repeat them. Seconds of processors and of
a clock, the most memory, sizes of the files; ends with 1 where it took more than `MOST_MB`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import shapely

from benchmarks.bars import SEED
from lifecircle.analysis.policy import load_policy
from lifecircle.service.batch.records import FOLDER, Record
from lifecircle.service.batch.summary import write_summary

MOST_MB: Final = 1_500.0
DRAWN: Final = 6
CORNERS: Final = 24  # of a unit's shape


def write_figures(workspace: Path, cities: int, units: int) -> list[Record]:
    """Write the figures of drawn cities, as a batch leaves them; returns their records."""
    rng = np.random.default_rng(SEED)
    folder = workspace / FOLDER
    folder.mkdir(parents=True)
    for k in range(min(DRAWN, cities)):
        (folder / f"drawn{k}").write_bytes(orjson.dumps(_figures(rng, units)))
    records = []
    for i in range(cities):
        name = f"city{i:03d}"
        os.link(folder / f"drawn{i % DRAWN}", folder / f"{name}.figures")
        records.append(Record(name, "", "done", run="r1", residents=units * 1000))
    return records


def _figures(rng: np.random.Generator, units: int) -> dict[str, Any]:
    policy = load_policy()
    persons = rng.integers(500, 90_000, units)
    rows = () if policy.scorecard is None else tuple(policy.scorecard.rows.values())
    return {
        "area": "drawn", "run": "r1", "title": {"zh": "某市", "en": "A city"},
        "residents": int(persons.sum()), "policy": {"id": policy.id, "digest": ""},
        "services": [_service(rng, one.id, one.title.zh, persons) for one in
                     policy.services.values()],
        "rows": [
            {"id": row.id, "title": {"zh": row.title.zh, "en": row.title.en}, "status": "met",
             "value": float(rng.random()), "target": 0.8, "unit": "fraction",
             "direction": row.direction, "assessed_share": 1.0, "told": "80%",
             "unit_title": {"zh": "", "en": ""}}
            for row in rows
        ],
        "shapes": [
            {"code": f"{i:06d}", "name_en": None, "level": "community",
             "wkb": shapely.buffer(shapely.Point(*at), 0.005, quad_segs=CORNERS // 4).wkb_hex}
            for i, at in enumerate(rng.uniform((98, 22), (125, 45), (units, 2)))
        ],
    }  # fmt: skip


def _service(
    rng: np.random.Generator, service: str, title: str, persons: np.ndarray
) -> dict[str, Any]:
    covered = (persons * rng.random(len(persons))).astype(np.int64)
    return {
        "service": service, "title": {"zh": title, "en": service}, "minutes": 15.0,
        "by": "community", "total": _counted(int(persons.sum()), int(covered.sum())),
        "units": [
            {"code": f"{i:06d}", "name": f"社区{i}", **_counted(of, held)}
            for i, (of, held) in enumerate(zip(persons.tolist(), covered.tolist(), strict=True))
        ],
    }  # fmt: skip


def _counted(of: int, held: int) -> dict[str, Any]:
    return {"residents": of, "covered": held, "not_covered": of - held, "not_assessed": 0,
            "U": None, "P": held / of, "L": None, "C": None}  # fmt: skip


def main() -> int:
    """Draw, summarise, tell; 1 where it took more memory than the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=300)
    parser.add_argument("--units", type=int, default=3_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        records = write_figures(root / "ws", given.cities, given.units)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        cpu, clock = time.process_time(), time.perf_counter()
        files = write_summary(records, root / "ws", root / "out", "zh")
        took = {"cpu_s": time.process_time() - cpu, "clock_s": time.perf_counter() - clock}
        sizes = {file.name: round(file.stat().st_size / 1e6, 1) for file in files}
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    told = {name: round(seconds, 1) for name, seconds in took.items()}
    print(json.dumps(told | {"peak_mb": round(peak), "mb": sizes}))
    met = "yes" if peak <= MOST_MB else "NO"
    print(f"most memory {peak:.0f} MB, wanted <= {MOST_MB:.0f}: {met}")
    return 0 if peak <= MOST_MB else 1


if __name__ == "__main__":
    sys.exit(main())
