"""Residents and facilities from files: what is read, and every fault at once."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from shapely.geometry import Point, box

from lifecircle.analysis.readers.records.coordinates.datums import wgs84_to_gcj02
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_facilities,
    read_population,
)
from tests.files.ods import write_ods
from tests.files.tables import GOOD, HEADER, faults, keyed, said

# ---- population: what is read


def test_porto_alegre_reads_whole(shared_data: Path):
    table = read_population(shared_data / "porto_alegre" / "poa_hexgrid.csv", said("wgs84"))
    assert len(table.frame) == 1227
    assert table.frame["residents"].sum() == 812_935
    assert table.frame["residents"].dtype == np.int64
    assert list(table.frame.columns) == ["id", "residents", "geometry"]
    assert table.frame.crs.to_epsg() == 4326
    assert table.warnings == ()
    first = table.frame.iloc[0]
    assert first["id"] == "89a901291abffff"
    assert first.geometry.x == -51.1582459466033


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_columns_in_every_encoding(file, encoding):
    text = "编号,经度,纬度,常住人口,65岁及以上人口,户数(户)\n甲,102.70,25.04,1 0,3,4\n"
    text = text.replace("1 0", '"1,234"')
    table = read_population(file(text.encode(encoding)), said("wgs84"))
    row = table.frame.iloc[0]
    assert (row["id"], row["residents"], row["pop_65"], row["households"]) == ("甲", 1234, 3, 4)


def test_scale_in_brackets_multiplies_and_is_told(file):
    path = file("经度,纬度,人口(万人)\n102.7,25.0,45.1234\n102.7,25.1,1.2万\n")
    table = read_population(path, said("wgs84"))
    assert table.frame["residents"].tolist() == [451_234, 12_000]
    assert [w.key for w in table.warnings] == ["input_scaled"]


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.tsv"), ("\t", "a.txt")])
def test_separators(file, separator, name):
    table = read_population(file(GOOD.replace(",", separator), name), said("wgs84"))
    assert table.frame["residents"].tolist() == [10, 20]


def test_cells_that_were_exported_keep_their_groups(file):
    text = (
        "id,residents,residents_0_3,residents_65,residents_households,lon,lat\na,10,1,2,4,14,35\n"
    )
    row = read_population(file(text), said("wgs84")).frame.iloc[0]
    assert (row["residents"], row["pop_0_3"], row["pop_65"], row["households"]) == (10, 1, 2, 4)


def test_groups_are_open_ended_and_null_when_blank(file):
    text = "lon,lat,population,pop_0_3,pop_65,pop_women,pop_tag\n14,35,10,1,,6,\n14,36,9,,2,,osm\n"
    frame = read_population(file(text), said("wgs84")).frame
    assert list(frame.columns) == ["id", "residents", "pop_0_3", "pop_65", "pop_women", "geometry"]
    assert frame["pop_0_3"].tolist() == [1, pd.NA]
    assert frame["pop_65"].tolist() == [pd.NA, 2]
    assert str(frame["pop_women"].dtype) == "Int64"
    assert frame["id"].tolist() == ["2", "3"]  # the row numbers


def test_full_width_digits_and_blank_rows(file):
    text = "lon,lat,population\n\n１０２.７,25.04,１２\n,,\n102.8,25.04,x\n"
    found = faults(lambda: read_population(file(text), said("wgs84")))
    assert [(f.key, f.row, f.params["value"]) for f in found] == [("input_number_text", 5, "x")]


def test_workbooks(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "经度", "纬度", "人口"])
    sheet.append([530102001, 102.7, 25.04, 12.0])
    sheet.append([])
    sheet.append([530102002, 102.7, 25.05, -3])
    book.create_sheet("说明").append(["这里是说明"])
    path = tmp_path / "人口.xlsx"
    book.save(path)
    found = keyed(lambda: read_population(path, said("wgs84")))
    assert found == [("input_count_negative", 4, "人口")]
    sheet["D4"] = 3
    book.save(path)
    table = read_population(path, said("wgs84"))
    assert table.frame["id"].tolist() == ["530102001", "530102002"]
    assert [w.key for w in table.warnings] == ["input_sheets"]


def test_open_document_sheet(tmp_path):
    def row(*cells):
        return "<table:table-row>" + "".join(cells) + "</table:table-row>"

    def word(text):
        return (f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
                "</table:table-cell>")  # fmt: skip

    def number(value):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = row(word("lon"), word("lat"), word("人口")) + row(number(102.5), number(25), number(8))
    path = tmp_path / "a.ods"
    write_ods(path, rows)
    frame = read_population(path, said("wgs84")).frame
    assert (frame["residents"].tolist(), frame.geometry.iloc[0].x) == ([8], 102.5)


def test_wkt_polygons_and_shifted_datum(file):
    here = np.array([[102.70, 25.00], [102.71, 25.00], [102.71, 25.01], [102.70, 25.01]])
    ring = shapely.Polygon(wgs84_to_gcj02(here))
    path = file(f'population;wkt\n7;"{ring.wkt}"\n')
    shape = read_population(path, said("gcj02")).frame.geometry.iloc[0]
    assert shapely.get_coordinates(shape)[:4] == pytest.approx(here, abs=1e-9)
    abroad = read_population(file(HEADER + "a,14.5,35.9,3\n"), said("bd09"))
    assert [w.key for w in abroad.warnings] == ["input_bd09_residual", "input_datum_abroad"]


def test_cgcs2000_moves_nothing_and_says_so(file):
    table = read_population(file(GOOD), said("cgcs2000"))
    assert table.frame.geometry.iloc[0].coords[0] == (102.70, 25.04)
    assert [w.key for w in table.warnings] == ["input_cgcs2000"]


@pytest.mark.parametrize("name", ["l.gpkg", "l.geojson", "l.shp", "l.parquet"])
def test_layers_bring_their_own_crs(tmp_path, name):
    frame = gpd.GeoDataFrame(
        {"人口": [5, 6], "名称": ["甲", "乙"]}, geometry=[Point(102.7, 25.0), Point(102.8, 25.1)],
        crs=4326,
    )  # fmt: skip
    path = tmp_path / name
    projected = frame if name == "l.geojson" else frame.to_crs(4543)
    write = projected.to_parquet if name == "l.parquet" else projected.to_file
    write(path)
    table = read_population(path)
    assert table.frame["residents"].tolist() == [5, 6]
    assert table.frame["id"].tolist() == ["1", "2"]
    assert shapely.get_coordinates(table.frame.geometry.to_numpy()) == pytest.approx(
        np.array([[102.7, 25.0], [102.8, 25.1]]), abs=1e-9
    )
    cgcs = [] if name == "l.geojson" else ["input_cgcs2000"]
    assert [w.key for w in table.warnings] == cgcs


def test_shapefile_without_cpg_in_gbk(tmp_path):
    path = tmp_path / "g.shp"
    frame = gpd.GeoDataFrame({"编号": ["翠湖"], "人口": [3]}, geometry=[Point(102, 25)], crs=4326)
    frame.to_file(path, encoding="GB18030")
    path.with_suffix(".cpg").unlink()
    assert read_population(path).frame["id"].tolist() == ["翠湖"]
    path.with_suffix(".dbf").unlink()
    assert keyed(lambda: read_population(path)) == [("input_shape_parts", None, None)]


def test_parquet_without_geometry_is_a_table(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"lon": [1.0], "lat": [2.0], "population": [3]}).to_parquet(path)
    assert read_population(path, said("wgs84")).frame["residents"].tolist() == [3]


def test_datum_is_not_applied_to_a_layer_with_its_own(file):
    feature = {"type": "Feature", "properties": {"population": 2}, "id": "k",
               "geometry": {"type": "Point", "coordinates": [102.7, 25.0]}}  # fmt: skip
    path = file(json.dumps({"type": "FeatureCollection", "features": [feature]}), "a.geojson")
    table = read_population(path, said("gcj02"))
    assert table.frame.geometry.iloc[0].coords[0] == (102.7, 25.0)
    assert [w.key for w in table.warnings] == ["input_datum_not_applied"]
    assert table.frame["id"].tolist() == ["k"]


# ---- population: what is refused


def test_all_faults_of_a_table_at_once(file):
    text = (
        "id,lon,lat,population,pop_65\n"
        "a,102.70,25.04,-5,1\n"  # row 2
        "b,102.70,25.04,NaN,1\n"  # 3
        "a,102.70,25.04,2.5,1\n"  # 4: a is taken; a fraction is none
        "d,不详,25.04,,1\n"  # 5
        "e,0,0,3,1\n"  # 6
        "f,25.04,102.70,3,1\n"  # 7: swapped
        "g,102.70,25.04,3,9\n"  # 8: more old people than people
        ",102.70,95,1e300,\n"  # 9
    )
    path = file(text)
    assert keyed(lambda: read_population(path)) == [
        ("input_datum_missing", None, None),
        ("input_count_negative", 2, "population"),
        ("input_number_text", 3, "population"),
        ("input_id_twice", 4, "id"),
        ("input_number_text", 5, "lon"),
        ("input_count_blank", 5, "population"),
        ("input_zero_zero", 6, "lon, lat"),
        ("input_swapped_row", 7, "lat"),
        ("input_group_more", 8, "pop_65"),
        ("input_lat_range", 9, "lat"),
        ("input_id_blank", 9, "id"),
        ("input_persons_impossible", 9, "population"),
    ]
    text = "\n".join(f.text("zh") for f in faults(lambda: read_population(path, said("wgs84"))))
    assert "cells.csv 第 5 行“lon”列：“不详”不是数字" in text
    assert "编号“a”已在第 2 行出现" in text


def test_swapped_columns_are_named_once(file):
    path = file("经度,纬度,人口\n25.04,102.70,1\n25.05,102.71,2\n")
    (fault,) = faults(lambda: read_population(path, said("wgs84")))
    assert fault.key == "input_swapped_columns"
    assert "经度 = 25.04，纬度 = 102.7" in fault.text("zh")


def test_metres_are_named_once(file):
    path = file("X,Y,人口\n34571000,2771000,1\n34572000,2772000,2\n")
    assert [k for k, *_ in keyed(lambda: read_population(path, said("cgcs2000")))] == [
        "input_metres_zone"
    ]


def test_a_flood_of_faults_is_cut_and_counted(file):
    path = file(HEADER + "".join(f"{i},1,1,-1\n" for i in range(1000)))
    found = faults(lambda: read_population(path, said("wgs84")))
    assert len(found) == 201
    assert found[-1].key == "input_more"
    assert found[-1].params["count"] == 800


# ---- facilities


def test_facilities_by_id_title_and_alias(file, policy):
    station = policy.services["health_station"]
    rows = "\n".join(
        f"{word},点{n},102.7{n},25.0,{owner},{area}"
        for n, (word, owner, area) in enumerate(
            [
                ("health_centre", "政府举办", "1200"),
                (policy.services["health_centre"].title.zh, "民营", ""),
                (station.aliases[0], "集体", "约300"),
                (f" {policy.services['pharmacy'].title.en.upper()} ", "", "80.5"),
            ]
        )
    )
    path = file("设施类型,名称,经度,纬度,举办主体,建筑面积(平方米)\n" + rows + "\n", "设施.csv")
    table = read_facilities(path, policy, said("wgs84"))
    frame = table.frame
    services = ["health_centre", "health_centre", "health_station", "pharmacy"]
    assert frame["service"].tolist() == services
    assert frame["ownership"].tolist() == ["government", "private", "集体", None]
    assert frame["built_area"].tolist() == pytest.approx(
        [1200.0, np.nan, np.nan, 80.5], nan_ok=True
    )
    assert frame["opening_hours"].tolist() == [None] * 4
    assert frame["id"].tolist() == ["row/2", "row/3", "row/4", "row/5"]
    assert frame["source"].unique().tolist() == ["table"]
    assert [(w.key, w.params["rows"]) for w in table.warnings] == [("input_measure_unknown", "4")]


def test_unknown_types_offer_the_nearest(file, policy):
    path = file("type,name,lon,lat\npharmcy,A,14.5,35.9\n,B,14.5,35.9\npharmacy,C,,35.9\n")
    found = faults(lambda: read_facilities(path, policy, said("wgs84")))
    assert [(f.key, f.row) for f in found] == [
        ("input_service_unknown", None),
        ("input_service_blank", 3),
        ("input_coordinate_blank", 4),
    ]
    assert found[0].rows == (2,)
    assert "pharmacy" in found[0].params["near"].en


def test_facilities_without_type_column(file, policy):
    path = file("name,lon,lat\nA,14.5,35.9\n")
    assert (
        keyed(lambda: read_facilities(path, policy, said("wgs84")))[0][0] == "input_service_missing"
    )


def test_park_polygons_and_repeats(tmp_path, policy):
    path = tmp_path / "parks.geojson"
    frame = gpd.GeoDataFrame({"type": ["park", "park"], "name": ["P", "P"]},
                             geometry=[box(0, 1, 1, 2)] * 2, crs=4326)  # fmt: skip
    frame.to_file(path)
    table = read_facilities(path, policy)
    assert table.frame.geom_type.tolist() == ["Polygon", "Polygon"]
    assert [(w.key, w.params["rows"]) for w in table.warnings] == [("input_facility_twice", "2")]


# ---- the checker, messages, protection


def keys(faults_found):
    return [f.key for f in faults_found if f.severity == "error"]


def test_check_guesses_the_kind(file, policy, shared_data):
    grid = shared_data / "porto_alegre" / "poa_hexgrid.csv"
    assert {f.severity for f in check_table(grid, declared=said("wgs84"), policy=policy)} == {
        "note"
    }
    assert keys(check_table(grid, policy=policy)) == ["input_datum_missing"]
    councils = check_table(shared_data / "malta" / "malta_local_councils_pop.gpkg", policy=policy)
    assert {f.severity for f in councils} == {"warning", "note"}
    assert "input_code_from_id" in {f.key for f in councils}
    shops = file("type,name,lon,lat\nnonsense,A,14.5,35.9\n")
    assert keys(check_table(shops, declared=said("wgs84"), policy=policy)) == [
        "input_service_unknown"
    ]
    (fault,) = check_table(file("a,b\n1,2\n"), policy=policy)
    assert fault.key == "input_kind_unknown"
    assert check_table(file("x", "a.doc"))[0].key == "input_suffix"
    assert (
        keys(check_table(file(GOOD), kind="units", declared=said("wgs84")))[0]
        == "input_name_missing"
    )


def test_people_who_stand_twice_are_told(shared_data):
    path = shared_data / "field" / "07_cells_twice.csv"
    (warn,) = [
        w for w in read_population(path, said("wgs84")).warnings if w.key == "input_people_twice"
    ]
    assert (warn.params["count"], warn.params["residents"]) == (400, 4_000)
    once = read_population(shared_data / "field" / "town_cells.csv", said("wgs84"))
    assert "input_people_twice" not in [w.key for w in once.warnings]


@pytest.mark.parametrize(
    ("copy", "told"), [("102.690292,24.991081", True), ("102.690392,24.991081", False)]
)
def test_a_place_written_with_fewer_decimals_is_the_same_place(tmp_path, copy, told):
    """The copy lies 5 cm away, the other place 10 m."""
    path = tmp_path / "cells.csv"
    path.write_text(f"id,lon,lat,population\na,102.6902922,24.9910807,10\nb,{copy},10\n", "utf-8")
    keys_of = [one.key for one in read_population(path, said("wgs84")).warnings]
    assert ("input_people_twice" in keys_of) is told
