"""The units of all cities: one city after the other, as if they were one frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely

from lifecircle.service.batch.page import WORST_UNITS, Worst, add_worst
from lifecircle.service.batch.units_table import UnitTables


def city(lost: dict[str, dict[str, int | None]], *, west: float = 102.0) -> dict[str, Any]:
    """Figures of a city: residents not covered of 100, by service and unit."""
    codes = dict.fromkeys(code for units in lost.values() for code in units)
    return {
        "run": "r1",
        "services": [
            {
                "service": service,
                "by": "subdistrict",
                "units": [
                    {
                        "code": code, "name": f"街道{code}", "residents": 100,
                        "covered": None if without is None else 100 - without,
                        "not_covered": without,
                        "P": None if without is None else 1 - without / 100,
                    }
                    for code, without in units.items()
                ],
            }
            for service, units in lost.items()
        ],
        "shapes": [
            {"code": code, "name_en": None, "wkb": shapely.box(west, 25, west + 1, 26).wkb_hex}
            for code in list(codes)[:-1]  # the last has none
        ],
    }  # fmt: skip


def written(tables: UnitTables, path: Path) -> gpd.GeoDataFrame:
    with tables.writer(path) as writer:
        for table in tables.tables():
            writer.write_table(table)
    return gpd.read_parquet(path)


def test_cities_with_other_services_and_units_stand_below_each_other(tmp_path: Path) -> None:
    tables = UnitTables(tmp_path)
    tables.add("a", city({"park": {"1": 10, "2": None}, "clinic": {"2": 30}}))
    tables.add("none", city({}))
    tables.add("b", city({"school": {"1": 0, "9": 100}}, west=110.0))
    frame = written(tables, tmp_path / "units.parquet")
    assert frame[["city", "code", "name"]].to_numpy().tolist() == [
        ["a", "1", "街道1"], ["a", "2", "街道2"], ["b", "1", "街道1"], ["b", "9", "街道9"],
    ]  # fmt: skip
    assert list(frame.columns[7:]) == [
        "clinic_P", "clinic_covered", "park_P", "park_covered", "school_P", "school_covered",
        "geometry",
    ]  # fmt: skip
    covered = frame[["clinic_covered", "park_covered", "school_covered"]].astype(object)
    assert covered.where(covered.notna(), None).to_numpy().tolist() == [
        [None, 90, None], [70, None, None], [None, None, 100], [None, None, 0],
    ]  # fmt: skip
    assert frame["clinic_P"].tolist()[1] == pytest.approx(0.7)
    assert str(frame["residents"].dtype) == "Int64"
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.isna().tolist() == [False, True, False, True]
    file = pq.ParquetFile(tmp_path / "units.parquet")
    assert file.num_row_groups == 2
    told = file.schema_arrow.metadata[b"geo"].decode()
    assert '"bbox": [102.0, 25.0, 111.0, 26.0]' in told
    assert '"geometry_types": ["Polygon"]' in told


def test_no_city_at_all_is_an_empty_table(tmp_path: Path) -> None:
    assert written(UnitTables(tmp_path), tmp_path / "units.parquet").empty


def test_the_worst_units_of_all_cities_are_kept_as_if_sorted_at_once() -> None:
    lost = [{str(i): (i * 37 + k * 11) % 90 for i in range(150)} for k in range(4)]
    held: dict[str, Worst] = {}
    for k, units in enumerate(lost):
        add_worst(held, k, city({"park": dict(units)}))
    every = [
        (k, {"zh": f"街道{code}", "en": f"街道{code}"}, 1 - n / 100, n)
        for k, units in enumerate(lost)
        for code, n in units.items()
        if n
    ]
    assert held["park"] == sorted(every, key=lambda one: -one[3])[:WORST_UNITS]
