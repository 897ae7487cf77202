"""Equity and the comparison of two runs as flat tables, for CSV and Excel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Language, say
from lifecircle.analysis.results.columns import NOT_ASSESSED, UNKNOWN, Column, count, number, text
from lifecircle.analysis.results.export import export_rows

Document = Mapping[str, Any]


def _count(name: str, zh: str, en: str) -> Column:
    return count(name, zh, en, null=NOT_ASSESSED)


def _number(name: str, zh: str, en: str, unit: str) -> Column:
    return number(name, zh, en, unit, NOT_ASSESSED)


_UNIT: Final = (
    text("service", "服务代码", "Service"),
    text("code", "代码", "Code"),
    text("name", "名称", "Name"),
    text("name_en", "英文名称", "English name", UNKNOWN),
)

EQUITY_COLUMNS: Final = (
    *_UNIT,
    text("group", "人群", "Group"),
    _count("residents", "人数", "Persons"),
    _count("without_way", "走不到的人", "No way"),
    _number("gini", "基尼系数", "Gini", ""),
    _number("palma", "帕尔马比值", "Palma", ""),
    _number("mean_minutes", "平均步行", "Mean walk", "minutes"),
    _number("median_minutes", "中位步行", "Median walk", "minutes"),
    _count("sufficient", "在时限内的人", "Within the floor"),
    _count("below", "超出时限的人", "Beyond the floor"),
    _number("below_share", "超出时限占比", "Share beyond", "fraction"),
    _number("excess_minutes", "平均超出", "Mean excess", "minutes"),
)

COMPARE_COLUMNS: Final = (
    *_UNIT,
    text("state", "单元状态", "State of the unit"),
    _count("residents_from", "前一次居民", "Residents before"),
    _count("residents_to", "后一次居民", "Residents after"),
    _count("covered_from", "前一次覆盖", "Covered before"),
    _count("covered_to", "后一次覆盖", "Covered after"),
    _number("P_from", "前一次 P", "P before", "fraction"),
    _number("P_to", "后一次 P", "P after", "fraction"),
    _number("P_change", "P 的变化", "Change of P", "fraction"),
    _count("gained", "新增覆盖", "Gained"),
    _count("lost", "失去覆盖", "Lost"),
    _count("moved", "人口变动", "People moved"),
)


def export_equity(document: Document, path: Path, lang: Language = "zh") -> None:
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
    lines = _asked(document, ("run", "minutes", "walker", "group", "by"), lang)
    export_rows(rows, EQUITY_COLUMNS, path, "equity", lang, lines)


def export_comparison(document: Document, path: Path, lang: Language = "zh") -> None:
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
    lines = _asked({**document, **runs}, ("run", "minutes", "walker", "group", "by"), lang)
    export_rows(rows, COMPARE_COLUMNS, path, "compare", lang, lines)


def _asked(
    document: Document, names: tuple[str, ...], lang: Language
) -> tuple[tuple[str, str], ...]:
    """The parameters of a question, as lines for the sheet about the columns."""
    return tuple((say(f"export_{name}", lang), str(document[name])) for name in names)
