"""From files to figures: reads like the diagram in docs/architecture.md.

facts → city (network, units, residents, facilities, land) → walks → catchments → layers → a
saved run, each step on the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.access.nearest import NearestFacility, travel_table
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.ahead import Ahead, ChangedError
from lifecircle.analysis.build_manifest import manifest_of_build
from lifecircle.analysis.build_request import BuildRequest, check_request, describe_inputs
from lifecircle.analysis.city.by_profile import join_roads
from lifecircle.analysis.city.extents import extents_of, find_units
from lifecircle.analysis.city.facilities.facilities import place_facilities
from lifecircle.analysis.city.facilities.gathering import gather_facilities
from lifecircle.analysis.city.facilities.not_open import note_not_open
from lifecircle.analysis.city.model import (
    NO_ROADS,
    Cells,
    City,
    Deferred,
    Extent,
    Facilities,
    LandSamples,
    Units,
)
from lifecircle.analysis.city.notes import BuildNotes, NotOpen, SamePlace, UnitRow
from lifecircle.analysis.city.placement import DATUM_DOUBTS, find_misplaced
from lifecircle.analysis.city.residents.land import sample_land
from lifecircle.analysis.city.residents.population import CellSeed
from lifecircle.analysis.city.residents.settle import Settled, settle
from lifecircle.analysis.city.streets.pieces import attachment_remarks, nobody_on_streets
from lifecircle.analysis.city.streets.roads import road_networks
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.city.streets.walkable import Walkable, walkable_network
from lifecircle.analysis.city.units.disagreement import (
    compare_cells,
    compare_units,
    describe_disagreements,
)
from lifecircle.analysis.city.units.statistics import place_statistics
from lifecircle.analysis.city.units.unit_rows import Homes
from lifecircle.analysis.city.units.units import group_totals
from lifecircle.analysis.clock import Clock, Progress
from lifecircle.analysis.errors import InputError, ParameterError, Warn
from lifecircle.analysis.facts import Beside, Facts, profiles_asked, read_facts, remark
from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.machine import begin, collecting_seldom, using_threads
from lifecircle.analysis.measures.catchments.kept import default_catchments
from lifecircle.analysis.measures.outlines import learn_outlines
from lifecircle.analysis.measures.quality import city_remarks
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.parts.joined import Joined
from lifecircle.analysis.parts.province import cut_remarks
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.quantities import FloatArray, Int32Array
from lifecircle.analysis.readers.tables.surveyed import Saying
from lifecircle.analysis.results.layers.layers import layer_makers
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.working_copy import begin_in_copy

STEPS = (
    "tables", "streets", "places", "network", "residents", "facilities", "walks", "catchments",
    "layers", "save",
)  # fmt: skip

LARGE_CELLS: Final = 100_000  # from here on people would wait until cars have been joined to roads


def build_area(
    request: BuildRequest,
    workspace: Workspace,
    progress: Progress | None = None,
    parts: Joined | None = None,
    *,
    threads: int | None = None,
    ahead: Ahead | None = None,
) -> Run:
    """Build an area and add it to a workspace as its new current run.

    `parts`: what was worked out part by part (`analysis.parts`); the run is the same without.
    `threads`: at most so many side by side (None: one for each core); the run is the same.
    `ahead`: the OpenStreetMap file of the request, where it is being read already.

    Raises
    ------
    InputError
        Files that cannot be used: every fault found. The workspace stays as it was.
    UnsolvedError : a database that an input lies in cannot be reached, or has no such table.
    """
    clock = Clock(progress)
    with using_threads(threads, copies=ahead is not None), collecting_seldom():
        with TemporaryDirectory(prefix="lifecircle-") as folder:
            fetched = request.fetched(Path(folder))
            city = analyse_city(fetched, clock=clock, parts=parts, ahead=ahead)
        return save_run(workspace, *city, clock=clock)


def save_run(
    workspace: Workspace,
    manifest: Manifest,
    policy: Policy,
    city: City,
    travel: NearestFacility,
    *,
    clock: Clock | None = None,
) -> Run:
    """Solve the catchments of an analysed city, make its layers, and save it as a new run.

    Raises
    ------
    ParameterError : the area's name cannot be a folder.
    WorkspaceError : the workspace cannot be written.
    """
    clock = clock or Clock(None)
    clock.start("catchments")
    if len(city.cells) > LARGE_CELLS:
        city = join_roads(city, policy)
    study = Study(city, travel, policy)
    catchments = default_catchments(study)
    counts = {**manifest.counts, **({"catchments": len(catchments)} if catchments else {})}
    run = Run(
        workspace.root, replace(manifest, counts=counts), policy, city, travel, catchments,
        study.costs,
    )  # fmt: skip
    clock.start("layers")
    longest, others = layer_makers(run)

    def make_longest() -> Mapping[str, gpd.GeoDataFrame]:
        made = longest()
        clock.start("save")
        return made

    return workspace.save(run, (make_longest, others), clock.stop)


def analyse_city(
    request: BuildRequest,
    *,
    clock: Clock | None = None,
    parts: Joined | None = None,
    ahead: Ahead | None = None,
) -> tuple[Manifest, Policy, City, NearestFacility]:
    """City and walks, computed from the files of a request; the manifest is still nameless.

    `parts`: the places and residents of its parts, where they are there already. `ahead`: its
    OpenStreetMap file, where it is being read already.
    """
    clock = clock or Clock(None)
    try:
        return _analyse_city(request, clock, parts or Joined(), ahead)
    except ChangedError:
        return _analyse_city(request, clock, parts or Joined(), None)


def _analyse_city(
    request: BuildRequest, clock: Clock, parts: Joined, ahead: Ahead | None
) -> tuple[Manifest, Policy, City, NearestFacility]:
    request = replace(request, today=request.today or datetime.now(UTC).date())
    given = request.policy
    policy = given if isinstance(given, Policy) else load_policy(given)
    check_request(request, policy)
    profiles_asked(request, policy)  # a name that is none is told before files are read
    inputs = describe_inputs(request)
    facts, streets = _read(request, policy, clock, parts, ahead)
    network, index, doubts = streets.walkable.network, streets.index, streets.checked()
    clock.start("residents")
    people = request.people_of(facts.population, facts.units)
    settled = settle(people, facts.places, network, policy, parts.spreads)
    raw = facts.roads()
    roads = begin_in_copy(lambda: NO_ROADS if raw is None else road_networks(raw, network.crs))
    units, seed = settled.units, settled.seed
    land = begin(lambda: _land(facts, units, network.crs, policy, index))
    cells = _cells(seed, settled.unit_of, _on_streets(seed.xy_m, index, policy))
    apart = describe_disagreements((*compare_units(units), *compare_cells(units, cells)))
    clock.start("facilities")
    placed = _place(request, facts, settled, streets, policy, parts)
    totals = {} if facts.units is None else group_totals(facts.units, units)
    statistics, strange = place_statistics(facts.statistics, units, totals)
    spread, unsure = settled.doubt()
    facts = facts.completed()
    warnings = (
        *request.remarks, *streets.walkable.warnings, *facts.warnings, *doubts,
        *settled.warnings, *unsure, *apart, *placed.warnings, *strange,
    )  # fmt: skip
    sayings = request.surveyed_under(policy)
    surveyed, extents = _surveyed(sayings, facts, units, network.crs)
    notes = BuildNotes(
        placed.same_places, placed.unit_rows, spread, facts.rasters, placed.not_open,
        settled.calibrated,
    )  # fmt: skip
    city = City(
        network.crs, network, units, cells, placed.facilities, land(), surveyed, warnings,
        statistics, notes, extents, facts.ground, facts.streets.names, roads(),
    )  # fmt: skip
    remarks = (*city_remarks(city), *attachment_remarks(city, policy))
    city = replace(city, warnings=(*warnings, *remarks))
    clock.start("walks")
    services = tuple(policy.services)
    learnt = begin(lambda: learn_outlines(cells))
    travel = travel_table(city, walk_costs(network), services, clock.within(len(services)))
    learnt()
    if request.cut is not None:
        remarks = tuple(cut_remarks(request.cut, policy, city, travel))
        city = replace(city, warnings=(*city.warnings, *remarks))
    manifest = manifest_of_build(request, policy, city, inputs, streets.walkable.parameters)
    return manifest, policy, city, travel


@dataclass(frozen=True, slots=True)
class _Streets:
    """The network, its index, and what waits for whether the files lie where they say."""

    walkable: Walkable
    index: EdgeIndex
    checked: Callable[[], tuple[Warn, ...]]


def _read(
    request: BuildRequest, policy: Policy, clock: Clock, parts: Joined, ahead: Ahead | None
) -> tuple[Facts, _Streets]:
    """What the files say, and the network, which is laid while the rest of them is read."""
    early: dict[int, _Streets] = {}

    def met(facts: Facts) -> None:
        clock.start("network")
        walkable = walkable_network(
            facts.streets, request.terrain, policy, request.osm, facts.closures
        )
        index = EdgeIndex.by(walkable.network, policy.attachment)
        checked = begin(lambda: check_places(facts, index, sure=request.accept_datum))
        early[id(facts.streets)] = _Streets(walkable, index, checked)

    if ahead is not None:
        _load_first_kernel()
    facts = read_facts(request, policy, clock, parts.places, Beside(ahead, met))
    if id(facts.streets) not in early:
        met(facts)
    return facts, early[id(facts.streets)]


def _load_first_kernel() -> None:
    """Let numba load what it loads with its first kernel, while the streets are waited for."""
    nothing = np.empty(0, dtype=np.int64)
    connected_pieces(1, nothing, nothing)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Facilities on the streets, and what was noticed on the way."""

    facilities: Facilities
    same_places: tuple[SamePlace, ...]
    unit_rows: tuple[UnitRow, ...]
    not_open: tuple[NotOpen, ...]
    warnings: tuple[Warn, ...]


def _place(
    request: BuildRequest, facts: Facts, settled: Settled, streets: _Streets, policy: Policy,
    parts: Joined,
) -> _Placed:  # fmt: skip
    """The facilities of all files, joined to the streets."""
    seed, crs = settled.seed, streets.walkable.network.crs
    placed, same_places, unit_rows, noticed = gather_facilities(
        tuple(zip([path.name for path in request.facilities], facts.facilities, strict=True)),
        facts.places.facilities if facts.places else None,
        None if facts.units is None else settled.units,
        Homes(seed.xy_m, seed.residents, settled.unit_of),
        crs,
        policy,
        facts.merges,
    )
    houses = parts.houses
    if houses is None and facts.places is not None:
        houses = facts.places.buildings["id"].to_numpy()
    facilities, loose = place_facilities(
        placed, policy, settled.units, streets.index, facts.streets.gates, houses
    )
    not_open, shut = note_not_open(facts.places.not_open, crs, policy) if facts.places else ((), ())
    for table in facts.facilities:  # its file says so already
        if table.not_open is not None:
            not_open += note_not_open(table.not_open, crs, policy)[0]
    return _Placed(facilities, same_places, unit_rows, not_open, (*noticed, *shut, *loose))


def _surveyed(
    sayings: tuple[Saying, ...], facts: Facts, units: Units, crs: str
) -> tuple[frozenset[str], Mapping[str, Extent]]:
    """Services surveyed everywhere, and where the others are; everywhere goes before a part."""
    whole = frozenset(one.service for one in sayings if not one.units and one.file is None)
    words: dict[str, tuple[str, ...]] = {}
    for one in sayings:
        if one.units and one.service not in whole:
            words[one.service] = (*words.get(one.service, ()), *one.units)
    named = {service: find_units(told, units, service) for service, told in words.items()}
    drawn: dict[str, shapely.Geometry] = {}
    for table in facts.extents:
        if table.service not in whole:
            before = drawn.get(table.service)
            shapes = [*table.where.in_metres(crs), *([] if before is None else [before])]
            drawn[table.service] = shapely.union_all(shapes)
    return whole, extents_of(named, drawn, units)


def check_places(facts: Facts, index: EdgeIndex, *, sure: bool) -> tuple[Warn, ...]:
    """Whether the files lie where they say: remarks, or `InputError` where they surely do not.

    That they stand to the streets better under another datum stops the build too, and that their
    titles name another, unless the user is `sure` of the one declared.
    """
    found = [
        fault
        for where, outlines in facts.located()
        for fault in find_misplaced(where, index, outlines=outlines)
    ]
    stops = () if sure else DATUM_DOUBTS
    titles = [fault for fault in facts.doubts() if fault.key in stops]
    errors = [*titles, *(f for f in found if f.severity == "error" or f.key in stops)]
    if errors:
        raise InputError(errors)
    return tuple(map(remark, found))


def _on_streets(xy_m: FloatArray, index: EdgeIndex, policy: Policy) -> Positions:
    """Where people join the streets, unless nobody at all does: then the files do not fit."""
    position = index.snap(xy_m, policy.attachment.max_leg_m.value)
    if len(position) and not position.snapped.any():
        key, named = nobody_on_streets(xy_m, index.network, policy.attachment)
        raise ParameterError(key, **named)
    return position


def _cells(seed: CellSeed, unit_of: Mapping[str, Int32Array], position: Positions) -> Cells:
    return Cells(
        ids=Deferred.of(seed.id),
        xy_m=seed.xy_m,
        outline=Deferred.of(seed.polygon),
        residents=seed.residents,
        groups=seed.groups,
        unit=unit_of,
        modelled=seed.modelled,
        position=position,
        counted=seed.counted,
    )


def _land(
    facts: Facts, units: Units, crs: str, policy: Policy, index: EdgeIndex
) -> LandSamples | None:
    if facts.places is None or len(facts.places.residential) == 0:
        return None
    lattice_m = policy.coverage.land_lattice_m.value
    seed = sample_land(facts.places.residential, units, lattice_m, crs)
    if seed is None:
        return None
    position = index.snap(seed.xy_m, policy.attachment.max_leg_m.value)
    return LandSamples(seed.xy_m, seed.area_m2, seed.unit, position)
