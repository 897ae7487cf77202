"""The server around the application: patience with slow clients, counts for Prometheus."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from uvicorn.protocols.http.flow_control import FlowControl

from lifecircle.service import guards
from lifecircle.service.app import create_app
from lifecircle.service.edge.patience import SLOWEST_READ, PatientProtocol
from lifecircle.service.observing.metrics import route_of
from lifecircle.service.settings import Settings
from tests.pages.served import answering, client


class Hasty(PatientProtocol):
    head_s = 0.3
    stalled_s = 0.3

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.limit_concurrency = 5  # connections


@pytest.fixture(scope="module")
def hasty(root: Path) -> Iterator[int]:
    with answering(root, Hasty) as port:
        yield port


def closes(port: int, sent: bytes) -> float:
    """Seconds until the server closes a connection that sends no more than this."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(sent)
        began = time.monotonic()
        try:
            while line.recv(65_536):
                pass
        except ConnectionResetError:
            pass
        return time.monotonic() - began


@pytest.mark.parametrize("sent", [b"", b"GET /areas HTTP/1.1\r\nhost: localh"])
def test_half_a_request_is_not_waited_for(hasty: int, sent: bytes) -> None:
    assert 0.2 < closes(hasty, sent) < 4


def test_whole_requests_are_answered_however_many_on_one_connection(hasty: int) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", hasty), timeout=5) as line:
        for _ in range(3):
            line.sendall(ask)
            told = b""
            while not told.endswith(b'"ok"}'):
                told += line.recv(65_536)
            assert told.startswith(b"HTTP/1.1 200")
            time.sleep(0.2)


def told_by(line: socket.socket) -> bytes:
    """What a line that may be closed any moment says."""
    try:
        return line.recv(65_536)
    except ConnectionResetError:
        return b""


def head_of(port: int, lines: int) -> bytes:
    """What is said to a head of so many lines of 20 kB."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
        try:
            line.sendall(head + b"x: %s\r\n" % (b"a" * 20_000) * lines + b"\r\n")
        except ConnectionError:
            return b""  # closed before it was all sent
        return told_by(line)[:12]


def test_a_head_without_end_is_refused(hasty: int) -> None:
    assert head_of(hasty, 2) == b"HTTP/1.1 200"
    assert head_of(hasty, 400) in (b"", b"HTTP/1.1 431")


def test_idle_connections_make_room_for_who_asks(hasty: int) -> None:
    with ExitStack() as held:
        idle = [
            held.enter_context(socket.create_connection(("127.0.0.1", hasty), timeout=10))
            for _ in range(20)
        ]
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", hasty), timeout=10) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        assert told_by(idle[0]) == b""  # who waited longest went first


class Drain:
    """A transport whose reader takes so many bytes between two looks."""

    def __init__(self, left: int, takes: int) -> None:
        self.left, self.takes, self.ended = left, takes, False

    def get_write_buffer_size(self) -> int:
        self.left -= self.takes
        return self.left

    def abort(self) -> None:
        self.ended = True


@pytest.mark.parametrize(("share", "ended"), [(0.5, True), (2.0, False)])
def test_who_takes_a_long_answer_slowly_is_waited_for(share: float, ended: bool) -> None:
    async def story() -> bool:
        reader = PatientProtocol.__new__(PatientProtocol)
        reader.stalled_s = 0.01
        reader.loop = asyncio.get_running_loop()
        takes = int(share * SLOWEST_READ * reader.stalled_s)
        drain: Any = Drain(10**9, takes)
        reader.transport, reader.flow = drain, FlowControl(drain)
        reader.pause_writing()
        await asyncio.sleep(0.1)
        reader.resume_writing()
        return bool(drain.ended)

    assert asyncio.run(story()) is ended


def test_a_body_that_comes_too_slowly_is_not_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "BODY_S", 0.05)
    app = create_app(Settings(workspace=root, max_body_bytes=1_000))
    sent: list[dict[str, object]] = []
    chunks = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> dict[str, object]:
        for chunk in chunks:
            return chunk
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/areas/tiny/what-if", "query_string": b"",
        "raw_path": b"/areas/tiny/what-if", "scheme": "http", "root_path": "",
        "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"),
                    (b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 408


# ---- counts ------------------------------------------------------------------------------


def test_requests_are_counted_by_kind_of_path(root: Path) -> None:
    served = client(root)
    for path in ("/areas/tiny/coverage", "/areas/tiny/coverage", "/areas/no/coverage", "/x"):
        served.get(path)
    here = TestClient(served.app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    told = here.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    lines = told.text.splitlines()
    kind = 'lifecircle_requests_total{method="GET",route="/areas/*/coverage",status='
    assert f'{kind}"200"}} 2.0' in lines
    assert f'{kind}"404"}} 1.0' in lines
    assert 'lifecircle_requests_total{method="GET",route="other",status="404"} 1.0' in lines
    assert "lifecircle_areas 1.0" in lines
    assert "tiny" not in told.text
    assert served.get("/metrics").status_code == 403  # not from this machine by its name


def test_kinds_of_paths_are_few() -> None:
    assert route_of("/areas/昆明/gaps") == "/areas/*/gaps"
    assert route_of("/collections/a.cells/items/node/1") == "/collections/*/items"
    assert route_of("/maps/a/coverage") == "/maps/*"
    assert route_of("/") == "/"
    assert {route_of(f"/{k}") for k in range(99)} == {"other"}
    assert {route_of(f"/areas/{k}/{k}") for k in range(99)} == {"/areas/*"}
