"""A small crooked town as input files, the same files with edits written into them, and builds.

The edits are written into the inputs by code of its own, in degrees: nodes are set where a way
crosses a street, rows are added and left out, closures are a file of closures.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.pipeline import analyse_city

WEST, SOUTH, STEP = 102.70, 25.04, 0.0022
SIZE = 7  # streets in either direction
SERVICES = ("health_centre", "pharmacy", "market")
DEGREES = "EPSG:4326"
PLANE = "EPSG:4543"  # where a way is straight between two of its places
TO_PLANE = Transformer.from_crs(DEGREES, PLANE, always_xy=True).transform
TO_DEGREES = Transformer.from_crs(PLANE, DEGREES, always_xy=True).transform


@dataclass(frozen=True)
class Inputs:
    """The files of a town as frames and a graph; `closed`: shapes of a file of closures."""

    streets: nx.MultiGraph
    population: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    closed: tuple[shapely.Geometry, ...] = ()


def draw_town(seed: int) -> Inputs:
    """Streets on a crooked grid with a few missing, 40 homes, ten places and a park."""
    rng = random.Random(seed)
    graph: nx.MultiGraph = nx.MultiGraph(crs=DEGREES)
    for row in range(SIZE):
        for column in range(SIZE):
            shift = [rng.uniform(-0.25, 0.25) for _ in range(2)]
            x, y = WEST + (column + shift[0]) * STEP, SOUTH + (row + shift[1]) * STEP
            graph.add_node(row * SIZE + column + 1, x=round(x, 7), y=round(y, 7))
    for node in list(graph):
        for other in (node + 1 if node % SIZE else None, node + SIZE):
            if other in graph and rng.random() > 0.12:
                graph.add_edge(node, other, highway="residential", osmid=len(graph.edges) + 1)
    homes = [spot(rng) for _ in range(40)]
    people = gpd.GeoDataFrame(
        {
            "id": [f"c{k}" for k in range(40)],
            "population": [rng.randint(1, 3000) for _ in homes],
            "pop_65": [0] * 40,
        },
        geometry=[shapely.Point(home) for home in homes],
        crs=DEGREES,
    )
    people["pop_65"] = people["population"] // 5
    half, far = WEST + 3 * STEP, WEST + SIZE * STEP
    low, high = SOUTH - STEP, SOUTH + SIZE * STEP
    units = gpd.GeoDataFrame(
        {"code": ["A", "B"], "name": ["甲街道", "乙街道"], "level": "subdistrict",
         "class": "urban"},
        geometry=[shapely.box(WEST - STEP, low, half, high), shapely.box(half, low, far, high)],
        crs=DEGREES,
    )  # fmt: skip
    kinds = [SERVICES[k % 3] for k in range(9)]
    park = shapely.Point(spot(rng)).buffer(STEP * 0.7)
    facilities = gpd.GeoDataFrame(
        {
            "id": [*(f"f{k}" for k in range(9)), "park"],
            "type": [*kinds, "park"],
            "name": [f"{kind} no {chr(65 + k)}" for k, kind in enumerate([*kinds, "park"])],
            "ownership": "government",
            "beds": [float(k) for k in range(10)],
        },
        geometry=[*(shapely.Point(spot(rng)) for _ in kinds), park],
        crs=DEGREES,
    )
    return Inputs(graph, people, units, facilities)


def spot(rng: random.Random) -> tuple[float, float]:
    """A place of the town, to the digits that files keep."""
    return tuple(round(base + rng.uniform(0, SIZE - 1) * STEP, 7) for base in (WEST, SOUTH))  # type: ignore[return-value]


def build(inputs: Inputs, folder: Path) -> Study:
    """The town built from its files."""
    folder.mkdir(parents=True, exist_ok=True)
    nx.write_graphml(inputs.streets, folder / "streets.graphml")
    for name in ("population", "units", "facilities"):
        getattr(inputs, name).to_file(folder / f"{name}.gpkg", layer=name, engine="pyogrio")
    closures: tuple[Path, ...] = ()
    if inputs.closed:
        closures = (folder / "closed.gpkg",)
        frame = gpd.GeoDataFrame(geometry=list(inputs.closed), crs=DEGREES)
        frame.to_file(closures[0], layer="closed", engine="pyogrio")
    request = BuildRequest(
        "town",
        graph=folder / "streets.graphml",
        population=folder / "population.gpkg",
        units=(folder / "units.gpkg",),
        facilities=(folder / "facilities.gpkg",),
        closures=closures,
        surveyed=(*SERVICES, "park"),
        accept_datum=True,
    )
    _, policy, city, travel = analyse_city(request)
    return Study(city, travel, policy)


def written(inputs: Inputs, edits: list[dict]) -> Inputs:
    """The inputs with edits written into them."""
    for number, edit in enumerate(edits, start=1):
        op = edit["op"]
        if op == "add_way":
            inputs = replace(inputs, streets=_with_way(inputs.streets, edit))
        elif op == "close_way":
            shape = (
                shapely.geometry.shape(edit["geometry"])
                if "geometry" in edit
                else (shapely.Point(edit["lon"], edit["lat"]))
            )
            inputs = replace(inputs, closed=(*inputs.closed, shape))
        elif op in ("add_residents", "remove_residents"):
            inputs = replace(inputs, population=_with_people(inputs.population, edit, number))
        else:
            inputs = replace(inputs, facilities=_with_places(inputs.facilities, edit, number))
    return inputs


def _with_people(people: gpd.GeoDataFrame, edit: dict, number: int) -> gpd.GeoDataFrame:
    shape = shapely.geometry.shape(edit["geometry"])
    if edit["op"] == "remove_residents":
        metric = people.to_crs(people.estimate_utm_crs())
        inside = metric.centroid.to_crs(DEGREES).intersects(shape)
        return people[~inside]
    row = {"id": [f"edit-{number}"], "population": [edit["residents"]],
           "pop_65": [edit["groups"]["65"]]}  # fmt: skip
    more = gpd.GeoDataFrame(row, geometry=[shape], crs=DEGREES)
    return gpd.GeoDataFrame(pd.concat([people, more], ignore_index=True), crs=DEGREES)


def _with_places(places: gpd.GeoDataFrame, edit: dict, number: int) -> gpd.GeoDataFrame:
    places = places.copy()
    if edit["op"] == "remove_facility":
        return places[places["id"] != edit["id"]]
    if edit["op"] == "change_facility":
        for name, value in edit["attributes"].items():
            places.loc[places["id"] == edit["id"], name] = value
        return places
    row = {"id": [f"edit-{number}"], "type": [edit["service"]], "name": [edit["name"]],
           "ownership": [edit["attributes"]["ownership"]], "beds": [np.nan]}  # fmt: skip
    point = shapely.Point(edit["lon"], edit["lat"])
    more = gpd.GeoDataFrame(row, geometry=[point], crs=DEGREES)
    return gpd.GeoDataFrame(pd.concat([places, more], ignore_index=True), crs=DEGREES)


def _with_way(streets: nx.MultiGraph, edit: dict) -> nx.MultiGraph:
    """The streets with a straight way of two places; its ends stand on nodes or hang free."""
    graph = streets.copy()
    (first, last), bridge = edit["coordinates"], edit["kind"] == "footbridge"
    line = shapely.LineString([TO_PLANE(*first), TO_PLANE(*last)])
    along: dict[int, float] = {}
    for place in (first, last):
        there = [n for n, d in graph.nodes(data=True) if np.hypot(d["x"] - place[0],
                 d["y"] - place[1]) < 1e-8]  # fmt: skip
        node = there[0] if there else max(graph) + 1
        graph.add_node(node, x=place[0], y=place[1])
        along[node] = float(line.project(shapely.Point(TO_PLANE(*place))))
    for u, v, key, data in list(graph.edges(keys=True, data=True)):
        ends = [TO_PLANE(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v)]
        met = line.intersection(shapely.LineString(ends))
        if bridge or met.is_empty or u in along or v in along or data.get("bridge") == "yes":
            continue
        node = max(graph) + 1
        x, y = TO_DEGREES(met.x, met.y)
        graph.add_node(node, x=x, y=y)
        graph.remove_edge(u, v, key)
        graph.add_edge(u, node, **data)
        graph.add_edge(node, v, **data)
        along[node] = float(line.project(met))
    tags = {"highway": "footway", "osmid": 10_000 + graph.number_of_edges()}
    if bridge:
        tags["bridge"] = "yes"
    chain = sorted(along, key=along.__getitem__)
    for u, v in pairwise(chain):
        graph.add_edge(u, v, **tags)
    return graph
