"""What a list covers, measure by measure: figures by hand over the drawn city.

The list of health centres covers C2 and C3 unless a test says otherwise: of 1,910 residents 1,100
are assessed (c3 300, c4 400, c5 250, c6 150), 810 are not, whatever they reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.extents import extents_of, find_units
from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.equity.equity import equity
from lifecircle.analysis.measures.equity.floating import floating
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.siting.place import place_sites
from lifecircle.analysis.measures.what_if import Addition, what_if
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.access import accessibility_document
from lifecircle.service.catalog.places.point import PointDesk, point_document
from lifecircle.service.catalog.siting.siting import siting_document
from lifecircle.service.catalog.siting.task import SitingTask
from tests.worlds.cards import HEALTH, outcome, places, with_column, with_statistics
from tests.worlds.parts import Place, study_of
from tests.worlds.tiny import CRS, ORIGIN, sites_on, tiny_city, tiny_policy, tiny_run, tiny_travel

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)
COSTS = flat_costs(CITY.network)


def listed(city: City, **codes: str) -> City:
    """The city with lists that cover some units: service = codes."""
    named = {name: find_units(said.split(), city.units, name) for name, said in codes.items()}
    return replace(city, extents=extents_of(named, {}, city.units))


def study(**codes: str) -> Study:
    said = codes or {"health_centre": "C2 C3"}
    return study_of(listed(CITY, **said), POLICY, travel=TRAVEL, costs=COSTS)


# ---- measures --------------------------------------------------------------------------------


def test_equity_is_of_the_assessed() -> None:
    found = equity(study(), Question("health_centre"))
    total = found.total
    assert (total.residents, total.not_assessed, total.without_way) == (1910, 810, 0)
    assert (total.sufficient, total.below, total.below_share) == (300, 800, 800 / 1100)
    assert total == replace(found.groups[0], code="total", name="total")
    first = next(row for row in found.units if row.code == "C1")
    assert (first.residents, first.not_assessed, first.sufficient, first.gini) == (
        300, 300, None, None)  # fmt: skip
    for row in (*found.units, *found.groups):
        assert row.residents == (row.sufficient or 0) + (row.below or 0) + (row.not_assessed or 0)
    # a tenth of 1,100 is 110: c6 walks 3,970 m, farther than all others who are assessed
    assert found.worst is not None
    assert (found.worst.persons, found.worst.cells.tolist()) == (150, [5])
    assert found.worst.groups == (
        ("total", 150, 150 / 1100), ("0_3", 4, 4 / 33), ("65", 10, 10 / 160))  # fmt: skip
    assert [(one.code, one.share) for one in found.worst.units] == [("C3", 150 / 400)]


def test_floating_catchments_ask_and_give_inside_the_list_only() -> None:
    found = floating(study(pharmacy="C1"), Question("pharmacy", by="community"), method="2sfca")
    # p1 serves the 300 of C1; p2 stands where nobody is assessed
    assert (found.supply, found.idle) == (1, 1)
    assert (found.total.residents, found.total.not_assessed) == (1910, 1610)
    assert (found.total.access, found.total.none) == (pytest.approx(1 / 300), 0)
    rows = {row.code: row for row in found.units}
    assert (rows["C1"].residents, rows["C1"].not_assessed, rows["C1"].none) == (300, 0, 0)
    assert (rows["C3"].residents, rows["C3"].not_assessed) == (400, 400)
    assert (rows["C3"].access, rows["C3"].none) == (None, None)
    assert found.access is not None
    assert np.isfinite(found.access).tolist() == [True] * 2 + [False] * 8


def test_what_if_counts_the_assessed() -> None:
    adds = [Addition("health_centre", sites_on(CITY, (3000, 0), (4900, 0)).of(k)) for k in range(2)]
    (found,) = what_if(study(), Question(), add=adds)
    total = found.total
    # c4, c5 and c6 walk 550 m; c7 walks 650 m, and is not assessed
    assert (total.residents, total.not_assessed) == (1910, 810)
    assert (total.covered_before, total.covered_after, found.gained) == (300, 1100, 800)
    assert (total.P_before, total.P_after) == (300 / 1100, 1.0)
    assert found.groups["65"] == (40, 160)
    fourth = next(row for row in found.units if row.code == "C4")
    assert (fourth.residents, fourth.not_assessed, fourth.covered_after) == (410, 410, None)


def test_siting_is_for_the_assessed() -> None:
    # 4,900 m: c6 and c7, 500 residents, of whom 150 are assessed; 2,500 m: the 400 of c4
    sites, free = (
        sites_on(CITY, (4900, 0), (2500, 0)),
        study_of(CITY, POLICY, travel=TRAVEL, costs=COSTS),
    )
    question = Question("health_centre")
    everyone = place_sites(free, question, sites, add=1)
    inside = place_sites(study(), question, sites, add=1)
    assert [(one.site, one.residents_new) for one in everyone.proposals] == [(0, 500)]
    assert [(one.site, one.residents_new) for one in inside.proposals] == [(1, 400)]
    assert (inside.covered_before, inside.covered_after) == (300, 700)
    assert "list_extent" in [warn.key for warn in inside.warnings]


# ---- documents -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder: Path = tmp_path_factory.mktemp("lists")
    return tiny_run(folder, change=lambda city: listed(city, health_centre="C2 C3", pharmacy="C1"))


def place(run: Run, x: float, y: float) -> Mapping[str, object]:
    lon, lat = to_lonlat(np.array([[x, y]]) + ORIGIN, CRS)[0]
    desk = PointDesk.of(run, Question())
    found = point_document(desk, float(lon), float(lat))
    return {one["service"]: one["within"] for one in found["services"]} | {
        "missing": found["missing"], "circles": found["circles"]}  # fmt: skip


def test_a_point_is_judged_as_far_as_the_lists_go(run: Run) -> None:
    west, east = place(run, 900, 50), place(run, 2500, 50)
    # 470 m to h1 and p1 from the west; 2,070 m from the east
    assert (west["health_centre"], west["pharmacy"]) == (None, True)
    assert (east["health_centre"], east["pharmacy"]) == (False, None)
    assert "pharmacy" not in east["missing"]  # type: ignore[operator]
    assert "health_centre" in east["missing"]  # type: ignore[operator]


def test_documents_conserve_residents(run: Run) -> None:
    access = accessibility_document(run, Question("pharmacy", by="community"), method="2sfca")
    assert [(row["code"], row["residents"], row["not_assessed"]) for row in access["units"]] == [
        ("C1", 300, 0), ("C2", 700, 700), ("C3", 400, 400), ("C4", 410, 410), ("C5", 100, 100),
    ]  # fmt: skip
    assert access["cells"]["count"] == 2
    assert access["cells"]["most"] == pytest.approx(1000 / 300)
    sited = siting_document(run, Question("health_centre"), SitingTask(add=1))
    for row in sited["units"]:
        counted = (row["covered_before"] is None) == (row["not_assessed"] == row["residents"])
        assert counted
    assert sum(row["covered_before"] or 0 for row in sited["units"]) == 300


# ---- the scorecard ---------------------------------------------------------------------------


def test_units_that_have_one_are_those_inside() -> None:
    found = outcome(f'kind = "unit_has", {HEALTH}', listed(CITY, health_centre="C1 C2"))
    assert (found.value, found.lower, found.upper) == (1 / 2, 1 / 5, 4 / 5)
    assert [one.kind for one in found.missing] == ["extent"]


def test_each_kind_counts_inside_its_own_list() -> None:
    found = outcome(
        'kind = "unit_has", any_of = ["pharmacy", "convenience_store"]',
        listed(CITY, pharmacy="C1"),
    )
    # C1 by its pharmacy, C2 and C4 by their shops; of C3, where p2 stands, and C5 it is not known
    assert (found.value, found.lower, found.upper) == (1.0, 3 / 5, 1.0)


def test_residents_and_capacity_are_of_the_assessed() -> None:
    near = f'kind = "residents_within", {HEALTH}, minutes = "fifteen"'
    served = 'kind = "capacity", service = "health_centre", maximum = "many", minutes = "fifteen"'
    for reading in (near, served):
        found = outcome(reading, listed(CITY, health_centre="C2 C3"))
        assert (found.value, found.lower, found.upper) == (300 / 1100, 300 / 1910, 1110 / 1910)
        assert found.assessed_share == 1100 / 1910
    # nobody of C3 reaches one: that is a 0, as coverage says it
    assert outcome(near, listed(CITY, health_centre="C3")).value == 0.0


def test_land_is_of_the_assessed() -> None:
    reading = f'kind = "land_within", {HEALTH}, minutes = "fifteen"'
    assert outcome(reading, listed(CITY, health_centre="C2 C3")).value == 3000 / 9000


def test_neighbours_are_known_as_far_as_both_lists_go() -> None:
    city = places(
        Place("d1", "day_care", 540, 30), Place("d2", "day_care", 3680, -20),
        Place("k2", "health_station", 3600, -20), Place("k3", "health_station", 5500, 20),
    )  # fmt: skip
    asked = (
        'kind = "adjacent", any_of = ["health_centre", "health_station"], to = ["day_care"], '
        'distance = "hundred", by = "straight"'
    )
    # h1 (C1) and k2 (C3) have one beside them, k3 (C4) has none
    assert outcome(asked, city).value == 2 / 3
    found = outcome(asked, listed(city, day_care="C1"))
    assert (found.value, found.lower, found.upper) == (1.0, 1 / 3, 1.0)
    assert found.assessed_share == 1 / 3
    own = outcome(asked, listed(city, health_station="C4"))  # k2 is not assessed
    assert (own.value, own.lower, own.upper) == (1 / 2, 1 / 3, 2 / 3)
    assert outcome(asked, listed(city, day_care="C2")).value is None
    assert [one.kind for one in found.missing] == ["extent"]


def test_a_share_of_facilities_is_of_those_inside() -> None:
    stations = [Place(f"v{i}", "service_station", 300 * i, -20) for i in range(1, 5)]
    told = with_column(places(*stations), "daily_hours", {"v1": 8, "v2": 5, "v3": 4, "v4": 9})
    test = (
        'kind = "facility_meets", any_of = ["service_station"], '
        'tests = [{ value = [{ column = "daily_hours" }], at_least = "five" }]'
    )
    assert outcome(test, told).value == 3 / 4
    found = outcome(test, listed(told, service_station="C1"))  # v4 stands in C2
    assert (found.value, found.lower, found.upper) == (2 / 3, 2 / 4, 3 / 4)
    assert [one.kind for one in found.missing] == ["extent"]
    mean = 'kind = "ratio", each = "facility", any_of = ["service_station"], ' \
        'over = [{ column = "daily_hours" }]'  # fmt: skip
    assert outcome(mean, told).value == 26 / 4
    assert outcome(mean, listed(told, service_station="C1")).value == 17 / 3


def test_a_checklist_asks_each_kind_inside_its_own_list() -> None:
    rows = [(code, "complete_community_pilot", float(code < "C3")) for code in CITY.units.code[2:]]
    city = listed(with_statistics(CITY, rows), pharmacy="C1")
    found = outcome(
        'kind = "checklist", filters = [{ value = [{ stat = "complete_community_pilot" }] }], '
        'all_of = ["pharmacy", "convenience_store", "swimming_pool", "market"]',
        city,
    )
    # C1: pharmacy yes, shop no, pool no; C2: pharmacy not assessed, shop yes, pool no
    assert (found.value, found.lower, found.upper) == (2 / 5, 2 / 8, 5 / 8)
    assert {one.service: one.value for one in found.parts} == {
        "pharmacy": 1.0, "convenience_store": 0.5, "swimming_pool": 0.0, "market": None,
    }  # fmt: skip


def test_the_rule_is_open_outside_the_list() -> None:
    rule = (
        'kind = "rule", service = "health_centre", minimum = "one", maximum = "far", '
        'units = [{ level = "subdistrict" }], where = [{ attribute = "ownership", '
        'is = ["government"] }]'
    )
    told = {"rule_or": "either", "overload": "met"}
    found = outcome(rule, listed(CITY, health_centre="S1"), **told)
    assert (found.value, found.lower, found.upper) == (1.0, 1 / 2, 1.0)
    assert "extent" in [one.kind for one in found.missing]
