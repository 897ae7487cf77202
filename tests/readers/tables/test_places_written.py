"""Ways people write a place: pairs of columns, both numbers in one cell, angles in any notation."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.coordinates.places_written import (
    read_angle,
    read_places_written,
)
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities

TWO = ("lng_gcj02", "lat_gcj02", "lng_wgs84", "lat_wgs84")
LON, LAT = 102.6950471, 24.9954862
POINT = shapely.Point(LON, LAT)


@pytest.mark.parametrize(
    ("written", "degrees", "axis"),
    [
        ("102.6950471E", 102.6950471, "lon"),
        ("东经102.69", 102.69, "lon"),
        ("北纬24.99°", 24.99, "lat"),
        ("70.5W", -70.5, "lon"),
        ("-33.4", -33.4, None),
        ("102°42′11″", 102 + 42 / 60 + 11 / 3600, None),
        ("102°42'11.5\"E", 102 + 42 / 60 + 11.5 / 3600, "lon"),
        ("102度42分11秒，", 102 + 42 / 60 + 11 / 3600, None),
        ("102,6950471", 102.6950471, None),
        ("24,995", 24.995, None),
    ],
)
def test_angles(written, degrees, axis):
    read = read_angle(written)
    assert read is not None
    assert read[0] == pytest.approx(degrees, abs=1e-12)
    assert read[1] == axis


@pytest.mark.parametrize("written", ["一十", "102°61′00″", "东风路5号", "102°42′70″", "E24N", ""])
def test_what_is_no_angle(written):
    assert read_angle(written) is None


@pytest.mark.parametrize(
    "written",
    [
        f"{LON},{LAT}",
        f"{LON}，{LAT}",
        f"({LON}, {LAT})",
        f"{LAT} {LON}",
        f"{LON}E;{LAT}N",
        f"北纬{LAT}°，东经{LON}°",
        f"东经{LON}北纬{LAT}",
        f'{{"lng":{LON},"lat":{LAT}}}',
        f"{LON} {LAT}".replace(".", ","),
        f"SRID=4326;POINT({LON} {LAT})",
        shapely.to_wkb(POINT, hex=True),
        shapely.to_geojson(POINT),
    ],
)
def test_places_in_one_cell(written):
    read = read_places_written(np.array([written], dtype=object), degrees=True)
    assert shapely.get_coordinates(read.shapes).tolist() == [[LON, LAT]]


def test_an_order_nobody_can_tell_is_told_and_the_title_decides(tmp_path, policy):
    for title, place in (("location", (14.5, 35.9)), ("latlng", (35.9, 14.5))):
        path = tmp_path / f"{title}.csv"
        path.write_text(f'类型,{title}\n药店,"14.5,35.9"\n', "utf-8")
        table = read_facilities(path, policy, Declarations(Declaration(datum="wgs84")))
        assert table.where.centres().tolist() == [list(place)]
        told = {fault.key for fault in table.warnings}
        assert ("input_place_order" in told) == (title == "location")


def columns(*titles: str) -> list[Column]:
    return [Column(title, np.array([1.0])) for title in titles]


@pytest.mark.parametrize(
    ("titles", "datum", "pair"),
    [
        (TWO, "wgs84", ("lng_wgs84", "lat_wgs84")),
        (TWO, "gcj02", ("lng_gcj02", "lat_gcj02")),
        (TWO, "cgcs2000", ("lng_wgs84", "lat_wgs84")),
        (("经度", "纬度", "wgs84_lon", "wgs84_lat"), "gcj02", ("经度", "纬度")),
        (("经度", "纬度", "wgs84_lon", "wgs84_lat"), "wgs84", ("wgs84_lon", "wgs84_lat")),
        (("高德经度", "高德纬度", "百度经度", "百度纬度"), "bd09", ("百度经度", "百度纬度")),
        (("经度(GCJ-02)", "纬度(GCJ-02)", "经度(WGS84)", "纬度(WGS84)"), "wgs84",
         ("经度(WGS84)", "纬度(WGS84)")),
        (("lat_gcj02", "lng_wgs84", "lat_wgs84"), "gcj02", ("lng_wgs84", "lat_wgs84")),
        (("bd_lng", "bd_lat"), "bd09", ("bd_lng", "bd_lat")),
    ],
)  # fmt: skip
def test_columns_are_chosen_as_pairs(titles, datum, pair):
    found = Findings("a.csv")
    picked = pick_coordinates(columns(*titles), Declaration(datum=datum), found)
    assert (picked["lon"].title, picked["lat"].title) == pair
    assert not found


@pytest.mark.parametrize(
    ("titles", "datum", "key"),
    [
        (("lng_gcj02", "lat_wgs84"), "wgs84", "input_pair_mixed"),
        (TWO, "bd09", "input_pairs_datum"),
        (TWO, None, "input_pairs_datum"),
    ],
)
def test_no_place_is_made_of_two_datums(titles, datum, key):
    found = Findings("a.csv")
    assert "lon" not in pick_coordinates(columns(*titles), Declaration(datum=datum), found)
    assert [fault.key for fault in found.errors()] == [key]


def test_a_lost_decimal_point_is_the_cause(tmp_path, policy):
    path = tmp_path / "a.csv"
    path.write_text("类型,经度,纬度\n药店,1026950471,249954862\n", "utf-8")
    with pytest.raises(InputError, match="decimal point is lost"):
        read_facilities(path, policy, Declarations(Declaration(datum="wgs84")))


@pytest.mark.parametrize("name", ["16_one_column.csv", "16_location.csv"])
def test_one_column_of_the_field(shared_data, policy, name):
    path = shared_data / "field" / name
    if not path.is_file():
        pytest.skip("the field cases (../shared/data/field) are not here")
    table = read_facilities(path, policy, Declarations(Declaration(datum="wgs84")))
    assert table.where.centres()[0].tolist() == [LON, LAT]
