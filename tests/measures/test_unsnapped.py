"""Who joins no street: no street near, or only a stretch too short to join; told everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import find_gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.catalog.gaps import bridge_row, gaps_document
from lifecircle.service.catalog.places.point import PointDesk, point_document
from lifecircle.service.wording import Words
from tests.worlds.parts import make_network, study_of
from tests.worlds.tiny import (
    CRS,
    ORIGIN,
    TINY_CELLS,
    TINY_STREETS,
    Cell,
    Street,
    tiny_city,
    tiny_policy,
    tiny_run,
    tiny_travel,
)

ABOUT = Question("health_centre")


def stubbed(city: City) -> City:
    """The drawn city with a stretch of 150 m by itself, 100 m north and 50 m east of c8."""
    streets = (*TINY_STREETS, Street(800, 5050, 5200))
    return replace(city, network=make_network(streets))


def with_two() -> City:
    """Beside c8 a cell of 7 people 150 m west of it: the stretch is 224 m away; and one of 5
    people 200 m west of it: 269 m away, so that no street is near."""
    cells = (*TINY_CELLS, Cell("d7", 4850, 700, 7), Cell("d5", 4800, 700, 5))
    return stubbed(tiny_city(cells=cells))


def test_coverage_counts_the_two_kinds_apart() -> None:
    city = with_two()
    found = coverage(study_of(city, tiny_policy(), travel=tiny_travel(city)), ABOUT)
    assert (found.total.unsnapped, found.total.unsnapped_short_piece) == (72, 67)
    four = next(row for row in found.units if row.code == "C4")
    assert (four.unsnapped, four.unsnapped_short_piece) == (72, 67)
    bare = coverage(study_of(tiny_city(), tiny_policy(), travel=tiny_travel()), ABOUT)
    assert (bare.total.unsnapped, bare.total.unsnapped_short_piece) == (60, 0)


def test_gaps_and_their_sums_tell_why() -> None:
    city = with_two()
    found = find_gaps(study_of(city, tiny_policy(), travel=tiny_travel(city)), ABOUT)
    (gap,) = [one for one in found.gaps if one.reason == "unsnapped"]
    assert (gap.residents, gap.short_piece) == (72, 67)
    assert {one.short_piece for one in found.gaps if one is not gap} == {0}
    sums = bridge_row(found.bridge)
    assert sums["reasons"]["unsnapped"] == 72
    assert sums["unsnapped"] == {"no_street": 5, "short_piece": 67}
    words = Words("en", "report")
    assert dict(words.reasons(sums))["Only a short stretch of street near"] == 67
    assert dict(words.reasons(sums))["Far from any street"] == 5
    assert sum(count for _, count in words.reasons(sums)) == sum(sums["reasons"].values())
    told = words.reason(gap.reason, gap.residents, gap.short_piece)
    assert told == "Far from any street; 67 of them near a short stretch only"


def test_documents_and_a_place(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, change=stubbed)
    total = coverage_document(run, ABOUT)["total"]
    parts = [total[f"unsnapped{part}"] for part in ("", "_no_street", "_short_piece")]
    assert parts == [60, 0, 60]
    for block in circles_document(run, Question())["circles"].values():
        rows = [block["total"][f"unsnapped{part}"] for part in ("", "_no_street", "_short_piece")]
        assert rows == [60, 0, 60]
    (gap,) = [
        one["properties"]
        for one in gaps_document(run, ABOUT)["features"]
        if one["properties"]["reason"] == "unsnapped"
    ]
    assert gap["unsnapped_short_piece"] == 60
    assert Words("zh", "cli").reason_of(gap) == "附近只有零星路段"
    desk = PointDesk.of(run, Question())
    keys = []
    for x, y in ((5000, 700), (600, 700)):
        lon, lat = to_lonlat(np.array([[x + ORIGIN[0], y + ORIGIN[1]]]), CRS)[0]
        keys.append([one["key"] for one in point_document(desk, lon, lat)["warnings"]])
    assert keys == [["point_short_piece"], ["point_unsnapped"]]
