"""The usual script: osmnx + networkx + geopandas/shapely, doing what `lifecircle build` does.

Written as an analyst would write it well: vectorised where these libraries allow it, every
step in its documented way, nothing slowed down. Run with a JSON of services, two OSM XML files
made beforehand, the councils and a folder for the results; `benchmarks.bar_whole` starts it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pandas as pd
import shapely

SPEED_M_PER_S = 1000 / 900
LINK_M = 250.0
LATTICE_M = 50.0
FLOORS = 2.0
FLOOR_M2_PER_RESIDENT = (10.0, 60.0)


def streets(xml: Path) -> Any:
    """The walking network, both directions, simplified, projected."""
    graph = ox.graph_from_xml(xml, bidirectional=True, simplify=True, retain_all=True)
    return ox.project_graph(graph)


def lattice(area: Any) -> np.ndarray:
    """Points 50 m apart inside an area."""
    west, south, east, north = area.bounds
    x, y = np.meshgrid(np.arange(west, east, LATTICE_M), np.arange(south, north, LATTICE_M))
    inside = shapely.contains_xy(area, x, y)
    return np.column_stack((x[inside], y[inside]))


def people(councils: gpd.GeoDataFrame, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Residents of each council over its residential buildings, else its land, else its area."""
    polygons = places[places.geom_type.isin(["Polygon", "MultiPolygon"])]
    residential = ["yes", "residential", "house", "apartments", "terrace", "detached"]
    homes = polygons[polygons["building"].isin(residential)]
    levels = pd.to_numeric(homes.get("building:levels"), errors="coerce").where(
        lambda n: n > 0, FLOORS
    )
    homes = homes.assign(floor_m2=homes.area * levels, geometry=homes.representative_point())
    homes = homes[["floor_m2", "geometry"]].sjoin(councils[["geometry"]], predicate="within")
    land = polygons[polygons["landuse"] == "residential"].union_all()
    parts = []
    for row in councils[councils["population"].notna()].itertuples():
        here = homes[homes["index_right"] == row.Index]
        each = here["floor_m2"].sum() / row.population
        if FLOOR_M2_PER_RESIDENT[0] <= each <= FLOOR_M2_PER_RESIDENT[1]:
            points, weight = here.geometry.to_numpy(), here["floor_m2"].to_numpy()
        else:
            xy = lattice(row.geometry.intersection(land))
            xy = xy if len(xy) else lattice(row.geometry)
            points, weight = shapely.points(xy), np.ones(len(xy))
        exact = row.population * weight / weight.sum()
        whole = np.floor(exact).astype(int)
        rest = int(row.population - whole.sum())
        whole[np.argsort(whole - exact)[:rest]] += 1
        frame = gpd.GeoDataFrame(
            {"residents": whole, "council": row.Index}, geometry=points, crs=councils.crs
        )
        parts.append(frame[frame["residents"] > 0])
    return pd.concat(parts, ignore_index=True)


def has_tags(places: gpd.GeoDataFrame, rules: list[dict[str, list[str]]]) -> np.ndarray:
    """Rows that any of the tag rules of a service names."""
    found = np.zeros(len(places), dtype=bool)
    for rule in rules:
        match = np.ones(len(places), dtype=bool)
        for key, values in rule.items():
            column = places.get(key)
            if column is None:
                match[:] = False
            else:
                match &= column.notna() if values == ["*"] else column.isin(values)
        found |= match
    return found


def gap_polygons(cells: gpd.GeoDataFrame, covered: np.ndarray) -> gpd.GeoDataFrame:
    """Uncovered cells within the link distance of one another, united, with their residents."""
    left = cells[~covered]
    if left.empty:
        return gpd.GeoDataFrame({"residents": []}, geometry=[], crs=cells.crs)
    union = gpd.GeoSeries([left.buffer(LINK_M / 2).union_all()], crs=cells.crs)
    parts = gpd.GeoDataFrame(geometry=union.explode(ignore_index=True))
    inside = left.sjoin(parts, predicate="within").groupby("index_right")["residents"].sum()
    return parts.assign(residents=inside.reindex(parts.index).fillna(0).astype(int))


def main(arguments: list[str]) -> None:
    """The whole way, from XML files to files of results."""
    services: dict[str, Any] = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    streets_xml, places_xml, councils_file, out = (Path(name) for name in arguments[1:5])
    started = time.perf_counter()
    graph = streets(streets_xml)
    crs = graph.graph["crs"]
    keys = {key for service in services.values() for rule in service["osm"] for key in rule}
    tags: dict[str, bool | str | list[str]] = dict.fromkeys(keys, True)
    tags |= {"building": True, "landuse": "residential"}
    places = ox.features_from_xml(places_xml, tags=tags).to_crs(crs)
    councils = gpd.read_file(councils_file).to_crs(crs)
    cells = people(councils, places)
    node, leg = ox.distance.nearest_nodes(
        graph, cells.geometry.x.to_numpy(), cells.geometry.y.to_numpy(), return_dist=True
    )
    sites = places.representative_point()
    site_node = ox.distance.nearest_nodes(graph, sites.x.to_numpy(), sites.y.to_numpy())
    site_node = np.asarray(site_node)
    coverage, gaps, reached = [], [], {}
    for service, rule in services.items():
        sources = set(site_node[has_tags(places, rule["osm"])].tolist())
        seconds = np.full(len(cells), np.inf)
        if sources:
            metres = nx.multi_source_dijkstra_path_length(graph, sources, weight="length")
            walk = np.array([metres.get(n, np.inf) for n in node])
            seconds = (walk + np.asarray(leg)) / SPEED_M_PER_S
        covered = seconds <= 60 * rule["minutes"]
        reached[service] = covered
        by = cells.assign(covered=cells["residents"] * covered).groupby("council")
        table = by[["residents", "covered"]].sum()
        table["P"] = table["covered"] / table["residents"]
        coverage.append(table.assign(service=service).reset_index())
        gaps.append(gap_polygons(cells, covered).assign(service=service))
        cells[f"seconds_{service}"] = seconds
    circle = np.sum(list(reached.values()), axis=0)
    out.mkdir(parents=True, exist_ok=True)
    pd.concat(coverage).to_csv(out / "coverage.csv", index=False)
    pd.concat(gaps, ignore_index=True).to_parquet(out / "gaps.parquet")
    cells.assign(services_reached=circle).to_parquet(out / "cells.parquet")
    ox.graph_to_gdfs(graph, nodes=False)[["length", "geometry"]].to_parquet(out / "network.parquet")
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - started,
                "cells": len(cells),
                "residents": int(cells["residents"].sum()),
                "services": len(services),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
