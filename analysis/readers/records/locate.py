"""Where the records are: geometries in EPSG:4326 from columns, from WKT, or from the layer.

This is the seam of coordinate systems: every table goes through `locate`, and nothing else
in the project moves coordinates between datums. Coordinates as written become degrees through
their CRS (declared, or the layer's own), and degrees become WGS84 through their datum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.columns import (
    Column,
    datum_in_title,
    folded,
    numbers,
    pick,
)
from lifecircle.analysis.readers.records.datums import DATUMS, from_wgs84, in_shifted_area, to_wgs84
from lifecircle.analysis.readers.records.declarations import Declaration, Reading
from lifecircle.analysis.readers.records.findings import Findings, ObjectArray, absent, kept
from lifecircle.analysis.readers.records.grids import misfits
from lifecircle.analysis.readers.records.mapping_file import crs_of
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.tangles import is_tangled

DEGREES: Final = "EPSG:4326"

_SWAPPED_SHARE: Final = 0.5  # of the rows with numbers: more than this, and the columns are swapped
_MOST_LON, _MOST_LAT = 180.0, 90.0
_SURE_M: Final = 1.0  # a transformation between datums no better than this is told


@dataclass(frozen=True, slots=True)
class _Place:
    """How the coordinates of one file are to be understood."""

    crs: Any  # pyproj CRS of coordinates that are no plain degrees, or None
    datum: str
    own: bool


def locate(records: Records, datum: str | None, found: Findings) -> ObjectArray:
    """Geometries (n,) in EPSG:4326, None where a record has none (that is a fault, noted).

    A layer's own CRS counts as declared; what the user says for that very file goes before it.
    Bare coordinates need a datum (one of `DATUMS`) or a CRS.
    """
    if datum is not None and datum not in DATUMS:
        found.add("input_datum_unknown", datum=datum, known=", ".join(DATUMS))
        datum = "wgs84"
    said = records.said.or_datum(datum)
    layer = records.geometry
    picked = pick(records.columns, "coordinates", found)
    as_layer = layer is not None and (any(g is not None for g in layer) or "lon" not in picked)
    place = _place(records, said, as_layer, found)
    swap, turned = said.x_is_north, False  # whether to exchange the two, whether that is done
    if place is None and said.crs is not None:  # no CRS: nothing more can be said
        return np.full(len(records), None, dtype=np.object_)
    if as_layer and layer is not None:
        unread = np.zeros(len(records), np.bool_) if records.unread is None else records.unread
        found.each("input_geometry_unread", unread)
        empty = np.array([g is None or g.is_empty for g in layer], np.bool_)
        found.each("input_geometry_missing", empty & ~unread)
        bare = _sound_shapes(kept(layer, ~empty), found)
    elif "lon" in picked and "lat" in picked:
        lon, lat = picked["lon"], picked["lat"]
        swap = swap and is_x(lon) and is_x(lat)
        if swap and place is not None and _is_degrees(place.crs):
            lon, lat, turned = lat, lon, True
        bare = _from_columns(lon, lat, place, found)
    elif "wkt" in picked:
        bare = _sound_shapes(_from_wkt(picked["wkt"], found), found)
    else:
        found.add("input_no_coordinates", columns=records.titles)
        return np.full(len(records), None, dtype=np.object_)
    if place is None:
        return bare
    crs = DEGREES if place.crs is None else place.crs.to_string()
    found.readings.append(Reading(records.file, len(records), crs, place.datum, swap, place.own))
    for column in (picked.get("lon"), picked.get("lat")) if not as_layer else ():
        _compare_title(column, place, found)
    return _placed(bare, place, found, swap=swap and not turned)


def as_written(lonlat: FloatArray, reading: Reading) -> FloatArray:
    """WGS84 degrees (k, 2) as the file they were read from wrote them: x, y (k, 2)."""
    xy = from_wgs84(lonlat, reading.datum)
    if reading.crs != DEGREES:
        xy = np.column_stack(_mover(DEGREES, reading.crs).transform(xy[:, 0], xy[:, 1]))
    return xy[:, ::-1] if reading.x_is_north else xy


def read_again(xy: FloatArray, reading: Reading) -> FloatArray:
    """WGS84 degrees (k, 2) of coordinates as written, were they of `reading`; NaN outside it."""
    xy = xy[:, ::-1] if reading.x_is_north else xy
    if reading.crs != DEGREES:
        xy = np.column_stack(_mover(reading.crs, DEGREES).transform(xy[:, 0], xy[:, 1]))
    sound = np.isfinite(xy).all(axis=1) & (np.abs(xy) <= (_MOST_LON, _MOST_LAT)).all(axis=1)
    again = np.full(xy.shape, np.nan)
    again[sound] = to_wgs84(xy[sound], reading.datum)
    return again


@cache
def _mover(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _place(records: Records, said: Declaration, as_layer: bool, found: Findings) -> _Place | None:
    """What the user and the layer say together; None (and a fault) if neither says enough."""
    crs = None
    if said.crs is not None:
        crs = crs_of(said.crs)
        if crs is None:
            found.add("input_crs_said", crs=said.crs)
            return None
    own = records.crs if as_layer else None
    if own is not None and not said.of_this_file:
        if said.datum in ("gcj02", "bd09"):
            found.add("input_datum_not_applied", severity="warning", datum=said.datum, crs=own.name)
        if crs is not None and not crs.equals(own, ignore_axis_order=True):
            found.add("input_crs_not_applied", severity="warning", said=said.crs, crs=own.name)
        return _Place(own, "wgs84", own=True)
    if said.datum is None and crs is None:
        found.add("input_layer_crs_missing" if as_layer else "input_datum_missing")
        return None
    if own is not None:
        told = " + ".join(word for word in (said.crs, said.datum) if word)
        found.add("input_crs_overridden", severity="warning", crs=own.name, said=told)
        if crs is None and not own.is_geographic:
            crs = own
    if said.datum == "cgcs2000":
        found.add("input_cgcs2000", severity="warning")
    if said.datum == "bd09":
        found.add("input_bd09_residual", severity="warning")
    return _Place(crs, said.datum or "wgs84", own=False)


def _compare_title(column: Column | None, place: _Place, found: Findings) -> None:
    """Warn where a title names another datum than the one declared."""
    named = datum_in_title(column.title) if column is not None else None
    same = {"wgs84", "cgcs2000"}
    if column is None or named is None or named == place.datum or {named, place.datum} == same:
        return
    found.add("input_title_datum", column=column.title, severity="warning", named=named,
              datum=place.datum)  # fmt: skip


def _placed(bare: ObjectArray, place: _Place, found: Findings, *, swap: bool) -> ObjectArray:
    """Geometries as written, through their CRS and their datum, to WGS84."""
    coordinates = shapely.get_coordinates(bare)
    wrong = misfits(coordinates, place.crs, swap)
    for misfit in wrong:
        found.add(misfit.key, **misfit.params)
    if wrong:
        return np.full(len(bare), None, dtype=np.object_)
    if swap:
        bare = shapely.transform(bare, lambda xy: xy[:, ::-1])
    degrees = bare
    name = "WGS 84" if place.crs is None else place.crs.name
    if place.crs is not None and not place.crs.equals(DEGREES, ignore_axis_order=True):
        _tell_datum(place.crs, found)
        move = _mover(place.crs.to_string(), DEGREES)
        degrees = shapely.transform(
            bare, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
        )
    outside = ~absent(degrees) & ~(_finite(degrees) & _on_earth(degrees))
    found.each("input_outside_crs", outside, crs=name)
    return _from_datum(kept(degrees, ~outside), place.datum, found)


def _tell_datum(crs: Any, found: Findings) -> None:
    """Remark on CGCS2000, and on a datum to which no exact transformation is known."""
    if crs.geodetic_crs is not None and "China 2000" in crs.geodetic_crs.datum.name:
        found.add("input_cgcs2000", severity="warning")
        return
    move = _mover(crs.to_string(), DEGREES)
    if move.accuracy < 0 or move.accuracy > _SURE_M:
        known = f"{move.accuracy:.0f} m" if move.accuracy > 0 else "?"
        found.add("input_crs_unsure", severity="warning", crs=crs.name, accuracy=known)


def repaired(shapes: ObjectArray, found: Findings) -> ObjectArray:
    """Valid geometries: broken areas are mended with a warning, the unmendable are a fault."""
    there = ~absent(shapes)
    broken = there & ~shapely.is_valid(shapes)
    if not broken.any():
        return shapes
    mended = shapes.copy()
    heavy = broken & (shapely.get_num_coordinates(shapes) > limits.BROKEN_VERTICES)
    for index in np.flatnonzero(broken & ~heavy):
        heavy[index] = is_tangled(shapes[index])
    found.each("input_geometry_tangled", heavy)
    mended[heavy] = None
    for index in np.flatnonzero(broken & ~heavy):
        mended[index] = _areas_of(shapely.make_valid(shapes[index]), shapes[index])
    lost = broken & ~heavy & absent(mended)
    found.each("input_geometry_broken", lost)
    reason = shapely.is_valid_reason(shapes[np.flatnonzero(broken)[0]])
    found.remark("input_geometry_repaired", broken & ~heavy & ~lost, reason=reason)
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


def _sound_shapes(shapes: ObjectArray, found: Findings) -> ObjectArray:
    """Flat geometries of finite coordinates and a bearable number of them; else a fault."""
    there = ~absent(shapes)
    finite = _finite(shapes)
    found.each("input_geometry_not_finite", ~finite & there)
    count = shapely.get_num_coordinates(shapes)
    if count.sum() > limits.VERTICES:
        found.add("input_vertices", count=int(count.sum()), most=limits.VERTICES)
        return np.full(len(shapes), None, dtype=np.object_)
    found.each("input_vertices_one", count > limits.SHAPE_VERTICES, most=limits.SHAPE_VERTICES)
    flat: ObjectArray = shapely.force_2d(
        kept(shapes, there & finite & (count <= limits.SHAPE_VERTICES))
    )
    return flat


def _from_columns(lon: Column, lat: Column, place: _Place | None, found: Findings) -> ObjectArray:
    """Points of two columns as written; every cell that is no coordinate is a fault."""
    parsed = [numbers(column.values) for column in (lon, lat)]
    for column, part in zip((lon, lat), parsed, strict=True):
        found.each("input_coordinate_blank", part.blank, column=column.title)
        found.each("input_number_text", part.bad, column=column.title, values=column.values)
    known = parsed[0].known & parsed[1].known
    x, y = (np.where(known, part.value, 0.0) for part in parsed)
    zero = known & (x == 0) & (y == 0)
    found.each("input_zero_zero", zero, column=f"{lon.title}, {lat.title}")
    sound = known & ~zero
    if place is None or _is_degrees(place.crs):
        sound &= _degrees(lon, lat, (x, y), sound, found)
    points: ObjectArray = np.asarray(shapely.points(x, y), dtype=np.object_)
    return kept(points, sound)


def _is_degrees(crs: Any) -> bool:
    return crs is None or bool(crs.is_geographic)


def is_x(column: Column) -> bool:
    """Whether a title says x or y, and not which of them is the easting."""
    if any(field in ("lon", "lat") for field in column.fields):
        return True
    return folded(column.title).partition("(")[0] in ("x", "y", "x坐标", "y坐标", "pointx",
                                                      "pointy", "coordx", "coordy")  # fmt: skip


def _degrees(
    lon: Column, lat: Column, xy: tuple[FloatArray, FloatArray], known: BoolArray, found: Findings
) -> BoolArray:
    """Where two columns hold degrees; else a fault of the row, or one of the whole file."""
    x, y = xy
    far = known & ((np.abs(x) > _MOST_LON) | (np.abs(y) > _MOST_LON))
    swapped = known & ~far & (np.abs(y) > _MOST_LAT) & (np.abs(x) <= _MOST_LAT)
    beyond = known & ~far & ~swapped & (np.abs(y) > _MOST_LAT)
    if far.sum() > _SWAPPED_SHARE * known.sum():
        for misfit in misfits(np.column_stack((x[far], y[far])), None, False):
            found.add(misfit.key, column=f"{lon.title}, {lat.title}", **misfit.params)
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
    sound: BoolArray = ~(far | swapped | beyond)
    return sound


def _from_wkt(column: Column, found: Findings) -> ObjectArray:
    """Geometries of a column of well-known text, as written."""
    cells = column.values
    blank = np.array([not isinstance(cell, str) or not cell.strip() for cell in cells], np.bool_)
    shapes = shapely.from_wkt(kept(cells, ~blank), on_invalid="ignore")
    unread = absent(shapes) & ~blank
    found.each("input_geometry_missing", blank, column=column.title)
    found.each("input_wkt", unread, column=column.title, values=cells)
    empty = ~absent(shapes) & shapely.is_empty(shapes)
    found.each("input_geometry_missing", empty, column=column.title)
    return kept(shapes, ~absent(shapes) & ~empty)


def _from_datum(bare: ObjectArray, datum: str, found: Findings) -> ObjectArray:
    """Degrees moved from their datum to WGS84."""
    if datum not in ("gcj02", "bd09"):
        return bare
    abroad = np.array(
        [g is not None and not in_shifted_area(shapely.get_coordinates(g)).all() for g in bare],
        np.bool_,
    )
    found.remark("input_datum_abroad", abroad, datum=datum)
    moved: ObjectArray = shapely.transform(bare, lambda xy: to_wgs84(xy, datum))
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
