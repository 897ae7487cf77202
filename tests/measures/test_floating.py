"""Floating catchments: PySAL access' own hospital example, a slow oracle, invariants, a drawn city.

The hospital example is that of ``access/tests/test_hospital_example.py``: three places, people and
doctors in each, four states of the traffic; weights are one over the minutes, 61 minutes at most.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.equity.floating import METHODS, floating, shared_out, zone_weights
from lifecircle.analysis.measures.question import Question
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city, tiny_policy

PEOPLE = np.array([100, 50, 10])
DOCTORS = np.array([15.0, 20.0, 100.0])
MOST = 61
#                in, out, across: minutes to the middle, from it, between the two outer places
TRAFFIC = {0: (40, 40, 80), 1: (20, 40, 80), 2: (40, 20, 80), 3: (20, 20, 40)}


def minutes(scenario: int) -> np.ndarray:
    """Minutes from every place to every place; the third is the city."""
    inbound, outbound, across = TRAFFIC[scenario]
    cost = np.full((3, 3), float(across))
    cost[:2, 2], cost[2, :2] = inbound, outbound
    np.fill_diagonal(cost, 1)
    return cost


def ours(scenario: int, method: str) -> np.ndarray:
    cost = minutes(scenario)
    cell, place = np.nonzero(cost < MOST)
    weight = 1 / cost[cell, place]
    pairs = (cell.astype(np.int32), place.astype(np.int32))
    return shared_out(*pairs, weight, PEOPLE, DOCTORS, method).access  # type: ignore[arg-type]


def oracle(cost: np.ndarray, method: str) -> np.ndarray:
    """The formulas with loops."""
    size = range(len(cost))
    w = [[1 / cost[i][j] if cost[i][j] < MOST else 0.0 for j in size] for i in size]
    if method == "2sfca":
        w = [[1.0 if x > 0 else 0.0 for x in row] for row in w]
    if method == "3sfca":
        w = [[x * x / sum(row) for x in row] for row in w]
    ratio = [DOCTORS[j] / sum(PEOPLE[i] * w[i][j] for i in size) for j in size]
    return np.array([sum(w[i][j] * ratio[j] for j in size) for i in size])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scenario", TRAFFIC)
def test_the_formulas_written_out(scenario: int, method: str) -> None:
    assert ours(scenario, method) == pytest.approx(oracle(minutes(scenario), method), rel=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("scenario", TRAFFIC)
def test_pysal_access_on_its_own_hospital_example(scenario: int) -> None:
    access = pytest.importorskip("access", reason="the package access (extra bench) is not here")
    pd = pytest.importorskip("pandas")
    from access.access import weights

    cost = minutes(scenario)
    rows = [
        {"origin": i + 1, "dest": j + 1, "cost": cost[i, j]}
        for i in range(3)
        for j in range(3)
        if cost[i, j] < MOST
    ]
    tracts = pd.DataFrame({"geoid": [1, 2, 3], "pop": PEOPLE, "doc": DOCTORS})
    theirs = access.Access(
        demand_df=tracts, demand_index="geoid", demand_value="pop",
        supply_df=tracts, supply_index="geoid", supply_value="doc",
        cost_df=pd.DataFrame(rows), cost_origin="origin", cost_dest="dest", cost_name="cost",
    )  # fmt: skip
    by_distance = weights.gravity(1, -1)
    theirs.two_stage_fca(name="two", max_cost=MOST)
    theirs.enhanced_two_stage_fca(name="enhanced", weight_fn=by_distance, max_cost=MOST)
    theirs.three_stage_fca(name="three", weight_fn=by_distance, max_cost=MOST)
    told = theirs.access_df
    for name, method in (("two", "2sfca"), ("enhanced", "e2sfca"), ("three", "3sfca")):
        assert ours(scenario, method) == pytest.approx(told[f"{name}_doc"].to_numpy()), method


def test_the_hospital_example_by_hand() -> None:
    # symmetric traffic, all within reach: 135 doctors for 160 people, whoever they are
    assert ours(3, "2sfca") == pytest.approx([135 / 160] * 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS))
def test_what_is_given_is_what_there_is(seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    cells, places = int(rng.integers(1, 20)), int(rng.integers(1, 8))
    cell, place = np.nonzero(rng.random((cells, places)) < 0.4)
    weight = rng.uniform(0.1, 1, len(cell))
    demand, supply = rng.integers(0, 50, cells), rng.uniform(0, 9, places)
    shares = shared_out(
        cell.astype(np.int32), place.astype(np.int32), weight, demand, supply, method
    )
    asked = ~np.isnan(shares.ratio)
    assert (shares.access @ demand) == pytest.approx(supply[asked].sum())
    assert np.array_equal(asked, shares.demand > 0)
    order = rng.permutation(len(cell))
    again = shared_out(
        cell[order].astype(np.int32), place[order].astype(np.int32), weight[order],
        demand, supply, method,
    )  # fmt: skip
    assert again.access == pytest.approx(shares.access)


def test_zones_are_thirds_of_the_catchment() -> None:
    rules = tiny_policy().floating
    assert rules is not None
    cm = np.array([0, 33_333, 33_334, 66_667, 66_668, 100_000, 100_001], dtype=np.int32)
    assert zone_weights(cm, 100_000, rules).tolist() == [1, 1, 0.68, 0.68, 0.22, 0.22, 0]


def test_a_drawn_city_by_hand() -> None:
    """p1 at 500 m (c1, c2, c3 within 10 minutes: 370, 470, 970 m of 666), p2 at 3600 m (c5)."""
    city, policy = tiny_city(), tiny_policy()
    found = floating(
        study_of(city, policy, costs=flat_costs(city.network)),
        Question(service="pharmacy", by="community"),
        method="2sfca",
    )
    assert found.access is not None
    per_person = dict(zip(city.cells.id, found.access.tolist(), strict=True))
    assert per_person["c1"] == pytest.approx(1 / 300)
    assert per_person["c2"] == pytest.approx(1 / 300)
    assert per_person["c3"] == 0
    assert per_person["c5"] == pytest.approx(1 / 250)
    assert (found.supply, found.idle) == (2, 0)
    rows = {row.code: row for row in found.units}
    assert rows["C1"].access == pytest.approx(1 / 300)
    assert (rows["C2"].access, rows["C2"].none) == (0, 700)
    assert found.total.access == pytest.approx(2 / 1910)
    assert found.total.none == 1910 - 550


def test_a_service_nothing_is_known_about() -> None:
    city = tiny_city()
    found = floating(
        study_of(city, tiny_policy(), costs=flat_costs(city.network)), Question(service="market")
    )
    assert found.access is None
    assert found.total.access is None
    assert found.warnings[0].key == "service_not_assessed"


def test_unknown_supply_is_left_out_and_told() -> None:
    city = tiny_city()
    found = floating(
        study_of(city, tiny_policy(), costs=flat_costs(city.network)),
        Question(service="health_centre"),
        supply="beds",
    )
    assert (found.supply, found.idle) == (0, 0)
    assert "floating_supply_partly" in {warning.key for warning in found.warnings}


def test_impossible_questions() -> None:
    city, policy = tiny_city(), tiny_policy()
    costs = flat_costs(city.network)
    with pytest.raises(ParameterError, match="method"):
        floating(study_of(city, policy, costs=costs), Question(service="pharmacy"), method="huff")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="Supply"):
        floating(study_of(city, policy, costs=costs), Question(service="pharmacy"), supply="smiles")
    with pytest.raises(UnknownNameError):
        floating(study_of(city, policy, costs=costs), Question(service="palace"))
