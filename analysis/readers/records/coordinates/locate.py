"""Where the records are: shapes from columns, from WKT, or from the layer, as they were written.

This is the seam of coordinate systems: every table goes through `locate`, which finds out what
coordinates mean; `located` moves them, and nothing else in the project moves coordinates between
datums. Coordinates as written become degrees through their CRS (declared, or the layer's own),
and degrees become WGS84 through their datum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import BoolArray, FloatArray, ObjectArray
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.aliases import fold, says_lat_first
from lifecircle.analysis.readers.records.cells import (
    Numbers,
    is_blank,
    keep_where,
    no_texts,
    object_array,
    read_numbers,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import (
    Column,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import pick_coordinates
from lifecircle.analysis.readers.records.coordinates.datums import SHIFTED
from lifecircle.analysis.readers.records.coordinates.datums_named import (
    compare_rows,
    compare_title,
)
from lifecircle.analysis.readers.records.coordinates.grids import find_misfits
from lifecircle.analysis.readers.records.coordinates.located import (
    DEGREES,
    Located,
    Reading,
    is_wgs84,
    off_the_earth,
    outside_shifted_area,
    projector,
)
from lifecircle.analysis.readers.records.coordinates.lost_points import (
    tell_lost_columns,
    tell_lost_points,
)
from lifecircle.analysis.readers.records.coordinates.places_written import (
    Axis,
    read_angles,
    read_places_written,
)
from lifecircle.analysis.readers.records.declarations import Declaration
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.mapping_file import parse_crs
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.repair import open_collections

_SWAPPED_SHARE: Final = 0.5  # of the rows with numbers: more than this, and the columns are swapped
_LOOKED_AT: Final = 200  # cells that show what a column holds
_DEGREE_CODES: Final = frozenset({4326, 4490})  # what EWKT may say of itself and change nothing
_MOST_LON, _MOST_LAT = 180.0, 90.0
_H3_CELL: Final = re.compile(r"8[0-9a-f]{14}", re.IGNORECASE)
_X_OR_Y: Final = ("x", "y", "x坐标", "y坐标", "pointx", "pointy", "coordx", "coordy")
_SURE_M: Final = 1.0  # a transformation between datums no better than this is told


@dataclass(frozen=True, slots=True)
class _Place:
    """How the coordinates of one file are to be understood."""

    crs: Any  # pyproj CRS of coordinates that are no plain degrees, or None
    datum: str
    own: bool
    turned: bool = False  # whether northing and easting are exchanged already


def locate(records: Records, found: Findings) -> Located:
    """The shapes of records; None where a record has none (that is a fault, noted).

    A layer's own CRS counts as declared; what the user says for that very file goes before it.
    Bare coordinates need a datum (one of `DATUMS`) or a CRS.
    """
    said, layer = records.said, records.geometry
    picked = pick_coordinates(records.columns, said, found)
    as_layer = layer is not None and (any(g is not None for g in layer) or "lon" not in picked)
    if not as_layer:
        refuse_strange_cells(picked, found)
    place = _find_place(records, said, as_layer, found)
    if place is None and said.crs is not None:  # no CRS: nothing more can be said
        return Located(no_texts(len(records)))
    swap = said.x_is_north
    if as_layer and layer is not None:
        bare = _shapes_of_layer(records, layer, found)
        if not swap and place is not None and _is_degrees(place.crs) and _is_lat_first(bare):
            swap = True
            found.add("input_lat_first", severity="warning")
    elif "lon" in picked and "lat" in picked:
        lon, lat = picked["lon"], picked["lat"]
        swap = swap and is_x(lon) and is_x(lat)
        if swap and place is not None and _is_degrees(place.crs):
            lon, lat, place = lat, lon, replace(place, turned=True)
        bare = _points_of_columns(lon, lat, place, found)
    elif column := _find_whole(picked):
        bare = _keep_sound(_places_of_column(column, place, said, found), found)
    else:
        cells = next(filter(_is_h3, records.columns), None)
        if cells is not None:
            found.add("input_h3_cells", column=cells.title)
        elif not found:
            found.add("input_no_coordinates", columns=records.titles)
        return Located(no_texts(len(records)))
    if place is None:
        return Located(bare)
    for column in (picked.get("lon"), picked.get("lat")) if not as_layer else ():
        compare_title(column, place.datum, found)
    if not as_layer:
        compare_rows(records, place.datum, found)
    crs = DEGREES if place.crs is None else place.crs.to_string()
    reading = Reading(records.file, len(records), crs, place.datum, swap, place.own)
    return Located(_check_shapes(bare, place, reading, found), (reading,))


def locate_stated(records: Records, found: Findings) -> Located:
    """Shapes as `locate` gives them, and None, without a fault, where a row says nothing."""
    stated = ~find_unplaced(records)
    if not stated.any():
        return Located(no_texts(len(records)))
    part = records.take(stated)
    mine = Findings(records.file, part.rows)
    located = locate(part, mine)
    found.merge(mine)
    shapes = no_texts(len(records))
    shapes[stated] = located.shapes
    counted = tuple(replace(one, count=len(records)) for one in located.readings)
    return Located(shapes, counted)


def find_unplaced(records: Records) -> BoolArray:
    """Records (n,) that say nothing about where they are: no geometry, no cell filled."""
    filled = np.zeros(len(records), np.bool_)
    if records.geometry is not None:
        filled |= np.array([g is not None and not g.is_empty for g in records.geometry], np.bool_)
    quiet = Findings(records.file)
    for column in pick_coordinates(records.columns, records.said, quiet).values():
        filled |= np.array([not is_blank(cell) for cell in column.values], np.bool_)
    return ~filled


def _is_h3(column: Column) -> bool:
    """Whether a column holds cells of the H3 grid: 15 hexadecimal signs that begin with 8."""
    said = [text for text in read_texts(column.values[:_LOOKED_AT]) if text is not None]
    return bool(said) and all(_H3_CELL.fullmatch(text) for text in said)


def _find_place(
    records: Records, said: Declaration, as_layer: bool, found: Findings
) -> _Place | None:
    """What the user and the layer say together; None (and a fault) if neither says enough."""
    crs = None
    if said.crs is not None:
        crs = parse_crs(said.crs)
        if crs is None:
            found.add("input_crs_said", crs=said.crs)
            return None
    own = records.crs if as_layer else None
    if own is not None and not said.of_this_file:
        if said.datum in SHIFTED:
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


def _check_shapes(
    bare: ObjectArray, place: _Place, reading: Reading, found: Findings
) -> ObjectArray:
    """Shapes as written, easting first; those that are no places of their CRS are faults."""
    swap = reading.x_is_north and not place.turned
    wrong = find_misfits(shapely.get_coordinates(bare), place.crs, swap)
    for misfit in wrong:
        found.add(misfit.key, **misfit.params)
    if wrong:
        return no_texts(len(bare))
    if swap:
        bare = np.asarray(shapely.transform(bare, lambda xy: xy[:, ::-1]), dtype=np.object_)
    if place.crs is not None and not is_wgs84(reading.crs):
        _tell_datum(place.crs, found)
    nowhere = off_the_earth(bare, reading.crs)
    name = "WGS 84" if place.crs is None else place.crs.name
    found.each("input_outside_crs", nowhere, crs=name)
    kept = keep_where(bare, ~nowhere) if nowhere.any() else bare
    if place.datum in SHIFTED:
        abroad = outside_shifted_area(kept, reading.crs)
        found.remark("input_datum_abroad", abroad, datum=place.datum)
    return kept


def _tell_datum(crs: Any, found: Findings) -> None:
    """Remark on CGCS2000, and on a datum to which no exact transformation is known."""
    if crs.geodetic_crs is not None and "China 2000" in crs.geodetic_crs.datum.name:
        found.add("input_cgcs2000", severity="warning")
        return
    move = projector(crs.to_string(), DEGREES)
    if move.accuracy < 0 or move.accuracy > _SURE_M:
        known = f"{move.accuracy:.0f} m" if move.accuracy > 0 else "?"
        found.add("input_crs_unsure", severity="warning", crs=crs.name, accuracy=known)


def has_polygons(records: Records) -> bool:
    """Whether the records are polygons, by the layer or by a WKT column."""
    if records.geometry is not None:
        shapes = [g for g in records.geometry if g is not None]
        return bool(shapes) and all(shapely.get_type_id(g) in (3, 6) for g in shapes)
    picked = pick_coordinates(records.columns, records.said, Findings(records.file))
    whole = _find_whole(picked)
    return whole is not None and any(
        isinstance(cell, str) and "POLYGON" in cell[:40].upper() for cell in whole.values
    )


def _shapes_of_layer(records: Records, layer: ObjectArray, found: Findings) -> ObjectArray:
    """The shapes of a layer; a row without one is a fault."""
    unread = np.zeros(len(records), np.bool_) if records.unread is None else records.unread
    found.each("input_geometry_unread", unread)
    empty = np.asarray(shapely.is_missing(layer) | shapely.is_empty(layer), np.bool_)
    found.each("input_geometry_missing", empty & ~unread)
    layer = keep_where(layer, ~empty) if empty.any() else layer
    return _keep_sound(open_collections(layer, found), found)


def _is_lat_first(shapes: ObjectArray) -> bool:
    """Whether every shape has the latitude first: none of the second numbers can be one."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return bool(west >= -_MOST_LAT and east <= _MOST_LAT < south and north <= _MOST_LON)


def _keep_sound(shapes: ObjectArray, found: Findings) -> ObjectArray:
    """Flat geometries of finite coordinates and a bearable number of them; else a fault."""
    there = ~shapely.is_missing(shapes)
    finite = _is_finite(shapes)
    found.each("input_geometry_not_finite", ~finite & there)
    count = shapely.get_num_coordinates(shapes)
    if count.sum() > limits.VERTICES:
        found.add("input_vertices", count=int(count.sum()), most=limits.VERTICES)
        return no_texts(len(shapes))
    found.each("input_vertices_one", count > limits.SHAPE_VERTICES, most=limits.SHAPE_VERTICES)
    sound = there & finite & (count <= limits.SHAPE_VERTICES)
    kept = shapes if sound.all() else keep_where(shapes, sound)
    if shapely.get_coordinate_dimension(kept).max(initial=2) == 2:
        return kept
    return np.asarray(shapely.force_2d(kept), dtype=np.object_)


def _points_of_columns(
    lon: Column, lat: Column, place: _Place | None, found: Findings
) -> ObjectArray:
    """Points of two columns as written; every cell that is no coordinate is a fault."""
    parsed = [_read_axis(lon, "lon", place, found), _read_axis(lat, "lat", place, found)]
    for column, part in zip((lon, lat), parsed, strict=True):
        found.each("input_coordinate_blank", part.blank, column=column.title)
        found.each("input_number_text", part.bad, column=column.title, values=column.values)
    known = parsed[0].known & parsed[1].known
    x, y = (np.where(known, part.value, 0.0) for part in parsed)
    zero = known & (x == 0) & (y == 0)
    found.each("input_zero_zero", zero, column=f"{lon.title}, {lat.title}")
    sound = known & ~zero
    if place is None or _is_degrees(place.crs):
        sound &= _check_degrees(lon, lat, (x, y), sound, found)
    points: ObjectArray = np.asarray(shapely.points(x, y), dtype=np.object_)
    return points if sound.all() else keep_where(points, sound)


def _read_axis(column: Column, axis: Axis, place: _Place | None, found: Findings) -> Numbers:
    """A column of one axis as numbers; degrees in any way people write them."""
    if place is not None and not _is_degrees(place.crs):
        return read_numbers(column.values)
    read, commas = read_angles(column.values, axis)
    found.remark("input_decimal_comma", commas, column=column.title)
    return read


def _is_degrees(crs: Any) -> bool:
    return crs is None or bool(crs.is_geographic)


def is_x(column: Column) -> bool:
    """Whether a title says x or y, and not which of them is the easting."""
    if any(field in ("lon", "lat") for field in column.fields):
        return True
    return fold(column.title).partition("(")[0] in _X_OR_Y


def _check_degrees(
    lon: Column, lat: Column, xy: tuple[FloatArray, FloatArray], known: BoolArray, found: Findings
) -> BoolArray:
    """Where two columns hold degrees; else a fault of the row, or one of the whole file."""
    x, y = xy
    far = known & ((np.abs(x) > _MOST_LON) | (np.abs(y) > _MOST_LON))
    swapped = known & ~far & (np.abs(y) > _MOST_LAT) & (np.abs(x) <= _MOST_LAT)
    beyond = known & ~far & ~swapped & (np.abs(y) > _MOST_LAT)
    many = far.sum() > _SWAPPED_SHARE * known.sum()
    if many and not tell_lost_columns(lon, lat, (x[far], y[far]), found):
        for misfit in find_misfits(np.column_stack((x[far], y[far])), None, False):
            found.add(misfit.key, column=f"{lon.title}, {lat.title}", **misfit.params)
    elif not many:
        lost = tell_lost_points(lon, lat, xy, known, found)
        found.each("input_lon_range", far & ~lost & (np.abs(x) > _MOST_LON), column=lon.title,
                   values=lon.values)  # fmt: skip
        lat_only = far & ~lost & (np.abs(x) <= _MOST_LON)
        found.each("input_lat_range", lat_only, column=lat.title, values=lat.values)
    if swapped.sum() > _SWAPPED_SHARE * known.sum():
        found.add("input_swapped_columns", lon=lon.title, lat=lat.title,
                  x=x[swapped][0], y=y[swapped][0])  # fmt: skip
    else:
        found.each("input_swapped_row", swapped, column=lat.title, values=lat.values)
    found.each("input_lat_range", beyond, column=lat.title, values=lat.values)
    sound: BoolArray = ~(far | swapped | beyond)
    return sound


def _find_whole(picked: Mapping[str, Column]) -> Column | None:
    """The column that holds a whole place a cell; a title that may mean an address has to."""
    column = picked.get("wkt")
    if column is not None:
        return column
    column = picked.get("place")
    if column is None or "place" in column.fields:
        return column
    some = [cell for cell in column.values if not is_blank(cell)][:_LOOKED_AT]
    read = read_places_written(object_array(some), degrees=True)
    return column if (~shapely.is_missing(read.shapes)).sum() > len(some) / 2 else None


def _places_of_column(
    column: Column, place: _Place | None, said: Declaration, found: Findings
) -> ObjectArray:
    """Places of a column that holds a whole one a cell, as written, longitude first."""
    cells, title = column.values, column.title
    degrees = place is None or _is_degrees(place.crs)
    lat_first = any(map(says_lat_first, (title, *column.also)))
    read = read_places_written(cells, degrees=degrees, lat_first=lat_first)
    for code in sorted(read.srid - _DEGREE_CODES):
        if parse_crs(said.crs or "") is None or said.crs is None or str(code) not in said.crs:
            found.add("input_ewkt_crs", column=title, code=code)
    unread = shapely.is_missing(read.shapes) & ~read.blank
    found.each("input_geometry_missing", read.blank, column=title)
    found.each("input_place_text", unread, column=title, values=cells)
    found.remark("input_rings_closed", read.closed, column=title)
    if not read.turned.all():
        found.remark("input_place_turned", read.turned, column=title)
    elif read.by_range.any() and not lat_first:
        found.add("input_lat_first", severity="warning", column=title)
    open_pairs = read.open & ~read.turned if not lat_first else np.zeros(len(cells), np.bool_)
    found.remark("input_place_order", open_pairs, column=title)
    return _check_pairs(read.shapes, column, degrees, found)


def _check_pairs(
    shapes: ObjectArray, column: Column, degrees: bool, found: Findings
) -> ObjectArray:
    """Places whose numbers may be degrees, and that are somewhere; the others are faults."""
    there = ~shapely.is_missing(shapes)
    empty = there & shapely.is_empty(shapes)
    found.each("input_geometry_missing", empty, column=column.title)
    is_point = there & ~empty & (shapely.get_type_id(shapes) == 0)
    x, y = (np.nan_to_num(part) for part in (shapely.get_x(shapes), shapely.get_y(shapes)))
    zero = is_point & (x == 0) & (y == 0)
    found.each("input_zero_zero", zero, column=column.title)
    sound = there & ~empty & ~zero
    if degrees and is_point.any():
        sound &= _check_degrees(column, column, (x, y), is_point & ~zero, found)
    return keep_where(shapes, sound)


def _is_finite(shapes: ObjectArray) -> BoolArray:
    finite: BoolArray = np.isfinite(shapely.bounds(shapes)).all(axis=-1).reshape(-1)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite
