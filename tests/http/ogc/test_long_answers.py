"""Long answers are sent piece by piece: the same bytes, compressed or not, not held whole."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from starlette.testclient import TestClient

from lifecircle.analysis.results.columns import Column
from lifecircle.service.ogc import features, items
from lifecircle.service.ogc.features import geojson_blocks
from lifecircle.service.ogc.selection import Page
from lifecircle.service.state import LayerTable

GAPS = "/collections/tiny.gaps/items"


@pytest.mark.parametrize("form", ["geojson", "csv"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_pieces_make_the_same_answer(
    served: TestClient, monkeypatch: pytest.MonkeyPatch, form: str, coding: str
) -> None:
    query = f"{GAPS}?f={form}&sortby=-residents"
    whole = served.get(query)
    monkeypatch.setattr(items, "LONG", 7)
    monkeypatch.setattr(items, "BLOCK", 4)
    monkeypatch.setattr(features, "BLOCK", 4)
    told = f"{query}&lang=zh"  # not yet asked, so not among the kept answers
    sent = served.get(told, headers={"accept-encoding": coding})
    assert sent.headers.get("content-encoding", "identity") == coding
    assert "content-length" not in sent.headers
    if form == "csv":
        assert sent.content == whole.content
    else:
        assert sent.json()["features"] == whole.json()["features"]
        assert sent.json()["numberReturned"] == 59
    again = served.get(told, headers={"if-none-match": sent.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_memory_does_not_grow_with_the_page() -> None:
    assert peak(12_000) < 1.5 * peak(3_000)


def peak(rows: int) -> int:
    """Bytes held at most while a page of so many features is made."""
    columns = (Column("id", "text", "", ""), Column("residents", "integer", "persons", ""))
    frame = gpd.GeoDataFrame(
        {"id": [f"c{row}" for row in range(rows)], "residents": np.arange(rows)},
        geometry=shapely.points(np.linspace(102, 103, rows), 25.0),
        crs="EPSG:4326",
    )
    table = LayerTable("cells", columns, frame, {}, shapely.STRtree([]))
    chosen = Page(np.arange(rows, dtype=np.intp), rows, None)
    tracemalloc.start()
    length = sum(len(block) for block in geojson_blocks({"links": []}, table, chosen))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 100 * rows
    return held


def test_parquet_holds_the_selection(served: TestClient) -> None:
    answer = served.get(f"{GAPS}?f=parquet&reason=too_far&properties=residents,reason")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    frame = gpd.read_parquet(io.BytesIO(answer.content))
    found: Any = served.get(f"{GAPS}?reason=too_far").json()["features"]
    assert list(frame.columns) == ["id", "residents", "reason", "geometry"]
    assert list(frame["id"]) == [one["id"] for one in found]
    assert frame["residents"].sum() == sum(one["properties"]["residents"] for one in found)
    assert frame.crs.to_epsg() == 4326
