"""Checking a file before it is used: a page that takes it, looks at it, and keeps nothing.

Only this machine may ask. The file goes to a temporary folder for as long as it is read; what is
handed back (the faults, the marked table, the copy with safe mends) travels in the same answer.
"""

from __future__ import annotations

import base64
import io
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final, cast, get_args

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from lifecircle.analysis.errors import Language, UnknownNameError
from lifecircle.analysis.policy import default_policy, load_policy, policy_ids
from lifecircle.analysis.readers.checker.check import Checked, check_file
from lifecircle.analysis.readers.records.aliases import datum_of
from lifecircle.analysis.readers.records.coordinates.datums import DATUMS
from lifecircle.analysis.readers.records.declarations import (
    OTHER_TYPES,
    REFUSE,
    Declaration,
    Declarations,
)
from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES, SUFFIXES
from lifecircle.analysis.readers.tables.population_and_facilities import Kind, known_kind
from lifecircle.analysis.results.check_files import write_clean_copy, write_error_sheet
from lifecircle.service.catalog.checks import check_document, grouped
from lifecircle.service.errors import ForbiddenError, NotReadyError, RequestError
from lifecircle.service.queries import NOTHING_ELSE, ReaderNow
from lifecircle.service.request_origin import from_this_machine
from lifecircle.service.responses import JSON, encode, page, wants_page
from lifecircle.service.settings import Settings
from lifecircle.service.wording import Words

router = APIRouter(tags=["checks"])

KINDS: Final = get_args(Kind)
KNOWN: Final = {**SUFFIXES, **RASTER_SUFFIXES}
UNCACHED: Final = {"cache-control": "no-store"}
_SHOWN: Final = 500  # faults on the page; the table with problems marked holds all
_LONGEST_NAME: Final = 120
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_MOST_FIELDS: Final = 10
FIELDS: Final = (
    "kind", "datum", "crs", "sheet", "layer", "x_north", "service", "other_types",
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
    policy: str

    def fields(self) -> dict[str, Any]:
        """What the form was filled with, but for the file."""
        return {name: getattr(self, name) for name in (*FIELDS, "policy")}


async def only_here(request: Request) -> None:
    """Refuse a request that does not come from this machine, to this machine."""
    if not from_this_machine(request):
        raise ForbiddenError("check_only_here")


HERE = Depends(only_here)


@router.get("/check", dependencies=[HERE, NOTHING_ELSE])
async def show_form(request: Request, reader: ReaderNow) -> Response:
    """The form: choose or drop a file."""
    shown = page(
        request, "check.html", reader.lang, **_form(reader.settings, reader.lang), found=None
    )
    shown.headers.update(UNCACHED)
    return shown


@router.post("/check", dependencies=[HERE, NOTHING_ELSE])
async def check_upload(request: Request, reader: ReaderNow) -> Response:
    """Every fault of the file sent as form data (``file``, ``kind``, ``datum`` ...)."""
    sent = await _sent(request)
    lang = reader.lang
    checked, document, files = await run_in_threadpool(_checked, sent, reader.settings, lang)
    if not wants_page(request):
        body = {**document, "files": files}
        return Response(encode(body), media_type=JSON, headers=UNCACHED)
    counts = {"errors": checked.errors, "warnings": checked.warnings}
    shown = page(
        request,
        "check.html",
        lang,
        **_form(reader.settings, lang, sent.fields()),
        grouped=grouped(checked.faults, Words(lang)),
        found={**document, **counts, "shown": _SHOWN},
        files=files,
    )
    shown.headers.update(UNCACHED)
    return shown


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


def _checked(
    sent: _Sent, settings: Settings, lang: Language
) -> tuple[Checked, dict[str, Any], dict[str, str]]:
    """The check of an upload, its document, and the files to hand back (base64)."""
    suffix = Path(sent.name).suffix.lower()
    if suffix not in KNOWN:
        known = " ".join(KNOWN)
        raise RequestError("check_bad_suffix", suffix=suffix or sent.name, known=known)
    _refuse_bomb(sent.content, settings)
    with _turn(), tempfile.TemporaryDirectory(prefix="lifecircle-check-") as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(sent.content)
        said = Declarations(
            Declaration(
                sent.datum,
                sent.crs,
                sent.x_north,
                sent.sheet,
                sent.layer,
                service=sent.service,
                other_types=sent.other_types,
            )
        )
        found = check_file(path, sent.kind, load_policy(sent.policy), said)
        checked = _renamed(found, sent.name)
        files: dict[str, str] = {}
        mends: tuple[Any, ...] = ()
        if checked.faults:
            sheet = io.BytesIO()
            write_error_sheet(checked, sheet, lang)
            files["errors"] = base64.b64encode(sheet.getvalue()).decode("ascii")
        if checked.records is not None and checked.records.geometry is None:
            copy = io.BytesIO()
            mends = write_clean_copy(checked, copy, ".xlsx", lang)
            if mends:
                files["clean"] = base64.b64encode(copy.getvalue()).decode("ascii")
        return checked, check_document(checked, mends, lang=lang), files


def _renamed(checked: Checked, name: str) -> Checked:
    """The faults told of the name people know, in the words of the page."""
    faults = tuple(replace(fault, file=name, medium="page") for fault in checked.faults)
    notes = tuple(replace(note, file=name, medium="page") for note in checked.notes)
    return replace(checked, file=name, faults=faults, notes=notes)


def _refuse_bomb(content: bytes, settings: Settings) -> None:
    """Refuse archives (workbooks are some) that say they unpack to too much."""
    if not content.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError):
        return  # the reader says what is wrong with it
    if size > settings.max_unpacked_bytes:
        megabytes = f"{settings.max_unpacked_bytes / 1_000_000:g}"
        raise RequestError("check_too_large", megabytes=megabytes)


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few checks at a time; the others are asked to come back."""
    if not _AT_ONCE.acquire(timeout=10):
        raise NotReadyError("check_busy")
    try:
        yield
    finally:
        _AT_ONCE.release()
