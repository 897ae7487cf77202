"""A place by its name, a saved graph and a pbf of the same streets give the same network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pytest
import shapely

from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.graphs.graphml import read_graphml
from lifecircle.analysis.readers.graphs.nodes import streets_of_graph
from lifecircle.analysis.readers.osm.places import read_places
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets
from tests.files.overpass import World, serving

BOX = shapely.box(14.505, 35.890, 14.522, 35.903)
SEA, TIMEOUT, PORTAL = (shapely.box(lon, 35.0, lon + 0.01, 35.01) for lon in (15.0, 16.0, 17.0))


# --- drawn graphs ---------------------------------------------------------------------------
#
#   1 ---- 2 ---- 3      0.001 degrees apart on the equator: 111.319 m each;
#   1-2 both ways, 2-3 bends through (0.0015, 0.001) and is saved in both directions.


def _drawn(**tags: object) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, x in ((1, 0.0), (2, 0.001), (3, 0.002)):
        graph.add_node(node, x=x, y=0.0)
    bend = shapely.LineString([(0.001, 0), (0.0015, 0.001), (0.002, 0)])
    graph.add_edge(1, 2, osmid=7, highway="footway", **tags)
    graph.add_edge(2, 1, osmid=7, highway="footway", **tags)
    graph.add_edge(2, 3, osmid=[9, 8], highway=["steps", "motorway"], geometry=bend)
    graph.add_edge(3, 2, osmid=[9, 8], highway=["steps", "motorway"], geometry=bend.reverse())
    return graph


def test_both_directions_are_one_way_and_bends_get_ids_of_their_own(policy) -> None:
    streets = streets_of_graph(_drawn(), policy.walk)
    assert streets.way_id.tolist() == [7, 8]
    assert streets.way_start.tolist() == [0, 2, 5]
    assert streets.node_ref.tolist() == [1, 2, 2, -1, 3]
    assert streets.lonlat.tolist() == [[0, 0], [0.001, 0], [0.001, 0], [0.0015, 0.001], [0.002, 0]]


@pytest.mark.parametrize(
    ("tags", "ways"),
    [
        ({"foot": "no"}, [8]),
        ({"foot": ["no", "yes"]}, [7, 8]),
        ({"access": "private"}, [8]),
        ({"access": "private", "foot": "designated"}, [7, 8]),
        ({"area": "yes"}, [8]),
        ({"foot": float("nan"), "access": None}, [7, 8]),
    ],
)
def test_tags_decide_who_may_walk(policy, tags, ways) -> None:
    assert streets_of_graph(_drawn(**tags), policy.walk).way_id.tolist() == ways


def test_edges_without_tags_are_walkable(policy) -> None:
    graph = nx.MultiGraph()
    graph.add_node("a", x=0.0, y=0.0)
    graph.add_node("b", x=0.001, y=0.0)
    graph.add_edge("a", "b")
    streets = streets_of_graph(graph, policy.walk)
    assert (streets.way_id.tolist(), streets.node_ref.tolist()) == ([0], [1, 2])


def test_crossing_edges_meet_at_nodes_only(policy) -> None:
    graph = nx.MultiGraph()
    places = {1: (0, 0), 2: (0.002, 0), 3: (0.001, -0.001), 4: (0.001, 0.001)}
    for node, (x, y) in places.items():
        graph.add_node(node, x=x, y=y)
    middle = (0.001, 0)  # a bridge: both edges have a vertex here, but no node
    graph.add_edge(1, 2, geometry=shapely.LineString([places[1], middle, places[2]]))
    graph.add_edge(3, 4, geometry=shapely.LineString([places[3], middle, places[4]]))
    network = build_network(streets_of_graph(graph, policy.walk))
    assert (network.node_count, network.edge_count) == (4, 2)
    assert len(network.component_length_m) == 2


def test_parallel_streets_and_loops_stay_apart(policy) -> None:
    graph = _drawn()
    loop = shapely.LineString([(0, 0), (0, 0.001), (-0.001, 0.001), (0, 0)])
    graph.add_edge(1, 1, osmid=3, highway="path", geometry=loop)
    graph.add_edge(1, 1, osmid=3, highway="path", geometry=loop.reverse())
    graph.add_edge(2, 3, osmid=8, highway="path")
    streets = streets_of_graph(graph, policy.walk)
    assert streets.way_id.tolist() == [3, 7, 8, 8]
    assert np.diff(streets.way_start).tolist() == [4, 2, 2, 3]


def test_an_undirected_edge_may_be_drawn_backwards(policy) -> None:
    graph = nx.MultiGraph(_drawn().to_undirected())
    for _, _, data in graph.edges(data=True):
        if "geometry" in data:
            data["geometry"] = data["geometry"].reverse()
    drawn = build_network(streets_of_graph(_drawn(), policy.walk))
    _same(build_network(streets_of_graph(graph, policy.walk)), drawn)


def test_all_faults_of_a_graph_at_once(policy) -> None:
    graph = _drawn()
    del graph.nodes[1]["x"]
    graph.nodes[3]["y"] = 2500.0
    graph.edges[2, 3, 0]["geometry"] = "LINESTRING (oops"
    with pytest.raises(InputError) as caught:
        streets_of_graph(graph, policy.walk, "city.graphml")
    assert [fault.key for fault in caught.value.faults] == [
        "graph_node_place", "graph_not_degrees", "graph_edge_geometry",
    ]  # fmt: skip
    assert all(line.startswith("city.graphml") for line in caught.value.text("zh").splitlines())


@pytest.mark.parametrize(
    ("crs", "key"), [("EPSG:32633", "graph_projected"), ("moon", "graph_crs_unknown")]
)
def test_a_graph_has_to_be_in_degrees(policy, crs, key) -> None:
    graph = _drawn()
    graph.graph["crs"] = crs
    with pytest.raises(InputError) as caught:
        streets_of_graph(graph, policy.walk)
    assert [fault.key for fault in caught.value.faults] == [key]


def test_a_graph_nobody_may_walk_is_refused(policy) -> None:
    graph = nx.MultiGraph()
    graph.add_node(1, x=0.0, y=0.0)
    graph.add_node(2, x=0.001, y=0.0)
    graph.add_edge(1, 2, highway="motorway")
    for empty in (graph, nx.MultiGraph()):
        with pytest.raises(InputError) as caught:
            streets_of_graph(empty, policy.walk)
        assert [fault.key for fault in caught.value.faults] == ["graph_no_streets"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (None, "file_missing"),
        ("", "file_empty"),
        ("way,from,to\n1,2,3\n", "graphml_not"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><graphml>&a;</graphml>', "graphml_not"),
        ("<graphml><graph>", "graphml_unreadable"),
        ("<graphml></graphml>", "graphml_unreadable"),
    ],
)
def test_bad_graphml_files(policy, tmp_path, text, key) -> None:
    path = tmp_path / "bad.graphml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_graphml(path, policy.walk)
    assert [fault.key for fault in caught.value.faults] == [key]
    assert caught.value.text("en").startswith("bad.graphml")
    assert caught.value.text("zh").startswith("bad.graphml")


def test_graphml_of_networkx_comes_back(policy, tmp_path) -> None:
    graph = _drawn(foot="yes")
    for _, _, data in graph.edges(data=True):
        data.update({key: str(value) for key, value in data.items()})
    nx.write_graphml(graph, tmp_path / "drawn.graphml")
    saved, drawn = (
        read_graphml(tmp_path / "drawn.graphml", policy.walk),
        streets_of_graph(_drawn(), policy.walk),
    )
    for name in ("way_id", "way_start", "node_ref", "lonlat"):
        np.testing.assert_array_equal(getattr(saved, name), getattr(drawn, name))


# --- Valletta -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cut(shared_data, tmp_path_factory) -> dict[str, Path]:
    """Two extracts of the box: ``whole`` with complete ways, ``box`` with the nodes inside."""
    source = shared_data / "malta" / "malta-latest.osm.pbf"
    folder = tmp_path_factory.mktemp("cut")
    paths = {name: folder / f"{name}.osm.pbf" for name in ("whole", "box")}
    inside: set[int] = set()
    ways: set[int] = set()
    west, south, east, north = BOX.bounds
    with (
        osmium.BackReferenceWriter(str(paths["whole"]), ref_src=str(source)) as whole,
        osmium.SimpleWriter(str(paths["box"])) as box,
    ):
        for thing in osmium.FileProcessor(str(source)):
            if thing.is_node():
                if not (west <= thing.lon <= east and south <= thing.lat <= north):
                    continue
                inside.add(thing.id)
            elif thing.is_way():
                if inside.isdisjoint(node.ref for node in thing.nodes):
                    continue
                ways.add(thing.id)
            elif thing.tags.get("type") != "multipolygon" or ways.isdisjoint(
                member.ref for member in thing.members if member.type == "w"
            ):
                continue
            whole.add(thing)
            box.add(thing)
    return paths


@pytest.fixture(scope="module")
def asked(cut, tmp_path_factory) -> Path:
    """What osmnx and the reader of places got from a loopback server of the cut."""
    folder = tmp_path_factory.mktemp("asked")
    root = Path(__file__).parents[2]
    outlines = {"box": BOX, "sea": SEA, "timeout": TIMEOUT, "portal": PORTAL}
    world = World(cut["whole"], {**outlines, "point": shapely.Point(14.51, 35.9)})
    world.broken["timeout"] = b'{"elements": [], "remark": "runtime error: Query timed out"}'
    world.broken["portal"] = b"<html>Please log in</html>"
    bounds = shapely.GeometryCollection(list(world.shapes.values())).bounds
    world.outlines = {**world.outlines, "whole": shapely.box(*bounds).buffer(0.001)}
    with serving(world) as address:
        done = subprocess.run(
            [sys.executable, str(root / "tests" / "files" / "ask_osmnx.py"), address, str(folder)],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(root)}, timeout=300, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def _same(one: WalkNetwork, other: WalkNetwork) -> None:
    assert (one.crs, one.node_count, one.edge_count) == (
        other.crs, other.node_count, other.edge_count,
    )  # fmt: skip
    assert one.edge_length_m.sum() == pytest.approx(other.edge_length_m.sum(), abs=0.001)
    assert np.sort(one.component_length_m) == pytest.approx(
        np.sort(other.component_length_m), abs=0.001
    )


@pytest.mark.parametrize("extent", ["whole", "box"])
def test_a_named_place_equals_the_pbf_of_the_same_box(policy, cut, asked, extent) -> None:
    with np.load(asked / f"{extent}.npz") as saved:
        named = build_network(RawStreets(**saved))
    from_pbf = build_network(read_streets(cut[extent], policy.walk))
    assert from_pbf.edge_count > 500
    _same(named, from_pbf)
    np.testing.assert_array_equal(named.node_osm_id, from_pbf.node_osm_id)
    np.testing.assert_array_equal(named.edge_way, from_pbf.edge_way)


@pytest.mark.parametrize("name", ["plain", "merged"])
def test_a_saved_graph_equals_the_pbf(policy, cut, asked, name) -> None:
    saved = build_network(read_graphml(asked / f"{name}.graphml", policy.walk))
    _same(saved, build_network(read_streets(cut["whole"], policy.walk)))


def test_a_projected_graph_is_refused(policy, asked) -> None:
    with pytest.raises(InputError) as caught:
        read_graphml(asked / "projected.graphml", policy.walk)
    assert [fault.key for fault in caught.value.faults] == ["graph_projected"]


@pytest.mark.parametrize("layer", ["facilities", "buildings", "residential"])
def test_a_named_place_has_the_places_of_the_pbf(policy, cut, asked, layer) -> None:
    named = gpd.read_parquet(asked / f"whole-{layer}.parquet")
    from_pbf = getattr(read_places(cut["whole"], policy), layer)
    from_pbf = getattr(from_pbf, "frame", from_pbf)
    assert len(from_pbf) > 0
    plain = [column for column in from_pbf.columns if column != "geometry"]
    keys = [column for column in ("id", "service") if column in plain]
    named, from_pbf = named.sort_values(keys), from_pbf.sort_values(keys)
    assert named[keys].to_numpy().tolist() == from_pbf[keys].to_numpy().tolist()
    said, expected = (frame[plain].astype(object).fillna("") for frame in (named, from_pbf))
    assert said.to_numpy().tolist() == expected.to_numpy().tolist()
    areas = [shapely.area(frame.geometry.to_numpy()) for frame in (named, from_pbf)]
    np.testing.assert_allclose(areas[0], areas[1], rtol=1e-9)


def test_places_that_cannot_be_had(asked) -> None:
    assert json.loads((asked / "said.json").read_text()) == {
        "nowhere": "place_unknown",
        "point": "place_no_outline",
        "sea": "place_no_streets",
        "timeout": "place_unreachable",
        "portal": "place_unreachable",
        "down": "place_unreachable",
        "resolver kept": True,
        "tags kept": True,
        "cached": False,
    }
