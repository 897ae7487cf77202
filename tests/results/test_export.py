"""Exchange files read back by other programs."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import shapely
from openpyxl import load_workbook

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.model import Deferred
from lifecircle.analysis.errors import ParameterError, UnknownNameError, WorkspaceError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results import export
from lifecircle.analysis.results import export_blocks as export_blocks_room
from lifecircle.analysis.results.columns import LAYERS
from lifecircle.analysis.results.export import (
    SUFFIXES,
    export_blocks,
    export_coverage,
    export_frame,
    export_layer,
)
from lifecircle.analysis.results.layers import layers
from lifecircle.analysis.results.layers.layers import layer_blocks, layer_columns, layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.coverage import coverage_document
from tests.worlds.tiny import tiny_city, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_vector_files_hold_every_feature(run: Run, tmp_path: Path, layer: str, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    export_layer(run, layer, path)
    back = gpd.read_file(path)
    frame = layer_frame(run, layer)
    assert back["id"].tolist() == frame["id"].tolist()
    assert back.crs == "EPSG:4326"
    assert set(frame.columns) <= {*back.columns}
    apart = shapely.hausdorff_distance(back.geometry.to_numpy(), frame.geometry.to_numpy())
    assert apart.max() < 1e-6
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_geojson_has_feature_ids_and_nulls(run: Run, tmp_path: Path) -> None:
    export_layer(run, "gaps", tmp_path / "g.geojson")
    features = json.loads((tmp_path / "g.geojson").read_text(encoding="utf-8"))["features"]
    assert features[0]["id"] == layer_frame(run, "gaps")["id"][0]
    island = next(f for f in features if f["properties"]["reason"] == "cut_off")
    assert island["properties"]["minutes_to_nearest"] is None
    assert island["properties"]["nearest_facility"] is None


@pytest.mark.parametrize("layer", LAYERS)
def test_csv_is_read_by_excel_and_has_no_formulas(run: Run, tmp_path: Path, layer: str) -> None:
    path = tmp_path / "out.csv"
    export_layer(run, layer, path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    frame = layer_frame(run, layer)
    assert [row["id"] for row in rows] == frame["id"].tolist()
    assert list(rows[0]) == [*(c.name for c in layer_columns(run, layer)), "lon", "lat"]
    for row in rows:
        assert 101.9 < float(row["lon"]) < 102.1
        assert not any(value.startswith(("=", "+", "@")) for value in row.values())
    if layer == "facilities":
        assert next(r["name"] for r in rows if r["id"] == "p2") == "'=2+3 <b>药房</b>"


def test_cells_of_tables_stand_where_their_walks_start(run: Run, tmp_path: Path) -> None:
    """A square's centroid; the middle of the back of a C, whose centroid lies outside."""
    east, north = run.city.cells.xy_m[0]
    square = shapely.box(0, 0, 100, 60)
    c_shape = shapely.difference(shapely.box(0, 0, 100, 100), shapely.box(20, 20, 100, 80))
    shapes = run.city.cells.polygon.copy()
    shapes[:2] = [shapely.affinity.translate(one, east, north) for one in (square, c_shape)]
    cells = dataclasses.replace(run.city.cells, outline=Deferred.of(shapes))
    city = dataclasses.replace(run.city, cells=cells)
    export_layer(dataclasses.replace(run, city=city), "cells", tmp_path / "c.csv")
    table = pd.read_csv(tmp_path / "c.csv", encoding="utf-8-sig")
    found = to_metric(table[["lon", "lat"]].to_numpy()[:2], run.city.crs) - (east, north)
    assert found == pytest.approx(np.array([[50, 30], [10, 50]]), abs=0.02)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_excel_is_titled_and_texts_stay_texts(run: Run, tmp_path: Path, lang: str) -> None:
    path = tmp_path / "out.xlsx"
    export_layer(run, "facilities", path, lang)  # type: ignore[arg-type]
    book = load_workbook(path)
    sheet = book.worksheets[0]
    assert sheet.title == "facilities"
    assert sheet.freeze_panes == "A2"
    header = [cell.value for cell in sheet[1]]
    assert header[0] == {"zh": "编号", "en": "Id"}[lang]
    assert {"zh": "到道路的距离（米）", "en": "Distance to a street (m)"}[lang] in header
    name = header.index({"zh": "名称", "en": "Name"}[lang])
    cell = next(row[name] for row in sheet.iter_rows(min_row=2) if row[0].value == "p2")
    assert (cell.value, cell.data_type) == ("=2+3 <b>药房</b>", "s")
    assert sheet.max_row == 1 + len(run.city.facilities)
    about = book.worksheets[1]
    assert [row[0].value for row in about.iter_rows(min_row=2)][:2] == ["id", "service"]


def test_control_signs_do_not_break_excel(tmp_path: Path) -> None:
    city = tiny_city()
    names = city.facilities.name.copy()
    names[0] = "a\x01b\x0bc"
    run = tiny_run(
        tmp_path,
        change=lambda c: dataclasses.replace(
            c, facilities=dataclasses.replace(c.facilities, name=names)
        ),
    )
    export_layer(run, "facilities", tmp_path / "f.xlsx", "en")
    values = [row[4].value for row in load_workbook(tmp_path / "f.xlsx").worksheets[0].iter_rows()]
    assert "abc" in values


@pytest.mark.parametrize("layer", ["units", "facilities"])
def test_a_column_of_texts_is_one_also_where_it_is_empty(
    run: Run, tmp_path: Path, layer: str
) -> None:
    path = tmp_path / "out.parquet"
    export_layer(run, layer, path)
    schema = pyarrow.parquet.read_schema(path)
    texts = [column.name for column in layer_columns(run, layer) if column.dtype == "text"]
    assert any(gpd.read_parquet(path)[name].isna().all() for name in texts)
    assert {str(schema.field(name).type).removeprefix("large_") for name in texts} == {"string"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("layer", ["cells", "gaps"])
def test_an_empty_layer_is_an_empty_file(tmp_path: Path, suffix: str, layer: str) -> None:
    run = tiny_run(tmp_path, change=lambda _: tiny_city(places=(), cells=(), surveyed=()))
    path = tmp_path / f"none{suffix}"
    export_layer(run, layer, path)
    assert path.stat().st_size > 0
    if suffix in {".geojson", ".gpkg"}:
        assert len(gpd.read_file(path)) == 0


def test_a_failed_write_leaves_what_was_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_csv", fail)
    with pytest.raises(WorkspaceError, match="No space left"):
        export_layer(run, "cells", path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_full_disk_is_told_where_gdal_does_not_say_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("Cannot write feature")

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", fails)
    for free, said in ((2**30, "Cannot write feature"), (100, "No space left on device")):
        room = SimpleNamespace(free=free)
        monkeypatch.setattr("shutil.disk_usage", lambda _, room=room: room)
        with pytest.raises(WorkspaceError, match=said):
            export_layer(run, "cells", tmp_path / "c.gpkg", "en")


def test_bad_targets_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\.geojson \.gpkg \.parquet \.csv \.xlsx"):
        export_layer(run, "cells", tmp_path / "out.shp")
    with pytest.raises(UnknownNameError):
        export_layer(run, "rivers", tmp_path / "out.csv")
    for suffix in SUFFIXES:
        with pytest.raises(WorkspaceError):
            export_layer(run, "cells", tmp_path / "no" / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_more_rows_than_a_sheet_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "EXCEL_ROWS", 3)
    with pytest.raises(ParameterError, match=r"\.gpkg"):
        export_layer(run, "cells", tmp_path / "out.xlsx")


def test_coverage_tables(run: Run, tmp_path: Path) -> None:
    result = coverage_document(run, Question("health_centre"))
    export_coverage(result, tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["code"] for row in rows] == ["total", "C1", "C2", "C3", "C4", "C5"]
    assert float(rows[0]["P"]) == 600 / 1910
    assert rows[0]["C"] == ""
    export_coverage(result, tmp_path / "c.xlsx", "zh")
    book = load_workbook(tmp_path / "c.xlsx")
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[2]][:5] == ["total", "total", None, 1910, 600]
    notes = [[cell.value for cell in row] for row in book.worksheets[1].iter_rows()]
    assert ["时限（分钟）", "15.0"] in [note[:2] for note in notes]
    assert any(note[0] == "提示" for note in notes)
    with pytest.raises(ParameterError):
        export_coverage(result, tmp_path / "c.gpkg")


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".xlsx", ".csv"])
@pytest.mark.parametrize("layer", ["cells", "units", "network"])
def test_a_long_layer_is_written_block_by_block_as_at_once(
    run: Run, tmp_path: Path, layer: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = layer_columns(run, layer)
    export_frame(layer_frame(run, layer), columns, tmp_path / f"whole{suffix}", layer)
    monkeypatch.setattr(layers, "ROWS", 2)
    monkeypatch.setattr(export_blocks_room, "GROUP_ROWS", 4)
    export_blocks(layer_blocks(run, layer), columns, tmp_path / f"blocks{suffix}", layer)
    whole, blocks = (read_back(tmp_path / f"{name}{suffix}") for name in ("whole", "blocks"))
    assert list(whole.columns) == list(blocks.columns)
    same = (whole == blocks) | (whole.isna() & blocks.isna())  # null throughout: of any type
    assert same.to_numpy().all()
    if suffix == ".parquet":
        told = pyarrow.parquet.read_metadata(tmp_path / f"blocks{suffix}")
        groups = [told.row_group(k).num_rows for k in range(told.num_row_groups)]
        assert [set(groups[:-1]) <= {4}, sum(groups)] == [True, len(whole)]
    known = whole.columns[whole.notna().any()]
    assert whole[known].dtypes.equals(blocks[known].dtypes)


def read_back(path: Path) -> pd.DataFrame:
    """What a file says, shapes as WKB."""
    if path.suffix == ".xlsx":
        return pd.read_excel(path, engine="openpyxl")
    if path.suffix == ".csv":
        return pd.read_csv(path)
    frame = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    assert frame.crs.to_epsg() == 4326
    return pd.DataFrame(frame.drop(columns="geometry")).assign(wkb=frame.geometry.to_wkb())
