"""Springcity's truth of the 65 rows: planted counts, statuses by the plan's targets, two years."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import Any

import geopandas as gpd
import pytest

from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.attributes import attributes

# Planted at city level, whatever the seed: yes, no, unknown of a reading.
PLANTED = {
    ("A01", "rule"): (16, 1, 1),
    ("A01", "A"): (15, 2, 1),
    ("A02", "U"): (3, 0, 0),
    ("A03", "U"): (20, 2, 3),  # of one hospital beside a poor clinic nobody knows the standard
    ("A03", "U_any"): (24, 1, 0),
    ("A05", "U"): (155, 13, 0),
    ("A06", "U_subdistrict"): (14, 4, 0),
    ("A06", "U_regional"): (1, 2, 0),
    ("A07", "U_township"): (21, 0, 0),
    ("A11", "U_rural"): (24, 1, 0),
    ("A11", "U_urban"): (168, 0, 0),
    ("A14", "U"): (4, 1, 1),
    ("A15", "U"): (5, 0, 1),
    ("A16", "U"): (214, 0, 0),
    ("A17", "U"): (1, 0, 1),
    ("A17", "U_any"): (2, 0, 0),
    ("A18", "U"): (153, 40, 0),
    ("A22", "U"): (1, 0, 0),
    ("A23", "U"): (21, 0, 0),
    ("A24", "U_urban"): (101, 67, 0),
    ("A24", "U_rural"): (10, 15, 0),
    ("A29", "U_burial"): (0, 3, 0),
    ("B18", "U_rooms"): (4, 2, 0),
    ("B18", "U_land"): (3, 2, 1),
    ("B23", "U"): (72, 104, 17),
    ("B24", "U"): (191, 2, 0),
    ("B28", "U"): (1, 0, 0),
    ("B01", "U"): (160, 8, 0),
    ("B03", "U"): (148, 13, 7),
    ("B04", "U"): (21, 4, 0),
    ("B05", "U"): (193, 0, 0),
    ("B06", "U"): (190, 3, 0),
    ("B08", "U"): (193, 0, 0),
    ("B09", "U_adviser"): (193, 0, 0),
    ("B09", "U_mediation"): (179, 14, 0),
    ("B13", "U"): (15, 6, 0),
}


def judged(reading: dict[str, Any], target: float) -> str:
    """The status of one reading, as DEFINITIONS says it."""
    if reading["value"] is None:
        return "NOT_ASSESSED"
    lower, upper = reading.get("lower", reading["value"]), reading.get("upper", reading["value"])
    if lower is not None and lower >= target:
        return "met"
    return "not_met" if upper is not None and upper < target else "partly"


def of_all(states: list[str]) -> str:
    """The status of a row with one or several sub-targets."""
    if len(set(states)) == 1:
        return states[0]
    return "partly" if {"met", "partly"} & set(states) else "not_met"


def test_every_row_is_told(springcity_truth: dict[str, Any]) -> None:
    rows = springcity_truth["rows"]
    assert list(rows) == [f"A{n:02d}" for n in range(1, 38)] + [f"B{n:02d}" for n in range(1, 29)]
    statuses = Counter(row["status"] for row in rows.values())
    assert statuses == {
        "met": 13, "not_met": 7, "partly": 9, "no_target": 34, "NOT_ASSESSED": 2,
    }  # fmt: skip
    assert all(row["reason"] and row["headline"] in row["readings"] for row in rows.values())


def test_planted_counts(springcity_truth: dict[str, Any]) -> None:
    for (name, reading), counts in PLANTED.items():
        told = springcity_truth["rows"][name]["readings"][reading]
        assert (told["yes"], told["no"], told["unknown"]) == counts, (name, reading)
    existing = springcity_truth["rows"]["A15"]["readings"]["U_existing"]
    assert min(existing["yes"], existing["no"], existing["unknown"]) > 0  # how many: by the seed


@pytest.mark.parametrize("seed", [77, 5])
def test_statuses_follow_from_the_plans_targets(
    springcity: SpringCityFiles, springcity_other_seed: SpringCityFiles, seed: int
) -> None:
    """Planted statuses against counted values and the targets that the registry quotes."""
    files = {77: springcity, 5: springcity_other_seed}[seed]
    rows = json.loads(files.truth.read_text(encoding="utf-8"))["rows"]
    card = load_policy().scorecard
    assert card is not None
    assert set(card.rows) == set(rows)
    for name, row in card.rows.items():
        told = rows[name]
        shown = row.shown({one.id: str(one.default) for one in card.settings.values()})
        assert told["headline"] == shown[0], name
        if row.target is None:
            alone = "NOT_ASSESSED" if row.increase else "no_target"  # needs a year to grow from
            assert told["status"] == alone, name
            continue
        found = [judged(told["readings"][k], row.target.value) for k in row.judged or shown]
        assert told["status"] == of_all(found), (name, found)


def test_statistics_and_columns_are_the_vocabulary(springcity: SpringCityFiles) -> None:
    """Every attribute that rows need is given, but the one that is left out on purpose."""
    with springcity.statistics.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = attributes()
    assert {row["attribute"] for row in rows} == set(names["unit"]) - {"satisfaction_survey"}
    latest = [row for row in rows if row["year"] == "2025"]
    assert {row["year"] for row in rows} == {"2020", "2025"}
    assert len({(row["unit_code"], row["attribute"]) for row in latest}) == len(latest)
    with springcity.facilities.open(encoding="utf-8", newline="") as handle:
        places = list(csv.DictReader(handle))
    assert set(names["facility"]) <= set(places[0])
    for name, attribute in names["facility"].items():
        given = {place["type"] for place in places if place[name]}
        needed = set(attribute.services) & {place["type"] for place in places}
        own = {"capacity": {"health_centre"}, "indoor_area": needed, "outdoor_area": needed}
        assert needed - own.get(name, set()) <= given, name
        assert given, name


def test_the_year_before(springcity: SpringCityFiles, springcity_truth: dict[str, Any]) -> None:
    before = springcity.before
    assert before is not None
    past = springcity_truth["before"]
    assert past["residents"] < springcity_truth["residents"]
    cells = gpd.read_file(before.population)
    now = gpd.read_file(springcity.population)
    assert cells["population"].sum() == past["residents"]
    assert (cells["id"] == now["id"]).all()
    assert (cells["pop_0_3"] + cells["pop_65"] <= cells["population"]).all()
    places = []
    for path in (before.facilities, springcity.facilities):
        with path.open(encoding="utf-8", newline="") as handle:
            places.append({row["id"]: row for row in csv.DictReader(handle)})
    assert set(places[0]) < set(places[1])
    for key, row in places[0].items():
        assert row == places[1][key]
        assert int(row["opened"]) <= 2020
    with before.statistics.open(encoding="utf-8", newline="") as handle:
        assert {row["year"] for row in csv.DictReader(handle)} == {"2020"}
    gained = {
        name: (past["rows"][name]["readings"]["U"]["value"], row["readings"]["U"]["value"])
        for name, row in springcity_truth["rows"].items()
        if name in {"A05", "B01", "B03", "B05"}
    }
    assert all(old < new for old, new in gained.values()), gained
    for service, told in springcity_truth["covered"].items():
        assert past["covered"][service]["15"]["residents"] <= told["15"]["residents"]


def test_days_of_service_stations(springcity: SpringCityFiles) -> None:
    """By hand: which of the notations give eight hours on their shortest day."""
    short = {"周一至周五 9:00-12:00,14:00-17:00", "周一至周五 8:30-17:30；周六 9:00-12:00"}
    unread = {"工作时间,节假日另行通知", ""}
    with springcity.facilities.open(encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if r["type"] == "service_station"]
    assert len(rows) == 192
    hours = Counter(row["opening_hours"] for row in rows)
    assert short | unread | {"以公告为准"} < set(hours)
    assert sum(hours[text] for text in short) == 15
    assert sum(hours[text] for text in unread) == 18
    assert {row["daily_hours"] for row in rows if row["opening_hours"] == "以公告为准"} == {"9.0"}
