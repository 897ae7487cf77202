"""Sites in the tiny city (see `worlds`) with answers done by hand, kept, served and drawn.

Health centre h1 stands at x 500: c1, c2, c3 (600 residents) are within 1,000 m. Of the street's
others, c4 400 at 2500, c5 250 at 3500, c6 150 at 4400, c7 350 at 5500; c8 60 is off the streets;
c9, c10 (100) stand on the island. A candidate on the street at x covers who is within 950 m.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.nearest import NodeField
from lifecircle.analysis.access.od_matrix import walk_matrix
from lifecircle.analysis.access.sites import CellsOnEdges, walks_improved
from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.notes import NotOpen
from lifecircle.analysis.errors import InputError, ParameterError, UnknownNameError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.siting.candidates import (
    Sites,
    generated_sites,
    join_sites,
    places_of_kinds,
)
from lifecircle.analysis.measures.siting.place import Siting, place_sites
from lifecircle.service.catalog.siting.siting import siting_document
from lifecircle.service.catalog.siting.task import SitingTask, candidates
from tests.files.tables import said
from tests.worlds.parts import study_of
from tests.worlds.tiny import (
    CRS,
    ORIGIN,
    Cell,
    Street,
    Unit,
    make_city,
    sites_on,
    tiny_city,
    tiny_policy,
    tiny_run,
    tiny_travel,
    walks,
)

SERVICE = "health_centre"


def answer(city: City, sites: Sites, **asked: object) -> Siting:
    policy = tiny_policy()
    return place_sites(
        study_of(city, policy, travel=tiny_travel(city), costs=flat_costs(city.network)),
        Question(service=SERVICE),
        sites,
        **asked,
    )  # type: ignore[arg-type]


def test_the_best_site_by_hand() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3010, 0), (4900, 0), (3300, 3000)), add=1)
    assert found.covered_before == 600
    (first,) = found.proposals
    assert (first.site, first.residents_new, first.residents_reached) == (0, 650, 650)
    assert first.groups_new == {"0_3": 20, "65": 110}
    assert (first.unit_code, first.unit_name) == ("C3", "三社区")
    assert found.covered_after == 1250
    assert (found.value, found.bound, found.proven) == (650, 650, True)


def test_the_curve_starts_at_what_is_covered_and_never_falls() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0), (4900, 0), (3300, 3000)), add=3)
    assert found.curve.tolist() == [600, 1250, 1750, 1850]
    assert [p.residents_new for p in found.proposals] == [650, 500, 100]
    assert found.coverable == 1850
    assert found.culprits.tolist() == [7]  # c8, off the streets
    warning = next(w for w in found.warnings if w.key == "siting_culprits")
    assert (warning.params["residents"], warning.params["unsnapped"]) == (60, 60)


def test_swapping_beats_taking_the_largest_first() -> None:
    """A site in the middle covers most alone; two at its sides cover more together."""
    plan = ((300, 30), (1500, 40), (2500, 40), (3700, 30))
    cells = [Cell(f"k{x}", x, 0, persons) for x, persons in plan]
    unit = Unit("S1", "街道", "subdistrict", ((0, -500, 6000, 500),))
    city = make_city(
        streets=(Street(0),),
        units=(unit,),
        levels=("subdistrict",),
        cells=cells,
        places=(),
        surveyed=(SERVICE,),
    )
    sites = sites_on(city, (2000, 0), (900, 0), (3100, 0))
    travel = walks(city, (SERVICE,))
    costs = flat_costs(city.network)
    found = place_sites(
        study_of(city, tiny_policy(), travel=travel, costs=costs),
        Question(service=SERVICE),
        sites,
        add=2,
    )
    assert sorted(p.site for p in found.proposals) == [1, 2]
    assert (found.covered_before, found.covered_after, found.method) == (0, 140, "interchange")
    assert found.proven
    assert found.curve.tolist() == [0, 80, 140, 140]  # one by one: 80, 110, 140


def test_the_fewest_for_a_target() -> None:
    city = tiny_city()
    sites = sites_on(city, (3000, 0), (4900, 0), (3300, 3000))
    for target, count in ((0.5, 1), (1250 / 1910, 1), (0.9, 2), (0.96, 3)):
        found = answer(city, sites, target=target, time_limit_s=5)
        assert (len(found.proposals), found.value, found.bound) == (count, count, count), target
        assert found.covered_after >= target * 1910


def test_a_target_that_cannot_be_reached_says_how_far_it_goes() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0), (4900, 0)), target=0.99, time_limit_s=5)
    assert len(found.proposals) == 2
    (told,) = [w for w in found.warnings if w.key == "siting_target_impossible"]
    assert told.params == {"target": "99.00%", "most": "91.62%"}  # 1750 of 1910, not rounded up


def test_a_target_that_is_met_proposes_nothing() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0)), target=0.3)
    assert (found.proposals, found.proven) == ((), True)
    assert "siting_target_met" in {w.key for w in found.warnings}


def test_everyone_who_can_be_covered() -> None:
    city = tiny_city()
    sites = sites_on(city, (3000, 0), (3001, 0), (4900, 0), (3300, 3000))
    found = answer(city, sites, objective="all", time_limit_s=5)
    assert (found.value, found.bound, found.covered_after) == (3, 3, 1850)
    culprits = [str(city.cells.id[i]) for i in found.culprits]
    assert culprits == ["c8"]


def test_least_walking_by_hand() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0), (5500, 0)), add=1, objective="person_minutes")
    (first,) = found.proposals
    # from h1 (leg 20 m): c4 2000+70, c5 3000+70, c6 3900+70, c7 5000+70; to x 5500 (leg 0)
    nearer_m = {0: (1520, 2520, 2520, 2520), 1: (-980, 1020, 2820, 5020)}
    saved_m = [
        sum(max(0, m) * n for m, n in zip(nearer_m[k], (400, 250, 150, 350), strict=True))
        for k in (0, 1)
    ]
    assert saved_m[0] > saved_m[1]
    assert first.site == 0
    assert first.person_minutes_saved == pytest.approx(saved_m[0] / (1000 / 15), rel=1e-4)
    assert found.value == pytest.approx(first.person_minutes_saved)
    assert found.proven


def test_who_has_no_way_is_brought_one_by_the_island_site() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3300, 3000)), add=1, objective="person_minutes")
    assert [p.residents_new for p in found.proposals] == [100]
    assert found.proposals[0].person_minutes_saved == 0  # nobody walked there before


def test_more_sites_than_there_are() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0), (3000, 0)), add=9)
    assert len(found.proposals) == 1  # two candidates at one place: the second would help no one
    (told,) = [w for w in found.warnings if w.key == "siting_fewer"]
    assert told.params == {"asked": 9, "count": 1, "candidates": 2}


def test_a_candidate_off_the_streets_is_left_out_and_named() -> None:
    city = tiny_city()
    found = answer(city, sites_on(city, (3000, 0), (3000, 1500)), add=1)
    (told,) = [w for w in found.warnings if w.key == "siting_unsnapped"]
    assert told.params["ids"] == "added/2"
    with pytest.raises(ParameterError) as nothing:
        answer(city, sites_on(city, (3000, 1500)), add=1)
    assert nothing.value.key == "siting_no_candidates"


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({}, "siting_how_many"),
        ({"add": 0}, "siting_how_many"),
        ({"add": 1, "target": 0.5}, "siting_how_many"),
        ({"target": 1.5}, "siting_how_many"),
        ({"add": 1, "objective": "all"}, "siting_all_chooses"),
        ({"target": 0.5, "objective": "person_minutes"}, "siting_walks_want_number"),
        ({"add": 1, "objective": "beauty"}, "siting_objective"),
        ({"add": 1, "objective": "capacity"}, "siting_no_capacity"),
        ({"add": 1, "time_limit_s": -1}, "siting_time_limit"),
    ],
)
def test_impossible_questions(asked: dict[str, object], key: str) -> None:
    city = tiny_city()
    with pytest.raises(ParameterError) as raised:
        answer(city, sites_on(city, (3000, 0)), **asked)
    assert raised.value.key == key
    assert raised.value.text("zh") != raised.value.text("en")


def test_a_service_nothing_is_known_about_is_refused() -> None:
    city = tiny_city()
    with pytest.raises(ParameterError) as raised:
        place_sites(
            study_of(city, tiny_policy(), travel=tiny_travel(city), costs=flat_costs(city.network)),
            Question(service="market"),
            sites_on(city, (3000, 0)),
            add=1,
        )
    assert raised.value.key == "siting_not_assessed"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_each_share_is_what_the_travel_code_counts(seed: int) -> None:
    """Random candidates: walks to all places at once give the same figures, pair by pair."""
    rng = np.random.default_rng(seed)
    city = tiny_city()
    places = [(float(x), float(rng.choice([0, 3000]))) for x in rng.uniform(0, 6000, 5)]
    sites = sites_on(city, *[(x if y == 0 else 2000 + x % 4000, y) for x, y in places])
    found = answer(city, sites, add=3, time_limit_s=2)
    costs = flat_costs(city.network)
    matrix = walk_matrix(costs, sites.attachments, city.cells.position, np.arange(5))
    base = tiny_travel(city).cell_cm[tiny_travel(city).row(SERVICE)].copy()
    persons = city.cells.residents
    for proposal in found.proposals:
        after = np.minimum(base, matrix[proposal.site])
        new = (after <= 100_000) & (base > 100_000)
        assert proposal.residents_new == persons[new].sum()
        assert (matrix[proposal.site][new] <= 100_000).all()  # everyone counted is within reach
        base = after
    assert found.covered_after == persons[base <= 100_000].sum()
    assert (np.diff(found.curve) >= 0).all()


def test_improved_walks_are_the_matrix_where_it_is_shorter() -> None:
    city = tiny_city()
    travel, costs = tiny_travel(city), flat_costs(city.network)
    row = travel.row(SERVICE)
    base = travel.cell_cm[row]
    places = [(float(x), y) for x in range(50, 6000, 450) for y in (0.0, 3000.0)]
    sites = sites_on(city, *places)
    field = NodeField(travel.node_cm[row], travel.node_facility[row])
    cells = CellsOnEdges.of(costs, city.cells.position)
    found = walks_improved(costs, cells, sites.attachments, len(sites), field, base)
    matrix = walk_matrix(costs, sites.attachments, city.cells.position, np.arange(len(sites)))
    want = {(j, i): int(matrix[j, i]) for j, i in zip(*np.nonzero(matrix < base), strict=True)}
    got = zip(zip(found.owner().tolist(), found.cell.tolist(), strict=True), found.cm, strict=True)
    assert {pair: int(cm) for pair, cm in got} == want


# ---- candidates ------------------------------------------------------------------------------


def with_planned(city: City) -> City:
    """The tiny city with a health centre planned at x 3500, one gone and a planned pharmacy."""
    rows = [
        ("p1", SERVICE, "规划中心", "planned", 3500.0),
        ("g1", SERVICE, "已关中心", "gone", 2500.0),
        ("p2", "pharmacy", "规划药店", "planned", 2500.0),
    ]
    notes = tuple(
        NotOpen(one, service, name, "table", state, "状态", ORIGIN[0] + x, ORIGIN[1])
        for one, service, name, state, x in rows
    )
    return replace(city, notes=replace(city.notes, not_open=notes))


def test_planned_places_of_the_service_are_candidates(tmp_path: Path) -> None:
    """From x 3500 within 950 m: c4? no (1,000 m), c5 250, c6 150 (900 m): 400 residents."""
    run = tiny_run(tmp_path, change=with_planned)
    question = Question("社区卫生服务中心")
    document = siting_document(run, question, SitingTask(add=1, source="planned"))
    (site,) = document["proposals"]
    assert (site["site"], site["kind"], site["name"]) == ("p1", "planned", "规划中心")
    assert site["residents_new"] == 400
    assert document["candidates"]["kinds"] == {"planned": 1}
    assert site["near_m"] is not None
    every = siting_document(run, question, SitingTask(add=1))["candidates"]["kinds"]
    assert every["planned"] == 1
    assert set(every) >= {"planned", "generated"}


def test_generated_places_are_where_people_live_near_the_uncovered() -> None:
    city = tiny_city()
    travel = tiny_travel(city)
    lacking = travel.cell_cm[travel.row(SERVICE)] > 100_000
    costs = flat_costs(city.network)
    sites = generated_sites(city, costs, 150, lacking, 100_000)
    # c1 and c2 are farther than 1,000 m from every cell that lacks, c3 and c4 are not
    assert sites.id.tolist() == [f"street/c{k}" for k in (4, 5, 6, 7, 9, 10)]
    everywhere = generated_sites(city, costs, 500, lacking, None)
    # c10 stands in one square of 500 m with c9, which has more residents
    assert everywhere.id.tolist() == [f"street/c{k}" for k in (1, 2, 3, 4, 5, 6, 7, 9)]
    assert (everywhere.attachments.position.leg_m == 0).all()


def test_places_of_other_kinds() -> None:
    city, policy = tiny_city(), tiny_policy()
    sites = places_of_kinds(city, policy, SERVICE, ["pharmacy", "fitness_outdoor", SERVICE])
    assert set(sites.id) == {"p1@pharmacy", "p2@pharmacy", "f1@fitness_outdoor"}
    park = sites.id.tolist().index("f1@fitness_outdoor")
    assert len(sites.of(park)) == 2  # both entrances
    with pytest.raises(UnknownNameError):
        places_of_kinds(city, policy, SERVICE, ["palace"])
    found = answer(city, sites, add=2)  # f1 covers c4, p2 covers c5 and c6: 400 each
    assert {str(sites.id[p.site]) for p in found.proposals} == {"p2@pharmacy", "f1@fitness_outdoor"}
    assert [p.residents_new for p in found.proposals] == [400, 400]


def test_joined_sites_are_the_sites_of_both() -> None:
    city, policy = tiny_city(), tiny_policy()
    drawn = sites_on(city, (3010, 0), (4900, 0), (3300, 3000))  # the last finds no street
    places = places_of_kinds(city, policy, SERVICE, ["pharmacy", "fitness_outdoor"])
    both = join_sites(drawn, places)
    assert len(both) == len(drawn) + len(places)
    assert both.id.tolist() == [*drawn.id, *places.id]
    assert both.kind.tolist() == [*drawn.kind, *places.kind]
    for k in range(len(both)):
        own = drawn.of(k) if k < len(drawn) else places.of(k - len(drawn))
        assert np.array_equal(both.of(k).edge, own.edge)
        assert np.array_equal(both.of(k).at_m, own.at_m)
    assert both.warnings == drawn.warnings
    wide = answer(city, both, add=1).covered_after
    assert wide >= max(answer(city, part, add=1).covered_after for part in (drawn, places))


def test_a_table_of_candidates_with_faults(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    lon, lat = to_lonlat(np.array([[3000 + ORIGIN[0], ORIGIN[1]]]), CRS)[0]
    good = tmp_path / "good.csv"
    good.write_text(f"id,name,lon,lat\nA,旧厂房,{lon},{lat}\n", encoding="utf-8")
    task = SitingTask(source=good, declared=said("wgs84"))
    sites = candidates(run.study, Question(SERVICE), task)
    assert (sites.id.tolist(), sites.name.tolist()) == (["A"], ["旧厂房"])
    bad = tmp_path / "bad.csv"
    bad.write_text(f"id,lon,lat\nA,{lon},{lat}\nA,x,{lat}\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        task = SitingTask(source=bad, declared=said("wgs84"))
        candidates(run.study, Question(SERVICE), task)
    assert {fault.row for fault in raised.value.faults} == {3}
    assert len(raised.value.faults) == 2
