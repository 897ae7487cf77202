"""Many drawn cities through a Dask scheduler while workers, and once the scheduler, are killed.

::

    python -m benchmarks.batch_storm --cities 40 --workers 2 --kills 20 --kill-scheduler

Cities are grids of streets of drawn sizes. They are built one after another in one process first;
then through the scheduler, with deaths at random; every file of every run has to have the same
bytes. Printed as JSON: seconds, deaths, cities done, whether the runs are the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from lifecircle.service.batch.cities import read_plan
from lifecircle.service.batch.run import run_batch
from lifecircle.service.batch.runners import Here

SEED = 2026
_DEGREE_M = 111_320.0
_UP_S = 60
_CLI = "import sys; from lifecircle.service.cli import main; sys.exit(main())"


def draw_city(folder: Path, name: str, rng: np.random.Generator) -> str:
    """A grid of streets with residents and places; its table for the file of the batch."""
    side = int(rng.integers(4, 24))
    step = 120 / _DEGREE_M
    nodes = [
        f'<node id="{x * side + y + 1}" lon="{x * step:.7f}" lat="{y * step:.7f}"/>'
        for x in range(side)
        for y in range(side)
    ]
    lines = [[x * side + y + 1 for y in range(side)] for x in range(side)]
    lines += [[x * side + y + 1 for x in range(side)] for y in range(side)]
    ways = []
    for i, line in enumerate(lines, start=1):
        refs = "".join(f'<nd ref="{n}"/>' for n in line)
        ways.append(f'<way id="{i}">{refs}<tag k="highway" v="residential"/></way>')
    text = f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>'
    (folder / f"{name}.osm").write_text(text, encoding="utf-8")
    spots = rng.uniform(0, side * step, (side * 20, 2))
    people = rng.integers(1, 400, len(spots))
    rows = [f"{x:.6f},{y:.6f},{n}" for (x, y), n in zip(spots, people, strict=True)]
    (folder / f"{name}.csv").write_text("lon,lat,population\n" + "\n".join(rows), encoding="utf-8")
    kinds = ("pharmacy", "park", "health_centre", "market")
    places = [
        f"{kinds[i % 4]},p{i},{x:.6f},{y:.6f}"
        for i, (x, y) in enumerate(rng.uniform(0, side * step, (side, 2)))
    ]
    (folder / f"{name}-places.csv").write_text(
        "type,name,lon,lat\n" + "\n".join(places), encoding="utf-8"
    )
    return (
        f'[cities.{name}]\nosm = "{name}.osm"\npopulation = ["{name}.csv"]\n'
        f'facilities = ["{name}-places.csv"]\n'
    )


def contents(workspace: Path) -> dict[str, str]:
    """Digest of every file of every current run, but of those that hold the time."""
    found = {}
    for pointer in workspace.glob("*/current"):
        run = pointer.parent / "runs" / pointer.read_text(encoding="utf-8").strip()
        for file in run.iterdir():
            if file.name != "manifest.json":
                name = f"{pointer.parent.name}/{file.name}"
                found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


class Cluster:
    """A scheduler and workers, each a process of its own, and what kills them."""

    def __init__(self, port: int, workers: int) -> None:
        self.address = f"tcp://127.0.0.1:{port}"
        self._run("dask_scheduler", "--port", port, "--no-dashboard", "--host", "127.0.0.1")
        self.workers = self._run(
            "dask_worker", self.address, "--nworkers", workers, "--nthreads", 1, "--no-dashboard"
        )

    def _run(self, what: str, *words: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{what}", *map(str, words)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "20",
                              "DASK_DISTRIBUTED__WORKER__DAEMON": "false"},
        )  # fmt: skip
        if what == "dask_scheduler":
            self.scheduler = process
        return process

    def kill_a_worker(self, rng: np.random.Generator) -> bool:
        """Kill one worker that has a city's process below it."""
        busy = []
        for one in psutil.Process(self.workers.pid).children(recursive=True):
            try:
                if any("one_city" in " ".join(child.cmdline()) for child in one.children()):
                    busy.append(one.pid)
            except psutil.Error:
                continue
        if not busy:
            return False
        os.kill(int(rng.choice(busy)), signal.SIGKILL)
        return True

    def stop(self) -> None:
        """End both processes and what they started."""
        for process in (self.workers, self.scheduler):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=_UP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def storm(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Run it; what is printed."""
    rng = np.random.default_rng(SEED)
    plan = folder / "cities.toml"
    head = '[defaults]\ndatum = "wgs84"\npolicy = "cn-15min"\nretries = 2\n'
    tables = [draw_city(folder, f"city{i:03}", rng) for i in range(asked.cities)]
    plan.write_text(head + "\n".join(tables), encoding="utf-8")
    since = time.monotonic()
    cpu = time.process_time()
    list(run_batch(read_plan(plan), folder / "serial", Here()))
    out: dict[str, Any] = {
        "cities": asked.cities, "workers": asked.workers, "load": os.getloadavg()[0],
        "serial_s": round(time.monotonic() - since, 1),
        "serial_cpu_s": round(time.process_time() - cpu, 1),
    }  # fmt: skip
    killed, over = 0, threading.Event()
    cluster = Cluster(asked.port, asked.workers)

    def kill() -> None:
        nonlocal killed
        while killed < asked.kills and not over.wait(float(rng.uniform(0.5, asked.pause))):
            killed += cluster.kill_a_worker(rng)

    killer = threading.Thread(target=kill)
    killer.start()
    since = time.monotonic()
    tries, code = 0, 3
    while code and tries < 4:
        words = ["batch", plan, "--workspace", folder / "ws", "--out", folder / "out"]
        words += ["--scheduler", cluster.address, *(["--resume"] if tries else [])]
        tries += 1
        batch = subprocess.Popen(
            [sys.executable, "-c", _CLI, *map(str, words)], stdout=subprocess.DEVNULL
        )
        if asked.kill_scheduler and tries == 1:
            done = folder / "ws" / ".batch"
            while batch.poll() is None and len([*done.glob("*.json")]) < asked.cities // 2:
                time.sleep(0.2)
            out["done_when_scheduler_died"] = len([*done.glob("*.json")])
            cluster.scheduler.kill()
        code = batch.wait()
        if code and tries < 4:
            cluster.stop()
            cluster = Cluster(asked.port, asked.workers)
    over.set()
    killer.join()
    cluster.stop()
    one, other = contents(folder / "serial"), contents(folder / "ws")
    return out | {
        "dask_s": round(time.monotonic() - since, 1), "batches": tries, "exit_code": code,
        "workers_killed": killed, "done": len({name.partition("/")[0] for name in other}),
        "files": len(one), "same_bytes": one == other,
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
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifecircle-storm-") as folder:
        print(json.dumps(storm(Path(folder), asked), indent=1))


if __name__ == "__main__":
    main()
