"""Tables as offices make them: titles above, merged headers, sums and notes below, units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.coordinates.datums import wgs84_to_gcj02
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.records.mapping_file import read_declarations, read_mapping
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_facilities,
    read_population,
)
from tests.files.office import layer_frame, places, write_csv, write_gpkg
from tests.files.tables import faults, said, writer


def book(path: Path, lines, merged=(), more=()) -> Path:
    made = openpyxl.Workbook()
    made.active.title = "设施"
    for line in lines:
        made.active.append(list(line))
    for where in merged:
        made.active.merge_cells(where)
    for title, others in more:
        sheet = made.create_sheet(title)
        for line in others:
            sheet.append(list(line))
    made.save(path)
    return path


TWO_LINES = [
    ["昆明市医疗机构一览表", "", "", "", "", ""],
    ["填报单位：某区卫健局", "", "", "", "", "2023年"],
    ["机构名称", "类型", "坐标", "", "规模", ""],
    ["", "", "经度", "纬度", "建筑面积(㎡)", "床位数（张）"],
    ["翠湖", "药店", "102.70", "25.04", "１,２００", "3张"],
    ["莲花池", "药店", 102.71, 25.05, "0.12万", ""],
    ["合计", "", "", "", 2400, 3],
    ["注：数据截至2023年底。", "", "", "", "", ""],
    ["填表人：张三", "", "", "审核人：李四", "", ""],
]
MERGED = ("A1:F1", "A3:A4", "B3:B4", "C3:D3", "E3:F3")


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_titles_two_header_lines_sums_and_notes(tmp_path, policy, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        book(path, TWO_LINES, MERGED)
    else:
        write_csv(path, TWO_LINES, "gb18030")
    table = read_facilities(path, policy, said("wgs84"))
    assert table.frame["name"].tolist() == ["翠湖", "莲花池"]
    assert table.frame["id"].tolist() == ["row/5", "row/6"]
    assert table.frame["built_area"].tolist() == [1200.0, 1200.0]
    assert table.frame["beds"].tolist() == pytest.approx([3.0, np.nan], nan_ok=True)
    assert table.frame.geometry.x.tolist() == [102.70, 102.71]
    (left,) = [w for w in table.warnings if w.key == "input_rows_left"]
    assert left.params["count"] == 3
    assert "7 (合计)" in left.text("zh")
    told = {f.key: f for f in check_table(path, declared=said("wgs84"), policy=policy)}
    assert told["input_header_row"].params["row"] == 3
    assert told["input_header_two"].params["second"] == 4
    assert "坐标/经度 → lon" in told["input_columns_taken"].text("zh")
    assert "规模/建筑面积(㎡) → built_area" in told["input_columns_taken"].text("en")


def test_a_header_of_one_line_is_not_joined_with_words_below(tmp_path, policy):
    lines = [["名称", "类型", "地址", "经度", "纬度"], ["社区", "药店", "街道", "", "25.04"]]
    records = read_records(write_csv(tmp_path / "a.csv", lines, "utf-8"))
    assert len(records) == 1
    assert records.titles == "名称, 类型, 地址, 经度, 纬度"


def test_words_merged_over_rows_are_filled_and_numbers_are_not(tmp_path):
    lines = [["街道", "编号", "经度", "纬度", "人口"]]
    lines += [["翠湖街道", f"c{k}", 102.7, 25.0 + k / 100, 10 * (k == 0) or None] for k in range(3)]
    path = book(tmp_path / "a.xlsx", lines, ("A2:A4", "E2:E4"))
    records = read_records(path)
    street = next(c for c in records.columns if c.title == "街道")
    assert street.values.tolist() == ["翠湖街道"] * 3
    assert "input_merged_filled" in {r.key for r in records.remarks}
    found = faults(lambda: read_population(path, said("wgs84")))
    assert [(f.key, f.row) for f in found] == [("input_count_blank", 3), ("input_count_blank", 4)]


def test_a_place_called_total_is_data(tmp_path, policy):
    lines = [
        ["名称", "类型", "经度", "纬度"],
        ["Total", "药店", 102.7, 25.0],
        ["甲", "药店", 102.7, 25.1],
    ]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    assert read_facilities(path, policy, said("wgs84")).frame["name"].tolist() == ["Total", "甲"]


def test_several_sheets_are_named_and_one_can_be_chosen(tmp_path, policy):
    lines = [["名称", "类型", "经度", "纬度"], ["甲", "药店", 102.7, 25.0]]
    other = [["名称", "类型", "经度", "纬度"], ["乙", "菜市场", 102.8, 25.0]]
    path = book(tmp_path / "a.xlsx", lines, more=[("市场", other), ("说明", [["看这里"]])])
    (fault,) = faults(lambda: read_facilities(path, policy, said("wgs84")))
    assert fault.key == "input_sheets_many"
    assert "设施、市场" in fault.text("zh")
    chosen = Declarations(Declaration("wgs84", sheet="市场"))
    assert read_facilities(path, policy, chosen).frame["name"].tolist() == ["乙"]
    (fault,) = faults(lambda: read_facilities(path, policy, Declarations(Declaration(sheet="市"))))
    assert fault.key == "input_sheet_unknown"
    one = book(tmp_path / "b.xlsx", [["填表说明"], ["请如实填写"]], more=[("数据", lines)])
    read = read_facilities(one, policy, said("wgs84"))
    assert read.frame["name"].tolist() == ["甲"]
    assert [w.params["sheet"] for w in read.warnings if w.key == "input_sheets"] == ["数据"]


def test_several_layers_are_named_and_one_can_be_chosen(tmp_path, policy):
    path = tmp_path / "a.gpkg"
    frame = layer_frame(places(), "wgs84")
    write_gpkg(path, frame.iloc[:3], "医疗")
    write_gpkg(path, frame.iloc[:5], "市场")
    (fault,) = faults(lambda: read_facilities(path, policy))
    assert fault.key == "input_layers_many"
    assert "医疗, 市场" in fault.text("en")
    chosen = Declarations(Declaration(layer="市场"))
    assert len(read_facilities(path, policy, chosen).frame) == 5


@pytest.mark.parametrize(
    ("title", "cell", "people"),
    [
        ("人口（万人）", "1.2345", 12_345),
        ("人口(万)", "3", 30_000),
        ("常住人口", "1.2万", 12_000),
        ("常住人口", "１２３４人", 1234),
        ("常住人口（人）", "12,345", 12_345),
        ("*常住人口（必填）", "7", 7),
        ("人口(千人)", "1.5万", 15_000),
    ],
)
def test_units_in_titles_and_cells(tmp_path, title, cell, people):
    path = write_csv(tmp_path / "a.csv", [["经度", "纬度", title], ["102.7", "25", cell]], "utf-8")
    assert read_population(path, said("wgs84")).frame["residents"].tolist() == [people]


def test_words_for_yes_and_no(tmp_path, policy):
    words = ["是", "有", "√", "否", "无", "×", "", "也许"]
    lines = [["类型", "名称", "经度", "纬度", "是否普惠"]]
    lines += [["药店", f"店{k}", 102.7, 25 + k / 100, word] for k, word in enumerate(words)]
    table = read_facilities(write_csv(tmp_path / "a.csv", lines, "utf-8"), policy, said("wgs84"))
    assert table.frame["inclusive"].tolist() == ["yes"] * 3 + ["no"] * 3 + [None, None]
    assert [w.params["rows"] for w in table.warnings if w.key == "input_flag_unknown"] == ["9"]


def test_near_titles_are_suggested(tmp_path, policy):
    lines = [
        ["类型", "名称", "经度", "纬度", "床位数量", "备注"],
        ["药店", "甲", 102.7, 25, 3, "无"],
    ]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    told = check_table(path, declared=said("wgs84"), policy=policy)
    (near,) = [f for f in told if f.key == "input_column_near"]
    assert (near.column, near.params["near"]) == ("床位数量", "床位数 (beds)")
    (left,) = [f for f in told if f.key == "input_columns_left"]
    assert left.params["columns"] == "备注"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(tmp_path, encoding):
    path = writer(tmp_path)("编号,经度,纬度,人口\n甲,102.7,25,3\n".encode(encoding), "a.csv")
    assert read_population(path, said("wgs84")).frame["id"].tolist() == ["甲"]
    told = check_table(path, declared=said("wgs84"))
    assert encoding.upper() in next(f for f in told if f.key == "input_encoding_told").text("zh")


MAPPING = """
[columns]
service = "大类"
[values.ownership]
government = ["区属"]
[values.service]
pharmacy = ["卖药的"]
[files."甲.csv"]
datum = "gcj02"
[files."甲.csv".columns]
lon = "横"
lat = "竖"
"""


def test_a_mapping_says_columns_words_and_datum(tmp_path, policy):

    x, y = wgs84_to_gcj02(np.array([[102.7, 25.0]]))[0].tolist()
    lines = [["大类", "名称", "横", "竖", "性质"], ["卖药的", "甲", x, y, "区属"]]
    path = write_csv(tmp_path / "甲.csv", lines, "utf-8")
    mapping = writer(tmp_path)(MAPPING, "m.toml")
    declared = read_declarations(Declaration(), mapping, [path])
    row = read_facilities(path, policy, declared).frame.iloc[0]
    assert (row["service"], row["ownership"]) == ("pharmacy", "government")
    assert (row.geometry.x, row.geometry.y) == pytest.approx((102.7, 25.0), abs=1e-9)
    other = write_csv(tmp_path / "乙.csv", lines, "utf-8")
    (fault,) = faults(lambda: read_declarations(Declaration(), mapping, [other]))
    assert fault.key == "input_mapping_files"


def test_faults_of_a_mapping_are_told_at_once(tmp_path):
    text = (
        'colums = 1\n[columns]\nservise = "类型"\nlon = 3\n[files."a.csv"]\ndatum = "gcj3"\n'
        'crs = "北京54"\nx_is_north = "yes"\n[values]\nownership = 3\n'
    )
    found = faults(lambda: read_mapping(writer(tmp_path)(text, "m.toml")))
    assert {(f.key, f.column) for f in found} == {
        ("input_mapping_key", "colums"),
        ("input_mapping_key", "columns.servise"),
        ("input_mapping_type", "columns.lon"),
        ("input_datum_unknown", "files.a.csv.datum"),
        ("input_crs_said", "files.a.csv.crs"),
        ("input_mapping_type", "files.a.csv.x_is_north"),
        ("input_mapping_type", "values.ownership"),
    }
    assert "service" in next(f for f in found if f.column == "columns.servise").text("en")
    (fault,) = faults(lambda: read_mapping(writer(tmp_path)("a = [", "m.toml")))
    assert fault.key == "input_mapping_broken"


def test_a_column_of_the_mapping_that_is_not_there(tmp_path, policy):
    path = write_csv(tmp_path / "a.csv", [["类型", "经度", "纬度"], ["药店", 102.7, 25]], "utf-8")
    own = Declaration(columns={"name": "全称"}, own_columns=frozenset({"name"}))
    (fault,) = faults(lambda: read_facilities(path, policy, Declarations(of_file={"a.csv": own})))
    assert (fault.key, fault.column) == ("input_mapping_column", "全称")
    general = Declarations(Declaration("wgs84", columns={"name": "全称"}))
    assert len(read_facilities(path, policy, general).frame) == 1


def test_a_title_that_names_another_datum(tmp_path, policy):
    lines = [["类型", "名称", "经度(GCJ-02)", "纬度(GCJ-02)"], ["药店", "甲", 102.7, 25]]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    assert "input_title_datum" in {
        w.key for w in read_facilities(path, policy, said("wgs84")).warnings
    }
    assert read_facilities(path, policy, said("gcj02")).warnings == ()
