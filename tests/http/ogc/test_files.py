"""Files and tables of a layer."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from lifecircle.service.ogc import items
from lifecircle.service.wording import Words
from tests.http.ogc.asked import links
from tests.pages.served import client
from tests.worlds.tiny import tiny_run


def test_downloads_hold_the_whole_selection(root: Path, tmp_path: Path) -> None:
    small = client(root, page_size=2, max_page_size=3)
    url = "/collections/tiny.cells/items?lang=en&f="
    text = small.get(f"{url}csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [f"c{i}" for i in range(1, 11)]
    assert sum(int(row["residents"]) for row in rows) == 1910
    sheet = load_workbook(io.BytesIO(small.get(f"{url}xlsx").content)).worksheets[0]
    assert sheet.max_row == 11
    saved = tmp_path / "cells.gpkg"
    saved.write_bytes(small.get(f"{url}gpkg&unit_code=C1").content)
    frame = gpd.read_file(saved)
    assert list(frame["id"]) == ["c1", "c2"]
    few = small.get(f"{url}csv&limit=1&offset=1").content.decode("utf-8-sig").splitlines()
    assert few[1].startswith("c2,")


@pytest.mark.parametrize("form", ["csv", "xlsx", "gpkg", "parquet"])
def test_a_large_file_is_the_same_from_its_own_process(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    url = f"/collections/tiny.units/items?lang=en&f={form}"
    here = client(root).get(url)
    monkeypatch.setattr(items, "APART", dict.fromkeys(items.APART, 0))
    apart = client(root).get(url)
    assert (here.status_code, apart.status_code) == (200, 200)
    if form == "csv":
        assert apart.content == here.content
        return
    frames, excel = [], partial(pd.read_excel, engine="openpyxl")
    for number, answer in enumerate((here, apart)):
        saved = tmp_path / f"{number}.{form}"
        saved.write_bytes(answer.content)
        read = {"xlsx": excel, "parquet": gpd.read_parquet}.get(form, gpd.read_file)
        frames.append(read(saved))
    assert len(frames[0]) > 0
    assert frames[0].equals(frames[1])


def test_files_have_names_also_in_chinese(tmp_path: Path) -> None:
    tiny_run(tmp_path, area="小城.一")
    served = client(tmp_path)
    answer = served.get("/collections/小城.一.gaps/items?f=csv")
    assert answer.status_code == 200
    told = answer.headers["content-disposition"]
    assert told.startswith("attachment; filename=\"__._.gaps.csv\"; filename*=UTF-8''%E5%B0%8F")
    listed = served.get("/collections").json()["collections"]
    assert served.get(links(listed[0])["items"]).status_code == 200


def test_the_table_page_pages(served: TestClient) -> None:
    first = served.get("/collections/tiny.cells/items?f=html&limit=4&lang=en").text
    assert "1–4 of 10" in first
    assert "offset=4" in first
    none = served.get("/collections/tiny.cells/items?f=html&residents=7&lang=en").text
    assert "No feature matches" in none


def test_what_was_estimated_is_told_in_the_reader_s_language() -> None:
    assert Words("zh").modelled(("population", "odd")) == "人口、odd"
    assert Words("en").modelled(("population",)) == "residents"
