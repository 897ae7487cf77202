"""The mapping file: a small TOML that says how a bureau's files are to be read.

::

    [columns]                              # for every file
    service = "机构大类"
    [values.ownership]
    government = ["区属", "市属"]

    [files."医疗.xlsx"]                    # for one file
    datum = "gcj02"
    sheet = "2023年"
    service = "药店"                        # all its rows
    other_types = "skip"                   # rows of no service are left out
    [files."医疗.xlsx".columns]
    lon = "X"

    [surveyed]                             # which lists are complete, and where
    park = true
    health_centre = ["530102001", "春竹街道"]
    market = "extent.geojson"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import pyproj

from lifecircle.analysis.readers.records.aliases import datum_of, every_field, fold
from lifecircle.analysis.readers.records.coordinates.datums import DATUMS
from lifecircle.analysis.readers.records.declarations import (
    OTHER_TYPES,
    SKIP,
    Declaration,
    Declarations,
)
from lifecircle.analysis.readers.records.files import SUFFIXES, refuse
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.written_toml import WrittenTomlError, read_written_toml

_TOP: Final = ("files", "columns", "values", "other_types", "surveyed")
_TEXTS: Final = ("datum", "crs", "sheet", "layer", "service", "other_types")
_ONE: Final = (*_TEXTS, "x_is_north", "columns", "values")
_MOST_BYTES: Final = 1024 * 1024


def read_mapping(path: Path, plain: Declaration | None = None) -> Declarations:
    """Declarations of a mapping file; `plain` is what the command line says for every file.

    Raises
    ------
    InputError
        With every fault: no TOML, unknown keys (the nearest are offered), wrong types, unknown
        datums and coordinate systems.
    """
    given = Path(path)
    try:
        if given.stat().st_size > _MOST_BYTES:
            raise refuse(given, "input_mapping_broken", detail="> 1 MiB")
        content = read_written_toml(given.read_bytes())
    except FileNotFoundError:
        raise refuse(given, "file_missing") from None
    except OSError as error:
        raise refuse(given, "input_os_error", detail=error.strerror or str(error)) from None
    except WrittenTomlError as error:
        raise refuse(given, "input_mapping_broken", detail=error.told) from None
    found = Findings(given.name)
    base = plain or Declaration()
    _refuse_unknown(content, _TOP, "", found)
    general = _read_declaration(
        {key: content[key] for key in _TOP if key in content and key != "files"}, base, "", found
    )
    files: dict[str, Declaration] = {}
    for name, said in _read_tables(content, "files", "", found):
        where = f"files.{name}"
        _refuse_unknown(said, _ONE, where, found)
        files[name] = _read_declaration(said, general, where, found)
    surveyed = tuple(_read_surveyed(content, given.parent, found))
    found.stop_on_errors()
    return Declarations(general, files, surveyed)


def read_declarations(
    plain: Declaration, mapping: Path | None, paths: Sequence[Path]
) -> Declarations:
    """What is said of the files `paths`: by the command line, and by a mapping file if any.

    Raises
    ------
    InputError
        As `read_mapping`; and where the mapping speaks of files that are not among `paths`.
    """
    if mapping is None:
        return Declarations(plain)
    said = read_mapping(mapping, plain)
    unused = said.unused(paths)
    if unused:
        given = ", ".join(path.name for path in paths)
        raise refuse(mapping, "input_mapping_files", names=", ".join(unused), given=given)
    return said


def parse_crs(text: str) -> Any:
    """The pyproj CRS of a code such as ``EPSG:4543`` or ``4543``; None if it is none."""
    code = f"EPSG:{text.strip()}" if text.strip().isdigit() else text.strip()
    authority, _, number = code.partition(":")
    if authority.upper() not in ("EPSG", "OGC", "ESRI") or not number.isalnum():
        return None
    try:
        crs = pyproj.CRS.from_user_input(code.upper())
    except pyproj.exceptions.CRSError:
        return None
    return crs if crs.is_geographic or crs.is_projected else None


def _read_declaration(
    said: Mapping[str, Any], base: Declaration, where: str, found: Findings
) -> Declaration:
    """What one table says, on top of what holds for all files."""
    texts = {
        key: _read_text(said[key], _join_keys(where, key), found) for key in _TEXTS if key in said
    }
    if texts.get("other_types", SKIP) not in OTHER_TYPES:
        found.add("input_other_types", column=_join_keys(where, "other_types"),
                  value=texts.pop("other_types"))  # fmt: skip
    if "datum" in texts and datum_of(texts["datum"]) is None:
        found.add("input_datum_unknown", column=_join_keys(where, "datum"),
                  datum=texts.pop("datum"), known=", ".join(DATUMS))  # fmt: skip
    if "crs" in texts and parse_crs(texts["crs"]) is None:
        found.add("input_crs_said", column=_join_keys(where, "crs"), crs=texts["crs"])
    north = said.get("x_is_north", base.x_is_north)
    if not isinstance(north, bool):
        found.add(
            "input_mapping_type", column=_join_keys(where, "x_is_north"), wanted="true / false"
        )
    placed = "datum" in texts or "crs" in texts
    columns = _read_columns(said, where, found)
    return replace(
        base,
        datum=texts.get("datum", None if placed else base.datum),
        crs=texts.get("crs", None if placed else base.crs),
        x_is_north=bool(north),
        sheet=texts.get("sheet", base.sheet),
        layer=texts.get("layer", base.layer),
        service=texts.get("service", base.service),
        other_types=texts.get("other_types", base.other_types),
        of_this_file=bool(where) and placed,
        columns={**base.columns, **columns},
        own_columns=frozenset(columns) if where else frozenset(),
        words=_merge_words(base.words, _read_words(said, where, found)),
    )


def _read_surveyed(said: Mapping[str, Any], folder: Path, found: Findings) -> Iterator[str]:
    """The sayings of the table ``[surveyed]``; a file lies beside the mapping file."""
    for service, told in _read_table(said, "surveyed", "", found).items():
        named = [told] if isinstance(told, str) else told
        if told is True:
            yield service
        elif isinstance(named, list) and named and all(isinstance(one, str) for one in named):
            file = folder / named[0]
            is_file = len(named) == 1 and file.suffix.lower() in SUFFIXES
            yield f"{service}:{file if is_file else ','.join(named)}"
        else:
            at = _join_keys("surveyed", service)
            found.add("input_mapping_type", column=at, wanted='true / ["…", "…"] / "….geojson"')


def _read_columns(said: Mapping[str, Any], where: str, found: Findings) -> dict[str, str]:
    titles: dict[str, str] = {}
    for name, title in _read_table(said, "columns", where, found).items():
        at = _join_keys(_join_keys(where, "columns"), name)
        if name not in every_field() and not name.startswith("pop_"):
            found.add("input_mapping_key", column=at, near=_offer_near(name, every_field()))
        titles[name] = _read_text(title, at, found)
    return titles


def _read_words(said: Mapping[str, Any], where: str, found: Findings) -> dict[str, dict[str, str]]:
    """Field → fold word → our word."""
    words: dict[str, dict[str, str]] = {}
    for name, ours in _read_tables(said, "values", where, found):
        at = _join_keys(_join_keys(where, "values"), name)
        if name not in every_field():
            found.add("input_mapping_key", column=at, near=_offer_near(name, every_field()))
        for word, theirs in ours.items():
            listed = [theirs] if isinstance(theirs, str) else theirs
            if not isinstance(listed, list) or not all(isinstance(t, str) for t in listed):
                found.add("input_mapping_type", column=_join_keys(at, word), wanted='["…", "…"]')
                continue
            words.setdefault(name, {}).update({fold(t): word for t in listed})
    return words


def _merge_words(
    base: Mapping[str, Mapping[str, str]], more: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    return {name: {**base.get(name, {}), **more.get(name, {})} for name in {**base, **more}}


def _refuse_unknown(
    said: Mapping[str, Any], keys: tuple[str, ...], where: str, found: Findings
) -> None:
    for key in said:
        if key not in keys:
            found.add(
                "input_mapping_key", column=_join_keys(where, key), near=_offer_near(key, keys)
            )


def _offer_near(name: str, names: tuple[str, ...]) -> str:
    return ", ".join(get_close_matches(name, names, n=3, cutoff=0.5) or names)


def _read_tables(
    said: Mapping[str, Any], key: str, where: str, found: Findings
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables inside a table, by name."""
    inner = _read_table(said, key, where, found)
    for name in inner:
        yield name, _read_table(inner, name, _join_keys(where, key), found)


def _read_table(
    said: Mapping[str, Any], key: str, where: str, found: Findings
) -> Mapping[str, Any]:
    value = said.get(key, {})
    if isinstance(value, dict):
        return value
    found.add("input_mapping_type", column=_join_keys(where, key), wanted=f"[{key}]")
    return {}


def _read_text(value: Any, at: str, found: Findings) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    found.add("input_mapping_type", column=at, wanted='"…"')
    return ""


def _join_keys(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
