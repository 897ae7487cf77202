"""An osmnx or networkx graph as strings of nodes, the shape a ``.osm.pbf`` gives."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.policy import WalkRules
from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.readers.osm.streets import FormOf, RawStreets

if TYPE_CHECKING:
    import networkx as nx

TAGS: Final = ("highway", "foot", "access", "area", "motorroad")  # what `WalkRules` judges by
FORM_TAGS: Final = ("bridge", "tunnel", "covered")  # what a `WayForm` is read from, beside highway
_HALF_STEP_DEG: Final = 5e-8  # half of the smallest step of an OSM coordinate
_EXAMPLES: Final = 5
_UNKNOWN_WAY: Final = 0


@dataclass(frozen=True, slots=True)
class _Street:
    """One street: its ends (``u <= v``), the points between them, degrees, its way id and form."""

    u: int
    v: int
    between: tuple[tuple[float, float], ...]
    way: int
    form: int


def streets_of_graph(
    graph: nx.Graph[Any],
    rules: WalkRules,
    name: str = "graph",
    crs: str | None = None,
    form_of: FormOf | None = None,
) -> RawStreets:
    """The streets of an osmnx or networkx graph that people may walk along.

    Both directions of a street are one way. The points of an edge's `geometry` are kept; those
    that are no nodes of the graph get negative ids of their own, so that edges meet at nodes
    only. An edge without any of the tags `TAGS` is walkable; where a merged edge lists several
    values of a tag it is walkable if any of them is (simplify with
    ``edge_attrs_differ=TAGS`` to keep such streets apart).

    Parameters
    ----------
    graph
        Nodes with `x` (longitude) and `y` (latitude), degrees; edges with an optional
        `geometry` (LineString or its WKT, degrees), `osmid` and tags.
    rules
        Who may walk where.
    name
        What faults call the graph.
    crs
        The CRS of the coordinates; None takes the graph's own ``graph["crs"]``.
    form_of
        What to keep of an edge's tags as `RawStreets.form`; of a merged edge the first value
        of each tag speaks for the whole.

    Raises
    ------
    InputError
        With every fault: projected coordinates, nodes without a place, edges whose geometry is
        no line, no street at all.
    """
    faults = _check_crs(crs or graph.graph.get("crs"), name)
    lonlat, place_faults = _read_places(graph, name, geographic=not faults)
    edges = [(u, v, data) for u, v, data in graph.edges(data=True) if _is_walkable(data, rules)]
    lines, bad = _read_lines([data.get("geometry") for _, _, data in edges])
    faults += place_faults
    if bad:
        faults.append(Fault("graph_edge_geometry", name, params=_name_few(
            [f"{edges[i][0]}-{edges[i][1]}" for i in bad])))  # fmt: skip
    if faults:
        raise InputError(faults)
    ids = _make_ids(graph)
    streets = {
        _make_street((ids[u], ids[v]), (lonlat[u], lonlat[v]), line, data, form_of)
        for (u, v, data), line in zip(edges, lines, strict=True)
    }
    if not streets:
        raise InputError([Fault("graph_no_streets", name)])
    raw = _string_nodes(streets, {ids[node]: place for node, place in lonlat.items()})
    return raw if form_of is not None else replace(raw, form=None)


def _check_crs(crs: Any, name: str) -> list[Fault]:
    if _is_absent(crs):
        return []
    try:
        known = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return [Fault("graph_crs_unknown", name, params={"crs": crs})]
    if known.is_geographic:
        return []
    return [Fault("graph_projected", name, params={"crs": known.to_string()})]


def _read_places(
    graph: nx.Graph[Any], name: str, *, geographic: bool
) -> tuple[dict[Any, tuple[float, float]], list[Fault]]:
    """Longitude and latitude of every node, and what is wrong with them."""
    lonlat: dict[Any, tuple[float, float]] = {}
    lost, outside = [], []
    for node, data in graph.nodes(data=True):
        x, y = _parse_number(data.get("x")), _parse_number(data.get("y"))
        if not (np.isfinite(x) and np.isfinite(y)):
            lost.append(str(node))
        elif geographic and not (abs(x) <= 180 and abs(y) <= 90):
            outside.append(str(node))
        lonlat[node] = (x, y)
    faults = [Fault("graph_node_place", name, params=_name_few(lost))] if lost else []
    if outside:
        faults.append(Fault("graph_not_degrees", name, params=_name_few(outside)))
    return lonlat, faults


def _name_few(names: Sequence[str]) -> dict[str, Any]:
    return {"count": len(names), "examples": ", ".join(names[:_EXAMPLES])}


def _parse_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _is_absent(value: Any) -> bool:
    """Whether an attribute says nothing (GraphML writes None and NaN as words)."""
    if isinstance(value, str):
        return value in ("", "None", "nan")
    return value is None or (isinstance(value, float) and np.isnan(value))


def _list_members(value: Any) -> list[Any]:
    """The values of an attribute: a list, a list written as text, or one value."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError):
            return [value]
    if isinstance(value, list | tuple | set):
        return [member for member in value if not _is_absent(member)]
    return [] if _is_absent(value) else [value]


def _is_walkable(data: Mapping[str, Any], rules: WalkRules) -> bool:
    said = {tag: _list_members(data[tag]) for tag in TAGS if tag in data}
    said = {tag: [str(member) for member in values] for tag, values in said.items() if values}
    if not said:
        return True
    said.setdefault("highway", [""])  # tagged, but its kind was not kept: judged by the rest
    return any(
        rules.walkable(dict(zip(said, values, strict=True)))
        for values in itertools.product(*said.values())
    )


def _read_form(data: Mapping[str, Any], form_of: FormOf | None) -> int:
    """The form of an edge, 0 where nobody asked."""
    if form_of is None:
        return 0

    def value_of(tag: str) -> str | None:
        said = _list_members(data.get(tag))
        return str(said[0]) if said else None

    return form_of(value_of)


def _read_lines(geometries: Sequence[Any]) -> tuple[NDArray[np.object_], list[int]]:
    """Edge geometries as LineStrings (None = straight), and the rows that are none."""
    lines = np.empty(len(geometries), dtype=object)
    said = [i for i, geometry in enumerate(geometries) if not _is_absent(geometry)]
    texts = [i for i in said if isinstance(geometries[i], str)]
    lines[texts] = shapely.from_wkt([geometries[i] for i in texts], on_invalid="ignore")
    for i in said:
        if not isinstance(geometries[i], str):
            lines[i] = geometries[i]
    bad = [
        i for i in said
        if not isinstance(lines[i], shapely.LineString) or lines[i].is_empty
        or not np.isfinite(shapely.get_coordinates(lines[i])).all()
    ]  # fmt: skip
    return lines, bad


def _make_ids(graph: nx.Graph[Any]) -> dict[Any, int]:
    """Node → integer id: its own where all are integers, else its number by name, from 1."""
    try:
        own = {node: int(node) for node in graph if not isinstance(node, float)}
    except (TypeError, ValueError):
        own = {}
    if len(own) == len(graph) == len(set(own.values())):
        return own
    return {node: number for number, node in enumerate(sorted(graph, key=str), start=1)}


def _parse_way_id(osmid: Any) -> int:
    """The lowest OSM way id of an edge, `_UNKNOWN_WAY` where it has none."""
    try:
        return min((int(member) for member in _list_members(osmid)), default=_UNKNOWN_WAY)
    except (TypeError, ValueError):
        return _UNKNOWN_WAY


def _make_street(
    nodes: tuple[int, int],
    places: tuple[tuple[float, float], tuple[float, float]],
    line: shapely.LineString | None,
    data: Mapping[str, Any],
    form_of: FormOf | None,
) -> _Street:
    """A street turned so that ``u <= v``, and a loop's points the smaller way round."""
    (u, v), (at_u, at_v) = nodes, places
    points: list[tuple[float, float]] = []
    if line is not None:
        points = [(x, y) for x, y in shapely.get_coordinates(line).tolist()]
        if _lies_apart(points[0], at_u) + _lies_apart(points[-1], at_v) > (
            _lies_apart(points[0], at_v) + _lies_apart(points[-1], at_u)
        ):
            points.reverse()
        if _lies_apart(points[0], at_u) <= _HALF_STEP_DEG:
            points = points[1:]
        if points and _lies_apart(points[-1], at_v) <= _HALF_STEP_DEG:
            points = points[:-1]
    between = tuple(points)
    if u > v or (u == v and between[::-1] < between):
        u, v, between = v, u, between[::-1]
    return _Street(u, v, between, _parse_way_id(data.get("osmid")), _read_form(data, form_of))


def _lies_apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _string_nodes(
    streets: Iterable[_Street], lonlat: Mapping[int, tuple[float, float]]
) -> RawStreets:
    """Streets as strings of nodes; points between nodes are numbered downwards."""
    ordered = sorted(streets, key=lambda s: (s.way, s.u, s.v, s.between, s.form))
    unused = min(0, *lonlat) - 1
    refs: list[int] = []
    places: list[tuple[float, float]] = []
    for street in ordered:
        count = len(street.between)
        refs += [street.u, *range(unused, unused - count, -1), street.v]
        places += [lonlat[street.u], *street.between, lonlat[street.v]]
        unused -= count
    counts = [len(street.between) + 2 for street in ordered]
    points: FloatArray = np.array(places, dtype=np.float64)
    return RawStreets(
        np.array([street.way for street in ordered], dtype=np.int64),
        np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        np.array(refs, dtype=np.int64),
        points,
        np.array([street.form for street in ordered], dtype=np.uint8),
    )
