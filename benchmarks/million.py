"""A drawn grid of a million cells and half a million edges, as files that a build takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely
from osmium.osm.mutable import Node, Way

from benchmarks.bars import SEED
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.policy import load_policy

MILLION_OSM: Final = "grid.osm.pbf"
_SIDE: Final = 500  # streets in either direction: 250,000 crossings, 499,000 edges
_CELLS: Final = 1000  # in either direction
_UNITS: Final = 20  # in either direction
_PLACES: Final = 200  # of each service
_STEP: Final = 0.001  # degrees: about 100 and 110 m
_WEST, _SOUTH = 102.5, 24.8
_WGS84: Final = "EPSG:4326"


def write_million(folder: Path) -> None:
    """Write streets, residents, units and facilities into a folder, seeded."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    _write_streets(folder / MILLION_OSM)
    span = (_SIDE - 1) * _STEP
    at = (np.arange(_CELLS) + 0.5) / _CELLS * span
    lon, lat = (axis.ravel() for axis in np.meshgrid(_WEST + at, _SOUTH + at))
    pd.DataFrame(
        {"lon": lon.round(6), "lat": lat.round(6), "population": rng.integers(0, 40, lon.size)}
    ).to_csv(folder / "population.csv", index=False)
    _write_places(folder / "facilities.csv", span, rng)
    edge = np.linspace(0, span, _UNITS + 1)
    west, south = (axis.ravel() for axis in np.meshgrid(_WEST + edge[:-1], _SOUTH + edge[:-1]))
    size = edge[1]
    names = [f"街道{i + 1}" for i in range(west.size)]
    gpd.GeoDataFrame(
        {"code": [f"{i + 1:04d}" for i in range(west.size)], "name": names, "level": "subdistrict"},
        geometry=shapely.box(west, south, west + size, south + size),
        crs=_WGS84,
    ).to_file(folder / "units.gpkg")


def million_request(folder: Path) -> BuildRequest:
    """What a build of those files takes."""
    return BuildRequest(
        "million",
        osm=folder / MILLION_OSM,
        population=folder / "population.csv",
        units=(folder / "units.gpkg",),
        facilities=(folder / "facilities.csv",),
        datum="wgs84",
        accept_datum=True,  # borders drawn beside a perfect grid fit it anywhere
        synthetic=True,
    )


def _write_streets(path: Path) -> None:
    line = range(_SIDE)
    rows = [[x * _SIDE + y + 1 for y in line] for x in line]
    rows += [[x * _SIDE + y + 1 for x in line] for y in line]
    with osmium.SimpleWriter(str(path)) as writer:
        for x in line:
            for y in line:
                place: Any = (_WEST + x * _STEP, _SOUTH + y * _STEP)
                writer.add_node(Node(id=x * _SIDE + y + 1, location=place))
        for number, nodes in enumerate(rows, start=1):
            tags: Any = {"highway": "residential"}
            writer.add_way(Way(id=number, nodes=nodes, tags=tags))


def _write_places(path: Path, span: float, rng: np.random.Generator) -> None:
    services = sorted(load_policy().services)
    lon, lat = (start + rng.uniform(0, span, len(services) * _PLACES) for start in (_WEST, _SOUTH))
    pd.DataFrame(
        {
            "type": np.repeat(services, _PLACES),
            "name": [f"处所{i + 1}" for i in range(lon.size)],
            "lon": lon.round(6),
            "lat": lat.round(6),
        }
    ).to_csv(path, index=False)
