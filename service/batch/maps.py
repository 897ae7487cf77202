"""Cities that share one larger map: each one's piece of it, cut for all of them at once.

::

    DIR/.batch/maps/<city>.osm.pbf    the piece, as if it were the city's own `osm`
    DIR/.batch/maps/<city>.json       what it was cut from and for; it is written last

A piece is kept until its map, its units, its margin or the code change. Its bytes do not tell when
it was cut, so that a city whose piece stayed the same is not built again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from lifecircle.analysis.build_request import BuildRequest, CutFrom
from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.locks import wait_for_lock
from lifecircle.analysis.parts.province import ground_of
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.provenance import code_version, sha256_of
from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.readers.osm.aside import in_order
from lifecircle.analysis.readers.osm.pieces import Piece, cut_map
from lifecircle.analysis.readers.osm.service_boxes import read_service_boxes
from lifecircle.analysis.writing import write_aside
from lifecircle.service.batch.children import in_child
from lifecircle.service.batch.cities import City, plain
from lifecircle.service.batch.records import Record, Records, Told, digests_of, told_of
from lifecircle.service.batch.work import (
    Task,
    cut_of,
    map_note,
    map_piece,
    near_file,
    request_of,
    task_from,
)
from lifecircle.service.errors import BatchError

_METRES: Final = 1000
_STEP: Final = "cut"
_TITLE: Final = "~map"  # no city's name has a ~
MAP: Final = "map_to_cut"
_NOT_OF_GROUND: Final[dict[str, Any]] = {
    "population": (), "facilities": (), "statistics": (), "closures": (), "surveyed": (),
    "elevation": None, "merges": None, "timeout_minutes": 1, "memory_gb": None, "retries": 0,
    "parts": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A city whose piece is not there as it shall be; `request` names files on this machine."""

    task: Task
    key: str
    request: BuildRequest

    def to_order(self) -> dict[str, Any]:
        """What a child is told of it, for `_wanted_from`."""
        units = list(map(str, self.request.units))
        return {"task": self.task.to_json(), "key": self.key, "units": units}


def _wanted_from(order: Mapping[str, Any]) -> _Wanted:
    """The city of `_Wanted.to_order`: its units are where they were found, and not looked at."""
    task = task_from(order["task"])
    bounded = replace(_bounded(task), units=tuple(order["units"]))
    return _Wanted(task, order["key"], request_of(replace(task, city=bounded)))


def _bounded(task: Task) -> City:
    """Of a task's city what its piece depends on."""
    return replace(task.city, map=None, **_NOT_OF_GROUND)


def cut_maps(tasks: Sequence[Task], *, apart: bool = False) -> tuple[list[Task], list[Record]]:
    """Cut the maps that cities name, each once for all of them.

    Parameters
    ----------
    apart : in a process of its own, which may take the time and the memory that the most generous
        of its cities may; so it is done too where all of them have a limit of memory.

    Returns
    -------
    tasks : those of the cities that have their own map, or their piece of one.
    records : of the cities that cannot be cut out; nothing of them stays.
    """
    ready = [task for task in tasks if task.city.map is None]
    failed: list[Record] = []
    shared: dict[str, list[Task]] = {}
    for task in tasks:
        if task.city.map is not None:
            shared.setdefault(task.city.map, []).append(task)
    for given, cities in shared.items():
        records = Records(Path(cities[0].workspace))
        lost = _cut_one(given, cities, records, apart=apart)
        for task in cities:
            if task.name in lost:
                failed.append(records.keep(_refused(task.name, lost[task.name])))
            else:
                ready.append(_with_piece(task))
            records.step_file(task.name).unlink(missing_ok=True)
    return ready, failed


def _with_piece(task: Task) -> Task:
    """The task with the city's piece for its map."""
    return replace(task, city=replace(task.city, osm=str(map_piece(task))))


def _cut_one(
    given: str, tasks: Sequence[Task], records: Records, *, apart: bool
) -> dict[str, Told]:
    """Cut one map for its cities; what is wrong with each that failed."""
    lost: dict[str, Told] = {}
    folder = map_piece(tasks[0]).parent
    with _lost_to_all(tasks, lost):
        folder.mkdir(parents=True, exist_ok=True)
        path = near_file(given, tasks[0])
        digest = sha256_of(path)
        with (folder / ".lock").open("a") as lock:
            wait_for_lock(lock.fileno())
            for left in folder.glob(".aside-*"):  # of who was killed while cutting
                shutil.rmtree(left, ignore_errors=True)
            with TemporaryDirectory(prefix=".aside-", dir=folder) as aside:
                found = [_wanted(task, digest, Path(aside), lost) for task in tasks]
                wanted = [one for one in found if one is not None]
                for one in wanted:
                    write_aside(records.step_file(one.task.name), _STEP.encode())
                limited = all(task.city.memory_gb is not None for task in tasks)
                if wanted and (apart or limited):
                    lost |= _cut_apart(path, wanted, Path(aside), records)
                else:
                    _cut(path, wanted, Path(aside), lost)
    return lost


@contextmanager
def _lost_to_all(tasks: Sequence[Task], lost: dict[str, Told]) -> Iterator[None]:
    """What goes wrong in the block goes wrong with every city of the map."""
    try:
        yield
    except LifecircleError as error:
        lost |= {task.name: told_of(error) for task in tasks}
    except OSError as error:
        told = told_of(BatchError("batch_unwritable", detail=error.strerror or str(error)))
        lost |= {task.name: told for task in tasks}


def _cut_apart(
    path: Path, wanted: Sequence[_Wanted], aside: Path, records: Records
) -> dict[str, Told]:
    """Cut in a child within the limits of the most generous city; what is wrong with each."""
    cities = [one.task.city for one in wanted]
    minutes = max(city.timeout_minutes for city in cities)
    limits = [city.memory_gb for city in cities]
    most = None if None in limits else max(limit or 0 for limit in limits)
    order = {
        MAP: str(path), "aside": str(aside), "memory_gb": most,
        "wanted": [one.to_order() for one in wanted],
    }  # fmt: skip
    ended = in_child(json.dumps(order), records.folder, _TITLE, minutes)
    if ended.code == 0:
        lost: dict[str, Told] = json.loads(ended.answer)
        return lost
    if ended.code is None:
        error = BatchError("batch_map_timeout", map=path.name, minutes=f"{minutes:g}")
    elif ended.out_of_memory:
        error = BatchError("batch_map_memory", map=path.name, gb=f"{most or 0:g}")
    else:
        error = BatchError("batch_died", how=ended.how, last=ended.last_line)
    return {one.task.name: told_of(error) for one in wanted}


def cut_here(text: str) -> str:
    """Cut the map of an order (`_cut_apart`) in this process; JSON of what is wrong with each."""
    order = json.loads(text)
    tasks, lost = [task_from(one["task"]) for one in order["wanted"]], dict[str, Told]()
    with _lost_to_all(tasks, lost), TemporaryDirectory(dir=order["aside"]) as aside:
        wanted = list(map(_wanted_from, order["wanted"]))
        _cut(Path(order[MAP]), wanted, Path(aside), lost)
    return json.dumps(lost)


def _wanted(task: Task, digest: str, aside: Path, lost: dict[str, Told]) -> _Wanted | None:
    """What is to be cut for a city, None where its piece is there or its files are wrong.

    Units count by the bytes that are read now: those of an address or a database may be others
    than when the piece was cut. `aside`: where tables of databases are put.
    """
    try:
        bounded = _bounded(task)
        said = {**plain(bounded), "map": digest, "day": task.day, "code": code_version()}
        files = digests_of(bounded, task.digests)
        request = request_of(replace(task, city=bounded)).fetched(aside / task.name)
        units = [sha256_of(file) for file in request.units]
        whole = json.dumps([said, files, units], sort_keys=True, default=list)
        key = hashlib.sha256(whole.encode()).hexdigest()
        if cut_of(task) is not None and _key_of(task) == key and map_piece(task).is_file():
            return None
        return _Wanted(task, key, request)
    except LifecircleError as error:
        lost[task.name] = told_of(error)
    except OSError as error:
        lost[task.name] = told_of(BatchError("batch_unreadable", detail=str(error)))
    return None


def _key_of(task: Task) -> Any:
    return json.loads(map_note(task).read_text(encoding="utf-8")).get("key")


def _cut(path: Path, wanted: Sequence[_Wanted], aside: Path, lost: dict[str, Told]) -> None:
    """Write the pieces of some cities aside, then each in its place with what is said of it."""
    if not wanted:
        return
    read: dict[str, tuple[Policy, Mapping[str, FloatArray]]] = {}
    cuts: dict[str, CutFrom] = {}
    pieces: list[tuple[_Wanted, Piece]] = []
    with in_order(path) as ordered:
        for one in wanted:
            margin, named = one.task.city.margin_km, str(one.request.policy)
            try:
                if named not in read:
                    given = one.request.policy
                    policy = given if isinstance(given, Policy) else load_policy(given)
                    known = read_service_boxes(ordered.path, policy, one.request.today)
                    read[named] = policy, known
                policy, known = read[named]
                ground = ground_of(
                    one.request, policy, path.name, known,
                    None if margin is None else margin * _METRES,
                )  # fmt: skip
            except LifecircleError as error:
                lost[one.task.name] = told_of(error)
                continue
            cuts[one.task.name] = ground.cut
            pieces.append((one, Piece(ground.shape, aside / map_piece(one.task).name)))
        cut_map(ordered.path, [piece for _, piece in pieces], doubted=False)
        for one, piece in pieces:
            told = map_note(one.task)
            told.unlink(missing_ok=True)
            piece.target.replace(map_piece(one.task))
            said = {"key": one.key, "cut": asdict(cuts[one.task.name])}
            write_aside(told, json.dumps(said, ensure_ascii=False).encode())


def _refused(city: str, told: Told) -> Record:
    return Record(city, "", "failed", error=told)
