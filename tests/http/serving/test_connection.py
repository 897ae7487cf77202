"""Connections give at once what the application would give, in the order it was asked for."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lifecircle.service.edge.connection import QuickProtocol
from lifecircle.service.observing import logs
from lifecircle.service.state import AnswerCache
from tests.pages.served import answering

TABLE = "/areas/tiny/coverage?service=health_centre"
OWN = re.compile(rb"(?m)^(x-request-id|date): [^\r]*\r\n")
taken: list[bool] = []  # whether each plain question was answered at once


class Watched(QuickProtocol):
    def _answer(self, front: Any) -> bool:
        taken.append(super()._answer(front))
        return taken[-1]


@pytest.fixture(scope="module")
def port(root: Path) -> Iterator[int]:
    with answering(root, Watched) as port:
        yield port


def ask(path: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    head = (f"{method} {path} HTTP/{version}", "host: localhost", *lines)
    return "\r\n".join((*head, "", "")).encode()


def answers(port: int, *sent: bytes, count: int) -> list[bytes]:
    """The answers to what is sent, piece by piece, on one connection, without what is their own."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        found, held = [], b""
        for piece in sent:
            line.sendall(piece)
        while len(found) < count:
            while (end := held.find(b"\r\n\r\n")) < 0 or len(held) < end + 4 + _length(held[:end]):
                more = line.recv(65_536)
                if not more:
                    return [*found, OWN.sub(b"", held)]
                held += more
            whole = end + 4 + _length(held[:end])
            found.append(OWN.sub(b"", held[:whole]))
            held = held[whole:]
        return found


def _length(head: bytes) -> int:
    told = re.search(rb"(?im)^content-length: (\d+)", head)
    return int(told[1]) if told else 0


def until_taken(count: int) -> list[bool]:
    """What is written down of questions, which may be a moment behind their answers."""
    until = time.monotonic() + 10
    while len(taken) < count and time.monotonic() < until:
        time.sleep(0.001)
    return taken


@pytest.fixture(autouse=True)
def asked_before(port: int) -> None:
    for path in (TABLE, "/areas/tiny/coverage", "/areas/tiny/point?lon=102.7&lat=25.04"):
        taken.clear()
        answers(port, ask(path), count=1)
        until_taken(1)
    taken.clear()


@pytest.mark.parametrize("path", [TABLE, "/areas/tiny/point?lon=102.7&lat=25.04"])
def test_what_is_kept_is_given_at_once_and_as_the_application_gives_it(
    port: int, path: str
) -> None:
    (quick,) = answers(port, ask(path), count=1)
    assert until_taken(1) == [True]
    # a length, though 0, may mean a body, which goes the usual way
    (usual,) = answers(port, ask(path, "content-length: 0"), count=1)
    assert until_taken(2) == [True, False]
    assert quick == usual
    assert quick.startswith(b"HTTP/1.1 200 OK\r\n")


def test_many_sent_together_are_answered_in_their_order(port: int) -> None:
    paths = [TABLE, "/areas/tiny/coverage", TABLE, "/areas", TABLE] * 3
    alone = {path: answers(port, ask(path), count=1)[0] for path in set(paths)}
    taken.clear()
    together = answers(port, b"".join(map(ask, paths)), count=len(paths))
    assert together == [alone[path] for path in paths]
    assert True in until_taken(1)


@pytest.mark.parametrize(
    "sent",
    [
        ask(TABLE, version="1.0"),
        ask(TABLE, "connection: close"),
        ask(TABLE, "connection: close", method="HEAD"),
        ask(TABLE, "x-forwarded-for: 10.0.0.9"),
        ask("/areas/t%69ny/coverage?service=health_centre"),
        ask(TABLE, "transfer-encoding: chunked") + b"0\r\n\r\n",
    ],
)
def test_what_is_not_plain_goes_the_usual_way(port: int, sent: bytes) -> None:
    (answer,) = answers(port, sent, count=1)
    assert True not in taken
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 401"))


def test_no_request_fails_because_its_line_cannot_be_written() -> None:
    class Shut:
        def write(self, line: str) -> None:
            raise BrokenPipeError

    lines = logs.Lines(Shut())  # type: ignore[arg-type]
    lines.setFormatter(logs.TextLines())
    lines.write_access("GET /", {"request": "ab12", "status": 200})


def test_a_quick_line_of_the_log_is_the_line_of_a_record() -> None:
    told = {"request": "ab12", "status": 200, "ms": 0.25, "bytes": 53_062, "client": "127.0.0.1"}
    said = "GET /areas/昆明\x1b[2J/coverage"
    for form in (logs.TextLines(), logs.JsonLines()):
        written: list[str] = []

        class Stream:
            write = staticmethod(written.append)

        lines = logs.Lines(Stream())  # type: ignore[arg-type]
        lines.setFormatter(form)
        lines.write_access(said, dict(told))
        record = logging.LogRecord(logs.ACCESS, logging.INFO, "", 0, said, (), None)
        vars(record).update(told)
        when = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
        (line,) = written
        assert len(when.findall(line)) == 1
        assert when.sub("", line) == when.sub("", form.format(record)) + "\n"


def test_a_head_without_an_end_is_ended(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        with suppress(OSError):  # it is closed meanwhile
            for _ in range(400):
                line.sendall(b"X-A: " + b"a" * 1_000 + b"\r\n")
        with suppress(ConnectionResetError):
            assert line.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("name", "host", "status"),
    [("evil.example", "localhost", b"403"), ("localhost", "evil.example", b"200")],
)
def test_a_whole_address_names_the_host(port: int, name: str, host: str, status: bytes) -> None:
    asked = f"GET http://{name}{TABLE} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()
    (answer,) = answers(port, asked, count=1)
    assert answer.split()[1] == status


def test_what_was_asked_counts_as_what_is_kept() -> None:
    cache = AnswerCache(100_000)
    for k in range(10):
        cache.put(Path("run"), ("path", f"{k}" * 30_000), b"short")
    asked = [("path", f"{k}" * 30_000) for k in range(10)]
    held = [k for k in range(10) if cache.get(Path("run"), asked[k]) is not None]
    assert held == [7, 8, 9]
