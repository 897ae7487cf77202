"""One OpenStreetMap file as the build reads it: streets, places, and what was not in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import osmium

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.readers.osm.areas import Areas, read_with_areas
from lifecircle.analysis.readers.osm.aside import (
    Ordered,
    has_places_on_ways,
    in_order,
)
from lifecircle.analysis.readers.osm.gates import GateReader
from lifecircle.analysis.readers.osm.ground import GROUND_KEYS, Ground, ground_keys, read_ground
from lifecircle.analysis.readers.osm.incomplete import tell_incomplete
from lifecircle.analysis.readers.osm.opl import Objects
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces, PlaceRows
from lifecircle.analysis.readers.osm.places import (
    Unread,
    list_rows,
    place_keys,
    sort_places,
    with_incomplete,
)
from lifecircle.analysis.readers.osm.roads import RawRoads, read_roads, road_keys
from lifecircle.analysis.readers.osm.source import (
    broken_file,
    check_osm_file,
    header_of,
    is_pbf,
    opened,
)
from lifecircle.analysis.readers.osm.streets import FormOf, RawStreets, read_streets, street_keys

_KINDS: Final = (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION)


@dataclass(frozen=True, slots=True)
class Extract:
    """Streets, places, roads and ground of a file, and what is to be said of it.

    `mapped`: the places, also as they were read. `roads`: of the profiles that were asked for,
    None where there are none. `source`: what all this was made of, which a process that ends
    next does not stop to free.
    """

    streets: RawStreets
    mapped: PlaceRows | OsmPlaces
    ground: Ground | None
    warnings: tuple[Fault, ...]
    roads: RawRoads | None = None
    source: tuple[Objects, Areas] | None = None

    @property
    def places(self) -> OsmPlaces:
        """The places in frames."""
        return self.mapped if isinstance(self.mapped, OsmPlaces) else self.mapped.framed()


@dataclass(frozen=True, slots=True)
class OnlyStreets:
    """Said in place of what is known of a file's places where nobody asks for them."""


Known = OsmPlaces | OnlyStreets | None
Met = Callable[[str, Any], None]  # what it is, and the thing


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a file is read; `started` is told of each stage."""

    path: Path
    policy: Policy
    form_of: FormOf
    today: date | None
    started: Callable[[str], None]
    profiles: Mapping[str, TravelProfile]
    places: Known
    met: Met | None = None

    def read(self, ordered: Ordered) -> Extract:
        """Streets and places of a file in order; faults name the file that was given."""
        name = self.path.name
        try:
            self.started("streets")
            rules, joining = self.policy.walk, self.policy.joining
            gates = None if joining is None else GateReader(joining, rules)
            if isinstance(self.places, OnlyStreets):
                return self._only(read_streets(ordered.path, rules, self.form_of, gates), ordered)
            keys = place_keys(self.policy) if self.places is None else []
            objects, areas = _read_objects(ordered.path, keys, gates)
            streets = read_streets(ordered.path, rules, self.form_of, gates, objects)
            met = self.met
            if met is not None and not _is_sure(self.path, streets, objects):
                met = None
            if met is not None:
                met("streets", streets)
            self.started("places")
            places: PlaceRows | OsmPlaces | None = self.places
            unread: Unread = {}
            if places is None:
                places, unread = list_rows(ordered.path, self.policy, self.today, areas, objects)
                if met is not None and _is_doubtful(self.path, streets, places):
                    met = None
                if met is not None:
                    met("places", places)
            roads = None
            if self.profiles:
                roads = read_roads(ordered.path, self.profiles, self.form_of, objects)
            if met is not None:
                met("roads", roads)
            ground = read_ground(ordered.path, areas, objects)
            if isinstance(places, PlaceRows):
                places = with_incomplete(ordered.path, places, unread, self.policy, self.today)
        except InputError as error:
            named = [replace(fault, file=name) for fault in error.faults]
            raise InputError(named) from error
        dropped = _tell_dropped(name, streets, self.policy)
        lost = tell_incomplete(name, places.incomplete)
        said = (*ordered.warnings, *dropped, *lost)
        return Extract(streets, places, ground, said, roads, (objects, areas))

    def _only(self, streets: RawStreets, ordered: Ordered) -> Extract:
        dropped = _tell_dropped(self.path.name, streets, self.policy)
        return Extract(streets, sort_places((), self.policy), None, (*ordered.warnings, *dropped))


def _read_objects(
    path: Path, keys: Sequence[str], gates: GateReader | None
) -> tuple[Objects, Areas]:
    """All that is asked for of a file, read once, and its areas; places have one of `keys`."""
    check_osm_file(path)
    several = (dict.fromkeys(_KINDS, keys), street_keys(gates), ground_keys(), road_keys())
    wanted = {
        kind: sorted({key for some in several for key in some.get(kind, ())}) for kind in _KINDS
    }
    try:
        return read_with_areas(path, wanted, (*keys, *GROUND_KEYS))
    except RuntimeError as error:
        raise broken_file(path, error) from error


def read_extract(
    path: Path,
    policy: Policy,
    form_of: FormOf,
    today: date | None,
    started: Callable[[str], None],
    profiles: Mapping[str, TravelProfile],
    places: Known = None,
    met: Met | None = None,
) -> Extract:
    """Streets, places and the roads of `profiles` of a file, however it is written.

    A ``.pbf`` is read as it is; only where something is missing or refused that order, ids or
    places on ways could explain, it is put in order and read again. `places`: those of the file
    where they have been read already, or `OnlyStreets`: then there is no ground either. `met` is
    told of ``streets``, of ``places`` (which are not `incomplete` yet), then of ``roads``, before
    the rest is read, where they are sure to stay as they are.

    Raises
    ------
    InputError
        The file cannot be read, holds no street, or lacks more than the policy allows.
    """
    reader = _Reader(path, policy, form_of, today, started, profiles, places, met)
    try:
        with in_order(path, doubted=False) as ordered:
            read = reader.read(ordered)
        if not (is_pbf(path) and _is_doubtful(path, read.streets, read.mapped)):
            return read
    except InputError:
        if not path.is_file() or not is_pbf(path):
            raise
        with in_order(path) as ordered:
            if ordered.path == path:
                raise
            return reader.read(ordered)
    with in_order(path) as ordered:
        return read if ordered.path == path else reader.read(ordered)


def _is_doubtful(path: Path, streets: RawStreets, places: PlaceRows | OsmPlaces) -> bool:
    """Whether nodes were missed that the file has, or things were read twice."""
    ids, services = places.facilities.id, places.facilities.service
    if len(set(zip(ids, services, strict=True))) < len(ids):
        return True
    return _may_hold(path, streets.dropped.absent)


def _is_sure(path: Path, streets: RawStreets, objects: Objects) -> bool:
    """Whether nothing that places could tell has the file put in order and read again."""
    heads = {line.head for line in objects.lines}
    return len(heads) == len(objects.lines) and not _may_hold(path, streets.dropped.absent)


def _may_hold(path: Path, absent: Collection[int]) -> bool:
    """Whether a file has nodes that were missed."""
    if not absent:
        return False
    if min(absent) < 0 or has_places_on_ways(header_of(path)):
        return True
    found = osmium.FileProcessor(opened(path), osmium.osm.NODE)
    return any(True for _ in found.with_filter(osmium.filter.IdFilter(absent)))


def _tell_dropped(file: str, streets: RawStreets, policy: Policy) -> tuple[Fault, ...]:
    """What is said of nodes a file does not hold; refused where too few are left.

    Raises
    ------
    InputError
        More of the references are missing than the policy allows.
    """
    dropped = streets.dropped
    if not dropped.missing:
        return ()
    shown: dict[str, Any] = {
        "references": dropped.references,
        "missing": dropped.missing,
        "lost": dropped.lost,
        "cut": dropped.cut,
        "percent": f"{dropped.share:.0%}",
    }
    most = policy.reading
    if most is not None and dropped.share > most.missing_refused.value:
        limit = {"limit": f"{most.missing_refused.value:.0%}"}
        raise InputError([Fault("osm_too_much_missing", file, params={**shown, **limit})])
    return (Fault("osm_dropped", file, params=shown, severity="warning"),)
