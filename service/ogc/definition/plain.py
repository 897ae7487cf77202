"""Schemas of OpenAPI 3.1 in the words of 3.0.3."""

from __future__ import annotations

from typing import Any


def downgraded(node: Any) -> Any:
    """A 3.1 schema node in the words of 3.0.3: nullable, limits as flags, enum, one example."""
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
    if "examples" in made:
        made["example"] = made.pop("examples")[0]
    names = made.pop("propertyNames", None)
    if isinstance(names, dict) and "enum" in names:
        shape = made.pop("additionalProperties", {})
        made |= {"properties": dict.fromkeys(names["enum"], shape), "additionalProperties": False}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made
