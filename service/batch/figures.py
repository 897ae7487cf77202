"""What a summary needs of a run: coverage by unit and service, rows of the scorecard."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import orjson

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.residents import NOBODY_COUNTED
from lifecircle.analysis.measures.rests_on import SEVERITIES
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import LANGUAGES
from lifecircle.analysis.writing import write_aside
from lifecircle.service.batch.outlines import outline_of
from lifecircle.service.catalog import coverage_document, scorecard_document
from lifecircle.service.catalog.common import title_of
from lifecircle.service.figures import figure

READINGS: Final = ("U", "P", "L", "C")
SPAN: Final = ("P_core", "P_low", "P_high")  # what of P is certain, and between what it lies
COUNTS: Final = ("residents", "covered", "not_covered", "not_assessed")
_UNKNOWN: Final = (  # why P is unknown, the first of them
    NOBODY_COUNTED.key,
    "service_not_assessed",
    "coverage_residents_unknown",
    "list_extent",
)
_ROW: Final = ("id", "title", "status", "value", "target", "unit", "direction", "assessed_share")


def write_figures(run: Run, file: Path) -> None:
    """Write the figures of a run; the same bytes for the same run."""
    write_aside(file, orjson.dumps(figures_of(run), option=orjson.OPT_SERIALIZE_NUMPY))


def figures_of(run: Run) -> dict[str, Any]:
    """Figures of the whole city and of its units, as a document.

    ``services[]`` in their groups: ``service, title, group, minutes, total{}, why[], units[]``;
    ``rows[]`` of the scorecard, each with ``why[]`` (texts by language: why it is not assessed,
    or what it rests on that is in serious doubt); ``shapes[]`` of the units: ``code, name,
    name_en, level, wkb`` (lon/lat, hexadecimal); ``outline``: rings of the city (lon, lat).
    """
    asked = coverage_document(run, Question(None))
    blocks = {block["service"]: block for block in asked["services"]}
    services = [
        _service(blocks[name], None if group is None else title_of(group))
        for group, names in run.policy.grouped(blocks)
        for name in names
    ]
    units: gpd.GeoDataFrame = layer_frame(run, "units")
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "title": {"zh": run.manifest.title.zh, "en": run.manifest.title.en},
        "residents": run.manifest.residents,
        "policy": {"id": run.policy.id, "digest": run.policy.digest},
        "services": services,
        "rows": [] if run.policy.scorecard is None else _rows(run),
        "shapes": _shapes(units),
        "outline": outline_of(np.asarray(units.geometry.array), run.manifest.bbox),
    }


def _service(block: dict[str, Any], group: dict[str, str] | None) -> dict[str, Any]:
    total = block["total"]
    return {
        "service": block["service"],
        "title": block["title"],
        "group": group,
        "minutes": block["minutes"],
        "by": block["by"],
        "total": {**_counted(total), **{key: total[key] for key in SPAN}},
        "why": _why(block),
        "units": [
            {"code": row["code"], "name": row["name"], **_counted(row)} for row in block["units"]
        ],
    }


def _rows(run: Run) -> list[dict[str, Any]]:
    """Rows of the scorecard; its second language is told of the same computation."""
    zh, en = (scorecard_document(run, lang=lang) for lang in LANGUAGES)
    return [_row(*both, zh["units"]) for both in zip(zh["rows"], en["rows"], strict=True)]


def _row(row: dict[str, Any], en: dict[str, Any], units: dict[str, Any]) -> dict[str, Any]:
    unit = units[row["unit"]]
    told = figure(row["value"], unit, row["direction"])
    kept = {key: row[key] for key in _ROW}
    missing = zip(row["missing"], en["missing"], strict=True)
    why = [{"zh": one["text"], "en": other["text"]} for one, other in missing]
    why += _serious(row["rests_on"])
    return {**kept, "told": told, "unit_title": unit["title"], "why": why}


def _why(block: dict[str, Any]) -> list[dict[str, str]]:
    """Why a service is not assessed, or what its figure rests on that is in serious doubt."""
    if block["total"]["P"] is not None:
        return _serious(block["rests_on"])
    told = {one["key"]: one["params"] for one in block["warnings"]}
    reasons = (title_of(Warn(key, told[key]).both()) for key in _UNKNOWN if key in told)
    return [*islice(reasons, 1)]


def _serious(rests: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [dict(one["text"]) for one in rests if one["severity"] == SEVERITIES[0]]


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in (*COUNTS, *READINGS)}


def _shapes(units: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    kept = units[["code", "name", "name_en", "level"]].astype(object)
    kept = kept.where(kept.notna(), None)
    return [
        {**row, "wkb": wkb}
        for row, wkb in zip(kept.to_dict("records"), units.geometry.to_wkb(hex=True), strict=True)
    ]
