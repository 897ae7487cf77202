"""One table in every encoding and every system gives one result; wrong declarations are named."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.city.placement import find_misplaced
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.records.tables import FacilityTable
from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.office import (
    ENCODINGS,
    SHAPE_ENCODINGS,
    SYSTEMS,
    along,
    layer_frame,
    places,
    said,
    streets,
    table,
    write_csv,
    write_gpkg,
    write_shapefile,
    write_xlsx,
    written,
)

NEAR_M = 0.05


@pytest.fixture(scope="module")
def index() -> EdgeIndex:
    return EdgeIndex.build(streets(), 5_000.0)


def off_m(read: FacilityTable, truth: np.ndarray) -> float:
    x, y = read.frame.geometry.x.to_numpy(), read.frame.geometry.y.to_numpy()
    return float(np.max(Geod(ellps="WGS84").inv(x, y, truth[:, 0], truth[:, 1])[2]))


def attributes(read: FacilityTable) -> dict[str, list[object]]:
    names = ("name", "service", "ownership", "built_area", "beds")
    return {name: read.frame[name].tolist() for name in names}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> FacilityTable:
    path = tmp_path_factory.mktemp("plain") / "设施.csv"
    write_csv(path, table(places(), "wgs84"), "utf-8")
    return read_facilities(path, policy, said("wgs84"))


def test_the_plain_table_is_read_as_written(plain):
    assert off_m(plain, places()) < 1e-3
    assert plain.frame["name"].tolist()[:2] == ["翠湖第0站", "翠湖第1站"]
    assert plain.frame["ownership"].tolist()[:3] == ["government", "private", "government"]
    assert plain.frame["beds"].tolist()[:2] == [10.0, 11.0]
    assert plain.frame["built_area"].tolist()[:2] == [100.5, 101.5]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_csv(tmp_path: Path, policy, plain, system, encoding):
    path = write_csv(tmp_path / "设施.csv", table(places(), system), encoding)
    read = read_facilities(path, policy, said(system))
    assert off_m(read, places()) < NEAR_M
    assert attributes(read) == attributes(plain)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(("encoding", "label"), SHAPE_ENCODINGS)
def test_shapefile(tmp_path: Path, policy, plain, system, encoding, label):
    path = write_shapefile(tmp_path / "a.shp", layer_frame(places(), system), encoding, label)
    has_own = path.with_suffix(".prj").exists()
    assert has_own == (system not in ("gcj02", "bd09"))
    declared = Declarations() if has_own else said(system)
    read = read_facilities(path, policy, declared)
    assert off_m(read, places()) < NEAR_M
    assert attributes(read) == attributes(plain)


@pytest.mark.parametrize("system", SYSTEMS)
def test_workbook_and_geopackage(tmp_path: Path, policy, plain, system):
    book = write_xlsx(tmp_path / "a.xlsx", table(places(), system))
    layer = write_gpkg(tmp_path / "a.gpkg", layer_frame(places(), system), "设施")
    for path in (book, layer):
        bare = path is book or system in ("gcj02", "bd09")
        read = read_facilities(path, policy, said(system) if bare else Declarations())
        assert off_m(read, places()) < NEAR_M
        assert attributes(read) == attributes(plain)


def verdict(path: Path, declared: Declaration, policy: Policy, index: EdgeIndex) -> str:
    """What is said of a file under a declaration: fault keys, or ``-`` when nothing is."""
    try:
        read = read_facilities(path, policy, Declarations(declared))
    except InputError as error:
        return "error " + " ".join(dict.fromkeys(f.key for f in error.faults))
    found = find_misplaced(read.where, index)
    worst = "error " if any(f.severity == "error" for f in found) else "warning "
    named = " ".join(f"{f.key} {f.params.get('datum', '')}".strip() for f in found)
    return worst + named if found else "-"


DEGREES = ("wgs84", "gcj02", "bd09", "cgcs2000")


def expected(actual: str, declared: str) -> str:
    same = {"wgs84", "cgcs2000"}
    if actual == declared or {actual, declared} == same:
        return "-"
    if actual in DEGREES and declared in DEGREES:
        return "warning placed_datum " + ("wgs84" if actual == "cgcs2000" else actual)
    if actual in DEGREES:
        return "error input_degrees"
    if declared in DEGREES:
        return "error input_metres_" + ("zone" if actual == "EPSG:4522" else "plain")
    return "error input_zone_extra" if actual == "EPSG:4522" else "error input_zone_missing"


@pytest.mark.parametrize("actual", SYSTEMS)
def test_every_wrong_declaration_is_caught_or_warned(tmp_path, policy, index, actual):
    truth = along(index.network, 120)
    path = write_csv(tmp_path / "a.csv", table(truth, actual), "gb18030")
    said_of = {name: verdict(path, declared, policy, index) for name, declared in SYSTEMS.items()}
    assert said_of == {name: expected(actual, name) for name in SYSTEMS}


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (Declaration(crs="EPSG:4544"), "error placed_zone"),
        (Declaration(crs="EPSG:4508"), "error placed_zone"),
        (Declaration(crs="EPSG:4543", x_is_north=True), "error input_east_first"),
        (Declaration(crs="EPSG:3857"), "error placed_zone"),
        (Declaration(crs="EPSG:32648"), "error placed_zone"),
    ],
)
def test_wrong_zones_and_orders(tmp_path, policy, index, wrong, key):
    path = write_csv(tmp_path / "a.csv", table(along(index.network, 60), "EPSG:4543"), "utf-8")
    assert verdict(path, wrong, policy, index) == key


def test_the_mend_is_named(tmp_path, policy, index):
    path = write_csv(tmp_path / "a.csv", table(along(index.network, 60), "EPSG:4543"), "utf-8")
    read = read_facilities(path, policy, Declarations(Declaration(crs="EPSG:4544")))
    (fault,) = find_misplaced(read.where, index)
    assert "EPSG:4543" in fault.text("en")
    assert "102°E" in fault.text("zh")


@pytest.mark.parametrize("epsg", [4522, 4543, 4544, 4495, 4506, 4507, 3857])
@pytest.mark.parametrize("north", [False, True])
def test_every_grid_and_surveying_order(tmp_path, policy, epsg, north):
    system = f"EPSG:{epsg}"
    lines = table(places(), system)
    if north:
        lines = [lines[0], *[[*line[:-2], line[-1], line[-2]] for line in lines[1:]]]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    told = Declarations(Declaration(crs=system, x_is_north=north))
    assert off_m(read_facilities(path, policy, told), places()) < NEAR_M
    if epsg == 3857:  # two numbers of like size: only the study area tells (placed_order)
        return
    other = Declarations(Declaration(crs=system, x_is_north=not north))
    with pytest.raises(InputError) as caught:
        read_facilities(path, policy, other)
    assert caught.value.faults[0].key == ("input_north_first" if north else "input_east_first")


def test_titles_that_say_east_and_north_need_no_order(tmp_path, policy):
    lines = table(places(), "EPSG:4543")
    lines[0] = [*lines[0][:-2], "东坐标", "北坐标"]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    told = Declarations(Declaration(crs="EPSG:4543", x_is_north=True))
    assert off_m(read_facilities(path, policy, told), places()) < NEAR_M


def test_a_layer_that_hides_a_shift_is_warned_and_can_be_declared(tmp_path, policy, index):
    truth = along(index.network, 120)
    frame = layer_frame(truth, "gcj02").set_crs(4326)
    path = write_gpkg(tmp_path / "a.gpkg", frame, "设施")
    read = read_facilities(path, policy)
    (fault,) = find_misplaced(read.where, index)
    assert (fault.key, fault.params["datum"]) == ("placed_datum_layer", "gcj02")
    own = Declaration(datum="gcj02", of_this_file=True)
    mended = read_facilities(path, policy, Declarations(of_file={"a.gpkg": own}))
    assert off_m(mended, truth) < NEAR_M
    assert find_misplaced(mended.where, index) == ()
    assert "input_crs_overridden" in {w.key for w in mended.warnings}


def test_swapped_columns_abroad_are_found_by_the_area(tmp_path, policy, index):
    """Where both numbers could be either, only the study area tells."""
    lines = [["类型", "名称", "经度", "纬度"]]
    lines += [
        ["药店", f"店{k}", y, x] for k, (x, y) in enumerate(written(places(), "wgs84") - (90, 0))
    ]
    path = write_csv(tmp_path / "a.csv", lines, "utf-8")
    read = read_facilities(path, policy, said("wgs84"))
    (fault,) = find_misplaced(read.where, index)
    assert (fault.key, fault.severity) == ("placed_outside", "warning")


def borders(index: EdgeIndex) -> gpd.GeoDataFrame:
    """Units of three by three streets: their outlines run along streets."""
    faces = shapely.get_parts(shapely.polygonize(index.network.lines()))
    middle = shapely.get_coordinates(shapely.centroid(faces))
    cell = np.floor(middle / 700).astype(int)
    frame = gpd.GeoDataFrame({"块": [f"{a}/{b}" for a, b in cell]}, geometry=faces)
    units = frame.set_crs(index.network.crs).dissolve("块").reset_index()
    return units.rename(columns={"块": "名称"}).to_crs(4326)


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_borders_that_hide_a_shift(tmp_path, policy, index, datum):
    """Borders published for Gaode's maps say WGS84 and lie 365 m beside: streets tell."""
    frame = borders(index)
    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: from_wgs84(xy, datum))
    path = write_gpkg(tmp_path / "a.gpkg", frame.set_geometry(list(moved), crs=4326), "街道")
    found = find_misplaced(read_units([path], policy).where, index, outlines=True)
    named = [(f.key, f.params["datum"]) for f in found]
    assert named == ([] if datum == "wgs84" else [("placed_datum_layer", datum)])
