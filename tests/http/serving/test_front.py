"""The short way gives what the long way gives, and only to whom that would give it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key, revoke_key
from lifecircle.service.edge import keys as gate
from lifecircle.service.edge.kept import asked_of
from lifecircle.service.edge.pieces import Pieces
from lifecircle.service.settings import Settings
from tests.pages.served import client

TABLE = "/areas/tiny/coverage?service=health_centre"
MAP = "/maps/tiny/coverage?service=health_centre"
PLAIN = {"accept-encoding": "identity"}
OWN = ("x-request-id", "date")


def both_ways(served: TestClient, path: str, **headers: str) -> tuple[Any, Any]:
    """The answer by the long way, and by the short one, which is looked whether it was taken."""
    app: Any = served.app
    front, app.front = app.front, None
    try:
        long = served.get(path, headers=headers)
    finally:
        app.front = front
    found: list[object] = []
    find = front.find
    front.find = lambda *asked: found.append(find(*asked)) or found[-1]
    short = served.get(path, headers=headers)
    front.find = find
    assert found[-1] is not None, "the short way was not taken"
    return long, short


def told(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN}


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_a_table_asked_before(served: TestClient, accepted: str) -> None:
    headers = {"accept-encoding": accepted}
    for _ in range(2):
        served.get(TABLE, headers=headers)
    long, short = both_ways(served, TABLE, **headers)
    assert (short.content, told(short)) == (long.content, told(long))
    again = both_ways(served, TABLE, **headers, **{"if-none-match": short.headers["etag"]})
    assert [one.status_code for one in again] == [304, 304]


@pytest.mark.parametrize("query", ["", "&lang=en"])
@pytest.mark.parametrize("place", ["lon=102.7&lat=25.04", "lon=102.9&lat=25.2"])
def test_a_place(served: TestClient, query: str, place: str) -> None:
    path = f"/areas/tiny/point?{place}{query}"
    served.get(path, headers=PLAIN)
    long, short = both_ways(served, path, **PLAIN)
    assert (short.content, told(short)) == (long.content, told(long))


@pytest.mark.parametrize(
    "query",
    ["lon=1e2&lat=25", "lon=200&lat=25", "lat=25.04&lon=102.7", "lon=102.7&lat=25.04&x=1",
     "lon=102.7", "lon=102.7&lat=25.04&lang=fr", "lon=-170&lat=25.04"],
)  # fmt: skip
def test_what_is_not_plain_takes_the_long_way(served: TestClient, query: str) -> None:
    app: Any = served.app
    served.get("/areas/tiny/point?lon=102.7&lat=25.04")
    scope = {
        "type": "http", "method": "GET", "path": "/areas/tiny/point", "scheme": "http",
        "query_string": query.encode(), "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    assert app.front.find(scope, asked_of(scope)) is None


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_a_map_page_has_a_number_of_its_own_each_time(root: Path, accepted: str) -> None:
    served, headers = client(root), {"accept-encoding": accepted}
    for _ in range(2):
        served.get(MAP, headers=headers)
    long, short = both_ways(served, MAP, **headers)
    pages, seen = [], set()
    for answer in (long, short, served.get(MAP, headers=headers)):
        policy = answer.headers["content-security-policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        seen.add(nonce)
        assert answer.text.count(f'nonce="{nonce}"') > 3
        pages.append((answer.text.replace(nonce, ""), policy.replace(nonce, "")))
    assert len(seen) == 3
    assert pages[0] == pages[1] == pages[2]


def test_pieces_are_one_gzip() -> None:
    page = b"<a nonce=NONCE>" + bytes(range(256)) * 900 + b"<b nonce=NONCE></b>" * 3
    pieces = Pieces.of(page, b"NONCE")
    pieces.squeeze()
    for nonce in (b"x" * 22, b"other-nonce-of-22-bytes"):
        made = pieces.with_nonce(nonce, squeezed=True)
        assert gzip.decompress(made) == page.replace(b"NONCE", nonce)
        assert len(made) < len(page) / 20


def test_nobody_gets_by_the_short_way_what_is_not_theirs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(root)
    key, written = add_key(engine, "王工", "viewer", None, "test")
    app = create_app(Settings(workspace=root))
    away = TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.9", 1))
    mine = {"authorization": f"Bearer {written}"}
    for _ in range(3):
        assert away.get(TABLE, headers=mine).status_code == 200
    for headers, status in (
        ({}, 401),
        ({"authorization": "Bearer lc_0_0"}, 401),
        ({**mine, "x-api-key": written}, 200),
        ({**mine, "host": "evil.example"}, 403),
    ):
        assert away.get(TABLE, headers=headers).status_code == status
    revoke_key(engine, key.id, "test")
    monkeypatch.setattr(gate, "FRESH_S", 0.0)
    assert away.get(TABLE, headers=mine).status_code == 401
