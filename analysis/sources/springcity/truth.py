"""What must come out of springcity: counts, planted gaps, exact walks, states of the rule.

Everything here is known from how the city was made, or measured in `walking`'s plain way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analysis.quantities import BoolArray, FloatArray, IntArray
from analysis.sources.springcity import kinds
from analysis.sources.springcity.areas import Area
from analysis.sources.springcity.draft import Streets
from analysis.sources.springcity.mesh import Mesh, street_of
from analysis.sources.springcity.places import PIER_PHARMACY, Place
from analysis.sources.springcity.plan import GEOD, MARK, MARK_ZH, PLANTED_STREETS
from analysis.sources.springcity.residents import PIER_CELLS, People, unit_totals
from analysis.sources.springcity.rural import Country
from analysis.sources.springcity.units import LEVELS, UnitTable, street_code
from analysis.sources.springcity.walking import Footing, metres_to_nearest, stand

MEASURED: Final = ("health_centre", "pharmacy")


@dataclass(frozen=True, slots=True)
class Truth:
    """`table`: everything of truth.json; `metres[service]`: per cell, inf where no way leads
    there; `unsnapped` (c,)."""

    table: dict[str, Any]
    metres: dict[str, FloatArray]
    unsnapped: BoolArray


@dataclass(frozen=True, slots=True)
class World:
    """All that was made, as `tell_truth` needs it."""

    mesh: Mesh
    streets: Streets
    units: UnitTable
    people: People
    country: Country
    places: tuple[Place, ...]
    areas: tuple[Area, ...]


def tell_truth(world: World) -> Truth:
    """The truth table of a finished city."""
    plan, people = world.mesh.plan, world.people
    lonely = [u.code for u in world.units.of_level("natural_village") if u.role == "unsnapped"]
    unsnapped = np.isin(people.member["natural_village"].astype(str), lonely)
    footing = stand(world.streets, people.xy)
    metres, load = _measured(world, footing, unsnapped)
    islanders = _island(world)
    table = {
        "synthetic": True,
        "note": f"{MARK_ZH}: {MARK}, nothing here is real",
        "seed": plan.seed,
        "scale": plan.scale,
        "residents": int(people.residents.sum()),
        "pop_0_3": int(people.children.sum()),
        "pop_65": int(people.older.sum()),
        "households": int(people.households.sum()),
        "cells": len(people.id),
        "unit_count": {level: len(world.units.of_level(level)) for level in LEVELS},
        "unit_residents": _unit_residents(world),
        "facilities": _counted(world),
        "surveyed": list(kinds.SURVEYED),
        "unsnapped": _some(people, unsnapped),
        "cut_off": {"service": "health_centre"} | _some(people, islanders),
        "gaps": _gaps(world, metres, unsnapped, islanders),
        "walks": _walks(world),
        "rule": _rule(world),
        "health_centres": _loads(world, load),
    }
    return Truth(table, metres, unsnapped)


def _some(people: People, chosen: BoolArray) -> dict[str, Any]:
    return {
        "residents": int(people.residents[chosen].sum()),
        "cells": [str(cell) for cell in people.id[chosen]],
    }


def _island(world: World) -> BoolArray:
    codes = [u.code for u in world.units.of_level("natural_village") if u.role == "island"]
    return np.isin(world.people.member["natural_village"].astype(str), codes)


def _unit_residents(world: World) -> dict[str, dict[str, int]]:
    return {
        level: {
            unit.code: unit_totals(world.people, level, unit.code).residents
            for unit in world.units.of_level(level)
        }
        for level in LEVELS
    }


def _counted(world: World) -> dict[str, int]:
    """Facilities per service over both files, each place once."""
    count = Counter(place.service for place in world.places)
    for area in world.areas:
        if area.service is not None:
            count[area.service] += 1
        if area.tags.get("amenity") == "school" and "access" in area.tags:
            count["school_grounds"] += 1
    count.update(dict.fromkeys(kinds.SURVEYED, 0))
    return dict(sorted(count.items()))


def _of(world: World, service: str) -> list[Place]:
    return [place for place in world.places if place.service == service]


def _measured(
    world: World, footing: Footing, unsnapped: BoolArray
) -> tuple[dict[str, FloatArray], IntArray]:
    metres: dict[str, FloatArray] = {}
    load = np.zeros(0, dtype=np.int64)
    for service in MEASURED:
        places = _of(world, service)
        where = stand(world.streets, np.array([place.xy for place in places]))
        walk, whose = metres_to_nearest(world.streets, footing, where)
        walk[unsnapped] = np.inf
        metres[service] = walk
        if service == "health_centre":
            served = (whose >= 0) & ~unsnapped
            load = np.zeros(len(places), dtype=np.int64)
            np.add.at(load, whose[served], world.people.residents[served])
    return metres, load


def _gaps(
    world: World,
    metres: dict[str, FloatArray],
    unsnapped: BoolArray,
    islanders: BoolArray,
) -> list[dict[str, Any]]:
    """One planted gap per reason, with its cells. The hill village is too far for certain."""
    people = world.people
    far = metres["health_centre"]
    best, code = 0.0, ""
    for unit in world.units.of_level("natural_village"):
        here = people.of_unit("natural_village", unit.code) & np.isfinite(far)
        if unit.role == "plain" and here.any() and float(far[here].min()) > best:
            best, code = float(far[here].min()), unit.code
    hill = people.of_unit("natural_village", code)
    everywhere = ~unsnapped
    return [
        {"service": "health_centre", "reason": "too_far", "natural_village": code,
         "metres_at_least": round(best, 1)} | _some(people, hill),
        {"service": "health_centre", "reason": "cut_off"} | _some(people, islanders),
        {"service": "health_centre", "reason": "unsnapped"} | _some(people, unsnapped),
        {"service": kinds.SURVEYED[0], "reason": "no_facility",
         "residents": int(people.residents[everywhere].sum())},
    ]  # fmt: skip


def _walks(world: World) -> list[dict[str, Any]]:
    """Walks along the pier, each leg measured on its own along one meridian."""
    pier = world.country.pier
    shop = next(place for place in world.places if place.role == "pier")
    shop_foot = pier.at(PIER_PHARMACY[0])
    shop_leg = _metres(shop.lonlat, shop_foot)
    first = len(world.people.id) - len(PIER_CELLS)
    walks = []
    for k, (metres, _, _) in enumerate(PIER_CELLS):
        foot = pier.at(metres)
        here = tuple(world.people.lonlat[first + k].tolist())
        total = _metres((here[0], foot[1]), foot) + _metres(foot, shop_foot) + shop_leg
        walks.append(
            {
                "service": shop.service,
                "facility": shop.name,
                "cell": str(world.people.id[first + k]),
                "metres": round(total, 3),
            }
        )
    return walks


def _metres(one: Sequence[float], other: Sequence[float]) -> float:
    return float(GEOD.inv(one[0], one[1], other[0], other[1])[2])


def _rule(world: World) -> list[dict[str, Any]]:
    """The planted streets: who runs centres there, and the state the rule must give."""
    code_of = {
        street_of(i, j)[2:]: street_code(i, j)
        for i, j in world.mesh.quads()
        if street_of(i, j)[:2] == (0, 0)
    }
    residents = _unit_residents(world)["subdistrict"]
    rows = []
    for band, planted in PLANTED_STREETS.items():
        code = code_of[band]
        rows.append(
            {
                "unit_code": code,
                "role": planted.role,
                "residents": residents[code],
                "government": planted.government,
                "unknown": planted.unknown,
                "private": planted.private,
                "state": planted.state or "NOT_ASSESSED",
            }
        )
    return sorted(rows, key=lambda row: str(row["unit_code"]))


def _loads(world: World, load: IntArray) -> list[dict[str, Any]]:
    """Each health centre with the residents who live nearest to it."""
    return [
        {
            "name": place.name,
            "role": place.role,
            "ownership": place.attributes["ownership"],
            "level": place.attributes["level"],
            "nearest_to": int(residents),
        }
        for place, residents in zip(_of(world, "health_centre"), load.tolist(), strict=True)
    ]
