"""Files of layers: what is read is what was written, and a shape of many rows stands once."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from lifecircle.analysis.results.layers.files import read_layer, write_layer
from lifecircle.analysis.results.layers.layers import DEGREES, in_degrees


def layer(rows: int) -> gpd.GeoDataFrame:
    """Rows of three shapes in turn, the second none."""
    box = shapely.box(102.6, 24.9, 102.7, 25.0)
    both = shapely.MultiPolygon([box, shapely.box(102.8, 24.9, 102.9, 25.0)])
    shapes = np.array([both, None, box] * rows, dtype=object)[:rows]
    columns = {
        "id": pd.Series([f"西山{i}" for i in range(rows)], dtype=object),
        "residents": pd.array([None if i % 2 else i for i in range(rows)], dtype="Int64"),
        "share": np.where(np.arange(rows) % 2, np.nan, 0.25),
    }
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=DEGREES)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_a_layer_is_read_as_it_was_written(tmp_path: Path, rows: int) -> None:
    frame = layer(rows)
    write_layer(tmp_path / "layer.parquet", frame)
    read = read_layer(tmp_path / "layer.parquet")
    others = gpd.read_parquet(tmp_path / "layer.parquet")  # what any other program finds in it
    for found in (read, others):
        assert list(found.columns) == list(frame.columns)
        assert found.crs == frame.crs
        assert [*found.geometry.to_wkb()] == [*frame.geometry.to_wkb()]
        assert found["id"].tolist() == frame["id"].tolist()
        pd.testing.assert_series_equal(found["residents"], frame["residents"])
        pd.testing.assert_series_equal(found["share"], frame["share"])


def test_rows_share_a_shape_in_the_file_and_after_it(tmp_path: Path) -> None:
    corners = 1000
    one = shapely.Point(102.7, 25.0).buffer(0.1, quad_segs=corners)
    alone = gpd.GeoDataFrame({"id": ["0"]}, geometry=[one], crs=DEGREES)
    many = gpd.GeoDataFrame({"id": [str(i) for i in range(500)]}, geometry=[one] * 500, crs=DEGREES)
    write_layer(tmp_path / "one.parquet", alone)
    write_layer(tmp_path / "many.parquet", many)
    once, often = ((tmp_path / f"{name}.parquet").stat().st_size for name in ("one", "many"))
    assert often < once + 10_000  # the ids; one shape takes 64,000
    assert len({id(shape) for shape in read_layer(tmp_path / "many.parquet").geometry}) == 1


def test_shapes_without_a_place_have_no_box(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"id": ["0"]}, geometry=[shapely.Polygon()], crs=DEGREES)
    write_layer(tmp_path / "layer.parquet", frame)
    told = json.loads(pq.read_metadata(tmp_path / "layer.parquet").metadata[b"geo"])
    assert "bbox" not in told["columns"]["geometry"]
    assert read_layer(tmp_path / "layer.parquet").geometry.is_empty.all()


def test_shapes_are_turned_as_geopandas_turns_them() -> None:
    step = 100.0 / 3
    corners = [(400_000 + i * step, 2_750_000 + j * step) for i in range(4) for j in range(4)]
    cells = [shapely.box(x, y, x + step, y + step) for x, y in corners]
    held = [*cells, shapely.union_all(cells), None, shapely.Point(corners[3])]
    shapes = np.array([*held, cells[0]], dtype=object)
    turned = in_degrees(shapes, "EPSG:32648")
    plain = gpd.GeoSeries(shapes, crs="EPSG:32648").to_crs(DEGREES)
    assert [*turned.to_wkb()] == [*plain.to_wkb()]
    assert turned.iloc[0] is turned.iloc[-1]
    assert len(in_degrees(shapes[:0], "EPSG:32648")) == 0
