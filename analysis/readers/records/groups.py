"""Groups of residents as they stand in a table: persons and households by name of the group."""

from __future__ import annotations

from collections.abc import Mapping

from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.readers.records.cells import WHOLE_TOLERANCE
from lifecircle.analysis.readers.records.columns import (
    Column,
    pick_groups,
    read_persons,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records

HOUSEHOLDS = "households"


def group_of(field: str) -> str:
    """The name of the group that a field holds: ``pop_0_3`` is ``0_3``."""
    return field.removeprefix("pop_")


def field_of(group: str) -> str:
    """The field that holds a group (see `group_of`)."""
    return group if group == HOUSEHOLDS else f"pop_{group}"


def read_groups(
    records: Records, picked: Mapping[str, Column], persons: FloatArray, found: Findings
) -> dict[str, FloatArray]:
    """Groups of residents (persons) and households by name, NaN where unknown.

    A group larger than the residents of its row is a fault; more households than residents is a
    warning, for empty registered households exist.
    """
    groups: dict[str, FloatArray] = {}
    columns = pick_groups(records.columns, picked, found)
    refuse_strange_cells({f: c for f, c in columns.items() if f not in picked}, found)
    for field, column in columns.items():
        held = read_persons(column, found, required=False)
        more = held > persons + WHOLE_TOLERANCE  # unknown ones are not
        if field == HOUSEHOLDS:
            found.remark("input_households_more", more, column=column.title)
        else:
            total = picked["population"].title if "population" in picked else ""
            found.each(
                "input_group_more", more, column=column.title, values=column.values, total=total
            )
        groups[group_of(field)] = held
    return dict(sorted(groups.items()))
