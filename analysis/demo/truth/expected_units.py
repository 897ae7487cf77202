"""A19 to B17 of the truth table: safety, everyday services, what units are asked to have."""

from __future__ import annotations

from typing import Any, Final

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.facts import AREA
from lifecircle.analysis.demo.truth.counting import State, every, ratio, share, within
from lifecircle.analysis.demo.truth.driving import CAR, ENGINE, residents_driven
from lifecircle.analysis.demo.truth.expected import (
    FITNESS,
    NOT_ASSESSED,
    REFITTED,
    Ledger,
    daily_hours,
    refitted,
    row,
    says,
    told,
)
from lifecircle.analysis.demo.truth.persons import land_within, residents_within

Table = dict[str, Any]
_LEAST_M2_PER_PERSON: Final = 0.5  # of a shelter where no number of persons is told
_PILOT_LIST: Final = (
    "service_station", "kindergarten", "childcare", "day_care", "health_station", "supermarket",
    "parcel_station", "convenience_store", "fitness_outdoor", "park",
)  # fmt: skip


def safety_rows(book: Ledger) -> dict[str, Table]:
    """A19 to A23."""
    large = [
        unit
        for unit in book.of("natural_village")
        if (book.number(unit, "households") or 0.0) >= 100
    ]
    water = {unit.code: book.flag(unit, "fire_water_source") for unit in large}
    pipes = {unit.code: book.flag(unit, "fire_pipe_network") for unit in large}
    shelters = book.reach.which(["shelter"])
    areas = [told(book.places[k], "effective_area") for k in shelters]
    rooms = [
        room if room is not None or area is None else int(area / _LEAST_M2_PER_PERSON)
        for room, area in zip(
            (told(book.places[k], "capacity") for k in shelters), areas, strict=True
        )
    ]
    minutes = book.minutes["shelter"]
    known = [k for k, room in zip(shelters, rooms, strict=True) if room is not None]
    sure = book.reach.served(known, minutes, [room for room in rooms if room is not None])
    most = book.reach.served(shelters, minutes, rooms)
    return {
        "A19": row(
            "met", "100户以上的自然村都有；不足100户的不计", "U",
            {
                "U": share({code: every(water[code], pipes[code]) for code in water}),
                "U_water": share(water),
                "U_pipes": share(pipes),
                "U_village": share({u.code: every(book.flag(u, "fire_water_source"),
                                                  book.flag(u, "fire_pipe_network"))
                                    for u in book.of("village")
                                    if (book.number(u, "households") or 0.0) >= 100}),
            },
        ),
        "A20": row(
            "no_target", "原文没有说每个村（社区）", "U",
            {
                "U": share(book.having(["village", "community"], ["fire_point"])),
                "drive": residents_driven(book, ["fire_point"], 5, ENGINE, back=True),
            },
        ),
        "A21": row(
            "no_target", "原文没有数字", "P",
            {
                "P": residents_within(book, ["shelter"], minutes),
                "C": within(sure, most, book.residents),
                "area": NOT_ASSESSED | {"known_m2": sum(a for a in areas if a is not None),
                         "unknown": areas.count(None), "residents": book.residents},
            },
        ),
        "A22": row(
            "met", "安置区有党群服务中心", "U",
            {"U": share(book.having(["resettlement"], ["service_station"]))},
        ),
        "A23": row(
            "met", "每个乡镇（街道）有社工站", "U",
            {"U": share(book.having(["township", "subdistrict"], ["social_work_station"],
                                    says("level", kinds.STREET_LEVEL, kinds.TOWNSHIP_LEVEL)))},
        ),
    }  # fmt: skip


def everyday_rows(book: Ledger) -> dict[str, Table]:
    """A24 to A30."""
    both = ["village", "community"]
    canteen, reading = ["canteen"], ["children_reading"]
    hands = {s: book.having(both, [s]) for s in ("parcel_station", "logistics_point", "recycling")}
    stations = [place for place in book.places if place.service == "service_station"]
    pilots = [u.code for u in book.of("community") if book.flag(u, "complete_community_pilot")]
    listed = {s: book.having(["community"], [s]) for s in _PILOT_LIST}
    there = {code: [listed[s][code] for s in _PILOT_LIST] for code in pilots}
    return {
        "A24": row(
            "no_target", "“全面启动”不是数字", "U_urban",
            {
                "U_urban": share(book.having(["community"], canteen)),
                "U_rural": share(book.having(["village"], canteen)),
                "P65_5": residents_within(book, canteen, 5, *both, older=True),
                "P65_10": residents_within(book, canteen, 10, *both, older=True),
                "P65_15": residents_within(book, canteen, 15, *both, older=True),
            },
        ),
        "A25": row(
            "no_target", "原文没有数字", "U",
            {
                "U": share({code: every(*(hands[s][code] for s in hands))
                            for code in hands["recycling"]}),
                "U_parcel": share(hands["parcel_station"]),
                "U_logistics": share(hands["logistics_point"]),
                "U_recycling": share(hands["recycling"]),
                "P5": residents_within(book, ["parcel_station"], 5, *both),
                "P10": residents_within(book, ["parcel_station"], 10, *both),
            },
        ),
        "A26": row(
            "not_met", "有些中心每天只开6小时，有些周六只开3小时", "facilities",
            {"facilities": share([daily_hours(place) for place in stations])},
        ),
        "A27": row(
            "no_target", "原文没有数字；没有0–14岁人口", "U_reading",
            {
                "U_reading": share(book.having(["community"], reading)),
                "U_home": share(book.having(["community", "village"], ["childrens_home"])),
                "U_friendly": book.flags("child_friendly_community", "community"),
                "P_0_14": NOT_ASSESSED,
            },
        ),
        "A28": row(
            "NOT_ASSESSED", "要求增加，要有更早年份才能判定", "P5",
            {
                "P5": residents_within(book, ["park", "square"], 5),
                "places": {"value": len(book.reach.which(["park", "square"]))},
                "L": land_within(book, ["park", "square"], 5),
            },
        ),
        "A29": row(
            "no_target", "原文没有数字；全区没有公益性安葬设施", "U_ceremony",
            {
                "U_ceremony": share(book.having(both, ["ceremony_venue"])),
                "U_burial": share(book.having(["township"], ["burial_facility"])),
                "drive": residents_driven(book, ["burial_facility"], 30, CAR),
                "drive_hall": residents_driven(book, ["ceremony_venue"], 30, CAR),
            },
        ),
        "A30": row(
            "no_target", "原文没有数字", "score",
            {
                "score": share([state for found in there.values() for state in found]),
                "U": share({code: every(*found) for code, found in there.items()}),
            },
        ),
    }  # fmt: skip


def tracked_rows(book: Ledger) -> dict[str, Table]:
    """B01 to B17."""
    both = ("village", "community")
    adviser = _counted(book, "legal_advisers", *both)
    team = _counted(book, "mediation_teams", *both)
    urban = [(book.number(u, "community_workers"), book.number(u, "urban_residents"))
             for u in book.of("community")]  # fmt: skip
    need = [(book.number(u, "special_support_housed"), book.number(u, "special_support_willing"))
            for u in book.of("subdistrict", "township")]  # fmt: skip
    models = book.facts.get((AREA, "ethnic_unity_models"))
    houses = [place for place in book.places if place.service in REFITTED]
    ways = {"age": "age_friendly", "child": "child_friendly", "barrier": "barrier_free"}
    social = says("level", kinds.COMMUNITY_LEVEL, kinds.VILLAGE_LEVEL)
    streets = ["township", "subdistrict"]
    return {
        "B01": row("not_met", "5%的社区没有", "U",
                   {"U": book.flags("self_service_terminal", "community")}),
        "B02": row("met", "每万名城镇常住人口18.4名", "ratio", {"ratio": ratio(urban, 10_000.0)}),
        "B03": row("partly", "已知的超过90%，不明的使下限不到", "U",
                   {"U": book.flags("parent_school", "community")}),
        "B04": row("met", "25个村中21个", "U", {"U": book.flags("parent_school", "village")}),
        "B05": row("met", "全部", "U", {"U": book.flags("disabled_association", *both)}),
        "B06": row("not_met", "2%的社区没有", "U", {"U": book.flags("agency_service", *both)}),
        "B07": row("not_met", "一成小区没有，一成不明", "U",
                   {"U": book.flags("owners_committee", "estate")}),
        "B08": row("met", "每个村（社区）至少1名", "U",
                   {"U": share(_counted(book, "disaster_informants", *both))}),
        "B09": row(
            "partly", "都有法律顾问，7%没有调解员队伍", "U",
            {
                "U": share({code: every(adviser[code], team[code]) for code in adviser}),
                "U_adviser": share(adviser),
                "U_mediation": share(team),
            },
        ),
        "B10": row("NOT_ASSESSED", "两年的统计表都没有这一项", "U",
                   {"U": book.flags("satisfaction_survey", *both)}),
        "B11": row("met", "2025年创建11个", "count", {"count": {"value": models}}),
        "B12": row("partly", "一个街道已集中供养的人数不明", "ratio",
                   {"ratio": ratio(need, part=True)}),
        "B13": row("no_target", "原文没有数字", "U",
                   {"U": share(book.having(streets, ["minor_protection_station"]))}),
        "B14": row("no_target", "原文没有数字", "U",
                   {"U": share(book.having(["community"], FITNESS))}),
        "B15": row(
            "no_target", "原文没有数字", "all",
            {"all": share([refitted(*ways.values())(place) for place in houses])}
            | {name: share([refitted(flag)(place) for place in houses])
               for name, flag in ways.items()},
        ),
        "B16": row("no_target", "原文没有数字", "U",
                   {"U": share(book.having(both, ["social_work_station"], social))}),
        "B17": row("no_target", "原文没有数字", "U",
                   {"U": share(book.having(both, ["volunteer_station"]))}),
    }  # fmt: skip


def _counted(book: Ledger, attribute: str, *levels: str) -> dict[str, State]:
    counts = {unit.code: book.number(unit, attribute) for unit in book.of(*levels)}
    return {code: None if n is None else n >= 1 for code, n in counts.items()}
