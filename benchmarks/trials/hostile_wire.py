"""What `hostile` tries on the wire: heads, bodies and answers without end, idle lines, other
protocols, packed bodies. Each yields what was tried, what it got, whether that holds."""

from __future__ import annotations

import gzip
import io
import resource
import socket
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.trials.hostile import Place, Told

IDLE, SLOW_READERS, MORE_MB = 10_000, 60, 200
LONGEST_BODY_S, WAITED_S, LOOKED_S = 60, 10, 30
ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def line_to(at: Place, timeout: float = 60) -> socket.socket:
    return socket.create_connection((at.host, at.port), timeout=timeout)


def first_of(line: socket.socket) -> str:
    """The status an answer begins with; `closed` where there is none."""
    try:
        told = line.recv(65_536)
    except (ConnectionError, TimeoutError):
        return "closed"
    return told[9:12].decode("latin-1") if told.startswith(b"HTTP/1.1 ") else "closed"


def memory_mb() -> float:
    """Memory of all processes that serve (children of this one and theirs)."""
    from benchmarks.trials.soak import memory_mb as of_one

    def family(pid: int) -> float:
        told = Path(f"/proc/{pid}/task/{pid}/children")
        heirs = told.read_text("ascii").split() if told.exists() else []
        return of_one(pid) + sum(family(int(one)) for one in heirs)

    import os

    return family(os.getpid()) - of_one(os.getpid())


class Others:
    """Somebody else who asks meanwhile: how long he waits at most, how often he got nothing."""

    def __init__(self, at: Place) -> None:
        self.at, self.worst, self.failed, self.asked = at, 0.0, 0, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._end.wait(0.25):
            began = time.monotonic()
            try:
                self.failed += self.at.ask("/healthz")[0] != 200
            except OSError:
                self.failed += 1
            self.asked += 1
            self.worst = max(self.worst, time.monotonic() - began)

    def __str__(self) -> str:
        return f"others waited {self.worst:.1f} s at most, {self.failed} of {self.asked} in vain"


def heads(at: Place) -> Iterator[Told]:
    before = memory_mb()
    got: Counter[str] = Counter()
    with Others(at) as others:
        for _ in range(8):
            with line_to(at) as line:
                line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
                try:
                    for _ in range(400):
                        line.sendall(b"x-a: %s\r\n" % (b"b" * 65_000))
                    line.sendall(b"\r\n")
                except ConnectionError:
                    got["closed"] += 1
                    continue
                got[first_of(line)] += 1
    more = memory_mb() - before
    fine = not {"200"} & got.keys() and more < MORE_MB and others.worst < WAITED_S
    yield "heads of 26 MB, eight times", f"{dict(got)}, {more:+.0f} MB; {others}", fine
    with line_to(at) as line:
        line.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * 12_000 + b"\r\n"
        )
        got_one = first_of(line)
    yield "a head of 12,000 headers", got_one, got_one in ("200", "431", "closed")


def slow_readers(at: Place) -> Iterator[Told]:
    before, largest = memory_mb(), "/static/swagger/swagger-ui-bundle.js"
    with ExitStack() as held, Others(at) as others:
        lines = []
        for _ in range(SLOW_READERS):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            line.connect((at.host, at.port))
            line.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n"
                         % (largest.encode(), at.key.encode()))  # fmt: skip
            lines.append(held.enter_context(line))
        began, most, ended = time.monotonic(), 0.0, 0
        while time.monotonic() - began < LOOKED_S and ended < len(lines):
            time.sleep(1)
            most = max(most, memory_mb() - before)
            ended = sum(_is_gone(line) for line in lines)
    took = time.monotonic() - began
    said = f"{ended} ended within {took:.0f} s (the system's buffers take 1.4 MB whole), "
    said += f"{most:+.0f} MB at most; {others}"
    yield f"{SLOW_READERS} readers of a long answer that take nothing", said, (
        most < MORE_MB and not others.failed
    )  # fmt: skip


def _is_gone(line: socket.socket) -> bool:
    """Whether the server has reset a line of which nobody reads (TCP says so in its error)."""
    if line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return True
    state = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return state[0] != 1  # ESTABLISHED


def idle(at: Place) -> Iterator[Told]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(IDLE, most - 500)
    before = memory_mb()
    lines = []
    with Others(at) as others:
        for _ in range(count):
            try:
                lines.append(line_to(at, 10))
            except OSError:
                break
        more = memory_mb() - before
        time.sleep(5)
    for line in lines:
        line.close()
    said = f"{len(lines)} opened, {more:+.0f} MB; {others}"
    fine = others.worst < WAITED_S and more < MORE_MB and not others.failed
    yield f"{count} lines that say nothing", said, fine


def other_protocols(at: Place) -> Iterator[Told]:
    asked = {
        "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
               b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    }  # fmt: skip
    for name, headers in asked.items():
        for path in (b"/healthz", b"/areas"):
            with line_to(at) as line:
                line.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path, headers))
                got = first_of(line)
            wanted = "200" if path == b"/healthz" else "401"
            yield f"upgrade to {name} at {path.decode()}", got, got == wanted
    with line_to(at) as line:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9)
        got = first_of(line)
    yield "the preface of HTTP/2", got, got in ("400", "closed")


def bodies(at: Place) -> Iterator[Told]:
    head = (b"POST /areas/tiny/what-if HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n"
            b"Content-Type: application/json\r\n" % at.key.encode())  # fmt: skip
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    with line_to(at) as line:
        line.sendall(chunked)
        try:
            for _ in range(4_000):
                line.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        except ConnectionError:
            pass
        got = first_of(line)
    yield "chunks without end, as fast as they go", got, got in ("413", "closed")
    with line_to(at) as line, Others(at) as others:
        line.sendall(chunked)
        began, got = time.monotonic(), "-"
        line.settimeout(0.5)
        while got == "-" and time.monotonic() - began < LONGEST_BODY_S:
            try:
                line.sendall(b"1\r\n \r\n")
                got = line.recv(65_536)[9:12].decode("latin-1")
            except TimeoutError:
                continue
            except ConnectionError:
                got = "closed"
        took = time.monotonic() - began
    said = f"{got} after {took:.0f} s; {others}"
    yield (
        "chunks without end, one byte each half second",
        said,
        (got in ("408", "closed") and took < LONGEST_BODY_S and not others.failed),
    )
    with line_to(at, 10) as line:
        line.sendall(head + b"Expect: 100-continue\r\nContent-Length: 10000000000\r\n\r\n")
        got = first_of(line)
    yield "Expect: 100-continue before 10 GB", got, got in ("413", "417")
    with line_to(at, 10) as line:
        line.sendall(head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")  # fmt: skip
        got = first_of(line)
    yield "a body with two lengths (smuggling)", got, got in ("400", "closed")


def pipelined(at: Place) -> Iterator[Told]:
    body = b'{"add": [], "remove": []}'
    post = (b"POST /areas/tiny/what-if HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (at.key.encode(), len(body), body))  # fmt: skip
    with line_to(at, 30) as line:
        line.sendall((post + ASK) * 20)
        told, until = b"", time.monotonic() + 30
        while told.count(b"HTTP/1.1 ") < 40 and time.monotonic() < until:
            more = line.recv(65_536)
            if not more:
                break
            told += more
    turns = [part[:3].decode() for part in told.split(b"HTTP/1.1 ")[1:]]
    fine = len(turns) == 40 and set(turns[1::2]) == {"200"} and len(set(turns[::2])) == 1
    yield "20 posts and 20 reads sent at once on one line", f"{Counter(turns)}, in turn", fine


def bombs(at: Place) -> Iterator[Told]:
    zeros = b"0" * 2**20
    table, packed, sheet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with (
        zipfile.ZipFile(table, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(2_000):
            member.write(zeros)
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        with file.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(2_000):
                member.write(zeros)
    with gzip.open(packed, "wb") as member:
        for _ in range(2_000):
            member.write(zeros)
    for name, content in (("a.zip", table), ("a.xlsx", sheet), ("a.csv.gz", packed)):
        before, began = memory_mb(), time.monotonic()
        form = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s'
                b"\r\n--x--\r\n" % (name.encode(), content.getvalue()))  # fmt: skip
        with Others(at) as others:
            kind = "multipart/form-data; boundary=x"
            status, _, said = at.ask("/check", "POST", form, X_API_Key=at.key, Content_Type=kind)
        took, more = time.monotonic() - began, memory_mb() - before
        told = f"{status} {said[:60]!r} after {took:.0f} s, {more:+.0f} MB left; {others}"
        fine = status in (400, 413, 415) and more < MORE_MB and not others.failed
        yield f"2 GB in {name} of {len(content.getvalue()) / 1e6:.1f} MB", told, fine
    form = gzip.compress(zeros * 50)
    status = at.ask("/areas/tiny/what-if", "POST", form, X_API_Key=at.key,
                    Content_Type="application/json", Content_Encoding="gzip")[0]  # fmt: skip
    yield "a JSON body that says it is gzip", str(status), 400 <= status < 500


WIRE = (heads, other_protocols, pipelined, bombs, bodies, idle, slow_readers)
