"""The short way of the question asked most often: one place, on foot, of the latest run.

It takes the plainest spelling alone (``lon=102.71&lat=25.04``, perhaps with ``&lang=``), of an area
that is open and has answered about a place before. Whatever else is asked takes the long way,
which checks it; both give the same bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from lifecircle.analysis.errors import Language, LifecircleError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.texts import LANGUAGES
from lifecircle.service import i18n
from lifecircle.service.catalog import PointDesk, WrittenPoints
from lifecircle.service.edge.kept import Given, Head
from lifecircle.service.responses import JSON, PROTECTION
from lifecircle.service.routes.areas import FRESH, point_key
from lifecircle.service.state import Areas

PLACE: Final = "/point"
_KEY: Final = point_key(Question().walker)
_PATH: Final = re.compile(r"/areas/([\w.-]{1,64})/point")
_DEGREES: Final = rb"(-?\d{1,3}(?:\.\d{1,15})?)"
_ASKED: Final = re.compile(rb"lon=" + _DEGREES + rb"&lat=" + _DEGREES + rb"(?:&lang=(zh|en))?")
_AROUND: Final = 1.0  # degrees around the area within which it is an ordinary question
_TOLD: Final = {**FRESH, "content-type": JSON, **dict(PROTECTION)}


def _head(lang: Language) -> Head:
    told = {**_TOLD, "content-language": lang}
    return Head.of(200, [(name.encode(), value.encode()) for name, value in told.items()])


_HEADS: Final = {lang: _head(lang) for lang in LANGUAGES}


def answer_place(
    scope: Scope, asked: dict[bytes, bytes], areas: Areas, default: Language
) -> Given | None:
    """The answer about a place; None where the request is no such plain question."""
    found = _PATH.fullmatch(scope["path"])
    query = _ASKED.fullmatch(scope["query_string"]) if found is not None else None
    if found is None or query is None or scope.get("root_path"):
        return None
    lon, lat = float(query[1]), float(query[2])
    try:
        points = _points(areas, found[1])
    except LifecircleError:
        return None
    if points is None or not _near(points.desk, lon, lat):
        return None
    lang = _language(query[3], asked.get(b"accept-language"), default)
    body = points.body(lon, lat, lang=lang)
    length = (b"content-length", b"%d" % len(body))
    head = _HEADS[lang]
    told = b"".join((head.told, length[0], b": ", length[1], b"\r\n"))
    return Given(200, [*head.headers, length], told, body)


@lru_cache(maxsize=256)
def _language(told: bytes | None, accepted: bytes | None, default: Language) -> Language:
    return i18n.negotiate(
        None if told is None else told.decode(),
        None if accepted is None else accepted.decode("latin-1"),
        default,
    )


def _points(areas: Areas, area: str) -> WrittenPoints | None:
    state = areas.held(area)
    return None if state is None else state.found(_KEY)


def _near(desk: PointDesk, lon: float, lat: float) -> bool:
    west, south, east, north = desk.run.manifest.bbox
    return (
        west - _AROUND <= lon <= east + _AROUND
        and south - _AROUND <= lat <= north + _AROUND
        and abs(lat) <= 90 and abs(lon) <= 180
    )  # fmt: skip
