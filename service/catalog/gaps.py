"""Gaps as GeoJSON, worst first."""

from __future__ import annotations

from typing import Any

from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.gaps import gaps
from lifecircle.analysis.measures.opening import moment_of
from lifecircle.analysis.results.catchments_asked import catchments_for_coverage
from lifecircle.analysis.results.layers import gap_frame, layer_columns
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import at_document, at_warnings, run_at
from lifecircle.service.catalog.common import (
    in_degrees,
    minutes_for,
    properties_of,
    remarks,
    services_asked,
)


def gaps_document(
    run: Run,
    *,
    service: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    min_residents: int = 0,
    at: str | None = None,
    lang: Language = "zh",
    costs: WalkCosts | None = None,
) -> dict[str, Any]:
    """A FeatureCollection of the gaps of one service, or of all, most residents first.

    With `at` only facilities known to be open at that moment count; ``facilities`` says how many
    are open, closed and unknown, `costs` are the run's.
    """
    asked = services_asked(run, service)
    told: list[Warn] = []
    opened: dict[str, Any] = {}
    if at is not None:
        then = run_at(run, costs, moment_of(at), asked)
        opened, told, run = at_document(then), at_warnings(then), then.lower
    found = [
        gap
        for one in asked
        for gap in gaps(
            run.city,
            run.travel,
            run.policy,
            service=one,
            minutes=minutes,
            walker=walker,
            min_residents=min_residents,
            catchments=catchments_for_coverage(run, one, minutes, walker),
        )
    ]
    found.sort(key=lambda gap: -gap.residents)
    columns = [column for column in layer_columns(run, "gaps") if column.name != "id"]
    shapes = in_degrees([gap.geometry for gap in found], run.city.crs)
    rows = properties_of(gap_frame(run, found), columns)
    return {
        "type": "FeatureCollection",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "service": service,
        "minutes": minutes_for(run.policy, service, minutes) if service else minutes,
        "walker": walker,
        "min_residents": min_residents,
        **opened,
        "not_assessed": [one for one in asked if not run.city.assessed(one)],
        "features": [
            {"type": "Feature", "id": gap.id, "geometry": shape, "properties": row}
            for gap, shape, row in zip(found, shapes, rows, strict=True)
        ],
        "warnings": remarks((*told, *run.city.warnings), lang),
    }
