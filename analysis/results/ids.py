"""Ids of rows in layers, unique within the layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.results.model import Run


def distinct(names: StrArray, rest: Sequence[str]) -> list[str]:
    """Names as they are, those that occur more than once with ``@rest`` behind them."""
    often = Counter(names)
    return [
        str(name) if often[name] == 1 else f"{name}@{more}"
        for name, more in zip(names, rest, strict=True)
    ]


def facility_ids(run: Run) -> list[str]:
    """The id of every facility as the layer ``facilities`` has it."""
    places = run.city.facilities
    return distinct(places.id, [places.service_ids[i] for i in places.service])
