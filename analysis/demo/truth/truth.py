"""What must come out of springcity: counts, planted gaps, exact walks, states of the rule.

Everything here is known from how the city was made, or measured in `walking`'s plain way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.attributes import SEAT_SHELTER
from lifecircle.analysis.demo.springcity.future import people_after
from lifecircle.analysis.demo.springcity.ground.mesh import street_of
from lifecircle.analysis.demo.springcity.places import PIER_PHARMACY
from lifecircle.analysis.demo.springcity.plan import GEOD, MARK, MARK_ZH, PLANTED_STREETS
from lifecircle.analysis.demo.springcity.residents import PIER_CELLS, People, level_totals
from lifecircle.analysis.demo.springcity.units import LEVELS, street_code
from lifecircle.analysis.demo.springcity.world import World
from lifecircle.analysis.demo.truth.counting import State
from lifecircle.analysis.demo.truth.expected import Ledger, holders
from lifecircle.analysis.demo.truth.expected_rows import tell_rows
from lifecircle.analysis.demo.truth.land import Land, sample_land
from lifecircle.analysis.demo.truth.reach import METRES_PER_MINUTE, SCHOOLS, Reach
from lifecircle.analysis.demo.truth.referral import tell_referral
from lifecircle.analysis.quantities import BoolArray, FloatArray

MEASURED: Final = ("health_centre", "pharmacy")
_MINUTES: Final = (5, 10, 15)
_CENTRE_MINUTES = 15
_CENTRE_LEAST, _CENTRE_MOST = 30_000, 100_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy asks for: minutes of every service, the services of every circle, the
    longest way from a place to the streets."""

    minutes: Mapping[str, float]
    circles: Mapping[str, Sequence[str]]
    most_leg_m: float


@dataclass(frozen=True, slots=True)
class Truth:
    """`table`: everything of truth.json; `metres[service]`: per cell, inf where no way leads
    there; `unsnapped` (c,)."""

    table: dict[str, Any]
    metres: dict[str, FloatArray]
    unsnapped: BoolArray


def tell_truth(world: World, before: World, rules: Rules) -> Truth:
    """The truth table of a finished city, and of the same city five years before."""
    plan, people = world.mesh.plan, world.people
    land = sample_land(world.areas, world.streets, rules.most_leg_m)
    reach = _reach(world, land)
    unsnapped = reach.off
    metres = {service: reach.walk(reach.which([service]))[0] for service in MEASURED}
    islanders = _island(world)
    rule = _rule(world)
    table: dict[str, Any] = {
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
        "gaps": [
            *_gaps(world, metres, unsnapped, islanders),
            _full(world, reach, rules.minutes["shelter"]),
        ],
        "walks": _walks(world),
        "covered": _covered(reach, rules),
        "rule": rule,
        "health_centres": _loads(reach),
        "balanced": _balanced(reach),
        "referral": tell_referral(reach),
        "rows": tell_rows(_ledger(world, reach, rules), _rule_met(world, rule), rules.circles),
        "before": _before(before, rules, land),
    }
    table["years"] = _years(world)
    table["increases"] = {"A28": _increase(table["rows"]["A28"], table["before"]["rows"]["A28"])}
    return Truth(table, metres, unsnapped)


def _reach(world: World, land: Land) -> Reach:
    lonely = [u.code for u in world.units.of_level("natural_village") if u.role == "unsnapped"]
    unsnapped = np.isin(world.people.member["natural_village"].astype(str), lonely)
    return Reach.of(world.streets, world.people, world.places, world.areas, unsnapped, land)


def _ledger(world: World, reach: Reach, rules: Rules) -> Ledger:
    return Ledger(
        world.places, world.areas, world.units, world.people, world.facts, reach, rules.minutes
    )


def _before(world: World, rules: Rules, land: Land) -> dict[str, Any]:
    """The year before: residents, facilities, covered residents and the rows' readings."""
    reach = _reach(world, land)
    rows = tell_rows(_ledger(world, reach, rules), {}, rules.circles)
    return {
        "residents": int(world.people.residents.sum()),
        "facilities": _counted(world),
        "covered": _covered(reach, rules),
        "rows": {
            k: {"headline": r["headline"], "readings": r["readings"]} for k, r in rows.items()
        },
    }


def _years(world: World) -> dict[str, Any]:
    """Residents, children and older people of 2025, 2028 and 2030, in all and by 街道."""
    future = people_after(world.mesh.plan, world.people)
    street = world.people.member["subdistrict"]
    told: dict[str, Any] = {}
    for year, residents in future.residents.items():
        come = [one for one in future.moving if one.year <= year]
        by_street: Counter[str] = Counter()
        for code, persons in zip(street, residents.tolist(), strict=True):
            if code is not None:
                by_street[str(code)] += persons
        for one in come:
            by_street[str(street[one.near])] += one.residents
        told[str(year)] = {
            "residents": int(residents.sum()) + sum(one.residents for one in come),
            "pop_0_3": int(future.children[year].sum()),
            "pop_65": int(future.older[year].sum()),
            "moved_in": {one.estate: one.residents for one in come},
            "subdistrict": dict(sorted(by_street.items())),
        }
    return told


def _increase(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A promise of an increase beside 2020: the readings judged, and what they come to."""
    grown = {}
    for name in ("P5", "places"):
        new, old = (one["readings"][name] for one in (now, before))
        doubt = new.get("doubt", 0) / new.get("of", 1) + old.get("doubt", 0) / old.get("of", 1)
        sure = abs(new["value"] - old["value"]) > doubt or doubt == 0
        grown[name] = new["value"] > old["value"] if sure else None
    several = set(grown.values())
    status = "met" if several == {True} else "not_met" if several == {False} else "partly"
    return {"before": "2020", "grown": grown, "status": status}


def _covered(reach: Reach, rules: Rules) -> dict[str, dict[str, dict[str, int]]]:
    """Per service and minutes the residents covered, and those in doubt at the limit."""
    told: dict[str, dict[str, dict[str, int]]] = {}
    for service in sorted(set(rules.minutes) - SCHOOLS):
        which = reach.which([service])
        found = {str(m): reach.within(which, m) for m in _MINUTES}
        told[service] = {
            m: {"residents": one.residents, "doubt": one.doubt} for m, one in found.items()
        }
    return told


def _balanced(reach: Reach) -> dict[str, Any]:
    """The most residents whom all centres together can take within the walk, none beyond its
    maximum; whoever stays unserved though a centre is within the walk is `over_capacity`."""
    which = reach.which(["health_centre"])
    near = reach.within(which, _CENTRE_MINUTES)
    served = reach.served(which, _CENTRE_MINUTES, [_CENTRE_MOST] * len(which))
    return {
        "service": "health_centre",
        "minutes": _CENTRE_MINUTES,
        "maximum": _CENTRE_MOST,
        "served": served.residents,
        "over_capacity": near.residents - served.residents,
        "doubt": served.doubt,
    }


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
            code: totals.residents
            for code, totals in level_totals(world.people, world.units, level).items()
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


def _full(world: World, reach: Reach, minutes: float) -> dict[str, Any]:
    """The seat whose one shelter is too small: its people, less those who find room."""
    which = next(k for k in reach.which(["shelter"]) if world.places[k].role == "seat")
    code = holders(world.units, "natural_village", world.places[which].xy[None, :])[0]
    near, other = (
        reach.walk(chosen)[0] <= minutes * METRES_PER_MINUTE
        for chosen in ([which], [k for k in reach.which(["shelter"]) if k != which])
    )
    people = world.people
    return {
        "service": "shelter",
        "reason": "over_capacity",
        "natural_village": code,
        "residents": int(people.residents[near & ~other].sum()) - SEAT_SHELTER,
        "capacity": SEAT_SHELTER,
        "cells": [str(cell) for cell in people.id[near & ~other]],
    }


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


def _rule_met(world: World, rule: Sequence[Mapping[str, Any]]) -> dict[str, State]:
    """Whether every 街道 meets the rule: the planted ones by their state, the others by theirs."""
    by_state: dict[str, State] = {"缺口": False, "NOT_ASSESSED": None}
    planted = {str(row["unit_code"]): by_state.get(str(row["state"]), True) for row in rule}
    streets = world.units.of_level("subdistrict")
    return {unit.code: planted.get(unit.code, True) for unit in streets}


def _loads(reach: Reach) -> list[dict[str, Any]]:
    """Each health centre with the residents who live nearest to it, and by how many they are
    too many or too few."""
    which = reach.which(["health_centre"])
    _, whose = reach.walk(which)
    told = []
    for k in which:
        place, load = reach.places[k], int(reach.people.residents[whose == k].sum())
        overload, underload = max(0, load - _CENTRE_MOST), max(0, _CENTRE_LEAST - load)
        told.append(
            {
                "name": place.name,
                "role": place.role,
                "ownership": place.attributes["ownership"],
                "level": place.attributes["level"],
                "nearest_to": load,
                "overload": overload,
                "underload": underload,
                "state": "overload" if overload else "underload" if underload else "within",
            }
        )
    return told
