"""Answers asked before, given again as kept bytes before the router is reached; gzip.

An entry belongs to one question: path, query, what the reader accepts, the address asked at. It is
given out only while the run it tells of is still the one that would answer (`Kept.still`). The
layer stands behind the ones that check who may ask.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecircle.service.responses import GZIPPED, KEPT, Kept, held_tags, small_tag

SMALL: Final = 1_000  # bytes; below them compressing gains nothing
LEVEL: Final = 5
IN_THREAD: Final = 32_000
_ASKED: Final = (b"accept", b"accept-language", b"host", b"x-forwarded-proto")
_TEXT: Final = (b"application/json", b"application/geo+json", b"application/schema+json", b"text/",
                b"application/problem+json", b"application/vnd.oai",
                b"application/vnd.mapbox-vector-tile", b"image/svg")  # fmt: skip
Headers = list[tuple[bytes, bytes]]
Key = tuple[object, ...]


@dataclass(slots=True)
class _Entry:
    """A whole answer: its headers and bytes, plain and compressed (made when first wanted)."""

    kept: Kept
    headers: Headers
    gzip: bytes | None = None
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.kept.body) + len(self.gzip or b"")


class KeptAnswers:
    """Gives out what was answered before; compresses what readers take compressed."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self.app = app
        self._limit = limit_bytes
        self._held = 0
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass the request on and keep what may be kept."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        key, asked = _key(scope)
        squeezed = b"accept-encoding" in asked and takes_gzip(asked[b"accept-encoding"])
        entry = self._entries.get(key)
        if entry is not None:
            if entry.kept.still():
                self._entries.move_to_end(key)
                await self._give(entry, asked, squeezed, send, head=scope["method"] == "HEAD")
                return
            self._drop(key)
        await self._pass_on(scope, receive, send, key, squeezed)

    async def _give(
        self, entry: _Entry, asked: dict[bytes, bytes], squeezed: bool, send: Send, *, head: bool
    ) -> None:
        kept, headers = entry.kept, list(entry.headers)
        if squeezed and len(kept.body) >= SMALL and kept.text:
            if entry.gzip is None:
                await self._squeeze(entry)
            body = entry.gzip or b""
            headers += [(b"content-encoding", b"gzip"), (b"etag", small_tag(kept.tag, GZIPPED))]
        else:
            body = kept.body
            headers.append((b"etag", kept.tag))
        status = 200
        if {kept.tag, b"*"} & held_tags(asked.get(b"if-none-match", b"")):
            status, body = 304, b""
        else:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _squeeze(self, entry: _Entry) -> None:
        made = await compressed(entry.kept.body)
        if entry.gzip is None:
            entry.gzip = made
            entry.size += len(made)
            self._held += len(made)
            self._shrink()

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
                self._keep(key, holder[0], gzip)
            first, start = start, {}
            await send(first)
            await send(message if gzip is None else {**message, "body": gzip})

        await self.app(scope, receive, through)

    def _keep(self, key: Key, kept: Kept, gzip: bytes | None) -> None:
        entry = _Entry(kept, list(kept.headers), gzip)
        if entry.size * 4 > self._limit:
            return
        self._drop(key)
        self._entries[key] = entry
        self._held += entry.size
        self._shrink()

    def _drop(self, key: Key) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._held -= gone.size

    def _shrink(self) -> None:
        while self._held > self._limit and self._entries:
            self._held -= self._entries.popitem(last=False)[1].size


def _key(scope: Scope) -> tuple[Key, dict[bytes, bytes]]:
    asked: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        asked[name] = asked[name] + b"," + value if name in asked else value
    said = tuple(asked.get(name) for name in _ASKED)
    path = scope.get("raw_path") or scope["path"]
    return (path, scope["query_string"], scope["scheme"], scope.get("root_path"), *said), asked


def takes_gzip(accepted: bytes) -> bool:
    """Whether a reader takes gzip, by its ``Accept-Encoding``."""
    weights: dict[str, float] = {}
    for part in accepted.decode("latin-1").lower().split(","):
        name, _, told = part.partition(";")
        try:
            weights[name.strip()] = float(told.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
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
