"""From files to figures: reads like the diagram in docs/architecture.md.

facts → city (network, units, residents, facilities, land) → travel times → a saved run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from analysis.access.travel import TravelTable, travel_table
from analysis.access.walking import walk_costs
from analysis.city.crs import to_lonlat
from analysis.city.disagreement import cells_apart, disagreement_remarks, units_apart
from analysis.city.facilities import place_facilities
from analysis.city.gathering import gather_facilities
from analysis.city.land import sample_land
from analysis.city.model import Cells, City, LandSamples, StrArray, Units
from analysis.city.network import WalkNetwork
from analysis.city.notes import BuildNotes, Spread
from analysis.city.population import CellSeed, cells_from_table
from analysis.city.snap import EdgeIndex, Positions
from analysis.city.spread import spread_unit_totals
from analysis.city.spread_doubt import spread_doubt
from analysis.city.statistics import place_statistics
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
from analysis.sources.closures import read_closures
from analysis.sources.files_in import RASTER_SUFFIXES
from analysis.sources.findings import Table
from analysis.sources.graphs import read_graphml, read_place
from analysis.sources.osm import RawStreets, read_streets
from analysis.sources.places import OsmPlaces, read_places
from analysis.sources.rasters import RasterShare, read_raster_share
from analysis.sources.statistics_in import read_statistics
from analysis.sources.tables import read_facilities, read_population
from analysis.streets import Terrain, walkable_network

Progress = Callable[[str, float], None]  # step key (pipeline_step_*), share done 0-1

STEPS = ("streets", "places", "tables", "network", "residents", "facilities", "walks", "save")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build an area from. One of `osm`, `place` and `graph` gives the streets.

    `datum`: of tables with bare coordinates. `place_by_unit`: facilities without coordinates
    stand at the unit their row names. `merges`: decisions on rows that may be one place.
    `surveyed`: services of which the inputs hold every facility, so that none found means none.
    `modelled` names what the files themselves estimate. `remarks` go with every answer.
    `elevation`, `barrier_rule`, `closures`: as in `Terrain`.
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

    @property
    def terrain(self) -> Terrain:
        """What is asked of the ground."""
        return Terrain(self.elevation, self.barrier_rule, self.closures)


@dataclass(frozen=True, slots=True)
class _Facts:
    streets: RawStreets
    places: OsmPlaces | None
    population: gpd.GeoDataFrame | None
    units: gpd.GeoDataFrame | None
    facilities: tuple[gpd.GeoDataFrame, ...]
    closures: tuple[gpd.GeoDataFrame, ...]
    statistics: tuple[pd.DataFrame, ...]
    warnings: tuple[Warn, ...]
    rasters: tuple[RasterShare, ...] = ()


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
    walkable = walkable_network(facts.streets, request.terrain, policy, request.osm, facts.closures)
    network = walkable.network
    index = EdgeIndex.build(network, policy.attachment.min_component_m.value)
    clock.start("residents")
    units, seed, unit_of, spread, remarks = _residents(facts, network, policy)
    max_leg_m = policy.attachment.max_leg_m.value
    cells = _cells(seed, unit_of, _on_streets(index.snap(seed.xy_m, max_leg_m), max_leg_m))
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
    totals = {} if facts.units is None else group_totals(facts.units, units)
    statistics, strange = place_statistics(facts.statistics, units, totals)
    warnings = (
        *request.remarks,
        *walkable.warnings,
        *facts.warnings,
        *remarks,
        *apart,
        *noticed,
        *loose,
        *strange,
    )
    surveyed = frozenset(request.surveyed)
    notes = BuildNotes(same_places, unit_rows, spread, facts.rasters)
    city = City(
        network.crs,
        network,
        units,
        cells,
        facilities,
        land,
        surveyed,
        warnings,
        statistics,
        notes,
    )
    city = replace(city, warnings=(*warnings, *city_remarks(city)))
    clock.start("walks")
    services = tuple(policy.services)
    travel = travel_table(city, walk_costs(network), services, clock.within(len(services)))
    manifest = _manifest(request, policy, city, inputs, walkable.parameters, clock.stop())
    return manifest, policy, city, travel


def describe_inputs(request: BuildRequest) -> tuple[InputFile, ...]:
    """Role, size and digest of every input file; all missing files are named at once."""
    named = [("network", request.osm), ("network", request.graph)]
    named += [("population", request.population)]
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


def _check(request: BuildRequest, policy: Policy) -> None:
    sources = [request.osm, request.place, request.graph]
    if sum(source is not None for source in sources) != 1:
        raise ParameterError("pipeline_one_network")
    unknown = sorted(set(request.surveyed) - set(policy.services))
    if unknown:
        raise ParameterError(
            "pipeline_surveyed", names=", ".join(unknown), known=", ".join(policy.services)
        )
    request.terrain.check(with_osm=request.osm is not None)


def _read(request: BuildRequest, policy: Policy, clock: _Clock) -> _Facts:
    """Read every file; faults of all tables are gathered before giving up."""
    clock.start("tables")
    faults: list[Fault] = []
    warnings: list[Fault] = []

    def read(reader: Callable[[], object]) -> gpd.GeoDataFrame | None:
        try:
            table = reader()
        except InputError as error:
            faults.extend(error.faults)
            return None
        warnings.extend(table.warnings)  # type: ignore[attr-defined]
        return table.frame  # type: ignore[attr-defined]

    units = (
        read(lambda: read_units(request.units, request.datum, policy)) if request.units else None
    )
    population = request.population
    people, rasters = None, []
    if population is not None and population.suffix.lower() in RASTER_SUFFIXES:
        area = None if units is None else shapely.union_all(units.geometry.to_numpy())

        def cut() -> Table:
            table, share = read_raster_share(population, area)
            rasters.append(share)
            return table

        people = read(cut)
    elif population is not None:
        people = read(lambda: read_population(population, request.datum))
    tables = [
        read(
            lambda path=path: read_facilities(  # type: ignore[misc]
                path, request.datum, policy, by_unit=request.place_by_unit
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
    streets, places = _streets(request, policy, clock)
    return _Facts(
        streets,
        places,
        people,
        units,
        tuple(frame for frame in tables if frame is not None),
        tuple(frame for frame in closed if frame is not None),
        tuple(frame for frame in figures if frame is not None),
        tuple(map(_remark, warnings)),
        tuple(rasters),
    )


def _streets(
    request: BuildRequest, policy: Policy, clock: _Clock
) -> tuple[RawStreets, OsmPlaces | None]:
    clock.start("streets")
    form_of = request.terrain.form_of(policy)
    if request.graph is not None:
        return read_graphml(request.graph, policy.walk, form_of), None
    if request.osm is None:
        return read_place(str(request.place), policy.walk, policy, form_of)
    streets = read_streets(request.osm, policy.walk, form_of)
    clock.start("places")
    return streets, read_places(request.osm, policy)


def _remark(fault: Fault) -> Warn:
    return Warn("file_remark", {"en": fault.text("en"), "zh": fault.text("zh")})


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


def _on_streets(position: Positions, max_leg_m: float) -> Positions:
    """The positions, unless nobody at all lives near a street: then the files do not fit."""
    if len(position) and not position.snapped.any():
        raise ParameterError("pipeline_nobody_near_streets", metres=f"{max_leg_m:g}")
    return position


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
    ground: Mapping[str, Any],
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
            "surveyed": sorted(request.surveyed),
            "place": request.place,
            **ground,
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
