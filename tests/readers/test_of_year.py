"""Residents of one year out of a table of several, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_population,
)

WGS84 = Declarations(Declaration(datum="wgs84"))
HEAD = "id,lon,lat,population_2025,2028年人口,人口（2030）,pop_65_2030,pop_65,入住年份"
ROWS = (
    "a,102.70,25.00,100,110,120,30,9,",
    "b,102.71,25.00,50,40,30,3,1,",
    "c,102.72,25.00,80,80,80,8,7,2028",
    "d,102.73,25.00,70,70,70,7,6,2031",
)


def written(tmp_path: Path, head: str = HEAD, rows: tuple[str, ...] = ROWS) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("year", "people"),
    [
        (2025, {"a": 100, "b": 50}),
        (2028, {"a": 110, "b": 40, "c": 80}),
        (2030, {"a": 120, "b": 30, "c": 80}),
    ],
)
def test_each_year_has_its_own_residents(tmp_path: Path, year: int, people: dict[str, int]) -> None:
    table = read_population(written(tmp_path), WGS84, year)
    assert dict(zip(table.id, table.residents.tolist(), strict=True)) == people
    later = [one for one in table.warnings if one.key == "input_year_later"]
    assert [one.params["count"] for one in later] == [4 - len(people)]


def test_groups_of_another_year_are_no_groups_of_this_one(tmp_path: Path) -> None:
    """65+ of no year stands beside residents of a year that it is not told of."""
    table = read_population(written(tmp_path), WGS84, 2030)
    assert table.groups["65"].value.tolist() == [30, 3, 8]
    assert "65" not in read_population(written(tmp_path), WGS84, 2028).groups


def refused(path: Path, year: int | None) -> str:
    with pytest.raises(InputError) as caught:
        read_population(path, WGS84, year)
    assert "2028" in caught.value.text("zh")
    return caught.value.faults[0].key


def test_a_year_that_is_not_told_is_not_guessed(tmp_path: Path) -> None:
    assert refused(written(tmp_path), 2027) == "input_year_absent"
    assert refused(written(tmp_path), None) == "input_year_which"
    plain = written(tmp_path, HEAD.replace("population_2025", "population"))
    assert refused(plain, 2025) == "input_year_absent"


def test_columns_without_a_year_count_where_no_year_is_asked_for(tmp_path: Path) -> None:
    head, rows = HEAD.replace("population_2025", "population"), ROWS[:2]
    table = read_population(written(tmp_path, head, rows), WGS84)
    assert table.residents.tolist() == [100, 50]
    assert table.groups["65"].value.tolist() == [9, 1]
    one = written(tmp_path, "id,lon,lat,population_2020", ("a,102.7,25.0,5",))
    assert read_population(one, WGS84).residents.tolist() == [5]


def test_moving_in_needs_a_year(tmp_path: Path) -> None:
    head = "id,lon,lat,population,move_in_year"
    path = written(tmp_path, head, ("a,102.70,25.0,5,2027", "b,102.71,25.0,6,"))
    with pytest.raises(InputError) as caught:
        read_population(path, WGS84)
    assert [one.key for one in caught.value.faults] == ["input_year_moving"]
    assert read_population(path, WGS84, 2026).residents.tolist() == [6]
    assert read_population(path, WGS84, 2027).residents.tolist() == [5, 6]


def test_check_reads_the_last_year(tmp_path: Path) -> None:
    found = check_table(written(tmp_path), declared=WGS84)
    assert not [one for one in found if one.severity == "error"]
