"""Services, walkers, groups, levels and circles by id, title or alias, wherever ids are taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import LifecircleError, ParameterError, UnknownNameError
from lifecircle.analysis.measures.question import settle
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.texts import Title
from lifecircle.analysis.unknown_names import Words, find_id, unknown
from lifecircle.service.cli import app

MEANT = ("pharmacy", "older", "subdistrict")


@pytest.fixture(scope="module")
def town() -> lc.Area:
    return lc.tiny_town()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (lc.Question("社区卫生服务中心"), lc.Question("health_centre")),
        (lc.Question("Community Health Centre"), lc.Question("health_centre")),
        (lc.Question("HEALTH-CENTRE"), lc.Question("health_centre")),
        (lc.Question("卫生院", walker="老年人"), lc.Question("health_centre", walker="older")),
        (lc.Question("药店", by="街道"), lc.Question("pharmacy", by="subdistrict")),
        (lc.Question(group="全部居民"), lc.Question()),
        (lc.Question(group="常住人口", by="Street"), lc.Question(by="subdistrict")),
        (lc.Question("no such", walker="nobody"), lc.Question("no such", walker="nobody")),
    ],
)
def test_a_question_is_settled(town, said, meant):
    assert settle(town.study, said) == meant


def test_every_measure_takes_titles(town):
    said = lc.Question("社区卫生服务中心", walker="老年人", group="全部居民", by="街道")
    meant = lc.Question("health_centre", walker="older", by="subdistrict")
    study = town.study
    assert lc.coverage(study, said) == lc.coverage(study, meant)
    assert lc.gaps(study, said) == lc.gaps(study, meant)
    assert lc.equity(study, said) == lc.equity(study, meant)
    assert lc.floating(study, said).total == lc.floating(study, meant).total
    kinds = [lc.circles(study, lc.Question(), kind=kind) for kind in ("convenience", "便民生活圈")]
    assert kinds[0].total == kinds[1].total


def test_the_front_door_takes_titles(town):
    one = town.coverage("社区卫生服务中心", walker="老年人", by="街道")
    other = town.coverage("health_centre", walker="older", by="subdistrict")
    assert one.attrs["total"] == other.attrs["total"]
    assert one["covered"].tolist() == other["covered"].tolist()
    what = town.what_if(add=[("药房", 102.7, 25.0)], walker="成年人")
    assert list(what.attrs["total"]) == ["pharmacy"]


def test_the_command_takes_titles(town):
    folder = str(town.run.path.parents[2])
    told = [
        json.loads(
            CliRunner()
            .invoke(app, ["coverage", town.name, "--service", service, "--walker", walker,
                          "--by", by, "--workspace", folder, "--json"])
            .output
        )
        for service, walker, by in (("药店", "老年人", "街道"), MEANT)
    ]  # fmt: skip
    assert told[0] == told[1]
    assert (told[0]["service"], told[0]["walker"]) == ("pharmacy", "older")


@pytest.mark.parametrize(
    ("question", "nearest"),
    [
        (lc.Question("pharmacy", walker="oldr"), "older"),
        (lc.Question("pharmacy", group="totl"), "total"),
        (lc.Question("pharmacy", by="subdistict"), "subdistrict"),
    ],
)
def test_what_is_no_name_is_refused_with_the_nearest_first(town, question, nearest):
    with pytest.raises(UnknownNameError) as refused:
        lc.coverage(town.study, question)
    known = refused.value.params["known"]
    assert nearest in known.en.split(", ")[0]
    assert "(" not in known.zh  # full width in Chinese


def test_ids_go_before_titles_and_titles_before_aliases():
    known = {
        "park": Words(Title("公园", "Square"), ("square", "green")),
        "square": Words(Title("广场", "Park")),
    }
    assert find_id("square", known) == "square"
    assert find_id(" PARK ", known) == "park"
    assert find_id("Ｇｒｅｅｎ", known) == "park"
    assert find_id("lawn", known) is None
    assert "公园（park）" in unknown("unknown_walker", "prk", known, known).text("zh")


# ---- words of lists


def refusal(*words: str) -> str:
    told = CliRunner().invoke(app, list(words))
    assert isinstance(told.exception, LifecircleError), (told.exit_code, told.exception)
    return told.exception.text("en")


def test_words_of_lists_are_refused_in_the_command(town, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("类型,名称,经度,纬度\n药店,甲,102.71234,25.01234\n", "utf-8")
    here = ("--workspace", str(town.run.path.parents[2]))
    site = ("site", town.name, "--service", "药店", "--add", "1")
    assert "facilities" in refusal("check", str(table), "--kind", "facilites")
    assert "skip" in refusal("check", str(table), "--other-types", "drop")
    assert "person_minutes" in refusal(*site, "--objective", "cover", *here)
    assert "generated" in refusal(*site, "--candidates", "place", *here)
    assert "Pharmacy" in refusal(*site, "--candidates", "places:pharmcy", *here)
    assert "coverage" in refusal("map", town.name, "coverge", *here)
    assert "units" in refusal("export", town.name, "unit", str(tmp_path / "a.csv"), *here)
    assert "Convenience circle" in refusal("circles", town.name, "--kind", "convenient", *here)
    assert CliRunner().invoke(app, ["report", town.name, "--lang", "fr", *here]).exit_code == 2
    assert not list(tmp_path.glob("*.html"))
    checked = CliRunner().invoke(
        app, ["check", str(table), "--kind", "设施", "--datum", "wgs84", "--json"]
    )
    assert json.loads(checked.output)["kind"] == "facilities"


def test_words_of_lists_are_refused_in_python(town):
    with pytest.raises(ParameterError, match="fr"):
        town.scorecard(lang="fr")
    assert town.gaps("药店", by="None").equals(town.gaps("pharmacy", by="none"))


def test_services_surveyed_are_named_as_anywhere(town):
    said = BuildRequest("a", osm=Path("a.pbf"), surveyed=("药店", "HEALTH_CENTRE"))
    found = [one.service for one in said.surveyed_under(town.policy)]
    assert found == ["pharmacy", "health_centre"]
    with pytest.raises(ParameterError, match="pharmcy"):
        analyse_city(replace(said, surveyed=("pharmcy",), policy=town.policy))
