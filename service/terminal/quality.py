"""The quality of an area's data on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.service.catalog.quality import quality_figures
from lifecircle.service.figures import decimal, number, plain
from lifecircle.service.terminal import print_table, say_remark, table_of
from lifecircle.service.wording import Words

_SHOWN = 12
_COUNTED = ("residents", "cells", "facilities")


def show_quality(document: Mapping[str, Any], lang: Language) -> None:
    """The figures, the distances to the streets, what is missing, the remarks."""
    words = Words(lang, "quality")
    figures = Table(
        title=f"{words.title(document['title'])} · {document['run']} · {words('quality')}",
        show_header=False,
    )
    for label, value in quality_figures(document, lang):
        figures.add_row(label, value or words("not_checked"))
    distance = words.in_brackets(words("street_distance"), "m")
    legs = table_of("", [distance, *(words(key) for key in _COUNTED)], left=())
    for one in document["snap"]["bins"]:
        span = f"{plain(one['above_m'])}–{plain(one['to_m'])}"
        legs.add_row(span, *(number(one[key]) or words.unknown for key in _COUNTED))
    print_table(figures)
    print_table(legs)
    pairs = document["same_places"]["list"]
    if pairs:
        names = ("state", "kept", "other", "column_apart", "column_likeness", "column_rule")
        heads = [words(name) for name in names]
        table = table_of(words("same_places"), heads, left=(0, 1, 2, 5))
        for one in pairs[:_SHOWN]:
            table.add_row(
                words(f"state_{one['state']}"),
                f"{one['kept_name'] or words.none} ({one['kept']})",
                f"{one['other_name'] or words.none} ({one['other']})",
                words.metres(one["distance_m"], 1),
                decimal(one["likeness"], 2) or words.none,
                words(f"rule_{one['rule']}"),
            )
        print_table(table)
    for warning in document["warnings"]:
        say_remark(warning["text"])
