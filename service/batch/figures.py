"""What a summary needs of a run: coverage by unit and service, rows of the scorecard."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import orjson

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.writing import write_aside
from lifecircle.service.catalog import coverage_document, scorecard_document
from lifecircle.service.figures import figure

READINGS: Final = ("U", "P", "L", "C")
COUNTS: Final = ("residents", "covered", "not_covered", "not_assessed")
_ROW: Final = ("id", "title", "status", "value", "target", "unit", "direction", "assessed_share")


def write_figures(run: Run, file: Path) -> None:
    """Write the figures of a run; the same bytes for the same run."""
    write_aside(file, orjson.dumps(figures_of(run), option=orjson.OPT_SERIALIZE_NUMPY))


def figures_of(run: Run) -> dict[str, Any]:
    """Figures of the whole city and of its units, as a document.

    ``services[]`` of ``service, title, minutes, total{}, units[]``; ``rows[]`` of the scorecard;
    ``shapes[]`` of the units: ``code, name, name_en, level, wkb`` (lon/lat, hexadecimal).
    """
    asked = coverage_document(run, Question(None))
    services = [
        {
            "service": block["service"],
            "title": block["title"],
            "minutes": block["minutes"],
            "by": block["by"],
            "total": _counted(block["total"]),
            "units": [
                {"code": row["code"], "name": row["name"], **_counted(row)}
                for row in block["units"]
            ],
        }
        for block in asked.get("services", [asked])
    ]
    card = None if run.policy.scorecard is None else scorecard_document(run)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "title": {"zh": run.manifest.title.zh, "en": run.manifest.title.en},
        "residents": run.manifest.residents,
        "policy": {"id": run.policy.id, "digest": run.policy.digest},
        "services": services,
        "rows": [] if card is None else [_row(row, card["units"]) for row in card["rows"]],
        "shapes": _shapes(run),
    }


def _row(row: dict[str, Any], units: dict[str, Any]) -> dict[str, Any]:
    unit = units[row["unit"]]
    told = figure(row["value"], unit, row["direction"])
    return {**{key: row[key] for key in _ROW}, "told": told, "unit_title": unit["title"]}


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in (*COUNTS, *READINGS)}


def _shapes(run: Run) -> list[dict[str, Any]]:
    units: gpd.GeoDataFrame = layer_frame(run, "units")
    kept = units[["code", "name", "name_en", "level"]].astype(object)
    kept = kept.where(kept.notna(), None)
    return [
        {**row, "wkb": wkb}
        for row, wkb in zip(kept.to_dict("records"), units.geometry.to_wkb(hex=True), strict=True)
    ]
