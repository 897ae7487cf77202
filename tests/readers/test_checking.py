"""The checker of one file: forty planted faults found and none invented, mends, the error sheet."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import Checked, check_file, check_records
from lifecircle.analysis.readers.checker.cleaning import mend_records
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.declarations import Declaration
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.results.check_files import clean_copy, write_error_sheet
from tests.files.planted_sheet import (
    PLACE,
    PLANTED,
    ROWS,
    TITLES,
    TOLD,
    planted_rows,
    sound_row,
    write_sheet,
)
from tests.files.tables import said

POLICY = load_policy()


def places(checked: Checked) -> set[tuple[int | None, str | None]]:
    return {(fault.row, fault.column) for fault in checked.faults}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    path = tmp_path_factory.mktemp("planted") / "设施.xlsx"
    return check_file(write_sheet(path, planted_rows()), declared=said("wgs84"))


def test_forty_planted_faults_are_found_and_none_invented(planted):
    wanted = {TOLD.get((row, column), (row, column)) for row, column, _ in PLANTED}
    assert len(PLANTED) == len(wanted) == 40
    assert places(planted) == wanted
    assert len(planted.faults) == 40  # each once
    assert planted.kind == "facilities"


def test_every_message_is_whole_in_both_languages(planted):
    for fault in planted.faults:
        for lang in ("zh", "en"):
            text = fault.text(lang)
            assert "{" not in text
            assert str(fault.row) in text
        assert fault.text("zh") != fault.text("en")


def test_a_sound_sheet_has_no_fault(tmp_path):
    rows = [sound_row(row) for row in range(2, ROWS + 2)]
    assert check_file(write_sheet(tmp_path / "ok.xlsx", rows), declared=said("wgs84")).faults == ()


# ---- the files handed back


def test_the_error_sheet_marks_every_faulty_cell(planted, tmp_path):
    target = tmp_path / "问题.xlsx"
    write_error_sheet(planted, target, "zh")
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["检查结果", "问题清单"]
    sheet, listed = book.worksheets
    head = [cell.value for cell in sheet[1]]
    assert head == ["行号", *TITLES, "问题与改法"]
    by_row = {sheet.cell(n, 1).value: n for n in range(2, sheet.max_row + 1)}
    assert sorted(by_row) == list(range(2, ROWS + 2))  # every row, under its own number
    marked = set()
    for number in range(2, sheet.max_row + 1):
        for place in range(2, len(TITLES) + 2):
            cell = sheet.cell(number, place)
            if cell.comment is not None:
                marked.add((sheet.cell(number, 1).value, head[place - 1]))
                assert cell.fill.start_color.rgb in ("FFF4B6B0", "FFFFF0B3")
    wanted = set()
    for fault in planted.faults:
        for title in (fault.column or "").split(", "):
            if title in TITLES:
                wanted.add((fault.row, title))
    assert marked == wanted
    for fault in planted.faults:
        reasons = sheet.cell(by_row[fault.row], len(head)).value
        assert fault.text("zh").partition("：")[2] in reasons
    assert listed.max_row >= 41
    assert listed.cell(2, 3).value == "错误"


def test_no_cell_of_a_file_becomes_a_formula(tmp_path):
    rows = [sound_row(row) for row in range(2, 12)]
    rows[0] |= {"名称": '=HYPERLINK("x")', "床位数": "+cmd"}
    checked = check_file(write_sheet(tmp_path / "f.xlsx", rows), declared=said("wgs84"))
    for name, write in (("e.xlsx", write_error_sheet), ("c.xlsx", clean_copy)):
        write(checked, tmp_path / name)
        for sheet in openpyxl.load_workbook(tmp_path / name).worksheets:
            for line in sheet.iter_rows():
                assert all(cell.data_type != "f" for cell in line)
    clean_copy(checked, tmp_path / "c.csv")
    assert "'=HYPERLINK" in (tmp_path / "c.csv").read_text("utf-8-sig")


def test_safe_mends_are_made_and_listed_and_nothing_else(tmp_path):
    rows = [sound_row(row) for row in range(2, 14)]
    rows[0] |= {"经度": "１０２．７０１１１", "建筑面积": "1,200"}
    rows[1] |= {"名称": " 翠湖\n药店 ", "床位数": "２０"}
    rows[7] |= {"名称": "金\u200b马 Market\nHall"}
    rows[2] |= {"经度": "102°42'36\"E"}
    rows[3] |= {"经度": rows[3]["纬度"], "纬度": rows[3]["经度"]}
    rows[4] |= {"社区代码": "530102001006.0", "容量": "2000人"}
    rows[5] |= {"床位数": "十张"}
    rows.append(dict(rows[6]))
    checked = check_file(write_sheet(tmp_path / "f.xlsx", rows), declared=said("wgs84"))
    target = tmp_path / "clean.xlsx"
    mends = clean_copy(checked, target, "en")
    told = {(m.row, m.column, m.key): m.after for m in mends}
    assert told == {
        (2, "经度", "mend_width"): "102.70111",
        (2, "建筑面积", "mend_thousands"): "1200",
        (3, "名称", "mend_spaces"): "翠湖药店",
        (9, "名称", "mend_spaces"): "金马 Market Hall",
        (3, "床位数", "mend_width"): "20",
        (4, "经度", "mend_degrees"): "102.7100000",
        (5, PLACE, "mend_swapped"): f"{sound_row(5)['经度']}, {sound_row(5)['纬度']}",
        (6, "社区代码", "mend_code"): "530102001006",
        (6, "容量", "mend_unit"): "2000",
        (14, None, "mend_repeat"): "",
    }
    again = check_file(target, declared=said("wgs84"))
    assert [(f.row, f.column, f.key) for f in again.faults if f.row] == [
        (7, "床位数", "input_measure_unknown_row")
    ]
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["data", "changes"]
    assert book.worksheets[1].max_row == len(mends) + 1
    before = {m.row: m.before for m in mends if m.key == "mend_spaces"}
    assert before == {3: " 翠湖\n药店 ", 9: "金\u200b马 Market\nHall"}


def test_a_swapped_row_that_would_lie_elsewhere_is_left_alone(tmp_path):
    rows = [sound_row(row) for row in range(2, 12)]
    rows[3] |= {"经度": 31.2, "纬度": 121.5}  # Shanghai, exchanged
    checked = check_file(write_sheet(tmp_path / "f.xlsx", rows), declared=said("wgs84"))
    assert clean_copy(checked, tmp_path / "c.csv") == ()


@pytest.mark.parametrize("name", ["out.txt", "out.xls"])
def test_other_suffixes_are_refused(planted, tmp_path, name):
    with pytest.raises(ParameterError) as caught:
        clean_copy(planted, tmp_path / name)
    assert name in caught.value.text("zh")
    with pytest.raises(ParameterError):
        write_error_sheet(planted, tmp_path / name)


def test_a_file_that_cannot_be_opened_still_gives_its_list(tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"not a workbook")
    checked = check_file(path)
    assert checked.records is None
    assert checked.errors == 1
    write_error_sheet(checked, tmp_path / "e.xlsx", "en")
    sheet = openpyxl.load_workbook(tmp_path / "e.xlsx").worksheets[0]
    assert sheet.cell(2, 4).value == checked.faults[0].text("en").partition(": ")[2]
    with pytest.raises(ParameterError):
        clean_copy(checked, tmp_path / "c.xlsx")


def test_residents_are_checked_row_by_row(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text(
        "编号,经度,纬度,人口,0-3岁,65岁以上,户数\n"
        "a,102.70123,25.04123,100,60,50,30\n"  # together more than all
        "b,102.70223,25.04123,10,1,20,3\n"  # the old alone more than all
        "c,102.70323,25.04123,10,1,2,30\n"  # more households than residents
        "d,102.70423,25.04123,,1,2,3\n"
        "e,102.70523,25.04123,十,1,2,3\n"
        "f,102.70623,25.04123,10,1,2,3\n",
        encoding="gb18030",
    )
    checked = check_file(path, declared=said("wgs84"))
    assert checked.kind == "population"
    assert [(f.row, f.key, f.severity) for f in checked.faults] == [
        (2, "check_groups_more", "error"),
        (3, "input_group_more", "error"),
        (4, "input_households_more_row", "warning"),
        (5, "input_count_blank", "error"),
        (6, "input_number_text", "error"),
    ]


def test_statistics_are_checked_too(tmp_path):
    path = tmp_path / "statistics.csv"
    path.write_text("unit_code,attribute,value\n5.30102E+11,households,abc\n", encoding="utf-8")
    checked = check_file(path)
    assert checked.kind == "statistics"
    assert "check_code_damaged" in {fault.key for fault in checked.faults}
    assert checked.errors >= 2


def test_every_one_of_many_faults_is_listed(tmp_path):
    path = tmp_path / "cells.csv"
    body = "".join(f"c{i},102.7{i:04d},25.04123,x\n" for i in range(500))
    path.write_text("id,lon,lat,population\n" + body, encoding="utf-8")
    assert check_file(path, declared=said("wgs84")).errors == 500


cell = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**18),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=12),
    st.sampled_from(["#REF!", "=1+1", "102°42'36\"E", "１２", "5.3E+11", "25:61", "是", "\u200b"]),
)


@given(st.lists(st.tuples(*[cell] * 7), min_size=1, max_size=6), st.sampled_from([None, "wgs84"]))
@settings(max_examples=80, deadline=None)
def test_no_table_breaks_the_checker(rows, datum):
    titles = ("编号", "设施类型", "经度", "纬度", "床位数", "营业时间", "社区代码")
    columns = tuple(
        Column(title, object_array(list(values)))
        for title, values in zip(titles, zip(*rows, strict=True), strict=True)
    )
    records = Records(
        Path("f.xlsx"),
        columns,
        np.arange(2, len(rows) + 2),
        listed=1000,
        said=Declaration(datum=datum),
    )
    for kind in ("facilities", "population", "units", "statistics"):
        checked = check_records(records, kind, POLICY)
        for fault in checked.faults:
            assert fault.text("zh")
            assert fault.text("en")
        write_error_sheet(checked, io.BytesIO(), "zh")
        clean, mends = mend_records(records, kind)
        assert len(clean) + sum(m.key == "mend_repeat" for m in mends) == len(records)
        assert mend_records(clean, kind)[1] == ()  # what is mended stays mended
