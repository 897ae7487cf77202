"""What an answer is made of: JSON bytes, pages, tags for caches, protective headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from types import MappingProxyType
from typing import Any, Final, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from lifecircle.analysis.errors import Language, LifecircleError
from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results.bands import bands_stamp
from lifecircle.service.apart.workshop import Apart, Workshop, written_here
from lifecircle.service.encoding import Unkept
from lifecircle.service.encoding import encode as encode  # noqa: PLC0414  told on
from lifecircle.service.flights import Flights, ReaderLeftError
from lifecircle.service.i18n import weighted
from lifecircle.service.kept_files import HeldFile
from lifecircle.service.observing.metrics import route_of
from lifecircle.service.pages import page
from lifecircle.service.state import AreaState

T = TypeVar("T")
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
PROBLEM: Final = "application/problem+json"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GPKG: Final = "application/geopackage+sqlite3"
PARQUET: Final = "application/vnd.apache.parquet"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA: Final = "application/schema+json"
MVT: Final = "application/vnd.mapbox-vector-tile"
TILEJSON: Final = "application/json"

KEPT: Final = "lifecircle.kept"  # in the scope of a request: what may be given again
GZIPPED: Final = b"-gzip"
READER_LEFT: Final = 499  # nobody reads it; it is for the log
UNCACHED: Final[Mapping[str, str]] = MappingProxyType({"cache-control": "no-store"})
ASKED_AGAIN: Final[Mapping[str, str]] = MappingProxyType(
    {"cache-control": "private, no-cache", "vary": "Accept, Accept-Language"}
)
FILES: Final = ("csv", "xlsx", "gpkg", "parquet")
DEAR: Final = frozenset({
    "report", "gaps", "scorecard", "siting", "catchments", "compare", "accessibility", "merges",
    "execution", "robustness", "referral",
})  # fmt: skip

CLOSED_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
PROTECTION: Final = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", CLOSED_POLICY),
)


def choose(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type a reader likes best by its ``Accept`` header, else the first.

    Of several ranges a type falls under, the narrowest weighs (RFC 9110, 12.5.1). Of types liked
    equally, one that is named goes before one that a ``*`` takes in, then the one named first.
    """
    ranges = weighted(accept)

    def liking(media_type: str) -> tuple[float, int, int]:
        plain = media_type.split(";", maxsplit=1)[0]
        forms = ("*/*", f"{plain.split('/')[0]}/*", plain)
        fits = [
            (forms.index(kind), -place, weight)
            for place, (kind, weight) in enumerate(ranges)
            if kind in forms
        ]
        narrow, place, weight = max(fits, default=(0, 0, 0.0))
        return (weight, narrow, place) if weight > 0 else (0.0, 0, 0)

    return max(offered, key=liking)


def wants_page(request: Request) -> bool:
    """Whether the reader is a browser that would rather see a page than JSON."""
    return choose(request.headers.get("accept"), (JSON, GEOJSON, PROBLEM, HTML)) == HTML


# ---- answers that stay the same as long as their run does ----------------------------------


def tag_of(*parts: object) -> str:
    """A strong entity tag over everything an answer depends on."""
    seed = "\x1f".join((code_version(), *map(str, parts))).encode()
    return f'"{hashlib.blake2b(seed, digest_size=12).hexdigest()}"'


def is_current(request: Request, tag: str) -> bool:
    """Whether the reader already holds the answer with this tag, however it was compressed."""
    held = request.headers.get("if-none-match", "")
    return held.strip() == "*" or tag.encode() in held_tags(held.encode("latin-1"))


def held_tags(header: bytes) -> set[bytes]:
    """The tags of an ``If-None-Match`` as the plain answers have them."""
    tags = (part.strip().removeprefix(b"W/") for part in header.split(b","))
    return {tag.replace(GZIPPED + b'"', b'"') for tag in tags}


def small_tag(tag: bytes, form: bytes) -> bytes:
    """The tag of an answer in another form: other bytes, so another tag."""
    return tag[:-1] + form + b'"'


def caching(tag: str, *, pinned: bool) -> dict[str, str]:
    """Headers of an answer: kept for a day under a named run, asked again under the latest."""
    return {
        "etag": tag,
        "cache-control": "private, max-age=86400" if pinned else "private, no-cache",
        "vary": "Accept, Accept-Language, Accept-Encoding",
    }


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that may be given again as it is, as long as `still` says so.

    `headers` are all but the tag (empty: none); `text`: whether it gains from being compressed;
    `nonce`: what stands in body and headers for a number that each answer has of its own.
    """

    body: bytes
    tag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    text: bool
    still: Callable[[], bool]
    nonce: bytes | None = None


async def answer(
    request: Request,
    state: AreaState,
    lang: Language,
    produce: Callable[[], Any],
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    about: Sequence[str] = (),
    still: Callable[[], bool] | None = None,
) -> Response:
    """The answer to a question about one run, computed once in a thread and kept as bytes.

    `about`: other runs or files that the answer speaks of, `still` whether they are as they were;
    `produce` may give bytes, kept as they are, or `Unkept` ones, for those who wait alone.
    """
    pinned, bands = "run" in request.query_params, state.bands()
    key, told = _told(request, state, lang, media_type, headers, (bands, *about))
    if is_current(request, told["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    try:
        body = await kept_body(request, state, key, produce)
    except ReaderLeftError:
        return Response(status_code=READER_LEFT)
    if isinstance(body, Unkept):
        del told["etag"]
        return Response(body, media_type=media_type, headers={**told, **UNCACHED})
    response = Response(body, media_type=media_type, headers=told)
    if KEPT in request.scope and (still is not None or not about):
        other = (b"etag", b"content-length")
        kept = tuple(pair for pair in response.raw_headers if pair[0] not in other)
        text = media_type not in (XLSX, GPKG, PARQUET)
        same = unmoved(request, state, pinned, bands, still)
        request.scope[KEPT].append(Kept(body, told["etag"].encode(), kept, text, same))
    return response


def streamed(
    request: Request,
    state: AreaState,
    lang: Language,
    blocks: Iterator[bytes],
    *,
    media_type: str,
    headers: Mapping[str, str],
    about: Sequence[str] = (),
) -> Response:
    """A long answer about one run, made while it is sent: never whole in memory, never kept."""
    _, told = _told(request, state, lang, media_type, headers, (state.bands(), *about))
    if is_current(request, told["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    return StreamingResponse(blocks, media_type=media_type, headers=told)


async def sent_file(
    request: Request,
    state: AreaState,
    lang: Language,
    asked: Apart,
    *,
    media_type: str,
    headers: Mapping[str, str],
    about: Sequence[str] = (),
) -> Response:
    """A long file about one run, written by a process of its own and sent from where it lies.

    `asked` makes it as `Workshop.file` says; none of it is held in memory.
    """
    key, told = _told(request, state, lang, media_type, headers, (state.bands(), *about))
    if is_current(request, told["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    workshop: Workshop | None = request.app.state.workshop

    def make(left: Event) -> HeldFile:
        return written_here(asked) if workshop is None else workshop.file(asked, key, left)

    try:
        held = await _shared(request, (state.run.path, "file", *key), make, workshop is not None)
    except ReaderLeftError:
        return Response(status_code=READER_LEFT)
    told["content-length"] = str(held.size)
    return StreamingResponse(held.pieces(), media_type=media_type, headers=told)


def _told(
    request: Request,
    state: AreaState,
    lang: Language,
    media_type: str,
    headers: Mapping[str, str] | None,
    about: Sequence[str],
) -> tuple[tuple[str, ...], dict[str, str]]:
    """What tells an answer about a run from every other, and its headers."""
    url = request.url
    key = (url.netloc, url.path, url.query, lang, media_type, *about)
    tag = tag_of(state.run.manifest.area, state.name, *key)
    told = caching(tag, pinned="run" in request.query_params)
    return key, {**told, "content-language": lang, **(headers or {})}


async def kept_body(
    request: Request,
    state: AreaState,
    key: tuple[Hashable, ...],
    produce: Callable[[], Any],
    *,
    quick: bool = False,
) -> bytes:
    """The bytes kept under a key, or worked out now: once, however many ask.

    `quick`: it is not dear, whatever its address says, and waits for no dear one.

    Raises
    ------
    ReaderLeftError : whoever asked is gone.
    NotReadyError : it is dear, and too many dear questions wait already.
    """
    body = state.kept(key)
    if body is not None:
        return body
    workshop: Workshop | None = request.app.state.workshop
    apart = produce if isinstance(produce, Apart) and workshop is not None else None
    make = _keeping(state, key, produce, workshop)
    whole = (state.run.path, *key)
    return await _shared(request, whole, make, apart is not None, quick=quick)


async def _shared(
    request: Request,
    key: tuple[Hashable, ...],
    make: Callable[[Event], T],
    apart: bool,
    *,
    quick: bool = False,
) -> T:
    """What `make` gives, once for all who ask for it."""

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    flights: Flights = request.app.state.flights
    kind = None if quick else _kind(request, apart)
    return await flights.share(key, make, left, kind=kind, apart=apart)


async def soon_body(
    request: Request, state: AreaState, key: tuple[Hashable, ...], produce: Callable[[], Any]
) -> bytes | None:
    """The bytes kept under a key, or worked out within ``page_patience_seconds``; else None, and
    they are worked out while nobody waits, for whoever asks with `kept_body`.

    Raises
    ------
    NotReadyError : too many dear questions wait already.
    """
    body = state.kept(key)
    if body is not None:
        return body
    flights: Flights = request.app.state.flights
    patience = request.app.state.settings.page_patience_seconds
    workshop: Workshop | None = request.app.state.workshop
    make = _keeping(state, key, produce, workshop)
    kind = _kind(request, isinstance(produce, Apart) and workshop is not None)
    return await flights.within(patience, (state.run.path, *key), make, kind or "page")


def is_patient(request: Request) -> bool:
    """Whether a reader waits for a page as long as it takes: programs, and who says so
    (``Prefer: wait``, RFC 7240).
    """
    return not wants_page(request) or "wait=" in request.headers.get("prefer", "")


async def page_body(
    request: Request,
    state: AreaState,
    key: tuple[Hashable, ...],
    produce: Callable[[], Any],
    lang: Language,
) -> bytes | Response:
    """The bytes of a page; for who is not patient, a page that waits for it in its place.

    Raises
    ------
    ReaderLeftError, NotReadyError : as `kept_body`.
    """
    if is_patient(request):
        return await kept_body(request, state, key, produce)
    body = await soon_body(request, state, key, produce)
    if body is not None:
        return body
    return page(request, "working.html", lang, status=HTTPStatus.ACCEPTED)


def _keeping(
    state: AreaState,
    key: tuple[Hashable, ...],
    produce: Callable[[], Any],
    workshop: Workshop | None,
) -> Callable[[Event], bytes]:
    """What works an answer out, apart where there is a workshop, and keeps its bytes."""

    def make(left: Event) -> bytes:
        if isinstance(produce, Apart) and workshop is not None:
            found = workshop.answer(produce, key, left)
        else:
            made = produce()
            found = made if isinstance(made, bytes) else encode(made)
        if not isinstance(found, Unkept):
            state.keep(key, found)
        return found

    return make


def _kind(request: Request, apart: bool) -> str | None:
    """The kind of a dear question, whose like take about as long; None: it is not dear."""
    path, form = request.url.path, request.query_params.get("f")
    dear = (
        apart
        or path.rpartition("/")[2] in DEAR
        or ("/maps/" in path and "/pieces/" not in path)  # a piece is made once a run
        or form in FILES
    )
    return f"{route_of(path)} {form if form in FILES else ''} {apart}" if dear else None


def unmoved(
    request: Request,
    state: AreaState,
    pinned: bool,
    bands: str,
    still: Callable[[], bool] | None,
) -> Callable[[], bool]:
    """Whether a run still answers: it is the current one, or named and not removed, no other
    bands are kept beside it and, where a year was named, no other run is of any year.
    """
    areas, area, run = request.app.state.areas, state.run.manifest.area, state.name
    years = areas.years(area) if "year" in request.query_params else None
    path = state.run.path  # of the run no more than that: an answer kept would hold it open

    def same() -> bool:
        try:
            there = path.exists() if pinned else areas.current(area) == run
            there = there and (years is None or areas.years(area) == years)
        except LifecircleError:
            return False
        return there and bands_stamp(path) == bands and (still is None or still())

    return same
