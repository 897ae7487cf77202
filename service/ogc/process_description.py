"""A process as OGC describes it, from the model that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from lifecircle.analysis.errors import Language
from lifecircle.analysis.provenance import code_version
from lifecircle.service.jobs.processes import Process
from lifecircle.service.ogc.definition import downgraded
from lifecircle.service.ogc.links import link
from lifecircle.service.responses import JSON
from lifecircle.service.wording import Words

EXECUTE_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/execute"
_LEFT_OUT: Final = ("title", "description")


def summary(kind: type[Process], lang: Language, base: str) -> dict[str, Any]:
    """What a list says of a process."""
    words = Words(lang)
    home = f"{base}/processes/{quote(kind.ID)}"
    return {
        "id": kind.ID,
        "version": code_version(),
        "title": words.first(f"process_{kind.ID}") or kind.ID,
        "description": words.first(f"process_{kind.ID}_about") or "",
        "jobControlOptions": [
            *(["sync-execute"] if kind.QUICK else []),
            "async-execute",
            "dismiss",
        ],
        "outputTransmission": ["value"],
        "links": [
            link("self", home, JSON),
            link(EXECUTE_REL, f"{home}/execution", JSON),
        ],
    }


def description(kind: type[Process], lang: Language, base: str) -> dict[str, Any]:
    """A process with its inputs and its one output."""
    words = Words(lang)
    schema = downgraded(kind.model_json_schema())
    needed = set(schema.get("required", ()))
    parts = schema.get("$defs", {})
    inputs = {
        name: _input(kind, name, _whole(field, parts), words, needed=name in needed)
        for name, field in schema["properties"].items()
    }
    output = {
        "title": words("process_result"),
        "description": words.first(f"process_{kind.ID}_gives") or "",
        "schema": {"type": "object", "contentMediaType": JSON},
    }
    return {**summary(kind, lang, base), "inputs": inputs, "outputs": {"result": output}}


def _whole(schema: Any, parts: Mapping[str, Any]) -> Any:
    """A schema with what it refers to in its place: an input is described by itself."""
    if isinstance(schema, list):
        return [_whole(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _whole(one, parts) for key, one in schema.items()}


def _input(
    kind: type[Process], name: str, schema: dict[str, Any], words: Words, *, needed: bool
) -> dict[str, Any]:
    """An input; what may be given several times is described by one of them."""
    told = words.first(
        f"job_input_{kind.ID}_{name}",
        f"job_input_{name}",
        f"query_show_{kind.ID}_{name}",
        f"query_{name}",
        f"option_{name}",
    )
    made: dict[str, Any] = {
        "title": name,
        "description": told or "",
        "minOccurs": 1 if needed else 0,
        "maxOccurs": 1,
    }
    plain = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    if plain.get("type") == "array":
        made["maxOccurs"] = plain.get("maxItems", "unbounded")
        plain = plain["items"]
    return {**made, "schema": plain}
