"""Facilities, buildings and residential land from an OpenStreetMap file, by the policy's tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import osmium
import shapely

from lifecircle.analysis.policy import Policy, Service, TagRule
from lifecircle.analysis.readers.osm.streets import broken_file, check_osm_file
from lifecircle.analysis.readers.records.attributes import flag_words, parse_flags
from lifecircle.analysis.readers.records.cells import no_texts, object_array
from lifecircle.analysis.readers.records.located import Located
from lifecircle.analysis.readers.records.tables import FROM_OSM, FacilityTable

_LAND_KEYS = {"building", "landuse", "boundary"}
_COMMON_KEYS = ("area", "fee", "access", "highway", "name")  # carried by much else, the last most
_AREAL = np.array([shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
_OWNER_TAGS: Final = ("operator:type", "ownership")
_OWNERSHIP = {
    "public": "government",
    "government": "government",
    "private": "private",
    "private_for_profit": "private",
    "private_non_profit": "private",
    "business": "private",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One tagged thing: its id (``node/1``, ``way/2``, ``relation/3``), tags and geometry."""

    id: str
    tags: Mapping[str, str]
    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class OsmPlaces:
    """What a file says about a place, all frames in EPSG:4326, sorted by id.

    facilities : one row per service that a thing serves, with name_en, ownership, opening_hours,
        lit and level.
    buildings : id, building (tag), levels (float, NaN unknown), geometry (polygons).
    residential : id, geometry (polygons of ``landuse=residential``).
    boundaries : id, name, name_en, admin_level, geometry (administrative polygons).
    """

    facilities: FacilityTable
    buildings: gpd.GeoDataFrame
    residential: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame


def read_places(path: Path, policy: Policy) -> OsmPlaces:
    """Facilities of the policy's services, buildings, residential land and boundaries of a file.

    Two passes: one for the members of multipolygons, one for everything.

    Raises
    ------
    InputError
        The file is missing, empty, cut off or not an OSM file.
    """
    check_osm_file(path)
    rules = [rule for service in policy.services.values() for rule in service.osm]
    keys = sorted({_find_anchor(rule) for rule in rules} | _LAND_KEYS)
    try:
        return places_of(_list_things(path, keys), policy)
    except RuntimeError as error:
        raise broken_file(path, error) from error


def places_of(things: Iterable[Place], policy: Policy) -> OsmPlaces:
    """Sort tagged things into facilities, buildings, residential land and boundaries."""
    served = _Served(policy)
    facilities: list[tuple[Place, Service]] = []
    buildings: list[dict[str, Any]] = []
    residential: list[dict[str, Any]] = []
    boundaries: list[dict[str, Any]] = []
    ordered = sorted(things, key=lambda place: place.id)
    areas = np.isin(shapely.get_type_id([thing.geometry for thing in ordered]), _AREAL)
    for thing, areal in zip(ordered, areas.tolist(), strict=True):
        tags = thing.tags
        facilities.extend((thing, service) for service in served(tags))
        if areal and tags.get("building", "no") != "no":
            levels = _parse_number(tags.get("building:levels"))
            buildings.append(
                {"id": thing.id, "building": tags["building"], "levels": levels,
                 "geometry": thing.geometry}
            )  # fmt: skip
        if areal and tags.get("landuse") == "residential":
            residential.append({"id": thing.id, "geometry": thing.geometry})
        if areal and tags.get("boundary") == "administrative":
            boundaries.append(
                {"id": thing.id, "name": tags.get("name"), "name_en": tags.get("name:en"),
                 "admin_level": tags.get("admin_level"), "geometry": thing.geometry}
            )  # fmt: skip
    return OsmPlaces(
        _make_table(facilities),
        _make_frame(buildings, ["id", "building", "levels"]),
        _make_frame(residential, ["id"]),
        _make_frame(boundaries, ["id", "name", "name_en", "admin_level"]),
    )


def _find_anchor(rule: TagRule) -> str:
    """The key a thing is found by: the one of the rule's keys that little else carries."""
    often = {key: rank for rank, key in enumerate(_COMMON_KEYS, start=1)}
    return min(rule.tags, key=lambda key: (often.get(key, 0), key))


class _Served:
    """Which services a thing serves: only rules anchored at one of its tags are tried."""

    def __init__(self, policy: Policy) -> None:
        self._services = list(policy.services.values())
        self._by_tag: dict[tuple[str, str], list[tuple[int, TagRule]]] = {}
        for number, service in enumerate(self._services):
            for rule in service.osm:
                key = _find_anchor(rule)
                for value in rule.tags[key]:
                    self._by_tag.setdefault((key, value), []).append((number, rule))
        self._keys = {key for key, _ in self._by_tag}

    def __call__(self, tags: Mapping[str, str]) -> list[Service]:
        """Services in the policy's order, each once."""
        found = {
            number
            for key in self._keys.intersection(tags)
            for value in ("*", tags[key], *map(str.strip, tags[key].split(";")))
            for number, rule in self._by_tag.get((key, value), ())
            if rule.matches(tags)
        }
        return [self._services[number] for number in sorted(found)]


def _make_table(served: Sequence[tuple[Place, Service]]) -> FacilityTable:
    """Things and the services they offer as facilities."""

    tags = [thing.tags for thing, _ in served]

    def said(*keys: str) -> list[str | None]:
        """The first of some tags that each thing has."""
        return [next((word for key in keys if (word := one.get(key))), None) for one in tags]

    owners = [None if one is None else _OWNERSHIP.get(one) for one in said(*_OWNER_TAGS)]
    return FacilityTable(
        id=object_array([thing.id for thing, _ in served]),
        service=object_array([service.id for _, service in served]),
        name=object_array(said("name", "name:zh", "name:en")),
        source=object_array([FROM_OSM] * len(served)),
        attributes={
            "name_en": object_array(said("name:en")),
            "ownership": object_array(owners),
            "opening_hours": object_array(said("opening_hours")),
            "lit": parse_flags(said("lit"), flag_words("lit")),
            "level": no_texts(len(served)),
        },
        where=Located.of_degrees(object_array([thing.geometry for thing, _ in served]), FROM_OSM),
        rows=np.arange(1, len(served) + 1, dtype=np.int64),
    )


def _parse_number(text: str | None) -> float:
    try:
        value = float(text) if text is not None else np.nan
    except ValueError:
        return np.nan
    return value if 0 < value < np.inf else np.nan


def _make_frame(rows: list[dict[str, Any]], columns: list[str]) -> gpd.GeoDataFrame:
    data = {name: np.array([row[name] for row in rows], dtype=object) for name in columns}
    if "levels" in data:
        data["levels"] = data["levels"].astype(np.float64)
    geometry = np.array([row["geometry"] for row in rows], dtype=object)
    return gpd.GeoDataFrame(data, geometry=geometry, crs="EPSG:4326")


def _list_things(path: Path, keys: list[str]) -> Iterator[Place]:
    """Nodes and closed areas that carry one of some keys, geometry in degrees."""
    wanted = osmium.filter.KeyFilter(*keys)
    as_wkb = osmium.geom.WKBFactory()
    kinds = osmium.osm.NODE | osmium.osm.AREA
    things = (
        osmium.FileProcessor(str(path))
        .with_areas(wanted)
        .with_filter(osmium.filter.EntityFilter(kinds))
        .with_filter(wanted)
    )
    ids: list[str] = []
    tags: list[Mapping[str, str]] = []
    shapes: list[str] = []
    for thing in things:
        try:
            if isinstance(thing, osmium.osm.Node):
                shapes.append(as_wkb.create_point(thing))
                ids.append(f"node/{thing.id}")
            elif isinstance(thing, osmium.osm.Area):
                shapes.append(as_wkb.create_multipolygon(thing))
                ids.append(f"{'way' if thing.from_way() else 'relation'}/{thing.orig_id()}")
            else:
                continue
        except (RuntimeError, osmium.InvalidLocationError):
            continue  # a ring without places, cut off at the extract's border
        tags.append(dict(thing.tags))
    geometry = shapely.from_wkb(np.array(shapes, dtype=object))
    areal = shapely.get_type_id(geometry) == shapely.GeometryType.MULTIPOLYGON
    single = areal & (shapely.get_num_geometries(geometry) == 1)
    geometry[single] = shapely.get_geometry(geometry[single], 0)
    yield from map(Place, ids, tags, geometry)
