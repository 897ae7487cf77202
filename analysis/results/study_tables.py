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


_IN_SCENARIO: Final = (
    "service", "code", "name", "name_en", "residents_from", "residents_to", "covered_from",
    "covered_to", "P_from", "P_to", "gained", "lost",
)  # fmt: skip
SCENARIO_COLUMNS: Final = tuple(one for one in COMPARE_COLUMNS if one.name in _IN_SCENARIO)


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


def export_scenario(
    document: Document, path: Path, lang: Language = "zh", policy: Policy | None = None
) -> None:
    """Write a scenario as ``.csv`` or ``.xlsx``: of every service the area, then what changed.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    names = ("residents", "covered", "P")
    rows = []
    for block in document["services"]:
        total = {"code": "total", "name": "total", "name_en": None, **block}
        for row in (total, *block["units"]):
            sides = {
                f"{name}_{to}": row[f"{name}_{side}"]
                for name in names
                for side, to in (("before", "from"), ("after", "to"))
            }
            told = {name: row[name] for name in ("code", "name", "name_en", "gained", "lost")}
            rows.append({"service": block["service"], **told, **sides})
    asked = {name: document[name] for name in ("minutes", "walker", "by")}
    lines = asked_lines({"run": document["base"]["run"], **asked}, lang, policy)
    export_rows(rows, SCENARIO_COLUMNS, path, "compare", lang, lines)
