"""The manifest of a build: what its run is of, what it was made from, and how."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.crs import box_of, to_lonlat
from lifecircle.analysis.city.model import (
    City,
)
from lifecircle.analysis.city.units.statistics import latest_year
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.provenance import InputFile, code_version
from lifecircle.analysis.results.model import Manifest

STEPS = (
    "tables", "streets", "places", "network", "residents", "facilities", "walks", "catchments",
    "layers", "save",
)  # fmt: skip


def manifest_of_build(
    request: BuildRequest,
    policy: Policy,
    city: City,
    inputs: tuple[InputFile, ...],
    ground: Mapping[str, Any],
) -> Manifest:
    """The manifest of a city built for a request from its `inputs`; nameless, without timings.

    `ground`: what was asked of the ground, as parameters.
    """
    counts = {
        "cells": len(city.cells),
        "facilities": len(city.facilities),
        "units": len(city.units.code),
        "junctions": city.network.node_count,
        "edges": city.network.edge_count,
        "land_samples": len(city.land.area_m2) if city.land is not None else 0,
        "scorecard_rows": len(policy.scorecard.rows) if policy.scorecard is not None else 0,
    }
    spread = {"population"} if bool(city.cells.modelled.any()) else set()
    modelled = tuple(sorted(spread | set(request.modelled)))
    return Manifest(
        area=request.area,
        run="",
        title=request.title or Title(request.area, request.area),
        crs=city.crs,
        bbox=_bbox(city),
        residents=int(city.cells.residents.sum()) if city.cells.counted else None,
        counts=counts,
        services=tuple(s for s in policy.services if city.assessed(s)),
        policy_id=policy.id,
        policy_digest=policy.digest,
        synthetic=request.synthetic,
        modelled=modelled,
        warnings=city.warnings,
        inputs=inputs,
        parameters={
            "datum": request.declared().plain.datum,
            "crs": request.crs,
            "x_is_north": request.x_is_north,
            "surveyed": sorted(one.text for one in request.surveyed_under(policy)),
            "place": request.place,
            **ground,
            "place_by_unit": request.place_by_unit,
            "residents_from_buildings": request.residents_from_buildings,
            "calibrate": request.calibrate,
            "today": None if request.today is None else request.today.isoformat(),
            "year": request.year or latest_year(city),
        },
        code_version=code_version(),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        timings_s={},
    )


def _bbox(city: City) -> tuple[float, float, float, float]:
    """West, south, east, north (degrees) of units and cells."""
    shapes = list(chain(city.units.geometry, city.cells.polygon))
    bounds = shapely.total_bounds(np.array(shapes, dtype=object))
    corners = np.array([bounds[[0, 1]], bounds[[0, 3]], bounds[[2, 1]], bounds[[2, 3]]])
    corners = corners[np.isfinite(corners).all(axis=1)]
    lonlat = to_lonlat(np.vstack([city.cells.xy_m, corners]), city.crs)
    return box_of(lonlat)
