"""Whole persons by a running sum along a Hilbert curve of order 24, in exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

import numpy as np

from tests.oracles.audit.streets import Floats, Ints

ORDER = 24


def hilbert_key(lon: Floats, lat: Floats, order: int = ORDER) -> Ints:
    """Distance along the Hilbert curve over lon -180…180, lat -90…90 (the textbook's xy2d)."""
    size = 1 << order
    x = _step((np.asarray(lon, dtype=float) + 180) / 360, size)
    y = _step((np.asarray(lat, dtype=float) + 90) / 180, size)
    key = np.zeros(len(x), dtype=np.int64)
    side = size >> 1
    while side:
        right, upper = (x & side) > 0, (y & side) > 0
        key += side * side * np.where(right, np.where(upper, 2, 3), np.where(upper, 1, 0))
        turn = ~upper
        flip = turn & right
        x, y = np.where(flip, size - 1 - x, x), np.where(flip, size - 1 - y, y)
        x, y = np.where(turn, y, x), np.where(turn, x, y)
        side >>= 1
    return key


def _step(share: Floats, size: int) -> Ints:
    return np.clip(np.floor(share * size), 0, size - 1).astype(np.int64)


def curve_order(lon: Floats, lat: Floats, fraction: Floats) -> Ints:
    """Rows in the order of the curve; equal keys by lon, lat, then fraction."""
    return np.lexsort((fraction, lat, lon, hilbert_key(lon, lat)))


def whole(fractions: Sequence[Fraction | int | float]) -> list[int]:
    """Whole persons of fractions in the order given: floor(S_i + ½) - floor(S_i-1 + ½)."""
    half, total, before, answer = Fraction(1, 2), Fraction(0), 0, []
    for one in fractions:
        total += Fraction(one)
        here = floor(total + half)
        answer.append(here - before)
        before = here
    return answer


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """A whole total over weights in the order given; weights are taken as the exact floats.

    The sums are of integers on a common binary denominator: the same as with fractions, faster.
    """
    ratios = [float(weight).as_integer_ratio() for weight in weights]
    scale = max((below for _, below in ratios), default=1)  # powers of two: the largest fits all
    parts = [above * (scale // below) for above, below in ratios]
    of = sum(parts)
    if of == 0:
        return [0] * len(parts)
    running, before, answer = 0, 0, []
    for part in parts:
        running += part
        here = (2 * total * running + of) // (2 * of)
        answer.append(here - before)
        before = here
    return answer


def on_curve(total: int, weights: Floats, lon: Floats, lat: Floats) -> Ints:
    """A unit's whole total over its cells by weight, along the curve; rows as given."""
    order = curve_order(lon, lat, np.asarray(weights, dtype=float))
    answer = np.zeros(len(order), dtype=np.int64)
    answer[order] = share_out(total, np.asarray(weights, dtype=float)[order].tolist())
    return answer
