"""Gini, Palma and quantiles of a burden over persons, exact in whole numbers until one division."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import Int32Array, IntArray

TENTHS: Final = 10
_LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Spread:
    """A burden by level: `cm` (k,) ascending without repeats, `persons` (k,) above 0.

    `whole`: all persons; `burden`: person-centimetres. Persons of one level are one row,
    whatever the order or the number of cells they came from. Where the whole numbers might not
    fit 64 bits both arrays are of Python integers.
    """

    cm: IntArray
    persons: IntArray
    whole: int
    burden: int

    @classmethod
    def of(cls, cm: Int32Array, persons: IntArray) -> Spread:
        """The burden of persons, int (c,) each; rows without persons do not count."""
        lived = persons > 0
        levels, where = np.unique(cm[lived].astype(np.int64), return_inverse=True)
        held = np.bincount(where, weights=persons[lived], minlength=len(levels)).astype(np.int64)
        whole = int(held.sum())
        if TENTHS * whole * whole * (int(levels[-1]) if len(levels) else 1) >= _LARGEST:
            levels, held = levels.astype(object), held.astype(object)
        return cls(levels, held, whole, int((held * levels).sum()))

    def mean(self) -> float | None:
        """Mean burden of a person, cm."""
        return self.burden / self.whole if self.whole else None

    def median(self) -> float | None:
        """The lowest level that at least half of the persons do not exceed, cm."""
        if not self.whole:
            return None
        half = int(np.searchsorted(np.cumsum(self.persons) * 2, self.whole))
        return float(self.cm[half])

    def persons_within(self, limit_cm: int) -> int:
        """Persons whose burden is at most the limit."""
        return int(self.persons[self.cm <= limit_cm].sum())

    def excess_over(self, limit_cm: int) -> float | None:
        """Mean burden beyond the limit of the persons beyond it, cm."""
        beyond = self.cm > limit_cm
        count = int(self.persons[beyond].sum())
        if not count:
            return None
        return int((self.persons[beyond] * (self.cm[beyond] - limit_cm)).sum()) / count

    def gini(self) -> float | None:
        """Gini coefficient 0-1: half the mean difference of two persons, divided by the mean.

        The same as ``1 - sum((X[k] - X[k-1]) * (Y[k] + Y[k-1]))`` along the Lorenz curve.
        0 where nobody walks at all; None where there is nobody.
        """
        if not self.whole:
            return None
        if not self.burden:
            return 0.0
        upto = np.cumsum(self.persons)
        below_less_above = 2 * upto - self.persons - self.whole
        return int((self.persons * self.cm * below_less_above).sum()) / (self.whole * self.burden)

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

    def _upto(self, tenths: tuple[int, ...]) -> list[int]:
        """Burden of the lowest tenths, times ten, so that a person parted in two stays whole."""
        end = np.cumsum(self.persons) * TENTHS
        held = np.cumsum(self.persons * self.cm) * TENTHS
        found = []
        for count in tenths:
            mark = count * self.whole
            k = int(np.searchsorted(end, mark))
            before, start = (int(held[k - 1]), int(end[k - 1])) if k else (0, 0)
            found.append(before + (mark - start) * int(self.cm[k]))
        return found
