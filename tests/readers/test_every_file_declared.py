"""What is said of files holds for every file of a build: datum, CRS, order, sheet, layer, mapping.

Each kind of file is written in a shifted datum or on a grid, read with what a user would say, and
held against the true places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.facts import read_facts
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import SILENT, Declaration, Declarations
from lifecircle.analysis.readers.records.mapping_file import read_declarations
from lifecircle.analysis.readers.tables.candidate_sites import read_sites
from lifecircle.analysis.readers.tables.closures import read_closures
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.office import CENTRE, SYSTEMS, said, write_layer, write_xlsx, written
from tests.files.tables import faults
from tests.worlds.drawn import draw

POLICY = load_policy()
NEAR_M = 0.05
TRUE = np.array(CENTRE) + np.array([[0, 0], [0.004, 0], [0.004, 0.003], [0, 0.003]])

Read = Callable[[Path, Declarations], Located]
READERS: dict[str, Read] = {
    "population": lambda path, said: read_population(path, said).where,
    "facilities": lambda path, said: read_facilities(path, POLICY, said).where,
    "units": lambda path, said: read_units([path], POLICY, said).where,
    "closures": lambda path, said: read_closures(path, said).where,
    "sites": lambda path, said: read_sites(path, said).where,
}
COLUMNS = {
    "population": {"id": "c1", "population": "7"},
    "facilities": {"name": "翠湖站", "type": "药店"},
    "units": {"name": "翠湖社区", "code": "530102001001"},
    "closures": {},
    "sites": {"id": "s1", "name": "空地"},
}


def square(system: str, *, north_first: bool = False) -> shapely.Polygon:
    """The square of `TRUE` as a file of that system writes it."""
    xy = written(TRUE, system)
    return shapely.Polygon(xy[:, ::-1] if north_first else xy)


def write_table(folder: Path, kind: str, system: str) -> Path:
    """A table of one row whose shape stands as WKT."""
    columns = {**COLUMNS[kind], "wkt": f'"{square(system).wkt}"'}
    path = folder / f"{kind}.csv"
    path.write_text(",".join(columns) + "\n" + ",".join(columns.values()) + "\n", encoding="utf-8")
    return path


def write_bare_layer(folder: Path, kind: str, system: str, *, north_first: bool = False) -> Path:
    """A shapefile of one row that says nothing of its coordinates."""
    frame = gpd.GeoDataFrame(
        [{**COLUMNS[kind], "n": 1}], geometry=[square(system, north_first=north_first)]
    )
    return write_layer(folder / f"{kind}.shp", frame, "UTF-8")


def off_m(where: Located) -> float:
    """How far the corners read lie from the true ones at most."""
    xy = shapely.get_coordinates(where.in_degrees()[0])
    lon, lat = (np.repeat(xy[:, [k]], 4, axis=1) for k in (0, 1))
    true = np.broadcast_to(TRUE, (len(xy), 4, 2))
    apart = np.asarray(Geod(ellps="WGS84").inv(lon, lat, true[..., 0], true[..., 1])[2])
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", READERS)
def test_a_table_of_every_kind_in_every_system(tmp_path: Path, kind: str, system: str):
    path = write_table(tmp_path, kind, system)
    assert off_m(READERS[kind](path, said(system))) < NEAR_M


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", READERS)
def test_a_layer_without_its_own_system(tmp_path: Path, kind: str, system: str):
    path = write_bare_layer(tmp_path, kind, system)
    assert off_m(READERS[kind](path, said(system))) < NEAR_M


@pytest.mark.parametrize("kind", READERS)
def test_an_undeclared_layer_is_refused_and_a_shift_left_in_is_seen(tmp_path: Path, kind: str):
    path = write_bare_layer(tmp_path, kind, "gcj02")
    keys = {fault.key for fault in faults(lambda: READERS[kind](path, SILENT))}
    assert keys & {"input_layer_crs_missing", "input_datum_missing"}
    assert 300 < off_m(READERS[kind](path, said("wgs84"))) < 700


@pytest.mark.parametrize("kind", READERS)
def test_northing_first(tmp_path: Path, kind: str):
    path = write_bare_layer(tmp_path, kind, "EPSG:4543", north_first=True)
    told = Declarations(Declaration(crs="EPSG:4543", x_is_north=True))
    assert off_m(READERS[kind](path, told)) < NEAR_M


@pytest.mark.parametrize("kind", READERS)
def test_the_mapping_file_speaks_of_one_file_by_its_name(tmp_path: Path, kind: str):
    """What it says of this file goes before what the command line says of all."""
    path = write_table(tmp_path, kind, "gcj02")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        f'[files."{path.name}"]\ndatum = "gcj02"\n[files."{path.name}".columns]\nwkt = "范围线"\n',
        encoding="utf-8",
    )
    path.write_text(path.read_text(encoding="utf-8").replace("wkt", "范围线"), encoding="utf-8")
    told = read_declarations(Declaration(datum="wgs84"), mapping, [path])
    assert off_m(READERS[kind](path, told)) < NEAR_M


@pytest.mark.parametrize("kind", ["closures", "sites"])
def test_the_layer_asked_for_is_read(tmp_path: Path, kind: str):
    path = tmp_path / "both.gpkg"
    for name, shift in (("old", 0.01), ("new", 0.0)):
        shape = shapely.Polygon(TRUE + shift)
        gpd.GeoDataFrame({"name": [name]}, geometry=[shape], crs=4326).to_file(path, layer=name)
    assert off_m(READERS[kind](path, Declarations(Declaration(layer="new")))) < NEAR_M
    assert off_m(READERS[kind](path, Declarations(Declaration(layer="old")))) > 500
    with pytest.raises(InputError):
        READERS[kind](path, Declarations(Declaration(layer="newer")))


@pytest.mark.parametrize("kind", ["closures", "sites"])
def test_the_sheet_asked_for_is_read(tmp_path: Path, kind: str):
    path = write_xlsx(
        tmp_path / "book.xlsx",
        [["wkt"], [shapely.Polygon(written(TRUE, "bd09")).wkt]],
        sheet="2024",
    )
    told = Declaration(datum="bd09", sheet="2024")
    assert off_m(READERS[kind](path, Declarations(told))) < NEAR_M
    with pytest.raises(InputError):
        READERS[kind](path, Declarations(replace(told, sheet="2023")))


def test_one_declaration_reaches_all_files_of_a_build(tmp_path: Path):
    """A build of files on one grid, with one --crs; figures and decisions by their mapping."""
    system = "EPSG:4522"
    paths = {kind: write_table(tmp_path, kind, system) for kind in READERS if kind != "sites"}
    book = write_xlsx(
        tmp_path / "figures.xlsx",
        [["社区", "指标", "数"], ["翠湖社区", "households", 3]],
        sheet="汇总",
    )
    decided = write_xlsx(
        tmp_path / "merges.xlsx", [["处理", "保留", "另一"], ["分开", "F1", "F2"]], sheet="意见"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[files."figures.xlsx"]\nsheet = "汇总"\n[files."figures.xlsx".columns]\n'
        'unit_name = "社区"\nattribute = "指标"\nvalue = "数"\n'
        '[files."merges.xlsx"]\nsheet = "意见"\n',
        encoding="utf-8",
    )
    request = BuildRequest(
        area="a",
        osm=draw({"a": (0, 0), "b": (400, 0)}, "a b").write(tmp_path / "town.osm.pbf"),
        population=paths["population"],
        units=(paths["units"],),
        facilities=(paths["facilities"],),
        closures=(paths["closures"],),
        statistics=(book,),
        merges=decided,
        crs=system,
        mapping=mapping,
    )
    facts = read_facts(request, POLICY, Clock(None))
    assert facts.population is not None
    assert facts.units is not None
    tables = (facts.population, facts.units, *facts.facilities, *facts.closures)
    assert len(tables) == 4
    assert [off_m(table.where) < NEAR_M for table in tables] == [True] * 4
    assert facts.statistics[0].value.tolist() == [3.0]
    assert facts.merges is not None
    assert facts.merges.keep_apart == (("F1", "F2"),)
