"""Kinds of places in tables: taken by value, mapped, of map providers, left out, or refused."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from typer.testing import CliRunner

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy import load_policy, policy_ids
from lifecircle.analysis.policy.sections.kinds import (
    kind_sources,
    near_words,
    provider_kinds,
    service_of,
)
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.records.declarations import (
    Declaration,
    Declarations,
    split_service,
)
from lifecircle.analysis.readers.records.mapping_file import read_mapping
from lifecircle.analysis.readers.services.names import NearServices
from lifecircle.analysis.readers.tables.population_and_facilities import (
    guess_kind,
    read_facilities,
)
from lifecircle.service.cli import app
from tests.files.poi_dump import write_dump
from tests.files.tables import faults


def declared(**said: str) -> Declarations:
    return Declarations(Declaration(datum="wgs84", **said))


def table_of(kinds: list[str], title: str = "类型") -> str:
    """A table of one place for each kind, the first in row 2."""
    rows = (f"{kind},店{i},{102.7 + i / 1e4:.4f},25.0" for i, kind in enumerate(kinds))
    return "\n".join([f"{title},名称,经度,纬度", *rows]) + "\n"


# ---- by value, not by row


def test_an_unknown_kind_is_one_fault_with_its_rows(file, policy):
    path = file(table_of(["药店", "烟酒店", "药店", "烟酒店", "烟酒店"]))
    (fault,) = faults(lambda: read_facilities(path, policy, declared()))
    assert (fault.key, fault.params["count"], fault.rows) == (
        "input_service_unknown", 3, (3, 5, 6),
    )  # fmt: skip
    assert "--other-types skip" in fault.text("zh")
    assert "烟酒店" in fault.text("en")


def test_many_unknown_kinds_are_listed_by_their_number_of_rows(file, policy):
    """900 kinds in 901 rows: the frequent one first, forty in a build, all in a check."""
    path = file(table_of(["药店", "某1类", *(f"某{i}类" for i in range(1, 901))]))
    found = faults(lambda: read_facilities(path, policy, declared()))
    assert [f.key for f in found[:2]] == ["input_services_unknown", "input_service_listed"]
    assert (found[0].params["kinds"], found[0].params["count"]) == (900, 901)
    assert (found[1].params["value"], found[1].params["rows"]) == ("某1类", "3, 4")
    assert len(found) == 1 + 40 + 1
    assert (found[-1].key, found[-1].params["kinds"]) == ("input_services_more", 860)
    checked = check_file(path, "facilities", policy, declared())
    rows = [f.row for f in checked.faults if f.key == "input_service_listed_row"]
    assert rows == list(range(3, 904))


def test_other_kinds_are_left_out_and_counted_when_said(file, policy):
    text = table_of(["药店", "烟酒店", "", "烟酒店", "棋牌室", "小学"])
    path = file(text.replace("店3,102.7003,25.0", "店3,,"))  # no place: nobody's matter
    table = read_facilities(path, policy, declared(other_types="skip"))
    assert table.service.tolist() == ["pharmacy", "primary_school"]
    assert table.rows.tolist() == [2, 7]
    (told,) = table.warnings
    assert (told.key, told.params["kinds"], told.params["count"]) == ("input_kinds_left_out", 2, 3)
    assert "烟酒店 (2), 棋牌室 (1)" in told.text("en")
    assert "未计入" in told.text("zh")


def test_a_table_without_any_service_is_never_left_out_whole(file, policy):
    path = file(table_of(["烟酒店", "棋牌室"]))
    (fault,) = faults(lambda: read_facilities(path, policy, declared(other_types="skip")))
    assert (fault.key, fault.params["count"]) == ("input_kinds_none", 2)


def test_what_becomes_of_other_kinds_is_a_word_of_a_list(tmp_path):
    assert BuildRequest("a", other_types=" SKIP ").declared().plain.other_types == "skip"
    with pytest.raises(ParameterError, match="drop"):
        BuildRequest("a", other_types="drop").declared()
    (tmp_path / "map.toml").write_text('other_types = "drop"\n', "utf-8")
    (fault,) = faults(lambda: read_mapping(tmp_path / "map.toml"))
    assert (fault.key, fault.column) == ("input_other_types", "other_types")


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("hospitals", "health_centre"),
        ("三级医院", "health_centre"),
        ("clinics", "health_station"),
        ("牙科诊所", "health_station"),
        ("社康中心", "health_centre"),
        ("pharmcy", "pharmacy"),
        ("药点", "pharmacy"),
        ("幼儿园（民办）", "kindergarten"),
        ("Primary Schools", "primary_school"),
        ("社区书屋", "culture_centre"),
        ("宠物医院", None),
        ("棋牌室", None),
        ("某1类", None),
        ("饭店", None),
    ],
)
def test_nearest_by_meaning_or_nothing(policy, word, first):
    assert next(iter(NearServices(policy).ids(word)), None) == first


def test_the_words_offered_are_of_services_that_exist(policy):
    known = {one for name in policy_ids() for one in load_policy(name).services}
    assert {one for near in near_words() for one in near.services} <= known
    assert {rule.service for rule in provider_kinds().rules} <= known
    assert {rule.source for rule in provider_kinds().rules} <= set(kind_sources())


# ---- all rows are one service


def test_a_file_may_be_one_service_by_any_of_its_names(file, policy, tmp_path):
    path = file("name,lon,lat\n一心堂,102.70,25.0\n健之佳,102.71,25.0\n", "a=b.csv")
    for said in ("pharmacy", "药店", "Pharmacy", "药房"):
        table = read_facilities(path, policy, declared(service=said))
        assert table.service.tolist() == ["pharmacy", "pharmacy"]
    (fault,) = faults(lambda: read_facilities(path, policy, declared(service="pharmcy")))
    assert fault.key == "input_service_said"
    assert "pharmacy" in fault.text("en")
    (tmp_path / "map.toml").write_text(f'[files."{path.name}"]\nservice = "药店"\n', "utf-8")
    mapped = read_mapping(tmp_path / "map.toml", Declaration(datum="wgs84"))
    assert read_facilities(path, policy, mapped).service.tolist() == ["pharmacy", "pharmacy"]


def test_a_file_and_its_service_on_the_command_line(file):
    path = file("name,lon,lat\nA,102.70,25.0\n", "a=b.csv")
    assert split_service(path) == (path, None)
    assert split_service(Path(f"{path}=pharmacy")) == (path, "pharmacy")
    assert split_service(Path("gone=pharmacy.csv")) == (Path("gone=pharmacy.csv"), None)
    told = CliRunner().invoke(app, ["check", f"{path}=小学", "--datum", "wgs84", "--lang", "en"])
    assert told.exit_code == 0, told.output
    assert "facilities" not in told.output.lower() or "no column" not in told.output
    plain = CliRunner().invoke(app, ["check", str(path), "--kind", "facilities", "--lang", "zh",
                                     "--datum", "wgs84"])  # fmt: skip
    assert plain.exit_code == 2
    assert "a=b.csv=服务名称" in plain.output


def test_the_command_line_goes_before_the_mapping(file, tmp_path):
    path = file("name,lon,lat\nA,102.70,25.0\n", "s.csv")
    (tmp_path / "map.toml").write_text(
        '[files."s.csv"]\nservice = "药店"\ndatum = "gcj02"\n', "utf-8"
    )
    request = BuildRequest(
        "a", facilities=(path,), mapping=tmp_path / "map.toml", services={"s.csv": "小学"}
    )
    said = request.declared().of(path)
    assert (said.service, said.datum) == ("小学", "gcj02")


# ---- kinds of map providers


@pytest.mark.parametrize(
    ("kind", "name", "service"),
    [
        ("医疗保健服务;综合医院;卫生院", "华山社区卫生服务中心", "health_centre"),
        ("医疗保健服务;综合医院;卫生院", "湘湖社区卫生服务站", "health_station"),
        ("医疗保健服务;综合医院;三级甲等医院", "第一人民医院", None),
        ("医疗保健服务;医药保健销售店;药房", "一心堂", "pharmacy"),
        ("090601", "一心堂", "pharmacy"),
        ("医疗;药店", "一心堂", "pharmacy"),
        ("090102", "叫安镇卫生院", "health_centre"),
        ("090100", "第一人民医院", None),
        ("科教文化服务;学校;中学", "第三高级中学", None),
        ("科教文化服务;学校;中学", "第三中学", "middle_school"),
        ("教育培训;小学", "培新小学", "primary_school"),
        ("购物服务;便民商店/便利店;便利店|购物服务;超级市场;超市", "小王", "convenience_store"),
        ("购物服务;综合市场;农副产品市场", "三源里菜市场", "market"),
        ("餐饮服务;中餐厅;中餐厅", "老王饭店", None),
    ],
)  # fmt: skip
def test_kinds_of_map_providers(file, policy, kind, name, service):
    rows = f"{kind},{name},102.70,25.0\n药店,另一家,102.72,25.0\n"
    table = read_facilities(file(f"type,name,lon,lat\n{rows}"), policy, declared())
    found = dict(zip(table.name.tolist(), table.service.tolist(), strict=True))
    assert found.get(name) == service
    keys = {told.key for told in table.warnings}
    assert keys == {"input_kinds_taken" if service else "input_kinds_left_out"}


def test_the_words_of_the_user_go_before_the_rules_of_providers(file, policy, tmp_path):
    path = file(table_of(["医疗保健服务;诊所;诊所", "医疗保健服务;医药保健销售店;药房"]))
    (tmp_path / "m.toml").write_text(
        '[values.service]\nhealth_station = ["医疗保健服务;诊所;诊所"]\n', "utf-8"
    )
    mapped = read_mapping(tmp_path / "m.toml", Declaration(datum="wgs84"))
    assert read_facilities(path, policy, mapped).service.tolist() == ["health_station", "pharmacy"]


@pytest.mark.parametrize(
    "text",
    [
        "typecode,name,lon,lat\n141203,甲,102.7,25.0\n050100,乙,102.7,25.1\n",
        "大类,中类,小类,name,lon,lat\n科教文化服务,学校,小学,甲,102.7,25.0\n餐饮服务,中餐厅,川菜,乙,102.7,25.1\n",
        "std_tag,name,lon,lat\n教育培训;小学,甲,102.7,25.0\n美食;中餐厅,乙,102.7,25.1\n",
        "类型,分类编码,name,lon,lat\n其他,141203,甲,102.7,25.0\n其他,050100,乙,102.7,25.1\n",
    ],
)
def test_columns_of_kinds_as_dumps_call_them(file, policy, text):
    path = file(text)
    table = read_facilities(path, policy, declared())
    assert list(zip(table.name, table.service, strict=True)) == [("甲", "primary_school")]


def test_rules_hold_in_the_order_of_the_file():
    kinds = provider_kinds()
    first = kinds.rules_for("购物服务;超级市场;超市")
    assert service_of(first, "邻里便利店") == "convenience_store"
    assert service_of(first, "盒马生鲜") == "greengrocer"
    assert service_of(first, "沃尔玛") == "supermarket"
    assert not kinds.knows("购物服务")
    assert not kinds.knows("药店;药房")


# ---- a dump of a whole city


def test_a_dump_is_read_in_seconds(tmp_path, policy):
    """A tenth of a city's dump: its services are those that the writer planted, to the row."""
    path = tmp_path / "poi.csv"
    planted = write_dump(path, rows=20_000, seed=7)
    start = perf_counter()
    table = read_facilities(path, policy, Declarations(Declaration(datum="gcj02")))
    assert perf_counter() - start < 10
    services, counts = np.unique(table.service.astype(str), return_counts=True)
    assert dict(zip(services.tolist(), counts.tolist(), strict=True)) == planted
    left = next(told for told in table.warnings if told.key == "input_kinds_left_out")
    assert left.params["count"] == 20_000 - sum(planted.values())


def test_a_dump_is_told_from_other_tables(tmp_path, policy):
    from lifecircle.analysis.readers.formats.layers import read_records

    path = tmp_path / "poi.csv"
    write_dump(path, rows=200, seed=7)
    assert guess_kind(read_records(path, declared()), policy) == "facilities"
