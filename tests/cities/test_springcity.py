"""Springcity: its files, its counts, its ground and its people."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.demo.springcity.names import name_stream
from lifecircle.analysis.demo.springcity.plan import largest_remainder
from lifecircle.analysis.demo.truth.write import write_springcity_with_truth
from lifecircle.analysis.errors import ParameterError, say
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.tables.population_and_facilities import (
    read_facilities,
    read_population,
)
from lifecircle.analysis.readers.tables.units import read_units
from tests.files.tables import said

SCALE = 0.1
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def files(springcity: SpringCityFiles) -> SpringCityFiles:
    return springcity


@pytest.fixture(scope="module")
def truth(springcity_truth: dict[str, Any]) -> dict[str, Any]:
    return springcity_truth


@pytest.fixture(scope="module")
def cells(files: SpringCityFiles) -> gpd.GeoDataFrame:
    return gpd.read_file(files.population).set_index("id")


@pytest.fixture(scope="module")
def units(files: SpringCityFiles) -> dict[str, gpd.GeoDataFrame]:
    frames = {path.stem.removeprefix("units_"): gpd.read_file(path) for path in files.units}
    return {level: frame.set_index("code") for level, frame in frames.items()}


@pytest.fixture(scope="module")
def ways(files: SpringCityFiles) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    return [
        (dict(way.tags), [(node.lon, node.lat) for node in way.nodes])
        for way in osmium.FileProcessor(str(files.osm)).with_locations("flex_mem")
        if way.type_str() == "w" and "highway" in way.tags
    ]


def _all_paths(files: SpringCityFiles) -> list[Path]:
    paths: list[Path] = []
    for field in fields(files):
        value = getattr(files, field.name)
        if isinstance(value, Path):
            paths.append(value)
        elif field.name == "units":
            paths.extend(value)
        elif isinstance(value, SpringCityFiles):
            paths.extend(_all_paths(value))
    return paths


def _centroids(cells: gpd.GeoDataFrame) -> np.ndarray:
    return cells.to_crs("EPSG:4543").geometry.centroid.to_numpy()


def _sums_by_unit(cells: gpd.GeoDataFrame, unit: gpd.GeoDataFrame, column: str) -> np.ndarray:
    outlines = unit.to_crs("EPSG:4543").geometry.to_numpy()
    where, which = shapely.STRtree(outlines).query(_centroids(cells), predicate="within")
    assert len(np.unique(where)) == len(where)  # nobody in two units of one level
    sums = np.zeros(len(unit), dtype=np.int64)
    np.add.at(sums, which, cells[column].to_numpy()[where])
    return sums


def test_same_seed_same_bytes_and_progress_in_words(files: SpringCityFiles, tmp_path: Path) -> None:
    start = time.process_time()
    told: list[tuple[str, float]] = []
    again = write_springcity_with_truth(
        tmp_path, scale=SCALE, progress=lambda key, share: told.append((key, share))
    )
    assert time.process_time() - start < 20.0
    assert files.before is not None
    assert files.before.population in _all_paths(files)
    for one, other in zip(_all_paths(files), _all_paths(again), strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes(), one.name
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all("合成数据" in say(key, "zh") for key, _ in told)


def test_another_seed_is_another_city_with_everything_planted(
    files: SpringCityFiles, truth: dict[str, Any], springcity_other_seed: SpringCityFiles
) -> None:
    other = springcity_other_seed
    told = json.loads(other.truth.read_text(encoding="utf-8"))
    assert other.osm.read_bytes() != files.osm.read_bytes()
    assert told["residents"] == truth["residents"] == 1_000_000
    assert told["unit_count"].keys() == truth["unit_count"].keys()
    assert told["unsnapped"]["residents"] > 0
    assert told["cut_off"]["residents"] > 0
    assert [row["state"] for row in told["rule"]] == [row["state"] for row in truth["rule"]]


def test_counts_are_as_designed(truth: dict[str, Any], units: dict[str, gpd.GeoDataFrame]) -> None:
    count = truth["unit_count"]
    assert count["district"] == 1
    assert count["subdistrict"] >= 17
    assert count["township"] == 3
    assert count["community"] >= 150
    assert count["village"] == 25
    assert count["natural_village"] >= 50
    assert count["estate"] >= 100
    assert (count["new_estate"], count["resettlement"], count["central_town"]) == (6, 1, 2)
    assert {level: len(frame) for level, frame in units.items()} == count
    households = units["natural_village"]["households"]
    assert (households == 100).sum() == 1
    assert (households > 100).any()
    assert (households < 100).any()


@pytest.mark.parametrize("column", ["population", "pop_0_3", "pop_65", "households"])
def test_unit_totals_are_sums_of_cells_to_the_person(
    cells: gpd.GeoDataFrame, units: dict[str, gpd.GeoDataFrame], column: str
) -> None:
    for level, frame in units.items():
        sums = _sums_by_unit(cells, frame, column)
        np.testing.assert_array_equal(sums, frame[column].to_numpy(), err_msg=level)
    urban_and_rural = units["subdistrict"][column].sum() + units["township"][column].sum()
    assert urban_and_rural == units["district"][column].sum() == cells[column].sum()
    assert units["community"][column].sum() == units["subdistrict"][column].sum()
    assert units["village"][column].sum() == units["township"][column].sum()


def test_residents_groups_and_households(
    cells: gpd.GeoDataFrame, truth: dict[str, Any], units: dict[str, gpd.GeoDataFrame]
) -> None:
    assert cells["population"].sum() == truth["residents"] == 1_000_000
    assert len(cells) == truth["cells"]
    assert (cells["population"] > 0).all()
    assert (cells["pop_0_3"] + cells["pop_65"] <= cells["population"]).all()
    assert (cells["households"] <= cells["population"]).all()
    for level, frame in units.items():
        assert frame["population"].to_dict() == truth["unit_residents"][level]
        assert (frame["population"] > 0).all(), level


def test_outlines_are_valid_and_do_not_overlap(units: dict[str, gpd.GeoDataFrame]) -> None:
    for level, frame in units.items():
        shapes = frame.to_crs("EPSG:4543").geometry.to_numpy()
        assert shapely.is_valid(shapes).all(), level
        assert not shapely.is_empty(shapes).any()
        one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pair = one < other
        shared = shapely.area(shapely.intersection(shapes[one[pair]], shapes[other[pair]]))
        assert shared.max(initial=0.0) < 1.0, level  # square metres


def test_parents_exist_and_hold_their_children(units: dict[str, gpd.GeoDataFrame]) -> None:
    every = {code for frame in units.values() for code in frame.index}
    assert len(every) == sum(len(frame) for frame in units.values())  # codes are unique
    for child, parent in (("community", "subdistrict"), ("village", "township")):
        inside = units[child].to_crs("EPSG:4543").geometry.representative_point()
        outer = units[parent].to_crs("EPSG:4543").geometry
        for point, code in zip(inside, units[child]["parent_code"], strict=True):
            assert outer[code].contains(point)
    assert set(units["natural_village"]["parent_code"]) == set(units["village"].index)


def test_everything_says_it_is_synthetic(
    files: SpringCityFiles,
    cells: gpd.GeoDataFrame,
    units: dict[str, gpd.GeoDataFrame],
    ways: list[tuple[dict[str, str], list[tuple[float, float]]]],
    truth: dict[str, Any],
) -> None:
    assert truth["synthetic"] is True
    assert (cells["source"] == "合成数据").all()
    assert all((frame["source"] == "合成数据").all() for frame in units.values())
    assert all(tags["source"] == "synthetic" for tags, _ in ways)
    for table in (files.facilities, files.statistics):
        with table.open(encoding="utf-8", newline="") as handle:
            assert {row["source"] for row in csv.DictReader(handle)} == {"合成数据"}
    assert "合成数据" in units["district"]["name"].iloc[0]


def test_readers_take_the_files_without_a_remark(files: SpringCityFiles) -> None:
    policy = load_policy()
    people = read_population(files.population)
    assert people.warnings == ()
    assert people.frame["residents"].sum() == 1_000_000
    table = read_units(files.units, policy)
    assert table.warnings == ()
    assert set(table.frame["level"]) <= set(policy.unit_levels)
    assert set(table.frame["unit_class"]) == {"urban", "rural"}
    facilities = read_facilities(files.facilities, policy, said("wgs84"))
    assert facilities.warnings == ()
    assert set(facilities.frame["service"]) <= set(policy.services)


def test_streets_of_every_sort(
    files: SpringCityFiles, ways: list[tuple[dict[str, str], list[tuple[float, float]]]]
) -> None:
    kinds = {tags["highway"] for tags, _ in ways}
    assert kinds >= {
        "primary", "secondary", "tertiary", "residential", "service", "footway", "path", "steps",
        "pedestrian", "living_street", "motorway", "trunk", "construction",
    }  # fmt: skip
    assert any(tags.get("foot") == "no" for tags, _ in ways)
    assert any(tags.get("access") == "private" for tags, _ in ways)
    areas = [places for tags, places in ways if tags.get("area") == "yes"]
    assert len(areas) == 1
    assert areas[0][0] == areas[0][-1]
    assert any(tags.get("bridge") == "yes" for tags, _ in ways if tags["highway"] == "primary")
    assert any("name:en" in tags and "name" in tags for tags, _ in ways)
    streets = read_streets(files.osm, load_policy().walk)
    assert len(streets.way_id) > 1_000


def test_osm_objects_come_in_order(files: SpringCityFiles) -> None:
    order = {"n": 0, "w": 1, "r": 2}
    seen = [(order[thing.type_str()], thing.id) for thing in osmium.FileProcessor(str(files.osm))]
    assert seen == sorted(set(seen))
    assert {kind for kind, _ in seen} == {0, 1, 2}


def test_river_and_railway_are_crossed_only_at_bridges(
    files: SpringCityFiles, ways: list[tuple[dict[str, str], list[tuple[float, float]]]]
) -> None:
    barriers = []
    for way in osmium.FileProcessor(str(files.osm)).with_locations("flex_mem"):
        tags = way.tags
        if way.type_str() == "w" and ("waterway" in tags or "railway" in tags):
            barriers.append(shapely.LineString([(n.lon, n.lat) for n in way.nodes]))
    assert len(barriers) == 2
    walkable = load_policy().walk.walkable
    crossings = {
        tags.get("bridge")
        for tags, places in ways
        if walkable(tags)
        for barrier in barriers
        if barrier.intersects(shapely.LineString(places))
    }
    assert crossings == {"yes"}


def test_nobody_is_in_doubt_about_the_attachment(
    files: SpringCityFiles,
    truth: dict[str, Any],
    cells: gpd.GeoDataFrame,
    ways: list[tuple[dict[str, str], list[tuple[float, float]]]],
) -> None:
    """The hamlet lies beyond 250 m of every way, all other cells well within it."""
    policy = load_policy()
    lines = [shapely.LineString(p) for tags, p in ways if policy.walk.walkable(tags)]
    metric = gpd.GeoSeries(lines, crs="EPSG:4326").to_crs("EPSG:4543").to_numpy()
    points = _centroids(cells)
    tree = shapely.STRtree(metric)
    (who, _), away = tree.query_nearest(points, return_distance=True, all_matches=False)
    far = np.full(len(points), np.inf)
    far[who] = away
    lonely = cells.index.isin(truth["unsnapped"]["cells"])
    limit = policy.attachment.max_leg_m.value
    assert far[lonely].min() > limit + 20
    assert far[~lonely].max() < limit - 20


def test_the_island_is_large_and_joined_to_nothing(
    truth: dict[str, Any],
    cells: gpd.GeoDataFrame,
    ways: list[tuple[dict[str, str], list[tuple[float, float]]]],
) -> None:
    policy = load_policy()
    west, south, east, north = cells.loc[truth["cut_off"]["cells"]].total_bounds
    nodes: set[tuple[float, float]] = set()
    length = 0.0
    outside: set[tuple[float, float]] = set()
    for tags, places in ways:
        if not policy.walk.walkable(tags):
            continue
        lon, lat = zip(*places, strict=True)
        here = west - 0.005 < lon[0] < east + 0.005 and south - 0.005 < lat[0] < north + 0.005
        (nodes if here else outside).update(places)
        length += GEOD.line_length(lon, lat) if here else 0.0
    assert length > policy.attachment.min_component_m.value
    assert not nodes & outside


def test_opening_hours_and_statistics(files: SpringCityFiles) -> None:
    with files.facilities.open(encoding="utf-8", newline="") as handle:
        hours = {row["opening_hours"] for row in csv.DictReader(handle)}
    assert {"24小时", "每天08:00-20:00", ""} <= hours
    with files.statistics.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["unit_code", "attribute", "value", "year", "source"]
    assert {row["year"] for row in rows} == {"2020", "2025"}


def test_elevation_is_flat_in_town_and_high_in_the_hills(files: SpringCityFiles) -> None:
    rasterio = pytest.importorskip("rasterio")
    assert files.elevation is not None
    with rasterio.open(files.elevation) as raster:
        heights = raster.read(1)
        assert raster.crs.to_epsg() == 4326
    assert 1_880 < heights.min() < 1_900
    assert heights.max() > 2_100


@pytest.mark.parametrize("scale", [0.0, 0.09, 11.0, float("nan")])
def test_impossible_scale_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(ParameterError, match="outside"):
        write_springcity_with_truth(tmp_path, scale=scale)


def test_largest_remainder_by_hand() -> None:
    # 7 persons over 1:1:1 -> 2.33 each -> 2, 2, 2 and one more for the first
    assert largest_remainder(7, np.ones(3)).tolist() == [3, 2, 2]
    assert largest_remainder(10, np.array([1.0, 2.0, 6.0])).tolist() == [1, 2, 7]


def test_names_never_repeat() -> None:
    names = list(name_stream(np.random.default_rng(1)))
    assert len(names) == len({zh for zh, _ in names}) > 3_000
