"""The API definition as OpenAPI 3.0.3, with a literal path for the items of every collection.

FastAPI describes itself in OpenAPI 3.1; GDAL pushes attribute filters only where the
definition spells out the path of the collection with its filters.
"""

from __future__ import annotations

import copy
import re
from threading import Lock
from typing import Any, Final

from fastapi import FastAPI

from lifecircle.analysis.errors import LifecircleError
from lifecircle.service import i18n
from lifecircle.service.ogc.crs import offered
from lifecircle.service.ogc.definition.answers import ITEMS, say_answers
from lifecircle.service.ogc.definition.parameters import declare_parameters, narrow_items
from lifecircle.service.ogc.definition.plain import downgraded
from lifecircle.service.ogc.filters import queryable_schema, queryables
from lifecircle.service.queries.reader import Reader
from lifecircle.service.queries.scorecard import packaged_settings, setting_parameters
from lifecircle.service.wording import Words

VERSION: Final = "3.0.3"
_ONE_AT_A_TIME: Final = Lock()
SCORECARD: Final = "/areas/{area}/scorecard"


def api_document(app: FastAPI, reader: Reader) -> dict[str, Any]:
    """The definition, with the collections that exist now."""
    with _ONE_AT_A_TIME:  # FastAPI makes it on the first call, and trips over a second one
        made = app.openapi()
    document: dict[str, Any] = downgraded(copy.deepcopy(made))
    document["openapi"] = VERSION
    document["servers"] = [{"url": reader.base}]
    document["info"]["title"] = i18n.text("service_title", reader.lang)
    document["info"]["description"] = i18n.text("service_about", reader.lang)
    paths = document["paths"]
    say_answers(document)
    declare_parameters(document, reader.settings, reader.areas.names())
    _say(document, Words(reader.lang))
    for path, name in TILE_OPERATIONS.items():
        paths[path]["get"]["operationId"] = name
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
            systems = offered(reader.areas.manifest(area).crs)
            spelled = _spelled(paths[ITEMS], name, filters)
            narrow_items(spelled["get"], columns, systems)
            paths[ITEMS.replace("{collection}", name)] = spelled
    return document


# what OGC API Tiles asks of operation ids (20-057, table of suffixes)
TILE_OPERATIONS: Final = {
    "/collections/{collection}/tiles": "tiles.collection.vector.getTileSetsList",
    "/collections/{collection}/tiles/{grid}": "tiles.collection.vector.getTileSet",
    "/collections/{collection}/tiles/{grid}/{zoom}/{row}/{column}": (
        "tiles.collection.vector.getTile"
    ),
}


def _spelled(generic: dict[str, Any], name: str, filters: dict[str, Any]) -> dict[str, Any]:
    """The items path of one collection: no path parameter, its own filters."""
    path = copy.deepcopy(generic)
    operation = path["get"]
    operation["operationId"] = f"items-{name}"
    operation["summary"] = name
    operation["parameters"] = [p for p in operation["parameters"] if p["in"] != "path"] + [
        {"name": column, "in": "query", "required": False, "schema": schema}
        for column, schema in filters.items()
    ]
    return path


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
