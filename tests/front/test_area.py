"""An area in Python: frames with CRS and index, and the same figures as HTTP."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely

import lifecircle as lc
from lifecircle.analysis.errors import InputError, PolicyError, UnknownNameError, WorkspaceError
from lifecircle.analysis.measures.question import Question
from lifecircle.service.catalog import coverage_document, gaps_document
from lifecircle.town import tiny_inputs


@pytest.fixture(scope="module")
def town() -> lc.Area:
    return lc.tiny_town()


def test_coverage_is_a_frame_with_crs_and_unit_index(town: lc.Area) -> None:
    found = town.coverage("health_centre")
    assert isinstance(found, gpd.GeoDataFrame)
    assert (found.crs.to_epsg(), found.index.name, list(found.index)) == (4326, "code", ["E", "W"])
    # h1 stands at column 2; a column is 252 m, both legs together 55 m: columns 0-5 lie within
    assert found["covered"].tolist() == [200, 400]
    assert found["P"].tolist() == [0.4, 1.0]
    assert found["L"].isna().all()
    assert found["L"].dtype == np.float64
    document = coverage_document(town.run, Question("health_centre"), lang="en")
    assert found.attrs["total"]["health_centre"] == document["total"]
    metres = found.to_crs(town.crs).area
    assert metres["W"] == pytest.approx(4 * 252 * 9 * 277, rel=0.01)


def test_coverage_of_all_services_has_a_block_each(town: lc.Area) -> None:
    found = town.coverage()
    assert set(found["service"]) == set(town.policy.services)
    assert len(found) == 2 * len(town.policy.services)


@pytest.mark.parametrize("service", [None, "health_centre"])
def test_gaps_are_those_of_http(town: lc.Area, service: str | None) -> None:
    found = town.gaps(service)
    told = gaps_document(town.run, Question(service), lang="en")["features"]
    assert found.index.tolist() == [one["id"] for one in told]
    assert len(found) > 0
    for (_, row), one in zip(found.iterrows(), told, strict=True):
        said = one["properties"]
        mine = row.drop("geometry").to_dict()
        assert list(mine) == list(said)
        for name, value in said.items():
            assert (pd.isna(mine[name]) and value is None) or mine[name] == value
        shape = shapely.from_geojson(orjson.dumps(one["geometry"]))
        assert shapely.hausdorff_distance(shape, row.geometry) < 1e-6


def test_layers_maps_and_isochrones(town: lc.Area) -> None:
    assert town.layer("gaps").index.name == "id"
    assert len(town.layer("facilities")) == 4
    page = town.map("coverage", "health_centre").page()
    assert "Tiny Town" in page
    rings = town.isochrone(102.705, 25.05, [5, 10])
    assert rings.index.tolist() == [10.0, 5.0]
    assert rings.geometry[10.0].buffer(1e-7).contains(rings.geometry[5.0])
    assert town.isochrone(110.0, 30.0, [5]).empty


def test_what_if_a_second_centre_opens(town: lc.Area) -> None:
    found = town.what_if(add=[("health_centre", 102.70 + 7 * 0.0025, 25.05)])
    assert found["covered_before"].tolist() == [200, 400]
    assert found["covered_after"].tolist() == [500, 400]
    assert found.attrs["total"]["health_centre"]["gained"] == 300
    closed = town.what_if(remove=["h1"])
    assert closed.attrs["total"]["health_centre"]["lost"] == 600


def test_another_walker_needs_no_build(town: lc.Area) -> None:
    slow = town.with_walker("cane", metres_per_second=0.5, source="our survey")
    # 15 minutes are 450 m: only columns 1-3 (55 m, 307 m)
    assert slow.coverage("health_centre", walker="cane")["covered"].tolist() == [0, 300]
    with pytest.raises(UnknownNameError):
        town.coverage("health_centre", walker="cane")
    with pytest.raises(PolicyError, match="walkers"):
        town.with_walker("cane", metres_per_second=0, source="our survey")


def test_a_service_of_ones_own_from_frames(tmp_path: Path) -> None:
    policy = lc.with_service(lc.load_policy(), "charging", minutes=10, source="our survey")
    given = tiny_inputs()
    given["facilities"].loc[0, "type"] = "charging"
    mine = lc.build("mine", **given, policy=policy, workspace=str(tmp_path))
    assert "charging" in mine.services
    assert mine.coverage("charging")["covered"].tolist() == [
        100,
        400,
    ]  # 10 minutes, 667 m: columns 0-4
    again = lc.open(tmp_path)["mine"]
    assert again.policy.services["charging"].minutes.value == 10
    assert again.policy.digest == policy.digest != lc.load_policy().digest


def test_a_service_that_cannot_be_added_is_told_why() -> None:
    with pytest.raises(PolicyError, match=r"services.x.minutes"):
        lc.with_service(lc.load_policy(), "x", minutes=-1, source="me")
    with pytest.raises(PolicyError, match="pharmacy"):
        lc.with_service(lc.load_policy(), "x", minutes=5, source="me", more={"aliases": ["药店"]})


def test_faults_of_frames_are_told_as_those_of_files(tmp_path: Path) -> None:
    given = tiny_inputs()
    given["population"]["population"] = [-1] + [100] * 8
    with pytest.raises(InputError, match=r"population\.gpkg, row 1"):
        lc.build("mine", **given, workspace=tmp_path)
    assert lc.Workspace(tmp_path).areas() == []


def test_a_workspace_is_a_mapping_and_takes_texts(town: lc.Area) -> None:
    folder = town.run.path.parents[2]
    found = lc.open(str(folder))
    assert "tiny" in found
    assert found["tiny"].residents == 900
    assert "Tiny Town" in found._repr_html_()
    with pytest.raises(UnknownNameError, match="nowhere"):
        _ = found["nowhere"]
    with pytest.raises(WorkspaceError, match="no folder"):
        lc.open(folder / "nowhere")


def test_big_records_are_one_short_line(town: lc.Area) -> None:
    run, city = town.run, town.run.city
    big = [
        town, run, run.study, run.policy, run.travel, run.study.costs, city, city.network,
        city.cells, city.units, city.facilities, city.cells.position,
        *run.catchments.values(), lc.open(run.path.parents[2]),
    ]  # fmt: skip
    for one in big:
        assert "\n" not in repr(one)
        assert len(repr(one)) < 200, type(one)
    assert run._repr_html_().startswith("<table>")
    assert "900" in run._repr_html_()


def test_the_network_is_one_that_osmnx_takes(town: lc.Area) -> None:
    ox = pytest.importorskip("osmnx")
    graph = town.network.to_networkx()
    nodes, edges = ox.convert.graph_to_gdfs(graph)
    assert (len(nodes), len(edges)) == (77, 140)
    assert edges["length"].sum() == pytest.approx(town.network.edge_length_m.sum())
    assert edges.crs == nodes.crs == town.crs
    first, last = min(graph), max(graph)
    route = ox.routing.shortest_path(graph, first, last, weight="length")
    assert route[0] == first
    assert route[-1] == last
