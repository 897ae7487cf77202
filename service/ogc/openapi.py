"""The API definition as OpenAPI 3.0.3, with a literal path for the items of every collection.

FastAPI describes itself in OpenAPI 3.1; GDAL pushes attribute filters only where the
definition spells out the path of the collection with its filters.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.results.columns import Column
from lifecircle.service import i18n
from lifecircle.service.ogc.filters import queryable_schema, queryables
from lifecircle.service.ogc.openapi_answers import ITEMS, ONE_ITEM, say_answers
from lifecircle.service.queries.questions import Reader
from lifecircle.service.queries.scorecard import packaged_settings, setting_parameters
from lifecircle.service.settings import Settings
from lifecircle.service.wording import Words

VERSION: Final = "3.0.3"
SCORECARD: Final = "/areas/{area}/scorecard"


def api_document(app: FastAPI, reader: Reader) -> dict[str, Any]:
    """The definition, with the collections that exist now."""
    document: dict[str, Any] = downgraded(copy.deepcopy(app.openapi()))
    document["openapi"] = VERSION
    document["servers"] = [{"url": reader.base}]
    document["info"]["title"] = i18n.text("service_title", reader.lang)
    document["info"]["description"] = i18n.text("service_about", reader.lang)
    paths = document["paths"]
    say_answers(document)
    _declare_query(document)
    _say_page_sizes(paths[ITEMS], reader.settings)
    _say(document, Words(reader.lang))
    paths[SCORECARD]["get"]["parameters"] += setting_parameters(
        packaged_settings().values(), reader.lang
    )
    for area in reader.areas.names():
        try:
            layers = reader.areas.columns(area)
        except LifecircleError:
            continue  # `/areas` names it and says why
        for layer, columns in layers.items():
            filters = queryable_schema(queryables(columns).values(), reader.lang)
            name = f"{area}.{layer}"
            spelled = _spelled(paths[ITEMS], name, filters, columns)
            _say_page_sizes(spelled, reader.settings)
            paths[ITEMS.replace("{collection}", name)] = spelled
    return document


def _one_of(columns: Sequence[Column], *, signed: bool) -> dict[str, Any]:
    """One column of a layer, with a sign before it or not."""
    names = [column.name for column in columns]
    if not signed:
        return {"type": "string", "enum": names}
    return {"type": "string", "pattern": f"^[+-]?({'|'.join(map(re.escape, names))})$"}


def _spelled(
    generic: dict[str, Any], name: str, filters: dict[str, Any], columns: Sequence[Column]
) -> dict[str, Any]:
    """The items path of one collection: no path parameter, its own filters."""
    path = copy.deepcopy(generic)
    operation = path["get"]
    operation["operationId"] = f"items-{name}"
    operation["summary"] = name
    for parameter in operation["parameters"]:
        if parameter["name"] in ("sortby", "properties"):
            parameter["schema"]["items"] = _one_of(columns, signed=parameter["name"] == "sortby")
    operation["parameters"] = [p for p in operation["parameters"] if p["in"] != "path"] + [
        {"name": column, "in": "query", "required": False, "schema": schema}
        for column, schema in filters.items()
    ]
    return path


def _say_page_sizes(path: dict[str, Any], settings: Settings) -> None:
    """Clients choose their pages by the largest that the definition allows."""
    for parameter in path["get"]["parameters"]:
        if parameter["name"] == "limit":
            parameter["schema"] = {
                "type": "integer",
                "minimum": 1,
                "maximum": settings.max_page_size,
                "default": settings.page_size,
            }


def _declare_query(document: dict[str, Any]) -> None:
    """Say how lists and addresses of Features parts 1 and 2 are written."""
    number = {"type": "number"}
    box = {"type": "array", "items": number, "minItems": 4, "maxItems": 6}
    address = {"type": "string", "format": "uri"}
    names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    keys = {**names, "items": {"type": "string", "pattern": "^[+-]?[A-Za-z_].*"}}
    schemas = {
        "bbox": box, "crs": address, "bbox-crs": address, "filter-crs": address,
        "sortby": keys, "properties": names,
    }  # fmt: skip
    for path in (ITEMS, ONE_ITEM):
        for parameter in document["paths"][path]["get"]["parameters"]:
            name = parameter["name"]
            if name in schemas:
                parameter["schema"] = schemas[name]
            if name in (*schemas, "limit", "datetime"):
                parameter.update(style="form", explode=False)


def _say(document: dict[str, Any], words: Words) -> None:
    """Describe every operation, its parameters and its answers in the reader's language."""
    tags: dict[str, None] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            suffix = f"{re.sub(r'[^0-9A-Za-z]', '_', path)}_{method}"
            name = operation["operationId"].removesuffix(suffix)
            operation["summary"] = words.first(f"operation_{name}") or name
            operation["description"] = words.first(f"operation_{name}_about") or ""
            tags |= dict.fromkeys(operation["tags"])
            for parameter in operation.get("parameters", ()):
                asked = parameter["name"].replace("-", "_")
                told = words.first(f"query_{name}_{asked}", f"query_{asked}")
                parameter["description"] = told or parameter.get("description", "")
            for status, answer in operation["responses"].items():
                answer["description"] = words.first(f"answer_{status}") or status
    document["tags"] = [
        {"name": tag, "description": words.first(f"tag_{tag}") or tag} for tag in tags
    ]


def downgraded(node: Any) -> Any:
    """A 3.1 schema node in the words of 3.0.3: nullable, exclusive limits as flags, enum."""
    if isinstance(node, list):
        return [downgraded(part) for part in node]
    if not isinstance(node, dict):
        return node
    made = {name: downgraded(part) for name, part in node.items()}
    options = made.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        del made["anyOf"]
        made.update(rest[0] if len(rest) == 1 else {"anyOf": rest})
        made["nullable"] = True
    for limit, word in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(limit), (int, float)) and not isinstance(made[limit], bool):
            made[word] = made[limit]
            made[limit] = True
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made
