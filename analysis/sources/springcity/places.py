"""Facilities of springcity: points in the OSM file, rows of the bureau's table, what is planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.quantities import FloatArray, IntArray
from analysis.sources.springcity import kinds
from analysis.sources.springcity.draft import Streets, synthetic
from analysis.sources.springcity.kinds import KINDS, Kind
from analysis.sources.springcity.mesh import Mesh, street_of
from analysis.sources.springcity.names import name_stream
from analysis.sources.springcity.plan import (
    MARK_ZH,
    PLANTED_STREETS,
    PlantedStreet,
    as_in_osm,
    to_city,
)
from analysis.sources.springcity.rural import SEATS, Country
from analysis.sources.springcity.units import Unit, UnitTable

_BESIDE_M = (5.0, 14.0)  # how far a place stands from the crossing or bend it belongs to
PIER_PHARMACY = (1_000.0, 15.0)  # metres from the head of the pier, metres to the west
_DUPLICATES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A facility: `lonlat` rounded to 1e-7 degree; `attributes` go to the table, `tags` to OSM.

    `file` says which file holds it: ``osm``, ``table`` or ``both``.
    """

    service: str
    name: str
    name_en: str
    lonlat: tuple[float, float]
    file: str
    tags: Mapping[str, str]
    attributes: Mapping[str, str | float]
    role: str = "plain"

    @property
    def xy(self) -> FloatArray:
        """City metres, (2,)."""
        place: FloatArray = to_city(np.array([self.lonlat]))[0]
        return place


@dataclass(slots=True)
class _Town:
    """What placing needs: streets, a generator, names."""

    streets: Streets
    rng: np.random.Generator
    names: Iterator[tuple[str, str]]
    spare: list[tuple[str, str]]

    def name(self) -> tuple[str, str]:
        """A fresh name; when all are spent, earlier ones in turn."""
        fresh = next(self.names, None)
        if fresh is None:
            fresh = self.spare.pop(0)
        self.spare.append(fresh)
        return fresh

    def beside(self, node: int) -> tuple[float, float]:
        """A place some metres off a street node."""
        turn = self.rng.uniform(0.0, 2 * np.pi)
        far = self.rng.uniform(*_BESIDE_M)
        xy = self.streets.xy[node] + far * np.array([np.cos(turn), np.sin(turn)])
        (lon, lat), *_ = as_in_osm(xy[None, :]).tolist()
        return lon, lat

    def nearest(self, xy: FloatArray, choice: IntArray) -> int:
        """The node of a choice nearest to a place."""
        return int(choice[np.argmin(np.hypot(*(self.streets.xy[choice] - xy).T))])


def make_places(
    mesh: Mesh, streets: Streets, node_of: IntArray, units: UnitTable, country: Country
) -> tuple[Place, ...]:
    """All point facilities, in a fixed order."""
    rng = mesh.plan.rng("places")
    town = _Town(streets, rng, name_stream(mesh.plan.rng("place names")), [])
    places = [
        *_centres(town, mesh, node_of, units),
        *_community_places(town, mesh, node_of, units),
        *_village_places(town, units, country),
        _pier_pharmacy(country),
    ]
    return tuple(_doubled(places))


def _quad_nodes(mesh: Mesh, node_of: IntArray, column: int, row: int) -> IntArray:
    """Street nodes strictly inside a quad, so that a place lies in one community only."""
    fine = mesh.plan.fine
    x, y = column * fine, row * fine
    inside = node_of[x + 1 : x + fine, y + 1 : y + fine].ravel()
    found = inside[inside >= 0]
    if len(found) == 0:
        found = node_of[x : x + fine + 1, y : y + fine + 1].ravel()
        found = found[found >= 0]
    return found


def _place(town: _Town, kind: Kind, node: int, title: tuple[str, str] | None = None) -> Place:
    zh, en = title or town.name()
    name, name_en = f"{zh}{kind.zh}", f"{en} {kind.en}"
    if kind.file == "osm":
        tags = dict(kind.tags) | {"name": name, "name:en": name_en}
        hours = kinds.OSM_HOURS[int(town.rng.integers(0, len(kinds.OSM_HOURS)))]
        if hours:
            tags["opening_hours"] = hours
        return Place(kind.service, name, name_en, town.beside(node), "osm", synthetic(**tags), {})
    return Place(
        kind.service, name, name_en, town.beside(node), "table", {}, _attributes(town, kind)
    )


def _attributes(town: _Town, kind: Kind, **given: str) -> dict[str, str | float]:
    hours = kinds.TABLE_HOURS[int(town.rng.integers(0, len(kinds.TABLE_HOURS)))]
    area = round(kind.area_m2 * town.rng.uniform(0.6, 1.5), 1)
    known = town.rng.random() < 0.9
    ownership = kinds.GOVERNMENT if town.rng.random() < 0.75 else kinds.PRIVATE
    row: dict[str, str | float] = {
        "ownership": ownership,
        "level": kinds.STATION if kind.service == "health_station" else "",
        "opening_hours": hours,
        "status": "运营",
        "built_area": area if kind.area_m2 and known else "",
        "activity_area": round(area * 0.6, 1) if kind.service == "service_station" else "",
        "beds": int(area // 25) if kind.service in {"elder_care", "day_care"} else "",
        "places": int(area // 10) if kind.service == "childcare" else "",
        "inclusive": ("是" if known else "否") if kind.service == "childcare" else "",
    }
    return row | given


def _community_places(
    town: _Town, mesh: Mesh, node_of: IntArray, units: UnitTable
) -> Iterator[Place]:
    for column, row in mesh.quads():
        nodes = _quad_nodes(mesh, node_of, column, row)
        unit = units.units[_community_index(units, column, row)]
        title = (unit.name.removesuffix("社区"), unit.name_en.removesuffix(" Community"))
        for kind in KINDS:
            once = kind.service in kinds.EXACTLY_ONE
            count = int(town.rng.random() < kind.rate) if once else int(town.rng.poisson(kind.rate))
            for _ in range(count):
                node = int(nodes[town.rng.integers(0, len(nodes))])
                yield _place(town, kind, node, title if once else None)


def _community_index(units: UnitTable, column: int, row: int) -> int:
    first = next(k for k, unit in enumerate(units.units) if unit.level == "community")
    return first + int(units.community_at[column, row])


def _centres(town: _Town, mesh: Mesh, node_of: IntArray, units: UnitTable) -> Iterator[Place]:
    """Community health centres: planted streets as planned, one in every other street."""
    quads: dict[str, list[tuple[int, int]]] = {}
    for column, row in mesh.quads():
        code = units.units[_community_index(units, column, row)].parent
        quads.setdefault(code, []).append((column, row))
    for unit in units.of_level("subdistrict"):
        tile_i, tile_j, band_i, band_j = street_of(*quads[unit.code][0])
        planted = PLANTED_STREETS.get((band_i, band_j)) if (tile_i, tile_j) == (0, 0) else None
        planted = planted or PlantedStreet("plain", 0, 1, 0, 0, None)
        owners = [kinds.GOVERNMENT] * planted.government + [""] * planted.unknown
        owners += [kinds.PRIVATE] * planted.private
        nodes = np.concatenate([_quad_nodes(mesh, node_of, i, j) for i, j in quads[unit.code]])
        for k, owner in enumerate(owners):
            yield _centre(town, unit, nodes, planted.role, owner, k)


def _centre(town: _Town, unit: Unit, nodes: IntArray, role: str, owner: str, number: int) -> Place:
    west, south, east, north = unit.outline.bounds
    corner = {"small": (0.06, 0.94)}.get(role)
    spread = ((0.5, 0.5), (0.25, 0.75), (0.75, 0.25))[number]
    share = corner or spread
    aim = np.array([west + share[0] * (east - west), south + share[1] * (north - south)])
    node = town.nearest(aim, nodes)
    street, latin = unit.name.removesuffix("街道"), unit.name_en.removesuffix(" Subdistrict")
    kind = Kind("health_centre", 0.0, "table", {}, kinds.CENTRE, "Health Centre", 2_600.0)
    suffix, suffix_en = ("", "") if number == 0 else (f"第{number + 1}", f" No. {number + 1}")
    attributes = _attributes(town, kind, ownership=owner, level=kinds.CENTRE)
    return Place(
        "health_centre",
        f"{street}街道{suffix}{kinds.CENTRE}",
        f"{latin} Health Centre{suffix_en}",
        town.beside(node),
        "table",
        {},
        attributes,
        role,
    )


def _village_places(town: _Town, units: UnitTable, country: Country) -> Iterator[Place]:
    """What the 25 villages, the three seats and the island have."""
    by_service = {kind.service: kind for kind in KINDS}
    villages = units.of_level("village")
    walkable = np.unique(town.streets.edge)
    for number, village in enumerate(villages):
        homes = [h for h in country.hamlets if h.village == number and h.role != "unsnapped"]
        node = town.nearest(np.array(homes[0].centre), walkable)
        title = (village.name, village.name_en)
        if homes[0].role == "island":
            wanted = list(kinds.ISLAND_KINDS)
        else:
            wanted = [s for s, share in kinds.VILLAGE_KINDS if town.rng.random() < share]
        if number in SEATS:
            wanted += kinds.SEAT_KINDS
            yield _hospital(town, units.of_level("township")[SEATS[number]], node)
        for service in wanted:
            kind = by_service[service]
            if service == "health_station":
                kind = Kind(service, 0.0, "table", {}, kinds.VILLAGE_CLINIC, "Village Clinic", 80.0)
            place = _place(town, kind, node, title)
            if service == "health_station":
                extra = {"level": kinds.VILLAGE_CLINIC,
                         "standardised": "是" if town.rng.random() < 0.8 else "否"}  # fmt: skip
                place = _with(place, extra)
            yield place


def _with(place: Place, extra: Mapping[str, str | float]) -> Place:
    return Place(
        place.service, place.name, place.name_en, place.lonlat, place.file, place.tags,
        {**place.attributes, **extra}, place.role,
    )  # fmt: skip


def _hospital(town: _Town, township: Unit, node: int) -> Place:
    kind = Kind("health_centre", 0.0, "table", {}, "卫生院", "Township Hospital", 1_900.0)
    attributes = _attributes(town, kind, ownership=kinds.GOVERNMENT, level=kinds.TOWN_HOSPITAL)
    return Place(
        "health_centre",
        f"{township.name}卫生院",
        f"{township.name_en} Hospital",
        town.beside(node),
        "table",
        {},
        attributes,
        "town_hospital",
    )


def _pier_pharmacy(country: Country) -> Place:
    """The pharmacy on the pier, from which exact walks are known."""
    metres, west = PIER_PHARMACY
    lon, lat = country.pier.at(metres)
    (beside, _), *_ = as_in_osm(to_city(np.array([[lon, lat]])) - np.array([[west, 0.0]])).tolist()
    attributes = {"ownership": kinds.PRIVATE, "level": "", "opening_hours": "24小时",
                  "status": "运营"}  # fmt: skip
    return Place("pharmacy", f"长堤药房({MARK_ZH})", "Long Pier Pharmacy", (beside, lat), "table",
                 {}, attributes, "pier")  # fmt: skip


def _doubled(places: list[Place]) -> Iterator[Place]:
    """The first few markets stand in both files, at one place under one name."""
    left = _DUPLICATES
    for place in places:
        if place.service == "market" and left > 0:
            left -= 1
            row = {"ownership": kinds.PRIVATE, "opening_hours": "每天06:00-19:00", "status": "运营"}
            yield Place(place.service, place.name, place.name_en, place.lonlat, "both",
                        place.tags, row, "both_files")  # fmt: skip
        else:
            yield place
