"""What a build is asked for, and every file of it read: the facts a city is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import pandas as pd
import shapely

from lifecircle.analysis.city.streets.walkable import Terrain
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.provenance import InputFile, describe_input
from lifecircle.analysis.readers.graphs.graphml import read_graphml, read_place
from lifecircle.analysis.readers.osm.aside import Ordered, in_order
from lifecircle.analysis.readers.osm.places import OsmPlaces, read_places
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets
from lifecircle.analysis.readers.rasters.population import RasterShare, read_raster_share
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES
from lifecircle.analysis.readers.records.findings import Table
from lifecircle.analysis.readers.records.mapping_file import declarations
from lifecircle.analysis.readers.tables.closures import read_closures
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.statistics import StatisticsTable, read_statistics
from lifecircle.analysis.readers.tables.units import read_units

Read = TypeVar("Read", Table, StatisticsTable)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build an area from. One of `osm`, `place` and `graph` gives the streets.

    `datum`, `crs`, `x_is_north`: of files that do not say theirs; `sheet`, `layer`: which one of
    several; `mapping`: a file that says more (see `sources.mapping_file`). `place_by_unit`:
    facilities without coordinates stand at the unit their row names. `merges`: decisions on rows
    that may be one place.
    `surveyed`: services of which the inputs hold every facility, so that none found means none.
    `modelled` names what the files themselves estimate. `remarks` go with every answer.
    `elevation`, `barrier_rule`, `closures`: as in `Terrain`.
    `today`: the day for which dates in the files are read (``end_date``);
    None: the day of the build.
    """

    area: str
    osm: Path | None = None
    place: str | None = None
    graph: Path | None = None
    population: Path | None = None
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
    policy: str = "kunming-2022-77"
    surveyed: tuple[str, ...] = ()
    title: Title | None = None
    synthetic: bool = False
    modelled: tuple[str, ...] = ()
    remarks: tuple[Warn, ...] = ()
    elevation: Path | None = None
    barrier_rule: tuple[str, ...] = ()
    closures: tuple[Path, ...] = ()
    today: date | None = None

    @property
    def terrain(self) -> Terrain:
        """What is asked of the ground."""
        return Terrain(self.elevation, self.barrier_rule, self.closures)

    def declared(self) -> Declarations:
        """What is said of the files of this request."""
        plain = Declaration(self.datum, self.crs, self.x_is_north, self.sheet, self.layer)
        people = () if self.population is None else (self.population,)
        return declarations(plain, self.mapping, (*people, *self.units, *self.facilities))


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the files of a request say; `people`, `borders`, `tables` in EPSG:4326."""

    streets: RawStreets
    places: OsmPlaces | None
    people: Table | None
    borders: Table | None
    tables: tuple[Table, ...]
    closures: tuple[gpd.GeoDataFrame, ...]
    statistics: tuple[pd.DataFrame, ...]
    warnings: tuple[Warn, ...]
    rasters: tuple[RasterShare, ...] = ()

    @property
    def population(self) -> gpd.GeoDataFrame | None:
        """Residents per cell, if given."""
        return None if self.people is None else self.people.frame

    @property
    def units(self) -> gpd.GeoDataFrame | None:
        """Units, if given."""
        return None if self.borders is None else self.borders.frame

    @property
    def facilities(self) -> tuple[gpd.GeoDataFrame, ...]:
        """Facilities of the tables."""
        return tuple(table.frame for table in self.tables)


def describe_inputs(request: BuildRequest) -> tuple[InputFile, ...]:
    """Role, size and digest of every input file; all missing files are named at once."""
    named = [("network", request.osm), ("network", request.graph)]
    named += [("mapping", request.mapping), ("population", request.population)]
    named += [("units", path) for path in request.units]
    named += [("facilities", path) for path in request.facilities]
    named += [("elevation", request.elevation)]
    named += [("closures", path) for path in request.closures]
    named += [("statistics", path) for path in request.statistics]
    named += [("merges", request.merges)]
    given = [(role, path) for role, path in named if path is not None]
    missing = [Fault("file_missing", path.name) for _, path in given if not path.is_file()]
    if missing:
        raise InputError(missing)
    return tuple(describe_input(role, path) for role, path in given)


def read_facts(request: BuildRequest, policy: Policy, clock: Clock) -> Facts:
    """Read every file; faults of all tables are gathered before giving up.

    Raises
    ------
    InputError
        With every fault of every table, or of the streets.
    """
    clock.start("tables")
    faults: list[Fault] = []
    warnings: list[Fault] = []

    def read(reader: Callable[[], Read]) -> Read | None:
        try:
            table = reader()
        except InputError as error:
            faults.extend(error.faults)
            return None
        warnings.extend(table.warnings)
        return table

    said = request.declared()
    borders = None
    if request.units:
        borders = read(lambda: read_units(request.units, None, policy, said))
    population, people = request.population, None
    rasters: list[RasterShare] = []
    if population is not None and population.suffix.lower() in RASTER_SUFFIXES:
        area = None if borders is None else shapely.union_all(borders.frame.geometry.to_numpy())

        def cut() -> Table:
            table, share = read_raster_share(population, area)
            rasters.append(share)
            return table

        people = read(cut)
    elif population is not None:
        people = read(lambda: read_population(population, None, said))
    tables = [
        read(
            lambda path=path: read_facilities(  # type: ignore[misc]
                path, None, policy, said, by_unit=request.place_by_unit
            )
        )
        for path in request.facilities
    ]
    closed = [
        read(lambda path=path: read_closures(path, request.datum))  # type: ignore[misc]
        for path in request.closures
    ]
    figures = [
        read(lambda path=path: read_statistics(path))  # type: ignore[misc]
        for path in request.statistics
    ]
    if faults:
        raise InputError(faults)
    streets, places, of_osm = _streets(request, policy, clock)
    return Facts(
        streets,
        places,
        people,
        borders,
        tuple(table for table in tables if table is not None),
        tuple(table.frame for table in closed if table is not None),
        tuple(table.frame for table in figures if table is not None),
        tuple(map(remark, (*of_osm, *warnings))),
        tuple(rasters),
    )


def _streets(
    request: BuildRequest, policy: Policy, clock: Clock
) -> tuple[RawStreets, OsmPlaces | None, tuple[Fault, ...]]:
    clock.start("streets")
    form_of = request.terrain.form_of(policy)
    if request.graph is not None:
        return read_graphml(request.graph, policy.walk, form_of), None, ()
    if request.osm is None:
        place = str(request.place)
        return *read_place(place, policy.walk, policy, form_of, request.today), ()
    return _read_osm(request.osm, request, policy, clock)


_OsmRead = tuple[RawStreets, OsmPlaces, tuple[Fault, ...]]


def _read_osm(path: Path, request: BuildRequest, policy: Policy, clock: Clock) -> _OsmRead:
    """Streets and places of a file. A .pbf is read as it is, and put in order if that fails."""
    is_pbf = path.suffix == ".pbf"
    try:
        with in_order(path) as ordered:
            read = _ordered_osm(ordered, request, policy, clock)
        if not is_pbf or not read[0].dropped.missing:
            return read
    except InputError:
        with in_order(path, doubted=is_pbf) as ordered:
            if ordered.path == path or not is_pbf:
                raise
            return _ordered_osm(ordered, request, policy, clock)
    with in_order(path, doubted=True) as ordered:
        return read if ordered.path == path else _ordered_osm(ordered, request, policy, clock)


def _ordered_osm(ordered: Ordered, request: BuildRequest, policy: Policy, clock: Clock) -> _OsmRead:
    clock.start("streets")
    form_of = request.terrain.form_of(policy)
    streets = read_streets(ordered.path, policy.walk, form_of)
    clock.start("places")
    places = read_places(ordered.path, policy, request.today)
    return streets, places, (*ordered.warnings, *dropped_said(ordered.path.name, streets, policy))


def dropped_said(file: str, streets: RawStreets, policy: Policy) -> tuple[Fault, ...]:
    """What is said of nodes a file does not hold; refused where too few are left.

    Raises
    ------
    InputError
        More of the references are missing than the policy allows.
    """
    dropped = streets.dropped
    if not dropped.missing:
        return ()
    shown: dict[str, Any] = {
        "references": dropped.references,
        "missing": dropped.missing,
        "lost": dropped.lost,
    }
    shown |= {"cut": dropped.cut, "percent": f"{dropped.share:.0%}"}
    most = policy.reading
    if most is not None and dropped.share > most.missing_refused.value:
        limit = {"limit": f"{most.missing_refused.value:.0%}"}
        raise InputError([Fault("osm_too_much_missing", file, params={**shown, **limit})])
    return (Fault("osm_dropped", file, params=shown, severity="warning"),)


def remark(fault: Fault) -> Warn:
    """A warning of a file as a remark that travels with the run."""
    told = {"en": fault.text("en"), "zh": fault.text("zh"), "fault": fault.key}
    return Warn("file_remark", told)
