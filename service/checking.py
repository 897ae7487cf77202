"""The check of an upload, as it runs in the jail: bytes in, bytes out (JSON)."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.checker.check import Checked, check_file
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.results.check_files import write_clean_copy, write_error_sheet
from lifecircle.service.catalog.checks import check_document, grouped
from lifecircle.service.errors import RequestError, problem_of
from lifecircle.service.wording import Words


def check_upload(told: bytes) -> bytes:
    """Every fault of the file told of: its document, the faults grouped for a page, files to hand
    back (base64); or the problem document of an error.
    """
    asked = orjson.loads(told)
    try:
        found = _checked(asked)
    except LifecircleError as error:
        found = {"problem": problem_of(error, asked["lang"])}
    return orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY, default=str)


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    lang, path, every = asked["lang"], Path(asked["path"]), asked["every_row"]
    _refuse_bomb(path, asked["max_unpacked_bytes"])
    said = Declarations(
        Declaration(
            asked["datum"],
            asked["crs"],
            asked["x_north"],
            asked["sheet"],
            asked["layer"],
            service=asked["service"],
            other_types=asked["other_types"],
        )
    )
    found = check_file(path, asked["kind"], load_policy(asked["policy"]), said)
    checked = _renamed(found, asked["name"])
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
    return {
        "document": check_document(checked, mends, lang=lang, every_row=every),
        "grouped": grouped(checked.faults, Words(lang), every_row=every),
        "files": files,
    }


def _renamed(checked: Checked, name: str) -> Checked:
    """The faults told of the name people know, in the words of the page."""
    faults = tuple(replace(fault, file=name, medium="page") for fault in checked.faults)
    notes = tuple(replace(note, file=name, medium="page") for note in checked.notes)
    return replace(checked, file=name, faults=faults, notes=notes)


def _refuse_bomb(path: Path, most: int) -> None:
    """Refuse archives (workbooks are some) that say they unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError):
        return  # the reader says what is wrong with it
    if size > most:
        raise RequestError("check_too_large", megabytes=f"{most / 1_000_000:g}")
