"""Streets from a saved osmnx or networkx graph, and a whole place asked for by its name.

networkx is imported only when a graph is read, osmnx only when a place is asked for (Nominatim for
its outline, Overpass for what is inside). The settings of osmnx and the ``socket.getaddrinfo`` it
replaces are put back afterwards.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import Policy, WalkRules
from lifecircle.analysis.readers.graphs.nodes import FORM_TAGS, TAGS, streets_of_graph
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces, Place
from lifecircle.analysis.readers.osm.places import places_of
from lifecircle.analysis.readers.osm.streets import FormOf, RawStreets

__all__ = ["read_graphml", "read_place", "streets_of_graph"]

_EVERY_STREET: Final = '["highway"]'  # Overpass; who may walk there is the policy's to say
_HEAD_BYTES: Final = 4096
_TAIL_BYTES: Final = 8192  # where Overpass puts its remark
_BUSY: Final = (429, 504)  # HTTP: too many requests, gateway timeout


def read_graphml(path: Path, rules: WalkRules, form_of: FormOf | None = None) -> RawStreets:
    """The walkable streets of a GraphML file, as osmnx or networkx saves it.

    `form_of` as in `streets_of_graph`.

    Raises
    ------
    InputError
        The file is missing, empty or no GraphML, or the graph has the faults that
        `streets_of_graph` finds.
    """
    if not path.is_file():
        raise InputError([Fault("file_missing", path.name)])
    if path.stat().st_size == 0:
        raise InputError([Fault("file_empty", path.name)])
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    if b"<graphml" not in head or b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise InputError([Fault("graphml_not", path.name)])
    from xml.etree.ElementTree import ParseError

    import networkx as nx  # costs a build from a .pbf a third of a second

    try:
        graph: nx.Graph[Any] = nx.read_graphml(path, force_multigraph=True)
    except (ParseError, nx.NetworkXError, ValueError, LookupError, TypeError) as error:
        detail = {"detail": str(error)}
        raise InputError([Fault("graphml_unreadable", path.name, params=detail)]) from error
    return streets_of_graph(graph, rules, path.name, form_of=form_of)


def read_place(
    place: str,
    rules: WalkRules,
    policy: Policy,
    form_of: FormOf | None = None,
    today: date | None = None,
) -> tuple[RawStreets, OsmPlaces]:
    """Walkable streets, facilities, buildings and land inside a place's outline; needs internet.

    Streets end at the outline: both nodes of every piece lie inside it. Other things are taken
    whole where they touch it. Nothing is cached.

    Parameters
    ----------
    place
        A name that Nominatim knows an outline of (``"Valletta, Malta"``).
    rules
        Who may walk where.
    policy
        Says which tags make a facility.
    form_of
        As in `streets_of_graph`.
    today
        As in `lifecircle.analysis.readers.osm.places.read_places`.

    Raises
    ------
    InputError
        The place is unknown or has no outline, the servers cannot be reached, or the place has
        no street that people may walk along.
    """
    with _lend_osmnx() as osmnx, _say_of_place(place):
        outline = _find_outline(osmnx, place)
        try:
            graph = osmnx.graph_from_polygon(
                outline, simplify=False, retain_all=True, custom_filter=_EVERY_STREET
            )
        except ValueError as error:
            _unless_empty(error)
            raise InputError([Fault("place_no_streets", place)]) from error
        try:
            things = list(_list_things(osmnx.features_from_polygon(outline, _make_query(policy))))
        except ValueError as error:
            _unless_empty(error)
            things = []
    streets = streets_of_graph(graph, rules, place, form_of=form_of)
    return streets, places_of(things, policy, today)


@contextmanager
def _lend_osmnx() -> Iterator[ModuleType]:
    """osmnx, keeping the tags that walking needs and no cache; left as it was found."""
    import osmnx

    settings = osmnx.settings
    resolver = socket.getaddrinfo
    ours = {
        "useful_tags_way": sorted({*settings.useful_tags_way, *TAGS, *FORM_TAGS}),
        "use_cache": False,
        "requests_kwargs": {**settings.requests_kwargs, "hooks": {"response": _refuse_partial}},
    }
    found = {name: getattr(settings, name) for name in ours}
    try:
        for name, value in ours.items():
            setattr(settings, name, value)
        yield osmnx
    finally:
        for name, value in found.items():
            setattr(settings, name, value)
        socket.getaddrinfo = resolver


def _refuse_partial(response: Any, *_: Any, **__: Any) -> None:
    """Refuse an answer that is no JSON, or of which Overpass says that it broke off.

    osmnx would take the first for an empty place and the second for a whole one. Answers that
    it waits upon (too many requests) and the text of ``/status`` are left to it.
    """
    if response.status_code in _BUSY or response.url.endswith("/status"):
        return
    if not response.content.lstrip().startswith((b"{", b"[")):
        raise ConnectionError(f"{response.url}: {response.status_code} {response.reason}")
    if b'"remark"' in response.content[-_TAIL_BYTES:]:
        said = response.json()
        if isinstance(said, dict) and "remark" in said:
            raise ConnectionError(said["remark"])


@contextmanager
def _say_of_place(place: str) -> Iterator[None]:
    """What the map servers refuse, as a fault of the place's name."""
    from osmnx._errors import ResponseStatusCodeError

    try:
        yield
    except (OSError, ResponseStatusCodeError, KeyError) as error:
        detail = {"detail": str(error) or type(error).__name__}
        raise InputError([Fault("place_unreachable", place, params=detail)]) from error


def _unless_empty(error: ValueError) -> None:
    """Pass an error on unless it says that there is nothing inside the outline."""
    from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

    if isinstance(error, ResponseStatusCodeError):
        raise error
    nothing = isinstance(error, InsufficientResponseError) or "no graph nodes" in str(error)
    if not nothing:
        raise error


def _find_outline(osmnx: ModuleType, place: str) -> shapely.Geometry:
    """The outline of a place, degrees."""
    from osmnx._errors import InsufficientResponseError

    try:
        outline: shapely.Geometry = osmnx.geocode_to_gdf(place).union_all()
    except InsufficientResponseError as error:
        raise InputError([Fault("place_unknown", place)]) from error
    except TypeError as error:
        raise InputError([Fault("place_no_outline", place)]) from error
    return outline


def _make_query(policy: Policy) -> dict[str, bool | str]:
    """Tags that fetch all that could be a facility, a building, residential land or a boundary.

    Of each rule one key is enough, since all of its tags must hold; the keys that most rules
    share are taken. Values are left to `places_of`, which also knows lists like ``gift;ticket``.
    """
    rules = [frozenset(r.tags) for s in policy.services.values() for r in s.osm if r.tags]
    keys: dict[str, bool | str] = {}
    while rules:
        votes = Counter(key for rule in rules for key in rule)
        best = max(sorted(votes), key=lambda key: votes[key])
        keys[best] = True
        rules = [rule for rule in rules if best not in rule]
    return {"landuse": "residential", "boundary": "administrative"} | keys | {"building": True}


def _list_things(frame: gpd.GeoDataFrame) -> Iterator[Place]:
    """Points and areas of an osmnx frame of features, with their tags."""
    tags: list[dict[str, str]] = [{} for _ in range(len(frame))]
    for key in frame.columns.drop("geometry"):
        values = frame[key].to_numpy(dtype=object)
        for row in np.flatnonzero(frame[key].notna().to_numpy()):
            if isinstance(values[row], str):
                tags[row][str(key)] = values[row]
    for (kind, osm_id), shape, said in zip(frame.index, frame.geometry, tags, strict=True):
        place = shape if kind == "node" else _make_shape(shape, said)
        if place is not None:
            yield Place(f"{kind}/{osm_id}", said, place)


def _make_shape(shape: shapely.Geometry, tags: dict[str, str]) -> shapely.Geometry | None:
    """The area of a way or relation, or its line: a ring is an area unless ``area=no``."""
    if isinstance(shape, shapely.LineString):
        if not shape.is_ring or tags.get("area") == "no":
            return shape
        return shapely.Polygon(shape)
    parts = [
        part for part in shapely.get_parts(shapely.get_parts([shape]))
        if isinstance(part, shapely.Polygon)
    ]  # fmt: skip
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
