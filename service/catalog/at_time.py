"""What is open at a moment, told beside the figures: counts, and what is not known."""

from __future__ import annotations

from typing import Any

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.opening import StudyAt


def at_document(at: StudyAt) -> dict[str, Any]:
    """The moment, and how many facilities of each service are open, closed, unknown then."""
    return {
        "at": at.moment.text,
        "facilities": [
            {
                "service": count.service,
                "facilities": count.facilities,
                "open": count.open,
                "closed": count.closed,
                "unknown": count.unknown,
                "unreadable": [
                    {"opening_hours": text, "facilities": n} for text, n in count.unreadable.items()
                ],
            }
            for count in at.counts
        ],
    }


def at_warnings(at: StudyAt, service: str | None = None) -> list[Warn]:
    """What is not known about hours, of one service or of all."""
    told = []
    for count in at.counts:
        if service is not None and count.service != service:
            continue
        title = at.lower.policy.services[count.service].title
        named = {"title": title}
        if count.unknown:
            told.append(
                Warn("open_unknown", {**named, "unknown": count.unknown, "count": count.facilities})
            )
        if count.unreadable:
            texts = " | ".join(count.unreadable)
            number = sum(count.unreadable.values())
            told.append(Warn("open_unreadable", {**named, "count": number, "texts": texts}))
    return told
