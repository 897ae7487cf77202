"""The bands kept with a run, as documents and maps tell them beside the figures they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecircle.analysis.measures.coverage import Coverage
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.results.bands import NOT_JUDGED, kept_cells, kept_document
from lifecircle.analysis.results.model import Run

Span = tuple[float, float] | tuple[None, None]
NO_SPAN: Span = (None, None)


@dataclass(frozen=True, slots=True)
class Bands:
    """What is kept of how firm a run's figures stand."""

    document: Mapping[str, Any]

    @property
    def head(self) -> dict[str, Any]:
        """What the bands are: draws, seed, which of the draws they hold, when they were kept."""
        told = self.document
        return {"draws": told["draws"], "seed": told["seed"], **told["band"], "kept": told["kept"]}

    @property
    def verdicts(self) -> dict[str, Any]:
        """How firm each assessed verdict stands, with what names its assumptions."""
        told = self.document
        return {
            **{name: told[name] for name in ("draws", "seed", "band", "parameters")},
            "rows": [one for one in told["rows"] if one["holds"] is not None],
        }

    def circle(self, kind: str, value: float | None) -> dict[str, Any] | None:
        """Between what the share of residents with a complete circle lies."""
        found = _named(self.document["circles"], "kind", kind)
        low, high = NO_SPAN if found is None else span(found["complete"], value)
        return None if low is None else {"low": low, "high": high, "draws": self.document["draws"]}

    def row(self, row: str, value: float | None) -> dict[str, Any] | None:
        """Between what a row of the scorecard lies and in how many draws its status holds."""
        found = _named(self.document["rows"], "id", row)
        if found is None or found["holds"] is None:
            return None
        low, high = span(found["value"], value)
        return {"low": low, "high": high, "holds": found["holds"], "draws": self.document["draws"]}


@dataclass(frozen=True, slots=True)
class ServiceBands:
    """The bands of one service: of all residents, and by code of the units."""

    head: Mapping[str, Any]
    whole: Mapping[str, Any]
    of_unit: Mapping[str, Mapping[str, Any]]

    def span(self, code: str, value: float | None) -> Span:
        """The band of P of a unit, ``total`` for all of them."""
        return span(self.whole if code == TOTAL else self.of_unit.get(code, {}), value)


def kept_bands(run: Run, walker: str, group: str = TOTAL, at: str | None = None) -> Bands | None:
    """The bands kept with a run, of this walker's figures of all residents at no moment.

    None where nobody asked yet how firm they stand: a page never works it out.

    Raises
    ------
    WorkspaceError : what is kept cannot be read.
    """
    if group != TOTAL or at is not None:
        return None
    found = kept_document(run)
    return None if found is None or found["walker"] != walker else Bands(found)


def service_bands(run: Run, found: Coverage, at: str | None = None) -> ServiceBands | None:
    """The bands of a service's coverage, if they are of just this walk.

    Raises
    ------
    WorkspaceError : what is kept cannot be read.
    """
    bands = kept_bands(run, found.walker, found.group, at)
    own = found.minutes == run.policy.services[found.service].minutes.value
    if bands is None or not own:
        return None
    mine = _named(bands.document["services"], "service", found.service)
    if mine is None:
        return None
    units = mine["units"] if bands.document["by"] == found.by else []
    return ServiceBands(bands.head, mine["P"], {unit["code"]: unit["P"] for unit in units})


def span(band: Mapping[str, Any], value: float | None) -> Span:
    """The ends of a band, if it was made of just this figure."""
    if value is None or band.get("value") != value or band["low"] is None:
        return NO_SPAN
    return band["low"], band["high"]


def draws_covered(run: Run, service: str) -> IntArray | None:
    """In how many of the kept draws each cell is covered, int64 (c,); -1: not assessed there.

    None where no bands are kept for the service.
    """
    document, cells = kept_document(run), kept_cells(run)
    if document is None or cells is None:
        return None
    names = [one["service"] for one in document["services"]]
    if service not in names or cells.shape != (len(names), len(run.city.cells)):
        return None
    covered: IntArray = cells[names.index(service)].astype(np.int64)
    return covered if (covered != NOT_JUDGED).any() else None


def _named(rows: Iterable[Mapping[str, Any]], key: str, name: str) -> Mapping[str, Any] | None:
    return next((one for one in rows if one[key] == name), None)
