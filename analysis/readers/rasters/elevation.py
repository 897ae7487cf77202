"""Heights of the ground from a GeoTIFF (a DEM), read where the streets are.

`rasterio` is an extra (``lifecircle[raster]``) and is imported only when heights are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, hypot, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.policy.sections.terrain import TerrainRules
from lifecircle.analysis.quantities import FloatArray, read_only
from lifecircle.analysis.readers.rasters.geotiff import open_geotiff
from lifecircle.analysis.readers.records.files import refuse
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.frames import is_earthly

_MOST_CELLS: Final = 200_000_000  # kept in memory after averaging
_MOST_READ: Final = 4_000_000_000  # read to be averaged
_MOST_IN_BLOCK: Final = 100_000_000  # unpacked at once, whatever little of it is wanted
_METRES_PER_UNIT: Final = {
    **dict.fromkeys(("", "m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), 0.3048),
    **dict.fromkeys(("us survey foot", "us-ft", "ftus"), 1200 / 3937),
}
_LOWEST_M, _HIGHEST_M = -450.0, 8_900.0  # the Dead Sea's shore and Everest: none lie beyond
_M_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True)
class Elevation:
    """Heights around an area: a window of a raster, metres, NaN where unknown.

    `height_m` float64 (rows, columns); `to_cell` turns x, y of `crs` into column, row of cell
    centres (a, b, c, d, e, f of an affine map). `step_m` is the width of a cell on the ground
    (the root of its area where it is not square).
    """

    height_m: FloatArray
    to_cell: tuple[float, float, float, float, float, float]
    crs: pyproj.CRS
    step_m: float
    warnings: tuple[Fault, ...]

    def at(self, lonlat: FloatArray) -> FloatArray:
        """Heights (k,) in metres of places (k, 2) in degrees WGS84; NaN where unknown.

        Bilinear between the centres of the four cells around; unknown if one that counts is.
        Within half a cell of the raster's border the border cell's height holds. Equal heights
        give exactly that height.
        """
        move = pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        x, y = move.transform(lonlat[:, 0], lonlat[:, 1])
        a, b, c, d, e, f = self.to_cell
        column, row = a * x + b * y + c, d * x + e * y + f
        rows, columns = self.height_m.shape
        inside = (column >= -0.5) & (column <= columns - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
        left, over = _find_cell(np.where(inside, column, 0.0), columns)
        top, down = _find_cell(np.where(inside, row, 0.0), rows)
        right, low = left + (over > 0), top + (down > 0)
        grid = self.height_m
        upper = grid[top, left] + over * (grid[top, right] - grid[top, left])
        lower = grid[low, left] + over * (grid[low, right] - grid[low, left])
        height: FloatArray = np.where(inside, upper + down * (lower - upper), np.nan)
        return height


def _find_cell(place: FloatArray, count: int) -> tuple[Any, FloatArray]:
    """The cell centre before a place and the share of the way to the next."""
    place = np.clip(place, 0.0, count - 1)
    before = np.floor(place).astype(np.int64)
    return before, place - before


def read_elevation(path: Path, lonlat: FloatArray, rules: TerrainRules) -> Elevation:
    """Heights around places (k, 2) in degrees WGS84 from a GeoTIFF of any CRS.

    Cells finer than the policy's ``cell_m`` are averaged to about that, in each direction by
    itself. A declared unit counts.

    Raises
    ------
    InputError
        No GeoTIFF, no CRS, several bands, a damaged file, heights that cannot be, a raster that
        lies elsewhere, rasterio missing.
    """
    with open_geotiff(path, "elevation_extra") as source:
        return _read_window(source, Path(source.name).name, lonlat, rules)


def _read_window(source: Any, name: str, lonlat: FloatArray, rules: TerrainRules) -> Elevation:
    import rasterio

    found = Findings(name)
    crs = None if source.crs is None else pyproj.CRS.from_wkt(source.crs.to_wkt())
    if crs is None or not is_earthly(crs) or source.transform.is_identity:
        found.add("input_raster_crs")
    if source.count != 1:
        found.add("input_raster_bands", bands=source.count)
    if not np.issubdtype(np.dtype(source.dtypes[0]), np.number) or "complex" in source.dtypes[0]:
        found.add("input_raster_type", type=source.dtypes[0])
    block = int(np.prod(source.block_shapes[0]))
    if block > _MOST_IN_BLOCK:
        found.add("elevation_block", pixels=block, most=_MOST_IN_BLOCK)
    unit = (source.units[0] or "").strip().casefold()
    if unit not in _METRES_PER_UNIT:
        found.add("elevation_unit", unit=source.units[0], known="m, ft, US survey foot")
    found.stop_on_errors()
    assert crs is not None  # nothing was found wrong
    scale = _METRES_PER_UNIT[unit]
    if scale != 1.0:
        found.add("elevation_feet", severity="warning", unit=source.units[0])

    box = _find_cells(source, crs, lonlat)
    if box is None:
        raise refuse(Path(name), "elevation_elsewhere", **_show_bounds(source, crs, lonlat))
    row0, row1, column0, column1 = box
    wide_m, tall_m = _measure_cell(source.transform, crs, lonlat)
    across, down = (max(1, round(rules.cell_m.value / size)) for size in (wide_m, tall_m))
    rows, columns = ceil((row1 - row0) / down), ceil((column1 - column0) / across)
    read = (row1 - row0) * (column1 - column0)
    if rows * columns > _MOST_CELLS or read > _MOST_READ:
        raise refuse(Path(name), "input_raster_large", pixels=read, most=_MOST_CELLS)
    band = source.read(
        1,
        window=((row0, row1), (column0, column1)),
        out_shape=(rows, columns),
        resampling=rasterio.enums.Resampling.average,
        masked=True,
    )
    height_m = np.ma.filled(band.astype(np.float64), np.nan) * scale
    known = height_m[np.isfinite(height_m)]
    height_m[~np.isfinite(height_m)] = np.nan
    if len(known) == 0:
        raise refuse(Path(name), "elevation_nothing")
    low, high = float(known.min()), float(known.max())
    if low < _LOWEST_M or high > _HIGHEST_M:
        raise refuse(Path(name), "elevation_impossible", low=round(low), high=round(high))
    to_pixel = ~source.transform
    wide, tall = (column1 - column0) / columns, (row1 - row0) / rows
    to_cell = (
        to_pixel.a / wide,
        to_pixel.b / wide,
        (to_pixel.c - column0) / wide - 0.5,
        to_pixel.d / tall,
        to_pixel.e / tall,
        (to_pixel.f - row0) / tall - 0.5,
    )
    read_only(height_m)
    step_m = sqrt(wide_m * across * tall_m * down)
    return Elevation(height_m, to_cell, crs, step_m, found.warnings())


def _find_pixels(source: Any, crs: pyproj.CRS, lonlat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Columns and rows (from the raster's corner) of places, infinite where there are none."""
    move = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = move.transform(lonlat[:, 0], lonlat[:, 1])
    into = ~source.transform
    return into.a * x + into.b * y + into.c, into.d * x + into.e * y + into.f


def _find_cells(
    source: Any, crs: pyproj.CRS, lonlat: FloatArray
) -> tuple[int, int, int, int] | None:
    """First and last rows and columns of the raster in the box around places, None if none."""
    column, row = _find_pixels(source, crs, lonlat)
    seen = np.isfinite(column) & np.isfinite(row)
    if not seen.any():
        return None
    box = []
    for place, size in ((row[seen], source.height), (column[seen], source.width)):
        first, last = max(place.min() - 2, 0.0), min(place.max() + 3, float(size))
        if first >= last:
            return None
        box += [int(first), int(last)]
    return box[0], box[1], box[2], box[3]


def _measure_cell(transform: Any, crs: pyproj.CRS, lonlat: FloatArray) -> tuple[float, float]:
    """Width and height of a cell on the ground, metres: degrees are not as wide as high."""
    if crs.is_geographic:
        narrow = float(np.cos(np.radians(np.median(lonlat[:, 1]))))
        east_m, north_m = narrow * _M_PER_DEGREE, _M_PER_DEGREE
    else:
        east_m = north_m = float(crs.axis_info[0].unit_conversion_factor)
    return (
        hypot(transform.a * east_m, transform.d * north_m),
        hypot(transform.b * east_m, transform.e * north_m),
    )


def _show_bounds(source: Any, crs: pyproj.CRS, lonlat: FloatArray) -> dict[str, str]:
    """Where raster and places lie, for the message, in degrees."""
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    box = back.transform_bounds(*source.bounds)
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    places = (low[0], low[1], high[0], high[1])
    return {
        "raster": " ".join(f"{degrees:.4f}" for degrees in box),
        "streets": " ".join(f"{degrees:.4f}" for degrees in places),
    }
