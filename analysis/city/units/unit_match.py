"""Rows that name their unit, matched with the units: by code, then by name, then by address.

Every row ends in one of the ways of `WAYS`; none is guessed. What matched in a loose way and
what did not match is told (`describe_matches`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import StrArray, Units
from lifecircle.analysis.city.units.unit_names import (
    NameForms,
    division_code,
    name_forms,
    wider_codes,
)
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.texts import first_of

FOUND: Final = (
    "code",  # the code itself
    "name",  # the same name
    "name_office",  # the same place, the office behind its name written otherwise
    "name_bare",  # the same name without 街道, 社区, 村 ...
    "address",  # the unit's name stands in the address
    "code_prefix",  # the units hold no such code, but the division it belongs to
)
NOT_FOUND: Final = ("ambiguous", "unmatched", "blank")
WAYS: Final = (*FOUND, *NOT_FOUND)
_SHOWN: Final = 8
_SHORTEST_IN_ADDRESS: Final = 3  # 华山街道 may stand in an address, 西村 says too little


@dataclass(frozen=True, slots=True)
class UnitMatches:
    """Which unit each row (n,) names, and how that was seen.

    `unit` int32: index into the units, -1 = none. `way`: one of `WAYS`. `apart`: matched by
    code, while the row's name is another unit's.
    """

    unit: Int32Array
    way: StrArray
    apart: BoolArray

    def counts(self) -> dict[str, int]:
        """Rows per way, in the order of `WAYS`, without those that did not occur."""
        found = Counter(self.way.tolist())
        return {way: found[way] for way in WAYS if found[way]}

    @property
    def found(self) -> BoolArray:
        """Rows that have a unit, bool (r,)."""
        known: BoolArray = self.unit != NOBODY
        return known


class UnitIndex:
    """Units by code and by every form of their name.

    Parameters
    ----------
    code, name : (k,) texts; the name may be None.
    parent : int32 (k,), index of the unit that holds it, -1 if none.
    """

    def __init__(self, code: Sequence[str], name: Sequence[str | None], parent: Int32Array) -> None:
        self.parent = parent
        self._by_code: dict[str, int] = {}
        self._forms: list[NameForms | None] = []
        self._by_form: tuple[dict[str, list[int]], ...] = ({}, {}, {})
        # words by which a text may name a unit: the unit, and whether it is its whole name
        self._in_full: dict[str, list[tuple[int, bool]]] = {}
        for i, (one, called) in enumerate(zip(code, name, strict=True)):
            plain = division_code(str(one))
            if plain is not None:
                self._by_code.setdefault(plain, i)
            forms = name_forms(str(called)) if called else None
            self._forms.append(forms)
            if forms is not None:
                for table, key in zip(self._by_form, _keys(forms), strict=True):
                    table.setdefault(key, []).append(i)
                if forms.kind is not None and forms.plain != forms.bare:
                    for word, is_whole in ((forms.whole, True), (forms.plain, False)):
                        if len(word) >= _SHORTEST_IN_ADDRESS:
                            self._in_full.setdefault(word, []).append((i, is_whole))
        self._lengths = sorted({len(word) for word in self._in_full})

    @classmethod
    def of(cls, units: Units) -> UnitIndex:
        """The index of a city's units, all levels."""
        return cls([str(code) for code in units.code], list(units.name), units.parent)

    def match(
        self,
        codes: Sequence[str | None],
        names: Sequence[str | None] | None = None,
        within: Sequence[str | None] | None = None,
        addresses: Sequence[str | None] | None = None,
    ) -> UnitMatches:
        """The unit of every row.

        Parameters
        ----------
        codes : division codes, None where blank.
        names : names of units; unique within the parent they are looked up in.
        within : code or name of the unit above; else it is seen from the code's first digits.
        addresses : texts in which the unit may be named in full.
        """
        size = len(codes)
        blank: Sequence[str | None] = [None] * size
        rows = zip(codes, names or blank, within or blank, addresses or blank, strict=True)
        found = [self._one(*row) for row in rows]
        return UnitMatches(
            np.array([one[0] for one in found], dtype=np.int32).reshape(-1),
            object_array([one[1] for one in found]),
            np.array([one[2] for one in found], dtype=np.bool_).reshape(-1),
        )

    def _one(
        self, code: str | None, name: str | None, within: str | None, address: str | None
    ) -> tuple[int, str, bool]:
        plain = division_code(code)
        forms = name_forms(name) if name else None
        if plain is not None and plain in self._by_code:
            unit = self._by_code[plain]
            mine = self._forms[unit]
            apart = forms is not None and mine is not None and forms.bare != mine.bare
            return unit, "code", apart
        above = self._above(plain, within)
        several = False
        if forms is not None:
            unit, way = self._by_name(forms, above)
            if unit != NOBODY:
                return unit, way, False
            several = way == "ambiguous"
        for text in (address, name):
            if text and not several:
                unit = self._in_text(text, above)
                if unit != NOBODY:
                    return unit, "address", False
        for wider in wider_codes(plain or ""):
            if wider in self._by_code:
                return self._by_code[wider], "code_prefix", False
        if several:
            return NOBODY, "ambiguous", False
        given = any(text for text in (code, name, address))
        return NOBODY, "unmatched" if given else "blank", False

    def _above(self, code: str | None, within: str | None) -> int:
        if within:
            plain = division_code(within)
            if plain in self._by_code:
                return self._by_code[str(plain)]
            unit, _ = self._by_name(name_forms(within), NOBODY)
            if unit != NOBODY:
                return unit
        wider = (one for one in wider_codes(code or "") if one in self._by_code)
        return self._by_code.get(next(wider, ""), NOBODY)

    def _by_name(self, forms: NameForms, above: int) -> tuple[int, str]:
        whole, plain, bare = self._by_form
        loose = [i for i in bare.get(forms.bare, ()) if self._kind_fits(i, forms)]
        for named, way in (
            (whole.get(forms.whole, ()), "name"),
            (plain.get(forms.plain, ()), "name_office"),
            (bare.get(forms.plain, ()), "name_bare"),
            (loose, "name_bare"),
        ):
            held = [i for i in named if above == NOBODY or (i != above and self._under(i, above))]
            widest = [i for i in held if not set(self._line(i)[1:]) & set(held)]
            if len(widest) > 1:
                return NOBODY, "ambiguous"
            if widest:
                return widest[0], way
        return NOBODY, "unmatched"

    def _kind_fits(self, unit: int, forms: NameForms) -> bool:
        mine = self._forms[unit]
        return mine is not None and mine.kind in (None, forms.kind)

    def _under(self, unit: int, above: int) -> bool:
        while unit not in (above, NOBODY):
            unit = int(self.parent[unit])
        return unit == above

    def _line(self, unit: int) -> list[int]:
        line = []
        while unit != NOBODY:
            line.append(unit)
            unit = int(self.parent[unit])
        return line

    def _in_text(self, text: str, above: int) -> int:
        """The one unit that a text names in full, the most precise one; -1 if there are several."""
        spans = self._find_spans(name_forms(text).whole)
        widest = _find_widest(spans.values())
        hits = {
            unit
            for unit, span in spans.items()
            if span in widest and (above == NOBODY or self._under(unit, above))
        }
        depth = {unit: len(hits.intersection(self._line(unit))) for unit in hits}
        deepest = max(depth.values(), default=0)
        best = [unit for unit in hits if depth[unit] == deepest]
        return best[0] if len(best) == 1 else NOBODY

    def _find_spans(self, text: str) -> dict[int, tuple[int, int]]:
        """Where a text first names each unit, by its whole name, else without the office."""
        whole: dict[int, tuple[int, int]] = {}
        plain: dict[int, tuple[int, int]] = {}
        for start in range(len(text)):
            for length in self._lengths:
                if start + length > len(text):
                    break
                for unit, is_whole in self._in_full.get(text[start : start + length], ()):
                    (whole if is_whole else plain).setdefault(unit, (start, start + length))
        return {**plain, **whole}


def _find_widest(spans: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The stretches of a text that lie in no other one."""
    widest = set()
    reached = -1
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if end > reached:
            widest.add((start, end))
            reached = end
    return widest


def describe_matches(matches: UnitMatches, rows: Sequence[str]) -> tuple[Warn, ...]:
    """What to say about a matching: how many rows matched how, and which did not (by `rows`)."""
    counts = matches.counts()
    loose = {way: counts.get(way, 0) for way in FOUND[2:]}
    remarks = []
    if any(loose.values()):
        remarks.append(Warn("units_matched_loosely", loose))
    for way in ("ambiguous", "unmatched"):
        if counts.get(way):
            named = [row for row, one in zip(rows, matches.way, strict=True) if one == way]
            remarks.append(
                Warn(f"units_{way}", {"count": counts[way], "rows": first_of(named, _SHOWN)})
            )
    if matches.apart.any():
        named = [row for row, one in zip(rows, matches.apart, strict=True) if one]
        remarks.append(
            Warn("units_code_name_apart", {"count": len(named), "rows": first_of(named, _SHOWN)})
        )
    return tuple(remarks)


def _keys(forms: NameForms) -> tuple[str, str, str]:
    return forms.whole, forms.plain, forms.bare
