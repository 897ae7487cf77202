"""How large a workbook becomes once it is read, found out before it is read.

Two cells at opposite corners of a sheet are a few hundred bytes in the file and 17 thousand
million cells in memory; a word stored once may stand in a million cells. So the XML is walked
through first, without keeping it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import check_members, member_chunks
from lifecircle.analysis.readers.records.files import refuse

_WORKSHEET: Final = "worksheet"
_WORDS: Final = "sst"
_OPEN_DOCUMENT: Final = "document-content"
_LETTERS: Final = 26


def check_extent(path: Path) -> None:
    """Refuse a workbook (.xlsx, .ods) that would not fit; other suffixes pass.

    Raises
    ------
    InputError
        Sheets, columns, cells or characters beyond `records.limits`; a document type
        or entities in the XML; XML that is not well formed.
    """
    with path.open("rb") as handle:
        if handle.read(2) != b"PK":
            return
    members = check_members(path)
    names = [member.filename for member in members]
    if any(name.lower().endswith("workbook.bin") for name in names):
        raise refuse(path, "input_really", suffix=path.suffix, really="xlsb")
    lengths: list[int] = []
    sheets: list[_Walk] = []
    # the words first: their lengths are needed to weigh the sheets
    for name in sorted(names, key=lambda n: "sharedstrings" not in n.lower()):
        walk = _walk_member(path, name, lengths)
        if walk is None:
            continue
        if walk.root == _WORDS:
            lengths = walk.lengths
        elif walk.cells:
            sheets.append(walk)
    if len(sheets) > limits.SHEETS:
        raise refuse(path, "input_sheets_too_many", most=limits.SHEETS)
    if max((walk.columns for walk in sheets), default=0) > limits.COLUMNS:
        raise refuse(path, "input_columns_many", most=limits.COLUMNS)
    cells = sum(walk.rows * walk.columns for walk in sheets)
    characters = sum(walk.characters for walk in sheets)
    rows = max((walk.rows for walk in sheets), default=0)
    if cells > limits.CELLS or characters > limits.SHEET_CHARACTERS or rows > limits.ROWS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")


class _Walk:
    """One XML member, walked through: the extent of its cells or the lengths of its words."""

    def __init__(self, path: Path, lengths: list[int]) -> None:
        self.root = ""
        self.rows = self.columns = self.cells = self.characters = 0
        self.lengths: list[int] = []
        self._path, self._known = path, lengths
        self._row = self._column = self._depth = 0
        self._shared = self._in_value = False
        self._text: list[str] = []
        self._times = self._wide = 1
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        raise refuse(self._path, "input_xml_doctype")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._depth += 1
        if self._depth > limits.XML_DEPTH:
            raise refuse(self._path, "input_nested", most=limits.XML_DEPTH)
        self.root = self.root or name
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if self.root == _WORKSHEET:
            self._sheet(name, plain)
        elif self.root == _WORDS and name == "si":
            self.lengths.append(0)
        elif self.root == _OPEN_DOCUMENT:
            self._open_document(name, plain)

    def _sheet(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            self._row = _parse_number(attributes.get("r"), self._row + 1)
            self._column = 0
        elif name == "c":
            self._row, self._column = parse_place(attributes.get("r"), self._row, self._column + 1)
            self._shared = attributes.get("t") == "s"
        elif name in ("v", "is", "f"):
            self._grow(self._row, self._column, 1)
            self._in_value = name == "v"
            self._text = []

    def _open_document(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "table":
            self._row = 0
        elif name == "table-row":
            self._times = _parse_number(attributes.get("number-rows-repeated"), 1)
            self._row += self._times
            self._column = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._wide = _parse_number(attributes.get("number-columns-repeated"), 1)
            self._column += self._wide
            if "value-type" in attributes:
                self._grow(self._row, self._column, self._wide * self._times)

    def _grow(self, row: int, column: int, cells: int) -> None:
        self.cells += cells
        self.rows = max(self.rows, row)
        self.columns = max(self.columns, column)

    def _characters(self, text: str) -> None:
        if self.root == _WORDS and self.lengths:
            self.lengths[-1] += len(text)
        elif self._in_value and self._shared:
            self._text.append(text)
        elif self.root == _OPEN_DOCUMENT:
            self.characters += len(text) * self._wide * self._times
        else:
            self.characters += len(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._in_value and tag.rpartition(":")[2] == "v":
            self._in_value = False
            word = "".join(self._text)
            if self._shared and word.isascii() and word.isdigit() and len(word) < 10:
                at = int(word)
                self.characters += self._known[at] if at < len(self._known) else 0


def _walk_member(path: Path, name: str, lengths: list[int]) -> _Walk | None:
    """A member that is XML of one of the kinds that matter; None for any other."""
    walk = _Walk(path, lengths)
    try:
        for chunk in member_chunks(path, name, limits.ARCHIVE_BYTES):
            walk.parser.Parse(chunk, False)
            if walk.root and walk.root not in (_WORKSHEET, _WORDS, _OPEN_DOCUMENT):
                return None
        walk.parser.Parse(b"", True)
    except InputError:
        raise
    except (expat.ExpatError, ValueError) as error:
        if not walk.root or walk.root not in (_WORKSHEET, _WORDS, _OPEN_DOCUMENT):
            return None
        raise refuse(path, "input_broken", detail=f"{name}: {error}") from None
    return walk


def _parse_number(text: str | None, otherwise: int) -> int:
    sound = text is not None and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if sound and text is not None else otherwise


def parse_place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    """Row and column (from 1) of a reference such as ``AB12``."""
    if reference is None:
        return row, column
    letters = reference.rstrip("0123456789")
    found = 0
    for letter in letters.upper()[:4]:
        found = found * _LETTERS + (ord(letter) - ord("A") + 1 if letter.isalpha() else 0)
    return _parse_number(reference[len(letters) :], row), found or column
