"""A check of a file as a plain document: the command and the page say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lifecircle.analysis.errors import Fault, Language
from lifecircle.analysis.readers.records.findings import ROWS_NAMED, unfold
from lifecircle.analysis.texts import whole
from lifecircle.service.wording import Words

if TYPE_CHECKING:
    from lifecircle.analysis.readers.checker.check import Checked
    from lifecircle.analysis.readers.checker.cleaning import Mend


def check_document(
    checked: Checked,
    mends: Sequence[Mend] = (),
    *,
    lang: Language = "zh",
    every_row: bool = False,
) -> dict[str, Any]:
    """Kind, counts and every fault with its row, column and text; mends with before and after.

    ``rows`` of a fault are all the rows of a remark about several; with `every_row` its text names
    them too, else only the first.
    """
    return {
        "file": checked.file,
        "kind": checked.kind,
        "rows": None if checked.records is None else len(checked.records),
        "errors": checked.errors,
        "warnings": checked.warnings,
        "usable": checked.errors == 0,
        "faults": [
            {
                "severity": fault.severity,
                "key": fault.key,
                "element": fault.element,
                "row": fault.row,
                "rows": fault.rows,
                "column": fault.column,
                "problem": fault.problem(lang),
                "text": fault.text(lang),
            }
            for fault in (map(unfold, checked.faults) if every_row else checked.faults)
        ],
        "mends": mend_rows(mends, lang),
        "datum_unsure": next(
            (
                note.problem(lang)
                for note in checked.notes
                if note.key.startswith("check_datum_few")
            ),
            None,
        ),
        "notes": [note.problem(lang) for note in checked.notes],
    }


def mend_rows(mends: Sequence[Mend], lang: Language) -> list[dict[str, Any]]:
    """Every mend with its row, column, before, after and why."""
    return [
        {
            "key": mend.key,
            "row": mend.row,
            "column": mend.column or "",
            "before": "" if mend.before is None else str(mend.before),
            "after": "" if mend.after is None else str(mend.after),
            "why": mend.text(lang),
        }
        for mend in mends
    ]


def grouped(
    faults: Sequence[Fault], words: Words, *, every_row: bool = False
) -> list[dict[str, Any]]:
    """Faults for people: the same fault of many rows once, with its rows; of two columns too."""
    rows: dict[tuple[str, str, str | None], list[int | None]] = {}
    for fault in map(unfold, faults) if every_row else faults:
        alike = (fault.severity, fault.problem(words.lang), fault.column)
        rows.setdefault(alike, []).append(fault.row)
    columns: dict[tuple[str, str, tuple[int | None, ...]], list[str]] = {}
    for (severity, problem, column), held in rows.items():
        columns.setdefault((severity, problem, tuple(held)), []).extend(
            () if column is None else (column,)
        )
    return [
        {
            "severity": severity,
            "problem": problem,
            "row": held[0] if len(set(held)) == 1 else None,
            "rows": _rows(held, words, every_row=every_row),
            "cut": not every_row and len(set(held)) > ROWS_NAMED,
            "column": words.listed(names),
        }
        for (severity, problem, held), names in columns.items()
    ]


def _rows(rows: Sequence[int | None], words: Words, *, every_row: bool) -> str:
    """The rows of a fault: the number, or how many and the first of them, or all."""
    known = list(dict.fromkeys(str(row) for row in rows if row is not None))
    if len(known) < 2:
        return "".join(known)
    shown = known if every_row else known[:ROWS_NAMED]
    key = "check_rows" if len(shown) == len(known) else "check_rows_more"
    first = words.listed(shown)
    return words(key, count=len(known), rows=whole(first))
