"""Referral as people get it: HTTP, the command, and what is not known."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import referral_document
from lifecircle.service.cli import app
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.report import report_workbook
from lifecircle.service.wording import Words
from tests.pages.map_pages import visible
from tests.pages.served import ask
from tests.worlds.referral import PLACES, referral_city, referral_policy
from tests.worlds.tiny import Place, tiny_run

REASONS = ("no_station", "too_far", "station_full", "centre_full")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    policy = referral_policy()
    tiny_run(folder, policy=policy, change=lambda _: referral_city())
    no_station = referral_city(places=[one for one in PLACES if one.id[0] != "s"])
    tiny_run(folder, area="open", policy=policy, change=lambda _: no_station)
    tiny_run(folder, area="plain")
    return folder


def test_the_answer(served: TestClient) -> None:
    found = ask(served, "/areas/tiny/referral")
    assert (found["served"], found["served_most"], found["residents"]) == (50, 50, 100)
    assert found["unserved"] == dict(zip(REASONS, (40, 10, 0, 0), strict=True))
    mean = found["mean_minutes"]
    walked = mean["to_first"] + mean["to_centre"] + mean["to_hospital"]
    assert (
        mean["whole"] == pytest.approx(walked) == pytest.approx((120 + 20 / 50 * 240) / 1000 * 15)
    )
    second = found["stations"][1]
    assert (second["name"], second["load"], second["max"], second["full"]) == (
        "二站",
        20,
        None,
        None,
    )
    hospital = found["centres"][1]
    assert second["refers_to"] == hospital["facility"] == hospital["refers_to"]
    assert second["leg_minutes"] == second["onward_minutes"] == pytest.approx(3.6)
    for row in found["units"]:
        assert row["residents"] == row["served"] + sum(row[one] for one in REASONS)
    assert sum(row["served"] for row in found["units"]) == 50
    more = ask(served, "/areas/tiny/referral", minutes=24.15, by="subdistrict")
    assert more["share"] == 1 and len(more["units"]) == 2
    assert ask(served, "/areas/tiny/referral", minutes=22.05, pass_by="true")["served"] == 60


def test_a_hospital_of_neither_tier_is_told_by_its_name(tmp_path: Path) -> None:
    policy = referral_policy()
    rule = policy.capacities.referral
    assert rule is not None
    apart = replace(rule, hospital="pharmacy", hospital_attribute=None, hospital_values=())
    places = (*PLACES, Place("h1", "pharmacy", 1600, -20, "三院"))
    city = referral_city(places=places)
    policy = replace(policy, capacities=replace(policy.capacities, referral=apart))
    run = tiny_run(tmp_path, policy=policy, change=lambda _: city)
    centres = referral_document(run, Question())["centres"]
    assert {row["refers_to_name"] for row in centres} == {"三院"}
    assert {row["refers_to"] for row in centres}.isdisjoint(row["facility"] for row in centres)
    book = load_workbook(io.BytesIO(report_workbook(run, "zh")))
    loads = list(book[Words("zh", "report")("referral_loads")].values)[1:]
    assert [row[4] for row in loads if row[0] == "中心"] == ["三院"] * 2
    shown = visible(map_page(run, "referral", Question(), Page(mode="inline")))
    assert shown.count("转往三院") == 2


def test_what_is_not_known_is_null(served: TestClient) -> None:
    found = ask(served, "/areas/open/referral")
    assert found["missing"] == ["station"] and not found["assessed"]
    open_ones = ("served", "served_most", "share", "mean_minutes")
    assert [found[name] for name in open_ones] == [None] * 4
    assert set(found["unserved"].values()) == {None}
    assert {row["served"] for row in found["units"]} == {None}
    assert {row["load"] for row in found["centres"]} == {None}
    for query in ({"minutes": 0}, {"minutes": 1e9}, {"by": "nowhere"}, {"walker": "x"}):
        assert 400 <= served.get("/areas/tiny/referral", params=query).status_code < 500
    refused = served.get("/areas/plain/referral", params={"lang": "zh"})
    assert 400 <= refused.status_code < 500 and "逐级转诊" in refused.text


def test_the_command(root: Path) -> None:
    def told(*words: str) -> str:
        asked = ["referral", *words, "--workspace", str(root)]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, asked).output

    run = Workspace(root).open("tiny")
    same = referral_document(run, Question(), lang="en")
    assert json.loads(told("tiny", "--json", "--lang", "en")) == json.loads(json.dumps(same))
    chinese = told("tiny", "--lang", "zh")
    assert "全程超时" in chinese and "100 名居民中 50 人全程可达（50.0%）" in chinese
    assert "Not assessed: nothing is known about stations." in told("open", "--lang", "en")
