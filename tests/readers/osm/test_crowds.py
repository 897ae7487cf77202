"""Residents that cannot be: more than there are people, denser than any place."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.tables.population_and_facilities import read_population
from lifecircle.analysis.readers.tables.units import read_units


def square(metres: float, east: int = 0) -> shapely.Polygon:
    """A square of so many metres at 102.7 E, 25.0 N, about."""
    wide, high = metres / 100_950, metres / 110_780
    west = 102.7 + 0.01 * east
    return shapely.box(west, 25.0, west + wide, 25.0 + high)


def write_cells(path: Path, rows: list[tuple[float, float]], **columns: list[str]) -> Path:
    """Polygons of (side in metres, residents)."""
    shapes = [square(side, i) for i, (side, _) in enumerate(rows)]
    told = {"population": [people for _, people in rows]} | columns
    gpd.GeoDataFrame(told, geometry=shapes, crs=4326).to_file(path, driver="GeoJSON")
    return path


def faults_of(reader) -> list[tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        reader()
    assert all(fault.text("en") and fault.text("zh") for fault in caught.value.faults)
    return [(fault.key, fault.row) for fault in caught.value.faults]


@pytest.mark.parametrize(("side", "people", "key"), [
    (100, 19_900, None),  # 1 ha at 19,900 per hectare
    (100, 20_300, "input_people_dense"),
    (100, 500_000, "input_people_dense"),
    (1000, 1_990_000, None),
    (1000, 2_030_000, "input_people_dense"),
    (30, 900, None),  # a tower on 0.09 ha
    (30, 2_100, "input_people_crowded"),  # counts as 0.1 ha
    (60, 8_000, "input_people_crowded"),  # 0.36 ha: one building may stand there
    (72, 11_000, "input_people_dense"),  # 0.52 ha
])  # fmt: skip
def test_polygons_denser_than_any_place(tmp_path, side, people, key):
    path = write_cells(tmp_path / "cells.geojson", [(50, 10), (side, people)])
    if key == "input_people_dense":
        assert faults_of(lambda: read_population(path)) == [(key, 2)]
        return
    warned = [fault.key for fault in read_population(path).warnings]
    assert warned == ([] if key is None else [key])


def test_points_have_no_ground_and_more_than_all_people_are_refused(tmp_path):
    points = gpd.points_from_xy([102.7, 102.71], [25, 25])
    path = tmp_path / "cells.geojson"
    for people, told in ((10**10, None), (10**15, [("input_persons_impossible", 2)])):
        frame = gpd.GeoDataFrame({"population": [300_000, people]}, geometry=points, crs=4326)
        frame.to_file(path, driver="GeoJSON")
        if told is None:
            assert read_population(path).residents.tolist() == [300_000, people]
        else:
            assert faults_of(lambda: read_population(path)) == told


def test_units_too(tmp_path):
    columns = {"name": ["甲", "乙"], "code": ["A", "B"]}
    path = write_cells(tmp_path / "u.geojson", [(1000, 5_000), (1000, 9_000_000)], **columns)
    told = faults_of(lambda: read_units([path], load_policy()))
    assert told == [("input_people_dense", 2)]
    path = write_cells(tmp_path / "v.geojson", [(1000, 5_000), (1000, 10**15)], **columns)
    told = faults_of(lambda: read_units([path], load_policy()))
    assert ("input_persons_impossible", 2) in told
