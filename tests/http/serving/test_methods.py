"""HEAD, OPTIONS and Allow on every path; parameters nobody reads are refused on every path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings
from tests.worlds.tiny import tiny_run

PATHS = (
    "/", "/areas", "/areas/tiny", "/areas/tiny/coverage", "/areas/tiny/gaps", "/collections",
    "/collections/tiny.cells", "/collections/tiny.cells/schema", "/collections/tiny.cells/items",
    "/collections/tiny.facilities/items/h1", "/maps/tiny/coverage", "/api", "/conformance",
    "/docs", "/healthz", "/check", "/static/lifecircle.js",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder)
    app = create_app(Settings(workspace=folder))
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_a_body(served: TestClient, path: str) -> None:
    plain = {"accept-encoding": "identity"}
    whole, head = served.get(path, headers=plain), served.head(path, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers["content-length"] == str(len(whole.content))
    assert served.head(path, headers=plain).headers.get("etag") == whole.headers.get("etag")


@pytest.mark.parametrize("path", PATHS)
def test_options_says_what_is_allowed(served: TestClient, path: str) -> None:
    answer = served.options(path)
    wanted = "GET, HEAD, POST, OPTIONS" if path == "/check" else "GET, HEAD, OPTIONS"
    assert (answer.status_code, answer.headers["allow"]) == (204, wanted)
    if not path.startswith("/static"):
        refused = served.delete(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, wanted)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
NAMED = {
    "area": "tiny", "collection": "tiny.cells", "item": "c1", "grid": "WebMercatorQuad",
    "zoom": "9", "row": "1", "column": "1", "layer": "coverage", "process": "siting",
    "job": "0123456789ab",
    "upload": "0123456789ab", "scenario": "0123456789ab", "review": "0123456789ab",
}  # fmt: skip


def declared(router: Any) -> Iterator[tuple[str, set[str]]]:
    """Each path of the routes themselves, and the methods that a route of it takes."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from declared(inner)
        elif getattr(route, "methods", None):
            path = re.sub(r":\w+(?=})", "", route.path)
            yield (
                re.sub(r"\{(\w+)\}", lambda one: NAMED.get(one[1], "x1"), path),
                set(route.methods),
            )


def test_allow_lists_on_every_path_what_is_not_405(served: TestClient) -> None:
    wanted: dict[str, set[str]] = {}
    for path, methods in declared(served.app):
        wanted.setdefault(path, set()).update(methods)
    assert len(wanted) > 60
    for path, methods in wanted.items():
        # a parameter nobody reads: 400 before anything is worked out or changed
        answers = {one: served.request(one, f"{path}?nonsense=1") for one in METHODS}
        taken = [one for one in METHODS if answers[one].status_code != 405]
        assert set(taken) == methods | ({"HEAD"} if "GET" in methods else set()), path
        told = ", ".join([*taken, "OPTIONS"])
        assert served.options(path).headers["allow"] == told
        others = [answers[one] for one in METHODS if one not in taken]
        assert {one.headers["allow"] for one in others} == {told}, path


def test_what_only_takes_a_body(served: TestClient) -> None:
    path = "/areas/tiny/what-if"
    assert served.options(path).headers["allow"] == "POST, OPTIONS"
    refused = served.get(path)
    assert (refused.status_code, refused.json()["key"]) == (405, "http_405")
    assert served.head("/nowhere").status_code == served.options("/nowhere").status_code == 404


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/static")])
def test_parameters_nobody_reads_are_refused(served: TestClient, path: str) -> None:
    assert served.get(f"{path}?nonsense=1").status_code == 400
