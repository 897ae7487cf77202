"""What a map says about places: as rows, which need no pandas, and as the frames made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely

from lifecircle.analysis.quantities import ObjectArray
from lifecircle.analysis.readers.osm.incomplete import Incomplete
from lifecircle.analysis.readers.records.tables import FacilityTable

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, slots=True)
class Place:
    """One tagged thing: its id (``node/1``, ``way/2``, ``relation/3``), tags and geometry."""

    id: str
    tags: Mapping[str, str]
    geometry: shapely.Geometry


Land = Literal["buildings", "residential", "boundaries", "no_homes"]
LAND_COLUMNS: Final[dict[Land, list[str]]] = {
    "buildings": ["id", "building", "levels", "height_m"],
    "residential": ["id"],
    "boundaries": ["id", "name", "name_en", "admin_level"],
    "no_homes": ["id"],
}


@dataclass(frozen=True, slots=True)
class OsmPlaces:
    """What a file says about a place, all frames in EPSG:4326, sorted by id.

    facilities : one row per service that a thing serves, with name_en, ownership, opening_hours,
        lit and level.
    buildings : id, building (tag), levels and height_m (float, NaN unknown), geometry (polygons).
    no_homes : id, geometry of areas and points where nobody lives, by the policy's spread.
    residential : id, geometry (polygons of ``landuse=residential``).
    boundaries : id, name, name_en, admin_level, geometry (administrative polygons).
    incomplete : areas that could not be read, cut at the file's border or not closed.
    not_open : id, service, name, source, state (``gone``, ``planned``), why (the tag that says so),
        geometry: no facilities; the planned ones may be candidates of siting.
    """

    facilities: FacilityTable
    buildings: gpd.GeoDataFrame
    residential: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    not_open: gpd.GeoDataFrame
    no_homes: gpd.GeoDataFrame
    incomplete: tuple[Incomplete, ...] = ()


@dataclass(frozen=True)
class FrameRows:
    """Columns (n,) and geometry (n,), in degrees, of a frame that is still to be made."""

    columns: Mapping[str, Any]
    geometry: ObjectArray

    def framed(self) -> gpd.GeoDataFrame:
        """The frame, in EPSG:4326."""
        import geopandas as gpd  # a process that only reads a map does without

        return gpd.GeoDataFrame(dict(self.columns), geometry=self.geometry, crs="EPSG:4326")

    def __reduce__(self) -> tuple[Callable[..., FrameRows], tuple[Any, ...]]:
        """Shapes are handed over together, not one by one."""
        return _unpacked, (dict(self.columns), shapely.to_wkb(self.geometry))


def _unpacked(columns: Mapping[str, Any], packed: ObjectArray) -> FrameRows:
    return FrameRows(columns, shapely.from_wkb(packed))


@dataclass(frozen=True, slots=True)
class PlaceRows:
    """As `OsmPlaces`, of rows."""

    facilities: FacilityTable
    buildings: FrameRows
    residential: FrameRows
    boundaries: FrameRows
    not_open: FrameRows
    no_homes: FrameRows
    incomplete: tuple[Incomplete, ...] = ()

    def framed(self) -> OsmPlaces:
        """The same in frames."""
        return OsmPlaces(
            self.facilities,
            self.buildings.framed(),
            self.residential.framed(),
            self.boundaries.framed(),
            self.not_open.framed(),
            self.no_homes.framed(),
            self.incomplete,
        )


def land_row(kind: Land, thing: Place) -> dict[str, Any]:
    """What a thing tells as land of a kind, by the columns of `LAND_COLUMNS`, and its geometry."""
    if kind == "buildings":
        return _describe_building(thing)
    row = {"id": thing.id, "geometry": thing.geometry}
    if kind == "boundaries":
        tags = thing.tags
        row |= {"name": tags.get("name"), "name_en": tags.get("name:en")}
        row["admin_level"] = tags.get("admin_level")
    return row


def _describe_building(thing: Place) -> dict[str, Any]:
    tags = thing.tags
    return {
        "id": thing.id,
        "building": tags["building"],
        "levels": _parse_number(tags.get("building:levels")),
        "height_m": _parse_number(tags.get("height") or tags.get("building:height")),
        "geometry": thing.geometry,
    }


def _parse_number(text: str | None) -> float:
    """A number above zero, metres written behind it or not; NaN where it is none."""
    try:
        value = float(text.strip().removesuffix("m")) if text is not None else np.nan
    except ValueError:
        return np.nan
    return value if 0 < value < np.inf else np.nan


def frame_rows(rows: list[dict[str, Any]], columns: list[str]) -> FrameRows:
    """Columns of rows, numbers as such, and their geometry."""
    data = {name: np.array([row[name] for row in rows], dtype=object) for name in columns}
    for name in ("levels", "height_m"):
        if name in data:
            data[name] = data[name].astype(np.float64)
    return FrameRows(data, np.array([row["geometry"] for row in rows], dtype=object))
