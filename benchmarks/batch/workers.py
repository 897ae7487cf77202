"""How much faster a batch is with more Dask workers, and whether its runs are the same.

::

    python -m benchmarks.batch.workers                      # 40 cities, 1, 2 and 4 workers
    python -m benchmarks.batch.workers --cities 12 --namespaces
    python -m benchmarks.batch.workers --grids --cities 3000 --workers 4 --namespaces

Springcities cut to like sizes (300,000 residents and more) are built one after another in one
process, then by 1, 2 and 4 workers. The scheduler and the workers are up beforehand, as on a
cluster. Efficiency is the time of one worker ÷ (the time of n × the least of n and the cores); that
against one process, which starts nothing, stands beside it. The peer is the same cities through a
plain ``multiprocessing.Pool`` of one and of two processes. Of each run is told where the time went:
until the first city was begun, from the last one's end (the summary), and the seconds of processors
of the cities, of the batch's own process and of the cluster. `--namespaces` puts every worker into
a network of its own behind a bridge (Linux, root).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.bars import SEED
from benchmarks.batch.cities import contents, write_grids, write_springcities
from benchmarks.batch.cluster import Cluster, namespaces, run_batch_command
from lifecircle.service.batch.cities import read_plan
from lifecircle.service.batch.records import Records
from lifecircle.service.batch.run import tasks_of
from lifecircle.service.batch.work import run_city

_RESIDENTS: Final = 300_000
_BAR: Final = 0.85


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Build them in every way; seconds, efficiency, whether the bytes are the same."""
    if asked.grids:
        plan = write_grids(folder, asked.cities, np.random.default_rng(SEED))
    else:
        plan = write_springcities(folder, [_RESIDENTS] * asked.cities)
    cores = os.cpu_count() or 1
    out: dict[str, Any] = {"cities": asked.cities, "cores": cores, "load": os.getloadavg()[0]}
    wall, cpu = _timed(plan, folder / "serial", ["--runner", "here"])
    out["one_process"] = {"wall_s": wall, "cpu_s": cpu}
    wanted = contents(folder / "serial")
    for count in () if asked.grids else (1, 2):
        workspace = folder / f"pool{count}"
        out[f"pool_{count}"] = {
            "wall_s": _pooled(plan, workspace, count),
            "same_bytes": contents(workspace) == wanted,
        }
    if not asked.grids:
        side_by_side = out["pool_1"]["wall_s"] / out["pool_2"]["wall_s"]
        out["pool_2"]["efficiency"] = round(side_by_side / 2, 3)
    alone = 0.0
    for workers in asked.workers:
        workspace = folder / f"ws{workers}"
        with namespaces(workers if asked.namespaces else 0) as (host, prefix):
            cluster = Cluster(asked.port, workers, host=host, prefix=prefix)
            try:
                cluster.wait_for(workers)
                idle_s, begun = cluster.cpu_s(), time.time()
                took, used = _timed(plan, workspace, ["--scheduler", cluster.address])
                cluster_s = cluster.cpu_s() - idle_s
            finally:
                cluster.stop()
        alone = alone or took
        side = min(workers, cores)
        out[f"workers_{workers}"] = {
            "wall_s": took, "cpu_s": round(used + cluster_s, 1),
            **_spent(workspace, begun, took), "batch_cpu_s": used,
            "efficiency": round(alone / (took * side), 3),
            "efficiency_against_one_process": round(wall / (took * side), 3),
            "same_bytes": contents(workspace) == wanted,
        }  # fmt: skip
    out["bar"] = f"efficiency of 2 workers on 2 cores >= {_BAR}, every byte the same"
    return out


def _spent(workspace: Path, begun: float, took: float) -> dict[str, float]:
    """Seconds before the first city and after the last, and those of the cities' own processes."""
    records = Records(workspace)
    kept = [(records.of(file.stem), file.stat().st_mtime) for file in records.folder.glob("*.json")]
    found = [(record, ended) for record, ended in kept if record is not None]
    first = min(ended - record.seconds for record, ended in found)
    last = max(ended for _, ended in found)
    return {
        "before_first_s": round(first - begun, 1), "after_last_s": round(begun + took - last, 1),
        "cities_cpu_s": round(sum(record.cpu_s for record, _ in found), 1),
    }  # fmt: skip


def _pooled(plan: Path, workspace: Path, count: int) -> float:
    """Seconds of the cities in a plain pool of processes that end with them."""
    tasks = tasks_of(read_plan(plan), workspace, resume=False)
    since = time.monotonic()
    with get_context("spawn").Pool(count) as pool:
        texts = [replace(task, threads=1).to_json() for task in tasks]
        list(pool.imap_unordered(_build, texts))
    return round(time.monotonic() - since, 1)


def _build(text: str) -> None:
    run_city(text, apart=False)


def _timed(plan: Path, workspace: Path, more: list[str]) -> tuple[float, float]:
    before, since = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run_batch_command(plan, workspace, *more)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - since
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(wall, 1), round(used, 1)


def main() -> None:
    """Read the options, print the figures."""
    words = argparse.ArgumentParser()
    words.add_argument("--cities", type=int, default=40)
    words.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    words.add_argument("--port", type=int, default=8786)
    words.add_argument("--grids", action="store_true", help="small cities, without the peer")
    words.add_argument("--namespaces", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifecircle-workers-") as folder:
        print(json.dumps(measure(Path(folder), asked), indent=1))


if __name__ == "__main__":
    main()
