"""From a plan to a folder of files: reads like the list of what a city is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.areas import make_areas, new_town_outline
from lifecircle.analysis.demo.springcity.attributes import marked
from lifecircle.analysis.demo.springcity.blocks import make_blocks
from lifecircle.analysis.demo.springcity.draft import Draft, finish
from lifecircle.analysis.demo.springcity.facilities import make_places
from lifecircle.analysis.demo.springcity.facts import NOW, PAST, Facts, make_facts, station_areas
from lifecircle.analysis.demo.springcity.mesh import Mesh, make_mesh
from lifecircle.analysis.demo.springcity.osm_file import write_osm
from lifecircle.analysis.demo.springcity.past import people_before, places_before
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import make_plan
from lifecircle.analysis.demo.springcity.residents import People, settle
from lifecircle.analysis.demo.springcity.rural import draw_country
from lifecircle.analysis.demo.springcity.streets import draw_area, draw_city, draw_forbidden
from lifecircle.analysis.demo.springcity.terrain import BRIDGE_ROWS, CROSSING_COLUMNS, make_terrain
from lifecircle.analysis.demo.springcity.units import make_units
from lifecircle.analysis.demo.springcity.write import (
    write_elevation,
    write_facilities,
    write_population,
    write_statistics,
    write_truth,
    write_units,
)
from lifecircle.analysis.demo.truth.truth import Rules, World, tell_truth
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import IntArray

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class SpringCityFiles:
    """Where everything of one springcity lies.

    `units`: one layer per level, from district down. `elevation` is None without rasterio.
    `surveyed`: services to declare as completely surveyed. `truth`: what must come out;
    `truth_cells`: walks per cell in metres. `year`: of residents, facilities, statistics.
    `before`: the files of five years earlier, with the
    same streets, heights and truth table.
    """

    osm: Path
    population: Path
    units: tuple[Path, ...]
    facilities: Path
    statistics: Path
    elevation: Path | None
    truth: Path
    truth_cells: Path
    surveyed: tuple[str, ...]
    year: int = NOW
    before: SpringCityFiles | None = None


def write_springcity(
    folder: Path,
    *,
    seed: int = 77,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> SpringCityFiles:
    """Write springcity's files into a folder (made if need be); same seed, same bytes.

    Parameters
    ----------
    seed
        Another seed, another city.
    scale
        1 is one district of a million residents; 5 is five districts and five million;
        below 1 the built-up ground shrinks and the residents stay, so that everything
        planted still holds.
    progress
        Called with a message key and the share done (0-1) before each step.

    Raises
    ------
    ParameterError
        A scale outside 0.1-10.
    """
    step = progress or _silent
    plan = make_plan(seed, scale)
    folder.mkdir(parents=True, exist_ok=True)
    step("samples_step_streets", 0.0)
    mesh, terrain = make_mesh(plan), make_terrain(plan)
    blocks = make_blocks(mesh)
    draft = Draft()
    node_of = draw_city(draft, mesh, terrain, blocks)
    anchors = _anchors(mesh, node_of)
    country = draw_country(
        draft, plan, terrain, mesh.place[anchors[:, 0], anchors[:, 1]],
        node_of[anchors[:, 0], anchors[:, 1]],
    )  # fmt: skip
    draw_forbidden(draft, mesh)
    draw_area(draft, new_town_outline(mesh))
    streets = finish(draft)
    step("samples_step_residents", 0.2)
    units = make_units(mesh, country, blocks)
    people = settle(mesh, terrain, streets, units, blocks, country.pier)
    step("samples_step_places", 0.4)
    stations = station_areas(plan, units, people)
    bare = make_places(mesh, streets, node_of, units, country, blocks)
    places = marked(plan, units, bare, stations)
    areas = make_areas(mesh, terrain, blocks, people, country)
    past = people_before(plan, people)
    facts = {
        year: make_facts(mesh, units, persons, stations, year)
        for year, persons in ((PAST, past), (NOW, people))
    }
    step("samples_step_truth", 0.5)
    world = World(mesh, streets, units, people, country, places, areas, facts[NOW])
    earlier = replace(world, people=past, places=places_before(places), facts=facts[PAST])
    truth = tell_truth(world, earlier, _rules())
    step("samples_step_write", 0.75)
    files = SpringCityFiles(
        osm=folder / "springcity.osm.pbf",
        population=folder / "population.gpkg",
        units=write_units(folder, units, people),
        facilities=folder / "facilities.csv",
        statistics=folder / "statistics.csv",
        elevation=_elevation(folder / "elevation.tif", people),
        truth=folder / "truth.json",
        truth_cells=folder / "truth_cells.csv",
        surveyed=kinds.SURVEYED,
    )
    write_osm(files.osm, streets, areas, places, units, terrain)
    write_truth(files.truth, files.truth_cells, truth, people)
    _write_year(files, places, people, facts)
    before = folder / str(PAST)
    before.mkdir(exist_ok=True)
    old = replace(
        files,
        population=before / "population.gpkg",
        units=write_units(before, units, past),
        facilities=before / "facilities.csv",
        statistics=before / "statistics.csv",
        year=PAST,
    )
    _write_year(old, places, past, {PAST: facts[PAST]})
    if files.elevation is None:
        step("samples_step_no_heights", 0.99)
    step("samples_step_done", 1.0)
    return replace(files, before=old)


def _write_year(
    files: SpringCityFiles, places: Sequence[Place], people: People, years: Mapping[int, Facts]
) -> None:
    write_population(files.population, people)
    write_facilities(files.facilities, places, max(years))
    write_statistics(files.statistics, years)


def _rules() -> Rules:
    """What the plan's policy asks of walks; the truth is told for it."""
    policy = load_policy()
    return Rules(
        {service.id: float(service.minutes.value) for service in policy.services.values()},
        {kind: circle.services for kind, circle in policy.circles.items()},
        float(policy.attachment.max_leg_m.value),
    )


def _silent(step: str, share: float) -> None:
    del step, share


def _elevation(path: Path, people: People) -> Path | None:
    return path if write_elevation(path, people) else None


def _anchors(mesh: Mesh, node_of: IntArray) -> IntArray:
    """Lattice points on the city's west and south border where country roads begin, (n, 2)."""
    fine = mesh.plan.fine
    border = [(0, row * fine) for row in BRIDGE_ROWS]
    border += [(column * fine, 0) for column in CROSSING_COLUMNS]
    points = np.array([place for place in border if node_of[place] >= 0], dtype=np.int64)
    return points
