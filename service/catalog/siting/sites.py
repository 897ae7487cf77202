"""Where candidate sites are and what they are called: the same in every answer about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.measures.question import default_level
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.quantities import NOBODY, FloatArray
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import DECIMALS


def site_rows(run: Run, sites: Sites, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Id, name, kind, place (degrees) and unit of the default level of some candidates, in order,
    each with the nearest place that has a name (`places_near`)."""
    xy_m = sites.xy_m[list(rows)].reshape(-1, 2)
    lonlat = to_lonlat(xy_m, run.city.crs).round(DECIMALS).tolist()
    units, unit = run.city.units, sites.unit[default_level(run.city)]
    found = []
    for site, (lon, lat), near in zip(rows, lonlat, places_near(run, xy_m), strict=True):
        at = int(unit[site])
        found.append(
            {
                "site": str(sites.id[site]),
                "name": as_text(sites.name[site]),
                "name_en": as_text(sites.name_en[site]),
                "kind": str(sites.kind[site]),
                **near,
                "lon": lon,
                "lat": lat,
                "unit_code": None if at == NOBODY else str(units.code[at]),
                "unit_name": None if at == NOBODY else str(units.name[at]),
                "unit_name_en": None if at == NOBODY else units.name_en[at],
            }
        )
    return found


def places_near(run: Run, xy_m: FloatArray) -> list[dict[str, Any]]:
    """Of points (s, 2) in the city's CRS the nearest place with a name, and how far it is."""
    places = run.city.facilities
    english = places.attributes.get("name_en")
    return [
        dict.fromkeys(("near", "near_en", "near_m"))
        if row == NOBODY
        else {
            "near": str(places.name[row]),
            "near_en": None if english is None else as_text(english[row]),
            "near_m": round(float(metres), 1),
        }
        for row, metres in zip(*run.study.landmarks.nearest(xy_m), strict=True)
    ]


def as_text(value: Any) -> str | None:
    """A name as plain text; None where there is none."""
    return None if value is None else str(value)
