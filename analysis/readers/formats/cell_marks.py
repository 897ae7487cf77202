"""What a workbook says of its cells beside their values: errors, formulas, percent, hidden, struck.

The library that reads the values gives an error (``#N/A``) and a formula that was never
calculated as an empty cell, and 10 % as 0.1. Neither is what the person sees who made the table,
so the cells that are one of these come through as `SheetError`, `Uncalculated` and `Percent`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from xml.parsers import expat

from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import member_chunks
from lifecircle.analysis.readers.records.cells import Percent, SheetError, Uncalculated
from lifecircle.analysis.readers.records.files import refuse

_Walk = TypeVar("_Walk", bound="XmlWalk")
Place = tuple[int, int]  # row and column, from 0
Attributes = dict[str, str]  # by their names without prefix


@dataclass(slots=True)
class CellMarks:
    """Marks of one sheet while it is walked through.

    `errors`: the error each cell shows. `formulas`: formulas that were saved without their value.
    `percents`: numbers shown as percent. `hidden`, `struck`: rows, from 0.
    """

    errors: dict[Place, str] = field(default_factory=dict)
    formulas: dict[Place, str] = field(default_factory=dict)
    percents: set[Place] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    struck: set[int] = field(default_factory=set)


def mark_cells(lines: Sequence[Sequence[Any]], marks: CellMarks) -> list[Sequence[Any]]:
    """The rows of a sheet with their marked cells as what they are."""
    out: list[Sequence[Any]] = list(lines)
    words: dict[Place, str] = {at: SheetError(word) for at, word in marks.errors.items()}
    words |= {at: Uncalculated(text) for at, text in marks.formulas.items()}
    opened: dict[int, list[Any]] = {}

    def open_line(row: int) -> list[Any]:
        out.extend([] for _ in range(row + 1 - len(out)))
        if row not in opened:
            out[row] = opened[row] = list(out[row])
        return opened[row]

    for (row, column), word in words.items():
        if row >= limits.ROWS or column >= limits.COLUMNS:
            continue
        line = open_line(row)
        line.extend([None] * (column + 1 - len(line)))
        line[column] = word
    for row, column in marks.percents:
        if row < len(out) and column < len(out[row]) and isinstance(out[row][column], int | float):
            line = open_line(row)
            line[column] = Percent(line[column])
    return out


class XmlWalk:
    """A walk through one XML member: what a subclass does at the begin and end of an element."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.text.append

    def begin(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def end(self, name: str, text: str) -> None:
        """An element ends; `text`: what stands between its last tag and this."""

    def _start(self, tag: str, attributes: Attributes) -> None:
        self.text.clear()
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        self.begin(tag.rpartition(":")[2], plain)

    def _end(self, tag: str) -> None:
        text = "".join(self.text)
        self.text.clear()
        self.end(tag.rpartition(":")[2], text)


def walk_member(path: Path, name: str, walk: _Walk) -> _Walk:
    """Walk through a member of a workbook whose extent was checked before; hands back `walk`.

    Raises
    ------
    InputError : the member is missing or is no XML.
    """
    walk.parser.StartDoctypeDeclHandler = _refuse_doctype(path)
    try:
        for chunk in member_chunks(path, name, limits.ARCHIVE_BYTES):
            walk.parser.Parse(chunk, False)
        walk.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise refuse(path, "input_broken", detail=f"{name}: {error}") from None
    return walk


def _refuse_doctype(path: Path) -> Callable[..., None]:
    def refuse_it(*_: object) -> None:
        raise refuse(path, "input_xml_doctype")

    return refuse_it
