"""Statistics of units: which figure belongs to which unit, and the latest of each."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import WHOLE_AREA, City, Statistics, StrArray, Units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy.attributes import AREA, attributes
from lifecircle.analysis.quantities import Counts, read_only
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.tables import StatisticsTable
from lifecircle.analysis.texts import first_of

_AREA_WORDS: Final = frozenset({AREA, "total", "全市", "全区", "全县", "合计", "总计", "全域"})
_NO_YEAR: Final = 0  # sorts before every year
_SHOWN: Final = 10


def place_statistics(
    tables: Sequence[StatisticsTable], units: Units, totals: Mapping[str, Counts]
) -> tuple[Statistics, tuple[Warn, ...]]:
    """Statistics joined to units by code, else by name.

    Parameters
    ----------
    tables : of two rows for one unit, attribute and year the later file's counts.
    units : of the city.
    totals : group totals of the units' own table (`group_totals`); a statistics table's figure
        wins over them.

    A code that several levels have means the unit of a level that carries the attribute, the
    lowest of those. Rows of units the area does not have are left out with a warning.
    """
    held: dict[tuple[str, int, int], tuple[float, str | None]] = {}  # by attribute, unit, year
    known = attributes()["unit"]
    for group, counts in totals.items():
        name = group if group in known else f"pop_{group}"
        if name in known:
            for unit in np.flatnonzero(counts.known).tolist():
                held[name, unit, _NO_YEAR] = (float(counts.value[unit]), "units")
    finder = _Finder.of(units)
    strange: Counter[str] = Counter()
    for table in tables:
        said = zip(table.unit_code, table.unit_name, table.attribute, table.value.tolist(),
                   table.year.to_list(), table.source, strict=True)  # fmt: skip
        for code, name, attribute, value, year, source in said:
            found = finder.find(code, name, known[attribute].levels)
            if found is None:
                strange[str(code if code is not None else name)] += 1
                continue
            held[attribute, found, year or _NO_YEAR] = (value, source or table.file)
    rows = sorted(held.items())
    statistics = Statistics(
        unit=np.array([key[1] for key, _ in rows], dtype=np.int32),
        attribute=object_array([key[0] for key, _ in rows]),
        value=np.array([value for _, (value, _) in rows], dtype=np.float64),
        year=Counts.listed(key[2] or None for key, _ in rows),
        source=object_array([source for _, (_, source) in rows]),
    )
    for array in (statistics.unit, statistics.value):
        read_only(array)
    if not strange:
        return statistics, ()
    shown = first_of(strange, _SHOWN)
    params = {"count": len(strange), "rows": strange.total(), "units": shown}
    return statistics, (Warn("statistics_units_unknown", params),)


def latest_year(city: City) -> int | None:
    """The latest year that the statistics of a city are of, None where none says one."""
    held = city.statistics
    years = [] if held is None else held.year.value[held.year.known].tolist()
    return max(map(int, years), default=None)


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
            by_code.setdefault(_fold_word(units.code[unit]), []).append(unit)
            for name in {units.name[unit], units.name_en[unit]} - {None}:
                by_name.setdefault(_fold_word(name), []).append(unit)
        return cls(units.level, by_code, by_name)

    def find(self, code: object, name: object, levels: tuple[str, ...]) -> int | None:
        """The unit a row is about, `WHOLE_AREA`, or None when the area has no such unit."""
        for word, table in ((code, self.by_code), (name, self.by_name), (code, self.by_name)):
            if word is None:
                continue
            if _fold_word(word) in _AREA_WORDS:
                return WHOLE_AREA
            found = table.get(_fold_word(word), [])
            fitting = [unit for unit in found if self.levels[unit] in levels]
            if len(fitting or found) == 1 or (table is self.by_code and found):
                return (fitting or found)[0]
        return None


def _fold_word(word: object) -> str:
    text = unicodedata.normalize("NFKC", str(word)).strip().casefold()
    return text.removesuffix(".0")
