"""Facilities of springcity: points in the OSM file, rows of the bureau's table, where they stand.

What the rows of the table say beside place and name is planted in `marks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.draft import Streets, synthetic
from lifecircle.analysis.demo.springcity.ground.blocks import RESETTLEMENT, Block
from lifecircle.analysis.demo.springcity.ground.mesh import Mesh
from lifecircle.analysis.demo.springcity.kinds import KINDS, TABLE_KINDS, Kind
from lifecircle.analysis.demo.springcity.names import name_stream
from lifecircle.analysis.demo.springcity.plan import MARK_ZH, Plan, as_in_osm, to_city
from lifecircle.analysis.demo.springcity.rural import Country
from lifecircle.analysis.demo.springcity.units import Unit, UnitTable
from lifecircle.analysis.quantities import FloatArray, IntArray

_BESIDE_M = (5.0, 14.0)  # how far a place stands from the crossing or bend it belongs to
PIER_PHARMACY = (1_000.0, 15.0)  # metres from the head of the pier, metres to the west
_DUPLICATES = 6
_OLDEST, _PAST, _NOW = 2005, 2020, 2025
_STRAYS = 2  # day care centres that stand across the border of their community

Title = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A facility: `lonlat` rounded to 1e-7 degree; `attributes` go to the table, `tags` to OSM.

    `file` says which file holds it: ``osm``, ``table`` or ``both``. `home`: code of the
    community, village, 街道 or township it was made for. `opened`: the year.
    """

    service: str
    name: str
    name_en: str
    lonlat: tuple[float, float]
    file: str
    tags: Mapping[str, str]
    attributes: Mapping[str, str | float]
    role: str = "plain"
    home: str = ""
    opened: int = _OLDEST

    @property
    def xy(self) -> FloatArray:
        """City metres, (2,)."""
        place: FloatArray = to_city(np.array([self.lonlat]))[0]
        return place

    def told(self, attributes: Mapping[str, str | float]) -> Place:
        """The same with further attributes."""
        return replace(self, attributes={**self.attributes, **attributes})


@dataclass(slots=True)
class Town:
    """What placing needs: the mesh, streets, nodes of lattice points, units, a generator, names."""

    mesh: Mesh
    streets: Streets
    node_of: IntArray
    units: UnitTable
    rng: np.random.Generator
    names: Iterator[Title]
    spare: list[Title] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """The plan of the city."""
        return self.mesh.plan

    def name(self) -> Title:
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

    def quad_nodes(self, column: int, row: int) -> IntArray:
        """Street nodes strictly inside a quad, so that a place lies in one community only."""
        fine = self.plan.fine
        x, y = column * fine, row * fine
        inside = self.node_of[x + 1 : x + fine, y + 1 : y + fine].ravel()
        found = inside[inside >= 0]
        if len(found) == 0:
            found = self.node_of[x : x + fine + 1, y : y + fine + 1].ravel()
            found = found[found >= 0]
        return found

    def opened(self, kind: Kind) -> int:
        """The year a place opened: before 2021 or since."""
        old = self.rng.random() < kind.old
        low, high = (_OLDEST, _PAST) if old else (_PAST + 1, _NOW)
        return int(self.rng.integers(low, high + 1))

    def place(
        self, kind: Kind, node: int, home: str, title: Title | None = None, role: str = "plain"
    ) -> Place:
        """A place of a kind beside a node; without a title it gets a name of its own."""
        zh, en = title or self.name()
        name, name_en = f"{zh}{kind.zh}", f"{en} {kind.en}"
        where, opened = self.beside(node), self.opened(kind)
        if kind.file == "table":
            return Place(kind.service, name, name_en, where, "table", {}, {}, role, home, opened)
        tags = dict(kind.tags) | {"name": name, "name:en": name_en}
        hours = kinds.OSM_HOURS[int(self.rng.integers(0, len(kinds.OSM_HOURS)))]
        if hours:
            tags["opening_hours"] = hours
        return Place(
            kind.service, name, name_en, where, "osm", synthetic(**tags), {}, role, home
        )  # fmt: skip


def make_town(mesh: Mesh, streets: Streets, node_of: IntArray, units: UnitTable) -> Town:
    """A town ready for places."""
    names = name_stream(mesh.plan.rng("place names"))
    return Town(mesh, streets, node_of, units, mesh.plan.rng("places"), names)


def bare(unit: Unit) -> Title:
    """A unit's names without what kind of unit it is."""
    zh, en = unit.name, unit.name_en
    for ending, ending_en in (("社区", " Community"), ("街道", " Subdistrict")):
        zh, en = zh.removesuffix(ending), en.removesuffix(ending_en)
    return zh, en


def chosen(plan: Plan, topic: str, count: int, share: float) -> set[int]:
    """Which of `count` things: exactly the share of them, to the nearest whole number."""
    order = plan.rng(topic).permutation(count)
    return set(order[: round(share * count)].tolist())


def community_places(town: Town, blocks: tuple[Block, ...]) -> Iterator[Place]:
    """What urban communities have."""
    table = town.units.of_level("community")
    having = {
        k: chosen(town.plan, f"having {k}", len(table), kind.rate)
        for k, kind in enumerate(KINDS)
        if kind.once
    }
    resettled = {(b.column, b.row): b for b in blocks if b.use == RESETTLEMENT}
    for number, (column, row) in enumerate(town.mesh.quads()):
        nodes = town.quad_nodes(column, row)
        unit = table[number]
        for k, kind in enumerate(KINDS):
            once = kind.once
            count = int(number in having[k]) if once else int(town.rng.poisson(kind.rate))
            for _ in range(count):
                node = int(nodes[town.rng.integers(0, len(nodes))])
                role = "plain"
                if kind.service == "service_station" and (column, row) in resettled:
                    node, role = deepest(town, resettled[column, row], nodes), "resettlement"
                yield town.place(kind, node, unit.code, bare(unit) if once else None, role)


def deepest(town: Town, block: Block, nodes: IntArray) -> int:
    """The street node that lies deepest in a block."""
    depth = shapely.distance(
        shapely.boundary(block.outline), shapely.points(town.streets.xy[nodes])
    )
    inside = shapely.contains_xy(block.outline, *town.streets.xy[nodes].T)
    return int(nodes[np.argmax(np.where(inside, depth, -1.0))])


def pier_pharmacy(country: Country) -> Place:
    """The pharmacy on the pier, from which exact walks are known."""
    metres, west = PIER_PHARMACY
    lon, lat = country.pier.at(metres)
    (beside, _), *_ = as_in_osm(to_city(np.array([[lon, lat]])) - np.array([[west, 0.0]])).tolist()
    attributes = {"ownership": kinds.PRIVATE, "opening_hours": "24小时", "status": "运营"}
    return Place("pharmacy", f"长堤药房({MARK_ZH})", "Long Pier Pharmacy", (beside, lat), "table",
                 {}, attributes, "pier")  # fmt: skip


def doubled(places: list[Place]) -> Iterator[Place]:
    """The first few markets stand in both files, at one place under one name."""
    left = _DUPLICATES
    for place in places:
        if place.service == "market" and left > 0:
            left -= 1
            row = {"ownership": kinds.PRIVATE, "opening_hours": "每天06:00-19:00", "status": "运营"}
            yield replace(place, file="both", attributes=row, role="both_files")
        else:
            yield place


def strayed(town: Town, places: list[Place]) -> list[Place]:
    """A few day care centres stand across the border and say which community is theirs."""
    homes = town.units.of_level("community")
    number = {unit.code: k for k, unit in enumerate(homes)}
    quads = town.mesh.quads()
    left = _STRAYS
    moved = []
    for place in places:
        if place.service == TABLE_KINDS["day_care"].service and left > 0:
            column, row = quads[number[place.home]]
            if (column + 1, row) in quads:
                left -= 1
                nodes = town.quad_nodes(column + 1, row)
                own = np.array(homes[number[place.home]].outline.centroid.coords[0])
                where = town.beside(town.nearest(own, nodes))
                place = replace(place, lonlat=where, role="stray")  # noqa: PLW2901
        moved.append(place)
    return moved
