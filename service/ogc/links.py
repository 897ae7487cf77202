"""Links between the documents, always absolute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILING_SCHEMES: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"


def link(rel: str, href: str, media_type: str, title: str | None = None) -> dict[str, str]:
    """One link."""
    made = {"rel": rel, "href": href, "type": media_type}
    return made if title is None else {**made, "title": title}


def collection_url(base: str, collection: str) -> str:
    """Address of a collection."""
    return f"{base}/collections/{quote(collection)}"


def with_query(href: str, query: Mapping[str, Any]) -> str:
    """An address with query parameters; empty ones are left out."""
    told = {name: value for name, value in query.items() if value is not None}
    return f"{href}?{urlencode(told)}" if told else href
