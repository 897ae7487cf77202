"""What a table names of its datum, in titles and rows, against what is declared."""

from __future__ import annotations

from lifecircle.analysis.readers.records.aliases import datum_in_title, datum_of
from lifecircle.analysis.readers.records.cells import group_rows, read_texts
from lifecircle.analysis.readers.records.columns import Column, pick_columns
from lifecircle.analysis.readers.records.coordinates.coordinate_columns import are_same
from lifecircle.analysis.readers.records.findings import ROWS_NAMED, Findings
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.texts import first_of


def compare_title(column: Column | None, declared: str, found: Findings) -> None:
    """Warn where a title names another datum than the one declared."""
    named = datum_in_title(column.title) if column is not None else None
    if column is None or named is None or are_same(named, declared):
        return
    found.add("input_title_datum", column=column.title, severity="warning", named=named,
              datum=declared)  # fmt: skip


def compare_rows(records: Records, declared: str, found: Findings) -> None:
    """Faults where rows name another datum than the one declared, in a column of their own."""
    column = pick_columns(records.columns, "coordinates", Findings(records.file)).get("datum")
    if column is None:
        return
    for datum, rows in group_rows(map(_datum_said, read_texts(column.values))).items():
        if not are_same(datum, declared):
            shown = first_of(records.rows[rows].tolist(), ROWS_NAMED)
            found.add("input_rows_datum", column=column.title, count=len(rows), named=datum,
                      datum=declared, rows=shown)  # fmt: skip


def _datum_said(text: str | None) -> str | None:
    return None if text is None else datum_of(text) or datum_in_title(text)
