"""Catchments on the tiny city: every load by hand, odd input, and the traps others fell into."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.catchments import UNLIMITED, Catchments
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question
from tests.worlds.capacity import asked, capacity_policy, centre, city_with, loads
from tests.worlds.parts import study_of
from tests.worlds.tiny import TINY_CELLS, Cell, walks

H1, H2 = centre("h1", 500), centre("h2", 5000)
METRES = 1000 / 900 * 60  # walked in a minute


def keys(found: Catchments) -> set[str]:
    return {warning.key for warning in found.warnings}


def conserved(found: Catchments) -> None:
    """Served + unserved = residents, to the person, in both solutions; no load above a maximum."""
    for solution in (found.natural, found.balanced):
        assert solution.served + solution.reachable_full + solution.unreachable == found.residents
        assert solution.served == sum(c.load for c in solution.centres)
        for one in solution.centres:
            assert one.overload == max(0, one.load - one.maximum)
            assert one.underload == max(0, one.minimum - one.load)
            over, under = one.overload > 0, one.underload > 0
            assert one.state == ("overload" if over else "underload" if under else "within")
    assert all(c.overload == 0 for c in found.balanced.centres)
    assert found.balanced.bound <= found.balanced.person_minutes or found.balanced.gap is None


def test_natural_by_hand() -> None:
    city = city_with(H1, H2)
    found = asked(city, capacity_policy(300, 800), minutes=UNLIMITED)
    conserved(found)
    assert loads(found, city, "natural") == {"h1": 1000, "h2": 750}
    first, second = found.natural.centres
    assert (first.state, first.overload, second.state) == ("overload", 200, "within")
    assert (found.natural.reachable_full, found.natural.unreachable) == (0, 60 + 100)
    east = {"c1": 300, "c2": 400, "c3": 900, "c4": 2000, "c5": 1500, "c6": 600, "c7": 500}
    residents = {cell.id: cell.residents for cell in TINY_CELLS}
    walked = sum(residents[name] * (metres + 70) for name, metres in east.items())
    assert found.natural.person_minutes == pytest.approx(walked / METRES)
    assert found.minutes is None


def test_balanced_holds_maxima_and_walks_least() -> None:
    """c4 and c5 lie between: 150 too many for 800 each, the farthest stay out."""
    city = city_with(H1, H2)
    found = asked(city, capacity_policy(300, 800), minutes=UNLIMITED)
    assert loads(found, city) == {"h1": 800, "h2": 800}
    assert (found.balanced.reachable_full, found.balanced.unreachable) == (150, 160)
    c4 = city.cells.id.tolist().index("c4")
    assert found.unserved[c4] == 150  # 2,000 m from h1, farther than anyone else
    roomy = asked(city, capacity_policy(900, 1000), minutes=UNLIMITED)
    assert loads(roomy, city) == {"h1": 900, "h2": 850}  # floors want 1,800 of 1,750
    assert roomy.balanced.underload == 50
    pulled = asked(city, capacity_policy(800, 1000), minutes=UNLIMITED)
    assert loads(pulled, city) == {"h1": 950, "h2": 800} and pulled.balanced.underload == 0
    assert pulled.balanced.split_cells == 1
    conserved(pulled)


def test_within_the_minutes_and_at_the_very_limit() -> None:
    """AccessMod #394: a catchment of 60 minutes stopped at 59. Here the limit itself belongs."""
    city = city_with(H1, H2)
    found = asked(city)
    assert found.minutes == 15
    assert loads(found, city) == {"h1": 600, "h2": 500}
    assert found.balanced.unreachable == 400 + 250 + 160
    edge = [*TINY_CELLS, Cell("edge", 1430, 50, 40), Cell("past", 1431, 50, 7)]
    exact = city_with(H1, H2, cells=edge)
    at = asked(exact)
    assert loads(at, exact)["h1"] == 600 + 40
    names = exact.cells.id.tolist()
    assert at.unserved[names.index("edge")] == 0 and at.unserved[names.index("past")] == 7


def test_shared_ground_is_counted_once() -> None:
    """AccessMod #340: overlapping capacities were summed. Two centres stand at one place."""
    city = city_with(H1, centre("twin", 500), H2)
    found = asked(city)
    conserved(found)
    assert loads(found, city)["h1"] + loads(found, city)["twin"] == 600
    share = found.balanced.served / found.residents
    assert share == pytest.approx(1100 / 1910)
    assert sum(c.maximum for c in found.balanced.centres) == 3000  # offered, not realised


def test_scaling_up_starts_at_nothing() -> None:
    """AccessMod #219: the curve began at 17 % before any centre. Here it begins at 0."""
    policy = capacity_policy()
    shares = []
    for places in ((), (H1,), (H1, H2)):
        city = city_with(*places, surveyed=("health_centre",))
        found = asked(city, policy)
        conserved(found)
        shares.append(found.balanced.served / found.residents)
        table = coverage(
            study_of(
                city,
                policy,
                travel=walks(city, tuple(policy.services)),
                catchments={"health_centre": found},
            ),
            Question(service="health_centre"),
        )
        assert shares[-1] == table.total.C
        assert table.total.P is not None and shares[-1] <= table.total.P
    assert shares == [0.0, 600 / 1910, 1100 / 1910]


def test_coverage_c_and_the_gaps_over_capacity() -> None:
    policy = capacity_policy(100, 500)
    city = city_with(H1, H2)
    travel = walks(city, tuple(policy.services))
    found = asked(city, policy)
    assert loads(found, city) == {"h1": 500, "h2": 500}
    table = coverage(
        study_of(city, policy, travel=travel, catchments={"health_centre": found}),
        Question(service="health_centre"),
    )
    assert (table.total.P, table.total.C) == (1100 / 1910, 1000 / 1910)
    assert [w.key for w in table.warnings if w.key.startswith("coverage_other")] == []
    for row in (table.total, *table.units):
        assert row.C is None or row.P >= row.C
    without = coverage(study_of(city, policy, travel=travel), Question(service="health_centre"))
    assert without.total.C is None
    assert "coverage_no_catchments" in {w.key for w in without.warnings}
    later = coverage(
        study_of(city, policy, travel=travel, catchments={"health_centre": found}),
        Question(service="health_centre", minutes=20),
    )
    assert later.total.C == table.total.C  # the same residents are near enough in 20 minutes
    assert [w.key for w in later.warnings if w.key.startswith("coverage_other")] == []
    plain = gaps(study_of(city, policy, travel=travel), Question(service="health_centre"))
    full = gaps(
        study_of(city, policy, travel=travel, catchments={"health_centre": found}),
        Question(service="health_centre"),
    )
    assert sum(gap.residents for gap in plain) == 1910 - 1100
    assert sum(gap.residents for gap in full) == 1910 - 1000
    over = [gap for gap in full if gap.reason == "over_capacity"]
    assert [gap.residents for gap in over] == [100]
    assert city.cells.id[over[0].cells].tolist() == ["c3"]


def test_closed_at_the_borders_of_subdistricts() -> None:
    """The border is at x 3000: h3 stands west of it and c5 lives east of it."""
    city = city_with(H1, centre("h3", 2990))
    open_ = asked(city, minutes=UNLIMITED)
    closed = asked(city, minutes=UNLIMITED, closed=True)
    assert open_.balanced.served == 1750
    assert closed.balanced.served == 1000  # S1 only
    assert closed.natural.served == 1750  # what people do knows no border
    within = asked(city, closed=True)
    assert loads(within, city) == {"h1": 600, "h3": 400}
    policy = capacity_policy()
    bare = replace(policy, capacities=replace(policy.capacities, closed_levels=("estate",)))
    with pytest.raises(ParameterError) as refused:
        asked(city, bare, closed=True)
    assert refused.value.key == "catchments_nothing_to_close"


def test_whole_cells_state_what_they_cost() -> None:
    city = city_with(H1, H2)
    policy = capacity_policy(800, 1000)
    split, whole = (asked(city, policy, minutes=UNLIMITED, whole=w) for w in (False, True))
    assert split.balanced.split_cells == 1 and whole.balanced.split_cells == 0
    assert loads(whole, city) == {"h1": 850, "h2": 900}  # c4 and c5 change places
    bound = split.balanced.person_minutes
    assert (whole.balanced.least_underload, whole.balanced.bound) == (0, bound)
    moved = 400 * (2500 - 2000) + 250 * (3000 - 1500)  # metres more than the nearest
    assert whole.balanced.person_minutes == pytest.approx(
        (split.natural.person_minutes * METRES + moved) / METRES
    )
    assert whole.balanced.gap == pytest.approx(whole.balanced.person_minutes / bound - 1)
    easy = asked(city, minutes=UNLIMITED, whole=True)
    assert easy.balanced.gap == 0.0


def test_own_capacity_estimates_and_unknown() -> None:
    city = city_with(
        centre("own", 500, capacity=250),
        centre("floor", 2500, built_area=1500),
        centre("huge", 3600, built_area="2500"),
        centre("small", 4400, built_area=300),
        centre("odd", 5500, capacity=None),
    )
    policy = capacity_policy()
    ruled = capacity_of(city, policy, "health_centre")
    ids = city.facilities.id[ruled.facility].tolist()
    assert dict(zip(ids, ruled.maximum.tolist(), strict=True)) == {
        "own": 250,
        "floor": 1000,
        "huge": 1000,
        "small": 1000,
        "odd": 1000,
    }
    assert dict(zip(ids, ruled.minimum.tolist(), strict=True))["own"] == 250
    assert {w.key for w in ruled.warnings} == {"capacity_below_floor"}
    guessed = capacity_of(city, policy, "health_centre", estimates=True)
    by_id = dict(zip(ids, zip(guessed.maximum.tolist(), guessed.basis, strict=True), strict=True))
    assert by_id == {
        "own": (250, "stated"),
        "floor": (400, "estimate"),
        "huge": (900, "estimate"),
        "small": (1000, "rule"),
        "odd": (1000, "rule"),
    }
    found = asked(city, policy, estimates=True)
    assert {"capacity_estimated", "capacity_not_estimated"} <= keys(found)
    assert [c.estimated for c in found.balanced.centres].count(True) == 2


def test_beds_serve_the_old_and_area_serves_all() -> None:
    """Nothing in the engine is about health: beds for 65+, square metres for everyone."""
    city = city_with(
        centre("e1", 500, service="elder_care", beds=60),
        centre("e2", 5000, service="elder_care", beds=None),
        centre("p1", 500, service="park", effective_area=400),
        centre("p2", 5000, service="park"),
    )
    policy = capacity_policy()
    assert policy.capacity_services == ("health_centre", "elder_care", "park")
    old = asked(city, policy, service="elder_care")
    assert old.group == "65" and old.residents == sum(c.old for c in TINY_CELLS)
    assert loads(old, city) == {"e1": 60} and old.balanced.reachable_full == 20 + 30 + 40 - 60
    assert city.facilities.id[list(old.not_offered)].tolist() == ["e2"]
    assert "capacity_unknown" in keys(old)
    park = asked(city, policy, service="park")
    assert loads(park, city) == {"p1": 200}
    assert [c.basis for c in park.balanced.centres] == ["area"]
    travel = walks(city, tuple(policy.services))
    everyone = coverage(
        study_of(city, policy, travel=travel, catchments={"elder_care": old}),
        Question(service="elder_care"),
    )
    assert everyone.total.C is None
    assert "coverage_other_group" in {w.key for w in everyone.warnings}
    group = coverage(
        study_of(city, policy, travel=travel, catchments={"elder_care": old}),
        Question(service="elder_care", group="65"),
    )
    assert 60 / old.residents == group.total.C
    assert "coverage_capacity_partly_unknown" in {w.key for w in group.warnings}
    nobody = asked(city_with(centre("e3", 500, service="elder_care")), policy, service="elder_care")
    assert not nobody.assessed and nobody.balanced.centres == ()
    unknown = coverage(
        study_of(city, policy, travel=travel, catchments={"elder_care": nobody}),
        Question(service="elder_care", group="65"),
    )
    assert unknown.total.C is None
    assert "coverage_capacity_unknown" in {w.key for w in unknown.warnings}


def test_odd_input() -> None:
    policy = capacity_policy()
    shut = asked(city_with(H1, centre("shut", 1400, capacity=0)), policy)
    conserved(shut)
    assert "catchments_no_capacity" in keys(shut)
    assert [c.load for c in shut.balanced.centres] == [600, 0]
    island = city_with(H1, centre("isle", 3300, 2980), centre("lost", 2000, 1500))
    found = asked(island, policy, minutes=UNLIMITED)
    conserved(found)
    assert loads(found, island) == {"h1": 1000, "isle": 100, "lost": 0}
    assert "catchments_centres_off_streets" in keys(found)
    few = asked(city_with(H1, H2), capacity_policy(5000, 9000), minutes=UNLIMITED)
    conserved(few)
    assert few.balanced.served == 1750 and few.balanced.underload == 10_000 - 1750
    assert "catchments_floors_above_residents" in keys(few)
    contrary = asked(city_with(H1, H2), capacity_policy(2000, 500), minutes=UNLIMITED)
    conserved(contrary)
    assert [c.load for c in contrary.balanced.centres] == [500, 500]
    empty = asked(city_with(H1, cells=[Cell("e", 700, 50, 0)]), policy)
    conserved(empty)
    assert empty.residents == 0 and empty.balanced.underload == 300
    with pytest.raises(UnknownNameError) as refused:
        asked(city_with(H1), policy, service="market")
    assert refused.value.key == "service_without_capacity"
    for question in ({"service": "nothing"}, {"walker": "nobody"}):
        with pytest.raises(UnknownNameError):
            asked(city_with(H1), policy, **question)
    with pytest.raises(ParameterError):
        asked(city_with(H1), policy, minutes=-1)


def test_more_pairs_than_memory_is_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecircle.analysis.measures.catchments.catchments._MOST_PAIRS", 19)
    with pytest.raises(ParameterError) as refused:
        asked(city_with(H1, H2), minutes=UNLIMITED)
    assert refused.value.key == "catchments_too_large" and "20" in refused.value.text("zh")
    assert asked(city_with(H1, H2)).balanced.served == 1100


def test_other_walkers_reach_less() -> None:
    city = city_with(H1, H2)
    older = asked(city, walker="older")
    assert older.balanced.served == 100 + 200 + 150 + 350  # c3 is 970 m away, he walks 720
    assert older.walker == "older"


def test_messages_are_told_in_both_languages() -> None:
    city = city_with(H1, centre("shut", 1400, capacity=0), centre("lost", 2000, 1500))
    for found in (asked(city), asked(city, estimates=True), asked(city, closed=True)):
        for warning in found.warnings:
            for lang in ("zh", "en"):
                text = warning.text(lang)  # type: ignore[arg-type]
                assert text and "{" not in text


few = settings(max_examples=40, deadline=None, derandomize=True)


@few
@given(
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 900)), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 1500)), min_size=1, max_size=4),
    st.integers(0, 900),
    st.booleans(),
)
def test_what_must_hold_on_any_street(
    homes: list[tuple[int, int]], centres: list[tuple[int, int]], floor: int, whole: bool
) -> None:
    cells = [Cell(f"c{i}", x, 50, n) for i, (x, n) in enumerate(homes)]
    places = [centre(f"h{i}", x, capacity=n) for i, (x, n) in enumerate(centres)]
    policy = capacity_policy(floor, 2000)
    city = city_with(*places, cells=cells)
    travel = walks(city, tuple(policy.services))
    found = asked(city, policy, whole=whole)
    conserved(found)
    if not whole:
        table = coverage(
            study_of(city, policy, travel=travel, catchments={"health_centre": found}),
            Question(service="health_centre"),
        )
        for row in (table.total, *table.units):
            assert (row.C is None) == (row.P is None)
            assert row.C is None or row.P >= row.C
        missing = gaps(
            study_of(city, policy, travel=travel, catchments={"health_centre": found}),
            Question(service="health_centre"),
        )
        assert sum(gap.residents for gap in missing) == found.residents - found.balanced.served
    wide = asked(city, policy, minutes=UNLIMITED)
    conserved(wide)
    assert wide.balanced.served >= found.balanced.served
    assert wide.natural.person_minutes <= wide.balanced.person_minutes or (
        wide.natural.served > wide.balanced.served
    )
