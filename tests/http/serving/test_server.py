"""The server around the application: patience with slow clients, counts for Prometheus."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lifecircle.service import guards
from lifecircle.service.app import create_app
from lifecircle.service.metrics import route_of
from lifecircle.service.patience import PatientProtocol
from lifecircle.service.settings import Settings
from tests.pages.served import answering, client


class Hasty(PatientProtocol):
    head_s = 0.3
    stalled_s = 0.3


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
