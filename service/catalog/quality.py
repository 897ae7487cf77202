"""How good the data of an area are, as a plain document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lifecircle.analysis.city.notes import SamePlace
from lifecircle.analysis.city.units.disagreement import Disagreement
from lifecircle.analysis.city.units.unit_match import WAYS
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.quality import (
    AreaQuality,
    area_quality,
    cell_component,
    nearest_leg_m,
)
from lifecircle.analysis.quantities import FloatArray, Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.catalog.common import facility_ids, persons_in, remarks, title_of
from lifecircle.service.figures import number, percent

LISTED = 1000  # rows of a list; `count` beside it tells all


@dataclass(frozen=True, slots=True)
class QualityAnswer:
    """What a map of data quality shows.

    `component` (c,): the part of the streets each cell is on. `leg_m` (f,): from each facility to
    the streets in metres, infinite where it is off them.
    """

    found: AreaQuality
    component: Int32Array
    leg_m: FloatArray


def answer_quality(run: Run) -> QualityAnswer:
    """The quality of a run's data with the values behind it."""
    found = area_quality(run.city, run.policy)
    return QualityAnswer(found, cell_component(run.city), nearest_leg_m(run.city.facilities))


def quality_document(run: Run, *, lang: Language = "zh") -> dict[str, Any]:
    """Everything `analysis.measures.quality` says of a run, with the remarks that answers carry.

    `element`: which element of data quality (ISO 19157) a part or a remark is about.
    """
    found = area_quality(run.city, run.policy)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "title": title_of(run.manifest.title),
        "synthetic": run.manifest.synthetic,
        "residents": run.manifest.residents,
        "snap": _snap(run, found),
        "islands": {
            "element": "logical_consistency",
            "count": len(found.islands),
            "residents": persons_in(run, sum(island.residents for island in found.islands)),
            "largest_km": round(found.largest_m / 1000, 3),
            "list": [
                {
                    **asdict(island),
                    "length_m": round(island.length_m, 1),
                    "residents": persons_in(run, island.residents),
                }
                for island in found.islands[:LISTED]
            ],
        },
        "unsnapped": {
            "element": "positional",
            "cells": found.unsnapped_cells,
            "residents": persons_in(run, found.unsnapped_residents),
            "facilities": _places(run, found.unsnapped_facilities),
        },
        "facilities_outside": _places(run, found.outside) if found.units_given else None,
        "facilities_placed_by_unit": _places(run, found.placed),
        "missing": [
            {
                "service": row.service,
                "title": title_of(run.policy.services[row.service].title),
                "element": "completeness",
                "facilities": row.facilities,
                "missing": dict(row.missing),
            }
            for row in found.missing
        ],
        "same_places": _same_places(found.same_places),
        "units_named": _units_named(found),
        "shift": _shift(run, lang),
        "population": _population(run, found),
        "disagreements": _disagreements(found.disagreements),
        "warnings": _remarks(run.manifest.warnings, lang),
    }


def quality_summary(run: Run) -> dict[str, Any]:
    """The counts of the document that the summary of an area shows."""
    found = area_quality(run.city, run.policy)
    states = Counter(one.state for one in found.same_places)
    known = [row for row in found.spread if row.moved is not None]
    return {
        "island_residents": persons_in(run, sum(island.residents for island in found.islands)),
        "facilities_outside": len(found.outside) if found.units_given else None,
        "facilities_placed_by_unit": len(found.placed),
        "facilities_merged": states["merged"],
        "facilities_suspected": states["suspected"],
        "unit_disagreements": len(found.disagreements),
        "spread_moved": sum(row.moved or 0 for row in known) if known else None,
        "spread_compared": sum(row.residents for row in known) if known else None,
    }


def _snap(run: Run, found: AreaQuality) -> dict[str, Any]:
    return {
        "element": "positional",
        "mean_m": _rounded(found.mean_leg_m),
        "longest_m": _rounded(found.longest_leg_m),
        "limit_m": run.policy.attachment.max_leg_m.value,
        "bins": [
            {**asdict(one), "residents": persons_in(run, one.residents)} for one in found.snap
        ],
    }


def _rounded(metres: float | None) -> float | None:
    return None if metres is None else round(metres, 2)


def _places(run: Run, index: Int32Array) -> dict[str, Any]:
    places, ids = run.city.facilities, facility_ids(run)
    return {
        "element": "positional",
        "count": len(index),
        "list": [
            {
                "id": ids[i],
                "service": places.service_ids[places.service[i]],
                "name": places.name[i],
                "source": places.source[i],
            }
            for i in index[:LISTED].tolist()
        ],
    }


def _same_places(found: Iterable[SamePlace]) -> dict[str, Any]:
    rows = sorted(found, key=lambda one: one.state != "merged")
    states = Counter(one.state for one in rows)
    listed = []
    for one in rows[:LISTED]:
        row = asdict(one)
        del row["x_m"], row["y_m"]
        listed.append(row)
    return {
        "element": "completeness",
        "merged": states["merged"],
        "suspected": states["suspected"],
        "list": listed,
    }


def _units_named(found: AreaQuality) -> dict[str, Any]:
    ways = Counter(row.way for row in found.unit_rows)
    plain = ("code", "name")
    loose = [asdict(row) for row in found.unit_rows if row.way not in plain or row.placed]
    return {
        "element": "thematic",
        "count": len(found.unit_rows),
        "ways": {way: ways[way] for way in WAYS if ways[way]},
        "list": loose[:LISTED],
    }


def _shift(run: Run, lang: Language) -> dict[str, Any]:
    """What readers said about a shift of coordinates, from the remarks of the build."""
    said = [
        warn
        for warn in run.manifest.warnings
        if str(warn.params.get("fault", "")).startswith("placed_")
    ]
    return {"element": "positional", "suspected": bool(said), "remarks": _remarks(said, lang)}


def _remarks(warnings: Sequence[Warn], lang: Language) -> list[dict[str, Any]]:
    """The remarks as answers carry them, each with its element."""
    told = zip(remarks(warnings, lang), warnings, strict=True)
    return [{**shown, "element": warn.element} for shown, warn in told]


def _population(run: Run, found: AreaQuality) -> dict[str, Any]:
    known = [row for row in found.spread if row.moved is not None]
    compared = sum(row.residents for row in known)
    moved = sum(row.moved or 0 for row in known)
    methods: Counter[str] = Counter()
    for row in found.spread:
        methods[row.method] += row.residents
    units = run.city.units
    names = dict(zip(zip(units.level, units.code, strict=True), units.name, strict=True))
    return {
        "element": "thematic",
        "modelled": persons_in(run, found.modelled_residents),
        "methods": dict(sorted(methods.items())),
        "compared": compared,
        "moved": moved if known else None,
        "moved_share": moved / compared if compared else None,
        "units": [
            {
                **asdict(row),
                "unit_name": names.get((row.level, row.unit_code)),
                "moved_share": _share(row.moved, row.residents),
            }
            for row in sorted(found.spread, key=lambda row: -(row.moved or 0))[:LISTED]
        ],
        "rasters": [asdict(one) for one in found.rasters],
        "calibrated": [
            {**asdict(row), "unit_name": names.get((row.level, row.unit_code))}
            for row in sorted(
                run.city.notes.calibrated, key=lambda row: -abs(row.total - row.before)
            )[:LISTED]
        ],
    }


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole


def _disagreements(found: Iterable[Disagreement]) -> dict[str, Any]:
    rows = sorted(found, key=lambda one: -abs(one.difference))
    return {
        "element": "logical_consistency",
        "count": len(rows),
        "list": [{**asdict(one), "difference": one.difference} for one in rows[:LISTED]],
    }


def histogram(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Bins of the distances with the share of residents in each, for a drawing."""
    bins = document["snap"]["bins"]
    most = max((one["residents"] or 0 for one in bins), default=0)
    whole = float(np.sum([one["residents"] or 0 for one in bins]))
    return [
        {
            **one,
            "width": 100 * (one["residents"] or 0) / most if most else 0.0,
            "share": (one["residents"] or 0) / whole if whole else 0.0,
        }
        for one in bins
    ]


def quality_figures(document: Mapping[str, Any], lang: Language) -> list[tuple[str, str | None]]:
    """The headline figures as label and value; None where there is nothing to compare."""
    outside = document["facilities_outside"]
    rows = [
        ("word_residents", number(document["residents"])),
        ("quality_unsnapped_residents", number(document["unsnapped"]["residents"])),
        ("quality_island_residents", number(document["islands"]["residents"])),
        ("quality_unsnapped_facilities", number(document["unsnapped"]["facilities"]["count"])),
        ("quality_outside", None if outside is None else number(outside["count"])),
        ("quality_placed", number(document["facilities_placed_by_unit"]["count"])),
        ("quality_merged", number(document["same_places"]["merged"])),
        ("quality_suspected", number(document["same_places"]["suspected"])),
        ("quality_disagreements", number(document["disagreements"]["count"])),
        ("quality_modelled", number(document["population"]["modelled"])),
        ("quality_moved", percent(document["population"]["moved_share"])),
    ]
    return [(i18n.text(key, lang), value) for key, value in rows]
