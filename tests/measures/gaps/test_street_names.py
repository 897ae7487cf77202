"""Names of streets: read from the map, kept in a run, told with the gaps that lie on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.street_names import StreetNames
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.gaps import gaps_document
from lifecircle.service.wording import Words
from tests.worlds.parts import study_of
from tests.worlds.tiny import Cell, tiny_city, tiny_policy, tiny_run, tiny_travel

ABOUT = Question("health_centre")
NAMES = StreetNames.of({104: ("环城路", "Ring Road"), 110: ("岛上路", None)})  # x 4000 to 5000 each


def named(city: City) -> City:
    return replace(city, street_names=NAMES)


def test_a_gap_lies_on_the_street_its_people_join_or_the_nearest_named() -> None:
    cells = (
        Cell("on", 4400, 50, 5),  # joins the edge from x 4000 to 5000
        Cell("near", 3850, 50, 4),  # joins one without a name; 158 m from the named one
        Cell("far", 2500, 50, 3),  # 1,500 m from it
        Cell("off", 5000, 700, 2),  # joins no street, none within 250 m
    )
    city = named(tiny_city(cells=cells))
    found = gaps(study_of(city, tiny_policy(), travel=tiny_travel(city)), ABOUT)
    assert {str(city.cells.id[gap.cells[0]]): gap.street for gap in found} == {
        "on": 0, "near": 0, "far": None, "off": None
    }  # fmt: skip
    bare = tiny_city(cells=cells)
    assert {gap.street for gap in gaps(study_of(bare, tiny_policy(), travel=tiny_travel(bare)),
                                       ABOUT)} == {None}  # fmt: skip


def test_a_run_keeps_names_and_one_from_before_opens(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, change=named)
    kept = run.city.street_names
    assert kept is not None
    assert kept.way.tolist() == [104, 110]
    assert (kept.name.tolist(), kept.name_en.tolist()) == (
        ["环城路", "岛上路"], ["Ring Road", None]
    )  # fmt: skip
    rows = {
        row["residents"]: row
        for row in (one["properties"] for one in gaps_document(run, ABOUT)["features"])
    }
    east = next(row for row in rows.values() if row["street"])
    assert (east["street"], east["street_en"]) == ("环城路", "Ring Road")
    assert Words("zh", "cli").beside(east).startswith("环城路")
    assert Words("en", "cli").beside(east).startswith("Ring Road")
    (run.path / "street_names.parquet").unlink()
    older = Workspace(tmp_path).open("tiny")
    assert older.city.street_names is None
    told = gaps_document(older, ABOUT)["features"]
    assert {one["properties"]["street"] for one in told} == {None}
    assert len(told) == len(rows)


def test_names_are_read_with_the_ways(tmp_path: Path) -> None:
    nodes = "".join(
        f'<node id="{k}" lon="{102.7 + k / 1000}" lat="25.0" version="1"/>' for k in (1, 2, 3, 4)
    )
    ways = "".join(
        f'<way id="{way}" version="1"><nd ref="{a}"/><nd ref="{a + 1}"/>'
        + "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags)
        + '<tag k="highway" v="residential"/></way>'
        for way, a, tags in (
            (30, 1, [("name", "人民路"), ("name:en", "People's Road")]),
            (20, 2, [("name:zh", "东街")]),
            (10, 3, []),
        )
    )
    file = tmp_path / "named.osm"
    file.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    names = read_streets(file, load_policy().walk).names
    assert names is not None
    assert names.way.tolist() == [20, 30]
    assert names.name.tolist() == ["东街", "人民路"]
    assert names.name_en.tolist() == [None, "People's Road"]
    assert names.rows(np.array([30, 10, 20, 99])).tolist() == [1, -1, 0, -1]
