"""Which figures of a row are older than the year of its target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.policy.scorecard_model import Row
from lifecircle.analysis.texts import Title, listed


def earlier(ground: Ground, row: Row, readings: Iterable[str]) -> Iterator[Warn]:
    """A remark for each year before the target year whose figures are the latest there are.

    Only rows of the scorecard's own plan have its target year.
    """
    target, statistics = ground.scorecard.target_year, ground.city.statistics
    if target is None or statistics is None or row.source not in ("", ground.scorecard.source):
        return
    by_year: dict[int, list[Title]] = {}
    for name in dict.fromkeys(_statistics(row, readings)):
        years = statistics.years(name, ground.until)
        latest = years[-1] if years else None
        if latest is not None and latest < target:
            told = attributes()["unit"][name]
            by_year.setdefault(latest, []).append(Title(told.zh, told.en))
    for year, titles in sorted(by_year.items()):
        yield Warn("scorecard_earlier", {"year": year, "target": target, "what": listed(titles)})


def _statistics(row: Row, readings: Iterable[str]) -> Iterator[str]:
    """The statistics that some readings read, those of the parts of a pooled one too."""
    for name in readings:
        reading = row.readings[name]
        if reading.kind == "pooled":
            yield from _statistics(row, reading.of)
            continue
        for operand in reading.operands():
            if operand.stat is not None:
                yield operand.stat
