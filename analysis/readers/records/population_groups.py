"""Residents and their groups as they stand in a table: persons, whole numbers, never NaN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.records.columns import Column, counts, pick_groups
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records

NullableInt = pd.arrays.IntegerArray


def nullable(value: FloatArray, known: BoolArray) -> NullableInt:
    """Whole numbers as pandas Int64, null where unknown."""
    return pd.arrays.IntegerArray(value.astype(np.int64), ~known)


def group_columns(
    records: Records,
    picked: Mapping[str, Column],
    residents: FloatArray,
    known: BoolArray,
    found: Findings,
) -> dict[str, NullableInt]:
    """Groups of residents (persons) and households by name, null where blank.

    A group larger than the residents of its row is a fault; more households than residents is a
    warning, for empty registered households exist.
    """
    arrays: dict[str, NullableInt] = {}
    for name, column in pick_groups(records.columns, picked, found).items():
        value, sure = counts(column, found, required=False)
        more = known & sure & (value > residents)
        if name == "households":
            found.remark("input_households_more", more, column=column.title)
        else:
            total = picked["population"].title if "population" in picked else ""
            found.each(
                "input_group_more", more, column=column.title, values=column.values, total=total
            )
        arrays[name] = nullable(value, sure)
    return arrays
