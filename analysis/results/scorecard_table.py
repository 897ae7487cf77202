"""The scorecard as a flat table: one row per promise, for CSV and Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from lifecircle.analysis.errors import Language, say
from lifecircle.analysis.policy import Title
from lifecircle.analysis.results.columns import NEVER, UNKNOWN, Column
from lifecircle.analysis.results.export import write_table

_NO_TARGET: Final = Title("原文没有给出数字", "The plan names no number")
_NOT_BOXED: Final = Title("原文没有注明属性", "The plan calls it nothing")
_NO_BASE: Final = Title("原文没有给出基期", "The plan states none")
_OPEN: Final = Title("未评估", "Not assessed")
_NONE: Final = Title("没有", "None")


def _column(name: str, dtype: Any, zh: str, en: str, null: Title = NEVER) -> Column:
    return Column(name, dtype, "", Title(zh, en), null)


SCORECARD_COLUMNS: Final = (
    _column("id", "text", "编号", "Id"),
    _column("title", "text", "指标", "Indicator"),
    _column("section", "text", "章节", "Section"),
    _column("phrase", "text", "原文", "The plan's words"),
    _column("target", "number", "目标", "Target", _NO_TARGET),
    _column("direction", "text", "要求", "To be", Title("没有目标", "No target")),
    _column("unit", "text", "单位", "Unit"),
    _column("nature", "text", "属性", "Nature", _NOT_BOXED),
    _column("baseline", "number", "基期", "Baseline", _NO_BASE),
    _column("status", "text", "判定", "Status"),
    _column("headline", "text", "主口径", "Headline"),
    _column("value", "number", "现值", "Value today", _OPEN),
    _column("lower", "number", "下限", "At least", UNKNOWN),
    _column("upper", "number", "上限", "At most", UNKNOWN),
    _column("assessed_share", "number", "已评估比例", "Share assessed", _OPEN),
    _column("readings", "text", "各口径", "All readings"),
    _column("left_out_count", "integer", "未覆盖个数", "Left out"),
    _column("left_out", "text", "未覆盖", "Who is left out", _NONE),
    _column("missing", "text", "缺什么、怎样补", "What is missing, how to supply it", _NONE),
    _column("note", "text", "说明", "Note", _NONE),
)


def scorecard_frame(document: Mapping[str, Any], lang: Language) -> pd.DataFrame:
    """The rows of a scorecard document with its figures unrounded."""
    rows = [_flat(row, lang) for row in document["rows"]]
    return pd.DataFrame(
        {
            column.name: pd.Series(
                [row[column.name] for row in rows],
                dtype={"integer": "Int64", "number": "Float64"}.get(column.dtype, "object"),
            )
            for column in SCORECARD_COLUMNS
        }
    )


def export_scorecard(document: Mapping[str, Any], path: Path, lang: Language = "zh") -> None:
    """Write a scorecard document as ``.csv`` or ``.xlsx``; settings stand on a second sheet.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    table = scorecard_frame(document, lang)
    name = say("scorecard_sheet", lang)
    write_table(table, SCORECARD_COLUMNS, path, name, lang, lines=tuple(_notes(document, lang)))


def _flat(row: Mapping[str, Any], lang: Language) -> dict[str, Any]:
    comma = "、" if lang == "zh" else ", "
    stop = "；" if lang == "zh" else "; "
    details = row["details"]
    return {
        **{key: row[key] for key in ("id", "section", "phrase", "target", "unit", "nature",
                                     "status", "value", "lower", "upper", "assessed_share")},
        "title": row["title"][lang],
        "direction": None
        if row["target"] is None
        else say(f"scorecard_{row['direction'].replace(' ', '_')}", lang),
        "baseline": None if row["baseline"] is None else row["baseline"]["value"],
        "headline": details[row["headline"]]["title"][lang],
        "readings": stop.join(
            f"{one['title'][lang]} = {_figure(one['value'])}" for one in details.values()
        ),
        "left_out_count": len(row["left_out"]) or (None if row["status"] == "NOT_ASSESSED" else 0),
        "left_out": comma.join(who(one, lang) for one in row["left_out"]) or None,
        "missing": stop.join(one["text"] for one in row["missing"]) or None,
        "note": None if row["note"] is None else row["note"][lang],
    }  # fmt: skip


def who(one: Mapping[str, Any], lang: Language) -> str:
    """A unit left out in one line: its name and code, the persons or the facility."""
    english = one["name_en"] if lang == "en" else None
    if one["name"] is None:
        named = one["facility"] or say("scorecard_no_unit", lang)
    else:
        named = f"{english or one['name']} ({one['code']})"
        if one["facility"] is not None:
            named = f"{one['facility']} · {named}"
    more = []
    if one["persons"] is not None:
        more.append(say("scorecard_persons", lang, count=f"{one['persons']:,}"))
    if one["value"] is not None:
        more.append(f"{one['value']:.4g}")
    if one["label"] is not None:
        more.append(str(one["label"]))
    return f"{named} {' '.join(more)}".strip()


def _figure(value: float | None) -> str:
    return "—" if value is None else repr(value)


def _notes(document: Mapping[str, Any], lang: Language) -> Sequence[tuple[str, str]]:
    """Area, run, policy and every setting, as lines for the second sheet."""
    policy = document["policy"]
    head = (
        (say("scorecard_area", lang), str(document["area"])),
        (say("scorecard_run", lang), str(document["run"])),
        (say("scorecard_policy", lang), f"{policy['source']} {policy['digest']}"),
        (say("export_walker", lang), str(document["walker"])),
    )  # fmt: skip
    settings = tuple((one["title"][lang], str(one["value"])) for one in document["settings"])
    return (*head, *settings)
