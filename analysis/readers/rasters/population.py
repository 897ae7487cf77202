"""Population rasters: persons per pixel, made into whole persons with the total kept.

`rasterio` is an extra (``lifecircle[raster]``) and is imported only when a raster is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import floor, fsum
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from lifecircle.analysis.quantities import FloatArray, IntArray, ObjectArray
from lifecircle.analysis.readers.records.cells import LARGEST_COUNT, object_array
from lifecircle.analysis.readers.records.coordinates.located import (
    DEGREES,
    Located,
    Reading,
    off_the_earth,
)
from lifecircle.analysis.readers.records.files import (
    RASTER_SUFFIXES,
    check_path,
    refuse,
    watch_file,
)
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.frames import is_earthly
from lifecircle.analysis.readers.records.tables import CellTable, make_cells

_STRIP_ROWS: Final = 256  # rows read at a time
_MOST_PIXELS: Final = 400_000_000
_M2_PER_HECTARE: Final = 10_000.0
_SMALLEST_HECTARES: Final = 0.1  # on less than that a tower may stand
_MOST_PER_HECTARE: Final = 20_000.0  # Kowloon Walled City, the densest place known, had 12,700
_WHOLE: Final = 1 - 1e-9  # share of a pixel from which rounding alone separates it from all


@dataclass(frozen=True, slots=True)
class RasterShare:
    """A raster of residents cut to a study area.

    `persons`: of the whole raster; `kept`: whole persons inside; `partial_pixels`: pixels cut by
    the border; `outside`: persons left out.
    """

    file: str
    persons: float
    kept: int
    partial_pixels: int
    outside: float


def read_population_raster(path: Path) -> CellTable:
    """Residents (persons) per pixel of a whole GeoTIFF of counts: see `read_raster_share`."""
    return read_raster_share(path)[0]


def read_raster_share(path: Path, area: Any = None) -> tuple[CellTable, RasterShare]:
    """Residents (persons) per pixel of a GeoTIFF of counts, within an area if one is given.

    A pixel on the border of the area counts by the share of its own area that lies inside.
    Fractions become whole persons along a curve (`whole_persons`): over all that is kept here,
    in each unit in a city. Pixels of nobody are not rows.

    Parameters
    ----------
    path
        GeoTIFF of one band.
    area
        Polygon in EPSG:4326; None keeps the whole raster.

    Returns
    -------
    CellTable
        The pixels (their parts inside the area), `id` ``r<row>c<column>`` from 0.
    RasterShare
        What was kept and what was left out.

    Raises
    ------
    InputError
        No CRS, negative or infinite counts, several bands, a damaged file, rasterio missing.
    """
    whole = check_path(Path(path), RASTER_SUFFIXES)
    if find_spec("rasterio") is None:
        raise refuse(whole, "input_raster_extra")
    import rasterio

    with watch_file(whole):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                source = rasterio.open(whole, driver="GTiff")
            with source:
                return _read_pixels(source, whole, area)
        except (rasterio.errors.RasterioError, pyproj.exceptions.CRSError) as error:
            raise refuse(whole, "input_broken", detail=str(error)) from error


def _read_pixels(source: Any, path: Path, area: Any) -> tuple[CellTable, RasterShare]:
    found = Findings(path.name)
    crs = _check_crs(source, found)
    index, amount = _find_inhabited(source, found)
    row, column = np.divmod(index, source.width)
    corners = _corners(row, column, source.transform)
    polygons: Any = shapely.polygons(corners)
    whole, partial = float(amount.sum()), 0
    if area is not None:
        polygons, share = _cut_to_area(polygons, area, crs)
        partial = int(np.count_nonzero((share > 0) & (share < 1)))
        amount = amount * share
    kept_out = whole - float(amount.sum())
    lived_in = amount > 0
    row, column, amount = row[lived_in], column[lived_in], amount[lived_in]
    if floor(fsum(amount) + 0.5) == 0:
        raise refuse(path, "input_raster_nobody" if whole == 0 else "input_raster_elsewhere")
    shapes = np.asarray(polygons[lived_in], dtype=np.object_)
    where = _locate_pixels(shapes, crs, path.name, found)
    ids = [f"r{r}c{c}" for r, c in zip(row.tolist(), column.tolist(), strict=True)]
    table = make_cells(object_array(ids), amount, {}, where, ())
    share_kept = RasterShare(path.name, whole, int(table.residents.sum()), partial, kept_out)
    if area is not None:
        found.add(
            "raster_cut",
            severity="warning",
            kept=share_kept.kept,
            persons=whole,
            partial=partial,
            outside=kept_out,
        )
    found.stop_on_errors()
    return replace(table, warnings=found.warnings()), share_kept


def _locate_pixels(shapes: ObjectArray, crs: pyproj.CRS, file: str, found: Findings) -> Located:
    """Pixels as the raster has them; a fault where they reach off the Earth."""
    name = DEGREES if crs.equals(DEGREES, ignore_axis_order=True) else crs.to_string()
    if off_the_earth(shapes, name).any():
        found.add("input_outside_crs", crs=crs.name)
    return Located(shapes, (Reading(file, len(shapes), name, "wgs84", own=True),))


def _check_crs(source: Any, found: Findings) -> pyproj.CRS:
    """The coordinate system of a raster of residents: one band of numbers that lies somewhere."""
    crs = None if source.crs is None else pyproj.CRS.from_wkt(source.crs.to_wkt())
    if not is_earthly(crs) or source.transform.is_identity:
        found.add("input_raster_crs")
    if source.count != 1:
        found.add("input_raster_bands", bands=source.count)
    if source.width * source.height > _MOST_PIXELS:
        found.add("input_raster_large", pixels=source.width * source.height, most=_MOST_PIXELS)
    if not np.issubdtype(np.dtype(source.dtypes[0]), np.number) or "complex" in source.dtypes[0]:
        found.add("input_raster_type", type=source.dtypes[0])
    found.stop_on_errors()
    assert crs is not None  # nothing was found wrong
    return crs


def _find_inhabited(source: Any, found: Findings) -> tuple[IntArray, FloatArray]:
    """Pixels with residents: their indices, int64 (p,), row by row, and their counts (p,)."""
    at: list[IntArray] = []
    persons: list[FloatArray] = []
    for start, counts in _read_strips(source):
        negative = counts < 0
        if negative.any():
            first = int(np.flatnonzero(negative)[0])
            row, column = divmod(first, source.width)
            found.add(
                "input_raster_negative",
                count=int(negative.sum()),
                value=float(counts[first]),
                line=start + row,
                pixel=column,
            )
        if np.isinf(counts).any():
            found.add("input_raster_infinite", line=start)
        filled = np.flatnonzero(counts > 0)
        at.append(filled + start * source.width)
        persons.append(counts[filled])
    found.stop_on_errors()
    every = np.concatenate(persons)
    _refuse_fillers(every, source, found)
    found.stop_on_errors()
    return np.concatenate(at), every


def _refuse_fillers(persons: FloatArray, source: Any, found: Findings) -> None:
    """Values that cannot be persons: signs for no data that are not declared, impossible crowds."""
    if len(persons) == 0:
        return
    kind, top = np.dtype(source.dtypes[0]), float(persons.max())
    highest = float(np.iinfo(kind).max if kind.kind in "iu" else np.finfo(kind).max)
    count = int(np.count_nonzero(persons == top))
    if top > LARGEST_COUNT or (top == highest and count > 1):
        found.add("input_raster_filler", count=count, value=top)
        return
    hectares = _measure_pixel_m2(source) / _M2_PER_HECTARE
    crowded = persons > _MOST_PER_HECTARE * max(hectares, _SMALLEST_HECTARES)
    if crowded.any():
        found.add("input_raster_dense", count=int(crowded.sum()), value=top,
                  density=top / hectares, most=_MOST_PER_HECTARE)  # fmt: skip


def _measure_pixel_m2(source: Any) -> float:
    """Area of the pixel in the middle of the raster on the ellipsoid."""
    row, column = np.array([source.height // 2]), np.array([source.width // 2])
    corners = _corners(row, column, source.transform)[0]
    crs = pyproj.CRS.from_wkt(source.crs.to_wkt())
    move = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True)
    lon, lat = move.transform(*corners.T)
    return abs(float(pyproj.Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]))


def _cut_to_area(polygons: Any, area: Any, crs: Any) -> tuple[Any, FloatArray]:
    """The parts of pixels (in `crs`) that lie in an area (EPSG:4326), and the share of each."""
    ground = area
    if not crs.equals("EPSG:4326", ignore_axis_order=True):
        move = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        ground = shapely.transform(
            area, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
        )
    shapely.prepare(ground)
    share = shapely.contains_properly(ground, polygons).astype(np.float64)
    border = np.flatnonzero((share == 0) & shapely.intersects(ground, polygons))
    parts = polygons.copy()
    parts[border] = [_keep_areas(shapely.intersection(ground, one)) for one in polygons[border]]
    share[border] = shapely.area(parts[border]) / shapely.area(polygons[border])
    share[share > _WHOLE] = 1.0
    return parts, share


def _keep_areas(shape: Any) -> Any:
    """The polygons of a shape, which may hold lines and points too."""
    parts = shapely.get_parts(shape)
    areas = parts[shapely.get_dimensions(parts) == 2]
    if len(areas) == 0:
        return shapely.Polygon()
    return areas[0] if len(areas) == 1 else shapely.MultiPolygon(list(areas))


def _read_strips(source: Any) -> Iterator[tuple[int, FloatArray]]:
    """First row and flat counts of strips of the raster; nodata and NaN become 0."""
    for start in range(0, source.height, _STRIP_ROWS):
        rows = (start, min(start + _STRIP_ROWS, source.height))
        band = source.read(1, window=(rows, (0, source.width)), masked=True)
        counts = np.ma.filled(band.astype(np.float64), 0.0).ravel()
        yield start, np.where(np.isnan(counts), 0.0, counts)


def _corners(row: IntArray, column: IntArray, transform: Any) -> FloatArray:
    """Corners (k, 4, 2) of pixels in the raster's CRS, counter-clockwise where north is up."""
    corner_c = np.stack((column, column, column + 1, column + 1), axis=1)
    corner_r = np.stack((row, row + 1, row + 1, row), axis=1)
    x = transform.a * corner_c + transform.b * corner_r + transform.c
    y = transform.d * corner_c + transform.e * corner_r + transform.f
    return np.stack((x, y), axis=-1)
