"""The worst service against the plan, against coverage; the one place that mends most."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.results.folders import headline_file
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog import (
    catchments_document,
    circles_document,
    coverage_document,
    headline_document,
    headline_of,
    kept_headline,
    worst_service,
)
from lifecircle.service.catalog import headline as headline_room
from lifecircle.service.catalog.headline import Promised, promised_services
from lifecircle.service.maps.pages import first_service
from lifecircle.service.report.pictures import pictures_document
from tests.pages.map_pages import drawn_run
from tests.pages.served import ask
from tests.worlds.capacity import capacity_policy, centre, city_with


def test_the_promises_of_the_plan_that_are_read_as_a_walk() -> None:
    # A01, A05 (at 5 and at 15 minutes), A06, A07, A11 name a share; canteens have no target
    assert promised_services(load_policy("kunming-2022-77")) == {
        "health_centre": Promised(1.0, 15.0),
        "day_care": Promised(0.9, 15.0),
        "elder_care": Promised(0.65, 15.0),
        "childcare": Promised(1.0, 15.0),
        "service_station": Promised(1.0, 15.0),
    }


def test_a_policy_without_a_plan_has_no_worst() -> None:
    run = drawn_run()
    assert run.policy.scorecard is None
    assert worst_service(run) is None
    told = headline_document(run)
    assert (told["service"], told["not_covered"], told["site"]) == (None, None, None)
    assert first_service(run) == next(s for s in run.manifest.services if run.city.assessed(s))


def planned_run() -> Run:
    """The drawn city under promises of the plan."""
    run = drawn_run()
    plan = load_policy("kunming-2022-77")
    services = {**plan.services, **run.policy.services}
    policy = replace(
        run.policy,
        scorecard=plan.scorecard,
        services=MappingProxyType(services),
        siting=plan.siting,
    )
    return replace(run, policy=policy)


def test_the_worst_is_that_of_coverage() -> None:
    run = planned_run()
    shorts = {}
    for service, promised in promised_services(run.policy).items():
        if service not in run.travel.services or not run.city.assessed(service):
            continue
        total = coverage_document(run, Question(service, promised.minutes))["total"]
        shorts[service] = (promised.target - total["P"], total["not_covered"])
    worst = worst_service(run)
    assert worst is not None
    expected = max(shorts, key=lambda service: shorts[service][0])
    assert worst.service == expected
    assert np.isclose(worst.short, shorts[expected][0])
    assert worst.not_covered == shorts[expected][1]
    asked = Question(worst.service, worst.promised.minutes)
    assert headline_document(run)["rests_on"] == coverage_document(run, asked)["rests_on"]
    assert first_service(run) == expected


def test_the_sentence_is_kept_beside_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned_run()
    run = replace(run, path=tmp_path / "tiny" / "runs" / run.manifest.run)
    assert kept_headline(run.path) is None
    told = headline_of(run)
    assert told == headline_document(run)
    with monkeypatch.context() as patched:
        patched.setattr(headline_room, "headline_document", None)  # not worked out a second time
        assert headline_of(run) == kept_headline(run.path) == told
    with monkeypatch.context() as patched:
        patched.setattr(headline_room, "code_version", lambda: "another")
        assert kept_headline(run.path) is None
    with monkeypatch.context() as patched:
        patched.setattr(headline_room, "bands_stamp", lambda _: "other bands")
        assert kept_headline(run.path) is None
    for broken in ("", "[]", "{", '{"stamp": 1}', "null"):
        headline_file(run.path).write_text(broken)
        assert kept_headline(run.path) is None


def test_the_home_page_has_the_sentence_that_is_kept(served: TestClient, root: Path) -> None:
    (area,) = ask(served, "/areas")["areas"]
    run = root / area["area"] / "runs" / area["run"]
    headline_file(run).unlink(missing_ok=True)
    assert "data-known" not in served.get("/?f=html").text
    told = ask(served, f"/areas/{area['area']}/headline")
    assert kept_headline(run) == told
    assert "data-known" in served.get("/?f=html").text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_show_the_figures_of_the_documents(lang: str) -> None:
    run = planned_run()
    found = {one["name"]: one for one in pictures_document(run, lang)["pictures"]}  # type: ignore[arg-type]
    assert list(found) == ["worst", "circles"]  # nobody knows what its centres can take
    assert all(one["caption"] and one["text"] for one in found.values())
    worst = worst_service(run)
    assert worst is not None
    asked = Question(worst.service, worst.promised.minutes)
    rows = coverage_document(run, asked)["units"]
    assert values(found["worst"]) == [row["P"] for row in rows]
    kind, block = next(iter(circles_document(run, Question())["circles"].items()))
    assert kind in run.policy.circles
    assert values(found["circles"]) == [row["share"] for row in block["units"]]
    assert found["worst"]["svg"].count("<circle ") == 1


def test_the_picture_of_loads_shows_every_place_the_fullest_first() -> None:
    run = drawn_run(city_with(centre("h1", 500), centre("h2", 5000, ownership=None)))
    run = replace(run, policy=capacity_policy(100, 500))
    centres = catchments_document(run, Question())["balanced"]["centres"]
    assert len(centres) > 1
    found = {one["name"]: one for one in pictures_document(run, "en")["pictures"]}
    loads = sorted((one["load"] for one in centres), reverse=True)
    assert values(found["loads"]) == loads
    states = [one["state"] for one in centres]
    counts = [len(states), *map(states.count, ("underload", "within", "overload"))]
    told = [int(one) for one in re.findall(r"\b\d+\b", found["loads"]["text"])]
    assert [told[0], told[1], *told[3:]] == counts  # the third is the minutes


def values(picture: dict[str, str]) -> list[float | None]:
    """The figures that the marks of a picture stand for, None for unknown."""
    marks = ElementTree.fromstring(picture["svg"]).iter()
    told = [mark.get("data-value") for mark in marks]
    return [float(value) if value else None for value in told if value is not None]
