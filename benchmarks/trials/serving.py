"""Servers in processes of their own, and wrk asking them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bars import Skip
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key, revoke_key

ROOT = Path(__file__).resolve().parents[2]
IDLE_S = 0.1  # of processors, in two seconds
COMES_S, ENDS_S = 600, 60  # on a loaded machine
TICKS = os.sysconf("SC_CLK_TCK")
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # an installed package comes compiled
UNLIMITED = {"LIFECIRCLE_REQUESTS_PER_MINUTE": "100000000"}  # counted all the same
EMPTY = """
import sys
import uvicorn
from fastapi import FastAPI
from lifecircle.service.serving import server_options

app = FastAPI()

@app.get("/")
async def nothing() -> dict[str, str]:
    return {}

if __name__ == "__main__":
    told = server_options("text") | {"http": "httptools"}
    uvicorn.run("empty:app", port=int(sys.argv[1]), workers=int(sys.argv[2]), **told)
"""


@dataclass(frozen=True)
class Heard:
    """What wrk measured: requests a second, latencies, failures; processor time of the server."""

    rate: float
    p50_ms: float
    p99_ms: float
    wrong: int
    cpu_us: float


@dataclass(frozen=True)
class Served:
    """A server that answers at `base`, its first process `pid`.

    `ready_s`: of a clock, from its start to its first answer; `ready_cpu_s`: of processors.
    """

    base: str
    pid: int
    ready_s: float
    ready_cpu_s: float

    def ask(self, script: str, connections: int, seconds: float) -> Heard:
        """Ask with one thread of wrk for some seconds (at least one)."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ask.lua"
            path.write_text(script, encoding="utf-8")
            before = cpu_s(self.pid)
            command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
                       "--timeout", "30s", "-s", str(path), self.base]  # fmt: skip
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            used = cpu_s(self.pid) - before
        found = next((line for line in said.splitlines() if line.startswith("HEARD ")), None)
        if found is None:
            raise Skip(f"wrk said {said}")
        asked, took_us, p50_us, p99_us, wrong = map(int, found.split()[1:])
        return Heard(
            asked / took_us * 1e6, p50_us / 1e3, p99_us / 1e3, wrong, used / max(asked, 1) * 1e6
        )


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its living children so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    own = (int(fields[11]) + int(fields[12])) / TICKS
    return own + sum(cpu_s(int(child)) for child in children)


@contextmanager
def with_key(root: Path) -> Iterator[str]:
    """A valid key of a workspace, revoked at the end."""
    engine = open_database(root)
    key, written = add_key(engine, "benchmark", "viewer", None, "benchmark")
    try:
        yield written
    finally:
        revoke_key(engine, key.id, "benchmark")
        engine.dispose()


@contextmanager
def serve_workspace(root: Path, workers: int) -> Iterator[Served]:
    """``lifecircle serve`` of a workspace, warm."""
    command = [sys.executable, "-m", "lifecircle.service.cli", "serve", "--workspace", str(root),
               "--workers", str(workers), "--port"]  # fmt: skip
    with _serving(command, [], "/readyz", workers) as served:
        yield served


@contextmanager
def serve_empty(workers: int) -> Iterator[Served]:
    """An empty FastAPI route under the same flags, without a middleware."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty.py").write_text(EMPTY, encoding="utf-8")
        command = [sys.executable, str(Path(folder) / "empty.py")]
        with _serving(command, [str(workers)], "/", workers) as served:
            yield served


@contextmanager
def _serving(command: list[str], more: list[str], path: str, workers: int) -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    compiled = {name: held for name, held in os.environ.items() if name != _NO_BYTECODE}
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(port), *more],
        cwd=ROOT,
        env=compiled | UNLIMITED,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_for(base + path, process)
        ready_s, ready_cpu_s = time.perf_counter() - started, cpu_s(process.pid)
        for _ in range(8 * workers):  # each of the workers, more or less
            _wait_for(base + path, process)
        _wait_until_idle(process)
        yield Served(base, process.pid, ready_s, ready_cpu_s)
    finally:
        process.terminate()
        try:
            process.wait(timeout=ENDS_S)
        except subprocess.TimeoutExpired:  # its workers end with it
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + COMES_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise Skip("a server did not come up")


def _wait_until_idle(process: subprocess.Popen[bytes]) -> None:
    """Kernels are loaded, or compiled, beside the first requests: no measure of those."""
    until = time.monotonic() + COMES_S
    while time.monotonic() < until and process.poll() is None:
        used = cpu_s(process.pid)
        time.sleep(2)
        if cpu_s(process.pid) - used < IDLE_S:
            return
