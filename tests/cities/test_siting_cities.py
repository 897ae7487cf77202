"""Siting in springcity, whose truth is known: who is given up on, the island, capacities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifecircle.analysis.access.walking import WalkCosts, walk_costs
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.siting.candidates import generated_sites
from lifecircle.analysis.measures.siting.place import place_sites
from lifecircle.analysis.results.store import Workspace
from tests.worlds.parts import study_of

SERVICE = "health_centre"
LIMIT_CM = 100_000


@pytest.fixture(scope="module")
def built(springcity_runs: Path) -> tuple[Any, Any, Any, WalkCosts]:
    run = Workspace(springcity_runs).open("springcity")
    return run.policy, run.city, run.travel, walk_costs(run.city.network)


def test_springcity_gives_up_on_nobody_but_the_planted_hamlet(
    built: tuple[Any, Any, Any, WalkCosts], springcity_truth: dict[str, Any]
) -> None:
    policy, city, travel, costs = built
    lacking = travel.cell_cm[travel.row(SERVICE)] > LIMIT_CM
    sites = generated_sites(city, costs, 150, lacking, LIMIT_CM)
    found = place_sites(
        study_of(city, policy, travel=travel, costs=costs),
        Question(service=SERVICE),
        sites,
        add=5,
        time_limit_s=10,
    )
    total = coverage(study_of(city, policy, travel=travel), Question(service=SERVICE)).total
    assert found.covered_before == total.covered == found.curve[0]
    assert (np.diff(found.curve) >= 0).all()
    (told,) = [w for w in found.warnings if w.key == "siting_culprits"]
    assert told.params["unsnapped"] == springcity_truth["unsnapped"]["residents"]
    assert told.params["no_candidate"] == 0
    assert found.coverable == found.residents - springcity_truth["unsnapped"]["residents"]
    assert found.covered_after - found.covered_before == found.value <= found.bound
    assert (found.bound - found.value) / found.value <= 0.01


def test_springcity_islanders_are_brought_a_centre(
    built: tuple[Any, Any, Any, WalkCosts], springcity_truth: dict[str, Any]
) -> None:
    """Only a site on the island covers them; a target of everyone finds one there."""
    policy, city, travel, costs = built
    lacking = travel.cell_cm[travel.row(SERVICE)] > LIMIT_CM
    sites = generated_sites(city, costs, 300, lacking, LIMIT_CM)
    found = place_sites(
        study_of(city, policy, travel=travel, costs=costs),
        Question(service=SERVICE),
        sites,
        objective="all",
    )
    islanders = np.isin(city.cells.id.astype(str), springcity_truth["cut_off"]["cells"])
    island = found.cell_cm_after[islanders]
    assert (island <= LIMIT_CM).sum() > 0
    assert found.covered_after == found.coverable
    assert found.bound <= found.value


def test_capacities_never_serve_more_than_walks_cover(
    built: tuple[Any, Any, Any, WalkCosts],
) -> None:
    policy, city, travel, costs = built
    sites = generated_sites(city, costs, 400, np.ones(len(city.cells), dtype=bool), None)
    found = place_sites(
        study_of(city, policy, travel=travel, costs=costs),
        Question(service=SERVICE),
        sites,
        add=2,
        objective="capacity",
    )
    assert found.loads is not None
    served = found.residents - found.loads.unserved
    assert served <= found.covered_after
    assert found.loads.unserved == found.loads.reachable_full + found.loads.unreachable
    assert found.loads.unserved <= found.loads.unserved_before
    for low, high, load in found.loads.existing:
        assert 0 <= low <= high
        assert load <= high
    assert all(p.load is not None and p.load <= 100_000 for p in found.proposals)
