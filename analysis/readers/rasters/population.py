"""Population rasters: persons per pixel, made into whole persons with the total kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, fsum
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.quantities import FloatArray, ObjectArray
from lifecircle.analysis.readers.rasters.bands import sum_bands
from lifecircle.analysis.readers.rasters.pixels import Pixels, read_pixels
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.coordinates.antimeridian import (
    is_beyond,
    part_across,
    repeat_around,
    wrap,
)
from lifecircle.analysis.readers.records.coordinates.located import (
    DEGREES,
    Located,
    Reading,
    off_the_earth,
)
from lifecircle.analysis.readers.records.files import refuse
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.tables import CellTable, make_cells

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


def check_population_raster(path: Path) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Everything remarkable in one raster, and notes of what it is: ``WorldPop 2020, ...``.

    One age band is no fault here: beside the others it is of use.

    Raises
    ------
    InputError : it cannot be used.
    """
    found = Findings(Path(path).name)
    pixels = read_pixels(path, found)
    product = pixels.product
    notes: tuple[Fault, ...] = ()
    if product is not None:
        told = {"product": product.title()}
        notes = (Fault("raster_product", pixels.file, params=told, severity="note"),)
        if product.age is not None:
            found.add("raster_band_alone", severity="warning", product=product.title())
    table, _ = _cells(pixels, None, Path(path), found)
    return table.warnings, notes


def read_raster_share(
    path: Path | Sequence[Path], area: Any = None
) -> tuple[CellTable, RasterShare]:
    """Residents (persons) per pixel of a GeoTIFF of counts, within an area if one is given.

    Several files are age bands of one product by their names (and perhaps its raster of all
    residents): they are summed into residents and groups.
    Longitudes beyond 180 degrees go on around the Earth.
    A pixel on the border of the area counts by the share of its own area that lies inside.
    Fractions become whole persons along a curve (`whole_persons`): over all that is kept here,
    in each unit in a city. Pixels of nobody are not rows. What product a raster was taken for is
    a warning, for its signs for no data are read by that.

    Parameters
    ----------
    path
        GeoTIFF of one band, or several.
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
        No CRS, negative or infinite counts, several bands, a damaged file, rasterio missing; one
        age band alone, bands that do not belong together.
    """
    paths = (path,) if isinstance(path, str | Path) else tuple(path)
    first = Path(paths[0])
    found = Findings(first.name)
    read = [read_pixels(one, found) for one in paths]
    pixels = sum_bands(read, found)
    if pixels.product is not None:
        found.add("raster_product", severity="warning", product=pixels.product.title())
    return _cells(pixels, area, first, found)


def _cells(pixels: Pixels, area: Any, path: Path, found: Findings) -> tuple[CellTable, RasterShare]:
    """Pixels as cells, cut to an area."""
    amount, groups = pixels.persons, dict(pixels.groups)
    polygons: Any = shapely.polygons(pixels.corners())
    whole, partial = float(amount.sum()), 0
    turns = pixels.grid.crs.is_geographic and len(polygons) > 0 and is_beyond(polygons)
    if area is not None:
        area = part_across(area)
        area = repeat_around(area) if turns else area
        polygons, share = _cut_to_area(polygons, area, pixels.grid.crs)
        partial = int(np.count_nonzero((share > 0) & (share < 1)))
        amount = amount * share
        groups = {name: one * share for name, one in groups.items()}
    kept_out = whole - float(amount.sum())
    lived_in = amount > 0
    row, column = np.divmod(pixels.index[lived_in], pixels.grid.width)
    amount = amount[lived_in]
    if floor(fsum(amount) + 0.5) == 0:
        raise refuse(path, "input_raster_nobody" if whole == 0 else "input_raster_elsewhere")
    shapes = np.asarray(polygons[lived_in], dtype=np.object_)
    shapes = wrap(shapes) if turns else shapes
    where = _locate_pixels(shapes, pixels.grid.crs, path.name, found)
    ids = [f"r{r}c{c}" for r, c in zip(row.tolist(), column.tolist(), strict=True)]
    parts = {name: one[lived_in] for name, one in groups.items()}
    table = make_cells(object_array(ids), amount, parts, where, ())
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
