"""Population rasters: persons per pixel, made into whole persons with the total kept.

`rasterio` is an extra (``lifecircle[raster]``) and is imported only when a raster is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from analysis.quantities import FloatArray, IntArray
from analysis.sources.columns_in import objects
from analysis.sources.files_in import RASTER_SUFFIXES, checked_path, refuse, steady
from analysis.sources.findings import Findings, Table, frame_of
from analysis.sources.frames_in import is_earthly

_STRIP_ROWS: Final = 256  # rows read at a time
_MOST_PIXELS: Final = 400_000_000


def read_population_raster(path: Path) -> Table:
    """Residents (persons) per pixel of a GeoTIFF of counts.

    Fractions become whole persons by largest remainder over the whole raster, so that the
    rounded total is kept; ties go to the pixel that comes first. Pixels left without residents
    are not rows.

    Returns
    -------
    Table
        EPSG:4326; `id` str (``r<row>c<column>`` from 0), `residents` int64, `geometry` the pixel.

    Raises
    ------
    InputError
        No CRS, negative or infinite counts, several bands, a damaged file, rasterio missing.
    """
    whole = checked_path(Path(path), RASTER_SUFFIXES)
    if find_spec("rasterio") is None:
        raise refuse(whole, "input_raster_extra")
    import rasterio

    with steady(whole):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                source = rasterio.open(whole, driver="GTiff")
            with source:
                return _pixels(source, whole)
        except (rasterio.errors.RasterioError, pyproj.exceptions.CRSError) as error:
            raise refuse(whole, "input_broken", detail=str(error)) from error


def _pixels(source: Any, path: Path) -> Table:
    found = Findings(path.name)
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
    at: list[IntArray] = []
    persons: list[FloatArray] = []
    for start, counts in _strips(source):
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
    index, amount = np.concatenate(at), np.concatenate(persons)
    residents = largest_remainder(amount)
    index, residents = index[residents > 0], residents[residents > 0]
    if len(index) == 0:
        raise refuse(path, "input_raster_nobody")
    row, column = np.divmod(index, source.width)
    frame = {
        "id": objects([f"r{r}c{c}" for r, c in zip(row.tolist(), column.tolist(), strict=True)]),
        "residents": residents,
    }
    polygons = _polygons(row, column, source.transform, crs)
    west, south, east, north = shapely.total_bounds(polygons)
    if min(west + 180, 180 - east, south + 90, 90 - north) < 0:
        found.add("input_outside_crs", crs=crs.name if crs is not None else "")
    return found.table(gpd.GeoDataFrame(frame_of(frame), geometry=polygons, crs="EPSG:4326"))


def _strips(source: Any) -> Iterator[tuple[int, FloatArray]]:
    """First row and flat counts of strips of the raster; nodata and NaN become 0."""
    for start in range(0, source.height, _STRIP_ROWS):
        rows = (start, min(start + _STRIP_ROWS, source.height))
        band = source.read(1, window=(rows, (0, source.width)), masked=True)
        counts = np.ma.filled(band.astype(np.float64), 0.0).ravel()
        yield start, np.where(np.isnan(counts), 0.0, counts)


def _polygons(row: IntArray, column: IntArray, transform: Any, crs: Any) -> Any:
    """Pixel outlines in EPSG:4326, counter-clockwise corners of a north-up raster."""
    corner_c = np.stack((column, column, column + 1, column + 1), axis=1)
    corner_r = np.stack((row, row + 1, row + 1, row), axis=1)
    x = transform.a * corner_c + transform.b * corner_r + transform.c
    y = transform.d * corner_c + transform.e * corner_r + transform.f
    if not crs.equals("EPSG:4326", ignore_axis_order=True):
        move = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        x, y = move.transform(x, y)
    return shapely.polygons(np.stack((x, y), axis=-1))


def largest_remainder(amount: FloatArray) -> IntArray:
    """Whole numbers nearest to `amount` (k,) whose sum is the rounded sum of `amount`."""
    whole = np.floor(amount).astype(np.int64)
    left = round(float(amount.sum())) - int(whole.sum())
    order = np.argsort(-(amount - whole), kind="stable")
    whole[order[:left]] += 1
    return whole
