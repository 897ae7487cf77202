"""Ids of facilities as people see them: each names one place of one service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lifecircle.analysis.city.model import Facilities, StrArray


def distinct(names: StrArray, rest: Sequence[str]) -> list[str]:
    """Names as they are, those that occur more than once with ``@rest`` behind them."""
    often = Counter(names)
    return [
        str(name) if often[name] == 1 else f"{name}@{more}"
        for name, more in zip(names, rest, strict=True)
    ]


def distinct_ids(places: Facilities) -> list[str]:
    """The id of every facility, with its service behind it where several have the same."""
    return distinct(places.id, [places.service_ids[i] for i in places.service])
