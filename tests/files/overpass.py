"""A loopback server shaped like Nominatim and Overpass, for what osmnx asks of them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import osmium
import shapely

_STATEMENT = re.compile(
    r"(node|way|relation)\[['\"]([^'\"]+)['\"](?:=['\"]([^'\"]+)['\"])?\]\(poly:'([^']+)'\)"
)
Key = tuple[str, int]


class World:
    """The nodes, ways and relations of an OSM file as Overpass says them, and named outlines."""

    def __init__(self, path: Path, outlines: Mapping[str, shapely.Geometry]) -> None:
        self.outlines = outlines
        self.elements: dict[Key, dict[str, Any]] = {}
        self.shapes: dict[Key, shapely.Geometry] = {}
        for thing in osmium.FileProcessor(str(path)):
            self._keep(thing)
        self.broken: dict[str, bytes] = {}  # name of an outline → Overpass's answer there

    def _keep(self, thing: Any) -> None:
        kind = {"n": "node", "w": "way", "r": "relation"}[thing.type_str()]
        said: dict[str, Any] = {"type": kind, "id": thing.id}
        if kind == "node":
            said |= {"lat": thing.lat, "lon": thing.lon}
            shape = shapely.Point(thing.lon, thing.lat)
        elif kind == "way":
            said["nodes"] = [node.ref for node in thing.nodes]
            places = [self.elements["node", ref] for ref in said["nodes"]]
            shape = shapely.LineString([(n["lon"], n["lat"]) for n in places])
        else:
            kinds = {"n": "node", "w": "way", "r": "relation"}
            said["members"] = [
                {"type": kinds[m.type], "ref": m.ref, "role": m.role} for m in thing.members
            ]
            keys = [(m["type"], m["ref"]) for m in said["members"]]
            shape = shapely.GeometryCollection([self.shapes[k] for k in keys if k in self.shapes])
        if len(thing.tags):
            said["tags"] = dict(thing.tags)
        self.elements[kind, thing.id] = said
        self.shapes[kind, thing.id] = shape

    def search(self, words: str) -> list[dict[str, Any]]:
        """Nominatim's answer."""
        outline = self.outlines.get(words)
        if outline is None:
            return []
        west, south, east, north = (str(edge) for edge in outline.bounds)
        centre = outline.centroid
        return [
            {"place_id": 1, "osm_type": "relation", "osm_id": 1, "importance": 0.5, "name": words,
             "lat": str(centre.y), "lon": str(centre.x), "boundingbox": [south, north, west, east],
             "geojson": json.loads(shapely.to_geojson(outline))}
        ]  # fmt: skip

    def query(self, text: str) -> bytes:
        """Overpass's answer: what the statements select, and all it is made of (``>;``)."""
        found: dict[Key, None] = {}
        for kind, key, value, ring in _STATEMENT.findall(text):
            numbers = [float(number) for number in ring.split()]
            area = shapely.Polygon(list(zip(numbers[1::2], numbers[::2], strict=True)))
            shapely.prepare(area)
            for name, answer in self.broken.items():
                if area.contains(self.outlines[name]):
                    return answer
            for name, element in self.elements.items():
                tag = element.get("tags", {}).get(key) if name[0] == kind else None
                if tag is not None and value in ("", tag) and area.intersects(self.shapes[name]):
                    self._descend(name, found)
        elements = [self.elements[name] for name in sorted(found)]
        return json.dumps({"version": 0.6, "elements": elements}).encode()

    def _descend(self, name: Key, found: dict[Key, None]) -> None:
        if name in found or name not in self.elements:
            return
        found[name] = None
        element = self.elements[name]
        for ref in element.get("nodes", ()):
            self._descend(("node", ref), found)
        for member in element.get("members", ()):
            self._descend((member["type"], member["ref"]), found)


@contextmanager
def serving(world: World) -> Iterator[str]:
    """Serve a world on a free loopback port; the address of the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            words = parse_qs(urlsplit(self.path).query)
            self._answer(json.dumps(world.search(words["q"][0])).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(world.query(parse_qs(body)["data"][0]))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
