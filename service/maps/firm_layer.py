"""How firm coverage stands, on a map: its band, and cells hatched that some draws cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.measures.coverage import Coverage, CoverageRow
from lifecircle.service.catalog.firm.bands import ServiceBands, draws_covered, service_bands
from lifecircle.service.figures import number, percent_span
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.folium_map import Hatching
from lifecircle.service.maps.panel import Swatch, Toggle

_INK = "#111111"


@dataclass(frozen=True, slots=True)
class Firm:
    """What is kept of how firm a service's coverage stands; `bands` None where nothing is."""

    bands: ServiceBands | None
    layers: tuple[Hatching, ...] = ()
    toggles: tuple[Toggle, ...] = ()

    def band(self, row: CoverageRow) -> str:
        """The band of P of a unit or of all, in whole percent; empty where none is kept."""
        low, high = (None, None) if self.bands is None else self.bands.span(row.code, row.P)
        return "" if low is None or high is None else percent_span(low, high)


def firm_layer(ask: Ask, found: Coverage) -> Firm:
    """The bands kept for just this walk, and the hatching of cells that are sometimes covered."""
    bands = service_bands(ask.run, found, ask.question.at)
    covered = None if bands is None else draws_covered(ask.run, found.service)
    if bands is None or covered is None:
        return Firm(bands)
    draws = bands.head["draws"]
    rows = np.flatnonzero((covered > 0) & (covered < draws))
    residents = int(ask.run.city.cells.residents[rows].sum())
    layer = Hatching(
        {
            "name": "firm",
            "cells": rows.tolist(),
            "covered": covered[rows].tolist(),
            "label": ask.say("firm_covered"),
            "told": ask.say("firm_told", n="{n}", draws=draws),
        },
        show=False,
    )
    mark = Swatch(_INK, ask.say("firm_sometimes", residents=number(residents)), "hatch")
    label = ask.say("layer_firm", draws=draws)
    return Firm(bands, (layer,), (Toggle("firm", label, (mark,)),))
