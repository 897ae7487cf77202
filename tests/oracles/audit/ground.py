"""Buildings and land of an OSM file, as a spread of residents needs them (own reading)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely

RESIDENTIAL = frozenset(
    [
        "apartments",
        "residential",
        "house",
        "detached",
        "semidetached_house",
        "terrace",
        "bungalow",
        "dormitory",
        "farm",
        "cabin",
        "static_caravan",
    ]
)
NO_HOMES_LAND = frozenset({"industrial", "commercial", "retail", "military", "railway", "farmyard"})
NO_HOMES_AMENITY = frozenset({"school", "hospital"})
LIFE = frozenset({"disused", "abandoned", "demolished", "razed", "removed", "ruins"})


@dataclass(slots=True)
class Building:
    """One building: its id, outline in WGS84, floors if told, whether tagged residential."""

    id: str
    shape: Any
    levels: float | None
    height_m: float | None
    tagged: bool
    amenity: bool


@dataclass(slots=True)
class Land:
    """Everything the spread looks at, WGS84."""

    buildings: list[Building] = field(default_factory=list)
    residential: list[Any] = field(default_factory=list)
    no_homes: list[Any] = field(default_factory=list)
    amenities: list[Any] = field(default_factory=list)  # points of schools and hospitals


def read_land(path: Path) -> Land:
    """Areas and amenity nodes of an OSM file."""
    found = Land()
    for item, tags in _items(path):
        if item.is_node():
            if tags.get("amenity") in NO_HOMES_AMENITY:
                found.amenities.append(shapely.Point(item.lon, item.lat))
            continue
        building = tags.get("building")
        use = _use(tags)
        if building not in RESIDENTIAL and building != "yes" and use is None:
            continue
        shape = shapely.from_wkb(_WKB.create_multipolygon(item))
        if (building in RESIDENTIAL or building == "yes") and not _gone(tags):
            kind = "way" if item.from_way() else "relation"
            found.buildings.append(_building(f"{kind}/{item.orig_id()}", shape, tags))
        if use == "residential":
            found.residential.append(shape)
        elif use is not None:
            found.no_homes.append(shape)
    return found


_WKB = osmium.geom.WKBFactory()


def _items(path: Path) -> Iterator[tuple[Any, Mapping[str, str]]]:
    """Nodes and areas with tags."""
    for item in osmium.FileProcessor(str(path)).with_areas():
        if len(item.tags) and (item.is_node() or item.is_area()):
            yield item, {tag.k: tag.v for tag in item.tags}


def _use(tags: Mapping[str, str]) -> str | None:
    use = tags.get("landuse")
    if use == "residential":
        return "residential"
    if use in NO_HOMES_LAND or tags.get("amenity") in NO_HOMES_AMENITY:
        return "other"
    return None


def _gone(tags: Mapping[str, str]) -> bool:
    return any(tags.get(key, "no") != "no" for key in LIFE)


def _building(name: str, shape: Any, tags: Mapping[str, str]) -> Building:
    return Building(
        id=name,
        shape=shape,
        levels=_number(tags.get("building:levels") or tags.get("levels")),
        height_m=_number(tags.get("height") or tags.get("building:height")),
        tagged=tags["building"] in RESIDENTIAL,
        amenity=tags.get("amenity") in NO_HOMES_AMENITY or tags.get("landuse") in NO_HOMES_LAND,
    )


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("m").strip())
    except ValueError:
        return None
    return value if value > 0 and np.isfinite(value) else None
