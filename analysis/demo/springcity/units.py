"""Units of every level: polygons that share their borders, codes, names, parents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from lifecircle.analysis.demo.springcity.ground.blocks import ESTATE, HOUSING, RESETTLEMENT, Block
from lifecircle.analysis.demo.springcity.ground.mesh import MIXED, NEW, OLD, Mesh, street_of
from lifecircle.analysis.demo.springcity.names import name_stream
from lifecircle.analysis.demo.springcity.plan import MARK, MARK_ZH, PLANTED_STREETS, Plan
from lifecircle.analysis.demo.springcity.rural import Country, RuralQuad
from lifecircle.analysis.quantities import IntArray

_BORDER_POINT_M: Final = 100.0
_ESTATES: Final = {NEW: 2, MIXED: 1}  # 住宅小区 of a quad, by its kind
_OLD_BLOCKS, _OLD_INSET_M = 6, 5.0  # housing blocks of an old estate, metres from the border
_TOWNSHIPS: Final = (("青岭乡", "Qingling"), ("松坪乡", "Songping"), ("湖滨镇", "Hubin"))
LEVELS: Final = (
    "district",
    "subdistrict",
    "township",
    "community",
    "village",
    "natural_village",
    "estate",
    "old_estate",
    "new_estate",
    "resettlement",
    "central_town",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `role` says what is planted there, else ``plain``; outline in city metres."""

    level: str
    code: str
    name: str
    name_en: str
    parent: str
    urban: bool
    outline: BaseGeometry
    role: str = "plain"


@dataclass(frozen=True, slots=True)
class UnitTable:
    """All units, and the community of each quad (columns, rows), -1 where none."""

    units: tuple[Unit, ...]
    community_at: IntArray

    def of_level(self, level: str) -> list[Unit]:
        """The units of one level, in the order they were made."""
        return [unit for unit in self.units if unit.level == level]


def make_units(mesh: Mesh, country: Country, blocks: Sequence[Block]) -> UnitTable:
    """Units of all levels; within a level they share borders and never overlap."""
    names = name_stream(mesh.plan.rng("unit names"))
    community_at = np.full(mesh.kind.shape, -1, dtype=np.int64)
    communities = _communities(mesh, names, community_at)
    streets = _merge(mesh, communities, names)
    rural, townships = _rural(country, names)
    hamlets = _natural_villages(country, rural, names)
    districts = _districts(mesh.plan, streets, townships)
    special = _special(country, blocks, communities, community_at, rural, names)
    estates = _estates(mesh, blocks, communities, community_at)
    old = _old_estates(mesh, blocks, communities, community_at)
    units = (
        *districts, *streets, *townships, *communities, *rural, *hamlets, *estates, *old, *special,
    )  # fmt: skip
    return UnitTable(units, community_at)


def district_code(column: int, row: int) -> str:
    """Code of the district of a tile; 99 is no province."""
    return f"99{column + 1:02d}{row + 1:02d}000000"


def _communities(mesh: Mesh, names: Iterator[tuple[str, str]], at: IntArray) -> list[Unit]:
    fine = mesh.plan.fine
    by_street: dict[str, int] = {}
    units: list[Unit] = []
    for column, row in mesh.quads():
        parent = street_code(column, row)
        by_street[parent] = by_street.get(parent, 0) + 1
        at[column, row] = len(units)
        zh, en = next(names)
        ring = mesh.ring(column * fine, row * fine, fine, 2)
        code = f"{parent[:9]}{by_street[parent]:03d}"
        units.append(
            Unit("community", code, f"{zh}社区", f"{en} Community", parent, True, Polygon(ring))
        )
    return units


def street_code(column: int, row: int) -> str:
    """Code of the 街道 that holds a quad."""
    tile_i, tile_j, band_i, band_j = street_of(column, row)
    return f"{district_code(tile_i, tile_j)[:6]}{band_i * 3 + band_j + 1:03d}000"


def _merge(mesh: Mesh, communities: list[Unit], names: Iterator[tuple[str, str]]) -> list[Unit]:
    parts: dict[str, list[BaseGeometry]] = {}
    role: dict[str, str] = {}
    for (column, row), unit in zip(mesh.quads(), communities, strict=True):
        parts.setdefault(unit.parent, []).append(unit.outline)
        tile_i, tile_j, band_i, band_j = street_of(column, row)
        planted = PLANTED_STREETS.get((band_i, band_j)) if (tile_i, tile_j) == (0, 0) else None
        role[unit.parent] = planted.role if planted else "plain"
    streets = []
    for code in sorted(parts):
        zh, en = next(names)
        outline = shapely.coverage_union_all(parts[code])
        parent = f"{code[:6]}000000"
        streets.append(
            Unit(
                "subdistrict",
                code,
                f"{zh}街道",
                f"{en} Subdistrict",
                parent,
                True,
                outline,
                role[code],
            )
        )
    return streets


def _rectangle(quad: RuralQuad) -> Polygon:
    """A rectangle with a point every 100 m, so that neighbours share their points."""
    wide = round((quad.east - quad.west) / _BORDER_POINT_M)
    high = round((quad.north - quad.south) / _BORDER_POINT_M)
    x, y = (
        np.linspace(quad.west, quad.east, wide + 1),
        np.linspace(quad.south, quad.north, high + 1),
    )
    ring = [(a, quad.south) for a in x[:-1]] + [(quad.east, b) for b in y[:-1]]
    ring += [(a, quad.north) for a in x[:0:-1]] + [(quad.west, b) for b in y[:0:-1]]
    return Polygon(ring)


def _rural(country: Country, names: Iterator[tuple[str, str]]) -> tuple[list[Unit], list[Unit]]:
    first = district_code(0, 0)
    villages: list[Unit] = []
    townships: list[Unit] = []
    for number, (zh, en) in enumerate(_TOWNSHIPS):
        code = f"{first[:6]}{201 + number}000"
        quads = [quad for quad in country.quads if quad.township == number]
        outlines = [_rectangle(quad) for quad in quads]
        for k, outline in enumerate(outlines):
            name, latin = next(names)
            villages.append(
                Unit(
                    "village",
                    f"{code[:9]}{201 + k}",
                    f"{name}村",
                    f"{latin} Village",
                    code,
                    False,
                    outline,
                )
            )
        whole = shapely.union_all(outlines)
        townships.append(Unit("township", code, zh, f"{en} Township", first, False, whole))
    return villages, townships


def _natural_villages(
    country: Country, villages: list[Unit], names: Iterator[tuple[str, str]]
) -> list[Unit]:
    counted: dict[str, int] = {}
    units = []
    for hamlet in country.hamlets:
        parent = villages[hamlet.village].code
        counted[parent] = counted.get(parent, 0) + 1
        zh, en = next(names)
        units.append(
            Unit(
                "natural_village",
                f"{parent}{counted[parent]:02d}",
                f"{zh}组",
                f"{en} Hamlet",
                parent,
                False,
                hamlet.hull,
                hamlet.role,
            )
        )
    return sorted(units, key=lambda unit: unit.code)


def _districts(plan: Plan, streets: list[Unit], townships: list[Unit]) -> list[Unit]:
    units = []
    for k, (column, row) in enumerate(plan.tiles):
        code = district_code(column, row)
        parts = [unit.outline for unit in streets if unit.parent == code]
        parts += [unit.outline for unit in townships if unit.parent == code]
        number = "" if len(plan.tiles) == 1 else str(k + 1)
        units.append(
            Unit(
                "district",
                code,
                f"示范区{number}({MARK_ZH})",
                f"Demo District {number} ({MARK})".replace("  ", " "),
                "",
                True,
                shapely.union_all(parts),
            )
        )
    return units


def _estates(
    mesh: Mesh, blocks: Sequence[Block], communities: list[Unit], community_at: IntArray
) -> list[Unit]:
    """住宅小区: the first housing blocks of every quad of the new and the mixed town."""
    units: list[Unit] = []
    counted: dict[tuple[int, int], int] = {}
    for block in blocks:
        quad = (block.column, block.row)
        taken = counted.get(quad, 0)
        if block.use != HOUSING or taken == _ESTATES.get(int(mesh.kind[quad]), 0):
            continue
        counted[quad] = taken + 1
        home = communities[int(community_at[quad])]
        zh, en = home.name.removesuffix("社区"), home.name_en.removesuffix(" Community")
        units.append(
            Unit("estate", f"{home.code}Q{taken + 1:02d}", f"{zh}{'一二'[taken]}小区",
                 f"{en} Estate {taken + 1}", home.code, True, block.outline)
        )  # fmt: skip
    return sorted(units, key=lambda unit: unit.code)


def _old_estates(
    mesh: Mesh, blocks: Sequence[Block], communities: list[Unit], community_at: IntArray
) -> list[Unit]:
    """城镇老旧小区: in every other quad of the old town its first housing blocks, with the lanes
    between them."""
    homes: dict[tuple[int, int], list[Polygon]] = {}
    for block in blocks:
        quad = (block.column, block.row)
        if block.use == HOUSING and mesh.kind[quad] == OLD:
            homes.setdefault(quad, []).append(block.outline)
    units = []
    for column, row in sorted(homes)[::2]:
        home = communities[int(community_at[column, row])]
        zh, en = home.name.removesuffix("社区"), home.name_en.removesuffix(" Community")
        hull = shapely.union_all(homes[column, row][:_OLD_BLOCKS]).convex_hull
        outline = shapely.intersection(hull, shapely.buffer(home.outline, -_OLD_INSET_M))
        units.append(
            Unit("old_estate", f"{home.code}L01", f"{zh}老旧小区", f"{en} Old Estate", home.code,
                 True, outline)
        )  # fmt: skip
    return sorted(units, key=lambda unit: unit.code)


def _special(
    country: Country,
    blocks: Sequence[Block],
    communities: list[Unit],
    community_at: IntArray,
    villages: list[Unit],
    names: Iterator[tuple[str, str]],
) -> list[Unit]:
    """New estates, the resettlement site, the two central towns."""
    units: list[Unit] = []
    for block in blocks:
        if block.use not in {ESTATE, RESETTLEMENT}:
            continue
        home = communities[int(community_at[block.column, block.row])]
        zh, en = next(names)
        if block.use == ESTATE:
            code = f"{home.code}E{len(units) + 1:02d}"
            units.append(Unit("new_estate", code, f"{zh}苑", f"{en} Estate", home.code, True,
                              block.outline))  # fmt: skip
        else:
            units.append(Unit("resettlement", f"{home.code}R01", f"{zh}安置区",
                              f"{en} Resettlement", home.code, True, block.outline))  # fmt: skip
    for hamlet in country.hamlets:
        home = villages[hamlet.village]
        if hamlet.role == "seat" and country.quads[hamlet.village].township < 2:
            zh, en = next(names)
            outline = shapely.buffer(hamlet.hull, 120.0, quad_segs=4)
            units.append(Unit("central_town", f"{home.code}T01", f"{zh}集镇", f"{en} Town",
                              home.code, False, outline))  # fmt: skip
    order = {level: k for k, level in enumerate(LEVELS)}
    return sorted(units, key=lambda unit: (order[unit.level], unit.code))
