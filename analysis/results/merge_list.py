"""The list of merged and suspected facilities as a table that can be edited and handed back.

Its columns ``decision``, ``kept`` and ``other`` are what ``--merges`` reads: write ``keep_apart``
beside a merge to undo it, ``same`` beside a suspicion to make it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from lifecircle.analysis.city.notes import SamePlace
from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import Title
from lifecircle.analysis.readers.tables.merge_orders import SHEET
from lifecircle.analysis.results.columns import UNKNOWN, number, text
from lifecircle.analysis.results.export import TABLE_SUFFIXES, write_table

_NO_DECISION: Final = Title("尚未处理", "Not decided")


MERGE_COLUMNS: Final = (
    text("decision", "处理意见", "Decision", _NO_DECISION),
    text("state", "状态", "State"),
    text("service", "服务", "Service"),
    text("kept", "保留编号", "Kept"),
    text("kept_name", "保留名称", "Name kept", UNKNOWN),
    text("kept_source", "保留来源", "Source kept"),
    text("other", "另一编号", "Other"),
    text("other_name", "另一名称", "Other name", UNKNOWN),
    text("other_source", "另一来源", "Other source"),
    text("rule", "依据", "Rule"),
    number("distance_m", "相距", "Distance", "m"),
    number("likeness", "名称相似度", "Likeness of names", "fraction", UNKNOWN),
    text("filled", "补填的属性", "Attributes filled", Title("没有补填", "Nothing was filled")),
)


def merge_frame(same_places: Sequence[SamePlace]) -> pd.DataFrame:
    """One row per pair, merged ones first; `decision` is left for people to fill in."""
    rows = sorted(same_places, key=lambda one: one.state != "merged")
    columns = {column.name: [_value(one, column.name) for one in rows] for column in MERGE_COLUMNS}
    return pd.DataFrame(
        {
            column.name: pd.Series(
                columns[column.name], dtype="Float64" if column.dtype == "number" else "object"
            )
            for column in MERGE_COLUMNS
        }
    )


def write_merge_list(same_places: Sequence[SamePlace], path: Path, lang: Language = "zh") -> None:
    """Write the list as ``.csv`` or ``.xlsx``.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    write_table(merge_frame(same_places), MERGE_COLUMNS, path, SHEET, lang, TABLE_SUFFIXES)


def _value(one: SamePlace, column: str) -> object:
    if column == "decision":
        return None
    if column == "filled":
        return ", ".join(one.filled) or None
    return getattr(one, column)
