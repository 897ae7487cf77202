"""How firm the verdicts of a report stand: its one page, and a sheet of its workbook.

Both read what `lifecircle robust` has kept beside the run, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lifecircle.analysis.texts import whole
from lifecircle.service.catalog.firm.robustness import FirmWords
from lifecircle.service.report.cells import Cell, text

FIRM: Final = ("id", "indicator", "status", "holds", "driver", "flips")
_NAMED: Final = 1  # of what flips a verdict, on the page; the sheet has all

Row = list[Cell]


def told_firm(document: Mapping[str, Any], words: FirmWords) -> dict[str, Any]:
    """What the page says: verdicts that fell in some draw, the frailest first; the others' ids."""
    draws, rows = document["draws"], document["rows"]
    fell = sorted((one for one in rows if one["holds"] < draws), key=lambda one: one["holds"])
    firm = [one["id"] for one in rows if one["holds"] == draws]
    return {
        "words": words,
        "heads": FIRM,
        "rows": [_cells(one, words, _NAMED) for one in fell],
        "firm": words("firm_ones", ids=whole(words.listed(firm)), draws=draws) if firm else "",
        "honest": words("firm_honest", draws=draws, seed=document["seed"]),
    }


def firm_rows(document: Mapping[str, Any], words: FirmWords) -> Iterator[list[Any]]:
    """Every assessed verdict with all that flips it, in the plan's order."""
    for one in document["rows"]:
        cells = _cells(one, words, None)
        yield [cell.told if name != "holds" else one["holds"] for name, cell in
               zip(FIRM, cells, strict=True)]  # fmt: skip


def _cells(row: Mapping[str, Any], words: FirmWords, most: int | None) -> Row:
    return [
        text(row["id"]),
        text(words.title(row["title"])),
        Cell(words.verdict(row["status"]), right=False, kind=row["status"]),
        Cell(words.holds(row), row["holds"]),
        text(words.assumption(row["driver"])),
        text("\n".join(words.flips(row)[:most])),
    ]
