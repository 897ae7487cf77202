"""What the service holds in memory: opened runs, their layers, answers already given."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.access.isochrone import isochrones
from lifecircle.analysis.access.point_query import NearestQuery
from lifecircle.analysis.access.point_query_kernel import nearest_of_each_service
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.siting.candidates import site_at
from lifecircle.analysis.measures.siting.place import place_sites
from lifecircle.analysis.measures.travelling import profile_of
from lifecircle.analysis.results.bands import bands_stamp
from lifecircle.analysis.results.by_profile import run_by
from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.folders import RUNS, run_stamp
from lifecircle.analysis.results.layers.layers import layer_columns, layer_frame, layers_of
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.results.proposals import any_kept, stamp_of
from lifecircle.analysis.results.store import Workspace, latest_of_years
from lifecircle.service.kept_bytes import AnswerCache

if TYPE_CHECKING:
    import geopandas as gpd

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LayerTable:
    """A layer ready to be asked: its frame (EPSG:4326), row by id, a tree over its boxes."""

    name: str
    columns: tuple[Column, ...]
    frame: gpd.GeoDataFrame
    row_of: dict[str, int]
    tree: shapely.STRtree

    @property
    def geometry(self) -> NDArray[Any]:
        """Geometries, lon first, in row order."""
        return np.asarray(self.frame.geometry.array)

    def rows_within(self, boxes: list[tuple[float, float, float, float]]) -> NDArray[np.intp]:
        """Rows whose geometry meets any of the boxes (west, south, east, north), ascending."""
        asked = [shapely.box(*box) for box in boxes]
        found = self.tree.query(asked, predicate="intersects")[1]
        return np.unique(found)


class AreaState:
    """One opened run with what is derived from it on first need.

    `answers`: where its answers are kept, beside those of other runs; `profile`: of travelling, on
    whose roads the run is.
    """

    def __init__(
        self, run: Run, answers: AnswerCache | None = None, profile: str | None = None
    ) -> None:
        self.run = run
        self.profile = profile
        self.area = run.manifest.area
        self.name = run.manifest.run
        self._answers = AnswerCache() if answers is None else answers
        self._layers: dict[str, LayerTable] = {}
        self._marks: dict[str, str] = {}
        self._derived: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, RLock] = {}
        self._layer_lock = RLock()
        self._lock = RLock()

    def kept(self, key: Hashable) -> bytes | None:
        """The answer to a question asked before."""
        return self._answers.get(self.run.path, key)

    def keep(self, key: Hashable, body: bytes) -> None:
        """Keep an answer."""
        self._answers.put(self.run.path, key, body)

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """Something worked out from the run once and kept under a key; nobody else waits for it."""
        if key not in self._derived:
            with self._lock:
                lock = self._locks.setdefault(key, RLock())
            with lock:
                if key not in self._derived:
                    self._derived[key] = make()
        found: T = self._derived[key]
        return found

    def by_profile(self, profile: str) -> AreaState:
        """The run on the roads of a profile of travelling, made once.

        Raises
        ------
        UnknownNameError : the policy has no such profile.
        ParameterError : the run has no roads of it.
        """
        found = profile_of(self.run.policy, profile)
        if found is None:
            return self
        return self.derived(
            ("profile", found.id),
            lambda: AreaState(run_by(self.run, found.id), self._answers, found.id),
        )

    def warm(self) -> bool:
        """Walk along the first street alone: kernels are loaded, and no more of the run is.

        Says whether a kernel had to be compiled.
        """
        network, travel = self.run.city.network.first_edge(), self.run.travel
        costs = walk_costs(network)
        index = EdgeIndex.build(network, 0.0)
        limit_m = self.run.policy.attachment.max_leg_m.value
        asked = network.node_xy_m[:1].copy()  # what people ask is no memory map
        position = index.snap(asked, limit_m)
        x_m, y_m = asked[0].tolist()
        index.snap_one(x_m, y_m, limit_m)
        isochrones(network, costs, position, [0])
        NearestQuery.without_goals(costs, travel).nearest(position)
        return bool(nearest_of_each_service.stats.cache_misses)

    def warm_siting(self) -> None:
        """Try the middle of the streets as a site for the first assessed service."""
        study = self.run.study
        service = next((s for s in study.travel.services if study.city.assessed(s)), None)
        if service is None:
            return
        limit_m = study.policy.attachment.max_leg_m.value
        middle = site_at(study.city.network.node_xy_m[:1], study.city, study.edges, limit_m)
        for objective in ("covered", "person_minutes"):
            place_sites(study, Question(service), middle, add=1, objective=objective)

    def found(self, key: Hashable) -> Any:
        """What was worked out under a key, None where nothing was yet."""
        return self._derived.get(key)

    def has(self, key: Hashable) -> bool:
        """Whether something was already worked out under a key."""
        return key in self._derived

    def layer(self, name: str) -> LayerTable:
        """A layer of the run, read once.

        Raises
        ------
        UnknownNameError
            The run has no such layer.
        """
        with self._layer_lock:
            table = self._layers.get(name)
            mark = self.mark(name)
            if table is None or self._marks.get(name, "") != mark:
                frame = layer_frame(self.run, name).reset_index(drop=True)
                ids = frame["id"].astype(str).tolist()
                table = LayerTable(
                    name,
                    layer_columns(self.run, name),
                    frame,
                    {identity: row for row, identity in reversed(list(enumerate(ids)))},
                    shapely.STRtree(np.asarray(frame.geometry.array)),
                )
                self._layers[name] = table
                self._marks[name] = mark
            return table

    def bands(self) -> str:
        """Changes when bands are kept beside the run, which many answers tell."""
        return bands_stamp(self.run.path)

    def mark(self, layer: str) -> str:
        """Changes when a layer does: proposals may be kept beside a run that stays as it is."""
        return _mark(self.run.path, layer)

    def unmarked(self, layer: str, mark: str) -> Callable[[], bool]:
        """What says whether a layer still has a mark; it does not hold the run open."""
        path = self.run.path
        return lambda: _mark(path, layer) == mark


@dataclass(frozen=True)
class NamedRun:
    """A run that is named, and opened only where somebody looks into it."""

    area: str
    name: str
    areas: Areas
    profile: str | None = None

    @property
    def run(self) -> Run:
        """The run, opened."""
        return self.areas.open(self.area, self.name).run


class Warmth:
    """Whether the kernels were compiled or loaded; `failed` is why not. `then` is done last, before
    the service says that it is ready; `afterwards` once it is."""

    def __init__(self) -> None:
        self.done = self.stopped = False
        self.failed: Exception | None = None
        self.then: Callable[[], None] | None = None
        self.afterwards: Callable[[], None] | None = None

    def warm(self, areas: Areas) -> None:
        """Ask one question of one area, so that no reader waits for a compiler."""
        compiled = False
        try:
            for area in areas.names()[:1]:
                compiled = areas.open(area).warm()
            if self.then is not None:
                self.then()
        except Exception as error:  # the service still answers, the first reader waits
            log.warning("kernels not warmed", exc_info=True)
            self.failed = error
            return
        finally:
            self.done = True
        with suppress(Exception):  # asked less often: nobody waits for these
            if self.afterwards is not None:
                self.afterwards()
            for area in areas.names()[:1]:
                if compiled and not self.stopped:  # else they lie in the cache as well
                    areas.open(area).warm_siting()


class Areas:
    """The areas of a workspace; runs are opened on demand and the last few kept open.

    When the pointer of an area moves, the run it pointed to is let go with its answers: its last
    reader closes it. Who asks for it by name opens it again.
    """

    def __init__(self, workspace: Workspace, open_runs: int, cache_bytes: int) -> None:
        self.workspace = workspace
        self._root = str(workspace.root)
        self._open_runs = open_runs
        self._answers = AnswerCache(cache_bytes)
        self.moved = 0  # how often a pointer was seen to have moved
        self._leaving: set[tuple[str, str]] = set()
        self._states: OrderedDict[tuple[str, str], AreaState] = OrderedDict()
        self._columns: dict[tuple[str, bool], tuple[str, dict[str, tuple[Column, ...]]]] = {}
        self._current: dict[str, tuple[tuple[int, int, int], str]] = {}
        self._years: dict[str, tuple[list[str], dict[str, int]]] = {}
        self._lock = RLock()

    def names(self) -> list[str]:
        """Names of the areas, sorted."""
        return self.workspace.areas()

    @property
    def kept_bytes(self) -> int:
        """What the answers kept take, of all runs together."""
        return self._answers.held_bytes

    def sweep(self) -> None:
        """Remove what dead builds left aside, where the workspace can be read and written."""
        with suppress(WorkspaceError):
            self.workspace.sweep()

    def manifest(self, area: str) -> Manifest:
        """The manifest of an area's latest run."""
        return self.workspace.manifest(area, self.current(area))

    def other_years(self, area: str, run: str) -> tuple[str, ...]:
        """The latest run of every year of an area but that of a run, the earliest first."""
        return latest_of_years(self.years(area), run)

    def run_of_year(self, area: str, year: int) -> str:
        """The latest run of a year of an area.

        Raises
        ------
        UnknownNameError : no such area, or no run of that year.
        """
        return self.workspace.run_of_year(area, year)

    def years(self, area: str) -> Mapping[str, int]:
        """The year of each run, read again only when there is another run."""
        runs = self.workspace.runs(area)
        held = self._years.get(area)
        if held is None or held[0] != runs:
            held = (runs, self.workspace.years(area))
            self._years[area] = held
        return held[1]

    def columns(self, area: str) -> Mapping[str, tuple[Column, ...]]:
        """The columns of every layer of an area's latest run."""
        run = self.current(area)
        proposals = self.has_proposals(area, run)
        held = self._columns.get((area, proposals))
        if held is None or held[0] != run:
            opened = self.open(area, run).run
            held = (run, {layer: layer_columns(opened, layer) for layer in layers_of(opened)})
            self._columns[area, proposals] = held
        return held[1]

    def has_proposals(self, area: str, run: str) -> bool:
        """Whether proposals are kept beside a run, without opening it."""
        return any_kept(self.run_folder(area, run))

    def stamped_runs(self, area: str) -> tuple[str, ...]:
        """The runs of an area with what changes when another one lies under the name."""
        runs = self.workspace.runs(area)
        return tuple(f"{run} {run_stamp(self.run_folder(area, run))}" for run in runs)

    def run_folder(self, area: str, run: str) -> Path:
        """The folder of a run, opened or not."""
        return self.workspace.root / area / RUNS / run

    def current(self, area: str) -> str:
        """Name of an area's latest run; read again only when its pointer was moved."""
        stamp = _stamp(f"{self._root}/{area}/current")
        held = self._current.get(area)
        if held is not None and stamp is not None and held[0] == stamp:
            return held[1]
        run = self.workspace.current(area)
        if stamp is not None:
            self._current[area] = (stamp, run)
        if held is not None and held[1] != run:
            self._let_go(area, held[1])
        return run

    def _let_go(self, area: str, run: str) -> None:
        """Close a run that was replaced, once nobody reads it; never waits for one being opened."""
        self._leaving.add((area, run))
        self.moved += 1
        self._answers.forget(self.run_folder(area, run))
        if self._lock.acquire(blocking=False):
            try:
                self._close_left()
            finally:
                self._lock.release()

    def _close_left(self) -> None:
        while self._leaving:
            self._states.pop(self._leaving.pop(), None)

    def held(self, area: str, run: str | None = None) -> AreaState | None:
        """The state of a run if it is open already; never waits for one being opened."""
        key = (area, run or self.current(area))
        held = self._states.get(key)
        if held is not None and self._lock.acquire(blocking=False):
            try:
                if key in self._states:
                    self._states.move_to_end(key)
            finally:
                self._lock.release()
        return held

    def open(self, area: str, run: str | None = None) -> AreaState:
        """The state of a run (the latest by default).

        Raises
        ------
        UnknownNameError : no such area or run.
        WorkspaceError : its files cannot be read, or are not as they were written.
        """
        name = run or self.current(area)
        with self._lock:
            self._close_left()
            held = self._states.get((area, name))
            if held is None:
                held = AreaState(self.workspace.open_whole(area, name), self._answers)
                latest = self._current.get(area)
                if run is None and latest is not None and latest[1] != name:
                    return held  # replaced meanwhile: nobody else asks for it
                self._states[area, name] = held
                while len(self._states) > self._open_runs:
                    self._states.popitem(last=False)
            self._states.move_to_end((area, name))
            return held


def _mark(run: Path, layer: str) -> str:
    return stamp_of(run) if layer == "proposals" else ""


def _stamp(pointer: str) -> tuple[int, int, int] | None:
    try:
        found = os.lstat(pointer)  # asked at every request
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
