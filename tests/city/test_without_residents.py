"""Areas of which nobody says who lives there: walks and land hold, what counts people does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import lifecircle as lc
from lifecircle.analysis.errors import ParameterError
from tests.command.test_command import lifecircle
from tests.pages.served import ask, client
from tests.worlds.tagged import CORNER, SIDE_DEG, tags_of, write_things

HAIDIAN = "haidian/haidian_tsinghua.osm.pbf"
OF_PEOPLE = {
    "residents", "residents_0_3", "residents_65", "known", "covered", "not_covered", "served",
    "complete", "incomplete", "unsnapped_residents", "island_residents", "modelled_residents",
    "P", "P_core", "C", "share", "gini", "sufficient", "below",
}  # fmt: skip


def draw_block(path: Path, *, homes: bool = True, land: bool = True) -> Path:
    """Nine by nine blocks of streets 100 m apart; two houses (2 and 4 floors), land, a pharmacy.

    Node 10 r + c + 1 stands in row r and column c.
    """
    nodes = {i: tags_of("amenity=pharmacy") if i == 12 else {} for i in range(1, 101)}
    rows = [[10 * r + c + 1 for c in range(10)] for r in range(10)]
    lines = [*rows, *map(list, zip(*rows, strict=True))]
    ways: dict[int, Any] = {
        i: (line, tags_of("highway=residential")) for i, line in enumerate(lines, 1)
    }
    if homes:
        ways[31] = ([1, 2, 12, 11, 1], tags_of("building=apartments building:levels=2"))
        ways[32] = ([89, 90, 100, 99, 89], tags_of("building=apartments building:levels=4"))
    if land:
        ways[33] = ([1, 3, 23, 21, 1], tags_of("landuse=residential"))
        ways[34] = ([89, 90, 100, 99, 89], tags_of("landuse=residential"))
    return write_things(path, nodes, ways)


@pytest.fixture(scope="module")
def block(tmp_path_factory) -> lc.Area:
    """The block built from its streets alone."""
    folder = tmp_path_factory.mktemp("block")
    return lc.build("block", draw_block(folder / "block.osm"), workspace=folder / "ws")


def find_people(answer: Any) -> list[tuple[str, Any]]:
    """Every figure of residents in an answer that is not null."""
    if isinstance(answer, dict):
        mine = [(k, v) for k, v in answer.items() if k in OF_PEOPLE and isinstance(v, int | float)]
        return mine + [one for value in answer.values() for one in find_people(value)]
    return (
        [one for value in answer for one in find_people(value)] if isinstance(answer, list) else []
    )


def test_walks_start_from_the_homes_and_nobody_lives_there(block):
    cells = block.layer("cells")
    assert list(cells.index) == ["way/31", "way/32"]
    assert cells["residents"].isna().all()
    assert block.residents is None
    assert not block.run.city.cells.counted
    # the far house: from its middle to the nearest street, then by streets
    near, far = cells["minutes_pharmacy"]
    assert near < 2
    assert 15 < far < 30
    assert "residents_uncounted" in [w.key for w in block.run.manifest.warnings]
    again = lc.open(block.run.path.parents[2])["block"]
    assert not again.run.city.cells.counted


def test_land_is_read_and_persons_are_null(block):
    row = (
        block.coverage("pharmacy").loc["total"]
        if "total" in block.coverage("pharmacy").index
        else None
    )
    found = lc.coverage(block.study, lc.Question("pharmacy"))
    total = found.total
    assert (total.residents, total.covered, total.P, total.C, total.unsnapped) == (None,) * 5
    # 200 x 200 m of land stand by the pharmacy, 100 x 100 m far from it
    assert pytest.approx(0.8, abs=0.002) == total.L
    assert row is None or row["P"] is None
    assert found.warnings[0].key == "nobody_counted"


def test_no_answer_over_http_holds_a_number_of_residents(block):
    served = client(block.run.path.parents[2])
    paths = ("", "/coverage", "/gaps", "/circles", "/equity", "/scorecard", "/quality",
             "/catchments?service=health_centre")  # fmt: skip
    for path in paths:
        answer = ask(served, f"/areas/block{path}")
        assert find_people(answer) == [], path
        keys = {w["key"] for part in _parts(answer) for w in part.get("warnings", ())}
        assert keys & {"nobody_counted", "residents_uncounted"}, path
    for row in ask(served, "/areas/block/scorecard")["rows"]:
        assert row["status"] in ("NOT_ASSESSED", "no_target")
    for layer in ("coverage", "gaps", "circles", "units", "facilities", "quality", "catchments"):
        assert served.get(f"/maps/block/{layer}").status_code == 200
    told = served.get("/areas/block/accessibility", params={"service": "pharmacy"})
    assert told.status_code == 400
    assert served.get("/areas/block/report").status_code == 200


def _parts(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, dict):
        return [answer, *(part for value in answer.values() for part in _parts(value))]
    return [part for value in answer for part in _parts(value)] if isinstance(answer, list) else []


def test_what_needs_residents_is_refused(block):
    with pytest.raises(ParameterError, match="unknown here"):
        lc.what_if(block.study, lc.Question(), remove=[0])
    assert block.gaps("pharmacy").empty


@pytest.mark.parametrize(("land", "cells"), [(True, (16 + 4, 30 + 12)), (False, (300, 1000))])
def test_without_homes_walks_start_from_squares(tmp_path, land, cells):
    """Of residential land (200 x 222 m and 100 x 111 m in squares of 50 m), else of all ground."""
    osm = draw_block(tmp_path / "bare.osm", homes=False, land=land)
    built = lc.build("bare", osm, workspace=tmp_path / "ws")
    assert cells[0] <= len(built.run.city.cells) <= cells[1]


def test_units_without_totals_stay_unknown(tmp_path):
    west, south = CORNER
    half = shapely.box(west - 0.0005, south - 0.0005, west + 4.5 * SIDE_DEG, south + 0.01)
    other = shapely.box(west + 4.5 * SIDE_DEG, south - 0.0005, west + 0.01, south + 0.01)
    units = gpd.GeoDataFrame(
        {"code": ["A", "B"], "name": ["甲", "乙"], "level": "unit"},
        geometry=[half, other],
        crs=4326,
    )
    built = lc.build("u", draw_block(tmp_path / "u.osm"), units=units, workspace=tmp_path / "ws")
    rows = {row.code: row for row in lc.coverage(built.study, lc.Question("pharmacy")).units}
    assert [(rows[c].residents, rows[c].U, rows[c].L) for c in "AB"] == [(None, 1, 1), (None, 0, 0)]


def test_residents_from_floor_are_marked_in_every_answer(tmp_path):
    """Two squares of 100 x 100 m (by the lattice of degrees) with 2 and 4 floors, 40 m² each."""
    osm = draw_block(tmp_path / "b.osm")
    built = lc.build("b", osm, workspace=tmp_path / "ws", residents_from_buildings=40)
    cells = built.layer("cells")
    ground = gpd.GeoSeries(cells.geometry, crs=cells.crs).to_crs(built.run.city.crs).area
    floor = ground.to_numpy() * [2, 4]
    assert abs(cells["residents"].to_numpy() - floor / 40).max() <= 1
    assert built.residents == cells["residents"].sum() == np.rint(floor.sum() / 40)
    assert built.run.manifest.modelled == ("population",)
    served = client(tmp_path / "ws")
    for path in ("", "/coverage?service=pharmacy", "/gaps", "/circles", "/equity", "/scorecard",
                 "/quality", "/accessibility?service=pharmacy", "/report"):  # fmt: skip
        told = served.get(f"/areas/b{path}").text
        assert "residents_from_buildings" in told or "示意性数据" in told, path


def test_floor_beside_people_who_are_counted_is_refused(tmp_path):
    osm = draw_block(tmp_path / "b.osm")
    cells = gpd.GeoDataFrame(
        {"population": [5]}, geometry=gpd.points_from_xy([CORNER[0]], [CORNER[1]]), crs=4326
    )
    with pytest.raises(ParameterError, match="nobody has counted"):
        lc.build("b", osm, cells, workspace=tmp_path / "ws", residents_from_buildings=40)
    with pytest.raises(ParameterError, match="from 1 to 1,000"):
        lc.build("b", osm, workspace=tmp_path / "ws", residents_from_buildings=0.5)
    bare = draw_block(tmp_path / "bare.osm", homes=False)
    with pytest.raises(ParameterError, match="no building that may be a home"):
        lc.build("b", bare, workspace=tmp_path / "ws", residents_from_buildings=40)


def test_a_newcomer_with_a_piece_of_openstreetmap(shared_data, tmp_path):
    """Haidian: 529 buildings; 455 may be homes. Floors where the map says none: three."""
    done = lifecircle("build", "h", "--osm", shared_data / HAIDIAN, workspace=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "455 homes of the map" in done.stdout
    found = lc.coverage(lc.open(tmp_path)["h"].study, lc.Question("pharmacy"))
    assert pytest.approx(0.4948, abs=1e-4) == found.total.L
    gaps = lifecircle("gaps", "h", "--service", "pharmacy", workspace=tmp_path, lang="zh")
    assert "居民人数未知" in gaps.stdout
    assert "0 " not in gaps.stdout
