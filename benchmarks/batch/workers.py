"""How much faster a batch is with more Dask workers, and whether its runs are the same.

::

    python -m benchmarks.batch.workers                      # 40 cities, 1, 2 and 4 workers
    python -m benchmarks.batch.workers --cities 12 --namespaces

Springcities cut to like sizes (300,000 residents and more) are built one after another in one
process, then by 1, 2 and 4 workers. The scheduler and the workers are up beforehand, as on a
cluster. Efficiency is the time of one worker ÷ (the time of n × the least of n and the cores); that
against one process, which starts nothing, stands beside it. `--namespaces` puts every worker into
a network of its own behind a bridge (Linux, root).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.batch.cities import contents, write_springcities
from benchmarks.batch.cluster import Cluster, namespaces, run_batch_command

_RESIDENTS: Final = 300_000
_BAR: Final = 0.85


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Build them in every way; seconds, efficiency, whether the bytes are the same."""
    plan = write_springcities(folder, [_RESIDENTS] * asked.cities)
    cores = os.cpu_count() or 1
    out: dict[str, Any] = {"cities": asked.cities, "cores": cores, "load": os.getloadavg()[0]}
    wall, cpu = _timed(plan, folder / "serial", ["--runner", "here"])
    out["one_process"] = {"wall_s": wall, "cpu_s": cpu}
    wanted = contents(folder / "serial")
    alone = 0.0
    for workers in asked.workers:
        workspace = folder / f"ws{workers}"
        with namespaces(workers if asked.namespaces else 0) as (host, prefix):
            cluster = Cluster(asked.port, workers, host=host, prefix=prefix)
            try:
                cluster.wait_for(workers)
                took, used = _timed(plan, workspace, ["--scheduler", cluster.address])
                used += cluster.cpu_s()
            finally:
                cluster.stop()
        alone = alone or took
        side = min(workers, cores)
        out[f"workers_{workers}"] = {
            "wall_s": took, "cpu_s": round(used, 1),
            "efficiency": round(alone / (took * side), 3),
            "efficiency_against_one_process": round(wall / (took * side), 3),
            "same_bytes": contents(workspace) == wanted,
        }  # fmt: skip
    out["bar"] = f"efficiency of 2 workers on 2 cores >= {_BAR}, every byte the same"
    return out


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
    words.add_argument("--namespaces", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifecircle-workers-") as folder:
        print(json.dumps(measure(Path(folder), asked), indent=1))


if __name__ == "__main__":
    main()
