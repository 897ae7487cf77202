"""Springcity's planted centres and streets, found and named: loads, states, the rule, the gap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.measures.catchments.catchments import UNLIMITED, Catchments, catchments
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.measures.catchments.rule_result import RuleResult
from lifecircle.analysis.measures.catchments.tiers.referral import referral
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from tests.worlds.parts import study_of


@pytest.fixture(scope="module")
def built(springcity_runs: Path, springcity_truth: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A tenth of the ground, the same residents."""
    return Workspace(springcity_runs).open("springcity"), springcity_truth


@pytest.fixture(scope="module")
def rule(built: tuple[Run, dict[str, Any]]) -> RuleResult:
    run = built[0]
    found = population_rule(study_of(run.city, run.policy, costs=walk_costs(run.city.network)))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole(built: tuple[Run, dict[str, Any]]) -> Catchments:
    run = built[0]
    costs = walk_costs(run.city.network)
    return catchments(
        study_of(run.city, run.policy, costs=costs),
        Question(service="health_centre", minutes=UNLIMITED),
    )


def named(run: Run, found: Catchments, which: str) -> dict[str, Any]:
    """Centres of a solution by name."""
    centres = getattr(found, which).centres
    return {str(run.city.facilities.name[c.facility]): c for c in centres}


def test_natural_loads_are_those_springcity_measured_itself(
    built: tuple[Run, dict[str, Any]], whole: Catchments
) -> None:
    """One plain Dijkstra over all street nodes against the kernels; ties within a centimetre."""
    run, truth = built
    centres = named(run, whole, "natural")
    told = {row["name"]: row["nearest_to"] for row in truth["health_centres"]}
    assert set(centres) == set(told)
    for name, persons in told.items():
        assert abs(centres[name].load - persons) <= 0.002 * max(persons, 1000), name
    assert (
        whole.natural.unreachable == truth["unsnapped"]["residents"] + truth["cut_off"]["residents"]
    )


def test_the_overloaded_and_the_underused_centre_are_named(
    built: tuple[Run, dict[str, Any]], whole: Catchments
) -> None:
    run, truth = built
    role = {row["name"]: row["role"] for row in truth["health_centres"]}
    centres = named(run, whole, "natural")
    overloaded = {name for name, c in centres.items() if c.state == "overload"}
    underused = {name for name, c in centres.items() if c.state == "underload"}
    assert {name for name in role if role[name] == "overloaded"} <= overloaded
    assert {name for name in role if role[name] == "small"} <= underused
    for name in overloaded:
        assert centres[name].overload == centres[name].load - 100_000 > 0
    balanced = named(run, whole, "balanced")
    assert all(c.load <= 100_000 for c in balanced.values())
    assert whole.balanced.underload == 0  # a million residents for 23 floors of 30,000
    assert whole.balanced.served == whole.natural.served


def test_every_planted_street_gets_its_state(
    built: tuple[Run, dict[str, Any]], rule: RuleResult
) -> None:
    truth = built[1]
    rows = {row.code: row for row in rule.rows}
    for planted in truth["rule"]:
        row = rows[planted["unit_code"]]
        assert row.state == planted["state"], planted["role"]
        assert row.residents == planted["residents"]
        assert (row.government, row.unknown, row.private) == (
            planted["government"], planted["unknown"], planted["private"])  # fmt: skip
    by_role = {planted["role"]: rows[planted["unit_code"]] for planted in truth["rule"]}
    assert by_role["unknown_ownership"].missing == ("ownership",)
    assert {note.key for note in by_role["small"].notes} == {"rule_below_minimum"}
    joined = by_role["joined"]
    assert joined.reading_a is False and joined.reading_b is True and len(joined.group) > 1
    assert by_role["gap"].reading_a is False and by_role["gap"].reading_b is False


def test_the_planted_gap_is_named_and_no_other(
    built: tuple[Run, dict[str, Any]], rule: RuleResult
) -> None:
    run, truth = built
    gap = next(row for row in truth["rule"] if row["role"] == "gap")
    found = [row for row in rule.rows if row.state == "缺口"]
    assert [row.code for row in found] == [gap["unit_code"]]
    names = dict(zip(run.city.units.code, run.city.units.name, strict=True))
    assert found[0].name == names[gap["unit_code"]]
    assert rule.states["NOT_ASSESSED"] == 1
    assert rule.needed_from == -(-rule.residents // 100_000)
    assert rule.needed_to == rule.residents // 30_000


def test_the_run_keeps_what_a_build_worked_out(built: tuple[Run, dict[str, Any]]) -> None:
    """Served within the walk and full: as springcity's own flow says, where it tells."""
    run, truth = built
    kept = run.catchments["health_centre"]
    assert (kept.minutes, kept.walker) == (15, "adult")
    assert set(run.catchments) == {"health_centre", "day_care", "childcare", "shelter"}
    told = truth.get("balanced")
    if told is not None:
        room = told["doubt"]
        assert abs(kept.balanced.served - told["served"]) <= room
        assert abs(kept.balanced.reachable_full - told["over_capacity"]) <= room
    for found in run.catchments.values():
        served = found.balanced.served
        unserved = found.balanced.reachable_full + found.balanced.unreachable
        assert served + unserved == found.residents
    shelter = run.catchments["shelter"]
    if truth["facilities"]["shelter"] == 0:
        assert shelter.balanced.served == 0
    else:  # effective area over the square metres one person needs
        assert {c.basis for c in shelter.balanced.centres} <= {"area", "stated"}
        assert 0 < shelter.balanced.served <= sum(c.maximum for c in shelter.balanced.centres)


def test_referral_is_what_springcity_counted_itself(built: tuple[Run, dict[str, Any]]) -> None:
    """Whole chains along the generator's own paths.

    In doubt is whoever ends within half a metre of a limit; centimetres part a twentieth of them.
    """
    run, truth = built
    for minutes, told in truth["referral"].items():
        found = referral(run.study, Question(minutes=float(minutes)))
        assert abs(int(found.served.sum()) - told["served"]) <= told["doubt"] / 20, minutes
        assert abs(found.served_most - told["served_most"]) <= told["doubt_most"] / 20
        assert int(found.unserved["station_full"].sum()) == 0
        for reason, persons in told["unserved"].items():
            assert abs(int(found.unserved[reason].sum()) - persons) <= told["doubt"] / 20, reason
    served = [told["served"] for told in truth["referral"].values()]
    assert served == sorted(served) and served[0] < served[-1]
