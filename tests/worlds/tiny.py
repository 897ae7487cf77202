"""Tiny hand-made cities on straight east-west streets: every figure can be done by hand.

Every street is a horizontal line and a component of its own; a point attaches to the nearest
street within 250 m, straight north or south. A walk is therefore leg + |difference of x| + leg,
and there is none between two streets. Coordinates are metres from `ORIGIN` in EPSG:4543.

``tiny_city()`` (adult, 15 minutes = 1,000 m; residents in brackets)::

    y 3000   ===================c9[90]=c10[10]=============   street 1 (an island: no facility)
                                 C5
    y  700                                       c8[60]       700 m off the street: unsnapped
    y   50   c1[100] c2[200] c3[300] c4[400] c5[250] c6[150] c7[350]
    y    0   ==200=====900====1400====2500====3500====4400====5500===  street 0, x 0..6000
    y  -20      h1@500, p1@500        s1@2400    p2@3600      s2@5400

    community    C1 x 0-1000, C2 1000-3000 | C3 3000-4500, C4 4500-6000, C5 north of y 1500
    subdistrict  S1 = C1 + C2              | S2 = C3 + C4 + C5
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.measures.siting.candidates import Sites, site_at
from lifecircle.analysis.policy import (
    Policy,
    Title,
)
from lifecircle.analysis.results.model import Manifest, Run
from tests.worlds.parts import CRS, ORIGIN, Cell, Land, Place, Street, Unit, make_city, walks
from tests.worlds.policy import tiny_policy

__all__ = [
    "CRS",
    "ORIGIN",
    "TINY_CELLS",
    "TINY_LAND",
    "TINY_LEVELS",
    "TINY_PLACES",
    "TINY_STREETS",
    "TINY_UNITS",
    "Cell",
    "Land",
    "Place",
    "Street",
    "Unit",
    "make_city",
    "tiny_city",
    "tiny_manifest",
    "tiny_policy",
    "tiny_run",
    "tiny_travel",
    "walks",
    "without",
]

# ---- the tiny city -----------------------------------------------------------------------

TINY_STREETS = (Street(0), Street(3000, 0, 6000, 2000))
TINY_LEVELS = ("subdistrict", "community")
TINY_UNITS = (
    Unit(
        "S1", "东街道", "subdistrict", ((0, -500, 3000, 1500),), None, 1000, "East Street", "urban"
    ),
    Unit(
        "S2",
        "西街道",
        "subdistrict",
        ((3000, -500, 6000, 1500), (0, 1500, 6000, 3500)),
        None,
        910,
        "West Street",
        "urban",
    ),
    Unit("C1", "一社区", "community", ((0, -500, 1000, 1500),), "S1", 300, "First", "urban"),
    Unit("C2", "二社区", "community", ((1000, -500, 3000, 1500),), "S1", 700, "Second", "urban"),
    Unit("C3", "三社区", "community", ((3000, -500, 4500, 1500),), "S2", 400, "Third", "urban"),
    Unit("C4", "四社区", "community", ((4500, -500, 6000, 1500),), "S2", 410, "Fourth", "rural"),
    Unit("C5", "五社区", "community", ((0, 1500, 6000, 3500),), "S2", 100, None, None),
)
TINY_CELLS = (
    Cell("c1", 200, 50, 100, 3, 20, 50),
    Cell("c2", 900, 50, 200, 6, 30, 50),
    Cell("c3", 1400, 50, 300, 9, 40, 50),
    Cell("c4", 2500, 50, 400, 12, 50),
    Cell("c5", 3500, 50, 250, 8, 60, 50),
    Cell("c6", 4400, 50, 150, 4, 10, 50),
    Cell("c7", 5500, 50, 350, 10, 70, 50),
    Cell("c8", 5000, 700, 60, 1, 9, 50),
    Cell("c9", 3300, 3050, 90, 2, 25),
    Cell("c10", 3400, 3050, 10, 0, 5),
)
TINY_PLACES = (
    Place(
        "h1",
        "health_centre",
        500,
        -20,
        "阳光社区卫生服务中心",
        (),
        {"ownership": "government", "level": "centre", "opening_hours": "Mo-Fr 08:00-18:00"},
    ),
    Place("p1", "pharmacy", 500, -20, "一心堂"),
    Place("p2", "pharmacy", 3600, -20, "=2+3 <b>药房</b>"),
    Place("s1", "convenience_store", 2400, -20, "便利一号"),
    Place("s2", "convenience_store", 5400, -20, None),
    Place("f1", "fitness_outdoor", 2100, 20, "健身公园", (2000, 2200)),
    Place("f2", "fitness_indoor", 2600, -20, "体育馆"),
    Place("f3", "sports_pitch", 2500, -20, "球场"),
    Place("e1", "elder_care", 5000, 900, "山上养老院"),
)
TINY_LAND = (
    Land(300, 50, 1000.0),
    Land(1450, 50, 1000.0),
    Land(1200, 50, 3000.0),
    Land(4000, 50, 5000.0),
)


def tiny_city(**changes: object) -> City:
    """The city drawn at the top; pools are surveyed (there is none), markets are not assessed."""
    plan: dict[str, object] = {
        "streets": TINY_STREETS,
        "units": TINY_UNITS,
        "levels": TINY_LEVELS,
        "cells": TINY_CELLS,
        "places": TINY_PLACES,
        "land": TINY_LAND,
        "surveyed": ("swimming_pool",),
    }
    return make_city(**(plan | changes))  # type: ignore[arg-type]


def tiny_travel(city: City | None = None, policy: Policy | None = None) -> NearestFacility:
    """Walks of a drawn city to every service of a policy."""
    return walks(city or tiny_city(), tuple((policy or tiny_policy()).services))


def tiny_manifest(city: City, policy: Policy, area: str = "tiny") -> Manifest:
    """A manifest as the pipeline writes it; the store gives the run its name."""
    return Manifest(
        area=area,
        run="",
        title=Title("小城", "Tiny"),
        crs=city.crs,
        bbox=(101.99, 25.02, 102.07, 25.08),
        residents=int(city.cells.residents.sum()),
        counts={
            "cells": len(city.cells),
            "facilities": len(city.facilities),
            "units": len(city.units.code),
            "edges": len(city.network.edge_u),
        },
        services=tuple(policy.services),
        policy_id=policy.id,
        policy_digest=policy.digest,
        synthetic=True,
        modelled=(),
        warnings=city.warnings,
        inputs=(),
        parameters={"drawn": True},
        code_version="0+test",
        created="2025-01-02T03:04:05Z",
        timings_s={"draw": 0.01},
    )


def tiny_run(
    root: Path,
    *,
    area: str = "tiny",
    policy: Policy | None = None,
    change: Callable[[City], City] = lambda city: city,
    created: str | None = None,
) -> Run:
    """The tiny city saved into the workspace `root` and opened from there."""
    from lifecircle.analysis.pipeline import save_run
    from lifecircle.analysis.results.store import Workspace

    rules = policy or tiny_policy()
    city = change(tiny_city())
    workspace = Workspace(root)
    travel = walks(city, tuple(rules.services))
    manifest = tiny_manifest(city, rules, area)
    if created is not None:
        manifest = replace(manifest, created=created)
    save_run(workspace, manifest, rules, city, travel)
    return workspace.open(area)


def without(city: City, service: str) -> City:
    """The same city with no facility of a service."""
    places = [place for place in TINY_PLACES if place.service != service]
    return replace(city, facilities=tiny_city(places=places).facilities)


def sites_on(city: City, *places: tuple[float, float]) -> Sites:
    """Candidates at metres of the drawing."""
    xy = np.array(places, dtype=np.float64).reshape(-1, 2) + ORIGIN
    return site_at(xy, city, EdgeIndex.build(city.network, 0), 250)
