"""What streets, townships and villages of springcity have: planted, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.draft import Streets
from lifecircle.analysis.demo.springcity.extras import extra_places
from lifecircle.analysis.demo.springcity.facts import PLANTED_ESTATES
from lifecircle.analysis.demo.springcity.ground.blocks import ESTATE, Block
from lifecircle.analysis.demo.springcity.ground.mesh import Mesh, street_of
from lifecircle.analysis.demo.springcity.kinds import OSM_KINDS, TABLE_KINDS, Kind
from lifecircle.analysis.demo.springcity.places import (
    Place,
    Title,
    Town,
    bare,
    chosen,
    community_places,
    deepest,
    doubled,
    make_town,
    pier_pharmacy,
    strayed,
)
from lifecircle.analysis.demo.springcity.plan import PLANTED_STREETS, PlantedStreet
from lifecircle.analysis.demo.springcity.rural import SEATS, Country, Hamlet
from lifecircle.analysis.demo.springcity.units import Unit, UnitTable
from lifecircle.analysis.quantities import IntArray

STREETS_WITH_CARE: Final = 0.78  # of the 街道, the share with 综合养老服务
STREETS_WITH_PROTECTION: Final = 0.7
CARING_TOWNSHIP: Final = 0  # the one township with 区域性养老服务


@dataclass(frozen=True, slots=True)
class _Post:
    """A 街道 or township and the node where its own institutions stand."""

    unit: Unit
    nodes: IntArray
    middle: int


def make_places(
    mesh: Mesh,
    streets: Streets,
    node_of: IntArray,
    units: UnitTable,
    country: Country,
    blocks: tuple[Block, ...],
) -> tuple[Place, ...]:
    """All point facilities, in a fixed order; what the table says of them is told by `marks`."""
    town = make_town(mesh, streets, node_of, units)
    posts = _streets(town)
    places = [
        *_centres(town, posts),
        *community_places(town, blocks),
        *_village_places(town, country),
        *_posts(town, posts, country),
        *_estate_places(town, blocks),
        pier_pharmacy(country),
    ]
    told = list(doubled(strayed(town, places)))
    return (*told, *extra_places(town, told))


def _streets(town: Town) -> list[_Post]:
    quads: dict[str, list[tuple[int, int]]] = {}
    communities = town.units.of_level("community")
    for number, quad in enumerate(town.mesh.quads()):
        quads.setdefault(communities[number].parent, []).append(quad)
    posts = []
    for unit in town.units.of_level("subdistrict"):
        nodes = np.concatenate([town.quad_nodes(i, j) for i, j in quads[unit.code]])
        middle = town.nearest(np.array(unit.outline.centroid.coords[0]), nodes)
        posts.append(_Post(unit, nodes, middle))
    return posts


def planted_street(unit: Unit, mesh: Mesh, units: UnitTable) -> PlantedStreet:
    """What is planted in a 街道; one government centre where nothing is."""
    communities = units.of_level("community")
    home = next(k for k, one in enumerate(communities) if one.parent == unit.code)
    tile_i, tile_j, band_i, band_j = street_of(*mesh.quads()[home])
    planted = PLANTED_STREETS.get((band_i, band_j)) if (tile_i, tile_j) == (0, 0) else None
    return planted or PlantedStreet("plain", 0, 1, 0, 0, None)


def _centres(town: Town, posts: list[_Post]) -> Iterator[Place]:
    """Community health centres: planted streets as planned, one in every other street."""
    for post in posts:
        planted = planted_street(post.unit, town.mesh, town.units)
        owners = [kinds.GOVERNMENT] * planted.government + [""] * planted.unknown
        owners += [kinds.PRIVATE] * planted.private
        for k, owner in enumerate(owners):
            yield _centre(town, post, planted.role, owner, k)


def _centre(town: Town, post: _Post, role: str, owner: str, number: int) -> Place:
    unit = post.unit
    west, south, east, north = unit.outline.bounds
    corner = {"small": (0.06, 0.94)}.get(role)
    spread = ((0.5, 0.5), (0.25, 0.75), (0.75, 0.25))[number]
    share = corner or spread
    aim = np.array([west + share[0] * (east - west), south + share[1] * (north - south)])
    node = town.nearest(aim, post.nodes)
    zh, en = bare(unit)
    suffix, suffix_en = ("", "") if number == 0 else (f"第{number + 1}", f" No. {number + 1}")
    place = town.place(kinds.HEALTH_CENTRE, node, unit.code, None, role)
    return replace(
        place,
        name=f"{zh}街道{suffix}{kinds.CENTRE}",
        name_en=f"{en} Health Centre{suffix_en}",
        attributes={"ownership": owner, "level": kinds.CENTRE},
        opened=2023 if role == "surplus" and number == 2 else 2010,
    )


def _posts(town: Town, posts: list[_Post], country: Country) -> Iterator[Place]:
    """Institutions of every 街道 and township: social work, care, protection of minors."""
    care = chosen(town.plan, "street care", len(posts), STREETS_WITH_CARE)
    every = [*posts, *_townships(town, country)]
    protecting = chosen(town.plan, "protection", len(every), STREETS_WITH_PROTECTION)
    for number, post in enumerate(every):
        street = number < len(posts)
        level = kinds.STREET_LEVEL if street else kinds.TOWNSHIP_LEVEL
        title = (post.unit.name, post.unit.name_en)
        work = town.place(kinds.SOCIAL_WORK, post.middle, post.unit.code, title, "street")
        yield work.told({"level": level})
        if number in protecting:
            yield town.place(kinds.PROTECTION, post.middle, post.unit.code, title)
        if street and number in care:
            place = town.place(kinds.STREET_CARE, post.middle, post.unit.code, bare(post.unit))
            yield place.told({"level": kinds.STREET_LEVEL})
    first = len(posts)
    regional = every[first + CARING_TOWNSHIP]
    title = (regional.unit.name, regional.unit.name_en)
    place = town.place(kinds.RURAL_CARE, regional.middle, regional.unit.code, title)
    yield place.told({"level": kinds.REGIONAL_LEVEL})
    # A house of the street level in a township is no regional one.
    other = every[first + CARING_TOWNSHIP + 1]
    title = (other.unit.name, other.unit.name_en)
    place = town.place(TABLE_KINDS["elder_care"], other.middle, other.unit.code, title, "decoy")
    yield place.told({"level": kinds.STREET_LEVEL})


def _estate_places(town: Town, blocks: tuple[Block, ...]) -> Iterator[Place]:
    """In the new estates of which the statistics know least: a gym, and care, of unknown size."""
    table = town.units.of_level("new_estate")
    communities = {unit.code: k for k, unit in enumerate(town.units.of_level("community"))}
    quads = town.mesh.quads()
    by_home = {communities[unit.parent]: unit for unit in table}
    homes = {quads[k]: unit for k, unit in by_home.items()}
    gym = replace(OSM_KINDS["fitness_indoor"], file="table", tags={})
    for block in blocks:
        if block.use != ESTATE:
            continue
        unit = homes[block.column, block.row]
        planted = PLANTED_ESTATES[table.index(unit) % len(PLANTED_ESTATES)]
        node = deepest(town, block, town.quad_nodes(block.column, block.row))
        if planted.indoor is None:
            yield town.place(gym, node, unit.parent, bare(unit), "of_unknown_size")
        if planted.care is None:
            care = TABLE_KINDS["elder_care"]
            yield town.place(care, node, unit.parent, bare(unit), "of_unknown_size")


def _townships(town: Town, country: Country) -> list[_Post]:
    walkable = np.unique(town.streets.edge)
    seats = [h for h in country.hamlets if h.role == "seat"]
    by_number = {SEATS[hamlet.village]: hamlet for hamlet in seats}
    return [
        _Post(unit, walkable, town.nearest(np.array(by_number[k].centre), walkable))
        for k, unit in enumerate(town.units.of_level("township"))
    ]


def _village_places(town: Town, country: Country) -> Iterator[Place]:
    """What the 25 villages, the three seats and the island have."""
    villages = town.units.of_level("village")
    walkable = np.unique(town.streets.edge)
    homes = [
        [h for h in country.hamlets if h.village == k and h.role != "unsnapped"]
        for k in range(len(villages))
    ]
    mainland = [k for k, hamlets in enumerate(homes) if hamlets[0].role != "island"]
    having = {
        service: {
            mainland[k] for k in chosen(town.plan, f"village {service}", len(mainland), share)
        }
        for service, share in kinds.VILLAGE_SHARES.items()
    }
    townships = town.units.of_level("township")
    for number, village in enumerate(villages):
        node = town.nearest(np.array(homes[number][0].centre), walkable)
        title = (village.name, village.name_en)
        if number not in mainland:
            for service in kinds.ISLAND_KINDS:
                yield town.place(_rural_kind(service), node, village.code, title)
            continue
        for service in kinds.VILLAGE_SHARES:
            if number in having[service]:
                yield town.place(_rural_kind(service), node, village.code, title)
        yield town.place(kinds.CLINIC, node, village.code, title).told(
            {"level": kinds.VILLAGE_CLINIC}
        )
        if number in SEATS:
            yield from _seat(town, townships[SEATS[number]], village, node, title, homes[number])


def _rural_kind(service: str) -> Kind:
    if service == "canteen":
        return kinds.CANTEEN_RURAL
    if service == "fitness_outdoor" or service not in OSM_KINDS:
        return TABLE_KINDS[service]
    return OSM_KINDS[service]


def _seat(
    town: Town, township: Unit, village: Unit, node: int, title: Title, hamlets: list[Hamlet]
) -> Iterator[Place]:
    """A township's seat: the hospital, shops, childcare; a bookshop in the central towns."""
    for service in kinds.SEAT_KINDS:
        yield town.place(_rural_kind(service), node, village.code, title, "seat")
    name = (township.name, township.name_en)
    hospital = town.place(kinds.TOWN_HOSPITAL, node, township.code, name, "town_hospital")
    yield hospital.told({"ownership": kinds.GOVERNMENT, "level": kinds.TOWNSHIP_HOSPITAL})
    yield town.place(TABLE_KINDS["childcare"], node, village.code, title, "seat")
    middle = hamlets[0].hull
    if any(unit.outline.contains(middle) for unit in town.units.of_level("central_town")):
        yield town.place(kinds.BOOKSHOP, node, village.code, title, "seat")
