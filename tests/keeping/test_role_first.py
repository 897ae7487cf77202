"""Who may not write is told so whatever he sends: on every route that writes, before its body."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.settings import Settings
from tests.worlds.tiny import tiny_run

WRITES = {"post", "put", "patch", "delete"}
LOGINS = {"/login", "/logout"}  # whoever has no key yet
READERS = {"/areas/{area}/what-if", "/areas/{area}/scenario"}  # worked out, nothing is written
BODIES = (b"{", b"[]", b'{"nobody": "reads this"}', b"{}", b'{"title": "\\ud800"}')


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    root = tmp_path_factory.mktemp("workspace")
    tiny_run(root)
    return create_app(Settings(workspace=root, public_read=True))


def _written(app: FastAPI) -> list[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return sorted((verb.upper(), path) for path in paths for verb in paths[path] if verb in WRITES)


def _address(path: str) -> str:
    known = {"{area}": "tiny", "{process}": "build"}
    for name, value in known.items():
        path = path.replace(name, value)
    parts = path.split("/")
    return "/".join("0" * 12 if part.startswith("{") else part for part in parts)


def test_a_viewer_with_a_wrong_body_is_a_viewer_first(app: FastAPI) -> None:
    root: Path = app.state.settings.workspace
    engine = open_database(root)
    _, key = add_key(engine, "viewer", "viewer", None, "test")
    engine.dispose()
    served = TestClient(app, base_url="http://127.0.0.1", client=("192.0.2.7", 1))
    told = {"x-api-key": key, "content-type": "application/json"}
    routes = [one for one in _written(app) if one[1] not in LOGINS]
    assert len(routes) > 10
    for verb, path in routes:
        wanted = 400 if path in READERS else 403
        for body in BODIES[:3] if path in READERS else BODIES:
            for asked in ("", "?version=none&nobody=reads"):
                found = served.request(verb, _address(path) + asked, content=body, headers=told)
                assert found.status_code == wanted, (verb, path, body, asked, found.text)
    quick = "/processes/scenario/execution"
    assert served.post(quick, content=b"{", headers=told).status_code == 400
    later = {**told, "prefer": "respond-async"}
    assert served.post(quick, content=b"{", headers=later).status_code == 403
