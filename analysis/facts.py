"""What a build is asked for, and every file of it read: the facts a city is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import shapely

from lifecircle.analysis.ahead import Ahead, Remainder
from lifecircle.analysis.city.residents.settle import People, check_floor
from lifecircle.analysis.city.streets.walkable import Terrain
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.measures.travelling import profile_of
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.postgis.fetch import fetch_inputs
from lifecircle.analysis.provenance import InputFile, describe_input
from lifecircle.analysis.readers.graphs.graphml import read_graphml, read_place
from lifecircle.analysis.readers.osm.extract import Extract, Known, read_extract
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.readers.osm.places import OsmPlaces
from lifecircle.analysis.readers.osm.roads import RawRoads
from lifecircle.analysis.readers.osm.streets import RawStreets
from lifecircle.analysis.readers.rasters.population import RasterShare, read_raster_share
from lifecircle.analysis.readers.records.coordinates.antimeridian import part_across
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import (
    REFUSE,
    Declaration,
    Declarations,
    known_other_types,
)
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.mapping_file import read_declarations, read_mapping
from lifecircle.analysis.readers.records.tables import (
    CellTable,
    ClosureTable,
    FacilityTable,
    StatisticsTable,
    UnitTable,
)
from lifecircle.analysis.readers.services.names import service_words
from lifecircle.analysis.readers.tables.closures import read_closures
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders, read_merge_orders
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.statistics import read_statistics
from lifecircle.analysis.readers.tables.surveyed import (
    ExtentTable,
    Saying,
    read_extent,
    split_sayings,
)
from lifecircle.analysis.readers.tables.units import read_units
from lifecircle.analysis.unknown_names import find_id

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
class BuildRequest:
    """What to build an area from. One of `osm`, `place` and `graph` gives the streets.

    `datum`, `crs`, `x_is_north`: of files that do not say theirs; `sheet`, `layer`: which one of
    several; `mapping`: a file that says more (see `records.mapping_file`). `place_by_unit`:
    facilities without coordinates stand at the unit their row names. `merges`: decisions on rows
    that may be one place.
    `policy`: an id, a file or a policy made in code.
    `surveyed`: services of which the inputs hold every facility, so that none found means none;
    those in some units only as ``SERVICE:UNIT,UNIT``, or inside polygons as ``SERVICE:FILE``.
    `modelled` names what the files themselves estimate. `remarks` go with every answer.
    `elevation`, `barrier_rule`, `closures`: as in `Terrain`.
    `services`: name of a file of facilities → the service that all its rows are; `other_types`:
    ``skip`` leaves out rows of facilities whose kind is no service.
    `accept_datum`: a doubt about a datum is a remark and does not stop the build.
    `today`: the day for which dates in the files are read (``end_date``);
    None: the day of the build.
    `residents_from_buildings`: floor (m²) per resident by which residents are reckoned from the
    homes of the map, as an illustration, where no file holds any. `calibrate`: cells are scaled
    to the totals of the units. `profiles`: of travelling, whose roads the run keeps beside those
    that the policy's scorecard asks for; ``walk`` needs none. `year`: whose state the files show;
    None: the latest year of the statistics, else that of the build.
    """

    area: str
    osm: Path | None = None
    place: str | None = None
    graph: Path | None = None
    population: Path | tuple[Path, ...] | None = None
    units: tuple[Path, ...] = ()
    facilities: tuple[Path, ...] = ()
    statistics: tuple[Path, ...] = ()
    datum: str | None = None
    crs: str | None = None
    x_is_north: bool = False
    sheet: str | None = None
    layer: str | None = None
    mapping: Path | None = None
    place_by_unit: bool = False
    merges: Path | None = None
    policy: str | Path | Policy | None = None
    surveyed: tuple[str, ...] = ()
    title: Title | None = None
    synthetic: bool = False
    modelled: tuple[str, ...] = ()
    remarks: tuple[Warn, ...] = ()
    elevation: Path | None = None
    barrier_rule: tuple[str, ...] = ()
    closures: tuple[Path, ...] = ()
    today: date | None = None
    accept_datum: bool = False
    services: Mapping[str, str] = field(default_factory=dict)
    other_types: str = REFUSE
    residents_from_buildings: float | None = None
    calibrate: bool = False
    profiles: tuple[str, ...] = ()
    year: int | None = None

    @property
    def people(self) -> tuple[Path, ...]:
        """The files of residents: one, or the age bands of a raster."""
        given = self.population
        return () if given is None else given if isinstance(given, tuple) else (given,)

    def people_of(self, cells: CellTable | None, units: UnitTable | None) -> People:
        """What is said of residents, by the tables that were read."""
        return People(cells, units, self.residents_from_buildings, self.calibrate)

    @property
    def terrain(self) -> Terrain:
        """What is asked of the ground."""
        return Terrain(self.elevation, self.barrier_rule, self.closures)

    def fetched(self, folder: Path) -> BuildRequest:
        """This request with the tables of databases that it names as files in `folder`."""
        people = fetch_inputs(self.people, folder)
        return replace(
            self,
            population=people or None,
            units=fetch_inputs(self.units, folder),
            facilities=fetch_inputs(self.facilities, folder),
            statistics=fetch_inputs(self.statistics, folder),
        )

    def declared(self) -> Declarations:
        """What is said of the files of this request."""
        plain = Declaration(
            self.datum, self.crs, self.x_is_north, self.sheet, self.layer,
            other_types=known_other_types(self.other_types),
        )  # fmt: skip
        single = [*self.people, *([] if self.merges is None else [self.merges])]
        drawn = [one.file for one in self.sayings if one.file is not None]
        several = (*self.units, *self.facilities, *self.closures, *self.statistics, *drawn)
        said = read_declarations(plain, self.mapping, (*single, *several))
        return said.with_services(self.services)

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """What is declared surveyed, by the request and by its mapping file."""
        said = () if self.mapping is None else read_mapping(self.mapping).surveyed
        return split_sayings((*self.surveyed, *said))

    def surveyed_under(self, policy: Policy) -> tuple[Saying, ...]:
        """The same, services named by a title or another word of the policy by their ids."""
        words = service_words(policy)
        return tuple(
            replace(one, service=find_id(one.service, words) or one.service) for one in self.sayings
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the files of a request say; `remainder`: what is not read of a map yet."""

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
    roads: RawRoads | None = None
    remainder: Callable[[], Remainder] | None = None

    def completed(self) -> Facts:
        """All of it: waits for the ground, roads and remarks of a map that is still being read.

        Raises
        ------
        ChangedError : what was read of the map first does not hold.
        """
        if self.remainder is None:
            return self
        rest = self.remainder()
        warnings = (*map(remark, rest.warnings), *self.warnings)
        return replace(
            self, ground=rest.ground, roads=rest.roads, warnings=warnings, remainder=None
        )

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


def check_request(request: BuildRequest, policy: Policy) -> None:
    """Refuse what cannot be meant, before any file is read.

    Raises
    ------
    ParameterError
    """
    sources = [request.osm, request.place, request.graph]
    if sum(source is not None for source in sources) != 1:
        raise ParameterError("pipeline_one_network")
    if request.calibrate and not (request.population and request.units):
        raise ParameterError("pipeline_calibrate_what")
    if request.residents_from_buildings is not None and request.population:
        raise ParameterError("pipeline_residents_twice")
    check_floor(request.residents_from_buildings)
    declared = request.surveyed_under(policy)
    unknown = sorted({one.service for one in declared} - set(policy.services))
    if unknown:
        raise ParameterError(
            "pipeline_surveyed", names=", ".join(unknown), known=", ".join(policy.services)
        )
    request.terrain.check(with_osm=request.osm is not None)


def describe_inputs(request: BuildRequest) -> tuple[InputFile, ...]:
    """Role, size and digest of every input file; all missing files are named at once."""
    named = [("network", request.osm), ("network", request.graph)]
    named += [("mapping", request.mapping)]
    named += [("population", path) for path in request.people]
    named += [("units", path) for path in request.units]
    named += [("facilities", path) for path in request.facilities]
    named += [("elevation", request.elevation)]
    named += [("closures", path) for path in request.closures]
    named += [("statistics", path) for path in request.statistics]
    named += [("merges", request.merges)]
    named += [("surveyed", saying.file) for saying in request.sayings]
    given = [(role, path) for role, path in named if path is not None]
    missing = [Fault("file_missing", path.name) for _, path in given if not path.is_file()]
    if missing:
        raise InputError(missing)
    return tuple(describe_input(role, path) for role, path in given)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is done beside the reading of files.

    `ahead`: the OpenStreetMap file, where it is being read already. `met` is told of its streets
    and the closures as soon as they are there, while the rest is read.
    """

    ahead: Ahead | None = None
    met: Callable[[RawStreets, tuple[ClosureTable, ...]], None] = lambda _streets, _closed: None


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
    closures = tuple(table for table in closed if table is not None)
    wanted = profiles_asked(request, policy)
    ahead = beside.ahead
    if places is not None or ahead is None or not ahead.suits(request, policy, wanted):
        ahead = None
    remainder: Callable[[], Remainder] | None = None
    if ahead is None:
        found = _read_map(request, policy, clock, places)
    else:
        clock.start("streets")
        read = ahead.read(lambda streets: beside.met(streets, closures))
        found, remainder = (read[0], read[1], None, None, ()), read[2]
    streets, mapped, ground, roads, of_osm = found
    untold = request.osm is None and request.profiles and wanted
    unread = (Warn("roads_need_osm"),) if untold else ()
    return Facts(
        streets,
        mapped,
        people,
        borders,
        tuple(table for table in tables if table is not None),
        closures,
        tuple(table for table in figures if table is not None),
        orders,
        (*map(remark, (*of_osm, *files.warnings)), *unread),
        rasters,
        tuple(table for table in drawn if table is not None),
        ground,
        roads,
        remainder,
    )


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
