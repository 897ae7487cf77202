"""Residents and health centres drawn on the streets of a city that has neither."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

Box = tuple[float, float, float, float]
_SEED = 2026


def draw_blocks(folder: Path, box: Box, side: int) -> Path:
    """Blocks that fill a box of degrees, `side` by `side`, each with its residents."""
    rng = np.random.default_rng(_SEED)
    west, south, east, north = box
    x, y = np.linspace(west, east, side + 1), np.linspace(south, north, side + 1)
    shapes = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(side) for j in range(side)]
    frame = gpd.GeoDataFrame(
        {
            "code": [f"{i:03d}" for i in range(len(shapes))],
            "name": [f"{i}社区" for i in range(len(shapes))],
            "level": "community",
            "population": rng.integers(800, 9_000, len(shapes)),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )
    file = folder / "blocks.gpkg"
    frame.to_file(file)
    return file


def draw_centres(folder: Path, box: Box, count: int) -> Path:
    """Health centres at drawn places of a box, all of them too small for those around."""
    rng = np.random.default_rng(_SEED + 1)
    places = rng.uniform(box[:2], box[2:], (count, 2))
    rows = [
        f"health_centre,中心{i},{lon:.6f},{lat:.6f},government,1,{size}"
        for i, ((lon, lat), size) in enumerate(
            zip(places, rng.integers(8_000, 40_000, count), strict=True)
        )
    ]
    file = folder / "centres.csv"
    head = "type,name,lon,lat,ownership,level,max_population"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file
