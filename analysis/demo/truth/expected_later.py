"""A31 to A37 and B18 to B28 of the truth table: old estates, opening, what later rows ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.truth.counting import State, every, ratio, share, some
from lifecircle.analysis.demo.truth.expected import (
    FITNESS,
    NOT_ASSESSED,
    Ledger,
    Qualifies,
    open_all_day,
    row,
    yes_no,
)
from lifecircle.analysis.demo.truth.persons import residents_within
from lifecircle.analysis.demo.truth.walking import straight_m

Table = dict[str, Any]
_BESIDE_M: Final = 100.0
_OLD_KINDS: Final = {
    "care": ("elder_care", "day_care"),
    "health": ("health_centre", "health_station"),
    "disabled": ("disabled_care",),
    "education": ("kindergarten",),
    "culture": ("culture_centre",),
    "sport": FITNESS,
}
_OLD_LIST: Final = (
    "day_care", "health_station", "disabled_care", "kindergarten", "culture_centre",
    "fitness_outdoor",
)  # fmt: skip
_SATURDAY, _SUNDAY, _LATE = range(3)


def later_ground_rows(book: Ledger) -> dict[str, Table]:
    """A31 to A37."""
    canteen, disabled = ["canteen"], ["disabled_care"]
    both = ["community", "village"]
    stations = [place for place in book.places if place.service == "service_station"]
    moments = {"saturday": _SATURDAY, "sunday": _SUNDAY, "late": _LATE}
    complexes = [p for p in book.places if p.service == "community_complex"]
    return {
        "A31": _old_estates(book),
        "A32": row(
            "no_target", "原文是鼓励，没有数字", "all",
            {"all": share([every(*(open_at(k)(p) for k in moments.values())) for p in stations])}
            | {name: share([open_at(k)(p) for p in stations]) for name, k in moments.items()}
            | {
                "P_saturday": residents_within(book, ["service_station"], 15,
                                                qualifies=open_at(_SATURDAY)),
                "P_late": residents_within(book, ["service_station"], 15,
                                            qualifies=open_at(_LATE)),
                "count": _exactly(len(stations)),
            },
        ),
        "A33": row(
            "no_target", "原文没有距离和数字", "network",
            _beside(book, ["community_complex", "transit_hub"], ["convenience_store"],
                    open_all_day),
        ),
        "A34": row(
            "no_target", "原文是鼓励，没有数字", "count",
            {
                "count": _exactly(len(complexes)),
                "U": share(book.having(["community"], ["community_complex"])),
            },
        ),
        "A35": row(
            "no_target", "“有条件的地方”不是数字", "U",
            {
                "U": share(book.having(["estate"], canteen)),
                "P5": residents_within(book, canteen, 5, "estate"),
            },
        ),
        "A36": row("no_target", "原文没有数字", "network",
                   _beside(book, ["service_station"], ["childcare"], None)),
        "A37": row(
            "no_target", "原文没有数字", "U",
            {
                "U": share(book.having(["subdistrict", "township"], disabled)),
                "U_community": share(book.having(both, disabled)),
                "P15": residents_within(book, disabled, 15),
            },
        ),
    }  # fmt: skip


def later_unit_rows(book: Ledger) -> dict[str, Table]:
    """B18 to B28."""
    both = ("village", "community")
    rooms = book.flags("reserved_rooms", "new_estate")
    land = book.flags("reserved_land", "new_estate")
    estates = book.of("new_estate")
    hospital, shop = _said("community_hospital"), _said("charity_supermarket")
    centres = [p for p in book.places if p.service == "health_centre"]
    work = [p for p in book.places if p.service == "social_work_station"]
    told = {
        "B20": "elder_friendly_community", "B23": "elder_education",
        "B24": "public_health_committee", "B25": "employment_space",
        "B26": "emergency_supplies", "B27": "police_room",
    }  # fmt: skip
    return {
        "B18": row(
            "no_target", "原文没有数字", "U",
            {
                "U": share({u.code: every(book.flag(u, "reserved_rooms"),
                                          book.flag(u, "reserved_land")) for u in estates}),
                "U_rooms": rooms,
                "U_land": land,
                "rooms_area": _mean(book, "reserved_rooms_area"),
                "land_area": _mean(book, "reserved_land_area"),
            },
        ),
        "B19": row(
            "no_target", "原文没有数字；一成中心不明", "count",
            {"count": _counted(centres, hospital), "share": share([hospital(p) for p in centres])},
        ),
        "B21": row(
            "no_target", "原文没有数字；学校只在地图上，没有这一项", "U",
            {
                "U": book.flags("smart_security_estate", "estate"),
                "schools": NOT_ASSESSED,
                "hospitals": share([_said("smart_security")(p) for p in centres]),
            },
        ),
        "B22": row(
            "no_target", "试点，没有数字", "count",
            {"count": _counted(work, shop), "share": share([shop(p) for p in work])},
        ),
        "B28": row("met", "每个区都有自己的方案", "U",
                   {"U": book.flags("own_programme", "district")}),
    } | {
        name: row("no_target", "原文没有数字", "U", {"U": book.flags(attribute, *both)})
        for name, attribute in told.items()
    }  # fmt: skip


def _old_estates(book: Ledger) -> Table:
    """What stands inside old estates, and what their residents walk to."""
    level = "old_estate"
    inside = {s: book.having([level], [s]) for s in _OLD_LIST}
    units = [unit.code for unit in book.of(level)]
    states = [inside[s][code] for s in _OLD_LIST for code in units]
    readings = {
        "score": share(states),
        "U": share({code: every(*(inside[s][code] for s in _OLD_LIST)) for code in units}),
    }
    for name, services in _OLD_KINDS.items():
        readings[f"U_{name}"] = share(book.having([level], services))
        readings[f"P_{name}"] = residents_within(book, services, 15, level)
    return row("no_target", "“基本解决”没有数字", "score", readings)


def open_at(moment: int) -> Qualifies:
    """Whether a service station is open at one of the planted moments; None where unknown."""

    def asked(place: Place) -> State:
        for hours in kinds.STATION_HOURS:
            if hours.text == place.attributes.get("opening_hours", ""):
                return None if hours.open is None else hours.open[moment]
        raise AssertionError(place)

    return asked


def _said(attribute: str) -> Qualifies:
    return lambda place: yes_no(place.attributes.get(attribute, ""))


def _exactly(number: int) -> Table:
    return {"value": number, "lower": number, "upper": number, "assessed_share": 1.0}


def _counted(places: Sequence[Place], qualifies: Qualifies) -> Table:
    """How many places qualify, and how many more may."""
    states = [qualifies(place) for place in places]
    yes, open_ = states.count(True), states.count(None)
    return {"value": yes, "lower": yes, "upper": yes + open_,
            "assessed_share": 1 - open_ / len(states)}  # fmt: skip


def _mean(book: Ledger, attribute: str) -> Table:
    """Of a figure of the new estates, all of which are told: their mean."""
    return ratio([(book.number(unit, attribute), 1.0) for unit in book.of("new_estate")])


def _beside(
    book: Ledger, services: Sequence[str], others: Sequence[str], qualifies: Qualifies | None
) -> dict[str, Table]:
    """Places with one of the others beside them, along streets and straight."""
    these = book.reach.which(services)
    there = book.reach.which(others)
    fits = {k: True if qualifies is None else qualifies(book.places[k]) for k in there}
    sure = [k for k in there if fits[k] is True]
    maybe = [k for k in there if fits[k] is None]
    here = [book.places[k].lonlat for k in these]
    along = [book.reach.between(these, found) for found in (sure, maybe) if found]
    straight = [straight_m(here, [book.places[k].lonlat for k in found])
                for found in (sure, maybe) if found]  # fmt: skip
    return {"network": _near(along), "straight": _near(straight)}


def _near(metres: Sequence[np.ndarray]) -> Table:
    """Of walks to the sure and to the doubtful: yes, no, and unknown where only those are near."""
    sure, *doubtful = (one <= _BESIDE_M for one in metres)
    perhaps = doubtful[0] if doubtful else np.zeros(len(sure), dtype=np.bool_)
    return share([some(bool(a), None if b else False) for a, b in zip(sure, perhaps, strict=True)])
