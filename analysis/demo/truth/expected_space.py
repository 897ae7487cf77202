"""A08 to A18 of the truth table: floor areas, circles, new estates, towns and villages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.units import Unit
from lifecircle.analysis.demo.truth.counting import State, ratio, share, some
from lifecircle.analysis.demo.truth.expected import (
    FITNESS,
    Ledger,
    at_least,
    open_all_day,
    row,
    says,
    told,
    usable_in_the_evening,
)
from lifecircle.analysis.demo.truth.persons import (
    complete,
    complete_of,
    land_within,
    mean_share,
    residents_within,
)

Table = dict[str, Any]


def _station_area(book: Ledger, unit: Unit, level: str) -> float | None:
    """What the statistics say, else the sum over the unit's stations where all are known: 0 m²
    where there is none, as it counts for a unit without one (A11)."""
    stated = book.number(unit, "service_facility_area")
    if stated is not None:
        return stated
    built = [
        place.attributes.get("built_area")
        for place, code in zip(book.places, book.at(level), strict=True)
        if place.service == "service_station" and code == unit.code
    ]
    if any(area is None for area in built):
        return None
    return sum(float(area) for area in built if area is not None)


def station_rows(book: Ledger) -> dict[str, Table]:
    """A08 to A11."""
    table = [(unit, level) for level in ("community", "village") for unit in book.of(level)]
    area = {unit.code: _station_area(book, unit, level) for unit, level in table}
    homes = {unit.code: book.number(unit, "households") for unit, _ in table}
    enough = {
        code: None if (m2 := area[code]) is None or not (n := homes[code]) else m2 / n * 100 >= 30
        for code in area
    }
    stations = [place for place in book.places if place.service == "service_station"]
    halls = [(told(place, "activity_area"), told(place, "built_area")) for place in stations]
    commerce = [
        (book.number(u, "commercial_service_area"), book.number(u, "total_floor_area"))
        for u in book.of("community")
    ]
    tenth = {
        unit.code: None if a is None or not b else a / b >= 0.1
        for unit, (a, b) in zip(book.of("community"), commerce, strict=True)
    }
    urban = book.having(["community"], ["service_station"])
    rural = book.having(["village"], ["service_station"])
    return {
        "A08": row(
            "met", "缺的面积按0计仍超过30平方米", "ratio",
            {
                "ratio": ratio([(area[c], homes[c]) for c in area], 100.0),
                "U": share(enough),
            },
        ),
        "A09": row(
            "partly", "一成设施的活动面积不明，上下限跨越60%", "ratio",
            {
                "ratio": ratio(halls, part=True),
                "facilities": share([None if a is None or not b else a / b >= 0.6
                                     for a, b in halls]),
            },
        ),
        "A10": row(
            "not_met", "社区合计约8%", "ratio",
            {"ratio": ratio(commerce, part=True), "U": share(tenth)},
        ),
        "A11": row(
            "partly", "城市社区全部有，岛上的村没有", "U",
            {
                "U": share({**rural, **urban}),
                "U_rural": share(rural),
                "U_urban": share(urban),
                "P15": residents_within(book, ["service_station"], 15, "village", "community"),
                "L": land_within(book, ["service_station"], 15),
            },
        ),
    }  # fmt: skip


def circle_rows(book: Ledger, circles: Mapping[str, Sequence[str]]) -> dict[str, Table]:
    """A12 and A13."""
    fitness = [s for s in circles["fitness"] if s != "school_grounds"]
    everyday = circles["convenience"]
    return {
        "A12": row(
            "no_target", "原文没有比例", "P",
            {
                "P": complete(book, everyday, len(everyday), None),
                "P_all15": complete(book, everyday, len(everyday), 15.0),
                "score": mean_share(book, everyday),
                "P_24h": residents_within(book, ["convenience_store"], 15,
                                           qualifies=open_all_day),
            },
        ),
        "A13": row(
            "no_target", "原文没有比例", "P",
            {
                "P": complete(book, fitness, 3, None),
                "P_all_types": complete(book, fitness, len(fitness), None),
                "P_school": complete(book, circles["fitness"], 3, None),
                "P_night": complete_of(book, fitness, 3, usable_in_the_evening),
                "P_lit": residents_within(
                    book, ["fitness_outdoor", "sports_pitch", "fitness_trail"], 15,
                    qualifies=says("lit", kinds.YES),
                ),
            },
        ),
    }  # fmt: skip


def estate_rows(book: Ledger) -> dict[str, Table]:
    """A14 to A18."""
    estates = book.of("new_estate")
    planned = [book.number(unit, "planned_residents") for unit in estates]
    indoor = [book.number(unit, "fitness_indoor_area") for unit in estates]
    outdoor = [book.number(unit, "fitness_outdoor_area") for unit in estates]
    fit = {
        unit.code: some(_per(i, p, 0.1), _per(o, p, 0.3))
        for unit, p, i, o in zip(estates, planned, indoor, outdoor, strict=True)
    }
    return {
        "A14": row(
            "not_met", "一个居住区室内、室外都不够（相加才够），一个不明", "U",
            {
                "U": share(fit),
                "indoor": ratio(zip(indoor, planned, strict=True)),
                "outdoor": ratio(zip(outdoor, planned, strict=True)),
            },
        ),
        "A15": row(
            "partly", "五个达标，一个不明", "U",
            {
                "U": share({unit.code: _cared_for(book, unit) for unit in estates}),
                "U_existing": share(_existing_cared_for(book)),
            },
        ),
        "A16": row(
            "met", "岛上也有健身广场", "U",
            {
                "U": share(book.having(["village", "community", "township", "subdistrict"],
                                       FITNESS)),
                "U_village": share(book.having(["village"], FITNESS)),
                "U_community": share(book.having(["community"], FITNESS)),
                "U_township": share(book.having(["township", "subdistrict"], FITNESS)),
            },
        ),
        "A17": row(
            "partly", "一个集镇的书店260平方米，另一个面积不明", "U",
            {
                "U": share(book.having(["central_town"], ["bookshop"],
                                       at_least("built_area", 200.0))),
                "U_any": share(book.having(["central_town"], ["bookshop"])),
            },
        ),
        "A18": row(
            "no_target", "“普遍”不是数字", "U",
            {
                "U": share(book.having(["village", "community"], ["culture_centre"])),
                "P15": residents_within(book, ["culture_centre"], 15, "village", "community"),
                "L": land_within(book, ["culture_centre"], 15),
            },
        ),
    }  # fmt: skip


def _per(area: float | None, persons: float | None, least: float) -> State:
    return None if area is None or not persons else area / persons >= least - 1e-9


def _cared_for(book: Ledger, unit: Unit) -> State:
    area = book.number(unit, "elder_care_area")
    required = book.number(unit, "elder_care_area_required")
    homes = book.number(unit, "households")
    if required is None and homes is not None:
        required = homes * 30.0 / 100.0
    return None if area is None or required is None else area >= required - 1e-9


def _existing_cared_for(book: Ledger) -> dict[str, State]:
    """Estates that stand already: 20 m² per 100 households; where the area is not told, what
    stands inside."""
    found: dict[str, State] = {}
    for level in ("estate", "old_estate"):
        inside: dict[str, list[float | None]] = {unit.code: [] for unit in book.of(level)}
        for place, code in zip(book.places, book.at(level), strict=True):
            if place.service in {"elder_care", "day_care"} and code is not None:
                inside[code].append(_built(place.attributes.get("built_area", "")))
        for unit in book.of(level):
            area, homes = book.number(unit, "elder_care_area"), book.number(unit, "households")
            sizes = [size for size in inside[unit.code] if size is not None]
            if area is None and len(sizes) == len(inside[unit.code]):
                area = sum(sizes)
            found[unit.code] = (
                None if area is None or homes is None else area >= homes * 20.0 / 100.0 - 1e-9
            )
    return found


def _built(text: object) -> float | None:
    return None if text == "" or text is None else float(str(text))
