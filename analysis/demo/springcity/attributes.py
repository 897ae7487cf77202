"""What the rows of the bureau's table say beside name and place: planted, in exact shares.

An attribute that is left out is unknown; nothing here stands for 0 or no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.facts import StationAreas
from lifecircle.analysis.demo.springcity.kinds import NO, STATION_HOURS, YES
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import Plan, as_in_osm, to_city
from lifecircle.analysis.demo.springcity.units import UnitTable
from lifecircle.analysis.quantities import IntArray

Row = dict[str, str | float]

_REFITTED: Final = {"age_friendly": (0.5, 0.4), "child_friendly": (0.3, 0.6),
                    "barrier_free": (0.6, 0.3)}  # fmt: skip
"""Share of yes and of no; the rest is unknown."""
_REFITTED_KINDS: Final = ("service_station", "day_care", "elder_care", "culture_centre")
_CARING: Final = ("health_centre", "health_station", "elder_care", "day_care")
_BESIDE_CARE = 0.3  # of the urban health stations, the share built beside a day care centre
_BESIDE_M = 18.0
_CAMPUS = 6  # pairs on one parcel though they stand apart
_PARCEL_KNOWN = 0.8
_AREA_KNOWN = 0.9
_ACTIVITY_KNOWN = 0.9
_ACTIVITY_SHARE = (0.52, 0.70)
_STANDARD = (20, 2)  # village clinics: yes, no; the rest unknown
_INCLUSIVE = (0.60, 0.08)  # of the communities with childcare, beside the first of every 街道
_SIGNS: Final = (
    ("health_centre", "community_hospital", 0.2, 0.7),
    ("health_centre", "smart_security", 0.5, 0.4),
    ("social_work_station", "charity_supermarket", 0.05, 0.9),
)
"""Of the places of a service the share with a sign and without one; the rest is unknown."""
_SHELTER_M2 = (900.0, 9_000.0)
_M2_PER_PERSON = 1.5
TOWN_BOOKSHOP_M2: Final = 260.0
SEAT_SHELTER: Final = 500  # persons


def marked(
    plan: Plan, units: UnitTable, places: Sequence[Place], stations: Mapping[str, StationAreas]
) -> tuple[Place, ...]:
    """The same places, in the same order, with all that the table says of them."""
    rows: list[Row] = [{} for _ in places]
    found = _by_service(places)
    lonlat = [place.lonlat for place in places]
    _plain(plan, places, rows)
    _refitted(plan, found, rows)
    _parcels(plan, places, found, rows, lonlat)
    _stations(plan, places, found["service_station"], rows, stations)
    _childcare(plan, units, places, found["childcare"], rows)
    _clinics(plan, places, found["health_station"], rows)
    _fitness(plan, found, rows)
    _shelters(plan, places, found["shelter"], rows)
    _bookshops(places, found["bookshop"], rows)
    _signs(plan, found, rows)
    for k, place in enumerate(places):
        if place.role == "stray":
            rows[k]["unit_code"] = place.home
        if place.role == "of_unknown_size":
            rows[k].pop("built_area", None)
    moved = (_moved(place, lonlat[k]) for k, place in enumerate(places))
    return tuple(
        place if place.file == "osm" else place.told({**row, **place.attributes})
        for place, row in zip(moved, rows, strict=True)
    )


def _by_service(places: Sequence[Place]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for k, place in enumerate(places):
        if place.file == "table":
            found.setdefault(place.service, []).append(k)
    return {service: found.get(service, []) for service in {*found, "bookshop", "shelter"}}


def _moved(place: Place, lonlat: tuple[float, float]) -> Place:
    if place.lonlat == lonlat:
        return place
    return Place(place.service, place.name, place.name_en, lonlat, place.file, place.tags,
                 place.attributes, "beside_care", place.home, place.opened)  # fmt: skip


def dealt(plan: Plan, topic: str, count: int, shares: Sequence[float]) -> IntArray:
    """A part for each of `count` things, (count,): part k has exactly its share of them."""
    edges = np.round(np.cumsum(shares) * count).astype(np.int64)
    part: IntArray = np.searchsorted(edges, plan.rng(topic).permutation(count), side="right")
    return np.minimum(part, len(shares) - 1)


def _flags(plan: Plan, topic: str, count: int, yes: float, no: float) -> list[str]:
    """Yes, no and unknown ("") in exact shares."""
    words = (YES, NO, "")
    return [words[k] for k in dealt(plan, topic, count, (yes, no, 1.0 - yes - no))]


def _plain(plan: Plan, places: Sequence[Place], rows: list[Row]) -> None:
    """Status, ownership, hours, floor area and what follows from it."""
    rng = plan.rng("marks")
    for place, row in zip(places, rows, strict=True):
        hours = kinds.TABLE_HOURS[int(rng.integers(0, len(kinds.TABLE_HOURS)))]
        if hours == kinds.AROUND_THE_CLOCK and place.service not in kinds.ALL_DAY:
            hours = kinds.TABLE_HOURS[0]
        area = round(kinds.AREA_M2.get(place.service, 0.0) * rng.uniform(0.6, 1.5), 1)
        known, public = rng.random(2) < (_AREA_KNOWN, 0.75)
        row["ownership"] = kinds.GOVERNMENT if public else kinds.PRIVATE
        row["opening_hours"], row["status"] = hours, "运营"
        if area and known:
            row["built_area"] = area
        if place.service in {"elder_care", "day_care"}:
            row["beds"] = int(area // 25)
        if place.service == "childcare":
            row["places"] = int(area // 10)
        if place.service == "elder_care":
            row["level"] = kinds.COMMUNITY_LEVEL
        if place.service == "health_station":
            row["level"] = kinds.STATION
        if place.service == "social_work_station":
            row["level"] = kinds.COMMUNITY_LEVEL


def _refitted(plan: Plan, found: Mapping[str, list[int]], rows: list[Row]) -> None:
    for service in _REFITTED_KINDS:
        for name, (yes, no) in _REFITTED.items():
            words = _flags(plan, f"{service} {name}", len(found[service]), yes, no)
            for k, word in zip(found[service], words, strict=True):
                rows[k][name] = word


def _parcels(
    plan: Plan,
    places: Sequence[Place],
    found: Mapping[str, list[int]],
    rows: list[Row],
    lonlat: list[tuple[float, float]],
) -> None:
    """A parcel each; some health stations beside a day care centre, some pairs on a campus."""
    rng = plan.rng("parcels")
    for service in _CARING:
        for k in found[service]:
            if rng.random() < _PARCEL_KNOWN:
                rows[k]["parcel"] = f"DK{k:06d}"
    care = {places[k].home: k for k in found["day_care"] if places[k].role == "plain"}
    urban = [k for k in found["health_station"] if places[k].home in care]
    order = rng.permutation(len(urban)).tolist()
    near = round(_BESIDE_CARE * len(urban))
    for number, k in enumerate(order[: near + _CAMPUS]):
        station, centre = urban[k], care[places[urban[k]].home]
        if number < near:
            lonlat[station] = _beside(lonlat[centre], number)
        else:
            rows[centre]["parcel"] = rows[station]["parcel"] = f"DK{centre:06d}"


def _beside(lonlat: tuple[float, float], number: int) -> tuple[float, float]:
    """A place `_BESIDE_M` away, every time in another direction."""
    turn = 2.4 * number
    step = _BESIDE_M * np.array([[np.cos(turn), np.sin(turn)]])
    (lon, lat), *_ = as_in_osm(to_city(np.array([lonlat])) + step).tolist()
    return lon, lat


def _stations(
    plan: Plan,
    places: Sequence[Place],
    found: list[int],
    rows: list[Row],
    stations: Mapping[str, StationAreas],
) -> None:
    """Hours, floor area and the part where residents meet, of every service station."""
    parts = dealt(plan, "station hours", len(found), [hours.share for hours in STATION_HOURS])
    rng = plan.rng("station areas")
    for k, part in zip(found, parts.tolist(), strict=True):
        hours, row = STATION_HOURS[part], rows[k]
        row["opening_hours"] = hours.text
        if hours.declared and hours.fewest is not None:
            row["daily_hours"] = hours.fewest
            for name, opened in zip(kinds.MOMENTS, hours.open or (), strict=True):
                row[name] = YES if opened else NO
        row["ownership"] = kinds.GOVERNMENT
        row.pop("built_area", None)
        built = stations[places[k].home].built
        share = float(rng.uniform(*_ACTIVITY_SHARE))
        if built is not None:
            row["built_area"] = built
            if rng.random() < _ACTIVITY_KNOWN:
                row["activity_area"] = round(built * share, 1)


def _childcare(
    plan: Plan, units: UnitTable, places: Sequence[Place], found: list[int], rows: list[Row]
) -> None:
    """Inclusive in every 街道 and every seat, in the other communities as dealt."""
    parent = {unit.code: unit.parent for unit in units.of_level("community")}
    words = _flags(plan, "inclusive", len(found), *_INCLUSIVE)
    sure: set[str] = set()
    for k, word in zip(found, words, strict=True):
        street = parent.get(places[k].home)
        rows[k]["inclusive"] = word
        if places[k].role == "seat":
            rows[k]["inclusive"] = YES
        elif street is not None and street not in sure:
            rows[k]["inclusive"] = YES
            sure.add(street)


def _clinics(plan: Plan, places: Sequence[Place], found: list[int], rows: list[Row]) -> None:
    clinics = [k for k in found if places[k].attributes.get("level") == kinds.VILLAGE_CLINIC]
    yes, no = _STANDARD
    order = plan.rng("clinics").permutation(len(clinics)).tolist()
    for rank, k in enumerate(order):
        rows[clinics[k]]["standardised"] = YES if rank < yes else NO if rank < yes + no else ""


def _fitness(plan: Plan, found: Mapping[str, list[int]], rows: list[Row]) -> None:
    rng = plan.rng("fitness areas")
    for service in ("fitness_outdoor", "fitness_trail"):
        words = _flags(plan, f"{service} lit", len(found[service]), 0.5, 0.4)
        for k, word in zip(found[service], words, strict=True):
            rows[k]["lit"] = word
            rows[k].pop("built_area", None)
            rows[k]["outdoor_area"] = round(float(rng.uniform(150.0, 900.0)), 1)
    for k in found["swimming_pool"]:
        rows[k]["indoor_area"] = round(float(rng.uniform(900.0, 2_500.0)), 1)


def _shelters(plan: Plan, places: Sequence[Place], found: list[int], rows: list[Row]) -> None:
    """Effective area and persons; a tenth lacks the area, another tenth the persons. That of
    the first township's seat is too small for the village around it."""
    lacking = dealt(plan, "shelters", len(found), (0.1, 0.1, 0.8))
    rng = plan.rng("shelter areas")
    for k, part in zip(found, lacking.tolist(), strict=True):
        area = round(float(rng.uniform(*_SHELTER_M2)), 1)
        rows[k].pop("built_area", None)
        rows[k]["ownership"], rows[k]["opening_hours"] = kinds.GOVERNMENT, "24小时"
        if part != 0:
            rows[k]["effective_area"] = area
        if part != 1:
            rows[k]["capacity"] = int(area / _M2_PER_PERSON)
    small = next(k for k in found if places[k].role == "seat")
    rows[small]["capacity"] = SEAT_SHELTER
    rows[small]["effective_area"] = SEAT_SHELTER * _M2_PER_PERSON


def _signs(plan: Plan, found: Mapping[str, list[int]], rows: list[Row]) -> None:
    """Health centres that are community hospitals, and who watches their doors; social work
    stations with a charity supermarket."""
    for service, name, yes, no in _SIGNS:
        words = _flags(plan, f"{service} {name}", len(found[service]), yes, no)
        for k, word in zip(found[service], words, strict=True):
            rows[k][name] = word


def _bookshops(places: Sequence[Place], found: list[int], rows: list[Row]) -> None:
    """One central town has a bookshop that is large enough, of the other's nothing is known."""
    seats = [k for k in found if places[k].role == "seat"]
    for number, k in enumerate(seats):
        rows[k].pop("built_area", None)
        if number == 0:
            rows[k]["built_area"] = TOWN_BOOKSHOP_M2
