"""The command as a planner uses it: real files in, figures out, bad files refused whole."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from lifecircle.analysis.results.store import Workspace
from tests.command.run import lifecircle, malta_files
from tests.worlds.drawn import ORIGIN, Way, World

ROOT = Path(__file__).resolve().parents[2]


def draw_file(path: Path) -> Path:
    """A street of 6 km with a node every 500 m, written as an OSM file."""
    names = [f"n{i}" for i in range(13)]
    World({name: (500.0 * i, 0.0) for i, name in enumerate(names)}, (Way(tuple(names)),)).write(
        path
    )
    return path


@pytest.fixture(scope="module")
def malta(malta_runs) -> Path:
    return malta_runs


def test_malta_keeps_every_resident(malta):
    run = Workspace(malta).open("malta")
    assert run.manifest.residents == 408_125
    assert int((~run.city.units.residents.known).sum()) == 6
    assert run.manifest.modelled == ("population",)


@pytest.mark.parametrize("service", ["pharmacy", "health_centre", "park"])
def test_malta_coverage_adds_up(malta, service):
    done = lifecircle("coverage", "malta", "--service", service, "--json", workspace=malta)
    answer = json.loads(done.stdout)
    known = [unit for unit in answer["units"] if unit["residents"] is not None]
    assert len(answer["units"]) == 67
    assert len(known) == 61
    assert sum(unit["residents"] for unit in known) == 408_125 == answer["total"]["residents"]
    assert sum(unit["covered"] for unit in known) == answer["total"]["covered"]
    for unit in known:
        assert unit["P"] == unit["covered"] / unit["residents"]
    gaps = json.loads(
        lifecircle("gaps", "malta", "--service", service, "--json", workspace=malta).stdout
    )["features"]
    uncovered = answer["total"]["residents"] - answer["total"]["covered"]
    assert sum(gap["properties"]["residents"] for gap in gaps) == uncovered
    sizes = [gap["properties"]["residents"] for gap in gaps]
    assert sizes == sorted(sizes, reverse=True)


def test_same_inputs_give_the_same_bytes(malta, shared_data, tmp_path):
    before = Workspace(malta).open("malta")
    done = lifecircle("build", "malta", *malta_files(shared_data), workspace=tmp_path, apart=True)
    assert done.returncode == 0, done.stderr
    after = Workspace(tmp_path).open("malta")
    files = sorted(file.name for file in before.path.iterdir() if file.name != "manifest.json")
    assert files == sorted(f.name for f in after.path.iterdir() if f.name != "manifest.json")
    different = [
        f for f in files if (before.path / f).read_bytes() != (after.path / f).read_bytes()
    ]
    assert different == []


def test_porto_alegre_from_hexagons(shared_data, tmp_path):
    hexagons = shared_data / "porto_alegre" / "poa_hexgrid.csv"
    with hexagons.open(encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if int(row["healthcare"] or 0) > 0]
    table = tmp_path / "facilities.csv"
    lines = ["id,type,name,lon,lat"]
    lines += [f"{r['id']},health_centre,UBS {r['id']},{r['lon']},{r['lat']}" for r in rows]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = lifecircle(
        "build", "poa", "--osm", shared_data / "porto_alegre" / "poa_osm.pbf",
        "--population", hexagons, "--datum", "wgs84", "--facilities", table, workspace=tmp_path,
        apart=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = Workspace(tmp_path).open("poa")
    assert run.manifest.residents == 812_935
    assert list(run.city.units.code) == ["area"]
    answer = json.loads(
        lifecircle(
            "coverage", "poa", "--service", "health_centre", "--json", workspace=tmp_path
        ).stdout
    )
    assert answer["total"]["residents"] == 812_935
    assert 0.5 < answer["total"]["P"] < 1.0
    assert answer["total"]["L"] is None


def test_help_loads_nothing_heavy():
    code = """
import sys
sys.argv = ["lifecircle", "--help"]
from lifecircle.service.cli import main
assert main() == 0
heavy = {"numpy", "geopandas", "numba", "folium", "fastapi"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "build" in done.stdout


def test_check_names_faults_and_fails(tmp_path):
    table = tmp_path / "cells.csv"
    table.write_text("id,lon,lat,population\n1,102.7,25.0,-4\n", encoding="utf-8")
    done = lifecircle("check", table, "--datum", "wgs84", workspace=tmp_path)
    assert done.returncode == 2
    assert "row 2" in done.stdout
    assert "-4" in done.stdout


@pytest.fixture
def town(tmp_path) -> Path:
    """A drawn street of 6 km, written as a file."""
    return draw_file(tmp_path / "town.osm.pbf")


def councils(path: Path, **changes: object) -> Path:
    """Two squares around the drawn street with 100 residents each, spoilt by `changes`."""
    lon, lat = ORIGIN
    boxes = [
        shapely.box(lon + i * 0.03, lat - 0.01, lon + (i + 1) * 0.03, lat + 0.01) for i in (0, 1)
    ]
    frame = gpd.GeoDataFrame(
        {"code": ["A", "B"], "name": ["甲", "乙"], "population": [100.0, 100.0]},
        geometry=boxes,
        crs="EPSG:4326",
    )
    for column, values in changes.items():
        frame[column] = values
    frame.to_file(path, driver="GPKG")
    return path


def snapshot(workspace: Path) -> dict[str, bytes]:
    """Every file of the areas of a workspace."""
    return {
        str(file.relative_to(workspace)): file.read_bytes()
        for file in workspace.rglob("*")
        if file.is_file() and ".cache" not in file.parts
    }


def not_a_pbf(folder: Path) -> list[str | Path]:
    (folder / "bad.osm.pbf").write_bytes(b"hello, this is no map at all" * 40)
    return ["--osm", folder / "bad.osm.pbf", "--units", councils(folder / "u.gpkg")]


def empty_pbf(folder: Path) -> list[str | Path]:
    (folder / "bad.osm.pbf").write_bytes(b"")
    return ["--osm", folder / "bad.osm.pbf", "--units", councils(folder / "u.gpkg")]


def cut_pbf(folder: Path) -> list[str | Path]:
    whole = draw_file(folder / "whole.osm.pbf").read_bytes()
    (folder / "bad.osm.pbf").write_bytes(whole[: len(whole) // 2])
    return ["--osm", folder / "bad.osm.pbf", "--units", councils(folder / "u.gpkg")]


def missing(folder: Path) -> list[str | Path]:
    return ["--osm", folder / "gone.osm.pbf", "--units", folder / "gone.gpkg"]


def duplicate_codes(folder: Path) -> list[str | Path]:
    return ["--osm", draw_file(folder / "t.osm.pbf"),
            "--units", councils(folder / "u.gpkg", code=["A", "A"])]  # fmt: skip


def negative_population(folder: Path) -> list[str | Path]:
    return ["--osm", draw_file(folder / "t.osm.pbf"),
            "--units", councils(folder / "u.gpkg", population=[-5.0, 100.0])]  # fmt: skip


def no_crs(folder: Path) -> list[str | Path]:
    frame = gpd.read_file(councils(folder / "u.gpkg"))
    frame.set_crs(None, allow_override=True).to_file(folder / "nocrs.shp", encoding="utf-8")
    (folder / "nocrs.prj").unlink(missing_ok=True)
    return ["--osm", draw_file(folder / "t.osm.pbf"), "--units", folder / "nocrs.shp"]


def nan_population(folder: Path) -> list[str | Path]:
    lon, lat = ORIGIN
    rows = f"id,lon,lat,population\n1,{lon},{lat},12\n2,{lon},{lat},NaN\n3,{lon},{lat},-3\n"
    (folder / "cells.csv").write_text(rows, encoding="utf-8")
    return ["--osm", draw_file(folder / "t.osm.pbf"), "--population", folder / "cells.csv",
            "--datum", "wgs84"]  # fmt: skip


def no_streets(folder: Path) -> list[str | Path]:
    World({"a": (0.0, 0.0), "b": (500.0, 0.0)}, ()).write(folder / "bare.osm.pbf")
    return ["--osm", folder / "bare.osm.pbf", "--units", councils(folder / "u.gpkg")]


def elsewhere(folder: Path) -> list[str | Path]:
    frame = gpd.read_file(councils(folder / "u.gpkg"))
    frame.geometry = frame.translate(2.0, 0.0)
    frame.to_file(folder / "far.gpkg", driver="GPKG")
    return ["--osm", draw_file(folder / "t.osm.pbf"), "--units", folder / "far.gpkg"]


def nothing_to_calibrate(folder: Path) -> list[str | Path]:
    return ["--osm", draw_file(folder / "t.osm.pbf"), "--calibrate"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (not_a_pbf, "bad.osm.pbf"),
        (empty_pbf, "bad.osm.pbf"),
        (cut_pbf, "bad.osm.pbf"),
        (missing, "gone.gpkg"),
        (duplicate_codes, "A"),
        (negative_population, "-5"),
        (no_crs, "nocrs.shp"),
        (nan_population, "row 3"),
        (no_streets, "bare.osm.pbf"),
        (elsewhere, "--datum"),
        (nothing_to_calibrate, "--population"),
    ],
)
def test_bad_input_leaves_the_workspace_as_it_was(tmp_path, town, spoil, named):
    workspace = tmp_path / "ws"
    good = lifecircle(
        "build", "town", "--osm", town, "--units", councils(tmp_path / "good.gpkg"),
        workspace=workspace,
    )  # fmt: skip
    assert good.returncode == 0, good.stderr
    before = snapshot(workspace)
    for lang in ("en", "zh"):
        folder = tmp_path / f"bad-{lang}"
        folder.mkdir()
        done = lifecircle("build", "town", *spoil(folder), workspace=workspace, lang=lang)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert (named if lang == "en" else named.replace("row 3", "第 3 行")) in done.stderr
    assert snapshot(workspace) == before


@pytest.mark.parametrize("gone", ["osm", "units"])
def test_a_file_that_vanishes_midway(tmp_path, town, gone):
    workspace, units = tmp_path / "ws", councils(tmp_path / "good.gpkg")
    words = ("build", "town", "--osm", town, "--units", units)
    assert lifecircle(*words, workspace=workspace).returncode == 0
    before = snapshot(workspace)
    file = town if gone == "osm" else units
    room, reader = {  # after inputs were hashed
        "osm": ("lifecircle.analysis.readers.osm.extract", "list_rows"),
        "units": ("lifecircle.analysis.facts", "read_units"),
    }[gone]
    spoilt = f"""
import sys, pathlib
import {room} as room
reader = room.{reader}
def late(*given):
    pathlib.Path({str(file)!r}).unlink()
    return reader(*given)
room.{reader} = late
"""
    done = lifecircle(*words, workspace=workspace, first=spoilt)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert file.name in done.stderr
    assert snapshot(workspace) == before


def test_a_facility_outside_the_area_is_named(tmp_path, town):
    lon, lat = ORIGIN
    rows = f"id,type,name,lon,lat\n1,pharmacy,近,{lon},{lat}\n2,pharmacy,远,{lon + 1},{lat}\n"
    (tmp_path / "f.csv").write_text(rows, encoding="utf-8")
    done = lifecircle(
        "build", "town", "--osm", town, "--units", councils(tmp_path / "u.gpkg"),
        "--facilities", tmp_path / "f.csv", "--datum", "wgs84", workspace=tmp_path / "ws",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 facility lies farther than 250 m" in done.stdout


def test_unknown_area_is_a_clear_error(tmp_path):
    done = lifecircle("coverage", "nowhere", workspace=tmp_path)
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_map_and_export(malta, tmp_path):
    page, table = tmp_path / "gaps.html", tmp_path / "units.xlsx"
    assert lifecircle("map", "malta", "gaps", "--out", page, workspace=malta).returncode == 0
    assert lifecircle("export", "malta", "units", table, workspace=malta).returncode == 0
    assert "leaflet" in page.read_text(encoding="utf-8").lower()
    assert table.stat().st_size > 5_000


def test_all_names_the_rows_that_a_check_counts_only(tmp_path):
    path = tmp_path / "cells.csv"
    bad = "".join(f"c{i},102.7{i:04d},25.04123,x\n" for i in range(12))
    path.write_text("id,lon,lat,population\n" + bad, encoding="utf-8")
    asked = ("check", path, "--datum", "wgs84")
    short, every = (
        lifecircle(*asked, workspace=tmp_path),
        lifecircle(*asked, "--all", workspace=tmp_path),
    )
    assert "12 rows (2, 3, 4, 5, 6, 7, 8, 9, 10, 11 …)" in short.stdout
    assert "--all names every one" in short.stdout
    assert "12 rows (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)" in every.stdout
    assert "--all" not in every.stdout
    assert "taken for residents, by its columns" in every.stdout
    assert "say so with --kind" in every.stdout
    said = lifecircle(*asked, "--kind", "population", workspace=tmp_path)
    assert "--kind" not in said.stdout
