"""Gaps by unit and reason on any town: who is without adds up, and no gap leaves its unit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import Gap, GapsFound, find_gaps, gaps
from lifecircle.analysis.measures.question import Question, Study, home_unit
from lifecircle.analysis.quantities import NOBODY
from tests.worlds.capacity import asked, capacity_policy, centre, city_with
from tests.worlds.parts import study_of
from tests.worlds.tiny import TINY_CELLS, Cell, Place, tiny_city, tiny_policy, tiny_travel, walks

ABOUT = Question(service="health_centre")
FULL = "over_capacity"


def crowded(cells: list[Cell], centres: list[tuple[int, int]], minimum: int = 0) -> Study:
    """A town whose health centres have room for so many."""
    places = [centre(f"h{i}", x, capacity=n) for i, (x, n) in enumerate(centres)]
    policy = capacity_policy(minimum, 2000)
    city = city_with(*places, cells=cells)
    travel = walks(city, tuple(policy.services))
    found = {"health_centre": asked(city, policy)}
    return study_of(city, policy, travel=travel, catchments=found)


def slow_gaps(study: Study, found: GapsFound) -> Counter[tuple[int, str, int]]:
    """(unit, reason, residents) of every gap by all distances, from who is without in `found`."""
    city = study.city
    unit = home_unit(city, city.cells.unit)
    without = {int(cell): gap for gap in found.gaps for cell in gap.cells}
    persons = lacking(study, found)
    rows = np.array(sorted(without), dtype=np.int64)
    if not len(rows):
        return Counter()
    off = city.cells.position.edge[rows] == NOBODY
    place = np.where(off[:, None], city.cells.xy_m[rows], city.cells.position.xy_m[rows])
    kinds = [
        (
            -1 if lost else int(city.network.edge_component[city.cells.position.edge[row]]),
            without[row].reason,
            int(unit[row]),
        )
        for row, lost in zip(rows.tolist(), off.tolist(), strict=True)
    ]
    same = np.array([[one == other for other in kinds] for one in kinds])
    size, label = connected_components((cdist(place, place) <= 250) & same, directed=False)
    counted: Counter[tuple[int, str, int]] = Counter()
    for k in range(size):
        mine = rows[label == k]
        first = kinds[int(np.flatnonzero(label == k)[0])]
        counted[first[2], first[1], sum(persons[int(i)] for i in mine)] += 1
    return counted


def lacking(study: Study, found: GapsFound) -> dict[int, int]:
    """Persons of every cell who are without, by hand."""
    cells = study.city.cells.residents
    kept = study.catchments.get("health_centre")
    unserved = getattr(kept, "unserved", cells)
    return {
        int(cell): int(unserved[cell] if gap.reason == FULL else cells[cell])
        for gap in found.gaps
        for cell in gap.cells
    }


def of_units(study: Study) -> dict[int | None, int]:
    """Residents of every unit that names gaps, and of nowhere."""
    city = study.city
    unit = home_unit(city, city.cells.unit)
    return {
        (None if i == NOBODY else int(i)): int(city.cells.residents[unit == i].sum())
        for i in np.unique(unit)
    }


def hold(study: Study, found: GapsFound) -> None:
    """All that must hold of the gaps of any town."""
    total = coverage(study, ABOUT).total
    others = [gap for gap in found.gaps if gap.reason != FULL]
    full = [gap for gap in found.gaps if gap.reason == FULL]
    assert list(found.gaps) == [*others, *full]
    for listed in (others, full):
        sizes = [gap.residents for gap in listed]
        assert sizes == sorted(sizes, reverse=True)
    assert total.covered + sum(gap.residents for gap in others) == total.residents
    bridge, kept = found.bridge, study.catchments["health_centre"]
    assert sum(gap.residents for gap in full) == kept.balanced.reachable_full == bridge.full
    assert bridge.not_covered + bridge.full + bridge.served == bridge.known == total.residents
    assert bridge.covered == total.covered and bridge.served == kept.balanced.served
    reasons: Counter[str] = Counter()
    for gap in found.gaps:
        reasons[gap.reason] += gap.residents
    assert dict(bridge.reasons) == dict(reasons)
    most, unit = of_units(study), home_unit(study.city, study.city.cells.unit)
    for gap in found.gaps:
        assert gap.residents <= most[gap.unit]
        assert set(unit[gap.cells].tolist()) == {NOBODY if gap.unit is None else gap.unit}
    assert len({gap.id for gap in found.gaps}) == len(found.gaps)
    ours = Counter(
        (NOBODY if gap.unit is None else gap.unit, gap.reason, gap.residents) for gap in found.gaps
    )
    assert ours == slow_gaps(study, found)


def regions(found: tuple[Gap, ...]) -> dict[str, tuple[str, int, frozenset[int]]]:
    summed: dict[str, tuple[str, int, frozenset[int]]] = {}
    for gap in found:
        _, residents, cells = summed.get(gap.region, (gap.reason, 0, frozenset()))
        summed[gap.region] = (gap.reason, residents + gap.residents, cells | {*gap.cells.tolist()})
    return summed


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 6000), st.sampled_from([20, 50, 400]), st.integers(0, 900)),
        min_size=1,
        max_size=14,
    ),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 1500)), min_size=1, max_size=3),
)
def test_what_must_hold_of_any_town(
    homes: list[tuple[int, int, int]], centres: list[tuple[int, int]]
) -> None:
    cells = [Cell(f"c{i:02}", x, y, n) for i, (x, y, n) in enumerate(homes)]
    study = crowded(cells, centres)
    found = find_gaps(study, ABOUT)
    hold(study, found)
    whole = gaps(study, Question(service="health_centre", by="none"))
    assert regions(found.gaps) == {
        gap.id: (gap.reason, gap.residents, frozenset(gap.cells.tolist())) for gap in whole
    }


def test_full_places_make_gaps_of_their_own() -> None:
    """c2 of 200 and c3 of 150 reach h1, which takes 250 of 450: part of a cell is without."""
    study = crowded(list(TINY_CELLS), [(500, 250)])
    found = find_gaps(study, ABOUT)
    hold(study, found)
    full = [gap for gap in found.gaps if gap.reason == FULL]
    unserved = study.catchments["health_centre"].unserved
    told = {study.city.cells.id[cell]: int(unserved[cell]) for gap in full for cell in gap.cells}
    assert sum(told.values()) == found.bridge.full > 0
    part = [gap for gap in full if gap.residents < study.city.cells.residents[gap.cells].sum()]
    assert part and all(dict(gap.groups) == {} for gap in part)  # of whom is not known


def test_left_out_gaps_stay_in_the_sums() -> None:
    study = crowded(list(TINY_CELLS), [(500, 250)])
    every, large = find_gaps(study, ABOUT), find_gaps(study, ABOUT, min_residents=300)
    assert len(large.gaps) < len(every.gaps)
    assert large.bridge == every.bridge


def test_another_level_and_none() -> None:
    city = tiny_city(cells=(Cell("a", 2900, 10, 5), Cell("b", 3100, 10, 6)))
    study = study_of(city, tiny_policy(), travel=tiny_travel(city))
    assert [(g.residents, g.unit_code) for g in gaps(study, ABOUT)] == [(6, "C3"), (5, "C2")]
    own = gaps(study, Question(service="health_centre", by="community"))
    assert [g.id for g in own] == [g.id for g in gaps(study, ABOUT)]  # it is the default
    upper = gaps(study, Question(service="health_centre", by="subdistrict"))
    assert {g.unit_code for g in upper} <= {"S1", "S2"}
    (whole,) = gaps(study, Question(service="health_centre", by="none"))
    assert (whole.residents, whole.unit_code, whole.units) == (11, None, 2)
    assert whole.id == whole.region
    with pytest.raises(UnknownNameError):
        gaps(study, Question(service="health_centre", by="planet"))


def test_a_gap_is_named_by_the_nearest_named_place() -> None:
    places = (
        Place("h9", "health_centre", 100, 0),
        Place("p1", "pharmacy", 5200, 0, name="东门药店"),
        Place("p2", "pharmacy", 5100, 0),  # nearer, and without a name
    )
    city = tiny_city(cells=(Cell("a", 5000, 30, 5),), places=places)
    (gap,) = gaps(study_of(city, tiny_policy(), travel=tiny_travel(city)), ABOUT)
    assert city.facilities.name[gap.near] == "东门药店"
    assert gap.near_m == pytest.approx(np.hypot(200, 30))
    bare = tiny_city(cells=(Cell("a", 5000, 30, 5),), places=places[::2])
    (gap,) = gaps(study_of(bare, tiny_policy(), travel=tiny_travel(bare)), ABOUT)
    assert (gap.near, gap.near_m) == (None, None)


def test_not_assessed_is_unknown_not_nobody() -> None:
    city = tiny_city()
    found = find_gaps(
        study_of(city, tiny_policy(), travel=tiny_travel(city)), Question(service="market")
    )
    bridge = found.bridge
    assert found.gaps == () and bridge.known == 1910 and dict(bridge.reasons) == {}
    assert (bridge.covered, bridge.not_covered, bridge.full, bridge.served) == (None,) * 4
