"""Shapes heaped on one spot: refused for what they are, after a count of pairs that stops early.

Nothing is timed: pairs that trees come up with are counted. All pairs of 3,000 outlines would be
nine million.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.facilities import candidate_pairs
from lifecircle.analysis.city.facilities.merging import merge_facilities
from lifecircle.analysis.city.streets import attach
from lifecircle.analysis.city.units.inside import cut_out_inner
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.grouping import pair_blocks
from lifecircle.analysis.grouping.pair_blocks import (
    PairBudget,
    TooManyPairsError,
    find_in_blocks,
    pairs_or_joined,
)
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.tables import units as units_file
from lifecircle.analysis.readers.tables.heaps import is_heap
from lifecircle.analysis.readers.tables.people_twice import remark_people_twice
from tests.files.as_tables import facility_rows
from tests.readers.hostile.test_growth import FEW, LINEAR, MANY, lattice, squares, table


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs each look into a tree came up with."""
    seen: list[int] = []

    class Tree(shapely.STRtree):
        def query(self, *asked, **how):
            pairs = super().query(*asked, **how)
            seen.append(pairs.shape[-1])
            return pairs

    monkeypatch.setattr(shapely, "STRtree", Tree)
    return seen


def heap(count: int) -> np.ndarray:
    return squares(np.linspace(0, 0.1, 2 * count).reshape(-1, 2))


def nested(count: int) -> np.ndarray:
    edge = np.linspace(0, 0.45, count)
    return np.asarray(shapely.box(edge, edge, 1 - edge, 1 - edge), dtype=object)


def test_blocks_hold_every_pair_once(monkeypatch):
    monkeypatch.setattr(pair_blocks, "_HELD", 900)
    shapes = squares(np.random.default_rng(5).uniform(0, 9, (300, 2)))
    tree = shapely.STRtree(shapes)
    blocks = list(find_in_blocks(tree, shapes, predicate="intersects"))
    assert len(blocks) > 10
    pairs = np.concatenate([np.stack(block) for block in blocks], axis=1)
    expected = tree.query(shapes, predicate="intersects")
    assert sorted(zip(*pairs.tolist(), strict=True)) == sorted(zip(*expected.tolist(), strict=True))


def test_a_budget_ends_a_heap_within_a_block(found):
    shapes = heap(MANY)
    with pytest.raises(TooManyPairsError):
        list(find_in_blocks(shapely.STRtree(shapes), shapes, PairBudget(50_000)))
    assert sum(found) <= 50_000 + pair_blocks._HELD


@pytest.mark.parametrize(
    ("shapes_of", "heaped"),
    [
        (lambda n: squares(lattice(n, 1.0)), False),  # side by side
        (lambda n: np.concatenate((squares(lattice(n, 1.0)), [shapely.box(0, 0, n, n)])), False),
        (heap, True),
        (nested, True),
    ],
)
def test_units_are_told_from_a_heap_without_looking_at_all_pairs(found, shapes_of, heaped):
    for count in (FEW, MANY):
        found.clear()
        assert is_heap(shapes_of(count)) == heaped
        assert sum(found) <= 2 * (pair_blocks._FREE + pair_blocks._PER_SHAPE * count) + 2_100_000
        if not heaped:
            assert sum(found) <= 12 * count


def test_units_inside_others_are_looked_for_among_neighbours(found):
    counted = []
    for count in (FEW, MANY):
        found.clear()
        shapes = squares(lattice(count, 1.0))
        cut_out_inner(shapes, np.full(count, "unit", dtype=object))
        counted.append(sum(found))
    assert counted[1] < LINEAR * counted[0]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_cells_on_a_heap_are_refused_and_equal_ones_counted(found, count):
    persons = np.full(count, 3.0)
    said = Findings("cells.geojson", np.arange(1, count + 1))
    remark_people_twice(heap(count) if count == MANY else nested(count), persons, said)
    assert [fault.key for fault in said.errors()] == ["input_cells_heaped"]
    assert sum(found) <= pair_blocks._FREE + pair_blocks._PER_SHAPE * count + 2_100_000
    found.clear()
    said = Findings("cells.geojson", np.arange(1, count + 1))
    remark_people_twice(np.repeat(heap(1), count), persons, said)  # a house, a row per household
    (fault,) = said.warnings()
    assert (fault.key, fault.params["count"]) == ("input_people_twice", count - 1)
    assert sum(found) <= 1


@pytest.mark.parametrize(
    ("kind", "key"), [("units", "input_units_heaped"), ("population", "input_cells_heaped")]
)
def test_a_file_of_stacked_outlines_is_refused(tmp_path: Path, kind: str, key: str):
    step = 1e-6 * np.arange(400)
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"U{i}", "id": f"U{i}", "name": f"n{i}", "population": 5},
            "geometry": shapely.geometry.mapping(shapely.box(102.7 + x, 25 + x, 102.71 + x, 25.01)),
        }
        for i, x in enumerate(step.tolist())
    ]
    path = tmp_path / "heap.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    checked = check_file(path, kind)  # type: ignore[arg-type]
    assert key in {fault.key for fault in checked.faults if fault.severity == "error"}


@pytest.mark.parametrize("most", ["_MOST_LOOKED_AT", "_MOST_COMPARED"])
def test_rows_of_like_names_heaped_on_one_spot_are_refused(monkeypatch, most: str):
    monkeypatch.setattr(candidate_pairs, most, -2_000_000)
    rows = table([f"丰巢智能柜{chr(0x5000 + i)}店" for i in range(300)], lattice(300, 0.1))
    with pytest.raises(InputError) as refused:
        merge_facilities(facility_rows([rows], "EPSG:4543"), load_policy())
    (fault,) = refused.value.faults
    assert (fault.key, fault.params["service"]) == ("facilities_heaped", "health_centre")


def test_rows_without_a_name_are_looked_at_within_a_budget(found, monkeypatch):
    """Nameless rows of one list are never compared; of two, only so many."""
    frame = table([""] * 500, lattice(500, 0.1)).assign(name=None)
    kept, _, _ = merge_facilities(facility_rows([frame], "EPSG:4543"), load_policy())
    assert len(kept) == 500
    assert sum(found) <= 1
    monkeypatch.setattr(candidate_pairs, "_MOST_COMPARED", 10_000)
    other = table([""] * 500, lattice(500, 0.1), "osm").assign(name=None)
    with pytest.raises(InputError) as refused:
        merge_facilities(facility_rows([frame, other], "EPSG:4543"), load_policy())
    assert refused.value.faults[0].key == "facilities_heaped"


def streets(count: int) -> np.ndarray:
    y = np.linspace(0.2, 0.9, count)
    ends = np.stack((np.column_stack((y * 0, y)), np.column_stack((y * 0 + 1, y))), axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object)


def test_areas_on_a_heap_are_joined_before_they_meet_every_street():
    lines, apart = streets(200), squares(lattice(200, 1.5))
    areas, area, line = pairs_or_joined(shapely.STRtree(lines), heap(2000), PairBudget(20_000))
    assert len(areas) == 1
    assert set(line.tolist()) == set(range(200))
    assert len(area) == 200
    kept, *_ = pairs_or_joined(shapely.STRtree(lines), apart, PairBudget(20_000))
    assert kept is apart


def test_facilities_whose_areas_lie_on_a_heap_are_refused(monkeypatch):
    monkeypatch.setattr(attach, "_FREE_PAIRS", 0)
    tree = shapely.STRtree(streets(200))
    which, line = attach._meet_streets(heap(30), tree)
    assert len(which) == len(line) == 30 * 200
    with pytest.raises(ParameterError) as refused:
        attach._meet_streets(heap(2000), tree)
    assert (refused.value.key, refused.value.params) == ("facilities_overlaid", {"areas": 2000})


def test_of_many_overlaps_the_first_are_named_and_the_others_counted():
    names = np.array([f"U{i}" for i in range(14)], dtype=object)
    pairs = [(i, i + 1) for i in range(13)]
    assert units_file._name_pairs(names, pairs[:1]) == "U0 / U1"
    told = units_file._name_pairs(names, pairs)
    assert told.en.endswith("U9 / U10 and 3 more")
    assert told.zh.endswith("U9 / U10等，另有 3 对")
