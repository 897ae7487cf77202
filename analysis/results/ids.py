"""Ids of rows in layers, unique within the layer."""

from __future__ import annotations

from lifecircle.analysis.city.facilities.ids import distinct, distinct_ids
from lifecircle.analysis.results.model import Run

__all__ = ["distinct", "facility_ids"]


def facility_ids(run: Run) -> list[str]:
    """The id of every facility as the layer ``facilities`` has it."""
    return distinct_ids(run.city.facilities)
