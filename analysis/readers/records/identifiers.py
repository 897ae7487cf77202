"""Ids of records: those of their column, else the row number; and columns of plain texts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lifecircle.analysis.quantities import IntArray, ObjectArray
from lifecircle.analysis.readers.records.cells import (
    find_repeats,
    is_absent,
    no_texts,
    object_array,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records


def read_ids(column: Column | None, records: Records, label: str, found: Findings) -> ObjectArray:
    """Ids of the records: their column (blank or twice is a fault), else the row number."""
    if column is None:
        return object_array([f"{label}{row}" for row in records.rows.tolist()])
    ids = read_texts(column.values)
    found.each("input_id_blank", is_absent(ids), column=column.title)
    repeats, earlier = find_repeats(ids)
    for index in np.flatnonzero(repeats).tolist():
        first, row = int(records.rows[earlier[index]]), int(records.rows[index])
        found.add("input_id_twice", row=row, column=column.title, value=ids[index], first_row=first)
    return ids


def read_plain(column: Column | None, records: Records) -> ObjectArray:
    """A column of texts, None where blank or where there is no such column."""
    return no_texts(len(records)) if column is None else read_texts(column.values)


def code_key(code: str) -> tuple[int, int, str]:
    """Sort key of codes and ids: numbers by value before all others by their letters."""
    return (0, int(code), code) if code.isascii() and code.isdigit() else (1, 0, code)


def order_by_code(codes: Iterable[object]) -> IntArray:
    """The order of codes and ids, int64 (n,): indices by `code_key`, equal ones as they stand."""
    keys = [code_key(str(code)) for code in codes]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
