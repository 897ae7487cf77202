"""What a layer shows at a zoom, and a tile of it as a Mapbox Vector Tile (written by GDAL).

Far out, cells are drawn as coarser squares that hold the residents of all cells inside them:
each cell lies in exactly one, so the squares of a zoom hold every resident once.
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
FINE_CELLS: Final = 13  # from this zoom on every cell is drawn for itself
SQUARES: Final = 64  # coarse cells along the side of a tile
SHOWN_FROM: Final = MappingProxyType({"network": 12, "gaps": 9})  # other layers at any zoom
EXTENT: Final = 4_096
BUFFER: Final = 80  # of EXTENT, as the writer has it: outlines do not end at borders of tiles
MOST_BYTES: Final = 2**31 - 1  # the writer leaves features out of larger tiles: never
COARSE: Final = (
    text("id"),
    count("cells", "word_cells", ""),
    count("cells_unknown", "column_cells_unknown", ""),
)


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
    if table.name != "cells" or zoom >= FINE_CELLS:
        return fine
    return state.derived(("tiles", "squares", zoom), partial(squares, fine, table.columns, zoom))


def _projected(table: LayerTable) -> Drawn:
    frame = table.frame.to_crs(MERCATOR)
    return Drawn(table.name, frame, shapely.STRtree(np.asarray(frame.geometry.array)))


def coarse_columns(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of the squares: how many cells they hold, and counts of persons, added up."""
    persons = [c for c in columns if c.name == "residents" or c.name.startswith("residents_")]
    return (*COARSE, *persons)


def squares(cells: Drawn, columns: tuple[Column, ...], zoom: int) -> Drawn:
    """Cells added up in squares; where no cell of a square is known, its residents are null."""
    import geopandas as gpd

    side = width_m(zoom) / SQUARES
    inside = shapely.point_on_surface(np.asarray(cells.frame.geometry.array))
    east, south = (
        _steps(shapely.get_x(inside) + HALF_M, side),
        _steps(HALF_M - shapely.get_y(inside), side),
    )
    names = [column.name for column in coarse_columns(columns)[len(COARSE) :]]
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
