"""Where the records are: geometries in EPSG:4326 from columns, from WKT, or from the layer.

This is the seam of coordinate systems: every table goes through `locate`, and nothing else
in the project moves coordinates between datums.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyproj
import shapely

from analysis.quantities import BoolArray, FloatArray
from analysis.sources.columns_in import Column, numbers, pick
from analysis.sources.coordinates import DATUMS, in_shifted_area, to_wgs84
from analysis.sources.findings import Findings, ObjectArray, absent, kept
from analysis.sources.records import Records

_SWAPPED_SHARE: Final = 0.5  # of the rows with numbers: more than this, and the columns are swapped
_MOST_LON, _MOST_LAT = 180.0, 90.0


def locate(records: Records, datum: str | None, found: Findings) -> ObjectArray:
    """Geometries (n,) in EPSG:4326, None where a record has none (that is a fault, noted).

    A layer's own CRS counts as declared. Bare coordinates need `datum`, one of `DATUMS`.
    """
    if datum is not None and datum not in DATUMS:
        found.add("input_datum_unknown", datum=datum, known=", ".join(DATUMS))
        datum = "wgs84"
    picked = pick(records.columns, "coordinates", found)
    layer = records.geometry
    if layer is not None and (any(g is not None for g in layer) or "lon" not in picked):
        return _from_layer(records, layer, datum, found)
    if "lon" in picked and "lat" in picked:
        bare = _from_columns(picked["lon"], picked["lat"], found)
    elif "wkt" in picked:
        bare = _from_wkt(picked["wkt"], found)
    else:
        found.add("input_no_coordinates", columns=records.titles)
        return np.full(len(records), None, dtype=np.object_)
    if datum is None:
        found.add("input_datum_missing")
        return bare
    return _from_datum(bare, datum, found)


def repaired(shapes: ObjectArray, found: Findings) -> ObjectArray:
    """Valid geometries: broken areas are mended with a warning, the unmendable are a fault."""
    there = ~absent(shapes)
    broken = there & ~shapely.is_valid(shapes)
    if not broken.any():
        return shapes
    mended = shapes.copy()
    for index in np.flatnonzero(broken):
        mended[index] = _areas_of(shapely.make_valid(shapes[index]), shapes[index])
    lost = broken & absent(mended)
    found.each("input_geometry_broken", lost)
    reason = shapely.is_valid_reason(shapes[np.flatnonzero(broken)[0]])
    found.remark("input_geometry_repaired", broken & ~lost, reason=reason)
    return mended


def _areas_of(valid: Any, original: Any) -> Any:
    """What a mended geometry has of the original's dimension, None if nothing is left."""
    dimension = shapely.get_dimensions(original)
    parts = [p for p in shapely.get_parts(valid) if shapely.get_dimensions(p) == dimension]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def has_polygons(records: Records) -> bool:
    """Whether the records are polygons, by the layer or by a WKT column."""
    if records.geometry is not None:
        shapes = [g for g in records.geometry if g is not None]
        return bool(shapes) and all(shapely.get_type_id(g) in (3, 6) for g in shapes)
    wkt = pick(records.columns, "coordinates", Findings(records.file)).get("wkt")
    return wkt is not None and any(
        isinstance(cell, str) and "POLYGON" in cell[:20].upper() for cell in wkt.values
    )


def _from_layer(
    records: Records, layer: ObjectArray, datum: str | None, found: Findings
) -> ObjectArray:
    """The layer's geometries through its own CRS."""
    empty = np.array([g is None or g.is_empty for g in layer], np.bool_)
    found.each("input_geometry_missing", empty)
    if records.crs is None:
        found.add("input_layer_crs_missing")
        return layer
    if datum in ("gcj02", "bd09"):
        crs = records.crs.name
        found.add("input_datum_not_applied", severity="warning", datum=datum, crs=crs)
    if records.crs.geodetic_crs is not None and "China 2000" in records.crs.geodetic_crs.datum.name:
        found.add("input_cgcs2000", severity="warning")
    finite = _finite(layer)
    found.each("input_geometry_not_finite", ~finite & ~empty)
    sound = kept(layer, finite & ~empty)
    flat = shapely.force_2d(sound)
    if not records.crs.equals("EPSG:4326", ignore_axis_order=True):
        move = pyproj.Transformer.from_crs(records.crs, "EPSG:4326", always_xy=True)
        flat = shapely.transform(
            flat, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
        )
    outside = ~_on_earth(flat) & finite & ~empty
    found.each("input_outside_crs", outside, crs=records.crs.name)
    return kept(flat, ~outside)


def _from_columns(lon: Column, lat: Column, found: Findings) -> ObjectArray:
    """Points of two columns; every cell that is no place on Earth is a fault."""
    parsed = [numbers(column.values) for column in (lon, lat)]
    for column, part in zip((lon, lat), parsed, strict=True):
        found.each("input_coordinate_blank", part.blank, column=column.title)
        found.each("input_number_text", part.bad, column=column.title, values=column.values)
    known = parsed[0].known & parsed[1].known
    x, y = (np.where(known, part.value, 0.0) for part in parsed)
    far = known & ((np.abs(x) > _MOST_LON) | (np.abs(y) > _MOST_LON))
    swapped = known & ~far & (np.abs(y) > _MOST_LAT) & (np.abs(x) <= _MOST_LAT)
    zero = known & (x == 0) & (y == 0)
    beyond = known & ~far & ~swapped & (np.abs(y) > _MOST_LAT)
    if far.sum() > _SWAPPED_SHARE * known.sum():
        found.add("input_metres", column=f"{lon.title}, {lat.title}", x=x[far][0], y=y[far][0])
    else:
        found.each("input_lon_range", far & (np.abs(x) > _MOST_LON), column=lon.title,
                   values=lon.values)  # fmt: skip
        lat_only = far & (np.abs(x) <= _MOST_LON)
        found.each("input_lat_range", lat_only, column=lat.title, values=lat.values)
    if swapped.sum() > _SWAPPED_SHARE * known.sum():
        found.add("input_swapped_columns", lon=lon.title, lat=lat.title,
                  x=x[swapped][0], y=y[swapped][0])  # fmt: skip
    else:
        found.each("input_swapped_row", swapped, column=lat.title, values=lat.values)
    found.each("input_lat_range", beyond, column=lat.title, values=lat.values)
    found.each("input_zero_zero", zero, column=f"{lon.title}, {lat.title}")
    sound = known & ~far & ~swapped & ~zero & ~beyond
    points: ObjectArray = np.asarray(shapely.points(x, y), dtype=np.object_)
    return kept(points, sound)


def _from_wkt(column: Column, found: Findings) -> ObjectArray:
    """Geometries of a column of well-known text."""
    cells = column.values
    blank = np.array([not isinstance(cell, str) or not cell.strip() for cell in cells], np.bool_)
    shapes = shapely.from_wkt(kept(cells, ~blank), on_invalid="ignore")
    unread = absent(shapes) & ~blank
    found.each("input_geometry_missing", blank, column=column.title)
    found.each("input_wkt", unread, column=column.title, values=cells)
    shapes = shapely.force_2d(shapes)
    filled = ~absent(shapes)
    empty = filled & shapely.is_empty(shapes)
    found.each("input_geometry_missing", empty, column=column.title)
    wrong = filled & ~empty & ~(_finite(shapes) & _on_earth(shapes))
    found.each("input_wkt_range", wrong, column=column.title, values=cells)
    return kept(shapes, filled & ~empty & ~wrong)


def _from_datum(bare: ObjectArray, datum: str, found: Findings) -> ObjectArray:
    """Bare coordinates moved from their datum to WGS84."""
    if datum == "cgcs2000":
        found.add("input_cgcs2000", severity="warning")
    if datum not in ("gcj02", "bd09"):
        return bare
    abroad = np.array(
        [g is not None and not in_shifted_area(shapely.get_coordinates(g)).all() for g in bare],
        np.bool_,
    )
    found.remark("input_datum_abroad", abroad, datum=datum)

    def move(xy: FloatArray) -> FloatArray:
        return to_wgs84(xy, datum)

    moved: ObjectArray = shapely.transform(bare, move)
    return moved


def _finite(shapes: ObjectArray) -> BoolArray:
    finite: BoolArray = np.isfinite(shapely.bounds(shapes)).all(axis=-1).reshape(-1)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite


def _on_earth(shapes: ObjectArray) -> BoolArray:
    west, south, east, north = shapely.bounds(shapes).T
    inside: BoolArray = (west >= -_MOST_LON) & (east <= _MOST_LON)
    inside &= (south >= -_MOST_LAT) & (north <= _MOST_LAT)
    return inside
