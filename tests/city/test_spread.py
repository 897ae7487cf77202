"""Unit totals spread over buildings, land or the unit: hand answers and what always holds."""

from __future__ import annotations

import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.residents.dasymetric import spread_unit_totals
from lifecircle.analysis.city.residents.homes import Ground
from lifecircle.analysis.city.residents.lattice import lattice_squares
from lifecircle.analysis.city.units.units import build_units, group_totals
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.policy import Cited, SpreadRules
from tests.files.as_tables import unit_table

CRS = "EPSG:32633"
LEVELS = ("district", "community")


def cited(value):
    return Cited(value, "a drawn world", "by hand", "interpretation")


RULES = SpreadRules(cited(10), cited(60), cited(50), cited(3), ("apartments", "house"))


def box(x, y, wide, high):
    return shapely.box(x, y, x + wide, y + high)


def units_frame(rows, **columns):
    """Communities from (code, residents or None, polygon)."""
    code, residents, geometry = zip(*rows, strict=True)
    data = {
        "code": code,
        "name": [f"社区{c}" for c in code],
        "level": "community",
        "residents": pd.array(residents, dtype="Int64"),
    }
    return gpd.GeoDataFrame(data | columns, geometry=list(geometry), crs=CRS)


def buildings(rows):
    """Buildings from (id, kind, levels, polygon)."""
    ids, kind, levels, geometry = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"id": ids, "building": kind, "levels": np.array(levels, dtype=float)},
        geometry=list(geometry),
        crs=CRS,
    )


def land(*geometry):
    return gpd.GeoDataFrame(
        {"id": [f"w{i}" for i in range(len(geometry))]}, geometry=list(geometry), crs=CRS
    )


def spread(frame, built=None, ground=None, groups=None):
    table = unit_table(frame)
    units = build_units(table, CRS, LEVELS)
    totals = group_totals(table, units) if groups is None else groups
    return units, spread_unit_totals(units, totals, Ground(built, ground), RULES, CRS)


def people(result):
    return dict(zip(result.seed.id, result.seed.residents.tolist(), strict=True))


def test_buildings_share_by_floor_area_when_it_is_believable():
    # 100 m2 x 4 = 400, 100 m2 x 3 (no tag) = 300, together 700 m2 for 35 residents: 20 m2 each
    built = buildings(
        [
            ("b2", "house", np.nan, box(20, 0, 10, 10)),
            ("b1", "apartments", 4, box(0, 0, 10, 10)),
            ("b3", "church", 9, box(40, 0, 10, 10)),
            ("b4", "house", 5, box(500, 0, 10, 10)),  # in no unit
        ]
    )
    _, result = spread(units_frame([("1", 35, box(0, 0, 100, 100))]), built)
    assert people(result) == {"b1": 20, "b2": 15}
    assert list(result.method) == ["buildings"]
    assert list(result.unit) == [0, 0]
    assert result.seed.modelled.all()
    assert shapely.area(result.seed.polygon[0]) == pytest.approx(100)
    assert result.seed.xy_m[0] == pytest.approx([5, 5])


@pytest.mark.parametrize(
    ("residents", "method"),
    [(71, "unit"), (70, "buildings"), (12, "buildings"), (11, "unit")],
)
def test_floor_area_per_resident_must_lie_between_10_and_60(residents, method):
    # 700 m2: 70 residents have 10.0 m2, 12 have 58.3, 71 have 9.9, 11 have 63.6
    built = buildings([("b", "house", 7, box(0, 0, 10, 10))])
    _, result = spread(units_frame([("1", residents, box(0, 0, 100, 100))]), built)
    assert list(result.method) == [method]
    assert result.seed.residents.sum() == residents


def test_residential_land_on_the_lattice_by_area():
    # land 0..150 x 0..50 in two overlapping pieces: squares 0 and 1 full, square 2 full;
    # the unit ends at x 125, so square 2 holds half: 2500, 2500, 1250 m2 of 100 persons
    ground = land(box(0, 0, 100, 50), box(60, 0, 90, 50))
    _, result = spread(units_frame([("u", 100, box(0, 0, 125, 400))]), None, ground)
    assert people(result) == {"u.000000.000000": 40, "u.000001.000000": 40, "u.000002.000000": 20}
    assert list(result.method) == ["land"]
    assert result.seed.xy_m == pytest.approx(np.array([[25, 25], [75, 25], [112.5, 25]]))
    assert shapely.bounds(result.seed.polygon[2]) == pytest.approx((100, 0, 125, 50))


def test_a_unit_without_land_is_spread_whole_along_the_curve():
    # four full squares, 6 persons: running 1.5, 3, 4.5, 6, rounded 2, 3, 5, 6
    # along the curve: south-west, north-west, north-east, south-east
    frame = units_frame([("u", 6, box(0, 0, 100, 100))])
    _, result = spread(frame, None, land(box(900, 900, 10, 10)))
    assert people(result) == {
        "u.000000.000000": 2,
        "u.000000.000001": 1,
        "u.000001.000000": 1,
        "u.000001.000001": 2,
    }
    assert list(result.method) == ["unit"]


def test_unknown_units_get_no_cells_and_empty_ones_none_either():
    frame = units_frame(
        [
            ("1", 9, box(0, 0, 50, 50)),
            ("2", None, box(50, 0, 50, 50)),
            ("3", 0, box(100, 0, 50, 50)),
        ]
    )
    units, result = spread(frame)
    assert units.residents.to_list() == [9, None, 0]
    assert list(result.method) == ["unit", "unknown", "empty"]
    assert people(result) == {"1.000000.000000": 9}
    assert result.level == "community"
    keys = {warning.key: warning for warning in result.warnings}
    assert keys["units_without_residents"].params["count"] == 1
    assert "社区2" in keys["units_without_residents"].text("zh")
    assert "9 residents" in keys["residents_modelled"].text("en")


def test_a_unit_too_small_for_a_square_gets_one_cell():
    frame = units_frame([("p", 12, shapely.Point(30, 40)), ("q", 3, box(0, 0, 0.01, 0.01))])
    _, result = spread(frame)
    assert people(result) == {"p": 12, "q": 3}
    assert list(result.method) == ["unit", "unit"]
    assert result.seed.xy_m[0] == pytest.approx([30, 40])
    assert result.seed.polygon[0] is None


def test_groups_never_exceed_a_cell_and_are_warned_of_where_unknown():
    # 5 residents in 4 squares: running 1.25, 2.5, 3.75, 5, rounded 1, 3, 4, 5; 4 old ones: one each
    frame = units_frame(
        [("a", 5, box(0, 0, 100, 100)), ("b", 2, box(200, 0, 50, 50))],
        pop_65=pd.array([4, None], dtype="Int64"),
        pop_0_3=pd.array([None, None], dtype="Int64"),
    )
    _, result = spread(frame)
    assert result.seed.residents.tolist() == [1, 2, 1, 1, 2]
    assert result.seed.groups["65"].value.tolist() == [1, 1, 1, 1, 0]
    assert [w.params["count"] for w in result.warnings if w.key == "group_partly_unknown"] == [1]
    assert "0_3" not in result.seed.groups


def test_the_lowest_level_with_totals_is_spread():
    frame = units_frame(
        [
            ("D", 100, box(0, 0, 100, 50)),
            ("a", 30, box(0, 0, 50, 50)),
            ("b", 40, box(50, 0, 50, 50)),
        ]
    )
    frame["level"] = ["district", "community", "community"]
    units, result = spread(frame)
    assert result.level == "community"
    assert list(result.method) == [None, "unit", "unit"]
    assert people(result) == {"a.000000.000000": 30, "b.000001.000000": 40}
    frame.loc[frame["level"] == "community", "residents"] = pd.NA
    assert spread(frame)[1].level == "district"
    assert list(units.parent) == [-1, 0, 0]


def test_impossible_totals_are_refused_all_at_once():
    frame = units_frame(
        [("a", 5, box(0, 0, 100, 100)), ("b", 2, box(200, 0, 50, 50)), ("c", 7, None)],
        pop_65=[6, 3, 0],
    )
    with pytest.raises(InputError) as caught:
        spread(frame)
    assert [fault.key for fault in caught.value.faults] == [
        "group_above_residents",
        "group_above_residents",
        "unit_without_place",
    ]
    assert "社区c" in caught.value.text("zh")
    with pytest.raises(ParameterError, match="No unit has a number of residents"):
        spread(units_frame([("a", None, box(0, 0, 9, 9))]))


def test_squares_are_the_same_as_clipping_every_square_by_itself():
    rng = np.random.default_rng(3)
    shapes = np.array(
        [
            shapely.union_all(
                shapely.buffer(shapely.points(rng.uniform(-300, 300, (6, 2))), 70, quad_segs=3)
            )
            for _ in range(4)
        ]
        + [box(-1000, -1000, 2000, 2000)],
        dtype=object,
    )
    squares = lattice_squares(shapes, 50)
    for i, shape in enumerate(shapes):
        mine = squares.owner == i
        found = dict(
            zip(
                zip(squares.column[mine], squares.row[mine], strict=True),
                shapely.area(squares.piece[mine]),
                strict=True,
            )
        )
        assert len(found) == np.count_nonzero(mine)
        assert sum(found.values()) == pytest.approx(shape.area)
        for column in range(-22, 23):
            for row in range(-22, 23):
                area = shape.intersection(box(column * 50, row * 50, 50, 50)).area
                assert found.get((column, row), 0.0) == pytest.approx(area, abs=1e-6)


unit_rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 400)),
        st.integers(0, 100),
        st.integers(1, 180),
        st.integers(1, 180),
    ),
    min_size=1,
    max_size=4,
)
building_rows = st.lists(
    st.tuples(
        st.integers(0, 780),
        st.integers(0, 180),
        st.integers(1, 30),
        st.one_of(st.none(), st.integers(1, 12)),
    ),
    max_size=8,
)


@given(unit_rows, building_rows, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_totals_are_kept_and_the_order_of_the_input_changes_nothing(rows, houses, green, shuffle):
    if all(row[0] is None for row in rows):
        rows[0] = (1, *rows[0][1:])
    share = [None if row[0] is None else row[0] * row[1] // 100 for row in rows]
    frame = units_frame(
        [
            (f"u{i}", residents, box(i * 200, 0, wide, high))
            for i, (residents, _, wide, high) in enumerate(rows)
        ],
        pop_65=pd.array(share, dtype="Int64"),
    )
    built = (
        buildings(
            [
                (f"b{i}", "house", np.nan if levels is None else levels, box(x, y, side, side))
                for i, (x, y, side, levels) in enumerate(houses)
            ]
        )
        if houses
        else None
    )
    ground = land(box(10, 10, 320, 90), box(250, 30, 200, 200)) if green else None
    units, result = spread(frame, built, ground)
    seed = result.seed
    assert (seed.residents > 0).all()
    kept = np.bincount(result.unit, weights=seed.residents, minlength=len(units.code))
    assert kept.tolist() == units.residents.value.tolist()
    if "65" in seed.groups:
        old = seed.groups["65"].value
        assert ((old >= 0) & (old <= seed.residents)).all()
        assert old.sum() == sum(part for part in share if part is not None)
    assert len(set(seed.id)) == len(seed)
    holders = units.geometry[result.unit]
    touching = shapely.distance(holders, shapely.points(seed.xy_m)) < 1e-6
    assert touching.all()

    order = list(range(len(frame)))
    shuffle.shuffle(order)
    again = spread(
        frame.iloc[order],
        None if built is None else built.iloc[::-1],
        None if ground is None else ground.iloc[::-1],
    )[1]
    assert list(again.seed.id) == list(seed.id)
    assert again.seed.residents.tolist() == seed.residents.tolist()
    assert again.seed.xy_m.tolist() == seed.xy_m.tolist()
    assert list(again.method) == list(result.method)


def test_moving_everything_by_whole_squares_moves_no_cell_by_more_than_a_person():
    """The curve lies on the Earth, so that other places are visited in another order."""
    ground = land(shapely.Point(160, 90).buffer(80), box(30, 20, 75, 41))
    frame = units_frame([("u", 977, box(0, 0, 300, 170)), ("v", 31, box(300, 0, 300, 170))])
    _, here = spread(frame, None, ground)
    frame.geometry = frame.translate(5000, 250)
    ground.geometry = ground.translate(5000, 250)
    _, there = spread(frame, None, ground)
    found = [
        {
            (round(x, 3), round(y, 3)): people
            for (x, y), people in zip((seed.xy_m - moved).tolist(), seed.residents, strict=True)
        }
        for seed, moved in ((here.seed, (0, 0)), (there.seed, (5000, 250)))
    ]
    for place in set(found[0]) | set(found[1]):
        assert abs(found[0].get(place, 0) - found[1].get(place, 0)) <= 1
    assert there.seed.residents.sum() == here.seed.residents.sum() == 977 + 31


def test_malta_keeps_every_resident(shared_data):
    frame = gpd.read_file(shared_data / "malta" / "malta_local_councils_pop.gpkg")
    frame["code"] = frame["osm_id"].astype(str)
    frame["level"] = "community"
    frame["residents"] = frame["population"].astype("Int64")
    frame["households"] = frame["residents"] // 3
    table = unit_table(frame)
    units = build_units(table, CRS, LEVELS)
    # a belt around the middle of each council stands for the residential land
    middle = gpd.GeoDataFrame(
        {"id": list(frame["code"])},
        geometry=shapely.buffer(shapely.point_on_surface(units.geometry), 600),
        crs=CRS,
    )
    start = time.process_time()
    totals = group_totals(table, units)
    result = spread_unit_totals(units, totals, Ground(None, middle), RULES, CRS)
    assert time.process_time() - start < 10
    assert result.seed.residents.sum() == 408_125
    assert np.count_nonzero(result.method == "unknown") == 6
    assert np.count_nonzero(result.method == "land") == 61
    kept = np.bincount(result.unit, weights=result.seed.residents, minlength=67)
    assert kept.tolist() == units.residents.value.tolist()
    homes = result.seed.groups["households"].value
    assert homes.sum() == totals["households"].value.sum()
    assert (homes <= result.seed.residents).all()


def test_buildings_nobody_lives_in_are_as_good_as_none():
    built = buildings([("b", "church", 3, box(0, 0, 10, 10))])
    _, result = spread(units_frame([("u", 6, box(0, 0, 50, 50))]), built, land())
    assert people(result) == {"u.000000.000000": 6}
