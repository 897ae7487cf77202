"""Equity: by hand on the drawn city, against a naive oracle person by person, and invariants."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import ParameterError, UnknownNameError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.equity import inequality
from lifecircle.analysis.measures.equity.equity import equity
from lifecircle.analysis.measures.equity.inequality import Spread
from lifecircle.analysis.measures.question import Question
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city, tiny_policy, tiny_travel, without

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def spread(levels: list[tuple[int, int]]) -> Spread:
    return Spread.of(
        np.array([cm for cm, _ in levels], dtype=np.int32),
        np.array([persons for _, persons in levels], dtype=np.int64),
    )


# ---- by hand -------------------------------------------------------------------------------


def test_health_centre_by_hand() -> None:
    # the centre stands at x 500, 20 m off; cells 50 m off: walk = 70 + |x - 500| metres:
    # c1 370 (100), c2 470 (200), c3 970 (300), c4 2070 (400), c5 3070 (250), c6 3970 (150),
    # c7 5070 (350); c8 (60) unsnapped, c9 and c10 (100) on an island.
    found = equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre"))
    total = found.total
    assert (total.residents, total.without_way) == (1910, 160)
    assert (total.sufficient, total.below) == (600, 1310)
    assert total.below_share == 1310 / 1910
    walked = 100 * 370 + 200 * 470 + 300 * 970 + 400 * 2070 + 250 * 3070 + 150 * 3970 + 350 * 5070
    metres_per_minute = 1000 / 15
    assert total.mean_minutes == pytest.approx(walked / 1750 / metres_per_minute)
    assert total.median_minutes == pytest.approx(2070 / metres_per_minute)  # 600 < 875 <= 1000
    beyond = 400 * 1070 + 250 * 2070 + 150 * 2970 + 350 * 4070
    assert total.excess_minutes == pytest.approx(beyond / 1150 / metres_per_minute)
    # Palma: 175 persons of c7 against the first 700: c1, c2, c3 and 100 of c4
    lowest = (100 * 370 + 200 * 470 + 300 * 970 + 100 * 2070) / 700
    assert total.palma == pytest.approx(5070 / lowest)
    assert found.tenths[-1] == pytest.approx(5070 / metres_per_minute)
    assert np.mean(found.tenths) == pytest.approx(total.mean_minutes)


def test_worst_tenth_by_hand() -> None:
    # 191 of 1,910 are a tenth: 160 have no way, c7 (350) comes next and is taken whole
    worst = equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre")).worst
    assert worst is not None
    assert (worst.persons, worst.without_way) == (510, 160)
    assert worst.cells.tolist() == [6, 7, 8, 9]
    assert worst.from_minutes == pytest.approx(5070 * 15 / 1000)
    assert worst.mean_minutes == pytest.approx(5070 * 15 / 1000)
    assert [(unit.code, unit.persons, unit.share) for unit in worst.units] == [
        ("C4", 410, 1.0),
        ("C5", 100, 1.0),
    ]
    kids = 10 + 1 + 2
    old = 70 + 9 + 25 + 5
    assert worst.groups == (
        ("total", 510, 510 / 1910),
        ("0_3", kids, kids / int(CITY.cells.groups["0_3"].value.sum())),
        ("65", old, old / int(CITY.cells.groups["65"].value.sum())),
    )


def test_units_and_groups_by_hand() -> None:
    found = equity(
        study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", group="65")
    )
    assert [row.code for row in found.groups] == ["total", "0_3", "65"]
    assert found.groups[2].residents == found.total.residents == 319
    assert replace(found.groups[2], code="total", name="total") == found.total
    one = next(row for row in found.units if row.code == "C1")
    assert (one.residents, one.gini is not None, one.sufficient) == (50, True, 50)
    # 20 old people walk 370 m, 30 walk 470 m: half the mean difference / the mean
    assert one.gini == pytest.approx(20 * 30 * 100 / 2500 / (20 * 370 + 30 * 470) * 50)
    island = next(row for row in found.units if row.code == "C5")
    assert (island.residents, island.without_way, island.gini, island.palma) == (30, 30, None, None)
    assert (island.below, island.below_share, island.mean_minutes) == (30, 1.0, None)


def test_sufficiency_is_coverage() -> None:
    for service in ("pharmacy", "convenience_store", "swimming_pool"):
        for group in ("total", "65", "0_3"):
            fair = equity(
                study_of(CITY, POLICY, travel=TRAVEL), Question(service=service, group=group)
            )
            plain = coverage(
                study_of(CITY, POLICY, travel=TRAVEL), Question(service=service, group=group)
            )
            assert fair.total.sufficient == plain.total.covered
            assert [row.sufficient for row in fair.units] == [row.covered for row in plain.units]


def test_not_assessed_and_nobody() -> None:
    unknown = equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="market"))
    assert unknown.total.residents == 1910
    assert (unknown.total.gini, unknown.total.below, unknown.worst, unknown.tenths) == (
        None,
        None,
        None,
        (),
    )
    assert unknown.warnings[0].key == "service_not_assessed"
    none = equity(
        study_of(CITY, POLICY, travel=TRAVEL), Question(service="swimming_pool")
    )  # surveyed: there is none
    assert (none.total.without_way, none.total.below, none.total.gini) == (1910, 1910, None)
    assert none.worst is not None
    assert (none.worst.persons, none.worst.from_minutes) == (1910, None)
    assert "1,910" in none.warnings[0].text("zh")


def test_impossible_questions() -> None:
    with pytest.raises(UnknownNameError):
        equity(
            study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", group="dogs")
        )
    with pytest.raises(ParameterError):
        equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="health_centre", minutes=0))


def test_a_nearer_centre_shortens_the_mean() -> None:
    bare = without(CITY, "pharmacy")
    both = equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="pharmacy")).total
    none = equity(
        study_of(bare, POLICY, travel=tiny_travel(bare)), Question(service="pharmacy")
    ).total
    assert both.mean_minutes is not None
    assert none.mean_minutes is None  # no pharmacy left: not assessed, not 0


# ---- the oracle: one person at a time, fractions --------------------------------------------


def naive(levels: list[tuple[int, int]]) -> tuple[Fraction | None, Fraction | None]:
    """Gini by all pairs of persons; Palma by lining everybody up, each cut into ten."""
    persons = sorted(cm for cm, count in levels for _ in range(count))
    if not persons:
        return None, None
    total = sum(persons)
    pairs = sum(abs(a - b) for a in persons for b in persons)
    gini = Fraction(pairs, 2 * len(persons) * total) if total else Fraction(0)
    line = [cm for cm in persons for _ in range(10)]
    lowest = line[: 4 * len(persons)]
    highest = line[-len(persons) :]
    palma = (
        Fraction(sum(highest), len(highest)) / Fraction(sum(lowest), len(lowest))
        if sum(lowest)
        else None
    )
    return gini, palma


LEVELS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 6)), min_size=0, max_size=8)


@settings(deadline=None)
@given(LEVELS)
def test_against_the_naive_oracle(levels: list[tuple[int, int]]) -> None:
    gini, palma = naive(levels)
    found = spread(levels)
    assert found.gini() == (None if gini is None else float(gini))
    assert found.palma() == (None if palma is None else float(palma))


@settings(deadline=None)
@given(LEVELS)
def test_gini_is_one_less_the_lorenz_trapezoids(levels: list[tuple[int, int]]) -> None:
    found = spread(levels)
    if not found.burden:
        return
    x = np.concatenate([[0], np.cumsum(found.persons) / found.whole])
    y = np.concatenate([[0], np.cumsum(found.persons * found.cm) / found.burden])
    area = np.sum(np.diff(x) * (y[1:] + y[:-1]))
    assert found.gini() == pytest.approx(1 - area, abs=1e-12)


@settings(deadline=None)
@given(LEVELS, st.integers(2, 9), st.randoms())
def test_invariants(levels: list[tuple[int, int]], times: int, random: object) -> None:
    found = spread(levels)
    scaled = spread([(cm * times, persons) for cm, persons in levels])
    copied = spread([(cm, persons * times) for cm, persons in levels])
    split = [(cm, 1) for cm, persons in levels for _ in range(persons)]
    random.shuffle(split)  # type: ignore[attr-defined]
    apart = spread(split)
    for other in (scaled, copied, apart):
        assert other.gini() == found.gini()
        assert other.palma() == found.palma()
    gini = found.gini()
    assert gini is None or 0 <= gini < 1
    palma = found.palma()
    assert palma is None or palma >= 1


@settings(deadline=None)
@given(LEVELS, st.integers(1, 4000))
def test_more_time_leaves_fewer_below(levels: list[tuple[int, int]], limit: int) -> None:
    found = spread(levels)
    assert found.persons_within(limit) <= found.persons_within(limit + 7)
    within = sum(persons for cm, persons in levels if cm <= limit)
    assert found.persons_within(limit) == within


def test_whole_numbers_beyond_64_bits_stay_exact() -> None:
    levels = [(90_000_000, 3_000_000), (30_000_000, 5_000_000), (7, 1)]
    found = spread(levels)
    assert found.persons.dtype == object
    small = spread([(cm, persons) for cm, persons in levels[:2]])
    pairs = 2 * 3_000_000 * 5_000_000 * 60_000_000
    burden = 90_000_000 * 3_000_000 + 30_000_000 * 5_000_000
    assert small.gini() == float(Fraction(pairs, 2 * 8_000_000 * burden))
    assert found.gini() == pytest.approx(small.gini())


@settings(deadline=None)
@given(st.permutations(range(10)))
def test_the_order_of_cells_changes_nothing(order: list[int]) -> None:
    from tests.worlds.tiny import TINY_CELLS

    mixed = tiny_city(cells=[TINY_CELLS[i] for i in order])
    one = equity(study_of(CITY, POLICY, travel=TRAVEL), Question(service="pharmacy"))
    two = equity(study_of(mixed, POLICY, travel=tiny_travel(mixed)), Question(service="pharmacy"))
    assert (one.total, one.units, one.groups, one.tenths) == (
        two.total,
        two.units,
        two.groups,
        two.tenths,
    )
    assert one.worst is not None and two.worst is not None
    assert replace(one.worst, cells=two.worst.cells) == replace(two.worst)


@pytest.mark.parametrize("dense", [0, 10**9])
def test_walks_are_counted_or_sorted_with_one_answer(
    monkeypatch: pytest.MonkeyPatch, dense: int
) -> None:
    monkeypatch.setattr(inequality, "_DENSE", dense)
    rng = np.random.default_rng(5)
    cm, persons = rng.integers(0, 90, 400).astype(np.int32), rng.integers(0, 4, 400)
    found = Spread.of(cm, persons)
    each = np.sort(np.repeat(cm, persons))
    assert np.array_equal(np.repeat(found.cm, found.persons), each)
    assert found.median() == each[(len(each) - 1) // 2]
    for limit in (-1, 0, 44, 89, 200):
        assert found.persons_within(limit) == (each <= limit).sum()
        beyond = each[each > limit]
        excess = found.excess_over(limit)
        assert excess == (pytest.approx((beyond - limit).mean()) if len(beyond) else None)
    for lost in (0, 3, len(each) // 12):
        tenth = -(-(len(each) + lost) // 10) - lost
        assert found.worst_from(lost) == each[::-1][tenth - 1]
