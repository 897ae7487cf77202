"""What happened to the words and numbers of a text table before it came to us.

UTF-8 that was read as Windows-1252 and saved again, letters lost in a wrong reading, decimal
commas. The first and the last are undone, each with a warning; what is lost is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lifecircle.analysis.errors import Fault

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LOST = re.compile(r"\ufffd|锟斤拷|锟斤")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_SURE_COMMA = re.compile(r"[+-]?\d{1,3},(?:\d{1,2}|\d{4,})")  # three digits may be thousands
_FEWEST: Final = 3  # characters of a text that was encoded twice


def undo_second_encoding(path: Path, text: str) -> tuple[str, tuple[Fault, ...]]:
    """The text with a second encoding as UTF-8 undone, and the remark on it."""
    if _CHINESE.search(text) or not any("\x80" <= sign <= "\uffff" for sign in text[:10_000]):
        return text, ()
    raw = bytearray()
    for sign in text:
        try:
            raw += sign.encode("cp1252")
        except UnicodeEncodeError:
            if ord(sign) > 0xFF:
                return text, ()
            raw.append(ord(sign))  # what Windows-1252 leaves out
    try:
        once = raw.decode("utf-8")
    except UnicodeDecodeError:
        return text, ()
    if len(_CHINESE.findall(once)) < _FEWEST:
        return text, ()
    return once, (Fault("input_encoded_twice", path.name, severity="warning"),)


def tell_lost_letters(path: Path, text: str) -> tuple[Fault, ...]:
    """The remark that letters were lost before the file was saved."""
    count = len(_LOST.findall(text))
    if not count:
        return ()
    return (Fault("input_letters_lost", path.name, params={"count": count}, severity="warning"),)


def undo_decimal_commas(
    path: Path, lines: Sequence[Sequence[str]]
) -> tuple[list[Sequence[str]], tuple[Fault, ...]]:
    """The rows of a file that writes decimal commas, with points in their place, and the remark.

    A file writes them where numbers with a comma that cannot part thousands stand in it, and no
    number with a point.
    """
    cells = [cell.strip() for line in lines for cell in line if "," in cell or "." in cell]
    numbers = [cell for cell in cells if _COMMA.fullmatch(cell)]
    pointed = any(re.fullmatch(r"[+-]?\d+\.\d+", cell) for cell in cells)
    if pointed or not any(map(_SURE_COMMA.fullmatch, numbers)):
        return list(lines), ()
    out = [
        [c.strip().replace(",", ".") if _COMMA.fullmatch(c.strip()) else c for c in line]
        for line in lines
    ]
    params = {"count": len(numbers), "example": numbers[0]}
    return list(out), (Fault("input_decimal_commas", path.name, params=params, severity="warning"),)
