"""Statistics of units: which figure belongs to which unit, and the latest of each."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from lifecircle.analysis.city.model import UNKNOWN_YEAR, WHOLE_AREA, Statistics, StrArray, Units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy.attributes import AREA, attributes
from lifecircle.analysis.quantities import IntArray, read_only

_AREA_WORDS: Final = frozenset({AREA, "total", "全市", "全区", "全县", "合计", "总计", "全域"})
_SHOWN: Final = 10


def place_statistics(
    frames: Sequence[pd.DataFrame], units: Units, totals: Mapping[str, IntArray]
) -> tuple[Statistics, tuple[Warn, ...]]:
    """Statistics joined to units by code, else by name.

    Parameters
    ----------
    frames : rows of `read_statistics`; of two rows for one unit, attribute and year the later
        file's counts.
    units : of the city.
    totals : group totals of the units' own table (k,), -1 unknown (`group_totals`); a statistics
        table's figure wins over them.

    A code that several levels have means the unit of a level that carries the attribute, the
    lowest of those. Rows of units the area does not have are left out with a warning.
    """
    held: dict[tuple[str, int, int], tuple[float, str | None]] = {}
    known = attributes()["unit"]
    for group, counts in totals.items():
        name = group if group in known else f"pop_{group}"
        if name in known:
            for known_unit in np.flatnonzero(counts >= 0).tolist():
                held[name, known_unit, UNKNOWN_YEAR] = (float(counts[known_unit]), "units")
    finder = _Finder.of(units)
    strange: Counter[str] = Counter()
    for frame in frames:
        columns = (frame[c] for c in ("unit_code", "unit_name", "attribute", "value", "year",
                                      "source", "file"))  # fmt: skip
        for code, name, attribute, value, year, source, file in zip(*columns, strict=True):
            unit = finder.find(code, name, known[attribute].levels)
            if unit is None:
                strange[str(code if code is not None else name)] += 1
                continue
            held[attribute, unit, int(year)] = (float(value), source or file)
    rows = sorted(held.items())
    statistics = Statistics(
        unit=np.array([key[1] for key, _ in rows], dtype=np.int32),
        attribute=_texts([key[0] for key, _ in rows]),
        value=np.array([value for _, (value, _) in rows], dtype=np.float64),
        year=np.array([key[2] for key, _ in rows], dtype=np.int64),
        source=_texts([source for _, (_, source) in rows]),
    )
    for array in (statistics.unit, statistics.value, statistics.year):
        read_only(array)
    if not strange:
        return statistics, ()
    shown = ", ".join(list(strange)[:_SHOWN]) + (" …" if len(strange) > _SHOWN else "")
    params = {"count": len(strange), "rows": strange.total(), "units": shown}
    return statistics, (Warn("statistics_units_unknown", params),)


@dataclass(frozen=True, slots=True)
class _Finder:
    """Units by code and by name, lowest level first."""

    levels: StrArray
    by_code: Mapping[str, list[int]]
    by_name: Mapping[str, list[int]]

    @classmethod
    def of(cls, units: Units) -> _Finder:
        """Lists every unit under its code and its names."""
        by_code: dict[str, list[int]] = {}
        by_name: dict[str, list[int]] = {}
        for unit in reversed(range(len(units.code))):
            by_code.setdefault(_plain(units.code[unit]), []).append(unit)
            for name in {units.name[unit], units.name_en[unit]} - {None}:
                by_name.setdefault(_plain(name), []).append(unit)
        return cls(units.level, by_code, by_name)

    def find(self, code: object, name: object, levels: tuple[str, ...]) -> int | None:
        """The unit a row is about, `WHOLE_AREA`, or None when the area has no such unit."""
        for word, table in ((code, self.by_code), (name, self.by_name), (code, self.by_name)):
            if word is None:
                continue
            if _plain(word) in _AREA_WORDS:
                return WHOLE_AREA
            found = table.get(_plain(word), [])
            fitting = [unit for unit in found if self.levels[unit] in levels]
            if len(fitting or found) == 1 or (table is self.by_code and found):
                return (fitting or found)[0]
        return None


def _plain(word: object) -> str:
    text = unicodedata.normalize("NFKC", str(word)).strip().casefold()
    return text.removesuffix(".0")


def _texts(values: Sequence[str | None]) -> StrArray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
