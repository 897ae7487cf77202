"""What a map says about places: as rows, which need no pandas, and as the frames made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from lifecircle.analysis.quantities import ObjectArray
from lifecircle.analysis.readers.osm.incomplete import Incomplete
from lifecircle.analysis.readers.records.tables import FacilityTable

if TYPE_CHECKING:
    import geopandas as gpd


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
