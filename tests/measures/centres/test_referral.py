"""Referral on a drawn street by hand, and its flow against every assignment there is.

::

    x       100  200   500      1450  1500             1650  1700     3000
    cells   c1                  c3                     c2             c4       legs 50 m
    places       s1    k1             k2 (hospital)          s2                legs 20 m

s1 refers to k1 (340 m), k1 to k2 (1,040 m), s2 to k2 (240 m). 15 minutes are 1,000 m.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.tiers.chains import REASONS, Contact
from lifecircle.analysis.measures.catchments.tiers.flow import ReferralModel, solve_referral
from lifecircle.analysis.measures.catchments.tiers.referral import Referral, referral
from lifecircle.analysis.measures.question import Question
from tests.worlds.capacity import costs_of
from tests.worlds.parts import study_of
from tests.worlds.referral import CELLS, PLACES, referral_city, referral_policy
from tests.worlds.tiny import Cell, Place

LONGER = 24.15  # minutes: 1,610 m


def asked(
    city: City | None = None,
    minutes: float | None = None,
    *,
    pass_by: bool = False,
    stations: bool = False,
) -> Referral:
    city = referral_city() if city is None else city
    study = study_of(city, referral_policy(stations=stations), costs=costs_of(city))
    found = referral(study, Question(minutes=minutes), pass_by=pass_by)
    lost = sum(int(cells.sum()) for cells in found.unserved.values())
    assert int(found.served.sum()) + lost == found.residents
    assert found.residents + found.not_assessed == int(city.cells.residents.sum())
    by_cell = found.served + np.sum(list(found.unserved.values()), axis=0)
    assert found.not_assessed or (by_cell == city.cells.residents).all()
    for tier in (found.stations, found.centres):
        assert ((tier.maximum < 0) | (tier.load <= tier.maximum)).all()
    return found


def sums(found: Referral) -> tuple[int, ...]:
    """Served, and unserved by reason."""
    return int(found.served.sum()), *(int(found.unserved[reason].sum()) for reason in REASONS)


def loads(city: City, tier: Contact) -> dict[str, int]:
    ids = (str(city.facilities.id[i]) for i in tier.facility)
    return dict(zip(ids, tier.load.tolist(), strict=True))


def changed(**attributes: dict[str, Any]) -> tuple[Place, ...]:
    """The places with other attributes, by id."""
    return tuple(
        replace(one, attributes={**one.attributes, **attributes.get(one.id, {})}) for one in PLACES
    )


def test_by_hand() -> None:
    """c1 walks 170 + 340 + 1,040 m by its station; c4 has nothing within 1,000 m."""
    city = referral_city()
    found = asked(city)
    assert sums(found) == (50, 40, 10, 0, 0) and found.assessed and found.minutes == 15
    assert found.served.tolist() == [0, 20, 30, 0]
    assert found.stations.leg_cm.tolist() == [34_000, 24_000]
    assert found.stations.onward_cm.tolist() == [138_000, 24_000]
    assert found.centres.leg_cm.tolist() == [104_000, 0]
    assert found.legs_cm == (50 * 12_000, 20 * 24_000, 0)
    assert loads(city, found.stations) == {"s1": 0, "s2": 20}
    assert loads(city, found.centres) == {"k1": 0, "k2": 50}
    assert found.stations.maximum.tolist() == [-1, -1]
    names = city.facilities.id
    assert [str(names[i]) for i in found.stations.refers_to] == ["k1", "k2"]
    assert [str(names[i]) for i in found.centres.refers_to] == ["k2", "k2"]


def test_the_whole_chain_counts_to_the_centimetre() -> None:
    """1,550 m are 23.25 minutes; c4 walks 1,370 m to s2 and 240 m on."""
    assert sums(asked(minutes=23.25)) == (60, 0, 40, 0, 0)
    assert sums(asked(minutes=23.249)) == (50, 0, 50, 0, 0)
    found = asked(minutes=LONGER)
    assert sums(found) == (100, 0, 0, 0, 0)
    assert found.legs_cm == (
        10 * 17_000 + 50 * 12_000 + 40 * 137_000,
        10 * 34_000 + 60 * 24_000,
        10 * 104_000,
    )


def test_a_station_passed_by_saves_the_detour() -> None:
    """c1 at once to k2 is 1,470 m, 22.05 minutes; c4 1,570 m, 23.55 minutes."""
    assert sums(asked(minutes=22.05))[0] == 50
    assert sums(asked(minutes=22.05, pass_by=True))[0] == 60
    assert sums(asked(minutes=23.55, pass_by=True))[0] == 100
    assert loads(referral_city(), asked(pass_by=True).stations) == {"s1": 0, "s2": 0}


@pytest.mark.parametrize(
    ("station", "centre", "told"),
    [
        (15, 1000, (45, 40, 10, 5, 0)),  # five of c2 find the station full
        (1000, 40, (40, 40, 10, 0, 10)),
        (5, 40, (35, 40, 10, 5, 10)),  # were the station larger, five more and no other
        (0, 1000, (30, 40, 10, 20, 0)),
    ],
)
def test_either_tier_may_be_full(station: int, centre: int, told: tuple[int, ...]) -> None:
    places = changed(s2={"capacity": station}, s1={"capacity": 1}, k2={"capacity": centre})
    found = asked(referral_city(places=places), stations=True)
    assert sums(found) == told
    assert found.served.tolist() == [0, told[0] - 30, 30, 0]  # c3 lies nearest to k2


def test_unknown_is_not_assessed() -> None:
    """Without a list of stations, without any word on hospitals, with a word on some of them."""
    no_list = asked(referral_city(places=[one for one in PLACES if one.id[0] != "s"]))
    assert no_list.missing == ("station",) and not no_list.assessed
    silent = asked(referral_city(places=changed(k1={"community_hospital": None},
                                                k2={"community_hospital": None})))  # fmt: skip
    assert silent.missing == ("hospital",)
    assert [one.key for one in silent.warnings] == ["referral_hospitals_unknown"]
    some = asked(referral_city(places=changed(k1={"community_hospital": None})))
    assert some.assessed and sums(some)[0] == 50
    assert (some.hospital_unknown, some.served_most) == (1, 60)  # were k1 one: 170 + 340 m
    none = asked(referral_city(places=changed(k2={"community_hospital": "no"})))
    assert none.assessed and sums(none) == (0, 40, 60, 0, 0)
    surveyed = asked(referral_city(
        places=[one for one in PLACES if one.id[0] != "s"], surveyed=("health_station",)
    ))  # fmt: skip
    assert surveyed.assessed and sums(surveyed) == (50, 40, 10, 0, 0)  # all go to centres at once


def test_a_policy_without_the_rule_and_odd_minutes_are_refused() -> None:
    city = referral_city()
    policy = referral_policy()
    plain = replace(policy, capacities=replace(policy.capacities, referral=None))
    with pytest.raises(ParameterError, match=r"capacities\.referral"):
        referral(study_of(city, plain, costs=costs_of(city)), Question())
    with pytest.raises(ParameterError):
        asked(city, minutes=0)


def test_no_order_of_rows_changes_anything() -> None:
    """Two stations in one house, two cells in another, less room than people."""
    places = (*changed(s1={"capacity": 0}, s2={"capacity": 12}, k2={"capacity": 50}),
              replace(PLACES[1], id="s3", attributes={"capacity": 9}))  # fmt: skip
    cells = (*CELLS, Cell("c5", 1650, 50, 20), Cell("c6", 1450, 50, 9))
    answers = []
    for step in (1, -1):
        city = referral_city(places=places[::step], cells=cells[::step])
        found = asked(city, stations=True)
        ids = city.cells.id.tolist()
        answers.append((
            loads(city, found.stations), loads(city, found.centres),
            dict(zip(ids, found.served.tolist(), strict=True)), sums(found),
        ))  # fmt: skip
    assert answers[0] == answers[1]


# ---- brute force -------------------------------------------------------------------------


def drawn_model(rng: np.random.Generator) -> ReferralModel:
    cells, stations, centres = (int(rng.integers(1, top)) for top in (4, 4, 3))
    centre_of = rng.integers(-1, centres, stations).astype(np.int32)
    usable = np.append(centre_of >= 0, np.ones(centres, dtype=bool))
    pairs = np.argwhere((rng.random((cells, stations + centres)) < 0.6) & usable)
    return ReferralModel(
        rng.integers(0, 4, cells),
        Arcs.from_pairs(
            cells,
            pairs[:, 0].astype(np.int32),
            pairs[:, 1].astype(np.int32),
            rng.integers(0, 9, len(pairs)),
        ),
        centre_of,
        rng.integers(0, 3, stations),
        rng.integers(0, 6, centres),
    )


def spread(persons: int, ways: int) -> Iterator[tuple[int, ...]]:
    """Every way to send up to so many persons."""
    for parts in itertools.product(range(persons + 1), repeat=ways):
        if sum(parts) <= persons:
            yield parts


def best_by_trying(model: ReferralModel, station_max: np.ndarray) -> tuple[int, int]:
    """Most served and the least walked then, of all assignments."""
    arcs, stations = model.arcs, len(model.station_max)
    choices = [
        list(spread(int(people), int(ways)))
        for people, ways in zip(model.persons, np.diff(arcs.start), strict=True)
    ]
    best = (0, 0)
    for chosen in itertools.product(*choices):
        sent = np.array([one for parts in chosen for one in parts], dtype=np.int64)
        load = np.bincount(arcs.centre, sent, stations + len(model.centre_max))
        at_centre = load[stations:].copy()
        for station, centre in enumerate(model.centre_of):
            if centre >= 0:
                at_centre[centre] += load[station]
        if (load[:stations] <= station_max).all() and (at_centre <= model.centre_max).all():
            best = max(best, (int(sent.sum()), -int((sent * arcs.cost).sum())))
    return best


def test_the_flow_is_the_best_of_all_assignments() -> None:
    rng = np.random.default_rng(14)
    full_at = np.zeros(2, dtype=np.int64)
    for _ in range(200):
        model = drawn_model(rng)
        ways = np.diff(model.arcs.start)
        if np.prod((model.persons + 1.0) ** ways) > 5_000:
            continue
        flow = solve_referral(model)
        assert (int(flow.served.sum()), -flow.person_cm) == best_by_trying(model, model.station_max)
        roomy = best_by_trying(model, np.full(len(model.station_max), 99))[0]
        assert int((flow.served + flow.station_full).sum()) == roomy
        able = np.where(ways > 0, model.persons, 0)
        assert (flow.served + flow.station_full + flow.centre_full == able).all()
        assert min(flow.station_full.min(), flow.centre_full.min(), flow.served.min()) >= 0
        full_at += (flow.station_full.sum() > 0, flow.centre_full.sum() > 0)
    assert (full_at > 10).all()  # both tiers were full often enough to be tried


def test_the_rule_of_the_plan_is_read() -> None:
    from lifecircle.analysis.policy import load_policy

    rule = load_policy().capacities.referral
    assert rule is not None
    assert (rule.station, rule.centre, rule.minutes.value) == (
        "health_station",
        "health_centre",
        15,
    )
    assert rule.minutes.clause
