"""Checking a file before it is used: a page that takes it, looks at it, and keeps nothing.

Only this machine may ask, or whoever has a planner's key. The file goes to a temporary folder for
as long as a process of its own with limits reads it (`jail`); what is handed back (the faults, the
marked table, the copy with safe mends) travels in the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final, cast, get_args

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from lifecircle.analysis.errors import Language, UnknownNameError
from lifecircle.analysis.policy import default_policy, load_policy, policy_ids
from lifecircle.analysis.readers.records.aliases import datum_of
from lifecircle.analysis.readers.records.coordinates.datums import DATUMS
from lifecircle.analysis.readers.records.declarations import OTHER_TYPES, REFUSE
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES, SUFFIXES
from lifecircle.analysis.readers.records.table_kinds import Kind, known_kind
from lifecircle.service.apart.jail import CHECK
from lifecircle.service.errors import ForbiddenError, RequestError
from lifecircle.service.guards import RoleFirst, asked_first
from lifecircle.service.pages import page
from lifecircle.service.queries.questions import PAGE_ELSE, PAGE_ONLY
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.request_origin import from_this_machine, key_of
from lifecircle.service.responses import JSON, READER_LEFT, UNCACHED, encode, wants_page
from lifecircle.service.routes.jailed import in_jail
from lifecircle.service.routes.problems import respond
from lifecircle.service.settings import Settings

router = APIRouter(tags=["checks"], route_class=RoleFirst)

KINDS: Final = get_args(Kind)
KNOWN: Final = {**SUFFIXES, **RASTER_SUFFIXES}
_SHOWN: Final = 500  # faults on the page; the table with problems marked holds all
_LONGEST_NAME: Final = 120
_MOST_FIELDS: Final = 10
FIELDS: Final = (
    "kind", "datum", "crs", "sheet", "layer", "x_north", "service", "other_types",
    "every_row",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the form holds."""

    name: str
    content: bytes
    kind: Kind | None
    datum: str | None
    crs: str | None
    sheet: str | None
    layer: str | None
    x_north: bool
    service: str | None
    other_types: str
    every_row: bool
    policy: str

    def fields(self) -> dict[str, Any]:
        """What the form was filled with, but for the file."""
        return {name: getattr(self, name) for name in (*FIELDS, "policy")}


@asked_first
async def only_here(request: Request) -> None:
    """Refuse a request that is neither from this machine, to it, nor with a planner's key."""
    key = key_of(request)
    if not (from_this_machine(request) or (key is not None and key.may("planner"))):
        raise ForbiddenError("check_only_here")


HERE = Depends(only_here)


@router.get("/check", dependencies=[HERE, PAGE_ONLY])
async def show_form(request: Request, reader: ReaderNow) -> Response:
    """The form: choose or drop a file."""
    shown = page(
        request, "check.html", reader.lang, **_form(reader.settings, reader.lang), found=None
    )
    shown.headers.update(UNCACHED)
    return shown


@router.post("/check", dependencies=[HERE, PAGE_ELSE])
async def check_upload(request: Request, reader: ReaderNow) -> Response:
    """Every fault of the file sent as form data (``file``, ``kind``, ``datum`` ...)."""
    sent = await _sent(request)
    lang = reader.lang
    found = await _in_jail(request, sent, reader)
    if found is None:
        return Response(status_code=READER_LEFT)
    if "problem" in found:
        return respond(request, found["problem"], lang)
    document, files = found["document"], found["files"]
    if not wants_page(request):
        body = {**document, "files": files}
        return Response(encode(body), media_type=JSON, headers=UNCACHED)
    shown = page(
        request,
        "check.html",
        lang,
        **_form(reader.settings, lang, sent.fields()),
        grouped=found["grouped"],
        found={**document, "shown": _shown(sent, found["grouped"])},
        files=files,
    )
    shown.headers.update(UNCACHED)
    return shown


def _shown(sent: _Sent, faults: Sequence[Any]) -> int:
    """How many faults the page shows."""
    return len(faults) if sent.every_row else _SHOWN


def _form(
    settings: Settings, lang: Language, filled: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "filled": {**dict.fromkeys(FIELDS), "policy": default_policy(), **(filled or {})},
        "known": " ".join(suffix.removeprefix(".") for suffix in KNOWN),
        "accept": ",".join(KNOWN),
        "megabytes": f"{settings.max_upload_bytes / 1_000_000:g}",
        "datums": DATUMS,
        "kinds": KINDS,
        "services": [(one.id, one.title.text(lang)) for one in load_policy().services.values()],
        "policies": policy_ids(),
    }


async def _sent(request: Request) -> _Sent:
    try:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise RequestError("check_no_file")
            return _Sent(
                name=_plain_name(file.filename),
                content=await file.read(),
                kind=_kind(form),
                datum=_datum(form),
                crs=_words(form, "crs"),
                sheet=_words(form, "sheet"),
                layer=_words(form, "layer"),
                x_north=form.get("x_north") == "on",
                service=_words(form, "service"),
                other_types=_choice(form, "other_types", OTHER_TYPES) or REFUSE,
                every_row=form.get("all") == "on",
                policy=_choice(form, "policy", policy_ids()) or default_policy(),
            )
    except HTTPException as error:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise RequestError("check_bad_form") from None


def _choice(form: FormData, field: str, known: Sequence[str]) -> str | None:
    value = form.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in known:
        shown = value if isinstance(value, str) else "?"
        raise RequestError("check_value", field=field, value=shown, known=", ".join(known))
    return value


def _kind(form: FormData) -> Kind | None:
    """The kind of table of the form, in any spelling people use."""
    said = form.get("kind")
    if not isinstance(said, str) or not said:
        return None
    try:
        return known_kind(said)
    except UnknownNameError:
        return cast("Kind | None", _choice(form, "kind", KINDS))


def _datum(form: FormData) -> str | None:
    """The datum of the form, in any spelling people use."""
    said = form.get("datum")
    known = datum_of(said) if isinstance(said, str) else None
    return known or _choice(form, "datum", DATUMS)


def _words(form: FormData, field: str) -> str | None:
    value = form.get(field)
    return value.strip()[:_LONGEST_NAME] or None if isinstance(value, str) else None


def _plain_name(given: str) -> str:
    """The last part of a name, without control signs: to be shown, never to be opened."""
    last = PureWindowsPath(PurePosixPath(given).name).name
    printable = "".join(sign for sign in last if sign.isprintable())
    return printable[-_LONGEST_NAME:] or "file"


async def _in_jail(request: Request, sent: _Sent, reader: Reader) -> dict[str, Any] | None:
    """The check of an upload in a process of its own, ended when the sender leaves."""
    suffix = Path(sent.name).suffix.lower()
    if suffix not in KNOWN:
        known = " ".join(KNOWN)
        raise RequestError("check_bad_suffix", suffix=suffix or sent.name, known=known)

    def tell(folder: Path) -> bytes:
        path = folder / f"upload{suffix}"
        path.write_bytes(sent.content)
        told = {
            **sent.fields(),
            "name": sent.name,
            "path": str(path),
            "lang": reader.lang,
            "max_unpacked_bytes": reader.settings.max_unpacked_bytes,
        }
        return orjson.dumps(told)

    said = await in_jail(request, CHECK, tell)
    if said is None:
        return None
    found: dict[str, Any] = orjson.loads(said)
    return found
