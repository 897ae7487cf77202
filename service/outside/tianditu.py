"""Tiles of Tianditu handed on, with the key staying here.

One host, one service, four layers in Web Mercator (``_w``): nothing of a request but a layer's
name of `LAYERS` and three whole numbers reaches the address that is asked. Redirects are not
followed (`http.client` follows none), and only pictures are handed on, up to a size. Tiles are on
CGCS2000, which is WGS84 to within a metre, so they lie where our data lie and nothing is shifted.
"""

from __future__ import annotations

import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Lock
from time import monotonic
from typing import Final, Literal
from urllib.parse import urlencode

from lifecircle.service.errors import MissingError, UpstreamError
from lifecircle.service.settings import Settings

_log: Final = logging.getLogger("lifecircle.tianditu")

Layer = Literal["vec", "cva", "img", "cia"]  # map and its names, imagery and its names
HOST: Final = "t0.tianditu.gov.cn"
DEEPEST: Final = 18
PATIENCE_S: Final = 8.0  # for one tile, from asking to its last byte
MOST_BYTES: Final = 512 * 1024
KEPT_BYTES: Final = 32 * 2**20
KEPT_S: Final = 86_400.0
_PIECE: Final = 32 * 1024
_PICTURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture, and its media type by its own first bytes."""

    body: bytes
    media_type: str


def _connect() -> HTTPConnection:
    return HTTPSConnection(HOST, timeout=PATIENCE_S, context=ssl.create_default_context())


class Tianditu:
    """The tiles that one key opens; `connect` gives a connection to the one host there is."""

    def __init__(
        self,
        key: str,
        review_number: str | None = None,
        connect: Callable[[], HTTPConnection] = _connect,
    ) -> None:
        self._key = key
        self._connect = connect
        self.review_number = review_number
        self._lock = Lock()
        self._kept: OrderedDict[tuple[Layer, int, int, int], tuple[float, Tile]] = OrderedDict()
        self._bytes = 0

    def tile(self, layer: Layer, z: int, y: int, x: int) -> Tile:
        """One tile, kept in memory for a day at most.

        Raises
        ------
        MissingError : there is no such tile in the world.
        UpstreamError : Tianditu does not answer in time, or not with a picture.
        """
        if not (1 <= z <= DEEPEST and 0 <= y < 2**z and 0 <= x < 2**z):
            raise MissingError("tianditu_no_tile", z=z, y=y, x=x, deepest=DEEPEST)
        at = (layer, z, y, x)
        with self._lock:
            held = self._kept.get(at)
            if held is not None and monotonic() - held[0] < KEPT_S:
                self._kept.move_to_end(at)
                return held[1]
        found = self._asked(at)
        self._keep(at, found)
        return found

    def _keep(self, at: tuple[Layer, int, int, int], tile: Tile) -> None:
        with self._lock:
            before = self._kept.pop(at, None)
            self._bytes += len(tile.body) - (0 if before is None else len(before[1].body))
            self._kept[at] = (monotonic(), tile)
            while self._bytes > KEPT_BYTES:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body)

    def _asked(self, at: tuple[Layer, int, int, int]) -> Tile:
        ends = monotonic() + PATIENCE_S
        connection = self._connect()
        try:
            connection.request("GET", self._path(*at), headers={"accept": "image/png, image/jpeg"})
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise _refusal(at, f"status {answer.status}")
            body = _body(answer, ends)
        except (OSError, HTTPException) as fault:
            # its name alone: what such a fault says may hold the address, and that the key
            raise _refusal(at, type(fault).__name__) from None
        finally:
            connection.close()
        said = (answer.getheader("content-type") or "").partition(";")[0].strip().lower()
        kind = next((kind for start, kind in _PICTURES if (body or b"").startswith(start)), None)
        if body is None or kind is None or said not in {name for _, name in _PICTURES}:
            raise _refusal(at, "cut off, too large or too slow" if body is None else "no picture")
        return Tile(body, kind)

    def _path(self, layer: Layer, z: int, y: int, x: int) -> str:
        asked = {
            "SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": layer,
            "STYLE": "default", "TILEMATRIXSET": "w", "FORMAT": "tiles",
            "TILEMATRIX": z, "TILEROW": y, "TILECOL": x, "tk": self._key,
        }  # fmt: skip
        return f"/{layer}_w/wmts?{urlencode(asked)}"


def _body(answer: HTTPResponse, ends: float) -> bytes | None:
    """What is answered; None where it is cut off, or larger or slower than is waited for."""
    held = bytearray()
    while piece := answer.read1(_PIECE):
        held += piece
        if len(held) > MOST_BYTES or monotonic() > ends:
            return None
    return None if answer.length else bytes(held)


def _refusal(at: tuple[Layer, int, int, int], reason: str) -> UpstreamError:
    """The refusal; the reason goes to the log, and the key nowhere."""
    _log.warning("tianditu: %s/%d/%d/%d: %s", *at, reason)
    return UpstreamError("tianditu_no_answer")


def tianditu_of(settings: Settings) -> Tianditu | None:
    """The tiles that the settings open; None without a key."""
    if settings.tianditu_key is None:
        return None
    return Tianditu(settings.tianditu_key.get_secret_value(), settings.tianditu_review_number)
