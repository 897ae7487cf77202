"""Many drawn cities through a Dask scheduler while workers, and once the scheduler, are killed.

::

    python -m benchmarks.batch.storm --cities 40 --workers 2 --kills 20 --kill-scheduler
    python -m benchmarks.batch.storm --springcities --cities 300 --same 12 \
        --kills 60 --pause 16 --kill-scheduler --drawn DIR

Grids of streets, or springcities of drawn sizes (equally many of each order of size). They go
through the scheduler with deaths at random among the workers that build; some of them, or all, are
built one after another in one process besides, and every file of every run has to have the same
bytes. Printed as JSON: seconds, deaths and at which step, cities done, whether the runs are the
same, and for springcities the seconds that unit costs give beforehand (docs/scale.md).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.batch.cities import contents, draw_sizes, write_grids, write_springcities
from benchmarks.batch.cluster import Cluster, Deaths, batch_command, run_batch_command
from lifecircle.service.batch.cities import read_plan
from lifecircle.service.batch.records import Record, Records

SEED: Final = 2026
_MOST_TRIES: Final = 4
_MORE: Final = "retries = 2\n"
_BUILD_S, _START_S = 6.7, 0.6  # docs/scale.md: of a million residents; of a city beside it


def storm(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Run it; what is printed."""
    rng = np.random.default_rng(SEED)
    since = time.monotonic()
    plan = _plan(folder if asked.drawn is None else asked.drawn, asked, rng)
    names = list(read_plan(plan).cities)[: asked.cities]
    every = [word for name in names for word in ("--only", name)]
    same = sorted(rng.permutation(names)[: asked.same or len(names)].tolist())
    out: dict[str, Any] = {
        "cities": len(names), "workers": asked.workers, "load": os.getloadavg()[0],
        "drawn_s": round(time.monotonic() - since, 1),
    }  # fmt: skip
    only = [word for name in same for word in ("--only", name)]
    wall, cpu, code = _batch(plan, folder / "serial", "--runner", "here", *only)
    out |= {"serial_cities": len(same), "serial_s": wall, "serial_cpu_s": cpu}
    if code:
        return out | {"serial_exit_code": code}
    out |= _through_the_storm(plan, folder / "ws", every, asked)
    records = [Records(folder / "ws").of(name) for name in names]
    kept = [record for record in records if record is not None and record.state == "done"]
    one, other = contents(folder / "serial"), contents(folder / "ws", set(same))
    out |= {"done": len(kept), "files": len(one), "same_bytes": one == other}
    return out | (_predicted(kept) if asked.springcities else {})


def _plan(folder: Path, asked: argparse.Namespace, rng: np.random.Generator) -> Path:
    """The file of the batch; cities are drawn where the folder has none."""
    plan = folder / "cities.toml"
    if plan.is_file():
        return plan
    folder.mkdir(parents=True, exist_ok=True)
    if not asked.springcities:
        return write_grids(folder, asked.cities, rng, _MORE)
    sizes = draw_sizes(asked.cities, asked.low, asked.high, rng)
    return write_springcities(folder, sizes, more=_MORE)


def _through_the_storm(
    plan: Path, workspace: Path, every: list[str], asked: argparse.Namespace
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    since = time.monotonic()
    tries, code = 0, 3
    with Deaths(workspace, asked.kills, asked.pause, SEED) as deaths:
        while code and tries < _MOST_TRIES:
            tries += 1
            deaths.cluster = cluster = Cluster(asked.port, asked.workers)
            more = ["--scheduler", cluster.address, *every, *(["--resume"] if tries > 1 else [])]
            batch = subprocess.Popen(
                batch_command(plan, workspace, *more),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            if asked.kill_scheduler and tries == 1:
                done = workspace / ".batch"
                while batch.poll() is None and len([*done.glob("*.json")]) < len(every) // 4:
                    time.sleep(0.2)
                out["done_when_scheduler_died"] = len([*done.glob("*.json")])
                cluster.scheduler.kill()
            _, told = batch.communicate()
            code = batch.returncode
            if code:
                out[f"said_{tries}"] = told.decode(errors="replace").strip().splitlines()[-1:]
            deaths.cluster = None
            cluster.stop()
    wall = round(time.monotonic() - since, 1)
    return out | {"dask_s": wall, "batches": tries, "exit_code": code} | deaths.told()


def _batch(plan: Path, workspace: Path, *more: str) -> tuple[float, float, int]:
    """Seconds, processor seconds and exit code of a batch."""
    since, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    code = run_batch_command(plan, workspace, *more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(time.monotonic() - since, 1), round(cpu, 1), code


def _predicted(kept: list[Record]) -> dict[str, Any]:
    """Seconds by the unit costs beside those that the cities' processes took."""
    residents = sum(record.residents or 0 for record in kept)
    return {
        "residents": residents, "least_and_most_residents": [
            min((record.residents or 0 for record in kept), default=0),
            max((record.residents or 0 for record in kept), default=0),
        ],
        "predicted_cpu_s": round(residents / 1e6 * _BUILD_S + len(kept) * _START_S, 1),
        "cities_cpu_s": round(sum(record.cpu_s for record in kept), 1),
        "cities_wall_s": round(sum(record.seconds for record in kept), 1),
        "largest_peak_mb": max((record.peak_mb for record in kept), default=0),
    }  # fmt: skip


def main() -> None:
    """Read the options, print the outcome."""
    words = argparse.ArgumentParser()
    words.add_argument("--cities", type=int, default=40)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--kills", type=int, default=0)
    words.add_argument("--kill-scheduler", action="store_true")
    words.add_argument("--pause", type=float, default=4.0, help="seconds between deaths, at most")
    words.add_argument("--port", type=int, default=8786)
    words.add_argument("--springcities", action="store_true", help="instead of grids")
    words.add_argument("--low", type=int, default=30_000, help="least residents")
    words.add_argument("--high", type=int, default=1_000_000, help="most residents")
    words.add_argument("--same", type=int, default=0, help="compare so many, 0 for all")
    words.add_argument("--keep", type=Path, default=None, help="keep everything in this folder")
    words.add_argument(
        "--drawn",
        type=Path,
        default=None,
        help="folder of the cities: there already, or drawn there",
    )
    asked = words.parse_args()
    if asked.keep is not None:
        asked.keep.mkdir(parents=True)
        print(json.dumps(storm(asked.keep, asked), indent=1))
        return
    with tempfile.TemporaryDirectory(prefix="lifecircle-storm-") as folder:
        print(json.dumps(storm(Path(folder), asked), indent=1))


if __name__ == "__main__":
    main()
