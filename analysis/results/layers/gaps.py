"""Gaps as a layer: of all services from their tables, of a question from what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.machine import map_side_by_side
from lifecircle.analysis.measures.gaps.cells import REASONS
from lifecircle.analysis.measures.gaps.gaps import Gap, find_gap_table
from lifecircle.analysis.measures.gaps.table import GapTable, draw_gaps
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.quantities import NOBODY, BoolArray
from lifecircle.analysis.results.columns import all_groups
from lifecircle.analysis.results.ids import facility_ids
from lifecircle.analysis.results.layers.values import WALKER, Values, looked_up, nullable, objects
from lifecircle.analysis.results.model import Run

_JOINED: Final = (
    "id", "region", "residents", "whole", "minutes", "nearest", "near", "near_m", "street",
    "reason", "unit", "edge_of_list", "short_piece",
)  # fmt: skip


def gap_layer(run: Run) -> tuple[Values, GeometryArray]:
    """Every service in its turn; what leaves Python's lock runs side by side."""

    def of(service: str) -> GapTable | None:
        return find_gap_table(run.study, Question(service, walker=WALKER))[0]

    found = map_side_by_side(of, run.policy.services)
    tables = [table for table in found if table is not None]
    return _table_values(run, tables) if tables else gap_values(run, ())


def gap_values(run: Run, found: Sequence[Gap]) -> tuple[Values, GeometryArray]:
    """Columns and shapes of gaps in the order given."""
    told: dict[str, Any] = {
        name: [getattr(gap, name) for gap in found]
        for name in (
            "id", "region", "service", "residents", "minutes_to_nearest", "near_m", "reason",
            "unit_code", "unit_name", "edge_of_list", "short_piece",
        )
    }  # fmt: skip
    for name in ("nearest_facility", "near", "street"):
        rows = (getattr(gap, name) for gap in found)
        told[name] = np.array([NOBODY if row is None else row for row in rows], dtype=np.int32)
    groups = {
        group: [gap.groups.get(group) for gap in found]
        for group in all_groups(tuple(run.city.cells.groups))
    }
    return _values(run, told, groups), objects(gap.geometry for gap in found)


def _table_values(run: Run, tables: Sequence[GapTable]) -> tuple[Values, GeometryArray]:
    """As `gap_values`, of tables (one at least) one after another."""
    units, sizes = run.city.units, [len(table) for table in tables]
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in _JOINED
    }
    told: dict[str, Any] = {
        **joined,
        "service": np.repeat(objects(table.service for table in tables), sizes),
        "minutes_to_nearest": joined["minutes"],
        "nearest_facility": joined["nearest"],
        "reason": objects(REASONS)[joined["reason"]],
        "unit_code": looked_up(objects(map(str, units.code)), joined["unit"]),
        "unit_name": looked_up(objects(map(str, units.name)), joined["unit"]),
    }
    groups = {
        group: _persons(tables, group, joined["whole"])
        for group in all_groups(tuple(run.city.cells.groups))
    }
    return _values(run, told, groups), np.concatenate(draw_gaps(run.study, tables))


def _persons(tables: Sequence[GapTable], group: str, whole: BoolArray) -> Any:
    """Persons of a group, null where unknown."""
    nothing = np.zeros(len(whole), dtype=np.int64)
    if not all(group in table.groups for table in tables):
        return nullable(nothing, nothing > 0)
    return nullable(np.concatenate([table.groups[group] for table in tables]), whole)


def _values(run: Run, told: Mapping[str, Any], groups: Mapping[str, Any]) -> Values:
    """The columns of gaps of which all is `told` that `Gap` says, rows as NOBODY where None."""
    places, services = run.city.facilities, run.policy.services
    facility_id = objects(facility_ids(run))
    values: Values = {
        "id": told["id"],
        "gap": told["id"],
        "service": told["service"],
        "service_zh": [services[service].title.zh for service in told["service"]],
        "service_en": [services[service].title.en for service in told["service"]],
        "residents": told["residents"],
        "minutes_to_nearest": told["minutes_to_nearest"],
        "nearest_facility": looked_up(facility_id, told["nearest_facility"]),
        "nearest_facility_name": looked_up(places.name, told["nearest_facility"]),
        "reason": told["reason"],
        "unit_code": told["unit_code"],
        "unit_name": told["unit_name"],
        "region": told["region"],
        **_street_values(run, told["street"]),
        "near": looked_up(places.name, told["near"]),
        "near_en": looked_up(places.texts("name_en"), told["near"]),
        "near_m": told["near_m"],
        "edge_of_list": told["edge_of_list"],
        "unsnapped_short_piece": told["short_piece"],
    }
    for group, persons in groups.items():
        values[f"residents_{group}"] = persons
    return values


def _street_values(run: Run, row: Any) -> dict[str, StrArray]:
    """What the street of each gap is called; unknown in runs from before names were kept."""
    names = run.city.street_names
    if names is None:
        return {name: objects([None] * len(row)) for name in ("street", "street_en")}
    told = {"street": names.name, "street_en": names.name_en}
    return {name: looked_up(values, row) for name, values in told.items()}
