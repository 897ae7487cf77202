"""What the documents share: remarks, titles, services asked, geometry in degrees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import shapely

from lifecircle.analysis.city.crs import to_lonlat, to_lonlat_of_one
from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.names import unknown_service
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.travelling import travelled_by
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.quantities import NOBODY
from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.ids import facility_ids
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.texts import Title

__all__ = [
    "DECIMALS",
    "as_geojson",
    "facility_ids",
    "head_of",
    "in_degrees",
    "minutes_for",
    "persons_in",
    "profile_shown",
    "properties_of",
    "remarks",
    "services_asked",
    "snapped_at",
    "title_of",
]

DECIMALS: Final = 7  # of a degree: about a centimetre


def title_of(title: Title) -> dict[str, str]:
    """A name in both languages."""
    return {"zh": title.zh, "en": title.en}


def profile_shown(run: Run) -> TravelProfile | None:
    """The profile on whose roads a run is asked; None: on foot."""
    return travelled_by(run.policy)


def head_of(manifest: Manifest) -> dict[str, Any]:
    """Which run a document of a whole area is about, and what it is made from."""
    return {
        "area": manifest.area,
        "run": manifest.run,
        "title": title_of(manifest.title),
        "created": manifest.created,
        "synthetic": manifest.synthetic,
        "modelled": list(manifest.modelled),
        "residents": manifest.residents,
    }


def remarks(warnings: Iterable[Warn], lang: Language) -> list[dict[str, Any]]:
    """Warnings as key, parameters and a sentence in the reader's language."""
    return [
        {"key": warn.key, "params": dict(warn.params), "text": warn.text(lang)} for warn in warnings
    ]


def persons_in(run: Run, persons: int) -> int | None:
    """A number of residents of a run, None where nobody is counted."""
    return persons if run.city.cells.counted else None


def services_asked(run: Run, study: Study, service: str | None) -> tuple[str, ...]:
    """The services a question is about: the one named, or every one the study walks to.

    Raises
    ------
    UnknownNameError
        The run has no such service.
    """
    if service is None:
        return study.travel.services
    if service not in study.travel.services:
        raise unknown_service(service, run.policy, study.travel.services)
    return (service,)


def minutes_for(policy: Policy, question: Question) -> float | None:
    """The minutes asked for, else the service's own; None where it is about all services."""
    if question.minutes is not None or question.service is None:
        return question.minutes
    return policy.services[question.service].minutes.value


def in_degrees(geometries: Sequence[shapely.Geometry], crs: str) -> list[orjson.Fragment | None]:
    """GeoJSON geometries (WGS84, lon first, about 1 cm) of metric ones."""
    if not len(geometries):
        return []
    shapes = np.asarray(geometries, dtype=object)
    return as_geojson(shapely.transform(shapes, lambda xy: to_lonlat(xy, crs)))


def as_geojson(geometries: GeometryArray) -> list[orjson.Fragment | None]:
    """GeoJSON geometries of those in EPSG:4326, to about 1 cm."""
    rounded = shapely.transform(geometries, lambda lonlat: lonlat.round(DECIMALS))
    shapes = shapely.to_geojson(shapely.orient_polygons(rounded))  # RFC 7946, 3.1.6
    return [None if text is None else orjson.Fragment(text) for text in shapes]


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a frozen record of plain values, in order."""
    return {name: getattr(record, name) for name in record.__slots__}


def properties_of(frame: pd.DataFrame, columns: Iterable[Column]) -> list[dict[str, Any]]:
    """One mapping of plain values per row, missing ones None (NaN is written as null)."""
    names, values = [], []
    for column in columns:
        held = frame[column.name]
        names.append(column.name)
        if column.dtype == "integer":
            values.append(held.astype(object).where(held.notna(), None).tolist())
        else:
            values.append(held.to_numpy().tolist())
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def snapped_at(position: Positions, crs: str) -> dict[str, float] | None:
    """Where a place joined the streets, in degrees, with its access leg; None if nowhere."""
    if position.edge[0] == NOBODY:
        return None
    x_m, y_m = position.xy_m[0].tolist()
    lon, lat = np.array(to_lonlat_of_one(x_m, y_m, crs), dtype=np.float64).round(DECIMALS).tolist()
    return {"lon": lon, "lat": lat, "access_m": float(position.leg_m[0])}
