"""Whole persons from fractions, by a running sum along a Hilbert curve, in exact arithmetic.

Pixels, decimals of tables and shares of unit totals are fractions of persons. Along the curve,
neighbours on the ground come one after another; a cell gets the whole persons by which the running
sum, rounded, rises in it. So every stretch of the curve inside one unit keeps its people to one
person, and sparse land is not emptied.

Running sums are exact: a double is cut into whole persons and three limbs of 32 bits, which is
all of it down to 2**-96 persons, and limbs are added as integers. Rounding then looks at the first
bit below the whole, and floor(S + 1/2) is what DEFINITIONS asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.quantities import BoolArray, Counts, FloatArray, IntArray

DISJOINT: Final = ("0_3", "65")  # groups of which nobody is in two
UNBOUNDED: Final = "households"  # may be more than residents: empty ones are registered

_ORDER: Final = 24
_LAST: Final = (1 << _ORDER) - 1
_SPAN: Final = np.array([360.0, 180.0])
_BITS: Final = 32
_HALF: Final = 1 << (_BITS - 1)
_MASK: Final = (1 << _BITS) - 1
_AT_ONCE: Final = 1 << 16
_MOST_BLOCKS: Final = 1 << (63 - 2 * _ORDER)  # that fit into a key beside the curve

_Steps = NDArray[np.int32]


def hilbert_keys(lonlat: FloatArray) -> IntArray:
    """Distance along the Hilbert curve of order 24 over the Earth, of places (k, 2) in degrees."""
    keys = np.empty(len(lonlat), dtype=np.int64)
    for start in range(0, len(lonlat), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        share = (lonlat[part] + _SPAN / 2) / _SPAN
        step = np.clip(np.floor(share * (_LAST + 1)), 0, _LAST).astype(np.int32)
        keys[part] = _walk_curve(step[:, 0].copy(), step[:, 1].copy())
    return keys


def _walk_curve(x: _Steps, y: _Steps) -> IntArray:
    """Keys of steps east and north, four levels of squares at a time."""
    keys, frames = _curve_tables()
    key = np.zeros(len(x), dtype=np.int64)
    frame = np.zeros(len(x), dtype=np.int32)
    for bit in range(_ORDER - 4, -1, -4):
        at = frame << 8 | (x >> bit & 15) << 4 | y >> bit & 15
        key <<= 8
        key |= keys[at]
        frame = frames[at]
    return key


@cache
def _curve_tables() -> tuple[IntArray, _Steps]:
    """By frame (turned or not, mirrored or not) and four bits each of x and y: key, next frame."""
    at = np.arange(4 << 8, dtype=np.int32)
    turned, mirrored, x, y = at >> 9 & 1, at >> 8 & 1, at >> 4 & 15, at & 15
    key = np.zeros(len(at), dtype=np.int64)
    for bit in (3, 2, 1, 0):
        one, other = x >> bit & 1 ^ mirrored, y >> bit & 1 ^ mirrored
        right, upper = np.where(turned, other, one), np.where(turned, one, other)
        key = key << 2 | (3 * right) ^ upper
        mirrored = mirrored ^ (1 - upper) & right
        turned = turned ^ 1 - upper
    return key, (turned << 1 | mirrored).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Along:
    """Rows (k,) block by block in the order in which people are counted; `begins` of the blocks.

    A block is a unit, or the whole file.
    """

    rows: IntArray
    begins: IntArray

    @classmethod
    def curve(
        cls, lonlat: FloatArray, fraction: FloatArray, block: IntArray | None = None
    ) -> Along:
        """Blocks in the order of their numbers, in each the curve over its cells' centroids.

        Equal keys go by lon, lat, then fraction. `lonlat` (k, 2): degrees WGS84.
        """
        key = hilbert_keys(lonlat)
        block = np.zeros(len(key), dtype=np.int64) if block is None else block
        few = len(block) == 0 or int(block.max()) < _MOST_BLOCKS
        if few:
            key |= block << (2 * _ORDER)
            rows = np.argsort(key)
        if not few or (np.diff(key[rows]) == 0).any():
            rows = np.lexsort((fraction, lonlat[:, 1], lonlat[:, 0], key, block))
        held = block[rows]
        return cls(rows, np.flatnonzero(np.diff(held, prepend=-1) != 0))

    @classmethod
    def listed(cls, rows: IntArray) -> Along:
        """One block in the order given."""
        return cls(rows, np.zeros(min(1, len(rows)), dtype=np.int64))

    def blocks(self) -> list[IntArray]:
        """The rows of each block."""
        return np.split(self.rows, self.begins[1:]) if len(self.rows) else []


@dataclass(frozen=True, slots=True)
class _Sums:
    """Exact sums of persons (k,): whole ones, and the rest in limbs of 32 bits."""

    whole: IntArray
    limbs: tuple[IntArray, IntArray, IntArray]

    @classmethod
    def running(cls, amount: FloatArray, start: IntArray) -> _Sums:
        """Running sums of amounts (k,) since the row `start` (k,) of each."""
        rest = np.asarray(amount, dtype=np.float64)
        parts = []
        for scale in (1.0, *[float(1 << _BITS)] * 3):
            rest = rest * scale
            whole = np.floor(rest)
            rest = rest - whole
            total = np.concatenate(([0], np.cumsum(whole.astype(np.int64))))
            parts.append(total[1:] - total[start])
        limbs = parts[1:]
        for i in (2, 1):
            limbs[i - 1] += limbs[i] >> _BITS
            limbs[i] &= _MASK
        parts[0] += limbs[0] >> _BITS
        limbs[0] &= _MASK
        return cls(parts[0], (limbs[0], limbs[1], limbs[2]))

    def take(self, rows: IntArray) -> _Sums:
        first, second, third = self.limbs
        return _Sums(self.whole[rows], (first[rows], second[rows], third[rows]))

    def rounded(self) -> IntArray:
        """floor(S + 1/2)."""
        return self.whole + (self.limbs[0] >= _HALF)

    def added_up(self) -> _Sums:
        """Running sums of these sums."""
        parts = [np.cumsum(part) for part in (self.whole, *self.limbs)]
        limbs = parts[1:]
        for i in (2, 1):
            limbs[i - 1] += limbs[i] >> _BITS
            limbs[i] &= _MASK
        return _Sums(parts[0] + (limbs[0] >> _BITS), (limbs[0] & _MASK, limbs[1], limbs[2]))

    def rest_above(self, other: _Sums) -> tuple[BoolArray, BoolArray]:
        """Where the part below the whole is larger than that of the other, and where equal."""
        larger = np.zeros(len(self.whole), dtype=np.bool_)
        equal = np.ones(len(self.whole), dtype=np.bool_)
        for mine, its in zip(self.limbs, other.limbs, strict=True):
            larger |= equal & (mine > its)
            equal &= mine == its
        return larger, equal


def round_along(amount: FloatArray, along: Along) -> IntArray:
    """Whole persons (k,) of fractions, kept to the person in each block and in all of them.

    `amount`: persons, finite, not negative, their sum below 2**53.

    A block's total is what the running sum over the blocks gives it, which is less than a person
    from its own sum. Where that is not its own sum rounded, its running sum is rounded at another
    place than the half, the nearest that gives the total: each stretch is kept to one person.
    """
    if len(amount) == 0:
        return np.empty(0, dtype=np.int64)
    begins = along.begins
    size = np.diff(np.append(begins, len(along.rows)))
    sums = _Sums.running(amount[along.rows], np.repeat(begins, size))
    ends = sums.take(begins + size - 1)
    totals = np.diff(ends.added_up().rounded(), prepend=0)
    apart = totals - ends.rounded()
    reached = sums.rounded()
    if apart.any():
        block = np.repeat(np.arange(len(size)), size)
        larger, equal = sums.rest_above(ends.take(block))
        up = np.where(apart[block] > 0, larger | equal, larger)
        reached = np.where(apart[block] == 0, reached, sums.whole + up)
    shares = np.diff(reached, prepend=0)
    shares[begins] = reached[begins]
    answer = np.empty(len(shares), dtype=np.int64)
    answer[along.rows] = shares
    return answer


def are_whole(*amounts: FloatArray) -> bool:
    """Whether all that is known of some columns are whole numbers."""
    return all(bool((np.isnan(one) | (one == np.rint(one))).all()) for one in amounts)


def round_people(
    persons: FloatArray, groups: Mapping[str, FloatArray], along: Along
) -> tuple[Counts, dict[str, Counts]]:
    """Whole residents and groups of rows (k,), NaN where unknown; see `round_along`.

    No cell holds more of a group than residents, nor more of `DISJOINT` groups together: what
    exceeds moves on (`keep_to_room`). Households may be more than residents.
    """
    residents = round_along(np.nan_to_num(persons), along)
    counts = {}
    room = residents.copy()
    for name in (*DISJOINT, *(name for name in groups if name not in DISJOINT)):
        if name not in groups:
            continue
        known = ~np.isnan(groups[name])
        held = round_along(np.where(known, groups[name], 0.0), along)
        if name != UNBOUNDED:
            limit = room if name in DISJOINT else residents
            held = keep_to_room(held, np.where(known, limit, 0), along)
        if name in DISJOINT:
            room -= held
        counts[name] = Counts.of(held, known)
    return Counts.of(residents, ~np.isnan(persons)), {name: counts[name] for name in groups}


def share_along(totals: IntArray, weight: IntArray, owner: NDArray[Any], along: Along) -> IntArray:
    """Whole persons per row (k,): each owner's total shared by weight, floor(S + 1/2) as above.

    Parameters
    ----------
    totals : whole persons of each owner, not negative.
    weight : int64 (k,), not negative, above zero for a row of each owner with a total.
    owner : (k,), index into `totals`; the blocks of `along` are the owners.
    """
    answer = np.zeros(len(weight), dtype=np.int64)
    for rows in along.blocks():
        answer[rows] = _share_total(int(totals[owner[rows[0]]]), weight[rows])
    return answer


def _share_total(total: int, weight: IntArray) -> IntArray:
    """One total shared over weights in the order given."""
    running: Any = np.cumsum(weight)
    whole = int(running[-1])
    if whole == 0 or total == 0:
        return np.zeros(len(weight), dtype=np.int64)
    if 2 * total * whole + whole >= 1 << 63:
        running = running.astype(object)  # integers of any size
    reached: IntArray = ((2 * total * running + whole) // (2 * whole)).astype(np.int64)
    return np.diff(reached, prepend=0)


def keep_to_room(share: IntArray, room: IntArray, along: Along) -> IntArray:
    """Persons of a group (k,), nowhere more than there is room for, their sum kept.

    What exceeds a cell's room moves on to the next cells of the block that have some, then from
    the block's first; what a whole block has no room for, to the next block. Nobody is left out
    unless all room is taken.
    """
    if not (share > room).any():
        return share
    answer = share.copy()
    carried = 0
    for round_of in (0, 1):
        for rows in along.blocks():
            if carried or (answer[rows] > room[rows]).any():
                answer[rows], carried = _move_on(answer[rows], room[rows], carried)
            elif round_of and not carried:
                break
    return answer


def _move_on(share: IntArray, room: IntArray, carried: int) -> tuple[IntArray, int]:
    """One block's persons in the order of the curve, twice around it at most; who is left."""
    taken = np.zeros_like(share)
    for coming in (share, np.zeros_like(share)):
        level = carried + np.cumsum(coming - (room - taken))
        left = level - np.minimum(0, np.minimum.accumulate(level))
        taken = taken + np.append(carried, left[:-1]) + coming - left
        carried = int(left[-1])
    return taken, carried
