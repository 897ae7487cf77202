"""Marks of reviews as a table of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lifecircle.service.report.cells import Cell, text
from lifecircle.service.report.tables import titles_by_service
from lifecircle.service.wording import LOCAL, Words

MARKS: Final = (
    "mark_of", "mark_name", "service", "mark_verdict", "mark_note", "mark_by", "mark_at",
    "mark_matched",
)  # fmt: skip


def mark_rows(document: Mapping[str, Any], words: Words) -> Iterator[list[Cell]]:
    """Every mark with what became of what was marked, the oldest first."""
    told, titles = Words(words.lang, "map"), titles_by_service(document, words)
    for one in document["reviews"]:
        target = one["target"]
        matched = told(f"mark_{one['matched']}") if one["matched"] != "same" else ""
        yield [
            text(told(f"mark_kind_{target['kind']}")),
            text(target["name"] or target["id"]),
            text(titles.get(target["service"], target["service"])),
            text(told(f"mark_{one['verdict']}")),
            text(one["note"]),
            text(told("mark_local") if one["author"] == LOCAL else one["author"]),
            text(one["at"][:10]),
            text(matched),
        ]
