"""Drawn heights: GeoTIFFs of hills by a formula, over the drawn worlds of `drawn.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.slope import SlopeFacts, add_slope
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.sections.terrain import TerrainRules, WayForms
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.rasters.elevation import read_elevation
from tests.worlds.drawn import _PLANE, ORIGIN, World

Heights = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of metres east and north of ORIGIN
PIXEL_DEG = 1e-4  # about 10 m east and 11 m north


def rules() -> TerrainRules:
    """The packaged rules of slope."""
    terrain = load_policy().terrain
    assert terrain is not None
    return terrain


def forms() -> WayForms:
    """The packaged reader of ways' forms."""
    policy = load_policy()
    assert policy.terrain is not None
    assert policy.barriers is not None
    return WayForms.of(policy.terrain, policy.barriers, policy.joining)


def write_dem(
    path: Path, height: Heights, half_deg: float = 0.01, pixel: float = PIXEL_DEG, **options: Any
) -> Path:
    """A float GeoTIFF around ORIGIN in degrees; options go to rasterio (nodata, crs ...)."""
    import rasterio

    count = round(2 * half_deg / pixel)
    lon = ORIGIN[0] - half_deg + (np.arange(count) + 0.5) * pixel
    lat = ORIGIN[1] + half_deg - (np.arange(count) + 0.5) * pixel
    east, north = _PLANE(*np.meshgrid(lon, lat))
    return write_raster(
        path, height(east, north),
        rasterio.Affine(pixel, 0, ORIGIN[0] - half_deg, 0, -pixel, ORIGIN[1] + half_deg),
        **options,
    )  # fmt: skip


def write_raster(
    path: Path, values: np.ndarray, transform: Any, unit: str | None = None, **options: Any
) -> Path:
    """A GeoTIFF of values, EPSG:4326 unless told otherwise."""
    import rasterio

    profile = {
        "driver": "GTiff", "count": 1, "height": values.shape[0], "width": values.shape[1],
        "dtype": "float64", "crs": "EPSG:4326", "transform": transform,
    } | options  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values.astype(profile["dtype"]), 1)
        if unit is not None:
            target.units = (unit,)
    return path


def sloped(world: World, folder: Path, dem: Path) -> tuple[WalkNetwork, SlopeFacts]:
    """The network of a drawn world with the slope of a raster."""
    raw = read_streets(world.write(folder / "drawn.osm.pbf"), load_policy().walk, forms())
    return add_slope(build_network(raw), read_elevation(dem, raw.lonlat, rules()), rules())


def way_m(world: World, network: WalkNetwork, start: str, end: str) -> float:
    """Metres on the flat that the walk along the one edge between two junctions is worth."""
    ids = network.node_osm_id.tolist()
    a, b = ids.index(world.node_id(start)), ids.index(world.node_id(end))
    costs = walk_costs(network)
    for u, v, cm in ((a, b, costs.uv_cm), (b, a, costs.vu_cm)):
        found = np.flatnonzero((network.edge_u == u) & (network.edge_v == v))
        if len(found):
            return float(cm[found].min()) / 100
    raise AssertionError((start, end))


def east_ramp(percent: float, base: float = 100.0):
    return lambda east, north: base + percent / 100 * east + 0 * north
