"""Many like names near each other: the same merges as pair by pair, and few suspicions told."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.facilities import candidate_pairs, like_names
from lifecircle.analysis.city.facilities.merging import merge_facilities
from lifecircle.analysis.city.facilities.name_similarity import NameSimilarity
from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.policy import load_policy

POLICY = load_policy()
SERVICE = POLICY.services["parcel_station"]
SIGNS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


def like_rows(count: int, seed: int, side_m: int) -> list[FacilityRows]:
    """Lockers on whole metres of a square, of three lists; most names are like one another."""
    rng = np.random.default_rng(seed)
    stems = np.where(rng.random(count) < 0.9, "翠湖莲花金碧广场", "滇池路口")
    branches = np.where(rng.random(count) < 0.2, "(北门店)", "")
    ends = [SIGNS[i] + SIGNS[j] for i, j in rng.integers(len(SIGNS), size=(count, 2)).tolist()]
    names = np.array([*map("".join, zip(stems, ends, branches, strict=True))], dtype=object)
    xy = rng.integers(0, side_m, (count, 2)).astype(float)
    number = np.sort(rng.integers(3, size=count))
    parts = []
    for k, source in enumerate(("table", "table", "osm")):
        mine = np.flatnonzero(number == k)
        ids = np.array([f"{k}/{i}" for i in mine], dtype=object)
        service, told = (np.full(len(mine), w, dtype=object) for w in ("parcel_station", source))
        points = np.asarray(shapely.points(xy[mine] + [500_000.0, 2_770_000.0]), dtype=object)
        parts.append(FacilityRows(ids, service, names[mine], told, points, {}))
    return parts


def pairs_of(notes, state: str) -> set[tuple[str, str]]:
    return {(note.kept, note.other) for note in notes if note.state == state}


@pytest.mark.parametrize(("seed", "side_m"), [(1, 60), (2, 150), (3, 400), (4, 4), (5, 1)])
def test_places_are_merged_as_pair_by_pair(monkeypatch, seed: int, side_m: int):
    parts = like_rows(260, seed, side_m)
    looked: list[int] = []
    real = candidate_pairs.find_nearest_like

    def counted(*asked):
        looked.append(len(asked[1]))
        return real(*asked)

    monkeypatch.setattr(candidate_pairs, "find_nearest_like", counted)
    monkeypatch.setattr(candidate_pairs, "is_crowded", lambda *_: False)
    slow_kept, slow, _ = merge_facilities(parts, POLICY)
    assert not looked
    monkeypatch.setattr(candidate_pairs, "is_crowded", lambda *_: True)
    kept, quick, _ = merge_facilities(parts, POLICY)
    assert looked
    assert kept.id.tolist() == slow_kept.id.tolist()
    assert [n for n in quick if n.state == "merged"] == [n for n in slow if n.state == "merged"]
    assert pairs_of(quick, "merged")
    assert pairs_of(quick, "suspected") <= pairs_of(slow, "suspected")


def test_of_one_list_each_is_told_with_its_three_nearest():
    """Against a plain pass over all pairs, of OpenStreetMap, which is never merged with itself."""
    count = 400
    one = like_rows(3 * count, 7, 120)[2]
    _, notes, _ = merge_facilities([one], POLICY)
    common = (SERVICE.title.zh, SERVICE.title.en, *SERVICE.aliases, *POLICY.quality.company_words)
    reader = NameSimilarity(POLICY.quality.place_words, common, POLICY.quality.telling)
    cores = [reader.find_core(name) for name in one.name]
    xy, told = shapely.get_coordinates(one.geometry), pairs_of(notes, "suspected")
    told |= {(other, kept) for kept, other in told}
    checked = 0
    for i in range(0, len(one), 7):
        apart = np.hypot(*(xy - xy[i]).T)
        like = [
            k
            for k in np.lexsort((np.arange(len(one)), apart)).tolist()
            if k != i and 0.85 <= NameSimilarity.compare(cores[i], cores[k]) < 1 and apart[k] <= 100
        ]
        assert {(one.id[i], one.id[k]) for k in like[:3]} <= told
        checked += len(like[:3])
    assert checked > 100


def test_places_before_a_name_are_left_out_the_longest_first():
    """Against a plain look through all places; a name that is a place alone stays."""
    rng = np.random.default_rng(6)

    def draw(longest: int) -> str:
        return "".join(rng.choice(list("东西湖"), rng.integers(1, longest)))

    dropped = 0
    for _ in range(300):
        places = {draw(5) for _ in range(rng.integers(0, 9))}
        name = left = draw(10)
        while held := [w for w in places if left.startswith(w) and left != w]:
            left = left.removeprefix(max(held, key=len))
        core = NameSimilarity(places, (), "").find_core(name)
        assert core is not None
        assert core.core == left
        dropped += left != name
    assert 50 < dropped < 300


def test_ten_times_the_rows_are_ten_times_the_looks(monkeypatch):
    """Like names on one square: neither what is looked at nor what is told grows as the square."""
    spent: list[int] = []
    real = like_names.PairBudget.spend
    monkeypatch.setattr(
        like_names.PairBudget, "spend", lambda self, n: (spent.append(n), real(self, n))[1]
    )
    looks, told = {}, {}
    for count in (300, 3_000):
        spent.clear()
        rng = np.random.default_rng(8)
        names = np.array([f"丰巢翠湖莲花{chr(0x5000 + i)}店" for i in range(count)], dtype=object)
        points = np.asarray(shapely.points(rng.uniform(0, 200, (count, 2))), dtype=object)
        same = (np.full(count, w, dtype=object) for w in ("parcel_station", "table"))
        ids = np.array([str(i) for i in range(count)], dtype=object)
        service, source = same
        _, notes, _ = merge_facilities(
            [FacilityRows(ids, service, names, source, points, {})], POLICY
        )
        looks[count], told[count] = sum(spent), len(notes)
    assert looks[3_000] < 14 * looks[300]
    assert 3_000 <= told[3_000] <= 9_000
    assert told[3_000] < 14 * told[300]
