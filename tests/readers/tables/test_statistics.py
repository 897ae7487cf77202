"""Statistics of units: tables read, faults told at once, joined by code then name, kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.city.model import WHOLE_AREA
from lifecircle.analysis.city.units.statistics import place_statistics
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.tables.statistics import read_statistics
from tests.worlds.cards import with_statistics
from tests.worlds.tiny import tiny_city, tiny_run

HEAD = "unit_code,attribute,value,year,source\n"


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str, name: str = "s.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def faults(path: Path) -> list[tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        read_statistics(path)
    return [(fault.key, fault.row) for fault in caught.value.faults]


def test_a_table_in_chinese_and_in_english(table) -> None:
    text = (
        "单元代码,指标,数值,年份,来源\n"
        "C1,户数,1200,2025年,民政局\n"
        "C1,家长学校,是,2025,\n"
        "C2,parent_school,×,2024,\n"
        'C2,社区综合服务设施面积,"1,234.5",,住建局\n'
    )
    read = read_statistics(table(text))
    frame = read.frame
    assert frame["attribute"].tolist() == [
        "households", "parent_school", "parent_school", "service_facility_area",
    ]  # fmt: skip
    assert frame["value"].tolist() == [1200.0, 1.0, 0.0, 1234.5]
    assert read.year.to_list() == [2025, 2025, 2024, None]
    assert frame["source"].tolist() == ["民政局", None, None, "住建局"]


def test_a_blank_value_is_left_out_and_never_0(table) -> None:
    found = read_statistics(table(HEAD + "C1,households,,2025,\nC2,households,5,2025,\n"))
    assert found.frame["unit_code"].tolist() == ["C2"]
    assert [fault.key for fault in found.warnings] == ["statistics_value_blank"]


def test_all_faults_at_once(table) -> None:
    path = table(
        HEAD
        + "C1,house holds,5,2025,\n"
        + "C1,houshold,5,2025,\n"
        + "C1,,5,2025,\n"
        + ",households,5,2025,\n"
        + "C1,households,-5,2025,\n"
        + "C2,households,5.5,2025,\n"
        + "C2,parent_school,maybe,2025,\n"
        + "C3,households,7,25,\n"
        + "C4,households,7,2025,\n"
        + "C4,households,8,2025,\n"
        + "C5,total_floor_area,many,2025,\n"
    )
    assert faults(path) == [
        ("statistics_attribute_unknown", 3),
        ("statistics_attribute_blank", 4),
        ("statistics_unit_blank", 5),
        ("statistics_value", 6),
        ("statistics_value", 7),
        ("statistics_value", 8),
        ("statistics_year", 9),
        ("statistics_twice", 11),
        ("statistics_value", 12),
    ]
    checked = check_file(path)  # known for what it is by its columns
    assert checked.kind == "statistics"
    told = next(one for one in checked.faults if one.key == "statistics_attribute_unknown")
    assert "households" in told.text("zh")
    assert "户数" in told.text("zh")


def test_columns_that_are_missing_are_named(table) -> None:
    assert faults(table("code,value\nC1,5\n")) == [("statistics_column_missing", None)]
    by_nobody = table("attribute,value,note\nhouseholds,5,x\nhouseholds,6,y\n")
    assert faults(by_nobody) == [("statistics_column_missing", None)]


def test_figures_go_to_units_by_code_then_by_name(table) -> None:
    path = table(
        "unit_code,unit_name,attribute,value,year,source\n"
        "C1,,households,10,2024,a\n"
        "C1,,households,12,2025,b\n"
        ",二社区,households,20,2025,\n"
        "三社区,,households,30,2025,\n"
        "area,,community_workers,7,2025,\n"
        "全市,,urban_residents,900,2025,\n"
        "X9,,households,5,2025,\n"
    )
    city = tiny_city()
    statistics, warnings = place_statistics([read_statistics(path)], city.units, {})
    size = len(city.units.code)
    code = {str(one): i for i, one in enumerate(city.units.code)}
    latest = statistics.latest("households", size)
    assert {c: latest[i] for c, i in code.items() if np.isfinite(latest[i])} == {
        "C1": 12.0, "C2": 20.0, "C3": 30.0,
    }  # fmt: skip
    assert statistics.latest("households", size, until=2024)[code["C1"]] == 10.0
    assert statistics.latest("community_workers", size)[size] == 7.0
    assert statistics.latest("urban_residents", size)[size] == 900.0
    assert (statistics.unit == WHOLE_AREA).sum() == 2
    assert [w.key for w in warnings] == ["statistics_units_unknown"]
    assert "X9" in warnings[0].text("en")


def test_totals_of_the_units_table_are_statistics_too_and_give_way() -> None:
    city = tiny_city()
    size = len(city.units.code)
    households = [44 if unit == 3 else None for unit in range(size)]
    totals = {"households": Counts.listed(households), "65": Counts.of(np.arange(size))}
    statistics, _ = place_statistics([], city.units, totals)
    assert statistics.latest("households", size)[3] == 44.0
    assert np.isnan(statistics.latest("households", size)[2])
    assert statistics.latest("pop_65", size)[5] == 5.0


def test_statistics_are_kept_in_the_run(tmp_path: Path) -> None:
    rows = [("C1", "households", 100.0, 2025), ("area", "community_workers", 3.0)]
    run = tiny_run(tmp_path, change=lambda city: with_statistics(city, rows))
    kept = run.city.statistics
    assert kept is not None
    assert kept.attribute.tolist() == ["community_workers", "households"]
    assert kept.value.tolist() == [3.0, 100.0]
    assert kept.year.to_list() == [None, 2025]
    assert kept.source.tolist() == ["test", "test"]
    bare = tiny_run(tmp_path, area="bare")
    assert bare.city.statistics is None
