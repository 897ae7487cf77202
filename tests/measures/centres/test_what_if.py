"""One facility added or removed: what a new computation says, group by group."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.od_matrix import walk_matrix
from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.what_if import Addition, what_if
from lifecircle.analysis.quantities import UNREACHED_CM
from tests.worlds.parts import study_of
from tests.worlds.tiny import (
    sites_on,
    tiny_city,
    tiny_policy,
    tiny_travel,
)

SERVICE = "health_centre"


def test_what_if_is_what_a_new_computation_says() -> None:
    city, policy = tiny_city(), tiny_policy()
    costs, travel = flat_costs(city.network), tiny_travel(city)
    sites = sites_on(city, (3000, 0), (4900, 0))
    adds = [Addition(SERVICE, sites.of(k)) for k in range(2)]
    h1 = [str(i) for i in city.facilities.id].index("h1")
    (added,) = what_if(study_of(city, policy, travel=travel, costs=costs), Question(), add=adds)
    assert (added.total.covered_before, added.total.covered_after) == (600, 1750)
    assert (added.gained, added.lost) == (1150, 0)
    assert added.groups["65"] == (90, 280)
    (gone,) = what_if(study_of(city, policy, travel=travel, costs=costs), Question(), remove=[h1])
    assert (gone.total.covered_after, gone.lost) == (0, 600)
    assert (gone.cell_cm == UNREACHED_CM).all()
    (both,) = what_if(
        study_of(city, policy, travel=travel, costs=costs), Question(), add=adds, remove=[h1]
    )
    assert (both.total.covered_after, both.gained, both.lost) == (1150, 1150, 600)
    assert sum(row.covered_after or 0 for row in both.units) == 1150
    again = walk_matrix(costs, sites.attachments, city.cells.position, np.arange(2)).min(axis=0)
    assert both.cell_cm.tolist() == again.tolist()


def test_what_if_an_added_place_never_lowers_coverage() -> None:
    city, policy = tiny_city(), tiny_policy()
    costs, travel = flat_costs(city.network), tiny_travel(city)
    base = travel.cell_cm[travel.row(SERVICE)]
    for x in range(0, 6000, 333):
        sites = sites_on(city, (float(x), 0))
        (change,) = what_if(
            study_of(city, policy, travel=travel, costs=costs),
            Question(by="subdistrict"),
            add=[Addition(SERVICE, sites.of(0))],
        )
        assert (change.cell_cm <= base).all()
        assert change.lost == 0
