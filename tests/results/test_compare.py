"""Comparing two runs: no change of equal inputs, gains and losses by hand and by an oracle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.compare import compare, covered_cells, match_cells
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.compare import compare_document
from tests.worlds.tiny import (
    TINY_CELLS,
    TINY_PLACES,
    TINY_UNITS,
    Cell,
    Place,
    Unit,
    tiny_city,
    tiny_manifest,
    tiny_policy,
    walks,
)

POLICY = tiny_policy()


def run_of(city: City, name: str = "r") -> Run:
    manifest = replace(tiny_manifest(city, POLICY), run=name)
    return Run(Path(), manifest, POLICY, city, walks(city, tuple(POLICY.services)))


BEFORE = run_of(tiny_city(), "r1")
# a second health centre at x 5500 serves c7 (350) and no one else within 1,000 m but c6? 1,170 m
WITH_H2 = (*TINY_PLACES, Place("h2", "health_centre", 5500, -20, "新中心"))


def test_equal_inputs_no_change() -> None:
    document = compare_document(BEFORE, run_of(tiny_city(), "r2"), Question())
    assert document["changed"] is False
    assert document["inputs_changed"] == []
    for block in document["services"]:
        for row in (block["total"], *block["units"]):
            assert row["covered_from"] == row["covered_to"]
            assert row["P_change"] in (0.0, None)
            assert not row["gained"] and not row["lost"] and not row["moved"]
    assert len(document["services"]) == len(POLICY.services)


def test_a_new_centre_by_hand() -> None:
    found = compare(
        BEFORE.study, run_of(tiny_city(places=WITH_H2)).study, Question(service="health_centre")
    )
    total = found.total
    assert found.matched == "place"
    assert (found.facilities_from, found.facilities_to) == (1, 2)
    assert (total.covered_from, total.covered_to) == (600, 950)
    assert (total.gained, total.lost, total.moved) == (350, 0, 0)
    assert total.P_change == 950 / 1910 - 600 / 1910
    assert found.gained_cells.tolist() == [6]
    four = next(row for row in found.units if row.code == "C4")
    assert (four.gained, four.lost, four.P_from, four.P_to) == (350, 0, 0.0, 350 / 410)
    back = compare(
        run_of(tiny_city(places=WITH_H2)).study, BEFORE.study, Question(service="health_centre")
    )
    assert (back.total.gained, back.total.lost, back.lost_cells.tolist()) == (0, 350, [6])


def test_people_who_came_and_went() -> None:
    # c1 grows by 25 and stays covered, c2 is pulled down, a new block of 40 stands at x 600
    cells = (
        replace(TINY_CELLS[0], residents=125),
        *TINY_CELLS[2:],
        Cell("c11", 600, 50, 40),
    )
    found = compare(
        BEFORE.study, run_of(tiny_city(cells=cells)).study, Question(service="health_centre")
    )
    assert (found.total.gained, found.total.lost) == (0, 0)
    assert found.total.moved == 25 - 200 + 40
    assert found.total.covered_to == 600 + 25 - 200 + 40


def test_units_that_appear_and_vanish() -> None:
    cut = [unit for unit in TINY_UNITS if unit.code != "C2"]
    cut += [
        Unit("C2A", "二甲", "community", ((1000, -500, 2000, 1500),), "S1"),
        Unit("C2B", "二乙", "community", ((2000, -500, 3000, 1500),), "S1"),
    ]
    found = compare(
        BEFORE.study, run_of(tiny_city(units=cut)).study, Question(service="health_centre")
    )
    states = {row.code: row.state for row in found.units}
    assert states == {
        "C1": "both", "C2A": "appeared", "C2B": "appeared", "C3": "both", "C4": "both",
        "C5": "both", "C2": "vanished",
    }  # fmt: skip
    assert {warning.key for warning in found.warnings} >= {"compare_appeared", "compare_vanished"}
    appeared = next(row for row in found.units if row.code == "C2A")
    assert (appeared.covered_from, appeared.covered_to, appeared.P_change) == (None, 300, None)
    assert found.changed


def test_by_unit_where_cells_differ() -> None:
    moved = [replace(cell, x=cell.x + 1) for cell in TINY_CELLS]
    found = compare(
        BEFORE.study,
        run_of(tiny_city(cells=moved, places=WITH_H2)).study,
        Question(service="health_centre"),
    )
    assert found.matched == "unit"
    assert found.warnings[0].key == "compare_by_unit"
    four = next(row for row in found.units if row.code == "C4")
    assert (four.gained, four.lost, four.moved) == (350, 0, 0)
    assert (found.total.gained, found.total.lost, found.total.moved) == (350, 0, 0)
    assert len(found.gained_cells) == 0


def test_not_assessed_is_not_zero() -> None:
    bare = run_of(tiny_city(places=[p for p in TINY_PLACES if p.service != "pharmacy"]), "r0")
    found = compare(bare.study, BEFORE.study, Question(service="pharmacy"))
    assert (found.total.covered_from, found.total.P_change, found.total.gained) == (None,) * 3
    assert found.warnings[-1].key == "compare_not_assessed"
    with pytest.raises(UnknownNameError):
        compare(bare.study, BEFORE.study, Question(service="zoo"))


def test_several_cells_at_one_place() -> None:
    twice = (*TINY_CELLS, replace(TINY_CELLS[0], id="c1b", residents=7))
    one, two = tiny_city(cells=twice), tiny_city(cells=twice[::-1])
    match = match_cells(one.cells, two.cells, one.crs, two.crs)
    assert match.share == 1
    for i, j in zip(match.before, match.after, strict=True):
        assert one.cells.id[i] == two.cells.id[j]


CHANGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 500)), max_size=6)
SPOTS = st.lists(st.integers(0, 6000), max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)
@given(CHANGES, SPOTS, SPOTS)
def test_against_a_naive_oracle(
    changes: list[tuple[int, int]], old: list[int], new: list[int]
) -> None:
    cells = list(TINY_CELLS)
    for i, residents in changes:
        cells[i] = replace(cells[i], residents=residents)

    def drawn(spots: list[int], people: list[Cell]) -> Run:
        added = [Place(f"x{k}", "pharmacy", x, -20) for k, x in enumerate(spots)]
        return run_of(tiny_city(places=(*TINY_PLACES, *added), cells=people))

    before, after = drawn(old, list(TINY_CELLS)), drawn(new, cells)
    found = compare(before.study, after.study, Question(service="pharmacy"))
    was = covered_cells(before.study, Question("pharmacy", 10))
    now = covered_cells(after.study, Question("pharmacy", 10))
    gained = lost = stayed = 0
    for i in range(len(cells)):
        if now[i] and not was[i]:
            gained += cells[i].residents
        if was[i] and not now[i]:
            lost += TINY_CELLS[i].residents
        if was[i] and now[i]:
            stayed += cells[i].residents - TINY_CELLS[i].residents
    if found.matched == "place":
        assert (found.total.gained, found.total.lost, found.total.moved) == (gained, lost, stayed)
    for row in (found.total, *found.units):
        assert row.covered_to - row.covered_from == row.gained - row.lost + row.moved
    assert np.all(now[found.gained_cells])
