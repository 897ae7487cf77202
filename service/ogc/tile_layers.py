"""What a layer shows at a zoom, and a tile of it as a Mapbox Vector Tile (written by GDAL).

Far out, cells are drawn as coarser squares that hold the residents of all cells inside them, and
the gaps of one service and reason whose middles lie in one square as one: each cell and gap lies
in exactly one square, so every zoom holds every resident once.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.results.columns import Column, count, text
from lifecircle.service.ogc.tile_grid import HALF_M, box_of, width_m
from lifecircle.service.state import AreaState, LayerTable

if TYPE_CHECKING:
    import geopandas as gpd

MERCATOR: Final = "EPSG:3857"
FINE: Final = 13  # from this zoom on every cell and gap is drawn for itself
SQUARES: Final = MappingProxyType({"cells": 64, "gaps": 8})  # along the side of a tile, far out
SHOWN_FROM: Final = MappingProxyType({"network": 12, "gaps": 9})  # other layers at any zoom
EXTENT: Final = 4_096
SEEN: Final = 4  # of EXTENT, the grid of corners far out: a pixel where a tile is 1,024 wide
BUFFER: Final = 80  # of EXTENT, as the writer has it: outlines do not end at borders of tiles
MOST_BYTES: Final = 2**31 - 1  # the writer leaves features out of larger tiles: never
COARSE: Final = (
    text("id"),
    count("cells", "word_cells", ""),
    count("cells_unknown", "column_cells_unknown", ""),
)
TOGETHER: Final = ("service", "service_zh", "service_en", "reason")  # what gaps drawn as one share
COARSE_GAPS: Final = (text("id"), count("gaps", unit=""))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A layer ready to be cut into tiles: a frame in EPSG:3857, a tree over its boxes."""

    name: str
    frame: gpd.GeoDataFrame
    tree: shapely.STRtree


def drawn_layer(state: AreaState, table: LayerTable, mark: str, zoom: int) -> Drawn | None:
    """What a layer shows at a zoom; None where it is not shown so far out."""
    if zoom < SHOWN_FROM.get(table.name, 0):
        return None
    fine = state.derived(("tiles", table.name, mark), partial(_projected, table))
    if table.name not in SQUARES or zoom >= FINE:
        return fine
    coarse = squares if table.name == "cells" else gaps_together
    key = ("tiles", table.name, mark, zoom)
    return state.derived(key, partial(coarse, fine, table.columns, zoom))


def _projected(table: LayerTable) -> Drawn:
    frame = table.frame.to_crs(MERCATOR)
    return Drawn(table.name, frame, shapely.STRtree(np.asarray(frame.geometry.array)))


def coarse_columns(layer: str, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns far out: how many cells or gaps are drawn as one, and counts of persons."""
    if layer == "gaps":
        shared = [column for column in columns if column.name in TOGETHER]
        return (*COARSE_GAPS, *shared, *_persons(columns))
    return (*COARSE, *_persons(columns)) if layer == "cells" else ()


def _persons(columns: tuple[Column, ...]) -> list[Column]:
    return [c for c in columns if c.name == "residents" or c.name.startswith("residents_")]


def squares(cells: Drawn, columns: tuple[Column, ...], zoom: int) -> Drawn:
    """Cells added up in squares; where no cell of a square is known, its residents are null."""
    import geopandas as gpd

    side = width_m(zoom) / SQUARES["cells"]
    east, south = _square_of(cells.frame, side)
    names = [column.name for column in _persons(columns)]
    asked = pd.DataFrame({name: cells.frame[name].to_numpy() for name in names}).convert_dtypes()
    asked = asked.assign(
        east=east, south=south, cells=1, cells_unknown=cells.frame["residents"].isna().to_numpy()
    )
    grouped = asked.groupby(["east", "south"], sort=True)
    added = grouped[[*names]].sum(min_count=1)
    added.insert(0, "cells_unknown", grouped["cells_unknown"].sum())
    added.insert(0, "cells", grouped["cells"].sum())
    added = added.reset_index()
    at_east, at_south = added.pop("east").to_numpy(), added.pop("south").to_numpy()
    added.insert(0, "id", [f"{zoom}/{s}/{e}" for s, e in zip(at_south, at_east, strict=True)])
    west, north = at_east * side - HALF_M, HALF_M - at_south * side
    shapes = shapely.box(west, north - side, west + side, north)
    frame = gpd.GeoDataFrame(added, geometry=shapes, crs=MERCATOR)
    return Drawn("cells", frame, shapely.STRtree(shapes))


def gaps_together(gaps: Drawn, columns: tuple[Column, ...], zoom: int) -> Drawn:
    """Gaps of one service and reason in one square as one shape, without corners nobody sees.

    Persons are added up; those of a group are null where of one gap they are unknown.
    """
    import geopandas as gpd

    east, south = _square_of(gaps.frame, width_m(zoom) / SQUARES["gaps"])
    persons = [column.name for column in _persons(columns)]
    rows = gaps.frame[[*TOGETHER, *persons]].assign(east=east, south=south, gaps=1)
    grouped = rows.groupby([*TOGETHER, "south", "east"], sort=True)
    added = grouped[["gaps", *persons]].sum()
    added = added.mask(grouped[["gaps", *persons]].count().lt(added["gaps"], axis=0)).reset_index()
    at = zip(added["service"], added["reason"], added.pop("south"), added.pop("east"), strict=True)
    added.insert(0, "id", [f"{zoom}/{s}/{e}/{service}/{reason}" for service, reason, s, e in at])
    order = np.argsort(grouped.ngroup().to_numpy(), kind="stable")
    ends = np.cumsum(added["gaps"].to_numpy(dtype=np.int64))[:-1]
    seen_m = SEEN / EXTENT * width_m(zoom)
    plain = np.split(_plain(np.asarray(gaps.frame.geometry.array), seen_m)[order], ends)
    joined = np.array([shapely.disjoint_subset_union_all(part) for part in plain])
    shapes = shapely.set_precision(joined, seen_m)
    frame = gpd.GeoDataFrame(added, geometry=shapes, crs=MERCATOR)
    return Drawn("gaps", frame, shapely.STRtree(shapes))


def _plain(shapes: NDArray[Any], seen_m: float) -> NDArray[Any]:
    """Polygons with their corners on a grid of `seen_m`; of what is too thin for it one square."""
    plain = np.array(shapely.set_precision(shapely.simplify(shapes, seen_m), seen_m))
    thin = shapely.is_empty(plain)
    low = np.floor(shapely.get_coordinates(shapely.point_on_surface(shapes[thin])) / seen_m)
    plain[thin] = shapely.box(*(low * seen_m).T, *((low + 1) * seen_m).T)
    return plain


def _square_of(frame: gpd.GeoDataFrame, side: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps of `side` metres from the world's west and north edges to a point inside each row."""
    inside = shapely.point_on_surface(np.asarray(frame.geometry.array))
    return (
        _steps(shapely.get_x(inside) + HALF_M, side),
        _steps(HALF_M - shapely.get_y(inside), side),
    )


def _steps(metres: NDArray[np.float64], side: float) -> NDArray[np.int64]:
    return np.floor(metres / side).astype(np.int64)


def tile(drawn: Drawn, zoom: int, row: int, column: int) -> bytes:
    """A tile as bytes of a Mapbox Vector Tile; empty where nothing lies there."""
    box = box_of(zoom, row, column, BUFFER / EXTENT)
    rows = np.sort(drawn.tree.query(shapely.box(*box), predicate="intersects"))
    if not len(rows):
        return b""
    part = drawn.frame.iloc[rows]
    shapes = np.asarray(part.geometry.array)
    cut = _cut(shapes, box)
    seen = shapely.get_dimensions(cut) == shapely.get_dimensions(shapes)
    return _written(part.set_geometry(cut)[seen], drawn.name, zoom, row, column)


def _cut(shapes: NDArray[Any], box: tuple[float, float, float, float]) -> NDArray[Any]:
    """Shapes inside a box, so that the writer makes only tiles near this one."""
    return np.asarray(shapely.clip_by_rect(shapely.make_valid(shapes), *box))


def _written(part: gpd.GeoDataFrame, name: str, zoom: int, row: int, column: int) -> bytes:
    from pyogrio import write_dataframe

    if part.empty:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tiles"
        write_dataframe(
            part,
            root,
            layer=name,
            driver="MVT",
            geometry_type="Unknown",
            dataset_options={
                "FORMAT": "DIRECTORY",
                "MINZOOM": str(zoom),
                "MAXZOOM": str(zoom),
                "EXTENT": str(EXTENT),
                "BUFFER": str(BUFFER),
                "COMPRESS": "NO",
                "MAX_SIZE": str(MOST_BYTES),
                "MAX_FEATURES": str(MOST_BYTES),
            },
        )
        file = root / str(zoom) / str(column) / f"{row}.pbf"
        return file.read_bytes() if file.is_file() else b""
