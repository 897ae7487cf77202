"""Bar f: requests a second beside an empty FastAPI route, one worker, 16 connections."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bars import SEED, Row, Skip, shared_file
from lifecircle.analysis.facts import BuildRequest
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.results.store import Workspace

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS, SECONDS, ROUNDS = 16, 4, 3
BAR_POINT, BAR_COVERAGE = 0.45, 0.60
EMPTY = """
import sys
import uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
async def nothing() -> dict[str, str]:
    return {}

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools")
"""
OURS = """
import sys
from pathlib import Path
import uvicorn
from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings

settings = Settings(workspace=Path(sys.argv[2]), port=int(sys.argv[1]))
uvicorn.run(create_app(settings), port=settings.port, log_level="error", loop="uvloop",
            http="httptools")
"""


def random_points(west: float, south: float, east: float, north: float) -> str:
    """A script for wrk: every request asks about another place of a box."""
    return f"""
math.randomseed({SEED})
request = function()
  local lon = {west} + math.random() * {east - west}
  local lat = {south} + math.random() * {north - south}
  return wrk.format("GET", string.format("/areas/malta/point?lon=%.6f&lat=%.6f", lon, lat))
end
"""


@contextmanager
def serving(code: str, path: str, *arguments: str) -> Iterator[str]:
    """A server in a process of its own, answering at `path`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", code, str(port), *arguments], cwd=ROOT)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(base + path, timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        else:
            raise Skip("a server did not come up")
        yield base
    finally:
        process.terminate()
        process.wait(timeout=30)


def per_second(url: str, script: Path | None = None) -> float:
    """Requests a second by wrk; every answer has to be a success."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
    command += ["-s", str(script)] if script else []
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise Skip(f"{url} did not always succeed: {said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None:
        raise Skip(f"wrk said {said}")
    return float(found.group(1))


def measure() -> list[Row]:
    """The rows of bar f; the servers take turns, the median of the rounds counts."""
    if shutil.which("wrk") is None:
        raise Skip("wrk is not installed (Debian package wrk)")
    pbf = shared_file("malta/malta-latest.osm.pbf")
    councils = shared_file("malta/malta_local_councils_pop.gpkg")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        run = build_area(
            BuildRequest("malta", osm=pbf, units=(councils,)), Workspace(workspace)
        )  # fmt: skip
        script = Path(folder) / "points.lua"
        script.write_text(random_points(*run.manifest.bbox), encoding="utf-8")
        table = "/areas/malta/coverage?service=pharmacy"
        rates: dict[str, list[float]] = {"empty": [], "point": [], "coverage": []}
        with serving(EMPTY, "/") as empty, serving(OURS, "/readyz", str(workspace)) as ours:
            with urllib.request.urlopen(ours + table, timeout=60):
                pass  # the first answer is worked out, the rest are what a planner's day is
            for _ in range(ROUNDS):
                rates["empty"].append(per_second(f"{empty}/"))
                rates["point"].append(per_second(f"{ours}/", script))
                rates["coverage"].append(per_second(ours + table))
    middle = {name: sorted(values)[ROUNDS // 2] for name, values in rates.items()}

    def row(what: str, name: str, bar: float, note: str) -> Row:
        share = middle[name] / middle["empty"]
        return Row("f", what, f"{middle[name]:,.0f}/s", "empty FastAPI route",
                   f"{middle['empty']:,.0f}/s", share, f">= {bar:.0%} of it", share >= bar,
                   note)  # fmt: skip

    return [
        row("/point, another place each time", "point", BAR_POINT, f"{len(run.manifest.services)} "
            "services each"),
        row("a coverage table", "coverage", BAR_COVERAGE, "of 67 units, kept after the first"),
    ]  # fmt: skip
