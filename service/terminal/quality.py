"""The quality of an area's data on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.service import i18n
from lifecircle.service.catalog.quality import quality_figures
from lifecircle.service.terminal import print_table, say

_SHOWN = 12


def show_quality(document: Mapping[str, Any], lang: Language) -> None:
    """The figures, the distances to the streets, what is missing, the remarks."""

    def text(key: str, **params: Any) -> str:
        return i18n.text(f"quality_{key}", lang, **params)

    figures = Table(
        title=f"{document['title'][lang]} · {document['run']} · {text('title')}", show_header=False
    )
    for label, value in quality_figures(document, lang):
        figures.add_row(label, value)
    legs = Table(title=text("snap"))
    legs.add_column(text("metres"), justify="right")
    for key in ("residents", "cells", "facilities"):
        legs.add_column(text(key), justify="right")
    for one in document["snap"]["bins"]:
        span = f"{one['above_m']:g}–{one['to_m']:g}"
        legs.add_row(span, *(f"{one[k]:,}" for k in ("residents", "cells", "facilities")))
    print_table(figures)
    print_table(legs)
    pairs = document["same_places"]["list"]
    if pairs:
        table = Table(title=text("same_places"))
        for key in ("state", "kept", "other", "distance", "likeness", "rule"):
            table.add_column(text(key))
        for one in pairs[:_SHOWN]:
            likeness = "—" if one["likeness"] is None else f"{one['likeness']:.2f}"
            table.add_row(
                text(f"state_{one['state']}"),
                f"{one['kept_name'] or '—'} ({one['kept']})",
                f"{one['other_name'] or '—'} ({one['other']})",
                f"{one['distance_m']:.1f} m",
                likeness,
                text(f"rule_{one['rule']}"),
            )
        print_table(table)
    for warning in document["warnings"]:
        say("· " + warning["text"])
