"""Run in a process of its own (osmnx patches sockets): ask a server for places, save the answers.

``python ask_osmnx.py ADDRESS FOLDER``; see tests/readers/test_graphs.py.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import numpy as np

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.graphs.graphml import read_place
from lifecircle.analysis.readers.graphs.nodes import TAGS

REFUSED = ("nowhere", "point", "sea", "timeout", "portal")


def main(address: str, folder: Path) -> None:
    policy = load_policy()
    resolver = socket.getaddrinfo
    import osmnx

    osmnx.settings.nominatim_url = address
    osmnx.settings.overpass_url = address
    osmnx.settings.overpass_rate_limit = False
    tags = list(osmnx.settings.useful_tags_way)
    for name in ("whole", "box"):
        streets, places = read_place(name, policy.walk, policy)
        np.savez(
            folder / f"{name}.npz", way_id=streets.way_id, way_start=streets.way_start,
            node_ref=streets.node_ref, lonlat=streets.lonlat,
        )  # fmt: skip
        for layer in ("facilities", "buildings", "residential"):
            found = getattr(places, layer)
            getattr(found, "frame", found).to_parquet(folder / f"{name}-{layer}.parquet")
    said = {name: _refused(name, policy) for name in REFUSED}
    osmnx.settings.nominatim_url = "http://127.0.0.1:9"  # discard: nobody listens
    said["down"] = _refused("box", policy)
    said["resolver kept"] = socket.getaddrinfo is resolver
    said["tags kept"] = osmnx.settings.useful_tags_way == tags
    said["cached"] = Path("cache").exists()
    (folder / "said.json").write_text(json.dumps(said))

    osmnx.settings.nominatim_url = address
    osmnx.settings.use_cache = False
    osmnx.settings.useful_tags_way = [*tags, "foot"]
    graph = osmnx.graph_from_place(
        "whole", simplify=False, retain_all=True, custom_filter='["highway"]'
    )
    osmnx.save_graphml(graph, folder / "plain.graphml")
    merged = osmnx.simplify_graph(graph, edge_attrs_differ=list(TAGS), remove_rings=False)
    osmnx.save_graphml(merged, folder / "merged.graphml")
    osmnx.save_graphml(osmnx.project_graph(merged), folder / "projected.graphml")


def _refused(place: str, policy: object) -> str:
    try:
        read_place(place, policy.walk, policy)  # type: ignore[attr-defined]
    except InputError as error:
        assert error.text("zh")
        assert error.text("en").startswith(place)
        return error.faults[0].key
    return "accepted"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
