"""Cells scaled to the totals of units: shares of the cells, totals of the units, to the person."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecircle as lc
from lifecircle.analysis.city.residents.calibrate import describe_calibration, scale_to_totals
from lifecircle.analysis.city.residents.population import cells_from_table
from lifecircle.analysis.city.units.units import assign_units, build_units
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.readers.records.tables import make_cells
from tests.city.test_spread import CRS, LEVELS, box, units_frame
from tests.city.test_without_residents import draw_block
from tests.files.as_tables import located, unit_table
from tests.worlds.tagged import CORNER, SIDE_DEG

WEST = 500_000  # the middle of the zone


def units_of(totals):
    """Units of 1 km beside each other, from west to east, with a total or None."""
    rows = [(f"U{i}", total, box(WEST + 1000 * i, 0, 1000, 1000)) for i, total in enumerate(totals)]
    return build_units(unit_table(units_frame(rows)), CRS, LEVELS)


def cells_of(persons, groups=None):
    """Points in squares of 100 m, ten to a unit, from west to east."""
    points = [shapely.Point(WEST + 100 * i + 50, 500) for i in range(len(persons))]
    frame = gpd.GeoDataFrame({"id": np.arange(len(persons))}, geometry=points, crs=CRS)
    ids = np.array([f"c{i:03d}" for i in range(len(persons))], dtype=object)
    held = {name: np.asarray(one, dtype=float) for name, one in (groups or {}).items()}
    return make_cells(ids, np.asarray(persons, dtype=float), held, located(frame), ())


def people(persons, totals, groups=None, group_totals=None):
    """Residents and groups of the cells by id, once scaled; and what is said of it."""
    units = units_of(totals)
    scaled = scale_to_totals(cells_of(persons, groups), units, group_totals or {}, CRS)
    return cells_from_table(scaled.table, CRS, units, scaled.block), units, scaled


def by_unit(seed, units):
    held = assign_units(seed.xy_m, units)["community"]
    return [int(seed.residents[held == i].sum()) for i in range(len(units.code))]


def test_totals_are_of_the_units_and_shares_of_the_cells():
    """Ten cells of 1..10 and 220 residents: 4, 8 ... 40; a unit without a total stays."""
    seed, units, scaled = people([*range(1, 11), *[3] * 10, *[7] * 10], [220, None, 30])
    assert by_unit(seed, units) == [220, 30, 30]
    assert seed.residents[:10].tolist() == [4 * i for i in range(1, 11)]
    assert seed.residents[20:].tolist() == [3] * 10
    assert [(row.unit_code, row.before, row.total) for row in scaled.rows] == [
        ("U0", 55.0, 220),
        ("U2", 70.0, 30),
    ]
    told = describe_calibration(units, scaled)
    assert (told.params["before"], told.params["total"], told.params["apart"]) == (125, 250, 205)
    assert told.params["shown_en"].startswith("社区U0 55 → 220")


def test_nobody_in_a_unit_with_a_total_is_named_and_no_total_empties():
    _, _, scaled = people([0] * 10 + [2] * 10, [500, 0])
    assert scaled.empty.tolist() == [0]
    seed, units, _ = people([2] * 10 + [2] * 10, [20, 0])
    assert by_unit(seed, units) == [20, 0]


def test_groups_go_to_their_own_totals_else_with_the_residents():
    old = [1.0] * 20
    totals = {"65": Counts.listed([25, None])}
    seed, units, _ = people([10] * 20, [200, 50], {"65": old}, totals)
    held = assign_units(seed.xy_m, units)["community"]
    value = seed.groups["65"].value
    assert [int(value[held == i].sum()) for i in (0, 1)] == [25, 5]
    assert (value <= seed.residents).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 50, allow_subnormal=False), min_size=30, max_size=30),
    st.lists(st.none() | st.integers(0, 100_000), min_size=3, max_size=3).filter(any),
)
def test_every_total_is_kept_to_the_person(persons, totals):
    seed, units, scaled = people(persons, totals)
    for i, total in enumerate(totals):
        before = sum(persons[10 * i : 10 * i + 10])
        mine = by_unit(seed, units)[i]
        if total is None:
            assert abs(mine - before) <= 1
        elif i in scaled.empty:
            assert before == 0
        else:
            assert mine == total or (before == 0 and total == 0)


def test_through_the_front_door(tmp_path):
    """West has 10 residents in the file and 400 in the census, east none and 80."""
    west, south = CORNER
    half = shapely.box(west - 0.0005, south - 0.0005, west + 4.5 * SIDE_DEG, south + 0.01)
    other = shapely.box(west + 4.5 * SIDE_DEG, south - 0.0005, west + 0.01, south + 0.01)
    units = gpd.GeoDataFrame(
        {"code": ["A", "B"], "name": ["甲", "乙"], "level": "unit", "population": [400, 80]},
        geometry=[half, other],
        crs=4326,
    )
    points = gpd.points_from_xy([west + 0.0002, west + 0.0022], [south + 0.0005] * 2)
    cells = gpd.GeoDataFrame({"id": ["a", "b"], "population": [1, 9]}, geometry=points, crs=4326)
    osm = draw_block(tmp_path / "u.osm")
    plain = lc.build("u", osm, cells, units=units, workspace=tmp_path / "ws")
    assert plain.residents == 10
    hint = [w for w in plain.run.manifest.warnings if w.key == "cells_disagree"]
    assert "--calibrate" in hint[0].text("en")
    built = lc.build("u", osm, cells, units=units, workspace=tmp_path / "ws", calibrate=True)
    held = built.layer("cells")["residents"]
    assert held[["a", "b"]].tolist() == [40, 360]
    assert built.residents == 480
    found = lc.coverage(built.study, lc.Question("pharmacy"))
    assert {row.code: row.residents for row in found.units} == {"A": 400, "B": 80}
    (told,) = [w for w in built.run.manifest.warnings if w.key == "residents_calibrated"]
    assert (told.params["before"], told.params["total"], told.params["empty"]) == (10, 480, 1)
    again = lc.open(tmp_path / "ws")["u"].run.city.notes.calibrated
    assert [(one.unit_code, one.before, one.total) for one in again] == [
        ("A", 10.0, 400),
        ("B", 0.0, 80),
    ]
    with pytest.raises(ParameterError, match="--calibrate scales"):
        lc.build("u", osm, cells, workspace=tmp_path / "ws", calibrate=True)
