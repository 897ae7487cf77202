"""Colours and classes of the maps: blue is reached, orange is not, for colour-blind eyes too."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import UNREACHED_CM, Int32Array, limit_cm

MINUTE_COLOURS: Final = ("#08519c", "#3f8ac4", "#9ecae1", "#fdbb74", "#e6750f", "#9c3a04")
SHARE_COLOURS: Final = ("#a8480c", "#e39a4f", "#ecdfc3", "#86b7da", "#1f5fa6")
PERSON_COLOURS: Final = ("#fee39f", "#fec44f", "#fe9929", "#d95f0e", "#8c2d04")
SEQUENTIAL_COLOURS: Final = ("#e8eef0", "#bcd3d8", "#84b0b9", "#4a8793", "#1d5f6c")
TIER_COLOURS: Final = {"basic": "#0072b2", "upgraded": "#d55e00", "public": "#007a5a"}
DOT_COLOUR: Final = "#1b1f23"
UNKNOWN_COLOUR: Final = "#a9adb1"
NO_WAY_COLOUR: Final = "#6e6e6e"
GROUND_COLOUR: Final = "#f7f7f4"
SHARE_OPACITY: Final = 0.45
PERSON_OPACITY: Final = 0.7
UNIT_OPACITY: Final = 0.6

SHARE_EDGES: Final = (0.2, 0.4, 0.6, 0.8)
PERSON_EDGES: Final = (100, 500, 2_000, 5_000)
_STEPS: Final = (1 / 3, 2 / 3, 1.0, 4 / 3, 2.0)


@dataclass(frozen=True, slots=True)
class MinuteScale:
    """Classes of walking minutes around the minutes asked for: three within, three beyond.

    `edges` are upper bounds (inclusive); class 5 is beyond the last, class 6 has no way,
    class 7 was not assessed.
    """

    edges: tuple[float, ...]
    within: int
    colours: tuple[str, ...] = (*MINUTE_COLOURS, NO_WAY_COLOUR, UNKNOWN_COLOUR)

    def classes(self, walk_cm: Int32Array, speed_m_per_s: Fraction) -> Int32Array:
        """Class of every distance, cut in whole centimetres as coverage is."""
        limits = [limit_cm(edge, speed_m_per_s) for edge in self.edges]
        found = np.searchsorted(limits, walk_cm, side="left").astype(np.int32)
        found[walk_cm == UNREACHED_CM] = len(self.edges) + 1
        return found


def minute_scale(minutes: float) -> MinuteScale:
    """0-5-10-15-20-30 for 15 minutes, and in proportion for others."""
    digits = 0 if minutes >= 5 else 1
    edges = tuple(minutes if step == 1.0 else round(minutes * step, digits) for step in _STEPS)
    return MinuteScale(edges, 3)


def laid_over(colour: str, opacity: float) -> str:
    """The colour as it looks when laid over the map's ground with an opacity, ``#rrggbb``."""
    mixed = [
        round(int(top, 16) * opacity + int(ground, 16) * (1 - opacity))
        for top, ground in zip(_pairs(colour), _pairs(GROUND_COLOUR), strict=True)
    ]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _pairs(colour: str) -> tuple[str, str, str]:
    return colour[1:3], colour[3:5], colour[5:7]


def class_of(value: float | None, edges: tuple[float, ...]) -> int:
    """Class of a value (lower bounds inclusive); the class after the last for unknown."""
    return len(edges) + 1 if value is None else int(np.searchsorted(edges, value, side="right"))


def round_edges(values: list[int]) -> tuple[float, ...]:
    """Four rounded bounds that part values into about equal shares."""
    if not values:
        return (1, 2, 3, 4)
    edges: list[float] = []
    for share in (0.2, 0.4, 0.6, 0.8):
        raw = float(np.quantile(values, share))
        power = 10 ** max(0, len(str(int(raw))) - 2)
        edge = max(1.0, round(raw / power) * power)
        edges.append(edge if not edges or edge > edges[-1] else edges[-1] + power)
    return tuple(edges)
