"""Services, walkers, groups, levels and circles by id, title or alias, wherever ids are taken."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.question import settle
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
