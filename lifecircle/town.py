"""A tiny town made in code, built like any area: for examples, tests and first steps."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path
from typing import TypedDict

import geopandas as gpd
import networkx as nx
import shapely

from lifecircle.area import Area
from lifecircle.building import build

_WEST, _SOUTH = 102.70, 25.04
_STEP_LON, _STEP_LAT = 0.0025, 0.0025  # about 252 m and 277 m
_STREETS = 9  # in either direction
_DEGREES = "EPSG:4326"


def tiny_town(workspace: str | Path | None = None) -> Area:
    """A town of 900 residents on a grid of nine by nine streets, about 250 m apart.

    Invented, near Kunming: a health centre in the west, two pharmacies, a park; a western and an
    eastern street office, ``W`` and ``E``. 300 residents of the far east cannot walk to the
    health centre within 15 minutes.

    Parameters
    ----------
    workspace : where to build it; None = a temporary folder, once per process.

    Examples
    --------
    >>> import lifecircle as lc
    >>> lc.tiny_town().network.node_count
    77
    """
    return _once() if workspace is None else _build(Path(workspace))


@cache
def _once() -> Area:
    folder = tempfile.TemporaryDirectory(prefix="lifecircle-tiny-")
    atexit.register(folder.cleanup)
    return _build(Path(folder.name))


class TinyInputs(TypedDict):
    """What the tiny town is built from, by the names `lifecircle.build` has for it."""

    streets: nx.MultiGraph[int]
    population: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame


def tiny_inputs() -> TinyInputs:
    """The streets as a graph, residents, units and facilities as frames, all in degrees."""
    return {
        "streets": _streets(),
        "population": _population(),
        "units": _units(),
        "facilities": _facilities(),
    }


def _build(workspace: Path) -> Area:
    return build(
        "tiny",
        **tiny_inputs(),
        surveyed=["health_centre", "pharmacy", "park"],
        title=("小城", "Tiny Town"),
        workspace=workspace,
    )


def _at(column: float, row: float) -> tuple[float, float]:
    """Longitude and latitude of a place in steps of the grid."""
    return _WEST + column * _STEP_LON, _SOUTH + row * _STEP_LAT


def _streets() -> nx.MultiGraph[int]:
    graph: nx.MultiGraph[int] = nx.MultiGraph(crs=_DEGREES)
    for row in range(_STREETS):
        for column in range(_STREETS):
            lon, lat = _at(column, row)
            node = row * _STREETS + column + 1
            graph.add_node(node, x=lon, y=lat)
            if column:
                graph.add_edge(node - 1, node, highway="residential", osmid=row + 1)
            if row:
                graph.add_edge(node - _STREETS, node, highway="residential", osmid=100 + column)
    return graph


def _population() -> gpd.GeoDataFrame:
    """Nine cells of 100 residents, 20 of them 65 and more, along the middle street."""
    cells = [shapely.Point(_at(column, 4.1)) for column in range(_STREETS)]
    said = {"id": [f"c{n}" for n in range(_STREETS)], "population": 100, "pop_65": 20}
    return gpd.GeoDataFrame(said, geometry=cells, crs=_DEGREES)


def _units() -> gpd.GeoDataFrame:
    middle, end = _at(3.5, 8.5), _at(8.5, 8.5)
    west = shapely.box(*_at(-0.5, -0.5), *middle)
    east = shapely.box(middle[0], _at(0, -0.5)[1], *end)
    said = {
        "code": ["W", "E"],
        "name": ["西街道", "东街道"],
        "name_en": ["West", "East"],
        "level": "subdistrict",
        "class": "urban",
    }
    return gpd.GeoDataFrame(said, geometry=[west, east], crs=_DEGREES)


def _facilities() -> gpd.GeoDataFrame:
    park = shapely.box(*_at(5.2, 5.2), *_at(6.2, 6.2))
    said = {
        "id": ["h1", "p1", "p2", "g1"],
        "type": ["health_centre", "pharmacy", "pharmacy", "park"],
        "name": ["社区卫生服务中心", "西药房", "东药房", "小公园"],
        "ownership": ["government", None, None, None],
    }
    places = [*(shapely.Point(_at(c, 3.9)) for c in (2, 1, 7)), park]
    return gpd.GeoDataFrame(said, geometry=places, crs=_DEGREES)
