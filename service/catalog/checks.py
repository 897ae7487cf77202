"""A check of a file as a plain document: the command and the page say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecircle.analysis.errors import Fault, Language
from lifecircle.analysis.readers.checker.check import Checked
from lifecircle.analysis.readers.checker.cleaning import Mend
from lifecircle.analysis.readers.records.findings import ROWS_NAMED
from lifecircle.analysis.texts import whole
from lifecircle.service.wording import Words


def check_document(
    checked: Checked, mends: Sequence[Mend] = (), *, lang: Language = "zh"
) -> dict[str, Any]:
    """Kind, counts and every fault with its row, column and text; mends with before and after."""
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
                "column": fault.column,
                "problem": fault.problem(lang),
                "text": fault.text(lang),
            }
            for fault in checked.faults
        ],
        "mends": mend_rows(mends, lang),
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


def grouped(faults: Sequence[Fault], words: Words) -> list[dict[str, Any]]:
    """Faults for people: the same fault of many rows once, with its rows; of two columns too."""
    rows: dict[tuple[str, str, str | None], list[int | None]] = {}
    for fault in faults:
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
            "rows": _rows(held, words),
            "column": words.listed(names),
        }
        for (severity, problem, held), names in columns.items()
    ]


def _rows(rows: Sequence[int | None], words: Words) -> str:
    """The rows of a fault: the number, or how many and the first of them."""
    known = list(dict.fromkeys(str(row) for row in rows if row is not None))
    if len(known) < 2:
        return "".join(known)
    key = "check_rows" if len(known) <= ROWS_NAMED else "check_rows_more"
    first = words.listed(known[:ROWS_NAMED])
    return words(key, count=len(known), rows=whole(first))
