"""Where the next places go, as a document; candidates by name or from a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import (
    ask,
    default_level,
    sums_by,
    unknown_units,
    walks_to,
)
from lifecircle.analysis.measures.siting.candidates import (
    Sites,
    generated_sites,
    given_sites,
    places_of_kinds,
    siting_rules,
)
from lifecircle.analysis.measures.siting.place import Objective, Siting, place_sites
from lifecircle.analysis.quantities import CM_PER_M, NOBODY, SECONDS_PER_MINUTE, UNREACHED_CM
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import DECIMALS, remarks, title_of
from lifecircle.service.state import Streets

GENERATED: Final = "generated"
PLACES: Final = "places"
CULPRITS_SHOWN: Final = 100


def candidates(
    run: Run,
    streets: Streets,
    source: str | Path,
    *,
    service: str,
    minutes: float | None = None,
    walker: str = "adult",
    objective: str = "covered",
    declared: Declarations = SILENT,
) -> Sites:
    """Candidate sites: ``generated``, ``places`` (of other kinds; ``places:a,b``), or a file.

    Raises
    ------
    InputError : the file cannot be used.
    UnknownNameError : no such service.
    """
    city, policy = run.city, run.policy
    if isinstance(source, Path):
        from lifecircle.analysis.readers.tables.candidate_sites import read_sites

        table = read_sites(source, declared)
        max_leg_m = policy.attachment.max_leg_m.value
        return given_sites(table, city, streets.index, max_leg_m)
    if source == GENERATED:
        asked = ask(policy, service, minutes, walker)
        walks = walks_to(city, run.travel, service)
        cm = np.full(len(city.cells), UNREACHED_CM) if walks is None else walks.cell_cm
        everywhere = objective in ("person_minutes", "capacity")
        return generated_sites(
            city,
            streets.costs,
            siting_rules(policy).spacing_m.value,
            cm > asked.limit_cm,
            None if everywhere else asked.limit_cm,
        )
    kinds = source.removeprefix(PLACES).removeprefix(":")
    return places_of_kinds(city, policy, service, [k for k in kinds.split(",") if k])


def siting_document(
    run: Run,
    streets: Streets,
    *,
    service: str,
    add: int | None = None,
    target: float | None = None,
    objective: Objective = "covered",
    minutes: float | None = None,
    walker: str = "adult",
    source: str | Path = GENERATED,
    declared: Declarations = SILENT,
    time_limit_s: float = 0.0,
    lang: Language = "zh",
) -> dict[str, Any]:
    """Proposals for one service with what they change; persons whole, shares 0-1."""
    found = siting_of(
        run,
        streets,
        service=service,
        add=add,
        target=target,
        objective=objective,
        minutes=minutes,
        walker=walker,
        source=source,
        declared=declared,
        time_limit_s=time_limit_s,
    )
    return shown(run, found, source, lang)


def siting_of(
    run: Run,
    streets: Streets,
    *,
    service: str,
    add: int | None = None,
    target: float | None = None,
    objective: Objective = "covered",
    minutes: float | None = None,
    walker: str = "adult",
    source: str | Path = GENERATED,
    declared: Declarations = SILENT,
    time_limit_s: float = 0.0,
) -> Siting:
    """The answer itself, candidates found first."""
    ask(run.policy, service, minutes, walker)
    sites = candidates(
        run,
        streets,
        source,
        service=service,
        minutes=minutes,
        walker=walker,
        objective=objective,
        declared=declared,
    )
    return place_sites(
        run.city,
        run.travel,
        streets.costs,
        run.policy,
        sites,
        service=service,
        add=add,
        target=target,
        objective=objective,
        minutes=minutes,
        walker=walker,
        time_limit_s=time_limit_s,
    )


def positions_of(found: Siting) -> list[Positions]:
    """Where each proposal joins the streets."""
    return [found.sites.of(proposal.site) for proposal in found.proposals]


def shown(run: Run, found: Siting, source: str | Path, lang: Language) -> dict[str, Any]:
    """An answer of siting as plain values."""
    asked = found.asked
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": asked.service.id,
        "title": title_of(asked.service.title),
        "minutes": asked.minutes,
        "walker": asked.walker.id,
        "objective": found.objective,
        "add": found.add,
        "target": found.target,
        "candidates": {
            "source": source.name if isinstance(source, Path) else source,
            "count": len(found.sites),
        },
        "residents": found.residents,
        "before": _covered(found, found.covered_before),
        "after": _covered(found, found.covered_after),
        "coverable": _covered(found, found.coverable),
        "mean_minutes": {
            "before": _mean_minutes(run, found, found.cell_cm_before),
            "after": _mean_minutes(run, found, found.cell_cm_after),
        },
        "value": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "proven": found.proven,
        "method": found.method,
        "seconds": round(found.seconds, 3),
        "proposals": _proposals(run, found),
        "curve": [
            {"sites": k, **_covered(found, int(persons))} for k, persons in enumerate(found.curve)
        ],
        "loads": _loads(found),
        "by": default_level(run.city),
        "units": _units(run, found),
        "not_coverable": _culprits(run, found),
        "warnings": remarks((*found.warnings, *run.city.warnings), lang),
    }


def _covered(found: Siting, persons: int) -> dict[str, Any]:
    share = persons / found.residents if found.residents else None
    return {"covered": persons, "share": share}


def _mean_minutes(run: Run, found: Siting, cell_cm: Any) -> float | None:
    """Of the residents that have a way both before and after."""
    way = (found.cell_cm_before != UNREACHED_CM) & (found.cell_cm_after != UNREACHED_CM)
    persons = run.city.cells.residents[way]
    if persons.sum() == 0:
        return None
    metres = float((persons * cell_cm[way].astype(np.float64)).sum() / persons.sum()) / CM_PER_M
    return metres / float(found.asked.walker.speed_m_per_s) / SECONDS_PER_MINUTE


def _proposals(run: Run, found: Siting) -> list[dict[str, Any]]:
    sites = found.sites
    chosen = [proposal.site for proposal in found.proposals]
    lonlat = to_lonlat(sites.xy_m[chosen].reshape(-1, 2), run.city.crs).round(DECIMALS)
    rows: list[dict[str, Any]] = []
    for rank, (proposal, (lon, lat)) in enumerate(
        zip(found.proposals, lonlat.tolist(), strict=True), start=1
    ):
        rows.append(
            {
                "rank": rank,
                "site": str(sites.id[proposal.site]),
                "name": _text(sites.name[proposal.site]),
                "kind": str(sites.kind[proposal.site]),
                "lon": lon,
                "lat": lat,
                "unit_code": proposal.unit_code,
                "unit_name": proposal.unit_name,
                "residents_new": proposal.residents_new,
                **{f"residents_new_{g}": n for g, n in proposal.groups_new.items()},
                "residents_reached": proposal.residents_reached,
                "person_minutes_saved": proposal.person_minutes_saved,
                "load": proposal.load,
            }
        )
    return rows


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _loads(found: Siting) -> dict[str, Any] | None:
    if found.loads is None:
        return None
    loads = found.loads
    return {
        "unserved_before": loads.unserved_before,
        "unserved": loads.unserved,
        "reachable_full": loads.reachable_full,
        "unreachable": loads.unreachable,
        "underload_before": loads.underload_before,
        "underload": loads.underload,
        "aims_proven": loads.aims_proven,
    }


def _units(run: Run, found: Siting) -> list[dict[str, Any]]:
    units, cells = run.city.units, run.city.cells
    level = default_level(run.city)
    index, size = cells.unit[level], len(units.code)
    limit = found.asked.limit_cm
    known = sums_by(index, size, cells.residents)
    before = sums_by(index, size, cells.residents, found.cell_cm_before <= limit)
    after = sums_by(index, size, cells.residents, found.cell_cm_after <= limit)
    blank = unknown_units(run.city, level)
    return [
        {
            "code": str(units.code[i]),
            "name": str(units.name[i]),
            "name_en": units.name_en[i],
            "residents": None if blank[i] else int(known[i]),
            "covered_before": None if blank[i] else int(before[i]),
            "covered_after": None if blank[i] else int(after[i]),
        }
        for i in units.of_level(level)
    ]


def _culprits(run: Run, found: Siting) -> dict[str, Any]:
    """Who cannot be covered by any candidate: how many, and the largest of their cells."""
    cells, units = run.city.cells, run.city.units
    lost = found.culprits
    most = lost[np.lexsort((lost, -cells.residents[lost]))][:CULPRITS_SHOWN]
    unit = cells.unit[default_level(run.city)][most]
    lonlat = to_lonlat(cells.xy_m[most].reshape(-1, 2), run.city.crs).round(DECIMALS).tolist()
    off = ~cells.position.snapped[most]
    return {
        "residents": int(cells.residents[lost].sum()),
        "cells": len(lost),
        "largest": [
            {
                "cell": str(cells.id[i]),
                "residents": int(cells.residents[i]),
                "lon": place[0],
                "lat": place[1],
                "unit_code": None if u == NOBODY else str(units.code[u]),
                "unit_name": None if u == NOBODY else str(units.name[u]),
                "reason": "unsnapped" if o else "no_candidate",
            }
            for i, place, u, o in zip(most, lonlat, unit, off, strict=True)
        ],
    }
