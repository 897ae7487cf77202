"""Springcity's truth table: planted gaps, exact walks, the rule, against files and kernels."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms
from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities
from tests.files.tables import said

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


def _centroids(cells: gpd.GeoDataFrame) -> np.ndarray:
    return cells.to_crs("EPSG:4543").geometry.centroid.to_numpy()


def test_planted_residents_by_reason(truth: dict[str, Any], cells: gpd.GeoDataFrame) -> None:
    for planted in (truth["unsnapped"], truth["cut_off"]):
        assert planted["residents"] == cells.loc[planted["cells"], "population"].sum() > 0
    reasons = {gap["reason"]: gap for gap in truth["gaps"]}
    assert set(reasons) == {"too_far", "cut_off", "unsnapped", "no_facility", "over_capacity"}
    full = reasons["over_capacity"]
    crowd = int(cells.loc[full["cells"], "population"].sum())
    assert full["residents"] == crowd - full["capacity"] > 100
    assert reasons["too_far"]["metres_at_least"] > 1_500
    assert reasons["no_facility"]["service"] in truth["surveyed"]
    assert truth["facilities"]["burial_facility"] == 0
    together = reasons["no_facility"]["residents"] + reasons["unsnapped"]["residents"]
    assert together == truth["residents"]


def test_pier_walks_are_right_to_the_centimetre(
    files: SpringCityFiles, truth: dict[str, Any], cells: gpd.GeoDataFrame
) -> None:
    """By hand: 300, 980, 1800, 2350 m along the pier, the pharmacy at 1000 m, 15 m aside."""
    by_hand = [45 + 700 + 15, 40 + 20 + 15, 60 + 800 + 15, 60 + 1350 + 15]
    walks = truth["walks"]
    assert [walk["metres"] for walk in walks] == pytest.approx(by_hand, abs=0.05)
    with files.facilities.open(encoding="utf-8", newline="") as handle:
        shop = next(row for row in csv.DictReader(handle) if row["name"] == walks[0]["facility"])
    assert shop["type"] == "pharmacy"
    lon, lat = float(shop["lon"]), float(shop["lat"])
    for walk in walks:
        middle = cells.geometry[walk["cell"]].centroid
        straight = GEOD.inv(middle.x, middle.y, lon, lat)[2]
        assert straight < walk["metres"] < straight + 80
    with files.truth_cells.open(encoding="utf-8", newline="") as handle:
        told = {row["cell"]: row["pharmacy_m"] for row in csv.DictReader(handle)}
    for walk in walks:
        assert float(told[walk["cell"]]) == pytest.approx(walk["metres"], abs=0.02)


def test_walks_of_cells_are_no_shorter_than_a_bird_flies(
    files: SpringCityFiles, truth: dict[str, Any], cells: gpd.GeoDataFrame
) -> None:
    with files.truth_cells.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["cell"] for row in rows] == list(cells.index)
    assert sum(int(row["residents"]) for row in rows) == truth["residents"]
    unreached = {row["cell"] for row in rows if row["health_centre_m"] == ""}
    assert unreached == set(truth["unsnapped"]["cells"]) | set(truth["cut_off"]["cells"])
    facilities = read_facilities(files.facilities, load_policy(), said("wgs84")).frame
    centres = facilities[facilities["service"] == "health_centre"].to_crs("EPSG:4543")
    tree = shapely.STRtree(centres.geometry.to_numpy())
    _, away = tree.query_nearest(_centroids(cells), return_distance=True, all_matches=False)
    walk = np.array([float(row["health_centre_m"] or "inf") for row in rows])
    assert (walk > away - 1.0).all()


def test_kernels_agree_with_springcitys_own_measure(
    files: SpringCityFiles, truth: dict[str, Any], cells: gpd.GeoDataFrame
) -> None:
    """Health centres: attachment, network and kernels against one plain Dijkstra over all nodes."""
    policy = load_policy()
    rules = policy.attachment
    network = build_network(read_streets(files.osm, policy.walk, way_forms(policy)))
    index = EdgeIndex.by(network, rules)
    position = index.snap(shapely.get_coordinates(_centroids(cells)), rules.max_leg_m.value)
    lonely = cells.index.isin(truth["unsnapped"]["cells"])
    np.testing.assert_array_equal(~position.snapped, lonely)
    table = read_facilities(files.facilities, policy, said("wgs84")).frame.to_crs(network.crs)
    centres = table.geometry[table["service"] == "health_centre"].to_numpy()
    costs = flat_costs(network)
    goals = goals_of(
        costs,
        attach_facilities(centres, np.zeros(len(centres), bool), index, rules.max_leg_m.value),
    )
    found = nearest_from_positions(costs, goals, nearest_from_nodes(costs, goals), position)
    with files.truth_cells.open(encoding="utf-8", newline="") as handle:
        told = np.array([float(r["health_centre_m"] or "nan") for r in csv.DictReader(handle)])
    metres = np.where(lonely | (found.cm == UNREACHED_CM), np.nan, found.cm / 100)
    np.testing.assert_allclose(metres, told, rtol=0.0, atol=0.3)


def test_the_rule_is_planted_in_all_its_states(truth: dict[str, Any]) -> None:
    by_role: dict[str, list[dict[str, Any]]] = {}
    for row in truth["rule"]:
        by_role.setdefault(row["role"], []).append(row)
    assert {row["state"] for row in truth["rule"]} == {
        "达标", "达标但超载", "缺口", "富余", "NOT_ASSESSED",
    }  # fmt: skip
    (overloaded,), (gap,), (surplus,) = by_role["overloaded"], by_role["gap"], by_role["surplus"]
    assert overloaded["residents"] > 100_000
    assert overloaded["government"] == 1
    assert (gap["government"], gap["unknown"], gap["private"]) == (0, 0, 0)
    assert surplus["government"] > max(1, surplus["residents"] // 30_000)
    # whoever takes in the street without a centre has one centre and then too many people
    plain = [
        residents
        for code, residents in truth["unit_residents"]["subdistrict"].items()
        if code not in {row["unit_code"] for row in truth["rule"]}
    ]
    (joined,) = by_role["joined"]
    assert min(plain) + gap["residents"] > 100_000
    assert max(plain) + joined["residents"] <= 100_000
    assert by_role["unknown_ownership"][0]["unknown"] == 1
    assert all(row["private"] == 1 for row in by_role["private_too"])


def test_overloaded_and_underused_centres(files: SpringCityFiles, truth: dict[str, Any]) -> None:
    centres = {centre["role"]: centre for centre in truth["health_centres"]}
    assert centres["overloaded"]["nearest_to"] > 105_000
    assert centres["small"]["nearest_to"] < 25_000
    assert centres["overloaded"]["overload"] == centres["overloaded"]["nearest_to"] - 100_000
    assert centres["small"]["underload"] == 30_000 - centres["small"]["nearest_to"]
    states = {centre["state"] for centre in truth["health_centres"]}
    assert states == {"within", "overload", "underload"}
    total = sum(centre["nearest_to"] for centre in truth["health_centres"])
    aside = truth["cut_off"]["residents"] + truth["unsnapped"]["residents"]
    assert total == truth["residents"] - aside
    with files.facilities.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["type"] == "health_centre"]
    assert len(rows) == truth["facilities"]["health_centre"] == len(truth["health_centres"])
    assert {row["ownership"] for row in rows} == {"政府举办", "民办", ""}
    assert sum(row["level"] == "乡镇卫生院" for row in rows) == 3


def test_every_service_of_the_policy_has_facilities_or_is_surveyed(
    files: SpringCityFiles, truth: dict[str, Any]
) -> None:
    for service in load_policy().services:
        assert truth["facilities"].get(service, 0) > 0 or service in files.surveyed, service
    assert list(files.surveyed) == truth["surveyed"]


def test_facilities_in_both_files_add_up_to_the_truth(
    files: SpringCityFiles, truth: dict[str, Any]
) -> None:
    """By the policy's tag rules and the table's types; six markets stand in both files."""
    services = load_policy().services.values()
    count: Counter[str] = Counter({"market": -6})
    for thing in osmium.FileProcessor(str(files.osm)):
        tags = dict(thing.tags)
        count.update(s.id for s in services if tags and any(r.matches(tags) for r in s.osm))
    with files.facilities.open(encoding="utf-8", newline="") as handle:
        count.update(row["type"] for row in csv.DictReader(handle))
    assert {service: n for service, n in truth["facilities"].items() if n} == dict(count)
