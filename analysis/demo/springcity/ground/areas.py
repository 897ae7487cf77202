"""Areas of springcity in the OSM file: housing, buildings, parks, squares, schools, water."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.draft import synthetic
from lifecircle.analysis.demo.springcity.ground.blocks import PARK, SCHOOL, SQUARE, Block
from lifecircle.analysis.demo.springcity.ground.mesh import NEW, Mesh
from lifecircle.analysis.demo.springcity.ground.terrain import Terrain
from lifecircle.analysis.demo.springcity.names import name_stream
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.demo.springcity.rural import Country
from lifecircle.analysis.quantities import FloatArray

_BUILT_SHARE = 0.45  # cells that show a building
_FLOOR_PER_RESIDENT_M2 = 32.0
_OPEN_SCHOOLS = 0.3
_SMALLEST_M2 = 400.0
_GATES_M = (5.0, 4.0, 3.0, 2.0)


@dataclass(frozen=True, slots=True)
class Area:
    """A closed outline with tags, `ring` (n, 2) city metres, open; `service` it offers, if any."""

    ring: FloatArray
    tags: Mapping[str, str]
    service: str | None = None


def make_areas(
    mesh: Mesh, terrain: Terrain, blocks: Sequence[Block], people: People, country: Country
) -> tuple[Area, ...]:
    """All areas, in a fixed order."""
    return (
        *_green(mesh, blocks),
        *_housing(terrain, blocks, country),
        *_pitches(mesh, blocks),
        *_buildings(mesh, people),
    )


def _ring(polygon: Polygon) -> FloatArray:
    ring: FloatArray = shapely.get_coordinates(polygon.exterior)[:-1]
    return ring


def _green(mesh: Mesh, blocks: Sequence[Block]) -> Iterator[Area]:
    rng = mesh.plan.rng("green")
    names = name_stream(rng)
    for block in blocks:
        if not block.open_ground:
            continue
        zh, en = next(names)
        if block.use == PARK:
            tags = synthetic(leisure="park", name=f"{zh}公园", name_en=f"{en} Park")
            yield Area(_ring(block.outline), tags, "park")
        elif block.use == SQUARE:
            tags = synthetic(place="square", name=f"{zh}广场", name_en=f"{en} Square")
            yield Area(_ring(block.outline), tags, "square")
        else:
            level, kind, kind_en = kinds.SCHOOLS[int(rng.random() < 0.35)]
            tags = synthetic(amenity="school", name=f"{zh}{kind}", name_en=f"{en} {kind_en}")
            tags["isced:level"] = level
            if rng.random() < _OPEN_SCHOOLS:
                tags["access"] = "permissive"
            service = "primary_school" if level == "1" else "middle_school"
            yield Area(_with_gates(_ring(block.outline), mesh.plan.shrink), tags, service)


def _with_gates(ring: FloatArray, shrink: float) -> FloatArray:
    """A school's outline with a gate on every side, each nearer to its street than the last, so
    that one place of the outline is the nearest to any street."""
    gated = ring.copy()
    middle = ring.mean(axis=0)
    for side, step in enumerate(_GATES_M):
        k = (len(ring) * (2 * side + 1)) // 8
        out = ring[k] - middle
        gated[k] = ring[k] + out / np.hypot(*out) * step * shrink
    return gated


def _housing(terrain: Terrain, blocks: Sequence[Block], country: Country) -> Iterator[Area]:
    tags = synthetic(landuse="residential")
    dry = shapely.union_all([terrain.river_bed])
    shapely.prepare(dry)
    for block in blocks:
        if block.open_ground:
            continue
        outline: BaseGeometry = block.outline
        if dry.intersects(outline):
            outline = outline.difference(dry)
        for part in shapely.get_parts(outline):
            if isinstance(part, Polygon) and part.area > _SMALLEST_M2 and not part.interiors:
                yield Area(_ring(part), tags)
    for hamlet in country.hamlets:
        yield Area(_ring(hamlet.hull), tags)


def _pitches(mesh: Mesh, blocks: Sequence[Block]) -> Iterator[Area]:
    """Sports grounds in a corner of some parks and of the schools."""
    rng = mesh.plan.rng("pitches")
    size = np.array([[-14.0, -8.0], [14.0, -8.0], [14.0, 8.0], [-14.0, 8.0]]) * mesh.plan.shrink
    for block in blocks:
        if block.use not in {PARK, SCHOOL} or rng.random() < 0.5:
            continue
        west, south, east, north = block.outline.bounds
        middle = np.array([0.7 * west + 0.3 * east, 0.7 * south + 0.3 * north])
        ring = middle + size
        if not block.outline.contains(Polygon(ring)):
            continue
        tags = synthetic(leisure="pitch", sport="basketball")
        if block.use == SCHOOL:
            tags["access"] = "private"
            yield Area(ring, tags)
        else:
            yield Area(ring, tags, "sports_pitch")


def _buildings(mesh: Mesh, people: People) -> Iterator[Area]:
    """A residential building in some cells, with as many floors as its people need."""
    rng = mesh.plan.rng("buildings")
    shown = np.flatnonzero(rng.random(len(people.xy)) < _BUILT_SHARE)
    shift = rng.uniform(-18.0, 18.0, (len(shown), 2))
    wide = rng.uniform(24.0, 60.0, len(shown))
    deep = rng.uniform(11.0, 16.0, len(shown))
    levels_known = rng.random(len(shown)) < 0.8
    for k, cell in enumerate(shown.tolist()):
        floors = people.residents[cell] * _FLOOR_PER_RESIDENT_M2 / (wide[k] * deep[k])
        half = np.array([wide[k] / 2, deep[k] / 2])
        signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        ring = people.xy[cell] + shift[k] + half * signs
        kind = "apartments" if floors > 3 else "house"
        tags = synthetic(building=kind)
        if levels_known[k]:
            tags["building:levels"] = str(int(np.clip(round(floors), 1, 34)))
        yield Area(ring, tags)


def new_town_outline(mesh: Mesh) -> FloatArray:
    """A square inside one new-town block: it becomes the pedestrian area, (4, 2)."""
    column, row = next((i, j) for i, j in mesh.quads() if mesh.kind[i, j] == NEW)
    centre = mesh.ring(column * mesh.plan.fine, row * mesh.plan.fine, mesh.plan.fine, 2).mean(
        axis=0
    )
    corners = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    ring: FloatArray = centre + 12.0 * corners
    return ring
