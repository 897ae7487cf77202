"""Pixels of rasters of residents: opened, checked, and those with anybody in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj

from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.rasters.geotiff import open_geotiff
from lifecircle.analysis.readers.rasters.products import Product, recognise
from lifecircle.analysis.readers.records.cells import LARGEST_COUNT
from lifecircle.analysis.readers.records.coordinates.located import DEGREES
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.frames import is_earthly

_STRIP_ROWS: Final = 256  # rows read at a time
_MOST_PIXELS: Final = 400_000_000
_DENSITY: Final = re.compile(r"(?i)densit|per_?(?:sq_?)?km|密度")
_M2_PER_HECTARE: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie."""

    crs: pyproj.CRS
    transform: Any
    width: int
    height: int

    def is_other(self, grid: Grid) -> bool:
        """Whether pixels of the same number lie elsewhere."""
        return (self.width, self.height, tuple(self.transform), self.crs) != (
            grid.width, grid.height, tuple(grid.transform), grid.crs)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels with residents: `index` int64 (p,), row by row, and `persons` (p,) in them.

    `groups`: persons of each group (p,). `product`: what the raster is, where that is known.
    """

    file: str
    grid: Grid
    index: IntArray
    persons: FloatArray
    groups: dict[str, FloatArray]
    product: Product | None

    def corners(self) -> FloatArray:
        """Corners (p, 4, 2) of the pixels in the raster's CRS."""
        row, column = np.divmod(self.index, self.grid.width)
        return corners_of(row, column, self.grid.transform)


def read_pixels(path: Path, found: Findings) -> Pixels:
    """The pixels of a GeoTIFF of counts that hold anybody.

    Raises
    ------
    InputError
        No CRS, negative or infinite counts, several bands, a density, a damaged file, rasterio
        missing.
    """
    with open_geotiff(path, "input_raster_extra") as source:
        name, crs = Path(source.name).name, _check_crs(source, found)
        product = recognise(name, crs, source.nodata)
        if product is not None and product.density:
            found.add("raster_density", product=product.title())
            found.stop_on_errors()
        if _DENSITY.search(name):
            found.add("raster_density_named")
            found.stop_on_errors()
        index, persons = _find_inhabited(source, found, product)
        grid = Grid(crs, source.transform, source.width, source.height)
    return Pixels(name, grid, index, persons, {}, product)


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


def _find_inhabited(
    source: Any, found: Findings, product: Product | None
) -> tuple[IntArray, FloatArray]:
    """Pixels with residents: their indices, int64 (p,), row by row, and their counts (p,)."""
    at: list[IntArray] = []
    persons: list[FloatArray] = []
    scale, offset = scale_of(source)
    blank, unsaid = None if product is None else product.blank * scale + offset, 0
    for start, read in _read_strips(source):
        empty = read == blank
        unsaid += int(np.count_nonzero(empty))
        counts = np.where(empty, 0.0, read)
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
    if (scale, offset) != (1.0, 0.0):
        found.add("input_raster_scaled", severity="warning", scale=scale, offset=offset)
    if unsaid and product is not None:
        title = product.title()
        found.add("raster_blank", severity="warning", count=unsaid, value=blank, product=title)
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
    scale, offset = scale_of(source)
    highest = float(np.iinfo(kind).max if kind.kind in "iu" else np.finfo(kind).max)
    highest = highest * scale + offset
    count = int(np.count_nonzero(persons == top))
    bounds = plausible()
    if top > LARGEST_COUNT or (top == highest and count > 1):
        found.add("input_raster_filler", count=count, value=top)
        return
    hectares = _measure_pixel_m2(source) / _M2_PER_HECTARE
    most = bounds.most_per_hectare.value
    crowded = persons > most * max(hectares, bounds.smallest_hectares.value)
    if crowded.any():
        found.add("input_raster_dense", count=int(crowded.sum()), value=top,
                  density=top / hectares, most=most)  # fmt: skip


def _measure_pixel_m2(source: Any) -> float:
    """Area of the pixel in the middle of the raster on the ellipsoid."""
    row, column = np.array([source.height // 2]), np.array([source.width // 2])
    corners = corners_of(row, column, source.transform)[0]
    crs = pyproj.CRS.from_wkt(source.crs.to_wkt())
    move = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True)
    lon, lat = move.transform(*corners.T)
    return abs(float(pyproj.Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]))


def scale_of(source: Any) -> tuple[float, float]:
    """What the numbers of a raster's one band are multiplied by, and what is added to them."""
    return float(source.scales[0]), float(source.offsets[0])


def _read_strips(source: Any) -> Iterator[tuple[int, FloatArray]]:
    """First row and flat counts of strips of the raster, scaled; nodata and NaN become 0."""
    scale, offset = scale_of(source)
    for start in range(0, source.height, _STRIP_ROWS):
        rows = (start, min(start + _STRIP_ROWS, source.height))
        band = source.read(1, window=(rows, (0, source.width)), masked=True)
        counts = np.ma.filled(band.astype(np.float64) * scale + offset, 0.0).ravel()
        yield start, np.where(np.isnan(counts), 0.0, counts)


def corners_of(row: IntArray, column: IntArray, transform: Any) -> FloatArray:
    """Corners (k, 4, 2) of pixels in the raster's CRS, counter-clockwise where north is up."""
    corner_c = np.stack((column, column, column + 1, column + 1), axis=1)
    corner_r = np.stack((row, row + 1, row + 1, row), axis=1)
    x = transform.a * corner_c + transform.b * corner_r + transform.c
    y = transform.d * corner_c + transform.e * corner_r + transform.f
    return np.stack((x, y), axis=-1)
