"""Marks of the cells of an OpenDocument spreadsheet (.ods).

Source: OpenDocument 1.3 part 3, 9.1 (tables), 16.29 (styles of text), 19.385 (types of values).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lifecircle.analysis.readers.formats.cell_marks import (
    Attributes,
    CellMarks,
    XmlWalk,
    walk_member,
)
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.cells import is_sheet_error

_CONTENT: Final = "content.xml"
_HIDDEN: Final = ("collapse", "filter")
_CELLS: Final = ("table-cell", "covered-table-cell")
_MOST: Final = 100_000  # repetitions of one cell that are marked one by one
_PREFIX = re.compile(r"^\w+:(?==)")  # of a formula: the language it is in


def read_ods_marks(path: Path, sheet: str) -> CellMarks:
    """Marks of one sheet.

    Raises
    ------
    InputError : the content is missing or is no XML.
    """
    return walk_member(path, _CONTENT, _Cells(sheet)).marks


class _Cells(XmlWalk):
    def __init__(self, sheet: str) -> None:
        super().__init__()
        self.marks = CellMarks()
        self._sheet, self._inside = sheet, False
        self._style = ""
        self._struck: set[str] = set()
        self._row = self._column = -1
        self._high = self._wide = 1
        self._hidden = False
        self._cell: Attributes = {}
        self._shown = ""

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "style":
            self._style = attributes.get("name", "")
        elif name == "text-properties":
            kinds = [
                attributes.get(f"text-line-through-{one}", "none") for one in ("style", "type")
            ]
            if any(kind != "none" for kind in kinds):
                self._struck.add(self._style)
        elif name == "table":
            self._inside = attributes.get("name") == self._sheet
            self._row, self._high = -1, 1
        elif self._inside and name == "table-row":
            self._row += self._high
            self._high = _repeats(attributes.get("number-rows-repeated"))
            self._column, self._wide = -1, 1
            self._hidden = attributes.get("visibility") in _HIDDEN
        elif self._inside and name in _CELLS:
            self._column += self._wide
            self._wide = _repeats(attributes.get("number-columns-repeated"))
            self._cell, self._shown = attributes, ""

    def end(self, name: str, text: str) -> None:
        if name in ("p", "span", "s", "a"):
            self._shown += text
        elif self._inside and name in _CELLS:
            self._mark()
        elif name == "table":
            self._inside = False

    def _mark(self) -> None:
        # a program writes what it has calculated: the type is missing where it has not
        kind = self._cell.get("value-type")
        shown = self._shown.strip()
        wide = min(self._wide, limits.COLUMNS)
        rows = range(self._row, self._row + min(self._high, max(1, _MOST // wide)))
        places = [(r, c) for r in rows for c in range(self._column, self._column + wide)]
        formula = self._cell.get("formula")
        if formula is not None and (is_sheet_error(shown) or kind == "error"):
            self.marks.errors.update(dict.fromkeys(places, shown or "#N/A"))
        elif formula is not None and kind is None:
            self.marks.formulas.update(dict.fromkeys(places, _PREFIX.sub("", formula)))
        elif kind == "percentage":
            self.marks.percents.update(places)
        if kind is not None and self._cell.get("style-name") in self._struck:
            self.marks.struck.update(rows)
        if kind is not None and self._hidden:
            self.marks.hidden.update(rows)


def _repeats(text: str | None) -> int:
    sound = text is not None and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if sound and text is not None else 1
