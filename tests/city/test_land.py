"""Residential land as samples: its area is kept, nothing counts twice."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.residents.land import sample_land
from lifecircle.analysis.city.units.units import build_units
from tests.files.as_tables import unit_table

CRS = "EPSG:32633"


def box(x, y, wide, high):
    return shapely.box(x, y, x + wide, y + high)


def land(*geometry):
    return gpd.GeoDataFrame(
        {"id": [str(i) for i in range(len(geometry))]}, geometry=list(geometry), crs=CRS
    )


def units(*geometry):
    frame = gpd.GeoDataFrame(
        {
            "code": [str(i) for i in range(len(geometry))],
            "name": "x",
            "level": "unit",
        },
        geometry=list(geometry),
        crs=CRS,
    )
    return build_units(unit_table(frame), CRS, ("unit",))


def test_samples_stand_at_the_centres_of_the_lattice_with_equal_shares():
    # 50 x 30 m: centres at y 12.5 only (37.5 lies outside), x 12.5 and 37.5; 1500 m2 by two
    seed = sample_land(
        land(box(0, 0, 50, 30)), units(box(0, 0, 25, 100), box(25, 0, 75, 100)), 25, CRS
    )
    assert seed.xy_m.tolist() == [[12.5, 12.5], [37.5, 12.5]]
    assert seed.area_m2.tolist() == [750.0, 750.0]
    assert seed.unit["unit"].tolist() == [0, 1]


def test_overlapping_land_counts_once():
    seed = sample_land(
        land(box(0, 0, 100, 50), box(50, 0, 100, 50)), units(box(0, 0, 200, 50)), 25, CRS
    )
    assert len(seed) == 12  # 150 x 50 m
    assert seed.area_m2.sum() == pytest.approx(7500)


def test_land_too_small_for_the_lattice_gets_one_sample():
    seed = sample_land(
        land(box(1, 1, 5, 5), box(40, 0, 60, 25)), units(box(0, 0, 200, 50)), 25, CRS
    )
    assert seed.area_m2.tolist() == pytest.approx([25, 750, 750])
    assert shapely.intersects_xy(box(1, 1, 5, 5), *seed.xy_m[0])
    assert seed.xy_m[1:].tolist() == [[62.5, 12.5], [87.5, 12.5]]


def test_land_outside_all_units_is_no_part_of_the_area():
    homes = land(box(0, 0, 50, 25), box(5000, 0, 50, 25))
    seed = sample_land(homes, units(box(0, 0, 100, 100)), 25, CRS)
    assert seed.area_m2.sum() == pytest.approx(1250)
    assert sample_land(homes, units(box(90_000, 0, 10, 10)), 25, CRS) is None


def test_no_land_is_none():
    assert sample_land(None, units(box(0, 0, 10, 10)), 25, CRS) is None
    assert sample_land(land().set_geometry([]), units(box(0, 0, 10, 10)), 25, CRS) is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 800), st.integers(0, 800), st.integers(1, 300), st.integers(1, 300)
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_area_is_kept_and_the_order_changes_nothing(boxes):
    homes = land(*(box(*corner) for corner in boxes))
    whole = units(box(-10, -10, 600, 2000), box(590, -10, 2000, 2000))
    seed = sample_land(homes, whole, 25, CRS)
    assert seed.area_m2.sum() == pytest.approx(homes.union_all().area)
    assert (seed.area_m2 > 0).all()
    assert shapely.intersects(homes.union_all().buffer(1e-6), shapely.points(seed.xy_m)).all()
    again = sample_land(homes.iloc[::-1], whole, 25, CRS)
    assert again.xy_m.tolist() == seed.xy_m.tolist()
    assert again.area_m2.tolist() == seed.area_m2.tolist()
    assert np.array_equal(again.unit["unit"], seed.unit["unit"])
