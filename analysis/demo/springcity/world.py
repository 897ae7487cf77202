"""A springcity that is drawn but not yet written: the same plan in two years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.analysis.demo.springcity.attributes import marked
from lifecircle.analysis.demo.springcity.draft import Draft, Streets, finish
from lifecircle.analysis.demo.springcity.facilities import make_places
from lifecircle.analysis.demo.springcity.facts import NOW, PAST, Facts, make_facts, station_areas
from lifecircle.analysis.demo.springcity.ground.areas import Area, make_areas, new_town_outline
from lifecircle.analysis.demo.springcity.ground.blocks import make_blocks
from lifecircle.analysis.demo.springcity.ground.mesh import Mesh, make_mesh
from lifecircle.analysis.demo.springcity.ground.streets import draw_area, draw_city, draw_forbidden
from lifecircle.analysis.demo.springcity.ground.terrain import (
    BRIDGE_ROWS,
    CROSSING_COLUMNS,
    Terrain,
    make_terrain,
)
from lifecircle.analysis.demo.springcity.past import people_before, places_before
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import make_plan
from lifecircle.analysis.demo.springcity.residents import People, settle
from lifecircle.analysis.demo.springcity.rural import Country, draw_country
from lifecircle.analysis.demo.springcity.units import UnitTable, make_units
from lifecircle.analysis.quantities import IntArray

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class World:
    """All that was made, in one year."""

    mesh: Mesh
    streets: Streets
    units: UnitTable
    people: People
    country: Country
    places: tuple[Place, ...]
    areas: tuple[Area, ...]
    facts: Facts


@dataclass(frozen=True, slots=True)
class TwoYears:
    """The city of today and, on the same ground, of five years before."""

    terrain: Terrain
    now: World
    past: World


def draw_world(seed: int, scale: float, step: Progress) -> TwoYears:
    """Everything of a springcity; `step` is told a message key and the share done (0-1)."""
    plan = make_plan(seed, scale)
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
    step("samples_step_residents", 0.3)
    units = make_units(mesh, country, blocks)
    people = settle(mesh, terrain, streets, units, blocks, country.pier)
    step("samples_step_places", 0.5)
    stations = station_areas(plan, units, people)
    bare = make_places(mesh, streets, node_of, units, country, blocks)
    places = marked(plan, units, bare, stations)
    areas = make_areas(mesh, terrain, blocks, people, country)
    past = people_before(plan, people)
    facts = {
        year: make_facts(mesh, units, persons, stations, year)
        for year, persons in ((PAST, past), (NOW, people))
    }
    now = World(mesh, streets, units, people, country, places, areas, facts[NOW])
    earlier = replace(now, people=past, places=places_before(places), facts=facts[PAST])
    return TwoYears(terrain, now, earlier)


def _anchors(mesh: Mesh, node_of: IntArray) -> IntArray:
    """Lattice points on the city's west and south border where country roads begin, (n, 2)."""
    fine = mesh.plan.fine
    border = [(0, row * fine) for row in BRIDGE_ROWS]
    border += [(column * fine, 0) for column in CROSSING_COLUMNS]
    points = np.array([place for place in border if node_of[place] >= 0], dtype=np.int64)
    return points
