"""How firm an answer stands: the same as a plain rebuild, nested lists, bands, seeds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecircle as lc
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.extents import extents_of, find_units
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.circles import circles
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.edits.apply import apply_edits
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.robustness import list_tries
from lifecircle.analysis.measures.robustness.figures import Asking, asking_of
from lifecircle.analysis.measures.robustness.lists import list_doubts
from lifecircle.analysis.measures.robustness.parameters import (
    Parameter,
    joint_draws,
    parameters_of,
    value_at,
)
from lifecircle.analysis.measures.robustness.result import ListFlip, Robustness
from lifecircle.analysis.measures.robustness.robustness import robustness
from lifecircle.analysis.measures.robustness.world import Assumptions, spread_evenly
from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.building import build
from lifecircle.town import tiny_inputs
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city, tiny_policy, tiny_travel

SERVICES = ("health_centre", "pharmacy", "park")


@cache
def town() -> Asking:
    return asking_of(lc.tiny_town().study, Question())


def rebuilt(tmp_path, policy: Policy | None = None, **inputs: object) -> Study:
    """The tiny town built from its inputs anew, with another policy or other places."""
    given = {**tiny_inputs(), **inputs}
    return build(
        "tiny", **given, surveyed=list(SERVICES), policy=policy or load_policy(), workspace=tmp_path
    ).study


def faster(policy: Policy, factor: float) -> Policy:
    walkers = {
        name: replace(one, metres=replace(one.metres, value=one.metres.value * factor))
        for name, one in policy.walkers.items()
    }
    return replace(policy, walkers=walkers)


def within(policy: Policy, leg_m: float) -> Policy:
    rules = policy.attachment
    return replace(
        policy, attachment=replace(rules, max_leg_m=replace(rules.max_leg_m, value=leg_m))
    )


def ten_for_fifteen(policy: Policy) -> Policy:
    services = {
        name: replace(one, minutes=replace(one.minutes, value=10.0))
        if one.minutes.value == 15
        else one
        for name, one in policy.services.items()
    }
    return replace(policy, services=services)


@pytest.mark.parametrize(
    ("assumed", "policy"),
    [
        (Assumptions(speed=0.8), lambda p: faster(p, 0.8)),
        (Assumptions(speed=1.2), lambda p: faster(p, 1.2)),
        (Assumptions(minutes=True), ten_for_fifteen),
        (Assumptions(core=True), lambda p: faster(p, 0.8)),  # 800 m of 1,000 m
        (Assumptions(leg_m=20.0), lambda p: within(p, 20.0)),
        (Assumptions(leg_m=400.0), lambda p: within(p, 400.0)),
    ],
    ids=["slow", "fast", "ten_minutes", "inner_ring", "short_leg", "long_leg"],
)
def test_one_assumption_moved_is_a_plain_rebuild_figure_for_figure(
    tmp_path, assumed: Assumptions, policy
) -> None:
    moved = town().figures(assumed)
    plain = rebuilt(tmp_path, policy(load_policy()))
    same_figures(moved, plain)


def same_figures(moved, plain: Study, asking: Asking | None = None) -> None:
    asking = asking or town()
    for s, service in enumerate(asking.services):
        found = coverage(plain, Question(service), capacity=service in asking.bounded)
        assert (None if np.isnan(moved.P[s]) else moved.P[s]) == found.total.P
        assert (None if np.isnan(moved.C[s]) else moved.C[s]) == found.total.C
        rows = plain.city.units.of_level(found.by)
        drawn = [None if np.isnan(one) else one for one in moved.unit_P[s, rows]]
        assert drawn == [one.P for one in found.units]
    for kind, share in moved.circles.items():
        assert share == circles(plain, Question(), kind=kind).total.share
    for row in scorecard(plain).rows:
        assert (moved.status[row.row.id], moved.value[row.row.id]) == (row.status, row.figure.value)


def test_places_that_are_not_there_are_a_rebuild_without_them(tmp_path) -> None:
    asking = town()
    assumed = Assumptions(wrong=MappingProxyType({"pharmacy": 0.5}), seed=(3,))
    left = asking.worlds.study_of(assumed).city.facilities
    frame = tiny_inputs()["facilities"]
    kept = frame[frame["id"].isin([str(one).split("/")[-1] for one in left.id])]
    assert len(kept) == len(frame) - 1
    same_figures(asking.figures(assumed), rebuilt(tmp_path, facilities=kept))


def test_missed_places_are_a_rebuild_with_them(tmp_path) -> None:
    asking = town()
    assumed = Assumptions(missed=MappingProxyType({"pharmacy": 1.0}), seed=(5,))
    city = asking.worlds.study_of(assumed).city
    new = np.flatnonzero([str(one).startswith("missed/") for one in city.facilities.id])
    assert len(new) == 2
    steps = asking.worlds.draw_missed_cells("pharmacy", assumed)
    homes = city.cells.position
    on_street = gpd.GeoSeries.from_xy(*homes.xy_m[steps].T, crs=city.crs).to_crs("EPSG:4326")
    more = gpd.GeoDataFrame(
        {"id": [f"m{i}" for i in range(2)], "type": "pharmacy", "name": ["甲", "乙"]},
        geometry=list(on_street),
        crs="EPSG:4326",
    )
    frame = tiny_inputs()["facilities"]
    plain = rebuilt(tmp_path, facilities=pd.concat([frame, more], ignore_index=True))
    moved, row = asking.figures(assumed), list(asking.services).index("pharmacy")
    assert moved.P[row] == coverage(plain, Question("pharmacy")).total.P


def test_a_setting_moved_is_the_scorecard_with_that_setting() -> None:
    asking = town()
    card = asking.worlds.study.policy.scorecard
    assert card is not None
    for parameter in parameters_of(asking.worlds.study):
        if parameter.setting is None:
            continue
        value = parameter.values[-1]
        moved = asking.figures(Assumptions(answers={parameter.setting: value}))
        plain = scorecard(asking.worlds.study, settings={parameter.setting: value})
        assert moved.status == {one.row.id: one.status for one in plain.rows}
        assert moved.value == {one.row.id: one.figure.value for one in plain.rows}


SHARES = st.floats(0.0, 1.0)


@settings(max_examples=10, deadline=None)
@given(slow=SHARES, fast=SHARES, seed=st.integers(0, 99))
def test_more_speed_never_lowers_p(slow: float, fast: float, seed: int) -> None:
    low, high = sorted((0.8 + 0.4 * slow, 0.8 + 0.4 * fast))
    missed = MappingProxyType(dict.fromkeys(SERVICES, 0.5))
    one, other = (
        town().figures(Assumptions(speed=s, missed=missed, seed=(seed,))) for s in (low, high)
    )
    assert not (one.P > other.P).any()
    assert not (one.near & ~other.near).any()


@settings(max_examples=10, deadline=None)
@given(few=SHARES, many=SHARES, seed=st.integers(0, 99))
def test_thinning_never_raises_p_and_adding_never_lowers_it(
    few: float, many: float, seed: int
) -> None:
    low, high = sorted((few, many))
    for kind, better in (("wrong", 0), ("missed", 1)):
        near = [
            town().figures(Assumptions(**{kind: dict.fromkeys(SERVICES, share)}, seed=(seed,))).near
            for share in (low, high)
        ]
        assert not (near[1 - better] & ~near[better]).any()


@cache
def answer() -> Robustness:
    return robustness(lc.tiny_town().study, Question(), draws=20, seed=1)


def test_the_same_seed_gives_the_same_answer_with_any_number_of_threads() -> None:
    study = lc.tiny_town().study
    assert repr(robustness(study, Question(), draws=20, seed=1, workers=1)) == repr(answer())
    doubts = {one.service: one for one in list_doubts(study, SERVICES)}
    one, other = (joint_draws(parameters_of(study), doubts, 5, seed) for seed in (1, 2))
    assert repr(one) != repr(other)


def test_bands_verdicts_and_cells_are_of_the_draws() -> None:
    made = answer()
    pharmacy = next(one for one in made.services if one.service == "pharmacy")
    usual, low, high = pharmacy.P.usual, pharmacy.P.low, pharmacy.P.high
    assert usual == 1.0
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 1
    assert (pharmacy.always, pharmacy.sometimes, pharmacy.never) != (900, 0, 0)
    assert pharmacy.always + pharmacy.sometimes + pharmacy.never == 900
    assert {one.parameter for one in pharmacy.swings} >= {"speed", "minutes"}
    market = next(one for one in made.services if one.service == "market")
    assert (market.P.usual, market.P.low, market.always) == (None, None, None)
    unassessed = [row for row in made.rows if row.status == "NOT_ASSESSED"]
    assert unassessed
    assert all(row.holds is None and not row.flips for row in unassessed)
    for row in made.rows:
        if row.holds is not None:
            assert row.holds + sum(row.others.values()) == 20


def test_a_verdict_flips_at_the_least_share_of_a_list(tmp_path, monkeypatch) -> None:
    frame = tiny_inputs()["facilities"]
    second = frame[frame["id"] == "h1"].assign(id="h2", geometry=[frame.geometry.iloc[2]])
    both = pd.concat([frame, second], ignore_index=True)
    asking = asking_of(rebuilt(tmp_path, facilities=both), Question())
    told = ranges()
    whole = replace(told, share_last=replace(told.share_last, value=1.0))
    monkeypatch.setattr(list_tries, "ranges", lambda: whole)
    base = asking.figures(Assumptions())
    flips = list(list_tries.try_lists(asking, base, 1))
    assert base.status["A01"] == "met"
    assert ("A01", ListFlip("health_centre", "wrong", 0.26, "not_met")) in flips
    for row, flip in flips:
        for share, status in ((flip.share, flip.status), (flip.share - 0.02, base.status[row])):
            assumed = Assumptions(**{flip.kind: {flip.service: share}}, seed=(1, 3))
            assert asking.verdicts(assumed, [row])[row] == status


def test_draws_and_seeds_that_are_none_are_refused() -> None:
    study = lc.tiny_town().study
    with pytest.raises(ParameterError):
        robustness(study, Question(), draws=1)
    with pytest.raises(ParameterError):
        robustness(study, Question(), draws=10, seed=-1)


def test_outside_what_a_list_covers_nothing_is_drawn_and_nobody_is_judged() -> None:
    city: City = tiny_city()
    policy = tiny_policy()
    named = {"pharmacy": find_units(["S1"], city.units, "pharmacy")}
    city = replace(city, extents=extents_of(named, {}, city.units))
    study = study_of(city, policy, travel=tiny_travel(city, policy))
    made = robustness(study, Question("pharmacy"), draws=30, seed=2, lists=False)
    band = made.services[0]
    assert band.not_assessed == int(city.cells.residents[~study.judged("pharmacy").cell].sum())
    assert np.isnan(band.share[~study.judged("pharmacy").cell]).all()
    doubt = next(one for one in made.lists if one.service == "pharmacy")
    assert [str(city.facilities.id[i]) for i in doubt.rows] == ["p1"]
    asking = asking_of(study, Question())
    new = asking.worlds.study_of(Assumptions(missed={"pharmacy": 1.0}, seed=(7,))).city.facilities
    added = [i for i, one in enumerate(new.id) if str(one).startswith("missed/")]
    assert added
    level = city.units.levels[0]
    assert {int(new.unit[level][i]) for i in added} <= set(named["pharmacy"].tolist())


def test_two_lists_say_how_many_are_missed_and_others_take_the_policy_s_share() -> None:
    doubt = list_doubts(lc.tiny_town().study, SERVICES)[1]
    assert not doubt.estimated
    assert doubt.missed_share(0.5) == pytest.approx(0.1)
    told = replace(doubt, missed=1.0, spread=0.5)
    assert told.missed_share(0.5) == pytest.approx(0.5)  # one beside two listed
    assert told.missed_share(0.999) == 1.0  # never more than the ceiling


def test_a_hypercube_takes_every_part_of_every_range_once() -> None:
    study = lc.tiny_town().study
    doubts = {one.service: one for one in list_doubts(study, SERVICES)}
    drawn = joint_draws(parameters_of(study), doubts, 40, 1)
    speeds = np.sort([one.speed for one in drawn])
    assert (np.floor((speeds - 0.8) / 0.01).astype(int) == np.arange(40)).all()
    assert sum(one.minutes for one in drawn) == 10
    choice = Parameter("x", "choice", ("own", "a", "b"))
    assert [value_at(choice, u) for u in (0.0, 0.74, 0.76, 0.9)] == ["own", "own", "a", "b"]


def test_residents_spread_evenly_stay_in_their_unit_to_the_person() -> None:
    cells = tiny_city().cells
    cells = replace(cells, modelled=np.ones(len(cells), dtype=np.bool_))
    level = next(iter(cells.unit))
    even = spread_evenly(cells, level)
    for unit in np.unique(cells.unit[level]):
        rows = cells.unit[level] == unit
        assert even[rows].sum() == cells.residents[rows].sum()
        if unit >= 0:
            assert np.ptp(even[rows]) <= 1


def test_missed_and_wrong_places_are_judged_by_their_own_rows() -> None:
    study = lc.tiny_town().study
    worlds = asking_of(study, Question()).worlds
    worlds.study_of(Assumptions()).judged("pharmacy")
    for shares in ({"missed": {"pharmacy": 1.0}}, {"wrong": {"pharmacy": 1.0}}):
        made = worlds.study_of(Assumptions(**shares))
        assert len(made.judged("pharmacy").facility) == len(made.city.facilities)


def test_a_study_after_edits_can_be_asked_how_firm_it_is() -> None:
    city = tiny_city()  # with residential land, which the draws leave aside
    study = study_of(city, tiny_policy(), travel=tiny_travel(city))
    lon, lat = to_lonlat(city.cells.xy_m[6:7], city.crs)[0].tolist()
    edit = {"op": "add_facility", "service": "pharmacy", "lon": lon, "lat": lat}
    after = apply_edits(study, read_edits(study, [edit])).study
    found = robustness(after, Question("pharmacy"), draws=2, lists=False)
    now, before = (coverage(one, Question("pharmacy")).total.P for one in (after, study))
    assert found.services[0].P.usual == now
    assert now is not None and before is not None and now > before
