"""What the definition says of parameters: every limit held to, and how lists are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lifecircle.analysis.results.columns import Column
from lifecircle.service.ogc.definition.answers import ITEMS, ONE_ITEM
from lifecircle.service.settings import Settings

_SIGN: Final = r"0-9A-Za-z_\u4e00-\u9fff"
NAME: Final = f"^[{_SIGN}]([{_SIGN}.-]{{0,62}}[{_SIGN}-])?$"
_DAY: Final = r"[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_MOMENT: Final = rf"{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?Z"
_TIME: Final = rf"({_MOMENT}|{_DAY})"
TIME: Final = rf"^({_TIME}(/(\.\.)?)?|(\.\.)?/{_TIME})$"
SYSTEM: Final = r"^http://www\.opengis\.net/def/crs/(OGC/1\.3/CRS84|EPSG/0/[0-9]+)$"
MINUTES: Final = r"^([1-9]|[1-9][0-9])(,([1-9]|[1-9][0-9])){0,2}$"
FILE_BODY: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    **{name: {"type": "string"} for name in ("kind", "datum", "crs", "policy")},
                },
            }
        }
    },
}
BYTES_BODY: Final = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def declare_parameters(document: dict[str, Any], settings: Settings, areas: Sequence[str]) -> None:
    """Declare what is held to beyond what FastAPI knows; `areas` are examples."""
    for path, method, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _bound(parameter, settings, areas, moments=method == "get" and path == "/jobs")
    for path in (ITEMS, ONE_ITEM):
        for parameter in document["paths"][path]["get"]["parameters"]:
            _spell(parameter, settings)
    document["paths"]["/check"]["post"]["requestBody"] = FILE_BODY
    document["paths"]["/uploads"]["post"]["requestBody"] = BYTES_BODY
    for schema in document["components"]["schemas"].values():
        minutes = schema.get("properties", {}).get("minutes", {})
        if minutes.get("type") == "number":
            minutes["maximum"] = settings.max_minutes


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _bound(
    parameter: dict[str, Any], settings: Settings, areas: Sequence[str], *, moments: bool
) -> None:
    name, schema = parameter["name"], parameter["schema"]
    if name == "area" and parameter["in"] == "path":
        schema["pattern"] = NAME
        if areas:
            parameter["example"] = areas[0]
    elif name == "collection" and areas:
        parameter["example"] = f"{areas[0]}.cells"
    elif name == "run":
        schema["pattern"] = NAME
    elif name == "minutes" and schema.get("type") == "number":
        schema["maximum"] = settings.max_minutes
    elif name == "minutes":
        schema["pattern"] = MINUTES
    elif name == "datetime" and moments:
        schema["pattern"] = TIME


def _spell(parameter: dict[str, Any], settings: Settings) -> None:
    """Lists and addresses of Features parts 1, 2, 6 and 8; a page asked for too large is cut."""
    address = {"type": "string", "format": "uri", "pattern": SYSTEM}
    text = {"type": "string", "minLength": 1}
    schemas: dict[str, dict[str, Any]] = {
        "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
        "crs": address,
        "bbox-crs": address,
        "filter-crs": address,
        "datetime": {"type": "string", "pattern": TIME},
        "limit": {
            "type": "integer",
            "minimum": 1,
            "default": settings.page_size,
        },
        "properties": {"type": "array", "items": text, "minItems": 1},
        "sortby": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[+-]?[A-Za-z_].*"},
            "minItems": 1,
        },
    }
    if parameter["name"] in schemas:
        parameter["schema"] = schemas[parameter["name"]]
        parameter.update(style="form", explode=False)


def narrow_items(
    operation: dict[str, Any], columns: Sequence[Column], systems: Sequence[str]
) -> None:
    """Say of one collection's items which columns and coordinate systems there are."""
    names = [column.name for column in columns]
    for parameter in operation["parameters"]:
        schema = parameter["schema"]
        if parameter["name"] == "properties":
            schema["items"] = {"type": "string", "enum": names}
        elif parameter["name"] == "sortby":
            pattern = f"^[+-]?({'|'.join(map(re.escape, names))})$"
            schema["items"] = {"type": "string", "pattern": pattern}
        elif parameter["name"] in ("crs", "bbox-crs", "filter-crs"):
            parameter["schema"] = {"type": "string", "format": "uri", "enum": list(systems)}
