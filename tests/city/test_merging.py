"""Rows of several sources that are one place: who is merged, who wins, how it is undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.facilities.merging import merge_facilities
from lifecircle.analysis.city.facilities.name_similarity import NameSimilarity
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.records.attributes import FILLED
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders, read_merge_orders
from lifecircle.analysis.results.merge_list import write_merge_list
from tests.files.as_tables import facility_rows, shown

CRS = "EPSG:4543"
X, Y = 500_000.0, 2_770_000.0
POLICY = load_policy()
KIND = "health_centre"


def rows(source: str, *places: tuple, service: str = KIND, **columns) -> gpd.GeoDataFrame:
    """Rows of (id, name, metres east, metres north)."""
    frame = gpd.GeoDataFrame(
        {
            "id": np.array([p[0] for p in places], dtype=object),
            "service": np.array([service] * len(places), dtype=object),
            "name": np.array([p[1] for p in places], dtype=object),
            "source": np.array([source] * len(places), dtype=object),
            **{k: np.array(v, dtype=object) for k, v in columns.items()},
        },
        geometry=[shapely.Point(X + p[2], Y + p[3]) for p in places],
        crs=CRS,
    )
    return frame.to_crs("EPSG:4326")


def merged(*frames, orders: MergeOrders | None = None):
    kept, notes, remarks = merge_facilities(facility_rows(frames, CRS), POLICY, orders, ["五华区"])
    return shown(kept), {(n.kept, n.other): n for n in notes}, remarks


# ---- names


@pytest.fixture(scope="module")
def names() -> NameSimilarity:
    rules = POLICY.quality
    service = POLICY.services[KIND]
    words = (service.title.zh, service.title.en, *service.aliases, *rules.company_words)
    return NameSimilarity((*rules.place_words, "五华区"), words, rules.telling)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("昆明市五华区华山街道社区卫生服务中心", "华山社区卫生服务中心", 1, 1),
        ("华山社区卫生服务中心（门诊部）", "华山社区卫生服务中心", 1, 1),
        ("Ｈ山社区卫生服务中心", "H山社区卫生服务中心", 1, 1),
        ("翠湖西路社区卫生服务中心", "翠湖东路社区卫生服务中心", 0, 0),
        ("第一社区卫生服务中心", "第二社区卫生服务中心", 0, 0),
        ("金碧3号社区卫生服务中心", "金碧三号社区卫生服务中心", 0.6, 1),
        ("新螺蛳湾社区卫生服务中心", "螺蛳湾社区卫生服务中心", 0, 0),
        ("华山社区卫生服务中心", "金马社区卫生服务中心", 0, 0.5),
        ("阳光(翠湖店)", "阳光(金马店)", 0, 0.5),
        ("Rabat Health Centre", "RABAT health-centre", 1, 1),
    ],
)
def test_likeness_of_names(names, one, other, least, most):
    a, b = names.find_core(one), names.find_core(other)
    assert a is not None
    assert b is not None
    assert least <= names.compare(a, b) <= most
    assert names.compare(a, b) == names.compare(b, a)


def test_a_name_of_common_words_alone_is_no_name(names):
    assert names.find_core("社区卫生服务中心") is None
    assert names.find_core(None) is None


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=200)
def test_likeness_takes_any_text(one, other):
    names = NameSimilarity(("昆明市",), ("药店", "社区"), "东西")
    a, b = names.find_core(one), names.find_core(other)
    if a is not None and b is not None:
        assert 0 <= names.compare(a, b) <= 1
        assert names.compare(a, a) == 1


# ---- merging


def test_the_bureaus_row_wins_and_blanks_are_filled():
    table = rows("table", ("F1", "华山社区卫生服务中心", 0, 0), ownership=["government"],
                 opening_hours=[None])  # fmt: skip
    osm = rows("osm", ("node/1", "昆明市华山社区卫生服务中心", 60, 0), ownership=["private"],
               opening_hours=["Mo-Fr 08:00-18:00"], name_en=["Huashan"])  # fmt: skip
    kept, notes, remarks = merged(table, osm)
    assert kept["id"].tolist() == ["F1"]
    row = kept.iloc[0]
    assert row["ownership"] == "government"
    assert row["opening_hours"] == "Mo-Fr 08:00-18:00"
    assert row[FILLED] == "opening_hours, name_en ← node/1"
    note = notes["F1", "node/1"]
    assert (note.state, note.rule, note.filled) == (
        "merged", "same_name", ("opening_hours", "name_en"),
    )  # fmt: skip
    assert note.distance_m == pytest.approx(60, abs=0.01)
    assert [warn.key for warn in remarks] == ["facilities_merged"]


@pytest.mark.parametrize(
    ("name", "metres", "state"),
    [
        ("华山社区卫生服务中心", 99, "merged"),
        ("华山社区卫生服务中心", 101, None),
        ("龙泉翠湖莲花华山社区卫生服务中心", 49, "merged"),  # one sign of eight is missing
        ("龙泉翠湖莲花华山社区卫生服务中心", 51, "suspected"),
        (None, 24, "merged"),
        (None, 26, None),
        ("金马社区卫生服务中心", 0, None),
    ],
)
def test_distance_and_name_decide(name, metres, state):
    mine = "龙泉翠湖莲华山社区卫生服务中心" if name and "龙泉" in name else "华山社区卫生服务中心"
    _, notes, _ = merged(rows("table", ("F1", mine, 0, 0)), rows("osm", ("n", name, metres, 0)))
    found = notes.get(("F1", "n"))
    assert (None if found is None else found.state) == state


def test_other_services_are_other_places():
    one = rows("table", ("F1", "华山", 0, 0))
    other = rows("osm", ("n", "华山", 0, 0), service="pharmacy")
    assert len(merged(one, other)[0]) == 2


def test_inside_one_file_only_rows_that_nearly_touch_are_merged():
    table = rows("table", ("F1", "华山", 0, 0), ("F2", "华山", 20, 0), ("F3", "华山", 80, 0))
    kept, notes, _ = merged(table)
    assert kept["id"].tolist() == ["F1", "F3"]
    assert notes["F1", "F2"].state == "merged"
    assert {n.state for k, n in notes.items() if "F3" in k} == {"suspected"}


def test_osm_is_never_merged_with_itself_but_suspected():
    osm = rows("osm", ("n1", "华山", 0, 0), ("w2", "华山", 3, 0))
    kept, notes, remarks = merged(osm)
    assert len(kept) == 2
    assert notes["n1", "w2"].state == "suspected"
    assert [warn.key for warn in remarks] == ["facilities_suspected"]


def test_one_row_takes_one_nameless_place_only():
    table = rows("table", ("F1", "华山", 0, 0))
    osm = rows("osm", ("n1", None, 5, 0), ("n2", None, 10, 0))
    kept, notes, _ = merged(table, osm)
    assert kept["id"].tolist() == ["F1", "n2"]
    assert list(notes) == [("F1", "n1")]


def test_two_bureaus_and_osm_come_to_one_row():
    one = rows("table", ("A", "华山", 0, 0), beds=[None])
    two = rows("table", ("B", "华山街道", 30, 0), beds=[20])
    osm = rows("osm", ("n", "华山", 60, 0), name_en=["H"])
    kept, notes, _ = merged(one, two, osm)
    assert kept["id"].tolist() == ["A"]
    assert (kept["beds"].iloc[0], kept["name_en"].iloc[0]) == (20, "H")
    assert set(notes) == {("A", "B"), ("A", "n")}


# ---- decisions


def test_a_merge_is_undone_and_a_suspicion_made_one(tmp_path: Path):
    table = rows("table", ("F1", "华山", 0, 0), ("F3", "华山", 80, 0))
    osm = rows("osm", ("n", "华山", 10, 0))
    _, notes, _ = merged(table, osm)
    assert {k: n.state for k, n in notes.items()} == {
        ("F1", "n"): "merged",
        ("F1", "F3"): "suspected",
    }
    for suffix in (".csv", ".xlsx"):
        path = tmp_path / f"merges{suffix}"
        write_merge_list(list(notes.values()), path, "zh")
        _decide(path, {"n": "不合并", "F3": "合并"})
        kept, now, _ = merged(table, osm, orders=read_merge_orders(path))
        assert kept["id"].tolist() == ["F1", "n"]
        assert {k: (n.state, n.rule) for k, n in now.items()} == {("F1", "F3"): ("merged", "told")}


def _decide(path: Path, decisions: dict[str, str]) -> None:
    import openpyxl

    if path.suffix == ".csv":
        text = path.read_text("utf-8-sig").splitlines()
        head = text[0].split(",")
        for i, line in enumerate(text[1:], start=1):
            cells = line.split(",")
            cells[head.index("decision")] = decisions[cells[head.index("other")]]
            text[i] = ",".join(cells)
        path.write_text("\n".join(text), encoding="utf-8-sig")
        return
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    head = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        row[head.index("处理意见")].value = decisions[row[head.index("另一编号")].value]
    book.save(path)


def test_decisions_in_toml_and_their_faults(tmp_path: Path):
    path = tmp_path / "merges.toml"
    path.write_text('same = [["F1", "n"]]\nkeep_apart = [["F1", "F3"]]\n', encoding="utf-8")
    assert read_merge_orders(path) == MergeOrders(path.name, (("F1", "n"),), (("F1", "F3"),))
    path.write_text('same = [["F1"], ["a", "a"]]\nkeep = []\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_merge_orders(path)
    assert sorted(f.key for f in caught.value.faults) == [
        "merges_not_pair", "merges_not_pair", "merges_unknown_key",
    ]  # fmt: skip
    for fault in caught.value.faults:
        assert fault.text("zh") != fault.text("en")


def test_decisions_must_name_rows_and_not_contradict():
    table = rows("table", ("F1", "华山", 0, 0), ("F2", "金马", 900, 0))
    orders = MergeOrders("m", (("F1", "gone"), ("F1", "F2")), (("F2", "F1"),))
    with pytest.raises(InputError) as caught:
        merged(table, orders=orders)
    assert [f.key for f in caught.value.faults] == ["merges_unknown_id", "merges_both"]
    told = MergeOrders("m", (("F1", "F2"),))
    assert merged(table, orders=told)[0]["id"].tolist() == ["F1"]


# ---- against a slow reading of the rules


place = st.tuples(
    st.sampled_from(["华山", "金马", "华山一", None]), st.integers(0, 12), st.booleans()
)


@given(st.lists(place, max_size=7))
@settings(max_examples=60, deadline=None)
def test_rows_are_kept_or_listed_and_order_of_ids_does_not_matter(places):
    table = [(f"F{i}", n, 19 * x, 0) for i, (n, x, t) in enumerate(places) if t]
    osm = [(f"n{i}", n, 19 * x, 0) for i, (n, x, t) in enumerate(places) if not t]
    frames = [rows("table", *table), rows("osm", *osm)] if table and osm else []
    if not frames:
        return
    kept, notes, _ = merge_facilities(facility_rows(frames, CRS), POLICY)
    gone = [n.other for n in notes if n.state == "merged"]
    everyone = [p[0] for p in (*table, *osm)]
    assert sorted([*kept.id, *gone]) == sorted(everyone)  # nobody is lost, nobody twice
    assert len(set(gone)) == len(gone)
    where = {p[0]: p for p in (*table, *osm)}
    for note in notes:
        one, other = where[note.kept], where[note.other]
        if note.state == "merged" and one[1] and other[1]:
            assert one[1] == other[1]
    for a in kept.id:
        for b in kept.id:
            one, other = where[a], where[b]
            same = one[1] is not None and one[1] == other[1] and a[0] == "F" and b[0] == "n"
            assert not (same and abs(one[2] - other[2]) <= 100)


def test_no_frames_and_empty_frames():
    assert len(merge_facilities([], POLICY)[0]) == 0
    kept, notes, _ = merge_facilities(facility_rows([rows("osm")], CRS), POLICY)
    assert len(kept) == 0
    assert notes == ()
    without = replace(POLICY, quality=None)
    alone = facility_rows([rows("table", ("a", "x", 0, 0))], CRS)
    assert len(merge_facilities(alone, without)[0]) == 1
