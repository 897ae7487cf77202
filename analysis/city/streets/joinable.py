"""What of each piece of street may be joined: all of it, or only where a bridge or tunnel ends.

Source: DEFINITIONS.md, Attachment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap_kernel import END, START, WHOLE
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.quantities import BoolArray, Int32Array, UInt8Array

_ABOVE: Final = int(WayForm.ABOVE_OR_BELOW)


def joinable_parts(network: WalkNetwork) -> UInt8Array:
    """What may be joined of the segment that begins at each vertex, uint8 (p,).

    `WHOLE` on the ground; on a bridge or in a tunnel `START` and `END` as far as the place there
    is an end of it: a way on the ground begins, or no way goes on. 0 at an edge's last vertex and
    for segments joined nowhere.
    """
    count = len(network.vertex_xy_m)
    last = network.vertex_start[1:] - 1
    above = _above(network)
    part = np.full(count, WHOLE, dtype=np.uint8)
    if above.any():
        first = network.vertex_start[:-1]
        ground = np.zeros(count, dtype=np.bool_)  # whether a way on the ground touches the vertex
        ground[:-1] |= ~above[:-1]
        ground[1:] |= ~above[:-1]
        ground[first] = ~above[first]
        ground[last] = ~above[last - 1]
        ends = np.concatenate((network.edge_u, network.edge_v))
        touched = np.bincount(ends, ground[np.concatenate((first, last))], network.node_count) > 0
        is_end = touched | (np.bincount(ends, minlength=network.node_count) == 1)
        ground[first], ground[last] = is_end[network.edge_u], is_end[network.edge_v]
        after = np.append(ground[1:], False)
        part[above] = (START * ground + END * after).astype(np.uint8)[above]
    part[last] = 0
    return part


def _above(network: WalkNetwork) -> BoolArray:
    """Whether the segment that begins at each vertex is on a bridge or in a tunnel, bool (p,)."""
    above = np.zeros(len(network.vertex_xy_m), dtype=np.bool_)
    if network.vertex_form is not None:
        above[:-1] = (network.vertex_form[1:] & _ABOVE) > 0
    return above


def joinable_lines(
    network: WalkNetwork, edges: Int32Array, part: UInt8Array
) -> tuple[NDArray[np.object_], Int32Array]:
    """The joinable stretches (lines, and points at the ends of bridges) of some edges, ascending.

    `part` as `joinable_parts` has it. Returns shapes (k,) and the edge of each, int32 (k,).
    """
    lines = network.lines(edges)
    start = network.vertex_start
    first, last = start[edges], start[edges + 1] - 1
    broken = np.cumsum(np.append(0, part != WHOLE))
    split = np.flatnonzero(broken[last] - broken[first] > 0)
    shapes: list[shapely.Geometry] = []
    owners: list[int] = []
    for k in split.tolist():
        found = _stretches(network, int(first[k]), int(last[k]), part)
        shapes += found
        owners += [int(edges[k])] * len(found)
    whole = np.setdiff1d(np.arange(len(edges)), split)
    shape = np.concatenate((lines[whole], np.array([*shapes, None], dtype=object)[:-1]))
    owner = np.concatenate((edges[whole], np.array(owners, dtype=np.int32))).astype(np.int32)
    order = np.argsort(owner, kind="stable")
    return shape[order], owner[order]


def _stretches(
    network: WalkNetwork, first: int, last: int, part: UInt8Array
) -> list[shapely.Geometry]:
    """Runs of whole segments of one edge as lines, and ends of others as points."""
    xy = network.vertex_xy_m
    found: list[shapely.Geometry] = []
    begin = first
    for v in range(first, last):
        if part[v] == WHOLE:
            continue
        if v > begin:
            found.append(shapely.LineString(xy[begin : v + 1]))
        found += [shapely.Point(xy[v])] * bool(part[v] & START)
        found += [shapely.Point(xy[v + 1])] * bool(part[v] & END)
        begin = v + 1
    if last > begin:
        found.append(shapely.LineString(xy[begin : last + 1]))
    return found
