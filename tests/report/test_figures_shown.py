"""What people see of a figure: cut and never rounded up, and nothing where nothing is known."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from openpyxl import load_workbook

from lifecircle.analysis.city.model import City
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.results.scorecard_table import scorecard_frame
from lifecircle.service.catalog import scorecard_document
from lifecircle.service.catalog.quality import quality_document, quality_figures
from lifecircle.service.commands.siting import show_siting
from lifecircle.service.maps.pages import first_service
from lifecircle.service.report import report_workbook
from lifecircle.service.report.scorecard import left_out
from lifecircle.service.wording import Words
from tests.pages.served import client
from tests.worlds.tiny import TINY_PLACES, tiny_city, tiny_run


def test_a_feature_is_found_by_an_id_with_slashes(tmp_path: Path) -> None:
    def change(_: City) -> City:
        places = (replace(TINY_PLACES[0], id="node/27844"), *TINY_PLACES[1:])
        return tiny_city(places=places)

    tiny_run(tmp_path, change=change)
    served = client(tmp_path)
    listed = served.get("/collections/tiny.facilities/items", params={"limit": 100}).json()
    names = [feature["id"] for feature in listed["features"]]
    assert "node/27844" in names
    for name in names:
        for written in (name, quote(name, safe="")):
            found = served.get(f"/collections/tiny.facilities/items/{written}")
            assert found.status_code == 200, written
            assert found.json()["id"] == name
    assert served.get("/collections/tiny.facilities/items/node/0").status_code == 404


@pytest.mark.parametrize("surveyed", [(), ("pharmacy",)])
def test_an_area_without_any_facility_has_its_maps(tmp_path: Path, surveyed: Any) -> None:
    run = tiny_run(tmp_path, change=lambda _: tiny_city(places=(), surveyed=surveyed))
    bare = replace(run, manifest=replace(run.manifest, services=surveyed))
    assert first_service(bare) == (surveyed or run.travel.services)[0]
    served = client(tmp_path)
    for layer in ("coverage", "gaps", "circles", "facilities", "units", "quality", "proposals"):
        assert served.get(f"/maps/tiny/{layer}").status_code == 200, layer


def siting(before: float | None, after: float | None) -> dict[str, Any]:
    return {
        "service": "pharmacy", "minutes": 15.0, "walker": "adult",
        "objective": "covered", "proposals": [], "candidates": {"count": 1},
        "before": {"share": before, "covered": 0}, "after": {"share": after, "covered": 1},
        "residents": 1, "loads": None, "proven": True, "value": 1, "bound": 1,
        "method": "x", "seconds": 0.0, "warnings": [], "rests_on": [],
    }  # fmt: skip


def test_siting_never_shows_all_before_all_are_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run(tmp_path)
    show_siting(run, siting(0.99996, 0.999999), "en")
    told = capsys.readouterr().out
    assert "99.9%" in told
    assert "100" not in told
    show_siting(run, siting(None, None), "en")
    assert "0.0" not in capsys.readouterr().out.replace("0.0 s", "")


def test_doubt_about_spread_residents_is_cut(tmp_path: Path) -> None:
    document = quality_document(tiny_run(tmp_path), lang="en")
    people = {**document["population"], "moved": 1999, "compared": 2000, "moved_share": 0.9995}
    assert "99.9%" in [
        value for _, value in quality_figures({**document, "population": people}, "en")
    ]
    people |= {"moved": 1, "compared": 2000, "moved_share": 0.0005}
    assert "<0.1%" in [
        value for _, value in quality_figures({**document, "population": people}, "en")
    ]


@pytest.mark.parametrize(
    ("lang", "told"), [("en", "Share beyond the limit"), ("zh", "超出时限的居民占比")]
)
def test_the_equity_sheet_names_the_share_it_holds(tmp_path: Path, lang: Any, told: str) -> None:
    run = tiny_run(tmp_path)
    book = load_workbook(io.BytesIO(report_workbook(run, lang)))
    sheet = book[{"en": "Equity", "zh": "公平性"}[lang]]
    heads = [cell.value for cell in sheet[1]]
    assert heads[-1] == told
    for row in sheet.iter_rows(min_row=2, values_only=True):
        if row[-1] is not None:
            assert row[-1] == row[-2] / row[6]


def test_a_row_nobody_could_judge_leaves_out_nobody_knows_how_many(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, policy=load_policy())
    document = scorecard_document(run)
    table = scorecard_frame(document, "en")
    counts = dict(zip(table["id"], table["left_out_count"], strict=True))
    rows = {row["id"]: row for row in document["rows"]}
    assert {row["status"] for row in rows.values()} > {"NOT_ASSESSED"}
    for name, row in rows.items():
        if row["status"] == "NOT_ASSESSED" and not row["left_out"]:
            assert pd.isna(counts[name]), name
        else:
            assert counts[name] == len(row["left_out"]), name


@pytest.mark.parametrize(("lang", "told"), [("en", "outside every unit"), ("zh", "不在任何单元内")])
def test_what_lies_in_no_unit_is_said_on_the_page(lang: Any, told: str) -> None:
    nothing = {"name": None, "facility": None, "persons": None, "label": None, "value": None}
    words = Words(lang, "scorecard")
    assert left_out({**nothing, "facility": "toilet 1"}, words) == "toilet 1"
    assert told in left_out(nothing, words)
