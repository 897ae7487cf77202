"""Equity and the comparison of two runs as flat tables, for CSV and Excel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.results.columns import Column, count, number, text
from lifecircle.analysis.results.export import asked_lines, export_rows

Document = Mapping[str, Any]
_ASKED: Final = ("run", "minutes", "walker", "group", "by")


def _count(name: str, titled: str = "") -> Column:
    return count(name, titled, null="not_assessed")


def _number(name: str, titled: str = "", unit: str = "") -> Column:
    return number(name, titled, unit, "not_assessed")


_UNIT: Final = (
    text("service", "word_service_id"),
    text("code"),
    text("name"),
    text("name_en", null="unknown"),
)

EQUITY_COLUMNS: Final = (
    *_UNIT,
    text("group"),
    _count("residents"),
    count("not_assessed", "word_circle_open", null="unknown"),
    _count("without_way"),
    _number("gini"),
    _number("palma"),
    _number("mean_minutes", "column_mean_minutes", "minutes"),
    _number("median_minutes", "column_median_minutes", "minutes"),
    _count("sufficient", "column_sufficient"),
    _count("below"),
    _number("below_share", unit="fraction"),
    _number("excess_minutes", "column_excess_minutes", "minutes"),
)

COMPARE_COLUMNS: Final = (
    *_UNIT,
    text("state", "word_unit_state"),
    _count("residents_from", "word_residents_from"),
    _count("residents_to", "word_residents_to"),
    _count("covered_from", "column_covered_from"),
    _count("covered_to", "column_covered_to"),
    _number("P_from", unit="fraction"),
    _number("P_to", unit="fraction"),
    _number("P_change", "column_P_change", "fraction"),
    _count("gained"),
    _count("lost"),
    _count("moved"),
)


def export_equity(
    document: Document, path: Path, lang: Language = "zh", policy: Policy | None = None
) -> None:
    """Write an equity document as ``.csv`` or ``.xlsx``: every group, then every unit.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    rows = []
    for block in document.get("services", [document]):
        told = {"service": block["service"]}
        rows += [{**row, **told, "group": row["code"], "code": "total"} for row in block["groups"]]
        rows += [{**row, **told, "group": block["group"]} for row in block["units"]]
    lines = asked_lines({name: document[name] for name in _ASKED}, lang, policy)
    export_rows(rows, EQUITY_COLUMNS, path, "equity", lang, lines)


def export_comparison(
    document: Document, path: Path, lang: Language = "zh", policy: Policy | None = None
) -> None:
    """Write a comparison as ``.csv`` or ``.xlsx``: the area, then every unit, by service.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    rows = [
        {**row, "service": block["service"]}
        for block in document["services"]
        for row in (block["total"], *block["units"])
    ]
    runs = {"run": f"{document['from']['run']} → {document['to']['run']}"}
    lines = asked_lines({name: {**document, **runs}[name] for name in _ASKED}, lang, policy)
    export_rows(rows, COMPARE_COLUMNS, path, "compare", lang, lines)
