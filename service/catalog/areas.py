"""The summary of an area: what a run holds, from what, and how good it is."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.service.catalog.common import persons_in, remarks, title_of
from lifecircle.service.catalog.quality import quality_summary

_MAPS: Final = (
    "coverage",
    "gaps",
    "circles",
    "catchments",
    "proposals",
    "units",
    "facilities",
    "quality",
)


def area_row(manifest: Manifest) -> dict[str, Any]:
    """One line of the list of areas."""
    return {
        "area": manifest.area,
        "run": manifest.run,
        "title": title_of(manifest.title),
        "bbox": list(manifest.bbox),
        "residents": manifest.residents,
        "synthetic": manifest.synthetic,
        "modelled": list(manifest.modelled),
        "created": manifest.created,
        "scorecard": bool(manifest.counts.get("scorecard_rows")),
        "maps": [name for name in _MAPS if name != "catchments" or name in manifest.counts],
    }


def area_document(run: Run, *, lang: Language = "zh") -> dict[str, Any]:
    """Summary, manifest and data quality of a run."""
    manifest, policy, city = run.manifest, run.policy, run.city
    return {
        **area_row(manifest),
        "crs": manifest.crs,
        "cells": len(city.cells),
        "facilities": len(city.facilities),
        "units": len(city.units.code),
        "services": list(manifest.services),
        "service_table": _service_table(run),
        "levels": [
            {
                "level": level,
                "title": title_of(policy.unit_levels[level])
                if level in policy.unit_levels
                else {"zh": level, "en": level},
                "units": len(city.units.of_level(level)),
            }
            for level in city.units.levels
        ],
        "groups": ["total", *city.cells.groups],
        "walkers": [
            {"walker": walker.id, "title": title_of(walker.title)}
            for walker in policy.walkers.values()
        ],
        "circles": [
            {"kind": circle.id, "title": title_of(circle.title), "services": circle.services}
            for circle in policy.circles.values()
        ],
        "policy": {
            "id": manifest.policy_id,
            "digest": manifest.policy_digest,
            "title": title_of(policy.title),
        },
        "slope": city.network.slope is not None,
        "walking": _walking(run),
        "quality": _quality(run),
        "manifest": _origin(manifest),
        "warnings": remarks(manifest.warnings, lang),
    }


def _service_table(run: Run) -> list[dict[str, Any]]:
    places = run.city.facilities
    counts = np.bincount(places.service, minlength=len(places.service_ids))
    found = dict(zip(places.service_ids, counts.tolist(), strict=True))
    return [
        {
            "service": service,
            "title": title_of(run.policy.services[service].title),
            "minutes": run.policy.services[service].minutes.value,
            "facilities": found.get(service, 0),
            "assessed": run.city.assessed(service),
            "group": None if group is None else title_of(group),
        }
        for group, services in run.policy.grouped(run.travel.services)
        for service in services
    ]


def _quality(run: Run) -> dict[str, Any]:
    cells, places, streets = run.city.cells, run.city.facilities, run.city.network
    loose = cells.position.edge < 0
    return {
        "unsnapped_cells": int(loose.sum()),
        "unsnapped_residents": persons_in(run, int(cells.residents[loose].sum())),
        "unsnapped_facilities": len(places) - len(np.unique(places.attached_facility)),
        "modelled_residents": persons_in(
            run, int(cells.residents[np.asarray(cells.modelled)].sum())
        ),
        "not_assessed": [s for s in run.travel.services if not run.city.assessed(s)],
        "junctions": len(streets.node_osm_id),
        "edges": len(streets.edge_u),
        "walkable_km": round(float(streets.edge_length_m.sum()) / 1000, 3),
        "components": len(streets.component_length_m),
        **quality_summary(run),
    }


def _walking(run: Run) -> dict[str, Any]:
    """How people walk in this run: from where, whether slope counts, what is barred or closed."""
    said = run.manifest.parameters
    return {
        "direction": "resident_to_facility",
        "slope": said.get("slope"),
        "barrier_rule": list(said.get("barrier_rule") or ()),
        "closures": list(said.get("closures") or ()),
    }


def _origin(manifest: Manifest) -> dict[str, Any]:
    return {
        "inputs": [
            {"role": i.role, "name": i.name, "size_bytes": i.size_bytes, "sha256": i.sha256}
            for i in manifest.inputs
        ],
        "parameters": dict(manifest.parameters),
        "code_version": manifest.code_version,
        "created": manifest.created,
    }
