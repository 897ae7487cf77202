"""Answers asked before, given again as kept bytes before the router is reached; gzip.

An entry belongs to one question: path, query, what the reader accepts, the address asked at. It is
given out only while the run it tells of is still the one that would answer (`Kept.still`). The
layer stands behind the ones that check who may ask; `front.Front` gives the same entries where all
of those would let the request through at once.
"""

from __future__ import annotations

import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecircle.service.edge.pieces import Pieces
from lifecircle.service.i18n import weighted
from lifecircle.service.kept_bytes import weight_of
from lifecircle.service.responses import GZIPPED, KEPT, PROTECTION, Kept, held_tags, small_tag

SMALL: Final = 1_000  # bytes; below them compressing gains nothing
LEVEL: Final = 5
IN_THREAD: Final = 32_000
SWEPT: Final = 16  # answers looked at again beside each that is kept
ENTRY_BYTES: Final = 2_500  # what an entry takes beside its bytes and its key: headers, heads
_ASKED: Final = (b"accept", b"accept-language", b"host", b"x-forwarded-proto")
_TEXT: Final = (b"application/json", b"application/geo+json", b"application/schema+json", b"text/",
                b"application/problem+json", b"application/vnd.oai",
                b"application/vnd.mapbox-vector-tile", b"image/svg")  # fmt: skip
Headers = list[tuple[bytes, bytes]]
Key = tuple[object, ...]


_PROTECTION: Final = [(name.encode(), value.encode()) for name, value in PROTECTION]
NOT_MODIFIED: Final = 304
_LINES: Final = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    for status in (200, NOT_MODIFIED)
}


class Head(NamedTuple):
    """The beginning of an answer; `told` are its headers as they are written, each with its end."""

    status: int
    headers: Headers
    told: bytes

    @classmethod
    def of(cls, status: int, headers: Headers) -> Head:
        """The head with these headers, none of which may hold an end of a line (it would say
        what nobody said): ValueError."""
        told = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        if told.count(b"\n") != len(headers) or told.count(b"\r") != len(headers):
            raise ValueError
        return cls(status, headers, told)


class Given(NamedTuple):
    """An answer, with its head also as it is written."""

    status: int
    headers: Headers
    told: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """The first line."""
        return _LINES[self.status]


@dataclass(slots=True)
class Entry:
    """A whole answer: its bytes, plain and compressed (made when first wanted), its headers.

    A page whose scripts carry a nonce is kept in pieces between which each reader's own is put
    (`pieces.Pieces`).
    """

    kept: Kept
    gzip: bytes | None = None
    pieces: Pieces | None = None
    size: int = field(init=False)
    _heads: dict[bool, Head] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kept.nonce is not None:
            self.pieces = Pieces.of(self.kept.body, self.kept.nonce)
        self.size = len(self.kept.body) + len(self.gzip or b"") + ENTRY_BYTES

    def wants_gzip(self, asked: dict[bytes, bytes]) -> bool:
        """Whether a reader is given it compressed."""
        kept, wanted = self.kept, asked.get(b"accept-encoding")
        if wanted is None or not kept.text or len(kept.body) < SMALL:
            return False
        return takes_gzip(wanted)

    @property
    def squeezed(self) -> bool:
        """Whether it was compressed already."""
        held = self.gzip if self.pieces is None else self.pieces.small
        return held is not None

    async def squeeze(self) -> int:
        """Compress it; how many bytes it holds more."""
        if self.pieces is not None:
            return await to_thread.run_sync(self.pieces.squeeze)
        made = await compressed(self.kept.body)
        more = 0 if self.gzip is not None else len(made)
        self.gzip = made
        return more

    def given(self, asked: dict[bytes, bytes], squeezed: bool) -> Given:
        """What a reader gets; compressed only where it was (`squeezed`)."""
        if self.pieces is not None:
            return self._page(squeezed)
        head = self._heads.get(squeezed)
        if head is None:
            head = self._heads[squeezed] = Head.of(200, self._told(squeezed))
        held = asked.get(b"if-none-match")
        if held is not None and {self.kept.tag, b"*"} & held_tags(held):
            unchanged = Head.of(NOT_MODIFIED, head.headers[:-1])
            return Given(*unchanged, b"")
        body = self.gzip if squeezed else self.kept.body
        return Given(*head, body or b"")

    def _page(self, squeezed: bool) -> Given:
        assert self.pieces is not None
        nonce, stands = secrets.token_urlsafe(16).encode(), self.kept.nonce or b""
        body = self.pieces.with_nonce(nonce, squeezed)
        headers = [
            (name, value.replace(stands, nonce)) for name, value in self._told(squeezed)[:-1]
        ]
        headers.append((b"content-length", b"%d" % len(body)))
        return Given(*Head.of(200, headers), body)

    def _told(self, squeezed: bool) -> Headers:
        """All headers of the answer, its length the last."""
        kept, body = self.kept, self.gzip if squeezed else self.kept.body
        told = {name for name, _ in kept.headers}
        made = [*kept.headers, *(pair for pair in _PROTECTION if pair[0] not in told)]
        if squeezed:
            made.append((b"content-encoding", b"gzip"))
        if kept.tag:
            made.append((b"etag", small_tag(kept.tag, GZIPPED) if squeezed else kept.tag))
        made.append((b"content-length", b"%d" % len(body or b"")))
        return made


class Shelf:
    """The answers kept, the least recently asked thrown out beyond `limit_bytes`.

    `moved` counts runs that were replaced (`Areas.moved`): then all that is no answer any more
    goes, and not only what is asked for again: `SWEPT` are looked at beside each new answer, so
    that none waits for a look at all of them.
    """

    def __init__(self, limit_bytes: int, moved: Callable[[], int] = int) -> None:
        self._limit = limit_bytes
        self._moved, self._swept = moved, 0
        self._held = 0
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._due: list[Key] = []

    @property
    def held_bytes(self) -> int:
        """What the answers take."""
        return self._held

    def find(self, key: Key) -> Entry | None:
        """What was answered to this, if it still is the answer."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.kept.still():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def keep(self, key: Key, entry: Entry) -> None:
        """Keep an answer, unless it alone would fill a quarter of the room."""
        if self._swept != (moved := self._moved()):
            self._swept, self._due = moved, list(self._entries)
        self._sweep()
        entry.size += weight_of(key)
        if entry.size * 4 > self._limit:
            return
        self._drop(key)
        self._entries[key] = entry
        self._held += entry.size
        self._shrink()

    def grow(self, key: Key, entry: Entry, more: int) -> None:
        """Count what an answer holds more."""
        if self._entries.get(key) is entry:
            entry.size += more
            self._held += more
            self._shrink()

    def _sweep(self) -> None:
        due = self._due[-SWEPT:]
        del self._due[-SWEPT:]
        for key in due:
            entry = self._entries.get(key)
            if entry is not None and not entry.kept.still():
                self._drop(key)

    def _drop(self, key: Key) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._held -= gone.size

    def _shrink(self) -> None:
        while self._held > self._limit and self._entries:
            self._held -= self._entries.popitem(last=False)[1].size


class KeptAnswers:
    """Gives out what was answered before; compresses what readers take compressed."""

    def __init__(self, app: ASGIApp, shelf: Shelf) -> None:
        self.app = app
        self._shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass the request on and keep what may be kept."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        asked = asked_of(scope)
        key = key_of(scope, asked)
        entry = self._shelf.find(key)
        if entry is not None:
            squeezed = entry.wants_gzip(asked)
            if squeezed and not entry.squeezed:
                self._shelf.grow(key, entry, await entry.squeeze())
            given = entry.given(asked, squeezed)
            body = b"" if scope["method"] == "HEAD" else given.body
            start = {"type": "http.response.start", "status": given.status}
            await send({**start, "headers": given.headers})
            await send({"type": "http.response.body", "body": body})
            return
        wanted = asked.get(b"accept-encoding")
        squeezed = wanted is not None and takes_gzip(wanted)
        await self._pass_on(scope, receive, send, key, squeezed)

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, key: Key, squeezed: bool
    ) -> None:
        holder: list[Kept] = []
        scope[KEPT] = holder
        start: Message = {}
        packer: _Packer | None = None

        async def through(message: Message) -> None:
            nonlocal start, packer
            if message["type"] == "http.response.start":
                start = message
                return
            if not start:
                await send(message if packer is None else await packer.packed(message))
                return
            whole = not message.get("more_body", False)
            if squeezed and not whole and _gains(start):
                _say_gzip(start, None)
                packer = _Packer()
                message = await packer.packed(message)
            gzip = None
            if squeezed and whole and _worth(start, message.get("body", b"")):
                gzip = await compressed(message["body"])
                _say_gzip(start, gzip)
            if whole and holder and start["status"] == 200:
                plain = holder[0].nonce is not None  # compressed for one reader alone
                self._shelf.keep(key, Entry(holder[0], None if plain else gzip))
            first, start = start, {}
            await send(first)
            await send(message if gzip is None else {**message, "body": gzip})

        await self.app(scope, receive, through)


def asked_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers of a request; one that comes twice is one with a comma."""
    asked: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        asked[name] = asked[name] + b"," + value if name in asked else value
    return asked


def key_of(scope: Scope, asked: dict[bytes, bytes]) -> Key:
    """What an answer depends on: path, query, address asked at, what the reader accepts."""
    path = scope.get("raw_path") or scope["path"]
    where = (path, scope["query_string"], scope["scheme"], scope.get("root_path"))
    return (*where, *(asked.get(name) for name in _ASKED))


@lru_cache(maxsize=256)
def takes_gzip(accepted: bytes) -> bool:
    """Whether a reader takes gzip, by its ``Accept-Encoding``."""
    weights = dict(weighted(accepted.decode("latin-1")))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _worth(start: Message, body: bytes) -> bool:
    """Whether an answer gains from being compressed: text, and not small."""
    return len(body) >= SMALL and _gains(start)


def _gains(start: Message) -> bool:
    headers = dict(start["headers"])
    kind = headers.get(b"content-type", b"")
    return b"content-encoding" not in headers and kind.startswith(_TEXT)


def _say_gzip(start: Message, body: bytes | None) -> None:
    """Say that an answer is compressed; None: piece by piece, its length not known."""
    headers = MutableHeaders(scope=start)
    headers["content-encoding"] = "gzip"
    if body is None:
        del headers["content-length"]
    else:
        headers["content-length"] = str(len(body))
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    if "etag" in headers:
        headers["etag"] = small_tag(headers["etag"].encode(), GZIPPED).decode()


class _Packer:
    """Compresses an answer that comes in pieces."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)

    async def packed(self, message: Message) -> Message:
        """A piece of the answer, compressed."""
        return {**message, "body": await to_thread.run_sync(self._pack, message)}

    def _pack(self, message: Message) -> bytes:
        made = self._packer.compress(message.get("body", b""))
        return made if message.get("more_body", False) else made + self._packer.flush()


async def compressed(body: bytes) -> bytes:
    """A body as gzip, in a thread where it is long; the same bytes each time."""
    return _gzip(body) if len(body) < IN_THREAD else await to_thread.run_sync(_gzip, body)


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
