"""Gini, Palma and quantiles of a burden over persons, exact in whole numbers until one division."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.quantities import Int32Array, IntArray

TENTHS: Final = 10
_LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Spread:
    """A burden by level: `cm` (k,) ascending without repeats, `persons` (k,) above 0.

    Persons of one level are one row, whatever the order or the number of cells they came from.
    Where the whole numbers might not fit 64 bits both are arrays of Python integers.
    """

    cm: IntArray
    persons: IntArray

    @classmethod
    def of(cls, cm: Int32Array, persons: IntArray) -> Spread:
        """The burden of persons, int (c,) each; rows without persons do not count."""
        levels, where = np.unique(cm[persons > 0], return_inverse=True)
        held = np.bincount(where, weights=persons[persons > 0], minlength=len(levels))
        whole = int(persons.sum())
        bound = TENTHS * whole * whole * (int(levels[-1]) if len(levels) else 1)
        kind: type = np.int64 if bound < _LARGEST else object
        exact = [int(count) for count in held] if kind is object else held
        return cls(
            np.array([int(level) for level in levels] if kind is object else levels, dtype=kind),
            np.array(exact, dtype=kind),
        )

    @property
    def whole(self) -> int:
        """All persons."""
        return int(self.persons.sum())

    @property
    def burden(self) -> int:
        """Person-centimetres."""
        return int((self.persons * self.cm).sum())

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
        parts = self._person_tenths()
        lowest = sum(parts[:4])
        return 4 * parts[-1] / lowest if self.whole and lowest else None

    def tenths(self) -> tuple[float, ...]:
        """Mean burden of each tenth of the persons, the lowest first, cm; empty for nobody."""
        whole = self.whole
        return tuple(part / whole for part in self._person_tenths()) if whole else ()

    def _person_tenths(self) -> list[int]:
        """Burden of each tenth times ten, so that a person parted between two stays whole."""
        whole = self.whole
        end = np.cumsum(self.persons) * TENTHS
        start = end - self.persons * TENTHS
        parts = []
        for k in range(TENTHS):
            low, high = k * whole, (k + 1) * whole
            inside = np.minimum(end, high) - np.maximum(start, low)
            parts.append(int((np.maximum(inside, 0) * self.cm).sum()))
        return parts
