"""Marks of the cells of an Office Open XML workbook (.xlsx, .xlsm).

Source: ECMA-376-1:2016, 18.2 (workbook), 18.3 (worksheets), 18.8 (styles).
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from lifecircle.analysis.readers.formats.cell_marks import (
    Attributes,
    CellMarks,
    XmlWalk,
    walk_member,
)
from lifecircle.analysis.readers.formats.workbook_size import parse_place
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import check_members, member_chunks

_BOOK: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"
_STYLES: Final = "xl/styles.xml"
_PERCENT_IDS: Final = frozenset({9, 10})  # number formats 0% and 0.00%
_OVERLAP: Final = 64  # bytes in which a mark may lie across two chunks
_QUOTED = re.compile(r'"[^"]*"|\\.')
_YES: Final = ("1", "true")


def read_xlsx_marks(path: Path, sheet: str) -> CellMarks:
    """Marks of one sheet.

    Raises
    ------
    InputError : a member is no XML.
    """
    names = {member.filename for member in check_members(path)}
    if not {_BOOK, _LINKS} <= names:
        return CellMarks()
    book = walk_member(path, _BOOK, _Book())
    links = walk_member(path, _LINKS, _Links()).targets
    member = posixpath.normpath(posixpath.join("/xl", links.get(book.sheets.get(sheet, ""), "")))
    if member[1:] not in names:
        return CellMarks()
    styles = walk_member(path, _STYLES, _Styles()) if _STYLES in names else _Styles()
    if not _may_hold_marks(path, member[1:], styles):
        return CellMarks()
    walk = walk_member(path, member[1:], _Cells(styles))
    if book.uncalculated and walk.formulas and not walk.calculated:
        walk.marks.formulas |= walk.formulas
    return walk.marks


def _may_hold_marks(path: Path, member: str, styles: _Styles) -> bool:
    """Whether a sheet holds what may be a mark: most do not, and need no second walk."""
    signs = [rb"""\bt=["']e["']""", rb"<(?:\w+:)?f\b", rb"\bhidden="]
    signs += [rb"""\bs=["']%d["']""" % style for style in sorted(styles.percent | styles.struck)]
    sign, tail = re.compile(b"|".join(signs)), b""
    for chunk in member_chunks(path, member, limits.ARCHIVE_BYTES):
        if sign.search(tail + chunk):
            return True
        tail = chunk[-_OVERLAP:]
    return False


class _Book(XmlWalk):
    """Sheets of a workbook by name → id of their link; whether its formulas wait for a program."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, str] = {}
        self.uncalculated = False

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            self.sheets[attributes.get("name", "")] = attributes.get("id", "")
        elif name == "calcPr":
            self.uncalculated = attributes.get("fullCalcOnLoad") in _YES


class _Links(XmlWalk):
    """Targets of a member's links by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Styles(XmlWalk):
    """The styles of cells, by number, that show percent and that strike out."""

    def __init__(self) -> None:
        super().__init__()
        self.percent: set[int] = set()
        self.struck: set[int] = set()
        self._percent_ids = set(_PERCENT_IDS)
        self._struck_fonts: set[int] = set()
        self._fonts = self._styles = -1
        self._inside = ""

    def begin(self, name: str, attributes: Attributes) -> None:
        if name in ("fonts", "cellXfs"):
            self._inside = name
        elif name == "numFmt" and "%" in _QUOTED.sub("", attributes.get("formatCode", "")):
            self._percent_ids.add(_number(attributes.get("numFmtId")))
        elif name == "font" and self._inside == "fonts":
            self._fonts += 1
        elif name == "strike" and self._inside == "fonts":
            if attributes.get("val", "1") in _YES:
                self._struck_fonts.add(self._fonts)
        elif name == "xf" and self._inside == "cellXfs":
            self._styles += 1
            if _number(attributes.get("numFmtId")) in self._percent_ids:
                self.percent.add(self._styles)
            if _number(attributes.get("fontId")) in self._struck_fonts:
                self.struck.add(self._styles)

    def end(self, name: str, text: str) -> None:  # noqa: ARG002
        if name == self._inside:
            self._inside = ""


class _Cells(XmlWalk):
    """The marks of a sheet's cells; `formulas` and whether any of them has a value but 0."""

    def __init__(self, styles: _Styles) -> None:
        super().__init__()
        self.marks = CellMarks()
        self.formulas: dict[tuple[int, int], str] = {}
        self.calculated = False
        self._styles = styles
        self._row = self._column = 0
        self._kind = self._value = ""
        self._formula: str | None = None
        self._style = -1

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = _number(attributes.get("r"), self._row + 1)
            self._column = 0
            if attributes.get("hidden") in _YES:
                self.marks.hidden.add(self._row - 1)
        elif name == "c":
            self._row, self._column = parse_place(attributes.get("r"), self._row, self._column + 1)
            self._kind, self._value, self._formula = attributes.get("t", "n"), "", None
            self._style = _number(attributes.get("s"))

    def end(self, name: str, text: str) -> None:
        if name == "f":
            self._formula = text
        elif name in ("v", "t"):
            self._value += text
        elif name == "c":
            self._mark((self._row - 1, self._column - 1))

    def _mark(self, at: tuple[int, int]) -> None:
        if self._kind == "e":
            self.marks.errors[at] = self._value or "#N/A"
        elif self._formula is not None and not self._value and self._kind != "str":
            self.marks.formulas[at] = f"={self._formula}"
        elif self._kind == "n" and self._style in self._styles.percent:
            self.marks.percents.add(at)
        if self._formula is not None and self._value == "0" and self._kind == "n":
            self.formulas[at] = f"={self._formula}"
        elif self._formula is not None:
            self.calculated = True
        if self._value and self._style in self._styles.struck:
            self.marks.struck.add(at[0])


def _number(text: str | None, otherwise: int = -1) -> int:
    sound = text is not None and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if sound and text is not None else otherwise
