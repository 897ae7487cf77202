"""Every file of a build read, all faults at once: the facts a city is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import shapely

from lifecircle.analysis.ahead import Ahead, Remainder
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.measures.travelling import profile_of
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.readers.graphs.graphml import read_graphml, read_place
from lifecircle.analysis.readers.osm.extract import Extract, Known, read_extract
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.osm.roads import RawRoads
from lifecircle.analysis.readers.osm.streets import RawStreets
from lifecircle.analysis.readers.rasters.population import RasterShare, read_raster_share
from lifecircle.analysis.readers.records.coordinates.antimeridian import part_across
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import (
    Declarations,
)
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.tables import (
    CellTable,
    ClosureTable,
    FacilityTable,
    StatisticsTable,
    UnitTable,
)
from lifecircle.analysis.readers.tables.closures import read_closures
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders, read_merge_orders
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.statistics import read_statistics
from lifecircle.analysis.readers.tables.surveyed import (
    ExtentTable,
    read_extent,
)
from lifecircle.analysis.readers.tables.units import read_units

Read = TypeVar(
    "Read",
    CellTable,
    UnitTable,
    FacilityTable,
    ClosureTable,
    StatisticsTable,
    MergeOrders,
    ExtentTable,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the files of a request say.

    `roads` waits for those of the profiles asked for, None where there are none; `remainder` for
    what else is not read of a map yet, and is to be asked after them.
    """

    streets: RawStreets
    places: OsmPlaces | None
    population: CellTable | None
    units: UnitTable | None
    facilities: tuple[FacilityTable, ...]
    closures: tuple[ClosureTable, ...]
    statistics: tuple[StatisticsTable, ...]
    merges: MergeOrders | None
    warnings: tuple[Warn, ...]
    rasters: tuple[RasterShare, ...] = ()
    extents: tuple[ExtentTable, ...] = ()
    ground: Ground | None = None
    roads: Callable[[], RawRoads | None] = lambda: None
    remainder: Callable[[], Remainder] | None = None

    def completed(self) -> Facts:
        """All of it: waits for the ground and remarks of a map that is still being read.

        Raises
        ------
        ChangedError : what was read of the map first does not hold.
        """
        if self.remainder is None:
            return self
        rest = self.remainder()
        warnings = (*map(remark, rest.warnings), *self.warnings)
        return replace(self, ground=rest.ground, warnings=warnings, remainder=None)

    def located(self) -> tuple[tuple[Located, bool], ...]:
        """Where the rows of tables are, each with whether their outlines run along streets."""
        cells = None if self.rasters else self.population
        people = () if cells is None else ((cells.where, False),)
        borders = () if self.units is None else ((self.units.where, True),)
        return (*people, *borders, *((table.where, False) for table in self.facilities))

    def doubts(self) -> tuple[Fault, ...]:
        """What the readers of residents, units and facilities remarked."""
        tables = (self.population, self.units, *self.facilities)
        return tuple(fault for table in tables if table is not None for fault in table.warnings)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is done beside the reading of files.

    `ahead`: the OpenStreetMap file, where it is being read already. `met` is told of its streets
    and of the tables as soon as they are there, while the places are read.
    """

    ahead: Ahead | None = None
    met: Callable[[Facts], None] = lambda _facts: None


def read_facts(
    request: BuildRequest,
    policy: Policy,
    clock: Clock,
    places: Known = None,
    beside: Beside = Beside(),
) -> Facts:
    """Read every file; faults of all tables are gathered before giving up.

    `places`: those of the OpenStreetMap file, where they have been read or nobody asks for them.

    Raises
    ------
    InputError
        With every fault of every table, or of the streets.
    """
    clock.start("tables")
    files = _Files()
    said = request.declared()
    borders = None
    if request.units:
        borders = files.read(lambda: read_units(request.units, policy, said, request.year))
    people, rasters = _read_people(request, borders, said, files)
    tables = [
        files.read(
            lambda path=path: read_facilities(  # type: ignore[misc]
                path, policy, said, by_unit=request.place_by_unit, today=request.today
            )
        )
        for path in request.facilities
    ]
    closed = [
        files.read(lambda path=path: read_closures(path, said))  # type: ignore[misc]
        for path in request.closures
    ]
    figures = [
        files.read(lambda path=path: read_statistics(path, said))  # type: ignore[misc]
        for path in request.statistics
    ]
    drawn = [
        files.read(lambda one=one: read_extent(one.service, one.file, said))  # type: ignore[misc]
        for one in request.surveyed_under(policy)
        if one.file is not None
    ]
    merges, orders = request.merges, None
    if merges is not None:
        orders = files.read(lambda: read_merge_orders(merges, said))
    if files.faults:
        raise InputError(files.faults)
    request.people_of(people, borders).check()  # before the streets, which take their time
    wanted = profiles_asked(request, policy)
    untold = request.osm is None and request.profiles and wanted
    unread = (Warn("roads_need_osm"),) if untold else ()

    def facts_with(streets: RawStreets, of_osm: tuple[Fault, ...] = ()) -> Facts:
        return Facts(
            streets,
            None,
            people,
            borders,
            tuple(table for table in tables if table is not None),
            tuple(table for table in closed if table is not None),
            tuple(table for table in figures if table is not None),
            orders,
            (*map(remark, (*of_osm, *files.warnings)), *unread),
            rasters,
            tuple(table for table in drawn if table is not None),
        )

    ahead = beside.ahead
    if places is None and ahead is not None and ahead.suits(request, policy, wanted):
        clock.start("streets")
        streets, mapped, roads, rest = ahead.read(lambda one: beside.met(facts_with(one)))
        return replace(facts_with(streets), places=mapped, roads=roads, remainder=rest)
    if ahead is not None:  # it is read for other profiles, or another day
        ahead.leave()
    streets, known, ground, raw, of_osm = _read_map(request, policy, clock, places)
    return replace(facts_with(streets, of_osm), places=known, ground=ground, roads=lambda: raw)


class _Files:
    """Reads file after file and gathers what was wrong or remarkable in any of them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def read(self, reader: Callable[[], Read]) -> Read | None:
        """The table of a file, None where it has faults."""
        try:
            table = reader()
        except InputError as error:
            self.faults.extend(error.faults)
            return None
        self.warnings.extend(table.warnings)
        return table


def _read_people(
    request: BuildRequest, borders: UnitTable | None, said: Declarations, files: _Files
) -> tuple[CellTable | None, tuple[RasterShare, ...]]:
    """Residents per cell of a table, or per pixel of a raster cut to the units."""
    paths = request.people
    if not paths:
        return None, ()
    tables = [path for path in paths if path.suffix.lower() not in RASTER_SUFFIXES]
    if tables and len(paths) > 1:
        raise ParameterError("pipeline_population_files", names=[path.name for path in paths])
    path = paths[0]
    if tables:
        return files.read(lambda: read_population(path, said, request.year)), ()
    area = (
        None
        if borders is None
        else shapely.union_all(
            [part_across(shape) for shape in borders.where.in_degrees() if shape is not None]
        )
    )
    rasters: list[RasterShare] = []

    def cut() -> CellTable:
        table, share = read_raster_share(paths, area)
        rasters.append(share)
        return table

    return files.read(cut), tuple(rasters)


# Streets, places, ground, roads and remarks of a map; graphs and names tell neither of the latter.
_Map = tuple[RawStreets, OsmPlaces | None, Ground | None, RawRoads | None, tuple[Fault, ...]]


def _read_map(request: BuildRequest, policy: Policy, clock: Clock, known: Known) -> _Map:
    clock.start("streets")
    form_of = request.terrain.form_of(policy)
    if request.graph is not None:
        return read_graphml(request.graph, policy.walk, form_of), None, None, None, ()
    if request.osm is None:
        place = str(request.place)
        return *read_place(place, policy.walk, policy, form_of, request.today), None, None, ()
    profiles = profiles_asked(request, policy)
    return _told(
        read_extract(request.osm, policy, form_of, request.today, clock.start, profiles, known)
    )


def _told(read: Extract) -> _Map:
    return read.streets, read.places, read.ground, read.roads, read.warnings


def profiles_asked(request: BuildRequest, policy: Policy) -> Mapping[str, TravelProfile]:
    """The profiles whose roads a run keeps: those named, and those of the policy's scorecard.

    Raises
    ------
    UnknownNameError : the policy has no such profile.
    """
    found = [profile_of(policy, name) for name in request.profiles]
    wanted = {one.id for one in found if one is not None}
    if policy.scorecard is not None:
        wanted |= policy.scorecard.profiles
    return {name: one for name, one in policy.profiles.items() if name in wanted}


def remark(fault: Fault) -> Warn:
    """A warning of a file as a remark that travels with the run."""
    return Warn("file_remark", {"remark": fault.both(), "fault": fault.key})
