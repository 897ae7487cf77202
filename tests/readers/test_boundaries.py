"""Units from polygon files: levels, codes, unknown population, broken borders."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point, Polygon, box

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.tables import said

BOWTIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def layer(path: Path, shapes: list, crs: int | None = 4326, **columns: list) -> Path:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def faults(paths: list[Path], policy: Policy) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        read_units(paths, policy)
    assert all(f.text("en") and f.text("zh") for f in caught.value.faults)
    return caught.value.faults


def test_malta_councils(shared_data: Path, policy):
    table = read_units([shared_data / "malta" / "malta_local_councils_pop.gpkg"], policy)
    frame = table.frame
    assert len(frame) == 67
    assert frame["residents"].sum() == 408_125
    assert frame["residents"].isna().sum() == 6
    assert str(frame["residents"].dtype) == "Int64"
    assert frame["code"].iloc[0] == "6181422"
    assert frame["name"].iloc[0] == "Il-Mellieħa"
    assert frame["name_en"].iloc[14] is None
    assert set(frame["level"]) == {"unit"}
    assert set(frame["unit_class"]) == {None}
    assert frame.crs.to_epsg() == 4326
    assert not [c for c in frame.columns if c.startswith("pop_")]  # pop_tag is no group
    assert {w.key for w in table.warnings} == {
        "input_code_from_id", "input_level_missing", "input_class_missing", "input_units_unknown",
    }  # fmt: skip


def test_levels_classes_groups_and_parents(tmp_path, policy):
    path = layer(
        tmp_path / "u.geojson",
        [box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 0, 2, 1)],
        代码=["530102001", "530102002", "530102"],
        名称=["华山街道", "护国街道", "五华区"],
        级别=["街道", "subdistrict", "区"],
        城乡=["城", "乡", "?"],
        人口=[100, None, 250],
        pop_65=[20, 5, None],
        上级代码=["530102", "530102", None],
    )
    table = read_units([path], policy)
    frame = table.frame
    assert frame["level"].tolist() == ["subdistrict", "subdistrict", "district"]
    assert frame["unit_class"].tolist() == ["urban", "rural", None]
    assert frame["residents"].tolist() == [100, pd.NA, 250]
    assert frame["pop_65"].tolist() == [20, 5, pd.NA]
    assert frame["parent_code"].tolist() == ["530102", "530102", None]
    assert [w.key for w in table.warnings] == ["input_units_unknown", "input_class_unknown"]


def test_files_of_several_levels_and_of_one(tmp_path, policy):
    a = layer(tmp_path / "a.gpkg", [box(0, 0, 1, 1)], code=["1"], name=["A"], level=["社区"])
    b = layer(tmp_path / "b.gpkg", [box(1, 0, 2, 1)], code=["2"], name=["B"], level=["社区"],
              pop_0_3=[4], population=[9])  # fmt: skip
    c = layer(tmp_path / "c.gpkg", [box(0, 0, 2, 1)], code=["1"], name=["C"], level=["街道"])
    frame = read_units([a, b, c], policy).frame
    assert frame["code"].tolist() == ["1", "2", "1"]  # a code may stand once in each level
    assert frame["level"].tolist() == ["community", "community", "subdistrict"]
    assert frame["pop_0_3"].tolist() == [pd.NA, 4, pd.NA]


def test_row_numbers_as_codes_never_collide(tmp_path, policy):
    a = layer(tmp_path / "a.gpkg", [box(0, 0, 1, 1)], name=["A"])
    b = layer(tmp_path / "b.gpkg", [box(1, 0, 2, 1)], name=["B"])
    assert read_units([a, b], policy).frame["code"].tolist() == ["a-1", "b-1"]
    alone = read_units([a], policy)
    assert alone.frame["code"].tolist() == ["1"]
    assert "input_code_from_row" in [w.key for w in alone.warnings]


def test_duplicate_codes_name_both_rows(tmp_path, policy):
    a = layer(tmp_path / "a.gpkg", [box(0, 0, 1, 1), box(1, 0, 2, 1)], code=["7", "8"],
              name=["A", "B"])  # fmt: skip
    b = layer(tmp_path / "b.gpkg", [box(2, 0, 3, 1)], code=["8"], name=["C"])
    (fault,) = faults([a, b], policy)
    assert (fault.file, fault.row) == ("b.gpkg", 1)
    where = {"value": "8", "first_file": "a.gpkg", "first_row": 2}
    assert fault.params == {**where, "name": "C", "first_name": "B"}


def test_all_faults_of_all_files(tmp_path, policy):
    a = layer(
        tmp_path / "a.gpkg",
        [Point(0, 0), None, box(0, 0, 1, 1)],
        code=["1", None, "3"],
        name=["A", "B", None],
        level=["社区", "星球", "社区"],
        population=["-4", "NaN", "1.5"],
    )
    missing = tmp_path / "gone.gpkg"
    found = [(f.file, f.key, f.row) for f in faults([a, missing], policy)]
    assert sorted(found) == sorted([
        ("a.gpkg", "input_unit_not_polygon", 1),
        ("a.gpkg", "input_count_negative", 1),
        ("a.gpkg", "input_geometry_missing", 2),
        ("a.gpkg", "input_code_blank", 2),
        ("a.gpkg", "input_level_unknown", 2),
        ("a.gpkg", "input_number_text", 2),
        ("a.gpkg", "input_name_blank", 3),
        ("gone.gpkg", "file_missing", None),
    ])  # fmt: skip


def test_no_crs_says_how_to_mend(tmp_path, policy):
    with pytest.warns(UserWarning, match="crs"):
        path = layer(tmp_path / "u.shp", [box(0, 0, 1, 1)], crs=None, name=["A"])
    (fault,) = faults([path], policy)
    assert fault.key == "input_layer_crs_missing"
    assert "QGIS" in fault.text("en")


def test_broken_borders_are_mended_and_overlaps_told(tmp_path, policy):
    path = layer(tmp_path / "u.gpkg", [BOWTIE, box(0, 0, 1, 0.4)], code=["1", "2"],
                 name=["A", "B"], level=["社区"] * 2)  # fmt: skip
    table = read_units([path], policy)
    assert table.frame.geometry.is_valid.all()
    assert table.frame.geometry.iloc[0].area == pytest.approx(0.5)
    repaired, *_, overlap = table.warnings
    assert (repaired.key, repaired.params["rows"]) == ("input_geometry_repaired", "1")
    assert (overlap.key, overlap.params["pairs"]) == ("input_units_overlap", "A / B")


def test_touching_neighbours_do_not_overlap(tmp_path, policy):
    path = layer(tmp_path / "u.gpkg", [box(0, 0, 1, 1), box(0.999, 0, 2, 1)], code=["1", "2"],
                 name=["A", "B"])  # fmt: skip
    assert "input_units_overlap" not in [w.key for w in read_units([path], policy).warnings]


def test_units_as_a_table_with_wkt(tmp_path, policy):
    path = tmp_path / "u.csv"
    path.write_text(f'code,name,wkt\n01,A,"{box(0, 0, 1, 1).wkt}"\n', encoding="utf-8")
    assert faults([path], policy)[0].key == "input_datum_missing"
    frame = read_units([path], policy, said("wgs84")).frame
    assert frame["code"].tolist() == ["01"]
    assert frame.geometry.iloc[0].equals(box(0, 0, 1, 1))
