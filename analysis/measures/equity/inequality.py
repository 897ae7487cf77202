"""Gini, Palma and quantiles of a burden over persons, exact in whole numbers until one division."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import Int32Array, IntArray

TENTHS: Final = 10
_LARGEST: Final = 2**62
_DENSE: Final = 8  # centimetres for each cell up to which every centimetre is counted, unsorted


@dataclass(frozen=True, slots=True)
class Spread:
    """A burden by level: `cm` (k,) ascending without repeats, `persons` (k,) above 0.

    `walked` (k,): person-centimetres of each level; `upto` (k,): persons of it and all below.
    `whole`: all persons; `burden`: person-centimetres. Persons of one level are one row,
    whatever the order or the number of cells they came from. Where the whole numbers might not
    fit 64 bits both arrays are of Python integers.
    """

    cm: IntArray
    persons: IntArray
    walked: IntArray
    upto: IntArray
    whole: int
    burden: int

    @classmethod
    def of(cls, cm: Int32Array, persons: IntArray) -> Spread:
        """The burden of persons, int (c,) each; rows without persons do not count."""
        levels, held = _by_level(cm, persons)
        whole = int(held.sum())
        if TENTHS * whole * whole * (int(levels[-1]) if len(levels) else 1) >= _LARGEST:
            levels, held = levels.astype(object), held.astype(object)
        walked = held * levels
        return cls(levels, held, walked, np.cumsum(held), whole, int(walked.sum()))

    def mean(self) -> float | None:
        """Mean burden of a person, cm."""
        return self.burden / self.whole if self.whole else None

    def median(self) -> float | None:
        """The lowest level that at least half of the persons do not exceed, cm."""
        if not self.whole:
            return None
        half = int(np.searchsorted(self.upto, (self.whole + 1) // 2))
        return float(self.cm[half])

    def persons_within(self, limit_cm: int) -> int:
        """Persons whose burden is at most the limit."""
        levels = int(np.searchsorted(self.cm, limit_cm, side="right"))
        return int(self.upto[levels - 1]) if levels else 0

    def excess_over(self, limit_cm: int) -> float | None:
        """Mean burden beyond the limit of the persons beyond it, cm."""
        count = self.whole - self.persons_within(limit_cm)
        if not count:
            return None
        first = int(np.searchsorted(self.cm, limit_cm, side="right"))
        return (int(self.walked[first:].sum()) - count * limit_cm) / count

    def gini(self) -> float | None:
        """Gini coefficient 0-1: half the mean difference of two persons, divided by the mean.

        The same as ``1 - sum((X[k] - X[k-1]) * (Y[k] + Y[k-1]))`` along the Lorenz curve.
        0 where nobody walks at all; None where there is nobody.
        """
        if not self.whole:
            return None
        if not self.burden:
            return 0.0
        below_less_above = 2 * self.upto - self.persons - self.whole
        return int((self.walked * below_less_above).sum()) / (self.whole * self.burden)

    def palma(self) -> float | None:
        """Mean of the highest tenth ÷ mean of the lowest four tenths; persons may be parted.

        None where there is nobody or the lowest four tenths do not walk at all.
        """
        if not self.whole:
            return None
        lowest, nine, ten = self._upto((4, 9, 10))
        return 4 * (ten - nine) / lowest if lowest else None

    def tenths(self) -> tuple[float, ...]:
        """Mean burden of each tenth of the persons, the lowest first, cm; empty for nobody."""
        if not self.whole:
            return ()
        held = self._upto(tuple(range(TENTHS + 1)))
        return tuple((high - low) / self.whole for low, high in pairwise(held))

    def worst_from(self, beyond: int) -> int:
        """The level from which the longest walks hold a tenth of all persons.

        `beyond`: persons beyond every level, fewer than a tenth.
        """
        held = np.cumsum(self.persons[::-1]) + beyond
        k = int(np.searchsorted(held * TENTHS, self.whole + beyond))
        return int(self.cm[::-1][k])

    def _upto(self, tenths: tuple[int, ...]) -> list[int]:
        """Burden of the lowest tenths, times ten, so that a person parted in two stays whole."""
        held = np.cumsum(self.walked)
        found = []
        for count in tenths:
            mark = count * self.whole
            k = int(np.searchsorted(self.upto, -(-mark // TENTHS)))
            before, start = (int(held[k - 1]), int(self.upto[k - 1])) if k else (0, 0)
            found.append(before * TENTHS + (mark - start * TENTHS) * int(self.cm[k]))
        return found


def _by_level(cm: Int32Array, persons: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct burdens (k,) that somebody has, ascending, and the persons of each."""
    lived = persons > 0
    cm, persons = cm[lived], persons[lived]
    if not len(cm):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if int(cm.min()) >= 0 and int(cm.max()) < _DENSE * len(cm):
        counted = np.bincount(cm, weights=persons)
        levels = np.flatnonzero(counted)
        return levels, counted[levels].astype(np.int64)
    order = np.argsort(cm)
    walked = cm[order].astype(np.int64)
    new = np.ones(len(walked), dtype=np.bool_)
    new[1:] = walked[1:] != walked[:-1]
    start = np.flatnonzero(new)
    return walked[start], np.add.reduceat(persons[order].astype(np.int64), start)
