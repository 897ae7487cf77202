"""The walking network: contracted, true geometry kept, lengths geodesic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.crs import geodesic_m, metric_crs, to_metric
from lifecircle.analysis.city.streets.contract_kernel import (
    break_rings,
    curve_distance,
    follow_chains,
    half_segments,
    segment_rows,
    stable_order,
)
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.machine import collecting_seldom
from lifecircle.analysis.quantities import (
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    UInt8Array,
    corners_of,
    read_only,
)
from lifecircle.analysis.readers.osm.streets import RawStreets

if TYPE_CHECKING:
    import networkx as nx

_HILBERT_BITS = 16


@dataclass(frozen=True, slots=True)
class WalkNetwork:
    """A walking network as read-only arrays (n junctions, m edges, p vertices).

    Attributes
    ----------
    crs : ``"EPSG:code"`` of the metric coordinates.
    node_xy_m : float64 (n, 2), easting and northing, metres.
    node_osm_id : int64 (n,).
    edge_u, edge_v : int32 (m,), end junctions, ``edge_u <= edge_v`` (loops allowed).
    edge_length_m : float64 (m,), geodesic (WGS84) along the true geometry.
    edge_way : int64 (m,), id of the first OSM way along the edge.
    vertex_start : int64 (m + 1,), where each edge's vertices begin (from u to v).
    vertex_xy_m : float64 (p, 2), metres.
    vertex_at_m : float64 (p,), geodesic distance of each vertex from the edge's u.
    edge_component : int32 (m,), connected component of each edge.
    component_length_m : float64 (k,), walkable length of each component.
    vertex_form : uint8 (p,) or None, the `analysis.policy.terrain.WayForm` of the segment that
        ends at each vertex (0 at an edge's first); None where the streets came without. A
        run keeps bridges and tunnels only.
    slope : what slope adds to the walk along each edge, None where heights are not used.
    """

    crs: str
    node_xy_m: FloatArray
    node_osm_id: IntArray
    edge_u: Int32Array
    edge_v: Int32Array
    edge_length_m: FloatArray
    edge_way: IntArray
    vertex_start: IntArray
    vertex_xy_m: FloatArray
    vertex_at_m: FloatArray
    edge_component: Int32Array
    component_length_m: FloatArray
    vertex_form: UInt8Array | None = None
    slope: SlopeProfile | None = None

    def __repr__(self) -> str:
        return (
            f"<WalkNetwork in {self.crs}: {self.node_count:,} junctions, {self.edge_count:,} "
            f"edges, {float(self.edge_length_m.sum()) / 1000:,.1f} km>"
        )

    @property
    def node_count(self) -> int:
        """Number of junctions n."""
        return len(self.node_osm_id)

    @property
    def edge_count(self) -> int:
        """Number of edges m."""
        return len(self.edge_u)

    def first_edge(self) -> WalkNetwork:
        """The first edge alone with its two ends: a network of a few numbers, of the same types."""
        size = int(self.vertex_start[1])
        ends = [int(self.edge_u[0]), int(self.edge_v[0])]
        one = slice(0, 1)
        return WalkNetwork(
            self.crs,
            _kept(self.node_xy_m[ends]),
            _kept(self.node_osm_id[ends]),
            _kept(np.zeros(1, dtype=np.int32)),
            _kept(np.ones(1, dtype=np.int32)),
            self.edge_length_m[one],
            self.edge_way[one],
            self.vertex_start[:2],
            self.vertex_xy_m[:size],
            self.vertex_at_m[:size],
            _kept(np.zeros(1, dtype=np.int32)),
            self.edge_length_m[one],
            None if self.vertex_form is None else self.vertex_form[:size],
            None if self.slope is None else self.slope.first_edge(),
        )

    def worth_m(self, *, forth: bool) -> FloatArray:
        """Metres of walking on the flat that edges are worth, (m,); NaN where slope does not count.

        `forth` is from u to v, else back.
        """
        if self.slope is None:
            return np.full(self.edge_count, np.nan)
        extra_m = self.slope.extra_uv_m if forth else self.slope.extra_vu_m
        worth: FloatArray = self.edge_length_m + extra_m[self.slope.point_start[1:] - 1]
        return worth

    def lines(self, edges: Int32Array | IntArray | None = None) -> NDArray[np.object_]:
        """The edges (or some of them) as shapely LineStrings in the metric CRS, (m,)."""
        start, xy_m = np.asarray(self.vertex_start), np.asarray(self.vertex_xy_m)
        if edges is not None:
            count = np.diff(start)[edges]
            within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
            xy_m = xy_m[np.repeat(start[:-1][edges], count) + within]
            start = np.concatenate(([0], np.cumsum(count)))
        return lines_of(xy_m, start)

    def to_networkx(self) -> nx.MultiGraph[int]:
        """The network as an undirected multigraph, as networkx and osmnx know it.

        Nodes are 0..n-1 with ``x``, ``y`` (metres, the graph's ``crs``) and ``osm_id``. Edges are
        keyed by edge id and have ``length`` and ``length_m`` (the same geodesic metres),
        ``osm_way`` and ``geometry``.
        """
        import networkx

        graph: nx.MultiGraph[int] = networkx.MultiGraph(crs=self.crs)
        for node, ((x, y), osm_id) in enumerate(
            zip(self.node_xy_m.tolist(), self.node_osm_id.tolist(), strict=True)
        ):
            graph.add_node(node, x=x, y=y, osm_id=osm_id)
        rows = zip(
            self.edge_u.tolist(),
            self.edge_v.tolist(),
            self.edge_length_m.tolist(),
            self.edge_way.tolist(),
            self.lines(),
            strict=True,
        )
        for edge, (u, v, length_m, way, line) in enumerate(rows):
            graph.add_edge(
                u, v, key=edge, length=length_m, length_m=length_m, osm_way=way, geometry=line
            )
        return graph


def _kept(array: NDArray[Any]) -> NDArray[Any]:
    read_only(array)
    return array


def lines_of(vertex_xy: FloatArray, vertex_start: IntArray) -> NDArray[np.object_]:
    """Lines (m,) of vertices (p, 2) that begin at `vertex_start` (m + 1,).

    Eight times as fast as `shapely.linestrings` with indices.
    """
    xy, start = np.asarray(vertex_xy), np.asarray(vertex_start)
    with collecting_seldom():  # it would look through all there is every so many lines
        lines = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, xy, (start,))
    return np.asarray(lines, dtype=object).reshape(-1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Segments (s) of ways between the nodes (n) that they were drawn with.

    `osm_id` int64 (n,), ascending; `lonlat` float64 (n, 2), degrees; `tail`, `head` int64 (s,),
    two different rows of nodes; `way` int64 (s,) the id of each way; `form` uint8 (s,) or None.
    """

    osm_id: IntArray
    lonlat: FloatArray
    tail: IntArray
    head: IntArray
    way: IntArray
    form: UInt8Array | None


def build_network(raw: RawStreets, crs: str | None = None) -> WalkNetwork:
    """The contracted network of walkable ways; the order of ways in the file does not matter.

    Nodes are OSM nodes where other than two segments meet (and one node of each lone ring);
    they are numbered along a Hilbert curve, edges by (u, v, vertices).
    """
    osm_id, first, node = np.unique(raw.node_ref, return_index=True, return_inverse=True)
    inside = np.ones(len(node) - 1, dtype=bool)
    inside[raw.way_start[1:-1] - 1] = False
    inside &= np.not_equal(node[:-1], node[1:])
    inside = np.flatnonzero(inside)
    row = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_start))[inside]
    form = None if raw.form is None else raw.form[row]
    tail, head = node[inside].astype(np.int64), node[inside + 1].astype(np.int64)
    drawn = Drawn(osm_id, raw.lonlat[first], tail, head, raw.way_id[row], form)
    return build_parted(drawn, crs)[0]


def build_parted(
    drawn: Drawn, crs: str | None = None, parted: BoolArray | None = None
) -> tuple[WalkNetwork, Int32Array]:
    """The network of segments with junctions at some nodes more, and the node of each vertex.

    `parted` (n,): nodes that stay junctions though only two segments meet there.
    """
    size, lonlat = len(drawn.osm_id), drawn.lonlat
    a, b, way, form = _list_segments(drawn)
    start, neighbour, segment, degree = half_segments(a, b, size)
    is_junction = degree != 2
    if parted is not None:
        is_junction |= parted
    break_rings(start, neighbour, is_junction)
    chain_start, chain_node = follow_chains(start, neighbour, segment, is_junction, len(a))
    crs = crs or metric_crs(lonlat)
    xy_m = to_metric(lonlat, crs)
    number = _hilbert_numbers(xy_m, np.flatnonzero(is_junction & (degree > 0)))
    chain_start, chain_node = _order_ends(chain_start, chain_node, number)
    segments = (a, b, way, form)
    network = _assemble(crs, drawn.osm_id, lonlat, xy_m, number, chain_start, chain_node, segments)
    return network, chain_node


def order_segments(low: IntArray, high: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Rows of segments by (low, high), of `size` nodes, and where each distinct one begins."""
    order = stable_order(high, size)
    order = order[stable_order(low[order], size)]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    return order, np.flatnonzero(new)


def _list_segments(drawn: Drawn) -> tuple[IntArray, IntArray, IntArray, UInt8Array | None]:
    """Distinct segments (a < b), the lowest way id of each and its form, sorted by (a, b)."""
    low, high = np.minimum(drawn.tail, drawn.head), np.maximum(drawn.tail, drawn.head)
    order, first = order_segments(low, high, len(drawn.osm_id))
    way = drawn.way[order]
    lowest = np.minimum.reduceat(way, first)
    form = None
    if drawn.form is not None:  # of one way drawn twice the lower form
        count = np.diff(np.append(first, len(order)))
        mine = np.equal(way, np.repeat(lowest, count))
        form = np.minimum.reduceat(np.where(mine, drawn.form[order], np.uint8(255)), first)
    return low[order[first]], high[order[first]], lowest, form


def _hilbert_numbers(xy_m: FloatArray, junctions: IntArray) -> Int32Array:
    """New numbers of junctions along a Hilbert curve (near in space, near in memory); else -1."""
    points = xy_m[junctions]
    low, high = corners_of(points)
    span = max(float((high - low).max()), 1.0)
    grid = ((points - low) / span * (2**_HILBERT_BITS - 1)).astype(np.int64)
    order = np.lexsort((junctions, curve_distance(grid[:, 0], grid[:, 1], _HILBERT_BITS)))
    number = np.full(len(xy_m), -1, dtype=np.int32)
    number[junctions[order]] = np.arange(len(junctions), dtype=np.int32)
    return number


def _order_ends(
    chain_start: IntArray, chain_node: Int32Array, number: Int32Array
) -> tuple[IntArray, Int32Array]:
    """Chains turned so that u <= v (ties by the second vertex) and sorted by (u, v, vertices)."""
    head = chain_node[chain_start[:-1]]
    tail = chain_node[chain_start[1:] - 1]
    second = chain_node[chain_start[:-1] + 1]
    before_last = chain_node[chain_start[1:] - 2]
    u, v = number[head], number[tail]
    turn = (u > v) | ((u == v) & (second > before_last))
    u, v = np.where(turn, v, u), np.where(turn, u, v)
    second = np.where(turn, before_last, second)
    order = np.lexsort((second, v, u))
    size = np.diff(chain_start)[order]
    start = np.concatenate(([0], np.cumsum(size)))
    within = np.arange(start[-1]) - np.repeat(start[:-1], size)
    first = np.repeat(chain_start[:-1][order], size)
    last = np.repeat(chain_start[1:][order] - 1, size)
    source = np.where(np.repeat(turn[order], size), last - within, first + within)
    return start, chain_node[source]


def _assemble(
    crs: str,
    osm_id: IntArray,
    lonlat: FloatArray,
    xy_m: FloatArray,
    number: Int32Array,
    vertex_start: IntArray,
    vertex: Int32Array,
    segments: tuple[IntArray, IntArray, IntArray, UInt8Array | None],
) -> WalkNetwork:
    first, last = vertex_start[:-1], vertex_start[1:] - 1
    u, v = number[vertex[first]], number[vertex[last]]
    step_m = np.zeros(len(vertex))
    step_m[1:] = geodesic_m(lonlat[vertex[:-1]], lonlat[vertex[1:]])
    step_m[first] = 0.0
    total = np.cumsum(step_m)
    at_m = total - np.repeat(total[first], np.diff(vertex_start))
    length_m = at_m[last]
    a, b, way, form = segments
    of_node = np.concatenate(([0], np.cumsum(np.bincount(a, minlength=len(osm_id)))))
    low = np.minimum(vertex[first], vertex[first + 1]).astype(np.int64)
    high = np.maximum(vertex[first], vertex[first + 1]).astype(np.int64)
    edge_way = way[segment_rows(of_node, b, low, high)]
    node_count = int(number.max()) + 1
    component = connected_pieces(node_count, u, v)[u]
    junction = np.empty(node_count, dtype=np.int64)
    junction[number[number >= 0]] = np.flatnonzero(number >= 0)
    arrays = {
        "node_xy_m": xy_m[junction],
        "node_osm_id": osm_id[junction],
        "edge_u": u,
        "edge_v": v,
        "edge_length_m": length_m,
        "edge_way": edge_way,
        "vertex_start": vertex_start,
        "vertex_xy_m": xy_m[vertex],
        "vertex_at_m": at_m,
        "edge_component": component,
        "component_length_m": np.bincount(component, weights=length_m),
    }
    if form is not None:
        before, after = vertex[:-1].astype(np.int64), vertex[1:].astype(np.int64)
        low, high = np.minimum(before, after), np.maximum(before, after)
        of_vertex = np.zeros(len(vertex), dtype=np.uint8)
        of_vertex[1:] = form[segment_rows(of_node, b, low, high)]
        of_vertex[first] = 0
        arrays["vertex_form"] = of_vertex
    return WalkNetwork(crs, **{name: read_only(array) for name, array in arrays.items()})  # type: ignore[arg-type]
