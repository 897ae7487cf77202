"""TOML as people write it: encodings, names in Chinese, and what is wrong told with its line."""

from __future__ import annotations

import string
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.analysis.written_toml import WrittenTomlError, read_written_toml

CITIES = '[cities.昆明]\n名称 = "昆明"  # 市\n[cities.昆明.表]\na.中 = 1\n[[行]]\nx = 1\n'
MEANT = {"cities": {"昆明": {"名称": "昆明", "表": {"a": {"中": 1}}}}, "行": [{"x": 1}]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_names_need_no_quotes_in_any_encoding(encoding: str, ends: str) -> None:
    assert read_written_toml(CITIES.replace("\n", ends).encode(encoding)) == MEANT


def test_a_text_over_lines_is_left_as_it_stands() -> None:
    text = '[城]\na = """\n[x.昆明]\n键 = 1\n"""\nb = \'\'\'"""\n市 = 2\'\'\'\n'
    found = read_written_toml(text.encode())
    assert found == {"城": {"a": "[x.昆明]\n键 = 1\n", "b": '"""\n市 = 2'}}


@pytest.mark.parametrize(
    ("text", "line", "mend"),
    [
        ("[a]\nx = “y”\n", 2, "straight"),
        ("[a]\nx = ‘y’\n", 2, "straight"),
        ("[a]\nx ＝ 1\n", 2, "full-width"),
        ('[a]\nx = ["1"，"2"]\n', 2, "full-width"),
        ('[a]\n\nx = "C:\\data\\x.gpkg"\n', 3, "single quotes"),
        ("[a]\nx = 1\nx = 2\n", 3, "twice"),
        ('[a]\nx = "“甲”，乙"\nx = "“甲”，乙"\n', 3, "twice"),
        ("[a]\nx = 15 分钟 # 步行，15 分钟\n", 2, "分钟"),
        ("[a]\nx = １５\n", 2, "full-width"),
        ('[a]\nx = "大理，丽江\n', 2, ""),
        ('[files."昆明.小学.2024.csv"]\n名称 = 1\nx = \n', 3, ""),
        ("[a]\nx = 1\n[a]\n", 3, "twice"),
        ("[a]\nx = \n", 2, "Invalid value"),
        ("[a\n", 1, "Expected"),
        ('[a]\nx = "y\n', 2, ""),
        ("[a]\nx = [1,\n", 3, ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, mend: str) -> None:
    with pytest.raises(WrittenTomlError) as caught:
        read_written_toml(text.encode())
    assert caught.value.told.en.startswith(f"line {line}, ")
    assert caught.value.told.zh.startswith(f"第 {line} 行")
    assert mend in caught.value.told.en


def test_dots_in_quotes_and_marks_in_remarks_change_nothing() -> None:
    text = '[files."昆明.小学.csv"]  # """\n名称 = 1\n'
    assert read_written_toml(text.encode()) == {"files": {"昆明.小学.csv": {"名称": 1}}}


def test_a_full_width_mark_within_a_text_is_not_blamed() -> None:
    with pytest.raises(WrittenTomlError) as caught:
        read_written_toml('x = "大理，丽江\n'.encode())
    assert "full-width" not in caught.value.told.en


def test_what_cannot_be_read_is_refused_and_not_guessed() -> None:
    deep, long = "名 = 1\nx = " + "[" * 100_000, "x = " + "1" * 5_000
    latin = 'x = "M\u00e1laga"'.encode("latin-1")
    for raw in (b"\xff\xd8\xff\xe0", b"x = " + b"[" * 100_000, deep.encode(), long.encode(), latin):
        with pytest.raises(WrittenTomlError):
            read_written_toml(raw)


_KEYS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=8)
_VALUES: Any = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.booleans().map(lambda one: str(one).lower()),
    st.text(string.ascii_letters + "昆明市 =[].#", max_size=12).map(lambda one: f'"{one}"'),
)


@given(st.lists(st.tuples(_KEYS, _VALUES), max_size=6, unique_by=lambda one: one[0]), _KEYS)
def test_what_toml_reads_is_read_the_same(pairs: list[tuple[str, str]], table: str) -> None:
    text = f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in pairs)
    assert read_written_toml(text.encode()) == tomllib.loads(text)
