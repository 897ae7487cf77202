"""Places opened by stages: against all ways of opening them, one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import FlowModel
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign
from lifecircle.analysis.measures.siting.staged import choose_stages

STANDING, SITES = 1, 4


def drawn(seed: int, stages: int = 3) -> list[CapacitatedModel]:
    """Towns that grow: the same cells, one place there is, four sites."""
    rng = np.random.default_rng(seed)
    cells = 6
    near = rng.random((cells, STANDING + SITES)) < 0.55
    cell, centre = np.nonzero(near)
    cm = rng.integers(1, 50, len(cell))
    minimum = np.array([10, *rng.integers(5, 25, SITES)], dtype=np.int64)
    maximum = minimum + rng.integers(5, 30, STANDING + SITES)
    persons = rng.integers(0, 20, cells).astype(np.int64)
    models = []
    for _ in range(stages):
        arcs = Arcs.from_pairs(
            cells, cell.astype(np.int32), centre.astype(np.int32), cm.astype(np.int64)
        )
        models.append(CapacitatedModel(FlowModel(persons, arcs, minimum, maximum), STANDING))
        persons = persons + rng.integers(0, 9, cells)
    return models


def aims_of(models: list[CapacitatedModel], opens: tuple[int, ...]) -> tuple[int, ...]:
    summed = np.zeros(4, dtype=np.int64)
    for stage, model in enumerate(models):
        sites = np.array([j for j, when in enumerate(opens) if 0 <= when <= stage], dtype=np.int64)
        summed += (*assign(model, sites).aims, len(sites))
    return tuple(summed.tolist())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("count", "per_stage"), [(3, None), (3, 1)])
def test_no_other_order_of_opening_is_better(seed: int, count: int, per_stage: int | None) -> None:
    models = drawn(seed)
    found = choose_stages(models, count, per_stage=per_stage)
    best = min(
        aims_of(models, opens)
        for opens in product((-1, 0, 1, 2), repeat=SITES)
        if sum(when >= 0 for when in opens) <= count
        and all(opens.count(when) <= (per_stage or SITES) for when in (0, 1, 2))
    )
    assert found.proven
    assert aims_of(models, tuple(found.opens.tolist())) == best
    assert found.unserved == found.bound == best[0]
    for stage, (model, loads) in enumerate(zip(models, found.loads, strict=True)):
        assert loads.aims == assign(model, found.open_in(stage)).aims
        assert bool((loads.load <= model.with_open(found.open_in(stage)).maximum).all())
        assert int(loads.load.sum()) + loads.total_unserved == int(model.flow.persons.sum())


@pytest.mark.parametrize("seed", range(2))
def test_a_shortlist_says_its_bound(seed: int) -> None:
    models = drawn(seed)
    exact, short = (choose_stages(models, 2, per_stage=1, most_sets=most) for most in (256, 4))
    assert short.method == "shortlist"
    assert not short.proven
    assert short.bound <= exact.unserved <= short.unserved
    assert len(short.considered) < len(exact.considered)


def town(persons: list[int]) -> CapacitatedModel:
    """One cell beside two sites, which take 30 to 100 each; nothing is there yet."""
    arcs = Arcs.from_pairs(
        1, np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.array([100, 200])
    )
    bounds = np.array([30, 30]), np.array([100, 100])
    return CapacitatedModel(FlowModel(np.array(persons, dtype=np.int64), arcs, *bounds), 0)


def test_a_second_place_waits_until_there_are_enough_for_it() -> None:
    """By hand: 90 fit into one; of 110 ten would be left out; 150 fill both."""
    found = choose_stages([town([90]), town([110]), town([150])], 2)
    assert found.opens.tolist() == [0, 1]
    assert [one.load.tolist() for one in found.loads] == [[90, 0], [80, 30], [100, 50]]
    assert [one.underload for one in found.loads] == [0, 0, 0]
    later = choose_stages([town([20]), town([50]), town([90])], 2)
    assert later.opens.tolist() == [0, -1]  # a second one would only be too small


def test_what_is_open_stays_open_and_serves_no_fewer_while_people_come() -> None:
    served = []
    models = drawn(3, stages=4)
    found = choose_stages(models, 3)
    for stage in range(4):
        assert set(found.open_in(max(0, stage - 1))) <= set(found.open_in(stage))
        served.append(int(found.loads[stage].load.sum()))
    assert served == sorted(served)
