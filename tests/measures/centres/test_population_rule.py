"""The rule 3万–10万 on small towns: both readings, the four states, what leaves it undecided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lifecircle.analysis.city.model import City
from lifecircle.analysis.measures.catchments.population_rule import needed_centres, population_rule
from lifecircle.analysis.measures.catchments.rule_result import STATES, RuleResult, RuleRow
from tests.worlds.capacity import capacity_policy, centre, costs_of
from tests.worlds.parts import study_of
from tests.worlds.tiny import Cell, Place, Street, Unit, make_city, tiny_policy

WIDTH = 1000  # metres of each street (街道), side by side from west to east
UNKNOWN = {"ownership": None}
PRIVATE = {"ownership": "private"}


def town(people: list[int | None], *places: Place, totals: list[int] | None = None) -> City:
    """Streets S0, S1 ... with all their residents in the middle (100 = 1万; None: unknown)."""
    units = [
        Unit(f"S{i}", f"{i}街道", "subdistrict", ((WIDTH * i, -500, WIDTH * (i + 1), 500),), None,
             None if totals is None else totals[i], f"Street {i}")
        for i in range(len(people))
    ]  # fmt: skip
    cells = [
        Cell(f"c{i}", WIDTH * i + WIDTH / 2, 50, count)
        for i, count in enumerate(people)
        if count is not None
    ]
    return make_city(
        streets=(Street(0, 0, WIDTH * len(people)),), units=units, levels=("subdistrict",),
        cells=cells, places=places,
    )  # fmt: skip


def at(i: float, name: str = "", **attributes: Any) -> Place:
    """A centre in the middle of street i."""
    return centre(name or f"h{i}", WIDTH * i + WIDTH / 2 + 10, **attributes)


def judged(city: City, **changes: Any) -> RuleResult:
    found = population_rule(
        study_of(city, replace(capacity_policy(), **changes), costs=costs_of(city))
    )
    assert found is not None
    assert sum(found.states.values()) == len(found.rows)
    assert tuple(found.states) == STATES
    return found


def rows(city: City) -> list[RuleRow]:
    return sorted(judged(city).rows, key=lambda row: int(row.code[1:]))


def notes(row: RuleRow) -> set[str]:
    return {note.key for note in row.notes}


@pytest.mark.parametrize(
    ("residents", "needed"),
    [(0, (1, 1)), (299, (1, 1)), (300, (1, 1)), (599, (1, 1)), (600, (1, 2)), (1000, (1, 3)),
     (1001, (2, 3)), (2000, (2, 6)), (2001, (3, 6))],
)  # fmt: skip
def test_centres_needed(residents: int, needed: tuple[int, int]) -> None:
    assert needed_centres(residents, 300, 1000) == needed


@pytest.mark.parametrize(("residents", "fewest"), [(0, 1), (1000, 1), (1001, 2)])
def test_without_a_minimum_the_most_is_not_told(residents: int, fewest: int) -> None:
    assert needed_centres(residents, 0, 1000) == (fewest, None)


def test_a_rule_without_a_minimum_is_held_by_its_maximum_alone() -> None:
    """Many centres are no surplus and few residents no shortage; too many residents still are."""
    far = 10
    people = [500] + [0] * far + [1300] + [0] * far + [10]
    places = (at(0, "a"), at(0.1, "b"), at(0.2, "c"), at(far + 1), at(2 * far + 2))
    found = judged(town(people, *places), services=capacity_policy(0).services)
    rows = sorted(found.rows, key=lambda row: int(row.code[1:]))
    many, full, small = rows[0], rows[far + 1], rows[2 * far + 2]
    assert (many.state, many.needed_from, many.needed_to) == ("达标", 1, None)
    assert (full.state, full.needed_from, full.reading_b) == ("达标但超载", 2, False)
    assert (small.state, small.reading_b, small.notes) == ("达标", True, ())
    assert (found.minimum, found.needed_from, found.needed_to) == (0, 2, None)
    assert found.needed_by_unit_to is None


def test_the_four_states() -> None:
    """One street each: fine, too full, none, too many, and a small one with its note."""
    far = 10  # empty streets between, so that nobody joins anybody
    people = [500] + [0] * far + [1300] + [0] * far + [620] + [0] * far + [250]
    full, many, small = far + 1, 2 * far + 2, 3 * far + 3
    city = town(
        people, at(0), at(full), at(many, "a"), at(many + 0.1, "b"), at(many + 0.2, "d"), at(small)
    )
    found = rows(city)
    assert (found[0].state, found[0].reading_a, found[0].reading_b) == ("达标", True, True)
    assert (found[full].state, found[full].reading_a, found[full].reading_b) == (
        "达标但超载", True, False)  # fmt: skip
    assert notes(found[full]) == {"rule_more_needed"} and found[full].met
    assert (found[many].state, found[many].government) == ("富余", 3)
    assert (found[many].needed_from, found[many].needed_to) == (1, 2)
    assert found[small].state == "达标" and notes(found[small]) == {"rule_below_minimum"}
    assert "服务人口不足" in found[small].notes[0].text("zh")
    assert found[small].reading_b is False and found[small].met


def test_the_bounds_belong_to_the_range() -> None:
    for residents, met in ((299, False), (300, True), (1000, True), (1001, False)):
        row = rows(town([residents], at(0)))[0]
        assert row.reading_b is met and row.reading_a
        assert row.state == ("达标但超载" if residents > 1000 else "达标")
        assert ("rule_below_minimum" in notes(row)) == (residents < 300)


def test_surplus_begins_above_what_the_floor_allows() -> None:
    for residents, centres, state in (
        (599, 1, "达标"), (599, 2, "富余"), (600, 2, "达标"), (600, 3, "富余"), (100, 2, "富余"),
    ):  # fmt: skip
        places = [at(0.01 * k, f"h{k}") for k in range(centres)]
        assert rows(town([residents], *places))[0].state == state


def test_a_street_without_joins_where_most_of_its_people_go() -> None:
    """S1 has none: its people are nearer to S0, and both together lie in the range."""
    found = rows(town([500, 280, 600], at(0.4), at(2)))
    assert [row.state for row in found] == ["达标", "达标", "达标"]
    assert found[1].group == ("S1", "S0") and found[1].group_residents == 780
    assert (found[1].reading_a, found[1].reading_b, found[1].met) == (False, True, True)
    assert found[1].per_centre is None and found[1].group_per_centre == 780
    assert found[0].group == ("S0", "S1") and found[2].group == ("S2",)
    crowded = rows(town([800, 280, 600], at(0.4), at(2)))
    assert [row.state for row in crowded] == ["达标但超载", "缺口", "达标"]  # 1,080 to one centre
    assert crowded[0].reading_a and crowded[0].met and crowded[0].reading_b is False
    assert notes(crowded[0]) == {"rule_group_more_needed"} and notes(crowded[1]) == set()
    assert crowded[0].notes[0].params == {"per_centre": 1080, "maximum": 1000, "count": 1}
    full = rows(town([720, 280, 600], at(0.4), at(2)))  # just 1,000
    assert [row.state for row in full] == ["达标"] * 3 and notes(full[0]) == set()
    both = rows(town([1100, 280, 600], at(0.4), at(2)))
    assert notes(both[0]) == {"rule_more_needed", "rule_group_more_needed"}
    spare = rows(town([600, 2500, 600], at(0.2), at(0.3, "b"), at(0.4, "c"), at(2.4)))
    assert (spare[0].government, spare[0].group_residents, spare[0].group_centres) == (3, 3100, 3)
    assert spare[0].state == "达标但超载"  # before 富余: the first that fits
    alone = rows(town([800]))
    assert alone[0].state == "NOT_ASSESSED" and alone[0].missing == ("facilities",)


def test_who_might_yet_join_is_told_where_it_would_crowd_the_centre() -> None:
    """S1's only centre may be private; its people would then go to S0, which is full with them."""
    first, second, _ = rows(town([800, 280, 600], at(0.4), at(1, **UNKNOWN), at(2)))
    assert (first.state, first.group, notes(first)) == ("达标", ("S0",), {"rule_group_undecided"})
    assert first.notes[0].params == {"per_centre": 1080, "maximum": 1000, "count": 1}
    assert second.state == "NOT_ASSESSED"
    fits = rows(town([720, 280, 600], at(0.4), at(1, **UNKNOWN), at(2)))
    assert notes(fits[0]) == set()


def test_nobody_has_one() -> None:
    city = replace(town([800, 100]), surveyed=frozenset({"health_centre"}))
    found = judged(city)
    assert [row.state for row in found.rows] == ["缺口", "缺口"]
    assert (found.share_a, found.share_b, found.share_met) == (0, 0, 0)
    assert (found.needed_from, found.needed_to, found.per_centre) == (1, 3, None)
    assert (found.needed_by_unit_from, found.needed_by_unit_to) == (2, 3)


def test_who_runs_it_decides() -> None:
    """Private does not count; unknown leaves it open, unless a known one is there."""
    private = rows(town([500, 400], at(0, **PRIVATE), at(1)))
    assert private[0].state == "达标" and private[0].reading_a is False  # together 900
    assert private[0].private == 1 and notes(private[0]) == {"rule_private_only"}
    unknown = judged(town([500, 400], at(0, **UNKNOWN), at(1)))
    row = unknown.rows[0]
    assert (row.state, row.reading_a, row.reading_b, row.met) == ("NOT_ASSESSED", None, None, None)
    assert row.missing == ("ownership",)
    assert [w.key for w in unknown.warnings] == ["rule_undecided"]
    assert (unknown.share_met, unknown.share_met_lower, unknown.share_met_upper) == (1, 0.5, 1)
    settled = rows(town([500], at(0), at(0.1, "other", **UNKNOWN)))[0]
    assert settled.state == "达标" and "rule_more_unknown" in notes(settled)


def test_an_undecided_neighbour_leaves_a_joined_street_open_only_where_it_matters() -> None:
    """S1 joins S0; S2 (owner unknown) would join S0 as well if its centre is private."""
    people = [300, 200, 300]
    easy = rows(town(people, at(0.4), at(2, **UNKNOWN)))
    assert easy[1].reading_b is True and easy[1].state == "达标"  # 500 or 800: both in range
    hard = rows(town([600, 300, 300], at(0.4), at(2, **UNKNOWN)))
    assert hard[1].reading_b is None and hard[1].state == "NOT_ASSESSED"  # 900 or 1,200
    lost = rows(town([900, 300, 300], at(0.4), at(2, **UNKNOWN)))
    assert lost[1].reading_b is False and lost[1].state == "缺口"  # 1,200 or 1,500


def test_stations_are_no_centres_and_places_outside_count_nowhere() -> None:
    found = judged(town([500], at(0, level="station"), at(0.2, "real", level="centre")))
    assert found.rows[0].government == 1
    outside = judged(town([500, 500], at(0), centre("far", 1900, 700)))
    assert outside.rows[1].government == 0 and outside.government == 1


def test_unknown_residents() -> None:
    city = town([500, None], at(0), at(1))
    row = rows(city)[1]
    assert row.residents is None and row.reading_a and row.met
    assert (row.state, row.reading_b, row.needed_from) == ("达标", None, None)
    assert notes(row) == {"rule_residents_unknown"} and row.missing == ("residents",)


def test_the_area_as_a_whole() -> None:
    found = judged(town([500, 1300, 620], at(0), at(1.4), at(2, "x"), at(2.1, "y", **PRIVATE)))
    assert (found.residents, found.government, found.private) == (2420, 3, 1)
    assert found.per_centre == pytest.approx(2420 / 3)
    assert (found.needed_from, found.needed_to) == (3, 8)
    assert found.share_a == 1 and found.share_met == 1


def test_without_a_rule_or_a_street_there_is_none() -> None:
    city = town([500], at(0))
    assert population_rule(study_of(city, tiny_policy(), costs=costs_of(city))) is None
    policy = capacity_policy()
    rule = policy.capacities.population_rule
    assert rule is not None
    elsewhere = replace(
        policy,
        capacities=replace(policy.capacities, population_rule=replace(rule, levels=("district",))),
    )
    assert population_rule(study_of(city, elsewhere, costs=costs_of(city))) is None


def test_notes_speak_both_languages() -> None:
    city = town([250, 1300, 400], at(0), at(1.2), at(2, **PRIVATE), at(1.3, "q", **UNKNOWN))
    for row in rows(city):
        for note in row.notes:
            assert note.text("zh") and note.text("en") and "{" not in note.text("zh")
