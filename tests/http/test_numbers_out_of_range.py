"""Numbers that nobody means, in every parameter and every body that the definition tells of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from tests.pages.served import ask, client
from tests.worlds.tiny import tiny_run

NO_NUMBER = ("1e400", "nan")  # refused where a number is meant
STRANGE = ("1e-400", "1" + "0" * 30, "9" * 5_000)
REFUSED = {400, 404, 422}
LAYER = "/collections/tiny."
Schema = dict[str, Any]


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A client with a planner's key, whom nothing is refused before it is looked at."""
    root = tmp_path_factory.mktemp("planner")
    tiny_run(root)
    engine = open_database(root)
    _, key = add_key(engine, "王工", "planner", None, "test")
    engine.dispose()
    asked = client(root)
    asked.headers["authorization"] = f"Bearer {key}"
    return asked


@pytest.fixture(scope="module")
def document(planner: TestClient) -> Schema:
    """The definition of the service."""
    found: Schema = ask(planner, "/api")
    return found


def test_no_parameter_falls_over_a_number(planner: TestClient, document: Schema) -> None:
    numeric = 0
    for path, operation, parameter in parameters(document):
        meant = {"number", "integer"} & kinds(parameter["schema"], document)
        numeric += bool(meant)
        for value in (*NO_NUMBER, *STRANGE) if meant else STRANGE[-1:]:
            where = address(path, operation, parameter, value)
            status = planner.get(where).status_code
            assert status < 500, (status, where[:200])
            if meant and value in NO_NUMBER:
                assert status in REFUSED, (status, where)
    assert numeric > 60


def test_no_body_falls_over_a_number(planner: TestClient, document: Schema) -> None:
    asked, headers = 0, {"content-type": "application/json"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema is None:
                continue
            where = address(path, operation, {}, "")
            for body in bodies(schema, document, 0):
                for value in (*NO_NUMBER, "Infinity", *STRANGE):
                    text = json.dumps(body).replace(json.dumps(HERE), value.replace("nan", "NaN"))
                    answer = planner.request(method.upper(), where, content=text, headers=headers)
                    assert answer.status_code < 500, (method, where, text[:300], answer.text)
                    if value in NO_NUMBER:
                        assert answer.status_code in {*REFUSED, 403}, (where, text[:300])
                    asked += 1
    assert asked > 60


def parameters(document: Schema) -> Iterator[tuple[str, Schema, Schema]]:
    """Every operation that reads and each of its parameters; of those that all layers have, one."""
    seen = set()
    for path, operations in document["paths"].items():
        operation = operations.get("get", {})
        for one in operation.get("parameters", ()):
            where = LAYER if path.startswith(LAYER) else path
            if one["in"] in ("query", "path") and (where, one["name"]) not in seen:
                seen.add((where, one["name"]))
                yield path, operation, one


def kinds(schema: Schema, document: Schema) -> set[str]:
    """The JSON types that a schema takes, those of a list's entries too."""
    schema = resolved(schema, document)
    inner = [*choices(schema), *([schema["items"]] if "items" in schema else [])]
    return {schema.get("type", "")}.union(*(kinds(one, document) for one in inner))


def choices(schema: Schema) -> list[Schema]:
    """What a schema is one of."""
    return [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())]


def resolved(schema: Schema, document: Schema) -> Schema:
    """The schema that is meant by a reference."""
    while "$ref" in schema:
        found: Schema = document
        for part in schema["$ref"][2:].split("/"):
            found = found[part]
        schema = found
    return schema


def address(path: str, operation: Schema, asked: Schema, value: str) -> str:
    """The address with a value in one parameter, and what it needs besides."""
    query = []
    for one in operation.get("parameters", ()):
        told = value if one is asked else str(sample(one["schema"], one))
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", quote(told, safe=""))
        elif one is asked or one.get("required"):
            query.append(f"{one['name']}={quote(told, safe='')}")
    return f"{path}?{'&'.join(query)}"


def sample(schema: Schema, told: Schema) -> Any:
    """Something a schema takes, or nearly."""
    for held in (told, schema):
        if "example" in held:
            return held["example"]
    return schema["enum"][0] if "enum" in schema else schema.get("default", "1")


HERE = "the number"


def bodies(schema: Schema, document: Schema, depth: int) -> Iterator[Any]:
    """Bodies with a number at each place that takes one, and what is required beside it."""
    schema = resolved(schema, document)
    if schema.get("type") in ("number", "integer"):
        yield HERE
    if depth > 6:
        return
    for one in choices(schema):
        yield from bodies(one, document, depth + 1)
    if "items" in schema:
        for inner in bodies(schema["items"], document, depth + 1):
            yield [inner] * max(1, schema.get("minItems", 1))
    own = schema.get("properties", {})
    beside = {name: filled(own[name], document, depth) for name in schema.get("required", ())}
    for name, one in own.items():
        for inner in bodies(one, document, depth + 1):
            yield {**beside, name: inner}


def filled(schema: Schema, document: Schema, depth: int) -> Any:
    """The least that a schema takes, or nearly."""
    schema = resolved(schema, document)
    for word in ("example", "default"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    if (inner := choices(schema)) and depth < 6:
        return filled(inner[0], document, depth + 1)
    if schema.get("type") == "array":
        return [filled(schema["items"], document, depth + 1)] if schema.get("minItems") else []
    if schema.get("type") == "object":
        own = schema.get("properties", {})
        return {name: filled(own[name], document, depth + 1) for name in schema.get("required", ())}
    return {"number": 1, "integer": 1, "boolean": False}.get(schema.get("type", ""), "pharmacy")
