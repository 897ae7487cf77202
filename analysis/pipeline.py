"""From files to figures: reads like the diagram in docs/architecture.md.

facts → city (network, units, residents, facilities, land) → travel times → a saved run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from analysis.access.travel import TravelTable, travel_table
from analysis.access.walking import flat_costs
from analysis.city.crs import to_lonlat
from analysis.city.disagreement import cells_apart, disagreement_remarks, units_apart
from analysis.city.facilities import place_facilities
from analysis.city.gathering import gather_facilities
from analysis.city.land import sample_land
from analysis.city.model import Cells, City, LandSamples, StrArray, Units
from analysis.city.network import WalkNetwork, build_network
from analysis.city.notes import BuildNotes, Spread
from analysis.city.placement import all_misplaced
from analysis.city.population import CellSeed, cells_from_table
from analysis.city.snap import EdgeIndex, Positions
from analysis.city.spread import spread_unit_totals
from analysis.city.spread_doubt import spread_doubt
from analysis.city.unit_rows import Homes
from analysis.city.units import (
    area_polygon_from,
    assign_units,
    build_units,
    declared_by_level,
    group_totals,
)
from analysis.errors import Fault, InputError, ParameterError, Warn
from analysis.measures.quality import city_remarks
from analysis.policy import Policy, Title, load_policy
from analysis.provenance import InputFile, code_version, describe_input
from analysis.results.model import Manifest, Run
from analysis.results.store import Workspace
from analysis.sources.boundaries import read_units
from analysis.sources.declared import Declaration, Declarations
from analysis.sources.files_in import RASTER_SUFFIXES
from analysis.sources.findings import Table
from analysis.sources.graphs import read_graphml, read_place
from analysis.sources.mapping_file import declarations
from analysis.sources.osm import RawStreets, read_streets
from analysis.sources.places import OsmPlaces, read_places
from analysis.sources.rasters import RasterShare, read_raster_share
from analysis.sources.tables import read_facilities, read_population

Progress = Callable[[str, float], None]  # step key (pipeline_step_*), share done 0-1

STEPS = ("streets", "places", "tables", "network", "residents", "facilities", "walks", "save")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build an area from. One of `osm`, `place` and `graph` gives the streets.

    `datum`, `crs`, `x_is_north`: of files that do not say theirs; `sheet`, `layer`: which one of
    several; `mapping`: a file that says more (see `sources.mapping_file`). `place_by_unit`:
    facilities without coordinates stand at the unit their row names. `merges`: decisions on rows
    that may be one place. `surveyed`: services of which the inputs hold every facility, so that
    none found means there is none. `modelled` names what the files themselves estimate.
    `remarks` go with every answer.
    """

    area: str
    osm: Path | None = None
    place: str | None = None
    graph: Path | None = None
    population: Path | None = None
    units: tuple[Path, ...] = ()
    facilities: tuple[Path, ...] = ()
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

    def declared(self) -> Declarations:
        """What is said of the files of this request."""
        plain = Declaration(self.datum, self.crs, self.x_is_north, self.sheet, self.layer)
        people = () if self.population is None else (self.population,)
        return declarations(plain, self.mapping, (*people, *self.units, *self.facilities))


@dataclass(frozen=True, slots=True)
class _Facts:
    streets: RawStreets
    places: OsmPlaces | None
    people: Table | None
    borders: Table | None
    tables: tuple[Table, ...]
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


def build_area(
    request: BuildRequest, workspace: Workspace, progress: Progress | None = None
) -> Run:
    """Build an area and add it to a workspace as its new current run.

    Raises
    ------
    InputError
        Files that cannot be used: every fault found. The workspace stays as it was.
    """
    manifest, policy, city, travel = analyse_city(request, progress)
    if progress is not None:
        progress("save", 0.0)
    return workspace.save(manifest, policy, city, travel)


def analyse_city(
    request: BuildRequest, progress: Progress | None = None
) -> tuple[Manifest, Policy, City, TravelTable]:
    """Everything a run holds, computed from the files of a request."""
    clock = _Clock(progress)
    policy = load_policy(request.policy)
    _check(request, policy)
    inputs = describe_inputs(request)
    facts = _read(request, policy, clock)
    clock.start("network")
    network = build_network(facts.streets)
    index = EdgeIndex.build(network, policy.attachment.min_component_m.value)
    doubts = _doubts(facts, index)
    clock.start("residents")
    units, seed, unit_of, spread, remarks = _residents(facts, network, policy)
    cells = _cells(seed, unit_of, index.snap(seed.xy_m, policy.attachment.max_leg_m.value))
    apart = disagreement_remarks((*units_apart(units), *cells_apart(units, cells)))
    land = _land(facts, units, network.crs, policy, index)
    clock.start("facilities")
    placed, same_places, unit_rows, noticed = gather_facilities(
        tuple(zip([path.name for path in request.facilities], facts.facilities, strict=True)),
        facts.places.facilities if facts.places else None,
        None if facts.units is None else units,
        Homes(seed.xy_m, seed.residents, unit_of),
        network.crs,
        policy,
        request.merges,
    )
    facilities, loose = place_facilities(placed, policy, units, index)
    warnings = (*request.remarks, *facts.warnings, *doubts, *remarks, *apart, *noticed, *loose)
    surveyed = frozenset(request.surveyed)
    notes = BuildNotes(same_places, unit_rows, spread, facts.rasters)
    city = City(network.crs, network, units, cells, facilities, land, surveyed, warnings, notes)
    city = replace(city, warnings=(*warnings, *city_remarks(city)))
    clock.start("walks")
    services = tuple(policy.services)
    travel = travel_table(city, flat_costs(network), services, clock.within(len(services)))
    manifest = _manifest(request, policy, city, inputs, clock.stop())
    return manifest, policy, city, travel


def describe_inputs(request: BuildRequest) -> tuple[InputFile, ...]:
    """Role, size and digest of every input file; all missing files are named at once."""
    named = [("network", request.osm), ("network", request.graph)]
    named += [("mapping", request.mapping), ("population", request.population)]
    named += [("units", path) for path in request.units]
    named += [("facilities", path) for path in request.facilities]
    named += [("merges", request.merges)]
    given = [(role, path) for role, path in named if path is not None]
    missing = [Fault("file_missing", path.name) for _, path in given if not path.is_file()]
    if missing:
        raise InputError(missing)
    return tuple(describe_input(role, path) for role, path in given)


def _check(request: BuildRequest, policy: Policy) -> None:
    sources = [request.osm, request.place, request.graph]
    if sum(source is not None for source in sources) != 1:
        raise ParameterError("pipeline_one_network")
    unknown = sorted(set(request.surveyed) - set(policy.services))
    if unknown:
        raise ParameterError(
            "pipeline_surveyed", names=", ".join(unknown), known=", ".join(policy.services)
        )


def _read(request: BuildRequest, policy: Policy, clock: _Clock) -> _Facts:
    """Read every file; faults of all tables are gathered before giving up."""
    clock.start("tables")
    faults: list[Fault] = []
    warnings: list[Fault] = []

    def read(reader: Callable[[], Table]) -> Table | None:
        try:
            table = reader()
        except InputError as error:
            faults.extend(error.faults)
            return None
        warnings.extend(table.warnings)
        return table

    said = request.declared()
    units = None
    if request.units:
        units = read(lambda: read_units(request.units, None, policy, said))
    population = request.population
    people = None
    rasters: list[RasterShare] = []
    if population is not None and population.suffix.lower() in RASTER_SUFFIXES:
        area = None if units is None else shapely.union_all(units.frame.geometry.to_numpy())

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
    if faults:
        raise InputError(faults)
    streets, places = _streets(request, policy, clock)
    facilities = tuple(table for table in tables if table is not None)
    remarks = tuple(map(_remark, warnings))
    return _Facts(streets, places, people, units, facilities, remarks, tuple(rasters))


def _doubts(facts: _Facts, index: EdgeIndex) -> tuple[Warn, ...]:
    """Whether the files lie where they say: remarks, or `InputError` where they surely do not."""
    placed = [(facts.people, True), (facts.borders, False), *((t, True) for t in facts.tables)]
    found = all_misplaced(placed, index)
    errors = [fault for fault in found if fault.severity == "error"]
    if errors:
        raise InputError(errors)
    return tuple(map(_remark, found))


def _streets(
    request: BuildRequest, policy: Policy, clock: _Clock
) -> tuple[RawStreets, OsmPlaces | None]:
    clock.start("streets")
    if request.graph is not None:
        return read_graphml(request.graph, policy.walk), None
    if request.osm is None:
        return read_place(str(request.place), policy.walk, policy)
    streets = read_streets(request.osm, policy.walk)
    clock.start("places")
    return streets, read_places(request.osm, policy)


def _remark(fault: Fault) -> Warn:
    told = {"en": fault.text("en"), "zh": fault.text("zh"), "fault": fault.key}
    return Warn("file_remark", told)


def _residents(
    facts: _Facts, network: WalkNetwork, policy: Policy
) -> tuple[Units, CellSeed, dict[str, np.ndarray], tuple[Spread, ...], tuple[Warn, ...]]:
    """Units and populated cells: given, or spread from the units' totals."""
    levels = tuple(policy.unit_levels)
    if facts.population is not None:
        seed = cells_from_table(facts.population, network.crs)
        margin_m = policy.attachment.max_leg_m.value
        hull = area_polygon_from(seed.xy_m, margin_m) if facts.units is None else None
        units = build_units(facts.units, network.crs, levels, hull)
        return units, seed, assign_units(seed.xy_m, units), (), seed.warnings
    if facts.units is None:
        raise ParameterError("pipeline_no_residents")
    units = build_units(facts.units, network.crs, levels)
    buildings = facts.places.buildings if facts.places else None
    residential = facts.places.residential if facts.places else None
    spread = spread_unit_totals(
        units, group_totals(facts.units, units), buildings, residential, policy.spread, network.crs
    )
    codes: StrArray = units.code[spread.unit]
    unit_of = assign_units(spread.seed.xy_m, units, declared_by_level(codes, units))
    rows, doubt = spread_doubt(units, spread, residential, policy, network.crs)
    return units, spread.seed, unit_of, rows, (*spread.warnings, *doubt)


def _cells(seed: CellSeed, unit_of: dict[str, np.ndarray], position: Positions) -> Cells:
    return Cells(
        id=seed.id,
        xy_m=seed.xy_m,
        polygon=seed.polygon,
        residents=seed.residents,
        groups=seed.groups,
        unit=unit_of,
        modelled=seed.modelled,
        position=position,
    )


def _land(
    facts: _Facts, units: Units, crs: str, policy: Policy, index: EdgeIndex
) -> LandSamples | None:
    if facts.places is None or len(facts.places.residential) == 0:
        return None
    lattice_m = policy.coverage.land_lattice_m.value
    seed = sample_land(facts.places.residential, units, lattice_m, crs)
    if seed is None:
        return None
    position = index.snap(seed.xy_m, policy.attachment.max_leg_m.value)
    return LandSamples(seed.xy_m, seed.area_m2, seed.unit, position)


def _manifest(
    request: BuildRequest,
    policy: Policy,
    city: City,
    inputs: tuple[InputFile, ...],
    timings_s: dict[str, float],
) -> Manifest:
    counts = {
        "cells": len(city.cells),
        "facilities": len(city.facilities),
        "units": len(city.units.code),
        "junctions": city.network.node_count,
        "edges": city.network.edge_count,
        "land_samples": len(city.land.area_m2) if city.land is not None else 0,
    }
    spread = {"population"} if bool(city.cells.modelled.any()) else set()
    modelled = tuple(sorted(spread | set(request.modelled)))
    return Manifest(
        area=request.area,
        run="",
        title=request.title or Title(request.area, request.area),
        crs=city.crs,
        bbox=_bbox(city),
        residents=int(city.cells.residents.sum()),
        counts=counts,
        services=tuple(s for s in policy.services if city.assessed(s)),
        policy_id=policy.id,
        policy_digest=policy.digest,
        synthetic=request.synthetic,
        modelled=modelled,
        warnings=city.warnings,
        inputs=inputs,
        parameters={
            "datum": request.datum,
            "crs": request.crs,
            "x_is_north": request.x_is_north,
            "surveyed": sorted(request.surveyed),
            "place": request.place,
            "place_by_unit": request.place_by_unit,
        },
        code_version=code_version(),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        timings_s=timings_s,
    )


def _bbox(city: City) -> tuple[float, float, float, float]:
    """West, south, east, north (degrees) of units and cells."""
    shapes = list(chain(city.units.geometry, city.cells.polygon))
    bounds = shapely.total_bounds(np.array(shapes, dtype=object))
    corners = np.array([bounds[[0, 1]], bounds[[0, 3]], bounds[[2, 1]], bounds[[2, 3]]])
    corners = corners[np.isfinite(corners).all(axis=1)]
    lonlat = to_lonlat(np.vstack([city.cells.xy_m, corners]), city.crs)
    west, south = lonlat.min(axis=0)
    east, north = lonlat.max(axis=0)
    return float(west), float(south), float(east), float(north)


class _Clock:
    """Seconds per step, and word to whoever watches."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._step: str | None = None
        self._since = 0.0
        self.seconds: dict[str, float] = {}

    def start(self, step: str) -> None:
        """End the step under way and begin another."""
        now = time.perf_counter()
        if self._step is not None:
            self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now
        if self._progress is not None:
            self._progress(step, 0.0)

    def stop(self) -> dict[str, float]:
        """End the last step and give all seconds, rounded to milliseconds."""
        if self._step is not None:
            self.start(self._step)
        return {step: round(seconds, 3) for step, seconds in self.seconds.items()}

    def within(self, parts: int) -> Callable[[str], None]:
        """Report one of `parts` done, each time it is called."""
        done = 0

        def advance(_: str) -> None:
            nonlocal done
            done += 1
            if self._progress is not None and self._step is not None:
                self._progress(self._step, done / parts)

        return advance
