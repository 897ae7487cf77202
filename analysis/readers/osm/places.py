"""Facilities, buildings and residential land from an OpenStreetMap file, by the policy's tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely

from lifecircle.analysis.policy import HomeRules, Policy, Service, TagRule
from lifecircle.analysis.policy.names import names_of
from lifecircle.analysis.policy.sections.life_cycle import OPEN, Life, LifeReader, State
from lifecircle.analysis.policy.sections.rules import values_of
from lifecircle.analysis.readers.osm.areas import Areas, read_areas
from lifecircle.analysis.readers.osm.incomplete import find_incomplete
from lifecircle.analysis.readers.osm.lines import read_lines
from lifecircle.analysis.readers.osm.opl import Line, Objects, lines_of
from lifecircle.analysis.readers.osm.place_rows import (
    LAND_COLUMNS,
    Land,
    OsmPlaces,
    Place,
    PlaceRows,
    frame_rows,
    land_row,
)
from lifecircle.analysis.readers.osm.source import broken_file, check_osm_file
from lifecircle.analysis.readers.records.attributes import flag_words, parse_flags
from lifecircle.analysis.readers.records.cells import no_texts, object_array
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.tables import FROM_OSM, FacilityTable

_LAND_KEYS = {"building", "landuse", "boundary"}
_COMMON_KEYS = ("area", "fee", "access", "highway", "name")  # carried by much else, the last most
_KINDS: Final = (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION)
_LINEAR, _AREAL = 1, 2  # dimensions of geometries
_NAME_TAGS: Final = ("name", "name:zh", "name:en")
_OWNER_TAGS: Final = ("operator:type", "ownership")
_OWNERSHIP = {
    "public": "government",
    "government": "government",
    "private": "private",
    "private_for_profit": "private",
    "private_non_profit": "private",
    "business": "private",
}


Unread = Mapping[str, Line]
Served = tuple[Place, Service]  # a thing and a service that it offers
# What tags say: services, the life of the thing, and services that it was or shall be.
_Told = tuple[list[Service], Life, list[tuple[Service, State, str]]]


def place_keys(policy: Policy) -> list[str]:
    """The keys by which places are found: each has one of them."""
    rules = [rule for service in policy.services.values() for rule in service.osm]
    once = policy.life_cycle.keys if policy.life_cycle is not None else ()
    return sorted({_find_anchor(rule) for rule in rules} | _LAND_KEYS | {"amenity"} | set(once))


def read_places(path: Path, policy: Policy, today: date | None = None) -> OsmPlaces:
    """As `list_rows`, with the areas that could not be read, in frames."""
    rows, unread = list_rows(path, policy, today)
    return with_incomplete(path, rows, unread, policy, today).framed()


def list_rows(
    path: Path,
    policy: Policy,
    today: date | None = None,
    areas: Areas | None = None,
    objects: Objects | None = None,
) -> tuple[PlaceRows, Unread]:
    """Facilities of the policy's services, buildings, residential land and boundaries of a file.

    And closed ways and relations with one of `place_keys` that are no areas, by their ids.
    `today`: the day for which ``end_date`` and the like are read; None: they are not.
    `areas`, `objects`: those with one of `place_keys` at least, where they have been read already.

    Raises
    ------
    InputError
        The file is missing, empty, cut off or not an OSM file.
    """
    check_osm_file(path)
    rules = [rule for service in policy.services.values() for rule in service.osm]
    keys = place_keys(policy)
    of_lines = [rule for rule in rules if rule.lines]
    line_keys = frozenset(_find_anchor(rule) for rule in of_lines)
    try:
        tagged = list(lines_of(path, objects, dict.fromkeys(_KINDS, keys)))
        unread: dict[str, Line] = {}
        areas = read_areas(path, keys) if areas is None else areas
        things = list(_list_things(tagged, areas, unread))
        drawn = (
            line for line in tagged if not line_keys.isdisjoint(line.tags) and not line.is_node
        )
        lines = read_lines(path, drawn, lambda tags: any(r.matches(tags) for r in of_lines))
        things += [Place(*line) for line in lines]
    except RuntimeError as error:
        raise broken_file(path, error) from error
    return sort_places(things, policy, today), unread


def with_incomplete(
    path: Path, rows: PlaceRows, unread: Unread, policy: Policy, today: date | None
) -> PlaceRows:
    """The places of a file, and which of its areas could not be read.

    Raises
    ------
    InputError
        The file is cut off.
    """
    serves = RowsOf(policy, today).serves
    try:
        lost = find_incomplete(path, unread, place_keys(policy), serves)
    except RuntimeError as error:
        raise broken_file(path, error) from error
    return replace(rows, incomplete=lost)


def places_of(things: Iterable[Place], policy: Policy, today: date | None = None) -> OsmPlaces:
    """As `sort_places` sorts them, in frames."""
    return sort_places(things, policy, today).framed()


def sort_places(things: Iterable[Place], policy: Policy, today: date | None = None) -> PlaceRows:
    """Sort tagged things into facilities, buildings, residential land and boundaries.

    A thing that is gone or only planned (on the day `today`) is none of them.
    """
    rows_of = RowsOf(policy, today)
    facilities: list[Served] = []
    not_open: list[dict[str, Any]] = []
    land: dict[Land, list[dict[str, Any]]] = {kind: [] for kind in LAND_COLUMNS}
    ordered = [_with_area(thing) for thing in sorted(things, key=attrgetter("id"))]
    dimensions = shapely.get_dimensions([thing.geometry for thing in ordered])
    known: dict[tuple[int, int], tuple[_Told, list[Land]]] = {}  # by the tags that many share
    for thing, dimension in zip(ordered, dimensions.tolist(), strict=True):
        key = id(thing.tags), dimension
        if key not in known:
            kinds = _list_kinds(thing.tags, dimension, policy.spread.homes)
            known[key] = rows_of.told(thing.tags, dimension), kinds
        told, kinds = known[key]
        here, gone, stands = rows_of.rows(thing, told)
        facilities += here
        not_open += gone
        if stands:
            for kind in kinds:
                land[kind].append(land_row(kind, thing))
    made = {kind: frame_rows(rows, LAND_COLUMNS[kind]) for kind, rows in land.items()}
    return PlaceRows(
        _make_table(facilities),
        made["buildings"],
        made["residential"],
        made["boundaries"],
        frame_rows(not_open, ["id", "service", "name", "source", "state", "why"]),
        made["no_homes"],
    )


def _list_kinds(tags: Mapping[str, str], dimension: int, homes: HomeRules | None) -> list[Land]:
    """What land or building a thing with these tags is; `dimension` of its geometry."""
    kinds: list[Land] = []
    if dimension == _AREAL and tags.get("building", "no") != "no":
        kinds.append("buildings")
    if dimension == _AREAL and tags.get("landuse") == "residential":
        kinds.append("residential")
    if dimension == _AREAL and tags.get("boundary") == "administrative":
        kinds.append("boundaries")
    if dimension != _LINEAR and _is_no_home(tags, homes):
        kinds.append("no_homes")
    return kinds


def _with_area(thing: Place) -> Place:
    """A multipolygon is an area, whether its tags say so or not."""
    if not thing.id.startswith("relation/") or thing.tags.get("type") == "route":
        return thing
    return Place(thing.id, {"area": "yes", **thing.tags}, thing.geometry)


def _find_anchor(rule: TagRule) -> str:
    """The key a thing is found by: the one of the rule's keys that little else carries."""
    often = {key: rank for rank, key in enumerate(_COMMON_KEYS, start=1)}
    return min(rule.tags, key=lambda key: (often.get(key, 0), key))


class RowsOf:
    """A thing's rows as facilities, those as places that are not open, and whether it stands.

    `keys`: those that a thing may be a facility by.
    """

    def __init__(self, policy: Policy, today: date | None) -> None:
        self._services = list(policy.services.values())
        self._by_tag: dict[tuple[str, str], list[tuple[int, TagRule]]] = {}
        for number, service in enumerate(self._services):
            for rule in service.osm:
                key = _find_anchor(rule)
                for value in rule.tags[key]:
                    self._by_tag.setdefault((key, value), []).append((number, rule))
        self.keys = frozenset(key for key, _ in self._by_tag)
        rules = policy.life_cycle
        self._life = None if rules is None else LifeReader(rules, today)

    def __call__(
        self, thing: Place, dimension: int
    ) -> tuple[list[Served], list[dict[str, Any]], bool]:
        """The rows of a thing; `dimension` of its geometry."""
        return self.rows(thing, self.told(thing.tags, dimension))

    def rows(self, thing: Place, told: _Told) -> tuple[list[Served], list[dict[str, Any]], bool]:
        """The rows of a thing by what its tags tell."""
        served, life, once = told
        rows = [(thing, service) for service in served]
        if life is OPEN:
            return rows, [], True
        past = [_describe_shut(thing, *one) for one in once]
        if life.state is None:
            return rows, past, True
        shut = [_describe_shut(thing, service, life.state, life.why) for service in served]
        return [], [*past, *shut], life.service_only

    def told(self, tags: Mapping[str, str], dimension: int) -> _Told:
        """What tags tell of a thing; `dimension` of its geometry."""
        names = names_of(tags)
        served = self._served(tags, names, dimension)
        life = OPEN if self._life is None else self._life(tags, names)
        once = [
            (service, state, why)
            for state, (past, why) in life.once.items()
            for service in self._served(past, names, dimension)
            if service not in served
        ]
        return served, life, once

    def serves(self, tags: Mapping[str, str]) -> bool:
        """Whether an area with these tags is a facility that is open."""
        return bool(self.services(tags))

    def services(self, tags: Mapping[str, str], *, is_line: bool = False) -> list[str]:
        """Ids of the services that an area (or a line) with these tags offers, being open."""
        names = names_of(tags)
        life = OPEN if self._life is None else self._life(tags, names)
        if life.state is not None:
            return []
        found = self._served(tags, names, _LINEAR if is_line else _AREAL)
        return [service.id for service in found]

    def key_of(self, value: str, keys: Sequence[str]) -> str | None:
        """The first of some keys under which a value alone is asked for."""
        return next((key for key in keys if (key, value) in self._by_tag), None)

    def _served(self, tags: Mapping[str, str], names: str, dimension: int) -> list[Service]:
        """Services in the policy's order, each once; only rules anchored at a tag are tried."""
        found = {
            number
            for key in self.keys.intersection(tags)
            for value in ("*", *_readings(tags[key]))
            for number, rule in self._by_tag.get((key, value), ())
            if (rule.lines or dimension != _LINEAR) and rule.matches(tags, names)
        }
        return [self._services[number] for number in sorted(found)]


def _readings(value: str) -> tuple[str, ...]:
    """A value as it stands and, where that is something else, each of several in it."""
    if ";" not in value and value == value.strip():
        return (value,)
    return (value, *values_of(value))


def name_of(tags: Mapping[str, str]) -> str | None:
    """What a thing is called."""
    return next((word for key in _NAME_TAGS if (word := tags.get(key))), None)


def owner_of(tags: Mapping[str, str]) -> str | None:
    """Whose a thing is: ``government``, ``private`` or not known."""
    said = next((word for key in _OWNER_TAGS if (word := tags.get(key))), None)
    return None if said is None else _OWNERSHIP.get(said)


def _describe_shut(thing: Place, service: Service, state: str, why: str | None) -> dict[str, Any]:
    return {
        "id": thing.id,
        "service": service.id,
        "name": name_of(thing.tags),
        "source": FROM_OSM,
        "state": state,
        "why": why,
        "geometry": thing.geometry,
    }


def _make_table(served: Sequence[Served]) -> FacilityTable:
    """Things and the services they offer as facilities."""

    tags = [thing.tags for thing, _ in served]

    def said(*keys: str) -> list[str | None]:
        """The first of some tags that each thing has."""
        return [next((word for key in keys if (word := one.get(key))), None) for one in tags]

    return FacilityTable(
        id=object_array([thing.id for thing, _ in served]),
        service=object_array([service.id for _, service in served]),
        name=object_array([name_of(one) for one in tags]),
        source=object_array([FROM_OSM] * len(served)),
        attributes={
            "name_en": object_array(said("name:en")),
            "ownership": object_array([owner_of(one) for one in tags]),
            "opening_hours": object_array(said("opening_hours")),
            "lit": parse_flags(said("lit"), flag_words("lit")),
            "level": no_texts(len(served)),
        },
        where=Located.of_degrees(object_array([thing.geometry for thing, _ in served]), FROM_OSM),
        rows=np.arange(1, len(served) + 1, dtype=np.int64),
    )


def _is_no_home(tags: Mapping[str, str], rules: HomeRules | None) -> bool:
    """Whether nobody lives there: land of another use, grounds and places of some amenities."""
    if rules is None:
        return False
    land, amenity = tags.get("landuse"), tags.get("amenity")
    return land in rules.no_home_land or amenity in rules.no_home_amenities


def _list_things(tagged: Sequence[Line], areas: Areas, others: dict[str, Line]) -> Iterator[Place]:
    """Nodes and closed areas that carry one of some keys, geometry in degrees.

    `tagged`: all that do; `areas`: those that do, and others. `others` is filled with closed ways
    and relations that are not among the areas, by their ids.
    """
    nodes: dict[str, Line] = {}
    ids: list[str] = []
    places: list[tuple[float, float]] = []
    for line in tagged:
        if not line.is_node:
            if not line.is_way or line.is_ring:
                others[line.id] = line
            continue
        nodes[name := line.id] = line
        if (place := line.place) is not None:
            ids.append(name)
            places.append(place)
    tags = [nodes[one].tags for one in ids]
    drawn = [row for row, one in enumerate(areas.id) if one in others]
    ids += (names := [areas.id[row] for row in drawn])
    tags += [others[one].tags for one in names]
    for one in set(names):
        del others[one]
    points: Any = shapely.points(np.array(places, dtype=np.float64).reshape(-1, 2))
    return map(Place, ids, tags, [*points, *areas.geometry[drawn]])
