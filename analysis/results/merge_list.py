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
from lifecircle.analysis.readers.tables.merge_orders import SHEET
from lifecircle.analysis.results.columns import number, text
from lifecircle.analysis.results.export import TABLE_SUFFIXES, write_table

MERGE_COLUMNS: Final = (
    text("decision", "column_decision", "no_decision"),
    text("state"),
    text("service"),
    text("kept", "column_kept_id"),
    text("kept_name", "column_kept_name", "unknown"),
    text("kept_source", "column_kept_source"),
    text("other", "column_other_id"),
    text("other_name", "column_other_name", "unknown"),
    text("other_source", "column_other_source"),
    text("rule", "column_rule"),
    number("distance_m", "column_apart", "m"),
    number("likeness", "column_likeness", "fraction", "unknown"),
    text("filled", "column_filled", "not_filled"),
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
