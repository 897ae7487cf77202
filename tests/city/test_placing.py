"""Facilities without coordinates, and units that rows name: a small town built from its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.pipeline import BuildRequest, analyse_city
from tests.worlds.drawn import Way, World, draw

HEAD = "编号,设施类型,名称,经度,纬度,社区代码,所属社区,所属街道,地址\n"
UNITS = (
    ("530102001", "华山街道", "subdistrict", (-1500, -1500, 1500, 1500)),
    ("530102001001", "翠湖西路社区居民委员会", "community", (-1500, -1500, 0, 1500)),
    ("530102001002", "北门社区居委会", "community", (0, -1500, 1500, 1500)),
)


def town() -> World:
    """A grid of streets of 3 × 3 km."""
    steps = range(-1500, 1501, 500)
    places = {f"n{x}_{y}": (float(x), float(y)) for x in steps for y in steps}
    ways = [Way(tuple(f"n{x}_{y}" for x in steps)) for y in steps]
    ways += [Way(tuple(f"n{x}_{y}" for y in steps)) for x in steps]
    return draw(places, *ways)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    folder, world = tmp_path_factory.mktemp("town"), town()
    world.write(folder / "town.osm.pbf")
    features = []
    for code, name, level, (west, south, east, north) in UNITS:
        ring = [world.lonlat(p) for p in ((west, south), (east, south), (east, north),
                                          (west, north), (west, south))]  # fmt: skip
        features.append(
            {"type": "Feature", "properties": {"code": code, "name": name, "level": level},
             "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (folder / "units.geojson").write_text(text, encoding="utf-8")
    cells = ["id,lon,lat,population"]
    for number, (x, y, people) in enumerate(((-1000, 20, 900), (-400, 20, 100), (800, 20, 500))):
        lon, lat = world.lonlat((x, y))
        cells.append(f"c{number},{lon},{lat},{people}")
    (folder / "cells.csv").write_text("\n".join(cells), encoding="utf-8")
    return folder, world


@pytest.fixture
def build(files, tmp_path: Path) -> Callable[..., City]:
    folder, _ = files

    def made(*rows: str, **told: object) -> City:
        table = tmp_path / "设施.csv"
        table.write_text(HEAD + "\n".join(rows), encoding="gb18030")
        request = BuildRequest(
            "town", osm=folder / "town.osm.pbf", population=folder / "cells.csv",
            units=(folder / "units.geojson",), facilities=(table,), datum="wgs84", **told,
        )  # fmt: skip
        return analyse_city(request)[2]

    return made


def at(world: World, x: float, y: float) -> str:
    lon, lat = world.lonlat((x, y))
    return f"{lon},{lat}"


def keys(city: City) -> set[str]:
    return {warn.key for warn in city.warnings}


def test_rows_without_coordinates_are_refused_unless_asked(build, files):
    row = "F1,药店,甲药店,,,530102001001,,,"
    with pytest.raises(InputError) as caught:
        build(row)
    assert {f.key for f in caught.value.faults} == {"input_coordinate_blank"}
    city = build(row, place_by_unit=True)
    assert city.facilities.attributes["placed_by_unit"].tolist() == ["530102001001"]
    assert "facilities_placed_by_unit" in keys(city)
    (note,) = city.notes.unit_rows
    assert (note.way, note.placed, note.unit_code) == ("code", True, "530102001001")
    # the middle of 900 residents at -1000 and 100 at -400 is -940: the first cell is nearest
    first = city.cells.xy_m[city.cells.id == "c0"][0]
    assert tuple(*city.facilities.geometry[0].coords) == pytest.approx(tuple(first), abs=0.01)


def test_units_are_found_by_code_name_and_address(build):
    city = build(
        "F1,药店,甲,,,530102001002,,,",
        "F2,药店,乙,,,,北门社区,华山街道办事处,",
        "F3,药店,丙,,,,北门,,",
        "F4,药店,丁,,,,,,昆明市华山街道北门社区居委会3号",
        "F5,药店,戊,,,530102001000,,,",
        "F6,药店,己,,,530102001777,,,",
        place_by_unit=True,
    )
    ways = {note.facility: (note.way, note.unit_code) for note in city.notes.unit_rows}
    north = "530102001002"
    assert ways == {
        "F1": ("code", north),
        "F2": ("name_office", north),
        "F3": ("name_bare", north),
        "F4": ("address", north),
        "F5": ("code", "530102001"),
        "F6": ("code_prefix", "530102001"),
    }
    assert {"units_matched_loosely", "facilities_placed_by_unit"} <= keys(city)


def test_rows_that_cannot_be_placed_are_all_named(build):
    with pytest.raises(InputError) as caught:
        build(
            "F1,药店,甲,,,530102001001,,,",
            "F2,药店,乙,,,,没有的社区,,",
            "F3,药店,丙,,,,,,",
            place_by_unit=True,
        )
    assert [(f.key, f.row) for f in caught.value.faults] == [
        ("facility_without_place_unmatched", 3),
        ("facility_without_place_blank", 4),
    ]
    assert "没有的社区" in caught.value.text("zh")


def test_a_declared_unit_wins_over_the_place_with_a_warning(build, files):
    _, world = files
    city = build(
        f"F1,药店,甲,{at(world, 700, 10)},530102001001,,,",  # lies in 北门
        f"F2,药店,乙,{at(world, 700, 600)},,翠湖西路社区,,",
        f"F3,药店,丙,{at(world, 900, 600)},,,,",
    )
    code = [str(city.units.code[i]) for i in city.facilities.unit["community"]]
    assert code == ["530102001001", "530102001001", "530102001002"]
    told = {warn.key: warn for warn in city.warnings}
    apart = told["declared_unit_disagrees"]
    assert (apart.params["level"], apart.params["count"]) == ("community", 2)
    assert "所填的社区范围" in apart.text("zh")
    assert apart.params["ids"] == "F1, F2"


def test_decisions_reach_the_build(build, files, tmp_path):
    _, world = files
    rows = (
        f"F1,药店,翠湖药店,{at(world, 700, 10)},,,,",
        f"F2,药店,翠湖药店,{at(world, 710, 10)},,,,",
    )
    assert [n.state for n in build(*rows).notes.same_places] == ["merged"]
    orders = tmp_path / "m.toml"
    orders.write_text('keep_apart = [["F1", "F2"]]\n', encoding="utf-8")
    city = build(*rows, merges=orders)
    assert city.facilities.id.tolist() == ["F1", "F2"]
    orders.write_text('same = [["F1", "F9"]]\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        build(*rows, merges=orders)
    assert [f.key for f in caught.value.faults] == ["merges_unknown_id"]
    with pytest.raises(InputError) as caught:
        build(*rows, merges=tmp_path / "gone.toml")
    assert [f.key for f in caught.value.faults] == ["file_missing"]
