"""A Dask cluster of processes for benchmarks, and deaths at random among those that build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import distributed
import numpy as np
import psutil

from lifecircle.service.batch.records import Records

_UP_S: Final = 60
_NET: Final = "10.213.7"
SETTINGS: Final = {  # as docs/batch.md tells
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "20",
    "DASK_DISTRIBUTED__WORKER__DAEMON": "false",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
_CLI: Final = "import sys; from lifecircle.service.cli import main; sys.exit(main())"


class Cluster:
    """A scheduler and workers, each a process of its own.

    `prefix`: words before the command of the workers, as ``ip netns exec NAME``, by number.
    """

    def __init__(
        self, port: int, workers: int, *, host: str = "127.0.0.1",
        prefix: Callable[[int], list[str]] | None = None,
    ) -> None:  # fmt: skip
        self.address = f"tcp://{host}:{port}"
        self.scheduler = _start(
            [], "dask_scheduler", "--port", port, "--no-dashboard", "--host", host
        )
        told: tuple[object, ...] = ("--nthreads", 1, "--no-dashboard")
        if prefix is None:
            self.workers = [_start([], "dask_worker", self.address, "--nworkers", workers, *told)]
        else:
            self.workers = [
                _start(prefix(i), "dask_worker", self.address, *told) for i in range(workers)
            ]

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers have come."""
        with distributed.Client(self.address, timeout=_UP_S) as client:
            client.wait_for_workers(workers, timeout=_UP_S)

    def cpu_s(self) -> float:
        """Seconds of processors that its processes and those below them, ended ones too, took."""
        found = 0.0
        for top in (*self.workers, self.scheduler):
            for one in (psutil.Process(top.pid), *psutil.Process(top.pid).children(recursive=True)):
                used = one.cpu_times()
                found += used.user + used.system + used.children_user + used.children_system
        return found

    def building(self, records: Records) -> list[tuple[int, str]]:
        """Processes of workers below which a city is being built, each with the step it is at."""
        found = []
        for nanny in self.workers:
            try:
                below = psutil.Process(nanny.pid).children(recursive=True)
            except psutil.Error:
                continue
            for one in below:
                step = _step_under(one, records)
                if step is not None:
                    found.append((one.pid, step))
        return found

    def stop(self) -> None:
        """End all processes and what they started."""
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGTERM)
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(timeout=_UP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(prefix: list[str], what: str, *words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", f"distributed.cli.{what}", *map(str, words)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | SETTINGS,
    )  # fmt: skip


def run_batch_command(plan: Path, workspace: Path, *more: str) -> int:
    """The exit code of ``lifecircle batch``, which says nothing."""
    command = batch_command(plan, workspace, *more)
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode


def batch_command(plan: Path, workspace: Path, *more: str) -> list[str]:
    """The words of ``lifecircle batch``, its summary beside the workspace."""
    out = workspace.with_name(f"{workspace.name}-out")
    words = ["batch", plan, "--workspace", workspace, "--out", out, "--lang", "en", *more]
    return [sys.executable, "-c", _CLI, *map(str, words)]


@contextmanager
def namespaces(
    count: int,
) -> Iterator[tuple[str, Callable[[int], list[str]] | None]]:
    """So many networks of their own behind a bridge: where the scheduler listens, how to enter.

    Linux with ``ip``, as root. 0: none, this machine's own address.
    """
    if count == 0:
        yield "127.0.0.1", None
        return
    mark = f"lc{os.getpid() % 10_000}"
    try:
        _ip(
            f"link add {mark} type bridge",
            f"addr add {_NET}.1/24 dev {mark}",
            f"link set {mark} up",
        )
        for i in range(count):
            name, here, there = f"{mark}-{i}", f"{mark}a{i}", f"{mark}b{i}"
            _ip(
                f"netns add {name}", f"link add {here} type veth peer name {there}",
                f"link set {here} master {mark}", f"link set {here} up",
                f"link set {there} netns {name}",
                f"-n {name} addr add {_NET}.{i + 2}/24 dev {there}",
                f"-n {name} link set {there} up",
                f"-n {name} link set lo up",
            )  # fmt: skip
        yield f"{_NET}.1", lambda i: ["ip", "netns", "exec", f"{mark}-{i}"]
    finally:
        for words in (*(f"netns del {mark}-{i}" for i in range(count)), f"link del {mark}"):
            subprocess.run(["ip", *words.split()], check=False, stderr=subprocess.DEVNULL)


def _ip(*commands: str) -> None:
    for words in commands:
        subprocess.run(["ip", *words.split()], check=True)


def _step_under(worker: psutil.Process, records: Records) -> str | None:
    """The step of the city that is built below a worker; None while none is begun.

    A city's process is a copy of a server below the worker; what it says goes to ``<city>.log``.
    """
    try:
        for server in worker.children():
            for child in server.children():
                city = Path(f"/proc/{child.pid}/fd/1").readlink()
                step_file = records.step_file(city.stem)
                if city.suffix == ".log" and step_file.stat().st_mtime >= child.create_time():
                    return records.step(city.stem)  # an older one: of a process killed before
    except (psutil.Error, OSError):
        pass
    return None


class Deaths:
    """Kills a worker that is building, at random times, until so many have died."""

    def __init__(self, workspace: Path, most: int, pause_s: float, seed: int) -> None:
        self.at: Counter[str] = Counter()
        self.cluster: Cluster | None = None
        self._records, self._most, self._pause_s = Records(workspace), most, pause_s
        self._rng = np.random.default_rng(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Deaths:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def count(self) -> int:
        """How many died while building."""
        return sum(self.at.values())

    def told(self) -> dict[str, Any]:
        """How many died, and at which step of a build."""
        return {"workers_killed_while_building": self.count, "killed_at_step": dict(self.at)}

    def _run(self) -> None:
        while self.count < self._most:
            if self._over.wait(float(self._rng.uniform(0.2, self._pause_s))):
                return
            busy = [] if self.cluster is None else self.cluster.building(self._records)
            if not busy:
                continue
            pid, step = busy[int(self._rng.integers(len(busy)))]
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.at[step] += 1
