"""The true answer of every row of the plan's scorecard: what was planted, counted plainly.

The statuses were planted; tests hold the counted values against the plan's targets. Readings
have the names of the registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lifecircle.analysis.demo.truth.counting import State
from lifecircle.analysis.demo.truth.expected import Ledger
from lifecircle.analysis.demo.truth.expected_care import care_rows, health_rows
from lifecircle.analysis.demo.truth.expected_later import later_ground_rows, later_unit_rows
from lifecircle.analysis.demo.truth.expected_space import circle_rows, estate_rows, station_rows
from lifecircle.analysis.demo.truth.expected_units import everyday_rows, safety_rows, tracked_rows

Table = dict[str, Any]


def tell_rows(
    book: Ledger, rule: Mapping[str, State], circles: Mapping[str, Sequence[str]]
) -> dict[str, Table]:
    """All 65 rows by id.

    `rule`: per 街道 whether the rule of A01 is met, None where nobody can tell. `circles`: the
    services of each circle.
    """
    found = {
        **health_rows(book, rule),
        **care_rows(book),
        **station_rows(book),
        **circle_rows(book, circles),
        **estate_rows(book),
        **safety_rows(book),
        **everyday_rows(book),
        **tracked_rows(book),
        **later_ground_rows(book),
        **later_unit_rows(book),
    }
    return dict(sorted(found.items()))
