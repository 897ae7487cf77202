"""What the definition says of answers: every media type and every status that is really given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lifecircle.service.responses import (
    CSV,
    GEOJSON,
    GPKG,
    HTML,
    JSON,
    MVT,
    OPENAPI,
    PARQUET,
    PROBLEM,
    SCHEMA,
    XLSX,
)

FORMS: Final = {
    "json": JSON, "tilejson": JSON, "geojson": GEOJSON, "html": HTML, "csv": CSV, "xlsx": XLSX,
    "gpkg": GPKG, "parquet": PARQUET, "mvt": MVT, "qgs": "application/x-qgis-project",
}  # fmt: skip
LISTED: Final = "/collections/{collection}"
ITEMS: Final = f"{LISTED}/items"
ONE_ITEM: Final = f"{ITEMS}/{{item}}"
TILE: Final = f"{LISTED}/tiles/{{grid}}/{{zoom}}/{{row}}/{{column}}"
# What is given where nobody asks for a form of its own, other than JSON.
USUALLY: Final = {
    ITEMS: (GEOJSON, HTML), ONE_ITEM: (GEOJSON, HTML), TILE: (MVT,), "/api": (OPENAPI, HTML),
    **{f"{LISTED}/{name}": (SCHEMA, HTML) for name in ("queryables", "sortables", "schema")},
    **{f"/areas/{{area}}/{name}": (GEOJSON,) for name in ("gaps", "isochrone", "route")},
    "/areas/{area}/merges": (CSV,), "/maps/{area}/{layer}": (HTML,), "/build": (HTML,),
    "/areas/{area}/qgis": ("application/x-qgis-project",),
    "/metrics": ("text/plain",), "/check": (HTML,),
}  # fmt: skip
# What Features calls these documents; others are objects.
LINKS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}
DOCUMENTS: Final[Mapping[tuple[str, str], dict[str, Any]]] = {
    ("/", JSON): {"links": LINKS, "title": {"type": "string"}, "description": {"type": "string"}},
    ("/conformance", JSON): {"conformsTo": {"type": "array", "items": {"type": "string"}}},
    ("/collections", JSON): {
        "links": LINKS,
        "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
    },
    (ITEMS, GEOJSON): {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
        "links": LINKS,
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
    },
}
SHARED: Final[Mapping[str, dict[str, Any]]] = {
    "Link": {
        "type": "object",
        "required": ["href", "rel", "type"],
        "properties": {
            "href": {"type": "string"},
            "rel": {"type": "string"},
            "type": {"type": "string"},
            "title": {"type": "string"},
        },
    },
    "Collection": {
        "type": "object",
        "required": ["id", "title", "description", "extent", "itemType", "crs", "links"],
        "properties": {
            **{name: {"type": "string"} for name in ("id", "title", "description", "storageCrs")},
            "extent": {"type": "object"},
            "itemType": {"type": "string", "enum": ["feature"]},
            "crs": {"type": "array", "items": {"type": "string"}},
            "links": LINKS,
        },
    },
    "Feature": {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object"},
            "links": LINKS,
        },
    },
}
OBJECTS: Final = frozenset((JSON, GEOJSON, SCHEMA, OPENAPI, PROBLEM))
FAULTS: Final = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}},
                 HTML: {"schema": {"type": "string"}}}  # fmt: skip
PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "key", "lang"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "key": {"type": "string"},
        "lang": {"type": "string", "enum": ["zh", "en"]},
        "faults": {"type": "array", "items": {"type": "object"}},
    },
}
ALWAYS: Final = ("400", "401", "403", "429", "500", "503")  # 429: asked too often with one key
KEPT: Final = ("/scenarios", "/reviews", "/jobs", "/uploads")
# Pages that a browser is asked to wait for.
WAITED_FOR: Final = frozenset({
    "/areas/{area}/siting", "/areas/{area}/robustness", "/maps/{area}/{layer}",
})  # fmt: skip
KEYS: Final = {
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
NO_KEY: Final[dict[str, Any]] = {}  # from this machine, or where reading was opened


def say_answers(document: dict[str, Any]) -> None:
    """Declare the answers of every operation; FastAPI's own 422 is never given as it says."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            given = operation["responses"]
            given.pop("422", None)
            content = _content(path, operation)
            for status in ("200", "201"):
                if status == "200" or status in given:
                    given[status] = {"content": content}
            if path in WAITED_FOR:
                given["202"] = {"content": {HTML: {"schema": {"type": "string"}}}}
            if path == TILE:
                given["204"] = {}
            if method == "get" and path.startswith(("/areas/", "/collections/", "/maps/")):
                given["304"] = {}
            for status in _faults(path, method):
                given[status] = {"content": FAULTS}
            operation["responses"] = dict(sorted(given.items()))
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = KEYS
    document["security"] = [NO_KEY, *({name: []} for name in KEYS)]
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Problem": PROBLEM_SCHEMA, **SHARED}


def _content(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Every media type an operation answers in."""
    asked = next((p for p in operation.get("parameters", ()) if p["name"] == "f"), None)
    forms = asked["schema"].get("enum", ()) if asked else ()
    usual = USUALLY.get(path, (JSON,))
    others = [FORMS[form] for form in forms if not (form == "json" and path in USUALLY)]
    return {kind: {"schema": _shape(path, kind)} for kind in dict.fromkeys((*usual, *others))}


def _shape(path: str, kind: str) -> dict[str, Any]:
    """What a document looks like in a media type."""
    if (path, kind) in DOCUMENTS:
        parts = DOCUMENTS[path, kind]
        return {"type": "object", "required": list(parts), "properties": parts}
    if path in (LISTED, ONE_ITEM) and kind in (JSON, GEOJSON):
        name = "Collection" if path == LISTED else "Feature"
        return {"$ref": f"#/components/schemas/{name}"}
    if kind in OBJECTS:
        return {"type": "object"}
    text = kind.startswith("text/")
    return {"type": "string"} if text else {"type": "string", "format": "binary"}


def _faults(path: str, method: str) -> set[str]:
    """The statuses of problems an operation may end in."""
    found = set(ALWAYS)
    if "{" in path:
        found.add("404")
    if path.startswith(("/areas/{", "/maps/", "/processes/{", "/jobs/{")):
        found.add("422")  # the question is fine, and no answer was found
    if method in ("post", "put"):
        found |= {"408", "413"}
    if method != "get" and any(part in path for part in KEPT):
        found |= {"404", "409"}
    return found
