"""A check of a file as a plain document: the command and the page say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecircle.analysis.errors import Language, say
from lifecircle.analysis.readers.checker.check import Checked
from lifecircle.analysis.readers.checker.cleaning import Mend


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
                "problem": say(fault.key, lang, **dict(fault.params)),
                "text": fault.text(lang),
            }
            for fault in checked.faults
        ],
        "mends": mend_rows(mends, lang),
        "notes": [say(note.key, lang, **dict(note.params)) for note in checked.notes],
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
