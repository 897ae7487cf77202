"""Springcity built as anyone's area: covered residents and the 65 rows against its truth table."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import pytest

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.city.model import City
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.demo.truth.write import (
    SpringCityWithTruth,
    write_springcity_with_truth,
)
from lifecircle.analysis.measures.circles import circles
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.measures.scorecard.result import Outcome, RowResult
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import Policy

BOUNDS = ("value", "lower", "upper", "assessed_share")

# Shapes are written with seven decimals of a degree: shares of land move in their eighth.
ROUNDED = 1e-7


SCALES = (1.0, 5.0) if os.environ.get("LIFECIRCLE_WHOLE") else (0.1,)


class Built(NamedTuple):
    """A city with its walks, under its policy, and what must come out."""

    policy: Policy
    city: City
    travel: NearestFacility
    truth: dict[str, Any]

    @property
    def study(self) -> Study:
        return Study(self.city, self.travel, self.policy)


def _built(files: SpringCityFiles, truth: dict[str, Any]) -> Built:
    _, policy, city, travel = analyse_city(springcity_request(files))
    return Built(policy, city, travel, truth)


@pytest.fixture(scope="module", params=SCALES)
def files(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> SpringCityWithTruth:
    """The city on a tenth of its ground; with ``LIFECIRCLE_WHOLE=1`` as the demo has it, and ×5."""
    if request.param >= 1:
        return write_springcity_with_truth(tmp_path_factory.mktemp("whole"), scale=request.param)
    tenth: SpringCityWithTruth = request.getfixturevalue("springcity")
    return tenth


@pytest.fixture(scope="module")
def built(files: SpringCityWithTruth) -> Built:
    return _built(files, json.loads(files.truth.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def before(files: SpringCityWithTruth) -> Built:
    """The same five years earlier."""
    assert files.before is not None
    truth = json.loads(files.truth.read_text(encoding="utf-8"))
    return _built(files.before, truth["before"])


@pytest.fixture(scope="module")
def rows(built: Built) -> dict[str, RowResult]:
    return {row.row.id: row for row in scorecard(built.study).rows}


def differences(rows: dict[str, RowResult], truth: dict[str, Any]) -> dict[str, list[Any]]:
    """Row by row what is not as it must be: (reading, figure, found, true)."""
    found: dict[str, list[Any]] = {}
    for name, row in rows.items():
        told = truth[name]
        wrong: list[Any] = []
        if "status" in told and row.status != told["status"]:
            wrong.append(("status", row.status, told["status"]))
        if row.headline != told["headline"]:
            wrong.append(("headline", row.headline, told["headline"]))
        readings = set(row.outcomes)
        if readings != set(told["readings"]):
            wrong.append(("readings", sorted(readings), sorted(told["readings"])))
        for reading in readings & set(told["readings"]):
            wrong += _apart(reading, row.outcomes[reading], told["readings"][reading])
        if wrong:
            found[name] = wrong
    return found


def _apart(reading: str, outcome: Outcome, told: dict[str, Any]) -> list[Any]:
    """Figures that differ by more than the residents in doubt at the limit of the walk."""
    slack = told["doubt"] / told["of"] if "doubt" in told else 0.0
    wrong = []
    for figure in BOUNDS:
        here = getattr(outcome, figure)
        if figure not in told or told[figure] is None:
            if figure in told and here is not None:
                wrong.append((reading, figure, here, told[figure]))
            continue
        if told["value"] is None and here is None:
            continue  # nothing can be said: a range may be told beside it, and then must be right
        if here is None or abs(here - told[figure]) > slack + ROUNDED * max(1.0, abs(told[figure])):
            wrong.append((reading, figure, here, told[figure]))
    return wrong


def test_all_65_rows_are_the_planted_truth(built: Built, rows: dict[str, RowResult]) -> None:
    assert len(rows) == len(built.truth["rows"]) == 65
    assert differences(rows, built.truth["rows"]) == {}


def test_the_year_before_is_told_as_well(before: Built) -> None:
    """Readings of 2020; the rule of A01 is planted for 2025 only."""
    found = scorecard(before.study).rows
    rows = {row.row.id: row for row in found if row.row.id != "A01"}
    assert differences(rows, before.truth["rows"]) == {}


def test_covered_residents_of_every_service(built: Built) -> None:
    """The kernels against the generator's own Dijkstra, at 5, 10 and 15 minutes."""
    apart = {}
    for service, told in built.truth["covered"].items():
        for minutes, walk in told.items():
            here = coverage(
                built.study, Question(service=service, minutes=float(minutes))
            ).total.covered
            assert here is not None
            if abs(here - walk["residents"]) > walk["doubt"]:
                apart[service, minutes] = (here, walk)
    assert apart == {}
    assert len(built.truth["covered"]) == len(built.policy.services) - 2  # schools: see the docs


def test_complete_circles(built: Built) -> None:
    for kind, row in (("convenience", "A12"), ("fitness", "A13")):
        told = built.truth["rows"][row]["readings"]["P"]
        here = circles(built.study, Question(), kind=kind).total.complete
        assert here is not None
        assert abs(here - told["residents"]) <= told["doubt"]


def test_units_left_out_are_those_planted(built: Built, rows: dict[str, RowResult]) -> None:
    """Rows counted by unit name exactly those that have not, and those of which nobody knows."""
    checked = 0
    for name, row in rows.items():
        for reading in row.judged:
            units = built.truth["rows"][name]["readings"][reading].get("units")
            if row.target is None or units is None or row.outcomes[reading].value is None:
                continue
            told = {state: {c for c, s in units.items() if s is state} for state in (False, None)}
            without = {one.code for one in row.left_out if one.reading == reading}
            unknown = {one.code for one in row.unknown if one.reading == reading}
            assert without == told[False], (name, reading)
            assert unknown == told[None], (name, reading)
            checked += 1
    assert checked >= 20


def test_the_crowded_centre_leaves_people_unserved(built: Built) -> None:
    told = built.truth["balanced"]
    assert told["over_capacity"] > told["doubt"]
    assert (
        told["served"] + told["over_capacity"]
        == (built.truth["covered"]["health_centre"]["15"]["residents"])
    )
