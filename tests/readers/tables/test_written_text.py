"""Text tables as they come: Big5, encoded twice, letters lost, decimal commas, no header."""

from __future__ import annotations

import pytest

from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from tests.files.tables import faults, keyed

SAID = Declarations(Declaration(datum="wgs84"))
TABLE = (
    "type,name,lon,lat\nhealth_centre,筷子基衛生中心,113.5401,22.2101\n"
    "health_centre,黑沙環康樂診所,113.5512,22.2034\n"
)
NAMES = ["筷子基衛生中心", "黑沙環康樂診所"]
SIMPLE = "类型,名称,经度,纬度\n社区卫生服务中心,甲中心,102.6951,24.9951\n"


def names(path):
    return read_facilities(path, load_policy(), SAID).name.tolist()


@pytest.mark.parametrize("encoding", ["big5", "big5hkscs", "gb18030", "gbk", "utf-8", "utf-16"])
def test_traditional_names_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode(encoding))
    assert names(path) == NAMES


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030"])
def test_simplified_names_stay_what_they_are(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(SIMPLE.encode(encoding))
    assert names(path) == ["甲中心"]


def test_titles_in_big5_are_legible(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.replace("name", "名稱欄位").encode("big5"))
    (_, left) = (f for f in check_file(path, declared=SAID).notes if "columns" in f.key)
    assert "名稱欄位" in left.text("zh")


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_a_second_encoding_is_undone_and_told(tmp_path, wrong):
    path = tmp_path / "a.csv"
    once = SIMPLE.encode()
    twice = "".join(
        chr(byte) if wrong == "latin-1" or not bytes([byte]).decode(wrong, "ignore")
        else bytes([byte]).decode(wrong) for byte in once
    )  # fmt: skip
    path.write_bytes(twice.encode())
    table = read_facilities(path, load_policy(), SAID)
    assert table.name.tolist() == ["甲中心"]
    assert "input_encoded_twice" in [w.key for w in table.warnings]


def test_accents_are_no_second_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("type,name,lon,lat\nhealth_centre,Açores São João,102.6951,24.9951\n", "utf-8")
    table = read_facilities(path, load_policy(), SAID)
    assert table.name.tolist() == ["Açores São João"]
    assert not [w.key for w in table.warnings if w.key.startswith("input_enc")]


@pytest.mark.parametrize("lost", ["\ufffd\ufffd中心", "锟斤拷锟斤拷"])
def test_letters_that_were_lost_are_told(tmp_path, lost):
    path = tmp_path / "a.csv"
    path.write_text(SIMPLE.replace("甲中心", lost), "utf-8")
    table = read_facilities(path, load_policy(), SAID)
    assert "input_letters_lost" in [w.key for w in table.warnings]


def test_decimal_commas_of_a_file_hold_for_all_its_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;lon;lat;population\na;102,6951;24,9951;1,250\nb;102,7;25,0;2,5\n", "utf-8")
    table = read_population(path, SAID)
    assert table.fractions.persons.tolist() == [1.25, 2.5]
    assert table.where.centres()[0] == pytest.approx([102.6951, 24.9951])
    told = [w.params for w in table.warnings if w.key == "input_decimal_commas"]
    assert told == [{"count": 6, "example": "102,6951"}]


def test_thousands_beside_points_stay_thousands(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;lon;lat;population\na;102.6951;24.9951;1,250\n", "utf-8")
    assert read_population(path, SAID).residents.tolist() == [1250]
    path.write_text('id,lon,lat,population\na,102.6951,24.9951,"1,250"\n', "utf-8")
    assert read_population(path, SAID).residents.tolist() == [1250]


def test_wkt_in_a_file_parted_by_semicolons(tmp_path):
    path = tmp_path / "a.csv"
    ring = ",".join(f"{102.69 + i / 1000} {25 + i * i / 1000}" for i in range(9))
    path.write_text(f"id;population;wkt\na;7;POLYGON(({ring},102.69 25.0))\n", "utf-8")
    assert read_population(path, SAID).residents.tolist() == [7]


@pytest.mark.parametrize(
    "text",
    [
        "社区卫生服务中心,东园中心,102.7059,25.0054\n社区卫生服务中心,西园中心,102.6951,24.9951\n",
        "1,102.7059,25.0054,10\n2,102.6951,24.9951,10\n",
        "1,1027059,250054,10\n2,1026951,249951,10\n",
    ],
)
def test_a_file_without_a_header_is_called_so(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    assert keyed(lambda: read_population(path, SAID)) == [("input_header_missing", None, None)]
    (fault,) = faults(lambda: read_facilities(path, load_policy(), SAID))
    assert "1" in fault.text("zh")
