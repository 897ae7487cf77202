"""Cells of workbooks as what they are: errors, formulas, dates, percent; hidden and struck rows."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font

from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.statistics import read_statistics
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.marked_workbook import marked_xls
from tests.files.ods import write_ods
from tests.files.tables import faults, keyed

SAID = Declarations(Declaration(datum="wgs84"))
TITLES = ["编号", "类型", "名称", "经度", "纬度", "床位数", "营业时间", "备注栏"]
ROW = ["A1", "社区卫生服务中心", "甲中心", 102.6950471, 24.9954862, 20, "08:30-17:30", "x"]
OTHER = ["A2", "社区卫生服务中心", "乙中心", 102.7059435, 25.0054166, 20, "08:30-17:30", "x"]


def save(path: Path, *rows: list[object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


def facilities(path: Path) -> list[tuple[str, int | None, str | None]]:
    return keyed(lambda: read_facilities(path, load_policy(), SAID))


def test_a_failed_look_up_is_an_error_of_its_cell(shared_data):
    path = shared_data / "field" / "09_error_cells.xlsx"
    wrong = faults(lambda: read_facilities(path, load_policy(), SAID))
    assert {(f.key, f.row, f.column, f.params["value"]) for f in wrong} == {
        ("input_cell_error", 2, "床位数", "#N/A"),
        ("input_cell_error", 2, "社区代码", "#N/A"),
    }
    checked = [f for f in check_file(path, declared=SAID).faults if f.severity == "error"]
    assert {(f.key, f.row, f.column) for f in checked} == {
        ("input_cell_error", 2, "床位数"),
        ("input_cell_error", 2, "社区代码"),
    }


def test_an_error_in_residents_of_units_is_not_called_missing(shared_data):
    path = shared_data / "field" / "09_error_units.xlsx"
    assert keyed(lambda: read_units([path], load_policy(), SAID)) == [
        ("input_cell_error", 2, "人口")
    ]


def test_formulas_that_were_never_calculated_are_named(shared_data):
    path = shared_data / "field" / "20_formulas.xlsx"
    wrong = faults(lambda: read_facilities(path, load_policy(), SAID))
    assert [(f.key, f.row, f.column, f.params["value"]) for f in wrong] == [
        ("input_cell_formula", 2, "经度", "=C2+D2/60"),
        ("input_cell_formula", 3, "经度", "=C3+D3/60"),
    ]
    assert "Excel" in wrong[0].text("en")


def test_formulas_that_all_wait_with_a_nought_were_never_calculated(tmp_path):
    save(tmp_path / "a.xlsx", ["编号", "经度", "纬度", "人口"], ["a", 102.7, 25.0, "=1+2"])
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as old,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</f><v />", b"</f><v>0</v>")
                         .replace(b"</f><v></v>", b"</f><v>0</v>"))  # fmt: skip
    assert keyed(lambda: read_population(tmp_path / "b.xlsx", SAID)) == [
        ("input_cell_formula", 2, "人口")
    ]
    with (
        zipfile.ZipFile(tmp_path / "b.xlsx") as old,
        zipfile.ZipFile(tmp_path / "c.xlsx", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<v>0</v>", b"<v>3</v>"))
    assert read_population(tmp_path / "c.xlsx", SAID).residents.tolist() == [3]


def test_formulas_without_values_in_the_last_rows_and_column(tmp_path):
    path = tmp_path / "a.xlsx"
    save(path, ["编号", "经度", "纬度", "人口"], ["a", 102.7, 25.0, 5], ["=1", "=2", "=3", "=4"])
    wrong = {(f.key, f.row, f.column) for f in faults(lambda: read_population(path, SAID))}
    assert wrong == {("input_cell_formula", 3, c) for c in ("编号", "经度", "纬度", "人口")}


def test_dates_are_named_where_a_number_or_a_code_has_to_stand(tmp_path):
    path = tmp_path / "a.xlsx"
    save(path, ["编号", "经度", "纬度", "人口"], ["a", 102.7, 25.0, datetime.date(2026, 1, 10)])
    (fault,) = faults(lambda: read_population(path, SAID))
    assert (fault.key, fault.row, fault.params["value"]) == ("input_cell_date", 2, "2026-01-10")


def test_dates_in_texts_are_a_remark_and_read_as_they_are_seen(tmp_path):
    path = tmp_path / "a.xlsx"
    dated = [datetime.date(2024, 1, 2), *ROW[1:6], datetime.time(8, 30), "x"]
    save(path, TITLES, dated, OTHER)
    table = read_facilities(path, load_policy(), SAID)
    assert table.id.tolist() == ["2024-01-02", "A2"]
    assert table.attributes["opening_hours"].tolist() == ["08:30", "08:30-17:30"]
    told = [(w.key, w.column, w.rows, w.params["value"]) for w in table.warnings]
    assert told == [
        ("input_cells_dated", "编号", (2,), "2024-01-02"),
        ("input_cells_dated", "营业时间", (2,), "08:30"),
    ]
    checked = check_file(path, declared=SAID).faults
    assert ("input_cells_dated_row", 2, "编号") in {(f.key, f.row, f.column) for f in checked}


def test_percent_is_no_number_of_persons(tmp_path):
    path = tmp_path / "a.xlsx"
    titles = ["编号", "经度", "纬度", "人口", "65岁及以上人口"]
    book = save(path, titles, ["a", 102.7, 25.0, 10, 0.1], ["b", 102.71, 25.0, 10, 1])
    for shown in ("0.0%", '0.00%;-0.00%;"-"'):
        book.active["E2"].number_format = shown
        book.save(path)
        (fault,) = faults(lambda: read_population(path, SAID))
        assert (fault.key, fault.row, fault.column) == ("input_cell_percent", 2, titles[4])
        assert fault.params["value"] == "10%"
    book.active["E2"].number_format = '0"%"'  # a sign in words
    book.save(path)
    assert read_population(path, SAID).fractions is not None


def test_an_error_in_a_column_that_is_not_used_is_a_remark_of_the_check(tmp_path):
    path = tmp_path / "a.xlsx"
    save(path, TITLES, [*ROW[:7], "#REF!"], OTHER)
    assert len(read_facilities(path, load_policy(), SAID)) == 2
    checked = check_file(path, declared=SAID)
    assert [(f.key, f.row) for f in checked.faults if f.column == "备注栏"] == [
        ("input_cell_error", 2)
    ]
    assert checked.errors == 0


@pytest.mark.parametrize("word", ["#N/A", "#REF!", "#DIV/0!", "Err:502", "#SPILL!"])
def test_errors_written_out_as_text(tmp_path, word):
    path = tmp_path / "a.csv"
    path.write_text(f"unit_code,attribute,value\n530102001,households,{word}\n", "utf-8")
    assert keyed(lambda: read_statistics(path)) == [("input_cell_error", 2, "value")]


def test_hidden_and_struck_rows_count_and_are_named(tmp_path):
    path = tmp_path / "a.xlsx"
    book = save(path, ["设施登记表"], TITLES, ROW, OTHER)
    book.active.row_dimensions[4].hidden = True
    book.active["C3"].font = Font(strike=True)
    book.active["A1"].font = Font(strike=True)  # the title is no row of data
    book.save(path)
    table = read_facilities(path, load_policy(), SAID)
    assert len(table) == 2
    assert [(w.key, w.rows) for w in table.warnings] == [
        ("input_rows_hidden", (4,)),
        ("input_rows_struck", (3,)),
    ]
    assert [w.text("en").count("row") for w in table.warnings] == [2, 2]


def test_a_binary_workbook_has_the_same_marks(tmp_path):
    path = tmp_path / "a.xls"
    path.write_bytes(marked_xls())
    assert facilities(path) == [
        ("input_cell_percent", 2, "床位数"),
        ("input_cell_error", 3, "床位数"),
        ("input_cell_date", 5, "社区代码"),
    ]
    told = [(f.key, f.rows) for f in check_file(path, declared=SAID).faults if f.rows]
    assert told == [("input_rows_hidden", (4,)), ("input_rows_struck", (4,))]


@pytest.mark.parametrize("cut", [100, 600, 1600, 3000, 5000])
def test_a_binary_workbook_that_breaks_off_ends_in_no_traceback(tmp_path, cut):
    path = tmp_path / "a.xls"
    path.write_bytes(marked_xls()[:cut])
    assert all(f.text("zh") for f in check_file(path, declared=SAID).faults)


def test_an_open_document_sheet_has_the_same_marks(tmp_path):
    path = tmp_path / "a.ods"
    write_marked_ods(path)
    assert facilities(path) == [
        ("input_cell_percent", 2, "床位数"),
        ("input_cell_error", 3, "床位数"),
        ("input_cell_formula", 4, "床位数"),
    ]
    told = [(f.key, f.rows) for f in check_file(path, declared=SAID).faults if f.rows]
    assert told == [("input_rows_hidden", (5, 6)), ("input_rows_struck", (5, 6))]


def write_marked_ods(path: Path) -> None:
    """Row 2 percent, 3 an error, 4 a formula without value, 5 and 6 (one, twice) hidden, struck."""

    def word(text: str, style: str = "") -> str:
        return (f'<table:table-cell {style} office:value-type="string"><text:p>{text}</text:p>'
                "</table:table-cell>")  # fmt: skip

    def row(beds: str, more: str = "", style: str = "") -> str:
        lon, lat = (
            f'<table:table-cell office:value-type="float" office:value="{value}"/>'
            for value in (102.695, 24.995)
        )
        return (f"<table:table-row {more}>{word('社区卫生服务中心')}{word('中心', style)}{lon}{lat}"
                f"{beds}</table:table-row>")  # fmt: skip

    head = "".join(map(word, ("类型", "名称", "经度", "纬度", "床位数")))
    twenty = '<table:table-cell office:value-type="float" office:value="20"/>'
    rows = [
        f"<table:table-row>{head}</table:table-row>",
        row('<table:table-cell office:value-type="percentage" office:value="0.1"/>'),
        row('<table:table-cell table:formula="of:=NA()" office:value-type="string"'
            ' office:string-value=""><text:p>#N/A</text:p></table:table-cell>'),
        row('<table:table-cell table:formula="of:=[.A1]*2"/>'),
        row(twenty, 'table:number-rows-repeated="2" table:visibility="collapse"',
            'table:style-name="ce1"'),
    ]  # fmt: skip
    style = ('<office:automatic-styles><style:style style:name="ce1" style:family="table-cell">'
             '<style:text-properties style:text-line-through-style="solid"/></style:style>'
             "</office:automatic-styles>")  # fmt: skip
    write_ods(path, "".join(rows), style)
