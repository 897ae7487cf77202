"""What the product publishes of one area, asked over HTTP as any client would."""

from __future__ import annotations

import json
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd


@dataclass(frozen=True, slots=True)
class Product:
    """A served area: its address, documents and layers."""

    base: str
    area: str

    def document(self, path: str = "", **query: object) -> dict[str, Any]:
        """A JSON document below /areas/{area}."""
        return json.loads(self._get(f"/areas/{self.area}{path}", query))

    def layer(self, name: str, **query: object) -> gpd.GeoDataFrame:
        """A whole layer with unrounded geometry, WGS84."""
        found = self._get(f"/collections/{self.area}.{name}/items", {"f": "gpkg", **query})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.gpkg"
            file.write_bytes(found)
            return gpd.read_file(file, engine="pyogrio")

    def offered(self, path: str, **query: object) -> dict[str, Any] | None:
        """A document, or None where the area has none such (404)."""
        try:
            return self.document(path, **query)
        except urllib.error.HTTPError as problem:
            if problem.code == 404:
                return None
            raise

    def _get(self, path: str, query: dict[str, object]) -> bytes:
        words = {key: str(value) for key, value in {"lang": "en", **query}.items()}
        address = f"{self.base.rstrip('/')}{path}?{urllib.parse.urlencode(words)}"
        request = urllib.request.Request(address, headers={"Accept": "application/json, */*"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return bytes(answer.read())
