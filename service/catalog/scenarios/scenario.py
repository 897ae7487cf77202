"""Edits of an area as a document: before and after, for HTTP and the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.facilities.ids import distinct_ids
from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.catchments.catchments import Catchments, Solution
from lifecircle.analysis.measures.catchments.kept import served_within
from lifecircle.analysis.measures.catchments.rule_result import RuleResult, RuleRow
from lifecircle.analysis.measures.circles import CircleRow, Circles
from lifecircle.analysis.measures.edits.model import OPS, WAY_KINDS, AddWay, CloseWay, Edit
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Asked, Question, Study, settle
from lifecircle.analysis.measures.remarks import resting_on
from lifecircle.analysis.measures.scenario import (
    PARTS,
    Baseline,
    Moved,
    Scenario,
    ServiceChange,
    Sides,
    scenario,
)
from lifecircle.analysis.measures.scorecard.result import RowResult
from lifecircle.analysis.measures.travelling import travelled_by
from lifecircle.analysis.quantities import NOBODY
from lifecircle.service.catalog.common import DECIMALS, remarks, title_of
from lifecircle.service.state import AreaState

EDIT_OPS: Final = OPS  # what may be drawn, for pages that draw
EDIT_WAYS: Final = WAY_KINDS
BY_PROFILE: Final = ("services", "circles")  # parts that profiles have
_NAMED: Final = 20  # units that winners and losers are told of, those with most residents


def scenario_document(
    state: AreaState,
    question: Question,
    given: Any,
    *,
    parts: Sequence[str] = PARTS,
    changed_cells: bool = False,
    file: str = "edits",
    lang: Language = "zh",
) -> dict[str, Any]:
    """What edits do to a run; nothing is kept.

    Parameters
    ----------
    given : a parsed list of edits, ``{"edits": [...]}`` or a FeatureCollection.
    state : by a profile, too (`AreaState.by_profile`): of it services and circles are told.
    parts : which of services, catchments, circles and scorecard are told.
    file : what faults call the list.

    Raises
    ------
    InputError : faults of edits, each with its number.
    UnknownNameError, ParameterError : as `measures.scenario`; ways drawn for a profile, whose
        roads edits do not change.
    """
    run = state.run
    study = run.study
    question = settle(study, question)
    edits = read_edits(study, given, file)
    profile = travelled_by(run.policy)
    if profile is not None and any(isinstance(one, AddWay | CloseWay) for one in edits):
        raise ParameterError("profile_no_ways", profile=profile.title)
    able = PARTS if profile is None else BY_PROFILE
    wanted = tuple(one for one in able if one in parts)
    baseline = _baseline(state, question, wanted)
    found = scenario(study, edits, question, parts=wanted, baseline=baseline)
    return {
        "area": run.manifest.area,
        "base": {"run": run.manifest.run},
        "minutes": question.minutes,
        "walker": found.question.walker,
        "by": found.by,
        "edits": [_edit(k, one) for k, one in enumerate(edits, start=1)],
        "residents": {
            "before": int(study.city.cells.residents.sum()),
            "after": int(found.after.city.cells.residents.sum()),
        },
        "services": [_service(found, one, lang) for one in found.services],
        "catchments": [_catchments(found, name, pair) for name, pair in found.catchments.items()],
        "rule": _rule(found.rule),
        "circles": {kind: _circle(found, kind, pair) for kind, pair in found.circles.items()},
        "scorecard": [_promise(old, new) for old, new in found.rows],
        "winners": _people(found, found.winners),
        "losers": _people(found, found.losers),
        "changed_cells": _cells(found) if changed_cells else None,
        "stored": False,
        "warnings": remarks((*resting_on(study.city), *found.warnings), lang),
    }


def _baseline(state: AreaState, question: Question, wanted: tuple[str, ...]) -> Baseline:
    """What a run comes to before any edit, kept."""
    key = ("scenario_baseline", question.walker, question.by, wanted)
    return state.derived(key, lambda: Baseline.of(state.run.study, question, wanted))


def prepare_scenarios(state: AreaState, question: Question) -> dict[str, Any]:
    """Work out what scenarios are compared with, and try one edit, of which nothing is kept.

    Raises
    ------
    UnknownNameError, ParameterError : as `scenario_document`.
    """
    study = state.run.study
    question = settle(study, question)
    for wanted in (PARTS, PARTS[:1]):  # all, and what is asked while a place is dragged
        baseline = _baseline(state, question, wanted)
        city = study.city
        first = next((one for one in study.travel.services if city.assessed(one)), None)
        if first is not None and len(city.cells):
            lon, lat = to_lonlat(city.cells.xy_m[:1], city.crs)[0].tolist()
            trial = {"op": "add_facility", "service": first, "lon": lon, "lat": lat}
            edits = read_edits(study, [trial])
            scenario(study, edits, question, parts=wanted, baseline=baseline)
    return {
        "area": state.run.manifest.area,
        "base": {"run": state.run.manifest.run},
        "walker": question.walker,
        "by": question.by,
        "ready": True,
    }


def _edit(number: int, edit: Edit) -> dict[str, Any]:
    """An edit as understood: ids in place of titles, a shape as GeoJSON."""
    told: dict[str, Any] = {"edit": number, "op": edit.op}
    for name in (slot for slot in type(edit).__slots__ if slot != "position"):
        value = getattr(edit, name)
        if isinstance(value, shapely.Geometry):
            value = orjson.loads(shapely.to_geojson(value))
        elif isinstance(value, Mapping):
            value = dict(value)
        told[name] = value
    return told


def _service(found: Scenario, change: ServiceChange, lang: Language) -> dict[str, Any]:
    service = change.asked.service
    pair = found.catchments.get(service.id)
    served = None if pair is None else [_share(one, change.asked) for one in pair]
    return {
        "service": service.id,
        "title": title_of(service.title),
        "minutes": change.asked.minutes,
        **_sides(change.total),
        "C_before": None if served is None else served[0],
        "C_after": None if served is None else served[1],
        "groups": {
            name: dict(
                zip(("covered_before", "covered_after", "gained", "lost"), four, strict=True)
            )
            for name, four in change.groups.items()
        },
        "units": [
            {"code": one.code, "name": one.name, "name_en": one.name_en, **_sides(one)}
            for one in change.units
        ],
        "warnings": remarks(change.warnings, lang),
    }


def _sides(row: Sides) -> dict[str, Any]:
    return {
        "residents_before": row.residents[0],
        "residents_after": row.residents[1],
        "covered_before": row.covered[0],
        "covered_after": row.covered[1],
        "P_before": row.share(0),
        "P_after": row.share(1),
        "gained": row.gained,
        "lost": row.lost,
    }


def _share(one: Catchments | None, asked: Asked) -> float | None:
    """C beside P: of all residents, at the minutes and walker of P; else None."""
    if one is None or not one.residents or served_within(one, asked, TOTAL)[0] is None:
        return None
    return one.balanced.served / one.residents


def _catchments(
    found: Scenario, service: str, pair: tuple[Catchments | None, Catchments | None]
) -> dict[str, Any]:
    known = next(one for one in reversed(pair) if one is not None)
    return {
        "service": service,
        "title": title_of(found.before.policy.services[service].title),
        "minutes": known.minutes,
        "residents_before": None if pair[0] is None else pair[0].residents,
        "residents_after": None if pair[1] is None else pair[1].residents,
        "natural": _solutions(found, [None if one is None else one.natural for one in pair]),
        "balanced": _solutions(found, [None if one is None else one.balanced for one in pair]),
    }


def _solutions(found: Scenario, pair: Sequence[Solution | None]) -> dict[str, Any]:
    """Loads and states of the centres whose figures differ, and the sums."""
    studies = (found.before, found.after)
    rows: dict[str, dict[str, Any]] = {}
    for side, solution, study in zip(("before", "after"), pair, studies, strict=True):
        ids = _ids(study)
        for centre in () if solution is None else solution.centres:
            one = ids[centre.facility]
            name = study.city.facilities.name[centre.facility]
            row = rows.setdefault(
                one, {"facility": one, "name": None if name is None else str(name)}
            )
            row[f"load_{side}"] = centre.load
            row[f"state_{side}"] = centre.state
            row[f"min_{side}"], row[f"max_{side}"] = centre.minimum, centre.maximum
    names = [f"{one}_{side}" for one in ("load", "state", "min", "max")
             for side in ("before", "after")]  # fmt: skip
    centres = [{**dict.fromkeys(names), **row} for row in rows.values()]
    sums: dict[str, Any] = {}
    for side, solution in zip(("before", "after"), pair, strict=True):
        for name in ("served", "reachable_full", "unreachable", "underload"):
            sums[f"{name}_{side}"] = None if solution is None else getattr(solution, name)
    return {"centres": centres, **sums}


def _ids(study: Study) -> list[str]:
    return distinct_ids(study.city.facilities)


def _rule(pair: tuple[RuleResult | None, RuleResult | None]) -> dict[str, Any] | None:
    """The rule of the streets before and after; None where the policy has none here."""
    if pair[0] is None or pair[1] is None:
        return None
    was: Mapping[int, RuleRow] = {row.unit: row for row in pair[0].rows}
    return {
        "service": pair[1].service,
        "states_before": dict(pair[0].states),
        "states_after": dict(pair[1].states),
        "units": [
            {
                "code": row.code,
                "name": row.name,
                "name_en": row.name_en,
                **{
                    f"{name}_{side}": None if one is None else getattr(one, name)
                    for name in ("state", "residents", "government", "per_centre", "met")
                    for side, one in (("before", was.get(row.unit)), ("after", row))
                },
            }
            for row in pair[1].rows
        ],
    }


def _circle(found: Scenario, kind: str, pair: tuple[Circles, Circles]) -> dict[str, Any]:
    was = {row.code: row for row in pair[0].units}
    rows = [(was.get(row.code), row) for row in pair[1].units]
    return {
        "title": title_of(found.before.policy.circles[kind].title),
        "by": pair[1].by,
        "total": _round(pair[0].total, pair[1].total),
        "units": [
            {"code": new.code, "name": new.name, **_round(old, new)}
            for old, new in rows
            if old is None or old != new
        ],
    }


def _round(old: CircleRow | None, new: CircleRow) -> dict[str, Any]:
    return {
        f"{name}_{side}": None if row is None else getattr(row, name)
        for name in ("complete", "incomplete", "not_assessed", "share")
        for side, row in (("before", old), ("after", new))
    }


def _promise(old: RowResult, new: RowResult) -> dict[str, Any]:
    return {
        "id": new.row.id,
        "section": new.row.section,
        "title": title_of(new.row.title),
        "unit": new.row.unit,
        "target": new.target,
        "direction": new.row.direction,
        "headline": new.headline,
        "value_before": old.figure.value,
        "value_after": new.figure.value,
        "status_before": old.status,
        "status_after": new.status,
    }


def _people(found: Scenario, moved: Moved) -> dict[str, Any]:
    units = found.after.city.units
    most = sorted(moved.units.items(), key=lambda pair: -pair[1])[:_NAMED]
    return {
        "residents": moved.residents,
        "groups": dict(moved.groups),
        "units": [
            {
                "code": str(units.code[i]),
                "name": str(units.name[i]),
                "name_en": units.name_en[i],
                "residents": persons,
            }
            for i, persons in most
        ],
        "units_in_all": len(moved.units),
    }


def _cells(found: Scenario) -> dict[str, Any]:
    """The cells in which something changed, as points in degrees."""
    cells = found.after.city.cells
    gained: dict[int, list[str]] = {}
    lost: dict[int, list[str]] = {}
    for change in found.services:
        for into, moved in ((gained, change.gained_cells), (lost, change.lost_cells)):
            for row in moved.tolist():
                into.setdefault(row, []).append(change.asked.service.id)
    new = set(np.flatnonzero(found.edited.cell_before == NOBODY).tolist())
    rows = sorted({*gained, *lost, *new})
    lonlat = to_lonlat(cells.xy_m[rows].reshape(-1, 2), found.after.city.crs).round(DECIMALS)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": place},
                "properties": {
                    "cell": str(cells.id[row]),
                    "residents": int(cells.residents[row]),
                    "new": row in new,
                    "gained": gained.get(row, []),
                    "lost": lost.get(row, []),
                },
            }
            for row, place in zip(rows, lonlat.tolist(), strict=True)
        ],
    }
