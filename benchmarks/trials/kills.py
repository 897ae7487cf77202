"""``python -m benchmarks.trials.kills``: kill -9 at random moments; is everything sound each time?

A drawn town is built, published to PostGIS, backed up and asked about by jobs, each in a process
that is killed somewhere within the time it takes. After each: the area points to a whole run,
every run is as it was written, the database is sound, PostGIS has all of one run or all of the
other, a backup is whole or not there, no job is left running. In the end ``lifecircle doctor``
has to agree. The moments are seeded; the times of a machine are not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.postgis.publish import publish
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import examine, sweep
from lifecircle.service.backup.copying import check_database, make_backup
from lifecircle.service.backup.restoring import restore_backup
from lifecircle.service.database.audit import Writer
from lifecircle.service.database.engine import Database, database_file, open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.jobs.desk import Jobs
from lifecircle.service.jobs.processes import process_of
from lifecircle.service.settings import Settings
from tests.postgis import server

ROOT = Path(__file__).resolve().parents[2]
AREA = "town"
OVER_S = 60.0
MOST_TRIES = 5
Work = Callable[[int], None]


@dataclass
class Place:
    """A workspace with the town in it, what builds it again, and where it goes."""

    root: Path
    inputs: Path
    backups: Path
    address: str | None
    runs: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        """The workspace, opened anew."""
        return Workspace(self.root)

    def build(self, number: int) -> None:
        """Build the town, each time from other minutes of a day-care."""
        files = self.inputs
        lists = tuple(files / name for name in ("subdistricts.geojson", "communities.geojson"))
        build_area(
            BuildRequest(
                AREA, osm=files / "town.osm", population=files / "cells.csv", units=lists,
                facilities=(files / "facilities.csv",), statistics=(files / "statistics.csv",),
                datum="wgs84",
            ),
            self.workspace,
        )  # fmt: skip
        del number

    def publish(self, number: int) -> None:
        """Publish one of two runs in turn."""
        assert self.address is not None
        publish(self.workspace.open(AREA, self.runs[number % 2]), self.address)

    def backup(self, number: int) -> None:
        """A backup with a name of its own, a folder and a file in turn."""
        target = self.backups / f"b{number}{'.tar' * (number % 2)}"
        make_backup(self.root, target, database_file(self.root, None))

    def job(self, number: int) -> None:
        """A job, from its order to its end."""
        jobs = Jobs(self.workspace, Database(self.root), Settings(workspace=self.root))
        asked = {"area": AREA, "service": "park", "add": 1, "minutes": 5 + number / 100}
        job, _ = jobs.order(process_of("siting").model_validate(asked), "zh", Writer("kills"))
        while jobs.find(job.id).state in ("accepted", "running"):
            time.sleep(0.02)


def draw(folder: Path) -> None:
    """The input files of the town."""
    command = [sys.executable, str(ROOT / "tests" / "kept" / "draw_town.py"), str(folder)]
    subprocess.run(command, check=True)


def killed_after(work: Work, number: int, seconds: float) -> bool:
    """Do it in a process that is killed then; whether it was still alive."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        code = 1
        try:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            work(number)
            code = 0
        finally:
            os._exit(code)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if status:
                raise AssertionError(f"{work.__name__} {number} ended with {status} by itself")
            return False
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def check(place: Place, number: int, known: dict[str, dict[str, int]]) -> None:
    """Everything is sound, or AssertionError says what is not."""
    folders = AreaFolders(place.root)
    current = folders.current(AREA)
    assert current in folders.runs(AREA)
    left = [one for one in examine(folders, AREA) if one.key != "doctor_left"]
    assert not left, left
    assert place.workspace.open(AREA, current).manifest.run == current
    file = database_file(place.root, None)
    assert file is not None
    check_database(file)
    _check_jobs(place)
    for made in place.backups.iterdir():
        if not made.name.startswith("."):
            aside = place.backups / ".restored"
            restore_backup(made, aside)
            assert AreaFolders(aside).current(AREA)
            shutil.rmtree(aside)
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    if place.address is not None:
        assert published(place.address) in known.values(), number


def _check_jobs(place: Place) -> None:
    jobs = Jobs(place.workspace, Database(place.root), Settings(workspace=place.root))
    from lifecircle.service.jobs.records import Wanted

    for job in jobs.listed(Wanted(states=("accepted",)), 10)[0]:
        jobs.dismiss(job.id, Writer("kills"))
    jobs.start()
    until = time.monotonic() + OVER_S
    live = Wanted(states=("accepted", "running"))
    while jobs.listed(live, 10)[1]:
        assert time.monotonic() < until, "a job is left running"
        time.sleep(0.05)
    jobs.stop()


def published(address: str) -> dict[str, int]:
    """Rows of every table of the town in PostGIS, and a mark of the run."""
    import psycopg

    with psycopg.connect(address) as line:
        asked = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        names = [row[0] for row in line.execute(asked, (AREA,)).fetchall()]
        found = {}
        for name in sorted(names):
            (count,) = line.execute(f'SELECT count(*) FROM "{AREA}"."{name}"').fetchone() or (0,)  # type: ignore[arg-type]
            found[name] = int(count)
        (run,) = line.execute(f'SELECT run FROM "{AREA}".run').fetchone() or ("",)  # type: ignore[arg-type]
    return {**found, f"run {run}": 1}


def main() -> int:
    """Kill as often as told; 1 when something was not sound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2022)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        programs = server.find_server()
        address = held.enter_context(server.running(programs)) if programs else None
        place = Place(folder / "ws", folder / "in", folder / "backups", address)
        for made in (place.root, place.backups):
            made.mkdir()
        draw(place.inputs)
        engine = open_database(place.root)
        add_key(engine, "kills", "admin", None, "kills")
        engine.dispose()
        known = _prepare(place)
        works: list[Work] = [place.build, place.job, place.backup]
        works += [place.publish] if address else []
        _kill(place, works, known, given.times, chance)
    return 0


def _prepare(place: Place) -> dict[str, dict[str, int]]:
    """Two runs, and what PostGIS has of each."""
    known = {}
    for number in range(2):
        place.build(number)
        place.runs = AreaFolders(place.root).runs(AREA)
    for number in range(2) if place.address else ():
        place.publish(number)
        known[place.runs[number]] = published(str(place.address))
    return known


def _kill(
    place: Place,
    works: list[Work],
    known: dict[str, dict[str, int]],
    times: int,
    chance: random.Random,
) -> None:
    """Kill until so many were hit at work, of each kind as many (a moment may come too late)."""
    takes: dict[str, float] = {}
    hit: Counter[str] = Counter()
    tried = 0
    each = -(-times // len(works))
    while work := next((one for one in _in_turn(works, tried) if hit[one.__name__] < each), None):
        name = work.__name__
        if name not in takes:
            began = time.monotonic()
            assert not killed_after(work, tried, OVER_S * 10)
            takes[name] = time.monotonic() - began
            check(place, tried, known)
            print(f"{name}: {takes[name]:.2f} s when it is left alone", flush=True)
        began = time.monotonic()
        alive = killed_after(work, 1000 + tried, chance.random() * takes[name])
        if not alive:  # it took less than the first: a machine has moods
            takes[name] = min(takes[name], time.monotonic() - began)
        at_work = alive and (work != place.job or _a_job_runs(place))
        hit[name] += at_work
        tried += 1
        check(place, tried, known)
        sweep(place.root / AREA)
        _forget(place)
        if at_work and sum(hit.values()) % 10 == 0:
            print(f"{tried} killed, at work {dict(hit)}; sound", flush=True)
        assert tried < MOST_TRIES * times, "too few are hit at work"
    print(f"{tried} killed, {sum(hit.values())} of them at work: {dict(hit)}; all sound")
    command = [sys.executable, "-m", "lifecircle.service.cli", "doctor", "--workspace",
               str(place.root), "--lang", "en"]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    print(f"doctor: exit code {told.returncode}\n{told.stdout.strip()[-600:]}")
    assert told.returncode == 0


def _in_turn(works: list[Work], tried: int) -> list[Work]:
    start = tried % len(works)
    return works[start:] + works[:start]


def _a_job_runs(place: Place) -> bool:
    """Whether the job whose service was just killed had begun and not ended."""
    jobs = Jobs(place.workspace, Database(place.root), Settings(workspace=place.root))
    from lifecircle.service.jobs.records import Wanted

    return jobs.listed(Wanted(states=("running",)), 10)[1] > 0


def _forget(place: Place) -> None:
    """Old runs go, so that a check stays quick; those that are published in turn stay."""
    folders = AreaFolders(place.root)
    for run in folders.runs(AREA):
        if run not in place.runs and run != folders.current(AREA):
            shutil.rmtree(place.root / AREA / "runs" / run)


if __name__ == "__main__":
    raise SystemExit(main())
