"""Tiles of Tianditu handed on: by a stand-in of its host on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from lifecircle.service.errors import SettingError
from lifecircle.service.outside import tianditu as room
from lifecircle.service.outside.tianditu import HOST, Tianditu
from lifecircle.service.settings import settings_from
from tests.pages.served import client
from tests.worlds.tiny import tiny_run

KEY = "0123456789abcdef-secret"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
TILE = "/ground/tianditu/vec/12/1735/3216"


class StandIn:
    """A server that answers as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: tuple[int, dict[str, str], bytes] = (200, {"content-type": "image/png"}, PNG)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, headers, body = outer.says
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=2)


@pytest.fixture
def far() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.server.shutdown()
    stand_in.server.server_close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiles")
    tiny_run(folder)
    return folder


@pytest.fixture
def served(root: Path, far: StandIn) -> TestClient:
    http = client(root, tianditu_key=KEY, tianditu_review_number="GS(2024)0650号")
    state: Any = http.app.state  # type: ignore[attr-defined]
    state.tianditu = Tianditu(KEY, "GS(2024)0650号", far.connect)
    return http


def test_a_tile_is_handed_on_once(served: TestClient, far: StandIn) -> None:
    answer = served.get(TILE)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert served.get(TILE).content == PNG
    assert len(far.asked) == 1
    asked = urlsplit(far.asked[0])
    assert asked.path == "/vec_w/wmts"
    told = {name: value for name, (value,) in parse_qs(asked.query).items()}
    assert told["tk"] == KEY
    assert (told["TILEMATRIX"], told["TILEROW"], told["TILECOL"]) == ("12", "1735", "3216")
    assert (told["LAYER"], told["TILEMATRIXSET"]) == ("vec", "w")


@pytest.mark.parametrize(
    "path",
    [
        "vec/0/0/0", "vec/19/0/0", "vec/3/8/0", "vec/3/0/8", "vec/3/-1/0", "ter/3/0/0",
        "vec/3/0/x", "vec/3/0/0?tk=other", "vec/3/0/0%3Ftk=1", "vec/3/1e0/0", "vec_w/3/0/0",
    ],
)  # fmt: skip
def test_nothing_else_reaches_the_host(served: TestClient, far: StandIn, path: str) -> None:
    answer = served.get(f"/ground/tianditu/{path}")
    assert answer.status_code in {400, 404}
    assert far.asked == []


@pytest.mark.parametrize(
    "says",
    [
        (302, {"location": "/elsewhere", "content-type": "image/png"}, PNG),
        (403, {"content-type": "image/png"}, PNG),
        (200, {"content-type": "text/html"}, b"<script>alert(1)</script>"),
        (200, {"content-type": "image/png"}, b"<script>alert(1)</script>"),
        (200, {"content-type": "image/svg+xml"}, PNG),
        (200, {"content-type": "image/png"}, PNG + bytes(room.MOST_BYTES)),
        (200, {"content-type": "image/png", "content-length": "9999"}, PNG),
    ],
    ids=["redirect", "refused", "page", "no picture", "svg", "too large", "cut off"],
)
def test_what_is_no_tile_is_not_handed_on(
    served: TestClient,
    far: StandIn,
    says: tuple[int, dict[str, str], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    far.says = says
    with caplog.at_level(logging.DEBUG):
        answer = served.get(TILE, headers={"accept-language": "zh"})
    assert (answer.status_code, answer.json()["key"]) == (502, "tianditu_no_answer")
    assert len(far.asked) == 1
    assert "vec/12/1735/3216" in caplog.text
    assert KEY not in caplog.text + answer.text
    far.says = (200, {"content-type": "image/jpeg"}, b"\xff\xd8\xff" + bytes(9))
    assert served.get(TILE).headers["content-type"] == "image/jpeg"  # a refusal is not kept


def test_a_host_that_is_away_or_slow_is_told_without_the_key(
    served: TestClient, far: StandIn, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room, "PATIENCE_S", 0.0)
    assert served.get(TILE).json()["key"] == "tianditu_no_answer"
    far.server.server_close()
    answer = served.get(TILE)
    assert answer.status_code == 502
    assert KEY not in caplog.text + answer.text


def test_the_memory_for_tiles_is_bounded(far: StandIn, monkeypatch: Any) -> None:
    monkeypatch.setattr(room, "KEPT_BYTES", 2 * len(PNG))
    tiles = Tianditu(KEY, None, far.connect)
    for x in (0, 1, 2, 2, 0):  # 0 was let go for 2, and is asked for again
        tiles.tile("img", 2, 0, x)
    assert [parse_qs(urlsplit(one).query)["TILECOL"] for one in far.asked] == [
        ["0"], ["1"], ["2"], ["0"],
    ]  # fmt: skip


def test_without_a_key_nothing_is_offered(root: Path) -> None:
    http = client(root)
    assert http.get(TILE).json()["key"] == "tianditu_off"
    assert "tianditu" not in http.get("/maps/tiny/coverage").text


def test_a_page_offers_them_with_their_credit_and_no_key(served: TestClient) -> None:
    page = served.get("/maps/tiny/coverage")
    assert 'value="tianditu_img"' in page.text
    assert "GS(2024)0650号" in page.text
    assert KEY not in page.text
    assert "img-src 'self' data:;" in page.headers["content-security-policy"]


def test_who_may_not_read_gets_no_tile(root: Path, far: StandIn) -> None:
    http = client(root, tianditu_key=KEY, behind_proxy=True)
    http.app.state.tianditu = Tianditu(KEY, None, far.connect)  # type: ignore[attr-defined]
    assert http.get(TILE).status_code == 401
    assert far.asked == []


def test_the_host_is_one_and_asked_by_tls() -> None:
    connection = room._connect()
    assert (connection.host, connection.port) == (HOST, 443)


def test_a_wrong_key_is_not_shown_in_the_refusal() -> None:
    with pytest.raises(SettingError) as refused:
        settings_from({"LIFECIRCLE_TIANDITU_KEY": "short"})
    assert "short" not in refused.value.text("en").replace("too_short", "")
