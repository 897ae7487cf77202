"""One city, built: here, or in a process of its own that may take no more than it is given.

A task is plain JSON, so that it can be sent anywhere; workspace and files are paths that the
worker sees too (a shared folder), or addresses that it fetches.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final, Literal

from lifecircle.analysis.build_request import BuildRequest, CutFrom
from lifecircle.analysis.clock import Clock, Progress
from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.machine import using_threads
from lifecircle.analysis.parts.cutting import cut_area, is_cut
from lifecircle.analysis.parts.joined import join_parts
from lifecircle.analysis.parts.working import work_part
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import Title
from lifecircle.analysis.postgis.connecting import is_postgis
from lifecircle.analysis.readers.records.declarations import split_service
from lifecircle.analysis.results.folders import RUNS
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.writing import write_aside
from lifecircle.service.batch.children import Ended, in_child
from lifecircle.service.batch.cities import (
    ONE_FILE,
    City,
    city_from,
    is_address,
    plain,
    split_address,
)
from lifecircle.service.batch.fetched import fetch, send_run
from lifecircle.service.batch.figures import write_figures
from lifecircle.service.batch.records import Record, Records, key_of, told_of
from lifecircle.service.errors import BatchError
from lifecircle.service.i18n import TEXTS

_OPTION: Final = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")
CUT: Final = "cut"
Step = Literal["cut"] | int | None


@dataclass(frozen=True, slots=True)
class Task:
    """One city of a batch, with all that its work needs.

    `resume`: what is done under the same key is not done again. `step`: of a city in parts ``cut``
    or the number of a part; None for the city itself. `runs_to`: an address that runs are put
    under besides. `threads`: at most so many side by side in the work (None: one for each core).
    """

    name: str
    city: City
    workspace: str
    day: str
    digests: Mapping[str, str]
    resume: bool
    step: Step = None
    runs_to: str | None = None
    threads: int | None = None

    @property
    def title(self) -> str:
        """The city, and which step of it."""
        return self.name if self.step is None else f"{self.name}~{self.step}"  # no name has a ~

    def to_json(self) -> str:
        """The task as text, read again by `task_from`."""
        whole = {key: getattr(self, key) for key in self.__slots__ if key != "city"}
        return json.dumps({**whole, "digests": dict(self.digests), "city": plain(self.city)})


def task_from(text: str) -> Task:
    """The task of `Task.to_json`."""
    content = json.loads(text)
    return Task(**{**content, "city": city_from(content["city"])})


def build_here(text: str) -> Record:
    """Build a city in this process, whatever it takes; what its files are refused for is kept."""
    task = task_from(text)
    records = Records(Path(task.workspace))
    since = time.monotonic()
    try:
        if task.step is not None:
            with using_threads(task.threads):
                _do_step(task, records)
            return Record(task.name, "", "done", seconds=_seconds(since))
        cut = _cut_folder(task, records)
        run = build_area(
            request_of(task), Workspace(task.workspace), _teller(records, task.name),
            None if cut is None else join_parts(cut), threads=task.threads,
        )  # fmt: skip
        write_figures(run, records.figures(task.name))
        if cut is not None:
            shutil.rmtree(cut, ignore_errors=True)
    except LifecircleError as error:
        return Record(task.name, "", "failed", error=_told_of_file(error), seconds=_seconds(since))
    return Record(
        task.name, "", "done", run.manifest.run, run.manifest.residents, seconds=_seconds(since)
    )


def _told_of_file(error: LifecircleError) -> dict[str, str]:
    """What is wrong, by language; options of the build that it names stand in the batch's file."""
    both = told_of(error)
    named = {one.replace("-", "_") for one in _OPTION.findall(both["en"])}
    keys = [one.name for one in fields(City) if one.name in named]
    if not keys:
        return both
    more = TEXTS.both("batch_options", keys=", ".join(keys))
    return {"zh": f"{both['zh']}\n{more.zh}", "en": f"{both['en']}\n{more.en}"}


def _do_step(task: Task, records: Records) -> None:
    """Cut a city, or work on one of its parts; what is done already stays."""
    folder = _cut_folder(task, records)
    assert folder is not None
    clock = Clock(_teller(records, task.name))
    with TemporaryDirectory(prefix="lifecircle-") as aside:
        request = request_of(task).fetched(Path(aside))
        if task.step != CUT:
            work_part(request, folder, int(str(task.step)), clock)
        elif not is_cut(folder):
            cut_area(request, task.city.parts, folder, clock)


def _cut_folder(task: Task, records: Records) -> Path | None:
    """Where the parts of a city lie; None where it is built at once."""
    if task.city.parts == 1:
        return None
    return records.cut(task.name, _key_of(task), task.city.parts)


def _key_of(task: Task) -> str:
    cut = None if task.city.map is None else cut_of(task)
    return key_of(task.name, task.city, task.digests, date.fromisoformat(task.day), cut)


def request_of(task: Task) -> BuildRequest:
    """What is to be built; files from elsewhere are fetched first."""
    city = task.city

    def near(given: str) -> Path:
        return near_file(given, task)

    def every(given: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(map(near, given))

    one: dict[str, Any] = {
        key: near(said)
        for key in ONE_FILE
        if key != "map" and (said := getattr(city, key)) is not None
    }

    def of_service(given: str) -> tuple[Path, str | None]:
        if not is_address(given):
            return split_service(Path(given))
        address, service = split_address(given)
        return near(address), service

    places = tuple(map(of_service, city.facilities))
    policy = city.policy
    return BuildRequest(
        task.name,
        **one,
        place=city.place,
        population=every(city.population) or None,
        units=every(city.units),
        facilities=tuple(file for file, _ in places),
        services={file.name: service for file, service in places if service is not None},
        statistics=every(city.statistics),
        closures=every(city.closures),
        policy=near(policy) if policy is not None and policy.endswith(".toml") else policy,
        surveyed=city.surveyed,
        barrier_rule=city.barrier_rule,
        datum=city.datum,
        crs=city.crs,
        sheet=city.sheet,
        layer=city.layer,
        other_types=city.other_types,
        x_is_north=city.x_north,
        accept_datum=city.accept_datum,
        place_by_unit=city.place_by_unit,
        calibrate=city.calibrate,
        year=city.year,
        residents_from_buildings=city.residents_from_buildings,
        title=_title(task),
        today=date.fromisoformat(task.day),
        cut=None if city.map is None else cut_of(task),
    )


def near_file(given: str, task: Task) -> Path:
    """A file that a task names, fetched where it is elsewhere.

    Raises
    ------
    BatchError : it cannot be fetched.
    """
    if is_address(given) and not is_postgis(given):
        folder = Records(Path(task.workspace)).folder / "fetched"
        return fetch(given, folder, task.digests.get(given))
    return Path(given)


def map_piece(task: Task) -> Path:
    """The city's piece of a larger map (`maps`)."""
    return Records(Path(task.workspace)).folder / "maps" / f"{task.name}.osm.pbf"


def map_note(task: Task) -> Path:
    """What the city's piece was cut from and for, beside it."""
    return map_piece(task).with_name(f"{task.name}.json")


def cut_of(task: Task) -> CutFrom | None:
    """What is said of how the city's piece was cut; None where it is not cut."""
    try:
        return CutFrom(**json.loads(map_note(task).read_text(encoding="utf-8"))["cut"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _title(task: Task) -> Title | None:
    zh, en = task.city.zh, task.city.en
    return Title(zh or en or task.name, en or zh or task.name) if zh or en else None


def _teller(records: Records, name: str) -> Progress:
    """Writes down the step under way for who watches from elsewhere."""
    last = ""

    def tell(step: str, _: float) -> None:
        nonlocal last
        if step != last:
            last = step
            write_aside(records.step_file(name), step.encode())

    return tell


def _seconds(since: float) -> float:
    return round(time.monotonic() - since, 3)


# ---- in a process of its own ---------------------------------------------------------------------


def run_city(text: str, *, apart: bool = True, called_off: Event | None = None) -> Record:
    """Do a city's work unless it is done already, and keep what became of it.

    Never raises for the city's own faults, nor for a workspace that cannot be written: they are in
    the record. Work that died is tried again as often as the city allows.

    Raises
    ------
    CancelledError : it was called off.
    """
    task = task_from(text)
    try:
        return _run_city(task, apart=apart, called_off=called_off)
    except OSError as error:
        detail = f"{error.strerror or error}: {Path(str(error.filename or '')).name}"
        return _failed(task, "", "batch_unwritable", detail=detail)


def _run_city(task: Task, *, apart: bool, called_off: Event | None) -> Record:
    root = Path(task.workspace)
    records = Records(root)
    try:
        key = _key_of(task)
    except OSError as error:
        return records.keep(_failed(task, "", "batch_unreadable", detail=str(error)))
    if task.resume and (done := records.done(task.name, key, root)) is not None:
        return _sent(task, done)
    attempt, record = 0, None
    while record is None or (record.died and attempt <= task.city.retries):
        attempt += 1
        record = _apart(task, called_off) if apart else build_here(task.to_json())
        record = replace(record, key=key, attempts=attempt)
    whole = task.step is None or record.state == "failed"
    return _sent(task, records.keep(record)) if whole else record


def _sent(task: Task, record: Record) -> Record:
    """A record whose run is put where it is wanted besides; failed where it cannot be.

    What is kept says that the city is done: resumed, its run is sent and not built again.
    """
    if task.runs_to is None or task.step is not None or record.run is None:
        return record
    try:
        send_run(Path(task.workspace) / task.name / RUNS / record.run, task.runs_to)
    except BatchError as error:
        return replace(record, state="failed", error=told_of(error))
    return record


def _apart(task: Task, called_off: Event | None) -> Record:
    """Build in a child that dies with us, is stopped when its time is over, and tells by a file."""
    folder = Records(Path(task.workspace)).folder
    limit = task.city.timeout_minutes
    ended = in_child(task.to_json(), folder, task.title, limit, called_off)
    if ended.code == 0:
        return replace(Record(**json.loads(ended.answer)), seconds=ended.seconds)
    return replace(_died(task, ended), seconds=ended.seconds)


def _died(task: Task, ended: Ended) -> Record:
    """The record of work that ended without an answer."""
    if ended.code is None:
        minutes = task.city.timeout_minutes
        return replace(_failed(task, "", "batch_timeout", minutes=f"{minutes:g}"), died=True)
    if ended.out_of_memory:
        most = task.city.memory_gb
        return replace(_failed(task, "", "batch_memory", gb=f"{most or 0:g}"), died=True)
    return replace(_failed(task, "", "batch_died", how=ended.how, last=ended.last_line), died=True)


def given_up(city: str, how: str) -> Record:
    """The record of a city over which too many workers died."""
    error = asdict(TEXTS.both("batch_died", how=how, last="–"))
    return Record(city, "", "failed", error=error, died=True)


def _failed(task: Task, key: str, message: str, **params: str) -> Record:
    return Record(task.name, key, "failed", error=asdict(TEXTS.both(message, **params)))
