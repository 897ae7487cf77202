"""Layers: the frames HTTP, maps and exports show."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.columns import COLUMNS, LAYERS, OPTIONAL_LAYERS
from lifecircle.analysis.results.layers.layers import (
    STORED,
    gap_frame,
    gap_rows,
    layer_columns,
    layer_frame,
)
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog import circles_document
from tests.worlds.tiny import TINY_PLACES, Place, tiny_city, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("workspace"))


DTYPES = {"text": "object", "integer": "Int64", "number": "float64", "boolean": "bool"}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_the_columns_of_the_table(run: Run, layer: str) -> None:
    frame = layer_frame(run, layer)
    columns = layer_columns(run, layer)
    assert list(frame.columns) == [*(column.name for column in columns), "geometry"]
    assert frame.columns[0] == "id"
    assert frame["id"].is_unique
    assert frame.crs == "EPSG:4326"
    assert len(frame) > 0
    for column in columns:
        assert str(frame[column.name].dtype) == DTYPES[column.dtype]
        assert column.title.zh
        assert column.title.en
        if column.null.en == "Never empty":
            assert frame[column.name].notna().all(), column.name
    west, south, east, north = frame.total_bounds
    assert 101.9 < west < east < 102.1
    assert 24.9 < south < north < 25.2


def test_every_layer_is_in_the_column_table() -> None:
    assert tuple(COLUMNS) == (*LAYERS, *OPTIONAL_LAYERS)


def test_layers_are_the_same_twice(run: Run, tmp_path: Path) -> None:
    again = tiny_run(tmp_path)
    for layer in LAYERS:
        pd.testing.assert_frame_equal(layer_frame(run, layer), layer_frame(again, layer))


@pytest.mark.parametrize("layer", STORED)
def test_stored_layers_are_what_would_be_made(run: Run, tmp_path: Path, layer: str) -> None:
    assert (run.path / f"layer.{layer}.parquet").is_file()
    made = layer_frame(dataclasses.replace(run, path=tmp_path), layer)
    pd.testing.assert_frame_equal(layer_frame(run, layer), made)


def test_a_stored_layer_of_another_version_is_made_anew(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    whole = layer_frame(run, "units")
    whole.drop(columns="class").to_parquet(run.path / "layer.units.parquet")
    pd.testing.assert_frame_equal(layer_frame(run, "units"), whole)


def test_cells(run: Run) -> None:
    frame = layer_frame(run, "cells").set_index("id")
    assert frame.loc["c1", "minutes_health_centre"] == pytest.approx(370 / (1000 / 15))
    assert np.isnan(frame.loc["c9", "minutes_health_centre"])
    assert np.isnan(frame.loc["c1", "minutes_market"])
    assert frame.loc["c8", "snapped"] == np.False_
    assert np.isnan(frame.loc["c8", "access_m"])
    assert frame.loc["c8", "component"] is pd.NA
    assert frame.loc["c9", "component"] == 1
    assert (frame.loc["c5", "unit_code"], frame.loc["c5", "unit_name"]) == ("C3", "三社区")
    assert frame.loc["c5", "residents_65"] == 60
    assert frame.loc["c5"].geometry.geom_type == "Polygon"
    assert frame.loc["c4"].geometry.geom_type == "Point"


def test_facilities(run: Run) -> None:
    frame = layer_frame(run, "facilities").set_index("id")
    assert frame.loc["h1", "ownership"] == "government"
    assert frame.loc["p1", "ownership"] is None
    assert frame.loc["h1", "service_zh"] == "社区卫生服务中心"
    assert frame.loc["p2", "name"] == "=2+3 <b>药房</b>"
    assert frame.loc["s2", "name"] is None
    assert frame.loc["h1", "access_m"] == 20
    assert not frame.loc["e1", "snapped"]
    assert frame.loc["f1", "access_m"] == 0  # the park is entered from the street


def test_units(run: Run) -> None:
    frame = layer_frame(run, "units").set_index("id")
    assert frame["residents"].tolist() == [1000, 910, 300, 700, 400, 410, 100]
    assert frame.loc["S1", "P_health_centre"] == 600 / 1000
    assert frame.loc["C2", "P_health_centre"] == 300 / 700
    assert np.isnan(frame.loc["C2", "P_market"])
    assert (frame.loc["C5", "parent_code"], frame.loc["S1", "parent_code"]) == ("S2", None)


def test_gaps_of_all_services_and_of_any_question(run: Run) -> None:
    frame = layer_frame(run, "gaps")
    assert set(frame["service"]) == {
        "convenience_store",
        "pharmacy",
        "health_centre",
        "elder_care",
        "fitness_indoor",
        "fitness_outdoor",
        "sports_pitch",
        "swimming_pool",
    }
    centre = frame[frame["service"] == "health_centre"]
    assert centre["residents"].tolist() == [400, 350, 250, 150, 100, 60]
    assert centre["nearest_facility"].tolist() == ["h1"] * 4 + [None] * 2
    found = gaps(run.study, Question(service="health_centre", minutes=1440))
    asked = gap_frame(run, found)
    assert asked["reason"].tolist() == ["cut_off", "unsnapped"]
    assert len(gap_frame(run, ())) == 0
    rows = [{"id": gap.id, **row} for gap, row in zip(found, gap_rows(run, found), strict=True)]
    assert len(rows) == 2
    assert list(rows[0]) == list(asked.columns.drop("geometry"))
    for row, held in zip(rows, asked.to_dict("records"), strict=True):
        for name, value in row.items():
            assert type(value) in (int, float, str, type(None)), name
            assert value == held[name] if value is not None else pd.isna(held[name]), name
    assert gap_rows(run, ()) == []


def test_circles(run: Run) -> None:
    frame = layer_frame(run, "circles").set_index("id")
    assert len(frame) == 2 * 7
    assert frame.loc["fitness-C2", "complete"] == 400
    assert frame.loc["fitness-C2", "share"] == 400 / 700
    assert frame.loc["fitness-C2", "missing"].startswith("swimming_pool;")
    off = circles_document(run, Question(), lang="en")["circles"]["fitness"]["units"]
    for name in ("unsnapped", "unsnapped_no_street", "unsnapped_short_piece"):
        assert {row["code"]: row[name] for row in off}.items() <= dict(
            zip(frame["unit_code"], frame[name], strict=True)
        ).items()


def test_network(run: Run) -> None:
    frame = layer_frame(run, "network")
    assert frame["length_m"].sum() == 12_000
    metric = frame.to_crs(run.city.crs)
    assert metric.length.sum() == pytest.approx(12_000, abs=0.01)
    assert frame["component"].value_counts().to_dict() == {0: 6, 1: 3}


def test_one_place_with_two_services_has_two_ids(tmp_path: Path) -> None:
    twice = (*TINY_PLACES, Place("h1", "pharmacy", 5000, 0))
    run = tiny_run(tmp_path, change=lambda _: tiny_city(places=twice))
    ids = set(layer_frame(run, "facilities")["id"])
    assert {"h1@health_centre", "h1@pharmacy", "p1"} <= ids


@pytest.mark.parametrize("layer", LAYERS)
def test_an_empty_city_has_empty_layers(tmp_path: Path, layer: str) -> None:
    def bare(city: object) -> object:
        empty = tiny_city(places=(), land=None, cells=(), streets=())
        return dataclasses.replace(empty, surveyed=frozenset())

    run = tiny_run(tmp_path, change=bare)  # type: ignore[arg-type]
    frame = layer_frame(run, layer)
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.crs == "EPSG:4326"
    assert len(frame) == {"units": 7, "circles": 14}.get(layer, 0)


def test_unknown_layers_are_refused(run: Run) -> None:
    with pytest.raises(UnknownNameError, match="cells, facilities"):
        layer_frame(run, "rivers")
    with pytest.raises(UnknownNameError):
        layer_columns(run, "rivers")
