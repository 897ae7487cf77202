"""Bar c: reach of 1,000 origins beside scipy; isochrone polygons beside unions of buffers."""

from __future__ import annotations

import os

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from benchmarks.bars import LIMIT_M, SEED, Row, medians_s, ms, shared_file, skipped
from benchmarks.peers.elsewhere import ask_peer
from benchmarks.town import PORTO, Town, matrix, nearest_junction, porto, positions_near_streets
from lifecircle.analysis.access.isochrone import Reach, isochrones, reach, reached_stretches
from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.machine import using_threads

ORIGINS = 1000
DRAWN = 40
CHUNK = 100
BUFFER_M = 50.0
LIMIT_CM = round(100 * LIMIT_M)
BAR_REACH, BAR_POLYGON, BAR_IOU, BAR_MS = 25.0, 10.0, 0.99, 4.0


def reached_lines(town: Town, origin: Positions) -> NDArray[np.object_]:
    """The reached parts of edges as lines, cut by shapely."""
    found = reach(town.costs, origin, LIMIT_CM)
    stretches = reached_stretches(town.network, town.costs, origin, found, LIMIT_CM)
    lines = town.network.lines()[stretches.edge]
    length = town.network.edge_length_m[stretches.edge]
    parts = [
        shapely.ops.substring(line, a / max(whole, 1e-9), b / max(whole, 1e-9), normalized=True)
        for line, a, b, whole in zip(lines, stretches.from_m, stretches.to_m, length, strict=True)
    ]
    return np.array(parts, dtype=object)


def union_of_buffers(lines: NDArray[np.object_]) -> shapely.Geometry:
    """The peer, and the truth: buffers of all reached pieces, united."""
    return shapely.union_all(shapely.buffer(lines, BUFFER_M))


def measure() -> list[Row]:
    """The rows of bar c."""
    town = porto()
    rng = np.random.default_rng(SEED)
    origins = positions_near_streets(town, ORIGINS, rng)
    graph = matrix(town.network)
    nodes = nearest_junction(town.network, origins)
    seconds = medians_s(
        {
            "one": lambda: _with_threads(1, town, origins),
            "ours": lambda: _with_threads(os.cpu_count(), town, origins),
            "scipy": lambda: dijkstra(graph, directed=True, indices=nodes, limit=LIMIT_M),
            "scipy in hundreds": lambda: [
                dijkstra(graph, directed=True, indices=nodes[i : i + CHUNK], limit=LIMIT_M)
                for i in range(0, ORIGINS, CHUNK)
            ],
        },
        5,
    )
    what = "reach of 1,000 origins, 1,080 m"
    rows = []
    for name, said in (("one", "one thread"), ("ours", f"{os.cpu_count()} threads")):
        ratio = seconds["scipy"] / seconds[name]
        rows.append(
            Row("c", f"{what}, {said}", ms(seconds[name]), "scipy dijkstra(limit)",
                ms(seconds["scipy"]), ratio, f">= {BAR_REACH:.0f}x faster", ratio >= BAR_REACH,
                "scipy has one thread; the same graph, from the nearest junctions without legs")
        )  # fmt: skip
    chunked = seconds["scipy in hundreds"]
    rows.append(
        Row("c", f"{what}, one thread", ms(seconds["one"]), "scipy, 100 origins a call",
            ms(chunked), chunked / seconds["one"], "-", None,
            "smaller calls spare scipy most of its dense answer (origins x junctions)")
    )  # fmt: skip
    return rows + _in_range(town, nodes, seconds["ours"]) + _polygons(town, origins)


def _in_range(town: Town, nodes: NDArray[np.int64], mine: float) -> list[Row]:
    """Junctions in range of each origin, by pandana and its successor."""
    network, rows = town.network, []
    for module in ("pandana", "pandarm"):
        said = ask_peer(
            module, "pandana_peer", module, xy=network.node_xy_m, u=network.edge_u,
            v=network.edge_v, metres=network.edge_length_m, limit_m=LIMIT_M, origin=nodes,
        )  # fmt: skip
        what = f"reach of 1,000 origins, 1,080 m, {os.cpu_count()} threads"
        if isinstance(said, str):
            rows.append(skipped("c", f"{what}, {module}", said))
            continue
        rows.append(
            Row("c", what, ms(mine), f"{module} {said['version']} nodes_in_range",
                ms(said["range_s"]), said["range_s"] / mine, "-", None,
                f"its set-up not counted: network {said['network_s']:.1f} s; it uses all cores")
        )  # fmt: skip
    return rows


def _with_threads(threads: int | None, town: Town, origins: Positions) -> Reach:
    with using_threads(threads):
        return reach(town.costs, origins, LIMIT_CM)


def _polygons(town: Town, origins: Positions) -> list[Row]:
    drawn = [origins.take(np.array([i])) for i in range(DRAWN)]
    lines = [reached_lines(town, origin) for origin in drawn]

    def ours() -> list[shapely.MultiPolygon]:
        return [isochrones(town.network, town.costs, at, [LIMIT_CM])[0] for at in drawn]

    def peer() -> list[shapely.Geometry]:
        return [union_of_buffers(pieces) for pieces in lines]

    seconds = medians_s({"ours": ours, "peer": peer}, 3)
    each, truth = seconds["ours"] / DRAWN, seconds["peer"] / DRAWN
    iou = np.array([
        a.intersection(b).area / a.union(b).area
        for a, b in zip((shapely.make_valid(p) for p in ours()), peer(), strict=True)
    ])  # fmt: skip
    ratio, mean = truth / each, float(iou.mean())
    return [
        Row("c", "isochrone polygon, whole way", ms(each), "union of 50 m buffers", ms(truth),
            ratio, f">= {BAR_POLYGON:.0f}x faster", ratio >= BAR_POLYGON,
            "ours with the search and the cutting of edges, the peer from ready-cut lines"),
        Row("c", "milliseconds each", ms(each), "-", "-", None, f"<= {BAR_MS:.0f} ms",
            1000 * each <= BAR_MS),
        _valhalla(town, origins, each),
        Row("c", "IoU of the polygons, mean", f"{mean:.4f}", "union of 50 m buffers", "1",
            None, f">= {BAR_IOU}", mean >= BAR_IOU, f"smallest of {DRAWN}: {iou.min():.4f}"),
    ]  # fmt: skip


def _valhalla(town: Town, origins: Positions, each: float) -> Row:
    drawn = to_lonlat(origins.xy_m[:DRAWN], town.network.crs)
    said = ask_peer(
        "valhalla", "valhalla_times", str(shared_file(PORTO)), origin=drawn, limit_m=LIMIT_M
    )
    if isinstance(said, str):
        return skipped("c", "isochrone polygon, whole way, Valhalla", said)
    theirs = said["isochrones_s"] / DRAWN
    return Row("c", "isochrone polygon, whole way", ms(each), f"Valhalla {said['version']}",
               ms(theirs), theirs / each, "-", None,
               f"contour of 1.08 km; its tiles, {said['tiles_s']:.1f} s, not counted")  # fmt: skip
