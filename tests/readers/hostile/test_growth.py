"""What is compared with what: ten times the rows are about ten times the comparisons.

Nothing here is timed: places looked at, pairs of names compared and outlines cut are counted.
A pass over all pairs would count a hundred times as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from lifecircle.analysis.city.facilities import candidate_pairs, merging
from lifecircle.analysis.city.facilities.merging import merge_facilities
from lifecircle.analysis.city.facilities.name_similarity import NameSimilarity, block_names
from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker import near_repeats
from lifecircle.analysis.readers.checker.near_repeats import find_near_repeats, metres_apart
from lifecircle.analysis.readers.tables import units
from lifecircle.analysis.readers.tables.units import find_overlaps
from tests.files.as_tables import facility_rows

CRS = "EPSG:4543"
POLICY = load_policy()
METRE = 1 / near_repeats.M_PER_DEGREE
REACH_M = 25.0
FEW, MANY = 300, 3000
LINEAR = 20.0  # times as much for ten times the rows, with a logarithm; all pairs would be 100


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many places each look of the checker was for, and against how many where directly."""
    looks: list[int] = []
    near, each = near_repeats._is_near, near_repeats._near_each

    def is_near(xyz, asked, *rest):
        looks.append(len(asked))
        return near(xyz, asked, *rest)

    def near_each(xyz, asked, low, high, reach_m):
        looks.append(len(asked) * (high - low))
        return each(xyz, asked, low, high, reach_m)

    monkeypatch.setattr(near_repeats, "_is_near", is_near)
    monkeypatch.setattr(near_repeats, "_near_each", near_each)
    return looks


def crowd(count: int, side_m: float) -> np.ndarray:
    """Places of one name in a square."""
    rng = np.random.default_rng(3)
    return np.array([102.7, 25.0]) + rng.uniform(0, side_m * METRE, (count, 2))


@pytest.mark.parametrize("side_of", [lambda n: 10.0, lambda n: 20.0 * np.sqrt(n)])
def test_near_repeats_are_looked_up_not_compared_all(looked_at, side_of: Callable[[int], float]):
    """All within reach of each other, or some neighbours each."""
    counted = []
    for count in (FEW, MANY):
        looked_at.clear()
        find_near_repeats(crowd(count, side_of(count)), [range(count)], REACH_M)
        counted.append(sum(looked_at))
    assert counted[1] < LINEAR * counted[0]


@settings(max_examples=60, deadline=None)
@given(
    spots=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=90),
    reach=st.sampled_from([7.0, 25.0]),
)
def test_near_repeats_are_those_of_all_pairs(spots, reach):
    lonlat = np.array([102.7, 25.0]) + np.array(spots, float).reshape(-1, 2) * 2.3 * METRE
    expected = []
    for row in range(len(lonlat)):
        apart = [metres_apart(lonlat[row], lonlat[other]) for other in range(row)]
        near = [k for k, m in enumerate(apart) if m <= reach and (lonlat[k] != lonlat[row]).any()]
        expected += [(row, near[0])] if near else []
    assert find_near_repeats(lonlat, [range(len(lonlat))], reach) == expected


def table(names: list[str], xy: np.ndarray, source: str = "table") -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"id": [f"{source}{i}" for i in range(len(names))], "name": names, "source": source},
        geometry=list(shapely.points(xy + np.array([500_000.0, 2_770_000.0]))),
        crs=CRS,
    )
    return frame.assign(service="health_centre")


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each pair of rows whose distance was looked at."""
    seen: list[int] = []
    real = candidate_pairs._near_rows

    def near_rows(*asked) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for left, right in real(*asked):
            seen.append(len(left))
            yield left, right

    monkeypatch.setattr(candidate_pairs, "_near_rows", near_rows)
    return seen


def lattice(count: int, step_m: float) -> np.ndarray:
    side = int(np.ceil(np.sqrt(count)))
    index = np.arange(count)
    return np.column_stack((index % side, index // side)) * step_m


@pytest.mark.parametrize("step_m", [0.0, 150.0])
def test_rows_of_one_name_are_not_all_compared(compared, step_m: float):
    """On one spot they go with the first; over a town only neighbours are looked at."""
    counted = []
    for count in (FEW, MANY):
        compared.clear()
        frame = table(["丰巢快递柜"] * count, lattice(count, step_m))
        kept, notes, _ = merge_facilities(facility_rows([frame], CRS), POLICY)
        assert len(kept) == (1 if step_m == 0 else count)
        assert sum(note.state == "merged" for note in notes) == count - len(kept)
        counted.append(sum(compared))
    assert counted[1] <= LINEAR * counted[0]
    assert counted[1] <= 6 * MANY


def test_rows_of_other_names_on_one_spot_are_not_compared(compared):
    counted = []
    rng = np.random.default_rng(4)
    signs = np.array([chr(c) for c in range(0x4E00, 0x4E00 + 3000)])
    for count in (FEW, MANY):
        compared.clear()
        names = ["".join(rng.choice(signs, 4)) + "卫生服务中心" for _ in range(count)]
        kept, _, _ = merge_facilities(
            facility_rows([table(names, lattice(count, 1.0))], CRS), POLICY
        )
        assert len(kept) == count
        counted.append(sum(compared))
    assert counted[1] < MANY * FEW / 2  # all pairs: 4.5 million


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text("华山金碧东西一二街路", min_size=1, max_size=6), max_size=12))
def test_names_alike_share_a_group(names):
    similarity, least = NameSimilarity((), (), "东西"), 0.75
    cores = [core for name in names if (core := similarity.find_core(name)) is not None]
    together = {(i, j) for block in block_names(cores, least) for i in block for j in block}
    for i, one in enumerate(cores):
        for j, other in enumerate(cores):
            if i < j and similarity.compare(one, other) >= least:
                assert (i, j) in together


def test_a_long_chain_of_rows_is_followed_once(monkeypatch):
    """Each row lies nearest to the one after it: merged one by one they make a chain."""
    read: list[int] = []

    class Counted(np.ndarray):
        def __getitem__(self, index):
            read.append(1)
            return super().__getitem__(index)

    start = merging._Settling.__init__

    def init(self, *asked):
        start(self, *asked)
        self.winner = self.winner.view(Counted)

    monkeypatch.setattr(merging._Settling, "__init__", init)
    counted = []
    for count in (40, 400):
        read.clear()
        gaps = 4.0 - np.arange(count) * (1.0 / count)  # later ones lie nearer together
        xy = np.column_stack((np.cumsum(gaps), np.zeros(count)))
        kept, _, _ = merge_facilities(facility_rows([table(["华山"] * count, xy)], CRS), POLICY)
        assert len(kept) == 1
        counted.append(len(read))
    assert counted[1] < LINEAR * counted[0]


def squares(corners: np.ndarray, side: float = 1.0) -> np.ndarray:
    x, y = corners.T
    return np.asarray(shapely.box(x, y, x + side, y + side), dtype=object)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many pairs of units were cut, and the most that were held at a time."""
    seen = {"pairs": 0, "held": 0}
    real = units.shapely.intersection

    def intersection(left, right):
        seen["pairs"] += len(left)
        seen["held"] = max(seen["held"], len(left))
        return real(left, right)

    monkeypatch.setattr(units.shapely, "intersection", intersection)
    return seen


def test_units_side_by_side_are_cut_with_their_neighbours_only(cut):
    counted = []
    for count in (FEW, MANY):
        cut["pairs"] = 0
        assert find_overlaps(squares(lattice(count, 1.0))) == ([], [])
        counted.append(cut["pairs"])
    assert counted[1] < LINEAR * counted[0]


def test_units_on_one_heap_are_cut_in_blocks_and_not_without_end(cut, monkeypatch):
    """3,000 outlines on a heap are 4.5 million pairs; they filled memory when asked for at once."""
    monkeypatch.setattr(units, "_MOST_PAIRS", 10_000)
    heap = squares(np.linspace(0, 0.1, 2 * MANY).reshape(-1, 2))
    assert sum(map(len, find_overlaps(heap))) == 10_000
    assert cut["pairs"] == 10_000
    assert cut["held"] <= units._AT_ONCE * MANY


def test_overlaps_are_those_of_all_pairs():
    shapes = squares(np.random.default_rng(6).uniform(0, 12, (150, 2)))
    expected = [
        (i, j)
        for i in range(150)
        for j in range(i + 1, 150)
        if shapes[i].intersection(shapes[j]).area > 0.05
    ]
    inside, across = find_overlaps(shapes)
    assert (inside, sorted(across)) == ([], expected)
    assert len(expected) > 50


# ---- many rows of one name close together


def crowd_of(count: int, seed: int, side_m: int) -> list[FacilityRows]:
    """Lockers of one name on whole metres of a square, of a bureau, a dump and OpenStreetMap."""
    rng = np.random.default_rng(seed)
    names = np.where(rng.random(count) < 0.9, "丰巢智能柜", "丰巢智能柜二号")
    sources = rng.integers(3, size=count)
    xy = rng.integers(0, side_m, (count, 2)).astype(float)
    parts = []
    for number, source in enumerate(("table", "table", "osm")):
        mine = np.flatnonzero(sources == number)
        ids = np.array([f"{number}/{i}" for i in mine], dtype=object)
        same = (np.full(len(mine), word, dtype=object) for word in ("parcel_station", source))
        service, told = same
        points = np.asarray(shapely.points(xy[mine]), dtype=object)
        parts.append(FacilityRows(ids, service, names[mine].astype(object), told, points, {}))
    return parts


@pytest.mark.parametrize(("seed", "side_m"), [(1, 120), (2, 300), (3, 40)])
def test_a_crowd_is_settled_as_pair_by_pair(monkeypatch, seed: int, side_m: int):
    policy = load_policy()
    quick = merge_facilities(crowd_of(300, seed, side_m), policy)
    monkeypatch.setattr(candidate_pairs, "CROWD", 10**9)
    slow = merge_facilities(crowd_of(300, seed, side_m), policy)
    assert quick[0].id.tolist() == slow[0].id.tolist()
    assert quick[1] == slow[1]
    assert quick[2] == slow[2]


def test_a_crowd_comes_to_few_pairs(monkeypatch):
    """Ten times the rows on one square: each is told of once, and places stay as many."""
    told: dict[int, int] = {}
    real = candidate_pairs.Pairs.of

    def counted(found):
        pairs = real(found)
        told[len(told)] = len(pairs)
        return pairs

    monkeypatch.setattr(candidate_pairs.Pairs, "of", counted)
    for count in (150, 1_500):
        table = crowd_of(count, 1, 200)[0]
        merge_facilities([table], load_policy())
    assert told[1] < 15 * told[0]


def test_a_mapped_crowd_is_told_once_for_each_place():
    """5,000 nodes of one name on a square are 6 million pairs; each is told with its nearest."""
    told = {}
    for count in (500, 5_000):
        xy = np.random.default_rng(4).uniform(0, 200, (count, 2))
        rows = facility_rows([table(["丰巢快递柜"] * count, xy, "osm")], CRS)
        kept, notes, _ = merge_facilities(rows, POLICY)
        assert len(kept) == count
        told[count] = notes
    assert count / 2 <= len(told[count]) < count
    ids, places = kept.id.tolist(), shapely.get_coordinates(kept.geometry)
    _, at = cKDTree(places).query(places, k=2)
    expected = {frozenset((i, int(k))) for i, k in enumerate(at[:, 1])}
    assert {frozenset((ids.index(n.kept), ids.index(n.other))) for n in notes} == expected
    assert len(told[count]) <= 14 * len(told[500])
