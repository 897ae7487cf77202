"""Ids of rows in layers, unique within the layer."""

from __future__ import annotations

from typing import Final, cast

from lifecircle.analysis.city.facilities.ids import distinct, distinct_ids
from lifecircle.analysis.results.model import Run

_KEPT: Final = "facility_ids"  # in ``Study.kept``: found once

__all__ = ["distinct", "facility_ids"]


def facility_ids(run: Run) -> list[str]:
    """The id of every facility as the layer ``facilities`` has it."""
    kept = run.study.kept
    if _KEPT not in kept:
        kept[_KEPT] = distinct_ids(run.city.facilities)
    return list(cast("list[str]", kept[_KEPT]))
