"""``python -m benchmarks.trials.week``: what a bureau does with its service in a week, in minutes.

A drawn town is built by an earlier lifecircle (a commit of this repository) and taken over by this
one: opened, served, replaced, pruned, backed up and restored; keys are made and revoked, logs
rotated, the disk fills up; every command that docs/operations.md tells is run word for word. Each
step is checked and told with its seconds; 1 where one fails.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AREA = "town"
QUESTION = f"/areas/{AREA}/coverage?service=health_centre"
EARLIER = ("analysis", "service", "lifecircle")
COMES_S, KNOWN_S = 240.0, 3.0
ROOM_BYTES = 24_000_000  # of the small disk, beside twice the workspace
COMMAND = re.compile(r"`(lifecircle [^`]+)`")
# Commands of the page that stand for a whole chapter of their own, or name what nobody has here.
ELSEWHERE = {
    "lifecircle build NAME ...", "lifecircle batch", "lifecircle check", "lifecircle backup",
    "lifecircle key revoke oidc...",
}  # fmt: skip


@dataclass
class Bureau:
    """The folders of the week, which lifecircle is run, and what was found."""

    folder: Path
    earlier: Path | None
    failed: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        """The workspace in daily use."""
        return self.folder / "ws"

    def run(
        self, *words: str | Path, earlier: bool = False, workspace: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One command, of this lifecircle or of the earlier one."""
        return subprocess.run(
            [*self.program(), *map(str, words)],
            env=self.environment(earlier, workspace), cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    def program(self) -> list[str]:
        """What runs ``lifecircle``."""
        return [sys.executable, "-P", "-m", "lifecircle.service.cli"]

    def environment(self, earlier: bool = False, workspace: Path | None = None) -> dict[str, str]:
        """The variables of a process."""
        told = {
            "LIFECIRCLE_WORKSPACE": str(workspace or self.workspace),
            "LIFECIRCLE_LANGUAGE": "en",
            "COLUMNS": "200",
        }
        if earlier:
            told["PYTHONPATH"] = str(self.earlier)
        return {**os.environ, **told}

    def build(self, *, earlier: bool = False, workspace: Path | None = None, **more: str) -> Any:
        """Build the town."""
        given = {"osm": "town.osm", "population": "cells.csv", "facilities": "facilities.csv",
                 "statistics": "statistics.csv", **more}  # fmt: skip
        words: list[str | Path] = ["build", AREA, "--datum", "wgs84"]
        for name, file in given.items():
            words += [f"--{name}", self.folder / "in" / file]
        for units in ("subdistricts.geojson", "communities.geojson"):
            words += ["--units", self.folder / "in" / units]
        return self.run(*words, earlier=earlier, workspace=workspace)

    def step(self, what: str, work: Callable[[], str | None]) -> None:
        """Do one thing and say how it went."""
        began = time.monotonic()
        try:
            said = work() or ""
            word = "ok"
        except (AssertionError, OSError, ValueError, KeyError, http.client.HTTPException) as fault:
            said, word = f"{type(fault).__name__}: {str(fault)[:600]}", "FAILED"
            self.failed.append(what)
        print(f"{word:6} {time.monotonic() - began:6.1f} s  {what}  {said}", flush=True)


def unpack_earlier(revision: str, folder: Path) -> Path:
    """The packages of a commit, laid out as they are installed."""
    tree = subprocess.run(
        ["git", "archive", revision, *EARLIER], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "x", "-C", folder], input=tree.stdout, check=True)
    installed = folder / "installed"
    shutil.copytree(folder / "lifecircle", installed / "lifecircle")
    for room in ("analysis", "service"):
        (installed / "lifecircle" / room).symlink_to(folder / room)
    return installed


@dataclass(frozen=True)
class Served:
    """A service that runs: where, its log, its process."""

    base: str
    log: Path
    process: subprocess.Popen[bytes]

    def ask(self, path: str, key: str | None = None, body: Any = None) -> tuple[int, Any]:
        """Status and document of an answer."""
        headers = {"content-type": "application/json", "accept": "application/json"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.base + path, data, headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"null")

    def figures(self, key: str | None = None) -> Any:
        """What the town's coverage is, without what changes from run to run."""
        status, document = self.ask(QUESTION, key)
        assert status == 200, document
        return {name: document[name] for name in ("services", "coverage") if name in document}


@contextmanager
def serving(bureau: Bureau, *more: str, workspace: Path | None = None) -> Iterator[Served]:
    """``lifecircle serve``, ready, its log appended to a file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = bureau.folder / "serve.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*bureau.program(), "serve", "--port", str(port), "--log", "json", *more],
            env=bureau.environment(workspace=workspace), cwd=bureau.folder, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        known = more[more.index("--allowed-host") + 1] if "--allowed-host" in more else "127.0.0.1"
        _wait_for(f"{base}/readyz", known, process)
        yield Served(base, log, process)
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(address: str, host: str, process: subprocess.Popen[bytes]) -> None:
    asked = urllib.request.Request(address, headers={"host": host})
    until = time.monotonic() + COMES_S
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(asked, timeout=10):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing came up at {address}")


def ended(done: subprocess.CompletedProcess[str], code: int = 0) -> str:
    """What a command said, which has to end with a code and never in a traceback."""
    said = done.stdout + done.stderr
    assert done.returncode == code, f"exit code {done.returncode}: {said[-400:]}"
    assert "Traceback" not in said, said[-400:]
    return said


def runs(workspace: Path) -> list[str]:
    """Names of the town's runs."""
    return sorted(one.name for one in (workspace / AREA / "runs").iterdir())


def current(workspace: Path) -> str:
    """The town's current run."""
    return (workspace / AREA / "current").read_text("utf-8").strip()


def digests(folder: Path) -> dict[str, str]:
    """Digests of the files of all runs of a workspace."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted((folder / AREA / "runs").rglob("*"))
        if file.is_file()
    }


# ---- the days ----------------------------------------------------------------------------------


def take_over(bureau: Bureau) -> str:
    """Built by the earlier lifecircle, read by this one with the same figures."""
    ended(bureau.build(earlier=True))
    add = ("key", "add", "王工", "--role", "planner")
    made = bureau.run(*add, earlier=True)
    said = ended(bureau.run(*add) if "No such command" in made.stderr else made)
    (bureau.folder / "key").write_text(re.search(r"lc_\S+", said)[0], "utf-8")  # type: ignore[index]
    before = ended(bureau.run("coverage", AREA, "--json", earlier=True))
    ended(bureau.run("doctor"))
    after = ended(bureau.run("coverage", AREA, "--json"))
    told = [json.loads(one[one.index("{") :]) for one in (before, after)]
    assert same_figures(*told), "other figures than the earlier lifecircle gave"
    return current(bureau.workspace)


def same_figures(before: Any, after: Any) -> bool:
    """Whether all numbers that the earlier document tells stand in the later one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(
            same_figures(one, after.get(name)) for name, one in before.items() if name in after
        )
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same_figures, before, after))
    return isinstance(before, str) or before == after


def replace_served(bureau: Bureau) -> str:
    """Another run while the service answers: the next question is answered from it; a kept
    scenario on the old run, by the key of the earlier lifecircle.
    """
    key = (bureau.folder / "key").read_text("utf-8")
    with serving(bureau, "--behind-proxy", "--allowed-host", "127.0.0.1") as served:
        status, told = served.ask(QUESTION, key)
        assert status == 200, told
        first = told["run"]
        edit = {"op": "add_facility", "service": "health_centre", "lon": 102.71, "lat": 25.005}
        body = {"title": "周一", "edits": [edit]}
        status, kept = served.ask(f"/areas/{AREA}/scenarios", key, body)
        assert status == 201, kept
        for _ in range(2):
            ended(bureau.build())
            status, told = served.ask(QUESTION, key)
            assert (status, told["run"]) == (200, current(bureau.workspace))
        assert first in runs(bureau.workspace)
    return f"{len(runs(bureau.workspace))} runs, a scenario on {first}"


def keys_known(bureau: Bureau) -> str:
    """A key opens at once and, revoked, nothing after a second."""
    with serving(bureau, "--behind-proxy", "--allowed-host", "127.0.0.1") as served:
        assert served.ask(QUESTION)[0] == 401
        said = ended(bureau.run("key", "add", "李工", "--role", "viewer"))
        key = re.search(r"lc_\S+", said)[0]  # type: ignore[index]
        assert served.ask(QUESTION, key)[0] == 200
        listed = json.loads(ended(bureau.run("key", "list", "--json")))
        mine = next(one for one in listed["keys"] if one["name"] == "李工")
        ended(bureau.run("key", "revoke", mine["id"]))
        began = time.monotonic()
        while served.ask(QUESTION, key)[0] != 401:
            assert time.monotonic() - began < KNOWN_S, "a revoked key still opens"
            time.sleep(0.1)
        return f"revoked after {time.monotonic() - began:.1f} s"


def logs_rotated(bureau: Bureau) -> str:
    """A log that is copied and cut goes on at its beginning, each line whole."""
    with serving(bureau) as served:
        served.ask(QUESTION)
        assert "coverage" in served.log.read_text("utf-8")
        shutil.copyfile(served.log, bureau.folder / "serve.log.1")
        os.truncate(served.log, 0)
        served.ask(f"{QUESTION}&minutes=9")
        time.sleep(1)
        lines = served.log.read_text("utf-8").splitlines()
        assert lines and all(json.loads(line) for line in lines), lines[:2]
        assert any("request" in line for line in lines)
    return f"{len(lines)} lines after"


def backed_up(bureau: Bureau) -> str:
    """Backed up while it serves, as a file and as a folder; restored beside, byte for byte."""
    whole = digests(bureau.workspace)
    with serving(bureau) as served:
        told = served.figures()
        for name in ("b.tar", "b"):
            ended(bureau.run("backup", bureau.folder / name))
        assert served.figures() == told
    for name in ("b.tar", "b"):
        second = bureau.folder / f"restored-{name}"
        ended(bureau.run("restore", bureau.folder / name, "--into", second))
        assert digests(second) == whole
        ended(bureau.run("doctor", workspace=second))
        with serving(bureau, workspace=second) as served:
            assert served.figures() == told
            key = (bureau.folder / "key").read_text("utf-8")
            status, kept = served.ask(f"/areas/{AREA}/scenarios", key)
            assert (status, len(kept["scenarios"])) == (200, 1), kept
    return f"{len(whole)} files"


def pruned(bureau: Bureau) -> str:
    """Old runs go, the current one and the one a scenario is drawn on stay."""
    before = runs(bureau.workspace)
    ended(bureau.run("prune", "--keep", "1", "--dry-run"))
    assert runs(bureau.workspace) == before
    ended(bureau.run("prune", "--keep", "1"))
    left = runs(bureau.workspace)
    assert current(bureau.workspace) in left
    assert before[0] in left, "the run of a kept scenario is gone"
    assert len(left) < len(before)
    ended(bureau.run("doctor"))
    return f"{len(before)} → {len(left)}"


def damaged(bureau: Bureau) -> str:
    """A run whose manifest or array changed is named by ``doctor`` and served by nobody."""
    folder = bureau.folder / "damaged"
    shutil.copytree(bureau.workspace, folder)
    run = folder / AREA / "runs" / current(folder)
    for name in ("manifest.json", "travel.cell_cm.npy"):
        held = (run / name).read_bytes()
        middle = len(held) // 2
        (run / name).write_bytes(held[:middle] + bytes([held[middle] ^ 1]) + held[middle + 1 :])
        said = ended(bureau.run("doctor", workspace=folder), 2)
        assert run.name in said, said
        with serving(bureau, workspace=folder) as served:
            status, told = served.ask(QUESTION)
            assert status == 503, (name, status, told)
        (run / name).write_bytes(held)
    ended(bureau.run("doctor", workspace=folder))
    return "named, refused, sound again"


def disk_full(bureau: Bureau) -> str:
    """A disk without room: reading goes on, writing is refused in words, nothing half is left."""
    disk = bureau.folder / "disk"
    disk.mkdir()
    held = sum(file.stat().st_size for file in (bureau.workspace / AREA).rglob("*"))
    size = f"size={2 * held + ROOM_BYTES}"
    mounted = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        return "not tried: no right to mount a small disk here"
    try:
        return _on_small_disk(bureau, disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _on_small_disk(bureau: Bureau, disk: Path) -> str:
    place = disk / "ws"
    kernels = shutil.ignore_patterns(".cache")
    shutil.copytree(bureau.workspace, place, ignore=kernels)
    key = (bureau.folder / "key").read_text("utf-8")
    with serving(bureau, workspace=place) as served:
        told, before = served.figures(), runs(place)
        _fill(disk)
        assert served.figures() == told
        status, _ = served.ask(f"{QUESTION}&minutes=8")
        assert status == 200, "a new question on a full disk"
        body = {"title": "满", "edits": []}
        status, said = served.ask(f"/areas/{AREA}/scenarios", key, body)
        assert status in (400, 503), said
        assert served.ask("/readyz")[0] == 200
        said = ended(bureau.build(workspace=place), 2)
        assert "space" in said.lower(), said[-300:]
        said = ended(bureau.run("backup", disk / "b.tar", workspace=place), 2)
        assert "space" in said.lower() or "room" in said.lower(), said[-300:]
        assert runs(place) == before
        assert not (disk / "b.tar").exists()
        ended(bureau.run("doctor", workspace=place))
        (disk / "full").unlink()
        status, kept = served.ask(f"/areas/{AREA}/scenarios", key)
        assert status == 200, kept
    ended(bureau.build(workspace=place))
    ended(bureau.run("doctor", workspace=place))
    return f"{len(before)} runs as before, one more with room again"


def _fill(disk: Path) -> None:
    with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def commands_of_the_page(bureau: Bureau) -> str:
    """Every command of docs/operations.md, names put in where the page has placeholders."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = sorted(set(COMMAND.findall(page)) - ELSEWHERE)
    ended(bureau.run("key", "add", "赵工"))
    listed = json.loads(ended(bureau.run("key", "list", "--json")))["keys"]
    identity = next(one["id"] for one in listed if one["name"] == "赵工")
    names = {"DIR": str(bureau.workspace), "NAME": AREA, "WHO": "孙工", "ID": identity,
             "/backup/": f"{bureau.folder}/nightly-", "/srv/": f"{bureau.folder}/srv-"}  # fmt: skip
    for command in sorted(told, key=lambda one: ("revoke" in one, "restore" in one, one)):
        words = shlex.split(command)[1:]
        for name, stands in names.items():
            exact = name.isupper()
            words = [w.replace(name, stands) if not exact or w == name else w for w in words]
        if words[0] == "serve":
            with serving(bureau, *words[1:]):
                pass
            continue
        ended(bureau.run(*words))
    return f"{len(told)} commands"


def main() -> int:
    """Live through the week; 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials.week", description=__doc__)
    parser.add_argument("--earlier", default="ff1c5809", help="commit of the earlier lifecircle")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "old").mkdir()
        bureau = Bureau(folder, unpack_earlier(given.earlier, folder / "old"))
        draw = [sys.executable, str(ROOT / "tests" / "kept" / "draw_town.py"), str(folder / "in")]
        subprocess.run(draw, check=True)
        week: tuple[Callable[[Bureau], str], ...] = (
            take_over, replace_served, keys_known, logs_rotated, backed_up, pruned, damaged,
            commands_of_the_page, disk_full,
        )  # fmt: skip
        for day in week:
            bureau.step(day.__name__.replace("_", " "), lambda day=day: day(bureau))  # type: ignore[misc]
        print(f"{len(week) - len(bureau.failed)} of {len(week)} as they should be")
        return int(bool(bureau.failed))


if __name__ == "__main__":
    raise SystemExit(main())
