"""Builds cities, walks and studies from plain lists (see tiny.py for the drawing rules)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import Cells, City, Deferred, Facilities, LandSamples, Units
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import UNREACHED_CM, Counts
from lifecircle.analysis.readers.records.attributes import restored_attribute

CRS = "EPSG:4543"
ORIGIN = (500_000.0, 2_770_000.0)
MAX_LEG_M = 250.0


@dataclass(frozen=True)
class Street:
    """A line from (x0, y) to (x1, y), cut into edges of `step` metres."""

    y: float
    x0: float = 0.0
    x1: float = 6000.0
    step: float = 1000.0


@dataclass(frozen=True)
class Cell:
    """Residents at a place; `side` makes it a square polygon of that many metres."""

    id: str
    x: float
    y: float
    residents: int
    kids: int = 0
    old: int = 0
    side: float | None = None


@dataclass(frozen=True)
class Place:
    """A facility; `entrances` are x positions on the nearest street (a park), else its point."""

    id: str
    service: str
    x: float
    y: float
    name: str | None = None
    entrances: tuple[float, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unit:
    """A unit: boxes (x0, y0, x1, y1), residents None where unknown."""

    code: str
    name: str
    level: str
    boxes: tuple[tuple[float, float, float, float], ...]
    parent: str | None = None
    residents: int | None = None
    name_en: str | None = None
    unit_class: str | None = None


@dataclass(frozen=True)
class Land:
    """One sample of residential land with its area, square metres."""

    x: float
    y: float
    area: float


def texts(values: Iterable[object]) -> np.ndarray:
    """An object array of strings (or None)."""
    listed = list(values)
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out


def frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


# ---- the streets -------------------------------------------------------------------------


def make_network(streets: Sequence[Street]) -> WalkNetwork:
    """One component per street, straight edges of `step` metres from west to east."""
    nodes: list[tuple[float, float]] = []
    u, v, length, component = [], [], [], []
    for k, street in enumerate(streets):
        xs = [*np.arange(street.x0, street.x1, street.step), street.x1]
        first = len(nodes)
        nodes += [(x + ORIGIN[0], street.y + ORIGIN[1]) for x in xs]
        for i in range(len(xs) - 1):
            u.append(first + i)
            v.append(first + i + 1)
            length.append(float(xs[i + 1] - xs[i]))
            component.append(k)
    xy = np.array(nodes, dtype=np.float64).reshape(-1, 2)
    vertices = np.array([xy[i] for pair in zip(u, v, strict=True) for i in pair]).reshape(-1, 2)
    at = np.array([a for metres in length for a in (0.0, metres)])
    return WalkNetwork(
        crs=CRS,
        node_xy_m=frozen(xy),
        node_osm_id=frozen(np.arange(len(xy), dtype=np.int64) + 1),
        edge_u=frozen(np.array(u, dtype=np.int32)),
        edge_v=frozen(np.array(v, dtype=np.int32)),
        edge_length_m=frozen(np.array(length)),
        edge_way=frozen(np.arange(len(u), dtype=np.int64) + 100),
        vertex_start=frozen(np.arange(len(u) + 1, dtype=np.int64) * 2),
        vertex_xy_m=frozen(vertices),
        vertex_at_m=frozen(at),
        edge_component=frozen(np.array(component, dtype=np.int32)),
        component_length_m=frozen(
            np.array(
                [
                    sum(m for m, c in zip(length, component, strict=True) if c == k)
                    for k in range(len(streets))
                ]
            )
        ),
    )


def attach(points: Sequence[tuple[float, float]], streets: Sequence[Street]) -> Positions:
    """Positions straight north or south of the points on the nearest street within 250 m."""
    edge, at, leg, xy = [], [], [], []
    first_edge = np.cumsum([0] + [int(np.ceil((s.x1 - s.x0) / s.step)) for s in streets])
    for x, y in points:
        reach = [(abs(y - s.y), k) for k, s in enumerate(streets) if s.x0 <= x <= s.x1]
        best = min(reach, default=(np.inf, -1))
        if best[0] > MAX_LEG_M:
            edge.append(-1)
            at.append(0.0)
            leg.append(0.0)
            xy.append((x + ORIGIN[0], y + ORIGIN[1]))
            continue
        street = streets[best[1]]
        last = int(first_edge[best[1] + 1] - first_edge[best[1]]) - 1
        i = min(int((x - street.x0) // street.step), last)
        edge.append(int(first_edge[best[1]]) + i)
        at.append(x - street.x0 - i * street.step)
        leg.append(best[0])
        xy.append((x + ORIGIN[0], street.y + ORIGIN[1]))
    return Positions(
        edge=frozen(np.array(edge, dtype=np.int32)),
        at_m=frozen(np.array(at, dtype=np.float64)),
        leg_m=frozen(np.array(leg, dtype=np.float64)),
        xy_m=frozen(np.array(xy, dtype=np.float64).reshape(-1, 2)),
    )


# ---- the city ----------------------------------------------------------------------------


def make_units(units: Sequence[Unit], levels: Sequence[str]) -> Units:
    """Units sorted by (level, code) with parents looked up by code."""
    ordered = sorted(units, key=lambda unit: (levels.index(unit.level), unit.code))
    index = {unit.code: i for i, unit in enumerate(ordered)}
    shapes = [
        shapely.union_all(
            [
                shapely.box(a + ORIGIN[0], b + ORIGIN[1], c + ORIGIN[0], d + ORIGIN[1])
                for a, b, c, d in unit.boxes
            ]
        )
        for unit in ordered
    ]
    return Units(
        code=texts(unit.code for unit in ordered),
        name=texts(unit.name for unit in ordered),
        name_en=texts(unit.name_en for unit in ordered),
        level=texts(unit.level for unit in ordered),
        unit_class=texts(unit.unit_class for unit in ordered),
        parent=np.array([index.get(unit.parent or "", -1) for unit in ordered], dtype=np.int32),
        residents=Counts.listed(unit.residents for unit in ordered),
        geometry=texts(shapes),
        levels=tuple(levels),
    )


def units_of(points: Sequence[tuple[float, float]], units: Units) -> dict[str, np.ndarray]:
    """For each level the unit (lowest code first) that covers each point, -1 outside."""
    out = {}
    for level in units.levels:
        index = np.full(len(points), -1, dtype=np.int32)
        for i in units.of_level(level)[::-1]:
            for k, (x, y) in enumerate(points):
                point = shapely.Point(x + ORIGIN[0], y + ORIGIN[1])
                if shapely.covers(units.geometry[i], point):
                    index[k] = i
        out[level] = index
    return out


def make_city(
    *,
    streets: Sequence[Street],
    units: Sequence[Unit],
    levels: Sequence[str],
    cells: Sequence[Cell],
    places: Sequence[Place] = (),
    land: Sequence[Land] | None = None,
    surveyed: Iterable[str] = (),
) -> City:
    """A City from plain lists."""
    unit_table = make_units(units, levels)
    cell_points = [(cell.x, cell.y) for cell in cells]
    squares = [
        None
        if cell.side is None
        else shapely.box(
            cell.x - cell.side / 2 + ORIGIN[0],
            cell.y - cell.side / 2 + ORIGIN[1],
            cell.x + cell.side / 2 + ORIGIN[0],
            cell.y + cell.side / 2 + ORIGIN[1],
        )
        for cell in cells
    ]
    ordered = sorted(places, key=lambda place: (place.service, place.id))
    service_ids = tuple(sorted({place.service for place in ordered}))
    doors = [
        (i, door)
        for i, place in enumerate(ordered)
        for door in (
            [
                (x, min((s.y for s in streets), key=lambda y: abs(y - place.y)))
                for x in place.entrances
            ]
            or [(place.x, place.y)]
        )
    ]
    positions = attach([door for _, door in doors], streets)
    joined = positions.edge >= 0
    columns = sorted({name for place in ordered for name in place.attributes})
    return City(
        crs=CRS,
        network=make_network(streets),
        units=unit_table,
        cells=Cells(
            ids=Deferred.of(texts(cell.id for cell in cells)),
            xy_m=np.array(cell_points, dtype=np.float64).reshape(-1, 2) + ORIGIN,
            outline=Deferred.of(texts(squares)),
            residents=np.array([cell.residents for cell in cells], dtype=np.int64),
            groups=MappingProxyType(
                {
                    "0_3": Counts.of(np.array([cell.kids for cell in cells], dtype=np.int64)),
                    "65": Counts.of(np.array([cell.old for cell in cells], dtype=np.int64)),
                }
            ),
            unit=units_of(cell_points, unit_table),
            modelled=np.zeros(len(cells), dtype=np.bool_),
            position=attach(cell_points, streets),
        ),
        facilities=Facilities(
            id=texts(place.id for place in ordered),
            service_ids=service_ids,
            service=np.array(
                [service_ids.index(place.service) for place in ordered], dtype=np.int32
            ),
            name=texts(place.name for place in ordered),
            geometry=texts(
                shapely.Point(place.x + ORIGIN[0], place.y + ORIGIN[1])
                if not place.entrances
                else shapely.box(
                    min(place.entrances) + ORIGIN[0],
                    place.y + ORIGIN[1],
                    max(place.entrances) + ORIGIN[0],
                    place.y + 100 + ORIGIN[1],
                )
                for place in ordered
            ),
            source=texts("drawn" for _ in ordered),
            attributes=MappingProxyType(
                {
                    name: restored_attribute(
                        name, (place.attributes.get(name) for place in ordered)
                    )
                    for name in columns
                }
            ),
            unit=units_of([(place.x, place.y) for place in ordered], unit_table),
            attached_facility=np.array([i for i, _ in doors], dtype=np.int32)[joined],
            attachment=Positions(
                positions.edge[joined],
                positions.at_m[joined],
                positions.leg_m[joined],
                positions.xy_m[joined],
            ),
        ),
        land=None
        if land is None
        else LandSamples(
            xy_m=np.array([(s.x, s.y) for s in land]).reshape(-1, 2) + ORIGIN,
            area_m2=np.array([s.area for s in land], dtype=np.float64),
            unit=units_of([(s.x, s.y) for s in land], unit_table),
            position=attach([(s.x, s.y) for s in land], streets),
        ),
        surveyed=frozenset(surveyed),
        warnings=(),
    )


# ---- walks -------------------------------------------------------------------------------


def walks(city: City, services: Sequence[str]) -> NearestFacility:
    """Travel table of a drawn city: leg + |difference of x| + leg on the same street."""
    nodes = city.network.node_xy_m
    component = np.zeros(len(nodes), dtype=np.int32)
    component[city.network.edge_u] = city.network.edge_component
    component[city.network.edge_v] = city.network.edge_component
    cells = _nearest(city, services, *_started(city, city.cells.position))
    junctions = _nearest(city, services, nodes[:, 0], component, np.zeros(len(nodes)))
    land = (
        np.empty((len(services), 0), dtype=np.int32)
        if city.land is None
        else _nearest(city, services, *_started(city, city.land.position))[0]
    )
    return NearestFacility(tuple(services), cells[0], cells[1], land, junctions[0], junctions[1])


def study_of(
    city: City,
    policy: Policy,
    *,
    travel: NearestFacility | None = None,
    costs: WalkCosts | None = None,
    catchments: Mapping[str, object] | None = None,
) -> Study:
    """A study of a drawn city; without `travel` for measures that walk by themselves."""
    nothing = np.zeros((0, 0), dtype=np.int32)
    table = travel or NearestFacility((), nothing, nothing, nothing, nothing, nothing)
    return Study(city, table, policy, catchments or {}, costs)


def _started(city: City, position: Positions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    component = city.network.edge_component[position.edge]
    return (
        position.xy_m[:, 0],
        np.where(position.edge < 0, -1, component).astype(np.int32),
        position.leg_m,
    )


def _nearest(
    city: City, services: Sequence[str], x: np.ndarray, component: np.ndarray, leg: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    cm = np.full((len(services), len(x)), UNREACHED_CM, dtype=np.int32)
    which = np.full((len(services), len(x)), -1, dtype=np.int32)
    places = city.facilities
    door_x, door_component, door_leg = _started(city, places.attachment)
    for s, service in enumerate(services):
        for d, facility in enumerate(places.attached_facility):
            if places.service_ids[places.service[facility]] != service:
                continue
            metres = leg + np.abs(x - door_x[d]) + door_leg[d]
            walked = np.where(
                component == door_component[d], np.rint(metres * 100), UNREACHED_CM
            ).astype(np.int32)
            closer = walked < cm[s]
            cm[s] = np.where(closer, walked, cm[s])
            which[s] = np.where(closer, facility, which[s])
    return frozen(cm), frozen(which)
